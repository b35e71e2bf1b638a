//! The showcase: four weeks of a court's office, and one quiet espionage
//! through a valid account in the last of them.

use super::Sample;
use super::attack::{background, beacon, upload};
use super::commands::Operator;
use super::life::{branch, live, meeting_room, project, rounds, traveller, trip};
use super::people::{Person, Team, named};
use super::quiet::{forgetful, new_laptop, newcomer, staff};
use super::rng::Rng;
use super::servers::{backup, cron, expired_credential, monitoring, upkeep};
use super::site::{Machine, Site};
use super::ssh::{Caller, Proof, Session, fingerprint};
use super::stamp::{At, HOUR, MINUTE, SECOND, at};
use super::traffic::{browse, keep_alives, mail};

const DAYS: std::ops::Range<i64> = 0..28;

const GATE: &str = "10.20.0.10";
const REGISTER: &str = "10.20.1.20";
const FILES: &str = "10.20.1.30";
const MAIL: &str = "10.20.1.40";
const BUILD: &str = "10.20.1.60";

/// Where the intruder comes from, keeps in touch with, and brings it all to.
const INTRUDER: &str = "203.0.113.177";
const CONTROL: &str = "203.0.113.201";
const DROP: &str = "203.0.113.214";

/// The logs of the court.
pub(crate) fn make() -> Vec<Sample> {
    let machines = vec![
        Machine::new("gate01", GATE),
        Machine::new("reg01", REGISTER).verbose(),
        Machine::new("files01", FILES),
        Machine::new("mail01", MAIL).old(),
        Machine::new("build01", BUILD).split_sshd(),
    ];
    let mut site = Site::new("court", machines);
    site.bastion = Some("gate01");
    let victim = everyday(&mut site);
    machinery(&mut site);
    background(&mut site, "gate01", &DAYS, 230);
    espionage(&mut site, &victim);
    site.show_visits();
    let mut samples = site.rotated("court", 4, "build01");
    samples.extend(site.conn_logs("court/zeek", DAYS, 7));
    samples
}

/// Sixty people. Returns the one whose account will be abused.
fn everyday(site: &mut Site) -> Person {
    let (mut inside, outside, on_the_road) = staff(site.world);
    let guest = named(&mut inside, "l.duarte");
    guest.proof = Proof::Key(fingerprint(guest.name));
    guest.away = 16..19;
    guest.home_days = vec![0];
    let victim = named(&mut inside, "m.devries");
    // From the desk, at home on Fridays, by key, many times a day, never in the evening.
    victim.proof = Proof::Key(fingerprint(victim.name));
    victim.home_days = vec![4];
    victim.evenings = false;
    victim.brisk = true;
    victim.away = 0..0;
    newcomer(site, named(&mut inside, "v.novak"), 14);
    forgetful(site, &mut inside, &[("o.castillo", 9), ("u.fischer", 16)]);
    let place = |people: &[Person], name| people.iter().position(|p| p.name == name).unwrap();
    let mut lucky = inside.remove(place(&inside, "f.rossi"));
    new_laptop(site, &mut lucky, 10);
    live(site, &inside, &DAYS);
    rounds(site, &inside);
    branch(site, &outside, "192.0.2.200", &DAYS);
    traveller(site, &on_the_road, &DAYS);
    meeting_room(site, &inside, "10.20.30.5", &DAYS);
    let team: Vec<_> = inside
        .iter()
        .filter(|p| p.name.starts_with(['g', 'k']) && p.team == Team::Legal)
        .cloned()
        .collect();
    project(site, &team, "files01", &(15..28));
    let hotel = "2001:db8:7a11:40:ac1d:5:2b:91";
    trip(site, named(&mut inside, "l.duarte"), hotel, &(16..19));
    browse(site, &inside, &DAYS, 15);
    let messenger: Vec<_> = inside.iter().step_by(5).cloned().collect();
    keep_alives(site, &messenger, &DAYS);
    inside.remove(place(&inside, "m.devries"))
}

