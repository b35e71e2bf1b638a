//! Who teaches a baseline something on purpose. Each guard has a story here
//! that goes wrong without it:
//!
//! | guard | statistics | elsewhere |
//! |---|---|---|
//! | scored before it is learnt | counts, sums, levels, values, sessions | |
//! | winsorised | counts, sums | absences: `gap` |
//! | the limit follows the entity | | counts: `counts`; sums: `amounts` |
//! | growth of the anchor | levels | |
//! | learnt late, held on alert | counts, sums, levels, values | |
//! | one vote an entity | prior, season, popularity, thresholds | `population`, `calibrate` |
//! | failures are not identity | values, sessions, hours, absences, new edges, proofs | |
//! | marked by an analyst | all that learn | |

use super::{Lesson, Only, Settings, Watch, addresses, at, budgeted, eighty, settings, workdays};
use crate::time::Span;

const MB: f64 = 1e6;

/// An address of a stranger.
const AWAY: u64 = 777;

/// One entity at six events an hour of every working day.
fn steady(watch: &mut Watch, entity: u64, days: std::ops::Range<i64>) {
    for day in days {
        for hour in 8..18 {
            for n in 0..6_i64 {
                watch.weigh(
                    entity,
                    at(day, hour, n * 9),
                    1,
                    u64::try_from(n).unwrap(),
                    MB,
                );
            }
        }
    }
}

/// A company of twenty that do less.
fn company(watch: &mut Watch, days: std::ops::Range<i64>) {
    for day in days {
        for entity in 0..20 {
            for hour in [9, 10, 13, 15] {
                let minute = i64::try_from(entity).unwrap();
                watch.weigh(entity, at(day, hour, minute), 1, 1, MB);
                watch.weigh(entity, at(day, hour, minute + 20), 1, 2, MB);
            }
        }
    }
}

#[test]
fn what_is_expected_of_a_bucket_does_not_follow_what_comes_in_it() {
    for name in ["event_count", "value_count", "value_sum", "drift"] {
        let mut watch = Watch::new(name, 1, &settings());
        steady(&mut watch, 1, 0..20);
        let expected: Vec<f64> = (0..400_i64)
            .filter_map(|n| {
                let other = 1000 + u64::try_from(n).unwrap();
                let found = watch.weigh(1, at(20, 10, 0) + n * 8, 1, other, 40.0 * MB)?;
                Some(found.expected)
            })
            .collect();
        assert!(expected.len() > 100, "{name}: {}", expected.len());
        let (first, last) = (expected[0], expected[expected.len() - 1]);
        assert!((first / last - 1.0).abs() < 0.05, "{name}: {first} {last}");
    }
    for name in ["first_seen", "session_novelty", "failures_then_success"] {
        let mut watch = Watch::new(name, 1, &settings());
        for day in 0..20 {
            for hour in 8..18 {
                watch.tell(1, at(day, hour, 0), (1, true), [1, 0, 0, 0]);
            }
        }
        let mut bits = (0..20).filter_map(|n| {
            if name == "failures_then_success" {
                watch.tell(1, at(20, 10, 0) + n * 9, (6, false), [AWAY, 0, 0, 0]);
            }
            watch.tell(1, at(20, 10, 1) + n * 9, (1, true), [AWAY, 0, 0, 0])
        });
        let first = bits.next().unwrap().bits;
        let last = bits.last().unwrap().bits;
        assert!((first - last).abs() < 1e-9, "{name}: {first} {last}");
    }
}

#[test]
fn one_enormous_bucket_hardly_moves_what_is_expected_of_the_next() {
    for name in ["event_count", "value_count", "value_sum"] {
        let expected = |hit: bool| {
            let mut watch = Watch::new(name, 1, &settings());
            steady(&mut watch, 1, 0..20);
            if hit {
                for n in 0..2000_i64 {
                    let other = 1000 + u64::try_from(n).unwrap();
                    watch.weigh(1, at(20, 10, 0) + n, 50, other, 100.0 * MB);
                }
            }
            // Two days on, so that what waits has been learnt.
            steady(&mut watch, 1, 21..23);
            let mut later =
                (0..50).map(|n| watch.weigh(1, at(23, 10, 0) + n, 1, 500 + n.unsigned_abs(), MB));
            later.find_map(|found| found).unwrap().expected
        };
        let (calm, hit) = (expected(false), expected(true));
        assert!(hit < 1.6 * calm, "{name}: {calm} → {hit}");
    }
}

