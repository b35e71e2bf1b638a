//! `key=value` lines, as many services written in Go log: `time="…" level=info
//! msg="…" user=alice remote_addr=192.0.2.7:50022`.
//!
//! Their writer quotes what holds a blank, so that a pair begins only after a
//! blank outside quotes. A key of ours that comes twice is no event.

use super::token::{cut_last, ip, number, port};
use super::{Context, Format, Parser, Verdict, epoch, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::time::Time;

pub(super) static FORMAT: Format = Format {
    name: "logfmt",
    about: "key=value lines with a time, as services written in Go log, where they name a user or an address",
    programs: &[],
    logsources: &[LogSource {
        product: "linux",
        categories: &["application"],
        services: &["syslog"],
    }],
    parse: Parser::Text(parse),
    example: r#"time="2026-01-05T10:00:00Z" level=warning msg="login failed" user=alice remote_addr=192.0.2.7:50022"#,
};

/// The keys that may come first.
const FIRST: [&[u8]; 6] = [
    b"time=",
    b"ts=",
    b"t=",
    b"level=",
    b"timestamp=",
    b"logger=",
];

/// What the keys mean. The second of a pair of lists is never asked where the
/// first has been found.
const KEYS: &[(&[u8], Field)] = &[
    (b"msg", Field::MESSAGE),
    (b"level", Field::LOG_LEVEL),
    (b"lvl", Field::LOG_LEVEL),
    (b"user", Field::USER_NAME),
    (b"username", Field::USER_NAME),
    (b"uname", Field::USER_NAME),
    (b"src_ip", Field::SOURCE_IP),
    (b"srcip", Field::SOURCE_IP),
    (b"source_ip", Field::SOURCE_IP),
    (b"client_ip", Field::SOURCE_IP),
    (b"clientip", Field::SOURCE_IP),
    (b"remote_ip", Field::SOURCE_IP),
    (b"remote_addr", Field::SOURCE_IP),
    (b"remote", Field::SOURCE_IP),
    (b"src_port", Field::SOURCE_PORT),
    (b"dst_ip", Field::DESTINATION_IP),
    (b"dst_port", Field::DESTINATION_PORT),
    (b"hostname", Field::HOST_NAME),
    (b"method", Field::HTTP_METHOD),
    (b"path", Field::URL_ORIGINAL),
    (b"uri", Field::URL_ORIGINAL),
    (b"status", Field::HTTP_STATUS),
];

/// Only the time.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    if !FIRST.iter().any(|first| line.starts_with(first)) {
        return None;
    }
    Pairs(line).find_map(|(key, value)| stamp(key, value, context))
}

fn stamp(key: &[u8], value: &[u8], context: &Context) -> Option<Time> {
    if !matches!(key, b"time" | b"ts" | b"t" | b"timestamp") {
        return None;
    }
    let iso = timestamp::iso(value, context).filter(|(_, rest)| rest.is_empty());
    iso.map(|(time, _)| time).or_else(|| epoch(value))
}

fn parse<'a>(line: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    if !FIRST.iter().any(|first| line.starts_with(first)) {
        return Verdict::NotMine;
    }
    let mut seen = [false; KEYS.len()];
    let mut time = None;
    for (key, value) in Pairs(line) {
        time = time.or_else(|| stamp(key, value, context));
        let Some(at) = KEYS.iter().position(|(name, _)| *name == key) else {
            continue;
        };
        let (Some(twice), Some(&(_, field))) = (seen.get_mut(at), KEYS.get(at)) else {
            continue;
        };
        if std::mem::replace(twice, true) {
            return Verdict::Malformed("a key comes twice");
        }
        put(field, value, event);
    }
    let about = [Field::USER_NAME, Field::SOURCE_IP, Field::DESTINATION_IP];
    if time.is_none() || about.iter().all(|field| event.get(*field).is_none()) {
        return Verdict::NotMine;
    }
    event.time = event.time.or(time);
    event.set(Field::EVENT_ACTION, Value::Text(b"log"));
    event.set(Field::EVENT_OUTCOME, Value::Text(b"unknown"));
    Verdict::Event
}

