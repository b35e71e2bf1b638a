//! One entity's slow memory, and the law of its recent level; see
//! [`super::drift`].

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::Settings;
use super::amount::ABSURD;
use super::calibrate::{Peak, single};
use super::combine::fisher;
use super::season::Calendar;
use super::special::{exp2, real};
use super::student;
use super::sums::{code, log, log_of};
use super::trend::Row;
use crate::time::{Span, Time};

/// Buckets that the anchor may be late by.
const LINE: i64 = 16;

/// How late it is unless the rule says so.
const DELAY: Span = Span::DAY.times(7);

/// Recent buckets that make a level: fewer are filled up with ordinary ones.
const RECENT_LEAST: f64 = 5.0;

/// What a recent bucket counts for at most, in spreads of what a bucket is
/// predicted with: a level is made of many days, and one film is not.
const RECENT_MOST: f64 = 2.5;

/// Variance of an entity's buckets until the population gives one, and its weight.
pub(super) const WITHIN: f64 = 4.0;
pub(super) const WEIGHT: f64 = 8.0;

/// A rise at a level as ordinary as this is none: kilobytes that become more.
const LEVEL_LEAST: f64 = 4.0;

/// What levels move by honestly, squared.
const HONEST: f64 = 0.25;

/// Degrees of freedom.
const FREEDOM: f64 = 6.0;
const FREEDOM_MAX: f64 = 20.0;

/// Buckets that the anchor needs to say anything, and from which on it is slow.
pub(super) const ANCHORED: f64 = 4.0;
const SLOW: f64 = 7.0;

/// What is further out is learnt as if it were this far, in spreads.
const CLIP: f64 = 2.5;

/// A spell of alerts longer than this is a new regime.
const HOLD_MAX: Span = Span::DAY.times(7);

/// How a rule's drifts are judged.
pub(super) struct Model {
    pub(super) calendar: Calendar,
    pub(super) delay: i64,
    pub(super) hold: bool,
    /// A week, and a day, in buckets.
    pub(super) week: i64,
    pub(super) day: f64,
    /// Most that a day may raise the anchor, in bits.
    pub(super) growth: f64,
    pub(super) floor: f64,
    /// Active buckets without which an entity raises no alert.
    pub(super) min_buckets: u32,
    pub(super) within: f64,
}

impl Model {
    pub(super) fn new(settings: &Settings) -> Model {
        let width = settings.timespan.max(Span::SECOND).nanos();
        let delay = settings.delay.unwrap_or(DELAY).nanos() / width;
        Model {
            calendar: Calendar::new(settings),
            delay: delay.clamp(1, LINE - 2),
            hold: settings.hold,
            week: (HOLD_MAX.nanos() / width).max(1),
            day: real(Span::DAY.nanos()) / real(width),
            growth: (1.0 + settings.growth.clamp(0.0, 1.0)).log_two(),
            floor: settings.floor.max(1.0),
            min_buckets: settings.min_buckets,
            within: WITHIN,
        }
    }
}

/// What is kept of one entity: 128 bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Anchored {
    pub(super) first: Time,
    pub(super) since: Time,
    pub(super) bucket: i64,
    pub(super) sum: f64,
    /// Nothing below this sum can be worth reporting in this bucket.
    pub(super) alarm: f64,
    /// The bucket up to which the anchor has learnt, and the last that it did.
    pub(super) learnt: i64,
    pub(super) moved: i64,
    /// The last bucket that alerted, and the first of its spell.
    pub(super) alerted: i64,
    pub(super) spell: i64,
    /// y of the buckets that the anchor has not learnt, by their number modulo 16.
    pub(super) line: [u16; 16],
    /// The anchor: decayed buckets, level, decayed squares about it.
    pub(super) n: f32,
    pub(super) level: f32,
    pub(super) squares: f32,
    pub(super) peak: Peak,
    pub(super) active: u32,
    pub(super) resolved: bool,
    pub(super) absurd: bool,
}

/// The law of the recent buckets: their level, and whether it rises.
pub(super) struct Law {
    mean: f64,
    scale: f64,
    pub(super) freedom: f64,
    /// The most that a bucket's y counts for.
    most: f64,
    /// Sum of y of the buckets before this one, and how many there are with it.
    before: f64,
    count: f64,
    row: Row,
}

