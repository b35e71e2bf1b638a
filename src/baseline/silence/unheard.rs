//! Silences that are over before the rule may tell of any.

use super::Silence;
use crate::baseline::held::Ripeness;
use crate::baseline::{Deviation, Held};
use crate::time::Time;

impl Silence {
    /// A silence that ends while the rule is too young to tell of any.
    pub(super) fn unheard(&self, at: usize, now: Time) -> Option<Deviation> {
        let source = self.table.get(at)?;
        if now <= source.alarm(&self.calendar) || source.gaps < self.least() {
            return None;
        }
        let of = Ripeness { known: 0, least: 0 };
        let reason = self.watch.immature(&self.settings, of, now)?;
        let (spoke, all) = self.company(source, now);
        let threshold = self.watch.threshold();
        (spoke > 0 && 2 * spoke >= all).then(|| Deviation {
            held: Some(Held { reason, threshold }),
            ..self.deviation(source, now)
        })
    }
}
