//! Access logs of what stands before web servers: Amazon's load balancers and
//! S3, and Envoy's text.
//!
//! The address is read from the line's beginning, or where Envoy writes the
//! socket's; the list that the client's header begins is skipped.

use super::WEBSERVER;
use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::http::{answered, count, request, status};
use crate::format::token::{cut, first_word, ip, ip_port, once, quoted, some};
use crate::format::{Context, Format, Parser, Verdict, ends, timestamp};
use crate::time::Time;

pub(in crate::format) static FORMAT: Format = Format {
    name: "balancer",
    about: "access logs of AWS' load balancers, S3 and Envoy: http_request",
    programs: &[],
    logsources: &[WEBSERVER],
    parse: Parser::Text(parse),
    example: r#"https 2024-05-06T08:00:00.123456Z app/web/50dc6c495c0c9188 192.0.2.7:4711 198.51.100.5:80 0.001 0.002 0.000 200 200 34 366 "GET https://www.example.com:443/x?y=1 HTTP/1.1" "curl/8.5.0" - -"#,
};

/// What may stand before an application load balancer's stamp.
const KINDS: [&[u8]; 6] = [b"http", b"https", b"h2", b"grpcs", b"ws", b"wss"];

/// Whether a line begins with an ISO stamp, a name and an address with its
/// port, as a classic load balancer's does and no syslog's.
pub(in crate::format) fn begins(line: &[u8]) -> bool {
    if line.get(10) != Some(&b'T') || line.get(4) != Some(&b'-') {
        return false;
    }
    let (_, rest) = first_word(line);
    let (name, rest) = first_word(rest);
    // CoreDNS has its level in brackets there.
    !name.starts_with(b"[")
        && rest.first().is_some_and(u8::is_ascii_digit)
        && ip_port(first_word(rest).0).is_some()
}

/// Only the stamp.
pub(in crate::format) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    let line = match line.first()? {
        b'[' | b'A' => return envoy_stamp(line, context).map(|(time, _)| time),
        b'0'..=b'9' if begins(line) => line,
        _ => first_word(line).1,
    };
    if let Some((_, rest)) = bucket(line) {
        return timestamp::clf(rest, context).map(|(time, _)| time);
    }
    timestamp::iso(line, context).map(|(time, _)| time)
}

fn parse<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    let read = match text.first() {
        Some(b'[' | b'A') => envoy(text, context, event),
        Some(b'0'..=b'9' | b'a'..=b'f' | b'g' | b'h' | b'w') => {
            let (first, rest) = first_word(text);
            if KINDS.contains(&first) {
                balanced(rest, context, event)
            } else if begins(text) {
                balanced(text, context, event)
            } else if first.len() == 64 && first.iter().all(u8::is_ascii_hexdigit) {
                stored(rest, context, event)
            } else {
                None
            }
        }
        _ => None,
    };
    match read {
        None => Verdict::NotMine,
        Some(Ok(())) => Verdict::Event,
        Some(Err(reason)) => Verdict::Malformed(reason),
    }
}

type Read = Option<Result<(), &'static str>>;

/// `STAMP NAME CLIENT TARGET T T T STATUS STATUS RECEIVED SENT "REQUEST" "UA" …`.
fn balanced<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Read {
    let (time, rest) = timestamp::iso(text, context)?;
    let (_name, rest) = first_word(rest.strip_prefix(b" ")?);
    let (client, rest) = first_word(rest);
    let (address, port) = ip_port(client)?;
    event.time = event.time.or(Some(time));
    Some(answer(address, port, rest, event))
}

