//! One entity's amounts: how much in a bucket, learnt in logarithms by part of
//! the day, in 240 bytes.
//!
//! y = log2(1 + sum). Each of 12 parts (four hours by weekday or weekend) has
//! its count n, mean m and squares of what is active in it; what is thinly
//! known leans on the entity's other hours, those on the population:
//!
//! ```text
//! M = (k₀ m₀ + N m̄)/(k₀ + N)            the entity, N over all its parts
//! m̂ = (κ M + n m)/(κ + n)               the part
//! s² = (ν₁ s̄² + Σ(y-m)² + κ n (m-M)²/(κ+n))/(ν₁ + n)
//! Y ~ m̂ + t_ν √(s² (1 + 1/(κ+n) + (κ/(κ+n))²/(k₀+N)))
//! π = (active + ½ g)/(trials + 1)         g: how active its peers are then
//! bits = -log2 π (N P(Y ≥ y)/(N + 1) + G(y)/(1 + max(N G, r))) + destination's term
//! G: how many of its peers' buckets reach y; r: see below
//! ```
//!
//! An amount's bits are divided by how far the entity's own surprises reach (its
//! 98 % quantile against the 5.6 bits it should have): browsing with an upload
//! now and then is no bell, and the uploads are not odd.
//!
//! r is how much it is always the same ones who reach y: (1/f - 1) min(1, N/n̄), f the
//! share of firsts among them, n̄ the sums known of one of them all. A host that backs
//! up each night says nothing of desks that never did.
//!
//! And of n sums the largest is reached again by one in n + 1: the bell counts
//! from there.
//!
//! A closed bucket waits in a line of 24 before it is learnt; what was alerted
//! on while it waited is not learnt at all, for a week at most.

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::calibrate::{Peak, single};
use super::season::{Calendar, SHIFT_AT, decode, encode};
use super::shared::PARTS_OF_WEEK;
use super::special::exp2;
use super::sums::{LINE, Law, Model, Part, code, log, log_of, real_line};
use crate::time::{Span, Time};

/// An amount beyond which it is no measurement: a petabyte takes a day at 100 Gb/s.
pub(super) const ABSURD: f64 = 1_125_899_906_842_624.0;

/// Observations' worth of weight that the entity has in each part of its day.
const KAPPA: f64 = 4.0;

/// The same of its spread.
const SPREAD_WEIGHT: f64 = 4.0;
/// And of the population's spread in an entity's.
const PRIOR_WEIGHT: f64 = 8.0;

/// Degrees of freedom: amounts scatter wider than normal, however many are known.
const FREEDOM: f64 = 6.0;
const FREEDOM_MAX: f64 = 20.0;

/// No amount repeats more exactly than within a third, for long.
const VARIANCE_LEAST: f64 = 0.16;

/// What is further out is learnt as if it were this far, in spreads.
const CLIP: f64 = 2.5;
/// While a part is hardly known, in bits.
const CLIP_NEW: f64 = 8.0;
/// How far beyond the entity's largest y so far a bucket is believed, in bits: sixteenfold.
const REACH: f64 = 4.0;
/// What one bucket may raise or lower a mean that is known, in bits: a fifth.
const STEP: f64 = 0.25;
/// What one bucket may add to the squares.
const SQUARE_MAX: f64 = 400.0;

/// How the cap follows surprises above and below it: 1.25 = 0.99546^-49.
const CAP_UP: f64 = 1.25;
const CAP_DOWN: f64 = 0.995_456;

/// The cap of who scatters as predicted, and the most that it is stretched:
/// nobody can make amounts of 60 bits ordinary by scattering.
const CAP_FAIR: f64 = 5.643_856;
const CAP_MAX: f64 = 3.0 * CAP_FAIR;

