//! `baseline:` documents: what is unusual for an entity. Our own kind, so
//! unlike Sigma's every unknown key is an error.

use super::catalogue as codes;
use super::correlation::bounds;
use super::keys::{Keys, boolean, number, span, suggest, text};
use super::load::{LoadOptions, Need, Statistic};
use super::model::{Baseline, Bound, Learn, Operator};
use super::reference::{Alias, Reference, aliases, generate, group_by, missing, rules};
use super::report::Report;
use super::yaml::{Node, Value};
use crate::time::Span;

/// Most entities that one baseline may keep: at some 200 bytes each, 16
/// million are what a large machine has.
const ENTITIES_MAX: f64 = 16_000_000.0;

/// Least bits of rules that name a budget only: once in 16 tries.
const ODD: f64 = 4.0;

/// Reads the body; references are resolved later.
pub(super) fn baseline(
    node: &Node,
    outer_generate: Option<&Node>,
    options: &LoadOptions,
    report: &mut Report<'_>,
) -> (Baseline, Vec<Reference>, Vec<Alias>) {
    let mut found = Baseline {
        kind: String::new(),
        members: Vec::new(),
        group_by: Vec::new(),
        timespan: Span::HOUR,
        fields: Vec::new(),
        prevalence: None,
        count_only: None,
        value: Vec::new(),
        surprise: 0.0,
        budget: None,
        rare_only: false,
        learn: Learn::default(),
        generate: false,
    };
    let Some(mut keys) = Keys::of(node, "baseline", report) else {
        return (found, Vec::new(), Vec::new());
    };
    let kind = keys.need("type", "first_seen", report);
    found.kind = kind
        .and_then(|node| kind_of(node, options, report))
        .unwrap_or_default();
    let rules = rules(&mut keys, report);
    if let Some(fields) = group_by(&mut keys, report) {
        found.group_by = fields;
    } else {
        let remedy = "add `group-by: [user.name]`, or `group-by: []` for the whole fleet as one";
        let message = "`group-by:` is missing";
        missing(&keys, codes::MISSING_KEY, message, remedy, report);
    }
    if let Some(node) = keys.take("timespan") {
        found.timespan = span(node, "timespan", report).unwrap_or(Span::HOUR);
    }
    field(&mut keys, options, &mut found, report);
    found.count_only = keys
        .take("count-only")
        .filter(|n| !n.is_null())
        .and_then(|node| count_only(node, options, &found.kind, report));
    let aliases = aliases(&mut keys, report);
    found.generate = generate(&mut keys, outer_generate, report);
    if let Some(node) = keys.need("condition", "{surprise: {gte: 20}}", report) {
        conditions(node, options, &mut found, report);
    }
    if let Some(node) = keys.take("learn").filter(|n| !n.is_null()) {
        let row = options.statistics.iter().find(|s| s.name == found.kind);
        learn(node, &mut found.learn, row, report);
    }
    let known = [
        "type",
        "rules",
        "group-by",
        "timespan",
        "field",
        "prevalence-of",
        "count-only",
        "aliases",
        "condition",
        "learn",
        "generate",
    ];
    keys.done("a baseline", &known, report);
    (found, rules, aliases)
}

fn kind_of(node: &Node, options: &LoadOptions, report: &mut Report<'_>) -> Option<String> {
    let name = text(node, "type", report)?;
    if options.statistics.iter().all(|s| s.name != name) {
        let known: Vec<&str> = options.statistics.iter().map(|s| s.name).collect();
        let message = format!("`{name}` is not a type of baseline");
        report.error(
            codes::BASELINE_TYPE,
            node.at,
            message,
            suggest(&name, &known),
        );
    }
    Some(name)
}

fn field(
    keys: &mut Keys<'_>,
    options: &LoadOptions,
    found: &mut Baseline,
    report: &mut Report<'_>,
) {
    let field = keys.take("field").filter(|n| !n.is_null());
    let prevalence = keys.take("prevalence-of").filter(|n| !n.is_null());
    let row = options.statistics.iter().find(|s| s.name == found.kind);
    let Some(row) = row else {
        return;
    };
    for (name, node, need, example) in [
        ("field", field, row.field, "add `field: source.ip`"),
        (
            "prevalence-of",
            prevalence,
            row.prevalence,
            "add `prevalence-of: destination.ip`",
        ),
    ] {
        match (node, need) {
            (None, Some(Need::Must)) => {
                let message = format!("a {} needs `{name}:`, a field to look at", row.name);
                missing(keys, codes::MISSING_KEY, &message, example, report);
            }
            (Some(node), None) => {
                let message = format!("a {} has no use for `{name}:`", row.name);
                let remedy = format!("remove `{name}:`");
                report.error(codes::UNKNOWN_KEY, node.at, message, remedy);
            }
            _ => {}
        }
    }
    found.prevalence = prevalence.and_then(|n| text(n, "prevalence-of", report));
    found.fields = match field.map(|node| (&node.value, node)) {
        Some((Value::List(nodes), _)) if row.many => {
            let names = nodes.iter().map(|n| text(n, "field", report));
            names.collect::<Vec<_>>().into_iter().flatten().collect()
        }
        Some((_, node)) => text(node, "field", report).into_iter().collect(),
        None => Vec::new(),
    };
}

