//! Whether budgets are kept and calibrated bits are what they say, in the second
//! half of months without attacks, by what was learnt before each day.
//!
//! Each baseline is given a budget and nothing else to hold it back. Calibrated
//! bits are `-log2` of the part of the (entity, day) pairs that reach a score, so
//! b bits are a budget as well: 2^-b times the entities of a day. What is counted
//! is incidents: a rule about an entity within 24 hours.

use std::collections::BTreeMap;

use tipstaff::rule::{Baseline, Body, Bound, Operator, Rule, RuleSet};
use tipstaff::time::Span;

use super::score::{judge, watch};
use super::support::compiled;
use super::world::month::Month;
use super::world::stamp::{At, at};

/// Alerts a day that a rule may be allowed.
const BUDGETS: [f64; 5] = [1.0, 0.5, 0.2, 0.1, 0.05];

/// Calibrated bits.
const BITS: [f64; 4] = [8.0, 12.0, 16.0, 20.0];

/// More than any rule raises.
const ALL: f64 = 1e4;

/// Stands between a rule's title and its column.
const MARK: char = '\u{1f}';

/// Incidents of one rule, summed over the months.
#[derive(Clone, Debug, Default)]
struct Raised {
    kind: String,
    /// Entities, once for each day.
    entities: f64,
    /// Incidents with one bit or more.
    any: u32,
    /// By budget, and by calibrated bits, with how many these stand for.
    budgets: [u32; BUDGETS.len()],
    bits: [u32; BITS.len()],
    nominal: [f64; BITS.len()],
}

/// What all months have shown.
#[derive(Default)]
pub(crate) struct Calibration {
    days: f64,
    rules: BTreeMap<String, Raised>,
}

/// A baseline that nothing but its budget holds back.
fn allowed(mut baseline: Baseline, budget: f64) -> Baseline {
    baseline.budget = Some(budget);
    baseline.surprise = 1.0;
    baseline.value = least(1.0);
    baseline
}

fn least(value: f64) -> Vec<Bound> {
    vec![Bound {
        operator: Operator::Gte,
        value,
    }]
}

/// A baseline that tells who there is: whose events could be counted.
fn present(mut baseline: Baseline) -> Baseline {
    if baseline.kind == "failures_then_success" {
        // Who only fails is nobody.
        baseline.members.drain(..baseline.members.len() - 1);
    }
    "event_count".clone_into(&mut baseline.kind);
    baseline.fields = Vec::new();
    baseline.prevalence = None;
    baseline.count_only = None;
    baseline.learn.warm_up = Span::ZERO;
    baseline.learn.min_buckets = 0;
    baseline.learn.delay = None;
    baseline.surprise = 1e-6;
    baseline.budget = None;
    baseline.value = least(1.0);
    baseline
}

fn baselines(rules: &RuleSet) -> impl Iterator<Item = (&Rule, &Baseline)> {
    rules.rules.iter().filter_map(|rule| match &rule.body {
        Body::Baseline(baseline) => Some((rule, baseline)),
        _ => None,
    })
}

/// Incidents from `start` on of what each baseline is changed into, by title and
/// column, all in one replay.
fn raised(
    rules: &RuleSet,
    twin: &Month,
    start: At,
    change: impl Fn(&str, &Baseline) -> Vec<Baseline>,
) -> BTreeMap<(String, usize), u32> {
    let mut given = rules.clone();
    for (rule, baseline) in baselines(rules) {
        for (column, baseline) in change(&rule.header.title, baseline).into_iter().enumerate() {
            let mut rule = rule.clone();
            rule.header.title = format!("{}{MARK}{column}", rule.header.title);
            rule.header.id = None;
            rule.body = Body::Baseline(baseline);
            given.rules.push(rule);
        }
    }
    let scratch = tempfile::tempdir().unwrap();
    let said = watch(&compiled(&given), twin, scratch.path());
    let mut counts = BTreeMap::new();
    for incident in judge(twin, &[], &said).twin {
        if let (true, Some((title, column))) =
            (incident.at >= start, incident.rule.split_once(MARK))
        {
            let column = column.parse().unwrap();
            *counts.entry((title.to_owned(), column)).or_default() += 1;
        }
    }
    counts
}

