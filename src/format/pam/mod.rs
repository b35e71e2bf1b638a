//! PAM's modules, in whatever program they speak: `pam_unix`, `pam_sss`,
//! `pam_faillock`, `pam_tally2`, `pam_succeed_if` and their like.
//!
//! `ruser` and `user` are what somebody typed, and `rhost` stands between
//! them. sshd never sets `ruser`; in other programs the host must be the only
//! one that could be meant.

mod modules;
mod words;

use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::format::token::{Host, cut, cut_last, digit, say, trim_start};
use crate::format::{Format, Message, Parser, Verdict};

pub(super) static FORMAT: Format = Format {
    name: "pam",
    about: "PAM modules of any program: failures, sessions, locks",
    // Modules that call themselves the program.
    programs: &[
        "pam",
        "pam_duo",
        "login_duo",
        "PAM_unix",
        "PAM_pwdb",
        "unix_chkpwd",
        "unix2_chkpwd",
        "nslcd",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["pam", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 sshd[812]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=alice",
};

type Outcome = Result<(), &'static str>;

/// Whether a message is a PAM module's: `pam_unix(sshd:auth): …`,
/// `(pam_unix) …`, `PAM 4 more …`.
pub(super) fn speaks(text: &[u8]) -> bool {
    match text {
        [b'p', b'a', b'm', b'_', ..] => module(text).is_some(),
        [b'P', b'A', b'M', b' ', next, ..] => digit(*next).is_some(),
        // syslog's tag may have named the module: `vsftpd(pam_unix)[7]: …`.
        _ => text.starts_with(b"(pam_") || text.starts_with(b"authentication failure; logname="),
    }
}

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let (service, text) = without_module(message.text);
    if let Some(service) = service {
        event.replace(Field::SERVICE_NAME, Value::Text(service));
    }
    match shape(message.program, text, event) {
        None => Verdict::NotMine,
        Some(Ok(())) => Verdict::Event,
        Some(Err(reason)) => Verdict::Malformed(reason),
    }
}

fn shape<'a>(program: &[u8], text: &'a [u8], event: &mut Event<'a>) -> Option<Outcome> {
    if let Some(details) = text
        .strip_prefix(b"authentication failure;")
        .filter(|details| details.starts_with(b" logname="))
        .or_else(|| more_failures(text, event))
    {
        say(event, "pam_authentication", "failure", "authentication");
        return Some(details_of(program, details, event));
    }
    if let Some(details) = text.strip_prefix(b"authentication success;") {
        say(event, "pam_authentication", "success", "authentication");
        return Some(details_of(program, details, event));
    }
    if let Some(rest) = text.strip_prefix(b"session opened for user ") {
        say(event, "session_opened", "success", "session");
        opened(rest, event);
        return Some(Ok(()));
    }
    if let Some(user) = text.strip_prefix(b"session closed for user ") {
        say(event, "session_closed", "success", "session");
        set_user(user, event);
        return Some(Ok(()));
    }
    let before = event.values().len();
    let mut verdict = modules::read(text, event);
    if verdict == Verdict::NotMine {
        event.truncate(before);
        verdict = words::read(text, event);
    }
    match verdict {
        Verdict::NotMine => changed(text, event),
        Verdict::Event => Some(Ok(())),
        Verdict::Malformed(reason) => Some(Err(reason)),
    }
}

/// `pam_unix(sshd:auth): `, `pam_krb5[812]: `, `pam_ldap: `: module and service.
fn module(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let end = memchr::memchr3(b'(', b':', b'[', text.get(..64).unwrap_or(text))?;
    let name = text.get(..end)?;
    let sound = name
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    match text.get(end..).filter(|_| sound)? {
        [b':', rest @ ..] => Some((None, rest)),
        [b'[', rest @ ..] => {
            let (pid, rest) = cut(rest, b"]: ")?;
            crate::format::token::number(pid)?;
            Some((None, rest))
        }
        [b'(', rest @ ..] => {
            let (inside, rest) = cut(rest, b")")?;
            let service = cut_last(inside, b":").map(|(service, _)| service);
            let service = service.filter(|service| !service.is_empty());
            Some((service, rest.strip_prefix(b":").unwrap_or(rest)))
        }
        _ => None,
    }
}

