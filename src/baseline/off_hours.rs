//! `off_hours`: activity at an hour of the week at which the entity is never
//! or hardly ever active. The score is the chance to be active at an hour as
//! quiet for it, or quieter; its peers' week counts as six of its own hours.

use super::evidence::{Explained, Found, Looks};
use super::session::Sessions;
use super::{Row, Want};

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "off_hours",
    about: "activity at an hour at which the entity is hardly ever active",
    field: Want::No,
    number: false,
    many: false,
    sparse: false,
    prevalence: Want::No,
    peers: true,
    only: &[],
    members: 1,
    // The first event at night is worth a look.
    floor: Some(1.0),
    counts: true,
    build: |settings| Box::new(Sessions::new(LOOKS, settings)),
};

const LOOKS: Looks = Looks {
    name: ROW.name,
    fields: 0,
    hours: true,
    gaps: false,
    explain,
    what: "events at an odd hour",
};

/// What is observed is events; expected is how many of a hundred active hours
/// are as odd, as a part of one.
fn explain(found: &Found) -> Explained {
    Explained {
        model: "week",
        observed: f64::from(found.count),
        expected: found.tail,
        interval: (0.0, if found.tail > 0.005 { 1.0 } else { 0.0 }),
        quiet: (found.floor.ceil() - 1.0).max(0.0),
    }
}
