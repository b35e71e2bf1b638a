//! Why a rule matches an event, or why not: its condition as a tree.
//!
//! Every item of every search, and every value of an item, is compiled as a
//! rule of its own by the same detector that judges the whole, so that the
//! explanation cannot disagree with the verdict.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::rules;
use super::terminal::Terminal;
use super::{Exit, exit::Failure};
use crate::detector::{self, Detector, Options, Route, Scratch};
use crate::escape::{Escaped, shortened};
use crate::event::{Event, Value};
use crate::field::Names;
use crate::rule::{Body, Condition, Detection, Item, Literal, Rule, RuleSet, Search, Selector};
use crate::sync::Arc;

/// Longest part of a value that is shown, in characters.
const SHOWN: usize = 60;

/// Value lists for `expand`.
type Lists = BTreeMap<String, Vec<String>>;

/// What a tree is shown over.
struct Shown<'a> {
    event: &'a Event<'a>,
    names: &'a Names,
    lists: &'a Lists,
}

/// Rules taken apart.
pub(super) struct Explainer {
    detector: Arc<Detector>,
    scratch: Scratch,
    lists: Lists,
    /// By rule, its trees.
    rules: Vec<Vec<Node>>,
}

/// A part of a condition; atoms are places in the explainer's own rule set.
enum Node {
    All(String, Vec<Node>),
    Any(String, Vec<Node>),
    Not(Box<Node>),
    Item(ItemNode),
}

struct ItemNode {
    /// `user.name|contains`.
    label: String,
    field: Option<String>,
    atom: u32,
    /// The item with each value alone, and its atom.
    values: Vec<(Item, u32)>,
}

impl Explainer {
    /// Takes rules apart and compiles the parts.
    pub(super) fn new(set: &RuleSet, terminal: Terminal) -> Result<Explainer, Failure> {
        let mut parts = RuleSet {
            rules: Vec::new(),
            lists: set.lists.clone(),
        };
        let rules = set
            .rules
            .iter()
            .map(|rule| match &rule.body {
                Body::Detection(detection) => trees(rule, detection, &mut parts),
                _ => Vec::new(),
            })
            .collect();
        let options = Options {
            route: Route::All,
            ..Options::default()
        };
        let detector = rules::compile_or_tell(&parts, options, terminal)?;
        if parts.rules.is_empty() {
            let what = "there is no detection to explain";
            return Err(Failure::new(
                Exit::Rules,
                what,
                "name a rule with `detection:`",
            ));
        }
        Ok(Explainer {
            scratch: detector.scratch(),
            lists: set.lists.clone(),
            detector,
            rules,
        })
    }

    /// The fields that an event must be read with.
    pub(super) fn names(&self) -> Names {
        self.detector.projection().names.clone()
    }

    /// One rule's tree over an event that was read with [`Explainer::names`].
    pub(super) fn explain(&mut self, rule: usize, event: &Event<'_>, names: &Names) -> String {
        let mut met = self
            .detector
            .matches(event, &mut self.scratch, None)
            .to_vec();
        met.sort_unstable();
        let met = |atom: u32| met.binary_search(&atom).is_ok();
        let shown = Shown {
            event,
            names,
            lists: &self.lists,
        };
        let mut text = String::new();
        for tree in self.rules.get(rule).into_iter().flatten() {
            show(tree, &met, &shown, 1, &mut text);
        }
        text
    }
}

/// A detection's conditions, any of which suffices.
fn trees(rule: &Rule, detection: &Detection, parts: &mut RuleSet) -> Vec<Node> {
    let conditions = detection.conditions.iter();
    conditions
        .map(|condition| tree(rule, detection, condition, parts))
        .collect()
}

fn tree(rule: &Rule, detection: &Detection, condition: &Condition, parts: &mut RuleSet) -> Node {
    let several = |list: &[Condition], parts: &mut RuleSet| -> Vec<Node> {
        let each = list.iter();
        each.map(|c| tree(rule, detection, c, parts)).collect()
    };
    let named = |places: &[usize], parts: &mut RuleSet| -> Vec<Node> {
        let each = places.iter().filter_map(|&at| detection.searches.get(at));
        each.map(|(name, search)| searched(rule, detection, name, search, parts))
            .collect()
    };
    match condition {
        Condition::Not(inner) => Node::Not(Box::new(tree(rule, detection, inner, parts))),
        Condition::And(list) => Node::All("and".into(), several(list, parts)),
        Condition::Or(list) => Node::Any("or".into(), several(list, parts)),
        Condition::Search(at) => named(&[*at], parts)
            .pop()
            .unwrap_or_else(|| Node::Any("nothing".into(), Vec::new())),
        Condition::Of(Selector::Any, places) => Node::Any("1 of".into(), named(places, parts)),
        // Of no searches at all none can hold.
        Condition::Of(Selector::All, places) if places.is_empty() => {
            Node::Any("all of nothing".into(), Vec::new())
        }
        Condition::Of(Selector::All, places) => Node::All("all of".into(), named(places, parts)),
    }
}

fn searched(
    rule: &Rule,
    detection: &Detection,
    name: &str,
    search: &Search,
    parts: &mut RuleSet,
) -> Node {
    let mut several = |list: &[Search]| -> Vec<Node> {
        let each = list.iter();
        each.map(|s| searched(rule, detection, "", s, parts))
            .collect()
    };
    match search {
        Search::All(list) => Node::All(name.to_owned(), several(list)),
        Search::Any(list) => Node::Any(name.to_owned(), several(list)),
        Search::Item(item) => {
            let node = Node::Item(atom_node(rule, detection, item, parts));
            if name.is_empty() {
                node
            } else {
                Node::All(name.to_owned(), vec![node])
            }
        }
    }
}

