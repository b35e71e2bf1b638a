//! How many distinct values a sliding window holds: exact up to [`EXACT_MAX`],
//! beyond it from a sample.
//!
//! The sample holds every value whose hash begins with so many zero bits
//! (Gibbons' distinct sampling), with the time it was last seen. While that
//! many is none, all values are in it and the count is exact; when it is full,
//! one more bit is asked for, which leaves about half. Of `n` values in the
//! sample at level `l` the estimate is `n * 2^l` with a standard error of
//! `sqrt(n * (1 - 2^-l)) * 2^l`: between 3.1 % (1,024 values left) and 4.4 %
//! (512). Unlike HyperLogLog's registers, a sample forgets what leaves the
//! window exactly, and it turns exact again.

use std::collections::VecDeque;

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};

/// Most values kept, and so the greatest exact count. A full set takes 56 KiB.
pub(super) const EXACT_MAX: usize = 1024;

/// Distinct values by their hashes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Distinct {
    /// Sightings in order of time; a value's last one is the one in `last`.
    queue: VecDeque<(u64, Time)>,
    /// When each value of the sample was last seen; made from `queue` anew
    /// after it was saved.
    #[serde(skip)]
    last: HashTable<(u64, Time)>,
    /// Leading zero bits of the values that are counted.
    level: u32,
    /// The same of those that are let in: one less while the sample grows back.
    admit: u32,
    /// Since when that is so.
    since: Option<Time>,
    /// Values that are counted.
    counted: usize,
}

/// A count, and its standard error if it is an estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Count {
    pub(super) values: f64,
    pub(super) error: Option<f64>,
}

impl Distinct {
    /// Takes a value in and forgets what no window that ends at `newest` holds.
    pub(super) fn add(&mut self, value: u64, time: Time, newest: Time, span: Span) {
        self.restore();
        self.expire(newest.minus(span));
        if value.leading_zeros() >= self.admit && newest.since(time) <= span {
            self.insert(value, time);
        }
        while self.last.len() > EXACT_MAX {
            self.raise();
        }
        self.lower(newest, span);
        if self.queue.len() > 2 * self.last.len() + 64 {
            self.compact();
        }
    }

    /// What the window holds.
    #[expect(clippy::cast_precision_loss, reason = "at most 1,024 values")]
    pub(super) fn count(&self) -> Count {
        let sampled = self.counted as f64;
        let scale = f64::from(1_u32 << self.level.min(31));
        Count {
            values: sampled * scale,
            error: (self.level > 0).then(|| (sampled * (1.0 - 1.0 / scale)).sqrt() * scale),
        }
    }

    /// Time of the oldest sighting that is kept.
    pub(super) fn oldest(&self) -> Option<Time> {
        self.queue.front().map(|(_, time)| *time)
    }

    /// Empties it, keeping modest memory.
    pub(super) fn reset(&mut self) {
        let mut queue = std::mem::take(&mut self.queue);
        queue.clear();
        queue.shrink_to(32);
        *self = Distinct {
            queue,
            ..Distinct::default()
        };
    }

    /// Bytes it takes outside of itself.
    pub(super) fn heap(&self) -> usize {
        let entry = size_of::<(u64, Time)>();
        self.queue.capacity() * entry + self.last.capacity() * (entry + 1)
    }

    fn insert(&mut self, value: u64, time: Time) {
        match self.last.find_mut(value, |(known, _)| *known == value) {
            // A late event, or the same instant: nothing new.
            Some((_, last)) if *last >= time => return,
            Some((_, last)) => *last = time,
            None => {
                self.last.insert_unique(value, (value, time), |(v, _)| *v);
                self.counted += usize::from(value.leading_zeros() >= self.level);
            }
        }
        // In order nearly always; a late event finds its place.
        let mut at = self.queue.len();
        while at > 0 && self.queue.get(at - 1).is_some_and(|entry| entry.1 > time) {
            at -= 1;
        }
        self.queue.insert(at, (value, time));
    }

    fn expire(&mut self, oldest: Time) {
        while let Some(&(value, time)) = self.queue.front().filter(|entry| entry.1 < oldest) {
            self.queue.pop_front();
            let last = |(known, last): &(u64, Time)| *known == value && *last == time;
            if let Ok(entry) = self.last.find_entry(value, last) {
                entry.remove();
                self.counted -= usize::from(value.leading_zeros() >= self.level);
            }
        }
        if self.last.is_empty() {
            (self.level, self.admit, self.since) = (0, 0, None);
        }
    }

