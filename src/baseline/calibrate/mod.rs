//! How often a score is reached: from surprise in bits to once in so many days.
//!
//! A predictive distribution is conservative in its bulk and too light in its
//! far tail, by a factor that differs from rule to rule, so bits of different
//! rules do not compare. What does is how often this fleet reaches a score
//! under this rule. Each entity has one vote a day: the highest score with which
//! the rule could have reported it. Votes are forgotten with a half-life of 14
//! days. With w days of them, R(b) is how many entities a day reach b bits:
//!
//! ```text
//! R(b) = (V S(b) + f v 2^-b) / (w + f)
//! ```
//!
//! Who reached the threshold votes no more than that: an attack does not raise
//! the threshold of its own rule. That its score was higher is a censored
//! observation, so S, the part of the V votes that reach b, is Kaplan and
//! Meier's (1958):
//!
//! ```text
//! S(b) = Π{a < b} (1 - d(a)/n(a))    d votes at a itself, of n at a or higher
//! ```
//!
//! That reaches as far as the highest vote. From there on, x bits above it, S
//! falls as a generalised Pareto law (Pickands 1975; Coles 2001, chapter 4):
//!
//! ```text
//! S (1 + ξ x/β)^(-1/ξ),  ξ = 1/3,  β = (Σ(bᵢ-u) + 2·4 bits)/(m - held + 2)
//! ```
//!
//! where β is of the highest m = 8 votes, those above u, with a weak prior. Of
//! eight and not of a fifth: scores often have two peaks, the usual and the odd,
//! and a tail fitted to the usual says nothing of the odd. ξ is not fitted, eight
//! votes do not tell it; with an exponential tail, where ξ is 0, twenty bits were
//! reached six times as often as they say.
//!
//! The last part of R is a day and a half, f, on which the v entities' bits are
//! what they say, and which is forgotten like all others. It decides while there
//! are few votes, or none that say anything: that nobody has come back after a
//! long absence yet does not make the first one an alert.

mod peak;
#[cfg(test)]
mod tests;

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::Settings;
use super::special::{BITS_MAX, exp2, real};
pub(super) use peak::Peak;

/// Bins of a score: eighths of a bit up to 32, bits up to 128, 4 bits up to 300.
const FINE: usize = 256;
const MIDDLE: usize = 96;
const BINS: usize = FINE + MIDDLE + 44;

/// Days' worth of votes that count half after as many days.
const HALF_LIFE: f64 = 14.0;

/// The first days are of baselines that know nobody: their votes do not count.
const COLD: u32 = 7;

/// Where a rule has no budget, what is reached so often a day is held back, so
/// that what it says of once in so many days is not of its alerts' making.
const SELDOM: f64 = 0.05;

/// Counted days without which nothing is said of once in so many days.
const DAYS_LEAST: f64 = 3.0;

/// Where nothing is known: bits at which 24,000 entity hours a day raise one
/// alert in 44 days.
const BLIND: f64 = 20.0;

/// Days on which bits are what they say, to begin with.
const FACE_VALUE: f64 = 1.5;

/// The votes that the tail is fitted to, and its shape.
const TAIL: f64 = 8.0;
const SHAPE: f64 = 1.0 / 3.0;

/// Prior of the tail's scale: two votes with 4 bits; and the least, in bits.
const SCALE: f64 = 4.0;
const SCALE_WEIGHT: f64 = 2.0;
const SCALE_LEAST: f64 = 0.25;

#[expect(
    clippy::cast_possible_truncation,
    reason = "24 bits hold a score or a decayed sum; halves the table"
)]
pub(super) fn single(x: f64) -> f32 {
    x as f32
}

/// The votes of a lane's entities by bin, and then of those that were held back
/// by the bin they were held back at.
pub(super) type Votes = Vec<u64>;

fn add(votes: &mut Votes, at: usize) {
    votes.resize(2 * BINS, 0);
    if let Some(votes) = votes.get_mut(at) {
        *votes += 1;
    }
}

/// How many of the votes reach these bits.
#[cfg(test)]
pub(super) fn reaching(votes: &[u64], bits: f64) -> u64 {
    let (open, held) = votes.split_at(BINS.min(votes.len()));
    let above = |votes: &[u64]| votes.iter().skip(bin(bits)).sum::<u64>();
    above(open) + above(held)
}

