//! `value_percentile` and `value_median`: a percentile of a field's values
//! within the timespan, between neighbours by proportion, so that the 50th is
//! the median. Over a group's most recent 1,024 values: a percentile of more
//! moves little. Events whose field is no number are not counted.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Row, Task};
use crate::detector::groups::{Body, Groups, NONE, Record};
use crate::detector::kind::{Firing, Kind, Sighting};
use crate::time::Time;

pub(super) static PERCENTILE: Row = Row {
    name: "value_percentile",
    about: "a percentile of a field's values within the timespan",
    needs_field: true,
    needs_bounds: true,
    bound_max: 1e15,
    every_echo: false,
    build: |task| Box::new(Percentile::new(task, task.percentile)),
};

pub(super) static MEDIAN: Row = Row {
    name: "value_median",
    about: "the median of a field's values within the timespan",
    needs_field: true,
    needs_bounds: true,
    bound_max: 1e15,
    every_echo: false,
    build: |task| Box::new(Percentile::new(task, 50.0)),
};

/// Values kept per group.
const VALUES_MAX: usize = 1024;
/// Largest capacity a record keeps for its next group.
const SPARE: usize = 32;

struct Percentile {
    task: Task,
    wanted: f64,
    groups: Groups<Link, Values>,
    /// Reused to find the percentile in.
    sorted: Vec<f64>,
}

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

/// Values in the order of their times.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Values(VecDeque<(Time, f64)>);

impl Record for Values {
    fn reset(&mut self) {
        self.0.clear();
        self.0.shrink_to(SPARE);
    }

    fn heap(&self) -> usize {
        self.0.capacity() * size_of::<(Time, f64)>()
    }
}

impl Percentile {
    fn new(task: &Task, percentile: f64) -> Percentile {
        Percentile {
            wanted: percentile,
            groups: Groups::new(task.groups),
            sorted: Vec::with_capacity(VALUES_MAX),
            task: task.clone(),
        }
    }
}

/// The percentile of some numbers, which it reorders; `None` of none.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most 1,024 numbers"
)]
fn percentile(numbers: &mut [f64], percentile: f64) -> Option<f64> {
    let rank = percentile.clamp(0.0, 100.0) / 100.0 * (numbers.len().checked_sub(1)?) as f64;
    let (_, low, above) = numbers.select_nth_unstable_by(rank as usize, f64::total_cmp);
    let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(*low);
    Some(*low + (high - *low) * rank.fract())
}

impl Kind for Percentile {
    fn observe(&mut self, s: &Sighting<'_>) -> Option<Firing> {
        let number = s.number.filter(|number| number.is_finite())?;
        let (link, pool) = self.groups.enter(s.key, s.time, self.task.keep);
        let values = &mut pool.take(&mut link.0).0;
        let at = values.partition_point(|(time, _)| *time <= s.time);
        // An event that stands for many is as many values, up to all there are.
        for _ in 0..(s.count as usize).min(VALUES_MAX) {
            values.insert(at, (s.time, number));
        }
        let newest = values.back().map_or(s.time, |value| value.0);
        let oldest = newest.minus(self.task.span);
        while values.len() > VALUES_MAX || values.front().is_some_and(|v| v.0 < oldest) {
            values.pop_front();
        }
        self.sorted.clear();
        self.sorted.extend(values.iter().map(|value| value.1));
        let observed = percentile(&mut self.sorted, self.wanted)?;
        self.task.holds(observed).then_some(Firing {
            since: values.front().map_or(s.time, |value| value.0),
            events: values.len() as u64,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_lies_between_its_neighbours() {
        let numbers = [9.0, 1.0, 5.0, 3.0];
        for (wanted, expected) in [(0.0, 1.0), (50.0, 4.0), (75.0, 6.0), (100.0, 9.0)] {
            let found = percentile(&mut numbers.clone(), wanted);
            assert!((found.unwrap() - expected).abs() < 1e-9, "{wanted}");
        }
        assert_eq!(percentile(&mut [], 50.0), None);
    }
}
