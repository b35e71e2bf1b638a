//! Packets that the Linux kernel's filter logs: iptables, nftables, UFW,
//! firewalld, Shorewall, SuSE and Ubiquiti firewalls; also Proxmox', which
//! writes the same words into a log of its own.
//!
//! Before the packet stands the prefix that the administrator gave the rule;
//! it alone says whether the packet was let through. The packet's words are
//! the kernel's. Remote people choose their numbers, and the packet that an
//! ICMP error quotes in brackets, which is not read.

mod packet;
mod proxmox;

use super::token::{cut, trim_end, trim_start};
use super::transport::verdict;
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::time::Time;

pub(super) static FORMAT: Format = Format {
    name: "netfilter",
    about: "packets logged by iptables, nftables, UFW, firewalld, Shorewall: `connection`, failure when blocked",
    programs: &[
        "kernel",
        "Shorewall",
        "ulogd",
        "iptables",
        "ip6tables",
        "nftables",
        "DROP",
        "REJECT",
        "DENY",
        "BLOCK",
        "ACCEPT",
        "ALLOW",
    ],
    logsources: &[
        // The kernel's other lines.
        LogSource {
            product: "linux",
            categories: &[],
            services: &["kernel", "syslog"],
        },
        LogSource {
            product: "linux",
            categories: &["firewall"],
            services: &["iptables", "kernel", "syslog"],
        },
    ],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 gate1 kernel: [810294.788657] [UFW BLOCK] IN=eth0 OUT= MAC=00:00:5e:00:53:01:00:00:5e:00:53:fe:08:00 SRC=192.0.2.7 DST=198.51.100.5 LEN=40 TOS=0x00 PREC=0x00 TTL=49 ID=53123 PROTO=TCP SPT=37933 DPT=1025 WINDOW=2048 RES=0x00 SYN URGP=0",
};

/// Proxmox' firewall log.
pub(super) static PROXMOX: Format = Format {
    name: "proxmox-firewall",
    about: "packets logged by the Proxmox VE firewall: `connection`, failure when blocked",
    programs: &[],
    logsources: &[LogSource {
        product: "linux",
        categories: &["firewall"],
        services: &["iptables"],
    }],
    parse: Parser::Line(proxmox::parse),
    example: "101 1 tap101i0-IN 20/Jun/2024:13:12:46 +0200 REJECT: IN=fwbr101i0 OUT=fwbr101i0 PHYSIN=fwln101i0 PHYSOUT=tap101i0 MAC=00:00:5e:00:53:01:00:00:5e:00:53:fe:08:00 SRC=192.0.2.7 DST=198.51.100.5 LEN=60 TOS=0x10 PREC=0x00 TTL=63 ID=37700 DF PROTO=TCP SPT=51604 DPT=22 SEQ=3673568222 ACK=0 WINDOW=64240 SYN",
};

/// [`FORMAT`]'s log source for packets.
const PACKET: u8 = 1;

/// Longest prefix of a rule: nftables takes 127 bytes, iptables 29; an uptime
/// stamp and a chain's name may stand before it.
const PREFIX_MAX: usize = 192;

/// How lines of the kernel begin whose text somebody plugged in: a USB
/// device's product name can hold a whole packet.
const QUOTING: &[&[u8]] = &[
    b"usb ",
    b"usbcore",
    b"input:",
    b"hid-",
    b"scsi ",
    b"sd ",
    b"audit",
    b"Bluetooth",
    b"systemd",
    b"thunderbolt",
    b"mmc",
];

