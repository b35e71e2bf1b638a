//! What a lane's sessions tell of the population, and what the population tells them.

use std::collections::BTreeMap;

use super::super::Census;
use super::super::base::{self, Base, EXPECTED, HOLDERS, NOVEL, SUMS};
use super::super::season::{CELLS, Peers};
use super::super::special::{from_fixed, to_fixed};
use super::{FLEET, GAP_ENTITIES, GAPS, HABIT, HOURS, Sessions, gap};
use crate::time::Time;

impl Sessions {
    /// The lane's census.
    pub(super) fn counted(&mut self, now: Time) -> Census {
        let mut votes = Vec::new();
        let mut sums = vec![0_i128; HOURS + CELLS];
        let mut holders: BTreeMap<u64, u64> = BTreeMap::new();
        let mut groups = self.telling();
        let bucket = self.calendar.bucket(now);
        let mut add = |place: usize, more: f64| {
            if let Some(sum) = sums.get_mut(place) {
                *sum += to_fixed(more);
            }
        };
        for at in 0..self.table.len() {
            let over = self
                .table
                .get(at)
                .is_some_and(|state| self.calendar.is_over(state.bucket, now));
            if over {
                self.close(at);
            }
            let (fields, group) = (self.fields(at), self.group_at(at));
            let Some(state) = self.table.get_mut(at) else {
                continue;
            };
            if state.active >= HABIT {
                groups.member(group);
            }
            if state.peak.is_active() && state.active >= HABIT {
                self.votes.peaked(std::mem::take(&mut state.peaks));
            }
            self.watch.vote(&mut votes, &mut state.peak);
            // Its hour may be judged by what the population says from here on.
            state.tail = -1.0;
            if self.looks.gaps && state.gaps.count() >= 2.0 {
                add(GAPS, state.gaps.mean());
                add(GAP_ENTITIES, 1.0);
            }
            if let Some(profile) = self.profiles.get(at) {
                for (cell, vote) in profile.vote(&self.calendar, bucket).into_iter().enumerate() {
                    add(HOURS + cell, vote);
                    groups.hour(group, cell, vote);
                }
            }
            let values = self.values.get(fields).into_iter().flatten();
            for (field, values) in values.enumerate() {
                let (novel, expected) = values.calibration(&self.calendar);
                add(field * SUMS + NOVEL, novel);
                add(field * SUMS + EXPECTED, expected);
                let number = u64::try_from(field).unwrap_or(0) << 32;
                let held = || {
                    let held = values.held(&self.calendar, now);
                    held.map(|value| number | u64::from(value))
                };
                if held().next().is_some() {
                    add(field * SUMS + HOLDERS, 1.0);
                }
                for value in held() {
                    *holders.entry(value).or_default() += 1;
                }
                groups.holds(group, field, held());
            }
        }
        sums.extend(self.votes.take());
        Census {
            sums,
            holders: base::most_held(holders),
            groups: groups.done(),
            ..self.watch.census(votes)
        }
    }

    /// The bases, peers and typical gap that a population's census makes.
    pub(super) fn learn_population(&mut self, population: &Census) {
        let sum = |place: usize| population.sums.get(place).copied().unwrap_or(0);
        for (field, base) in (0_u64..).zip(&mut self.bases) {
            // Each field's holdings have their number above the value's 32 bits.
            let from = field << 32;
            let held = population.holders.range(from..=from | u64::from(u32::MAX));
            let first = usize::try_from(field).unwrap_or(0) * SUMS;
            *base = Base::from_census(&Census {
                holders: held.map(|(&value, &n)| (value - from, n)).collect(),
                sums: (first..first + SUMS).map(sum).collect(),
                ..Census::default()
            });
        }
        let votes = population.sums.get(HOURS..FLEET).unwrap_or(&[]);
        self.peers = Peers::from_votes(votes.iter().map(|&vote| from_fixed(vote)));
        let votes = population.sums.get(FLEET..).unwrap_or(&[]);
        self.fleet.learn(votes, &self.peers);
        self.typical = gap::typical(from_fixed(sum(GAPS)), from_fixed(sum(GAP_ENTITIES)));
    }
}
