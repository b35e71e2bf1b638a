//! `value_sum` and `value_avg`: what a field's values add up to, or average,
//! within the timespan. Events whose field is no number are not counted.
//!
//! Sums are kept in whole thousandths, so that adding and taking away in any
//! order gives the same answer.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Row, Task};
use crate::detector::groups::{Body, Groups, NONE, Record};
use crate::detector::kind::{Firing, Kind, Sighting};
use crate::time::{Span, Time};

pub(super) static SUM: Row = Row {
    name: "value_sum",
    about: "what a field's values add up to within the timespan",
    needs_field: true,
    needs_bounds: true,
    bound_max: 1e15,
    every_echo: false,
    build: |task| Box::new(Values::new(task, false)),
};

pub(super) static AVERAGE: Row = Row {
    name: "value_avg",
    about: "the average of a field's values within the timespan",
    needs_field: true,
    needs_bounds: true,
    bound_max: 1e15,
    every_echo: false,
    build: |task| Box::new(Values::new(task, true)),
};

/// Buckets that make up the timespan; the window is up to one longer.
const BUCKETS: i64 = 64;
/// Largest value taken in, either way; larger ones count as this much.
const VALUE_MAX: f64 = 1e15;

struct Values {
    task: Task,
    grain: Span,
    average: bool,
    groups: Groups<Link, Sums>,
}

/// Sums have no small form: rules that add up have few groups.
#[derive(Debug, Serialize, Deserialize)]
struct Link(u32);

impl Default for Link {
    fn default() -> Link {
        Link(NONE)
    }
}

impl Body for Link {
    fn record(&self) -> u32 {
        self.0
    }
}

/// Per bucket of time: events, and the sum of their values in thousandths.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Sums {
    buckets: VecDeque<(Time, u64, i128)>,
    count: u64,
    sum: i128,
}

impl Record for Sums {
    fn reset(&mut self) {
        self.buckets.clear();
        (self.count, self.sum) = (0, 0);
    }

    fn heap(&self) -> usize {
        self.buckets.capacity() * size_of::<(Time, u64, i128)>()
    }
}

impl Sums {
    fn add(&mut self, bucket: Time, count: u64, sum: i128, span: Span) {
        let newest = self.buckets.back().map_or(bucket, |b| b.0).max(bucket);
        let mut at = self.buckets.len();
        while at > 0 && self.buckets.get(at - 1).is_some_and(|b| b.0 > bucket) {
            at -= 1;
        }
        (self.count, self.sum) = (self.count + count, self.sum + sum);
        let before = at.checked_sub(1);
        match before.and_then(|before| self.buckets.get_mut(before)) {
            Some(same) if same.0 == bucket => (same.1, same.2) = (same.1 + count, same.2 + sum),
            _ => self.buckets.insert(at, (bucket, count, sum)),
        }
        while let Some(&(oldest, count, sum)) = self.buckets.front() {
            if newest.since(oldest) <= span {
                break;
            }
            self.buckets.pop_front();
            self.count = self.count.saturating_sub(count);
            self.sum = self.sum.saturating_sub(sum);
        }
    }
}

impl Values {
    fn new(task: &Task, average: bool) -> Values {
        Values {
            grain: Span::from_nanos((task.span.nanos() / BUCKETS).max(1)),
            average,
            groups: Groups::new(task.groups),
            task: task.clone(),
        }
    }
}

impl Kind for Values {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "values are clamped to 1e15, so thousandths fit i128; answers are shown to people"
    )]
    fn observe(&mut self, s: &Sighting<'_>) -> Option<Firing> {
        let number = s.number?.clamp(-VALUE_MAX, VALUE_MAX);
        let thousandths = (number * 1e3).round() as i128;
        let (link, pool) = self.groups.enter(s.key, s.time, self.task.keep);
        let sums = pool.take(&mut link.0);
        let bucket = s.time.bucket(self.grain).saturating_mul(self.grain.nanos());
        let span = Span::from_nanos(self.task.span.nanos().saturating_add(self.grain.nanos()));
        let sum = thousandths * i128::from(s.count);
        sums.add(Time::from_nanos(bucket), u64::from(s.count), sum, span);
        let sum = sums.sum as f64 / 1e3;
        let observed = if self.average {
            sum / sums.count as f64
        } else {
            sum
        };
        let since = sums.buckets.front().map_or(s.time, |b| b.0);
        self.task.holds(observed).then_some(Firing {
            since,
            events: sums.count,
            observed: Some(observed),
            margin: None,
            deviation: None,
        })
    }

    fn size(&self) -> (usize, usize) {
        self.groups.size()
    }

    fn evicted(&self) -> u64 {
        self.groups.evicted()
    }

    fn save(&self) -> Vec<u8> {
        self.groups.save()
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.groups.load(bytes)
    }
}
