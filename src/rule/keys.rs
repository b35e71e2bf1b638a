//! Reads a map's keys one by one, and knows which nobody asked for.

use super::catalogue as codes;
use super::report::Report;
use super::scalar::Scalar;
use super::yaml::{Key, Map, Node, Place, Value};
use crate::time::Span;

/// Longest window or half-life: ten years, so that sums of times cannot overflow.
const SPAN_MAX: Span = Span::DAY.times(3650);

/// A map of which keys are taken.
pub(super) struct Keys<'n> {
    map: &'n Map,
    taken: Vec<bool>,
    /// Where the map stands.
    pub(super) at: Place,
}

impl<'n> Keys<'n> {
    /// The node's keys; an error when it is no map.
    pub(super) fn of(node: &'n Node, what: &str, report: &mut Report<'_>) -> Option<Keys<'n>> {
        let Value::Map(map) = &node.value else {
            wrong_type(node, what, "a map of keys and values", report);
            return None;
        };
        Some(Keys {
            map,
            taken: vec![false; map.len()],
            at: node.at,
        })
    }

    /// The value of a key, if the map has it.
    pub(super) fn take(&mut self, name: &str) -> Option<&'n Node> {
        let (at, (_, node)) = self
            .map
            .iter()
            .enumerate()
            .find(|(_, (key, _))| key.text == name)?;
        if let Some(taken) = self.taken.get_mut(at) {
            *taken = true;
        }
        Some(node)
    }

    /// Whether the map has a key that says something.
    pub(super) fn has(&self, name: &str) -> bool {
        let mut entries = self.map.iter();
        entries.any(|(key, node)| key.text == name && !node.is_null())
    }

    /// The value of a key, which must be there.
    pub(super) fn need(
        &mut self,
        name: &str,
        example: &str,
        report: &mut Report<'_>,
    ) -> Option<&'n Node> {
        let node = self.take(name).filter(|node| !node.is_null());
        if node.is_none() {
            let message = format!("`{name}:` is missing");
            let remedy = format!("add it, such as `{name}: {example}`");
            report.error(codes::MISSING_KEY, first_line(self.at), message, remedy);
        }
        node
    }

    /// What has not been taken.
    pub(super) fn rest(&self) -> impl Iterator<Item = (&'n Key, &'n Node)> {
        let entries = self.map.iter().zip(&self.taken);
        entries
            .filter(|(_, taken)| !**taken)
            .map(|((k, n), _)| (k, n))
    }

    /// An error for each key that has not been taken.
    pub(super) fn done(&self, what: &str, known: &[&str], report: &mut Report<'_>) {
        for (key, _) in self.rest() {
            let message = format!("`{}` is not a key of {what}", key.text);
            let remedy = suggest(&key.text, known);
            report.error(codes::UNKNOWN_KEY, key.at, message, remedy);
        }
    }
}

/// Only the start of a map, to point at it without marking all its lines.
pub(super) fn first_line(at: Place) -> Place {
    Place {
        end: at.start + usize::from(at.end > at.start),
        ..at
    }
}

/// An error that says what is there and what should be.
pub(super) fn wrong_type(node: &Node, what: &str, wanted: &str, report: &mut Report<'_>) {
    let message = format!("{what} is {}, but should be {wanted}", node.kind());
    let remedy = format!("write {wanted} here");
    report.error(codes::WRONG_TYPE, node.at, message, remedy);
}

/// A single value that is not null.
pub(super) fn scalar<'n>(
    node: &'n Node,
    what: &str,
    report: &mut Report<'_>,
) -> Option<&'n Scalar> {
    match &node.value {
        Value::Scalar(s) if !s.is_null() => Some(s),
        _ => {
            wrong_type(node, what, "a single value", report);
            None
        }
    }
}

/// A single value's text.
pub(super) fn text(node: &Node, what: &str, report: &mut Report<'_>) -> Option<String> {
    scalar(node, what, report).map(|s| s.text.clone())
}

/// A list of texts with their places; a single text is a list of one, null is empty.
pub(super) fn texts(node: &Node, what: &str, report: &mut Report<'_>) -> Vec<(String, Place)> {
    match &node.value {
        Value::List(items) => items
            .iter()
            .filter_map(|item| Some((text(item, what, report)?, item.at)))
            .collect(),
        Value::Scalar(s) if s.is_null() => Vec::new(),
        Value::Scalar(s) => vec![(s.text.clone(), node.at)],
        Value::Map(_) => {
            wrong_type(node, what, "a list", report);
            Vec::new()
        }
    }
}

/// `true` or `false`.
pub(super) fn boolean(node: &Node, what: &str, report: &mut Report<'_>) -> Option<bool> {
    let value = scalar(node, what, report)?.boolean();
    if value.is_none() {
        wrong_type(node, what, "`true` or `false`", report);
    }
    value
}

/// A number within a range.
pub(super) fn number(
    node: &Node,
    what: &str,
    range: std::ops::RangeInclusive<f64>,
    report: &mut Report<'_>,
) -> Option<f64> {
    let Some(value) = scalar(node, what, report)?.number() else {
        wrong_type(node, what, "a number without quotes", report);
        return None;
    };
    if range.contains(&value) {
        return Some(value);
    }
    let message = format!("{what} is out of range");
    let remedy = format!("use a number from {} to {}", range.start(), range.end());
    report.error(codes::BAD_VALUE, node.at, message, remedy);
    None
}

/// A length of time above zero.
pub(super) fn span(node: &Node, what: &str, report: &mut Report<'_>) -> Option<Span> {
    let text = text(node, what, report)?;
    let span = Span::parse(&text).filter(|&s| s > Span::ZERO && s <= SPAN_MAX);
    if span.is_none() {
        let message = format!("{what} `{text}` is not a length of time");
        let remedy = "use a whole number and a unit, such as `30s`, `15m`, `24h` or `7d`";
        report.error(codes::TIMESPAN, node.at, message, remedy);
    }
    span
}

/// `did you mean`, or the list of what there is.
pub(super) fn suggest(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(best) => format!("did you mean `{best}`?"),
        None => format!("use one of {}", listed(known)),
    }
}

/// Names for a message; the first twelve of many.
pub(super) fn listed(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().copied().take(12).collect();
    let dots = if names.len() > shown.len() {
        ", ..."
    } else {
        ""
    };
    format!("{}{dots}", shown.join(", "))
}

/// The known word that differs least, if it differs by a slip or two.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let lower = word.to_lowercase().replace('_', "-");
    let slips = |k: &str| distance(&lower, &k.to_lowercase().replace('_', "-"));
    let best = known.iter().min_by_key(|k| slips(k))?;
    // In short words a slip makes another word: `a1` is not a misspelt `a2`.
    let allowed = match best.chars().count() {
        0..=3 => 0,
        4 | 5 => 1,
        _ => 2,
    };
    (slips(best) <= allowed).then_some(best)
}

/// Levenshtein's distance, with a swap of neighbours as one slip (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let get = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let change = get(&above, j) + usize::from(x != y);
            let shift = get(&above, j + 1).min(get(&row, j)) + 1;
            let mut best = change.min(shift);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(get(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    get(&above, b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["contains", "startswith", "re", "all"];
        assert_eq!(nearest("contians", &known), Some("contains"));
        assert_eq!(nearest("Contains", &known), Some("contains"));
        assert_eq!(nearest("startwith", &known), Some("startswith"));
        assert_eq!(nearest("banana", &known), None);
        assert_eq!(distance("abc", "acb"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
