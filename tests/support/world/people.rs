//! The people of the office and the shape of their days.

use std::ops::Range;

use super::rng::Rng;
use super::ssh::{Proof, fingerprint};
use super::stamp::{At, MINUTE, at, weekend};

/// What somebody does there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Team {
    /// Legal officers: the case register.
    Legal,
    /// The registry: case register and files.
    Registry,
    /// Interpreters and translators: files.
    Languages,
    /// Investigators: files, often from elsewhere.
    Field,
    /// Developers: the build machine.
    Builders,
    /// Administrators: everything, with sudo.
    Admins,
}

impl Team {
    /// The machines it works on.
    pub(crate) fn hosts(self) -> &'static [&'static str] {
        match self {
            Team::Legal => &["reg01"],
            Team::Registry => &["reg01", "reg01", "files01"],
            Team::Languages | Team::Field => &["files01"],
            Team::Builders => &["build01"],
            Team::Admins => &["reg01", "files01", "mail01", "build01", "gate01"],
        }
    }
}

/// Sixty people. Their order is their uid and their desk: add at the end only.
const NAMES: &[(&str, Team)] = &[
    ("a.bakker", Team::Admins),
    ("s.lindqvist", Team::Admins),
    ("p.moreau", Team::Admins),
    ("t.ibarra", Team::Admins),
    ("j.okonkwo", Team::Builders),
    ("d.farkas", Team::Builders),
    ("e.santos", Team::Builders),
    ("y.tanaka", Team::Builders),
    ("r.keller", Team::Builders),
    ("n.okafor", Team::Field),
    ("l.duarte", Team::Field),
    ("h.nassar", Team::Field),
    ("b.kowalski", Team::Field),
    ("c.mbeki", Team::Field),
    ("m.devries", Team::Legal),
    ("f.rossi", Team::Legal),
    ("k.jansen", Team::Legal),
    ("i.popescu", Team::Legal),
    ("g.amato", Team::Legal),
    ("o.haddad", Team::Legal),
    ("v.novak", Team::Legal),
    ("w.visser", Team::Legal),
    ("z.ahmed", Team::Legal),
    ("q.nguyen", Team::Legal),
    ("a.silva", Team::Legal),
    ("b.andersen", Team::Legal),
    ("c.dubois", Team::Legal),
    ("d.murphy", Team::Legal),
    ("e.weber", Team::Registry),
    ("f.costa", Team::Registry),
    ("g.petrov", Team::Registry),
    ("h.larsen", Team::Registry),
    ("i.romero", Team::Registry),
    ("j.meyer", Team::Registry),
    ("k.osei", Team::Registry),
    ("l.fontaine", Team::Registry),
    ("m.yilmaz", Team::Registry),
    ("n.brandt", Team::Registry),
    ("o.castillo", Team::Registry),
    ("p.vandenberg", Team::Registry),
    ("r.singh", Team::Registry),
    ("s.moretti", Team::Registry),
    ("t.nilsen", Team::Registry),
    ("u.fischer", Team::Registry),
    ("v.lemaire", Team::Languages),
    ("w.chen", Team::Languages),
    ("x.ferrari", Team::Languages),
    ("y.abdi", Team::Languages),
    ("z.horvat", Team::Languages),
    ("a.mensah", Team::Languages),
    ("b.laurent", Team::Languages),
    ("c.garcia", Team::Languages),
    ("d.suzuki", Team::Languages),
    ("e.kaya", Team::Languages),
    ("f.dijkstra", Team::Languages),
    ("g.bianchi", Team::Languages),
    ("h.olsen", Team::Languages),
    ("i.traore", Team::Languages),
    ("j.berg", Team::Languages),
    ("k.lopez", Team::Languages),
];

/// Somebody.
#[derive(Clone)]
pub(crate) struct Person {
    /// The account.
    pub(crate) name: &'static str,
    /// Its uid.
    pub(crate) uid: i64,
    /// What he or she does.
    pub(crate) team: Team,
    /// The machines that he or she works on.
    pub(crate) hosts: Vec<&'static str>,
    /// The address of the desk.
    pub(crate) desk: String,
    /// The address at home; of a home with IPv6, its /64.
    pub(crate) home: String,
    /// After how many days the provider hands out another address; 0 for never.
    pub(crate) moves: i64,
    /// How he or she logs in.
    pub(crate) proof: Proof,
    /// Minute of the day at which work begins (UTC).
    pub(crate) begins: i64,
    /// Days of the week spent working at home; 0 is Monday.
    pub(crate) home_days: Vec<i64>,
    /// Whether the evening often brings one more log-in from home.
    pub(crate) evenings: bool,
    /// Whether work means many short log-ins a day in place of a few long ones.
    pub(crate) brisk: bool,
    /// Days on holiday.
    pub(crate) away: Range<i64>,
    /// Single days without work: public holidays, days on the way.
    pub(crate) closed: Vec<i64>,
    /// First day of work here.
    pub(crate) joins: i64,
}

