//! The other filters of the BSDs: ipfw, which the kernel logs, and IP Filter,
//! whose `ipmon` logs packets.
//!
//! Nothing in these lines is chosen by remote people but numbers.

use super::ends::{self, end};
use super::token::{Host, cut, cut_last, first_word, last_word, number, port, some};
use super::transport::{say_filtered, set_protocol, verdict};
use super::{Context, Format, Message, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::time::Time;

pub(super) static IPFW: Format = Format {
    name: "ipfw",
    about: "packets logged by ipfw of FreeBSD and macOS: `connection`, failure when denied",
    programs: &["kernel", "ipfw"],
    logsources: &[LogSource {
        product: "bsd",
        categories: &["firewall"],
        services: &["ipfw"],
    }],
    parse: Parser::Message(ipfw),
    example: "May  1 10:00:00 gate1 kernel: ipfw: 65000 Deny TCP 192.0.2.7:4711 198.51.100.5:22 in via em0",
};

pub(super) static IPMON: Format = Format {
    name: "ipmon",
    about: "packets logged by IP Filter's ipmon: `connection`, failure when blocked",
    programs: &["ipmon"],
    logsources: &[LogSource {
        product: "bsd",
        categories: &["firewall"],
        services: &["ipfilter"],
    }],
    parse: Parser::Text(ipmon),
    example: "May  1 10:00:00 gate1 ipmon[77]: 10:00:00.123456 em0 @0:12 b 192.0.2.7,4711 -> 198.51.100.5,22 PR tcp len 20 60 -S IN",
};

/// `ipfw: RULE ACTION [ARGUMENT] PROTO A:p B:q in via IF[ (frag …)]`.
fn ipfw<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = match message.text.strip_prefix(b"ipfw: ") {
        Some(text) => text,
        None if message.program == b"ipfw" => message.text,
        None => return Verdict::NotMine,
    };
    let (rule, rest) = first_word(text);
    if number(rule).is_none() {
        return Verdict::NotMine;
    }
    match filtered(rest, event) {
        Some(()) => {
            event.text(Field::RULE_ID, rule);
            Verdict::Event
        }
        None => Verdict::Malformed("a packet without its ends"),
    }
}

fn filtered<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    let (inbound, (head, interface)) = match cut(text, b" in via ") {
        Some(found) => (true, found),
        None => (false, cut(text, b" out via ")?),
    };
    let (interface, _fragment) = first_word(interface);
    let (head, to) = last_word(head);
    let (head, from) = last_word(head);
    let (action, protocol) = last_word(head);
    let address = |text| end(text).filter(|end| matches!(end.host, Host::Ip(_)));
    let (source, destination) = (address(from)?, address(to)?);
    let (word, _argument) = first_word(action);
    let verdict = match word {
        b"Unreach" | b"Reset" => Some(("reject", "failure")),
        other => verdict(other),
    };
    say_filtered(verdict, event);
    let (name, kind) = cut(protocol, b":").unwrap_or((protocol, &[]));
    set_protocol(if name == b"P" { kind } else { name }, event);
    if let Some((kind, code)) = cut(kind, b".").filter(|_| name != b"P") {
        for (field, value) in [(Field::ICMP_TYPE, kind), (Field::ICMP_CODE, code)] {
            event.set(field, Value::Int(number(value)?));
        }
    }
    ends::source(source, true, event);
    ends::destination(destination, true, event);
    direction(inbound, interface, event);
    Some(())
}

/// Sets the direction, and by which interface.
fn direction<'a>(inbound: bool, interface: &'a [u8], event: &mut Event<'a>) {
    let (word, field): (&[u8], _) = if inbound {
        (b"inbound", Field::OBSERVER_INGRESS)
    } else {
        (b"outbound", Field::OBSERVER_EGRESS)
    };
    event.text(Field::NETWORK_DIRECTION, word);
    some(event, field, interface);
}

/// `DD/MM/YYYY HH:MM:SS.ffffff ` of ipmon's own file; its day comes first.
fn stamp<'a>(text: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    let (&[d0, d1, b'/', m0, m1, b'/', y0, y1, y2, y3, b' '], rest) = text.split_first_chunk()?
    else {
        return None;
    };
    let (&[h0, h1, b':', n0, n1, b':', s0, s1], rest) = rest.split_first_chunk()? else {
        return None;
    };
    let (nanos, rest) = timestamp::decimals(rest)?;
    let civil = crate::time::Civil {
        year: number(&[y0, y1, y2, y3])?,
        month: timestamp::two(m0, m1),
        day: timestamp::two(d0, d1),
        hour: timestamp::two(h0, h1),
        minute: timestamp::two(n0, n1),
        second: timestamp::two(s0, s1),
        nanos,
    };
    Some((timestamp::local(civil, context)?, rest.strip_prefix(b" ")?))
}

/// Only the stamp of a line of ipmon's own file.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    let (time, rest) = stamp(line, context)?;
    packet(rest).map(|_| time)
}

/// What stands before the ends.
struct Head<'a> {
    interface: &'a [u8],
    rule: &'a [u8],
    verdict: u8,
    rest: &'a [u8],
}

fn packet(text: &[u8]) -> Option<Head<'_>> {
    let mut rest = text;
    // `2x`: as often as that.
    let (word, after) = first_word(rest);
    if word.strip_suffix(b"x").and_then(number).is_some() {
        rest = after;
    }
    let (interface, after) = first_word(rest);
    let (rule, after) = first_word(after.strip_prefix(b"@")?);
    let (verdict, after) = first_word(after);
    match verdict {
        [verdict @ (b'p' | b'P' | b'b' | b'B' | b'S' | b'n' | b'N' | b'L')] => Some(Head {
            interface,
            rule,
            verdict: *verdict,
            rest: after,
        }),
        _ => None,
    }
}