/// What is kept of one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct AmountState {
    /// When the entity was first seen.
    pub(super) first: Time,
    /// First event time of what is added up.
    pub(super) since: Time,
    /// The bucket being added up, and its sum.
    pub(super) bucket: i64,
    pub(super) sum: f64,
    /// Nothing below this sum can be worth reporting while `top` stays.
    pub(super) alarm: f64,
    /// The bucket up to which everything is learnt.
    learnt: i64,
    /// The last bucket that alerted, and the first of its spell.
    alerted: i64,
    spell: i64,
    parts: [Part; PARTS_OF_WEEK],
    /// y of the buckets that wait, by their number modulo 24; 0 is none.
    line: [u16; LINE],
    /// Half-lives since the epoch at which a weight of 1 is 1.
    reference: i32,
    /// Decayed buckets up to `learnt`.
    exposure: f32,
    /// The surprise that 98 % of the entity's own active buckets stay under.
    cap: f32,
    /// The highest surprise of the buckets closed since the last barrier.
    pub(super) peak: Peak,
    /// Active buckets.
    pub(super) active: u32,
    /// The destination of most of the sum, and by how much.
    pub(super) top: u32,
    lead: f32,
    /// The largest y that was learnt, forgotten by a bit in a half-life.
    high: u16,
    /// Since the last barrier: the largest y, and active buckets.
    day_high: u16,
    /// `high` as the day began.
    day_record: u16,
    day_buckets: u16,
    /// The last four tops, newest first; 0 is none.
    tops: [u32; 4],
    /// Whether `alarm` is what alarms, or still only the floor.
    pub(super) resolved: bool,
    /// Whether the sum holds what cannot be.
    pub(super) absurd: bool,
    /// Whether a sum has reached the floor.
    large: Large,
}

/// Whether an entity's sum has reached the floor, which the population is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Large {
    Never,
    New,
    Told,
}

impl AmountState {
    /// An entity that was first seen at this time.
    pub(super) fn new(first: Time, model: &Model) -> AmountState {
        let bucket = model.calendar.bucket(first);
        AmountState {
            first,
            since: first,
            bucket,
            sum: 0.0,
            alarm: model.floor,
            learnt: bucket.saturating_sub(1),
            alerted: i64::MIN,
            spell: i64::MIN,
            parts: [Part::default(); PARTS_OF_WEEK],
            line: [0; LINE],
            reference: 0,
            exposure: 0.0,
            cap: 0.0,
            peak: Peak::default(),
            active: 0,
            top: 0,
            lead: 0.0,
            high: 0,
            day_high: 0,
            day_record: 0,
            day_buckets: 0,
            tops: [0; 4],
            resolved: false,
            absurd: false,
            large: Large::Never,
        }
    }

    /// Adds an amount that goes to `to` (0: nowhere in particular).
    pub(super) fn add(&mut self, amount: f64, to: u32, time: Time, model: &Model) {
        if self.sum <= 0.0 || time < self.since {
            self.since = time;
        }
        self.absurd |= amount >= ABSURD;
        let amount = amount.min(ABSURD);
        self.sum += amount;
        // Who has more than half of it wins (Boyer and Moore 1981).
        let (amount, lead) = (amount, f64::from(self.lead));
        if to == self.top {
            self.lead = single(lead + amount);
        } else if amount > lead {
            self.lead = single(amount - lead);
            self.top = to;
            self.forget_alarm(model);
        } else {
            self.lead = single(lead - amount);
        }
    }

    /// What would alarm has to be found anew.
    pub(super) fn forget_alarm(&mut self, model: &Model) {
        self.alarm = model.floor;
        self.resolved = false;
    }

    /// Notes that the bucket was alerted on.
    pub(super) fn note_alert(&mut self, model: &Model) {
        if self.bucket.saturating_sub(self.alerted) > model.week() {
            self.spell = self.bucket;
        }
        self.alerted = self.bucket;
    }

