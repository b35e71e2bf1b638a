//! `logsource:` and `detection:`: searches and the condition over them.

use super::catalogue as codes;
use super::condition::{Names, condition};
use super::keys::{Keys, first_line, text, texts};
use super::load::LoadOptions;
use super::model::{Condition, Detection, Item, Literal, Logsource, Modifier, Search};
use super::modifier::{Stage, modifiers};
use super::report::Report;
use super::value::{Wanted, literal};
use super::yaml::{Key, Map, Node, Value};

/// Reads `logsource:`, which must select something.
pub(super) fn logsource(node: &Node, report: &mut Report<'_>) -> Logsource {
    let Some(mut keys) = Keys::of(node, "logsource", report) else {
        return Logsource::default();
    };
    let mut part = |name| {
        let node = keys.take(name).filter(|n| !n.is_null())?;
        let value = text(node, name, report)?;
        if value.chars().any(char::is_uppercase) {
            let message = format!("the {name} `{value}` is in upper case");
            report.warn(
                codes::UPPER_CASE,
                node.at,
                message,
                "write it in lower case",
            );
        }
        Some(value.to_lowercase())
    };
    let source = Logsource {
        product: part("product"),
        category: part("category"),
        service: part("service"),
    };
    if source == Logsource::default() {
        let message = "this logsource selects nothing";
        let remedy = "name at least one of product, category and service";
        report.error(codes::EMPTY_LOGSOURCE, first_line(node.at), message, remedy);
    }
    source
}

/// Reads the searches and condition of a detection or filter. `own` are keys
/// of the map that are neither (a filter's `rules`).
pub(super) fn detection(
    node: &Node,
    own: &[&str],
    options: &LoadOptions,
    report: &mut Report<'_>,
) -> Detection {
    let mut found = Detection {
        logsource: Logsource::default(),
        searches: Vec::new(),
        conditions: Vec::new(),
    };
    let Some(mut keys) = Keys::of(node, "the detection", report) else {
        return found;
    };
    for name in own {
        keys.take(name);
    }
    let old = keys.take("timeframe");
    let timeframe = old.and_then(|old| match &old.value {
        Value::Scalar(scalar) => Some(scalar.text.as_str()),
        _ => None,
    });
    if let Some(old) = old {
        let message = "`timeframe:` left Sigma with version 2";
        let remedy = "remove it, and add a `correlation:` document with a `timespan:`";
        report.error(codes::LEGACY, old.at, message, remedy);
    }
    let condition_node = keys.need("condition", "selection", report);
    let mut reader = Reader { options, report };
    let mut places = Vec::new();
    for (key, value) in keys.rest() {
        // A broken search still has a name, or each use of it would be a mistake too.
        let search = reader.search(value).unwrap_or(Search::Any(Vec::new()));
        found.searches.push((key.text.clone(), search));
        places.push(key);
    }
    if found.searches.is_empty() {
        let remedy = "add one, such as `selection: {event.action: ssh_login}`";
        let at = first_line(node.at);
        report.error(codes::EMPTY, at, "the detection has no search", remedy);
        return found;
    }
    if let Some(node) = condition_node {
        found.conditions = conditions(node, &found.searches, timeframe, report);
        unused(&found.conditions, &places, report);
    }
    found
}

fn conditions(
    node: &Node,
    searches: &[(String, Search)],
    timeframe: Option<&str>,
    report: &mut Report<'_>,
) -> Vec<Condition> {
    let names: Vec<String> = searches.iter().map(|(name, _)| name.clone()).collect();
    let names = Names {
        all: &names,
        what: "search",
        timeframe,
    };
    let texts = texts(node, "the condition", report);
    if texts.is_empty() {
        report.error(
            codes::EMPTY,
            node.at,
            "the list of conditions is empty",
            "name a search",
        );
    }
    let read = texts
        .into_iter()
        .filter_map(|(text, at)| condition(&text, at, &names, report));
    read.collect()
}

/// A warning for each search that no condition uses.
fn unused(conditions: &[Condition], places: &[&Key], report: &mut Report<'_>) {
    if conditions.is_empty() {
        return; // the condition's own mistake says enough
    }
    let mut used = vec![false; places.len()];
    for condition in conditions {
        mark(condition, &mut used);
    }
    for (key, _) in places.iter().zip(used).filter(|(_, used)| !used) {
        let message = format!("no condition uses `{}`", key.text);
        report.warn(
            codes::UNUSED_SEARCH,
            key.at,
            message,
            "use it, or remove it",
        );
    }
}

