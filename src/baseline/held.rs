//! Why a result that is odd enough raises no alert.

use serde::{Deserialize, Serialize};

use super::Settings;
use super::watch::Watch;
use crate::time::Time;

/// Bits below a budget's threshold that are near it: one in four of its kind.
const NEAR: f64 = 2.0;

/// What keeps a result from being an alert.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Why.
    pub reason: Reason,
    /// The bits that an alert took at that time.
    pub threshold: f64,
}

/// Why a result is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reason {
    /// The rule has not watched for as long as it warms up: that is over then.
    WarmUp(Time),
    /// Too little is known of the entity: so many active stretches of time, or
    /// gaps, of so many.
    Evidence(u32, u32),
    /// It is odd enough for the rule, and its budget asks for a little more.
    Budget,
}

impl Reason {
    /// The kinds, as programs read them.
    pub const WORDS: [&'static str; 3] = ["warm-up", "too little evidence", "budget"];

    /// Which kind of reason it is.
    pub fn kind(self) -> usize {
        match self {
            Reason::WarmUp(_) => 0,
            Reason::Evidence(..) => 1,
            Reason::Budget => 2,
        }
    }
}

/// What is known of an entity, and the least that its rule asks for.
#[derive(Clone, Copy)]
pub(super) struct Ripeness {
    pub(super) known: u32,
    pub(super) least: u32,
}

impl Watch {
    /// Whether a score is worth telling of, and what holds it back if so. Of
    /// what fails the budget alone only what came near.
    #[expect(
        clippy::option_option,
        reason = "nothing to tell; something, and whether it is held back"
    )]
    pub(super) fn verdict(
        &self,
        settings: &Settings,
        bits: f64,
        of: Ripeness,
        now: Time,
    ) -> Option<Option<Held>> {
        let threshold = self.threshold();
        let missing = threshold - bits;
        let near = missing < NEAR && bits >= settings.surprise;
        let reason = match self.immature(settings, of, now) {
            None if missing <= 0.0 => return Some(None),
            None if near => Reason::Budget,
            Some(reason) if missing <= 0.0 => reason,
            _ => return None,
        };
        Some(Some(Held { reason, threshold }))
    }

    /// Why it is too early for any alert, where it is.
    pub(super) fn immature(&self, settings: &Settings, of: Ripeness, now: Time) -> Option<Reason> {
        if !self.is_warm(settings, now) {
            return Some(Reason::WarmUp(self.warm_from(settings, now)));
        }
        (of.known < of.least).then_some(Reason::Evidence(of.known, of.least))
    }
}

/// Whether a count that grew is worth a look once more: of each doubling eight
/// are, so that a flood which raises no alert costs no more than one that does.
pub(super) fn is_step(before: u32, count: u32) -> bool {
    let step = |n: u32| {
        n & u32::MAX
            .checked_shl(n.ilog2().saturating_sub(3))
            .unwrap_or(0)
    };
    before == 0 || count > 0 && step(before) != step(count)
}

#[cfg(test)]
mod tests {
    use super::super::behaviour::settings;
    use super::*;
    use crate::time::Span;

    #[test]
    fn what_holds_a_score_back_is_the_rules_age_then_the_entitys_then_the_budget() {
        let settings = Settings {
            warm_up: Span::DAY,
            surprise: 10.0,
            budget: Some(0.2),
            ..settings()
        };
        let mut watch = Watch::new(&settings);
        watch.see(Time::from_secs(1000));
        let known = |known| Ripeness { known, least: 5 };
        let ask = |watch: &Watch, bits, of, secs| {
            let found = watch.verdict(&settings, bits, known(of), Time::from_secs(secs));
            found.map(|held| held.map(|held| held.reason))
        };
        // Without a history the budget asks for twenty bits.
        let warm = Time::from_secs(1000 + 86_400);
        let young = Some(Some(Reason::WarmUp(warm)));
        assert_eq!(ask(&watch, 25.0, 9, 2000), young);
        assert_eq!(ask(&watch, 25.0, 2, 2000), young);
        assert_eq!(ask(&watch, 19.0, 9, 2000), None);
        let census = watch.census(Vec::new());
        watch.adopt(&census, &settings);
        let later = 1000 + 86_400;
        assert_eq!(
            ask(&watch, 25.0, 2, later),
            Some(Some(Reason::Evidence(2, 5)))
        );
        assert_eq!(ask(&watch, 25.0, 5, later), Some(None), "an alert");
        assert_eq!(ask(&watch, 19.0, 5, later), Some(Some(Reason::Budget)));
        assert_eq!(ask(&watch, 17.0, 5, later), None, "not near");
        assert_eq!(ask(&watch, 19.0, 2, later), None, "two reasons");
    }

    #[test]
    fn of_a_growing_count_eight_in_a_doubling_are_steps() {
        let steps = |from: u32, to: u32| (from..to).filter(|&n| is_step(n - 1, n)).count();
        assert_eq!(steps(1, 17), 16);
        assert_eq!((steps(32, 64), steps(1 << 20, 1 << 21)), (8, 8));
        // Several at once step over what lies between.
        assert!(is_step(1_000, 5_000) && !is_step(1_024, 1_025));
    }
}
