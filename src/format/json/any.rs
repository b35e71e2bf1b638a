//! Any JSON object, for the names that a rule set knows.

use bumpalo::Bump;
use bumpalo::collections::{String as BumpString, Vec as BumpVec};

use super::scan::{elements, entries};
use super::text::{parsed, unescaped, valid_text};
use super::{DEPTH_MAX, Raw, push_key};
use crate::event::{Event, Value};
use crate::field::{Field, Names};

/// Reads any JSON object for a rule set's names: a key of exactly that name
/// at the top, else the nested path; arrays of objects on the path give the
/// list of what is in them. All values, whatever their names, become the list
/// of the field `words`, if one is given, each by itself: keywords search them,
/// and must match neither a key nor across two values.
pub fn any<'a>(
    line: &'a [u8],
    arena: &'a Bump,
    names: &Names,
    words: Option<Field>,
    event: &mut Event<'a>,
) -> Result<(), &'static str> {
    let text = valid_text(line, arena);
    let mut reader = Any {
        arena,
        names,
        typed: words.is_none(),
        arrays: 0,
        found: BumpVec::new_in(arena),
        words: BumpVec::new_in(arena),
    };
    let mut path = BumpString::new_in(arena);
    entries(text, &mut |key, value| {
        path.clear();
        push_key(&mut path, key, arena);
        reader.keep(&path, value, 0);
    })?;
    reader.object(text, 0, 0, &mut path)?;
    let Any {
        found, words: all, ..
    } = reader;
    if let Some(words) = words {
        event.set(words, Value::List(all.into_bump_slice()));
    }
    for (at, &(field, value, array)) in found.iter().enumerate() {
        if event.get(field).is_some() {
            continue;
        }
        let rest = found.get(at..).unwrap_or_default();
        let mut all = rest.iter().filter(|f| f.0 == field && f.2 == array);
        if array == 0 || all.nth(1).is_none() {
            event.set(field, value);
        } else {
            let all = rest.iter().filter(|f| f.0 == field && f.2 == array);
            let mut list = BumpVec::new_in(arena);
            list.extend(all.map(|f| f.1));
            event.set(field, Value::List(list.into_bump_slice()));
        }
    }
    Ok(())
}

struct Any<'a, 'n> {
    arena: &'a Bump,
    names: &'n Names,
    /// Whether the table's fields get its types. To one who tries a rule,
    /// values are as they are written: `007` is no 7.
    typed: bool,
    /// Arrays of objects met so far; numbers them from 1.
    arrays: u32,
    /// Field, value, and the outermost array that it was found in (0 for none).
    found: BumpVec<'a, (Field, Value<'a>, u32)>,
    words: BumpVec<'a, Value<'a>>,
}

impl<'a> Any<'a, '_> {
    fn keep(&mut self, path: &str, raw: &'a str, array: u32) {
        let Some(field) = self.names.get(path) else {
            return;
        };
        let value = match (field.info(), Raw(raw).value(self.arena)) {
            (Some(info), Value::Text(text)) if self.typed => {
                parsed(text, info.kind).unwrap_or(Value::Text(text))
            }
            (_, value) => value,
        };
        self.found.push((field, value, array));
    }

    fn object(
        &mut self,
        raw: &'a str,
        depth: usize,
        array: u32,
        path: &mut BumpString<'a>,
    ) -> Result<(), &'static str> {
        let stem = if depth == 0 { 0 } else { path.len() };
        entries(raw, &mut |key, value| {
            path.truncate(stem);
            push_key(path, key, self.arena);
            if depth > 0 {
                self.keep(path, value, array);
            }
            self.inside(value, depth, array, path);
        })
    }

    fn inside(&mut self, raw: &'a str, depth: usize, array: u32, path: &mut BumpString<'a>) {
        let stem = path.len();
        match raw.as_bytes().first() {
            Some(b'{') if depth + 1 < DEPTH_MAX => {
                let _valid = self.object(raw, depth + 1, array, path);
            }
            Some(b'[') if depth + 1 < DEPTH_MAX => {
                let array = if array == 0 {
                    self.arrays += 1;
                    self.arrays
                } else {
                    array
                };
                let _valid = elements(raw, &mut |value| {
                    path.truncate(stem);
                    self.inside(value, depth + 1, array, path);
                });
            }
            Some(b'n') | None => {}
            Some(b'"') => {
                let text = unescaped(raw, self.arena);
                self.words.push(Value::Text(text.as_bytes()));
            }
            Some(_) => self.words.push(Value::Text(raw.as_bytes())),
        }
    }
}
