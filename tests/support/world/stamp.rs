//! Time as a whole number, and the three ways in which logs write it.

use std::fmt::Write as _;

/// Microseconds since 1970, UTC.
pub(crate) type At = i64;

/// One second.
pub(crate) const SECOND: At = 1_000_000;
/// One minute.
pub(crate) const MINUTE: At = 60 * SECOND;
/// One hour.
pub(crate) const HOUR: At = 60 * MINUTE;
/// One day.
pub(crate) const DAY: At = 24 * HOUR;
/// Monday 2025-09-01: day 0 of every world.
pub(crate) const START: At = 1_756_684_800 * SECOND;

/// A time of a day, counted from [`START`].
pub(crate) fn at(day: i64, hour: i64, minute: i64) -> At {
    START + day * DAY + hour * HOUR + minute * MINUTE
}

/// Whether a day is a Saturday or a Sunday; day 0 is a Monday.
pub(crate) fn weekend(day: i64) -> bool {
    day.rem_euclid(7) >= 5
}

/// How a host's syslog daemon writes the time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// RFC 3164: `Sep  1 09:00:00`, the default up to Debian 11.
    Old,
    /// `2025-09-01T09:00:00.000000+00:00`, the default since Debian 12.
    Iso,
}

/// Year, month and day of a time (Howard Hinnant's `civil_from_days`).
fn civil(at: At) -> (i64, i64, i64) {
    let z = at.div_euclid(DAY) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}

/// Appends a time as a host's syslog daemon writes it.
pub(crate) fn write(out: &mut String, at: At, style: Style) {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (year, month, day) = civil(at);
    let (h, m, s) = (at / HOUR % 24, at / MINUTE % 60, at / SECOND % 60);
    let written = match style {
        Style::Old => {
            let name = MONTHS.get(usize::try_from(month - 1).unwrap()).unwrap();
            write!(out, "{name} {day:>2} {h:02}:{m:02}:{s:02}")
        }
        Style::Iso => {
            let micros = at % SECOND;
            write!(
                out,
                "{year}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{micros:06}+00:00"
            )
        }
    };
    written.unwrap();
}

/// A day as file names have it: `2025-09-01`.
pub(crate) fn date(at: At) -> String {
    let (year, month, day) = civil(at);
    format!("{year}-{month:02}-{day:02}")
}

/// A time as Zeek's `#open` and `#close` have it.
pub(crate) fn zeek_open(at: At) -> String {
    let (year, month, day) = civil(at);
    let (h, m, s) = (at / HOUR % 24, at / MINUTE % 60, at / SECOND % 60);
    format!("{year}-{month:02}-{day:02}-{h:02}-{m:02}-{s:02}")
}

#[test]
fn stamps_read_as_the_daemons_write_them() {
    let mut out = String::new();
    write(&mut out, at(0, 9, 5) + 42, Style::Old);
    out.push('|');
    write(&mut out, at(30, 23, 59) + 42, Style::Iso);
    assert_eq!(out, "Sep  1 09:05:00|2025-10-01T23:59:00.000042+00:00");
}
