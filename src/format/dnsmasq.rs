//! dnsmasq: queries and what came of them, and its DHCP server.
//!
//! The name asked for may hold blanks; the client's address is the last word
//! of a query. A DHCP client chooses its name, which is the last word of its
//! line, and the address it asks for.

use super::dhcpd::{Lease, is_mac};
use super::token::{address_at_end, cut, first_word, ip, ip_port, last_word, number, say, some};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "dnsmasq",
    about: "dnsmasq: dns_query, dns_answer, and DHCP's dhcp_discover to dhcp_nak",
    programs: &["dnsmasq", "dnsmasq-dhcp"],
    logsources: &[
        LogSource {
            product: "dnsmasq",
            categories: &["dns"],
            services: &["dnsmasq", "dns", "syslog"],
        },
        LogSource {
            product: "dnsmasq",
            categories: &["dhcp"],
            services: &["dnsmasq-dhcp", "dhcp", "syslog"],
        },
    ],
    parse: Parser::Message(parse),
    example: "May  6 08:00:00 gate1 dnsmasq[812]: query[A] www.example.net from 192.0.2.7",
};

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let read = if message.program == b"dnsmasq-dhcp" {
        event.class.kind = 1;
        lease(message.text, event)
    } else {
        resolved(message.text, event)
    };
    match read {
        None => Verdict::NotMine,
        Some(Ok(())) => Verdict::Event,
        Some(Err(reason)) => Verdict::Malformed(reason),
    }
}

/// `[N A/PORT ]query[TYPE] NAME from A` and the lines that answer it.
fn resolved<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<Result<(), &'static str>> {
    // `log-queries=extra` puts a serial number and the client before each line.
    let (serial, after) = first_word(text);
    let (peer, after) = first_word(after);
    let client = number(serial)
        .and_then(|_| super::token::cut_last(peer, b"/"))
        .and_then(|(address, port)| Some((ip(address)?, super::token::port(port)?)));
    let text = if client.is_some() { after } else { text };
    let read = if let Some(rest) = text.strip_prefix(b"query[") {
        query(rest, client.is_none(), event)
    } else {
        let (word, rest) = first_word(text);
        match word {
            // A path is a list's file, or `/etc/hosts`.
            b"reply" | b"cached" | b"config" | b"cached-stale" | [b'/', ..] => answer(rest, event),
            b"forwarded" => forwarded(rest, event),
            _ => match BLOCKED.iter().find_map(|word| text.strip_prefix(*word)) {
                Some(rest) => {
                    let read = answer(rest, event);
                    event.replace(Field::EVENT_OUTCOME, Value::Text(b"failure"));
                    read
                }
                None => return None,
            },
        }
    };
    if let (Ok(()), Some((address, port))) = (read, client) {
        event.set(Field::SOURCE_IP, Value::Ip(address));
        event.set(Field::SOURCE_PORT, Value::Int(i64::from(port)));
    }
    Some(read)
}

/// How Pi-hole begins a line about a name that it refuses.
const BLOCKED: &[&[u8]] = &[
    b"gravity blocked ",
    b"regex blacklisted ",
    b"regex denied ",
    b"exactly blacklisted ",
    b"exactly denied ",
    b"special domain ",
];

/// `TYPE] NAME from A`.
fn query<'a>(text: &'a [u8], names: bool, event: &mut Event<'a>) -> Result<(), &'static str> {
    let (kind, rest) = cut(text, b"] ").ok_or("the type's bracket does not end")?;
    let (head, peer) = address_at_end(rest).ok_or("no address at the end")?;
    let name = head
        .strip_suffix(b" from")
        .ok_or("no client after the name")?;
    say(event, "dns_query", "unknown", "network");
    some(event, Field::DNS_QUESTION_NAME, name);
    some(event, Field::DNS_QUESTION_TYPE, kind);
    if names {
        peer.set(event);
    }
    Ok(())
}

/// `NAME is DATA`: a code in angle brackets and capitals says there is none.
fn answer<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (name, data) = super::token::cut_last(text, b" is ").ok_or("no answer after the name")?;
    let code: Option<&'a [u8]> = match data {
        b"NXDOMAIN" | b"NXDOMAIN-IPv4" | b"NXDOMAIN-IPv6" => Some(&b"NXDOMAIN"[..]),
        b"SERVFAIL" | b"REFUSED" | b"NOTIMP" => Some(data),
        _ if data.starts_with(b"NODATA") => Some(&b"NOERROR"[..]),
        _ => None,
    };
    let failed = code.is_some_and(|code| code != b"NOERROR");
    say(
        event,
        "dns_answer",
        if failed { "failure" } else { "success" },
        "network",
    );
    some(event, Field::DNS_QUESTION_NAME, name);
    match code {
        Some(code) => some(event, Field::DNS_RESPONSE_CODE, code),
        None => some(event, Field::DNS_ANSWERS_DATA, data),
    }
    Ok(())
}

