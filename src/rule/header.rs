//! The header that rules of all kinds share: Sigma's, and two keys of ours.

use std::collections::BTreeMap;

use super::catalogue as codes;
use super::keys::{Keys, nearest, suggest, text, texts};
use super::model::{Header, Level, Status};
use super::report::Report;
use super::yaml::{Node, Value};

/// Header keys of Sigma 2.1 and ours, and the keys of the kinds.
const KNOWN: &[&str] = &[
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "author",
    "references",
    "date",
    "modified",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
    "blindspots",
    "tuning",
    "logsource",
    "detection",
    "correlation",
    "filter",
    "baseline",
    "action",
];

/// `related: type:`, as the specification lists them.
const RELATIONS: &[&str] = &[
    "derived",
    "obsolete",
    "merged",
    "renamed",
    "similar",
    "correlation",
];

/// Reads the header; every key that is left becomes a custom attribute.
pub(super) fn header(keys: &mut Keys<'_>, report: &mut Report<'_>) -> Header {
    let title = keys.need("title", "Failed logins from one address", report);
    let mut header = Header {
        title: title
            .and_then(|n| text(n, "title", report))
            .unwrap_or_default(),
        id: id(keys, report),
        name: one(keys, "name", report),
        description: one(keys, "description", report).unwrap_or_default(),
        license: one(keys, "license", report),
        date: date(keys, "date", report),
        modified: date(keys, "modified", report),
        ..Header::default()
    };
    header.author = many(keys, "author", report).join(", ");
    header.references = many(keys, "references", report);
    header.tags = many(keys, "tags", report);
    header.falsepositives = many(keys, "falsepositives", report);
    header.blindspots = many(keys, "blindspots", report);
    header.tuning = many(keys, "tuning", report);
    header.fields = many(keys, "fields", report);
    header.scope = many(keys, "scope", report);
    if let Some(status) = word(keys, "status", STATUSES, report) {
        header.status = status;
    }
    if let Some(level) = word(keys, "level", LEVELS, report) {
        header.level = level;
        header.level_stated = true;
    }
    header.related = related(keys, report);
    taxonomy(keys, report);
    action(keys, report);
    header.custom = custom(keys, report);
    header
}

const STATUSES: &[(&str, Status)] = &[
    ("stable", Status::Stable),
    ("test", Status::Test),
    ("experimental", Status::Experimental),
    ("deprecated", Status::Deprecated),
    ("unsupported", Status::Unsupported),
];

const LEVELS: &[(&str, Level)] = &[
    ("informational", Level::Informational),
    ("low", Level::Low),
    ("medium", Level::Medium),
    ("high", Level::High),
    ("critical", Level::Critical),
];

fn one(keys: &mut Keys<'_>, name: &str, report: &mut Report<'_>) -> Option<String> {
    let node = keys.take(name).filter(|n| !n.is_null())?;
    text(node, name, report)
}

fn many(keys: &mut Keys<'_>, name: &str, report: &mut Report<'_>) -> Vec<String> {
    let Some(node) = keys.take(name) else {
        return Vec::new();
    };
    let texts = texts(node, name, report);
    texts.into_iter().map(|(text, _)| text).collect()
}

/// One of a few words.
fn word<T: Copy>(
    keys: &mut Keys<'_>,
    name: &str,
    words: &[(&str, T)],
    report: &mut Report<'_>,
) -> Option<T> {
    let node = keys.take(name).filter(|n| !n.is_null())?;
    let text = text(node, name, report)?;
    let found = words.iter().find(|(word, _)| *word == text);
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("`{text}` is not a {name}");
        report.error(codes::BAD_VALUE, node.at, message, suggest(&text, &known));
    }
    found.map(|(_, value)| *value)
}

fn id(keys: &mut Keys<'_>, report: &mut Report<'_>) -> Option<String> {
    let node = keys.take("id").filter(|n| !n.is_null())?;
    let id = text(node, "id", report)?;
    if !is_uuid(&id) {
        let message = format!("the id `{id}` is not a UUID");
        let remedy = "make one with `uuidgen`; a name to refer to goes under `name:`";
        report.error(codes::BAD_VALUE, node.at, message, remedy);
    }
    Some(id.to_ascii_lowercase())
}

