//! Which days a day comes again on: RRULE (RFC 5545, 3.3.10) with FREQ=YEARLY,
//! which is what calendars of holidays have.

use jiff::civil::{Date, Weekday};

/// The last year that days are worked out for.
const YEAR_MAX: i16 = 2100;

/// Most values of one part: every day of the year, twice.
const VALUES_MAX: usize = 732;

/// The rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    interval: i16,
    count: Option<u32>,
    until: Option<Date>,
    months: Vec<i8>,
    /// Negative ones from the month's end.
    days: Vec<i8>,
    /// The n-th such day, from the end where negative; all where 0.
    weekdays: Vec<(i16, Weekday)>,
}

impl Rule {
    /// Reads the value of RRULE; what is not understood is told in words.
    pub(super) fn parse(text: &str) -> Result<Rule, String> {
        let mut rule = Rule {
            interval: 1,
            count: None,
            until: None,
            months: Vec::new(),
            days: Vec::new(),
            weekdays: Vec::new(),
        };
        let mut yearly = false;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let wrong = || format!("{part:?} is not understood");
            match name.to_ascii_uppercase().as_str() {
                "FREQ" => yearly = value.eq_ignore_ascii_case("YEARLY"),
                "INTERVAL" => {
                    let number = value.parse().ok().filter(|n| *n > 0);
                    rule.interval = number.ok_or_else(wrong)?;
                }
                "COUNT" => rule.count = Some(value.parse().map_err(|_| wrong())?),
                "UNTIL" => {
                    let day = value.get(..8).and_then(super::date);
                    rule.until = Some(day.ok_or_else(wrong)?);
                }
                "BYMONTH" => rule.months = numbers(value, 1..=12).ok_or_else(wrong)?,
                "BYMONTHDAY" => rule.days = numbers(value, -31..=31).ok_or_else(wrong)?,
                "BYDAY" => rule.weekdays = weekdays(value).ok_or_else(wrong)?,
                // Weeks count for rules by the week only.
                "WKST" => {}
                _ => return Err(wrong()),
            }
        }
        if yearly {
            Ok(rule)
        } else {
            Err("only FREQ=YEARLY is understood".to_owned())
        }
    }

    /// The days, the first of them among them, `most` at most.
    pub(super) fn days(&self, first: Date, most: usize) -> Vec<Date> {
        let count = self.count.map_or(most, |count| count as usize).min(most);
        let mut days = vec![first];
        let mut year = first.year();
        while year <= YEAR_MAX && days.len() < count {
            for day in self.of(year, first) {
                if self.until.is_some_and(|until| day > until) || days.len() >= count {
                    return days;
                }
                if day > first {
                    days.push(day);
                }
            }
            year = year.saturating_add(self.interval);
        }
        days
    }

    /// The days of a year.
    fn of(&self, year: i16, first: Date) -> Vec<Date> {
        let plain = self.days.is_empty() && self.weekdays.is_empty();
        let months: Vec<i8> = match (self.months.as_slice(), plain) {
            ([], true) => vec![first.month()],
            ([], false) => (1..=12).collect(),
            (months, _) => months.to_vec(),
        };
        let mut days = Vec::new();
        for month in months {
            let Ok(begins) = Date::new(year, month, 1) else {
                continue;
            };
            for day in 1..=begins.days_in_month() {
                let fits = if plain {
                    day == first.day()
                } else {
                    Date::new(year, month, day).is_ok_and(|date| self.fits(date))
                };
                if fits {
                    days.extend(Date::new(year, month, day));
                }
            }
        }
        days.sort_unstable();
        days.dedup();
        days
    }

    fn fits(&self, date: Date) -> bool {
        let back = date.day() - date.days_in_month() - 1;
        let of_month = |day: &i8| *day == date.day() || *day == back;
        // Without months the n-th is the year's.
        let (day, length) = if self.months.is_empty() {
            (date.day_of_year(), date.days_in_year())
        } else {
            (date.day().into(), date.days_in_month().into())
        };
        let (nth, back) = ((day - 1) / 7 + 1, -((length - day) / 7 + 1));
        let of_week = |(wanted, weekday): &(i16, Weekday)| {
            *weekday == date.weekday() && (*wanted == 0 || *wanted == nth || *wanted == back)
        };
        (self.days.is_empty() || self.days.iter().any(of_month))
            && (self.weekdays.is_empty() || self.weekdays.iter().any(of_week))
    }
}

fn numbers(text: &str, within: std::ops::RangeInclusive<i8>) -> Option<Vec<i8>> {
    let number = |text: &str| {
        let number: i8 = text.trim().parse().ok()?;
        (number != 0 && within.contains(&number)).then_some(number)
    };
    let all: Option<Vec<i8>> = text.split(',').map(number).collect();
    all.filter(|all| all.len() <= VALUES_MAX)
}

/// `MO`, `4TH`, `-1SU`.
fn weekdays(text: &str) -> Option<Vec<(i16, Weekday)>> {
    let weekday = |text: &str| {
        let text = text.trim();
        let (number, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
        let number = match number {
            "" => 0,
            number => number
                .parse()
                .ok()
                .filter(|n: &i16| *n != 0 && n.abs() <= 53)?,
        };
        let weekday = match name.to_ascii_uppercase().as_str() {
            "MO" => Weekday::Monday,
            "TU" => Weekday::Tuesday,
            "WE" => Weekday::Wednesday,
            "TH" => Weekday::Thursday,
            "FR" => Weekday::Friday,
            "SA" => Weekday::Saturday,
            "SU" => Weekday::Sunday,
            _ => return None,
        };
        Some((number, weekday))
    };
    let all: Option<Vec<(i16, Weekday)>> = text.split(',').map(weekday).collect();
    all.filter(|all| all.len() <= VALUES_MAX)
}
