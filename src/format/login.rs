//! login(1) at a terminal, in the words of util-linux, shadow and the BSDs.
//!
//! What stands after `FROM` is a host or, where nobody came over the network,
//! a terminal; the name that was typed lies between fixed words.

use super::shape::Shape::{Read, Takes};
use super::shape::{self, ANOTHER, Shape, set_user, unquoted, word};
use super::token::{Host, cut, cut_last, number, say, trim_end, trim_start};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "login",
    about: "login at a terminal (event.action login)",
    programs: &["login", "rlogin", "rlogind", "remote-login"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["login", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 login[812]: FAILED LOGIN 1 FROM tty1 FOR alice, Authentication failure",
};

static SHAPES: &[(&[u8], Shape)] = &[
    (b"FAILED LOGIN, user ", Takes(failed_bare)),
    (b"FAILED LOGIN ", Read(failed)),
    (b"TOO MANY LOGIN TRIES ", Read(failed)),
    (b"ROOT LOGIN ", Read(root)),
    (b"LOGIN ON ", Read(on)),
    (b"LOGIN FAILURE ", Read(bsd_failure)),
    (b"LOGIN FAILURES ", Read(bsd_failure)),
    (b"REPEATED LOGIN FAILURES ", Read(bsd_failure)),
    (b"LOGIN ", Read(refused)),
    (b"DIALUP AT ", Read(on)),
    (b"invalid password for ", Read(invalid_password)),
    (b"exceeded failure limit for ", Read(exceeded)),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = message.text;
    if let Some((count, rest)) = cut(text, b" ")
        && rest.starts_with(b"LOGIN FAILURE")
        && number(count).is_some()
    {
        return shape::read(SHAPES, rest, event);
    }
    if text.starts_with(b"'") {
        let Some((user, rest)) = cut_last(text, b"' logged in ") else {
            return Verdict::NotMine;
        };
        say(event, "login", "success", "authentication");
        set_user(user.get(1..).unwrap_or_default(), event);
        return match on_and_from(rest, event) {
            Ok(()) => Verdict::Event,
            Err(reason) => Verdict::Malformed(reason),
        };
    }
    shape::read(SHAPES, text, event)
}

/// A terminal, or where somebody came from.
fn place<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let text = unquoted(text);
    if text.is_empty() || text == b"(null)" {
        return Ok(());
    }
    let terminal = [&b"tty"[..], b"/dev/", b"pts/", b"console"]
        .iter()
        .any(|first| text.starts_with(first));
    if terminal {
        let tty = word(text).ok_or("a terminal of several words")?;
        event.text(Field::PROCESS_TTY, tty);
    } else {
        Host::read(text)
            .ok_or("neither host nor terminal")?
            .set(event);
    }
    Ok(())
}

/// `on 'TTY'[ from 'HOST']`, in shadow's quotes.
fn on_and_from<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let text = trim_start(text);
    if text.is_empty() {
        return Ok(());
    }
    let text = text.strip_prefix(b"on ").ok_or("no terminal")?;
    match cut(text, b" from ") {
        Some((tty, host)) => {
            event.text(Field::PROCESS_TTY, unquoted(tty));
            Host::read(unquoted(host)).ok_or("not a host")?.set(event);
        }
        None => event.text(
            Field::PROCESS_TTY,
            word(unquoted(text)).ok_or("no terminal")?,
        ),
    }
    Ok(())
}

/// util-linux `1 FROM P FOR U, reason` and `SESSION FROM P FOR U, reason`;
/// shadow `(1) on 'TTY' from 'HOST' FOR 'U', reason`.
fn failed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "login", "failure", "authentication");
    let (count, rest) = cut(text, b" ").ok_or("nothing after the count")?;
    let bare = count
        .strip_prefix(b"(")
        .and_then(|count| count.strip_suffix(b")"));
    let (bare, rest) = match (bare, rest.strip_prefix(b"FROM ")) {
        (_, Some(rest)) => (None, rest),
        (Some(count), None) => (Some(count), rest),
        (None, None) => return Err("no FROM"),
    };
    if number(bare.unwrap_or(count)).is_none() && count != b"SESSION" && !count.starts_with(b"(") {
        return Err("not a count");
    }
    let (at, rest) = cut(rest, b"FOR ").ok_or("no FOR")?;
    let at = trim_end(at);
    if bare.is_some() {
        on_and_from(at, event)?;
    } else {
        place(at, event)?;
    }
    let (user, reason) = cut_last(rest, b", ").unwrap_or((rest, &[]));
    // shadow quotes what was typed; in util-linux's line quotes are the user's.
    let user = if bare.is_some() { unquoted(user) } else { user };
    if user != b"(unknown)" && user != b"UNKNOWN" && user != b"(null)" {
        set_user(user, event);
    }
    if !reason.is_empty() {
        event.text(Field::EVENT_REASON, reason);
    }
    Ok(())
}

fn failed_bare<'a>(user: &'a [u8], event: &mut Event<'a>) {
    say(event, "login", "failure", "authentication");
    set_user(user, event);
}

/// ` ON TTY[ FROM HOST]`, ` (root) ON TTY`, shadow ` on 'TTY'`.
fn root<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "login", "success", "authentication");
    let text = trim_start(text);
    if let Some(rest) = text.strip_prefix(b"ON ") {
        set_user(b"root", event);
        return terminal_and_host(rest, event);
    }
    if let Some(rest) = text.strip_prefix(b"(") {
        let (user, rest) = cut(rest, b") ON ").ok_or("no terminal")?;
        set_user(user, event);
        return terminal_and_host(rest, event);
    }
    set_user(b"root", event);
    on_and_from(text, event)
}

