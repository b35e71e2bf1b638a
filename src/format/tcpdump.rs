//! tcpdump's text: a packet a line.
//!
//! The stamp, the addresses and the ports stand before the colon; what the
//! packet says comes after it and is not read but for TCP's flags. Stamps are
//! of the day that goes on from the lines before, unless `-tttt` wrote the date
//! or `-tt` the seconds since 1970. Names (without `-n`) stay
//! names: whoever owns the reverse zone chose them.

use bumpalo::Bump;

use super::timestamp::{decimals, iso, local, two};
use super::token::{Host, cut, cut_last, ip, number, port, say, trim_start};
use super::transport::{say_filtered, set_hosts, set_ports, verdict};
use super::{Context, Format, Parser, Verdict, epoch};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::time::{Civil, Span, Time};

pub(super) static FORMAT: Format = Format {
    name: "tcpdump",
    about: "tcpdump's text, also of pf's log: `packet`, or `connection` where pf says what it did",
    programs: &[],
    logsources: &[
        LogSource {
            product: "tcpdump",
            categories: &["network_connection"],
            services: &["tcpdump"],
        },
        LogSource {
            product: "pf",
            categories: &["firewall"],
            services: &["pf"],
        },
    ],
    parse: Parser::Line(parse),
    example: "11:29:42.550475 IP 192.0.2.7.43436 > 198.51.100.5.22: Flags [S], seq 2398030442, win 64240, options [mss 1460,sackOK], length 0",
};

/// pf's log, sent to syslog by way of tcpdump (`tcpdump -e -i pflog0 | logger -t pf`).
pub(super) static PF: Format = Format {
    name: "pf",
    about: "pf's log in syslog, in tcpdump's text: `connection`, failure when blocked",
    programs: &["pf", "pflog", "pflogd"],
    logsources: &[LogSource {
        product: "pf",
        categories: &["firewall"],
        services: &["pf"],
    }],
    parse: Parser::Message(|message, event| pf(message.text, event)),
    example: "May  1 10:00:00 gate1 pf: 00:00:05.183594 rule 0/0(match): block in on xl0: 192.0.2.7.1137 > 198.51.100.5.80: Flags [S], seq 1, win 8192, length 0",
};

/// [`FORMAT`]'s log source for pf's log.
const FILTERED: u8 = 1;

/// How the addresses are divided.
const TO: &[u8] = b" > ";

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    _arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let Some((time, rest)) = stamped(line, context) else {
        return Verdict::NotMine;
    };
    let Some(packet) = begin(rest) else {
        return Verdict::NotMine;
    };
    let before = event.values().len();
    event.time = time;
    if packet.filter.is_some() {
        event.class.kind = FILTERED;
    }
    match read(&packet, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => {
            event.truncate(before);
            Verdict::Malformed(reason)
        }
    }
}

fn pf<'a>(text: &'a [u8], event: &mut Event<'a>) -> Verdict {
    // The stamp, or the time since the packet before.
    let rest = match text.first() {
        Some(b'0'..=b'9') => cut(text, b" ").map_or(text, |(_, rest)| rest),
        _ => text,
    };
    match after_stamp(rest) {
        Some(packet) if packet.filter.is_some() => match read(&packet, event) {
            Ok(()) => Verdict::Event,
            Err(reason) => Verdict::Malformed(reason),
        },
        _ => Verdict::NotMine,
    }
}

/// Whether the line begins with a date as `-tttt` writes it, which an
/// envelope would take for its own: no host is called `IP`.
pub(super) fn dated(line: &[u8]) -> bool {
    line.get(26..)
        .is_some_and(|rest| rest.starts_with(b" IP ") || rest.starts_with(b" IP6 "))
        && line.get(10) == Some(&b' ')
        && line.get(19) == Some(&b'.')
}

/// Only the stamp.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    let (time, rest) = stamped(line, context)?;
    begin(rest).and(time)
}

/// Whether a packet's stamp is only a time of day.
pub(super) fn names_no_day(line: &[u8], context: &Context) -> bool {
    line.get(2) == Some(&b':')
        && stamped(line, context).is_some_and(|(_, rest)| begin(rest).is_some())
}

