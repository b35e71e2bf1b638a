//! BIND's named: queries, refusals, zone transfers and updates, through syslog
//! or in the files of its channels.
//!
//! `[STAMP] [category: ] [level: ] client [@0xN ]A#PORT [(NAME)]: [view V: ]…`.
//! The client's address comes first; names are written without blanks and
//! quotes (RFC 1035's master file escapes), and are never looked into.

use super::token::{cut, first_word, ip, number, port, say, some};
use super::{Context, Format, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::time::Time;

pub(super) static FORMAT: Format = Format {
    name: "named",
    about: "BIND named: dns_query, dns_zone_transfer, dns_update, dns_rate_limited",
    programs: &[
        "named",
        "named-sdb",
        "named-pkcs11",
        "bind9",
        "security",
        "update-security",
        "queries",
    ],
    logsources: &[LogSource {
        product: "bind",
        categories: &["dns"],
        services: &["named", "bind", "dns", "syslog"],
    }],
    parse: Parser::Text(parse),
    example: "06-May-2024 08:00:00.123 queries: info: client @0x7f8a2c000970 192.0.2.7#50022 (www.example.net): query: www.example.net IN A +E(0)K (192.0.2.53)",
};

/// Levels of named's channels.
const LEVELS: [&[u8]; 7] = [
    b"critical",
    b"error",
    b"warning",
    b"notice",
    b"info",
    b"debug",
    b"dynamic",
];

/// What a client asked for and how that ended.
struct Asked<'a> {
    action: &'static str,
    outcome: &'static str,
    name: &'a [u8],
    kind: &'a [u8],
    reason: &'a [u8],
}

fn parse<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    let (time, rest) = match timestamp::dashed(text, context) {
        Some((time, rest)) => (Some(time), rest.strip_prefix(b" ").unwrap_or(rest)),
        None => (None, text),
    };
    let (level, rest) = match without_client(rest, time, event) {
        Some(verdict) => return verdict,
        None => without_category(rest),
    };
    let Some(rest) = rest.strip_prefix(b"client ") else {
        return Verdict::NotMine;
    };
    let rest = match rest.strip_prefix(b"@0x") {
        Some(rest) => first_word(rest).1,
        None => rest,
    };
    let Some((address, after)) = cut(rest, b"#") else {
        return Verdict::NotMine;
    };
    let Some(address) = ip(address) else {
        return Verdict::NotMine;
    };
    let digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
    let Some((number, after)) = after.split_at_checked(digits) else {
        return Verdict::NotMine;
    };
    let Some(port) = port(number) else {
        return Verdict::Malformed("no port after the client's address");
    };
    if event.time.is_none() {
        event.time = time;
    }
    // The name of the key that the client signed with is the administrator's.
    let after = match after.strip_prefix(b"/key ") {
        Some(key) => key
            .iter()
            .position(|b| matches!(b, b' ' | b':'))
            .and_then(|end| key.get(end..))
            .unwrap_or_default(),
        None => after,
    };
    let (name, rest) = match after.strip_prefix(b" (").and_then(|rest| cut(rest, b"): ")) {
        Some((name, rest)) => (name, rest),
        None => (&[][..], after.strip_prefix(b": ").unwrap_or(after)),
    };
    let rest = match rest
        .strip_prefix(b"view ")
        .and_then(|rest| cut(rest, b": "))
    {
        Some((_, rest)) => rest,
        None => rest,
    };
    let Some(asked) = asked(rest, name) else {
        return Verdict::NotMine;
    };
    say(event, asked.action, asked.outcome, "network");
    event.set(Field::SOURCE_IP, Value::Ip(address));
    event.set(Field::SOURCE_PORT, Value::Int(i64::from(port)));
    some(event, Field::DNS_QUESTION_NAME, asked.name);
    some(event, Field::DNS_QUESTION_TYPE, asked.kind);
    some(event, Field::EVENT_REASON, asked.reason);
    if event.get(Field::LOG_LEVEL).is_none() {
        some(event, Field::LOG_LEVEL, level);
    }
    Verdict::Event
}

/// Lines that name no client: dnstap's, and those about other servers.
fn without_client<'a>(
    text: &'a [u8],
    time: Option<Time>,
    event: &mut Event<'a>,
) -> Option<Verdict> {
    if let (Some((kind, tap)), Some(_)) = (tapped(text), time) {
        event.time = event.time.or(time);
        return Some(match tap_ends(kind, tap, event) {
            Some(()) => Verdict::Event,
            None => Verdict::Malformed("a dnstap line without its ends"),
        });
    }
    let (head, server) = super::token::cut_last(text, b"': ")?;
    let (said, question) = cut(without_category(head).1, b" resolving '")?;
    event.time = event.time.or(time);
    Some(resolving(said, question, server, event))
}

