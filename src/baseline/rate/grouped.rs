//! What is expected of an entity by whom it is like, and by everybody where
//! the rule does not say, or its group is too small.

use std::collections::BTreeMap;

use super::Rate;
use crate::baseline::count::{CountState, Model};
use crate::baseline::peers::{Groups, MEMBERS_LEAST, group as group_of};
use crate::baseline::population::{Tally, entities};
use crate::baseline::season::{CELLS, Profile};
use crate::baseline::{Census, Sample};
use crate::time::Time;

/// A newcomer this surprising gets a baseline at once.
const ADMIT_BITS: f64 = 12.0;

/// What is expected of a group.
#[derive(Clone, Debug)]
pub(in crate::baseline) struct Group {
    pub(super) model: Model,
    /// By cell, the count at which a newcomer of it gets a baseline.
    admit: [u32; CELLS],
}

impl Group {
    /// What its season takes beside it.
    pub(super) const BYTES: usize = CELLS * size_of::<f64>();

    pub(super) fn new(model: Model) -> Group {
        Group {
            model,
            admit: [0; CELLS],
        }
    }

    pub(super) fn forget_derived(&mut self) {
        self.admit = [0; CELLS];
    }
}

/// The model of a group, where that is in force, else everybody's.
pub(super) fn model_of<'a>(
    groups: Option<&'a Groups<Group>>,
    everybody: &'a Model,
    group: u32,
) -> &'a Model {
    let group = groups.and_then(|groups| groups.get(group));
    group.map_or(everybody, |group| &group.model)
}

/// The groups' sums as they are told.
pub(super) fn told(groups: BTreeMap<u32, Tally>) -> BTreeMap<u32, Census> {
    let census = |(group, tally): (u32, Tally)| {
        let census = Census {
            sums: tally.0,
            ..Census::default()
        };
        (group, census)
    };
    groups.into_iter().map(census).collect()
}

impl Rate {
    /// The group of an entity of the table, as a sample says or as it was.
    pub(super) fn join(&mut self, at: usize, sample: &Sample) -> u32 {
        let Some(groups) = &mut self.groups else {
            return 0;
        };
        if sample.peers != 0 {
            groups.set(at, group_of(sample.peers));
        }
        groups.of(at)
    }

    /// The model of the entity at a place of the table.
    pub(in crate::baseline) fn model_at(&self, at: usize) -> &Model {
        let group = self.groups.as_ref().map_or(0, |groups| groups.of(at));
        model_of(self.groups.as_ref(), &self.model, group)
    }

    /// The count at which a newcomer of this hour is worth a baseline.
    pub(super) fn admit_at(&mut self, time: Time, group: u32) -> u32 {
        let bucket = self.model.calendar.bucket(time);
        let cell = self.model.calendar.cell(bucket);
        let own = self.groups.as_ref().and_then(|groups| groups.get(group));
        let known = own.map_or(&self.admit, |group| &group.admit);
        if let Some(&known) = known.get(cell).filter(|&&known| known > 0) {
            return known;
        }
        let model = model_of(self.groups.as_ref(), &self.model, group);
        let state = CountState::new(time, 0, model);
        let profile = self.settings.season.then(Profile::default);
        let law = state.law(model, profile.as_ref(), bucket);
        let count = law.reaching(self.watch.threshold().min(ADMIT_BITS), 2);
        let own = self
            .groups
            .as_mut()
            .and_then(|groups| groups.get_mut(group));
        let known = own.map_or(&mut self.admit, |group| &mut group.admit);
        if let Some(known) = known.get_mut(cell) {
            *known = count;
        }
        count
    }

    /// Empty sums of the groups that this lane tells of.
    pub(super) fn tallies(&self) -> BTreeMap<u32, Tally> {
        let groups = self.groups.as_ref().map_or(Vec::new(), Groups::told);
        groups
            .into_iter()
            .map(|group| (group, Tally::new()))
            .collect()
    }

    /// Puts what all lanes tell of their groups in force; the population is by now.
    pub(super) fn adopt_groups(&mut self, population: &Census) {
        let (groups, everybody) = (&mut self.groups, &self.model);
        if let Some(groups) = groups {
            let members = |census: &Census| entities(&census.sums);
            groups.adopt(&population.groups, members, |census| {
                let mut model = everybody.clone();
                model.population.adopt(&census.sums, MEMBERS_LEAST);
                Group::new(model)
            });
        }
    }
}
