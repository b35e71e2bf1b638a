//! Values as the kernel encodes them: hexadecimal text, and socket addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use crate::entity::canonical_ip;

/// Text that stood in quotes as it is; else decoded where it is hexadecimal.
/// None for what says that there is nothing: `(null)`, `(none)`, `?`.
pub(super) fn text<'a>(value: &'a [u8], quoted: bool, arena: &'a Bump) -> Option<&'a [u8]> {
    if quoted {
        return Some(value);
    }
    if matches!(value, b"(null)" | b"(none)" | b"?" | b"") {
        return None;
    }
    Some(hex(value, arena).unwrap_or(value))
}

/// Decoded hexadecimal of whole bytes.
pub(super) fn hex<'a>(value: &[u8], arena: &'a Bump) -> Option<&'a [u8]> {
    if value.is_empty()
        || !value.len().is_multiple_of(2)
        || !value.iter().all(u8::is_ascii_hexdigit)
    {
        return None;
    }
    let mut out = BumpVec::with_capacity_in(value.len() / 2, arena);
    for pair in value.chunks_exact(2) {
        let &[high, low] = pair else { break };
        out.push(nibble(high) << 4 | nibble(low));
    }
    Some(out.into_bump_slice())
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// A hexadecimal number, as system calls' arguments are.
pub(super) fn argument(value: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(value).ok()?, 16).ok()
}

/// What a `sockaddr` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Socket<'a> {
    /// An address and port.
    Inet(IpAddr, u16),
    /// A path on this machine.
    Local(&'a [u8]),
}

/// Reads the bytes of a `sockaddr`. The family is in the byte order of the
/// machine, port and address are in that of the network.
pub(super) fn socket(bytes: &[u8]) -> Option<Socket<'_>> {
    let ([family, 0, rest @ ..] | [0, family, rest @ ..]) = bytes else {
        return None;
    };
    match *family {
        1 => {
            let end = rest.iter().position(|&b| b == 0).unwrap_or(rest.len());
            let path = rest.get(..end).filter(|path| !path.is_empty())?;
            Some(Socket::Local(path))
        }
        2 => {
            let (&[p1, p2, a, b, c, d], _) = rest.split_first_chunk::<6>()?;
            let ip = Ipv4Addr::new(a, b, c, d);
            Some(Socket::Inet(IpAddr::V4(ip), u16::from_be_bytes([p1, p2])))
        }
        10 => {
            // Port, then four bytes of flow label, then the address.
            let (&[p1, p2, _, _, _, _], rest) = rest.split_first_chunk::<6>()?;
            let (&octets, _) = rest.split_first_chunk::<16>()?;
            let ip = canonical_ip(IpAddr::V6(Ipv6Addr::from(octets)));
            Some(Socket::Inet(ip, u16::from_be_bytes([p1, p2])))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_decoded_unless_it_was_quoted() {
        let arena = Bump::new();
        assert_eq!(text(b"2F612062", false, &arena), Some(&b"/a b"[..]));
        assert_eq!(text(b"2F612062", true, &arena), Some(&b"2F612062"[..]));
        assert_eq!(text(b"(null)", false, &arena), None);
        assert_eq!(text(b"abc", false, &arena), Some(&b"abc"[..]));
    }

    #[test]
    fn socket_addresses_of_both_byte_orders() {
        let arena = Bump::new();
        for (hexadecimal, expected) in [
            ("02000050C00002070000000000000000", Some(("192.0.2.7", 80))),
            ("0002D903C000020700000000", Some(("192.0.2.7", 55555))),
            (
                "0A0001BB0000000020010DB800000000000000000000000500000000",
                Some(("2001:db8::5", 443)),
            ),
            (
                "0A0001BB0000000000000000000000000000FFFFC000020700000000",
                Some(("192.0.2.7", 443)),
            ),
            ("100000000000000000000000", None),
            ("0200", None),
            ("02", None),
        ] {
            let bytes = hex(hexadecimal.as_bytes(), &arena).unwrap();
            let read = match socket(bytes) {
                Some(Socket::Inet(ip, port)) => Some((ip.to_string(), port)),
                _ => None,
            };
            let expected = expected.map(|(ip, port)| (ip.to_owned(), port));
            assert_eq!(read, expected, "{hexadecimal}");
        }
        let path = hex(b"01002F72756E2F780000AB", &arena).unwrap();
        assert_eq!(socket(path), Some(Socket::Local(b"/run/x")));
    }
}
