//! ArcSight's Common Event Format: a header of seven fields between `|`, then
//! `key=value` pairs of which values may hold blanks.
//!
//! A sender escapes `=` in values, so a pair begins only where a plain word
//! stands before a bare `=`. Senders that forget to may be made to write a
//! second `src=`; a key of ours that comes twice is no event.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::json::parsed;
use super::token::{digit, number, trim_end, trim_start};
use super::{Context, Format, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::time::{Span, Time};

pub(super) static FORMAT: Format = Format {
    name: "cef",
    about: "Common Event Format of firewalls and other appliances",
    programs: &[],
    logsources: &[LogSource {
        product: "cef",
        categories: &["firewall", "network_connection"],
        services: &["cef"],
    }],
    parse: Parser::Line(parse),
    example: "May  1 10:00:00 fw1 CEF:0|Example|Gate|1.0|100|Connection denied|5|src=192.0.2.7 spt=40022 dst=198.51.100.9 dpt=22 proto=TCP act=blocked",
};

/// Longest key that is looked for; the dictionary's longest is 38.
const KEY_MAX: usize = 63;

/// Most pairs of ours; each is looked up among those before it.
const KEYS: &[(&[u8], Field)] = &[
    (b"src", Field::SOURCE_IP),
    (b"c6a2", Field::SOURCE_IP),
    (b"spt", Field::SOURCE_PORT),
    (b"shost", Field::SOURCE_DOMAIN),
    (b"smac", Field::SOURCE_MAC),
    (b"in", Field::SOURCE_BYTES),
    (b"suser", Field::USER_NAME),
    (b"suid", Field::USER_ID),
    (b"sntdom", Field::USER_DOMAIN),
    (b"dst", Field::DESTINATION_IP),
    (b"c6a3", Field::DESTINATION_IP),
    (b"dpt", Field::DESTINATION_PORT),
    (b"dhost", Field::DESTINATION_DOMAIN),
    (b"out", Field::DESTINATION_BYTES),
    (b"duser", Field::USER_TARGET_NAME),
    (b"proto", Field::NETWORK_TRANSPORT),
    (b"app", Field::NETWORK_PROTOCOL),
    (b"act", Field::EVENT_ACTION),
    (b"cat", Field::EVENT_CATEGORY),
    (b"reason", Field::EVENT_REASON),
    (b"externalId", Field::EVENT_ID),
    (b"request", Field::URL_ORIGINAL),
    (b"requestMethod", Field::HTTP_METHOD),
    (b"requestClientApplication", Field::USER_AGENT),
    (b"fname", Field::FILE_NAME),
    (b"fsize", Field::FILE_SIZE),
    (b"fileHash", Field::FILE_SHA256),
    (b"dvchost", Field::HOST_NAME),
    (b"deviceProcessName", Field::PROCESS_NAME),
    (b"dproc", Field::PROCESS_EXECUTABLE),
    (b"msg", Field::MESSAGE),
];

/// Whether a text says that it is CEF.
pub(super) fn speaks(text: &[u8]) -> bool {
    matches!(text, [b'C', b'E', b'F', b':', version, b'|', ..] if version.is_ascii_digit())
}

/// Only the time of a line that has no other envelope.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    if !speaks(line) {
        return None;
    }
    let pairs = pairs_of(header(line)?.1);
    stamp(pairs, context)
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    if !speaks(line) {
        return Verdict::NotMine;
    }
    let Some((header, extension)) = header(line) else {
        return Verdict::Malformed("no header of seven fields");
    };
    if event.time.is_none() {
        event.time = stamp(pairs_of(extension), context);
    }
    let [_, vendor, product, _, code, name, severity] = header;
    for (field, text) in [
        (Field::OBSERVER_VENDOR, vendor),
        (Field::OBSERVER_PRODUCT, product),
        (Field::EVENT_CODE, code),
        (Field::RULE_NAME, name),
        (Field::EVENT_SEVERITY, severity),
    ] {
        put(field, unescaped(text, arena), event);
    }
    match pairs(extension, arena, event) {
        Ok(outcome) => {
            event.text(Field::EVENT_OUTCOME, outcome);
            Verdict::Event
        }
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// Sets what the pairs say; the outcome is returned.
fn pairs<'a>(
    extension: &'a [u8],
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Result<&'static [u8], &'static str> {
    let mut seen = [false; KEYS.len()];
    let (mut said, mut acted) = (None, None);
    for (key, value) in pairs_of(extension) {
        let value = unescaped(value, arena);
        if key == b"outcome" {
            said = said.or(Some(value));
            continue;
        }
        let Some(at) = KEYS.iter().position(|(name, _)| *name == key) else {
            continue;
        };
        let (Some(twice), Some((_, field))) = (seen.get_mut(at), KEYS.get(at)) else {
            continue;
        };
        if std::mem::replace(twice, true) {
            return Err("a key comes twice");
        }
        if *field == Field::EVENT_ACTION {
            acted = Some(value);
        }
        put(*field, value, event);
    }
    if event.get(Field::USER_NAME).is_none()
        && let Some(user) = event.get(Field::USER_TARGET_NAME)
    {
        // Logins name only the account.
        event.set(Field::USER_NAME, user);
    }
    Ok(outcome(said)
        .or_else(|| outcome(acted))
        .unwrap_or(b"unknown"))
}

/// Sets a value of the field's kind where the envelope has not said it yet; an
/// address that is none is left out, the pair's text is in the line.
pub(super) fn put<'a>(field: Field, text: &'a [u8], event: &mut Event<'a>) {
    let kind = field
        .info()
        .map_or(crate::field::Kind::Text, |info| info.kind);
    let value = if text.is_empty() || text == b"null" {
        None
    } else if kind == crate::field::Kind::Ip {
        super::token::ip(text).map(Value::Ip)
    } else {
        parsed(text, kind)
    };
    if let Some(value) = value
        && event.get(field).is_none()
    {
        event.set(field, value);
    }
}