fn mark(condition: &Condition, used: &mut [bool]) {
    match condition {
        Condition::Not(inner) => mark(inner, used),
        Condition::And(parts) | Condition::Or(parts) => {
            for part in parts {
                mark(part, used);
            }
        }
        Condition::Search(at) => {
            if let Some(slot) = used.get_mut(*at) {
                *slot = true;
            }
        }
        Condition::Of(_, list) => {
            for at in list {
                if let Some(slot) = used.get_mut(*at) {
                    *slot = true;
                }
            }
        }
    }
}

struct Reader<'r, 'a> {
    options: &'r LoadOptions,
    report: &'r mut Report<'a>,
}

impl Reader<'_, '_> {
    /// A map is an AND of its keys, a list an OR, a single value a keyword.
    fn search(&mut self, node: &Node) -> Option<Search> {
        match &node.value {
            Value::Map(map) => self.all(node, map),
            Value::List(items) if items.is_empty() => self.empty(node),
            Value::List(items) => self.any(node, items),
            Value::Scalar(s) if s.is_null() => self.empty(node),
            Value::Scalar(_) => self.item(None, Vec::new(), Stage::Plain, node, &[node]),
        }
    }

    fn empty<T>(&mut self, node: &Node) -> Option<T> {
        let message = format!("{} gives nothing to look for", node.kind());
        let remedy =
            "name at least one value; for an absent field write `null` as the field's value";
        self.report.error(codes::EMPTY, node.at, message, remedy);
        None
    }

    fn all(&mut self, node: &Node, map: &Map) -> Option<Search> {
        if map.is_empty() {
            return self.empty(node);
        }
        let parts: Vec<Search> = map
            .iter()
            .filter_map(|(key, value)| self.field(key, value))
            .collect();
        (parts.len() == map.len()).then_some(Search::All(parts))
    }

    /// Keywords of a list form one item; maps and lists in it are searches.
    fn any(&mut self, node: &Node, items: &[Node]) -> Option<Search> {
        let (keywords, searches): (Vec<&Node>, Vec<&Node>) = items
            .iter()
            .partition(|item| matches!(item.value, Value::Scalar(_)));
        let mut parts = Vec::new();
        let mut sound = true;
        if !keywords.is_empty() {
            let item = self.item(None, Vec::new(), Stage::Plain, node, &keywords);
            sound &= item.is_some();
            parts.extend(item);
        }
        for search in searches {
            let search = self.search(search);
            sound &= search.is_some();
            parts.extend(search);
        }
        match parts.pop() {
            _ if !sound => None,
            Some(only) if parts.is_empty() => Some(only),
            Some(last) => {
                parts.push(last);
                Some(Search::Any(parts))
            }
            None => None,
        }
    }

    /// `field|modifier: values`.
    fn field(&mut self, key: &Key, value: &Node) -> Option<Search> {
        let name = key.text.split('|').next().unwrap_or("");
        let (modifiers, stage) = modifiers(&key.text, key.at, self.report)?;
        let nodes: Vec<&Node> = match &value.value {
            Value::Scalar(_) => vec![value],
            Value::List(items) if items.is_empty() => return self.empty(value),
            Value::List(items) => items.iter().collect(),
            Value::Map(_) => {
                let message = format!("the value of `{}` is a map", key.text);
                let remedy = "write the inner field's path with dots: `outer.inner: value`";
                self.report
                    .error(codes::WRONG_TYPE, value.at, message, remedy);
                return None;
            }
        };
        if nodes.len() == 1 && modifiers.contains(&Modifier::All) {
            let message = "`all` has no effect on a single value";
            self.report
                .warn(codes::ALL_OF_ONE, key.at, message, "remove it");
        }
        let bare = match stage {
            Stage::Wide => Some("end it with base64 or base64offset"),
            Stage::Encoded
                if modifiers.contains(&Modifier::Base64Offset)
                    && !modifiers.contains(&Modifier::Contains) =>
            {
                Some("add `|contains`")
            }
            _ => None,
        };
        if let Some(remedy) = bare {
            let message = "the encoded text will hardly be a whole value";
            self.report
                .warn(codes::BARE_ENCODING, key.at, message, remedy);
        }
        let field = (!name.is_empty()).then(|| name.to_owned());
        self.item(field, modifiers, stage, value, &nodes)
    }

    fn item(
        &mut self,
        field: Option<String>,
        modifiers: Vec<Modifier>,
        stage: Stage,
        whole: &Node,
        nodes: &[&Node],
    ) -> Option<Search> {
        let wanted = Wanted {
            stage,
            modifiers: &modifiers,
            keyword: field.is_none(),
            single: nodes.len() == 1,
            lists: &self.options.lists,
        };
        let values: Vec<Literal> = nodes
            .iter()
            .filter_map(|node| literal(node, &wanted, self.report))
            .collect();
        let sound = values.len() == nodes.len();
        let at = self.report.location(whole.at);
        sound.then_some(Search::Item(Item {
            field,
            modifiers,
            values,
            at,
        }))
    }
}