fn answer<'a>(
    address: std::net::IpAddr,
    port: u16,
    text: &'a [u8],
    event: &mut Event<'a>,
) -> Result<(), &'static str> {
    let (to, mut rest) = first_word(text);
    for _ in 0..3 {
        rest = first_word(rest).1;
    }
    let (word, rest) = first_word(rest);
    let status = status(word)?;
    let (_backend, rest) = first_word(rest);
    let (_received, rest) = first_word(rest);
    let (sent, rest) = first_word(rest);
    let sent = count(sent)?;
    answered(status, event);
    event.set(Field::SOURCE_IP, Value::Ip(address));
    event.set(Field::SOURCE_PORT, Value::Int(i64::from(port)));
    if let Some((address, port)) = ip_port(to) {
        event.set(Field::DESTINATION_IP, Value::Ip(address));
        event.set(Field::DESTINATION_PORT, Value::Int(i64::from(port)));
    }
    if let Some(sent) = sent {
        event.set(Field::HTTP_RESPONSE_BYTES, Value::Int(sent));
    }
    let inside = rest.strip_prefix(b"\"").ok_or("no request")?;
    let (asked, rest) = quoted(inside).ok_or("the request's quote does not end")?;
    // `- - - ` where the client sent none.
    request(asked.strip_suffix(b" ").unwrap_or(asked), event);
    if let Some((agent, _)) = rest.strip_prefix(b" \"").and_then(quoted) {
        some(event, Field::USER_AGENT, agent);
    }
    Ok(())
}

/// The bucket, and what follows the bracket of the stamp.
fn bucket(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (bucket, rest) = first_word(text);
    Some((bucket, rest.strip_prefix(b"[")?))
}

/// `BUCKET [STAMP] IP REQUESTER ID OPERATION KEY "REQUEST" STATUS ERROR SENT …`.
fn stored<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Read {
    let (bucket, rest) = bucket(text)?;
    let (time, rest) = timestamp::clf(rest, context)?;
    let (address, rest) = first_word(rest.strip_prefix(b"] ")?);
    let (requester, rest) = first_word(rest);
    event.time = event.time.or(Some(time));
    let Some((_, inside)) = cut(rest, b" \"") else {
        return Some(Err("no request"));
    };
    let Some((asked, rest)) = quoted(inside) else {
        return Some(Err("the request's quote does not end"));
    };
    let (word, rest) = first_word(rest.strip_prefix(b" ").unwrap_or(rest));
    let (_error, rest) = first_word(rest);
    let (Ok(status), sent) = (status(word), first_word(rest).0) else {
        return Some(Err("no status after the request"));
    };
    answered(status, event);
    if let Some(address) = ip(address) {
        event.set(Field::SOURCE_IP, Value::Ip(address));
    }
    some(event, Field::USER_NAME, requester);
    some(event, Field::DESTINATION_DOMAIN, bucket);
    request(asked, event);
    if let Ok(Some(sent)) = count(sent) {
        event.set(Field::HTTP_RESPONSE_BYTES, Value::Int(sent));
    }
    Some(Ok(()))
}

/// `[2024-05-06T08:00:00.123Z] "`.
fn envoy_stamp<'a>(text: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    let inside = text.strip_prefix(b"ACCESS ").unwrap_or(text);
    let inside = inside.strip_prefix(b"[")?;
    if inside.get(10) != Some(&b'T') {
        return None;
    }
    let (time, rest) = timestamp::iso(inside, context)?;
    Some((time, rest.strip_prefix(b"] \"")?))
}

/// `[STAMP] "REQUEST" CODE FLAGS [DETAILS …] RX TX … "XFF" "UA" "ID" "HOST" "UPSTREAM" …`.
fn envoy<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Read {
    let (time, inside) = envoy_stamp(text, context)?;
    let (asked, rest) = quoted(inside)?;
    let (word, rest) = first_word(rest.strip_prefix(b" ")?);
    let status = status(word).ok()?;
    event.time = event.time.or(Some(time));
    answered(status, event);
    request(asked, event);
    Some(envoy_tail(rest, event))
}

