//! strongSwan's charon: IKE connections, EAP and XAuth logins.
//!
//! The identities that peers present stand in quotes or in `[]` right after
//! their address, and may hold anything; addresses stand before them or
//! between fixed words. `source.*` is the other side, `destination.*` ours,
//! whoever sent the packet; `network.direction` says who did.

use bumpalo::Bump;

use super::shape::Shape::{Read, Takes};
use super::shape::{self, ANOTHER, Shape, set_user, unquoted};
use super::token::{cut, cut_last, digit, ip, port, say, trim_end};
use super::{Context, Format, Message, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

const LOGSOURCES: &[LogSource] = &[LogSource {
    product: "linux",
    categories: &[],
    services: &["charon", "vpn", "syslog"],
}];

pub(super) static FORMAT: Format = Format {
    name: "charon",
    about: "strongSwan: logins (vpn_login), connections (vpn_connection), packets (ike_packet)",
    programs: &[
        "charon",
        "charon-systemd",
        "charon-nm",
        "charon-cmd",
        "ipsec",
        "ipsec_starter",
    ],
    logsources: LOGSOURCES,
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 vpn1 charon[812]: 06[IKE] <con1|62> XAuth authentication of 'alice' failed",
};

pub(super) static LOG: Format = Format {
    name: "charon-log",
    about: "charon's own log file, with time_format = %Y-%m-%d %H:%M:%S",
    programs: &[],
    logsources: LOGSOURCES,
    parse: Parser::Line(parse_line),
    example: "2024-05-01 10:00:00 06[IKE] <con1|62> XAuth authentication of 'alice' failed",
};

static SHAPES: &[(&[u8], Shape)] = &[
    (b"received packet: from ", Read(received)),
    (b"sending packet: from ", Read(sent)),
    (b"XAuth authentication of ", Read(xauth)),
    (b"XAuth pam_authenticate for ", Read(backend)),
    (b"PAM authentication of ", Read(backend_of)),
    (b"RADIUS authentication of ", Read(backend_of)),
    (b"EAP-MS-CHAPv2 verification failed", Takes(eap_failed)),
    (b"EAP-MS-CHAPv2 username: ", Takes(identity)),
    (b"received EAP identity ", Takes(identity)),
    (b"EAP method ", Read(eap_method)),
    (b"EAP authentication failed", Takes(eap_failed)),
    (b"no EAP key found for hosts ", Read(no_eap_key)),
    (b"no shared key found for ", Takes(no_key)),
    (b"no trusted ", Read(untrusted)),
    (b"tried ", Read(mismatched)),
    (b"authentication of ", Read(authentication)),
    (b"signature validation failed", Takes(eap_failed)),
    (b"constraint check failed", Takes(eap_failed)),
    (
        b"received AUTHENTICATION_FAILED notify error",
        Takes(eap_failed),
    ),
    (b"no matching peer config found", Takes(no_config)),
    (b"no IKE config found for ", Read(no_ike_config)),
    (b"deleting half open IKE_SA with ", Read(half_open)),
    (b"IKE_SA ", Read(established)),
    (b"deleting IKE_SA ", Read(deleted)),
    (b"assigning virtual IP ", Read(assigned)),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let Some((connection, text)) = message_of(message.text) else {
        return Verdict::NotMine;
    };
    let verdict = match initiating(text, event) {
        Some(verdict) => verdict,
        None => shape::read(SHAPES, text, event),
    };
    if verdict == Verdict::Event
        && let Some(connection) = connection
    {
        let (name, number) = cut_last(connection, b"|").unwrap_or((&[], connection));
        event.text(Field::SESSION_ID, number);
        if !name.is_empty() {
            event.text(Field::VPN_CONNECTION, name);
        }
    }
    verdict
}

fn parse_line<'a>(
    line: &'a [u8],
    context: &'a Context,
    _arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let stamp = timestamp::iso(line, context).filter(|_| line.get(10) == Some(&b' '));
    let Some((time, text)) = stamp.and_then(|(time, rest)| Some((time, rest.strip_prefix(b" ")?)))
    else {
        return Verdict::NotMine;
    };
    let text = trim_end(text);
    if message_of(text).is_none() {
        return Verdict::NotMine;
    }
    event.time = Some(time);
    event.text(Field::MESSAGE, text);
    event.text(Field::PROCESS_NAME, b"charon");
    let own = event.values().len();
    let message = Message {
        program: b"charon",
        text,
    };
    let verdict = parse(message, event);
    if verdict != Verdict::Event {
        event.truncate(own);
    }
    verdict
}

