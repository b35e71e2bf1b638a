//! `first_seen`: a value that the entity never came with before.
//!
//! p = p(new for this entity) × q(as unpopular among the peers); a value that
//! has not been seen for long counts as partly new. A value is known from the
//! bucket after its first on; until then each sample scores as new. An entity
//! that is itself new (under two active buckets, or the rule's `min_buckets`)
//! raises nothing and learns silently, as it does while the rule warms up.
//! `learn: {delay: 7d}` has a value wait for so many days before it is known.

use crate::baseline::Elementary as _;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::base::{self, Base, EXPECTED, HOLDERS, NOVEL, SUMS};
use super::description::RARE_VALUES;
use super::held::Ripeness;
use super::peers::{Groups, SavedGroups, group as group_of};
use super::season::Calendar;
use super::special::{bits, to_fixed};
use super::table::{Newcomer, Nursery, Saved, Table};
use super::values::{self, Novelty, Values};
use super::watch::Watch;
use super::{
    Census, Description, Deviation, Held, Kept, NEW_VALUES, Row, Sample, Settings, Statistic, Want,
    rare, snapshot,
};
use crate::time::{Span, Time};

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "first_seen",
    about: "a value that the entity never came with, weighed by how many of its peers did",
    field: Want::Must,
    number: false,
    many: false,
    sparse: false,
    prevalence: Want::No,
    peers: true,
    only: &[],
    members: 1,
    // What is new is worth a look at its first sight.
    floor: Some(0.0),
    counts: false,
    build: |settings| Box::new(FirstSeen::new(&NEW, settings)),
};

/// Which of an entity's values a type tells of.
pub(super) struct Tells {
    pub(super) name: &'static str,
    /// Those it had before, and hardly ever; else those it never had.
    pub(super) rare: bool,
    /// Active buckets below which an entity has no habit to leave.
    pub(super) least: u32,
}

pub(super) static NEW: Tells = Tells {
    name: ROW.name,
    rare: false,
    least: BUCKETS_LEAST,
};

/// Active buckets below which an entity has no habit to leave.
const BUCKETS_LEAST: u32 = 2;

/// Most days that a value waits.
const WAIT_MAX: i64 = 90;

/// The rule's delay in days.
fn wait(settings: &Settings) -> u16 {
    let days = settings.delay.unwrap_or(Span::ZERO).secs() / Span::DAY.secs();
    u16::try_from(days.clamp(0, WAIT_MAX)).unwrap_or(0)
}

/// No novelty scores more than this, so a value seen lately needs no score.
const NOVELTY_BITS_MAX: f64 = 64.0;

/// An entity's state, and what keeps what was found of it from being an alert.
type Judged<'a> = (&'a Values, Option<Held>);

/// All entities of one rule in one lane.
pub(super) struct FirstSeen {
    tells: &'static Tells,
    settings: Settings,
    calendar: Calendar,
    slot: Span,
    /// Days that a value waits before it is known.
    wait: u16,
    table: Table<Values>,
    nursery: Nursery,
    base: Base,
    /// What those like an entity hold, where the rule says how to tell.
    groups: Option<Groups<Base>>,
    watch: Watch,
}

#[derive(Serialize, Deserialize)]
struct State {
    table: Saved<Values>,
    nursery: Saved<Newcomer>,
    base: Base,
    watch: Watch,
}

/// What a group holds, where that is in force, else what everybody does.
fn base_of<'a>(groups: Option<&'a Groups<Base>>, everybody: &'a Base, group: u32) -> &'a Base {
    let group = groups.and_then(|groups| groups.get(group));
    group.unwrap_or(everybody)
}

impl FirstSeen {
    pub(super) fn new(tells: &'static Tells, settings: &Settings) -> FirstSeen {
        FirstSeen {
            tells,
            calendar: Calendar::new(settings),
            slot: Span::from_nanos((settings.timespan.nanos() / 6).max(1)),
            wait: wait(settings),
            table: Table::new(settings.max_entities),
            nursery: Nursery::new(settings.max_entities),
            base: Base::default(),
            groups: Groups::new(settings.peers),
            watch: Watch::new(settings),
            settings: settings.clone(),
        }
    }

