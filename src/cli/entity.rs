//! `tipstaff entity`: what is normal for one user, address or host.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use jiff::tz::TimeZone;
use serde::Serialize;

use super::enrich::Enrich;
use super::exit::{Exit, Failure};
use super::learnt::{self, Known, Record};
use super::plural;
use super::terminal::Terminal;
use crate::alert::{bytes, is_bytes, is_seconds};
use crate::baseline::{FIELD_TERMS, NEW_VALUES, ODD_THINGS};
use crate::escape::{Escaped, shortened};
use crate::pipeline::State;
use crate::sink::quoted;
use crate::time::Time;

/// Show what was learnt of one user, address or host
///
/// Prints, for each baseline that tells its entities apart by the fields given:
/// since when it has learnt, what it expects now, from what on it would raise
/// an alert, how many values it knows, when in the week the entity is active,
/// and the last alert. Of values only hashes are kept, so they are counted and
/// cannot be listed. A service may be running on the state folder: what it
/// saved last is shown.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Field and value: `user:alice`, `ip:192.0.2.7`, `host:web1`, `FIELD:VALUE`
    ///
    /// Several, for baselines of pairs: `user:alice host:web1`.
    #[arg(value_name = "ENTITY", required = true, value_parser = learnt::named)]
    entity: Vec<(String, String)>,

    /// The state folder of `run`, or one that `replay --learn` made
    #[arg(long, value_name = "FOLDER", required_unless_present = "replay")]
    state: Option<PathBuf>,

    /// Learn from these logs instead: files, folders, globs
    #[arg(long, value_name = "PATH", conflicts_with = "state")]
    replay: Vec<PathBuf>,

    /// Time zone of stamps in these logs that name none
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = crate::pipeline::zone)]
    timezone: TimeZone,

    #[command(flatten)]
    rules: learnt::Rules,

    #[command(flatten)]
    enrich: Enrich,

    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(options: &Options, terminal: Terminal) -> Result<Exit, Failure> {
    let tables = options.enrich.read()?;
    let detector = options.rules.compile(&tables, terminal)?;
    let state = match &options.state {
        Some(folder) => learnt::stored(folder, &detector)?,
        None => learnt::replayed(&options.replay, &options.timezone, tables, &detector)?,
    };
    let mut known = Vec::new();
    let (mut strangers, mut others) = (0, Vec::new());
    for learner in detector.learners() {
        let Some(key) = detector.key_of(learner.group, &options.entity) else {
            let named = |field| options.entity.iter().any(|(name, _)| name == field);
            if learner.group.iter().any(named) {
                others.push(learner);
            }
            continue;
        };
        match learnt::known(&state, learner, key) {
            Some(found) => known.push(found),
            None => strangers += 1,
        }
    }
    if options.json {
        let entity = options.entity.iter();
        let mut line = Vec::new();
        let object = Object {
            entity: entity.map(|(f, v)| (f.as_str(), v.as_str())).collect(),
            time: state.now().to_string(),
            baselines: known.iter().map(|k| Record::of(k, state.now())).collect(),
        };
        quoted::write_line(&mut line, &object)?;
        line.push(b'\n');
        io::stdout().write_all(&line)?;
        return Ok(Exit::Success);
    }
    let mut out = heading(options, &state);
    for known in &known {
        render(&mut out, known, state.now());
    }
    // Writing to a String cannot fail.
    if strangers > 0 {
        let _ = writeln!(
            out,
            "nothing is learnt of it by {}",
            plural(strangers, "more rule")
        );
    }
    for learner in others {
        let title = shortened(learner.info.title.as_bytes(), 60);
        let _ = writeln!(out, "{title}: name all of {}", learner.group.join(", "));
    }
    io::stdout().write_all(out.as_bytes())?;
    Ok(Exit::Success)
}

#[derive(Serialize)]
struct Object<'a> {
    entity: BTreeMap<&'a str, &'a str>,
    /// The newest event time of the logs.
    time: String,
    baselines: Vec<Record<'a>>,
}

