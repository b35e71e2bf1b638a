//! CoreDNS' log plugin: `[INFO] A:PORT - ID "TYPE CLASS NAME PROTO SIZE DO
//! BUFSIZE" RCODE FLAGS SIZE SECONDSs`, with or without a stamp before it.
//!
//! The address comes first. The name is the client's and may hold anything, a
//! quote as `\"`; it is what stands between the class and the last four words.

use super::token::{cut, first_word, ip_port, last_word, number, quoted, say, some};
use super::unbound::{outcome, without_dot};
use super::{Context, Format, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "coredns",
    about: "CoreDNS' log plugin: dns_query",
    programs: &["coredns"],
    logsources: &[LogSource {
        product: "coredns",
        categories: &["dns"],
        services: &["coredns", "dns"],
    }],
    parse: Parser::Text(parse),
    example: r#"2024-05-06T08:00:00.123Z [INFO] 192.0.2.7:50022 - 21583 "A IN www.example.net. udp 43 false 512" NOERROR qr,rd,ra 61 0.000102078s"#,
};

fn parse<'a>(text: &'a [u8], _context: &Context, event: &mut Event<'a>) -> Verdict {
    let Some((level, rest)) = text.strip_prefix(b"[").and_then(|rest| cut(rest, b"] ")) else {
        return Verdict::NotMine;
    };
    let (peer, rest) = first_word(rest);
    let Some((address, port)) = ip_port(peer) else {
        return Verdict::NotMine;
    };
    let Some((id, rest)) = rest.strip_prefix(b"- ").map(first_word) else {
        return Verdict::NotMine;
    };
    let Some((question, rest)) = rest.strip_prefix(b"\"").and_then(quoted) else {
        return Verdict::Malformed("the question's quote does not end");
    };
    event.set(Field::SOURCE_IP, Value::Ip(address));
    event.set(Field::SOURCE_PORT, Value::Int(i64::from(port)));
    some(event, Field::LOG_LEVEL, level);
    if let Some(id) = number(id) {
        event.set(Field::DNS_ID, Value::Int(id));
    }
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    match asked(question, rest, event) {
        Some(()) => Verdict::Event,
        None => Verdict::Malformed("the question is not of seven words"),
    }
}

fn asked<'a>(question: &'a [u8], answer: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    let (kind, rest) = first_word(question);
    let (_class, rest) = first_word(rest);
    let (rest, buffer) = last_word(rest);
    let (rest, wants_dnssec) = last_word(rest);
    let (rest, size) = last_word(rest);
    let (name, protocol) = last_word(rest);
    let sound = number(buffer).is_some()
        && number(size).is_some()
        && matches!(wants_dnssec, b"true" | b"false")
        && !name.is_empty();
    sound.then_some(())?;
    let (code, rest) = first_word(answer);
    let (_flags, rest) = first_word(rest);
    let (size, seconds) = first_word(rest);
    say(event, "dns_query", outcome(code), "network");
    some(event, Field::DNS_QUESTION_NAME, without_dot(name));
    some(event, Field::DNS_QUESTION_TYPE, kind);
    some(event, Field::DNS_RESPONSE_CODE, code);
    some(event, Field::NETWORK_TRANSPORT, protocol);
    if let Some(size) = number(size) {
        event.set(Field::DESTINATION_BYTES, Value::Int(size));
    }
    if let Some(nanos) = nanos(seconds) {
        event.set(Field::EVENT_DURATION, Value::Int(nanos));
    }
    Some(())
}

/// `0.000102078s` in nanoseconds.
fn nanos(text: &[u8]) -> Option<i64> {
    let (whole, decimals) = cut(text.strip_suffix(b"s")?, b".")?;
    let decimals = decimals.get(..decimals.len().min(9))?;
    let scale = 10_i64.pow(9 - u32::try_from(decimals.len()).ok()?);
    let whole = number(whole)?.checked_mul(1_000_000_000)?;
    whole.checked_add(number(decimals)?.checked_mul(scale)?)
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
            Field::NETWORK_TRANSPORT,
            Field::EVENT_DURATION,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join("|"))
    }

    #[test]
    fn a_name_may_hold_anything() {
        for (text, expected) in [
            (
                r#"[INFO] 192.0.2.7:1 - 5 "A IN a.example. udp 43 false 512" NXDOMAIN qr,rd,ra 136 0.000102078s"#,
                "192.0.2.7|1|a.example|A|NXDOMAIN|udp|102078",
            ),
            (
                r#"[INFO] [2001:db8::7]:1 - 5 "TXT IN a\" 198.51.100.66:5 udp b. tcp 43 true 512" NOERROR qr 136 1.5s"#,
                r#"2001:db8::7|1|a\" 198.51.100.66:5 udp b|TXT|NOERROR|tcp|1500000000"#,
            ),
        ] {
            assert_eq!(read(text), (Verdict::Event, expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn other_lines_are_not_ours_and_broken_ones_malformed() {
        for text in [
            "[INFO] plugin/reload: Running",
            "[ERROR] plugin/errors: 2 a. A: x",
        ] {
            assert_eq!(read(text).0, Verdict::NotMine, "{text}");
        }
        let text = r#"[INFO] 192.0.2.7:1 - 5 "A IN a. udp 43""#;
        assert!(matches!(read(text).0, Verdict::Malformed(_)));
    }
}
