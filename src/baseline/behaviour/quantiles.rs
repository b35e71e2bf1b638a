//! Whose values are far above what they ever were.

use super::{Settings, Watch, at, hash, settings, workdays};
use crate::baseline::Elementary as _;
use crate::time::Span;

/// From 0 to 1, the same each time.
fn draw(desk: u64, n: i64) -> f64 {
    let drawn = hash(desk << 40 ^ u64::try_from(n).unwrap()) >> 40;
    f64::from(u32::try_from(drawn).unwrap()) / f64::from(1 << 24)
}

/// Seconds of a connection: exponential, five minutes on average.
fn duration(desk: u64, n: i64) -> f64 {
    -300.0 * (1.0 - draw(desk, n)).log_e()
}

/// Bytes of a connection: Pareto with a shape of 1.3, from a kilobyte on.
fn size(desk: u64, n: i64) -> f64 {
    1e3 * libm::pow(1.0 - draw(desk, n), -1.0 / 1.3)
}

/// Twenty desks with six connections an hour; how many of them were told.
fn office(watch: &mut Watch, weeks: i64, value: fn(u64, i64) -> f64) -> usize {
    let mut told = 0;
    for day in workdays(weeks) {
        for hour in 8..17 {
            for part in 0..6 {
                for desk in 0..20_u64 {
                    let second = at(day, hour, part * 9) + i64::try_from(desk).unwrap();
                    let seen = watch.weigh(desk, second, 1, 0, value(desk, second));
                    told += usize::from(seen.is_some());
                }
            }
        }
    }
    told
}

fn strict() -> Settings {
    Settings {
        surprise: 16.0,
        floor: 60.0,
        warm_up: Span::DAY.times(7),
        ..settings()
    }
}

/// Tells of everything beyond the quantile.
fn any() -> Settings {
    Settings {
        surprise: 0.01,
        floor: 1.0,
        ..strict()
    }
}

fn bytes() -> Settings {
    Settings {
        heavy: true,
        ..strict()
    }
}

#[test]
fn a_connection_of_ten_hours_is_odd_where_they_last_minutes_and_says_so() {
    let mut watch = Watch::new("value_quantile", 1, &strict());
    assert_eq!(office(&mut watch, 4, duration), 0);
    let second = at(28, 10, 0);
    let found = watch.weigh(7, second, 1, 0, 36_000.0).unwrap();
    assert!(
        found.bits >= 16.0 && found.observed > found.quiet,
        "{found:?}"
    );
    // The median of an exponential is ln 2 of its mean.
    assert!((found.expected / 208.0).log_e().abs() < 0.35, "{found:?}");
    assert!((found.interval.1 / 1590.0).log_e().abs() < 0.4, "{found:?}");
    assert!(
        found.evidence > 60.0 && found.age > Span::DAY.times(27),
        "{found:?}"
    );
    let sum: f64 = found.terms.iter().map(|term| term.1).sum();
    assert!((sum - found.bits).abs() < 1e-9);
    // An hour comes once in a hundred thousand, and a desk has six in an hour.
    assert_eq!(watch.weigh(8, second + 60, 1, 0, 3000.0), None);
    assert!(
        watch
            .weigh(8, second + 61, 1, 0, found.quiet * 1.5)
            .is_some()
    );
}

#[test]
fn an_ordinary_month_of_twenty_thousand_values_raises_hardly_anything() {
    for (value, settings) in [(duration as fn(_, _) -> _, strict()), (size, bytes())] {
        let mut watch = Watch::new("value_quantile", 1, &settings);
        let told = office(&mut watch, 4, value);
        assert!(told <= 1, "{told}");
    }
}

#[test]
fn the_score_is_reached_about_as_often_as_it_says() {
    for (value, heavy) in [(duration as fn(_, _) -> _, false), (size, true)] {
        let mut watch = Watch::new(
            "value_quantile",
            1,
            &Settings {
                surprise: 6.0,
                heavy,
                ..strict()
            },
        );
        // 15 working days of 9 hours and 20 desks after the warm-up.
        let nominal = 15.0 * 9.0 * 20.0 / 64.0;
        let told = f64::from(u32::try_from(office(&mut watch, 4, value)).unwrap());
        assert!(
            told < 2.0 * nominal && told > nominal / 4.0,
            "{told} {nominal}"
        );
    }
}

