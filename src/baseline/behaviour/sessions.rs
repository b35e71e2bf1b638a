//! Who comes as somebody else would: from elsewhere, at night, after months,
//! after many tries, to everything at once.

use super::{Deviation, Settings, Watch, at, settings, workdays};
use crate::baseline::{Only, STATISTICS};
use crate::time::Span;

/// Terms of this many bits or more, by name.
fn odd(found: &Deviation) -> Vec<&'static str> {
    found.terms.iter().map(|&(name, _)| name).collect()
}

fn two_fields() -> Settings {
    Settings {
        fields: 2,
        half_life: Span::DAY.times(45),
        ..settings()
    }
}

/// Forty people on their own desks (of which each knows two) and three hosts,
/// from nine to three on working days.
fn office(watch: &mut Watch, weeks: i64) {
    for day in workdays(weeks) {
        for hour in 0..6 {
            for user in 0..40_u64 {
                let turn = u64::try_from(day + hour).unwrap();
                let desk = 100 + (user + turn % 2) % 40;
                let host = 200 + (user + turn) % 3;
                let minute = i64::try_from(user).unwrap();
                let time = at(day, 9 + hour, minute);
                watch.tell(user, time, (1, true), [desk, host, 0, 0]);
            }
        }
    }
}

#[test]
fn a_session_odd_in_three_ways_scores_far_above_one_odd_in_one() {
    let mut watch = Watch::new("session_novelty", 4, &two_fields());
    office(&mut watch, 4);
    let usual = watch.tell(5, at(28, 10, 0), (1, true), [105, 201, 0, 0]);
    assert_eq!(usual, None, "an ordinary morning");
    let one = watch
        .tell(6, at(28, 10, 0), (1, true), [777, 201, 0, 0])
        .unwrap();
    assert_eq!(odd(&one), ["field 1"]);
    let three = watch
        .tell(7, at(28, 3, 0), (1, true), [777, 888, 0, 0])
        .unwrap();
    assert_eq!(three.terms.len(), 3, "{three:?}");
    assert!(odd(&three).contains(&"hour"));
    assert!((three.observed - 3.0).abs() < 1e-9 && three.model == "fisher");
    assert!(
        three.bits > one.bits + 5.0 && three.bits > 10.0,
        "{three:?}"
    );
    assert!(three.evidence >= 100.0 && three.age > Span::DAY.times(27));
}

#[test]
fn a_value_is_judged_by_its_own_field_alone() {
    let mut watch = Watch::new("session_novelty", 1, &two_fields());
    office(&mut watch, 4);
    // A desk's number as a host: known as one, never seen as the other.
    let found = watch
        .tell(5, at(28, 10, 0), (1, true), [105, 105, 0, 0])
        .unwrap();
    assert_eq!(odd(&found), ["field 2"]);
}

#[test]
fn the_label_of_a_term_says_what_was_seen() {
    let mut watch = Watch::new("session_novelty", 1, &two_fields());
    office(&mut watch, 4);
    watch.tell(5, at(47, 3, 0), (1, true), [777, 888, 0, 0]);
    let key = super::hash(5);
    let label = |term| watch.lanes[0].label(key, term);
    assert_eq!(label("hour"), Some("hour 03 of weekends".to_owned()));
    assert_eq!(label("idle gap"), Some("idle gap 22d".to_owned()));
    assert_eq!(label("field 1"), None);
}

#[test]
fn coming_each_night_makes_nights_usual_and_a_burst_in_one_night_does_not() {
    let mut watch = Watch::new("off_hours", 1, &settings());
    office(&mut watch, 4);
    let night = at(28, 3, 0);
    let first = watch.bits(5, night, 1, 1);
    assert!(first > 7.0, "{first}");
    watch.bits(6, night, 1, 1);
    for n in 0..500 {
        watch.bits(5, night + n, 1, 1);
    }
    let burst = watch.bits(5, at(29, 3, 0), 1, 1);
    let once = watch.bits(6, at(29, 3, 0), 1, 1);
    assert!(burst > 5.0 && (burst - once).abs() < 0.5, "{burst} {once}");
    for day in 30..44 {
        watch.bits(5, at(day, 3, 0), 1, 1);
    }
    let used = watch.bits(5, at(44, 3, 0), 1, 1);
    assert!(used < 5.0, "{used}");
    assert!(watch.bits(5, at(44, 10, 0), 1, 1) < 1.0);
}