/// `06[IKE] <con1|62> text`: thread and group, then connection and number.
fn message_of(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let digits = text.iter().take_while(|&&b| digit(b).is_some()).count();
    if !(1..=4).contains(&digits) {
        return None;
    }
    let (group, rest) = cut(text.get(digits..)?.strip_prefix(b"[")?, b"] ")?;
    if !(3..=4).contains(&group.len()) || !group.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    match rest.strip_prefix(b"<").and_then(|rest| cut(rest, b"> ")) {
        Some((connection, rest)) => Some((Some(connection), rest)),
        None => Some((None, rest)),
    }
}

fn set_ip(event: &mut Event<'_>, field: Field, text: &[u8]) -> Result<(), &'static str> {
    let ip = ip(text).ok_or("not an address")?;
    event.set(field, Value::Ip(ip));
    Ok(())
}

/// `A is initiating an IKE_SA`, `A is initiating a Main Mode IKE_SA`.
fn initiating<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<Verdict> {
    let (address, rest) = cut(text, b" is initiating a")?;
    if !rest.ends_with(b"IKE_SA") || address.contains(&b' ') {
        return None;
    }
    say(event, "vpn_connection", "unknown", "network");
    Some(match set_ip(event, Field::SOURCE_IP, address) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    })
}

/// `A[P] to B[P] (N bytes)`.
fn packet<'a>(
    text: &'a [u8],
    [from_ip, from_port, to_ip, to_port]: [Field; 4],
    event: &mut Event<'a>,
) -> Result<(), &'static str> {
    let (from, rest) = cut(text, b" to ").ok_or("no to")?;
    let (to, _) = cut(rest, b" (").ok_or("no size")?;
    for (end, ip_field, port_field) in [(from, from_ip, from_port), (to, to_ip, to_port)] {
        let (address, number) = end
            .strip_suffix(b"]")
            .and_then(|end| cut(end, b"["))
            .ok_or("no port")?;
        set_ip(event, ip_field, address)?;
        let port = port(number).ok_or("not a port")?;
        event.set(port_field, Value::Int(i64::from(port)));
    }
    Ok(())
}

fn received<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "ike_packet", "unknown", "network");
    event.text(Field::NETWORK_DIRECTION, b"inbound");
    let fields = [
        Field::SOURCE_IP,
        Field::SOURCE_PORT,
        Field::DESTINATION_IP,
        Field::DESTINATION_PORT,
    ];
    packet(text, fields, event)
}

fn sent<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "ike_packet", "unknown", "network");
    event.text(Field::NETWORK_DIRECTION, b"outbound");
    let fields = [
        Field::DESTINATION_IP,
        Field::DESTINATION_PORT,
        Field::SOURCE_IP,
        Field::SOURCE_PORT,
    ];
    packet(text, fields, event)
}

/// `'U' verdict…`: the name is what lies before the last `' `.
fn named_verdict<'a>(
    text: &'a [u8],
    action: &'static str,
    event: &mut Event<'a>,
) -> Result<(), &'static str> {
    let (user, verdict) = cut_last(text, b"' ").ok_or("no user in quotes")?;
    let outcome = if verdict.starts_with(b"failed") {
        "failure"
    } else if verdict.starts_with(b"success") {
        "success"
    } else {
        return Err("neither success nor failure");
    };
    say(event, action, outcome, "authentication");
    set_user(user.strip_prefix(b"'").ok_or("no user in quotes")?, event);
    if let Some((_, reason)) = cut(verdict, b": ") {
        event.text(Field::EVENT_REASON, reason);
    }
    Ok(())
}

