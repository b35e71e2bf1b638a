//! Logins and connections of the old remote services (telnet, rlogin, rsh,
//! rexec), of VNC servers, and what TCP wrappers say in any program.

use super::phrase::{self, Phrase, phrase};
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
const ALLOWED: [&str; 3] = ["connection", "success", "network"];
const ENDED: [&str; 3] = ["connection_end", "unknown", "network"];
const LOGIN: [&str; 3] = ["remote_login", "success", "authentication"];
const FAILED: [&str; 3] = ["remote_login", "failure", "authentication"];
const REVERSE: [&str; 3] = ["reverse_mapping", "failure", "network"];

static PHRASES: &[Phrase] = &[
    // TCP wrappers, in whatever program is linked with them.
    phrase("connect from {host}", OPENED),
    phrase("connect from {host} ({ip})", OPENED),
    phrase("connect from {user}@{host}", OPENED),
    phrase("connect from {user}@{host} ({ip})", OPENED),
    phrase("refused connect from {host}", REFUSED),
    phrase("refused connect from {host} ({ip})", REFUSED),
    phrase("refused connect from {user}@{host}", REFUSED),
    phrase("refused connect from {user}@{host} ({ip})", REFUSED),
    phrase(
        "connect from {ip} to {any}: request from unauthorized host",
        REFUSED,
    ),
    phrase("connect from {ip} to {any}", OPENED),
    phrase(
        "warning: {any}: host name/address mismatch: {ip} != {host}",
        REVERSE,
    ),
    phrase(
        "warning: {any}: host name/name mismatch: {host} != {any}",
        REVERSE,
    ),
    // rpc.mountd.
    phrase(
        "authenticated mount request from {ip}:{port} for {any}",
        ALLOWED,
    ),
    phrase(
        "authenticated unmount request from {ip}:{port} for {any}",
        ENDED,
    ),
    phrase(
        "refused mount request from {ip} for {any}: {reason}",
        REFUSED,
    ),
    phrase(
        "refused unmount request from {ip} for {any}: {reason}",
        REFUSED,
    ),
    // rlogind, rshd, rexecd.
    phrase("Connection from {ip} on illegal port", REFUSED),
    phrase("Connection from {user}@{host} for {target}", OPENED),
    phrase(
        "{user}@{host} as {target}: permission denied ({reason}). cmd='{command}'",
        FAILED,
    ),
    phrase("{user}@{host} as {target}: cmd='{command}'", LOGIN),
    phrase("login from {ip} as {user}", LOGIN),
    phrase("LOGIN FAILURE from {host}, {user}", FAILED),
    phrase("LOGIN REFUSED from {host}, {user}", FAILED),
    phrase("login refused from {host}, {user}", FAILED),
    // tftpd: what is asked for is the remote's.
    phrase("RRQ from {ip} filename {any}", OPENED),
    phrase("WRQ from {ip} filename {any}", OPENED),
    phrase("connection refused from {ip}", REFUSED),
    // TigerVNC and RealVNC; x11vnc.
    phrase("Connections: accepted: {ip}::{port}", OPENED),
    phrase("Connections: accepted: [{ip}]::{port}", OPENED),
    phrase("Connections: closed: {ip}::{port} ({reason})", ENDED),
    phrase("Connections: closed: [{ip}]::{port} ({reason})", ENDED),
    phrase("Connections: closed: {ip}::{port}", ENDED),
    phrase("Connections: blacklisted: {ip}", REFUSED),
    phrase("Connections: blocked: {ip}", REFUSED),
    phrase(
        "Connections: rejected: {ip}::{port} ({any}): {reason}",
        REFUSED,
    ),
    phrase("Connections: connected: {ip}::{port} (TCP)", OPENED),
    phrase(
        "Connections: authenticated: {ip}::{port} (TCP), as {user} ({any} permissions)",
        LOGIN,
    ),
    phrase(
        "Connections: disconnected: {ip}::{port} (TCP) ({reason})",
        ENDED,
    ),
    phrase("Got connection from client {ip}", OPENED),
    phrase("Client {ip} gone", ENDED),
    // popa3d.
    phrase("Authentication failed for {user}", FAILED),
    phrase("Authentication passed for {user}", LOGIN),
    phrase("Session from {ip}", OPENED),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    phrase::read(PHRASES, message.text, event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_moves_nothing() {
        phrase::assert_hostile_text_moves_nothing(PHRASES);
    }
}
