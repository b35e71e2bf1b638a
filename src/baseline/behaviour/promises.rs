//! What holds for every statistic: lanes, snapshots, floods, any input.

use proptest::prelude::*;

use super::{
    Census, Lesson, MONDAY, Only, STATISTICS, Sample, Settings, Watch, addresses, at, build, hash,
    in_one_lane, settings,
};
use crate::time::{Span, Time};

/// Teams, of which one is too small to be any, and some who are in none; one
/// changes his.
fn teams(entity: u64) -> u64 {
    match entity % 7 {
        0 => 0,
        1 if entity < 20 => hash(9),
        team => hash(20 + team % 3),
    }
}

/// A statistic without peers, and with them where it can go by them.
fn both() -> impl Iterator<Item = (&'static str, bool)> {
    let each = |row: &'static &super::super::Row| {
        let with = row.peers.then_some((row.name, true));
        [(row.name, false)].into_iter().chain(with)
    };
    STATISTICS.iter().flat_map(each)
}

fn team_settings(peers: bool) -> Settings {
    Settings {
        peers,
        ..settings()
    }
}

/// Every entity's every deviation, as exact bits, under one dealing of lanes.
fn story(name: &str, peers: bool, lanes: usize) -> Vec<Option<(u64, u64)>> {
    let hot = Settings {
        surprise: 2.0,
        warm_up: Span::DAY.times(2),
        ..team_settings(peers)
    };
    let mut watch = Watch::new(name, lanes, &hot);
    watch.peers = teams;
    let mut told = Vec::new();
    for (entity, secs, count, value) in lives() {
        let found = watch.see(entity, secs, count, value);
        told.push(found.map(|d| (d.bits.to_bits(), d.expected.to_bits())));
    }
    told
}

/// Four weeks of a hundred entities: who, when, how often at once, and what.
pub(super) fn lives() -> impl Iterator<Item = (u64, i64, u32, u64)> {
    (0..40_000_i64).filter_map(|n| {
        let r = hash(u64::try_from(n).unwrap());
        // Some come at random and stay away for eight days at a time, some at an even beat.
        let entity = if n % 5 == 0 && (n / 4000 % 2 == 0 || n % 4 > 0) {
            200 + u64::try_from(n).unwrap() / 5 % 4
        } else {
            r % 97 * (r >> 9 & 1) + r % 7
        };
        let away = (61..200).contains(&entity) && n * 61 / 86_400 % 9 > 0;
        let count = 1 + u32::try_from(r >> 20 & 31).unwrap() / 30;
        (!away).then_some((entity, n * 61, count, r >> 30 & entity))
    })
}

#[test]
fn how_entities_are_dealt_to_lanes_changes_no_score() {
    for (name, peers) in both() {
        let one = story(name, peers, 1);
        let least = if in_one_lane(name) { 3 } else { 50 };
        assert!(
            one.iter().flatten().count() > least,
            "{name}: nothing to compare"
        );
        assert!(one == story(name, peers, 64), "{name}");
        assert!(
            !peers || one != story(name, false, 1),
            "{name}: peers change nothing"
        );
    }
}

#[test]
fn a_restored_state_goes_on_bit_by_bit() {
    for (name, peers) in both() {
        let mut lived = Watch::new(name, 1, &team_settings(peers));
        lived.peers = teams;
        addresses(&mut lived, 2);
        let mut restored = Watch::new(name, 1, &team_settings(peers));
        restored.peers = teams;
        restored.midnight = lived.midnight;
        restored.lanes[0].load(&lived.lanes[0].save()).unwrap();
        let mut some = 0;
        for n in 0..3000_i64 {
            let r = hash(u64::try_from(n).unwrap());
            let entity = if n % 4 == 0 { 77 } else { r % 60 };
            let see = |watch: &mut Watch| watch.see(entity, at(21, 0, 0) + n * 97, 1, r >> 40 & 15);
            let (one, other) = (see(&mut lived), see(&mut restored));
            some += usize::from(one.is_some());
            assert_eq!(one, other, "{name} at {n}");
        }
        // Silences come seldom; their states are compared all the same.
        let least = if in_one_lane(name) { 0 } else { 21 };
        assert!(some >= least, "{name}: nothing to compare");
        assert_eq!(lived.lanes[0].save(), restored.lanes[0].save(), "{name}");
    }
}

