//! What is known of how long an entity is ever silent, as people read it, and
//! how it is forgotten.

use super::Silence;
use crate::baseline::Description;
use crate::time::{Span, Time};

const WHAT: &str = "seconds without an event";

impl Silence {
    pub(super) fn described(&self, key: u64, now: Time) -> Option<Description> {
        let Some(source) = self.table.find(key).and_then(|at| self.table.get(at)) else {
            let seen = self.nursery.get(key)?;
            return Some(Description::newcomer(seen, WHAT));
        };
        let told = self.deviation(source, now);
        let young = source.gaps < self.least() || !self.watch.is_warm(&self.settings, now);
        let ever = source.hours().map(|hour| hour.longest);
        let ever = f64::from(ever.fold(0.0, f32::max));
        Some(Description {
            first: source.first,
            last: source.last,
            newcomer: false,
            evidence: told.evidence,
            of_gaps: true,
            what: WHAT,
            expected: told.expected,
            interval: told.interval,
            observed: Some(now.since(source.last).max(Span::ZERO).as_secs_f64()),
            alarm: (!young).then_some(told.quiet),
            below: false,
            young,
            values: None,
            hours: Vec::new(),
            more: vec![("longest seconds without one, lately", ever)],
        })
    }

    pub(super) fn forgotten(&mut self, key: u64) -> bool {
        match self.table.find(key) {
            Some(at) => self.table.remove(at).is_some(),
            None => self.nursery.remove(key),
        }
    }
}