impl Calibration {
    /// Takes a month without attacks in.
    pub(crate) fn add(&mut self, rules: &RuleSet, twin: &Month, days: i64) {
        let start = at(days / 2, 0, 0);
        let half = f64::from(u32::try_from(days - days / 2).unwrap());
        self.days += half;
        let counts = raised(rules, twin, start, |_, baseline| {
            let mut each = vec![present(baseline.clone()), allowed(baseline.clone(), ALL)];
            each.extend(BUDGETS.map(|budget| allowed(baseline.clone(), budget)));
            each
        });
        let count = |title: &str, column: usize| {
            let key = (title.to_owned(), column);
            counts.get(&key).copied().unwrap_or(0)
        };
        for (rule, baseline) in baselines(rules) {
            let title = &rule.header.title;
            let of = self.rules.entry(title.clone()).or_default();
            of.kind.clone_from(&baseline.kind);
            of.entities += f64::from(count(title, 0));
            of.any += count(title, 1);
            for (column, sum) in of.budgets.iter_mut().enumerate() {
                *sum += count(title, column + 2);
            }
            for (sum, bits) in of.nominal.iter_mut().zip(BITS) {
                *sum += f64::from(count(title, 0)) * libm::exp2(-bits);
            }
        }
        let by_bits = raised(rules, twin, start, |title, baseline| {
            let entities = f64::from(count(title, 0)) / half;
            let given = BITS.map(|bits| allowed(baseline.clone(), entities * libm::exp2(-bits)));
            given.to_vec()
        });
        for ((title, column), more) in by_bits {
            let of = self.rules.get_mut(&title).unwrap();
            *of.bits.get_mut(column).unwrap() += more;
        }
    }

    /// Prints two tables.
    pub(crate) fn print(&self) {
        self.print_budgets();
        self.print_bits();
    }

    fn print_budgets(&self) {
        heading("alerts a day allowed", &BUDGETS);
        let (mut kept, mut cells, mut by_chance) = (0, 0, 0.0);
        let mut all = [(0, 0.0); BUDGETS.len()];
        for (title, of) in &self.rules {
            let mut row = Vec::new();
            for ((&count, budget), all) in of.budgets.iter().zip(BUDGETS).zip(&mut all) {
                let nominal = budget * self.days;
                if f64::from(of.any) < nominal {
                    // There is not that much to raise, whatever the threshold.
                    row.push(format!("{count} of {nominal:.1}: -"));
                    continue;
                }
                cells += 1;
                kept += u32::from(is_kept(f64::from(count) / nominal));
                by_chance += chance(nominal);
                *all = (all.0 + count, all.1 + nominal);
                row.push(cell(count, nominal));
            }
            if of.any > 0 {
                println!("| {title} | {} |", row.join(" | "));
            }
        }
        let row = all.map(|(count, nominal)| cell(count, nominal));
        println!("| all that could | {} |", row.join(" | "));
        println!(
            "\n{kept} of {cells} within 1/2 and 2; {by_chance:.1} if nothing but chance (Poisson) were in it"
        );
    }

    fn print_bits(&self) {
        heading("calibrated bits", &BITS);
        let mut kinds: BTreeMap<&str, [(u32, f64); BITS.len()]> = BTreeMap::new();
        for of in self.rules.values() {
            for name in [of.kind.as_str(), "~all"] {
                let sums = kinds.entry(name).or_default();
                for (sum, (count, nominal)) in sums.iter_mut().zip(of.bits.iter().zip(of.nominal)) {
                    *sum = (sum.0 + count, sum.1 + nominal);
                }
            }
        }
        for (kind, sums) in kinds {
            let entities = sums.first().unwrap().1 * 256.0 / self.days;
            let row = sums.map(|(count, nominal)| cell(count, nominal));
            println!(
                "| {}, {entities:.0} entities a day | {} |",
                kind.trim_start_matches('~'),
                row.join(" | ")
            );
        }
    }
}

fn heading(what: &str, columns: &[f64]) {
    let names: Vec<_> = columns.iter().map(ToString::to_string).collect();
    let lines = "---|".repeat(columns.len());
    println!("\n| {what} | {} |\n|---|{lines}", names.join(" | "));
}

fn is_kept(ratio: f64) -> bool {
    (0.5..=2.0).contains(&ratio)
}

/// Observed of nominal, and their ratio, where it is off in bold; of what is
/// expected less than twice no ratio says anything.
fn cell(count: u32, nominal: f64) -> String {
    let ratio = f64::from(count) / nominal.max(1e-9);
    let ratio = match ratio {
        _ if nominal < 2.0 => return format!("{count} of {nominal:.2}"),
        ratio if is_kept(ratio) => format!("{ratio:.2}"),
        ratio => format!("**{ratio:.2}**"),
    };
    format!("{count} of {nominal:.1}: {ratio}")
}

/// The chance that a Poisson variable of this mean is within half and twice it.
fn chance(mean: f64) -> f64 {
    let mut term = libm::exp(-mean);
    let mut sum = 0.0;
    let mut k = 0.0;
    while k <= 2.0 * mean {
        if k >= 0.5 * mean {
            sum += term;
        }
        k += 1.0;
        term *= mean / k;
    }
    sum
}
