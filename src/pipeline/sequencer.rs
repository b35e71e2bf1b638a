//! What time it is by the logs, judged line by line in sequence order.
//!
//! Everything that depends on the order of lines across batches is decided
//! here, by one thread, from event times alone: which lines are too late or
//! too far ahead to move any state, and where the epoch barriers stand. So the
//! answer does not depend on how lines were cut into batches, nor on how many
//! threads parsed them.

use serde::{Deserialize, Serialize};

use super::batch::{Parsed, Timeliness};
use super::drift::Drift;
use crate::time::{Span, Time};

/// A line this much older than the newest of its stream is counted as late:
/// syslog relays and Zeek's workers reorder by seconds, seldom by minutes.
pub(super) const LATENESS: Span = Span::from_secs(600);

/// A stamp this far ahead of all logs is not believed until others agree.
const LEAP: Span = Span::HOUR.times(36);

/// So many lines in a row near a far stamp make it the time: a real pause in
/// the logs, not a forged or mistaken stamp.
const AGREEING: u32 = 16;

/// So many lines of a stream in a row that are late were not delayed: its clock
/// was set back, and its time starts again from there.
const SET_BACK: u32 = 64;

/// Cross-entity knowledge is exchanged at each turn of this.
const EPOCH: Span = Span::DAY;

/// The state of time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sequencer {
    /// The newest believed event time.
    now: Time,
    /// The epoch that `now` is in.
    epoch: i64,
    /// A far stamp that may turn out to be true, and how many lines said so.
    candidate: (Time, u32),
    /// How many rows were judged, up to [`AGREEING`]: until then a first stamp
    /// that is far ahead of all others is taken back.
    judged: u32,
    /// By stream.
    streams: Vec<StreamClock>,
    /// What formats usually match.
    drift: Drift,
}

/// The time of one stream of lines.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct StreamClock {
    /// The newest believed time of writing.
    newest: Time,
    /// How many lines in a row were late.
    late: u32,
}

impl StreamClock {
    const FRESH: StreamClock = StreamClock {
        newest: Time::MIN,
        late: 0,
    };
}

impl Sequencer {
    pub(super) fn new() -> Sequencer {
        Sequencer {
            now: Time::MIN,
            epoch: i64::MIN,
            candidate: (Time::MIN, 0),
            judged: 0,
            streams: Vec::new(),
            drift: Drift::default(),
        }
    }

    /// The newest believed event time.
    pub(super) fn now(&self) -> Time {
        self.now
    }

    /// Gives a stream's number to another: its clock starts afresh.
    pub(super) fn forget(&mut self, stream: u32) {
        if let Some(clock) = self.streams.get_mut(stream as usize) {
            *clock = StreamClock::FRESH;
        }
    }

    /// Judges a batch's rows; batches come in sequence order.
    pub(super) fn stamp(&mut self, parsed: &mut Parsed) {
        self.judge(parsed);
        self.drift.count(parsed);
    }

    fn judge(&mut self, parsed: &mut Parsed) {
        let Parsed {
            batch,
            rows,
            timeliness,
            barriers,
            counts,
            ..
        } = parsed;
        debug_assert!(timeliness.is_empty(), "a batch is stamped once");
        for (number, row) in (0_u32..).zip(rows.iter()) {
            let stream = batch
                .segments
                .get(row.segment as usize)
                .map_or(0, |s| s.stream);
            let verdict = if row.time == Time::MIN {
                counts.timeless += u64::from(!row.unmatched); // a header has none and needs none
                Timeliness::Stale
            } else if !self.believes(row.time) {
                counts.future += 1;
                Timeliness::Stale
            } else {
                if row.time > self.now {
                    self.now = row.time;
                    let epoch = row.time.bucket(EPOCH);
                    if epoch > self.epoch {
                        if self.epoch != i64::MIN {
                            barriers.push((number, Time::from_nanos(epoch * EPOCH.nanos())));
                        }
                        self.epoch = epoch;
                    }
                }
                let late = self.is_late(stream, row.written);
                counts.late += u64::from(late);
                if late {
                    Timeliness::Stale
                } else {
                    Timeliness::Timely
                }
            };
            timeliness.push(verdict);
        }
    }