/// One of the type's words.
fn count_only(
    node: &Node,
    options: &LoadOptions,
    kind: &str,
    report: &mut Report<'_>,
) -> Option<String> {
    let row = options.statistics.iter().find(|s| s.name == kind)?;
    let word = text(node, "count-only", report)?;
    if row.only.contains(&word.as_str()) {
        return Some(word);
    }
    if row.only.is_empty() {
        let message = format!("a {kind} has no use for `count-only:`");
        report.error(codes::UNKNOWN_KEY, node.at, message, "remove `count-only:`");
    } else {
        let message = format!("`{word}` is nothing that a {kind} can count alone");
        report.error(codes::BAD_VALUE, node.at, message, suggest(&word, row.only));
    }
    None
}

/// `{value: {gte: N}, surprise: {gte: N}, budget: {alerts-per-day: N}}`.
fn conditions(node: &Node, options: &LoadOptions, found: &mut Baseline, report: &mut Report<'_>) {
    let row = options.statistics.iter().find(|s| s.name == found.kind);
    let floor = row.and_then(|row| row.floor);
    let Some(mut keys) = Keys::of(node, "condition", report) else {
        return;
    };
    if let Some(node) = keys.take("value")
        && let Some(mut inner) = Keys::of(node, "value", report)
    {
        found.value = bounds(&mut inner, report);
        inner.done("`value`", &["gt", "gte", "lt", "lte", "eq", "neq"], report);
    } else if let Some(value) = floor {
        found.value = vec![Bound {
            operator: Operator::Gte,
            value,
        }];
    } else {
        let remedy = "add `value: {gte: N}` to the condition";
        missing(
            &keys,
            codes::BASELINE_CONDITION,
            "no floor on what was observed",
            remedy,
            report,
        );
    }
    if let Some(node) = keys.take("budget")
        && let Some(mut inner) = Keys::of(node, "budget", report)
    {
        let node = inner.need("alerts-per-day", "0.2", report);
        found.budget = node.and_then(|n| number(n, "alerts-per-day", 1e-4..=1e4, report));
        let rare = inner.take("only-if-rare").filter(|n| !n.is_null());
        found.rare_only = rare.and_then(|n| boolean(n, "only-if-rare", report)) == Some(true);
        inner.done("`budget`", &["alerts-per-day", "only-if-rare"], report);
    }
    if let Some(node) = keys.take("surprise") {
        surprise(node, found, report);
    } else if found.budget.is_some() {
        // The budget decides; what is not odd at all is no alert on a quiet day either.
        found.surprise = ODD;
    } else {
        let remedy = "add `surprise: {gte: 20}`, in bits, or `budget: {alerts-per-day: 0.2}`";
        let message = "how surprising is surprising enough is not said";
        missing(&keys, codes::BASELINE_CONDITION, message, remedy, report);
    }
    keys.done(
        "a baseline's condition",
        &["value", "surprise", "budget"],
        report,
    );
}

fn surprise(node: &Node, found: &mut Baseline, report: &mut Report<'_>) {
    let Some(mut keys) = Keys::of(node, "surprise", report) else {
        return;
    };
    // A score ends at 300 bits; below 1 bit everything is surprising.
    if let Some(node) = keys.need("gte", "20", report) {
        found.surprise = number(node, "surprise", 1.0..=300.0, report).unwrap_or_default();
    }
    keys.done("`surprise`", &["gte"], report);
}

