//! Logs that a program writes itself, under a stamp of its own and without
//! its name.
//!
//! The program is told by what stands right after the stamp, where no remote
//! text can be: exim's `H=`, mysqld's `[Warning]`, postgres's `FATAL:`,
//! Guacamole's logger, vsftpd's `[pid 7]`, radiusd's ` : Auth: `, smbd's `Auth: [`.

use super::stamp::{self, Zones};
use super::{Tagged, daemons};
use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::guacamole::logged;
use crate::format::token::{cut, ip, number, trim_end, trim_start};
use crate::format::{Context, Message, endpoint, sudo, timestamp};
use crate::time::Time;

/// A line of a program's own log.
pub(in crate::format) struct Own<'a> {
    pub(in crate::format) program: &'static str,
    pub(super) time: Option<Time>,
    pub(super) pid: Option<i64>,
    pub(super) text: &'a [u8],
}

impl<'a> Own<'a> {
    /// Sets what the line says before the message.
    pub(in crate::format) fn tag(self, event: &mut Event<'a>) -> Tagged<'a> {
        event.time = self.time;
        event.text(Field::PROCESS_NAME, self.program.as_bytes());
        if let Some(pid) = self.pid {
            event.set(Field::PROCESS_PID, Value::Int(pid));
        }
        Tagged {
            message: Message {
                program: self.program.as_bytes(),
                text: trim_end(trim_start(self.text)),
            },
            pam: false,
        }
    }
}

/// The line as its program's own, if one is known to write such lines.
pub(in crate::format) fn read<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    match line.first()? {
        b'0'..=b'9' => exim(line, context)
            .or_else(|| mysqld(line, context))
            .or_else(|| guacamole(line, context))
            .or_else(|| daemons::dated(line, context))
            .or_else(|| postgres(line, context))
            .or_else(|| kea(line, context)),
        b'[' => daemons::bracketed(line, context),
        b'd' => daemons::dovecot(line, context),
        b'F' | b'M' | b'S' | b'T' | b'W' => {
            after_weekday(line, context).or_else(|| daemons::sogo(line, context))
        }
        b'D' | b'J' | b'N' | b'O' => daemons::sogo(line, context),
        b' ' | b'A' => smbd(line, context).or_else(|| daemons::sogo(line, context)),
        _ => None,
    }
}

/// The line as one of sudo's own log file, whose second word no envelope has.
pub(in crate::format) fn sudo<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    let text = sudo::own_line(line)?;
    let (time, _) = timestamp::rfc3164(line, context)?;
    Some(Own {
        program: "sudo",
        time: Some(time),
        pid: None,
        text,
    })
}

/// Only the stamp.
pub(in crate::format) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    read(line, context)?.time
}

/// How exim's messages begin, after the id of the mail that they are about.
const EXIM: &[&[u8]] = &[
    b"H=",
    b"F=",
    b"<= ",
    b"=> ",
    b"-> ",
    b"** ",
    b"== ",
    b"SMTP ",
    b"TLS error ",
    b"no MAIL in SMTP ",
    b"no host name found for IP address ",
    b"no IP address found for host ",
    b"unexpected disconnection while reading SMTP ",
    b"rejected EHLO ",
    b"rejected HELO ",
    b"refused connection from ",
    b"Connection from ",
    b"VRFY failed for ",
    b"EXPN failed for ",
    b"rejected VRFY ",
    b"rejected EXPN ",
    b"ident connection to ",
    b"SA: Action: ",
    b"Completed",
];

