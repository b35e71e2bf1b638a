//! Discovery: from what people name to the logs that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::rotation::{self, Age, Name};
use super::{Input, Limits, Problem, SOURCES};

/// One log: its rotations and itself, oldest first.
#[derive(Clone, Debug)]
pub struct Set {
    /// The log's name as people know it: that of the file being written to.
    pub name: String,
    /// Its files, oldest first; never empty.
    pub inputs: Vec<Input>,
}

/// A file that was found and is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub name: String,
    /// Why.
    pub why: &'static str,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The logs, in the order in which they were named; in a folder by name.
    pub sets: Vec<Set>,
    /// What could not be read; none of them hides a log.
    pub problems: Vec<Problem>,
    /// What was left out on purpose.
    pub skipped: Vec<Skipped>,
    /// How many files were taken for logs, the same one twice counted twice.
    pub(super) met: usize,
    files: Vec<Input>,
    seen: BTreeSet<(u64, u64)>,
}

/// Finds every log that `specs` name: files, folders, globs, and `-`.
pub fn discover(specs: &[OsString]) -> Discovery {
    let mut found = Discovery::default();
    for spec in specs {
        if let Some(source) = SOURCES.iter().find(|source| (source.claims)(spec)) {
            (source.find)(spec, &mut found);
        }
    }
    found.group();
    found
}

impl Discovery {
    /// Adds a stream that is a log of its own; twice the same is once.
    pub(super) fn stream(&mut self, input: Input) {
        if !self.sets.iter().any(|set| set.name == input.name) {
            self.sets.push(Set {
                name: input.name.clone(),
                inputs: vec![input],
            });
        }
    }

    /// Adds a file, unless it was named before (by a glob that overlaps, a
    /// link): `identity` is its device and inode.
    pub(super) fn file(&mut self, input: Input, identity: (u64, u64)) {
        self.met += 1;
        if self.seen.insert(identity) {
            self.files.push(input);
        } else {
            self.skip(input.name, "it is the same file as one before");
        }
    }

    /// Leaves a file out.
    pub(super) fn skip(&mut self, name: String, why: &'static str) {
        self.skipped.push(Skipped { name, why });
    }

    /// Puts the files of a log together.
    fn group(&mut self) {
        let mut groups: Vec<Group> = Vec::new();
        let mut by_log: BTreeMap<(PathBuf, Vec<u8>), usize> = BTreeMap::new();
        for input in std::mem::take(&mut self.files) {
            let member = Member::new(input);
            let at = *by_log.entry(member.log.clone()).or_insert(groups.len());
            match groups.get_mut(at) {
                Some(group) => group.members.push(member),
                None => groups.push(Group {
                    members: vec![member],
                }),
            }
        }
        for group in groups.into_iter().flat_map(Group::settle) {
            let set = group.ordered(self);
            self.sets.push(set);
        }
    }
}

struct Member {
    input: Input,
    /// Folder and name of the log it belongs to.
    log: (PathBuf, Vec<u8>),
    /// The log's name as people know it.
    shown: String,
    age: Age,
    weak: bool,
}

impl Member {
    fn new(mut input: Input) -> Member {
        let path = input.path.clone();
        let folder = path.parent().unwrap_or(Path::new(""));
        let file = path.file_name().unwrap_or_default();
        let Name { log, mut age, weak } = rotation::parse(file.as_encoded_bytes());
        // `auth.log` and `./auth.log.1` are one log.
        let here = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let real = fs::canonicalize(here).unwrap_or_else(|_| folder.to_path_buf());
        let mut place = real.clone();
        let mut shown = folder.to_path_buf();
        if let Some((parent, day)) = rotation::dated_folder(&real)
            && !matches!(age, Age::Numbered(_))
        {
            let time = match age {
                Age::Dated(digits) => digits,
                Age::Numbered(_) | Age::Live => Vec::new(),
            };
            age = Age::Dated([day, time].concat());
            shown = rotation::dated_folder(folder).map_or(shown, |(parent, _)| parent);
            place = parent;
        }
        let name = String::from_utf8_lossy(&log).into_owned();
        if let (Some(until), Some(modified)) = (age.until(), input.modified) {
            input.modified = Some(modified.min(until));
        }
        Member {
            shown: shown.join(name).display().to_string(),
            log: (place, log),
            input,
            age,
            weak,
        }
    }
}

struct Group {
    members: Vec<Member>,
}

impl Group {
    /// Takes `web.1.log` and `web.2.log` apart again where there is no `web.log`.
    fn settle(self) -> Vec<Group> {
        let live = self.members.iter().any(|member| member.age == Age::Live);
        let weak = self.members.iter().any(|member| member.weak);
        if live || !weak {
            return vec![self];
        }
        let alone = |mut member: Member| {
            member.shown.clone_from(&member.input.name);
            Group {
                members: vec![member],
            }
        };
        self.members.into_iter().map(alone).collect()
    }

    fn ordered(mut self, found: &mut Discovery) -> Set {
        // By name within an age: `auth.log.1` comes before `auth.log.1.gz`.
        self.members
            .sort_by(|a, b| (&a.age, &a.input.path).cmp(&(&b.age, &b.input.path)));
        let name = match self.members.as_slice() {
            [one] => one.input.name.clone(),
            [first, ..] => first.shown.clone(),
            [] => String::new(),
        };
        let mut inputs: Vec<(Age, Input)> = Vec::with_capacity(self.members.len());
        for member in self.members {
            // A rotation that broke off while compressing leaves both files;
            // the one that was being read, the plain one, is whole.
            let twin = inputs
                .iter()
                .any(|(age, input)| *age == member.age && same_start(input, &member.input));
            if twin {
                found.skip(
                    member.input.name,
                    "it is the same log as the file beside it",
                );
            } else {
                inputs.push((member.age, member.input));
            }
        }
        let inputs = inputs.into_iter().map(|(_, input)| input).collect();
        Set { name, inputs }
    }
}

