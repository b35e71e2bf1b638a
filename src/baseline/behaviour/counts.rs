//! Who does more than usual.

use super::{MONDAY, Settings, Watch, at, settings, workdays};
use crate::time::{Span, Time};

/// Forty users who log in five times a working day, each at hours of his own.
fn office(watch: &mut Watch, weeks: i64) {
    for day in workdays(weeks) {
        for login in 0..5 {
            for user in 0..40 {
                let hour = 8 + (login * 2 + user + day) % 9;
                let minute = (user * 7 + day * 13) % 60;
                watch.see(u64::try_from(user).unwrap(), at(day, hour, minute), 1, 0);
            }
        }
    }
}

fn burst(watch: &mut Watch, entity: u64, secs: i64, events: u32) -> f64 {
    (0..events).fold(0.0, |_, n| {
        watch.bits(entity, secs + i64::from(n) * 50, 1, 0)
    })
}

#[test]
fn sixty_logins_in_an_hour_are_a_surprise_of_who_logs_in_five_times_a_day() {
    let mut watch = Watch::new("event_count", 1, &settings());
    office(&mut watch, 4);
    let bits = burst(&mut watch, 7, at(28, 10, 0), 60);
    assert!(bits >= 20.0, "{bits}");
}

#[test]
fn sixty_events_in_an_hour_are_none_of_a_host_that_does_so_every_hour() {
    let mut watch = Watch::new("event_count", 1, &settings());
    office(&mut watch, 2);
    for hour in 14 * 24..28 * 24 {
        for n in 0..60 {
            watch.see(1000, hour * 3600 + n * 59, 1, 0);
        }
    }
    let bits = burst(&mut watch, 1000, at(28, 10, 0), 60);
    assert!(bits < 5.0, "{bits}");
    let bits = burst(&mut watch, 1000, at(28, 11, 0), 72);
    assert!(bits < 5.0, "{bits}");
}

#[test]
fn a_monday_morning_after_a_weekend_is_no_anomaly() {
    let mut watch = Watch::new("event_count", 1, &settings());
    office(&mut watch, 4);
    for user in 0..40 {
        let bits = watch.bits(user, at(28, 9, 30), 1, 0);
        assert!(bits < 5.0, "{user}: {bits}");
        let bits = watch.bits(user, at(28, 9, 40), 1, 0);
        assert!(bits < 8.0, "{user}: {bits}");
    }
}

#[test]
fn the_same_few_logins_surprise_more_at_night_than_in_the_morning() {
    let mut watch = Watch::new("event_count", 1, &settings());
    office(&mut watch, 4);
    let night = burst(&mut watch, 3, at(29, 3, 0), 4);
    let found = watch.see(3, at(29, 3, 30), 1, 0).unwrap();
    let morning = burst(&mut watch, 3, at(29, 10, 0), 4);
    assert!(night > morning + 4.0, "{night} {morning}");
    let hour = found
        .terms
        .iter()
        .find(|(name, _)| *name == "hour")
        .unwrap()
        .1;
    assert!(hour > 0.0, "{:?}", found.terms);
}

#[test]
fn a_deviation_says_what_would_have_been_quiet() {
    let strict = Settings {
        surprise: 20.0,
        floor: 5.0,
        ..settings()
    };
    let mut watch = Watch::new("event_count", 1, &strict);
    office(&mut watch, 4);
    let found: Vec<_> = (0..60)
        .map(|n| watch.see(7, at(28, 10, 0) + n * 50, 1, 0))
        .collect();
    let first = found.iter().position(Option::is_some).unwrap();
    let deviation = found[first].clone().unwrap();
    assert!((deviation.observed - deviation.quiet - 1.0).abs() < 1e-9);
    assert!(
        found[first..].iter().all(Option::is_some),
        "on every sample while it holds"
    );
    assert!(deviation.bits >= 20.0 && deviation.observed >= 5.0);
    assert!(deviation.interval.1 < deviation.observed);
    assert!(deviation.evidence > 20.0, "{}", deviation.evidence);
    assert!(deviation.age > Span::DAY.times(20));
    assert_eq!(deviation.since, Time::from_secs(MONDAY + at(28, 10, 0)));
    assert_eq!(deviation.model, "nb");
}

