//! Flows as text for people: nfdump's `line`, `long` and `extended`, and SiLK's
//! `rwcut`. All of it is numbers that the collector wrote.

use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::format::ends::{self, end};
use crate::format::timestamp::{decimals, iso, slashed};
use crate::format::token::{ip, number, port, say, trim_end, trim_start};
use crate::format::transport::{set_hosts, set_protocol};
use crate::format::{Context, Format, Parser, Verdict};
use crate::time::{Span, Time};

pub(in crate::format) static FORMAT: Format = Format {
    name: "flow-lines",
    about: "nfdump's line, long and extended output, and SiLK's rwcut: `connection`",
    programs: &[],
    logsources: &[LogSource {
        product: "netflow",
        categories: &["netflow", "network_connection"],
        services: &["netflow"],
    }],
    parse: Parser::Text(parse),
    example: "2024-05-06 08:00:00.123     4.096 TCP          192.0.2.7:4711  ->     198.51.100.5:22           12     3400     1",
};

/// SiLK's default columns that are read, from the left.
const SILK_COLUMNS: usize = 9;

/// Only the stamp.
pub(in crate::format) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    if line.get(4) == Some(&b'-') {
        let (time, rest) = stamped(line, context)?;
        return memchr::memmem::find(rest, b" -> ").map(|_| time);
    }
    silk_time(&silk_cells(line)?, context)
}

fn parse<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    if text.get(4) == Some(&b'-') && text.get(10) == Some(&b' ') {
        let Some((time, rest)) = stamped(text, context) else {
            return Verdict::NotMine;
        };
        return match nfdump(rest, event) {
            Some(()) => {
                event.time = event.time.or(Some(time));
                Verdict::Event
            }
            None => Verdict::NotMine,
        };
    }
    let Some(cells) = silk_cells(text) else {
        return Verdict::NotMine;
    };
    event.time = event.time.or_else(|| silk_time(&cells, context));
    match silk(&cells, event) {
        Some(()) => Verdict::Event,
        None => Verdict::Malformed("not rwcut's columns"),
    }
}

/// The first stamp; a second one (when the flow ended) may follow it.
fn stamped<'a>(line: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    let (time, rest) = iso(line, context)?;
    let after = trim_start(rest);
    match iso(after, context) {
        Some((_, rest)) => Some((time, rest)),
        None => Some((time, after)),
    }
}

/// `DURATION PROTO A:p -> B:q [FLAGS TOS] PACKETS BYTES …`.
fn nfdump<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    let mut words = text.split(|&b| b == b' ').filter(|word| !word.is_empty());
    let duration = nanos(words.next()?)?;
    let protocol = words.next()?;
    let source = end(words.next()?)?;
    if words.next()? != b"->" {
        return None;
    }
    let destination = end(words.next()?)?;
    let mut counts = words.filter_map(number);
    let (first, second, third) = (counts.next(), counts.next(), counts.next());
    let fourth = counts.next();
    say(event, "connection", "unknown", "network");
    ends::source(source, true, event);
    ends::destination(destination, true, event);
    set_protocol(protocol, event);
    event.set(Field::EVENT_DURATION, Value::Int(duration));
    // `long` and `extended` have the type of service before the counts; where
    // there is one more word, `extended` has rates behind them.
    let (packets, bytes) = match fourth {
        Some(_) => (second, third),
        None => (first, second),
    };
    for (field, value) in [
        (Field::SOURCE_PACKETS, packets),
        (Field::SOURCE_BYTES, bytes),
    ] {
        if let Some(value) = value {
            event.set(field, Value::Int(value));
        }
    }
    Some(())
}

/// Seconds with decimals.
fn nanos(text: &[u8]) -> Option<i64> {
    let point = text.iter().position(|b| *b == b'.')?;
    let (whole, rest) = text.split_at_checked(point)?;
    let (nanos, rest) = decimals(rest)?;
    let whole = number(whole)?.checked_mul(1_000_000_000)?;
    rest.is_empty()
        .then(|| whole.saturating_add(i64::from(nanos)))
}

