//! Event time: instants and lengths as plain numbers.
//!
//! Nothing here can ask what time it is; [`crate::clock`] alone can. All
//! decisions are made on [`Time`], nanoseconds since 1970-01-01T00:00:00Z
//! without leap seconds, so that replay and live agree.

use std::fmt;

use serde::{Deserialize, Serialize};

const NANOS_PER_SEC: i64 = 1_000_000_000;

/// Seconds in a day of event time (leap seconds do not exist in logs).
pub const SECS_PER_DAY: i64 = 86_400;

/// An instant, in nanoseconds since the Unix epoch (years 1678 to 2261).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Time(i64);

/// A length of time in nanoseconds; negative when it points backwards.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Span(i64);

/// An instant's calendar fields in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Year of the Gregorian calendar.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999,999,999.
    pub nanos: u32,
}

impl Civil {
    /// The instant these UTC fields name, or `None` when a field is out of
    /// range (13th month, 30 February, second 61) or the year does not fit.
    /// Second 60 is taken as the last nanosecond of second 59.
    pub fn time(&self) -> Option<Time> {
        let leap = self.second == 60;
        let second = if leap { 59 } else { self.second };
        let nanos = if leap { 999_999_999 } else { self.nanos };
        let sound = (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && second < 60
            && i64::from(nanos) < NANOS_PER_SEC
            && (1678..=2261).contains(&self.year);
        if !sound {
            return None;
        }
        let days = days_from_civil(self.year, i64::from(self.month), i64::from(self.day));
        let secs = days * SECS_PER_DAY
            + i64::from(self.hour) * 3600
            + i64::from(self.minute) * 60
            + i64::from(second);
        Some(Time::from_secs(secs).plus(Span::from_nanos(i64::from(nanos))))
    }
}

impl Time {
    /// The earliest instant; stands for "never yet" in comparisons.
    pub const MIN: Time = Time(i64::MIN);
    /// The latest instant.
    pub const MAX: Time = Time(i64::MAX);

    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Time {
        Time(nanos)
    }

    /// From seconds since the epoch, clamped to what fits.
    pub const fn from_secs(secs: i64) -> Time {
        Time(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SEC)
    }

    /// This instant moved by a span, clamped at the ends of time.
    #[must_use]
    pub const fn plus(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }

    /// This instant moved back by a span, clamped at the ends of time.
    #[must_use]
    pub const fn minus(self, span: Span) -> Time {
        Time(self.0.saturating_sub(span.0))
    }

    /// The span from `earlier` to this instant; negative if it is later.
    pub const fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The number of the bucket of length `width` that holds this instant.
    /// Buckets are aligned to the epoch, so every replay cuts the same ones.
    pub const fn bucket(self, width: Span) -> i64 {
        debug_assert!(width.0 > 0, "a bucket has a length");
        self.0.div_euclid(if width.0 > 0 { width.0 } else { 1 })
    }

    /// Calendar fields in UTC.
    pub fn civil(self) -> Civil {
        let days = self.secs().div_euclid(SECS_PER_DAY);
        let second = self.secs().rem_euclid(SECS_PER_DAY);
        let (year, month, day) = civil_from_days(days);
        let small = |n: i64| u8::try_from(n).unwrap_or(0);
        Civil {
            year,
            month: small(month),
            day: small(day),
            hour: small(second / 3600),
            minute: small(second / 60 % 60),
            second: small(second % 60),
            nanos: u32::try_from(self.0.rem_euclid(NANOS_PER_SEC)).unwrap_or(0),
        }
    }

    /// Hour of the day in UTC, 0 to 23.
    pub const fn hour(self) -> i64 {
        self.secs().rem_euclid(SECS_PER_DAY) / 3600
    }

