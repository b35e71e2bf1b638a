//! Episodes: one alert per rule and entity while the same thing goes on.

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use super::Id;
use crate::time::{Span, Time};

/// When an episode ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// After that long without the rule's condition holding.
    pub quiet: Span,
    /// After that long in any case.
    pub longest: Span,
}

/// Growth of the value since the last report that is worth an update.
const GROWTH: f64 = 4.0;
/// Growth of the surprise in bits since the last report that is worth an update.
const MORE_BITS: f64 = 6.0;

/// Who an episode is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// The rule, by the caller's number.
    pub rule: u16,
    /// The entity's keyed hash.
    pub key: u64,
}

/// A moment at which a rule's condition holds.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Event time.
    pub time: Time,
    /// First event time of what was counted.
    pub since: Time,
    /// Events that made it hold, if it starts an episode.
    pub events: u64,
    /// Events since the moment before, if it continues one.
    pub more: u64,
    /// What was observed; `None` when the episode's events are the value.
    pub value: Option<f64>,
    /// Surprise in bits.
    pub bits: f64,
}

/// What goes on about one subject.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// Who it is about.
    pub subject: Subject,
    /// The alert's id.
    pub id: Id,
    /// How often it was updated.
    pub revision: u32,
    /// When it was raised.
    pub start: Time,
    /// First event time of what was counted.
    pub since: Time,
    /// When the condition last held.
    pub last: Time,
    /// Events so far.
    pub events: u64,
    value: f64,
    bits: f64,
}

/// What to say of a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Turn {
    /// A new alert.
    New(Episode),
    /// An update of one.
    Update(Episode),
    /// Nothing that is not said already.
    Same,
}

/// The episodes going on.
#[derive(Debug)]
pub struct Episodes {
    table: HashTable<Episode>,
    max: usize,
    /// Episodes forgotten for lack of room; their subjects may alert again.
    pub evicted: u64,
}

