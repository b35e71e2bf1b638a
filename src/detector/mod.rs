//! Events become alerts.
//!
//! A [`Detector`] is a compiled rule set, shared by all threads. Workers ask it
//! which rules an event meets ([`Detector::detect`]) and get observations, by
//! lane; a lane's owner feeds them to its [`Lane`], which holds the state of
//! all rules for its share of the entities and raises the alerts:
//!
//! ```text
//! event → index: which detections match → observations, by lane     (workers)
//!       → Lane: KINDS count and learn → episodes → alerts            (lane owners)
//! ```
//!
//! There are always [`LANES`] lanes, however many threads share them out, and
//! a lane's result depends on nothing but its observations in order: alerts
//! are the same for any number of threads. Nothing here knows the time, reads
//! a file, takes a lock, or allocates per line once it is warm.

mod column;
mod compile;
mod condition;
mod correlation;
mod cost;
mod crowd;
mod deed;
mod deviation;
mod encode;
mod evidence;
mod groups;
mod held;
mod index;
mod kind;
mod lane;
mod learnt;
mod marks;
mod modifier;
mod network;
mod observation;
mod pattern;
mod place;
mod regexes;
mod scratch;
mod selection;
mod stamp;
mod unit;

#[cfg(test)]
mod tests;

pub use correlation::{CORRELATIONS, Row as CorrelationRow};
pub use cost::Cost;
pub use deviation::load_options;
pub use evidence::Seen;
pub use held::HeldBack;
pub use kind::KindRow;
pub use lane::{Lane, Size};
pub use learnt::Learner;
pub use marks::Marks;
pub use observation::{LANES, Observation, Observations, Stretch};
pub use place::place;
pub use scratch::Scratch;

use regex_automata::meta::Regex;
use std::sync::Arc;

use compile::{ClassPlan, KeySpec};
use scratch::Key;
use unit::Unit;

use crate::alert::RuleInfo;
use crate::entity::{self, HashKey, V6Prefix};
use crate::event::{Event, LogSource, Value};
use crate::field::{Field, Projection};
use crate::holidays::Holidays;
use crate::rule::{Body, Diagnostic, Logsource, RuleSet};
use crate::time::Span;

/// Every kind of rule that keeps state or raises alerts.
pub static KINDS: &[&KindRow] = &[&selection::ROW, &correlation::ROW, &deviation::ROW];

/// Which rules an event is asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// Those whose logsource is among its log class's; Sigma's names for
    /// fields are translated.
    #[default]
    ByClass,
    /// All, whatever its class; fields have the names that rules use.
    All,
}

/// How a detector works.
#[derive(Clone, Debug)]
pub struct Options {
    /// The instance's secret.
    pub hash: HashKey,
    /// The prefix at which IPv6 addresses are one entity.
    pub v6_prefix: V6Prefix,
    /// Seconds east of UTC, for hours of the day and weekends.
    pub zone_offset: Span,
    /// Days that are like a weekend; the same for all lanes.
    pub holidays: Holidays,
    /// Which rules an event is asked about.
    pub route: Route,
    /// How late an event may be and still be counted.
    pub lateness: Span,
    /// Most groups of each correlation, over all lanes.
    pub groups_max: usize,
    /// What an analyst has marked: nothing is learnt of it.
    pub marks: Arc<Marks>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            hash: HashKey::default(),
            v6_prefix: V6Prefix::default(),
            zone_offset: Span::ZERO,
            holidays: Holidays::default(),
            route: Route::ByClass,
            lateness: Span::from_secs(5),
            // Twice the entities promised, since lanes fill unevenly.
            groups_max: 2_000_000,
            marks: Arc::default(),
        }
    }
}

/// A compiled rule set. Immutable; share it behind an `Arc`.
pub struct Detector {
    options: Options,
    units: Vec<Unit>,
    plans: Vec<ClassPlan>,
    /// Per format, the plans of its log sources.
    plans_of: Vec<Vec<usize>>,
    regexes: regexes::Regexes,
    projection: Arc<Projection>,
    logsources: Vec<Option<Logsource>>,
    unrouted: Vec<usize>,
}