fn exim<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    if line.get(10) != Some(&b' ') {
        return None;
    }
    let (time, rest) = stamp::spaced(line, Zones::Offset, context)?;
    let (pid, rest) = match endpoint::pid(rest) {
        Some((pid, rest)) => (Some(pid), rest),
        None => (None, rest),
    };
    // PostgreSQL's prefix may be the same so far, and then name a user.
    if pid.is_some() && memchr::memmem::find(rest, b":  ").is_some() {
        return None;
    }
    let after_id = after_message_id(rest).unwrap_or(rest);
    let known = EXIM.iter().any(|first| after_id.starts_with(first))
        || cut(rest, b" ").is_some_and(|(_, rest)| rest.starts_with(b"authenticator failed for "));
    known.then_some(Own {
        program: "exim",
        time: Some(time),
        pid,
        text: rest,
    })
}

/// What follows `1ahr79-0006jK-G9 `, or the longer ids since 4.97.
pub(in crate::format) fn after_message_id(text: &[u8]) -> Option<&[u8]> {
    let (id, rest) = cut(text, b" ")?;
    let mut parts = id.split(|&b| b == b'-');
    let lengths = [
        parts.next()?.len(),
        parts.next()?.len(),
        parts.next()?.len(),
    ];
    let sound = matches!(lengths, [6, 6, 2] | [6, 11, 4])
        && parts.next().is_none()
        && id.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    sound.then_some(rest)
}

/// `[N ][Warning] `, or the general log's `N Connect`.
fn mysqld<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    let (time, rest) = stamp::mysqld(line, context)?;
    let after_thread = match cut(rest, b" ") {
        Some((thread, rest)) if number(thread).is_some() => trim_start(rest),
        _ => rest,
    };
    let known = [&b"[Warning] "[..], b"[Note] ", b"[ERROR] ", b"[System] "]
        .iter()
        .any(|level| after_thread.starts_with(level))
        || (after_thread.len() < rest.len() && after_thread.starts_with(b"Connect"));
    known.then_some(Own {
        program: "mysqld",
        time: Some(time),
        pid: None,
        text: after_thread,
    })
}

/// `STAMP [THREAD] LEVEL  LOGGER - `.
fn guacamole<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    let (time, rest) = timestamp::iso(line, context)?;
    let text = rest.strip_prefix(b" ")?;
    logged(text)?;
    Some(Own {
        program: "guacamole",
        time: Some(time),
        pid: None,
        text,
    })
}

/// `STAMP LEVEL [kea-dhcp4.leases/812.1397] MESSAGE_ID …`.
fn kea<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    let (time, rest) = timestamp::iso(line, context)?;
    let (_level, rest) = cut(rest.strip_prefix(b" ")?, b" ")?;
    let (logger, text) = cut(trim_start(rest).strip_prefix(b"[kea-dhcp")?, b"] ")?;
    let program = match logger.first()? {
        b'4' => "kea-dhcp4",
        b'6' => "kea-dhcp6",
        _ => return None,
    };
    let (_, ids) = cut(logger, b"/")?;
    let pid = cut(ids, b".").map_or(ids, |(pid, _)| pid);
    Some(Own {
        program,
        time: Some(time),
        pid: number(pid),
        text,
    })
}

/// `STAMP ZONE[ …]LEVEL:  …` where the prefix is the administrator's choice,
/// with `[pid]` in it; some begin it with the remote address.
fn postgres<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    let stamp = match cut(line, b" ") {
        Some((address, rest)) if ip(address).is_some() => rest,
        _ => line,
    };
    if stamp.get(10) != Some(&b' ') {
        return None;
    }
    let (time, rest) = stamp::spaced(stamp, Zones::Name, context)?;
    let open = memchr::memchr(b'[', rest)?;
    let (before, inside) = rest.split_at_checked(open)?;
    // ` [812] ` right after the zone; other prefixes have it after their colons.
    let early = before.is_empty() || before.ends_with(b":");
    let (inside, after) = cut(inside.get(1..)?, b"]").filter(|_| early)?;
    let process = cut(inside, b"-").map_or(inside, |(process, _)| process);
    let pid = number(process)?;
    memchr::memmem::find(after, b":  ")?;
    Some(Own {
        program: "postgres",
        time: Some(time),
        pid: Some(pid),
        text: line,
    })
}

