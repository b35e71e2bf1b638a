//! Keys and certificates: found, accepted, revoked, refused.
//!
//! Whoever signed a certificate chose its ID, and whoever wrote
//! `authorized_keys` its options; neither is taken for a name or an address.

use super::is_key;
use crate::event::Event;
use crate::field::Field;
use crate::format::token::{cut, cut_last, ip, say};

type Outcome = Result<(), &'static str>;

/// `TYPE FINGERPRINT[ ID …] found at FILE:LINE`.
pub(super) fn key_found<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    say(event, "ssh_key_found", "unknown", "authentication");
    key(rest, event)
}

fn key<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (kind, rest) = cut(rest, b" ").ok_or("no type of the key")?;
    let fingerprint = rest.split(|&b| b == b' ').next().unwrap_or_default();
    if is_key(kind, fingerprint) {
        event.text(Field::SSH_KEY_TYPE, kind);
        event.text(Field::SSH_KEY_FINGERPRINT, fingerprint);
    }
    Ok(())
}

/// `"ID" (serial N) signed by TYPE CA FINGERPRINT via FILE`.
pub(super) fn accepted<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    say(event, "ssh_key_found", "unknown", "authentication");
    authority(rest, event)
}

/// `"ID" serial=N signed by TYPE CA FINGERPRINT via FILE`.
pub(super) fn refused<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    say(event, "ssh_key_refused", "failure", "authentication");
    authority(rest, event)
}

/// Who signed: after the last ` signed by `, which stands behind the ID.
fn authority<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, signer) = cut_last(rest, b" signed by ").ok_or("nobody signed the certificate")?;
    let (kind, rest) = cut(signer, b" CA ").ok_or("no key of the authority")?;
    let fingerprint = rest.split(|&b| b == b' ').next().unwrap_or_default();
    if is_key(kind, fingerprint) {
        event.text(Field::SSH_KEY_TYPE, kind);
        event.text(Field::SSH_KEY_FINGERPRINT, fingerprint);
    }
    Ok(())
}

/// `TYPE FINGERPRINT revoked by file FILE`.
pub(super) fn revoked<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    say(event, "ssh_key_refused", "failure", "authentication");
    event.text(Field::EVENT_REASON, b"revoked");
    key(rest, event)
}

/// `NAME not in PubkeyAcceptedAlgorithms`: an algorithm's name.
pub(super) fn algorithm<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    cut(rest, b" not in ").ok_or(super::ANOTHER)?;
    say(event, "ssh_key_refused", "failure", "authentication");
    event.text(Field::EVENT_REASON, b"algorithm not accepted");
    Ok(())
}

/// `USER with correct key but not from a permitted host (host=H, ip=A[, required=P]).`
pub(super) fn wrong_host<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    // The account exists: its key was right. The host is its zone's word.
    let (user, rest) = cut(
        rest,
        b" with correct key but not from a permitted host (host=",
    )
    .ok_or("no host")?;
    let (host, rest) = cut(rest, b", ip=").ok_or("no address")?;
    if cut(rest, b", ip=").is_some() {
        return Err("two addresses that could be meant");
    }
    let address = rest
        .split(|&b| matches!(b, b',' | b')'))
        .next()
        .unwrap_or_default();
    let ip = ip(address).ok_or("no address")?;
    say(event, "ssh_not_allowed", "failure", "authentication");
    event.text(Field::USER_NAME, user);
    event.text(
        Field::EVENT_REASON,
        b"correct key from a host that is not permitted",
    );
    event.set(Field::SOURCE_IP, crate::event::Value::Ip(ip));
    if crate::format::token::ip(host).is_none() {
        event.text(Field::SOURCE_DOMAIN, host);
    }
    Ok(())
}
