//! How one entity's values spread: a log-linear histogram in 72 bytes.
//!
//! Four cells to an octave, from 2^-16 to 2^48: a cell is the exponent and the
//! first two bits of the mantissa, as HDR histograms have it. A weight is a
//! byte, 1.1^w - 1, so that forgetting is subtraction: 7.27 steps to a
//! half-life. What does not fill a step is rounded by a draw that the caller
//! derives from the state. 28 cells are kept in place; who needs more gets all
//! 256 elsewhere while there is room, else the lightest neighbours are merged,
//! downwards where they weigh the same: nobody's few high values take the
//! place of many low ones.

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use crate::baseline::special::exp2;

/// Cells in all.
pub(super) const CELLS: usize = 256;

/// Cells kept in place.
const FEW: usize = 28;

/// log2 1.1.
const STEP: f64 = 0.137_503_523_749_934_94;

/// The cell of 2^-16, as the bits of a number have it.
const BASE: u64 = (1023 - 16) << 2;

/// The spread of an entity's values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Histogram {
    /// Cell and weight, by cell; those without weight come last.
    few: [(u8, u8); FEW],
    /// Weights by cell, where the few do not suffice.
    all: Box<[u8]>,
}

/// The cell of a value.
pub(super) fn cell(value: f64) -> u8 {
    let cell = (value.max(0.0).to_bits() >> 50).saturating_sub(BASE);
    u8::try_from(cell).unwrap_or(u8::MAX)
}

/// The least value of a cell.
pub(super) fn edge(cell: u16) -> f64 {
    f64::from_bits((u64::from(cell) + BASE) << 50)
}

/// The middle of a cell.
pub(super) fn middle(cell: u8) -> f64 {
    0.5 * (edge(u16::from(cell)) + edge(u16::from(cell) + 1))
}

fn weight(code: u8) -> f64 {
    exp2(STEP * f64::from(code)) - 1.0
}

/// The code after one more; `draw` from 0 to 1 decides about what fills no step.
fn one_more(mut code: u8, draw: f64) -> u8 {
    let mut rest = 1.0;
    while code < u8::MAX {
        let step = weight(code + 1) - weight(code);
        if rest < step {
            return code + u8::from(draw < rest / step);
        }
        rest -= step;
        code += 1;
    }
    code
}

impl Histogram {
    /// Whether it has all cells, elsewhere.
    pub(super) fn is_spilled(&self) -> bool {
        !self.all.is_empty()
    }

    /// Whether it is as it can be; what was saved may not be.
    pub(super) fn is_sound(&self) -> bool {
        self.all.is_empty() || self.all.len() == CELLS
    }

    /// Takes in a value's cell.
    pub(super) fn add(&mut self, cell: u8, draw: f64, may_spill: bool) {
        if let Some(code) = self.all.get_mut(usize::from(cell)) {
            *code = one_more(*code, draw);
            return;
        }
        let held = self.held();
        let at = self.few.get(..held).unwrap_or_default();
        let at = match at.binary_search_by_key(&cell, |&(cell, _)| cell) {
            Ok(at) => {
                if let Some((_, code)) = self.few.get_mut(at) {
                    *code = one_more(*code, draw);
                }
                return;
            }
            Err(at) => at,
        };
        if held < FEW {
            if let Some(moved) = self.few.get_mut(at..=held) {
                moved.rotate_right(1);
            }
            if let Some(place) = self.few.get_mut(at) {
                *place = (cell, one_more(0, draw));
            }
        } else if may_spill {
            let mut all = vec![0; CELLS].into_boxed_slice();
            for (cell, code) in self.few {
                if let Some(place) = all.get_mut(usize::from(cell)) {
                    *place = code;
                }
            }
            (self.all, self.few) = (all, [(0, 0); FEW]);
            self.add(cell, draw, true);
        } else {
            self.merge();
            self.add(cell, draw, false);
        }
    }

    /// Cells kept in place that have weight.
    fn held(&self) -> usize {
        self.few.iter().take_while(|(_, code)| *code > 0).count()
    }

