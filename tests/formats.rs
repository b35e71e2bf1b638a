//! Every line of `sample-logs/formats` is an event with the fields that stand
//! in `tests/snapshots/formats.txt`; whatever is cut from it or broken in it,
//! reading it ends with a verdict.
//!
//! After a change that is meant: `TIPSTAFF_BLESS=1 cargo test formats`, and read
//! the difference.

use std::fmt::Write as _;

use tipstaff::entity::canonical_ip;
use tipstaff::format::{Context, FORMATS, Verdict, declared, peek_time};

use crate::support::{Line, context, folder};

/// The sample lines with their file's name, in the order of the table.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut lines = Vec::new();
    for format in FORMATS {
        let path = folder("sample-logs/formats").join(format!("{}.log", format.name));
        let Ok(text) = std::fs::read(&path) else {
            continue; // a folder of samples, or none: `every_format_has_samples` tells
        };
        for line in text.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            lines.push((format.name, line.to_vec()));
        }
    }
    assert!(lines.len() > 150, "{} sample lines", lines.len());
    lines
}

/// A context in which a format's lines are read: of any JSON the user says
/// what log it is.
fn context_of(format: &str) -> Context {
    Context {
        declared: (format == "json").then(|| declared("category=proxy").unwrap()),
        ..context()
    }
}

#[test]
fn every_sample_line_is_an_event_with_the_fields_of_its_snapshot() {
    let mut shown = String::new();
    for (file, line) in samples() {
        let read = Line::read(&line, &context_of(file));
        let line = String::from_utf8_lossy(&line);
        assert_eq!(read.verdict, Verdict::Event, "{file}: {line}");
        writeln!(shown, "{line}\n    format={}", read.format.unwrap()).unwrap();
        for (name, value) in &read.fields {
            if *name != "message" {
                writeln!(shown, "    {name}={value}").unwrap();
            }
        }
    }
    let path = folder("tests/snapshots/formats.txt");
    if std::env::var_os("TIPSTAFF_BLESS").is_some() {
        std::fs::write(&path, &shown).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    for (n, (got, kept)) in shown.lines().zip(kept.lines()).enumerate() {
        assert_eq!(got, kept, "line {} of the snapshot", n + 1);
    }
    assert_eq!(shown.len(), kept.len(), "the snapshot has as many lines");
}

#[test]
fn every_example_of_the_table_is_read_by_its_format() {
    for format in FORMATS {
        let read = Line::read(format.example.as_bytes(), &context_of(format.name));
        let known = read.verdict == Verdict::Event || format.name == "syslog";
        assert!(known, "{}: {:?}", format.name, read.verdict);
    }
}

#[test]
fn a_cut_line_is_given_no_address_that_is_not_at_the_cut() {
    for (_, line) in samples() {
        let whole = Line::read(&line, &context());
        for end in 0..line.len() {
            let cut = Line::read(&line[..end], &context());
            let (Some(source), Some(whole)) = (cut.source(), whole.source()) else {
                continue;
            };
            // A cut inside the address leaves another one; none may come from
            // elsewhere in the line.
            let text = String::from_utf8_lossy(&line[..end]);
            let last = text
                .rsplit([' ', '=', '[', '(', ']', '<', '`', '/'])
                .next()
                .unwrap();
            let is = |word: &str| {
                word.parse()
                    .is_ok_and(|ip| canonical_ip(ip).to_string() == source)
            };
            // In `::ffff:1` the last part passes for a port where one must follow.
            let before_port = last.rsplit_once(':').map_or("", |(address, _)| address);
            let is_last = is(last) || is(last.trim_end_matches([':', ','])) || is(before_port);
            assert!(source == whole || is_last, "{text} read as {source}");
        }
    }
}

#[test]
fn no_tail_of_a_line_panics() {
    for (_, line) in samples() {
        for end in 0..line.len() {
            Line::read(&line[end..], &context());
        }
    }
}

#[test]
fn no_broken_byte_panics() {
    for (_, line) in samples() {
        for at in 0..line.len() {
            for byte in [0, b'\r', b' ', b'"', b'[', 0x80, 0xff] {
                let mut broken = line.clone();
                broken[at] = byte;
                Line::read(&broken, &context());
            }
        }
    }
}

#[test]
fn the_time_alone_is_the_time_of_the_whole() {
    for (file, line) in samples() {
        let read = Line::read(&line, &context_of(file));
        let peeked = peek_time(&line, &context_of(file)).map(|time| time.to_string());
        assert_eq!(
            peeked.as_deref(),
            read.get("@timestamp"),
            "{file}: {}",
            String::from_utf8_lossy(&line)
        );
    }
}

#[test]
fn a_message_without_header_is_read_as_the_named_programs() {
    let context = Context {
        program: Some("sshd".into()),
        ..context()
    };
    let read = Line::read(b"Invalid user eve from 192.0.2.7 port 22", &context);
    assert_eq!(
        (read.format, read.source()),
        (Some("sshd"), Some("192.0.2.7"))
    );
}

#[test]
fn a_message_of_an_unknown_program_keeps_its_envelope() {
    let read = Line::read(b"May  6 08:00:00 gate1 myapp[7]: hello", &context());
    assert_eq!(
        (read.verdict, read.format),
        (Verdict::NotMine, Some("syslog"))
    );
    assert_eq!(read.get("host.name"), Some("gate1"));
    assert_eq!(read.get("process.name"), Some("myapp"));
    assert_eq!(read.get("message"), Some("hello"));
    let read = Line::read(b"no envelope at all", &context());
    assert_eq!((read.verdict, read.format), (Verdict::NotMine, None));
}

#[test]
fn a_malformed_message_keeps_only_its_envelope() {
    let line = b"May  6 08:00:00 gate1 sshd[7]: Failed password for x from NOTANIP port y";
    let read = Line::read(line, &context());
    assert!(matches!(read.verdict, Verdict::Malformed(_)));
    assert_eq!(read.format, Some("sshd"));
    assert_eq!(read.get("host.name"), Some("gate1"));
    assert_eq!(read.get("event.action"), None);
}

#[test]
fn a_repetition_counts_and_is_bounded() {
    let line = |times: &str| {
        format!(
            "May  6 08:00:00 gate1 sshd[7]: message repeated {times} times: [ Invalid user x from 192.0.2.7 port 22]"
        )
    };
    let read = |times| Line::read(line(times).as_bytes(), &context());
    assert_eq!(read("5").get("count"), Some("5"));
    assert_eq!(read("1000000").verdict, Verdict::Event);
    for times in ["0", "1000001", "-1", "99999999999999999999", "x"] {
        assert!(
            matches!(read(times).verdict, Verdict::Malformed(_)),
            "{times}"
        );
    }
}
