//! Access logs that begin with the stamp: Nginx Proxy Manager's, Apache's
//! `ssl_request_log`, and the like.

use super::site;
use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::http::{answered, count, request, status, target};
use crate::format::token::{cut, first_word, ip, last_word, number, quoted, some};
use crate::format::{Context, Verdict, timestamp};

pub(super) fn parse<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    let Some((time, rest)) = text
        .strip_prefix(b"[")
        .and_then(|text| timestamp::clf(text, context))
    else {
        return Verdict::NotMine;
    };
    let Some((head, rest)) = rest.strip_prefix(b"] ").and_then(|rest| cut(rest, b" \"")) else {
        return Verdict::NotMine;
    };
    if head.first() == Some(&b'[') {
        return Verdict::NotMine;
    }
    if event.time.is_none() {
        event.time = Some(time);
    }
    let Some((asked, rest)) = quoted(rest) else {
        return Verdict::Malformed("the request's quote does not end");
    };
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let read = match rest.strip_prefix(b"[Client ") {
        Some(client) => managed(head, asked, client, event),
        None => plain(head, asked, rest, event),
    };
    match read {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `[CACHE UPSTREAM] STATUS - METHOD SCHEME HOST "URI" [Client A] [Length N]
/// [Gzip G] [Sent-to S] "USER AGENT" "REFERRER"`.
fn managed<'a>(
    head: &'a [u8],
    asked: &'a [u8],
    client: &'a [u8],
    event: &mut Event<'a>,
) -> Result<(), &'static str> {
    let (head, host) = last_word(head);
    let (head, scheme) = last_word(head);
    let (head, method) = last_word(head);
    let (head, dash) = last_word(head);
    let (_, word) = last_word(head);
    if dash != b"-" {
        return Err("no status where the proxy manager's belongs");
    }
    let status = status(word)?;
    let (address, rest) = cut(client, b"] [Length ").ok_or("no length after the client")?;
    let address = ip(address).ok_or("the client is no address")?;
    let (length, rest) = cut(rest, b"]").ok_or("the length does not end")?;
    let length = count(length)?;
    answered(status, event);
    event.set(Field::SOURCE_IP, Value::Ip(address));
    some(event, Field::HTTP_METHOD, method);
    some(event, Field::URL_SCHEME, scheme);
    site(host, event);
    target(asked, false, event);
    if let Some(length) = length {
        event.set(Field::HTTP_RESPONSE_BYTES, Value::Int(length));
    }
    // `[Gzip G]` and `[Sent-to S]` are the proxy's, and have no quotes.
    if let Some((agent, rest)) = cut(rest, b" \"").and_then(|(_, rest)| quoted(rest)) {
        some(event, Field::USER_AGENT, agent);
        let referrer = rest.strip_prefix(b" \"").and_then(quoted);
        some(event, Field::HTTP_REFERRER, referrer.unwrap_or_default().0);
    }
    Ok(())
}

/// `[SITE] ADDRESS … "REQUEST" [STATUS] BYTES`: the only address before the
/// request is the client's; a second one could be the site it asked for.
fn plain<'a>(
    head: &'a [u8],
    asked: &'a [u8],
    rest: &'a [u8],
    event: &mut Event<'a>,
) -> Result<(), &'static str> {
    let mut words = head.split(|&b| b == b' ');
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    let (name, address) = match (ip(first), ip(second)) {
        (Some(address), None) => (&b"-"[..], address),
        (None, Some(address)) => (first, address),
        (Some(_), Some(_)) => {
            return Err("two addresses, and which is the client's cannot be told");
        }
        (None, None) => return Err("no address after the stamp"),
    };
    if words.any(|word| ip(word).is_some()) {
        return Err("two addresses, and which is the client's cannot be told");
    }
    let (one, rest) = first_word(rest);
    let (two, rest) = first_word(rest);
    let (status, bytes) = match (status(one), count(two)) {
        (Ok(status), Ok(bytes)) => (status, bytes),
        _ => (None, count(one)?),
    };
    answered(status, event);
    event.set(Field::SOURCE_IP, Value::Ip(address));
    site(name, event);
    request(asked, event);
    if let Some(bytes) = bytes {
        event.set(Field::HTTP_RESPONSE_BYTES, Value::Int(bytes));
    }
    // `LENGTH REFERRER USER AGENT`, without quotes, to the line's end.
    let (length, rest) = first_word(rest);
    if number(length).is_some() {
        let (referrer, agent) = first_word(rest);
        some(event, Field::HTTP_REFERRER, referrer);
        some(event, Field::USER_AGENT, agent);
    }
    Ok(())
}
