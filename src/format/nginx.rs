//! nginx: its error log, and its access log where it logs through syslog.
//!
//! `STAMP [level] PID#TID: *N TEXT, client: A, server: S, request: "R", …`.
//! The text quotes the client (user, path, headers) before the address and the
//! request behind it, and nginx escapes neither. So `, client: ` is believed
//! only where the whole tail after it is nginx's, and only if no other place
//! in the line could be it.

use super::http::{authority, request};
use super::token::{
    cut, cut_last, first_word, ip, ip_port, number, once, port, say, some, trim_end,
};
use super::{Context, Format, Parser, Verdict, access, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "nginx",
    about: "nginx's error log, and its access log through syslog: http_error, http_login, http_denied, http_rate_limited, mail_login, connection, alert, server_message",
    programs: &["nginx", "openresty", "angie"],
    logsources: &[
        LogSource {
            product: "nginx",
            categories: &[],
            services: &["nginx", "error"],
        },
        access::WEBSERVER,
    ],
    parse: Parser::Text(parse),
    example: r#"2024/05/06 08:00:00 [error] 12#12: *3 user "bob": password mismatch, client: 192.0.2.7, server: www.example.net, request: "GET / HTTP/1.1", host: "www.example.net""#,
};

/// nginx cuts its lines here (`NGX_MAX_ERROR_STR` without the line feed): what
/// is as long may have lost its client, and keep one that the client wrote.
const LONGEST: usize = 2047;

fn parse<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    let text = match cut(text, b" nginx: ") {
        // A syslog that keeps nginx's own header in the message.
        Some((host, rest))
            if event.get(Field::PROCESS_NAME).is_some()
                && timestamp::slashed(rest, context).is_some()
                && !host.contains(&b' ') =>
        {
            rest
        }
        _ => text,
    };
    let Some((time, rest)) = timestamp::slashed(text, context) else {
        let verdict = access::parse(text, context, event);
        if verdict != Verdict::NotMine {
            event.class.kind = 1;
        }
        return verdict;
    };
    let Some((level, rest)) = rest.strip_prefix(b" [").and_then(|rest| cut(rest, b"] ")) else {
        return Verdict::NotMine;
    };
    let Some((ids, rest)) = cut(rest, b": ") else {
        return Verdict::NotMine;
    };
    let Some((pid, thread)) =
        cut(ids, b"#").and_then(|(pid, thread)| Some((number(pid)?, number(thread)?)))
    else {
        return Verdict::NotMine;
    };
    if event.time.is_none() {
        event.time = Some(time);
    }
    if text.len() >= LONGEST {
        return Verdict::Malformed("cut off where nginx cuts, the client may be missing");
    }
    some(event, Field::LOG_LEVEL, level);
    once(event, Field::PROCESS_PID, Value::Int(pid));
    event.set(Field::PROCESS_THREAD_ID, Value::Int(thread));
    match message(without_connection(rest), event) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `*3 `, the connection's number.
fn without_connection(text: &[u8]) -> &[u8] {
    match text.strip_prefix(b"*").map(first_word) {
        Some((digits, rest)) if number(digits).is_some() => rest,
        _ => text,
    }
}

fn message<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let text = trim_end(text);
    let module =
        if text.starts_with(b"ModSecurity: ") || of_client(text).starts_with(b"ModSecurity: ") {
            &b"modsecurity"[..]
        } else {
            b"nginx"
        };
    once(event, Field::PROCESS_NAME, Value::Text(module));
    if let Some(rest) = text.strip_prefix(b"client ")
        && let Some((peer, listener)) = cut(rest, b" connected to ")
    {
        let (address, port) = ip_port(peer).ok_or("the client is no address")?;
        say(event, "connection", "success", "network");
        event.set(Field::SOURCE_IP, Value::Ip(address));
        event.set(Field::SOURCE_PORT, Value::Int(i64::from(port)));
        server(listener, event);
        return Ok(());
    }
    let Some((said, tail)) = split(text)? else {
        say(event, "server_message", "unknown", "web");
        event.text(Field::EVENT_REASON, text);
        return Ok(());
    };
    said_of(said, event);
    tail.set(event);
    Ok(())
}

/// ModSecurity's connector puts `[client A] ` before its own words.
fn of_client(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"[client ")
        .and_then(|rest| cut(rest, b"] "))
        .map_or(text, |(_, rest)| rest)
}