fn ipmon<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    let (time, rest) = match stamp(text, context) {
        Some((time, rest)) => (Some(time), rest),
        // In syslog, only the time of day stands before the packet.
        None if event.time.is_some() => {
            let (clock, rest) = first_word(text);
            let sound = clock.get(2) == Some(&b':') && clock.get(5) == Some(&b':');
            (None, if sound { rest } else { text })
        }
        None => return Verdict::NotMine,
    };
    let Some(head) = packet(rest) else {
        return Verdict::NotMine;
    };
    event.time = event.time.or(time);
    match ends(head.rest, event) {
        Some(inbound) => {
            say_filtered(
                match head.verdict {
                    b'p' | b'P' => Some(("pass", "success")),
                    b'b' | b'B' => Some(("block", "failure")),
                    _ => None,
                },
                event,
            );
            event.text(Field::RULE_ID, head.rule);
            direction(inbound, head.interface, event);
            Verdict::Event
        }
        None => Verdict::Malformed("a packet without its ends"),
    }
}

/// `A,p -> B,q PR proto … IN`.
fn ends<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<bool> {
    let (source, rest) = cut(text, b" -> ")?;
    let (destination, rest) = cut(rest, b" PR ")?;
    let joined = |text: &'a [u8]| {
        let (host, number) = match cut_last(text, b",") {
            Some((host, number)) => (host, port(number)),
            None => (text, None),
        };
        // ipmon -n leaves names away; without it they stand before brackets.
        let host = cut(host, b"[").map_or(host, |(_, ip)| ip.strip_suffix(b"]").unwrap_or(ip));
        Some((Host::read(host)?, number))
    };
    let (source, destination) = (joined(source)?, joined(destination)?);
    super::transport::set_hosts(source.0, destination.0, event);
    super::transport::set_ports(source.1, destination.1, event);
    set_protocol(first_word(rest).0, event);
    let out = rest.split(|&b| b == b' ').any(|word| word == b"OUT");
    Some(!out)
}

#[cfg(test)]
mod tests {
    use super::super::shape::shown;
    use super::*;

    const FIELDS: [Field; 6] = [
        Field::EVENT_OUTCOME,
        Field::NETWORK_TRANSPORT,
        Field::SOURCE_IP,
        Field::SOURCE_PORT,
        Field::DESTINATION_IP,
        Field::DESTINATION_PORT,
    ];

    #[test]
    fn every_action_of_ipfw() {
        for (text, expected) in [
            (
                "65000 Deny TCP 192.0.2.7:4711 198.51.100.5:22 in via em0",
                "failure|tcp|192.0.2.7|4711|198.51.100.5|22",
            ),
            (
                "100 Accept ICMP:8.0 192.0.2.7 198.51.100.5 out via em0",
                "success|icmp|192.0.2.7|-|198.51.100.5|-",
            ),
            (
                "100 Unreach 13 UDP 192.0.2.7:1 198.51.100.5:53 in via em0",
                "failure|udp|192.0.2.7|1|198.51.100.5|53",
            ),
            (
                "100 Deny ICMPv6:135.0 [2001:db8::7] [2001:db8::5] in via em0",
                "failure|ipv6-icmp|2001:db8::7|-|2001:db8::5|-",
            ),
            (
                "100 Deny P:2 192.0.2.7 224.0.0.1 in via em0",
                "failure|igmp|192.0.2.7|-|224.0.0.1|-",
            ),
            (
                "100 Deny UDP 192.0.2.7:1 198.51.100.5:53 in via em0 (frag 123:400@0+)",
                "failure|udp|192.0.2.7|1|198.51.100.5|53",
            ),
            (
                "100 Forward to 203.0.113.9:3128 TCP 192.0.2.7:1 198.51.100.5:80 out via em0",
                "unknown|tcp|192.0.2.7|1|198.51.100.5|80",
            ),
        ] {
            let read = shown(&IPFW, "ipfw", text, &FIELDS);
            assert_eq!(read, (Verdict::Event, expected.to_owned()), "{text}");
        }
        assert_eq!(
            shown(&IPFW, "kernel", "em0: link up", &[]).0,
            Verdict::NotMine
        );
        let cut = shown(&IPFW, "ipfw", "100 Deny TCP 192.0.2.7:1 in via em0", &[]);
        assert!(matches!(cut.0, Verdict::Malformed(_)));
    }

    #[test]
    fn ipmon_in_its_own_file_and_in_syslog() {
        let context = Context::utc(Time::from_secs(1_714_521_600));
        for (text, expected) in [
            (
                "06/05/2024 08:00:00.5 em0 @0:12 b 192.0.2.7,4711 -> 198.51.100.5,22 PR tcp len 20 60 -S IN",
                "failure|tcp|192.0.2.7|4711|198.51.100.5|22",
            ),
            (
                "06/05/2024 08:00:00.5 2x em0 @-1:-1 p 2001:db8::7 -> 2001:db8::5 PR icmpv6 len 40 84 icmpv6 echo/0 OUT",
                "success|ipv6-icmp|2001:db8::7|-|2001:db8::5|-",
            ),
        ] {
            let mut event = Event::new();
            assert_eq!(
                ipmon(text.as_bytes(), &context, &mut event),
                Verdict::Event,
                "{text}"
            );
            let read = FIELDS.map(|field| event.shown(field)).join("|");
            assert_eq!(read, expected, "{text}");
            assert_eq!(
                event.time.map(|t| t.to_string()).as_deref(),
                Some("2024-05-06T08:00:00.500Z")
            );
        }
        let mut event = Event::new();
        assert_eq!(
            ipmon(b"06/05/2024 08:00:00 x", &context, &mut event),
            Verdict::NotMine
        );
    }
}
