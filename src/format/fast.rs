//! One alert a line, as Suricata's `fast.log` and Snort's `alert_fast` have it,
//! and as both send it to syslog.
//!
//! The rule's message stands in the middle; its author chose it. So the ids
//! are read from the line's beginning, and the addresses, the priority and
//! the classification from its end.

use bumpalo::Bump;

use super::timestamp::{decimals, local, nearest_year, two};
use super::token::{Host, cut, cut_last, last_word, number, port, say, trim_end, trim_start};
use super::transport::{protocol, set_hosts, set_ports, set_protocol};
use super::{Context, Format, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::time::{Civil, Time};

/// The file.
pub(super) static FORMAT: Format = Format {
    name: "fast",
    about: "Suricata's fast.log and Snort's alert_fast: `alert`, failure when the packet was dropped",
    programs: &[],
    logsources: LOGSOURCES,
    parse: Parser::Line(parse),
    example: "07/11/2024-10:29:32.251216  [**] [1:2008578:4] ET SCAN Sipvicious Scan [**] [Classification: Attempted Information Leak] [Priority: 2] {UDP} 192.0.2.7:5116 -> 198.51.100.5:5060",
};

/// The same in syslog; Suricata's is read by the format of its JSON.
pub(super) static SYSLOG: Format = Format {
    name: "snort",
    about: "Snort's alerts in syslog: `alert`",
    programs: &["snort"],
    logsources: LOGSOURCES,
    parse: Parser::Message(|sent, event| message(sent.text, event)),
    example: "May  1 10:00:00 ids1 snort[812]: [1:2008578:4] ET SCAN Sipvicious Scan [Classification: Attempted Information Leak] [Priority: 2] {UDP} 192.0.2.7:5116 -> 198.51.100.5:5060",
};

static LOGSOURCES: &[LogSource] = &[LogSource {
    product: "suricata",
    categories: &["ids"],
    services: &["alert"],
}];

/// Around the rule's ids and message.
const MARK: &[u8] = b"[**]";

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    _arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let Some((time, rest)) = stamp(line, context) else {
        return Verdict::NotMine;
    };
    let rest = trim_start(rest);
    let (dropped, rest) = match rest.strip_prefix(MARK) {
        Some(rest) => (false, rest),
        None => match verdict_before_mark(rest) {
            Some(found) => found,
            None => return other(rest, time, event),
        },
    };
    event.time = Some(time);
    let before = event.values().len();
    match alert(trim_start(rest), dropped, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => {
            event.truncate(before);
            Verdict::Malformed(reason)
        }
    }
}

/// What is no alert of `fast.log`: a row of `alert_csv`, or of `http.log`.
fn other<'a>(text: &'a [u8], time: Time, event: &mut Event<'a>) -> Verdict {
    let before = event.values().len();
    let read = match text.strip_prefix(b",") {
        Some(row) => comma_separated(row, event),
        None => requested(text, event),
    };
    if read.is_none() {
        event.truncate(before);
        return Verdict::NotMine;
    }
    event.time = Some(time);
    Verdict::Event
}

/// `GENERATOR,ID,REVISION,"MESSAGE",PROTO,A,p,B,q,…`, as `alert_csv` has it by
/// default.
fn comma_separated<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    let (generator, rest) = cut(text, b",")?;
    let (id, rest) = cut(rest, b",")?;
    let (version, rest) = cut(rest, b",")?;
    number(generator).and(number(id)).and(number(version))?;
    let (message, rest) = match rest.strip_prefix(b"\"") {
        Some(inside) => cut(inside, b"\",")?,
        None => cut(rest, b",")?,
    };
    let mut cells = rest.split(|&b| b == b',');
    let name = cells.next()?;
    let (from, source) = (address(cells.next()?)?, cells.next()?);
    let (to, destination) = (address(cells.next()?)?, cells.next()?);
    say(event, "alert", "success", "intrusion_detection");
    event.text(Field::RULE_ID, id);
    event.text(Field::RULE_VERSION, version);
    super::token::some(event, Field::RULE_NAME, message);
    set_hosts(from, to, event);
    set_protocol(name, event);
    set_ports(port(source), port(destination), event);
    Some(())
}

