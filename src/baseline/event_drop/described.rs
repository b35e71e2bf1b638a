//! How few events of an entity would be too few, as people read it, and how it
//! is forgotten.

use super::{AGE_LEAST, BUCKETS_LEAST, CAP_FAIR, CAP_MAX, CAP_UP, EventDrop, Mark};
use crate::baseline::Description;
use crate::baseline::table::swap_out;
use crate::time::Time;

impl EventDrop {
    /// As its counts are, but for what would be reported: too few, when the
    /// bucket is over, and unless the others have fewer too.
    pub(super) fn described(&self, key: u64, now: Time) -> Option<Description> {
        let known = self.rate.described(key, now)?;
        let Some(learnt) = self.rate.learnt(key, now) else {
            return Some(known); // a newcomer
        };
        let model = &self.rate.model;
        let (state, bucket) = (&learnt.state, learnt.bucket);
        let begin = model.calendar.start(bucket);
        let mark = self.marks.get(learnt.at).filter(|mark| mark.key == key);
        let mark = mark.copied().unwrap_or_default();
        let (events, _, _) = state.aged(model, bucket);
        let shape = model.population.shape + events;
        let law = state.law(model, learnt.profile.as_ref(), bucket);
        let law = mark.law(law, shape, 1.0);
        let young = state.active < self.settings.min_buckets.max(BUCKETS_LEAST)
            || begin.since(state.first) < AGE_LEAST
            || f64::from(mark.judged) < f64::from(BUCKETS_LEAST)
            || !self.rate.watch.is_warm(&self.settings, begin);
        // Of fewer than the floor none is too few; a drop is told once.
        let judged = !young && !mark.told && law.mean >= self.settings.floor.max(1.0);
        let least = self.rate.watch.threshold() / mark.trusted();
        let most = law.enough(least).checked_sub(1).filter(|_| judged);
        Some(Description {
            expected: law.mean,
            interval: law.interval(),
            alarm: most.map(f64::from),
            below: true,
            young,
            more: vec![
                ("average", state.flat_law(model, bucket).mean),
                ("scatter", 1.0 / law.size),
            ],
            ..known
        })
    }

    pub(super) fn forgotten(&mut self, key: u64) -> bool {
        if let Some(at) = self.rate.table.find(key) {
            // The last place moves here, and its mark with it.
            self.marks.resize(self.rate.table.len(), Mark::default());
            swap_out(&mut self.marks, at, 1);
        }
        self.due.retain(|found| found.key != key);
        self.rate.forgotten(key)
    }
}

impl Mark {
    /// The part that is kept of the score of a drop worth reporting: its
    /// reach is stretched by it first.
    fn trusted(&self) -> f64 {
        CAP_FAIR / (f64::from(self.cap).max(CAP_FAIR) * CAP_UP).min(CAP_MAX)
    }
}
