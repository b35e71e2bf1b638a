//! `session_novelty`: a session that is unusual in several ways at once. A new
//! address, a new host, an odd hour and a long absence are each an ordinary
//! day; all of them together are somebody else.

use super::evidence::{Explained, Found, Looks, odd_by_chance};
use super::session::Sessions;
use super::{ODD_THINGS, PARTS, Row, Settings, Want};

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "session_novelty",
    about: "a session with several things that are unusual for the entity: values it never came with, an odd hour, a long absence",
    field: Want::Must,
    number: false,
    many: true,
    sparse: true,
    prevalence: Want::No,
    peers: true,
    only: &[],
    members: 1,
    // One thing may be odd enough.
    floor: Some(1.0),
    counts: false,
    build: |settings| Box::new(Sessions::new(looks(settings), settings)),
};

fn looks(settings: &Settings) -> Looks {
    Looks {
        name: ROW.name,
        fields: settings.fields.clamp(1, PARTS),
        hours: true,
        gaps: true,
        explain,
        what: ODD_THINGS,
    }
}

/// What is observed is how many things are odd, at least 1 in 8 each.
fn explain(found: &Found) -> Explained {
    let (expected, most) = odd_by_chance(found.kinds);
    Explained {
        model: "fisher",
        observed: f64::from(found.odd),
        expected,
        interval: (0.0, most),
        quiet: (found.floor.ceil() - 1.0).max(0.0),
    }
}
