//! Apache Guacamole, the remote desktop gateway: its web application's log,
//! from its own file (told by its logger's name, `envelope::own`) or through
//! the syslog of the servlet container.

use std::net::IpAddr;

use super::shape::set_user;
use super::token::{cut, cut_last, first_word, ip, say, trim_start};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "guacamole",
    about: "Apache Guacamole: logins (guacamole_login)",
    programs: &["guacamole", "tomcat*"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["guacamole", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "2024-05-01T10:00:00,991Z [http-nio-8080-exec-9] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from 192.0.2.7 for user \"alice\" failed.",
};

/// The class that tells of logins, as logback shortens it and whole.
const LOGGERS: [&[u8]; 2] = [
    b"o.a.g.r.auth.AuthenticationService",
    b"org.apache.guacamole.rest.auth.AuthenticationService",
];

/// What follows `[THREAD] LEVEL  LOGGER - `, where the logger is the one for logins.
pub(super) fn logged(text: &[u8]) -> Option<&[u8]> {
    let (_thread, rest) = cut(text.strip_prefix(b"[")?, b"] ")?;
    let (level, rest) = first_word(rest);
    matches!(level, b"TRACE" | b"DEBUG" | b"INFO" | b"WARN" | b"ERROR").then_some(())?;
    let (logger, rest) = first_word(trim_start(rest));
    LOGGERS.contains(&logger).then_some(())?;
    rest.strip_prefix(b"- ")
}

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    // Logback's own stamp has no date by default: `10:00:00.991 `.
    let text = match message.text.first() {
        Some(b'0'..=b'9') => first_word(message.text).1,
        _ => message.text,
    };
    let Some(text) = logged(text) else {
        return Verdict::NotMine;
    };
    let read = if let Some(rest) = text.strip_prefix(b"Authentication attempt from ") {
        failed(rest, event)
    } else if let Some(rest) = text.strip_prefix(b"User \"") {
        succeeded(rest, event)
    } else {
        return Verdict::NotMine;
    };
    match read {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `ADDRESSES for user "NAME" failed.`: the address comes first.
fn failed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "guacamole_login", "failure", "authentication");
    let (addresses, rest) = cut(text, b" for user \"").ok_or("no user")?;
    let user = rest.strip_suffix(b"\" failed.").ok_or("no end")?;
    let address = client(addresses).ok_or("not an address")?;
    set_user(user, event);
    event.set(Field::SOURCE_IP, Value::Ip(address));
    Ok(())
}

/// `NAME" successfully authenticated from ADDRESSES.`: the address comes last.
fn succeeded<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    const BETWEEN: &[u8] = b"\" successfully authenticated from ";
    say(event, "guacamole_login", "success", "authentication");
    let (user, rest) = cut_last(text, BETWEEN).ok_or("no address")?;
    let addresses = rest.strip_suffix(b".").ok_or("no end")?;
    let address = client(addresses).ok_or("not an address")?;
    set_user(user, event);
    event.set(Field::SOURCE_IP, Value::Ip(address));
    Ok(())
}

/// `ADDRESS`, or `[FORWARDED, …, ADDRESS]` with the header that a proxy sends
/// before the socket's own address. Anybody can send that header: it counts as
/// far as a proxy on this very machine wrote it.
fn client(text: &[u8]) -> Option<IpAddr> {
    let Some(list) = text.strip_prefix(b"[") else {
        return ip(text);
    };
    let mut list = list.strip_suffix(b"]")?;
    while let Some((forwarded, nearest)) = cut_last(list, b", ") {
        let nearest = ip(nearest)?;
        if !nearest.is_loopback() {
            return Some(nearest);
        }
        list = forwarded;
    }
    ip(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::shape::shown;

    const LOGGER: &str = "[http-nio-8080-exec-9] WARN  o.a.g.r.auth.AuthenticationService - ";

    #[test]
    fn the_forwarded_header_counts_only_from_this_machines_proxy() {
        let fields = [Field::EVENT_OUTCOME, Field::USER_NAME, Field::SOURCE_IP];
        for (text, expected) in [
            (
                "Authentication attempt from 192.0.2.7 for user \"alice\" failed.",
                "failure|alice|192.0.2.7",
            ),
            (
                "Authentication attempt from [198.51.100.1, 192.0.2.7] for user \"alice\" failed.",
                "failure|alice|192.0.2.7",
            ),
            (
                "Authentication attempt from [198.51.100.1, 192.0.2.7, 127.0.0.1] for user \"alice\" failed.",
                "failure|alice|192.0.2.7",
            ),
            (
                "Authentication attempt from [127.0.0.1, 127.0.0.2] for user \"alice\" failed.",
                "failure|alice|127.0.0.1",
            ),
            (
                "Authentication attempt from 192.0.2.7 for user \"x\" for user \"y\" failed.",
                "failure|x\" for user \"y|192.0.2.7",
            ),
            (
                "User \"x\" successfully authenticated from 198.51.100.1.\" successfully authenticated from 192.0.2.7.",
                "success|x\" successfully authenticated from 198.51.100.1.|192.0.2.7",
            ),
        ] {
            for stamp in ["", "10:00:00.991 "] {
                let text = format!("{stamp}{LOGGER}{text}");
                let expected = (Verdict::Event, expected.to_owned());
                assert_eq!(
                    shown(&FORMAT, "tomcat9", &text, &fields),
                    expected,
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn other_loggers_are_not_read_and_broken_lines_are_malformed() {
        let verdict = |text: &str| shown(&FORMAT, "tomcat9", text, &[]).0;
        assert_eq!(
            verdict("[main] INFO  o.a.g.GuacamoleServletContextListener - Starting"),
            Verdict::NotMine
        );
        assert_eq!(
            verdict(&format!("{LOGGER}Reading directory")),
            Verdict::NotMine
        );
        for text in [
            "Authentication attempt from x for user \"y\" failed.",
            "Authentication attempt from [, 192.0.2.7, 127.0.0.1 for user \"y\" failed.",
            "Authentication attempt from 192.0.2.7 for user \"y",
        ] {
            let verdict = verdict(&format!("{LOGGER}{text}"));
            assert!(matches!(verdict, Verdict::Malformed(_)), "{text}");
        }
    }
}
