//! What sshd, its PAM stack and logind say, in OpenSSH's words.

use super::rng::Rng;
use super::site::{Machine, Visit};
use super::stamp::{At, SECOND, START, Style};

/// How somebody proves who he is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A password.
    Password,
    /// An Ed25519 key with this fingerprint.
    Key(String),
}

/// Somebody at the door.
#[derive(Clone)]
pub(crate) struct Caller<'a> {
    /// The account.
    pub(crate) user: &'a str,
    /// Its uid; `None` for an account that does not exist.
    pub(crate) uid: Option<i64>,
    /// The client's address.
    pub(crate) ip: &'a str,
    /// The client's port.
    pub(crate) port: i64,
}

/// A session that is open.
pub(crate) struct Session {
    start: At,
    pid: i64,
    number: i64,
    user: String,
    ip: String,
    port: i64,
}

/// An Ed25519 key's fingerprint, always the same for a name.
pub(crate) fn fingerprint(name: &str) -> String {
    Rng::of("keys", name).letters(43)
}

/// How a connection without a login ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    /// The client says goodbye.
    Bye,
    /// The client just closes.
    Close,
    /// sshd has had enough of it.
    TooMany,
}

impl Machine {
    fn sshd(&mut self, at: At, pid: i64, line: std::fmt::Arguments<'_>) {
        let program = self.sshd;
        self.log.say(at, format_args!("{program}[{pid}]: {line}"));
    }

    /// `user` or `user(uid=N)`, by the age of PAM.
    pub(crate) fn pam_user(&self, user: &str, uid: i64) -> String {
        match self.style {
            Style::Old => user.to_owned(),
            Style::Iso => format!("{user}(uid={uid})"),
        }
    }

    fn knock(&mut self, at: At, pid: i64, caller: &Caller<'_>) {
        if self.verbose {
            let (ip, port, own) = (caller.ip, caller.port, self.ip);
            let line =
                format_args!("Connection from {ip} port {port} on {own} port 22 rdomain \"\"");
            self.sshd(at, pid, line);
        }
    }

    /// A password that is refused, on a connection that is open.
    fn refuse(&mut self, rng: &mut Rng, at: At, pid: i64, caller: &Caller<'_>) {
        let Caller { user, ip, port, .. } = caller;
        let later = at + rng.between(1_700_000, 2_400_000);
        if caller.uid.is_some() {
            self.sshd(at, pid, format_args!("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={ip}  user={user}"));
            self.sshd(
                later,
                pid,
                format_args!("Failed password for {user} from {ip} port {port} ssh2"),
            );
        } else {
            self.sshd(
                at,
                pid,
                format_args!("pam_unix(sshd:auth): check pass; user unknown"),
            );
            self.sshd(at + 40, pid, format_args!("pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={ip} "));
            self.sshd(
                later,
                pid,
                format_args!("Failed password for invalid user {user} from {ip} port {port} ssh2"),
            );
        }
    }

    /// So many passwords that are refused, and the end of the connection.
    /// Returns when it ended.
    pub(crate) fn guess(
        &mut self,
        rng: &mut Rng,
        at: At,
        caller: &Caller<'_>,
        tries: i64,
        leave: Leave,
    ) -> At {
        let pid = self.pid(at);
        let Caller { user, ip, port, .. } = caller;
        self.knock(at, pid, caller);
        let mut now = at + rng.between(180_000, 650_000);
        if caller.uid.is_none() {
            self.sshd(
                now,
                pid,
                format_args!("Invalid user {user} from {ip} port {port}"),
            );
        }
        for _ in 0..tries {
            self.refuse(rng, now + 9_000, pid, caller);
            now += rng.between(2_600_000, 3_900_000);
        }
        self.dismiss(now, pid, caller, tries, leave);
        self.visits.push(Visit {
            span: at..now,
            from: ((*ip).to_owned(), *port),
        });
        now
    }

