//! `value_quantile`: one value far above what the entity's values are.
//!
//! The values (the seconds of a session, the bytes of a connection) of an
//! entity are kept as a [`Histogram`]. Beyond its 98 % quantile u, with m of n
//! values above, the tail is exponential, of bytes Pareto (exponential in the
//! logarithm); its scale is not known but learnt, so what is predicted is
//!
//! ```text
//! P(X ≥ x) = (m + ½)/(n + 1) · (1 + y/S)^-(m+1)
//! y = x - u, of bytes ln(x/u);  S: the sum of the m excesses and of one assumed, a quarter
//! bits = -log2 P - log2 k
//! ```
//!
//! where k is how many values the entity has in a bucket: the largest of many
//! is not as odd as one. Of a bucket eight values are learnt at most, drawn
//! evenly, so that no burst makes a habit, and what is far out as if it were at
//! the edge of what is believed.

mod described;
mod histogram;
mod law;

use serde::{Deserialize, Serialize};

use super::calibrate::{Peak, single};
use super::held::Ripeness;
use super::season::Calendar;
use super::special::real;
use super::table::{Newcomer, Nursery, Saved, Table};
use super::watch::Watch;
use super::{
    Census, Description, Deviation, Kept, Row, Sample, Settings, Statistic, Want, snapshot,
};
use crate::time::{Span, Time};
use histogram::{Histogram, cell, edge};
use law::Law;

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "value_quantile",
    about: "one value far above what the entity's own values are",
    field: Want::Must,
    number: true,
    many: false,
    sparse: false,
    prevalence: Want::No,
    peers: false,
    only: &[],
    members: 1,
    // What is much depends on what it is of.
    floor: None,
    counts: false,
    build: |settings| Box::new(Quantile::new(settings)),
};

/// Values before there is a tail to speak of.
const VALUES_LEAST: f64 = 100.0;

/// Values of a bucket that are learnt.
const PICKS: usize = 8;

/// Steps of a weight in a half-life: 1 / log2 1.1.
const STEPS: f64 = 7.272_540_897_341_713;

/// One in so many entities may have all cells.
const SPILL: usize = 8;

/// What is kept of one entity: its histogram and 72 bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Spread {
    first: Time,
    /// The bucket that is watched, and how many values came in it.
    bucket: i64,
    seen: u32,
    /// Cells of those that will be learnt.
    picks: [u8; PICKS],
    /// The largest of them.
    highest: f64,
    /// No value below it is worth reporting in this bucket.
    alarm: f64,
    /// The bucket that was learnt last, and decayed values and active buckets
    /// up to it.
    learnt: i64,
    values: f32,
    buckets: f32,
    /// The highest score since the last barrier.
    peak: Peak,
    /// Active buckets.
    active: u32,
    histogram: Histogram,
}

impl Spread {
    fn new(first: Time, calendar: &Calendar) -> Spread {
        let bucket = calendar.bucket(first);
        Spread {
            first,
            bucket,
            seen: 0,
            picks: [0; PICKS],
            highest: 0.0,
            alarm: f64::INFINITY,
            learnt: bucket,
            values: 0.0,
            buckets: 0.0,
            peak: Peak::default(),
            active: 0,
            histogram: Histogram::default(),
        }
    }

    fn law(&self, settings: &Settings) -> Law {
        let each = f64::from(self.values) / f64::from(self.buckets).max(1.0);
        Law::new(&self.histogram, each, settings.heavy)
    }

    /// Takes in a value: each of the bucket's has the same chance to be learnt.
    fn take(&mut self, value: f64, key: u64) {
        let draw = mix(key, self.bucket, self.seen);
        self.seen = self.seen.saturating_add(1);
        let at = if let Some(at) = self.first_free() {
            at
        } else {
            usize::try_from(draw % u64::from(self.seen)).unwrap_or(usize::MAX)
        };
        if let Some(pick) = self.picks.get_mut(at) {
            *pick = cell(value);
        }
        self.highest = self.highest.max(value);
    }

    fn first_free(&self) -> Option<usize> {
        let at = usize::try_from(self.seen).unwrap_or(usize::MAX) - 1;
        (at < PICKS).then_some(at)
    }

