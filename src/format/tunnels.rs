//! VPN daemons with few lines: PPTP, PPP and L2TP, the IKE daemons of the
//! Openswan family and KAME's, and ocserv.

use super::template::Table;
use super::token::{cut, number};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};

const LOGSOURCES: &[LogSource] = &[LogSource {
    product: "linux",
    categories: &[],
    services: &["vpn", "auth", "syslog"],
}];

pub(super) static PPPD: Format = Format {
    name: "pppd",
    about: "pptpd, pppd, xl2tpd: vpn_connection, vpn_login, vpn_session_opened",
    programs: &[
        "pptpd",
        "pppd",
        "xl2tpd",
        "l2tpd",
        "accel-ppp",
        "accel-pppd",
    ],
    logsources: LOGSOURCES,
    parse: Parser::Message(|message, event| PPP.read(message.text, event)),
    example: "May  1 10:00:00 vpn1 pptpd[812]: CTRL: Client 192.0.2.7 control connection started",
};

pub(super) static PLUTO: Format = Format {
    name: "pluto",
    about: "Libreswan, Openswan (pluto) and racoon: vpn_connection, vpn_login",
    programs: &["pluto", "racoon", "libreswan", "ipsec__plutorun"],
    logsources: LOGSOURCES,
    parse: Parser::Message(pluto),
    example: "May  1 10:00:00 vpn1 pluto[812]: \"office\"[1] 192.0.2.7 #1: responding to Main Mode from unknown peer 192.0.2.7",
};

pub(super) static OCSERV: Format = Format {
    name: "ocserv",
    about: "ocserv: vpn_login, vpn_connection, vpn_session_opened, vpn_session_closed",
    programs: &["ocserv", "ocserv-main", "ocserv-sm", "ocserv-worker"],
    logsources: LOGSOURCES,
    parse: Parser::Message(ocserv),
    example: "May  1 10:00:00 vpn1 ocserv[812]: worker: 192.0.2.7:50022 failed authentication for 'alice'",
};

/// What OpenVPN says of a client whom it names in front.
pub(super) static CLIENT_NOTES: Table = Table::new(&[(
    ["vpn_note", "unknown", "network"],
    &[
        "PLUGIN_CALL: {*}",
        "Control Channel: {*}",
        "Data Channel: {*}",
        "Data Channel Encrypt: {*}",
        "Data Channel Decrypt: {*}",
        "Data Channel MTU parms {*}",
        "Outgoing Data Channel: {*}",
        "Incoming Data Channel: {*}",
        "MULTI_sva: pool returned {*}",
        "MULTI: bad source address from client {*}",
        "PUSH: Received control message: {*}",
        "Delayed exit in {n} seconds",
        "Connection reset command was pushed by {*}",
        "Re-using SSL/TLS context",
        "LZO compression initial{*}",
        "Local Options hash {*}",
        "Expected Remote Options hash {*}",
    ],
)]);

/// Of OpenVPN's other lines, those that name the peer within.
pub(super) static PEERS: Table = Table::new(&[
    (
        ["vpn_tls_error", "failure", "network"],
        &[
            "TLS State Error: No TLS state for client [AF_INET]{src}, opcode={n}",
            "TLS State Error: No TLS state for client [AF_INET6]{src}, opcode={n}",
        ],
    ),
    (
        ["vpn_note", "unknown", "network"],
        &[
            "MANAGEMENT: Client connected from [AF_INET]{src}",
            "MANAGEMENT: Client connected from [AF_INET6]{src}",
            "peer {n} ({w}) floated from {w} to [AF_INET]{src}",
        ],
    ),
]);

