//! What is known of an entity's sums, as people read it, and how it is forgotten.

use super::{KIB, Volume};
use crate::baseline::Description;
use crate::time::Time;

const WHAT: &str = "in sum";

impl Volume {
    pub(super) fn described(&self, key: u64, now: Time) -> Option<Description> {
        let Some(known) = self.table.find(key).and_then(|at| self.table.get(at)) else {
            let seen = self.nursery.get(key)?;
            return Some(Description {
                observed: Some(f64::from(seen.count) * KIB),
                ..Description::newcomer(seen, WHAT)
            });
        };
        // As if its bucket were over, where it is.
        let mut state = known.clone();
        let bucket = self.model.calendar.bucket(now).max(state.bucket);
        if bucket > state.bucket {
            state.close(&self.model);
            state.open(bucket, &self.model);
        }
        let law = state.law(&self.model, bucket);
        let (expected, interval) = law.expected();
        let tail = &self.model.population.tail;
        let others = law.activity() + self.model.destination(state.top);
        let alarm = law.reaching(tail, self.watch.threshold(), others);
        let young =
            state.active < self.settings.min_buckets || !self.watch.is_warm(&self.settings, now);
        Some(Description {
            first: state.first,
            last: known.since.max(self.model.calendar.start(known.bucket)),
            newcomer: false,
            evidence: state.evidence(&self.model, bucket),
            of_gaps: false,
            what: WHAT,
            expected,
            interval,
            observed: Some(state.sum),
            alarm: (!young).then_some(alarm.max(self.model.floor)),
            below: false,
            young,
            values: None,
            hours: Vec::new(),
            more: vec![("percent of such times with any", 100.0 * law.active)],
        })
    }

    pub(super) fn forgotten(&mut self, key: u64) -> bool {
        match self.table.find(key) {
            Some(at) => self.table.remove(at).is_some(),
            None => self.nursery.remove(key),
        }
    }
}
