//! STATISTICS: what is normal. Knows numbers; no logs, no rules.
//!
//! One file per statistic. A statistic keeps the state of all entities of one
//! rule in one lane (see the detector), is told of samples in sequence order,
//! and answers with a [`Deviation`] when the sample is at least as surprising
//! as its settings ask. Surprise is `-log2 P(at least this extreme)` under a
//! proper predictive distribution, so a young baseline is less confident.
//! Time is an argument; learning happens only when a bucket closes.
//!
//! # Counts
//!
//! An entity's rate has a gamma prior (a, b), by moments over the population
//! (Robbins 1956, empirical Bayes). With A events in B buckets, both halved
//! every half-life, and the season's factor s, the next bucket's count is
//!
//! ```text
//! X ~ NB(mean μ = s (a+A)/(b+B), size r = 1/(α + 1/(a+A)))
//! bits = -log2 P(X ≥ x) = -log2 I_{μ/(r+μ)}(x, r)
//! ```
//!
//! where α is the entity's overdispersion (Pearson's moment, shrunk) and I the
//! regularised incomplete beta (Abramowitz and Stegun 26.5.26). s is the hour's
//! share of the entity's week, shrunk to its peers' and smoothed.
//!
//! # New values
//!
//! After n active buckets with K distinct values (Pitman and Yor 1997):
//!
//! ```text
//! bits = -log2 ((θ + δK)/(θ + n)) - log2 q
//! ```
//!
//! where q is the chance that what a peer holds is at most as popular as this
//! value, with Good and Turing's estimate for what nobody holds (Good 1953).
//!
//! # Hours, absences, slips, and all together
//!
//! An hour's surprise is its week's mass at hours as quiet or quieter. A gap
//! is Lomax about the entity's mean, a run of failures before a success
//! Beta-geometric about its share of slips. Several kinds of evidence of one
//! session are combined by Fisher's method.
//!
//! # Beats
//!
//! Gaps that come too evenly to be chance: the likelihood ratio of a gamma law
//! to the exponential, how alike the sizes are, how few others go there.
//!
//! # Silence
//!
//! A gap longer than the longest of n has a chance of 1/n, and the tail beyond
//! is exponential. Only the event time of those who go on tells that it is late.
//!
//! # Amounts
//!
//! Sums are learnt as y = log2(1 + sum), by part of the week, and only in
//! buckets with any (the chance of which is π). An entity's own bell predicts
//! with the weight of the n sums it has shown, its peers' days (G) for the rest,
//! less where it is always the same ones who send so much (r):
//!
//! ```text
//! bits = -log2 π (n P(T_ν ≥ (y - m)/s)/(n + 1) + G(y)/(1 + max(n G, r)))
//!        + destination's term
//! ```
//!
//! What a drift is held against is a second, slow memory; see `drift`.
//!
//! # Travel
//!
//! A speed v between two places has bits = 3 log2(v/225 km/h), and counts where
//! the network is new as well; its bits are added.
//!
//! # What an attacker can do to it
//!
//! A bucket is scored before it is learnt; what is far out is learnt winsorised
//! (Tukey); in everything the entities tell about the population (prior,
//! season, popularity) each has one vote; whoever is seen in one slot of time
//! only waits in a nursery of fixed size; what is established is never
//! displaced by what is new; attempts that failed tell nothing about who
//! somebody is, and what an analyst has marked tells nothing at all
//! ([`Lesson`]).

mod amount;
mod anchor;
mod base;
mod beat;
#[cfg(test)]
mod behaviour;
mod calibrate;
mod combine;
mod count;
mod description;
mod distinct;
mod drift;
mod elementary;
mod event_drop;
mod evidence;
mod failures_then_success;
mod first_seen;
mod flow;
mod gap;
mod held;
mod holders;
mod idle_gap;
mod kept;
mod off_hours;
mod only;
mod peers;
mod periodicity;
mod population;
mod rare;
mod rarity;
mod rate;
mod season;
mod session;
mod session_novelty;
mod shared;
mod silence;
mod snapshot;
mod special;
mod student;
mod sums;
mod table;
mod travel;
mod trend;
mod value_quantile;
mod values;
mod volume;
mod waiting;
mod watch;

