//! Who an event is about: the canonical form of the values that rules group by.
//!
//! A key is built from a rule's `group-by` values. Its bytes decide equality
//! and can be turned back into values for people; its 64-bit hash (`SipHash-1-3`
//! under the instance's secret key) decides shard and table slot. Attackers
//! choose user names and addresses, so the hash is keyed, and two spellings of
//! one address are one entity.

use std::net::{IpAddr, Ipv6Addr};

use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// Longest value kept in a key; longer ones keep this head and the hash of the rest.
const VALUE_MAX: usize = 128;

/// The prefix at which IPv6 addresses are one entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct V6Prefix(u8);

impl Default for V6Prefix {
    /// A subscriber has a /64.
    fn default() -> Self {
        V6Prefix(64)
    }
}

impl V6Prefix {
    /// The shortest: a provider gives a site a /48 (RFC 6177), and what is
    /// shorter is many sites.
    pub const MIN: u8 = 48;
    /// The longest: every address by itself.
    pub const MAX: u8 = 128;

    /// That many bits; none where it is not 48 to 128.
    pub fn new(bits: u8) -> Option<V6Prefix> {
        (Self::MIN..=Self::MAX)
            .contains(&bits)
            .then_some(V6Prefix(bits))
    }

    fn network(self, ip: Ipv6Addr) -> u128 {
        // At most 128 - 48 = 80 bits are cleared, so the shift is in range.
        ip.to_bits() & u128::MAX << (128 - u32::from(self.0))
    }
}

const TAG_TEXT: u8 = b't';
const TAG_V4: u8 = b'4';
const TAG_V6: u8 = b'6';
const TAG_INT: u8 = b'i';

/// The instance's secret hash key, from the configuration or the state folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashKey(pub u64, pub u64);

impl Default for HashKey {
    /// Replays without a state folder share one key, so that they can be compared.
    fn default() -> Self {
        HashKey(0x7469_7073_7461_6666, 0x6861_7368_206b_6579)
    }
}

impl HashKey {
    /// The keyed hash of some bytes.
    pub fn hash(self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        hasher.write(bytes);
        hasher.finish()
    }
}

/// An address as an entity: IPv4-mapped IPv6 is IPv4.
pub fn canonical_ip(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
    }
}

/// Appends an address's canonical form to a key: IPv6 by its network.
pub fn push_ip(key: &mut Vec<u8>, ip: IpAddr, prefix: V6Prefix) {
    match canonical_ip(ip) {
        IpAddr::V4(v4) => {
            key.push(TAG_V4);
            key.extend_from_slice(&v4.octets());
        }
        IpAddr::V6(v6) => {
            key.extend_from_slice(&[TAG_V6, prefix.0]);
            key.extend_from_slice(&prefix.network(v6).to_be_bytes());
        }
    }
}

/// Appends a text value to a key as it is; longer than 128 bytes, by head and hash.
pub fn push_text(key: &mut Vec<u8>, text: &[u8], hash: HashKey) {
    key.push(TAG_TEXT);
    if let (Some(head), true) = (text.get(..VALUE_MAX - 8), text.len() > VALUE_MAX) {
        key.extend_from_slice(&[u8::MAX, u8::try_from(VALUE_MAX - 8).unwrap_or(0)]);
        key.extend_from_slice(head);
        key.extend_from_slice(&hash.hash(text).to_be_bytes());
    } else {
        key.push(u8::try_from(text.len()).unwrap_or(u8::MAX - 1));
        key.extend_from_slice(text);
    }
}

/// Appends a whole number to a key.
pub fn push_int(key: &mut Vec<u8>, number: i64) {
    key.push(TAG_INT);
    key.extend_from_slice(&number.to_be_bytes());
}

/// One value read back from a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyValue {
    /// Text as it stood in the log, with `true` when only the head is left.
    Text(Vec<u8>, bool),
    /// An IPv4 address.
    V4(std::net::Ipv4Addr),
    /// An IPv6 network and how many bits it has.
    V6(Ipv6Addr, u8),
    /// A whole number.
    Int(i64),
}

impl KeyValue {
    /// The value as bytes for people: an address's text, `2001:db8::/64` for a network.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            KeyValue::Text(text, false) => text.clone(),
            KeyValue::Text(head, true) => [head.as_slice(), b"..."].concat(),
            KeyValue::V4(ip) => ip.to_string().into_bytes(),
            KeyValue::V6(ip, 128) => ip.to_string().into_bytes(),
            KeyValue::V6(ip, prefix) => format!("{ip}/{prefix}").into_bytes(),
            KeyValue::Int(n) => n.to_string().into_bytes(),
        }
    }
}