#[test]
fn a_state_of_other_settings_or_cut_short_is_refused() {
    for (name, peers) in both() {
        let mut watch = Watch::new(name, 1, &team_settings(peers));
        watch.peers = teams;
        addresses(&mut watch, 1);
        let saved = watch.lanes[0].save();
        let other = Settings {
            timespan: Span::MINUTE,
            ..team_settings(peers)
        };
        let refusal = build(name, &other).load(&saved).unwrap_err();
        assert!(refusal.contains("another timespan"), "{refusal}");
        for cut in (0..saved.len()).step_by(41) {
            assert!(
                build(name, &team_settings(peers))
                    .load(&saved[..cut])
                    .is_err(),
                "{cut}"
            );
        }
        let tuned = Settings {
            surprise: 30.0,
            ..team_settings(peers)
        };
        assert_eq!(build(name, &tuned).load(&saved), Ok(()));
    }
}

/// So many addresses that come once, over eight lanes and a day.
fn flood(name: &str, strangers: i64) {
    let few = Settings {
        max_entities: 16_384,
        ..settings()
    };
    let mut watch = Watch::new(name, 8, &few);
    addresses(&mut watch, 2);
    for n in 0..strangers {
        let entity = 1_000_000 + u64::try_from(n).unwrap();
        watch.see(entity, at(14, 0, 0) + n * 83_000 / strangers, 1, 1);
    }
    let bytes: usize = watch.lanes.iter().map(|lane| lane.size().1).sum();
    // Eight full lanes: a nursery's places, and the holders that beats also count.
    assert!(bytes < 8 * 16_384 * 64, "{name}: {bytes}");
    if in_one_lane(name) {
        assert!(watch.lanes[0].keeps(hash(5)));
        return;
    }
    let flooded = watch.lanes.iter().filter(|lane| lane.crowd().is_flooded());
    assert!(flooded.count() > 0, "{name} tells nobody");
    // What needs many events to tell has some; the age tells who it is.
    let mut later = (0..200).map(|n| watch.see(5, at(25, 3, 0) + n * 601, 50, 777));
    let found = later.find_map(|found| found).unwrap();
    assert!(found.evidence > 10.0, "{name}: {found:?}");
    assert!(found.age > Span::DAY.times(16), "{name}: {found:?}");
}

/// The eighth part of a million addresses over 64 lanes.
#[test]
fn a_flood_of_addresses_that_come_once_costs_little_displaces_nobody_and_is_told() {
    for row in STATISTICS {
        flood(row.name, 125_000);
    }
}

#[test]
#[ignore = "a minute for each statistic: cargo test --release ten_million -- --ignored"]
fn ten_million_addresses_that_come_once_cost_no_more_and_displace_nobody() {
    for row in STATISTICS {
        flood(row.name, 10_000_000);
    }
}

#[test]
fn a_census_is_the_same_in_any_order() {
    for row in STATISTICS {
        let mut watch = Watch::new(row.name, 8, &settings());
        addresses(&mut watch, 1);
        let now = Time::from_secs(MONDAY + at(7, 0, 0));
        let parts: Vec<_> = watch
            .lanes
            .iter_mut()
            .map(|lane| lane.census(now))
            .collect();
        let (mut one, mut other) = (Census::default(), Census::default());
        for (part, last) in parts.iter().zip(parts.iter().rev()) {
            one.add(part);
            other.add(last);
        }
        assert_eq!(one, other);
        assert!(one.sums.iter().any(|&sum| sum > 0) || !one.holders.is_empty());
    }
}