#[test]
fn who_works_at_night_is_odd_by_day() {
    let mut watch = Watch::new("off_hours", 1, &settings());
    office(&mut watch, 4);
    for day in 0..28 {
        for hour in 1..5 {
            watch.bits(900, at(day, hour, 0), 1, 1);
        }
    }
    assert!(watch.bits(900, at(28, 3, 0), 1, 1) < 1.0);
    let day = watch.bits(900, at(29, 15, 0), 1, 1);
    assert!(day > 4.0, "{day}");
}

#[test]
fn who_came_seven_times_has_no_hours_yet() {
    let mut watch = Watch::new("off_hours", 1, &settings());
    office(&mut watch, 2);
    for day in 14..21 {
        watch.bits(900, at(day, 10, 0), 1, 1);
    }
    assert_eq!(watch.see(900, at(21, 3, 0), 1, 1), None);
    watch.bits(900, at(21, 10, 0), 1, 1);
    let night = watch.bits(900, at(22, 23, 0), 1, 1);
    assert!(night > 3.0, "{night}");
}

#[test]
fn who_comes_back_after_a_month_is_odd_and_who_comes_each_month_is_not() {
    let days = Settings {
        floor: 10.0,
        ..settings()
    };
    let mut watch = Watch::new("idle_gap", 4, &days);
    office(&mut watch, 4);
    assert_eq!(watch.see(5, at(28, 10, 0), 1, 1), None, "a weekend");
    let back = watch.see(6, at(55, 10, 0), 1, 1).unwrap();
    assert!(back.bits > 9.0, "{back:?}");
    assert!((29.0..31.0).contains(&back.observed), "{back:?}");
    assert!(back.expected < 2.0 && back.quiet < back.observed);
    assert!(watch.bits(6, at(55, 10, 30), 1, 1) > 9.0, "the whole hour");
    assert_eq!(
        watch.see(6, at(55, 11, 30), 1, 1),
        None,
        "back since an hour"
    );
    for month in 0..14 {
        for hour in 0..2 {
            watch.see(700, at(56 + month * 30, 10 + hour, 0), 1, 1);
        }
    }
    let monthly = watch.bits(700, at(56 + 14 * 30, 10, 0), 1, 1);
    assert!(monthly < 8.0, "{monthly}");
}

fn guesses() -> Settings {
    Settings {
        timespan: Span::HOUR.times(2),
        floor: 3.0,
        ..settings()
    }
}

/// A month of people who mistype now and then, each on two desks.
fn slips(watch: &mut Watch) {
    for day in workdays(4) {
        for user in 0..40_u64 {
            let turn = u64::try_from(day).unwrap();
            let desk = 100 + user + turn % 2;
            let minute = i64::try_from(user).unwrap();
            let time = at(day, 9, minute);
            if (turn + user) % 5 == 0 {
                watch.tell(user, time, (1, false), [desk, 0, 0, 0]);
            }
            watch.tell(user, time + 9, (1, true), [desk, 0, 0, 0]);
        }
    }
}

/// So many failures from a place, then a success.
fn guess(watch: &mut Watch, user: u64, start: i64, place: u64, tries: i64) -> Option<Deviation> {
    for n in 0..tries {
        let early = watch.tell(user, start + n * 20, (1, false), [place, 0, 0, 0]);
        assert_eq!(early, None, "a failure is no success");
    }
    watch.tell(user, start + tries * 20, (1, true), [place, 0, 0, 0])
}

#[test]
fn guessing_that_worked_is_found_and_failures_alone_are_not() {
    let mut watch = Watch::new("failures_then_success", 2, &guesses());
    slips(&mut watch);
    let found = guess(&mut watch, 5, at(28, 22, 0), 777, 8).unwrap();
    assert!(found.bits > 20.0, "{found:?}");
    assert!((found.observed - 8.0).abs() < 1e-9 && found.expected < 0.5);
    assert!(found.quiet < 8.0 && found.model == "beta-geometric");
    assert_eq!(odd(&found).len(), 2, "failures, and a new place");
    let again = watch.tell(5, at(28, 22, 4), (1, true), [777, 0, 0, 0]);
    assert_eq!(again, None, "it takes failures");
}

#[test]
fn a_person_who_mistypes_four_times_at_the_own_desk_is_not() {
    let mut watch = Watch::new("failures_then_success", 2, &guesses());
    slips(&mut watch);
    let own = guess(&mut watch, 5, at(28, 9, 0), 105, 4).unwrap();
    let elsewhere = guess(&mut watch, 6, at(28, 9, 0), 777, 4).unwrap();
    assert!(own.bits < 9.0 && elsewhere.bits > own.bits + 8.0);
}

