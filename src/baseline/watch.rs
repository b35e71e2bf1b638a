//! What every statistic keeps of its rule besides entities: since when it
//! watches, and how often its scores are reached.

use serde::{Deserialize, Serialize};

use super::calibrate::{Calibrator, Peak, Votes};
use super::{Census, Settings};
use crate::time::{Span, Time};

/// A rule's start and calibration, the same in each lane from a barrier on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Watch {
    /// The lane's earliest sample, and the population's.
    first: Option<Time>,
    since: Option<Time>,
    calibrator: Calibrator,
}

impl Watch {
    pub(super) fn new(settings: &Settings) -> Watch {
        Watch {
            first: None,
            since: None,
            calibrator: Calibrator::new(settings),
        }
    }

    /// Takes note of a sample's time.
    pub(super) fn see(&mut self, time: Time) {
        if self.first.is_none_or(|first| time < first) {
            self.first = Some(time);
        }
    }

    /// Whether the rule has watched for long enough. The population's start
    /// decides, not the lane's, so that how entities are dealt to lanes does
    /// not; it is known from the first barrier on.
    pub(super) fn is_warm(&self, settings: &Settings, now: Time) -> bool {
        settings.warm_up <= Span::ZERO
            || self
                .since
                .is_some_and(|since| now.since(since) >= settings.warm_up)
    }

    /// When that is, at the latest: the lane's own start may be all there is to go by.
    pub(super) fn warm_from(&self, settings: &Settings, now: Time) -> Time {
        let start = self.since.or(self.first).unwrap_or(now);
        start.plus(settings.warm_up)
    }

    /// The least surprise worth reporting, in bits.
    pub(super) fn threshold(&self) -> f64 {
        self.calibrator.threshold()
    }

    /// Once in how many days the fleet scores so high.
    pub(super) fn return_days(&self, bits: f64) -> Option<f64> {
        self.calibrator.return_days(bits)
    }

    /// An entity's vote: the highest score since the last barrier, which begins anew.
    pub(super) fn vote(&self, votes: &mut Votes, peak: &mut Peak) {
        self.calibrator.vote(votes, peak);
    }

    /// The lane's census as far as it is everybody's.
    pub(super) fn census(&self, votes: Votes) -> Census {
        Census {
            votes,
            since: self.first,
            ..Census::default()
        }
    }

    /// Takes the population in force.
    pub(super) fn adopt(&mut self, population: &Census, settings: &Settings) {
        self.calibrator.fold(&population.votes, settings);
        if self.since.is_none() {
            self.since = population.since;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::behaviour::settings;
    use super::*;

    #[test]
    fn who_alerts_votes_once_a_day_and_for_no_more_than_the_threshold() {
        let watch = Watch::new(&Settings {
            budget: Some(0.2),
            ..settings()
        });
        let (mut votes, mut peak) = (Votes::new(), Peak::default());
        peak.raise(250.0);
        for _ in 0..3 {
            watch.vote(&mut votes, &mut peak);
        }
        // Where nothing is known the threshold is twenty bits.
        let reaching = [20.0, 20.5].map(|bits| super::super::calibrate::reaching(&votes, bits));
        assert_eq!((votes.iter().sum::<u64>(), reaching), (1, [1, 0]));
    }
}
