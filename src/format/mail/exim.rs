//! Exim: its main and reject logs, and the same lines in syslog.
//!
//! A host is `[NAME ][(HELO) ][ADDRESS][:PORT]`: the name is from the DNS, the
//! greeting is the client's, and by default has no blank or bracket
//! (`helo_allow_chars`). Where one has, there must be only one address.

use super::lines::EXIM;
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::format::endpoint::{
    ANOTHER, Outcome, Shape, bracketed, by_beginning, cut_only, named, pid, set_destination,
    set_source, verdict,
};
use crate::format::envelope::own::after_message_id;
use crate::format::timestamp::iso_civil;
use crate::format::token::{Host, Peer, cut, cut_last, ip, number, say, trim_start};
use crate::format::{Format, Message, Parser, Verdict};

pub(in crate::format) static FORMAT: Format = Format {
    name: "exim",
    about: "Exim: smtp_login, smtp_connection, smtp_disconnect, smtp_reject, smtp_protocol_error, mail_received",
    programs: &["exim", "exim4"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["exim", "mail", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "2024-05-01 10:00:00 login authenticator failed for mail.example (User) [192.0.2.7]:50022: 535 Incorrect authentication data (set_id=alice)",
};

static SHAPES: &[Shape] = &[
    (b"H=", rejected),
    (b"F=", rejected_late),
    (b"<= ", received),
    (b"=> ", delivered),
    (b"-> ", delivered),
    (b"** ", not_delivered),
    (b"== ", not_delivered),
    (b"SMTP protocol error in \"", protocol_error),
    (b"SMTP syntax error in \"", protocol_error),
    (
        b"SMTP protocol violation: synchronization error (",
        synchronization,
    ),
    (b"SMTP protocol synchronization error (", synchronization),
    (b"SMTP connection from ", connection),
    (b"SMTP call from ", abuse),
    (b"SMTP command timeout on connection from ", abuse),
    (b"SMTP command timeout on TLS connection from ", abuse),
    (
        b"SMTP data timeout (message abandoned) on connection from ",
        abuse,
    ),
    (b"TLS error on connection from ", abuse),
    (b"no MAIL in SMTP connection from ", abuse),
    (
        b"unexpected disconnection while reading SMTP command from ",
        abuse,
    ),
    (b"rejected EHLO from ", abuse),
    (b"rejected HELO from ", abuse),
    (b"rejected VRFY from ", abuse),
    (b"rejected EXPN from ", abuse),
    (b"VRFY failed for ", asked_for),
    (b"EXPN failed for ", asked_for),
    (b"refused connection from ", abuse),
    (b"Connection from ", abuse),
    (b"no host name found for IP address ", no_name),
    (b"no IP address found for host ", no_address),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = without_stamp(message.text);
    let text = match pid(text) {
        Some((pid, rest)) => {
            event.replace(Field::PROCESS_PID, Value::Int(pid));
            rest
        }
        None => text,
    };
    let rest = after_message_id(text).unwrap_or(text);
    if let Some((method, rest)) = cut(rest, b" ")
        && let Some(rest) = rest.strip_prefix(b"authenticator failed for ")
    {
        return verdict(failed(method, rest, event));
    }
    match by_beginning(SHAPES, rest, event) {
        Verdict::NotMine => EXIM.read(rest, event),
        read => read,
    }
}

/// The text without the stamp that exim also writes to syslog, if so told
/// (`syslog_timestamp`), with the decimals and the zone of its own file.
fn without_stamp(text: &[u8]) -> &[u8] {
    let read = || {
        let (_, rest) = iso_civil(text).filter(|_| text.get(10) == Some(&b' '))?;
        let rest = rest.strip_prefix(b" ")?;
        let zoned = match rest {
            [b'+' | b'-', zone @ ..] => cut(zone, b" "),
            _ => None,
        };
        let is_zone = |zone: &[u8]| zone.len() == 4 && number(zone).is_some();
        Some(match zoned {
            Some((zone, rest)) if is_zone(zone) => rest,
            _ => rest,
        })
    };
    read().unwrap_or(text)
}

/// A host, and what follows it.
type Client<'a> = (Option<Host<'a>>, Peer, &'a [u8]);

fn host(text: &[u8]) -> Result<Client<'_>, &'static str> {
    let (name, rest) = if matches!(text.first(), Some(b'[' | b'(')) {
        (None, text)
    } else {
        let (name, rest) = cut(text, b" ").ok_or("no host")?;
        (Some(Host::read(name).ok_or("not a host's name")?), rest)
    };
    let rest = match rest.strip_prefix(b"(") {
        Some(rest) => after_greeting(rest)?,
        None => rest,
    };
    let (peer, rest) = bracketed(rest).ok_or("no address of the host")?;
    if !matches!(rest, [] | [b' ' | b':' | b',', ..]) {
        return Err("more after the host's address");
    }
    Ok((name, peer, rest))
}

/// What follows `HELO) `, the address in its brackets. Another address after
/// such a bracket, further on, makes the line ambiguous: with
/// `helo_accept_junk_hosts` it could be the true one.
fn after_greeting(text: &[u8]) -> Result<&[u8], &'static str> {
    let mut found: Option<(Peer, &[u8])> = None;
    for at in memchr::memmem::find_iter(text, b") [") {
        let rest = text.get(at + 2..).unwrap_or_default();
        let Some((peer, _)) = bracketed(rest) else {
            continue;
        };
        match found {
            None => found = Some((peer, rest)),
            Some((first, _)) if first.ip == peer.ip => {}
            Some(_) => return Err("more than one address that could be meant"),
        }
    }
    found.map(|(_, rest)| rest).ok_or("no address of the host")
}

/// Sets the host and, where it is told, the address that was connected to;
/// gives what follows.
fn set_host<'a>(client: Client<'a>, event: &mut Event<'a>) -> &'a [u8] {
    let (name, peer, rest) = client;
    set_source(name, peer, event);
    if let Some((here, rest)) = rest.strip_prefix(b" I=").and_then(bracketed) {
        set_destination(here, event);
        return rest;
    }
    rest
}

/// `[H=]HOST[ U=IDENT]: 535 Incorrect authentication data[ (set_id=USER)][: WHY]`.
fn failed<'a>(method: &'a [u8], rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let client = host(rest.strip_prefix(b"H=").unwrap_or(rest))?;
    say(event, "smtp_login", "failure", "authentication");
    event.text(Field::AUTH_METHOD, method);
    let rest = set_host(client, event);
    let (_, reason) = cut(rest, b": ").ok_or("no reason")?;
    let reason = match cut(reason, b" (set_id=") {
        Some((reason, user)) => {
            let user = match user.strip_suffix(b")") {
                Some(user) => user,
                None => cut_only(user, b"): ").ok_or("no end of the user's name")?.0,
            };
            event.text(Field::USER_NAME, user);
            reason
        }
        None => reason,
    };
    event.text(Field::EVENT_REASON, reason);
    Ok(())
}

