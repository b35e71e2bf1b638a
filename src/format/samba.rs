//! Samba: its authentication log in words and as JSON, and `vfs_full_audit`.
//!
//! In words the user, domain and workstation are the client's and stand around
//! the verdict and the address: there must be only one of each.

use bumpalo::Bump;

use super::endpoint::{ANOTHER, Outcome, cut_only, set_destination, verdict, whole};
use super::json::{Raw, walk};
use super::template::Table;
use super::token::{Host, Peer, cut, cut_last, say, trim_start};
use super::{Context, Format, Message, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

const LOGSOURCES: &[LogSource] = &[LogSource {
    product: "linux",
    categories: &[],
    services: &["smbd", "auth", "syslog"],
}];

pub(super) static FORMAT: Format = Format {
    name: "smbd",
    about: "Samba: smb_login, smb_file (vfs_full_audit)",
    programs: &["smbd", "smbd_audit", "samba", "nmbd"],
    logsources: LOGSOURCES,
    parse: Parser::Message(parse),
    example: "  Auth: [SMB2,(null)] user [EXAMPLE]\\[alice] at [Mon, 03 Jun 2024 10:00:00.023984 UTC] with [NTLMv2] status [NT_STATUS_WRONG_PASSWORD] workstation [PC1] remote host [ipv4:192.0.2.7:44896] mapped to [EXAMPLE]\\[alice]. local host [ipv4:198.51.100.2:445]",
};

pub(super) static JSON: Format = Format {
    name: "smbd-json",
    about: "Samba's authentication log as JSON: smb_login",
    programs: &[],
    logsources: LOGSOURCES,
    parse: Parser::Line(parse_json),
    example: r#"{"timestamp": "2024-06-03T10:00:00.023984+0000", "type": "Authentication", "Authentication": {"version": {"major": 1, "minor": 2}, "status": "NT_STATUS_WRONG_PASSWORD", "localAddress": "ipv4:198.51.100.2:445", "remoteAddress": "ipv4:192.0.2.7:44896", "serviceDescription": "SMB2", "clientDomain": "EXAMPLE", "clientAccount": "alice", "workstation": "PC1", "passwordType": "NTLMv2"}}"#,
};

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = trim_start(message.text);
    if let Some(rest) = text.strip_prefix(b"Auth: [") {
        return verdict(authentication(rest, event));
    }
    if message.program == b"smbd_audit" {
        return verdict(audit(text, event));
    }
    // `[2024/05/01 10:00:00.123456,  2] ../source3/FILE.c:334(FUNCTION) `, where
    // syslog has the debug header too.
    let text = match text.strip_prefix(b"[").and_then(|rest| cut(rest, b"] ")) {
        Some((_, rest)) => cut(rest, b") ").map_or(rest, |(_, words)| trim_start(words)),
        None => text,
    };
    TABLE.read(text, event)
}

/// What smbd says of logins and services at debug levels 1 to 3.
static TABLE: Table = Table::new(&[
    (
        ["smb_login", "failure", "authentication"],
        &[
            "check_ntlm_password:  Authentication for user [{user}] -> [{*}] FAILED with error {reason}",
            "check_ntlm_password: Authentication for user [{user}] -> [{*}] FAILED with error {reason}",
            "User {user} not in 'valid users' list",
            "Denied connection from {*} ({src})",
            "Denied connection from {src}",
            "Connection denied from {src}",
            "Connection denied from {*} ({src})",
        ],
    ),
    (
        ["smb_login", "success", "authentication"],
        &[
            "check_ntlm_password:  authentication for user [{user}] -> [{w}] -> [{w}] succeeded",
            "check_ntlm_password:  PAM Account for user [{user}] succeeded",
        ],
    ),
    (
        ["smb_session_opened", "success", "session"],
        &[
            "{w} ({src}) connect to service {*} initially as user {account} (uid={n}, gid={n}) (pid {n})",
            "{w} (ipv4:{src}) connect to service {*} initially as user {account} (uid={n}, gid={n}) (pid {n})",
            "{w} (ipv6:{src}) connect to service {*} initially as user {account} (uid={n}, gid={n}) (pid {n})",
        ],
    ),
    (
        ["smb_session_closed", "unknown", "session"],
        &[
            "{w} ({src}) closed connection to service {*}",
            "{w} (ipv4:{src}) closed connection to service {*}",
        ],
    ),
]);

/// `SMB2,(null)] user [D]\[U] at [T] with [M] status [S] workstation [W] remote
/// host [ipv4:A:P] (mapped to|became) …. local host [ipv4:A:P]`.
fn authentication<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (_, rest) = cut(rest, b"] user [").ok_or("no user")?;
    let (who, rest) = cut_only(rest, b"] at [").ok_or("no single stamp")?;
    let (domain, user) = cut_only(who, b"]\\[").ok_or("no single domain")?;
    let (head, rest) = cut_only(rest, b"] status [").ok_or("no single status")?;
    let (_, method) = cut(head, b"] with [").ok_or("no method")?;
    let (status, rest) = cut(rest, b"] workstation [").ok_or("no workstation")?;
    let (_, rest) = cut_only(rest, b"] remote host [").ok_or("no single remote host")?;
    let (remote, rest) = cut(rest, b"]").ok_or("no end of the remote host")?;
    let source = end(remote).ok_or("no address of the remote host")?;
    let here = cut_last(rest, b" local host [").and_then(|(_, here)| end(cut(here, b"]")?.0));
    say_login(status, event);
    event.text(Field::USER_NAME, user);
    if !domain.is_empty() {
        event.text(Field::USER_DOMAIN, domain);
    }
    event.text(Field::AUTH_METHOD, method);
    source.set(event);
    if let Some(here) = here {
        set_destination(here, event);
    }
    Ok(())
}

