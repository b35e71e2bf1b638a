//! Connections: opened, closed, broken off before a login, or not SSH at all.

use super::{before_auth, set_user, without_invalid};
use crate::event::Event;
use crate::field::Field;
use crate::format::endpoint::set_destination;
use crate::format::token::{
    Host, Peer, address_at_end, cut, cut_last, first_word, ip, last_word, number, peer_at_end,
    peer_at_start, say, socket,
};

/// The reason of an orderly end.
const DISCONNECTED: &[u8] = b"disconnected";

type Outcome = Result<(), &'static str>;

/// `[authenticating user USER |invalid user USER |user USER ]ADDRESS port N`,
/// at the end: what sshd calls a connection.
struct Remote<'a> {
    user: Option<(&'a [u8], bool)>,
    peer: Peer,
}

impl<'a> Remote<'a> {
    fn at_end(text: &'a [u8]) -> Option<Remote<'a>> {
        let (head, peer) = peer_at_end(text).or_else(|| address_at_end(text))?;
        Remote::with(head, peer)
    }

    /// The connection before a `separator`, where remote text follows: from the
    /// start, or at the only place that fits.
    fn before(text: &'a [u8], separator: &[u8]) -> Option<Remote<'a>> {
        if let Some((peer, rest)) = peer_at_start(text) {
            return rest
                .starts_with(separator)
                .then_some(Remote { user: None, peer });
        }
        let mut found = None;
        for at in memchr::memmem::find_iter(text, separator) {
            let remote = text
                .get(..at)
                .and_then(peer_at_end)
                .and_then(|(head, peer)| Remote::with(head, peer));
            if remote.is_some() && found.is_some() {
                return None;
            }
            found = remote.or(found);
        }
        found
    }

    fn with(head: &'a [u8], peer: Peer) -> Option<Remote<'a>> {
        let user = if head.is_empty() {
            None
        } else if let (user, true) = named(head, b"invalid user") {
            Some((user?, true))
        } else if let (user, true) = named(head, b"authenticating user") {
            Some((user?, false))
        } else if let (user, true) = named(head, b"user") {
            Some((user?, false))
        } else {
            return None;
        };
        Some(Remote { user, peer })
    }

    /// Sets user and address, and the reason unless it is the user.
    fn set(self, reason: &'a [u8], event: &mut Event<'a>) {
        if let Some((user, invalid)) = self.user {
            set_user(user, invalid, event);
        }
        self.peer.set(event);
        if event.get(Field::EVENT_REASON).is_none() {
            event.text(Field::EVENT_REASON, reason);
        }
    }
}

/// The name after some words; an empty name leaves nothing, not even the blank.
fn named<'a>(head: &'a [u8], words: &[u8]) -> (Option<&'a [u8]>, bool) {
    match head.strip_prefix(words) {
        Some([]) => (Some(&[]), true),
        Some([b' ', user @ ..]) => (Some(user), true),
        _ => (None, false),
    }
}

/// An end before any login is a failure; after one it is the session's. Only
/// a login gives a connection a user, or an orderly farewell without a mark.
fn end<'a>(rest: &'a [u8], event: &mut Event<'a>, reason: &'static [u8]) -> Outcome {
    let (rest, preauth) = before_auth(rest);
    let remote = Remote::at_end(rest).ok_or("no address at the end")?;
    let logged_in = match remote.user {
        Some((_, invalid)) => !invalid,
        None => reason == DISCONNECTED,
    };
    if logged_in && !preauth {
        say(event, "ssh_disconnect", "unknown", "session");
    } else {
        say(event, "ssh_preauth_close", "failure", "network");
    }
    remote.set(reason, event);
    Ok(())
}

pub(super) fn closed<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    end(rest, event, b"closed by remote")
}

/// The peer went away: `TAG: Connection from REMOTE: REASON`, where the tag is
/// the function's name and differs between releases.
pub(super) fn closed_connection<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<Outcome> {
    let (tag, rest) = cut(text, b": Connection ")?;
    let sound = tag.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let rest = rest
        .strip_prefix(b"from ")
        .or_else(|| rest.strip_prefix(b"to "))
        .filter(|_| sound)?;
    let (bare, _) = before_auth(rest);
    let lost = REASONS.iter().any(|reason| bare.ends_with(reason));
    Some(if lost || !bare.contains(&b':') {
        broken_pipe(rest, event)
    } else {
        banner(rest, event)
    })
}

