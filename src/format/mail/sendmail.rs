//! sendmail: logins, rejections, probes.
//!
//! `RELAY` is `[NAME ][ADDRESS][ (may be forged)]`. It stands first or last;
//! where the client's text is on both sides, it must be the only one.

use super::lines::SENDMAIL;
use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::format::endpoint::{
    ANOTHER, Outcome, Shape, by_beginning, cut_only, named, set_source, verdict,
};
use crate::format::token::{Host, Peer, cut, cut_last, say, trim_end, trim_start};
use crate::format::{Format, Message, Parser, Verdict};

pub(in crate::format) static FORMAT: Format = Format {
    name: "sendmail",
    about: "sendmail: smtp_login, smtp_reject, smtp_protocol_error, mail_received",
    programs: &[
        "sendmail",
        "sm-mta",
        "sm-msp-queue",
        "sm-msa",
        "sm-acceptingconnections",
        "sm-que",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["sendmail", "mail", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 mail1 sm-mta[812]: 24NNwaRl065696: AUTH failure (LOGIN): authentication failure (-13) SASL(-13): authentication failure: checkpass failed, user=alice, relay=mail.example [192.0.2.7]",
};

static SHAPES: &[Shape] = &[
    (b"AUTH failure (", failure),
    (b"AUTH=server, relay=", success),
    (b"ruleset=", ruleset),
    (b"rejecting commands from ", rejecting),
    (b"lost input channel from ", lost),
    (b"timeout waiting for input from ", lost),
    (b"from=", received),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = message.text;
    let rest = match cut(text, b": ") {
        Some((b"NOQUEUE", rest)) => rest,
        Some((id, rest))
            if (14..=15).contains(&id.len()) && id.iter().all(u8::is_ascii_alphanumeric) =>
        {
            rest
        }
        _ => text,
    };
    let read = match by_beginning(SHAPES, rest, event) {
        Verdict::NotMine => verdict(relay_first(rest, event)),
        read => read,
    };
    match read {
        Verdict::NotMine => SENDMAIL.read(rest, event),
        read => read,
    }
}

/// A relay, and what follows it.
fn relay(text: &[u8]) -> Option<(Option<Host<'_>>, Peer, &[u8])> {
    let (name, peer, rest) = named(trim_start(text))?;
    Some((
        name,
        peer,
        rest.strip_prefix(b" (may be forged)").unwrap_or(rest),
    ))
}

/// A relay that is all of the text.
fn only_relay(text: &[u8]) -> Option<(Option<Host<'_>>, Peer)> {
    let (name, peer, rest) = relay(text)?;
    trim_end(rest).is_empty().then_some((name, peer))
}

/// `MECHANISM): WORDS[, user=USER], relay=RELAY`.
fn failure<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (method, rest) = cut(rest, b"): ").ok_or("no SASL mechanism")?;
    let (head, tail) = cut_last(rest, b", relay=").ok_or("no relay=")?;
    let (name, peer) = only_relay(tail).ok_or("no address of the relay")?;
    say(event, "smtp_login", "failure", "authentication");
    event.text(Field::AUTH_METHOD, method);
    // The reason may quote the user's name.
    let (reason, user) = match cut_only(head, b", user=") {
        Some((reason, user)) => (reason, Some(user)),
        None => (head, None),
    };
    event.text(Field::EVENT_REASON, reason);
    if let Some(user) = user {
        event.text(Field::USER_NAME, user);
    }
    set_source(name, peer, event);
    Ok(())
}

/// `RELAY, authid=USER, mech=M, bits=N`.
fn success<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer, rest) = relay(rest).ok_or("no address of the relay")?;
    let rest = rest.strip_prefix(b", authid=").ok_or("no authid=")?;
    let (user, rest) = cut_last(rest, b", mech=").ok_or("no mech=")?;
    say(event, "smtp_login", "success", "authentication");
    event.text(Field::USER_NAME, user);
    event.text(
        Field::AUTH_METHOD,
        cut(rest, b",").map_or(rest, |(method, _)| method),
    );
    set_source(name, peer, event);
    Ok(())
}

