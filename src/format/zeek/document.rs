//! A line of a JSON Zeek log.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::columns::{self, Column, Key, PATHS, Put, Role};
use super::header::needed;
use super::{Summary, WRONG_TYPE, decimal_nanos};
use crate::event::{Event, Value};
use crate::field::{Field, Kind, Projection};
use crate::format::Verdict;
use crate::format::json::{Raw, integer, walk};
use crate::time::Time;

/// A key that may be wanted; which column it is depends on the log, whose
/// name may come last.
struct Found<'a> {
    columns: &'static [&'static Column],
    extra: Option<Field>,
    raw: Raw<'a>,
}

/// What tells that a document is Zeek's, and of which log.
#[derive(Default)]
struct Marks<'a> {
    time: Option<Raw<'a>>,
    path: Option<Raw<'a>>,
    told: Option<&'static str>,
    uid: bool,
    orig: bool,
    fuid: bool,
}

impl<'a> Marks<'a> {
    fn see(&mut self, key: &Key, raw: Raw<'a>) {
        self.told = self.told.or(key.tells);
        match key.name {
            "ts" => self.time = self.time.or(Some(raw)),
            "_path" => self.path = self.path.or(Some(raw)),
            "uid" => self.uid = true,
            "id.orig_h" => self.orig = true,
            "fuid" => self.fuid = true,
            _ => {}
        }
    }

    /// A `ts`, and either a name, a connection, or the column of a log that has none.
    fn zeek(&self) -> bool {
        let connectionless = matches!(self.told, Some("notice" | "x509"));
        let known = (self.uid && self.orig) || (self.fuid && self.told == Some("files"));
        self.time.is_some() && (self.path.is_some() || known || connectionless)
    }

    fn path_row(&self, arena: &'a Bump) -> u8 {
        match (self.path.map(|raw| raw.value(arena)), self.told) {
            (Some(Value::Text(path)), _) => columns::path_row(path),
            (_, told) => columns::path_row(told.unwrap_or("").as_bytes()),
        }
    }
}

pub(super) fn parse<'a>(
    line: &'a [u8],
    projection: &Projection,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let mut marks = Marks::default();
    let mut found = BumpVec::with_capacity_in(32, arena);
    let walked = walk(line, arena, &mut |key, raw| {
        let known = columns::key(key);
        if let Some(key) = known {
            marks.see(key, raw);
        }
        let columns = known.map_or(&[][..], |k| &k.columns);
        let extra = projection.names.extra_named(key);
        if !columns.is_empty() || extra.is_some() {
            found.push(Found {
                columns,
                extra,
                raw,
            });
        }
    });
    if !marks.zeek() {
        return Verdict::NotMine;
    }
    if let Err(why) = walked {
        return Verdict::Malformed(why);
    }
    let path_row = marks.path_row(arena);
    let path = PATHS.get(usize::from(path_row)).map_or("", |p| p.0);
    let mut summary = Summary::default();
    // Weak columns last, so that they find what better ones said.
    for weak in [false, true] {
        for key in &found {
            let column = columns::of_path(key.columns, path);
            if column.is_some_and(|c| c.put == Put::Weak) == weak
                && !put(key, column, projection, &mut summary, arena, event)
            {
                return Verdict::Malformed(WRONG_TYPE);
            }
        }
    }
    event.time = marks.time.and_then(|raw| time(raw, arena));
    if event.time.is_none() {
        return Verdict::Malformed("no time in ts");
    }
    summary.finish(path_row, projection, event);
    Verdict::Event
}

/// Puts a key's value into its fields; `false` when it is not of their type.
fn put<'a>(
    key: &Found<'a>,
    column: Option<&'static Column>,
    projection: &Projection,
    summary: &mut Summary<'a>,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> bool {
    if let Some(column) = column {
        if column.role != Role::None && needed(column.role, projection) {
            match key.raw.typed(Kind::Text, arena) {
                Some(Value::Text(text)) => summary.take(column.role, text),
                _ => return true,
            }
        }
        for &field in column.fields {
            if !projection.wants(field) || event.get(field).is_some() {
                continue;
            }
            let kind = field.info().map_or(Kind::Text, |info| info.kind);
            let value = if field == Field::EVENT_DURATION {
                nanos(key.raw.text()).map(Value::Int)
            } else {
                key.raw.typed(kind, arena)
            };
            match value {
                Some(value) => event.set(field, value),
                None if key.raw.text() == "null" => {}
                None => return false,
            }
        }
    }
    if let Some(field) = key.extra
        && projection.wants(field)
        && event.get(field).is_none()
    {
        event.set(field, key.raw.value(arena));
    }
    true
}

/// Seconds as a JSON number, also with an exponent (Zeek writes short intervals so).
fn nanos(text: &str) -> Option<i64> {
    decimal_nanos(text.as_bytes()).or_else(|| {
        let seconds: f64 = text.parse().ok()?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "within nine thousand million seconds"
        )]
        (seconds.abs() < 9e9).then_some((seconds * 1e9).round() as i64)
    })
}

/// Zeek's three ways of writing a time: seconds, milliseconds (`TS_MILLIS`), ISO 8601.
fn time(raw: Raw<'_>, arena: &Bump) -> Option<Time> {
    match raw.value(arena) {
        Value::Text(text) => {
            let stamp: jiff::Timestamp = std::str::from_utf8(text).ok()?.parse().ok()?;
            i64::try_from(stamp.as_nanosecond())
                .ok()
                .map(Time::from_nanos)
        }
        Value::Int(_) | Value::Float(_) => {
            let text = raw.text();
            // As seconds, 10^11 is the year 5138.
            match integer(text.as_bytes()) {
                Some(millis) if millis >= 100_000_000_000 => {
                    millis.checked_mul(1_000_000).map(Time::from_nanos)
                }
                _ => nanos(text).map(Time::from_nanos),
            }
        }
        _ => None,
    }
}
