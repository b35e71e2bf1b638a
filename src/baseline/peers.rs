//! Whose like an entity is: `learn: peers: directory.team`.
//!
//! Of an entity without a history of its own the expectation is the
//! population's; where a rule names a field that says whom it is like, it is
//! that of those with the same value. A group of fewer than eight is none (one
//! of them alone would say too much of it), and of more than sixty-four the
//! largest are kept; everybody else is of the whole population as before. An
//! entity has one vote in its group, as it has in the population.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Census;
use super::table::swap_out;
use super::values::short;

/// Fewest members of a group.
pub(super) const MEMBERS_LEAST: f64 = 8.0;

/// Most groups in force.
const GROUPS_MAX: usize = 64;

/// Most groups that a lane tells of: the largest of all lanes together are
/// among them unless their members are dealt very unevenly.
const TOLD_MAX: usize = 256;

/// The groups of one rule in one lane, each with what is expected in it.
#[derive(Clone, Debug)]
pub(super) struct Groups<T> {
    /// Beside the table, place by place: the entity's group; 0 is none.
    of: Vec<u32>,
    /// In force since the last barrier, by group.
    known: Vec<(u32, T)>,
}

/// What is saved: each entity's group, and what was in force.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedGroups<S> {
    of: Vec<u32>,
    known: Vec<(u32, S)>,
}

/// The group that a sample's peers are.
pub(super) fn group(peers: u64) -> u32 {
    if peers == 0 { 0 } else { short(peers).max(1) }
}

impl<T> Groups<T> {
    /// None, where the rule names a field for them.
    pub(super) fn new(named: bool) -> Option<Groups<T>> {
        named.then(|| Groups {
            of: Vec::new(),
            known: Vec::new(),
        })
    }

    /// The group of the entity at a place.
    pub(super) fn of(&self, at: usize) -> u32 {
        self.of.get(at).copied().unwrap_or(0)
    }

    /// An entity takes a place of the table, or changes its group; whether it did.
    pub(super) fn set(&mut self, at: usize, group: u32) -> bool {
        if at >= self.of.len() {
            self.of.resize(at + 1, 0);
        }
        let place = self.of.get_mut(at);
        place.is_some_and(|place| std::mem::replace(place, group) != group)
    }

    /// Takes an entity out; the last one moves into its place, as in the table.
    pub(super) fn remove(&mut self, at: usize, entities: usize) {
        self.of.resize(entities, 0);
        swap_out(&mut self.of, at, 1);
    }

    /// What is expected in a group, where that is in force.
    pub(super) fn get(&self, group: u32) -> Option<&T> {
        let at = self.known.binary_search_by_key(&group, |known| known.0);
        self.known.get(at.ok()?).map(|known| &known.1)
    }

    /// The same to change.
    pub(super) fn get_mut(&mut self, group: u32) -> Option<&mut T> {
        let at = self.known.binary_search_by_key(&group, |known| known.0);
        self.known.get_mut(at.ok()?).map(|known| &mut known.1)
    }

    /// All that are in force, to change.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.known.iter_mut().map(|known| &mut known.1)
    }

    /// Which groups this lane tells of: those with most entities.
    pub(super) fn told(&self) -> Vec<u32> {
        let mut members: BTreeMap<u32, u32> = BTreeMap::new();
        for group in self.of.iter().filter(|group| **group != 0) {
            *members.entry(*group).or_default() += 1;
        }
        let mut most: Vec<(u32, u32)> = members.into_iter().collect();
        most.sort_unstable_by_key(|&(group, members)| (std::cmp::Reverse(members), group));
        most.truncate(TOLD_MAX);
        most.into_iter().map(|(group, _)| group).collect()
    }

    /// Puts the groups of all lanes in force: those of enough members, as
    /// `members` counts them, and of these the largest.
    pub(super) fn adopt(
        &mut self,
        told: &BTreeMap<u32, Census>,
        members: impl Fn(&Census) -> f64,
        expected: impl Fn(&Census) -> T,
    ) {
        let groups = told
            .iter()
            .map(|(group, census)| (*group, members(census), census));
        let mut groups: Vec<(u32, f64, &Census)> = groups
            .filter(|(_, members, _)| *members >= MEMBERS_LEAST)
            .collect();
        groups.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        groups.truncate(GROUPS_MAX);
        groups.sort_by_key(|(group, ..)| *group);
        let known = groups.into_iter();
        self.known = known
            .map(|(group, _, census)| (group, expected(census)))
            .collect();
    }

    /// About how many bytes it takes, with what each group takes.
    pub(super) fn bytes(&self, each: impl Fn(&T) -> usize) -> usize {
        let known = self
            .known
            .iter()
            .map(|known| each(&known.1) + size_of::<(u32, T)>());
        self.of.capacity() * size_of::<u32>() + known.sum::<usize>()
    }

    /// As it outlives the process.
    pub(super) fn save<S>(&self, each: impl Fn(&T) -> S) -> SavedGroups<S> {
        SavedGroups {
            of: self.of.clone(),
            known: self
                .known
                .iter()
                .map(|known| (known.0, each(&known.1)))
                .collect(),
        }
    }

    /// From what [`Groups::save`] wrote, of a table of so many entities.
    pub(super) fn load<S>(
        saved: SavedGroups<S>,
        entities: usize,
        each: impl Fn(S) -> T,
    ) -> Result<Groups<T>, String> {
        let sorted = saved.known.is_sorted_by(|a, b| a.0 < b.0);
        if saved.of.len() > entities || saved.known.len() > GROUPS_MAX || !sorted {
            return Err("entities and their groups do not match".to_owned());
        }
        Ok(Groups {
            of: saved.of,
            known: saved
                .known
                .into_iter()
                .map(|(group, saved)| (group, each(saved)))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::special::to_fixed;

    fn told(groups: impl Iterator<Item = (u32, f64)>) -> BTreeMap<u32, Census> {
        let census = |members| Census {
            sums: vec![to_fixed(members)],
            ..Census::default()
        };
        groups
            .map(|(group, members)| (group, census(members)))
            .collect()
    }

    fn members(census: &Census) -> f64 {
        crate::baseline::special::from_fixed(census.sums[0])
    }

    #[test]
    fn small_groups_are_none_and_of_too_many_the_largest_are_kept() {
        let mut groups: Groups<f64> = Groups::new(true).unwrap();
        groups.adopt(&told([(3, 7.0), (9, 8.0)].into_iter()), members, members);
        assert_eq!((groups.get(3), groups.get(9)), (None, Some(&8.0)));
        let many = (1..=500).map(|n| (n, 8.0 + f64::from(n % 100)));
        groups.adopt(&told(many), members, members);
        assert_eq!(groups.known.len(), GROUPS_MAX);
        assert!(groups.get(99).is_some() && groups.get(1).is_none());
        assert!(groups.known.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn a_lane_tells_of_so_many_groups_at_most_whoever_makes_them_up() {
        let mut groups: Groups<f64> = Groups::new(true).unwrap();
        for at in 0..10_000 {
            groups.set(at, u32::try_from(at % 4000).unwrap() + 1);
        }
        assert_eq!(groups.told().len(), TOLD_MAX);
        groups.set(3, 77);
        groups.remove(0, 10_000);
        assert_eq!((groups.of(0), groups.of(3)), (2000, 77));
    }
}
