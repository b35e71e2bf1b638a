//! ISC's dhcpd: who asked for which address and what it was given.
//!
//! `DHCPACK on A to MAC (NAME) via INTERFACE`. The server writes address and
//! hardware address first; the name behind them is the client's. Only an
//! address that the server gave is the client's: one it asked for is not.

use std::net::IpAddr;

use super::token::{cut, first_word, ip, say, some};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "dhcpd",
    about: "ISC dhcpd: dhcp_discover, dhcp_offer, dhcp_request, dhcp_ack, dhcp_nak, dhcp_release, ...",
    programs: &["dhcpd", "dhcpd4", "isc-dhcp-server"],
    logsources: &[LogSource {
        product: "dhcpd",
        categories: &["dhcp"],
        services: &["dhcpd", "dhcp", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  6 08:00:00 gate1 dhcpd[812]: DHCPACK on 192.0.2.7 to 52:54:00:12:34:56 (laptop) via eth0",
};

/// What a server and a client say to each other of an address.
pub(super) struct Lease<'a> {
    pub(super) action: &'static str,
    outcome: &'static str,
    /// Whose the address is: the server's word, or the client's wish.
    granted: bool,
    pub(super) address: Option<IpAddr>,
    pub(super) mac: &'a [u8],
    pub(super) name: &'a [u8],
    pub(super) reason: &'a [u8],
}

impl<'a> Lease<'a> {
    /// By the word after `DHCP`.
    pub(super) fn of(verb: &[u8]) -> Option<Lease<'a>> {
        let (action, outcome, granted) = match verb {
            b"DISCOVER" => ("dhcp_discover", "unknown", false),
            b"OFFER" => ("dhcp_offer", "unknown", false),
            b"REQUEST" => ("dhcp_request", "unknown", false),
            b"ACK" => ("dhcp_ack", "success", true),
            b"NAK" => ("dhcp_nak", "failure", false),
            b"DECLINE" => ("dhcp_decline", "failure", false),
            b"RELEASE" => ("dhcp_release", "success", false),
            b"INFORM" => ("dhcp_inform", "unknown", false),
            b"EXPIRE" => ("dhcp_expire", "unknown", false),
            _ => return None,
        };
        Some(Lease {
            action,
            outcome,
            granted,
            address: None,
            mac: &[],
            name: &[],
            reason: &[],
        })
    }

    pub(super) fn set(self, event: &mut Event<'a>) {
        say(event, self.action, self.outcome, "network");
        if let Some(address) = self.address {
            let address = Value::Ip(address);
            if self.granted {
                event.set(Field::SOURCE_IP, address);
                event.set(Field::DHCP_ASSIGNED_IP, address);
            } else if self.action == "dhcp_offer" {
                event.set(Field::DHCP_ASSIGNED_IP, address);
            } else {
                event.set(Field::DHCP_REQUESTED_IP, address);
            }
        }
        some(event, Field::SOURCE_MAC, self.mac);
        some(event, Field::SOURCE_DOMAIN, self.name);
        some(event, Field::EVENT_REASON, self.reason);
    }
}

