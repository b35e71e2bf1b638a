//! `PostgreSQL`: `PREFIX LEVEL:  TEXT`, where the prefix is the administrator's
//! choice (`log_line_prefix`) and may hold the user's name and the address.
//!
//! A user called `198.51.100.1 x` makes the prefix `%u@%d` look like `%h %u@%d`.
//! The text names the user too, at its trusted end: with that the prefix is
//! read as the server wrote it.

use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::format::endpoint::{ANOTHER, Outcome, cut_only, verdict};
use crate::format::token::{Host, Peer, cut, cut_last, ip, number, port, say, trim_start};
use crate::format::{Format, Message, Parser, Verdict};

pub(in crate::format) static FORMAT: Format = Format {
    name: "postgres",
    about: "PostgreSQL: db_login, db_connection, db_disconnect, in syslog and its own log",
    programs: &["postgres", "postgresql", "postmaster"],
    logsources: &[LogSource {
        product: "postgresql",
        categories: &["database"],
        services: &["postgresql", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "2024-05-01 10:00:00.123 UTC [812] 192.0.2.7 alice@shop FATAL:  password authentication failed for user \"alice\"",
};

/// Level, how the texts that are read begin, and what reads them.
static TEXTS: &[(&[u8], &[u8], Read)] = &[
    (
        b"FATAL",
        b"password authentication failed for user \"",
        failed,
    ),
    (b"FATAL", b"no pg_hba.conf entry for ", no_entry),
    (b"FATAL", b"pg_hba.conf rejects connection for ", no_entry),
    (b"FATAL", b"role \"", no_role),
    (b"LOG", b"connection received: ", received),
    (b"LOG", b"connection authorized: user=", authorized),
    (b"LOG", b"disconnection: session time: ", disconnected),
];

/// Other ways to fail, all followed by the user.
const FAILED_FOR: &[u8] = b" authentication failed for user \"";

/// Reads a text; the user that it names.
type Read = for<'a> fn(&'a [u8], &mut Event<'a>) -> Result<Option<&'a [u8]>, &'static str>;

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    verdict(read(message.text, event))
}

fn read<'a>(text: &'a [u8], event: &mut Event<'a>) -> Outcome {
    // The first colon with two blanks is the level's, unless the prefix names a
    // user who has one, whom the text then names too.
    let (head, rest) = cut(text, b":  ").ok_or(ANOTHER)?;
    let rest = without_code(rest);
    let level = [&b"FATAL"[..], b"LOG"]
        .into_iter()
        .find(|level| head.ends_with(level))
        .ok_or(ANOTHER)?;
    let prefix = head.strip_suffix(level).ok_or(ANOTHER)?;
    let found = TEXTS
        .iter()
        .filter(|(first, ..)| *first == level)
        .find_map(|(_, first, read)| Some((rest.strip_prefix(*first)?, *read)));
    let (rest, read) = match found {
        Some(found) => found,
        None if level == b"FATAL" && memchr::memmem::find(rest, FAILED_FOR).is_some() => {
            (rest, failed_otherwise as Read)
        }
        None => return Err(ANOTHER),
    };
    if memchr::memmem::find(rest, b":  ").is_some() {
        return Err("more than one level that could be meant");
    }
    let user = read(rest, event)?;
    if let Some(user) = user {
        event.text(Field::USER_NAME, user);
    }
    if event.get(Field::SOURCE_IP).is_none()
        && let Some(peer) = address(prefix, user)
    {
        peer.set(event);
    }
    Ok(())
}

/// The text without `28P01: `, which `log_error_verbosity = verbose` adds.
fn without_code(text: &[u8]) -> &[u8] {
    let read = || {
        let (code, rest) = text.split_first_chunk::<5>()?;
        let sound = code
            .iter()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        rest.strip_prefix(b": ").filter(|_| sound)
    };
    read().unwrap_or(text)
}

/// `USER"`.
fn failed<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<Option<&'a [u8]>, &'static str> {
    let user = rest
        .strip_suffix(b"\"")
        .ok_or("no end of the user's name")?;
    say(event, "db_login", "failure", "authentication");
    Ok(Some(user))
}

/// `FATAL:  Ident authentication failed for user "USER"`.
fn failed_otherwise<'a>(
    rest: &'a [u8],
    event: &mut Event<'a>,
) -> Result<Option<&'a [u8]>, &'static str> {
    let (head, user) = cut_only(rest, FAILED_FOR).ok_or("no single user")?;
    let method = head;
    if method.contains(&b'"') {
        return Err(ANOTHER);
    }
    event.text(Field::AUTH_METHOD, method);
    failed(user, event)
}

