//! WireGuard in the kernel, where its debug messages are switched on. It
//! prints the peer's address, taken from the packet, as the last word.

use super::token::{Peer, cut, cut_last, joined_peer, last_word, number, say, trim_start};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "wireguard",
    about: "WireGuard in the kernel: handshakes (vpn_handshake), packets refused (vpn_packet)",
    programs: &["kernel"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["wireguard", "vpn", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 vpn1 kernel: [82508.100168] wireguard: wg0: Invalid handshake initiation from 192.0.2.7:51820",
};

/// Beginnings, action and outcome. What is counted in a peer's normal life
/// (keepalives, cookies, keys) is left out.
const SAID: &[(&[u8], &str, &str)] = &[
    (
        b"Invalid handshake initiation from ",
        "vpn_handshake",
        "failure",
    ),
    (
        b"Invalid handshake response from ",
        "vpn_handshake",
        "failure",
    ),
    (
        b"Invalid MAC of handshake, dropping packet from ",
        "vpn_handshake",
        "failure",
    ),
    (b"Could not decrypt handshake ", "vpn_handshake", "failure"),
    (
        b"Receiving handshake initiation from peer ",
        "vpn_handshake",
        "success",
    ),
    (
        b"Receiving handshake response from peer ",
        "vpn_handshake",
        "success",
    ),
    (b"Handshake for peer ", "vpn_handshake", "failure"),
    (b"Packet has unallowed src IP ", "vpn_packet", "failure"),
    (b"Packet has incorrect size from ", "vpn_packet", "failure"),
    (
        b"Packet is neither ipv4 nor ipv6 from ",
        "vpn_packet",
        "failure",
    ),
    (b"Packet has invalid nonce ", "vpn_packet", "failure"),
    (b"Dropping packet ", "vpn_packet", "failure"),
];

/// The word before the address in messages that end with something else.
const RETRIES: &[u8] = b" did not complete after ";

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let Some(text) = without_uptime(message.text).strip_prefix(b"wireguard: ") else {
        return Verdict::NotMine;
    };
    let Some((interface, text)) = cut(text, b": ") else {
        return Verdict::NotMine;
    };
    let Some((first, action, outcome)) = SAID.iter().find(|(first, _, _)| text.starts_with(first))
    else {
        return Verdict::NotMine;
    };
    say(event, action, outcome, "network");
    event.text(Field::VPN_CONNECTION, interface);
    let (what, _) = cut_last(first, b" ").unwrap_or((first, &[]));
    event.text(Field::EVENT_REASON, what);
    let text = cut(text, RETRIES).map_or(text, |(head, _)| head);
    let Some(peer) = peer(text) else {
        return Verdict::Malformed("no address at the end");
    };
    peer.set(event);
    Verdict::Event
}

/// `[82508.100168] `, where the kernel's own clock is logged.
fn without_uptime(text: &[u8]) -> &[u8] {
    let Some((uptime, rest)) = text.strip_prefix(b"[").and_then(|rest| cut(rest, b"] ")) else {
        return text;
    };
    let sound = cut(uptime, b".")
        .is_some_and(|(s, us)| number(trim_start(s)).is_some() && number(us).is_some());
    if sound { rest } else { text }
}

/// `… A:P`, `… peer 1 (A:P)`; `(einval)` where the kernel has none.
fn peer(text: &[u8]) -> Option<Peer> {
    let (_, word) = last_word(text);
    let bare = word
        .strip_prefix(b"(")
        .and_then(|word| word.strip_suffix(b")"))
        .unwrap_or(word);
    if bare == b"einval" {
        return Some(Peer {
            ip: None,
            port: None,
        });
    }
    joined_peer(bare)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::shape::shown;

    #[test]
    fn the_outer_address_is_the_peers() {
        let fields = [
            Field::EVENT_ACTION,
            Field::EVENT_OUTCOME,
            Field::VPN_CONNECTION,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
        ];
        for (text, expected) in [
            (
                "[82508.100168] wireguard: wg0: Packet has unallowed src IP (10.0.0.3) from peer 1 (192.0.2.7:51820)",
                "vpn_packet|failure|wg0|192.0.2.7|51820",
            ),
            (
                "wireguard: wg0: Invalid handshake initiation from [2001:db8::7]:51820",
                "vpn_handshake|failure|wg0|2001:db8::7|51820",
            ),
            (
                "[    8.100168] wireguard: wg0: Handshake for peer 2 (192.0.2.7:51820) did not complete after 5 seconds, retrying (try 2)",
                "vpn_handshake|failure|wg0|192.0.2.7|51820",
            ),
            (
                "wireguard: wg0: Receiving handshake initiation from peer 1 (192.0.2.7:51820)",
                "vpn_handshake|success|wg0|192.0.2.7|51820",
            ),
        ] {
            assert_eq!(
                shown(&FORMAT, "kernel", text, &fields),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
        let verdict = |text| shown(&FORMAT, "kernel", text, &[]).0;
        assert_eq!(
            verdict("wireguard: WireGuard 1.0.0 loaded."),
            Verdict::NotMine
        );
        assert_eq!(verdict("usb 1-1: new device"), Verdict::NotMine);
        assert!(matches!(
            verdict("wireguard: wg0: Invalid handshake initiation from nowhere"),
            Verdict::Malformed(_)
        ));
    }
}
