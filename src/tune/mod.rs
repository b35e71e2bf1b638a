//! What other thresholds would have raised: one replay under many of them.
//!
//! Each rule whose threshold can move is joined by copies of itself with
//! others, so that every number is that of alerts really raised: a sliding
//! window keeps no more than its threshold needs, and where a lower threshold
//! joins two episodes into one, no score kept at the side could tell. It costs
//! the state of about ten rules for each.

mod report;

pub use report::{Report, RuleReport, Step, Unit};

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;

use crate::alert::Alert;
use crate::detector::{CORRELATIONS, Detector, Options};
use crate::pipeline::{Progress, ReplayOptions, Summary, classes, replay};
use crate::rule::{Body, Bound, Diagnostic, Operator, Rule, RuleSet};
use crate::sync::Arc;
use crate::time::{SECS_PER_DAY, Span, Time};

/// Bits of surprise that are tried besides a rule's own. Below 4 (1 in 16) a
/// score says nothing.
const BITS: [f64; 12] = [
    4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0, 16.0, 20.0, 28.0, 40.0,
];

/// Parts of a rule's own count that are tried; never below 2.
const PARTS: [f64; 11] = [0.25, 0.35, 0.5, 0.7, 0.85, 1.2, 1.4, 2.0, 3.0, 5.0, 10.0];

/// Entities shown per rule.
const TOP: usize = 5;

/// A rule whose threshold can be moved, and what was counted for it.
struct Dial {
    title: String,
    unit: Unit,
    /// What it is set to.
    own: f64,
    /// By threshold, in thousandths so that they have an order.
    tried: BTreeMap<i64, Tally>,
}

/// The alerts of one rule under one threshold.
#[derive(Default)]
struct Tally {
    threshold: f64,
    by_day: BTreeMap<i64, u64>,
    by_entity: BTreeMap<Vec<u8>, u64>,
}

/// Replays the paths once and reports on every rule whose threshold can move.
/// `budget` is in alerts a day.
pub fn tune(
    options: &ReplayOptions,
    rules: &RuleSet,
    base: &Options,
    budget: Option<f64>,
    progress: &Progress,
) -> Result<(Report, Summary), Vec<Diagnostic>> {
    let alone = Detector::compile(rules, &classes(), base.clone())?;
    let alerting = alone.alerting().map(|info| info.id.clone()).collect();
    let mut joined = rules.clone();
    let (mut dials, names) = join(&mut joined, &alerting);
    let detector = Arc::new(Detector::compile(&joined, &classes(), base.clone())?);
    let summary = replay(options, &detector, progress, &mut |alert| {
        let Some((dial, threshold)) = names.get(&alert.rule.id) else {
            return;
        };
        let tally = dials
            .get_mut(*dial)
            .and_then(|d| d.tried.get_mut(threshold));
        if let (Some(tally), 0) = (tally, alert.revision) {
            tally.add(alert);
        }
    });
    let days = days(&summary);
    let rules = dials.iter().map(|dial| dial.report(days, budget));
    let report = Report {
        days,
        rules: rules.collect(),
        budget,
    };
    Ok((report, summary))
}

/// By the id that alerts carry, the dial and its threshold.
type Names = BTreeMap<String, (usize, i64)>;

/// Adds a copy for each other threshold of each alerting rule that has one.
fn join(rules: &mut RuleSet, alerting: &BTreeSet<String>) -> (Vec<Dial>, Names) {
    let (mut dials, mut names) = (Vec::new(), Names::new());
    for at in 0..rules.rules.len() {
        let Some((rule, own, unit)) = rules.rules.get(at).and_then(movable) else {
            continue;
        };
        let header = &rule.header;
        let id = header.id.clone().unwrap_or_else(|| header.title.clone());
        if !alerting.contains(&id) {
            continue; // it only serves others
        }
        let (rule, mut tried) = (rule.clone(), BTreeMap::new());
        for threshold in thresholds(own, unit, most(&rule)) {
            let key = milli(threshold);
            let tally = Tally {
                threshold,
                ..Tally::default()
            };
            tried.insert(key, tally);
            if key == milli(own) {
                names.insert(id.clone(), (dials.len(), key));
                continue;
            }
            let mut copy = rule.clone();
            let name = format!("{id} at {threshold}");
            copy.header.id = Some(name.clone());
            copy.header.name = None;
            set(&mut copy, threshold);
            names.insert(name, (dials.len(), key));
            rules.rules.push(copy);
        }
        dials.push(Dial {
            title: rule.header.title,
            unit,
            own,
            tried,
        });
    }
    (dials, names)
}

