//! Dovecot: its login processes and its password look-ups, in syslog and in
//! its own log.
//!
//! A login line is `WORDS: user=<USER>, method=M, rip=ADDRESS, lip=…`: the user
//! is what the client sent, what comes after `rip=` is Dovecot's. A look-up is
//! `DRIVER(USER,ADDRESS[,<ID>]): WORDS`, where the words may quote a password.

use super::lines::DOVECOT;
use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::format::endpoint::{ANOTHER, Outcome, set_destination, verdict};
use crate::format::token::{Peer, cut, cut_last, ip, number, port, say, trim_start};
use crate::format::{Format, Message, Parser, REPEATED_MAX, Verdict};

pub(in crate::format) static FORMAT: Format = Format {
    name: "dovecot",
    about: "Dovecot: imap_login, pop3_login, sieve_login, smtp_login, mail_auth (look-ups), mail_preauth_close",
    programs: &[
        "dovecot",
        "dovecot-auth",
        "imap-login",
        "pop3-login",
        "managesieve-login",
        "sieve-login",
        "submission-login",
        "auth",
        "auth-worker",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["dovecot", "auth", "mail", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 mail1 dovecot: imap-login: Disconnected (auth failed, 3 attempts in 15 secs): user=<alice>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.2, TLS, session=<9ZHq02g3J8S60fan>",
};

/// The login processes, and what a login to them is called.
const LOGINS: &[(&[u8], &str)] = &[
    (b"imap-login", "imap_login"),
    (b"pop3-login", "pop3_login"),
    (b"managesieve-login", "sieve_login"),
    (b"sieve-login", "sieve_login"),
    (b"submission-login", "smtp_login"),
];

/// How a login process's last words on a connection begin.
const ENDS: &[&[u8]] = &[
    b"Login: ",
    b"Login aborted",
    b"Aborted login",
    b"Disconnected",
    b"Client has quit the connection",
    b"Remote closed connection",
    b"Connection closed",
    b"Logged out",
    b"Maximum number of connections",
    b"Internal login failure",
    b"Login disconnected",
    b"proxy(",
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = message.text;
    let text = text.strip_prefix(b"dovecot: ").unwrap_or(text);
    if let Some(action) = login_of(message.program) {
        return verdict(login(without_level(text), action, event));
    }
    if message.program == b"dovecot"
        && let Some((service, rest)) = cut(text, b": ")
        && let Some(action) = login_of(service)
    {
        return verdict(login(without_level(rest), action, event));
    }
    match verdict(lookup(message.program, text, event)) {
        Verdict::NotMine => match DOVECOT.read(text, event) {
            Verdict::NotMine => verdict(mail_process(text, event)),
            read => read,
        },
        read => read,
    }
}

/// Processes that run for an account that has logged in, or that mail is for.
const FOR_ACCOUNTS: &[&[u8]] = &[
    b"imap",
    b"pop3",
    b"IMAP",
    b"POP3",
    b"lmtp",
    b"lda",
    b"managesieve",
    b"submission",
    b"sieve",
];

/// `imap(USER)<PID><ID>: WORDS`, `pop3(USER): WORDS`, `lmtp(PID, USER): WORDS`:
/// the name is an account's, so the first end of the bracket that is followed
/// as one ends it.
fn mail_process<'a>(text: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (service, rest) = cut(text, b"(").ok_or(ANOTHER)?;
    if !FOR_ACCOUNTS.contains(&service) {
        return Err(ANOTHER);
    }
    let colon = cut(rest, b"): ");
    let (user, words) = match cut(rest, b")<") {
        Some((user, ids)) if colon.is_none_or(|(other, _)| user.len() < other.len()) => {
            (user, cut(ids, b">: ").ok_or(ANOTHER)?.1)
        }
        _ => colon.ok_or(ANOTHER)?,
    };
    let user = cut(user, b", ").map_or(user, |(_, user)| user);
    if number(user).is_some() {
        return Err(ANOTHER);
    }
    let words = without_level(words);
    let ended = ENDS.iter().any(|end| words.starts_with(end));
    let action = if ended { "mail_logout" } else { "mail_session" };
    say(event, action, "unknown", "session");
    event.text(Field::USER_NAME, user);
    Ok(())
}

fn login_of(service: &[u8]) -> Option<&'static str> {
    let found = LOGINS.iter().find(|(name, _)| *name == service)?;
    Some(found.1)
}