/// The cells of a row whose first two are addresses.
fn silk_cells(line: &[u8]) -> Option<[&[u8]; SILK_COLUMNS]> {
    if !matches!(line.first(), Some(b' ' | b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut cells = [&b""[..]; SILK_COLUMNS];
    let mut found = line.split(|&b| b == b'|');
    for (n, slot) in cells.iter_mut().enumerate() {
        *slot = trim_end(trim_start(found.next()?));
        // A line of another kind is left at its first cell.
        if n < 2 {
            ip(slot)?;
        }
    }
    Some(cells)
}

/// `2024/05/06T08:00:00.123`.
fn silk_time(cells: &[&[u8]; SILK_COLUMNS], context: &Context) -> Option<Time> {
    let [.., stamp] = cells;
    let mut spaced = [b' '; 19];
    spaced.copy_from_slice(stamp.get(..19)?);
    if let Some(blank @ b'T') = spaced.get_mut(10) {
        *blank = b' ';
    }
    let (time, _) = slashed(&spaced, context)?;
    let (nanos, _) = decimals(stamp.get(19..)?)?;
    Some(time.plus(Span::from_nanos(i64::from(nanos))))
}

fn silk<'a>(cells: &[&'a [u8]; SILK_COLUMNS], event: &mut Event<'a>) -> Option<()> {
    let [
        from,
        to,
        source,
        destination,
        protocol,
        packets,
        bytes,
        flags,
        _,
    ] = *cells;
    event.time?;
    let host = crate::format::token::Host::read;
    let ports = (port(source)?, port(destination)?);
    let counts = (number(packets)?, number(bytes)?);
    say(event, "connection", "unknown", "network");
    set_hosts(host(from)?, host(to)?, event);
    set_protocol(protocol, event);
    if matches!(protocol, b"6" | b"17" | b"132") {
        crate::format::transport::set_ports(Some(ports.0), Some(ports.1), event);
    }
    event.set(Field::SOURCE_PACKETS, Value::Int(counts.0));
    event.set(Field::SOURCE_BYTES, Value::Int(counts.1));
    crate::format::token::some(event, Field::TCP_FLAGS, flags);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Verdict, String) {
        let context = Context::utc(Time::from_secs(1_714_982_400));
        let mut event = Event::new();
        let verdict = parse(text.as_bytes(), &context, &mut event);
        let fields = [
            Field::NETWORK_TRANSPORT,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::DESTINATION_IP,
            Field::DESTINATION_PORT,
            Field::SOURCE_PACKETS,
            Field::SOURCE_BYTES,
        ];
        let time = event.time.map_or("-".to_owned(), |time| time.to_string());
        let shown = fields.map(|field| event.shown(field)).join("|");
        (verdict, format!("{time} {shown}"))
    }

    #[test]
    fn rows_of_every_output() {
        for (text, expected) in [
            (
                FORMAT.example,
                "2024-05-06T08:00:00.123Z tcp|192.0.2.7|4711|198.51.100.5|22|12|3400",
            ),
            (
                "2024-05-06 08:00:00.123     0.000 TCP       192.0.2.7:4711  ->    198.51.100.5:22    ....S.   0        1       60     1",
                "2024-05-06T08:00:00.123Z tcp|192.0.2.7|4711|198.51.100.5|22|1|60",
            ),
            (
                "2024-05-06 08:00:00.123 2024-05-06 08:00:01.123     1.000 UDP       192.0.2.7:4711  ->    198.51.100.5:53        1       60     1",
                "2024-05-06T08:00:00.123Z udp|192.0.2.7|4711|198.51.100.5|53|1|60",
            ),
            (
                "      192.0.2.7|   198.51.100.5| 4711|   22|  6|         1|        60|S       |2024/05/06T08:00:00.123|    0.000|2024/05/06T08:00:00.123| S0|",
                "2024-05-06T08:00:00.123Z tcp|192.0.2.7|4711|198.51.100.5|22|1|60",
            ),
        ] {
            assert_eq!(read(text), (Verdict::Event, expected.to_owned()), "{text}");
        }
        for text in [
            "2024-05-06 08:00:00.123 x -> y",
            "sIP|dIP|",
            "",
            "192.0.2.7|x|",
        ] {
            assert_eq!(read(text).0, Verdict::NotMine, "{text}");
        }
        let cut = "192.0.2.7|198.51.100.5|4711|22|6|1|60|S|2024/05/06T";
        assert!(matches!(read(cut).0, Verdict::Malformed(_)));
    }
}
