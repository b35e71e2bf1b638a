//! One entity has one vote a day in everything that is said of all: what it
//! does all day long is compared here with the same done once a day.

use super::{Settings, Watch, addresses, at, budgeted, eighty, settings, workdays};
use crate::time::Span;

const MB: f64 = 1e6;

/// An address that nobody else has.
const AWAY: u64 = 777;

/// Who is busy.
const BUSY: u64 = 999;

/// Whatever it scores.
fn all() -> Settings {
    Settings {
        surprise: 0.01,
        floor: 0.0,
        ..settings()
    }
}

fn in_ten_minutes() -> Settings {
    Settings {
        timespan: Span::MINUTE.times(10),
        ..all()
    }
}

#[test]
fn one_job_that_runs_wild_does_not_make_everybody_scatter() {
    let bits = |wild: u32| {
        let mut watch = Watch::new("event_count", 1, &all());
        for day in 0..28 {
            for user in 0..40 {
                for hour in 9..17 {
                    watch.see(user, at(day, hour, 0), 4, 0);
                }
            }
            for hour in 0..24 {
                let many = if (day + hour) % 3 == 0 { wild } else { 1 };
                watch.see(BUSY, at(day, hour, 30), many, 0);
            }
        }
        watch.see(500, at(28, 9, 0), 4, 0);
        watch.bits(500, at(28, 10, 0), 40, 0)
    };
    let (calm, wild) = (bits(1), bits(4000));
    assert!(calm > 8.0 && wild > 0.85 * calm, "{calm} {wild}");
}

/// What a new user's session from an address scores that one entity has.
fn from_away(name: &str, hours: i64) -> f64 {
    let mut watch = Watch::new(name, 1, &all());
    addresses(&mut watch, 4);
    for day in 14..28 {
        for hour in 0..hours {
            watch.see(BUSY, at(day, hour, 0), 1, AWAY);
        }
    }
    for hour in [9, 11, 13, 15] {
        for day in [24, 25] {
            watch.see(50, at(day, hour, 0), 1, 3);
        }
    }
    for n in 0..6 {
        if name == "failures_then_success" {
            watch.tell(50, at(28, 9, 55) + n * 9, (1, false), [AWAY, 0, 0, 0]);
        }
    }
    watch.bits(50, at(28, 10, 0), 1, AWAY)
}

#[test]
fn an_address_is_as_rare_however_often_its_one_holder_comes() {
    for name in ["first_seen", "session_novelty", "failures_then_success"] {
        let (once, always) = (from_away(name, 1), from_away(name, 24));
        assert!(once > 3.0 && always > once - 0.5, "{name}: {once} {always}");
    }
}

#[test]
fn one_user_who_is_always_there_does_not_make_the_night_an_hour_for_sessions() {
    let bits = |stretches: std::ops::Range<i64>| {
        let mut watch = Watch::new("session_novelty", 1, &in_ten_minutes());
        for day in workdays(4) {
            for user in 0..40 {
                for hour in [9, 14] {
                    watch.see(user, at(day, hour, 5), 1, user % 7);
                }
            }
            for n in stretches.clone() {
                watch.see(BUSY, at(day, 1, 5) + n * 600, 1, 3);
            }
        }
        let found = watch.see(5, at(28, 3, 5), 1, 5);
        let hour = found.and_then(|f| f.terms.iter().find(|t| t.0 == "hour").copied());
        hour.map_or(0.0, |term| term.1)
    };
    let (once, always) = (bits(12..13), bits(0..30));
    assert!(once > 3.0 && always > once - 0.5, "{once} {always}");
}

#[test]
fn one_who_is_seldom_away_does_not_make_absence_odd_for_those_who_are() {
    let bits = |hours: i64| {
        let mut watch = Watch::new("idle_gap", 1, &all());
        for day in 0..56 {
            if day % 7 == 0 {
                for user in 0..10 {
                    watch.see(user, at(day, 10, 0), 1, 0);
                }
            }
            for hour in 0..hours {
                watch.see(BUSY, at(day, hour, 0), 1, 0);
            }
        }
        // Somebody of whom two visits are known comes back after a month.
        for day in [14, 21, 28] {
            watch.see(50, at(day, 11, 0), 1, 0);
        }
        watch.bits(50, at(70, 11, 0), 1, 0)
    };
    let (once, always) = (bits(1), bits(18));
    assert!(once > 0.5 && (once - always).abs() < 0.2, "{once} {always}");
}

/// What 300 MB of a desk score that never sent more than a few, beside one
/// machine that sends `size` in so many stretches of each night.
fn beside_a_machine(rule: &Settings, each: i64, size: f64, hour: i64) -> f64 {
    let mut watch = Watch::new("value_sum", 1, rule);
    for day in workdays(4) {
        for desk in 0..40_u64 {
            let some = MB * (1.0 + f64::from(u32::try_from(desk % 5).unwrap()));
            watch.weigh(desk, at(day, 10, 0), 1, 0, some);
        }
        for n in 0..each {
            watch.weigh(BUSY, at(day, 0, 5) + n * 600, 1, 0, size);
        }
    }
    for day in [24, 25] {
        watch.weigh(50, at(day, 10, 0), 1, 0, MB);
    }
    watch.bits_of(50, at(28, hour, 5), 300.0 * MB)
}

#[test]
fn one_machine_that_sends_all_night_does_not_make_much_or_the_night_usual() {
    for hour in [10, 2] {
        let rule = in_ten_minutes();
        let once = beside_a_machine(&rule, 1, 500.0 * MB, hour);
        let always = beside_a_machine(&rule, 24, 500.0 * MB, hour);
        assert!(once > 5.0 && always > once - 0.5, "{hour}: {once} {always}");
    }
}

#[test]
fn one_machine_that_sends_petabytes_does_not_make_much_usual() {
    let rule = in_ten_minutes();
    let little = beside_a_machine(&rule, 1, MB, 10);
    let absurd = beside_a_machine(&rule, 1, 9e14, 10);
    assert!(little > 5.0 && absurd > little - 1.5, "{little} {absurd}");
}

#[test]
fn attacks_that_are_told_do_not_raise_the_threshold() {
    let rule = budgeted();
    let found = |attacks: u64| {
        let mut watch = Watch::new("event_count", 1, &rule);
        for day in 0..30 {
            eighty(&mut watch, day);
            // Each day others, so that nobody gets used to them.
            for n in 0..if day % 4 == 0 { attacks } else { 0 } {
                let who = 1000 + attacks * day.unsigned_abs() + n;
                watch.see(who, at(day, 20, 0), 1, 0);
                watch.see(who, at(day, 20, 30), 20_000, 0);
            }
        }
        (1..2000).find(|n| watch.see(7, at(30, 15, 0) + n, 1, 0).is_some())
    };
    let (calm, hit) = (found(0).unwrap(), found(1));
    assert!(hit.is_some_and(|hit| hit <= 3 * calm), "{calm} {hit:?}");
}
