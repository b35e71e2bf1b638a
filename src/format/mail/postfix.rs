//! Postfix: smtpd of every instance and service, and postscreen.
//!
//! The client is `NAME[ADDRESS]`, with a name that Postfix has checked to be
//! one. It stands before all that the client says, so it is read from the left.

use super::lines::{POSTFIX, POSTFIX_VERDICTS};
use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::format::endpoint::{
    ANOTHER, Outcome, Shape, by_beginning, cut_only, named, set_destination, set_source, verdict,
    whole,
};
use crate::format::token::{Host, Peer, cut, ip, number, say, trim_end};
use crate::format::{Format, Message, Parser, Verdict};

pub(in crate::format) static FORMAT: Format = Format {
    name: "postfix",
    about: "Postfix smtpd and postscreen: smtp_login, smtp_connection, smtp_disconnect, smtp_reject, smtp_protocol_error",
    programs: &["postfix"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["postfix", "mail", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 mail1 postfix/smtpd[812]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: authentication failure",
};

static SHAPES: &[Shape] = &[
    (b"connect from ", connect),
    (b"disconnect from ", disconnect),
    (b"lost connection after ", after_command),
    (b"timeout after ", after_command),
    (b"too many errors after ", after_command),
    (b"improper command pipelining after ", after_command),
    (b"SSL_accept error from ", from),
    (b"non-SMTP command from ", from),
    (b"Illegal address syntax from ", from),
    (b"hostname ", mismatch),
    (b"Connection rate limit exceeded: ", after_count),
    (b"Connection concurrency limit exceeded: ", after_count),
    (
        b"Message delivery request rate limit exceeded: ",
        after_count,
    ),
    (b"New TLS session rate limit exceeded: ", after_count),
    (b"Recipient address rate limit exceeded: ", after_count),
    (b"AUTH command rate limit exceeded: ", after_count),
    (b"reject: ", reject),
    (b"milter-reject: ", reject),
    (b"reject_warning: ", reject),
    (b"client=", client),
    (b"CONNECT from ", screen_connect),
    (b"DISCONNECT ", screen_disconnect),
    (b"PREGREET ", screen_after),
    (b"HANGUP ", screen_after),
    (b"COMMAND TIME LIMIT from ", from),
    (b"COMMAND COUNT LIMIT from ", from),
    (b"COMMAND LENGTH LIMIT from ", from),
    (b"COMMAND PIPELINING from ", from),
    (b"NON-SMTP COMMAND from ", from),
    (b"BARE NEWLINE from ", from),
    (b"DNSBL rank ", rank),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = message.text;
    let text = text.strip_prefix(b"warning: ").unwrap_or(text);
    let rest = after_queue_id(text).unwrap_or(text);
    let read = match by_beginning(SHAPES, rest, event) {
        Verdict::NotMine => sasl(text, event),
        read => read,
    };
    if read != Verdict::NotMine {
        return read;
    }
    let found = POSTFIX_VERDICTS
        .iter()
        .find_map(|(verb, outcome)| Some((rest.strip_prefix(*verb)?, *outcome)));
    match found {
        Some((rest, outcome)) => verdict(checked(rest, outcome, event)),
        None => POSTFIX.read(rest, event),
    }
}

/// `NOQUEUE: ` or a queue id: hexadecimal, or the long form of 52 letters that
/// begins with the time. `reject: ` and `statistics: ` are none.
fn after_queue_id(text: &[u8]) -> Option<&[u8]> {
    let (id, rest) = cut(text, b": ")?;
    let sound = (6..=20).contains(&id.len())
        && id.iter().all(u8::is_ascii_alphanumeric)
        && !id.iter().all(u8::is_ascii_lowercase);
    sound.then_some(rest)
}

/// A client at the beginning, and what follows.
fn client_at(text: &[u8]) -> Result<(Option<Host<'_>>, Peer, &[u8]), &'static str> {
    // A client that hung up before it could be asked, and a local socket.
    if text.starts_with(b"unknown[unknown]") || text.starts_with(b"localhost[unix:") {
        return Err(ANOTHER);
    }
    let (name, peer, rest) = named(text).ok_or("no name and address of the client")?;
    // A word that goes on is not the client's end.
    if !matches!(rest, [] | [b' ' | b':' | b';' | b',', ..]) {
        return Err("more after the client's address");
    }
    Ok((name, peer, rest))
}

fn connect<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer, _) = client_at(rest)?;
    say(event, "smtp_connection", "unknown", "network");
    set_source(name, peer, event);
    Ok(())
}

/// `CLIENT[ ehlo=1 auth=0/1 quit=1 commands=2/3]`: a login that failed is said
/// again as `auth=0/1`.
fn disconnect<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer, rest) = client_at(rest)?;
    let auth = rest
        .split(|&b| b == b' ')
        .find_map(|word| word.strip_prefix(b"auth="));
    let failed = auth.and_then(|auth| cut(auth, b"/")).is_some();
    let outcome = if failed { "failure" } else { "unknown" };
    say(event, "smtp_disconnect", outcome, "session");
    if failed {
        event.text(Field::EVENT_REASON, b"authentication failed");
    }
    set_source(name, peer, event);
    Ok(())
}

