//! YAML text as a tree that knows where each value stands.
//!
//! Built on the parser's events instead of serde, because every message has
//! to point at the very value and because Sigma tells `5` from `'5'`. A rules
//! file may be hostile or generated: aliases are expanded under a budget,
//! nesting is bounded, and duplicate keys (of which other tools keep the last
//! and lose the first in silence) are errors.

use std::collections::BTreeMap;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use super::catalogue as codes;
use super::report::Report;
use super::scalar::Scalar;

/// Values in one file, expanded aliases included: the longest of SigmaHQ's
/// 3,780 rules has about 1,500, and an alias bomb of nine levels a milliard.
const NODES_MAX: u32 = 200_000;

/// Levels of nesting; a Sigma search of depth 6 has not been seen.
const DEPTH_MAX: u32 = 40;

/// Where a value stands in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: usize,
    /// In characters, from 1.
    pub(super) column: usize,
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) at: Place,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Map),
}

/// Keys in the order of the file.
pub(super) type Map = Vec<(Key, Node)>;

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) at: Place,
}

/// One document of a file; the range is its text, for its hash.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) root: Node,
    pub(super) end: usize,
}

impl Node {
    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(s) if s.is_null() => "nothing",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// Whether the document says nothing here.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(s) if s.is_null())
    }
}

/// Reads all documents of the report's source; what is wrong goes to the
/// report, and the documents after it are still read.
pub(super) fn documents(report: &mut Report<'_>) -> Vec<Document> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: 32,
        block_nesting_limit: 32,
    };
    let source = report.source;
    let mut parser = Parser::new_from_str_with_options(source, options);
    let mut builder = Builder::default();
    let mut found = Vec::new();
    while let Some(next) = parser.next_event() {
        let wrong = match next {
            Ok((Event::DocumentEnd, span)) => {
                let end = span.end.byte_offset().unwrap_or(source.len());
                found.extend(builder.root.take().map(|root| Document { root, end }));
                builder.reset();
                continue;
            }
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(Wrong::of(&error)),
        };
        if let Err(wrong) = wrong {
            report.error(wrong.code, wrong.at, wrong.message, wrong.remedy);
            builder.reset();
            if !wrong.go_on || !parser.proceed_next_document().unwrap_or(false) {
                break;
            }
        }
    }
    found
}

/// A mistake that ends a document.
struct Wrong {
    code: &'static str,
    at: Place,
    message: String,
    remedy: &'static str,
    /// Whether the documents after it may still be read.
    go_on: bool,
}

impl Wrong {
    fn of(error: &ScanError) -> Wrong {
        Wrong {
            code: codes::YAML_INVALID,
            at: place(Span::empty(*error.marker())),
            message: format!("this is not valid YAML: {}", error.info()),
            remedy: "check the indentation, the colons and the quotes from here upwards; \
                     quote values that start with `*`, `&`, `%`, `@` or `!`",
            go_on: true,
        }
    }

    fn unsupported(at: Place, message: &str, remedy: &'static str) -> Wrong {
        Wrong {
            code: codes::YAML_UNSUPPORTED,
            at,
            message: message.to_owned(),
            remedy,
            go_on: true,
        }
    }
}

fn place(span: Span) -> Place {
    let byte = |mark: Marker| mark.byte_offset().unwrap_or(0);
    Place {
        line: span.start.line(),
        column: span.start.col() + 1,
        start: byte(span.start),
        end: byte(span.end).max(byte(span.start)),
    }
}

/// A finished node with how many nodes and levels it has.
#[derive(Clone)]
struct Built {
    node: Node,
    size: u32,
    depth: u32,
}

/// A list or map that is not closed yet.
struct Open {
    items: Items,
    at: Place,
    anchor: usize,
    size: u32,
    depth: u32,
}

enum Items {
    List(Vec<Node>),
    Map { entries: Map, key: Option<Key> },
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Built>,
    root: Option<Node>,
    /// Nodes of the whole file so far.
    nodes: u32,
}

