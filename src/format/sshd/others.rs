//! What sshd says more rarely: accounts that are locked or expired, TCP
//! wrappers' warnings, its debugging; and the words of sftp-server and Tectia.

use super::{before_auth, network};
use crate::event::Event;
use crate::format::Verdict;
use crate::format::phrase::{self, Phrase, phrase};

const INVALID: [&str; 3] = ["ssh_invalid_user", "failure", "authentication"];
const REFUSED: [&str; 3] = ["ssh_not_allowed", "failure", "authentication"];
const FAILED: [&str; 3] = ["ssh_login", "failure", "authentication"];
const ACCEPTED: [&str; 3] = ["ssh_login", "success", "authentication"];
const METHOD: [&str; 3] = ["ssh_key_found", "success", "authentication"];
const TRIED: [&str; 3] = ["ssh_login_pending", "unknown", "authentication"];
const REVERSE: [&str; 3] = ["ssh_reverse_mapping", "failure", "network"];
const CONNECTION: [&str; 3] = ["ssh_connection", "unknown", "network"];
const BROKEN: [&str; 3] = ["ssh_preauth_close", "failure", "network"];
const GONE: [&str; 3] = ["ssh_disconnect", "unknown", "session"];
const FORWARD: [&str; 3] = ["ssh_forward", "failure", "network"];
const OPENED: [&str; 3] = ["sftp_session_opened", "success", "session"];
const CLOSED: [&str; 3] = ["sftp_session_closed", "success", "session"];

static PHRASES: &[Phrase] = &[
    phrase("input_userauth_request: invalid user {user}", INVALID),
    phrase("input_userauth_request: illegal user {user}", INVALID),
    phrase("invalid user {user} from {ip}", INVALID),
    phrase("User \"{user}\" does not exist", INVALID),
    phrase(
        "Access denied for user {user} by PAM account configuration",
        REFUSED,
    ),
    phrase("Account {user} has expired", REFUSED),
    phrase("User {user} password has expired ({reason})", REFUSED),
    phrase("Login restricted for user {user}: {reason}", REFUSED),
    phrase("Login restricted for {word}: {reason}", REFUSED),
    phrase("Could not get shadow information for {user}", REFUSED),
    phrase(
        "Authentication refused for {user}: bad owner or modes for {any}",
        REFUSED,
    ),
    phrase(
        "Rhosts authentication refused for {user}: {reason}",
        REFUSED,
    ),
    phrase("Root login refused for {user}", REFUSED),
    phrase(
        "{word}: Authentication tried for {user} with correct key but not from a permitted host (host={host?}, ip={ip}, required={any}).",
        REFUSED,
    ),
    phrase(
        "{word}: Authentication tried for {user} with correct key but not from a permitted host (host={host?}, ip={ip}).",
        REFUSED,
    ),
    phrase(
        "{word}: Authentication tried for {user} with valid certificate but not from a permitted source address ({ip}).",
        REFUSED,
    ),
    phrase(
        "Authorized to {user}, krb5 principal {any} (krb5_kuserok)",
        METHOD,
    ),
    phrase(
        "Authorized to {user}, krb5 principal {any} (ssh_gssapi_krb5_cmdok)",
        METHOD,
    ),
    phrase("Connection to {ip} port {port} timed out", GONE),
    phrase(
        "Bind to port {to-port} on {to} failed: {reason}",
        ["ssh_listening", "failure", "configuration"],
    ),
    phrase(
        "Received request from {ip} port {port} to remote forward to host {to} port {to-port}, but the request was denied.",
        FORWARD,
    ),
    phrase(
        "Received request to remote forward to host {to} port {to-port}, but the request was denied.",
        FORWARD,
    ),
    phrase("Could not reverse map address {ip}.", REVERSE),
    // TCP wrappers.
    phrase(
        "warning: {any}: host name/address mismatch: {ip} != {host}",
        REVERSE,
    ),
    phrase(
        "warning: {any}: can't verify hostname: getaddrinfo({host}, AF_INET) failed",
        REVERSE,
    ),
    phrase(
        "warning: {any}: can't verify hostname: getaddrinfo({host}, AF_INET6) failed",
        REVERSE,
    ),
    phrase(
        "warning: {any}: can't verify hostname: gethostbyname({host}) failed",
        REVERSE,
    ),
    // sftp-server.
    phrase("session opened for local user {user} from [{ip}]", OPENED),
    phrase("session closed for local user {user} from [{ip}]", CLOSED),
    // Debugging.
    phrase("debug1: Connection from {ip} port {port}", CONNECTION),
    phrase(
        "debug1: userauth-request for user {user} service ssh-connection method {word}",
        TRIED,
    ),
    phrase("debug1: PAM: initializing for \"{user}\"", TRIED),
    phrase("debug1: PAM: setting PAM_RHOST to \"{host}\"", TRIED),
    // Junos.
    phrase(
        "SSHD_LOGIN_FAILED: Login failed for user '{user}' from host '{host}'",
        FAILED,
    ),
    phrase(
        "SSHD_LOGIN_ATTEMPTS_THRESHOLD: Threshold for unsuccessful authentication attempts ({number}) reached by user '{user}'",
        FAILED,
    ),
    // Tectia, and ssh2 before it.
    phrase("connection from \"{host}\"", CONNECTION),
    phrase("Connection from {ip} on {to} port {to-port}", CONNECTION),
    phrase("DNS lookup failed for \"{ip}\".", REVERSE),
    phrase("WARNING: DNS lookup failed for \"{ip}\".", REVERSE),
    phrase("User {user}, coming from {host}, authenticated.", ACCEPTED),
    phrase("User {user}'s local password accepted.", ACCEPTED),
    phrase(
        "Password authentication for user {user} accepted.",
        ACCEPTED,
    ),
    phrase(
        "Public key authentication for user {user} accepted.",
        ACCEPTED,
    ),
    phrase("Password authentication for user {user} failed.", FAILED),
    phrase(
        "password authentication failed. Login to account {user} not allowed or account non-existent.",
        FAILED,
    ),
    phrase("Logout for user {user}.", GONE),
];

