//! Who joins a team is expected to do as the team does.

use super::{Settings, Watch, at, hash, settings, workdays};
use crate::time::Span;

/// Fifty who do much are of one team, fifty who do little of another.
fn team(entity: u64) -> u64 {
    hash(70 + entity % 2)
}

fn rule(peers: bool) -> Settings {
    Settings {
        surprise: 12.0,
        floor: 5.0,
        warm_up: Span::DAY.times(7),
        season: false,
        peers,
        ..settings()
    }
}

/// Four weeks of both teams: twelve or so an hour, or one in every third.
fn teams(peers: bool, lanes: usize) -> Watch {
    let mut watch = Watch::new("event_count", lanes, &rule(peers));
    watch.peers = team;
    for day in 0..28 {
        for hour in 0..24 {
            for user in 0..100_u64 {
                let seed = u64::try_from(day * 24 + hour).unwrap() << 8 | user;
                let drawn = u32::try_from(hash(seed) % 8).unwrap();
                let count = if user % 2 == 0 {
                    8 + drawn
                } else {
                    u32::from(drawn < 3)
                };
                if count > 0 {
                    let minute = i64::try_from(user % 60).unwrap();
                    watch.see(user, at(day, hour, minute), count, 1);
                }
            }
        }
    }
    watch
}

/// How surprising twelve an hour are of who is new since this morning.
fn newcomer(watch: &mut Watch, entity: u64) -> f64 {
    let hours = [9, 10, 11];
    let bits = hours.map(|hour| watch.bits(entity, at(28, hour, 0), 12, 1));
    bits.into_iter().fold(0.0, f64::max)
}

#[test]
fn a_new_member_of_a_busy_team_does_as_the_team_does_and_one_of_a_quiet_team_is_told() {
    let mut watch = teams(true, 4);
    assert!(newcomer(&mut watch, 1000) < 1.0);
    let quiet = newcomer(&mut watch, 1001);
    assert!(quiet >= 12.0, "{quiet}");
    // Without the teams nobody could tell one from the other.
    let mut watch = teams(false, 4);
    let (busy, quiet) = (newcomer(&mut watch, 1000), newcomer(&mut watch, 1001));
    assert!((busy - quiet).abs() < 1e-9, "{busy} {quiet}");
}

#[test]
fn who_is_in_no_team_and_who_is_in_a_small_one_is_of_everybody() {
    let mut watch = teams(true, 4);
    let mut all = teams(false, 4);
    watch.peers = |entity| if entity == 2000 { 0 } else { hash(5) };
    let everybody = newcomer(&mut all, 2000);
    assert!((newcomer(&mut watch, 2000) - everybody).abs() < 1e-9);
    assert!((newcomer(&mut watch, 2001) - everybody).abs() < 1e-9);
}

#[test]
fn one_busy_member_does_not_make_a_quiet_team_busy() {
    let mut watch = teams(true, 4);
    // The second of a quiet team's fifty takes up work for ten, for a week.
    for day in 28..35 {
        for hour in 0..24 {
            for user in (0..100).filter(|user| user % 2 == 1) {
                let count = if user == 1 { 500 } else { 1 };
                watch.see(user, at(day, hour, 0), count, 1);
            }
        }
    }
    let told = watch
        .bits(1001, at(35, 9, 0), 60, 1)
        .max(watch.bits(1001, at(35, 10, 0), 60, 1));
    assert!(told >= 12.0, "{told}");
}

#[test]
fn what_ones_team_uses_is_less_of_a_surprise() {
    let rule = |peers| Settings {
        surprise: 0.01,
        warm_up: Span::DAY.times(7),
        peers,
        ..settings()
    };
    let office = |peers| {
        let mut watch = Watch::new("first_seen", 4, &rule(peers));
        watch.peers = team;
        for day in workdays(4) {
            for hour in 9..15 {
                for user in 0..100_u64 {
                    // Each team has four hosts, of which each uses two.
                    let host = user % 2 * 10 + (user / 2 + u64::try_from(hour % 2).unwrap()) % 4;
                    watch.bits(user, at(day, hour, 0), 1, host);
                }
            }
        }
        watch
    };
    // A member of the second team takes up a host of its own, then one of the other's.
    let news = |watch: &mut Watch| {
        let own = watch.bits(1, at(28, 10, 0), 1, 12);
        (own, watch.bits(1, at(28, 11, 0), 1, 2))
    };
    let (own, other) = news(&mut office(true));
    assert!(other > own + 4.0, "{own} {other}");
    let (own, other) = news(&mut office(false));
    assert!((other - own).abs() < 1.0, "{own} {other}");
}

#[test]
fn teams_that_somebody_makes_up_take_no_more_than_their_place() {
    let few = Settings {
        max_entities: 16_384,
        ..rule(true)
    };
    let mut watch = Watch::new("event_count", 1, &few);
    watch.peers = hash;
    for hour in 0..4 {
        for entity in 0..12_000 {
            watch.see(entity, at(0, hour, 0), 1, 1);
        }
    }
    let census = watch.barrier(crate::time::Time::from_secs(super::MONDAY + 86_400));
    assert!(census.groups.len() <= 256, "{}", census.groups.len());
    assert!(watch.lanes[0].size().1 < 5_000_000);
}

/// Every fifth works by night, on hosts of that team's own.
fn shift(entity: u64) -> u64 {
    hash(80 + u64::from(entity % 5 == 4))
}

/// Four weeks of both shifts; then somebody joins the night's and is shown
/// around by day.
fn shifts(name: &str, peers: bool) -> Watch {
    let rule = Settings {
        warm_up: Span::DAY.times(7),
        peers,
        ..settings()
    };
    let mut watch = Watch::new(name, 4, &rule);
    watch.peers = shift;
    for day in workdays(4) {
        for (hour, turn) in [(0, 0), (1, 1), (2, 2), (9, 0), (10, 1), (11, 2)] {
            let night = hour < 9;
            for user in (0..100_u64).filter(|user| (user % 5 == 4) == night) {
                let host = u64::from(night) * 10 + (user / 5 + turn) % 4;
                watch.tell(user, at(day, hour, 0), (1, true), [host, 0, 0, 0]);
            }
        }
    }
    for hour in 9..19 {
        watch.tell(999, at(25, hour, 30), (1, true), [11, 0, 0, 0]);
    }
    watch
}

#[test]
fn a_session_as_the_team_has_them_is_less_odd() {
    let bits = |name: &str, peers, host| {
        let night = at(28, 2, 0);
        let found = shifts(name, peers).tell(999, night, (1, true), [host, 0, 0, 0]);
        found.map_or(0.0, |found| found.bits)
    };
    let (with, without) = (bits("off_hours", true, 11), bits("off_hours", false, 11));
    assert!(with + 0.5 < without, "{with} {without}");
    let own = bits("session_novelty", true, 12);
    let other = bits("session_novelty", true, 2);
    assert!(other > own + 1.0, "{own} {other}");
    let (own, other) = (
        bits("session_novelty", false, 12),
        bits("session_novelty", false, 2),
    );
    assert!(other < own, "of few, and of many: {own} {other}");
}
