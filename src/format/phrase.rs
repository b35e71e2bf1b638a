//! Messages written down as a program prints them: `Failed login for {user}
//! from {ip}`.
//!
//! Whoever is remote chooses what stands at some of the places, also words of
//! the phrase itself. So a text is read only where there is one way to do it:
//! two readings that differ make the line malformed, whoever may be meant.

use super::Verdict;
use super::token::{Host, Peer, digit, ip, joined_peer, number, once, port, say, socket};
use crate::event::{Event, Value};
use crate::field::Field;

/// A message as its program prints it, and what it says.
pub(super) struct Phrase {
    /// Words and places. `{user}`, `{target}` (the account it is done to or
    /// as), `{reason}`, `{domain}`, `{tty}` and `{any}` take anything; `{word}`
    /// takes what has no blank, `{account}` a name as accounts have; `{ip}`,
    /// `{host}` (a name too), `{name}` (no address), `{port}`,
    /// `{socket}` (`ADDRESS:PORT`, both), `{peer}` (the port may be missing),
    /// `{to}` and `{to-port}` (the destination's) and `{number}` only their
    /// own kind. A missing host is empty, `UNKNOWN`, `-` or `?` for `{host?}`.
    pub(super) text: &'static str,
    /// `event.action`, `event.outcome`, `event.category`.
    pub(super) says: [&'static str; 3],
}

/// A phrase of a login that failed, and so on for the other three.
pub(super) const fn phrase(text: &'static str, says: [&'static str; 3]) -> Phrase {
    Phrase { text, says }
}

/// What a place takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Text(Option<Field>),
    Account,
    Word,
    Number,
    Name,
    Ip,
    Host,
    HostOrNone,
    Port,
    Socket,
    Peer,
    To,
    ToPort,
}

/// Most places that a phrase may have.
const PLACES_MAX: usize = 8;

/// Most ends of places that are tried on a text; what needs more was written
/// to cost time. The longest real message needs fewer than ten.
const TRIES_MAX: u32 = 128;

/// Longest text that is read. sshd cuts its own at 1 KiB, RFC 5424 asks for
/// 2 KiB; the search's cost grows with it.
const TEXT_MAX: usize = 4096;

/// Why a text is not read.
const AMBIGUOUS: &str = "more than one way to read it";

type Found<'a> = [Option<(Place, &'a [u8])>; PLACES_MAX];

/// The reading of a text, as far as it is known.
struct Search<'a> {
    current: Found<'a>,
    found: Option<Found<'a>>,
    twice: bool,
    tries: u32,
}

/// Reads a text by the first phrase that fits it, unless another one that fits
/// finds other addresses.
pub(super) fn read<'a>(
    phrases: &'static [Phrase],
    text: &'a [u8],
    event: &mut Event<'a>,
) -> Verdict {
    if text.len() > TEXT_MAX {
        return Verdict::NotMine;
    }
    let mut first: Option<(&'static Phrase, Found<'a>)> = None;
    for phrase in phrases {
        let pattern = phrase.text.as_bytes();
        // Most phrases are told by their first byte.
        if pattern.first() != Some(&b'{') && pattern.first() != text.first() {
            continue;
        }
        let mut search = Search {
            current: [None; PLACES_MAX],
            found: None,
            twice: false,
            tries: 0,
        };
        search.walk(pattern, text, 0);
        if search.twice || (search.found.is_some() && search.tries > TRIES_MAX) {
            return Verdict::Malformed(AMBIGUOUS);
        }
        let Some(found) = search.found else {
            continue;
        };
        match &first {
            None => first = Some((phrase, found)),
            Some((_, before)) if addresses(&found).next().is_some() => {
                if !addresses(before).eq(addresses(&found)) {
                    return Verdict::Malformed(AMBIGUOUS);
                }
            }
            Some(_) => {}
        }
    }
    let Some((phrase, found)) = first else {
        return Verdict::NotMine;
    };
    let [action, outcome, category] = phrase.says;
    say(event, action, outcome, category);
    for (place, value) in found.into_iter().flatten() {
        set(place, value, event);
    }
    Verdict::Event
}

