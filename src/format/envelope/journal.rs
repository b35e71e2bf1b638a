//! The journal's JSON export (`journalctl -o json`), one entry a line.
//!
//! Fields that begin with `_` are journald's own; all others are whatever the
//! sender wrote. So `SYSLOG_IDENTIFIER=sshd` from `logger -t sshd` is not
//! sshd: a program is believed where root sent the entry, or where the kernel
//! says that this very program did.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::{set_severity, tagged};
use crate::event::{Event, LogSource, Value};
use crate::field::{Field, Kind};
use crate::format::json::{Raw, walk};
use crate::format::token::number;
use crate::format::{
    Context, Format, Message, Parser, SYSLOG, Verdict, class_of, deliver, format_of,
};
use crate::time::{Span, Time};

pub(in crate::format) static FORMAT: Format = Format {
    name: "journald",
    about: "the systemd journal as JSON lines (journalctl -o json)",
    programs: &[],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["syslog"],
    }],
    parse: Parser::Line(parse),
    example: r#"{"__REALTIME_TIMESTAMP":"1714557600000000","_HOSTNAME":"web1","SYSLOG_IDENTIFIER":"sshd","_UID":"0","_PID":"812","MESSAGE":"Accepted password for alice from 192.0.2.7 port 50022 ssh2"}"#,
};

/// Where programs of the system live; a user's copy elsewhere is not believed.
const SYSTEM_FOLDERS: [&[u8]; 5] = [b"/usr/", b"/bin/", b"/sbin/", b"/lib/", b"/lib64/"];

/// Programs that log as whoever started them, but run as root (set-user-ID).
const ACT_FOR_ROOT: [&[u8]; 22] = [
    b"sudo",
    b"su",
    b"sshd",
    b"sshd-session",
    b"sshd-auth",
    b"pkexec",
    b"polkit-agent-helper-1",
    b"passwd",
    b"login",
    b"crontab",
    b"unix_chkpwd",
    b"doas",
    b"gpasswd",
    b"chage",
    b"chfn",
    b"chsh",
    b"chpasswd",
    // These have accounts of their own.
    b"polkitd",
    b"cockpit-ws",
    b"cockpit-tls",
    b"openvpn",
    b"xrdp",
];

/// Longest name that the kernel keeps of a process (TASK_COMM_LEN, less its NUL).
const COMM_MAX: usize = 15;

/// Keys that only the journal has, in the order of how often they stand there.
const MARKS: [&[u8]; 3] = [
    b"\"__REALTIME_TIMESTAMP\"",
    b"\"_SOURCE_REALTIME_TIMESTAMP\"",
    b"\"__CURSOR\"",
];

/// The keys that we use; empty where there are none.
#[derive(Default)]
struct Entry<'a> {
    message: &'a [u8],
    priority: &'a [u8],
    identifier: &'a [u8],
    comm: &'a [u8],
    exe: &'a [u8],
    pid: &'a [u8],
    uid: &'a [u8],
    transport: &'a [u8],
    hostname: &'a [u8],
    unit: &'a [u8],
    sent: &'a [u8],
    received: &'a [u8],
    cursor: &'a [u8],
}

impl<'a> Entry<'a> {
    /// The place of a key's value.
    fn slot(&mut self, key: &str) -> Option<&mut &'a [u8]> {
        Some(match key {
            "MESSAGE" => &mut self.message,
            "PRIORITY" => &mut self.priority,
            "SYSLOG_IDENTIFIER" => &mut self.identifier,
            "_COMM" => &mut self.comm,
            "_EXE" => &mut self.exe,
            "_PID" => &mut self.pid,
            "_UID" => &mut self.uid,
            "_TRANSPORT" => &mut self.transport,
            "_HOSTNAME" => &mut self.hostname,
            "_SYSTEMD_UNIT" => &mut self.unit,
            "_SOURCE_REALTIME_TIMESTAMP" => &mut self.sent,
            "__REALTIME_TIMESTAMP" => &mut self.received,
            "__CURSOR" => &mut self.cursor,
            _ => return None,
        })
    }

    /// Takes a key's value, the first of several.
    fn take(&mut self, key: &str, raw: Raw<'a>, arena: &'a Bump) {
        if let Some(slot) = self.slot(key)
            && slot.is_empty()
        {
            *slot = text(raw, arena);
        }
    }
}

