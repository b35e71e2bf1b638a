//! How well a rule set finds attacks in made-up months of a larger office, and
//! how often it cries over nothing. What is counted and why: tests/support/score.rs.
//!
//! ```text
//! cargo bench --bench worlds -- --seeds 1..3            the shipped rules
//! cargo bench --bench worlds -- --technique beacon      one technique, five times
//! cargo bench --bench worlds -- --alone                 each technique in a month of its own
//! cargo bench --bench worlds -- --rules PATH            other rules
//! cargo bench --bench worlds -- --calibration           whether budgets are kept, and bits what they say
//! cargo bench --bench worlds -- --people 14             a smaller office
//! cargo bench --bench worlds -- --misses                every attack, every false incident
//! cargo bench --bench worlds -- --bare                  without tables of networks and users
//! cargo bench --bench worlds -- --keep FOLDER           leaves the logs there
//! ```
//!
//! A month and its twin, 700,000 lines each, take 1.3 s to make, replay and judge
//! on one core of an AMD EPYC, 2026-11-22. What naive detectors say of them is
//! near what is published of such worlds: five failures within ten minutes, 61
//! addresses of the internet's a day and 0.6 of people's; a new (user, address),
//! 16 times a day; a new (user, /24), 5.6; a new (user, host), 3.5. Seeds 1 to 5
//! are for development: report on others.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a broken bench should stop where it broke, and its result is printed"
)]

#[path = "support/calibration.rs"]
mod calibration;
#[path = "../tests/support/score.rs"]
mod score;
#[expect(dead_code, reason = "the other benches share more")]
mod support;
#[path = "../tests/support/world/mod.rs"]
#[expect(
    dead_code,
    reason = "the samples need more of the world than a month does"
)]
mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tipstaff::detector::load_options;
use tipstaff::rule::{RuleSet, load};

use calibration::Calibration;
use score::{Incident, Outcome, Score, Whose, judge, watch};
use support::compiled;
use world::month::{Month, Plan, TECHNIQUES, month};
use world::stamp::{At, DAY, MINUTE};

/// What was asked for.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word of the command line"
)]
#[derive(Default)]
struct Asked {
    seeds: Vec<u64>,
    technique: Option<String>,
    rules: Vec<PathBuf>,
    keep: Option<PathBuf>,
    calibration: bool,
    misses: bool,
    alone: bool,
    people: Option<i64>,
    bare: bool,
}

/// `None` where another bench is meant, or none: `cargo test` runs benches too,
/// without a word.
fn asked() -> Option<Asked> {
    if std::env::args().len() < 2 {
        return None;
    }
    let mut asked = Asked::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seeds" => {
                let text = words.next().unwrap();
                let (first, last) = text.split_once("..").unwrap_or((&text, &text));
                asked.seeds = (first.parse().unwrap()..=last.parse().unwrap()).collect();
            }
            "--technique" => asked.technique = words.next(),
            "--rules" => asked.rules.push(words.next().unwrap().into()),
            "--keep" => asked.keep = words.next().map(PathBuf::from),
            "--calibration" => asked.calibration = true,
            "--people" => asked.people = words.next().map(|text| text.parse().unwrap()),
            "--alone" => asked.alone = true,
            "--bare" => asked.bare = true,
            "--misses" => asked.misses = true,
            // Words without dashes choose among all benches.
            other if !other.starts_with('-') => {
                if !"worlds".contains(other) {
                    return None;
                }
            }
            "--bench" => {}
            other => panic!("what is {other}?"),
        }
    }
    if asked.seeds.is_empty() {
        asked.seeds = vec![1];
    }
    if asked.rules.is_empty() {
        asked.rules = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")];
    }
    if let Some(technique) = &asked.technique {
        let known = TECHNIQUES.iter().any(|row| row.name == technique);
        assert!(known, "no technique is called {technique}");
    }
    Some(asked)
}

