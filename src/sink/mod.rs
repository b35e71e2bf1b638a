//! SINKS: alerts out. One file per destination or encoding.
//!
//! A sink is given finished alerts in their final order and writes each of
//! them whole, then flushes: an alert that a person waits for is not kept in a
//! buffer. All log text in an alert is an attacker's, so it passes
//! [`crate::escape`] (text) or [`quoted`] (JSON) and nothing else.

use std::io::{self, Write};

use crate::alert::{Alert, Id, Level};
use crate::field::Trust;

mod json;
pub mod quoted;
mod sentence;
mod statement;
mod text;

pub use json::write_with;
pub use sentence::{count, number, odds, sentence};
pub use text::{told, wrap};

/// Where alerts go.
pub trait Sink: Send {
    /// Writes one alert, or an update of one, and flushes it.
    fn deliver(&mut self, alert: &Alert) -> io::Result<()>;
}

/// How text for people may look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colours; the words say the same without them.
    pub color: bool,
    /// Columns of the terminal; `None` when it is not one: prose is then
    /// wrapped at 80 columns and raw lines are shown as long as they were kept.
    pub width: Option<usize>,
}

/// A row of the table.
pub struct Row {
    /// Its name, as `--output` takes it.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// A sink that writes there.
    pub open: fn(Box<dyn Write + Send>, Style) -> Box<dyn Sink>,
}

/// Every sink, the one for people first.
pub static SINKS: &[&Row] = &[&text::ROW, &json::ROW];

/// An id in the usual form of a UUID.
pub fn id_text(id: Id) -> String {
    let hex = hex(&id.0);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("");
    let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20)];
    format!("{}-{}", parts.join("-"), part(20, 32))
}

/// Who chose the value of each field of an alert's entity and context that is
/// known, each field once, in the alert's order.
fn trusts(alert: &Alert) -> Vec<(&str, Trust)> {
    let mut found: Vec<(&str, Trust)> = Vec::new();
    for (name, _) in alert.entity.iter().chain(&alert.context) {
        if let Some(trust) = Trust::of(name)
            && found.iter().all(|(other, _)| *other != name)
        {
            found.push((name, trust));
        }
    }
    found
}

/// Bytes as lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}

/// A level in Sigma's word.
pub const fn level_word(level: Level) -> &'static str {
    match level {
        Level::Informational => "informational",
        Level::Low => "low",
        Level::Medium => "medium",
        Level::High => "high",
        Level::Critical => "critical",
    }
}

#[cfg(test)]
mod tests;