fn slow() -> Settings {
    Settings {
        timespan: Span::DAY,
        half_life: Span::DAY.times(56),
        season: false,
        surprise: 10.0,
        floor: MB,
        warm_up: Span::DAY.times(14),
        ..settings()
    }
}

/// What thirty machines' rule takes for usual of a frog that grows by 15 % a
/// day for 50 days, as many times as in the beginning.
fn anchor_of_a_frog(growth: f64) -> f64 {
    let rule = Settings {
        // The shortest memory there is: the anchor would follow as fast as it may.
        half_life: Span::DAY.times(6),
        delay: Some(Span::DAY),
        surprise: 0.01,
        hold: false,
        growth,
        ..slow()
    };
    let mut watch = Watch::new("drift", 1, &rule);
    let mut size = 10.0 * MB;
    let days = (0..80).map(|day| {
        for machine in 1..30 {
            watch.weigh(machine, at(day, 9, 0), 1, 0, 10.0 * MB);
        }
        if day > 30 {
            size *= 1.15;
        }
        watch.weigh(0, at(day, 15, 0), 1, 0, size)
    });
    days.flatten().last().unwrap().expected / (10.0 * MB)
}

#[test]
fn the_anchor_may_not_grow_as_fast_as_a_frog() {
    let (bound, free) = (anchor_of_a_frog(0.05), anchor_of_a_frog(1.0));
    // 1.15^49 = 943 times; 1.05^49 = 10.9.
    assert!((5.0..=11.0).contains(&bound), "{bound}");
    assert!(free > 100.0, "{free}");
}

#[test]
fn what_was_alerted_on_does_not_become_the_anchor_for_a_week() {
    let expected = |hold: bool| {
        let rule = Settings {
            hold,
            // So that the limit on growth is not what holds it.
            growth: 1.0,
            delay: Some(Span::DAY.times(7)),
            ..slow()
        };
        let mut watch = Watch::new("drift", 1, &rule);
        let days = (0..56).map(|day| {
            let size = if day < 40 { 10.0 } else { 400.0 };
            watch.weigh(1, at(day, 9, 0), 1, 0, size * MB)
        });
        let last = days.flatten().last().unwrap();
        last.expected
    };
    let (held, led) = (expected(true), expected(false));
    assert!(held < 10.1 * MB && led > 1.2 * held, "{held} {led}");
}

#[test]
fn a_new_value_is_known_only_after_the_rules_delay() {
    let days = |delay: Option<Span>| {
        let rule = Settings {
            delay,
            ..settings()
        };
        let mut watch = Watch::new("first_seen", 1, &rule);
        addresses(&mut watch, 4);
        let odd = (28..48).filter(|day| watch.bits(5, at(*day, 10, 0), 1, AWAY) > 5.0);
        odd.count()
    };
    assert_eq!(days(None), 1);
    assert_eq!(days(Some(Span::DAY.times(7))), 8);
}

#[test]
fn what_waits_to_be_known_does_not_make_new_values_usual_either() {
    let rule = Settings {
        delay: Some(Span::DAY.times(7)),
        ..settings()
    };
    let mut watch = Watch::new("first_seen", 1, &rule);
    addresses(&mut watch, 4);
    // Whoever comes from the same strange place makes it popular when it is known.
    for user in 0..30 {
        watch.see(user, at(28, 10, 0), 1, AWAY);
    }
    let soon = watch.bits(35, at(30, 10, 0), 1, AWAY);
    for day in 29..38 {
        for user in 0..30 {
            watch.see(user, at(day, 10, 0), 1, AWAY);
        }
    }
    let late = watch.bits(36, at(39, 10, 0), 1, AWAY);
    assert!(soon > late + 2.0, "{soon} {late}");
}

#[test]
fn one_entity_does_not_make_the_night_usual_for_others() {
    for name in ["event_count", "off_hours"] {
        let night = |noise: u32| {
            let mut watch = Watch::new(name, 1, &settings());
            for day in workdays(4) {
                for user in 0..30 {
                    for hour in 9..17 {
                        watch.see(
                            user,
                            at(day, hour, 0) + 60 * i64::try_from(user).unwrap(),
                            1,
                            1,
                        );
                    }
                }
                for n in 0..noise {
                    watch.see(99, at(day, 3, 0) + i64::from(n) * 7, 100, 1);
                }
            }
            (0..8).fold(0.0, |_, n| watch.bits(4, at(28, 3, 0) + n, 1, 1))
        };
        // Its one vote it has.
        let (quiet, loud) = (night(1), night(500));
        assert!(quiet > 3.0 && loud > 0.85 * quiet, "{name}: {quiet} {loud}");
    }
}