fn heading(options: &Options, state: &State) -> String {
    let entity = options.entity.iter();
    let named = entity.map(|(field, value)| format!("{field} {}", Escaped(value.as_bytes())));
    let named: Vec<String> = named.collect();
    let when = match state.now() {
        // Nothing was ever read into it: a date of 1677 would say otherwise.
        Time::MIN => "from a state without any event".to_owned(),
        now => format!("as of {}", minute(now)),
    };
    let mut out = format!("{}, {when}\n", named.join(", "));
    for lost in state.lost() {
        let _ = writeln!(out, "{lost}");
    }
    out.push('\n');
    out
}

/// One baseline, in a few lines of at most 80 columns.
fn render(out: &mut String, known: &Known<'_>, now: Time) {
    let (learner, d) = (&known.learner, &known.description);
    let title = shortened(learner.info.title.as_bytes(), 60);
    let kind = learner.info.kind.trim_start_matches("baseline ");
    let _ = writeln!(out, "{title} ({kind}, {})", learner.timespan);
    let age = learnt::age(d, now);
    if d.newcomer {
        let _ = writeln!(
            out,
            "  learnt    nothing yet: first seen {}, and in one stretch of time only",
            minute(d.first)
        );
    } else {
        let _ = writeln!(
            out,
            "  learnt    since {} ({age}), last active {}",
            minute(d.first),
            minute(d.last)
        );
        let evidence = amount(d.evidence);
        let of = if d.of_gaps {
            "gaps between events".to_owned()
        } else {
            format!("active stretches of {}", learner.timespan)
        };
        let _ = writeln!(out, "  evidence  {evidence} {of}");
    }
    expectation(out, known);
    if let Some((weekday, weekend)) = d.hours.split_at_checked(24) {
        let top = d.hours.iter().fold(0.0, |top: f64, hour| top.max(*hour));
        if let Some((_, average)) = d.more.iter().find(|(name, _)| *name == "average") {
            let busiest = amount(average * top);
            let _ = writeln!(
                out,
                "  average   {}; {busiest} in its busiest hour",
                amount(*average)
            );
        }
        let _ = writeln!(out, "  hours     0     6     12    18");
        let _ = writeln!(out, "  weekday   {}", bars(weekday, top));
        let _ = writeln!(out, "  weekend   {}", bars(weekend, top));
    }
    if let Some(episode) = &known.episode {
        let _ = writeln!(
            out,
            "  alert     {} to {}, {}, id {}",
            minute(episode.start),
            minute(episode.last),
            plural(
                usize::try_from(episode.events).unwrap_or(usize::MAX),
                "event"
            ),
            episode.id
        );
    }
    out.push('\n');
}

/// What is expected, what it would take, and what else is known.
fn expectation(out: &mut String, known: &Known<'_>) {
    let (learner, d) = (&known.learner, &known.description);
    let fields = learner.values.join(" and ");
    let unit = Unit::of(d.what, learner.measure);
    let new = d.what == NEW_VALUES;
    let alarm = match d.alarm {
        Some(_) if new || d.what == ODD_THINGS => "alerts when it is odd enough".to_owned(),
        Some(alarm) if d.below => format!("alerts at {} or less", unit.says(alarm)),
        Some(alarm) => format!("alerts from {}", unit.says(alarm)),
        None if d.young => "too young to alert".to_owned(),
        None => "nothing would alert now".to_owned(),
    };
    if let Some(values) = d.values {
        let _ = writeln!(
            out,
            "  known     {} of {fields}",
            plural(values as usize, "value")
        );
    }
    if new {
        let chance = amount(100.0 * d.expected);
        let _ = writeln!(
            out,
            "  expected  a new one in {chance} % of active stretches; {alarm}"
        );
    } else {
        let what = d.what.replacen("values", &format!("values of {fields}"), 1);
        let what = what.strip_prefix(SECONDS).unwrap_or(&what).trim_start();
        let of = learner.measure.map(|field| format!(" of {field}"));
        let so_far = d.observed.map_or_else(String::new, |observed| {
            format!("so far {}; ", unit.says(observed))
        });
        let _ = writeln!(
            out,
            "  expected  {} {what}{}, {} to {} in 99 of 100; {so_far}{alarm}",
            unit.says(d.expected),
            of.unwrap_or_default(),
            unit.says(d.interval.0),
            unit.says(d.interval.1),
        );
    }
    let told = |name: &str| ["average", "scatter"].contains(&name);
    for (name, number) in d.more.iter().filter(|(name, _)| !told(name)) {
        let field = FIELD_TERMS.iter().position(|term| term == name);
        let field = field.and_then(|at| learner.values.get(at));
        let unit = Unit::of(name, None);
        let name = field.map_or((*name).to_owned(), |field| format!("values of {field}"));
        let _ = writeln!(out, "            {name}: {}", unit.says(*number));
    }
}