fn atom_node(rule: &Rule, detection: &Detection, item: &Item, parts: &mut RuleSet) -> ItemNode {
    let field = item.field.as_deref().unwrap_or("keywords").to_owned();
    let modifiers = item.modifiers.iter();
    let modifiers = modifiers.map(|modifier| format!("{modifier:?}").to_lowercase());
    let label: Vec<String> = [field].into_iter().chain(modifiers).collect();
    let values = item.values.iter().map(|value| {
        let single = Item {
            values: vec![value.clone()],
            ..item.clone()
        };
        let atom = atom(rule, detection, single.clone(), parts);
        (single, atom)
    });
    let values = values.collect();
    ItemNode {
        label: label.join("|"),
        field: item.field.clone(),
        atom: atom(rule, detection, item.clone(), parts),
        values,
    }
}

/// A rule that asks one item and nothing else: its place.
fn atom(rule: &Rule, detection: &Detection, item: Item, parts: &mut RuleSet) -> u32 {
    let detection = Detection {
        searches: vec![("item".to_owned(), Search::Item(item))],
        conditions: vec![Condition::Search(0)],
        ..detection.clone()
    };
    let place = u32::try_from(parts.rules.len()).unwrap_or(u32::MAX);
    parts.rules.push(Rule {
        body: Body::Detection(detection),
        ..rule.clone()
    });
    place
}

fn holds(node: &Node, met: &impl Fn(u32) -> bool) -> bool {
    match node {
        Node::All(_, parts) => parts.iter().all(|part| holds(part, met)),
        Node::Any(_, parts) => parts.iter().any(|part| holds(part, met)),
        Node::Not(inner) => !holds(inner, met),
        Node::Item(item) => met(item.atom),
    }
}

fn show(node: &Node, met: &impl Fn(u32) -> bool, over: &Shown<'_>, depth: usize, out: &mut String) {
    let (indent, verdict) = ("  ".repeat(depth), holds(node, met));
    // Writing to a String cannot fail.
    match node {
        Node::All(name, parts) | Node::Any(name, parts) => {
            let how = match node {
                Node::Any(..) if parts.len() > 1 => " (any)",
                _ => "",
            };
            let name = Escaped(name.as_bytes());
            let _ = writeln!(out, "{verdict:<5} {indent}{name}{how}");
            for part in parts {
                show(part, met, over, depth + 1, out);
            }
        }
        Node::Not(inner) => {
            let _ = writeln!(out, "{verdict:<5} {indent}not");
            show(inner, met, over, depth + 1, out);
        }
        Node::Item(item) => {
            let seen = seen(item, over.event, over.names);
            let label = Escaped(item.label.as_bytes());
            let _ = writeln!(out, "{verdict:<5} {indent}{label} on {seen}");
            for (one, atom) in &item.values {
                let place = met(*atom).then(|| place(item, one, over)).flatten();
                let place = place.unwrap_or_default();
                let value = one.values.first().map(spelled).unwrap_or_default();
                let _ = writeln!(out, "{:<5} {indent}  {value}{place}", met(*atom));
            }
        }
    }
}

/// What the event has in the item's field.
fn seen(item: &ItemNode, event: &Event<'_>, names: &Names) -> String {
    let Some(field) = &item.field else {
        return "all values".to_owned();
    };
    match names.get(field).and_then(|field| event.get(field)) {
        None => "nothing: the event has no such field".to_owned(),
        Some(value) => worded(&value),
    }
}

fn worded(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("\"{}\"", shortened(text, SHOWN)),
        Value::Ip(ip) => ip.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Float(n) => n.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Net(net) => net.to_string(),
        Value::List(values) => {
            let values: Vec<_> = values.iter().take(5).map(worded).collect();
            format!("[{}]", values.join(", "))
        }
    }
}

fn spelled(value: &Literal) -> String {
    match value {
        Literal::Text(text) => format!("\"{}\"", shortened(text.as_bytes(), SHOWN)),
        Literal::Int(n) => n.to_string(),
        Literal::Float(n) => n.to_string(),
        Literal::Bool(yes) => yes.to_string(),
        Literal::Null => "null".to_owned(),
    }
}

/// ` at bytes 4..9 of "..."`: where the value is met in the first of the
/// event's values that does so.
fn place(item: &ItemNode, one: &Item, over: &Shown<'_>) -> Option<String> {
    let (event, names, lists) = (over.event, over.names, over.lists);
    let mut texts = Vec::new();
    match item.field.as_ref().map(|field| names.get(field)) {
        Some(field) => collect(event.get(field?)?, &mut texts),
        None => event
            .values()
            .iter()
            .for_each(|(_, value)| collect(*value, &mut texts)),
    }
    texts.into_iter().find_map(|text| {
        let found = detector::place(one, lists, text)?;
        let around = shortened(text.get(found.clone())?, SHOWN);
        Some(format!(
            " at bytes {}..{}: \"{around}\"",
            found.start, found.end
        ))
    })
}

fn collect<'a>(value: Value<'a>, texts: &mut Vec<&'a [u8]>) {
    match value {
        Value::Text(text) => texts.push(text),
        Value::List(values) => values.iter().for_each(|value| collect(*value, texts)),
        _ => {}
    }
}
