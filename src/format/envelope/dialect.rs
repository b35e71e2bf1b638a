//! Headers that are written by few: weekday first (OpenWrt's logread,
//! `journalctl -o short-full`), seconds since the epoch or since boot
//! (`-o short-unix`, `-o short-monotonic`), other dates, brackets around the
//! stamp, a PRI without stamp, macOS's `log show`.
//!
//! Many programs begin their own logs with such a stamp. What follows must
//! therefore be `program[pid]:`, or the facility and severity that syslog
//! daemons of small systems write.

use super::rfc3164::{self, host, tag};
use super::stamp::{Zones, spaced};
use super::{Read, Tagged, tagged, without_count};
use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::token::{cut, number, trim_start};
use crate::format::{Context, timestamp};
use crate::time::{Span, Time};

/// Names that a zone has after a stamp; no machine is called so.
const ZONES: [&[u8]; 26] = [
    b"UTC", b"GMT", b"CET", b"CEST", b"EET", b"EEST", b"WET", b"WEST", b"BST", b"IST", b"MSK",
    b"EST", b"EDT", b"CST", b"CDT", b"MST", b"MDT", b"PST", b"PDT", b"AKST", b"HST", b"JST",
    b"KST", b"AEST", b"AEDT", b"NZST",
];

const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// A stamp (none where the line counts from boot, or has only a PRI), and what
/// follows it.
struct Stamped<'a> {
    time: Option<Time>,
    rest: &'a [u8],
}

/// Reads a line that the usual headers are not before.
pub(in crate::format) fn read<'a>(
    line: &'a [u8],
    context: &Context,
    event: &mut Event<'a>,
) -> Read<'a> {
    match header(line, context) {
        Some((time, found)) => {
            event.time = time;
            Read::Message(found.put(event))
        }
        None => Read::Nothing,
    }
}

/// Whether what follows a usual stamp looks like more of it: a zone, or the
/// thread and level that macOS writes there.
pub(super) fn goes_on(rest: &[u8]) -> bool {
    match *trim_start(rest) {
        [b'+' | b'-', b'0'..=b'9', ..]
        | [b'0', b'x', ..]
        | [b'A'..=b'Z', b'a'..=b'z' | b' ', b' ', ..] => true,
        [b'A'..=b'Z', b'A'..=b'Z', ..] => cut(rest, b" ")
            .is_some_and(|(zone, _)| ZONES.contains(&zone.strip_suffix(b":").unwrap_or(zone))),
        _ => false,
    }
}

/// Only the stamp.
pub(in crate::format) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    header(line, context)?.0
}

/// A header in its parts.
struct Header<'a> {
    pri: Option<u8>,
    host: Option<&'a [u8]>,
    name: &'a [u8],
    pid: Option<i64>,
    text: &'a [u8],
}

impl<'a> Header<'a> {
    fn put(self, event: &mut Event<'a>) -> Tagged<'a> {
        if let Some(pri) = self.pri {
            super::set_pri(pri, event);
        }
        if let Some(host) = self.host {
            event.set(Field::HOST_NAME, Value::Text(host));
        }
        tagged(self.name, self.pid, self.text, event)
    }
}

fn header<'a>(line: &'a [u8], context: &Context) -> Option<(Option<Time>, Header<'a>)> {
    let line = without_count(line);
    let (pri, line) = match super::pri(line) {
        Ok(Some((pri, rest))) => (Some(pri), rest),
        _ => (None, line),
    };
    let Stamped { time, rest } = match stamped(line, context) {
        Some(found) => found,
        // Some devices have no clock.
        None if pri.is_some() => match timestamp::any(trim_start(line), context) {
            Some((time, rest)) => Stamped {
                time: Some(time),
                rest,
            },
            None => Stamped {
                time: None,
                rest: line,
            },
        },
        None => return None,
    };
    if let Some(found) = unified(rest) {
        return Some((time, found));
    }
    let rest = trim_start(rest);
    // logread -t repeats the stamp in seconds.
    let rest = match rest.strip_prefix(b"[").and_then(|rest| cut(rest, b"] ")) {
        Some((seconds, rest)) if timestamp_like(seconds) => rest,
        _ => rest,
    };
    let (levelled, rest) = rfc3164::after_level(rest, context);
    let (name, text) = host(rest);
    let (second, text) = rfc3164::without_level(text);
    let tag = tag(text);
    let sound = levelled || second || tag.pid.is_some();
    let word = tag.name.iter().all(|b| !matches!(b, b' ' | b'"' | b'='));
    (sound && word && !tag.name.is_empty()).then_some((
        time,
        Header {
            pri,
            host: name,
            name: tag.name,
            pid: tag.pid,
            text: tag.text,
        },
    ))
}

