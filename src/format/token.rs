//! The small words that formats share: numbers, addresses, and reading a text
//! from its trusted end.
//!
//! Remote people choose what stands in the middle of a line. So nothing here
//! looks *for* something in a text: it takes the last word, the first word, a
//! fixed tail, or it says no.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use memchr::{memchr, memrchr};
use nom::branch::alt;
use nom::bytes::complete::{tag, take, take_till1, take_while_m_n};
use nom::combinator::{flat_map, map, map_opt, peek};
use nom::sequence::preceded;
use nom::{IResult, Parser};

use crate::entity::canonical_ip;
use crate::event::{Event, Value};
use crate::field::Field;

/// Longest DNS name (RFC 1035, 2.3.4).
const NAME_MAX: usize = 255;

/// What sshd prints where a socket has no address (`UNKNOWN port 65535`).
const NO_ADDRESS: &[u8] = b"UNKNOWN";

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    /// Its address; none when the program itself did not know it.
    pub(super) ip: Option<IpAddr>,
    /// Its port, where the line tells.
    pub(super) port: Option<u16>,
}

impl Peer {
    /// Sets `source.ip` and `source.port`.
    pub(super) fn set(self, event: &mut Event<'_>) {
        if let Some(ip) = self.ip {
            event.set(Field::SOURCE_IP, Value::Ip(ip));
        }
        if let Some(port) = self.port {
            event.set(Field::SOURCE_PORT, Value::Int(i64::from(port)));
        }
    }
}

/// What stands where a program prints a host: an address, or a name that
/// whoever owns the reverse zone chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host<'a> {
    /// A valid address.
    Ip(IpAddr),
    /// A name: never resolved, never an address.
    Name(&'a [u8]),
}

impl<'a> Host<'a> {
    /// An address or a name of letters, digits, `.`, `-` and `_`.
    pub(super) fn read(text: &'a [u8]) -> Option<Host<'a>> {
        if let Some(ip) = ip(text) {
            return Some(Host::Ip(ip));
        }
        let sound = (1..=NAME_MAX).contains(&text.len())
            && text
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        sound.then_some(Host::Name(text))
    }

    /// Sets `source.ip` or `source.domain`.
    pub(super) fn set(self, event: &mut Event<'a>) {
        match self {
            Host::Ip(ip) => event.set(Field::SOURCE_IP, Value::Ip(ip)),
            Host::Name(NO_ADDRESS) => {}
            Host::Name(name) => event.text(Field::SOURCE_DOMAIN, name),
        }
    }
}

/// An address as programs print it: dotted quad, or IPv6; its zone id is
/// dropped, and an IPv4-mapped one is IPv4. Octets padded to three digits are
/// decimal: some devices pad, and none writes octal (as inet_aton would read).
pub(super) fn ip(text: &[u8]) -> Option<IpAddr> {
    if let Some(v4) = ipv4(text) {
        return Some(IpAddr::V4(v4));
    }
    // The longest form is 45 characters; a zone is an interface's name (15).
    let begins = matches!(
        text.first(),
        Some(b':' | b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
    );
    if !begins || text.len() > 64 || memchr(b':', text).is_none() {
        return None;
    }
    let address = match memchr(b'%', text) {
        Some(at) => {
            let (address, zone) = text.split_at_checked(at)?;
            let sound = zone.len() > 1
                && zone
                    .iter()
                    .skip(1)
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
            sound.then_some(address)?
        }
        None => text,
    };
    let v6: Ipv6Addr = std::str::from_utf8(address).ok()?.parse().ok()?;
    Some(canonical_ip(IpAddr::V6(v6)))
}

/// By hand: std's parser takes 15 ns, of a line's 200.
fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    if !(7..=15).contains(&text.len()) {
        return None;
    }
    let mut octets = [0_u8; 4];
    let mut rest = text;
    for (at, octet) in octets.iter_mut().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        let (&first, mut tail) = rest.split_first()?;
        let mut value = u16::from(digit(first)?);
        // Three digits at most: no number that does not fit is met.
        for _ in 0..2 {
            let Some((&next, after)) = tail.split_first() else {
                break;
            };
            let Some(next) = digit(next) else { break };
            value = value * 10 + u16::from(next);
            tail = after;
        }
        *octet = u8::try_from(value).ok()?;
        rest = tail;
    }
    rest.is_empty().then_some(Ipv4Addr::from(octets))
}

