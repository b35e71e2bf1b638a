//! A month of an office in which nothing bad happens: what a holiday, a trip, a
//! branch, a backup and an expired password look like in its logs.

use std::fmt::Write as _;

use super::abroad::networks;
use super::life::{branch, live, meeting_room, project, rounds, trip};
use super::people::{Person, named};
use super::quiet::{forgetful, new_laptop, newcomer, staff};
use super::rng::Rng;
use super::servers::{backup, cron, expired_credential, monitoring, upkeep};
use super::site::{Machine, Site};
use super::stamp::{HOUR, MINUTE, at, date};
use super::traffic::{browse, keep_alives, mail};
use super::{Sample, life};

const DAYS: std::ops::Range<i64> = 0..28;

/// Wednesday 2025-09-17: a public holiday. On Thursday and Friday half of them
/// are off as well.
const HOLIDAY: i64 = 16;

/// Who flies where, and for how long: Paris by train, São Paulo over a weekend.
const TRIPS: &[(&str, &str, std::ops::Range<i64>)] = &[
    ("b.andersen", "198.51.100.20", 9..12),
    ("q.nguyen", "198.51.100.31", 22..25),
    ("i.popescu", "198.51.100.150", 21..26),
];

const FOLDER: &str = "quiet-month";

fn holidays(people: &mut [Person]) {
    for person in people {
        person.closed = vec![HOLIDAY];
        if person.uid % 2 == 0 {
            person.closed.extend([HOLIDAY + 1, HOLIDAY + 2]);
        }
    }
}

/// Who works here, as the office keeps it.
fn directory(people: &[&Person]) -> Sample {
    let mut text = String::from("user,uid,role,site,start_day\n");
    for person in people {
        let since = match person.joins {
            0 => String::from("2022-04-01"),
            day => date(at(day, 0, 0)),
        };
        writeln!(text, "{},{},staff,office,{since}", person.name, person.uid).unwrap();
    }
    for (name, uid) in [("svc-report", 998), ("nagios", 112)] {
        writeln!(text, "{name},{uid},service,office,2022-04-01").unwrap();
    }
    Sample::new(format!("{FOLDER}/directory.csv"), at(0, 0, 0), text.into())
}

/// What the machines do, with nobody at them.
fn machines(site: &mut Site) {
    cron(site, "app01", ("www-data", 33), 10 * MINUTE, &DAYS);
    for host in ["gate01", "reg01", "files01", "app01", "build01", "mail01"] {
        cron(site, host, ("root", 0), HOUR, &DAYS);
    }
    monitoring(site, &["app01"], HOUR, &DAYS);
    // Its password expires in the second week, and nobody notices.
    expired_credential(site, "files01", "10.20.1.21", &(11..28));
    let ips = ["10.20.1.20", "10.20.1.21", "10.20.1.30"];
    upkeep(site, &ips, &DAYS);
    let loads = [("10.20.1.21", 380), ("10.20.1.30", 5_200)];
    backup(site, &loads, "203.0.113.40", &DAYS);
    mail(site, "10.20.1.40", &DAYS, 30);
}

/// Thirty-four people, eight in a branch behind one address, six machines and a
/// sensor.
pub(crate) fn quiet_month() -> Vec<Sample> {
    let machines_there = vec![
        Machine::new("gate01", "10.20.0.10"),
        Machine::new("reg01", "10.20.1.20").verbose(),
        Machine::new("files01", "10.20.1.30").split_sshd(),
        Machine::new("app01", "10.20.1.21"),
        Machine::new("build01", "10.20.1.60"),
        Machine::new("mail01", "10.20.1.40"),
    ];
    let mut site = Site::new(FOLDER, machines_there);
    site.bastion = Some("gate01");
    let (mut inside, outside, _) = staff(site.world);
    let mut there = inside.split_off(34);
    there.truncate(4);
    there.extend(outside);
    holidays(&mut inside);
    holidays(&mut there);
    newcomer(&mut site, named(&mut inside, "v.novak"), 14);
    let forget = [("e.weber", 8), ("g.petrov", 15), ("h.larsen", 22)];
    forgetful(&mut site, &mut inside, &forget);
    let mut lucky = inside.remove(inside.iter().position(|p| p.name == "f.rossi").unwrap());
    new_laptop(&mut site, &mut lucky, 10);
    for (name, hotel, days) in TRIPS {
        let person = named(&mut inside, name);
        person.away = 0..0;
        // Two days before and after are for the way.
        person.closed.extend(days.start - 2..days.end + 2);
        trip(&mut site, person, hotel, days);
    }
    live(&mut site, &inside, &DAYS);
    rounds(&mut site, &inside);
    branch(&mut site, &there, "192.0.2.200", &DAYS);
    weekend(&mut site, &inside);
    meeting_room(&mut site, &inside, "10.20.30.5", &DAYS);
    let team = ["k.jansen", "g.amato"].map(|name| named(&mut inside, name).clone());
    project(&mut site, &team, "files01", &(17..28));
    machines(&mut site);
    browse(&mut site, &inside, &DAYS, 8);
    let messenger: Vec<_> = inside.iter().step_by(5).cloned().collect();
    keep_alives(&mut site, &messenger, &DAYS);
    site.show_visits();
    let mut samples = site.rotated(FOLDER, 4, "");
    samples.extend(site.conn_logs(&format!("{FOLDER}/zeek"), DAYS, 7));
    samples.push(networks(FOLDER, at(0, 0, 0)));
    let people: Vec<&Person> = inside.iter().chain(&there).chain([&lucky]).collect();
    samples.push(directory(&people));
    samples
}

/// Somebody finishes a report from home on a Saturday.
fn weekend(site: &mut Site, people: &[Person]) {
    let mut rng = Rng::of(site.world, "the report");
    let person = people.iter().find(|p| p.home_days.len() > 1).unwrap();
    let start = at(19, 10, 0) + rng.below(HOUR);
    let visit = life::Stay {
        host: "gate01",
        from: &person.home_on(19),
        span: start..start + 2 * HOUR,
        slips: 0,
        sudos: 0,
    };
    life::stay(site, &mut rng, person, &visit);
}
