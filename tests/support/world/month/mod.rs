//! Whole months of a larger office from a seed: two hundred people, two dozen
//! servers, three sites, the internet's noise at the bastion, and attacks of
//! known time and place. To measure detection, not to be published.
//!
//! The twin of a month is the same without the attacks, line for line: every
//! piece draws from a stream of its own, pids and uids follow from the time.
//! The internet is 198.18.0.0/15 (RFC 2544) beside the addresses set aside for
//! documentation: those are too few for a botnet.

mod access;
mod foothold;
mod network;
mod oddities;
mod staff;
mod stage;
mod tables;
mod uneven;

use std::collections::BTreeSet;
use std::ops::Range;

use super::Sample;
use super::attack::background;
use super::site::Site;
use super::stamp::{At, at, date};
use staff::Staff;
use stage::Stage;

/// What a month is made of.
#[derive(Clone)]
pub(crate) struct Plan {
    /// Other seed, other month.
    pub(crate) seed: u64,
    /// Days of it, from a Monday on.
    pub(crate) days: i64,
    /// People at work.
    pub(crate) people: i64,
    /// Attacks of each technique.
    pub(crate) each: i64,
    /// Only this technique; all where there is none.
    pub(crate) only: Option<String>,
}

impl Plan {
    /// Four weeks, two hundred people, each technique twice.
    pub(crate) fn full(seed: u64) -> Plan {
        Plan {
            seed,
            days: 28,
            people: 200,
            each: 2,
            only: None,
        }
    }

    /// From the first moment to the last.
    pub(crate) fn span(&self) -> Range<At> {
        at(0, 0, 0)..at(self.days, 0, 0)
    }
}

/// An attack as it is known to whoever judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attack {
    /// Its row of [`TECHNIQUES`].
    pub(crate) technique: &'static str,
    /// The users, addresses and hosts that an alert about it may name.
    pub(crate) entities: BTreeSet<String>,
    /// From the first line to the last.
    pub(crate) span: Range<At>,
    /// When what it is for begins; before that it has been stopped in time.
    pub(crate) payload: At,
}

/// Something honest that looks odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Oddity {
    /// What.
    pub(crate) what: &'static str,
    /// The users, addresses and hosts that it is about.
    pub(crate) entities: BTreeSet<String>,
    /// When.
    pub(crate) span: Range<At>,
}

/// A way to attack.
pub(crate) struct Technique {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whether it is over so soon that only an early alert helps.
    pub(crate) burst: bool,
    /// Plays one of it.
    play: fn(&mut Stage<'_>) -> Attack,
}

/// A row of [`TECHNIQUES`].
const fn row(name: &'static str, burst: bool, play: fn(&mut Stage<'_>) -> Attack) -> Technique {
    Technique { name, burst, play }
}

/// Every way to attack.
pub(crate) static TECHNIQUES: &[Technique] = &[
    row("brute_force", true, access::brute_force),
    row("slow_brute_force", false, access::slow_brute_force),
    row("spray_one_source", true, access::spray_one_source),
    row("spray_botnet", true, access::spray_botnet),
    row("spray_slow", false, access::spray_slow),
    row("guess_then_success", true, access::guess_then_success),
    row("new_network", true, access::new_network),
    row("odd_hours", true, access::odd_hours),
    row("dormant_account", true, access::dormant_account),
    row("impossible_travel", true, access::impossible_travel),
    row("lateral_ssh", true, foothold::lateral_ssh),
    row("insider_breadth", false, foothold::insider_breadth),
    row("first_sudo", true, foothold::first_sudo),
    row("new_account", true, foothold::new_account),
    row("service_account", true, foothold::service_account),
    row("beacon", false, network::beacon),
    row("slow_exfiltration", false, network::slow_exfiltration),
    row("bulk_exfiltration", true, network::bulk_exfiltration),
    row("horizontal_scan", true, network::horizontal_scan),
    row("vertical_scan", true, network::vertical_scan),
    row("silenced_host", false, network::silenced_host),
    row("boiling_frog", false, network::boiling_frog),
];

