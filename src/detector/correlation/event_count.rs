//! `event_count`: how many events a group has within the timespan.
//!
//! Exact up to thresholds of 256. Above, events are counted in buckets of a
//! 64th of the timespan, so that the window is up to a 64th longer than asked.

use serde::{Deserialize, Serialize};

use super::window::Window;
use super::{Row, Task};
use crate::detector::groups::{Body, Groups, NONE};
use crate::detector::kind::{Firing, Kind, Sighting};
use crate::time::{Span, Time};

pub(super) static ROW: Row = Row {
    name: "event_count",
    about: "how many events a group has within the timespan",
    needs_field: false,
    needs_bounds: true,
    // Counts are whole numbers of 32 bits in a window's entries.
    bound_max: 1e9,
    every_echo: false,
    build: |task| {
        Box::new(EventCount {
            enough: task.enough(),
            grain: if task.enough() > EXACT_MAX {
                Span::from_nanos(task.span.nanos() / BUCKETS)
            } else {
                Span::ZERO
            },
            groups: Groups::new(task.groups),
            task: task.clone(),
        })
    },
};

/// Thresholds up to here keep each event's time.
const EXACT_MAX: u64 = 256;
/// Above, this many buckets make up the timespan.
const BUCKETS: i64 = 64;

struct EventCount {
    task: Task,
    enough: u64,
    grain: Span,
    groups: Groups<One, Window>,
}

/// A group with one event, or the window that has taken over.
#[derive(Debug, Serialize, Deserialize)]
struct One {
    time: Time,
    count: u32,
    window: u32,
}

impl Default for One {
    fn default() -> One {
        One {
            time: Time::MIN,
            count: 0,
            window: NONE,
        }
    }
}

impl Body for One {
    fn record(&self) -> u32 {
        self.window
    }
}

impl Kind for EventCount {
    fn observe(&mut self, s: &Sighting<'_>) -> Option<Firing> {
        let (one, pool) = self.groups.enter(s.key, s.time, self.task.keep);
        let alone = one.count == 0 || s.time.since(one.time) > self.task.span;
        let (total, since) = if one.window == NONE && alone {
            (one.time, one.count) = (s.time, s.count);
            (u64::from(s.count), s.time)
        } else {
            let first = (one.window == NONE).then_some((one.time, one.count));
            let window = pool.take(&mut one.window);
            for (time, count) in first.into_iter().chain([(s.time, s.count)]) {
                window.add(time, count, self.task.span, self.grain, self.enough);
            }
            (window.total(), window.oldest().unwrap_or(s.time))
        };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let holds = self.task.holds(total as f64);
        holds.then_some(Firing {
            since,
            events: total,
            observed: None,
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