fn say_login<'a>(status: &'a [u8], event: &mut Event<'a>) {
    if status == b"NT_STATUS_OK" {
        say(event, "smb_login", "success", "authentication");
    } else {
        say(event, "smb_login", "failure", "authentication");
        event.text(Field::EVENT_REASON, status);
    }
}

/// `ipv4:ADDRESS:PORT`, `ipv6:ADDRESS:PORT`.
fn end(text: &[u8]) -> Option<Peer> {
    if let Some(rest) = text.strip_prefix(b"ipv4:") {
        return whole(rest);
    }
    let (address, number) = cut_last(text.strip_prefix(b"ipv6:")?, b":")?;
    Some(Peer {
        ip: Some(super::token::ip(address)?),
        port: Some(super::token::port(number)?),
    })
}

/// `USER|ADDRESS|…|OPERATION|ok|ARGUMENTS`, with `fail (REASON)` for `ok`; the
/// prefix `%u|%I` is the module's default.
fn audit<'a>(text: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (user, rest) = cut(text, b"|").ok_or(ANOTHER)?;
    let (host, rest) = cut(rest, b"|").ok_or(ANOTHER)?;
    let host = Host::read(host).ok_or("neither address nor host name after the user")?;
    // The first `ok` or `fail` ends what the server wrote; a file comes after.
    let mut at = 0;
    for word in rest.split(|&b| b == b'|') {
        let failed = word.starts_with(b"fail");
        if word == b"ok" || failed {
            let outcome = if failed { "failure" } else { "success" };
            say(event, "smb_file", outcome, "file");
            event.text(Field::USER_NAME, user);
            if failed {
                event.text(Field::EVENT_REASON, word);
            }
            host.set(event);
            if let Some(file) = rest.get(at + word.len() + 1..) {
                event.text(Field::FILE_NAME, file);
            }
            return Ok(());
        }
        at += word.len() + 1;
    }
    Err(ANOTHER)
}

/// The keys that are read, and their values.
#[derive(Default)]
struct Keys<'a> {
    time: Option<Raw<'a>>,
    status: Option<Raw<'a>>,
    user: Option<Raw<'a>>,
    domain: Option<Raw<'a>>,
    remote: Option<Raw<'a>>,
    local: Option<Raw<'a>>,
    method: Option<Raw<'a>>,
}

fn parse_json<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let text = trim_start(line);
    let head = text.get(..120).unwrap_or(text);
    if !text.starts_with(b"{\"timestamp\": ")
        || memchr::memmem::find(head, b"\"type\": \"Authentication\"").is_none()
    {
        return Verdict::NotMine;
    }
    let mut keys = Keys::default();
    let walked = walk(text, arena, &mut |path, raw| {
        let slot = match path {
            "timestamp" => &mut keys.time,
            "Authentication.status" => &mut keys.status,
            "Authentication.clientAccount" => &mut keys.user,
            "Authentication.clientDomain" => &mut keys.domain,
            "Authentication.remoteAddress" => &mut keys.remote,
            "Authentication.localAddress" => &mut keys.local,
            "Authentication.passwordType" => &mut keys.method,
            _ => return,
        };
        *slot = slot.or(Some(raw));
    });
    if let Err(why) = walked {
        return Verdict::Malformed(why);
    }
    let text = |raw: Option<Raw<'a>>| match raw?.value(arena) {
        Value::Text(text) => Some(text),
        _ => None,
    };
    let Some(status) = text(keys.status) else {
        return Verdict::Malformed("no status");
    };
    let remote = text(keys.remote).map(end);
    if remote == Some(None) {
        return Verdict::Malformed("remoteAddress is no address");
    }
    event.time = text(keys.time)
        .and_then(|stamp| timestamp::iso(stamp, context))
        .map(|(time, _)| time);
    say_login(status, event);
    for (field, raw) in [
        (Field::USER_NAME, keys.user),
        (Field::USER_DOMAIN, keys.domain),
        (Field::AUTH_METHOD, keys.method),
    ] {
        if let Some(text) = text(raw).filter(|text| !text.is_empty()) {
            event.text(field, text);
        }
    }
    if let Some(peer) = remote.flatten() {
        peer.set(event);
    }
    if let Some(here) = text(keys.local).and_then(end) {
        set_destination(here, event);
    }
    Verdict::Event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::endpoint::shown;

    #[test]
    fn a_name_that_holds_another_verdict_is_no_event() {
        let text = r"Auth: [SMB2,(null)] user [D]\[x] at [y] with [z] status [NT_STATUS_OK] workstation [w] at [t] with [NTLMv2] status [NT_STATUS_WRONG_PASSWORD] workstation [W] remote host [ipv4:192.0.2.7:22] mapped to [D]\[x]. local host [ipv4:192.0.2.1:445]";
        assert!(
            matches!(shown(parse, "smbd", text).0, Verdict::Malformed(_)),
            "{text}"
        );
    }
}
