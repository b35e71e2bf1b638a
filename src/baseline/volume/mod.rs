//! `value_sum`: more in a bucket than the entity's own habit explains: bytes.
//!
//! Scored as soon as the sum is out, not at the bucket's end: per event on a
//! known entity one lookup, one addition, one compare. The sum that would
//! alarm is worked out only once the floor is reached, and again when the
//! bucket's main destination becomes another one. Where `prevalence-of:` names
//! a field, the same sum counts for less where everybody's goes and for more
//! where nobody else's does.
//!
//! Negative amounts are no amounts; what cannot be (a petabyte at once, 2^63)
//! counts as a petabyte, and its bucket is not learnt.

mod described;

use serde::{Deserialize, Serialize};

use super::amount::{ABSURD, AmountState};
use super::held::Ripeness;
use super::holders::{Holders, RECENT};

use super::shared::{Population, Tally};
use super::special::BITS_MAX;
use super::sums::Model;
use super::table::{Newcomer, Nursery, Saved, Table};
use super::watch::Watch;
use super::{
    Census, Description, Deviation, Kept, Row, Sample, Settings, Statistic, Want, snapshot, values,
};
use crate::time::{Span, Time};

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "value_sum",
    about: "a larger sum in a bucket than the entity's own habit and its peers' explain",
    field: Want::Must,
    number: true,
    many: false,
    sparse: false,
    prevalence: Want::May,
    peers: false,
    only: &[],
    members: 1,
    floor: None,
    counts: false,
    build: |settings| Box::new(Volume::new(settings)),
};

/// A newcomer this surprising gets a baseline at once, if its amount alone
/// does its part: being new at night is no merit.
const ADMIT_BITS: f64 = 12.0;
const ADMIT_AMOUNT: f64 = 6.0;

/// A newcomer's sum is kept in KiB.
const KIB: f64 = 1024.0;

/// All entities of one rule in one lane.
pub(super) struct Volume {
    settings: Settings,
    model: Model,
    slot: Span,
    table: Table<AmountState>,
    nursery: Nursery,
    watch: Watch,
}

#[derive(Serialize, Deserialize)]
struct State {
    table: Saved<AmountState>,
    nursery: Saved<Newcomer>,
    population: Population,
    holders: Option<Saved<u32>>,
    watch: Watch,
}

impl Volume {
    fn new(settings: &Settings) -> Volume {
        Volume {
            model: Model::new(settings),
            slot: Span::from_nanos((settings.timespan.nanos() / 6).max(1)),
            table: Table::new(settings.max_entities),
            nursery: Nursery::new(settings.max_entities),
            watch: Watch::new(settings),
            settings: settings.clone(),
        }
    }

    /// A sample of an entity with a baseline.
    fn known(&mut self, at: usize, sample: &Sample, amount: f64) -> Option<Deviation> {
        let bucket = self.model.calendar.bucket(sample.time);
        let state = self.table.get_mut(at)?;
        if bucket > state.bucket {
            state.close(&self.model);
            state.open(bucket, &self.model);
        }
        state.add(amount, destination(sample), sample.time, &self.model);
        state.absurd |= sample.lesson.is_none();
        if state.sum < state.alarm {
            return None;
        }
        if !state.resolved {
            let law = state.law(&self.model, state.bucket);
            let others = law.activity() + self.model.destination(state.top);
            let tail = &self.model.population.tail;
            let alarm = law.reaching(tail, self.watch.threshold(), others);
            state.alarm = alarm.max(self.model.floor);
            state.resolved = true;
            if state.sum < state.alarm {
                return None;
            }
        }
        let mut found = deviation(state, &self.model, &self.watch, sample.time)?;
        let of = Ripeness {
            known: state.active,
            least: self.settings.min_buckets,
        };
        let (settings, watch) = (&self.settings, &self.watch);
        found.held = watch.verdict(settings, found.bits, of, sample.time)?;
        if found.held.is_none() {
            state.note_alert(&self.model);
        }
        Some(found)
    }

