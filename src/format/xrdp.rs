//! xrdp and its session manager, through syslog and in their own log file.
//!
//! The user name is the remote side's, may hold anything, and stands before
//! the address, which is taken from the end of the line.

use bumpalo::Bump;

use super::shape::Shape::{Read, Takes};
use super::shape::{self, ANOTHER, Shape, set_user};
use super::token::{Host, Peer, cut, ip, joined_peer, last_word, number, peer_at_end, port, say};
use super::{Context, Format, Message, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

const LOGSOURCES: &[LogSource] = &[LogSource {
    product: "linux",
    categories: &[],
    services: &["xrdp", "auth", "syslog"],
}];

pub(super) static FORMAT: Format = Format {
    name: "xrdp",
    about: "xrdp, remote desktop: logins (rdp_login), sessions, connections",
    programs: &["xrdp", "xrdp-sesman", "xrdp-sesexec", "xrdp-sessvc"],
    logsources: LOGSOURCES,
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 xrdp-sesman[812]: [INFO ] AUTHFAIL: user=alice ip=192.0.2.7 time=1714557600",
};

pub(super) static LOG: Format = Format {
    name: "xrdp-log",
    about: "xrdp.log and xrdp-sesman.log, its own files",
    programs: &[],
    logsources: LOGSOURCES,
    parse: Parser::Line(parse_line),
    example: "[20240501-10:00:00] [INFO ] AUTHFAIL: user=alice ip=192.0.2.7 time=1714557600",
};

static SHAPES: &[(&[u8], Shape)] = &[
    (b"AUTHFAIL: ", Read(failed)),
    (b"login failed for user ", Takes(shown_failure)),
    (b"login successful for user ", Takes(shown_success)),
    (
        b"Username or password error for user: ",
        Takes(bad_password),
    ),
    (b"Access permitted for user: ", Takes(permitted)),
    (b"Access denied for user: ", Takes(denied)),
    (
        b"created session (access granted): username ",
        Read(session),
    ),
    (b"created session: username ", Read(session)),
    (
        b"++ created session (access granted): username ",
        Read(session),
    ),
    (b"++ created session: username ", Read(session)),
    (b"++ reconnected session: username ", Read(session)),
    (b"Created session: ", Read(new_session)),
    (b"++ terminated session:  username ", Read(terminated)),
    (b"Socket ", Read(socket)),
    (b"TCP connection accepted from ", Read(accepted)),
    (b"TLS connection established from ", Read(established)),
    (b"Non-TLS connection established from ", Read(established)),
    (b"A connection received from: ", Read(received)),
    (
        b"An established connection closed to endpoint: ",
        Read(closed),
    ),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = without_level(message.text).unwrap_or(message.text);
    shape::read(SHAPES, without_function(text), event)
}

/// `[20240501-10:00:00] [INFO ] text`.
fn parse_line<'a>(
    line: &'a [u8],
    context: &'a Context,
    _arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let Some((time, rest)) = timestamp::compact(line, context) else {
        return Verdict::NotMine;
    };
    let Some(text) = rest.strip_prefix(b" ").and_then(without_level) else {
        return Verdict::NotMine;
    };
    event.time = Some(time);
    let text = super::token::trim_end(text);
    event.text(Field::MESSAGE, text);
    let envelope = event.values().len();
    let verdict = shape::read(SHAPES, without_function(text), event);
    if verdict != Verdict::Event {
        event.truncate(envelope);
    }
    verdict
}

/// `[INFO ] `.
fn without_level(text: &[u8]) -> Option<&[u8]> {
    let (level, rest) = cut(text.strip_prefix(b"[")?, b"] ")?;
    let known = [
        &b"INFO"[..],
        b"DEBUG",
        b"WARN",
        b"WARNING",
        b"ERROR",
        b"CORE",
        b"TRACE",
    ];
    known
        .contains(&super::token::trim_end(level))
        .then_some(rest)
}