    /// Asks for one more zero bit.
    fn raise(&mut self) {
        self.admit += 1;
        self.since = None;
        self.level = self.level.max(self.admit);
        let admit = self.admit;
        self.last
            .retain(|(value, _)| value.leading_zeros() >= admit);
        self.queue
            .retain(|(value, _)| value.leading_zeros() >= admit);
        let level = self.level;
        let counted = self.last.iter();
        self.counted = counted.filter(|(v, _)| v.leading_zeros() >= level).count();
    }

    /// Lets more in when there is much room again; they count once the window
    /// holds nothing of before.
    fn lower(&mut self, newest: Time, span: Span) {
        match self.since {
            Some(since) if newest.since(since) > span => {
                self.level = self.admit;
                self.counted = self.last.len();
                self.since = None;
            }
            None if self.level > 0 && self.last.len() < EXACT_MAX / 8 => {
                self.admit = self.level - 1;
                self.since = Some(newest);
            }
            _ => {}
        }
    }

    /// Leaves each value's last sighting only.
    fn compact(&mut self) {
        let last = &self.last;
        self.queue.retain(|(value, time)| {
            let known = last.find(*value, |(known, _)| known == value);
            known.is_some_and(|(_, last)| last == time)
        });
    }

    /// Makes the table of a set that was saved.
    fn restore(&mut self) {
        if !self.last.is_empty() || self.queue.is_empty() {
            return;
        }
        for &(value, time) in &self.queue {
            match self.last.find_mut(value, |(known, _)| *known == value) {
                Some((_, last)) => *last = time,
                None => {
                    self.last.insert_unique(value, (value, time), |(v, _)| *v);
                }
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Spreads numbers as a keyed hash does (SplitMix64).
    fn hash(n: u64) -> u64 {
        let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn second(n: u64) -> Time {
        Time::from_secs(i64::try_from(n).unwrap())
    }

    proptest::proptest! {
        #[test]
        fn up_to_its_bound_the_count_is_exact(
            events in proptest::collection::vec((0_u64..40, 0_u64..6), 1..300),
            saved in proptest::prelude::any::<bool>(),
        ) {
            let span = Span::from_secs(30);
            let (mut set, mut seen) = (Distinct::default(), BTreeMap::new());
            let (mut now, mut newest) = (100, 0);
            for (value, step) in events {
                now += step;
                // Every sixth event is four seconds late.
                let at = if step == 5 { now - 4 } else { now };
                newest = newest.max(at);
                if saved {
                    set = postcard::from_bytes(&postcard::to_stdvec(&set).unwrap()).unwrap();
                }
                set.add(hash(value), second(at), second(newest), span);
                let last = seen.entry(value).or_insert(at);
                *last = at.max(*last);
                let expected = seen.values().filter(|at| **at + 30 >= newest).count();
                proptest::prop_assert_eq!(set.count(), Count { values: expected as f64, error: None });
            }
        }
    }

    #[test]
    fn beyond_its_bound_the_estimate_is_within_four_of_its_errors() {
        let (mut set, span) = (Distinct::default(), Span::from_secs(1_000_000));
        for n in 0..200_000_u64 {
            set.add(hash(n), second(n), second(n), span);
            let count = set.count();
            let off = (count.values - (n + 1) as f64).abs();
            match count.error {
                None => assert!(n < EXACT_MAX as u64 && off == 0.0, "{n}: {count:?}"),
                Some(error) => {
                    assert!(off <= 4.0 * error, "{n}: {count:?}");
                    assert!(error <= 0.05 * count.values, "{n}: {count:?}");
                }
            }
        }
        assert!(set.heap() < 120_000, "{}", set.heap());
    }

    #[test]
    fn after_a_flood_the_count_is_exact_again() {
        let (mut set, span) = (Distinct::default(), Span::from_secs(60));
        let mut add = |n: u64, at: u64| {
            set.add(hash(n), second(at), second(at), span);
            set.count()
        };
        for n in 0..50_000 {
            add(n, 1000 + n / 1000);
        }
        // Twenty values a minute from then on.
        let mut last = add(0, 1050);
        for at in 1051..3000 {
            last = add(at % 20, at);
        }
        assert_eq!(
            last,
            Count {
                values: 20.0,
                error: None
            }
        );
    }
}