use std::collections::BTreeMap;

pub(crate) use elementary::Elementary;

pub use description::{Description, NEW_VALUES, ODD_THINGS};
pub use flow::Crowd;
pub use held::{Held, Reason};
pub use kept::Kept;

use crate::holidays::Holidays;
use crate::time::{Span, Time};

/// What a statistic is told.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The entity's keyed hash.
    pub key: u64,
    /// Event time.
    pub time: Time,
    /// How many times at once (`message repeated N times`).
    pub count: u32,
    /// Keyed hash of the values that the statistic looks at together.
    pub value: u64,
    /// Keyed hashes of the first of them one by one, where the row asks for it.
    pub parts: [u64; PARTS],
    /// The field's value as a number, where the row asks for one.
    pub amount: Option<f64>,
    /// Whether it is of the last of the rule's members, which the others come before.
    pub last: bool,
    /// Keyed hash of the value that the entity's peers share, where the rule
    /// names a field for it; 0 is none.
    pub peers: u64,
    /// Whether anything may be learnt from it.
    pub lesson: Lesson,
}

/// What a sample may teach: it is scored in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lesson {
    /// All there is to learn.
    #[default]
    Whole,
    /// How often it happens, and not who does it: of an attempt that failed,
    /// the names and addresses are whatever the attempt claimed.
    Unproven,
    /// Nothing: somebody marked the entity's time as not its own.
    None,
}

impl Lesson {
    /// Whether it tells who the entity is: its values, hours and absences.
    pub(crate) fn is_whole(self) -> bool {
        self == Lesson::Whole
    }

    /// Whether it does not even tell how much is usual.
    pub(crate) fn is_none(self) -> bool {
        self == Lesson::None
    }
}

/// Most values that a statistic looks at one by one.
pub const PARTS: usize = 4;

/// What a statistic calls its rule's fields in [`Deviation::terms`].
pub const FIELD_TERMS: [&str; PARTS] = ["field 1", "field 2", "field 3", "field 4"];

/// Which values are counted: `count-only:`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Only {
    /// All of them.
    #[default]
    All,
    /// Those the entity never came with.
    FirstSeen,
    /// Those that the last of the rule's members never met.
    NeverSucceeded,
}

impl Only {
    /// The words for it, besides saying nothing.
    pub const WORDS: &'static [(&'static str, Only)] = &[
        ("first_seen", Only::FirstSeen),
        ("never_succeeded", Only::NeverSucceeded),
    ];

    /// By its word.
    pub fn named(word: &str) -> Option<Only> {
        let found = Only::WORDS.iter().find(|(name, _)| *name == word);
        found.map(|&(_, only)| only)
    }
}

/// Whether a rule names something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// It must not.
    No,
    /// It may.
    May,
    /// It must.
    Must,
}

/// How a statistic works for one rule.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what a rule says or leaves unsaid, each by itself"
)]
pub struct Settings {
    /// Bucket length.
    pub timespan: Span,
    /// Half-life of what was learnt.
    pub half_life: Span,
    /// Whether hours of the day and weekends have their own expectation.
    pub season: bool,
    /// Seconds to add to UTC for hours and weekends.
    pub zone_offset: Span,
    /// Days that are like a weekend.
    pub holidays: Holidays,
    /// Shape and rate (in buckets) of the prior until the population gives one.
    pub prior: Option<(f64, f64)>,
    /// Least active buckets before an entity's own history may raise an alert.
    pub min_buckets: u32,
    /// Event time to watch before the first alert.
    pub warm_up: Span,
    /// Surprise above which a bucket is learnt winsorised, in bits.
    pub winsor_bits: f64,
    /// How long a bucket waits before it is learnt; `None` is up to the statistic.
    pub delay: Option<Span>,
    /// Whether what was alerted on while it waited is not learnt.
    pub hold: bool,
    /// Most that a day may raise what a slow anchor expects, as a part of it.
    pub growth: f64,
    /// Most entities kept in this lane.
    pub max_entities: usize,
    /// Least surprise worth reporting, in bits.
    pub surprise: f64,
    /// Most entities a day worth reporting, if any: raises `surprise` as far as it takes.
    pub budget: Option<f64>,
    /// Whether nothing is worth reporting where more than the budget would be.
    pub rare_only: bool,
    /// Least observed value worth reporting.
    pub floor: f64,
    /// Whether what is weighed by its prevalence is part of the entity's key, so
    /// that all who share it are in this lane.
    pub paired: bool,
    /// Whether samples say who the entity's peers are.
    pub peers: bool,
    /// How many fields the rule looks at.
    pub fields: usize,
    /// Which of their values are counted.
    pub only: Only,
    /// Whether the amounts are bytes, whose tail is heavier than any exponential.
    pub heavy: bool,
}