/// The message without what names the module, and the service that it names.
fn without_module(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let (service, rest) = if text.starts_with(b"pam_") {
        module(text).unwrap_or((None, text))
    } else if text.starts_with(b"(pam_") {
        (None, cut(text, b")").map_or(text, |(_, rest)| rest))
    } else if let Some((service, rest)) = text.strip_prefix(b"(").and_then(|rest| cut(rest, b") "))
        && !service.contains(&b' ')
    {
        // PAM_pwdb: `(login) session opened for …`.
        (Some(service).filter(|service| !service.is_empty()), rest)
    } else {
        (None, text)
    };
    (service, trim_start(rest))
}

/// `PAM 4 more authentication failures; …`: sshd's summary; each counts.
fn more_failures<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<&'a [u8]> {
    // `sshd(pam_unix)[7]: 2 more …`: the tag has named the module.
    let rest = text.strip_prefix(b"PAM ").unwrap_or(text);
    let (times, rest) = cut(rest, b" more authentication failure")?;
    let times = crate::format::token::number(times)?.clamp(1, crate::format::REPEATED_MAX);
    let details = rest
        .strip_prefix(b"s;")
        .or_else(|| rest.strip_prefix(b";"))?;
    event.count = u32::try_from(times).unwrap_or(1);
    Some(details)
}

/// `logname=L uid=N euid=N tty=T ruser=R rhost=H[  user=U]`.
fn details_of<'a>(program: &[u8], text: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, rest) = word_of(text, b" logname=").ok_or("no logname=")?;
    let (uid, rest) = word_of(rest, b" uid=").ok_or("no uid=")?;
    let (_, rest) = word_of(rest, b" euid=").ok_or("no euid=")?;
    let (tty, rest) = word_of(rest, b" tty=").ok_or("no tty=")?;
    let rest = rest.strip_prefix(b" ruser=").ok_or("no ruser=")?;
    let (ruser, rhost, user) = who(program, rest).ok_or("no single rhost= that could be meant")?;
    if !uid.is_empty() {
        event.text(Field::USER_ID, uid);
    }
    if !tty.is_empty() {
        event.text(Field::PROCESS_TTY, tty);
    }
    let name = user.filter(|user| !user.is_empty()).unwrap_or(ruser);
    if !name.is_empty() {
        event.text(Field::USER_NAME, name);
    }
    if !rhost.is_empty() {
        Host::read(rhost)
            .ok_or("rhost= is neither address nor host name")?
            .set(event);
    }
    Ok(())
}

/// The word after a key, and what follows it from its blank on.
fn word_of<'a>(text: &'a [u8], key: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let value = text.strip_prefix(key)?;
    value.split_at_checked(memchr::memchr(b' ', value)?)
}

/// `ruser`, `rhost` and `user`.
type Who<'a> = (&'a [u8], &'a [u8], Option<&'a [u8]>);

/// Who it was, where there is only one way to read it.
fn who<'a>(program: &[u8], text: &'a [u8]) -> Option<Who<'a>> {
    // What sshd logs here begins with an empty ruser, always.
    if program.starts_with(b"sshd")
        && let Some(rest) = text.strip_prefix(b" rhost=")
    {
        let (rhost, user) = host_and_user(rest)?;
        return Some((&[], rhost, user));
    }
    let mut found = None;
    for at in memchr::memmem::find_iter(text, b" rhost=") {
        let ruser = text.get(..at)?;
        let Some((rhost, user)) = host_and_user(text.get(at + b" rhost=".len()..)?) else {
            continue;
        };
        if found.is_some() {
            return None;
        }
        found = Some((ruser, rhost, user));
    }
    found
}

