//! JSON that is more than an object a line: an array of objects, the list in
//! an object around it (`{"Records":[…]}` of AWS, `{"value":[…]}` of Microsoft
//! Graph), and objects that are printed over several lines.
//!
//! Objects are found by their brackets and handed on as they are read, less
//! the blanks between their tokens; whether they are sound is for whoever reads
//! the lines. A line feed inside a string, which JSON does not allow, is
//! written as JSON would, so that no string ends a line.

use std::io;

use memchr::{memchr, memchr3};

use super::{Container, Unpack, broken, cut_off};

pub(super) static CONTAINER: Container = Container {
    name: "json-document",
    about: "a JSON document (an array, a list in an object, or objects over several lines)",
    claims: |head| shape(head).is_some(),
    unpack: |head, _| {
        Box::new(Json {
            shape: shape(head).unwrap_or_default(),
            ..Json::default()
        })
    },
};

/// What services call the list of events.
const LISTS: [&[u8]; 3] = [b"Records", b"records", b"value"];

/// Deepest nesting at which brackets are told apart.
const KINDS: u32 = 128;

/// U+FEFF in UTF-8, with which Azure's exports begin.
const BOM: &[u8] = b"\xef\xbb\xbf";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shape {
    #[default]
    Array,
    Wrapped,
    /// Lines that are no object may stand between those that are: a program
    /// that prints some of what it says so.
    Spread,
}

/// What these first bytes begin, if it is a document and no lines.
fn shape(head: &[u8]) -> Option<Shape> {
    let text = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
    let (first, inside) = text.split_first()?;
    let next = inside.trim_ascii_start();
    match first {
        b'[' => {
            let object = next.strip_prefix(b"{")?.trim_ascii_start();
            object.starts_with(b"\"").then_some(Shape::Array)
        }
        b'{' if is_wrapped(next) => Some(Shape::Wrapped),
        b'{' => {
            let line = inside.strip_prefix(b"\r").unwrap_or(inside);
            let indented = line.strip_prefix(b"\n")?;
            let blank = matches!(indented.first(), Some(b' ' | b'\t'));
            (blank && next.starts_with(b"\"")).then_some(Shape::Spread)
        }
        _ => None,
    }
}

/// Whether the members of an object begin with a list of events: at once, or
/// after what OData says of the answer.
fn is_wrapped(mut members: &[u8]) -> bool {
    while let Some((name, value)) = member(members) {
        if LISTS.contains(&name) {
            let list = value.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
            return list.is_some_and(|list| list.starts_with(b"{"));
        }
        if !name.starts_with(b"@odata.") {
            return false;
        }
        let Some((_, rest)) = string(value) else {
            return false;
        };
        let Some(rest) = rest.trim_ascii_start().strip_prefix(b",") else {
            return false;
        };
        members = rest.trim_ascii_start();
    }
    false
}

/// The name of a member, and the text from its value on.
fn member(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = string(text)?;
    let value = rest.trim_ascii_start().strip_prefix(b":")?;
    Some((name, value.trim_ascii_start()))
}

/// A string without escapes, and what follows it.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let at = text.iter().position(|&byte| byte == b'"')?;
    let (inside, rest) = text.split_at_checked(at)?;
    (!inside.contains(&b'\\')).then_some((inside, rest.get(1..)?))
}

/// Where the next byte stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Tokens,
    String,
    /// After a `\` in a string.
    Escape,
    /// In a line that is no object.
    Line,
}

/// Where the grammar is.
#[derive(Default)]
struct Json {
    shape: Shape,
    /// Something was opened.
    begun: bool,
    depth: u32,
    /// A bit for each bracket that is open, the innermost last: 1 for `{`; the
    /// outermost [`KINDS`] of them.
    kinds: u128,
    within: Within,
    /// The last string in an object around a list, which names what follows.
    name: Vec<u8>,
    /// In the list of events.
    listed: bool,
    /// How deep the object that is handed on stands.
    unit: Option<u32>,
}

