//! Graylog's extended log format: one JSON object a message.
//!
//! `host`, `level` and `timestamp` are its envelope, `short_message` the text.
//! Libraries name the program in one of several additional fields; where that
//! is a program we know, the text is its message, else a line by itself.

use bumpalo::Bump;

use super::{Tagged, set_severity};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::format::json;
use crate::format::{Context, Format, Parser, SYSLOG, Verdict, deliver, inner, of_program};
use crate::time::{Span, Time};

/// The key that every message has and no other log.
const MARK: &[u8] = b"\"short_message\"";

pub(in crate::format) static FORMAT: Format = Format {
    name: "gelf",
    about: "Graylog extended log format; the text inside is read as its own kind",
    programs: &[],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["syslog"],
    }],
    parse: Parser::Line(parse),
    example: r#"{"version":"1.1","host":"web1","short_message":"Accepted password for alice from 192.0.2.7 port 50022 ssh2","timestamp":1714557600.25,"level":6,"_application_name":"sshd","_process_id":"812"}"#,
};

/// Where senders say which program it was, the surest first.
const PROGRAMS: [&str; 6] = [
    "_application_name",
    "_process_name",
    "_program",
    "_tag",
    "_container_name",
    "facility",
];

#[derive(Default)]
struct Message<'a> {
    text: Option<&'a [u8]>,
    host: Option<&'a [u8]>,
    time: Option<Time>,
    level: Option<u8>,
    programs: [Option<&'a [u8]>; PROGRAMS.len()],
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    if line.first() != Some(&b'{') || memchr::memmem::find(line, MARK).is_none() {
        return Verdict::NotMine;
    }
    let mut message = Message::default();
    let walked = json::walk(line, arena, &mut |path, raw| {
        message.take(path, raw.value(arena));
    });
    if walked.is_err() {
        return Verdict::Malformed("not GELF's JSON");
    }
    let Some(text) = message.text else {
        return Verdict::NotMine;
    };
    event.time = message.time;
    if message.host.is_none() {
        // No sender leaves it out; whoever did may have put a whole line inside.
        return inner(text, &FORMAT, context, arena, event);
    }
    if let Some(host) = message.host {
        event.text(Field::HOST_NAME, host);
    }
    if let Some(level) = message.level {
        set_severity(level, event);
    }
    let mut programs = message.programs.into_iter().flatten();
    if let Some(program) = programs.find(|name| of_program(name).name != SYSLOG.name) {
        event.text(Field::PROCESS_NAME, program);
        return deliver(Tagged::by_name(program, text), context, arena, event);
    }
    event.text(Field::MESSAGE, text);
    Verdict::NotMine
}

impl<'a> Message<'a> {
    fn take(&mut self, path: &str, value: Value<'a>) {
        match (path, value) {
            ("short_message", Value::Text(text)) => keep(&mut self.text, text),
            ("host", Value::Text(host)) => keep(&mut self.host, host),
            ("timestamp", value) => keep(&mut self.time, time(value)),
            ("level", Value::Int(level @ 0..=7)) => {
                keep(&mut self.level, u8::try_from(level).ok());
            }
            (path, Value::Text(program)) => {
                let known = PROGRAMS.iter().position(|name| *name == path);
                if let Some(slot) = known.and_then(|at| self.programs.get_mut(at)) {
                    keep(slot, program);
                }
            }
            _ => {}
        }
    }
}

/// Of two equal keys the first counts.
fn keep<T>(slot: &mut Option<T>, value: impl Into<Option<T>>) {
    if slot.is_none() {
        *slot = value.into();
    }
}

/// Seconds since the epoch, mostly with a fraction.
fn time(value: Value<'_>) -> Option<Time> {
    match value {
        Value::Int(seconds) => Some(Time::from_secs(seconds)),
        #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
        Value::Float(seconds) if (0.0..4e9).contains(&seconds) => {
            let micros = (seconds * 1e6).round() as i64;
            Some(Time::from_nanos(0).plus(Span::from_nanos(micros * 1000)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        let context = Context::utc(Time::from_secs(0));
        let fields = [Field::HOST_NAME, Field::SYSLOG_SEVERITY, Field::SOURCE_IP];
        let seen = crate::format::shape::seen(line, &context, &fields);
        let fields = seen.fields.replace('|', " ");
        format!("{} {} {fields}", seen.format, seen.time)
    }

    #[test]
    fn the_program_that_it_names_reads_the_text() {
        let text = "Invalid user x from 192.0.2.7 port 22";
        for (extra, format, source) in [
            ("\"_application_name\":\"sshd\"", "sshd", "192.0.2.7"),
            ("\"_tag\":\"x\",\"facility\":\"sshd\"", "sshd", "192.0.2.7"),
            ("\"_tag\":\"myapp\"", "gelf", "-"),
        ] {
            let line = format!(
                "{{\"version\":\"1.1\",\"host\":\"h\",\"short_message\":\"{text}\",\"timestamp\":1714557600.25,\"level\":4,{extra}}}"
            );
            let expected = format!("{format} 2024-05-01T10:00:00.250Z h warning {source}");
            assert_eq!(shown(&line), expected, "{extra}");
        }
    }

    #[test]
    fn numbers_that_are_no_time_or_level_are_left_out() {
        let line = r#"{"host":"h","short_message":"x","timestamp":-1e300,"level":9}"#;
        assert_eq!(shown(line), "gelf - h - -");
    }
}
