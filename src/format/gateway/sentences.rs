//! Junos, MikroTik's RouterOS and WatchGuard, which log sentences.

use super::decided;
use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::format::template::Table;
use crate::format::token::{cut, cut_last, first_word, some};
use crate::format::transport::{say_filtered, set_protocol};
use crate::format::{Format, Message, Parser, Verdict, ends};

pub(in crate::format) static JUNOS: Format = Format {
    name: "junos",
    about: "Juniper's Junos: sessions as `connection`, failure when denied; device_login, device_logout",
    programs: &["RT_FLOW", "mgd", "login"],
    logsources: &[
        LogSource {
            product: "juniper",
            categories: &["firewall", "network_connection"],
            services: &["syslog"],
        },
        LogSource {
            product: "linux",
            categories: &[],
            services: &["appliance", "auth", "syslog"],
        },
    ],
    parse: Parser::Message(junos),
    example: "May  1 10:00:00 srx1 RT_FLOW: RT_FLOW_SESSION_DENY: session denied 192.0.2.7/4711->198.51.100.5/22 junos-ssh 6(0) deny-all untrust trust",
};

pub(in crate::format) static ROUTEROS: Format = Format {
    name: "routeros",
    about: "MikroTik's RouterOS: packets as `connection`; device_login, device_logout",
    programs: &[
        "firewall,*",
        "system,*",
        "input",
        "forward",
        "output",
        "prerouting",
        "srcnat",
        "dstnat",
        "firewall",
        "system",
        "routeros",
        "MikroTik",
    ],
    logsources: &[
        LogSource {
            product: "mikrotik",
            categories: &["firewall"],
            services: &["syslog"],
        },
        LogSource {
            product: "linux",
            categories: &[],
            services: &["appliance", "auth", "syslog"],
        },
    ],
    parse: Parser::Message(routeros),
    example: "May  1 10:00:00 mt1 firewall,info input: in:ether1 out:(unknown 0), src-mac 00:00:5e:00:53:01, proto TCP (SYN), 192.0.2.7:4711->198.51.100.5:22, len 60",
};

pub(in crate::format) static WATCHGUARD: Format = Format {
    name: "watchguard",
    about: "WatchGuard's firewall: `connection`, failure when denied",
    programs: &[
        "firewall",
        "http-proxy",
        "https-proxy",
        "tcp-udp-proxy",
        "dns-proxy",
    ],
    logsources: &[LogSource {
        product: "watchguard",
        categories: &["firewall"],
        services: &["syslog"],
    }],
    parse: Parser::Message(watchguard),
    example: r#"May  1 10:00:00 wg1 firewall: msg_id="3000-0148" Deny 0-External Firebox 52 tcp 20 127 192.0.2.7 198.51.100.5 4711 22 offset 8 S 1 win 32"#,
};

/// Junos' sentences; the protocol's place differs between releases.
static SESSIONS: Table<&str> = Table::new(&[
    (
        "allow",
        &["session created {from-end}->{to-end} {w} {w} {w} {w} {protocol-number} {*}"],
    ),
    ("allow", &["session created {from-end}->{to-end}{...}"]),
    (
        "deny",
        &["session denied {from-end}->{to-end} {w} {protocol-number}({*}"],
    ),
    ("deny", &["session denied {from-end}->{to-end}{...}"]),
    (
        "",
        &["session closed {own}: {from-end}->{to-end} {w} {w} {w} {w} {protocol-number} {*}"],
    ),
    ("", &["session closed {own}: {from-end}->{to-end}{...}"]),
]);

fn junos<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = match cut(message.text, b": ") {
        Some((tag, text)) if tag.starts_with(b"RT_FLOW_") => text,
        _ => message.text,
    };
    if !text.starts_with(b"session ") {
        return JUNOS_LOGINS.read(text, event);
    }
    match SESSIONS.find(text, |_| true) {
        Ok(Some(reading)) => {
            reading.set(event);
            say_filtered(decided(reading.says.as_bytes()), event);
            Verdict::Event
        }
        Ok(None) => Verdict::Malformed("a session without its ends"),
        Err(reason) => Verdict::Malformed(reason),
    }
}

const LOGIN: [&str; 3] = ["device_login", "success", "authentication"];
const FAILED: [&str; 3] = ["device_login", "failure", "authentication"];
const LOGOUT: [&str; 3] = ["device_logout", "success", "session"];

