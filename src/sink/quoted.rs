//! Log text inside JSON: lossless, marked where it is not UTF-8, and harmless
//! when somebody looks at the output on a terminal.
//!
//! JSON lets DEL, C1 controls and bidirectional overrides stand as they are
//! (RFC 8259 section 7 asks only for U+0000 to U+001F), and `cat alerts.json`
//! would hand them to the terminal. They are written as `\u` escapes, which every
//! JSON reader turns back into the same text.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

use crate::escape::is_unsafe;

/// Bytes as the text of a JSON string, and whether they had to be escaped: then
/// invalid bytes read `\xff`, and a backslash is doubled so that nothing is lost.
pub fn text(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), false);
    }
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        out.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}"); // writing to a String cannot fail
        }
    }
    (Cow::Owned(out), true)
}

/// Writes a value as one line of JSON without its line feed.
pub fn write_line<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, Harmless(CompactFormatter));
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// serde_json's compact form, with every unsafe character as a `\u` escape.
struct Harmless(CompactFormatter);

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain = 0;
        for (at, c) in fragment.char_indices().filter(|&(_, c)| is_unsafe(c)) {
            let before = fragment.get(plain..at).unwrap_or("");
            self.0.write_string_fragment(out, before)?;
            plain = at + c.len_utf8();
            let mut units = [0_u16; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        let rest = fragment.get(plain..).unwrap_or("");
        self.0.write_string_fragment(out, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_reads_back_the_same() {
        let hostile = "a\u{1b}[2J\u{9b}31m\u{202e}\u{7f}\u{e0041}\"\\ü日";
        let mut out = Vec::new();
        write_line(&mut out, hostile).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert!(shown.chars().all(|c| !is_unsafe(c)), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), hostile);
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_marked_and_lose_nothing() {
        assert_eq!(text(b"a\\x"), (Cow::Borrowed("a\\x"), false));
        let (shown, escaped) = text(b"a\\xff\xff");
        assert_eq!((&*shown, escaped), ("a\\\\xff\\xff", true));
    }
}
