//! Apache httpd: its error log of 2.2 and 2.4, and its access log where it
//! logs through syslog.
//!
//! `[stamp] [module:level] [pid N:tid N] (errno)text: [client A] AHnnnnn: …`.
//! The client stands before everything that it chose, so the line is read
//! from its beginning, and what looks like another client later is text.

use std::net::IpAddr;

use super::http::target;
use super::token::{cut, cut_last, ip, number, once, say, some};
use super::{Context, Format, Parser, Verdict, access, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "apache",
    about: "Apache httpd's error log, and its access log through syslog: http_error, http_login, http_denied, alert, server_message",
    programs: &[
        "httpd",
        "apache2",
        "apache",
        "apache-error",
        "apache-access",
    ],
    logsources: &[
        LogSource {
            product: "apache",
            categories: &[],
            services: &["apache", "error"],
        },
        access::WEBSERVER,
    ],
    parse: Parser::Text(parse),
    example: "[Mon May 06 08:00:00.123456 2024] [auth_basic:error] [pid 12:tid 34] [client 192.0.2.7:50022] AH01618: user bob not found: /admin",
};

/// The levels of `LogLevel`, without the numbers of trace.
const LEVELS: [&[u8]; 9] = [
    b"emerg", b"alert", b"crit", b"error", b"warn", b"notice", b"info", b"debug", b"trace",
];

fn parse<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    let Some(rest) = text.strip_prefix(b"[") else {
        return accessed(text, context, event);
    };
    let (time, rest) = match timestamp::bracketed(rest, context) {
        Some((time, rest)) => match rest.strip_prefix(b"] [") {
            Some(rest) => (Some(time), rest),
            None => return accessed(text, context, event),
        },
        None => (None, rest),
    };
    let Some((module, level, rest)) = cut(rest, b"] ").and_then(|(group, rest)| {
        let (module, level) = match cut(group, b":") {
            Some((module, level)) => (Some(module), level),
            None => (None, group),
        };
        let name = match level {
            [b't', b'r', b'a', b'c', b'e', b'1'..=b'8'] => level.get(..5)?,
            _ => level,
        };
        LEVELS.contains(&name).then_some((module, level, rest))
    }) else {
        return Verdict::NotMine;
    };
    if time.is_none() && event.get(Field::PROCESS_NAME).is_none() {
        // Without a stamp it is Apache's only where an envelope says so.
        return Verdict::NotMine;
    }
    if event.time.is_none() {
        event.time = time;
    }
    some(event, Field::LOG_LEVEL, level);
    some(event, Field::SERVICE_NAME, module.unwrap_or_default());
    let (rest, numbered) = ids(rest, event);
    let newer = numbered || module.is_some();
    match message(rest, newer, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

fn accessed<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    let verdict = access::parse(text, context, event);
    if verdict != Verdict::NotMine {
        event.class.kind = 1;
    }
    verdict
}

/// `[pid 12:tid 34] `: what follows it, and whether it was there.
fn ids<'a>(text: &'a [u8], event: &mut Event<'a>) -> (&'a [u8], bool) {
    let Some((group, rest)) = text
        .strip_prefix(b"[pid ")
        .and_then(|rest| cut(rest, b"] "))
    else {
        return (text, false);
    };
    let (pid, thread) = cut(group, b":tid ").unwrap_or((group, b""));
    if let Some(pid) = number(pid) {
        once(event, Field::PROCESS_PID, Value::Int(pid));
    }
    if let Some(thread) = number(thread) {
        event.set(Field::PROCESS_THREAD_ID, Value::Int(thread));
    }
    (rest, true)
}

