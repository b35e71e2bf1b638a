//! The shapes of lines that no format knows: what to add next at a site.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};
use std::net::IpAddr;

use crate::escape::{Escaped, shortened};
use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::{FORMATS, Parsed, Verdict};

/// Most shapes kept: about 10 MB with their examples. When there are more, the
/// rarest makes room and lends its count (space-saving, Metwally 2005), so the
/// frequent ones are right and the rest say by how much they may be too high.
const SHAPES_MAX: usize = 10_000;

/// Longest shape and longest example, in bytes.
const KEPT_MAX: usize = 512;

/// Shapes by how often they came.
#[derive(Default)]
pub(super) struct Unknown {
    lines: u64,
    known: u64,
    places: HashMap<Vec<u8>, usize>,
    shapes: Vec<Shape>,
    /// `(count, place)`: the rarest first.
    order: BTreeSet<(u64, usize)>,
}

struct Shape {
    text: Vec<u8>,
    count: u64,
    /// By how much the count may be too high.
    over: u64,
    example: Vec<u8>,
}

impl Unknown {
    /// Counts a line as it was read.
    pub(super) fn take(&mut self, line: &[u8], parsed: Parsed, event: &Event<'_>) {
        self.lines += 1;
        if parsed.verdict == Verdict::Event || line.first() == Some(&b'#') || line.is_empty() {
            self.known += 1;
            return;
        }
        let shape = shape_of(line, parsed, event);
        if let Some(&at) = self.places.get(&shape) {
            self.count(at);
        } else if self.shapes.len() < SHAPES_MAX {
            let at = self.shapes.len();
            self.shapes.push(Shape::new(&shape, line, 0));
            self.places.insert(shape, at);
            self.order.insert((1, at));
        } else {
            self.replace(shape, line);
        }
    }

    fn count(&mut self, at: usize) {
        if let Some(shape) = self.shapes.get_mut(at) {
            self.order.remove(&(shape.count, at));
            shape.count += 1;
            self.order.insert((shape.count, at));
        }
    }

    /// Gives the place of the rarest shape to a new one.
    fn replace(&mut self, shape: Vec<u8>, line: &[u8]) {
        let Some((count, at)) = self.order.pop_first() else {
            return;
        };
        if let Some(slot) = self.shapes.get_mut(at) {
            self.places.remove(&slot.text);
            *slot = Shape::new(&shape, line, count);
            self.places.insert(shape, at);
            self.order.insert((count + 1, at));
        }
    }

    /// Prints all shapes, the most frequent first.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut shapes: Vec<&Shape> = self.shapes.iter().collect();
        shapes.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.text.cmp(&b.text)));
        for shape in shapes {
            let least = match shape.over {
                0 => String::new(),
                over => format!(" (at least {})", shape.count - over),
            };
            writeln!(out, "{:>8}{least}  {}", shape.count, Escaped(&shape.text))?;
            writeln!(out, "{:8}  {}", "", shortened(&shape.example, 200))?;
        }
        let Unknown { lines, known, .. } = self;
        let (unknown, shapes) = (lines - known, self.shapes.len());
        writeln!(
            out,
            "{unknown} of {lines} lines are of no known shape; {shapes} shapes"
        )
    }
}

impl Shape {
    fn new(text: &[u8], line: &[u8], over: u64) -> Shape {
        Shape {
            text: text.to_vec(),
            count: over + 1,
            over,
            example: head(line).to_vec(),
        }
    }
}

fn head(text: &[u8]) -> &[u8] {
    text.get(..text.len().min(KEPT_MAX)).unwrap_or(text)
}

/// The format or program, whether the line broke its grammar, and the masked
/// message; the whole line where it has no envelope.
fn shape_of(line: &[u8], parsed: Parsed, event: &Event<'_>) -> Vec<u8> {
    let format = parsed.format.and_then(|row| FORMATS.get(usize::from(row)));
    let mut shape = format
        .map_or("unknown", |format| format.name)
        .as_bytes()
        .to_vec();
    if let (Some("syslog"), Some(Value::Text(program))) = (
        format.map(|format| format.name),
        event.get(Field::PROCESS_NAME),
    ) {
        shape.push(b' ');
        mask(head(program), &mut shape);
    }
    if matches!(parsed.verdict, Verdict::Malformed(_)) {
        shape.extend_from_slice(b" (malformed)");
    }
    shape.extend_from_slice(b": ");
    let text = match event.get(Field::MESSAGE) {
        Some(Value::Text(text)) => text,
        _ => line,
    };
    mask(head(text), &mut shape);
    shape
}

