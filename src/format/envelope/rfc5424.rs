//! `<PRI>1 STAMP HOST APP PROCID MSGID [structured data] message`.
//!
//! Strict where an error could move a field: lengths and characters of the
//! header, and unique SD-IDs (6.2, 6.3). Lenient in what senders really do: a
//! blank before a quote, values without quotes, escapes forgotten or invented.

use nom::branch::alt;
use nom::bytes::complete::{take, take_while_m_n, take_while1};
use nom::character::complete::{char, space0, space1};
use nom::combinator::{map, opt, recognize, value};
use nom::multi::fold_many0;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use super::{Tagged, tagged};
use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::timestamp;
use crate::format::token::number;
use crate::time::Time;

/// Most SD elements that are looked at for duplicates; RFC 5424 names none, and
/// senders use one or two.
const ELEMENTS_MAX: usize = 16;

/// Where UTF-8 text begins (RFC 5424, 6.4).
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Whether what follows PRI is a version and a blank.
pub(super) fn begins(text: &[u8]) -> bool {
    version(text).is_some()
}

/// Only the stamp.
pub(super) fn peek_time(text: &[u8]) -> Option<Time> {
    let (_, rest) = version(text)?;
    timestamp::rfc5424(rest).map(|(time, _)| time)
}

fn version(text: &[u8]) -> Option<(i64, &[u8])> {
    let end = memchr::memchr(b' ', text.get(..4).unwrap_or(text))?;
    let version = number(text.get(..end)?)?;
    (text.first() != Some(&b'0')).then_some((version, text.get(end + 1..)?))
}

/// Reads the envelope after its PRI.
pub(super) fn read<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<Tagged<'a>, &'static str> {
    let (version, rest) = version(text).ok_or("no version after PRI")?;
    let (time, rest) = match rest.strip_prefix(b"- ") {
        Some(rest) => (None, rest),
        None => match timestamp::rfc5424(rest) {
            Some((time, [b' ', rest @ ..])) => (Some(time), rest),
            _ => return Err("stamp is not RFC 5424's"),
        },
    };
    let (host, rest) = word(rest, 255).ok_or("HOSTNAME is not 1 to 255 printable characters")?;
    let (app, rest) = word(rest, 48).ok_or("APP-NAME is not 1 to 48 printable characters")?;
    let (procid, rest) = word(rest, 128).ok_or("PROCID is not 1 to 128 printable characters")?;
    let (msgid, rest) = word(rest, 32).ok_or("MSGID is not 1 to 32 printable characters")?;
    // Check Point writes its own list there: `[action:"Drop"; src:"192.0.2.7"]`.
    let own_list = || (app == Some(b"CheckPoint")).then_some(rest);
    let rest = structured_data(rest)
        .or_else(own_list)
        .ok_or("structured data breaks its grammar")?;
    let text = rest.strip_prefix(BOM).unwrap_or(rest);
    event.time = time;
    event.set(Field::SYSLOG_VERSION, Value::Int(version));
    if let Some(host) = host {
        event.text(Field::HOST_NAME, host);
    }
    if let Some(msgid) = msgid {
        event.text(Field::SYSLOG_MSGID, msgid);
    }
    if let Some(app) = app {
        event.text(Field::SYSLOG_APPNAME, app);
    }
    let tagged = tagged(
        app.unwrap_or_default(),
        procid.and_then(number),
        text,
        event,
    );
    if let Some(procid) = procid
        && event.get(Field::PROCESS_PID).is_none()
    {
        // PROCID need not be a number (6.2.6).
        event.text(Field::PROCESS_PID, procid);
    }
    Ok(tagged)
}

/// A printable word of at most `max` characters and the blank after it; `-` is none.
fn word(text: &[u8], max: usize) -> Option<(Option<&[u8]>, &[u8])> {
    let end = memchr::memchr(b' ', text.get(..=max).unwrap_or(text))?;
    let word = text.get(..end)?;
    let sound = !word.is_empty() && word.iter().all(u8::is_ascii_graphic);
    let rest = text.get(end + 1..)?;
    sound.then_some(((word != b"-").then_some(word), rest))
}

/// What follows the structured data (and its blank).
fn structured_data(text: &[u8]) -> Option<&[u8]> {
    // Docker's logger writes `{}` for none.
    let rest = match text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"{}")) {
        Some(rest) => rest,
        // Left out, with the blank that should follow it.
        None if text.first() == Some(&b' ') => text,
        None => elements(text)?,
    };
    match rest {
        [] => Some(rest),
        [b' ', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// What follows the elements; none where one breaks the grammar or an SD-ID
/// comes twice.
fn elements(text: &[u8]) -> Option<&[u8]> {
    let mut seen: [&[u8]; ELEMENTS_MAX] = [&[]; ELEMENTS_MAX];
    let mut rest = text;
    let mut count = 0;
    while rest.first() == Some(&b'[') {
        let (after, id) = element(rest).ok()?;
        if seen.iter().take(count).any(|&other| other == id) {
            return None;
        }
        if let Some(slot) = seen.get_mut(count) {
            *slot = id;
            count += 1;
        }
        rest = after;
    }
    (rest.len() < text.len()).then_some(rest)
}

/// The text without structured data at its beginning, where an RFC 3164 line
/// has some: `rsyslogd: [origin software="rsyslogd" …] start`. An element
/// without a quoted value is a text in brackets.
pub(super) fn without_elements(text: &[u8]) -> &[u8] {
    let mut rest = super::trim_start(text);
    if rest.first() != Some(&b'[') {
        return text;
    }
    let mut bare = text;
    while let Ok((after, id)) = element(rest)
        && rest.get(1 + id.len()) == Some(&b' ')
        && rest.len() - after.len() > id.len() + b"[ =\"\"]".len()
        && rest
            .get(..rest.len() - after.len())
            .is_some_and(|e| e.ends_with(b"\"]"))
    {
        bare = after;
        rest = after;
    }
    bare
}

fn element(text: &[u8]) -> IResult<&[u8], &[u8]> {
    let params = fold_many0(preceded(space1, param), || (), |(), ()| ());
    delimited(
        char('['),
        map((name, params), |(id, ())| id),
        preceded(space0, char(']')),
    )
    .parse(text)
}

fn param(text: &[u8]) -> IResult<&[u8], ()> {
    let bare = take_while1(|b: u8| b.is_ascii_alphanumeric() || b".-_:/".contains(&b));
    value((), (name, char('='), opt(char(' ')), alt((quoted, bare)))).parse(text)
}

/// A quoted value. A backslash before anything but `"`, `\`, `]` is itself
/// (6.3.3); a bare `]` should have had one, and cannot be mistaken.
fn quoted(text: &[u8]) -> IResult<&[u8], &[u8]> {
    let plain = take_while1(|b: u8| !matches!(b, b'"' | b'\\'));
    let escaped = recognize((char('\\'), take(1_usize)));
    let inside = recognize(fold_many0(alt((plain, escaped)), || (), |(), _: &[u8]| ()));
    delimited(char('"'), inside, char('"')).parse(text)
}

fn name(text: &[u8]) -> IResult<&[u8], &[u8]> {
    take_while_m_n(1, 32, |b: u8| {
        b.is_ascii_graphic() && !matches!(b, b'=' | b']' | b'"')
    })
    .parse(text)
}