pub(super) fn reset<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    if rest == b"peer" {
        return Err(super::ANOTHER);
    }
    end(rest, event, b"reset by remote")
}

pub(super) fn disconnected<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    end(rest, event, DISCONNECTED)
}

/// `ADDRESS[ port N]:[ ]CODE: TEXT`; the text is the client's.
pub(super) fn received_disconnect<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (rest, preauth) = before_auth(rest);
    let (peer, rest) = peer_at_start(rest).ok_or("no address at the beginning")?;
    let rest = rest.strip_prefix(b":").ok_or("no code after the address")?;
    let (code, text) = cut(rest, b":").ok_or("no text after the code")?;
    number(crate::format::token::trim_start(code)).ok_or("the code is not a number")?;
    if preauth {
        say(event, "ssh_preauth_close", "failure", "network");
    } else {
        say(event, "ssh_disconnect", "unknown", "session");
    }
    peer.set(event);
    event.text(Field::EVENT_REASON, crate::format::token::trim_start(text));
    Ok(())
}

/// `REMOTE: REASON`, of which one (`Change of username …`) quotes the client.
pub(super) fn disconnecting<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    const FIXED: [&[u8]; 2] = [
        b": Too many authentication failures",
        b": Timeout before authentication",
    ];
    let (rest, _) = before_auth(rest);
    let fixed = FIXED
        .iter()
        .find_map(|tail| Some((Remote::at_end(rest.strip_suffix(*tail)?)?, tail.get(2..)?)));
    let (remote, reason) = match fixed {
        Some(found) => found,
        None => (
            Remote::before(rest, b": ").ok_or("no single address of the remote side")?,
            &b"disconnecting"[..],
        ),
    };
    let too_many = reason.starts_with(b"Too many");
    let action = if too_many {
        "ssh_max_attempts"
    } else {
        "ssh_preauth_close"
    };
    say(event, action, "failure", "network");
    remote.set(reason, event);
    Ok(())
}

/// `[ for USER]`, of versions that named no address.
pub(super) fn too_many<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (rest, _) = before_auth(rest);
    say(event, "ssh_max_attempts", "failure", "network");
    if rest.is_empty() {
        return Ok(());
    }
    let user = rest
        .strip_prefix(b" for ")
        .ok_or("no user after the reason")?;
    let (user, invalid) = without_invalid(user);
    set_user(user, invalid, event);
    Ok(())
}

/// `ADDRESS port N[ on ADDRESS port N[ rdomain "…"]]`, or a remote error
/// (`ADDRESS port N timed out`).
pub(super) fn connection<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    if let Some(remote) = rest.strip_suffix(b" timed out") {
        return end(remote, event, b"timed out");
    }
    let (peer, rest) = peer_at_start(rest).ok_or("no address at the beginning")?;
    say(event, "ssh_connection", "unknown", "network");
    peer.set(event);
    if let Some(on) = rest.strip_prefix(b" on ") {
        let (here, _) = peer_at_start(on).ok_or("no address that was connected to")?;
        set_destination(here, event);
    }
    Ok(())
}

fn at_end_as<'a>(
    rest: &'a [u8],
    event: &mut Event<'a>,
    action: &'static str,
    reason: &'static [u8],
) -> Outcome {
    let (rest, _) = before_auth(rest);
    let (_, peer) = peer_at_end(rest)
        .or_else(|| address_at_end(rest))
        .ok_or("no address at the end")?;
    say(event, action, "failure", "network");
    peer.set(event);
    event.text(Field::EVENT_REASON, reason);
    Ok(())
}

pub(super) fn no_identification<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    at_end_as(rest, event, "ssh_bad_protocol", b"no identification string")
}

/// `'WHAT THE CLIENT SENT' from ADDRESS port N`.
pub(super) fn bad_identification<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (rest, _) = before_auth(rest);
    let (head, peer) = peer_at_end(rest)
        .or_else(|| address_at_end(rest))
        .ok_or("no address at the end")?;
    head.strip_suffix(b"' from")
        .ok_or("no quoted identification before the address")?;
    say(event, "ssh_bad_protocol", "failure", "network");
    peer.set(event);
    event.text(Field::EVENT_REASON, b"bad protocol version identification");
    Ok(())
}

