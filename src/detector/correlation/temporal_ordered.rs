//! `temporal_ordered`: several rules in this order within the timespan.
//!
//! Per group it keeps, for each place in the order, the chain up to there that
//! began last: any later chain that could use an earlier one can use it as
//! well. Events of the same instant count in the order in which they were
//! read, and one line never stands for two steps.

use serde::{Deserialize, Serialize};

use super::{Row, Task};
use crate::detector::groups::{Body, Groups, NONE, Record};
use crate::detector::kind::{Firing, Kind, Sighting};
use crate::line::Place;
use crate::time::Time;

pub(super) static ROW: Row = Row {
    name: "temporal_ordered",
    about: "several rules in this order within the timespan",
    needs_field: false,
    needs_bounds: false,
    bound_max: 255.0,
    every_echo: true,
    build: |task| {
        Box::new(Ordered {
            groups: Groups::new(task.groups),
            task: task.clone(),
        })
    },
};

struct Ordered {
    task: Task,
    groups: Groups<One, Chains>,
}

/// A group that has met one rule, or the record that has taken over.
#[derive(Debug, Serialize, Deserialize)]
struct One {
    time: Time,
    place: Place,
    member: u16,
    chains: u32,
}

impl Default for One {
    fn default() -> One {
        One {
            time: Time::MIN,
            place: Place::default(),
            member: 0,
            chains: NONE,
        }
    }
}

impl Body for One {
    fn record(&self) -> u32 {
        self.chains
    }
}

/// A step of a chain: when the chain began, and its last event.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Step {
    start: Time,
    time: Time,
    place: Place,
}

const NO_STEP: Step = Step {
    start: Time::MIN,
    time: Time::MIN,
    place: Place {
        source: crate::line::SourceId(0),
        offset: 0,
        number: 0,
    },
};

#[derive(Debug, Default, Serialize, Deserialize)]
struct Chains {
    /// The best chain that ends at each member.
    best: Vec<Step>,
    /// Each member's last event, for those that come after what came late.
    last: Vec<Step>,
}

impl Record for Chains {
    fn reset(&mut self) {
        self.best.clear();
        self.last.clear();
    }

    fn heap(&self) -> usize {
        (self.best.capacity() + self.last.capacity()) * size_of::<Step>()
    }
}

impl Chains {
    /// Takes an event in; the step that completes the order, if one does.
    fn add(&mut self, member: usize, event: Step, task: &Task) -> Option<Step> {
        self.best.resize(task.members, NO_STEP);
        self.last.resize(task.members, NO_STEP);
        let late = self.last.get(member).is_some_and(|l| l.time > event.time);
        if !late && let Some(last) = self.last.get_mut(member) {
            *last = event;
        }
        let mut step = self.extend(member, event, task)?;
        for next in member + 1..task.members {
            // Only an event that came before its forerunner was read can
            // already be there; in order, the chain ends here.
            let event = *self.last.get(next)?;
            if event.time <= step.time {
                return None;
            }
            step = self.extend(next, event, task)?;
        }
        Some(step)
    }

    /// The chain that the event makes as `member`, if it makes one.
    fn extend(&mut self, member: usize, event: Step, task: &Task) -> Option<Step> {
        let start = match member.checked_sub(1) {
            None => event.time,
            Some(before) => {
                let before = *self.best.get(before)?;
                let follows = before.time > Time::MIN
                    && before.time <= event.time
                    && before.place != event.place
                    && event.time.since(before.start) <= task.span;
                if !follows {
                    return None;
                }
                before.start
            }
        };
        let step = Step { start, ..event };
        let best = self.best.get_mut(member)?;
        if start >= best.start {
            *best = step;
        }
        Some(step)
    }
}

impl Kind for Ordered {
    fn observe(&mut self, s: &Sighting<'_>) -> Option<Firing> {
        let (one, pool) = self.groups.enter(s.key, s.time, self.task.keep);
        let step = self.task.steps.get(usize::from(s.member)).copied();
        // A correlation has at most 255 members.
        let member = step.and_then(|at| u16::try_from(at).ok())?;
        let event = |time, place| Step {
            start: time,
            time,
            place,
        };
        let again = one.time > Time::MIN && one.member == member && s.time >= one.time;
        let done =
            if one.chains == NONE && (one.time == Time::MIN || again) && self.task.members > 1 {
                (one.time, one.place, one.member) = (s.time, *s.place, member);
                None
            } else {
                let first = (one.chains == NONE && one.time > Time::MIN)
                    .then_some((one.member, event(one.time, one.place)));
                let chains = pool.take(&mut one.chains);
                if let Some((member, step)) = first {
                    chains.add(usize::from(member), step, &self.task);
                }
                chains.add(usize::from(member), event(s.time, *s.place), &self.task)
            };
        let step = done?;
        #[expect(clippy::cast_precision_loss, reason = "at most 255")]
        let observed = self.task.members as f64;
        Some(Firing {
            since: step.start,
            events: self.task.members as u64,
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
