//! `event_count`: more events than the entity's own habit explains.
//!
//! Per event on a known entity: one lookup, one add, one compare. The count
//! that would alarm in this bucket is worked out only once the floor is
//! reached, and learning waits for the bucket's end.

mod described;
mod grouped;
mod saved;

use grouped::{Group, model_of};

use super::count::{CountState, Model, Population};
use super::distinct::Sets;
use super::held::{Ripeness, is_step};
use super::only::Filter;
use super::peers::{Groups, group as group_of};
use super::population::{POPULATION_LEAST, Tally};
use super::season::{CELLS, Calendar, Profile};
use super::table::{Newcomer, Nursery, Table, grow};
use super::waiting::{self, Line, Waiting};
use super::watch::Watch;
use super::{Census, Description, Deviation, Kept, Row, Sample, Settings, Statistic, Want};
use crate::time::{Span, Time};

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "event_count",
    about: "more events in a bucket than the entity's own habit and its peers' explain",
    field: Want::No,
    number: false,
    many: false,
    sparse: false,
    prevalence: Want::No,
    peers: true,
    only: &["never_succeeded"],
    members: 1,
    // An hour with two events of who has one a month is seldom worth a page.
    floor: Some(5.0),
    counts: true,
    build: |settings| Box::new(Rate::new(ROW.name, settings, None)),
};

/// Predictions kept at hand while an episode lasts.
const MEMOS: usize = 64;

/// A bucket's prediction that has been worked out for an explanation.
#[derive(Clone, Debug)]
struct Memo {
    key: u64,
    bucket: i64,
    interval: (f64, f64),
}

/// All entities of one rule in one lane.
pub(super) struct Rate {
    /// The row it serves.
    name: &'static str,
    settings: Settings,
    pub(super) model: Model,
    slot: Span,
    pub(super) table: Table<CountState>,
    /// Beside the table, place by place; empty without season.
    pub(super) profiles: Vec<Profile>,
    /// Beside the table too, when distinct values are counted instead of events.
    sets: Option<Sets>,
    /// Which values count, then.
    filter: Filter,
    /// And so is what waits to be learnt, where the rule delays that.
    pub(super) waiting: Option<Waiting>,
    pub(super) nursery: Nursery,
    pub(super) watch: Watch,
    /// Who is like whom, where the rule says how to tell.
    pub(super) groups: Option<Groups<Group>>,
    /// By cell, the count at which a newcomer gets a baseline; 0 = not worked out.
    admit: [u32; CELLS],
    memos: Vec<Option<Memo>>,
}

impl Rate {
    /// Counts events, or, given sets, distinct values.
    pub(super) fn new(name: &'static str, settings: &Settings, sets: Option<Sets>) -> Rate {
        let model = Model {
            calendar: Calendar::new(settings),
            population: Population::new(settings),
            winsor_bits: settings.winsor_bits.max(1.0),
            floor: whole(settings.floor).max(1),
            delay: waiting::delay(settings),
            hold: settings.hold && waiting::delay(settings) > 0,
        };
        let filter = Filter::new(settings);
        Rate {
            name,
            sets,
            waiting: Waiting::new(settings),
            slot: Span::from_nanos((settings.timespan.nanos() / 6).max(1)),
            table: Table::new(settings.max_entities),
            profiles: Vec::new(),
            nursery: Nursery::new(settings.max_entities),
            watch: Watch::new(settings),
            groups: Groups::new(settings.peers),
            admit: [0; CELLS],
            memos: vec![None; MEMOS],
            settings: Settings {
                min_buckets: if filter.knows_habits() {
                    0
                } else {
                    settings.min_buckets
                },
                ..settings.clone()
            },
            filter,
            model,
        }
    }

