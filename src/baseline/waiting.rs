//! Delayed learning of counts, where a rule asks for it (`learn: {delay: 24h}`):
//! a closed bucket waits in a line of 24, and what was alerted on meanwhile is
//! not learnt, for a week at most. 64 bytes an entity, beside its state.

use serde::{Deserialize, Serialize};

use super::Settings;
use super::count::{CountState, Model};
use super::season::Profile;
use super::table::grow;
use crate::time::Span;

/// Buckets that can wait.
const LINE: i64 = 24;

/// A spell of alerts longer than this is a new regime, and learnt.
const HOLD_MAX: Span = Span::DAY.times(7);

/// How many buckets wait under these settings.
pub(super) fn delay(settings: &Settings) -> i64 {
    let width = settings.timespan.max(Span::SECOND).nanos();
    let delay = settings.delay.unwrap_or(Span::ZERO).nanos() / width;
    delay.clamp(0, LINE - 1)
}

/// What waits of one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    /// Counts by their bucket's number modulo 24.
    counts: [u16; 24],
    /// The last bucket that alerted, and the first of its spell.
    alerted: i64,
    spell: i64,
}

impl Default for Line {
    fn default() -> Line {
        Line {
            counts: [0; 24],
            alerted: i64::MIN,
            spell: i64::MIN,
        }
    }
}

/// The lines of a lane's entities, place by place of their table.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    delay: i64,
    hold: bool,
    /// A week in buckets.
    week: i64,
    pub(super) lines: Vec<Line>,
}

impl Waiting {
    /// `None` where nothing waits.
    pub(super) fn new(settings: &Settings) -> Option<Waiting> {
        let width = settings.timespan.max(Span::SECOND).nanos();
        Some(Waiting {
            delay: Some(delay(settings)).filter(|&delay| delay > 0)?,
            hold: settings.hold,
            week: (HOLD_MAX.nanos() / width).max(1),
            lines: Vec::new(),
        })
    }

    /// What waits of the entity at a place, by itself.
    pub(super) fn alone(&self, at: usize) -> Waiting {
        Waiting {
            lines: self.lines.get(at).into_iter().cloned().collect(),
            ..*self
        }
    }

    /// An entity takes a place of the table.
    pub(super) fn enter(&mut self, at: usize) {
        if let Some(line) = self.lines.get_mut(at) {
            *line = Line::default();
        } else {
            grow(&mut self.lines);
            self.lines.push(Line::default());
        }
    }

    /// Notes that a bucket was alerted on.
    pub(super) fn note_alert(&mut self, at: usize, bucket: i64) {
        if let Some(line) = self.lines.get_mut(at) {
            if bucket.saturating_sub(line.alerted) > self.week {
                line.spell = bucket;
            }
            line.alerted = bucket;
        }
    }

    /// Ends the counted bucket, which waits from here on; what has waited long
    /// enough when `next` begins is learnt.
    pub(super) fn close(
        &mut self,
        at: usize,
        state: &mut CountState,
        mut profile: Option<&mut Profile>,
        model: &Model,
        next: i64,
    ) {
        let Some(line) = self.lines.get_mut(at) else {
            return;
        };
        let last = state.bucket;
        if std::mem::take(&mut state.barred) {
            // Nothing was there, as far as can be told.
            state.count = 0;
        }
        let count = u16::try_from(std::mem::take(&mut state.count)).unwrap_or(u16::MAX);
        if let Some(place) = place(line, last) {
            *place = place.saturating_add(count);
        }
        let due = next.saturating_sub(1).saturating_sub(self.delay).min(last);
        for bucket in last.saturating_sub(LINE - 1)..=due {
            let count = place(line, bucket).map_or(0, std::mem::take);
            let held = self.hold
                && bucket <= line.alerted
                && line.alerted.saturating_sub(line.spell) <= self.week;
            if count > 0 && held {
                state.skip(bucket, model);
            } else if count > 0 {
                (state.bucket, state.count) = (bucket, u32::from(count));
                state.close(model, profile.as_deref_mut());
            }
        }
        state.bucket = last;
        state.forget_alarm(model);
    }
}

fn place(line: &mut Line, bucket: i64) -> Option<&mut u16> {
    let at = usize::try_from(bucket.rem_euclid(LINE)).ok()?;
    line.counts.get_mut(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_sixty_four_bytes() {
        assert_eq!(size_of::<Line>(), 64);
    }
}
