//! What is marked and what failed, where a statistic keeps more than it counts:
//! a line of buckets that wait, beats, who is a stranger, a session's
//! values, a budget. The common stories are in `poison`.

use super::{Lesson, Settings, Watch, addresses, at, settings};
use crate::time::{Span, Time};

/// An address of a stranger.
const AWAY: u64 = 777;

#[test]
fn what_waits_to_be_counted_is_not_counted_later_where_it_is_marked() {
    let bits = |lesson: Option<Lesson>| {
        let rule = Settings {
            delay: Some(Span::HOUR.times(20)),
            hold: false,
            ..settings()
        };
        let mut watch = Watch::new("event_count", 1, &rule);
        for day in 0..40 {
            for hour in 9..17 {
                watch.see(1, at(day, hour, 0), 4, 0);
            }
            if let Some(lesson) = lesson.filter(|_| day >= 20) {
                watch.lesson = lesson;
                watch.see(1, at(day, 20, 0), 60, 0);
                watch.lesson = Lesson::Whole;
            }
        }
        watch.bits(1, at(40, 20, 0), 60, 0)
    };
    let (never, marked) = (bits(None), bits(Some(Lesson::None)));
    let learnt = bits(Some(Lesson::Whole));
    assert!(never > 10.0 && marked > 0.9 * never, "{never} {marked}");
    assert!(learnt < 0.7 * never, "{never} {learnt}");
}

#[test]
fn days_of_a_beat_that_are_marked_do_not_make_it_a_habit() {
    let habit = |lesson: Lesson| {
        let rule = Settings {
            timespan: Span::HOUR.times(2),
            floor: 2.5,
            ..settings()
        };
        let mut watch = Watch::new("periodicity", 1, &rule);
        let mut last = None;
        for beat in 0..6 * 144 {
            watch.lesson = if beat < 5 * 144 {
                lesson
            } else {
                Lesson::Whole
            };
            let found = watch.see_amount(7, beat * 600 + beat * 37 % 50, 1, 200, Some(640.0));
            last = found.or(last);
        }
        let terms = last.unwrap().terms;
        let habit = terms.iter().find(|term| term.0 == "habit");
        habit.map_or(0.0, |term| term.1)
    };
    let (marked, learnt) = (habit(Lesson::None), habit(Lesson::Whole));
    assert!(marked > -0.1 && learnt < -5.0, "{marked} {learnt}");
}

#[test]
fn a_stranger_who_is_marked_stays_one_when_it_has_guessed_right() {
    let known = |lesson: Lesson| {
        let mut watch = Watch::new("failures_then_success", 1, &settings());
        watch.lesson = lesson;
        for n in 0..3 {
            watch.tell(1, at(0, 3, n), (9, false), [7, 0, 0, 0]);
            watch.tell(1, at(0, 3, n) + 30, (1, true), [7, 0, 0, 0]);
        }
        let now = Time::from_secs(super::MONDAY + at(1, 0, 0));
        let keys = watch.lanes[0].keys();
        let described = keys
            .first()
            .and_then(|key| watch.lanes[0].describe(*key, now));
        described.is_some_and(|found| !found.newcomer)
    };
    assert!(!known(Lesson::None) && known(Lesson::Whole));
}

#[test]
fn guesses_do_not_use_up_a_budget() {
    let told = |guesses: bool| {
        let rule = Settings {
            surprise: 4.0,
            budget: Some(0.2),
            ..settings()
        };
        let mut watch = Watch::new("first_seen", 1, &rule);
        for day in 0..30 {
            for user in 0..80_u64 {
                for hour in [9, 11, 14] {
                    watch.see(user, at(day, hour, 0), 1, user % 9);
                }
                if guesses {
                    watch.lesson = Lesson::Unproven;
                    let from = 1000 + 80 * day.unsigned_abs() + user;
                    watch.see(user, at(day, 3, 0), 1, from);
                    watch.lesson = Lesson::Whole;
                }
            }
        }
        watch.see(7, at(30, 10, 0), 1, AWAY).is_some()
    };
    assert!(told(false) && told(true));
}

#[test]
fn an_address_that_guessed_for_weeks_is_as_new_to_a_session() {
    let network = |guesses: bool| {
        let mut watch = Watch::new("session_novelty", 1, &settings());
        addresses(&mut watch, 3);
        for day in 21..40 {
            watch.lesson = Lesson::Unproven;
            for n in 0..4 {
                if guesses {
                    watch.see(5, at(day, 10, 5 + n), 3, AWAY);
                }
            }
            watch.lesson = Lesson::Whole;
            watch.see(5, at(day, 11, 5), 1, 5);
        }
        let found = watch.see(5, at(40, 10, 30), 1, AWAY).unwrap();
        let field = found.terms.iter().find(|term| term.0 == "field 1");
        field.map_or(0.0, |term| term.1)
    };
    let (never, guessed) = (network(false), network(true));
    assert!(never > 3.0 && guessed > 0.9 * never, "{never} {guessed}");
}

#[test]
fn a_silence_that_is_marked_is_not_taken_for_one_of_its_own() {
    let longest = |lesson: Lesson| {
        let mut watch = Watch::new("silence", 1, &settings());
        for tick in 0..5 * 72 {
            let (day, of_day) = (tick / 72, tick % 72);
            if day == 3 && (20..26).contains(&of_day) {
                continue;
            }
            watch.lesson = if day == 3 { lesson } else { Lesson::Whole };
            watch.see(3, tick * 1200 + 7, 1, 0);
        }
        let now = Time::from_secs(super::MONDAY + at(5, 0, 0));
        let key = watch.lanes[0].keys()[0];
        let known = watch.lanes[0].describe(key, now).unwrap();
        let ever = known.more.iter().find(|more| more.0.contains("longest"));
        ever.map_or(known.interval.1, |ever| ever.1)
    };
    let (marked, learnt) = (longest(Lesson::None), longest(Lesson::Whole));
    assert!(marked < 1300.0 && learnt > 1900.0, "{marked} {learnt}");
}