/// The value of an ASCII digit.
pub(super) fn digit(byte: u8) -> Option<u8> {
    let value = byte.wrapping_sub(b'0');
    (value < 10).then_some(value)
}

/// A whole number without sign, of at most 18 digits (more would not fit).
pub(super) fn number(text: &[u8]) -> Option<i64> {
    if !(1..=18).contains(&text.len()) {
        return None;
    }
    text.iter().try_fold(0_i64, |value, &byte| {
        Some(value * 10 + i64::from(digit(byte)?))
    })
}

/// A port number.
pub(super) fn port(text: &[u8]) -> Option<u16> {
    u16::try_from(number(text)?).ok()
}

/// An address with its port, as programs join them: `192.0.2.7:22`,
/// `[2001:db8::1]:22`, `192.0.2.7.22` and `2001:db8::1.22` (BSD and tcpdump).
/// An address alone, with or without brackets, has no port.
pub(super) fn socket(text: &[u8]) -> Option<Peer> {
    let joined = |address: Option<IpAddr>, number: &[u8]| {
        Some(Peer {
            ip: Some(address?),
            port: Some(port(number)?),
        })
    };
    if let Some(rest) = text.strip_prefix(b"[") {
        let (address, rest) = cut(rest, b"]")?;
        return match rest {
            [] => peer(address, None).filter(|peer| peer.ip.is_some()),
            [b':', number @ ..] => joined(ip(address), number),
            _ => None,
        };
    }
    if let Some(ip) = ip(text) {
        return Some(Peer {
            ip: Some(ip),
            port: None,
        });
    }
    // An IPv6 address before a bare colon could end with the port's digits.
    let v4 = |text| ipv4(text).map(IpAddr::V4);
    cut(text, b":")
        .and_then(|(address, number)| joined(v4(address), number))
        .or_else(|| {
            let (address, number) = cut_last(text, b".")?;
            joined(ip(address), number)
        })
}

/// The text before the last blank, and the word after it; all of it is the
/// word where there is no blank.
pub(super) fn last_word(text: &[u8]) -> (&[u8], &[u8]) {
    match memrchr(b' ', text) {
        Some(at) => (
            text.get(..at).unwrap_or_default(),
            text.get(at + 1..).unwrap_or_default(),
        ),
        None => (&[], text),
    }
}

/// The text before the first occurrence of `separator` and the text after it.
pub(super) fn cut<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = match separator {
        // memmem prepares itself for 30 ns, which one byte does not need.
        [byte] => memchr(*byte, text)?,
        _ => memchr::memmem::find(text, separator)?,
    };
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}

/// The text before the last occurrence of `separator` and the text after it.
pub(super) fn cut_last<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = match separator {
        [byte] => memrchr(*byte, text)?,
        _ => memchr::memmem::rfind(text, separator)?,
    };
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}

/// `… ADDRESS port N` at the very end: what stands before the address (with
/// its blank removed), and the peer.
pub(super) fn peer_at_end(text: &[u8]) -> Option<(&[u8], Peer)> {
    let (head, number) = last_word(text);
    let (head, address) = last_word(head.strip_suffix(b" port")?);
    Some((head, peer(address, Some(port(number)?))?))
}

/// `… ADDRESS` at the very end, of programs too old to print the port.
pub(super) fn address_at_end(text: &[u8]) -> Option<(&[u8], Peer)> {
    let (head, address) = last_word(text);
    Some((head, peer(address, None)?))
}

