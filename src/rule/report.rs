//! Collects what is wrong with one file, with places in its text.

use std::path::PathBuf;
use std::sync::Arc;

use super::catalogue as codes;
use super::diagnostic::{Diagnostic, Severity, visible};
use super::model::Location;
use super::yaml::Place;

/// Mistakes kept per file and severity: a file of another kind is wrong
/// everywhere, and nobody mends more than this in one go.
const MISTAKES_MAX: usize = 100;

/// The mistakes of one file.
pub(super) struct Report<'a> {
    /// The file's text.
    pub(super) source: &'a str,
    /// What was found, in the order of finding.
    pub(super) found: Vec<Diagnostic>,
    path: Arc<PathBuf>,
    /// How many there were of each severity, also those not kept.
    seen: [usize; 2],
}

impl<'a> Report<'a> {
    pub(super) fn new(path: impl Into<PathBuf>, source: &'a str) -> Report<'a> {
        Report {
            source,
            found: Vec::new(),
            path: Arc::new(path.into()),
            seen: [0; 2],
        }
    }

    /// A mistake because of which the file cannot load.
    pub(super) fn error(
        &mut self,
        code: &'static str,
        at: Place,
        message: impl AsRef<str>,
        remedy: impl Into<String>,
    ) {
        self.add(Severity::Error, code, at, message.as_ref(), &remedy.into());
    }

    /// Something that loads, but is probably not meant so.
    pub(super) fn warn(
        &mut self,
        code: &'static str,
        at: Place,
        message: impl AsRef<str>,
        remedy: impl Into<String>,
    ) {
        self.add(
            Severity::Warning,
            code,
            at,
            message.as_ref(),
            &remedy.into(),
        );
    }

    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        at: Place,
        message: &str,
        remedy: &str,
    ) {
        let [warnings, errors] = &mut self.seen;
        let seen = match severity {
            Severity::Warning => warnings,
            Severity::Error => errors,
        };
        *seen += 1;
        if *seen <= MISTAKES_MAX {
            let at = Some(self.location(at));
            self.found.push(Diagnostic {
                severity,
                code,
                message: visible(message),
                at,
                remedy: visible(remedy),
            });
        }
    }

    /// What was found, in the order of the file, with a word about what was not kept.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        let kept = self.found.len();
        self.found
            .sort_by_key(|d| d.at.as_ref().map_or(0, |at| at.start));
        let left_out = self.seen.iter().sum::<usize>().saturating_sub(kept);
        if left_out > 0 {
            let at = self.found.last().and_then(|d| d.at.clone());
            self.found.push(Diagnostic {
                severity: Severity::Warning,
                code: codes::MORE,
                message: format!("{left_out} more mistakes of this file are not shown"),
                at,
                remedy: "mend these first".to_owned(),
            });
        }
        self.found
    }

    /// A place of this file as one that can leave it.
    pub(super) fn location(&self, at: Place) -> Location {
        Location {
            path: Arc::clone(&self.path),
            line: at.line,
            column: at.column,
            start: at.start,
            end: at.end,
        }
    }

    /// The place of `text.get(from..to)` within the scalar at `at`, where the
    /// scalar is written without escapes or folds; else the whole scalar.
    pub(super) fn within(&self, at: Place, text: &str, from: usize, to: usize) -> Place {
        let raw = self.source.get(at.start..at.end).unwrap_or("");
        let (Some(lead), Some(before)) = (raw.find(text), text.get(..from)) else {
            return at;
        };
        if raw.get(..lead).is_some_and(|l| l.contains('\n')) || before.contains('\n') {
            return at;
        }
        let skipped = raw.get(..lead).map_or(0, |l| l.chars().count());
        Place {
            line: at.line,
            column: at.column + skipped + before.chars().count(),
            start: at.start + lead + from,
            end: at.start + lead + to,
        }
    }
}
