//! `tipstaff parse`: what each line is read as.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use bumpalo::Bump;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

use super::enrich::Enrich;
use super::exit::{Exit, Failure};
use super::formats;
use super::input::{Tally, each_line};
use super::replay::First;
use super::unknown::Unknown;
use crate::enrich::{Enricher, Tables};
use crate::event::{Event, Value};
use crate::field::{Names, Projection};
use crate::format::{self, Context, FORMATS, Parsed, Verdict};
use crate::line::Line;
use crate::pipeline::Reading;
use crate::sink::quoted;
use crate::source::Input;
use crate::time::Time;

/// Show what each line of a log is read as
///
/// Prints one JSON object for each line, in order: its number, whether it is
/// an event, some other line, or malformed and why (`reason`, else null), the
/// format that read it (or null), and its fields under their ECS names. Use it to see why a rule does not
/// match, or to turn logs into JSON. Where several lines are one event (audit
/// records), the first has all of it; the others have what they say alone, and
/// `"joined": true`. Text that is not UTF-8 has `\xff` for its
/// bytes and `\\` for backslashes, and then `"escaped": true` says so.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Logs: files, folders, globs, or `-` for standard input
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<OsString>,

    /// Read every line as this format instead of recognising it
    ///
    /// `tipstaff formats` lists them.
    #[arg(long, value_name = "FORMAT", value_parser = formats::names(), hide_possible_values = true)]
    format: Option<String>,

    /// Read lines as bare messages of this program, without date and host
    #[arg(long, value_name = "NAME")]
    program: Option<Box<str>>,

    /// Show only the shapes of lines that no format knows, the most frequent first
    ///
    /// Numbers, addresses, hexadecimal words, quoted text and what stands after
    /// `=` are masked, so that lines of one kind count as one. Each shape is
    /// printed with how often it came and a line that has it. Memory is bounded:
    /// of more than 10,000 shapes the rarest are given up.
    #[arg(long)]
    unknown: bool,

    /// What the log's JSON objects are: `product=github,service=audit`
    ///
    /// In the words of Sigma's logsource; `tipstaff formats json` lists them.
    #[arg(long, value_name = "LOGSOURCE", value_parser = crate::format::declared)]
    logsource: Option<u8>,

    #[command(flatten)]
    enrich: Enrich,

    /// Time zone of stamps that name none: `Europe/Berlin`, `+02:00`
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = crate::pipeline::zone)]
    timezone: TimeZone,

    #[command(flatten)]
    first: First,
}

/// Told once, where some stamps are times of a day that nothing tells.
const NO_DAY: &str = "some stamps name no day; give the first one with --date YYYY-MM-DD, or write them with it (tcpdump -tttt)";

/// Runs the command.
pub(super) fn run(options: &Options) -> Result<Exit, Failure> {
    if options.unknown {
        return shapes(options);
    }
    let tables = options.enrich.read()?;
    let everything = Arc::new(everything(&tables));
    let enricher = Enricher::new(tables, &everything);
    let mut printer = Printer {
        enricher: &enricher,
        out: BufWriter::new(io::stdout().lock()),
        record: Vec::new(),
        arena: Bump::new(),
        n: 0,
        undated: false,
    };
    let mut tally = Tally::default();
    each_line(
        &options.paths,
        &mut tally,
        &mut |input| context(options, input, &everything),
        &mut |context, line| printer.line(context, line),
    )?;
    printer.out.flush()?;
    if printer.undated {
        // When standard error is gone, the missing stamps still tell.
        let _ = writeln!(io::stderr(), "tipstaff: {NO_DAY}");
    }
    Ok(tally.exit())
}

/// Counts the shapes of all lines that are no event.
fn shapes(options: &Options) -> Result<Exit, Failure> {
    let everything = Arc::new(Projection::everything());
    let mut unknown = Unknown::default();
    let mut arena = Bump::new();
    let mut tally = Tally::default();
    each_line(
        &options.paths,
        &mut tally,
        &mut |input| context(options, input, &everything),
        &mut |context, line| {
            context.absorb(line.bytes);
            let mut event = Event::new();
            let parsed = format::parse(line.bytes, context, &arena, &mut event);
            unknown.take(line.bytes, parsed, &event);
            let time = event.time;
            arena.reset();
            if let Some(time) = time {
                context.follow(time);
            }
            Ok(())
        },
    )?;
    let mut out = BufWriter::new(io::stdout().lock());
    unknown.write(&mut out)?;
    out.flush()?;
    Ok(tally.exit())
}

