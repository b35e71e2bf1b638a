//! Baselines: a statistic learns what is normal, its deviations fire.

use std::collections::BTreeMap;

use super::kind::{Firing, Kind, KindRow, Limits, Overdue, Plan, Refusal, Sighting};
use super::marks::Marked;
use super::observation::LANES;
use crate::alert::{bytes, is_bytes, is_seconds};
use crate::baseline::{
    Census, Crowd, Description, Deviation, Lesson, Only, PARTS, Row, STATISTICS, Sample, Settings,
    Statistic, Want, in_one_lane,
};
use crate::entity::{self, HashKey};
use crate::field::{self, Field};
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
        peers: row.peers,
        only: row.only,
        floor: row.floor,
    };
    LoadOptions {
        statistics: STATISTICS.iter().map(row).collect(),
        ..LoadOptions::default()
    }
}

/// The statistic that a rule names.
fn row(baseline: &Baseline) -> Result<&'static Row, Refusal> {
    let names: Vec<&str> = STATISTICS.iter().map(|row| row.name).collect();
    STATISTICS
        .iter()
        .find(|row| row.name == baseline.kind)
        .copied()
        .ok_or_else(|| {
            Refusal::new(
                "DET010",
                format!("there is no baseline of type `{}`", baseline.kind),
                &format!("use one of: {}", names.join(", ")),
            )
        })
}

fn plan(rule: &Rule, baseline: &Baseline, limits: &Limits) -> Result<Plan, Refusal> {
    let row = row(baseline)?;
    names_what_it_needs(row, baseline)?;
    let settings = settings(rule, baseline, limits)?;
    has_its_steps(rule, row, baseline, settings.only)?;
    let last = u16::try_from(baseline.members.len().saturating_sub(1)).unwrap_or(u16::MAX);
    let floor = settings.floor;
    let several = settings.fields > 1;
    // Of a single field an event without it says nothing.
    let sparse = row.sparse && several;
    let hash = limits.hash;
    let marked = limits.marks.of(&baseline.group_by);
    // A text is looked at by its length where numbers are looked at.
    let by_length =
        row.name == "value_quantile" && baseline.fields.iter().any(|name| is_text(name));
    let numbers = usize::from(row.number && !by_length);
    let texts = baseline.fields.iter().skip(numbers);
    let values = texts.chain(&baseline.prevalence).cloned().collect();
    let amount = baseline.fields.first().filter(|_| row.number).cloned();
    let numbered = amount.is_some();
    // A beat's sizes and a journey's places are beside what is observed; a sum is it.
    let sums = row.prevalence != Want::Must && !row.many;
    let measure = amount.clone().filter(|_| sums);
    let threshold = threshold(row, baseline, measure.as_deref(), floor);
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
        by_length,
        measure,
        sparse,
        peers: baseline.learn.peers.clone(),
        build: Box::new(move || {
            Box::new(Deviating {
                statistic: (row.build)(&settings),
                row,
                several,
                sparse,
                last,
                numbered,
                names: in_one_lane(row.name).then(BTreeMap::new),
                names_max: 4 * settings.max_entities + 64,
                hash,
                marked: marked.clone(),
            })
        }),
    })
}

/// What it takes, in words.
fn threshold(row: &Row, baseline: &Baseline, measure: Option<&str>, floor: f64) -> String {
    let shown = match measure {
        Some(field) if is_bytes(field) => bytes(floor),
        Some(field) if is_seconds(field) => Span::from_secs(whole_secs(floor)).to_string(),
        _ => floor.to_string(),
    };
    let mut text = format!(">= {:.1} bits", baseline.surprise);
    if let Some(budget) = baseline.budget {
        let none = if baseline.rare_only { " (or none)" } else { "" };
        text = format!("{text} and <= {budget} alerts a day{none}");
    }
    if floor <= 0.0 {
        return text;
    }
    let within = baseline.timespan;
    match row.name {
        // Seconds of silence, not a number in each bucket.
        "silence" => format!("{text} and >= {}", Span::from_secs(whole_secs(floor))),
        "event_drop" => format!("{text} where >= {floor} in {within} are expected"),
        "value_quantile" => format!("{text} and >= {shown}"),
        _ => format!("{text} and >= {shown} in {within}"),
    }
}