impl Detector {
    /// Compiles a rule set for the log classes there are: per row of the
    /// formats table, its log sources. All mistakes are reported at once.
    pub fn compile(
        rules: &RuleSet,
        classes: &[&'static [LogSource]],
        options: Options,
    ) -> Result<Detector, Vec<Diagnostic>> {
        let flat: Vec<LogSource> = classes
            .iter()
            .flat_map(|kinds| kinds.iter().copied())
            .collect();
        let compiled = compile::compile(rules, &flat, &options)?;
        let mut each = compiled.plan_of.into_iter();
        let formats = classes.iter();
        let plans_of = formats
            .map(|kinds| each.by_ref().take(kinds.len()).collect())
            .collect();
        let logsources = rules.rules.iter().map(|rule| match &rule.body {
            Body::Detection(detection) => Some(detection.logsource.clone()),
            _ => None,
        });
        Ok(Detector {
            options,
            units: compiled.units,
            plans: compiled.plans,
            plans_of,
            regexes: compiled.regexes,
            projection: Arc::new(compiled.projection),
            logsources: logsources.collect(),
            unrouted: compiled.unrouted,
        })
    }

    /// The fields that rules, keys and alerts need.
    pub fn projection(&self) -> Arc<Projection> {
        Arc::clone(&self.projection)
    }

    /// Detections (places in the rule set) that no log class is asked about.
    pub fn unrouted(&self) -> &[usize] {
        &self.unrouted
    }

    /// The rules that can raise alerts, in the rule set's order.
    pub fn alerting(&self) -> impl Iterator<Item = &RuleInfo> {
        self.units
            .iter()
            .filter(|unit| unit.alerts)
            .map(|unit| &unit.info)
    }

    /// Buffers for one worker, large enough that none grows later.
    pub fn scratch(&self) -> Scratch {
        let mut scratch = Scratch::default();
        for plan in &self.plans {
            let (predicates, rules) = plan.index.size();
            scratch.marks.fit(predicates);
            scratch.failed.reserve(predicates);
            scratch.stamps.resize(scratch.stamps.len().max(rules), 0);
            let keys = scratch.keys.len().max(plan.keys.len());
            scratch.keys.resize(keys, Key::default());
        }
        let regexes = self.regexes.list.iter();
        scratch.caches = regexes.map(Regex::create_cache).collect();
        scratch
    }

    /// The detections (places in the rule set) that an event meets, whether
    /// they alert or not. For detectors of [`Route::All`]; `only` leaves out
    /// those whose logsource is not within the given one. Keywords search the
    /// event's line if it has one, otherwise all its values.
    pub fn matches<'s>(
        &self,
        event: &Event<'_>,
        scratch: &'s mut Scratch,
        only: Option<&Logsource>,
    ) -> &'s [u32] {
        scratch.matched.clear();
        if let Some(plan) = self.plan(event) {
            plan.index.matched(event, &self.regexes, scratch);
        }
        if let Some(given) = only {
            scratch.matched.retain(|rule| {
                let wanted = self.logsources.get(*rule as usize);
                wanted.is_some_and(|w| w.as_ref().is_some_and(|w| compile::within(w, given)))
            });
        }
        &scratch.matched
    }

    fn plan(&self, event: &Event<'_>) -> Option<&ClassPlan> {
        match self.options.route {
            Route::All => self.plans.first(),
            Route::ByClass => {
                let plans = self.plans_of.get(usize::from(event.class.format))?;
                let plan = *plans.get(usize::from(event.class.kind))?;
                self.plans.get(plan)
            }
        }
    }

    /// Finds the rules that an event meets and appends what stateful rules
    /// are to know of it. `line` is the line's number in its block.
    pub fn detect(
        &self,
        event: &Event<'_>,
        line: u32,
        scratch: &mut Scratch,
        out: &mut Observations,
    ) {
        let Some(plan) = self.plan(event) else { return };
        plan.index.matched(event, &self.regexes, scratch);
        if scratch.matched.is_empty() {
            return;
        }
        let matched = std::mem::take(&mut scratch.matched);
        let before = out.len();
        let (mut chains, mut again) = (0, false);
        let time = kind::time_of(event);
        let unproven = is_unproven(event);
        let uses = matched.iter().map(|rule| plan.uses.get(*rule as usize));
        for wanted in uses.flatten().flatten() {
            // Without a time no window can hold it.
            let unit = self.units.get(usize::from(wanted.unit));
            if time.is_none() && !unit.is_some_and(|unit| unit.stateless) {
                continue;
            }
            let key = self.key(event, wanted.key, plan, scratch, out);
            let value = match wanted.value {
                Some((place, _)) => self.key(event, place, plan, scratch, out),
                None => Key::NONE,
            };
            let peers = wanted.peers.map_or(Key::NONE, |place| {
                self.key(event, place, plan, scratch, out)
            });
            // Without its group or its value the rule is not told.
            if !key.present || !value.present {
                continue;
            }
            let number = wanted.amount.or(wanted.value.map(|(_, field)| field));
            let number = number.and_then(|field| event.get(field));
            let chain = unit.map_or(0, |unit| unit.chain);
            again |= chains & chain != 0;
            chains |= chain;
            out.push(Observation {
                unit: wanted.unit,
                member: wanted.member,
                lane: key.lane,
                line,
                count: event.count.max(1),
                time: time.unwrap_or_default(),
                key_hash: key.hash,
                key: key.text,
                value_hash: value.hash,
                value: value.text,
                number: number.and_then(if wanted.by_length {
                    column::length_of
                } else {
                    column::number_of
                }),
                peers: if peers.present { peers.hash } else { 0 },
                unproven,
            });
        }
        if again {
            out.later_first(before);
        }
        scratch.matched = matched;
    }

    /// A key of the event at hand, built once.
    fn key(
        &self,
        event: &Event<'_>,
        place: usize,
        plan: &ClassPlan,
        scratch: &mut Scratch,
        out: &mut Observations,
    ) -> Key {
        let epoch = scratch.epoch;
        let (Some(slot), Some(spec)) = (scratch.keys.get_mut(place), plan.keys.get(place)) else {
            return Key::default();
        };
        if slot.epoch == epoch {
            return *slot;
        }
        *slot = Key {
            epoch,
            ..Key::default()
        };
        if let Some(text) = out.write(|text| write_key(text, event, spec, &self.options)) {
            let bytes = text.of(out.text());
            let hash = self.options.hash.hash(bytes);
            let route = spec.route.as_ref().map_or(hash, |route| {
                // A sum, since the units of a chain may order values differently.
                let parts = entity::key_parts(bytes).enumerate();
                let kept = parts.filter(|(at, _)| route.contains(at));
                kept.map(|(_, part)| self.options.hash.hash(part))
                    .fold(0, u64::wrapping_add)
            });
            *slot = Key {
                epoch,
                present: true,
                hash,
                lane: observation::lane_of(route),
                text,
            };
        }
        *slot
    }
}

