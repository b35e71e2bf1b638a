//! Detections that cannot do what they say: never true, or true of anything.

use super::catalogue as codes;
use super::diagnostic::{Diagnostic, Severity, visible};
use super::model::{Condition, Detection, Item, Literal, Modifier, Rule, Search, Selector};

/// What of it is told about a rule; `known` says whether any log of the rule
/// has a field.
pub(super) fn reach(
    rule: &Rule,
    detection: &Detection,
    known: &impl Fn(&str) -> bool,
    found: &mut Vec<Diagnostic>,
) {
    for (_, search) in &detection.searches {
        items(search, &mut |item| wildcard(rule, item, found));
    }
    for condition in &detection.conditions {
        for filter in kept(condition, detection) {
            let message = format!("`{filter}` is what must be there, and not left out");
            let remedy = format!("write `not {filter}`, or call the search by what it selects");
            warn(found, codes::FILTER_SENSE, rule, &message, &remedy);
        }
    }
    let mut missing = Vec::new();
    let searches = detection.searches.iter();
    let searches: Vec<Option<bool>> = searches
        .map(|(_, search)| value_of(search, known, &mut missing))
        .collect();
    let never = detection.conditions.iter();
    let mut never = never.map(|condition| holds(condition, &searches));
    if !missing.is_empty() && never.all(|value| value == Some(false)) {
        missing.sort_unstable();
        missing.dedup();
        let named = format!("`{}`", missing.join("`, `"));
        let message = format!("this can never fire: no log of its logsource has {named}");
        let remedy = "see `tipstaff fields` for what there is, or leave the rule out";
        warn(found, codes::NEVER, rule, &message, remedy);
    }
}

fn warn(found: &mut Vec<Diagnostic>, code: &'static str, rule: &Rule, message: &str, remedy: &str) {
    found.push(Diagnostic {
        severity: Severity::Warning,
        code,
        message: visible(&format!("\"{}\": {message}", rule.header.title)),
        at: Some(rule.at.clone()),
        remedy: visible(remedy),
    });
}

/// Tells every item of a search.
fn items(search: &Search, tell: &mut impl FnMut(&Item)) {
    match search {
        Search::All(parts) | Search::Any(parts) => {
            for part in parts {
                items(part, tell);
            }
        }
        Search::Item(item) => tell(item),
    }
}

/// A value that any other value of the field meets as well.
fn wildcard(rule: &Rule, item: &Item, found: &mut Vec<Diagnostic>) {
    let has = |modifier| item.modifiers.contains(&modifier);
    let plain = |m: &Modifier| {
        use Modifier as M;
        matches!(
            m,
            M::Contains | M::StartsWith | M::EndsWith | M::All | M::Cased | M::WinDash
        )
    };
    if !item.modifiers.iter().all(plain) {
        return;
    }
    let opened = has(Modifier::Contains) || has(Modifier::StartsWith) || has(Modifier::EndsWith);
    let any = |value: &&Literal| match value {
        Literal::Text(text) => {
            let stars = text.chars().all(|c| c == '*');
            stars
                && (opened || (!text.is_empty() && (item.values.len() > 1 || item.field.is_none())))
        }
        _ => false,
    };
    if item.values.iter().find(any).is_none() {
        return;
    }
    let field = item.field.as_deref().unwrap_or("a keyword");
    let message = format!("a value of `{field}` is met by whatever is there");
    let remedy = "remove the value; to ask only that there is one, write `'*'` alone";
    warn(found, codes::MATCHES_ALL, rule, &message, remedy);
    if let Some(last) = found.last_mut() {
        last.at = Some(item.at.clone());
    }
}

/// Searches called `filter...` that the condition wants to hold.
fn kept(condition: &Condition, detection: &Detection) -> Vec<String> {
    let mut kept = Vec::new();
    let named = |at: &usize| {
        let name = detection.searches.get(*at).map(|(name, _)| name.clone());
        name.filter(|name| name.starts_with("filter"))
    };
    match condition {
        Condition::And(parts) => {
            for part in parts {
                kept.extend(self::kept(part, detection));
            }
        }
        Condition::Search(at) => kept.extend(named(at)),
        // `1 of them` and `a or filter` ask for nothing in particular, and what
        // a negation holds may be meant either way.
        Condition::Of(..) | Condition::Or(_) | Condition::Not(_) => {}
    }
    // A rule that only has filters calls its selections so.
    let other = |(name, _): &(String, Search)| !name.starts_with("filter");
    if detection.searches.iter().any(other) {
        kept
    } else {
        Vec::new()
    }
}

