//! Access logs of web servers: common and combined, with the virtual host in
//! front, with further fields behind, and those that begin with the stamp.
//!
//! The client chooses the request, the referrer, its own name and even the
//! user that a refused login is logged under, blanks and brackets included.
//! It cannot write a quote (servers escape it), so the first one ends what
//! the server says of the client: the stamp is read from there backwards, the
//! address from the line's beginning.

mod balancer;
mod bracketed;

use super::http::{answered, count, request, status};
use super::token::{Host, cut, first_word, ip, ip_port, once, port, quoted, some, trim_end};
use super::{Context, Format, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::time::Time;

pub(super) static FORMAT: Format = Format {
    name: "access",
    about: "access logs of nginx, Apache and others: common, combined, with virtual host; http_request",
    programs: &[],
    logsources: &[WEBSERVER],
    parse: Parser::Text(parse),
    example: r#"192.0.2.7 - - [06/May/2024:08:00:00 +0000] "GET /index.html HTTP/1.1" 200 612 "-" "curl/8.5.0""#,
};

pub(super) use balancer::{FORMAT as BALANCER, begins as balances, peek_time as balancer_time};

/// The class of every access log.
pub(super) const WEBSERVER: LogSource = LogSource {
    product: "",
    categories: &["webserver"],
    services: &["access"],
};

/// Shortest line: `- - - [06/May/2024:08:00:00] "" 200`.
const SHORTEST: usize = 32;

/// Reads a line of an access log.
pub(super) fn parse<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    if text.len() < SHORTEST || timestamp::slashed(text, context).is_some() {
        return Verdict::NotMine;
    }
    if text.first() == Some(&b'[') {
        return bracketed::parse(text, context, event);
    }
    let Some(((time, _), head)) = stamp(text, context) else {
        return Verdict::NotMine;
    };
    if event.time.is_none() {
        event.time = Some(time);
    }
    match line(head, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// A line at its joints.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    /// The list of addresses in quotes before the client's.
    forwarded: bool,
    /// Host, ident and user.
    client: &'a [u8],
    /// A name between the stamp and the request.
    site: &'a [u8],
    /// The request, its opening quote taken.
    request: &'a [u8],
}

/// The stamp that stands before the request.
pub(super) fn stamp<'a>(text: &'a [u8], context: &Context) -> Option<((Time, &'a [u8]), Head<'a>)> {
    let (forwarded, text) = match text.strip_prefix(b"\"") {
        // `"$http_x_forwarded_for" $remote_addr …`.
        Some(list) => (true, quoted(list)?.1.strip_prefix(b" ")?),
        None => (false, text),
    };
    // Apache writes the empty user as `""`.
    let from = quoted(text)?.0.len();
    let (from, end) = match text.get(from..)? {
        [b'"', b'"', b' ', b'[', after @ ..] => {
            let next = from + 4 + quoted(after)?.0.len();
            (from, next)
        }
        _ => (from, from),
    };
    let head = text.get(..end)?.strip_suffix(b" ")?;
    let (head, site) = match head {
        [.., b']'] => (head, &[][..]),
        _ => super::token::last_word(head),
    };
    let open = memchr::memrchr(b'[', head)?;
    let (time, rest) = timestamp::clf(head.get(open + 1..)?, context)?;
    let ended = matches!(rest, b"]" | b" ]");
    let head = Head {
        forwarded,
        client: trim_end(head.get(..open.min(from))?),
        site,
        request: text.get(end + 1..)?,
    };
    ended.then_some(((time, rest), head))
}

fn line<'a>(head: Head<'a>, event: &mut Event<'a>) -> Result<(), &'static str> {
    let (asked, rest) = quoted(head.request).ok_or("the request's quote does not end")?;
    let (word, rest) = first_word(
        rest.strip_prefix(b" ")
            .ok_or("no status after the request")?,
    );
    let status = status(word)?;
    let (word, rest) = first_word(rest);
    let bytes = count(word);
    answered(status, event);
    client(head, event)?;
    site(head.site, event);
    request(asked, event);
    if let Ok(Some(bytes)) = bytes {
        event.set(Field::HTTP_RESPONSE_BYTES, Value::Int(bytes));
    }
    if bytes.is_ok() {
        let (referrer, rest) = text_or_dash(rest);
        some(event, Field::HTTP_REFERRER, referrer);
        some(event, Field::USER_AGENT, text_or_dash(rest).0);
    }
    Ok(())
}

/// A quoted text, the `-` of none, or nothing where other fields begin; a
/// quote that does not end was cut off with the line.
fn text_or_dash(text: &[u8]) -> (&[u8], &[u8]) {
    match text {
        [b'"', inner @ ..] => {
            let (inner, rest) = quoted(inner).unwrap_or((inner, &[]));
            (inner, rest.strip_prefix(b" ").unwrap_or(rest))
        }
        [b'-', b' ', rest @ ..] => (b"-", rest),
        _ => (&[], &[]),
    }
}

/// Who asked: `HOST IDENT USER`, or `SITE HOST IDENT USER`.
fn client<'a>(head: Head<'a>, event: &mut Event<'a>) -> Result<(), &'static str> {
    let (first, rest) = first_word(head.client);
    let (second, user) = first_word(rest);
    if first.ends_with(b",") {
        return forwarded(rest, event);
    }
    if head.forwarded && ip(first).is_none() {
        return Err("no address after the list of proxies");
    }
    let has_site = ip(second).is_some() && cut(user, b" ").is_some();
    if ip(second).is_some() && !has_site && ip(first).is_none() && ip_port(first).is_none() {
        return Err("two hosts, and which of them is the client's cannot be told");
    }
    if !has_site {
        from(first, event)?;
        some(event, Field::USER_NAME, user);
        return Ok(());
    }
    if ip(first).is_some() {
        // The site that the client asked for, or what its identd answered.
        return Err("two addresses, and which of them is the client's cannot be told");
    }
    site(first, event);
    from(second, event)?;
    let (_, user) = first_word(user);
    some(event, Field::USER_NAME, user);
    Ok(())
}

/// Behind proxies, `A, B, C [ADDRESS] IDENT USER`: whoever asks writes the
/// list's beginning, so that only the address after it is anybody's.
fn forwarded<'a>(list: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let mut rest = list;
    // Ten proxies are more than anybody has; a longer list is an attack.
    for _ in 0..10 {
        let (word, after) = first_word(rest);
        rest = after;
        if !word.ends_with(b",") {
            let (peer, user) = first_word(rest);
            if let Some(address) = ip(peer) {
                event.set(Field::SOURCE_IP, Value::Ip(address));
                some(event, Field::USER_NAME, first_word(user).1);
            } else {
                some(event, Field::USER_NAME, user);
            }
            return Ok(());
        }
    }
    Err("a list of more than ten proxies")
}

