//! What log shippers put around a line: Fluentd's, Fluent Bit's, Filebeat's,
//! Logstash's, Vector's, rsyslog's and syslog-ng's JSON, Splunk's and Loki's.
//!
//! They agree on the idea and on no name, so the keys are tables, the surest
//! first. Where one names a program that we know, the text is its message,
//! else a line by itself. An application that logs JSON also has a `message`,
//! with words of whoever it talks to: the text is opened only where a key
//! stands beside it that shippers add and applications do not.

use bumpalo::Bump;

use super::Tagged;
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::format::json::{Raw, elements_of, integer, walk};
use crate::format::token::{cut, number, trim_end};
use crate::format::{
    Context, Format, Parser, SYSLOG, Verdict, declared, deliver, inner, of_program,
};
use crate::time::{Span, Time};

pub(in crate::format) static FORMAT: Format = Format {
    name: "shipped",
    about: "a line inside a log shipper's JSON (Fluent Bit, Filebeat, Logstash, Vector, rsyslog, syslog-ng, Splunk, Loki); the line inside is read as its own kind",
    programs: &[],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["syslog"],
    }],
    parse: Parser::Line(parse),
    example: r#"{"@timestamp":"2026-01-05T10:00:00.000Z","host":{"name":"web1"},"log":{"file":{"path":"/var/log/auth.log"}},"message":"Jan  5 10:00:00 web1 sshd[812]: Accepted password for alice from 192.0.2.7 port 50022 ssh2"}"#,
};

/// Where the text is.
const TEXTS: [&str; 14] = [
    "event.original",
    "_raw",
    "result._raw",
    "full_log",
    "log",
    "LOG",
    "message",
    "MESSAGE",
    "Message",
    "msg",
    "line",
    "textPayload",
    "raw_message",
    "event",
];

/// Where the machine is.
const HOSTS: [&str; 17] = [
    "syslog_hostname",
    "sysloghost",
    "logsource",
    "HOST",
    "HOSTNAME",
    "hostname",
    "host",
    "host.name",
    "host.hostname",
    "fields.host",
    "fields.hostname",
    "labels.host",
    "labels.hostname",
    "stream.host",
    "result.host",
    "predecoder.hostname",
    "beat.hostname",
];

/// Where the program is.
const PROGRAMS: [&str; 13] = [
    "ident",
    "program",
    "programname",
    "PROGRAM",
    "appname",
    "app_name",
    "app-name",
    "syslog_program",
    "predecoder.program_name",
    "fields.program",
    "process.name",
    "process",
    "tag",
];

const PIDS: [&str; 6] = [
    "pid",
    "PID",
    "procid",
    "syslog_pid",
    "process.pid",
    "processid",
];

/// What shippers add, beside a machine's or a program's name. `path`, `source`
/// or `tag` would do for some, but applications use those words too.
const MARKS: [&str; 12] = [
    "@version",
    "agent",
    "beat",
    "log.file.path",
    "kubernetes",
    "input.type",
    "sourcetype",
    "source_type",
    "container_name",
    "container_id",
    "labels",
    "logName",
];

/// Keys whose text nobody but a shipper writes.
const SURE: usize = 6;

