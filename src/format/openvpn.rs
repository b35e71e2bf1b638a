//! OpenVPN, through syslog and in its own log file.
//!
//! What concerns a client begins with its address, `192.0.2.7:50022 ` or
//! `alice/192.0.2.7:50022 `, which OpenVPN takes from the socket; other lines
//! name the peer at their end, as `[AF_INET]192.0.2.7:50022`. User names and
//! certificate subjects stand in between.

use bumpalo::Bump;

use super::shape::Shape::{Read, Takes};
use super::shape::{self, ANOTHER, Shape, set_user, word};
use super::token::{Peer, cut, cut_last, ip, joined_peer, last_word, say};
use super::tunnels::{CLIENT_NOTES, PEERS};
use super::{Context, Format, Message, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

const LOGSOURCES: &[LogSource] = &[LogSource {
    product: "linux",
    categories: &[],
    services: &["openvpn", "vpn", "syslog"],
}];

pub(super) static FORMAT: Format = Format {
    name: "openvpn",
    about: "OpenVPN: logins (vpn_login), certificates (vpn_certificate), TLS errors, connections",
    programs: &[
        "openvpn",
        "openvpn-server",
        "ovpn-*",
        "openvpn-*",
        "openvpn(*",
    ],
    logsources: LOGSOURCES,
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 vpn1 ovpn-server[812]: 192.0.2.7:50022 TLS Auth Error: Auth Username/Password verification failed for peer",
};

pub(super) static LOG: Format = Format {
    name: "openvpn-log",
    about: "OpenVPN's own log file",
    programs: &[],
    logsources: LOGSOURCES,
    parse: Parser::Line(parse_line),
    example: "2024-05-01 10:00:00 192.0.2.7:50022 TLS Auth Error: Auth Username/Password verification failed for peer",
};

static SHAPES: &[(&[u8], Shape)] = &[
    (b"TLS Error: ", Read(tls_error)),
    (b"TLS_ERROR: ", Read(tls_error)),
    (b"OpenSSL: error:", Read(tls_error)),
    (b"Authenticate/Decrypt packet error", Read(tls_error)),
    (
        b"WARNING: Bad encapsulated packet length from peer ",
        Read(tls_error),
    ),
    (b"Fatal TLS error ", Read(tls_error)),
    (b"Bad LZO decompression header byte", Read(tls_error)),
    (b"TLS Auth Error: ", Read(auth_error)),
    (b"VERIFY ERROR: ", Takes(verify_error)),
    (b"VERIFY SCRIPT ERROR: ", Takes(verify_error)),
    (b"VERIFY PLUGIN ERROR: ", Takes(verify_error)),
    (b"VERIFY X509NAME ERROR: ", Takes(verify_error)),
    (b"VERIFY EKU ERROR", Takes(verify_error)),
    (b"VERIFY KU ERROR", Takes(verify_error)),
    (b"VERIFY nsCertType ERROR: ", Takes(verify_error)),
    (b"VERIFY CRL: ", Takes(verify_error)),
    (b"VERIFY OK: ", Takes(verified)),
    (b"TLS: Initial packet from ", Read(initial)),
    (
        b"AUTH: Received control message: AUTH_FAILED",
        Takes(auth_failed),
    ),
    (b"SENT CONTROL [", Read(sent_control)),
    (b"TLS: Username/Password authentication ", Read(password)),
    (b"AUTH-PAM: BACKGROUND: user ", Read(plugin)),
    (b"PLUGIN AUTH-PAM: BACKGROUND: user ", Read(plugin)),
    (b"user '", Read(authenticated)),
    (b"[", Read(initiated)),
    (b"Peer Connection Initiated with ", Read(initiated_unnamed)),
    (b"TCP connection established with ", Read(connected)),
    (b"Connection reset, restarting ", Read(disconnected)),
    (
        b"Inactivity timeout (--ping-restart), restarting",
        Read(disconnected),
    ),
    (b"SIGUSR1[soft,", Read(restarted)),
    (b"SIGTERM[soft,", Read(restarted)),
    (b"peer info: ", Read(peer_info)),
    (
        b"WARNING: Failed running command (--auth-user-pass-verify)",
        Takes(auth_failed),
    ),
];

/// Where the message itself names the peer, and at which end of it.
const FAMILIES: [&[u8]; 2] = [b"[AF_INET]", b"[AF_INET6]"];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let (client, text) = match client(message.text) {
        Some((client, text)) => (Some(client), text),
        None => (None, message.text),
    };
    let envelope = event.values().len();
    if let Some(client) = client {
        client.peer.set(event);
    }
    let verdict = match shape::read(SHAPES, text, event) {
        Verdict::NotMine if client.is_some() => CLIENT_NOTES.read(text, event),
        Verdict::NotMine => PEERS.read(text, event),
        verdict => verdict,
    };
    if verdict != Verdict::Event {
        return verdict;
    }
    if let Some(client) = client {
        // A certificate's name may hold what looks like an address and words
        // of ours, and the true address would stand after it.
        if names_a_client(text) {
            event.truncate(envelope);
            return Verdict::Malformed("two clients that could be meant");
        }
        if !client.name.is_empty() && event.get(Field::USER_NAME).is_none() {
            set_user(client.name, event);
        }
    }
    Verdict::Event
}