fn timestamp_like(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|b| b.is_ascii_digit() || *b == b'.')
}

fn stamped<'a>(line: &'a [u8], context: &Context) -> Option<Stamped<'a>> {
    let at = |(time, rest)| Stamped {
        time: Some(time),
        rest,
    };
    match *line {
        [b'[', ref rest @ ..] => in_brackets(rest, context),
        [a, b, c, b' ', ref rest @ ..] if DAYS.contains(&&[a, b, c]) => {
            let found = timestamp::ctime(line, context)
                .or_else(|| timestamp::rfc3164(rest, context))
                .or_else(|| spaced(rest, Zones::Name, context));
            found.map(at)
        }
        // `May  1 10:00:00 CEST host`.
        [b'A'..=b'Z', ..] => {
            let (time, rest) = timestamp::rfc3164(line, context)?;
            let (zone, rest) = cut(rest.strip_prefix(b" ")?, b" ")?;
            let zone = zone.strip_suffix(b":").unwrap_or(zone);
            ZONES.contains(&zone).then_some(at((time, rest)))
        }
        [b'0'..=b'9', ..] => dated(line, context),
        _ => None,
    }
}

/// `[2024-05-01T10:00:00Z] `, `[May  1 10:00:00] `, `[   12.345678] `.
fn in_brackets<'a>(text: &'a [u8], context: &Context) -> Option<Stamped<'a>> {
    let (inside, after) = cut(text, b"] ")?;
    let since_boot = trim_start(inside);
    if timestamp_like(since_boot) && since_boot.len() < 20 && since_boot.contains(&b'.') {
        return Some(Stamped {
            time: None,
            rest: after,
        });
    }
    let (time, rest) = timestamp::bracketed(inside, context)
        .or_else(|| timestamp::any(inside, context))
        .filter(|(_, rest)| rest.is_empty())?;
    debug_assert!(rest.is_empty(), "the stamp is all that the brackets hold");
    Some(Stamped {
        time: Some(time),
        rest: after,
    })
}

/// The stamps that begin with a digit: dates in other orders, and seconds or
/// milliseconds since the epoch.
fn dated<'a>(line: &'a [u8], context: &Context) -> Option<Stamped<'a>> {
    let (time, rest) = match *line {
        [_, _, _, _, b'-', _, _, b'-', _, _, b' ' | b'T', ..] => {
            zoned(line, context).or_else(|| timestamp::iso(line, context))?
        }
        [_, _, _, _, b'/', ..] => timestamp::slashed(line, context)?,
        [_, _, b'/', ..] => timestamp::clf(line, context)?,
        // `2024 May  1 10:00:00 `
        [y0, y1, y2, y3, b' ', m0, m1, m2, b' ', ref rest @ ..] => {
            let (day, clock) = cut(trim_start(rest), b" ")?;
            usual([m0, m1, m2], day, Some([y0, y1, y2, y3]), clock, context)?
        }
        // `1 May 10:00:00 `, `01 May 2024 10:00:00 `
        [_, b' ', b'A'..=b'Z', ..] | [_, _, b' ', b'A'..=b'Z', ..] => {
            let (day, rest) = cut(line, b" ")?;
            let (month, rest) = rest.split_first_chunk::<3>()?;
            let rest = rest.strip_prefix(b" ")?;
            match *rest {
                [y0, y1, y2, y3, b' ', ref clock @ ..] => {
                    usual(*month, day, Some([y0, y1, y2, y3]), clock, context)?
                }
                _ => usual(*month, day, None, rest, context)?,
            }
        }
        _ => since_epoch(line)?,
    };
    Some(Stamped {
        time: Some(time),
        rest: rest.strip_prefix(b" ")?,
    })
}

/// `2024-05-01 10:00:00.123 +0200 host`, `… UTC host`: of a zone's name only
/// UTC's is looked up.
fn zoned<'a>(line: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    let (time, rest) = spaced(line, Zones::Name, context)?;
    let used = line.len().checked_sub(rest.len())?;
    let (_, zone) = cut(line.get(11..used)?.strip_suffix(b" ")?, b" ")?;
    let known = matches!(zone.first(), Some(b'+' | b'-')) || ZONES.contains(&zone);
    known.then_some((time, line.get(used - 1..)?))
}

