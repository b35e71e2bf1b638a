//! Messages told apart by how they begin: most programs' log lines are a
//! fixed beginning, and what follows it is read by a function of its own.

use super::Verdict;
use super::token::{cut, cut_last, number, trim_start};
use crate::event::Event;
use crate::field::Field;

/// What is done with what follows a beginning.
pub(super) enum Shape {
    /// It is read; an error says why it cannot be.
    Read(for<'a> fn(&'a [u8], &mut Event<'a>) -> Result<(), &'static str>),
    /// It may be anything.
    Takes(for<'a> fn(&'a [u8], &mut Event<'a>)),
}

/// A reader's reason for a line that only begins like its own.
pub(super) const ANOTHER: &str = "another kind of line";

/// Reads a text by the first beginning that it has.
pub(super) fn read<'a>(
    shapes: &[(&[u8], Shape)],
    text: &'a [u8],
    event: &mut Event<'a>,
) -> Verdict {
    // The first byte alone rules most beginnings out.
    let found = shapes
        .iter()
        .filter(|(first, _)| first.first() == text.first())
        .find_map(|(first, shape)| Some((text.strip_prefix(*first)?, shape)));
    let read = match found {
        None => return Verdict::NotMine,
        Some((rest, Shape::Read(read))) => read(rest, event),
        Some((rest, Shape::Takes(take))) => {
            take(rest, event);
            Ok(())
        }
    };
    match read {
        Ok(()) => Verdict::Event,
        Err(ANOTHER) => Verdict::NotMine,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `'word'` or `word`: the word.
pub(super) fn unquoted(text: &[u8]) -> &[u8] {
    let bare = text
        .strip_prefix(b"'")
        .or_else(|| text.strip_prefix(b"`"))
        .and_then(|text| text.strip_suffix(b"'"));
    bare.unwrap_or(text)
}

/// Sets `user.name` where there is one.
pub(super) fn set_user<'a>(user: &'a [u8], event: &mut Event<'a>) {
    if !user.is_empty() {
        event.text(Field::USER_NAME, user);
    }
}

/// One word that is not empty: what a program's own account names are.
pub(super) fn word(text: &[u8]) -> Option<&[u8]> {
    (!text.is_empty() && !text.contains(&b' ')).then_some(text)
}

/// The only place where a separator could be meant: the text before it and
/// after it, where `sound` holds; none where there is no such place or a second.
pub(super) fn only_cut<'a>(
    text: &'a [u8],
    separator: &[u8],
    sound: impl Fn(&'a [u8], &'a [u8]) -> bool,
) -> Option<(&'a [u8], &'a [u8])> {
    let mut found = memchr::memmem::find_iter(text, separator).filter_map(|at| {
        let (before, after) = (text.get(..at)?, text.get(at + separator.len()..)?);
        sound(before, after).then_some((before, after))
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// `[812] May  1 10:00:00 `, which programs put before their words when they
/// write to their own standard error: the pid, the stamp, and what follows.
pub(super) fn pid_and_stamp(text: &[u8]) -> Option<(i64, &[u8], &[u8])> {
    let (pid, rest) = cut(text.strip_prefix(b"[")?, b"] ")?;
    let pid = number(pid)?;
    let (stamp, rest) = rest.split_at_checked(15)?;
    let colons = stamp.get(9) == Some(&b':') && stamp.get(12) == Some(&b':');
    colons.then_some((pid, stamp, rest.strip_prefix(b" ")?))
}

/// `KEY=value, KEY=value`: the value of a key, where it stands once.
pub(super) fn value_of<'a>(text: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let (before, rest) = cut(text, key)?;
    let begins = before.is_empty() || before.ends_with(b", ") || before.ends_with(b" ");
    let twice = cut_last(rest, key).is_some();
    let end = memchr::memmem::find(rest, b", ").unwrap_or(rest.len());
    let value = trim_start(rest.get(..end)?);
    (begins && !twice).then_some(value)
}

/// What a line's unit tests show of it: the verdict, its time (`-` for none),
/// the format that took it, and fields by `|`.
#[cfg(test)]
pub(super) fn seen(line: &str, context: &super::Context, fields: &[Field]) -> Seen {
    let arena = bumpalo::Bump::new();
    let mut event = Event::new();
    let parsed = super::parse(line.as_bytes(), context, &arena, &mut event);
    let values: Vec<String> = fields.iter().map(|&field| event.shown(field)).collect();
    Seen {
        verdict: parsed.verdict,
        format: parsed
            .format
            .map_or("-", |row| super::FORMATS[usize::from(row)].name),
        time: event.time.map_or("-".to_owned(), |time| time.to_string()),
        fields: values.join("|"),
    }
}

/// See [`seen`].
#[cfg(test)]
pub(super) struct Seen {
    pub(super) verdict: Verdict,
    pub(super) format: &'static str,
    pub(super) time: String,
    pub(super) fields: String,
}

/// What a message's unit tests show of it: the verdict, and fields by `|`.
#[cfg(test)]
pub(super) fn shown(
    format: &super::Format,
    program: &str,
    text: &str,
    fields: &[Field],
) -> (Verdict, String) {
    let super::Parser::Message(parse) = format.parse else {
        panic!("{} reads whole lines", format.name);
    };
    let mut event = Event::new();
    let message = super::Message {
        program: program.as_bytes(),
        text: text.as_bytes(),
    };
    let verdict = super::dispatch::sound(parse(message, &mut event), &event);
    let values: Vec<String> = fields.iter().map(|&field| event.shown(field)).collect();
    (verdict, values.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_that_stands_twice_is_none() {
        let any = |_: &[u8], _: &[u8]| true;
        assert_eq!(
            only_cut(b"a as b", b" as ", any),
            Some((&b"a"[..], &b"b"[..]))
        );
        assert_eq!(only_cut(b"a as b as c", b" as ", any), None);
        assert_eq!(only_cut(b"a", b" as ", any), None);
    }

    #[test]
    fn a_key_that_stands_twice_has_no_value() {
        assert_eq!(value_of(b"name=a, UID=7", b"UID="), Some(&b"7"[..]));
        assert_eq!(value_of(b"name=a, UID=7, UID=8", b"UID="), None);
        assert_eq!(value_of(b"name=aUID=7", b"UID="), None);
    }
}