/// With `UseDNS` and patches, a name stands where the address was.
static NAMES: &[Phrase] = &[
    phrase(
        "Accepted {word} for {user} from {name} port {port} ssh2",
        ACCEPTED,
    ),
    phrase(
        "Failed {word} for invalid user {user} from {name} port {port} ssh2",
        FAILED,
    ),
    phrase(
        "Failed {word} for {user} from {name} port {port} ssh2",
        FAILED,
    ),
    phrase("Failed {word} for {user} from {name} port {port}", FAILED),
    phrase("Invalid user {user} from {name} port {port}", INVALID),
    phrase("Invalid user {user} from {name}", INVALID),
    phrase("Illegal user {user} from {name}", INVALID),
    phrase("Did not receive identification string from {name}", BROKEN),
    phrase("Connection closed by {name}", BROKEN),
    phrase(
        "User {user}, coming from {host}, not allowed because {reason}",
        REFUSED,
    ),
];

/// Reads a line of a known beginning that has a name where its shape wants an
/// address.
pub(super) fn read_named<'a>(text: &'a [u8], event: &mut Event<'a>) -> bool {
    phrase::read(NAMES, before_auth(text).0, event) == Verdict::Event
}

/// Reads what no shape begins like.
pub(super) fn read<'a>(text: &'a [u8], event: &mut Event<'a>) -> Verdict {
    match network::closed_connection(text, event) {
        Some(Ok(())) => return Verdict::Event,
        Some(Err(reason)) => return Verdict::Malformed(reason),
        None => {}
    }
    phrase::read(PHRASES, before_auth(text).0, event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_moves_nothing() {
        phrase::assert_hostile_text_moves_nothing(PHRASES);
        phrase::assert_hostile_text_moves_nothing(NAMES);
    }
}
