//! JSON lines, read field by field: only what is wanted is decoded.
//!
//! serde_json's streaming reader finds keys and the extent of their values;
//! what nobody wants is skipped by it without recursion and without a look at
//! its content. Wanted text is borrowed from the line, or decoded into the
//! arena when it has escapes, so that no line touches the heap. Nested
//! objects have dotted names (`id.orig_h`), and of two equal keys the first
//! wins: a writer cannot take back what he said before.

mod any;
mod scan;
mod text;

use bumpalo::Bump;
use bumpalo::collections::{String as BumpString, Vec as BumpVec};

use crate::event::{Event, Value};
use crate::field::{Field, Kind};
use scan::{elements, entries};
use text::{compact, number, unescaped, valid_text};

pub use any::any;
pub(super) use text::{integer, parsed};

/// Objects deeper than this are skipped. Each level is scanned again by its
/// parent, so this also bounds the work on a hostile line.
const DEPTH_MAX: usize = 32;

/// A value as it stands in the document, valid JSON, not decoded yet.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// The decoded value: text without escapes is borrowed, objects are their
    /// own compact text, arrays are lists of their elements, nested ones flattened.
    pub fn value(self, arena: &'a Bump) -> Value<'a> {
        match self.0.as_bytes().first() {
            Some(b'"') => Value::Text(unescaped(self.0, arena).as_bytes()),
            Some(b'{') => Value::Text(compact(self.0, arena)),
            Some(b'[') => {
                let mut values = BumpVec::new_in(arena);
                fill(self.0, arena, 0, &mut values);
                Value::List(values.into_bump_slice())
            }
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') | None => Value::Null,
            Some(_) => number(self.0),
        }
    }

    /// The value as a field of that kind holds it; `None` for `null` and for
    /// what is not of that kind.
    pub fn typed(self, kind: Kind, arena: &'a Bump) -> Option<Value<'a>> {
        typed(self.value(arena), kind, self.0)
    }

    /// The text as it stands in the document, with its quotes.
    pub fn text(self) -> &'a str {
        self.0
    }
}

fn typed<'a>(value: Value<'a>, kind: Kind, raw: &'a str) -> Option<Value<'a>> {
    match (kind, value) {
        (_, Value::Null) => None,
        (Kind::Text, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => {
            Some(Value::Text(raw.as_bytes()))
        }
        (_, Value::List(_))
        | (Kind::Text, _)
        | (Kind::Int, Value::Int(_))
        | (Kind::Float, Value::Float(_))
        | (Kind::Bool, Value::Bool(_)) => Some(value),
        #[expect(clippy::cast_precision_loss, reason = "a length or a count, shown")]
        (Kind::Float, Value::Int(n)) => Some(Value::Float(n as f64)),
        (_, Value::Text(text)) => parsed(text, kind),
        _ => None,
    }
}

/// Reads the fields that `resolve` knows, by dotted path, into the event. On
/// `Err`, which says why, the event is as it was.
pub fn read<'a>(
    line: &'a [u8],
    arena: &'a Bump,
    resolve: &mut dyn FnMut(&str) -> Option<Field>,
    event: &mut Event<'a>,
) -> Result<(), &'static str> {
    let before = event.values().len();
    let read = walk(line, arena, &mut |path, raw| {
        if let Some(field) = resolve(path)
            && event.get(field).is_none()
        {
            let value = match field.info() {
                Some(info) => raw.typed(info.kind, arena),
                None => Some(raw.value(arena)),
            };
            if let Some(value) = value {
                event.set(field, value);
            }
        }
    });
    if read.is_err() {
        event.truncate(before);
    }
    read
}

/// Tells `each` every key of the object and of the objects in it, by dotted
/// path, in the order written; an object itself before its keys.
pub fn walk<'a>(
    line: &'a [u8],
    arena: &'a Bump,
    each: &mut dyn FnMut(&str, Raw<'a>),
) -> Result<(), &'static str> {
    let mut path = BumpString::new_in(arena);
    walk_object(valid_text(line, arena), arena, 0, &mut path, each)
}

