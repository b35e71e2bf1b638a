//! What is known of an entity's values, as people read it, and how it is forgotten.

use super::{Quantile, VALUES_LEAST};
use crate::baseline::Description;
use crate::time::Time;

const WHAT: &str = "in the middle one";

impl Quantile {
    pub(super) fn described(&self, key: u64, now: Time) -> Option<Description> {
        let Some(known) = self.table.find(key).and_then(|at| self.table.get(at)) else {
            let seen = self.nursery.get(key)?;
            return Some(Description::newcomer(seen, WHAT));
        };
        // As if its bucket were over, where it is.
        let mut state = known.clone();
        let bucket = self.calendar.bucket(now).max(state.bucket);
        if bucket > state.bucket {
            state.close(key, &self.settings, &self.calendar, self.may_spill());
            state.bucket = bucket;
            state.renew(&self.settings, self.watch.threshold());
        }
        let values = state.histogram.total();
        let young = values < VALUES_LEAST
            || state.active < self.settings.min_buckets
            || !self.watch.is_warm(&self.settings, now);
        let idle = bucket.saturating_sub(1).saturating_sub(state.learnt);
        let quantile = |part| state.histogram.quantile(part);
        Some(Description {
            first: known.first,
            last: known.first.max(self.calendar.start(known.bucket)),
            evidence: f64::from(state.buckets) * self.calendar.decay(idle),
            what: WHAT,
            expected: quantile(0.5),
            interval: (quantile(0.005), quantile(0.995)),
            observed: (state.seen > 0).then_some(state.highest),
            alarm: (!young && state.alarm.is_finite()).then_some(state.alarm),
            young,
            more: vec![("learnt of them, lately", values)],
            ..Description::default()
        })
    }

    pub(super) fn forgotten(&mut self, key: u64) -> bool {
        let Some(at) = self.table.find(key) else {
            return self.nursery.remove(key);
        };
        let gone = self.table.remove(at);
        let spilled = gone.as_ref().is_some_and(|old| old.histogram.is_spilled());
        self.spilled = self.spilled.saturating_sub(usize::from(spilled));
        gone.is_some()
    }
}
