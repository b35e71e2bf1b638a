//! A row of a tab-separated Zeek log.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::columns::{Put, Role};
use super::header::{Header, Step, Target};
use super::{Summary, WRONG_TYPE, decimal_nanos};
use crate::event::{Event, Value};
use crate::field::{Field, Kind, Projection};
use crate::format::Verdict;
use crate::format::json::parsed;
use crate::time::Time;

pub(super) fn parse<'a>(
    line: &'a [u8],
    header: &Header,
    projection: &Projection,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut cells = Cells::new(line, header.separator);
    let mut summary = Summary::default();
    for step in &header.steps {
        let Some(cell) = cells.after(step.skip) else {
            return Verdict::Malformed("fewer columns than the header names");
        };
        if cell == &*header.unset {
            continue;
        }
        if step.role == Role::Time {
            event.time = decimal_nanos(cell).map(Time::from_nanos);
        } else {
            summary.take(step.role, cell);
        }
        if !put(cell, step, header, arena, event) {
            return Verdict::Malformed(WRONG_TYPE);
        }
    }
    if cells.count_all() != header.columns {
        return Verdict::Malformed("not as many columns as the header names");
    }
    if event.time.is_none() {
        return Verdict::Malformed("no time in ts");
    }
    summary.finish(header.path, projection, event);
    Verdict::Event
}

/// The cells of a line, found by one pass of memchr.
struct Cells<'a> {
    line: &'a [u8],
    separators: memchr::Memchr<'a>,
    start: usize,
    passed: usize,
    ended: bool,
}

impl<'a> Cells<'a> {
    fn new(line: &'a [u8], separator: u8) -> Cells<'a> {
        Cells {
            line,
            separators: memchr::memchr_iter(separator, line),
            start: 0,
            passed: 0,
            ended: false,
        }
    }

    /// The next cell after passing over `skip` others.
    fn after(&mut self, skip: usize) -> Option<&'a [u8]> {
        for _ in 0..skip {
            self.start = self.separators.next()? + 1;
            self.passed += 1;
        }
        if self.ended {
            return None;
        }
        let end = self.separators.next();
        self.ended = end.is_none();
        let cell = self.line.get(self.start..end.unwrap_or(self.line.len()));
        self.start = end.map_or(self.line.len(), |end| end + 1);
        self.passed += 1;
        cell
    }

    /// How many cells there are in the whole line.
    fn count_all(self) -> usize {
        self.passed + self.separators.count() + usize::from(!self.ended)
    }
}

/// Puts a cell into its fields; `false` when it is not of their type.
fn put<'a>(
    cell: &'a [u8],
    step: &Step,
    header: &Header,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> bool {
    for target in &step.targets {
        if step.put == Put::Weak && event.get(target.field).is_some() {
            continue;
        }
        let value = if !step.several {
            let text = if cell == &*header.empty { b"" } else { cell };
            decoded(text, *target, arena)
        } else if cell == &*header.empty {
            Some(Value::List(&[]))
        } else {
            list(cell, *target, header, arena)
        };
        let Some(value) = value else { return false };
        match step.put {
            Put::Strong => event.replace(target.field, value),
            Put::Set | Put::Weak => event.set(target.field, value),
        }
    }
    true
}

fn list<'a>(cell: &'a [u8], target: Target, header: &Header, arena: &'a Bump) -> Option<Value<'a>> {
    let mut values = BumpVec::new_in(arena);
    for element in cell.split(|&b| b == header.set_separator) {
        if element != &*header.unset {
            values.push(decoded(element, target, arena)?);
        }
    }
    Some(Value::List(values.into_bump_slice()))
}

fn decoded<'a>(text: &'a [u8], target: Target, arena: &'a Bump) -> Option<Value<'a>> {
    if target.kind == Kind::Text {
        Some(Value::Text(unescaped(text, arena)))
    } else if target.field == Field::EVENT_DURATION {
        decimal_nanos(text).map(Value::Int)
    } else {
        parsed(text, target.kind)
    }
}

/// `\x09` and `\\` decoded into the arena; borrowed when there is no backslash.
fn unescaped<'a>(text: &'a [u8], arena: &'a Bump) -> &'a [u8] {
    if memchr::memchr(b'\\', text).is_none() {
        return text;
    }
    let mut out = BumpVec::with_capacity_in(text.len(), arena);
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.strip_prefix(b"x").and_then(|hex| {
            let (digits, after) = hex.split_first_chunk::<2>()?;
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        (out, rest) = match (byte, hex, after.strip_prefix(b"\\")) {
            (b'\\', Some((decoded, after)), _) => (pushed(out, decoded), after),
            (b'\\', None, Some(after)) => (pushed(out, b'\\'), after),
            _ => (pushed(out, byte), after),
        };
    }
    out.into_bump_slice()
}

fn pushed(mut out: BumpVec<'_, u8>, byte: u8) -> BumpVec<'_, u8> {
    out.push(byte);
    out
}
