//! Cockpit, the web console: its session, web server and TLS front end. Its
//! logins are PAM's lines, with `tty=` and the browser's address in `rhost=`.

use super::shape::Shape::{Read, Takes};
use super::shape::{self, Shape, set_user, unquoted};
use super::token::{Host, cut, cut_last, say};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "cockpit",
    about: "Cockpit web console: sessions, refusals (cockpit_login), TLS errors",
    programs: &[
        "cockpit-session",
        "cockpit-ws",
        "cockpit-tls",
        "cockpit-wsinstance",
        "cockpit",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["cockpit", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 cockpit-ws[812]: New connection to session from 192.0.2.7",
};

static SHAPES: &[(&[u8], Shape)] = &[
    (b"New connection to session from ", Read(connection)),
    (b"logged in user session", Takes(logged_in)),
    (b"logged out user session", Takes(logged_out)),
    (b"gnutls_handshake failed: ", Takes(tls)),
    (b"gnutls_record_recv failed: ", Takes(tls)),
    (b"couldn't authenticate ", Read(refused)),
    (b"Couldn't authenticate: ", Takes(failed)),
    (b"authentication failed: ", Takes(failed)),
    (b"Authentication failed: ", Takes(failed)),
    (b"pam_authenticate failed: ", Takes(failed)),
    (b"couldn't open session: ", Read(refused)),
    (b"user account access failed: ", Read(account)),
    (b"invalid credentials", Takes(failed)),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    // Some versions repeat their name: `cockpit-tls: gnutls_handshake …`.
    let text = message
        .text
        .strip_prefix(message.program)
        .and_then(|rest| rest.strip_prefix(b": "))
        .unwrap_or(message.text);
    shape::read(SHAPES, text, event)
}

fn connection<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "connection", "success", "network");
    Host::read(text).ok_or("not an address")?.set(event);
    Ok(())
}

fn logged_in<'a>(_: &'a [u8], event: &mut Event<'a>) {
    say(event, "cockpit_login", "success", "authentication");
}

fn logged_out<'a>(_: &'a [u8], event: &mut Event<'a>) {
    say(event, "cockpit_logout", "success", "session");
}

fn tls<'a>(reason: &'a [u8], event: &mut Event<'a>) {
    say(event, "tls_handshake", "failure", "network");
    event.text(Field::EVENT_REASON, reason);
}

fn failed<'a>(reason: &'a [u8], event: &mut Event<'a>) {
    say(event, "cockpit_login", "failure", "authentication");
    event.text(Field::EVENT_REASON, reason);
}

/// `USER: reason`; the reason is PAM's and holds no colon.
fn refused<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "cockpit_login", "failure", "authentication");
    let (user, reason) = cut_last(text, b": ").ok_or("no reason")?;
    set_user(unquoted(user), event);
    event.text(Field::EVENT_REASON, reason);
    Ok(())
}

/// `404 USER: reason`.
fn account<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (_, rest) = cut(text, b" ").ok_or("no user")?;
    refused(rest, event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_and_refusals() {
        let fields = [Field::EVENT_ACTION, Field::USER_NAME, Field::SOURCE_IP];
        for (program, text, expected) in [
            (
                "cockpit-ws",
                "New connection to session from ::ffff:192.0.2.7",
                "connection|-|192.0.2.7",
            ),
            (
                "cockpit-tls",
                "cockpit-tls: gnutls_handshake failed: A TLS fatal alert has been received.",
                "tls_handshake|-|-",
            ),
            (
                "cockpit-session",
                "couldn't open session: alice: System error",
                "cockpit_login|alice|-",
            ),
        ] {
            assert_eq!(
                shape::shown(&FORMAT, program, text, &fields),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
        let verdict = shape::shown(
            &FORMAT,
            "cockpit-ws",
            "New connection to session from a b",
            &[],
        )
        .0;
        assert!(matches!(verdict, Verdict::Malformed(_)));
    }
}