    /// Makes one of the two neighbours that weigh least together.
    fn merge(&mut self) {
        let pairs = self.few.windows(2).enumerate();
        let lightest = pairs
            .min_by_key(|(_, pair)| pair.iter().map(|&(_, code)| u32::from(code)).sum::<u32>());
        let Some(at) = lightest.map(|(at, _)| at) else {
            return;
        };
        if let Some([low, high]) = self.few.get_mut(at..at + 2) {
            let both = (1.0 + weight(low.1) + weight(high.1)).log_e() / std::f64::consts::LN_2;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "positive, and `as` saturates"
            )]
            let code = (both / STEP).round() as u8;
            let cell = if high.1 > low.1 { high.0 } else { low.0 };
            (*low, *high) = ((cell, code.max(1)), (0, 0));
        }
        if let Some(rest) = self.few.get_mut(at + 1..) {
            rest.rotate_left(1);
        }
    }

    /// Forgets by so many steps.
    pub(super) fn fade(&mut self, steps: u8) {
        for code in &mut self.all {
            *code = code.saturating_sub(steps);
        }
        for (_, code) in &mut self.few {
            *code = code.saturating_sub(steps);
        }
        // Stable: the cells stay in order.
        self.few.sort_by_key(|&(_, code)| code == 0);
    }

    /// Cells with their weights, highest first.
    pub(super) fn downwards(&self) -> impl Iterator<Item = (u8, f64)> {
        let few = self.few.iter().rev().copied();
        let all = (0..=u8::MAX).rev().zip(self.all.iter().rev().copied());
        let both = few.chain(all).filter(|&(_, code)| code > 0);
        both.map(|(cell, code)| (cell, weight(code)))
    }

    /// All weights together.
    pub(super) fn total(&self) -> f64 {
        self.downwards().map(|(_, weight)| weight).sum()
    }

    /// The value that a part of all stay under, to a quarter of an octave.
    pub(super) fn quantile(&self, part: f64) -> f64 {
        let wanted = (1.0 - part) * self.total();
        let mut above = 0.0;
        let mut last = 0.0;
        for (cell, weight) in self.downwards() {
            above += weight;
            last = middle(cell);
            if above >= wanted {
                break;
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws that are as even as can be.
    fn draw(n: u32) -> f64 {
        (f64::from(n) * 0.618_033_988_749_895).fract()
    }

    #[test]
    fn it_takes_seventy_two_bytes() {
        assert_eq!(size_of::<Histogram>(), 72);
    }

    #[test]
    fn a_value_is_in_its_cell_and_what_cannot_be_is_in_the_last_or_first() {
        for value in [1.0, 1.3, 47.0, 3600.0, 6.4e7, 0.001] {
            let cell = cell(value);
            let (low, high) = (edge(u16::from(cell)), edge(u16::from(cell) + 1));
            assert!(
                low <= value && value < high && high / low <= 1.25 + 1e-9,
                "{value}"
            );
        }
        assert_eq!((cell(0.0), cell(-5.0), cell(1e300)), (0, 0, 255));
        assert_eq!(cell(f64::INFINITY), 255);
    }

    #[test]
    fn weights_count_as_often_as_values_came() {
        for times in [1_u32, 5, 60, 800, 20_000] {
            let mut histogram = Histogram::default();
            for n in 0..times {
                histogram.add(100, draw(n), false);
            }
            let part = histogram.total() / f64::from(times);
            assert!((0.75..1.3).contains(&part), "{times}: {part}");
        }
    }

    #[test]
    fn a_half_life_of_steps_leaves_half_and_what_came_once_is_gone() {
        let mut histogram = Histogram::default();
        for n in 0..4000 {
            histogram.add(if n == 7 { 200 } else { 90 }, draw(n), false);
        }
        let before = histogram.total();
        histogram.fade(7);
        let part = histogram.total() / before;
        assert!((part - 0.513).abs() < 0.01, "{part}");
        histogram.fade(1);
        assert!(histogram.downwards().all(|(cell, _)| cell == 90));
    }

    #[test]
    fn more_cells_than_fit_are_kept_elsewhere_or_the_lightest_are_merged() {
        let spread = |may_spill| {
            let mut histogram = Histogram::default();
            for n in 0..4000_u32 {
                histogram.add(60 + u8::try_from(n % 20).unwrap(), draw(n), may_spill);
            }
            for cell in 180..=255 {
                histogram.add(cell, 0.5, may_spill);
            }
            histogram
        };
        let (kept, merged) = (spread(true), spread(false));
        assert!(kept.is_spilled() && !merged.is_spilled());
        assert!((merged.total() / kept.total() - 1.0).abs() < 0.1);
        // 76 values of nobody's business leave the median of 4,000 where it was.
        let (one, other) = (kept.quantile(0.5), merged.quantile(0.5));
        assert!((one / other).log_e().abs() < 0.3, "{one} {other}");
        let cells: Vec<u8> = merged.downwards().map(|(cell, _)| cell).collect();
        assert!(cells.is_sorted_by(|a, b| a > b), "{cells:?}");
    }

    #[test]
    fn quantiles_are_those_of_what_was_added() {
        let mut histogram = Histogram::default();
        for n in 0..1000 {
            histogram.add(cell(f64::from(n) + 1.0), draw(n), true);
        }
        for part in [0.1, 0.5, 0.9] {
            let off = histogram.quantile(part) / (1000.0 * part);
            assert!((0.75..1.3).contains(&off), "{part}: {off}");
        }
    }
}
