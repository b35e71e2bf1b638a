//! Webmin and Usermin: logins through syslog, and `webmin.log`, in which each
//! action of a user has a line.
//!
//! The user name is what was typed; the address is the last word.

use bumpalo::Bump;

use super::shape::Shape::{Read, Takes};
use super::shape::{self, Shape, set_user};
use super::token::{Host, cut, cut_last, last_word, number, say};
use super::{Context, Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::time::Time;

const LOGSOURCES: &[LogSource] = &[LogSource {
    product: "linux",
    categories: &[],
    services: &["webmin", "auth", "syslog"],
}];

pub(super) static FORMAT: Format = Format {
    name: "webmin",
    about: "Webmin and Usermin: logins (webmin_login), locks, sessions",
    programs: &["webmin", "usermin", "miniserv.pl", "cloudmin", "virtualmin"],
    logsources: LOGSOURCES,
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 webmin[812]: Invalid login as root from 192.0.2.7",
};

pub(super) static LOG: Format = Format {
    name: "webmin-log",
    about: "webmin.log: logins and actions in Webmin, a line each (webmin_action)",
    programs: &[],
    logsources: LOGSOURCES,
    parse: Parser::Line(parse_line),
    example: r#"1714557600.812.0 [01/May/2024 10:00:00] admin - 192.0.2.7 global miniserv.pl "failed" "-" "wrongpass""#,
};

static SHAPES: &[(&[u8], Shape)] = &[
    (b"Invalid login as ", Read(invalid)),
    (b"Non-existent login as ", Read(nonexistent)),
    (b"Locked out login as ", Read(locked)),
    (b"Expired login as ", Read(expired)),
    (b"Invalid two-factor login as ", Read(second)),
    (b"Successful login as ", Read(successful)),
    (b"Logout by ", Read(logout)),
    (b"Timeout of session for ", Takes(timeout)),
    (b"Timeout of ", Takes(timeout)),
    (b"Security alert: Host ", Read(host_blocked)),
    (b"Security alert: User ", Read(user_blocked)),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    shape::read(SHAPES, message.text, event)
}

/// `USER from HOST`.
fn user_and_host<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (head, host) = last_word(text);
    let user = match head.strip_suffix(b" from") {
        Some(user) => user,
        None if head == b"from" => &[],
        None => return Err("no from before the address"),
    };
    set_user(user, event);
    Host::read(host)
        .ok_or("neither address nor host name")?
        .set(event);
    Ok(())
}

fn refused<'a>(
    text: &'a [u8],
    reason: &'static [u8],
    event: &mut Event<'a>,
) -> Result<(), &'static str> {
    say(event, "webmin_login", "failure", "authentication");
    event.text(Field::EVENT_REASON, reason);
    user_and_host(text, event)
}

fn invalid<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    refused(text, b"wrong password", event)
}

fn nonexistent<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    refused(text, b"invalid user", event)
}

fn locked<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    refused(text, b"locked out", event)
}

fn expired<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    refused(text, b"expired", event)
}

fn second<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    refused(text, b"second factor", event)
}

fn successful<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "webmin_login", "success", "authentication");
    user_and_host(text, event)
}

fn logout<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "webmin_logout", "success", "session");
    user_and_host(text, event)
}

/// `USER`, which has logged in.
fn timeout<'a>(user: &'a [u8], event: &mut Event<'a>) {
    say(event, "webmin_timeout", "unknown", "session");
    set_user(user, event);
}

/// `HOST blocked after 5 failed logins[ for user U]`.
fn host_blocked<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "webmin_host_blocked", "failure", "authentication");
    let (host, rest) = cut(text, b" blocked after ").ok_or("no blocked after")?;
    Host::read(host)
        .ok_or("neither address nor host name")?
        .set(event);
    if let Some((_, user)) = cut(rest, b" for user ") {
        set_user(user, event);
    }
    Ok(())
}