fn xauth<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    named_verdict(text, "vpn_login", event)
}

/// A step of a login whose end has a line of its own.
fn backend<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    named_verdict(text, "vpn_authentication", event)
}

fn backend_of<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    named_verdict(text, "vpn_authentication", event)
}

fn eap_failed<'a>(text: &'a [u8], event: &mut Event<'a>) {
    say(event, "vpn_login", "failure", "authentication");
    let reason = text.strip_prefix(b", ").unwrap_or(text);
    if !reason.is_empty() {
        event.text(Field::EVENT_REASON, reason);
    }
}

/// What a peer says it is, before anything is proved.
fn identity<'a>(text: &'a [u8], event: &mut Event<'a>) {
    say(event, "vpn_identity", "unknown", "authentication");
    set_user(unquoted(text), event);
}

/// `EAP_MSCHAPV2 succeeded, MSK established`, `EAP_MSCHAPV2 failed for peer U`.
fn eap_method<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (method, rest) = cut(text, b" ").ok_or("no verdict")?;
    let outcome = if rest.starts_with(b"succeeded") {
        "success"
    } else {
        "failure"
    };
    say(event, "vpn_authentication", outcome, "authentication");
    event.text(Field::EVENT_REASON, method);
    if let Some(user) = rest.strip_prefix(b"failed for peer ") {
        set_user(user, event);
    } else if !rest.starts_with(b"succeeded") {
        return Err(ANOTHER);
    }
    Ok(())
}

/// `'SERVER' - 'U'`.
fn no_eap_key<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "vpn_authentication", "failure", "authentication");
    event.text(Field::EVENT_REASON, b"invalid user");
    let (_, user) = cut(text, b"' - '").ok_or("no two hosts")?;
    set_user(user.strip_suffix(b"'").ok_or("no end of the user")?, event);
    Ok(())
}

/// `'SERVER' - 'U'`, or `'U'` alone.
fn no_key<'a>(text: &'a [u8], event: &mut Event<'a>) {
    say(event, "vpn_login", "failure", "authentication");
    event.text(Field::EVENT_REASON, b"no shared key");
    let user = cut(text, b"' - '").map_or(text, |(_, user)| user);
    let user = user.strip_suffix(b"'").unwrap_or(user);
    set_user(user.strip_prefix(b"'").unwrap_or(user), event);
}

/// `RSA public key found for 'U'`.
fn untrusted<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (_, user) = cut(text, b" public key found for ").ok_or(ANOTHER)?;
    say(event, "vpn_login", "failure", "authentication");
    event.text(Field::EVENT_REASON, b"no trusted public key");
    set_user(unquoted(user), event);
    Ok(())
}

/// `2 shared keys for 'SERVER' - 'U', but MAC mismatched`.
fn mismatched<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let pair = text.strip_suffix(b", but MAC mismatched").ok_or(ANOTHER)?;
    let (_, user) = cut(pair, b"' - '").ok_or("no two hosts")?;
    say(event, "vpn_login", "failure", "authentication");
    event.text(Field::EVENT_REASON, b"MAC mismatched");
    set_user(user.strip_suffix(b"'").ok_or("no end of the user")?, event);
    Ok(())
}

/// `'U' with METHOD successful`; what we prove to the peer says `(myself)`.
fn authentication<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (who, verdict) = cut_last(text, b" with ").ok_or("no method")?;
    if who.ends_with(b"' (myself)") {
        return Err(ANOTHER);
    }
    let user = who.strip_suffix(b"'").ok_or("no user in quotes")?;
    let outcome = if verdict.ends_with(b" successful") {
        "success"
    } else if verdict.ends_with(b" failed") {
        "failure"
    } else {
        return Err("neither successful nor failed");
    };
    say(event, "vpn_login", outcome, "authentication");
    set_user(user.strip_prefix(b"'").ok_or("no user in quotes")?, event);
    Ok(())
}

fn no_config<'a>(_: &'a [u8], event: &mut Event<'a>) {
    say(event, "vpn_login", "failure", "authentication");
    event.text(Field::EVENT_REASON, b"no matching peer config");
}