    /// A sample of an entity with a baseline.
    fn known(&mut self, at: usize, sample: &Sample) -> Option<Deviation> {
        let bucket = self.model.calendar.bucket(sample.time);
        let group = self.join(at, sample);
        let state = self.table.get_mut(at)?;
        let model = model_of(self.groups.as_ref(), &self.model, group);
        if bucket > state.bucket {
            state.vote(model, self.profiles.get(at), self.settings.min_buckets);
            let profile = self.profiles.get_mut(at);
            match &mut self.waiting {
                Some(waiting) => waiting.close(at, state, profile, model, bucket),
                None => state.close(model, profile),
            }
            state.open(bucket, model);
            if let Some(sets) = &mut self.sets {
                sets.clear(at);
            }
        }
        if !self.filter.counts(at, sample, &self.model.calendar) {
            return None;
        }
        state.barred |= sample.lesson.is_none();
        if state.count == 0 || sample.time < state.since {
            state.since = sample.time;
        }
        let before = state.count;
        state.count = match &mut self.sets {
            None => state.count.saturating_add(sample.count),
            Some(sets) => sets.add(at, self.filter.value(sample)),
        };
        if state.count < state.alarm {
            return None;
        }
        if !state.resolved {
            let law = state.law(model, self.profiles.get(at), state.bucket);
            let alarm = law.reaching(self.watch.threshold(), model.floor);
            state.alarm = alarm.max(state.beyond());
            state.resolved = true;
            if state.count < state.alarm {
                return None;
            }
        }
        let state = self.table.get(at)?.clone();
        let (settings, of) = (&self.settings, self.ripeness(&state));
        let early = self.watch.immature(settings, of, sample.time).is_some();
        if early && before >= state.alarm && !is_step(before, state.count) {
            return None;
        }
        let evidence = self.filter.evidence(at, &self.model.calendar);
        let profile = self.profiles.get(at).cloned();
        let found = self.deviation(&state, profile.as_ref(), sample, group)?;
        if let Some(waiting) = &mut self.waiting
            && !early
        {
            waiting.note_alert(at, state.bucket);
        }
        Some(Deviation {
            evidence: evidence.unwrap_or(found.evidence),
            ..found
        })
    }

    /// What is known of an entity.
    fn ripeness(&self, state: &CountState) -> Ripeness {
        Ripeness {
            known: state.active,
            least: self.settings.min_buckets,
        }
    }

    /// Says what is out of the ordinary.
    fn deviation(
        &mut self,
        state: &CountState,
        profile: Option<&Profile>,
        sample: &Sample,
        group: u32,
    ) -> Option<Deviation> {
        let model = model_of(self.groups.as_ref(), &self.model, group);
        let law = state.law(model, profile, state.bucket);
        let bits = law.surprise(state.count);
        if bits < self.watch.threshold() {
            return None;
        }
        let (settings, of) = (&self.settings, self.ripeness(state));
        let held = self.watch.verdict(settings, bits, of, sample.time)?;
        let mut terms = vec![("rate", bits)];
        if profile.is_some() {
            // What the hour adds to (or takes from) the same count at an average hour.
            let flat = state.flat_law(model, state.bucket).surprise(state.count);
            terms = vec![("rate", flat), ("hour", bits - flat)];
            terms.sort_by(|a, b| b.1.total_cmp(&a.1));
        }
        let (_, _, left) = state.aged(model, state.bucket);
        let quiet = if state.resolved {
            state.alarm
        } else {
            law.reaching(self.watch.threshold(), model.floor)
        };
        Some(Deviation {
            bits,
            observed: f64::from(state.count),
            expected: law.mean,
            interval: self.interval(sample.key, state.bucket, law),
            evidence: f64::from(state.evidence) * left,
            age: sample.time.since(state.first).max(Span::ZERO),
            model: "nb",
            quiet: f64::from(quiet.saturating_sub(1)),
            return_days: self.watch.return_days(bits),
            terms,
            since: state.since,
            held,
        })
    }

    /// A sample of an entity without a baseline.
    fn newcomer(&mut self, sample: &Sample) -> Option<Deviation> {
        // Of distinct values, the second already makes a set worth keeping.
        let counts = self.sets.is_none();
        let admit = if counts {
            self.admit_at(sample.time, group_of(sample.peers))
        } else {
            u32::MAX
        };
        let (slot, time, value) = (self.slot, sample.time, self.filter.value(sample));
        let Some(seen) = self.nursery.find(sample.key) else {
            let alone = Newcomer {
                first: time,
                count: 0,
                value,
            };
            if sample.count >= admit {
                return self.admit(alone, sample);
            }
            self.nursery.insert(
                sample.key,
                Newcomer {
                    count: if counts { sample.count } else { 1 },
                    ..alone
                },
            );
            return None;
        };
        let returned = time.bucket(slot) > seen.first.bucket(slot);
        let another = !counts && seen.value != value;
        if returned || another || (counts && seen.count.saturating_add(sample.count) >= admit) {
            let seen = *seen;
            return self.admit(seen, sample);
        }
        if counts {
            seen.count = seen.count.saturating_add(sample.count);
        }
        None
    }

