//! HAProxy: its HTTP, HTTPS and TCP logs, the short line of `option
//! dontlognull`-less connections, and connections that failed.
//!
//! `A:PORT [STAMP] FRONTEND BACKEND/SERVER TIMES …`: everything up to the
//! captured headers is HAProxy's own, and it is read from the beginning. The
//! request comes last; neither it nor the headers have quotes inside (they are
//! written `#22`).

use super::http::{answered, request, status};
use super::token::{cut, cut_last, first_word, ip_port, number, say, some, trim_end};
use super::{Context, Format, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::time::Time;

pub(super) static FORMAT: Format = Format {
    name: "haproxy",
    about: "HAProxy's HTTP and TCP logs: http_request, connection, tls_handshake",
    programs: &["haproxy", "hapee-lb"],
    logsources: &[
        LogSource {
            product: "haproxy",
            categories: &["webserver", "proxy"],
            services: &["haproxy"],
        },
        LogSource {
            product: "haproxy",
            categories: &["network_connection"],
            services: &["haproxy"],
        },
    ],
    parse: Parser::Text(parse),
    example: r#"192.0.2.7:50022 [06/May/2024:08:00:00.123] web~ app/app1 0/0/1/5/6 200 612 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1""#,
};

/// Nanoseconds in a millisecond, in which HAProxy counts.
const MILLISECOND: i64 = 1_000_000;

fn parse<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    if let Some(rest) = text.strip_prefix(b"Connect from ") {
        return verdict(connect(rest, event));
    }
    let Some((peer, time, rest)) = head(text, context) else {
        return Verdict::NotMine;
    };
    if event.time.is_none() {
        event.time = Some(time);
    }
    if let Some((address, port)) = ip_port(peer) {
        event.set(Field::SOURCE_IP, Value::Ip(address));
        event.set(Field::SOURCE_PORT, Value::Int(i64::from(port)));
    }
    verdict(session(rest, event))
}

/// The stamp of a line of HAProxy's own file.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    head(line, context).map(|(_, time, _)| time)
}

fn verdict(read: Result<(), &'static str>) -> Verdict {
    match read {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `A:PORT [STAMP] ` or, of a local socket, `unix:1 [STAMP] `.
fn head<'a>(text: &'a [u8], context: &Context) -> Option<(&'a [u8], Time, &'a [u8])> {
    let (peer, rest) = first_word(text);
    if ip_port(peer).is_none() && !peer.starts_with(b"unix:") {
        return None;
    }
    let (time, rest) = timestamp::clf(rest.strip_prefix(b"[")?, context)?;
    Some((peer, time, rest.strip_prefix(b"] ")?))
}

/// `A:PORT to B:PORT (FRONTEND/MODE)`.
fn connect<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (source, rest) = cut(text, b" to ").ok_or("no destination")?;
    let (destination, rest) = first_word(rest);
    let (source, source_port) = ip_port(source).ok_or("the source is no address")?;
    let (address, port) = ip_port(destination).ok_or("the destination is no address")?;
    say(event, "connection", "success", "network");
    event.class.kind = 1;
    event.set(Field::SOURCE_IP, Value::Ip(source));
    event.set(Field::SOURCE_PORT, Value::Int(i64::from(source_port)));
    event.set(Field::DESTINATION_IP, Value::Ip(address));
    event.set(Field::DESTINATION_PORT, Value::Int(i64::from(port)));
    if let Some((frontend, _)) = rest.strip_prefix(b"(").and_then(|rest| cut(rest, b"/")) {
        some(event, Field::HAPROXY_FRONTEND, frontend);
    }
    Ok(())
}

/// What follows the stamp.
fn session<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (frontend, rest) = first_word(text);
    if let Some(bind) = frontend.strip_suffix(b":") {
        // `FRONTEND/BIND: reason`.
        let (frontend, _) = cut(bind, b"/").unwrap_or((bind, b""));
        let tls = rest.starts_with(b"SSL handshake failure") || rest.starts_with(b"Stopped a TLS");
        let action = if tls { "tls_handshake" } else { "connection" };
        say(event, action, "failure", "network");
        event.class.kind = 1;
        some(event, Field::HAPROXY_FRONTEND, frontend);
        some(event, Field::EVENT_REASON, rest);
        return Ok(());
    }
    let (backend, rest) = first_word(rest);
    let (times, rest) = first_word(rest);
    let (backend, server) = cut_last(backend, b"/").ok_or("no backend and server")?;
    some(event, Field::HAPROXY_FRONTEND, frontend);
    some(event, Field::HAPROXY_BACKEND, backend);
    some(event, Field::HAPROXY_SERVER, server);
    let total = cut_last(times, b"/").ok_or("no times")?.1;
    let total = total.strip_prefix(b"+").unwrap_or(total);
    if let Some(total) = number(total) {
        event.set(
            Field::EVENT_DURATION,
            Value::Int(total.saturating_mul(MILLISECOND)),
        );
    }
    match memchr::memchr_iter(b'/', times).count() {
        4 => answer(rest, event),
        2 => stream(rest, event),
        _ => Err("neither the times of HTTP nor of TCP"),
    }
}

