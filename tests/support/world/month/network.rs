//! What the sensor at the border sees of attackers, and what a host no longer says.

use std::ops::Range;

use super::super::attack;
use super::super::conn::{Flow, State};
use super::super::rng::Rng;
use super::super::site::Site;
use super::super::stamp::{DAY, HOUR, MINUTE, SECOND, at};
use super::Attack;
use super::staff::{SERVERS, address};
use super::stage::Stage;

/// Scanners of the whole internet at the bastion: one port here and there.
pub(super) fn background(site: &mut Site, days: &Range<i64>, per_day: i64) {
    let mut rng = Rng::of(site.world, "internet scanners");
    for day in days.clone() {
        for _ in 0..per_day {
            let now = at(day, 0, 0) + rng.below(DAY);
            let from = format!("198.18.{}.{}", rng.between(100, 199), rng.between(1, 254));
            let port = *rng.pick(&[23, 80, 443, 445, 3_389, 5_900, 6_379, 8_080]);
            let (_, server) = *rng.pick(&[("gate01", "10.20.0.10"), ("mail01", "10.20.1.40")]);
            attack::scan(site, &from, &[(server.to_owned(), port)], now, SECOND);
        }
    }
}

/// Guessers at every door that is open to the internet: so many addresses a
/// day, most of them a handful of tries, some dozens of them.
pub(super) fn guessers(site: &mut Site, days: &Range<i64>, per_day: i64) {
    let mut rng = Rng::of(site.world, "internet guessers");
    for day in days.clone() {
        for _ in 0..rng.around(per_day, per_day / 3) {
            let from = format!("198.18.{}.{}", rng.between(100, 199), rng.between(1, 254));
            let host = *rng.pick(&["gate01", "gate01", "mail01", "web01"]);
            let tries = match rng.below(20) {
                0 => rng.between(12, 60),
                _ => rng.between(3, 9),
            };
            let mut now = at(day, 0, 0) + rng.below(DAY - HOUR);
            let pause = rng.between(8, 90) * SECOND;
            for _ in 0..tries {
                attack::knock(site, host, &mut rng, now, &from);
                now += pause + rng.below(pause / 3);
            }
        }
    }
}

/// A desk, or a server.
fn machine(stage: &mut Stage<'_>) -> String {
    if stage.rng.chance(60) {
        stage.victim(|p| p.away.is_empty()).desk
    } else {
        stage.server().1.to_owned()
    }
}

/// A connection home every so often, more or less even.
pub(super) fn beacon(stage: &mut Stage<'_>) -> Attack {
    let (from, to) = (machine(stage), stage.drop.clone());
    let days = stage.rng.between(2, 7);
    let start = stage.moment(24 * days);
    let beats = [60, 120, 300, 600, 900, 1_800, 3_600];
    let beat = *stage.rng.pick(&beats) * SECOND;
    let jitter = stage.rng.between(0, 30);
    let spread = *stage.rng.pick(&[0, 0, 200, 1_500]);
    let span = start..start + days * DAY;
    attack::beacon(stage.site, &from, &to, &span, beat, jitter, spread);
    stage.attack([from.as_str(), to.as_str()], span.clone(), span.end)
}

/// Files leave in parts of some hundred kilobytes, for days.
pub(super) fn slow_exfiltration(stage: &mut Stage<'_>) -> Attack {
    let (from, to) = (machine(stage), stage.drop.clone());
    let days = stage.rng.between(3, 7);
    let start = stage.moment(24 * days);
    let pause = stage.rng.between(8, 45) * MINUTE;
    let size = stage.rng.between(300, 3_000) * 1_000;
    let mut now = start;
    while now < start + days * DAY {
        let sent = stage.rng.around(size, size / 3);
        flow(stage, &from, &to, now, sent);
        now += pause + stage.rng.between(-pause / 2, pause / 2);
    }
    stage.attack([from.as_str(), to.as_str()], start..now, now)
}