    /// Takes a sample in: how new its value is to an entity that has a state,
    /// and where that is.
    pub(super) fn take(&mut self, sample: &Sample) -> Option<(usize, Novelty)> {
        self.watch.see(sample.time);
        let at = match self.table.find(sample.key) {
            Some(at) => at,
            None => self.newcomer(sample)?,
        };
        let bucket = self.calendar.bucket(sample.time);
        let group = group_of(sample.peers);
        if let (Some(groups), true) = (&mut self.groups, group != 0) {
            groups.set(at, group);
        }
        let group = self.groups.as_ref().map_or(0, |groups| groups.of(at));
        let base = base_of(self.groups.as_ref(), &self.base, group);
        let state = self.table.get_mut(at)?;
        let whole = sample.lesson.is_whole();
        if bucket > state.bucket {
            state.close_late(&self.calendar, self.wait);
            state.bucket = bucket;
        }
        let (value, time) = (values::short(sample.value), sample.time);
        let rare = if self.tells.rare {
            rare::rarity(state, value, time, &self.calendar, base)
        } else {
            None
        };
        let novelty = if whole {
            state.peak.raise(0.0);
            state.take(value, time, &self.calendar, base)
        } else {
            state.judge(value, time, &self.calendar, base)
        };
        let novelty = if self.tells.rare { rare } else { novelty }?;
        let any = novelty.weight * NOVELTY_BITS_MAX >= self.settings.surprise;
        any.then_some((at, novelty))
    }

    /// Has the entity of a sample vote for a score, if it has a habit and the
    /// sample teaches anything.
    pub(super) fn vote(&mut self, at: usize, sample: &Sample, bits: f64) {
        let least = self.least();
        if let Some(state) = self.table.get_mut(at)
            && sample.lesson.is_whole()
            && state.active >= least
        {
            state.peak.raise(bits);
        }
    }

    /// Active buckets before an entity has a habit.
    fn least(&self) -> u32 {
        self.settings.min_buckets.max(self.tells.least)
    }

    /// The state of an entity whose score is worth telling of, and what holds
    /// that back: it has no habit yet, or the rule is not warm.
    pub(super) fn judged(&self, at: usize, bits: f64, now: Time) -> Option<Judged<'_>> {
        let state = self.table.get(at)?;
        let of = Ripeness {
            known: state.active,
            least: self.least(),
        };
        let held = self.watch.verdict(&self.settings, bits, of, now)?;
        Some((state, held))
    }

    /// How many of its values are new in this bucket, or that this one is rare.
    fn observed(&self, state: &Values, novelty: &Novelty) -> f64 {
        if novelty.weight >= 1.0 && !self.tells.rare {
            f64::from(state.fresh().max(1))
        } else {
            1.0
        }
    }

    /// Whether an entity has a state, and is no newcomer.
    pub(super) fn has(&self, key: u64) -> bool {
        self.table.find(key).is_some()
    }

    /// What the rule is set to and learns when.
    pub(super) fn rule(&self) -> (&Settings, &Calendar, &Watch) {
        (&self.settings, &self.calendar, &self.watch)
    }

    fn deviation(&self, at: usize, novelty: Novelty, now: Time) -> Option<Deviation> {
        let (own, peers) = novelty.apart();
        let (state, held) = self.judged(at, own + peers, now)?;
        let is_new = novelty.weight >= 1.0 && !self.tells.rare;
        let observed = self.observed(state, &novelty);
        if observed < self.settings.floor {
            return None;
        }
        let mut terms = vec![("own habit", own), ("peers", peers)];
        terms.sort_by(|a, b| b.1.total_cmp(&a.1));
        Some(Deviation {
            bits: (own + peers).min(super::special::BITS_MAX),
            observed,
            expected: novelty.own,
            // Such values in a bucket: none, or one where that is within 99 %.
            interval: (0.0, if novelty.own > 0.005 { 1.0 } else { 0.0 }),
            evidence: state.evidence(&self.calendar),
            age: now.since(state.first).max(Span::ZERO),
            model: "pyp",
            quiet: (self.settings.floor.ceil() - 1.0).max(0.0),
            return_days: self.watch.return_days(own + peers),
            terms,
            since: if is_new { state.since } else { now },
            held,
        })
    }

    /// A newcomer waits until it is seen in a second slot or with a second value.
    fn newcomer(&mut self, sample: &Sample) -> Option<usize> {
        if !sample.lesson.is_whole() {
            return None;
        }
        let value = values::short(sample.value);
        let slot = self.slot;
        let Some(seen) = self.nursery.find(sample.key) else {
            let newcomer = Newcomer {
                first: sample.time,
                count: 1,
                value,
            };
            self.nursery.insert(sample.key, newcomer);
            return None;
        };
        seen.count = seen.count.saturating_add(1);
        if sample.time.bucket(slot) <= seen.first.bucket(slot) && seen.value == value {
            return None;
        }
        let seen = *seen;
        let mut state = Values::new(seen.first, &self.calendar);
        let group = group_of(sample.peers);
        let base = base_of(self.groups.as_ref(), &self.base, group);
        state.take(seen.value, seen.first, &self.calendar, base);
        let (calendar, now) = (&self.calendar, sample.time);
        let at = self
            .table
            .insert(sample.key, state, |old| old.worth(calendar, now))?;
        self.nursery.remove(sample.key);
        if let Some(groups) = &mut self.groups {
            groups.set(at, group);
        }
        Some(at)
    }
}

