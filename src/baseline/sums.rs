//! What turns an entity's amounts into a prediction: the model of a rule, and
//! the law of one bucket's sum.

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::Settings;
use super::holders::Holders;
use super::season::Calendar;
use super::shared::{Population, Tail, part_share};
use super::special::exp2;
use super::student;
use crate::time::Span;

/// Buckets that wait to be learnt.
pub(super) const LINE: usize = 24;

/// A spell of alerts longer than this is a new regime, and learnt.
const HOLD_MAX: Span = Span::DAY.times(7);

/// What turns a state into a prediction.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) calendar: Calendar,
    pub(super) population: Population,
    /// Who goes where, if the destination is part of the entity.
    pub(super) holders: Option<Holders>,
    pub(super) season: bool,
    width: Span,
    /// Buckets that wait before they are learnt.
    pub(super) delay: i64,
    pub(super) hold: bool,
    pub(super) winsor_bits: f64,
    /// The least sum worth a look.
    pub(super) floor: f64,
    /// Active buckets without which an entity raises no alert.
    pub(super) min_buckets: u32,
}

impl Model {
    pub(super) fn new(settings: &Settings) -> Model {
        let width = settings.timespan.max(Span::SECOND);
        let delay = settings.delay.unwrap_or(Span::DAY).nanos() / width.nanos();
        Model {
            calendar: Calendar::new(settings),
            population: Population::new(),
            holders: settings.paired.then(|| Holders::new(settings.max_entities)),
            // A week holds all of its parts.
            season: settings.season && width < Span::DAY.times(7),
            width,
            delay: delay.clamp(0, real_line() - 1),
            hold: settings.hold,
            winsor_bits: settings.winsor_bits.max(1.0),
            floor: settings.floor.max(1.0),
            min_buckets: settings.min_buckets,
        }
    }

    /// The part of the week that a bucket lies in, and its share of all buckets.
    pub(super) fn part(&self, bucket: i64) -> (usize, f64) {
        if !self.season {
            return (0, 1.0);
        }
        let cell = self.calendar.middle(bucket);
        let part = cell % 24 / 4 + cell / 24 * 6;
        (part, part_share(part, self.width))
    }

    /// The bits of where most of a sum goes.
    pub(super) fn destination(&self, to: u32) -> f64 {
        match &self.holders {
            Some(holders) => {
                let others = holders.of(to).saturating_sub(1);
                self.population.rarity.term(others)
            }
            None => self.population.shared.term(to),
        }
    }

    /// A week in buckets.
    pub(super) fn week(&self) -> i64 {
        (HOLD_MAX.nanos() / self.width.nanos()).max(1)
    }
}

/// The same as a number of buckets.
pub(super) fn real_line() -> i64 {
    i64::try_from(LINE).unwrap_or(1)
}

/// What is known of one part of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// Weight and squares, as season's codes.
    pub(super) n: u16,
    pub(super) squares: u16,
    /// Mean of y, in 1/1024 bits.
    pub(super) mean: u16,
}

/// y in 1/1024 bits, to 64 bits.
pub(super) fn code(y: f64) -> u16 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 16 bits"
    )]
    let code = (y * 1024.0).round().clamp(0.0, 65_535.0) as u16;
    code
}

/// Back from 1/1024 bits.
pub(super) fn log(code: u16) -> f64 {
    f64::from(code) / 1024.0
}

/// A sum as it is learnt.
pub(super) fn log_of(sum: f64) -> f64 {
    (1.0 + sum.max(0.0)).log_two()
}

/// What a bucket's sum will be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Law {
    /// Of log2(1 + sum), where there is activity.
    pub(super) mean: f64,
    pub(super) scale: f64,
    pub(super) freedom: f64,
    /// The chance of any activity.
    pub(super) active: f64,
    /// What a bit is worth, as the entity's own surprises have it: 1/3 to 1.
    pub(super) trust: f64,
    /// How many sums are known.
    pub(super) known: f64,
    /// The largest y that the entity is known for, what reaching it scores at
    /// most, and by how much the bell makes more of it.
    pub(super) record: f64,
    pub(super) common: f64,
    pub(super) excess: f64,
}

