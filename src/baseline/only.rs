//! Which values of a count count: all, those the entity never came with, or
//! those that never succeeded.
//!
//! - `first_seen`: each entity's own values ([`super::values`]). What it came
//!   with before is no news, so the count is of new edges.
//! - `never_succeeded`: what the last of the rule's members has met is proven
//!   and never counts; the others count, by the first of the rule's fields.
//!   A count of events has no field: what is proven is the entity itself.
//!   Nothing but a success makes a proof, so nobody gets one by trying.

use serde::{Deserialize, Serialize};

use super::base::Base;
use super::season::Calendar;
use super::table::{Saved, Table, grow, swap_out};
use super::values::{self, Values};
use super::{Only, Sample, Settings};
use crate::time::{Span, Time};

/// Active buckets before an entity's new values are news.
const HABIT: u32 = 2;

/// Proofs kept in a lane: 2 MiB, and four for each entity that it may have
/// where that is less. A count over the whole fleet has them all in one lane.
const PROOFS: usize = 65_536;
const PROOFS_EACH: usize = 4;

/// What tells which values count.
#[derive(Debug)]
pub(super) enum Filter {
    /// All do.
    All,
    /// Those the entity never came with: its values, place by place of the table.
    FirstSeen {
        places: Vec<Values>,
        base: Base,
        least: u32,
    },
    /// Those that never succeeded: when what did was last seen, by entity and value.
    NeverSucceeded(Table<Time>),
}

/// What [`Filter::save`] writes.
#[derive(Serialize, Deserialize)]
pub(super) enum SavedFilter {
    All,
    FirstSeen(Vec<Values>),
    NeverSucceeded(Saved<Time>),
}

impl Filter {
    pub(super) fn new(settings: &Settings) -> Filter {
        match settings.only {
            Only::All => Filter::All,
            Only::FirstSeen => Filter::FirstSeen {
                places: Vec::new(),
                base: Base::default(),
                least: settings.min_buckets.max(HABIT),
            },
            Only::NeverSucceeded => {
                let most = settings.max_entities.saturating_mul(PROOFS_EACH);
                Filter::NeverSucceeded(Table::new(most.min(PROOFS)))
            }
        }
    }

    /// Whether a sample is none of what is counted, whoever it is of: a proof,
    /// which is taken in, or one of what is proven.
    pub(super) fn passes_over(&mut self, sample: &Sample) -> bool {
        let Filter::NeverSucceeded(proven) = self else {
            return false;
        };
        // Of one entity: what succeeded for another proves nothing here.
        let key = sample.value ^ sample.key.rotate_left(32);
        if let Some(seen) = proven.find(key).and_then(|at| proven.get_mut(at)) {
            *seen = (*seen).max(sample.time);
            return true;
        }
        // An attempt that failed proves nothing, whichever member it is of.
        if sample.last && sample.lesson.is_whole() {
            let now = sample.time;
            proven.insert(key, now, |seen| {
                Some(-(now.since(*seen).secs() / Span::HOUR.secs()))
            });
        }
        sample.last
    }

    /// The value that a sample counts by.
    pub(super) fn value(&self, sample: &Sample) -> u32 {
        let [first, ..] = sample.parts;
        values::short(match self {
            Filter::NeverSucceeded(_) => first,
            Filter::All | Filter::FirstSeen { .. } => sample.value,
        })
    }

    /// Starts afresh at a place.
    pub(super) fn reset(&mut self, at: usize, first: Time, value: u32, calendar: &Calendar) {
        let Filter::FirstSeen { places, base, .. } = self else {
            return;
        };
        let mut fresh = Values::new(first, calendar);
        fresh.take(value, first, calendar, base);
        if let Some(place) = places.get_mut(at) {
            *place = fresh;
        } else {
            debug_assert_eq!(at, places.len(), "side by side");
            grow(places);
            places.push(fresh);
        }
    }

    /// Whether a sample's value counts for the entity at this place, to whom
    /// it is known from here on.
    pub(super) fn counts(&mut self, at: usize, sample: &Sample, calendar: &Calendar) -> bool {
        let Filter::FirstSeen {
            places,
            base,
            least,
        } = self
        else {
            return true;
        };
        let Some(own) = places.get_mut(at) else {
            return false;
        };
        let bucket = calendar.bucket(sample.time);
        if bucket > own.bucket {
            own.close(calendar);
            own.bucket = bucket;
        }
        let value = values::short(sample.value);
        let new = if sample.lesson.is_whole() {
            own.take(value, sample.time, calendar, base)
        } else {
            own.judge(value, sample.time, calendar, base)
        };
        new.is_some_and(|novelty| novelty.weight >= 1.0) && own.active >= *least
    }

    /// Takes out what is known at a place; the last one's moves there, as in
    /// the table. Proofs are kept by entity and value together and go by age.
    pub(super) fn remove(&mut self, at: usize) {
        if let Filter::FirstSeen { places, .. } = self {
            swap_out(places, at, 1);
        }
    }

    /// What it counts, as people read it.
    pub(super) fn counted(&self) -> &'static str {
        match self {
            Filter::All => "values",
            Filter::FirstSeen { .. } => "values it never came with",
            Filter::NeverSucceeded(_) => "values that never succeeded",
        }
    }

    /// Values known of the entity at this place, where they are kept.
    pub(super) fn known(&self, at: usize) -> Option<u32> {
        match self {
            Filter::FirstSeen { places, .. } => places.get(at).map(Values::known),
            Filter::All | Filter::NeverSucceeded(_) => None,
        }
    }

    /// Whether the entity at this place has no habit yet that tells what is new.
    pub(super) fn is_young(&self, at: usize) -> bool {
        match self {
            Filter::FirstSeen { places, least, .. } => {
                places.get(at).is_none_or(|own| own.active < *least)
            }
            Filter::All | Filter::NeverSucceeded(_) => false,
        }
    }

    /// What the entity at this place is known by, where that is not its counts.
    pub(super) fn evidence(&self, at: usize, calendar: &Calendar) -> Option<f64> {
        match self {
            Filter::FirstSeen { places, .. } => Some(places.get(at)?.evidence(calendar)),
            Filter::All | Filter::NeverSucceeded(_) => None,
        }
    }

    /// Whether what succeeded once is left out.
    pub(super) fn wants_proof(&self) -> bool {
        matches!(self, Filter::NeverSucceeded(_))
    }

    /// Whether it says itself when an entity has a habit.
    pub(super) fn knows_habits(&self) -> bool {
        matches!(self, Filter::FirstSeen { .. })
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Filter::All => 0,
            Filter::FirstSeen { places, .. } => places.capacity() * size_of::<Values>(),
            Filter::NeverSucceeded(proven) => proven.bytes(),
        }
    }

    pub(super) fn save(&self) -> SavedFilter {
        match self {
            Filter::All => SavedFilter::All,
            Filter::FirstSeen { places, .. } => SavedFilter::FirstSeen(places.clone()),
            Filter::NeverSucceeded(proven) => SavedFilter::NeverSucceeded(proven.save()),
        }
    }

    /// Restores what was saved for so many entities.
    pub(super) fn load(&mut self, saved: SavedFilter, entities: usize) -> Result<(), String> {
        match (self, saved) {
            (Filter::All, SavedFilter::All) => Ok(()),
            (Filter::FirstSeen { places, .. }, SavedFilter::FirstSeen(old))
                if old.len() == entities =>
            {
                *places = old;
                Ok(())
            }
            (Filter::NeverSucceeded(proven), SavedFilter::NeverSucceeded(old)) => proven.load(old),
            _ => Err("the state counts other values".to_owned()),
        }
    }
}
