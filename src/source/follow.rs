//! Following: live files through append, rotation, truncation and restarts.
//!
//! Correctness comes from [`Follower::sweep`], which looks at every followed
//! path with its own eyes; a [`super::Watch`] only says when to sweep sooner.
//! What is not read to its end is always in [`Follower::positions`], which is
//! taken between sweeps and so agrees with what was emitted.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoint::Saved;
use super::followed::Log;
use super::gap::Gap;
use super::identity::Identity;
use super::{Block, Limits, generations};
use crate::line::SourceId;
use crate::time::{Span, Time};

/// Files held open; half of the descriptors that systemd and login shells give.
const OPEN_FILES: usize = 512;

/// Blocks taken from one log in a sweep, so that one that is far behind (16 MiB
/// and more) keeps neither the others nor a stop waiting.
const BLOCKS: usize = 64;

/// What the logs of a follower have in common in a sweep.
pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) rotate_wait: Span,
    pub(super) now: Time,
    pub(super) buffer: Vec<u8>,
    pub(super) block: Block,
    pub(super) gaps: Vec<Gap>,
    /// Which log holds which file open.
    pub(super) held: BTreeMap<Identity, Arc<PathBuf>>,
    /// Files that stand at a followed path.
    pub(super) live: BTreeSet<Identity>,
    names: BTreeMap<SourceId, Arc<PathBuf>>,
    next: u32,
}

impl Shared {
    /// The number of a new generation of the log at `path`.
    pub(super) fn number(&mut self, path: &Arc<PathBuf>) -> SourceId {
        let source = SourceId(self.next);
        self.next += 1;
        self.names.insert(source, Arc::clone(path));
        source
    }

    /// Whether a log other than the one at `path` reads this file already.
    pub(super) fn held_elsewhere(&self, identity: &Identity, path: &Path) -> bool {
        self.held
            .get(identity)
            .is_some_and(|holder| holder.as_path() != path)
    }
}

/// Follows files.
pub struct Follower {
    specs: Vec<PathBuf>,
    from_start: bool,
    first: bool,
    open_files: usize,
    logs: BTreeMap<PathBuf, Log>,
    shared: Shared,
}

impl Follower {
    /// Hands on no lines of which `whole` says that others may belong to them.
    #[must_use]
    pub fn keeping_together(mut self, whole: fn(&[u8]) -> usize) -> Follower {
        self.shared.limits.whole = whole;
        self
    }

    /// Follows what `specs` (paths and globs) name, going on where `saved`
    /// stopped. A log without a saved position begins at its end, or with
    /// `from_start` at its start; one that appears later, at its start.
    pub fn new(specs: Vec<PathBuf>, saved: Vec<Saved>, from_start: bool) -> Follower {
        let next = saved.iter().map(|saved| saved.source.0 + 1).max();
        let mut follower = Follower {
            specs,
            from_start,
            first: true,
            open_files: OPEN_FILES,
            logs: BTreeMap::new(),
            shared: Shared {
                limits: Limits::default(),
                rotate_wait: Span::MINUTE,
                now: Time::MIN,
                buffer: Vec::new(),
                block: Block::default(),
                gaps: Vec::new(),
                held: BTreeMap::new(),
                live: BTreeSet::new(),
                names: BTreeMap::new(),
                next: next.unwrap_or(0),
            },
        };
        for saved in saved {
            let log = follower
                .logs
                .entry(saved.path.clone())
                .or_insert_with_key(|path| Log::new(path, false));
            let name = Arc::clone(&log.path);
            follower.shared.names.insert(saved.source, name);
            log.restore(saved);
        }
        follower
    }