/// What a shipper wrote of a line.
struct Shipped<'a> {
    texts: [Option<&'a [u8]>; TEXTS.len()],
    hosts: [Option<&'a [u8]>; HOSTS.len()],
    programs: [Option<&'a [u8]>; PROGRAMS.len()],
    pid: Option<i64>,
    marked: bool,
    journal: bool,
    stamp: Option<(usize, Time)>,
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    if line.first() != Some(&b'{') {
        return Verdict::NotMine;
    }
    let mut shipped = Shipped {
        texts: [None; TEXTS.len()],
        hosts: [None; HOSTS.len()],
        programs: [None; PROGRAMS.len()],
        pid: None,
        marked: false,
        journal: false,
        stamp: None,
    };
    let walked = walk(line, arena, &mut |path, raw| {
        shipped.take(path, raw, context, arena);
    });
    if walked.is_err() || shipped.journal {
        return Verdict::NotMine;
    }
    let known = |name: &&[u8]| of_program(name).name != SYSLOG.name;
    let program = shipped.programs.into_iter().flatten().find(known);
    let host = shipped.hosts.into_iter().flatten().next();
    let sure = shipped.texts.iter().take(SURE).any(Option::is_some);
    let Some(text) = shipped.texts.into_iter().flatten().next() else {
        return Verdict::NotMine;
    };
    if !(sure || shipped.marked || host.is_some() || program.is_some()) {
        return Verdict::NotMine;
    }
    let before = event.values().len();
    event.time = shipped.stamp.map(|(_, time)| time);
    let text = trim_end(text.strip_suffix(b"\n").unwrap_or(text));
    let mut verdict = inner(text, &FORMAT, context, arena, event);
    if verdict == Verdict::NotMine
        && let Some(program) = program
    {
        event.truncate(before);
        event.text(Field::PROCESS_NAME, program);
        if let Some(pid) = shipped.pid {
            event.set(Field::PROCESS_PID, Value::Int(pid));
        }
        verdict = deliver(Tagged::by_name(program, text), context, arena, event);
    }
    if verdict == Verdict::NotMine && program.is_none() {
        // Whoever reads the object itself has more of it than its text.
        event.truncate(before);
        return Verdict::NotMine;
    }
    if let Some(host) = host.filter(|_| event.get(Field::HOST_NAME).is_none()) {
        event.text(Field::HOST_NAME, host);
    }
    verdict
}

impl<'a> Shipped<'a> {
    fn take(&mut self, path: &str, raw: Raw<'a>, context: &Context, arena: &'a Bump) {
        self.marked |= MARKS.contains(&path);
        // Any program may send the journal any identifier: its reader knows
        // which of its keys are the journal's own.
        self.journal |= path == "SYSLOG_IDENTIFIER" || path.starts_with("__");
        if path == "streams" {
            return self.loki(raw, arena);
        }
        if let Some(rank) = declared::rank(path)
            && self.stamp.is_none_or(|(best, _)| rank < best)
            && let Some(time) = declared::time(raw, context, arena)
        {
            self.stamp = Some((rank, time));
        }
        if PIDS.contains(&path) && self.pid.is_none() {
            self.pid = match raw.value(arena) {
                Value::Int(pid) => Some(pid),
                Value::Text(text) => number(text),
                _ => None,
            };
        }
        // An object is no text, though it has one.
        if !raw.text().starts_with('"') {
            return;
        }
        let slot = place(&TEXTS, path, &mut self.texts)
            .or_else(|| place(&HOSTS, path, &mut self.hosts))
            .or_else(|| place(&PROGRAMS, path, &mut self.programs));
        if let (Some(slot @ None), Value::Text(text)) = (slot, raw.value(arena)) {
            *slot = Some(text).filter(|text| !text.is_empty() && *text != b"-");
        }
    }

    /// `[{"stream":{"host":"web1"},"values":[["1767607200000000000","line"]]}]`,
    /// of one line; of several nobody could say which the event is of.
    fn loki(&mut self, raw: Raw<'a>, arena: &'a Bump) {
        let mut streams = 0;
        elements_of(raw, &mut |stream| {
            streams += 1;
            let _valid = walk(stream.text().as_bytes(), arena, &mut |path, raw| match (
                path,
                raw.value(arena),
            ) {
                ("values", Value::List(&[Value::Text(stamp), Value::Text(line)]))
                    if streams == 1 =>
                {
                    self.stamp = nanos(stamp).map(|time| (0, time));
                    if let Some(slot) = place(&TEXTS, "line", &mut self.texts) {
                        *slot = Some(line);
                    }
                }
                ("stream.host" | "stream.hostname", Value::Text(host)) => {
                    if let Some(slot) = place(&HOSTS, "stream.host", &mut self.hosts) {
                        *slot = Some(host);
                    }
                }
                _ => {}
            });
        });
        self.marked = true;
        if streams != 1 {
            self.texts = [None; TEXTS.len()];
        }
    }
}

/// Only the time of a line of Loki's.
pub(in crate::format) fn peek_time(line: &[u8]) -> Option<Time> {
    let (_, rest) = cut(line, b"\"values\":[[\"")?;
    nanos(cut(rest, b"\"")?.0)
}

/// Nanoseconds since the epoch, as Loki counts.
fn nanos(stamp: &[u8]) -> Option<Time> {
    let whole = integer(stamp.get(..stamp.len().checked_sub(9)?)?)?;
    let below = integer(stamp.get(stamp.len() - 9..)?)?;
    Some(Time::from_secs(whole).plus(Span::from_nanos(below)))
}

fn place<'s, 'a>(
    names: &[&str],
    path: &str,
    slots: &'s mut [Option<&'a [u8]>],
) -> Option<&'s mut Option<&'a [u8]>> {
    let at = names.iter().position(|name| *name == path)?;
    slots.get_mut(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> String {
        let context = Context::utc(Time::from_secs(1_767_600_000));
        let fields = [Field::HOST_NAME, Field::USER_NAME, Field::SOURCE_IP];
        let seen = crate::format::shape::seen(line, &context, &fields);
        let fields = seen.fields.replace('|', " ");
        format!("{:?} {} {fields}", seen.verdict, seen.time)
    }

    const LOGIN: &str = "Accepted password for alice from 192.0.2.7 port 50022 ssh2";

    #[test]
    fn every_shippers_line_is_the_line_inside() {
        let whole = format!("Jan  5 10:00:00 web1 sshd[812]: {LOGIN}");
        for wrapped in [
            format!(
                r#"{{"@timestamp":"2026-01-05T10:00:00Z","message":"{whole}","host":{{"name":"relay"}}}}"#
            ),
            format!(
                r#"{{"@timestamp":"2026-01-05T10:00:00Z","@version":"1","message":"{whole}","host":"relay"}}"#
            ),
            format!(r#"{{"log":"{whole}\n"}}"#),
            format!(r#"{{"date":1767607200.0,"log":"{whole}","kubernetes":{{"pod_name":"x"}}}}"#),
            format!(
                r#"{{"message":"{LOGIN}","host":"web1","ident":"sshd","pid":"812","time":1767607200}}"#
            ),
            format!(
                r#"{{"PROGRAM":"sshd","PID":"812","MESSAGE":"{LOGIN}","HOST":"web1","timestamp":"2026-01-05T10:00:00Z"}}"#
            ),
            format!(
                r#"{{"time":1767607200,"host":"relay","sourcetype":"linux_secure","event":"{whole}"}}"#
            ),
            format!(r#"{{"preview":false,"result":{{"_raw":"{whole}","host":"web1"}}}}"#),
            format!(
                r#"{{"streams":[{{"stream":{{"job":"x"}},"values":[["1767607200000000000","{whole}"]]}}]}}"#
            ),
            format!(
                r#"{{"labels":{{"host":"web1"}},"line":"{whole}","timestamp":"2026-01-05T10:00:00Z"}}"#
            ),
        ] {
            let expected = "Event 2026-01-05T10:00:00Z web1 alice 192.0.2.7";
            assert_eq!(read(&wrapped), expected, "{wrapped}");
        }
    }

    #[test]
    fn what_an_application_says_is_not_opened() {
        let whole = format!("Jan  5 10:00:00 web1 sshd[812]: {LOGIN}");
        for line in [
            format!(r#"{{"time":1767607200,"level":"info","message":"{whole}"}}"#),
            format!(
                r#"{{"time":1767607200,"path":"/login","source":"web","tag":"x","message":"{whole}"}}"#
            ),
            format!(
                r#"{{"time":1767607200,"level":"info","request":{{"log":"{whole}","host":"x"}}}}"#
            ),
            format!(
                r#"{{"streams":[{{"stream":{{}},"values":[["1","{whole}"]]}},{{"stream":{{}},"values":[["1","{whole}"]]}}]}}"#
            ),
        ] {
            assert!(read(&line).starts_with("NotMine"), "{line}");
        }
    }
}
