//! `event_drop`: fewer events in a bucket than the entity's own habit explains.
//!
//! The law is that of `event_count`, read from its other end, when the bucket
//! is over:
//!
//! ```text
//! bits = -log2 P(X ≤ x) · trust,  X ~ NB(mean f μ, size r)
//! ```
//!
//! f ≤ 1 is what became of the others in the same bucket, the median of their
//! x/μ: on a public holiday, or when the collector stands still, everybody has
//! less, and that is no news of anybody. Trust is how far the entity's own
//! shortfalls reach (their 98 % quantile against the 5.6 bits it should have):
//! who works by fits and starts is not odd for a pause. How much it scatters
//! by itself (1/r) is learnt anew from the buckets that were judged, each of
//! which counts for one at most: what it seemed to scatter while its week was
//! not known yet hides no drop, and no burst does.
//!
//! A bucket without any event is judged as others are, by the time of whoever
//! comes next; so all entities live in one lane. A drop that lasts is told once.

mod described;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::calibrate::{Peak, single};
use super::held::Ripeness;
use super::rate::Rate;
use super::special::NegBin;
use super::{
    Census, Description, Deviation, Held, Kept, Row, Sample, Settings, Statistic, Want, snapshot,
};
use crate::time::{SECS_PER_DAY, Span, Time};

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "event_drop",
    about: "fewer events in a bucket than the entity's own habit and the others' explain",
    field: Want::No,
    number: false,
    many: false,
    sparse: false,
    prevalence: Want::No,
    peers: false,
    only: &[],
    members: 1,
    // Events expected: of fewer than eight, none at all is no surprise.
    floor: Some(8.0),
    counts: true,
    build: |settings| Box::new(EventDrop::new(settings)),
};

/// Active buckets before an entity has a habit to fall behind.
const BUCKETS_LEAST: u32 = 24;

/// Its weekends must have been seen twice before they are told from a drop.
const AGE_LEAST: Span = Span::from_secs(14 * SECS_PER_DAY);

/// Who was not seen for longer is gone: neither judged nor company.
const GONE: Span = Span::from_secs(7 * SECS_PER_DAY);

/// Others that make a fleet.
const COMPANY: usize = 4;

/// However little the others do, this part of a habit is still expected.
const FLEET_LEAST: f64 = 0.02;

/// Empty buckets judged one by one when nothing at all came for long.
const BUCKETS_MOST: i64 = 24;

/// The quantile of who scatters as predicted, and the most that it is
/// stretched: nobody makes a drop of 60 bits ordinary by dropping out.
const CAP_FAIR: f64 = 5.643_856;
const CAP_MAX: f64 = 3.0 * CAP_FAIR;

/// How it follows shortfalls above and below it: 1.25 = 0.99546^-49.
const CAP_UP: f64 = 1.25;
const CAP_DOWN: f64 = 0.995_456;

/// The scatter assumed of an entity of which nothing was judged, by how many
/// buckets' weight, and the least that there is.
const SCATTER: f64 = 0.25;
const SCATTER_WEIGHT: f64 = 24.0;
const SCATTER_LEAST: f64 = 0.05;

/// What is kept of an entity beside its counts: 32 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Mark {
    /// Whose it is: places of the table change hands.
    key: u64,
    /// The shortfall that 98 % of its buckets stay under.
    cap: f32,
    /// The greatest since the last barrier.
    peak: Peak,
    /// Decayed squares of what its buckets were off, as parts of what was
    /// expected, and how many buckets.
    squares: f32,
    judged: f32,
    /// Whether it is below its habit, and that was told.
    told: bool,
}

impl Mark {
    /// How many buckets tell of its scatter, of how many it takes.
    fn ripeness(&self) -> Ripeness {
        Ripeness {
            known: whole(self.judged),
            least: BUCKETS_LEAST,
        }
    }

