//! `value_count`: how many distinct values a group has within the timespan.
//!
//! Exact up to four times the condition's number, at least 64 and at most 256
//! values; of more, the most recently seen are kept, so that a condition up to
//! 255 is never wrong and what is shown is too low at most.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Row, Task};
use crate::detector::groups::{Body, Groups, NONE, Record};
use crate::detector::kind::{Firing, Kind, Sighting};
use crate::time::Time;

pub(super) static ROW: Row = Row {
    name: "value_count",
    about: "how many distinct values of a field a group has within the timespan",
    needs_field: true,
    needs_bounds: true,
    bound_max: 255.0,
    every_echo: false,
    build: |task| {
        Box::new(ValueCount {
            groups: Groups::new(task.groups),
            most: usize::try_from(task.enough().saturating_mul(4))
                .unwrap_or(VALUES_MAX)
                .clamp(VALUES_MAX / 4, VALUES_MAX),
            task: task.clone(),
        })
    },
};

/// Values ever kept per group.
const VALUES_MAX: usize = 256;
/// Values whose text is kept for the alert.
const SHOWN_MAX: usize = 5;
/// Largest capacity a record keeps for its next group.
const SPARE: usize = 32;

struct ValueCount {
    task: Task,
    /// Values kept per group.
    most: usize,
    groups: Groups<One, Values>,
}

/// A group that has had one value, or the record that has taken over.
#[derive(Debug, Serialize, Deserialize)]
struct One {
    value: u64,
    time: Time,
    values: u32,
}

impl Default for One {
    fn default() -> One {
        One {
            value: 0,
            time: Time::MIN,
            values: NONE,
        }
    }
}

impl Body for One {
    fn record(&self) -> u32 {
        self.values
    }
}

/// Values in the order in which they were last seen.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Values {
    seen: VecDeque<(u64, Time)>,
    shown: VecDeque<(u64, Vec<u8>)>,
}

impl Record for Values {
    fn reset(&mut self) {
        self.seen.clear();
        self.seen.shrink_to(SPARE);
        self.shown.clear();
    }

    fn heap(&self) -> usize {
        let shown: usize = self
            .shown
            .iter()
            .map(|(_, text)| text.capacity() + 32)
            .sum();
        self.seen.capacity() * size_of::<(u64, Time)>() + shown
    }
}

impl Values {
    fn add(&mut self, value: u64, time: Time, oldest: Time, most: usize) {
        let at = self.seen.iter().rposition(|(seen, _)| *seen == value);
        let before = at.and_then(|at| self.seen.remove(at));
        let time = before.map_or(time, |(_, last)| last.max(time));
        // A late event finds its place, so that the front is the oldest.
        let mut at = self.seen.len();
        while at > 0 && self.seen.get(at - 1).is_some_and(|e| e.1 > time) {
            at -= 1;
        }
        self.seen.insert(at, (value, time));
        while self.seen.len() > most || self.seen.front().is_some_and(|e| e.1 < oldest) {
            self.seen.pop_front();
        }
    }

    fn show(&mut self, value: u64, text: &[u8]) {
        if self.shown.iter().any(|(shown, _)| *shown == value) {
            return;
        }
        if self.shown.len() >= SHOWN_MAX {
            // The oldest value's buffer takes the newest's text.
            if let Some((_, mut buffer)) = self.shown.pop_front() {
                buffer.clear();
                buffer.extend_from_slice(text);
                self.shown.push_back((value, buffer));
            }
        } else {
            self.shown.push_back((value, text.to_vec()));
        }
    }
}

impl Kind for ValueCount {
    fn observe(&mut self, s: &Sighting<'_>) -> Option<Firing> {
        let (one, pool) = self.groups.enter(s.key, s.time, self.task.keep);
        let span = self.task.span;
        let alone = one.time == Time::MIN || one.value == s.value || s.time.since(one.time) > span;
        let (distinct, since) = if one.values == NONE && alone {
            (one.value, one.time) = (s.value, one.time.max(s.time));
            (1, s.time)
        } else {
            let first = (one.values == NONE).then_some((one.value, one.time));
            let values = pool.take(&mut one.values);
            one.time = one.time.max(s.time);
            let oldest = one.time.minus(span);
            for (value, time) in first.into_iter().chain([(s.value, s.time)]) {
                values.add(value, time, oldest, self.most);
            }
            values.show(s.value, s.value_text);
            let since = values.seen.front().map_or(s.time, |e| e.1);
            (values.seen.len(), since)
        };
        #[expect(clippy::cast_precision_loss, reason = "at most 256")]
        let observed = distinct as f64;
        self.task.holds(observed).then_some(Firing {
            since,
            events: u64::try_from(distinct).unwrap_or(0).max(u64::from(s.count)),
            observed: Some(observed),
            deviation: None,
        })
    }

    fn shown(&self, key: u64) -> Vec<Vec<u8>> {
        let values = self.groups.record(key).into_iter();
        values
            .flat_map(|v| v.shown.iter().map(|(_, text)| text.clone()))
            .collect()
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
