//! A Zeek log's header, compiled to the steps that read its rows.

use std::sync::Arc;

use super::columns::{self, Put, Role};
use crate::field::{Field, Kind, Projection};

/// Columns beyond this are counted, not read: Zeek's widest logs have below 100.
const COLUMNS_MAX: usize = 1024;

/// The header in force: what the lines after it mean.
#[derive(Clone, Debug)]
pub struct Header {
    pub(super) separator: u8,
    pub(super) set_separator: u8,
    pub(super) empty: Box<[u8]>,
    pub(super) unset: Box<[u8]>,
    /// Row in the table of logs.
    pub(super) path: u8,
    /// How many columns there are, read or not.
    pub(super) columns: usize,
    /// What to do with those that are read, from left to right.
    pub(super) steps: Vec<Step>,
    names: Vec<Box<str>>,
    types: Vec<Box<str>>,
}

/// A column that is read.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Columns to pass over since the last step.
    pub(super) skip: usize,
    pub(super) put: Put,
    pub(super) role: Role,
    /// A set or vector: several values.
    pub(super) several: bool,
    pub(super) targets: Box<[Target]>,
}

/// A field that a column's value goes into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) field: Field,
    pub(super) kind: Kind,
}

impl Default for Header {
    /// What Zeek writes unless told otherwise; of no log yet, without columns.
    fn default() -> Header {
        Header {
            separator: b'\t',
            set_separator: b',',
            empty: (*b"(empty)").into(),
            unset: (*b"-").into(),
            path: columns::path_row(b""),
            columns: 0,
            steps: Vec::new(),
            names: Vec::new(),
            types: Vec::new(),
        }
    }
}

/// Takes a line into the header in force; `false` when it is not a line of a header.
pub(in crate::format) fn absorb(
    layout: &mut Option<Arc<Header>>,
    projection: &Projection,
    line: &[u8],
) -> bool {
    let Some(line) = line.strip_prefix(b"#") else {
        return false;
    };
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if let Some(separator) = line.strip_prefix(b"separator ") {
        let separator = unescaped(separator).unwrap_or(b'\t');
        *layout = Some(Arc::new(Header {
            separator,
            ..Header::default()
        }));
        return true;
    }
    let separator = layout.as_ref().map_or(b'\t', |l| l.separator);
    let at = memchr::memchr(separator, line).unwrap_or(line.len());
    let (word, rest) = line.split_at(at);
    let rest = rest.get(1..).unwrap_or_default();
    if !matches!(
        word,
        b"set_separator"
            | b"empty_field"
            | b"unset_field"
            | b"path"
            | b"open"
            | b"fields"
            | b"types"
            | b"close"
    ) {
        return false;
    }
    let header = Arc::make_mut(layout.get_or_insert_default());
    match word {
        b"set_separator" => header.set_separator = unescaped(rest).unwrap_or(b','),
        b"empty_field" => header.empty = rest.into(),
        b"unset_field" => header.unset = rest.into(),
        b"path" => header.path = columns::path_row(rest),
        b"fields" => {
            header.columns = memchr::memchr_iter(separator, rest).count() + 1;
            header.names = names(rest, separator);
            header.types.clear();
        }
        b"types" => header.types = names(rest, separator),
        _ => return true,
    }
    header.compile(projection);
    true
}

fn names(line: &[u8], separator: u8) -> Vec<Box<str>> {
    line.split(|&b| b == separator)
        .take(COLUMNS_MAX)
        .map(|name| String::from_utf8_lossy(name).into())
        .collect()
}

/// The one byte that a separator is, written itself or as `\x09`.
fn unescaped(text: &[u8]) -> Option<u8> {
    match text {
        [byte] => Some(*byte),
        [b'\\', b'x', digits @ ..] => {
            u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        }
        _ => None,
    }
}

impl Header {
    /// Finds out which columns the projection needs.
    pub(in crate::format) fn compile(&mut self, projection: &Projection) {
        let mut seen: Vec<(Field, Put)> = Vec::new();
        let mut last = None;
        let path = columns::PATHS
            .get(usize::from(self.path))
            .map_or("", |p| p.0);
        self.steps.clear();
        for (at, name) in self.names.iter().enumerate() {
            let kind = self.types.get(at).map_or("string", |t| t);
            let known = columns::key(name).map_or(&[][..], |k| &k.columns);
            let column = columns::of_path(known, path);
            let put = column.map_or(Put::Set, |c| c.put);
            let role = column.map_or(Role::None, |c| c.role);
            let extra = projection.names.extra_named(name);
            let fields = column.map_or(&[][..], |c| c.fields);
            let mut targets = Vec::new();
            for field in fields.iter().copied().chain(extra) {
                // A header may name a column twice; its first one counts.
                if projection.wants(field) && !seen.contains(&(field, put)) {
                    seen.push((field, put));
                    let own = field.info().map(|info| info.kind);
                    let kind = own.unwrap_or_else(|| kind_of(kind));
                    targets.push(Target { field, kind });
                }
            }
            if targets.is_empty() && !needed(role, projection) {
                continue;
            }
            self.steps.push(Step {
                skip: at - last.map_or(0, |last| last + 1),
                put,
                role,
                several: kind.starts_with("set[") || kind.starts_with("vector["),
                targets: targets.into(),
            });
            last = Some(at);
        }
    }
}

/// Whether anybody asks for what a column says beyond its fields.
pub(super) fn needed(role: Role, projection: &Projection) -> bool {
    match role {
        Role::None => false,
        Role::Time => true,
        Role::State | Role::Success => projection.wants(Field::EVENT_OUTCOME),
        Role::LocalOrig | Role::LocalResp => projection.wants(Field::NETWORK_DIRECTION),
        Role::Action => projection.wants(Field::EVENT_ACTION),
    }
}

/// A Zeek type's values, for fields that only rules know; a set's are its elements'.
fn kind_of(kind: &str) -> Kind {
    let element = kind
        .strip_prefix("set[")
        .or_else(|| kind.strip_prefix("vector["))
        .and_then(|k| k.strip_suffix(']'));
    match element.unwrap_or(kind) {
        "addr" => Kind::Ip,
        "port" | "count" | "int" => Kind::Int,
        "interval" | "double" => Kind::Float,
        "bool" => Kind::Bool,
        _ => Kind::Text,
    }
}
