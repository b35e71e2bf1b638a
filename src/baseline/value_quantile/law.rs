//! What the next of an entity's values will be: as its histogram has it, and
//! beyond the quantile by the tail that its highest values show.

use super::histogram::{Histogram, edge, middle};
use crate::baseline::Elementary as _;
use crate::baseline::special::{BITS_MAX, exp2};

/// The part of the values that makes the tail, and how many at the least.
const TAIL: f64 = 0.02;
const TAIL_LEAST: f64 = 4.0;

/// The excess that is assumed before any is seen, as a part of u.
const ASSUMED: f64 = 0.25;

/// However many make a tail, its shape is not known better than by so many.
const CERTAIN: f64 = 20.0;

/// What the next value will be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Law {
    /// u, and the chance to be above it.
    pub(super) from: f64,
    part: f64,
    /// m and S.
    above: f64,
    excess: f64,
    /// log2 k.
    pub(super) chances: f64,
    heavy: bool,
}

impl Law {
    pub(super) fn new(histogram: &Histogram, each: f64, heavy: bool) -> Law {
        let total = histogram.total();
        let most = (TAIL * total).max(TAIL_LEAST);
        let (mut above, mut from) = (0.0, 0);
        for (cell, weight) in histogram.downwards() {
            if above >= TAIL_LEAST && above + weight > most {
                break;
            }
            above += weight;
            from = u16::from(cell);
        }
        let mut law = Law {
            from: edge(from),
            part: (above + 0.5) / (total + 1.0),
            above,
            excess: 0.0,
            chances: each.max(1.0).log_two(),
            heavy,
        };
        law.excess = law.beyond(law.from * (1.0 + ASSUMED));
        for (cell, weight) in histogram.downwards() {
            if u16::from(cell) < from {
                break;
            }
            law.excess += weight * law.beyond(middle(cell));
        }
        let certain = (CERTAIN / law.above.max(CERTAIN)).min(1.0);
        (law.above, law.excess) = (law.above * certain, law.excess * certain);
        law
    }

    /// y.
    fn beyond(&self, value: f64) -> f64 {
        if self.heavy {
            (value / self.from).log_e().max(0.0)
        } else {
            (value - self.from).max(0.0)
        }
    }

    /// Bits of a value by itself.
    fn alone(&self, value: f64) -> f64 {
        if value <= self.from {
            return 0.0;
        }
        let tail = (1.0 + self.beyond(value) / self.excess).log_two();
        (self.above + 1.0) * tail - self.part.log_two()
    }

    pub(super) fn bits(&self, value: f64) -> f64 {
        (self.alone(value) - self.chances).clamp(0.0, BITS_MAX)
    }

    /// The least value of so many bits.
    pub(super) fn reaching(&self, bits: f64) -> f64 {
        let more = (bits + self.chances + self.part.log_two()).max(0.0);
        let y = self.excess * (exp2(more / (self.above + 1.0)) - 1.0);
        if self.heavy {
            self.from * y.min(700.0).exp_e()
        } else {
            self.from + y
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::histogram::cell;
    use super::*;

    #[test]
    fn what_would_be_reported_has_the_bits_that_are_asked_for() {
        let mut histogram = Histogram::default();
        for n in 0..2000_u32 {
            let draw = f64::from(n % 97) / 97.0;
            let part = (f64::from(n * 37 % 2000) + 0.5) / 2000.0;
            histogram.add(cell(-300.0 * part.log_e()), draw, true);
        }
        for heavy in [false, true] {
            let law = Law::new(&histogram, 8.0, heavy);
            for bits in [4.0, 12.0, 30.0] {
                let found = law.bits(law.reaching(bits));
                assert!((found - bits).abs() < 1e-6, "{bits} {found}");
            }
            assert!(law.bits(law.from) < 1e-9);
            // ln 50 means, to a cell.
            assert!((law.from / 1174.0).log_e().abs() < 0.3, "{}", law.from);
        }
    }
}