fn message<'a>(text: &'a [u8], newer: bool, event: &mut Event<'a>) -> Result<(), &'static str> {
    let Some(rest) = to_client(text) else {
        let said = coded(text, event);
        say(event, "server_message", "unknown", "web");
        some(event, Field::EVENT_REASON, said);
        return Ok(());
    };
    let (group, rest) = cut(rest, b"]").ok_or("the client's bracket does not end")?;
    // An IPv6 address has its own brackets where a port follows it.
    let (group, rest) = match rest.first() {
        Some(b':') if group.starts_with(b"[") => {
            let (port, rest) = cut(rest, b"]").ok_or("the client's bracket does not end")?;
            let length = group.len() + 1 + port.len();
            let start = text.len() - rest.len() - 1 - length;
            (text.get(start..start + length).unwrap_or_default(), rest)
        }
        _ => (group, rest),
    };
    let (address, port) = client(group, newer).ok_or("the client is no address")?;
    event.set(Field::SOURCE_IP, Value::Ip(address));
    if let Some(port) = port {
        event.set(Field::SOURCE_PORT, Value::Int(i64::from(port)));
    }
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    // ModSecurity names the client once more, which only repeats it.
    let rest = rest
        .strip_prefix(b"[client ")
        .and_then(|rest| cut(rest, b"] "))
        .map_or(rest, |(_, rest)| rest);
    let said = coded(rest, event);
    let said = match cut_last(said, b", referer: ") {
        Some((before, referrer)) => {
            // A user name may hold the words as well: both readings must agree.
            let user = |found: Split<'a>| found.map(|found| found.map(|(user, _)| user));
            if user(refused(before))? != user(refused(said))? {
                return Err("the referrer could be a part of the user");
            }
            some(event, Field::HTTP_REFERRER, referrer);
            before
        }
        None => said,
    };
    said_of(said, event)
}

/// What follows `[client ` or `[remote `; only a file and line, and an error
/// of the system, which have no brackets, may stand before it.
fn to_client(text: &[u8]) -> Option<&[u8]> {
    let open = memchr::memchr(b'[', text)?;
    let (before, group) = text.split_at_checked(open)?;
    let rest = group
        .strip_prefix(b"[client ")
        .or_else(|| group.strip_prefix(b"[remote "))?;
    let system = before.is_empty()
        || (before.starts_with(b"(") && before.ends_with(b": "))
        || (cut(before, b".c(").is_some() && before.ends_with(b": "));
    system.then_some(rest)
}

/// `A`, `A:PORT`, `[A]:PORT`. 2.4 always writes the port, 2.2 never: so the
/// last group of `2001:db8::1:80` is a port in one and a part in the other.
fn client(text: &[u8], newer: bool) -> Option<(IpAddr, Option<u16>)> {
    let whole = || Some((ip(text)?, None));
    let split = || {
        let (address, port) = super::token::ip_port(text)?;
        Some((address, Some(port)))
    };
    let bare = ip(text).is_some_and(|ip| ip.is_ipv4());
    if newer && !bare {
        split().or_else(whole)
    } else {
        whole().or_else(split)
    }
}

/// `AH01617: `, Apache's number of the message.
fn coded<'a>(text: &'a [u8], event: &mut Event<'a>) -> &'a [u8] {
    match cut(text, b": ") {
        Some((code @ [b'A', b'H', digits @ ..], rest)) if number(digits).is_some() => {
            some(event, Field::ERROR_CODE, code);
            rest
        }
        _ => text,
    }
}

/// What the server says of the client.
fn said_of<'a>(said: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    if said.starts_with(b"ModSecurity: ") {
        once(event, Field::PROCESS_NAME, Value::Text(b"modsecurity"));
        let denied = said.starts_with(b"ModSecurity: Access denied");
        say(
            event,
            "alert",
            if denied { "failure" } else { "unknown" },
            "web",
        );
    } else if let Some((user, path)) = refused(said)? {
        say(event, "http_login", "failure", "authentication");
        some(event, Field::USER_NAME, user);
        if !path.is_empty() {
            target(path, false, event);
        }
    } else if said.starts_with(b"client denied by server configuration") {
        say(event, "http_denied", "failure", "web");
    } else {
        say(event, "http_error", "unknown", "web");
    }
    some(event, Field::EVENT_REASON, said);
    Ok(())
}

/// Two texts, if they are there and can be told apart.
type Split<'a> = Result<Option<(&'a [u8], &'a [u8])>, &'static str>;