/// The months to make: one a seed, or one a technique and seed.
fn plans(asked: &Asked) -> Vec<Plan> {
    let rows = || TECHNIQUES.iter().map(|row| Some(row.name.to_owned()));
    let only: Vec<_> = match &asked.technique {
        Some(technique) => vec![Some(technique.clone())],
        None if asked.alone => rows().collect(),
        None => vec![None],
    };
    let of = |seed: u64| {
        only.iter().map(move |only| {
            let mut plan = Plan::full(seed);
            plan.only.clone_from(only);
            plan.people = asked.people.unwrap_or(plan.people);
            if plan.only.is_some() {
                plan.each = 5;
            }
            plan
        })
    };
    asked.seeds.iter().flat_map(|&seed| of(seed)).collect()
}

fn main() {
    let Some(asked) = asked() else {
        return;
    };
    let rules = load(&asked.rules, &load_options()).unwrap().rules;
    let mut days = 0;
    let mut scores = Vec::new();
    let mut calibration = Calibration::default();
    for plan in plans(&asked) {
        let mut twin = month(&plan, false);
        if asked.bare {
            twin.tables.clear();
        }
        if asked.calibration {
            calibration.add(&rules, &twin, plan.days);
            continue;
        }
        let mut attacked = month(&plan, true);
        if asked.bare {
            attacked.tables.clear();
        }
        days += plan.days;
        let score = one(&asked, plan.seed, &rules, &attacked, &twin);
        println!(
            "seed {}{}: {} of {} found, {:.1} false incidents a day",
            plan.seed,
            plan.only.map(|only| format!(" {only}")).unwrap_or_default(),
            found(&score.outcomes),
            score.outcomes.len(),
            a_day(&score.incidents, plan.days, is_false),
        );
        if asked.misses {
            detail(&attacked, &score);
        }
        scores.push(score);
    }
    if asked.calibration {
        calibration.print();
    }
    if !scores.is_empty() {
        report(&scores, days);
    }
}

/// One month and its twin, replayed and judged.
fn one(asked: &Asked, seed: u64, rules: &RuleSet, attacked: &Month, twin: &Month) -> Score {
    let detector = compiled(rules);
    let scratch = tempfile::tempdir().unwrap();
    let folder = match &asked.keep {
        Some(folder) => folder.join(seed.to_string()),
        None => scratch.path().to_owned(),
    };
    for table in asked.keep.iter().flat_map(|_| &attacked.tables) {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(&table.path), &table.text).unwrap();
    }
    let said = watch(&detector, attacked, &folder.join("attacked"));
    let quiet = watch(&detector, twin, &folder.join("twin"));
    judge(attacked, &said, &quiet)
}

fn found(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|o| o.delay.is_some()).count()
}

fn is_false(whose: Whose) -> bool {
    matches!(whose, Whose::Nobody | Whose::Wake | Whose::Oddity(_))
}

fn a_day(incidents: &[Incident], days: i64, which: impl Fn(Whose) -> bool) -> f64 {
    let count = incidents.iter().filter(|i| which(i.whose)).count();
    f64::from(u32::try_from(count).unwrap()) / f64::from(u32::try_from(days).unwrap())
}

fn share(part: usize, whole: usize) -> String {
    format!("{part}/{whole}")
}

fn median(mut values: Vec<At>) -> Option<At> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

