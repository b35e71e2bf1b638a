//! What the events that a rule counts have in common: the action and outcome
//! that all its detections ask for. Known from the rules alone, so that an
//! alert can say what was done, and nothing is kept per event for it.

use super::unit::members;
use crate::rule::{Body, Condition, Detection, Item, Literal, RuleSet, Search};

/// A chain deeper than this says nothing; loading refuses cycles.
const DEPTH: usize = 8;

/// `(ECS name, value)` of action and outcome; empty when the detections differ
/// or do not say both.
pub(crate) fn deed(rules: &RuleSet, rule: usize) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<Option<[String; 2]>> = Vec::new();
    leaves(rules, rule, DEPTH, &mut found);
    match found.split_first() {
        Some((Some([action, outcome]), rest))
            if rest.iter().flatten().count() == rest.len()
                && rest
                    .iter()
                    .flatten()
                    .all(|[a, o]| a == action && o == outcome) =>
        {
            vec![
                ("event.action".to_owned(), action.clone().into_bytes()),
                ("event.outcome".to_owned(), outcome.clone().into_bytes()),
            ]
        }
        _ => Vec::new(),
    }
}

/// What each detection below a rule asks for.
fn leaves(rules: &RuleSet, at: usize, depth: usize, found: &mut Vec<Option<[String; 2]>>) {
    let Some(rule) = rules.rules.get(at) else {
        return;
    };
    if let Body::Detection(detection) = &rule.body {
        found.push(asked(detection));
        return;
    }
    if depth == 0 {
        found.push(None);
        return;
    }
    let mut members = members(rule);
    if let Body::Baseline(baseline) = &rule.body
        && baseline.count_only.as_deref() == Some("never_succeeded")
        && let [counted @ .., _] = members
    {
        // The last of them is what takes events out of the count.
        members = counted;
    }
    for member in members {
        leaves(rules, member.rule, depth - 1, found);
    }
}

/// The places of the searches that a condition does not negate.
fn wanted(condition: &Condition, places: &mut Vec<usize>) {
    match condition {
        Condition::Not(_) => {}
        Condition::And(parts) | Condition::Or(parts) => {
            for part in parts {
                wanted(part, places);
            }
        }
        Condition::Search(at) => places.push(*at),
        Condition::Of(_, all) => places.extend(all),
    }
}

fn asked(detection: &Detection) -> Option<[String; 2]> {
    let mut places = Vec::new();
    for condition in &detection.conditions {
        wanted(condition, &mut places);
    }
    let one = |field: &str| {
        let searches = detection.searches.iter().enumerate();
        let searches = searches.filter(|(at, _)| places.contains(at));
        let mut values = searches.filter_map(|(_, (_, search))| value(search, field));
        let first = values.next()?;
        values.next().is_none().then_some(first)
    };
    Some([one("event.action")?, one("event.outcome")?])
}

/// The one plain value that a search asks of a field.
fn value(search: &Search, field: &str) -> Option<String> {
    match search {
        Search::All(all) => all.iter().find_map(|search| value(search, field)),
        Search::Item(Item {
            field: Some(name),
            modifiers,
            values,
            ..
        }) if name == field && modifiers.is_empty() => match values.as_slice() {
            [Literal::Text(text)] if !text.contains(['*', '?', '\\']) => Some(text.clone()),
            _ => None,
        },
        Search::Any(_) | Search::Item(_) => None,
    }
}
