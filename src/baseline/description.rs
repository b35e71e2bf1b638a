//! What a baseline knows of an entity, as people read it.

use super::table::Newcomer;
use crate::time::Time;

/// What values are called that an entity never came with.
pub const NEW_VALUES: &str = "new values";

/// What values are called that an entity hardly ever comes with.
pub(super) const RARE_VALUES: &str = "rare values";

/// What is observed of a session that is unusual in several ways.
pub const ODD_THINGS: &str = "odd things at once";

/// One entity's state in words and numbers.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something else of how the numbers are read"
)]
pub struct Description {
    /// When it was first seen.
    pub first: Time,
    /// The time up to which its state speaks.
    pub last: Time,
    /// Whether it was seen in one slot of time only: nothing is learnt yet.
    pub newcomer: bool,
    /// Effective number of active buckets learnt from, or of gaps.
    pub evidence: f64,
    /// Whether it is of gaps between events.
    pub of_gaps: bool,
    /// What is observed, as its numbers are read: `events`, `days away`.
    pub what: &'static str,
    /// Mean of what is expected in the bucket at hand; of single values the median.
    pub expected: f64,
    /// 99 % predictive interval.
    pub interval: (f64, f64),
    /// What was observed in that bucket so far; `None` where that is not kept.
    pub observed: Option<f64>,
    /// The least observation that would be reported in it; `None` where none would.
    pub alarm: Option<f64>,
    /// Whether it is the most instead, since too few are reported when the bucket is over.
    pub below: bool,
    /// Whether none would since it is too early for the entity or the rule.
    pub young: bool,
    /// How many values it is known to come with, where that is looked at.
    pub values: Option<u32>,
    /// How busy it is by hour, on weekdays (24) and at weekends (24), against
    /// its average (1); empty without season.
    pub hours: Vec<f64>,
    /// What else its statistic knows, each by its name.
    pub more: Vec<(&'static str, f64)>,
}

impl Description {
    /// Of an entity that was seen in one slot of time only.
    pub(super) fn newcomer(seen: &Newcomer, what: &'static str) -> Description {
        Description {
            first: seen.first,
            last: seen.first,
            newcomer: true,
            young: true,
            what,
            ..Description::default()
        }
    }
}