/// `check_rcpt, arg1=<TO>, [arg2=…, ]relay=RELAY, reject=CODE WORDS`.
fn ruleset<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (rule, rest) = cut(rest, b", arg1=").ok_or("no arg1=")?;
    let mut found = None;
    for at in memchr::memmem::find_iter(rest, b", relay=") {
        let (head, tail) = rest.split_at_checked(at).ok_or("no relay=")?;
        let tail = tail.get(b", relay=".len()..).unwrap_or_default();
        let Some((name, peer, after)) = relay(tail) else {
            continue;
        };
        let Some(reason) = after.strip_prefix(b", reject=") else {
            continue;
        };
        if found.is_some() {
            return Err("more than one relay= that could be meant");
        }
        found = Some((head, name, peer, reason));
    }
    let (head, name, peer, reason) = found.ok_or("no address of the relay")?;
    say(event, "smtp_reject", "failure", "email");
    if rule == b"check_rcpt"
        && let Some(recipient) = head
            .strip_prefix(b"<")
            .and_then(|head| head.strip_suffix(b">"))
    {
        event.text(Field::EMAIL_TO, recipient);
    }
    event.text(Field::EVENT_REASON, reason);
    set_source(name, peer, event);
    Ok(())
}

/// `RELAY due to pre-greeting traffic after N seconds`.
fn rejecting<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer, rest) = relay(rest).ok_or("no address of the relay")?;
    rest.strip_prefix(b" due to ").ok_or(ANOTHER)?;
    said(name, peer, "smtp_protocol_error", event);
    Ok(())
}

/// `RELAY to DAEMON after COMMAND`.
fn lost<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer, _) = relay(rest).ok_or("no address of the relay")?;
    said(name, peer, "smtp_protocol_error", event);
    Ok(())
}

/// `<SENDER>, size=N, …, relay=RELAY`: the relay is last.
fn received<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (head, tail) = cut_last(rest, b", relay=").ok_or(ANOTHER)?;
    // Mail of the machine's own users has the user there: `relay=root@localhost`.
    let (name, peer) = only_relay(tail).ok_or(ANOTHER)?;
    say(event, "mail_received", "unknown", "email");
    if let Some((sender, _)) = head
        .strip_prefix(b"<")
        .and_then(|head| cut_only(head, b">, size="))
    {
        event.text(Field::EMAIL_FROM, sender);
    }
    set_source(name, peer, event);
    Ok(())
}

/// `RELAY: possible SMTP attack: …`, `RELAY: EXPN USER [rejected]`, `RELAY did
/// not issue …`.
fn relay_first<'a>(text: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer, rest) = relay(text).ok_or(ANOTHER)?;
    if rest.starts_with(b": possible SMTP attack: command=AUTH") {
        said(name, peer, "smtp_max_attempts", event);
    } else if rest.starts_with(b": possible SMTP attack: ")
        || rest.starts_with(b" did not issue MAIL/EXPN/VRFY/ETRN")
    {
        said(name, peer, "smtp_protocol_error", event);
    } else if let Some(command) = rest
        .strip_prefix(b": ")
        .and_then(|rest| rest.strip_suffix(b" [rejected]"))
    {
        let (_, user) = cut(command, b" ").ok_or("no name that was asked for")?;
        say(event, "smtp_reject", "failure", "email");
        event.text(Field::EMAIL_TO, user);
        set_source(name, peer, event);
    } else {
        return Err(ANOTHER);
    }
    Ok(())
}

fn said<'a>(name: Option<Host<'a>>, peer: Peer, action: &'static str, event: &mut Event<'a>) {
    let category = if action == "smtp_max_attempts" {
        "authentication"
    } else {
        "network"
    };
    say(event, action, "failure", category);
    set_source(name, peer, event);
}
