//! How long an entity stays away: the tail of its own gaps.
//!
//! Gaps between active buckets are taken as exponential with a rate that is
//! itself gamma, which makes the next one Lomax. With mean gap ḡ over m gaps,
//! both in days, and the population's as one gap more:
//!
//! ```text
//! P(gap ≥ d) = (1 + max(0, d-3) / (1.5 ḡ + 1))^-(½ min(m, 4) + 1)
//! ```
//!
//! Three days are a weekend and its Monday, and no surprise for anybody; more
//! than four gaps make nobody a clock: who comes every day goes on leave for two
//! weeks, and at twelve gaps that was as odd (16 bits) as a stolen account.

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::calibrate::single;
use super::special::{bits, exp2};
use crate::time::{Span, Time};

/// Days away that are no surprise.
const GRACE: f64 = 3.0;

/// Shorter ones are pauses of the same day's work.
const PAUSE: f64 = 0.2;

/// Gaps beyond which more of them say no more.
const ENOUGH: f64 = 4.0;

/// Gaps that the mean is taken over.
const MEMORY: f32 = 30.0;

/// Mean gap, in days, until the population tells its own.
const TYPICAL: f64 = 0.7;

/// The population's mean gap weighs like so many entities' at first.
const TYPICAL_WEIGHT: f64 = 4.0;

/// A span in days.
pub(super) fn days(span: Span) -> f64 {
    span.as_secs_f64() / Span::DAY.as_secs_f64()
}

/// An entity's gaps: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Gaps {
    /// Last seen before the bucket being watched; [`Time::MIN`] when never.
    before: Time,
    /// Mean of its gaps in days.
    mean: f32,
    /// How many.
    count: f32,
}

impl Gaps {
    pub(super) fn new() -> Gaps {
        Gaps {
            before: Time::MIN,
            mean: 0.0,
            count: 0.0,
        }
    }

    /// How many were learnt.
    pub(super) fn count(&self) -> f64 {
        f64::from(self.count)
    }

    /// Its mean, for the population: a month at most.
    pub(super) fn mean(&self) -> f64 {
        f64::from(self.mean).clamp(0.0, 30.0)
    }

    /// How long the entity had been away when it came at `now`.
    pub(super) fn away(&self, now: Time) -> Span {
        if self.before == Time::MIN {
            return Span::ZERO;
        }
        now.since(self.before).max(Span::ZERO)
    }

    /// The law of the next gap.
    pub(super) fn law(&self, typical: f64) -> Lomax {
        let count = self.count();
        let mean = (typical + count * f64::from(self.mean)) / (1.0 + count);
        Lomax {
            mean,
            scale: 1.5 * mean + 1.0,
            shape: 0.5 * count.min(ENOUGH) + 1.0,
        }
    }

    /// Learns a bucket's: when it came, and when it was last seen in it. One
    /// long absence counts as four usual ones and a day.
    pub(super) fn learn(&mut self, came: Time, left: Time) {
        let gap = single(days(self.away(came)));
        if f64::from(gap) > PAUSE {
            let capped = if self.count > 0.0 {
                gap.min(4.0 * self.mean + 1.0)
            } else {
                gap.min(7.0)
            };
            self.count = (self.count + 1.0).min(MEMORY);
            self.mean += (capped - self.mean) / self.count;
        }
        self.before = self.before.max(left);
    }
}

/// How long an entity will stay away.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lomax {
    /// Mean gap, in days.
    pub(super) mean: f64,
    scale: f64,
    shape: f64,
}

impl Lomax {
    /// `-log2` of the chance to stay away at least so many days.
    pub(super) fn surprise(self, days: f64) -> f64 {
        bits(-self.shape * (1.0 + (days - GRACE).max(0.0) / self.scale).log_e())
    }

    /// The days at which the surprise is so many bits.
    pub(super) fn reaching(self, bits: f64) -> f64 {
        GRACE + (exp2(bits / self.shape) - 1.0) * self.scale
    }
}

/// The population's mean gap, from the sum of its entities' means.
pub(super) fn typical(sum: f64, entities: f64) -> f64 {
    (TYPICAL_WEIGHT * TYPICAL + sum) / (TYPICAL_WEIGHT + entities)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daily(days: i64) -> Gaps {
        let mut gaps = Gaps::new();
        for day in 0..days {
            let came = Time::from_secs(day * 86_400 + 32_400);
            gaps.learn(came, came.plus(Span::HOUR.times(8)));
        }
        gaps
    }

    #[test]
    fn a_weekend_is_none_and_a_month_is_odd_for_who_came_each_day() {
        let law = daily(30).law(TYPICAL);
        assert!(law.surprise(2.9) <= 0.0);
        assert!(law.surprise(10.0) < law.surprise(30.0));
        assert!(law.surprise(30.0) > 10.0, "{}", law.surprise(30.0));
        let seldom = daily(1).law(TYPICAL);
        assert!(seldom.surprise(30.0) < 5.0, "{}", seldom.surprise(30.0));
    }

    #[test]
    fn the_days_that_reach_some_bits_have_these_bits() {
        let law = daily(9).law(TYPICAL);
        for bits in [1.0, 8.0, 20.0] {
            assert!((law.surprise(law.reaching(bits)) - bits).abs() < 1e-9);
        }
    }

    #[test]
    fn one_long_absence_does_not_make_absences_usual() {
        let mut gaps = daily(30);
        let before = gaps.law(TYPICAL).surprise(30.0);
        let back = Time::from_secs(200 * 86_400);
        gaps.learn(back, back);
        assert!(gaps.law(TYPICAL).surprise(30.0) > 0.9 * before);
    }
}
