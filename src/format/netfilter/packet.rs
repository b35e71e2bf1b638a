//! The words that the kernel logs of a packet: `IN=eth0 OUT= MAC=… SRC=… DST=… …`.

use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::token::{Host, number, port};
use crate::format::transport::{set_hosts, set_ports, set_protocol};

/// Hardware addresses in `MAC=`: the destination's, the source's, the type.
const MAC_LEN: usize = 17;

/// What has been read of a packet.
#[derive(Default)]
struct Packet<'a> {
    ingress: Option<&'a [u8]>,
    egress: Option<&'a [u8]>,
    mac: Option<&'a [u8]>,
    source: Option<Host<'a>>,
    destination: Option<Host<'a>>,
    length: Option<i64>,
    protocol: Option<&'a [u8]>,
    source_port: Option<u16>,
    destination_port: Option<u16>,
    icmp_type: Option<i64>,
    icmp_code: Option<i64>,
    user: Option<&'a [u8]>,
    arp: bool,
}

/// Sets a value that stands once in a packet; twice is somebody's trick.
fn once<T>(slot: &mut Option<T>, value: Option<T>) -> Result<(), &'static str> {
    let value = value.ok_or("a value is not of its kind")?;
    if slot.replace(value).is_some() {
        return Err("a value that stands twice");
    }
    Ok(())
}

/// Reads a packet, from its interfaces on.
pub(super) fn read<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let mut packet = Packet::default();
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        // An ICMP error quotes the packet that it is about.
        if word.first() == Some(&b'[') {
            break;
        }
        rest = after.get(1..).unwrap_or_default();
        packet.take(word)?;
    }
    if let Some(flags) = flags(text) {
        event.text(Field::TCP_FLAGS, flags);
    }
    packet.set(event)
}

impl<'a> Packet<'a> {
    fn take(&mut self, word: &'a [u8]) -> Result<(), &'static str> {
        let Some(equals) = memchr::memchr(b'=', word) else {
            // DF, SYN, OPT (…), INCOMPLETE
            self.arp |= word == b"ARP";
            return Ok(());
        };
        let (key, value) = word.split_at_checked(equals).unwrap_or((word, &[]));
        let value = value.get(1..).unwrap_or_default();
        match key {
            b"IN" => once(&mut self.ingress, Some(value)),
            b"OUT" => once(&mut self.egress, Some(value)),
            b"MAC" => once(&mut self.mac, Some(value)),
            b"SRC" | b"IPSRC" => once(&mut self.source, Host::read(value)),
            b"DST" | b"IPDST" => once(&mut self.destination, Host::read(value)),
            b"PROTO" => once(&mut self.protocol, Some(value)),
            b"SPT" => once(&mut self.source_port, port(value)),
            b"DPT" => once(&mut self.destination_port, port(value)),
            b"TYPE" => once(&mut self.icmp_type, number(value)),
            b"CODE" => once(&mut self.icmp_code, number(value)),
            b"UID" => once(&mut self.user, Some(value)),
            // The first is the packet's, a second one its datagram's.
            b"LEN" if self.length.is_none() => once(&mut self.length, number(value)),
            _ => Ok(()),
        }
    }

    fn set(self, event: &mut Event<'a>) -> Result<(), &'static str> {
        let (Some(source), Some(destination)) = (self.source, self.destination) else {
            return Err("no SRC= and DST=");
        };
        let protocol = match self.protocol {
            None if self.arp => b"arp",
            protocol => protocol.ok_or("no PROTO=")?,
        };
        set_hosts(source, destination, event);
        set_ports(self.source_port, self.destination_port, event);
        set_protocol(protocol, event);
        let text = [
            (Field::OBSERVER_INGRESS, self.ingress),
            (Field::OBSERVER_EGRESS, self.egress),
            (Field::USER_ID, self.user),
            (Field::DESTINATION_MAC, self.hardware(0)),
            (Field::SOURCE_MAC, self.hardware(MAC_LEN + 1)),
        ];
        for (field, value) in text {
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                event.text(field, value);
            }
        }
        let numbers = [
            (Field::NETWORK_BYTES, self.length),
            (Field::ICMP_TYPE, self.icmp_type),
            (Field::ICMP_CODE, self.icmp_code),
        ];
        for (field, value) in numbers {
            if let Some(value) = value {
                event.set(field, Value::Int(value));
            }
        }
        Ok(())
    }

    /// The hardware address that begins at that byte of `MAC=`.
    fn hardware(&self, at: usize) -> Option<&'a [u8]> {
        let mac = self.mac?.get(at..at + MAC_LEN)?;
        let sound = mac.chunks(3).all(|pair| match pair {
            [a, b] | [a, b, b':'] => a.is_ascii_hexdigit() && b.is_ascii_hexdigit(),
            _ => false,
        });
        sound.then_some(mac)
    }
}

/// TCP's flags as they stand between `RES=0x00` (or the window) and `URGP=`.
fn flags(text: &[u8]) -> Option<&[u8]> {
    const FLAGS: [&[u8]; 9] = [
        b"CWR", b"ECE", b"URG", b"ACK", b"PSH", b"RST", b"SYN", b"FIN", b"AE",
    ];
    let at = memchr::memmem::find(text, b" WINDOW=")?;
    let mut rest = text.get(at + 1..)?;
    let mut length = 0;
    let mut first: Option<&[u8]> = None;
    while !rest.is_empty() {
        let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end)?;
        if FLAGS.contains(&word) {
            length += word.len() + usize::from(first.is_some());
            first = first.or(Some(rest));
        } else if first.is_some() {
            break;
        }
        rest = after.get(1..).unwrap_or_default();
    }
    first?.get(..length)
}