impl Law {
    /// The recent level, given this bucket's y.
    pub(super) fn recent(&self, y: f64) -> f64 {
        let filled = (RECENT_LEAST - self.count).max(0.0);
        (self.before + y.min(self.most) + filled * self.mean) / (self.count + filled)
    }

    /// Level and trend, each in bits.
    pub(super) fn terms(&self, y: f64) -> [(&'static str, f64); 2] {
        let z = (self.recent(y) - self.mean) / self.scale;
        let level = student::surprise(z, self.freedom);
        [("level", level), ("trend", self.row.bits(code(y)))]
    }

    pub(super) fn bits(&self, sum: f64) -> f64 {
        let [level, trend] = self.terms(log_of(sum)).map(|term| term.1);
        if level < LEVEL_LEAST {
            return level - 1.0;
        }
        // Of two looks, at the level alone and at both, the better costs a bit:
        // a new level that does not rise any more is a drift as well.
        level.max(fisher([level, trend].into_iter(), 0)) - 1.0
    }

    /// The least sum of this bucket that scores `bits`; infinite where none does.
    pub(super) fn reaching(&self, bits: f64) -> f64 {
        let sum = |y: f64| exp2(y) - 1.0;
        let (mut low, mut high) = (0.0, 60.0);
        if self.bits(sum(high)) < bits {
            return f64::INFINITY;
        }
        while high - low > 1e-4 {
            let middle = f64::midpoint(low, high);
            if self.bits(sum(middle)) < bits {
                low = middle;
            } else {
                high = middle;
            }
        }
        sum(low)
    }

    /// The highest level that would not have reached `bits`, as a sum.
    pub(super) fn quiet(&self, bits: f64, sum: f64) -> f64 {
        let y = self.reaching(bits).min(sum);
        (exp2(self.recent(log_of(y)).clamp(0.0, 60.0)) - 1.0).max(0.0)
    }

    pub(super) fn sum_at(&self, z: f64) -> f64 {
        (exp2((self.mean + z * self.scale).clamp(0.0, 60.0)) - 1.0).max(0.0)
    }
}

impl Anchored {
    pub(super) fn new(first: Time, model: &Model) -> Anchored {
        let bucket = model.calendar.bucket(first);
        Anchored {
            first,
            since: first,
            bucket,
            sum: 0.0,
            alarm: model.floor,
            learnt: bucket.saturating_sub(1),
            moved: bucket,
            alerted: i64::MIN,
            spell: i64::MIN,
            line: [0; 16],
            n: 0.0,
            level: 0.0,
            squares: 0.0,
            peak: Peak::default(),
            active: 0,
            resolved: false,
            absurd: false,
        }
    }

    pub(super) fn forget_alarm(&mut self, model: &Model) {
        self.alarm = model.floor;
        self.resolved = false;
    }

    pub(super) fn add(&mut self, amount: f64, time: Time) {
        if self.sum <= 0.0 || time < self.since {
            self.since = time;
        }
        self.absurd |= amount >= ABSURD;
        self.sum += amount.min(ABSURD);
    }

    fn place(&mut self, bucket: i64) -> Option<&mut u16> {
        let at = usize::try_from(bucket.rem_euclid(LINE)).ok()?;
        self.line.get_mut(at)
    }

    pub(super) fn evidence(&self, model: &Model) -> f64 {
        f64::from(self.n) * model.calendar.decay(self.bucket.saturating_sub(self.moved))
    }

    /// The spread of single buckets, shrunk to the population's.
    pub(super) fn variance(&self, model: &Model) -> f64 {
        let left = model.calendar.decay(self.bucket.saturating_sub(self.moved));
        let squares = f64::from(self.squares) * left;
        (WEIGHT * model.within + squares) / (WEIGHT + self.evidence(model))
    }

