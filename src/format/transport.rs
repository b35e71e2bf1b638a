//! What filters and flow logs share: protocols by number and name, the words
//! of their verdicts, and the two ends of a packet.

use super::token::{Host, number};
use crate::event::{Event, Value};
use crate::field::Field;

/// Protocols with their IANA number, in the spelling of `network.transport`,
/// and other spellings that logs have.
const PROTOCOLS: &[(i64, &str, &str)] = &[
    (6, "tcp", ""),
    (17, "udp", ""),
    (1, "icmp", ""),
    (58, "ipv6-icmp", "icmpv6"),
    (58, "ipv6-icmp", "icmp6"),
    (2, "igmp", ""),
    (4, "ipip", "ipencap"),
    (41, "ipv6", ""),
    (43, "ipv6-route", ""),
    (44, "ipv6-frag", ""),
    (47, "gre", ""),
    (50, "esp", ""),
    (51, "ah", ""),
    (59, "ipv6-nonxt", "ipv6-no-nxt"),
    (60, "ipv6-opts", ""),
    (88, "eigrp", ""),
    (89, "ospf", "ospfigp"),
    (103, "pim", ""),
    (112, "vrrp", "carp"),
    (132, "sctp", ""),
    (136, "udplite", ""),
];

/// The protocol's name in `network.transport`, for a number or any spelling.
pub(super) fn protocol(text: &[u8]) -> Option<&'static str> {
    let by_number = number(text);
    let named = |name: &str| !name.is_empty() && text.eq_ignore_ascii_case(name.as_bytes());
    let row = PROTOCOLS.iter().find(|(n, name, other)| match by_number {
        Some(number) => *n == number,
        None => named(name) || named(other),
    });
    row.map(|row| row.1)
}

/// Sets `network.transport`, or the number that has no name here.
pub(super) fn set_protocol<'a>(text: &'a [u8], event: &mut Event<'a>) {
    match (protocol(text), number(text)) {
        (Some(name), _) => event.text(Field::NETWORK_TRANSPORT, name.as_bytes()),
        (None, Some(number)) => event.set(Field::NETWORK_IANA_NUMBER, Value::Int(number)),
        (None, None) if !text.is_empty() => event.text(Field::NETWORK_TRANSPORT, text),
        (None, None) => {}
    }
}

/// Sets both ends, and whether they are IPv4 or IPv6.
pub(super) fn set_hosts<'a>(source: Host<'a>, destination: Host<'a>, event: &mut Event<'a>) {
    source.set(event);
    match destination {
        Host::Ip(ip) => event.set(Field::DESTINATION_IP, Value::Ip(ip)),
        Host::Name(name) => event.text(Field::DESTINATION_DOMAIN, name),
    }
    if let (Host::Ip(ip), _) | (_, Host::Ip(ip)) = (source, destination) {
        let kind: &[u8] = if ip.is_ipv4() { b"ipv4" } else { b"ipv6" };
        event.text(Field::NETWORK_TYPE, kind);
    }
}

/// Sets ports where they are known.
pub(super) fn set_ports(source: Option<u16>, destination: Option<u16>, event: &mut Event<'_>) {
    let mut set = |field, port: Option<u16>| {
        if let Some(port) = port {
            event.set(field, Value::Int(i64::from(port)));
        }
    };
    set(Field::SOURCE_PORT, source);
    set(Field::DESTINATION_PORT, destination);
}

/// What filters call their verdicts: as written in capitals or not, the word
/// of `firewall.action`, and the outcome.
const VERDICTS: &[(&str, &str, &str)] = &[
    ("block", "block", "failure"),
    ("blocked", "block", "failure"),
    ("drop", "drop", "failure"),
    ("dropped", "drop", "failure"),
    ("dropping", "drop", "failure"),
    ("wdrop", "drop", "failure"),
    ("reject", "reject", "failure"),
    ("rejected", "reject", "failure"),
    ("deny", "deny", "failure"),
    ("denied", "deny", "failure"),
    ("discard", "drop", "failure"),
    ("allow", "allow", "success"),
    ("allowed", "allow", "success"),
    ("accept", "accept", "success"),
    ("accepted", "accept", "success"),
    ("acc", "accept", "success"),
    ("pass", "pass", "success"),
    ("passed", "pass", "success"),
    ("permit", "allow", "success"),
    ("permitted", "allow", "success"),
];

/// The action and the outcome that a word of a filter stands for.
pub(super) fn verdict(word: &[u8]) -> Option<(&'static str, &'static str)> {
    let row = VERDICTS
        .iter()
        .find(|row| word.eq_ignore_ascii_case(row.0.as_bytes()));
    row.map(|row| (row.1, row.2))
}

/// Says what a filter did with a packet.
pub(super) fn say_filtered(verdict: Option<(&'static str, &'static str)>, event: &mut Event<'_>) {
    let outcome = verdict.map_or("unknown", |v| v.1);
    super::token::say(event, "connection", outcome, "network");
    if let Some((action, _)) = verdict {
        event.text(Field::FIREWALL_ACTION, action.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_known_by_number_and_by_any_spelling() {
        assert_eq!(protocol(b"6"), Some("tcp"));
        assert_eq!(protocol(b"TCP"), Some("tcp"));
        assert_eq!(protocol(b"ICMPv6"), Some("ipv6-icmp"));
        assert_eq!(protocol(b"IPv6-ICMP"), Some("ipv6-icmp"));
        assert_eq!(protocol(b"255"), None);
        assert_eq!(protocol(b""), None);
    }

    #[test]
    fn a_verdict_is_a_whole_word() {
        assert_eq!(verdict(b"DROP"), Some(("drop", "failure")));
        assert_eq!(verdict(b"Accept"), Some(("accept", "success")));
        assert_eq!(verdict(b"DROPS"), None);
        assert_eq!(verdict(b""), None);
    }
}
