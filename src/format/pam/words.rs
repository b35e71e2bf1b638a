//! Modules that speak rarely, in their own words.

use crate::event::Event;
use crate::format::Verdict;
use crate::format::template::Table;

const FAILED: [&str; 3] = ["pam_authentication", "failure", "authentication"];
const PASSED: [&str; 3] = ["pam_authentication", "success", "authentication"];
const REFUSED: [&str; 3] = ["pam_account", "failure", "authentication"];
const LOCKED: [&str; 3] = ["pam_account_locked", "failure", "authentication"];
const UNLOCKED: [&str; 3] = ["pam_account_unlocked", "success", "authentication"];
const SECOND: [&str; 3] = ["pam_second_factor", "failure", "authentication"];
const SECOND_PASSED: [&str; 3] = ["pam_second_factor", "success", "authentication"];
const PASSWORD: [&str; 3] = ["pam_password_changed", "failure", "iam"];
const ASKED: [&str; 3] = ["pam_called", "unknown", "authentication"];

static PHRASES: Table = Table::new(&[
    // unix_chkpwd, which pam_unix asks where it may not read the shadow file.
    (
        FAILED,
        &[
            "password check failed for user ({user})",
            "could not obtain user info ({user})",
        ],
    ),
    (REFUSED, &["account {user} has password changed in future"]),
    (ASKED, &["password for user {user} will expire in {n} days"]),
    (
        PASSWORD,
        &[
            "user \"{user}\" does not exist in /etc/passwd",
            "user \"{user}\" does not exist in /etc/passwd or NIS",
            "Failed to find entry for user {user}.",
        ],
    ),
    // pam_tally, pam_tally2, pam_faillock, pam_lastlog.
    (
        LOCKED,
        &["user {user} ({n}) has time limit [{*}] since last failure."],
    ),
    (UNLOCKED, &["unlock time expired for user {user}"]),
    (
        ["pam_backend", "failure", "authentication"],
        &["Error opening the tally file for {user}: {reason}"],
    ),
    (REFUSED, &["user {user} inactive for {n} days - denied"]),
    // pam_succeed_if.
    (PASSED, &["requirement {reason} was met by user \"{user}\""]),
    (FAILED, &["error retrieving information about user {user}"]),
    // pam_winbind, pam_krb5, pam_radius_auth, nslcd.
    (
        FAILED,
        &[
            "internal module error (retval = {*}, user = '{user}')",
            "authentication failed for user {user}",
        ],
    ),
    (PASSED, &["authentication succeeded for user {user}"]),
    (
        FAILED,
        &[
            "authenticate: invalid user {user}",
            "[{w}] <authc=\"{user}\"> {*}: Invalid credentials",
            "[{w}] <authc=\"{user}\"> {*}: lookup failed: {reason}",
        ],
    ),
    // Second factors: pam_oath, pam_duo, pam_u2f, pam_yubico.
    (
        SECOND,
        &["One-time password not authorized to login as user '{user}'"],
    ),
    (
        SECOND_PASSED,
        &[
            "Skipped Duo login for '{user}' from {ip}: {reason}",
            "Skipped Duo login for '{user}': {reason}",
            "Failsafe Duo login for '{user}' from {ip}: {reason}",
        ],
    ),
    (
        SECOND,
        &[
            "Failed Duo login for '{user}' from {ip}: {reason}",
            "Aborted Duo login for '{user}' from {ip}: {reason}",
            "Aborted Duo login for '{user}': {reason}",
            "Error in Duo login for '{user}' from {ip}: {reason}",
            "Error in Duo login for '{user}': {reason}",
            "Couldn't authenticate user {user}",
        ],
    ),
    // pam_wheel, pam_rhosts, pam_securetty, pam_warn, pam_time.
    (PASSED, &["Access granted to '{user}' for '{target}'"]),
    (FAILED, &["denied access to {user}@{host} as {target}"]),
    (PASSED, &["allowed access to {user}@{host} as {target}"]),
    (REFUSED, &["access denied: tty '{tty}' is not secure !"]),
    (
        ASKED,
        &[
            "function=[{w}] flags={w} service=[{w}] terminal=[{tty}] user=[{user}] ruser=[{*}] rhost=[{host?}]",
        ],
    ),
    (
        SECOND,
        &["Too many concurrent login attempts (\"{*}\") for \"{user}\""],
    ),
]);

pub(super) fn read<'a>(text: &'a [u8], event: &mut Event<'a>) -> Verdict {
    PHRASES.read(text, event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_moves_nothing() {
        crate::format::template::tests::assert_hostile_text_moves_nothing(&PHRASES);
    }
}
