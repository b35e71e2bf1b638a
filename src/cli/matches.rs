//! `tipstaff match`: which rules match single events.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use bumpalo::Bump;
use serde::Serialize;

use super::enrich::Enrich;
use super::exit::{Exit, Failure};
use super::explain::Explainer;
use super::input::{Tally, each_line};
use super::lists::Lists;
use super::plural;
use super::rules;
use super::sequence::Sequence;
use super::terminal::Terminal;
use crate::detector::{self, Detector, Route, Scratch};
use crate::enrich::Enricher;
use crate::escape::Escaped;
use crate::event::Event;
use crate::field::{Field, Names};
use crate::format::json;
use crate::line::Line;
use crate::rule::{Body, LoadOptions, Logsource, Rule};
use crate::sink::quoted;
use crate::sync::Arc;

/// Try rules on single events given as JSON
///
/// Reads one JSON object per line, with any field names, flat (`"user.name"`)
/// or nested, and prints for each the rules that match it:
/// `{"n": 1, "rules": ["id or title"]}`. Correlations take in the events that
/// have a time (`@timestamp`, `timestamp`, `time`, ...) in the order in which
/// they stand, and are named at the event that makes them fire; baselines never
/// match here. A rule that cannot load ends the command before any event is read.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Files with one JSON object per line, or `-` for standard input
    #[arg(value_name = "EVENTS", required = true)]
    events: Vec<OsString>,

    /// Files or folders of rules; can be given more than once
    #[arg(long, short, value_name = "PATH")]
    rules: Vec<PathBuf>,

    #[command(flatten)]
    lists: Lists,

    /// Try only rules for these logs: `product=linux,service=sshd`
    ///
    /// Any of `product`, `service` and `category`, separated by commas. A rule
    /// is tried when each of the three that it names is given here with the
    /// same value. Without this option every rule is tried.
    #[arg(long, value_name = "LOGSOURCE", value_parser = logsource)]
    logsource: Option<Logsource>,

    #[command(flatten)]
    enrich: Enrich,

    /// Show for each rule why it matches, or why not
    ///
    /// Prints text instead of JSON: each detection's condition as a tree, every
    /// item with true or false, what the event has in its field, and where in
    /// it the value stands.
    #[arg(long)]
    explain: bool,
}

/// The name of the list of all values; no JSON key can be it.
const ALL_VALUES: &str = "\0all values";

/// `product=…,service=…,category=…`, each at most once.
fn logsource(text: &str) -> Result<Logsource, String> {
    let mut logsource = Logsource::default();
    for part in text.split(',') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let slot = match key.trim() {
            "product" => &mut logsource.product,
            "service" => &mut logsource.service,
            "category" => &mut logsource.category,
            other => return Err(format!("`{other}` is none of product, service, category")),
        };
        let value = value.trim();
        if value.is_empty() || slot.replace(value.to_owned()).is_some() {
            return Err(format!("give `{}=` one value, once", key.trim()));
        }
    }
    Ok(logsource)
}

/// Runs the command.
pub(super) fn run(options: &Options, terminal: Terminal) -> Result<Exit, Failure> {
    let found = rules::find(&options.rules)?;
    // Whoever tries a rule wants it tried, whatever its status.
    let load_options = LoadOptions {
        experimental: true,
        retired: true,
        ..rules::load_options_with(&options.lists)?
    };
    let loaded = rules::load_with(&found, &load_options, terminal)?;
    let route = detector::Options {
        route: Route::All,
        ..detector::Options::default()
    };
    let detector = rules::compile_or_tell(&loaded.rules, route, terminal)?;
    let mut names = detector.projection().names.clone();
    let words = names.intern(ALL_VALUES).ok_or_else(|| {
        let what = "the rules name more fields than there is room for";
        Failure::new(Exit::Rules, what, "try fewer rules at a time")
    })?;
    let explainer = if options.explain {
        Some(Explainer::new(&loaded.rules, terminal)?)
    } else {
        None
    };
    let sequence = Sequence::of(&detector, &loaded.rules.rules);
    let enricher = Enricher::new(options.enrich.read()?, &detector.projection());
    let mut printer = Printer {
        sequence,
        explainer,
        enricher: &enricher,
        out: BufWriter::new(io::stdout().lock()),
        record: Vec::new(),
        arena: Bump::new(),
        n: 0,
        rules: &loaded.rules.rules,
        only: options.logsource.as_ref(),
        words,
        names,
        scratch: detector.scratch(),
        detector,
    };
    let mut tally = Tally::default();
    let mut broken = 0;
    each_line(&options.events, &mut tally, &mut |_| (), &mut |(), line| {
        broken += usize::from(!printer.line(line)?);
        Ok(())
    })?;
    printer.out.flush()?;
    if broken > 0 {
        tally.problem(&format!("{} not one JSON object", plural(broken, "line")));
    }
    Ok(tally.exit())
}

