//! Messages as their manual prints them: `Deny {P} src {S} dst {D} by`, text
//! with slots in it.
//!
//! A slot takes one word, to the next blank or to the text that follows the
//! slot. What remote people choose (`{U}`, `{*}`) may hold blanks: it goes to
//! the only place where the text after it stands, and where there is a second
//! such place the pattern does not fit.

use super::shape::only_cut;
use super::token::{Host, cut, cut_last, ip, number, port, some, trim_end, trim_start};
use super::transport::{say_filtered, set_protocol, verdict};
use crate::event::{Event, Value};
use crate::field::Field;

/// One end of a connection, as appliances write it.
#[derive(Clone, Copy)]
pub(super) struct End<'a> {
    /// The interface before it.
    pub(super) interface: Option<&'a [u8]>,
    /// The address, or the name that the administrator gave it.
    pub(super) host: Host<'a>,
    /// The port, where it is a number.
    pub(super) port: Option<u16>,
    /// The user behind it, in parentheses.
    pub(super) user: Option<&'a [u8]>,
}

/// Reads a text that begins as the pattern says; sets nothing where it does not.
///
/// Slots: `S` and `D` the ends (`s` and `d` without ports), `P` the protocol,
/// `V` the verdict, `T` the direction, `I` and `E` the interfaces, `N` the
/// rule's name, `p` and `q` the ports alone, `Q` a protocol's number, `U` the user, `R` the reason (to the end), `L` an address
/// asked for (to the end), `W` any word, `~` anything of the device's own, `*`
/// anything.
pub(super) fn read<'a>(pattern: &'static str, text: &'a [u8], event: &mut Event<'a>) -> bool {
    let before = event.values().len();
    let fits = fill(pattern.as_bytes(), text, event).is_some();
    if !fits {
        event.truncate(before);
    }
    fits
}

fn fill<'a>(pattern: &'static [u8], text: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    let (mut pattern, mut rest) = (pattern, text);
    loop {
        let Some((literal, slot)) = cut(pattern, b"{") else {
            return rest.starts_with(pattern).then_some(());
        };
        rest = rest.strip_prefix(literal)?;
        let (&slot, after) = slot.split_first()?;
        pattern = after.strip_prefix(b"}")?;
        let next = cut(pattern, b"{").map_or(pattern, |(literal, _)| literal);
        let value = extent(slot, next, rest)?;
        rest = rest.get(value.len()..)?;
        set(slot, value, event)?;
    }
}

/// What a slot holds.
fn extent<'a>(slot: u8, next: &[u8], text: &'a [u8]) -> Option<&'a [u8]> {
    match slot {
        b'R' | b'L' => Some(text),
        // At the end, what looks like the next pair of a list is none.
        b'U' if next.is_empty() => memchr::memmem::find(text, b" : ").is_none().then_some(text),
        b'*' if next.is_empty() => Some(text),
        b'U' | b'*' => only_cut(text, next, |_, _| true).map(|(value, _)| value),
        b'~' => cut(text, next).map(|(value, _)| value),
        _ => {
            let end = memchr::memchr(b' ', text).unwrap_or(text.len());
            let word = text.get(..end)?;
            // The text that follows may begin inside the word: `type=8, code`.
            let inside = next.split(|&b| b == b' ').next().unwrap_or_default();
            let end = match inside {
                [] => word.len(),
                _ => memchr::memmem::rfind(word, inside)?,
            };
            word.get(..end).filter(|word| !word.is_empty())
        }
    }
}

fn set<'a>(slot: u8, value: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    match slot {
        b'S' | b's' => source(end(value)?, slot == b'S', event),
        b'D' | b'd' => destination(end(value)?, slot == b'D', event),
        b'p' | b'q' => {
            let field = if slot == b'p' {
                Field::SOURCE_PORT
            } else {
                Field::DESTINATION_PORT
            };
            super::token::once(event, field, Value::Int(i64::from(port(value)?)));
        }
        b'Q' => {
            number(value)?;
            set_protocol(value, event);
        }
        b'P' if event.get(Field::NETWORK_TRANSPORT).is_none() => set_protocol(value, event),
        b'V' => say_filtered(verdict(value.strip_prefix(b"est-").unwrap_or(value)), event),
        b'T' => {
            let known = matches!(value, b"inbound" | b"outbound" | b"Inbound" | b"Outbound");
            let lower: &[u8] = match value {
                b"Inbound" => b"inbound",
                b"Outbound" => b"outbound",
                other => other,
            };
            known.then(|| some(event, Field::NETWORK_DIRECTION, lower))?;
        }
        b'I' => some(event, Field::OBSERVER_INGRESS, value),
        b'E' => some(event, Field::OBSERVER_EGRESS, value),
        b'N' => some(event, Field::RULE_NAME, value),
        b'U' => user(value, event),
        b'R' => some(event, Field::EVENT_REASON, trim_end(value)),
        b'L' => some(event, Field::URL_ORIGINAL, value),
        _ => {}
    }
    Some(())
}

