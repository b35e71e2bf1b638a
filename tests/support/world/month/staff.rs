//! Two hundred people at three sites, two dozen servers, and what these do.

use std::ops::Range;

use super::super::life::{branch, live, meeting_room, rounds, traveller};
use super::super::people::{Person, Team, person};
use super::super::rng::Rng;
use super::super::servers::{WATCHER, backup, cron, expired_credential, monitoring, upkeep};
use super::super::site::{Machine, Site};
use super::super::ssh::{Caller, Proof, fingerprint};
use super::super::stamp::{HOUR, MINUTE, SECOND, at};
use super::super::traffic::{browse, keep_alives, mail};

/// The servers; the first is the bastion.
pub(super) const SERVERS: &[(&str, &str)] = &[
    ("gate01", "10.20.0.10"),
    ("reg01", "10.20.1.20"),
    ("app01", "10.20.1.21"),
    ("db01", "10.20.1.22"),
    ("app02", "10.20.1.23"),
    ("app03", "10.20.1.24"),
    ("db02", "10.20.1.25"),
    ("db03", "10.20.1.26"),
    ("reg02", "10.20.1.27"),
    ("files01", "10.20.1.30"),
    ("files02", "10.20.1.31"),
    ("mail01", "10.20.1.40"),
    ("mail02", "10.20.1.41"),
    ("web01", "10.20.1.45"),
    ("web02", "10.20.1.46"),
    ("build01", "10.20.1.60"),
    ("build02", "10.20.1.61"),
    ("lab01", "10.20.1.62"),
    ("lab02", "10.20.1.63"),
    ("lab03", "10.20.1.64"),
    ("backup01", "10.20.1.70"),
    ("print01", "10.20.1.80"),
    ("hr01", "10.20.1.90"),
    ("files11", "10.21.1.30"),
];

/// The address of a server.
pub(super) fn address(host: &str) -> &'static str {
    let of = SERVERS.iter().find(|(name, _)| *name == host);
    of.map_or("10.20.0.10", |(_, ip)| ip)
}

/// The branch's only address.
pub(super) const BRANCH: &str = "192.0.2.240";

/// Machines that log in to others by themselves.
pub(super) const DEPLOYER: (&str, i64) = ("svc-deploy", 990);

const SURNAMES: &[&str] = &[
    "abel", "acar", "baptiste", "bergman", "calder", "cruz", "dahl", "diallo", "eriksen", "eze",
    "faber", "ferro", "gallo", "greco", "haas", "ivanov", "jovic", "kone", "kruger", "lund",
    "malik", "marin", "nagy", "ndiaye", "orlov", "otieno", "parent", "qadir", "rahman", "rivas",
    "sato", "schmid", "tamm", "torres", "ueda", "vidal", "wolff", "ximenes", "yang", "zamora",
];

/// The servers as they are: some old, some new, one that says more.
pub(super) fn machines() -> Vec<Machine> {
    let age = |(number, (name, ip)): (usize, &(&'static str, &'static str))| {
        let machine = Machine::new(name, ip);
        match number % 6 {
            2 => machine.old(),
            4 => machine.split_sshd(),
            5 if number == 5 => machine.verbose(),
            _ => machine,
        }
    };
    SERVERS.iter().enumerate().map(age).collect()
}

/// Everybody, by how they work.
pub(super) struct Staff {
    /// At the two sites with a network of their own.
    pub(super) inside: Vec<Person>,
    /// At the branch behind one address.
    pub(super) branch: Vec<Person>,
    /// Elsewhere every few days.
    pub(super) travellers: Vec<Person>,
    /// Gone after some days, their accounts still open.
    pub(super) dormant: Vec<Person>,
}

fn team(number: i64) -> Team {
    match number % 20 {
        0 => Team::Admins,
        1 | 2 => Team::Builders,
        3 | 4 => Team::Field,
        5..=11 => Team::Legal,
        12..=16 => Team::Registry,
        _ => Team::Languages,
    }
}

fn hosts(team: Team, rng: &mut Rng) -> Vec<&'static str> {
    let few = |rng: &mut Rng, from: &[&'static str], count: i64| {
        let mut hosts: Vec<_> = (0..count).map(|_| *rng.pick(from)).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    };
    match team {
        Team::Admins => SERVERS.iter().map(|(name, _)| *name).collect(),
        Team::Builders => few(
            rng,
            &[
                "build01", "build02", "lab01", "lab02", "lab03", "web01", "app01",
            ],
            4,
        ),
        Team::Legal => few(rng, &["reg01", "reg01", "reg02"], 2),
        Team::Registry => few(rng, &["reg01", "reg02", "files01", "files02", "hr01"], 3),
        Team::Languages | Team::Field => few(rng, &["files01", "files02", "files11"], 2),
    }
}

