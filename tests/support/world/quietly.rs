//! Scenarios of some weeks in which nothing is forbidden and nothing fails: an
//! account at night, one of a program in somebody's hands, one that is made to
//! stay; a beat, files in small parts, uploads that grow, a log that ends.

use std::ops::Range;

use super::Sample;
use super::attack::beacon;
use super::commands::Operator;
use super::conn::{Flow, State};
use super::habits::four_weeks;
use super::life::{Stay, live, stay};
use super::people::{Person, Team, members, named};
use super::rng::Rng;
use super::servers::{cron, monitoring, upkeep};
use super::site::{Machine, Site};
use super::ssh::{Caller, Proof};
use super::stamp::{At, HOUR, MINUTE, SECOND, at};
use super::traffic::{browse, keep_alives};

/// Three weeks, and the fourth up to Thursday.
const DAYS: Range<i64> = 0..25;

/// Where what leaves goes to.
const DROP: &str = "203.0.113.214";

/// Somebody who works on the register by day comes at half past two at night,
/// from the own desk and by the own key, to the files of the registry.
pub(crate) fn odd_hours() -> Vec<Sample> {
    let world = "odd-hours";
    let machines = vec![
        Machine::new("reg01", "10.20.1.20"),
        Machine::new("files01", "10.20.1.30"),
    ];
    let mut site = Site::new(world, machines);
    let mut people = members(world, &[Team::Legal, Team::Registry]);
    for person in &mut people {
        person.away = 0..0;
        person.evenings = false;
        person.home_days.clear();
    }
    named(&mut people, "m.devries").brisk = true;
    live(&mut site, &people, &DAYS);
    for host in ["reg01", "files01"] {
        cron(&mut site, host, ("root", 0), 6 * HOUR, &DAYS);
    }
    let person = named(&mut people, "m.devries");
    let mut rng = Rng::of(world, "the night");
    let start = at(23, 2, 30) + rng.below(MINUTE);
    let visit = Stay {
        host: "files01",
        from: &person.desk,
        span: start..start + 34 * MINUTE,
        slips: 0,
        sudos: 0,
    };
    stay(&mut site, &mut rng, person, &visit);
    site.single("scenarios/odd-hours", at(25, 0, 0))
}

/// The account of the monitoring, which logs in by key each half hour from one
/// machine, is used by hand: from a desk, by password, with sudo.
pub(crate) fn service_account() -> Vec<Sample> {
    let world = "service-account-by-hand";
    let machine = Machine::new("app01", "10.20.1.21");
    let teams = [Team::Admins, Team::Builders];
    let (mut site, _) = four_weeks(world, members(world, &teams), machine);
    monitoring(&mut site, &["app01"], 30 * MINUTE, &DAYS);
    let mut rng = Rng::of(world, "the hand");
    let start = at(22, 15, 12) + rng.below(MINUTE);
    let caller = Caller {
        user: "nagios",
        uid: Some(112),
        ip: "10.20.30.41",
        port: rng.port(),
    };
    let machine = site.machine("app01");
    let session = machine.enter(&mut rng, start, &caller, &Proof::Password, 0);
    let operator = Operator {
        user: "nagios",
        uid: 112,
        pts: 2,
    };
    machine.sudo(
        &mut rng,
        start + 3 * MINUTE,
        operator,
        "/usr/bin/cat /etc/shop/database.conf",
    );
    machine.leave(start + 11 * MINUTE, session);
    site.single("scenarios/service-account-by-hand", at(25, 0, 0))
}

/// An account is made at night, and used with sudo an hour later.
pub(crate) fn new_account() -> Vec<Sample> {
    let world = "new-account";
    let machine = Machine::new("db01", "10.20.1.22");
    let teams = [Team::Admins, Team::Legal, Team::Registry];
    let (mut site, _) = four_weeks(world, members(world, &teams), machine);
    let mut rng = Rng::of(world, "the way back");
    let start = at(22, 2, 14) + rng.below(MINUTE);
    let machine = site.machine("db01");
    machine.useradd(start, "dbsupport", 1_900);
    let used = start + 61 * MINUTE;
    let caller = Caller {
        user: "dbsupport",
        uid: Some(1_900),
        ip: "10.20.0.10",
        port: rng.port(),
    };
    let session = machine.enter(&mut rng, used, &caller, &Proof::Password, 0);
    let operator = Operator {
        user: "dbsupport",
        uid: 1_900,
        pts: 0,
    };
    machine.sudo(&mut rng, used + MINUTE, operator, "/usr/bin/bash");
    machine.leave(used + 25 * MINUTE, session);
    site.single("scenarios/new-account", at(25, 0, 0))
}

/// Desks that browse, some of them with a messenger.
fn desks(world: &'static str, teams: &[Team], days: &Range<i64>) -> (Site, Vec<Person>) {
    let mut site = Site::new(world, Vec::new());
    let mut people = members(world, teams);
    for person in &mut people {
        person.away = 0..0;
    }
    browse(&mut site, &people, days, 12);
    let messenger: Vec<_> = people.iter().step_by(3).cloned().collect();
    keep_alives(&mut site, &messenger, days);
    upkeep(&mut site, &["10.20.1.20", "10.20.1.30"], days);
    (site, people)
}

/// The sensor's log of these days in one file.
fn conn_log(mut site: Site, folder: &str, days: &Range<i64>) -> Vec<Sample> {
    let span = at(days.start, 0, 0)..at(days.end, 0, 0);
    let text = site.zeek.render(&span);
    vec![Sample::new(format!("{folder}/conn.log.gz"), span.end, text)]
}