impl Unpack for Json {
    fn take(&mut self, bytes: &[u8], lines: &mut Vec<u8>) -> io::Result<()> {
        // Where what is to be handed on, and is not yet, begins.
        let mut from = 0;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.within == Within::Line {
                let rest = bytes.get(at..).unwrap_or_default();
                let end = memchr(b'\n', rest).map(|end| end + 1);
                let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                lines.extend_from_slice(line);
                if end.is_some() {
                    self.within = Within::Tokens;
                }
                at += line.len();
                continue;
            }
            if self.within != Within::Tokens {
                at = self.string(bytes, at, &mut from, lines);
                continue;
            }
            if self.begins_line(byte) {
                self.within = Within::Line;
                continue;
            }
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {
                    self.hand_on(bytes, from, at, lines);
                    from = at + 1;
                }
                b'"' => {
                    self.within = Within::String;
                    self.name.clear();
                    self.outside(byte)?;
                }
                b'{' | b'[' => {
                    if self.unit.is_none() && self.opens(byte) {
                        self.unit = Some(self.depth);
                        from = at;
                    }
                    if self.depth < KINDS {
                        self.kinds = (self.kinds << 1) | u128::from(byte == b'{');
                    }
                    self.depth += 1;
                    self.begun = true;
                }
                b'}' | b']' => {
                    self.close(byte)?;
                    if self.unit == Some(self.depth) {
                        self.hand_on(bytes, from, at + 1, lines);
                        lines.push(b'\n');
                        self.unit = None;
                    }
                }
                _ => self.outside(byte)?,
            }
            at += 1;
        }
        self.hand_on(bytes, from, bytes.len(), lines);
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) -> io::Result<()> {
        if self.depth > 0 {
            return Err(cut_off("the JSON document ends within it"));
        }
        Ok(())
    }
}