/// `52:54:00:12:34:56`, also longer ones (Infiniband has 20 bytes).
pub(super) fn is_mac(word: &[u8]) -> bool {
    (5..=59).contains(&word.len())
        && word
            .split(|&b| matches!(b, b':' | b'-'))
            .all(|part| matches!(part, [a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
}

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let Some((verb, rest)) = message.text.strip_prefix(b"DHCP").map(first_word) else {
        return Verdict::NotMine;
    };
    let Some(lease) = Lease::of(verb) else {
        return Verdict::NotMine;
    };
    match read(lease, rest) {
        Ok(lease) => {
            lease.set(event);
            Verdict::Event
        }
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `[for|on|of|to|from A ][(SERVER) ][from|to MAC ][(NAME) ]via INTERFACE[: REASON]`.
fn read<'a>(mut lease: Lease<'a>, text: &'a [u8]) -> Result<Lease<'a>, &'static str> {
    let mut rest = text;
    let (word, after) = first_word(rest);
    let (subject, after_subject) = first_word(after);
    if let (b"for" | b"on" | b"of" | b"to" | b"from", Some(address)) = (word, ip(subject)) {
        lease.address = Some(address);
        rest = after_subject;
        if let Some((_, after)) = rest.strip_prefix(b"(").and_then(|rest| cut(rest, b") ")) {
            // The server that the client chose; or, where an INFORM is
            // answered, the client's hardware address.
            let inside = rest
                .get(1..rest.len() - after.len() - 2)
                .unwrap_or_default();
            if is_mac(inside) {
                lease.mac = inside;
            }
            rest = after;
        }
    }
    let (word, after) = first_word(rest);
    if matches!(word, b"from" | b"to") {
        let (mac, after) = first_word(after);
        if !is_mac(mac) {
            return Err("no hardware address");
        }
        lease.mac = mac;
        rest = after;
    } else if lease.address.is_none() {
        return Err("neither an address nor a hardware address");
    }
    // The name may hold anything; the interface after it may not.
    if let Some(named) = rest.strip_prefix(b"(") {
        let (name, _) = cut(named, b") via ").ok_or("the name's bracket does not end")?;
        lease.name = name;
        rest = named.get(name.len() + 2..).unwrap_or_default();
    }
    let interface = rest.strip_prefix(b"via ").ok_or("no interface")?;
    if let Some((_, reason)) = cut(interface, b": ") {
        lease.reason = reason;
    }
    Ok(lease)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> (Verdict, String) {
        let mut event = Event::new();
        let message = Message {
            program: b"dhcpd",
            text: text.as_bytes(),
        };
        let verdict = parse(message, &mut event);
        let fields = [
            Field::EVENT_ACTION,
            Field::SOURCE_IP,
            Field::SOURCE_MAC,
            Field::SOURCE_DOMAIN,
            Field::DHCP_REQUESTED_IP,
            Field::DHCP_ASSIGNED_IP,
            Field::EVENT_REASON,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join("|"))
    }

    #[test]
    fn only_an_address_that_was_given_is_the_clients() {
        let mac = "52:54:00:12:34:56";
        for (text, expected) in [
            (
                format!("DHCPDISCOVER from {mac} via eth0: network 192.0.2.0/24: no free leases"),
                format!("dhcp_discover|-|{mac}|-|-|-|network 192.0.2.0/24: no free leases"),
            ),
            (
                format!("DHCPOFFER on 192.0.2.7 to {mac} (laptop) via eth0"),
                format!("dhcp_offer|-|{mac}|laptop|-|192.0.2.7|-"),
            ),
            (
                format!("DHCPREQUEST for 192.0.2.7 (192.0.2.1) from {mac} (a b) via 192.0.2.2"),
                format!("dhcp_request|-|{mac}|a b|192.0.2.7|-|-"),
            ),
            (
                format!("DHCPACK on 192.0.2.7 to {mac} (x via y) via eth0"),
                format!("dhcp_ack|192.0.2.7|{mac}|x via y|-|192.0.2.7|-"),
            ),
            (
                format!("DHCPACK to 192.0.2.7 ({mac}) via eth0"),
                format!("dhcp_ack|192.0.2.7|{mac}|-|-|192.0.2.7|-"),
            ),
            (
                format!("DHCPRELEASE of 192.0.2.7 from {mac} via eth0 (found)"),
                format!("dhcp_release|-|{mac}|-|192.0.2.7|-|-"),
            ),
            (
                "DHCPINFORM from 192.0.2.7 via eth0".to_owned(),
                "dhcp_inform|-|-|-|192.0.2.7|-|-".to_owned(),
            ),
        ] {
            assert_eq!(shown(&text), (Verdict::Event, expected), "{text}");
        }
    }

    #[test]
    fn other_lines_are_not_ours_and_broken_ones_malformed() {
        assert_eq!(shown("Wrote 5 leases to leases file.").0, Verdict::NotMine);
        for text in [
            "DHCPACK on 192.0.2.7 to laptop via eth0",
            "DHCPREQUEST via eth0",
            "DHCPDISCOVER from 52:54:00:12:34:56",
        ] {
            assert!(matches!(shown(text).0, Verdict::Malformed(_)), "{text}");
        }
    }
}