/// `OURS...A, sending NO_PROPOSAL_CHOSEN`.
fn no_ike_config<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "vpn_connection", "failure", "network");
    event.text(Field::EVENT_REASON, b"no IKE config");
    let (pair, _) = cut(text, b", ").ok_or("nothing after the addresses")?;
    let (ours, theirs) = cut(pair, b"...").ok_or("no two addresses")?;
    set_ip(event, Field::SOURCE_IP, theirs)?;
    set_ip(event, Field::DESTINATION_IP, ours)
}

fn half_open<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "vpn_timeout", "failure", "network");
    let address = text.strip_suffix(b" after timeout").ok_or("no timeout")?;
    set_ip(event, Field::SOURCE_IP, address)
}

/// `con1[62] established between OURS[id]...A[id]`.
fn established<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (_, rest) = cut(text, b" established between ").ok_or(ANOTHER)?;
    say(event, "vpn_session_opened", "success", "session");
    between(rest, event)
}

fn deleted<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (_, rest) = cut(text, b" between ").ok_or(ANOTHER)?;
    say(event, "vpn_session_closed", "success", "session");
    between(rest, event)
}

/// `OURS[our id]...A[their id]`: our id is the configuration's, so the first
/// `]...` ends it; theirs runs to the end.
fn between<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (ours, rest) = cut(text, b"[").ok_or("no identity")?;
    let (_, rest) = cut(rest, b"]...").ok_or("no second address")?;
    let (theirs, id) = cut(rest, b"[").ok_or("no second identity")?;
    set_ip(event, Field::SOURCE_IP, theirs)?;
    set_ip(event, Field::DESTINATION_IP, ours)?;
    set_user(
        id.strip_suffix(b"]").ok_or("no end of the identity")?,
        event,
    );
    Ok(())
}

/// `10.8.0.2 to peer 'U'`.
fn assigned<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (address, user) = cut(text, b" to peer ").ok_or("no peer")?;
    say(event, "vpn_address_assigned", "success", "session");
    set_ip(event, Field::VPN_ADDRESS, address)?;
    set_user(unquoted(user), event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_move_no_address() {
        let fields = [
            Field::EVENT_ACTION,
            Field::EVENT_OUTCOME,
            Field::USER_NAME,
            Field::SOURCE_IP,
            Field::DESTINATION_IP,
        ];
        for (text, expected) in [
            (
                "06[NET] <con1|62> received packet: from 192.0.2.7[4500] to 203.0.113.1[4500] (144 bytes)",
                "ike_packet|unknown|-|192.0.2.7|203.0.113.1",
            ),
            (
                "06[NET] <62> sending packet: from 203.0.113.1[4500] to 192.0.2.7[4500] (144 bytes)",
                "ike_packet|unknown|-|192.0.2.7|203.0.113.1",
            ),
            (
                "06[IKE] <con1|62> XAuth authentication of 'x' successful' failed",
                "vpn_login|failure|x' successful|-|-",
            ),
            (
                "06[IKE] <con1|62> IKE_SA con1[62] established between 203.0.113.1[vpn.example]...192.0.2.7[x]...198.51.100.1[y]",
                "vpn_session_opened|success|x]...198.51.100.1[y|192.0.2.7|203.0.113.1",
            ),
            (
                "06[IKE] <62> 192.0.2.7 is initiating an IKE_SA",
                "vpn_connection|unknown|-|192.0.2.7|-",
            ),
            (
                "06[JOB] <62> deleting half open IKE_SA with 192.0.2.7 after timeout",
                "vpn_timeout|failure|-|192.0.2.7|-",
            ),
            (
                "06[IKE] <con1|62> authentication of 'alice' with EAP successful",
                "vpn_login|success|alice|-|-",
            ),
        ] {
            assert_eq!(
                shape::shown(&FORMAT, "charon", text, &fields),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
        let ours = "06[IKE] <62> authentication of 'vpn.example' (myself) with RSA successful";
        assert_eq!(
            shape::shown(&FORMAT, "charon", ours, &[]).0,
            Verdict::NotMine
        );
    }
}