/// The stamp, none if its day is not known, and what follows it.
fn stamped<'a>(line: &'a [u8], context: &Context) -> Option<(Option<Time>, &'a [u8])> {
    let &[a, b, c] = line.first_chunk::<3>()?;
    if !a.is_ascii_digit() || !b.is_ascii_digit() {
        return None;
    }
    if c == b':' {
        return time_of_day(line, context);
    }
    if dated(line) {
        return iso(line, context).map(|(time, rest)| (Some(time), rest));
    }
    let (seconds, rest) = cut(line, b" ")?;
    (seconds.len() == 17 && seconds.get(10) == Some(&b'.')).then_some(())?;
    Some((
        Some(epoch(seconds)?),
        line.get(line.len() - rest.len() - 1..)?,
    ))
}

/// `HH:MM:SS.ffffff`, of the first day on which that is not before the floor.
fn time_of_day<'a>(line: &'a [u8], context: &Context) -> Option<(Option<Time>, &'a [u8])> {
    let (&[h0, h1, b':', n0, n1, b':', s0, s1], rest) = line.split_first_chunk::<8>()? else {
        return None;
    };
    let (nanos, rest) = decimals(rest)?;
    let on = |day: Time| {
        let civil = Civil {
            hour: two(h0, h1),
            minute: two(n0, n1),
            second: two(s0, s1),
            nanos,
            ..day.civil()
        };
        local(civil, context)
    };
    let Some(floor) = context.floor else {
        return on(context.reference).map(|_| (None, rest)); // any day shows whether it is a time
    };
    // The source's day may be the one before or after that of UTC.
    let days = (-1..=2).map(|days| floor.plus(Span::DAY.times(days)));
    let time = days.filter_map(on).find(|time| *time >= floor)?;
    Some((Some(time), rest))
}

/// A packet's parts, not looked into yet.
struct Packet<'a> {
    interface: Option<&'a [u8]>,
    /// What pf did, and in which direction.
    filter: Option<(&'a [u8], bool)>,
    source: &'a [u8],
    destination: &'a [u8],
    /// What the packet says.
    says: &'a [u8],
}

/// What stands between the stamp and the addresses, in the words that
/// tcpdump has for it; none where this is no packet.
fn begin(text: &[u8]) -> Option<Packet<'_>> {
    after_stamp(text.strip_prefix(b" ")?)
}

fn after_stamp(rest: &[u8]) -> Option<Packet<'_>> {
    let (interface, rest) = match rest.strip_prefix(b"IP") {
        Some(_) => (None, rest),
        None => on_interface(rest).unwrap_or((None, rest)),
    };
    let (filter, interface, rest) = if let Some(rest) = rest.strip_prefix(b"rule ") {
        let (_rule, rest) = cut(rest, b": ")?;
        let (action, rest) = cut(rest, b" ")?;
        let (direction, rest) = cut(rest, b" on ")?;
        let (interface, rest) = cut(rest, b": ")?;
        let inbound = match direction {
            b"in" => true,
            b"out" => false,
            _ => return None,
        };
        let rest = rest.strip_prefix(b"IP ").unwrap_or(rest);
        let rest = rest.strip_prefix(b"IP6 ").unwrap_or(rest);
        (Some((action, inbound)), Some(interface), rest)
    } else if let Some(rest) = rest
        .strip_prefix(b"IP ")
        .or_else(|| rest.strip_prefix(b"IP6 "))
    {
        (None, interface, rest)
    } else {
        (None, interface, after_frame(rest)?)
    };
    let (source, rest) = cut(without_header(rest), TO)?;
    let (destination, says) = destination(rest)?;
    Some(Packet {
        interface,
        filter,
        source,
        destination,
        says,
    })
}

/// Without what `-v` tells of the IP header: `(tos 0x0, ttl 64, …, proto TCP
/// (6), length 60) `.
fn without_header(text: &[u8]) -> &[u8] {
    let header = [&b"(tos "[..], b"(class ", b"(hlim ", b"(flowlabel "];
    if !header.iter().any(|begin| text.starts_with(begin)) {
        return text;
    }
    // An IPv6 header says `payload length: 40)`, an IPv4 one `length 60)`; its
    // options stand before that, in brackets of their own.
    let ended = memchr::memmem::find_iter(text, b") ").find_map(|at| {
        let (head, rest) = text.split_at_checked(at)?;
        let digits = head.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let word = head.get(..head.len() - digits)?;
        let sound = digits > 0 && (word.ends_with(b"length ") || word.ends_with(b"length: "));
        sound.then(|| rest.get(2..)).flatten()
    });
    ended.unwrap_or(text)
}