/// Whether a field is one of ours whose values are texts.
fn is_text(name: &str) -> bool {
    let info = Field::named(name).and_then(Field::info);
    info.is_some_and(|info| info.kind == field::Kind::Text)
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
    if row.number && row.many && baseline.fields.len() != 2 {
        return Err(Refusal::new(
            "DET016",
            format!(
                "a baseline of type `{}` looks at a number and at a value",
                row.name
            ),
            "name both: `field: [source.geo.point, source.as.number]`",
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
        holidays: limits.holidays.clone(),
        prior: learn.prior,
        min_buckets: learn.min_buckets,
        warm_up: learn.warm_up,
        winsor_bits: learn.winsor_bits,
        delay: learn.delay,
        hold: learn.hold,
        growth: learn.growth,
        max_entities: if in_one_lane(&baseline.kind) {
            learn.max_entities
        } else {
            learn.max_entities.div_ceil(LANES)
        },
        surprise: baseline.surprise,
        budget: baseline.budget,
        rare_only: baseline.rare_only,
        floor,
        paired: baseline
            .prevalence
            .as_ref()
            .is_some_and(|name| baseline.group_by.contains(name)),
        peers: learn.peers.is_some(),
        fields: baseline.fields.len(),
        heavy: baseline.fields.first().is_some_and(|field| is_bytes(field)),
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
    /// Whether the rule names several fields, and whether some may be missing.
    several: bool,
    sparse: bool,
    /// The last of the rule's members.
    last: u16,
    /// Whether the rule names a field to look at as a number.
    numbered: bool,
    /// Keys of entities that may turn out overdue, without an event that has theirs.
    names: Option<BTreeMap<u64, Vec<u8>>>,
    names_max: usize,
    hash: HashKey,
    marked: Marked,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of events, which saturates"
)]
fn whole(observed: f64) -> u64 {
    observed.max(0.0) as u64
}

impl Deviating {
    /// The values one by one; none of those that the event lacks.
    fn parts(&self, sighting: &Sighting<'_>) -> [u64; PARTS] {
        // A single value's hash is its part's.
        let mut parts = [sighting.value, 0, 0, 0];
        if self.several {
            let (there, values) = if self.sparse {
                entity::split_int(sighting.value_text).unwrap_or_default()
            } else {
                (i64::MAX, sighting.value_text)
            };
            let mut values = entity::key_parts(values);
            for (bit, part) in parts.iter_mut().enumerate() {
                let value = if there >> bit & 1 == 1 {
                    values.next()
                } else {
                    None
                };
                *part = value.map_or(0, |value| self.hash.hash(value));
            }
        }
        parts
    }

    /// Keeps the key of who may turn out overdue, as long as anything is kept of it.
    fn remember(&mut self, sighting: &Sighting<'_>) {
        let Some(names) = &mut self.names else {
            return;
        };
        if names.contains_key(&sighting.key) {
            return;
        }
        if names.len() >= self.names_max {
            names.retain(|&key, _| self.statistic.keeps(key));
        }
        names.insert(sighting.key, sighting.key_text.to_vec());
    }
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
fn whole_secs(seconds: f64) -> i64 {
    seconds as i64
}

fn firing(row: &Row, deviation: Deviation, count: u32) -> Firing {
    Firing {
        since: deviation.since,
        // Counted so far in the bucket; a first value is one event.
        events: if row.counts {
            whole(deviation.observed)
        } else {
            u64::from(count)
        },
        observed: Some(deviation.observed),
        margin: None,
        deviation: Some(deviation),
    }
}

impl Kind for Deviating {
    fn observe(&mut self, sighting: &Sighting<'_>) -> Option<Firing> {
        let number = sighting.number.filter(|_| self.numbered);
        if self.numbered && self.row.prevalence != Want::Must && number.is_none() {
            return None; // nothing to add up
        }
        let parts = self.parts(sighting);
        self.remember(sighting);
        let deviation = self.statistic.observe(&Sample {
            key: sighting.key,
            time: sighting.time,
            count: sighting.count,
            value: sighting.value,
            parts,
            amount: number,
            last: sighting.member == self.last,
            peers: sighting.peers,
            lesson: if self.marked.covers(sighting.key_text, sighting.time) {
                Lesson::None
            } else if sighting.unproven {
                Lesson::Unproven
            } else {
                Lesson::Whole
            },
        })?;
        Some(firing(self.row, deviation, sighting.count))
    }

    fn overdue(&mut self, now: Time) -> Option<Overdue> {
        let (key, deviation) = self.statistic.overdue(now)?;
        let text = self.names.as_ref().and_then(|names| names.get(&key));
        Some(Overdue {
            key,
            text: text.cloned().unwrap_or_default(),
            firing: firing(self.row, deviation, 0),
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

    fn describe(&self, key: u64, now: Time) -> Option<Description> {
        self.statistic.describe(key, now)
    }

    fn forget(&mut self, key: u64) -> bool {
        if let Some(names) = &mut self.names {
            names.remove(&key);
        }
        self.statistic.forget(key)
    }

    fn keys(&self) -> Vec<u64> {
        self.statistic.keys()
    }

    fn crowd(&self) -> Crowd {
        self.statistic.crowd()
    }

    fn size(&self) -> (usize, usize) {
        let (entities, bytes) = self.statistic.size();
        let names = self.names.iter().flat_map(BTreeMap::values);
        let names: usize = names.map(|name| name.len() + 48).sum();
        (entities, bytes + names)
    }

    fn save(&self) -> Vec<u8> {
        let state = self.statistic.save();
        match &self.names {
            // Writing to memory cannot fail.
            Some(names) => postcard::to_stdvec(&(names, state)).unwrap_or_default(),
            None => state,
        }
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(names) = &mut self.names else {
            return self.statistic.load(bytes);
        };
        let saved = postcard::from_bytes::<(BTreeMap<u64, Vec<u8>>, Vec<u8>)>(bytes);
        let (saved, state) = saved.map_err(|error| error.to_string())?;
        self.statistic.load(&state)?;
        *names = saved;
        Ok(())
    }
}