#[test]
fn whom_it_knows_it_describes_and_whom_it_forgets_it_knows_no_more() {
    let rows = STATISTICS.iter().map(|row| (*row, settings()));
    // What it never came with is known of each, beside its counts.
    let own = Settings {
        only: Only::FirstSeen,
        ..settings()
    };
    let counted = STATISTICS
        .iter()
        .filter(|row| row.only.contains(&"first_seen"));
    let counted = counted.map(|row| (*row, own.clone()));
    let delayed = Settings {
        delay: Some(Span::DAY),
        hold: true,
        ..settings()
    };
    let delayed = STATISTICS.iter().map(|row| (*row, delayed.clone()));
    for (row, settings) in rows.chain(counted).chain(delayed) {
        let mut watch = Watch::new(row.name, 1, &settings);
        addresses(&mut watch, 2);
        watch.see(999, at(14, 8, 0), 1, 3); // a newcomer
        let now = Time::from_secs(MONDAY + at(14, 8, 1));
        let lane = &mut watch.lanes[0];
        let mut keys = lane.keys();
        keys.sort_unstable();
        let (wanted, newcomer) = (hash(5), hash(999));
        assert_eq!(keys.len(), 41, "{}", row.name);
        let known = lane.describe(wanted, now).unwrap();
        assert!(!known.newcomer && known.evidence > 20.0, "{known:?}");
        assert!(!known.what.is_empty());
        assert!(known.alarm.is_none() || !known.young);
        assert!(known.first < known.last && known.last <= now, "{known:?}");
        assert!(known.interval.0 <= known.interval.1 && known.expected.is_finite());
        assert!(lane.describe(newcomer, now).unwrap().newcomer);
        assert_eq!(lane.describe(hash(1234), now), None);
        let others: Vec<_> = keys.iter().filter(|key| **key != wanted).collect();
        let before: Vec<_> = others.iter().map(|key| lane.describe(**key, now)).collect();
        assert!(lane.forget(wanted) && !lane.forget(wanted), "{}", row.name);
        assert_eq!(lane.describe(wanted, now), None);
        let after: Vec<_> = others.iter().map(|key| lane.describe(**key, now)).collect();
        assert_eq!(before, after, "{}", row.name);
        assert!(lane.forget(newcomer));
        assert_eq!(lane.keys().len(), 39);
        // The state is whole: it goes on, and can be saved and loaded.
        let saved = lane.save();
        assert_eq!(build(row.name, &settings).load(&saved), Ok(()));
        watch.see(5, at(14, 9, 0), 1, 3);
        assert!(watch.lanes[0].describe(wanted, now).unwrap().newcomer);
    }
}

proptest! {
    #[test]
    fn no_order_of_times_and_no_settings_panic(
        samples in prop::collection::vec((0_u64..5, any::<i64>(), 0_i64..4, any::<u32>(), 0_u64..30), 1..200),
        timespan in prop::sample::select(vec![1, 60, 3600, 86_400, 604_800]),
        season in any::<bool>(),
        max_entities in 0_usize..4,
        floor in prop::sample::select(vec![-1.0, 0.0, 2.5, 1e12]),
    ) {
        let odd = Settings {
            timespan: Span::from_secs(timespan),
            season,
            max_entities,
            floor,
            peers: true,
            ..settings()
        };
        for row in STATISTICS {
            let mut statistic = build(row.name, &odd);
            for &(key, nanos, kind, count, value) in &samples {
                let time = match kind {
                    0 => Time::from_nanos(nanos),
                    1 => [Time::MIN, Time::MAX][usize::from(nanos > 0)],
                    _ => Time::from_secs(MONDAY + nanos % 10_000_000),
                };
                let sample = Sample {
                    key,
                    time,
                    count,
                    value: hash(value),
                    parts: [hash(value), 0, 0, 0],
                    amount: Some(f64::from_bits(value)),
                    last: kind == 1,
                    peers: hash(value % 5),
                    lesson: [Lesson::Whole, Lesson::Unproven, Lesson::None]
                        [usize::try_from(value % 3).unwrap()],
                };
                let overdue = (0..64).map_while(|_| statistic.overdue(time)).last();
                let own = statistic.observe(&sample);
                for found in overdue.map(|(_, found)| found).into_iter().chain(own) {
                    prop_assert!((0.0..=300.0).contains(&found.bits) && found.expected.is_finite());
                    prop_assert!(found.interval.0 <= found.interval.1);
                }
                if value == 0 {
                    let census = statistic.census(time);
                    statistic.adopt(&census, time);
                }
            }
            let saved = statistic.save();
            prop_assert_eq!(build(row.name, &odd).load(&saved), Ok(()));
        }
    }
}