/// `ADDRESS:PORT`, `[ADDRESS]:PORT`: of programs that always print the port,
/// so that in `2001:db8::1:22` the last colon is theirs.
pub(super) fn joined_peer(text: &[u8]) -> Option<Peer> {
    let (address, number) = cut_last(text, b":")?;
    let bare = address
        .strip_prefix(b"[")
        .and_then(|address| address.strip_suffix(b"]"));
    Some(Peer {
        ip: Some(ip(bare.unwrap_or(address))?),
        port: Some(port(number)?),
    })
}

/// A peer of a valid address, or of none where the program says so.
fn peer(address: &[u8], port: Option<u16>) -> Option<Peer> {
    let ip = ip(address);
    (ip.is_some() || address == NO_ADDRESS).then_some(Peer { ip, port })
}

/// `ADDRESS[ port N]` at the very beginning, and what follows.
pub(super) fn peer_at_start(text: &[u8]) -> Option<(Peer, &[u8])> {
    let (rest, peer) = address_word(text).ok()?;
    Some(match port_word(rest) {
        Ok((rest, port)) => {
            let port = Some(port);
            (Peer { port, ..peer }, rest)
        }
        Err(_) => (peer, rest),
    })
}

/// An old line has its colon right after the address, `192.0.2.7: 11: Bye`,
/// where in IPv6 it could be the address's own: so the whole word comes first.
fn address_word(text: &[u8]) -> IResult<&[u8], Peer> {
    let word = || take_till1(|b| matches!(b, b' ' | b','));
    let whole = map_opt(word(), |word| peer(word, None));
    let before_colon = map_opt(word(), |word: &[u8]| {
        let address = word.strip_suffix(b":")?;
        Some((address.len(), peer(address, None)?))
    });
    alt((
        whole,
        flat_map(peek(before_colon), |(length, peer)| {
            map(take(length), move |_| peer)
        }),
    ))
    .parse(text)
}

fn port_word(text: &[u8]) -> IResult<&[u8], u16> {
    preceded(
        tag(&b" port "[..]),
        map_opt(take_while_m_n(1, 5, |b: u8| b.is_ascii_digit()), port),
    )
    .parse(text)
}

/// The text without blanks, tabs and CR at its end.
pub(super) fn trim_end(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let [head @ .., b' ' | b'\t' | b'\r'] = text {
        text = head;
    }
    text
}

/// The text without blanks at its beginning.
pub(super) fn trim_start(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let [b' ' | b'\t', tail @ ..] = text {
        text = tail;
    }
    text
}

/// The first word and what follows its blank.
pub(super) fn first_word(text: &[u8]) -> (&[u8], &[u8]) {
    cut(text, b" ").unwrap_or((text, &[]))
}

/// A quoted text, whose opening quote has been taken, in which a backslash
/// escapes: what stands inside, and what follows the closing quote.
pub(super) fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', text.get(from..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some((text.get(..at)?, text.get(at + 1..)?));
        }
        from = at + 2;
    }
}

/// `ADDRESS:PORT`, where an IPv6 address may stand in brackets or bare: the
/// last colon is the port's.
pub(super) fn ip_port(text: &[u8]) -> Option<(IpAddr, u16)> {
    let (address, number) = cut_last(text, b":")?;
    let address = address
        .strip_prefix(b"[")
        .and_then(|address| address.strip_suffix(b"]"))
        .unwrap_or(address);
    Some((ip(address)?, port(number)?))
}

/// Sets a field that nothing before has set.
pub(super) fn once<'a>(event: &mut Event<'a>, field: Field, value: Value<'a>) {
    if event.get(field).is_none() {
        event.set(field, value);
    }
}

/// Sets a text that is there: not empty, and not the `-` of none.
pub(super) fn some<'a>(event: &mut Event<'a>, field: Field, text: &'a [u8]) {
    if !text.is_empty() && text != b"-" {
        once(event, field, Value::Text(text));
    }
}

