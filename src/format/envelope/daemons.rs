//! More logs that a program writes itself: Asterisk's, Roundcube's, Kerio's,
//! fail2ban's, FreeSWITCH's, ejabberd's and those of database servers, each
//! told by its stamp and the words right after it.

use super::own::Own;
use crate::format::Context;
use crate::format::telephony::is_level;
use crate::format::timestamp::{clf, day_first, iso, iso_civil, local, rfc3164, two, zone};
use crate::format::token::{cut, digit, number, trim_start};
use crate::time::{Civil, Time};

/// What stands in brackets first.
pub(super) fn bracketed<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    let inside = line.strip_prefix(b"[")?;
    if inside.get(2) == Some(&b'/') && inside.get(11) == Some(&b':') {
        // 389 Directory Server: `[01/May/2024:10:00:00.123 +0200] conn=7 `.
        let (time, rest) = clf(inside, context)?;
        let text = rest.strip_prefix(b"] ")?;
        return text
            .starts_with(b"conn=")
            .then(|| own_line("ns-slapd", time, text));
    }
    if inside.get(2) == Some(&b'/') {
        // Kerio: `[01/May/2024 10:00:00] `.
        let (civil, rest) = day_first(inside, b'/', b' ')?;
        let text = rest.strip_prefix(b"] ")?;
        return known("kerio", local(civil, context)?, text, KERIO);
    }
    if inside.get(2) == Some(&b'-') {
        // Roundcube: `[01-May-2024 10:00:00 +0200]: `.
        let (civil, rest) = day_first(inside, b'-', b' ')?;
        let blank = rest.strip_prefix(b" ").unwrap_or(rest);
        let (time, rest) = match zone(blank)? {
            (Some(east), rest) => (civil.time()?.minus(east), rest),
            (None, rest) => (local(civil, context)?, rest),
        };
        let text = rest.strip_prefix(b"]: ")?;
        let words = match text.strip_prefix(b"<") {
            Some(session) => cut(session, b"> ")?.1,
            None => text,
        };
        known("roundcube", time, words, ROUNDCUBE)?;
        return Some(own_line("roundcube", time, text));
    }
    if inside.first().is_some_and(u8::is_ascii_lowercase) {
        return couchdb(line, context);
    }
    // Asterisk: `[2024-05-01 10:00:00] NOTICE[7] `, `[May  1 10:00:00] NOTICE[7] `.
    let (time, rest) = iso(inside, context).or_else(|| rfc3164(inside, context))?;
    let text = rest.strip_prefix(b"] ")?;
    if text.starts_with(b"[") && cut(text, b"] failed to login from ").is_some() {
        return Some(own_line("znc", time, text));
    }
    let (level, _) = cut(text, b"[")?;
    is_level(level.strip_suffix(b" ").unwrap_or(level)).then_some(())?;
    Some(own_line("asterisk", time, text))
}

/// How Kerio's lines begin.
const KERIO: &[&[u8]] = &[
    b"Attempt to deliver to unknown recipient ",
    b"SMTP Spam attack detected from ",
    b"IP address ",
    b"Relay attempt from IP address ",
    b"SMTP: ",
    b"IMAP: ",
    b"POP3: ",
    b"HTTP",
    b"Client with IP address ",
    b"Administration login into ",
    b"Message from IP address ",
    b"Failed ",
];

/// How Roundcube's begin, after the session.
const ROUNDCUBE: &[&[u8]] = &[
    b"FAILED login for ",
    b"Failed login for ",
    b"Successful login for ",
    b"IMAP Error: ",
];

fn known<'a>(
    program: &'static str,
    time: Time,
    text: &'a [u8],
    beginnings: &[&[u8]],
) -> Option<Own<'a>> {
    let begins = beginnings.iter().any(|first| text.starts_with(first));
    begins.then(|| own_line(program, time, text))
}

fn own_line<'a>(program: &'static str, time: Time, text: &'a [u8]) -> Own<'a> {
    Own {
        program,
        time: Some(time),
        pid: None,
        text,
    }
}

