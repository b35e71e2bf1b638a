//! Files and folders become a rule set, or every mistake in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::catalogue as codes;
use super::diagnostic::{Diagnostic, Severity};
use super::document::draft;
use super::link::link;
use super::model::RuleSet;
use super::reference::Draft;
use super::report::Report;
use super::yaml::{Place, documents};

/// Largest rules file. SigmaHQ's largest has 60 KiB.
const FILE_MAX: u64 = 1 << 20;

/// Folders within folders; a link to a parent ends here.
const DEPTH_MAX: usize = 32;

/// A type of baseline that there is: a row of the statistics' table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistic {
    /// The `type:`.
    pub name: &'static str,
    /// Whether `field:` may or must be named; `None`: must not.
    pub field: Option<Need>,
    /// Whether `field:` may name several.
    pub many: bool,
    /// The same of `prevalence-of:`.
    pub prevalence: Option<Need>,
    /// Whether `learn:` may name `peers:`.
    pub peers: bool,
    /// The words that `count-only:` may have.
    pub only: &'static [&'static str],
    /// The floor of rules that name none; `None` where they must.
    pub floor: Option<f64>,
}

/// Whether a key that has a meaning has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It may.
    May,
    /// It must.
    Must,
}

/// What loading needs to know besides the files.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Value lists for `expand`, by name.
    pub lists: BTreeMap<String, Vec<String>>,
    /// Types of baselines that there are.
    pub statistics: Vec<Statistic>,
    /// Also rules whose status is experimental.
    pub experimental: bool,
    /// Also rules whose status is deprecated or unsupported (to try one on an event).
    pub retired: bool,
    /// Also what only matters for a pack that others read: [`super::lint()`].
    pub lint: bool,
}

impl Default for LoadOptions {
    fn default() -> LoadOptions {
        let row = |name, field, floor| Statistic {
            name,
            field,
            many: false,
            prevalence: None,
            peers: false,
            only: &[],
            floor: Some(floor),
        };
        LoadOptions {
            lists: BTreeMap::new(),
            statistics: vec![
                row("event_count", None, 5.0),
                row("first_seen", Some(Need::Must), 0.0),
            ],
            experimental: false,
            retired: false,
            lint: false,
        }
    }
}

/// Rules that loaded.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The rules that are on.
    pub rules: RuleSet,
    /// What loads but is probably not meant so.
    pub warnings: Vec<Diagnostic>,
    /// Titles of the rules that are off by their status, and not needed by one that is on.
    pub off: Vec<String>,
}

/// Loads rules from files and folders. A folder is searched in order of names
/// for `.yml` and `.yaml`, without hidden entries and folders called `tests`.
/// Either everything loads, or every mistake of every file is returned.
pub fn load(paths: &[PathBuf], options: &LoadOptions) -> Result<Loaded, Vec<Diagnostic>> {
    let mut loader = Loader {
        options,
        drafts: Vec::new(),
        found: Vec::new(),
        seen: BTreeSet::new(),
    };
    for path in paths {
        let before = loader.seen.len();
        loader.path(path, 0);
        let nothing = loader.seen.len() == before && path.is_dir();
        if nothing && !holds_any(&loader.seen, path) {
            let message = "this folder holds no .yml or .yaml file";
            let remedy = "name a folder with rules, such as `rules/`";
            loader.fail(codes::NO_RULES, path, message, remedy);
        }
    }
    loader.finish()
}

/// Loads rules from text as if it stood in a file of that path.
pub fn load_text(
    path: impl Into<PathBuf>,
    text: &str,
    options: &LoadOptions,
) -> Result<Loaded, Vec<Diagnostic>> {
    let mut loader = Loader {
        options,
        drafts: Vec::new(),
        found: Vec::new(),
        seen: BTreeSet::new(),
    };
    loader.text(&path.into(), text);
    loader.finish()
}

/// Whether a folder's files were all reached before, through another path.
fn holds_any(seen: &BTreeSet<PathBuf>, folder: &Path) -> bool {
    let folder = folder.canonicalize().unwrap_or_default();
    seen.iter().any(|file| file.starts_with(&folder))
}

struct Loader<'o> {
    options: &'o LoadOptions,
    drafts: Vec<Draft>,
    found: Vec<Diagnostic>,
    /// Files read, by their real path: `rules rules/sigma` names some twice.
    seen: BTreeSet<PathBuf>,
}

