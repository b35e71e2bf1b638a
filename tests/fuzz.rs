//! Any bytes, in any format and any envelope: reading ends, soon, in memory of
//! the order of the line's length, and with values of the fields' kinds.
//!
//! Lines are samples that were cut, joined, repeated and sprinkled with the
//! formats' own words, since random bytes seldom get past the first of them.

use std::time::Duration;

use bumpalo::Bump;
use proptest::prelude::*;
use tipstaff::clock::Stopwatch;
use tipstaff::event::{Event, Value};
use tipstaff::field::{FIELDS, Kind};
use tipstaff::format::{Context, FORMATS, Parser, parse, peek_time};

use crate::support::{context, folder};

/// The longest line that a source hands over whole is of this order.
const LONG: usize = 64 << 10;

/// A line of 64 KiB takes well under a millisecond in a release build. Debug
/// builds are 50 times slower, and the machine may be busy; what is quadratic
/// takes 4 * 10^9 steps, tens of seconds.
const SOON: Duration = Duration::from_secs(2);

/// Decoded text may be as long as the line, some times over: JSON is decoded
/// once for its object and once for each level, and vectors double.
const ARENA_TIMES: usize = 16;

/// The arena's first chunk.
const ARENA_LEAST: usize = 64 << 10;

/// Envelopes, to be put before any text.
const ENVELOPES: &[&str] = &[
    "",
    "May  6 08:00:00 h sshd[7]: ",
    "<38>May  6 08:00:00 h ",
    "<34>1 2024-05-06T08:00:00Z h su 9 - - ",
    "<34>1 2024-05-06T08:00:00Z h su 9 - [",
    "99 <34>1 - - - - - - ",
    "2024-05-06T08:00:00Z h ",
    "2024-05-06T08:00:00Z stdout F ",
    "<189>237: *May  6 08:00:00.250 UTC: %SYS-5-CONFIG_I: ",
    "May  6 08:00:00 h CEF:0|V|P|1|9|n|1|",
    "LEEF:2.0|V|P|1|9|^|",
    "{\"log\":\"",
    "{\"short_message\":\"",
    "{\"__REALTIME_TIMESTAMP\":\"1714982400000000\",\"_UID\":\"0\",\"SYSLOG_IDENTIFIER\":\"sshd\",\"MESSAGE\":\"",
    "May  6 08:00:00 h sshd[7]: message repeated 3 times: [ ",
    "May  6 08:00:00 h x: pam_unix(",
];

/// Words that parsers look for.
const WORDS: &[&str] = &[
    " from ",
    " port ",
    " ssh2",
    ": ",
    " for ",
    "rhost=",
    " user=",
    "; ",
    " ; USER=",
    "=",
    "\\",
    "\"",
    "|",
    "\t",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ",",
    " ",
    "0",
    "192.0.2.7",
    "2001:db8::1",
    "::",
    "%",
    "<",
    ">",
    "\u{feff}",
    " on ",
    " by ",
    "'",
    "\\u00e4",
    "\\ud800",
    "null",
    "[preauth]",
    "src=",
    "SHA256:x",
];

/// What every reading must keep to.
fn check(line: &[u8], context: &Context) {
    let arena = Bump::new();
    let mut event = Event::new();
    let watch = Stopwatch::start();
    let parsed = parse(line, context, &arena, &mut event);
    peek_time(line, context);
    let took = watch.elapsed();
    let shown = || String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
    assert!(
        took < SOON,
        "{took:?} for {} bytes: {}",
        line.len(),
        shown()
    );
    let most = ARENA_LEAST + ARENA_TIMES * line.len();
    assert!(
        arena.allocated_bytes() <= most,
        "{} bytes for {}: {}",
        arena.allocated_bytes(),
        line.len(),
        shown()
    );
    assert!(
        parsed
            .format
            .is_none_or(|row| usize::from(row) < FORMATS.len())
    );
    assert!(event.values().len() <= FIELDS.len(), "{}", shown());
    for (at, (field, value)) in event.values().iter().enumerate() {
        let twice = event.values()[..at].iter().any(|(other, _)| other == field);
        assert!(!twice, "{field:?} twice: {}", shown());
        let kind = field.info().unwrap().kind;
        let fits = match value {
            Value::Ip(_) => kind == Kind::Ip,
            Value::Float(_) => kind == Kind::Float,
            Value::Bool(_) => kind == Kind::Bool,
            Value::Text(_) => kind != Kind::Ip,
            Value::Int(_) | Value::Null | Value::List(_) => true,
        };
        assert!(fits, "{field:?} is {value:?}: {}", shown());
    }
}