/// `CQ A:P -> B:Q UDP 40b NAME/CLASS/TYPE` of dnstap-read: the kind of message
/// (who asked, who answered), and what follows it.
fn tapped(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (kind, rest) = first_word(text);
    let known = matches!(
        kind,
        [b'A' | b'C' | b'F' | b'R' | b'S' | b'T' | b'U', b'Q' | b'R']
    );
    (known
        && rest
            .first()
            .is_some_and(|b| !b.is_ascii_lowercase() || b.is_ascii_hexdigit()))
    .then_some((kind, rest))
}

fn tap_ends<'a>(kind: &'a [u8], text: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    let (one, rest) = first_word(text);
    let (_arrow, rest) = first_word(rest);
    let (two, rest) = first_word(rest);
    let (protocol, rest) = first_word(rest);
    let (_size, question) = first_word(rest);
    let (name, kind_of) = super::token::cut_last(question, b"/")?;
    let (name, _class) = super::token::cut_last(name, b"/")?;
    let (source, destination) = (super::token::ip_port(one)?, super::token::ip_port(two)?);
    let action = if kind.ends_with(b"Q") {
        "dns_query"
    } else {
        "dns_answer"
    };
    say(event, action, "unknown", "network");
    event.set(Field::SOURCE_IP, Value::Ip(source.0));
    event.set(Field::SOURCE_PORT, Value::Int(i64::from(source.1)));
    event.set(Field::DESTINATION_IP, Value::Ip(destination.0));
    event.set(
        Field::DESTINATION_PORT,
        Value::Int(i64::from(destination.1)),
    );
    super::transport::set_protocol(protocol, event);
    some(event, Field::DNS_QUESTION_NAME, name);
    some(event, Field::DNS_QUESTION_TYPE, kind_of);
    Some(())
}

/// `SAID resolving 'NAME/TYPE/CLASS': SERVER#PORT`.
fn resolving<'a>(
    said: &'a [u8],
    question: &'a [u8],
    server: &'a [u8],
    event: &mut Event<'a>,
) -> Verdict {
    let Some((address, port)) =
        cut(server, b"#").and_then(|(address, digits)| Some((ip(address)?, port(digits)?)))
    else {
        return Verdict::NotMine;
    };
    let (name, kind) = question_of(question);
    say(event, "dns_resolve", "failure", "network");
    event.set(Field::DESTINATION_IP, Value::Ip(address));
    event.set(Field::DESTINATION_PORT, Value::Int(i64::from(port)));
    some(event, Field::DNS_QUESTION_NAME, name);
    some(event, Field::DNS_QUESTION_TYPE, kind);
    some(event, Field::EVENT_REASON, said);
    Verdict::Event
}

/// `security: info: `, either or both of them.
fn without_category(text: &[u8]) -> (&[u8], &[u8]) {
    let (mut rest, mut level) = (text, &[][..]);
    for _ in 0..2 {
        match cut(rest, b": ") {
            Some((word, after))
                if !word.is_empty()
                    && word.iter().all(|b| {
                        b.is_ascii_lowercase() || matches!(b, b'-' | b'0'..=b'9' | b' ')
                    })
                    && !word.starts_with(b"client ") =>
            {
                if LEVELS.contains(&first_word(word).0) {
                    level = word;
                }
                rest = after;
            }
            _ => break,
        }
    }
    (level, rest)
}

/// Sentences without quotes: the query, its answer, and why there is none.
fn told<'a>(text: &'a [u8], name: &'a [u8]) -> Option<Asked<'a>> {
    if let Some(rest) = text.strip_prefix(b"query: ") {
        // `NAME CLASS TYPE FLAGS (SERVER)`.
        let (name, rest) = first_word(rest);
        let (_, rest) = first_word(rest);
        let (kind, _) = first_word(rest);
        return Some(Asked {
            action: "dns_query",
            outcome: "unknown",
            name,
            kind,
            reason: &[],
        });
    }
    if let Some(rest) = text.strip_prefix(b"response: ") {
        // `NAME CLASS TYPE CODE …`.
        let (name, rest) = first_word(rest);
        let (_, rest) = first_word(rest);
        let (kind, rest) = first_word(rest);
        return Some(Asked {
            action: "dns_answer",
            outcome: super::unbound::outcome(first_word(rest).0),
            name,
            kind,
            reason: &[],
        });
    }
    if text.starts_with(b"rpz ") {
        // `rpz QNAME NXDOMAIN rewrite NAME/TYPE/CLASS via ZONE`.
        let (_, rest) = cut(text, b" rewrite ")?;
        let (question, _) = first_word(rest);
        let (asked, kind) = question_of(question);
        return Some(Asked {
            action: "dns_query",
            outcome: "failure",
            name: if asked.is_empty() { name } else { asked },
            kind,
            reason: text,
        });
    }
    if let Some(rest) = text.strip_prefix(b"rate limit ") {
        return Some(Asked {
            action: "dns_rate_limited",
            outcome: "failure",
            name,
            kind: &[],
            reason: rest,
        });
    }
    if let Some(rest) = text.strip_prefix(b"query failed (") {
        // `CODE) for NAME/CLASS/TYPE at FILE:LINE`.
        let (_, rest) = cut(rest, b") for ")?;
        let (question, _) = first_word(rest);
        let (name, kind) = super::token::cut_last(question, b"/")?;
        let (name, _) = super::token::cut_last(name, b"/")?;
        return Some(Asked {
            action: "dns_query",
            outcome: "failure",
            name,
            kind,
            reason: text,
        });
    }
    None
}