#[test]
fn failures_elsewhere_or_long_ago_do_not_count() {
    let mut watch = Watch::new("failures_then_success", 2, &guesses());
    slips(&mut watch);
    for n in 0..30 {
        watch.tell(5, at(28, 3, 0) + n, (1, false), [777, 0, 0, 0]);
    }
    let here = watch.tell(5, at(28, 3, 1), (1, true), [105, 0, 0, 0]);
    assert_eq!(here, None, "somebody else's failures");
    let late = watch.tell(5, at(28, 6, 0), (1, true), [777, 0, 0, 0]);
    assert_eq!(late, None, "three hours later");
}

#[test]
fn guessing_at_an_account_that_was_never_used_is_found() {
    let mut watch = Watch::new("failures_then_success", 2, &guesses());
    slips(&mut watch);
    let found = guess(&mut watch, 4000, at(28, 22, 0), 777, 20).unwrap();
    assert!(found.bits > 20.0 && odd(&found) == ["failures", "new place"]);
}

#[test]
fn guessing_for_weeks_does_not_make_guessing_usual() {
    let mut watch = Watch::new("failures_then_success", 2, &guesses());
    slips(&mut watch);
    let before = guess(&mut watch, 5, at(28, 22, 0), 777, 8).unwrap();
    for day in 29..50 {
        for n in 0..200 {
            watch.tell(6, at(day, 22, 0) + n, (1, false), [778, 0, 0, 0]);
        }
    }
    let after = guess(&mut watch, 6, at(50, 22, 0), 777, 8).unwrap();
    assert!(after.bits > before.bits - 2.0, "{after:?} {before:?}");
}

#[test]
fn hosts_that_a_person_never_used_add_up_and_its_own_do_not() {
    let edges = Settings {
        timespan: Span::DAY,
        season: false,
        prior: Some((0.05, 4.0)),
        only: Only::FirstSeen,
        ..settings()
    };
    let mut watch = Watch::new("value_count", 4, &edges);
    for day in workdays(4) {
        for user in 0..40_u64 {
            for n in 0..8 {
                // Eight hosts each, every day; once a month another.
                let odd = u64::try_from(day).unwrap() == user % 28 && n == 0;
                let host = 100 + (user * 3 + n) % 50 + if odd { 400 } else { 0 };
                watch.see(
                    user,
                    at(day, 9, 0) + i64::try_from(n * 60 + user).unwrap(),
                    1,
                    host,
                );
            }
        }
    }
    for n in 0..8 {
        let own = watch.see(5, at(28, 9, 0) + n * 60, 1, 115 + u64::try_from(n).unwrap());
        assert_eq!(own, None, "its own host");
    }
    let mut found = None;
    for n in 0..6 {
        found = watch.see(5, at(28, 12, 0) + n, 1, 900 + u64::try_from(n).unwrap());
    }
    let found = found.unwrap();
    assert!((found.observed - 6.0).abs() < 1e-9, "{found:?}");
    assert!(found.bits > 14.0 && found.evidence > 10.0, "{found:?}");
    let mut newcomer = 0.0_f64;
    for n in 0..8 {
        newcomer = newcomer.max(watch.bits(
            500,
            at(29, 9, 0) + n * 900,
            1,
            100 + u64::try_from(n).unwrap(),
        ));
    }
    assert!(
        newcomer <= 0.0,
        "everything is new to who is new: {newcomer}"
    );
}

/// A fleet whose people come from their own addresses, mistyping at times, and
/// now and then from one that is new, where they fail first.
fn fleet(watch: &mut Watch, days: std::ops::Range<i64>) {
    for day in days {
        for user in 0..40_u64 {
            let turn = u64::try_from(day).unwrap();
            let time = at(day, 9, i64::try_from(user).unwrap());
            let place = if turn % 40 == user {
                5000 + turn
            } else {
                100 + user
            };
            let pair = [place, user, 0, 0];
            if (turn + user) % 4 == 0 {
                watch.tell(0, time, (1, false), pair);
            }
            watch.tell(0, time + 9, (1, true), pair);
        }
    }
}

fn strangers() -> Settings {
    Settings {
        timespan: Span::DAY,
        season: false,
        prior: Some((1.0, 0.1)),
        only: Only::NeverSucceeded,
        fields: 2,
        ..settings()
    }
}

