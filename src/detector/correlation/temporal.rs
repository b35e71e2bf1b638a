//! `temporal`: all of several rules within the timespan, in any order.

use serde::{Deserialize, Serialize};

use super::{Row, Task};
use crate::detector::groups::{Body, Groups, NONE, Record};
use crate::detector::kind::{Firing, Kind, Sighting};
use crate::time::Time;

pub(super) static ROW: Row = Row {
    name: "temporal",
    about: "all of several rules within the timespan, in any order",
    needs_field: false,
    needs_bounds: false,
    bound_max: 255.0,
    every_echo: true,
    build: |task| {
        Box::new(Temporal {
            groups: Groups::new(task.groups),
            task: task.clone(),
        })
    },
};

struct Temporal {
    task: Task,
    groups: Groups<One, Lasts>,
}

/// A group that has met one rule, or the record that has taken over.
#[derive(Debug, Serialize, Deserialize)]
struct One {
    time: Time,
    member: u16,
    lasts: u32,
}

impl Default for One {
    fn default() -> One {
        One {
            time: Time::MIN,
            member: 0,
            lasts: NONE,
        }
    }
}

impl Body for One {
    fn record(&self) -> u32 {
        self.lasts
    }
}

/// When each rule was last met.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Lasts(Vec<Time>);

impl Record for Lasts {
    fn reset(&mut self) {
        self.0.clear();
    }

    fn heap(&self) -> usize {
        self.0.capacity() * size_of::<Time>()
    }
}

impl Kind for Temporal {
    fn observe(&mut self, s: &Sighting<'_>) -> Option<Firing> {
        let members = self.task.members;
        let (one, pool) = self.groups.enter(s.key, s.time, self.task.keep);
        let alone = one.time == Time::MIN || one.member == s.member;
        let (met, since) = if one.lasts == NONE && alone && self.task.condition.is_none() {
            one.member = s.member;
            one.time = one.time.max(s.time);
            (1, s.time)
        } else {
            let first = one.lasts == NONE && one.time > Time::MIN;
            let first = first.then_some((one.member, one.time));
            let lasts = &mut pool.take(&mut one.lasts).0;
            lasts.resize(members, Time::MIN);
            for (member, time) in first.into_iter().chain([(s.member, s.time)]) {
                if let Some(last) = lasts.get_mut(usize::from(member)) {
                    *last = time.max(*last);
                }
            }
            let newest = lasts.iter().copied().max().unwrap_or(s.time);
            let oldest = newest.minus(self.task.span);
            let met = |t: &Time| *t > Time::MIN && *t >= oldest;
            if let Some(condition) = &self.task.condition {
                let met = |member: u32| lasts.get(member as usize).is_some_and(met);
                if !condition.holds(&met) {
                    return None;
                }
            }
            let inside = lasts.iter().filter(|t| met(t));
            (
                inside.clone().count(),
                inside.min().copied().unwrap_or(s.time),
            )
        };
        #[expect(clippy::cast_precision_loss, reason = "at most 255")]
        let observed = met as f64;
        let holds = if self.task.bounds.is_empty() {
            met == members || self.task.condition.is_some()
        } else {
            self.task.holds(observed)
        };
        holds.then_some(Firing {
            since,
            events: met as u64,
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
