//! `tipstaff check`: are these rules sound?

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;

use super::exit::{Exit, Failure};
use super::findings;
use super::lists::Lists;
use super::rules::{find, list, load_options_with, show};
use super::terminal::Terminal;
use super::{columns, plural};
use crate::detector::{Detector, Options as Detecting};
use crate::escape::Escaped;
use crate::pipeline::classes;
use crate::rule::{
    Body, CATALOGUE, Diagnostic, LoadOptions, Rule, RuleSet, Severity, explain, load,
};
use crate::sink::wrap;

/// Check rules without reading any log
///
/// Loads rules as `replay` would and prints every mistake with its place, the
/// line of the file and what to do; experimental rules are checked as well.
/// Ends with 0 when all is well, 3 when a rule cannot load, and with `--strict`
/// 1 when there are warnings.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Files and folders of rules [default: as `replay --rules`]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Let warnings fail the check as well, with exit code 1
    #[arg(long)]
    strict: bool,

    /// How findings are written: text for people, JSON lines, SARIF for CI
    #[arg(
        long,
        short,
        value_enum,
        value_name = "ENCODING",
        default_value = "text"
    )]
    output: Output,

    #[command(flatten)]
    lists: Lists,

    /// Explain a mistake by its code, such as SIG008, and check nothing
    #[arg(long, value_name = "CODE", conflicts_with_all = ["paths", "strict"])]
    explain: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    /// With the line of the file and what to do
    Text,
    /// One object per finding and line
    Json,
    /// SARIF 2.1.0
    Sarif,
}

/// Runs the command.
pub(super) fn run(options: &Options, terminal: Terminal) -> Result<Exit, Failure> {
    if let Some(code) = &options.explain {
        return explained(code, columns(terminal.out));
    }
    let found = find(&options.paths)?;
    let load_options = LoadOptions {
        experimental: true,
        lint: true,
        ..load_options_with(&options.lists)?
    };
    let mut out = io::stdout().lock();
    let (rules, diagnostics) = sound(&found.paths, &load_options);
    let (errors, warnings) = counted(&diagnostics);
    match options.output {
        Output::Text => {
            show(&diagnostics, &mut out, terminal.out.color)?;
            conclusion(&mut out, &found.paths, rules.as_ref(), errors, warnings)?;
        }
        Output::Json => findings::json_lines(&diagnostics, &mut out)?,
        Output::Sarif => findings::sarif(&diagnostics, &mut out)?,
    }
    out.flush()?;
    Ok(match &rules {
        None => Exit::Rules,
        Some(_) if options.strict && warnings > 0 => Exit::Findings,
        Some(_) => Exit::Success,
    })
}

/// How many rules there are and how many findings.
fn conclusion(
    out: &mut dyn Write,
    paths: &[PathBuf],
    rules: Option<&RuleSet>,
    errors: usize,
    warnings: usize,
) -> io::Result<()> {
    let paths = list(paths);
    let (many, few) = (plural(errors, "error"), plural(warnings, "warning"));
    let found = format!("{many}, {few}");
    match rules {
        Some(rules) => writeln!(out, "{paths}: {}; {found}", census(rules)),
        None => writeln!(out, "{paths}: not loaded; {found}"),
    }
}

/// Loads and compiles; rules that load can still ask for what there is not.
fn sound(paths: &[PathBuf], options: &LoadOptions) -> (Option<RuleSet>, Vec<Diagnostic>) {
    let loaded = match load(paths, options) {
        Ok(loaded) => loaded,
        Err(wrong) => return (None, wrong),
    };
    let detector = match Detector::compile(&loaded.rules, &classes(), Detecting::default()) {
        Ok(detector) => detector,
        Err(wrong) => return (None, wrong),
    };
    let unread = detector.unrouted().iter();
    let unread = unread.filter_map(|&at| loaded.rules.rules.get(at));
    let mut warnings = loaded.warnings;
    warnings.extend(unread.map(unreadable));
    (Some(loaded.rules), warnings)
}

/// The warning about a rule that no event will ever be asked about.
fn unreadable(rule: &Rule) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        code: "DET040",
        message: format!(
            "\"{}\" is for logs that tipstaff does not read",
            rule.header.title
        ),
        at: Some(rule.at.clone()),
        remedy: "see the logsources of `tipstaff formats`, or leave it out".to_owned(),
    }
}

/// Prints what a code means, and how it should be.
fn explained(code: &str, width: usize) -> Result<Exit, Failure> {
    let Some(entry) = explain(code) else {
        let codes: Vec<_> = CATALOGUE.iter().map(|entry| entry.code).collect();
        let what = format!("there is no code `{}`", Escaped(code.as_bytes()));
        let remedy = format!("the codes are {}", codes.join(" "));
        return Err(Failure::new(Exit::Usage, what, remedy));
    };
    let mut out = io::stdout().lock();
    writeln!(out, "{}: {}\n", entry.code, entry.title)?;
    for row in wrap(entry.explanation, width, 0) {
        writeln!(out, "{row}")?;
    }
    writeln!(out, "\nExample: {}", entry.example)?;
    out.flush()?;
    Ok(Exit::Success)
}

fn counted(diagnostics: &[Diagnostic]) -> (usize, usize) {
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error);
    let errors = errors.count();
    (errors, diagnostics.len() - errors)
}

/// `31 rules (24 detections, 3 correlations, 4 baselines)`.
fn census(set: &RuleSet) -> String {
    let count = |is: fn(&Body) -> bool| set.rules.iter().filter(|rule| is(&rule.body)).count();
    format!(
        "{} ({}, {}, {})",
        plural(set.rules.len(), "rule"),
        plural(
            count(|body| matches!(body, Body::Detection(_))),
            "detection"
        ),
        plural(
            count(|body| matches!(body, Body::Correlation(_))),
            "correlation"
        ),
        plural(count(|body| matches!(body, Body::Baseline(_))), "baseline"),
    )
}