/// What a device's word for what it did, or for how it ended, means.
pub(super) fn outcome(word: Option<&[u8]>) -> Option<&'static [u8]> {
    const GOOD: [&[u8]; 9] = [
        b"success",
        b"successful",
        b"allow",
        b"allowed",
        b"accept",
        b"accepted",
        b"permit",
        b"permitted",
        b"pass",
    ];
    const BAD: [&[u8]; 13] = [
        b"failure",
        b"failed",
        b"fail",
        b"block",
        b"blocked",
        b"deny",
        b"denied",
        b"drop",
        b"dropped",
        b"reject",
        b"rejected",
        b"reset",
        b"prevented",
    ];
    let word = word?;
    let is = |words: &[&[u8]]| words.iter().any(|w| w.eq_ignore_ascii_case(word));
    if is(&GOOD) {
        Some(b"success")
    } else if is(&BAD) {
        Some(b"failure")
    } else {
        None
    }
}

/// `CEF:0`, vendor, product, version, id, name, severity, and the extension.
fn header(line: &[u8]) -> Option<([&[u8]; 7], &[u8])> {
    let mut fields = [&[][..]; 7];
    let mut rest = line;
    for (at, field) in fields.iter_mut().enumerate() {
        // The last bar may be missing where there is no extension.
        let end = bare(rest, b'|').or_else(|| (at == 6).then_some(rest.len()))?;
        *field = rest.get(..end)?;
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    Some((fields, rest))
}

/// Place of the first such byte without a backslash before it.
fn bare(text: &[u8], wanted: u8) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(wanted, b'\\', text.get(from..)?)?;
        if text.get(at) == Some(&wanted) {
            return Some(at);
        }
        from = at + 2;
    }
}

/// The pairs of an extension, in order, with their escapes.
fn pairs_of(extension: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = Some(trim_start(extension));
    let mut first = rest.and_then(next_key).filter(|(start, ..)| *start == 0);
    std::iter::from_fn(move || {
        let (start, key, value_at) = first?;
        let text = rest?;
        let name = text.get(start..start + key)?;
        let after = text.get(value_at..)?;
        first = next_key(after);
        let end = first.map_or(after.len(), |(at, ..)| at);
        rest = Some(after);
        Some((name, trim_end(after.get(..end)?)))
    })
}

/// Where the next key starts, how long it is, and where its value starts.
fn next_key(text: &[u8]) -> Option<(usize, usize, usize)> {
    let mut from = 0;
    loop {
        let equals = from + bare(text.get(from..)?, b'=')?;
        let head = text.get(..equals)?;
        let least = equals.saturating_sub(KEY_MAX + 1);
        let blank = memchr::memrchr(b' ', head.get(least..)?).map(|at| least + at + 1);
        let start = match blank {
            Some(start) => Some(start),
            None => (least == 0).then_some(0),
        };
        if let Some(start) = start
            && start >= from
            && let key = head.get(start..)?
            && !key.is_empty()
            && key
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'[' | b']'))
        {
            return Some((start, equals - start, equals + 1));
        }
        from = equals + 1;
    }
}

