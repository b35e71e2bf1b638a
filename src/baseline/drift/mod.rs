//! `drift`: a level that has crept up, held against a slow anchor.
//!
//! Every baseline that follows its entity can be led: who grows by a little
//! each day is never odd, and a year later sends a thousand times as much. The
//! anchor is a second memory of the same entity. It learns a bucket a week
//! late, forgets with its own long half-life, may rise by 5 % a day at most,
//! and does not learn what was alerted on. Scored is not a bucket but the mean
//! of the logarithms of the last week's, none of which counts for more than 2.5
//! spreads, so a few large days are no drift; and whether they rise one after
//! the other (see `trend`). Fisher's method takes both together,
//! and the better of that and the level alone counts, less a bit for the choice:
//!
//! ```text
//! y = log2(1 + sum),  ȳ over the k buckets that the anchor has not learnt
//! ȳ ~ a + t_ν √(s² (1/k + 1/(n+2)) + τ²),  τ = half a bit of honest drift
//! ```
//!
//! A frog that grows by ρ a day is found after about log2(T)/log2((1+ρ)/1.05)
//! days, T the ratio that is odd (about 8): 12 days for 25 %, 220 for 6 %.
//! What grows slower than the anchor may is not found here by anything but a
//! ceiling. A new level that has been alerted on for a week becomes the anchor.

mod described;

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::anchor::{ANCHORED, Anchored, Model, WEIGHT, WITHIN};
use super::held::Ripeness;
use super::special::{BITS_MAX, exp2, from_fixed, to_fixed};
use super::student;
use super::sums::log_of;
use super::table::{Newcomer, Nursery, Saved, Table};
use super::watch::Watch;
use super::{
    Census, Description, Deviation, Kept, Row, Sample, Settings, Statistic, Want, snapshot,
};
use crate::time::{Span, Time};

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "drift",
    about: "a level that has crept up from a slow anchor: of events, or of a field's sum",
    field: Want::May,
    number: true,
    many: false,
    sparse: false,
    prevalence: Want::No,
    peers: false,
    only: &[],
    members: 1,
    floor: None,
    counts: false,
    build: |settings| Box::new(Drift::new(settings)),
};

/// All entities of one rule in one lane.
struct Drift {
    settings: Settings,
    model: Model,
    slot: Span,
    table: Table<Anchored>,
    nursery: Nursery,
    watch: Watch,
}

#[derive(Serialize, Deserialize)]
struct State {
    table: Saved<Anchored>,
    nursery: Saved<Newcomer>,
    within: f64,
    watch: Watch,
}

impl Drift {
    fn new(settings: &Settings) -> Drift {
        Drift {
            model: Model::new(settings),
            slot: Span::from_nanos((settings.timespan.nanos() / 6).max(1)),
            table: Table::new(settings.max_entities),
            nursery: Nursery::new(settings.max_entities),
            watch: Watch::new(settings),
            settings: settings.clone(),
        }
    }

    fn known(&mut self, at: usize, sample: &Sample, amount: f64) -> Option<Deviation> {
        let bucket = self.model.calendar.bucket(sample.time);
        let threshold = self.watch.threshold();
        let state = self.table.get_mut(at)?;
        if bucket > state.bucket {
            state.close(&self.model);
            state.settle(bucket, &self.model);
            state.bucket = bucket;
            state.forget_alarm(&self.model);
        }
        state.add(amount, sample.time);
        state.absurd |= sample.lesson.is_none();
        if state.sum < state.alarm {
            return None;
        }
        let law = state.law(&self.model);
        if !state.resolved {
            state.alarm = law.as_ref().map_or(f64::INFINITY, |law| {
                law.reaching(threshold).max(self.model.floor)
            });
            state.resolved = true;
        }
        let law = law.filter(|_| state.sum >= state.alarm)?;
        let bits = law.bits(state.sum);
        if bits < threshold {
            return None;
        }
        let of = Ripeness {
            known: state.active,
            least: self.settings.min_buckets,
        };
        let (settings, watch) = (&self.settings, &self.watch);
        let held = watch.verdict(settings, bits, of, sample.time)?;
        if held.is_none() {
            state.note_alert(&self.model);
        }
        let recent = law.recent(log_of(state.sum));
        let mut terms = law.terms(log_of(state.sum)).to_vec();
        terms.retain(|term| term.1 > 1e-9);
        terms.sort_by(|a, b| b.1.total_cmp(&a.1));
        let edge = student::reaching(-0.005_f64.log_two(), law.freedom);
        Some(Deviation {
            bits: bits.min(BITS_MAX),
            // The level, as an amount a bucket.
            observed: exp2(recent.min(60.0)) - 1.0,
            expected: law.sum_at(0.0),
            interval: (law.sum_at(-edge), law.sum_at(edge)),
            evidence: state.evidence(&self.model),
            age: sample.time.since(state.first).max(Span::ZERO),
            model: "anchor",
            quiet: (law.quiet(threshold, state.sum).ceil() - 1.0).max(0.0),
            return_days: self.watch.return_days(bits),
            terms,
            since: state.since,
            held,
        })
    }