/// `RouterOS`'; the place may be a hardware address.
static LOGINS: Table = Table::new(&[
    (
        FAILED,
        &[
            "login failure for user {user} from {ip} via {w}",
            "login failure for user {user} from {w} via {w}",
        ],
    ),
    (
        LOGIN,
        &[
            "user {user} logged in from {ip} via {w}",
            "user {user} logged in from {w} via {w}",
        ],
    ),
    (
        LOGOUT,
        &[
            "user {user} logged out from {ip} via {w}",
            "user {user} logged out from {w} via {w}",
        ],
    ),
]);

/// Logins to Junos itself.
static JUNOS_LOGINS: Table = Table::new(&[
    (
        LOGIN,
        &[
            "UI_LOGIN_EVENT: User '{user}' login, class '{*}' [{n}], ssh-connection '{ip} {port} {to} {dport}', client-mode '{*}'",
            "UI_LOGIN_EVENT: User '{user}' login, class '{*}' [{n}], {*}",
        ],
    ),
    (LOGOUT, &["UI_LOGOUT_EVENT: User '{user}' logout"]),
    (
        FAILED,
        &["LOGIN_FAILED: Login failed for user '{user}' from host '{host}'"],
    ),
    (
        LOGIN,
        &["LOGIN_INFORMATION: User {user} logged in from host {host} on device {tty}"],
    ),
]);

/// `CHAIN: in:I out:O, … proto P…, A->B, len N`; the prefix of the rule may
/// stand before the chain.
fn routeros<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    match LOGINS.read(message.text, event) {
        Verdict::NotMine => {}
        verdict => return verdict,
    }
    let is_login = message.text.starts_with(b"login failure for user ")
        || (message.text.starts_with(b"user ") && cut(message.text, b" via ").is_some());
    if is_login {
        return Verdict::Malformed("a login without its ends");
    }
    let Some((before, rest)) = cut(message.text, b"in:") else {
        return Verdict::NotMine;
    };
    let (Some((interfaces, _)), Some((_, packet))) = (cut(rest, b", "), cut(rest, b"proto "))
    else {
        return Verdict::NotMine;
    };
    match packet_of(before, interfaces, packet, event) {
        Some(()) => Verdict::Event,
        None => Verdict::Malformed("a packet without its ends"),
    }
}

fn packet_of<'a>(
    before: &'a [u8],
    interfaces: &'a [u8],
    packet: &'a [u8],
    event: &mut Event<'a>,
) -> Option<()> {
    let prefix = before
        .split(|b| !b.is_ascii_alphanumeric())
        .filter_map(crate::format::transport::verdict)
        .next_back();
    let (protocol, _) = cut(packet, b",")?;
    let (head, _) = cut(packet, b"->")?;
    let (_, source) = cut_last(head, b" ")?;
    let (_, rest) = cut(packet, b"->")?;
    let (destination, _) = cut(rest, b",").unwrap_or((rest, &[]));
    let (source, destination) = (ends::end(source)?, ends::end(destination)?);
    say_filtered(prefix, event);
    set_protocol(first_word(protocol).0, event);
    ends::source(source, true, event);
    ends::destination(destination, true, event);
    let (ingress, egress) = cut(interfaces, b" out:")?;
    some(event, Field::OBSERVER_INGRESS, ingress);
    if !egress.starts_with(b"(") {
        some(event, Field::OBSERVER_EGRESS, egress);
    }
    Some(())
}

/// WatchGuard's packets, of proxies and of the filter.
static PROXIED: Table<()> = Table::new(&[(
    (),
    &["{own} {protocol} {from-end} {to-end} {port} {dport} {*}"],
)]);

/// Whether they are ICMP's, which has no ports.
static PACKETS: Table<bool> = Table::new(&[
    (
        true,
        &["{verdict} {ingress} {egress} {w} icmp {w} {w} {from-host} {to-host} {*}"],
    ),
    (
        false,
        &[
            "{verdict} {ingress} {egress} {w} {protocol} {w} {w} {from-host} {to-host} {port} {dport}{...}",
            "{verdict} {ingress} {egress} {protocol} {from-host} {to-host} {port} {dport}{...}",
        ],
    ),
]);

