//! Which rules to use: where they are looked for, and what is said when they are broken.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use super::lists::Lists;
use super::plural;
use super::terminal::Terminal;
pub(super) use crate::detector::load_options;
use crate::detector::{Detector, Options};
use crate::pipeline::classes;
use crate::rule::{Diagnostic, LoadOptions, Loaded, RuleSet, Severity, load, render};
use crate::sync::Arc;

/// Names files and folders of rules, separated by colons, where `--rules` does not.
const VARIABLE: &str = "TIPSTAFF_RULES";

/// Where rules are looked for when nobody names any, in this order.
const PLACES: &[&str] = &["rules", "/etc/tipstaff/rules", "/usr/share/tipstaff/rules"];

/// Rules that were found, and how.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Files and folders.
    pub(super) paths: Vec<PathBuf>,
    /// Why these: `--rules`, `TIPSTAFF_RULES`, or the default.
    pub(super) because: &'static str,
}

/// Finds rules: those named, else those of the environment, else the first default place.
pub(super) fn find(named: &[PathBuf]) -> Result<Found, Failure> {
    let variable = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
    choose(named, variable, Path::is_dir)
}

fn choose(
    named: &[PathBuf],
    variable: Option<OsString>,
    is_folder: impl Fn(&Path) -> bool,
) -> Result<Found, Failure> {
    if !named.is_empty() {
        let paths = named.to_vec();
        let because = "named by --rules";
        return Ok(Found { paths, because });
    }
    if let Some(value) = variable {
        let paths = std::env::split_paths(&value).collect();
        let because = "named by TIPSTAFF_RULES";
        return Ok(Found { paths, because });
    }
    let place = PLACES.iter().map(Path::new).find(|place| is_folder(place));
    let because = "the first default place that exists";
    match place {
        Some(place) => Ok(Found {
            paths: vec![place.to_owned()],
            because,
        }),
        None => Err(Failure::new(
            Exit::Rules,
            format!("no rules: none of {} is a folder", PLACES.join(", ")),
            format!("name some with --rules PATH or in {VARIABLE}"),
        )),
    }
}

/// The same with value lists for `expand`.
pub(super) fn load_options_with(lists: &Lists) -> Result<LoadOptions, Failure> {
    Ok(LoadOptions {
        lists: lists.read()?,
        ..load_options()
    })
}

/// Loads the rules that are on; mistakes are shown on standard error and end the command
/// before any log is read, warnings are shown and no more.
pub(super) fn load_or_tell(
    found: &Found,
    lists: BTreeMap<String, Vec<String>>,
    terminal: Terminal,
) -> Result<Loaded, Failure> {
    let options = LoadOptions {
        lists,
        ..load_options()
    };
    load_with(found, &options, terminal)
}

/// The same with other options.
pub(super) fn load_with(
    found: &Found,
    options: &LoadOptions,
    terminal: Terminal,
) -> Result<Loaded, Failure> {
    let loaded = load(&found.paths, options).map_err(|wrong| told(&wrong, terminal))?;
    // What cannot be shown is no reason to stop.
    let _ = show(&loaded.warnings, &mut io::stderr(), terminal.err.color);
    Ok(loaded)
}

/// Compiles loaded rules for the logs that can be read.
pub(super) fn compile_or_tell(
    rules: &RuleSet,
    options: Options,
    terminal: Terminal,
) -> Result<Arc<Detector>, Failure> {
    let detector = Detector::compile(rules, &classes(), options);
    detector
        .map(Arc::new)
        .map_err(|wrong| told(&wrong, terminal))
}

/// Shows mistakes on standard error; the failure that a command ends with.
pub(super) fn told(wrong: &[Diagnostic], terminal: Terminal) -> Failure {
    // What cannot be shown still ends with the sentence below.
    let _ = show(wrong, &mut io::stderr(), terminal.err.color);
    let errors = wrong.iter().filter(|d| d.severity == Severity::Error);
    let what = format!("{} in the rules", plural(errors.count(), "mistake"));
    let remedy = "mend what is shown above; no log was read";
    Failure::new(Exit::Rules, what, remedy)
}

/// Writes diagnostics, each with its line of source and what to do.
pub(super) fn show(diagnostics: &[Diagnostic], out: &mut dyn Write, color: bool) -> io::Result<()> {
    let mut text = String::new();
    let mut of: Option<&PathBuf> = None;
    for diagnostic in diagnostics {
        let path = diagnostic.at.as_ref().map(|at| &*at.path);
        if path != of {
            text = path.map(|path| source(path)).unwrap_or_default();
            of = path;
        }
        let shown = render(diagnostic, &text, color);
        writeln!(out, "{}\n", shown.trim_end())?;
    }
    Ok(())
}

/// A rules file's text, to show lines of; empty when it cannot be had, for its
/// diagnostic then says so.
fn source(path: &Path) -> String {
    // Larger files are refused by the loader before it looks at a line.
    const MAX: u64 = 1 << 20;
    let small = std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= MAX);
    let text = small.then(|| std::fs::read_to_string(path).ok());
    text.flatten().unwrap_or_default()
}

/// Paths in one line.
pub(super) fn list(paths: &[PathBuf]) -> String {
    let names: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_rules_win_over_the_environment_and_that_over_the_default() {
        let all = |_: &Path| true;
        let named = [PathBuf::from("mine.yml")];
        let found = choose(&named, Some("a:b".into()), all).unwrap();
        assert_eq!(found.paths, named);
        let found = choose(&[], Some("a:b".into()), all).unwrap();
        assert_eq!(list(&found.paths), "a, b");
        let only_etc = |path: &Path| path.starts_with("/etc");
        let found = choose(&[], None, only_etc).unwrap();
        assert_eq!(list(&found.paths), "/etc/tipstaff/rules");
        let failure = choose(&[], None, |_| false).unwrap_err().to_string();
        assert!(failure.contains("--rules"), "{failure}");
    }
}
