//! Scenarios of four weeks: three of habit, and one act that is odd only
//! because of them.

use super::Sample;
use super::attack::upload;
use super::commands::Operator;
use super::life::{Stay, live, stay};
use super::people::{Person, Team, members, named};
use super::rng::Rng;
use super::servers::cron;
use super::site::{Machine, Site};
use super::ssh::{Caller, Proof, fingerprint};
use super::stamp::{HOUR, MINUTE, at};
use super::traffic::browse;

/// Three weeks, and the fourth up to Thursday.
const DAYS: std::ops::Range<i64> = 0..25;

/// These people on one machine, with nobody on holiday.
pub(crate) fn four_weeks(
    world: &'static str,
    people: Vec<Person>,
    machine: Machine,
) -> (Site, Vec<Person>) {
    let name = machine.name;
    let mut site = Site::new(world, vec![machine]);
    let mut people = people;
    for person in &mut people {
        person.away = 0..0;
        person.evenings = false;
        person.home_days.truncate(1);
        if person.name == "m.devries" {
            person.proof = Proof::Key(fingerprint(person.name));
            person.brisk = true;
        }
    }
    live(&mut site, &people, &DAYS);
    cron(&mut site, name, ("root", 0), 6 * HOUR, &DAYS);
    (site, people)
}

/// A valid account comes from a network that nobody ever used, at night, with a
/// password instead of its key; and again the next night.
pub(crate) fn valid_account_new_network() -> Vec<Sample> {
    let world = "valid-account-new-network";
    let (mut site, mut people) = four_weeks(
        world,
        members(world, &[Team::Legal, Team::Registry, Team::Languages]),
        Machine::new("gate01", "10.20.0.10"),
    );
    let uid = named(&mut people, "m.devries").uid;
    let mut rng = Rng::of(world, "the other m.devries");
    for (day, minute) in [(22, 40), (23, 52)] {
        let start = at(day, 2, minute) + rng.below(MINUTE);
        let caller = Caller {
            user: "m.devries",
            uid: Some(uid),
            ip: "203.0.113.177",
            port: rng.port(),
        };
        let machine = site.machine("gate01");
        let session = machine.enter(&mut rng, start, &caller, &Proof::Password, 0);
        machine.leave(start + rng.between(9, 30) * MINUTE, session);
    }
    site.single("scenarios/valid-account-new-network", at(25, 0, 0))
}

/// Two administrators use sudo each day; a legal officer, who never did, does.
pub(crate) fn first_sudo() -> Vec<Sample> {
    let world = "first-sudo";
    let (mut site, mut people) = four_weeks(
        world,
        members(world, &[Team::Admins, Team::Legal, Team::Registry]),
        Machine::new("reg01", "10.20.1.20"),
    );
    let person = named(&mut people, "m.devries");
    let mut rng = Rng::of(world, "the first sudo");
    let start = at(23, 13, 21);
    let visit = Stay {
        host: "reg01",
        from: &person.desk,
        span: start..start + 25 * MINUTE,
        slips: 0,
        sudos: 0,
    };
    stay(&mut site, &mut rng, person, &visit);
    let operator = Operator {
        user: person.name,
        uid: person.uid,
        pts: 1,
    };
    let machine = site.machine("reg01");
    machine.sudo(
        &mut rng,
        start + 4 * MINUTE,
        operator,
        "/usr/bin/find /srv/register -name *.pdf",
    );
    machine.sudo(
        &mut rng,
        start + 9 * MINUTE,
        operator,
        "/usr/bin/cp -r /srv/register/sealed /home/m.devries",
    );
    site.single("scenarios/first-sudo", at(25, 0, 0))
}

/// A desk that only browses sends 900 MB to an address nobody ever met.
pub(crate) fn first_bulk_upload() -> Vec<Sample> {
    let world = "first-bulk-upload";
    let mut site = Site::new(world, Vec::new());
    let mut people = members(world, &[Team::Legal]);
    for person in &mut people {
        person.away = 0..0;
    }
    browse(&mut site, &people, &DAYS, 16);
    upload(
        &mut site,
        &named(&mut people, "k.jansen").desk,
        "203.0.113.214",
        at(23, 22, 12),
        900,
        30,
    );
    let span = at(DAYS.start, 0, 0)..at(DAYS.end, 0, 0);
    vec![Sample::new(
        "scenarios/first-bulk-upload/conn.log.gz",
        span.end,
        site.zeek.render(&span),
    )]
}

/// The database server is reached from the administrators' jump host, always;
/// then from the web server, by an account that has its own way in.
pub(crate) fn lateral_ssh() -> Vec<Sample> {
    let world = "lateral-ssh";
    let machines = vec![
        Machine::new("app01", "10.20.1.21"),
        Machine::new("db01", "10.20.1.22"),
    ];
    let mut site = Site::new(world, machines);
    let mut people = members(world, &[Team::Admins, Team::Builders, Team::Registry]);
    for person in &people {
        let mut rng = Rng::of(world, &format!("rounds of {}", person.name));
        for workday in person.calendar(world, &DAYS) {
            for host in ["app01", "db01"] {
                let start = workday.span.start + rng.between(10, 400) * MINUTE + rng.below(MINUTE);
                let span = start..start + rng.between(5, 50) * MINUTE;
                let sudos = rng.between(0, 2);
                stay(
                    &mut site,
                    &mut rng,
                    person,
                    &Stay {
                        host,
                        from: "10.20.1.10",
                        span,
                        slips: 0,
                        sudos,
                    },
                );
            }
        }
    }
    for host in ["app01", "db01"] {
        cron(&mut site, host, ("root", 0), 6 * HOUR, &DAYS);
    }
    let mut rng = Rng::of(world, "the way in");
    let start = at(23, 4, 17);
    let visit = Stay {
        host: "db01",
        from: "10.20.1.21",
        span: start..start + 38 * MINUTE,
        slips: 0,
        sudos: 0,
    };
    stay(&mut site, &mut rng, named(&mut people, "p.moreau"), &visit);
    site.single("scenarios/lateral-ssh", at(25, 0, 0))
}