impl Builder {
    fn reset(&mut self) {
        self.open.clear();
        self.anchors.clear();
        self.root = None;
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Wrong> {
        let at = place(span);
        if let Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) = event {
            self.count(1, at)?;
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !is_str(tag.as_deref(), at)?;
                let value = Value::Scalar(Scalar {
                    text: text.into_owned(),
                    plain,
                });
                let node = Node { value, at };
                self.place(
                    Built {
                        node,
                        size: 1,
                        depth: 1,
                    },
                    anchor,
                )
            }
            Event::SequenceStart(_, anchor, tag) => {
                is_str(tag.as_deref(), at)?;
                self.start(Items::List(Vec::new()), at, anchor);
                Ok(())
            }
            Event::MappingStart(_, anchor, tag) => {
                is_str(tag.as_deref(), at)?;
                let (entries, key) = (Vec::new(), None);
                self.start(Items::Map { entries, key }, at, anchor);
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            Event::Alias(anchor) => {
                let Some(size) = self.anchors.get(&anchor).map(|built| built.size) else {
                    return Err(Wrong::unsupported(
                        at,
                        "this alias stands inside the value that it names",
                        "write the value out instead of the alias",
                    ));
                };
                self.count(size, at)?;
                let Some(mut built) = self.anchors.get(&anchor).cloned() else {
                    return Ok(()); // cannot be: it was there for its size
                };
                built.node.at = at;
                self.place(built, 0)
            }
            _ => Ok(()),
        }
    }

    fn start(&mut self, items: Items, at: Place, anchor: usize) {
        self.open.push(Open {
            items,
            at,
            anchor,
            size: 1,
            depth: 1,
        });
    }

    fn close(&mut self, end: Place) -> Result<(), Wrong> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let mut at = open.at;
        let value = match open.items {
            Items::List(items) => {
                at.end = items.last().map_or(end.end, |n| n.at.end.max(at.end));
                Value::List(items)
            }
            Items::Map { entries, .. } => {
                at.end = entries
                    .last()
                    .map_or(end.end, |(_, n)| n.at.end.max(at.end));
                no_key_twice(&entries)?;
                Value::Map(entries)
            }
        };
        let built = Built {
            node: Node { value, at },
            size: open.size,
            depth: open.depth,
        };
        self.place(built, open.anchor)
    }

    /// Counts nodes before they are made.
    fn count(&mut self, more: u32, at: Place) -> Result<(), Wrong> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > NODES_MAX {
            return Err(too_large(at));
        }
        Ok(())
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, built: Built, anchor: usize) -> Result<(), Wrong> {
        if built.depth > DEPTH_MAX {
            return Err(too_large(built.node.at));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, built.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(built.node);
            return Ok(());
        };
        open.size = open.size.saturating_add(built.size);
        open.depth = open.depth.max(built.depth + 1);
        match &mut open.items {
            Items::List(items) => items.push(built.node),
            Items::Map { entries, key } => match key.take() {
                Some(name) => entries.push((name, built.node)),
                None => *key = Some(key_of(built.node)?),
            },
        }
        Ok(())
    }
}

fn too_large(at: Place) -> Wrong {
    Wrong {
        code: codes::YAML_TOO_LARGE,
        at,
        message: format!(
            "the file grows beyond {NODES_MAX} values or {DEPTH_MAX} levels here, aliases expanded"
        ),
        remedy: "split the file, and write aliases of aliases out",
        go_on: false,
    }
}

fn key_of(node: Node) -> Result<Key, Wrong> {
    let at = node.at;
    match node.value {
        Value::Scalar(s) if s.plain && s.text == "<<" => Err(Wrong::unsupported(
            at,
            "merge keys (`<<`) are not part of YAML 1.2",
            "write the merged keys out",
        )),
        Value::Scalar(s) => Ok(Key { text: s.text, at }),
        _ => Err(Wrong::unsupported(
            at,
            "a key must be a single value",
            "quote the key if it starts with `[` or `{`",
        )),
    }
}

