//! The only way log text reaches a terminal, a page or a mail.
//!
//! Log text is bytes that an attacker chose. It has no `Display` of its own;
//! [`Escaped`] shows it with every control character, bidirectional override
//! and invalid byte spelled out, so that it can neither move a cursor, nor
//! reorder what is read, nor break a line.

use std::fmt;

/// Bytes shown safely: printable text as it is, the rest as `\n`, `\x1b`, `\u{202e}`.
#[derive(Clone, Copy)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            let mut plain = 0;
            let text = chunk.valid();
            for (at, c) in text.char_indices().filter(|&(_, c)| is_unsafe(c)) {
                f.write_str(text.get(plain..at).unwrap_or(""))?;
                plain = at + c.len_utf8();
                match c {
                    '\t' => f.write_str("\\t")?,
                    '\r' => f.write_str("\\r")?,
                    '\n' => f.write_str("\\n")?,
                    c if c.is_ascii() => write!(f, "\\x{:02x}", u32::from(c))?,
                    c => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                }
            }
            f.write_str(text.get(plain..).unwrap_or(""))?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// At most `max` characters of it, then `...`.
pub fn shortened(bytes: &[u8], max: usize) -> String {
    let text = Escaped(bytes).to_string();
    match text.char_indices().nth(max) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or("")),
        None => text,
    }
}

/// Control characters (C0, DEL, C1), bidirectional controls, line and
/// paragraph separators, invisible joiners and tags, private use, unassigned planes' end.
pub fn is_unsafe(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}'
        | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_of_unicode_reaches_the_terminal_as_a_control() {
        for code in 0..=0x0010_ffff_u32 {
            let Some(c) = char::from_u32(code) else {
                continue;
            };
            let shown = Escaped(c.to_string().as_bytes()).to_string();
            assert!(
                shown.chars().all(|c| !c.is_control() && !is_unsafe(c)),
                "U+{code:04X} came through as {shown:?}"
            );
        }
    }

    #[test]
    fn invalid_bytes_are_spelled_out() {
        assert_eq!(Escaped(b"a\xff\x1b[2J\n").to_string(), "a\\xff\\x1b[2J\\n");
        assert_eq!(shortened("äöü".as_bytes(), 2), "äö...");
    }
}