/// A rule with one threshold, which it alerts above; what it is set to.
fn movable(rule: &Rule) -> Option<(&Rule, f64, Unit)> {
    match &rule.body {
        Body::Baseline(baseline) => Some((rule, baseline.surprise, Unit::Bits)),
        Body::Correlation(correlation) => match correlation.bounds.as_slice() {
            [Bound { operator, value }] => match operator {
                Operator::Gte => Some((rule, *value, Unit::AtLeast)),
                Operator::Gt => Some((rule, *value, Unit::MoreThan)),
                _ => None,
            },
            _ => None,
        },
        Body::Detection(_) | Body::Filter(_) => None,
    }
}

fn set(rule: &mut Rule, threshold: f64) {
    match &mut rule.body {
        Body::Baseline(baseline) => baseline.surprise = threshold,
        Body::Correlation(correlation) => {
            for bound in &mut correlation.bounds {
                bound.value = threshold;
            }
        }
        Body::Detection(_) | Body::Filter(_) => {}
    }
}

/// What a rule's threshold may be at most.
fn most(rule: &Rule) -> f64 {
    let Body::Correlation(correlation) = &rule.body else {
        return f64::INFINITY;
    };
    let row = CORRELATIONS.iter().find(|row| row.name == correlation.kind);
    row.map_or(f64::INFINITY, |row| row.bound_max)
}

/// Its own and what is tried besides.
fn thresholds(own: f64, unit: Unit, most: f64) -> Vec<f64> {
    let others: Vec<f64> = match unit {
        Unit::Bits => BITS.to_vec(),
        Unit::AtLeast | Unit::MoreThan => PARTS
            .iter()
            .map(|part| (own * part).round().max(2.0))
            .collect(),
    };
    let others = others.into_iter().filter(|value| *value <= most);
    let all = others.chain([own]);
    let distinct: BTreeMap<i64, f64> = all.map(|value| (milli(value), value)).collect();
    distinct.into_values().collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "thresholds stay below 1e9, and `as` saturates"
)]
fn milli(threshold: f64) -> i64 {
    (threshold * 1000.0).round() as i64
}

/// How many days the logs cover, so that quiet days count.
fn days(summary: &Summary) -> u64 {
    let day = |t: Time| t.secs().div_euclid(SECS_PER_DAY);
    match (summary.first, summary.last) {
        (Some(first), Some(last)) => u64::try_from(day(last) - day(first) + 1).unwrap_or(1),
        _ => 0,
    }
}

impl Tally {
    fn add(&mut self, alert: &Alert) {
        *self.by_day.entry(alert.time.bucket(Span::DAY)).or_default() += 1;
        let values: Vec<&[u8]> = alert.entity.iter().map(|(_, v)| v.as_slice()).collect();
        *self.by_entity.entry(values.join(&b" "[..])).or_default() += 1;
    }

    fn step(&self, days: u64) -> Step {
        let mut step = Step {
            threshold: self.threshold,
            total: self.by_day.values().sum(),
            ..Step::default()
        };
        // A day's alerts reach thousands; 3 significant figures are enough.
        let Ok(mut counts) = Histogram::<u64>::new(3) else {
            return step;
        };
        for count in self.by_day.values() {
            counts.saturating_record(*count);
        }
        counts.saturating_record_n(0, days.saturating_sub(self.by_day.len() as u64));
        step.median = counts.value_at_quantile(0.5);
        step.p95 = counts.value_at_quantile(0.95);
        step.max = counts.max();
        step
    }

