//! How the lines of each log are read, as far as they do not say it themselves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::clock;
use crate::field::Projection;
use crate::format::{self, Context};
use crate::source;
use crate::time::{Span, Time};

/// How a log's lines are read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Zone of stamps that name none.
    pub zone: TimeZone,
    /// Row of FORMATS to use for every line.
    pub format: Option<u8>,
    /// Program of lines without a header.
    pub program: Option<Box<str>>,
    /// What log JSON objects are, as [`format::declared`] says.
    pub logsource: Option<u8>,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading {
            zone: TimeZone::UTC,
            format: None,
            program: None,
            logsource: None,
        }
    }
}

/// What is known of when a log begins, for stamps that do not name their year
/// or day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start {
    /// The year of its first line.
    pub year: Option<i16>,
    /// The day of its first line.
    pub date: Option<Date>,
}

impl Start {
    /// In a year.
    pub fn in_year(year: i16) -> Start {
        let year = Some(year);
        Start { year, date: None }
    }

    /// Whether it is known.
    pub fn is_known(&self) -> bool {
        self.year.is_some() || self.date.is_some()
    }
}

impl Reading {
    /// What the first line needs to know, near a time; the day is not known.
    pub fn context(&self, reference: Time, projection: Arc<Projection>) -> Context {
        Context {
            floor: None,
            format: self.format,
            program: self.program.clone(),
            declared: self.logsource,
            ..Context::new(self.zone.clone(), reference, projection)
        }
    }

    /// The same for a log that was last written to at a time, if that is known.
    pub fn begin(
        &self,
        start: Start,
        written: Option<Time>,
        projection: Arc<Projection>,
    ) -> Context {
        let mut context = self.context(year_before(written.unwrap_or_else(clock::now)), projection);
        // Its first line is of the day before that, or the log is longer.
        context.floor = written.map(|time| time.minus(Span::DAY));
        if let Some(year) = start.year {
            // Its very middle: any other time brings some day nearer to the
            // same day of another year.
            let (first, next) = (self.midnight(year, 1, 1), self.midnight(year + 1, 1, 1));
            let half = Span::from_secs(next.since(first).secs() / 2);
            context.reference = first.plus(half);
            context.floor = None;
        }
        if let Some(date) = start.date {
            let midnight = self.midnight(date.year(), date.month(), date.day());
            context.reference = midnight;
            context.floor = Some(midnight);
        }
        context
    }

    /// When a day begins.
    fn midnight(&self, year: i16, month: i8, day: i8) -> Time {
        let date = Date::new(year, month, day).and_then(|date| date.to_zoned(self.zone.clone()));
        let stamp = date.map(|zoned| zoned.timestamp().as_second());
        stamp.map_or(Time::MIN, Time::from_secs)
    }
}

/// A stamp without a year is of the year before a log was last written to: half
/// a year back is what brings it nearest to that.
fn year_before(written: Time) -> Time {
    written.minus(Span::DAY.times(181))
}

/// Whether a zone's clocks are set between two times, or less than a day
/// before or after: an hour there may come twice.
pub(super) fn clocks_are_set(zone: &TimeZone, from: Time, to: Time) -> bool {
    if zone.to_fixed_offset().is_ok() {
        return false;
    }
    let (from, to) = (from.min(to).minus(Span::DAY), from.max(to).plus(Span::DAY));
    Timestamp::from_second(from.secs()).is_ok_and(|from| {
        let next = zone.following(from).next();
        next.is_some_and(|set| set.timestamp().as_second() <= to.secs())
    })
}

/// How every log is read.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// For those that these files and globs name; the first that does counts.
    pub logs: Vec<(Vec<PathBuf>, Reading)>,
    /// For all others.
    pub others: Reading,
}

impl Readings {
    /// All logs are read alike.
    pub fn all(others: Reading) -> Readings {
        let logs = Vec::new();
        Readings { logs, others }
    }

    /// How a log is read that is known under any of these paths.
    pub fn of(&self, paths: &[&Path]) -> &Reading {
        let named = self.logs.iter().find(|(specs, _)| {
            let names = |path: &&Path| specs.iter().any(|spec| source::names(spec, path));
            paths.iter().any(names)
        });
        named.map_or(&self.others, |(_, reading)| reading)
    }
}

/// An IANA name or a fixed offset.
pub fn zone(text: &str) -> Result<TimeZone, String> {
    let parser = jiff::fmt::temporal::DateTimeParser::new();
    let help = "give an IANA name such as Europe/Berlin or an offset such as +02:00";
    parser
        .parse_time_zone(text)
        .map_err(|error| format!("{error}; {help}"))
}

/// A day of the calendar: `2025-06-02`.
pub fn date(text: &str) -> Result<Date, String> {
    let date: Result<Date, _> = text.parse();
    match date {
        Ok(date) if (1970..=2261).contains(&date.year()) => Ok(date),
        _ => Err("give a day such as 2025-06-02".to_owned()),
    }
}

/// The row of a format's name.
pub fn format(name: &str) -> Result<u8, String> {
    let row = format::by_name(name);
    row.ok_or_else(|| format!("there is no format `{name}`; `tipstaff formats` lists them"))
}

/// The log that Sigma's words name, as the command line takes them.
pub fn logsource(words: &str) -> Result<u8, String> {
    format::declared(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_a_year_that_is_given_is_of_that_year() {
        for (zone_name, year) in [("UTC", 2021), ("UTC", 2024), ("Asia/Tokyo", 2024)] {
            let reading = Reading {
                zone: zone(zone_name).unwrap(),
                ..Reading::default()
            };
            let start = Start::in_year(year);
            let context = reading.begin(start, None, Projection::everything().into());
            for stamp in ["Jan  1 00:00:00", "Feb 28 12:00:00", "Dec 31 23:59:59"] {
                let line = format!("{stamp} web1 app: x");
                let time = format::peek_time(line.as_bytes(), &context).unwrap();
                let local = Timestamp::from_second(time.secs()).unwrap();
                let local = local.to_zoned(reading.zone.clone());
                assert_eq!(local.year(), year, "{zone_name} {stamp}");
            }
        }
    }

    #[test]
    fn the_first_that_names_a_log_says_how_it_is_read() {
        let berlin = Reading {
            zone: zone("Europe/Berlin").unwrap(),
            ..Reading::default()
        };
        let east = Reading {
            zone: zone("+02:00").unwrap(),
            ..Reading::default()
        };
        let readings = Readings {
            logs: vec![
                (vec!["/logs/a.log".into()], berlin.clone()),
                (vec!["/none".into(), "/logs/*.log".into()], east.clone()),
            ],
            others: Reading::default(),
        };
        for (paths, expected) in [
            (&["/logs/a.log"][..], &berlin),
            (&["/logs/./a.log"], &berlin),
            (&["/logs/b.log"], &east),
            (&["/other", "/logs/b.log"], &east),
            (&["/logs/.b.log"], &readings.others),
            (&["/logs/sub/b.log"], &readings.others),
            (&["logs/a.log"], &readings.others),
        ] {
            let paths: Vec<&Path> = paths.iter().map(Path::new).collect();
            let found = readings.of(&paths);
            assert_eq!(found.zone, expected.zone, "{paths:?}");
        }
    }
}