    /// A sample of an entity without a baseline.
    fn newcomer(&mut self, sample: &Sample, amount: f64) -> Option<Deviation> {
        let slot = self.slot;
        let known = self.nursery.find(sample.key).copied();
        let mut seen = known.unwrap_or_else(|| self.meet(sample));
        let returned = sample.time.bucket(slot) > seen.first.bucket(slot);
        let mut state = self.young(&seen);
        if !returned {
            state.add(amount, destination(sample), sample.time, &self.model);
        }
        if returned || self.stands_out(&state) {
            return self.admit(seen, sample, amount);
        }
        seen.count = seen.count.saturating_add(kib(amount));
        self.keep(seen, sample.key);
        None
    }

    /// Somebody who was never here before.
    fn meet(&mut self, sample: &Sample) -> Newcomer {
        let value = destination(sample);
        if let Some(holders) = &mut self.model.holders {
            holders.count(value);
        }
        Newcomer {
            first: sample.time,
            count: 0,
            value,
        }
    }

    /// The state of who was in the nursery so far.
    fn young(&self, seen: &Newcomer) -> AmountState {
        let mut state = AmountState::new(seen.first, &self.model);
        if seen.count > 0 {
            let before = f64::from(seen.count) * KIB;
            state.add(before, seen.value, seen.first, &self.model);
        }
        state
    }

    fn keep(&mut self, seen: Newcomer, key: u64) {
        match self.nursery.find(key) {
            Some(kept) => *kept = seen,
            None => self.nursery.insert(key, seen),
        }
    }

    /// Gives a newcomer a baseline, or, when the table is full of established
    /// entities, scores it from the population alone.
    fn admit(&mut self, seen: Newcomer, sample: &Sample, amount: f64) -> Option<Deviation> {
        let mut state = self.young(&seen);
        let (model, now) = (&self.model, sample.time);
        let place = self
            .table
            .insert(sample.key, state.clone(), |old| old.worth(model, now));
        if let Some(at) = place {
            self.nursery.remove(sample.key);
            return self.known(at, sample, amount);
        }
        let mut seen = seen;
        if model.calendar.bucket(now) > state.bucket {
            state = AmountState::new(now, &self.model);
            seen = Newcomer {
                first: now,
                count: 0,
                value: destination(sample),
            };
        }
        state.add(amount, destination(sample), now, &self.model);
        seen.count = seen.count.saturating_add(kib(amount));
        self.keep(seen, sample.key);
        let ripe = state.sum >= self.model.floor && self.settings.min_buckets == 0;
        if !ripe || !self.watch.is_warm(&self.settings, now) {
            return None;
        }
        deviation(&state, &self.model, &self.watch, now)
    }

    /// Whether a newcomer's sum is worth a baseline at its first sight.
    fn stands_out(&self, state: &AmountState) -> bool {
        if state.sum < self.model.floor {
            return false;
        }
        // Where uploads go is told by all of them, not only by those who come back.
        if self.model.holders.is_some() {
            return true;
        }
        let law = state.law(&self.model, state.bucket);
        let terms = state.terms(&self.model, &law);
        let bits: f64 = terms.iter().map(|term| term.1).sum();
        law.amount(&self.model.population.tail, state.sum) >= ADMIT_AMOUNT
            && bits >= self.watch.threshold().min(ADMIT_BITS)
    }

    /// Counts afresh who goes where.
    fn recount(&mut self, now: Time) {
        let Some(holders) = &mut self.model.holders else {
            return;
        };
        let recent = |last: Time| now.since(last) <= RECENT;
        let new = self.nursery.newcomers().filter(|new| recent(new.first));
        let known = self.table.states().filter(|state| recent(state.since));
        let known = known.map(AmountState::goes_to);
        holders.recount(new.map(|new| new.value).chain(known));
    }

    /// What was worked out from the state or the population as they were.
    fn forget_derived(&mut self) {
        for state in self.table.states_mut() {
            state.forget_alarm(&self.model);
        }
    }
}