/// `HOST[ …] rejected RCPT <TO>: REASON` and what else a host is refused.
fn rejected<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let client = host(rest)?;
    let words = after_fields(client.2);
    let refusal = words.strip_prefix(b"temporarily ").unwrap_or(words);
    let refused = [
        &b"rejected "[..],
        b"sender verify fail for ",
        b"dropped by ",
        b"dropped: ",
        b"incomplete transaction",
        b"refused: ",
    ]
    .iter()
    .any(|verb| refusal.starts_with(verb));
    if !refused {
        return Err(ANOTHER);
    }
    say(event, "smtp_reject", "failure", "email");
    if let Some(what) = refusal.strip_prefix(b"rejected RCPT ")
        && let Some((to, _)) = recipient(what)
    {
        // The mailbox that was tried is the account that was asked for.
        event.text(Field::EMAIL_TO, to);
        event.text(Field::USER_NAME, to);
    }
    event.text(Field::EVENT_REASON, words);
    set_host(client, event);
    Ok(())
}

/// `<TO>: REASON`, `TO: REASON`: one that could end in two places is not told.
fn recipient(what: &[u8]) -> Option<(&[u8], &[u8])> {
    match what.strip_prefix(b"<") {
        Some(what) => cut_only(what, b">: "),
        None => cut(what, b": "),
    }
}

