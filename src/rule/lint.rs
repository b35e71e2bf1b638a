//! What a pack of rules owes the people who get its alerts.

use std::collections::BTreeMap;

use super::catalogue as codes;
use super::diagnostic::{Diagnostic, Severity, visible};
use super::keys::nearest;
use super::model::{Body, Detection, Header, Rule, RuleSet, Search};
use super::reach::reach;
use crate::field::FIELDS;

/// Namespaces of tags that Sigma 2.1 knows.
const NAMESPACES: &[&str] = &["attack", "car", "cve", "d3fend", "detection", "stp", "tlp"];

/// The tactics of ATT&CK Enterprise, and two that version 18 made of
/// defense-evasion; rules also write them with `_`.
const TACTICS: &[&str] = &[
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "defense-evasion",
    "stealth",
    "defense-impairment",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
];

/// Everything that a pack's rules lack, in the order of the rules.
pub fn lint(set: &RuleSet) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut titles: BTreeMap<&str, &Rule> = BTreeMap::new();
    for rule in &set.rules {
        header(rule, &mut found);
        match &rule.body {
            Body::Baseline(_) => baseline(rule, &mut found),
            Body::Detection(detection) => {
                fields(rule, detection, &mut found);
                let closed = is_closed(detection);
                let known = |name: &str| !closed || is_field(name);
                reach(rule, detection, &known, &mut found);
            }
            Body::Correlation(_) | Body::Filter(_) => {}
        }
        let title = rule.header.title.as_str();
        if let Some(first) = titles.get(title) {
            let path = first.at.path.display();
            let message = format!("the title is also that of {path}:{}", first.at.line);
            add(
                &mut found,
                codes::SAME_TITLE,
                rule,
                &message,
                "say what differs",
            );
        } else {
            titles.insert(title, rule);
        }
    }
    found
}

fn add(found: &mut Vec<Diagnostic>, code: &'static str, rule: &Rule, message: &str, remedy: &str) {
    found.push(Diagnostic {
        severity: Severity::Warning,
        code,
        message: visible(&format!("\"{}\": {message}", rule.header.title)),
        at: Some(rule.at.clone()),
        remedy: remedy.to_owned(),
    });
}

fn header(rule: &Rule, found: &mut Vec<Diagnostic>) {
    let header: &Header = &rule.header;
    if header.description.trim().is_empty() {
        let remedy = "say why it matters under `description:`";
        add(found, codes::NO_DESCRIPTION, rule, "no description", remedy);
    }
    let named = |text: &String| !matches!(text.trim().to_lowercase().as_str(), "" | "unknown");
    if !header.falsepositives.iter().any(named) {
        let remedy = "say what ordinary thing looks like it under `falsepositives:`";
        add(
            found,
            codes::NO_FALSEPOSITIVES,
            rule,
            "no false positives named",
            remedy,
        );
    }
    if !header.level_stated {
        let remedy = "add `level: medium`; without it the alert is informational";
        add(found, codes::NO_LEVEL, rule, "no level", remedy);
    }
    if header.id.is_none() {
        add(
            found,
            codes::NO_ID,
            rule,
            "no id",
            "add `id:` with a UUID (`uuidgen`)",
        );
    }
    if header.title.chars().count() > 256 {
        let message = "the title is longer than 256 characters";
        let remedy = "say the rest in the description";
        add(found, codes::LONG_TITLE, rule, message, remedy);
    }
    for tag in header.tags.iter().filter(|tag| !is_tag(tag)) {
        let message = format!("the tag `{tag}` is unknown to other tools");
        let remedy = format!(
            "write namespace.name, with one of {}",
            NAMESPACES.join(", ")
        );
        add(found, codes::BAD_TAG, rule, &message, &remedy);
    }
    let attack = header.tags.iter();
    for name in attack.filter_map(|tag| tag.strip_prefix("attack.")) {
        if !is_attack(name) {
            let message = format!("ATT&CK has no `{name}`");
            let remedy = "write a tactic, or a technique such as `attack.t1110.001`";
            add(found, codes::UNKNOWN_TECHNIQUE, rule, &message, remedy);
        }
    }
}

/// What stands after `attack.`: one of ATT&CK's tactics, or a number of a
/// technique, group or piece of software.
fn is_attack(name: &str) -> bool {
    let digits = |text: &str, n| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
    let (head, sub) = name.split_once('.').unwrap_or((name, "000"));
    let numbered = head.strip_prefix(['t', 'g', 's']);
    let sub_of_technique = head.starts_with('t') || !name.contains('.');
    TACTICS.contains(&name.replace('_', "-").as_str())
        || (numbered.is_some_and(|n| digits(n, 4)) && digits(sub, 3) && sub_of_technique)
}

