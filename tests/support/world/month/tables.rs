//! What the office knows of networks and of its people, as the files that
//! somebody there would keep.

use std::fmt::Write as _;

use super::super::people::{Person, Team};
use super::super::rng::Rng;
use super::super::stamp::{at, date};
use super::staff::Staff;

/// Places of the world: country, latitude, longitude.
const WORLD: &[(&str, i64, i64)] = &[
    ("US", 38, -97),
    ("BR", -10, -55),
    ("ZA", -29, 24),
    ("IN", 21, 78),
    ("CN", 35, 103),
    ("JP", 36, 138),
    ("AU", -25, 134),
    ("RU", 60, 90),
];

/// Where the office is.
const HERE: (&str, i64, i64) = ("NL", 52, 5);

/// Whose address space is whose: `cidr,asn,as_name,country,lat,lon`. Nobody who
/// works here lives abroad; whoever attacks does.
pub(super) fn networks(world: &str) -> String {
    let mut rng = Rng::of(world, "networks");
    let mut rows = String::from("cidr,asn,as_name,country,lat,lon\n");
    let mut asn = 64_512;
    let mut row = |cidr: &str, name: &str, (country, lat, lon): (&str, i64, i64)| {
        writeln!(rows, "{cidr},{asn},{name},{country},{lat},{lon}").unwrap();
        asn += 1;
    };
    for net in 0..12 {
        row(&format!("198.18.{net}.0/24"), "Home line", HERE);
    }
    for net in 16..24 {
        row(&format!("198.18.{net}.0/24"), "Hotel", ("FR", 47, 2));
    }
    row("198.18.24.0/22", "Telephone", HERE);
    row("192.0.2.0/24", "Branch line", HERE);
    row("203.0.113.0/24", "Cloud", ("IE", 53, -8));
    row("2001:db8:1000::/36", "Home line", HERE);
    row("2001:db8:5000::/36", "Roaming", HERE);
    for net in 100..200 {
        row(&format!("198.18.{net}.0/24"), "Hosting", *rng.pick(WORLD));
    }
    row("198.51.100.0/24", "Hosting", *rng.pick(WORLD));
    row("2001:db8:8000::/36", "Hosting", *rng.pick(WORLD));
    for net in 0..120 {
        row(
            &format!("198.19.{net}.0/24"),
            "Subscribers",
            *rng.pick(WORLD),
        );
    }
    row("2001:db8:9000::/36", "Subscribers", *rng.pick(WORLD));
    row("2001:db8:a000::/36", "Subscribers", *rng.pick(WORLD));
    for net in 128..256 {
        row(&format!("198.19.{net}.0/24"), "Rented", *rng.pick(WORLD));
    }
    rows
}

/// Who works here: `user,uid,role,team,site,start_day`.
pub(super) fn directory(staff: &Staff) -> String {
    let mut rows = String::from("user,uid,role,team,site,start_day\n");
    let sites = [
        ("branch", &staff.branch),
        ("road", &staff.travellers),
        ("office", &staff.dormant),
        ("office", &staff.inside),
    ];
    for (site, people) in sites {
        for person in people {
            let site = if person.desk.starts_with("10.21.") {
                "second"
            } else {
                site
            };
            let Person {
                name, uid, joins, ..
            } = person;
            let team = team(person.team);
            let since = match joins {
                0 => String::from("2021-03-01"),
                day => date(at(*day, 0, 0)),
            };
            writeln!(rows, "{name},{uid},staff,{team},{site},{since}").unwrap();
        }
    }
    for (name, uid) in [("svc-deploy", 990), ("svc-report", 998), ("nagios", 112)] {
        writeln!(rows, "{name},{uid},service,none,office,2021-03-01").unwrap();
    }
    rows
}

fn team(team: Team) -> &'static str {
    match team {
        Team::Legal => "legal",
        Team::Registry => "registry",
        Team::Languages => "languages",
        Team::Field => "field",
        Team::Builders => "builders",
        Team::Admins => "admins",
    }
}