/// `Mon Jun  8 12:08:44 2020 [pid 7] …` and `Mon Jun  8 12:08:44 2020 : Auth: …`.
fn after_weekday<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    let (time, rest) = timestamp::ctime(line, context)?;
    if let Some(rest) = rest.strip_prefix(b" [pid ") {
        let (pid, text) = cut(rest, b"] ")?;
        return Some(Own {
            program: "vsftpd",
            time: Some(time),
            pid: Some(number(pid)?),
            text,
        });
    }
    let text = rest.strip_prefix(b" : ")?;
    let (level, _) = cut(text, b": ")?;
    matches!(
        level,
        b"Auth" | b"Info" | b"Error" | b"Proxy" | b"Warning" | b"Debug"
    )
    .then_some(Own {
        program: "radiusd",
        time: Some(time),
        pid: None,
        text,
    })
}

/// `  Auth: [SMB2,(null)] user [D]\[U] at [Thu, 14 Oct 2021 15:24:12.023984 UTC] with …`
fn smbd<'a>(line: &'a [u8], context: &Context) -> Option<Own<'a>> {
    let text = trim_start(line);
    text.strip_prefix(b"Auth: [")?;
    // The first stamp: a name that holds another makes the line ambiguous, and
    // no event, but the line still needs a time.
    let (_, rest) = cut(text, b"] at [")?;
    let (stamp, _) = cut(rest, b"]")?;
    Some(Own {
        program: "smbd",
        time: stamp::rfc2822(stamp, context),
        pid: None,
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_told_only_right_after_its_stamp() {
        let context = Context::utc(Time::from_secs(1_714_521_600));
        let program = |line: &'static str| read(line.as_bytes(), &context).map(|own| own.program);
        for (line, expected) in [
            (
                "2024-05-01 10:00:00 H=(x) [192.0.2.7] rejected RCPT <a@b>: no",
                Some("exim"),
            ),
            (
                "2024-05-01 10:00:00.123 +0200 [7] 1ahr79-0006jK-G9 <= <> H=[192.0.2.7]",
                Some("exim"),
            ),
            (
                "2024-05-01 10:00:00 login authenticator failed for (x) [192.0.2.7]: 535",
                Some("exim"),
            ),
            ("240501  1:00:00 [Warning] Access denied", Some("mysqld")),
            (
                "2024-05-01T10:00:00.1Z 7 [Note] Access denied",
                Some("mysqld"),
            ),
            (
                "2024-05-01 10:00:00.1 UTC [7] a@b FATAL:  x",
                Some("postgres"),
            ),
            (
                "192.0.2.7 2024-05-01 10:00:00.1 UTC [7] a@b FATAL:  x",
                Some("postgres"),
            ),
            (
                "2024-05-01T10:00:00,1Z [a-1] WARN  o.a.g.r.auth.AuthenticationService - x",
                Some("guacamole"),
            ),
            (
                "2024-05-01T10:00:00,1Z [a-1] WARN  o.a.c.Other - o.a.g.r.auth.AuthenticationService - x",
                None,
            ),
            (
                "Wed May  1 10:00:00 2024 [pid 7] CONNECT: Client \"192.0.2.7\"",
                Some("vsftpd"),
            ),
            (
                "Wed May  1 10:00:00 2024 : Auth: Login OK: [a] (from client n port 0)",
                Some("radiusd"),
            ),
            (
                "2024-05-01 10:00:00 gate1 myapp: H=(x) [192.0.2.7] rejected RCPT",
                None,
            ),
            (
                "2024-05-01T10:00:00Z gate1 myapp: 7 [Note] Access denied",
                None,
            ),
            (
                "2024-05-01 10:00:00 gate1 myapp[7]: x authenticator failed for (x)",
                None,
            ),
            ("May  1 10:00:00 gate1 myapp: [pid 7] x", None),
        ] {
            assert_eq!(program(line), expected, "{line}");
        }
    }
}
