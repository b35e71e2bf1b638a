//! `failures_then_success`: guessing that worked. More failures before a
//! success, from the same place, than the entity's own slips explain.
//!
//! An entity's share of failures is Beta(a, b), so k of them in a row and then
//! a success has the tail (a Beta-geometric)
//!
//! ```text
//! P(at least k) = Π_{t<k} (a+t) / (a+b+t)
//! ```
//!
//! From where the entity has succeeded before, people mistype and programs
//! have stale passwords: six tenths of the bits. From where it has not, the
//! surprise of that is added, up to six bits. Failures alone teach nothing and
//! earn no baseline: whoever guesses cannot make guessing usual.

mod described;
mod explained;

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::base::{self, Base, EXPECTED, NOVEL, SUMS};
use super::calibrate::single;
use super::held::Ripeness;
use super::season::Calendar;
use super::special::{BITS_MAX, bits, to_fixed};
use super::table::{Newcomer, Nursery, Saved, Table};
use super::values::{self, Values};
use super::watch::Watch;
use super::{
    Census, Description, Deviation, Kept, Row, Sample, Settings, Statistic, Want, snapshot,
};
use crate::time::{Span, Time};

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "failures_then_success",
    about: "a success after more failures from the same place than the entity's own slips explain; the last of `rules:` is the success",
    field: Want::Must,
    number: false,
    many: false,
    sparse: false,
    prevalence: Want::No,
    peers: false,
    only: &[],
    members: 2,
    // Two slips are everybody's Monday.
    floor: Some(3.0),
    counts: true,
    build: |settings| Box::new(Guesses::new(settings)),
};

/// Failures and successes that stand for what is not known of an entity.
const PRIOR: (f64, f64) = (1.0, 9.0);

/// Failures, decayed, that an entity is ever allowed.
const FAILURES_MAX: f64 = 20.0;

/// One success excuses at most so many of the failures before it.
const LEARN_MAX: u32 = 3;

/// Both counts are halved when they come to this: forgetting by use.
const MEMORY: f32 = 400.0;

/// Part of the bits that is left where the entity has succeeded before.
const FAMILIAR: f64 = 0.6;

/// Most that a new place adds, in bits.
const PLACE_MAX: f64 = 6.0;

/// Failures beyond which more make no difference to the score.
const RUN_MAX: u32 = 4000;

/// Places whose failures are counted for an entity at once.
const RUNS: usize = 6;

/// Failures from one place since its last success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Run {
    /// Hash of the place; 0 = empty.
    place: u32,
    count: u32,
    since: i64,
    last: i64,
}

/// What is kept of one entity: 328 bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    /// Where it succeeds from.
    places: Values,
    /// Decayed failures before successes, and successes.
    failed: f32,
    succeeded: f32,
    /// The same of the bucket being watched.
    failing: u32,
    succeeding: u32,
    runs: [Run; RUNS],
}

impl State {
    fn new(first: Time, calendar: &Calendar) -> State {
        State {
            places: Values::new(first, calendar),
            failed: 0.0,
            succeeded: 0.0,
            failing: 0,
            succeeding: 0,
            runs: [Run::default(); RUNS],
        }
    }

    fn close(&mut self, calendar: &Calendar) {
        self.places.close(calendar);
        self.failed += single(f64::from(self.failing));
        self.succeeded += single(f64::from(self.succeeding));
        (self.failing, self.succeeding) = (0, 0);
        if self.failed + self.succeeded > MEMORY {
            self.failed /= 2.0;
            self.succeeded /= 2.0;
        }
    }

    /// Counts failures from a place. Of six places the least busy makes room:
    /// who guesses in earnest is not washed out by who tries once.
    fn fail(&mut self, place: u32, count: u32, time: Time, window: Span) {
        let now = time.nanos();
        for run in &mut self.runs {
            if run.place != 0 && Time::from_nanos(run.last).plus(window) < time {
                *run = Run::default();
            }
        }
        let known = self.runs.iter().position(|run| run.place == place);
        let poorest = || {
            let runs = self.runs.iter().enumerate();
            runs.min_by_key(|(_, run)| (run.count, run.last))
                .map(|(at, _)| at)
        };
        let Some(run) = known.or_else(poorest).and_then(|at| self.runs.get_mut(at)) else {
            return;
        };
        if run.place != place {
            *run = Run {
                place,
                count: 0,
                since: now,
                last: now,
            };
        }
        run.count = run.count.saturating_add(count.max(1)).min(RUN_MAX);
        run.last = run.last.max(now);
    }

    /// Takes out the failures from a place that are not over.
    fn take(&mut self, place: u32, time: Time, window: Span) -> Option<Run> {
        let found = self.runs.iter_mut().find(|run| run.place == place)?;
        let run = std::mem::take(found);
        (Time::from_nanos(run.last).plus(window) >= time).then_some(run)
    }