impl Staff {
    /// So many people.
    pub(super) fn hire(world: &str, count: i64, days: i64) -> Staff {
        let mut staff = Staff {
            inside: Vec::new(),
            branch: Vec::new(),
            travellers: Vec::new(),
            dormant: Vec::new(),
        };
        for number in 0..count {
            let mut rng = Rng::of(world, &format!("contract {number}"));
            let (group, place) = (number / 40, number % 40);
            let surname = SURNAMES.get(usize::try_from(place).unwrap()).unwrap();
            let letter = char::from(b'a' + u8::try_from((place * 7 + group * 5) % 26).unwrap());
            let name: &'static str = format!("{letter}.{surname}").leak();
            let mut person = person(world, number, name, team(number));
            person.hosts = hosts(person.team, &mut rng);
            person.brisk = rng.chance(8);
            person.desk = match number % 10 {
                7 | 8 => format!("10.21.30.{}", 10 + number),
                _ => format!("10.20.30.{}", 10 + number),
            };
            if !person.home.contains(':') {
                // Twelve providers at home.
                person.home = format!("198.18.{}.{}", rng.below(12), 10 + number);
                person.moves = *rng.pick(&[0, 0, 0, 5, 14]);
            }
            match number % 50 {
                23 => staff.travellers.push(person),
                31 | 37 => {
                    person.away = 4 + rng.below(3)..days.max(7);
                    staff.dormant.push(person);
                }
                _ if number % 10 == 9 => staff.branch.push(person),
                _ => staff.inside.push(person),
            }
        }
        staff
    }

    /// Their days, with one public holiday in the second week.
    pub(super) fn work(&self, site: &mut Site, days: &Range<i64>) {
        let holiday = 10.min(days.end);
        for part in [days.start..holiday, (holiday + 1).min(days.end)..days.end] {
            live(site, &self.inside, &part);
            branch(site, &self.branch, BRANCH, &part);
            browse(site, &self.inside, &part, 24);
        }
        live(site, &self.dormant, &(0..7.min(days.end)));
        rounds(site, &self.inside);
        for person in &self.travellers {
            traveller(site, person, days);
        }
        meeting_room(site, &self.inside, "10.20.30.5", days);
        let messenger: Vec<_> = self.inside.iter().step_by(3).cloned().collect();
        keep_alives(site, &messenger, days);
    }
}

/// What runs without people.
pub(super) fn machinery(site: &mut Site, staff: &Staff, days: &Range<i64>) {
    let names: Vec<_> = SERVERS.iter().map(|(name, _)| *name).collect();
    for host in &names {
        cron(site, host, ("root", 0), HOUR, days);
    }
    for host in ["reg01", "app01", "db02"] {
        cron(site, host, ("register", 120), 10 * MINUTE, days);
    }
    monitoring(site, &names, 30 * MINUTE, days);
    expired_credential(site, "files01", "10.20.1.21", days);
    deployments(site, days);
    let mut ips: Vec<_> = SERVERS.iter().map(|(_, ip)| *ip).collect();
    ips.push(WATCHER);
    ips.extend(staff.inside.iter().step_by(5).map(|p| p.desk.as_str()));
    upkeep(site, &ips, days);
    let loads = [
        ("10.20.1.22", 2_400),
        ("10.20.1.25", 900),
        ("10.20.1.30", 5_200),
        ("10.20.1.40", 700),
    ];
    backup(site, &loads, "203.0.113.240", days);
    mail(site, "10.20.1.40", days, 180);
}

/// An account of the build machine's that brings new versions to three others,
/// some times on working days and once a night.
fn deployments(site: &mut Site, days: &Range<i64>) {
    let mut rng = Rng::of(site.world, "deployments");
    let key = Proof::Key(fingerprint(DEPLOYER.0));
    for day in days.clone() {
        for run in 0..rng.between(1, 5) {
            let minute = if run == 0 { 130 } else { rng.around(720, 200) };
            let mut now = at(day, 0, minute) + rng.below(MINUTE);
            for host in ["app01", "app02", "app03"] {
                let caller = Caller {
                    user: DEPLOYER.0,
                    uid: Some(DEPLOYER.1),
                    ip: "10.20.1.60",
                    port: rng.port(),
                };
                let machine = site.machine(host);
                let session = machine.enter(&mut rng, now, &caller, &key, 0);
                now += rng.between(4, 40) * SECOND;
                machine.leave(now, session);
            }
        }
    }
}
