//! Rows of a CSV file (RFC 4180) with a header, one row a line.
//!
//! A quoted value may not hold a line break: a quote that somebody forgot to
//! close then costs one row and not the rest of the file.

use std::io::Read as _;
use std::path::Path;

use super::EnrichError;

/// Most rows taken from a file: twice the networks of the internet's whole
/// routing table.
const ROWS_MAX: usize = 4_000_000;

/// Longest row; a longer one is no row of a table.
const ROW_MAX: usize = 64 << 10;

/// Largest file: the largest MaxMind DB has some 400 MB, and a row 128 bytes at most
/// in what providers offer as CSV.
const FILE_MAX: u64 = 1 << 30;

/// Rows that are shown when they are broken; the others are counted.
const SHOWN: usize = 20;

/// What was taken of a file, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows in use.
    pub rows: usize,
    /// Rows left out.
    pub broken: usize,
    /// The first of them, each with file, line and what is wrong.
    pub shown: Vec<String>,
}

impl Report {
    /// Counts something left out, and keeps the words for the first ones.
    pub(super) fn tell(&mut self, words: String) {
        self.broken += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(words);
        }
    }

    /// Adds another file's.
    pub(super) fn add(&mut self, other: Report) {
        self.rows += other.rows;
        self.broken += other.broken;
        self.shown.extend(other.shown);
    }
}

/// The header's names, and what each row is to be called by.
pub(super) struct Header {
    names: Vec<String>,
}

impl Header {
    /// The column of that name, whatever its case.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }

    /// All names, lowercase.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }
}

/// All of a file, if that is as large as a table may be.
pub(super) fn contents(path: &Path) -> Result<Vec<u8>, EnrichError> {
    let refused = |error: &dyn std::fmt::Display| EnrichError {
        what: format!("{}: {error}", path.display()),
        remedy: "name a file that can be read",
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| refused(&error))?;
    let read = file.take(FILE_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| refused(&error))?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(refused(&"larger than 1 GiB"));
    }
    Ok(bytes)
}

/// Reads a file: `begin` takes the header, `row` each row's values; what either
/// refuses it refuses in words for people.
pub(super) fn read<T>(
    path: &Path,
    begin: impl FnOnce(&Header) -> Result<T, String>,
    row: impl FnMut(&mut T, &[&str]) -> Result<(), String>,
) -> Result<(T, Report), EnrichError> {
    let bytes = contents(path)?;
    parse(&path.display().to_string(), &bytes, begin, row)
}

/// The same of what a file holds.
pub(super) fn parse<T>(
    file: &str,
    bytes: &[u8],
    begin: impl FnOnce(&Header) -> Result<T, String>,
    mut row: impl FnMut(&mut T, &[&str]) -> Result<(), String>,
) -> Result<(T, Report), EnrichError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines = (1_usize..).zip(bytes.split(|&byte| byte == b'\n'));
    let mut store = Vec::new();
    let unusable = |what: String| EnrichError {
        what: format!("{file}: {what}"),
        remedy: "the first line names the columns, separated by commas",
    };
    let (_, first) = lines.next().unwrap_or((1, b""));
    split(first, &mut store).map_err(|what| unusable(what.to_owned()))?;
    let names = store.iter().map(|name| name.trim().to_lowercase());
    let header = Header {
        names: names.collect(),
    };
    let mut table = begin(&header).map_err(unusable)?;
    let mut report = Report::default();
    for (number, line) in lines {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let taken = if report.rows >= ROWS_MAX {
            Err(format!("more than {ROWS_MAX} rows"))
        } else {
            split(line, &mut store)
                .map_err(str::to_owned)
                .and_then(|()| {
                    if store.len() == header.names.len() {
                        let values: Vec<&str> = store.iter().map(|value| value.trim()).collect();
                        row(&mut table, &values)
                    } else {
                        let (got, want) = (store.len(), header.names.len());
                        Err(format!("{got} values for {want} columns"))
                    }
                })
        };
        match taken {
            Ok(()) => report.rows += 1,
            Err(what) => {
                report.tell(format!("{file}:{number}: {what}; the row is left out"));
            }
        }
    }
    Ok((table, report))
}

/// A line's values.
fn split(line: &[u8], values: &mut Vec<String>) -> Result<(), &'static str> {
    values.clear();
    if line.len() > ROW_MAX {
        return Err("longer than 64 KiB");
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.contains(&0) {
        return Err("a NUL byte");
    }
    let mut rest = std::str::from_utf8(line).map_err(|_| "not UTF-8")?;
    loop {
        let (value, after) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => match rest.find(',') {
                Some(at) => {
                    let (value, after) = rest.split_at(at);
                    (value.to_owned(), after)
                }
                None => (rest.to_owned(), ""),
            },
        };
        values.push(value);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok(()),
        }
    }
}

/// A quoted value and what follows its closing quote, up to the comma.
fn unquoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let at = rest.find('"').ok_or("a quote that is not closed")?;
        let (part, after) = rest.split_at(at);
        value.push_str(part);
        let after = after.strip_prefix('"').unwrap_or(after);
        let Some(more) = after.strip_prefix('"') else {
            let after = after.trim_start();
            return if after.is_empty() || after.starts_with(',') {
                Ok((value, after))
            } else {
                Err("text after a closing quote")
            };
        };
        value.push('"');
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(line: &str) -> Result<Vec<String>, &'static str> {
        let mut values = Vec::new();
        split(line.as_bytes(), &mut values).map(|()| values)
    }

    #[test]
    fn values_may_be_quoted_and_empty() {
        assert_eq!(values("a,\"b, c\",,d\r").unwrap(), ["a", "b, c", "", "d"]);
        assert_eq!(values("\"say \"\"hi\"\"\",").unwrap(), ["say \"hi\"", ""]);
        assert!(values("\"open,b").is_err() && values("\"a\"b,c").is_err());
    }

    #[test]
    fn broken_rows_are_told_by_their_line_and_the_rest_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, b"\xef\xbb\xbfA, b\n1,2\nx\n\"3,4\n\n\xff,1\n5,6").unwrap();
        let mut seen = Vec::new();
        let (column, report) = read(
            &path,
            |header| header.column("b").ok_or_else(String::new),
            |column, row| {
                seen.push(row[*column].to_owned());
                Ok(())
            },
        )
        .unwrap();
        assert_eq!((column, seen), (1, vec!["2".to_owned(), "6".to_owned()]));
        assert_eq!((report.rows, report.broken), (2, 3));
        for (shown, line) in report.shown.iter().zip([":3:", ":4:", ":6:"]) {
            assert!(shown.contains(line), "{shown}");
        }
    }
}
