//! `idle_gap`: an entity that comes back after a longer absence than its own.
//! A dormant account that wakes is either somebody's return or somebody else.

use super::evidence::{Explained, Found, Looks};
use super::session::Sessions;
use super::{Row, Want};
use crate::baseline::Elementary as _;

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "idle_gap",
    about: "an entity that comes back after an absence, in days, longer than its own ever were",
    field: Want::No,
    number: false,
    many: false,
    sparse: false,
    prevalence: Want::No,
    peers: false,
    only: &[],
    members: 1,
    // Ten days: longer than a week off with both its weekends.
    floor: Some(10.0),
    counts: false,
    build: |settings| Box::new(Sessions::new(LOOKS, settings)),
};

const LOOKS: Looks = Looks {
    name: ROW.name,
    fields: 0,
    hours: false,
    gaps: true,
    explain,
    what: "days away",
};

/// What is observed is days.
fn explain(found: &Found) -> Explained {
    Explained {
        model: "lomax",
        observed: found.away,
        expected: found.law.mean,
        interval: (0.0, found.law.reaching(0.005_f64.recip().log_two())),
        quiet: found.law.reaching(found.threshold).max(found.floor),
    }
}
