//! `value_count`: how many distinct values a group has within the timespan.
//!
//! For conditions up to 255, exact up to four times the condition's number, at
//! least 64 and at most 256 values; of more, the most recently seen are kept,
//! so that the condition is never wrong and what is shown is too low at most.
//! For greater ones, exact up to 1,024 values and beyond from a sample, with
//! the error shown ([`super::distinct`]).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::distinct::{Count, Distinct};
use super::{Row, Task};
use crate::detector::groups::{Body, Groups, NONE, Record};
use crate::detector::kind::{Firing, Kind, Sighting};
use crate::time::{Span, Time};

pub(super) static ROW: Row = Row {
    name: "value_count",
    about: "how many distinct values of a field a group has within the timespan",
    needs_field: true,
    needs_bounds: true,
    // A sample's scale is a power of two well within an f64's whole numbers.
    bound_max: 1e9,
    every_echo: false,
    build: |task| {
        let enough = usize::try_from(task.enough()).unwrap_or(usize::MAX);
        if enough < VALUES_MAX {
            let most = (enough * 4).clamp(VALUES_MAX / 4, VALUES_MAX);
            Box::new(ValueCount::<Few>::new(task, most))
        } else {
            Box::new(ValueCount::<Many>::new(task, usize::MAX))
        }
    },
};

/// Values ever kept per group, for conditions below it.
const VALUES_MAX: usize = 256;
/// Values whose text is kept for the alert.
const SHOWN_MAX: usize = 5;
/// Largest capacity a record keeps for its next group.
const SPARE: usize = 32;

struct ValueCount<S> {
    task: Task,
    /// Values kept per group, where it is not the set that says so.
    most: usize,
    groups: Groups<One, Values<S>>,
}

impl<S: Set> ValueCount<S> {
    fn new(task: &Task, most: usize) -> ValueCount<S> {
        ValueCount {
            groups: Groups::new(task.groups),
            most,
            task: task.clone(),
        }
    }
}

/// A group's values.
trait Set: Default + Send + Serialize + for<'de> Deserialize<'de> {
    /// Takes a value in and forgets what no window that ends at `newest` holds.
    fn add(&mut self, value: u64, time: Time, newest: Time, span: Span, most: usize);
    fn count(&self) -> Count;
    fn oldest(&self) -> Option<Time>;
    fn reset(&mut self);
    fn heap(&self) -> usize;
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

/// A group's values, and some of them as they were written.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Values<S> {
    seen: S,
    shown: VecDeque<(u64, Vec<u8>)>,
}

impl<S: Set> Record for Values<S> {
    fn reset(&mut self) {
        self.seen.reset();
        self.shown.clear();
    }

    fn heap(&self) -> usize {
        let shown: usize = self
            .shown
            .iter()
            .map(|(_, text)| text.capacity() + 32)
            .sum();
        self.seen.heap() + shown
    }
}

/// Up to 256 values in the order in which they were last seen.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Few(VecDeque<(u64, Time)>);

impl Set for Few {
    fn add(&mut self, value: u64, time: Time, newest: Time, span: Span, most: usize) {
        let (seen, oldest) = (&mut self.0, newest.minus(span));
        let at = seen.iter().rposition(|(seen, _)| *seen == value);
        let before = at.and_then(|at| seen.remove(at));
        let time = before.map_or(time, |(_, last)| last.max(time));
        // A late event finds its place, so that the front is the oldest.
        let mut at = seen.len();
        while at > 0 && seen.get(at - 1).is_some_and(|e| e.1 > time) {
            at -= 1;
        }
        seen.insert(at, (value, time));
        while seen.len() > most || seen.front().is_some_and(|e| e.1 < oldest) {
            seen.pop_front();
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "at most 256")]
    fn count(&self) -> Count {
        Count {
            values: self.0.len() as f64,
            error: None,
        }
    }

    fn oldest(&self) -> Option<Time> {
        self.0.front().map(|entry| entry.1)
    }

    fn reset(&mut self) {
        self.0.clear();
        self.0.shrink_to(SPARE);
    }

    fn heap(&self) -> usize {
        self.0.capacity() * size_of::<(u64, Time)>()
    }
}

/// Any number of values.
type Many = Distinct;

impl Set for Distinct {
    fn add(&mut self, value: u64, time: Time, newest: Time, span: Span, _most: usize) {
        Distinct::add(self, value, time, newest, span);
    }

    fn count(&self) -> Count {
        Distinct::count(self)
    }

    fn oldest(&self) -> Option<Time> {
        Distinct::oldest(self)
    }

    fn reset(&mut self) {
        Distinct::reset(self);
    }

    fn heap(&self) -> usize {
        Distinct::heap(self)
    }
}

impl<S> Values<S> {
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

impl<S: Set> Kind for ValueCount<S> {
    fn observe(&mut self, s: &Sighting<'_>) -> Option<Firing> {
        let (one, pool) = self.groups.enter(s.key, s.time, self.task.keep);
        let span = self.task.span;
        let alone = one.time == Time::MIN || one.value == s.value || s.time.since(one.time) > span;
        let (distinct, since) = if one.values == NONE && alone {
            (one.value, one.time) = (s.value, one.time.max(s.time));
            let one = Count {
                values: 1.0,
                error: None,
            };
            (one, s.time)
        } else {
            let first = (one.values == NONE).then_some((one.value, one.time));
            let values = pool.take(&mut one.values);
            one.time = one.time.max(s.time);
            for (value, time) in first.into_iter().chain([(s.value, s.time)]) {
                values.seen.add(value, time, one.time, span, self.most);
            }
            values.show(s.value, s.value_text);
            let since = values.seen.oldest().unwrap_or(s.time);
            (values.seen.count(), since)
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count far below 2^53"
        )]
        let events = distinct.values as u64;
        self.task.holds(distinct.values).then_some(Firing {
            since,
            events: events.max(u64::from(s.count)),
            observed: Some(distinct.values),
            margin: distinct.error,
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