fn parse_line<'a>(
    line: &'a [u8],
    context: &'a Context,
    _arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    // Since 2.5 `2024-05-01 10:00:00 `, before `Wed May  1 10:00:00 2024 `.
    let stamp = match line.first() {
        Some(b'0'..=b'9') if line.get(10) == Some(&b' ') => timestamp::iso(line, context),
        Some(b'A'..=b'Z') => timestamp::ctime(line, context),
        _ => None,
    };
    let Some((time, text)) = stamp.and_then(|(time, rest)| Some((time, rest.strip_prefix(b" ")?)))
    else {
        return Verdict::NotMine;
    };
    // `us=812345` with --verb 4 and above.
    let text = match text.strip_prefix(b"us=") {
        Some(rest) => match cut(rest, b" ") {
            Some((_, rest)) => rest,
            None => return Verdict::NotMine,
        },
        None => text,
    };
    let text = super::token::trim_end(text);
    let message = Message {
        program: b"openvpn",
        text,
    };
    let verdict = parse(message, event);
    match verdict {
        Verdict::Event => {
            event.time = Some(time);
            event.text(Field::MESSAGE, text);
            event.text(Field::PROCESS_NAME, b"openvpn");
        }
        // Other logs begin with such a stamp too; only a client's line is surely ours.
        Verdict::Malformed(_) if client(text).is_some() => {
            event.truncate(0);
            event.time = Some(time);
        }
        _ => {
            event.truncate(0);
            return Verdict::NotMine;
        }
    }
    verdict
}

#[derive(Clone, Copy)]
struct Client<'a> {
    name: &'a [u8],
    peer: Peer,
}

/// `A:P `, `NAME/A:P `, `A:P/NAME `, and `A ` of IPv6, at the beginning.
fn client(text: &[u8]) -> Option<(Client<'_>, &[u8])> {
    let (first, rest) = cut(text, b" ")?;
    Some((client_word(first)?, rest))
}

fn client_word(first: &[u8]) -> Option<Client<'_>> {
    if let Some(peer) = client_address(first) {
        return Some(Client { name: &[], peer });
    }
    if let Some((name, address)) = cut_last(first, b"/")
        && let Some(peer) = client_address(address)
    {
        return Some(Client { name, peer });
    }
    let (address, name) = cut(first, b"/")?;
    let peer = client_address(address)?;
    Some(Client { name, peer })
}

/// An address and port; `udp4:` and its like stand before it since 2.7.
fn client_address(text: &[u8]) -> Option<Peer> {
    let text = [
        &b"udp4:"[..],
        b"udp6:",
        b"tcp4-server:",
        b"tcp6-server:",
        b"tcp4:",
        b"tcp6:",
    ]
    .iter()
    .find_map(|transport| text.strip_prefix(*transport))
    .unwrap_or(text);
    // `2001:db8::1:22` is an address with a port, and one without; OpenVPN
    // prints IPv6 clients without, unless in brackets.
    if let Some(ip) = ip(text) {
        return ip.is_ipv6().then_some(Peer {
            ip: Some(ip),
            port: None,
        });
    }
    joined_peer(text)
}

/// Whether a later word reads as a client's `NAME/A:P`.
fn names_a_client(text: &[u8]) -> bool {
    memchr::memchr_iter(b'/', text).any(|at| {
        let after = text.get(at + 1..).unwrap_or_default();
        let end = memchr::memchr(b' ', after).unwrap_or(after.len());
        client_address(after.get(..end).unwrap_or_default()).is_some()
    })
}

