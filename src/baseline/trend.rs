//! Whether a few numbers in a row rise, whatever they are: by how many pairs
//! of them stand the wrong way round (Mann 1945, Kendall).
//!
//! Of n numbers that come in any order, all n! orders are equally likely, and
//! those with k pairs the wrong way round are counted by
//!
//! ```text
//! M(n, k) = Σ M(n-1, k-i) over i = 0..n-1,   P(at most k) = Σ M(n, i) / n!
//! ```
//!
//! Nothing is assumed of how the numbers scatter: eight that rise one after
//! the other are one order in 40,320, or 15 bits.

use crate::baseline::Elementary as _;

/// Numbers that are looked at, at most: 16! is below 2^64.
pub(super) const MOST: usize = 16;

/// Pairs of so many numbers.
const PAIRS: usize = MOST * (MOST - 1) / 2;

/// Numbers in a row, but the last one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    values: [u16; MOST],
    count: usize,
    wrong: usize,
}

impl Row {
    /// Adds a number after the others; beyond the most the row is full.
    pub(super) fn push(&mut self, value: u16) {
        if self.count + 1 < MOST {
            self.wrong += self.not_below(value);
            if let Some(place) = self.values.get_mut(self.count) {
                *place = value;
                self.count += 1;
            }
        }
    }

    /// Equal ones are no rise.
    fn not_below(&self, value: u16) -> usize {
        let known = self.values.iter().take(self.count);
        known.filter(|&&known| known >= value).count()
    }

    /// `-log2` of the chance to rise at least so well, with this one at the end.
    pub(super) fn bits(&self, last: u16) -> f64 {
        let wrong = self.wrong + self.not_below(last);
        -share(self.count + 1, wrong).log_two()
    }
}

/// The share of all orders of n numbers that have at most so many pairs wrong.
fn share(n: usize, wrong: usize) -> f64 {
    let mut orders = [0.0; PAIRS + 1];
    if let Some(first) = orders.first_mut() {
        *first = 1.0;
    }
    for size in 2..=n.min(MOST) {
        let mut next = [0.0; PAIRS + 1];
        for (pairs, place) in next.iter_mut().enumerate() {
            let least = pairs.saturating_sub(size - 1);
            let from = orders.get(least..=pairs).unwrap_or_default();
            // The new number's place is one of `size`, each as likely.
            *place = from.iter().sum::<f64>() / f64::from(u32::try_from(size).unwrap_or(1));
        }
        orders = next;
    }
    let share: f64 = orders.iter().take(wrong + 1).sum();
    share.clamp(1e-18, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(values: &[u16]) -> f64 {
        let (last, before) = values.split_last().unwrap();
        let mut row = Row::default();
        for &value in before {
            row.push(value);
        }
        row.bits(*last)
    }

    #[test]
    fn what_rises_each_time_is_one_order_of_all() {
        assert!((bits(&[1, 2, 3, 4, 5, 6, 7, 8]) - 40_320_f64.log_two()).abs() < 1e-9);
        assert!(bits(&[8, 7, 6, 5, 4, 3]).abs() < 1e-9, "a fall is no rise");
        assert!(bits(&[5, 5, 5]).abs() < 1e-9, "nor is a level");
        assert!(bits(&[5]).abs() < 1e-9);
    }

    #[test]
    fn one_pair_the_wrong_way_round_leaves_n_orders() {
        // One order with none wrong, n - 1 with one.
        assert!((bits(&[1, 3, 2, 4, 5]) - (120.0_f64 / 5.0).log_two()).abs() < 1e-9);
    }

    #[test]
    fn a_row_longer_than_the_most_is_cut() {
        let mut row = Row::default();
        for value in 0..100 {
            row.push(value);
        }
        assert_eq!(row.count, MOST - 1);
        assert!(row.bits(200).is_finite());
    }
}
