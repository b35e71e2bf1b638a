//! What stands between the fixed words of a line: what a hole takes, and what
//! it says.

use std::net::IpAddr;

use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::endpoint::{named, whole};
use crate::format::ends::{self, end};
use crate::format::token::{Host, Peer, cut, digit, ip, joined_peer, number, port, socket};
use crate::format::token::{once, some};
use crate::format::transport::{say_filtered, set_protocol, verdict};

/// A hole, by what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hole {
    /// Free text that says nothing here.
    Any,
    /// Free text of the program's own: nobody remote chose it, so it ends
    /// where the words after it stand first.
    Own,
    /// All that follows a word, where the line says nothing more.
    Rest,
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
    /// A name as accounts have: no blank, no quote, no bracket.
    Account,
    /// A user as appliances write him: `DOMAIN\name`, in quotes or not.
    Identity,
    /// The same at a line's end, where ` : ` would begin the next of its pairs.
    LastIdentity,
    /// An address: who connected.
    Ip,
    /// An address, or a host's name.
    Host,
    /// The same, or a stand-in for a host that is not known.
    HostOrNone,
    /// A host's name, no address.
    Name,
    /// An address, or a host's name: what was connected to.
    To,
    /// `ADDRESS:PORT`, both.
    Socket,
    /// The same in any spelling, where the port may be missing.
    Peer,
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
    /// `NAME[ADDRESS]`, `NAME [ADDRESS]:PORT`: who connected.
    Client,
    /// The same: what was connected to.
    Server,
    /// An end as firewalls write it, with its interface: where a packet came
    /// from; whether its port is one.
    From(bool),
    /// The same: where it went.
    Toward(bool),
    /// A port.
    Port(Field),
    /// A transport protocol's name or number, unless it is known.
    Protocol,
    /// A transport protocol's number.
    ProtocolNumber,
    /// What a firewall did.
    Verdict,
    /// `inbound`, `outbound`.
    Direction,
}

/// What a hole says of an end of the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Told<'a> {
    Ip(IpAddr),
    Name(&'a [u8]),
    Port(u16),
}

impl Hole {
    pub(super) fn read(name: &str) -> Option<Hole> {
        Some(match name {
            "*" => Hole::Any,
            "own" => Hole::Own,
            "..." => Hole::Rest,
            "w" => Hole::Word,
            "n" => Hole::Number,
            "service" => Hole::Service,
            "ip" => Hole::Ip,
            "host" => Hole::Host,
            "host?" => Hole::HostOrNone,
            "name" => Hole::Name,
            "to" => Hole::To,
            "socket" => Hole::Socket,
            "peer" => Hole::Peer,
            "src" => Hole::Source,
            "dst" => Hole::Destination,
            "sip" => Hole::Slashed(false),
            "sipdst" => Hole::Slashed(true),
            "rac" => Hole::Ported(false),
            "racdst" => Hole::Ported(true),
            "net" => Hole::Network,
            "client" => Hole::Client,
            "server" => Hole::Server,
            "from-end" => Hole::From(true),
            "from-host" => Hole::From(false),
            "to-end" => Hole::Toward(true),
            "to-host" => Hole::Toward(false),
            "port" => Hole::Port(Field::SOURCE_PORT),
            "dport" => Hole::Port(Field::DESTINATION_PORT),
            "login" => Hole::Account,
            "identity" => Hole::Identity,
            "protocol" => Hole::Protocol,
            "protocol-number" => Hole::ProtocolNumber,
            "verdict" => Hole::Verdict,
            "direction" => Hole::Direction,
            _ => return text(name),
        })
    }

    /// Whether its text may be of any length and hold blanks.
    pub(super) fn is_free(self) -> bool {
        matches!(
            self,
            Hole::Any
                | Hole::Own
                | Hole::Rest
                | Hole::Text(_)
                | Hole::Identity
                | Hole::LastIdentity
        )
    }

    /// Whether a blank ends it.
    pub(super) fn is_word(self) -> bool {
        !self.is_free() && !matches!(self, Hole::Client | Hole::Server)
    }

    /// Whether it says nothing that is kept.
    pub(super) fn is_idle(self) -> bool {
        matches!(
            self,
            Hole::Any | Hole::Own | Hole::Rest | Hole::Word | Hole::Number | Hole::Service
        )
    }

