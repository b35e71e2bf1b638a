//! People at work: log-ins, slips of the finger, sudo.

use std::ops::Range;

use super::commands::Operator;
use super::people::{Person, Team, Workday};
use super::rng::Rng;
use super::site::Site;
use super::ssh::{Caller, Leave, Proof};
use super::stamp::{At, DAY, HOUR, MINUTE, SECOND, Style, at};

/// What administrators run, the everyday things first.
const CHORES: &[&str] = &[
    "/usr/bin/systemctl status rsyslog",
    "/usr/bin/journalctl -u ssh -n 100",
    "/usr/bin/apt-get update",
    "/usr/bin/apt-get -y upgrade",
    "/usr/bin/systemctl restart nginx",
    "/usr/bin/less /var/log/syslog",
    "/usr/bin/df -h",
    "/usr/sbin/lvs",
    "/usr/bin/tail -n 200 /var/log/mail.log",
    "/usr/bin/systemctl reload postfix",
];

/// One log-in.
pub(crate) struct Stay<'a> {
    /// On which machine.
    pub(crate) host: &'a str,
    /// From which address.
    pub(crate) from: &'a str,
    /// From when to when.
    pub(crate) span: Range<At>,
    /// How many passwords were mistyped first.
    pub(crate) slips: i64,
    /// How many commands are run with sudo.
    pub(crate) sudos: i64,
}

/// Plays these people over these days.
pub(crate) fn live(site: &mut Site, people: &[Person], days: &Range<i64>) {
    for person in people {
        let mut rng = Rng::of(site.world, &format!("work of {}", person.name));
        for workday in person.calendar(site.world, days) {
            work(site, &mut rng, person, &workday);
        }
    }
}

/// One day's log-ins.
fn work(site: &mut Site, rng: &mut Rng, person: &Person, workday: &Workday) {
    let mut now = workday.span.start;
    let (few, many) = match person.team {
        _ if person.brisk => (6, 9),
        Team::Admins => (2, 5),
        _ => (1, 3),
    };
    let (stays, rests) = if person.brisk {
        (5..36, 10..60)
    } else {
        (12..151, 5..111)
    };
    for _ in 0..rng.between(few, many) {
        let length = rng.between(stays.start, stays.end - 1) * MINUTE + rng.below(MINUTE);
        let host = *rng.pick(&person.hosts);
        visit(site, rng, person, host, workday.home, now..now + length);
        now += length + rng.between(rests.start, rests.end - 1) * MINUTE + rng.below(MINUTE);
        if now > workday.span.end {
            break;
        }
    }
    if person.evenings && rng.chance(60) {
        let now = at(workday.day, 0, 0) + rng.around(19 * 60, 50) * MINUTE + rng.below(MINUTE);
        let length = rng.between(10, 45) * MINUTE + rng.below(MINUTE);
        let host = *rng.pick(&person.hosts);
        visit(site, rng, person, host, true, now..now + length);
    }
}

/// A log-in from the desk, or from home through the bastion.
fn visit(site: &mut Site, rng: &mut Rng, person: &Person, host: &str, home: bool, span: Range<At>) {
    let slips = if person.proof == Proof::Password && rng.chance(5) {
        rng.between(1, 2)
    } else {
        0
    };
    let sudos = if person.team == Team::Admins {
        rng.between(0, 4)
    } else {
        0
    };
    let known = site.machines.iter().any(|machine| machine.name == host);
    let host = if known {
        host
    } else {
        site.machines.first().unwrap().name
    };
    let bastion = site.bastion.filter(|_| home);
    let home_address = person.home_on(span.start / DAY);
    let Some(bastion) = bastion else {
        let from = if home { &home_address } else { &person.desk };
        return stay(
            site,
            rng,
            person,
            &Stay {
                host,
                from,
                span,
                slips,
                sudos,
            },
        );
    };
    stay(
        site,
        rng,
        person,
        &Stay {
            host: bastion,
            from: &home_address,
            span: span.clone(),
            slips,
            sudos: 0,
        },
    );
    if host != bastion {
        let inner =
            span.start + rng.between(15, 50) * SECOND..span.end - rng.between(2, 9) * SECOND;
        let from = site.machine(bastion).ip;
        stay(
            site,
            rng,
            person,
            &Stay {
                host,
                from,
                span: inner,
                slips: 0,
                sudos,
            },
        );
    }
}

/// A log-in, what is done in it, and its end.
pub(crate) fn stay(site: &mut Site, rng: &mut Rng, person: &Person, stay: &Stay<'_>) {
    let machine = site.machine(stay.host);
    let caller = Caller {
        user: person.name,
        uid: Some(person.uid),
        ip: stay.from,
        port: rng.port(),
    };
    let session = machine.enter(rng, stay.span.start, &caller, &person.proof, stay.slips);
    let operator = Operator {
        user: person.name,
        uid: person.uid,
        pts: rng.below(4),
    };
    let mut now = stay.span.start + rng.between(20, 90) * SECOND;
    if machine.style == Style::Old && stay.sudos > 0 {
        // The old machines never got sudo rules.
        let until = now + stay.sudos * 2 * MINUTE;
        machine.su(now, until, operator);
        now = until + SECOND;
    } else {
        for _ in 0..stay.sudos {
            machine.sudo(rng, now, operator, chore(now));
            now += rng.between(25, 160) * SECOND;
        }
    }
    let end = stay.span.end.max(now) + rng.below(SECOND);
    machine.leave(end, session);
}

/// Chores go by the time, so that a session's are not all alike.
fn chore(now: At) -> &'static str {
    let count = At::try_from(CHORES.len()).unwrap();
    let at = (now / SECOND).rem_euclid(count * count) / count;
    CHORES.get(usize::try_from(at).unwrap()).unwrap()
}

