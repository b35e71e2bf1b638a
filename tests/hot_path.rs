//! The hot path allocates nothing per line after warm-up. Its own binary, for
//! its allocator counts.

#![allow(
    unsafe_code,
    reason = "a counting allocator is a GlobalAlloc; it only counts and forwards"
)]
#![expect(
    clippy::unwrap_used,
    reason = "a broken test should stop where it broke"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tipstaff::detector::{Detector, Options, load_options};
use tipstaff::enrich::{Files, Tables};
use tipstaff::pipeline::{Progress, Readings, ReplayOptions, Start, classes, replay};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is forwarded unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Long enough for warm-up and for baselines to be in force; the same in every
/// log, since each day's exchange between lanes does allocate.
const DAYS: u32 = 10;

/// Each line's second, `rate` times an hour.
fn moments(rate: u32) -> impl Iterator<Item = (u32, u32)> {
    let seconds = (0..DAYS * 24 * rate).map(move |n| n * (3600 / rate));
    seconds.zip(0..)
}

/// `2025-09-03T04:05:06`.
fn stamp(second: u32) -> String {
    let (minute, hour) = (second / 60 % 60, second / 3600 % 24);
    let day = second / 86_400 + 1;
    format!("2025-09-{day:02}T{hour:02}:{minute:02}:{:02}", second % 60)
}

/// An office of 40 people who log in, become root, mistype and leave, always
/// from the same places.
fn auth_log(rate: u32) -> String {
    let mut text = String::new();
    for (second, n) in moments(rate) {
        let (stamp, user) = (stamp(second), n % 40);
        let head = format!("{stamp}.000000+00:00 gate01");
        let from = format!("10.20.0.{} port 50022", user + 1);
        writeln!(
            text,
            "{head} sshd[{n}]: Failed password for user{user} from {from} ssh2\n\
             {head} sshd[{n}]: Accepted publickey for user{user} from {from} ssh2: ED25519 SHA256:abc\n\
             {head} sshd[{n}]: pam_unix(sshd:session): session opened for user user{user}(uid=1000) by (uid=0)\n\
             {head} systemd-logind[611]: New session {n} of user user{user}.\n\
             {head} sudo:   user{user} : TTY=pts/0 ; PWD=/home/user{user} ; USER=root ; COMMAND=/usr/bin/apt update\n\
             {head} su[{n}]: pam_unix(su:auth): authentication failure; logname=user{user} uid=1000 euid=0 tty=/dev/pts/0 ruser=user{user} rhost=  user=root\n\
             {head} CRON[{n}]: (root) CMD (/usr/lib/sysstat/sa1 1 1)\n\
             {head} sshd[{n}]: Disconnected from user user{user} {from}"
        )
        .unwrap();
    }
    text
}

/// Names and types of a connection's columns, as far as rules look at them.
const CONN: [(&str, &str); 12] = [
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("proto", "enum"),
    ("duration", "interval"),
    ("orig_bytes", "count"),
    ("resp_bytes", "count"),
    ("conn_state", "string"),
    ("local_orig", "bool"),
];

/// The values of a connection from one of 40 machines to one of 5 outside.
fn connection(second: u32, n: u32) -> [String; 12] {
    let epoch = 1_756_684_800 + second;
    [
        format!("{epoch}.250000"),
        format!("C{n}"),
        format!("10.20.0.{}", n % 40 + 1),
        "50022".to_owned(),
        format!("203.0.113.{}", n % 5 + 1),
        "443".to_owned(),
        "tcp".to_owned(),
        "0.125000".to_owned(),
        // An upload now and then, or every machine would be reported.
        if n.is_multiple_of(200) {
            "2000000"
        } else {
            "2000"
        }
        .to_owned(),
        "4000".to_owned(),
        if n.is_multiple_of(4) { "S0" } else { "SF" }.to_owned(),
        "T".to_owned(),
    ]
}

