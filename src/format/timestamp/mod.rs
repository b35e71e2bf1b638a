//! The stamps that begin a line: ISO 8601 / RFC 3339, and RFC 3164's without
//! a year.
//!
//! A stamp without a zone is in the source's ([`Context::zone`]). One without
//! a year is given the year that brings it nearest to [`Context::reference`],
//! so that `Dec 31` read on 1 January is last year's, and `Jan  1` read on
//! 31 December is next year's.

mod daemons;
mod own;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::Context;
use super::token::digit;
use crate::time::{Civil, SECS_PER_DAY, Span, Time};

pub(super) use daemons::{compact, of_daemons};
pub(super) use own::{bracketed, clf, colons, ctime, dashed, day_first, epoch, own, slashed};

/// A part of a stamp that is not two digits; no month, day or hour has it.
pub(super) const NOT_DIGITS: u8 = u8::MAX;

/// Half a year: a stamp nearer than this to the reference has its year.
const HALF_YEAR: Span = Span::from_secs(182 * SECS_PER_DAY);

/// Any stamp a line of syslog may begin with, and what follows it.
pub(super) fn any<'a>(text: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    match text.first()? {
        b'0'..=b'9' => iso(text, context),
        b'A'..=b'Z' => rfc3164(text, context),
        b'@' => tai64n(text),
        _ => None,
    }
}

/// `2024-05-01T12:00:00.123456+02:00`, with `T`, a blank or svlogd's `_`, `.` or `,`, any
/// number of decimals up to 9, and `Z`, an offset, or the source's zone.
pub(super) fn iso<'a>(text: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    let (civil, rest) = iso_civil(text)?;
    match zone(rest)? {
        (Some(east), rest) => Some((civil.time()?.minus(east), rest)),
        (None, rest) => Some((local(civil, context)?, rest)),
    }
}

/// RFC 5424's: `T`, and a zone is a must.
pub(super) fn rfc5424(text: &[u8]) -> Option<(Time, &[u8])> {
    if text.get(10) != Some(&b'T') {
        return None;
    }
    let (civil, rest) = iso_civil(text)?;
    let (east, rest) = zone(rest)?;
    Some((civil.time()?.minus(east?), rest))
}

pub(super) fn iso_civil(text: &[u8]) -> Option<(Civil, &[u8])> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let [
        y0,
        y1,
        y2,
        y3,
        b'-',
        m0,
        m1,
        b'-',
        d0,
        d1,
        b'T' | b' ' | b'_',
        h0,
        h1,
        b':',
        n0,
        n1,
        b':',
        s0,
        s1,
    ] = *head
    else {
        return None;
    };
    let (nanos, rest) = decimals(rest)?;
    // A leap second is told as the last instant before it, which sorts right.
    let leaps = (s0, s1) == (b'6', b'0') && n1 == b'9';
    let date = (year_of([y0, y1, y2, y3])?, two(m0, m1), two(d0, d1));
    let (second, nanos) = if leaps {
        (59, 999_999_999)
    } else {
        (two(s0, s1), nanos)
    };
    Some((civil(date, [two(h0, h1), two(n0, n1), second], nanos), rest))
}

/// A date and a clock as one.
fn civil((year, month, day): (i64, u8, u8), [hour, minute, second]: [u8; 3], nanos: u32) -> Civil {
    Civil {
        year,
        month,
        day,
        hour,
        minute,
        second,
        nanos,
    }
}

/// `Jan  2 03:04:05`, `Jan 2 03:04:05`, `Jan 02 2024 03:04:05.678`.
pub(super) fn rfc3164<'a>(text: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    let (name, rest) = text.split_first_chunk::<3>()?;
    let month = month(*name)?;
    let rest = rest.strip_prefix(b" ")?;
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let (day, rest) = match *rest {
        [d0, b' ', ref rest @ ..] => (digit(d0)?, rest),
        [d0, d1, b' ', ref rest @ ..] => (two(d0, d1), rest),
        _ => return None,
    };
    let (year, rest) = match *rest {
        [y0, y1, y2, y3, b' ', ref rest @ ..] if two(y2, y3) != NOT_DIGITS => (
            Some(i64::from(two(y0, y1)) * 100 + i64::from(two(y2, y3))),
            rest,
        ),
        _ => (None, rest),
    };
    let (clock, rest) = rest.split_first_chunk::<8>()?;
    let [h0, h1, b':', n0, n1, b':', s0, s1] = *clock else {
        return None;
    };
    let (nanos, rest) = decimals(rest)?;
    // Some write the year last, as asctime(3) does; a host has another name.
    let (year, rest) = match *rest {
        [b' ', y0, y1, y2, y3, ref rest @ ..]
            if year.is_none()
                && rest.first() == Some(&b' ')
                && matches!(two(y0, y1), 19 | 20)
                && two(y2, y3) != NOT_DIGITS =>
        {
            let year = i64::from(two(y0, y1)) * 100 + i64::from(two(y2, y3));
            (Some(year), rest)
        }
        _ => (year, rest),
    };
    let civil = Civil {
        year: year.unwrap_or(0),
        month,
        day,
        hour: two(h0, h1),
        minute: two(n0, n1),
        second: two(s0, s1),
        nanos,
    };
    let time = match year {
        Some(_) => local(civil, context)?,
        None => nearest_year(civil, context)?,
    };
    Some((time, rest))
}