/// Sets the question of `4711+ [1au] A? NAME (32)`, where the packet is one.
fn asked<'a>(says: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    let digits = says.iter().take_while(|b| b.is_ascii_digit()).count();
    number(says.get(..digits)?)?;
    let (mark, rest) = cut(says, b"? ")?;
    let (_, kind) = super::token::last_word(mark);
    let known = !kind.is_empty()
        && kind
            .iter()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let (name, _) = cut(rest, b" ").filter(|_| known)?;
    super::token::some(
        event,
        Field::DNS_QUESTION_NAME,
        super::unbound::without_dot(name.strip_suffix(b",").unwrap_or(name)),
    );
    super::token::some(event, Field::DNS_QUESTION_TYPE, kind);
    Some(())
}

/// `eth0  In  IP …` of a capture on all interfaces.
fn on_interface(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (interface, rest) = cut(text, b" ")?;
    let (direction, rest) = cut(trim_start(rest), b" ")?;
    let known = matches!(direction, b"In" | b"Out" | b"B" | b"M" | b"P");
    known.then(|| (Some(interface), trim_start(rest)))
}

/// What follows the frame that `-e` prints:
/// `aa:bb:cc:dd:ee:ff > …, ethertype IPv4 (0x0800), length 74: `.
fn after_frame(text: &[u8]) -> Option<&[u8]> {
    let (source, rest) = cut(text, TO)?;
    (source.len() == 17 && source.get(2) == Some(&b':')).then_some(())?;
    let (_destination, rest) = cut(rest, b", ethertype IPv")?;
    let (_type, rest) = cut(rest, b", length ")?;
    Some(cut(rest, b": ")?.1)
}

/// `ADDRESS[.port]:` at the beginning, and what follows: an IPv6 address has
/// colons of its own, so it is the first that a blank or the end follows.
fn destination(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end)?;
    Some((word.strip_suffix(b":")?, rest.get(1..).unwrap_or_default()))
}

fn read<'a>(packet: &Packet<'a>, event: &mut Event<'a>) -> Result<(), &'static str> {
    let says = packet.says;
    let transport = transport(says);
    let has_ports = matches!(transport, None | Some("tcp" | "udp" | "sctp"));
    let ends = end(packet.source, has_ports).zip(end(packet.destination, has_ports));
    let (source, destination) = ends.ok_or("no addresses")?;
    let mut by = Field::OBSERVER_INGRESS;
    if let Some((action, inbound)) = packet.filter {
        say_filtered(verdict(action), event);
        let direction: &[u8] = if inbound { b"inbound" } else { b"outbound" };
        event.text(Field::NETWORK_DIRECTION, direction);
        if !inbound {
            by = Field::OBSERVER_EGRESS;
        }
    } else {
        say(event, "packet", "unknown", "network");
    }
    if let Some(interface) = packet.interface {
        event.text(by, interface);
    }
    set_hosts(source.0, destination.0, event);
    set_ports(source.1, destination.1, event);
    let old = old_flags(says);
    let transport = match transport {
        None if old.is_some() => Some("tcp"),
        Some("icmp") if matches!(source.0, Host::Ip(ip) if ip.is_ipv6()) => Some("ipv6-icmp"),
        // What is decoded (DNS, NTP, …) says no protocol, and is UDP's but for
        // what comes with TCP's flags.
        None if source.1.is_some() => Some("udp"),
        known => known,
    };
    if let Some(transport) = transport {
        event.text(Field::NETWORK_TRANSPORT, transport.as_bytes());
    }
    let flags = says
        .strip_prefix(b"Flags [")
        .and_then(|flags| cut(flags, b"]"))
        .map(|(flags, _)| flags);
    if let Some(flags) = flags.or(old) {
        event.text(Field::TCP_FLAGS, flags);
    }
    if transport == Some("udp") {
        let _ = asked(says, event);
    }
    if let Some((_, length)) = cut_last(says, b"length ")
        && let Some(length) = number(length)
    {
        event.set(Field::NETWORK_BYTES, Value::Int(length));
    }
    Ok(())
}

