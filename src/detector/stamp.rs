//! Parts of a timestamp as it is written: Sigma's `minute` to `year`.
//! No time zone is applied: the field says 13:05, so the hour is 13.

use crate::event::Value;
use crate::rule::Modifier;
use crate::time::{Civil, Span, Time};

/// Which part of a timestamp is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Part {
    /// The part that a modifier names.
    pub(crate) fn of(modifier: Modifier) -> Option<Part> {
        Some(match modifier {
            Modifier::Minute => Part::Minute,
            Modifier::Hour => Part::Hour,
            Modifier::Day => Part::Day,
            Modifier::Week => Part::Week,
            Modifier::Month => Part::Month,
            Modifier::Year => Part::Year,
            _ => return None,
        })
    }

    /// This part of a value; whole numbers are seconds since 1970.
    pub(crate) fn read(self, value: Value<'_>) -> Option<i64> {
        let civil = match value {
            Value::Text(text) => written(text)?,
            Value::Int(secs) => Time::from_secs(secs).civil(),
            #[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
            Value::Float(secs) => Time::from_secs(secs as i64).civil(),
            _ => return None,
        };
        Some(match self {
            Part::Minute => i64::from(civil.minute),
            Part::Hour => i64::from(civil.hour),
            Part::Day => i64::from(civil.day),
            Part::Month => i64::from(civil.month),
            Part::Year => civil.year,
            Part::Week => week(civil.time()?),
        })
    }
}

/// `YYYY-MM-DD`, and `HH:MM` after one more byte if there is more.
fn written(text: &[u8]) -> Option<Civil> {
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits.iter().try_fold(0_i64, |sum, d| {
            d.is_ascii_digit().then(|| sum * 10 + i64::from(d - b'0'))
        })
    };
    let small = |from: usize, to: usize| u8::try_from(number(from, to)?).ok();
    let mut civil = Civil {
        year: number(0, 4)?,
        month: small(5, 7)?,
        day: small(8, 10)?,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
    };
    if text.len() > 10 {
        civil.hour = small(11, 13)?;
        civil.minute = small(14, 16)?;
    }
    civil.time().map(|_| civil)
}

/// ISO 8601 week: the one that holds the date's Thursday.
fn week(time: Time) -> i64 {
    let thursday = time.plus(Span::DAY.times(3 - time.weekday()));
    let year = thursday.civil().year;
    let new_year = Civil {
        year,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
    };
    let days = new_year
        .time()
        .map_or(0, |start| thursday.since(start).secs() / 86_400);
    days / 7 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_written() {
        let stamp = Value::Text(b"2026-07-21T13:05:09+02:00");
        for (part, expected) in [
            (Part::Minute, 5),
            (Part::Hour, 13),
            (Part::Day, 21),
            (Part::Week, 30),
            (Part::Month, 7),
            (Part::Year, 2026),
        ] {
            assert_eq!(part.read(stamp), Some(expected));
        }
        assert_eq!(Part::Week.read(Value::Text(b"2027-01-01")), Some(53));
        assert_eq!(Part::Hour.read(Value::Text(b"2026-02-30 10:00")), None);
        assert_eq!(Part::Hour.read(Value::Text(b"yesterday")), None);
    }
}