#[test]
fn a_burst_does_not_raise_the_next_days_expectation_above_what_one_bucket_may_teach() {
    let mut calm = Watch::new("event_count", 1, &settings());
    let mut hit = Watch::new("event_count", 1, &settings());
    office(&mut calm, 4);
    office(&mut hit, 4);
    calm.see(7, at(28, 10, 0), 1, 0);
    hit.see(7, at(28, 10, 0), 100_000, 0);
    let before = calm.see(7, at(29, 10, 0), 1, 0).unwrap().expected;
    let after = hit.see(7, at(29, 10, 0), 1, 0).unwrap().expected;
    assert!(after < before * 1.5, "{before} → {after}");
    let bits = burst(&mut hit, 7, at(30, 10, 0), 60);
    assert!(bits >= 20.0, "{bits}");
}

#[test]
fn one_entity_however_busy_does_not_move_what_is_expected_of_newcomers() {
    let expected = |noise: u32| {
        let mut watch = Watch::new("event_count", 1, &settings());
        for day in workdays(2) {
            for user in 0..40 {
                watch.see(user, at(day, 9, 5), 1, 0);
                watch.see(user, at(day, 13, 5), 1, 0);
            }
            for hour in 0..24 {
                watch.see(999, at(day, hour, 30), noise, 0);
            }
        }
        watch.see(5000, at(15, 10, 5), 2, 0).unwrap().expected
    };
    let (quiet, loud) = (expected(1), expected(1_000_000));
    assert!(loud < quiet * 1.5, "{quiet} → {loud}");
}

#[test]
fn a_regime_that_lasts_is_learnt() {
    let mut watch = Watch::new("event_count", 1, &settings());
    office(&mut watch, 4);
    let mut bits = f64::MAX;
    for hour in 28 * 24..49 * 24 {
        for n in 0..60 {
            bits = watch.bits(7, hour * 3600 + n * 59, 1, 0);
        }
    }
    assert!(bits < 6.0, "{bits}");
}

#[test]
fn who_comes_once_a_day_gets_a_baseline_on_the_second_day() {
    let strict = Settings {
        surprise: 20.0,
        ..settings()
    };
    let mut watch = Watch::new("event_count", 1, &strict);
    for day in 0..10 {
        assert_eq!(watch.see(1, at(day, 10, 0), 1, 0), None);
    }
    let found = watch.see(1, at(10, 10, 0), 500, 0).unwrap();
    assert!(found.evidence > 7.0, "{found:?}");
    assert!(found.age == Span::DAY.times(10));
}

#[test]
fn a_burst_of_a_newcomer_is_seen_though_the_table_is_full_of_the_established() {
    let full = Settings {
        max_entities: 40,
        surprise: 20.0,
        ..settings()
    };
    let mut watch = Watch::new("event_count", 1, &full);
    office(&mut watch, 4);
    let mut alarm = None;
    for n in 0..400 {
        let found = watch.see(9000, at(28, 10, 0) + n * 5, 1, 0);
        alarm = alarm.or(found);
    }
    let alarm = alarm.unwrap();
    assert!(alarm.bits >= 20.0 && alarm.evidence < 1e-9, "{alarm:?}");
    let old = watch.see(7, at(28, 11, 0), 500, 0).unwrap();
    assert!(old.evidence > 20.0, "{old:?}");
    // The next hour is counted afresh.
    assert_eq!(watch.see(9000, at(28, 11, 30), 1, 0), None);
}

#[test]
fn an_entity_without_enough_buckets_and_a_rule_without_enough_time_say_nothing() {
    let shy = Settings {
        min_buckets: 5,
        ..settings()
    };
    let mut watch = Watch::new("event_count", 1, &shy);
    for day in 0..5 {
        assert_eq!(watch.see(1, at(day, 10, 0), 500, 0), None);
    }
    assert!(watch.see(1, at(5, 10, 0), 500, 0).is_some());
    let warm = Settings {
        warm_up: Span::DAY.times(7),
        ..settings()
    };
    let mut watch = Watch::new("event_count", 4, &warm);
    watch.see(1, at(0, 1, 0), 1, 0);
    assert_eq!(watch.see(2, at(6, 23, 0), 500, 0), None);
    assert!(watch.see(3, at(7, 1, 0), 500, 0).is_some());
}

