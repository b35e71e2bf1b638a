//! What sudo, su, cron, passwd and useradd say.

use super::rng::Rng;
use super::site::Machine;
use super::stamp::At;

/// Who runs something as root, and where from.
#[derive(Clone, Copy)]
pub(crate) struct Operator<'a> {
    /// The account.
    pub(crate) user: &'a str,
    /// Its uid.
    pub(crate) uid: i64,
    /// The terminal's number.
    pub(crate) pts: i64,
}

impl Machine {
    /// A command run as root.
    pub(crate) fn sudo(&mut self, rng: &mut Rng, at: At, who: Operator<'_>, command: &str) {
        let Operator { user, uid, pts } = who;
        let root = self.pam_user("root", 0);
        let actor = self.pam_user(user, uid);
        self.log.say(
            at,
            format_args!(
                "sudo: {user:>8} : TTY=pts/{pts} ; PWD=/home/{user} ; USER=root ; COMMAND={command}"
            ),
        );
        self.log.say(
            at + 900,
            format_args!("sudo: pam_unix(sudo:session): session opened for user {root} by {actor}"),
        );
        let end = at + rng.between(20_000, 4_000_000);
        self.log.say(
            end,
            format_args!("sudo: pam_unix(sudo:session): session closed for user root"),
        );
    }

    /// A command that sudo did not run, for a reason in its words.
    pub(crate) fn sudo_refused(&mut self, at: At, who: Operator<'_>, reason: &str, command: &str) {
        let Operator { user, uid, pts } = who;
        if reason.contains("password") {
            self.log.say(at - 7_000_000, format_args!("sudo: pam_unix(sudo:auth): authentication failure; logname={user} uid={uid} euid=0 tty=/dev/pts/{pts} ruser={user} rhost=  user={user}"));
        }
        self.log.say(at, format_args!("sudo: {user:>8} : {reason} ; TTY=pts/{pts} ; PWD=/home/{user} ; USER=root ; COMMAND={command}"));
    }

    /// A shell as root.
    pub(crate) fn su(&mut self, at: At, until: At, who: Operator<'_>) {
        let Operator { user, uid, pts } = who;
        let pid = self.pid(at);
        let root = self.pam_user("root", 0);
        let actor = self.pam_user(user, uid);
        self.log
            .say(at, format_args!("su[{pid}]: (to root) {user} on pts/{pts}"));
        self.log.say(
            at + 700,
            format_args!(
                "su[{pid}]: pam_unix(su:session): session opened for user {root} by {actor}"
            ),
        );
        self.log.say(
            until,
            format_args!("su[{pid}]: pam_unix(su:session): session closed for user root"),
        );
    }

    /// A job that cron ran.
    pub(crate) fn cron(&mut self, rng: &mut Rng, at: At, user: &str, uid: i64) {
        // Jobs of one minute start together.
        let pid = self.pid(at) + uid % 89;
        let whom = self.pam_user(user, uid);
        self.log.say(
            at,
            format_args!(
                "CRON[{pid}]: pam_unix(cron:session): session opened for user {whom} by (uid=0)"
            ),
        );
        let end = at + rng.between(30_000, 2_500_000);
        self.log.say(
            end,
            format_args!("CRON[{pid}]: pam_unix(cron:session): session closed for user {user}"),
        );
    }

    /// A password that its owner changed.
    pub(crate) fn passwd(&mut self, at: At, user: &str) {
        let pid = self.pid(at);
        self.log.say(
            at,
            format_args!("passwd[{pid}]: pam_unix(passwd:chauthtok): password changed for {user}"),
        );
    }

    /// An account that an administrator made.
    pub(crate) fn useradd(&mut self, at: At, user: &str, uid: i64) {
        let pid = self.pid(at);
        self.log.say(
            at,
            format_args!("useradd[{pid}]: new group: name={user}, GID={uid}"),
        );
        self.log.say(at + 300, format_args!("useradd[{pid}]: new user: name={user}, UID={uid}, GID={uid}, home=/home/{user}, shell=/bin/bash, from=/dev/pts/0"));
    }
}
