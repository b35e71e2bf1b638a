//! The other IMAP and POP servers, which share their programs' names: Courier
//! (with its SMTP daemon), Cyrus, UW's, solid-pop3d and Perdition.

use super::lines::COURIER;
use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::format::endpoint::{
    ANOTHER, Outcome, Shape, by_beginning, cut_only, named, set_destination, set_source, whole,
};
use crate::format::token::{Host, cut, cut_last, ip, port, say, trim_end};
use crate::format::{Format, Message, Parser, Verdict};

pub(in crate::format) static FORMAT: Format = Format {
    name: "imapd",
    about: "Courier, Cyrus, UW, solid-pop3d, Perdition: mail_login, mail_logout, smtp_login, smtp_reject",
    programs: &[
        "imapd",
        "imapd-ssl",
        "imap",
        "imaps",
        "imap4d",
        "pop3",
        "pop3s",
        "pop3d",
        "pop3d-ssl",
        "ipop3d",
        "ipop2d",
        "cyrus",
        "sieve",
        "timsieved",
        "lmtpunix",
        "courierpop3login",
        "courierpop3d",
        "courierimapd",
        "courieresmtpd",
        "courieresmtpd-ssl",
        "courierlogger",
        "authdaemond",
        "solid-pop3d",
        "perdition",
        "perdition.imap4",
        "perdition.imap4s",
        "perdition.imap",
        "perdition.imaps",
        "perdition.pop3",
        "perdition.pop3s",
        "perdition.managesieve",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["imapd", "auth", "mail", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 mail1 imapd: LOGIN FAILED, user=alice@example.com, ip=[::ffff:192.0.2.7], port=[50022]",
};

static SHAPES: &[Shape] = &[
    (b"LOGIN FAILED, ", courier_failed),
    (b"LOGIN, ", courier_login),
    (b"LOGOUT, ", courier_logout),
    (b"DISCONNECTED, ", courier_logout),
    (b"TIMEOUT, ", courier_logout),
    (b"error,relay=", courier_smtp),
    (b"badlogin: ", cyrus_bad),
    (b"login: ", cyrus_login),
    (b"Login failed user=", uw_failed),
    (b"Login excessive login failures user=", uw_failed),
    (b"Login disabled user=", uw_failed),
    (b"Login user=", uw_login),
    (b"Authenticated user=", uw_login),
    (b"Failed ", uw_override),
    (b"authentication failed: no such user: ", solid),
    (b"authentication failed: can't map user name: ", solid),
    (b"authentication failed for mapped user ", solid),
    (b"authentication failed for user ", solid),
    (b"can't find APOP secret for user ", solid),
    (b"APOP authentication failed for user ", solid),
    (b"root login not allowed - ", solid_root),
    (b"Auth: ", perdition),
    (
        b"Fatal Error reading authentication information from client ",
        perdition_fatal,
    ),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    match by_beginning(SHAPES, message.text, event) {
        Verdict::NotMine => COURIER.read(message.text, event),
        read => read,
    }
}

fn courier_failed<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    say(event, "mail_login", "failure", "authentication");
    courier(rest, event)
}

fn courier_login<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    say(event, "mail_login", "success", "authentication");
    courier(rest, event)
}

fn courier_logout<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    say(event, "mail_logout", "unknown", "session");
    courier(rest, event)
}

/// `[user=USER, ][method=M, ]ip=[ADDRESS][, port=[N]][, …]`: what follows the
/// address is the server's, so the last one is meant.
fn courier<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (head, tail) = match rest.strip_prefix(b"ip=[") {
        Some(tail) => (&[][..], tail),
        None => cut_last(rest, b", ip=[").ok_or("no ip=")?,
    };
    let (address, rest) = cut(tail, b"]").ok_or("no end of the address")?;
    let address = ip(address).ok_or("ip= is no address")?;
    if let Some(user) = head.strip_prefix(b"user=") {
        event.text(Field::USER_NAME, user);
    } else if let Some(method) = head.strip_prefix(b"method=") {
        event.text(Field::AUTH_METHOD, method);
    }
    let number = rest
        .strip_prefix(b", port=[")
        .and_then(|rest| cut(rest, b"]"))
        .and_then(|(number, _)| port(number));
    crate::format::token::Peer {
        ip: Some(address),
        port: number,
    }
    .set(event);
    Ok(())
}

/// `ADDRESS[,port=N],msg="535 Authentication failed.",cmd: …` or `…: 550 …`.
fn courier_smtp<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (address, rest) = cut(rest, b",").ok_or("nothing after the relay")?;
    let address = ip(address).ok_or("relay= is no address")?;
    let (number, rest) = match rest.strip_prefix(b"port=").and_then(|rest| cut(rest, b",")) {
        Some((number, rest)) => (Some(port(number).ok_or("port= is no number")?), rest),
        None => (None, rest),
    };
    // The ident is the other machine's word.
    let ident = rest.strip_prefix(b"ident=\"");
    let rest = ident
        .and_then(|rest| Some(cut(rest, b"\",")?.1))
        .unwrap_or(rest);
    if rest.starts_with(b"msg=\"535 ") {
        say(event, "smtp_login", "failure", "authentication");
    } else {
        say(event, "smtp_reject", "failure", "email");
    }
    crate::format::token::Peer {
        ip: Some(address),
        port: number,
    }
    .set(event);
    Ok(())
}

