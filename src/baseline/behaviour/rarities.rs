//! Who comes with what he hardly ever comes with.

use super::{Settings, Watch, at, settings, workdays};
use crate::baseline::Deviation;
use crate::time::Span;

/// What everybody uses, a tool that only some use, and one that hardly anybody does.
const COMMON: u64 = 1;
const TOOL: u64 = 2;
const ODD: u64 = 900;

/// Forty people, six hours a working day; some use the tool each afternoon.
fn office(watch: &mut Watch, weeks: std::ops::Range<i64>) -> Vec<Deviation> {
    let mut told = Vec::new();
    for day in workdays(weeks.end).filter(|day| *day >= weeks.start * 7) {
        for hour in 9..15 {
            for user in 0..40_u64 {
                let minute = i64::try_from(user).unwrap();
                told.extend(watch.see(user, at(day, hour, minute), 1, COMMON));
                if hour == 14 && (user % 3 == 0 || day % 7 == 3 && user % 3 == 1) {
                    told.extend(watch.see(user, at(day, hour, minute), 1, TOOL));
                }
            }
        }
    }
    told
}

fn strict() -> Settings {
    Settings {
        surprise: 9.0,
        floor: 0.0,
        season: false,
        half_life: Span::DAY.times(45),
        warm_up: Span::DAY.times(7),
        ..settings()
    }
}

/// Five weeks, in which user 7 once used what nobody else does.
fn watch() -> Watch {
    watch_from(9.0)
}

fn watch_from(surprise: f64) -> Watch {
    let settings = Settings {
        surprise,
        ..strict()
    };
    let mut watch = Watch::new("rare", 1, &settings);
    office(&mut watch, 0..2);
    assert_eq!(watch.see(7, at(14, 10, 0), 1, ODD), None, "new, not rare");
    office(&mut watch, 2..5);
    watch
}

#[test]
fn what_somebody_did_once_and_nobody_else_does_is_told_when_it_comes_again() {
    let mut watch = watch();
    let found = watch.see(7, at(35, 10, 0), 1, ODD).unwrap();
    assert!(found.bits >= 9.0 && found.expected < 0.03, "{found:?}");
    assert!(
        found.evidence > 50.0 && found.age > Span::DAY.times(34),
        "{found:?}"
    );
    assert_eq!((found.model, found.observed), ("pyp", 1.0));
    let again = watch.see(7, at(35, 10, 5), 1, ODD).unwrap();
    assert!(
        (again.bits - found.bits).abs() < 1e-9,
        "while the hour lasts"
    );
}

#[test]
fn what_is_new_is_not_rare_and_what_is_usual_is_neither() {
    let mut watch = watch();
    assert_eq!(watch.see(9, at(35, 10, 0), 1, ODD), None);
    assert_eq!(watch.see(9, at(35, 10, 1), 1, COMMON), None);
    assert_eq!(watch.see(9, at(35, 10, 2), 1, TOOL), None);
}

#[test]
fn what_a_group_does_every_day_is_no_worry_of_who_seldom_does() {
    let mut watch = Watch::new("rare", 1, &strict());
    let told = office(&mut watch, 0..8);
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn it_is_told_each_day_until_it_is_a_habit_and_each_time_a_bit_less() {
    let mut watch = watch();
    let mut bits = Vec::new();
    for week in 5..14 {
        office(&mut watch, week..week + 1);
        let found = watch.see(7, at(week * 7 + 4, 16, 0), 1, ODD);
        bits.push(found.map_or(0.0, |found| found.bits));
    }
    assert!(bits[0] >= 9.0 && bits[8] < bits[0] - 1.0, "{bits:?}");
    assert!(bits.is_sorted_by(|a, b| a >= b), "{bits:?}");
}

#[test]
fn a_thousand_times_in_an_hour_make_it_no_commoner_than_once() {
    let after = |times: i64| {
        let mut watch = watch_from(5.0);
        for n in 0..times {
            watch.see(7, at(35, 3, 0) + n, 1, ODD);
        }
        watch.see(7, at(36, 10, 0), 1, ODD).map(|found| found.bits)
    };
    assert_eq!(after(1), after(1000));
    assert!(after(1).is_some());
}

#[test]
fn helpers_who_do_the_same_once_do_not_make_it_usual() {
    let mut watch = watch();
    for user in [10, 11] {
        watch.see(user, at(35, 3, 0), 1, ODD);
    }
    office(&mut watch, 5..6);
    assert!(watch.see(7, at(42, 10, 0), 1, ODD).is_some());
}