/// Numbers of what has this word are spans of time.
const SECONDS: &str = "seconds";

/// What numbers are of.
#[derive(Clone, Copy)]
enum Unit {
    Seconds,
    Bytes,
    Plain,
}

impl Unit {
    fn of(what: &str, measure: Option<&str>) -> Unit {
        let has = |unit| what.split(['.', ' ', ',']).any(|word| word == unit);
        if has(SECONDS) || measure.is_some_and(is_seconds) {
            Unit::Seconds
        } else if has("bytes") || measure.is_some_and(is_bytes) {
            Unit::Bytes
        } else {
            Unit::Plain
        }
    }

    /// A number, as it is said.
    fn says(self, number: f64) -> String {
        match self {
            Unit::Plain => amount(number),
            Unit::Bytes => bytes(number),
            Unit::Seconds => match number {
                n if n < 120.0 => format!("{} s", amount(n)),
                n if n < 7200.0 => format!("{} min", amount(n / 60.0)),
                n if n < 172_800.0 => format!("{} h", amount(n / 3600.0)),
                n => format!("{} days", amount(n / 86_400.0)),
            },
        }
    }
}

/// A bar for each hour; the highest is the busiest hour of the week.
fn bars(hours: &[f64], top: f64) -> String {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let bar = |hour: &f64| {
        let eighths = 8.0 * hour / top.max(1e-9);
        let step = (0_u8..9)
            .rev()
            .find(|step| f64::from(*step) <= eighths + 0.5);
        BARS.get(usize::from(step.unwrap_or(0)))
            .copied()
            .unwrap_or(' ')
    };
    let text: String = hours.iter().map(bar).collect();
    text.trim_end().to_owned()
}

/// A number with as many digits as it is worth.
fn amount(number: f64) -> String {
    let text = if number >= 10.0 {
        format!("{number:.0}")
    } else if number >= 1.0 {
        format!("{number:.1}")
    } else {
        format!("{number:.2}")
    };
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// `2025-06-30 16:40`.
fn minute(time: Time) -> String {
    let text = time.to_string();
    let minute = text.get(..16).unwrap_or(&text);
    minute.replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_hour_has_the_highest_bar_and_silence_has_none() {
        let mut hours = [0.02; 24];
        hours[9] = 4.0;
        hours[10] = 2.0;
        assert_eq!(bars(&hours, 4.0), format!("{}█▄", " ".repeat(9)));
    }

    #[test]
    fn numbers_are_said_in_the_units_that_people_use() {
        for (what, measure, number, shown) in [
            ("seconds without an event", None, 2700.0, "45 min"),
            ("interval.seconds", None, 30.0, "30 s"),
            ("in sum", Some("source.bytes"), 2.5e6, "2.5 MB"),
            ("in sum", Some("zeek.count"), 2.5e3, "2500"),
            ("in the middle one", Some("zeek.duration"), 9e3, "2.5 h"),
            ("events", None, 2.5, "2.5"),
        ] {
            assert_eq!(Unit::of(what, measure).says(number), shown);
        }
    }

    #[test]
    fn numbers_have_the_digits_they_are_worth() {
        for (number, shown) in [
            (0.0, "0"),
            (0.126, "0.13"),
            (2.5, "2.5"),
            (3.0, "3"),
            (120.4, "120"),
        ] {
            assert_eq!(amount(number), shown);
        }
    }
}