/// Sets the end that a packet came from.
pub(super) fn source<'a>(end: End<'a>, with_port: bool, event: &mut Event<'a>) {
    match end.host {
        Host::Ip(ip) => super::token::once(event, Field::SOURCE_IP, Value::Ip(ip)),
        Host::Name(name) => some(event, Field::SOURCE_DOMAIN, name),
    }
    if let Some(port) = end.port.filter(|_| with_port) {
        super::token::once(event, Field::SOURCE_PORT, Value::Int(i64::from(port)));
    }
    if let Some(interface) = end.interface {
        some(event, Field::OBSERVER_INGRESS, interface);
    }
    if let Some(name) = end.user {
        user(name, event);
    }
}

/// Sets the end that a packet went to.
pub(super) fn destination<'a>(end: End<'a>, with_port: bool, event: &mut Event<'a>) {
    match end.host {
        Host::Ip(ip) => super::token::once(event, Field::DESTINATION_IP, Value::Ip(ip)),
        Host::Name(name) => some(event, Field::DESTINATION_DOMAIN, name),
    }
    if let Some(port) = end.port.filter(|_| with_port) {
        super::token::once(event, Field::DESTINATION_PORT, Value::Int(i64::from(port)));
    }
    if let Some(interface) = end.interface {
        some(event, Field::OBSERVER_EGRESS, interface);
    }
}

/// Sets a user, and the domain where a backslash divides them.
pub(super) fn user<'a>(name: &'a [u8], event: &mut Event<'a>) {
    let name = trim_end(trim_start(name));
    let bare = name
        .strip_prefix(b"\"")
        .or_else(|| name.strip_prefix(b"'"))
        .and_then(|name| name.strip_suffix(b"\"").or_else(|| name.strip_suffix(b"'")))
        .unwrap_or(name);
    match cut(bare, b"\\") {
        Some((domain, name)) if !name.is_empty() => {
            some(event, Field::USER_NAME, name);
            some(event, Field::USER_DOMAIN, domain);
        }
        _ => some(event, Field::USER_NAME, bare),
    }
}

/// `outside:192.0.2.7/4711`, `inside/192.0.2.7(4711)`, `192.0.2.7(4711)`,
/// `192.0.2.7:4711`, `[2001:db8::7]:4711`, `(192.0.2.7)`, with
/// `(DOMAIN\user)` behind it, and with the sentence's punctuation.
pub(super) fn end(text: &[u8]) -> Option<End<'_>> {
    if let [text @ .., b'.' | b',' | b';'] = text
        && let Some(end) = exact(text)
    {
        return Some(end);
    }
    let whole = exact(text);
    // A name may end with a point; where an address does, it is the sentence's.
    if matches!(
        whole,
        Some(End {
            host: Host::Ip(_),
            ..
        })
    ) {
        return whole;
    }
    match text {
        [text @ .., b':' | b')'] => exact(text).or(whole),
        _ => whole,
    }
}

fn exact(text: &[u8]) -> Option<End<'_>> {
    if let Some(inside) = text.strip_prefix(b"(") {
        return exact(inside.strip_suffix(b")")?);
    }
    let (text, behind) = match cut(text, b"(") {
        Some((text, behind)) => (text, Some(behind.strip_suffix(b")").unwrap_or(behind))),
        None => (text, None),
    };
    // `(4711)(DOMAIN\user)` has both.
    let (first, second) = match behind.and_then(|behind| cut(behind, b")(")) {
        Some((first, second)) => (Some(first), Some(second)),
        None => (behind, None),
    };
    let number = first.and_then(port);
    let name = match (number, first) {
        (None, Some(name)) if name.contains(&b'\\') => Some(name),
        _ => second,
    };
    let (interface, host, joined) = address(text)?;
    Some(End {
        interface,
        host,
        port: joined.or(number),
        user: name,
    })
}

