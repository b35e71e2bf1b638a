//! How rare a destination is for an upload: by how many others go there, held
//! against the destinations of all other uploads.
//!
//! A share of the fleet says little: most destinations have few users, in a
//! small office all of them. What counts is how often anybody uploads to where
//! so few go. Each pair of a machine and a destination has one vote, when it
//! first reaches the rule's floor:
//!
//! ```text
//! bits = -log2 (½ + Σ votes of at most as many others) / (1 + Σ votes)
//! ```
//!
//! Others are told apart by doublings: none, one, two or three, four to seven.

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::special::exp2;

/// Doublings of others: beyond 2^14 nobody is rare.
pub(super) const CLASSES: usize = 16;

/// Days after which votes count half: a month of uploads tells what is usual.
const HALF_LIFE: f64 = 28.0;

/// The class of a destination that so many others go to.
pub(super) fn class(others: u32) -> usize {
    let doublings = others.checked_ilog2().map_or(0, |log| log + 1);
    usize::try_from(doublings).map_or(CLASSES - 1, |class| class.min(CLASSES - 1))
}

/// Where uploads go, by how many others go there too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rarity {
    /// Decayed votes up to and with each class.
    below: Vec<f64>,
}

impl Rarity {
    /// Takes a day's votes by class in.
    pub(super) fn fold(&mut self, votes: &[f64]) {
        let keep = exp2(-1.0 / HALF_LIFE);
        self.below.resize(CLASSES, 0.0);
        let mut sum = 0.0;
        for (below, more) in self.below.iter_mut().zip(votes) {
            sum += more;
            *below = *below * keep + sum;
        }
    }

    /// The bits of an upload to where so many others go.
    pub(super) fn term(&self, others: u32) -> f64 {
        let all = self.below.last().copied().unwrap_or(0.0);
        let below = self.below.get(class(others)).copied().unwrap_or(0.0);
        -((below + 0.5) / (all + 1.0)).log_two()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_told_apart_by_doublings() {
        let classes = [0, 1, 2, 3, 4, 7, 8, 200].map(class);
        assert_eq!(classes, [0, 1, 2, 2, 3, 3, 4, 8]);
        assert_eq!(class(u32::MAX), CLASSES - 1);
    }

    #[test]
    fn where_nobody_goes_is_rare_unless_everybody_uploads_to_such_places() {
        let votes = |none: f64, many: f64| {
            let mut votes = [0.0; CLASSES];
            (votes[0], votes[8]) = (none, many);
            let mut rarity = Rarity::default();
            rarity.fold(&votes);
            rarity
        };
        assert!((Rarity::default().term(0) - 1.0).abs() < 1e-9, "unknown");
        let office = votes(0.0, 255.0);
        assert!((office.term(0) - 9.0).abs() < 1e-9 && office.term(200) < 0.1);
        let anywhere = votes(200.0, 55.0);
        assert!(anywhere.term(0) < 0.5);
    }
}
