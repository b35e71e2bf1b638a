//! PowerDNS, its recursor, and Knot: queries, answers and zone transfers.
//!
//! The name asked for stands in quotes; what follows it is the server's.

use super::ends::{self, end};
use super::gateway::pairs;
use super::shape::only_cut;
use super::template::Table;
use super::token::{cut, cut_last, number, say, some};
use super::unbound::without_dot;
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "pdns",
    about: "PowerDNS, its recursor and Knot: dns_query, dns_answer, dns_zone_transfer, dns_notify",
    programs: &[
        "pdns",
        "pdns_server",
        "pdns_recursor",
        "pdns-recursor",
        "dnsdist",
        "knotd",
        "kresd",
    ],
    logsources: &[LogSource {
        product: "pdns",
        categories: &["dns"],
        services: &["pdns", "dns", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  6 08:00:00 ns1 pdns[7]: Remote 192.0.2.7 wants 'www.example.net|A', do = 0, bufsize = 1232: packetcache HIT",
};

/// Sentences of zone transfers and the like: action and outcome.
static SENTENCES: Table = Table::new(&[
    (
        ["dns_zone_transfer", "failure", "network"],
        &["AXFR of domain '{*}' denied: client IP {from-end} has no permission{*}"],
    ),
    (
        ["dns_zone_transfer", "unknown", "network"],
        &["AXFR of domain '{*}' initiated by {from-end}{...}"],
    ),
    (
        ["dns_zone_transfer", "success", "network"],
        &[
            "AXFR of domain '{*}' allowed: client IP {from-end} is{*}",
            "AXFR of domain '{*}' to {from-end} finished{*}",
        ],
    ),
    (
        ["dns_zone_transfer", "failure", "network"],
        &["AXFR-out zone '{*}', client '{from-end}', denied{*}"],
    ),
    (
        ["dns_zone_transfer", "unknown", "network"],
        &["AXFR-out zone '{*}', client '{from-end}', {*}"],
    ),
    (
        ["dns_notify", "unknown", "network"],
        &["Received NOTIFY for {w} from {from-end} {*}"],
    ),
    (
        ["dns_zone_transfer", "unknown", "network"],
        &["info: [{w}] AXFR, outgoing, remote {from-end},{*}"],
    ),
    (
        ["dns_notify", "unknown", "network"],
        &["info: [{w}] notify, incoming, remote {from-end},{*}"],
    ),
    (
        ["dns_query", "failure", "network"],
        &[
            "notice: ACL, denied, action {w}, remote {from-end},{*}",
            "info: [{w}] ACL, denied, action {w}, remote {from-end},{*}",
        ],
    ),
]);

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = message.text;
    if let Some(rest) = text.strip_prefix(b"Remote ") {
        return read(remote(rest, event));
    }
    if let Some((_, rest)) = cut(text, b"] question for '") {
        return read(asked(rest, event));
    }
    if let Some((_, rest)) = cut(text, b"] answer to question '") {
        return read(answered(rest, event));
    }
    if text.starts_with(b"msg=\"") {
        return structured(text, event);
    }
    match SENTENCES.find(text, |_| true) {
        Ok(Some(reading)) => {
            reading.set(event);
            let [action, outcome, category] = reading.says;
            say(event, action, outcome, category);
            some(event, Field::EVENT_REASON, text);
            Verdict::Event
        }
        Ok(None) => Verdict::NotMine,
        Err(reason) => Verdict::Malformed(reason),
    }
}

fn read(done: Option<()>) -> Verdict {
    match done {
        Some(()) => Verdict::Event,
        None => Verdict::Malformed("no question and client"),
    }
}

/// Sets `NAME|TYPE`; a type has no bar.
fn question<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    let (name, kind) = cut_last(text, b"|")?;
    some(event, Field::DNS_QUESTION_NAME, without_dot(name));
    some(event, Field::DNS_QUESTION_TYPE, kind);
    Some(())
}

/// `A[<-NET] wants 'NAME|TYPE', do = …`.
fn remote<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    let (client, rest) = cut(text, b" wants '")?;
    let (asked, _) = only_cut(rest, b"', do = ", |_, _| true)
        .or_else(|| only_cut(rest, b"', bufsize = ", |_, _| true))?;
    let client = cut(client, b"<-").map_or(client, |(client, _)| client);
    say(event, "dns_query", "unknown", "network");
    ends::source(end(client)?, true, event);
    question(asked, event)
}

/// `NAME|TYPE' from A[:P]`.
fn asked<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    let (asked, client) = only_cut(text, b"' from ", |_, _| true)?;
    let client = cut(client, b" ").map_or(client, |(client, _)| client);
    say(event, "dns_query", "unknown", "network");
    ends::source(end(client)?, true, event);
    question(asked, event)
}