/// A day that somebody works.
pub(crate) struct Workday {
    /// Which day.
    pub(crate) day: i64,
    /// From when to when.
    pub(crate) span: Range<At>,
    /// Whether at home.
    pub(crate) home: bool,
}

/// Everybody, with the habits that the world gave them.
pub(crate) fn everybody(world: &str) -> Vec<Person> {
    (0..)
        .zip(NAMES)
        .map(|(i, (name, team))| person(world, i, name, *team))
        .collect()
}

/// Those of that name, in that order.
pub(crate) fn some(world: &str, names: &[&str]) -> Vec<Person> {
    let mut all = everybody(world);
    all.retain(|person| names.contains(&person.name));
    assert_eq!(all.len(), names.len(), "a name is not in the table");
    all
}

/// The person of that name.
pub(crate) fn named<'a>(people: &'a mut [Person], name: &str) -> &'a mut Person {
    people
        .iter_mut()
        .find(|person| person.name == name)
        .unwrap()
}

/// Those of these teams.
pub(crate) fn members(world: &str, teams: &[Team]) -> Vec<Person> {
    let mut all = everybody(world);
    all.retain(|person| teams.contains(&person.team));
    all
}

/// Somebody of that name, with the habits that the world gives.
pub(crate) fn person(world: &str, number: i64, name: &'static str, team: Team) -> Person {
    let mut rng = Rng::of(world, &format!("habits of {name}"));
    // Every fifth household has IPv6 only.
    let home = match number % 5 {
        0 => format!("2001:db8:{:x}:1", 0x1000 + number),
        _ => format!("192.0.2.{}", 10 + number),
    };
    let password = !matches!(team, Team::Admins | Team::Builders) && rng.chance(45);
    let away = if rng.chance(30) {
        let first = 7 * rng.between(1, 3);
        first..first + 5 + 2 * rng.below(2)
    } else {
        0..0
    };
    let first_home_day = rng.below(5);
    // Whoever is on call at weekends also works at home now and then.
    let home_days = match rng.below(3) {
        0 if team != Team::Admins => vec![],
        0 | 1 => vec![first_home_day],
        _ => vec![first_home_day, (first_home_day + 2) % 5],
    };
    Person {
        name,
        uid: 1_001 + number,
        team,
        hosts: team.hosts().to_vec(),
        desk: format!("10.20.30.{}", 10 + number),
        home,
        moves: 0,
        proof: if password {
            Proof::Password
        } else {
            Proof::Key(fingerprint(name))
        },
        begins: rng.around(7 * 60, 75),
        home_days,
        evenings: rng.chance(15),
        brisk: false,
        away,
        closed: Vec::new(),
        joins: 0,
    }
}

impl Person {
    /// The address at home on a day: IPv6 hosts choose a new one in their /64
    /// every day (RFC 8981).
    pub(crate) fn home_on(&self, day: i64) -> String {
        if !self.home.contains(':') {
            let Some((network, _)) = self.home.rsplit_once('.').filter(|_| self.moves > 0) else {
                return self.home.clone();
            };
            let number = (day + self.uid) / self.moves;
            let mut rng = Rng::of(&self.home, &format!("lease {number}"));
            return format!("{network}.{}", rng.between(2, 250));
        }
        let mut rng = Rng::of(&self.home, &format!("temporary address {day}"));
        let parts = [(); 4].map(|()| format!("{:x}", rng.between(1, 0xffff)));
        format!("{}:{}", self.home, parts.join(":"))
    }

    /// The days that he or she works.
    pub(crate) fn calendar(&self, world: &str, days: &Range<i64>) -> Vec<Workday> {
        let mut rng = Rng::of(world, &format!("calendar of {}", self.name));
        let mut calendar = Vec::new();
        // From day 0 whatever is asked for, so that parts of a month fit together.
        for day in 0..days.end {
            let begins = rng.around(self.begins, 35) * MINUTE + rng.below(MINUTE);
            let stays = rng.around(8 * 60 + 30, 70) * MINUTE;
            let ill = rng.chance(4) && day >= 7;
            let on_call = self.team == Team::Admins && rng.chance(12);
            let works = !weekend(day) && !ill || weekend(day) && on_call;
            let away = self.away.contains(&day) || self.closed.contains(&day);
            if !works || away || day < self.joins.max(days.start) {
                continue;
            }
            let start = at(day, 0, 0) + begins;
            calendar.push(Workday {
                day,
                span: start..start + stays,
                home: weekend(day) || self.home_days.contains(&(day % 7)),
            });
        }
        calendar
    }
}
