//! An entity votes with the highest score of a day with which it could have been
//! reported: what a rule's votes say of its threshold is what the threshold does.

use std::collections::BTreeSet;

use super::promises::lives;
use super::{STATISTICS, Settings, Watch, in_one_lane, settings};
use crate::baseline::calibrate::reaching;

#[test]
fn as_many_votes_reach_the_threshold_as_entities_are_reported() {
    const BITS: f64 = 3.0;
    for row in STATISTICS.iter().filter(|row| !in_one_lane(row.name)) {
        let mut watch = Watch::new(
            row.name,
            4,
            &Settings {
                surprise: BITS,
                // A rare value is one.
                floor: if row.name == "rare" { 1.0 } else { 2.0 },
                min_buckets: 5,
                ..settings()
            },
        );
        let (mut midnight, mut told) = (watch.midnight, BTreeSet::new());
        let (mut all, mut off, mut votes) = (0, 0, 0);
        for (entity, secs, count, value) in lives() {
            let found = watch.see(entity, secs, count, value);
            if watch.midnight > midnight {
                midnight = watch.midnight;
                let reached = reaching(&watch.census.votes, BITS);
                let reported = u64::try_from(told.len()).unwrap();
                (all, off) = (all + reported, off + reached.abs_diff(reported));
                votes += watch.census.votes.iter().sum::<u64>();
                told.clear();
            }
            if found.is_some() {
                told.insert(entity);
            }
        }
        // Who is reported day after day votes ever more rarely.
        assert!(off * 20 <= all, "{}: {off} off of {all}", row.name);
        assert!(all > 10 && votes > all, "{}: {votes} {all}", row.name);
    }
}