static PPP: Table = Table::new(&[
    (
        ["vpn_connection", "unknown", "network"],
        &["CTRL: Client {src} control connection started"],
    ),
    (
        ["vpn_disconnect", "unknown", "session"],
        &["CTRL: Client {src} control connection finished"],
    ),
    (
        ["vpn_connection", "unknown", "network"],
        &["MGR: Launching {*} to handle client{*}"],
    ),
    (
        ["vpn_connection", "failure", "network"],
        &["MGR: dropped small initial connection"],
    ),
    (
        ["vpn_login", "success", "authentication"],
        &[
            "peer from calling number {host} authorized",
            "PAP peer authentication succeeded for {user}",
            "CHAP peer authentication succeeded for {user}",
        ],
    ),
    (
        ["vpn_login", "failure", "authentication"],
        &[
            "PAP peer authentication failed for {user}",
            "CHAP peer authentication failed for {user}",
            "PAP authentication failure for {user}",
            "CHAP authentication failure for {user}",
            "Peer {user} failed CHAP authentication",
            "Peer {user} failed PAP authentication",
        ],
    ),
    (
        ["vpn_login", "success", "authentication"],
        &["Peer {user} authenticated with CHAP"],
    ),
    (
        ["vpn_session_opened", "success", "session"],
        &[
            "user {user} logged in on tty {w} intf {w}",
            "user {user} logged in",
        ],
    ),
    (
        ["vpn_session_closed", "unknown", "session"],
        &["user {user} logged out"],
    ),
    (
        ["vpn_connection", "success", "network"],
        &["Connection established to {src}, {port}.  Local: {*}"],
    ),
    (
        ["vpn_disconnect", "unknown", "session"],
        &["Connection {n} closed to {src}, port {port} ({reason})"],
    ),
    (
        ["vpn_disconnect", "failure", "session"],
        &["Maximum retries exceeded for tunnel {n}.  Closing."],
    ),
    (
        ["vpn_connection", "failure", "network"],
        &["Denied connection to unauthorized peer {src}"],
    ),
    (
        ["vpn_session_opened", "success", "session"],
        &["Call established with {src}, Local: {*}"],
    ),
    (
        ["vpn_disconnect", "unknown", "session"],
        &["control_finish: Connection closed to {src}, port {port} ({reason}), Local: {*}"],
    ),
]);

/// Of `"CONNECTION"[N] ADDRESS #N: ` what follows, whose names and identities
/// are the peer's; of a packet without connection the address.
static IKE: Table = Table::new(&[
    (
        ["vpn_connection", "failure", "network"],
        &["packet from {src}: {reason}"],
    ),
    (
        ["vpn_connection", "unknown", "network"],
        &[
            "\"{w}\"[{n}] {src} #{n}: responding to {*}",
            "\"{w}\" #{n}: responding to {w} Mode{*}from unknown peer {src}",
        ],
    ),
    (
        ["vpn_login", "success", "authentication"],
        &["\"{w}\"[{n}] {src} #{n}: XAUTH: User {user}: Authentication Successful"],
    ),
    (
        ["vpn_login", "failure", "authentication"],
        &["\"{w}\"[{n}] {src} #{n}: XAUTH: User {user}: Authentication Failed{*}"],
    ),
    (
        ["vpn_login", "unknown", "authentication"],
        &["\"{w}\"[{n}] {src} #{n}: XAUTH: User {user}: Attempting to login"],
    ),
    (
        ["vpn_connection", "success", "network"],
        &["\"{w}\"[{n}] {src} #{n}: ISAKMP SA established{*}"],
    ),
    (
        ["vpn_session_opened", "success", "session"],
        &["\"{w}\"[{n}] {src} #{n}: IPsec SA established{*}"],
    ),
    (
        ["vpn_connection", "success", "network"],
        &["\"{w}\"[{n}] {src} #{n}: STATE_MAIN_R3: {*}SA established{*}"],
    ),
    (
        ["vpn_session_opened", "success", "session"],
        &["\"{w}\"[{n}] {src} #{n}: STATE_QUICK_R2: {*}SA established{*}"],
    ),
    (
        ["vpn_session_closed", "unknown", "session"],
        &[
            "\"{w}\"[{n}] {src} #{n}: deleting state {*}",
            "\"{w}\"[{n}] {src}: deleting connection {*}",
        ],
    ),
    (
        ["vpn_login", "failure", "authentication"],
        &[
            "\"{w}\"[{n}] {src} #{n}: probable authentication failure {*}",
            "\"{w}\"[{n}] {src} #{n}: no suitable connection for peer {*}",
            "\"{w}\"[{n}] {src} #{n}: authentication failed{*}",
        ],
    ),
    (
        ["vpn_connection", "unknown", "network"],
        &[
            "\"{w}\"[{n}] {src} #{n}: {*}",
            "\"{w}\"[{n}] {src}: {*}",
            "INFO: respond new phase 1 negotiation: {racdst}<=>{rac}",
            "INFO: initiate new phase 1 negotiation: {racdst}<=>{rac}",
        ],
    ),
    (
        ["vpn_connection", "success", "network"],
        &["INFO: ISAKMP-SA established {racdst}-{rac} spi:{w}"],
    ),
    (
        ["vpn_disconnect", "unknown", "session"],
        &["INFO: ISAKMP-SA deleted {racdst}-{rac} spi:{w}"],
    ),
    (
        ["vpn_login", "success", "authentication"],
        &["INFO: login succeeded for user \"{user}\""],
    ),
    (
        ["vpn_login", "failure", "authentication"],
        &["INFO: login failed for user \"{user}\""],
    ),
    (
        ["vpn_connection", "unknown", "network"],
        &["[{src}] INFO: {*}"],
    ),
    (
        ["vpn_connection", "failure", "network"],
        &["[{src}] ERROR: {reason}"],
    ),
    (
        ["vpn_connection", "unknown", "network"],
        &["[{src}] NOTIFY: {*}"],
    ),
    (
        ["vpn_login", "failure", "authentication"],
        &["ERROR: couldn't find the pskey for {src}."],
    ),
    (
        ["vpn_connection", "failure", "network"],
        &["ERROR: couldn't find configuration."],
    ),
]);

