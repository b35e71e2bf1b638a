//! What desks send through the border.

use std::ops::Range;

use super::people::Person;
use super::rng::Rng;
use super::servers::small;
use super::site::Site;
use super::stamp::{MINUTE, SECOND, at};

/// The storage that everybody shares; large uploads go here.
const SHARED_STORAGE: &str = "203.0.113.20";

/// Browsing of these people on the days that they sit at their desks, about so
/// many connections a day each.
pub(crate) fn browse(site: &mut Site, people: &[Person], days: &Range<i64>, per_day: i64) {
    for person in people {
        let mut rng = Rng::of(site.world, &format!("browsing of {}", person.name));
        // A few places of one's own beside those that everybody goes to.
        let own = [0, 1, 2].map(|_| rng.between(60, 120));
        for workday in person.calendar(site.world, days) {
            if workday.home {
                continue;
            }
            let minutes = (workday.span.end - workday.span.start) / MINUTE;
            for _ in 0..rng.around(per_day, per_day / 2) {
                let now = workday.span.start + rng.below(minutes) * MINUTE + rng.below(MINUTE);
                // The first of the places that all know are the most visited.
                let known = rng.between(1, 35);
                let place = if rng.chance(85) {
                    rng.between(21, 20 + known)
                } else {
                    *rng.pick(&own)
                };
                let to = format!("203.0.113.{place}");
                site.zeek.saw(small(
                    &mut rng,
                    now,
                    &person.desk,
                    &to,
                    443,
                    "ssl",
                    600..25_000,
                    2_000..900_000,
                ));
            }
            if rng.chance(25) {
                let now = workday.span.start + rng.below(minutes) * MINUTE + rng.below(SECOND);
                let bulk = rng.between(1, 12) * 1_000_000;
                site.zeek.saw(small(
                    &mut rng,
                    now,
                    &person.desk,
                    SHARED_STORAGE,
                    443,
                    "ssl",
                    bulk..bulk + 900_000,
                    20_000..90_000,
                ));
            }
        }
    }
}

/// A messenger that says every twenty minutes that it is still there, as even
/// as a beacon, on every desk that has it.
pub(crate) fn keep_alives(site: &mut Site, people: &[Person], days: &Range<i64>) {
    for person in people {
        let mut rng = Rng::of(site.world, &format!("messenger of {}", person.name));
        for workday in person.calendar(site.world, days) {
            let mut now = workday.span.start;
            while now < workday.span.end && !workday.home {
                let to = "203.0.113.15";
                let flow = small(
                    &mut rng,
                    now,
                    &person.desk,
                    to,
                    443,
                    "ssl",
                    310..330,
                    280..300,
                );
                site.zeek.saw(flow);
                now += 20 * MINUTE + rng.below(SECOND);
            }
        }
    }
}

/// Mail in both directions, all day and less by night.
pub(crate) fn mail(site: &mut Site, server: &str, days: &Range<i64>, per_day: i64) {
    let mut rng = Rng::of(site.world, "mail");
    for day in days.clone() {
        for _ in 0..per_day {
            let minute = if rng.chance(75) {
                rng.around(11 * 60, 300)
            } else {
                rng.below(1_440)
            };
            let now = at(day, 0, 0) + minute * MINUTE + rng.below(MINUTE);
            let peer = format!("203.0.113.{}", rng.between(125, 160));
            let (from, to) = if rng.chance(60) {
                (peer.as_str(), server)
            } else {
                (server, peer.as_str())
            };
            site.zeek.saw(small(
                &mut rng,
                now,
                from,
                to,
                25,
                "smtp",
                1_500..240_000,
                400..900,
            ));
        }
    }
}
