//! Baselines: a statistic learns what is normal, its deviations fire.

use super::kind::{Firing, Kind, KindRow, Limits, Plan, Refusal, Sighting};
use super::observation::LANES;
use crate::baseline::{Census, Only, Row, STATISTICS, Sample, Settings, Statistic, Want};
use crate::entity::{self, HashKey};
use crate::rule::{self, Baseline, Body, LoadOptions, Need, Operator, Rule};
use crate::time::{Span, Time};

pub(crate) static ROW: KindRow = KindRow {
    name: "deviation",
    about: "baselines: what is unusual for an entity",
    stateless: false,
    plan: |rule, limits| match &rule.body {
        Body::Baseline(baseline) => Some(plan(rule, baseline, limits)),
        _ => None,
    },
};

/// How rules are loaded so that they may name the statistics there are.
pub fn load_options() -> LoadOptions {
    let need = |want| match want {
        Want::No => None,
        Want::May => Some(Need::May),
        Want::Must => Some(Need::Must),
    };
    let row = |row: &&Row| rule::Statistic {
        name: row.name,
        field: need(row.field),
        many: row.many,
        prevalence: need(row.prevalence),
        only: row.only,
        floor: row.floor,
    };
    LoadOptions {
        statistics: STATISTICS.iter().map(row).collect(),
        ..LoadOptions::default()
    }
}

fn plan(rule: &Rule, baseline: &Baseline, limits: &Limits) -> Result<Plan, Refusal> {
    let names: Vec<&str> = STATISTICS.iter().map(|row| row.name).collect();
    let row: &'static Row = STATISTICS
        .iter()
        .find(|row| row.name == baseline.kind)
        .copied()
        .ok_or_else(|| {
            Refusal::new(
                "DET010",
                format!("there is no baseline of type `{}`", baseline.kind),
                &format!("use one of: {}", names.join(", ")),
            )
        })?;
    names_what_it_needs(row, baseline)?;
    let settings = settings(rule, baseline, limits)?;
    has_its_steps(rule, row, baseline, settings.only)?;
    let last = u16::try_from(baseline.members.len().saturating_sub(1)).unwrap_or(u16::MAX);
    let floor = settings.floor;
    let several = settings.fields > 1;
    let hash = limits.hash;
    let texts = baseline.fields.iter().filter(|_| !row.number);
    let values = texts.chain(&baseline.prevalence).cloned().collect();
    let amount = baseline.fields.first().filter(|_| row.number).cloned();
    let numbered = amount.is_some();
    let mut threshold = format!(">= {:.1} bits", baseline.surprise);
    if let Some(budget) = baseline.budget {
        threshold = format!("{threshold} and <= {budget} alerts a day");
    }
    if floor > 0.0 {
        threshold = format!("{threshold} and >= {floor} in {}", baseline.timespan);
    }
    Ok(Plan {
        name: match &baseline.count_only {
            Some(only) => format!("baseline {} {only}", row.name),
            None => format!("baseline {}", row.name),
        },
        threshold,
        span: baseline.timespan,
        // One incident per rule and entity a day, unless it gets worse.
        quiet: Span::DAY,
        longest: Span::DAY,
        every_echo: false,
        values,
        amount,
        build: Box::new(move || {
            Box::new(Deviating {
                statistic: (row.build)(&settings),
                row,
                several,
                last,
                numbered,
                hash,
            })
        }),
    })
}

/// The fields that the statistic cannot do without are named, each where it must be.
fn names_what_it_needs(row: &Row, baseline: &Baseline) -> Result<(), Refusal> {
    if row.field == Want::Must && baseline.fields.is_empty() {
        return Err(Refusal::new(
            "DET011",
            format!("a baseline of type `{}` learns a field's values", row.name),
            "name the field: `field: source.ip`",
        ));
    }
    if row.prevalence == Want::Must
        && let Some(name) = &baseline.prevalence
        && !baseline.group_by.contains(name)
    {
        return Err(Refusal::new(
            "DET015",
            format!("`prevalence-of: {name}` is not among what the rule groups by"),
            "add it to `group-by:`, as in [source.ip, destination.ip]",
        ));
    }
    Ok(())
}

