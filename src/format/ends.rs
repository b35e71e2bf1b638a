//! The ends of a packet's way, in every spelling that firewalls have:
//! `outside:192.0.2.7/4711`, `inside/192.0.2.7(4711)`, with the user behind it.

use super::token::{Host, cut, cut_last, ip, number, port, some, trim_end, trim_start};
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

    fn shown(text: &str) -> Option<String> {
        let mut event = Event::new();
        source(end(text.as_bytes())?, true, &mut event);
        let fields = [Field::SOURCE_IP, Field::SOURCE_PORT, Field::USER_NAME];
        Some(fields.map(|field| event.shown(field)).join(" "))
    }

    #[test]
    fn ends_in_every_spelling() {
        for (text, expected) in [
            ("outside:192.0.2.7/4711", "192.0.2.7 4711 -"),
            ("outside:2001:db8::7/4711", "2001:db8::7 4711 -"),
            ("outside/192.0.2.7(4711)", "192.0.2.7 4711 -"),
            ("192.0.2.7(4711)", "192.0.2.7 4711 -"),
            ("(192.0.2.7)", "192.0.2.7 - -"),
            ("192.0.2.7:4711,", "192.0.2.7 4711 -"),
            ("2001:db8::7(4711),", "2001:db8::7 4711 -"),
            ("192.0.2.7.", "192.0.2.7 - -"),
            ("[2001:db8::7]:4711", "2001:db8::7 4711 -"),
            ("in:192.0.2.7/4711(LOCAL\\bob)", "192.0.2.7 4711 bob"),
            ("in/192.0.2.7(4711)(LOCAL\\bob)", "192.0.2.7 4711 bob"),
            ("inside:192.0.2.7/ssh", "192.0.2.7 - -"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
    }
}
