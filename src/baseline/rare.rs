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
use super::first_seen::{FirstSeen, Tells};
use super::season::Calendar;
use super::special::{exp2, real};
use super::values::{Novelty, THETA, Values};
use super::{Row, Want};
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
    // Weights are counts; of what was not seen for long less is left.
    let left = |weight: u8, days: u16| {
        let idle = real(i64::from(days)) * calendar.buckets_per_day();
        f64::from(weight) * exp2(-idle / calendar.half_life)
    };
    let mut habits = values.habits(time);
    let (_, weight, days) = habits.find(|&(other, ..)| other == value)?;
    if weight == u8::MAX {
        return None;
    }
    let own = left(weight, days);
    let all = values
        .habits(time)
        .map(|(_, weight, days)| left(weight, days));
    let tail: f64 = all.filter(|&weight| weight <= own).sum();
    let new = values.novelty(value, 1.0, calendar, base);
    let seldom = tail / (THETA + values.evidence(calendar));
    Some(Novelty {
        own: (new.own + seldom).min(1.0),
        ..new
    })
}
