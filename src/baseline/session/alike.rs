//! What those like an entity hold and when they come, where a rule says how to
//! tell: what a session of theirs is held against instead of everybody's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Sessions;
use crate::baseline::base::{self, Base};
use crate::baseline::peers::{Groups, group};
use crate::baseline::season::{CELLS, Peers};
use crate::baseline::special::{from_fixed, to_fixed};
use crate::baseline::{Census, PARTS, Sample};

/// Places of a group's sums: how many hold any value of a field, how many
/// there are, and when they come.
const MEMBERS: usize = PARTS;
const HOURS: usize = PARTS + 1;

/// A group of peers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Alike {
    pub(super) bases: Vec<Base>,
    pub(super) hours: Peers,
}

impl Alike {
    fn of(census: &Census, everybody: &[Base]) -> Alike {
        let sum = |place: usize| census.sums.get(place).copied().unwrap_or(0);
        let base = |(field, all): (usize, &Base)| {
            let from = (field as u64) << 32;
            let held = census.holders.range(from..=from | u64::from(u32::MAX));
            let mut sums = vec![0; base::SUMS];
            if let Some(holders) = sums.get_mut(base::HOLDERS) {
                *holders = sum(field);
            }
            let alone = Census {
                holders: held.map(|(&value, &n)| (value - from, n)).collect(),
                sums,
                ..Census::default()
            };
            Base::of_group(&alone, all)
        };
        let hours = census.sums.iter().skip(HOURS).take(CELLS);
        Alike {
            bases: everybody.iter().enumerate().map(base).collect(),
            hours: Peers::from_votes(hours.map(|&vote| from_fixed(vote))),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bases.iter().map(Base::bytes).sum::<usize>() + CELLS * size_of::<f64>()
    }
}

/// What a lane's groups tell, one entity after the other.
pub(super) struct Told(BTreeMap<u32, Census>);

impl Told {
    /// A vote on when the group comes.
    pub(super) fn hour(&mut self, group: u32, cell: usize, vote: f64) {
        self.add(group, HOURS + cell, vote);
    }

    /// A member.
    pub(super) fn member(&mut self, group: u32) {
        self.add(group, MEMBERS, 1.0);
    }

    /// One who holds any value of a field, and each of them by the field's number.
    pub(super) fn holds(&mut self, group: u32, field: usize, values: impl Iterator<Item = u64>) {
        let Some(census) = self.0.get_mut(&group) else {
            return;
        };
        let mut any = false;
        for value in values {
            any = true;
            *census.holders.entry(value).or_default() += 1;
        }
        if any {
            self.add(group, field, 1.0);
        }
    }

    fn add(&mut self, group: u32, place: usize, more: f64) {
        let census = self.0.get_mut(&group);
        if let Some(sum) = census.and_then(|census| census.sums.get_mut(place)) {
            *sum += to_fixed(more);
        }
    }

    pub(super) fn done(self) -> BTreeMap<u32, Census> {
        self.0
    }
}

impl Sessions {
    /// An entity of the table says whom it is like, or did before.
    pub(super) fn join(&mut self, at: usize, sample: &Sample) {
        let group = group(sample.peers);
        if let (Some(groups), true) = (&mut self.groups, group != 0) {
            groups.set(at, group);
        }
    }

    /// The group of an entity of the table; 0 is none.
    pub(super) fn group_at(&self, at: usize) -> u32 {
        self.groups.as_ref().map_or(0, |groups| groups.of(at))
    }

    /// When those like an entity come.
    pub(super) fn hours_like(&self, at: usize) -> &Peers {
        let groups = self.groups.as_ref();
        let alike = groups.and_then(|groups| groups.get(groups.of(at)));
        alike.map_or(&self.peers, |alike| &alike.hours)
    }

    /// Empty sums of the groups that this lane tells of.
    pub(super) fn telling(&self) -> Told {
        let groups = self.groups.as_ref().map_or(Vec::new(), Groups::told);
        let empty = |group| {
            let census = Census {
                sums: vec![0; HOURS + CELLS],
                ..Census::default()
            };
            (group, census)
        };
        Told(groups.into_iter().map(empty).collect())
    }

    /// Puts what all lanes tell of their groups in force; the population is by now.
    pub(super) fn adopt_groups(&mut self, population: &Census) {
        let (groups, bases) = (&mut self.groups, &self.bases);
        if let Some(groups) = groups {
            let members =
                |census: &Census| census.sums.get(MEMBERS).map_or(0.0, |&n| from_fixed(n));
            groups.adopt(&population.groups, members, |census| {
                Alike::of(census, bases)
            });
        }
    }
}
