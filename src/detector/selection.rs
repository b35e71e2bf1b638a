//! Detections that alert by themselves: each event that meets one counts.

use super::kind::{Firing, Kind, KindRow, Plan, Sighting};
use crate::rule::Body;
use crate::time::Span;

/// Quiet that ends an episode of a rule that looks at single events: an hour
/// is longer than any automatic retry and shorter than a working day's parts.
pub(crate) const QUIET: Span = Span::HOUR;

pub(crate) static ROW: KindRow = KindRow {
    name: "selection",
    about: "Sigma detections: one event is enough",
    stateless: true,
    plan: |rule, _| {
        matches!(rule.body, Body::Detection(_)).then(|| {
            Ok(Plan {
                name: "selection".to_owned(),
                threshold: ">= 1".to_owned(),
                span: QUIET,
                quiet: QUIET,
                longest: Span::from_nanos(i64::MAX),
                every_echo: true,
                values: Vec::new(),
                sparse: false,
                amount: None,
                peers: None,
                by_length: false,
                measure: None,
                build: Box::new(|| Box::new(Selection)),
            })
        })
    },
};

/// Has no state: the episodes do the counting.
struct Selection;

impl Kind for Selection {
    fn observe(&mut self, sighting: &Sighting<'_>) -> Option<Firing> {
        Some(Firing {
            since: sighting.time,
            events: u64::from(sighting.count),
            observed: None,
            margin: None,
            deviation: None,
        })
    }

    fn size(&self) -> (usize, usize) {
        (0, 0)
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        if bytes.is_empty() {
            Ok(())
        } else {
            Err("a selection keeps nothing".to_owned())
        }
    }
}
