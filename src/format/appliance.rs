//! Logins to appliances and hypervisors: ESXi and vCenter, Proxmox, Synology,
//! QNAP, TACACS+ servers.

use super::template::Table;
use super::token::cut;
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};

pub(super) static FORMAT: Format = Format {
    name: "appliance",
    about: "ESXi, vCenter, Proxmox, Synology, QNAP, tac_plus: device_login, device_logout",
    programs: &[
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
        "tac_plus",
        "tac_plus-ng",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["appliance", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 esx1 Hostd: info hostd[812] [Originator@6876 sub=Vimsvc.ha-eventmgr opID=1a2b] Event 17 : Cannot login root@192.0.2.7",
};

const LOGIN: [&str; 3] = ["device_login", "success", "authentication"];
const FAILED: [&str; 3] = ["device_login", "failure", "authentication"];
const LOGOUT: [&str; 3] = ["device_logout", "success", "session"];
const BLOCKED: [&str; 3] = ["device_host_blocked", "failure", "network"];
const OPENED: [&str; 3] = ["connection", "unknown", "network"];
const TASK: [&str; 3] = ["device_task", "unknown", "process"];

static PHRASES: Table = Table::new(&[
    // ESXi and vCenter.
    (LOGIN, &["Accepted password for user {user} from {ip}"]),
    (FAILED, &["Rejected password for user {user} from {ip}"]),
    (LOGIN, &["Event {n} : User {user}@{ip} logged in as {*}"]),
    (
        FAILED,
        &[
            "Event {n} : Cannot login {user}@{ip}",
            "Event {n} : Cannot login user {user}@{ip}: {reason}",
        ],
    ),
    (LOGOUT, &["Event {n} : User {user}@{ip} logged out {*}"]),
    (FAILED, &["Event [{*}] [Cannot login {user}@{ip}]"]),
    (LOGIN, &["Event [{*}] [User {user}@{ip} logged in as {*}]"]),
    (LOGOUT, &["Event [{*}] [User {user}@{ip} logged out {*}]"]),
    (
        LOGIN,
        &["[{w}] {w}: [{w}.ssh.session.opened] SSH session was opened for '{user}@{ip}'."],
    ),
    (
        LOGOUT,
        &["[{w}] {w}: [{w}.ssh.session.closed] SSH session was closed for '{user}@{ip}'."],
    ),
    (
        BLOCKED,
        &[
            "[{w}] {w}: [{w}] Remote access for ESXi local user account '{user}' has been locked for {*}",
        ],
    ),
    (LOGIN, &["login from {ip} as {user}"]),
    // Proxmox VE, Mail Gateway, Backup Server.
    (
        FAILED,
        &[
            "authentication failure; rhost={host?} user={user} msg={reason}",
            "authentication failure; rhost={peer} user={user} msg={reason}",
        ],
    ),
    (
        LOGIN,
        &[
            "<{*}> successful auth for user '{user}'",
            "successful auth for user '{user}'",
        ],
    ),
    (
        TASK,
        &[
            "<{user}> starting task UPID:{reason}",
            "<{user}> end task UPID:{reason}",
        ],
    ),
    // Synology DSM.
    (
        FAILED,
        &[
            "User [{user}] from [{ip}] failed to log in via [{*}] due to {reason}.",
            "User [{user}] from [{ip}] failed to sign in to [{*}] via [{*}] due to {reason}.",
        ],
    ),
    (
        LOGIN,
        &[
            "User [{user}] from [{ip}] logged in successfully via [{*}].",
            "User [{user}] logged in from [{ip}] via [{*}].",
            "User [{user}] from [{ip}] signed in to [{*}] successfully via [{*}].",
        ],
    ),
    (
        LOGOUT,
        &[
            "User [{user}] from [{ip}] logged out the server via [{*}] with {*}.",
            "User [{user}] from [{ip}] signed out of [{*}] via [{*}].",
        ],
    ),
    (
        BLOCKED,
        &[
            "Host [{ip}] was blocked via [{*}].",
            "Host [{ip}] was blocked by [{*}].",
        ],
    ),
    // QNAP.
    (
        FAILED,
        &[
            "conn log: Users: {user}, Source IP: {ip}, Computer name: {*}, Connection type: {*}, Accessed resources: {*}, Action: Login Fail",
        ],
    ),
    (
        LOGIN,
        &[
            "conn log: Users: {user}, Source IP: {ip}, Computer name: {*}, Connection type: {*}, Accessed resources: {*}, Action: Login OK",
        ],
    ),
    (
        LOGOUT,
        &[
            "conn log: Users: {user}, Source IP: {ip}, Computer name: {*}, Connection type: {*}, Accessed resources: {*}, Action: Logout",
        ],
    ),
    (
        OPENED,
        &[
            "conn log: Users: {user}, Source IP: {ip}, Computer name: {*}, Connection type: {*}, Accessed resources: {*}, Action: {reason}",
        ],
    ),
    (
        TASK,
        &["event log: Users: {user}, Source IP: {ip}, Computer name: {*}, Content: {reason}"],
    ),
    // TACACS+.
    (OPENED, &["connect from {host} [{ip}]"]),
    (FAILED, &["login failure: {user} {host} ({ip}) {tty}"]),
    (
        LOGIN,
        &[
            "login success: {user} {host} ({ip}) {tty}",
            "login query for '{user}' {tty} from {host} accepted",
        ],
    ),
    (
        FAILED,
        &["login query for '{user}' {tty} from {host} rejected"],
    ),
    (
        LOGIN,
        &["enable query for '{user}' {tty} from {host} accepted"],
    ),
    (
        FAILED,
        &["enable query for '{user}' {tty} from {host} rejected"],
    ),
]);

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    PHRASES.read(without_originator(message.text), event)
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
        crate::format::template::tests::assert_hostile_text_moves_nothing(&PHRASES);
    }
}
