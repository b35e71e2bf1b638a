//! What is known of how evenly an entity's events come, as people read it, and
//! how it is forgotten.

use super::{GAPS_LEAST, Periodicity, REGULARITY, quiet};
use crate::baseline::beat::SHAPE_MAX;
use crate::baseline::{Description, Statistic};
use crate::time::Time;

const WHAT: &str = "regularity (1 is chance)";

impl Periodicity {
    pub(super) fn described(&self, key: u64, now: Time) -> Option<Description> {
        let Some(beat) = self.table.find(key).and_then(|at| self.table.get(at)) else {
            let seen = self.nursery.get(key)?;
            return Some(Description {
                expected: 1.0,
                interval: (1.0, 1.0),
                ..Description::newcomer(seen, WHAT)
            });
        };
        let young = beat.gaps < self.settings.min_buckets.max(GAPS_LEAST)
            || !self.watch.is_warm(&self.settings, now);
        let rhythm = beat.rhythm();
        let alarm = rhythm.and_then(|(rhythm, evidence)| {
            let (score, floor) = (
                self.score(beat, rhythm, evidence),
                self.settings.floor.max(REGULARITY),
            );
            quiet(&score, self.watch.threshold(), floor, SHAPE_MAX)
        });
        let mut more = self.facts(key);
        more.push(("days with an even beat", f64::from(beat.days)));
        Some(Description {
            first: beat.first,
            last: beat.last,
            newcomer: false,
            evidence: f64::from(beat.gaps),
            of_gaps: true,
            what: WHAT,
            expected: 1.0,
            interval: rhythm.map_or((1.0, 1.0), |(rhythm, _)| rhythm.by_chance()),
            observed: rhythm.map(|(rhythm, _)| rhythm.regularity),
            alarm: alarm.filter(|_| !young),
            below: false,
            young,
            values: None,
            hours: Vec::new(),
            more,
        })
    }

    /// Whom others share their value with is counted afresh at the next barrier.
    pub(super) fn forgotten(&mut self, key: u64) -> bool {
        match self.table.find(key) {
            Some(at) => self.table.remove(at).is_some(),
            None => self.nursery.remove(key),
        }
    }
}