/// `NAME to SERVER`.
fn forwarded<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (name, server) = super::token::cut_last(text, b" to ").ok_or("no server after the name")?;
    let plain = cut(server, b"#").map_or(server, |(server, _)| server);
    let address = ip(plain).or_else(|| Some(ip_port(plain)?.0));
    say(event, "dns_forwarded", "unknown", "network");
    some(event, Field::DNS_QUESTION_NAME, name);
    event.set(
        Field::DESTINATION_IP,
        Value::Ip(address.ok_or("the server is no address")?),
    );
    Ok(())
}

/// `[XID ]DHCPACK(INTERFACE) [A ]MAC[ NAME]`.
fn lease<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<Result<(), &'static str>> {
    let (first, after) = first_word(text);
    let text = if number(first).is_some() { after } else { text };
    let rest = text.strip_prefix(b"DHCP")?;
    let (verb, rest) = cut(rest, b"(")?;
    let (_interface, rest) = cut(rest, b") ")?;
    let mut lease = Lease::of(verb)?;
    let (first, after) = first_word(rest);
    let rest = match ip(first) {
        Some(address) => {
            lease.address = Some(address);
            after
        }
        None => rest,
    };
    let (mac, said) = first_word(rest);
    if !is_mac(mac) {
        return Some(Err("no hardware address"));
    }
    lease.mac = mac;
    // A refusal ends with its reason, all others with the client's name.
    if lease.action == "dhcp_nak" {
        lease.reason = said;
    } else {
        lease.name = last_word(said).1;
    }
    lease.set(event);
    Some(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(program: &str, text: &str) -> (Verdict, String) {
        let mut event = Event::new();
        let message = Message {
            program: program.as_bytes(),
            text: text.as_bytes(),
        };
        let verdict = parse(message, &mut event);
        let fields = [
            Field::EVENT_ACTION,
            Field::SOURCE_IP,
            Field::SOURCE_MAC,
            Field::SOURCE_DOMAIN,
            Field::DNS_QUESTION_NAME,
            Field::DNS_ANSWERS_DATA,
            Field::DHCP_REQUESTED_IP,
            Field::DESTINATION_IP,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join("|"))
    }

    #[test]
    fn the_client_is_the_last_word_of_a_query() {
        for (program, text, expected) in [
            (
                "dnsmasq",
                "query[A] a.example from 192.0.2.7",
                "dns_query|192.0.2.7|-|-|a.example|-|-|-",
            ),
            (
                "dnsmasq",
                "query[TXT] x from 198.51.100.66 from 192.0.2.7",
                "dns_query|192.0.2.7|-|-|x from 198.51.100.66|-|-|-",
            ),
            (
                "dnsmasq",
                "12 192.0.2.7/5353 query[A] a.example from 192.0.2.7",
                "dns_query|192.0.2.7|-|-|a.example|-|-|-",
            ),
            (
                "dnsmasq",
                "reply a.example is 198.51.100.5",
                "dns_answer|-|-|-|a.example|198.51.100.5|-|-",
            ),
            (
                "dnsmasq",
                "forwarded a.example to 192.0.2.53#5353",
                "dns_forwarded|-|-|-|a.example|-|-|192.0.2.53",
            ),
            (
                "dnsmasq-dhcp",
                "DHCPACK(eth0) 192.0.2.7 52:54:00:12:34:56 laptop",
                "dhcp_ack|192.0.2.7|52:54:00:12:34:56|laptop|-|-|-|-",
            ),
            (
                "dnsmasq-dhcp",
                "123456 DHCPREQUEST(eth0) 192.0.2.9 52:54:00:12:34:56",
                "dhcp_request|-|52:54:00:12:34:56|-|-|-|192.0.2.9|-",
            ),
            (
                "dnsmasq-dhcp",
                "DHCPDISCOVER(eth0) 52:54:00:12:34:56",
                "dhcp_discover|-|52:54:00:12:34:56|-|-|-|-|-",
            ),
        ] {
            assert_eq!(
                read(program, text),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn other_lines_are_not_ours_and_broken_ones_malformed() {
        assert_eq!(read("dnsmasq", "started, version 2.90").0, Verdict::NotMine);
        assert_eq!(read("dnsmasq-dhcp", "read /etc/ethers").0, Verdict::NotMine);
        for (program, text) in [
            ("dnsmasq", "query[A] a.example from here"),
            ("dnsmasq", "reply a.example"),
            ("dnsmasq-dhcp", "DHCPACK(eth0) 192.0.2.7 laptop"),
        ] {
            assert!(
                matches!(read(program, text).0, Verdict::Malformed(_)),
                "{text}"
            );
        }
    }
}
