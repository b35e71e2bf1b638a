//! Files: one by name, all of a folder, or those that a glob matches.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, glob_with};

use super::{Discovery, Input, Problem, Source, clock_of, rotation};

pub(super) static SOURCE: Source = Source {
    name: "file",
    spec: "FILE, FOLDER or 'GLOB'",
    about: "files, plain or compressed (gzip, zstd, xz, bzip2), with their rotations",
    claims: |_| true,
    find,
    open: |input| Ok(Box::new(File::open(&input.path)?) as Box<dyn Read + Send>),
};

/// What a folder of logs may hold beside them, by the end of the name.
const NO_LOGS: &[&str] = &[
    ".md", ".yml", ".yaml", ".toml", ".csv", ".html", ".pcap", ".pcapng", ".sh", ".py", ".rs",
    ".tar", ".zip", ".db", ".sqlite", ".pid", ".swp", "~",
    // systemd's binary journal
    ".journal",
];

/// The same, by the whole name; the last four are binary login records.
const NO_LOG_NAMES: &[&str] = &[
    "README",
    "LICENSE",
    "expected.jsonl",
    "wtmp",
    "btmp",
    "lastlog",
    "faillog",
];

/// `*` does not match hidden files, as in a shell.
const LIKE_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

fn find(spec: &OsStr, found: &mut Discovery) {
    let path = Path::new(spec);
    let name = path.display().to_string();
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => folder(path, found),
        Ok(meta) => file(path, &meta, found),
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_glob(&name) => {
            pattern(&name, found);
        }
        Err(error) => found.problems.push(Problem::cannot_read(&name, error)),
    }
}

/// Whether a name that no file has can be a glob.
pub(super) fn is_glob(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

fn pattern(pattern: &str, found: &mut Discovery) {
    let paths = match glob_with(pattern, LIKE_A_SHELL) {
        Ok(paths) => paths,
        Err(error) => {
            return found.problems.push(Problem::BadPattern {
                pattern: pattern.to_owned(),
                why: error.to_string(),
            });
        }
    };
    let mut any = false;
    for path in paths {
        any = true;
        match path {
            Ok(path) => find(path.as_os_str(), found),
            Err(error) => {
                let name = error.path().display().to_string();
                let error = io::Error::from(error);
                found.problems.push(Problem::cannot_read(&name, error));
            }
        }
    }
    if !any {
        found.problems.push(Problem::NoMatch {
            pattern: pattern.to_owned(),
        });
    }
}

/// Whether a file or glob that is followed or replayed names a path.
pub fn names(spec: &Path, path: &Path) -> bool {
    // `./auth.log` and `auth.log` are one; links are followed by neither.
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let (spec, path) = (whole(spec), whole(path));
    spec == path
        || glob::Pattern::new(&spec.display().to_string())
            .is_ok_and(|glob| glob.matches_path_with(&path, LIKE_A_SHELL))
}

/// What is wrong with a glob, if it is one.
pub fn pattern_mistake(spec: &Path) -> Option<String> {
    let name = spec.display().to_string();
    let glob = is_glob(&name) && !spec.exists();
    let mistake = glob::Pattern::new(&name).err().filter(|_| glob)?;
    Some(mistake.to_string())
}

/// The files that a glob matches now, where they can be looked at.
pub(super) fn matches(pattern: &str) -> impl Iterator<Item = PathBuf> {
    let paths = glob_with(pattern, LIKE_A_SHELL).into_iter().flatten();
    paths.flatten().filter(|path| path.is_file())
}

fn folder(path: &Path, found: &mut Discovery) {
    let before = found.met;
    walk(path, &mut BTreeSet::new(), found);
    if found.met == before {
        found.problems.push(Problem::NoLogs {
            name: path.display().to_string(),
        });
    }
}

/// `seen` holds the folders entered, because a link may lead back to one.
fn walk(path: &Path, seen: &mut BTreeSet<(u64, u64)>, found: &mut Discovery) {
    let name = path.display().to_string();
    let entries = fs::metadata(path).and_then(|meta| {
        let new = seen.insert((meta.dev(), meta.ino()));
        let entries = if new { Some(fs::read_dir(path)?) } else { None };
        entries
            .into_iter()
            .flatten()
            .collect::<io::Result<Vec<_>>>()
    });
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return found.problems.push(Problem::cannot_read(&name, error)),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = path.display().to_string();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => walk(&path, seen, found),
            Ok(meta) if !meta.is_file() => found.skip(name, "it is no regular file"),
            Ok(_) if !may_be_log(&entry.file_name()) => found.skip(name, "its name is not a log's"),
            Ok(meta) => file(&path, &meta, found),
            Err(error) => found.problems.push(Problem::cannot_read(&name, error)),
        }
    }
}

fn may_be_log(name: &OsStr) -> bool {
    let name = rotation::parse(name.as_encoded_bytes()).log;
    let listed = NO_LOG_NAMES.iter().any(|no| no.as_bytes() == name);
    !listed && !NO_LOGS.iter().any(|end| name.ends_with(end.as_bytes()))
}

fn file(path: &Path, meta: &Metadata, found: &mut Discovery) {
    let name = path.display().to_string();
    if meta.is_file() {
        // Said now and not in the middle of a long replay. Not tried on a
        // pipe, which would block or lose its bytes.
        if let Err(error) = File::open(path) {
            return found.problems.push(Problem::cannot_read(&name, error));
        }
    }
    let input = Input {
        name,
        path: path.to_path_buf(),
        bytes: meta.is_file().then_some(meta.len()),
        modified: Some(clock_of(meta)),
        source: &SOURCE,
    };
    found.file(input, (meta.dev(), meta.ino()));
}