    /// The law of a bucket, with what is known of the scatter.
    fn law(&self, law: NegBin, shape: f64, fleet: f64) -> NegBin {
        let squares = f64::from(self.squares) + SCATTER_WEIGHT * SCATTER;
        let scatter = squares / (f64::from(self.judged) + SCATTER_WEIGHT);
        NegBin {
            mean: law.mean * fleet,
            size: 1.0 / (scatter.max(SCATTER_LEAST) + 1.0 / shape),
        }
    }

    /// Learns a bucket that was scored; returns the part of its score that is kept.
    fn learn(&mut self, law: NegBin, count: u32, bits: f64, keep: f64) -> f64 {
        let cap = f64::from(self.cap).max(CAP_FAIR);
        let moved = if bits > cap {
            (cap * CAP_UP).min(bits)
        } else {
            cap * CAP_DOWN
        };
        self.cap = single(moved.clamp(CAP_FAIR, CAP_MAX));
        let off = f64::from(count) - law.mean;
        let square = (off * off - law.mean) / (law.mean * law.mean);
        self.squares = single(f64::from(self.squares) * keep + square.clamp(-1.0, 1.0));
        self.judged = single(f64::from(self.judged) * keep + 1.0);
        CAP_FAIR / cap
    }
}

/// A bucket that is over and was too empty, until it is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Found {
    key: u64,
    bits: f64,
    observed: f64,
    expected: f64,
    interval: (f64, f64),
    evidence: f64,
    age: Span,
    quiet: f64,
    since: Time,
    /// Bits by the rate, the hour, the others, and the entity's own scatter.
    terms: [f64; 4],
    held: Option<Held>,
}

const TERMS: [&str; 4] = ["rate", "hour", "others", "scatter"];

/// An entity that has a habit, in a bucket that is over.
struct Judged {
    at: usize,
    count: u32,
    law: NegBin,
}

impl Judged {
    fn part(&self) -> f64 {
        f64::from(self.count) / self.law.mean
    }
}

/// All entities of one rule.
pub(super) struct EventDrop {
    settings: Settings,
    /// Counts and learns; it never alarms.
    rate: Rate,
    /// Beside its table, place by place, as far as anybody was judged.
    marks: Vec<Mark>,
    /// The bucket that is being counted.
    open: Option<i64>,
    due: VecDeque<Found>,
}

#[derive(Serialize, Deserialize)]
struct State {
    rate: Vec<u8>,
    marks: Vec<Mark>,
    open: Option<i64>,
    due: VecDeque<Found>,
}

impl EventDrop {
    fn new(settings: &Settings) -> EventDrop {
        let counting = Settings {
            floor: f64::INFINITY,
            ..settings.clone()
        };
        EventDrop {
            rate: Rate::new(ROW.name, &counting, None),
            marks: Vec::new(),
            open: None,
            due: VecDeque::new(),
            settings: settings.clone(),
        }
    }

    /// Judges every bucket that is over at `now`.
    fn pass(&mut self, now: Time) {
        let bucket = self.rate.model.calendar.bucket(now);
        let Some(open) = self.open else {
            self.open = Some(bucket);
            return;
        };
        if bucket <= open {
            return;
        }
        for over in open.max(bucket.saturating_sub(BUCKETS_MOST))..bucket {
            self.judge(over);
        }
        self.open = Some(bucket);
    }

    /// Who had a habit when the bucket began, and what came of it.
    fn judged(&self, bucket: i64) -> Vec<Judged> {
        let model = &self.rate.model;
        let begin = model.calendar.start(bucket);
        let least = self.settings.min_buckets.max(BUCKETS_LEAST);
        let states = self.rate.table.states().enumerate();
        let habit = states.filter(|(_, state)| {
            let seen = model.calendar.start(state.bucket);
            state.active >= least
                && state.bucket <= bucket
                && begin.since(state.first) >= AGE_LEAST
                && begin.since(seen) < GONE
        });
        let judged = habit.map(|(at, state)| Judged {
            at,
            count: if state.bucket == bucket {
                state.count
            } else {
                0
            },
            law: state.law(model, self.rate.profiles.get(at), bucket),
        });
        let least = self.settings.floor.max(1.0);
        judged.filter(|judged| judged.law.mean >= least).collect()
    }