/// Each administrator looks after every machine in the first week.
pub(crate) fn rounds(site: &mut Site, people: &[Person]) {
    for person in people.iter().filter(|person| person.team == Team::Admins) {
        let mut rng = Rng::of(site.world, &format!("rounds of {}", person.name));
        let mut now = at(1, 7, 0) + rng.below(2 * HOUR);
        for host in &person.hosts {
            let span = now..now + rng.between(4, 12) * MINUTE;
            now = span.end + rng.between(2, 30) * MINUTE;
            let visit = Stay {
                host,
                from: &person.desk,
                span,
                slips: 0,
                sudos: 1,
            };
            stay(site, &mut rng, person, &visit);
        }
    }
}

/// A password that expired: refused three times, changed at the desk, used again.
pub(crate) fn password_change(site: &mut Site, person: &Person, day: i64, host: &str) {
    let mut rng = Rng::of(site.world, &format!("password of {}", person.name));
    let now = at(day, 8, 10) + rng.below(30 * MINUTE);
    let caller = Caller {
        user: person.name,
        uid: Some(person.uid),
        ip: &person.desk,
        port: rng.port(),
    };
    let machine = site.machine(host);
    machine.guess(&mut rng, now, &caller, 3, Leave::Close);
    let later = now + rng.between(6, 15) * MINUTE;
    machine.passwd(later, person.name);
    let span = later + 2 * MINUTE..later + 50 * MINUTE;
    stay(
        site,
        &mut rng,
        person,
        &Stay {
            host,
            from: &person.desk,
            span,
            slips: 0,
            sudos: 0,
        },
    );
}

/// A small office behind one address: everybody there logs in from it, each
/// working day, through the bastion.
pub(crate) fn branch(site: &mut Site, people: &[Person], address: &str, days: &Range<i64>) {
    for person in people {
        let mut rng = Rng::of(site.world, &format!("branch work of {}", person.name));
        for workday in person.calendar(site.world, days) {
            let now = workday.span.start + 3 * HOUR + rng.below(HOUR);
            let span = now..now + rng.between(20, 80) * MINUTE;
            let host = site.bastion.unwrap_or("gate01");
            stay(
                site,
                &mut rng,
                person,
                &Stay {
                    host,
                    from: address,
                    span,
                    slips: 0,
                    sudos: 0,
                },
            );
        }
    }
}

/// Somebody who is elsewhere every few days, from the first week on: a new
/// address is the habit.
pub(crate) fn traveller(site: &mut Site, person: &Person, days: &Range<i64>) {
    let mut rng = Rng::of(site.world, &format!("travels of {}", person.name));
    let mut network = rng.between(1, 200);
    for day in days.clone() {
        if day % 2 == 0 {
            network = rng.between(1, 200);
        }
        let from = format!(
            "2001:db8:{:x}:{network:x}::{:x}",
            0x5000 + network,
            rng.between(2, 0xfff)
        );
        let now = at(day, 0, 0) + rng.around(9 * 60, 150) * MINUTE + rng.below(MINUTE);
        let host = site.bastion.unwrap_or("gate01");
        let span = now..(now + rng.between(10, 70) * MINUTE).min(at(day, 0, 0) + DAY);
        stay(
            site,
            &mut rng,
            person,
            &Stay {
                host,
                from: &from,
                span,
                slips: 0,
                sudos: 0,
            },
        );
    }
}

/// The machine in the meeting room: whoever meets there logs in from it, so
/// that it is new for somebody every few days and for the office never.
pub(crate) fn meeting_room(site: &mut Site, people: &[Person], address: &str, days: &Range<i64>) {
    let mut rng = Rng::of(site.world, "meeting room");
    for day in days.clone() {
        for _ in 0..3 {
            let person = rng.pick(people);
            let now = at(day, 0, 0) + rng.around(10 * 60, 120) * MINUTE + rng.below(MINUTE);
            let span = now..now + rng.between(8, 40) * MINUTE;
            let host = rng.pick(&person.hosts);
            if person
                .calendar(site.world, &(day..day + 1))
                .iter()
                .any(|today| !today.home)
            {
                let visit = Stay {
                    host,
                    from: address,
                    span,
                    slips: 0,
                    sudos: 0,
                };
                stay(site, &mut rng, person, &visit);
            }
        }
    }
}

/// These begin to work on a machine that others know well, from their desks.
pub(crate) fn project(site: &mut Site, people: &[Person], host: &str, days: &Range<i64>) {
    for person in people {
        let mut rng = Rng::of(site.world, &format!("project of {}", person.name));
        for workday in person.calendar(site.world, days) {
            let now = workday.span.start + rng.between(60, 300) * MINUTE + rng.below(MINUTE);
            let span = now..now + rng.between(10, 60) * MINUTE;
            let visit = Stay {
                host,
                from: &person.desk,
                span,
                slips: 0,
                sudos: 0,
            };
            if !workday.home {
                stay(site, &mut rng, person, &visit);
            }
        }
    }
}

/// Some days in a hotel: a network that nobody used before, by day and by key.
pub(crate) fn trip(site: &mut Site, person: &Person, hotel: &str, days: &Range<i64>) {
    let mut rng = Rng::of(site.world, &format!("trip of {}", person.name));
    for day in days.clone() {
        for hour in [7, 16] {
            let now = at(day, hour, 0) + rng.below(2 * HOUR);
            let host = site.bastion.unwrap_or("gate01");
            let span = now..now + rng.between(15, 50) * MINUTE;
            let visit = Stay {
                host,
                from: hotel,
                span,
                slips: 0,
                sudos: 0,
            };
            stay(site, &mut rng, person, &visit);
        }
    }
}