/// Categories of events in which somebody says who he is.
const CLAIMS: [&[u8]; 4] = [b"authentication", b"session", b"iam", b"process"];

/// Whether an event is an attempt that failed: the names in it are claimed,
/// and nobody has checked them.
fn is_unproven(event: &Event<'_>) -> bool {
    let text = |field| match event.get(field) {
        Some(Value::Text(text)) => text,
        _ => b"",
    };
    text(Field::EVENT_OUTCOME) == b"failure" && CLAIMS.contains(&text(Field::EVENT_CATEGORY))
}

fn write_key(text: &mut Vec<u8>, event: &Event<'_>, spec: &KeySpec, options: &Options) -> bool {
    if !spec.some {
        return spec
            .fields
            .iter()
            .all(|field| push(text, event.get(*field), options));
    }
    let there = spec
        .fields
        .iter()
        .zip(0_u32..)
        .fold(0, |there, (field, bit)| {
            there | i64::from(!matches!(event.get(*field), None | Some(Value::Null))) << bit
        });
    entity::push_int(text, there);
    for field in &spec.fields {
        push(text, event.get(*field), options);
    }
    true
}

/// Appends a value to a key; `false` if there is none. Of several, the first counts.
fn push(text: &mut Vec<u8>, value: Option<Value<'_>>, options: &Options) -> bool {
    let hash = options.hash;
    match value {
        None | Some(Value::Null) => return false,
        Some(Value::Text(value)) => entity::push_text(text, value, hash),
        Some(Value::Ip(ip)) => entity::push_ip(text, ip, options.v6_prefix),
        Some(Value::Int(number)) => entity::push_int(text, number),
        Some(value @ (Value::Float(_) | Value::Bool(_) | Value::Net(_))) => {
            entity::push_text(text, column::text_of(&value, &mut [0; 64]), hash);
        }
        Some(Value::List(members)) => {
            let mut plain = members.iter().filter(|m| !matches!(m, Value::List(_)));
            return plain.any(|member| push(text, Some(*member), options));
        }
    }
    true
}
