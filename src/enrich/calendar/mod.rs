//! Holidays from an iCalendar file (RFC 5545): its events, whatever they are
//! called, are the days that are like a weekend.
//!
//! What is not understood is told by its line, and the rest is used: of an
//! event whose rule is strange its first day, of a file with one strange event
//! all others. What comes again is worked out to the end of 2100.

mod lines;
mod rule;
#[cfg(test)]
mod tests;

use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::EnrichError;
use super::rows::{self, Report};
use crate::holidays::Holidays;
use crate::time::SECS_PER_DAY;
use lines::{Line, lines};
use rule::Rule;

/// Most events: the holidays of all countries are some 5,000 a year.
const EVENTS_MAX: usize = 20_000;

/// Most days over all events.
const DAYS_MAX: usize = 500_000;

/// Longest holiday: a year.
const LENGTH_MAX: i64 = 366 * SECS_PER_DAY;

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<(Holidays, Report), EnrichError> {
    let file = path.display().to_string();
    let bytes = rows::contents(path)?;
    parse(&file, &bytes)
}

fn parse(file: &str, bytes: &[u8]) -> Result<(Holidays, Report), EnrichError> {
    let mut reading = Reading {
        file,
        report: Report::default(),
        open: Vec::new(),
        event: None,
        is_calendar: None,
        events: 0,
        days: 0,
        local: Vec::new(),
        instants: Vec::new(),
    };
    lines(bytes, |line| match line {
        Ok(line) => reading.line(&line),
        Err((number, what)) => reading.tell(number, &format!("{what}; the line is left out")),
    });
    if reading.is_calendar != Some(true) {
        return Err(EnrichError {
            what: format!("{file}: it does not begin with BEGIN:VCALENDAR"),
            remedy: "an iCalendar file (.ics) is needed",
        });
    }
    if let Some(event) = reading.event.take() {
        reading.tell(event.line, "an event without its end; it is left out");
    }
    let holidays = Holidays::new(reading.local, reading.instants);
    Ok((holidays, reading.report))
}

/// Which clock a time is by.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Clock {
    /// That on the wall, whole days and times without a zone.
    Wall,
    Utc,
    Zone(TimeZone),
}

/// A day, or a time of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
struct When {
    date: Date,
    /// Of the day; `None` where it is the whole day.
    second: Option<i64>,
    clock: Clock,
}

impl When {
    /// The second since the epoch, by its clock.
    fn at(&self) -> i64 {
        self.on(self.date)
    }

    /// The same time on another day.
    fn on(&self, date: Date) -> i64 {
        let wall = days(date) * SECS_PER_DAY + self.second.unwrap_or(0);
        let Clock::Zone(zone) = &self.clock else {
            return wall;
        };
        let civil = date.at(0, 0, 0, 0);
        let civil = civil.saturating_add(jiff::SignedDuration::from_secs(self.second.unwrap_or(0)));
        let instant = zone.to_ambiguous_timestamp(civil).compatible();
        instant.map_or(wall, jiff::Timestamp::as_second)
    }
}

/// Days since the epoch.
fn days(date: Date) -> i64 {
    let since = date.since(jiff::civil::date(1970, 1, 1));
    since.map_or(0, |span| i64::from(span.get_days()))
}

/// `20250101`
fn date(text: &str) -> Option<Date> {
    let number = |at: std::ops::Range<usize>| -> Option<i16> {
        let digits = text
            .get(at)
            .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse().ok()
    };
    if text.len() != 8 {
        return None;
    }
    let (month, day) = (i8::try_from(number(4..6)?), i8::try_from(number(6..8)?));
    Date::new(number(0..4)?, month.ok()?, day.ok()?).ok()
}