/// What follows the fields of a line: ` I=…`, ` X=…`, ` CV=no`, ` DN="…"`, ` F=<…>`.
fn after_fields(text: &[u8]) -> &[u8] {
    let mut text = trim_start(text);
    while let Some((key, value)) = cut(text, b"=")
        && (1..=5).contains(&key.len())
        && key.iter().all(u8::is_ascii_alphanumeric)
    {
        let end = match value.first() {
            Some(b'<') => &b"> "[..],
            Some(b'"') => b"\" ",
            _ => b" ",
        };
        let Some((_, rest)) = cut(value, end) else {
            return text;
        };
        text = trim_start(rest);
    }
    text
}

/// `SENDER H=HOST … rejected by local_scan(): …`.
fn rejected_late<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, rest) = cut_only(rest, b" H=").ok_or("no single host")?;
    rejected(rest, event)
}

/// `SENDER[ R=ID] H=HOST[ I=…] … [A=METHOD:USER ]S=N …`; without `H=` the mail
/// is of the machine itself.
fn received<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (sender, rest) = cut(rest, b" ").ok_or("nothing after the sender")?;
    if sender.starts_with(b"\"") {
        return Err("a sender in quotes, which may hold blanks");
    }
    let rest = match rest.strip_prefix(b"R=") {
        Some(rest) => cut(rest, b" ").ok_or("nothing after the bounce's id")?.1,
        None => rest,
    };
    if let Some((user, _)) = rest.strip_prefix(b"U=").and_then(|rest| cut(rest, b" ")) {
        // Mail of the machine's own users: exim asks the kernel who they are.
        say(event, "mail_received", "success", "email");
        event.text(Field::USER_NAME, user);
        if sender != b"<>" {
            event.text(Field::EMAIL_FROM, sender);
        }
        return Ok(());
    }
    let Some(rest) = rest.strip_prefix(b"H=") else {
        return Err(ANOTHER);
    };
    let client = host(rest)?;
    let after = client.2;
    let login = cut_only(after, b" A=").and_then(|(_, login)| cut(login, b" "));
    let login = login.and_then(|(login, _)| cut(login, b":"));
    match login {
        Some((method, user)) => {
            say(event, "smtp_login", "success", "authentication");
            event.text(Field::AUTH_METHOD, method);
            event.text(Field::USER_NAME, user);
        }
        None => say(event, "mail_received", "success", "email"),
    }
    if sender != b"<>" {
        event.text(Field::EMAIL_FROM, sender);
    }
    let rest = set_host(client, event);
    let rest = match rest.strip_prefix(b" U=").and_then(|rest| cut(rest, b" ")) {
        // The ident is the client's word, without blanks.
        Some((_, rest)) => rest,
        None => trim_start(rest),
    };
    if let Some((protocol, _)) = rest.strip_prefix(b"P=").and_then(|rest| cut(rest, b" ")) {
        event.text(Field::NETWORK_PROTOCOL, protocol);
    }
    Ok(())
}

/// `RECIPIENT … H=NAME [ADDRESS]:PORT …`: what the other side answered stands
/// at the end, and may look like a host too.
fn delivery<'a>(rest: &'a [u8], outcome: &'static str, event: &mut Event<'a>) -> Outcome {
    let (_, host) = cut_only(rest, b" H=").ok_or(ANOTHER)?;
    let (_, peer, _) = named(host).ok_or("no address of the host")?;
    say(event, "mail_delivery", outcome, "email");
    set_destination(peer, event);
    Ok(())
}

fn delivered<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    delivery(rest, "success", event)
}

fn not_delivered<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    delivery(rest, "failure", event)
}