impl Law {
    /// `-log2 P(at least this sum | any)`: by the entity's own habit, and by what
    /// its peers reach. Thirty sums without a film say something of films that
    /// every thirtieth sum is, and nothing of those that every thousandth is; but
    /// where it is always the same ones who send films, also of those.
    pub(super) fn amount(&self, tail: &Tail, sum: f64) -> f64 {
        let y = log_of(sum);
        let own = exp2(-self.own(y));
        let peers = tail.reached(y, self.known);
        let p = self.known * own / (self.known + 1.0) + peers;
        -p.max(1e-90).log_two()
    }

    /// The entity's own habit alone.
    fn own(&self, y: f64) -> f64 {
        let bits = self.trust * self.raw(y);
        if y < self.record {
            bits.min(self.common.max(bits - self.excess))
        } else {
            bits - self.excess
        }
    }

    /// Holds the bell against the entity's record: of n sums the largest is
    /// reached again by one in n + 1, whatever a bell says; from there it decays.
    pub(super) fn hold_to(mut self, record: f64) -> Law {
        if record > 0.0 {
            self.common = (self.known + 2.0).log_two();
            self.excess = (self.trust * self.raw(record) - self.common).max(0.0);
            self.record = record;
        }
        self
    }

    /// The same of y, by the bell alone.
    pub(super) fn raw(&self, y: f64) -> f64 {
        student::surprise((y - self.mean) / self.scale, self.freedom)
    }

    /// `-log2 P(any)`.
    pub(super) fn activity(&self) -> f64 {
        -self.active.log_two()
    }

    /// The least sum whose surprise reaches `bits` with these other terms;
    /// beyond 2^60 nothing is told apart.
    pub(super) fn reaching(&self, tail: &Tail, bits: f64, others: f64) -> f64 {
        let (mut low, mut high) = (0.0, 60.0);
        while high - low > 1e-4 {
            let middle = f64::midpoint(low, high);
            if self.amount(tail, exp2(middle) - 1.0) + others < bits {
                low = middle;
            } else {
                high = middle;
            }
        }
        if low > 0.0 { exp2(high) - 1.0 } else { 0.0 }
    }

    /// The sum in the middle, and 99 % around it, where there is activity.
    pub(super) fn expected(&self) -> (f64, (f64, f64)) {
        let z = student::reaching(-0.005_f64.log_two() / self.trust, self.freedom);
        let sum = |z: f64| (exp2((self.mean + z * self.scale).min(60.0)) - 1.0).max(0.0);
        (sum(0.0), (sum(-z), sum(z)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_sum_that_alarms_is_the_one_that_reaches_the_bits_and_more_is_never_less_odd() {
        let tail = Tail::of(&[(30, 900.0, 90.0), (40, 90.0, 9.0), (50, 10.0, 5.0)], 30.0);
        for (trust, record) in [(1.0, 0.0), (0.5, 0.0), (1.0, 20.0)] {
            let law = Law {
                mean: 14.0,
                scale: 2.0,
                freedom: 20.0,
                active: 0.3,
                trust,
                known: 60.0,
                record: 0.0,
                common: 0.0,
                excess: 0.0,
            };
            let law = law.hold_to(record);
            for wanted in [3.0, 7.0, 12.0] {
                let sum = law.reaching(&tail, wanted, 1.0);
                let before = law.amount(&tail, sum * 0.99) + 1.0;
                let there = law.amount(&tail, sum) + 1.0;
                assert!(before < wanted && there >= wanted - 1e-3, "{wanted} {sum}");
            }
            assert!(law.reaching(&tail, 3.0, 5.0) <= 0.0);
            let bits = (0..100).map(|half| law.amount(&tail, exp2(f64::from(half) / 2.0)));
            assert!(bits.is_sorted());
        }
    }

    #[test]
    fn what_peers_reach_at_times_is_no_wonder_for_who_never_did() {
        let law = Law {
            mean: 14.0,
            scale: 1.0,
            freedom: 20.0,
            active: 1.0,
            trust: 1.0,
            known: 31.0,
            record: 0.0,
            common: 0.0,
            excess: 0.0,
        };
        // One in 64 of its peers' days, and thirty-one of its own without.
        let tail = |firsts| Tail::of(&[(30, 640.0, 64.0), (50, 10.0, firsts)], 31.0);
        let bits = |firsts| law.amount(&tail(firsts), exp2(24.0));
        assert!((6.0..7.5).contains(&bits(10.0)), "{}", bits(10.0));
        // It is one of them, each time: a twentieth of its first is left for others.
        assert!((9.0..11.0).contains(&bits(0.0)), "{}", bits(0.0));
    }
}
