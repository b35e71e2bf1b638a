//! What everybody holds: how popular a value is among the entities of a rule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Census;
use super::special::from_fixed;

/// What a value nobody is known to hold counts for, as in the prototype's
/// measurements: three draws of the base.
const UNSEEN: f64 = 3.0;

/// Most shared values kept of the population: 128 KiB a lane.
const SHARED: usize = 16_384;

/// The same of a group of peers: 64 of them take 512 KiB a lane.
const SHARED_OF_GROUP: usize = 1024;

/// A value that such a part of everybody comes with is common.
const COMMON: f64 = 0.25;

/// What the population holds: how many entities hold each value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Base {
    /// Values that at least two entities hold, by hash.
    shared: Vec<(u32, u32)>,
    /// Held by at most so many: so many holdings in all, cumulated.
    steps: Vec<(u32, f64)>,
    /// Holders that a value not in `shared` may have.
    rest: u32,
    /// Times as many new values as the model expects.
    pub(super) correction: f64,
    /// How many entities hold any.
    everybody: f64,
}

impl Default for Base {
    fn default() -> Self {
        Base {
            shared: Vec::new(),
            steps: Vec::new(),
            rest: 1,
            correction: 1.0,
            everybody: 0.0,
        }
    }
}

/// Values of a lane told to the population; beyond, the least held are left out.
const HOLDINGS: usize = 1 << 18;

/// What a lane's entities hold, as far as it is told to the population.
pub(super) fn most_held(holders: BTreeMap<u64, u64>) -> BTreeMap<u64, u64> {
    if holders.len() <= HOLDINGS {
        return holders;
    }
    let mut most: Vec<_> = holders.into_iter().collect();
    most.sort_unstable_by_key(|&(value, entities)| (std::cmp::Reverse(entities), value));
    most.truncate(HOLDINGS);
    most.into_iter().collect()
}

/// Places of the census's sums.
pub(super) const NOVEL: usize = 0;
pub(super) const EXPECTED: usize = 1;
pub(super) const HOLDERS: usize = 2;
pub(super) const SUMS: usize = 3;

/// How many entities a census is of.
pub(super) fn entities(census: &Census) -> f64 {
    from_fixed(census.sums.get(HOLDERS).copied().unwrap_or(0))
}

impl Base {
    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.shared.capacity() * size_of::<(u32, u32)>()
            + self.steps.capacity() * size_of::<(u32, f64)>()
    }

    /// From the sum of the lanes' censuses.
    pub(super) fn from_census(census: &Census) -> Base {
        Base::keeping(census, SHARED)
    }

    /// The same of a group of everybody; how far the model is off is not told
    /// from so few.
    pub(super) fn of_group(census: &Census, everybody: &Base) -> Base {
        Base {
            correction: everybody.correction,
            ..Base::keeping(census, SHARED_OF_GROUP)
        }
    }

    fn keeping(census: &Census, most: usize) -> Base {
        let mut all: Vec<(u32, u32)> = Vec::with_capacity(census.holders.len());
        for (&value, &entities) in &census.holders {
            let value = u32::try_from(value).unwrap_or(u32::MAX);
            all.push((value, u32::try_from(entities).unwrap_or(u32::MAX)));
        }
        // Most held first; the hash decides between equals.
        all.sort_unstable_by_key(|&(value, entities)| (std::cmp::Reverse(entities), value));
        let mut steps: Vec<(u32, f64)> = Vec::new();
        let mut mass = 0.0;
        for &(_, entities) in all.iter().rev() {
            mass += f64::from(entities);
            match steps.last_mut() {
                Some(step) if step.0 == entities => step.1 = mass,
                _ => steps.push((entities, mass)),
            }
        }
        let rest = all.get(most).map_or(1, |&(_, entities)| entities);
        all.truncate(most);
        all.retain(|&(_, entities)| entities > rest);
        all.sort_unstable();
        let sum = |place: usize| from_fixed(census.sums.get(place).copied().unwrap_or(0));
        // Weighs like five new values; within fourfold, as the model is not that wrong.
        let correction = ((sum(NOVEL) + 5.0) / (sum(EXPECTED) + 5.0)).clamp(0.25, 4.0);
        Base {
            shared: all,
            steps,
            rest,
            correction,
            everybody: sum(HOLDERS),
        }
    }

    fn holders(&self, value: u32) -> u32 {
        let known = self
            .shared
            .binary_search_by_key(&value, |&(value, _)| value);
        let known = known.ok().and_then(|at| self.shared.get(at));
        known.map_or(self.rest, |&(_, entities)| entities)
    }

    /// How common a value is, from 0 of what at most two entities hold to 1 of
    /// what a part [`COMMON`] of them do: that one more comes with it is no news.
    pub(super) fn common(&self, value: u32) -> f64 {
        let others = f64::from(self.holders(value).saturating_sub(2));
        (others / (COMMON * self.everybody).max(8.0)).min(1.0)
    }

    /// q: the chance that something drawn from what the peers hold is at most as
    /// popular. A value that nobody holds is as popular as those of one holder:
    /// their share is the chance of yet another one (Good and Turing).
    pub(super) fn rank(&self, value: u32) -> f64 {
        let holders = self.holders(value);
        let below = self
            .steps
            .partition_point(|&(entities, _)| entities <= holders);
        let below = below.checked_sub(1).and_then(|at| self.steps.get(at));
        let total = self.steps.last().map_or(0.0, |&(_, mass)| mass);
        (below.map_or(0.0, |&(_, mass)| mass) + UNSEEN) / (total + UNSEEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn census(holders: &[(u64, u64)]) -> Census {
        Census {
            holders: holders.iter().copied().collect(),
            ..Census::default()
        }
    }

    #[test]
    fn what_everybody_holds_is_no_surprise_and_what_nobody_holds_is() {
        let base = Base::from_census(&census(&[(1, 160), (2, 40), (3, 30), (4, 1), (5, 1)]));
        assert!((base.rank(1) - 1.0).abs() < 1e-12);
        assert!((base.rank(3) - 35.0 / 235.0).abs() < 1e-12);
        assert!((base.rank(99) - 5.0 / 235.0).abs() < 1e-12);
        assert!((base.rank(4) - base.rank(99)).abs() < 1e-12);
    }

    #[test]
    fn where_everybody_has_an_address_of_his_own_another_one_is_no_surprise() {
        let alone: Vec<_> = (0..500).map(|value| (value, 1)).collect();
        assert!((Base::from_census(&census(&alone)).rank(7777) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn before_the_first_census_the_peers_say_nothing() {
        assert!((Base::default().rank(5) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn more_values_than_are_kept_lose_the_least_held_whatever_their_order() {
        let many: Vec<_> = (0..40_000_u64)
            .map(|value| (value, 2 + value % 5))
            .collect();
        let base = Base::from_census(&census(&many));
        assert!(base.shared.len() <= SHARED);
        assert_eq!(base.rest, 4);
        let mass: u64 = many.iter().map(|&(_, n)| n).filter(|&n| n <= 4).sum();
        let total: u64 = many.iter().map(|&(_, n)| n).sum();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let expected = (mass as f64 + 3.0) / (total as f64 + 3.0);
        assert!((base.rank(1) - expected).abs() < 1e-12);
    }
}