/// `NAME H=HOST`: who the client asked for.
fn asked_for<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, rest) = cut_only(rest, b" H=").ok_or("no single host")?;
    abuse(rest, event)
}

/// `COMMAND" H=HOST[ FIELDS] WORDS`: the command is the client's, and may hold
/// quotes; the host is the last one, and only fields stand between it and the words.
fn protocol_error<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, rest) = cut_last(rest, b"\" H=").ok_or("no host")?;
    let client = host(rest)?;
    say(event, "smtp_protocol_error", "failure", "network");
    let rest = set_host(client, event);
    let mut words = rest.split(|&b| b == b' ').filter(|word| !word.is_empty());
    let words = words.find(|word| !word.contains(&b'='));
    if !matches!(words, Some(word) if word.iter().all(u8::is_ascii_alphabetic)) {
        return Err("more after the host's address");
    }
    Ok(())
}

/// `…): rejected connection from H=HOST input="…"`, `…): rejected "COMMAND"
/// H=HOST next input="…"`: text of the client's on both sides.
fn synchronization<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, rest) = cut(rest, b"): rejected ").ok_or("nothing was rejected")?;
    let rest = match rest.strip_prefix(b"connection from H=") {
        Some(rest) => rest,
        None => cut_only(rest, b" H=").ok_or("no single host")?.1,
    };
    let client = host(rest)?;
    say(event, "smtp_protocol_error", "failure", "network");
    set_host(client, event);
    Ok(())
}

/// `HOST closed by QUIT`, `HOST closed by DROP in ACL`, `HOST lost`, `HOST (TCP/IP …)`.
fn connection<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let client = host(rest)?;
    let after = client.2;
    let ends = |words: &[u8]| memchr::memmem::find(after, words).is_some();
    let (action, outcome, category) = if ends(b" closed by DROP") {
        ("smtp_reject", "failure", "network")
    } else if ends(b" (TCP/IP connection count") {
        ("smtp_connection", "unknown", "network")
    } else if ends(b" closed by QUIT") {
        ("smtp_disconnect", "unknown", "session")
    } else {
        ("smtp_protocol_error", "failure", "network")
    };
    say(event, action, outcome, category);
    set_host(client, event);
    Ok(())
}

/// `HOST …`.
fn abuse<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let client = host(rest)?;
    say(event, "smtp_protocol_error", "failure", "network");
    set_host(client, event);
    Ok(())
}

/// `ADDRESS`.
fn no_name<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let address = ip(rest).ok_or("no address")?;
    say(event, "smtp_name_mismatch", "failure", "network");
    Peer {
        ip: Some(address),
        port: None,
    }
    .set(event);
    Ok(())
}

/// `NAME (during SMTP connection from HOST)`.
fn no_address<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, rest) = cut_only(rest, b" (during SMTP connection from ").ok_or(ANOTHER)?;
    let rest = rest.strip_suffix(b")").ok_or("no end of the host")?;
    let client = host(rest)?;
    say(event, "smtp_name_mismatch", "failure", "network");
    set_host(client, event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::endpoint::shown;

    #[test]
    fn a_greeting_moves_no_address() {
        for (text, expected) in [
            (
                "login authenticator failed for a.example ([198.51.100.1]) [192.0.2.7]:22: 535 Incorrect authentication data (set_id=a)",
                "smtp_login|failure|a|192.0.2.7|22",
            ),
            (
                "H=(h) [192.0.2.7] F=<a@b> rejected RCPT <c@d>: no",
                "smtp_reject|failure|c@d|192.0.2.7|-",
            ),
        ] {
            let (verdict, got) = shown(parse, "exim", text);
            assert_eq!(
                (verdict, got.as_str()),
                (Verdict::Event, expected),
                "{text}"
            );
        }
    }

    #[test]
    fn junk_greetings_with_addresses_are_no_event() {
        let text = "login authenticator failed for (x) [198.51.100.1]: y) [192.0.2.7]: 535 Incorrect authentication data";
        assert!(
            matches!(shown(parse, "exim", text).0, Verdict::Malformed(_)),
            "{text}"
        );
    }
}
