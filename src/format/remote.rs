//! Logins and connections of the old remote services (telnet, rlogin, rsh,
//! rexec), of VNC servers, and what TCP wrappers say in any program.

use super::template::Table;
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};

pub(super) static FORMAT: Format = Format {
    name: "remote",
    about: "telnetd, rlogind, rshd, rexecd, VNC servers and TCP wrappers: remote_login, connection",
    programs: &[
        "telnetd",
        "in.telnetd",
        "utelnetd",
        "rlogind",
        "in.rlogind",
        "rshd",
        "in.rshd",
        "rexecd",
        "in.rexecd",
        "in.fingerd",
        "in.tftpd",
        "tftpd",
        "tcpd",
        "rpcbind",
        "portmap",
        "rpc.mountd",
        "mountd",
        "popa3d",
        "vsftpd",
        "proftpd",
        "ftpd",
        "in.ftpd",
        "slapd",
        "Xvnc",
        "Xtigervnc",
        "x0vncserver",
        "vncserver-x11",
        "vncserver",
        "vncserver-virtual",
        "xvnc",
        "x11vnc",
        "vino-server",
        "krfb",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["remote", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 host1 in.telnetd[812]: connect from 192.0.2.7",
};

const OPENED: [&str; 3] = ["connection", "unknown", "network"];
const REFUSED: [&str; 3] = ["connection", "failure", "network"];
const ENDED: [&str; 3] = ["connection_end", "unknown", "network"];
const LOGIN: [&str; 3] = ["remote_login", "success", "authentication"];
const FAILED: [&str; 3] = ["remote_login", "failure", "authentication"];
const REVERSE: [&str; 3] = ["reverse_mapping", "failure", "network"];

static PHRASES: Table = Table::new(&[
    // TCP wrappers, in whatever program is linked with them.
    (
        OPENED,
        &[
            "connect from {host}",
            "connect from {host} ({ip})",
            "connect from {user}@{host}",
            "connect from {user}@{host} ({ip})",
        ],
    ),
    (
        REFUSED,
        &[
            "refused connect from {host}",
            "refused connect from {host} ({ip})",
            "refused connect from {user}@{host}",
            "refused connect from {user}@{host} ({ip})",
        ],
    ),
    (
        REVERSE,
        &[
            "warning: {*}: host name/address mismatch: {ip} != {host}",
            "warning: {*}: host name/name mismatch: {host} != {*}",
        ],
    ),
    // rlogind, rshd, rexecd.
    (REFUSED, &["Connection from {ip} on illegal port"]),
    (OPENED, &["Connection from {user}@{host} for {target}"]),
    (
        FAILED,
        &["{user}@{host} as {target}: permission denied ({reason}). cmd='{command}'"],
    ),
    (
        LOGIN,
        &[
            "{user}@{host} as {target}: cmd='{command}'",
            "login from {ip} as {user}",
        ],
    ),
    (
        FAILED,
        &[
            "LOGIN FAILURE from {host}, {user}",
            "LOGIN REFUSED from {host}, {user}",
            "login refused from {host}, {user}",
        ],
    ),
    // tftpd: what is asked for is the remote's.
    (
        OPENED,
        &["RRQ from {ip} filename {*}", "WRQ from {ip} filename {*}"],
    ),
    (REFUSED, &["connection refused from {ip}"]),
    // TigerVNC and RealVNC; x11vnc.
    (
        OPENED,
        &[
            "Connections: accepted: {ip}::{port}",
            "Connections: accepted: [{ip}]::{port}",
        ],
    ),
    (
        ENDED,
        &[
            "Connections: closed: {ip}::{port} ({reason})",
            "Connections: closed: [{ip}]::{port} ({reason})",
            "Connections: closed: {ip}::{port}",
        ],
    ),
    (
        REFUSED,
        &[
            "Connections: blacklisted: {ip}",
            "Connections: blocked: {ip}",
            "Connections: rejected: {ip}::{port} ({*}): {reason}",
        ],
    ),
    (OPENED, &["Connections: connected: {ip}::{port} (TCP)"]),
    (
        LOGIN,
        &["Connections: authenticated: {ip}::{port} (TCP), as {user} ({*} permissions)"],
    ),
    (
        ENDED,
        &["Connections: disconnected: {ip}::{port} (TCP) ({reason})"],
    ),
    (OPENED, &["Got connection from client {ip}"]),
    (ENDED, &["Client {ip} gone"]),
]);

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    PHRASES.read(message.text, event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_moves_nothing() {
        crate::format::template::tests::assert_hostile_text_moves_nothing(&PHRASES);
    }
}