/// Every way to read a line: as whatever it is, as each format, as each program.
fn contexts() -> Vec<Context> {
    let formats = (0..FORMATS.len()).map(|row| Context {
        format: u8::try_from(row).ok(),
        ..context()
    });
    let programs = FORMATS.iter().filter_map(|format| {
        let message = matches!(format.parse, Parser::Message(_));
        let program = format.programs.first().filter(|_| message)?;
        Some(Context {
            program: Some((*program).into()),
            ..context()
        })
    });
    [context()]
        .into_iter()
        .chain(formats)
        .chain(programs)
        .collect()
}

/// All sample lines, headers included.
fn samples() -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut paths: Vec<_> = std::fs::read_dir(folder("sample-logs/formats"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        let text = std::fs::read(path).unwrap();
        lines.extend(text.split(|&b| b == b'\n').map(<[u8]>::to_vec));
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// Sample lines that were cut and joined, with words between.
fn mutants() -> impl Strategy<Value = Vec<u8>> {
    let sample = || proptest::sample::select(samples());
    let piece = prop_oneof![
        3 => (sample(), any::<prop::sample::Index>(), any::<bool>()).prop_map(|(line, at, head)| {
            let (a, b) = line.split_at(at.index(line.len()));
            if head { a.to_vec() } else { b.to_vec() }
        }),
        3 => proptest::sample::select(WORDS).prop_map(|word| word.as_bytes().to_vec()),
        1 => proptest::sample::select(ENVELOPES).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn a_mutant_of_a_line_is_read_to_its_end(line in mutants()) {
        check(&line, &context());
    }

    #[test]
    fn a_mutant_is_read_as_any_format(
        line in mutants(),
        context in proptest::sample::select(contexts()),
    ) {
        check(&line, &context);
    }

    #[test]
    fn any_bytes_are_read_in_any_envelope(
        envelope in proptest::sample::select(ENVELOPES),
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        context in proptest::sample::select(contexts()),
    ) {
        check(&[envelope.as_bytes(), &bytes].concat(), &context);
    }
}

#[test]
fn a_line_of_64_kib_of_one_word_is_read_soon() {
    for envelope in ENVELOPES {
        for word in WORDS {
            let mut line = envelope.as_bytes().to_vec();
            line.extend(word.bytes().cycle().take(LONG));
            check(&line, &context());
        }
    }
}

#[test]
fn a_line_of_64_kib_is_read_soon_by_every_format() {
    let contexts = contexts();
    for (n, word) in WORDS.iter().enumerate() {
        let other = WORDS[(n + 7) % WORDS.len()];
        let pair = format!("{word}x{other}");
        let line: Vec<u8> = pair.bytes().cycle().take(LONG).collect();
        for context in &contexts {
            check(&line, context);
        }
    }
}

#[test]
fn a_sample_with_64_kib_in_its_middle_is_read_soon() {
    for (n, sample) in samples().into_iter().enumerate() {
        let (head, tail) = sample.split_at(sample.len() * 2 / 3);
        let word = WORDS[n % WORDS.len()];
        let mut line = head.to_vec();
        line.extend(word.bytes().cycle().take(LONG));
        line.extend_from_slice(tail);
        check(&line, &context());
    }
}