fn without_level(text: &[u8]) -> &[u8] {
    [&b"Info: "[..], b"Warning: ", b"Error: ", b"Debug: "]
        .iter()
        .find_map(|level| text.strip_prefix(*level))
        .unwrap_or(text)
}

fn login<'a>(text: &'a [u8], action: &'static str, event: &mut Event<'a>) -> Outcome {
    if !ENDS.iter().any(|end| text.starts_with(end)) {
        return Err(ANOTHER);
    }
    if text.ends_with(b"]") {
        return match memchr::memmem::find(text, b"rip=") {
            None => bracketed_login(text, action, event),
            Some(_) => Err("two addresses that could be meant"),
        };
    }
    let (head, tail) = at_rip(text)?;
    let (words, user, method) = words_and_user(head)?;
    let failed = memchr::memmem::find(words, b"auth failed").is_some()
        || memchr::memmem::find(words, b"(tried to use dis").is_some()
        || memchr::memmem::find(words, b"): Login failed to ").is_some();
    let proxied = memchr::memmem::find(words, b"): started proxying to ").is_some();
    if words == b"Login" || proxied {
        say(event, action, "success", "authentication");
    } else if failed {
        say(event, action, "failure", "authentication");
        event.count = attempts(words);
        event.text(Field::EVENT_REASON, words);
    } else {
        say(event, "mail_preauth_close", "failure", "network");
        event.text(Field::EVENT_REASON, words);
    }
    if let Some(user) = user.filter(|user| !user.is_empty()) {
        event.text(Field::USER_NAME, user);
    }
    if let Some(method) = method {
        event.text(Field::AUTH_METHOD, method);
    }
    ends(tail, event)
}

/// `Login: USER [ADDRESS]`, `WORDS [ADDRESS]`, up to 1.0.
fn bracketed_login<'a>(text: &'a [u8], action: &'static str, event: &mut Event<'a>) -> Outcome {
    let (head, address) = cut_last(text, b" [").ok_or("no rip=")?;
    let address = address.strip_suffix(b"]").and_then(ip);
    let address = address.ok_or("no address in the brackets")?;
    if let Some(user) = head.strip_prefix(b"Login: ") {
        say(event, action, "success", "authentication");
        event.text(Field::USER_NAME, user);
    } else {
        say(event, "mail_preauth_close", "failure", "network");
        event.text(Field::EVENT_REASON, head);
    }
    Peer {
        ip: Some(address),
        port: None,
    }
    .set(event);
    Ok(())
}

/// The text before `rip=` and after it. The user's name comes before the
/// address, so of several the last is Dovecot's; unless the administrator put
/// the user after it (`login_log_format_elements`).
fn at_rip(text: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let first = memchr::memmem::find(text, b"rip=").ok_or("no rip=")?;
    let (head, tail) = cut_last(text, b"rip=").ok_or("no rip=")?;
    let named = memchr::memmem::find(text, b"user=<");
    if head.len() != first && named.is_none_or(|named| named > first) {
        return Err("more than one rip= that could be meant");
    }
    Ok((head, tail))
}

/// Words, user, method.
type Head<'a> = (&'a [u8], Option<&'a [u8]>, Option<&'a [u8]>);

/// `WORDS: [user=<USER>, ][method=M, ]`.
fn words_and_user(head: &[u8]) -> Result<Head<'_>, &'static str> {
    let head = head.strip_suffix(b", ").unwrap_or(head);
    let (head, method) = match cut_last(head, b"method=") {
        Some((head, method))
            if method
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || *b == b'-') =>
        {
            (head.strip_suffix(b", ").unwrap_or(head), Some(method))
        }
        _ => (head, None),
    };
    let method = method.filter(|method| !method.is_empty());
    match cut(head, b"user=<") {
        Some((words, user)) => {
            let user = user.strip_suffix(b">").ok_or("no end of the user's name")?;
            Ok((
                words.strip_suffix(b": ").unwrap_or(words),
                Some(user),
                method,
            ))
        }
        None => Ok((head.strip_suffix(b": ").unwrap_or(head), None, method)),
    }
}

/// `(auth failed, 3 attempts in 15 secs)`: each counts.
fn attempts(words: &[u8]) -> u32 {
    let read = || {
        let (_, rest) = cut(words, b"(auth failed, ")?;
        let (times, _) = cut(rest, b" attempts")?;
        u32::try_from(number(times)?.clamp(1, REPEATED_MAX)).ok()
    };
    read().unwrap_or(1)
}