    /// Gives a newcomer a baseline, or, when the table is full of established
    /// entities, scores it from the prior alone.
    fn admit(&mut self, seen: Newcomer, sample: &Sample) -> Option<Deviation> {
        // The first of an entity's values is no news.
        let counted = if self.filter.knows_habits() {
            0
        } else {
            seen.count
        };
        let state = CountState::new(seen.first, counted, &self.model);
        let (model, now) = (&self.model, sample.time);
        let place = self
            .table
            .insert(sample.key, state, |old| old.worth(model, now));
        if let Some(at) = place {
            self.nursery.remove(sample.key);
            self.forget_memo(sample.key);
            if self.settings.season {
                if let Some(profile) = self.profiles.get_mut(at) {
                    *profile = Profile::default();
                } else {
                    grow(&mut self.profiles);
                    self.profiles.push(Profile::default());
                }
                debug_assert_eq!(self.profiles.len(), self.table.len(), "side by side");
            }
            if let Some(waiting) = &mut self.waiting {
                waiting.enter(at);
            }
            if let Some(groups) = &mut self.groups {
                groups.set(at, group_of(sample.peers));
            }
            if let Some(sets) = &mut self.sets {
                sets.clear(at);
                if counted > 0 {
                    sets.add(at, seen.value);
                }
            }
            self.filter
                .reset(at, seen.first, seen.value, &self.model.calendar);
            return self.known(at, sample);
        }
        if self.sets.is_some() {
            return None; // without a set there is nothing to count with
        }
        let bucket = |time| self.model.calendar.bucket(time);
        let mut seen = seen;
        if bucket(now) > bucket(seen.first) {
            seen = Newcomer {
                first: now,
                count: 0,
                value: 0,
            };
        }
        seen.count = seen.count.saturating_add(sample.count);
        match self.nursery.find(sample.key) {
            Some(kept) => *kept = seen,
            None => self.nursery.insert(sample.key, seen),
        }
        if seen.count < self.model.floor {
            return None;
        }
        let state = CountState::new(seen.first, seen.count, &self.model);
        let profile = self.settings.season.then(Profile::default);
        self.deviation(&state, profile.as_ref(), sample, group_of(sample.peers))
    }

    fn forget_memo(&mut self, key: u64) {
        let place = usize::try_from(key % MEMOS as u64).unwrap_or(0);
        if let Some(memo) = self.memos.get_mut(place) {
            *memo = None;
        }
    }

    /// What was worked out from the state or the population as they were.
    fn forget_derived(&mut self) {
        self.admit = [0; CELLS];
        if let Some(groups) = &mut self.groups {
            groups.all_mut().for_each(Group::forget_derived);
        }
        self.memos.fill(None);
        for state in self.table.states_mut() {
            state.forget_alarm(&self.model);
        }
    }
}

impl Statistic for Rate {
    fn observe(&mut self, sample: &Sample) -> Option<Deviation> {
        self.watch.see(sample.time);
        if self.filter.passes_over(sample) {
            return None;
        }
        match self.table.find(sample.key) {
            Some(at) => self.known(at, sample),
            None => self.newcomer(sample),
        }
    }

    fn census(&mut self, now: Time) -> Census {
        let mut tally = Tally::new();
        let mut groups = self.tallies();
        let mut votes = Vec::new();
        let bucket = self.model.calendar.bucket(now);
        for (at, state) in self.table.states_mut().enumerate() {
            let group = self.groups.as_ref().map_or(0, |groups| groups.of(at));
            let model = model_of(self.groups.as_ref(), &self.model, group);
            if model.calendar.is_over(state.bucket, now) {
                state.vote(model, self.profiles.get(at), self.settings.min_buckets);
                let profile = self.profiles.get_mut(at);
                match &mut self.waiting {
                    Some(waiting) => waiting.close(at, state, profile, model, bucket),
                    None => state.close(model, profile),
                }
                if let Some(sets) = &mut self.sets {
                    sets.clear(at);
                }
            }
            tally.count(state, self.profiles.get(at), model, bucket);
            if let Some(group) = groups.get_mut(&group) {
                group.count(state, self.profiles.get(at), model, bucket);
            }
            self.watch.vote(&mut votes, &mut state.peak);
        }
        self.memos.fill(None);
        Census {
            sums: tally.0,
            groups: grouped::told(groups),
            ..self.watch.census(votes)
        }
    }

    fn adopt(&mut self, population: &Census, _now: Time) {
        self.model
            .population
            .adopt(&population.sums, POPULATION_LEAST);
        self.adopt_groups(population);
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
        let beside = self.profiles.capacity() * size_of::<Profile>()
            + self
                .waiting
                .as_ref()
                .map_or(0, |waiting| waiting.lines.capacity() * size_of::<Line>())
            + self.sets.as_ref().map_or(0, Sets::bytes)
            + self.filter.bytes()
            + self
                .groups
                .as_ref()
                .map_or(0, |groups| groups.bytes(|_| Group::BYTES))
            + size_of::<Rate>();
        Kept::new(&self.table, &self.nursery, beside)
    }

    fn save(&self) -> Vec<u8> {
        self.saved()
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        *self = self.restored(bytes)?;
        Ok(())
    }
}

/// A floor as a count.
fn whole(floor: f64) -> u32 {
    let up = floor.ceil().clamp(0.0, f64::from(u32::MAX));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to u32"
    )]
    let count = up as u32;
    count
}
