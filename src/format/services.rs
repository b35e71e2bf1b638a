//! Services that print an address or an account now and then: NFS's mountd and
//! the port mapper, ejabberd, Prosody and Mumble's server.

use super::template::Table;
use super::token::cut;
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};

const LOGSOURCES: &[LogSource] = &[LogSource {
    product: "linux",
    categories: &[],
    services: &["auth", "syslog"],
}];

pub(super) static MOUNTD: Format = Format {
    name: "mountd",
    about: "NFS's mountd, rpcbind, portmap: nfs_mount, nfs_unmount, rpc_request",
    programs: &["rpc.mountd", "mountd", "rpcbind", "portmap"],
    logsources: LOGSOURCES,
    parse: Parser::Message(|message, event| MOUNTS.read(message.text, event)),
    example: "May  1 10:00:00 fs1 rpc.mountd[812]: authenticated mount request from 192.0.2.7:812 for /export (/export)",
};

pub(super) static CHAT: Format = Format {
    name: "chat",
    about: "ejabberd, Prosody, Mumble's server: chat_login, chat_connection",
    programs: &["ejabberd", "prosody", "murmurd", "mumble-server"],
    logsources: LOGSOURCES,
    parse: Parser::Message(chat),
    example: "2024-05-01 10:00:00.123 [info] <0.6668.0>@ejabberd_c2s:handle_auth_failure:433 (tls|<0.6667.0>) Failed c2s PLAIN authentication for alice@example.org from 192.0.2.7: Invalid username or password",
};

static MOUNTS: Table = Table::new(&[
    (
        ["nfs_mount", "success", "network"],
        &["authenticated mount request from {src} for {*}"],
    ),
    (
        ["nfs_unmount", "success", "network"],
        &["authenticated unmount request from {src} for {*}"],
    ),
    (
        ["nfs_mount", "failure", "network"],
        &[
            "refused mount request from {src} for {*}: {reason}",
            "refused mount request from {src} for {*}",
        ],
    ),
    (
        ["nfs_unmount", "failure", "network"],
        &[
            "refused unmount request from {src} for {*}: {reason}",
            "refused unmount request from {src} for {*}",
        ],
    ),
    (
        ["nfs_mount", "failure", "network"],
        &[
            "mount request from unknown host {src} for {*}",
            "mount request denied from {src} for {*}",
        ],
    ),
    (
        ["nfs_mount", "success", "network"],
        &["mount request succeeded from {src} for {*}"],
    ),
    (
        ["nfs_mount", "unknown", "network"],
        &["{src} exported path {*}"],
    ),
    (
        ["rpc_request", "failure", "network"],
        &[
            "connect from {src} to {w}: request from unauthorized host",
            "connect from {src} to {w}: request from unprivileged port",
            "connect from {src} to {w}: request not forwarded",
            "connect from {src} to {w}: request {reason}",
        ],
    ),
    (
        ["rpc_request", "unknown", "network"],
        &["connect from {src} to {w}"],
    ),
]);

static CHATS: Table = Table::new(&[
    (
        ["chat_login", "failure", "authentication"],
        &[
            "Failed authentication for {user} from IP {src} ({*}",
            "Failed authentication for {user} from IP {src}",
            "Failed authentication for {user} from {src}",
            "Failed c2s {method} authentication for {user} from {src}: {reason}",
            "Failed c2s {method} authentication from {src}: {reason}",
            "{w} => <{n}:{user}({w})> Rejected connection from {src}: {reason}",
            "Failed legacy authentication for {user} from {src}: {reason}",
        ],
    ),
    (
        ["chat_login", "success", "authentication"],
        &[
            "Accepted c2s {method} authentication for {user} by {w} backend from {src}",
            "Accepted authentication for {user} by {w} from {src}",
            "Accepted authentication for {user} by {w}",
        ],
    ),
    (
        ["chat_connection", "unknown", "network"],
        &["Accepted connection {src} -> {dst}"],
    ),
    (
        ["chat_login", "failure", "authentication"],
        &[
            "Failed authentication attempt (not-authorized) for user {user} from IP: {src}",
            "Failed authentication attempt (not-authorized) from IP: {src}",
        ],
    ),
]);

/// `[info] <PID>@MODULE:FUNCTION:LINE (SOCKET) WORDS` of ejabberd.
fn chat<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = message.text;
    let begins = message.program == b"ejabberd" && matches!(text.first(), Some(b'<' | b'['));
    // The socket and the place are the server's; the first `) ` ends them.
    match cut(text, b") ") {
        Some((place, rest)) if begins && place.contains(&b'@') && place.contains(&b'(') => {
            CHATS.read(rest, event)
        }
        // Mumble: `<W>2024-05-01 10:00:00.123 1 => <7:NAME(-1)> WORDS`.
        _ => match text.strip_prefix(b"<W>") {
            Some(stamped) if stamped.get(10) == Some(&b' ') => CHATS.read(
                cut(stamped.get(11..).unwrap_or_default(), b" ").map_or(&[][..], |(_, rest)| rest),
                event,
            ),
            _ => CHATS.read(text, event),
        },
    }
}