/// `HOST [**] PATH [**] … [**] A:p -> B:q`: the client writes all but the ends.
fn requested<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    let (head, destination) = last_word(trim_end(text));
    let (head, source) = last_word(head.strip_suffix(b" ->")?);
    let head = trim_end(head).strip_suffix(MARK)?;
    let (source, destination) = (end(source, true)?, end(destination, true)?);
    let (site, _) = cut(head, b" [**] ")?;
    say(event, "http_request", "unknown", "web");
    set_hosts(source.0, destination.0, event);
    set_ports(source.1, destination.1, event);
    super::token::some(event, Field::URL_DOMAIN, site);
    Some(())
}

/// An alert as it is sent to syslog.
pub(super) fn message<'a>(text: &'a [u8], event: &mut Event<'a>) -> Verdict {
    let (dropped, text) = match text.strip_prefix(b"[Drop] ") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let digit = text.get(1).is_some_and(u8::is_ascii_digit);
    if text.first() != Some(&b'[') || !digit {
        return Verdict::NotMine;
    }
    match alert(text, dropped, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `[Drop] [**]`, `[wDrop] [**]` (would have been dropped) of an inline sensor.
fn verdict_before_mark(text: &[u8]) -> Option<(bool, &[u8])> {
    let (word, rest) = cut(text.strip_prefix(b"[")?, b"] ")?;
    let dropped = word == b"Drop";
    (dropped || word == b"wDrop").then_some(())?;
    Some((dropped, rest.strip_prefix(MARK)?))
}

/// `[G:S:R] message [**] [Classification: C] [Priority: P] {PROTO} A:p -> B:q`.
fn alert<'a>(text: &'a [u8], dropped: bool, event: &mut Event<'a>) -> Result<(), &'static str> {
    let (ids, rest) = text
        .strip_prefix(b"[")
        .and_then(|rest| cut(rest, b"] "))
        .ok_or("no ids of a rule")?;
    let mut parts = ids.split(|&b| b == b':');
    let (Some(generator), Some(id), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("no ids of a rule");
    };
    if [generator, id, version].iter().any(|n| number(n).is_none()) {
        return Err("an id is no number");
    }
    let outcome = if dropped { "failure" } else { "success" };
    say(event, "alert", outcome, "intrusion_detection");
    event.text(Field::RULE_ID, id);
    event.text(Field::RULE_VERSION, version);
    let rest = trim_end(rest);
    let rest = match packet_dump(rest) {
        Some(head) => head,
        None => ends(rest, event)?,
    };
    let (rest, priority) = bracketed(rest, b"[Priority: ").ok_or("no priority")?;
    let priority = number(priority).ok_or("the priority is no number")?;
    event.set(Field::EVENT_SEVERITY, Value::Int(priority));
    let (rest, class) = match bracketed(rest, b"[Classification: ") {
        Some((rest, class)) => (rest, Some(class)),
        None => (rest, None),
    };
    if let Some(class) = class.filter(|class| !matches!(*class, b"(null)" | b"")) {
        event.text(Field::RULE_CATEGORY, class);
    }
    let message = trim_end(rest.strip_suffix(MARK).unwrap_or(rest));
    if !message.is_empty() {
        event.text(Field::RULE_NAME, message);
    }
    Ok(())
}

/// What stands before the bytes of a packet that is not even IP.
fn packet_dump(text: &[u8]) -> Option<&[u8]> {
    let (head, dump) = cut_last(text.strip_suffix(b"]")?, b"[Raw pkt: ")?;
    let hex = dump.iter().all(|b| b.is_ascii_hexdigit() || *b == b' ');
    hex.then(|| trim_end(head.strip_suffix(b"[**] ").unwrap_or(head)))
}

/// Reads both ends from the end of the line; gives what stands before them.
fn ends<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<&'a [u8], &'static str> {
    const NO_ENDS: &str = "no addresses at the end";
    let (head, destination) = last_word(text);
    let (head, source) = last_word(head.strip_suffix(b" ->").ok_or(NO_ENDS)?);
    let (head, name) = head
        .strip_suffix(b"}")
        .and_then(|head| cut_last(head, b"{"))
        .ok_or(NO_ENDS)?;
    let name = name.strip_prefix(b"PROTO:").unwrap_or(name);
    let name = match name {
        // Three digits, as Suricata fills them up.
        [b'0', b'0', tail @ ..] | [b'0', tail @ ..] if !tail.is_empty() => tail,
        name => name,
    };
    let known = protocol(name);
    let has_ports = matches!(known, Some("tcp" | "udp" | "sctp"));
    let source = end(source, has_ports).ok_or(NO_ENDS)?;
    let destination = end(destination, has_ports).ok_or(NO_ENDS)?;
    set_hosts(source.0, destination.0, event);
    set_protocol(name, event);
    if has_ports {
        set_ports(source.1, destination.1, event);
    } else if matches!(known, Some("icmp" | "ipv6-icmp")) {
        // Suricata writes the type and the code where ports would be.
        let numbers = [
            (Field::ICMP_TYPE, source.1),
            (Field::ICMP_CODE, destination.1),
        ];
        for (field, value) in numbers {
            if let Some(value) = value {
                event.set(field, Value::Int(i64::from(value)));
            }
        }
    }
    Ok(trim_end(head))
}

/// An address with its port; where the protocol has none, Suricata writes one
/// all the same and Snort does not. Suricata writes all eight groups of IPv6.
fn end(text: &[u8], has_port: bool) -> Option<(Host<'_>, Option<u16>)> {
    let colons = memchr::memchr_iter(b':', text).count();
    if !has_port && !matches!(colons, 1 | 8) {
        return address(text).map(|host| (host, None));
    }
    let (host, number) = cut_last(text, b":")?;
    Some((address(host)?, Some(port(number)?)))
}

fn address(text: &[u8]) -> Option<Host<'_>> {
    super::token::ip(text).map(Host::Ip)
}

