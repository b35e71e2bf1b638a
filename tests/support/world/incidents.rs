//! Scenarios of a day or two: attacks that need no history to be seen.

use super::Sample;
use super::attack::{brute_force, scan, spray};
use super::commands::Operator;
use super::life::{Stay, live, stay};
use super::people::{Person, everybody, some};
use super::rng::Rng;
use super::servers::{cron, monitoring};
use super::site::{Machine, Site};
use super::ssh::{Caller, Leave, Proof};
use super::stamp::{DAY, HOUR, MINUTE, SECOND, at};
use super::traffic::browse;

/// Those whose ordinary days stand around an incident.
const CREW: &[&str] = &[
    "a.bakker",
    "j.okonkwo",
    "n.okafor",
    "k.jansen",
    "e.weber",
    "f.costa",
    "j.meyer",
    "w.chen",
];

/// Two ordinary days, Monday and Tuesday, of one machine.
fn two_days(world: &'static str, machine: Machine) -> (Site, Vec<Person>) {
    let name = machine.name;
    let mut site = Site::new(world, vec![machine]);
    let people = some(world, CREW);
    let days = 0..2;
    live(&mut site, &people, &days);
    cron(&mut site, name, ("root", 0), HOUR, &days);
    monitoring(&mut site, &[name], HOUR, &days);
    (site, people)
}

/// One address hammers root and a few worn names for a quarter of an hour.
pub(crate) fn ssh_brute_force() -> Vec<Sample> {
    let (mut site, _) = two_days(
        "ssh-brute-force",
        Machine::new("gate01", "10.20.0.10").old(),
    );
    let names = [
        ("root", Some(0)),
        ("root", Some(0)),
        ("admin", None),
        ("oracle", None),
    ];
    brute_force(
        &mut site,
        "gate01",
        "203.0.113.9",
        &names,
        at(1, 14, 10),
        70,
    );
    site.single("scenarios/ssh-brute-force", at(2, 0, 0))
}

/// One address guesses one account's password for twenty minutes and finds it.
pub(crate) fn ssh_guess_then_success() -> Vec<Sample> {
    let world = "ssh-guess-then-success";
    let (mut site, people) = two_days(world, Machine::new("gate01", "10.20.0.10"));
    let victim = people
        .iter()
        .find(|person| person.name == "j.meyer")
        .unwrap();
    let names = [("j.meyer", Some(victim.uid))];
    let end = brute_force(
        &mut site,
        "gate01",
        "203.0.113.23",
        &names,
        at(1, 21, 4),
        14,
    );
    let mut rng = Rng::of(world, "the right one");
    let now = end + 3 * SECOND;
    let caller = Caller {
        user: "j.meyer",
        uid: Some(victim.uid),
        ip: "203.0.113.23",
        port: rng.port(),
    };
    let machine = site.machine("gate01");
    let session = machine.enter(&mut rng, now, &caller, &Proof::Password, 1);
    machine.leave(now + 16 * MINUTE, session);
    site.single("scenarios/ssh-guess-then-success", at(2, 0, 0))
}

/// A hundred and twenty addresses, two or three tries each, on real accounts.
pub(crate) fn ssh_password_spraying() -> Vec<Sample> {
    let world = "ssh-password-spraying";
    let (mut site, _) = two_days(world, Machine::new("gate01", "10.20.0.10"));
    let sources: Vec<String> = (0..120)
        .map(|i| match i % 4 {
            0 => format!("2001:db8:{:x}::{:x}", 0x9000 + i * 7, i + 1),
            _ => format!("198.51.100.{}", 5 + i * 2),
        })
        .collect();
    let names: Vec<_> = everybody(world).iter().map(|p| (p.name, p.uid)).collect();
    spray(
        &mut site,
        "gate01",
        &sources,
        &names,
        &(at(1, 11, 0)..at(1, 14, 0)),
        2..4,
    );
    site.single("scenarios/ssh-password-spraying", at(2, 0, 0))
}