    /// Day of the week in UTC, 0 = Monday to 6 = Sunday.
    pub const fn weekday(self) -> i64 {
        // 1970-01-01 was a Thursday.
        (self.secs().div_euclid(SECS_PER_DAY) + 3).rem_euclid(7)
    }
}

/// RFC 3339 in UTC, with as many decimals as the instant has (0, 3, 6 or 9).
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.civil();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            c.year, c.month, c.day, c.hour, c.minute, c.second
        )?;
        match c.nanos {
            0 => {}
            n if n % 1_000_000 == 0 => write!(f, ".{:03}", n / 1_000_000)?,
            n if n % 1_000 == 0 => write!(f, ".{:06}", n / 1_000)?,
            n => write!(f, ".{n:09}")?,
        }
        f.write_str("Z")
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// One second.
    pub const SECOND: Span = Span::from_secs(1);
    /// One minute.
    pub const MINUTE: Span = Span::from_secs(60);
    /// One hour.
    pub const HOUR: Span = Span::from_secs(3600);
    /// One day of 24 hours.
    pub const DAY: Span = Span::from_secs(SECS_PER_DAY);

    /// From nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Span {
        Span(nanos)
    }

    /// From seconds, clamped to what fits.
    pub const fn from_secs(secs: i64) -> Span {
        Span(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// Nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SEC)
    }

    /// Seconds with their fraction.
    #[expect(
        clippy::cast_precision_loss,
        reason = "spans are far below 2^53 ns of precision need"
    )]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// `n` times as long, clamped.
    #[must_use]
    pub const fn times(self, n: i64) -> Span {
        Span(self.0.saturating_mul(n))
    }

    /// Reads Sigma's timespan: a whole number and one of `s m h d w M y`
    /// (`M` is 30 days and `y` 365, as in pySigma). `None` for anything else.
    pub fn parse(text: &str) -> Option<Span> {
        let unit = text.chars().last()?;
        let number: i64 = text.get(..text.len() - unit.len_utf8())?.parse().ok()?;
        let secs = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => SECS_PER_DAY,
            'w' => 7 * SECS_PER_DAY,
            'M' => 30 * SECS_PER_DAY,
            'y' => 365 * SECS_PER_DAY,
            _ => return None,
        };
        (number >= 0).then(|| Span::from_secs(number.saturating_mul(secs)))
    }
}

/// The two largest units: `3d 4h`, `10m`, `45s`, `120ms`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            return write!(f, "-{}", Span(self.0.saturating_neg()));
        }
        let secs = self.secs();
        if secs == 0 {
            return write!(f, "{}ms", self.0 / 1_000_000);
        }
        let units = [(SECS_PER_DAY, "d"), (3600, "h"), (60, "m"), (1, "s")];
        let mut rest = secs;
        let mut shown = 0;
        for (size, name) in units {
            let count = rest / size;
            rest %= size;
            if count > 0 && shown < 2 {
                let gap = if shown == 0 { "" } else { " " };
                write!(f, "{gap}{count}{name}")?;
                shown += 1;
            } else if shown > 0 {
                break; // "1d 5s" would read as precision that is not there
            }
        }
        Ok(())
    }
}

fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// Howard Hinnant, same paper, civil_from_days.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_fields_and_instants_agree_over_eight_centuries() {
        for day in (-106_000..106_000).step_by(13) {
            let time = Time::from_secs(day * SECS_PER_DAY + 45_296);
            let civil = time.civil();
            assert_eq!(civil.time(), Some(time), "{civil:?}");
        }
    }

    #[test]
    fn rfc_3339_shows_only_the_decimals_there_are() {
        let time = Time::from_secs(1_700_000_000);
        assert_eq!(time.to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(
            time.plus(Span::from_nanos(120_000_000)).to_string(),
            "2023-11-14T22:13:20.120Z"
        );
    }

    #[test]
    fn spans_read_sigma_units_and_print_two() {
        assert_eq!(Span::parse("15m"), Some(Span::from_secs(900)));
        assert_eq!(Span::parse("2M"), Some(Span::from_secs(60 * SECS_PER_DAY)));
        assert_eq!(Span::parse("m"), None);
        assert_eq!(Span::parse("-5s"), None);
        assert_eq!(Span::from_secs(93_784).to_string(), "1d 2h");
        assert_eq!(Span::from_secs(86_405).to_string(), "1d");
    }

    #[test]
    fn a_day_that_does_not_exist_is_no_instant() {
        let civil = Civil {
            year: 2023,
            month: 2,
            day: 29,
            hour: 0,
            minute: 0,
            second: 0,
            nanos: 0,
        };
        assert_eq!(civil.time(), None);
    }
}