/// TCP's flags as tcpdump wrote them before version 4: `S 1:1(0) win 8192`,
/// `. ack 1 win 5840`.
fn old_flags(says: &[u8]) -> Option<&[u8]> {
    let (word, rest) = cut(says, b" ")?;
    let flags = word.len() <= 8 && word.iter().all(|b| b"SFPRUWE.".contains(b));
    let (next, _) = cut(rest, b" ")?;
    let numbered = cut(next, b"(")
        .is_some_and(|(range, _)| range.iter().all(|b| b.is_ascii_digit() || *b == b':'));
    (flags && !word.is_empty() && (numbered || next == b"ack")).then_some(word)
}

/// The protocol, by how tcpdump begins to tell of a packet.
fn transport(says: &[u8]) -> Option<&'static str> {
    const BEGINS: &[(&[u8], &str)] = &[
        (b"Flags [", "tcp"),
        (b"tcp ", "tcp"),
        (b"UDP", "udp"),
        (b"ICMP", "icmp"),
        (b"icmp", "icmp"),
        (b"sctp ", "sctp"),
        (b"ESP(", "esp"),
        (b"AH(", "ah"),
        (b"GRE", "gre"),
        (b"igmp", "igmp"),
        (b"OSPF", "ospf"),
        (b"VRRP", "vrrp"),
        (b"CARP", "vrrp"),
        (b"PIM", "pim"),
        (b"EIGRP", "eigrp"),
    ];
    BEGINS
        .iter()
        .find(|(begin, _)| says.starts_with(begin))
        .map(|(_, name)| *name)
}