    fn top(&self) -> Vec<(Vec<u8>, u64)> {
        let mut top: Vec<_> = self.by_entity.clone().into_iter().collect();
        top.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        top.truncate(TOP);
        top
    }
}

impl Dial {
    fn report(&self, days: u64, budget: Option<f64>) -> RuleReport {
        let own = self.tried.get(&milli(self.own));
        let mut steps: Vec<Step> = self.tried.values().map(|t| t.step(days)).collect();
        never_rising(&mut steps);
        let meets = budget.filter(|_| days > 0).and_then(|budget| {
            let fits = |step: &&Step| real(step.total) <= budget * real(days);
            steps.iter().find(fits).copied()
        });
        RuleReport {
            title: self.title.clone(),
            unit: self.unit,
            now: own.map_or_else(Step::default, |tally| tally.step(days)),
            steps,
            top: own.map_or_else(Vec::new, Tally::top),
            meets,
        }
    }
}

/// A lower threshold can join two episodes into one; so that nobody takes it
/// for the quieter one, what a higher threshold raises stands for it as well.
fn never_rising(steps: &mut [Step]) {
    let mut above = Step::default();
    for step in steps.iter_mut().rev() {
        step.total = step.total.max(above.total);
        step.median = step.median.max(above.median);
        step.p95 = step.p95.max(above.p95);
        step.max = step.max.max(above.max);
        above = *step;
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of days and alerts")]
fn real(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dial(alerts: &[(f64, &[i64])]) -> Dial {
        let tally = |(threshold, days): &(f64, &[i64])| {
            let mut tally = Tally {
                threshold: *threshold,
                ..Tally::default()
            };
            for day in *days {
                *tally.by_day.entry(*day).or_default() += 1;
            }
            (milli(*threshold), tally)
        };
        Dial {
            title: "Rule".into(),
            unit: Unit::Bits,
            own: 10.0,
            tried: alerts.iter().map(tally).collect(),
        }
    }

    #[test]
    fn quiet_days_count_in_the_median() {
        let report = dial(&[(10.0, &[3, 3])]).report(5, None);
        let now = report.now;
        assert_eq!((now.total, now.median, now.p95, now.max), (2, 0, 2, 2));
    }

    #[test]
    fn the_threshold_for_a_budget_is_the_lowest_that_lets_no_more_through() {
        let dial = dial(&[(6.0, &[1, 1, 2, 3, 4]), (10.0, &[1, 1, 2]), (20.0, &[1])]);
        let meets = |budget| dial.report(5, Some(budget)).meets.map(|s| s.threshold);
        assert_eq!(meets(1.0), Some(6.0));
        assert_eq!(meets(0.6), Some(10.0));
        assert_eq!(meets(0.59), Some(20.0));
        assert_eq!(meets(0.1), None);
    }

    #[test]
    fn episodes_joined_by_a_low_threshold_do_not_make_it_look_quiet() {
        let steps = dial(&[(6.0, &[1]), (10.0, &[1, 2]), (20.0, &[2])]).report(5, Some(0.2));
        let totals: Vec<u64> = steps.steps.iter().map(|step| step.total).collect();
        assert_eq!(totals, [2, 2, 1]);
        assert_eq!(steps.meets.map(|step| step.threshold), Some(20.0));
    }

    #[test]
    fn a_rules_own_threshold_is_among_those_tried_and_each_once() {
        assert_eq!(
            thresholds(3.0, Unit::AtLeast, 12.0),
            [2.0, 3.0, 4.0, 6.0, 9.0]
        );
        assert!(thresholds(7.5, Unit::Bits, f64::INFINITY).is_sorted());
        assert!(thresholds(7.5, Unit::Bits, f64::INFINITY).contains(&7.5));
    }
}