    /// Whether it says something of an end of the connection.
    pub(super) fn is_end(self) -> bool {
        !self.is_idle()
            && !matches!(
                self,
                Hole::Text(_)
                    | Hole::OneWord(_)
                    | Hole::Account
                    | Hole::Identity
                    | Hole::LastIdentity
                    | Hole::Protocol
                    | Hole::ProtocolNumber
                    | Hole::Verdict
                    | Hole::Direction
            )
    }

    pub(super) fn takes(self, text: &[u8]) -> bool {
        match self {
            Hole::Any | Hole::Own | Hole::Text(_) | Hole::Identity => true,
            Hole::Rest => matches!(text.first(), None | Some(b' ')),
            Hole::LastIdentity => memchr::memmem::find(text, b" : ").is_none(),
            Hole::Word | Hole::OneWord(_) | Hole::Protocol | Hole::Verdict => {
                !text.is_empty() && !text.contains(&b' ')
            }
            Hole::Number => {
                let digits = text.strip_prefix(b"-").unwrap_or(text);
                !digits.is_empty() && digits.iter().all(|b| digit(*b).is_some())
            }
            Hole::Service => {
                let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
                !text.is_empty() && text.iter().all(plain)
            }
            Hole::Account => {
                let in_name = |b: &u8| b.is_ascii_alphanumeric() || b"._-$@\\+".contains(b);
                !text.is_empty() && text.iter().all(in_name)
            }
            Hole::ProtocolNumber => number(text).is_some(),
            Hole::Direction => direction(text).is_some(),
            Hole::HostOrNone => is_none(text) || Host::read(text).is_some(),
            // An address that was cut is no name.
            Hole::Name => {
                matches!(Host::read(text), Some(Host::Name(_)))
                    && text.iter().any(u8::is_ascii_alphabetic)
            }
            _ => self.told(text).is_some(),
        }
    }

    /// What it says of an end; none where it does not take the text.
    pub(super) fn told(self, text: &[u8]) -> Option<[Option<Told<'_>>; 2]> {
        if let Some(peer) = self.peer(text) {
            return Some([peer.ip.map(Told::Ip), peer.port.map(Told::Port)]);
        }
        match self {
            Hole::Host | Hole::HostOrNone | Hole::Name | Hole::To => {
                let host = Host::read(text)?;
                Some([Some(told_host(host)).filter(|_| !is_none(text)), None])
            }
            Hole::Port(_) => Some([Some(Told::Port(port(text)?)), None]),
            Hole::From(with_port) | Hole::Toward(with_port) => {
                let end = end(text)?;
                let port = end.port.filter(|_| with_port);
                Some([Some(told_host(end.host)), port.map(Told::Port)])
            }
            _ => None,
        }
    }

    /// The peer of a hole that takes an address with or without its port.
    fn peer(self, text: &[u8]) -> Option<Peer> {
        match self {
            Hole::Ip => Some(Peer {
                ip: Some(ip(text)?),
                port: None,
            }),
            Hole::Socket => joined_peer(text),
            Hole::Peer => socket(text).or_else(|| joined_peer(text)),
            Hole::Source | Hole::Destination => whole(text),
            Hole::Slashed(_) => slashed(text),
            Hole::Ported(_) => ported(text),
            Hole::Network => network(text),
            Hole::Client | Hole::Server => named(text)
                .filter(|(.., rest)| rest.is_empty())
                .map(|(_, peer, _)| peer),
            _ => None,
        }
    }

