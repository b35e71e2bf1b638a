//! What somebody does who is already inside.

use super::super::commands::Operator;
use super::super::ssh::{Proof, fingerprint};
use super::super::stamp::{At, DAY, HOUR, MINUTE, SECOND, at};
use super::Attack;
use super::staff::{BRANCH, DEPLOYER, SERVERS, address};
use super::stage::{STAYS, Stage, ordinary};

/// So many different servers but these.
fn targets(stage: &mut Stage<'_>, count: i64, but: &[&str]) -> Vec<&'static str> {
    let mut left: Vec<_> = SERVERS.iter().map(|(name, _)| *name).collect();
    left.retain(|name| !but.contains(name) && *name != "gate01");
    let mut targets = Vec::new();
    for _ in 0..count {
        let host = *stage.rng.pick(&left);
        left.retain(|name| *name != host);
        targets.push(host);
    }
    targets
}

/// From one server to the next with somebody's account.
pub(super) fn lateral_ssh(stage: &mut Stage<'_>) -> Attack {
    let person = stage.victim(ordinary);
    let (first, _) = stage.server();
    let count = stage.rng.between(2, 7);
    let hosts = targets(stage, count, &[first]);
    let start = if stage.rng.chance(60) {
        at(stage.workday(), 1, 0) + stage.rng.below(3 * HOUR)
    } else {
        let day = stage.workday();
        stage.hours_of(&person, day)
    };
    let key = Proof::Key(fingerprint(person.name));
    let (mut now, mut from) = (start, address(first));
    let chain = stage.rng.chance(50);
    for host in &hosts {
        let who = (person.name, person.uid);
        let minutes = stage.rng.between(2, 9);
        now = stage.session(host, who, from, &key, now, minutes);
        now += stage.rng.between(20, 400) * SECOND;
        if chain {
            from = address(host);
        }
    }
    let ips = hosts.iter().map(|host| address(host));
    let about = hosts.iter().copied().chain(ips);
    let about = about.chain([person.name, first, address(first)]);
    stage.attack(about.collect::<Vec<_>>(), start..now, start)
}

/// Somebody looks into many machines where he or she has no work.
pub(super) fn insider_breadth(stage: &mut Stage<'_>) -> Attack {
    let person = stage.victim(ordinary);
    let count = stage.rng.between(6, 15);
    let hosts = targets(stage, count, &person.hosts);
    let day = stage.workday();
    let start = stage.hours_of(&person, day);
    let pause = stage.rng.between(1, 20) * MINUTE;
    let mut now = start;
    for host in hosts {
        let who = (person.name, person.uid);
        now = stage.session(host, who, &person.desk, &person.proof, now, 3);
        now += pause + stage.rng.below(pause);
    }
    stage.attack([person.name, person.desk.as_str()], start..now, start)
}

/// Somebody who never used sudo does, at the first try or after some.
pub(super) fn first_sudo(stage: &mut Stage<'_>) -> Attack {
    let person = stage.victim(ordinary);
    let host = *stage.rng.pick(&person.hosts);
    let day = stage.workday();
    let start = stage.hours_of(&person, day);
    let who = (person.name, person.uid);
    let end = stage.session(host, who, &person.desk, &person.proof, start, 40);
    let refusals = if stage.rng.chance(50) {
        stage.rng.between(2, 6)
    } else {
        0
    };
    let mut now = start + stage.rng.between(1, 6) * MINUTE;
    let begun = now;
    let operator = Operator {
        user: person.name,
        uid: person.uid,
        pts: 3,
    };
    for number in 0..refusals {
        let reason = match number % 2 {
            0 => "3 incorrect password attempts",
            _ => "user NOT in sudoers",
        };
        let machine = stage.site.machine(host);
        machine.sudo_refused(now, operator, reason, "/usr/bin/bash");
        now += stage.rng.between(20, 150) * SECOND;
    }
    for command in ["/usr/bin/cat /etc/shadow", "/usr/bin/find /srv -name *.key"] {
        let machine = stage.site.machine(host);
        machine.sudo(&mut stage.rng, now, operator, command);
        now += stage.rng.between(20, 150) * SECOND;
    }
    stage.attack([person.name, host], begun..now.max(end), begun)
}

/// An account is made at night, used, and given what it needs.
pub(super) fn new_account(stage: &mut Stage<'_>) -> Attack {
    let (host, ip) = stage.server();
    let names = [
        "sysupd",
        "backupd",
        "dbadm",
        "helpdesk2",
        "svc-sync2",
        "ftpadm",
    ];
    let at_row = usize::try_from(stage.place).unwrap() % names.len();
    let name = *names.get(at_row).unwrap();
    let start = at(stage.workday(), 0, 30) + stage.rng.below(4 * HOUR);
    stage.site.machine(host).useradd(start, name, 1_900);
    let used = start + stage.rng.between(2, 300) * MINUTE;
    let from = address("gate01");
    let end = stage.session(host, (name, 1_900), from, &Proof::Password, used, 25);
    let operator = Operator {
        user: name,
        uid: 1_900,
        pts: 0,
    };
    let machine = stage.site.machine(host);
    let now = used + 4 * MINUTE;
    machine.sudo(&mut stage.rng, now, operator, "/usr/bin/bash");
    stage.attack([name, host, ip], start..end, used)
}

/// The account of a program, used by hand from a desk or the branch.
pub(super) fn service_account(stage: &mut Stage<'_>) -> Attack {
    let person = stage.victim(ordinary);
    let (name, uid) = if stage.rng.chance(50) {
        DEPLOYER
    } else {
        ("nagios", 112)
    };
    let from = if stage.rng.chance(70) {
        person.desk.as_str()
    } else {
        BRANCH
    };
    let count = stage.rng.between(1, 4);
    let hosts = targets(stage, count, &[]);
    let start: At = stage.moment(4);
    let mut now = start;
    for host in &hosts {
        let length = stage.rng.between(STAYS.0, STAYS.1);
        let begun = now;
        now = stage.session(host, (name, uid), from, &Proof::Password, now, length);
        if stage.rng.chance(50) {
            let operator = Operator {
                user: name,
                uid,
                pts: 1,
            };
            let machine = stage.site.machine(host);
            let later = begun + 2 * MINUTE;
            machine.sudo(&mut stage.rng, later, operator, "/usr/bin/bash");
        }
        now += stage.rng.below(HOUR / 4);
    }
    debug_assert!(now < start + DAY, "a few sessions of less than an hour");
    let about = hosts.iter().copied().chain([name, from]);
    stage.attack(about.collect::<Vec<_>>(), start..now, start)
}