/// The values a key was built from, in order; stops at the first byte that is
/// not a key's (keys are only ever made by the functions above).
pub fn key_values(mut key: &[u8]) -> Vec<KeyValue> {
    let mut values = Vec::new();
    while let Some((value, rest)) = split_value(key) {
        values.push(value);
        key = rest;
    }
    debug_assert!(key.is_empty(), "a key is made of whole values");
    values
}

/// The encoded values that a key was built from, in order: each is a key itself.
pub fn key_parts(mut key: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (part, rest) = key.split_at_checked(part_len(key)?)?;
        key = rest;
        Some(part)
    })
}

/// A whole number at a key's head, and the rest.
pub fn split_int(key: &[u8]) -> Option<(i64, &[u8])> {
    match split_value(key)? {
        (KeyValue::Int(number), rest) => Some((number, rest)),
        _ => None,
    }
}

/// How long the first value's encoding is.
fn part_len(key: &[u8]) -> Option<usize> {
    Some(match *key {
        [TAG_V4, ..] => 1 + 4,
        [TAG_V6, ..] => 1 + 1 + 16,
        [TAG_INT, ..] => 1 + 8,
        [_, u8::MAX, head, ..] => 3 + usize::from(head) + 8,
        [_, len, ..] => 2 + usize::from(len),
        _ => return None,
    })
}

fn split_value(key: &[u8]) -> Option<(KeyValue, &[u8])> {
    let (part, after) = key.split_at_checked(part_len(key)?)?;
    let (&tag, rest) = part.split_first()?;
    let value = match tag {
        TAG_V4 => KeyValue::V4((*rest.first_chunk::<4>()?).into()),
        TAG_V6 => {
            let (&prefix, octets) = rest.split_first()?;
            KeyValue::V6((*octets.first_chunk::<16>()?).into(), prefix)
        }
        TAG_INT => KeyValue::Int(i64::from_be_bytes(*rest.first_chunk()?)),
        _ => {
            let (&len, text) = rest.split_first()?;
            if len == u8::MAX {
                let (_, text) = text.split_first()?;
                let head = text.len().checked_sub(8)?;
                KeyValue::Text(text.get(..head)?.to_vec(), true)
            } else {
                KeyValue::Text(text.to_vec(), false)
            }
        }
    };
    Some((value, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_address_is_one_entity() {
        let mut seen = Vec::new();
        for text in ["192.0.2.7", "::ffff:192.0.2.7", "::FFFF:c000:207"] {
            let mut key = Vec::new();
            push_ip(&mut key, text.parse().unwrap(), V6Prefix::default());
            seen.push(key);
        }
        assert!(seen.windows(2).all(|w| w[0] == w[1]));
    }

    #[test]
    fn a_key_gives_its_values_back() {
        let mut key = Vec::new();
        push_text(&mut key, b"alice", HashKey::default());
        push_ip(
            &mut key,
            "2001:db8::5".parse().unwrap(),
            V6Prefix::default(),
        );
        push_text(&mut key, &[b'x'; 4000], HashKey::default());
        push_int(&mut key, -3);
        let values: Vec<_> = key_values(&key).iter().map(KeyValue::to_bytes).collect();
        assert_eq!(values[0], b"alice");
        assert_eq!(values[1], b"2001:db8::/64");
        assert_eq!(values[2].len(), 123);
        assert_eq!(values[3], b"-3");
        let parts: Vec<&[u8]> = key_parts(&key).collect();
        assert_eq!(parts.concat(), key);
        let each = parts.iter().flat_map(|part| key_values(part));
        assert!(each.map(|value| value.to_bytes()).eq(values));
    }

    #[test]
    fn addresses_are_one_entity_up_to_the_prefix() {
        let shown = |text: &str, bits| {
            let mut key = Vec::new();
            let prefix = V6Prefix::new(bits).unwrap();
            push_ip(&mut key, text.parse().unwrap(), prefix);
            String::from_utf8(key_values(&key)[0].to_bytes()).unwrap()
        };
        let ip = "2001:db8:1:2:3:4:5:6";
        assert_eq!(shown(ip, 48), "2001:db8:1::/48");
        assert_eq!(shown(ip, 56), "2001:db8:1::/56");
        assert_eq!(shown(ip, 64), "2001:db8:1:2::/64");
        assert_eq!(shown(ip, 128), ip);
        assert_eq!(shown("192.0.2.7", 48), "192.0.2.7");
        assert_eq!(V6Prefix::new(47).or(V6Prefix::new(129)), None);
    }

    #[test]
    fn values_cannot_be_shifted_from_one_field_to_the_next() {
        let pair = |a: &[u8], b: &[u8]| {
            let mut key = Vec::new();
            push_text(&mut key, a, HashKey::default());
            push_text(&mut key, b, HashKey::default());
            key
        };
        assert_ne!(pair(b"ab", b"c"), pair(b"a", b"bc"));
    }
}