/// A value: text, or a list of the bytes of text that is not UTF-8. Nothing for
/// `null`, which stands for what was too long, and for a list of several values.
fn text<'a>(raw: Raw<'a>, arena: &'a Bump) -> &'a [u8] {
    match raw.typed(Kind::Text, arena) {
        Some(Value::Text(text)) => text,
        Some(Value::List(list)) => {
            let byte = |value: &Value<'_>| match value {
                Value::Int(n) => u8::try_from(*n).ok(),
                _ => None,
            };
            let mut bytes = BumpVec::with_capacity_in(list.len(), arena);
            bytes.extend(list.iter().map_while(byte));
            if bytes.len() == list.len() {
                bytes.into_bump_slice()
            } else {
                &[]
            }
        }
        _ => &[],
    }
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let marked = MARKS
        .iter()
        .any(|mark| memchr::memmem::find(line, mark).is_some());
    if !marked {
        return Verdict::NotMine;
    }
    let mut entry = Entry::default();
    if walk(line, arena, &mut |key, raw| entry.take(key, raw, arena)).is_err() {
        return Verdict::Malformed("not the journal's JSON");
    }
    event.time = time(entry.sent).or_else(|| time(entry.received));
    if event.time.is_none() && entry.cursor.is_empty() {
        return Verdict::NotMine;
    }
    for (field, text) in [
        (Field::HOST_NAME, entry.hostname),
        (Field::SERVICE_NAME, entry.unit),
    ] {
        if !text.is_empty() {
            event.text(field, text);
        }
    }
    if let Some(severity) = number(entry.priority).and_then(|n| u8::try_from(n).ok()) {
        set_severity(severity, event);
    }
    let name = match entry.identifier {
        b"" => entry.comm,
        identifier => identifier,
    };
    let tagged = tagged(name, number(entry.pid), entry.message, event);
    if believed(&entry, tagged.message.program) {
        return deliver(tagged, context, arena, event);
    }
    let Message { text, .. } = tagged.message;
    if !text.is_empty() {
        event.text(Field::MESSAGE, text);
    }
    if format_of(tagged.message).name != SYSLOG.name {
        event.text(
            Field::EVENT_REASON,
            b"not sent by the program that it names",
        );
    }
    event.class = class_of(&SYSLOG);
    Verdict::NotMine
}

/// Whether the entry's sender is the program that its identifier names. Of
/// what others than root sent, only programs that act for root are believed,
/// and daemons that run under accounts of their own: with `logger` anybody
/// could speak as PAM does.
fn believed(entry: &Entry<'_>, program: &[u8]) -> bool {
    let exe = entry.exe;
    let installed = exe.is_empty()
        || (SYSTEM_FOLDERS.iter().any(|folder| exe.starts_with(folder))
            && exe.rsplit(|&b| b == b'/').next() == Some(program));
    let comm = program.get(..COMM_MAX).unwrap_or(program);
    match entry.uid {
        b"0" => true,
        b"" if entry.transport == b"kernel" => true,
        // A daemon's own account, below those of people (SYS_UID_MAX is 999).
        uid if !exe.is_empty() && number(uid).is_some_and(|uid| uid <= 999) => {
            entry.comm == comm && installed
        }
        _ => ACT_FOR_ROOT.contains(&program) && entry.comm == comm && installed,
    }
}

/// Microseconds since the epoch.
fn time(micros: &[u8]) -> Option<Time> {
    let nanos = number(micros)?.checked_mul(1000)?;
    Some(Time::from_nanos(0).plus(Span::from_nanos(nanos)))
}