/// A sample that is out of the ordinary, in numbers that explain it.
#[derive(Clone, Debug, PartialEq)]
pub struct Deviation {
    /// `-log2` of the probability of at least this, clamped to 0..=300.
    pub bits: f64,
    /// What was seen (so far in the bucket).
    pub observed: f64,
    /// Mean of the predictive distribution.
    pub expected: f64,
    /// 99 % predictive interval.
    pub interval: (f64, f64),
    /// Effective number of buckets (or active hours) learnt from.
    pub evidence: f64,
    /// Event time since the entity was first seen.
    pub age: Span,
    /// The distribution: `nb`, `pyp`, `week`, `lomax`, `beta-geometric`, or
    /// `fisher` of several.
    /// The distribution: `nb`, `pyp`, `t`, `anchor`.
    pub model: &'static str,
    /// The largest observation that would not have been reported.
    pub quiet: f64,
    /// Once in how many days an entity of this fleet scores so high under this
    /// rule, as far as it is known.
    pub return_days: Option<f64>,
    /// What made up the score, in bits, largest first.
    pub terms: Vec<(&'static str, f64)>,
    /// First event time of what was counted.
    pub since: Time,
    /// What keeps it from being an alert, where something does.
    pub held: Option<Held>,
}

/// What a lane's entities say about the population at an epoch barrier; lanes'
/// censuses are added up in whole numbers, so their order does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Sums in fixed point (2^-32), each statistic's own meaning by place.
    pub sums: Vec<i128>,
    /// How many entities hold a value (hash → entities).
    pub holders: BTreeMap<u64, u64>,
    /// The same of those alone who are of one group of peers.
    pub groups: BTreeMap<u32, Census>,
    /// Entities by the highest score that each had since the last barrier, in
    /// half bits.
    pub votes: Vec<u64>,
    /// The earliest sample: warm-up is counted from the population's.
    pub since: Option<Time>,
}

