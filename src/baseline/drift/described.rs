//! What is known of an entity's level, as people read it, and how it is forgotten.

use super::{Drift, log_of};
use crate::baseline::Elementary as _;
use crate::baseline::special::exp2;
use crate::baseline::{Description, student};
use crate::time::Time;

const WHAT: &str = "as its level";

impl Drift {
    pub(super) fn described(&self, key: u64, now: Time) -> Option<Description> {
        let Some(known) = self.table.find(key).and_then(|at| self.table.get(at)) else {
            return Some(Description::newcomer(self.nursery.get(key)?, WHAT));
        };
        // As if its bucket were over, where it is.
        let mut state = known.clone();
        let bucket = self.model.calendar.bucket(now).max(state.bucket);
        if bucket > state.bucket {
            state.close(&self.model);
            state.settle(bucket, &self.model);
            state.bucket = bucket;
        }
        let law = state.law(&self.model);
        let young = law.is_none()
            || state.active < self.settings.min_buckets
            || !self.watch.is_warm(&self.settings, now);
        let mut found = Description {
            first: state.first,
            last: known.since.max(self.model.calendar.start(known.bucket)),
            newcomer: false,
            evidence: state.evidence(&self.model),
            what: WHAT,
            young,
            ..Description::default()
        };
        if let Some(law) = law {
            let at = |bits: f64| law.sum_at(student::reaching(bits, law.freedom));
            let edge = student::reaching(-0.005_f64.log_two(), law.freedom);
            found.expected = law.sum_at(0.0);
            found.interval = (law.sum_at(-edge), law.sum_at(edge));
            found.observed =
                (state.sum > 0.0).then(|| exp2(law.recent(log_of(state.sum)).min(60.0)) - 1.0);
            found.alarm = (!young).then(|| at(self.watch.threshold()).max(self.model.floor));
        }
        Some(found)
    }

    pub(super) fn forgotten(&mut self, key: u64) -> bool {
        match self.table.find(key) {
            Some(at) => self.table.remove(at).is_some(),
            None => self.nursery.remove(key),
        }
    }
}