/// `@400000004c91b044077a9e94`: TAI64N, as multilog stamps lines. The label is
/// 2^62 + seconds + 10, libtai's offset; leap seconds since 1972 are ignored, as
/// by multilog's own tools without a table.
fn tai64n(text: &[u8]) -> Option<(Time, &[u8])> {
    let (label, rest) = text.strip_prefix(b"@")?.split_first_chunk::<24>()?;
    let value = label.iter().try_fold(0_u128, |value, &byte| {
        let digit = char::from(byte).to_digit(16)?;
        Some(value * 16 + u128::from(digit))
    })?;
    let (seconds, nanos) = (value >> 32, value & 0xffff_ffff);
    let seconds = i64::try_from(seconds.checked_sub((1 << 62) + 10)?).ok()?;
    // What is later than the year 5138 is no stamp.
    let sound = seconds < 100_000_000_000 && nanos < 1_000_000_000;
    let nanos = Span::from_nanos(i64::try_from(nanos).ok()?);
    sound.then(|| (Time::from_secs(seconds).plus(nanos), rest))
}

/// The instant of the year that lies nearest to the reference.
pub(super) fn nearest_year(civil: Civil, context: &Context) -> Option<Time> {
    let distance = |time: Time| time.since(context.reference).nanos().unsigned_abs();
    let near = context.reference.civil().year;
    let in_year = |year| local(Civil { year, ..civil }, context);
    if let Some(time) = in_year(near)
        && distance(time) <= HALF_YEAR.nanos().unsigned_abs()
    {
        return Some(time);
    }
    // 29 February may be up to eight years away (1896 to 1904).
    let reach = if (civil.month, civil.day) == (2, 29) {
        8
    } else {
        1
    };
    (near - reach..=near + reach)
        .filter_map(in_year)
        .min_by_key(|&time| distance(time))
}

/// The instant of wall-clock fields in the source's zone. An hour that comes
/// twice (clocks set back) is the one nearer to the reference; an hour that
/// does not exist (clocks set forward) is read as if they had not been.
pub(super) fn local(civil: Civil, context: &Context) -> Option<Time> {
    let utc = civil.time()?;
    if context.zone == TimeZone::UTC {
        return Some(utc);
    }
    let c = utc.civil();
    let wall = DateTime::new(
        i16::try_from(c.year).ok()?,
        i8::try_from(c.month).ok()?,
        i8::try_from(c.day).ok()?,
        i8::try_from(c.hour).ok()?,
        i8::try_from(c.minute).ok()?,
        i8::try_from(c.second).ok()?,
        0,
    )
    .ok()?;
    let at = |offset: Offset| utc.minus(Span::from_secs(i64::from(offset.seconds())));
    Some(match context.zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => at(offset),
        AmbiguousOffset::Gap { before, .. } => at(before),
        AmbiguousOffset::Fold { before, after } => {
            let far = |time: Time| time.since(context.reference).nanos().unsigned_abs();
            let (first, second) = (at(before), at(after));
            if far(second) < far(first) {
                second
            } else {
                first
            }
        }
    })
}

/// `.678` or `,678`, if there; 10 decimals or none after the point is no stamp.
pub(super) fn decimals(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(([b'.' | b','], mut rest)) = text.split_first_chunk::<1>() else {
        return Some((0, text));
    };
    let mut nanos = 0_u32;
    let mut unit = 100_000_000_u32;
    while let Some((&byte, after)) = rest.split_first()
        && let Some(value) = digit(byte)
    {
        if unit == 0 {
            return None;
        }
        nanos += u32::from(value) * unit;
        unit /= 10;
        rest = after;
    }
    (unit < 100_000_000).then_some((nanos, rest))
}

