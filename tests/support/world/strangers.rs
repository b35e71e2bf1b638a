//! Scenarios of four weeks in which each login alone is allowed: an account
//! that was asleep, strangers who try once each, somebody who looks around.

use super::Sample;
use super::attack::spray;
use super::habits::four_weeks;
use super::life::{Stay, live, stay};
use super::people::{Team, members, named};
use super::rng::Rng;
use super::servers::cron;
use super::site::{Machine, Site};
use super::ssh::{Caller, Proof};
use super::stamp::{HOUR, MINUTE, at};

/// Three weeks, and the fourth up to Thursday.
const DAYS: std::ops::Range<i64> = 0..25;

/// Those of whom the gate sees enough.
const TEAMS: &[Team] = &[Team::Legal, Team::Registry, Team::Languages];

/// Somebody leaves after a week; sixteen days later the account, which nobody
/// closed, is used from elsewhere by password.
pub(crate) fn dormant_account() -> Vec<Sample> {
    let world = "dormant-account";
    let machine = Machine::new("gate01", "10.20.0.10");
    let mut people = members(world, TEAMS);
    let at_gone = people.iter().position(|p| p.name == "h.olsen").unwrap();
    let mut gone = people.remove(at_gone);
    let (mut site, _) = four_weeks(world, people, machine);
    gone.away = 0..0;
    gone.evenings = false;
    gone.home_days.truncate(1);
    live(&mut site, std::slice::from_ref(&gone), &(0..7));
    let mut rng = Rng::of(world, "who found the password");
    let start = at(22, 14, 5) + rng.below(MINUTE);
    let caller = Caller {
        user: "h.olsen",
        uid: Some(gone.uid),
        ip: "203.0.113.91",
        port: rng.port(),
    };
    let machine = site.machine("gate01");
    let session = machine.enter(&mut rng, start, &caller, &Proof::Password, 0);
    machine.leave(start + 21 * MINUTE, session);
    site.single("scenarios/dormant-account", at(25, 0, 0))
}

/// Seventy addresses try one existing account each, once, over a whole day.
pub(crate) fn ssh_slow_spraying() -> Vec<Sample> {
    let world = "ssh-slow-spraying";
    let machine = Machine::new("gate01", "10.20.0.10");
    let (mut site, people) = four_weeks(world, members(world, TEAMS), machine);
    let sources: Vec<String> = (0..70)
        .map(|i| format!("198.51.100.{}", 3 + i * 3))
        .collect();
    let names: Vec<_> = people.iter().map(|p| (p.name, p.uid)).collect();
    let day = at(22, 0, 20)..at(22, 23, 40);
    spray(&mut site, "gate01", &sources, &names, &day, 1..2);
    site.single("scenarios/ssh-slow-spraying", at(25, 0, 0))
}

/// A legal officer, who works on the register alone, walks through all the
/// other machines in an afternoon, from the own desk and by the own key.
pub(crate) fn host_hopping() -> Vec<Sample> {
    let world = "host-hopping";
    let machines = vec![
        Machine::new("gate01", "10.20.0.10"),
        Machine::new("reg01", "10.20.1.20"),
        Machine::new("files01", "10.20.1.30"),
        Machine::new("build01", "10.20.1.60"),
        Machine::new("mail01", "10.20.1.40"),
    ];
    let names: Vec<_> = machines.iter().map(|machine| machine.name).collect();
    let mut site = Site::new(world, machines);
    let teams = [Team::Admins, Team::Builders, Team::Legal, Team::Registry];
    let mut people = members(world, &teams);
    for person in &mut people {
        person.away = 0..0;
        person.evenings = false;
        person.home_days.clear();
    }
    live(&mut site, &people, &DAYS);
    for host in names {
        cron(&mut site, host, ("root", 0), 6 * HOUR, &DAYS);
    }
    let person = named(&mut people, "q.nguyen");
    let mut rng = Rng::of(world, "looking around");
    for (hour, host) in (13..).zip(["files01", "build01", "mail01", "gate01"]) {
        let start = at(22, hour, 0) + rng.between(5, 30) * MINUTE + rng.below(MINUTE);
        let visit = Stay {
            host,
            from: &person.desk,
            span: start..start + rng.between(4, 20) * MINUTE,
            slips: 0,
            sudos: 0,
        };
        stay(&mut site, &mut rng, person, &visit);
    }
    site.single("scenarios/host-hopping", at(25, 0, 0))
}