/// `host "ADDRESS", user "U", database "D", no encryption`.
fn no_entry<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<Option<&'a [u8]>, &'static str> {
    say(event, "db_login", "failure", "authentication");
    event.text(
        Field::EVENT_REASON,
        b"no pg_hba.conf entry, or one that rejects",
    );
    let rest = rest
        .strip_prefix(b"replication connection from ")
        .unwrap_or(rest);
    let (host, rest) = match rest.strip_prefix(b"host \"") {
        Some(rest) => {
            let (host, rest) = cut(rest, b"\"").ok_or("no end of the host")?;
            (Some(host), rest)
        }
        None => (None, rest),
    };
    if let Some(host) = host.filter(|&host| host != b"[local]") {
        Host::read(host)
            .ok_or("neither address nor host name")?
            .set(event);
    }
    let user = rest.strip_prefix(b", user \"").and_then(|rest| {
        let (user, _) = cut_only(rest, b"\", database \"").or_else(|| cut_only(rest, b"\", "))?;
        Some(user)
    });
    Ok(user)
}

/// `USER" does not exist`.
fn no_role<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<Option<&'a [u8]>, &'static str> {
    let user = rest
        .strip_suffix(b"\" does not exist")
        .or_else(|| rest.strip_suffix(b"\" is not permitted to log in"))
        .ok_or(ANOTHER)?;
    say(event, "db_login", "failure", "authentication");
    event.text(Field::EVENT_REASON, b"invalid user");
    Ok(Some(user))
}

/// `host=H port=N`.
fn received<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<Option<&'a [u8]>, &'static str> {
    let rest = rest.strip_prefix(b"host=").ok_or("no host=")?;
    say(event, "db_connection", "unknown", "network");
    set_host_and_port(rest, event)?;
    Ok(None)
}

/// `U database=D[ application_name=…][ SSL enabled (…)]`.
fn authorized<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<Option<&'a [u8]>, &'static str> {
    let (user, rest) = cut_only(rest, b" database=").ok_or("no single database=")?;
    say(event, "db_login", "success", "authentication");
    let name = cut(rest, b" application_name=")
        .or_else(|| cut(rest, b" SSL enabled"))
        .map_or(rest, |(name, _)| name);
    event.text(Field::DB_NAME, name);
    Ok(Some(user))
}

/// `0:00:01.234 user=U database=D host=H[ port=N]`: the host is at the end.
fn disconnected<'a>(
    rest: &'a [u8],
    event: &mut Event<'a>,
) -> Result<Option<&'a [u8]>, &'static str> {
    let (head, host) = cut_last(rest, b" host=").ok_or("no host=")?;
    let (_, user) = cut(head, b" user=").ok_or("no user=")?;
    let (user, name) = cut_only(user, b" database=").ok_or("no single database=")?;
    say(event, "db_disconnect", "unknown", "session");
    event.text(Field::DB_NAME, name);
    set_host_and_port(host, event)?;
    Ok(Some(user))
}

/// `H[ port=N]`; `[local]` is the socket.
fn set_host_and_port<'a>(text: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (host, number) = match cut(text, b" port=") {
        Some((host, number)) => (host, Some(port(number).ok_or("the port is no number")?)),
        None => (text, None),
    };
    if host == b"[local]" {
        return Ok(());
    }
    Host::read(host)
        .ok_or("neither address nor host name")?
        .set(event);
    Peer {
        ip: None,
        port: number,
    }
    .set(event);
    Ok(())
}