fn bin(bits: f64) -> usize {
    let bits = bits.clamp(0.0, BITS_MAX);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the bins"
    )]
    let at = |bits: f64| bits as usize;
    match bits {
        _ if bits < 32.0 => at(8.0 * bits),
        _ if bits < 128.0 => FINE + at(bits - 32.0),
        _ => FINE + MIDDLE + at((bits - 128.0) / 4.0),
    }
}

/// Where a bin begins, in bits.
fn bits_of(bin: usize) -> f64 {
    let real = |n: usize| f64::from(u32::try_from(n).unwrap_or(0));
    match bin {
        _ if bin < FINE => real(bin) / 8.0,
        _ if bin < FINE + MIDDLE => 32.0 + real(bin - FINE),
        _ => 128.0 + 4.0 * real(bin - FINE - MIDDLE),
    }
}

/// A bin's decayed votes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Bin {
    /// All, and those of them that were held back here.
    votes: f32,
    held: f32,
}

/// What is known of how often a rule's scores are reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Calibrator {
    bins: Vec<Bin>,
    /// Decayed days that count, decayed days of face value, and days in all.
    weight: f64,
    face: f64,
    days: u32,
    /// Entities that vote on a day, on average.
    voters: f64,
    /// In force until the next barrier, in bits.
    threshold: f64,
    /// What reaches this is held back.
    ceiling: f64,
}

/// Votes at and above some bits.
#[derive(Clone, Copy, Debug, Default)]
struct Top {
    from: usize,
    votes: f64,
    held: f64,
    /// Bits above `from`.
    excess: f64,
}

/// Beyond the highest vote.
struct Tail {
    from: f64,
    /// Votes that reach so far.
    votes: f64,
    scale: f64,
}

impl Tail {
    fn reaching(&self, bits: f64) -> f64 {
        let z = 1.0 + SHAPE * (bits - self.from).max(0.0) / self.scale;
        self.votes * (-z.log_e() / SHAPE).exp_e()
    }
}

impl Calibrator {
    pub(super) fn new(settings: &Settings) -> Calibrator {
        let blind = match settings.budget {
            None => settings.surprise,
            Some(_) if settings.rare_only => BITS_MAX,
            Some(_) => settings.surprise.max(BLIND),
        };
        Calibrator {
            bins: Vec::new(),
            weight: 0.0,
            face: FACE_VALUE,
            days: 0,
            voters: 0.0,
            threshold: blind,
            ceiling: blind.max(BLIND),
        }
    }

    /// The least surprise worth reporting, in bits.
    pub(super) fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Takes an entity's vote; its peak begins anew.
    pub(super) fn vote(&self, votes: &mut Votes, peak: &mut Peak) {
        let Some(bits) = peak.take() else {
            return;
        };
        if bits < self.ceiling {
            add(votes, bin(bits));
        } else if peak.may_reach() {
            add(votes, BINS + bin(self.ceiling));
        } else {
            add(votes, 0);
        }
    }

    /// Takes a day's votes of all lanes in, and puts the threshold in force that keeps the budget.
    pub(super) fn fold(&mut self, votes: &[u64], settings: &Settings) {
        self.days = self.days.saturating_add(1);
        let count = |votes: &u64| real(i64::try_from(*votes).unwrap_or(i64::MAX));
        let all: f64 = votes.iter().map(count).sum();
        self.voters += (all - self.voters) / f64::from(self.days).min(HALF_LIFE);
        if self.days > COLD {
            let keep = exp2(-1.0 / HALF_LIFE);
            self.bins.resize(BINS, Bin::default());
            self.weight = self.weight * keep + 1.0;
            self.face *= keep;
            let held = votes.iter().skip(BINS).chain(std::iter::repeat(&0));
            let votes = votes.iter().take(BINS).chain(std::iter::repeat(&0));
            for (bin, (votes, held)) in self.bins.iter_mut().zip(votes.zip(held)) {
                let (votes, held) = (count(votes), count(held));
                bin.votes = single(f64::from(bin.votes) * keep + votes + held);
                bin.held = single(f64::from(bin.held) * keep + held);
            }
        }
        self.ceiling = self.reached(settings.budget.unwrap_or(SELDOM));
        self.ceiling = self.ceiling.max(settings.surprise);
        self.threshold = match settings.budget {
            None => settings.surprise,
            Some(budget) if settings.rare_only => {
                // Where it is not rare, the oddest of many are no more worth it.
                let rare = self.weight > 0.0 && self.rate(settings.surprise) <= budget;
                if rare { settings.surprise } else { BITS_MAX }
            }
            Some(_) => self.ceiling,
        };
    }

