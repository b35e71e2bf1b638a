//! A parsed line: when, what class of log, and fields borrowed from the line.

use std::net::IpAddr;

use crate::field::Field;
use crate::time::Time;

/// What Sigma's `logsource` calls a kind of log. A rule applies when each of
/// the product, category and service that it names is among these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSource {
    /// Sigma product, such as `linux` or `zeek`; empty for none.
    pub product: &'static str,
    /// Sigma categories, such as `firewall`.
    pub categories: &'static [&'static str],
    /// Sigma services, such as `sshd` and `auth`.
    pub services: &'static [&'static str],
}

/// A log class: a row of the formats table and one of its log sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class {
    /// Row in the formats table.
    pub format: u8,
    /// Place in that row's list of log sources.
    pub kind: u8,
}

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Present and empty of meaning (JSON `null`).
    Null,
    /// Bytes as they stood in the log, or decoded.
    Text(&'a [u8]),
    /// An address, canonical: never IPv4-mapped.
    Ip(IpAddr),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// A network, by the widest name known of it.
    Net(Net),
    /// Several values; a condition holds when any of them meets it.
    List(&'a [Value<'a>]),
}

/// What an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// An autonomous system.
    As(u32),
    /// A prefix: its first address and how many bits it has.
    Prefix(IpAddr, u8),
}

impl Net {
    /// The network of an address of which no table says more. A provider's
    /// customers change their addresses within its blocks, which the registries
    /// give out as /16 (IPv4, on average) and /32 (IPv6, RFC 2050 and ripe-738);
    /// a site's own networks are /24 and /64.
    pub fn around(ip: IpAddr) -> Net {
        let bits = match (ip, is_private(ip)) {
            (IpAddr::V4(_), false) => 16,
            (IpAddr::V4(_), true) => 24,
            (IpAddr::V6(_), false) => 32,
            (IpAddr::V6(_), true) => 64,
        };
        let first = match ip {
            IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX << (32 - bits)).into()),
            IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & u128::MAX << (128 - bits)).into()),
        };
        Net::Prefix(first, u8::try_from(bits).unwrap_or(128))
    }
}

impl std::fmt::Display for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Net::As(number) => write!(f, "AS{number}"),
            Net::Prefix(first, bits) => write!(f, "{first}/{bits}"),
        }
    }
}

/// Whether an address is of a site's own networks (RFC 1918, RFC 4193, and
/// what never leaves a link or a machine).
pub fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// One thing that happened. Its list of values is short (about ten), so a
/// look-up is a scan of numbers; rules are matched by walking the list once.
#[derive(Clone, Debug, Default)]
pub struct Event<'a> {
    /// When it happened; the envelope's stamp, in UTC.
    pub time: Option<Time>,
    /// What log it comes from.
    pub class: Class,
    /// How many times it happened (`message repeated N times`): at least 1.
    pub count: u32,
    /// The line it was read from, whole: what keyword rules search.
    pub line: &'a [u8],
    values: Vec<(Field, Value<'a>)>,
    present: Present,
    twice: bool,
}

/// Which fields have a value, a bit each: most questions are about one that
/// has none. Names that rules add have high numbers and are always looked for.
#[derive(Clone, Copy, Debug, Default)]
struct Present([u64; 4]);

impl Present {
    fn may_hold(&self, field: Field) -> bool {
        let word = self.0.get(usize::from(field.0 / 64));
        word.is_none_or(|word| word >> (field.0 % 64) & 1 == 1)
    }

    fn add(&mut self, field: Field) {
        if let Some(word) = self.0.get_mut(usize::from(field.0 / 64)) {
            *word |= 1 << (field.0 % 64);
        }
    }
}

impl<'a> Event<'a> {
    /// A value as the tests of the formats write it: `-` where there is none.
    #[cfg(test)]
    pub(crate) fn shown(&self, field: Field) -> String {
        match self.get(field) {
            Some(Value::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            Some(Value::Ip(ip)) => ip.to_string(),
            Some(Value::Int(n)) => n.to_string(),
            _ => "-".to_owned(),
        }
    }

    /// An event with room for the usual number of values.
    pub fn new() -> Event<'a> {
        Event {
            count: 1,
            values: Vec::with_capacity(32),
            ..Event::default()
        }
    }

    /// Empties the event for the next line, which may live elsewhere; keeps
    /// the memory, so that the hot path allocates nothing.
    pub fn recycle<'b>(mut self) -> Event<'b> {
        self.values.clear();
        // Collecting an emptied Vec into one of the same layout reuses its
        // buffer (std's in-place iteration); tests/hot_path.rs would notice.
        #[expect(
            clippy::unnecessary_filter_map,
            reason = "filter() would keep the old lifetime"
        )]
        let values = self.values.into_iter().filter_map(|_| None).collect();
        Event {
            time: None,
            class: Class::default(),
            count: 1,
            line: &[],
            values,
            present: Present::default(),
            twice: false,
        }
    }

    /// Adds a value. A field is set once: where a line tells one again, the
    /// first value stays and [`Event::is_told_twice`] says so.
    pub fn set(&mut self, field: Field, value: Value<'a>) {
        if self.get(field).is_some() {
            self.twice = true;
            return;
        }
        self.present.add(field);
        self.values.push((field, value));
    }

    /// Whether a field was set again: two readings of a line, of which a
    /// hostile one may be either.
    pub fn is_told_twice(&self) -> bool {
        self.twice
    }

    /// Adds a text value.
    pub fn text(&mut self, field: Field, text: &'a [u8]) {
        self.set(field, Value::Text(text));
    }

    /// Replaces a field's value, or adds it.
    pub fn replace(&mut self, field: Field, value: Value<'a>) {
        match self.values.iter_mut().find(|(f, _)| *f == field) {
            Some(slot) => slot.1 = value,
            None => self.set(field, value),
        }
    }

    /// A field's value.
    pub fn get(&self, field: Field) -> Option<Value<'a>> {
        if !self.present.may_hold(field) {
            return None;
        }
        self.values
            .iter()
            .find(|(f, _)| *f == field)
            .map(|(_, value)| *value)
    }

    /// All values in the order they were set.
    pub fn values(&self) -> &[(Field, Value<'a>)] {
        &self.values
    }

    /// Forgets all values that were set after the first `len`: a parser that
    /// finds a line malformed takes its own values back.
    pub fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.present = Present::default();
        for (field, _) in &self.values {
            self.present.add(*field);
        }
        self.twice = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_of_a_field_stays_and_the_second_is_told_of() {
        let mut event = Event::new();
        event.text(Field::USER_NAME, b"alice");
        event.text(Field::HOST_NAME, b"web1");
        assert!(!event.is_told_twice());
        event.text(Field::USER_NAME, b"root");
        assert!(event.is_told_twice());
        assert_eq!(event.shown(Field::USER_NAME), "alice");
        event.truncate(1);
        assert!(!event.is_told_twice());
        assert_eq!(event.get(Field::HOST_NAME), None);
        event.text(Field::HOST_NAME, b"web2");
        assert_eq!(event.shown(Field::HOST_NAME), "web2");
    }

    #[test]
    fn names_that_rules_add_are_found_like_others() {
        let (mut event, added) = (Event::new(), Field(1000));
        assert_eq!(event.get(added), None);
        event.set(added, Value::Int(7));
        assert_eq!(event.get(added), Some(Value::Int(7)));
    }
}
