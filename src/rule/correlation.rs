//! `correlation:` documents, Sigma 2.1's.

use super::catalogue as codes;
use super::condition::{Names, condition};
use super::keys::{Keys, number, span, suggest, text, texts};
use super::model::{Bound, Condition, Correlation, Operator};
use super::reference::{Alias, Reference, aliases, generate, group_by, missing, rules};
use super::report::Report;
use super::yaml::{Node, Value};
use crate::time::Span;

/// What a type of correlation needs.
struct Kind {
    name: &'static str,
    /// `condition: field:`.
    field: bool,
    /// A comparison; the temporal types can do without.
    bounds: bool,
    /// May have a boolean condition over its rules.
    temporal: bool,
}

const fn kind(name: &'static str, field: bool, bounds: bool) -> Kind {
    Kind {
        name,
        field,
        bounds,
        temporal: !bounds,
    }
}

/// The types of Sigma 2.1, and `value_median`, which pySigma adds.
const KINDS: &[Kind] = &[
    kind("event_count", false, true),
    kind("value_count", true, true),
    kind("temporal", false, false),
    kind("temporal_ordered", false, false),
    kind("value_sum", true, true),
    kind("value_avg", true, true),
    kind("value_percentile", true, true),
    kind("value_median", true, true),
];

const OPERATORS: &[(&str, Operator)] = &[
    ("gt", Operator::Gt),
    ("gte", Operator::Gte),
    ("lt", Operator::Lt),
    ("lte", Operator::Lte),
    ("eq", Operator::Eq),
    ("neq", Operator::Neq),
];

/// Reads the body; references are resolved later.
pub(super) fn correlation(
    node: &Node,
    outer_generate: Option<&Node>,
    report: &mut Report<'_>,
) -> (Correlation, Vec<Reference>, Vec<Alias>) {
    let mut found = Correlation {
        kind: String::new(),
        members: Vec::new(),
        group_by: Vec::new(),
        timespan: Span::ZERO,
        bounds: Vec::new(),
        fields: Vec::new(),
        percentile: None,
        condition: None,
        generate: false,
    };
    let Some(mut keys) = Keys::of(node, "correlation", report) else {
        return (found, Vec::new(), Vec::new());
    };
    let kind = keys
        .need("type", "event_count", report)
        .and_then(|node| kind_of(node, report));
    let node = keys.take("condition").filter(|n| !n.is_null());
    let rules = match named(node, kind, report).filter(|_| !keys.has("rules")) {
        Some(rules) => rules,
        None => rules(&mut keys, report),
    };
    found.group_by = group_by(&mut keys, report).unwrap_or_default();
    if let Some(node) = keys.need("timespan", "5m", report) {
        found.timespan = span(node, "timespan", report).unwrap_or(Span::ZERO);
    }
    let aliases = aliases(&mut keys, report);
    found.generate = generate(&mut keys, outer_generate, report);
    if let Some(kind) = kind {
        kind.name.clone_into(&mut found.kind);
        match node {
            Some(node) => conditions(node, kind, &rules, &mut found, report),
            None if kind.bounds => {
                let message = format!("a {} needs a condition", kind.name);
                missing(
                    &keys,
                    codes::COMPARISON,
                    &message,
                    "add `condition: {gte: 10}`",
                    report,
                );
            }
            None => {}
        }
    }
    let known = [
        "type",
        "rules",
        "group-by",
        "timespan",
        "condition",
        "aliases",
        "generate",
    ];
    keys.done("a correlation", &known, report);
    (found, rules, aliases)
}

/// The rules that a temporal condition names, in its order: it may stand
/// without `rules:`.
fn named(node: Option<&Node>, kind: Option<&Kind>, report: &Report<'_>) -> Option<Vec<Reference>> {
    let node = node.filter(|_| kind.is_some_and(|kind| kind.temporal))?;
    let Value::Scalar(scalar) = &node.value else {
        return None;
    };
    let mut found: Vec<Reference> = Vec::new();
    let words = scalar
        .text
        .split(|c: char| c.is_whitespace() || c == '(' || c == ')');
    for name in words.filter(|word| !matches!(*word, "" | "and" | "or" | "not")) {
        if found.iter().all(|known| known.name != name) {
            found.push(Reference {
                name: name.to_owned(),
                at: report.location(node.at),
            });
        }
    }
    (!found.is_empty()).then_some(found)
}

fn kind_of(node: &Node, report: &mut Report<'_>) -> Option<&'static Kind> {
    let name = text(node, "type", report)?;
    let kind = KINDS.iter().find(|kind| kind.name == name);
    if kind.is_none() {
        let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        let message = format!("`{name}` is not a type of correlation");
        report.error(
            codes::CORRELATION_TYPE,
            node.at,
            message,
            suggest(&name, &known),
        );
    }
    kind
}

fn conditions(
    node: &Node,
    kind: &Kind,
    rules: &[Reference],
    found: &mut Correlation,
    report: &mut Report<'_>,
) {
    if let Value::Scalar(scalar) = &node.value {
        if kind.temporal {
            found.condition = extended(&scalar.text, node, rules, report);
        } else {
            let message = format!("the condition of a {} is a comparison", kind.name);
            report.error(
                codes::COMPARISON,
                node.at,
                message,
                "write it like `{gte: 10}`",
            );
        }
        return;
    }
    let Some(mut keys) = Keys::of(node, "condition", report) else {
        return;
    };
    found.bounds = bounds(&mut keys, report);
    if let Some(node) = keys.take("field") {
        let fields = texts(node, "field", report);
        found.fields = fields.into_iter().map(|(field, _)| field).collect();
    }
    if let Some(node) = keys.take("percentile") {
        found.percentile = number(node, "percentile", 0.0..=100.0, report);
    }
    if kind.field && found.fields.is_empty() {
        let message = format!("a {} needs the field whose values it looks at", kind.name);
        let remedy = "add `field: name` to the condition";
        missing(&keys, codes::COMPARISON, &message, remedy, report);
    }
    if found.bounds.is_empty() && kind.bounds {
        let remedy = "add one, such as `gte: 10`; two make a range";
        missing(
            &keys,
            codes::COMPARISON,
            "the condition compares nothing",
            remedy,
            report,
        );
    }
    if kind.name == "value_percentile" && found.percentile.is_none() {
        // The specification's own example names none, so it has to load.
        let message = "which percentile is not said, so it is the 50th";
        let remedy = "add `percentile: 95` to the condition";
        report.warn(codes::PERCENTILE, node.at, message, remedy);
        found.percentile = Some(50.0);
    }
    let known = ["gt", "gte", "lt", "lte", "eq", "neq", "field", "percentile"];
    keys.done("a condition", &known, report);
}

/// `a and not b` over the correlation's rules.
fn extended(
    text: &str,
    node: &Node,
    rules: &[Reference],
    report: &mut Report<'_>,
) -> Option<Condition> {
    let names: Vec<String> = rules.iter().map(|r| r.name.clone()).collect();
    let names = Names {
        all: &names,
        what: "rule",
        timeframe: None,
    };
    condition(text, node.at, &names, report)
}

/// Every comparison of a map, in the order of [`OPERATORS`].
pub(super) fn bounds(keys: &mut Keys<'_>, report: &mut Report<'_>) -> Vec<Bound> {
    let mut bounds = Vec::new();
    for &(name, operator) in OPERATORS {
        let node = keys.take(name);
        let value = node.and_then(|n| number(n, name, f64::MIN..=f64::MAX, report));
        bounds.extend(value.map(|value| Bound { operator, value }));
    }
    bounds
}
