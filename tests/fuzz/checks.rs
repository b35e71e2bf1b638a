//! What must hold of any bytes in any format: shared by the property tests and
//! by the coverage-guided targets beside this file.

use std::time::Duration;

use bumpalo::Bump;
use tipstaff::clock::Stopwatch;
use tipstaff::event::{Event, Value};
use tipstaff::field::{FIELDS, Kind};
use tipstaff::format::{Context, FORMATS, Parser, parse, peek_time};
use tipstaff::time::Time;

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
pub(crate) const ENVELOPES: &[&str] = &[
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
pub(crate) const WORDS: &[&str] = &[
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

/// 2024-06-15T00:00:00Z: stamps without a year are of 2024.
pub(crate) fn context() -> Context {
    Context::utc(Time::from_secs(1_718_409_600))
}

/// What every reading must keep to.
pub(crate) fn check(line: &[u8], context: &Context) {
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
    // A log that the user declared keeps what stands in it, address or not.
    let format = parsed.format.and_then(|row| FORMATS.get(usize::from(row)));
    let own_words = format.is_some_and(|format| format.name == "json");
    for (at, (field, value)) in event.values().iter().enumerate() {
        let twice = event.values()[..at].iter().any(|(other, _)| other == field);
        assert!(!twice, "{field:?} twice: {}", shown());
        let kind = field.info().unwrap().kind;
        let fits = match value {
            Value::Ip(_) => kind == Kind::Ip,
            Value::Float(_) => kind == Kind::Float,
            Value::Bool(_) => kind == Kind::Bool,
            Value::Text(_) => kind != Kind::Ip || own_words,
            Value::Int(_) | Value::Null | Value::List(_) => true,
            // Of no line: it is told of an address.
            Value::Net(_) => false,
        };
        assert!(fits, "{field:?} is {value:?}: {}", shown());
    }
}

/// Every way to read a line: as whatever it is, as each format, as each program.
pub(crate) fn contexts() -> Vec<Context> {
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
