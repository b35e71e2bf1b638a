//! Forwarding that a session asks for, and penalties for addresses.
//!
//! The host to connect to is the client's word; the originator too. Both stand
//! before fixed words or numbers, and neither is ever the source address: that
//! one sshd does not print here.

use super::before_auth;
use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::token::{Host, Peer, cut, cut_last, ip, last_word, peer_at_start, port, say};

type Outcome = Result<(), &'static str>;

/// `HOST port N` where the client wants to go: an address or a name.
fn target<'a>(text: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (host, number) = cut_last(text, b" port ").ok_or("no port of the target")?;
    set_target(host, number, event)
}

fn set_target<'a>(host: &'a [u8], number: &[u8], event: &mut Event<'a>) -> Outcome {
    let number = port(number).ok_or("the target's port is no port")?;
    match Host::read(host) {
        Some(Host::Ip(ip)) => event.set(Field::DESTINATION_IP, Value::Ip(ip)),
        Some(Host::Name(_)) => event.text(Field::DESTINATION_DOMAIN, host),
        // A client may ask for anything; what is no host is not shown as one.
        None => {}
    }
    event.set(Field::DESTINATION_PORT, Value::Int(i64::from(number)));
    Ok(())
}

/// `originator ADDRESS port N, target HOST port N`; a socket's path in the
/// place of `HOST port N` for streams.
pub(super) fn refused<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let rest = rest.strip_prefix(b"originator ").ok_or("no originator")?;
    let (_, asked) = cut_last(rest, b", target ").ok_or("no target")?;
    say(event, "ssh_forward", "failure", "network");
    event.text(Field::EVENT_REASON, b"refused");
    if asked.starts_with(b"/") {
        return Ok(());
    }
    target(asked, event)
}

/// `ADDRESS port N to connect to host HOST port N, but the request was denied.`
pub(super) fn request_denied<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (peer, rest) = peer_at_start(rest).ok_or("no address at the beginning")?;
    let rest = rest
        .strip_prefix(b" to connect to host ")
        .ok_or(super::ANOTHER)?;
    denied(rest, event)?;
    peer.set(event);
    Ok(())
}

/// `HOST port N, but the request was denied.`
pub(super) fn denied<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let asked = rest
        .strip_suffix(b", but the request was denied.")
        .ok_or("no end after the target")?;
    say(event, "ssh_forward", "failure", "network");
    event.text(Field::EVENT_REASON, b"denied");
    target(asked, event)
}

/// `HOST:N forwarded to remote address HOST:N`.
pub(super) fn listening<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, to) = cut(rest, b" forwarded to remote address ").ok_or("no remote address")?;
    let (host, number) = cut_last(to, b":").ok_or("no port of the target")?;
    say(event, "ssh_forward", "success", "network");
    set_target(host, number, event)
}

/// `ADDRESS port N.`
pub(super) fn listens<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (here, _) = peer_at_start(rest).ok_or("no address at the beginning")?;
    say(event, "ssh_forward", "success", "network");
    if let Some(ip) = here.ip {
        event.set(Field::DESTINATION_IP, Value::Ip(ip));
    }
    if let Some(port) = here.port {
        event.set(Field::DESTINATION_PORT, Value::Int(i64::from(port)));
    }
    Ok(())
}

/// `HOST port N: failed.`, also `: unknown host (WHY)`.
pub(super) fn failed<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (host, rest) = cut(rest, b" port ")
        .filter(|(host, _)| Host::read(host).is_some())
        .or_else(|| cut(rest, b": unknown host").map(|(host, _)| (host, &[][..])))
        .ok_or("no host at the beginning")?;
    say(event, "ssh_forward", "failure", "network");
    event.text(Field::EVENT_REASON, b"failed");
    if let Some((number, _)) = cut(rest, b":") {
        return set_target(host, number, event);
    }
    if let Some(Host::Name(name)) = Host::read(host) {
        event.text(Field::DESTINATION_DOMAIN, name);
    }
    Ok(())
}

/// `ipv4: new 192.0.2.7/32 active penalty of 5 seconds for penalty: WHY`: since
/// 9.8. The words around the network differ between releases; it alone has a
/// slash, and none of them is remote text.
pub(super) fn penalty<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (rest, _) = before_auth(rest);
    let mut networks = rest
        .split(|&b| b == b' ')
        .filter_map(|word| ip(cut(word, b"/")?.0));
    let ip = networks.next().ok_or("no network")?;
    if networks.next().is_some() {
        return Err("more than one network");
    }
    let reason = cut_last(rest, b" for ").map_or_else(|| last_word(rest).1, |(_, why)| why);
    say(event, "ssh_penalty", "failure", "network");
    let ip = Some(ip);
    Peer { ip, port: None }.set(event);
    event.text(Field::EVENT_REASON, reason);
    Ok(())
}
