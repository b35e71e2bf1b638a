//! Ways in: guessing, spraying, and accounts that work for somebody else.

use super::super::attack;
use super::super::ssh::{Caller, Leave, Proof};
use super::super::stamp::{DAY, HOUR, MINUTE, SECOND, at};
use super::Attack;
use super::staff::address;
use super::stage::{STAYS, Stage, ordinary};

/// A host that the internet reaches.
const OPEN: &[&str] = &["gate01", "gate01", "mail01", "web01"];

/// The names and uids of so many people.
fn accounts(stage: &mut Stage<'_>, count: i64) -> Vec<(&'static str, i64)> {
    let all: Vec<_> = stage.staff.inside.iter().map(|p| (p.name, p.uid)).collect();
    (0..count).map(|_| *stage.rng.pick(&all)).collect()
}

/// One wrong password.
fn try_once(stage: &mut Stage<'_>, host: &str, from: &str, who: (&str, i64), now: i64) -> i64 {
    let caller = Caller {
        user: who.0,
        uid: Some(who.1),
        ip: from,
        port: stage.rng.port(),
    };
    let machine = stage.site.machine(host);
    machine.guess(&mut stage.rng, now, &caller, 1, Leave::Close)
}

/// One address, many passwords, as fast as it goes.
pub(super) fn brute_force(stage: &mut Stage<'_>) -> Attack {
    let (host, from) = (*stage.rng.pick(OPEN), stage.from.clone());
    let start = stage.moment(2);
    let person = stage.victim(|_| true);
    let names = [
        ("root", Some(0)),
        ("admin", None),
        (person.name, Some(person.uid)),
    ];
    let known = if stage.rng.chance(50) { 2 } else { 0 };
    let names = names.get(known..).unwrap();
    let count = stage.rng.between(25, 150);
    let end = attack::brute_force(stage.site, host, &from, names, start, count);
    let about = names
        .iter()
        .map(|(name, _)| *name)
        .chain([from.as_str(), host]);
    stage.attack(about.collect::<Vec<_>>(), start..end, end)
}

/// One address, one account, a password every few minutes for a day.
pub(super) fn slow_brute_force(stage: &mut Stage<'_>) -> Attack {
    let (host, from) = (*stage.rng.pick(OPEN), stage.from.clone());
    let person = stage.victim(|_| true);
    let hours = stage.rng.between(6, 30);
    let start = stage.moment(hours);
    let pause = stage.rng.between(2, 10) * MINUTE;
    let mut now = start;
    while now < start + hours * HOUR {
        try_once(stage, host, &from, (person.name, person.uid), now);
        now += pause + stage.rng.between(-pause / 3, pause / 3);
    }
    stage.attack([person.name, from.as_str(), host], start..now, now)
}

/// One address, many accounts, a password or two each.
pub(super) fn spray_one_source(stage: &mut Stage<'_>) -> Attack {
    let (host, from) = (*stage.rng.pick(OPEN), stage.from.clone());
    let count = stage.rng.between(20, 70);
    let names = accounts(stage, count);
    let start = stage.moment(4);
    let pause = stage.rng.between(4, 90) * SECOND;
    let mut now = start;
    for who in &names {
        now = try_once(stage, host, &from, *who, now) + pause + stage.rng.below(pause);
    }
    stage.attack([from.as_str(), host], start..now, now)
}

/// So many addresses of a botnet.
fn bots(stage: &mut Stage<'_>, count: i64) -> Vec<String> {
    (0..count)
        .map(|i| match i % 5 {
            0 => format!("2001:db8:{:x}::{:x}", 0x9000 + stage.place * 300 + i, i + 1),
            _ => format!(
                "198.19.{}.{}",
                stage.rng.below(120),
                stage.rng.between(1, 254)
            ),
        })
        .collect()
}

/// Many addresses, many accounts, one password each.
pub(super) fn spray_botnet(stage: &mut Stage<'_>) -> Attack {
    let host = *stage.rng.pick(OPEN);
    let (count, hours) = (stage.rng.between(70, 260), stage.rng.between(1, 6));
    let sources = bots(stage, count);
    let names = accounts(stage, 120);
    let start = stage.moment(hours);
    let span = start..start + hours * HOUR;
    attack::spray(stage.site, host, &sources, &names, &span, 1..2);
    let about = sources.iter().map(String::as_str).chain([host]);
    stage.attack(about.collect::<Vec<_>>(), span.clone(), span.end)
}