#[test]
fn bytes_have_a_heavier_tail_than_an_exponential() {
    let bits = |settings| {
        let mut watch = Watch::new("value_quantile", 1, &settings);
        office(&mut watch, 4, size);
        watch.bits_of(7, at(28, 10, 0), 1e6)
    };
    let (heavy, light) = (
        bits(Settings {
            heavy: true,
            ..any()
        }),
        bits(any()),
    );
    assert!(heavy < 12.0 && light > heavy + 10.0, "{heavy} {light}");
}

#[test]
fn a_name_of_two_hundred_characters_is_odd_where_all_are_short() {
    let mut watch = Watch::new("value_quantile", 1, &any());
    office(&mut watch, 4, |desk, n| {
        60.0 + (draw(desk, n) * 30.0).floor()
    });
    let odd = watch.bits_of(7, at(28, 10, 0), 200.0);
    let usual = watch.bits_of(7, at(28, 10, 1), 41.0);
    assert!(odd > 14.0 && usual < 4.0, "{odd} {usual}");
}

#[test]
fn under_a_hundred_values_nothing_is_told() {
    let mut watch = Watch::new("value_quantile", 1, &strict());
    office(&mut watch, 4, duration);
    for n in 0..14 {
        // Seven hours.
        watch.weigh(99, at(28, 9, 0) + n * 1800, 1, 0, 300.0);
    }
    assert_eq!(watch.weigh(99, at(28, 17, 0), 1, 0, 80_000.0), None);
}

#[test]
fn a_burst_of_large_values_teaches_as_little_as_eight() {
    let alarm = |burst: i64| {
        let mut watch = Watch::new("value_quantile", 1, &strict());
        office(&mut watch, 4, duration);
        for n in 0..burst {
            watch.weigh(7, at(28, 3, 0) + n % 3000, 1, 0, 30_000.0);
        }
        let found = watch.weigh(7, at(28, 10, 0), 1, 0, 80_000.0);
        found.map_or(f64::INFINITY, |found| found.quiet)
    };
    let (calm, eight, flood) = (alarm(0), alarm(8), alarm(20_000));
    assert!(eight <= 4.0 * calm, "{calm} {eight}");
    assert!(flood <= 2.0 * eight, "{eight} {flood}");
}

#[test]
fn small_values_in_any_number_do_not_hide_a_large_one() {
    let mut watch = Watch::new("value_quantile", 1, &strict());
    office(&mut watch, 4, duration);
    for n in 0..50_000 {
        watch.weigh(7, at(28, 2, 0) + n % 3000, 1, 0, 0.5);
    }
    assert!(watch.weigh(7, at(28, 10, 0), 1, 0, 50_000.0).is_some());
}

#[test]
fn what_lasts_is_learnt_within_weeks() {
    let mut watch = Watch::new("value_quantile", 1, &strict());
    office(&mut watch, 4, duration);
    let mut told = Vec::new();
    for day in 28..56 {
        for hour in 8..17 {
            let seen = watch.weigh(7, at(day, hour, 0), 1, 0, 20_000.0);
            told.push(seen.is_some());
        }
    }
    assert!(told[0] && told.iter().rev().take(60).all(|told| !told));
}

#[test]
fn what_is_no_value_teaches_nothing() {
    let found = |odd: &[f64]| {
        let mut watch = Watch::new("value_quantile", 1, &strict());
        office(&mut watch, 4, duration);
        for (n, &value) in (0..).zip(odd) {
            watch.weigh(7, at(28, 5, 0) + n * 700, 1, 0, value);
        }
        watch.weigh(7, at(28, 10, 0), 1, 0, 50_000.0).unwrap()
    };
    assert_eq!(found(&[]), found(&[-1.0, 0.0, f64::NAN, f64::NEG_INFINITY]));
    // What is beyond measure is as far out as anything.
    let huge = found(&[f64::INFINITY, 1e300, 9.3e18]);
    assert!(huge.quiet < 50_000.0, "{huge:?}");
}