/// Appends the text with what differs from line to line masked: addresses,
/// numbers, hexadecimal words, quoted text, and what stands after `=`.
fn mask(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        if matches!(byte, b'"' | b'\'')
            && let Some(end) = after.iter().position(|&b| b == byte)
            && boundary(out.last())
        {
            out.extend_from_slice(&[byte, b'*', byte]);
            rest = after.get(end + 1..).unwrap_or_default();
            continue;
        }
        let length = rest.iter().take_while(|b| in_word(**b)).count();
        if length == 0 {
            out.push(byte);
            rest = after;
            continue;
        }
        let (word, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        if out.last() == Some(&b'=') {
            out.push(b'*');
        } else {
            mask_word(word, out);
        }
        rest = after;
    }
}

/// Whether a quote here opens a quotation, and is not an apostrophe.
fn boundary(before: Option<&u8>) -> bool {
    before.is_none_or(|b| !b.is_ascii_alphanumeric())
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'-' | b'_' | b'%') || byte >= 0x80
}

fn mask_word(word: &[u8], out: &mut Vec<u8>) {
    // The sentence's own point or colon.
    let end = word
        .iter()
        .rposition(|b| !matches!(b, b'.' | b':'))
        .map_or(0, |at| at + 1);
    let (bare, tail) = word.split_at_checked(end).unwrap_or((word, &[]));
    let text = std::str::from_utf8(bare).unwrap_or_default();
    let hex = bare.len() >= 8
        && bare
            .iter()
            .all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'-'))
        && bare.iter().any(u8::is_ascii_digit);
    let digits = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b':' | b'-');
    if text.parse::<IpAddr>().is_ok() {
        out.extend_from_slice(b"<ip>");
    } else if bare.iter().any(u8::is_ascii_digit) && bare.iter().all(digits) {
        out.extend_from_slice(b"<n>");
    } else if hex {
        out.extend_from_slice(b"<hex>");
    } else {
        let mut inside = false;
        for &byte in bare {
            let digit = byte.is_ascii_digit();
            if !digit {
                out.push(byte);
            } else if !inside {
                out.extend_from_slice(b"<n>");
            }
            inside = digit;
        }
    }
    out.extend_from_slice(tail);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mut out = Vec::new();
        mask(text.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_differs_from_line_to_line_is_masked() {
        for (text, expected) in [
            (
                "login of alice from 192.0.2.7:22.",
                "login of alice from <n>.",
            ),
            (
                "from 192.0.2.7 and 2001:db8::1: bye",
                "from <ip> and <ip>: bye",
            ),
            ("took 12.5 ms, pid 7", "took <n> ms, pid <n>"),
            ("id 5f3a99c0e1 on pts/3", "id <hex> on pts/<n>"),
            ("user='a b' name=\"x\" it's", "user='*' name=\"*\" it's"),
            ("uid=0 tty=ssh ruser= x", "uid=* tty=* ruser= x"),
        ] {
            assert_eq!(masked(text), expected, "{text}");
        }
    }

    fn unknown(lines: impl Iterator<Item = String>) -> Unknown {
        let mut unknown = Unknown::default();
        let parsed = Parsed {
            verdict: Verdict::NotMine,
            format: None,
        };
        for line in lines {
            unknown.take(line.as_bytes(), parsed, &Event::new());
        }
        unknown
    }

    #[test]
    fn the_frequent_ones_come_first_with_an_example() {
        let lines = ["a 1", "b 1", "a 2"].map(str::to_owned);
        let mut out = Vec::new();
        unknown(lines.into_iter()).write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let rows: Vec<_> = text.lines().map(str::trim).collect();
        let expected = [
            "2  unknown: a <n>",
            "a 1",
            "1  unknown: b <n>",
            "b 1",
            "3 of 3 lines are of no known shape; 2 shapes",
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn memory_stays_bounded_and_the_frequent_shape_is_kept() {
        let word = |n: usize| -> String {
            let letter = |n: usize| char::from(b'g' + u8::try_from(n % 20).unwrap());
            [n, n / 20, n / 400, n / 8000].map(letter).iter().collect()
        };
        let lines = (0..30_000).map(|n| match n % 3 {
            0 => "often".to_owned(),
            _ => word(n),
        });
        let unknown = unknown(lines);
        assert_eq!(unknown.shapes.len(), SHAPES_MAX);
        assert_eq!(unknown.places.len(), SHAPES_MAX);
        let best = unknown.shapes.iter().max_by_key(|s| s.count).unwrap();
        assert_eq!(
            (best.text.as_slice(), best.count, best.over),
            (&b"unknown: often"[..], 10_000, 0)
        );
    }
}