    /// Other limits than the default.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Follower {
        self.shared.limits = limits;
        self
    }

    /// How long a rotated file must be quiet before it is let go of and its
    /// last line taken as it is; 60 s unless told. The writer keeps writing to
    /// it until it is told to reopen.
    #[must_use]
    pub fn rotate_wait(mut self, wait: Span) -> Follower {
        self.shared.rotate_wait = wait;
        self
    }

    /// How many files are held open at most (512 unless told). Others are
    /// opened when they have grown; rotated files are held whatever their number.
    #[must_use]
    pub fn open_files(mut self, most: usize) -> Follower {
        self.open_files = most;
        self
    }

    /// Emits every whole line there is, old files before new ones; whether
    /// there is more to read at once. Call it each second, or sooner on a hint.
    /// `now` is wall time and decides only when a rotated file is let go of.
    /// `emit` may take the block's bytes.
    pub fn sweep(&mut self, now: Time, emit: &mut dyn FnMut(&mut Block)) -> bool {
        self.look(now);
        let mut more = false;
        for log in self.logs.values_mut() {
            more |= log.sweep(BLOCKS, &mut self.shared, emit);
        }
        more
    }

    /// Looks which files there are, so that [`Follower::read`] can be asked for
    /// each log's lines. Call it each second, or sooner on a hint.
    pub fn look(&mut self, now: Time) {
        let wanted = generations::expand(&self.specs);
        let skim = self.first && !self.from_start;
        for path in &wanted {
            self.logs
                .entry(path.clone())
                .or_insert_with_key(|path| Log::new(path, skim));
        }
        self.first = false;
        self.shared.now = now;
        self.shared.held.clear();
        for log in self.logs.values() {
            for identity in log.identities() {
                self.shared.held.insert(identity, Arc::clone(&log.path));
            }
        }
        let live = wanted.iter().filter_map(|path| {
            let live = generations::live(path).ok()??;
            Some(live.identity)
        });
        self.shared.live = live.collect();
        let wanted: BTreeSet<PathBuf> = wanted.into_iter().collect();
        self.logs
            .retain(|path, log| wanted.contains(path) || !log.finished());
        let mut open = 0;
        for log in self.logs.values_mut() {
            if open + log.files() > self.open_files {
                log.shelve(&self.shared);
            }
            open += log.files();
        }
    }

    /// The logs that are followed, as of the last look.
    pub fn logs(&self) -> impl Iterator<Item = &Path> {
        self.logs.keys().map(PathBuf::as_path)
    }

    /// Emits the next whole lines of one log, some [`Limits::block`] bytes of
    /// them; whether there may be more to read at once.
    pub fn read(&mut self, path: &Path, emit: &mut dyn FnMut(&mut Block)) -> bool {
        match self.logs.get_mut(path) {
            Some(log) => log.sweep(1, &mut self.shared, emit),
            None => false,
        }
    }

    /// Where everything stands, for [`Follower::new`]: exactly behind the last
    /// byte emitted.
    pub fn positions(&self) -> Vec<Saved> {
        self.logs.values().flat_map(Log::positions).collect()
    }

    /// What was lost or could not be read since this was last called.
    pub fn take_gaps(&mut self) -> Vec<Gap> {
        std::mem::take(&mut self.shared.gaps)
    }

    /// The path under which a generation was followed.
    pub fn name(&self, source: SourceId) -> Option<&Path> {
        self.shared.names.get(&source).map(|path| path.as_path())
    }

    /// Every generation's number and path so far.
    pub fn names(&self) -> impl Iterator<Item = (SourceId, &Path)> {
        self.shared
            .names
            .iter()
            .map(|(source, path)| (*source, path.as_path()))
    }

    /// Bytes that are there and not emitted yet.
    pub fn behind(&self) -> u64 {
        self.logs.values().map(Log::behind).sum()
    }

    /// The first bytes of a generation that is open, at most `length`: a Zeek
    /// log that is resumed in its middle has its header there.
    pub fn opening(&self, source: SourceId, length: usize) -> Option<io::Result<Vec<u8>>> {
        self.logs
            .values()
            .find_map(|log| log.opening(source, length))
    }

    /// The folders to watch for hints.
    pub fn folders(&self) -> Vec<PathBuf> {
        let folders: BTreeSet<PathBuf> = self
            .logs
            .keys()
            .chain(&self.specs)
            .filter_map(|path| path.parent())
            .filter(|folder| folder.is_dir())
            .map(Path::to_path_buf)
            .collect();
        folders.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::gap::Why;
    use super::*;
    use std::fs::{self, OpenOptions};
    use std::io::Write;
    use std::os::unix::fs::symlink;

    struct Scene {
        folder: tempfile::TempDir,
        follower: Follower,
        now: Time,
    }

    impl Scene {
        /// Follows these specs in a folder that has `auth.log` with one line.
        fn new(specs: &[&str], from_start: bool) -> Scene {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("auth.log"), "before\n").unwrap();
            let specs = specs.iter().map(|spec| folder.path().join(spec)).collect();
            Scene {
                folder,
                follower: Follower::new(specs, Vec::new(), from_start),
                now: crate::clock::now(),
            }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn append(&self, name: &str, text: &str) {
            let mut options = OpenOptions::new();
            let mut file = options
                .create(true)
                .append(true)
                .open(self.path(name))
                .unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        /// The lines that a sweep emits, with `+` at one cut short and `?` at
        /// one without LF.
        fn sweep(&mut self) -> Vec<String> {
            let mut lines = Vec::new();
            while self.follower.sweep(self.now, &mut |block| {
                let last = block.lines - 1;
                for (at, line) in block.lines().enumerate() {
                    let text = String::from_utf8_lossy(line.bytes);
                    let open = block.unterminated_last && at as u64 == last;
                    let mark = if line.truncated {
                        "+"
                    } else if open {
                        "?"
                    } else {
                        ""
                    };
                    lines.push(format!("{}:{text:.20}{mark}", line.place.number));
                }
            }) {}
            lines
        }
    }

    #[test]
    fn a_log_begins_at_its_end_or_at_its_start_and_a_new_one_at_its_start() {
        let mut scene = Scene::new(&["auth.log", "new.log"], false);
        assert!(scene.sweep().is_empty());
        scene.append("auth.log", "after\nhal");
        scene.append("new.log", "first\n");
        assert_eq!(scene.sweep(), ["2:after", "1:first"]);
        scene.append("auth.log", "f\n");
        assert_eq!(scene.sweep(), ["3:half"]);
        assert_eq!(Scene::new(&["auth.log"], true).sweep(), ["1:before"]);
    }

    #[test]
    fn what_was_rotated_before_the_start_is_history_even_if_it_was_written_to_last() {
        let mut scene = Scene::new(&["empty.log"], true);
        scene.append("empty.log", "");
        scene.append("empty.log.1", "history\n");
        scene.now = crate::clock::now();
        assert!(scene.sweep().is_empty());
        assert!(scene.sweep().is_empty());
        scene.append("empty.log", "first\n");
        assert_eq!(scene.sweep(), ["1:first"]);
    }

    #[test]
    fn a_file_truncated_and_grown_past_us_is_read_from_its_start_and_told() {
        let mut scene = Scene::new(&["auth.log"], true);
        scene.sweep();
        fs::write(scene.path("auth.log"), "another\nand longer than before\n").unwrap();
        assert_eq!(scene.sweep(), ["1:another", "2:and longer than befo"]);
        let gaps = scene.follower.take_gaps();
        assert!(
            matches!(
                gaps.as_slice(),
                [Gap {
                    why: Why::Rewritten,
                    ..
                }]
            ),
            "{gaps:?}"
        );
        assert!(
            gaps[0]
                .to_string()
                .contains("auth.log: truncated or written over")
        );
    }

    #[test]
    fn a_file_that_vanished_while_nobody_looked_is_told() {
        let mut scene = Scene::new(&["auth.log"], true);
        scene.sweep();
        let saved = scene.follower.positions();
        fs::remove_file(scene.path("auth.log")).unwrap();
        scene.append("auth.log", "another\n");
        scene.follower = Follower::new(vec![scene.path("auth.log")], saved, false);
        assert_eq!(scene.sweep(), ["1:another"]);
        let gaps = scene.follower.take_gaps();
        assert!(
            matches!(
                gaps.as_slice(),
                [Gap {
                    why: Why::Vanished,
                    ..
                }]
            ),
            "{gaps:?}"
        );
        scene.append("auth.log", "more\n");
        assert_eq!(scene.sweep(), ["2:more"]);
        assert!(scene.follower.take_gaps().is_empty(), "told once");
    }

    #[test]
    fn half_a_line_waits_for_its_lf_until_its_file_is_rotated_and_quiet() {
        let mut scene = Scene::new(&["auth.log"], true);
        scene.append("auth.log", "half");
        assert_eq!(scene.sweep(), ["1:before"]);
        scene.now = scene.now.plus(Span::HOUR);
        assert!(scene.sweep().is_empty(), "the writer may only be slow");
        fs::rename(scene.path("auth.log"), scene.path("auth.log.1")).unwrap();
        scene.append("auth.log", "new\n");
        assert_eq!(scene.sweep(), ["1:new", "2:half?"]);
    }

    #[test]
    fn a_symbolic_link_that_is_switched_is_read_to_its_end_before_the_new_target() {
        let mut scene = Scene::new(&["current"], true);
        symlink("auth.log", scene.path("current")).unwrap();
        assert_eq!(scene.sweep(), ["1:before"]);
        scene.append("auth.log", "last\n");
        scene.append("app-2.log", "first\n");
        fs::remove_file(scene.path("current")).unwrap();
        symlink("app-2.log", scene.path("current")).unwrap();
        assert_eq!(scene.sweep(), ["2:last", "1:first"]);
    }

    #[test]
    fn two_paths_to_one_file_and_a_glob_over_rotations_read_every_line_once() {
        let mut scene = Scene::new(&["auth.log", "*.log*", "other"], true);
        fs::hard_link(scene.path("auth.log"), scene.path("other")).unwrap();
        scene.append("auth.log.1", "history\n");
        scene.append("cron.log", "cron\n");
        assert_eq!(scene.sweep(), ["1:before", "1:cron"]);
    }

    #[test]
    fn a_line_longer_than_the_cap_is_taken_by_its_head_once_it_ends() {
        let mut scene = Scene::new(&["auth.log"], true);
        scene.sweep();
        for _ in 0..40 {
            scene.append("auth.log", &"x".repeat(50_000));
            assert!(scene.sweep().is_empty());
        }
        scene.append("auth.log", "\nnext\n");
        assert_eq!(scene.sweep(), ["2:xxxxxxxxxxxxxxxxxxxx+", "3:next"]);
        assert_eq!(scene.follower.behind(), 0);
    }

    #[test]
    fn the_hole_of_a_writer_that_does_not_append_is_stepped_over() {
        let mut scene = Scene::new(&["auth.log"], true);
        scene.sweep();
        fs::copy(scene.path("auth.log"), scene.path("auth.log.1")).unwrap();
        fs::write(
            scene.path("auth.log"),
            [&[0; 9_000], &b"after\n"[..]].concat(),
        )
        .unwrap();
        assert_eq!(scene.sweep(), ["1:after"]);
        assert!(
            scene.follower.take_gaps().is_empty(),
            "the copy has the rest"
        );
    }

    #[test]
    fn many_more_files_than_descriptors_are_followed_through_a_rotation() {
        let mut scene = Scene::new(&["*.log"], true);
        scene.follower = Follower::new(vec![scene.path("*.log")], Vec::new(), true).open_files(2);
        let names: Vec<String> = (0..20).map(|n| format!("host{n}.log")).collect();
        for name in &names {
            scene.append(name, "one\n");
        }
        assert_eq!(scene.sweep().len(), 21);
        for name in &names {
            scene.append(name, "two\n");
            fs::rename(scene.path(name), scene.path(&format!("{name}.1"))).unwrap();
            scene.append(name, "three\n");
        }
        assert_eq!(scene.sweep().len(), 40);
        let gaps = scene.follower.take_gaps();
        assert!(gaps.is_empty(), "{gaps:?}");
    }
}
