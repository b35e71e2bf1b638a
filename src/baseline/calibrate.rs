//! How often a score is reached: from surprise in bits to once in so many days.
//!
//! A predictive distribution is conservative in its bulk and too light in its
//! far tail, by a factor that differs from rule to rule, so bits of different
//! rules do not compare. What does is how often this fleet reaches a score
//! under this rule. Each entity has one vote a day, its highest score; votes
//! are forgotten with a half-life of 14 days:
//!
//! ```text
//! R(b) = Σ w_d · #{entities whose highest score of day d is ≥ b} / Σ w_d
//! ```
//!
//! entities a day. Beyond the highest max(4, 20 %) of the votes the tail is
//! exponential, as extreme value theory has it of what decays like 2^-b, with
//! a weak prior of 4 bits on its scale:
//!
//! ```text
//! R(b) = R(u) exp(-(b-u)/β),  β = max(1, (Σ(bᵢ-u) + 4·2)/(m+2))
//! ```
//!
//! Who alerted votes no more than the threshold: an attack does not raise the
//! threshold of its own rule.

use serde::{Deserialize, Serialize};

use super::Settings;
use super::special::{BITS_MAX, real};
use crate::time::{SECS_PER_DAY, Span};

/// Half bits, from 0 to 300.
const BINS: usize = 601;

/// Days' worth of votes that count half after as many days.
const HALF_LIFE: f64 = 14.0;

/// Below this many days or entities there is nothing to go by but bits.
const DAYS_LEAST: f64 = 7.0;
const ENTITIES_LEAST: f64 = 50.0;

/// Where nothing is known: bits at which 24,000 entity hours a day raise one
/// alert in 44 days.
const BLIND: f64 = 20.0;

/// The exceedances that a tail is fitted to.
const TAIL_LEAST: f64 = 4.0;
const TAIL_PART: f64 = 0.2;

/// Prior of the tail's scale: two exceedances of 4 bits.
const SCALE: f64 = 4.0;
const SCALE_WEIGHT: f64 = 2.0;

/// The vote of who did nothing odd.
pub(super) const ACTIVE: f32 = 0.01;

#[expect(
    clippy::cast_possible_truncation,
    reason = "24 bits hold a score or a decayed sum; halves the table"
)]
pub(super) fn single(x: f64) -> f32 {
    x as f32
}

/// The votes of a lane's entities, by half bits.
pub(super) type Votes = Vec<u64>;

/// Adds an entity's vote.
pub(super) fn vote(votes: &mut Votes, bits: f64) {
    votes.resize(BINS, 0);
    if let Some(bin) = votes.get_mut(bin(bits)) {
        *bin += 1;
    }
}

fn bin(bits: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the bins"
    )]
    let bin = (2.0 * bits.clamp(0.0, BITS_MAX)) as usize;
    bin
}

fn bits_of(bin: usize) -> f64 {
    f64::from(u32::try_from(bin).unwrap_or(0)) / 2.0
}

/// What is known of how often a rule's scores are reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Calibrator {
    /// Decayed votes.
    bins: Vec<f64>,
    /// Decayed days, and days in all.
    weight: f64,
    days: f64,
    /// In force until the next barrier, in bits.
    threshold: f64,
}

impl Calibrator {
    pub(super) fn new(settings: &Settings) -> Calibrator {
        let blind = settings
            .budget
            .map_or(settings.surprise, |_| settings.surprise.max(BLIND));
        Calibrator {
            bins: Vec::new(),
            weight: 0.0,
            days: 0.0,
            threshold: blind,
        }
    }

    /// The least surprise worth reporting, in bits.
    pub(super) fn threshold(&self) -> f64 {
        self.threshold
    }

    /// An entity's vote: what has alerted is held back.
    pub(super) fn held_back(&self, bits: f64) -> f64 {
        bits.min(self.threshold)
    }

    /// Takes a day's votes of all lanes in, and puts the threshold in force that keeps the budget.
    pub(super) fn fold(&mut self, votes: &[u64], settings: &Settings) {
        let keep = super::special::exp2(-1.0 / HALF_LIFE);
        self.bins.resize(BINS, 0.0);
        self.weight = self.weight * keep + 1.0;
        self.days += 1.0;
        let votes = votes.iter().chain(std::iter::repeat(&0));
        for (bin, &more) in self.bins.iter_mut().zip(votes) {
            *bin = *bin * keep + real(i64::try_from(more).unwrap_or(i64::MAX));
        }
        if let Some(budget) = settings.budget {
            self.threshold = self.reached(budget, settings).max(settings.surprise);
        }
    }

    /// Least bits that are reached at most `budget` times a day.
    fn reached(&self, budget: f64, settings: &Settings) -> f64 {
        if !self.is_mature() {
            // Bits as they are, less sure of the more entities there are.
            let a_day = real(SECS_PER_DAY) / settings.timespan.max(Span::SECOND).as_secs_f64();
            let tests = (self.entities() * a_day / 24_000.0).max(1.0);
            return BLIND + tests.log2();
        }
        (0..3000_u32)
            .map(|tenths| f64::from(tenths) / 10.0)
            .find(|&bits| self.rate(bits) <= budget)
            .unwrap_or(BITS_MAX)
    }