fn hash(subject: &Subject) -> u64 {
    // The key is a keyed hash already; the rule only has to move it.
    subject.key ^ u64::from(subject.rule).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Episodes {
    /// Room for that many at once.
    pub fn new(max: usize) -> Episodes {
        Episodes {
            table: HashTable::new(),
            max: max.max(1),
            evicted: 0,
        }
    }

    /// Takes in a moment; `id` names the alert if it starts an episode.
    pub fn observe(
        &mut self,
        subject: Subject,
        moment: &Moment,
        policy: &Policy,
        id: impl FnOnce() -> Id,
    ) -> Turn {
        let found = self
            .table
            .find_mut(hash(&subject), |episode| episode.subject == subject);
        if let Some(episode) = found {
            if episode.goes_on(moment.time, policy) {
                return episode.turn(moment);
            }
            *episode = Episode::start(subject, moment, id());
            return Turn::New(*episode);
        }
        if self.table.len() >= self.max {
            self.evict();
        }
        let episode = Episode::start(subject, moment, id());
        self.table
            .insert_unique(hash(&subject), episode, |e| hash(&e.subject));
        Turn::New(episode)
    }

    /// Forgets the one that was quiet for longest.
    fn evict(&mut self) {
        let oldest = self.table.iter().map(|e| (e.last, e.subject)).min();
        if let Some((_, subject)) = oldest {
            self.forget(subject);
            self.evicted += 1;
        }
    }

    /// The one of a subject.
    pub fn get(&self, subject: Subject) -> Option<&Episode> {
        self.table.find(hash(&subject), |e| e.subject == subject)
    }

    /// Forgets a subject's.
    pub fn forget(&mut self, subject: Subject) {
        let entry = self
            .table
            .find_entry(hash(&subject), |e| e.subject == subject);
        if let Ok(entry) = entry {
            entry.remove();
        }
    }

    /// How many go on.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether none goes on.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// All of them, in an order that depends on nothing but them.
    pub fn save(&self) -> Vec<Episode> {
        let mut all: Vec<Episode> = self.table.iter().copied().collect();
        all.sort_by_key(|e| e.subject);
        all
    }

    /// Takes back what was saved, up to the room there is.
    pub fn load(&mut self, saved: impl IntoIterator<Item = Episode>) {
        self.table.clear();
        for episode in saved.into_iter().take(self.max) {
            self.table
                .insert_unique(hash(&episode.subject), episode, |e| hash(&e.subject));
        }
    }
}

impl Episode {
    #[expect(clippy::cast_precision_loss, reason = "shown to people")]
    fn start(subject: Subject, moment: &Moment, id: Id) -> Episode {
        Episode {
            subject,
            id,
            revision: 0,
            start: moment.time,
            since: moment.since,
            last: moment.time,
            events: moment.events,
            value: moment.value.unwrap_or(moment.events as f64),
            bits: moment.bits,
        }
    }

    fn goes_on(&self, time: Time, policy: &Policy) -> bool {
        // Both ways: a stamp far ahead or behind is not the same episode, and
        // must not keep it open.
        let gap = time.since(self.last).nanos().unsigned_abs();
        gap <= policy.quiet.nanos().unsigned_abs() && time.since(self.start) <= policy.longest
    }

    #[expect(clippy::cast_precision_loss, reason = "shown to people")]
    fn turn(&mut self, moment: &Moment) -> Turn {
        self.events += moment.more;
        self.last = self.last.max(moment.time);
        self.since = self.since.min(moment.since);
        let value = moment.value.unwrap_or(self.events as f64);
        let grown = value >= self.value * GROWTH || moment.bits >= self.bits + MORE_BITS;
        if !grown {
            return Turn::Same;
        }
        self.value = self.value.max(value);
        self.bits = self.bits.max(moment.bits);
        self.revision += 1;
        Turn::Update(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        quiet: Span::HOUR,
        longest: Span::DAY,
    };

    fn at(secs: i64) -> Moment {
        Moment {
            time: Time::from_secs(secs),
            since: Time::from_secs(secs),
            events: 1,
            more: 1,
            value: None,
            bits: 0.0,
        }
    }

    fn subject(key: u64) -> Subject {
        Subject { rule: 1, key }
    }

    fn id(n: u8) -> Id {
        Id([n; 16])
    }

    #[test]
    fn a_flood_is_one_alert_and_an_update_at_each_fourfold() {
        let mut episodes = Episodes::new(8);
        let mut updates = Vec::new();
        for secs in 0..1000 {
            match episodes.observe(subject(1), &at(secs), &POLICY, || id(1)) {
                Turn::New(e) => assert_eq!((secs, e.events), (0, 1)),
                Turn::Update(e) => updates.push(e.events),
                Turn::Same => {}
            }
        }
        assert_eq!(updates, [4, 16, 64, 256]);
    }

    #[test]
    fn an_hour_of_quiet_ends_an_episode_and_a_stamp_from_the_future_does_not_hold_it_open() {
        let mut episodes = Episodes::new(8);
        let mut new = |secs| {
            let turn = episodes.observe(subject(1), &at(secs), &POLICY, || id(1));
            matches!(turn, Turn::New(_))
        };
        assert!(new(0));
        assert!(!new(3600));
        assert!(new(7201));
        assert!(new(1_000_000));
        assert!(new(7300));
    }

    #[test]
    fn the_table_stays_bounded_and_forgets_the_quietest() {
        let mut episodes = Episodes::new(4);
        for key in 0..10 {
            episodes.observe(subject(key), &at(key.cast_signed()), &POLICY, || id(0));
        }
        assert_eq!((episodes.len(), episodes.evicted), (4, 6));
        let left: Vec<u64> = episodes.save().iter().map(|e| e.subject.key).collect();
        assert_eq!(left, [6, 7, 8, 9]);
    }
}