/// One address, forty accounts, one or two tries each.
pub(crate) fn ssh_spraying_one_source() -> Vec<Sample> {
    let world = "ssh-spraying-one-source";
    let (mut site, _) = two_days(world, Machine::new("gate01", "10.20.0.10"));
    let mut rng = Rng::of(world, "the list");
    let mut now = at(1, 22, 15);
    for person in everybody(world).iter().take(40) {
        let caller = Caller {
            user: person.name,
            uid: Some(person.uid),
            ip: "203.0.113.61",
            port: rng.port(),
        };
        let tries = rng.between(1, 2);
        let end = site
            .machine("gate01")
            .guess(&mut rng, now, &caller, tries, Leave::Close);
        now = end + rng.between(15, 55) * SECOND;
    }
    site.single("scenarios/ssh-spraying-one-source", at(2, 0, 0))
}

/// One account that may not use sudo, and one that may not use it for that.
pub(crate) fn sudo_not_allowed() -> Vec<Sample> {
    let world = "sudo-not-allowed";
    let (mut site, people) = two_days(world, Machine::new("reg01", "10.20.1.20"));
    let mut rng = Rng::of(world, "the curious one");
    let person = people
        .iter()
        .find(|person| person.name == "f.costa")
        .unwrap();
    let start = at(1, 15, 41);
    let visit = Stay {
        host: "reg01",
        from: &person.desk,
        span: start..start + 20 * MINUTE,
        slips: 0,
        sudos: 0,
    };
    stay(&mut site, &mut rng, person, &visit);
    let operator = Operator {
        user: person.name,
        uid: person.uid,
        pts: 2,
    };
    let machine = site.machine("reg01");
    let tries = [
        ("3 incorrect password attempts", "/usr/bin/bash"),
        ("user NOT in sudoers", "list"),
        ("user NOT in sudoers", "/usr/bin/bash"),
        ("user NOT in sudoers", "/usr/bin/cat /etc/shadow"),
    ];
    for (minute, (reason, command)) in (2..).zip(tries) {
        let now = start + 3 * minute * MINUTE + rng.below(MINUTE);
        machine.sudo_refused(now, operator, reason, command);
    }
    // This one may restart the register, and nothing else.
    let clerk = people
        .iter()
        .find(|person| person.name == "e.weber")
        .unwrap();
    let visit = Stay {
        host: "reg01",
        from: &clerk.desk,
        span: start..start + 45 * MINUTE,
        slips: 0,
        sudos: 0,
    };
    stay(&mut site, &mut rng, clerk, &visit);
    let operator = Operator {
        user: clerk.name,
        uid: clerk.uid,
        pts: 3,
    };
    let machine = site.machine("reg01");
    for minute in [31, 32, 36] {
        let now = start + minute * MINUTE + rng.below(MINUTE);
        let command = "/usr/bin/cp /srv/register/register.db /tmp";
        machine.sudo_refused(now, operator, "command not allowed", command);
    }
    site.single("scenarios/sudo-not-allowed", at(2, 0, 0))
}

/// A desk walks through the server network, then through one server's ports.
pub(crate) fn zeek_scan() -> Vec<Sample> {
    let world = "zeek-scan";
    let mut site = Site::new(world, Vec::new());
    browse(&mut site, &some(world, CREW), &(0..2), 40);
    let sweep: Vec<_> = (1..=254)
        .flat_map(|i| [22, 445].map(|port| (format!("10.20.1.{i}"), port)))
        .collect();
    scan(&mut site, "10.20.30.44", &sweep, at(1, 12, 20), SECOND / 4);
    let ports: Vec<_> = (1..=400)
        .map(|port| (String::from("10.20.1.20"), port))
        .collect();
    scan(&mut site, "10.20.30.44", &ports, at(1, 12, 31), SECOND / 5);
    let span = at(0, 0, 0)..at(0, 0, 0) + 2 * DAY;
    vec![Sample::new(
        "scenarios/zeek-scan/conn.log",
        span.end,
        site.zeek.render(&span),
    )]
}