    fn law(&self) -> Slips {
        Slips {
            a: (PRIOR.0 + f64::from(self.failed)).min(FAILURES_MAX),
            b: PRIOR.1 + f64::from(self.succeeded),
        }
    }
}

/// How many failures come before a success.
#[derive(Clone, Copy, Debug)]
struct Slips {
    a: f64,
    b: f64,
}

impl Slips {
    /// ln P(at least k), one k after the other from 1.
    fn tails(self) -> impl Iterator<Item = (u32, f64)> {
        (1..=RUN_MAX).scan(0.0, move |ln, k| {
            let t = f64::from(k - 1);
            *ln += ((self.a + t) / (self.a + self.b + t)).log_e();
            Some((k, *ln))
        })
    }

    fn surprise(self, k: u32) -> f64 {
        let last = usize::try_from(k.min(RUN_MAX)).unwrap_or(0);
        self.tails()
            .nth(last.wrapping_sub(1))
            .map_or(0.0, |(_, ln)| bits(ln))
    }

    /// The most failures whose tail is above `p`.
    fn quantile(self, p: f64) -> f64 {
        let most = self.tails().take_while(|&(_, ln)| ln > p.log_e()).last();
        most.map_or(0.0, |(k, _)| f64::from(k))
    }

    fn mean(self) -> f64 {
        self.a / (self.b - 1.0)
    }
}

/// All entities of one rule in one lane.
struct Guesses {
    settings: Settings,
    calendar: Calendar,
    table: Table<State>,
    /// Those who have succeeded once at most: their failures, from one place each.
    nursery: Nursery,
    base: Base,
    watch: Watch,
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    table: Saved<State>,
    nursery: Saved<Newcomer>,
    base: Base,
    watch: Watch,
}

impl Guesses {
    fn new(settings: &Settings) -> Guesses {
        Guesses {
            calendar: Calendar::new(settings),
            table: Table::new(settings.max_entities),
            nursery: Nursery::new(settings.max_entities),
            base: Base::default(),
            watch: Watch::new(settings),
            settings: settings.clone(),
        }
    }

    fn known(&mut self, at: usize, sample: &Sample) -> Option<Deviation> {
        let bucket = self.calendar.bucket(sample.time);
        let (place, window) = (values::short(sample.value), self.settings.timespan);
        let state = self.table.get_mut(at)?;
        if bucket > state.places.bucket {
            state.close(&self.calendar);
            state.places.bucket = bucket;
        }
        if !sample.last {
            state.fail(place, sample.count, sample.time, window);
            return None;
        }
        let learns = !sample.lesson.is_none();
        if learns {
            state.places.peak.raise(0.0);
        }
        let run = state.take(place, sample.time, window);
        let law = state.law();
        let failures = run.map_or(0, |run| run.count);
        let habit = state.places.active > 0;
        let (places, time) = (&mut state.places, sample.time);
        let novelty = if learns {
            places.take(place, time, &self.calendar, &self.base)
        } else {
            places.judge(place, time, &self.calendar, &self.base)
        };
        let place_bits = novelty.map_or(0.0, |novelty| novelty.bits());
        let is_new = novelty.is_some_and(|novelty| novelty.weight >= 1.0);
        if learns {
            state.succeeding = state.succeeding.saturating_add(1);
            state.failing = state.failing.saturating_add(failures.min(LEARN_MAX));
        }
        if failures == 0 {
            return None;
        }
        let slips = law.surprise(failures);
        let (slips, more) = match (is_new, habit) {
            (false, _) => (FAMILIAR * slips, None),
            (true, false) => (slips, Some(0.0)),
            (true, true) => (slips, Some(place_bits.min(PLACE_MAX))),
        };
        let score = slips + more.unwrap_or(0.0);
        let score = score.min(BITS_MAX);
        let observed = f64::from(failures);
        let enough = observed >= self.settings.floor;
        if learns && enough && state.places.active >= self.settings.min_buckets {
            state.places.peak.raise(score);
        }
        if !enough {
            return None;
        }
        let of = Ripeness {
            known: state.places.active,
            least: self.settings.min_buckets,
        };
        let held = self.watch.verdict(&self.settings, score, of, time)?;
        let (state, run) = (self.table.get(at)?, run?);
        let mut found = self.deviation(state, law, sample, (slips, more));
        found.bits = score;
        found.held = held;
        found.observed = observed;
        found.since = Time::from_nanos(run.since).min(sample.time);
        found.return_days = self.watch.return_days(score);
        Some(found)
    }

    /// Who has not succeeded yet, or once and without a failure.
    fn stranger(&mut self, sample: &Sample) -> Option<Deviation> {
        if sample.last && sample.lesson.is_none() {
            return None;
        }
        let (place, window) = (values::short(sample.value), self.settings.timespan);
        let seen = self.nursery.find(sample.key);
        let alone = Newcomer {
            first: sample.time,
            count: if sample.last {
                0
            } else {
                sample.count.clamp(1, RUN_MAX)
            },
            value: place,
        };
        let Some(seen) = seen else {
            self.nursery.insert(sample.key, alone);
            return None;
        };
        let over = seen.first.plus(window) < sample.time;
        if sample.last && (seen.count > 0 || over) {
            let seen = *seen;
            return self.admit(seen, sample);
        }
        if over {
            *seen = alone;
        } else if seen.value == place {
            seen.count = seen.count.saturating_add(alone.count).min(RUN_MAX);
        } else if seen.count < alone.count {
            // Another place takes over from one that has failed less.
            *seen = alone;
        }
        None
    }