/// The interface, the host and the port.
type Address<'a> = (Option<&'a [u8]>, Host<'a>, Option<u16>);

/// An address with what is joined to it by `:` and `/`.
fn address(text: &[u8]) -> Option<Address<'_>> {
    if let Some(peer) = super::token::socket(text) {
        return Some((None, Host::Ip(peer.ip?), peer.port));
    }
    // Knot's `192.0.2.7@4711`.
    if let Some((before, number)) = cut_last(text, b"@") {
        return Some((None, Host::Ip(ip(before)?), port(number)));
    }
    if let Some((before, after)) = cut_last(text, b"/") {
        if let Some(ip) = ip(after) {
            return Some((Some(before), Host::Ip(ip), None));
        }
        // A port by its service's name has no number.
        let sound = number(after).is_some() || after.iter().all(u8::is_ascii_graphic);
        let (interface, host) = named(before)?;
        return sound.then_some((interface, host, port(after)));
    }
    let (interface, host) = named(text)?;
    Some((interface, host, None))
}

/// `outside:192.0.2.7`, `192.0.2.7`, or a name in the address' place.
fn named(text: &[u8]) -> Option<(Option<&[u8]>, Host<'_>)> {
    if let Some(ip) = ip(text) {
        return Some((None, Host::Ip(ip)));
    }
    match cut(text, b":") {
        Some((interface, host)) => Some((Some(interface), Host::read(host)?)),
        None => Some((None, Host::read(text)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pattern: &'static str, text: &str) -> Option<String> {
        let mut event = Event::new();
        let fields = [
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::DESTINATION_IP,
            Field::DESTINATION_PORT,
            Field::USER_NAME,
            Field::NETWORK_TRANSPORT,
        ];
        let fits = read(pattern, text.as_bytes(), &mut event);
        assert!(fits || event.values().is_empty());
        fits.then(|| fields.map(|field| event.shown(field)).join(" "))
    }

    #[test]
    fn ends_in_every_spelling() {
        for (text, expected) in [
            ("outside:192.0.2.7/4711", "192.0.2.7 4711 - - - -"),
            ("outside:2001:db8::7/4711", "2001:db8::7 4711 - - - -"),
            ("outside/192.0.2.7(4711)", "192.0.2.7 4711 - - - -"),
            ("192.0.2.7(4711)", "192.0.2.7 4711 - - - -"),
            ("(192.0.2.7)", "192.0.2.7 - - - - -"),
            ("192.0.2.7:4711,", "192.0.2.7 4711 - - - -"),
            ("2001:db8::7(4711),", "2001:db8::7 4711 - - - -"),
            ("192.0.2.7.", "192.0.2.7 - - - - -"),
            ("[2001:db8::7]:4711", "2001:db8::7 4711 - - - -"),
            ("in:192.0.2.7/4711(LOCAL\\bob)", "192.0.2.7 4711 - - bob -"),
            ("in/192.0.2.7(4711)(LOCAL\\bob)", "192.0.2.7 4711 - - bob -"),
            ("inside:192.0.2.7/ssh", "192.0.2.7 - - - - -"),
        ] {
            assert_eq!(shown("{S}", text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_word_ends_where_the_text_after_it_begins() {
        let pattern = "Denied {P} type={W}, code={W} from {S} on {I}";
        let text = "Denied ICMP type=3, code=3 from 192.0.2.7 on outside";
        assert_eq!(
            shown(pattern, text).as_deref(),
            Some("192.0.2.7 - - - - icmp")
        );
        assert_eq!(shown(pattern, "Denied ICMP type=3 from 192.0.2.7"), None);
    }

    #[test]
    fn what_a_user_calls_himself_moves_no_address() {
        let pattern = "for user '{U}' from {S} to {D}";
        assert_eq!(
            shown(pattern, "for user 'bob' from 192.0.2.7/1 to 198.51.100.5/2").as_deref(),
            Some("192.0.2.7 1 198.51.100.5 2 bob -")
        );
        let attack = "for user 'x' from 203.0.113.66/1 to y' from 192.0.2.7/1 to 198.51.100.5/2";
        assert_eq!(shown(pattern, attack), None);
    }
}