    fn judge(&mut self, bucket: i64) {
        let judged = self.judged(bucket);
        let mut parts: Vec<f64> = judged.iter().map(Judged::part).collect();
        parts.sort_by(f64::total_cmp);
        for one in &judged {
            let fleet = of_others(&parts, one.part());
            let found = self.found(one, bucket, fleet);
            if let (Some(found), Some(waiting)) = (&found, &mut self.rate.waiting)
                && found.held.is_none()
            {
                debug_assert_eq!(self.rate.table.key(one.at), Some(found.key));
                waiting.note_alert(one.at, bucket);
            }
            self.due.extend(found);
        }
    }

    /// The mark of who is at a place.
    fn mark(&mut self, at: usize) -> Option<&mut Mark> {
        let key = self.rate.table.key(at)?;
        if self.marks.len() <= at {
            self.marks.resize(self.rate.table.len(), Mark::default());
        }
        let mark = self.marks.get_mut(at)?;
        if mark.key != key {
            *mark = Mark {
                key,
                ..Mark::default()
            };
        }
        Some(mark)
    }

    /// Whether one entity's bucket is worth telling; its shortfall is noted.
    fn found(&mut self, one: &Judged, bucket: i64, fleet: f64) -> Option<Found> {
        let begin = self.rate.model.calendar.start(bucket);
        let threshold = self.rate.watch.threshold();
        let state = self.rate.table.get(one.at)?;
        let model = &self.rate.model;
        let (events, _, left) = state.aged(model, bucket);
        let shape = model.population.shape + events;
        let flat = state.flat_law(model, bucket);
        let evidence = f64::from(state.evidence) * left;
        let age = begin.since(state.first).max(Span::ZERO);
        let keep = model.calendar.decay(1);
        let floor = self.settings.floor;
        let of = self.mark(one.at)?.ripeness();
        let held = self.rate.watch.immature(&self.settings, of, begin);
        let held = held.map(|reason| Held { reason, threshold });
        let mark = self.mark(one.at)?;
        let law = mark.law(one.law, shape, fleet);
        let flat = mark.law(flat, shape, 1.0).shortfall(one.count);
        let seasonal = mark.law(one.law, shape, 1.0).shortfall(one.count);
        let whole = law.shortfall(one.count);
        let trust = mark.learn(law, one.count, whole, keep);
        let bits = whole * trust;
        mark.peak.raise(0.0);
        // A day of a drop is one drop: it is over when half as odd.
        if mark.told {
            mark.told = bits >= 0.5 * threshold;
            return None;
        }
        if law.mean < floor {
            return None;
        }
        if held.is_none() {
            mark.peak.raise(bits);
        }
        if bits < threshold {
            return None;
        }
        mark.told = held.is_none();
        Some(Found {
            key: mark.key,
            bits,
            observed: f64::from(one.count),
            expected: law.mean,
            interval: law.interval(),
            evidence,
            age,
            quiet: f64::from(law.enough(threshold / trust)),
            since: begin,
            terms: [flat, seasonal - flat, whole - seasonal, bits - whole],
            held,
        })
    }

    fn deviation(&self, found: &Found) -> Deviation {
        let mut terms: Vec<_> = TERMS.into_iter().zip(found.terms).collect();
        terms.retain(|term| term.1.abs() > 1e-9);
        terms.sort_by(|a, b| b.1.total_cmp(&a.1));
        Deviation {
            bits: found.bits,
            observed: found.observed,
            expected: found.expected,
            interval: found.interval,
            evidence: found.evidence,
            age: found.age,
            model: "nb",
            quiet: found.quiet,
            return_days: self.rate.watch.return_days(found.bits),
            terms,
            since: found.since,
            held: found.held,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and `as` saturates"
)]
fn whole(x: f32) -> u32 {
    x as u32
}

/// The median of the others' parts; all of a habit where there are too few.
fn of_others(sorted: &[f64], own: f64) -> f64 {
    let others = sorted.len().saturating_sub(1);
    if others < COMPANY {
        return 1.0;
    }
    let middle = others / 2;
    let rank = sorted.partition_point(|part| *part < own);
    let at = if rank <= middle { middle + 1 } else { middle };
    let median = sorted.get(at).copied().unwrap_or(1.0);
    median.clamp(FLEET_LEAST, 1.0)
}

impl Statistic for EventDrop {
    fn observe(&mut self, sample: &Sample) -> Option<Deviation> {
        self.pass(sample.time);
        // Its own surprises are of too many.
        self.rate.observe(sample);
        None
    }