/// Tells `each` the keys of each object in an array, or of the one object;
/// `begin` is told of each object before.
pub(super) fn each_object<'a, T>(
    raw: Raw<'a>,
    arena: &'a Bump,
    kept: &mut T,
    begin: fn(&mut T),
    each: fn(&mut T, &str, Raw<'a>),
) {
    let mut path = BumpString::new_in(arena);
    let mut one = |value: &'a str| {
        if value.starts_with('{') {
            begin(kept);
            path.clear();
            // Both have been scanned: they are valid JSON.
            let _valid = walk_object(value, arena, 1, &mut path, &mut |key, raw| {
                each(kept, key, raw);
            });
        }
    };
    if raw.0.starts_with('[') {
        let _valid = elements(raw.0, &mut one);
    } else {
        one(raw.0);
    }
}

fn walk_object<'a>(
    raw: &'a str,
    arena: &'a Bump,
    depth: usize,
    path: &mut BumpString<'a>,
    each: &mut dyn FnMut(&str, Raw<'a>),
) -> Result<(), &'static str> {
    let stem = path.len();
    entries(raw, &mut |key, value| {
        let nested = value.starts_with('{') && depth + 1 < DEPTH_MAX;
        if stem == 0 && !nested {
            // Nine of ten keys: no need to build a path.
            return each(unescaped(key, arena), Raw(value));
        }
        path.truncate(stem);
        push_key(path, key, arena);
        each(path, Raw(value));
        if nested {
            // The value has been scanned: it is valid JSON.
            let _valid = walk_object(value, arena, depth + 1, path, each);
        }
    })
}

/// Tells `each` the elements of an array, or the value itself if it is none.
pub(super) fn elements_of<'a>(raw: Raw<'a>, each: &mut dyn FnMut(Raw<'a>)) {
    if !raw.0.starts_with('[') {
        return each(raw);
    }
    // The value has been scanned: it is valid JSON.
    let _valid = elements(raw.0, &mut |value| each(Raw(value)));
}

/// Adds a key (as it stands, quoted) to a dotted path.
fn push_key<'a>(path: &mut BumpString<'a>, key: &'a str, arena: &'a Bump) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(unescaped(key, arena));
}