/// The user and the path of a refused login. Both are the client's, so the
/// words between them must be there once.
fn refused(said: &[u8]) -> Split<'_> {
    let said = said.strip_prefix(b"Digest: ").unwrap_or(said);
    if let Some(rest) = said.strip_prefix(b"user `") {
        return between(rest, b"' in realm `").map(|found| found.map(|(user, _)| (user, &b""[..])));
    }
    if let Some(rest) = said.strip_prefix(b"Authorization of user ") {
        return between(rest, b" to access ").map(|found| {
            let (user, rest) = found?;
            let (path, _) = cut_last(rest, b" failed, reason: ")?;
            Some((user, path))
        });
    }
    let Some(rest) = said.strip_prefix(b"user ") else {
        return Ok(None);
    };
    if let Some(user) = rest.strip_suffix(b" not found") {
        return Ok(Some((user, b"")));
    }
    let mut found = None;
    for (word, quoted) in [
        (&b" not found: "[..], false),
        (b": password mismatch: ", false),
        (b": authentication failure for \"", true),
        (b": authorization failure for \"", true),
    ] {
        if let Some((user, path)) = between(rest, word)? {
            if found.is_some() {
                return Err("two readings of user and path");
            }
            let path = if quoted {
                cut_last(path, b"\":").map_or(path, |(path, _)| path)
            } else {
                path
            };
            found = Some((user, path));
        }
    }
    Ok(found)
}

/// The texts around a word that may be there once.
fn between<'a>(text: &'a [u8], word: &[u8]) -> Split<'a> {
    match cut(text, word) {
        Some((_, after)) if cut(after, word).is_some() => Err("two readings of user and path"),
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    fn read(text: &str) -> (Verdict, String) {
        let context = Context::utc(Time::from_secs(1_714_982_400));
        let mut event = Event::new();
        let verdict = parse(text.as_bytes(), &context, &mut event);
        let fields = [
            Field::EVENT_ACTION,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::USER_NAME,
            Field::URL_ORIGINAL,
            Field::ERROR_CODE,
            Field::LOG_LEVEL,
            Field::PROCESS_PID,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join("|"))
    }

    #[test]
    fn both_generations_name_the_client() {
        for (text, expected) in [
            (
                "[Mon May 06 08:00:00 2024] [error] [client 192.0.2.7] user bob not found: /a, referer: http://b.example/",
                "http_login|192.0.2.7|-|bob|/a|-|error|-",
            ),
            (
                "[Mon May 06 08:00:00.5 2024] [auth_basic:error] [pid 12:tid 34] [client 192.0.2.7:5678] AH01617: user bob: authentication failure for \"/a\": Password Mismatch",
                "http_login|192.0.2.7|5678|bob|/a|AH01617|error|12",
            ),
            (
                "[Mon May 06 08:00:00.5 2024] [core:info] [pid 12] (70014)End of file found: [client 2001:db8::7:80] AH02006: x",
                "http_error|2001:db8::7|80|-|-|AH02006|info|12",
            ),
            (
                "[Mon May 06 08:00:00 2024] [error] [client 2001:db8::7:80] File does not exist: /[client 198.51.100.66] user x not found",
                "http_error|2001:db8::7:80|-|-|-|-|error|-",
            ),
            (
                "[Mon May 06 08:00:00.5 2024] [x:error] [pid 1] [remote [2001:db8::7]:80] AH01637: Authorization of user bob to access /a failed, reason: y",
                "http_login|2001:db8::7|80|bob|/a|AH01637|error|1",
            ),
            (
                "[Mon May  6 08:00:00 2024] [notice] Apache configured [client 198.51.100.66]",
                "server_message|-|-|-|-|-|notice|-",
            ),
            (
                "[06/May/2024:08:00:00 +0000] [ab:alert] [pid 1:tid 2] [client 192.0.2.7:1] x",
                "http_error|192.0.2.7|1|-|-|-|alert|1",
            ),
        ] {
            assert_eq!(read(text), (Verdict::Event, expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_user_and_a_path_that_cannot_be_told_apart_are_none() {
        for said in [
            "user a not found: /b not found: /c",
            "user a: password mismatch: /b not found: /c",
        ] {
            let text = format!("[Mon May 06 08:00:00 2024] [error] [client 192.0.2.7] {said}");
            assert!(matches!(read(&text).0, Verdict::Malformed(_)), "{text}");
        }
    }

    #[test]
    fn other_bracketed_lines_are_not_apaches() {
        for text in [
            "[06-May-2024 08:00:00 UTC] PHP Warning:  x",
            "[error] [client 192.0.2.7] x",
            "[Mon May 06 08:00:00 2024] x",
        ] {
            assert_eq!(read(text).0, Verdict::NotMine, "{text}");
        }
    }
}
