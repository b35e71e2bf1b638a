//! `rare`: a value that the entity had before, and hardly ever has.
//!
//! Of n active buckets w had the value, so that one of those that come as
//! seldom, or a new one, comes with the chance
//!
//! ```text
//! p = (Σ{w' ≤ w} w' + θ + δK) / (n + θ) · q
//! ```
//!
//! where q is the chance that what a peer holds is at most as popular, as it is
//! for new values: what its group does every day is no worry for coming seldom
//! here. What is new is `first_seen`'s to tell. A value is rare until it has
//! come often: nobody makes it common but by using it, and each time is told.

use super::base::Base;
use super::description::RARE_VALUES;
use super::first_seen::{FirstSeen, Tells};
use super::season::Calendar;
use super::special::{exp2, real};
use super::values::{Novelty, THETA, Values};
use super::{Description, Row, Want};
use crate::baseline::Elementary as _;
use crate::time::Time;

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "rare",
    about: "a value that the entity has had, but hardly ever has, weighed by how many of its peers do",
    field: Want::Must,
    number: false,
    many: false,
    sparse: false,
    prevalence: Want::No,
    peers: true,
    only: &[],
    members: 1,
    // One is worth a look.
    floor: Some(0.0),
    counts: false,
    build: |settings| Box::new(FirstSeen::new(&RARE, settings)),
};

static RARE: Tells = Tells {
    name: ROW.name,
    rare: true,
    // A tenth of a habit comes once by then.
    least: 10,
};

/// How rare a value is; `None` for what is new in this bucket, and for what
/// comes more often than is counted.
pub(super) fn rarity(
    values: &Values,
    value: u32,
    time: Time,
    calendar: &Calendar,
    base: &Base,
) -> Option<Novelty> {
    let mut habits = values.habits(time);
    let (_, weight, days) = habits.find(|&(other, ..)| other == value)?;
    if weight == u8::MAX {
        return None;
    }
    let own = left(weight, days, calendar);
    let all = values
        .habits(time)
        .map(|(_, weight, days)| left(weight, days, calendar));
    let tail: f64 = all.filter(|&weight| weight <= own).sum();
    let new = values.novelty(value, 1.0, calendar, base);
    let seldom = tail / (THETA + values.evidence(calendar));
    Some(Novelty {
        own: (new.own + seldom).min(1.0),
        ..new
    })
}

/// The values of an entity that are rare enough to be told of.
pub(super) struct Rare {
    /// How many there are.
    known: u32,
    /// How many of them come in an active bucket, on average.
    each: f64,
}

/// Which of an entity's values would be told of if they came now.
pub(super) fn expected(
    values: &Values,
    now: Time,
    calendar: &Calendar,
    base: &Base,
    threshold: f64,
) -> Rare {
    let mut rare = Rare {
        known: 0,
        each: 0.0,
    };
    let active = THETA + values.evidence(calendar);
    for (value, weight, days) in values.habits(now) {
        let found = rarity(values, value, now, calendar, base);
        let (own, peers) = found.map_or((0.0, 0.0), |found| found.apart());
        if found.is_some() && own + peers >= threshold {
            rare.known += 1;
            rare.each += left(weight, days, calendar) / active;
        }
    }
    rare
}

impl Rare {
    /// In place of what is said of new ones.
    pub(super) fn described(&self, new: Description) -> Description {
        // Poisson: the least that 99.5 % have at most.
        let (mut most, mut term) = (0.0, (-self.each).exp_e());
        let mut part = term;
        while part < 0.995 && most < f64::from(self.known) {
            most += 1.0;
            term *= self.each / most;
            part += term;
        }
        Description {
            what: RARE_VALUES,
            expected: self.each,
            interval: (0.0, most),
            observed: None,
            alarm: new.alarm.filter(|_| self.known > 0),
            more: vec![("rare enough to alert", f64::from(self.known))],
            ..new
        }
    }
}

/// What is left of a weight, which counts active buckets, of what was not seen
/// for so many days.
fn left(weight: u8, days: u16, calendar: &Calendar) -> f64 {
    let idle = real(i64::from(days)) * calendar.buckets_per_day();
    f64::from(weight) * exp2(-idle / calendar.half_life)
}
