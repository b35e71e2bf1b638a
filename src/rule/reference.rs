//! What correlations, baselines and filters say of other rules, before it is
//! known where those are.

use super::catalogue as codes;
use super::keys::{Keys, first_line, text, texts};
use super::model::{Location, Rule};
use super::report::Report;
use super::yaml::{Node, Value};

/// A document that is read, with its references still by name.
#[derive(Debug)]
pub(super) struct Draft {
    /// The rule; its members and targets are empty until it is linked.
    pub(super) rule: Rule,
    /// What its `rules:` say.
    pub(super) rules: Vec<Reference>,
    /// What its `aliases:` say.
    pub(super) aliases: Vec<Alias>,
}

/// The id or name of another rule.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) at: Location,
}

/// A name for what each rule calls differently.
#[derive(Clone, Debug)]
pub(super) struct Alias {
    pub(super) name: String,
    pub(super) fields: Vec<(Reference, String)>,
    pub(super) at: Location,
}

impl Draft {
    /// Its title, for messages.
    pub(super) fn title(&self) -> &str {
        &self.rule.header.title
    }
}

/// `rules:`, which must name at least one.
pub(super) fn rules(keys: &mut Keys<'_>, report: &mut Report<'_>) -> Vec<Reference> {
    let Some(node) = keys.need("rules", "[ssh_login_failed]", report) else {
        return Vec::new();
    };
    let named = texts(node, "rules", report);
    if named.is_empty() {
        let remedy = "name at least one rule by its `id:` or `name:`";
        report.error(codes::EMPTY, node.at, "`rules:` is empty", remedy);
    }
    let refer = |(name, at)| Reference {
        name,
        at: report.location(at),
    };
    named.into_iter().map(refer).collect()
}

/// `group-by:` as written, and whether it is there at all.
pub(super) fn group_by(keys: &mut Keys<'_>, report: &mut Report<'_>) -> Option<Vec<String>> {
    let node = keys.take("group-by")?;
    let fields = texts(node, "group-by", report);
    Some(fields.into_iter().map(|(field, _)| field).collect())
}

/// `aliases: {alias: {rule: field}}`.
pub(super) fn aliases(keys: &mut Keys<'_>, report: &mut Report<'_>) -> Vec<Alias> {
    let Some(node) = keys.take("aliases").filter(|n| !n.is_null()) else {
        return Vec::new();
    };
    let Some(all) = Keys::of(node, "aliases", report) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (key, node) in all.rest() {
        let Value::Map(map) = &node.value else {
            let message = format!("the alias `{}` is not a map of rules and fields", key.text);
            let remedy = "write `alias: {rule_a: field_a, rule_b: field_b}`";
            report.error(codes::ALIAS, node.at, message, remedy);
            continue;
        };
        let mut fields = Vec::new();
        for (rule, field) in map {
            let at = report.location(rule.at);
            let name = rule.text.clone();
            fields.extend(text(field, "the field", report).map(|f| (Reference { name, at }, f)));
        }
        found.push(Alias {
            name: key.text.clone(),
            fields,
            at: report.location(key.at),
        });
    }
    found
}

/// `generate:`, at either of the places where it is found.
pub(super) fn generate(
    inner: &mut Keys<'_>,
    outer: Option<&Node>,
    report: &mut Report<'_>,
) -> bool {
    let node = inner.take("generate").or(outer).filter(|n| !n.is_null());
    node.and_then(|n| super::keys::boolean(n, "generate", report))
        .unwrap_or(false)
}

/// An error about a whole map, pointing at where it starts.
pub(super) fn missing(
    keys: &Keys<'_>,
    code: &'static str,
    message: &str,
    remedy: &str,
    report: &mut Report<'_>,
) {
    report.error(code, first_line(keys.at), message, remedy);
}
