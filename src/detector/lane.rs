//! A lane: the state of all rules for its share of the entities.

use serde::{Deserialize, Serialize};

use super::compile::ACTOR;
use super::crowd;
use super::evidence::{Kept, Seen};
use super::held::Ledger;
use super::kind::{Firing, Kind, Sighting};
use super::unit::{Outer, Unit};
use super::{Detector, LANES, Observation};
use crate::alert::{Alert, Episode, Episodes, Id, Moment, Policy, Score, Subject, Turn};
use crate::baseline::{Census, FIELD_TERMS};
use crate::entity::{self, KeyValue};
use crate::time::Time;

/// Episodes over all lanes: far more than people can look at.
const EPISODES_MAX: usize = 256 << 10;

/// Most that fire at one event of somebody else; the rest does at the next.
const OVERDUE_MAX: usize = 1024;

/// What a lane holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Entities, over all rules.
    pub entities: usize,
    /// About how many bytes all of it takes.
    pub bytes: usize,
    /// Entities and episodes given up for lack of room.
    pub evicted: u64,
}

/// One of [`LANES`]; has one owner at a time.
pub struct Lane {
    pub(super) states: Vec<Box<dyn Kind>>,
    pub(super) episodes: Episodes,
    pub(super) kept: Kept,
    pub(super) ledger: Ledger,
}

/// An observation with its bytes at hand, as it goes from a unit to the next.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) unit: u16,
    pub(super) key: &'a [u8],
    pub(super) sighting: Sighting<'a>,
}

impl Lane {
    /// An empty lane of a detector's rules.
    pub fn new(detector: &Detector) -> Lane {
        Lane {
            states: detector
                .units
                .iter()
                .map(|unit| (unit.plan.build)())
                .collect(),
            episodes: Episodes::new(EPISODES_MAX / LANES),
            kept: Kept::default(),
            ledger: Ledger::new(detector.units.len()),
        }
    }

    /// Takes an observation in and appends the alerts that it raises. `text`
    /// is the observations' arena, `seen` the observation's line.
    pub fn observe(
        &mut self,
        detector: &Detector,
        o: &Observation,
        text: &[u8],
        seen: &Seen<'_>,
        out: &mut Vec<Alert>,
    ) {
        let told = Told {
            unit: o.unit,
            key: o.key.of(text),
            sighting: Sighting {
                key: o.key_hash,
                key_text: o.key.of(text),
                value: o.value_hash,
                value_text: o.value.of(text),
                number: o.number,
                peers: o.peers,
                time: o.time,
                count: o.count,
                member: o.member,
                unproven: o.unproven,
                place: &seen.place,
            },
        };
        self.tell(detector, &told, seen, out);
    }

    /// Tells a unit; what fires is told to the units it is a member of.
    fn tell(
        &mut self,
        detector: &Detector,
        told: &Told<'_>,
        seen: &Seen<'_>,
        out: &mut Vec<Alert>,
    ) {
        let at = usize::from(told.unit);
        let Some(unit) = detector.units.get(at) else {
            return;
        };
        if seen.stale && !unit.stateless {
            return;
        }
        let s = &told.sighting;
        if unit.waits {
            self.overdue(detector, unit, told, seen, out);
        }
        let Some(state) = self.states.get_mut(at) else {
            return;
        };
        let firing = state.observe(s);
        // Of a flood of keys, each a hash, one in 64 is enough to notice it.
        if s.key.is_multiple_of(64) {
            out.extend(crowd::alert(unit, state.crowd(), s.time, seen));
        }
        if let Some(firing) = &firing {
            self.fire(detector, unit, told, firing, seen, out);
        }
        if unit.alerts {
            let first = unit.plan.every_echo && !unit.stateless;
            self.kept
                .remember(told.unit, s.key, seen, s.time, unit.plan.span, first);
        }
    }

