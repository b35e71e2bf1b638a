//! Messages written down as the program writes them: `CTRL: Client {ip}
//! control connection {*}`, fixed words with holes between.
//!
//! Most programs have a dozen such lines and nothing else. A hole that holds
//! an address or a word takes nothing else; one for free text (a user's name,
//! a reason) may end wherever the words after it stand, and all ways to read
//! the line are tried: where two of them would tell another address or name,
//! somebody made it so, and the line is malformed.

use std::sync::OnceLock;

use super::Verdict;
use super::endpoint::{named, set_destination, set_source, whole};
use super::token::{Host, Peer, cut, ip, number, once, port, say};
use crate::event::{Event, Value};
use crate::field::Field;

/// Holes of one template whose text is kept; the longest of the tables has six.
const KEPT_MAX: usize = 8;

/// Places that are tried for the holes of one line, over all of them, where
/// 64 bytes that are looked through count as one more. A line of two names
/// with a hundred blanks each stays below.
const TRIES_MAX: usize = 20_000;

/// Longest text of a hole that is one word or one address with its name.
const WORD_MAX: usize = 320;

/// What lines say (`event.action`, `event.outcome`, `event.category`), and the
/// lines as they are written.
pub(super) type Row = ([&'static str; 3], &'static [&'static str]);

/// The lines of a program.
pub(super) struct Table {
    rows: &'static [Row],
    compiled: OnceLock<Vec<Template>>,
}

struct Template {
    parts: Vec<Part>,
    says: [&'static str; 3],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Words(&'static [u8]),
    Hole(Hole),
}

/// What stands between the fixed words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hole {
    /// Free text that says nothing here.
    Any,
    /// One word that says nothing here.
    Word,
    /// A number that says nothing here.
    Number,
    /// A service's name, without colons and dots.
    Service,
    /// Free text that is kept.
    Text(Field),
    /// One word that is kept.
    OneWord(Field),
    /// `ADDRESS`, `ADDRESS:PORT`, `[ADDRESS]:PORT`: who connected.
    Source,
    /// The same: what was connected to.
    Destination,
    /// `IPV4/UDP/ADDRESS/PORT`, as Asterisk writes either end: whether it is ours.
    Slashed(bool),
    /// `ADDRESS[PORT]`, as the IKE daemons write either end: whether it is ours.
    Ported(bool),
    /// `ADDRESS/LENGTH`, a network that was dealt with.
    Network,
    /// An address, or a host's name.
    Host,
    /// `NAME[ADDRESS]`, `NAME [ADDRESS]:PORT`: who connected.
    Client,
    /// The same: what was connected to.
    Server,
    /// A port.
    Port(Field),
}

impl Hole {
    fn read(name: &str) -> Option<Hole> {
        Some(match name {
            "*" => Hole::Any,
            "w" => Hole::Word,
            "n" => Hole::Number,
            "service" => Hole::Service,
            "user" => Hole::Text(Field::USER_NAME),
            "account" => Hole::OneWord(Field::USER_NAME),
            "domain" => Hole::OneWord(Field::USER_DOMAIN),
            "reason" => Hole::Text(Field::EVENT_REASON),
            "method" => Hole::OneWord(Field::AUTH_METHOD),
            "session" => Hole::OneWord(Field::SESSION_ID),
            "mac" => Hole::OneWord(Field::SOURCE_MAC),
            "db" => Hole::Text(Field::DB_NAME),
            "file" => Hole::Text(Field::FILE_NAME),
            "from" => Hole::Text(Field::EMAIL_FROM),
            "rcpt" => Hole::OneWord(Field::EMAIL_TO),
            "src" => Hole::Source,
            "dst" => Hole::Destination,
            "sip" => Hole::Slashed(false),
            "sipdst" => Hole::Slashed(true),
            "rac" => Hole::Ported(false),
            "racdst" => Hole::Ported(true),
            "net" => Hole::Network,
            "host" => Hole::Host,
            "client" => Hole::Client,
            "server" => Hole::Server,
            "port" => Hole::Port(Field::SOURCE_PORT),
            "dport" => Hole::Port(Field::DESTINATION_PORT),
            _ => return None,
        })
    }

    /// Whether its text may be of any length and hold blanks.
    fn is_free(self) -> bool {
        matches!(self, Hole::Any | Hole::Text(_))
    }

    /// Whether it only stands for what is not kept, or whether two ways to
    /// read it tell the same of who did what.
    fn is_idle(self) -> bool {
        matches!(self, Hole::Any | Hole::Word | Hole::Number | Hole::Service)
    }

    fn takes(self, text: &[u8]) -> bool {
        if !self.is_free() && text.len() > WORD_MAX {
            return false;
        }
        match self {
            Hole::Any | Hole::Text(_) => true,
            Hole::Word | Hole::OneWord(_) => !text.is_empty() && !text.contains(&b' '),
            Hole::Number => number(text).is_some(),
            Hole::Service => {
                let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
                !text.is_empty() && text.iter().all(plain)
            }
            Hole::Source | Hole::Destination => whole(text).is_some(),
            Hole::Slashed(_) => slashed(text).is_some(),
            Hole::Ported(_) => ported(text).is_some(),
            Hole::Network => network(text).is_some(),
            Hole::Host => Host::read(text).is_some(),
            Hole::Client | Hole::Server => named(text).is_some_and(|(.., rest)| rest.is_empty()),
            Hole::Port(_) => port(text).is_some(),
        }
    }

    fn set<'a>(self, text: &'a [u8], event: &mut Event<'a>) {
        match self {
            Hole::Any | Hole::Word | Hole::Number | Hole::Service => {}
            Hole::Text(field) | Hole::OneWord(field) => {
                if !text.is_empty() {
                    once(event, field, Value::Text(text));
                }
            }
            Hole::Source => set_peer(whole(text), event),
            Hole::Network => set_peer(network(text), event),
            Hole::Ported(false) => set_peer(ported(text), event),
            Hole::Ported(true) => set_here(ported(text), event),
            Hole::Slashed(false) => set_peer(slashed(text), event),
            Hole::Slashed(true) => set_here(slashed(text), event),
            Hole::Destination => set_here(whole(text), event),
            Hole::Host => {
                if let Some(host) = Host::read(text) {
                    host.set(event);
                }
            }
            Hole::Client => {
                if let Some((name, peer, _)) = named(text) {
                    set_source(name, peer, event);
                }
            }
            Hole::Server => set_here(named(text).map(|(_, peer, _)| peer), event),
            Hole::Port(field) => {
                if let Some(port) = port(text) {
                    once(event, field, Value::Int(i64::from(port)));
                }
            }
        }
    }
}

fn set_peer(peer: Option<Peer>, event: &mut Event<'_>) {
    if let Some(peer) = peer {
        peer.set(event);
    }
}

fn set_here(peer: Option<Peer>, event: &mut Event<'_>) {
    if let Some(peer) = peer {
        set_destination(peer, event);
    }
}

/// `IPV6/TCP/2001:db8::1/5060`.
fn slashed(text: &[u8]) -> Option<Peer> {
    let (family, rest) = cut(text, b"/")?;
    let (_, rest) = cut(rest, b"/").filter(|_| family.starts_with(b"IPV"))?;
    let (address, number) = cut(rest, b"/")?;
    Some(Peer {
        ip: Some(ip(address)?),
        port: Some(port(number)?),
    })
}

/// `192.0.2.7[500]`.
fn ported(text: &[u8]) -> Option<Peer> {
    let (address, number) = cut(text.strip_suffix(b"]")?, b"[")?;
    Some(Peer {
        ip: Some(ip(address)?),
        port: Some(port(number)?),
    })
}

fn network(text: &[u8]) -> Option<Peer> {
    let (address, length) = cut(text, b"/").map_or((text, None), |(a, n)| (a, Some(n)));
    if let Some(length) = length {
        number(length).filter(|&n| n <= 128)?;
    }
    Some(Peer {
        ip: Some(ip(address)?),
        port: None,
    })
}

impl Table {
    pub(super) const fn new(rows: &'static [Row]) -> Table {
        Table {
            rows,
            compiled: OnceLock::new(),
        }
    }

    fn templates(&self) -> &[Template] {
        self.compiled.get_or_init(|| {
            let lines = self
                .rows
                .iter()
                .flat_map(|(says, lines)| lines.iter().map(|line| (*says, *line)));
            let compiled = lines.map(|(says, line)| Template {
                parts: compile(line),
                says,
            });
            compiled.collect()
        })
    }

    /// Reads a message as the first line that it can be.
    pub(super) fn read<'a>(&self, text: &'a [u8], event: &mut Event<'a>) -> Verdict {
        for template in self.templates() {
            let begins = match template.parts.first() {
                Some(Part::Words(words)) => text.starts_with(words),
                _ => true,
            };
            if !begins {
                continue;
            }
            let mut search = Search::default();
            search.step(&template.parts, text);
            if search.tries > TRIES_MAX {
                return Verdict::Malformed("too many ways to read it");
            }
            if search.twice {
                return Verdict::Malformed("more than one way to read it");
            }
            if let Some(found) = search.found {
                let [action, outcome, category] = template.says;
                say(event, action, outcome, category);
                for (hole, text) in found.iter().flatten() {
                    hole.set(text, event);
                }
                return Verdict::Event;
            }
        }
        Verdict::NotMine
    }
}