/// What a search comes to when fields that are not known are absent; `None`
/// when that depends on the event.
fn value_of(
    search: &Search,
    known: &impl Fn(&str) -> bool,
    missing: &mut Vec<String>,
) -> Option<bool> {
    match search {
        Search::All(parts) => all(parts.iter().map(|part| value_of(part, known, missing))),
        Search::Any(parts) => any(parts.iter().map(|part| value_of(part, known, missing))),
        Search::Item(item) => {
            let field = item.field.as_deref().filter(|field| !known(field))?;
            missing.push(field.to_owned());
            let one = |value: &Literal| match value {
                Literal::Null => true,
                Literal::Bool(wanted) => item.modifiers.contains(&Modifier::Exists) && !*wanted,
                _ => false,
            };
            let met = if item.modifiers.contains(&Modifier::All) {
                item.values.iter().all(one)
            } else {
                item.values.iter().any(one)
            };
            Some(met != item.modifiers.contains(&Modifier::Neq))
        }
    }
}

fn holds(condition: &Condition, searches: &[Option<bool>]) -> Option<bool> {
    let search = |at: &usize| searches.get(*at).copied().flatten();
    match condition {
        Condition::Not(inner) => holds(inner, searches).map(|value| !value),
        Condition::And(parts) => all(parts.iter().map(|part| holds(part, searches))),
        Condition::Or(parts) => any(parts.iter().map(|part| holds(part, searches))),
        Condition::Search(at) => search(at),
        Condition::Of(Selector::Any, places) => any(places.iter().map(search)),
        Condition::Of(Selector::All, places) if places.is_empty() => Some(false),
        Condition::Of(Selector::All, places) => all(places.iter().map(search)),
    }
}

/// All hold, one does not, or it depends. Every part is looked at.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut whole = Some(true);
    for part in parts {
        whole = match (whole, part) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
    }
    whole
}

/// One holds, none does, or it depends.
fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(parts.map(|part| part.map(|value| !value))).map(|value| !value)
}

#[cfg(test)]
mod tests {
    use crate::rule::{LoadOptions, load_text};

    /// Codes told about a detection on sshd's log.
    fn told(detection: &str) -> Vec<&'static str> {
        let text = format!(
            "title: a\nid: 0e95725d-7320-415d-80f7-004da920fc11\ndescription: d\n\
             falsepositives: [f]\nlevel: low\nlogsource: {{product: linux, service: sshd}}\n\
             detection: {detection}\n"
        );
        let options = LoadOptions {
            lint: true,
            ..LoadOptions::default()
        };
        let loaded = load_text("a.yml", &text, &options).unwrap();
        loaded.warnings.into_iter().map(|d| d.code).collect()
    }

    #[test]
    fn a_rule_that_needs_what_no_log_has_can_never_fire() {
        let never = ["LNT017", "LNT018"];
        assert_eq!(told("{s: {Colour: red}, condition: s}"), never);
        assert_eq!(
            told("{s: {user.name: x, Colour: red}, condition: s}"),
            never
        );
        assert_eq!(
            told("{s: {user.name: x}, t: {Colour: null}, condition: s and not t}"),
            never
        );
        // These can.
        let slip = ["LNT017"];
        assert_eq!(
            told("{s: {user.name: x}, t: {Colour: red}, condition: s or t}"),
            slip
        );
        assert_eq!(
            told("{s: {user.name: x}, t: {Colour: red}, condition: s and not t}"),
            slip
        );
        assert_eq!(
            told("{s: {user.name: x, Colour: null}, condition: s}"),
            slip
        );
        assert_eq!(
            told("{s: {user.name: x, Colour|exists: false}, condition: s}"),
            slip
        );
    }

    #[test]
    fn a_value_that_anything_meets_is_told() {
        for useless in [
            "user.name|contains: ''",
            "user.name|endswith: '*'",
            "user.name: [a, '*']",
        ] {
            assert_eq!(
                told(&format!("{{s: {{{useless}}}, condition: s}}")),
                ["LNT019"],
                "{useless}"
            );
        }
        let nothing: [&str; 0] = [];
        for useful in [
            "user.name: '*'",
            "user.name: ''",
            "user.name|contains: 'a*'",
            "user.name|re: ''",
        ] {
            assert_eq!(
                told(&format!("{{s: {{{useful}}}, condition: s}}")),
                nothing,
                "{useful}"
            );
        }
    }

    #[test]
    fn a_filter_that_must_hold_is_told() {
        let both = |condition| {
            told(&format!(
                "{{s: {{user.name: a}}, filter_main: {{user.name: b}}, condition: {condition}}}"
            ))
        };
        assert_eq!(both("s and filter_main"), ["LNT014"]);
        let nothing: [&str; 0] = [];
        assert_eq!(both("s and not filter_main"), nothing);
        assert_eq!(both("s and not 1 of filter_*"), nothing);
        assert_eq!(both("not (s and filter_main)"), nothing);
        assert_eq!(told("{filter: {user.name: a}, condition: filter}"), nothing);
    }
}