/// There are as many rules as what is learnt has steps.
fn has_its_steps(rule: &Rule, row: &Row, baseline: &Baseline, only: Only) -> Result<(), Refusal> {
    let needed = match only {
        Only::NeverSucceeded => 2,
        Only::All | Only::FirstSeen => row.members,
    };
    if baseline.members.len() < needed {
        return Err(Refusal::new(
            "DET014",
            format!(
                "`{}` has no steps: one rule is not enough",
                rule.header.title
            ),
            "name two rules or more under `rules:`, and last the one that the others come before",
        ));
    }
    Ok(())
}

fn settings(rule: &Rule, baseline: &Baseline, limits: &Limits) -> Result<Settings, Refusal> {
    let mut floor: f64 = 0.0;
    for bound in &baseline.value {
        floor = floor.max(match bound.operator {
            Operator::Gte => bound.value,
            // What is observed is a whole number of events or values.
            Operator::Gt => bound.value.floor() + 1.0,
            _ => {
                return Err(Refusal::new(
                    "DET012",
                    format!(
                        "`{}`: a floor is the least value worth reporting",
                        rule.header.title
                    ),
                    "use gte or gt under `value:`",
                ));
            }
        });
    }
    if baseline.timespan <= Span::ZERO {
        return Err(Refusal::new(
            "DET013",
            "a baseline's timespan must be longer than nothing".to_owned(),
            "write `timespan: 1h`",
        ));
    }
    let learn = &baseline.learn;
    Ok(Settings {
        timespan: baseline.timespan,
        half_life: learn.half_life,
        season: learn.season,
        zone_offset: limits.zone_offset,
        prior: learn.prior,
        min_buckets: learn.min_buckets,
        warm_up: learn.warm_up,
        winsor_bits: learn.winsor_bits,
        max_entities: learn.max_entities.div_ceil(LANES),
        surprise: baseline.surprise,
        budget: baseline.budget,
        floor,
        fields: baseline.fields.len(),
        only: baseline
            .count_only
            .as_deref()
            .and_then(Only::named)
            .unwrap_or_default(),
    })
}

struct Deviating {
    statistic: Box<dyn Statistic>,
    row: &'static Row,
    /// Whether the rule names several fields.
    several: bool,
    /// The last of the rule's members.
    last: u16,
    /// Whether the rule names a field to look at as a number.
    numbered: bool,
    hash: HashKey,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of events, which saturates"
)]
fn whole(observed: f64) -> u64 {
    observed.max(0.0) as u64
}

impl Kind for Deviating {
    fn observe(&mut self, sighting: &Sighting<'_>) -> Option<Firing> {
        if self.row.number && self.row.field == Want::Must && sighting.number.is_none() {
            return None; // nothing to add up
        }
        // A single value's hash is its part's.
        let mut parts = [sighting.value, 0, 0, 0];
        if self.several {
            let values = entity::key_parts(sighting.value_text);
            for (part, value) in parts.iter_mut().zip(values) {
                *part = self.hash.hash(value);
            }
        }
        let deviation = self.statistic.observe(&Sample {
            key: sighting.key,
            time: sighting.time,
            count: sighting.count,
            value: sighting.value,
            parts,
            amount: sighting.number.filter(|_| self.numbered),
            last: sighting.member == self.last,
        })?;
        Some(Firing {
            since: deviation.since,
            // Counted so far in the bucket; a first value is one event.
            events: if self.row.counts {
                whole(deviation.observed)
            } else {
                u64::from(sighting.count)
            },
            observed: Some(deviation.observed),
            margin: None,
            deviation: Some(deviation),
        })
    }

    fn label(&self, key: u64, term: &str) -> Option<String> {
        self.statistic.label(key, term)
    }

    fn facts(&self, key: u64) -> Vec<(&'static str, f64)> {
        self.statistic.facts(key)
    }

    fn census(&mut self, now: Time) -> Census {
        self.statistic.census(now)
    }

    fn adopt(&mut self, population: &Census, now: Time) {
        self.statistic.adopt(population, now);
    }

    fn size(&self) -> (usize, usize) {
        self.statistic.size()
    }

    fn save(&self) -> Vec<u8> {
        self.statistic.save()
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.statistic.load(bytes)
    }
}
