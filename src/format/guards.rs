//! What watches logs and ports: fail2ban, sshguard, DenyHosts, PortSentry,
//! scanlogd. Each names the address that it acts on, and nothing of theirs is
//! text that the address's owner chose.

use super::template::Table;
use super::token::{cut, trim_start};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};

const LOGSOURCES: &[LogSource] = &[LogSource {
    product: "linux",
    categories: &[],
    services: &["fail2ban", "auth", "syslog"],
}];

pub(super) static FORMAT: Format = Format {
    name: "fail2ban",
    about: "fail2ban, sshguard, DenyHosts: ban, unban, ban_attempt (each that is counted)",
    programs: &[
        "fail2ban",
        "fail2ban.*",
        "fail2ban-server",
        "sshguard",
        "denyhosts",
    ],
    logsources: LOGSOURCES,
    parse: Parser::Message(parse),
    example: "2024-05-01 10:00:00,123 fail2ban.actions        [812]: NOTICE  [sshd] Ban 192.0.2.7",
};

pub(super) static PORTS: Format = Format {
    name: "portsentry",
    about: "PortSentry, scanlogd: port_scan",
    programs: &["portsentry", "scanlogd"],
    logsources: LOGSOURCES,
    parse: Parser::Message(|message, event| SCANS.read(message.text, event)),
    example: "May  1 10:00:00 fs1 portsentry[812]: attackalert: Connect from host: 192.0.2.7/192.0.2.7 to TCP port: 23",
};

static BANS: Table = Table::new(&[
    (
        ["ban", "success", "intrusion_detection"],
        &[
            "[{w}] Ban {net}",
            "[{w}] Restore Ban {net}",
            "Banning {net} for {n} minutes",
            "Added host/network {net} to {w}",
        ],
    ),
    (
        ["unban", "success", "intrusion_detection"],
        &["[{w}] Unban {net}"],
    ),
    (
        ["ban_attempt", "unknown", "intrusion_detection"],
        &[
            "[{w}] Found {net} - {*}",
            "[{w}] Found {net}",
            "[{w}] Ignore {net} by {*}",
            "[{w}] Ignore {net}",
        ],
    ),
    (
        ["ban", "unknown", "intrusion_detection"],
        &["[{w}] {net} already banned"],
    ),
    (
        ["ban", "success", "intrusion_detection"],
        &["[{w}] Increase Ban {net} ({*}"],
    ),
    (
        ["ban_attempt", "unknown", "intrusion_detection"],
        &["Attack from \"{src}\" on service {*} with danger {n}."],
    ),
    (
        ["ban", "success", "intrusion_detection"],
        &[
            "Blocking \"{net}\" for {n} secs ({*}",
            "Blocking \"{net}\" forever ({*}",
        ],
    ),
    (
        ["unban", "success", "intrusion_detection"],
        &[
            "{src}: unblocking after {n} secs",
            "{net}: unblocking after {n} secs",
        ],
    ),
    (
        ["ban", "unknown", "intrusion_detection"],
        &["{src}: should already have been blocked"],
    ),
    (
        ["ban", "success", "intrusion_detection"],
        &[
            "new denied hosts: ['{src}']",
            "Added the following hosts to /etc/hosts.deny - {src} ({*})",
        ],
    ),
    (
        ["unban", "success", "intrusion_detection"],
        &["purged hosts.deny entry: {src}"],
    ),
]);

/// sshguard before 2.0 put the service's number after the address.
static OLD_SSHGUARD: Table = Table::new(&[
    (
        ["ban", "success", "intrusion_detection"],
        &["Blocking {src} for >{w} {*}"],
    ),
    (
        ["unban", "success", "intrusion_detection"],
        &["Releasing {src} after {*}"],
    ),
]);

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let mut text = message.text;
    // Through syslog the logger's name may be in the text: `fail2ban.actions[7]: `.
    if text.starts_with(b"fail2ban.")
        && let Some((_, rest)) = cut(text, b": ")
    {
        text = trim_start(rest);
    }
    for level in [
        &b"NOTICE"[..],
        b"WARNING",
        b"INFO",
        b"ERROR",
        b"DEBUG",
        b"CRITICAL",
    ] {
        if let Some(rest) = text.strip_prefix(level) {
            text = trim_start(rest.strip_prefix(b":").unwrap_or(rest));
            break;
        }
    }
    match BANS.read(text, event) {
        Verdict::NotMine => OLD_SSHGUARD.read(text, event),
        verdict => verdict,
    }
}

static SCANS: Table = Table::new(&[
    (
        ["port_scan", "unknown", "network"],
        &[
            "attackalert: Connect from host: {w}/{src} to TCP port: {dport}",
            "attackalert: Connect from host: {w}/{src} to TCP port: {dport} {*}",
            "attackalert: Connect from host: {w}/{src} to UDP port: {dport}",
            "attackalert: Connect from host: {w}/{src} to UDP port: {dport} {*}",
            "attackalert: {*} from host: {w}/{src} to TCP port: {dport}",
            "attackalert: {*} from host: {w}/{src} to TCP port: {dport} {*}",
            "attackalert: {*} from host: {w}/{src} to UDP port: {dport}",
            "attackalert: {*} from host: {w}/{src} to UDP port: {dport} {*}",
        ],
    ),
    (
        ["ban", "success", "intrusion_detection"],
        &["attackalert: Host {src} has been blocked via {*}"],
    ),
    (
        ["ban", "unknown", "intrusion_detection"],
        &["attackalert: Host: {src} is already blocked{*}"],
    ),
    (
        ["port_scan", "unknown", "network"],
        &[
            "Scan from: [{src}] protocol: [TCP] port: [{dport}] {*}",
            "Scan from: [{src}] protocol: [UDP] port: [{dport}] {*}",
            "{src} to {dst} ports {*}",
            "{src} to {w} and others, ports {*}",
            "From {src} to {dst} ports {*}",
        ],
    ),
]);