fn learn(node: &Node, learn: &mut Learn, row: Option<&Statistic>, report: &mut Report<'_>) {
    let Some(mut keys) = Keys::of(node, "learn", report) else {
        return;
    };
    if let Some(node) = keys.take("half-life") {
        learn.half_life = span(node, "half-life", report).unwrap_or(learn.half_life);
    }
    if let Some(node) = keys.take("warm-up") {
        learn.warm_up = span_or_none(node, "warm-up", report).unwrap_or(learn.warm_up);
    }
    if let Some(node) = keys.take("season") {
        learn.season = season(node, report).unwrap_or(learn.season);
    }
    if let Some(node) = keys.take("prior") {
        learn.prior = prior(node, report);
    }
    if let Some(node) = keys.take("min-evidence")
        && let Some(mut inner) = Keys::of(node, "min-evidence", report)
    {
        let node = inner.need("active-buckets", "3", report);
        learn.min_buckets = node
            .and_then(|n| whole(n, "active-buckets", 0.0..=1e6, report))
            .unwrap_or(learn.min_buckets);
        inner.done("`min-evidence`", &["active-buckets"], report);
    }
    if let Some(node) = keys.take("winsor-bits") {
        let bits = number(node, "winsor-bits", 1.0..=300.0, report);
        learn.winsor_bits = bits.unwrap_or(learn.winsor_bits);
    }
    waiting(&mut keys, learn, report);
    if let Some(node) = keys.take("max-entities") {
        let most = whole(node, "max-entities", 1.0..=ENTITIES_MAX, report);
        learn.max_entities = most
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(learn.max_entities);
    }
    if let Some(node) = keys.take("peers").filter(|n| !n.is_null()) {
        match row.filter(|row| !row.peers) {
            Some(row) => {
                let message = format!("a {} has no use for `peers:`", row.name);
                report.error(codes::UNKNOWN_KEY, node.at, message, "remove `peers:`");
            }
            None => learn.peers = text(node, "peers", report),
        }
    }
    let known = [
        "half-life",
        "warm-up",
        "season",
        "prior",
        "min-evidence",
        "winsor-bits",
        "delay",
        "on-alert",
        "max-growth",
        "max-entities",
        "peers",
    ];
    keys.done("`learn`", &known, report);
}

/// `delay: 24h`, `on-alert: hold`, `max-growth: 5%/d`: what an attacker may teach.
fn waiting(keys: &mut Keys<'_>, learn: &mut Learn, report: &mut Report<'_>) {
    if let Some(node) = keys.take("delay") {
        learn.delay = span_or_none(node, "delay", report);
    }
    if let Some(node) = keys.take("on-alert") {
        match text(node, "on-alert", report).as_deref() {
            Some("hold") => learn.hold = true,
            Some("learn") => learn.hold = false,
            Some(other) => {
                let message = format!("`{other}` is not what can be done on an alert");
                let remedy = "use `hold` (do not learn what was alerted on) or `learn`";
                report.error(codes::LEARN, node.at, message, remedy);
            }
            None => {}
        }
    }
    if let Some(node) = keys.take("max-growth")
        && let Some(text) = text(node, "max-growth", report)
    {
        let percent = text.strip_suffix("%/d").and_then(|n| n.parse::<f64>().ok());
        if let Some(percent) = percent.filter(|percent| (0.1..=100.0).contains(percent)) {
            learn.growth = percent / 100.0;
        } else {
            let message = format!("`{text}` is not a growth between 0.1 and 100 % a day");
            report.error(codes::LEARN, node.at, message, "write `max-growth: 5%/d`");
        }
    }
}

/// A span that may be zero: alert from the first event on, learn without delay.
fn span_or_none(node: &Node, what: &str, report: &mut Report<'_>) -> Option<Span> {
    match &node.value {
        Value::Scalar(s) if Span::parse(&s.text) == Some(Span::ZERO) => Some(Span::ZERO),
        _ => span(node, what, report),
    }
}

fn season(node: &Node, report: &mut Report<'_>) -> Option<bool> {
    let text = text(node, "season", report)?;
    match text.as_str() {
        "none" => Some(false),
        "hour_of_day x weekend" => Some(true),
        _ => {
            let message = format!("`{text}` is not a season");
            let remedy = "use `none` or `hour_of_day x weekend`";
            report.error(codes::LEARN, node.at, message, remedy);
            None
        }
    }
}

/// `population`, or `{shape: N, rate: N}`.
fn prior(node: &Node, report: &mut Report<'_>) -> Option<(f64, f64)> {
    if matches!(&node.value, Value::Scalar(s) if s.text == "population") {
        return None;
    }
    let Value::Map(_) = &node.value else {
        let remedy = "use `population` or `{shape: 0.05, rate: 0.6}`";
        report.error(codes::LEARN, node.at, "this is not a prior", remedy);
        return None;
    };
    let mut keys = Keys::of(node, "prior", report)?;
    let mut above_zero = |name, example| {
        let node = keys.need(name, example, report)?;
        number(node, name, 1e-6..=1e9, report)
    };
    let (shape, rate) = (above_zero("shape", "0.05"), above_zero("rate", "0.6"));
    keys.done("`prior`", &["shape", "rate"], report);
    shape.zip(rate)
}

/// A whole number within a range.
fn whole(
    node: &Node,
    what: &str,
    range: std::ops::RangeInclusive<f64>,
    report: &mut Report<'_>,
) -> Option<u32> {
    let value = number(node, what, range, report)?;
    if value.fract() > 0.0 {
        let message = format!("{what} is not a whole number");
        report.error(codes::BAD_VALUE, node.at, message, "leave the fraction out");
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and the callers' ranges are within 0 to 16 million"
    )]
    Some(value as u32)
}