    /// Whether a stamp is near enough to the logs' time, or enough lines agree on it.
    fn believes(&mut self, time: Time) -> bool {
        if self.judged < AGREEING {
            self.judged += 1;
            if time < self.now.minus(LEAP) {
                self.now = time;
                self.epoch = time.bucket(EPOCH);
                self.streams.clear();
            }
        }
        if self.now == Time::MIN || time <= self.now.plus(LEAP) {
            self.candidate.1 = 0;
            return true;
        }
        let (near, agreeing) = self.candidate;
        let agrees = agreeing > 0 && time >= near.minus(LEAP) && time <= near.plus(LEAP);
        self.candidate = if agrees {
            (near, agreeing + 1)
        } else {
            (time, 1)
        };
        self.candidate.1 >= AGREEING
    }

    fn is_late(&mut self, stream: u32, written: Time) -> bool {
        let at = stream as usize;
        if self.streams.len() <= at {
            self.streams.resize(at + 1, StreamClock::FRESH);
        }
        let Some(clock) = self.streams.get_mut(at) else {
            return false;
        };
        clock.newest = clock.newest.max(written);
        if written >= clock.newest.minus(LATENESS) {
            clock.late = 0;
            return false;
        }
        clock.late += 1;
        if clock.late >= SET_BACK {
            *clock = StreamClock {
                newest: written,
                late: 0,
            };
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::batch::Row;

    fn rows(seconds: &[i64]) -> Parsed {
        let mut parsed = Parsed::default();
        for &s in seconds {
            let time = Time::from_secs(s);
            parsed.rows.push(Row {
                start: 0,
                len: 0,
                segment: 0,
                time,
                written: time,
                format: u8::MAX,
                unmatched: false,
            });
        }
        parsed
    }

    #[test]
    fn one_far_future_stamp_moves_nothing() {
        let mut sequencer = Sequencer::new();
        let mut parsed = rows(&[1000, 1001, 99_999_999, 1002]);
        sequencer.stamp(&mut parsed);
        assert_eq!(sequencer.now, Time::from_secs(1002));
        assert_eq!(parsed.counts.future, 1);
        assert!(parsed.barriers.is_empty());
        assert_eq!(parsed.timeliness[2], Timeliness::Stale);
        assert_eq!(parsed.timeliness[3], Timeliness::Timely);
    }

    #[test]
    fn a_pause_of_weeks_is_believed_after_sixteen_lines() {
        let mut sequencer = Sequencer::new();
        let later: Vec<i64> = (0..20).map(|i| 30 * 86_400 + i).collect();
        let mut parsed = rows(&[&[1000][..], &later].concat());
        sequencer.stamp(&mut parsed);
        assert_eq!(parsed.counts.future, 15);
        assert_eq!(parsed.barriers.len(), 1);
        assert_eq!(sequencer.now, Time::from_secs(30 * 86_400 + 19));
    }

    #[test]
    fn a_first_stamp_from_the_far_future_does_not_make_the_rest_late() {
        let mut sequencer = Sequencer::new();
        let mut parsed = rows(&[99_999_999, 1001, 1002, 1003]);
        sequencer.stamp(&mut parsed);
        assert_eq!(parsed.counts.late, 0);
        assert_eq!(sequencer.now, Time::from_secs(1003));
    }

    #[test]
    fn a_clock_that_is_set_back_is_followed_after_64_lines() {
        let mut sequencer = Sequencer::new();
        let before: Vec<i64> = (0..100).map(|i| 100_000 + i).collect();
        let after: Vec<i64> = (0..100).map(|i| 90_000 + i).collect();
        let mut parsed = rows(&[before, after].concat());
        sequencer.stamp(&mut parsed);
        assert_eq!(parsed.counts.late, 64);
    }

    #[test]
    fn barriers_do_not_depend_on_how_lines_are_batched() {
        let seconds: Vec<i64> = (0..200).map(|i| i * 3_600 - (i % 7) * 60).collect();
        let cut = |size: usize| {
            let mut sequencer = Sequencer::new();
            let mut found = Vec::new();
            for (i, chunk) in seconds.chunks(size).enumerate() {
                let mut parsed = rows(chunk);
                sequencer.stamp(&mut parsed);
                let base = u32::try_from(i * size).unwrap();
                found.extend(
                    parsed
                        .barriers
                        .iter()
                        .map(|&(row, time)| (base + row, time)),
                );
            }
            found
        };
        assert_eq!(cut(1), cut(200));
        assert_eq!(cut(7), cut(31));
        assert_eq!(cut(1).len(), 8);
    }
}