    /// The end of a connection on which nobody was let in.
    fn dismiss(&mut self, now: At, pid: i64, caller: &Caller<'_>, tries: i64, leave: Leave) {
        let Caller { user, ip, port, .. } = caller;
        let kind = if caller.uid.is_none() {
            "invalid"
        } else {
            "authenticating"
        };
        match leave {
            Leave::Bye => {
                self.sshd(
                    now,
                    pid,
                    format_args!("Received disconnect from {ip} port {port}:11: Bye Bye [preauth]"),
                );
                self.sshd(
                    now + 60,
                    pid,
                    format_args!("Disconnected from {kind} user {user} {ip} port {port} [preauth]"),
                );
            }
            Leave::Close => {
                self.sshd(
                    now,
                    pid,
                    format_args!(
                        "Connection closed by {kind} user {user} {ip} port {port} [preauth]"
                    ),
                );
            }
            Leave::TooMany => {
                let whose = if caller.uid.is_none() {
                    "invalid user "
                } else {
                    ""
                };
                self.sshd(now, pid, format_args!("error: maximum authentication attempts exceeded for {whose}{user} from {ip} port {port} ssh2 [preauth]"));
                self.sshd(now + 70, pid, format_args!("Disconnecting {kind} user {user} {ip} port {port}: Too many authentication failures [preauth]"));
                if tries > 1 {
                    let more = tries - 1;
                    let whose = if caller.uid.is_none() {
                        String::new()
                    } else {
                        format!("  user={user}")
                    };
                    let failures = if more == 1 { "failure" } else { "failures" };
                    self.sshd(now + 130, pid, format_args!("PAM {more} more authentication {failures}; logname= uid=0 euid=0 tty=ssh ruser= rhost={ip}{whose}"));
                }
            }
        }
    }

    /// A log-in that succeeds, after so many slips on the same connection.
    pub(crate) fn enter(
        &mut self,
        rng: &mut Rng,
        at: At,
        caller: &Caller<'_>,
        proof: &Proof,
        slips: i64,
    ) -> Session {
        let pid = self.pid(at);
        let Caller { user, ip, port, .. } = caller;
        let uid = caller.uid.unwrap();
        self.knock(at, pid, caller);
        let mut now = at + rng.between(150_000, 500_000);
        for _ in 0..slips {
            self.refuse(rng, now, pid, caller);
            now += rng.between(4_000_000, 11_000_000);
        }
        match proof {
            Proof::Password => {
                self.sshd(
                    now,
                    pid,
                    format_args!("Accepted password for {user} from {ip} port {port} ssh2"),
                );
            }
            Proof::Key(key) => {
                self.sshd(now, pid, format_args!("Accepted publickey for {user} from {ip} port {port} ssh2: ED25519 SHA256:{key}"));
            }
        }
        let whom = self.pam_user(user, uid);
        self.sshd(
            now + 1_900,
            pid,
            format_args!("pam_unix(sshd:session): session opened for user {whom} by (uid=0)"),
        );
        let number = 100 + (at - START) / (7 * SECOND);
        self.log.say(
            now + 12_000,
            format_args!("systemd-logind[612]: New session {number} of user {user}."),
        );
        Session {
            start: at,
            pid,
            number,
            user: (*user).to_owned(),
            ip: (*ip).to_owned(),
            port: *port,
        }
    }

    /// The end of a session.
    pub(crate) fn leave(&mut self, at: At, session: Session) {
        let Session {
            start,
            pid,
            number,
            user,
            ip,
            port,
        } = session;
        // The unprivileged child of the connection speaks for the network side.
        let child = pid + 7;
        self.sshd(
            at,
            child,
            format_args!("Received disconnect from {ip} port {port}:11: disconnected by user"),
        );
        self.sshd(
            at + 50,
            child,
            format_args!("Disconnected from user {user} {ip} port {port}"),
        );
        self.sshd(
            at + 1_300,
            pid,
            format_args!("pam_unix(sshd:session): session closed for user {user}"),
        );
        if self.style == Style::Iso {
            self.log.say(at + 6_200, format_args!("systemd-logind[612]: Session {number} logged out. Waiting for processes to exit."));
        }
        self.log.say(
            at + 7_100,
            format_args!("systemd-logind[612]: Removed session {number}."),
        );
        self.visits.push(Visit {
            span: start..at,
            from: (ip, port),
        });
    }

    /// A scanner that says nothing, or nothing that SSH would.
    pub(crate) fn probe(&mut self, rng: &mut Rng, at: At, ip: &str) {
        let (pid, port) = (self.pid(at), rng.port());
        if rng.chance(70) {
            self.sshd(
                at,
                pid,
                format_args!("Connection closed by {ip} port {port}"),
            );
        } else {
            self.sshd(
                at,
                pid,
                format_args!("banner exchange: Connection from {ip} port {port}: invalid format"),
            );
        }
        self.visits.push(Visit {
            span: at..at + 90_000,
            from: (ip.to_owned(), port),
        });
    }
}