    fn is_mature(&self) -> bool {
        self.days >= DAYS_LEAST && self.entities() >= ENTITIES_LEAST
    }

    /// Entities that vote on a day.
    fn entities(&self) -> f64 {
        self.bins.iter().sum::<f64>() / self.weight.max(1.0)
    }

    /// Entities a day that reach these bits.
    fn rate(&self, bits: f64) -> f64 {
        let all: f64 = self.bins.iter().sum();
        // Where the tail begins: its votes are the highest of all.
        let wanted = (all * TAIL_PART).max(TAIL_LEAST);
        let (mut above, mut start) = (0.0, 0);
        for (bin, votes) in self.bins.iter().enumerate().rev() {
            if above >= wanted {
                break;
            }
            above += votes;
            start = bin;
        }
        let u = bits_of(start);
        let weight = self.weight.max(1e-9);
        if bits <= u {
            let from = bin(bits);
            return self.bins.iter().skip(from).sum::<f64>() / weight;
        }
        let over = self.bins.iter().enumerate().skip(start);
        let excess: f64 = over
            .map(|(bin, votes)| (bits_of(bin) + 0.25 - u) * votes)
            .sum();
        let scale = (excess + SCALE * SCALE_WEIGHT) / (above + SCALE_WEIGHT);
        above / weight * (-(bits - u) / scale.max(1.0)).exp()
    }

    /// Once in how many days an entity of this fleet reaches these bits under
    /// this rule; `None` while too little is known.
    pub(super) fn return_days(&self, bits: f64) -> Option<f64> {
        self.is_mature().then(|| 1.0 / self.rate(bits).max(1e-9))
    }
}

#[cfg(test)]
mod tests {
    use super::super::behaviour::settings;
    use super::*;

    fn strict(budget: f64) -> Settings {
        Settings {
            budget: Some(budget),
            surprise: 1.0,
            ..settings()
        }
    }

    /// A thousand entities whose score exceeds b once in 2^(b/stretch).
    fn day(stretch: f64) -> Votes {
        let mut votes = Votes::new();
        for n in 0..1000_u32 {
            let p = (f64::from(n) + 0.5) / 1000.0;
            vote(&mut votes, -p.log2() * stretch);
        }
        votes
    }

    #[test]
    fn the_budget_is_kept_whatever_a_bit_is_worth() {
        for stretch in [0.5, 1.0, 2.0, 3.0] {
            let settings = strict(0.1);
            let mut calibrator = Calibrator::new(&settings);
            for _ in 0..20 {
                calibrator.fold(&day(stretch), &settings);
            }
            // One in 10,000 of a thousand entities a day.
            let ideal = 10_000_f64.log2() * stretch;
            let found = calibrator.threshold();
            assert!(
                (found - ideal).abs() < 0.2 * ideal + 1.0,
                "{stretch}: {found} {ideal}"
            );
            let days = calibrator.return_days(found).unwrap();
            assert!((10.0..20.0).contains(&days), "{stretch}: {days}");
        }
    }

    #[test]
    fn few_days_or_entities_go_by_bits() {
        let settings = strict(0.1);
        let mut calibrator = Calibrator::new(&settings);
        assert!(calibrator.threshold() >= BLIND);
        for _ in 0..6 {
            calibrator.fold(&day(0.5), &settings);
        }
        assert!(calibrator.threshold() >= BLIND && calibrator.return_days(9.0).is_none());
        calibrator.fold(&day(0.5), &settings);
        assert!(calibrator.threshold() < 10.0);
        let mut few = Calibrator::new(&settings);
        for _ in 0..30 {
            few.fold(&[40], &settings);
        }
        assert!(few.threshold() >= BLIND);
    }

    #[test]
    fn who_alerts_day_after_day_does_not_raise_the_threshold() {
        let settings = strict(0.1);
        let (mut calm, mut hit) = (Calibrator::new(&settings), Calibrator::new(&settings));
        for n in 0..40 {
            calm.fold(&day(1.0), &settings);
            let mut votes = day(1.0);
            if n > 10 {
                vote(&mut votes, hit.held_back(250.0));
            }
            hit.fold(&votes, &settings);
        }
        let (calm, hit) = (calm.threshold(), hit.threshold());
        assert!(hit < calm + 4.0, "{calm} {hit}");
    }

    #[test]
    fn without_a_budget_the_rules_bits_hold() {
        let settings = Settings {
            surprise: 12.0,
            ..settings()
        };
        let mut calibrator = Calibrator::new(&settings);
        for _ in 0..20 {
            calibrator.fold(&day(2.0), &settings);
        }
        assert!((calibrator.threshold() - 12.0).abs() < 1e-9);
        let days = calibrator.return_days(2.0 * 1000_f64.log2()).unwrap();
        assert!((0.5..2.0).contains(&days), "{days}");
    }
}