fn zeek_tsv(rate: u32) -> String {
    let row = |part: fn(&(&str, &str)) -> String| CONN.iter().map(part).collect::<Vec<_>>();
    let mut text = format!(
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n\
         #fields\t{}\n#types\t{}\n",
        row(|column| column.0.to_owned()).join("\t"),
        row(|column| column.1.to_owned()).join("\t"),
    );
    for (second, n) in moments(rate) {
        writeln!(text, "{}", connection(second, n).join("\t")).unwrap();
    }
    text
}

fn zeek_json(rate: u32) -> String {
    let mut text = String::new();
    for (second, n) in moments(rate) {
        let values = connection(second, n);
        let pairs = CONN.iter().zip(&values).map(|((name, kind), value)| {
            let value = match (*kind, value.as_str()) {
                ("string" | "addr" | "enum", text) => format!("\"{text}\""),
                ("bool", _) => "true".to_owned(),
                (_, number) => number.to_owned(),
            };
            format!("\"{name}\":{value}")
        });
        let pairs: Vec<String> = [r#""_path":"conn""#.to_owned()]
            .into_iter()
            .chain(pairs)
            .collect();
        writeln!(text, "{{{}}}", pairs.join(",")).unwrap();
    }
    text
}

/// A log's name, what makes it, and how many stretches of it an hour.
type Log = (&'static str, fn(u32) -> String, u32);

/// A replay's allocations, its events, and its alerts.
fn allocations(detector: &Arc<Detector>, log: &str) -> (u64, u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    std::fs::write(&path, log).unwrap();
    // Addresses and users are looked up as well.
    let (networks, users) = (folder.path().join("n.csv"), folder.path().join("u.csv"));
    std::fs::write(&networks, "cidr,asn,country\n0.0.0.0/1,64500,NL\n").unwrap();
    std::fs::write(&users, "user,end_day\nalice,2031-01-01\nroot,\n").unwrap();
    let files = Files {
        networks: vec![networks],
        directory: Some(users),
        ..Files::default()
    };
    let (tables, _) = Tables::read(&files).unwrap();
    let options = ReplayOptions {
        paths: vec![path],
        threads: 1,
        start: Start::default(),
        readings: Readings::default(),
        tables: Arc::new(tables),
    };
    let progress = Progress::default();
    let mut alerts = 0;
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let summary = replay(&options, detector, &progress, &mut |_| alerts += 1);
    let after = ALLOCATIONS.load(Ordering::Relaxed);
    assert_eq!(summary.counts.malformed, 0);
    assert_eq!(summary.counts.late, 0);
    (after - before, summary.counts.events, alerts)
}

// One test, since two at a time would count each other's allocations.
#[test]
fn the_hot_path_allocates_nothing_per_line_after_warm_up() {
    let loaded = tipstaff::rule::load(&["rules".into()], &load_options()).unwrap();
    let detector = Detector::compile(&loaded.rules, &classes(), Options::default()).unwrap();
    let detector = Arc::new(detector);
    let logs: [Log; 3] = [
        ("auth.log", auth_log, 30),
        ("conn.log as TSV", zeek_tsv, 200),
        ("conn.log as JSON", zeek_json, 200),
    ];
    for (name, log, rate) in logs {
        let (few, short, alerts) = allocations(&detector, &log(rate));
        let (many, long, others) = allocations(&detector, &log(rate * 2));
        assert!(
            long > short + 40_000,
            "{name}: the longer log has more events"
        );
        assert!(
            alerts <= 100 && others <= 100,
            "{name}: quiet, for alerts allocate"
        );
        let (more, lines) = (many.saturating_sub(few), long - short);
        // What is left is per block of 256 KiB, per alert and per result that is
        // held back.
        let blocks = u64::try_from(log(rate).len() >> 18).unwrap();
        assert!(
            more.saturating_sub(blocks) * 500 < lines,
            "{name}: {more} more allocations for {lines} more events"
        );
    }
}
