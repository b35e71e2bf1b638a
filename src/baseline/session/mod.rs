//! What is told of one session by who comes, from where, when, and after how
//! long: several kinds of evidence, each against the entity's own habit.
//!
//! - A value that the entity never came with ([`super::values`]), field by field.
//! - An hour of its week at which it is seldom active ([`super::season`]).
//! - An absence longer than its own ([`super::gap`]).
//!
//! What is likelier than 1 in 8 says nothing; the rest is combined by Fisher's
//! method ([`super::combine`]). A bucket counts once in everything that is
//! learnt, however many events it has, and is learnt when it is over.

mod alike;
mod described;
mod fleet;
mod look;
mod population;

use serde::{Deserialize, Serialize};

use super::base::{Base, SUMS};
use super::calibrate::Peak;
use super::combine::together;
use super::evidence::{KINDS, Looks};
use super::gap::{self, Gaps};
use super::held::Ripeness;
use super::peers::{Groups, SavedGroups, group};
use super::season::{CELLS, Calendar, Peers, Profile};
use super::table::{Newcomer, Nursery, Saved, Table, grow};
use super::values::{self, Values};
use super::watch::Watch;
use super::{Census, Description, Deviation, Kept, PARTS, Sample, Settings, Statistic, snapshot};
use crate::time::{Span, Time};
use alike::Alike;
use fleet::{Fleet, Votes};

/// Active buckets below which an entity has no habit to leave.
const HABIT: u32 = 2;

/// Active buckets below which it has no hours.
const HOURS_HABIT: u32 = 8;

/// Terms besides the fields'.
pub(super) const HOUR: &str = "hour";
pub(super) const IDLE: &str = "idle gap";

/// Places of the census's sums after those of the fields.
const GAPS: usize = PARTS * SUMS;
const GAP_ENTITIES: usize = GAPS + 1;
const HOURS: usize = GAPS + 2;
const FLEET: usize = HOURS + CELLS;

/// What is kept of one entity besides its hours and values: 80 bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    first: Time,
    /// First and last seen in the bucket.
    since: Time,
    latest: Time,
    bucket: i64,
    learnt: i64,
    gaps: Gaps,
    /// Events in the bucket.
    count: u32,
    /// Active buckets learnt.
    active: u32,
    /// The highest score since the last barrier.
    peak: Peak,
    /// The chance to be active at the bucket's hour; negative: not worked out.
    tail: f32,
    /// The highest evidence of each kind since the last barrier, in half bits.
    peaks: [u8; KINDS],
    /// Which fields the bucket's last event had.
    class: u8,
}

impl State {
    fn new(first: Time, calendar: &Calendar) -> State {
        let bucket = calendar.bucket(first);
        State {
            first,
            since: first,
            latest: first,
            bucket,
            learnt: bucket.saturating_sub(1),
            gaps: Gaps::new(),
            count: 1,
            active: 0,
            peak: Peak::default(),
            tail: -1.0,
            peaks: [0; KINDS],
            class: 0,
        }
    }

    /// How much one of its buckets counts, so that a day of it counts one.
    fn share(&self) -> f64 {
        let days = gap::days(self.since.since(self.first)).max(1.0);
        (days / f64::from(self.active.max(1))).min(1.0)
    }

    /// Learns the bucket, with what stands beside the state.
    fn close(&mut self, calendar: &Calendar, profile: Option<&mut Profile>, values: &mut [Values]) {
        if self.count == 0 {
            return;
        }
        // A late event may reopen a bucket that a barrier closed; it counts once.
        if self.bucket > self.learnt {
            self.active = self.active.saturating_add(1);
            if let Some(profile) = profile {
                profile.add(calendar, self.bucket, 1.0);
            }
        }
        self.gaps.learn(self.since, self.latest);
        self.learnt = self.bucket;
        self.count = 0;
        for values in values {
            values.close(calendar);
        }
    }

    /// What the entity is worth keeping for; `None` while it is established.
    fn worth(&self, calendar: &Calendar, now: Time) -> Option<i64> {
        let away = now.since(self.latest).max(Span::ZERO);
        // The dormant are who a gap is about: they stay for three months.
        if self.active >= 8 && away < Span::DAY.times(90) {
            return None;
        }
        let doublings = i64::from(self.active.saturating_add(1).ilog2());
        let patience = 14.0_f64.max(calendar.half_life / calendar.buckets_per_day());
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
        let patience = patience as i64;
        Some(doublings * patience - away.secs() / Span::DAY.secs())
    }
}

/// All entities of one rule in one lane.
pub(super) struct Sessions {
    looks: Looks,
    settings: Settings,
    calendar: Calendar,
    slot: Span,
    table: Table<State>,
    /// Beside the table, place by place: hours, and as many values as fields.
    profiles: Vec<Profile>,
    values: Vec<Values>,
    nursery: Nursery,
    bases: Vec<Base>,
    peers: Peers,
    fleet: Fleet,
    votes: Votes,
    typical: f64,
    /// Who is like whom, where the rule says how to tell.
    groups: Option<Groups<Alike>>,
    watch: Watch,
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    table: Saved<State>,
    profiles: Vec<Profile>,
    values: Vec<Values>,
    nursery: Saved<Newcomer>,
    bases: Vec<Base>,
    peers: Peers,
    fleet: Fleet,
    votes: Votes,
    typical: f64,
    watch: Watch,
}