/// Says what is out of the ordinary about the bucket so far.
fn deviation(state: &AmountState, model: &Model, watch: &Watch, now: Time) -> Option<Deviation> {
    let law = state.law(model, state.bucket);
    let mut terms = state.terms(model, &law).to_vec();
    let bits: f64 = terms.iter().map(|term| term.1).sum();
    let bits = bits.clamp(0.0, BITS_MAX);
    if bits < watch.threshold() {
        return None;
    }
    let others: f64 = terms.iter().skip(1).map(|term| term.1).sum();
    let alarm = law
        .reaching(&model.population.tail, watch.threshold(), others)
        .max(model.floor);
    terms.retain(|term| term.1.abs() > 1e-9);
    terms.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (expected, interval) = law.expected();
    Some(Deviation {
        bits,
        observed: state.sum,
        expected,
        interval,
        evidence: state.evidence(model, state.bucket),
        age: now.since(state.first).max(Span::ZERO),
        model: "t",
        quiet: (alarm.ceil() - 1.0).max(0.0),
        return_days: watch.return_days(bits),
        terms,
        since: state.since,
        held: None,
    })
}

/// Where the amount goes, if the rule asks for it; 0 else.
fn destination(sample: &Sample) -> u32 {
    if sample.value == 0 {
        0
    } else {
        values::short(sample.value).max(1)
    }
}

fn kib(amount: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and `as` saturates at 4 TiB"
    )]
    let kib = (amount.min(ABSURD) / KIB) as u32;
    kib
}

impl Statistic for Volume {
    fn observe(&mut self, sample: &Sample) -> Option<Deviation> {
        let amount = sample.amount.filter(|amount| *amount > 0.0)?;
        let amount = amount * f64::from(sample.count.max(1));
        self.watch.see(sample.time);
        match self.table.find(sample.key) {
            Some(at) => self.known(at, sample, amount),
            None => self.newcomer(sample, amount),
        }
    }

    fn facts(&self, key: u64) -> Vec<(&'static str, f64)> {
        let state = self.table.find(key).and_then(|at| self.table.get(at));
        let (Some(state), Some(holders)) = (state, &self.model.holders) else {
            return Vec::new();
        };
        vec![("shared.by", f64::from(holders.of(state.goes_to())))]
    }

    fn census(&mut self, now: Time) -> Census {
        let mut tally = Tally::default();
        let mut votes = Vec::new();
        let bucket = self.model.calendar.bucket(now);
        for state in self.table.states_mut() {
            if self.model.calendar.is_over(state.bucket, now) {
                state.close(&self.model);
                state.settle(bucket, &self.model);
            }
            tally.count(state, &self.model, bucket);
            self.watch.vote(&mut votes, &mut state.peak);
        }
        self.recount(now);
        let (sums, holders) = tally.done();
        Census {
            sums,
            holders,
            ..self.watch.census(votes)
        }
    }

    fn adopt(&mut self, population: &Census, _now: Time) {
        let width = self.settings.timespan.max(Span::SECOND);
        self.model.population.adopt(population, width);
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
        let beside = self.model.population.shared.bytes()
            + self.model.holders.as_ref().map_or(0, Holders::bytes)
            + size_of::<Volume>();
        Kept::new(&self.table, &self.nursery, beside)
    }

    fn save(&self) -> Vec<u8> {
        let state = State {
            table: self.table.save(),
            nursery: self.nursery.save(),
            population: self.model.population.clone(),
            holders: self.model.holders.as_ref().map(Holders::save),
            watch: self.watch.clone(),
        };
        snapshot::pack(ROW.name, &self.settings, &state)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let state: State = snapshot::unpack(ROW.name, &self.settings, bytes)?;
        let mut fresh = Volume::new(&self.settings);
        fresh.table.load(state.table)?;
        fresh.nursery.load(state.nursery)?;
        fresh.model.population = state.population;
        if let (Some(holders), Some(saved)) = (&mut fresh.model.holders, state.holders) {
            holders.load(saved)?;
        }
        fresh.watch = state.watch;
        fresh.forget_derived();
        *self = fresh;
        Ok(())
    }
}