/// `STATUS BYTES COOKIE COOKIE STATE CONNECTIONS QUEUES {..} {..} "REQUEST"`.
fn answer<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (word, rest) = first_word(text);
    let status = status(word)?;
    let (bytes, rest) = first_word(rest);
    let bytes = number(bytes.strip_prefix(b"+").unwrap_or(bytes)).ok_or("no length")?;
    // The cookies are the client's, but have no blanks in them.
    let (_, rest) = first_word(rest);
    let (_, rest) = first_word(rest);
    let (state, rest) = first_word(rest);
    answered(status, event);
    event.set(Field::HTTP_RESPONSE_TOTAL_BYTES, Value::Int(bytes));
    some(event, Field::HAPROXY_TERMINATION, state);
    let Some((_, asked)) = cut(rest, b"\"") else {
        return Ok(());
    };
    // A long request is cut, and its quote with it.
    let asked = cut(asked, b"\"").map_or(asked, |(asked, _)| asked);
    if asked != b"<BADREQ>" {
        request(trim_end(asked), event);
    }
    Ok(())
}

/// `BYTES STATE CONNECTIONS QUEUES`.
fn stream<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (bytes, rest) = first_word(text);
    let bytes = number(bytes.strip_prefix(b"+").unwrap_or(bytes)).ok_or("no length")?;
    let (state, _) = first_word(rest);
    let outcome = if state == b"--" { "success" } else { "failure" };
    say(event, "connection", outcome, "network");
    event.class.kind = 1;
    event.set(Field::DESTINATION_BYTES, Value::Int(bytes));
    some(event, Field::HAPROXY_TERMINATION, state);
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
            Field::EVENT_ACTION,
            Field::EVENT_OUTCOME,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::HTTP_STATUS,
            Field::URL_ORIGINAL,
            Field::HAPROXY_SERVER,
            Field::DESTINATION_IP,
            Field::EVENT_DURATION,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join("|"))
    }

    #[test]
    fn sessions_of_every_mode() {
        for (text, expected) in [
            (
                r#"192.0.2.7:1 [06/May/2024:08:00:00.5] web~ app/a1 0/0/1/5/+6 200 612 - - ---- 1/1/0/0/0 0/0 {a#22x} {} "GET /x HTTP/1.1" 0/0"#,
                "http_request|success|192.0.2.7|1|200|/x|a1|-|6000000",
            ),
            (
                r#"2001:db8::7:1 [06/May/2024:08:00:00.5] web app/<NOSRV> 0/-1/-1/-1/0 503 213 - - SC-- 1/1/0/0/0 0/0 "GET /x"#,
                "http_request|failure|2001:db8::7|1|503|/x|<NOSRV>|-|0",
            ),
            (
                r#"192.0.2.7:1 [06/May/2024:08:00:00.5] web app/<NOSRV> -1/-1/-1/-1/5 400 213 - - cR-- 1/1/0/0/0 0/0 "<BADREQ>""#,
                "http_request|failure|192.0.2.7|1|400|-|<NOSRV>|-|5000000",
            ),
            (
                "192.0.2.7:1 [06/May/2024:08:00:00.5] main app/a1 0/0/1 212 -- 1/1/0/0/0 0/0",
                "connection|success|192.0.2.7|1|-|-|a1|-|1000000",
            ),
            (
                "192.0.2.7:1 [06/May/2024:08:00:00.5] web/1: SSL handshake failure",
                "tls_handshake|failure|192.0.2.7|1|-|-|-|-|-",
            ),
            (
                "Connect from 192.0.2.7:1 to 192.0.2.80:80 (web/HTTP)",
                "connection|success|192.0.2.7|1|-|-|-|192.0.2.80|-",
            ),
        ] {
            assert_eq!(read(text), (Verdict::Event, expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn other_lines_are_not_ours_and_broken_ones_malformed() {
        assert_eq!(read("Server app/a1 is DOWN").0, Verdict::NotMine);
        for text in [
            "192.0.2.7:1 [06/May/2024:08:00:00.5] web app 0/0/1/5/6 200",
            "192.0.2.7:1 [06/May/2024:08:00:00.5] web app/a 0/0/1/5/6 xyz 5",
            "192.0.2.7:1 [06/May/2024:08:00:00.5] web app/a 6 200 5",
            "Connect from x to y (z)",
        ] {
            assert!(matches!(read(text).0, Verdict::Malformed(_)), "{text}");
        }
    }
}