    /// `None` while there is no anchor to speak of.
    pub(super) fn law(&self, model: &Model) -> Option<Law> {
        let n = self.evidence(model);
        if n < ANCHORED {
            return None;
        }
        let single = self.variance(model) * (1.0 + 1.0 / (n + 2.0)) + HONEST;
        let most = f64::from(self.level) + RECENT_MOST * single.sqrt();
        let (mut before, mut count, mut row) = (0.0, 1.0, Row::default());
        for bucket in self.bucket.saturating_sub(LINE - 1)..self.bucket {
            let place = usize::try_from(bucket.rem_euclid(LINE)).unwrap_or(0);
            let y = self.line.get(place).copied().unwrap_or(0);
            if y > 0 {
                before += log(y).min(most);
                count += 1.0;
                row.push(y);
            }
        }
        let weight = f64::max(count, RECENT_LEAST);
        let variance = self.variance(model) * (1.0 / weight + 1.0 / (n + 2.0)) + HONEST;
        Some(Law {
            mean: f64::from(self.level),
            scale: variance.sqrt(),
            freedom: (FREEDOM + n).min(FREEDOM_MAX),
            most,
            before,
            count,
            row,
        })
    }

    pub(super) fn note_alert(&mut self, model: &Model) {
        if self.bucket.saturating_sub(self.alerted) > model.week {
            self.spell = self.bucket;
        }
        self.alerted = self.bucket;
    }

    /// Ends the bucket: it waits for the anchor.
    pub(super) fn close(&mut self, model: &Model) {
        if self.sum <= 0.0 {
            return;
        }
        self.peak.raise(0.0);
        if self.sum >= model.floor && self.active >= model.min_buckets {
            let bits = self.law(model).map_or(0.0, |law| law.bits(self.sum));
            self.peak.raise(bits);
        }
        if !self.absurd && self.bucket > self.learnt {
            let sum = self.sum;
            if let Some(place) = self.place(self.bucket) {
                let before = if *place > 0 {
                    exp2(log(*place)) - 1.0
                } else {
                    0.0
                };
                *place = code(log_of(before + sum)).max(1);
            }
        }
        self.active = self.active.saturating_add(1);
        (self.sum, self.absurd) = (0.0, false);
        self.forget_alarm(model);
    }

    /// Lets the anchor learn what has waited long enough when `bucket` begins.
    pub(super) fn settle(&mut self, bucket: i64, model: &Model) {
        let due = bucket.saturating_sub(1).saturating_sub(model.delay);
        let oldest = self.bucket.saturating_sub(LINE - 1);
        for at in self.learnt.saturating_add(1).max(oldest)..=due.min(self.bucket) {
            let y = self.place(at).map_or(0, std::mem::take);
            let alerted = model.hold && at <= self.alerted;
            let lasts = self.alerted.saturating_sub(self.spell) > model.week;
            if y > 0 && (!alerted || lasts) {
                self.learn(log(y), at, alerted && lasts, model);
            }
        }
        self.learnt = self.learnt.max(due);
    }

    fn learn(&mut self, y: f64, bucket: i64, rebase: bool, model: &Model) {
        let gone = bucket.saturating_sub(self.moved);
        let left = model.calendar.decay(gone);
        let n = f64::from(self.n) * left;
        let level = f64::from(self.level);
        let spread = self.variance(model).sqrt();
        let mut y = y;
        if n >= ANCHORED && !rebase {
            y = y.clamp(level - CLIP * spread, level + CLIP * spread);
        }
        let mut step = (y - level) / (n + 1.0);
        if rebase {
            step = (y - level) / (n.min(RECENT_LEAST) + 1.0);
        } else if n >= SLOW {
            // By days, not by buckets: or many small steps make a large one.
            step = step.min(model.growth * real(gone.max(0)) / model.day);
        }
        let square = if n > 0.0 {
            (y - level) * (y - level - step)
        } else {
            0.0
        };
        self.squares = single(f64::from(self.squares) * left + square.max(0.0));
        self.level = single(level + step);
        self.n = single(n + 1.0);
        self.moved = bucket;
    }

    pub(super) fn worth(&self, model: &Model, now: Time) -> Option<i64> {
        let idle = model.calendar.bucket(now).saturating_sub(self.bucket);
        if self.active >= 8 && now.since(self.since) < Span::DAY.times(30) {
            return None;
        }
        Some(i64::from(self.active.min(1000)).saturating_sub(idle))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_takes_a_hundred_and_twenty_eight_bytes() {
        assert_eq!(size_of::<Anchored>(), 128);
    }
}
