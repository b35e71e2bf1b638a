//! Where in a value an item's text stands, for people who ask why a rule
//! matched. Not for the hot path: it looks at one value at a time.

use std::collections::BTreeMap;
use std::ops::Range;

use regex_automata::Input;

use super::modifier::{self, Asked, Test};
use super::pattern::{self, Token};
use super::regexes::Regexes;
use crate::rule::Item;

/// Most steps of one search: a pattern of many `*` ends without an answer.
const STEPS_MAX: usize = 1 << 16;

/// The bytes of `text` by which any of the item's values is met; the whole
/// text where its value as a number, network or time counts. `None` when
/// nothing is, or when the item asks for an absence.
pub fn place(
    item: &Item,
    lists: &BTreeMap<String, Vec<String>>,
    text: &[u8],
) -> Option<Range<usize>> {
    let question = modifier::question(item, lists).ok()?;
    question.values.iter().find_map(|asked| match asked {
        Asked::Tests(tests) => tests.iter().find_map(|test| of_test(test, text)),
        Asked::Nothing | Asked::Absent => None,
    })
}

fn of_test(asked: &Test, text: &[u8]) -> Option<Range<usize>> {
    match asked {
        Test::Text { tokens, cased } => of_pattern(tokens, *cased, text),
        Test::Regex(pattern) => {
            let mut regexes = Regexes::default();
            let place = regexes.add(pattern).ok()?;
            let found = regexes.list.get(place)?.search(&Input::new(text))?;
            Some(found.range())
        }
        // What is compared as a whole; that it holds is known.
        Test::Int(_)
        | Test::Number(..)
        | Test::Cidr(_)
        | Test::Part(..)
        | Test::Exists
        | Test::Present
        | Test::Other { .. } => Some(0..text.len()),
    }
}

/// Where the pattern stands without the `*` at its ends.
fn of_pattern(tokens: &[Token], cased: bool, text: &[u8]) -> Option<Range<usize>> {
    let (folded, origin) = if cased {
        (text.to_vec(), (0..=text.len()).collect())
    } else {
        folded(text)
    };
    let open_start = tokens.first() == Some(&Token::Any);
    let inner = tokens.get(usize::from(open_start)..)?;
    let open_end = inner.last() == Some(&Token::Any);
    let inner = inner.get(..inner.len() - usize::from(open_end))?;
    let starts = if open_start { folded.len() } else { 0 };
    let mut steps = 0;
    (0..=starts).find_map(|start| {
        let end = end_of(inner, &folded, start, open_end, &mut steps)?;
        Some(*origin.get(start)?..*origin.get(end)?)
    })
}

/// Folded text, and for each of its bytes (and its end) where it comes from.
fn folded(text: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let (mut out, mut origin) = (Vec::new(), Vec::new());
    let mut at = 0;
    for chunk in text.utf8_chunks() {
        let chars = chunk.valid().chars().map(char::len_utf8);
        for len in chars.chain(chunk.invalid().iter().map(|_| 1)) {
            pattern::fold(text.get(at..at + len).unwrap_or_default(), &mut out);
            origin.resize(out.len(), at);
            at += len;
        }
    }
    origin.push(text.len());
    (out, origin)
}

/// Where a match that begins at `at` ends: the first such place, or the text's
/// end where nothing may follow.
fn end_of(
    tokens: &[Token],
    text: &[u8],
    at: usize,
    open: bool,
    steps: &mut usize,
) -> Option<usize> {
    *steps += 1;
    if *steps > STEPS_MAX {
        return None;
    }
    let Some((token, rest)) = tokens.split_first() else {
        return (open || at == text.len()).then_some(at);
    };
    if *token == Token::Any {
        let mut from = at..=text.len();
        return from.find_map(|at| end_of(rest, text, at, open, steps));
    }
    let left = pattern::take(token, text.get(at..)?)?.len();
    end_of(rest, text, text.len() - left, open, steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Literal, Modifier};

    fn at(modifiers: &[Modifier], value: &str, text: &str) -> Option<String> {
        let item = Item {
            field: Some("A".to_owned()),
            modifiers: modifiers.to_vec(),
            values: vec![Literal::Text(value.to_owned())],
            at: crate::rule::Location::default(),
        };
        let range = place(&item, &BTreeMap::new(), text.as_bytes())?;
        Some(text[range].to_owned())
    }

    #[test]
    fn the_bytes_are_those_that_the_value_is_met_by() {
        use Modifier as M;
        let cases: [(&[M], &str, &str, &str); 10] = [
            (&[M::Contains], "SHADOW", "cat /etc/shadow", "shadow"),
            (&[M::Contains], r"C:\\Win", r"run C:\Windows", r"C:\Win"),
            (&[M::Contains], "a*c?", "xxabbcdcc", "abbcd"),
            (&[M::EndsWith], ".sh", "/tmp/x.sh.SH", ".SH"),
            (&[M::StartsWith], "/tmp/", "/tmp/x", "/tmp/"),
            (&[], "*tmp*", "/TMP/x", "TMP"),
            // Folded, the dotted capital I is longer than it was.
            (&[M::Contains], "äö", "İİÄÖx", "ÄÖ"),
            (&[M::Re], "[0-9]+", "ab 12 3", "12"),
            (
                &[M::Base64Offset, M::Contains],
                "ping",
                "xxcGluZyAx",
                "cGluZ",
            ),
            (&[M::WinDash, M::Contains], " -f ", "rm /f x", " /f "),
        ];
        for (modifiers, value, text, expected) in cases {
            assert_eq!(
                at(modifiers, value, text).as_deref(),
                Some(expected),
                "{value}"
            );
        }
        assert_eq!(at(&[M::EndsWith], ".sh", "x.shx"), None);
        assert_eq!(
            at(
                &[M::EndsWith],
                &format!("{}b", "a*".repeat(30)),
                &"a".repeat(300)
            ),
            None
        );
    }
}
