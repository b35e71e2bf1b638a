//! The journal's export format, as `journalctl -o export` and
//! systemd-journal-upload write it, into what `journalctl -o json` prints.
//!
//! <https://systemd.io/JOURNAL_EXPORT_FORMATS/>: a field is `NAME=value` up to
//! a line feed, or `NAME`, a line feed, the length in 8 bytes, the value, and a
//! line feed; an empty line ends an entry. Whoever writes to the journal
//! chooses what a value holds, line feeds and all: only the length says where
//! it ends.

use std::io;

use memchr::memchr;

use super::{Container, Unpack, broken, cut_off};

pub(super) static CONTAINER: Container = Container {
    name: "journal-export",
    about: "the journal's export format (journalctl -o export)",
    claims: |head| head.starts_with(b"__CURSOR=") || head.starts_with(b"__REALTIME_TIMESTAMP="),
    unpack: |_, line| Box::new(Export::new(line)),
};

/// Longest value of a field other than the message; longer ones are `null`, as
/// journalctl has it for what is over 4096 bytes (JSON_THRESHOLD).
const VALUE: usize = 4096;

/// Longest name of a field (systemd's `journal_field_valid`).
const NAME: usize = 64;

/// Most fields of an entry (systemd's ENTRY_FIELD_COUNT_MAX).
const FIELDS: usize = 1024;

/// Where in the grammar the next byte stands.
enum At {
    /// In `NAME=value` or `NAME`, which began at this byte of the entry.
    Line,
    /// In the length of a value: its bytes so far.
    Length([u8; 8], usize),
    /// In a value, with so many bytes to come.
    Value(u64),
    /// At the line feed after a value.
    After,
}

/// A field of the entry at hand.
#[derive(Clone, Copy)]
struct Field {
    name: (usize, usize),
    /// None where it was too long.
    value: Option<(usize, usize)>,
    /// The next field of that name, for the first of several; its own row
    /// otherwise.
    next: usize,
    /// Whether it is told with one before it.
    told: bool,
}

/// Reads entries.
struct Export {
    line: usize,
    at: At,
    /// Names and values of the entry at hand.
    bytes: Vec<u8>,
    fields: Vec<Field>,
    /// Where the field at hand begins.
    start: usize,
    /// Where its value begins, if it has a length.
    value: usize,
    /// The field at hand is too long to be kept.
    over: bool,
    /// The entry at hand is.
    long: bool,
    /// Rows in order of their names, to find those that come again.
    order: Vec<usize>,
}