#[test]
fn a_source_that_tries_forty_users_in_an_hour_is_a_surprise_and_forty_tries_at_one_are_none() {
    let mut watch = Watch::new("value_count", 1, &settings());
    for day in workdays(4) {
        for hour in 8..17 {
            for source in 0..30 {
                let minute = i64::try_from(source).unwrap();
                watch.see(source, at(day, hour, minute), 1, source);
            }
        }
    }
    let one = (0..40).fold(0.0, |_, n| watch.bits(4, at(28, 10, 0) + n * 60, 1, 4));
    assert!(one < 5.0, "{one}");
    let mut deviation = None;
    for n in 0..40 {
        deviation = watch.see(
            5,
            at(28, 10, 0) + n * 60,
            7,
            100 + u64::try_from(n).unwrap(),
        );
    }
    let deviation = deviation.unwrap();
    assert!(deviation.bits >= 20.0, "{deviation:?}");
    assert!((36.0..=44.0).contains(&deviation.observed), "{deviation:?}");
}

#[test]
fn a_newcomer_is_counted_from_its_first_value_on() {
    let mut watch = Watch::new("value_count", 1, &settings());
    assert_eq!(watch.see(1, at(0, 9, 0), 1, 10), None);
    assert_eq!(watch.see(1, at(0, 9, 1), 1, 10), None);
    let second = watch.see(1, at(0, 9, 2), 1, 11).unwrap();
    assert!((second.observed - 2.0).abs() < 1e-9, "{second:?}");
    assert_eq!(second.since, Time::from_secs(MONDAY + at(0, 9, 0)));
}

#[test]
fn what_was_alerted_on_while_it_waited_is_not_learnt_and_without_waiting_it_is() {
    // A thief with a script, for five days: what is expected of the account on the sixth.
    let expected = |delay: Option<Span>| {
        let strict = Settings {
            surprise: 20.0,
            floor: 5.0,
            delay,
            ..settings()
        };
        let mut watch = Watch::new("event_count", 1, &strict);
        office(&mut watch, 4);
        for day in 28..33 {
            for hour in 9..17 {
                burst(&mut watch, 7, at(day, hour, 0), 60);
            }
        }
        let found = (0..60).find_map(|n| watch.see(7, at(34, 10, 0) + n * 50, 1, 0));
        found.map_or(f64::INFINITY, |found| found.expected)
    };
    let (held, led) = (expected(Some(Span::DAY)), expected(None));
    assert!(held < 1.0 && led > 3.0 * held, "{held} {led}");
}

#[test]
fn waiting_learns_the_same_a_day_later() {
    let mean = |delay: Option<Span>| {
        let settings = Settings {
            delay,
            season: false,
            ..settings()
        };
        let mut watch = Watch::new("event_count", 1, &settings);
        for hour in 0..24 * 28 {
            watch.see(1, hour * 3600, 6, 0);
        }
        watch.see(1, at(28, 0, 0), 50, 0).unwrap().expected
    };
    let (late, now) = (mean(Some(Span::DAY)), mean(None));
    assert!((late / now - 1.0).abs() < 0.05, "{late} {now}");
}

#[test]
fn what_waits_is_saved_and_a_state_that_did_not_wait_may_begin_to() {
    let late = Settings {
        delay: Some(Span::DAY),
        ..settings()
    };
    let mut lived = Watch::new("event_count", 1, &late);
    office(&mut lived, 2);
    let mut restored = Watch::new("event_count", 1, &late);
    restored.midnight = lived.midnight;
    restored.lanes[0].load(&lived.lanes[0].save()).unwrap();
    for n in 0..400 {
        let see = |watch: &mut Watch| watch.see(7, at(14, 0, 0) + n * 600, 2, 0);
        assert_eq!(see(&mut lived), see(&mut restored), "{n}");
    }
    let mut before = Watch::new("event_count", 1, &settings());
    office(&mut before, 2);
    assert_eq!(restored.lanes[0].load(&before.lanes[0].save()), Ok(()));
    assert!(restored.see(7, at(14, 10, 0), 60, 0).is_some());
}