impl Statistic for FirstSeen {
    fn observe(&mut self, sample: &Sample) -> Option<Deviation> {
        let (at, novelty) = self.take(sample)?;
        let state = self.table.get(at)?;
        if self.observed(state, &novelty) >= self.settings.floor {
            let (own, peers) = novelty.apart();
            self.vote(at, sample, own + peers);
        }
        self.deviation(at, novelty, sample.time)
    }

    fn census(&mut self, now: Time) -> Census {
        let mut votes = Vec::new();
        let mut census = Census {
            sums: vec![0; SUMS],
            ..Census::default()
        };
        let told = self.groups.as_ref().map_or(Vec::new(), Groups::told);
        let empty = |group| {
            let sums = vec![0; SUMS];
            let census = Census {
                sums,
                ..Census::default()
            };
            (group, census)
        };
        let mut groups: BTreeMap<u32, Census> = told.into_iter().map(empty).collect();
        for (at, state) in self.table.states_mut().enumerate() {
            if self.calendar.is_over(state.bucket, now) {
                state.close_late(&self.calendar, self.wait);
            }
            self.watch.vote(&mut votes, &mut state.peak);
            let (novel, expected) = state.calibration(&self.calendar);
            for (place, more) in [(NOVEL, novel), (EXPECTED, expected)] {
                if let Some(sum) = census.sums.get_mut(place) {
                    *sum += to_fixed(more);
                }
            }
            let group = self.groups.as_ref().map_or(0, |groups| groups.of(at));
            let mut held = state.held(&self.calendar, now).peekable();
            let any = held.peek().is_some();
            let mut group = groups.get_mut(&group);
            for census in [Some(&mut census), group.as_deref_mut()]
                .into_iter()
                .flatten()
            {
                if let (true, Some(sum)) = (any, census.sums.get_mut(HOLDERS)) {
                    *sum += to_fixed(1.0);
                }
            }
            for value in held.map(u64::from) {
                *census.holders.entry(value).or_default() += 1;
                if let Some(group) = group.as_deref_mut() {
                    *group.holders.entry(value).or_default() += 1;
                }
            }
        }
        census.groups = groups;
        let common = self.watch.census(votes);
        (census.votes, census.since) = (common.votes, common.since);
        census.holders = base::most_held(census.holders);
        census
    }

    fn adopt(&mut self, population: &Census, _now: Time) {
        self.base = Base::from_census(population);
        if let Some(groups) = &mut self.groups {
            let everybody = &self.base;
            groups.adopt(&population.groups, base::entities, |census| {
                Base::of_group(census, everybody)
            });
        }
        self.watch.adopt(population, &self.settings);
    }