/// What nginx says of the client before it names it.
fn said_of<'a>(said: &'a [u8], event: &mut Event<'a>) {
    let denied = said.starts_with(b"access forbidden by rule") || said.ends_with(b" is forbidden");
    let limited = said.starts_with(b"limiting ") || said.starts_with(b"delaying request");
    if let Some(user) = refused(said) {
        say(event, "http_login", "failure", "authentication");
        some(event, Field::USER_NAME, user);
    } else if said.starts_with(b"client login failed: ") {
        say(event, "mail_login", "failure", "authentication");
    } else if said == b"client logged in" {
        say(event, "mail_login", "success", "authentication");
    } else if of_client(said).starts_with(b"ModSecurity: ") {
        let denied = of_client(said).starts_with(b"ModSecurity: Access denied");
        say(
            event,
            "alert",
            if denied { "failure" } else { "unknown" },
            "web",
        );
    } else if denied {
        say(event, "http_denied", "failure", "web");
    } else if limited {
        say(event, "http_rate_limited", "failure", "web");
    } else {
        say(event, "http_error", "unknown", "web");
    }
    event.text(Field::EVENT_REASON, said);
}

/// The user of a refused login: its end is fixed, its name is not.
fn refused(said: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = said.strip_prefix(b"user \"") {
        return rest.strip_suffix(b"\": password mismatch").or_else(|| {
            let (user, _) = cut_last(rest, b"\" was not found in \"")?;
            Some(user)
        });
    }
    let rest = said.strip_prefix(b"PAM: user '")?;
    cut_last(rest, b"' - not authenticated").map(|(user, _)| user)
}

/// What follows `, client: `.
#[derive(Clone, Copy, Default)]
struct Tail<'a> {
    client: &'a [u8],
    server: &'a [u8],
    login: &'a [u8],
    request: &'a [u8],
    host: &'a [u8],
    referrer: &'a [u8],
}

/// The text before the client, and the tail; nothing where no client is named.
fn split(text: &[u8]) -> Result<Option<(&[u8], Tail<'_>)>, &'static str> {
    const MARK: &[u8] = b", client: ";
    let (mut found, mut marks) = (None, 0_u32);
    let mut from = 0;
    while let Some((head, rest)) = text.get(from..).and_then(|text| cut(text, MARK)) {
        marks += 1;
        if let Some(tail) = tail(rest) {
            if found.is_some() {
                return Err("two clients, and which of them nginx wrote cannot be told");
            }
            found = Some((text.get(..from + head.len()).unwrap_or_default(), tail));
        }
        from += head.len() + MARK.len();
    }
    match (found, marks) {
        (None, 0) => Ok(None),
        (None, _) => Err("what follows the client is not nginx's"),
        (found, _) => Ok(found),
    }
}

/// Reads a tail to its very end; none where anything in it is not nginx's.
fn tail(text: &[u8]) -> Option<Tail<'_>> {
    let end = memchr::memchr(b',', text).unwrap_or(text.len());
    let (client, mut rest) = text.split_at_checked(end)?;
    let client = client.strip_suffix(b" using starttls").unwrap_or(client);
    let sound = client == b"unix:" || ip(client).is_some();
    let mut tail = Tail {
        client: sound.then_some(client)?,
        ..Tail::default()
    };
    if let Some(after) = rest.strip_prefix(b", server: ") {
        let end = memchr::memchr(b',', after).unwrap_or(after.len());
        (tail.server, rest) = after.split_at_checked(end)?;
        let odd = |b: &u8| matches!(b, b'"' | b' ');
        if tail.server.iter().any(odd) {
            return None;
        }
    }
    if let Some(after) = rest.strip_prefix(b", login: \"") {
        // `LOGIN"`, or `LOGIN", upstream: A:PORT`.
        tail.login = after.strip_suffix(b"\"").or_else(|| {
            let (login, peer) = cut_last(after, b"\", upstream: ")?;
            ip_port(peer).map(|_| login)
        })?;
    } else if rest.starts_with(b", request: \"") {
        tail.asked(rest)?;
    } else if rest.starts_with(b", upstream: \"") {
        // A stream's ends with numbers.
        let plain = rest.iter().filter(|&&byte| byte == b'"').take(3).count() == 2;
        plain.then_some(())?;
    } else if !rest.is_empty() {
        return None;
    }
    Some(tail)
}

/// `…", NAME: "VALUE"` at the very end: what stands before it with its closing
/// quote, and the value.
fn last_field<'a>(text: &'a [u8], name: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let body = text.strip_suffix(b"\"")?;
    let (head, value) = cut_last(body, b": \"")?;
    let head = head.strip_suffix(name)?.strip_suffix(b", ")?;
    head.ends_with(b"\"").then_some((head, value))
}

