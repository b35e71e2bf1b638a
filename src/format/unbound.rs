//! unbound: queries, replies and local answers, through syslog or in its own
//! file.
//!
//! `[PID:THREAD] info: A NAME TYPE CLASS [RCODE SECONDS CACHED BYTES]`; the
//! client's address comes first, and names are written without blanks.

use super::token::{Host, cut, first_word, ip, number, port, say, some};
use super::{Context, Format, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "unbound",
    about: "unbound: dns_query (log-queries, log-replies, log-local-actions)",
    programs: &["unbound"],
    logsources: &[LogSource {
        product: "unbound",
        categories: &["dns"],
        services: &["unbound", "dns", "syslog"],
    }],
    parse: Parser::Text(parse),
    example: "[1714982400] unbound[812:0] info: 192.0.2.7 www.example.net. A IN NOERROR 0.012000 0 61",
};

/// Classes, where a line of a query has its own.
const CLASSES: [&[u8]; 4] = [b"IN", b"CH", b"HS", b"ANY"];

fn parse<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    let Some(rest) = text.strip_prefix(b"[") else {
        return Verdict::NotMine;
    };
    let (time, ids) = match cut(rest, b"] unbound[") {
        Some((stamp, rest)) if number(stamp).is_some() => {
            let stamp = timestamp::bracketed(text.get(1..).unwrap_or_default(), context);
            (stamp.map(|(time, _)| time), rest)
        }
        _ => (None, rest),
    };
    let Some(((pid, thread), rest)) = cut(ids, b"] ").and_then(|(ids, rest)| {
        let (pid, thread) = cut(ids, b":")?;
        Some(((number(pid)?, number(thread)?), rest))
    }) else {
        return Verdict::NotMine;
    };
    let Some((level @ (b"info" | b"notice" | b"reply" | b"query"), said)) = cut(rest, b": ") else {
        return Verdict::NotMine;
    };
    if event.time.is_none() {
        event.time = time;
    }
    let Some(read) = asked(said, event) else {
        return Verdict::NotMine;
    };
    if event.get(Field::PROCESS_NAME).is_none() {
        event.text(Field::PROCESS_NAME, b"unbound");
    }
    super::token::once(event, Field::PROCESS_PID, Value::Int(pid));
    event.set(Field::PROCESS_THREAD_ID, Value::Int(thread));
    super::token::once(event, Field::LOG_LEVEL, Value::Text(level));
    match read {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `A NAME TYPE CLASS …`, or `ZONE KIND A@PORT NAME TYPE CLASS` of a local
/// zone; nothing where it is neither.
fn asked<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<Result<(), &'static str>> {
    // `rpz: applied [TAG] ZONE ACTION A@PORT NAME TYPE CLASS`.
    let text = match text.strip_prefix(b"rpz: applied ") {
        Some(rest) if rest.first() == Some(&b'[') => cut(rest, b"] ")?.1,
        Some(rest) => rest,
        None => text,
    };
    // `ip_ratelimit exceeded A N NAME TYPE CLASS`.
    if let Some(rest) = text.strip_prefix(b"ip_ratelimit exceeded ") {
        let (address, rest) = first_word(rest);
        let (_limit, rest) = first_word(rest);
        let address = ip(address)?;
        return Some(question(rest, event).map(|()| {
            event.replace(Field::EVENT_ACTION, Value::Text(b"dns_rate_limited"));
            event.replace(Field::EVENT_OUTCOME, Value::Text(b"failure"));
            event.set(Field::SOURCE_IP, Value::Ip(address));
        }));
    }
    let (first, rest) = first_word(text);
    if let Some(address) = ip(first) {
        return Some(
            question(rest, event).map(|()| event.set(Field::SOURCE_IP, Value::Ip(address))),
        );
    }
    let (kind, rest) = first_word(rest);
    let (peer, rest) = first_word(rest);
    let (address, number) = cut(peer, b"@")?;
    let (Some(Host::Ip(address)), Some(port)) = (Host::read(address), port(number)) else {
        return None;
    };
    let read = question(rest, event).map(|()| {
        event.set(Field::SOURCE_IP, Value::Ip(address));
        event.set(Field::SOURCE_PORT, Value::Int(i64::from(port)));
        some(event, Field::EVENT_REASON, kind);
    });
    Some(read)
}

fn question<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (name, rest) = first_word(text);
    let (kind, rest) = first_word(rest);
    let (class, rest) = first_word(rest);
    if !CLASSES.contains(&class) && !class.starts_with(b"CLASS") {
        return Err("no class after the name and its type");
    }
    let (code, _) = first_word(rest);
    say(event, "dns_query", outcome(code), "network");
    some(event, Field::DNS_QUESTION_NAME, without_dot(name));
    some(event, Field::DNS_QUESTION_TYPE, kind);
    some(event, Field::DNS_RESPONSE_CODE, code);
    Ok(())
}

/// How a query ended, by its response code.
pub(super) fn outcome(code: &[u8]) -> &'static str {
    match code {
        b"" | b"-" => "unknown",
        b"NOERROR" => "success",
        _ => "failure",
    }
}

/// A name without the dot of the root at its end.
pub(super) fn without_dot(name: &[u8]) -> &[u8] {
    match name {
        [head @ .., b'.'] if !head.is_empty() => head,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    fn read(text: &str) -> (Verdict, String) {
        let context = Context::utc(Time::from_secs(1_714_982_400));
        let mut event = Event::new();
        let verdict = parse(text.as_bytes(), &context, &mut event);
        let fields = [
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::DNS_QUESTION_NAME,
            Field::DNS_QUESTION_TYPE,
            Field::DNS_RESPONSE_CODE,
            Field::EVENT_OUTCOME,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join("|"))
    }

    #[test]
    fn queries_replies_and_local_answers() {
        for (text, expected) in [
            (
                "[1714982400] unbound[812:0] info: 192.0.2.7 a.example. A IN",
                "192.0.2.7|-|a.example|A|-|unknown",
            ),
            (
                "[812:1] reply: 2001:db8::7 a.example. AAAA IN NXDOMAIN 0.012 0 61",
                "2001:db8::7|-|a.example|AAAA|NXDOMAIN|failure",
            ),
            (
                "[812:0] info: b.example. refuse 192.0.2.7@5353 a.b.example. A IN",
                "192.0.2.7|5353|a.b.example|A|-|unknown",
            ),
        ] {
            assert_eq!(read(text), (Verdict::Event, expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn other_lines_are_not_ours_and_broken_ones_malformed() {
        for text in [
            "[812:0] info: service stopped (unbound 1.19.2).",
            "[812:0] error: 192.0.2.7 a.example. A IN",
            "[Mon May 06] x",
        ] {
            assert_eq!(read(text).0, Verdict::NotMine, "{text}");
        }
        let text = "[812:0] info: 192.0.2.7 a.example. A";
        assert!(matches!(read(text).0, Verdict::Malformed(_)));
    }
}
