//! How many entities share what they go to, counted as they come.
//!
//! Those who share a value live in one lane where it is part of their key, so
//! the lane's own count is everybody's. Who has not been seen for 14 days does
//! not count any more.

use std::collections::BTreeMap;

use super::table::{Saved, Table};
use crate::time::{SECS_PER_DAY, Span};

/// Who was not seen for longer does not count among those who share something.
pub(super) const RECENT: Span = Span::from_secs(14 * SECS_PER_DAY);

/// Entities by the value that they go to.
#[derive(Debug)]
pub(super) struct Holders {
    counts: Table<u32>,
    most: usize,
}

/// The table takes hashes of which all bits count.
fn spread(value: u32) -> u64 {
    u64::from(value).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Holders {
    /// So many values at most.
    pub(super) fn new(most: usize) -> Holders {
        Holders {
            counts: Table::new(most),
            most,
        }
    }

    /// How many go there: one at least, who asks.
    pub(super) fn of(&self, value: u32) -> u32 {
        let at = self.counts.find(spread(value));
        let known = at.and_then(|at| self.counts.get(at));
        known.copied().unwrap_or(0).max(1)
    }

    /// One more goes to a value.
    pub(super) fn count(&mut self, value: u32) {
        let key = spread(value);
        if let Some(at) = self.counts.find(key) {
            if let Some(holders) = self.counts.get_mut(at) {
                *holders = holders.saturating_add(1);
            }
            return;
        }
        self.counts.insert(key, 1, |&few| Some(i64::from(few)));
    }

    /// Counts afresh: the nursery may have met somebody twice, and some have gone.
    pub(super) fn recount(&mut self, values: impl Iterator<Item = u32>) {
        let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
        for value in values {
            *counts.entry(value).or_default() += 1;
        }
        let mut most: Vec<_> = counts.into_iter().collect();
        most.sort_unstable_by_key(|&(value, holders)| (std::cmp::Reverse(holders), value));
        self.counts = Table::new(self.most);
        for (value, holders) in most.into_iter().take(self.most) {
            self.counts.insert(spread(value), holders, |_| None);
        }
    }

    /// Holders of what most go to.
    pub(super) fn largest(&self) -> Option<u32> {
        self.counts.states().max().copied()
    }

    pub(super) fn bytes(&self) -> usize {
        self.counts.bytes()
    }

    pub(super) fn save(&self) -> Saved<u32> {
        self.counts.save()
    }

    pub(super) fn load(&mut self, saved: Saved<u32>) -> Result<(), String> {
        self.counts.load(saved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_is_counted_at_once_and_who_has_gone_at_the_next_count() {
        let mut holders = Holders::new(8);
        assert_eq!((holders.of(7), holders.largest()), (1, None));
        for _ in 0..3 {
            holders.count(7);
        }
        holders.count(9);
        assert_eq!((holders.of(7), holders.of(9)), (3, 1));
        holders.recount([9, 9, 7].into_iter());
        assert_eq!((holders.of(7), holders.largest()), (1, Some(2)));
    }
}