struct Printer<'a, W: Write> {
    /// Where the rules hold correlations.
    sequence: Option<Sequence>,
    explainer: Option<Explainer>,
    enricher: &'a Enricher,
    out: W,
    record: Vec<u8>,
    arena: Bump,
    n: u64,
    rules: &'a [Rule],
    only: Option<&'a Logsource>,
    words: Field,
    names: Names,
    scratch: Scratch,
    detector: Arc<Detector>,
}

impl<W: Write> Printer<'_, W> {
    /// Prints the rules that match one event; `false` when it is not JSON.
    /// Empty lines are not events.
    fn line(&mut self, line: &Line<'_>) -> Result<bool, Failure> {
        if line.bytes.trim_ascii().is_empty() {
            return Ok(true);
        }
        self.n += 1;
        let mut event = Event::new();
        let read = json::any(
            line.bytes,
            &self.arena,
            &self.names,
            Some(self.words),
            &mut event,
        );
        let mut matched = Vec::new();
        if read.is_ok() {
            self.enricher.enrich(&mut event, &self.arena);
            let met = self.detector.matches(&event, &mut self.scratch, self.only);
            matched.extend_from_slice(met);
            matched.sort_unstable(); // the order of the files, not of the index
        }
        if self.explainer.is_some() && read.is_ok() {
            self.explain(line, &matched)?;
            self.arena.reset();
            return Ok(true);
        }
        let matched = matched.iter().filter_map(|&at| self.rules.get(at as usize));
        let mut rules: Vec<&str> = matched.map(name).collect();
        if let (Some(sequence), Ok(())) = (&mut self.sequence, read) {
            rules.extend(sequence.take(&self.detector, &mut event, line, &mut self.scratch));
        }
        let record = Record {
            n: self.n,
            error: read.err(),
            rules,
        };
        self.record.clear();
        quoted::write_line(&mut self.record, &record)?;
        self.record.push(b'\n');
        self.out.write_all(&self.record)?;
        self.arena.reset();
        Ok(read.is_ok())
    }
}

impl<W: Write> Printer<'_, W> {
    /// Prints every detection's tree over one event.
    fn explain(&mut self, line: &Line<'_>, matched: &[u32]) -> Result<(), Failure> {
        let Some(explainer) = &mut self.explainer else {
            return Ok(());
        };
        let mut names = explainer.names();
        let words = names.intern(ALL_VALUES).unwrap_or(self.words);
        let mut event = Event::new();
        // It was read before, with the rules' own names.
        let _ = json::any(line.bytes, &self.arena, &names, Some(words), &mut event);
        self.enricher.enrich(&mut event, &self.arena);
        for (at, rule) in (0_u32..).zip(self.rules) {
            if !matches!(rule.body, Body::Detection(_)) {
                continue;
            }
            let verdict = if matched.binary_search(&at).is_ok() {
                "matches"
            } else {
                "does not match"
            };
            let title = Escaped(rule.header.title.as_bytes());
            writeln!(self.out, "event {}: \"{title}\" {verdict}", self.n)?;
            let tree = explainer.explain(at as usize, &event, &names);
            writeln!(self.out, "{tree}")?;
        }
        Ok(())
    }
}

/// An event's object.
#[derive(Serialize)]
struct Record<'a> {
    n: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    rules: Vec<&'a str>,
}

/// By what a rule is known: its id, else its title.
fn name(rule: &Rule) -> &str {
    rule.header.id.as_deref().unwrap_or(&rule.header.title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logsource_is_any_of_its_three_parts() {
        let parsed = logsource("product=linux, service=sshd").unwrap();
        assert_eq!(parsed.product.as_deref(), Some("linux"));
        assert_eq!(parsed.service.as_deref(), Some("sshd"));
        assert_eq!(parsed.category, None);
        for wrong in ["", "linux", "product=", "product=a,product=b", "host=a"] {
            assert!(logsource(wrong).is_err(), "{wrong}");
        }
    }
}