fn report(scores: &[Score], days: i64) {
    let all: Vec<_> = scores.iter().flat_map(|s| &s.outcomes).collect();
    println!(
        "\n| technique | found | before payload | median delay (min) | rules |\n|---|---|---|---|---|"
    );
    for row in TECHNIQUES {
        let of: Vec<_> = all.iter().filter(|o| o.technique == row.name).collect();
        if of.is_empty() {
            continue;
        }
        let delays: Vec<_> = of.iter().filter_map(|o| o.delay).collect();
        let in_time = of.iter().filter(|o| o.in_time).count();
        let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
        for (rule, _) in of.iter().flat_map(|o| &o.rules) {
            *rules.entry(rule).or_default() += 1;
        }
        let rules: Vec<_> = rules
            .iter()
            .map(|(rule, n)| format!("{rule} {n}"))
            .collect();
        println!(
            "| {}{} | {} | {} | {} | {} |",
            row.name,
            if row.burst { " *" } else { "" },
            share(delays.len(), of.len()),
            share(in_time, of.len()),
            median(delays).map_or("-".into(), |at| (at / MINUTE).to_string()),
            rules.join(", "),
        );
    }
    let hits = all.iter().filter(|o| o.delay.is_some()).count();
    let burst = |o: &&&Outcome| TECHNIQUES.iter().any(|t| t.burst && t.name == o.technique);
    let delays: Vec<_> = all.iter().filter(burst).filter_map(|o| o.delay).collect();
    println!(
        "\nfound {} = {} %; bursts (*): median delay {} min",
        share(hits, all.len()),
        hits * 100 / all.len().max(1),
        median(delays).map_or(-1, |at| at / MINUTE),
    );
    let incidents: Vec<_> = scores.iter().flat_map(|s| s.incidents.clone()).collect();
    let twin: Vec<_> = scores.iter().flat_map(|s| s.twin.clone()).collect();
    println!(
        "false incidents a day {:.2} (of these odd and honest {:.2}, in an attack's wake {:.2}); background {:.2}; in the twin {:.2}",
        a_day(&incidents, days, is_false),
        a_day(&incidents, days, |w| matches!(w, Whose::Oddity(_))),
        a_day(&incidents, days, |w| w == Whose::Wake),
        a_day(&incidents, days, |w| w == Whose::Background),
        a_day(&twin, days, is_false),
    );
    let right = incidents
        .iter()
        .filter(|i| i.whose == Whose::Attack)
        .count();
    let wrong = incidents.iter().filter(|i| is_false(i.whose)).count();
    println!("precision {} %", right * 100 / (right + wrong).max(1));
    by_rule(&incidents);
}

/// False incidents of each rule, and whose they are.
fn by_rule(incidents: &[Incident]) {
    let mut rules: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    for incident in incidents {
        let whose = match incident.whose {
            Whose::Oddity(what) => what.to_owned(),
            whose => format!("{whose:?}").to_lowercase(),
        };
        let of = rules.entry(&incident.rule).or_default();
        *of.entry(whose).or_default() += 1;
    }
    println!("\n| rule | false | all incidents, by whose they are |\n|---|---|---|");
    let false_of = |of: &BTreeMap<String, usize>| -> usize {
        let honest =
            |(whose, _): &(&String, &usize)| !["attack", "background"].contains(&whose.as_str());
        of.iter().filter(honest).map(|(_, n)| n).sum()
    };
    let mut sorted: Vec<_> = rules.into_iter().collect();
    sorted.sort_by_key(|(rule, of)| (std::cmp::Reverse(false_of(of)), *rule));
    for (rule, of) in sorted {
        let whose: Vec<_> = of.iter().map(|(whose, n)| format!("{whose} {n}")).collect();
        println!("| {rule} | {} | {} |", false_of(&of), whose.join(", "));
    }
}

/// Each attack and each false incident in a line.
fn detail(month: &Month, score: &Score) {
    for (attack, outcome) in month.attacks.iter().zip(&score.outcomes) {
        let about: Vec<_> = attack.entities.iter().take(6).map(String::as_str).collect();
        let after = outcome
            .delay
            .map_or("missed".into(), |at| format!("{} min", at / MINUTE));
        println!(
            "{} {} for {} min: {after} {about:?}",
            attack.technique,
            when(attack.span.start),
            (attack.span.end - attack.span.start) / MINUTE,
        );
        for (rule, bits) in &outcome.rules {
            println!("    {bits:.1} bits [{rule}]");
        }
    }
    for incident in score.incidents.iter().filter(|i| is_false(i.whose)) {
        println!(
            "false: {} {:.1} bits [{}] {} {:?}",
            when(incident.at),
            incident.bits,
            incident.rule,
            incident.entity,
            incident.whose
        );
    }
}

fn when(at: At) -> String {
    let text = world::stamp::zeek_open(at);
    format!(
        "day {} {}",
        (at - world::stamp::START) / DAY,
        text.get(11..).unwrap()
    )
}
