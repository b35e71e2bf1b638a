//! How well alerts tell attacks from ordinary life, where both are known.
//!
//! The unit is the incident: one rule about one entity within 24 hours. An
//! attack is found by an alert that names one of its entities while it lasts
//! (or within an hour of its end), unless the same rule says the same of the
//! twin without attacks within an hour and a half: then it would have been
//! said anyway. All other incidents are false; those about the internet's
//! noise, and those about what is odd and honest, are told apart.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use tipstaff::alert::{Alert, Level};
use tipstaff::detector::Detector;
use tipstaff::enrich::{Files, Tables};
use tipstaff::pipeline::{Progress, Readings, ReplayOptions, Start, replay};

use super::world::Sample;
use super::world::month::{Attack, Month, Oddity, noise};
use super::world::stamp::{At, DAY, HOUR, MINUTE};

/// How long after an attack's last line an alert may still be about it.
const AFTER: At = HOUR;

/// How near in the twin the same alert takes the credit away.
const NEAR: At = 90 * MINUTE;

/// An alert, as far as it is judged.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// When.
    pub(crate) at: At,
    /// The rule's title.
    pub(crate) rule: String,
    /// The values of who it is about; none of a rule about everybody.
    pub(crate) entity: Vec<String>,
    /// How surprising, in bits; nought of what does not learn.
    pub(crate) bits: f64,
}

impl Seen {
    /// An alert worth a look, without what is not judged.
    pub(crate) fn of(alert: &Alert) -> Option<Seen> {
        let text = |value: &Vec<u8>| String::from_utf8_lossy(value).into_owned();
        (alert.rule.level >= Level::Low).then(|| Seen {
            at: alert.time.nanos() / 1_000,
            rule: alert.rule.title.clone(),
            entity: alert.entity.iter().map(|(_, value)| text(value)).collect(),
            bits: alert.score.bits.unwrap_or(0.0),
        })
    }

    fn is_about(&self, entities: &BTreeSet<String>) -> bool {
        self.entity.iter().any(|value| entities.contains(value))
    }

    /// What is said of everybody is about what many take part in.
    fn is_of(&self, attack: &Attack) -> bool {
        (attack.span.start..attack.span.end + AFTER).contains(&self.at)
            && (self.is_about(&attack.entities)
                || self.entity.is_empty() && attack.technique.starts_with("spray"))
    }
}

/// Everything that a detector says of a month's logs, in order, with what is
/// known beside them.
pub(crate) fn watch(detector: &Arc<Detector>, month: &Month, folder: &Path) -> Vec<Seen> {
    let (logs, beside) = (folder.join("logs"), folder.join("tables"));
    write(&month.logs, &logs);
    write(&month.tables, &beside);
    let table = |name: &str| Some(beside.join(name)).filter(|path| path.exists());
    let files = Files {
        networks: table("networks.csv").into_iter().collect(),
        directory: table("directory.csv"),
        ..Files::default()
    };
    let (tables, report) = Tables::read(&files).unwrap();
    assert_eq!(report.broken, 0, "{:?}", report.shown);
    let options = ReplayOptions {
        paths: vec![logs],
        threads: 1,
        start: Start::in_year(2025),
        readings: Readings::default(),
        tables: Arc::new(tables),
    };
    let mut seen = Vec::new();
    let summary = replay(&options, detector, &Progress::default(), &mut |alert| {
        seen.extend(Seen::of(alert));
    });
    assert!(summary.problems.is_empty(), "{:?}", summary.problems);
    seen
}

fn write(samples: &[Sample], folder: &Path) {
    for sample in samples {
        let path = folder.join(&sample.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &sample.text).unwrap();
    }
}

/// What became of an attack.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Its technique.
    pub(crate) technique: &'static str,
    /// From its first line to the first alert about it.
    pub(crate) delay: Option<At>,
    /// Whether that came before its payload.
    pub(crate) in_time: bool,
    /// The rules that found it, the first one first, and their highest scores.
    pub(crate) rules: Vec<(String, f64)>,
}

/// Whose incident it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whose {
    /// An attack's.
    Attack,
    /// Nobody's: ordinary life.
    Nobody,
    /// About what an attack touched but is not known to be about: the twin is quiet there.
    Wake,
    /// The internet's noise at the bastion.
    Background,
    /// Something odd and honest.
    Oddity(&'static str),
}