/// The values of places that take addresses and ports.
fn addresses<'s, 'a>(found: &'s Found<'a>) -> impl Iterator<Item = &'a [u8]> + use<'s, 'a> {
    found
        .iter()
        .flatten()
        .filter(|(place, _)| {
            !matches!(
                place,
                Place::Text(_) | Place::Account | Place::Word | Place::Number
            )
        })
        .map(|(_, value)| *value)
}

impl<'a> Search<'a> {
    /// Matches what is left of a phrase with what is left of the text.
    fn walk(&mut self, pattern: &'static [u8], text: &'a [u8], at: usize) {
        if self.twice || self.tries > TRIES_MAX {
            return;
        }
        let words = memchr::memchr(b'{', pattern).unwrap_or(pattern.len());
        let (Some(literal), Some(pattern)) = (pattern.get(..words), pattern.get(words..)) else {
            return;
        };
        let Some(text) = text.strip_prefix(literal) else {
            return;
        };
        let Some((place, pattern)) = place(pattern) else {
            if text.is_empty() {
                self.take();
            }
            return;
        };
        if pattern.is_empty() {
            self.fill(place, text, at, pattern, &[]);
            return;
        }
        let next = memchr::memchr(b'{', pattern).unwrap_or(pattern.len());
        let Some(literal) = pattern.get(..next) else {
            return;
        };
        debug_assert!(!literal.is_empty(), "two places without words between them");
        if next == pattern.len() {
            // The last words end the text: nothing else needs to be tried.
            if let Some(value) = text.strip_suffix(literal) {
                self.fill(place, value, at, &[], &[]);
            }
            return;
        }
        for end in memchr::memmem::find_iter(text, literal) {
            self.tries += 1;
            if let (Some(value), Some(rest)) = (text.get(..end), text.get(end..)) {
                self.fill(place, value, at, pattern, rest);
            }
        }
    }

    /// Takes a value for a place and goes on behind it.
    fn fill(
        &mut self,
        place: Place,
        value: &'a [u8],
        at: usize,
        pattern: &'static [u8],
        rest: &'a [u8],
    ) {
        if !fits(place, value) {
            return;
        }
        let Some(slot) = self.current.get_mut(at) else {
            return;
        };
        *slot = Some((place, value));
        self.walk(pattern, rest, at + 1);
        if let Some(slot) = self.current.get_mut(at) {
            *slot = None;
        }
    }

    /// Keeps a reading, unless it says something else than the one before.
    fn take(&mut self) {
        let tells = |found: &Found<'a>| {
            found.map(|slot| slot.filter(|(place, _)| *place != Place::Text(None)))
        };
        match &self.found {
            Some(before) if tells(before) != tells(&self.current) => self.twice = true,
            Some(_) => {}
            None => self.found = Some(self.current),
        }
    }
}

/// The place that a pattern begins with, and what follows it.
fn place(pattern: &'static [u8]) -> Option<(Place, &'static [u8])> {
    let (name, rest) = super::token::cut(pattern.strip_prefix(b"{")?, b"}")?;
    let place = match name {
        b"user" => Place::Text(Some(Field::USER_NAME)),
        b"target" => Place::Text(Some(Field::USER_EFFECTIVE_NAME)),
        b"reason" => Place::Text(Some(Field::EVENT_REASON)),
        b"domain" => Place::Text(Some(Field::USER_DOMAIN)),
        b"tty" => Place::Text(Some(Field::PROCESS_TTY)),
        b"command" => Place::Text(Some(Field::PROCESS_COMMAND_LINE)),
        b"account" => Place::Account,
        b"name" => Place::Name,
        b"word" => Place::Word,
        b"number" => Place::Number,
        b"ip" => Place::Ip,
        b"host" => Place::Host,
        b"host?" => Place::HostOrNone,
        b"port" => Place::Port,
        b"socket" => Place::Socket,
        b"peer" => Place::Peer,
        b"to" => Place::To,
        b"to-port" => Place::ToPort,
        _ => Place::Text(None),
    };
    Some((place, rest))
}