    /// Learns the bucket that is over.
    fn close(&mut self, key: u64, settings: &Settings, calendar: &Calendar, may_spill: bool) {
        if self.seen == 0 {
            return;
        }
        let law = self.law(settings);
        let known = self.histogram.total() >= VALUES_LEAST;
        self.peak.raise(0.0);
        let may = known && self.active >= settings.min_buckets;
        if may && self.highest >= settings.floor {
            self.peak.raise(law.bits(self.highest));
        }
        let most = if known {
            cell(law.reaching(settings.winsor_bits.max(1.0)))
        } else {
            u8::MAX
        };
        let left = single(calendar.decay(self.bucket.saturating_sub(self.learnt)));
        let steps = |bucket: i64| (STEPS * calendar.age(bucket)).floor();
        let faded = (steps(self.bucket) - steps(self.learnt)).clamp(0.0, 255.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to a byte"
        )]
        self.histogram.fade(faded as u8);
        let picked = usize::try_from(self.seen).unwrap_or(PICKS).min(PICKS);
        for (n, &pick) in (0..).zip(self.picks.get(..picked).unwrap_or_default()) {
            let draw = mix(key ^ 0x5851_f42d, self.bucket, n) >> 32;
            let draw = f64::from(u32::try_from(draw).unwrap_or(0)) / 4_294_967_296.0;
            self.histogram.add(pick.min(most), draw, may_spill);
        }
        // A late value may reopen a bucket that a barrier closed.
        let again = self.bucket == self.learnt && self.active > 0;
        // A flood of values does not make the largest of them ordinary.
        let usual = f64::from(self.values) / f64::from(self.buckets).max(1.0);
        let seen = f64::from(self.seen).min(4.0 * usual + 64.0);
        self.values = single(f64::from(self.values * left) + seen);
        self.buckets = self.buckets * left + if again { 0.0 } else { 1.0 };
        self.active = self.active.saturating_add(u32::from(!again));
        self.learnt = self.bucket;
        (self.seen, self.highest) = (0, 0.0);
    }

    /// Works out what is worth reporting from here on.
    fn renew(&mut self, settings: &Settings, threshold: f64) {
        let known = self.histogram.total() >= VALUES_LEAST && self.active >= settings.min_buckets;
        self.alarm = if known {
            let reaching = self.law(settings).reaching(threshold);
            reaching.max(settings.floor)
        } else {
            f64::INFINITY
        };
    }

    /// What it is worth keeping for; `None` while it is established.
    fn worth(&self, calendar: &Calendar, now: Time) -> Option<i64> {
        let idle = calendar.bucket(now).saturating_sub(self.bucket);
        if self.active >= 8 && real(idle) < 30.0 * calendar.buckets_per_day() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
        let patience = calendar.half_life as i64;
        let doublings = i64::from(self.active.saturating_add(1).ilog2());
        Some(doublings.saturating_mul(patience).saturating_sub(idle))
    }
}