fn user_blocked<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "webmin_user_blocked", "failure", "authentication");
    let (user, _) = cut_last(text, b" blocked after ").ok_or("no blocked after")?;
    set_user(user, event);
    Ok(())
}

/// `TIME.PID.N [date] USER SESSION HOST MODULE SCRIPT "ACTION" "TYPE" "OBJECT" …`.
fn parse_line<'a>(
    line: &'a [u8],
    _context: &'a Context,
    _arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let Some((time, rest)) = id(line) else {
        return Verdict::NotMine;
    };
    event.time = Some(time);
    event.text(Field::MESSAGE, line);
    let envelope = event.values().len();
    if action(super::token::trim_end(rest), event).is_none() {
        event.truncate(envelope);
        return Verdict::Malformed("not webmin.log's columns");
    }
    Verdict::Event
}

/// `1714557600.812.0 [01/May/2024 10:00:00] `; the stamp in brackets is the
/// machine's local time and says no more than the first number.
fn id(line: &[u8]) -> Option<(Time, &[u8])> {
    // Seconds have 10 digits from 2001 to 2286.
    let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits != 10 || line.get(digits) != Some(&b'.') {
        return None;
    }
    let head = line.get(..48).unwrap_or(line);
    let (id, _) = cut(head, b" [")?;
    let (seconds, rest) = cut(id, b".")?;
    let (pid, n) = cut(rest, b".")?;
    number(pid)?;
    number(n)?;
    let (_, rest) = cut(line.get(id.len()..)?, b"] ")?;
    Some((Time::from_secs(number(seconds)?), rest))
}

/// Webmin writes `"` inside values as `%22`, so there are six of them, unless
/// a typed user name holds some; from the first one back, each column is a
/// word, and the rest is the name.
fn action<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    if memchr::memchr_iter(b'"', text).count() != 6 {
        return None;
    }
    let (columns, quoted) = cut(text, b" \"")?;
    let (rest, _script) = last_word(columns);
    let (rest, module) = last_word(rest);
    let (rest, host) = last_word(rest);
    let (user, session) = last_word(rest);
    let (what, rest) = cut(quoted, b"\" \"")?;
    let (_, rest) = cut(rest, b"\" \"")?;
    let (object, _) = cut(rest, b"\"")?;
    let (action, outcome) = match what {
        b"login" => ("webmin_login", "success"),
        b"failed" => ("webmin_login", "failure"),
        b"logout" => ("webmin_logout", "success"),
        b"timeout" => ("webmin_timeout", "unknown"),
        _ => ("webmin_action", "success"),
    };
    let category = match action {
        "webmin_login" => "authentication",
        "webmin_action" => "configuration",
        _ => "session",
    };
    say(event, action, outcome, category);
    set_user(user, event);
    Host::read(host)?.set(event);
    if session != b"-" {
        event.text(Field::SESSION_ID, session);
    }
    if action == "webmin_action" {
        event.text(Field::SERVICE_NAME, module);
        event.text(Field::EVENT_REASON, what);
    } else if outcome == "failure" && object != b"-" {
        event.text(Field::EVENT_REASON, object);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_last_word() {
        let fields = [Field::EVENT_OUTCOME, Field::USER_NAME, Field::SOURCE_IP];
        for (text, expected) in [
            (
                "Invalid login as x from 198.51.100.1 from 192.0.2.7",
                "failure|x from 198.51.100.1|192.0.2.7",
            ),
            (
                "Successful login as root from 192.0.2.7",
                "success|root|192.0.2.7",
            ),
            (
                "Security alert: Host 192.0.2.7 blocked after 5 failed logins for user root",
                "failure|root|192.0.2.7",
            ),
        ] {
            assert_eq!(
                shape::shown(&FORMAT, "webmin", text, &fields),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
        let verdict = shape::shown(&FORMAT, "webmin", "Invalid login as root", &[]).0;
        assert!(matches!(verdict, Verdict::Malformed(_)));
    }
}
