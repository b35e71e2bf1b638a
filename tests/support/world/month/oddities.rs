//! What is odd and honest: whoever reports it has raised a false alarm.

use std::ops::Range;

use super::super::attack::{beacon, scan, upload};
use super::super::life::{Stay, password_change, project, stay, trip};
use super::super::people::{Person, Team};
use super::super::quiet::newcomer;
use super::super::rng::Rng;
use super::super::servers::expired_credential;
use super::super::site::Site;
use super::super::ssh::{Caller, Leave, Proof};
use super::super::stamp::{DAY, HOUR, MINUTE, SECOND, at, weekend};
use super::staff::{SERVERS, Staff};
use super::{Oddity, entities};

/// The machine that may look for open ports.
const SCANNER: &str = "10.20.1.51";

fn odd<'a>(
    what: &'static str,
    about: impl IntoIterator<Item = &'a str>,
    days: Range<i64>,
) -> Oddity {
    Oddity {
        what,
        entities: entities(about),
        span: at(days.start, 0, 0)..at(days.end, 0, 0),
    }
}

/// What must be known before people begin to work: who joins when.
pub(super) fn before(site: &mut Site, staff: &mut Staff, days: &Range<i64>) -> Vec<Oddity> {
    let mut oddities = Vec::new();
    let joining = staff.inside.iter_mut().filter(|p| p.uid % 40 == 15);
    for (number, person) in (0..).zip(joining) {
        let day = (7 * (number % 3) + 7).min(days.end - 1);
        newcomer(site, person, day);
        let about = [person.name, person.desk.as_str()];
        oddities.push(odd("joins", about, day - 3..day + 5));
    }
    oddities
}

/// Everything else.
pub(super) fn play(site: &mut Site, staff: &Staff, days: &Range<i64>) -> Vec<Oddity> {
    let mut oddities = Vec::new();
    let here: Vec<_> = staff
        .inside
        .iter()
        .filter(|p| p.joins == 0 && p.away.is_empty())
        .cloned()
        .collect();
    passwords(site, &here, days, &mut oddities);
    forgotten(site, &here, days, &mut oddities);
    journeys(site, &here, days, &mut oddities);
    uploads(site, &here, days, &mut oddities);
    maintenance(site, &here, days, &mut oddities);
    // A job whose password expires in the third week, and a support agent that
    // reports to its maker, who has no other customer here.
    let broken = days.end * 4 / 7..days.end;
    expired_credential(site, "files02", "10.20.1.23", &broken);
    let about = ["svc-report", "10.20.1.23", "files02"];
    oddities.push(odd("expired credential", about, broken));
    let span = at(days.start, 0, 0)..at(days.end, 0, 0);
    let (agent, maker) = ("10.20.1.80", "203.0.113.61");
    beacon(site, agent, maker, &span, 300 * SECOND, 2, 0);
    oddities.push(odd("lone agent", [agent, maker], days.clone()));
    oddities
}

/// The day on which every password expires, and those who forget theirs.
fn passwords(site: &mut Site, here: &[Person], days: &Range<i64>, oddities: &mut Vec<Oddity>) {
    let mut rng = Rng::of(site.world, "password day");
    let common = days.end * 4 / 7 + rng.below(4) + 1;
    for person in here.iter().filter(|p| p.proof == Proof::Password) {
        let day = match rng.below(10) {
            0 => rng.between(1, days.end - 1),
            1..=6 => common.min(days.end - 1),
            _ => continue,
        };
        // Nobody is at the desk to change one on a Sunday.
        let day = if weekend(day) { (day - 2).max(0) } else { day };
        let host = person.hosts.first().unwrap();
        password_change(site, person, day, host);
        let about = [person.name, person.desk.as_str()];
        oddities.push(odd("password change", about, day..day + 1));
    }
}

