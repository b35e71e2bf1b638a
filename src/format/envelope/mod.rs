//! What syslog puts around a program's message: stamp, host, program, pid.
//!
//! `rfc3164` reads the classic file format, also with ISO stamps (the default
//! of Debian 12 and Ubuntu 24) and with PRI in front; `rfc5424` the structured
//! one; `journal` the journal's JSON export. The header comes from the daemon
//! that wrote the line; nothing after the tag is looked at here.

pub(super) mod container;
mod daemons;
pub(super) mod dialect;
pub(super) mod gelf;
pub(super) mod journal;
pub(super) mod own;
pub(super) mod rfc3164;
mod rfc5424;
pub(super) mod shipped;
mod stamp;

use super::token::{digit, trim_end, trim_start};
use super::{Context, Format, Message};
use crate::event::{Event, Value};
use crate::field::Field;
use crate::time::Time;

/// What an envelope holds.
pub(super) enum Read<'a> {
    /// A program's message.
    Message(Tagged<'a>),
    /// Another line, which a container wrote.
    Inner(&'a [u8]),
    /// No envelope that we know.
    Nothing,
    /// An envelope that breaks its grammar.
    Malformed(&'static str),
}

/// A message, and whether the tag said that it is PAM's (`sshd(pam_unix)[7]:`).
#[derive(Clone, Copy)]
pub(super) struct Tagged<'a> {
    pub(super) message: Message<'a>,
    pub(super) pam: bool,
}

impl<'a> Tagged<'a> {
    /// A message without a header, of a program that is known otherwise.
    pub(super) fn by_name(program: &'a [u8], text: &'a [u8]) -> Tagged<'a> {
        Tagged {
            message: Message {
                program,
                text: trim_end(trim_start(text)),
            },
            pam: false,
        }
    }
}

/// Rows of FORMATS that only hold another line.
pub(super) static WRAPPERS: [&Format; 4] = [
    &container::DOCKER,
    &container::CRI,
    &gelf::FORMAT,
    &shipped::FORMAT,
];

/// Names of severities, as syslog(3) and journalctl spell them.
const SEVERITIES: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
];

/// The same as log levels.
const LEVELS: [&str; 8] = [
    "EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG",
];

/// Names of facilities (RFC 5424, table 1, in syslog(3)'s spelling).
const FACILITIES: [&str; 24] = [
    "kern",
    "user",
    "mail",
    "daemon",
    "auth",
    "syslog",
    "lpr",
    "news",
    "uucp",
    "cron",
    "authpriv",
    "ftp",
    "ntp",
    "security",
    "console",
    "solaris-cron",
    "local0",
    "local1",
    "local2",
    "local3",
    "local4",
    "local5",
    "local6",
    "local7",
];

/// Reads a line's envelope into the event.
pub(super) fn read<'a>(line: &'a [u8], context: &Context, event: &mut Event<'a>) -> Read<'a> {
    let line = without_count(line);
    if line.first() != Some(&b'<') {
        if has_no_pri(line)
            && let Ok(message) = rfc5424::read(line, event)
        {
            return Read::Message(message);
        }
        return rfc3164::read(line, context, event);
    }
    let (pri, rest) = match pri(line) {
        Ok(Some(found)) => found,
        Ok(None) => return Read::Nothing,
        Err(reason) => return Read::Malformed(reason),
    };
    if rfc5424::begins(rest) {
        return match rfc5424::read(rest, event) {
            Ok(message) => {
                set_pri(pri, event);
                Read::Message(message)
            }
            // Meraki writes seconds where the stamp belongs, and no more header.
            Err(_)
                if rest
                    .get(2..12)
                    .is_some_and(|s| s.iter().all(u8::is_ascii_digit)) =>
            {
                Read::Nothing
            }
            Err(reason) => Read::Malformed(reason),
        };
    }
    let read = rfc3164::read(rest, context, event);
    if matches!(read, Read::Message(_)) {
        set_pri(pri, event);
    }
    read
}