    pub(super) fn set<'a>(self, text: &'a [u8], event: &mut Event<'a>) {
        match self {
            Hole::Text(field) | Hole::OneWord(field) => some(event, field, text),
            Hole::Account => once(event, Field::USER_NAME, Value::Text(text)),
            Hole::Identity | Hole::LastIdentity => ends::user(text, event),
            Hole::Client => {
                let fields = [Field::SOURCE_IP, Field::SOURCE_PORT];
                set_peer(self.peer(text), fields, event);
                if let Some((Some(Host::Name(name)), ..)) = named(text)
                    && !is_none(name)
                    && name != b"NULL"
                {
                    once(event, Field::SOURCE_DOMAIN, Value::Text(name));
                }
            }
            Hole::Destination | Hole::Slashed(true) | Hole::Ported(true) | Hole::Server => {
                let fields = [Field::DESTINATION_IP, Field::DESTINATION_PORT];
                set_peer(self.peer(text), fields, event);
            }
            Hole::Host | Hole::HostOrNone | Hole::Name => {
                set_host(text, [Field::SOURCE_IP, Field::SOURCE_DOMAIN], event);
            }
            Hole::To => {
                let fields = [Field::DESTINATION_IP, Field::DESTINATION_DOMAIN];
                set_host(text, fields, event);
            }
            Hole::From(with_port) => {
                if let Some(end) = end(text) {
                    ends::source(end, with_port, event);
                }
            }
            Hole::Toward(with_port) => {
                if let Some(end) = end(text) {
                    ends::destination(end, with_port, event);
                }
            }
            Hole::Port(field) => {
                if let Some(port) = port(text) {
                    once(event, field, Value::Int(i64::from(port)));
                }
            }
            Hole::Protocol if event.get(Field::NETWORK_TRANSPORT).is_some() => {}
            Hole::Protocol | Hole::ProtocolNumber => set_protocol(text, event),
            Hole::Verdict => {
                say_filtered(verdict(text.strip_prefix(b"est-").unwrap_or(text)), event);
            }
            Hole::Direction => {
                if let Some(direction) = direction(text) {
                    once(event, Field::NETWORK_DIRECTION, Value::Text(direction));
                }
            }
            _ => {
                let fields = [Field::SOURCE_IP, Field::SOURCE_PORT];
                set_peer(self.peer(text), fields, event);
            }
        }
    }
}

/// A hole whose text is kept as it is.
fn text(name: &str) -> Option<Hole> {
    Some(match name {
        "user" => Hole::Text(Field::USER_NAME),
        "target" => Hole::Text(Field::USER_EFFECTIVE_NAME),
        "realm" => Hole::Text(Field::USER_DOMAIN),
        "reason" => Hole::Text(Field::EVENT_REASON),
        "tty" => Hole::Text(Field::PROCESS_TTY),
        "command" => Hole::Text(Field::PROCESS_COMMAND_LINE),
        "db" => Hole::Text(Field::DB_NAME),
        "file" => Hole::Text(Field::FILE_NAME),
        "from" => Hole::Text(Field::EMAIL_FROM),
        "url" => Hole::Text(Field::URL_ORIGINAL),
        "account" => Hole::OneWord(Field::USER_NAME),
        "domain" => Hole::OneWord(Field::USER_DOMAIN),
        "method" => Hole::OneWord(Field::AUTH_METHOD),
        "session" => Hole::OneWord(Field::SESSION_ID),
        "mac" => Hole::OneWord(Field::SOURCE_MAC),
        "rcpt" => Hole::OneWord(Field::EMAIL_TO),
        "ingress" => Hole::OneWord(Field::OBSERVER_INGRESS),
        "egress" => Hole::OneWord(Field::OBSERVER_EGRESS),
        "rule" => Hole::OneWord(Field::RULE_NAME),
        _ => return None,
    })
}

/// Stand-ins for a host that is not there.
fn is_none(text: &[u8]) -> bool {
    matches!(
        text,
        b"" | b"-" | b"?" | b"UNKNOWN" | b"unknown" | b"null" | b"(null)"
    )
}

fn told_host(host: Host<'_>) -> Told<'_> {
    match host {
        Host::Ip(ip) => Told::Ip(ip),
        Host::Name(name) => Told::Name(name),
    }
}

fn set_peer(peer: Option<Peer>, [address, number]: [Field; 2], event: &mut Event<'_>) {
    if let Some(ip) = peer.and_then(|peer| peer.ip) {
        once(event, address, Value::Ip(ip));
    }
    if let Some(port) = peer.and_then(|peer| peer.port) {
        once(event, number, Value::Int(i64::from(port)));
    }
}

fn set_host<'a>(text: &'a [u8], [address, name]: [Field; 2], event: &mut Event<'a>) {
    match Host::read(text).filter(|_| !is_none(text)) {
        Some(Host::Ip(ip)) => once(event, address, Value::Ip(ip)),
        Some(Host::Name(text)) => once(event, name, Value::Text(text)),
        None => {}
    }
}

fn direction(text: &[u8]) -> Option<&'static [u8]> {
    match text {
        b"inbound" | b"Inbound" => Some(b"inbound"),
        b"outbound" | b"Outbound" => Some(b"outbound"),
        _ => None,
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
