//! Which rows of FORMATS answer to a program's name or to a line's first byte,
//! and which row a format is.
//!
//! Every line asks both several times, so the table is turned around once:
//! names by a hash of their length and ends, rows by their format's address.
//! Walking 80 rows each time took three of four instructions that a line
//! of an unknown program cost, rules included.

use std::sync::OnceLock;

use super::{
    FORMATS, Format, Parser, SYSLOG, cloud, db, declared, envelope, laurel, samba, token, webjson,
};
use crate::event::Class;

/// Buckets of either table: 350 names and 140 formats, so that most stand alone.
const BUCKETS: usize = 2048;

/// Formats of whole lines that are JSON objects and nothing else. (Zeek's and
/// Suricata's rows have more ways to begin.)
static OBJECTS: [&Format; 16] = [
    &envelope::journal::FORMAT,
    &laurel::FORMAT,
    &cloud::CLOUDTRAIL,
    &cloud::OKTA,
    &cloud::ENTRA,
    &cloud::KUBERNETES,
    &cloud::SERVICE,
    &cloud::WEB,
    &declared::FORMAT,
    &envelope::container::DOCKER,
    &envelope::gelf::FORMAT,
    &envelope::shipped::FORMAT,
    &cloud::SENSOR,
    &samba::JSON,
    &db::mongodb::FORMAT,
    &webjson::FORMAT,
];

/// A name without `*`, and the rows that answer to it, in table order.
struct Known {
    name: &'static [u8],
    formats: Vec<&'static Format>,
}

struct Tables {
    names: Vec<Vec<Known>>,
    rows: Vec<Vec<(&'static Format, u8)>>,
    /// By a name's first byte, the formats that answer to patterns that it
    /// may fit, in table order: most names fit none, and are of no format.
    patterns: Vec<Vec<&'static Format>>,
    /// The formats of whole lines, in table order, with their classes.
    lines: Vec<(&'static Format, Class)>,
    /// Those of them that are tried on a line that is no JSON object.
    texts: Vec<(&'static Format, Class)>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(Tables::build)
}

impl Tables {
    fn build() -> Tables {
        let mut tables = Tables {
            names: std::iter::repeat_with(Vec::new).take(BUCKETS).collect(),
            rows: std::iter::repeat_with(Vec::new).take(BUCKETS).collect(),
            patterns: (0..=u8::MAX).map(by_pattern).collect(),
            lines: Vec::new(),
            texts: Vec::new(),
        };
        for (row, &format) in (0..).zip(FORMATS) {
            if let Some(bucket) = tables.rows.get_mut(address_bucket(format)) {
                bucket.push((format, row));
            }
            if !matches!(format.parse, Parser::Message(_)) {
                let class = Class {
                    format: row,
                    kind: 0,
                };
                tables.lines.push((format, class));
                if !OBJECTS.iter().any(|object| std::ptr::eq(*object, format)) {
                    tables.texts.push((format, class));
                }
            }
            for name in format.programs.iter().filter(|name| !name.contains('*')) {
                tables.add(name.as_bytes());
            }
        }
        tables
    }

    fn add(&mut self, name: &'static [u8]) {
        let Some(bucket) = self.names.get_mut(name_bucket(name)) else {
            return;
        };
        if bucket.iter().all(|known| known.name != name) {
            let formats = FORMATS.iter().copied().filter(|f| listens(f, name));
            bucket.push(Known {
                name,
                formats: formats.collect(),
            });
        }
    }

    fn exact(&self, program: &[u8]) -> &[&'static Format] {
        let bucket = self.names.get(name_bucket(program));
        let known = bucket.and_then(|bucket| bucket.iter().find(|known| known.name == program));
        known.map_or(&[], |known| &known.formats)
    }
}

/// The formats that have a pattern for names that begin with this byte.
fn by_pattern(first: u8) -> Vec<&'static Format> {
    let may = |name: &&str| {
        name.contains('*') && matches!(name.as_bytes().first(), Some(&b) if b == b'*' || b == first)
    };
    let formats = FORMATS.iter().copied();
    formats
        .filter(|format| format.programs.iter().any(may))
        .collect()
}

fn name_bucket(name: &[u8]) -> usize {
    let first = name.first().copied().unwrap_or_default();
    let last = name.last().copied().unwrap_or_default();
    let middle = name.get(name.len() / 2).copied().unwrap_or_default();
    let letters = usize::from(first) * 31 + usize::from(last) * 7 + usize::from(middle) * 131;
    (name.len() * 67 + letters) % BUCKETS
}

/// The order in memory is the linker's and decides nothing: a bucket is
/// searched for the one format that is meant.
fn address_bucket(format: &'static Format) -> usize {
    std::ptr::from_ref(format).addr() / 8 % BUCKETS
}

/// A format's first log class.
pub(super) fn class_of(format: &'static Format) -> Class {
    let bucket = tables().rows.get(address_bucket(format));
    let row = bucket.and_then(|bucket| bucket.iter().find(|row| std::ptr::eq(row.0, format)));
    debug_assert!(row.is_some(), "every format has its row");
    Class {
        format: row.map_or(0, |&(_, row)| row),
        kind: 0,
    }
}

/// The formats that answer to a program's name, in table order.
pub(super) fn answering(program: &[u8]) -> impl Iterator<Item = &'static Format> {
    let tables = tables();
    let exact = tables.exact(program);
    // What answers to a name by a pattern is among that name's formats.
    let first = program.first().filter(|_| exact.is_empty());
    let patterns = first.and_then(|&first| tables.patterns.get(usize::from(first)));
    let patterns = patterns.map(Vec::as_slice).unwrap_or_default();
    let by_pattern = patterns.iter().filter(move |f| listens(f, program));
    exact.iter().chain(by_pattern).copied()
}

/// The formats of whole lines that could read this one, in table order.
pub(super) fn of_line(line: &[u8]) -> &'static [(&'static Format, Class)] {
    match token::trim_start(line).first() {
        Some(b'{') => &tables().lines,
        _ => &tables().texts,
    }
}