/// Only the stamp.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    let line = without_count(line);
    if has_no_pri(line) {
        return rfc5424::peek_time(line);
    }
    if line.first() != Some(&b'<') {
        return rfc3164::peek_time(line, context);
    }
    let (_, rest) = pri(line).ok()??;
    if rfc5424::begins(rest) {
        return rfc5424::peek_time(rest);
    }
    rfc3164::peek_time(rest, context)
}

/// The line without the octet count that syslog over TCP puts before each
/// frame (`123 <34>1 …`, RFC 6587, 3.4.1), where a collector left it there.
fn without_count(line: &[u8]) -> &[u8] {
    // Nine of ten lines begin with a letter or `<`, ISO stamps have no blank by here.
    let Some(digits @ 1..=6) = memchr::memchr(b' ', line.get(..7).unwrap_or(line)) else {
        return line;
    };
    let (count, rest) = line.split_at_checked(digits).unwrap_or((line, &[]));
    let counted = count.first() != Some(&b'0') && count.iter().all(u8::is_ascii_digit);
    match rest.strip_prefix(b" ") {
        Some(frame) if counted && frame.first() == Some(&b'<') => frame,
        _ => line,
    }
}

/// Whether a line is RFC 5424's without its PRI, which some relays drop:
/// `1 2024-05-01T10:00:00Z `.
fn has_no_pri(line: &[u8]) -> bool {
    line.starts_with(b"1 ") && line.get(6) == Some(&b'-') && line.get(12) == Some(&b'T')
}

/// `<N>` with N from 0 to 191 and no leading zero; none where there is none.
fn pri(line: &[u8]) -> Result<Option<(u8, &[u8])>, &'static str> {
    let (value, rest) = match *line {
        [b'<', a, b'>', ref rest @ ..] => (digit(a).map(u16::from), rest),
        [b'<', b'0', _, b'>', ..] | [b'<', b'0', _, _, b'>', ..] => {
            return Err("PRI has a leading zero");
        }
        [b'<', a, b, b'>', ref rest @ ..] => (decimal(0, a, b), rest),
        [b'<', a, b, c, b'>', ref rest @ ..] => (decimal(a.wrapping_sub(b'0'), b, c), rest),
        _ => return Ok(None),
    };
    match value {
        Some(value @ 0..=191) => Ok(u8::try_from(value).ok().map(|pri| (pri, rest))),
        Some(_) => Err("PRI is above 191"),
        None => Ok(None),
    }
}

fn decimal(hundreds: u8, tens: u8, ones: u8) -> Option<u16> {
    let small = (hundreds < 10).then(|| u16::from(hundreds) * 100)?;
    Some(small + u16::from(digit(tens)?) * 10 + u16::from(digit(ones)?))
}

fn set_pri(pri: u8, event: &mut Event<'_>) {
    event.set(Field::SYSLOG_PRIORITY, Value::Int(i64::from(pri)));
    if let Some(facility) = FACILITIES.get(usize::from(pri / 8)) {
        event.text(Field::SYSLOG_FACILITY, facility.as_bytes());
    }
    set_severity(pri % 8, event);
}

fn set_severity(severity: u8, event: &mut Event<'_>) {
    let at = usize::from(severity);
    if let (Some(name), Some(level)) = (SEVERITIES.get(at), LEVELS.get(at)) {
        event.text(Field::SYSLOG_SEVERITY, name.as_bytes());
        event.text(Field::LOG_LEVEL, level.as_bytes());
    }
}

/// Sets program, pid and message, and makes of the program's name what formats
/// answer to: `/usr/sbin/cron` is `cron`, `sshd(pam_unix)` is PAM's in `sshd`.
fn tagged<'a>(
    name: &'a [u8],
    pid: Option<i64>,
    text: &'a [u8],
    event: &mut Event<'a>,
) -> Tagged<'a> {
    let (name, pam) = match memchr::memchr(b'(', name) {
        Some(at) if name.get(at..).is_some_and(|s| s.starts_with(b"(pam_")) => {
            (name.get(..at).unwrap_or_default(), true)
        }
        _ => (name, false),
    };
    let text = trim_end(trim_start(without_message_id(text)));
    if !name.is_empty() {
        event.text(Field::PROCESS_NAME, name);
    }
    if let Some(pid) = pid {
        event.set(Field::PROCESS_PID, Value::Int(pid));
    }
    let program = match memchr::memrchr(b'/', name) {
        Some(at) if name.starts_with(b"/") => name.get(at + 1..).unwrap_or_default(),
        _ => name,
    };
    Tagged {
        message: Message { program, text },
        pam,
    }
}