/// `[REMOTE]: WHAT WAS WRONG`; the words are sshd's.
pub(super) fn banner<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (rest, _) = before_auth(rest);
    let (remote, reason) = cut_last(rest, b": ").ok_or("no reason after the address")?;
    let remote = Remote::at_end(remote).ok_or("no address before the reason")?;
    say(event, "ssh_bad_protocol", "failure", "network");
    remote.set(reason, event);
    Ok(())
}

/// `REMOTE: no matching WHAT found. Their offer: LIST`; the list is the client's.
pub(super) fn negotiate<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (rest, _) = before_auth(rest);
    let remote =
        Remote::before(rest, b": no matching ").ok_or("no single address of the remote side")?;
    say(event, "ssh_bad_protocol", "failure", "network");
    remote.set(b"no matching algorithm", event);
    Ok(())
}

/// `ADDRESS[ port N]: OURS vs. THEIRS`.
pub(super) fn versions_differ<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (peer, rest) = peer_at_start(rest).ok_or("no address at the beginning")?;
    rest.strip_prefix(b": ")
        .ok_or("no versions after the address")?;
    say(event, "ssh_bad_protocol", "failure", "network");
    peer.set(event);
    event.text(Field::EVENT_REASON, b"protocol major versions differ");
    Ok(())
}

/// `ADDRESS[ port N]`; since 9.8 `connection from ADDRESS to ADDRESS, pid = N`.
pub(super) fn timeout<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (rest, _) = before_auth(rest);
    let from = rest.strip_prefix(b"connection from ").unwrap_or(rest);
    let (peer, rest) = peer_at_start(from).ok_or("no address at the beginning")?;
    say(event, "ssh_preauth_close", "failure", "network");
    peer.set(event);
    let here = rest.strip_prefix(b" to ").and_then(peer_at_start);
    if let Some((here, _)) = here {
        set_destination(here, event);
    }
    event.text(Field::EVENT_REASON, b"timeout before authentication");
    Ok(())
}

/// `ADDRESS maps to NAME, but this does not map back to the address[ - POSSIBLE BREAK-IN ATTEMPT!]`.
pub(super) fn maps_to<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (peer, rest) = peer_at_start(rest).ok_or("no address at the beginning")?;
    let rest = rest
        .strip_prefix(b" maps to ")
        .ok_or("no name after the address")?;
    let (name, _) = cut(rest, b", but this does not map back").ok_or("no end of the name")?;
    reverse(peer, name, event);
    Ok(())
}

/// `NAME [ADDRESS] failed[ - POSSIBLE BREAK-IN ATTEMPT!]`; the name is the remote zone's.
pub(super) fn reverse_mapping<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let rest = rest
        .strip_suffix(b" - POSSIBLE BREAK-IN ATTEMPT!")
        .or_else(|| rest.strip_suffix(b" - POSSIBLE BREAK-IN ATTEMPT"))
        .or_else(|| rest.strip_suffix(b" - POSSIBLE BREAKIN ATTEMPT!"))
        .or_else(|| rest.strip_suffix(b"."))
        .unwrap_or(rest);
    let Some(rest) = rest.strip_suffix(b"] failed") else {
        // Before 4.0 without the address.
        let name = rest.strip_suffix(b" failed").and_then(Host::read);
        let Some(Host::Name(name)) = name else {
            return Err("neither address nor name at the end");
        };
        reverse(
            Peer {
                ip: None,
                port: None,
            },
            name,
            event,
        );
        return Ok(());
    };
    let (name, address) = cut_last(rest, b" [").ok_or("no address at the end")?;
    let ip = ip(address).ok_or("no address at the end")?;
    let peer = Peer {
        ip: Some(ip),
        port: None,
    };
    reverse(peer, name, event);
    Ok(())
}

/// `"NAME" is set up for ADDRESS, ignoring`.
pub(super) fn nasty_ptr<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let rest = rest
        .strip_suffix(b", ignoring")
        .ok_or("no address at the end")?;
    let (head, peer) = address_at_end(rest).ok_or("no address at the end")?;
    let name = head
        .strip_prefix(b"\"")
        .and_then(|head| head.strip_suffix(b"\" is set up for"))
        .ok_or("no quoted name before the address")?;
    reverse(peer, name, event);
    Ok(())
}

