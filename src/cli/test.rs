//! `tipstaff test`: rules against the logs that must make them fire and those
//! that must not.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::enrich::Enrich;
use super::exit::{Exit, Failure};
use super::lists::Lists;
use super::rules;
use super::terminal::Terminal;
use crate::detector::{Detector, Options as Detecting};
use crate::enrich::Tables;
use crate::escape::Escaped;
use crate::pipeline::{Progress, Readings, ReplayOptions, Start, classes, replay};
use crate::rule::{Body, LoadOptions, Member, Rule, RuleSet};
use crate::sync::Arc;

/// Stamps without a year are of this one: a test's result is the same for ever.
const YEAR: i16 = 2025;

/// Run the tests that rules bring with them
///
/// Beside a rule's file `NAME.yml`, the folder `tests/NAME/` holds logs: each
/// whose name begins with `fire` must make the rule fire, each whose name
/// begins with `silent` must not. Logs are read as by `replay`; a stamp
/// without a year is of 2025. Each rule is tried with the rules it builds on
/// and no others. A `networks.csv` (or `.mmdb`), `directory.csv`, `hosts.csv` or
/// `holidays.ics` in that folder stands in the place of the one named here. Ends with 0 when all hold, 1 when one does not.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Files and folders of rules [default: as `replay --rules`]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    enrich: Enrich,

    /// Also fail for rules without a log of either kind
    #[arg(long)]
    strict: bool,

    /// Write the results to this file as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    #[command(flatten)]
    lists: Lists,
}

/// One test and what is wrong with it, if anything.
struct Outcome {
    /// The rule's title.
    rule: String,
    /// The log, or what is missing.
    test: String,
    wrong: Option<String>,
}

/// Runs the command.
pub(super) fn run(options: &Options, terminal: Terminal) -> Result<Exit, Failure> {
    let found = rules::find(&options.paths)?;
    let every = LoadOptions {
        experimental: true,
        retired: true,
        ..rules::load_options_with(&options.lists)?
    };
    let loaded = rules::load_with(&found, &every, terminal)?;
    let mut outcomes = Vec::new();
    for (path, places) in by_file(&loaded.rules) {
        outcomes.extend(file(&loaded.rules, &path, &places, options, terminal)?);
    }
    let mut out = io::stdout().lock();
    let failed = outcomes.iter().filter(|o| o.wrong.is_some()).count();
    for outcome in outcomes.iter().filter(|o| o.wrong.is_some()) {
        let (rule, test) = (
            Escaped(outcome.rule.as_bytes()),
            Escaped(outcome.test.as_bytes()),
        );
        let wrong = outcome.wrong.as_deref().unwrap_or_default();
        writeln!(out, "FAILED {rule}: {test}: {}", Escaped(wrong.as_bytes()))?;
    }
    writeln!(out, "{} passed, {failed} failed", outcomes.len() - failed)?;
    if outcomes.is_empty() {
        let how = "put logs called fire* and silent* into tests/NAME/ beside NAME.yml";
        writeln!(out, "no rule has a test: {how}")?;
    }
    if let Some(path) = &options.junit {
        fs::write(path, junit(&outcomes))?;
    }
    Ok(if failed == 0 {
        Exit::Success
    } else {
        Exit::Findings
    })
}

/// The rules of each file, by their places.
fn by_file(set: &RuleSet) -> BTreeMap<PathBuf, Vec<usize>> {
    let mut files: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    for (place, rule) in set.rules.iter().enumerate() {
        files
            .entry(rule.at.path.to_path_buf())
            .or_default()
            .push(place);
    }
    files
}

/// All tests of one file.
fn file(
    set: &RuleSet,
    path: &Path,
    places: &[usize],
    options: &Options,
    terminal: Terminal,
) -> Result<Vec<Outcome>, Failure> {
    let stem = path.file_stem().unwrap_or_default();
    let folder = path
        .parent()
        .unwrap_or(Path::new(""))
        .join("tests")
        .join(stem);
    let logs = |kind: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let named = entries.filter(|e| e.file_name().to_string_lossy().starts_with(kind));
        let mut logs: Vec<_> = named.map(|entry| entry.path()).collect();
        logs.sort();
        logs
    };
    let Some(title) = outermost(set, places) else {
        return Ok(Vec::new());
    };
    let mut outcomes = Vec::new();
    let tables = options.enrich.or_of(&folder).read()?;
    let detector = compiled(set, places, &tables, terminal)?;
    for (kind, must_fire) in [("fire", true), ("silent", false)] {
        let logs = logs(kind);
        if logs.is_empty() && options.strict {
            outcomes.push(Outcome {
                rule: title.clone(),
                test: folder.join(kind).display().to_string(),
                wrong: Some("there is no such log".to_owned()),
            });
        }
        for log in logs {
            outcomes.push(Outcome {
                rule: title.clone(),
                test: log.display().to_string(),
                wrong: verdict(&detector, &tables, &title, &log, must_fire),
            });
        }
    }
    Ok(outcomes)
}