/// Solaris puts `[ID 800047 auth.info] ` before each message.
fn without_message_id(text: &[u8]) -> &[u8] {
    let text = trim_start(text);
    let rest = text.strip_prefix(b"[ID ").and_then(|rest| {
        let end = memchr::memchr(b']', rest.get(..40).unwrap_or(rest))?;
        rest.get(end + 1..)
    });
    rest.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Option<String> {
        let context = Context::utc(Time::from_secs(1_714_521_600));
        let mut event = Event::new();
        let Read::Message(tagged) = read(line.as_bytes(), &context, &mut event) else {
            return None;
        };
        let text = |field| event.shown(field);
        Some(format!(
            "{} {} {} {}{} | {}",
            event.time.map_or("-".to_owned(), |t| t.to_string()),
            text(Field::HOST_NAME),
            text(Field::PROCESS_NAME),
            text(Field::PROCESS_PID),
            if tagged.pam { " pam" } else { "" },
            String::from_utf8_lossy(tagged.message.text),
        ))
    }

    #[test]
    fn dialects_of_old_syslog() {
        for (line, expected) in [
            (
                "57 <38>May  1 10:00:00 h sshd[7]: a frame with its count",
                "2024-05-01T10:00:00Z h sshd 7 | a frame with its count",
            ),
            (
                "1 2024-05-01T10:00:00Z h su 9 - - x",
                "2024-05-01T10:00:00Z h su 9 | x",
            ),
            ("28 <34>1 - h su 9 - - x", "- h su 9 | x"),
            (
                "May  1 10:00:00.250 2024 h sshd[7]: hi",
                "2024-05-01T10:00:00.250Z h sshd 7 | hi",
            ),
            (
                "<189>237: *May  1 10:00:00.250 UTC: %SYS-5-CONFIG_I: Configured",
                "2024-05-01T10:00:00.250Z - %SYS-5-CONFIG_I - | Configured",
            ),
            (
                "<189>*May  1 10:00:00: %SYS-5-CONFIG_I: Configured",
                "2024-05-01T10:00:00Z - %SYS-5-CONFIG_I - | Configured",
            ),
            (
                "May  1 10:00:00 192.0.2.1 237: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: x",
                "2024-05-01T10:00:00Z 192.0.2.1 %SYS-5-CONFIG_I - | x",
            ),
            (
                "<166>May 01 2024 10:00:00: %ASA-6-302013: Built",
                "2024-05-01T10:00:00Z - %ASA-6-302013 - | Built",
            ),
            (
                "May 01 2024 10:00:00 fw1.example : %ASA-6-302013: Built",
                "2024-05-01T10:00:00Z fw1.example %ASA-6-302013 - | Built",
            ),
            (
                "May  1 10:00:00 <auth.info> h sshd[7]: hi",
                "2024-05-01T10:00:00Z h sshd 7 | hi",
            ),
            (
                "May  1 10:00:00 Message forwarded from h: sshd[7]: hi",
                "2024-05-01T10:00:00Z h sshd 7 | hi",
            ),
            (
                "May  1 10:00:00 h rsyslogd:  [origin software=\"rsyslogd\" x-pid=\"7\"] start",
                "2024-05-01T10:00:00Z h rsyslogd - | start",
            ),
            (
                "May  1 10:00:00 h  [software=\"rsyslogd\" x-pid=\"7\"] start",
                "2024-05-01T10:00:00Z h - - | [software=\"rsyslogd\" x-pid=\"7\"] start",
            ),
            (
                "May  1 10:00:00 h httpd: [client 192.0.2.7] no data",
                "2024-05-01T10:00:00Z h httpd - | [client 192.0.2.7] no data",
            ),
            (
                "May  1 10:00:00 fw.h CEF:0|V|P|1|9|n|5|",
                "2024-05-01T10:00:00Z fw.h - - | CEF:0|V|P|1|9|n|5|",
            ),
            (
                "May  1 10:00:00 LEEF:1.0|V|P s|1|9|n",
                "2024-05-01T10:00:00Z - - - | LEEF:1.0|V|P s|1|9|n",
            ),
            (
                "<13>1 2016-12-31T23:59:60-04:00 h su - - {} x",
                "2017-01-01T03:59:59.999999999Z h su - | x",
            ),
        ] {
            assert_eq!(shown(line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn headers_of_every_shape() {
        for (line, expected) in [
            (
                "May  1 10:00:00 h sshd[7]: hi \r",
                "2024-05-01T10:00:00Z h sshd 7 | hi",
            ),
            (
                "<38>May  1 10:00:00 h sshd[7]:hi",
                "2024-05-01T10:00:00Z h sshd 7 | hi",
            ),
            (
                "May  1 10:00:00 sshd[7]: no host",
                "2024-05-01T10:00:00Z - sshd 7 | no host",
            ),
            (
                "May  1 10:00:00  sshd[7]: no host",
                "2024-05-01T10:00:00Z - sshd 7 | no host",
            ),
            (
                "May  1 10:00:00 2001:db8::1 su: x",
                "2024-05-01T10:00:00Z 2001:db8::1 su - | x",
            ),
            (
                "May  1 10:00:00 2001:db8:: su: x",
                "2024-05-01T10:00:00Z 2001:db8:: su - | x",
            ),
            (
                "May  1 10:00:00 h com.apple.xpc.launchd[1] (com.apple.quicklook[7]): x): y",
                "2024-05-01T10:00:00Z h com.apple.xpc.launchd[1] (com.apple.quicklook[7]) 1 | x): y",
            ),
            (
                "May  1 10:00:00 h sshd[7] (com.apple.quicklook[7]): x",
                "2024-05-01T10:00:00Z h sshd 7 | (com.apple.quicklook[7]): x",
            ),
            (
                "May  1 10:00:00 h sshd(pam_unix)[7]: x",
                "2024-05-01T10:00:00Z h sshd 7 pam | x",
            ),
            (
                "May  1 10:00:00 [sshd]: x",
                "2024-05-01T10:00:00Z - sshd - | x",
            ),
            (
                "May  1 10:00:00 h Google Chrome[7]: x",
                "2024-05-01T10:00:00Z h Google Chrome 7 | x",
            ),
            (
                "May  1 10:00:00 h event [a] b: c",
                "2024-05-01T10:00:00Z h event - | [a] b: c",
            ),
            (
                "May  1 10:00:00 h a sshd[x]: c",
                "2024-05-01T10:00:00Z h a - | sshd[x]: c",
            ),
            (
                "2024-05-01T12:00:00.5+02:00 h su: x",
                "2024-05-01T10:00:00.500Z h su - | x",
            ),
            (
                "May  1 10:00:00 h sshd[7]: [ID 800047 auth.info] x",
                "2024-05-01T10:00:00Z h sshd 7 | x",
            ),
            (
                "<34>1 2024-05-01T10:00:00Z h su 9 ID47 - \u{feff}x",
                "2024-05-01T10:00:00Z h su 9 | x",
            ),
            ("<34>1 - - - - - -", "- - - - | "),
            (r#"<34>1 - h su - - [a b="\"\]\\"][c] x"#, "- h su - | x"),
        ] {
            assert_eq!(shown(line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn pri_and_version_are_strict() {
        for line in [
            "<192>1 - - - - - -",
            "<01>1 - - - - - -",
            "<>1 - - - - - -",
            "<1>1 2024-05-01T10:00:00 - - - - -",
            "<1>1 2024-05-01t10:00:00z - - - - -",
            r#"<1>1 - - - - - [a b="x"y"] x"#,
            r#"<1>1 - - - - - [a b="x\"] x"#,
            "<1>1 - - - - - [a][a] x",
            "<1>1 - - - -",
        ] {
            assert_eq!(shown(line), None, "{line}");
        }
    }
}
