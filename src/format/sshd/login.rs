//! Logins: accepted, failed, refused, and what a session then asks for.

use super::{ANOTHER, before_auth, is_key, set_user, without_invalid};
use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::token::{Host, Peer, address_at_end, cut, last_word, peer_at_end, say};

/// `METHOD for [invalid user ]USER from ADDRESS port N ssh2[: EXTRA]`.
struct Attempt<'a> {
    method: &'a [u8],
    user: &'a [u8],
    peer: Peer,
    key: Option<(&'a [u8], &'a [u8])>,
}

pub(super) fn accepted<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "ssh_login", "success", "authentication");
    attempt(rest).map(|attempt| attempt.set(event))
}

pub(super) fn failed<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "ssh_login", "failure", "authentication");
    attempt(rest).map(|attempt| attempt.set(event))
}

/// One of several methods asked for more; the login is not decided.
pub(super) fn postponed<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "ssh_login_pending", "unknown", "authentication");
    attempt(rest).map(|attempt| attempt.set(event))
}

/// One of several required methods succeeded.
pub(super) fn partial<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "ssh_login_pending", "unknown", "authentication");
    attempt(rest).map(|attempt| attempt.set(event))
}

impl<'a> Attempt<'a> {
    fn set(self, event: &mut Event<'a>) {
        event.text(Field::SSH_METHOD, self.method);
        let (user, invalid) = without_invalid(self.user);
        set_user(user, invalid, event);
        self.peer.set(event);
        if let Some((kind, fingerprint)) = self.key {
            event.text(Field::SSH_KEY_TYPE, kind);
            event.text(Field::SSH_KEY_FINGERPRINT, fingerprint);
        }
    }
}

fn attempt(rest: &[u8]) -> Result<Attempt<'_>, &'static str> {
    let (method, rest) = cut(rest, b" ").ok_or("no method")?;
    let rest = rest.strip_prefix(b"for ").ok_or(ANOTHER)?;
    let (rest, _) = before_auth(rest);
    let (user, peer, key) = ends_plain(rest)
        .or_else(|| ends_with_key(rest))
        .or_else(|| ends_with_principal(method, rest))
        .or_else(|| ends_with_remote_text(rest))
        .ok_or("no single address and port of the remote side")?;
    Ok(Attempt {
        method,
        user,
        peer,
        key,
    })
}

type Tail<'a> = (&'a [u8], Peer, Option<(&'a [u8], &'a [u8])>);

/// ` from ADDRESS port N ssh2` is the end. `ssh1` was dropped in 7.6; the
/// oldest left out the version, or even the port, but then no port stands in
/// front either.
fn ends_plain(text: &[u8]) -> Option<Tail<'_>> {
    let shorter = text
        .strip_suffix(b" ssh2")
        .or_else(|| text.strip_suffix(b" ssh1"))
        .unwrap_or(text);
    let (head, peer) = peer_at_end(shorter).or_else(|| {
        address_at_end(text).filter(|_| memchr::memmem::find(text, b" port ").is_none())
    })?;
    Some((head.strip_suffix(b" from")?, peer, None))
}

/// `… ssh2: ED25519 SHA256:…`: two words that sshd made from the key.
fn ends_with_key(text: &[u8]) -> Option<Tail<'_>> {
    let (head, fingerprint) = last_word(text);
    let (head, kind) = last_word(head);
    let key = is_key(kind, fingerprint).then_some((kind, fingerprint))?;
    let (user, peer, _) = ends_plain(head.strip_suffix(b":")?)?;
    peer.port?;
    Some((user, peer, Some(key)))
}

/// `… ssh2: alice@EXAMPLE.ORG`, after GSSAPI.
fn ends_with_principal<'a>(method: &[u8], text: &'a [u8]) -> Option<Tail<'a>> {
    let (head, principal) = last_word(text);
    let sound = method.starts_with(b"gssapi") && !principal.is_empty();
    let (user, peer, _) = ends_plain(head.strip_suffix(b":").filter(|_| sound)?)?;
    peer.port?;
    Some((user, peer, None))
}

/// Certificates (`ID` is chosen by whoever signed it), host-based logins
/// (client user and host are the client's word) and ssh1's `ruser`: remote text
/// stands on both sides, so there must be only one place that fits.
fn ends_with_remote_text(text: &[u8]) -> Option<Tail<'_>> {
    let mut found = None;
    for at in memchr::memmem::find_iter(text, b" ssh") {
        let (head, rest) = text.split_at_checked(at)?;
        let Some(extra) = rest
            .strip_prefix(b" ssh2: ")
            .or_else(|| rest.strip_prefix(b" ssh1: "))
        else {
            continue;
        };
        let Some((head, peer)) = peer_at_end(head) else {
            continue;
        };
        let Some(user) = head.strip_suffix(b" from") else {
            continue;
        };
        if found.is_some() {
            return None;
        }
        found = Some((user, peer, key_of(extra)));
    }
    found
}

/// The key that an extra begins with.
fn key_of(extra: &[u8]) -> Option<(&[u8], &[u8])> {
    let (kind, rest) = cut(extra, b" ")?;
    let fingerprint = rest
        .split(|&b| b == b' ' || b == b',')
        .next()
        .unwrap_or_default();
    is_key(kind, fingerprint).then_some((kind, fingerprint))
}