/// Only the time: the first stamp that stands in the line.
pub(in crate::format) fn peek_time(line: &[u8]) -> Option<Time> {
    MARKS.iter().take(2).rev().find_map(|mark| {
        let at = memchr::memmem::find(line, mark)? + mark.len();
        let rest = line.get(at..)?.strip_prefix(b":")?;
        let rest = crate::format::token::trim_start(rest);
        let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
        let end = rest.iter().position(|b| !b.is_ascii_digit())?;
        time(rest.get(..end)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Parsed, by_name, parse};

    fn read(line: &str) -> (Parsed, Option<String>) {
        let context = Context::utc(Time::from_secs(0));
        let arena = Bump::new();
        let mut event = Event::new();
        let parsed = parse(line.as_bytes(), &context, &arena, &mut event);
        let source = match event.get(Field::SOURCE_IP) {
            Some(Value::Ip(ip)) => Some(ip.to_string()),
            _ => None,
        };
        (parsed, source)
    }

    const ACCEPTED: &str =
        "\"MESSAGE\":\"Accepted password for alice from 192.0.2.7 port 50022 ssh2\"";
    const HEAD: &str =
        "{\"__REALTIME_TIMESTAMP\":\"1714557600000000\",\"SYSLOG_IDENTIFIER\":\"sshd\"";

    #[test]
    fn root_and_the_program_itself_are_believed() {
        for sender in [
            "\"_UID\":\"0\"",
            "\"_UID\":\"74\",\"_COMM\":\"sshd\"",
            "\"_UID\":\"74\",\"_COMM\":\"sshd\",\"_EXE\":\"/usr/sbin/sshd\"",
        ] {
            let (parsed, source) = read(&format!("{HEAD},{sender},{ACCEPTED}}}"));
            assert_eq!(parsed.verdict, Verdict::Event, "{sender}");
            assert_eq!(parsed.format, by_name("sshd"));
            assert_eq!(source.as_deref(), Some("192.0.2.7"));
        }
    }

    #[test]
    fn an_identifier_that_a_user_set_is_not_the_program() {
        for sender in [
            "\"_UID\":\"1000\",\"_COMM\":\"logger\"",
            "\"_UID\":\"1000\"",
            "\"_COMM\":\"logger\"",
            "\"_UID\":\"1000\",\"_COMM\":\"sshd\",\"_EXE\":\"/home/eve/sshd\"",
            "\"_UID\":\"1000\",\"_COMM\":\"sshd\",\"_EXE\":\"/usr/bin/python3\"",
            "\"UID\":\"0\"",
        ] {
            let (parsed, source) = read(&format!("{HEAD},{sender},{ACCEPTED}}}"));
            assert_eq!(parsed.verdict, Verdict::NotMine, "{sender}");
            assert_eq!(parsed.format, by_name("syslog"));
            assert_eq!(source, None);
        }
    }

    #[test]
    fn a_long_name_is_known_by_what_the_kernel_keeps_of_it() {
        let line = |exe: &str| {
            format!(
                r#"{{"__REALTIME_TIMESTAMP":"1714557600000000","SYSLOG_IDENTIFIER":"polkit-agent-helper-1","_UID":"1000","_COMM":"polkit-agent-he","_EXE":"{exe}","MESSAGE":"pam_authenticate failed: Authentication failure"}}"#
            )
        };
        let installed = line("/usr/lib/polkit-1/polkit-agent-helper-1");
        assert_eq!(read(&installed).0.verdict, Verdict::Event);
        let users = line("/home/eve/polkit-agent-helper-1");
        assert_eq!(read(&users).0.verdict, Verdict::NotMine);
    }

    #[test]
    fn nobody_speaks_as_pam_through_logger() {
        let line = r#"{"__REALTIME_TIMESTAMP":"1714557600000000","SYSLOG_IDENTIFIER":"logger","_COMM":"logger","_EXE":"/usr/bin/logger","_UID":"1000","MESSAGE":"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root"}"#;
        let (parsed, source) = read(line);
        assert_eq!((parsed.verdict, source), (Verdict::NotMine, None));
    }

    #[test]
    fn a_message_of_bytes_is_read_and_other_json_is_left_alone() {
        let bytes = format!("{HEAD},\"_UID\":\"0\",\"MESSAGE\":[73,255,73]}}");
        assert_eq!(read(&bytes).0.verdict, Verdict::NotMine);
        assert_eq!(read("{\"a\":1}").0.format, None);
        let nested = format!("{{\"a\":{ACCEPTED:?}, \"b\":{HEAD:?}}}");
        assert_eq!(read(&nested).0.format, None);
        let broken = format!("{HEAD},");
        assert!(matches!(read(&broken).0.verdict, Verdict::Malformed(_)));
    }
}
