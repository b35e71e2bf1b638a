//! Logins to appliances and hypervisors: `RouterOS`, ESXi and vCenter, Proxmox,
//! Synology, QNAP, TACACS+ servers.
//!
//! `RouterOS` puts its topics where others have the program's name.

use super::phrase::{self, Phrase, phrase};
use super::token::cut;
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};

pub(super) static FORMAT: Format = Format {
    name: "appliance",
    about: "RouterOS, ESXi, vCenter, Proxmox, Synology, QNAP, tac_plus: device_login, device_logout",
    programs: &[
        "system,*",
        "routeros",
        "MikroTik",
        "hostd",
        "Hostd",
        "hostd-probe",
        "vpxd",
        "vpxd-main",
        "Vpxa",
        "vpxa",
        "vobd",
        "vmauthd",
        "pvedaemon",
        "pveproxy",
        "pmgdaemon",
        "pmgproxy",
        "proxmox-backup-proxy",
        "proxmox-backup-api",
        "Connection",
        "synoconnection",
        "System",
        "qlogd",
        "mgd",
        "login",
        "tac_plus",
        "tac_plus-ng",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["appliance", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 router1 system,error,critical login failure for user admin from 192.0.2.7 via ssh",
};

const LOGIN: [&str; 3] = ["device_login", "success", "authentication"];
const FAILED: [&str; 3] = ["device_login", "failure", "authentication"];
const LOGOUT: [&str; 3] = ["device_logout", "success", "session"];
const BLOCKED: [&str; 3] = ["device_host_blocked", "failure", "network"];
const OPENED: [&str; 3] = ["connection", "unknown", "network"];
const TASK: [&str; 3] = ["device_task", "unknown", "process"];

static PHRASES: &[Phrase] = &[
    // `RouterOS`; the place may be a hardware address.
    phrase("login failure for user {user} from {ip} via {word}", FAILED),
    phrase(
        "login failure for user {user} from {word} via {word}",
        FAILED,
    ),
    phrase("user {user} logged in from {ip} via {word}", LOGIN),
    phrase("user {user} logged in from {word} via {word}", LOGIN),
    phrase("user {user} logged out from {ip} via {word}", LOGOUT),
    phrase("user {user} logged out from {word} via {word}", LOGOUT),
    // ESXi and vCenter.
    phrase("Accepted password for user {user} from {ip}", LOGIN),
    phrase("Rejected password for user {user} from {ip}", FAILED),
    phrase(
        "Event {number} : User {user}@{ip} logged in as {any}",
        LOGIN,
    ),
    phrase("Event {number} : Cannot login {user}@{ip}", FAILED),
    phrase(
        "Event {number} : Cannot login user {user}@{ip}: {reason}",
        FAILED,
    ),
    phrase("Event {number} : User {user}@{ip} logged out {any}", LOGOUT),
    phrase("Event [{any}] [Cannot login {user}@{ip}]", FAILED),
    phrase("Event [{any}] [User {user}@{ip} logged in as {any}]", LOGIN),
    phrase("Event [{any}] [User {user}@{ip} logged out {any}]", LOGOUT),
    phrase(
        "[{word}] {word}: [{word}.ssh.session.opened] SSH session was opened for '{user}@{ip}'.",
        LOGIN,
    ),
    phrase(
        "[{word}] {word}: [{word}.ssh.session.closed] SSH session was closed for '{user}@{ip}'.",
        LOGOUT,
    ),
    phrase(
        "[{word}] {word}: [{word}] Remote access for ESXi local user account '{user}' has been locked for {any}",
        BLOCKED,
    ),
    phrase("login from {ip} as {user}", LOGIN),
    // Proxmox VE, Mail Gateway, Backup Server.
    phrase(
        "authentication failure; rhost={host?} user={user} msg={reason}",
        FAILED,
    ),
    phrase(
        "authentication failure; rhost={peer} user={user} msg={reason}",
        FAILED,
    ),
    phrase("<{any}> successful auth for user '{user}'", LOGIN),
    phrase("successful auth for user '{user}'", LOGIN),
    phrase("<{user}> starting task UPID:{reason}", TASK),
    phrase("<{user}> end task UPID:{reason}", TASK),
    // Synology DSM.
    phrase(
        "User [{user}] from [{ip}] failed to log in via [{any}] due to {reason}.",
        FAILED,
    ),
    phrase(
        "User [{user}] from [{ip}] failed to sign in to [{any}] via [{any}] due to {reason}.",
        FAILED,
    ),
    phrase(
        "User [{user}] from [{ip}] logged in successfully via [{any}].",
        LOGIN,
    ),
    phrase("User [{user}] logged in from [{ip}] via [{any}].", LOGIN),
    phrase(
        "User [{user}] from [{ip}] signed in to [{any}] successfully via [{any}].",
        LOGIN,
    ),
    phrase(
        "User [{user}] from [{ip}] logged out the server via [{any}] with {any}.",
        LOGOUT,
    ),
    phrase(
        "User [{user}] from [{ip}] signed out of [{any}] via [{any}].",
        LOGOUT,
    ),
    phrase("Host [{ip}] was blocked via [{any}].", BLOCKED),
    phrase("Host [{ip}] was blocked by [{any}].", BLOCKED),
    // QNAP.
    phrase(
        "conn log: Users: {user}, Source IP: {ip}, Computer name: {any}, Connection type: {any}, Accessed resources: {any}, Action: Login Fail",
        FAILED,
    ),
    phrase(
        "conn log: Users: {user}, Source IP: {ip}, Computer name: {any}, Connection type: {any}, Accessed resources: {any}, Action: Login OK",
        LOGIN,
    ),
    phrase(
        "conn log: Users: {user}, Source IP: {ip}, Computer name: {any}, Connection type: {any}, Accessed resources: {any}, Action: Logout",
        LOGOUT,
    ),
    phrase(
        "conn log: Users: {user}, Source IP: {ip}, Computer name: {any}, Connection type: {any}, Accessed resources: {any}, Action: {reason}",
        OPENED,
    ),
    phrase(
        "event log: Users: {user}, Source IP: {ip}, Computer name: {any}, Content: {reason}",
        TASK,
    ),
    // Junos.
    phrase(
        "UI_LOGIN_EVENT: User '{user}' login, class '{any}' [{number}], ssh-connection '{ip} {port} {to} {to-port}', client-mode '{any}'",
        LOGIN,
    ),
    phrase(
        "UI_LOGIN_EVENT: User '{user}' login, class '{any}' [{number}], {any}",
        LOGIN,
    ),
    phrase("UI_LOGOUT_EVENT: User '{user}' logout", LOGOUT),
    phrase(
        "LOGIN_FAILED: Login failed for user '{user}' from host '{host}'",
        FAILED,
    ),
    phrase(
        "LOGIN_INFORMATION: User {user} logged in from host {host} on device {tty}",
        LOGIN,
    ),
    // TACACS+.
    phrase("connect from {host} [{ip}]", OPENED),
    phrase("login failure: {user} {host} ({ip}) {tty}", FAILED),
    phrase("login success: {user} {host} ({ip}) {tty}", LOGIN),
    phrase("login query for '{user}' {tty} from {host} accepted", LOGIN),
    phrase(
        "login query for '{user}' {tty} from {host} rejected",
        FAILED,
    ),
    phrase(
        "enable query for '{user}' {tty} from {host} accepted",
        LOGIN,
    ),
    phrase(
        "enable query for '{user}' {tty} from {host} rejected",
        FAILED,
    ),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    phrase::read(PHRASES, without_originator(message.text), event)
}

/// ESXi and vCenter say first which part of them speaks: `[info hostd[812]
/// ][Originator@6876 sub=Vimsvc opID=1a2b] `, with no blank after another `]`.
fn without_originator(text: &[u8]) -> &[u8] {
    let head = text.get(..80).unwrap_or(text);
    memchr::memmem::find(head, b"[Originator@6876 ")
        .and_then(|at| cut(text.get(at..)?, b"] "))
        .map_or(text, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_moves_nothing() {
        phrase::assert_hostile_text_moves_nothing(PHRASES);
    }
}