/// What is known before the first line of a file.
fn context(options: &Options, input: &Input, everything: &Arc<Projection>) -> Context {
    let reading = Reading {
        zone: options.timezone.clone(),
        format: formats::row(options.format.as_deref()),
        program: options.program.clone(),
        logsource: options.logsource,
    };
    let everything = Arc::clone(everything);
    reading.begin(options.first.start(), input.modified, everything)
}

/// Every field, also those that only the site's tables have.
fn everything(tables: &Tables) -> Projection {
    let mut names = Names::default();
    for name in tables.fields() {
        // There are at most some hundreds of them.
        let _ = names.intern(&name);
    }
    let mut everything = Projection::over(names);
    everything.all = true;
    everything
}

struct Printer<'e, W: Write> {
    enricher: &'e Enricher,
    out: W,
    record: Vec<u8>,
    arena: Bump,
    n: u64,
    /// A packet's day was not known.
    undated: bool,
}

impl<W: Write> Printer<'_, W> {
    /// Reads and prints one line, or several that are one event; what it says
    /// about the next ones stays in the context.
    fn line(&mut self, context: &mut Context, line: &Line<'_>) -> Result<(), Failure> {
        context.absorb(line.bytes);
        let time = self.object(context, line.bytes, None)?;
        for record in line.bytes.split(|&b| b == b'\n').skip(1) {
            self.object(context, record, Some(true))?;
        }
        match time {
            Some(time) => context.follow(time),
            None => self.undated |= format::names_no_day(line.bytes, context),
        }
        Ok(())
    }

    /// Prints what is read; its time.
    fn object(
        &mut self,
        context: &Context,
        bytes: &[u8],
        joined: Option<bool>,
    ) -> Result<Option<Time>, Failure> {
        self.n += 1;
        self.record.clear();
        let mut event = Event::new();
        let parsed = format::parse(bytes, context, &self.arena, &mut event);
        self.enricher.enrich(&mut event, &self.arena);
        let record = Record {
            joined,
            ..Record::of(self.n, parsed, &event, &context.projection.names)
        };
        quoted::write_line(&mut self.record, &record)?;
        let time = event.time;
        self.record.push(b'\n');
        self.out.write_all(&self.record)?;
        self.arena.reset();
        Ok(time)
    }
}

/// A line's object; the order of the fields is the order of the keys. Number,
/// status, format, reason and event are always there, so that a table of them
/// has no holes.
#[derive(Serialize)]
struct Record<'a> {
    n: u64,
    status: &'static str,
    format: Option<&'static str>,
    reason: Option<&'static str>,
    /// `message repeated N times`, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    /// The line is part of an earlier line's event, which holds all of this.
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<bool>,
    event: Fields<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escaped: Option<bool>,
}

impl<'a> Record<'a> {
    fn of(n: u64, parsed: Parsed, event: &'a Event<'a>, names: &'a Names) -> Record<'a> {
        let (status, reason) = match parsed.verdict {
            Verdict::Event => ("event", None),
            Verdict::NotMine => ("other", None),
            Verdict::Malformed(reason) => ("malformed", Some(reason)),
        };
        let format = parsed.format.and_then(|row| FORMATS.get(usize::from(row)));
        let escaped = event.values().iter().any(|(_, value)| is_escaped(value));
        Record {
            n,
            status,
            format: format.map(|format| format.name),
            reason,
            count: (event.count > 1).then_some(event.count),
            joined: None,
            event: Fields { event, names },
            escaped: escaped.then_some(true),
        }
    }
}

fn is_escaped(value: &Value<'_>) -> bool {
    match value {
        Value::Text(bytes) => std::str::from_utf8(bytes).is_err(),
        Value::List(values) => values.iter().any(is_escaped),
        _ => false,
    }
}

/// `{"@timestamp": …, "user.name": …}` in the order in which they were read.
struct Fields<'a> {
    event: &'a Event<'a>,
    names: &'a Names,
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(time) = self.event.time {
            map.serialize_entry("@timestamp", &time.to_string())?;
        }
        for (field, value) in self.event.values() {
            map.serialize_entry(self.names.name(*field), &Shown(value))?;
        }
        map.end()
    }
}

struct Shown<'a>(&'a Value<'a>);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Text(bytes) => serializer.serialize_str(&quoted::text(bytes).0),
            Value::Ip(ip) => serializer.collect_str(ip),
            Value::Int(n) => serializer.serialize_i64(*n),
            Value::Float(n) => serializer.serialize_f64(*n),
            Value::Bool(yes) => serializer.serialize_bool(*yes),
            Value::Net(net) => serializer.collect_str(net),
            Value::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in *values {
                    list.serialize_element(&Shown(value))?;
                }
                list.end()
            }
        }
    }
}