/// `COMMAND[ (N bytes)] from CLIENT[: DATA]`: the command is one of Postfix's own list.
fn after_command<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, rest) = cut(rest, b" from ").ok_or("no client")?;
    from(rest, event)
}

fn from<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer, _) = client_at(rest)?;
    say(event, "smtp_protocol_error", "failure", "network");
    set_source(name, peer, event);
    Ok(())
}

/// `N from CLIENT for service S`.
fn after_count<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (count, rest) = cut(rest, b" from ").ok_or("no client")?;
    number(count).ok_or("the rate is no number")?;
    let (name, peer, _) = client_at(rest)?;
    say(event, "smtp_rate_limit", "failure", "network");
    set_source(name, peer, event);
    Ok(())
}

/// `NAME does not resolve to address ADDRESS[: REASON]`.
fn mismatch<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, rest) = cut(rest, b" does not resolve to address ").ok_or(ANOTHER)?;
    let Some(Host::Name(name)) = Host::read(name) else {
        return Err("not a host's name");
    };
    let address = cut(rest, b": ").map_or(rest, |(address, _)| address);
    let address = ip(address).ok_or("no address")?;
    say(event, "smtp_name_mismatch", "failure", "network");
    set_source(
        Some(Host::Name(name)),
        Peer {
            ip: Some(address),
            port: None,
        },
        event,
    );
    Ok(())
}

/// `STAGE from CLIENT: CODE …; from=<F> to=<T> proto=P helo=<H>`.
fn reject<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    staged(rest, "smtp_reject", "failure", event)
}

/// The same of mail that is held, redirected or only noted.
fn checked<'a>(rest: &'a [u8], outcome: &'static str, event: &mut Event<'a>) -> Outcome {
    staged(rest, "smtp_check", outcome, event)
}

fn staged<'a>(
    rest: &'a [u8],
    action: &'static str,
    outcome: &'static str,
    event: &mut Event<'a>,
) -> Outcome {
    let (stage, rest) = cut(rest, b" from ").ok_or("no client")?;
    if stage.starts_with(b"header ") || stage.starts_with(b"body ") || stage.starts_with(b"mime") {
        // The header is the client's, and the daemon says its name after it.
        return Err(ANOTHER);
    }
    if stage.contains(&b' ') {
        return Err("no stage of the conversation");
    }
    let (name, peer, rest) = client_at(rest)?;
    let rest = rest.strip_prefix(b": ").ok_or("no reason")?;
    say(event, action, outcome, "email");
    // Both addresses and the greeting are the client's: where they could be
    // read in two ways, they are left out.
    let reason = match cut_only(rest, b"; from=<") {
        Some((reason, tail)) => {
            envelope(tail, event);
            reason
        }
        None => rest,
    };
    event.text(Field::EVENT_REASON, reason);
    set_source(name, peer, event);
    Ok(())
}