/// Debug builds name the function: `[auth_userpass(verify_user_pam.c:364)] `;
/// what the window shows to the user is logged under its own name.
fn without_function(text: &[u8]) -> &[u8] {
    let bare = text
        .strip_prefix(b"[")
        .and_then(|rest| cut(rest, b"] "))
        .filter(|(function, _)| function.ends_with(b")") && !function.contains(&b' '))
        .map_or(text, |(_, rest)| rest);
    bare.strip_prefix(b"xrdp_wm_log_msg: ").unwrap_or(bare)
}

/// `user=U ip=A time=T`.
fn failed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "rdp_login", "failure", "authentication");
    let (head, time) = last_word(text);
    time.strip_prefix(b"time=")
        .and_then(number)
        .ok_or("no time=")?;
    let (head, address) = last_word(head);
    let address = address.strip_prefix(b"ip=").ok_or("no ip=")?;
    let user = head.strip_prefix(b"user=").ok_or("no user=")?;
    set_user(user, event);
    match ip(address) {
        Some(ip) => event.set(Field::SOURCE_IP, Value::Ip(ip)),
        // A connection over a local socket.
        None if matches!(address, b"" | b"unknown" | b"UNIX") => {}
        None => return Err("ip= is not an address"),
    }
    Ok(())
}

/// What xrdp shows in its window after sesman has refused: the same attempt
/// again, so it has a name of its own.
fn shown_failure<'a>(user: &'a [u8], event: &mut Event<'a>) {
    say(event, "rdp_login_shown", "failure", "authentication");
    set_user(user, event);
}

fn shown_success<'a>(user: &'a [u8], event: &mut Event<'a>) {
    say(event, "rdp_login_shown", "success", "authentication");
    set_user(
        cut(user, b" on display ").map_or(user, |(user, _)| user),
        event,
    );
}

/// sesman says so before `AUTHFAIL`, which counts.
fn bad_password<'a>(user: &'a [u8], event: &mut Event<'a>) {
    say(event, "rdp_authentication", "failure", "authentication");
    event.text(Field::EVENT_REASON, b"user name or password error");
    set_user(user, event);
}

fn permitted<'a>(user: &'a [u8], event: &mut Event<'a>) {
    say(event, "rdp_authentication", "success", "authentication");
    set_user(user, event);
}

fn denied<'a>(user: &'a [u8], event: &mut Event<'a>) {
    say(event, "rdp_not_allowed", "failure", "authentication");
    set_user(user, event);
}

/// `U, ip A:P - socket: 12`, `U, display :10.0, session_pid 812, ip A:P - socket: 12`.
fn session<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "rdp_login", "success", "authentication");
    let (user, rest) = cut(text, b", ").ok_or("no end of the user")?;
    set_user(user, event);
    from(rest, event)
}

/// `session_pid 812, username U, display :10.0, ip A`.
fn new_session<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (_, rest) = cut(text, b"username ").ok_or(ANOTHER)?;
    session(rest, event)
}

fn terminated<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "rdp_session_closed", "success", "session");
    let (user, rest) = cut(text, b", ").ok_or("no end of the user")?;
    set_user(user, event);
    from(rest, event)
}

/// `…ip ADDRESS[ - socket: N]`: the user exists, so what follows is xrdp's.
fn from<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let Some(rest) = text
        .strip_prefix(b"ip ")
        .or_else(|| cut(text, b", ip ").map(|(_, rest)| rest))
    else {
        return Ok(());
    };
    address(cut(rest, b" - socket").map_or(rest, |(ip, _)| ip), event)
}

/// `A`, `A:P`, `A port P`, `[A]:P`, or `UNIX:…` for a socket of this machine.
fn address<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    if text.is_empty() || text.starts_with(b"UNIX") {
        return Ok(());
    }
    if let Some((head, peer)) = peer_at_end(text)
        && head.is_empty()
    {
        peer.set(event);
        return Ok(());
    }
    // `::1:50022` is both; xrdp prints addresses of IPv6 in brackets, or bare.
    if let Some(ip) = ip(text) {
        Host::Ip(ip).set(event);
        return Ok(());
    }
    joined_peer(text).ok_or("not an address")?.set(event);
    Ok(())
}