fn watchguard<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = match message
        .text
        .strip_prefix(b"msg_id=\"")
        .and_then(|rest| cut(rest, b"\" "))
    {
        Some((_, text)) => text,
        None => message.text,
    };
    let begins = [
        &b"Allow "[..],
        b"Deny ",
        b"ProxyAllow",
        b"ProxyDeny",
        b"ProxyDrop",
    ];
    if !begins.iter().any(|begin| text.starts_with(begin)) {
        return Verdict::NotMine;
    }
    if text.starts_with(b"Proxy") {
        let denied = !text.starts_with(b"ProxyAllow");
        let text = cut(text, b": ").map_or(text, |(_, rest)| rest);
        return match PROXIED.find(text, |()| true) {
            Ok(Some(reading)) => {
                reading.set(event);
                say_filtered(decided(if denied { b"deny" } else { b"allow" }), event);
                Verdict::Event
            }
            Ok(None) => Verdict::NotMine,
            Err(reason) => Verdict::Malformed(reason),
        };
    }
    for icmp in [true, false] {
        match PACKETS.find(text, |of| of == icmp) {
            Ok(Some(reading)) => {
                reading.set(event);
                return Verdict::Event;
            }
            Ok(None) => {}
            Err(reason) => return Verdict::Malformed(reason),
        }
    }
    Verdict::Malformed("a packet without its ends")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::shape::shown;

    const FIELDS: [Field; 6] = [
        Field::EVENT_OUTCOME,
        Field::SOURCE_IP,
        Field::SOURCE_PORT,
        Field::DESTINATION_IP,
        Field::DESTINATION_PORT,
        Field::USER_NAME,
    ];

    #[test]
    fn sentences_of_each() {
        for (format, program, text, expected) in [
            (
                &JUNOS,
                "RT_FLOW",
                "RT_FLOW_SESSION_DENY: session denied 192.0.2.7/4711->198.51.100.5/22 junos-ssh 6(0) deny-all untrust trust",
                "failure|192.0.2.7|4711|198.51.100.5|22|-",
            ),
            (
                &JUNOS,
                "RT_FLOW",
                "RT_FLOW_SESSION_CREATE: session created 192.0.2.7/4711->198.51.100.5/22 junos-ssh 192.0.2.7/4711->198.51.100.5/22 None None 6 allow trust untrust 5 N/A(N/A) ge-0/0/0.0",
                "success|192.0.2.7|4711|198.51.100.5|22|-",
            ),
            (
                &JUNOS,
                "RT_FLOW",
                "session closed TCP FIN: 192.0.2.7/4711->198.51.100.5/22 0x0 junos-ssh",
                "unknown|192.0.2.7|4711|198.51.100.5|22|-",
            ),
            (
                &ROUTEROS,
                "firewall,info",
                "drop input: in:ether1 out:(unknown 0), src-mac 00:00:5e:00:53:01, proto TCP (SYN), 192.0.2.7:4711->198.51.100.5:22, len 60",
                "failure|192.0.2.7|4711|198.51.100.5|22|-",
            ),
            (
                &ROUTEROS,
                "firewall,info",
                "forward: in:ether1 out:ether2, connection-state:new proto ICMP (type 8, code 0), 192.0.2.7->198.51.100.5, len 84",
                "unknown|192.0.2.7|-|198.51.100.5|-|-",
            ),
            (
                &ROUTEROS,
                "system,error,critical",
                "login failure for user bob from 192.0.2.7 via ssh",
                "failure|192.0.2.7|-|-|-|bob",
            ),
            (
                &ROUTEROS,
                "system,info,account",
                "user bob logged in from 192.0.2.7 via winbox",
                "success|192.0.2.7|-|-|-|bob",
            ),
            (
                &WATCHGUARD,
                "firewall",
                "msg_id=\"3000-0148\" Deny 0-External Firebox 52 tcp 20 127 192.0.2.7 198.51.100.5 4711 22 offset 8 S 1 win 32",
                "failure|192.0.2.7|4711|198.51.100.5|22|-",
            ),
        ] {
            let read = shown(format, program, text, &FIELDS);
            assert_eq!(read, (Verdict::Event, expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_user_who_calls_himself_a_sentence_moves_nothing() {
        let attack = "login failure for user x from 203.0.113.66 via ssh from 192.0.2.7 via ssh";
        let (_, read) = shown(&ROUTEROS, "system,error,critical", attack, &FIELDS);
        assert!(
            read.starts_with("failure|192.0.2.7|-|-|-|x from "),
            "{read}"
        );
        for (format, program) in [
            (&JUNOS, "RT_FLOW"),
            (&ROUTEROS, "system,info"),
            (&WATCHGUARD, "firewall"),
        ] {
            assert_eq!(shown(format, program, "hello", &FIELDS).0, Verdict::NotMine);
        }
    }
}
