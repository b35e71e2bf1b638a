//! The debug log of Windows' DNS server: a line for each packet.
//!
//! `5/6/2024 8:00:00 AM 0E70 PACKET  ADDRESS UDP Rcv 192.0.2.7 6f54   Q [0001 D
//! NOERROR] A (3)www(7)example(3)net(0)`; the name comes last, with the length
//! before each label.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::timestamp::local;
use super::token::{cut, first_word, ip, number, say, some, trim_end, trim_start};
use super::{Context, Format, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::time::{Civil, Time};

pub(super) static FORMAT: Format = Format {
    name: "windns",
    about: "the debug log of Windows' DNS server: dns_query, dns_answer",
    programs: &[],
    logsources: &[LogSource {
        product: "windows",
        categories: &["dns"],
        services: &["dns-server-debug"],
    }],
    parse: Parser::Line(parse),
    example: "5/6/2024 8:00:00 AM 0E70 PACKET  00000000028657F0 UDP Rcv 192.0.2.7       6f54   Q [0001   D   NOERROR] A      (3)www(7)example(3)net(0)",
};

/// Longest name (RFC 1035, 2.3.4).
const NAME_MAX: usize = 255;

/// `M/D/YYYY h:mm:ss AM`, or `D/M/YYYY hh:mm:ss` where the clock has 24 hours.
fn stamp<'a>(line: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    if !line.first()?.is_ascii_digit() || !matches!(line.get(1..3)?, [b'/', _] | [_, b'/']) {
        return None;
    }
    let (date, rest) = cut(line, b" ")?;
    let (clock, rest) = cut(rest, b" ")?;
    let three = |text: &[u8], separator: u8| {
        let mut parts = text.split(|&b| b == separator).map(number);
        let found = (parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(found)
    };
    let (first, second, year) = three(date, b'/')?;
    let (hour, minute, seconds) = three(clock, b':')?;
    let (half, after) = first_word(rest);
    let (hour, (month, day), rest) = match half {
        b"AM" => (hour % 12, (first, second), after),
        b"PM" => (hour % 12 + 12, (first, second), after),
        _ => (hour, (second, first), rest),
    };
    let small = |n: i64| u8::try_from(n).ok();
    let civil = Civil {
        year,
        month: small(month)?,
        day: small(day)?,
        hour: small(hour)?,
        minute: small(minute)?,
        second: small(seconds)?,
        nanos: 0,
    };
    Some((local(civil, context)?, rest))
}

/// What follows the thread and `PACKET`.
fn packet(text: &[u8]) -> Option<&[u8]> {
    let (_thread, rest) = first_word(text);
    rest.strip_prefix(b"PACKET ").map(trim_start)
}

/// Only the stamp.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    let (time, rest) = stamp(line, context)?;
    packet(rest).map(|_| time)
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let Some((time, rest)) = stamp(line, context) else {
        return Verdict::NotMine;
    };
    let Some(rest) = packet(rest) else {
        return Verdict::NotMine;
    };
    event.time = Some(time);
    let before = event.values().len();
    if read(trim_end(rest), arena, event).is_none() {
        event.truncate(before);
        return Verdict::Malformed("not the words of a packet");
    }
    Verdict::Event
}

