//! Who sends more than usual.

use super::{Settings, Watch, at, hash, settings, workdays};
use crate::time::Span;

const MB: f64 = 1e6;

/// The storage that everybody uses.
const STORAGE: u64 = 1;
/// An address that nobody ever met.
const DROP: u64 = 77_777;

/// 0 to 99, the same each time.
fn draw(a: u64, b: i64) -> u64 {
    hash(a * 1_000_003 + u64::try_from(b).unwrap()) >> 20 & 63
}

fn small(n: u64) -> f64 {
    4e3 * (1.0 + f64::from(u32::try_from(n).unwrap()))
}

/// Forty desks that browse all day and now and then save something to the
/// storage; host 100 backs up 2 GB at night to an address of its own.
fn office(watch: &mut Watch, days: std::ops::Range<i64>) -> usize {
    let mut alerts = 0;
    for day in days {
        for hour in 0..24 {
            if hour == 2 {
                for part in 0..20 {
                    let size = 90.0 * MB + 1e5 * small(draw(100, day));
                    let seen = watch.weigh(100, at(day, 2, part), 1, 500, size.min(110.0 * MB));
                    alerts += usize::from(seen.is_some());
                }
            }
            if !(8..17).contains(&hour) || day % 7 >= 5 {
                continue;
            }
            for desk in 0..40_u64 {
                let r = draw(desk, day * 24 + hour);
                let minute = i64::try_from(r % 60).unwrap();
                watch.weigh(desk, at(day, hour, minute), 1, 10 + r % 30, small(r));
                if r % 16 == 3 {
                    let size = 200.0 * small(r);
                    let seen = watch.weigh(desk, at(day, hour, minute), 1, STORAGE, size);
                    alerts += usize::from(seen.is_some());
                }
            }
        }
    }
    alerts
}

fn strict() -> Settings {
    Settings {
        surprise: 12.0,
        floor: 20.0 * MB,
        warm_up: Span::DAY.times(7),
        ..settings()
    }
}

/// After four weeks.
fn watch(settings: &Settings) -> Watch {
    let mut watch = Watch::new("value_sum", 1, settings);
    office(&mut watch, 0..28);
    watch
}

/// How many of so many parts were sent when it was found.
fn found(watch: &mut Watch, entity: u64, from: i64, to: u64, part: f64, parts: i64) -> Option<i64> {
    (0..parts).find(|&n| watch.weigh(entity, from + n * 60, 1, to, part).is_some())
}

#[test]
fn a_bulk_upload_is_found_while_it_goes_on() {
    let mut watch = watch(&strict());
    let parts = found(&mut watch, 7, at(28, 10, 0), DROP, 50.0 * MB, 40).unwrap();
    assert!(parts < 20, "within the hour, after {parts} of 40 parts");
}

#[test]
fn an_ordinary_month_of_seven_thousand_active_hours_hardly_raises_an_alert() {
    let mut watch = watch(&strict());
    let alerts = office(&mut watch, 28..56);
    // At 12 bits, 1.8 are to be expected.
    assert!(alerts < 4, "{alerts}");
}

#[test]
fn the_same_upload_surprises_more_at_night_and_where_nobody_else_sends() {
    let bits = |hour, to| {
        let mut watch = watch(&settings());
        let found = watch.weigh(7, at(28, hour, 0), 1, to, 80.0 * MB).unwrap();
        (found.bits, found.terms)
    };
    let (day, day_terms) = bits(10, STORAGE);
    let (night, _) = bits(3, STORAGE);
    let (away, terms) = bits(10, DROP);
    assert!(night > day + 4.0, "{night} {day} {day_terms:?}");
    assert!(away > day + 3.0, "{away} {day} {terms:?}");
    assert_eq!(terms[0].0, "amount");
}

#[test]
fn the_nightly_backup_is_no_surprise_and_at_noon_it_is_some() {
    let mut watch = watch(&settings());
    let night = watch.weigh(100, at(28, 2, 0), 1, 500, 2000.0 * MB).unwrap();
    let noon = watch
        .weigh(100, at(28, 12, 0), 1, 500, 2000.0 * MB)
        .unwrap();
    assert!(
        night.bits < 5.0 && noon.bits > night.bits + 4.0,
        "{night:?} {noon:?}"
    );
}