/// `ADDRESS[, rport=N][, lip=ADDRESS][, lport=N], …[, session=<ID>]`.
fn ends<'a>(tail: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let mut words = tail.split(|&b| b == b',').map(trim_start);
    let address = words.next().and_then(ip).ok_or("rip= is no address")?;
    let mut source = Peer {
        ip: Some(address),
        port: None,
    };
    let mut here = Peer {
        ip: None,
        port: None,
    };
    for word in words {
        if let Some(text) = word.strip_prefix(b"lip=") {
            here.ip = here.ip.or(ip(text));
        } else if let Some(text) = word.strip_prefix(b"rport=") {
            source.port = source.port.or(port(text));
        } else if let Some(text) = word.strip_prefix(b"lport=") {
            here.port = here.port.or(port(text));
        }
    }
    source.set(event);
    set_destination(here, event);
    let session = cut_last(tail, b"session=<").and_then(|(_, id)| id.strip_suffix(b">"));
    if let Some(session) = session.filter(|id| !id.is_empty()) {
        event.text(Field::SESSION_ID, session);
    }
    Ok(())
}

/// How a look-up that failed is told.
const REFUSED: &[&[u8]] = &[
    b"unknown user",
    b"Password mismatch",
    b"pam_authenticate() failed: ",
    b"pam_acct_mgmt() failed: ",
    b"invalid credentials",
    b"user not found",
    b"user disabled",
    b"Login failed",
    b"Authentication failed",
    b"Empty password",
    b"Empty username",
    b"ldap_bind() failed: ",
    b"ldap: ldap_bind() failed: ",
    b"Invalid credentials",
    b"invalid input",
    b"Username contains disallowed character",
    b"Username character disallowed by auth_username_chars",
    b"Attempted login with password having illegal chars",
    b"password mismatch",
    b"Authentication failure due to policy server refusal",
    b"Request timeouted waiting for client to continue authentication",
    b"Request timed out waiting for client to continue authentication",
    b"While processing incoming data: ",
    b"oauth2 failed: ",
    b"allow_nets check failed: ",
    b"No password",
    b"User is missing",
    b"user is disabled",
    b"no such user",
    b"Account is disabled",
    b"Account expired",
    b"Credentials",
];

/// `[PREFIXES: ]DRIVER(USER,ADDRESS[,<ID>]): WORDS`, or since 2.4
/// `auth(USER,ADDRESS,sasl:MECHANISM)<ID>: [Level: ]DRIVER: WORDS`.
fn lookup<'a>(program: &'a [u8], text: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let is_auth = |name: &[u8]| name.starts_with(b"auth") || name == b"dovecot-auth";
    let text = if is_auth(program) {
        text
    } else {
        let end = memchr::memchr2(b':', b'(', text).ok_or(ANOTHER)?;
        let (service, rest) = text.split_at_checked(end).ok_or(ANOTHER)?;
        if !is_auth(service) {
            return Err(ANOTHER);
        }
        rest.strip_prefix(b": ").unwrap_or(rest)
    };
    let text = without_prefixes(text);
    let open = memchr::memchr(b'(', text).ok_or(ANOTHER)?;
    let (driver, rest) = text.split_at_checked(open).ok_or(ANOTHER)?;
    if !driver
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    {
        return Err(ANOTHER);
    }
    let (user, peer, words) = who(rest.get(1..).unwrap_or_default())?;
    let words = without_level(words);
    let words = match cut(words, b": ") {
        Some((driver, rest))
            if REFUSED.iter().any(|known| rest.starts_with(known)) && !driver.contains(&b' ') =>
        {
            rest
        }
        _ => words,
    };
    let known = REFUSED.iter().find(|known| words.starts_with(known));
    let known = known.ok_or(ANOTHER)?;
    say(event, "mail_auth", "failure", "authentication");
    if user != b"?" && !user.is_empty() {
        event.text(Field::USER_NAME, user);
    }
    // The rest may quote what was given as password.
    let quoted = memchr::memmem::find(words, b" (given password").unwrap_or(words.len());
    let reason = if known.ends_with(b": ") { words } else { known };
    event.text(
        Field::EVENT_REASON,
        reason.get(..quoted.min(reason.len())).unwrap_or(reason),
    );
    peer.set(event);
    Ok(())
}