/// A server calls home each ten minutes, a fifth more or less, for two days.
pub(crate) fn calls_home() -> Vec<Sample> {
    let days = 0..12;
    let (mut site, _) = desks("beacon", &[Team::Legal, Team::Registry], &days);
    let span = at(9, 3, 0)..at(11, 3, 0);
    let (from, to) = ("10.20.1.20", "203.0.113.201");
    beacon(&mut site, from, to, &span, 10 * MINUTE, 20, 200);
    conn_log(site, "scenarios/beacon", &days)
}

fn part(site: &mut Site, rng: &mut Rng, from: &str, now: At, sent: i64) {
    site.zeek.saw(Flow {
        at: now,
        from: (from.to_owned(), rng.port()),
        to: (String::from(DROP), 443),
        service: "ssl",
        length: sent * 2 + SECOND,
        sent,
        got: sent / 300 + 900,
        state: State::Done,
    });
}

/// A desk sends a megabyte and a half about twice an hour, day and night, for
/// five days, to a place of its own.
pub(crate) fn slow_exfiltration() -> Vec<Sample> {
    let (world, days) = ("slow-exfiltration", 0..20);
    let (mut site, mut people) = desks(world, &[Team::Legal, Team::Registry], &days);
    let from = named(&mut people, "k.jansen").desk.clone();
    let mut rng = Rng::of(world, "parts");
    let mut now = at(14, 10, 0);
    while now < at(19, 10, 0) {
        let sent = rng.around(1_500_000, 500_000);
        part(&mut site, &mut rng, &from, now, sent);
        now += rng.between(12, 45) * MINUTE + rng.below(MINUTE);
    }
    conn_log(site, "scenarios/slow-exfiltration", &days)
}

/// Uploads of a desk to a place where it always sent a little grow by a third a
/// day, from four megabytes.
pub(crate) fn boiling_frog() -> Vec<Sample> {
    let (world, days) = ("boiling-frog", 0..28);
    let (mut site, mut people) = desks(world, &[Team::Legal, Team::Registry], &days);
    let from = named(&mut people, "k.jansen").desk.clone();
    let mut rng = Rng::of(world, "growth");
    let mut daily = 4_000_000;
    for day in days.clone() {
        let mut now = at(day, 11, 0) + rng.below(2 * HOUR);
        for _ in 0..4 {
            let sent = rng.around(daily / 4, daily / 20);
            part(&mut site, &mut rng, &from, now, sent);
            now += rng.between(4, 40) * MINUTE;
        }
        if day >= 14 {
            daily += daily / 3;
        }
    }
    conn_log(site, "scenarios/boiling-frog", &days)
}

/// Three machines; one of them says nothing for a night and goes on.
pub(crate) fn silenced_host() -> Vec<Sample> {
    let (world, days) = ("silenced-host", 0..14);
    let machines = vec![
        Machine::new("app01", "10.20.1.21"),
        Machine::new("db01", "10.20.1.22"),
        Machine::new("files01", "10.20.1.30"),
    ];
    let mut site = Site::new(world, machines);
    let mut people = members(world, &[Team::Admins]);
    for person in &mut people {
        person.hosts = vec!["app01", "db01", "files01"];
        person.away = 0..0;
    }
    live(&mut site, &people, &days);
    for host in ["app01", "db01", "files01"] {
        cron(&mut site, host, ("root", 0), 15 * MINUTE, &days);
    }
    let silence = at(12, 1, 7)..at(12, 1, 7) + 7 * HOUR;
    site.machine("db01").log.lose(&silence);
    site.single("scenarios/silenced-host", at(days.end, 0, 0))
}

/// One row of Zeek's dns.log.
fn asked(rows: &mut Vec<(At, String)>, rng: &mut Rng, now: At, from: &str, name: &str, kind: &str) {
    let port = rng.port();
    let stamp = format!("{}.{:06}", now / SECOND, now % SECOND);
    let row = format!("{stamp}\t{from}\t{port}\t10.20.0.2\t53\tudp\t{name}\t{kind}\tNOERROR\n");
    rows.push((now, row));
}

/// Desks ask for the names of what they browse; one of them talks through DNS
/// for half an hour, in labels of fifty-six characters.
pub(crate) fn dns_tunnel() -> Vec<Sample> {
    let (world, days) = ("dns-tunnel", 0..10);
    let mut people = members(world, &[Team::Legal]);
    let mut rng = Rng::of(world, "names");
    let mut rows = Vec::new();
    for person in &people {
        for workday in person.calendar(world, &days) {
            for _ in 0..40 {
                let minutes = (workday.span.end - workday.span.start) / MINUTE;
                let now = workday.span.start + rng.below(minutes) * MINUTE + rng.below(MINUTE);
                let name = format!("www.site{}.example", 1 + rng.below(60) * rng.below(60) / 60);
                asked(&mut rows, &mut rng, now, &person.desk, &name, "A");
            }
        }
    }
    let from = named(&mut people, "k.jansen").desk.clone();
    let mut now = at(9, 14, 3);
    while now < at(9, 14, 33) {
        let digits = b"abcdefghijklmnopqrstuvwxyz234567";
        let label: String = (0..56).map(|_| char::from(*rng.pick(digits))).collect();
        let name = format!("{label}.t.cdn-edge.example");
        asked(&mut rows, &mut rng, now, &from, &name, "TXT");
        now += rng.between(1_200_000, 2_800_000);
    }
    rows.sort();
    let columns =
        "ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tqtype_name\trcode_name";
    let types = "time\taddr\tport\taddr\tport\tenum\tstring\tstring\tstring";
    let mut text = format!(
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n#fields\t{columns}\n#types\t{types}\n"
    );
    text.extend(rows.into_iter().map(|(_, row)| row));
    let path = "scenarios/dns-tunnel/dns.log.gz";
    vec![Sample::new(path, at(days.end, 0, 0), text.into_bytes())]
}