#[test]
fn a_deviation_says_what_would_have_been_quiet() {
    let mut watch = watch(&strict());
    let all: Vec<_> = (0..40)
        .map(|n| watch.see_amount(7, at(28, 10, 0) + n * 60, 1, DROP, Some(50.0 * MB)))
        .collect();
    let first = all.iter().position(Option::is_some).unwrap();
    assert!(all[first..].iter().all(Option::is_some), "while it holds");
    let deviation = all[first].clone().unwrap();
    assert!(deviation.quiet < deviation.observed);
    assert!(
        deviation.quiet >= deviation.observed - 50.0 * MB,
        "{deviation:?}"
    );
    assert!(deviation.interval.0 < deviation.expected);
    assert!(deviation.expected < deviation.interval.1 && deviation.interval.1 < deviation.observed);
    assert!(deviation.evidence > 50.0 && deviation.age > Span::DAY.times(27));
    let sum: f64 = deviation.terms.iter().map(|term| term.1).sum();
    assert!((sum - deviation.bits).abs() < 1e-9 && deviation.bits >= 12.0);
}

#[test]
fn what_is_no_amount_teaches_nothing() {
    let mut clean = watch(&settings());
    let mut dirty = watch(&settings());
    for hour in 0..72 {
        for amount in [-1.0, -9e18, f64::NAN, f64::NEG_INFINITY, 0.0] {
            dirty.weigh(7, at(28, hour, 5), 1, DROP, amount);
        }
    }
    for hour in 72..90 {
        for amount in [9.3e18, 1e308, f64::INFINITY] {
            let seen = dirty.weigh(7, at(28, hour, 5), 1, DROP, amount).unwrap();
            assert!(seen.observed < 4e15, "{}", seen.observed);
        }
    }
    let expected = |watch: &mut Watch| {
        let found = watch.weigh(7, at(35, 10, 0), 1, DROP, 50.0 * MB).unwrap();
        (found.expected, found.interval)
    };
    assert_eq!(expected(&mut clean), expected(&mut dirty));
}

#[test]
fn what_was_alerted_on_is_not_learnt_and_a_regime_that_lasts_is() {
    let mut watch = watch(&strict());
    let mut alerts = Vec::new();
    for day in workdays(8).map(|day| day + 28) {
        office(&mut watch, day..day + 1);
        let seen = found(&mut watch, 7, at(day, 19, 0), DROP, 100.0 * MB, 40);
        alerts.push(seen.is_some());
    }
    assert!(
        alerts[..5].iter().all(|&alert| alert),
        "held back: {alerts:?}"
    );
    assert!(
        alerts[25..].iter().all(|&alert| !alert),
        "learnt: {alerts:?}"
    );
}

#[test]
fn an_upload_a_day_later_is_no_less_of_a_surprise() {
    let mut watch = watch(&strict());
    let first = found(&mut watch, 7, at(28, 10, 0), DROP, 50.0 * MB, 40).unwrap();
    let second = found(&mut watch, 7, at(29, 10, 0), DROP, 50.0 * MB, 40).unwrap();
    assert!(second <= first + 1, "{first} {second}");
}

#[test]
fn a_pair_that_is_new_is_judged_by_what_pairs_send() {
    // Desks' pairs with their places, a few kilobytes each.
    let mut watch = Watch::new("value_sum", 1, &strict());
    for day in workdays(4) {
        for hour in 8..17 {
            for desk in 0..40_u64 {
                let r = draw(desk, day * 24 + hour);
                let place = r % 30;
                watch.weigh(
                    1000 + desk * 30 + place,
                    at(day, hour, 5),
                    1,
                    place,
                    small(r),
                );
            }
        }
    }
    let bits = |watch: &mut Watch, pair, hour, to| {
        let parts = found(watch, pair, at(28, hour, 0), to, 25.0 * MB, 30);
        parts.is_some()
    };
    assert!(bits(&mut watch, 5_000_001, 2, DROP));
    assert!(!bits(&mut watch, 5_000_002, 10, 3), "a place that all know");
}

#[test]
fn low_amounts_do_not_widen_what_is_held_to_be_usual() {
    // Who prepares a theft: single bytes, in the hours that the desk is silent
    // anyway, for four weeks.
    let quiet = |sly: bool| {
        let mut watch = watch(&strict());
        for day in 28..56 {
            office(&mut watch, day..day + 1);
            for hour in 18..24 {
                if sly {
                    watch.weigh(7, at(day, hour, 0), 1, DROP, 1.0);
                }
            }
        }
        found(&mut watch, 7, at(56, 20, 0), DROP, 100.0 * MB, 50)
    };
    let (calm, sly) = (quiet(false), quiet(true));
    // Its hours are no longer silent, and what nobody sends still is.
    let (calm, sly) = (calm.unwrap(), sly.unwrap());
    assert!(calm <= sly && sly <= 40, "{calm} {sly}");
}