    /// Raises what fires, and tells the units it is a member of; or keeps it
    /// where it is held back.
    fn fire(
        &mut self,
        detector: &Detector,
        unit: &Unit,
        told: &Told<'_>,
        firing: &Firing,
        seen: &Seen<'_>,
        out: &mut Vec<Alert>,
    ) {
        if let Some(held) = firing.deviation.as_ref().and_then(|d| d.held) {
            self.hold_back(unit, told, firing, held, seen);
            return;
        }
        let fresh = self.raise(unit, told, firing, seen, out);
        for outer in &unit.outers {
            let every = detector.units.get(usize::from(outer.unit));
            if fresh || every.is_some_and(|outer| outer.plan.every_echo) {
                self.pass_on(detector, outer, told, seen, out);
            }
        }
    }

    /// Fires for those who ought to have come before the event at hand.
    fn overdue(
        &mut self,
        detector: &Detector,
        unit: &Unit,
        told: &Told<'_>,
        seen: &Seen<'_>,
        out: &mut Vec<Alert>,
    ) {
        for _ in 0..OVERDUE_MAX {
            let state = self.states.get_mut(usize::from(told.unit));
            let late = state.and_then(|state| state.overdue(told.sighting.time));
            let Some(late) = late else { return };
            let sighting = Sighting {
                key: late.key,
                key_text: &late.text,
                ..told.sighting
            };
            let silent = Told {
                unit: told.unit,
                key: &late.text,
                sighting,
            };
            self.fire(detector, unit, &silent, &late.firing, seen, out);
        }
    }

    /// Tells the outer unit that its member fired, under the outer's key.
    fn pass_on(
        &mut self,
        detector: &Detector,
        outer: &Outer,
        told: &Told<'_>,
        seen: &Seen<'_>,
        out: &mut Vec<Alert>,
    ) {
        let hash = detector.options.hash;
        let pick = |places: &[usize]| -> Vec<u8> {
            let part = |at: &usize| entity::key_parts(told.key).nth(*at).unwrap_or_default();
            places.iter().flat_map(part).copied().collect()
        };
        // Keys mostly go on as they are; a flood above its threshold should
        // not build one per event.
        let built = if outer.same_key {
            Vec::new()
        } else {
            pick(&outer.group)
        };
        let (key, key_hash) = if outer.same_key {
            (told.key, told.sighting.key)
        } else {
            (built.as_slice(), hash.hash(&built))
        };
        let value = pick(&outer.values);
        let told = Told {
            unit: outer.unit,
            key,
            sighting: Sighting {
                key: key_hash,
                key_text: key,
                value: if value.is_empty() {
                    0
                } else {
                    hash.hash(&value)
                },
                value_text: &value,
                number: None,
                peers: 0,
                count: 1,
                member: outer.member,
                ..told.sighting
            },
        };
        self.tell(detector, &told, seen, out);
    }

    /// Asks the episodes whether a firing is news, and says so if it is.
    /// Whether it starts an episode.
    fn raise(
        &mut self,
        unit: &Unit,
        told: &Told<'_>,
        firing: &Firing,
        seen: &Seen<'_>,
        out: &mut Vec<Alert>,
    ) -> bool {
        let s = &told.sighting;
        let subject = Subject {
            rule: told.unit,
            key: s.key,
        };
        let moment = Moment {
            time: s.time,
            since: firing.since,
            events: firing.events,
            more: u64::from(s.count),
            value: firing.observed,
            bits: firing.deviation.as_ref().map_or(0.0, |d| d.bits),
        };
        let policy = Policy {
            // For a rule that only serves others, an episode is one time that
            // its condition holds.
            quiet: if unit.alerts {
                unit.plan.quiet
            } else {
                unit.plan.span
            },
            longest: unit.plan.longest,
        };
        let id = || Id::new(&unit.info, told.key, s.time, seen.bytes);
        let turn = self.episodes.observe(subject, &moment, &policy, id);
        match turn {
            Turn::New(episode) | Turn::Update(episode) if unit.alerts => {
                out.push(self.alert(unit, told, firing, seen, &episode));
            }
            _ => {}
        }
        let new = matches!(turn, Turn::New(_));
        if new {
            self.ledger.raised(subject, s.time.minus(policy.quiet));
        }
        new
    }