    fn describe(&self, key: u64, now: Time) -> Option<Description> {
        let place = self.table.find(key);
        let Some(state) = place.and_then(|at| self.table.get(at)) else {
            let seen = self.nursery.get(key)?;
            if self.tells.rare {
                return Some(Description {
                    values: Some(1),
                    ..Description::newcomer(seen, RARE_VALUES)
                });
            }
            return Some(Description {
                expected: 1.0,
                interval: (0.0, 1.0),
                values: Some(1),
                ..Description::newcomer(seen, NEW_VALUES)
            });
        };
        let mut learnt = state.clone();
        let bucket = self.calendar.bucket(now).max(state.bucket);
        if bucket > state.bucket {
            learnt.close_late(&self.calendar, self.wait);
            learnt.bucket = bucket;
        }
        let group = place.and_then(|at| Some(self.groups.as_ref()?.of(at)));
        let base = base_of(self.groups.as_ref(), &self.base, group.unwrap_or(0));
        let chance = learnt.chance(&self.calendar, base);
        let least = self.settings.min_buckets.max(self.tells.least);
        let watched = learnt.active >= least && self.watch.is_warm(&self.settings, now);
        let new = Description {
            first: state.first,
            last: self.calendar.start(state.bucket).max(state.since),
            newcomer: false,
            evidence: learnt.evidence(&self.calendar),
            of_gaps: false,
            what: NEW_VALUES,
            expected: chance,
            interval: (0.0, if chance > 0.005 { 1.0 } else { 0.0 }),
            observed: Some(f64::from(learnt.fresh())),
            // Nothing else is known of the value: as unpopular as any.
            alarm: watched.then_some(1.0),
            below: false,
            young: !watched,
            values: Some(learnt.known()),
            hours: Vec::new(),
            more: vec![("bits of any new value", bits(chance.log_e()))],
        };
        if !self.tells.rare {
            return Some(new);
        }
        let threshold = self.watch.threshold();
        let rare = rare::expected(&learnt, now, &self.calendar, base, threshold);
        Some(rare.described(new))
    }

    fn forget(&mut self, key: u64) -> bool {
        let Some(at) = self.table.find(key) else {
            return self.nursery.remove(key);
        };
        if let Some(groups) = &mut self.groups {
            groups.remove(at, self.table.len());
        }
        self.table.remove(at).is_some()
    }

    fn kept(&self) -> Kept<'_> {
        let groups = self.groups.as_ref();
        let beside = groups.map_or(0, |groups| groups.bytes(Base::bytes));
        let beside = beside + self.base.bytes() + size_of::<FirstSeen>();
        Kept::new(&self.table, &self.nursery, beside)
    }

    fn save(&self) -> Vec<u8> {
        let state = State {
            table: self.table.save(),
            nursery: self.nursery.save(),
            base: self.base.clone(),
            watch: self.watch.clone(),
        };
        // What has no groups is saved as ever.
        match &self.groups {
            None => snapshot::pack(self.tells.name, &self.settings, &state),
            Some(groups) => {
                let groups = groups.save(Base::clone);
                snapshot::pack(self.tells.name, &self.settings, &(state, groups))
            }
        }
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let name = self.tells.name;
        let (state, groups): (State, Option<SavedGroups<Base>>) = if self.settings.peers {
            let (state, groups) = snapshot::unpack(name, &self.settings, bytes)?;
            (state, Some(groups))
        } else {
            (snapshot::unpack(name, &self.settings, bytes)?, None)
        };
        let mut fresh = FirstSeen::new(self.tells, &self.settings);
        fresh.table.load(state.table)?;
        fresh.nursery.load(state.nursery)?;
        fresh.base = state.base;
        fresh.watch = state.watch;
        if let Some(groups) = groups {
            fresh.groups = Some(Groups::load(groups, fresh.table.len(), |base| base)?);
        }
        *self = fresh;
        Ok(())
    }
}