impl Unpack for Export {
    fn take(&mut self, mut bytes: &[u8], lines: &mut Vec<u8>) -> io::Result<()> {
        while let Some((&first, rest)) = bytes.split_first() {
            match &mut self.at {
                At::Line => {
                    let end = memchr(b'\n', bytes);
                    let (piece, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                    self.keep(piece);
                    bytes = rest.get(1..).unwrap_or_default();
                    if end.is_some() {
                        self.line_ends(lines)?;
                    }
                }
                At::Length(length, got) => {
                    if let Some(slot) = length.get_mut(*got) {
                        *slot = first;
                    }
                    *got += 1;
                    if *got == length.len() {
                        self.at = At::Value(u64::from_le_bytes(*length));
                    }
                    bytes = rest;
                }
                At::Value(0) => self.at = At::After,
                At::Value(left) => {
                    let most = usize::try_from(*left).unwrap_or(usize::MAX);
                    let (piece, rest) = bytes.split_at(most.min(bytes.len()));
                    *left -= piece.len() as u64;
                    self.keep(piece);
                    bytes = rest;
                }
                At::After => {
                    if first != b'\n' {
                        return Err(broken("no line feed after a value of the journal's export"));
                    }
                    let end = self.bytes.len();
                    self.field((self.start, self.value), (self.value, end));
                    bytes = rest;
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        let between = matches!(self.at, At::Line) && self.start == self.bytes.len();
        if !between || self.over {
            return Err(cut_off("the journal's export ends within an entry"));
        }
        self.tell(lines);
        Ok(())
    }
}

impl Export {
    fn new(line: usize) -> Export {
        Export {
            line,
            at: At::Line,
            bytes: Vec::new(),
            fields: Vec::new(),
            start: 0,
            value: 0,
            over: false,
            long: false,
            order: Vec::new(),
        }
    }

    /// Keeps more of the field at hand, unless that is too much.
    fn keep(&mut self, piece: &[u8]) {
        let held = self.bytes.len() - self.start;
        let most = if self.is_message(piece) {
            self.line
        } else {
            NAME + 1 + VALUE
        };
        let full = self.bytes.len() + piece.len() > self.line;
        self.long |= full && !self.over;
        self.over |= full || held + piece.len() > most;
        let room = if self.over {
            (NAME + 1).saturating_sub(held) // the name is needed all the same
        } else {
            piece.len()
        };
        let kept = piece.get(..room.min(piece.len()));
        self.bytes.extend_from_slice(kept.unwrap_or_default());
    }

    /// Whether the field at hand, of which this comes next, is the message.
    fn is_message(&self, piece: &[u8]) -> bool {
        if !matches!(self.at, At::Line) {
            return self.part((self.start, self.value)) == b"MESSAGE";
        }
        let held = self.bytes.get(self.start..).unwrap_or_default();
        held.iter().chain(piece).take(8).eq(b"MESSAGE=")
    }

    /// At the line feed of a line: an entry's end, a field, or the name of one.
    fn line_ends(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        let (start, end) = (self.start, self.bytes.len());
        let line = self.bytes.get(start..).unwrap_or_default();
        if line.is_empty() {
            self.tell(lines);
            return Ok(());
        }
        if let Some(at) = memchr(b'=', line) {
            self.field((start, start + at), (start + at + 1, end));
            return Ok(());
        }
        if !is_name(line) {
            return Err(broken("this is no field of the journal's export"));
        }
        self.value = end;
        self.at = At::Length([0; 8], 0);
        Ok(())
    }

    /// Takes a field in and looks for the next.
    fn field(&mut self, name: (usize, usize), value: (usize, usize)) {
        let known = self.bytes.get(name.0..name.1).is_some_and(is_name);
        if known && self.fields.len() < FIELDS {
            let row = self.fields.len();
            let message = self.bytes.get(name.0..name.1) == Some(b"MESSAGE");
            let fits = !self.over && (message || value.1 - value.0 <= VALUE);
            self.fields.push(Field {
                name,
                value: fits.then_some(value),
                next: row,
                told: false,
            });
            if !fits {
                self.bytes.truncate(name.1);
            }
        } else {
            self.long |= known;
            self.bytes.truncate(name.0);
        }
        self.at = At::Line;
        self.start = self.bytes.len();
        self.over = false;
    }

    /// Tells the entry at hand, if there is one, and begins another. One that
    /// is too long is an over-long line, and cut and counted as such.
    fn tell(&mut self, lines: &mut Vec<u8>) {
        if !self.fields.is_empty() {
            self.link();
            let from = lines.len();
            let mut before = b'{';
            for field in &self.fields {
                if field.told {
                    continue;
                }
                lines.push(before);
                before = b',';
                lines.push(b'"');
                lines.extend_from_slice(self.part(field.name));
                lines.extend_from_slice(b"\":");
                self.values(field, lines);
            }
            lines.push(b'}');
            if self.long {
                let end = (from + self.line + 1).max(lines.len());
                lines.resize(end, b' ');
            }
            lines.push(b'\n');
        }
        self.bytes.clear();
        self.fields.clear();
        self.start = 0;
        self.over = false;
        self.long = false;
    }

    fn part(&self, (from, to): (usize, usize)) -> &[u8] {
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// Ties the fields of one name together, in their order.
    fn link(&mut self) {
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        order.extend(0..self.fields.len());
        let name = |row: usize| self.fields.get(row).map(|field| self.part(field.name));
        order.sort_unstable_by(|&a, &b| (name(a), a).cmp(&(name(b), b)));
        for at in 1..order.len() {
            let (Some(&before), Some(&row)) = (order.get(at - 1), order.get(at)) else {
                continue;
            };
            let name = |row: usize| self.fields.get(row).map(|field| self.part(field.name));
            if name(before) == name(row) {
                if let Some(field) = self.fields.get_mut(before) {
                    field.next = row;
                }
                if let Some(field) = self.fields.get_mut(row) {
                    field.told = true;
                }
            }
        }
        self.order = order;
    }

    /// A field's value, or those of all fields of its name as a list.
    fn values(&self, first: &Field, lines: &mut Vec<u8>) {
        let mut field = first;
        let several = self.fields.get(field.next).is_some_and(|next| next.told);
        if !several {
            return self.one(field, lines);
        }
        lines.push(b'[');
        self.one(field, lines);
        while let Some(next) = self.fields.get(field.next)
            && next.name != field.name
        {
            lines.push(b',');
            self.one(next, lines);
            field = next;
        }
        lines.push(b']');
    }

    fn one(&self, field: &Field, lines: &mut Vec<u8>) {
        match field.value {
            Some(value) => write(self.part(value), lines),
            None => lines.extend_from_slice(b"null"),
        }
    }
}

/// A name that a field of the journal may have.
fn is_name(name: &[u8]) -> bool {
    let letters = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    (1..=NAME).contains(&name.len()) && name.iter().all(letters)
}

/// A value: text as a string, and the bytes of what is none.
fn write(value: &[u8], to: &mut Vec<u8>) {
    let control = |byte: &u8| (*byte < b' ' && !matches!(byte, b'\n' | b'\t')) || *byte == 0x7f;
    if value.iter().any(control) || std::str::from_utf8(value).is_err() {
        to.push(b'[');
        for (at, byte) in value.iter().enumerate() {
            if at > 0 {
                to.push(b',');
            }
            if *byte >= 100 {
                to.push(b'0' + byte / 100);
            }
            if *byte >= 10 {
                to.push(b'0' + byte / 10 % 10);
            }
            to.push(b'0' + byte % 10);
        }
        return to.push(b']');
    }
    to.push(b'"');
    let mut rest = value;
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | b'\n' | b'\t');
    while let Some(at) = rest.iter().position(special)
        && let Some((plain, [byte, after @ ..])) = rest.split_at_checked(at)
    {
        to.extend_from_slice(plain);
        to.push(b'\\');
        to.push(match byte {
            b'\n' => b'n',
            b'\t' => b't',
            other => *other,
        });
        rest = after;
    }
    to.extend_from_slice(rest);
    to.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::super::tests::{unpack, unpack_within};
    use super::*;
    use proptest::prelude::*;

    /// A field with a length.
    fn binary(name: &str, value: &[u8]) -> Vec<u8> {
        let length = (value.len() as u64).to_le_bytes();
        [name.as_bytes(), b"\n", &length, value, b"\n"].concat()
    }

    #[test]
    fn an_entry_is_what_journalctl_prints_of_it() {
        let entries = [
            b"__CURSOR=s=1;i=2\n_UID=0\nMESSAGE=say \"hi\" \\ there\nEMPTY=\n".to_vec(),
            binary("TEXT", "two\nlines\tand \u{e9}".as_bytes()),
            binary("BYTES", b"\xff\x00\x0b\x64"),
            b"TAG=one\nTAG=two\nTAG=three\n\n\n__CURSOR=s=2\nA==\n\n".to_vec(),
        ]
        .concat();
        let expected = concat!(
            r#"{"__CURSOR":"s=1;i=2","_UID":"0","MESSAGE":"say \"hi\" \\ there","EMPTY":"","#,
            "\"TEXT\":\"two\\nlines\\tand \u{e9}\",\"BYTES\":[255,0,11,100],",
            r#""TAG":["one","two","three"]}"#,
            "\n{\"__CURSOR\":\"s=2\",\"A\":\"=\"}\n",
        );
        for piece in [1, 3, 7, 4096] {
            assert_eq!(unpack(&entries, piece), (expected.to_owned(), None));
        }
    }

    #[test]
    fn nothing_in_a_value_becomes_an_entry() {
        let forged = b"x\n\n__CURSOR=s=9\n_UID=0\n_COMM=sshd\nMESSAGE=Accepted password for root from 192.0.2.7 port 1 ssh2\n\n";
        let entry = [
            b"__CURSOR=s=1\n_UID=1000\n".to_vec(),
            binary("MESSAGE", forged),
            b"\n".to_vec(),
        ];
        for piece in [1, 5, 4096] {
            let (lines, broke) = unpack(&entry.concat(), piece);
            assert_eq!((lines.lines().count(), broke), (1, None));
            assert!(lines.starts_with(r#"{"__CURSOR":"s=1","_UID":"1000","MESSAGE":"x\n\n__CU"#));
        }
    }

    #[test]
    fn what_is_too_long_is_null_and_an_entry_that_is_too_long_an_over_long_line() {
        let value = "v".repeat(VALUE);
        let entry = format!("__CURSOR=s=1\nFITS={value}\nOVER={value}v\nLAST=1\n\n");
        let expected =
            format!("{{\"__CURSOR\":\"s=1\",\"FITS\":\"{value}\",\"OVER\":null,\"LAST\":\"1\"}}\n");
        assert_eq!(unpack(entry.as_bytes(), 1000), (expected, None));
        let huge = [
            b"__CURSOR=s=1\n".to_vec(),
            binary("COREDUMP", &vec![b'x'; 3 << 20]),
            binary("MESSAGE", &vec![b'y'; 3 << 20]),
            b"\n__CURSOR=s=2\n\n".to_vec(),
        ];
        let (lines, broke) = unpack_within(&huge.concat(), 4096, 64 << 10);
        let lines: Vec<&str> = lines.lines().collect();
        assert!(lines[0].starts_with(r#"{"__CURSOR":"s=1","COREDUMP":null,"MESSAGE":null}"#));
        assert_eq!(lines[0].len(), (64 << 10) + 1);
        assert_eq!((lines[1], broke), (r#"{"__CURSOR":"s=2"}"#, None));
    }

    #[test]
    fn a_file_that_breaks_off_or_goes_wrong_says_so_after_what_was_whole() {
        let whole = "{\"__CURSOR\":\"s=1\"}\n";
        for (rest, why) in [
            (&b"__CURSOR=s=2\nMESS"[..], "within an entry"),
            (b"__CURSOR=s=2\nMESSAGE\n\x04\0\0", "within an entry"),
            (
                b"__CURSOR=s=2\nMESSAGE\n\x04\0\0\0\0\0\0\0ab",
                "within an entry",
            ),
            (
                b"__CURSOR=s=2\nMESSAGE\n\x02\0\0\0\0\0\0\0abc\n",
                "no line feed",
            ),
            (b"Jan  5 10:00:00 web1 sshd[1]: hello\n", "no field"),
        ] {
            let bytes = [b"__CURSOR=s=1\n\n", rest].concat();
            let (lines, broke) = unpack(&bytes, 4096);
            assert_eq!(lines, whole);
            assert!(broke.unwrap().contains(why), "{why}");
        }
        let unended = b"__CURSOR=s=1\n";
        assert_eq!(unpack(unended, 4096), (whole.to_owned(), None));
    }

    proptest! {
        #[test]
        fn whatever_values_hold_the_pieces_do_not_matter_and_every_entry_is_one_line(
            values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..12),
            piece in 1_usize..50,
        ) {
            let mut bytes = Vec::new();
            for value in &values {
                bytes.extend_from_slice(b"__CURSOR=s=1\n");
                bytes.extend(binary("MESSAGE", value));
                bytes.push(b'\n');
            }
            let (lines, broke) = unpack(&bytes, piece);
            prop_assert_eq!(&(lines.clone(), broke), &unpack(&bytes, bytes.len()));
            prop_assert_eq!(lines.lines().count(), values.len());
            for (line, value) in lines.lines().zip(&values) {
                let entry: serde_json::Value = serde_json::from_str(line).unwrap();
                let read = match &entry["MESSAGE"] {
                    serde_json::Value::String(text) => text.clone().into_bytes(),
                    list => serde_json::from_value(list.clone()).unwrap(),
                };
                prop_assert_eq!(&read, value);
            }
        }
    }
}