fn fill<'a>(raw: &'a str, arena: &'a Bump, depth: usize, values: &mut BumpVec<'a, Value<'a>>) {
    let _valid = elements(raw, &mut |value| {
        if !value.starts_with('[') {
            values.push(Raw(value).value(arena));
        } else if depth + 1 < DEPTH_MAX {
            fill(value, arena, depth + 1, values);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Names;

    fn any_of(line: &str, wanted: &[&str]) -> Vec<(String, String)> {
        let arena = Bump::new();
        let mut names = Names::default();
        for name in wanted {
            names.intern(name).unwrap();
        }
        let mut event = Event::new();
        let words = names.intern("all values").unwrap();
        any(line.as_bytes(), &arena, &names, Some(words), &mut event).unwrap();
        let shown = |(field, value): &(Field, Value<'_>)| {
            let value = match value {
                Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
                other => format!("{other:?}"),
            };
            (names.name(*field).to_owned(), value)
        };
        let others = event.values().iter().filter(|(field, _)| *field != words);
        others.map(shown).collect()
    }

    fn one(line: &str, name: &str) -> String {
        any_of(line, &[name]).pop().map_or("-".to_owned(), |f| f.1)
    }

    fn read_one(line: &[u8], key: &str) -> Result<Option<Vec<u8>>, &'static str> {
        let arena = Bump::new();
        let mut event = Event::new();
        let mut resolve = |path: &str| (path == key).then_some(Field::MESSAGE);
        read(line, &arena, &mut resolve, &mut event)?;
        Ok(match event.get(Field::MESSAGE) {
            Some(Value::Text(text)) => Some(text.to_vec()),
            _ => None,
        })
    }

    #[test]
    fn a_flat_key_comes_before_a_nested_path() {
        assert_eq!(one(r#"{"a":{"b":"nested"},"a.b":"flat"}"#, "a.b"), "flat");
        assert_eq!(one(r#"{"a":{"b":{"c":"deep"}}}"#, "a.b.c"), "deep");
        assert_eq!(one(r#"{"a.b":{"c":"mixed"}}"#, "a.b.c"), "mixed");
    }

    #[test]
    fn arrays_of_objects_on_the_path_give_a_list() {
        let line = r#"{"a":[{"b":1},{"b":2,"c":0},{"b":3}],"d":[{"b":9}]}"#;
        assert_eq!(one(line, "a.b"), "List([Int(1), Int(2), Int(3)])");
        assert_eq!(one(line, "d.b"), "Int(9)");
        assert_eq!(
            one(r#"{"a":[1,[2,null]]}"#, "a"),
            "List([Int(1), Int(2), Null])"
        );
    }

    #[test]
    fn of_two_equal_keys_the_first_wins() {
        assert_eq!(one(r#"{"a":"first","a":"second"}"#, "a"), "first");
        assert_eq!(
            read_one(br#"{"a":"first","a":"second"}"#, "a"),
            Ok(Some(b"first".to_vec()))
        );
    }

    #[test]
    fn every_json_type_keeps_its_type() {
        let line =
            r#"{"i":-7,"f":1.5,"t":true,"n":null,"o":{ "k" : "a b" },"big":18446744073709551615}"#;
        assert_eq!(one(line, "i"), "Int(-7)");
        assert_eq!(one(line, "f"), "Float(1.5)");
        assert_eq!(one(line, "t"), "Bool(true)");
        assert_eq!(one(line, "n"), "Null");
        assert_eq!(one(line, "o"), r#"{"k":"a b"}"#);
        assert_eq!(one(line, "big"), "Float(1.8446744073709552e19)");
        assert_eq!(
            one(r#"{"source":{"ip":"::ffff:192.0.2.1"}}"#, "source.ip"),
            "::ffff:192.0.2.1"
        );
    }

    #[test]
    fn keywords_see_values_and_not_keys() {
        let arena = Bump::new();
        let mut event = Event::new();
        let line = br#"{"evil":"x","n":{"k":["a","so\tbad"]},"p":4711,"z":null}"#;
        let words = Field::MESSAGE;
        any(line, &arena, &Names::default(), Some(words), &mut event).unwrap();
        let text = |word: &str| Value::Text(word.to_owned().leak().as_bytes());
        let list = ["x", "a", "so\tbad", "4711"].map(text);
        assert_eq!(event.get(words), Some(Value::List(&list)));
        assert!(event.line.is_empty());
    }

    #[test]
    fn escapes_are_decoded_and_half_a_surrogate_hides_nothing() {
        let text = read_one(br#"{"\u006d":"\"\\\/\n\u00e4\ud83d\ude00\ud800x"}"#, "m");
        assert_eq!(text, Ok(Some("\"\\/\nä😀\u{fffd}x".as_bytes().to_vec())));
    }

    #[test]
    fn a_bad_byte_in_a_skipped_or_wanted_value_does_not_hide_the_line() {
        let skipped = read_one(b"{\"x\":\"\xff\",\"m\":\"seen\"}", "m");
        assert_eq!(skipped, Ok(Some(b"seen".to_vec())));
        let wanted = read_one(b"{\"m\":\"se\xffen\"}", "m");
        assert_eq!(wanted, Ok(Some("se\u{fffd}en".as_bytes().to_vec())));
    }

    #[test]
    fn a_value_100_000_levels_deep_does_not_overflow_the_stack() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let leaf = if open == "[" { "" } else { "1" };
            let deep = format!("{}{leaf}{}", open.repeat(100_000), close.repeat(100_000));
            let line = format!("{{\"x\":{deep},\"m\":\"seen\"}}");
            assert_eq!(read_one(line.as_bytes(), "m"), Ok(Some(b"seen".to_vec())));
            assert_eq!(one(&line, "m"), "seen");
        }
    }

    #[test]
    fn what_is_not_one_object_is_refused_and_leaves_nothing_behind() {
        let arena = Bump::new();
        for line in [
            &b"{\"m\":1"[..],
            b"[1]",
            b"",
            b"{\"m\":1} x",
            b"{\"m\":1,}",
            b"\"m\"",
        ] {
            let mut event = Event::new();
            let mut resolve = |_: &str| Some(Field::MESSAGE);
            assert!(read(line, &arena, &mut resolve, &mut event).is_err());
            assert!(event.values().is_empty());
        }
    }
}