#[test]
fn one_entity_does_not_make_a_value_popular() {
    // Of sessions no evidence counts for more than everybody's days show.
    for (name, least) in [("first_seen", 8.0), ("session_novelty", 5.0)] {
        let odd = |noise: i64| {
            let mut watch = Watch::new(name, 1, &settings());
            addresses(&mut watch, 4);
            for n in 0..noise {
                watch.see(99, at(20, 8, 0) + n * 60, 50, AWAY);
            }
            watch.bits(5, at(28, 10, 0), 1, AWAY)
        };
        let (none, much) = (odd(0), odd(8000));
        assert!(none > least && much > none - 1.0, "{name}: {none} {much}");
    }
    let upload = |noise: i64| {
        let mut watch = Watch::new("value_sum", 1, &settings());
        for day in workdays(4) {
            for desk in 0..30 {
                watch.weigh(desk, at(day, 10, 0), 1, 1, MB);
            }
        }
        for n in 0..noise {
            watch.weigh(99, at(20, 8, 0) + n * 60, 1, AWAY, MB);
        }
        watch
            .weigh(5, at(28, 10, 0), 1, AWAY, 90.0 * MB)
            .unwrap()
            .bits
    };
    let (none, much) = (upload(0), upload(8000));
    assert!((none - much).abs() < 1.5, "{none} {much}");
}

#[test]
fn one_entity_does_not_raise_the_threshold_for_others() {
    let rule = budgeted();
    let found = |sick: bool| {
        let mut watch = Watch::new("event_count", 1, &rule);
        for day in 0..30 {
            eighty(&mut watch, day);
            for burst in 0..24 * 5 {
                // Once in a while, a job runs wild all day.
                let many = if day % 4 == 0 { 3000 } else { 1 };
                if sick {
                    watch.see(999, at(day, 0, burst * 12), many, 0);
                }
            }
        }
        (1..400).find(|n| watch.see(7, at(30, 15, 0) + n, 1, 0).is_some())
    };
    let (calm, sick) = (found(false).unwrap(), found(true).unwrap());
    assert!(sick <= calm + calm / 3 + 2, "{calm} {sick}");
}

/// What the guesses of weeks change in the score of a stranger's success.
fn guessed(name: &str, value: u64, hour: i64) -> (f64, f64) {
    let score = |guesses: bool| {
        let mut watch = Watch::new(name, 1, &settings());
        addresses(&mut watch, 3);
        for day in 21..42 {
            watch.lesson = Lesson::Unproven;
            for user in 0..40 {
                for n in 0..4 {
                    if guesses {
                        watch.see(user, at(day, hour, 5 + n), 3, value);
                    }
                }
            }
            watch.lesson = Lesson::Whole;
        }
        watch.bits(5, at(42, hour, 30), 1, value)
    };
    (score(false), score(true))
}

#[test]
fn attempts_that_failed_do_not_make_anybody_known() {
    for (name, value, hour) in [
        ("first_seen", AWAY, 10),
        ("session_novelty", AWAY, 3),
        ("off_hours", 5, 3),
        ("idle_gap", 5, 10),
    ] {
        let (quiet, guessed) = guessed(name, value, hour);
        assert!(quiet > 3.0, "{name}: {quiet}");
        assert!(guessed > 0.9 * quiet, "{name}: {quiet} {guessed}");
    }
}

#[test]
fn attempts_that_failed_are_scored_all_the_same() {
    for name in ["first_seen", "session_novelty"] {
        let mut watch = Watch::new(name, 1, &settings());
        addresses(&mut watch, 3);
        watch.lesson = Lesson::Unproven;
        let failed = watch.bits(5, at(21, 3, 0), 1, AWAY);
        watch.lesson = Lesson::Whole;
        let succeeded = watch.bits(5, at(21, 3, 1), 1, AWAY);
        assert!(failed > 6.0 && (failed - succeeded).abs() < 1e-9, "{name}");
    }
}

#[test]
fn attempts_that_failed_earn_nobody_a_baseline_of_who_he_is() {
    for name in ["first_seen", "session_novelty", "off_hours", "idle_gap"] {
        let mut watch = Watch::new(name, 1, &settings());
        watch.lesson = Lesson::Unproven;
        for n in 0..2000 {
            watch.see(n % 50, at(0, 0, 0) + i64::try_from(n).unwrap() * 600, 1, n);
        }
        assert_eq!(watch.lanes[0].size().0, 0, "{name}");
    }
}

