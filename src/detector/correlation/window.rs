//! A sliding window of counts over event time.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::super::groups::Record;
use crate::time::{Span, Time};

/// Largest capacity a window keeps for its next group.
const SPARE: usize = 64;

/// Counts of events by their time, in order of time.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Window {
    entries: VecDeque<(Time, u32)>,
    total: u64,
}

impl Window {
    /// Adds `count` events and forgets those that no window ending at the
    /// newest event can hold. Events closer than `grain` to each other's
    /// start share an entry. Of more than `enough` events the oldest are
    /// forgotten: a flood costs no more than its threshold.
    pub(super) fn add(&mut self, time: Time, count: u32, span: Span, grain: Span, enough: u64) {
        let time = if grain > Span::ZERO {
            Time::from_nanos(time.bucket(grain).saturating_mul(grain.nanos()))
        } else {
            time
        };
        let newest = self.newest().unwrap_or(time).max(time);
        let span = Span::from_nanos(span.nanos().saturating_add(grain.nanos()));
        if newest.since(time) <= span {
            self.insert(time, count);
        }
        while let Some(&(oldest, count)) = self.entries.front() {
            let spare = self.total.saturating_sub(u64::from(count)) >= enough;
            if newest.since(oldest) <= span && !spare {
                break;
            }
            self.entries.pop_front();
            self.total = self.total.saturating_sub(u64::from(count));
        }
    }

    fn insert(&mut self, time: Time, count: u32) {
        self.total += u64::from(count);
        // In order nearly always; a late event finds its place.
        let mut at = self.entries.len();
        while at > 0 && self.entries.get(at - 1).is_some_and(|e| e.0 > time) {
            at -= 1;
        }
        match at
            .checked_sub(1)
            .and_then(|before| self.entries.get_mut(before))
        {
            Some(entry) if entry.0 == time => entry.1 = entry.1.saturating_add(count),
            _ => self.entries.insert(at, (time, count)),
        }
    }

    /// Events in the window.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Time of the oldest.
    pub(super) fn oldest(&self) -> Option<Time> {
        self.entries.front().map(|e| e.0)
    }

    fn newest(&self) -> Option<Time> {
        self.entries.back().map(|e| e.0)
    }
}

impl Record for Window {
    fn reset(&mut self) {
        self.entries.clear();
        self.entries.shrink_to(SPARE);
        self.total = 0;
    }

    fn heap(&self) -> usize {
        self.entries.capacity() * size_of::<(Time, u32)>()
    }
}
