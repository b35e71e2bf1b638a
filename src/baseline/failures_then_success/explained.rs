//! What is told of a success after failures.

use super::super::special::bits;
use super::super::{Deviation, Sample};
use super::{FAMILIAR, Guesses, Slips, State};
use crate::time::Span;

impl Guesses {
    /// An explanation but for the score itself.
    pub(super) fn deviation(
        &self,
        state: &State,
        law: Slips,
        sample: &Sample,
        (slips, place): (f64, Option<f64>),
    ) -> Deviation {
        let mut terms = vec![("failures", slips)];
        terms.extend(place.map(|bits| ("new place", bits)));
        let (part, more) = match place {
            Some(bits) => (1.0, bits),
            None => (FAMILIAR, 0.0),
        };
        let silent = self.silent(law, part, more);
        terms.sort_by(|a, b| b.1.total_cmp(&a.1));
        Deviation {
            bits: 0.0,
            observed: 0.0,
            expected: law.mean(),
            interval: (0.0, law.quantile(0.005)),
            evidence: state.places.evidence(&self.calendar),
            age: sample.time.since(state.places.first).max(Span::ZERO),
            model: "beta-geometric",
            quiet: silent,
            return_days: None,
            terms,
            since: sample.time,
            held: None,
        }
    }

    /// The most failures of which nothing is said.
    pub(super) fn silent(&self, law: Slips, part: f64, more: f64) -> f64 {
        let wanted = self.watch.threshold();
        let quiet = law.tails();
        let quiet = quiet.take_while(|&(_, ln)| part * bits(ln) + more < wanted);
        let most = quiet.last().map_or(0.0, |(k, _)| f64::from(k));
        most.max(self.settings.floor.ceil() - 1.0)
    }
}
