//! Who grows slowly: the frog in the pot.

use super::{Settings, Watch, at, hash, settings};
use crate::time::Span;

const MB: f64 = 1e6;

fn slow() -> Settings {
    Settings {
        timespan: Span::DAY,
        half_life: Span::DAY.times(56),
        season: false,
        surprise: 10.0,
        floor: 20.0 * MB,
        warm_up: Span::DAY.times(14),
        ..settings()
    }
}

/// Thirty machines that send some 10 MB a day, each as it likes; frog 7 grows
/// by a part each day from day 28 on. When it is found, and how often others are.
fn grow(settings: &Settings, by: f64, days: i64) -> (Option<i64>, usize) {
    let mut watch = Watch::new("drift", 1, settings);
    let (mut found, mut others) = (None, 0);
    for day in 0..days {
        for machine in 0..30_u64 {
            let r = hash(machine * 7919 + u64::try_from(day).unwrap()) >> 13 & 63;
            let mut size = 4.0 * MB * (1.0 + f64::from(u32::try_from(r).unwrap()) / 16.0);
            if machine == 7 && day > 28 {
                size *= libm::pow(1.0 + by, f64::from(i32::try_from(day - 28).unwrap()));
            }
            for hour in [9, 15] {
                let seen = watch.weigh(machine, at(day, hour, 0), 1, 0, size / 2.0);
                match seen {
                    Some(_) if machine == 7 => found = found.or(Some(day - 28)),
                    Some(_) => others += 1,
                    None => {}
                }
            }
        }
    }
    (found, others)
}

#[test]
fn a_frog_is_found_before_it_is_a_hundred_times_as_much() {
    let (found, others) = grow(&slow(), 0.25, 60);
    let day = found.unwrap();
    // 1.25^20 = 87.
    assert!((6..=20).contains(&day), "{day}");
    assert_eq!(others, 0);
}

#[test]
fn growth_of_a_good_business_is_no_drift() {
    let (found, others) = grow(&slow(), 0.005, 120);
    assert_eq!((found, others), (None, 0));
}

#[test]
fn without_the_limit_on_growth_the_frog_takes_the_anchor_with_it() {
    // A short memory without delay and limit: what the slow anchor is for.
    let led = Settings {
        half_life: Span::DAY.times(3),
        delay: Some(Span::DAY),
        growth: 1.0,
        ..slow()
    };
    let (held, _) = grow(&slow(), 0.12, 70);
    let (led, _) = grow(&led, 0.12, 70);
    assert!(
        held.is_some_and(|day| led.is_none_or(|led| led > day + 5)),
        "{held:?} {led:?}"
    );
}

#[test]
fn a_single_large_day_is_no_drift() {
    let mut watch = Watch::new("drift", 1, &slow());
    for day in 0..40 {
        watch.weigh(1, at(day, 9, 0), 1, 0, 10.0 * MB);
    }
    assert_eq!(watch.weigh(1, at(40, 9, 0), 1, 0, 1000.0 * MB), None);
}

#[test]
fn a_new_level_alerts_for_a_week_or_two_and_is_then_the_level() {
    let mut watch = Watch::new("drift", 1, &slow());
    let mut days = Vec::new();
    for day in 0..120 {
        let size = if day < 40 { 10.0 } else { 400.0 };
        if watch.weigh(1, at(day, 9, 0), 1, 0, size * MB).is_some() {
            days.push(day);
        }
    }
    // A bucket counts for 2.5 spreads at most, so the level takes a week to show.
    assert!((42..48).contains(&days[0]), "{days:?}");
    assert!((5..25).contains(&days.len()), "{days:?}");
    assert!(*days.last().unwrap() < 75, "{days:?}");
}

#[test]
fn events_are_counted_where_no_field_is_named() {
    let counts = Settings {
        floor: 10.0,
        ..slow()
    };
    let mut watch = Watch::new("drift", 1, &counts);
    let mut found = None;
    for day in 0..60 {
        let growth = libm::pow(
            1.2,
            f64::from(i32::try_from((day - 30_i64).max(0)).unwrap()),
        );
        for n in 0..400 {
            if f64::from(n) < 4.0 * growth {
                let seen = watch.weigh(1, at(day, 9, 0) + i64::from(n) * 60, 1, 0, 1.0);
                found = found.or(seen.map(|seen| (day, seen)));
            }
        }
    }
    let (day, seen) = found.unwrap();
    assert!((36..50).contains(&day), "{day} {seen:?}");
    assert!(seen.observed > 2.0 * seen.expected && seen.quiet < seen.observed);
}
