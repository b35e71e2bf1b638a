//! An entity's part in the calibration: its highest score of the day, and how
//! often it may still say that it reached the threshold.

use serde::{Deserialize, Serialize};

use super::super::special::BITS_MAX;

/// Days after which it is forgotten that an entity reached the threshold.
const FORGIVEN: u8 = 28;

/// Most days between two votes of who reaches the threshold each day.
const REST_MOST: u8 = 14;

/// An entity's highest score since the last barrier, in 4 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Peak {
    /// In 128ths of a bit, and one more; 0 of who was not active.
    score: u16,
    /// How often it voted that it reached the threshold, and days since the last time.
    times: u8,
    since: u8,
}

impl Peak {
    /// Takes a score in; of 0, that the entity was active.
    pub(in super::super) fn raise(&mut self, bits: f64) {
        self.score = self.score.max(steps(bits) + 1);
    }

    /// Whether a score would raise it.
    pub(in super::super) fn is_below(self, bits: f64) -> bool {
        self.score <= steps(bits)
    }

    /// Whether the entity was active.
    pub(in super::super) fn is_active(self) -> bool {
        self.score > 0
    }

    /// The day is over: its highest score, which begins anew, if it was active.
    pub(super) fn take(&mut self) -> Option<f64> {
        self.since = self.since.saturating_add(1);
        if self.since > FORGIVEN {
            self.times = 0;
        }
        let score = std::mem::take(&mut self.score);
        score.checked_sub(1).map(|score| f64::from(score) / 128.0)
    }

    /// Whether it counts that it reached the threshold on the day that is over:
    /// each time it takes twice as long as before, up to two weeks. A job that
    /// fails each night is five votes in a month, not thirty.
    pub(super) fn may_reach(&mut self) -> bool {
        let doublings = u32::from(self.times.saturating_sub(1).min(4));
        let rest = (1_u8 << doublings).min(REST_MOST + 1);
        let may = self.times == 0 || self.since >= rest;
        if may {
            (self.times, self.since) = (self.times.saturating_add(1), 0);
        }
        may
    }
}

fn steps(bits: f64) -> u16 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped: 300 bits are 38,400 steps"
    )]
    let steps = (128.0 * bits.clamp(0.0, BITS_MAX)) as u16;
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_takes_four_bytes_and_is_the_highest_of_a_day() {
        assert_eq!(size_of::<Peak>(), 4);
        let mut peak = Peak::default();
        assert!(!peak.is_active() && peak.take().is_none());
        peak.raise(0.0);
        assert!(peak.is_active() && peak.is_below(3.5));
        peak.raise(3.5);
        peak.raise(2.0);
        assert!(!peak.is_below(3.5));
        assert_eq!(peak.take(), Some(3.5));
        peak.raise(f64::INFINITY);
        assert_eq!(peak.take(), Some(300.0));
        assert_eq!(peak.take(), None);
    }

    #[test]
    fn who_reaches_the_threshold_each_day_counts_ever_more_rarely_until_it_is_forgiven() {
        let mut peak = Peak::default();
        let mut counted = Vec::new();
        for day in 0..60 {
            peak.raise(250.0);
            assert!(peak.take().is_some());
            if peak.may_reach() {
                counted.push(day);
            }
        }
        assert_eq!(counted, [0, 1, 3, 7, 15, 30, 45]);
        for _ in 0..=FORGIVEN {
            peak.take();
        }
        assert!(peak.may_reach());
        peak.take();
        assert!(peak.may_reach());
    }
}
