//! The unevenness of ordinary life: nothing of it is worth a word, and all of
//! it is new to somebody. A phone's network, another's machine, a late night, a
//! film for the cloud, a printer that is off, a host that starts anew.

use std::ops::Range;

use super::super::conn::{Flow, State};
use super::super::life::{Stay, stay};
use super::super::people::{Person, Team};
use super::super::rng::Rng;
use super::super::site::Site;
use super::super::stamp::{DAY, HOUR, MINUTE, SECOND, at, weekend};
use super::staff::{SERVERS, Staff};

/// All of it but the restarts.
pub(super) fn play(site: &mut Site, staff: &Staff, days: &Range<i64>) {
    let mut rng = Rng::of(site.world, "unevenness");
    for day in days.clone() {
        let rest = if weekend(day) { 4 } else { 1 };
        for _ in 0..=rng.between(1, 4) / rest {
            phone(site, staff, &mut rng, day);
        }
        for _ in 0..rng.between(1, 4) / rest {
            elsewhere(site, staff, &mut rng, day);
        }
        if rng.chance(60) {
            late(site, staff, &mut rng, day);
        }
        for _ in 0..rng.between(15, 60) / rest {
            send(site, staff, &mut rng, day);
        }
    }
    builders(site, staff, &mut rng, days);
    printer(site, staff, &mut rng, days);
}

fn somebody(staff: &Staff, rng: &mut Rng, day: i64) -> Person {
    let here: Vec<_> = staff
        .inside
        .iter()
        .filter(|p| p.joins <= day && !p.away.contains(&day))
        .collect();
    (*rng.pick(&here)).clone()
}

fn drop_in(site: &mut Site, rng: &mut Rng, person: &Person, host: &str, from: &str, start: i64) {
    let visit = Stay {
        host,
        from,
        span: start..start + rng.between(3, 45) * MINUTE,
        slips: i64::from(rng.chance(10)),
        sudos: 0,
    };
    stay(site, rng, person, &visit);
}

/// From a phone's network, where every day is another address.
fn phone(site: &mut Site, staff: &Staff, rng: &mut Rng, day: i64) {
    let person = somebody(staff, rng, day);
    let from = format!("198.18.{}.{}", rng.between(24, 27), rng.between(2, 250));
    let start = at(day, 0, 0) + rng.around(13 * 60, 400) * MINUTE + rng.below(MINUTE);
    drop_in(site, rng, &person, "gate01", &from, start);
}

/// On a machine that is not one's own, from the desk.
fn elsewhere(site: &mut Site, staff: &Staff, rng: &mut Rng, day: i64) {
    let person = somebody(staff, rng, day);
    let (host, _) = *rng.pick(SERVERS);
    let start = at(day, 0, 0) + (person.begins + rng.below(400)) * MINUTE;
    drop_in(site, rng, &person, host, &person.desk, start);
}

/// From home, at an hour when people sleep.
fn late(site: &mut Site, staff: &Staff, rng: &mut Rng, day: i64) {
    let person = somebody(staff, rng, day);
    let start = at(day, 0, 0) + rng.between(-90, 300) * MINUTE + rng.below(MINUTE);
    let home = person.home_on(start / DAY);
    drop_in(site, rng, &person, "gate01", &home, start.max(at(0, 0, 5)));
}

/// Anything from a document to a film, mostly to where all send, of any size
/// between a megabyte and two gigabytes, the small ones far more often.
fn send(site: &mut Site, staff: &Staff, rng: &mut Rng, day: i64) {
    let person = somebody(staff, rng, day);
    let doublings = rng.below(8) + rng.below(5) * i64::from(rng.chance(35));
    let sent = (1_000_000 << doublings) + rng.below(1_000_000 << doublings);
    let place = match rng.below(10) {
        0 => rng.between(60, 120),
        1 | 2 => rng.between(21, 45),
        _ => 20,
    };
    let start = at(day, 0, 0) + (person.begins + rng.below(500)) * MINUTE + rng.below(MINUTE);
    site.zeek.saw(Flow {
        at: start,
        from: (person.desk, rng.port()),
        to: (format!("203.0.113.{place}"), 443),
        service: "ssl",
        length: sent / 2 + SECOND,
        sent,
        got: sent / 500 + 2_000,
        state: State::Done,
    });
}

/// Builders are root on the lab's machines, some days.
fn builders(site: &mut Site, staff: &Staff, rng: &mut Rng, days: &Range<i64>) {
    for person in staff.inside.iter().filter(|p| p.team == Team::Builders) {
        for today in person.calendar(site.world, days) {
            if today.home || !rng.chance(35) {
                continue;
            }
            let start = today.span.start + rng.below(5 * HOUR);
            let host = *rng.pick(&["lab01", "lab02", "lab03"]);
            let visit = Stay {
                host,
                from: &person.desk,
                span: start..start + rng.between(10, 80) * MINUTE,
                slips: 0,
                sudos: rng.between(1, 5),
            };
            stay(site, rng, person, &visit);
        }
    }
}

/// Some desks look for a printer that is off, and a share that has moved.
fn printer(site: &mut Site, staff: &Staff, rng: &mut Rng, days: &Range<i64>) {
    for person in staff.inside.iter().step_by(9) {
        for today in person.calendar(site.world, days) {
            let mut now = today.span.start + rng.below(HOUR);
            while now < today.span.end && !today.home {
                let (last, port) = *rng.pick(&[(81, 9_100), (82, 631), (33, 445)]);
                site.zeek.saw(Flow {
                    at: now,
                    from: (person.desk.clone(), rng.port()),
                    to: (format!("10.20.1.{last}"), port),
                    service: "-",
                    length: SECOND,
                    sent: 0,
                    got: 0,
                    state: State::Silence,
                });
                now += rng.between(2, 25) * MINUTE;
            }
        }
    }
}

/// Each host starts anew now and then: it is silent for some minutes, rarely
/// for an hour.
pub(super) fn restarts(site: &mut Site, days: &Range<i64>) {
    let mut rng = Rng::of(site.world, "restarts");
    for machine in &mut site.machines {
        for _ in 0..rng.between(0, 2) {
            let start = at(rng.below(days.end), 2, 0) + rng.below(3 * HOUR);
            let minutes = if rng.chance(20) {
                60
            } else {
                rng.between(3, 15)
            };
            machine.log.lose(&(start..start + minutes * MINUTE));
        }
    }
}