fn read<'a>(text: &'a [u8], arena: &'a Bump, event: &mut Event<'a>) -> Option<()> {
    let (head, tail) = cut(text, b"[")?;
    let (flags, tail) = cut(tail, b"]")?;
    let mut words = head.split(|&b| b == b' ').filter(|word| !word.is_empty());
    let (_packet, protocol) = (words.next()?, words.next()?);
    let (direction, address, id) = (words.next()?, words.next()?, words.next()?);
    let address = ip(address)?;
    let answers = words.next()? == b"R";
    let id = u16::from_str_radix(std::str::from_utf8(id).ok()?, 16).ok()?;
    let code = flags.rsplit(|&b| b == b' ').next()?;
    let received = match direction {
        b"Rcv" => true,
        b"Snd" => false,
        _ => return None,
    };
    let tail = trim_start(tail);
    let (kind, name) = first_word(tail);
    let (action, outcome) = if answers {
        ("dns_answer", super::unbound::outcome(code))
    } else {
        ("dns_query", "unknown")
    };
    say(event, action, outcome, "network");
    let field = if received {
        Field::SOURCE_IP
    } else {
        Field::DESTINATION_IP
    };
    event.set(field, Value::Ip(address));
    event.set(Field::DNS_ID, Value::Int(i64::from(id)));
    super::transport::set_protocol(protocol, event);
    some(event, Field::DNS_QUESTION_TYPE, kind);
    some(
        event,
        Field::DNS_QUESTION_NAME,
        labels(trim_start(name), arena)?,
    );
    if answers {
        some(event, Field::DNS_RESPONSE_CODE, code);
    }
    Some(())
}

/// `(3)www(7)example(3)net(0)` as `www.example.net`.
fn labels<'a>(text: &'a [u8], arena: &'a Bump) -> Option<&'a [u8]> {
    let mut name = BumpVec::with_capacity_in(text.len().min(NAME_MAX), arena);
    let mut rest = text;
    while let Some((length, after)) = rest.strip_prefix(b"(").and_then(|rest| cut(rest, b")")) {
        let length = usize::try_from(number(length)?).ok()?;
        let (label, after) = after.split_at_checked(length)?;
        if length == 0 {
            break;
        }
        if !name.is_empty() {
            name.push(b'.');
        }
        name.extend_from_slice(label);
        rest = after;
        if name.len() > NAME_MAX {
            return None;
        }
    }
    Some(name.into_bump_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> (Verdict, String) {
        let context = Context::utc(Time::from_secs(1_714_982_400));
        let fields = [
            Field::EVENT_ACTION,
            Field::SOURCE_IP,
            Field::DESTINATION_IP,
            Field::DNS_QUESTION_TYPE,
            Field::DNS_QUESTION_NAME,
            Field::DNS_RESPONSE_CODE,
        ];
        let seen = crate::format::shape::seen(line, &context, &fields);
        (seen.verdict, format!("{} {}", seen.time, seen.fields))
    }

    #[test]
    fn packets_in_both_directions_and_both_calendars() {
        for (line, expected) in [
            (
                FORMAT.example,
                "2024-05-06T08:00:00Z dns_query|192.0.2.7|-|A|www.example.net|-",
            ),
            (
                "06/05/2024 20:00:00 0E70 PACKET  00000000028657F0 TCP Snd 2001:db8::7     6f54 R Q [8381   DR NXDOMAIN] AAAA   (1)a(7)example(3)net(0)",
                "2024-05-06T20:00:00Z dns_answer|-|2001:db8::7|AAAA|a.example.net|NXDOMAIN",
            ),
            (
                "5/6/2024 12:00:00 PM 0E70 PACKET  00000000028657F0 UDP Rcv 192.0.2.7 6f54   Q [0001   D   NOERROR] NS     (0)",
                "2024-05-06T12:00:00Z dns_query|192.0.2.7|-|NS|-|-",
            ),
        ] {
            assert_eq!(shown(line), (Verdict::Event, expected.to_owned()), "{line}");
        }
    }

    #[test]
    fn what_is_no_packet_is_not_ours_and_a_cut_one_malformed() {
        for line in ["5/6/2024 8:00:00 AM 0E70 EVENT  x", "5/6", "", "5/6/2024 x"] {
            assert_eq!(shown(line).0, Verdict::NotMine, "{line}");
        }
        let broken = "5/6/2024 8:00:00 AM 0E70 PACKET  00 UDP Rcv 192.0.2.7 6f54   Q [0001   D   NOERROR] A      (90)www";
        assert!(matches!(shown(broken).0, Verdict::Malformed(_)));
    }
}
