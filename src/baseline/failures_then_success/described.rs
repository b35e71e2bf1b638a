//! What is known of an entity's slips, as people read it, and how it is forgotten.

use super::{FAMILIAR, Guesses, PLACE_MAX};
use crate::baseline::Description;
use crate::baseline::Elementary as _;
use crate::baseline::special::bits;
use crate::time::Time;

const WHAT: &str = "failures before a success";

impl Guesses {
    pub(super) fn described(&self, key: u64, now: Time) -> Option<Description> {
        let Some(known) = self.table.find(key).and_then(|at| self.table.get(at)) else {
            let seen = self.nursery.get(key)?;
            return Some(Description {
                observed: Some(f64::from(seen.count)),
                ..Description::newcomer(seen, WHAT)
            });
        };
        let mut state = known.clone();
        let bucket = self.calendar.bucket(now).max(state.places.bucket);
        let last = self.calendar.start(state.places.bucket);
        if bucket > state.places.bucket {
            state.close(&self.calendar);
            state.places.bucket = bucket;
        }
        let runs = state.runs.iter().filter(|run| run.place != 0);
        let open =
            runs.filter(|run| Time::from_nanos(run.last).plus(self.settings.timespan) >= now);
        let observed = open.map(|run| run.count).max().unwrap_or(0);
        let law = state.law();
        let young = state.places.active < self.settings.min_buckets.max(1)
            || !self.watch.is_warm(&self.settings, now);
        // Where peers have succeeded is less odd than where nobody has.
        let chance = state.places.chance(&self.calendar, &self.base);
        let new_place = self.silent(law, 1.0, bits(chance.log_e()).min(PLACE_MAX)) + 1.0;
        let first = known.places.first;
        Some(Description {
            first,
            last: last.max(known.places.since),
            newcomer: false,
            evidence: state.places.evidence(&self.calendar),
            of_gaps: false,
            what: WHAT,
            expected: law.mean(),
            interval: (0.0, law.quantile(0.005)),
            observed: Some(f64::from(observed)),
            alarm: (!young).then(|| self.silent(law, FAMILIAR, 0.0) + 1.0),
            below: false,
            young,
            values: Some(state.places.known()),
            hours: Vec::new(),
            more: vec![
                ("failures that alert from a new place, at most", new_place),
                (
                    "percent of tries that fail",
                    100.0 * law.a / (law.a + law.b),
                ),
            ],
        })
    }

    pub(super) fn forgotten(&mut self, key: u64) -> bool {
        match self.table.find(key) {
            Some(at) => self.table.remove(at).is_some(),
            None => self.nursery.remove(key),
        }
    }
}
