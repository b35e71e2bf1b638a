//! One entity's gaps, by the hour of the day that they began in.

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};
use std::f64::consts::{LN_2, LOG2_E};

use crate::baseline::calibrate::{Peak, single};
use crate::baseline::season::Calendar;
use crate::baseline::special::BITS_MAX;
use crate::time::{SECS_PER_DAY, Span, Time};

/// Gaps that began at an hour before that hour is judged by itself.
const HOUR_LEAST: f32 = 30.0;

/// A gap may at most double the longest, and ten minutes is no news.
const LEARN_LEAST: f64 = 600.0;

/// Less than this is one event in several lines.
const GAP_LEAST: Span = Span::SECOND;

/// However many gaps there were: this much longer than the longest, at least.
const LONGER: f64 = 1.25;

/// Gaps beyond which more of them make nobody surer.
const GAPS_MOST: f32 = 65_536.0;

/// Who is never silent for as long does not close for the night.
const HALF_DAY: Span = Span::from_secs(SECS_PER_DAY / 2);

/// Holidays in a row, apart from each other, that put an alarm off.
const HOLIDAYS_MOST: u32 = 16;

/// Gaps that began in one hour of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Hour {
    gaps: f32,
    /// In seconds; forgotten by half each half-life.
    pub(super) longest: f32,
}

/// What is kept of one entity: 480 bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) key: u64,
    pub(super) first: Time,
    pub(super) last: Time,
    /// Since when its silence counts: its last event, or an outage of all.
    pub(super) base: Time,
    /// The hour that `patience` is of.
    pub(super) bucket: i64,
    /// Silence that is worth telling, from `base` on.
    pub(super) patience: Span,
    pub(super) gaps: u32,
    pub(super) peak: Peak,
    pub(super) told: bool,
    /// How many were silent with it.
    pub(super) others: u32,
    weekday: [Hour; 24],
    weekend: [Hour; 24],
}

impl Source {
    pub(super) fn new(key: u64, first: Time) -> Source {
        Source {
            key,
            first,
            last: first,
            base: first,
            bucket: i64::MIN,
            patience: Span::DAY,
            gaps: 0,
            peak: Peak::default(),
            told: false,
            others: 0,
            weekday: [Hour::default(); 24],
            weekend: [Hour::default(); 24],
        }
    }

    /// The middle of its silence: a moment after the first fell silent, all the
    /// others of an outage had.
    pub(super) fn middle(&self, now: Time) -> Time {
        let quiet = now.since(self.base);
        self.base.plus(Span::from_nanos(quiet.nanos() / 2))
    }

    /// When its silence is worth telling: holidays do not count for who is
    /// ever silent for so long that it may be for having nobody in.
    pub(super) fn alarm(&self, calendar: &Calendar) -> Time {
        let alarm = self.base.plus(self.patience);
        if self.patience < HALF_DAY {
            return alarm;
        }
        let mut later = alarm;
        for _ in 0..HOLIDAYS_MOST {
            let longer = alarm.plus(calendar.holidays(self.base, later));
            if longer == later {
                break;
            }
            later = longer;
        }
        later
    }

    /// How long it was silent, holidays left out as for its alarm.
    pub(super) fn quiet(&self, from: Time, now: Time, calendar: &Calendar) -> f64 {
        let all = now.since(from).as_secs_f64();
        if self.patience < HALF_DAY {
            return all;
        }
        all - calendar.holidays(from, now).as_secs_f64()
    }

    pub(super) fn hours(&self) -> impl Iterator<Item = &Hour> {
        self.weekday.iter().chain(&self.weekend)
    }

    /// How many gaps began about this hour, and the longest of them in seconds.
    pub(super) fn about(&self, cell: usize) -> (f64, f64) {
        let day = if cell < 24 {
            &self.weekday
        } else {
            &self.weekend
        };
        let hour = cell % 24;
        let near = [hour + 23, hour, hour + 1].map(|hour| day.get(hour % 24).copied());
        let own = near.get(1).copied().flatten().unwrap_or_default();
        let longest = |hours: &mut dyn Iterator<Item = &Hour>| {
            hours.fold(0.0_f32, |most, hour| most.max(hour.longest))
        };
        let (gaps, longest) = if own.gaps >= HOUR_LEAST {
            (own.gaps, longest(&mut near.iter().flatten()))
        } else {
            let gaps = self.hours().map(|hour| hour.gaps).sum();
            (gaps, longest(&mut self.hours()))
        };
        (f64::from(gaps.clamp(1.0, GAPS_MOST)), f64::from(longest))
    }

    /// Takes an event in.
    pub(super) fn take(&mut self, time: Time, usual: bool, calendar: &Calendar) {
        let gap = time.since(self.last);
        if gap < GAP_LEAST {
            return; // late, or one of several lines
        }
        let cell = calendar.cell(calendar.bucket(self.last));
        if self.base == self.last && usual {
            let (_, longest) = self.about(cell);
            let quiet = self.quiet(self.last, time, calendar);
            let learnt = quiet.min((2.0 * longest).max(LEARN_LEAST));
            let day = if cell < 24 {
                &mut self.weekday
            } else {
                &mut self.weekend
            };
            if let Some(hour) = day.get_mut(cell % 24) {
                hour.gaps += 1.0;
                hour.longest = hour.longest.max(single(learnt));
            }
            self.gaps = self.gaps.saturating_add(1);
        }
        (self.last, self.base, self.told) = (time, time, false);
    }

    /// Forgets, and works out how long a silence may be that begins now.
    pub(super) fn renew(&mut self, bucket: i64, threshold: f64, floor: f64, calendar: &Calendar) {
        if self.bucket != i64::MIN {
            let keep = single(calendar.decay(bucket.saturating_sub(self.bucket)));
            for hour in self.weekday.iter_mut().chain(&mut self.weekend) {
                hour.longest *= keep;
            }
        }
        self.bucket = bucket;
        let (gaps, longest) = self.about(calendar.cell(bucket));
        let more = spread(longest) * LN_2 * (threshold - gaps.log_e() * LOG2_E);
        let seconds = (longest + more).max(LONGER * longest).max(floor);
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
        let patience = Span::from_nanos((seconds.clamp(1.0, 1e9) * 1e9) as i64);
        self.patience = patience;
    }

    /// Whether a silence until `now` is long enough to be told of, however odd it is.
    pub(super) fn is_long(&self, now: Time, floor: f64, calendar: &Calendar) -> bool {
        let (_, longest) = self.about(calendar.cell(calendar.bucket(self.last)));
        self.quiet(self.base, now, calendar) > (LONGER * longest).max(floor)
    }

    /// The surprise of a silence until `now`, in bits.
    pub(super) fn bits(&self, now: Time, calendar: &Calendar) -> f64 {
        let (gaps, longest) = self.about(calendar.cell(calendar.bucket(self.last)));
        let gap = self.quiet(self.base, now, calendar);
        if gap <= longest {
            return 0.0;
        }
        let bits = gaps.log_e() * LOG2_E + (gap - longest) / spread(longest) * LOG2_E;
        bits.clamp(0.0, BITS_MAX)
    }
}

/// β.
fn spread(longest: f64) -> f64 {
    (0.12 * longest).max(30.0)
}