/// `HOST [ADDRESS] MECHANISM[ USER] [SASL(-13): …]`.
fn cyrus_bad<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer, rest) = named(rest).ok_or("no name and address of the client")?;
    let rest = rest.strip_prefix(b" ").ok_or("no mechanism")?;
    let (method, rest) = cut(rest, b" ").unwrap_or((rest, b""));
    say(event, "mail_login", "failure", "authentication");
    event.text(Field::AUTH_METHOD, method);
    // Cyrus's reason is the last; before it may stand the user.
    if !rest.starts_with(b"[")
        && let Some((user, _)) = cut_last(rest, b" SASL(")
    {
        event.text(Field::USER_NAME, user);
    }
    set_source(name, peer, event);
    Ok(())
}

/// `HOST [ADDRESS] USER MECHANISM User logged in[ SESSIONID=…]`.
fn cyrus_login<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (name, peer, rest) = named(rest).ok_or("no name and address of the client")?;
    let (head, _) = cut_last(rest, b" User logged in").ok_or(ANOTHER)?;
    let (user, method) = cut_last(head, b" ").ok_or("no mechanism")?;
    say(event, "mail_login", "success", "authentication");
    event.text(Field::USER_NAME, user.strip_prefix(b" ").unwrap_or(user));
    event.text(Field::AUTH_METHOD, method);
    set_source(name, peer, event);
    Ok(())
}

fn uw_failed<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    say(event, "mail_login", "failure", "authentication");
    uw(rest, event)
}

fn uw_login<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    say(event, "mail_login", "success", "authentication");
    uw(rest, event)
}

/// `MASTER override of user=USER  host=HOST [ADDRESS]`.
fn uw_override<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, rest) = cut(rest, b" override of user=").ok_or(ANOTHER)?;
    uw_failed(rest, event)
}

/// `USER[ auth=USER] host=HOST [ADDRESS][ …]`: the host comes last.
fn uw<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (user, tail) = cut_last(rest, b" host=").ok_or("no host=")?;
    let (name, peer, _) = named(tail).ok_or("no name and address of the client")?;
    let user = match cut_only(user, b" auth=") {
        Some((user, _)) => user,
        None if memchr::memmem::find(user, b" auth=").is_some() => {
            return Err("more than one user that could be meant");
        }
        None => user,
    };
    event.text(Field::USER_NAME, trim_end(user));
    set_source(name, peer, event);
    Ok(())
}

/// `USER - HOST`: the host comes last.
fn solid<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (user, host) = cut_last(rest, b" - ").ok_or("no host")?;
    let host = Host::read(host).ok_or("neither address nor host name")?;
    say(event, "mail_login", "failure", "authentication");
    event.text(Field::USER_NAME, user);
    host.set(event);
    Ok(())
}

fn solid_root<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let host = Host::read(rest).ok_or("neither address nor host name")?;
    say(event, "mail_login", "failure", "authentication");
    event.text(Field::USER_NAME, b"root");
    host.set(event);
    Ok(())
}

/// `ADDRESS:PORT->ADDRESS:PORT … authentication_id="USER" server="…" … status="…"`.
fn perdition<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (ends, rest) = cut(rest, b" ").ok_or("nothing after the addresses")?;
    let (source, here) = cut(ends, b"->").ok_or(ANOTHER)?;
    let source = whole(source).ok_or("no address of the client")?;
    let here = whole(here).ok_or("no address that was connected to")?;
    let (head, status) = cut_last(rest, b" status=\"").ok_or("no status=")?;
    let user = cut_only(head, b"authentication_id=\"")
        .and_then(|(_, user)| Some(cut_last(user, b"\" server=\"")?.0));
    let outcome = if status.starts_with(b"ok") {
        "success"
    } else {
        "failure"
    };
    say(event, "mail_login", outcome, "authentication");
    if let Some(user) = user {
        event.text(Field::USER_NAME, user);
    }
    source.set(event);
    set_destination(here, event);
    Ok(())
}

/// `ADDRESS:PORT->ADDRESS:PORT: Exiting child`.
fn perdition_fatal<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (ends, _) = cut(rest, b": ").unwrap_or((rest, b""));
    let (source, here) = cut(ends, b"->").ok_or("no addresses")?;
    let source = whole(source).ok_or("no address of the client")?;
    let here = whole(here).ok_or("no address that was connected to")?;
    say(event, "mail_preauth_close", "failure", "network");
    source.set(event);
    set_destination(here, event);
    Ok(())
}
