//! Firewalls that log pairs of key and value: Fortinet, Sophos, SonicWall,
//! Check Point, Juniper's structured log, NetScreen, Meraki.
//!
//! Values in quotes may hold blanks, and a backslash escapes there. A key of
//! ours that stands twice is no event: somebody wrote a pair into a value.

use super::decided;
use super::vendors::{self, Role, Vendor};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::format::token::{
    cut, first_word, number, once, port, quoted, say, some, trim_end, trim_start,
};
use crate::format::transport::{say_filtered, set_protocol};
use crate::format::{Context, Format, Parser, Verdict, ends, timestamp};
use crate::time::Time;

pub(in crate::format) static FORMAT: Format = Format {
    name: "firewall-pairs",
    about: "Fortinet, Sophos, SonicWall, Check Point, Juniper, NetScreen, Meraki: `connection`, `login`, failure when denied",
    programs: &[
        "ulogd",
        "httpproxy",
        "aua",
        "RT_FLOW",
        "RT_IDP",
        "RT_UTM",
        "CheckPoint",
        "Fortigate",
    ],
    logsources: &[LogSource {
        product: "fortinet",
        categories: &["firewall", "network_connection"],
        services: &["fortigate"],
    }],
    parse: Parser::Text(parse),
    example: r#"date=2024-05-01 time=10:00:00 devname="fg1" devid="FG100" logid="0000000013" type="traffic" subtype="forward" level="notice" srcip=192.0.2.7 srcport=4711 dstip=198.51.100.5 dstport=22 proto=6 action="deny" policyid=1"#,
};

/// Whether a text begins like a line of one of them.
pub(super) fn speaks(text: &[u8]) -> bool {
    vendors::of(text).is_some()
}

/// Only the stamp.
pub(in crate::format) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    let (stamp, text) = below(super::without_pri(line));
    vendors::of(text)?;
    stamp.or_else(|| vendors::time(text, context))
}

/// What stands below Meraki's own header: `1 1714982400.123456 MX84 flows `.
fn below(text: &[u8]) -> (Option<Time>, &[u8]) {
    let inner = text.strip_prefix(b"1 ").and_then(|rest| {
        let (stamp, rest) = cut(rest, b" ")?;
        let (_model, rest) = cut(rest, b" ")?;
        Some((Some(timestamp::epoch(stamp)?), rest))
    });
    inner.unwrap_or((None, text))
}

fn parse<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    let (stamp, text) = below(super::without_pri(text));
    // Junos puts its pairs where syslog's structured data is, and no text.
    // One byte is looked for first: this sees every line that nobody else took.
    let elements = memchr::memchr(b'@', event.line).and_then(|_| cut(event.line, b"[junos@"));
    let text = match elements {
        Some((_, elements)) if text.is_empty() || !text.contains(&b'=') => {
            cut(elements, b" ").map_or(text, |(_, pairs)| pairs)
        }
        _ => text,
    };
    let Some(vendor) = vendors::of(text) else {
        return Verdict::NotMine;
    };
    if event.time.is_none() {
        event.time = stamp.or_else(|| vendors::time(text, context));
    }
    let mut found = Found::default();
    match each(text, vendor.colon, &mut |key, value| {
        found.take(vendor, key, value, event)
    }) {
        Ok(()) => {
            if let Some((_, rule)) =
                cut(text, b" pattern: ").filter(|_| !text.starts_with(b"urls "))
            {
                found.action = found.action.or(Some(first_word(rule).0));
            }
            found.finish(event)
        }
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// Calls `take` with every pair.
pub(in crate::format) fn each<'a>(
    text: &'a [u8],
    colon: bool,
    take: &mut dyn FnMut(&'a [u8], &'a [u8]) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    let equals = if colon { b':' } else { b'=' };
    let mut rest = text;
    loop {
        let Some(begin) = rest
            .iter()
            .position(|b| !matches!(b, b' ' | b';' | b',' | b'\t' | b'['))
        else {
            return Ok(());
        };
        rest = rest.get(begin..).unwrap_or_default();
        let key = rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
            .count();
        let (name, after) = rest.split_at_checked(key).unwrap_or((rest, &[]));
        let Some(value) = after.strip_prefix(&[equals]).filter(|_| key > 0) else {
            // A word that is no pair.
            rest = match memchr::memchr(b' ', rest) {
                Some(at) => rest.get(at..).unwrap_or_default(),
                None => return Ok(()),
            };
            continue;
        };
        let (value, after) = if let Some(inside) = value.strip_prefix(b"\"") {
            quoted(inside).ok_or("a quote that does not end")?
        } else {
            let end = memchr::memchr2(b' ', b';', value).unwrap_or(value.len());
            value.split_at_checked(end).unwrap_or((value, &[]))
        };
        take(name, value)?;
        rest = after;
    }
}