impl Sessions {
    pub(super) fn new(looks: Looks, settings: &Settings) -> Sessions {
        Sessions {
            looks,
            calendar: Calendar::new(settings),
            slot: Span::from_nanos((settings.timespan.nanos() / 6).max(1)),
            table: Table::new(settings.max_entities),
            profiles: Vec::new(),
            values: Vec::new(),
            nursery: Nursery::new(settings.max_entities),
            bases: vec![Base::default(); looks.fields],
            peers: Peers::default(),
            fleet: Fleet::default(),
            votes: Votes::new(),
            typical: gap::typical(0.0, 0.0),
            groups: Groups::new(settings.peers),
            watch: Watch::new(settings),
            settings: settings.clone(),
        }
    }

    /// Where an entity's values stand.
    fn fields(&self, at: usize) -> std::ops::Range<usize> {
        at * self.looks.fields..(at + 1) * self.looks.fields
    }

    fn close(&mut self, at: usize) {
        let fields = self.fields(at);
        if let Some(state) = self.table.get_mut(at) {
            if self.looks.hours && state.count > 0 && state.bucket > state.learnt {
                let cells = self.calendar.cells(state.bucket);
                self.votes.came(state.class, cells, state.share());
            }
            let values = self.values.get_mut(fields).unwrap_or_default();
            state.close(&self.calendar, self.profiles.get_mut(at), values);
        }
    }

    fn known(&mut self, at: usize, sample: &Sample) -> Option<Deviation> {
        let bucket = self.calendar.bucket(sample.time);
        self.join(at, sample);
        if bucket > self.table.get(at)?.bucket {
            self.close(at);
            let state = self.table.get_mut(at)?;
            state.bucket = bucket;
            state.tail = -1.0;
        }
        if sample.lesson.is_whole() {
            let state = self.table.get_mut(at)?;
            state.peak.raise(0.0);
            return self.judge(at, sample);
        }
        // Nothing of it stays but what was worked out for the bucket.
        let before = self.table.get(at)?.clone();
        let found = self.judge(at, sample);
        let state = self.table.get_mut(at)?;
        let (since, tail, class) = (state.since, state.tail, state.class);
        *state = before;
        if state.class == class {
            state.tail = tail;
        }
        if state.count == 0 {
            state.since = since;
        }
        found
    }

    fn judge(&mut self, at: usize, sample: &Sample) -> Option<Deviation> {
        let state = self.table.get_mut(at)?;
        if state.count == 0 || sample.time < state.since {
            state.since = sample.time;
        }
        state.latest = if state.count == 0 {
            sample.time
        } else {
            state.latest.max(sample.time)
        };
        state.count = state.count.saturating_add(sample.count.max(1));
        let found = self.evidence(at, sample)?;
        let state = self.table.get_mut(at)?;
        let evidence = found.terms().map(|(_, bits)| bits);
        let bits = together(evidence, found.kinds.saturating_sub(found.odd));
        let of = Ripeness {
            known: state.active,
            least: self.settings.min_buckets.max(HABIT),
        };
        let held = self.watch.verdict(&self.settings, bits, of, sample.time);
        let told = (held.is_some() || state.peak.is_below(bits))
            .then(|| (self.looks.explain)(&found))
            .filter(|told| told.observed >= self.settings.floor);
        if told.is_some() && of.known >= of.least {
            state.peak.raise(bits);
        }
        if state.active >= HABIT {
            for (peak, raw) in state.peaks.iter_mut().zip(found.raw) {
                *peak = (*peak).max(fleet::half_bits(raw));
            }
        }
        let (told, held) = (told?, held?);
        let mut terms: Vec<_> = found.terms().collect();
        terms.sort_by(|a, b| b.1.total_cmp(&a.1));
        Some(Deviation {
            bits,
            observed: told.observed,
            expected: told.expected,
            interval: told.interval,
            evidence: f64::from(state.active),
            age: sample.time.since(state.first).max(Span::ZERO),
            model: told.model,
            quiet: told.quiet,
            return_days: self.watch.return_days(bits),
            terms,
            since: state.since.min(sample.time),
            held,
        })
    }