/// `[AF_INET]A:P` or `[AF_INET6]A:P` as the last word: sets it where the line
/// did not begin with the client's.
fn peer_at_end<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<bool, &'static str> {
    let (_, word) = last_word(text);
    let Some(address) = FAMILIES
        .iter()
        .find_map(|family| word.strip_prefix(*family))
    else {
        return Ok(false);
    };
    let address = address.strip_suffix(b",").unwrap_or(address);
    let peer = joined_peer(address).ok_or("not an address after its family")?;
    if event.get(Field::SOURCE_IP).is_none() {
        peer.set(event);
    }
    Ok(true)
}

fn tls_error<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "vpn_tls_error", "failure", "network");
    event.text(Field::EVENT_REASON, text);
    peer_at_end(text, event)?;
    Ok(())
}

fn auth_error<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "vpn_login", "failure", "authentication");
    event.text(Field::EVENT_REASON, text);
    // `username '…'` is the last thing that such a message says, in quotes.
    if let Some((_, user)) = cut(text, b" username '") {
        set_user(user.strip_suffix(b"'").unwrap_or(user), event);
    }
    peer_at_end(text, event)?;
    Ok(())
}

fn verify_error<'a>(text: &'a [u8], event: &mut Event<'a>) {
    say(event, "vpn_certificate", "failure", "authentication");
    event.text(Field::EVENT_REASON, text);
}

/// `depth=0, CN=alice`: what follows is the certificate's.
fn verified<'a>(text: &'a [u8], event: &mut Event<'a>) {
    say(event, "vpn_certificate", "success", "authentication");
    event.text(Field::EVENT_REASON, text);
}

/// `[AF_INET]A:P, sid=…`: a handshake begins.
fn initial<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "vpn_handshake", "unknown", "network");
    only_peer(cut(text, b", sid=").map_or(text, |(peer, _)| peer), event)
}

/// What a client says when the server refused it.
fn auth_failed<'a>(text: &'a [u8], event: &mut Event<'a>) {
    say(event, "vpn_login", "failure", "authentication");
    event.text(
        Field::EVENT_REASON,
        text.strip_prefix(b",")
            .filter(|s| !s.is_empty())
            .unwrap_or(b"AUTH_FAILED"),
    );
}

/// `NAME]: 'AUTH_FAILED[,reason]' (status=1)`: the answer to an attempt that
/// `TLS Auth Error` has told.
fn sent_control<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (name, rest) = cut_last(text, b"]: 'AUTH_FAILED").ok_or(ANOTHER)?;
    say(event, "vpn_refused", "failure", "authentication");
    if name != b"UNDEF" {
        set_user(name, event);
    }
    let reason = cut_last(rest, b"' (status").map_or(rest, |(reason, _)| reason);
    if let Some(reason) = reason.strip_prefix(b",").filter(|s| !s.is_empty()) {
        event.text(Field::EVENT_REASON, reason);
    }
    Ok(())
}

/// `succeeded for username 'U' [CN SET]`, `deferred for username 'U'`, `failed …`.
fn password<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (verdict, rest) = cut(text, b" for username '").ok_or("no user name")?;
    let outcome = match verdict {
        b"succeeded" => "success",
        b"deferred" => "unknown",
        b"failed" => "failure",
        _ => return Err("neither succeeded nor failed"),
    };
    say(event, "vpn_login", outcome, "authentication");
    let rest = rest.strip_suffix(b" [CN SET]").unwrap_or(rest);
    set_user(
        rest.strip_suffix(b"'").ok_or("no end of the user name")?,
        event,
    );
    Ok(())
}

/// `'U' failed to authenticate: reason`, from the PAM plugin.
fn plugin<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "vpn_authentication", "failure", "authentication");
    let (user, reason) = cut_last(text, b"' failed to authenticate: ").ok_or("not a failure")?;
    set_user(user.strip_prefix(b"'").ok_or("no user in quotes")?, event);
    event.text(Field::EVENT_REASON, reason);
    Ok(())
}

/// pfSense and OPNsense: `U' authenticated`, `U' could not authenticate.`
fn authenticated<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, outcome) = if let Some(user) = text.strip_suffix(b"' authenticated") {
        (user, "success")
    } else if let Some(user) = text.strip_suffix(b"' could not authenticate.") {
        (user, "failure")
    } else {
        return Err(ANOTHER);
    };
    say(event, "vpn_authentication", outcome, "authentication");
    set_user(user, event);
    Ok(())
}