impl Loader<'_> {
    /// A mistake about a file as a whole.
    fn fail(&mut self, code: &'static str, path: &Path, message: &str, remedy: &str) {
        self.fail_on(1, code, path, message, remedy);
    }

    /// A mistake on a line of a file that is no text.
    fn fail_on(
        &mut self,
        line: usize,
        code: &'static str,
        path: &Path,
        message: &str,
        remedy: &str,
    ) {
        let mut report = Report::new(path, "");
        let start = Place {
            line,
            column: 1,
            ..Place::default()
        };
        report.error(code, start, message, remedy);
        self.found.append(&mut report.found);
    }

    fn path(&mut self, path: &Path, depth: usize) {
        match path.metadata() {
            Ok(meta) if meta.is_dir() => self.folder(path, depth),
            Ok(_) => self.file(path),
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn unreadable(&mut self, path: &Path, error: &std::io::Error) {
        let remedy = match error.kind() {
            std::io::ErrorKind::NotFound => "check the spelling of the path",
            std::io::ErrorKind::PermissionDenied => "let tipstaff's user read it",
            _ => "check the file system",
        };
        let message = format!("cannot read `{}`: {error}", path.display());
        self.fail(codes::UNREADABLE, path, &message, remedy);
    }

    fn folder(&mut self, path: &Path, depth: usize) {
        if depth > DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} folders within each other");
            let remedy = "look for a link that leads back to its own folder";
            self.fail(codes::UNREADABLE, path, &message, remedy);
            return;
        }
        let entries: Result<Vec<PathBuf>, _> = match path.read_dir() {
            Ok(entries) => entries.map(|e| e.map(|e| e.path())).collect(),
            Err(error) => Err(error),
        };
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(path, &error),
        };
        entries.sort();
        for entry in entries {
            let name = entry.file_name().unwrap_or_default().to_string_lossy();
            let extension = entry.extension().unwrap_or_default();
            let skipped = name.starts_with('.');
            if !skipped && entry.is_dir() {
                if name != "tests" {
                    self.path(&entry, depth + 1);
                }
            } else if !skipped && (extension == "yml" || extension == "yaml") {
                self.path(&entry, depth + 1);
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if !self.seen.insert(real) {
            return;
        }
        let mut bytes = Vec::new();
        let opened = File::open(path).and_then(|f| f.take(FILE_MAX + 1).read_to_end(&mut bytes));
        if let Err(error) = opened {
            return self.unreadable(path, &error);
        }
        if bytes.len() as u64 > FILE_MAX {
            let message = format!("this file is larger than {} KiB", FILE_MAX / 1024);
            let remedy = "split it, and put long lists of values into the configuration's lists";
            return self.fail(codes::FILE_TOO_LARGE, path, &message, remedy);
        }
        match text_of(&bytes) {
            Ok(text) => self.text(path, text),
            Err((line, message)) => {
                let remedy = "save it as UTF-8 text";
                self.fail_on(line, codes::NOT_TEXT, path, &message, remedy);
            }
        }
    }

    fn text(&mut self, path: &Path, text: &str) {
        let mut report = Report::new(path, text);
        let documents = documents(&mut report);
        let mut drafts = 0;
        for document in &documents {
            let draft = draft(document, self.options, &mut report);
            drafts += usize::from(draft.is_some());
            self.drafts.extend(draft);
        }
        if drafts == 0 && report.found.is_empty() {
            let start = Place {
                line: 1,
                column: 1,
                ..Place::default()
            };
            let message = "this file holds no rule";
            report.warn(
                codes::EMPTY_FILE,
                start,
                message,
                "write one, or remove the file",
            );
        }
        self.found.extend(report.finish());
    }

    fn finish(mut self) -> Result<Loaded, Vec<Diagnostic>> {
        let none = self.drafts.is_empty();
        let linked = link(self.drafts, self.options, &mut self.found);
        let failed = self.found.iter().any(|d| d.severity == Severity::Error);
        let (rules, off) = linked;
        if !failed && rules.rules.is_empty() {
            self.found.push(nothing_on(none, off.len()));
        }
        if failed || rules.rules.is_empty() {
            return Err(self.found);
        }
        if self.options.lint {
            self.found.extend(super::lint::lint(&rules));
        }
        Ok(Loaded {
            rules,
            warnings: self.found,
            off,
        })
    }
}

/// The mistake of a set without a rule that is on.
fn nothing_on(none: bool, off: usize) -> Diagnostic {
    let (code, message, remedy) = if none || off == 0 {
        let message = "there are no rules, so nothing could be found".to_owned();
        (
            codes::NO_RULES,
            message,
            "name a file or folder with rules, such as `rules/`",
        )
    } else {
        let message = format!("all {off} rules are off by their status");
        (
            codes::RULES_OFF,
            message,
            "ask for experimental rules, or set `status: test`",
        )
    };
    Diagnostic {
        severity: Severity::Error,
        code,
        message,
        at: None,
        remedy: remedy.to_owned(),
    }
}

/// The file's text, or the line on which it is none, and what is there instead.
fn text_of(bytes: &[u8]) -> Result<&str, (usize, String)> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err((1, "this file is UTF-16".to_owned()));
    }
    let line_of = |at| 1 + bytes.iter().take(at).filter(|b| **b == b'\n').count();
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        let line = line_of(at);
        return Err((line, format!("there is a NUL byte on line {line}")));
    }
    std::str::from_utf8(bytes).map_err(|e| {
        let line = line_of(e.valid_up_to());
        (line, format!("line {line} is not UTF-8"))
    })
}
