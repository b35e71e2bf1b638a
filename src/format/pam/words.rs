//! Modules that speak rarely, in their own words.

use crate::event::Event;
use crate::format::Verdict;
use crate::format::phrase::{self, Phrase, phrase};

const FAILED: [&str; 3] = ["pam_authentication", "failure", "authentication"];
const PASSED: [&str; 3] = ["pam_authentication", "success", "authentication"];
const REFUSED: [&str; 3] = ["pam_account", "failure", "authentication"];
const LOCKED: [&str; 3] = ["pam_account_locked", "failure", "authentication"];
const UNLOCKED: [&str; 3] = ["pam_account_unlocked", "success", "authentication"];
const SECOND: [&str; 3] = ["pam_second_factor", "failure", "authentication"];
const SECOND_PASSED: [&str; 3] = ["pam_second_factor", "success", "authentication"];
const PASSWORD: [&str; 3] = ["pam_password_changed", "failure", "iam"];
const ASKED: [&str; 3] = ["pam_called", "unknown", "authentication"];

static PHRASES: &[Phrase] = &[
    // unix_chkpwd, which pam_unix asks where it may not read the shadow file.
    phrase("password check failed for user ({user})", FAILED),
    phrase("could not obtain user info ({user})", FAILED),
    phrase("account {user} has password changed in future", REFUSED),
    phrase(
        "password for user {user} will expire in {number} days",
        ASKED,
    ),
    phrase("user \"{user}\" does not exist in /etc/passwd", PASSWORD),
    phrase(
        "user \"{user}\" does not exist in /etc/passwd or NIS",
        PASSWORD,
    ),
    phrase("Failed to find entry for user {user}.", PASSWORD),
    // pam_tally, pam_tally2, pam_faillock, pam_lastlog.
    phrase(
        "user {user} ({number}) has time limit [{any}] since last failure.",
        LOCKED,
    ),
    phrase("unlock time expired for user {user}", UNLOCKED),
    phrase(
        "Error opening the tally file for {user}: {reason}",
        ["pam_backend", "failure", "authentication"],
    ),
    phrase("user {user} inactive for {number} days - denied", REFUSED),
    // pam_succeed_if.
    phrase("requirement {reason} was met by user \"{user}\"", PASSED),
    phrase("error retrieving information about user {user}", FAILED),
    // pam_winbind, pam_krb5, pam_radius_auth, nslcd.
    phrase(
        "internal module error (retval = {any}, user = '{user}')",
        FAILED,
    ),
    phrase("authentication failed for user {user}", FAILED),
    phrase("authentication succeeded for user {user}", PASSED),
    phrase("authenticate: invalid user {user}", FAILED),
    phrase(
        "[{word}] <authc=\"{user}\"> {any}: Invalid credentials",
        FAILED,
    ),
    phrase(
        "[{word}] <authc=\"{user}\"> {any}: lookup failed: {reason}",
        FAILED,
    ),
    // Second factors: pam_oath, pam_duo, pam_u2f, pam_yubico.
    phrase(
        "One-time password not authorized to login as user '{user}'",
        SECOND,
    ),
    phrase(
        "Skipped Duo login for '{user}' from {ip}: {reason}",
        SECOND_PASSED,
    ),
    phrase("Skipped Duo login for '{user}': {reason}", SECOND_PASSED),
    phrase(
        "Failsafe Duo login for '{user}' from {ip}: {reason}",
        SECOND_PASSED,
    ),
    phrase("Failed Duo login for '{user}' from {ip}: {reason}", SECOND),
    phrase("Aborted Duo login for '{user}' from {ip}: {reason}", SECOND),
    phrase("Aborted Duo login for '{user}': {reason}", SECOND),
    phrase(
        "Error in Duo login for '{user}' from {ip}: {reason}",
        SECOND,
    ),
    phrase("Error in Duo login for '{user}': {reason}", SECOND),
    phrase("Couldn't authenticate user {user}", SECOND),
    // pam_wheel, pam_rhosts, pam_securetty, pam_warn, pam_time.
    phrase("Access granted to '{user}' for '{target}'", PASSED),
    phrase("denied access to {user}@{host} as {target}", FAILED),
    phrase("allowed access to {user}@{host} as {target}", PASSED),
    phrase("access denied: tty '{tty}' is not secure !", REFUSED),
    phrase(
        "function=[{word}] flags={word} service=[{word}] terminal=[{tty}] user=[{user}] ruser=[{any}] rhost=[{host?}]",
        ASKED,
    ),
    phrase(
        "Too many concurrent login attempts (\"{any}\") for \"{user}\"",
        SECOND,
    ),
];

pub(super) fn read<'a>(text: &'a [u8], event: &mut Event<'a>) -> Verdict {
    phrase::read(PHRASES, text, event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_moves_nothing() {
        phrase::assert_hostile_text_moves_nothing(PHRASES);
    }
}