/// A month, its story, and what stands in its logs.
pub(crate) struct Month {
    /// `<host>/auth.log` and `zeek/conn.<date>.log`.
    pub(crate) logs: Vec<Sample>,
    /// `networks.csv` and `directory.csv`: no logs, but what is known beside them.
    pub(crate) tables: Vec<Sample>,
    /// The attacks; none in the twin.
    pub(crate) attacks: Vec<Attack>,
    /// What is odd and honest.
    pub(crate) oddities: Vec<Oddity>,
}

/// The month of a plan, or its twin without attacks.
pub(crate) fn month(plan: &Plan, attacked: bool) -> Month {
    // A world's name outlives it, as those of the samples do.
    let world: &'static str = format!("month {}", plan.seed).leak();
    let mut site = Site::new(world, staff::machines());
    site.bastion = Some("gate01");
    site.zeek.own_uids = true;
    let days = 0..plan.days;
    let mut staff = Staff::hire(world, plan.people, plan.days);
    let mut oddities = oddities::before(&mut site, &mut staff, &days);
    staff.work(&mut site, &days);
    staff::machinery(&mut site, &staff, &days);
    uneven::play(&mut site, &staff, &days);
    oddities.extend(oddities::play(&mut site, &staff, &days));
    background(&mut site, "gate01", &days, 400);
    network::background(&mut site, &days, 250);
    network::guessers(&mut site, &days, 60);
    uneven::restarts(&mut site, &days);
    let attacks = if attacked {
        attack(plan, &mut site, &staff)
    } else {
        Vec::new()
    };
    site.show_visits();
    Month {
        logs: render(&mut site, plan),
        tables: vec![
            table("networks.csv", plan, tables::networks(world)),
            table("directory.csv", plan, tables::directory(&staff)),
        ],
        attacks,
        oddities,
    }
}

fn table(path: &str, plan: &Plan, text: String) -> Sample {
    Sample::new(path, plan.span().end, text.into_bytes())
}

fn attack(plan: &Plan, site: &mut Site, staff: &Staff) -> Vec<Attack> {
    let mut attacks = Vec::new();
    let mut taken = BTreeSet::new();
    for (number, technique) in (0..).zip(TECHNIQUES) {
        if plan
            .only
            .as_ref()
            .is_some_and(|only| only != technique.name)
        {
            continue;
        }
        for instance in 0..plan.each {
            let mut stage = Stage::new(
                site,
                staff,
                &mut taken,
                plan.days,
                (technique.name, number, instance),
            );
            attacks.push((technique.play)(&mut stage));
        }
    }
    // What is lost is lost of all attacks.
    for attack in attacks.iter().filter(|a| a.technique == "silenced_host") {
        for machine in &mut site.machines {
            if attack.entities.contains(machine.name) {
                machine.log.lose(&attack.span);
            }
        }
    }
    attacks
}

fn render(site: &mut Site, plan: &Plan) -> Vec<Sample> {
    let span = plan.span();
    let mut logs = Vec::new();
    for machine in &mut site.machines {
        let path = format!("{}/auth.log", machine.name);
        logs.push(Sample::new(path, span.end, machine.log.render(&span)));
    }
    for week in 0..(plan.days + 6) / 7 {
        let span = at(7 * week, 0, 0)..at((7 * week + 7).min(plan.days), 0, 0);
        let path = format!("zeek/conn.{}.log", date(span.start));
        logs.push(Sample::new(path, span.end, site.zeek.render(&span)));
    }
    logs
}

/// Whether a name or an address is one of the internet's noise.
pub(crate) fn noise(address: &str) -> bool {
    address == "root"
        || address.starts_with("198.51.100.")
        || address.starts_with("2001:db8:8")
        || address.starts_with("198.18.1")
            && address.len() > "198.18.1xx".len()
            && !address.starts_with("198.18.1.")
}

/// A set of names.
fn entities<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}
