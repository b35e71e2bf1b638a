//! What everybody's sessions tell about one: when such sessions come at all,
//! and how often evidence of a kind reaches a strength.
//!
//! Sessions that have the same fields are of a class: those from the site's own
//! machines and those from outside keep different hours, whoever's they are.
//!
//! A piece of evidence is surprise under a model of one entity, and models are
//! too sure of themselves: people travel, stay late, take leave. So it counts
//! for no more than what all entities' days show. With one vote a day and
//! entity, its highest, halved every 14 days:
//!
//! ```text
//! bits' = -log2 max(2^-bits, (#{votes ≥ bits} + 3) / (#votes + 100))
//! ```

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::super::evidence::KINDS;
use super::super::season::{CELLS, Peers};
use super::super::special::{bits, exp2, from_fixed, to_fixed};

/// Classes: which of at most four fields are there.
pub(super) const CLASSES: usize = 16;

/// Half bits up to 32: no vote is ever higher.
const BINS: usize = 64;

/// Days after which a vote counts half.
const HALF_LIFE: f64 = 14.0;

/// What was never seen in n votes may still be as frequent as 3/n (the rule of
/// three: the upper end of the 95 % interval).
const UNSEEN: f64 = 3.0;

/// Votes' worth of doubt.
const DOUBT: f64 = 100.0;

/// Sessions' worth of weight that everybody's hours have in a class's.
const EVERYBODY: f64 = 4.0;

/// How many sums a census has of it.
pub(super) const SUMS: usize = CLASSES * CELLS + KINDS * BINS;

/// Votes since the last barrier, of one lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Votes(Vec<i128>);

impl Votes {
    pub(super) fn new() -> Votes {
        Votes(vec![0; SUMS])
    }

    /// Hours at which a session of a class came; `weight` is 1 at most a day and entity.
    pub(super) fn came(&mut self, class: u8, cells: impl Iterator<Item = usize>, weight: f64) {
        for cell in cells {
            self.add(usize::from(class) % CLASSES * CELLS + cell, weight);
        }
    }

    /// An entity's highest evidence of each kind in a day, in half bits.
    pub(super) fn peaked(&mut self, peaks: [u8; KINDS]) {
        for (kind, peak) in peaks.into_iter().enumerate() {
            let bin = usize::from(peak).min(BINS - 1);
            self.add(CLASSES * CELLS + kind * BINS + bin, 1.0);
        }
    }

    fn add(&mut self, place: usize, weight: f64) {
        if let Some(sum) = self.0.get_mut(place) {
            // Whole numbers: their sum is the same however entities are dealt to lanes.
            *sum += to_fixed(weight);
        }
    }

    /// For the census; none are left.
    pub(super) fn take(&mut self) -> impl Iterator<Item = i128> {
        let votes = std::mem::replace(self, Votes::new());
        votes.0.into_iter()
    }
}

/// Evidence in half bits, as it is voted with.
pub(super) fn half_bits(bits: f64) -> u8 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped"
    )]
    let half = (2.0 * bits.clamp(0.0, 100.0)) as u8;
    half
}

/// What the population's votes tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Fleet {
    /// Decayed votes, and decayed days.
    votes: Vec<f64>,
    days: f64,
    /// By class, when its sessions come; empty while none came.
    hours: Vec<Option<Peers>>,
}

impl Default for Fleet {
    fn default() -> Fleet {
        Fleet {
            votes: vec![0.0; SUMS],
            days: 0.0,
            hours: vec![None; CLASSES],
        }
    }
}

impl Fleet {
    /// When sessions of a class come.
    pub(super) fn hours<'a>(&'a self, class: u8, everybody: &'a Peers) -> &'a Peers {
        let own = self.hours.get(usize::from(class) % CLASSES);
        own.and_then(Option::as_ref).unwrap_or(everybody)
    }

    /// How much a piece of evidence counts for.
    pub(super) fn honest(&self, kind: usize, evidence: f64) -> f64 {
        let from = CLASSES * CELLS + kind * BINS;
        let votes = self.votes.get(from..from + BINS).unwrap_or(&[]);
        let bin = usize::from(half_bits(evidence)).min(BINS - 1);
        let all: f64 = votes.iter().sum();
        let above: f64 = votes.iter().skip(bin).sum();
        let often = (above + UNSEEN) / (all + DOUBT);
        evidence.min(bits(often.log_e()))
    }

    /// Takes a day's votes in.
    pub(super) fn learn(&mut self, day: &[i128], everybody: &Peers) {
        let left = exp2(-1.0 / HALF_LIFE);
        self.days = self.days * left + 1.0;
        for (votes, more) in self.votes.iter_mut().zip(day) {
            *votes = *votes * left + from_fixed(*more);
        }
        let days = self.days;
        for (class, hours) in self.votes.chunks(CELLS).zip(&mut self.hours) {
            let any = class.iter().any(|&votes| votes > 0.0);
            *hours = any.then(|| everybody.with(class.iter().map(|votes| votes / days), EVERYBODY));
        }
    }

    pub(super) fn bytes(&self) -> usize {
        (self.votes.len() + self.hours.len() * CELLS) * size_of::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(votes: &mut Votes) -> Vec<i128> {
        votes.take().collect()
    }

    #[test]
    fn what_happens_to_somebody_every_day_is_no_evidence() {
        let mut fleet = Fleet::default();
        let mut votes = Votes::new();
        for _ in 0..60 {
            // Of 150 people one a day is as odd as 14 bits, and one in a month as 18.
            for person in 0..150 {
                votes.peaked(match person {
                    0 => [28, 0, 0, 0, 0, 0],
                    _ => [0; KINDS],
                });
            }
            fleet.learn(&day(&mut votes), &Peers::default());
        }
        let once_a_day = fleet.honest(0, 13.9);
        assert!((6.5..8.0).contains(&once_a_day), "{once_a_day}");
        let never = fleet.honest(0, 18.0);
        assert!((9.0..11.0).contains(&never), "{never}");
        assert!((fleet.honest(0, 3.0) - 3.0).abs() < 0.01 && fleet.honest(1, 9.0) > 8.9);
    }

    #[test]
    fn who_comes_from_inside_at_night_is_odd_although_others_do_from_home() {
        let (mut fleet, mut votes) = (Fleet::default(), Votes::new());
        for _ in 0..20 {
            votes.came(1, [10, 11, 14].into_iter(), 30.0);
            votes.came(2, [20, 21, 3].into_iter(), 10.0);
            fleet.learn(&day(&mut votes), &Peers::default());
        }
        let everybody = Peers::default();
        let night = |class| fleet.hours(class, &everybody).clone();
        assert!(night(1) != night(2) && night(3) == everybody);
    }
}