fn listens(format: &Format, program: &[u8]) -> bool {
    let mut patterns = format.programs.iter();
    patterns.any(|pattern| answers(pattern.as_bytes(), program))
}

/// `name`, `name*`, `*name*`.
fn answers(pattern: &[u8], program: &[u8]) -> bool {
    match pattern {
        // Names are short: preparing a search would take longer than this.
        [b'*', inner @ .., b'*'] if !inner.is_empty() => {
            program.windows(inner.len()).any(|part| part == inner)
        }
        [first @ .., b'*'] => program.starts_with(first),
        _ => pattern == program,
    }
}

/// The row of a program's name; `httpd/backend1` is `httpd` where it has none.
pub(super) fn of_program(program: &[u8]) -> &'static Format {
    let named = |name: &[u8]| answering(name).next();
    named(program)
        .or_else(|| named(token::cut(program, b"/")?.0))
        .or_else(|| named(suite(program)?))
        .unwrap_or(&SYSLOG)
}

/// `postfix-out/smtpd` is a daemon of an instance of `postfix`, `cyrus/imap` of
/// `cyrus`.
fn suite(program: &[u8]) -> Option<&[u8]> {
    let (instance, _) = token::cut(program, b"/")?;
    Some(token::cut(instance, b"-").map_or(instance, |(suite, _)| suite))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_say_what_the_rows_say() {
        for (row, format) in FORMATS.iter().enumerate() {
            assert_eq!(usize::from(class_of(format).format), row, "{}", format.name);
        }
        let given = FORMATS.iter().flat_map(|format| format.programs);
        let made = [
            "",
            "s",
            "sshd-session",
            "tomcat9",
            "nginx/x",
            "my-named-1",
            "kernel",
        ];
        for name in given.copied().chain(made) {
            let name = name.as_bytes();
            let rows = FORMATS.iter().filter(|format| listens(format, name));
            let rows: Vec<&str> = rows.map(|format| format.name).collect();
            let got: Vec<&str> = answering(name).map(|format| format.name).collect();
            assert_eq!(got, rows, "{}", String::from_utf8_lossy(name));
        }
    }

    #[test]
    fn only_what_may_be_an_object_is_offered_to_the_formats_of_objects() {
        let names =
            |line: &[u8]| -> Vec<&str> { of_line(line).iter().map(|(f, _)| f.name).collect() };
        let all = names(b" {\"a\":1}");
        let texts = names(b"[x] {");
        assert_eq!(all.len(), texts.len() + OBJECTS.len());
        let lines = FORMATS
            .iter()
            .filter(|f| !matches!(f.parse, Parser::Message(_)));
        assert!(lines.map(|format| format.name).eq(all));
        for format in OBJECTS {
            assert!(format.example.starts_with('{'), "{}", format.name);
            assert!(!texts.contains(&format.name), "{}", format.name);
        }
    }

    #[test]
    fn few_names_share_a_bucket() {
        let longest = tables().names.iter().map(Vec::len).max();
        assert!(longest <= Some(4), "{longest:?} names in one bucket");
        let longest = tables().rows.iter().map(Vec::len).max();
        assert!(longest <= Some(8), "{longest:?} formats in one bucket");
    }
}
