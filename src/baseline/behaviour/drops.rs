//! Who does less than usual, while others go on.

use super::{MONDAY, Settings, Watch, hash, settings};
use crate::baseline::Deviation;
use crate::time::{Span, Time};

fn rule() -> Settings {
    Settings {
        surprise: 20.0,
        floor: 20.0,
        warm_up: Span::DAY.times(14),
        max_entities: 64,
        ..settings()
    }
}

/// Eight hosts that log some 140 lines an hour by day and 30 by night, and how
/// much of that is left at an hour.
struct Site {
    watch: Watch,
    hours: i64,
    /// Second, whose event it came with, what was told.
    told: Vec<(i64, u64, Deviation)>,
}

impl Site {
    fn new() -> Site {
        Site {
            watch: Watch::new("event_drop", 2, &rule()),
            hours: 0,
            told: Vec::new(),
        }
    }

    fn live(&mut self, days: i64, left: impl Fn(i64, u64) -> f64) {
        for hour in self.hours..days * 24 {
            for part in 0..12 {
                for host in 0..8_u64 {
                    let busy = if (8..18).contains(&(hour % 24)) {
                        140.0
                    } else {
                        30.0
                    };
                    let seed = u64::try_from(hour * 12 + part).unwrap() << 8 | host;
                    let noise = 0.5 + f64::from(u32::try_from(hash(seed) >> 40).unwrap()) / 1.7e7;
                    let lines = busy / 12.0 * noise * left(hour, host);
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "small"
                    )]
                    let lines = lines.round() as u32;
                    if lines == 0 {
                        continue;
                    }
                    let second = hour * 3600 + part * 300 + i64::try_from(host).unwrap();
                    let found = self.watch.see(host, second, lines, 0);
                    self.told.extend(found.map(|found| (second, host, found)));
                }
            }
        }
        self.hours = days * 24;
    }
}

/// A Tuesday after four weeks, ten o'clock.
const TEN: i64 = 29 * 24 + 10;

#[test]
fn a_host_of_which_a_tenth_is_left_is_told_when_the_hour_is_over_and_once() {
    let mut site = Site::new();
    let thin = TEN..TEN + 5;
    site.live(31, |hour, host| {
        if host == 3 && thin.contains(&hour) {
            0.1
        } else {
            1.0
        }
    });
    let [(second, _, found)] = site.told.as_slice() else {
        panic!("{:?}", site.told);
    };
    let over = (TEN + 1) * 3600;
    assert!((over..over + 60).contains(second), "{}", second - over);
    assert!(
        found.observed < 20.0 && (100.0..180.0).contains(&found.expected),
        "{found:?}"
    );
    assert!(
        found.observed < found.quiet && found.quiet < found.expected,
        "{found:?}"
    );
    assert!(
        found.interval.0 > found.observed && found.bits >= 20.0,
        "{found:?}"
    );
    assert_eq!(found.since, Time::from_secs(MONDAY + TEN * 3600));
    assert!(
        found.evidence > 100.0 && found.age > Span::DAY.times(28),
        "{found:?}"
    );
    let sum: f64 = found.terms.iter().map(|term| term.1).sum();
    assert!((sum - found.bits).abs() < 1e-9, "{found:?}");
}

#[test]
fn nights_weekends_and_an_ordinary_month_are_no_drop() {
    let mut site = Site::new();
    // Half as much at weekends.
    site.live(42, |hour, _| if hour / 24 % 7 >= 5 { 0.5 } else { 1.0 });
    assert!(site.told.is_empty(), "{:?}", site.told);
}

#[test]
fn a_holiday_of_all_is_no_drop_of_anybody_and_who_keeps_it_alone_is_told() {
    let holiday = 29 * 24..30 * 24;
    let mut site = Site::new();
    site.live(
        31,
        |hour, _| if holiday.contains(&hour) { 0.1 } else { 1.0 },
    );
    assert!(site.told.is_empty(), "{:?}", site.told);
    let mut site = Site::new();
    site.live(31, |hour, host| {
        if host == 3 && holiday.contains(&hour) {
            0.1
        } else {
            1.0
        }
    });
    assert_eq!(site.told.len(), 1, "{:?}", site.told);
}

#[test]
fn who_stops_altogether_is_told_once_and_not_day_after_day() {
    let mut site = Site::new();
    site.live(
        45,
        |hour, host| if host == 5 && hour >= TEN { 0.0 } else { 1.0 },
    );
    let [(second, host, found)] = site.told.as_slice() else {
        panic!("{:?}", site.told);
    };
    assert!(*host != 5, "told by the time of another's event");
    assert!(
        *second < (TEN + 1) * 3600 + 60 && found.observed < 0.5,
        "{found:?}"
    );
}

#[test]
fn who_works_by_fits_and_starts_is_not_odd_for_a_pause() {
    let mut site = Site::new();
    let pause = |hour: i64| hash(u64::try_from(hour).unwrap() << 20).is_multiple_of(8);
    site.live(
        56,
        |hour, host| if host == 2 && pause(hour) { 0.0 } else { 1.0 },
    );
    assert!(site.told.len() <= 1, "{}", site.told.len());
}

#[test]
fn a_flood_on_other_hosts_does_not_hide_a_drop() {
    let mut site = Site::new();
    // Whoever empties host 3 makes three others shout from then on.
    site.live(31, |hour, host| match host {
        3 if hour >= TEN => 0.1,
        0..3 if hour >= TEN => 50.0,
        _ => 1.0,
    });
    assert_eq!(site.told.len(), 1, "{:?}", site.told);
}

#[test]
fn who_is_quietened_bit_by_bit_is_learnt_and_that_is_a_blind_spot() {
    let mut site = Site::new();
    let left = |hour: i64, host| {
        let days = i32::try_from(hour / 24 - 20).unwrap_or(0).max(0);
        if host == 3 {
            libm::pow(0.97, f64::from(days))
        } else {
            1.0
        }
    };
    site.live(60, left);
    assert!(site.told.is_empty(), "{:?}", site.told);
}

#[test]
fn before_two_weeks_have_passed_nothing_is_told() {
    let mut site = Site::new();
    site.live(12, |hour, host| {
        if host == 3 && hour > 10 * 24 {
            0.0
        } else {
            1.0
        }
    });
    assert!(site.told.is_empty(), "{:?}", site.told);
}

#[test]
fn a_restored_state_tells_of_the_same_drop() {
    let left = |hour: i64, host| if host == 3 && hour >= TEN { 0.1 } else { 1.0 };
    let mut lived = Site::new();
    lived.live(29, left);
    let mut restored = Site::new();
    (restored.hours, restored.watch.midnight) = (lived.hours, lived.watch.midnight);
    let saved = lived.watch.lanes[0].save();
    restored.watch.lanes[0].load(&saved).unwrap();
    lived.live(30, left);
    restored.live(30, left);
    assert!(lived.told.len() == 1 && lived.told == restored.told);
}
