//! `OpenLDAP` and 389 Directory Server: `conn=N fd=N ACCEPT from IP=…`, `conn=N op=N BIND dn="…"`,
//! `conn=N op=N RESULT tag=97 err=49 text=`.
//!
//! The address stands only in the line that opens the connection, the name in
//! the one that asks: `session.id` is the connection's number, which joins them.

use super::endpoint::{ANOTHER, Outcome, set_destination, verdict, whole};
use super::template::Table;
use super::token::{cut, cut_last, number, say, trim_end};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "slapd",
    about: "OpenLDAP: ldap_connection, ldap_bind_request, ldap_bind (result), ldap_disconnect",
    programs: &["slapd", "ns-slapd"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["slapd", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 ldap1 slapd[812]: conn=1022 fd=21 ACCEPT from IP=192.0.2.7:45011 (IP=0.0.0.0:636)",
};

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let found = message
        .text
        .strip_prefix(b"conn=")
        .and_then(|rest| cut(rest, b" "))
        .filter(|(connection, _)| number(connection).is_some());
    match found {
        Some((connection, rest)) => verdict(read(connection, rest, event)),
        None => Verdict::NotMine,
    }
}

fn read<'a>(connection: &'a [u8], rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    // `fd=N` or `op=N`, the server's own.
    let (place, rest) = cut(rest, b" ").ok_or(ANOTHER)?;
    if !place.starts_with(b"fd=") && !place.starts_with(b"op=") {
        return Err(ANOTHER);
    }
    if let Some(rest) = rest.strip_prefix(b"ACCEPT from ") {
        accept(rest, event)?;
    } else if let Some(rest) = rest.strip_prefix(b"BIND ") {
        bind(rest, event)?;
    } else if let Some(rest) = rest.strip_prefix(b"RESULT tag=97 err=") {
        result(rest, event)?;
    } else if let Some((code, _)) = rest
        .strip_prefix(b"RESULT err=")
        .and_then(|rest| cut(rest, b" tag=97 "))
    {
        bound(number(code).ok_or("err= is no number")?, &[], event);
    } else if let Verdict::Event = DIRECTORY_SERVER.read(rest, event) {
    } else if rest.starts_with(b"closed") {
        say(event, "ldap_disconnect", "unknown", "session");
    } else {
        return Err(ANOTHER);
    }
    event.text(Field::SESSION_ID, connection);
    Ok(())
}

/// `IP=ADDRESS:PORT (IP=ADDRESS:PORT)`; a socket is `PATH=…`.
fn accept(rest: &[u8], event: &mut Event<'_>) -> Outcome {
    let (source, here) = cut(rest, b" ").ok_or("no address that was connected to")?;
    let Some(source) = source.strip_prefix(b"IP=") else {
        return Err(ANOTHER);
    };
    let source = whole(source).ok_or("no address")?;
    say(event, "ldap_connection", "unknown", "network");
    source.set(event);
    let here = here
        .strip_prefix(b"(IP=")
        .and_then(|here| here.strip_suffix(b")"))
        .and_then(whole);
    if let Some(here) = here {
        set_destination(here, event);
    }
    Ok(())
}

/// `dn="NAME" method=128`, `anonymous mech=…`; the name is the client's, what
/// follows its last quote is not.
fn bind<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let Some(rest) = rest.strip_prefix(b"dn=\"") else {
        return Err(ANOTHER);
    };
    let (name, tail) = cut_last(rest, b"\" ").ok_or("no end of the name")?;
    if tail.starts_with(b"mech=") {
        // Said once more when it worked, with the name that it came to.
        say(event, "ldap_bind_request", "success", "authentication");
        let method = tail.get(5..).unwrap_or_default();
        event.text(
            Field::AUTH_METHOD,
            cut(method, b" ").map_or(method, |(method, _)| method),
        );
    } else if tail.starts_with(b"method=") {
        say(event, "ldap_bind_request", "unknown", "authentication");
    } else {
        return Err("neither method= nor mech=");
    }
    if !name.is_empty() {
        event.text(Field::USER_NAME, name);
    }
    Ok(())
}

/// `49[ qtime=…][ etime=…] text=…`: 97 is LDAP's tag of a bind's answer.
fn result<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (code, rest) = cut(rest, b" ").ok_or("no text=")?;
    let code = number(code).ok_or("err= is no number")?;
    let words = cut(rest, b"text=").map_or(&[][..], |(_, text)| trim_end(text));
    bound(code, words, event);
    Ok(())
}

/// Of 389 Directory Server, which puts the slot before the words.
static DIRECTORY_SERVER: Table = Table::new(&[
    (
        ["ldap_connection", "unknown", "network"],
        &[
            "slot={n} connection from {src} to {dst}",
            "slot={n} SSL connection from {src} to {dst}",
            "slot={n} LDAPI connection from {*}",
        ],
    ),
    (
        ["ldap_disconnect", "unknown", "session"],
        &[
            "fd={n} closed - {*}",
            "fd={n} closed error {*}",
            "fd={n} Disconnect - {*}",
        ],
    ),
]);

fn bound<'a>(code: i64, words: &'a [u8], event: &mut Event<'a>) {
    // 14: the bind needs more steps (RFC 4511, 4.1.9).
    let (action, outcome) = match code {
        0 => ("ldap_bind", "success"),
        14 => ("ldap_bind_request", "unknown"),
        _ => ("ldap_bind", "failure"),
    };
    say(event, action, outcome, "authentication");
    let reason = match code {
        32 => &b"no such object"[..],
        48 => b"inappropriate authentication",
        49 => b"invalid credentials",
        50 => b"insufficient access rights",
        53 => b"unwilling to perform",
        _ => words,
    };
    if !reason.is_empty() && outcome == "failure" {
        event.text(Field::EVENT_REASON, reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::endpoint::shown;

    #[test]
    fn the_answer_to_a_bind_is_its_outcome() {
        for (text, expected) in [
            (
                "conn=1 fd=2 ACCEPT from IP=[2001:db8::7]:22 (IP=[::]:389)",
                "ldap_connection|unknown|-|2001:db8::7|22",
            ),
            (
                "conn=1 op=0 RESULT tag=97 err=49 text=",
                "ldap_bind|failure|-|-|-",
            ),
            (
                "conn=1 op=0 RESULT tag=97 err=0 text=",
                "ldap_bind|success|-|-|-",
            ),
        ] {
            let (verdict, got) = shown(parse, "slapd", text);
            assert_eq!(
                (verdict, got.as_str()),
                (Verdict::Event, expected),
                "{text}"
            );
        }
    }
}