impl Json {
    /// Goes on in a string to its end or that of the bytes; where that is.
    fn string(
        &mut self,
        bytes: &[u8],
        mut at: usize,
        from: &mut usize,
        lines: &mut Vec<u8>,
    ) -> usize {
        if self.within == Within::Escape {
            self.within = Within::String;
            if bytes.get(at) == Some(&b'\n') {
                // `\` and a line feed: the feed's own escape needs no other.
                self.hand_on(bytes, *from, at, lines);
                self.hand_on(b"n", 0, 1, lines);
                *from = at + 1;
            }
            return at + 1;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let length = memchr3(b'"', b'\\', b'\n', rest).unwrap_or(rest.len());
        if self.unit.is_none() {
            let room = 16_usize.saturating_sub(self.name.len());
            let name = rest.get(..length.min(room)).unwrap_or_default();
            self.name.extend_from_slice(name);
        }
        at += length;
        match bytes.get(at) {
            Some(b'"') => self.within = Within::Tokens,
            Some(b'\\') => self.within = Within::Escape,
            Some(_) => {
                self.hand_on(bytes, *from, at, lines);
                self.hand_on(b"\\n", 0, 2, lines);
                *from = at + 1;
            }
            None => return at,
        }
        at + 1
    }

    /// Appends a stretch of the object at hand; nothing where there is none.
    fn hand_on(&self, bytes: &[u8], from: usize, to: usize, lines: &mut Vec<u8>) {
        if self.unit.is_some() {
            lines.extend_from_slice(bytes.get(from..to).unwrap_or_default());
        }
    }

    /// Whether a bracket opens an event. Outside of one.
    fn opens(&mut self, bracket: u8) -> bool {
        if bracket == b'[' {
            if self.depth == 1 && self.shape == Shape::Wrapped {
                self.listed = LISTS.contains(&self.name.as_slice());
            }
            return false;
        }
        let in_list = self.kinds & 1 == 0;
        match self.depth {
            0 => self.shape != Shape::Wrapped,
            // An array of events, also among documents of the other kind.
            1 => in_list,
            2 => self.shape == Shape::Wrapped && in_list && self.listed,
            _ => false,
        }
    }

    fn close(&mut self, bracket: u8) -> io::Result<()> {
        let fits = self.depth > KINDS || (self.kinds & 1 == 1) == (bracket == b'}');
        if self.depth == 0 || !fits {
            return Err(broken("brackets of the JSON document do not match"));
        }
        self.depth -= 1;
        if self.depth < KINDS {
            self.kinds >>= 1;
        }
        Ok(())
    }

    /// Whether a line that is no object begins with this byte.
    fn begins_line(&self, byte: u8) -> bool {
        let between = self.shape == Shape::Spread && self.depth == 0 && self.begun;
        between && !matches!(byte, b'{' | b' ' | b'\t' | b'\r' | b'\n')
    }

    /// A byte of a string, number or word; between documents there is none.
    fn outside(&self, byte: u8) -> io::Result<()> {
        if self.depth > 0 || byte == b',' || BOM.contains(&byte) {
            return Ok(());
        }
        Err(broken("what follows the JSON document is none"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::unpack;
    use proptest::prelude::*;

    fn lines(text: &str) -> String {
        let whole = unpack(text.as_bytes(), text.len());
        for piece in [1, 2, 5, 13] {
            assert_eq!(
                unpack(text.as_bytes(), piece),
                whole,
                "in pieces of {piece}"
            );
        }
        assert_eq!(whole.1, None);
        whole.0
    }

    #[test]
    fn every_kind_of_document_gives_an_object_a_line() {
        let two = "{\"a\":\"x y\",\"b\":{\"c\":[1,{\"d\":null}]}}\n{\"a\":2}\n";
        let one = r#"{ "a": "x y", "b" : {"c": [1, {"d":null}] } }"#;
        for text in [
            format!("[{one},{{\"a\":2}}]"),
            format!("[\n  {one},\r\n  {{\"a\": 2}}\n]\n"),
            format!("{{\"Records\":[{one},{{\"a\":2}}]}}"),
            format!("\n{{ \"Records\" : [\n{one},{{\"a\":2}}]}}\n"),
            format!("{{\"records\":[{one}]}}{{\"records\":[{{\"a\":2}}]}}"),
            format!(
                "{{\"@odata.context\":\"https://example.com/$metadata\",\"value\":[{one},{{\"a\":2}}],\"tail\":[{{\"a\":3}}],\"value2\":{{\"a\":4}}}}"
            ),
            "{\n  \"a\": \"x y\",\n  \"b\": {\"c\": [1, {\"d\": null}]}\n}\n{\n\t\"a\": 2\n}\n"
                .to_owned(),
            format!("\u{feff}[{one}]\n[{{\"a\":2}}]"),
        ] {
            assert_eq!(lines(&text), two, "{text}");
        }
    }

    #[test]
    fn lines_between_objects_over_several_lines_are_lines() {
        let text = "{\n  \"a\": 1\n}\n[2026] up: {\"b\n  c\n{\n  \"a\": \"}\"\n}\nend";
        let expected = "{\"a\":1}\n[2026] up: {\"b\nc\n{\"a\":\"}\"}\nend";
        assert_eq!(lines(text), expected);
    }

    #[test]
    fn no_string_ends_a_line_or_an_object() {
        let text = "[{\"a\":\"}]\\\"\n{\\\\\",\"b\":\"x\\\ny\"},{\"c\":\"\\\\\"}]";
        assert_eq!(
            lines(text),
            "{\"a\":\"}]\\\"\\n{\\\\\",\"b\":\"x\\ny\"}\n{\"c\":\"\\\\\"}\n"
        );
    }

    #[test]
    fn a_document_that_breaks_off_or_goes_wrong_says_so_after_what_was_whole() {
        for (text, why) in [
            (&b"[{\"a\":1},{\"a\""[..], "ends within"),
            (b"[{\"a\":1},{\"a\":[}]", "do not match"),
            (b"[{\"a\":1}]]", "do not match"),
            (b"[{\"a\":1}]\nJan  5 10:00:00 web1 app: x\n", "is none"),
        ] {
            let (lines, broke) = unpack(text, 4);
            assert!(lines.starts_with("{\"a\":1}\n"), "{lines}");
            assert!(broke.unwrap().contains(why), "{why}");
        }
    }

    #[test]
    fn an_object_deeper_than_brackets_are_told_apart_is_still_one_line() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(300), "]".repeat(300));
        assert_eq!(
            lines(&format!("[{deep},{deep}]")),
            format!("{deep}\n{deep}\n")
        );
    }

    proptest! {
        #[test]
        fn whatever_strings_hold_an_object_stays_one_line(
            texts in proptest::collection::vec(".{0,30}", 1..8),
            piece in 1_usize..40,
        ) {
            let objects: Vec<serde_json::Value> = texts
                .iter()
                .map(|text| serde_json::json!({ "m": text, text: [{"Records": [{ "x": text }]}] }))
                .collect();
            let expected = objects.iter().fold(String::new(), |all, one| all + &one.to_string() + "\n");
            for document in [
                serde_json::to_string(&objects).unwrap(),
                serde_json::to_string_pretty(&objects).unwrap(),
                serde_json::json!({ "Records": objects }).to_string(),
                objects.iter().map(|o| serde_json::to_string_pretty(o).unwrap()).collect(),
            ] {
                prop_assert_eq!(&unpack(document.as_bytes(), piece), &(expected.clone(), None));
            }
        }
    }
}