fn pluto<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    IKE.read(message.text, event)
}

static ANYCONNECT: Table = Table::new(&[
    (
        ["vpn_login", "failure", "authentication"],
        &[
            "{src} failed authentication for '{user}'",
            "{src} failed authentication attempt for user '{user}'",
        ],
    ),
    (
        ["vpn_login", "success", "authentication"],
        &["{src} user '{user}' obtained cookie"],
    ),
    (
        ["vpn_session_opened", "success", "session"],
        &["{src} new user session", "{src} user logged in"],
    ),
    (
        ["vpn_session_closed", "unknown", "session"],
        &[
            "{src} user disconnected (reason: {reason}, rx: {n}, tx: {n})",
            "{src} user disconnected ({reason})",
        ],
    ),
    (
        ["vpn_connection", "unknown", "network"],
        &["{src} accepted connection"],
    ),
    (
        ["vpn_connection", "success", "network"],
        &["{src} TLS handshake completed"],
    ),
    (
        ["vpn_connection", "unknown", "network"],
        &["{src} sent control message {*}"],
    ),
    (
        ["vpn_login", "failure", "authentication"],
        &["{src} client certificate verification failed: {reason}"],
    ),
    (
        ["vpn_connection", "failure", "network"],
        &["{src} error in {reason}"],
    ),
    (["vpn_connection", "unknown", "network"], &["{src} {*}"]),
    (
        ["ban", "unknown", "intrusion_detection"],
        &["added {n} points (total {n}) for IP '{src}' to ban list"],
    ),
    (
        ["vpn_connection", "failure", "network"],
        &[
            "rejected connection from {*} client IP: {src}",
            "rejecting connection from {*}: {src}",
        ],
    ),
    (
        ["vpn_login", "failure", "authentication"],
        &["failed authentication attempt for user '{user}'"],
    ),
    (
        ["vpn_authentication", "unknown", "authentication"],
        &["using 'plain' authentication to authenticate user (session: {w})"],
    ),
    (
        ["vpn_session_opened", "success", "session"],
        &["initiating session for user '{user}' (session: {w})"],
    ),
    (
        ["vpn_session_closed", "unknown", "session"],
        &[
            "invalidating session of user '{user}' (session: {w})",
            "temporarily closing session for {user} (session: {w})",
            "permanently closing session for {user} (session: {w})",
        ],
    ),
    (
        ["vpn_authentication", "unknown", "authentication"],
        &[
            "auth init for user '{user}' (session: {w}) of group: '{*}' from '{src}'",
            "auth init {*}for user '{user}'{*} from '{src}'",
        ],
    ),
]);

/// `main: …`, `worker: …`, `main[USER]: …`, `worker[USER]: …`, `sec-mod: …`.
fn ocserv<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let mut text = message.text;
    // Of several threads since 1.1: `worker: `, `main-sm: `; a name in brackets
    // is that of an account that has logged in.
    let mut user = None;
    if let Some((part, rest)) = cut(text, b": ") {
        let (process, name) = match cut(part, b"[") {
            Some((process, name)) => (process, name.strip_suffix(b"]")),
            None => (part, None),
        };
        let is_part = matches!(
            process,
            b"main" | b"worker" | b"sec-mod" | b"main-sm" | b"sm"
        );
        if is_part {
            text = rest;
            user = name.filter(|name| number(name).is_none());
        }
    }
    let verdict = ANYCONNECT.read(text, event);
    if let (Verdict::Event, Some(user)) = (verdict, user) {
        super::token::some(event, crate::field::Field::USER_NAME, user);
    }
    verdict
}