/// The holes that were kept on the way, in order.
type Kept<'a> = [Option<(Hole, &'a [u8])>; KEPT_MAX];

#[derive(Default)]
struct Search<'a> {
    kept: Kept<'a>,
    length: usize,
    found: Option<Kept<'a>>,
    twice: bool,
    tries: usize,
}

impl<'a> Search<'a> {
    fn step(&mut self, parts: &[Part], text: &'a [u8]) {
        self.tries += 1;
        if self.twice || self.tries > TRIES_MAX {
            return;
        }
        match parts {
            [] => {
                if text.is_empty() {
                    self.end();
                }
            }
            [Part::Words(words), rest @ ..] => {
                if let Some(text) = text.strip_prefix(*words) {
                    self.step(rest, text);
                }
            }
            [Part::Hole(hole)] => self.fill(*hole, text, &[], &[]),
            [Part::Hole(hole), Part::Words(words), rest @ ..] => {
                self.places(*hole, words, rest, text);
            }
            [Part::Hole(_), Part::Hole(_), ..] => {
                debug_assert!(false, "words stand between two holes");
            }
        }
    }

    /// Every place where a hole could end.
    fn places(&mut self, hole: Hole, words: &'static [u8], rest: &[Part], line: &'a [u8]) {
        let near = line.get(..WORD_MAX + words.len());
        let text = near.filter(|_| !hole.is_free()).unwrap_or(line);
        let mut from = 0;
        loop {
            let ahead = text.get(from..).unwrap_or_default();
            let found = memchr::memmem::find(ahead, words);
            self.tries += 1 + found.unwrap_or(ahead.len()) / 64;
            let Some(at) = found else {
                return;
            };
            let Some((inside, after)) = line.split_at_checked(from + at) else {
                return;
            };
            if self.twice || self.tries > TRIES_MAX {
                return;
            }
            let after = after.get(words.len()..).unwrap_or_default();
            self.fill(hole, inside, rest, after);
            from += at + 1;
        }
    }