/// `USER from ADDRESS[ port N]`.
pub(super) fn invalid_user<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (rest, _) = before_auth(rest);
    let (head, peer) = peer_at_end(rest)
        .or_else(|| address_at_end(rest))
        .ok_or("no address at the end")?;
    // An empty name leaves only the blank before `from`.
    let user = match head {
        b"from" => b"",
        _ => head
            .strip_suffix(b" from")
            .ok_or("no `from` before the address")?,
    };
    say(event, "ssh_invalid_user", "failure", "authentication");
    set_user(user, true, event);
    peer.set(event);
    Ok(())
}

/// `[invalid user ]USER from ADDRESS port N ssh2`.
pub(super) fn max_attempts<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (rest, _) = before_auth(rest);
    let (user, peer, _) = ends_plain(rest).ok_or("no address and port at the end")?;
    let (user, invalid) = without_invalid(user);
    say(event, "ssh_max_attempts", "failure", "network");
    set_user(user, invalid, event);
    peer.set(event);
    Ok(())
}

/// `USER[ from HOST] not allowed because REASON`. Where the account itself is
/// the reason, sshd prints no host, and what looks like one is the user's name.
pub(super) fn not_allowed<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (rest, _) = before_auth(rest);
    let Some((head, reason)) = crate::format::token::cut_last(rest, b" not allowed because ")
    else {
        return Err(ANOTHER);
    };
    let about_account = reason.starts_with(b"account ") || reason.starts_with(b"shell ");
    let (user, host) = if about_account {
        (head, None)
    } else {
        let (head, host) = last_word(head);
        let user = head
            .strip_suffix(b" from")
            .ok_or("no host that the user came from")?;
        let host = Host::read(host).ok_or("neither address nor host name")?;
        (user, Some(host))
    };
    say(event, "ssh_not_allowed", "failure", "authentication");
    event.text(Field::USER_NAME, user);
    event.text(Field::EVENT_REASON, reason);
    if let Some(host) = host {
        host.set(event);
    }
    Ok(())
}

/// `ERROR for [illegal user ]USER from HOST[ via ADDRESS]`; the error is libpam's.
pub(super) fn pam<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (rest, _) = before_auth(rest);
    let (_, rest) = cut(rest, b" for ").ok_or(ANOTHER)?;
    let (mut head, mut host) = last_word(rest);
    if let Some(before_via) = head.strip_suffix(b" via") {
        // macOS also names the address that was connected to.
        (head, host) = last_word(before_via);
    }
    let user = head
        .strip_suffix(b" from")
        .ok_or("no host that the user came from")?;
    let host = Host::read(host).ok_or("neither address nor host name")?;
    let (user, invalid) = without_invalid(user);
    say(event, "ssh_login", "failure", "authentication");
    event.text(Field::SSH_METHOD, b"keyboard-interactive/pam");
    set_user(user, invalid, event);
    host.set(event);
    Ok(())
}

/// `ADDRESS[ port N]`.
pub(super) fn root_refused<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (rest, _) = before_auth(rest);
    let (_, peer) = peer_at_end(rest)
        .or_else(|| address_at_end(rest))
        .ok_or("no address at the end")?;
    say(event, "ssh_not_allowed", "failure", "authentication");
    event.text(Field::USER_NAME, b"root");
    event.text(Field::EVENT_REASON, b"root login refused");
    peer.set(event);
    Ok(())
}

/// `shell on pts/0 for USER from ADDRESS port N id 0`, `command for …`.
pub(super) fn starting_session<'a>(
    rest: &'a [u8],
    event: &mut Event<'a>,
) -> Result<(), &'static str> {
    // A subsystem's name is the client's; an account's name is one word.
    let (what, rest) =
        crate::format::token::cut_last(rest, b" for ").ok_or("no user of the session")?;
    session(rest, event)?;
    say(event, "ssh_session_started", "success", "session");
    event.text(Field::EVENT_REASON, what);
    Ok(())
}

/// `user USER from ADDRESS port N id 0`.
pub(super) fn close_session<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let rest = rest
        .strip_prefix(b"user ")
        .ok_or("no user of the session")?;
    session(rest, event)?;
    say(event, "ssh_session_closed", "success", "session");
    Ok(())
}

fn session<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    // Before 7.0 without the channel's id.
    let (head, id) = last_word(rest);
    let head = match head.strip_suffix(b" id") {
        Some(head) if crate::format::token::number(id).is_some() => head,
        _ => rest,
    };
    let (user, peer, _) = ends_plain(head).ok_or("no address and port at the end")?;
    event.text(Field::USER_NAME, user);
    peer.set(event);
    Ok(())
}

/// `sftp by user USER[ failed, subsystem not found]`.
pub(super) fn subsystem<'a>(rest: &'a [u8], event: &mut Event<'a>) {
    let (user, outcome) = match rest.strip_suffix(b" failed, subsystem not found") {
        Some(user) => (user, "failure"),
        None => (rest, "success"),
    };
    say(event, "ssh_subsystem", outcome, "session");
    // The name of the subsystem is the client's; the user has logged in.
    let Some((name, user)) = crate::format::token::cut_last(user, b" by user ") else {
        // Before 5.2 the user was not told.
        event.set(Field::EVENT_REASON, Value::Text(user));
        return;
    };
    event.text(Field::EVENT_REASON, name);
    event.text(Field::USER_NAME, user);
}