/// `^[a-z0-9_-]+\.[a-z0-9._-]+$`, and a namespace that is known.
fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    tag.split_once('.').is_some_and(|(space, name)| {
        NAMESPACES.contains(&space) && !name.is_empty() && name.chars().all(|c| word(c) || c == '.')
    })
}

/// Fields that no event will ever have, by all that is known.
fn fields(rule: &Rule, detection: &Detection, found: &mut Vec<Diagnostic>) {
    let closed = is_closed(detection);
    let known: Vec<&str> = FIELDS.iter().map(|info| info.name).collect();
    let mut ahead: Vec<&Search> = detection.searches.iter().map(|(_, s)| s).collect();
    ahead.reverse();
    while let Some(search) = ahead.pop() {
        let item = match search {
            Search::All(parts) | Search::Any(parts) => {
                ahead.extend(parts.iter().rev());
                continue;
            }
            Search::Item(item) => item,
        };
        let Some(name) = item.field.as_deref().filter(|name| !is_field(name)) else {
            continue;
        };
        let near = nearest(name, &known).filter(|_| name.contains('.'));
        let remedy = match near {
            Some(best) => format!("did you mean `{best}`?"),
            None if closed => "see `tipstaff fields`".to_owned(),
            None => continue,
        };
        let message = format!("no log has the field `{name}`");
        add(found, codes::UNKNOWN_FIELD, rule, &message, &remedy);
        if let Some(last) = found.last_mut() {
            last.at = Some(item.at.clone());
        }
    }
}

/// Whether its logs have the table's fields and no others: so it is with
/// programs' lines. JSON, Zeek's columns and audit records bring names of
/// their own, of which only a slip is told.
fn is_closed(detection: &Detection) -> bool {
    let logsource = &detection.logsource;
    let service = logsource.service.as_deref();
    logsource.product.as_deref() == Some("linux") && service.is_some_and(|of| of != "auditd")
}

/// Whether the table has it under this name, or under one that rules of some log use.
fn is_field(name: &str) -> bool {
    let alias = |(_, alias): &(&str, &str)| *alias == name;
    let row = |info: &crate::field::FieldInfo| info.name == name || info.aliases.iter().any(alias);
    FIELDS.iter().any(row)
}

fn baseline(rule: &Rule, found: &mut Vec<Diagnostic>) {
    if rule.header.blindspots.is_empty() {
        let remedy = "say what it cannot see under `blindspots:`";
        add(
            found,
            codes::NO_BLINDSPOTS,
            rule,
            "no blind spots named",
            remedy,
        );
    }
    if rule.header.tuning.is_empty() {
        let remedy = "say which number to move, and what that costs, under `tuning:`";
        add(found, codes::NO_TUNING, rule, "no tuning advice", remedy);
    }
}

#[cfg(test)]
mod tests {
    use crate::rule::{LoadOptions, load_text};

    /// What is said of a rule that asks for this field.
    fn said(logsource: &str, field: &str) -> Vec<String> {
        let text = format!(
            "title: a\nid: 0e95725d-7320-415d-80f7-004da920fc11\ndescription: d\n\
             falsepositives: [f]\nlevel: low\nlogsource: {{{logsource}}}\n\
             detection:\n  s:\n    - {field}: root\n  condition: s\n"
        );
        let options = LoadOptions {
            lint: true,
            ..LoadOptions::default()
        };
        let loaded = load_text("a.yml", &text, &options).unwrap();
        let told = loaded.warnings.into_iter();
        let told = told.filter(|d| d.code == super::codes::UNKNOWN_FIELD);
        told.map(|d| format!("{}: {}; {}", d.code, d.message, d.remedy))
            .collect()
    }

    #[test]
    fn a_field_that_never_comes_is_told() {
        let sshd = "product: linux, service: sshd";
        let slip = r#"LNT017: "a": no log has the field `user.nam`; did you mean `user.name`?"#;
        assert_eq!(said(sshd, "user.nam"), [slip]);
        assert_eq!(said("product: zeek, service: conn", "user.nam"), [slip]);
        let unknown = r#"LNT017: "a": no log has the field `Colour`; see `tipstaff fields`"#;
        assert_eq!(said(sshd, "Colour"), [unknown]);
        let nothing: [&str; 0] = [];
        assert_eq!(said(sshd, "user.name"), nothing);
        assert_eq!(said("product: linux, service: auditd", "a7"), nothing);
        assert_eq!(said("product: zeek, service: conn", "id.orig_h"), nothing);
        assert_eq!(
            said("product: github, service: audit", "actor.login"),
            nothing
        );
    }
}
