//! Who stopped while others went on.

use super::{MONDAY, Settings, Watch, hash, settings};
use crate::baseline::Deviation;
use crate::time::{Span, Time};

fn rule() -> Settings {
    Settings {
        timespan: Span::HOUR,
        surprise: 24.0,
        floor: 600.0,
        warm_up: Span::DAY.times(7),
        max_entities: 64,
        ..settings()
    }
}

/// Hosts that log each minute by day and each quarter of an hour by night, more or less.
struct Site {
    watch: Watch,
    /// `(second, host)`, by second.
    lines: Vec<(i64, u64)>,
}

impl Site {
    fn new(hosts: u64, days: i64) -> Site {
        let mut lines = Vec::new();
        for host in 0..hosts {
            let mut now = i64::try_from(host).unwrap();
            let mut n = 0;
            while now < days * 86_400 {
                lines.push((now, host));
                let hour = now / 3600 % 24;
                let mean = if (8..18).contains(&hour) { 60 } else { 900 };
                now += 1 + i64::try_from(hash(host << 32 | n)).unwrap_or(i64::MAX) % (2 * mean);
                n += 1;
            }
        }
        lines.sort_unstable();
        Site {
            watch: Watch::new("silence", 4, &rule()),
            lines,
        }
    }

    /// Lets the site log, without what `silent` leaves out; what was told, and when.
    fn live(&mut self, silent: impl Fn(i64, u64) -> bool) -> Vec<(i64, Deviation)> {
        let mut told = Vec::new();
        for &(second, host) in &self.lines {
            if !silent(second, host) {
                let found = self.watch.see(host, second, 1, 0);
                told.extend(found.map(|found| (second, found)));
            }
        }
        told
    }
}

const TUESDAY: i64 = 15 * 86_400;

#[test]
fn of_a_lone_machine_nobody_can_say_whether_it_fell_silent() {
    let night = |second: i64| (TUESDAY + 18 * 3600..TUESDAY + 32 * 3600).contains(&second);
    let told = Site::new(1, 20).live(|second, _| night(second));
    assert_eq!(told, []);
    // Where there are others it is told once that all are silent.
    let told = Site::new(3, 20).live(|second, _| night(second));
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn a_host_that_falls_silent_by_day_is_told_of_within_the_hour_and_once() {
    let mut site = Site::new(8, 20);
    let from = TUESDAY + 10 * 3600;
    let told = site.live(|second, host| host == 3 && second >= from);
    let [(second, found)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(
        (from + 400..from + 3600).contains(second),
        "{}",
        second - from
    );
    assert!(
        found.bits >= 24.0 && found.observed > found.quiet,
        "{found:?}"
    );
    assert!(
        found.observed > found.interval.1 && found.evidence > 500.0,
        "{found:?}"
    );
    assert!(found.since < Time::from_secs(MONDAY + from), "{found:?}");
}

#[test]
fn the_same_silence_is_none_by_night_nor_before_the_rule_is_warm() {
    let mut site = Site::new(8, 20);
    let night = TUESDAY + 2 * 3600;
    let told = site.live(|second, host| host == 3 && (night..night + 2400).contains(&second));
    assert!(told.is_empty(), "{told:?}");
    let mut site = Site::new(8, 5);
    let told = site.live(|second, host| host == 3 && second > 4 * 86_400);
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn when_all_stop_it_is_one_outage_and_who_does_not_come_back_is_told_of() {
    let mut site = Site::new(20, 18);
    let from = TUESDAY + 10 * 3600;
    let outage = from..from + 6 * 3600;
    let told = site.live(|second, host| outage.contains(&second) || (host == 7 && second > from));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].0 >= outage.end && told[0].0 < outage.end + 120,
        "{told:?}"
    );
    assert!(
        told[1].0 > outage.end + 600 && told[1].0 < outage.end + 4 * 3600,
        "{told:?}"
    );
}

#[test]
fn when_most_stop_it_is_one_outage_as_well() {
    let mut site = Site::new(20, 18);
    let from = TUESDAY + 10 * 3600;
    let told = site.live(|second, host| host > 4 && (from..from + 3000).contains(&second));
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn who_falls_silent_for_longer_each_day_is_told_of_before_hours() {
    let mut site = Site::new(8, 40);
    let silent = |second: i64, host| {
        let (day, within) = (second / 86_400, second % 86_400 - 10 * 3600);
        host == 3 && day > 10 && (0..(day - 10) * 400).contains(&within)
    };
    let told = site.live(silent);
    assert!(!told.is_empty());
    assert!(told[0].1.observed < 7200.0, "{told:?}");
}

#[test]
fn one_line_said_many_times_and_a_late_line_change_nothing() {
    let mut plain = Site::new(8, 17);
    let mut twice = Site::new(8, 17);
    let from = TUESDAY + 10 * 3600;
    let silent = |second: i64, host| host == 3 && second >= from;
    let doubled = twice.lines.iter().flat_map(|&line| [line; 5]).collect();
    twice.lines = doubled;
    assert_eq!(plain.live(silent), twice.live(silent));
}

#[test]
fn hosts_that_were_never_there_displace_nobody() {
    let mut site = Site::new(8, 20);
    let from = TUESDAY + 10 * 3600;
    let mut lines = site.lines.clone();
    for n in 0..40_000_u64 {
        let second = TUESDAY - 86_400 + i64::try_from(n).unwrap() * 2;
        lines.push((second, 1_000_000 + n));
    }
    lines.sort_unstable();
    site.lines = lines;
    let told = site.live(|second, host| host == 3 && second >= from);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(site.watch.lanes.iter().all(|lane| lane.size().0 <= 128));
}

#[test]
fn a_restored_state_tells_of_the_same_silence_at_the_same_second() {
    let from = TUESDAY + 10 * 3600;
    let silent = |second: i64, host| host == 3 && second >= from;
    let mut lived = Site::new(8, 17);
    let rest: Vec<_> = lived
        .lines
        .iter()
        .copied()
        .filter(|line| line.0 > from)
        .collect();
    lived.lines.retain(|line| line.0 <= from);
    assert!(lived.live(silent).is_empty());
    let mut restored = Site::new(8, 0);
    restored.watch.midnight = lived.watch.midnight;
    restored.watch.lanes[0]
        .load(&lived.watch.lanes[0].save())
        .unwrap();
    lived.lines.clone_from(&rest);
    restored.lines = rest;
    let told = lived.live(silent);
    assert!(told.len() == 1 && told == restored.live(silent));
}