/// What follows the client.
fn asked<'a>(text: &'a [u8], name: &'a [u8]) -> Option<Asked<'a>> {
    if let Some(asked) = told(text, name) {
        return Some(asked);
    }
    let (action, rest) = [
        (&b"query (cache) '"[..], "dns_query"),
        (b"query '", "dns_query"),
        (b"zone transfer '", "dns_zone_transfer"),
        (b"bad zone transfer request: '", "dns_zone_transfer"),
        (b"transfer of '", "dns_zone_transfer"),
        (b"update '", "dns_update"),
        (b"updating zone '", "dns_update"),
        (b"notify for zone '", "dns_notify"),
        (b"received notify for zone '", "dns_notify"),
    ]
    .iter()
    .find_map(|(first, action)| Some((*action, text.strip_prefix(*first)?)))?;
    let (question, said) = cut(rest, b"'")?;
    let (name, kind) = question_of(question);
    let said = said
        .strip_prefix(b": ")
        .or_else(|| said.strip_prefix(b" "))
        .unwrap_or(said);
    let failed = said.starts_with(b"denied")
        || said.ends_with(b"(NOTAUTH)")
        || text.starts_with(b"bad ")
        || said.starts_with(b"update failed")
        || said.starts_with(b"update unsuccessful");
    Some(Asked {
        action,
        outcome: if failed { "failure" } else { "unknown" },
        name,
        kind,
        reason: said,
    })
}

/// `NAME/TYPE/CLASS` or `NAME/CLASS`: the name may have slashes.
fn question_of(text: &[u8]) -> (&[u8], &[u8]) {
    let Some((head, _class)) = super::token::cut_last(text, b"/") else {
        return (text, &[]);
    };
    match super::token::cut_last(head, b"/") {
        Some((name, kind)) if number(kind).is_none() => (name, kind),
        _ => (head, &[]),
    }
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
            Field::DNS_QUESTION_NAME,
            Field::DNS_QUESTION_TYPE,
            Field::LOG_LEVEL,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join("|"))
    }

    #[test]
    fn the_client_comes_first_whatever_it_asks() {
        for (text, expected) in [
            (
                "06-May-2024 08:00:00.123 queries: info: client @0x7f 192.0.2.7#53 (a.example): query: a.example IN TXT +E(0) (192.0.2.53)",
                "dns_query|unknown|192.0.2.7|53|a.example|TXT|info",
            ),
            (
                "client 192.0.2.7#53: query (cache) './NS/IN' denied",
                "dns_query|failure|192.0.2.7|53|.|NS|-",
            ),
            (
                "client 2001:db8::7#53 (a): view external: query 'a/b/ANY/IN' denied (x)",
                "dns_query|failure|2001:db8::7|53|a/b|ANY|-",
            ),
            (
                "security: error: client 192.0.2.7#53 (client 198.51.100.66#1): zone transfer 'a/AXFR/IN' denied",
                "dns_zone_transfer|failure|192.0.2.7|53|a|AXFR|error",
            ),
            (
                "client 192.0.2.7#53 (a): bad zone transfer request: 'b/IN': non-authoritative zone (NOTAUTH)",
                "dns_zone_transfer|failure|192.0.2.7|53|b|-|-",
            ),
            (
                "client 192.0.2.7#53 (a): query failed (SERVFAIL) for a/IN/A at query.c:5871",
                "dns_query|failure|192.0.2.7|53|a|A|-",
            ),
        ] {
            assert_eq!(read(text), (Verdict::Event, expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn other_lines_are_not_ours() {
        for text in [
            "zone a/IN: client 198.51.100.66#53: query 'a/A/IN' denied",
            "client a.example#53: query 'a/A/IN' denied",
            "client 192.0.2.7#53 (a): TCP connection failed",
            "running",
        ] {
            assert_eq!(read(text).0, Verdict::NotMine, "{text}");
        }
        let text = "client 192.0.2.7#x: query 'a/A/IN' denied";
        assert!(matches!(read(text).0, Verdict::Malformed(_)));
    }
}