/// What runs without people.
fn machinery(site: &mut Site) {
    for host in ["gate01", "reg01", "files01", "mail01", "build01"] {
        cron(site, host, ("root", 0), HOUR, &DAYS);
    }
    cron(site, "reg01", ("register", 120), 10 * MINUTE, &DAYS);
    monitoring(
        site,
        &["gate01", "reg01", "files01", "mail01"],
        5 * MINUTE,
        &DAYS,
    );
    expired_credential(site, "files01", BUILD, &DAYS);
    upkeep(site, &[GATE, REGISTER, FILES, MAIL, BUILD], &DAYS);
    let loads = [(REGISTER, 1_900), (FILES, 4_100), (MAIL, 700)];
    backup(site, &loads, "203.0.113.240", &DAYS);
    mail(site, MAIL, &DAYS, 180);
}

/// The intruder with m.devries's password, in the fourth week.
fn espionage(site: &mut Site, victim: &Person) {
    let mut rng = Rng::of(site.world, "espionage");
    let rng = &mut rng;
    // Tuesday night: does it work, and what is here?
    let gate = come(site, rng, victim, "gate01", INTRUDER, at(22, 2, 40));
    let register = come(site, rng, victim, "reg01", GATE, at(22, 2, 43));
    site.machine("reg01")
        .leave(at(22, 2, 50) + 17_418_220, register);
    site.machine("gate01")
        .leave(at(22, 2, 51) + 4_105_937, gate);
    // Wednesday night: root on the register, then the files, then a way to stay.
    let gate = come(site, rng, victim, "gate01", INTRUDER, at(23, 2, 52));
    let register = come(site, rng, victim, "reg01", GATE, at(23, 2, 54));
    let operator = Operator {
        user: victim.name,
        uid: victim.uid,
        pts: 0,
    };
    let commands = [
        (1, "list"),
        (
            4,
            "/usr/bin/find /srv/register -name *.pdf -newermt 2025-06-01",
        ),
        (9, "/usr/bin/cat /etc/ssh/ssh_known_hosts"),
        (
            26,
            "/usr/bin/install -m 0755 /home/m.devries/.cache/upd /usr/local/sbin/register-sync",
        ),
        (
            28,
            "/usr/bin/systemd-run --unit register-sync /usr/local/sbin/register-sync",
        ),
    ];
    for (minute, command) in commands {
        let now = at(23, 3, minute) + rng.below(MINUTE);
        site.machine("reg01").sudo(rng, now, operator, command);
    }
    let files = come(site, rng, victim, "files01", REGISTER, at(23, 3, 12));
    site.machine("files01")
        .leave(at(23, 3, 24) + 40_772_051, files);
    site.machine("reg01")
        .leave(at(23, 3, 31) + 9_336_604, register);
    site.machine("gate01")
        .leave(at(23, 3, 31) + 12_580_119, gate);
    beacon(
        site,
        REGISTER,
        CONTROL,
        &(at(23, 3, 30)..at(28, 0, 0)),
        300 * SECOND,
        10,
        0,
    );
    // Three nights: the files leave, slowly, while the backup makes noise.
    upload(site, FILES, DROP, at(24, 1, 10), 64, 12);
    upload(site, FILES, DROP, at(25, 1, 25), 118, 18);
    upload(site, FILES, DROP, at(26, 0, 50), 43, 8);
}

/// The intruder logs in as somebody else.
fn come(
    site: &mut Site,
    rng: &mut Rng,
    victim: &Person,
    host: &str,
    from: &str,
    minute: At,
) -> Session {
    let caller = Caller {
        user: victim.name,
        uid: Some(victim.uid),
        ip: from,
        port: rng.port(),
    };
    let start = minute + rng.below(40 * SECOND);
    site.machine(host)
        .enter(rng, start, &caller, &Proof::Password, 0)
}