#[test]
fn a_failed_attempt_is_no_new_edge_that_is_used_up_and_no_proof() {
    let edges = Settings {
        only: Only::FirstSeen,
        ..settings()
    };
    let most = |guesses: bool| {
        let mut watch = Watch::new("value_count", 1, &edges);
        for day in 0..10 {
            for hour in 9..17 {
                watch.see(1, at(day, hour, 0), 1, 1);
            }
        }
        watch.lesson = Lesson::Unproven;
        for host in 0..12 {
            if guesses {
                watch.see(1, at(10, 9, 0), 1, 100 + host);
            }
        }
        watch.lesson = Lesson::Whole;
        let seen = (0..12).filter_map(|host| watch.see(1, at(11, 9, 0), 1, 100 + host));
        seen.last().map(|found| found.observed)
    };
    assert_eq!((most(true), most(false)), (Some(12.0), Some(12.0)));
    let proofs = Settings {
        only: Only::NeverSucceeded,
        ..settings()
    };
    let mut watch = Watch::new("value_count", 1, &proofs);
    // The last of the members, as a rule over both outcomes may have it.
    watch.lesson = Lesson::Unproven;
    for source in 0..30 {
        watch.tell(1, at(0, 9, 0), (1, true), [source, 0, 0, 0]);
    }
    watch.lesson = Lesson::Whole;
    let seen =
        (0..30).filter_map(|source| watch.tell(1, at(1, 9, 0), (1, false), [source, 0, 0, 0]));
    assert!(seen.last().is_some_and(|found| found.observed > 25.0));
}

/// The score of the same deed after a thief's week under the entity's name.
fn after_a_thief(name: &str, lesson: Option<Lesson>) -> f64 {
    let rule = Settings {
        hold: false,
        ..settings()
    };
    let mut watch = Watch::new(name, 1, &rule);
    company(&mut watch, 0..21);
    for day in 21..45 {
        if let Some(lesson) = lesson {
            watch.lesson = lesson;
            theft(&mut watch, name, day);
            watch.lesson = Lesson::Whole;
        }
        company(&mut watch, day..day + 1);
    }
    theft(&mut watch, name, 45)
}

/// What the thief does in a night; its highest score.
fn theft(watch: &mut Watch, name: &str, day: i64) -> f64 {
    let scores = (0..30_i64).filter_map(|n| {
        let (time, other) = (at(day, 3, 0) + n * 30, AWAY + n.unsigned_abs());
        if name == "failures_then_success" {
            watch.tell(4, time, (9, false), [other, 0, 0, 0]);
            return watch.tell(4, time, (1, true), [other, 0, 0, 0]);
        }
        watch.weigh(4, time, 1, other, 30.0 * MB)
    });
    scores.map(|found| found.bits).fold(0.0, f64::max)
}

#[test]
fn nothing_is_learnt_of_what_an_analyst_has_marked() {
    for name in [
        "event_count",
        "value_count",
        "value_sum",
        "value_quantile",
        "first_seen",
        "session_novelty",
        "off_hours",
        "failures_then_success",
    ] {
        let never = after_a_thief(name, None);
        let marked = after_a_thief(name, Some(Lesson::None));
        let learnt = after_a_thief(name, Some(Lesson::Whole));
        assert!(never > 3.0, "{name}: {never}");
        assert!(marked > never - 1.0, "{name}: {never} → {marked}");
        // Otherwise it would have taught something.
        assert!(learnt < never - 1.5, "{name}: {never} → {learnt}");
    }
}

#[test]
fn nothing_of_what_is_marked_moves_the_anchor() {
    let expected = |lesson: Lesson| {
        let rule = Settings {
            hold: false,
            growth: 1.0,
            delay: Some(Span::DAY),
            surprise: 0.5,
            ..slow()
        };
        let mut watch = Watch::new("drift", 1, &rule);
        for day in 0..46 {
            watch.lesson = if day < 40 { Lesson::Whole } else { lesson };
            let size = if day < 40 { 10.0 } else { 400.0 };
            watch.weigh(1, at(day, 9, 0), 1, 0, size * MB);
        }
        watch
            .weigh(1, at(46, 9, 0), 1, 0, 400.0 * MB)
            .unwrap()
            .expected
    };
    let (marked, learnt) = (expected(Lesson::None), expected(Lesson::Whole));
    assert!(
        marked < 10.1 * MB && learnt > 1.2 * marked,
        "{marked} {learnt}"
    );
}