/// The title of the first of a file's rules that serves no other of them.
fn outermost(set: &RuleSet, places: &[usize]) -> Option<String> {
    let rules = || {
        places
            .iter()
            .filter_map(|&at| Some((at, set.rules.get(at)?)))
    };
    let serves =
        |at: usize| rules().any(|(_, rule)| members(rule).iter().any(|member| member.rule == at));
    let (_, rule) = rules().find(|&(at, _)| !serves(at))?;
    Some(rule.header.title.clone())
}

/// The file's rules with those that they build on, and no others.
fn compiled(
    set: &RuleSet,
    places: &[usize],
    tables: &Tables,
    terminal: Terminal,
) -> Result<Arc<Detector>, Failure> {
    let mut needed: Vec<usize> = Vec::new();
    let mut ahead = places.to_vec();
    while let Some(at) = ahead.pop() {
        if needed.contains(&at) {
            continue;
        }
        needed.push(at);
        if let Some(rule) = set.rules.get(at) {
            ahead.extend(members(rule).iter().map(|member| member.rule));
        }
    }
    needed.sort_unstable();
    let mut part = RuleSet {
        rules: Vec::new(),
        lists: set.lists.clone(),
    };
    for rule in needed.iter().filter_map(|&at| set.rules.get(at)) {
        let mut rule = rule.clone();
        for member in members_mut(&mut rule) {
            member.rule = needed.binary_search(&member.rule).unwrap_or(usize::MAX);
        }
        part.rules.push(rule);
    }
    let detecting = Detecting {
        holidays: tables.holidays().clone(),
        ..Detecting::default()
    };
    let compiled = Detector::compile(&part, &classes(), detecting);
    compiled
        .map(Arc::new)
        .map_err(|wrong| rules::told(&wrong, terminal))
}

fn members(rule: &Rule) -> &[Member] {
    match &rule.body {
        Body::Correlation(correlation) => &correlation.members,
        Body::Baseline(baseline) => &baseline.members,
        Body::Detection(_) | Body::Filter(_) => &[],
    }
}

fn members_mut(rule: &mut Rule) -> &mut [Member] {
    match &mut rule.body {
        Body::Correlation(correlation) => &mut correlation.members,
        Body::Baseline(baseline) => &mut baseline.members,
        Body::Detection(_) | Body::Filter(_) => &mut [],
    }
}

/// What is wrong with how a rule takes a log, if anything is.
fn verdict(
    detector: &Arc<Detector>,
    tables: &Arc<Tables>,
    title: &str,
    log: &Path,
    must_fire: bool,
) -> Option<String> {
    let options = ReplayOptions {
        paths: vec![log.to_owned()],
        threads: 1,
        start: Start::in_year(YEAR),
        readings: Readings::default(),
        tables: Arc::clone(tables),
    };
    let mut alerts = Vec::new();
    let summary = replay(&options, detector, &Progress::default(), &mut |alert| {
        if alert.rule.title == title {
            alerts.push(alert.clone());
        }
    });
    if let Some(problem) = summary.problems.first() {
        return Some(problem.to_string());
    }
    if summary.counts.events + summary.counts.not_mine == 0 {
        return Some("the log has no line that is read".to_owned());
    }
    match (alerts.first(), must_fire) {
        (None, true) => Some("the rule did not fire".to_owned()),
        (Some(alert), false) => {
            let line = alert.samples.last().map_or(0, |sample| sample.place.number);
            Some(format!("the rule fired at line {line}"))
        }
        _ => None,
    }
}

/// JUnit's XML, as CI systems read it.
fn junit(outcomes: &[Outcome]) -> String {
    let failed = outcomes.iter().filter(|o| o.wrong.is_some()).count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"tipstaff\" tests=\"{}\" failures=\"{failed}\">\n",
        outcomes.len()
    );
    for outcome in outcomes {
        let (rule, test) = (attribute(&outcome.rule), attribute(&outcome.test));
        let case = format!("  <testcase classname=\"{rule}\" name=\"{test}\"");
        xml.push_str(&case);
        match &outcome.wrong {
            None => xml.push_str("/>\n"),
            Some(wrong) => {
                let failure = format!("><failure message=\"{}\"/></testcase>\n", attribute(wrong));
                xml.push_str(&failure);
            }
        }
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// Text inside an XML attribute.
fn attribute(text: &str) -> String {
    let shown = Escaped(text.as_bytes()).to_string();
    let escape = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        c => c.to_string(),
    };
    shown.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_never_becomes_markup() {
        let outcome = Outcome {
            rule: "<a> & \"b\"\u{1b}".to_owned(),
            test: "fire.log".to_owned(),
            wrong: Some("<no>".to_owned()),
        };
        let xml = junit(&[outcome]);
        assert!(
            xml.contains("classname=\"&lt;a&gt; &amp; &quot;b&quot;\\x1b\""),
            "{xml}"
        );
        assert!(xml.contains("failures=\"1\"") && xml.contains("&lt;no&gt;"));
    }
}
