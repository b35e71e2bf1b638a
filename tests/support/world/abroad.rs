//! Who comes from where: a table of networks with positions, one account in
//! two places at once, and one whose owner has flown.

use super::Sample;
use super::habits::four_weeks;
use super::life::{Stay, live, stay, trip};
use super::people::{Team, members, named};
use super::rng::Rng;
use super::site::Machine;
use super::stamp::{At, MINUTE, at};

/// Whose address space is whose, and where that is.
const NETWORKS: &str = "\
cidr,asn,as_name,country,lat,lon
10.20.0.0/16,64500,The court,NL,52.08,4.31
192.0.2.0/24,64511,Delta Line,NL,52.01,4.36
2001:db8:1000::/36,64511,Delta Line,NL,52.01,4.36
2001:db8:5000::/36,64512,Roaming,NL,52.37,4.90
198.51.100.0/25,64520,Hotel Lines,FR,48.86,2.35
198.51.100.128/25,64521,Hoteis do Sul,BR,-23.55,-46.63
203.0.113.0/25,64530,Cloud,IE,53.35,-6.26
203.0.113.128/25,64531,Hosting,SG,1.35,103.82
";

/// The table, as the site keeps it.
pub(crate) fn networks(folder: &str, written: At) -> Sample {
    let text = NETWORKS.as_bytes().to_vec();
    Sample::new(format!("{folder}/networks.csv"), written, text)
}

/// m.devries works at the desk all Tuesday; in the afternoon the account also
/// comes from Singapore, by its own key. h.olsen has flown to São Paulo at the
/// weekend, and works from a hotel there.
pub(crate) fn impossible_travel() -> Vec<Sample> {
    let (world, folder) = ("impossible-travel", "scenarios/impossible-travel");
    let teams = [Team::Legal, Team::Registry, Team::Languages];
    let mut people = members(world, &teams);
    let gone = people.iter().position(|p| p.name == "h.olsen").unwrap();
    let mut guest = people.remove(gone);
    let machine = Machine::new("gate01", "10.20.0.10");
    let (mut site, mut people) = four_weeks(world, people, machine);
    guest.away = 0..0;
    guest.evenings = false;
    live(&mut site, std::slice::from_ref(&guest), &(0..19));
    trip(&mut site, &guest, "198.51.100.140", &(21..25));
    let person = named(&mut people, "m.devries");
    let mut rng = Rng::of(world, "the other key");
    for (hour, minute) in [(14, 41), (15, 52)] {
        let start = at(22, hour, minute) + rng.below(MINUTE);
        let visit = Stay {
            host: "gate01",
            from: "203.0.113.177",
            span: start..start + rng.between(6, 15) * MINUTE,
            slips: 0,
            sudos: 0,
        };
        stay(&mut site, &mut rng, person, &visit);
    }
    let mut samples = site.single(folder, at(25, 0, 0));
    samples.push(networks(folder, at(0, 0, 0)));
    samples
}