/// A text without its backslashes.
pub(super) fn unescaped<'a>(text: &'a [u8], arena: &'a Bump) -> &'a [u8] {
    if memchr::memchr(b'\\', text).is_none() {
        return text;
    }
    let mut out = BumpVec::with_capacity_in(text.len(), arena);
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(&other) => other,
                None => b'\\',
            },
            other => other,
        });
    }
    out.into_bump_slice()
}

/// When the device received it, or it ended or began.
fn stamp<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a [u8])>, context: &Context) -> Option<Time> {
    let mut found: [Option<Time>; 3] = [None; 3];
    for (key, value) in pairs {
        let slot = match key {
            b"rt" => found.get_mut(0),
            b"end" => found.get_mut(1),
            b"start" => found.get_mut(2),
            _ => None,
        };
        if let Some(slot) = slot {
            *slot = slot.or_else(|| time(value, context));
        }
    }
    found.into_iter().flatten().next()
}

/// Milliseconds since the epoch, or `May 01 2024 10:00:00[.123]`.
pub(super) fn time(text: &[u8], context: &Context) -> Option<Time> {
    if text.first().copied().and_then(digit).is_none() {
        return timestamp::rfc3164(text, context).map(|(time, _)| time);
    }
    match number(text) {
        Some(millis) => {
            let nanos = millis.checked_mul(1_000_000)?;
            Some(Time::from_nanos(0).plus(Span::from_nanos(nanos)))
        }
        None => timestamp::iso(text, context).map(|(time, _)| time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Verdict, String) {
        let context = Context::utc(Time::from_secs(0));
        let arena = Bump::new();
        let mut event = Event::new();
        // The texts live as long as the arena does here.
        let line: &[u8] = arena.alloc_slice_copy(line.as_bytes());
        let context: &Context = arena.alloc(context);
        let verdict = parse(line, context, &arena, &mut event);
        let fields = [
            Field::USER_NAME,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::DESTINATION_IP,
            Field::EVENT_OUTCOME,
            Field::RULE_NAME,
            Field::MESSAGE,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join("|"))
    }

    #[test]
    fn values_end_where_the_next_key_begins() {
        for (line, expected) in [
            (
                r"CEF:0|V|P|1|9|a \| b|5|src=192.0.2.7 spt=22 msg=a b\=c  d act=Blocked suser=x y",
                "x y|192.0.2.7|22|-|failure|a | b|a b=c  d",
            ),
            ("CEF:0|V|P|1|9|n|5|", "-|-|-|-|unknown|n|-"),
            ("CEF:1|V|P|1|9|n|5", "-|-|-|-|unknown|n|-"),
            (
                "CEF:0|V|P|1|9|n|High|duser=bob dst=2001:DB8::1 request=http://h/?a=b&src=1 outcome=Success",
                "bob|-|-|2001:db8::1|success|n|-",
            ),
            (
                r"CEF:0|V|P|1|9|n|1|msg=x src\=198.51.100.1 src=192.0.2.7",
                "-|192.0.2.7|-|-|unknown|n|x src=198.51.100.1",
            ),
        ] {
            assert_eq!(read(line), (Verdict::Event, expected.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_key_that_comes_twice_is_no_event() {
        for line in [
            "CEF:0|V|P|1|9|n|1|src=192.0.2.7 msg=x src=198.51.100.1",
            "CEF:0|V|P|1",
        ] {
            assert!(matches!(read(line).0, Verdict::Malformed(_)), "{line}");
        }
        assert_eq!(read("CEF:x|").0, Verdict::NotMine);
    }

    #[test]
    fn times_are_the_devices() {
        let context = Context::utc(Time::from_secs(0));
        for text in [
            "1714557600250",
            "May 01 2024 10:00:00.250",
            "2024-05-01T10:00:00.250Z",
        ] {
            let time = time(text.as_bytes(), &context).map(|t| t.to_string());
            assert_eq!(time.as_deref(), Some("2024-05-01T10:00:00.250Z"), "{text}");
        }
    }
}
