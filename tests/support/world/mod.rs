//! A made-up office and the logs it would have written.
//!
//! Everything in `sample-logs/` comes from here, so that nobody's real log has
//! to be published and every line's story is known. People, servers, networks
//! and attacks are separate pieces that write into a [`site::Site`]; each piece
//! draws from its own random stream, so adding one does not change the lines
//! of another. Outside addresses are those set aside for documentation
//! (RFC 5737, RFC 3849), inside is 10.20.0.0/16, and every clock is in UTC.

pub(crate) mod rng;
pub(crate) mod stamp;

pub(crate) mod conn;
pub(crate) mod syslog;

pub(crate) mod commands;
pub(crate) mod site;
pub(crate) mod ssh;

pub(crate) mod life;
pub(crate) mod people;
pub(crate) mod servers;
pub(crate) mod traffic;

pub(crate) mod attack;

pub(crate) mod abroad;
pub(crate) mod court;
pub(crate) mod habits;
pub(crate) mod incidents;
pub(crate) mod month;
pub(crate) mod ordinary;
pub(crate) mod quiet;
pub(crate) mod quietly;
pub(crate) mod strangers;

/// A file of `sample-logs/`, by its path there, before compression.
pub(crate) struct Sample {
    /// Path below `sample-logs/`; a name that ends in `.gz` is stored compressed.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: Vec<u8>,
    /// When it was last written: a compressed file carries it, and it gives
    /// stamps without a year theirs.
    pub(crate) written: stamp::At,
}

impl Sample {
    /// A file that was last written then.
    pub(crate) fn new(path: impl Into<String>, written: stamp::At, text: Vec<u8>) -> Sample {
        Sample {
            path: path.into(),
            text,
            written,
        }
    }
}

/// A folder of `sample-logs/` and what makes its logs.
pub(crate) struct Folder {
    /// Path below `sample-logs/`.
    pub(crate) path: &'static str,
    /// Makes its logs.
    pub(crate) make: fn() -> Vec<Sample>,
}

/// Every folder that is made here.
pub(crate) static FOLDERS: &[Folder] = &[
    Folder {
        path: "court",
        make: court::make,
    },
    Folder {
        path: "quiet-month",
        make: ordinary::quiet_month,
    },
    Folder {
        path: "scenarios/beacon",
        make: quietly::calls_home,
    },
    Folder {
        path: "scenarios/boiling-frog",
        make: quietly::boiling_frog,
    },
    Folder {
        path: "scenarios/dns-tunnel",
        make: quietly::dns_tunnel,
    },
    Folder {
        path: "scenarios/dormant-account",
        make: strangers::dormant_account,
    },
    Folder {
        path: "scenarios/first-bulk-upload",
        make: habits::first_bulk_upload,
    },
    Folder {
        path: "scenarios/first-sudo",
        make: habits::first_sudo,
    },
    Folder {
        path: "scenarios/host-hopping",
        make: strangers::host_hopping,
    },
    Folder {
        path: "scenarios/impossible-travel",
        make: abroad::impossible_travel,
    },
    Folder {
        path: "scenarios/lateral-ssh",
        make: habits::lateral_ssh,
    },
    Folder {
        path: "scenarios/new-account",
        make: quietly::new_account,
    },
    Folder {
        path: "scenarios/odd-hours",
        make: quietly::odd_hours,
    },
    Folder {
        path: "scenarios/quiet-office",
        make: quiet::office,
    },
    Folder {
        path: "scenarios/quiet-servers",
        make: quiet::servers,
    },
    Folder {
        path: "scenarios/service-account-by-hand",
        make: quietly::service_account,
    },
    Folder {
        path: "scenarios/silenced-host",
        make: quietly::silenced_host,
    },
    Folder {
        path: "scenarios/slow-exfiltration",
        make: quietly::slow_exfiltration,
    },
    Folder {
        path: "scenarios/ssh-brute-force",
        make: incidents::ssh_brute_force,
    },
    Folder {
        path: "scenarios/ssh-guess-then-success",
        make: incidents::ssh_guess_then_success,
    },
    Folder {
        path: "scenarios/ssh-password-spraying",
        make: incidents::ssh_password_spraying,
    },
    Folder {
        path: "scenarios/ssh-slow-spraying",
        make: strangers::ssh_slow_spraying,
    },
    Folder {
        path: "scenarios/ssh-spraying-one-source",
        make: incidents::ssh_spraying_one_source,
    },
    Folder {
        path: "scenarios/sudo-not-allowed",
        make: incidents::sudo_not_allowed,
    },
    Folder {
        path: "scenarios/valid-account-new-network",
        make: habits::valid_account_new_network,
    },
    Folder {
        path: "scenarios/zeek-scan",
        make: incidents::zeek_scan,
    },
];