/// What the pairs say together.
#[derive(Default)]
struct Found<'a> {
    seen: u64,
    action: Option<&'a [u8]>,
    status: Option<&'a [u8]>,
    service: Option<&'a [u8]>,
    login: bool,
    alert: bool,
}

impl<'a> Found<'a> {
    fn take(
        &mut self,
        vendor: &Vendor,
        key: &'a [u8],
        value: &'a [u8],
        event: &mut Event<'a>,
    ) -> Result<(), &'static str> {
        let Some(at) = vendor
            .keys
            .iter()
            .position(|(name, _)| name.as_bytes() == key)
        else {
            return Ok(());
        };
        let Some((_, role)) = vendor.keys.get(at) else {
            return Ok(());
        };
        let bit = 1_u64 << (at % 64);
        if self.seen & bit != 0 {
            return Err("a key that stands twice");
        }
        self.seen |= bit;
        let value = trim_end(trim_start(value));
        if matches!(value, b"" | b"-" | b"N/A") {
            return Ok(());
        }
        match *role {
            Role::Source => {
                ends::source(ends::end(first(value)).ok_or("no address")?, true, event);
            }
            Role::Destination => {
                ends::destination(ends::end(first(value)).ok_or("no address")?, true, event);
            }
            Role::Port(field) => {
                let port = port(value).ok_or("a port is no port")?;
                once(event, field, Value::Int(i64::from(port)));
            }
            Role::Service => self.service = Some(value),
            Role::Protocol => {
                let word = cut(value, b"/").map_or(value, |(word, _)| word);
                if event.get(Field::NETWORK_TRANSPORT).is_none() {
                    set_protocol(word, event);
                }
            }
            Role::Count(field) => {
                if let Some(n) = number(value) {
                    once(event, field, Value::Int(n));
                }
            }
            Role::Text(field) => some(event, field, value),
            Role::User => ends::user(value, event),
            Role::Action => self.action = Some(value),
            Role::Status => self.status = Some(value),
            Role::Kind => {
                self.login |= matches!(value, b"login" | b"user" | b"vpn" | b"auth");
                self.alert |= matches!(value, b"ips" | b"virus" | b"anomaly" | b"IDP" | b"utm");
            }
        }
        Ok(())
    }

    fn finish(self, event: &mut Event<'a>) -> Verdict {
        let has = |field, event: &Event<'_>| event.get(field).is_some();
        if let Some(port) = self.service.and_then(port) {
            once(event, Field::DESTINATION_PORT, Value::Int(i64::from(port)));
        }
        let source = has(Field::SOURCE_IP, event) || has(Field::SOURCE_DOMAIN, event);
        if !source && !has(Field::USER_NAME, event) {
            return Verdict::NotMine;
        }
        let status = self.status.and_then(|word| match word {
            b"success" | b"Successful" | b"succeeded" => Some("success"),
            b"failed" | b"failure" | b"Failed" => Some("failure"),
            _ => None,
        });
        let action = self.action.unwrap_or_default();
        // Fortinet's VPN: `ssl-login-fail`.
        let status = match action {
            [.., b'f', b'a', b'i', b'l'] if memchr::memmem::find(action, b"login").is_some() => {
                Some("failure")
            }
            _ => status,
        };
        if self.login || action.eq_ignore_ascii_case(b"login") || status.is_some() {
            say(
                event,
                "login",
                status.unwrap_or("unknown"),
                "authentication",
            );
            return Verdict::Event;
        }
        let verdict = decided(action).or_else(|| self.status.and_then(decided));
        if self.alert {
            say(
                event,
                "alert",
                verdict.map_or("unknown", |v| v.1),
                "intrusion_detection",
            );
        } else {
            say_filtered(verdict, event);
        }
        Verdict::Event
    }
}