/// A draw that nobody who does not know the keyed hash can foresee.
fn mix(key: u64, bucket: i64, n: u32) -> u64 {
    let n = key ^ bucket.cast_unsigned().rotate_left(20) ^ u64::from(n).rotate_left(44);
    let n = (n ^ (n >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n ^ (n >> 32)
}

/// All entities of one rule in one lane.
pub(super) struct Quantile {
    settings: Settings,
    calendar: Calendar,
    slot: Span,
    table: Table<Spread>,
    nursery: Nursery,
    /// How many have all cells.
    spilled: usize,
    watch: Watch,
}

#[derive(Serialize, Deserialize)]
struct State {
    table: Saved<Spread>,
    nursery: Saved<Newcomer>,
    spilled: usize,
    watch: Watch,
}

impl Quantile {
    fn new(settings: &Settings) -> Quantile {
        Quantile {
            calendar: Calendar::new(settings),
            slot: Span::from_nanos((settings.timespan.nanos() / 6).max(1)),
            table: Table::new(settings.max_entities),
            nursery: Nursery::new(settings.max_entities),
            spilled: 0,
            watch: Watch::new(settings),
            settings: settings.clone(),
        }
    }

    /// Whether there is room for one more to have all cells.
    fn may_spill(&self) -> bool {
        self.spilled < self.settings.max_entities.div_ceil(SPILL)
    }

    fn close(&mut self, at: usize) {
        let Some(key) = self.table.key(at) else {
            return;
        };
        let may_spill = self.may_spill();
        let Some(state) = self.table.get_mut(at) else {
            return;
        };
        let before = state.histogram.is_spilled();
        state.close(key, &self.settings, &self.calendar, may_spill);
        self.spilled += usize::from(state.histogram.is_spilled() && !before);
    }

    fn known(&mut self, at: usize, sample: &Sample, value: f64) -> Option<Deviation> {
        let bucket = self.calendar.bucket(sample.time);
        let state = self.table.get(at)?;
        if bucket > state.bucket {
            self.close(at);
            let threshold = self.watch.threshold();
            let state = self.table.get_mut(at)?;
            state.bucket = bucket;
            state.renew(&self.settings, threshold);
        }
        let state = self.table.get_mut(at)?;
        if !sample.lesson.is_none() {
            state.take(value, sample.key);
        }
        if value < state.alarm {
            return None;
        }
        let state = self.table.get(at)?;
        self.deviation(state, value, sample.time)
    }

    fn deviation(&self, state: &Spread, value: f64, now: Time) -> Option<Deviation> {
        let law = state.law(&self.settings);
        let bits = law.bits(value);
        let of = Ripeness {
            known: state.active,
            least: self.settings.min_buckets,
        };
        let held = self.watch.verdict(&self.settings, bits, of, now)?;
        let histogram = &state.histogram;
        let mut terms = vec![("value", bits + law.chances), ("chances", -law.chances)];
        terms.retain(|term| term.1.abs() > 1e-9);
        Some(Deviation {
            bits,
            observed: value,
            expected: histogram.quantile(0.5),
            interval: (histogram.quantile(0.005), histogram.quantile(0.995)),
            evidence: f64::from(state.buckets),
            age: now.since(state.first).max(Span::ZERO),
            model: "quantile",
            quiet: state.alarm,
            return_days: self.watch.return_days(bits),
            terms,
            since: now,
            held,
        })
    }

    fn newcomer(&mut self, sample: &Sample, value: f64) -> Option<Deviation> {
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
        if sample.time.bucket(self.slot) <= seen.first.bucket(self.slot) {
            return None;
        }
        let state = Spread::new(seen.first, &self.calendar);
        let (calendar, now) = (&self.calendar, sample.time);
        let worth = |old: &Spread| old.worth(calendar, now);
        let at = self.table.insert(sample.key, state, worth)?;
        self.nursery.remove(sample.key);
        self.known(at, sample, value)
    }

    /// What was worked out from the population as it was.
    fn forget_derived(&mut self) {
        let threshold = self.watch.threshold();
        for state in self.table.states_mut() {
            state.renew(&self.settings, threshold);
        }
    }
}

impl Statistic for Quantile {
    fn observe(&mut self, sample: &Sample) -> Option<Deviation> {
        let value = sample.amount.filter(|value| *value > 0.0)?;
        let value = value.min(edge(256));
        self.watch.see(sample.time);
        match self.table.find(sample.key) {
            Some(at) => self.known(at, sample, value),
            None => self.newcomer(sample, value),
        }
    }

    fn facts(&self, key: u64) -> Vec<(&'static str, f64)> {
        let state = self.table.find(key).and_then(|at| self.table.get(at));
        state.map_or(Vec::new(), |state| {
            vec![("tail.from", state.law(&self.settings).from)]
        })
    }

    fn census(&mut self, now: Time) -> Census {
        let mut votes = Vec::new();
        for at in 0..self.table.len() {
            let over = self.table.get(at).map(|state| state.bucket);
            if over.is_some_and(|bucket| self.calendar.is_over(bucket, now)) {
                self.close(at);
            }
            if let Some(state) = self.table.get_mut(at) {
                self.watch.vote(&mut votes, &mut state.peak);
            }
        }
        let spilled = self.table.states().filter(|s| s.histogram.is_spilled());
        self.spilled = spilled.count();
        Census {
            sums: vec![i128::try_from(self.table.len()).unwrap_or(0)],
            ..self.watch.census(votes)
        }
    }

    fn adopt(&mut self, population: &Census, _now: Time) {
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
        Kept::new(
            &self.table,
            &self.nursery,
            self.spilled * histogram::CELLS + size_of::<Quantile>(),
        )
    }

    fn save(&self) -> Vec<u8> {
        let state = State {
            table: self.table.save(),
            nursery: self.nursery.save(),
            spilled: self.spilled,
            watch: self.watch.clone(),
        };
        snapshot::pack(ROW.name, &self.settings, &state)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let state: State = snapshot::unpack(ROW.name, &self.settings, bytes)?;
        let mut fresh = Quantile::new(&self.settings);
        fresh.table.load(state.table)?;
        if !fresh.table.states().all(|state| state.histogram.is_sound()) {
            return Err("a saved histogram has other cells".to_owned());
        }
        fresh.nursery.load(state.nursery)?;
        (fresh.spilled, fresh.watch) = (state.spilled, state.watch);
        fresh.forget_derived();
        *self = fresh;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_takes_a_histogram_and_seventy_two_bytes() {
        assert!(size_of::<Spread>() <= 144, "{}", size_of::<Spread>());
    }
}