    /// What a weight added at the reference counts at `bucket`.
    fn left(&self, calendar: &Calendar, bucket: i64) -> f64 {
        exp2(f64::from(self.reference) - calendar.age(bucket))
    }

    /// Decayed active buckets.
    pub(super) fn evidence(&self, model: &Model, bucket: i64) -> f64 {
        let sum: f64 = self.parts.iter().map(|part| decode(part.n)).sum();
        sum * self.left(&model.calendar, bucket).min(1e30)
    }

    /// N, its mean, and the entity's variance within parts, shrunk to the population's.
    pub(super) fn pooled(&self, model: &Model, bucket: i64) -> (f64, f64, f64) {
        let left = self.left(&model.calendar, bucket).min(1e30);
        let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for part in &self.parts {
            let weight = decode(part.n) * left;
            n += weight;
            sum += weight * log(part.mean);
            squares += decode(part.squares) * left;
        }
        let within = (PRIOR_WEIGHT * model.population.within + squares) / (PRIOR_WEIGHT + n);
        (n, if n > 0.0 { sum / n } else { 0.0 }, within)
    }

    /// The law of a bucket's sum, from what was learnt before it.
    pub(super) fn law(&self, model: &Model, bucket: i64) -> Law {
        let population = &model.population;
        let (part_at, share) = model.part(bucket);
        let part = self.parts.get(part_at).copied().unwrap_or_default();
        let left = self.left(&model.calendar, bucket).min(1e30);
        let n = decode(part.n) * left;
        let (all, pooled, within) = self.pooled(model, bucket);
        let shrink = population.within / population.between;
        let base = (shrink * population.mean + all * pooled) / (shrink + all);
        let k = KAPPA + n;
        let off = log(part.mean) - base;
        let variance =
            (SPREAD_WEIGHT * within + decode(part.squares) * left + KAPPA * n / k * off * off)
                / (SPREAD_WEIGHT + n);
        let unsure = 1.0 + 1.0 / k + (KAPPA / k) * (KAPPA / k) / (shrink + all);
        // What waits has not been tried yet, as far as is known.
        let known = bucket.saturating_sub(1).saturating_sub(model.delay);
        let trials = share * self.exposure(model, known);
        let peers = population.parts.get(part_at).copied().unwrap_or(1.0);
        let law = Law {
            known: all,
            record: 0.0,
            common: 0.0,
            excess: 0.0,
            trust: CAP_FAIR / f64::from(self.cap).max(CAP_FAIR),
            mean: (KAPPA * base + n * log(part.mean)) / k,
            scale: (variance.max(VARIANCE_LEAST) * unsure).sqrt(),
            freedom: (FREEDOM + n + all / 4.0).min(FREEDOM_MAX),
            // One of a machine's many destinations is seldom active, and that is no news.
            active: if model.holders.is_some() {
                1.0
            } else {
                ((n + 0.5 * peers) / (trials + 1.0)).clamp(1e-6, 1.0)
            },
        };
        law.hold_to(log(self.high))
    }

    /// Decayed buckets up to and with `bucket`.
    fn exposure(&self, model: &Model, bucket: i64) -> f64 {
        let left = model.calendar.decay(bucket.saturating_sub(self.learnt));
        f64::from(self.exposure) * left
            + (1.0 - left) * model.calendar.half_life / std::f64::consts::LN_2
    }