fn terminal_and_host<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (tty, host) = cut(text, b" FROM ").unwrap_or((text, &[]));
    event.text(Field::PROCESS_TTY, word(tty).ok_or("no terminal")?);
    if host.is_empty() {
        return Ok(());
    }
    Host::read(host).ok_or("not a host")?.set(event);
    Ok(())
}

/// `TTY BY USER[ FROM HOST]`: the account exists, so its name is one word.
fn on<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "login", "success", "authentication");
    let (tty, rest) = cut(text, b" BY ").ok_or("no BY")?;
    event.text(Field::PROCESS_TTY, word(tty).ok_or("no terminal")?);
    let (user, host) = match cut_last(rest, b" FROM ") {
        Some((user, host)) => (user, Some(host)),
        None => (rest, None),
    };
    set_user(user, event);
    if let Some(host) = host {
        Host::read(host).ok_or("not a host")?.set(event);
    }
    Ok(())
}

/// The BSDs' `ON TTY[, USER]`, `FROM HOST[, USER]`.
fn bsd_failure<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "login", "failure", "authentication");
    let text = text
        .strip_prefix(b"ON ")
        .or_else(|| text.strip_prefix(b"FROM "))
        .ok_or("neither ON nor FROM")?;
    let (at, user) = cut(text, b", ").unwrap_or((text, &[]));
    set_user(user, event);
    place(at, event)
}

/// The BSDs' `USER REFUSED (WHY) [ON TTY |FROM HOST]`, shadow's `'USER' REFUSED …`.
fn refused<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, rest) = cut_last(text, b" REFUSED ").ok_or(ANOTHER)?;
    say(event, "login", "failure", "authentication");
    event.text(Field::EVENT_REASON, b"refused");
    set_user(unquoted(user), event);
    let rest = match cut(rest, b") ") {
        Some((_, rest)) => rest,
        None => rest,
    };
    match rest.strip_prefix(b"FROM ") {
        Some(host) => place(cut(host, b" ").map_or(host, |(host, _)| host), event),
        None => match cut(rest, b"ON TTY ") {
            Some((_, tty)) => place(tty, event),
            None => Ok(()),
        },
    }
}

fn invalid_password<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    shadow(text, b"invalid password", event)
}

fn exceeded<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    shadow(text, b"exceeded failure limit", event)
}

/// `'USER'  on 'TTY'[ from 'HOST']`, without quotes in old versions; the name
/// was typed, and a host's cannot hold ` on `.
fn shadow<'a>(
    text: &'a [u8],
    reason: &'static [u8],
    event: &mut Event<'a>,
) -> Result<(), &'static str> {
    say(event, "login", "failure", "authentication");
    event.text(Field::EVENT_REASON, reason);
    let (user, rest) = cut_last(text, b" on ").ok_or("no terminal")?;
    set_user(unquoted(trim_end(user)), event);
    let (tty, host) = cut(rest, b" from ").unwrap_or((rest, &[]));
    let tty = word(unquoted(tty)).ok_or("no terminal")?;
    event.text(Field::PROCESS_TTY, tty);
    if host.is_empty() {
        return Ok(());
    }
    Host::read(unquoted(host)).ok_or("not a host")?.set(event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wording_says_who_and_where() {
        let fields = [
            Field::EVENT_OUTCOME,
            Field::USER_NAME,
            Field::PROCESS_TTY,
            Field::SOURCE_IP,
            Field::SOURCE_DOMAIN,
        ];
        for (text, expected) in [
            (
                "FAILED LOGIN 1 FROM tty1 FOR alice, Authentication failure",
                "failure|alice|tty1|-|-",
            ),
            (
                "FAILED LOGIN 2 FROM 192.0.2.7 FOR x FROM 198.51.100.1 FOR y, z, Authentication failure",
                "failure|x FROM 198.51.100.1 FOR y, z|-|192.0.2.7|-",
            ),
            (
                "FAILED LOGIN SESSION FROM (null) FOR (null), Error in service module",
                "failure|-|-|-|-",
            ),
            (
                "FAILED LOGIN (1) on '/dev/tty1' from 'a.example' FOR 'alice', Authentication failure",
                "failure|alice|/dev/tty1|-|a.example",
            ),
            ("ROOT LOGIN ON tty1", "success|root|tty1|-|-"),
            ("ROOT LOGIN  on '/dev/tty1'", "success|root|/dev/tty1|-|-"),
            (
                "LOGIN ON pts/0 BY alice FROM 192.0.2.7",
                "success|alice|pts/0|192.0.2.7|-",
            ),
            ("3 LOGIN FAILURES ON ttyv0", "failure|-|ttyv0|-|-"),
            (
                "3 LOGIN FAILURE FROM 192.0.2.7, root",
                "failure|root|-|192.0.2.7|-",
            ),
            (
                "LOGIN root REFUSED (TTYACCESS) ON TTY ttyp0",
                "failure|root|ttyp0|-|-",
            ),
            (
                "invalid password for 'alice'  on '/dev/tty1'",
                "failure|alice|/dev/tty1|-|-",
            ),
        ] {
            assert_eq!(
                shape::shown(&FORMAT, "login", text, &fields),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
    }
}
