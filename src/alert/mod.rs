//! Alerts: what is said, about whom, on what evidence, and how often.

mod episode;
mod id;

pub use episode::{Episode, Episodes, Moment, Policy, Subject, Turn};

use serde::{Deserialize, Serialize};

use crate::line::Place;
pub use crate::rule::Level;
use crate::time::{Span, Time};

/// Whether a field's numbers are bytes, by its name.
pub fn is_bytes(field: &str) -> bool {
    field.ends_with("bytes")
}

/// Whether a field's numbers are seconds, by its name.
pub fn is_seconds(field: &str) -> bool {
    field == "zeek.duration"
}

/// A number of bytes for people: `64.2 MB`, `812 bytes`.
pub fn bytes(n: f64) -> String {
    const UNITS: &[(f64, &str)] = &[
        (1e15, "PB"),
        (1e12, "TB"),
        (1e9, "GB"),
        (1e6, "MB"),
        (1e3, "kB"),
    ];
    // What would round to 1,000 is one of the next.
    let unit = UNITS.iter().find(|(size, _)| n.abs() >= 0.9995 * size);
    let Some((size, unit)) = unit else {
        return format!("{n:.0} bytes");
    };
    let n = n / size;
    if n.abs() < 99.95 {
        format!("{n:.1} {unit}").replace(".0 ", " ")
    } else {
        format!("{n:.0} {unit}")
    }
}

/// An alert's id: a UUID (version 8) made of what it is about, never of when
/// or where tipstaff ran. The same log and rule give the same id anywhere.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Id(pub [u8; 16]);

/// The id of what is told of rules that are flooded with entities.
pub const CARDINALITY: &str = "tipstaff.cardinality";

/// The rule behind an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleInfo {
    /// UUID, or the title where the rule has none.
    pub id: String,
    /// Title.
    pub title: String,
    /// How urgent.
    pub level: Level,
    /// Tags such as `attack.t1078`.
    pub tags: Vec<String>,
    /// `selection`, `event_count`, `value_count`, `baseline event_count`, ...
    pub kind: String,
    /// First 16 bytes of the SHA-256 of the rule's text.
    pub hash: [u8; 16],
    /// What ordinary things make it fire.
    pub falsepositives: Vec<String>,
}

/// One raw line behind an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it stands.
    pub place: Place,
    /// The source's name.
    pub path: String,
    /// Its bytes, at most [`EVIDENCE_MAX`]: log text, never shown unescaped.
    pub bytes: Vec<u8>,
    /// Event time.
    pub time: Time,
}

/// Longest stretch of a raw line kept in an alert, in bytes.
pub const EVIDENCE_MAX: usize = 512;

/// The numbers behind an alert.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Surprise in bits; `None` for rules that only count.
    pub bits: Option<f64>,
    /// What was observed.
    pub observed: f64,
    /// Its standard error; `None` when it was counted exactly.
    pub margin: Option<f64>,
    /// The field that was added up; empty where events or values were counted.
    pub field: String,
    /// What was expected.
    pub expected: Option<f64>,
    /// 99 % interval of what was expected.
    pub interval: Option<(f64, f64)>,
    /// What it takes: the rule's threshold, in the unit of `observed`, or in bits.
    pub threshold: String,
    /// Effective number of buckets (or active hours) learnt from.
    pub evidence: Option<f64>,
    /// How long the entity had been known: the maturity of its baseline.
    pub age: Option<Span>,
    /// The distribution or counter that gave the number.
    pub model: String,
    /// The largest observation that would have stayed silent.
    pub quiet: Option<f64>,
    /// Once in how many days an entity of this fleet scores so high under this rule.
    pub return_days: Option<f64>,
    /// What made up the score, largest first.
    pub terms: Vec<(String, f64)>,
    /// What else is known, as `interval.seconds`.
    pub facts: Vec<(String, f64)>,
}

impl Score {
    /// A fact by its name.
    pub fn fact(&self, name: &str) -> Option<f64> {
        let found = self.facts.iter().find(|(other, _)| other == name);
        found.map(|&(_, n)| n)
    }
}

/// An alert, or an update of one (same id, higher revision).
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Same for every revision and every replay.
    pub id: Id,
    /// 0 when first raised.
    pub revision: u32,
    /// Event time of the event that raised it.
    pub time: Time,
    /// First and last event time of what was counted.
    pub window: (Time, Time),
    /// The rule.
    pub rule: RuleInfo,
    /// `(ECS name, value bytes)` of who it is about.
    pub entity: Vec<(String, Vec<u8>)>,
    /// `(ECS name, value bytes)` of what else matters: the new value of `first_seen`, ...
    pub context: Vec<(String, Vec<u8>)>,
    /// The numbers.
    pub score: Score,
    /// Events that met the rule in this episode so far.
    pub events: u64,
    /// The raw lines, at most five.
    pub samples: Vec<Evidence>,
}
