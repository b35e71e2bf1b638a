//! Evidence of one session, and how it is told: the types that look at
//! sessions differ in what they look at and in what they call observed.

use super::PARTS;
use super::gap::Lomax;
use super::special::exp2;
use crate::baseline::Elementary as _;

/// Bits below which a piece of evidence is as good as absent.
pub(super) const LEAST: f64 = 3.0;

/// Most kinds of evidence: each field, the hour and the gap.
pub(super) const KINDS: usize = PARTS + 2;

/// Which evidence a type looks at, and how it says what it found.
#[derive(Clone, Copy)]
pub(super) struct Looks {
    pub(super) name: &'static str,
    pub(super) fields: usize,
    pub(super) hours: bool,
    pub(super) gaps: bool,
    /// Observed, expected, 99 % interval and the largest that is quiet.
    pub(super) explain: fn(&Found) -> Explained,
    /// What is observed, as people read it.
    pub(super) what: &'static str,
}

/// The numbers of an explanation that differ between the types.
pub(super) struct Explained {
    pub(super) model: &'static str,
    pub(super) observed: f64,
    pub(super) expected: f64,
    pub(super) interval: (f64, f64),
    pub(super) quiet: f64,
}

/// What a sample was found to be.
pub(super) struct Found {
    /// The evidence that was looked for, in bits.
    pub(super) terms: [(&'static str, f64); KINDS],
    /// The same as each model has it, before it is held against everybody's.
    pub(super) raw: [f64; KINDS],
    /// How many kinds were, and how many are there.
    pub(super) kinds: u32,
    pub(super) odd: u32,
    /// The chance to be active at such an hour.
    pub(super) tail: f64,
    /// Days away before this bucket, and their law.
    pub(super) away: f64,
    pub(super) law: Lomax,
    /// Events in the bucket so far.
    pub(super) count: u32,
    pub(super) threshold: f64,
    pub(super) floor: f64,
}

impl Found {
    /// The evidence that is there.
    pub(super) fn terms(&self) -> impl Iterator<Item = (&'static str, f64)> + Clone {
        self.terms.into_iter().filter(|&(_, bits)| bits >= LEAST)
    }
}

/// The most of so many kinds, each odd by chance in 1 of 8, within 99.5 %.
pub(super) fn odd_by_chance(kinds: u32) -> (f64, f64) {
    let chance = exp2(-LEAST);
    let n = f64::from(kinds);
    // The binomial's terms, one from the other.
    let mut term = (n * (1.0 - chance).log_e()).exp_e();
    let (mut sum, mut most) = (term, 0.0);
    while sum < 0.995 && most < n {
        term *= (n - most) / (most + 1.0) * chance / (1.0 - chance);
        sum += term;
        most += 1.0;
    }
    (n * chance, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_many_of_some_kinds_are_odd_by_chance() {
        // Binomial(4, 1/8): P(≤2) = 0.9934, P(≤3) = 0.9998.
        assert_eq!(odd_by_chance(4), (0.5, 3.0));
        assert_eq!(odd_by_chance(0), (0.0, 0.0));
    }
}
