//! Firewalls and routers that are appliances, each with a grammar of its own:
//! Palo Alto's columns, pairs of key and value, and the sentences of Junos,
//! RouterOS and WatchGuard.

pub(super) mod pairs;
pub(super) mod panos;
pub(super) mod sentences;
mod vendors;

use super::transport::verdict;

/// Whether a text is one of those that stand where a tag would.
pub(super) fn speaks(text: &[u8]) -> bool {
    match text.first() {
        Some(b'0'..=b'9') => panos::speaks(text),
        Some(b'a'..=b'z' | b'A'..=b'Z') => pairs::speaks(text),
        _ => false,
    }
}

/// The text without PRI, which some send without a stamp behind it.
fn without_pri(line: &[u8]) -> &[u8] {
    let Some(rest) = line.strip_prefix(b"<") else {
        return line;
    };
    match memchr::memchr(b'>', rest.get(..4).unwrap_or(rest)) {
        Some(end) => rest.get(end + 1..).unwrap_or_default(),
        None => line,
    }
}

/// What appliances call a verdict besides the words that all have, by how the
/// word begins.
const DECIDED: &[(&str, &str, &str)] = &[
    ("close", "allow", "success"),
    ("timeout", "allow", "success"),
    ("start", "allow", "success"),
    ("client-rst", "allow", "success"),
    ("server-rst", "allow", "success"),
    ("ip-conn", "allow", "success"),
    ("violation", "deny", "failure"),
    ("reset", "block", "failure"),
    ("block", "block", "failure"),
    ("drop", "drop", "failure"),
    ("sinkhole", "drop", "failure"),
];

/// What an appliance calls its verdict, `reset-both` and `close` included.
fn decided(word: &[u8]) -> Option<(&'static str, &'static str)> {
    verdict(word).or_else(|| {
        let begins = |row: &&(&str, &str, &str)| {
            word.get(..row.0.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(row.0.as_bytes()))
        };
        DECIDED.iter().find(begins).map(|row| (row.1, row.2))
    })
}