/// Stand-ins for a host that is not there.
fn is_none(text: &[u8]) -> bool {
    matches!(
        text,
        b"" | b"-" | b"?" | b"UNKNOWN" | b"unknown" | b"null" | b"(null)"
    )
}

fn fits(place: Place, value: &[u8]) -> bool {
    match place {
        Place::Text(_) => true,
        Place::Word => !value.is_empty() && !value.contains(&b' '),
        Place::Account => {
            let in_name = |b: &u8| b.is_ascii_alphanumeric() || b"._-$@\\+".contains(b);
            !value.is_empty() && value.iter().all(in_name)
        }
        // An address that was cut is no name.
        Place::Name => {
            matches!(Host::read(value), Some(Host::Name(_)))
                && value.iter().any(u8::is_ascii_alphabetic)
        }
        Place::Number => {
            let value = value.strip_prefix(b"-").unwrap_or(value);
            !value.is_empty() && value.iter().all(|b| digit(*b).is_some())
        }
        Place::Ip => ip(value).is_some(),
        Place::Host | Place::To => Host::read(value).is_some(),
        Place::HostOrNone => is_none(value) || Host::read(value).is_some(),
        Place::Port | Place::ToPort => port(value).is_some(),
        Place::Socket => joined_peer(value).is_some(),
        Place::Peer => peer(value).is_some(),
    }
}

fn peer(value: &[u8]) -> Option<Peer> {
    socket(value).or_else(|| joined_peer(value))
}

fn set<'a>(place: Place, value: &'a [u8], event: &mut Event<'a>) {
    let number_of = |value| Value::Int(number(value).unwrap_or_default());
    match place {
        Place::Text(Some(field)) => {
            if !value.is_empty() && value != b"-" {
                once(event, field, Value::Text(value));
            }
        }
        Place::Account => once(event, Field::USER_NAME, Value::Text(value)),
        Place::Text(None) | Place::Word | Place::Number => {}
        Place::Name | Place::Ip | Place::Host | Place::HostOrNone => {
            if let Some(host) = Host::read(value).filter(|_| !is_none(value)) {
                set_host(host, Field::SOURCE_IP, Field::SOURCE_DOMAIN, event);
            }
        }
        Place::To => {
            if let Some(host) = Host::read(value) {
                set_host(
                    host,
                    Field::DESTINATION_IP,
                    Field::DESTINATION_DOMAIN,
                    event,
                );
            }
        }
        Place::Port => once(event, Field::SOURCE_PORT, number_of(value)),
        Place::ToPort => once(event, Field::DESTINATION_PORT, number_of(value)),
        Place::Socket | Place::Peer => {
            let read = match place {
                Place::Socket => joined_peer(value),
                _ => peer(value),
            };
            if let Some(peer) = read {
                peer.set(event);
            }
        }
    }
}

fn set_host<'a>(host: Host<'a>, address: Field, name: Field, event: &mut Event<'a>) {
    match host {
        Host::Ip(ip) => once(event, address, Value::Ip(ip)),
        Host::Name(text) => once(event, name, Value::Text(text)),
    }
}