    /// A newcomer waits until it is seen in a second slot; a drift takes weeks.
    fn newcomer(&mut self, sample: &Sample, amount: f64) -> Option<Deviation> {
        let slot = self.slot;
        let Some(seen) = self.nursery.find(sample.key) else {
            let newcomer = Newcomer {
                first: sample.time,
                count: 1,
                value: 0,
            };
            self.nursery.insert(sample.key, newcomer);
            return None;
        };
        seen.count = seen.count.saturating_add(1);
        if sample.time.bucket(slot) <= seen.first.bucket(slot) {
            return None;
        }
        let state = Anchored::new(seen.first, &self.model);
        let (model, now) = (&self.model, sample.time);
        let at = self
            .table
            .insert(sample.key, state, |old| old.worth(model, now))?;
        self.nursery.remove(sample.key);
        self.known(at, sample, amount)
    }

    fn forget_derived(&mut self) {
        for state in self.table.states_mut() {
            state.forget_alarm(&self.model);
        }
    }
}

impl Statistic for Drift {
    fn observe(&mut self, sample: &Sample) -> Option<Deviation> {
        // Without a field, events are counted.
        let each = sample.amount.unwrap_or(1.0);
        let amount = each * f64::from(sample.count.max(1));
        if amount.is_nan() || amount <= 0.0 {
            return None;
        }
        self.watch.see(sample.time);
        match self.table.find(sample.key) {
            Some(at) => self.known(at, sample, amount),
            None => self.newcomer(sample, amount),
        }
    }

    fn census(&mut self, now: Time) -> Census {
        let bucket = self.model.calendar.bucket(now);
        let (mut votes, mut sums) = (Vec::new(), vec![0, 0]);
        for state in self.table.states_mut() {
            if self.model.calendar.is_over(state.bucket, now) {
                state.close(&self.model);
                state.settle(bucket, &self.model);
            }
            if state.evidence(&self.model) >= ANCHORED {
                let within = state.variance(&self.model).min(64.0);
                for (sum, more) in sums.iter_mut().zip([1.0, within]) {
                    *sum += to_fixed(more);
                }
            }
            self.watch.vote(&mut votes, &mut state.peak);
        }
        Census {
            sums,
            ..self.watch.census(votes)
        }
    }

    fn adopt(&mut self, population: &Census, _now: Time) {
        let at = |place: usize| from_fixed(population.sums.get(place).copied().unwrap_or(0));
        let within = (WEIGHT * WITHIN + at(1)) / (WEIGHT + at(0));
        self.model.within = within.clamp(0.25, 64.0);
        self.watch.adopt(population, &self.settings);
        self.forget_derived();
    }

    fn describe(&self, key: u64, now: Time) -> Option<Description> {
        self.described(key, now)
    }

    fn forget(&mut self, key: u64) -> bool {
        self.forgotten(key)
    }

    fn kept(&self) -> Kept<'_> {
        Kept::new(&self.table, &self.nursery, size_of::<Drift>())
    }

    fn save(&self) -> Vec<u8> {
        let state = State {
            table: self.table.save(),
            nursery: self.nursery.save(),
            within: self.model.within,
            watch: self.watch.clone(),
        };
        snapshot::pack(ROW.name, &self.settings, &state)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let state: State = snapshot::unpack(ROW.name, &self.settings, bytes)?;
        let mut fresh = Drift::new(&self.settings);
        fresh.table.load(state.table)?;
        fresh.nursery.load(state.nursery)?;
        fresh.model.within = state.within;
        fresh.watch = state.watch;
        fresh.forget_derived();
        *self = fresh;
        Ok(())
    }
}