/// `12: AF_INET6 connection received from A port P`, `12: connection accepted from AF_INET A:P`.
fn socket<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (_, rest) = cut(text, b": ").ok_or(ANOTHER)?;
    let (_, from) = cut(rest, b"connection received from ")
        .or_else(|| cut(rest, b"connection accepted from "))
        .ok_or(ANOTHER)?;
    let from = [&b"AF_INET "[..], b"AF_INET6 "]
        .iter()
        .find_map(|family| from.strip_prefix(*family))
        .unwrap_or(from);
    if rest.starts_with(b"AF_UNIX") || from.starts_with(b"AF_UNIX") {
        return Err(ANOTHER);
    }
    accepted(from, event)
}

fn accepted<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "connection", "success", "network");
    address(text, event)
}

fn received<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    accepted(cut(text, b" - socket").map_or(text, |(ip, _)| ip), event)
}

fn closed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "rdp_disconnect", "unknown", "session");
    address(cut(text, b" - socket").map_or(text, |(ip, _)| ip), event)
}

/// `A port P: TLSv1.3 with cipher …`, `A port P: encryption level: high`.
fn established<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "connection", "success", "network");
    let (address, rest) = cut(text, b" port ").ok_or("no port")?;
    let (number, rest) = cut(rest, b": ").ok_or("nothing after the port")?;
    let peer = Peer {
        ip: Some(ip(address).ok_or("not an address")?),
        port: Some(port(number).ok_or("not a port")?),
    };
    peer.set(event);
    if let Some((_, cipher)) = cut(rest, b" with cipher ") {
        event.text(Field::TLS_CIPHER, cipher);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_last_one_whatever_the_user_is_called() {
        let fields = [
            Field::EVENT_ACTION,
            Field::EVENT_OUTCOME,
            Field::USER_NAME,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
        ];
        for (text, expected) in [
            (
                "[INFO ] AUTHFAIL: user=x ip=198.51.100.1 time=1 ip=::ffff:192.0.2.7 time=1714557600",
                "rdp_login|failure|x ip=198.51.100.1 time=1|192.0.2.7|-",
            ),
            (
                "[INFO ] xrdp_wm_log_msg: login failed for user x ip=198.51.100.1 time=1",
                "rdp_login_shown|failure|x ip=198.51.100.1 time=1|-|-",
            ),
            (
                "[INFO ] ++ created session (access granted): username alice, ip 192.0.2.7:50022 - socket: 12",
                "rdp_login|success|alice|192.0.2.7|50022",
            ),
            (
                "[INFO ] Created session: session_pid 812, username alice, display :10.0, ip ::ffff:192.0.2.7",
                "rdp_login|success|alice|192.0.2.7|-",
            ),
            (
                "[INFO ] Socket 12: AF_INET6 connection received from ::ffff:192.0.2.7 port 50022",
                "connection|success|-|192.0.2.7|50022",
            ),
            (
                "[INFO ] [xrdp_sec_incoming(xrdp_sec.c:2420)] TLS connection established from 192.0.2.7 port 50022: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384",
                "connection|success|-|192.0.2.7|50022",
            ),
        ] {
            assert_eq!(
                shape::shown(&FORMAT, "xrdp", text, &fields),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_failure_without_address_is_malformed() {
        let verdict = |text| shape::shown(&FORMAT, "xrdp-sesman", text, &[]).0;
        assert!(matches!(
            verdict("[INFO ] AUTHFAIL: user=x ip=nowhere time=1"),
            Verdict::Malformed(_)
        ));
        assert_eq!(
            verdict("[INFO ] n[20220407-12:16:59] [INFO ] AUTHFAIL: user=x"),
            Verdict::NotMine
        );
    }
}
