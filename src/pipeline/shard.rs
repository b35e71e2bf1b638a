//! The stateful part: lanes take a batch's observations in order and answer
//! with alerts. A shard is the lanes of one thread; which lanes those are
//! changes nothing, since lanes know nothing of each other.

use super::batch::{Parsed, Timeliness};
use crate::alert::Alert;
use crate::baseline::Census;
use crate::detector::{Detector, LANES, Lane, Seen};
use crate::sync::Arc;
use crate::time::Time;

/// An alert and the row of the batch that raised it: its place in the order.
pub(super) struct Raised {
    pub(super) row: u32,
    pub(super) lane: u32,
    pub(super) alert: Alert,
}

/// Some of the lanes.
pub(super) struct Shard {
    detector: Arc<Detector>,
    /// `(number, lane)`, by rising number.
    pub(super) lanes: Vec<(usize, Lane)>,
    cursors: Vec<usize>,
    fresh: Vec<Alert>,
}

impl Shard {
    /// The lanes whose number leaves `part` when divided by `parts`.
    pub(super) fn new(detector: &Arc<Detector>, part: usize, parts: usize) -> Shard {
        assert!(part < parts, "a part of its whole");
        let lanes: Vec<_> = (0..LANES)
            .filter(|n| n % parts == part)
            .map(|n| (n, Lane::new(detector)))
            .collect();
        Shard {
            detector: Arc::clone(detector),
            cursors: vec![0; lanes.len()],
            lanes,
            fresh: Vec::new(),
        }
    }

    /// Takes a batch: its observations in order, and its epoch barriers, at
    /// which `exchange` turns this shard's word into the whole population's.
    pub(super) fn settle(
        &mut self,
        parsed: &Parsed,
        raised: &mut Vec<Raised>,
        exchange: &mut dyn FnMut(Vec<Census>) -> Vec<Census>,
    ) {
        self.cursors.fill(0);
        for &(row, epoch) in &parsed.barriers {
            self.advance(parsed, row, raised);
            let population = exchange(self.census(epoch));
            self.adopt(&population, epoch);
        }
        self.advance(parsed, u32::MAX, raised);
    }

    /// Takes each lane's observations of rows below `until`.
    fn advance(&mut self, parsed: &Parsed, until: u32, raised: &mut Vec<Raised>) {
        for ((number, lane), cursor) in self.lanes.iter_mut().zip(&mut self.cursors) {
            let rest = parsed.observations.lane(*number).skip(*cursor);
            for observation in rest.take_while(|o| o.line < until) {
                *cursor += 1;
                let at = observation.line as usize;
                let Some(row) = parsed.rows.get(at) else {
                    debug_assert!(false, "an observation is of a row");
                    continue;
                };
                let (place, path) = parsed.place(observation.line, row);
                let seen = Seen {
                    place,
                    path,
                    bytes: parsed.line(row),
                    stale: parsed.timeliness.get(at) == Some(&Timeliness::Stale),
                };
                lane.observe(
                    &self.detector,
                    observation,
                    parsed.observations.text(),
                    &seen,
                    &mut self.fresh,
                );
                raised.extend(self.fresh.drain(..).map(|alert| Raised {
                    row: observation.line,
                    lane: u32::try_from(*number).unwrap_or(0),
                    alert,
                }));
            }
        }
    }

    /// What all its entities say at an epoch barrier, by rule.
    fn census(&mut self, epoch: Time) -> Vec<Census> {
        let mut sum: Vec<Census> = Vec::new();
        for (_, lane) in &mut self.lanes {
            add(&mut sum, &lane.census(epoch));
        }
        sum
    }

    /// Takes the whole population's word in force.
    fn adopt(&mut self, population: &[Census], epoch: Time) {
        for (_, lane) in &mut self.lanes {
            lane.adopt(population, epoch);
        }
    }
}

/// Adds censuses rule by rule.
pub(super) fn add(sum: &mut Vec<Census>, more: &[Census]) {
    if sum.len() < more.len() {
        sum.resize(more.len(), Census::default());
    }
    for (total, part) in sum.iter_mut().zip(more) {
        total.add(part);
    }
}

/// Puts a batch's alerts into the one order that does not depend on threads:
/// by row, then by lane; a lane's own are in order already.
pub(super) fn order(raised: &mut [Raised]) {
    raised.sort_by_key(|r| (r.row, r.lane));
}