/// `NAME|TYPE': … rcode=N`.
fn answered<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<()> {
    let (asked, rest) = only_cut(text, b"': ", |_, _| true)?;
    let (_, code) = cut_last(rest, b"rcode=")?;
    let digits = code.iter().take_while(|b| b.is_ascii_digit()).count();
    let code = rcode(number(code.get(..digits)?)?);
    let outcome = super::unbound::outcome(code);
    say(event, "dns_answer", outcome, "network");
    some(event, Field::DNS_RESPONSE_CODE, code);
    question(asked, event)
}

/// The name of a response code (IANA's registry); what has none is not set.
fn rcode(code: i64) -> &'static [u8] {
    const NAMES: [&str; 11] = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
        "NXRRSET", "NOTAUTH", "NOTZONE",
    ];
    let name = usize::try_from(code).ok().and_then(|code| NAMES.get(code));
    name.map_or(b"", |name| name.as_bytes())
}

/// The recursor's structured log: `msg="Question" … qname="…" remote="A:P"`.
fn structured<'a>(text: &'a [u8], event: &mut Event<'a>) -> Verdict {
    let (mut name, mut kind, mut client, mut code) = (None, None, None, None);
    let mut twice = false;
    let walked = pairs::each(text, false, &mut |key, value| {
        let slot = match key {
            b"qname" => &mut name,
            b"qtype" => &mut kind,
            b"remote" => &mut client,
            b"rcode" => &mut code,
            _ => return Ok(()),
        };
        twice |= slot.replace(value).is_some();
        Ok(())
    });
    let Some(name) = name else {
        return Verdict::NotMine;
    };
    let Some(code) = code.map_or(Some(&b""[..]), |code| Some(rcode(number(code)?))) else {
        return Verdict::Malformed("the code is no number");
    };
    if walked.is_err() || twice {
        return Verdict::Malformed("a key that stands twice");
    }
    let outcome = super::unbound::outcome(code);
    say(event, "dns_query", outcome, "network");
    some(event, Field::DNS_RESPONSE_CODE, code);
    some(event, Field::DNS_QUESTION_NAME, without_dot(name));
    some(event, Field::DNS_QUESTION_TYPE, kind.unwrap_or_default());
    if let Some(client) = client {
        let Some(end) = end(client) else {
            return Verdict::Malformed("the client is no address");
        };
        ends::source(end, true, event);
    }
    Verdict::Event
}

/// `DHCP4_LEASE_ALLOC … lease A has been allocated`, `Solicit message from A`:
/// Kea, and what ISC's server says of DHCPv6.
pub(super) static KEA: Format = Format {
    name: "kea",
    about: "Kea and ISC's DHCPv6: dhcp_ack, dhcp_offer, dhcp_request, dhcp_release",
    programs: &["kea-dhcp4", "kea-dhcp6", "dhcpd"],
    logsources: &[LogSource {
        product: "kea",
        categories: &["dhcp"],
        services: &["dhcp", "syslog"],
    }],
    parse: Parser::Message(kea),
    example: "May  6 08:00:00 gate1 kea-dhcp4[7]: INFO  DHCP4_LEASE_ALLOC [hwtype=1 00:00:5e:00:53:01], cid=[no info], tid=0x1: lease 192.0.2.7 has been allocated for 3600 seconds",
};

/// Sentences of both: action, outcome.
static LEASES: Table = Table::new(&[
    (
        ["dhcp_ack", "success", "network"],
        &["DHCP4_LEASE_ALLOC {own}: lease {from-end} has been allocated{*}"],
    ),
    (
        ["dhcp_offer", "unknown", "network"],
        &[
            "DHCP4_LEASE_ADVERT {own}: lease {to-end} will be advertised{*}",
            "DHCP4_LEASE_OFFER {own}: lease {to-end} will be offered{*}",
        ],
    ),
    (
        ["dhcp_release", "success", "network"],
        &["DHCP4_RELEASE {own}: address {from-end} was released{*}"],
    ),
    (
        ["dhcp_ack", "success", "network"],
        &[
            "DHCP6_LEASE_ALLOC {own}: lease for address {from-end} and{*}",
            "DHCP6_LEASE_RENEW {own}: lease for address {from-end} and{*}",
        ],
    ),
    (
        ["dhcp_offer", "unknown", "network"],
        &["DHCP6_LEASE_ADVERT {own}: lease for address {to-end} and{*}"],
    ),
    (
        ["dhcp_discover", "unknown", "network"],
        &["Solicit message from {from-end} port {port},{*}"],
    ),
    (
        ["dhcp_request", "unknown", "network"],
        &[
            "Request message from {from-end} port {port},{*}",
            "Renew message from {from-end} port {port},{*}",
        ],
    ),
    (
        ["dhcp_request", "unknown", "network"],
        &[
            "Rebind message from {from-end} port {port},{*}",
            "Confirm message from {from-end} port {port},{*}",
        ],
    ),
    (
        ["dhcp_release", "success", "network"],
        &["Release message from {from-end} port {port},{*}"],
    ),
    (
        ["dhcp_decline", "failure", "network"],
        &["Decline message from {from-end} port {port},{*}"],
    ),
    (
        ["dhcp_inform", "unknown", "network"],
        &["Information-request message from {from-end} port {port},{*}"],
    ),
    (
        ["dhcp_offer", "unknown", "network"],
        &["Sending Advertise to {to-end} port {dport}{...}"],
    ),
    (
        ["dhcp_ack", "success", "network"],
        &["Sending Reply to {to-end} port {dport}{...}"],
    ),
]);