/// The parts of a stamp in syslog's order, and what follows the clock.
fn usual<'a>(
    month: [u8; 3],
    day: &[u8],
    year: Option<[u8; 4]>,
    clock: &'a [u8],
    context: &Context,
) -> Option<(Time, &'a [u8])> {
    let day = match *day {
        [ones] => [b' ', ones],
        [tens, ones] => [tens, ones],
        _ => return None,
    };
    let (hands, rest) = clock.split_first_chunk::<8>()?;
    let mut text = [b' '; 20];
    let year: &[u8] = year.as_ref().map_or(&[], |year| year);
    let gap: &[u8] = if year.is_empty() { b"" } else { b" " };
    let parts = [&month[..], b" ", &day, b" ", year, gap, hands];
    let length = parts.iter().map(|part| part.len()).sum();
    for (to, from) in text.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
    let (time, _) = timestamp::rfc3164(text.get(..length)?, context)?;
    Some((time, rest))
}

/// `1714557600 `, `1714557600.123456 `, `1714557600123 `.
fn since_epoch(line: &[u8]) -> Option<(Time, &[u8])> {
    let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
    let (whole, rest) = line.split_at_checked(digits)?;
    let whole = number(whole)?;
    match (digits, rest.first()?) {
        (10, b' ') => Some((Time::from_secs(whole), rest)),
        (13, b' ') => {
            let since = Span::from_nanos(whole.checked_mul(1_000_000)?);
            Some((Time::from_secs(0).plus(since), rest))
        }
        (10, b'.') => {
            let end = memchr::memchr(b' ', rest)?;
            Some((timestamp::epoch(line)?, rest.get(end..)?))
        }
        _ => None,
    }
}

/// macOS's `log show`, after the stamp: `0x1f3 Info 0x0 812 0 sshd: (lib)
/// [subsystem:category] text`, or compact, `Df sshd[812:1f3] text`.
fn unified(rest: &[u8]) -> Option<Header<'_>> {
    let rest = trim_start(rest);
    let of = |name, pid, text| Header {
        pri: None,
        host: None,
        name,
        pid,
        text: without_sender(text),
    };
    let (first, after) = cut(rest, b" ")?;
    if let Some(thread) = first.strip_prefix(b"0x")
        && thread.iter().all(u8::is_ascii_hexdigit)
    {
        let mut rest = after;
        let mut words = [&b""[..]; 4];
        for word in &mut words {
            (*word, rest) = cut(trim_start(rest), b" ")?;
        }
        let [level, activity, pid, _ttl] = words;
        let (name, text) = cut(trim_start(rest), b": ")?;
        let sound = level.iter().all(u8::is_ascii_alphabetic) && activity.starts_with(b"0x");
        return sound.then_some(of(name, Some(number(pid)?), text));
    }
    if !matches!(first, [b'A'..=b'Z', b'a'..=b'z' | b' ']) {
        return None;
    }
    let (process, text) = cut(trim_start(after), b"] ")?;
    let (name, ids) = cut(process, b"[")?;
    let (pid, thread) = cut(ids, b":")?;
    thread.iter().all(u8::is_ascii_hexdigit).then_some(())?;
    Some(of(name, Some(number(pid)?), text))
}