impl Census {
    /// Adds another lane's.
    pub fn add(&mut self, other: &Census) {
        if self.sums.len() < other.sums.len() {
            self.sums.resize(other.sums.len(), 0);
        }
        for (sum, more) in self.sums.iter_mut().zip(&other.sums) {
            *sum += more;
        }
        if self.votes.len() < other.votes.len() {
            self.votes.resize(other.votes.len(), 0);
        }
        for (votes, more) in self.votes.iter_mut().zip(&other.votes) {
            *votes += more;
        }
        for (&value, &entities) in &other.holders {
            *self.holders.entry(value).or_default() += entities;
        }
        for (&group, census) in &other.groups {
            self.groups.entry(group).or_default().add(census);
        }
        self.since = match (self.since, other.since) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

/// The state of one rule's entities in one lane.
pub trait Statistic: Send {
    /// Scores the sample against what was learnt before its bucket, then
    /// takes it in. `Some` when at least as surprising as the settings ask,
    /// on every sample while that holds: episodes are the caller's. Where it is
    /// too early for an alert, on some of them, and with the reason.
    fn observe(&mut self, sample: &Sample) -> Option<Deviation>;

    /// A term of the entity's last deviation with what was seen, where the
    /// term's name does not tell: `idle gap 21d`.
    fn label(&self, _key: u64, _term: &str) -> Option<String> {
        None
    }

    /// An entity of which nothing was heard for too long at `now`, the time of
    /// an event that is about to be observed; asked until there is none.
    fn overdue(&mut self, _now: Time) -> Option<(u64, Deviation)> {
        None
    }

    /// Whether anything is kept of an entity that may turn out overdue.
    fn keeps(&self, _key: u64) -> bool {
        false
    }

    /// What else is known of an entity that deviates, for people: names with
    /// their unit last (`interval.seconds`).
    fn facts(&self, _key: u64) -> Vec<(&'static str, f64)> {
        Vec::new()
    }

    /// Closes what is due before `now` (an epoch barrier of the watermark)
    /// and describes the lane's entities.
    fn census(&mut self, now: Time) -> Census;

    /// Takes the population's sum of censuses in force from here on.
    fn adopt(&mut self, population: &Census, now: Time);

    /// What is known of an entity at `now`, for people; nothing where it has
    /// no state.
    fn describe(&self, _key: u64, _now: Time) -> Option<Description> {
        None
    }

    /// Forgets an entity; whether there was anything to forget. What it told
    /// about the population goes at the next barrier.
    fn forget(&mut self, _key: u64) -> bool {
        false
    }

    /// Whom it keeps something of.
    fn kept(&self) -> Kept<'_>;

    /// The entities that have state, newcomers too, in no order that means anything.
    fn keys(&self) -> Vec<u64> {
        self.kept().keys()
    }

    /// How full it is, where that tells a flood of entities.
    fn crowd(&self) -> Crowd {
        self.kept().crowd()
    }

    /// How many entities are kept, and about how many bytes they take.
    fn size(&self) -> (usize, usize) {
        self.kept().size()
    }

    /// The whole state, to be read by [`Statistic::load`] of the same settings.
    fn save(&self) -> Vec<u8>;

    /// Restores what [`Statistic::save`] wrote; `Err` says what does not fit.
    fn load(&mut self, bytes: &[u8]) -> Result<(), String>;
}

/// A row of the table.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a table's columns: what a rule of the type may name"
)]
pub struct Row {
    /// The `type:` of baseline rules that it serves.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Whether it looks at a field: `field:`.
    pub field: Want,
    /// Whether it looks at that field as a number, and not as a value like others.
    pub number: bool,
    /// Whether it looks at several fields, one by one.
    pub many: bool,
    /// Whether an event may then lack some of them.
    pub sparse: bool,
    /// Whether it looks at another field, whose value it weighs by how many
    /// entities share it: `prevalence-of:`.
    pub prevalence: Want,
    /// Which values alone it can be asked to count: `count-only:`.
    pub only: &'static [&'static str],
    /// Whether it can go by an entity's peers: `learn: peers:`.
    pub peers: bool,
    /// Least members of its rules; of two or more, the last is what the others come before.
    pub members: usize,
    /// The floor on what is observed of rules that name none; `None` where
    /// they must.
    pub floor: Option<f64>,
    /// Whether what it observes is a number of events.
    pub counts: bool,
    /// An empty state.
    pub build: fn(&Settings) -> Box<dyn Statistic>,
}

/// Whether a statistic judges each entity by all others, as they come: its
/// entities live in one lane, and it is asked who is overdue.
pub fn in_one_lane(name: &str) -> bool {
    name == silence::ROW.name || name == event_drop::ROW.name
}

/// Every statistic.
pub static STATISTICS: &[&Row] = &[
    &rate::ROW,
    &distinct::ROW,
    &first_seen::ROW,
    &session_novelty::ROW,
    &off_hours::ROW,
    &idle_gap::ROW,
    &failures_then_success::ROW,
    &periodicity::ROW,
    &silence::ROW,
    &volume::ROW,
    &drift::ROW,
    &travel::ROW,
    &event_drop::ROW,
    &value_quantile::ROW,
    &rare::ROW,
];