fn kea<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = match memchr::memmem::find(message.text, b"DHCP") {
        // The level, and the logger's name, stand first.
        Some(at) if at <= 48 && message.program.starts_with(b"kea") => {
            message.text.get(at..).unwrap_or_default()
        }
        _ => message.text,
    };
    match LEASES.find(text, |_| true) {
        Ok(Some(reading)) => {
            reading.set(event);
            let [action, outcome, category] = reading.says;
            say(event, action, outcome, category);
            if action == "dhcp_ack"
                && let Some(Value::Ip(address)) = event.get(Field::SOURCE_IP)
            {
                event.set(Field::DHCP_ASSIGNED_IP, Value::Ip(address));
            }
            Verdict::Event
        }
        Ok(None) => Verdict::NotMine,
        Err(reason) => Verdict::Malformed(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::shape::shown;

    const FIELDS: [Field; 6] = [
        Field::EVENT_ACTION,
        Field::EVENT_OUTCOME,
        Field::SOURCE_IP,
        Field::SOURCE_PORT,
        Field::DNS_QUESTION_NAME,
        Field::DNS_RESPONSE_CODE,
    ];

    #[test]
    fn questions_answers_and_transfers() {
        for (text, expected) in [
            (
                "Remote 192.0.2.7<-203.0.113.0/24 wants 'www.example.net|A', do = 1, bufsize = 1232: packetcache HIT",
                "dns_query|unknown|192.0.2.7|-|www.example.net|-",
            ),
            (
                "3 [12/1] question for 'www.example.net|A' from 192.0.2.7:4711",
                "dns_query|unknown|192.0.2.7|4711|www.example.net|-",
            ),
            (
                "3 [12/1] answer to question 'www.example.net|A': 0 answers, took 2 packets, rcode=3",
                "dns_answer|failure|-|-|www.example.net|NXDOMAIN",
            ),
            (
                "msg=\"Question\" proto=\"udp\" qname=\"www.example.net\" qtype=\"A\" remote=\"192.0.2.7:4711\"",
                "dns_query|unknown|192.0.2.7|4711|www.example.net|-",
            ),
            (
                "AXFR of domain 'example.net' denied: client IP 192.0.2.7 has no permission",
                "dns_zone_transfer|failure|192.0.2.7|-|-|-",
            ),
            (
                "AXFR-out zone 'example.net', client '192.0.2.7:4711', transfer initiated",
                "dns_zone_transfer|unknown|192.0.2.7|4711|-|-",
            ),
            (
                "notice: ACL, denied, action query, remote 192.0.2.7@4711, zone example.net.",
                "dns_query|failure|192.0.2.7|4711|-|-",
            ),
        ] {
            let read = shown(&FORMAT, "pdns", text, &FIELDS);
            assert_eq!(read, (Verdict::Event, expected.to_owned()), "{text}");
        }
        assert_eq!(
            shown(&FORMAT, "pdns", "Done launching", &[]).0,
            Verdict::NotMine
        );
    }

    #[test]
    fn a_name_that_holds_a_client_is_malformed() {
        for text in [
            "3 [1/1] question for 'x' from 203.0.113.66:1|A' from 192.0.2.7:4711",
            "Remote 192.0.2.7 wants 'x', do = 0|A', do = 0, bufsize = 512",
            "msg=\"Question\" qname=\"x\" remote=\"203.0.113.66:1\" remote=\"192.0.2.7:4711\"",
        ] {
            let (verdict, shown) = shown(&FORMAT, "pdns", text, &FIELDS);
            assert!(matches!(verdict, Verdict::Malformed(_)), "{text}: {shown}");
        }
    }

    #[test]
    fn leases_of_kea_and_of_dhcpv6() {
        for (program, text, expected) in [
            (
                "kea-dhcp4",
                "INFO  [kea-dhcp4.leases/7] DHCP4_LEASE_ALLOC [hwtype=1 00:00:5e:00:53:01], cid=[no info], tid=0x1: lease 192.0.2.7 has been allocated for 3600 seconds",
                "dhcp_ack|success|192.0.2.7|-|-|-",
            ),
            (
                "dhcpd",
                "Solicit message from fe80::7 port 546, transaction ID 0x1234",
                "dhcp_discover|unknown|fe80::7|546|-|-",
            ),
        ] {
            let read = shown(&KEA, program, text, &FIELDS);
            assert_eq!(read, (Verdict::Event, expected.to_owned()), "{text}");
        }
        assert_eq!(
            shown(&KEA, "kea-dhcp4", "INFO started", &[]).0,
            Verdict::NotMine
        );
    }
}
