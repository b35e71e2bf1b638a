//! Two months of ordinary life, with all the honest oddities that a detector
//! must leave alone.

use super::Sample;
use super::life::{branch, live, meeting_room, password_change, project, rounds, traveller};
use super::people::{Person, Team, everybody, named};
use super::rng::Rng;
use super::servers::{backup, cron, expired_credential, monitoring, upkeep};
use super::site::{Machine, Site};
use super::ssh::{Proof, fingerprint};
use super::stamp::{HOUR, MINUTE, at};
use super::traffic::{browse, keep_alives, mail};

const DAYS: std::ops::Range<i64> = 0..28;

/// Everybody of a world but the one who travels, and the five of the branch.
pub(crate) fn staff(world: &str) -> (Vec<Person>, Vec<Person>, Person) {
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    let mut traveller = None;
    for person in everybody(world) {
        match (person.team, person.uid % 4) {
            (Team::Field, _) if person.name == "n.okafor" => traveller = Some(person),
            (Team::Languages, 0) => outside.push(person),
            _ => inside.push(person),
        }
    }
    (inside, outside, traveller.unwrap())
}

/// These forget a password on these days: they have one, and are there.
pub(crate) fn forgetful(site: &mut Site, people: &mut [Person], cases: &[(&str, i64)]) {
    for (name, day) in cases {
        let person = named(people, name);
        person.proof = Proof::Password;
        person.away = 0..0;
        person.home_days.clear();
        password_change(site, person, *day, "reg01");
    }
}

/// Somebody who gets a new laptop, and with it a new key, on a day.
pub(crate) fn new_laptop(site: &mut Site, person: &mut Person, day: i64) {
    person.away = 0..0;
    person.proof = Proof::Key(fingerprint(person.name));
    live(site, std::slice::from_ref(person), &(0..day));
    person.proof = Proof::Key(fingerprint(&format!("{} new laptop", person.name)));
    live(site, std::slice::from_ref(person), &(day..28));
}

/// Somebody who starts on a day: an administrator makes the account.
pub(crate) fn newcomer(site: &mut Site, person: &mut Person, day: i64) {
    person.joins = day;
    person.away = 0..0;
    person.home_days.clear();
    person.evenings = false;
    let mut rng = Rng::of(site.world, &format!("account of {}", person.name));
    let now = at(day - 3, 9, 0) + rng.below(2 * HOUR);
    for host in &person.hosts {
        site.machine(host).useradd(now, person.name, person.uid);
    }
}

/// Forty people, holidays, a traveller, a branch behind one address, forgotten
/// passwords, a newcomer and a new laptop.
pub(crate) fn office() -> Vec<Sample> {
    let machines = vec![
        Machine::new("gate01", "10.20.0.10"),
        Machine::new("reg01", "10.20.1.20").verbose(),
        Machine::new("files01", "10.20.1.30"),
        Machine::new("build01", "10.20.1.60").split_sshd(),
        Machine::new("mail01", "10.20.1.40"),
    ];
    let mut site = Site::new("quiet-office", machines);
    site.bastion = Some("gate01");
    let (mut inside, outside, on_the_road) = staff(site.world);
    inside.truncate(40);
    newcomer(&mut site, named(&mut inside, "v.novak"), 14);
    forgetful(
        &mut site,
        &mut inside,
        &[("e.weber", 8), ("o.castillo", 15), ("h.larsen", 22)],
    );
    let mut lucky = inside.remove(inside.iter().position(|p| p.name == "f.rossi").unwrap());
    new_laptop(&mut site, &mut lucky, 10);
    live(&mut site, &inside, &DAYS);
    rounds(&mut site, &inside);
    branch(&mut site, &outside, "192.0.2.200", &DAYS);
    traveller(&mut site, &on_the_road, &DAYS);
    meeting_room(&mut site, &inside, "10.20.30.5", &DAYS);
    let team: Vec<_> = inside
        .iter()
        .filter(|p| p.name.starts_with(['g', 'k']) && p.team == Team::Legal)
        .cloned()
        .collect();
    project(&mut site, &team, "files01", &(15..28));
    for host in ["gate01", "reg01", "files01", "build01", "mail01"] {
        cron(&mut site, host, ("root", 0), HOUR, &DAYS);
    }
    browse(&mut site, &inside, &DAYS, 9);
    mail(&mut site, "10.20.1.40", &DAYS, 40);
    let messenger: Vec<_> = inside.iter().step_by(5).cloned().collect();
    keep_alives(&mut site, &messenger, &DAYS);
    site.show_visits();
    let mut samples = site.rotated("scenarios/quiet-office", 4, "build01");
    samples.extend(site.conn_logs("scenarios/quiet-office/zeek", DAYS, 7));
    samples
}

/// Four servers with nobody at them: cron each minute, monitoring, backups of
/// gigabytes, and a script that has tried an expired password for months.
pub(crate) fn servers() -> Vec<Sample> {
    let machines = vec![
        Machine::new("db01", "10.20.1.22").old(),
        Machine::new("app01", "10.20.1.21"),
        Machine::new("files01", "10.20.1.30"),
        Machine::new("backup01", "10.20.1.70").split_sshd(),
    ];
    let mut site = Site::new("quiet-servers", machines);
    cron(&mut site, "db01", ("postgres", 115), MINUTE, &DAYS);
    cron(&mut site, "app01", ("www-data", 33), 10 * MINUTE, &DAYS);
    for host in ["db01", "app01", "files01", "backup01"] {
        cron(&mut site, host, ("root", 0), HOUR, &DAYS);
    }
    monitoring(&mut site, &["app01", "files01"], 30 * MINUTE, &DAYS);
    expired_credential(&mut site, "files01", "10.20.1.21", &DAYS);
    let admins: Vec<_> = everybody(site.world).into_iter().take(3).collect();
    live(&mut site, &admins, &DAYS);
    let ips = ["10.20.1.21", "10.20.1.22", "10.20.1.30", "10.20.1.70"];
    upkeep(&mut site, &ips, &DAYS);
    let loads = [
        ("10.20.1.22", 2_400),
        ("10.20.1.21", 380),
        ("10.20.1.30", 5_200),
    ];
    backup(&mut site, &loads, "203.0.113.240", &DAYS);
    site.show_visits();
    let mut samples = site.rotated("scenarios/quiet-servers", 4, "");
    samples.extend(site.conn_logs("scenarios/quiet-servers/zeek", DAYS, 7));
    samples
}
