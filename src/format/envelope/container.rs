//! What container runtimes put around each line that a program prints: Docker's
//! `{"log":"…\n","stream":"stdout","time":"…"}` and the CRI's
//! `2024-05-01T10:00:00.123456789Z stdout F …` (containerd, CRI-O).
//!
//! The line inside is read as if it stood alone; its time is the runtime's.
//! Where Docker's log tag names a program, the line is that program's message.

use bumpalo::Bump;

use super::{Read, Tagged};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::format::json;
use crate::format::token::trim_end;
use crate::format::{
    Context, Format, Parser, SYSLOG, Verdict, deliver, inner, of_program, timestamp,
};

/// How a line of Docker's begins; its writer always puts this key first.
const DOCKER_HEAD: &[u8] = b"{\"log\":\"";

/// How it begins where a shipper has renamed the key; other JSON begins so too,
/// and is Docker's only where it has `stream` and `time`.
const SHIPPED_HEAD: &[u8] = b"{\"message\":\"";

const LOGSOURCE: LogSource = LogSource {
    product: "linux",
    categories: &[],
    services: &["syslog"],
};

pub(in crate::format) static DOCKER: Format = Format {
    name: "docker",
    about: "Docker's json-file log; the line inside is read as its own kind",
    programs: &[],
    logsources: &[LOGSOURCE],
    parse: Parser::Line(docker),
    example: r#"{"log":"Accepted password for alice from 192.0.2.7 port 50022 ssh2\n","stream":"stderr","attrs":{"tag":"sshd"},"time":"2024-05-01T10:00:00.123456789Z"}"#,
};

pub(in crate::format) static CRI: Format = Format {
    name: "cri",
    about: "containerd's and CRI-O's log; the line inside is read as its own kind",
    programs: &[],
    logsources: &[LOGSOURCE],
    parse: Parser::Line(cri_line),
    example: "2024-05-01T10:00:00.123456789Z stderr F May  1 10:00:00 web1 sshd[812]: Accepted password for alice from 192.0.2.7 port 50022 ssh2",
};

/// The line inside, after the stamp and its blank: `stdout F …`. A piece of a
/// line that the runtime had to cut (`P`) is one that no format knows.
pub(super) fn cri(rest: &[u8]) -> Option<&[u8]> {
    let rest = rest.strip_prefix(b"std")?;
    let rest = rest
        .strip_prefix(b"out ")
        .or_else(|| rest.strip_prefix(b"err "))?;
    let (tags, text) = rest.split_at_checked(memchr::memchr(b' ', rest)?)?;
    // Tags are separated by colons; the first says whether the line is whole.
    matches!(tags, [b'F' | b'P'] | [b'F' | b'P', b':', ..]).then(|| text.get(1..))?
}

fn cri_line<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let (before, time) = (event.values().len(), event.time);
    if let Read::Inner(text) = super::read(line, context, event) {
        return inner(text, &CRI, context, arena, event);
    }
    event.truncate(before);
    event.time = time;
    Verdict::NotMine
}

/// What Docker wrote of a line.
struct Wrapped<'a> {
    text: &'a [u8],
    tag: Option<&'a [u8]>,
}

fn docker<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let (ours, shipped) = (
        line.starts_with(DOCKER_HEAD),
        line.starts_with(SHIPPED_HEAD),
    );
    if !ours && !shipped {
        return Verdict::NotMine;
    }
    let Wrapped { text, tag } = match opened(line, context, arena, event) {
        Some(Ok(wrapped)) => wrapped,
        // Fluent Bit writes the key too, and its own beside it.
        Some(Err(_)) | None if !ours => return Verdict::NotMine,
        Some(Err(reason)) => return Verdict::Malformed(reason),
        None => return Verdict::NotMine,
    };
    let program = tag.filter(|program| of_program(program).name != SYSLOG.name);
    match program {
        Some(program) => {
            event.text(Field::PROCESS_NAME, program);
            deliver(Tagged::by_name(program, text), context, arena, event)
        }
        None => inner(text, &DOCKER, context, arena, event),
    }
}

/// The line inside a runtime's, with its time set in the event; none where
/// there is no runtime's line around it.
pub(in crate::format) fn unwrapped<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Option<&'a [u8]> {
    if line.starts_with(DOCKER_HEAD) || line.starts_with(SHIPPED_HEAD) {
        return opened(line, context, arena, event)?
            .ok()
            .map(|wrapped| wrapped.text);
    }
    let (time, rest) = timestamp::any(line, context)?;
    let text = cri(rest.strip_prefix(b" ")?)?;
    event.time = Some(time);
    Some(text)
}

