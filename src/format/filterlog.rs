//! pf's filter on pfSense and OPNsense: `filterlog`, a line of comma-separated
//! values for each packet.
//!
//! The first nine values are pf's, then come those of the IP version, then
//! those of the protocol; all have fixed places, and remote people choose
//! numbers only.

use super::token::{Host, number, port};
use super::transport::{say_filtered, set_hosts, set_ports, set_protocol, verdict};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "filterlog",
    about: "packets logged by pf on pfSense and OPNsense: `connection`, failure when blocked",
    programs: &["filterlog"],
    logsources: &[LogSource {
        product: "pfsense",
        categories: &["firewall"],
        services: &["filterlog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 gate1 filterlog[69805]: 53,,,1000000301,em0,match,block,in,4,0x0,,64,420,0,DF,6,tcp,60,192.0.2.7,198.51.100.5,53742,22,0,S,29633380,,65535,,mss;nop;wscale",
};

/// A value that should be there.
const SHORT: &str = "too few values";

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    if !message.text.first().is_some_and(u8::is_ascii_digit) {
        return Verdict::NotMine;
    }
    match read(message.text, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

fn read<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let mut values = text.split(|&b| b == b',');
    let mut next = || values.next().ok_or(SHORT);
    let (rule, _sub, _anchor, tracker) = (next()?, next()?, next()?, next()?);
    let (interface, reason, action) = (next()?, next()?, next()?);
    let (direction, version) = (next()?, next()?);
    number(rule).ok_or("the rule is no number")?;
    let inbound = match direction {
        b"in" => true,
        b"out" => false,
        _ => return Err("neither in nor out"),
    };
    say_filtered(verdict(action), event);
    if !tracker.is_empty() {
        event.text(Field::RULE_ID, tracker);
    }
    event.text(Field::EVENT_REASON, reason);
    let (direction, by): (&[u8], _) = if inbound {
        (b"inbound", Field::OBSERVER_INGRESS)
    } else {
        (b"outbound", Field::OBSERVER_EGRESS)
    };
    event.text(Field::NETWORK_DIRECTION, direction);
    event.text(by, interface);
    // Up to the protocol, by IP version: TOS, ECN, TTL, id, offset, flags and
    // the number; or class, flow label, hop limit, and the number after it.
    let before = match version {
        b"4" => 7,
        b"6" => 3,
        _ => return Err("neither IPv4 nor IPv6"),
    };
    for _ in 0..before {
        next()?;
    }
    let (first, second) = (next()?, next()?);
    // IPv4: the name, the length. IPv6: name and number, in either order.
    let (name, length) = match (version, number(first)) {
        (b"4", _) => (first, second),
        (_, None) => (first, next()?),
        (_, Some(_)) => (second, next()?),
    };
    let length = number(length).ok_or("the length is no number")?;
    let host = |text| Host::read(text).ok_or("no address");
    let (source, destination) = (host(next()?)?, host(next()?)?);
    set_hosts(source, destination, event);
    set_protocol(name, event);
    event.set(Field::NETWORK_BYTES, Value::Int(length));
    let (tcp, udp) = (
        name.eq_ignore_ascii_case(b"tcp"),
        name.eq_ignore_ascii_case(b"udp"),
    );
    if tcp || udp {
        let ports = (next()?, next()?);
        let port = |text| port(text).ok_or("a port is no port");
        set_ports(Some(port(ports.0)?), Some(port(ports.1)?), event);
    }
    if tcp {
        let (_length, flags) = (next()?, next()?);
        if !flags.is_empty() {
            event.text(Field::TCP_FLAGS, flags);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Verdict, String) {
        let mut event = Event::new();
        let message = Message {
            program: b"filterlog",
            text: text.as_bytes(),
        };
        let verdict = parse(message, &mut event);
        let fields = [
            Field::EVENT_OUTCOME,
            Field::NETWORK_DIRECTION,
            Field::NETWORK_TRANSPORT,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::DESTINATION_IP,
            Field::DESTINATION_PORT,
            Field::TCP_FLAGS,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join(" "))
    }

    #[test]
    fn both_versions_of_ip_and_every_protocol() {
        for (text, expected) in [
            (
                "53,,,1000000301,em0,match,block,in,4,0x0,,64,420,0,none,6,tcp,460,192.0.2.7,198.51.100.5,53742,22,420,PA,1:2,3,65535,,",
                "failure inbound tcp 192.0.2.7 53742 198.51.100.5 22 PA",
            ),
            (
                "9,,,02f4,re0,match,pass,out,6,0x00,0x0ea87,51,udp,17,73,2001:db8::7,2001:db8::5,6881,53,73",
                "success outbound udp 2001:db8::7 6881 2001:db8::5 53 -",
            ),
            (
                "9,,,02f4,re0,match,pass,in,6,0x00,0x00000,255,ICMPv6,58,32,fe80::1,ff02::1,",
                "success inbound ipv6-icmp fe80::1 - ff02::1 - -",
            ),
            (
                "5,,,1,em0,match,block,in,4,0x0,,64,1,0,none,1,icmp,84,192.0.2.7,198.51.100.5,unreachport,203.0.113.66,17,53",
                "failure inbound icmp 192.0.2.7 - 198.51.100.5 - -",
            ),
            (
                "5,,,1,em0,match,block,in,4,0xc0,,1,1,0,none,2,igmp,36,192.0.2.7,224.0.0.1,datalength=12",
                "failure inbound igmp 192.0.2.7 - 224.0.0.1 - -",
            ),
        ] {
            assert_eq!(read(text), (Verdict::Event, expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_line_that_is_cut_or_broken_is_malformed() {
        for text in [
            "53,,,1,em0,match,block,in,4,0x0,,64,420,0,none,6,tcp,460,192.0.2.7,198.51.100.5,53742",
            "53,,,1,em0,match,block,in,5,0x0,,64,420,0,none,6,tcp,460,192.0.2.7,198.51.100.5,1,2,0,S",
            "53,,,1,em0,match,block,in,4,0x0,,64,420,0,none,6,tcp,460,192.0.2,a b,1,2,0,S",
            "53,,,1,em0,match,block,up,4",
        ] {
            assert!(matches!(read(text).0, Verdict::Malformed(_)), "{text}");
        }
        assert_eq!(read("reloaded rules").0, Verdict::NotMine);
    }
}
