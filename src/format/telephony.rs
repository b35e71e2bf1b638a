//! Telephone servers: Asterisk and FreeSWITCH.
//!
//! Asterisk's text is `LEVEL[PID][CALL] FILE: WORDS`, in its own log under a
//! stamp in brackets. The caller chooses his name, the extension and the call's
//! id, so a refusal is read with the reason at its end.

use super::template::Table;
use super::token::{cut, number, trim_start};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static ASTERISK: Format = Format {
    name: "asterisk",
    about: "Asterisk: sip_login, sip_call, ami_login, and its security events",
    programs: &["asterisk"],
    logsources: &[LogSource {
        product: "asterisk",
        categories: &[],
        services: &["asterisk", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "[2024-05-01 10:00:00] NOTICE[812] chan_sip.c: Registration from '<sip:alice@example.org>' failed for '192.0.2.7:5060' - Wrong password",
};

pub(super) static FREESWITCH: Format = Format {
    name: "freeswitch",
    about: "FreeSWITCH: sip_login",
    programs: &["freeswitch"],
    logsources: &[LogSource {
        product: "freeswitch",
        categories: &[],
        services: &["freeswitch", "syslog"],
    }],
    parse: Parser::Message(parse_freeswitch),
    example: "2024-05-01 10:00:00.123456 [WARNING] sofia_reg.c:1720 SIP auth failure (INVITE) on sofia profile 'internal' for [alice@198.51.100.2] from ip 192.0.2.7",
};

/// How a registration and a request are refused (`chan_sip.c`,
/// `res_pjsip/pjsip_distributor.c`): after the address nothing else follows.
static REFUSED: Table = Table::new(&[
    (
        ["sip_login", "failure", "authentication"],
        &[
            "Registration from '{*}' failed for '{src}' - Wrong password",
            "Registration from '{*}' failed for '{src}' - No matching peer found",
            "Registration from '{*}' failed for '{src}' - Username/auth name mismatch",
            "Registration from '{*}' failed for '{src}' - Device does not match ACL",
            "Registration from '{*}' failed for '{src}' - Device not configured to use this transport type",
            "Registration from '{*}' failed for '{src}' - Peer is not supposed to register",
            "Registration from '{*}' failed for '{src}' - ACL error (permit/deny)",
            "Registration from '{*}' failed for '{src}' - Not a local domain",
            "Registration from '{*}' failed for '{src}' - {reason}",
            "Request {*}from '{*}' failed for '{src}' (callid: {*}) - No matching endpoint found",
            "Request {*}from '{*}' failed for '{src}' (callid: {*}) - Not match Endpoint ACL",
            "Request {*}from '{*}' failed for '{src}' (callid: {*}) - Not match Endpoint Contact ACL",
            "Request {*}from '{*}' failed for '{src}' (callid: {*}) - Failed to authenticate",
            "Request {*}from '{*}' failed for '{src}' (callid: {*}) - Error to authenticate",
            "Request {*}from '{*}' failed for '{src}' (callid: {*}) - {reason}",
        ],
    ),
    (
        ["sip_call", "failure", "network"],
        &[
            "Call from '{*}' ({src}) to extension '{*}' rejected because extension not found in context '{w}'.",
            "Call from '{*}' ({w}:{src}) to extension '{*}' rejected because extension not found in context '{w}'.",
            "{*}: Call ({w}:{src}) to extension '{*}' rejected because extension not found in context '{w}'.",
        ],
    ),
    (
        ["iax_login", "failure", "authentication"],
        &[
            "Host {src} failed to authenticate as '{user}'",
            "Host {src} failed MD5 authentication for '{user}' ({w} != {w})",
            "Host {src} denied access to register peer '{user}'",
            "No registration for peer '{user}' (from {src})",
            "Peer '{user}' is not dynamic (from {src})",
        ],
    ),
    (
        ["sip_call", "failure", "network"],
        &[
            "hacking attempt detected '{src}'",
            "\"Rejecting unknown SIP connection from {src}\"",
        ],
    ),
    (
        ["ami_login", "failure", "authentication"],
        &[
            "{src} failed to authenticate as '{user}'",
            "{src} tried to authenticate with nonexistent user '{user}'",
            "{src} failed to pass IP ACL as '{user}'",
        ],
    ),
]);

/// `SecurityEvent="…",…` up to the address; what follows it is partly the
/// client's answer, and the session's id is his call's, so the end is tried first.
static SECURITY: Table = Table::new(&[(
    ["sip_login", "failure", "authentication"],
    &[
        "EventTV=\"{w}\",Severity=\"{w}\",Service=\"{w}\",EventVersion=\"{n}\",AccountID=\"{user}\",SessionID=\"{*}\",LocalAddress=\"{sipdst}\",RemoteAddress=\"{sip}\"",
        "EventTV=\"{w}\",Severity=\"{w}\",Service=\"{w}\",EventVersion=\"{n}\",AccountID=\"{user}\",SessionID=\"{*}\",LocalAddress=\"{sipdst}\",RemoteAddress=\"{sip}\",{*}",
    ],
)]);

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let Some(text) = after_level(message.text) else {
        return Verdict::NotMine;
    };
    let Some(rest) = text.strip_prefix(b"SecurityEvent=\"") else {
        return REFUSED.read(text, event);
    };
    let Some((name, rest)) = cut(rest, b"\",") else {
        return Verdict::NotMine;
    };
    let outcome = match name {
        b"SuccessfulAuth" => "success",
        b"ChallengeSent" => "unknown",
        _ => "failure",
    };
    let verdict = SECURITY.read(rest, event);
    if verdict == Verdict::Event {
        event.replace(Field::EVENT_OUTCOME, Value::Text(outcome.as_bytes()));
        event.text(Field::EVENT_REASON, name);
    }
    verdict
}

/// What follows `[STAMP] LEVEL[PID][CALL]: FILE.c[:LINE][ FUNCTION]: `.
fn after_level(text: &[u8]) -> Option<&[u8]> {
    let text = match text.strip_prefix(b"[") {
        Some(stamped) => trim_start(cut(stamped, b"]")?.1),
        None => text,
    };
    let (level, rest) = cut(text, b"[")?;
    if !is_level(trim_blank(level)) {
        return None;
    }
    let (thread, rest) = cut(rest, b"]")?;
    number(thread)?;
    let rest = match rest.strip_prefix(b"[C-") {
        Some(call) => cut(call, b"]")?.1,
        None => rest,
    };
    let rest = trim_start(rest.strip_prefix(b":").unwrap_or(rest));
    let (place, words) = cut(rest, b": ")?;
    let file = cut(place, b":").map_or(place, |(file, _)| file);
    // The dial plan's own words have no file.
    let known = file.ends_with(b".c") || place.starts_with(b"Ext. ");
    known.then(|| trim_start(words))
}

fn trim_blank(level: &[u8]) -> &[u8] {
    level.strip_suffix(b" ").unwrap_or(level)
}

/// Asterisk's names for how grave a line is.
pub(super) fn is_level(word: &[u8]) -> bool {
    matches!(
        word,
        b"NOTICE" | b"WARNING" | b"ERROR" | b"SECURITY" | b"VERBOSE" | b"DEBUG" | b"DTMF"
    )
}

static SOFIA: Table = Table::new(&[
    (
        ["sip_login", "unknown", "authentication"],
        &["SIP auth challenge ({w}) on sofia profile '{w}' for [{user}@{w}] from ip {src}"],
    ),
    (
        ["sip_login", "failure", "authentication"],
        &[
            "SIP auth failure ({w}) on sofia profile '{w}' for [{user}@{w}] from ip {src}",
            "Can't find user [{user}@{w}] from {src}",
        ],
    ),
    (
        ["sip_login", "failure", "network"],
        &[
            "SIP auth failure ({w}) on sofia profile '{w}' for [{user}] from ip {src}",
            "Can't find user [{user}] from {src}",
            "IP {src} Rejected by {*}acl",
            "IP {src} Rejected by {*}acl {w}",
            "IP {src} Rejected by {*}acl {w}. {*}",
        ],
    ),
]);

/// `[STAMP ][LOAD% ][LEVEL] FILE:LINE WORDS`, or `… [LEVEL] [MODULE] [FILE:LINE] WORDS`.
fn parse_freeswitch<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let mut rest = message.text;
    // Stamp, load, level, module and place: none of them is the caller's.
    for _ in 0..6 {
        let Some((word, after)) = cut(rest, b" ") else {
            return Verdict::NotMine;
        };
        let inside = word
            .strip_prefix(b"[")
            .and_then(|word| word.strip_suffix(b"]"))
            .unwrap_or(word);
        let place = cut(inside, b".c:").is_some_and(|(_, line)| number(line).is_some());
        if place {
            return SOFIA.read(after, event);
        }
        rest = after;
    }
    Verdict::NotMine
}