    fn alert(
        &self,
        unit: &Unit,
        told: &Told<'_>,
        firing: &Firing,
        seen: &Seen<'_>,
        episode: &Episode,
    ) -> Alert {
        let s = &told.sighting;
        let earlier = self.kept.earlier(told.unit, s.key);
        // Only what was counted: a baseline's bucket may be younger than the
        // ring's lines. A sequence's first step may be a burst, all of it telling.
        let since = firing
            .deviation
            .as_ref()
            .map_or(Time::MIN, |_| firing.since);
        let counted = |e: &crate::alert::Evidence| e.place != *s.place && e.time >= since;
        let mut samples: Vec<_> = earlier.filter(counted).collect();
        samples.push(seen.evidence(s.time));
        Alert {
            id: episode.id,
            revision: episode.revision,
            time: s.time,
            window: (episode.since, episode.last.max(s.time)),
            rule: unit.info.clone(),
            entity: entity_of(unit, told.key),
            context: self.context(unit, told),
            score: self.score(unit, told, firing, episode.events),
            events: episode.events,
            samples,
        }
    }

    /// The values that the rule looked at, under their ECS names.
    pub(super) fn context(&self, unit: &Unit, told: &Told<'_>) -> Vec<(String, Vec<u8>)> {
        if unit.values.is_empty() {
            return unit.deed.clone();
        }
        let state = self.states.get(usize::from(told.unit));
        let mut shown = state.map_or(Vec::new(), |state| state.shown(told.sighting.key));
        if shown.is_empty() {
            shown.push(told.sighting.value_text.to_vec());
        }
        let mut context = Vec::new();
        for value in &shown {
            context.extend(named(value, &unit.values, unit.plan.sparse));
        }
        // A learnt action is said already.
        let learnt = |name: &String| unit.values.contains(name);
        context.extend(unit.deed.iter().filter(|(name, _)| !learnt(name)).cloned());
        context
    }

    #[expect(clippy::cast_precision_loss, reason = "shown to people")]
    pub(super) fn score(
        &self,
        unit: &Unit,
        told: &Told<'_>,
        firing: &Firing,
        events: u64,
    ) -> Score {
        let state = self.states.get(usize::from(told.unit));
        let facts = state.map_or(Vec::new(), |state| state.facts(told.sighting.key));
        let facts = facts.into_iter();
        let plain = Score {
            facts: facts.map(|(name, n)| (name.to_owned(), n)).collect(),
            observed: firing.observed.unwrap_or(events as f64),
            margin: firing.margin,
            threshold: unit.plan.threshold.clone(),
            field: unit.plan.measure.clone().unwrap_or_default(),
            model: unit.plan.name.clone(),
            ..Score::default()
        };
        let Some(d) = &firing.deviation else {
            return plain;
        };
        let name = |term: &str| {
            // What the statistic knows by number, the rule knows by name.
            let field = FIELD_TERMS.iter().position(|field| *field == term);
            let field = field.and_then(|at| unit.values.get(at)).cloned();
            field
                .or_else(|| state?.label(told.sighting.key, term))
                .unwrap_or_else(|| term.to_owned())
        };
        Score {
            bits: Some(d.bits),
            observed: d.observed,
            expected: Some(d.expected),
            interval: Some(d.interval),
            evidence: Some(d.evidence),
            age: Some(d.age),
            model: d.model.to_owned(),
            quiet: Some(d.quiet),
            return_days: d.return_days,
            terms: d
                .terms
                .iter()
                .map(|(term, bits)| (name(term), *bits))
                .collect(),
            ..plain
        }
    }

    /// What the lane's entities say about the population, per unit; called
    /// for all lanes at an epoch barrier, added up by place, and handed to
    /// [`Lane::adopt`] of all.
    pub fn census(&mut self, now: Time) -> Vec<Census> {
        self.ledger.expire(now);
        self.states
            .iter_mut()
            .map(|state| state.census(now))
            .collect()
    }

    /// Takes the population in force, the sum of all lanes' censuses.
    pub fn adopt(&mut self, population: &[Census], now: Time) {
        for (state, census) in self.states.iter_mut().zip(population) {
            state.adopt(census, now);
        }
    }