fn reverse<'a>(peer: Peer, name: &'a [u8], event: &mut Event<'a>) {
    say(event, "ssh_reverse_mapping", "failure", "network");
    peer.set(event);
    event.text(Field::SOURCE_DOMAIN, name);
}

/// `[IDENT@]NAME (ADDRESS)`, of TCP wrappers; ident and name are the remote's.
pub(super) fn refused<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (head, last) = last_word(rest);
    let bracketed = last
        .strip_prefix(b"(")
        .and_then(|last| last.strip_suffix(b")"));
    let host = match bracketed {
        Some(address) => Host::Ip(ip(address).ok_or("no address in brackets at the end")?),
        None if head.is_empty() => Host::read(last).ok_or("neither address nor host name")?,
        None => return Err("no address in brackets at the end"),
    };
    say(event, "ssh_refused", "failure", "network");
    host.set(event);
    Ok(())
}

/// `VALUE) on obfuscated handshake from ADDRESS port N`.
pub(super) fn magic<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    at_end_as(rest, event, "ssh_bad_protocol", b"magic value check failed")
}

/// `N from [ADDRESS]:N on [ADDRESS]:N past MaxStartups`, `… penalty: …`.
pub(super) fn dropped<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, rest) = cut(rest, b" from ").ok_or("no address of the connection")?;
    let (address, reason) = cut(rest, b" ").ok_or("no reason")?;
    let peer = socket(address).ok_or("no address of the connection")?;
    say(event, "ssh_dropped", "failure", "network");
    peer.set(event);
    let here = reason.strip_prefix(b"on ").map(|on| first_word(on).0);
    if let Some(here) = here.and_then(socket) {
        set_destination(here, event);
    }
    event.text(Field::EVENT_REASON, reason);
    Ok(())
}

/// `ADDRESS[ port N]`, after a session; a verbose server tells it of each.
pub(super) fn closing<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let remote = Remote::at_end(rest).ok_or("no address at the end")?;
    say(event, "ssh_disconnect", "unknown", "session");
    remote.set(b"closing connection", event);
    Ok(())
}

/// Why a connection breaks off, in the system's words.
const REASONS: [&[u8]; 6] = [
    b": Connection reset by peer",
    b": Connection timed out",
    b": Broken pipe",
    b": No route to host",
    b": Network is unreachable",
    b": Operation timed out",
];

/// `[user ][USER ]ADDRESS[ port N][: WHAT]`: a session's connection broke off.
pub(super) fn broken_pipe<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (rest, preauth) = before_auth(rest);
    let reason = REASONS.iter().find(|reason| rest.ends_with(reason));
    let (head, reason) = match reason {
        Some(reason) => (
            rest.strip_suffix(*reason).unwrap_or(rest),
            reason.get(2..).unwrap_or_default(),
        ),
        None => (rest, &b"connection lost"[..]),
    };
    let (user, peer) = peer_at_end(head)
        .or_else(|| address_at_end(head))
        .ok_or("no address at the end")?;
    let remote = Remote::with(user, peer).unwrap_or(Remote {
        // A session's user stands there without a word before it.
        user: Some((user, false)),
        peer,
    });
    if preauth {
        say(event, "ssh_preauth_close", "failure", "network");
    } else {
        say(event, "ssh_disconnect", "unknown", "session");
    }
    remote.set(reason, event);
    Ok(())
}

/// `ADDRESS[ port N] with WHAT THE CLIENT SENT.  Don't panic.`
pub(super) fn scanned<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (peer, rest) = peer_at_start(rest).ok_or("no address at the beginning")?;
    rest.strip_prefix(b" with ")
        .ok_or("no identification after the address")?;
    say(event, "ssh_bad_protocol", "failure", "network");
    peer.set(event);
    event.text(Field::EVENT_REASON, b"scanned");
    Ok(())
}

/// `ADDRESS[ port N]`
pub(super) fn no_ident<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    at_end_as(
        rest,
        event,
        "ssh_preauth_close",
        b"the identification could not be sent",
    )
}

/// `0.0.0.0 port 22.`
pub(super) fn listening<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (here, _) = peer_at_start(rest).ok_or("no address at the beginning")?;
    say(event, "ssh_listening", "success", "configuration");
    set_destination(here, event);
    Ok(())
}