/// `F>[,] to=<T>[,] proto=…`.
fn envelope<'a>(tail: &'a [u8], event: &mut Event<'a>) {
    let read = || {
        let (sender, rest) = cut_only(tail, b"> to=<").or_else(|| cut_only(tail, b">, to=<"))?;
        let (recipient, _) =
            cut_only(rest, b"> proto=").or_else(|| cut_only(rest, b">, proto="))?;
        Some((sender, recipient))
    };
    if let Some((sender, recipient)) = read() {
        if !sender.is_empty() {
            event.text(Field::EMAIL_FROM, sender);
        }
        event.text(Field::EMAIL_TO, recipient);
    }
}

/// `CLIENT[, sasl_method=M, sasl_username=U][, sasl_sender=…]`.
fn client<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer, rest) = client_at(rest)?;
    let (method, user) = rest
        .strip_prefix(b", sasl_method=")
        .and_then(|rest| cut(rest, b", sasl_username="))
        .ok_or(ANOTHER)?;
    say(event, "smtp_login", "success", "authentication");
    event.text(Field::AUTH_METHOD, method);
    let user = cut(user, b", sasl_sender=").map_or(user, |(user, _)| user);
    event.text(Field::USER_NAME, user);
    set_source(name, peer, event);
    Ok(())
}

/// `CLIENT: SASL M authentication failed: REASON[, sasl_username=U]`.
fn sasl<'a>(text: &'a [u8], event: &mut Event<'a>) -> Verdict {
    let Some((name, peer, rest)) = named(text) else {
        return Verdict::NotMine;
    };
    let Some((method, rest)) = rest
        .strip_prefix(b": SASL ")
        .and_then(|rest| cut(rest, b" authentication failed:"))
    else {
        return Verdict::NotMine;
    };
    if method.contains(&b' ') {
        return Verdict::Malformed("no SASL mechanism");
    }
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let (reason, user) = match cut(rest, b", sasl_username=") {
        Some((reason, user)) => (reason, Some(user)),
        None => (rest, None),
    };
    // The server's own trouble says nothing about the client.
    let outcome = if reason.starts_with(b"Connection lost to authentication server") {
        "unknown"
    } else {
        "failure"
    };
    say(event, "smtp_login", outcome, "authentication");
    event.text(Field::AUTH_METHOD, method);
    if !trim_end(reason).is_empty() {
        event.text(Field::EVENT_REASON, reason);
    }
    if let Some(user) = user {
        event.text(Field::USER_NAME, user);
    }
    set_source(name, peer, event);
    Verdict::Event
}

/// `[ADDRESS]:PORT to [ADDRESS]:PORT`.
fn screen_connect<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer, rest) = client_at(rest)?;
    say(event, "smtp_connection", "unknown", "network");
    set_source(name, peer, event);
    if let Some(here) = rest.strip_prefix(b" to ").and_then(whole) {
        set_destination(here, event);
    }
    Ok(())
}

fn screen_disconnect<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer, _) = client_at(rest)?;
    say(event, "smtp_disconnect", "unknown", "session");
    set_source(name, peer, event);
    Ok(())
}

/// `[N ]after T from CLIENT…`.
fn screen_after<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, rest) = cut(rest, b" from ").ok_or("no client")?;
    from(rest, event)
}

/// `N for CLIENT`.
fn rank<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, rest) = cut(rest, b" for ").ok_or("no client")?;
    let (name, peer, _) = client_at(rest)?;
    say(event, "smtp_reject", "failure", "network");
    event.text(Field::EVENT_REASON, b"listed in DNSBL");
    set_source(name, peer, event);
    Ok(())
}