/// About one a day who does not remember and tries half a dozen times, or
/// gives up.
fn forgotten(site: &mut Site, here: &[Person], days: &Range<i64>, oddities: &mut Vec<Oddity>) {
    let mut rng = Rng::of(site.world, "forgotten passwords");
    for day in days.clone() {
        let person = rng.pick(here);
        let (at_home, gives_up) = (rng.chance(40), rng.chance(30));
        let start = at(day, 0, 0) + (person.begins + rng.below(400)) * MINUTE;
        let (host, from) = if at_home {
            ("gate01", person.home_on(start / DAY))
        } else {
            (*rng.pick(&person.hosts), person.desk.clone())
        };
        let mut now = start;
        for _ in 0..rng.between(2, 4) {
            let caller = Caller {
                user: person.name,
                uid: Some(person.uid),
                ip: &from,
                port: rng.port(),
            };
            let tries = rng.between(1, 3);
            let machine = site.machine(host);
            now = machine.guess(&mut rng, now, &caller, tries, Leave::Close);
            now += rng.between(5, 90) * SECOND;
        }
        if !gives_up {
            let visit = Stay {
                host,
                from: &from,
                span: now..now + rng.between(5, 50) * MINUTE,
                slips: 0,
                sudos: 0,
            };
            stay(site, &mut rng, person, &visit);
        }
        let about = [person.name, from.as_str()];
        oddities.push(odd("forgotten password", about, day..day + 1));
    }
}

/// Trips and projects.
fn journeys(site: &mut Site, here: &[Person], days: &Range<i64>, oddities: &mut Vec<Oddity>) {
    let mut rng = Rng::of(site.world, "journeys");
    for (number, person) in (0..8).zip(here.iter().skip(3).step_by(11)) {
        let day = rng.between(days.end / 3, (days.end - 3).max(1));
        let hotel = format!("198.18.{}.{}", 16 + number, rng.between(2, 250));
        trip(site, person, &hotel, &(day..(day + 3).min(days.end)));
        oddities.push(odd("trip", [person.name, hotel.as_str()], day..day + 3));
    }
    for (host, skip) in [("lab03", 5), ("hr01", 9)] {
        let team: Vec<_> = here
            .iter()
            .skip(skip)
            .step_by(17)
            .take(5)
            .cloned()
            .collect();
        let first = rng.between(days.end / 2, days.end - 1);
        project(site, &team, host, &(first..days.end));
        for person in &team {
            let about = [person.name, person.desk.as_str()];
            oddities.push(odd("project", about, first..days.end));
        }
    }
}

/// Films, data for customers: gigabytes, to where everybody sends and to where
/// nobody did.
fn uploads(site: &mut Site, here: &[Person], days: &Range<i64>, oddities: &mut Vec<Oddity>) {
    let mut rng = Rng::of(site.world, "big uploads");
    for number in 0..days.end / 3 {
        let person = rng.pick(here);
        let workdays = person.calendar(site.world, days);
        let Some(today) = workdays.iter().filter(|day| !day.home).nth(
            usize::try_from(rng.below(i64::try_from(workdays.len()).unwrap_or(1).max(1))).unwrap(),
        ) else {
            continue;
        };
        let to = match number % 2 {
            0 => String::from("203.0.113.20"),
            _ => format!("203.0.113.{}", rng.between(60, 120)),
        };
        let start = today.span.start + rng.below(5 * HOUR);
        let (megabytes, pieces) = (rng.between(500, 7_000), rng.between(2, 9));
        upload(site, &person.desk, &to, start, megabytes, pieces);
        let about = [person.desk.as_str(), to.as_str()];
        oddities.push(odd("big upload", about, today.day..today.day + 2));
    }
}

/// A Saturday on which an administrator sees to every machine, and Sunday's
/// authorised scan.
fn maintenance(site: &mut Site, here: &[Person], days: &Range<i64>, oddities: &mut Vec<Oddity>) {
    let mut rng = Rng::of(site.world, "maintenance");
    let targets: Vec<_> = SERVERS
        .iter()
        .flat_map(|(_, ip)| (20..32).map(|port| ((*ip).to_owned(), port)))
        .collect();
    for sunday in days.clone().filter(|day| day % 7 == 6) {
        scan(site, SCANNER, &targets, at(sunday, 3, 0), SECOND / 4);
        oddities.push(odd("authorised scan", [SCANNER], sunday..sunday + 1));
    }
    let Some(admin) = here.iter().find(|p| p.team == Team::Admins) else {
        return;
    };
    let saturday = days.end * 5 / 7 / 7 * 7 + 5;
    let mut now = at(saturday, 8, 0) + rng.below(HOUR);
    for (host, _) in SERVERS {
        let span = now..now + rng.between(4, 14) * MINUTE;
        now = span.end + rng.between(1, 9) * MINUTE;
        let visit = Stay {
            host,
            from: &admin.desk,
            span,
            slips: 0,
            sudos: 3,
        };
        stay(site, &mut rng, admin, &visit);
    }
    debug_assert!(now < at(saturday, 0, 0) + DAY, "one day is enough");
    let about = [admin.name, admin.desk.as_str()];
    oddities.push(odd("maintenance", about, saturday..saturday + 1));
}
