//! What was learnt, for commands that show or change it: whose it is, where it
//! comes from, and how one entity's baseline is written.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::lists::Lists;
use super::terminal::Terminal;
use super::{replay, rules};
use crate::alert::Episode;
use crate::baseline::Description;
use crate::detector::{Detector, Learner, Options as Detecting};
use crate::enrich::Tables;
use crate::entity::V6Prefix;
use crate::pipeline::{Progress, Reading, Readings, ReplayOptions, Start, State, replay_to_state};
use crate::sync::Arc;
use crate::time::{Span, Time};

/// Short names of the fields that entities are mostly told apart by.
const SHORT: &[(&str, &str)] = &[
    ("user", "user.name"),
    ("host", "host.name"),
    ("ip", "source.ip"),
    ("source", "source.ip"),
    ("destination", "destination.ip"),
    ("process", "process.name"),
];

/// `user:alice` as `(user.name, alice)`.
pub(super) fn named(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once(':')
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
        .ok_or("give a field and its value, such as user:alice or source.ip:192.0.2.7")?;
    let known = SHORT.iter().find(|(short, _)| *short == name);
    let field = known.map_or(name, |(_, field)| field);
    Ok((field.to_owned(), value.to_owned()))
}

/// Which rules learnt it.
#[derive(Debug, clap::Args)]
pub(super) struct Rules {
    /// Files or folders of rules; can be given more than once
    ///
    /// Those that the state was learnt under; found as by `replay`.
    #[arg(long = "rules", short = 'r', value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Bits of the IPv6 network that counts as one address: 48 to 128
    #[arg(long, value_name = "BITS", default_value = "64", value_parser = replay::v6_prefix)]
    ipv6_prefix: V6Prefix,

    #[command(flatten)]
    lists: Lists,
}

impl Rules {
    pub(super) fn compile(
        &self,
        tables: &Tables,
        terminal: Terminal,
    ) -> Result<Arc<Detector>, Failure> {
        let found = rules::find(&self.paths)?;
        let loaded = rules::load_or_tell(&found, self.lists.read()?, terminal)?;
        let detecting = Detecting {
            v6_prefix: self.ipv6_prefix,
            holidays: tables.holidays().clone(),
            ..Detecting::default()
        };
        rules::compile_or_tell(&loaded.rules, detecting, terminal)
    }
}

/// Reads a state folder, which may be in use.
pub(super) fn stored(folder: &Path, detector: &Detector) -> Result<State, Failure> {
    let state = State::read(folder, detector).map_err(|e| Failure::plain(Exit::State, &e))?;
    state.ok_or_else(|| nothing(folder))
}

/// There is no state in a folder.
pub(super) fn nothing(folder: &Path) -> Failure {
    let what = format!("there is no state in {}", folder.display());
    let remedy = "name the folder of `[state]`, or one that `replay --learn` made";
    Failure::new(Exit::State, what, remedy)
}

/// Learns from logs here and now.
pub(super) fn replayed(
    paths: &[PathBuf],
    zone: &TimeZone,
    tables: Arc<Tables>,
    detector: &Arc<Detector>,
) -> Result<State, Failure> {
    let options = ReplayOptions {
        paths: paths.to_vec(),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        start: Start::default(),
        readings: Readings::all(Reading {
            zone: zone.clone(),
            ..Reading::default()
        }),
        tables,
    };
    let (summary, state) = replay_to_state(&options, detector, &Progress::default(), &mut |_| {});
    match summary.problems.first() {
        Some(problem) if summary.counts.lines == 0 => Err(Failure::plain(Exit::NoInput, &problem)),
        _ => Ok(state),
    }
}

/// What a rule knows of an entity.
pub(super) struct Known<'d> {
    pub(super) learner: Learner<'d>,
    pub(super) description: Description,
    pub(super) episode: Option<Episode>,
}

/// What a rule knows of the entity with a key, in whichever lane that lives.
pub(super) fn known<'d>(state: &State, learner: Learner<'d>, key: u64) -> Option<Known<'d>> {
    state.lanes().iter().find_map(|lane| {
        Some(Known {
            learner,
            description: lane.describe(learner.unit, key, state.now())?,
            episode: lane.episode(learner.unit, key).copied(),
        })
    })
}

/// A baseline as programs read it.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    rule: Rule<'a>,
    /// The fields whose values it looks at.
    fields: &'a [String],
    /// The field that it adds up.
    #[serde(skip_serializing_if = "Option::is_none")]
    sum_of: Option<&'a str>,
    timespan_seconds: i64,
    first: String,
    last: String,
    age_seconds: i64,
    newcomer: bool,
    evidence: f64,
    /// `active stretches` of the timespan, or `gaps` between events.
    evidence_of: &'static str,
    /// What the numbers from here on are of.
    what: &'a str,
    expected: f64,
    interval: [f64; 2],
    observed: Option<f64>,
    alarm: Option<f64>,
    /// Whether that is the most, and not the least, that would be reported.
    alarm_below: bool,
    too_young: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<Hours<'a>>,
    more: std::collections::BTreeMap<&'a str, f64>,
    last_alert: Option<LastAlert>,
}

#[derive(Serialize)]
struct Rule<'a> {
    id: &'a str,
    title: &'a str,
    kind: &'a str,
}

/// How busy each hour is against the average, which is 1.
#[derive(Serialize)]
struct Hours<'a> {
    weekday: &'a [f64],
    weekend: &'a [f64],
}

#[derive(Serialize)]
struct LastAlert {
    id: String,
    revision: u32,
    raised: String,
    last: String,
    events: u64,
}

impl<'a> Record<'a> {
    pub(super) fn of(known: &'a Known<'a>, now: Time) -> Record<'a> {
        let (info, d) = (known.learner.info, &known.description);
        Record {
            rule: Rule {
                id: &info.id,
                title: &info.title,
                kind: &info.kind,
            },
            fields: known.learner.values,
            sum_of: known.learner.measure,
            timespan_seconds: known.learner.timespan.secs(),
            first: d.first.to_string(),
            last: d.last.to_string(),
            age_seconds: age(d, now).secs(),
            newcomer: d.newcomer,
            evidence: d.evidence,
            evidence_of: if d.of_gaps {
                "gaps"
            } else {
                "active stretches"
            },
            what: d.what,
            expected: d.expected,
            interval: [d.interval.0, d.interval.1],
            observed: d.observed,
            alarm: d.alarm,
            alarm_below: d.below,
            too_young: d.young,
            values: d.values,
            hours: d
                .hours
                .split_at_checked(24)
                .map(|(weekday, weekend)| Hours { weekday, weekend }),
            more: d.more.iter().copied().collect(),
            last_alert: known.episode.map(|episode| LastAlert {
                id: episode.id.to_string(),
                revision: episode.revision,
                raised: episode.start.to_string(),
                last: episode.last.to_string(),
                events: episode.events,
            }),
        }
    }
}

/// How long an entity has been known.
pub(super) fn age(description: &Description, now: Time) -> Span {
    now.since(description.first).max(Span::ZERO)
}