/// The client's host; `-` and the socket of a proxy beside the server are none.
fn from<'a>(host: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    if matches!(host, b"-" | b"unix:" | b"unknown") {
        return Ok(());
    }
    if let Some(host) = Host::read(host) {
        host.set(event);
        return Ok(());
    }
    let (address, port) = ip_port(host).ok_or("no host where the client's belongs")?;
    event.set(Field::SOURCE_IP, Value::Ip(address));
    event.set(Field::SOURCE_PORT, Value::Int(i64::from(port)));
    Ok(())
}

/// The virtual host that answered, with or without its port.
fn site<'a>(text: &'a [u8], event: &mut Event<'a>) {
    let (name, number) = match super::token::cut_last(text, b":") {
        Some((name, number)) if port(number).is_some() && !name.is_empty() => (name, port(number)),
        _ => (text, None),
    };
    if name.is_empty() || name == b"-" {
        return;
    }
    // Even where it looks like an address: the client chose it.
    once(event, Field::DESTINATION_DOMAIN, Value::Text(name));
    once(event, Field::URL_DOMAIN, Value::Text(name));
    if let Some(number) = number {
        once(
            event,
            Field::DESTINATION_PORT,
            Value::Int(i64::from(number)),
        );
    }
}

#[cfg(test)]
mod tests;
