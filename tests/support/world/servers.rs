//! What servers do by themselves: cron, monitoring, backups.

use std::ops::Range;

use super::conn::{Flow, State};
use super::rng::Rng;
use super::site::Site;
use super::ssh::{Caller, Leave, Proof, fingerprint};
use super::stamp::{At, HOUR, MINUTE, SECOND, at};

/// The machine that watches the others.
pub(crate) const WATCHER: &str = "10.20.1.50";

/// A cron job on a machine: every `step`, one second past the minute.
pub(crate) fn cron(site: &mut Site, host: &str, user: (&str, i64), step: At, days: &Range<i64>) {
    let mut rng = Rng::of(
        site.world,
        &format!("cron of {} on {host} each {step}", user.0),
    );
    let machine = site.machine(host);
    let mut now = at(days.start, 0, 0);
    while now < at(days.end, 0, 0) {
        let start = now + SECOND + rng.below(60_000);
        machine.cron(&mut rng, start, user.0, user.1);
        now += step;
    }
}

/// Monitoring that logs in with its key, each `step`, to these machines.
pub(crate) fn monitoring(site: &mut Site, hosts: &[&str], step: At, days: &Range<i64>) {
    let key = Proof::Key(fingerprint("nagios"));
    for (offset, host) in (0..).zip(hosts) {
        let mut rng = Rng::of(site.world, &format!("monitoring of {host}"));
        let machine = site.machine(host);
        let mut now = at(days.start, 0, 0) + (11 + 23 * offset) * SECOND;
        while now < at(days.end, 0, 0) - MINUTE {
            let caller = Caller {
                user: "nagios",
                uid: Some(112),
                ip: WATCHER,
                port: rng.port(),
            };
            let start = now + rng.below(2 * SECOND);
            let session = machine.enter(&mut rng, start, &caller, &key, 0);
            machine.leave(start + rng.between(600_000, 2_500_000), session);
            now += step;
        }
    }
}

/// A script whose password has expired and that tries again every ten minutes.
pub(crate) fn expired_credential(site: &mut Site, host: &str, from: &str, days: &Range<i64>) {
    let mut rng = Rng::of(site.world, "expired credential");
    let machine = site.machine(host);
    let mut now = at(days.start, 0, 0);
    while now < at(days.end, 0, 0) {
        let caller = Caller {
            user: "svc-report",
            uid: Some(998),
            ip: from,
            port: rng.port(),
        };
        let start = now + 2 * SECOND + rng.below(SECOND);
        machine.guess(&mut rng, start, &caller, 1, Leave::Close);
        now += 10 * MINUTE;
    }
}

/// The nightly backup: some machines, one destination outside, gigabytes, and
/// the same hour each night.
pub(crate) fn backup(site: &mut Site, machines: &[(&str, i64)], to: &str, days: &Range<i64>) {
    for (number, (ip, megabytes)) in (0..).zip(machines) {
        let mut rng = Rng::of(site.world, &format!("backup of {ip}"));
        for day in days.clone() {
            let now = at(day, 1, 30) + number * 12 * MINUTE + rng.below(4 * MINUTE);
            // Full on Saturday night, otherwise what changed.
            let megabytes = if day % 7 == 5 {
                megabytes * 2
            } else {
                *megabytes
            };
            let sent = rng.around(megabytes, megabytes / 8) * 1_000_000 + rng.below(1_000_000);
            site.zeek.saw(Flow {
                at: now,
                from: ((*ip).to_owned(), rng.port()),
                to: (to.to_owned(), 22),
                service: "ssh",
                length: sent / 40,
                sent,
                got: sent / 900,
                state: State::Done,
            });
        }
    }
}

/// Servers ask the time and look for updates.
pub(crate) fn upkeep(site: &mut Site, machines: &[&str], days: &Range<i64>) {
    for ip in machines {
        let mut rng = Rng::of(site.world, &format!("upkeep of {ip}"));
        let mut now = at(days.start, 0, 0) + rng.below(HOUR);
        while now < at(days.end, 0, 0) {
            let clock = format!("203.0.113.{}", rng.between(2, 5));
            site.zeek
                .saw(small(&mut rng, now, ip, &clock, 123, "ntp", 48..49, 48..49));
            if now / HOUR % 12 == 4 && rng.chance(50) {
                site.zeek.saw(small(
                    &mut rng,
                    now + 9 * SECOND,
                    ip,
                    "203.0.113.10",
                    443,
                    "ssl",
                    800..4_000,
                    9_000..4_000_000,
                ));
            }
            now += HOUR + rng.below(40 * SECOND);
        }
    }
}

/// A short connection of a size within these bounds.
#[expect(clippy::too_many_arguments, reason = "a connection has that many ends")]
pub(crate) fn small(
    rng: &mut Rng,
    at: At,
    from: &str,
    to: &str,
    port: i64,
    service: &'static str,
    sent: Range<i64>,
    got: Range<i64>,
) -> Flow {
    Flow {
        at,
        from: (from.to_owned(), rng.port()),
        to: (to.to_owned(), port),
        service,
        length: rng.between(20_000, 9_000_000),
        sent: rng.between(sent.start, sent.end - 1),
        got: rng.between(got.start, got.end - 1),
        state: State::Done,
    }
}