    /// Takes a text into a hole, goes on with what follows, and gives it back.
    fn fill(&mut self, hole: Hole, inside: &'a [u8], rest: &[Part], after: &'a [u8]) {
        if !hole.takes(inside) {
            return;
        }
        if hole.is_idle() {
            self.step(rest, after);
            return;
        }
        let Some(slot) = self.kept.get_mut(self.length) else {
            debug_assert!(false, "a template keeps at most {KEPT_MAX} texts");
            return;
        };
        *slot = Some((hole, inside));
        self.length += 1;
        self.step(rest, after);
        self.length -= 1;
        if let Some(slot) = self.kept.get_mut(self.length) {
            *slot = None;
        }
    }

    fn end(&mut self) {
        match &self.found {
            None => self.found = Some(self.kept),
            // A reason tells nothing of who did it: the shorter one will do.
            Some(found) => {
                let same = found.iter().zip(&self.kept).all(|pair| match pair {
                    (Some((Hole::Text(Field::EVENT_REASON), _)), Some((other, _))) => {
                        *other == Hole::Text(Field::EVENT_REASON)
                    }
                    (one, other) => one == other,
                });
                self.twice = !same;
            }
        }
    }
}

/// `words {hole} words`.
fn compile(text: &'static str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((words, tail)) = rest.split_once('{') {
        if !words.is_empty() {
            parts.push(Part::Words(words.as_bytes()));
        }
        let (name, tail) = tail.split_once('}').unwrap_or((tail, ""));
        let hole = Hole::read(name);
        debug_assert!(hole.is_some(), "{{{name}}} is a hole");
        parts.push(Part::Hole(hole.unwrap_or(Hole::Any)));
        rest = tail;
    }
    if !rest.is_empty() {
        parts.push(Part::Words(rest.as_bytes()));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: Table = Table::new(&[
        (["login", "failure", "x"], &["login of {user} from {src}"]),
        (
            ["late", "failure", "x"],
            &["login of {user} from {src} failed: {reason}"],
        ),
        (["ban", "success", "x"], &["ban {net} for {n} secs{*}"]),
        (["both", "success", "x"], &["to {server} by {client}"]),
        (
            ["who", "unknown", "x"],
            &["who {host} port {port}, {account}"],
        ),
    ]);

    fn shown(text: &str) -> (Verdict, String) {
        let mut event = Event::new();
        let verdict = TABLE.read(text.as_bytes(), &mut event);
        let fields = [
            Field::EVENT_ACTION,
            Field::USER_NAME,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::DESTINATION_IP,
            Field::EVENT_REASON,
        ];
        let values: Vec<String> = fields.iter().map(|&field| event.shown(field)).collect();
        (verdict, values.join("|"))
    }

    #[test]
    fn holes_take_what_they_are_for() {
        for (text, expected) in [
            (
                "login of a b from 192.0.2.7:50022",
                "login|a b|192.0.2.7|50022|-|-",
            ),
            (
                "login of alice from [2001:db8::1]:7 failed: no: such",
                "late|alice|2001:db8::1|7|-|no: such",
            ),
            ("ban 192.0.2.7/32 for 7 secs (x)", "ban|-|192.0.2.7|-|-|-"),
            (
                "to mx[198.51.100.2]:25 by unknown[192.0.2.7]",
                "both|-|192.0.2.7|-|198.51.100.2|-",
            ),
            ("who 192.0.2.7 port 7, bob", "who|bob|192.0.2.7|7|-|-"),
        ] {
            assert_eq!(shown(text), (Verdict::Event, expected.to_owned()), "{text}");
        }
        for text in [
            "login of alice from host.example",
            "ban 192.0.2.7/x for 7 secs",
            "who 192.0.2.7 port 70000, bob",
            "who 192.0.2.7 port 7, b b",
            "a login of alice from 192.0.2.7",
        ] {
            assert_eq!(shown(text).0, Verdict::NotMine, "{text}");
        }
    }

    #[test]
    fn an_address_within_a_name_moves_nothing() {
        assert_eq!(
            shown("login of x from 198.51.100.66 from 192.0.2.7").1,
            "login|x from 198.51.100.66|192.0.2.7|-|-|-"
        );
        // Here the reason could be the name's end: nobody knows.
        let two = "login of x from 198.51.100.66 failed: y from 192.0.2.7 failed: z";
        assert!(matches!(shown(two).0, Verdict::Malformed(_)));
    }

    #[test]
    fn a_line_of_separators_is_given_up() {
        let text = format!("login of {}", " from 192.0.2.7 failed: ".repeat(20_000));
        assert!(matches!(shown(&text).0, Verdict::Malformed(_)));
        let text = format!("login of {}", " from ".repeat(50_000));
        assert!(matches!(shown(&text).0, Verdict::Malformed(_)));
    }
}