fn envoy_tail<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    // The texts in quotes; Istio has one more, the upstream's failure, first.
    let mut texts: [&[u8]; 6] = [&[]; 6];
    let (mut rest, mut n) = (text, 0);
    let mut numbers = text;
    while let Some((before, inside)) = cut(rest, b"\"") {
        let (value, after) = quoted(inside).ok_or("a quote does not end")?;
        if let Some(slot) = texts.get_mut(n) {
            *slot = value;
        }
        if n == 0 && !before.ends_with(b"- ") || n == 1 && texts.first() == Some(&&b"-"[..]) {
            numbers = before;
        }
        n += 1;
        rest = after;
    }
    let mut counts = numbers
        .split(|&b| b == b' ')
        .filter_map(crate::format::token::number);
    let (_received, sent) = (counts.next(), counts.next());
    if let Some(sent) = sent {
        once(event, Field::HTTP_RESPONSE_BYTES, Value::Int(sent));
    }
    let [.., host, upstream] = texts.get(..n.min(6)).unwrap_or_default() else {
        return Ok(());
    };
    some(event, Field::URL_DOMAIN, host);
    if let Some((address, port)) = ip_port(upstream) {
        event.set(Field::DESTINATION_IP, Value::Ip(address));
        event.set(Field::DESTINATION_PORT, Value::Int(i64::from(port)));
    }
    if let Some(agent) = n.checked_sub(4).and_then(|at| texts.get(at)) {
        some(event, Field::USER_AGENT, agent);
    }
    // Istio: the cluster, our end to the upstream, our own end, the client's.
    let client = rest.split(|&b| b == b' ').filter(|w| !w.is_empty()).nth(3);
    if let Some(end) = client
        .filter(|word| ip_port(word).is_some())
        .and_then(ends::end)
    {
        ends::source(end, true, event);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Verdict, String) {
        let context = Context::utc(Time::from_secs(1_714_982_400));
        let mut event = Event::new();
        let verdict = parse(text.as_bytes(), &context, &mut event);
        let fields = [
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::DESTINATION_IP,
            Field::HTTP_METHOD,
            Field::URL_PATH,
            Field::HTTP_STATUS,
            Field::HTTP_RESPONSE_BYTES,
            Field::USER_AGENT,
        ];
        (verdict, fields.map(|field| event.shown(field)).join("|"))
    }

    #[test]
    fn lines_of_every_balancer() {
        for (text, expected) in [
            (
                FORMAT.example,
                "192.0.2.7|4711|198.51.100.5|GET|/x|200|366|curl/8.5.0",
            ),
            (
                r#"2024-05-06T08:00:00.1Z elb 192.0.2.7:4711 - -1 -1 -1 504 0 0 0 "GET http://a.example:80/ HTTP/1.1" "-" - -"#,
                "192.0.2.7|4711|-|GET|/|504|0|-",
            ),
            (
                r#"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be b [06/May/2024:08:00:00 +0000] 192.0.2.7 - ID REST.GET.OBJECT k "GET /k HTTP/1.1" 403 AccessDenied 243 - 7 - "-" "x" -"#,
                "192.0.2.7|-|-|GET|/k|403|243|-",
            ),
            (
                r#"[2024-05-06T08:00:00.123Z] "GET /x HTTP/1.1" 200 - 0 612 5 4 "203.0.113.66" "curl" "id" "a.example" "198.51.100.5:80""#,
                "-|-|198.51.100.5|GET|/x|200|612|curl",
            ),
            (
                r#"[2024-05-06T08:00:00.123Z] "GET /x HTTP/1.1" 200 - via_upstream - "-" 0 612 5 4 "203.0.113.66" "curl" "id" "a.example" "198.51.100.5:80" outbound|80||web 198.51.100.1:1 198.51.100.2:80 192.0.2.7:5555 - default"#,
                "192.0.2.7|5555|198.51.100.5|GET|/x|200|612|curl",
            ),
        ] {
            assert_eq!(read(text), (Verdict::Event, expected.to_owned()), "{text}");
        }
        for text in [
            "http is a protocol",
            "[2024] x",
            "2024-05-06T08:00:00Z host sshd[7]: x",
        ] {
            assert_eq!(read(text).0, Verdict::NotMine, "{text}");
        }
    }
}