/// The text before `[Name: value]` at the end, and the value.
fn bracketed<'a>(text: &'a [u8], name: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (head, value) = cut_last(text.strip_suffix(b"]")?, name)?;
    (!value.contains(&b'[')).then(|| (trim_end(head), value))
}

/// Only the stamp.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    stamp(line, context).map(|(time, _)| time)
}

/// `MM/DD/YYYY-HH:MM:SS.ffffff`, or as Snort writes it, without the year or
/// with two digits of it.
fn stamp<'a>(line: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    let (&[m0, m1, b'/', d0, d1], rest) = line.split_first_chunk::<5>()? else {
        return None;
    };
    let (year, rest) = match *rest {
        [b'/', y0, y1, y2, y3, b'-', ref rest @ ..] => (Some(number(&[y0, y1, y2, y3])?), rest),
        [b'/', y0, y1, b'-', ref rest @ ..] => (Some(2000 + number(&[y0, y1])?), rest),
        [b'-', ref rest @ ..] => (None, rest),
        _ => return None,
    };
    let (&[h0, h1, b':', n0, n1, b':', s0, s1], rest) = rest.split_first_chunk::<8>()? else {
        return None;
    };
    let (nanos, rest) = decimals(rest)?;
    let civil = Civil {
        year: year.unwrap_or(0),
        month: two(m0, m1),
        day: two(d0, d1),
        hour: two(h0, h1),
        minute: two(n0, n1),
        second: two(s0, s1),
        nanos,
    };
    let time = match year {
        Some(_) => local(civil, context)?,
        None => nearest_year(civil, context)?,
    };
    Some((time, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Verdict, String) {
        let context = Context::utc(Time::from_secs(1_718_409_600));
        let fields = [
            Field::EVENT_OUTCOME,
            Field::RULE_ID,
            Field::NETWORK_TRANSPORT,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::DESTINATION_IP,
            Field::DESTINATION_PORT,
            Field::EVENT_SEVERITY,
            Field::RULE_CATEGORY,
            Field::RULE_NAME,
        ];
        let seen = crate::format::shape::seen(line, &context, &fields);
        (seen.verdict, format!("{} {}", seen.time, seen.fields))
    }

    #[test]
    fn alerts_of_both_sensors() {
        for (line, expected) in [
            (
                "07/11/2024-10:29:01.860293  [**] [1:2200074:2] SURICATA TCPv4 invalid checksum [**] [Classification: Generic Protocol Command Decode] [Priority: 3] {TCP} 192.0.2.7:28487 -> 198.51.100.5:80",
                "2024-07-11T10:29:01.860293Z success|2200074|tcp|192.0.2.7|28487|198.51.100.5|80|3|Generic Protocol Command Decode|SURICATA TCPv4 invalid checksum",
            ),
            (
                "07/11/2024-10:29:01.860293  [Drop] [**] [1:9:2] A [b] {c} [**] [Classification: (null)] [Priority: 3] {TCP} 2001:0db8:0000:0000:0000:0000:0000:0007:28487 -> 2001:db8::5:80",
                "2024-07-11T10:29:01.860293Z failure|9|tcp|2001:db8::7|28487|2001:db8::5|80|3|-|A [b] {c}",
            ),
            (
                "07/11-10:29:01.860293 [**] [1:384:5] ICMP PING [**] [Classification: Misc activity] [Priority: 3] {ICMP} 192.0.2.7 -> 198.51.100.5",
                "2024-07-11T10:29:01.860293Z success|384|icmp|192.0.2.7|-|198.51.100.5|-|3|Misc activity|ICMP PING",
            ),
            (
                "07/11/24-10:29:01.860293 [**] [1:384:5] PING [**] [Priority: 0] {IPv6-ICMP} fe80::1 -> ff02::2",
                "2024-07-11T10:29:01.860293Z success|384|ipv6-icmp|fe80::1|-|ff02::2|-|0|-|PING",
            ),
            (
                "07/11/2024-10:29:01.860293  [**] [1:2200000:2] SURICATA IPv4 packet too small [**] [Classification: X] [Priority: 3] [**] [Raw pkt: 00 1B 21]",
                "2024-07-11T10:29:01.860293Z success|2200000|-|-|-|-|-|3|X|SURICATA IPv4 packet too small",
            ),
        ] {
            assert_eq!(read(line), (Verdict::Event, expected.to_owned()), "{line}");
        }
    }

    #[test]
    fn rows_of_other_outputs_are_read_from_their_trusted_ends() {
        for (line, expected) in [
            (
                r#"07/11-10:29:01.860293 ,1,384,5,"a, b",UDP,192.0.2.7,5116,198.51.100.5,5060,00:00:5E:00:53:01"#,
                "2024-07-11T10:29:01.860293Z success|384|udp|192.0.2.7|5116|198.51.100.5|5060|-|-|a, b",
            ),
            (
                "07/11/2024-10:29:01.860293 a.example [**] /x 203.0.113.66:1 -> 203.0.113.67:2 [**] curl [**] 192.0.2.7:4711 -> 198.51.100.5:80",
                "2024-07-11T10:29:01.860293Z unknown|-|-|192.0.2.7|4711|198.51.100.5|80|-|-|-",
            ),
        ] {
            assert_eq!(read(line), (Verdict::Event, expected.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_message_that_looks_like_an_end_moves_nothing() {
        let line = "07/11/2024-10:29:01.860293  [**] [1:9:2] x [**] [Priority: 1] {TCP} 203.0.113.66:1 -> 203.0.113.67:2 [**] [Classification: C] [Priority: 3] {TCP} 192.0.2.7:28487 -> 198.51.100.5:80";
        let (verdict, shown) = read(line);
        assert_eq!(verdict, Verdict::Event);
        assert!(
            shown.contains("|192.0.2.7|28487|198.51.100.5|80|3|C|x "),
            "{shown}"
        );
    }

    #[test]
    fn halves_are_malformed_and_other_lines_not_ours() {
        for line in [
            "07/11/2024-10:29:01.860293  [**] [1:9:2] x [**] [Classification: C] [Priority: 3] {TCP} 192.0.2.7:28487 -> 198.51",
            "07/11/2024-10:29:01.860293  [**] [1:9:2] x",
            "07/11/2024-10:29:01.860293  [**] [1:x:2] x [**] [Priority: 3] {TCP} 192.0.2.7:1 -> 192.0.2.8:2",
        ] {
            assert!(matches!(read(line).0, Verdict::Malformed(_)), "{line}");
        }
        for line in ["07/11/2024-10:29:01 x", "07/11 x", "7/11/2024", ""] {
            assert_eq!(read(line).0, Verdict::NotMine, "{line}");
        }
    }
}
