//! All that is known of counts, as it outlives the process.

use serde::{Deserialize, Serialize};

use super::{Group, Rate};
use crate::baseline::count::{CountState, Model, Population};
use crate::baseline::distinct::{SavedSets, Sets};
use crate::baseline::only::SavedFilter;
use crate::baseline::peers::{Groups, SavedGroups};
use crate::baseline::season::Profile;
use crate::baseline::snapshot;
use crate::baseline::table::{Newcomer, Saved};
use crate::baseline::waiting::Line;
use crate::baseline::watch::Watch;

#[derive(Serialize, Deserialize)]
struct State {
    table: Saved<CountState>,
    profiles: Vec<Profile>,
    sets: Option<SavedSets>,
    filter: SavedFilter,
    waiting: Option<Vec<Line>>,
    nursery: Saved<Newcomer>,
    population: Population,
    watch: Watch,
}

impl Rate {
    /// As bytes.
    pub(super) fn saved(&self) -> Vec<u8> {
        let state = State {
            table: self.table.save(),
            profiles: self.profiles.clone(),
            sets: self.sets.as_ref().map(Sets::save),
            filter: self.filter.save(),
            waiting: self.waiting.as_ref().map(|waiting| waiting.lines.clone()),
            nursery: self.nursery.save(),
            population: self.model.population.clone(),
            watch: self.watch.clone(),
        };
        // What has no groups is saved as ever.
        match &self.groups {
            None => snapshot::pack(self.name, &self.settings, &state),
            Some(groups) => {
                let groups = groups.save(|group| group.model.population.clone());
                snapshot::pack(self.name, &self.settings, &(state, groups))
            }
        }
    }

    /// What [`Rate::saved`] wrote under settings that mean the same.
    pub(super) fn restored(&self, bytes: &[u8]) -> Result<Rate, String> {
        let (state, groups): (State, Option<SavedGroups<Population>>) = if self.settings.peers {
            let (state, groups) = snapshot::unpack(self.name, &self.settings, bytes)?;
            (state, Some(groups))
        } else {
            (snapshot::unpack(self.name, &self.settings, bytes)?, None)
        };
        let sets = match (&self.sets, state.sets) {
            (Some(_), Some(saved)) => Some(Sets::load(saved)?),
            (None, None) => None,
            _ => return Err("the state counts something else".to_owned()),
        };
        let mut fresh = Rate::new(self.name, &self.settings, sets);
        fresh.table.load(state.table)?;
        fresh.nursery.load(state.nursery)?;
        fresh.filter.load(state.filter, fresh.table.len())?;
        let expected = if self.settings.season {
            fresh.table.len()
        } else {
            0
        };
        if state.profiles.len() != expected {
            return Err("entities and their seasons do not match".to_owned());
        }
        if let Some(waiting) = &mut fresh.waiting {
            // A rule may have been told to wait since.
            waiting.lines = state.waiting.unwrap_or_default();
            waiting.lines.resize_with(fresh.table.len(), Line::default);
        }
        fresh.profiles = state.profiles;
        fresh.model.population = state.population;
        fresh.watch = state.watch;
        if let Some(groups) = groups {
            let everybody = fresh.model.clone();
            let group = |population| {
                Group::new(Model {
                    population,
                    ..everybody.clone()
                })
            };
            fresh.groups = Some(Groups::load(groups, fresh.table.len(), group)?);
        }
        fresh.forget_derived();
        Ok(fresh)
    }
}