/// An address or a name, and its port behind the last point, as a number or
/// by the name of a service.
fn end(text: &[u8], has_port: bool) -> Option<(Host<'_>, Option<u16>)> {
    if let Some(address) = ip(text) {
        return Some((Host::Ip(address), None));
    }
    match cut_last(text, b".") {
        Some((host, service)) if has_port => Some((Host::read(host)?, port(service))),
        _ => Some((Host::read(text)?, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Verdict, String) {
        // 2024-06-15T00:10:00Z.
        let context = Context::utc(Time::from_secs(1_718_410_200));
        let arena = Bump::new();
        let mut event = Event::new();
        let verdict = parse(line.as_bytes(), &context, &arena, &mut event);
        let fields = [
            Field::NETWORK_TRANSPORT,
            Field::SOURCE_IP,
            Field::SOURCE_DOMAIN,
            Field::SOURCE_PORT,
            Field::DESTINATION_IP,
            Field::DESTINATION_DOMAIN,
            Field::DESTINATION_PORT,
            Field::TCP_FLAGS,
        ];
        let shown = fields.map(|field| event.shown(field));
        let time = event.time.map_or("-".to_owned(), |t| t.to_string());
        (verdict, format!("{time} {}", shown.join(" ")))
    }

    #[test]
    fn packets_of_every_kind() {
        for (line, expected) in [
            (
                "11:29:42.550475 IP 192.0.2.7.43436 > 198.51.100.5.22: Flags [S], seq 1, win 64240, length 0",
                "2024-06-15T11:29:42.550475Z tcp 192.0.2.7 - 43436 198.51.100.5 - 22 S",
            ),
            (
                "11:29:42.5 rule 70/0(match): block in on em0: (tos 0x0, ttl 57, id 1, offset 0, flags [DF], proto TCP (6), length 60) 192.0.2.7.43436 > 198.51.100.5.22: Flags [S], length 0",
                "2024-06-15T11:29:42.500Z tcp 192.0.2.7 - 43436 198.51.100.5 - 22 S",
            ),
            (
                "23:59:42.5 IP6 2001:db8::7.43436 > 2001:db8::5.22: Flags [S.], seq 1, length 0",
                "2024-06-14T23:59:42.500Z tcp 2001:db8::7 - 43436 2001:db8::5 - 22 S.",
            ),
            (
                "2024-06-15 11:29:42.550475 IP 192.0.2.7 > 198.51.100.5: ICMP echo request, id 1, seq 1, length 64",
                "2024-06-15T11:29:42.550475Z icmp 192.0.2.7 - - 198.51.100.5 - - -",
            ),
            (
                "1718450982.550475 IP 192.0.2.7.5353 > 198.51.100.5.53: 4711+ A? 198.51.100.66.22: Flags [S]. (32)",
                "2024-06-15T11:29:42.550475Z udp 192.0.2.7 - 5353 198.51.100.5 - 53 -",
            ),
            (
                "11:29:42.550475 eth0  In  IP client.example.43436 > gate1.example.ssh: Flags [P.], seq 1:37, length 36",
                "2024-06-15T11:29:42.550475Z tcp - client.example 43436 - gate1.example - P.",
            ),
            (
                "11:29:42.550475 00:00:5e:00:53:01 > 00:00:5e:00:53:02, ethertype IPv4 (0x0800), length 74: 192.0.2.7.43436 > 198.51.100.5.22: Flags [S], length 0",
                "2024-06-15T11:29:42.550475Z tcp 192.0.2.7 - 43436 198.51.100.5 - 22 S",
            ),
            (
                "11:29:42.550475 IP6 fe80::1 > ff02::1: ICMP6, router advertisement, length 64",
                "2024-06-15T11:29:42.550475Z ipv6-icmp fe80::1 - - ff02::1 - - -",
            ),
            (
                "11:29:42.550475 rule 2..16777216/0(match): block in on em0: 192.0.2.7.43436 > 198.51.100.5.22: Flags [S], length 0",
                "2024-06-15T11:29:42.550475Z tcp 192.0.2.7 - 43436 198.51.100.5 - 22 S",
            ),
            (
                "11:29:42.550475 rule 0/0(match): block in on xl0: 192.0.2.7.1137 > 198.51.100.5.80: S 123:123(0) win 8192 <mss 1460>",
                "2024-06-15T11:29:42.550475Z tcp 192.0.2.7 - 1137 198.51.100.5 - 80 S",
            ),
        ] {
            assert_eq!(read(line), (Verdict::Event, expected.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_time_of_day_goes_on_from_the_line_before_and_has_no_day_where_none_is_known() {
        let packet = |time: &str| {
            format!(
                "{time}.5 IP 192.0.2.7 > 198.51.100.5: ICMP echo request, id 1, seq 1, length 64"
            )
        };
        let mut context = Context::utc(Time::from_secs(1_718_410_200));
        context.zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
        context.follow(Time::from_secs(1_718_410_200)); // 20:10 on the 14th there
        for (time, expected) in [
            ("20:20:00", "2024-06-15T00:20:00.500Z"),
            ("19:50:00", "2024-06-14T23:50:00.500Z"), // out of order
            ("23:59:59", "2024-06-15T03:59:59.500Z"),
            ("00:00:01", "2024-06-15T04:00:01.500Z"),
            ("18:00:00", "2024-06-15T22:00:00.500Z"),
        ] {
            let shown = peek_time(packet(time).as_bytes(), &context).unwrap();
            assert_eq!(shown.to_string(), expected, "{time}");
        }
        context.floor = None;
        let line = packet("20:20:00");
        assert_eq!(peek_time(line.as_bytes(), &context), None);
        assert!(names_no_day(line.as_bytes(), &context));
        let (arena, mut event) = (Bump::new(), Event::new());
        let verdict = parse(line.as_bytes(), &context, &arena, &mut event);
        assert_eq!((verdict, event.time), (Verdict::Event, None));
    }

    #[test]
    fn what_is_no_packet_is_not_ours() {
        for line in [
            "11:29:42.550475 ARP, Request who-has 192.0.2.7 tell 192.0.2.1, length 28",
            "11:29:42 something > else: x",
            "listening on eth0, link-type EN10MB (Ethernet), snapshot length 262144 bytes",
            "11:29:42.550475 IP",
            "",
        ] {
            assert_eq!(read(line).0, Verdict::NotMine, "{line}");
        }
    }
}