    /// The bits of the bucket's sum: amount, activity and destination.
    pub(super) fn terms(&self, model: &Model, law: &Law) -> [(&'static str, f64); 3] {
        [
            ("amount", law.amount(&model.population.tail, self.sum)),
            ("activity", law.activity()),
            ("destination", model.destination(self.top)),
        ]
    }

    /// Ends the bucket: its score is the entity's vote, its sum waits to be learnt.
    pub(super) fn close(&mut self, model: &Model) {
        if self.sum <= 0.0 {
            return;
        }
        self.peak.raise(0.0);
        if self.sum >= model.floor {
            let law = self.law(model, self.bucket);
            let bits: f64 = self.terms(model, &law).iter().map(|term| term.1).sum();
            if self.active >= model.min_buckets {
                self.peak.raise(bits);
            }
            if self.large == Large::Never && self.alerted != self.bucket {
                self.large = Large::New;
            }
        }
        if !self.absurd && self.bucket > self.learnt {
            let sum = self.sum;
            if let Some(place) = self.place(self.bucket) {
                // A bucket that a barrier closed and a late event opened again.
                let before = if *place > 0 {
                    exp2(log(*place)) - 1.0
                } else {
                    0.0
                };
                *place = code(log_of(before + sum)).max(1);
            }
        }
        self.day_buckets = self.day_buckets.saturating_add(1);
        // What alerted is not what peers do.
        if !self.absurd && self.alerted != self.bucket {
            if self.day_high == 0 {
                self.day_record = self.high;
            }
            self.day_high = self.day_high.max(code(log_of(self.sum)));
        }
        self.active = self.active.saturating_add(1);
        if self.top != 0 && !self.absurd && self.tops.first() != Some(&self.top) {
            let old = self.tops.iter().position(|&old| old == self.top);
            let upto = old.unwrap_or(self.tops.len() - 1);
            if let Some(moved) = self.tops.get_mut(..=upto) {
                moved.rotate_right(1);
            }
            if let Some(first) = self.tops.first_mut() {
                *first = self.top;
            }
        }
        (self.sum, self.top, self.lead, self.absurd) = (0.0, 0, 0.0, false);
        self.forget_alarm(model);
    }

    /// Starts a later bucket; the one before must be closed.
    pub(super) fn open(&mut self, bucket: i64, model: &Model) {
        debug_assert!(bucket > self.bucket, "closed, then opened");
        self.settle(bucket, model);
        self.bucket = bucket;
        self.forget_alarm(model);
    }

    /// Learns what has waited long enough when `bucket` begins.
    pub(super) fn settle(&mut self, bucket: i64, model: &Model) {
        let due = bucket.saturating_sub(1).saturating_sub(model.delay);
        let oldest = self.bucket.saturating_sub(real_line() - 1);
        let from = self.learnt.saturating_add(1).max(oldest);
        for at in from..=due.min(self.bucket) {
            let y = self.place(at).map_or(0, std::mem::take);
            let held = model.hold
                && at <= self.alerted
                && self.alerted.saturating_sub(self.spell) <= model.week();
            if y > 0 && !held {
                self.learn(log(y), at, model);
            }
        }
        if due > self.learnt {
            self.exposure = single(self.exposure(model, due));
            self.learnt = due;
        }
    }

    fn place(&mut self, bucket: i64) -> Option<&mut u16> {
        let at = usize::try_from(bucket.rem_euclid(real_line())).ok()?;
        self.line.get_mut(at)
    }

    /// Takes a bucket's y in: what is far out as if it were at the edge, and
    /// with less weight. The edge follows the entity's own spread and
    /// surprises: against a frozen one a new regime would never be learnt.
    fn learn(&mut self, raw: f64, bucket: i64, model: &Model) {
        let y = raw;
        let law = self.law(model, bucket);
        let surprise = law.raw(y);
        let cap = f64::from(self.cap).max(CAP_FAIR);
        let moved = if surprise > cap {
            (cap * CAP_UP).min(surprise)
        } else {
            cap * CAP_DOWN
        };
        self.cap = single(moved.clamp(CAP_FAIR, CAP_MAX));
        let far = cap.max(model.winsor_bits) / surprise.max(1e-9);
        let weight = (far * far).min(1.0);
        let (all, ..) = self.pooled(model, bucket);
        let mut ahead = model.calendar.age(bucket) - f64::from(self.reference);
        if !(0.0..=SHIFT_AT).contains(&ahead) {
            ahead -= self.shift(ahead.floor());
        }
        let (at, _) = model.part(bucket);
        let Some(part) = self.parts.get_mut(at) else {
            return;
        };
        let scale = exp2(ahead.clamp(0.0, 120.0));
        let n = decode(part.n) / scale;
        let room = match n {
            _ if all < 3.0 => f64::INFINITY, // there is nothing yet to protect
            n if n < 3.0 => CLIP_NEW,
            _ => CLIP * law.scale,
        };
        // What the entity is known to send at all is not clipped, whenever it comes: a
        // backup among hours of next to nothing is two kinds of hours, not an error.
        let high = log(self.high) - 1.0 / model.calendar.half_life;
        let most = (law.mean + room).max(high);
        let y = y.clamp(law.mean - room, most);
        self.high = code(high.max(raw.min(most.max(high + REACH))));
        let mean = log(part.mean);
        let mut moved = y;
        if n > 0.0 {
            let step = weight * (y - mean) / (n + weight);
            let most = if n > 4.0 { STEP } else { CLIP_NEW };
            moved = mean + step.clamp(-most, most);
            let square = weight * (y - mean) * (y - moved);
            part.squares = encode(decode(part.squares) + scale * square.clamp(0.0, SQUARE_MAX));
        }
        part.mean = code(moved);
        part.n = encode(decode(part.n) + scale * weight);
    }

    /// Moves the reference by whole half-lives; says by how many.
    fn shift(&mut self, half_lives: f64) -> f64 {
        let factor = exp2(-half_lives.clamp(-120.0, 120.0));
        for part in &mut self.parts {
            part.n = encode(decode(part.n) * factor);
            part.squares = encode(decode(part.squares) * factor);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "`as` saturates, and a reference at the ends of time only forgets"
        )]
        let moved = (f64::from(self.reference) + half_lives) as i32;
        self.reference = moved;
        half_lives
    }