/// A host is one word; after it comes ` user=` or the end.
fn host_and_user(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    let (host, rest) = text.split_at_checked(end)?;
    let rest = trim_start(rest);
    if rest.is_empty() {
        return Some((host, None));
    }
    rest.strip_prefix(b"user=").map(|user| (host, Some(user)))
}

/// `USER[(uid=N)] by [WHO](uid=N)`, from its end: both names are accounts that exist.
fn opened<'a>(rest: &'a [u8], event: &mut Event<'a>) {
    let Some((user, by)) = cut_last(rest, b" by ") else {
        set_user(rest, event);
        return;
    };
    set_user(user, event);
    let (by, _) = without_uid(by);
    if !by.is_empty() {
        event.text(Field::SESSION_OPENED_BY, by);
    }
}

fn set_user<'a>(user: &'a [u8], event: &mut Event<'a>) {
    let (name, uid) = without_uid(user);
    event.text(Field::USER_NAME, name);
    if let Some(uid) = uid {
        event.text(Field::USER_ID, uid);
    }
}

/// `alice(uid=1000)`.
fn without_uid(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let read = || {
        let (name, uid) = cut_last(text.strip_suffix(b")")?, b"(uid=")?;
        uid.iter()
            .all(u8::is_ascii_digit)
            .then_some((name, Some(uid)))
    };
    read().unwrap_or((text, None))
}

/// `password changed for USER`.
fn changed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<Outcome> {
    let user = text.strip_prefix(b"password changed for ")?;
    say(event, "pam_password_changed", "success", "iam");
    event.text(Field::USER_NAME, user);
    Some(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(program: &str, text: &str) -> (Verdict, String) {
        let mut event = Event::new();
        let message = Message {
            program: program.as_bytes(),
            text: text.as_bytes(),
        };
        let verdict = parse(message, &mut event);
        let fields = [
            Field::EVENT_ACTION,
            Field::SERVICE_NAME,
            Field::USER_NAME,
            Field::SOURCE_IP,
            Field::SOURCE_DOMAIN,
            Field::SESSION_OPENED_BY,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join("|"))
    }

    #[test]
    fn modules_say_who_and_from_where() {
        for (text, expected) in [
            (
                "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root",
                "pam_authentication|sshd|root|192.0.2.7|-|-",
            ),
            (
                "(pam_unix) authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=a.example",
                "pam_authentication|-|-|-|a.example|-",
            ),
            (
                "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root",
                "pam_authentication|-|root|192.0.2.7|-|-",
            ),
            (
                "pam_unix(sudo:session): session opened for user root(uid=0) by alice(uid=1000)",
                "session_opened|sudo|root|-|-|alice",
            ),
            (
                "pam_unix(cron:session): session opened for user root by (uid=0)",
                "session_opened|cron|root|-|-|-",
            ),
            (
                "pam_unix(sshd:session): session closed for user alice",
                "session_closed|sshd|alice|-|-|-",
            ),
            (
                "pam_succeed_if(sshd:auth): requirement \"uid >= 1000\" not met by user \"root\"",
                "pam_authentication|sshd|root|-|-|-",
            ),
            (
                "pam_tally2(sudo:auth): user bob (4001) tally 6, deny 5",
                "pam_account_locked|sudo|bob|-|-|-",
            ),
        ] {
            assert!(speaks(text.as_bytes()), "{text}");
            assert_eq!(
                read("sshd", text),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_typed_rhost_is_not_the_host() {
        let sshd = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=x rhost=198.51.100.1  user=root";
        assert_eq!(read("sshd", sshd).1.split('|').nth(3), Some("192.0.2.7"));
        let ftp = "pam_unix(ftp:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=x rhost=198.51.100.1 rhost=192.0.2.7";
        assert_eq!(read("ftpd", ftp).1.split('|').nth(3), Some("192.0.2.7"));
        let either = "pam_unix(ftp:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=x rhost=198.51.100.1  user=y rhost=192.0.2.7  user=z";
        assert!(matches!(read("ftpd", either).0, Verdict::Malformed(_)));
    }
}