fn opened<'a>(
    line: &'a [u8],
    context: &Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Option<Result<Wrapped<'a>, &'static str>> {
    let (mut log, mut tag, mut stamp, mut stream) = (None, None, None, None);
    let shipped = line.starts_with(SHIPPED_HEAD);
    let walked = json::walk(line, arena, &mut |path, raw| {
        let slot = match path {
            "log" if !shipped => &mut log,
            "message" if shipped => &mut log,
            "stream" => &mut stream,
            "attrs.tag" => &mut tag,
            "time" => &mut stamp,
            _ => return,
        };
        if slot.is_none()
            && let Value::Text(text) = raw.value(arena)
        {
            *slot = Some(text);
        }
    });
    if walked.is_err() {
        return Some(Err("not Docker's JSON"));
    }
    if shipped && !matches!(stream, Some(b"stdout" | b"stderr")) {
        return None;
    }
    let (time, _) = timestamp::iso(stamp?, context)?;
    event.time = Some(time);
    let text = log?;
    // `{{.Name}}/{{.ID}}` is a usual tag.
    let tag = tag.and_then(|tag| tag.split(|&b| b == b'/').next());
    Some(Ok(Wrapped {
        text: trim_end(text.strip_suffix(b"\n").unwrap_or(text)),
        tag,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::parse;
    use crate::time::Time;

    fn read(line: &str, program: Option<&str>) -> (Option<&'static str>, String) {
        let mut context = Context::utc(Time::from_secs(1_714_521_600));
        context.program = program.map(Into::into);
        let arena = Bump::new();
        let mut event = Event::new();
        let parsed = parse(line.as_bytes(), &context, &arena, &mut event);
        let format = parsed
            .format
            .map(|row| crate::format::FORMATS[usize::from(row)].name);
        let source = event.get(Field::SOURCE_IP);
        let time = event.time.map_or("-".to_owned(), |t| t.to_string());
        (
            format,
            format!("{time} {source:?} {:?}", parsed.verdict == Verdict::Event),
        )
    }

    const LOGIN: &str = "Accepted password for a from 192.0.2.7 port 50022 ssh2";
    const SEEN: &str = "2024-05-01T10:00:00.500Z Some(Ip(192.0.2.7)) true";

    #[test]
    fn the_line_inside_is_read_as_its_own_kind_at_the_runtimes_time() {
        for line in [
            format!(
                "{{\"log\":\"{LOGIN}\\n\",\"stream\":\"stderr\",\"attrs\":{{\"tag\":\"sshd/4f\"}},\"time\":\"2024-05-01T10:00:00.5Z\"}}"
            ),
            format!(
                "{{\"log\":\"May  1 09:00:00 h sshd[7]: {LOGIN}\\r\\n\",\"stream\":\"stderr\",\"time\":\"2024-05-01T10:00:00.5Z\"}}"
            ),
            format!(
                "{{\"message\":\"May  1 09:00:00 h sshd[7]: {LOGIN}\\n\",\"stream\":\"stderr\", \"time\": \"2024-05-01T10:00:00.5Z\"}}"
            ),
            format!("2024-05-01T10:00:00.5Z stdout F May  1 09:00:00 h sshd[7]: {LOGIN}"),
            format!("2024-05-01T10:00:00.5Z stdout F:x <38>May  1 09:00:00 h sshd[7]: {LOGIN}"),
        ] {
            assert_eq!(read(&line, None), (Some("sshd"), SEEN.to_owned()), "{line}");
        }
        let bare = format!("2024-05-01T10:00:00.5Z stderr F {LOGIN}");
        assert_eq!(read(&bare, Some("sshd")), (Some("sshd"), SEEN.to_owned()));
        assert_eq!(read(&bare, None).0, Some("cri"));
    }

    #[test]
    fn wrappers_are_not_nested() {
        let nested = "2024-05-01T10:00:00Z stdout F ".repeat(10_000);
        assert!(!read(&nested, None).1.ends_with("true"));
        let docker = r#"{"log":"2024-05-01T10:00:00Z stdout F {\"log\":\"x\",\"time\":\"2024-05-01T10:00:00Z\"}","time":"2024-05-01T10:00:00Z"}"#;
        assert_eq!(read(docker, None).0, Some("docker"));
    }

    #[test]
    fn what_only_looks_like_a_runtimes_line_is_left_alone() {
        assert_eq!(cri(b"stdout "), None);
        assert_eq!(cri(b"stdout X y"), None);
        assert_eq!(cri(b"stdin F y"), None);
        assert_eq!(read("{\"log\":\"x\"", None).0, Some("docker"));
        for line in [
            r#"{"message":"x","time":"2024-05-01T10:00:00Z"}"#,
            r#"{"message":"x","stream":"orders","time":"2024-05-01T10:00:00Z"}"#,
            r#"{"message":"x","stream":"stdout","#,
        ] {
            assert_eq!(
                read(line, None),
                (None, "- None false".to_owned()),
                "{line}"
            );
        }
    }
}
