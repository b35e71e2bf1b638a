//! Who comes too evenly.

use super::{Settings, Watch, hash, settings};
use crate::baseline::Deviation;
use crate::baseline::Elementary as _;
use crate::time::Span;

/// A rule as the pack has it.
fn rule() -> Settings {
    Settings {
        timespan: Span::HOUR.times(2),
        surprise: 18.0,
        floor: 2.5,
        ..settings()
    }
}

/// Sixty desks, each of which goes to forty of fifty places now and then, and
/// all of which ask one place for updates every half an hour.
fn office(watch: &mut Watch, days: i64) {
    let mut visits = Vec::new();
    for desk in 0..60_u64 {
        for place in (0..50_u64).filter(|place| !hash(desk * 64 + place).is_multiple_of(5)) {
            for n in 0..u64::try_from(days).unwrap() * 12 {
                let r = hash((desk << 40) + (place << 20) + n);
                let second =
                    i64::try_from(r % 86_400).unwrap() + i64::try_from(n / 12).unwrap() * 86_400;
                let size = f64::from(u32::try_from(200 + (r >> 30) % 20_000).unwrap());
                visits.push((second, desk, place, size));
            }
        }
        for n in 0..days * 48 {
            visits.push((n * 1800 + i64::try_from(desk).unwrap() * 7, desk, 99, 640.0));
        }
    }
    visits.sort_by_key(|visit| (visit.0, visit.1, visit.2));
    for (second, desk, place, size) in visits {
        let found = watch.see_amount(desk * 256 + place, second, 1, place, Some(size));
        assert_eq!(found, None, "{desk} to {place}");
    }
}

/// The seconds at which a beacon calls: each gap the period, more or less a part.
fn calls(from: i64, period: i64, jitter: f64, many: u64) -> Vec<i64> {
    let mut now = from;
    let step = |n: u64| {
        #[expect(clippy::cast_precision_loss, reason = "24 bits")]
        let part = (hash(n + 77) % (1 << 24)) as f64 / f64::from(1 << 23) - 1.0;
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "seconds"
        )]
        let gap = (period as f64 * (1.0 + part * jitter)) as i64;
        gap
    };
    (0..many)
        .map(|n| {
            now += step(n);
            now
        })
        .collect()
}

const IMPLANT: u64 = (7 << 8) + 200;

fn call(watch: &mut Watch, second: i64, size: f64) -> Option<Deviation> {
    watch.see_amount(IMPLANT, second, 1, 200, Some(size))
}

/// At which call of a beacon it is found.
fn found_at(watch: &mut Watch, calls: &[i64]) -> Option<(usize, Deviation)> {
    let mut found = None;
    for (n, &second) in calls.iter().enumerate() {
        let size = 600.0 + f64::from(u32::try_from(n * 7 % 13).unwrap());
        if let Some(deviation) = call(watch, second, size) {
            found = found.or(Some((n, deviation)));
        }
    }
    found
}

#[test]
fn a_beacon_is_found_in_twenty_intervals_whatever_its_period_and_jitter_up_to_thirty_percent() {
    for period in [360, 600, 3600, 6 * 3600] {
        for jitter in [0.0, 0.1, 0.2, 0.3] {
            let mut watch = Watch::new("periodicity", 4, &rule());
            office(&mut watch, 1);
            let calls = calls(86_400, period, jitter, 34);
            let found = found_at(&mut watch, &calls);
            let (n, found) = found.unwrap_or_else(|| panic!("{period} {jitter}"));
            let told = format!("{period} {jitter}: {n} {found:?}");
            // Ten minutes in the nursery, and two hours that a beat must last.
            let most = if period == 360 { 28 } else { 21 };
            assert!(n <= most, "{told}");
            assert!(found.observed > found.quiet && found.quiet >= 1.0, "{told}");
            assert!(
                found.interval.0 < 1.0 && found.interval.1 < found.observed,
                "{told}"
            );
        }
    }
}

#[test]
fn a_beacon_of_half_a_minute_is_found_once_it_lasts_as_long_as_the_rule_asks() {
    for jitter in [0.0, 0.3] {
        let mut watch = Watch::new("periodicity", 4, &rule());
        office(&mut watch, 1);
        let calls = calls(86_400, 30, jitter, 400);
        let (n, found) = found_at(&mut watch, &calls).unwrap();
        assert!((200..330).contains(&n), "{n} {found:?}");
    }
}