/// Only the stamp of a line of [`PROXMOX`].
pub(super) fn peek_time(line: &[u8]) -> Option<Time> {
    proxmox::peek_time(line)
}

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = without_uptime(message.text);
    if QUOTING.iter().any(|begin| text.starts_with(begin)) {
        return Verdict::NotMine;
    }
    if let Some(flow) = text.strip_prefix(b"[")
        && message.program == b"ulogd"
    {
        return tracked(flow, event);
    }
    let Some((prefix, packet)) = divide(text) else {
        return Verdict::NotMine;
    };
    event.class.kind = PACKET;
    // A log without `kernel:` has the rule's prefix where the program stands.
    let described = prefix.starts_with(DESCRIBED) && of_prefix(message.program).is_some();
    let prefix = if described || trim_start(prefix).is_empty() && verdict(message.program).is_some()
    {
        message.program
    } else {
        prefix
    };
    set_rule(prefix, event);
    match packet::read(packet, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// ulogd's `[NEW] ORIG: SRC=… DST=… … , REPLY: …` of connection tracking: the
/// first half is the direction in which the connection was opened.
fn tracked<'a>(text: &'a [u8], event: &mut Event<'a>) -> Verdict {
    let Some((_, flow)) = cut(text, b"] ORIG: ") else {
        return Verdict::NotMine;
    };
    let flow = cut(flow, b" , REPLY: ").map_or(flow, |(flow, _)| flow);
    event.class.kind = PACKET;
    super::transport::say_filtered(None, event);
    match packet::read(flow, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// Whether Ubiquiti's gateway wrote the text below the name of its rule:
/// `[WAN_LOCAL-D-10] DESCR="…" IN=…`.
pub(super) fn speaks(text: &[u8]) -> bool {
    text.starts_with(DESCRIBED)
}

/// How the name that the administrator gave a rule begins.
const DESCRIBED: &[u8] = b"DESCR=\"";

/// Without the seconds since boot: `[12345.678901] `, `[   12.345678] `.
fn without_uptime(text: &[u8]) -> &[u8] {
    let stamped = text.strip_prefix(b"[").and_then(|rest| {
        let (stamp, rest) = cut(rest, b"]")?;
        let digits = trim_start(stamp)
            .iter()
            .all(|b| b.is_ascii_digit() || *b == b'.');
        (digits && !stamp.is_empty()).then_some(rest)
    });
    trim_start(stamped.unwrap_or(text))
}

/// The rule's prefix and the packet, which begins with the interfaces: the
/// first `IN=` that another of the kernel's words follows.
fn divide(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = text.get(..PREFIX_MAX).unwrap_or(text);
    memchr::memmem::find_iter(head, b"IN=").find_map(|at| {
        let (prefix, packet) = text.split_at_checked(at)?;
        let (_, rest) = cut(packet, b" ")?;
        let known: [&[u8]; 5] = [b"OUT=", b"PHYSIN=", b"MAC=", b"MACSRC=", b"SRC="];
        known
            .iter()
            .any(|word| rest.starts_with(word))
            .then_some((prefix, packet))
    })
}

/// Sets the prefix as the rule's name, and says what it says of the packet.
fn set_rule<'a>(prefix: &'a [u8], event: &mut Event<'a>) {
    super::transport::say_filtered(of_prefix(prefix), event);
    let prefix = trim_end(trim_start(prefix));
    let name = prefix.strip_suffix(b":").unwrap_or(prefix);
    if !name.is_empty() {
        event.text(Field::RULE_NAME, name);
    }
}

/// What a prefix says of a packet: its last word that is a verdict, as in
/// `[UFW LIMIT BLOCK] ` and `SFW2-INext-DROP-DEFLT `, or the last letter of
/// Ubiquiti's `[WAN_LOCAL-default-D]`.
fn of_prefix(prefix: &[u8]) -> Option<(&'static str, &'static str)> {
    let prefix = trim_end(prefix);
    let inside = prefix
        .strip_prefix(b"[")
        .map(|p| p.strip_suffix(b"]").unwrap_or(p))
        .or(prefix.contains(&b'-').then_some(prefix))
        .map(without_number);
    match inside {
        Some([.., b'-', b'A']) => return Some(("accept", "success")),
        Some([.., b'-', b'D']) => return Some(("drop", "failure")),
        Some([.., b'-', b'R']) => return Some(("reject", "failure")),
        _ => {}
    }
    prefix
        .split(|b| !b.is_ascii_alphanumeric())
        .filter_map(verdict)
        .next_back()
}

/// `WAN_LOCAL-D-2147483647` without the rule's number.
fn without_number(name: &[u8]) -> &[u8] {
    match super::token::cut_last(name, b"-") {
        Some((name, digits)) if super::token::number(digits).is_some() => name,
        _ => name,
    }
}

#[cfg(test)]
mod tests;