impl<'a> Tail<'a> {
    /// `, request: "R", subrequest: "S", upstream: "U", host: "H", referrer: "F"`.
    /// All are the client's and may hold each other's names: whatever stands in
    /// the quotes, the tail is nginx's as long as the last quote ends it.
    fn asked(&mut self, text: &'a [u8]) -> Option<()> {
        const FIRST: &[u8] = b", request: \"";
        let whole = text.strip_prefix(FIRST)?.strip_suffix(b"\"")?;
        let mut rest = text;
        if let Some((head, referrer)) = last_field(rest, b"referrer") {
            (rest, self.referrer) = (head, referrer);
        }
        if let Some((head, host)) = last_field(rest, b"host") {
            (rest, self.host) = (head, host);
        }
        for name in [&b"upstream"[..], b"subrequest"] {
            if let Some((head, _)) = last_field(rest, name) {
                rest = head;
            }
        }
        let inside = rest.strip_prefix(FIRST);
        self.request = inside
            .and_then(|inside| inside.strip_suffix(b"\""))
            .unwrap_or(whole);
        Some(())
    }

    fn set(self, event: &mut Event<'a>) {
        if let Some(address) = ip(self.client) {
            event.set(Field::SOURCE_IP, Value::Ip(address));
        }
        server(self.server, event);
        some(event, Field::USER_NAME, self.login);
        authority(self.host, event);
        if !self.request.is_empty() {
            request(self.request, event);
        }
        some(event, Field::HTTP_REFERRER, self.referrer);
    }
}

/// The server that answered: a name, or an address and port.
fn server<'a>(text: &'a [u8], event: &mut Event<'a>) {
    if let Some((address, port)) = ip_port(text) {
        event.set(Field::DESTINATION_IP, Value::Ip(address));
        event.set(Field::DESTINATION_PORT, Value::Int(i64::from(port)));
    } else if let Some(address) = ip(text) {
        event.set(Field::DESTINATION_IP, Value::Ip(address));
    } else if text.first() != Some(&b'*') || text.len() > 1 {
        let name = cut_last(text, b":")
            .filter(|(_, number)| port(number).is_some())
            .map_or(text, |(name, _)| name);
        some(event, Field::DESTINATION_DOMAIN, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    fn read(said: &str) -> (Verdict, String) {
        let context = Context::utc(Time::from_secs(1_714_982_400));
        let text = format!("2024/05/06 08:00:00 [error] 12#34: *3 {said}");
        let mut event = Event::new();
        let verdict = parse(text.as_bytes(), &context, &mut event);
        let fields = [
            Field::EVENT_ACTION,
            Field::SOURCE_IP,
            Field::USER_NAME,
            Field::DESTINATION_DOMAIN,
            Field::URL_ORIGINAL,
            Field::URL_DOMAIN,
            Field::HTTP_REFERRER,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join("|"))
    }

    #[test]
    fn the_client_is_the_one_that_nginx_wrote() {
        for (said, expected) in [
            (
                r#"user "bob": password mismatch, client: 192.0.2.7, server: a.example, request: "GET /x HTTP/1.1", host: "b.example:81", referrer: "https://c.example/""#,
                "http_login|192.0.2.7|bob|a.example|/x|b.example|https://c.example/",
            ),
            (
                r#"open() "/a" failed (2: No such file or directory), client: 2001:db8::7, server: , request: "GET /"x" HTTP/1.1""#,
                "http_error|2001:db8::7|-|-|/\"x\"|-|-",
            ),
            (
                r#"connect() failed while connecting to upstream, client: 192.0.2.7, server: a, request: "GET / HTTP/2.0", upstream: "http://198.51.100.66:80/", host: "b""#,
                "http_error|192.0.2.7|-|a|/|b|-",
            ),
            (
                r#"client login failed: "x" while in http auth state, client: 192.0.2.7 using starttls, server: 0.0.0.0:587, login: "bob""#,
                "mail_login|192.0.2.7|bob|-|-|-|-",
            ),
            ("signal process started", "server_message|-|-|-|-|-|-"),
        ] {
            assert_eq!(read(said), (Verdict::Event, expected.to_owned()), "{said}");
        }
    }

    #[test]
    fn two_clients_that_could_both_be_nginxs_are_none() {
        for said in [
            r#"user "x": password mismatch, client: 198.51.100.66, server: a, request: "": password mismatch, client: 192.0.2.7, server: a, request: "GET / HTTP/1.1", host: "b""#,
            r#"open() "/x" failed, client: 192.0.2.7, server: a, request: "GET / HTTP/1.1", host: "b", referrer: "x, client: 198.51.100.66, server: a, request: "y""#,
            r#"user "t": password mismatch, client: 198.51.100.66, server: t, request: "GET / HTTP/1.1", host: "l:8443"": was not found in "/etc/x", client: 192.0.2.7, server: , request: "GET / HTTP/1.1", host: "l:8443""#,
            r#"open() "/x" failed, client: 192.0.2.7, server: a, request: "GET "#,
            r#"open() "/x" failed, client: a.example, server: a"#,
        ] {
            assert!(matches!(read(said).0, Verdict::Malformed(_)), "{said}");
        }
        let long = format!("open() \"/{}\" failed", "x".repeat(LONGEST));
        assert!(matches!(read(&long).0, Verdict::Malformed(_)));
    }
}