/// The text without levels and services in front: Dovecot's own words.
fn without_prefixes(text: &[u8]) -> &[u8] {
    let mut text = text;
    loop {
        let before = text;
        text = without_level(text);
        // `(default): `, `(304): `. Since 2.4 `sasl:` follows the user and the
        // address, and what looks like these is the user's name.
        if let Some(rest) = text.strip_prefix(b"(")
            && let Some((inside, rest)) = cut(rest, b"): ")
            && inside.iter().all(u8::is_ascii_alphanumeric)
            && memchr::memmem::find(text, b",sasl:").is_none()
        {
            text = rest;
        }
        for service in [&b"auth-worker"[..], b"auth"] {
            if let Some(rest) = text.strip_prefix(service) {
                text = match rest {
                    [b':', b' ', rest @ ..] => rest,
                    [b'(', ..]
                        if !rest
                            .get(..rest.iter().position(|&b| b == b')').unwrap_or(0))
                            .unwrap_or_default()
                            .contains(&b',') =>
                    {
                        rest
                    }
                    [b'<', ..] => cut(rest, b">: ").map_or(text, |(_, rest)| rest),
                    _ => text,
                };
            }
        }
        if let Some((_, rest)) = text
            .strip_prefix(b"conn unix:")
            .and_then(|rest| cut(rest, b"): "))
        {
            text = rest;
        }
        if text.len() == before.len() {
            return text;
        }
    }
}

/// `USER,ADDRESS[,…])[<ID>]: ` where there is only one way to read it, and the
/// words that follow.
fn who(text: &[u8]) -> Result<(&[u8], Peer, &[u8]), &'static str> {
    let mut found = None;
    for at in memchr::memchr_iter(b')', text) {
        let (inside, rest) = text.split_at_checked(at).ok_or(ANOTHER)?;
        let rest = rest.get(1..).unwrap_or_default();
        let after_id = rest
            .strip_prefix(b"<")
            .and_then(|rest| cut(rest, b">"))
            .map_or(rest, |(_, rest)| rest);
        let Some(words) = after_id.strip_prefix(b": ") else {
            continue;
        };
        let Some((user, address)) = user_and_address(inside) else {
            continue;
        };
        if found.is_some() {
            return Err("more than one user and address that could be meant");
        }
        let peer = Peer {
            ip: Some(address),
            port: None,
        };
        found = Some((user, peer, words));
    }
    found.ok_or(ANOTHER)
}

/// `USER,ADDRESS`, `USER,ADDRESS,<ID>`, `USER,ADDRESS,sasl:MECHANISM`.
fn user_and_address(inside: &[u8]) -> Option<(&[u8], std::net::IpAddr)> {
    let (head, last) = cut_last(inside, b",")?;
    if let Some(address) = ip(last) {
        return Some((head, address));
    }
    let extra = last.is_empty() || last.starts_with(b"<") || last.starts_with(b"sasl:");
    let (user, address) = cut_last(head, b",").filter(|_| extra)?;
    Some((user, ip(address)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::endpoint::shown;

    #[test]
    fn a_login_is_told_from_a_failure_and_from_silence() {
        for (text, expected) in [
            (
                "imap-login: Login: user=<a>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1",
                "imap_login|success|a|192.0.2.7|-",
            ),
            (
                "imap-login: Disconnected (auth failed, 2 attempts in 3 secs): user=<a>, rip=192.0.2.7, lip=192.0.2.1",
                "imap_login|failure|a|192.0.2.7|-",
            ),
            (
                "imap-login: Disconnected (no auth attempts in 3 secs): user=<>, rip=192.0.2.7, lip=192.0.2.1",
                "mail_preauth_close|failure|-|192.0.2.7|-",
            ),
            (
                "imap-login: Aborted login (auth failed, 1 attempts): user=<a>, rip=198.51.100.1, lip=x, user=<b>, rip=192.0.2.7",
                "imap_login|failure|a>, rip=198.51.100.1, lip=x, user=<b|192.0.2.7|-",
            ),
            (
                "auth: sql(a,192.0.2.7,<x>): unknown user",
                "mail_auth|failure|a|192.0.2.7|-",
            ),
        ] {
            let (verdict, got) = shown(parse, "dovecot", text);
            assert_eq!(
                (verdict, got.as_str()),
                (Verdict::Event, expected),
                "{text}"
            );
        }
    }

    #[test]
    fn two_addresses_that_could_both_be_meant_are_none() {
        for text in [
            "imap-login: Aborted login (auth failed, 1 attempts): rip=192.0.2.7, user=<a, rip=198.51.100.1>",
            "auth: sql(a,192.0.2.7): unknown user (given password: b,198.51.100.1): x)",
        ] {
            assert!(
                matches!(shown(parse, "dovecot", text).0, Verdict::Malformed(_)),
                "{text}"
            );
        }
    }
}