/// What begins with a date.
pub(super) fn dated<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    if matches!(line.get(4), Some(b':')) || matches!(line.get(3), Some(b':')) {
        return redis(line, context);
    }
    if matches!(line.get(8), Some(b' ' | b'.')) {
        return slapd(line).or_else(|| audited(line, context));
    }
    let (civil, rest) = iso_civil(line)?;
    if line.get(10) == Some(&b'T') {
        // MongoDB: `STAMP [conn7] `, `STAMP I ACCESS   [conn7] `.
        let (time, rest) = iso(line, context)?;
        let text = rest.strip_prefix(b" ")?;
        let place = match *text {
            [b'A'..=b'Z', b' ', ref component @ ..] => trim_start(cut(component, b" ")?.1),
            _ => text,
        };
        place.starts_with(b"[conn").then_some(())?;
        return Some(own_line("mongod", time, text));
    }
    let time = local(civil, context)?;
    if let Some(rest) = rest.strip_prefix(b" fail2ban.") {
        // `STAMP,123 fail2ban.actions        [7]: NOTICE  [JAIL] `.
        let (logger, after) = cut(rest, b":")?;
        let pid = cut(logger, b"[").and_then(|(_, pid)| number(pid.strip_suffix(b"]")?));
        return Some(Own {
            program: "fail2ban",
            time: Some(time),
            pid,
            text: trim_start(after),
        });
    }
    let text = trim_start(rest);
    if [&b"CRIT: Banning "[..], b"CRIT: Added host/network "]
        .iter()
        .any(|first| text.starts_with(first))
    {
        return Some(own_line("fail2ban", time, text.strip_prefix(b"CRIT: ")?));
    }
    if text.starts_with(b"Logon ") {
        return Some(own_line("mssql", time, text));
    }
    let after_load = match cut(text, b"% ") {
        Some((load, rest)) if load.iter().all(|&b| b == b'.' || digit(b).is_some()) => rest,
        _ => text,
    };
    let (level, words) = cut(after_load.strip_prefix(b"[")?, b"] ")?;
    if cut(words, b".c:").is_some_and(|(file, _)| !file.contains(&b' ')) {
        return Some(own_line("freeswitch", time, after_load));
    }
    // ejabberd: `[info] <0.7.0>@MODULE:FUNCTION:LINE `.
    let process = words.starts_with(b"<") && cut(words, b">@").is_some();
    (process && level.iter().all(u8::is_ascii_lowercase)).then_some(())?;
    Some(own_line("ejabberd", time, words))
}

/// CouchDB: `[notice] 2024-05-01T10:00:00.123456Z NODE <PID> `.
fn couchdb<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    let (level, rest) = cut(line.strip_prefix(b"[")?, b"] ")?;
    level.iter().all(u8::is_ascii_lowercase).then_some(())?;
    let (time, rest) = iso(rest, context)?;
    let (node, rest) = cut(rest.strip_prefix(b" ")?, b" ")?;
    (node.contains(&b'@') && rest.starts_with(b"<")).then_some(())?;
    Some(own_line("couchdb", time, rest))
}

/// slapd's standard error: `663209a0 conn=7 `, `663209a0.1a2b3c4d 0x7f00 conn=7 `:
/// seconds since the epoch in hexadecimal, and since 2.6 nanoseconds and thread.
fn slapd(line: &[u8]) -> Option<Own<'_>> {
    let (stamp, rest) = cut(line, b" ")?;
    let seconds = cut(stamp, b".").map_or(stamp, |(seconds, _)| seconds);
    let seconds = std::str::from_utf8(seconds).ok()?;
    let seconds = i64::from_str_radix(seconds, 16).ok()?;
    let text = match rest.strip_prefix(b"0x") {
        Some(thread) => cut(thread, b" ")?.1,
        None => rest,
    };
    let time = Time::from_secs(seconds);
    text.starts_with(b"conn=")
        .then(|| own_line("slapd", time, text))
}

/// MariaDB's audit plug-in: `20240501 10:00:00,HOST,USER,…`.
fn audited<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    let ([y0, y1, y2, y3, m0, m1, d0, d1, b' ', clock @ ..], rest) =
        line.split_first_chunk::<17>()?
    else {
        return None;
    };
    let [h0, h1, b':', n0, n1, b':', s0, s1] = clock else {
        return None;
    };
    let text = rest.strip_prefix(b",")?;
    let civil = Civil {
        year: number(&[*y0, *y1, *y2, *y3])?,
        month: two(*m0, *m1),
        day: two(*d0, *d1),
        hour: two(*h0, *h1),
        minute: two(*n0, *n1),
        second: two(*s0, *s1),
        nanos: 0,
    };
    Some(own_line("mysqld", local(civil, context)?, text))
}

/// `812:M 01 May 2024 10:00:00.123 * `.
fn redis<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    let (pid, rest) = cut(line, b":")?;
    let pid = number(pid)?;
    let [b'M' | b'S' | b'C' | b'X', b' ', rest @ ..] = rest else {
        return None;
    };
    let (civil, rest) = day_first(rest, b' ', b' ')?;
    let [b' ', b'.' | b'-' | b'*' | b'#', b' ', text @ ..] = rest else {
        return None;
    };
    Some(Own {
        program: "redis",
        time: Some(local(civil, context)?),
        pid: Some(pid),
        text,
    })
}

/// `May 01 10:00:00 sogod [812]: `.
pub(super) fn sogo<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    let (time, rest) = rfc3164(line, context)?;
    let (pid, text) = cut(rest.strip_prefix(b" sogod [")?, b"]: ")?;
    Some(Own {
        program: "sogod",
        time: Some(time),
        pid: Some(number(pid)?),
        text,
    })
}

/// `dovecot: May 01 10:00:00 Info: `, `dovecot: 2024-05-01 10:00:00 Info: `: up to 1.2.
pub(super) fn dovecot<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    let rest = line.strip_prefix(b"dovecot: ")?;
    let (time, rest) = rfc3164(rest, context).or_else(|| {
        let (civil, rest) = iso_civil(rest)?;
        Some((local(civil, context)?, rest))
    })?;
    let text = rest.strip_prefix(b" ")?;
    let levels = [&b"Info: "[..], b"Warning: ", b"Error: ", b"Debug: "];
    let text = levels.iter().find_map(|level| text.strip_prefix(*level))?;
    Some(own_line("dovecot", time, text))
}