/// A few addresses, many accounts, a password or two an hour, for days.
pub(super) fn spray_slow(stage: &mut Stage<'_>) -> Attack {
    let host = *stage.rng.pick(OPEN);
    let days = stage.rng.between(3, 6);
    let count = stage.rng.between(1, 6);
    let sources: Vec<_> = if stage.rng.chance(50) {
        vec![stage.from.clone()]
    } else {
        bots(stage, count)
    };
    let names = accounts(stage, 150);
    let start = stage.moment(24 * days);
    let pause = stage.rng.between(12, 40) * MINUTE;
    let mut now = start;
    while now < start + days * DAY {
        let (from, who) = (stage.rng.pick(&sources).clone(), *stage.rng.pick(&names));
        try_once(stage, host, &from, who, now);
        now += pause + stage.rng.between(-pause / 2, pause / 2);
    }
    let about = sources.iter().map(String::as_str).chain([host]);
    stage.attack(about.collect::<Vec<_>>(), start..now, now)
}

/// Some wrong passwords and then the right one.
pub(super) fn guess_then_success(stage: &mut Stage<'_>) -> Attack {
    let from = stage.from.clone();
    let person = stage.victim(ordinary);
    let start = stage.moment(3);
    let pause = stage.rng.between(5, 200) * SECOND;
    let mut now = start;
    for _ in 0..stage.rng.between(5, 30) {
        let end = try_once(stage, "gate01", &from, (person.name, person.uid), now);
        now = end + stage.rng.between(pause / 2, pause);
    }
    let who = (person.name, person.uid);
    let end = stage.session("gate01", who, &from, &Proof::Password, now, 20);
    stage.attack([person.name, from.as_str(), "gate01"], start..end, now)
}

/// A stolen password, used by day from somewhere else.
pub(super) fn new_network(stage: &mut Stage<'_>) -> Attack {
    let from = stage.from.clone();
    let person = stage.victim(ordinary);
    let day = stage.workday();
    let start = stage.hours_of(&person, day);
    let who = (person.name, person.uid);
    let mut now = start;
    for _ in 0..stage.rng.between(1, 3) {
        let length = stage.rng.between(STAYS.0, STAYS.1);
        now = stage.session("gate01", who, &from, &Proof::Password, now, length);
        let host = *stage.rng.pick(&person.hosts);
        now = stage.session(host, who, address("gate01"), &Proof::Password, now, 5) + HOUR / 2;
    }
    stage.attack([person.name, from.as_str()], start..now, start)
}

/// The right account from its own desk, in the middle of the night.
pub(super) fn odd_hours(stage: &mut Stage<'_>) -> Attack {
    let person = stage.victim(|p| ordinary(p) && !p.evenings);
    let start = at(stage.workday(), 1, 0) + stage.rng.below(3 * HOUR);
    let who = (person.name, person.uid);
    let mut now = start;
    for _ in 0..stage.rng.between(1, 4) {
        let host = *stage.rng.pick(&person.hosts);
        let length = stage.rng.between(STAYS.0, STAYS.1);
        now = stage.session(host, who, &person.desk, &person.proof, now, length) + 4 * MINUTE;
    }
    stage.attack([person.name, person.desk.as_str()], start..now, start)
}

/// An account that nobody used for weeks.
pub(super) fn dormant_account(stage: &mut Stage<'_>) -> Attack {
    let place = usize::try_from(stage.place).unwrap() % stage.staff.dormant.len().max(1);
    let person = stage.staff.dormant.get(place).cloned();
    let person = person.unwrap_or_else(|| stage.victim(ordinary));
    let (start, who) = (stage.moment(5), (person.name, person.uid));
    let from = if stage.rng.chance(50) {
        stage.from.clone()
    } else {
        person.desk.clone()
    };
    let host = *stage.rng.pick(&person.hosts);
    let host = if from.starts_with("10.") {
        host
    } else {
        "gate01"
    };
    let end = stage.session(host, who, &from, &person.proof, start, 30);
    stage.attack([person.name, from.as_str()], start..end, start)
}

/// At home, and half an hour later at the other end of the world.
pub(super) fn impossible_travel(stage: &mut Stage<'_>) -> Attack {
    let from = stage.from.clone();
    let person = stage.victim(|p| ordinary(p) && !p.home_days.is_empty());
    let day = stage.workday();
    let (now, who) = (stage.hours_of(&person, day), (person.name, person.uid));
    let home = person.home_on(now / DAY);
    stage.session("gate01", who, &home, &person.proof, now, 15);
    let start = now + stage.rng.between(12, 70) * MINUTE;
    let end = stage.session("gate01", who, &from, &person.proof, start, 12);
    stage.attack([person.name, from.as_str()], start..end, start)
}
