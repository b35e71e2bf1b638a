//! What sshd says more rarely: accounts that are locked or expired, TCP
//! wrappers' warnings, its debugging; and the words of sftp-server and Tectia.

use super::{before_auth, network};
use crate::event::Event;
use crate::format::Verdict;
use crate::format::template::Table;

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

static PHRASES: Table = Table::new(&[
    (
        INVALID,
        &[
            "input_userauth_request: invalid user {user}",
            "input_userauth_request: illegal user {user}",
            "invalid user {user} from {ip}",
            "User \"{user}\" does not exist",
        ],
    ),
    (
        REFUSED,
        &[
            "Access denied for user {user} by PAM account configuration",
            "Account {user} has expired",
            "User {user} password has expired ({reason})",
            "Login restricted for user {user}: {reason}",
            "Login restricted for {w}: {reason}",
            "Could not get shadow information for {user}",
            "Authentication refused for {user}: bad owner or modes for {*}",
            "Rhosts authentication refused for {user}: {reason}",
            "Root login refused for {user}",
            "{w}: Authentication tried for {user} with correct key but not from a permitted host (host={host?}, ip={ip}, required={*}).",
            "{w}: Authentication tried for {user} with correct key but not from a permitted host (host={host?}, ip={ip}).",
            "{w}: Authentication tried for {user} with valid certificate but not from a permitted source address ({ip}).",
        ],
    ),
    (
        METHOD,
        &[
            "Authorized to {user}, krb5 principal {*} (krb5_kuserok)",
            "Authorized to {user}, krb5 principal {*} (ssh_gssapi_krb5_cmdok)",
        ],
    ),
    (GONE, &["Connection to {ip} port {port} timed out"]),
    (
        ["ssh_listening", "failure", "configuration"],
        &["Bind to port {dport} on {to} failed: {reason}"],
    ),
    (
        FORWARD,
        &[
            "Received request from {ip} port {port} to remote forward to host {to} port {dport}, but the request was denied.",
            "Received request to remote forward to host {to} port {dport}, but the request was denied.",
        ],
    ),
    (REVERSE, &["Could not reverse map address {ip}."]),
    // TCP wrappers.
    (
        REVERSE,
        &[
            "warning: {*}: host name/address mismatch: {ip} != {host}",
            "warning: {*}: can't verify hostname: getaddrinfo({host}, AF_INET) failed",
            "warning: {*}: can't verify hostname: getaddrinfo({host}, AF_INET6) failed",
            "warning: {*}: can't verify hostname: gethostbyname({host}) failed",
        ],
    ),
    // sftp-server.
    (
        OPENED,
        &["session opened for local user {user} from [{ip}]"],
    ),
    (
        CLOSED,
        &["session closed for local user {user} from [{ip}]"],
    ),
    // Debugging.
    (CONNECTION, &["debug1: Connection from {ip} port {port}"]),
    (
        TRIED,
        &[
            "debug1: userauth-request for user {user} service ssh-connection method {w}",
            "debug1: PAM: initializing for \"{user}\"",
            "debug1: PAM: setting PAM_RHOST to \"{host}\"",
        ],
    ),
    // Junos.
    (
        FAILED,
        &[
            "SSHD_LOGIN_FAILED: Login failed for user '{user}' from host '{host}'",
            "SSHD_LOGIN_ATTEMPTS_THRESHOLD: Threshold for unsuccessful authentication attempts ({n}) reached by user '{user}'",
        ],
    ),
    // Tectia, and ssh2 before it.
    (
        CONNECTION,
        &[
            "connection from \"{host}\"",
            "Connection from {ip} on {to} port {dport}",
        ],
    ),
    (
        REVERSE,
        &[
            "DNS lookup failed for \"{ip}\".",
            "WARNING: DNS lookup failed for \"{ip}\".",
        ],
    ),
    (
        ACCEPTED,
        &[
            "User {user}, coming from {host}, authenticated.",
            "User {user}'s local password accepted.",
            "Password authentication for user {user} accepted.",
            "Public key authentication for user {user} accepted.",
        ],
    ),
    (
        FAILED,
        &[
            "Password authentication for user {user} failed.",
            "password authentication failed. Login to account {user} not allowed or account non-existent.",
        ],
    ),
    (GONE, &["Logout for user {user}."]),
]);

/// With `UseDNS` and patches, a name stands where the address was.
static NAMES: Table = Table::new(&[
    (
        ACCEPTED,
        &["Accepted {w} for {user} from {name} port {port} ssh2"],
    ),
    (
        FAILED,
        &[
            "Failed {w} for invalid user {user} from {name} port {port} ssh2",
            "Failed {w} for {user} from {name} port {port} ssh2",
            "Failed {w} for {user} from {name} port {port}",
        ],
    ),
    (
        INVALID,
        &[
            "Invalid user {user} from {name} port {port}",
            "Invalid user {user} from {name}",
            "Illegal user {user} from {name}",
        ],
    ),
    (
        BROKEN,
        &[
            "Did not receive identification string from {name}",
            "Connection closed by {name}",
        ],
    ),
    (
        REFUSED,
        &["User {user}, coming from {host}, not allowed because {reason}"],
    ),
]);

/// Reads a line of a known beginning that has a name where its shape wants an
/// address.
pub(super) fn read_named<'a>(text: &'a [u8], event: &mut Event<'a>) -> bool {
    NAMES.read(before_auth(text).0, event) == Verdict::Event
}

/// Reads what no shape begins like.
pub(super) fn read<'a>(text: &'a [u8], event: &mut Event<'a>) -> Verdict {
    match network::closed_connection(text, event) {
        Some(Ok(())) => return Verdict::Event,
        Some(Err(reason)) => return Verdict::Malformed(reason),
        None => {}
    }
    PHRASES.read(before_auth(text).0, event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_moves_nothing() {
        crate::format::template::tests::assert_hostile_text_moves_nothing(&PHRASES);
        crate::format::template::tests::assert_hostile_text_moves_nothing(&NAMES);
    }
}
