//! What counting entities tell about the population, and the prior made of it.

use super::count::{ALPHA, ALPHA_LEAST, BINS, CountState, Model, Population, bin_rate, rate_bin};
use super::season::{CELLS, Peers, Profile};
use super::special::{from_fixed, to_fixed};

/// Buckets an entity must have been known for to count in the population.
const EXPOSURE_LEAST: f64 = 24.0;

/// Entities that make a population.
pub(super) const POPULATION_LEAST: f64 = 16.0;

/// How many entities sums are of.
pub(super) fn entities(sums: &[i128]) -> f64 {
    sums.get(ENTITIES).map_or(0.0, |&sum| from_fixed(sum))
}

/// Places of the census's sums.
const ENTITIES: usize = 0;
const VARIANCE: usize = 1;
const ALPHAS: usize = 2;
const VOTES: usize = 3;
const RATES: usize = VOTES + CELLS;
const SUMS: usize = RATES + BINS;

/// The sums of a lane's entities.
pub(super) struct Tally(pub(super) Vec<i128>);

impl Tally {
    pub(super) fn new() -> Tally {
        Tally(vec![0; SUMS])
    }

    fn add(&mut self, place: usize, more: f64) {
        if let Some(sum) = self.0.get_mut(place) {
            *sum += to_fixed(more);
        }
    }

    /// Takes in an entity as it stands when `bucket` begins.
    pub(super) fn count(
        &mut self,
        state: &CountState,
        profile: Option<&Profile>,
        model: &Model,
        bucket: i64,
    ) {
        let (events, exposure, left) = state.aged(model, bucket);
        if exposure < EXPOSURE_LEAST {
            return;
        }
        self.add(ENTITIES, 1.0);
        self.add(VARIANCE, 1.0 / exposure);
        self.add(ALPHAS, state.alpha(model, left).min(4.0));
        self.add(RATES + rate_bin(events / exposure), 1.0);
        let votes = profile.map(|profile| profile.vote(&model.calendar, bucket));
        for (cell, vote) in votes.into_iter().flatten().enumerate() {
            self.add(VOTES + cell, vote);
        }
    }
}

impl Population {
    /// Takes the sums of all lanes in force; a population is of so many at least.
    pub(super) fn adopt(&mut self, sums: &[i128], least: f64) {
        let sums: Vec<f64> = sums.iter().map(|&sum| from_fixed(sum)).collect();
        let at = |place: usize| sums.get(place).copied().unwrap_or(0.0);
        if let Some(prior) = prior(sums.get(RATES..SUMS).unwrap_or(&[]), at(VARIANCE), least) {
            (self.shape, self.rate) = prior;
            // What is assumed weighs like eight entities; the clamp keeps a population
            // of regulars from holding every newcomer to their regularity.
            let alpha = (8.0 * ALPHA + at(ALPHAS)) / (8.0 + at(ENTITIES));
            self.alpha = alpha.clamp(4.0 * ALPHA_LEAST, 2.0);
        }
        let votes = sums.get(VOTES..RATES).unwrap_or(&[]);
        self.peers = Peers::from_votes(votes.iter().copied());
    }
}

/// Shape and rate of the gamma that the entities' rates come from, by moments
/// (Robbins' empirical Bayes). Each entity has one vote, and the busiest 2 %
/// (at least one) count as the busiest of the others: one entity that an
/// attacker keeps busy does not move what is expected of everybody else.
fn prior(bins: &[f64], variance: f64, least: f64) -> Option<(f64, f64)> {
    let entities: f64 = bins.iter().sum();
    if entities < least {
        return None;
    }
    let mut set_aside = (entities / 50.0).floor().max(1.0);
    let cap = bins.iter().enumerate().rev().find(|&(_, &n)| {
        set_aside -= n;
        set_aside < 0.0
    });
    let cap = cap.map_or(0, |(bin, _)| bin);
    let rates = || {
        bins.iter()
            .enumerate()
            .map(|(bin, &n)| (bin_rate(bin.min(cap)), n))
    };
    let mean = rates().map(|(rate, n)| rate * n).sum::<f64>() / entities;
    let square = rates()
        .map(|(rate, n)| (rate - mean) * (rate - mean) * n)
        .sum::<f64>();
    // Less what their counts scatter by themselves.
    let spread = square / entities - mean * variance / entities;
    let shape = (mean * mean / spread.max(mean * mean / 4.0)).clamp(0.02, 2.0);
    Some((shape, shape / mean))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Elementary as _;

    fn bins(rates: &[f64]) -> Vec<f64> {
        let mut bins = vec![0.0; BINS];
        for &rate in rates {
            bins[rate_bin(rate)] += 1.0;
        }
        bins
    }

    #[test]
    fn few_entities_are_no_population() {
        assert_eq!(prior(&bins(&[1.0; 15]), 0.1, POPULATION_LEAST), None);
    }

    #[test]
    fn the_priors_mean_is_the_entities_mean_and_its_shape_says_how_alike_they_are() {
        let (alike, rate) = prior(&bins(&[0.5; 100]), 0.1, POPULATION_LEAST).unwrap();
        assert!((alike / rate / 0.5).log_e().abs() < 0.4, "{alike} {rate}");
        let spread: Vec<f64> = (0..100)
            .map(|n| if n % 10 == 0 { 8.0 } else { 0.01 })
            .collect();
        let (unlike, rate) = prior(&bins(&spread), 0.1, POPULATION_LEAST).unwrap();
        assert!(unlike < alike / 4.0, "{unlike} {alike}");
        assert!((unlike / rate / 0.8).log_e().abs() < 0.4, "{unlike} {rate}");
    }

    #[test]
    fn the_busiest_of_fifty_counts_as_the_next() {
        let mut rates = vec![0.5; 49];
        rates.push(1e6);
        assert_eq!(
            prior(&bins(&rates), 0.1, POPULATION_LEAST),
            prior(&bins(&[0.5; 50]), 0.1, POPULATION_LEAST)
        );
    }
}