/// Says in the event what happened, how it ended and what kind of thing it is.
pub(super) fn say(
    event: &mut Event<'_>,
    action: &'static str,
    outcome: &'static str,
    category: &'static str,
) {
    event.text(Field::EVENT_ACTION, action.as_bytes());
    event.text(Field::EVENT_OUTCOME, outcome.as_bytes());
    event.text(Field::EVENT_CATEGORY, category.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dotted_quad_has_four_octets_of_up_to_three_digits() {
        assert_eq!(ip(b"192.030.000.006"), "192.30.0.6".parse().ok());
        assert_eq!(ip(b"192.0.2.7"), "192.0.2.7".parse().ok());
        assert_eq!(ip(b"0.0.0.0"), "0.0.0.0".parse().ok());
        for text in [
            "192.0030.0.6",
            "192.0.2.256",
            "192.0.2",
            "192.0.2.7.",
            "1.2.3.4.5",
            "1..2.3",
            "192.0.2.7 ",
        ] {
            assert_eq!(ip(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn ipv4_by_hand_agrees_with_std() {
        for n in (0..u32::MAX).step_by(16_777_259) {
            let v4 = Ipv4Addr::from(n);
            assert_eq!(ip(v4.to_string().as_bytes()), Some(IpAddr::V4(v4)));
        }
    }

    #[test]
    fn mapped_and_zoned_addresses_are_bare() {
        assert_eq!(ip(b"::ffff:192.0.2.7"), "192.0.2.7".parse().ok());
        assert_eq!(ip(b"fe80::1%eth0"), "fe80::1".parse().ok());
        assert_eq!(ip(b"fe80::1%"), None);
        assert_eq!(ip(b"fe80::1%a b"), None);
        assert_eq!(ip(b"2001:db8::g"), None);
    }

    #[test]
    fn an_address_and_its_port_are_told_apart() {
        for (text, expected) in [
            ("192.0.2.7:22", "192.0.2.7 22"),
            ("[192.0.2.7]:22", "192.0.2.7 22"),
            ("[2001:DB8::1]:22", "2001:db8::1 22"),
            ("[fe80::1%eth0]:22", "fe80::1 22"),
            ("[::ffff:192.0.2.7]:22", "192.0.2.7 22"),
            ("192.0.2.7.22", "192.0.2.7 22"),
            ("2001:db8::1.22", "2001:db8::1 22"),
            ("::ffff:192.0.2.7.22", "192.0.2.7 22"),
            ("2001:db8::1", "2001:db8::1 -"),
            ("[2001:db8::1]", "2001:db8::1 -"),
            ("2001:db8::1:22", "2001:db8::1:22 -"),
        ] {
            let peer = socket(text.as_bytes()).unwrap();
            let port = peer.port.map_or("-".to_owned(), |port| port.to_string());
            assert_eq!(format!("{} {port}", peer.ip.unwrap()), expected, "{text}");
        }
        for text in [
            "",
            "22",
            "192.0.2.7:",
            "192.0.2.7:65536",
            "[192.0.2.7]22",
            "h:22",
            "[h]",
            "1.2.3.4.5.6",
        ] {
            assert_eq!(socket(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_peer_is_read_from_the_end_that_the_program_wrote() {
        let (head, peer) = peer_at_end(b"x from 198.51.100.9 port 1 192.0.2.7 port 22").unwrap();
        assert_eq!(head, b"x from 198.51.100.9 port 1");
        assert_eq!(peer.ip, "192.0.2.7".parse().ok());
        assert_eq!(peer_at_end(b"192.0.2.7 port 65536"), None);
        assert_eq!(peer_at_end(b"host.example port 22"), None);
        let (peer, rest) = peer_at_start(b"192.0.2.7: 11: Bye").unwrap();
        assert_eq!((peer.port, rest), (None, &b": 11: Bye"[..]));
        let (peer, rest) = peer_at_start(b"2001:db8::5 port 40:11: Bye").unwrap();
        assert_eq!((peer.port, rest), (Some(40), &b":11: Bye"[..]));
    }

    #[test]
    fn a_name_in_the_place_of_an_address_stays_a_name() {
        assert_eq!(Host::read(b"192.0.2.256"), Some(Host::Name(b"192.0.2.256")));
        assert_eq!(Host::read(b"a b"), None);
        assert_eq!(Host::read(b""), None);
    }
}