    /// What it holds.
    pub fn size(&self) -> Size {
        let mut size = Size {
            bytes: self.kept.size()
                + self.ledger.bytes()
                + self.episodes.len() * size_of::<Episode>(),
            evicted: self.episodes.evicted,
            ..Size::default()
        };
        for state in &self.states {
            let (entities, bytes) = state.size();
            size.entities += entities;
            size.bytes += bytes;
            size.evicted += state.evicted();
        }
        size
    }

    /// The whole state, to be read by [`Lane::load`] under the same or other rules.
    pub fn save(&self, detector: &Detector) -> Vec<u8> {
        let units = detector.units.iter().zip(&self.states);
        let saved = Saved {
            rules: units
                .map(|(unit, state)| (unit.identity, state.save()))
                .collect(),
            episodes: self.episodes.save(),
            kept: (&self.kept, &self.ledger),
        };
        // Writing to memory cannot fail, and all parts have a length.
        postcard::to_stdvec(&saved).unwrap_or_default()
    }

    /// How many of the rules that [`Lane::save`] wrote the state of are not
    /// among the detector's: that state is lost in a lane made of it.
    pub fn foreign(detector: &Detector, bytes: &[u8]) -> Result<usize, String> {
        let saved: Saved<(Kept, Ledger)> =
            postcard::from_bytes(bytes).map_err(|e| e.to_string())?;
        let known = |id: &[u8; 16]| detector.units.iter().any(|unit| unit.identity == *id);
        Ok(saved.rules.iter().filter(|(id, _)| !known(id)).count())
    }

    /// An empty lane that takes up what [`Lane::save`] wrote. Rules that are
    /// new or were changed start empty; `Err` says what does not fit.
    pub fn load(detector: &Detector, bytes: &[u8]) -> Result<Lane, String> {
        let saved: Saved<(Kept, Ledger)> =
            postcard::from_bytes(bytes).map_err(|e| e.to_string())?;
        let mut lane = Lane::new(detector);
        let mut old_places = Vec::new();
        for (unit, state) in detector.units.iter().zip(&mut lane.states) {
            let old = saved.rules.iter().position(|(id, _)| *id == unit.identity);
            if let Some((_, bytes)) = old.and_then(|at| saved.rules.get(at)) {
                let title = &unit.info.title;
                state.load(bytes).map_err(|e| format!("{title}: {e}"))?;
            }
            old_places.push(old);
        }
        let moved = saved.episodes.into_iter().filter_map(|mut episode| {
            let old = usize::from(episode.subject.rule);
            let new = old_places.iter().position(|place| *place == Some(old))?;
            episode.subject.rule = u16::try_from(new).ok()?;
            Some(episode)
        });
        lane.episodes.load(moved);
        (lane.kept, lane.ledger) = saved.kept;
        lane.kept.renumber(&old_places);
        lane.ledger.renumber(&old_places);
        Ok(lane)
    }
}

#[derive(Serialize, Deserialize)]
struct Saved<K> {
    rules: Vec<([u8; 16], Vec<u8>)>,
    episodes: Vec<Episode>,
    kept: K,
}

pub(super) fn entity_of(unit: &Unit, key: &[u8]) -> Vec<(String, Vec<u8>)> {
    if !unit.stateless {
        return named(key, &unit.group, false);
    }
    let names = ACTOR.iter().filter_map(|field| field.info());
    let names: Vec<String> = names.map(|info| info.name.to_owned()).collect();
    named(key, &names, true)
}

/// The values of a key with their names. Where some may be missing, its first
/// value says which are there.
fn named(key: &[u8], names: &[String], sparse: bool) -> Vec<(String, Vec<u8>)> {
    let values = entity::key_values(key);
    let (there, values) = match values.split_first() {
        Some((KeyValue::Int(there), values)) if sparse => (*there, values),
        _ => (i64::MAX, values.as_slice()),
    };
    let names = (0..).zip(names).filter(|(bit, _)| there >> bit & 1 == 1);
    names
        .zip(values)
        .map(|((_, name), value)| (name.clone(), value.to_bytes()))
        .collect()
}