#[test]
fn a_beacon_that_never_pauses_is_found_and_a_hum_is_not() {
    for period in [3, 5, 7] {
        let mut watch = Watch::new("periodicity", 4, &rule());
        office(&mut watch, 1);
        let many = u64::try_from(4 * 3600 / period).unwrap();
        let calls = calls(86_400, period, 0.2, many);
        let (n, found) = found_at(&mut watch, &calls).unwrap_or_else(|| panic!("{period}"));
        let minutes = (calls[n] - 86_400) / 60;
        assert!(
            (120..168).contains(&minutes),
            "{period}: {minutes} {found:?}"
        );
    }
    // As many by chance, of one size, all day long.
    for mean in [2, 5, 8] {
        let mut watch = Watch::new("periodicity", 4, &rule());
        office(&mut watch, 1);
        let mut chance: Vec<i64> = (0..u64::try_from(86_400 / mean).unwrap())
            .map(|n| 86_400 + i64::try_from(hash(n) % 86_400).unwrap())
            .collect();
        chance.sort_unstable();
        let found = found_at(&mut watch, &chance);
        assert_eq!(found, None, "{mean}");
    }
}

#[test]
fn what_everybody_calls_is_no_beacon_though_it_is_as_even_as_a_clock() {
    let mut watch = Watch::new("periodicity", 4, &rule());
    office(&mut watch, 3);
    // The same to a place of his own is.
    let calls = calls(3 * 86_400, 1800, 0.0, 24);
    assert!(found_at(&mut watch, &calls).is_some());
}

#[test]
fn the_first_day_knows_how_many_go_somewhere_too() {
    let mut watch = Watch::new("periodicity", 4, &rule());
    let mut all = 0;
    for n in 0..40 {
        for desk in 0..30_u64 {
            let second = n * 600 + i64::try_from(desk).unwrap();
            let found = watch.see_amount(desk << 8, second, 1, 0, Some(640.0));
            all += usize::from(found.is_some());
        }
    }
    assert_eq!(all, 0);
}

#[test]
fn a_beacon_in_several_logs_and_connections_at_once_is_still_one_beat() {
    let mut watch = Watch::new("periodicity", 4, &rule());
    office(&mut watch, 1);
    let mut found = 0;
    for (n, second) in (0_u64..).zip(calls(86_400, 600, 0.1, 24)) {
        for alias in 0..=n % 4 {
            let more = i64::try_from(alias * 3).unwrap();
            found += usize::from(call(&mut watch, second + more, 610.0).is_some());
            found += usize::from(call(&mut watch, second + more, 610.0).is_some());
        }
    }
    assert!(found > 0);
}

#[test]
fn one_call_of_no_meaning_between_beats_does_not_hide_them() {
    let mut watch = Watch::new("periodicity", 4, &rule());
    office(&mut watch, 1);
    let mut found = 0;
    for (n, second) in (0_u64..).zip(calls(86_400, 600, 0.0, 40)) {
        let between = i64::try_from(30 + hash(n) % 540).unwrap();
        found += usize::from(call(&mut watch, second, 610.0).is_some());
        found += usize::from(call(&mut watch, second + between, 610.0).is_some());
    }
    assert!(found > 0);
}

#[test]
fn duplicates_and_crowds_make_no_beat() {
    let mut watch = Watch::new("periodicity", 4, &rule());
    office(&mut watch, 1);
    for mean in [1_i64, 4, 12, 30, 300] {
        let entity = (1000 + u64::try_from(mean).unwrap()) * 256 + 201;
        let mut second = 86_400;
        for n in 0..6000_u64 {
            // Exponential gaps, each event twice and of one size.
            #[expect(clippy::cast_precision_loss, reason = "24 bits")]
            let part = ((hash(n) % (1 << 24)) as f64 + 1.0) / f64::from(1 << 24);
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "seconds"
            )]
            let gap = (-part.log_e() * mean as f64).round() as i64;
            second += gap;
            for _ in 0..2 {
                let found = watch.see_amount(entity, second, 1, 201, Some(610.0));
                assert_eq!(found, None, "{mean}: {n}");
            }
        }
    }
}

#[test]
fn who_has_called_for_days_is_known_for_it_and_one_stamp_from_tomorrow_hides_nothing_for_long() {
    let mut watch = Watch::new("periodicity", 4, &rule());
    office(&mut watch, 1);
    let all = calls(86_400, 600, 0.0, 6 * 144);
    let (early, late) = all.split_at(5 * 144);
    assert!(found_at(&mut watch, early).is_some());
    assert_eq!(found_at(&mut watch, late), None);

    let mut watch = Watch::new("periodicity", 4, &rule());
    office(&mut watch, 1);
    call(&mut watch, 86_400, 610.0);
    let more = calls(88_000, 600, 0.0, 80);
    call(&mut watch, 86_400 + 36 * 3600, 610.0);
    assert!(found_at(&mut watch, &more).is_some());
}

#[test]
fn a_machine_that_sleeps_at_night_still_beats_by_day() {
    let mut watch = Watch::new("periodicity", 4, &rule());
    office(&mut watch, 1);
    let mut found = 0;
    for day in 1..3 {
        for second in calls(day * 86_400 + 8 * 3600, 900, 0.2, 36) {
            found += usize::from(call(&mut watch, second, 610.0).is_some());
        }
    }
    assert!(found > 1, "{found}");
}