/// `20250101`, `20250101T080000`, `20250101T080000Z`
fn when(text: &str, clock: Clock) -> Option<When> {
    let Some((day, time)) = text.split_once('T') else {
        return Some(When {
            date: date(text)?,
            second: None,
            clock: Clock::Wall,
        });
    };
    let (time, clock) = match time.strip_suffix('Z') {
        Some(time) => (time, Clock::Utc),
        None => (time, clock),
    };
    if time.len() != 6 || !time.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |at: usize| time.get(at..at + 2)?.parse::<i64>().ok();
    let (hour, minute, second) = (part(0)?, part(2)?, part(4)?);
    // 60 is a leap second.
    let sound = hour < 24 && minute < 60 && second <= 60;
    sound.then_some(When {
        date: date(day)?,
        second: Some(hour * 3600 + minute * 60 + second),
        clock,
    })
}

/// `P1D`, `P2W`, `PT8H30M`, in seconds.
fn duration(text: &str) -> Option<i64> {
    let text = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
    let (mut total, mut number, mut time) = (0_i64, None::<i64>, false);
    for letter in text.chars() {
        let unit = match letter {
            '0'..='9' => {
                let digit = i64::from(letter.to_digit(10)?);
                number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
                continue;
            }
            'T' if number.is_none() => {
                time = true;
                continue;
            }
            'W' if !time => 7 * SECS_PER_DAY,
            'D' if !time => SECS_PER_DAY,
            'H' if time => 3600,
            'M' if time => 60,
            'S' if time => 1,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    number.is_none().then_some(total)
}

/// An event while it is read.
#[derive(Default)]
struct Event {
    line: usize,
    start: Option<When>,
    end: Option<When>,
    length: Option<i64>,
    rule: Option<Rule>,
    more: Vec<When>,
    except: Vec<When>,
    cancelled: bool,
}

struct Reading<'a> {
    file: &'a str,
    report: Report,
    /// The components that are open, one within the other.
    open: Vec<String>,
    event: Option<Event>,
    is_calendar: Option<bool>,
    events: usize,
    days: usize,
    local: Vec<(i64, i64)>,
    instants: Vec<(i64, i64)>,
}

impl Reading<'_> {
    fn tell(&mut self, line: usize, what: &str) {
        self.report.tell(format!("{}:{line}: {what}", self.file));
    }

    fn line(&mut self, line: &Line) {
        let begins = line.name == "BEGIN";
        let calendar = begins && line.value.eq_ignore_ascii_case("VCALENDAR");
        if !*self.is_calendar.get_or_insert(calendar) {
            return;
        }
        match line.name.as_str() {
            "BEGIN" => self.begin(line),
            "END" => self.end(line),
            _ if self.open.last().is_some_and(|name| name == "VEVENT") => {
                if let Err(what) = self.property(line) {
                    self.tell(line.number, &what);
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, line: &Line) {
        // Calendar, event, alarm: three are all there are.
        if self.open.len() >= 8 {
            self.tell(line.number, "components within components; left out");
            return;
        }
        let name = line.value.to_ascii_uppercase();
        if name == "VEVENT" {
            if let Some(event) = self.event.take() {
                self.tell(event.line, "an event without its end; it is left out");
                self.open.retain(|name| name == "VCALENDAR");
            }
            self.event = Some(Event {
                line: line.number,
                ..Event::default()
            });
        }
        self.open.push(name);
    }

    fn end(&mut self, line: &Line) {
        let name = line.value.to_ascii_uppercase();
        let Some(at) = self.open.iter().rposition(|open| *open == name) else {
            self.tell(
                line.number,
                &format!("the end of {name:?}, which did not begin"),
            );
            return;
        };
        self.open.truncate(at);
        if name != "VEVENT" {
            return;
        }
        let Some(event) = self.event.take() else {
            return;
        };
        let begun = event.line;
        if let Err(what) = self.take(event) {
            self.tell(begun, &format!("{what}; the event is left out"));
        }
    }

    fn property(&mut self, line: &Line) -> Result<(), String> {
        let known = [
            "DTSTART",
            "DTEND",
            "DURATION",
            "RRULE",
            "EXDATE",
            "RDATE",
            "STATUS",
            "EXRULE",
            "RECURRENCE-ID",
        ];
        if !known.contains(&line.name.as_str()) {
            return Ok(());
        }
        let times = match line.name.as_str() {
            "DTSTART" | "DTEND" | "EXDATE" | "RDATE" => self.times(line)?,
            _ => Vec::new(),
        };
        let Some(event) = &mut self.event else {
            return Ok(());
        };
        let value = line.value.as_str();
        match line.name.as_str() {
            "DTSTART" => event.start = times.into_iter().next(),
            "DTEND" => event.end = times.into_iter().next(),
            "EXDATE" => event.except.extend(times),
            "RDATE" => event.more.extend(times),
            "DURATION" => {
                let length = duration(value);
                event.length = Some(length.ok_or_else(|| format!("{value:?} is no length"))?);
            }
            "RRULE" => {
                let first = |what| format!("{what}; only the event's first day is used");
                event.rule = Some(Rule::parse(value).map_err(first)?);
            }
            "STATUS" => event.cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            name => {
                return Err(format!(
                    "{name} is not understood; the event is used without it"
                ));
            }
        }
        Ok(())
    }

    /// The times of a property, parted by commas.
    fn times(&mut self, line: &Line) -> Result<Vec<When>, String> {
        let clock = match line
            .parameter("TZID")
            .map(|name| (name, TimeZone::get(name)))
        {
            None => Clock::Wall,
            Some((_, Ok(zone))) => Clock::Zone(zone),
            Some((name, Err(_))) => {
                let what = format!("{name:?} is no zone; taken as the clock on the wall");
                self.tell(line.number, &what);
                Clock::Wall
            }
        };
        let mut times = Vec::new();
        for text in line.value.split(',') {
            // Of a period, when it begins.
            let begins = text.split('/').next().unwrap_or_default().trim();
            let when = when(begins, clock.clone());
            times.push(when.ok_or_else(|| format!("{begins:?} is no day such as 20250101"))?);
            if times.len() > DAYS_MAX {
                return Err("too many days".to_owned());
            }
        }
        Ok(times)
    }

    /// Takes in an event that is whole.
    fn take(&mut self, event: Event) -> Result<(), String> {
        if event.cancelled {
            return Ok(());
        }
        let start = event.start.ok_or("no DTSTART that can be read")?;
        if self.events >= EVENTS_MAX {
            return Err(format!("more than {EVENTS_MAX} events"));
        }
        let length = match (&event.end, event.length) {
            (Some(end), _) => end.at() - start.at(),
            (None, Some(length)) => length,
            (None, None) if start.second.is_none() => SECS_PER_DAY,
            (None, None) => 0,
        };
        if length <= 0 {
            return Err("it ends when it begins, or before".to_owned());
        }
        if length > LENGTH_MAX {
            return Err("it is longer than a year".to_owned());
        }
        let room = DAYS_MAX.saturating_sub(self.days);
        let days = match &event.rule {
            Some(rule) => rule.days(start.date, room + 1),
            None => vec![start.date],
        };
        if days.len() + event.more.len() > room || room == 0 {
            return Err(format!("more than {DAYS_MAX} days"));
        }
        self.events += 1;
        self.days += days.len() + event.more.len();
        let mut except: Vec<Date> = event.except.iter().map(|except| except.date).collect();
        except.sort_unstable();
        let excepted = |date: Date| except.binary_search(&date).is_ok();
        for date in days.into_iter().filter(|date| !excepted(*date)) {
            self.put(&start.clock, start.on(date), length);
        }
        for more in event.more.iter().filter(|more| !excepted(more.date)) {
            self.put(&more.clock, more.at(), length);
        }
        self.report.rows += 1;
        Ok(())
    }

    fn put(&mut self, clock: &Clock, from: i64, length: i64) {
        let stretches = match clock {
            Clock::Wall => &mut self.local,
            Clock::Utc | Clock::Zone(_) => &mut self.instants,
        };
        stretches.push((from, from + length));
    }
}
