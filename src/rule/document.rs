//! One YAML document becomes a draft of a rule of its kind.

use sha2::{Digest, Sha256};

use super::baseline::baseline;
use super::catalogue as codes;
use super::correlation::correlation;
use super::detection::{detection, logsource};
use super::header::header;
use super::keys::{Keys, first_line, nearest};
use super::load::LoadOptions;
use super::model::{Body, Condition, Detection, Filter, Rule};
use super::reference::{Alias, Draft, Reference};
use super::report::Report;
use super::yaml::{Document, Map, Node, Place, Value};

/// The kinds of documents by the key that makes them so.
const KINDS: &[&str] = &["detection", "correlation", "filter", "baseline"];

/// Reads a document. `None` when it is empty or of no kind at all.
pub(super) fn draft(
    document: &Document,
    options: &LoadOptions,
    report: &mut Report<'_>,
) -> Option<Draft> {
    if document.root.is_null() {
        return None;
    }
    let mut keys = Keys::of(&document.root, "the document", report)?;
    let Value::Map(map) = &document.root.value else {
        return None;
    };
    let kind = kind_of(map, document.root.at, report)?;
    let node = keys.take(kind)?;
    let source_node = match kind {
        "detection" | "filter" => keys.need("logsource", "{product: linux, service: sshd}", report),
        _ => {
            if let Some(node) = keys.take("logsource") {
                let message = format!("a {kind} has no logsource of its own; this one is ignored");
                let remedy = "remove it; the rules it refers to say which logs";
                report.warn(codes::UNKNOWN_KEY, node.at, message, remedy);
            }
            None
        }
    };
    let generate = match kind {
        "correlation" | "baseline" => keys.take("generate"),
        _ => None,
    };
    let (body, rules, aliases) = body(kind, node, source_node, generate, options, report);
    let header = header(&mut keys, report);
    let text = report.source.get(document.root.at.start..document.end);
    let rule = Rule {
        header,
        body,
        at: report.location(first_line(document.root.at)),
        hash: version(&[text.unwrap_or("").trim_end().as_bytes()]),
    };
    Some(Draft {
        rule,
        rules,
        aliases,
    })
}

/// First half of the SHA-256: what tells one version of a rule from the next.
pub(super) fn version(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut version = [0; 16];
    for (to, from) in version.iter_mut().zip(digest) {
        *to = from;
    }
    version
}

fn kind_of(map: &Map, at: Place, report: &mut Report<'_>) -> Option<&'static str> {
    let mut kinds = KINDS
        .iter()
        .filter(|kind| map.iter().any(|(key, _)| key.text == **kind));
    let kind = kinds.next();
    if let Some(other) = kinds.next() {
        let message = format!(
            "a document cannot have `{}:` and `{other}:`",
            kind.unwrap_or(&"")
        );
        let remedy = "split it into two documents, separated by `---`";
        report.error(codes::NOT_A_RULE, first_line(at), message, remedy);
        return None;
    }
    if kind.is_none() {
        if let Some((key, _)) = map.iter().find(|(key, _)| key.text == "action") {
            let message = "`action:` documents left Sigma with version 2";
            let remedy = "write each rule out in a document of its own, separated by `---`";
            report.error(codes::LEGACY, key.at, message, remedy);
            return None;
        }
        let near = map.iter().find_map(|(key, _)| nearest(&key.text, KINDS));
        let remedy = match near {
            Some(known) => format!("did you mean `{known}:`?"),
            None => "add `detection:`, or move the file out of the rules folder".to_owned(),
        };
        let message = "this is no rule: it has no detection, correlation, filter or baseline";
        report.error(codes::NOT_A_RULE, first_line(at), message, remedy);
    }
    kind.copied()
}

fn body(
    kind: &str,
    node: &Node,
    source_node: Option<&Node>,
    generate: Option<&Node>,
    options: &LoadOptions,
    report: &mut Report<'_>,
) -> (Body, Vec<Reference>, Vec<Alias>) {
    match kind {
        "correlation" => {
            let (correlation, rules, aliases) = correlation(node, generate, report);
            (Body::Correlation(correlation), rules, aliases)
        }
        "baseline" => {
            let (baseline, rules, aliases) = baseline(node, generate, options, report);
            (Body::Baseline(baseline), rules, aliases)
        }
        "filter" => {
            let (filter, rules) = filter(node, source_node, options, report);
            (Body::Filter(filter), rules, Vec::new())
        }
        _ => {
            let found = sourced(node, source_node, &[], options, report);
            (Body::Detection(found), Vec::new(), Vec::new())
        }
    }
}

/// A detection with its logsource.
fn sourced(
    node: &Node,
    source_node: Option<&Node>,
    own: &[&str],
    options: &LoadOptions,
    report: &mut Report<'_>,
) -> Detection {
    let source = source_node.map(|node| logsource(node, report));
    let mut found = detection(node, own, options, report);
    found.logsource = source.unwrap_or_default();
    found
}

fn filter(
    node: &Node,
    source_node: Option<&Node>,
    options: &LoadOptions,
    report: &mut Report<'_>,
) -> (Filter, Vec<Reference>) {
    let mut keys = Keys::of(node, "filter", report);
    let any = keys
        .as_mut()
        .and_then(|keys| keys.take("rules"))
        .is_some_and(|node| matches!(&node.value, Value::Scalar(s) if s.text == "any"));
    let rules = match &mut keys {
        Some(keys) if !any => super::reference::rules(keys, report),
        _ => Vec::new(),
    };
    let detection = sourced(node, source_node, &["rules"], options, report);
    let keeps = |c: &Condition| matches!(c, Condition::Search(_) | Condition::Of(..));
    if !detection.conditions.is_empty() && detection.conditions.iter().all(keeps) {
        let message = "this filter keeps only what its searches describe";
        let remedy = "to leave that out instead, start the condition with `not`";
        let at = keys.as_mut().and_then(|keys| keys.take("condition"));
        report.warn(
            codes::FILTER_SENSE,
            at.map_or(node.at, |n| n.at),
            message,
            remedy,
        );
    }
    let filter = Filter {
        rules: Vec::new(),
        any,
        detection,
    };
    (filter, rules)
}