    fn overdue(&mut self, now: Time) -> Option<(u64, Deviation)> {
        self.pass(now);
        let found = self.due.pop_front()?;
        Some((found.key, self.deviation(&found)))
    }

    fn keeps(&self, key: u64) -> bool {
        self.rate.table.find(key).is_some()
            || self.rate.nursery.holds(key)
            || self.due.iter().any(|found| found.key == key)
    }

    fn facts(&self, _key: u64) -> Vec<(&'static str, f64)> {
        vec![("bucket.seconds", self.settings.timespan.as_secs_f64())]
    }

    fn census(&mut self, now: Time) -> Census {
        // The bucket before a barrier is judged before it is learnt.
        if self.open.is_some() {
            self.pass(now);
        }
        let mut votes = Vec::new();
        for (at, mark) in self.marks.iter_mut().enumerate() {
            if self.rate.table.key(at) == Some(mark.key) {
                self.rate.watch.vote(&mut votes, &mut mark.peak);
            }
        }
        Census {
            votes,
            ..self.rate.census(now)
        }
    }

    fn adopt(&mut self, population: &Census, now: Time) {
        self.rate.adopt(population, now);
    }

    fn describe(&self, key: u64, now: Time) -> Option<Description> {
        self.described(key, now)
    }

    fn forget(&mut self, key: u64) -> bool {
        self.forgotten(key)
    }

    fn kept(&self) -> Kept<'_> {
        let marks = self.marks.capacity() * size_of::<Mark>();
        let due = self.due.capacity() * size_of::<Found>();
        self.rate.kept().and(marks + due)
    }

    fn save(&self) -> Vec<u8> {
        let state = State {
            rate: self.rate.save(),
            marks: self.marks.clone(),
            open: self.open,
            due: self.due.clone(),
        };
        snapshot::pack(ROW.name, &self.settings, &state)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let state: State = snapshot::unpack(ROW.name, &self.settings, bytes)?;
        let mut fresh = EventDrop::new(&self.settings);
        fresh.rate.load(&state.rate)?;
        if state.marks.len() > fresh.rate.table.len() {
            return Err("more entities were judged than are known".to_owned());
        }
        (fresh.marks, fresh.open, fresh.due) = (state.marks, state.open, state.due);
        *self = fresh;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_takes_thirty_two_bytes_beside_its_count() {
        assert_eq!(size_of::<Mark>(), 32);
    }

    #[test]
    fn the_others_are_those_without_oneself_and_there_must_be_four() {
        let parts = [0.0, 0.1, 0.9, 1.0, 1.4];
        assert!((of_others(&parts, 0.0) - 0.95).abs() < 0.06);
        assert!((of_others(&parts, 1.4) - 0.9).abs() < 1e-9);
        assert!((of_others(&parts[..4], 0.0) - 1.0).abs() < 1e-9);
        assert!((of_others(&[0.0; 9], 0.0) - FLEET_LEAST).abs() < 1e-9);
    }

    #[test]
    fn the_count_that_is_enough_is_the_first_that_is_no_drop() {
        let law = NegBin {
            mean: 140.0,
            size: 20.0,
        };
        let enough = law.enough(20.0);
        assert!(law.shortfall(enough) < 20.0 && law.shortfall(enough - 1) >= 20.0);
        // Both tails share what is exactly there.
        let both = |x| libm::exp2(-law.shortfall(x)) + libm::exp2(-law.surprise(x + 1));
        assert!((both(100) - 1.0).abs() < 1e-9, "{}", both(100));
        assert_eq!(law.enough(299.0), 0);
    }
}
