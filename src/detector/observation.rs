//! What the stateless part tells the stateful part: observations, by lane.

use std::ops::Range;

use crate::time::Time;

/// How many lanes there always are. Each entity of each rule lives in one, and
/// limits are per lane, so that results do not depend on how many threads
/// share the lanes out.
pub const LANES: usize = 64;

/// A stretch of an arena's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    from: u32,
    to: u32,
}

impl Stretch {
    /// No bytes.
    pub(crate) const EMPTY: Stretch = Stretch { from: 0, to: 0 };

    fn range(self) -> Range<usize> {
        self.from as usize..self.to as usize
    }

    /// The bytes themselves.
    pub fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.range()).unwrap_or_default()
    }
}

/// An event that a stateful rule looks at, reduced to what the rule needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Observation {
    /// The stateful rule: a number of the detector's own.
    pub unit: u16,
    /// Which of the rule's members the event met.
    pub member: u16,
    /// The lane it belongs to.
    pub lane: u8,
    /// The line's number in its block, as `detect` was given it.
    pub line: u32,
    /// How many times it happened at once.
    pub count: u32,
    /// Event time.
    pub time: Time,
    /// Keyed hash of the key's bytes: the entity's identity. Two of a million
    /// entities share one with probability 3e-8.
    pub key_hash: u64,
    /// The key's bytes, for people.
    pub key: Stretch,
    /// Keyed hash of the value's bytes; 0 where the rule looks at no value.
    pub value_hash: u64,
    /// The value's bytes.
    pub value: Stretch,
    /// The value as a number, if it is one.
    pub number: Option<f64>,
    /// Keyed hash of the value that the entity's peers share; 0 is none.
    pub peers: u64,
    /// Whether it is an attempt that failed, of what says who somebody is.
    pub unproven: bool,
}

/// The observations of a block of lines. Reused from block to block.
#[derive(Debug, Default)]
pub struct Observations {
    text: Vec<u8>,
    list: Vec<Observation>,
    order: Vec<u32>,
    starts: Vec<u32>,
}

impl Observations {
    /// Forgets everything but the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.list.clear();
        self.order.clear();
        self.starts.clear();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The arena that keys and values stand in.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Sorts by lane, keeping the order of lines; call when the block is done.
    pub fn seal(&mut self) {
        self.starts.clear();
        self.starts.resize(LANES + 1, 0);
        for observation in &self.list {
            if let Some(count) = self.starts.get_mut(usize::from(observation.lane) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        self.order.clear();
        self.order.resize(self.list.len(), 0);
        // Fills each lane's stretch from its end, so that `starts` is right
        // again when all are placed.
        let ends = self.starts.get_mut(1..).unwrap_or_default();
        for (at, observation) in self.list.iter().enumerate().rev() {
            if let Some(end) = ends.get_mut(usize::from(observation.lane)) {
                *end -= 1;
                if let Some(slot) = self.order.get_mut(*end as usize) {
                    *slot = u32::try_from(at).unwrap_or(u32::MAX);
                }
            }
        }
        self.starts.rotate_left(1);
        if let Some(last) = self.starts.last_mut() {
            *last = sum;
        }
    }

    /// A lane's observations in the order of lines; sealed first.
    pub fn lane(&self, lane: usize) -> impl Iterator<Item = &Observation> {
        let from = self.starts.get(lane).copied().unwrap_or(0) as usize;
        let to = self.starts.get(lane + 1).copied().unwrap_or(0) as usize;
        let order = self.order.get(from..to).unwrap_or_default();
        order.iter().filter_map(|at| self.list.get(*at as usize))
    }

    pub(crate) fn push(&mut self, observation: Observation) {
        debug_assert!(usize::from(observation.lane) < LANES, "a lane that exists");
        self.list.push(observation);
    }

    /// Turns the order of what was pushed from `from` on: later rules and
    /// later members of a rule come first. So in a chain no line is taken for
    /// its own forerunner before it was tried as the follower of another.
    pub(crate) fn later_first(&mut self, from: usize) {
        if let Some(new) = self.list.get_mut(from..) {
            new.sort_unstable_by_key(|o| std::cmp::Reverse((o.unit, o.member)));
        }
    }

    /// Appends bytes by a function that may decline; what it wrote then is undone.
    pub(crate) fn write(&mut self, fill: impl FnOnce(&mut Vec<u8>) -> bool) -> Option<Stretch> {
        let from = self.text.len();
        if !fill(&mut self.text) {
            self.text.truncate(from);
            return None;
        }
        Some(Stretch {
            from: u32::try_from(from).ok()?,
            to: u32::try_from(self.text.len()).ok()?,
        })
    }
}

/// The lane of a hash.
pub(crate) fn lane_of(hash: u64) -> u8 {
    // The high bits of a product depend on all bits of the hash.
    let mixed = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
    u8::try_from(mixed).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_keep_the_order_of_lines() {
        let mut all = Observations::default();
        for round in 0..2 {
            all.clear();
            for line in 0..1000 {
                let lane = lane_of(u64::from(line % 37));
                all.push(Observation {
                    lane,
                    line,
                    ..Observation::default()
                });
            }
            all.seal();
            let mut seen = 0;
            for lane in 0..LANES {
                let lines: Vec<u32> = all.lane(lane).map(|o| o.line).collect();
                assert!(lines.is_sorted(), "round {round} lane {lane}");
                assert!(all.lane(lane).all(|o| usize::from(o.lane) == lane));
                seen += lines.len();
            }
            assert_eq!(seen, 1000);
        }
    }
}
