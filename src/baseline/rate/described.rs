//! What is known of an entity's counts, as people read it, and how it is forgotten.

use super::{MEMOS, Memo, Rate};
use crate::baseline::Description;
use crate::baseline::count::CountState;
use crate::baseline::season::Profile;
use crate::baseline::special::NegBin;
use crate::baseline::table::{Newcomer, swap_out};
use crate::time::Time;

/// What is known of an entity before a bucket.
pub(in crate::baseline) struct Learnt {
    /// Its place in the table.
    pub(in crate::baseline) at: usize,
    pub(in crate::baseline) state: CountState,
    pub(in crate::baseline) profile: Option<Profile>,
    pub(in crate::baseline) bucket: i64,
}

impl Rate {
    /// The interval takes 40 evaluations and an episode asks for it at each event.
    pub(super) fn interval(&mut self, key: u64, bucket: i64, law: NegBin) -> (f64, f64) {
        let place = usize::try_from(key % MEMOS as u64).unwrap_or(0);
        let memo = self.memos.get(place).and_then(Option::as_ref);
        if let Some(memo) = memo.filter(|memo| memo.key == key && memo.bucket == bucket) {
            return memo.interval;
        }
        let interval = law.interval();
        if let Some(memo) = self.memos.get_mut(place) {
            *memo = Some(Memo {
                key,
                bucket,
                interval,
            });
        }
        interval
    }

    /// What is known of an entity at a time: a bucket that is over and was not
    /// closed yet is all that it observed. `None` for newcomers.
    pub(in crate::baseline) fn learnt(&self, key: u64, now: Time) -> Option<Learnt> {
        let at = self.table.find(key)?;
        let mut state = self.table.get(at)?.clone();
        let mut profile = self.profiles.get(at).cloned();
        let model = self.model_at(at);
        let bucket = self.model.calendar.bucket(now).max(state.bucket);
        if bucket > state.bucket {
            match &self.waiting {
                Some(waiting) => {
                    let mut alone = waiting.alone(at);
                    alone.close(0, &mut state, profile.as_mut(), model, bucket);
                }
                None => state.close(model, profile.as_mut()),
            }
        }
        Some(Learnt {
            at,
            state,
            profile,
            bucket,
        })
    }

    pub(in crate::baseline) fn described(&self, key: u64, now: Time) -> Option<Description> {
        let what = match &self.sets {
            None if self.filter.wants_proof() => "events of who never succeeded",
            None => "events",
            Some(_) => self.filter.counted(),
        };
        let place = self.table.find(key);
        let known = place.and_then(|at| self.table.get(at)).cloned();
        let new = |seen: &Newcomer| CountState::new(seen.first, seen.count, &self.model);
        let state = known.or_else(|| self.nursery.get(key).map(new))?;
        let bucket = self.model.calendar.bucket(now).max(state.bucket);
        let (learnt, season) = match self.learnt(key, now) {
            Some(learnt) => (learnt.state, learnt.profile),
            None => (state.clone(), None),
        };
        let model = place.map_or(&self.model, |at| self.model_at(at));
        let law = learnt.law(model, season.as_ref(), bucket);
        let (_, _, left) = learnt.aged(model, bucket);
        let own = place.and_then(|at| self.filter.evidence(at, &self.model.calendar));
        let young = learnt.active < self.settings.min_buckets
            || !self.watch.is_warm(&self.settings, now)
            || place.is_some_and(|at| self.filter.is_young(at));
        let alarm = (!young).then(|| law.reaching(self.watch.threshold(), self.model.floor));
        Some(Description {
            first: state.first,
            last: state.since.max(self.model.calendar.start(state.bucket)),
            newcomer: place.is_none(),
            evidence: own.unwrap_or(f64::from(learnt.evidence) * left),
            of_gaps: false,
            what,
            expected: law.mean,
            interval: law.interval(),
            observed: Some(f64::from(if bucket == state.bucket {
                state.count
            } else {
                0
            })),
            alarm: alarm.filter(|&count| count < u32::MAX).map(f64::from),
            below: false,
            young,
            values: place.and_then(|at| self.filter.known(at)),
            hours: season.map_or_else(Vec::new, |profile| {
                let (calendar, population) = (&model.calendar, &model.population);
                profile.shape(calendar, &population.peers, bucket)
            }),
            more: vec![
                ("average", learnt.flat_law(model, bucket).mean),
                ("scatter", learnt.alpha(model, left)),
            ],
        })
    }

    pub(in crate::baseline) fn forgotten(&mut self, key: u64) -> bool {
        self.forget_memo(key);
        let Some(at) = self.table.find(key) else {
            return self.nursery.remove(key);
        };
        if let Some(sets) = &mut self.sets {
            sets.remove(at, self.table.len());
        }
        self.filter.remove(at);
        if let Some(groups) = &mut self.groups {
            groups.remove(at, self.table.len());
        }
        swap_out(&mut self.profiles, at, 1);
        if let Some(waiting) = &mut self.waiting {
            swap_out(&mut waiting.lines, at, 1);
        }
        self.table.remove(at).is_some()
    }
}
