//! Results that raised no alert: as people and programs read them.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::exit::{Exit, Failure};
use super::learnt;
use super::terminal::Terminal;
use crate::baseline::Reason;
use crate::detector::HeldBack;
use crate::enrich::Tables;
use crate::sink::{self, count, number};
use crate::time::Time;

/// Show what was odd and raised no alert, and why
///
/// What a baseline finds while its rule warms up, or of an entity of which too
/// little is known, is kept in the state for 30 days: of each rule the oddest,
/// each entity once. Reads also while a service is running.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The state folder
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,

    #[command(flatten)]
    rules: learnt::Rules,

    /// Show all of them, not only the 20 oddest
    #[arg(long)]
    all: bool,

    /// Print a JSON line for each instead, as `replay --held-back` writes them
    #[arg(long, conflicts_with = "all")]
    json: bool,
}

/// As many as people read.
const SHOWN: usize = 20;

/// What stands beside the alert for programs.
#[derive(Serialize)]
struct Record {
    reason: &'static str,
    words: String,
    threshold_bits: f64,
    /// When the rule is warm, where that is the reason.
    mature: Option<String>,
    first: String,
    last: String,
    days: u32,
}

impl Record {
    fn of(held: &HeldBack) -> Record {
        let reason = held.held.reason;
        Record {
            reason: Reason::WORDS
                .get(reason.kind())
                .copied()
                .unwrap_or_default(),
            words: words(held),
            threshold_bits: held.held.threshold,
            mature: match reason {
                Reason::WarmUp(over) => Some(over.to_string()),
                _ => None,
            },
            first: held.first.to_string(),
            last: held.last.to_string(),
            days: held.days,
        }
    }
}

/// Why there was no alert.
fn words(held: &HeldBack) -> String {
    match held.held.reason {
        Reason::WarmUp(over) => format!("the rule warms up until {over}"),
        Reason::Evidence(known, least) => format!(
            "too little was known of it: {} of {} active periods or intervals",
            count(known.into()),
            count(least.into())
        ),
        Reason::Budget => format!(
            "the rule's budget asked for {} bits",
            number(held.held.threshold)
        ),
    }
}

/// Writes them as JSON lines.
fn write_lines(held: &[HeldBack], out: &mut impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    for held in held {
        line.clear();
        sink::write_with(&mut line, &held.alert, "held_back", &Record::of(held))?;
        out.write_all(&line)?;
    }
    out.flush()
}

/// Writes the ledger of a replay.
pub(super) fn write_file(path: &Path, held: &[HeldBack]) -> Result<(), Failure> {
    let written = std::fs::File::create(path);
    let written = written.and_then(|file| write_lines(held, &mut BufWriter::new(file)));
    written.map_err(|error| {
        let what = format!("{} cannot be written: {error}", path.display());
        let remedy = "name a file with --held-back in a folder that you may write to";
        Failure::new(Exit::Failed, what, remedy)
    })
}

/// `3 held back: 2 since the baseline of 1 rule is younger than its warm-up, 1
/// since too little is known of the entity`; `None` where there was nothing.
pub(super) fn total(held: &[HeldBack], more: bool) -> Option<String> {
    let of = |kind: usize| held.iter().filter(move |h| h.held.reason.kind() == kind);
    let young: BTreeSet<_> = of(0).map(|held| &held.alert.rule.id).collect();
    let young = match young.len() {
        1 => "since the baseline of 1 rule is younger than its warm-up".to_owned(),
        n => format!("since the baselines of {n} rules are younger than their warm-up"),
    };
    let unknown = "since too little is known of the entity".to_owned();
    let reasons = [young, unknown, "by a budget".to_owned()];
    let reasons = reasons.iter().enumerate();
    let reasons = reasons.map(|(kind, why)| (of(kind).count(), why));
    let reasons = reasons.filter(|(n, _)| *n > 0);
    let reasons: Vec<_> = reasons
        .map(|(n, why)| format!("{} {why}", count(n as u64)))
        .collect();
    let least = if more { " or more" } else { "" };
    let all = count(held.len() as u64);
    (!held.is_empty()).then(|| format!("{all}{least} held back: {}", reasons.join(", ")))
}

/// Runs the command.
pub(super) fn run(options: &Options, terminal: Terminal) -> Result<Exit, Failure> {
    // Nothing is judged here, by whatever calendar.
    let detector = options.rules.compile(&Tables::default(), terminal)?;
    let state = learnt::stored(&options.state, &detector)?;
    let (held, more) = state.held_back(&detector);
    let mut out = BufWriter::new(io::stdout().lock());
    if options.json {
        write_lines(&held, &mut out)?;
        return Ok(Exit::Success);
    }
    let total = total(&held, more).unwrap_or_else(|| "nothing was held back".to_owned());
    writeln!(out, "{total}")?;
    let most = if options.all { held.len() } else { SHOWN };
    for held in held.iter().take(most) {
        let rows = rows(held, state.now());
        write!(out, "\n{}", sink::told(&held.alert, &rows, terminal.out))?;
    }
    if held.len() > most {
        let left = count((held.len() - most) as u64);
        writeln!(out, "\n{left} less odd are shown by --all or --json")?;
    }
    out.flush()?;
    Ok(Exit::Success)
}

/// What is told of one besides the alert that it would have been.
fn rows(held: &HeldBack, now: Time) -> Vec<(&'static str, String)> {
    let left = match held.held.reason {
        Reason::WarmUp(over) if over > now => format!(", {} to go", over.since(now)),
        Reason::WarmUp(_) => ", which is over".to_owned(),
        _ => String::new(),
    };
    let bits = held.alert.score.bits.unwrap_or(0.0);
    let threshold = number(held.held.threshold);
    let mut rows = vec![
        ("no alert", format!("{}{left}", words(held))),
        (
            "surprise",
            format!("{bits:.1} bits, {threshold} are enough"),
        ),
    ];
    if held.days > 1 {
        let (first, last) = (held.first, held.last);
        rows.push(("days", format!("{}, from {first} to {last}", held.days)));
    }
    rows
}