/// `NAME] Peer Connection Initiated with [AF_INET]A:P`: the client's
/// certificate, and its password if any, were accepted.
fn initiated<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    if let Some(name) = text.strip_suffix(b"] Inactivity timeout (--ping-restart), restarting") {
        says_disconnect(event)?;
        if name != b"UNDEF" {
            set_user(name, event);
        }
        return Ok(());
    }
    let (name, address) = cut_last(text, b"] Peer Connection Initiated with ").ok_or(ANOTHER)?;
    if name == b"UNDEF" || name.is_empty() {
        return initiated_unnamed(address, event);
    }
    say(event, "vpn_login", "success", "authentication");
    set_user(name, event);
    only_peer(address, event)
}

fn initiated_unnamed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "vpn_connection", "success", "network");
    only_peer(text, event)
}

fn connected<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "connection", "success", "network");
    only_peer(text, event)
}

/// The address and nothing else, apart from `(via …)`, its own end.
fn only_peer<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let text = cut(text, b" (via ").map_or(text, |(peer, _)| peer);
    let peer = word(text).ok_or("more than an address")?;
    if peer_at_end(peer, event)? {
        return Ok(());
    }
    let peer = client_address(peer).ok_or("not an address")?;
    if event.get(Field::SOURCE_IP).is_none() {
        peer.set(event);
    }
    Ok(())
}

fn disconnected<'a>(_: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    says_disconnect(event)
}

fn says_disconnect(event: &mut Event<'_>) -> Result<(), &'static str> {
    // The server's own restarts say the same without a client.
    if event.get(Field::SOURCE_IP).is_none() {
        return Err(ANOTHER);
    }
    say(event, "vpn_disconnect", "unknown", "session");
    Ok(())
}

/// `connection-reset] received, client-instance restarting`.
fn restarted<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (reason, rest) = cut(text, b"] received, ").ok_or(ANOTHER)?;
    if !rest.starts_with(b"client-instance ") {
        return Err(ANOTHER);
    }
    says_disconnect(event)?;
    event.text(Field::EVENT_REASON, reason);
    Ok(())
}

/// `IV_VER=2.6.3`: what the client calls itself.
fn peer_info<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let version = text.strip_prefix(b"IV_VER=").ok_or(ANOTHER)?;
    say(event, "vpn_peer_info", "unknown", "network");
    event.set(Field::USER_AGENT, Value::Text(version));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [Field; 5] = [
        Field::EVENT_ACTION,
        Field::EVENT_OUTCOME,
        Field::USER_NAME,
        Field::SOURCE_IP,
        Field::SOURCE_PORT,
    ];

    #[test]
    fn the_client_is_the_sockets() {
        for (text, expected) in [
            (
                "192.0.2.7:50022 TLS Auth Error: Auth Username/Password verification failed for peer",
                "vpn_login|failure|-|192.0.2.7|50022",
            ),
            (
                "TLS Error: cannot locate HMAC in incoming packet from [AF_INET6]::ffff:192.0.2.7:50022",
                "vpn_tls_error|failure|-|192.0.2.7|50022",
            ),
            (
                "192.0.2.7:50022 TLS Error: TLS handshake failed",
                "vpn_tls_error|failure|-|192.0.2.7|50022",
            ),
            (
                "192.0.2.7:50022 TLS: Username/Password authentication succeeded for username 'x' from [AF_INET]198.51.100.1:1' [CN SET]",
                "vpn_login|success|x' from [AF_INET]198.51.100.1:1|192.0.2.7|50022",
            ),
            (
                "192.0.2.7:50022 [alice] Peer Connection Initiated with [AF_INET]192.0.2.7:50022",
                "vpn_login|success|alice|192.0.2.7|50022",
            ),
            (
                "alice/192.0.2.7:50022 SIGUSR1[soft,connection-reset] received, client-instance restarting",
                "vpn_disconnect|unknown|alice|192.0.2.7|50022",
            ),
            (
                "alice/2001:db8::7 VERIFY ERROR: depth=0, error=certificate has expired: CN=alice",
                "vpn_certificate|failure|alice|2001:db8::7|-",
            ),
            (
                "AUTH-PAM: BACKGROUND: user 'alice' failed to authenticate: Authentication failure",
                "vpn_authentication|failure|alice|-|-",
            ),
        ] {
            assert_eq!(
                shape::shown(&FORMAT, "openvpn", text, &FIELDS),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_certificates_name_is_no_client() {
        let text = "x/198.51.100.1:1 TLS Error: y/192.0.2.7:50022 TLS Error: TLS handshake failed";
        let verdict = shape::shown(&FORMAT, "openvpn", text, &FIELDS).0;
        assert!(matches!(verdict, Verdict::Malformed(_)));
    }
}
