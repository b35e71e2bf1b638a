//! An office that is shut on a day that others call Monday.

use super::{Deviation, MONDAY, Settings, Watch, at, hash, settings, workdays};
use crate::holidays::Holidays;
use crate::time::Span;

/// A Monday after ten weeks: what the first weekends made the office seem to
/// scatter is forgotten.
const SHUT: i64 = 70;

fn calendar(days: &[i64]) -> Holidays {
    let stretch = |day: &i64| (MONDAY + day * 86_400, MONDAY + (day + 1) * 86_400);
    Holidays::new(days.iter().map(stretch).collect(), Vec::new())
}

/// Whether the office's host (3) has anybody in at an hour.
fn open(hour: i64, shut: &[i64]) -> bool {
    (8..18).contains(&(hour % 24)) && hour / 24 % 7 < 5 && !shut.contains(&(hour / 24))
}

/// What was told of the office while seven other hosts went on day and night.
fn told(
    name: &str,
    settings: &Settings,
    days: i64,
    shut: &[i64],
    night: u32,
) -> Vec<(i64, Deviation)> {
    let mut watch = Watch::new(name, 2, settings);
    let mut told = Vec::new();
    for part in 0..days * 24 * 12 {
        for host in 0..8_u64 {
            let drawn = hash(u64::try_from(part).unwrap() << 8 | host);
            let many = 10 + u32::try_from(drawn % 5).unwrap();
            let lines = if host != 3 || open(part / 12, shut) {
                many
            } else {
                // Its doors and pumps say something by night, or nothing at all.
                night * u32::from(drawn.is_multiple_of(4))
            };
            if lines > 0 {
                let second = part * 300 + i64::try_from(host).unwrap();
                let found = watch.see(host, second, lines, 0);
                told.extend(found.map(|found| (second / 3600, found)));
            }
        }
    }
    told
}

#[test]
fn an_office_that_is_shut_on_a_holiday_is_no_drop_where_the_calendar_says_so() {
    let rule = Settings {
        surprise: 8.0,
        floor: 20.0,
        warm_up: Span::DAY.times(14),
        max_entities: 64,
        ..settings()
    };
    let without = told("event_drop", &rule, SHUT + 2, &[SHUT], 1);
    assert!(!without.is_empty());
    let hours: Vec<i64> = without.iter().map(|(hour, _)| *hour - SHUT * 24).collect();
    assert!(hours.iter().all(|hour| (8..20).contains(hour)), "{hours:?}");
    let rule = Settings {
        holidays: calendar(&[SHUT]),
        ..rule
    };
    let with = told("event_drop", &rule, SHUT + 2, &[SHUT], 1);
    assert!(with.is_empty(), "{with:?}");
    // That it is a holiday excuses nothing on the day after.
    let longer = told("event_drop", &rule, SHUT + 3, &[SHUT, SHUT + 1], 1);
    assert!(!longer.is_empty() && longer.iter().all(|(hour, _)| *hour >= (SHUT + 1) * 24));
}

#[test]
fn a_silence_over_a_holiday_is_as_long_as_a_weekend_and_a_dead_host_is_told_all_the_same() {
    let rule = Settings {
        surprise: 14.0,
        floor: 600.0,
        half_life: Span::DAY.times(56),
        warm_up: Span::DAY.times(56),
        max_entities: 64,
        ..settings()
    };
    let without = told("silence", &rule, SHUT + 2, &[SHUT], 0);
    assert!(!without.is_empty());
    let rule = Settings {
        holidays: calendar(&[SHUT]),
        ..rule
    };
    let with = told("silence", &rule, SHUT + 2, &[SHUT], 0);
    assert!(with.is_empty(), "{with:?}");
    let dead: Vec<i64> = (SHUT..SHUT + 9).collect();
    let gone = told("silence", &rule, SHUT + 5, &dead, 0);
    let [(hour, found)] = gone.as_slice() else {
        panic!("{gone:?}");
    };
    // The day that was put off is the holiday, and no more than that.
    let before = told(
        "silence",
        &Settings {
            holidays: Holidays::default(),
            ..rule
        },
        SHUT + 5,
        &dead,
        0,
    );
    let [(early, _)] = before.as_slice() else {
        panic!("{before:?}");
    };
    assert_eq!(*hour - *early, 24, "{found:?}");
}

#[test]
fn who_logs_in_on_a_holiday_comes_at_an_odd_hour_and_who_stayed_away_over_it_is_not_dormant() {
    let office = |watch: &mut Watch| {
        for day in workdays(10) {
            for hour in 0..6 {
                for user in 0..40 {
                    watch.bits(user, at(day, 9 + hour, 0), 1, 1);
                }
            }
        }
    };
    let days = Settings {
        holidays: calendar(&[SHUT, SHUT + 1, SHUT + 2, SHUT + 3]),
        ..settings()
    };
    let odd = |settings: &Settings| {
        let mut watch = Watch::new("off_hours", 2, settings);
        office(&mut watch);
        watch.bits(5, at(SHUT, 10, 0), 1, 1)
    };
    let (without, with) = (odd(&settings()), odd(&days));
    assert!(without < 1.0 && with > 3.0, "{without} {with}");
    let away = |settings: &Settings| {
        let mut watch = Watch::new("idle_gap", 2, settings);
        office(&mut watch);
        watch
            .see(5, at(SHUT + 4, 10, 0), 1, 1)
            .map_or(0.0, |d| d.bits)
    };
    let (without, with) = (away(&settings()), away(&days));
    assert!(without > 3.0 && with < 0.5, "{without} {with}");
}

#[test]
fn a_snapshot_goes_on_under_another_calendar() {
    let row = |settings: &Settings| super::build("event_count", settings);
    let mut old = row(&settings());
    for hour in 0..400_i64 {
        old.observe(&super::super::Sample {
            key: 7,
            time: crate::time::Time::from_secs(MONDAY + hour * 3600),
            count: 3,
            value: 0,
            parts: [0; 4],
            peers: 0,
            amount: None,
            last: true,
            lesson: super::Lesson::Whole,
        });
    }
    let days = Settings {
        holidays: calendar(&[SHUT]),
        ..settings()
    };
    let (mut same, mut other) = (row(&settings()), row(&days));
    same.load(&old.save()).unwrap();
    other.load(&old.save()).unwrap();
    assert_eq!(same.save(), other.save());
}