/// One rule about one entity within a day.
#[derive(Clone, Debug)]
pub(crate) struct Incident {
    /// The rule's title.
    pub(crate) rule: String,
    /// The entity.
    pub(crate) entity: String,
    /// When it was first said.
    pub(crate) at: At,
    /// Its highest score, in bits.
    pub(crate) bits: f64,
    /// Whose it is.
    pub(crate) whose: Whose,
}

/// A month, judged.
pub(crate) struct Score {
    /// One for each attack.
    pub(crate) outcomes: Vec<Outcome>,
    /// All incidents of the month.
    pub(crate) incidents: Vec<Incident>,
    /// All incidents of its twin.
    pub(crate) twin: Vec<Incident>,
}

/// A rule and an entity.
type Who<'a> = (&'a str, &'a [String]);

fn by_who(seen: &[Seen]) -> BTreeMap<Who<'_>, Vec<&Seen>> {
    let mut map: BTreeMap<Who<'_>, Vec<&Seen>> = BTreeMap::new();
    for one in seen {
        let who = (one.rule.as_str(), one.entity.as_slice());
        map.entry(who).or_default().push(one);
    }
    map
}

/// Judges what was said of a month and of its twin.
pub(crate) fn judge(month: &Month, seen: &[Seen], twin: &[Seen]) -> Score {
    let anyway = by_who(twin);
    let repeated = |one: &Seen| {
        let same = anyway.get(&(one.rule.as_str(), one.entity.as_slice()));
        same.is_some_and(|all| all.iter().any(|other| (other.at - one.at).abs() <= NEAR))
    };
    let caused: Vec<_> = seen.iter().filter(|one| !repeated(one)).collect();
    let outcomes = month.attacks.iter().map(|a| outcome(a, &caused)).collect();
    let whose = |group: &[&Seen]| {
        let new: Vec<_> = group.iter().filter(|one| !repeated(one)).collect();
        let hit = |one: &&&&Seen| month.attacks.iter().any(|attack| one.is_of(attack));
        if new.iter().find(hit).is_some() {
            return Whose::Attack;
        }
        match honest(month, group) {
            Whose::Nobody if new.len() == group.len() => Whose::Wake,
            whose => whose,
        }
    };
    Score {
        outcomes,
        incidents: incidents(seen, whose),
        twin: incidents(twin, |group| honest(month, group)),
    }
}

fn outcome(attack: &Attack, caused: &[&Seen]) -> Outcome {
    let hits: Vec<_> = caused.iter().filter(|one| one.is_of(attack)).collect();
    let mut rules: Vec<(String, f64)> = Vec::new();
    for hit in &hits {
        match rules.iter_mut().find(|(rule, _)| *rule == hit.rule) {
            Some((_, bits)) => *bits = bits.max(hit.bits),
            None => rules.push((hit.rule.clone(), hit.bits)),
        }
    }
    let first = hits.iter().map(|hit| hit.at).min();
    Outcome {
        technique: attack.technique,
        delay: first.map(|at| at - attack.span.start),
        in_time: first.is_some_and(|at| at < attack.payload),
        rules,
    }
}

/// Alerts of one rule about one entity, cut into days from the first of each.
fn incidents(seen: &[Seen], whose: impl Fn(&[&Seen]) -> Whose) -> Vec<Incident> {
    let mut incidents = Vec::new();
    for ((rule, entity), all) in by_who(seen) {
        let mut rest = all.as_slice();
        while let Some(first) = rest.first() {
            let count = rest.partition_point(|one| one.at < first.at + DAY);
            let (group, later) = rest.split_at(count);
            incidents.push(Incident {
                rule: rule.to_owned(),
                entity: entity.join(" "),
                at: first.at,
                bits: group.iter().fold(0.0, |most, one| most.max(one.bits)),
                whose: whose(group),
            });
            rest = later;
        }
    }
    incidents
}

/// Whose it is if no attack's.
fn honest(month: &Month, group: &[&Seen]) -> Whose {
    let Some(first) = group.first() else {
        return Whose::Nobody;
    };
    let odd = |oddity: &&Oddity| {
        (oddity.span.start..oddity.span.end + AFTER).contains(&first.at)
            && !first.entity.is_empty()
            && first.is_about(&oddity.entities)
    };
    if let Some(oddity) = month.oddities.iter().find(odd) {
        return Whose::Oddity(oddity.what);
    }
    if first.entity.iter().any(|value| noise(value)) {
        return Whose::Background;
    }
    Whose::Nobody
}