#[test]
fn one_try_each_from_many_addresses_is_found_and_mistyping_at_home_is_not_counted() {
    let mut watch = Watch::new("value_count", 1, &strangers());
    fleet(&mut watch, 0..28);
    let mut found = None;
    for n in 0..40_u64 {
        let time = at(28, 1, 0) + i64::try_from(n).unwrap() * 1800;
        found = watch.tell(0, time, (1, false), [9000 + n, n % 40, 0, 0]);
    }
    let found = found.unwrap();
    assert!(found.observed >= 39.0 && found.expected < 4.0, "{found:?}");
    assert!(found.bits > 20.0, "{found:?}");
    let mut quiet = Watch::new("value_count", 1, &strangers());
    fleet(&mut quiet, 0..28);
    let mut most = 0.0_f64;
    for user in 0..40_u64 {
        for n in 0..5 {
            let time = at(28, 10, i64::try_from(user).unwrap()) + n;
            let pair = [100 + user, user, 0, 0];
            let found = quiet.tell(0, time, (1, false), pair);
            most = most.max(found.map_or(0.0, |found| found.observed));
        }
    }
    assert!(most < 2.0, "known pairs do not count: {most}");
}

#[test]
fn failures_count_of_who_never_succeeded_and_of_nobody_else() {
    let rule = Settings {
        timespan: Span::DAY,
        season: false,
        floor: 5.0,
        only: Only::NeverSucceeded,
        ..settings()
    };
    let mut watch = Watch::new("event_count", 1, &rule);
    let mut most = [0.0_f64; 2];
    for day in 0..30 {
        // One logs in each morning and mistypes all day; the other only fails.
        watch.tell(0, at(day, 8, 0), (1, true), [0; 4]);
        for n in 0..8 {
            for who in 0..2 {
                let failed = watch.tell(who, at(day, 9 + n, 0), (1, false), [0; 4]);
                let most = &mut most[usize::try_from(who).unwrap()];
                *most = most.max(failed.map_or(0.0, |found| found.observed));
            }
        }
    }
    assert!(most[0] < 1.0 && most[1] >= 8.0, "{most:?}");
}

#[test]
fn trying_never_proves_anything() {
    let mut watch = Watch::new("value_count", 1, &strangers());
    fleet(&mut watch, 0..28);
    for day in 28..35 {
        for n in 0..40_u64 {
            let time = at(day, 1, 0) + i64::try_from(n).unwrap() * 60;
            watch.tell(0, time, (1, false), [9000 + n, n, 0, 0]);
        }
    }
    let mut observed = 0.0;
    for n in 0..40_u64 {
        let time = at(35, 1, 0) + i64::try_from(n).unwrap() * 60;
        let found = watch.tell(0, time, (1, false), [9000 + n, n, 0, 0]);
        observed = found.map_or(0.0, |found| found.observed);
    }
    assert!(observed >= 39.0, "{observed}");
}

/// The promises of every statistic, for what counts some values only.
#[test]
fn a_filtered_count_is_saved_with_its_filter() {
    for only in [Only::FirstSeen, Only::NeverSucceeded] {
        let filtered = Settings {
            only,
            fields: 2,
            ..settings()
        };
        let mut lived = Watch::new("value_count", 1, &filtered);
        super::addresses(&mut lived, 2);
        let mut restored = Watch::new("value_count", 1, &filtered);
        restored.midnight = lived.midnight;
        restored.lanes[0].load(&lived.lanes[0].save()).unwrap();
        let mut some = 0;
        for n in 0..2000_i64 {
            let r = super::hash(u64::try_from(n).unwrap());
            let see = |watch: &mut Watch| watch.see(r % 60, at(16, 0, 0) + n * 97, 1, r >> 40 & 63);
            let (one, other) = (see(&mut lived), see(&mut restored));
            some += usize::from(one.is_some());
            assert_eq!(one, other);
        }
        assert!(some > 20, "{only:?}: nothing to compare");
        assert_eq!(lived.lanes[0].save(), restored.lanes[0].save());
        let mut other = Watch::new("value_count", 1, &settings());
        let refusal = other.lanes[0].load(&lived.lanes[0].save()).unwrap_err();
        assert!(refusal.contains("other values"), "{refusal}");
    }
    assert!(
        STATISTICS
            .iter()
            .any(|row| row.only.len() == Only::WORDS.len())
    );
}