    /// A newcomer waits until it is seen in a second slot or with another value.
    fn newcomer(&mut self, sample: &Sample) -> Option<Deviation> {
        if !sample.lesson.is_whole() {
            return None;
        }
        let value = values::short(sample.value);
        let Some(seen) = self.nursery.find(sample.key) else {
            let newcomer = Newcomer {
                first: sample.time,
                count: 1,
                value,
            };
            self.nursery.insert(sample.key, newcomer);
            return None;
        };
        seen.count = seen.count.saturating_add(1);
        let later = sample.time.bucket(self.slot) > seen.first.bucket(self.slot);
        if !later && seen.value == value {
            return None;
        }
        let state = State::new(seen.first, &self.calendar);
        let (calendar, now) = (&self.calendar, sample.time);
        let values = Values::new(seen.first, calendar);
        let at = self
            .table
            .insert(sample.key, state, |old| old.worth(calendar, now))?;
        self.nursery.remove(sample.key);
        if self.looks.hours {
            put(&mut self.profiles, at, Profile::default());
        }
        if let Some(groups) = &mut self.groups {
            groups.set(at, group(sample.peers));
        }
        for field in self.fields(at) {
            put(&mut self.values, field, values.clone());
        }
        self.known(at, sample)
    }
}

/// Puts what belongs to a table's place beside it.
fn put<T>(beside: &mut Vec<T>, at: usize, value: T) {
    if let Some(place) = beside.get_mut(at) {
        *place = value;
    } else {
        debug_assert_eq!(at, beside.len(), "side by side");
        grow(beside);
        beside.push(value);
    }
}

impl Statistic for Sessions {
    fn observe(&mut self, sample: &Sample) -> Option<Deviation> {
        self.watch.see(sample.time);
        match self.table.find(sample.key) {
            Some(at) => self.known(at, sample),
            None => self.newcomer(sample),
        }
    }

    fn label(&self, key: u64, term: &str) -> Option<String> {
        let state = self.table.get(self.table.find(key)?)?;
        match term {
            HOUR => {
                let cell = self.calendar.cell(state.bucket);
                let days = if cell < 24 { "weekdays" } else { "weekends" };
                Some(format!("{HOUR} {:02} of {days}", cell % 24))
            }
            IDLE => {
                let away = gap::days(state.gaps.away(state.since));
                Some(format!("{IDLE} {away:.0}d"))
            }
            _ => None,
        }
    }

    fn census(&mut self, now: Time) -> Census {
        self.counted(now)
    }

    fn adopt(&mut self, population: &Census, _now: Time) {
        self.learn_population(population);
        self.adopt_groups(population);
        self.watch.adopt(population, &self.settings);
    }

    fn describe(&self, key: u64, now: Time) -> Option<Description> {
        self.described(key, now)
    }

    fn forget(&mut self, key: u64) -> bool {
        self.forgotten(key)
    }

    fn kept(&self) -> Kept<'_> {
        let groups = self.groups.as_ref();
        let beside = self.profiles.capacity() * size_of::<Profile>()
            + self.values.capacity() * size_of::<Values>()
            + self.bases.iter().map(Base::bytes).sum::<usize>()
            + self.fleet.bytes()
            + groups.map_or(0, |groups| groups.bytes(Alike::bytes))
            + size_of::<Sessions>();
        Kept::new(&self.table, &self.nursery, beside)
    }

    fn save(&self) -> Vec<u8> {
        let state = Snapshot {
            table: self.table.save(),
            profiles: self.profiles.clone(),
            values: self.values.clone(),
            nursery: self.nursery.save(),
            bases: self.bases.clone(),
            peers: self.peers.clone(),
            fleet: self.fleet.clone(),
            votes: self.votes.clone(),
            typical: self.typical,
            watch: self.watch.clone(),
        };
        // What has no groups is saved as ever.
        match &self.groups {
            None => snapshot::pack(self.looks.name, &self.settings, &state),
            Some(groups) => {
                let groups = groups.save(Alike::clone);
                snapshot::pack(self.looks.name, &self.settings, &(state, groups))
            }
        }
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let name = self.looks.name;
        let (state, groups): (Snapshot, Option<SavedGroups<Alike>>) = if self.settings.peers {
            let (state, groups) = snapshot::unpack(name, &self.settings, bytes)?;
            (state, Some(groups))
        } else {
            (snapshot::unpack(name, &self.settings, bytes)?, None)
        };
        let mut fresh = Sessions::new(self.looks, &self.settings);
        fresh.table.load(state.table)?;
        fresh.nursery.load(state.nursery)?;
        let entities = fresh.table.len();
        let hours = if self.looks.hours { entities } else { 0 };
        if state.profiles.len() != hours
            || state.values.len() != entities * self.looks.fields
            || state.bases.len() != self.looks.fields
        {
            return Err("entities and what is known of them do not match".to_owned());
        }
        fresh.profiles = state.profiles;
        fresh.values = state.values;
        fresh.bases = state.bases;
        fresh.peers = state.peers;
        fresh.fleet = state.fleet;
        fresh.votes = state.votes;
        fresh.typical = state.typical;
        fresh.watch = state.watch;
        if let Some(groups) = groups {
            fresh.groups = Some(Groups::load(groups, entities, |alike| alike)?);
        }
        *self = fresh;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_takes_eighty_bytes_besides_hours_and_values() {
        assert!(size_of::<State>() <= 80, "{}", size_of::<State>());
        assert!(size_of::<Profile>() <= 100);
    }
}