/// The address in a prefix: before the stamp, or after it and before the
/// user's name, which is told by the text.
fn address(prefix: &[u8], user: Option<&[u8]>) -> Option<Peer> {
    let (first, _) = cut(prefix, b" ")?;
    if let Some(address) = ip(first) {
        return Some(Peer {
            ip: Some(address),
            port: None,
        });
    }
    let user = user?;
    let mut rest = after_stamp(prefix);
    // Up to two words of the server's own stand before the name.
    for _ in 0..3 {
        let named = rest
            .strip_prefix(user)
            .is_some_and(|rest| rest.starts_with(b"@"));
        if named || rest.is_empty() {
            return None;
        }
        let end = rest.iter().position(|&b| matches!(b, b' ' | b':'))?;
        let (word, after) = rest.split_at_checked(end)?;
        let after = after.get(1..)?;
        if let Some(peer) = with_port(word) {
            let named = after
                .strip_prefix(user)
                .is_some_and(|rest| rest.starts_with(b"@"));
            return named.then_some(peer);
        }
        rest = after;
    }
    None
}

/// `ADDRESS` or `ADDRESS(PORT)`, `%h` and `%r`.
fn with_port(word: &[u8]) -> Option<Peer> {
    let (address, number) = match word.strip_suffix(b")").and_then(|word| cut(word, b"(")) {
        Some((address, number)) => (address, Some(port(number)?)),
        None => (word, None),
    };
    Some(Peer {
        ip: Some(ip(address)?),
        port: number,
    })
}

/// A prefix without `[5-1] ` of syslog, stamp, zone and ` [pid] `.
fn after_stamp(prefix: &[u8]) -> &[u8] {
    let mut rest = prefix;
    // Sequence, date, clock, zone and pid.
    for _ in 0..6 {
        let end = rest.iter().position(|&b| matches!(b, b' ' | b':'));
        let Some((word, after)) = end.and_then(|end| rest.split_at_checked(end)) else {
            return rest;
        };
        let digits = |text: &[u8]| text.iter().all(|b| b.is_ascii_digit() || b"-.".contains(b));
        let own = match word {
            [b'[', inside @ .., b']'] => digits(inside),
            [b'A'..=b'Z', ..] => word.len() <= 5 && word.iter().all(u8::is_ascii_uppercase),
            _ => {
                digits(word) && number(word).is_some_and(|n| n < 100)
                    || is_date(word)
                    || is_seconds(word)
            }
        };
        if !own {
            return rest;
        }
        rest = trim_start(after.get(1..).unwrap_or_default());
    }
    rest
}

/// `2024-05-01`.
fn is_date(word: &[u8]) -> bool {
    matches!(word, [_, _, _, _, b'-', _, _, b'-', _, _])
        && word.iter().all(|b| b.is_ascii_digit() || *b == b'-')
}

/// `01.234`, the end of the clock.
fn is_seconds(word: &[u8]) -> bool {
    word.len() <= 10
        && word.get(2) == Some(&b'.')
        && word.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        && ip(word).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::endpoint::shown;

    #[test]
    fn a_name_that_begins_like_an_address_is_a_name() {
        for (text, expected) in [
            (
                r#"2024-05-01 10:00:00.1 UTC [7] 198.51.100.1 x@d FATAL:  password authentication failed for user "198.51.100.1 x""#,
                "db_login|failure|198.51.100.1 x|-|-",
            ),
            (
                r#"2024-05-01 10:00:00.1 UTC [7] 192.0.2.7 x@d FATAL:  password authentication failed for user "x""#,
                "db_login|failure|x|192.0.2.7|-",
            ),
            (
                r#"2024-05-01 10:00:00.1 UTC:192.0.2.7(22):x@d:[7]:FATAL:  password authentication failed for user "x""#,
                "db_login|failure|x|192.0.2.7|22",
            ),
            (
                "LOG:  connection received: host=192.0.2.7 port=22",
                "db_connection|unknown|-|192.0.2.7|22",
            ),
        ] {
            let (verdict, got) = shown(parse, "postgres", text);
            assert_eq!(
                (verdict, got.as_str()),
                (Verdict::Event, expected),
                "{text}"
            );
        }
    }

    #[test]
    fn two_levels_are_no_event() {
        let text = r#"[7] x FATAL:  password authentication failed for user "root"@d FATAL:  password authentication failed for user "x""#;
        assert!(
            matches!(shown(parse, "postgres", text).0, Verdict::Malformed(_)),
            "{text}"
        );
    }
}