fn flow(stage: &mut Stage<'_>, from: &str, to: &str, now: i64, sent: i64) {
    stage.site.zeek.saw(Flow {
        at: now,
        from: (from.to_owned(), stage.rng.port()),
        to: (to.to_owned(), 443),
        service: "ssl",
        length: sent * 2 + SECOND,
        sent,
        got: sent / 300 + 900,
        state: State::Done,
    });
}

/// Gigabytes within an hour or two.
pub(super) fn bulk_exfiltration(stage: &mut Stage<'_>) -> Attack {
    let (from, to) = (machine(stage), stage.drop.clone());
    let start = stage.moment(9);
    let megabytes = stage.rng.between(600, 15_000);
    let parts = stage.rng.between(3, 25);
    attack::upload(stage.site, &from, &to, start, megabytes, parts);
    let end = start + parts * 23 * MINUTE;
    stage.attack([from.as_str(), to.as_str()], start..end, end)
}

/// Somebody inside looks for machines.
pub(super) fn horizontal_scan(stage: &mut Stage<'_>) -> Attack {
    let from = machine(stage);
    let ports: [i64; 2] = *stage
        .rng
        .pick(&[[22, 22], [445, 445], [22, 3_389], [80, 443]]);
    let count = stage.rng.between(60, 254);
    let targets: Vec<_> = (1..=count)
        .flat_map(|i| ports.map(|port| (format!("10.20.1.{i}"), port)))
        .collect();
    let start = stage.moment(6);
    let pause = *stage
        .rng
        .pick(&[SECOND / 20, SECOND / 2, 4 * SECOND, 20 * SECOND]);
    attack::scan(stage.site, &from, &targets, start, pause);
    let end = start + i64::try_from(targets.len()).unwrap() * pause + 2 * MINUTE;
    stage.attack([from.as_str()], start..end, end)
}

/// Somebody inside looks for what a machine offers.
pub(super) fn vertical_scan(stage: &mut Stage<'_>) -> Attack {
    let from = machine(stage);
    let (_, to) = *stage.rng.pick(SERVERS);
    let count = stage.rng.between(60, 1_000);
    let targets: Vec<_> = (1..=count).map(|port| (to.to_owned(), port)).collect();
    let start = stage.moment(6);
    let pause = *stage
        .rng
        .pick(&[SECOND / 20, SECOND / 2, 3 * SECOND, 15 * SECOND]);
    attack::scan(stage.site, &from, &targets, start, pause);
    let end = start + count * pause + 2 * MINUTE;
    stage.attack([from.as_str(), to], start..end, end)
}

/// A host stops saying anything for hours.
pub(super) fn silenced_host(stage: &mut Stage<'_>) -> Attack {
    let (host, _) = stage.server();
    let hours = stage.rng.between(4, 30);
    let start = stage.moment(hours);
    let end = start + hours * HOUR;
    stage.attack([host, address(host)], start..end, end)
}

/// Uploads that grow by a quarter a day from what nobody would notice.
pub(super) fn boiling_frog(stage: &mut Stage<'_>) -> Attack {
    let person = stage.victim(|p| p.away.is_empty());
    let (from, mut to) = (person.desk, stage.drop.clone());
    if stage.rng.chance(50) {
        // Where everybody sends: only the growth is new.
        to = String::from("203.0.113.20");
    }
    let days = stage.rng.between(9, 14);
    let first = stage.day(days);
    let growth = stage.rng.between(18, 40);
    let mut size = stage.rng.between(3, 9) * 1_000_000;
    let (mut start, mut end) = (None, 0);
    for day in first..first + days {
        let minute = stage.rng.around(13 * 60, 200);
        let mut now = at(day, 0, minute) + stage.rng.below(MINUTE);
        for _ in 0..4 {
            start.get_or_insert(now);
            let sent = stage.rng.around(size / 4, size / 40);
            flow(stage, &from, &to, now, sent);
            end = now;
            now += stage.rng.between(2, 40) * MINUTE;
        }
        size += size * growth / 100;
    }
    let payload = end - DAY;
    // What others send to the same place is not about it.
    let about = [from.as_str(), to.as_str()];
    let about = about.into_iter().filter(|name| name.starts_with('1'));
    let about: Vec<_> = about.collect();
    stage.attack(about, start.unwrap_or(end)..end, payload)
}