    /// The shares of the entity's active buckets by part; at most one in all.
    pub(super) fn vote(&self, model: &Model, bucket: i64) -> impl Iterator<Item = f64> {
        let left = self.left(&model.calendar, bucket).min(1e30);
        let total = self.evidence(model, bucket).max(8.0);
        let parts = self.parts.iter();
        parts.map(move |part| decode(part.n) * left / total)
    }

    /// The largest y since the last barrier, that of all time before it, and how
    /// many buckets were active; begins anew.
    pub(super) fn day(&mut self) -> Option<(f64, f64, u16)> {
        let day = (
            std::mem::take(&mut self.day_high),
            std::mem::take(&mut self.day_buckets),
        );
        (day.0 > 0).then(|| (log(day.0), log(self.day_record), day.1))
    }

    /// Where the entity's first large sum went, once.
    pub(super) fn first_upload(&mut self) -> Option<u32> {
        if self.large != Large::New {
            return None;
        }
        self.large = Large::Told;
        self.tops.first().copied()
    }

    /// Where the entity's last bucket goes or went.
    pub(super) fn goes_to(&self) -> u32 {
        let last = self.tops.first().copied().unwrap_or(0);
        if self.top == 0 { last } else { self.top }
    }

    /// Where most of the entity's last buckets went.
    pub(super) fn tops(&self) -> impl Iterator<Item = u32> {
        self.tops.iter().copied().filter(|&top| top != 0)
    }

    /// What the entity is worth keeping for, in buckets of patience; `None`
    /// while it is established: 8 active buckets, seen within 30 days.
    pub(super) fn worth(&self, model: &Model, now: Time) -> Option<i64> {
        let idle = model.calendar.bucket(now).saturating_sub(self.bucket);
        if self.active >= 8 && now.since(self.since) < Span::DAY.times(30) {
            return None;
        }
        let doublings = f64::from(self.active.min(64) + 1).log_two();
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
        let worth = (doublings * model.calendar.half_life) as i64;
        Some(worth.saturating_sub(idle))
    }
}