/// Whether two files hold the same log, by their first KiB; the second may
/// have been cut short in it.
fn same_start(whole: &Input, twin: &Input) -> bool {
    let start = |input: &Input| {
        let mut bytes = Vec::new();
        if let Ok(reader) = input.open(&Limits::default()) {
            // What came before an error is in `bytes`.
            let _cut_short = reader.take(1024).read_to_end(&mut bytes);
        }
        bytes
    };
    let regular = whole.bytes.is_some() && twin.bytes.is_some();
    regular && {
        let twin = start(twin);
        !twin.is_empty() && start(whole).starts_with(&twin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files, each holding its own name.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{file}\n")).unwrap();
        }
        folder
    }

    /// What is found under a folder, as names relative to it.
    fn found(folder: &Path, specs: &[&str]) -> (Vec<(String, Vec<String>)>, Discovery) {
        let specs: Vec<OsString> = specs.iter().map(|s| folder.join(s).into()).collect();
        let found = discover(&specs);
        let short = |name: &str| {
            let prefix = format!("{}/", folder.display());
            name.strip_prefix(&prefix).unwrap_or(name).to_owned()
        };
        let sets = found.sets.iter().map(|set| {
            let inputs = set.inputs.iter().map(|input| short(&input.name)).collect();
            (short(&set.name), inputs)
        });
        (sets.collect(), found)
    }

    fn set(name: &str, inputs: &[&str]) -> (String, Vec<String>) {
        let inputs = inputs.iter().map(|&input| input.to_owned()).collect();
        (name.to_owned(), inputs)
    }

    #[test]
    fn a_folder_gives_its_logs_oldest_rotation_first_and_leaves_the_rest() {
        let folder = folder(&[
            "README.md",
            "expected.jsonl",
            ".hidden",
            "wtmp",
            "rules.yml",
            "auth.log",
            "auth.log.1",
            "auth.log.2.gz",
            "auth.log.10.gz",
            "zeek/2025-01-02/conn.00:00:00-01:00:00.log.gz",
            "zeek/2025-01-01/conn.23:00:00-00:00:00.log.gz",
            "zeek/2025-01-01/conn.01:00:00-02:00:00.log.gz",
            "hosts/10.0.0.1",
            "hosts/10.0.0.2",
            "hosts/web.1.log",
            "hosts/web.2.log",
            "hosts/db.1.log",
            "hosts/db.log",
        ]);
        let (sets, found) = found(folder.path(), &[""]);
        assert_eq!(
            sets,
            [
                set(
                    "auth.log",
                    &["auth.log.10.gz", "auth.log.2.gz", "auth.log.1", "auth.log"]
                ),
                set("hosts/10.0.0.1", &["hosts/10.0.0.1"]),
                set("hosts/10.0.0.2", &["hosts/10.0.0.2"]),
                set("hosts/db.log", &["hosts/db.1.log", "hosts/db.log"]),
                set("hosts/web.1.log", &["hosts/web.1.log"]),
                set("hosts/web.2.log", &["hosts/web.2.log"]),
                set(
                    "zeek/conn.log",
                    &[
                        "zeek/2025-01-01/conn.01:00:00-02:00:00.log.gz",
                        "zeek/2025-01-01/conn.23:00:00-00:00:00.log.gz",
                        "zeek/2025-01-02/conn.00:00:00-01:00:00.log.gz",
                    ]
                ),
            ]
        );
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        assert_eq!(found.skipped.len(), 4, "{:?}", found.skipped);
    }

    #[test]
    fn what_is_missing_is_said_and_hides_nothing() {
        let folder = folder(&["auth.log", "empty/README.md"]);
        let specs = ["gone.log", "no-*.log", "bad[.log", "empty", "auth.log"];
        let (sets, found) = found(folder.path(), &specs);
        assert_eq!(sets, [set("auth.log", &["auth.log"])]);
        let [gone, none, bad, empty] = found.problems.as_slice() else {
            panic!("{:?}", found.problems);
        };
        assert!(gone.to_string().contains("gone.log: there is no such file"));
        assert!(none.to_string().contains("no-*.log: no file matches"));
        assert!(bad.to_string().contains("bad[.log: this is not a pattern"));
        assert!(
            empty
                .to_string()
                .contains("empty: there are no logs in this folder")
        );
    }

    #[test]
    fn a_file_named_twice_is_read_once() {
        let folder = folder(&["auth.log"]);
        let path = folder.path();
        fs::hard_link(path.join("auth.log"), path.join("other")).unwrap();
        std::os::unix::fs::symlink(".", path.join("loop")).unwrap();
        let (sets, _) = found(path, &["auth.log", "a*.log", "other", ""]);
        assert_eq!(sets, [set("auth.log", &["auth.log"])]);
    }

    #[test]
    fn a_rotation_that_broke_off_while_compressing_is_read_once_from_the_whole_file() {
        let folder = folder(&["auth.log", "auth.log.1"]);
        let twin = zstd::encode_all(&b"auth.log.1\n"[..], 3).unwrap();
        fs::write(folder.path().join("auth.log.1.zst"), twin).unwrap();
        let (sets, _) = found(folder.path(), &["auth.log.1.zst", "auth.log", "auth.log.1"]);
        assert_eq!(sets, [set("auth.log", &["auth.log.1", "auth.log"])]);
    }

    #[test]
    fn a_file_named_outright_is_read_whatever_its_name() {
        let folder = folder(&["README.md", "notes[1].md"]);
        let (sets, _) = found(folder.path(), &["README.md", "notes[1].md"]);
        assert_eq!(sets.len(), 2);
    }
}