/// `Z`, `+02:00`, `+0200`, or nothing. How far east of UTC, and what follows.
pub(super) fn zone(text: &[u8]) -> Option<(Option<Span>, &[u8])> {
    let (sign, h0, h1, m0, m1, rest) = match *text {
        [b'Z', ref rest @ ..] => return Some((Some(Span::ZERO), rest)),
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1, ref rest @ ..]
        | [sign @ (b'+' | b'-'), h0, h1, m0, m1, ref rest @ ..] => (sign, h0, h1, m0, m1, rest),
        _ => return Some((None, text)),
    };
    let (hours, minutes) = (two(h0, h1), two(m0, m1));
    if hours > 23 || minutes > 59 {
        return None;
    }
    let east = Span::from_secs(i64::from(hours) * 3600 + i64::from(minutes) * 60);
    let east = if sign == b'-' { east.times(-1) } else { east };
    Some((Some(east), rest))
}

pub(super) const fn two(tens: u8, ones: u8) -> u8 {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens > 9 || ones > 9 {
        NOT_DIGITS
    } else {
        tens * 10 + ones
    }
}

fn year_of([y0, y1, y2, y3]: [u8; 4]) -> Option<i64> {
    let (century, year) = (two(y0, y1), two(y2, y3));
    (century != NOT_DIGITS && year != NOT_DIGITS)
        .then(|| i64::from(century) * 100 + i64::from(year))
}

pub(super) fn month(name: [u8; 3]) -> Option<u8> {
    Some(match &name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn at(reference: &str, zone: &str) -> Context {
        let reference = rfc5424(reference.as_bytes()).unwrap().0;
        Context {
            zone: TimeZone::get(zone).unwrap(),
            reference,
            ..Context::utc(reference)
        }
    }

    fn shown(text: &str, context: &Context) -> Option<String> {
        any(text.as_bytes(), context).map(|(time, _)| time.to_string())
    }

    #[test]
    fn every_spelling_of_one_instant_is_that_instant() {
        let utc = at("2024-05-01T00:00:00Z", "UTC");
        for text in [
            "2024-05-01T12:00:00.250+02:00",
            "2024-05-01T10:00:00.25Z",
            "2024-05-01T05:30:00.250000-0430",
            "2024-05-01 10:00:00,250",
            "May  1 10:00:00.250 host",
            "May 1 10:00:00.25 host",
            "May 01 2024 10:00:00.25",
        ] {
            assert_eq!(
                shown(text, &utc).unwrap(),
                "2024-05-01T10:00:00.250Z",
                "{text}"
            );
        }
    }

    #[test]
    fn the_year_is_the_nearest_one_on_both_sides_of_new_year() {
        let january = at("2024-01-01T00:10:00Z", "UTC");
        assert_eq!(
            shown("Dec 31 23:59:58", &january).unwrap(),
            "2023-12-31T23:59:58Z"
        );
        let december = at("2023-12-31T23:59:00Z", "UTC");
        assert_eq!(
            shown("Jan  1 00:00:03", &december).unwrap(),
            "2024-01-01T00:00:03Z"
        );
        assert_eq!(
            shown("Feb 29 12:00:00", &december).unwrap(),
            "2024-02-29T12:00:00Z"
        );
        assert_eq!(shown("Feb 30 12:00:00", &december), None);
    }

    #[test]
    fn an_hour_that_comes_twice_is_the_one_nearer_to_the_line_before() {
        let first = at("2024-10-27T00:10:00Z", "Europe/Berlin");
        assert_eq!(
            shown("Oct 27 02:15:00", &first).unwrap(),
            "2024-10-27T00:15:00Z"
        );
        let second = at("2024-10-27T01:10:00Z", "Europe/Berlin");
        assert_eq!(
            shown("Oct 27 02:15:00", &second).unwrap(),
            "2024-10-27T01:15:00Z"
        );
        let spring = at("2024-03-31T00:59:00Z", "Europe/Berlin");
        assert_eq!(
            shown("Mar 31 02:15:00", &spring).unwrap(),
            "2024-03-31T01:15:00Z"
        );
        assert_eq!(
            shown("Jul  1 02:15:00", &spring).unwrap(),
            "2024-07-01T00:15:00Z"
        );
    }

    #[test]
    fn what_is_no_instant_is_no_stamp() {
        let utc = at("2024-05-01T00:00:00Z", "UTC");
        for text in [
            "2023-02-29T10:00:00Z",
            "2024-05-01T24:00:00Z",
            "2024-05-01T10:60:00Z",
            "2024-05-01T10:00:00.Z",
            "2024-05-01T10:00:00.0000000001Z",
            "2024-05-01T10:00:00+24:00",
            "20x4-05-01T10:00:00Z",
            "Foo  1 10:00:00",
            "May 32 10:00:00",
            "May  1 10:00",
        ] {
            assert_eq!(shown(text, &utc), None, "{text}");
        }
    }
}