/// Fills each phrase's places, its free ones with hostile text, and checks
/// that no address or port but the true one is ever read.
#[cfg(test)]
pub(super) fn assert_hostile_text_moves_nothing(phrases: &'static [Phrase]) {
    const TRUE: &str = "192.0.2.7";
    for phrase in phrases {
        let plain = filled(phrase.text, "alice");
        let mut event = Event::new();
        let verdict = read(phrases, plain.as_bytes(), &mut event);
        assert_eq!(verdict, Verdict::Event, "{plain}");
        let mut attacks = vec![
            "198.51.100.9".to_owned(),
            " from 198.51.100.9".to_owned(),
            "x from 198.51.100.9 port 9".to_owned(),
            "x' from '198.51.100.9".to_owned(),
            "x\" ip=\"198.51.100.9".to_owned(),
        ];
        // The phrase's own words, with another address.
        let other = filled(phrase.text, "bob").replace(TRUE, "198.51.100.9");
        attacks.extend((0..=other.len()).map(|at| other[at..].to_owned()));
        attacks.extend((0..=other.len()).map(|at| other[..at].to_owned()));
        for attack in attacks {
            let line = filled(phrase.text, &attack);
            let mut event = Event::new();
            if read(phrases, line.as_bytes(), &mut event) != Verdict::Event {
                continue;
            }
            let ip = event.shown(Field::SOURCE_IP);
            let to = event.shown(Field::DESTINATION_IP);
            let port = event.shown(Field::SOURCE_PORT);
            assert!(
                [TRUE, "-"].contains(&ip.as_str())
                    && [TRUE, "-"].contains(&to.as_str())
                    && ["40022", "-"].contains(&port.as_str()),
                "{line}: {ip} {port} {to}"
            );
        }
    }
}

/// A phrase with text at its places.
#[cfg(test)]
fn filled(pattern: &str, free: &str) -> String {
    let mut text = pattern.to_owned();
    for (place, value) in [
        ("{ip}", "192.0.2.7"),
        ("{account}", "alice"),
        ("{name}", "a.example"),
        ("{host}", "192.0.2.7"),
        ("{host?}", "192.0.2.7"),
        ("{to}", "192.0.2.7"),
        ("{port}", "40022"),
        ("{to-port}", "40022"),
        ("{number}", "3"),
        ("{word}", "w"),
        ("{socket}", "192.0.2.7:40022"),
        ("{peer}", "192.0.2.7:40022"),
    ] {
        text = text.replace(place, value);
    }
    for place in [
        "user", "target", "reason", "domain", "tty", "command", "any",
    ] {
        text = text.replace(&format!("{{{place}}}"), free);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: [&str; 3] = ["login", "failure", "authentication"];

    static SAMPLES: &[Phrase] = &[
        phrase("failed for {user} from {ip} port {port}", LOGIN),
        phrase("denied {user} from {host?} ({any})", LOGIN),
        phrase("refused {socket}: {reason}", LOGIN),
    ];

    fn shown(text: &str) -> String {
        let mut event = Event::new();
        let verdict = read(SAMPLES, text.as_bytes(), &mut event);
        let fields = [
            Field::USER_NAME,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::EVENT_REASON,
        ];
        let values = fields.map(|field| event.shown(field));
        format!("{verdict:?} {}", values.join("|"))
    }

    #[test]
    fn a_phrase_is_read_where_there_is_one_way_to() {
        for (text, expected) in [
            (
                "failed for alice from 192.0.2.7 port 22",
                "Event alice|192.0.2.7|22|-",
            ),
            (
                "failed for x from 198.51.100.1 port 1 from 192.0.2.7 port 22",
                "Event x from 198.51.100.1 port 1|192.0.2.7|22|-",
            ),
            ("denied alice from ? (a)", "Event alice|-|-|-"),
            (
                "denied x from 198.51.100.1 (b from 192.0.2.7 (a)",
                "Malformed(\"more than one way to read it\") -|-|-|-",
            ),
            (
                "refused 2001:db8::1:22: a: b",
                "Event -|2001:db8::1|22|a: b",
            ),
            ("failed for alice", "NotMine -|-|-|-"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn hostile_text_moves_nothing() {
        assert_hostile_text_moves_nothing(SAMPLES);
    }

    #[test]
    fn a_text_made_to_cost_time_is_given_up() {
        let text = format!("denied {} (", " from a (".repeat(200));
        assert!(shown(&text).starts_with("NotMine"));
        assert!(shown(&format!("{text})")).starts_with("Malformed"));
    }
}
