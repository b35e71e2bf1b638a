//! What attackers do, each in one piece that can be put into any world.

use std::ops::Range;

use super::conn::{Flow, State};
use super::rng::Rng;
use super::site::Site;
use super::ssh::{Caller, Leave};
use super::stamp::{At, DAY, HOUR, MINUTE, SECOND};

/// Account names that the whole internet is tried with.
const WORN: &[&str] = &[
    "admin",
    "test",
    "oracle",
    "postgres",
    "ubuntu",
    "user",
    "guest",
    "ftpuser",
    "git",
    "hadoop",
    "deploy",
    "jenkins",
    "minecraft",
    "pi",
    "support",
    "www",
    "mysql",
    "tomcat",
    "es",
    "dev",
    "steam",
    "nvidia",
    "server",
    "odoo",
    "centos",
    "ansible",
    "vagrant",
    "testuser",
    "sol",
    "validator",
];

/// An account of a list, with its uid if it exists.
fn caller<'a>(name: &'a str, uid: Option<i64>, ip: &'a str, rng: &mut Rng) -> Caller<'a> {
    Caller {
        user: name,
        uid,
        ip,
        port: rng.port(),
    }
}

/// The noise that every bastion hears: hundreds of addresses that come and go,
/// each a few guesses now and then. About so many connections a day.
pub(crate) fn background(site: &mut Site, host: &str, days: &Range<i64>, per_day: i64) {
    let mut rng = Rng::of(site.world, "internet background");
    let source = |day: i64, rng: &mut Rng| match rng.below(4) {
        // Address space moves on: a source is heard for about ten days.
        0 => format!(
            "2001:db8:{:x}::{:x}",
            0x8000 + day * 3 + rng.below(40),
            rng.between(1, 9)
        ),
        _ => format!("198.51.100.{}", 1 + (day * 4 + rng.below(90)) % 254),
    };
    for day in days.clone() {
        let mut left = rng.around(per_day, per_day / 6);
        while left > 0 {
            // A visit: some connections in a row, half a minute to some minutes apart.
            let from = source(day, &mut rng);
            let row = rng.between(1, 14).min(left);
            let mut now = super::stamp::at(day, 0, 0) + rng.below(DAY - HOUR);
            for _ in 0..row {
                knock(site, host, &mut rng, now, &from);
                now += rng.between(25, 260) * SECOND + rng.below(SECOND);
            }
            left -= row;
        }
    }
}

/// One try, or only a look.
pub(crate) fn knock(site: &mut Site, host: &str, rng: &mut Rng, now: At, from: &str) {
    let machine = site.machine(host);
    if rng.chance(8) {
        return machine.probe(rng, now, from);
    }
    let (name, uid) = if rng.chance(30) {
        ("root", Some(0))
    } else {
        (*rng.pick(WORN), None)
    };
    let who = caller(name, uid, from, rng);
    let leave = if rng.chance(80) {
        Leave::Bye
    } else {
        Leave::Close
    };
    machine.guess(rng, now, &who, 1, leave);
}

/// One address, many passwords, as fast as it goes. Returns when it stopped.
pub(crate) fn brute_force(
    site: &mut Site,
    host: &str,
    from: &str,
    names: &[(&str, Option<i64>)],
    start: At,
    connections: i64,
) -> At {
    let mut rng = Rng::of(site.world, &format!("brute force from {from}"));
    let mut now = start + rng.below(MINUTE);
    for _ in 0..connections {
        let (name, uid) = *rng.pick(names);
        let who = caller(name, uid, from, &mut rng);
        let (tries, leave) = if rng.chance(40) {
            (6, Leave::TooMany)
        } else {
            (rng.between(1, 4), Leave::Close)
        };
        let end = site.machine(host).guess(&mut rng, now, &who, tries, leave);
        now = end + rng.between(200_000, 2_000_000);
    }
    now
}

/// Each of these sources tries a few of these accounts once, spread over a time.
pub(crate) fn spray(
    site: &mut Site,
    host: &str,
    sources: &[String],
    names: &[(&str, i64)],
    span: &Range<At>,
    tries_each: Range<i64>,
) {
    let mut rng = Rng::of(site.world, "spraying");
    for from in sources {
        for _ in 0..rng.between(tries_each.start, tries_each.end - 1) {
            let (name, uid) = *rng.pick(names);
            let now = span.start + rng.below(span.end - span.start);
            let who = caller(name, Some(uid), from, &mut rng);
            site.machine(host)
                .guess(&mut rng, now, &who, 1, Leave::Close);
        }
    }
}

/// A connection home at an even beat, so many hundredths of it early or late,
/// of about one size or of any within a spread.
pub(crate) fn beacon(
    site: &mut Site,
    from: &str,
    to: &str,
    span: &Range<At>,
    beat: At,
    jitter: i64,
    spread: i64,
) {
    let mut rng = Rng::of(site.world, &format!("beacon to {to}"));
    let mut now = span.start + rng.below(MINUTE);
    while now < span.end {
        site.zeek.saw(Flow {
            at: now,
            from: (from.to_owned(), rng.port()),
            to: (to.to_owned(), 443),
            service: "ssl",
            length: rng.between(180_000, 420_000),
            sent: rng.between(612, 640 + spread),
            got: rng.between(1_180, 1_240),
            state: State::Done,
        });
        let early = beat * jitter / 100;
        now += beat + rng.between(-early, early);
    }
}

/// So many megabytes in parts of some megabytes each, slowly.
pub(crate) fn upload(site: &mut Site, from: &str, to: &str, start: At, megabytes: i64, parts: i64) {
    let mut rng = Rng::of(site.world, &format!("upload to {to} at {start}"));
    let mut now = start + rng.below(MINUTE);
    for _ in 0..parts {
        let sent = rng.around(megabytes * 1_000_000 / parts, 900_000);
        let length = rng.between(5, 14) * MINUTE + rng.below(SECOND);
        site.zeek.saw(Flow {
            at: now,
            from: (from.to_owned(), rng.port()),
            to: (to.to_owned(), 443),
            service: "ssl",
            length,
            sent,
            got: sent / 700,
            state: State::Done,
        });
        now += length + rng.between(2, 9) * MINUTE;
    }
}

/// Connections to many machines or ports that mostly do not answer.
pub(crate) fn scan(site: &mut Site, from: &str, targets: &[(String, i64)], start: At, pause: At) {
    let mut rng = Rng::of(site.world, &format!("scan by {from} at {start}"));
    let mut now = start + rng.below(MINUTE);
    for to in targets {
        let state = match rng.below(10) {
            0 => State::Done,
            1..=3 => State::Refused,
            _ => State::Silence,
        };
        site.zeek.saw(Flow {
            at: now,
            from: (from.to_owned(), rng.port()),
            to: to.clone(),
            service: "-",
            length: rng.between(200, 9_000),
            sent: 0,
            got: 0,
            state,
        });
        now += rng.between(pause / 2, pause * 3 / 2);
    }
}
