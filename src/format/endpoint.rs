//! The ends of a connection as mail, FTP, directory and database servers
//! print them, and messages told apart by how they begin.

use std::net::IpAddr;

use super::Verdict;
use super::token::{Host, Peer, cut, cut_last, ip, number, port};
use crate::event::{Event, Value};
use crate::field::Field;

/// What reading a shape comes to; an error says why it cannot be read.
pub(super) type Outcome = Result<(), &'static str>;

/// How a message begins, and what reads the rest of it.
pub(super) type Shape = (
    &'static [u8],
    for<'a> fn(&'a [u8], &mut Event<'a>) -> Outcome,
);

/// A shape's reason for a line that only begins like its own.
pub(super) const ANOTHER: &str = "another kind of line";

/// Reads a message with the first shape that it begins like.
pub(super) fn by_beginning<'a>(shapes: &[Shape], text: &'a [u8], event: &mut Event<'a>) -> Verdict {
    let found = shapes
        .iter()
        .filter(|(first, _)| first.first() == text.first())
        .find_map(|(first, read)| Some((text.strip_prefix(*first)?, read)));
    match found {
        Some((rest, read)) => verdict(read(rest, event)),
        None => Verdict::NotMine,
    }
}

/// A shape's outcome as a verdict.
pub(super) fn verdict(outcome: Outcome) -> Verdict {
    match outcome {
        Ok(()) => Verdict::Event,
        Err(ANOTHER) => Verdict::NotMine,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`, all of the text.
pub(super) fn whole(text: &[u8]) -> Option<Peer> {
    if text.starts_with(b"[") {
        let (peer, rest) = bracketed(text)?;
        return rest.is_empty().then_some(peer);
    }
    if let Some(address) = ip(text) {
        return Some(at(address, None));
    }
    let (address, number) = cut_last(text, b":")?;
    Some(at(ip(address)?, Some(port(number)?)))
}

/// `[ADDRESS]` or `[ADDRESS]:PORT` at the beginning, and what follows. RFC 5321
/// writes `[IPv6:ADDRESS]`.
pub(super) fn bracketed(text: &[u8]) -> Option<(Peer, &[u8])> {
    let (inside, rest) = cut(text.strip_prefix(b"[")?, b"]")?;
    let address = ip(inside.strip_prefix(b"IPv6:").unwrap_or(inside))?;
    let digits = match rest {
        [b':', after @ ..] => after.iter().take_while(|b| b.is_ascii_digit()).count(),
        _ => 0,
    };
    if digits == 0 {
        return Some((at(address, None), rest));
    }
    let number = port(rest.get(1..=digits)?)?;
    Some((at(address, Some(number)), rest.get(digits + 1..)?))
}

/// `NAME[ADDRESS]`, `NAME [ADDRESS]` or `[ADDRESS]`, each with `:PORT` or
/// without, and what follows. The name is one from the DNS.
pub(super) fn named(text: &[u8]) -> Option<(Option<Host<'_>>, Peer, &[u8])> {
    let open = memchr::memchr(b'[', text)?;
    let (name, rest) = text.split_at_checked(open)?;
    let (peer, rest) = bracketed(rest)?;
    let name = name.strip_suffix(b" ").unwrap_or(name);
    if name.is_empty() {
        return Some((None, peer, rest));
    }
    Some((Some(Host::read(name)?), peer, rest))
}

/// Sets where it came from: the address, and the name unless it is a stand-in
/// for one or an address again.
pub(super) fn set_source<'a>(name: Option<Host<'a>>, peer: Peer, event: &mut Event<'a>) {
    peer.set(event);
    if let Some(Host::Name(name)) = name
        && !matches!(name, b"unknown" | b"UNKNOWN" | b"NULL")
    {
        event.text(Field::SOURCE_DOMAIN, name);
    }
}

/// Sets `destination.ip` and `destination.port`.
pub(super) fn set_destination(peer: Peer, event: &mut Event<'_>) {
    if let Some(ip) = peer.ip {
        event.set(Field::DESTINATION_IP, Value::Ip(ip));
    }
    if let Some(port) = peer.port {
        event.set(Field::DESTINATION_PORT, Value::Int(i64::from(port)));
    }
}

/// The place of the only occurrence of `needle`; none where there is no such
/// place or more than one that could be meant.
pub(super) fn only(text: &[u8], needle: &[u8]) -> Option<usize> {
    let mut places = memchr::memmem::find_iter(text, needle);
    let first = places.next()?;
    places.next().is_none().then_some(first)
}

/// The texts before and after the only occurrence of `separator`.
pub(super) fn cut_only<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = only(text, separator)?;
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}

/// `[123] `, a process id in a program's own stamp, and what follows.
pub(super) fn pid(text: &[u8]) -> Option<(i64, &[u8])> {
    let (inside, rest) = cut(text.strip_prefix(b"[")?, b"]")?;
    Some((number(inside)?, rest.strip_prefix(b" ")?))
}

fn at(ip: IpAddr, port: Option<u16>) -> Peer {
    Peer { ip: Some(ip), port }
}

/// What a server's message is read as: verdict, action, outcome, user, address
/// and port.
#[cfg(test)]
pub(super) fn shown(
    parse: for<'a> fn(super::Message<'a>, &mut Event<'a>) -> Verdict,
    program: &str,
    text: &str,
) -> (Verdict, String) {
    let mut event = Event::new();
    let message = super::Message {
        program: program.as_bytes(),
        text: text.as_bytes(),
    };
    let verdict = parse(message, &mut event);
    let fields = [
        Field::EVENT_ACTION,
        Field::EVENT_OUTCOME,
        Field::USER_NAME,
        Field::SOURCE_IP,
        Field::SOURCE_PORT,
    ];
    let shown = fields.map(|field| event.shown(field));
    (verdict, shown.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_end_is_that_end() {
        let shown = |peer: Peer| format!("{} {:?}", peer.ip.unwrap(), peer.port);
        for (text, expected) in [
            ("192.0.2.7", "192.0.2.7 None"),
            ("192.0.2.7:25", "192.0.2.7 Some(25)"),
            ("[192.0.2.7]:25", "192.0.2.7 Some(25)"),
            ("2001:db8::7", "2001:db8::7 None"),
            ("[2001:db8::7]:25", "2001:db8::7 Some(25)"),
            ("[IPv6:2001:DB8::7]", "2001:db8::7 None"),
        ] {
            assert_eq!(shown(whole(text.as_bytes()).unwrap()), expected, "{text}");
        }
        for text in [
            "192.0.2.7:",
            "192.0.2.7:x",
            "[192.0.2.7",
            "[192.0.2.7]x",
            "a:25",
        ] {
            assert_eq!(whole(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_name_before_the_brackets_is_one_word() {
        let (name, peer, rest) = named(b"mail.example [192.0.2.7]:25 rest").unwrap();
        assert_eq!(name, Some(Host::Name(b"mail.example")));
        assert_eq!((peer.port, rest), (Some(25), &b" rest"[..]));
        assert!(named(b"x from a[192.0.2.7]").is_none());
        assert!(named(b"[192.0.2.7]").is_some());
    }

    #[test]
    fn two_places_that_could_be_meant_are_none() {
        assert_eq!(cut_only(b"a=b=c", b"="), None);
        assert_eq!(cut_only(b"a=b", b"="), Some((&b"a"[..], &b"b"[..])));
    }
}
