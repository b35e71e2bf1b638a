//! `FreeRADIUS`: `Login incorrect (REASON): [USER/…] (from client NAS port N cli ID)`.
//!
//! The user's name is the client's; the access server's name is from the
//! configuration and comes after it, so there must be only one place for it.

use super::endpoint::{ANOTHER, Outcome, cut_only, verdict};
use super::template::Table;
use super::token::{Peer, cut, cut_last, ip, number, say, trim_start};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "radiusd",
    about: "FreeRADIUS: radius_login, in syslog and radius.log",
    programs: &["radiusd", "freeradius"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["radiusd", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "Mon Jun  3 10:00:00 2024 : Auth: (7) Login incorrect (mschap: MS-CHAP2-Response is incorrect): [alice/<via Auth-Type = mschap>] (from client wifi1 port 0 cli 02-00-5E-10-00-07)",
};

/// What happened, by how the text begins, and the outcome.
const VERBS: &[(&[u8], &str)] = &[
    (b"Login OK", "success"),
    (b"Login incorrect", "failure"),
    (b"Invalid user", "failure"),
    (b"Multiple logins", "failure"),
    (b"Rejected in post-auth", "failure"),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = message.text;
    let text = text
        .strip_prefix(b"Auth: ")
        .or_else(|| text.strip_prefix(b"Info: "))
        .unwrap_or(text);
    let found = VERBS
        .iter()
        .find_map(|(verb, outcome)| Some((after_number(text).strip_prefix(*verb)?, *outcome)));
    match found {
        Some((rest, outcome)) => verdict(read(rest, outcome, event)),
        None => TABLE.read(text.strip_prefix(b"Error: ").unwrap_or(text), event),
    }
}

/// Who may not ask at all, and who does not know the secret.
static TABLE: Table = Table::new(&[(
    ["radius_request", "failure", "network"],
    &[
        "Ignoring request to {*} from unknown client {src} port {port} proto {w}",
        "Ignoring request to {*} from unknown client {src} port {port}",
        "Received packet from {src} with invalid Message-Authenticator!  {*}",
        "Dropping packet without response because of error: Received packet from {src} with invalid Message-Authenticator!  {*}",
    ],
)]);

/// `(7) `, the request's number.
fn after_number(text: &[u8]) -> &[u8] {
    let rest = text
        .strip_prefix(b"(")
        .and_then(|rest| cut(rest, b")"))
        .and_then(|(n, rest)| number(n).map(|_| rest));
    trim_start(rest.unwrap_or(text))
}

/// `[ (REASON)]: [USER] (from client NAS port N[ cli ID][ via TLS tunnel])`.
fn read<'a>(rest: &'a [u8], outcome: &'static str, event: &mut Event<'a>) -> Outcome {
    let (reason, rest) = match rest.strip_prefix(b" (") {
        Some(rest) => {
            let (reason, rest) = cut(rest, b"): [").ok_or("no user")?;
            (Some(reason), rest)
        }
        None => (None, rest.strip_prefix(b": [").ok_or(ANOTHER)?),
    };
    let (user, tail) = cut_only(rest, b"] (from client ").ok_or("no single access server")?;
    let (nas, tail) = cut(tail, b" port ").ok_or("no port of the access server")?;
    say(event, "radius_login", outcome, "authentication");
    event.text(Field::USER_NAME, without_password(user));
    if let Some(reason) = reason {
        event.text(Field::EVENT_REASON, reason);
    }
    event.text(Field::RADIUS_CLIENT, nas);
    let tail = cut(tail, b")").map_or(tail, |(tail, _)| tail);
    let station = cut(tail, b" cli ").map(|(_, station)| station);
    let station = station.map(|station| cut(station, b" via ").map_or(station, |(id, _)| id));
    if let Some(station) = station.filter(|station| !station.is_empty()) {
        // A VPN's server sends the address as the calling station, others a MAC.
        match ip(station) {
            Some(address) => Peer {
                ip: Some(address),
                port: None,
            }
            .set(event),
            None => event.text(Field::SOURCE_MAC, station),
        }
    }
    Ok(())
}

/// `USER/<via Auth-Type = X>` or, if the administrator wants passwords logged,
/// `USER/PASSWORD`; a machine is `host/NAME`.
fn without_password(user: &[u8]) -> &[u8] {
    if let Some((user, _)) = cut_last(user, b"/<via ") {
        return user;
    }
    if let Some((user, _)) = cut_last(user, b"/<no User-Password attribute>") {
        return user;
    }
    let skip = if user.starts_with(b"host/") { 5 } else { 0 };
    match memchr::memchr(b'/', user.get(skip..).unwrap_or_default()) {
        Some(at) => user.get(..skip + at).unwrap_or(user),
        None => user,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::endpoint::shown;

    #[test]
    fn a_logged_password_is_not_part_of_the_name() {
        for (text, expected) in [
            (
                "Login incorrect: [a/hunter2] (from client n port 0 cli 192.0.2.7)",
                "radius_login|failure|a|192.0.2.7|-",
            ),
            (
                "Auth: (7) Login OK: [host/pc/<via Auth-Type = EAP>] (from client n port 0)",
                "radius_login|success|host/pc|-|-",
            ),
        ] {
            let (verdict, got) = shown(parse, "radiusd", text);
            assert_eq!(
                (verdict, got.as_str()),
                (Verdict::Event, expected),
                "{text}"
            );
        }
    }

    #[test]
    fn two_access_servers_are_none() {
        let text = "Login incorrect: [a] (from client x port 0 cli 198.51.100.1)] (from client n port 0 cli 192.0.2.7)";
        assert!(
            matches!(shown(parse, "radiusd", text).0, Verdict::Malformed(_)),
            "{text}"
        );
    }
}
