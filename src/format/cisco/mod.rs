//! Cisco's firewalls, routers and switches: `%ASA-4-106023: Deny tcp src …`,
//! `%SEC-6-IPACCESSLOGP: list 101 denied tcp …`.
//!
//! The mnemonic says which sentence follows; the sentences are those of the
//! message guides of ASA, FTD, PIX, IOS and IOS XE. The ends are in the order
//! in which the line has them: of a connection that is closed nothing tells
//! who opened it. (Where `outbound` tells it, `network.direction` does too.)

mod sentences;

use super::token::{cut, cut_last, number, once, say, some, trim_end, trim_start};
use super::transport::say_filtered;
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "cisco",
    about: "Cisco ASA, FTD, PIX, IOS: `connection`, failure when denied; `login`, `vpn_session`",
    programs: &["%*", "CiscoASA", "asa", "ASA", "FTD", "PIX"],
    logsources: LOGSOURCES,
    parse: Parser::Message(parse),
    example: r#"May  1 10:00:00 fw1 : %ASA-4-106023: Deny tcp src outside:192.0.2.7/4711 dst inside:198.51.100.5/22 by access-group "outside_in" [0x0, 0x0]"#,
};

static LOGSOURCES: &[LogSource] = &[LogSource {
    product: "cisco",
    categories: &["firewall", "network_connection"],
    services: &["asa", "syslog"],
}];

/// A line without an envelope: `%ASA-6-302013: …`, or without the sign.
pub(super) static LINE: Format = Format {
    name: "cisco-line",
    about: "the same without a header",
    programs: &[],
    logsources: LOGSOURCES,
    parse: Parser::Text(|text, _, event| {
        let text = match text.strip_prefix(b"<").and_then(|rest| cut(rest, b">")) {
            Some((pri, rest)) if pri.len() <= 3 => rest,
            _ => text,
        };
        let bare = text.strip_prefix(b"%").unwrap_or(text);
        let makers = [&b"ASA-"[..], b"FTD-", b"PIX-", b"FWSM-"];
        if !makers.iter().any(|maker| bare.starts_with(maker)) {
            return Verdict::NotMine;
        }
        match cut(bare, b": ") {
            Some((tag, text)) => match mnemonic(tag) {
                Some(found) => sentence(found, text, event),
                None => Verdict::NotMine,
            },
            None => Verdict::NotMine,
        }
    }),
    example: "%ASA-2-106001: Inbound TCP connection denied from 192.0.2.7/4711 to 198.51.100.5/22 flags SYN on interface outside",
};

/// What a sentence says.
#[derive(Clone, Copy)]
enum Says {
    /// A packet or connection that was let through.
    Passed,
    /// One that was not.
    Denied,
    /// One whose line has the verdict (`{V}`), or has none.
    Seen,
    /// Somebody logged in.
    LoggedIn,
    /// Somebody did not.
    Refused,
    /// Something about a session or a user.
    Session,
}

use Says::{Denied, LoggedIn, Passed, Refused, Seen, Session};
use sentences::SENTENCES;

/// Severities as Cisco numbers them; a later level is for whoever debugs.
const SEVERITY_MAX: i64 = 7;

/// Whether a text begins with a mnemonic: `%ASA-4-106023: `.
pub(super) fn speaks(text: &[u8]) -> bool {
    text.first() == Some(&b'%') && cut(text, b": ").is_some_and(|(tag, _)| mnemonic(tag).is_some())
}

/// The severity and the number or name of a mnemonic.
fn mnemonic(tag: &[u8]) -> Option<(i64, &[u8])> {
    let (head, code) = cut_last(tag.strip_prefix(b"%").unwrap_or(tag), b"-")?;
    let (facility, severity) = cut_last(head, b"-")?;
    let severity = number(severity).filter(|n| *n <= SEVERITY_MAX)?;
    let sound = |text: &[u8]| {
        !text.is_empty()
            && text
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    };
    (sound(facility) && sound(code)).then_some((severity, code))
}

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let (tag, text) = match cut(message.text, b": ") {
        Some((tag, text)) if tag.starts_with(b"%") && mnemonic(tag).is_some() => (tag, text),
        _ => (message.program, message.text),
    };
    match mnemonic(tag) {
        Some(found) => sentence(found, text, event),
        None => Verdict::NotMine,
    }
}

/// Reads the sentence of a mnemonic.
fn sentence<'a>(
    (severity, code): (i64, &'a [u8]),
    text: &'a [u8],
    event: &mut Event<'a>,
) -> Verdict {
    let text = trim_start(text);
    event.set(Field::EVENT_SEVERITY, Value::Int(severity));
    event.text(Field::EVENT_CODE, code);
    match SENTENCES.find(text, |(begin, _)| code.starts_with(begin.as_bytes())) {
        Ok(Some(reading)) => {
            reading.set(event);
            tell(reading.says.1, event);
            after(code, text, event);
            Verdict::Event
        }
        Ok(None) => {
            let of =
                |(begin, _): (&str, Says)| !begin.is_empty() && code.starts_with(begin.as_bytes());
            if SENTENCES.says().any(of) {
                return Verdict::Malformed("not the sentence of its number");
            }
            Verdict::NotMine
        }
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// Says what the sentence says; `{V}` has said it already.
fn tell(says: Says, event: &mut Event<'_>) {
    if event.get(Field::EVENT_ACTION).is_some() {
        return;
    }
    match says {
        Passed => say_filtered(Some(("allow", "success")), event),
        Denied => say_filtered(Some(("deny", "failure")), event),
        Seen => say_filtered(None, event),
        LoggedIn => say(event, "login", "success", "authentication"),
        Refused => say(event, "login", "failure", "authentication"),
        Session => say(event, "vpn_session", "unknown", "session"),
    }
}

/// What some sentences say at their end.
fn after<'a>(code: &[u8], text: &'a [u8], event: &mut Event<'a>) {
    let text = trim_end(text);
    if code.ends_with(b"_USERAUTH") {
        event.replace(Field::EVENT_ACTION, Value::Text(b"login"));
        event.replace(Field::EVENT_CATEGORY, Value::Text(b"authentication"));
        let outcome: &[u8] = if text.ends_with(b"Succeeded") {
            b"success"
        } else if text.ends_with(b"Failed") {
            b"failure"
        } else {
            b"unknown"
        };
        event.replace(Field::EVENT_OUTCOME, Value::Text(outcome));
    }
    if code == b"304001"
        && let Some(Value::Text(address)) = event.get(Field::URL_ORIGINAL)
        && let Some((host, url)) = cut(address, b":")
        && let Some(host) = super::token::ip(host)
    {
        once(event, Field::DESTINATION_IP, Value::Ip(host));
        event.replace(Field::URL_ORIGINAL, Value::Text(url));
    }
    if let Some((_, reason)) = cut_last(text, b" bytes ").filter(|_| code.starts_with(b"3020")) {
        let (bytes, reason) = super::token::first_word(reason);
        if let Some(bytes) = number(bytes) {
            once(event, Field::NETWORK_BYTES, Value::Int(bytes));
        }
        some(event, Field::EVENT_REASON, reason);
    }
}

#[cfg(test)]
mod tests;
