//! QRadar's Log Event Extended Format, versions 1.0 and 2.0: a header of five
//! fields between `|`, then `key=value` pairs between tabs or, in 2.0, between
//! whatever byte the header names.
//!
//! A value cannot hold the separator, so what a remote user chose stays in its
//! pair; a key of ours that comes twice is no event all the same.

use bumpalo::Bump;

use super::cef::{outcome, put, time};
use super::token::cut;
use super::{Context, Format, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::time::Time;

pub(super) static FORMAT: Format = Format {
    name: "leef",
    about: "Log Event Extended Format 1.0 and 2.0 of appliances",
    programs: &[],
    logsources: &[LogSource {
        product: "leef",
        categories: &["firewall", "network_connection"],
        services: &["leef"],
    }],
    parse: Parser::Line(parse),
    example: "May  1 10:00:00 fw1 LEEF:2.0|Example|Gate|1.0|LoginFailed|^|src=192.0.2.7^srcPort=40022^dst=198.51.100.9^usrName=alice^outcome=failure",
};

/// The predefined keys that we have fields for.
const KEYS: &[(&[u8], Field)] = &[
    (b"src", Field::SOURCE_IP),
    (b"srcPort", Field::SOURCE_PORT),
    (b"srcMAC", Field::SOURCE_MAC),
    (b"srcBytes", Field::SOURCE_BYTES),
    (b"srcPackets", Field::SOURCE_PACKETS),
    (b"dst", Field::DESTINATION_IP),
    (b"dstPort", Field::DESTINATION_PORT),
    (b"dstBytes", Field::DESTINATION_BYTES),
    (b"dstPackets", Field::DESTINATION_PACKETS),
    (b"usrName", Field::USER_NAME),
    (b"accountName", Field::USER_TARGET_NAME),
    (b"domain", Field::USER_DOMAIN),
    (b"proto", Field::NETWORK_TRANSPORT),
    (b"cat", Field::EVENT_CATEGORY),
    (b"sev", Field::EVENT_SEVERITY),
    (b"action", Field::EVENT_ACTION),
    (b"reason", Field::EVENT_REASON),
    (b"url", Field::URL_ORIGINAL),
    (b"identHostName", Field::SOURCE_DOMAIN),
    (b"resource", Field::FILE_NAME),
    (b"msg", Field::MESSAGE),
];

/// Whether a text says that it is LEEF.
pub(super) fn speaks(text: &[u8]) -> bool {
    text.starts_with(b"LEEF:1.0|") || text.starts_with(b"LEEF:2.0|")
}

/// Only the time of a line that has no other envelope.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    let head = speaks(line).then(|| head(line))??;
    stamp(&head, context)
}

/// The header's fields and the pairs with what separates them.
struct Head<'a> {
    vendor: &'a [u8],
    product: &'a [u8],
    code: &'a [u8],
    pairs: &'a [u8],
    separator: u8,
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    _arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    if !speaks(line) {
        return Verdict::NotMine;
    }
    let Some(head) = head(line) else {
        return Verdict::Malformed("no header of five fields");
    };
    if event.time.is_none() {
        event.time = stamp(&head, context);
    }
    put(Field::OBSERVER_VENDOR, head.vendor, event);
    put(Field::OBSERVER_PRODUCT, head.product, event);
    put(Field::EVENT_CODE, head.code, event);
    let mut seen = [false; KEYS.len()];
    let (mut said, mut acted) = (None, None);
    for (key, value) in head.pairs() {
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
            return Verdict::Malformed("a key comes twice");
        }
        if *field == Field::EVENT_ACTION {
            acted = Some(value);
        }
        put(*field, value, event);
    }
    let outcome = outcome(said).or_else(|| outcome(acted));
    event.text(Field::EVENT_OUTCOME, outcome.unwrap_or(b"unknown"));
    Verdict::Event
}

impl<'a> Head<'a> {
    fn pairs(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let separator = self.separator;
        let pairs = self.pairs.split(move |&b| b == separator);
        pairs.filter_map(|pair| cut(pair, b"="))
    }
}

fn head(line: &[u8]) -> Option<Head<'_>> {
    let second = line.starts_with(b"LEEF:2.0|");
    let (_, rest) = cut(line, b"|")?;
    let (vendor, rest) = cut(rest, b"|")?;
    let (product, rest) = cut(rest, b"|")?;
    let (_version, rest) = cut(rest, b"|")?;
    let (code, rest) = cut(rest, b"|")?;
    let named = cut(rest, b"|").and_then(|(name, rest)| Some((separator(name)?, rest)));
    // Version 2.0 may leave the separator out, with or without its bar.
    let (separator, pairs) = named.filter(|_| second).unwrap_or((b'\t', rest));
    Some(Head {
        vendor,
        product,
        code,
        pairs,
        separator,
    })
}

/// A byte as itself, `x09` or `0x09`; none stands for a tab.
fn separator(name: &[u8]) -> Option<u8> {
    match name {
        [] => Some(b'\t'),
        [byte] => Some(*byte),
        _ => {
            let hex = name
                .strip_prefix(b"0x")
                .or_else(|| name.strip_prefix(b"x"))
                .filter(|hex| (1..=2).contains(&hex.len()))?;
            u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
        }
    }
}

fn stamp(head: &Head<'_>, context: &Context) -> Option<Time> {
    let (_, value) = head.pairs().find(|(key, _)| *key == b"devTime")?;
    time(value, context)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Value;

    fn read(line: &str) -> (Verdict, Option<String>, Option<String>) {
        let arena = Bump::new();
        let line: &[u8] = arena.alloc_slice_copy(line.as_bytes());
        let context: &Context = arena.alloc(Context::utc(Time::from_secs(0)));
        let mut event = Event::new();
        let verdict = parse(line, context, &arena, &mut event);
        let source = match event.get(Field::SOURCE_IP) {
            Some(Value::Ip(ip)) => Some(ip.to_string()),
            _ => None,
        };
        let user = match event.get(Field::USER_NAME) {
            Some(Value::Text(text)) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        };
        (verdict, source, user)
    }

    #[test]
    fn pairs_stand_between_the_separator_that_the_header_names() {
        let same = (
            Verdict::Event,
            Some("192.0.2.7".to_owned()),
            Some("a b src=198.51.100.1".to_owned()),
        );
        for line in [
            "LEEF:1.0|V|P|1|9|src=192.0.2.7\tusrName=a b src=198.51.100.1",
            "LEEF:2.0|V|P|1|9|^|src=192.0.2.7^usrName=a b src=198.51.100.1",
            "LEEF:2.0|V|P|1|9|x5E|src=192.0.2.7^usrName=a b src=198.51.100.1",
            "LEEF:2.0|V|P|1|9|0x09|src=192.0.2.7\tusrName=a b src=198.51.100.1",
            "LEEF:2.0|V|P|1|9||src=192.0.2.7\tusrName=a b src=198.51.100.1",
            "LEEF:2.0|V|P|1|9|src=192.0.2.7\tusrName=a b src=198.51.100.1",
        ] {
            assert_eq!(read(line), same, "{line}");
        }
    }

    #[test]
    fn a_second_source_is_no_event() {
        let line = "LEEF:1.0|V|P|1|9|src=192.0.2.7\tsrc=198.51.100.1";
        assert!(matches!(read(line).0, Verdict::Malformed(_)));
        assert_eq!(read("LEEF:3.0|").0, Verdict::NotMine);
    }
}
