//! The older FTP daemons of the BSD family: wu-ftpd, MIT's gssftpd, inetutils.
//!
//! `… FROM HOST [ADDRESS], USER`: the host comes before the user's name.

use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::format::endpoint::{ANOTHER, Outcome, Shape, by_beginning, named, set_source};
use crate::format::template::Table;
use crate::format::token::{Host, Peer, cut, say};
use crate::format::{Format, Message, Parser, Verdict};

pub(in crate::format) static FORMAT: Format = Format {
    name: "ftpd",
    about: "wu-ftpd, gssftpd and other BSD ftpd: ftp_login, ftp_connection, ftp_max_attempts",
    programs: &[
        "ftpd",
        "wu-ftpd",
        "in.ftpd",
        "gssftpd",
        "lukemftpd",
        "tnftpd",
        "inetutils-ftpd",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["ftpd", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 ftp1 wu-ftpd[812]: failed login from mail.example [192.0.2.7]",
};

static SHAPES: &[Shape] = &[
    (b"failed login from ", failed),
    (b"repeated login failures from ", repeated),
    (b"FTP LOGIN FROM ", login),
    (b"ANONYMOUS FTP LOGIN FROM ", login),
    (b"FTP LOGIN REFUSED (", refused),
    (b"FTP LOGIN FAILED (", refused),
    (b"connection from ", connection),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let before = event.values().len();
    match by_beginning(SHAPES, message.text, event) {
        Verdict::Event => Verdict::Event,
        // The BSDs' own daemons print one host, without brackets.
        other => {
            event.truncate(before);
            match PHRASES.read(message.text, event) {
                Verdict::NotMine => other,
                verdict => verdict,
            }
        }
    }
}

const LOGIN: [&str; 3] = ["ftp_login", "success", "authentication"];
const FAILED: [&str; 3] = ["ftp_login", "failure", "authentication"];
const OPENED: [&str; 3] = ["ftp_connection", "unknown", "network"];
const TOO_MANY: [&str; 3] = ["ftp_max_attempts", "failure", "authentication"];
const TRANSFER: [&str; 3] = ["ftp_transfer", "success", "file"];

static PHRASES: Table = Table::new(&[
    (
        OPENED,
        &["connection from {host}", "connection from {host} to {to}"],
    ),
    (
        LOGIN,
        &[
            "FTP LOGIN FROM {host} as {user} (class: {*}, type: {*})",
            "FTP LOGIN FROM {host} as {user}",
            "FTP LOGIN FROM {host}, {user}",
            "ANONYMOUS FTP LOGIN FROM {host}, {user}",
            "ANONYMOUS FTP LOGIN FROM {host} as {user}",
        ],
    ),
    (
        FAILED,
        &[
            "FTP LOGIN FAILED FROM {host}, {user}",
            "FTP LOGIN FAILED FROM {host} as {user}",
            "FTP LOGIN REFUSED FROM {host}, {user}",
            "FTP LOGIN REFUSED FROM {host} as {user}",
            "ANONYMOUS FTP LOGIN REFUSED FROM {host}",
            "FTP LOGIN REFUSED ({reason}) FROM {host}, {user}",
            "login failed from {host} [{ip}]",
            "login failed from {host}",
        ],
    ),
    (TOO_MANY, &["repeated login failures from {host}"]),
    (
        FAILED,
        &[
            "ACCESS DENIED ({reason}) TO {host} [{ip}]",
            "User {user} login access denied",
        ],
    ),
    (OPENED, &["User {user} timed out after {n} seconds at {*}"]),
    (TRANSFER, &["get {*} = {n} bytes", "put {*} = {n} bytes"]),
]);

/// `HOST [ADDRESS][, USER]`.
fn failed<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    say(event, "ftp_login", "failure", "authentication");
    host_and_user(rest, event)
}

fn login<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    say(event, "ftp_login", "success", "authentication");
    host_and_user(rest, event)
}

/// `REASON) FROM HOST [ADDRESS], USER`: the reasons are a list of the daemon's own.
fn refused<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (reason, rest) = cut(rest, b") FROM ").ok_or("no host")?;
    say(event, "ftp_login", "failure", "authentication");
    event.text(Field::EVENT_REASON, reason);
    host_and_user(rest, event)
}

fn host_and_user<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer, rest) = named(rest).ok_or("no host and address")?;
    let user = match rest {
        b"" => None,
        _ => Some(rest.strip_prefix(b", ").ok_or("more after the address")?),
    };
    if let Some(user) = user {
        event.text(Field::USER_NAME, user);
    }
    set_source(name, peer, event);
    Ok(())
}

/// `ADDRESS (HOST)` of gssftpd, `HOST [ADDRESS]` of wu-ftpd.
fn repeated<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer) = either_order(rest).ok_or("no host and address")?;
    say(event, "ftp_max_attempts", "failure", "authentication");
    set_source(name, peer, event);
    Ok(())
}

fn connection<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer) = either_order(rest).ok_or(ANOTHER)?;
    say(event, "ftp_connection", "unknown", "network");
    set_source(name, peer, event);
    Ok(())
}

fn either_order(text: &[u8]) -> Option<(Option<Host<'_>>, Peer)> {
    if let Some((name, peer, b"")) = named(text) {
        return Some((name, peer));
    }
    let (first, second) = cut(text.strip_suffix(b")")?, b" (")?;
    let (first, second) = (Host::read(first)?, Host::read(second)?);
    match (first, second) {
        (Host::Ip(address), name) | (name @ Host::Name(_), Host::Ip(address)) => Some((
            Some(name),
            Peer {
                ip: Some(address),
                port: None,
            },
        )),
        (Host::Name(_), Host::Name(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_moves_nothing() {
        crate::format::template::tests::assert_hostile_text_moves_nothing(&PHRASES);
    }
}
