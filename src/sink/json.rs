//! Alerts for programs: one JSON object per line, keys in a fixed order.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::quoted;
use super::{Row, Sink, Style, hex, id_text, level_word, sentence, trusts};
use crate::alert::{Alert, Evidence, Score};
use crate::time::Span;

/// The row of this encoding.
pub(super) static ROW: Row = Row {
    name: "json",
    about: "JSON lines, one alert per line, for programs",
    open,
};

fn open(out: Box<dyn Write + Send>, _: Style) -> Box<dyn Sink> {
    let line = Vec::new();
    Box::new(Json { out, line })
}

struct Json {
    out: Box<dyn Write + Send>,
    line: Vec<u8>,
}

impl Sink for Json {
    fn deliver(&mut self, alert: &Alert) -> io::Result<()> {
        self.line.clear();
        quoted::write_line(&mut self.line, &Record::of(alert))?;
        self.line.push(b'\n');
        self.out.write_all(&self.line)?;
        self.out.flush()
    }
}

/// Appends a line of an alert with something more of that name.
pub fn write_with<T: Serialize>(
    line: &mut Vec<u8>,
    alert: &Alert,
    name: &'static str,
    more: &T,
) -> io::Result<()> {
    let more = BTreeMap::from([(name, more)]);
    let alert = Record::of(alert);
    quoted::write_line(line, &With { alert, more })?;
    line.push(b'\n');
    Ok(())
}

#[derive(Serialize)]
struct With<'a, T> {
    #[serde(flatten)]
    alert: Record<'a>,
    #[serde(flatten)]
    more: BTreeMap<&'static str, T>,
}

/// The alert as programs see it; the order of the fields is the order of the keys.
#[derive(Serialize)]
struct Record<'a> {
    id: String,
    revision: u32,
    #[serde(rename = "@timestamp")]
    timestamp: String,
    message: String,
    rule: RuleRecord<'a>,
    entity: Pairs<'a>,
    context: Pairs<'a>,
    trust: Trusts<'a>,
    window: Window,
    events: u64,
    score: ScoreRecord<'a>,
    samples: Vec<SampleRecord>,
    /// Which texts are not UTF-8 and stand here with `\xff` and `\\`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    escaped: Vec<String>,
}

#[derive(Serialize)]
struct RuleRecord<'a> {
    id: &'a str,
    title: &'a str,
    level: &'static str,
    tags: &'a [String],
    kind: &'a str,
    hash: String,
    falsepositives: &'a [String],
}

#[derive(Serialize)]
struct Window {
    start: String,
    end: String,
}

#[derive(Serialize)]
struct ScoreRecord<'a> {
    bits: Option<f64>,
    observed: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    margin: Option<f64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    field: &'a str,
    expected: Option<f64>,
    interval: Option<(f64, f64)>,
    threshold: &'a str,
    evidence: Option<f64>,
    age_seconds: Option<f64>,
    model: &'a str,
    quiet: Option<f64>,
    return_period_days: Option<f64>,
    terms: Terms<'a>,
    #[serde(skip_serializing_if = "Terms::is_empty")]
    facts: Terms<'a>,
}

#[derive(Serialize)]
struct SampleRecord {
    file: String,
    line: u64,
    offset: u64,
    time: String,
    text: String,
}

/// What made up the score, `{"name": bits}` in its order.
struct Terms<'a>(&'a [(String, f64)]);

impl Terms<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Terms<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, bits)| (name, bits)))
    }
}

/// `{"ECS name": "value"}` in the alert's order; a name that comes twice has a
/// list, because readers of JSON keep only one of two equal keys.
struct Pairs<'a>(&'a [(String, Vec<u8>)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (at, (name, value)) in self.0.iter().enumerate() {
            let earlier = self.0.get(..at).unwrap_or(&[]);
            if earlier.iter().any(|(other, _)| other == name) {
                continue;
            }
            let more = self
                .0
                .iter()
                .skip(at + 1)
                .filter(|(other, _)| other == name);
            let mut values = vec![quoted::text(value).0];
            values.extend(more.map(|(_, value)| quoted::text(value).0));
            match values.as_slice() {
                [only] => map.serialize_entry(name, only)?,
                several => map.serialize_entry(name, several)?,
            }
        }
        map.end()
    }
}

/// `{"ECS name": "user"}`: who chose the value of each field of the entity and
/// the context, as far as the field is known.
struct Trusts<'a>(&'a Alert);

impl Serialize for Trusts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(trusts(self.0).into_iter().map(|(name, t)| (name, t.word())))
    }
}

impl<'a> Record<'a> {
    fn of(alert: &'a Alert) -> Record<'a> {
        let rule = &alert.rule;
        Record {
            id: id_text(alert.id),
            revision: alert.revision,
            timestamp: alert.time.to_string(),
            message: sentence(alert),
            rule: RuleRecord {
                id: &rule.id,
                title: &rule.title,
                level: level_word(rule.level),
                tags: &rule.tags,
                kind: &rule.kind,
                hash: hex(&rule.hash),
                falsepositives: &rule.falsepositives,
            },
            entity: Pairs(&alert.entity),
            context: Pairs(&alert.context),
            trust: Trusts(alert),
            window: Window {
                start: alert.window.0.to_string(),
                end: alert.window.1.to_string(),
            },
            events: alert.events,
            score: ScoreRecord::of(&alert.score),
            samples: alert.samples.iter().map(SampleRecord::of).collect(),
            escaped: escaped(alert),
        }
    }
}

impl<'a> ScoreRecord<'a> {
    fn of(score: &'a Score) -> ScoreRecord<'a> {
        ScoreRecord {
            bits: score.bits,
            observed: score.observed,
            margin: score.margin,
            field: &score.field,
            expected: score.expected,
            interval: score.interval,
            threshold: &score.threshold,
            evidence: score.evidence,
            age_seconds: score.age.map(Span::as_secs_f64),
            model: &score.model,
            quiet: score.quiet,
            return_period_days: score.return_days,
            terms: Terms(&score.terms),
            facts: Terms(&score.facts),
        }
    }
}

impl SampleRecord {
    fn of(sample: &Evidence) -> SampleRecord {
        SampleRecord {
            file: sample.path.clone(),
            line: sample.place.number,
            offset: sample.place.offset,
            time: sample.time.to_string(),
            text: quoted::text(&sample.bytes).0.into_owned(),
        }
    }
}

/// Names the texts of an alert that are not UTF-8, so that a reader knows
/// which backslashes are ours.
fn escaped(alert: &Alert) -> Vec<String> {
    let is_bad = |bytes: &[u8]| std::str::from_utf8(bytes).is_err();
    let pairs = |what: &str, pairs: &[(String, Vec<u8>)]| {
        let bad = pairs.iter().filter(|(_, value)| is_bad(value));
        bad.map(|(name, _)| format!("{what}.{name}"))
            .collect::<Vec<_>>()
    };
    let samples = alert.samples.iter().enumerate();
    let samples = samples.filter(|(_, sample)| is_bad(&sample.bytes));
    let samples = samples.map(|(at, _)| format!("samples.{at}.text"));
    let mut names = pairs("entity", &alert.entity);
    names.extend(pairs("context", &alert.context));
    names.extend(samples);
    names
}