fn put<'a>(field: Field, text: &'a [u8], event: &mut Event<'a>) {
    if event.get(field).is_some() || text.is_empty() {
        return;
    }
    let value = match field {
        Field::SOURCE_IP | Field::DESTINATION_IP => {
            let Some(ip) = ip(text) else {
                return address_and_port(field, text, event);
            };
            Some(Value::Ip(ip))
        }
        Field::SOURCE_PORT | Field::DESTINATION_PORT => {
            port(text).map(|port| Value::Int(i64::from(port)))
        }
        Field::HTTP_STATUS => number(text).map(Value::Int),
        _ => Some(Value::Text(text)),
    };
    if let Some(value) = value {
        event.set(field, value);
    }
}

/// `192.0.2.7:50022`, `[2001:db8::5]:50022`.
fn address_and_port(field: Field, text: &[u8], event: &mut Event<'_>) {
    let Some((address, behind)) = cut_last(text, b":") else {
        return;
    };
    let bare = address
        .strip_prefix(b"[")
        .and_then(|rest| rest.strip_suffix(b"]"));
    let of_port = match field {
        Field::SOURCE_IP => Field::SOURCE_PORT,
        _ => Field::DESTINATION_PORT,
    };
    if let (Some(ip), Some(port)) = (ip(bare.unwrap_or(address)), port(behind)) {
        event.set(field, Value::Ip(ip));
        if event.get(of_port).is_none() {
            event.set(of_port, Value::Int(i64::from(port)));
        }
    }
}

/// The pairs of a line. What is in quotes is as it stands there, with its
/// escapes; one that does not end is the last.
struct Pairs<'a>(&'a [u8]);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let start = self.0.iter().position(|b| *b != b' ')?;
            let rest = self.0.get(start..)?;
            let end = memchr::memchr2(b'=', b' ', rest).unwrap_or(rest.len());
            let (key, after) = rest.split_at_checked(end)?;
            let Some(after) = after.strip_prefix(b"=") else {
                self.0 = after;
                continue;
            };
            let Some(inside) = after.strip_prefix(b"\"") else {
                let end = memchr::memchr(b' ', after).unwrap_or(after.len());
                let (value, rest) = after.split_at_checked(end)?;
                self.0 = rest;
                return Some((key, value));
            };
            let mut from = 0;
            let end = loop {
                let at = memchr::memchr2(b'"', b'\\', inside.get(from..)?)? + from;
                if inside.get(at) == Some(&b'"') {
                    break at;
                }
                from = at + 2;
            };
            self.0 = inside.get(end + 1..)?;
            return Some((key, inside.get(..end)?));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<String> {
        let context = Context::utc(Time::from_secs(0));
        let mut event = Event::new();
        let verdict = parse(line.as_bytes(), &context, &mut event);
        let of = [Field::USER_NAME, Field::SOURCE_IP, Field::SOURCE_PORT].map(|f| event.shown(f));
        (verdict == Verdict::Event).then(|| format!("{} {}", event.time.unwrap(), of.join(" ")))
    }

    #[test]
    fn pairs_with_and_without_quotes() {
        for (line, expected) in [
            (FORMAT.example, "2026-01-05T10:00:00Z alice 192.0.2.7 50022"),
            (
                "t=2026-01-05T10:00:00Z level=info uname=bob remote_addr=[2001:db8::5]:1 status=200",
                "2026-01-05T10:00:00Z bob 2001:db8::5 1",
            ),
            (
                r#"level=info ts=1767607200.000 msg="said \" src_ip=198.51.100.66 \"" user=bob"#,
                "2026-01-05T10:00:00Z bob - -",
            ),
        ] {
            assert_eq!(read(line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn what_is_not_clear_is_no_event() {
        for line in [
            "time=2026-01-05T10:00:00Z user=a user=b",
            "time=2026-01-05T10:00:00Z level=info msg=hello",
            "level=info user=a",
            "user=a time=2026-01-05T10:00:00Z",
            "time=\"2026-01-05T10:00:00Z user=a",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
