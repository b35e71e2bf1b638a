//! What rules have learnt, looked at from outside: by rule and entity.

use super::{Detector, Lane};
use crate::alert::{Episode, RuleInfo, Subject};
use crate::baseline::Description;
use crate::entity;
use crate::field::{Field, Kind};
use crate::time::{Span, Time};

/// A rule that learns.
#[derive(Clone, Copy, Debug)]
pub struct Learner<'d> {
    /// The detector's own number of it.
    pub unit: u16,
    /// The rule.
    pub info: &'d RuleInfo,
    /// The fields that tell its entities apart.
    pub group: &'d [String],
    /// The fields whose values it looks at.
    pub values: &'d [String],
    /// The field that it adds up, where it does that.
    pub measure: Option<&'d str>,
    /// The length of its buckets.
    pub timespan: Span,
}

impl Detector {
    /// The rules that learn, in the rule set's order.
    pub fn learners(&self) -> impl Iterator<Item = Learner<'_>> {
        let units = (0_u16..).zip(&self.units);
        let learning = units.filter(|(_, unit)| unit.plan.name.starts_with("baseline "));
        learning.map(|(number, unit)| Learner {
            unit: number,
            info: &unit.info,
            group: &unit.group,
            values: &unit.values,
            measure: unit.plan.measure.as_deref(),
            timespan: unit.plan.span,
        })
    }

    /// The key of an entity under a rule that tells its entities apart by these
    /// fields; `None` where one of them is not among the `(field, value)` given,
    /// or its value is not of the field's kind, or the rule tells none apart:
    /// what the whole fleet does is nobody's own.
    pub fn key_of(&self, group: &[String], named: &[(String, String)]) -> Option<u64> {
        if group.is_empty() {
            return None;
        }
        let mut key = Vec::new();
        for name in group {
            let (_, value) = named.iter().find(|(field, _)| field == name)?;
            let kind = Field::named(name)
                .and_then(Field::info)
                .map(|info| info.kind);
            match kind {
                Some(Kind::Ip) => {
                    let ip = value.split('/').next()?.parse().ok()?;
                    entity::push_ip(&mut key, ip, self.options.v6_prefix);
                }
                Some(Kind::Int) => entity::push_int(&mut key, value.parse().ok()?),
                _ => entity::push_text(&mut key, value.as_bytes(), self.options.hash),
            }
        }
        Some(self.options.hash.hash(&key))
    }
}

impl Lane {
    /// What a rule has learnt of an entity, if it lives here.
    pub fn describe(&self, unit: u16, key: u64, now: Time) -> Option<Description> {
        self.states.get(usize::from(unit))?.describe(key, now)
    }

    /// A rule's last alert about an entity, as long as it is remembered.
    pub fn episode(&self, unit: u16, key: u64) -> Option<&Episode> {
        self.episodes.get(Subject { rule: unit, key })
    }

    /// The entities of a rule that live here, in the order of their keys.
    pub fn keys(&self, unit: u16) -> Vec<u64> {
        let state = self.states.get(usize::from(unit));
        let mut keys = state.map_or(Vec::new(), |state| state.keys());
        keys.sort_unstable();
        keys
    }

    /// Forgets an entity under a rule: what was learnt, its alerts and its
    /// lines. Whether anything was learnt.
    pub fn forget(&mut self, unit: u16, key: u64) -> bool {
        self.episodes.forget(Subject { rule: unit, key });
        self.kept.forget(unit, key);
        self.ledger.forget(unit, key);
        let state = self.states.get_mut(usize::from(unit));
        state.is_some_and(|state| state.forget(key))
    }
}