    /// A baseline for who succeeds again, or after failures.
    fn admit(&mut self, seen: Newcomer, sample: &Sample) -> Option<Deviation> {
        let (calendar, now) = (&self.calendar, sample.time);
        let mut state = State::new(seen.first, calendar);
        if seen.count > 0 {
            state.fail(seen.value, seen.count, seen.first, self.settings.timespan);
        } else {
            state
                .places
                .take(seen.value, seen.first, calendar, &self.base);
            state.succeeding = 1;
        }
        let worth = |old: &State| old.places.worth(calendar, now);
        let at = self.table.insert(sample.key, state, worth)?;
        self.nursery.remove(sample.key);
        self.known(at, sample)
    }
}

impl Statistic for Guesses {
    fn observe(&mut self, sample: &Sample) -> Option<Deviation> {
        self.watch.see(sample.time);
        match self.table.find(sample.key) {
            Some(at) => self.known(at, sample),
            None => self.stranger(sample),
        }
    }

    fn census(&mut self, now: Time) -> Census {
        let mut votes = Vec::new();
        let mut census = Census {
            sums: vec![0; SUMS],
            ..Census::default()
        };
        for state in self.table.states_mut() {
            if self.calendar.is_over(state.places.bucket, now) {
                state.close(&self.calendar);
            }
            self.watch.vote(&mut votes, &mut state.places.peak);
            let (novel, expected) = state.places.calibration(&self.calendar);
            for (place, more) in [(NOVEL, novel), (EXPECTED, expected)] {
                if let Some(sum) = census.sums.get_mut(place) {
                    *sum += to_fixed(more);
                }
            }
            for value in state.places.held(&self.calendar, now) {
                *census.holders.entry(u64::from(value)).or_default() += 1;
            }
        }
        Census {
            sums: census.sums,
            holders: base::most_held(census.holders),
            ..self.watch.census(votes)
        }
    }

    fn adopt(&mut self, population: &Census, _now: Time) {
        self.base = Base::from_census(population);
        self.watch.adopt(population, &self.settings);
    }

    fn describe(&self, key: u64, now: Time) -> Option<Description> {
        self.described(key, now)
    }

    fn forget(&mut self, key: u64) -> bool {
        self.forgotten(key)
    }

    fn kept(&self) -> Kept<'_> {
        Kept::new(
            &self.table,
            &self.nursery,
            self.base.bytes() + size_of::<Guesses>(),
        )
    }

    fn save(&self) -> Vec<u8> {
        let state = Snapshot {
            table: self.table.save(),
            nursery: self.nursery.save(),
            base: self.base.clone(),
            watch: self.watch.clone(),
        };
        snapshot::pack(ROW.name, &self.settings, &state)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let state: Snapshot = snapshot::unpack(ROW.name, &self.settings, bytes)?;
        let mut fresh = Guesses::new(&self.settings);
        fresh.table.load(state.table)?;
        fresh.nursery.load(state.nursery)?;
        fresh.base = state.base;
        fresh.watch = state.watch;
        *self = fresh;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_products() {
        let law = Slips { a: 1.0, b: 9.0 };
        // 1/10, then 2/11 of it, then 3/12 of that.
        for (k, p) in [(1, 0.1_f64), (2, 0.2 / 11.0), (3, 0.6 / 132.0)] {
            assert!((law.surprise(k) + p.log_two()).abs() < 1e-12, "{k}");
        }
        assert!(law.surprise(0) <= 0.0 && law.surprise(u32::MAX) <= BITS_MAX);
        assert!((law.mean() - 0.125).abs() < 1e-12);
        assert!((law.quantile(0.005) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn an_entity_takes_three_hundred_and_twenty_eight_bytes() {
        assert!(size_of::<State>() <= 328, "{}", size_of::<State>());
    }

    #[test]
    fn many_who_try_once_do_not_wash_out_who_tries_in_earnest() {
        let settings = super::super::behaviour::settings();
        let calendar = Calendar::new(&settings);
        let mut state = State::new(Time::from_secs(0), &calendar);
        let at = Time::from_secs;
        for n in 0..9 {
            state.fail(7, 1, at(n), Span::HOUR);
        }
        for n in 100..2000 {
            state.fail(n, 1, at(i64::from(n)), Span::HOUR);
        }
        let run = state.take(7, at(2100), Span::HOUR);
        assert_eq!(run.map(|run| run.count), Some(9));
        assert_eq!(state.take(7, at(2101), Span::HOUR), None);
    }
}