/// 8-4-4-4-12 hexadecimal digits.
pub(super) fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths = parts.iter().map(|p| p.len());
    lengths.eq([8, 4, 4, 4, 12])
        && parts
            .iter()
            .all(|p| p.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `2024-01-31`; rules from before Sigma 2 write `2024/01/31`.
fn date(keys: &mut Keys<'_>, name: &str, report: &mut Report<'_>) -> Option<String> {
    let node = keys.take(name).filter(|n| !n.is_null())?;
    let date = text(node, name, report)?.replace('/', "-");
    let parts: Vec<&str> = date.split('-').collect();
    let number = |at: usize| {
        parts
            .get(at)
            .and_then(|p| p.parse::<u32>().ok())
            .unwrap_or(0)
    };
    let digits = date.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let sound = parts.len() == 3
        && digits
        && parts.first().is_some_and(|year| year.len() == 4)
        && (1..=12).contains(&number(1))
        && (1..=31).contains(&number(2));
    if !sound {
        let message = format!("{name} `{date}` is not a date");
        report.error(codes::BAD_VALUE, node.at, message, "write it as YYYY-MM-DD");
    }
    Some(date)
}

fn related(keys: &mut Keys<'_>, report: &mut Report<'_>) -> Vec<(String, String)> {
    let Some(node) = keys.take("related").filter(|n| !n.is_null()) else {
        return Vec::new();
    };
    let Value::List(items) = &node.value else {
        super::keys::wrong_type(node, "related", "a list of `{id, type}`", report);
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| relation(item, report))
        .collect()
}

fn relation(item: &Node, report: &mut Report<'_>) -> Option<(String, String)> {
    let mut keys = Keys::of(item, "an entry of `related`", report)?;
    let id = text(keys.need("id", "a UUID", report)?, "id", report)?;
    let node = keys.need("type", "similar", report)?;
    let kind = text(node, "type", report)?;
    if !RELATIONS.contains(&kind.as_str()) {
        let message = format!("`{kind}` is not a relation of rules");
        // Says nothing about what is found: `obsoletes` was right in Sigma 1.
        report.warn(
            codes::BAD_VALUE,
            node.at,
            message,
            suggest(&kind, RELATIONS),
        );
    }
    Some((id, kind))
}

fn taxonomy(keys: &mut Keys<'_>, report: &mut Report<'_>) {
    let Some(node) = keys.take("taxonomy").filter(|n| !n.is_null()) else {
        return;
    };
    match text(node, "taxonomy", report) {
        Some(name) if name != "sigma" => {
            let message = format!("the taxonomy `{name}` is not known");
            let remedy = "convert the field names to Sigma's and remove `taxonomy:`";
            report.error(codes::TAXONOMY, node.at, message, remedy);
        }
        _ => {}
    }
}

fn action(keys: &mut Keys<'_>, report: &mut Report<'_>) {
    if let Some(node) = keys.take("action") {
        let message = "`action:` documents left Sigma with version 2";
        let remedy = "write each rule out in a document of its own, separated by `---`";
        report.error(codes::LEGACY, node.at, message, remedy);
    }
}

fn custom(keys: &Keys<'_>, report: &mut Report<'_>) -> BTreeMap<String, String> {
    let mut custom = BTreeMap::new();
    for (key, node) in keys.rest() {
        if let Some(known) = nearest(&key.text, KNOWN) {
            let message = format!("`{}` is not a key that tipstaff reads", key.text);
            let remedy = format!("did you mean `{known}`?");
            report.warn(codes::MAYBE_TYPO, key.at, message, remedy);
        }
        if let Value::Scalar(value) = &node.value {
            custom.insert(key.text.clone(), value.text.clone());
        }
    }
    custom
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_thirty_two_digits_in_five_groups() {
        assert!(is_uuid("5d0f0f3e-6a5f-4d55-9a5d-0a4f6c6b1d11"));
        assert!(!is_uuid("5d0f0f3e6a5f4d559a5d0a4f6c6b1d11"));
        assert!(!is_uuid("5d0f0f3e-6a5f-4d55-9a5d-0a4f6c6b1dzz"));
    }
}
