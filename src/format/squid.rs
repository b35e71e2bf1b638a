//! squid's native access log (its common and combined ones are access logs
//! like any other).
//!
//! `TIME.MS MS CLIENT RESULT/STATUS BYTES METHOD URL USER HIERARCHY/PEER TYPE`,
//! without quotes: squid escapes the blanks in what the client sends. Where it
//! was told not to, a blank in the URL would move the user and the peer; such
//! a line has more than one word that could be the hierarchy, and is malformed.

use super::http::{answered, status, target};
use super::token::{Host, cut, first_word, number, once, some, trim_start};
use super::{Context, Format, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "squid",
    about: "squid's native access.log: http_request",
    programs: &["squid", "(squid-1)", "squid-1", "(squid)"],
    logsources: &[LogSource {
        product: "squid",
        categories: &["proxy"],
        services: &["squid"],
    }],
    parse: Parser::Text(parse),
    example: "1714982400.123     45 192.0.2.7 TCP_MISS/200 2014 GET http://www.example.net/a alice HIER_DIRECT/198.51.100.5 text/html",
};

/// Nanoseconds in a millisecond, in which squid counts.
const MILLISECOND: i64 = 1_000_000;

fn parse<'a>(text: &'a [u8], _context: &Context, event: &mut Event<'a>) -> Verdict {
    let (stamp, rest) = first_word(text);
    let digits = |b: &u8| b.is_ascii_digit() || *b == b'.';
    if stamp.len() < 12 || !stamp.iter().all(digits) {
        return Verdict::NotMine;
    }
    let Some(time) = timestamp::epoch(stamp) else {
        return Verdict::NotMine;
    };
    let (duration, rest) = first_word(trim_start(rest));
    let (client, rest) = first_word(rest);
    let (result, rest) = first_word(rest);
    let (Some(duration), Some(client), Some((result, status))) = (
        number(duration.strip_prefix(b"-").unwrap_or(duration)),
        Host::read(client),
        cut(result, b"/").and_then(|(result, word)| Some((result, status(word).ok()?))),
    ) else {
        return Verdict::NotMine;
    };
    if event.time.is_none() {
        event.time = Some(time);
    }
    answered(status, event);
    if result.starts_with(b"TCP_DENIED") {
        event.replace(Field::EVENT_OUTCOME, Value::Text(b"failure"));
    }
    event.set(
        Field::EVENT_DURATION,
        Value::Int(duration.saturating_mul(MILLISECOND)),
    );
    client.set(event);
    some(event, Field::SQUID_RESULT, result);
    match asked(rest, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `BYTES METHOD URL USER HIERARCHY/PEER TYPE`.
fn asked<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (bytes, rest) = first_word(text);
    let bytes = number(bytes).ok_or("no length")?;
    let (method, rest) = first_word(rest);
    let (address, rest) = first_word(rest);
    let (user, rest) = first_word(rest);
    let (hierarchy, rest) = first_word(rest);
    let (code, peer) = hierarchy_peer(hierarchy).ok_or("no hierarchy and peer after the user")?;
    if rest
        .split(|&b| b == b' ')
        .any(|word| hierarchy_peer(word).is_some())
    {
        return Err("two words that could be the hierarchy");
    }
    event.set(Field::HTTP_RESPONSE_TOTAL_BYTES, Value::Int(bytes));
    some(event, Field::HTTP_METHOD, method);
    target(address, method == b"CONNECT", event);
    some(event, Field::USER_NAME, user);
    some(event, Field::SQUID_HIERARCHY, code);
    match Host::read(peer) {
        Some(Host::Ip(address)) => once(event, Field::DESTINATION_IP, Value::Ip(address)),
        Some(Host::Name(name)) => some(event, Field::DESTINATION_DOMAIN, name),
        None => {}
    }
    some(event, Field::HTTP_RESPONSE_MIME, first_word(rest).0);
    Ok(())
}

/// `HIER_DIRECT/192.0.2.7`, `NONE/-`: letters in upper case before the slash.
fn hierarchy_peer(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let (code, peer) = cut(word, b"/")?;
    let upper = code
        .iter()
        .all(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'-'));
    (upper && code.len() > 2).then_some((code, peer))
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
            Field::EVENT_OUTCOME,
            Field::SOURCE_IP,
            Field::USER_NAME,
            Field::HTTP_METHOD,
            Field::URL_ORIGINAL,
            Field::HTTP_STATUS,
            Field::DESTINATION_IP,
            Field::SQUID_RESULT,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join("|"))
    }

    #[test]
    fn a_request_with_its_user_and_peer() {
        for (text, expected) in [
            (
                "1714982400.123     45 192.0.2.7 TCP_MISS/200 2014 GET http://a.example/b alice HIER_DIRECT/198.51.100.5 text/html",
                "success|192.0.2.7|alice|GET|http://a.example/b|200|198.51.100.5|TCP_MISS",
            ),
            (
                "1714982400.123 0 2001:db8::7 TCP_DENIED/200 0 CONNECT a.example:443 - HIER_NONE/- - 1.5",
                "failure|2001:db8::7|-|CONNECT|a.example:443|200|-|TCP_DENIED",
            ),
            (
                "1714982400.123 0 192.0.2.7 TCP_MISS_ABORTED/000 0 GET http://a.example/ - HIER_DIRECT/198.51.100.5 -",
                "unknown|192.0.2.7|-|GET|http://a.example/|-|198.51.100.5|TCP_MISS_ABORTED",
            ),
        ] {
            assert_eq!(read(text), (Verdict::Event, expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_blank_in_the_url_moves_no_user() {
        let text = "1714982400.123 45 192.0.2.7 TCP_MISS/200 2014 GET http://a.example/ root DIRECT/198.51.100.66 x alice HIER_DIRECT/198.51.100.5 text/html";
        assert!(matches!(read(text).0, Verdict::Malformed(_)));
        assert_eq!(read("1714982400.123 conn seven eight").0, Verdict::NotMine);
    }
}