/// A message without the library and the subsystem that macOS puts before it.
pub(super) fn without_sender(text: &[u8]) -> &[u8] {
    let text = trim_start(text);
    let plain = |inside: &[u8]| {
        !inside.is_empty()
            && inside
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'+'))
    };
    let text = match text.strip_prefix(b"(").and_then(|rest| cut(rest, b") ")) {
        Some((library, rest)) if plain(library) => rest,
        _ => return text,
    };
    match text.strip_prefix(b"[").and_then(|rest| cut(rest, b"] ")) {
        Some((subsystem, rest)) if plain(subsystem) && subsystem.contains(&b':') => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Verdict;

    fn shown(line: &str) -> String {
        let context = Context::utc(Time::from_secs(1_714_521_600));
        let fields = [Field::HOST_NAME, Field::PROCESS_NAME, Field::SOURCE_IP];
        let seen = crate::format::shape::seen(line, &context, &fields);
        match seen.verdict {
            Verdict::Event => format!("{} {}", seen.time, seen.fields.replace('|', " ")),
            other => format!("{other:?}"),
        }
    }

    const LOGIN: &str = "Accepted password for alice from 192.0.2.7 port 50022 ssh2";

    #[test]
    fn one_login_under_every_header() {
        let full = "2024-05-01T10:00:00Z h sshd 192.0.2.7";
        let no_host = "2024-05-01T10:00:00Z - sshd 192.0.2.7";
        let no_time = "- h sshd 192.0.2.7";
        for (header, expected) in [
            ("2024 May  1 10:00:00 h sshd[7]:", full),
            ("May  1 10:00:00 CEST h sshd[7]:", full),
            ("May  1 10:00:00 UTC: h sshd[7]:", full),
            ("Wed May  1 10:00:00 2024 h sshd[7]:", full),
            ("Wed May  1 10:00:00 h sshd[7]:", full),
            ("Wed 2024-05-01 10:00:00 UTC h sshd[7]:", full),
            ("2024-05-01 12:00:00 +0200 h sshd[7]:", full),
            ("2024-05-01 10:00:00 UTC h sshd[7]:", full),
            ("2024/05/01 10:00:00 h sshd[7]:", full),
            ("1714557600 h sshd[7]:", full),
            ("1714557600.000000 h sshd[7]:", full),
            ("1714557600000 h sshd[7]:", full),
            ("1 May 2024 10:00:00 h sshd[7]:", full),
            ("01 May 10:00:00 h sshd[7]:", full),
            ("[2024-05-01T10:00:00Z] h sshd[7]:", full),
            ("[May  1 10:00:00] h sshd[7]:", full),
            ("[   12.345678] h sshd[7]:", no_time),
            ("<38> May  1 10:00:00 h sshd[7]:", full),
            ("<38>sshd[7]:", "- - sshd 192.0.2.7"),
            ("Wed May  1 10:00:00 2024 auth.info sshd[7]:", no_host),
            (
                "Wed May  1 10:00:00 2024 [1714557600.123] auth.info sshd[7]:",
                no_host,
            ),
            ("May  1 10:00:00 auth.info sshd[7]:", no_host),
            ("May  1 10:00:00 h auth.info sshd[7]:", full),
            ("May  1 10:00:00 h auth|security:info sshd[7]:", full),
            ("May  1 10:00:00 h <auth.info> sshd[7]:", full),
            ("May  1 10:00:00 r Message forwarded from h: sshd[7]:", full),
            ("2024-05-01T10:00:00Z In(38) sshd[7]:", no_host),
            (
                "2024-05-01_10:00:00.00000 auth.info: May  1 10:00:00 sshd[7]:",
                no_host,
            ),
            ("2024-05-01_10:00:00.00000 sshd[7]:", no_host),
            (
                "2024-05-01 12:00:00.000000+0200 0x1f3      Info        0x0      812    0    sshd: (libx.dylib)",
                no_host,
            ),
            (
                "2024-05-01 12:00:00.000000+0200  h sshd[7]: (libx.dylib) [com.example.ssh:auth]",
                full,
            ),
            (
                "2024-05-01 10:00:00.000 Df sshd[812:1f3] (libx.dylib)",
                no_host,
            ),
            (
                "May  1 10:00:00 fw.example.com: sshd[7]:",
                "2024-05-01T10:00:00Z fw.example.com sshd 192.0.2.7",
            ),
            (
                "May  1 10:00:00 [192.0.2.1] sshd[7]:",
                "2024-05-01T10:00:00Z 192.0.2.1 sshd 192.0.2.7",
            ),
        ] {
            assert_eq!(shown(&format!("{header} {LOGIN}")), expected, "{header}");
        }
    }

    #[test]
    fn what_a_program_quotes_is_not_a_header() {
        for line in [
            format!("Wed May  1 10:00:00 2024 myapp: sshd[7]: {LOGIN}"),
            format!("1714557600 h myapp: sshd[7]: {LOGIN}"),
            format!("May  1 10:00:00 myapp: sshd[7]: {LOGIN}"),
            format!("2024/05/01 10:00:00 [error] h sshd[7]: {LOGIN}"),
            format!("[   12.345678] h myapp: sshd[7]: {LOGIN}"),
            format!("May  1 10:00:00 h myapp: auth.info sshd[7]: {LOGIN}"),
        ] {
            assert_eq!(shown(&line), "NotMine", "{line}");
        }
    }
}