/// SonicWall's `192.0.2.7:4711:X0:name`: the address and the port.
fn first(value: &[u8]) -> &[u8] {
    let dotted = value
        .iter()
        .take_while(|b| b.is_ascii_digit() || **b == b'.')
        .count();
    let Some(b':') = value.get(dotted) else {
        return value;
    };
    let after = value.get(dotted + 1..).unwrap_or_default();
    let digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
    match after.get(digits) {
        Some(b':') if digits > 0 => value.get(..=dotted + digits).unwrap_or(value),
        Some(b':') => value.get(..dotted).unwrap_or(value),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Verdict, String) {
        let context = Context::utc(Time::from_secs(1_714_521_600));
        let mut event = Event::new();
        event.line = text.as_bytes();
        let verdict = parse(text.as_bytes(), &context, &mut event);
        let fields = [
            Field::EVENT_ACTION,
            Field::EVENT_OUTCOME,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::DESTINATION_IP,
            Field::DESTINATION_PORT,
            Field::USER_NAME,
        ];
        (verdict, fields.map(|field| event.shown(field)).join("|"))
    }

    #[test]
    fn every_makers_keys_are_known() {
        for (text, expected) in [
            (
                r#"date=2024-05-06 time=08:00:00 devname="fg1" devid="FG1" type="traffic" srcip=192.0.2.7 srcport=4711 dstip=198.51.100.5 dstport=443 proto=6 action="close" user="bob""#,
                "connection|success|192.0.2.7|4711|198.51.100.5|443|bob",
            ),
            (
                r#"date=2024-05-06 time=08:00:00 devname=fg1 devid=FG1 type=event user="bob" srcip=192.0.2.7 action="login" status="failed" msg="Administrator bob login failed""#,
                "login|failure|192.0.2.7|-|-|-|bob",
            ),
            (
                r#"id="2001" severity="info" sys="SecureNet" sub="packetfilter" name="Packet dropped" action="drop" srcip="192.0.2.7" dstip="198.51.100.5" proto="6" srcport="4711" dstport="22""#,
                "connection|failure|192.0.2.7|4711|198.51.100.5|22|-",
            ),
            (
                r#"<134>id=firewall sn=0017 time="2024-05-06 08:00:00" fw=198.51.100.1 pri=6 c=262144 m=98 msg="Connection Opened" src=192.0.2.7:4711:X0 dst=198.51.100.5:443:X1:a.example proto=tcp/https"#,
                "connection|unknown|192.0.2.7|4711|198.51.100.5|443|-",
            ),
            (
                r#"[action:"Drop"; flags:"400644"; dst:"198.51.100.5"; proto:"6"; s_port:"4711"; service:"22"; src:"192.0.2.7"]"#,
                "connection|failure|192.0.2.7|4711|198.51.100.5|22|-",
            ),
            (
                "<134>1 1714982400.5 MX84 flows src=192.0.2.7 dst=198.51.100.5 mac=00:00:5E:00:53:01 protocol=tcp sport=4711 dport=443 pattern: deny all",
                "connection|failure|192.0.2.7|4711|198.51.100.5|443|-",
            ),
        ] {
            assert_eq!(read(text), (Verdict::Event, expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_pair_in_a_value_makes_no_second_address() {
        let attack = "<134>1 1714982400.5 MX84 urls src=192.0.2.7:4711 dst=198.51.100.5:443 agent='x src=203.0.113.66' request: GET https://a.example/";
        assert!(matches!(read(attack).0, Verdict::Malformed(_)));
        let quoted = r#"date=2024-05-06 time=08:00:00 devid=FG1 srcip=192.0.2.7 msg="a\" srcip=203.0.113.66" action="deny""#;
        assert_eq!(read(quoted).1, "connection|failure|192.0.2.7|-|-|-|-");
        assert_eq!(read("date=2024 x").0, Verdict::NotMine);
        assert_eq!(read("src=192.0.2.7").0, Verdict::NotMine);
    }
}