    /// Least bits that are reached at most `budget` times a day.
    fn reached(&self, budget: f64) -> f64 {
        let often = |votes: f64, bits: f64| self.often(votes, bits) > budget;
        let (tail, counted) = self.counted(|bin, votes| !often(votes, bits_of(bin)));
        if let Some((bin, _)) = counted {
            let bits = bits_of(bin);
            return if self.weight > 0.0 {
                bits
            } else {
                bits.max(BLIND)
            };
        }
        let (mut low, mut high) = (tail.from, BITS_MAX);
        while high - low > 1e-3 {
            let bits = f64::midpoint(low, high);
            if often(tail.reaching(bits), bits) {
                low = bits;
            } else {
                high = bits;
            }
        }
        if self.weight > 0.0 {
            high
        } else {
            high.max(BLIND)
        }
    }

    /// How often a day so many of the votes are, with the days of bits at face value.
    fn often(&self, votes: f64, bits: f64) -> f64 {
        (votes + self.face * self.voters * exp2(-bits)) / (self.weight + self.face)
    }

    /// The tail, and below it the first bin that will do, with the votes that
    /// reach it after Kaplan and Meier.
    fn counted(&self, will_do: impl Fn(usize, f64) -> bool) -> (Tail, Option<(usize, f64)>) {
        let highest = self.top(1.0);
        let mut at_risk: f64 = self.bins.iter().map(|bin| f64::from(bin.votes)).sum();
        let mut reaching = at_risk;
        let mut found = None;
        for (at, bin) in self.bins.iter().enumerate().take(highest.from) {
            if will_do(at, reaching) {
                found = Some((at, reaching));
                break;
            }
            let votes = f64::from(bin.votes);
            if votes > 0.0 {
                let here = votes - f64::from(bin.held);
                reaching *= (1.0 - here / at_risk.max(votes)).max(0.0);
                at_risk -= votes;
            }
        }
        let top = self.top(TAIL);
        let counted = (top.votes - top.held).max(0.0);
        let scale = (top.excess + SCALE * SCALE_WEIGHT) / (counted + SCALE_WEIGHT);
        let tail = Tail {
            from: bits_of(highest.from),
            // Where nobody ever had a score, nobody reached any.
            votes: if highest.votes > 0.0 { reaching } else { 0.0 },
            scale: scale.max(SCALE_LEAST),
        };
        (tail, found)
    }

    /// The highest votes with any score, `wanted` of them or as many as share
    /// the last one's bin.
    fn top(&self, wanted: f64) -> Top {
        let mut top = Top::default();
        let mut sum = 0.0;
        for (at, bin) in self.bins.iter().enumerate().skip(1).rev() {
            if top.votes >= wanted {
                break;
            }
            if bin.votes > 0.0 {
                let votes = f64::from(bin.votes);
                top.from = at;
                top.votes += votes;
                top.held += f64::from(bin.held);
                sum += votes * f64::midpoint(bits_of(at), bits_of(at + 1));
            }
        }
        top.excess = sum - top.votes * bits_of(top.from);
        top
    }

    /// Entities a day that reach these bits.
    fn rate(&self, bits: f64) -> f64 {
        let wanted = bin(bits);
        let (tail, counted) = self.counted(|bin, _| bin >= wanted);
        let votes = counted.map_or_else(|| tail.reaching(bits), |(_, votes)| votes);
        self.often(votes, bits)
    }

    /// Once in how many days an entity of this fleet reaches these bits under
    /// this rule; `None` while too little is known.
    pub(super) fn return_days(&self, bits: f64) -> Option<f64> {
        (self.weight >= DAYS_LEAST).then(|| 1.0 / self.rate(bits).max(1e-9))
    }
}