/// Whether the tag is `!!str`; any other but the collections' own is refused.
fn is_str(tag: Option<&Tag>, at: Place) -> Result<bool, Wrong> {
    match tag.map(Tag::core_suffix) {
        None | Some(Some("map" | "seq")) => Ok(false),
        Some(Some("str")) => Ok(true),
        Some(_) => Err(Wrong::unsupported(
            at,
            "tags other than `!!str` are not supported",
            "remove the tag, or quote the value if it starts with `!`",
        )),
    }
}

fn no_key_twice(entries: &Map) -> Result<(), Wrong> {
    let mut keys: Vec<&Key> = entries.iter().map(|(key, _)| key).collect();
    keys.sort_by(|a, b| a.text.cmp(&b.text).then(a.at.start.cmp(&b.at.start)));
    let twice = keys.iter().zip(keys.iter().skip(1));
    let mut twice = twice.filter(|(a, b)| a.text == b.text);
    match twice.next() {
        None => Ok(()),
        Some((first, second)) => Err(Wrong {
            code: codes::YAML_DUPLICATE_KEY,
            at: second.at,
            message: format!(
                "`{}` is here a second time; the first is on line {}",
                second.text, first.at.line
            ),
            remedy: "rename one of them, or make one list of their values",
            go_on: true,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Document>, Vec<super::super::Diagnostic>) {
        let mut report = Report::new("x.yml", text);
        let documents = documents(&mut report);
        (documents, report.found)
    }

    #[test]
    fn quotes_and_the_tag_for_text_make_a_number_text() {
        let (documents, found) = read("[5, '5', \"5\", !!str 5, '', ~]");
        assert!(found.is_empty());
        let Value::List(items) = &documents[0].root.value else {
            panic!()
        };
        let plain = |node: &Node| matches!(&node.value, Value::Scalar(s) if s.plain);
        let plain: Vec<bool> = items.iter().map(plain).collect();
        assert_eq!(plain, [true, false, false, false, false, true]);
    }

    #[test]
    fn places_are_lines_and_columns_from_one_and_bytes_of_the_value() {
        let text = "ü: 1\nkey: 'väl'\n";
        let (documents, _) = read(text);
        let Value::Map(map) = &documents[0].root.value else {
            panic!()
        };
        let at = map[1].1.at;
        assert_eq!((at.line, at.column), (2, 6));
        assert_eq!(&text[at.start..at.end], "'väl'");
    }

    #[test]
    fn a_broken_document_does_not_hide_the_next() {
        let (documents, found) = read("a: [1\n---\nb: 2\n---\n{a: 1, a: 2}\n---\nc: 3\n");
        assert_eq!(documents.len(), 2);
        let codes: Vec<_> = found.iter().map(|d| d.code).collect();
        assert_eq!(codes, [codes::YAML_INVALID, codes::YAML_DUPLICATE_KEY]);
    }

    #[test]
    fn an_alias_bomb_costs_no_more_than_the_budget() {
        let line = |i: u32| {
            let refs = vec![format!("*a{}", i - 1); 10].join(",");
            format!("a{i}: &a{i} [{refs}]")
        };
        let mut lines = vec!["a0: &a0 [x,x,x,x,x,x,x,x,x,x]".to_owned()];
        lines.extend((1..30).map(line));
        let text = lines.join("\n");
        let (documents, found) = read(&text);
        assert!(documents.is_empty());
        assert_eq!(found[0].code, codes::YAML_TOO_LARGE);
    }

    #[test]
    fn an_alias_stands_for_its_value() {
        let (documents, found) = read("a: &v [1, 2]\nb: *v\n");
        assert!(found.is_empty());
        let Value::Map(map) = &documents[0].root.value else {
            panic!()
        };
        assert!(matches!(&map[1].1.value, Value::List(items) if items.len() == 2));
    }
}
