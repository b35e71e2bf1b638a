//! What every kind of stateful rule has in common.

use std::sync::Arc;

use super::marks::Marks;
use crate::baseline::{Census, Crowd, Description, Deviation};
use crate::entity::HashKey;
use crate::event::Event;
use crate::holidays::Holidays;
use crate::line::Place;
use crate::rule::{Location, Rule};
use crate::time::{Span, Time};

/// A row of [`super::KINDS`].
pub struct KindRow {
    /// Its name.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Whether its rules can be judged by an event that no window may take in.
    pub(crate) stateless: bool,
    /// How a rule of this kind works; `None` when the rule is of another kind.
    pub(crate) plan: fn(&Rule, &Limits) -> Option<Result<Plan, Refusal>>,
}

/// What bounds a rule's state in one lane.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Most groups of a correlation.
    pub(crate) groups: usize,
    /// How late an event may be and still count.
    pub(crate) lateness: Span,
    /// Seconds east of UTC, for hours and weekends.
    pub(crate) zone_offset: Span,
    /// Days that are like a weekend.
    pub(crate) holidays: Holidays,
    /// What values are hashed with.
    pub(crate) hash: HashKey,
    /// What nothing is to be learnt of.
    pub(crate) marks: Arc<Marks>,
}

/// Why a rule cannot be used, and what to do about it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) remedy: String,
    pub(crate) at: Option<Location>,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: String, remedy: &str) -> Refusal {
        Refusal {
            code,
            message,
            remedy: remedy.to_owned(),
            at: None,
        }
    }
}

/// How a rule works, the same in every lane.
pub(crate) struct Plan {
    /// As alerts name it: `event_count`, `baseline event_count`.
    pub(crate) name: String,
    /// What it takes, in words: `>= 10 in 10m`.
    pub(crate) threshold: String,
    /// How far back it looks.
    pub(crate) span: Span,
    /// Quiet that ends an episode, and an episode's greatest length.
    pub(crate) quiet: Span,
    pub(crate) longest: Span,
    /// Whether a member's firing counts each time its condition holds (what
    /// comes in sequence) or once per episode (what is counted).
    pub(crate) every_echo: bool,
    /// The fields whose values it looks at.
    pub(crate) values: Vec<String>,
    /// Whether an event may lack some of these; which are there is the first of its values.
    pub(crate) sparse: bool,
    /// The field that it looks at as a number; an event without
    /// one is told all the same.
    pub(crate) amount: Option<String>,
    /// Whether the number is how long the field's text is.
    pub(crate) by_length: bool,
    /// The field that what is observed is a sum of.
    pub(crate) measure: Option<String>,
    /// The field whose value an entity shares with its peers; an event without
    /// one is told all the same.
    pub(crate) peers: Option<String>,
    /// An empty state.
    pub(crate) build: Box<dyn Fn() -> Box<dyn Kind> + Send + Sync>,
}

/// An observation as a kind sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sighting<'a> {
    pub(crate) key: u64,
    pub(crate) key_text: &'a [u8],
    pub(crate) value: u64,
    pub(crate) value_text: &'a [u8],
    pub(crate) number: Option<f64>,
    /// Hash of the value that the entity's peers share; 0 is none.
    pub(crate) peers: u64,
    pub(crate) time: Time,
    pub(crate) count: u32,
    pub(crate) member: u16,
    /// Whether it is an attempt that failed: its names are only claimed.
    pub(crate) unproven: bool,
    pub(crate) place: &'a Place,
}

/// The rule's condition holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Firing {
    /// First event time of what was counted.
    pub(crate) since: Time,
    /// Events that made it hold.
    pub(crate) events: u64,
    /// What was observed; `None` when it is the episode's events.
    pub(crate) observed: Option<f64>,
    /// Its standard error, if it is an estimate.
    pub(crate) margin: Option<f64>,
    /// A baseline's own account of it.
    pub(crate) deviation: Option<Deviation>,
}

/// A group that fires without an event of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Overdue {
    /// The key's hash and bytes.
    pub(crate) key: u64,
    pub(crate) text: Vec<u8>,
    pub(crate) firing: Firing,
}

/// The state of one rule in one lane.
pub(crate) trait Kind: Send {
    /// Takes a sighting in; `Some` whenever the rule's condition now holds.
    fn observe(&mut self, sighting: &Sighting<'_>) -> Option<Firing>;

    /// Values that the group's alert should show, encoded as keys are.
    fn shown(&self, _key: u64) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// A term of a deviation's score with what was seen, where there is more
    /// to say than its name.
    fn label(&self, _key: u64, _term: &str) -> Option<String> {
        None
    }

    /// A group that ought to have come by `now` and did not; asked before an
    /// event is observed, until there is none, of kinds whose groups share a lane.
    fn overdue(&mut self, _now: Time) -> Option<Overdue> {
        None
    }

    /// What else is known of a group that fires, for people.
    fn facts(&self, _key: u64) -> Vec<(&'static str, f64)> {
        Vec::new()
    }

    /// What the lane's entities say about the population.
    fn census(&mut self, _now: Time) -> Census {
        Census::default()
    }

    /// Takes the population in force.
    fn adopt(&mut self, _population: &Census, _now: Time) {}

    /// What is known of an entity, where the rule learns.
    fn describe(&self, _key: u64, _now: Time) -> Option<Description> {
        None
    }

    /// Forgets an entity; whether there was anything.
    fn forget(&mut self, _key: u64) -> bool {
        false
    }

    /// The entities that the rule has learnt of.
    fn keys(&self) -> Vec<u64> {
        Vec::new()
    }

    /// How full it is.
    fn crowd(&self) -> Crowd {
        Crowd::default()
    }

    /// Entities kept and about how many bytes they take.
    fn size(&self) -> (usize, usize);

    /// Entities given up for lack of room.
    fn evicted(&self) -> u64 {
        0
    }

    /// The state, to be read by `load` of the same rule.
    fn save(&self) -> Vec<u8>;

    /// Restores what `save` wrote.
    fn load(&mut self, bytes: &[u8]) -> Result<(), String>;
}

/// An event's time, if rules with windows may use it.
pub(crate) fn time_of(event: &Event<'_>) -> Option<Time> {
    // The ends of time stand for "never" in tables.
    event.time.filter(|t| *t > Time::MIN && *t < Time::MAX)
}
