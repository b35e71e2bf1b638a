//! Following against a model: random things happen to a log, and every line
//! that was written comes out once.
//!
//! The writer numbers its lines and keeps the numbers outside of the file
//! system. What may happen is what logrotate, an administrator and a restart
//! do; what destroys bytes before anybody could have read them is left out.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tipstaff::clock;
use tipstaff::source::{Block, Follower, Gap, Saved, Why};
use tipstaff::time::{Span, Time};

/// A small generator of fixed numbers (Marsaglia's xorshift64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Append,
    AppendHalf,
    AppendLong,
    Rename,
    RenameAndWriteLate,
    CopyTruncate,
    DeleteAndRecreate,
    Compress,
    Sweep,
    Stop,
}

const ACTS: &[Act] = &[
    Act::Append,
    Act::Append,
    Act::Append,
    Act::AppendHalf,
    Act::AppendLong,
    Act::Rename,
    Act::RenameAndWriteLate,
    Act::CopyTruncate,
    Act::DeleteAndRecreate,
    Act::Compress,
    Act::Sweep,
    Act::Sweep,
    Act::Stop,
];

/// The world: a folder, a writer, a follower, and both their ledgers.
struct World {
    folder: TempDir,
    writer: File,
    half: bool,
    written: Vec<u64>,
    follower: Option<Follower>,
    saved: Vec<Saved>,
    read: Vec<u64>,
    now: Time,
    /// Whether the follower holds the file that is at the path.
    seen: bool,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let writer = create(&folder.path().join("auth.log"));
        let mut world = World {
            folder,
            writer,
            half: false,
            written: Vec::new(),
            follower: None,
            saved: Vec::new(),
            read: Vec::new(),
            now: clock::now(),
            seen: false,
        };
        world.start();
        world.sweep("at the start");
        // File systems stamp with the last tick of the clock, up to 10 ms ago;
        // what is older than the first sweep is history.
        std::thread::sleep(std::time::Duration::from_millis(12));
        world
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("auth.log")
    }

    fn start(&mut self) {
        let follower = Follower::new(vec![self.path()], self.saved.clone(), false);
        self.follower = Some(follower);
    }

    /// Positions go through their bytes, as a snapshot keeps them.
    fn stop(&mut self) {
        if let Some(follower) = self.follower.take() {
            let bytes = postcard::to_stdvec(&follower.positions()).unwrap();
            self.saved = postcard::from_bytes(&bytes).unwrap();
            self.seen = false;
        }
    }

    fn sweep(&mut self, story: &str) {
        let Some(follower) = &mut self.follower else {
            return self.start();
        };
        let read = &mut self.read;
        while follower.sweep(self.now, &mut |block| take(block, read)) {}
        let gaps = follower.take_gaps();
        // An empty file that was compressed while nobody looked has nothing to
        // be known by; then, and only then, a gap without bytes may be told.
        let empty = Gap {
            path: self.path(),
            bytes: 0,
            why: Why::Vanished,
        };
        let excused = self.empty_archive() && gaps.iter().all(|gap| *gap == empty);
        assert!(gaps.is_empty() || excused, "{gaps:?}\n{story}");
        self.seen = true;
    }

    fn empty_archive(&self) -> bool {
        // A gzip file of nothing has 20 bytes.
        let entries = fs::read_dir(self.folder.path()).unwrap().flatten();
        entries
            .filter(|entry| entry.path().extension().is_some_and(|end| end == "gz"))
            .any(|entry| entry.metadata().unwrap().len() == 20)
    }

    fn write(&mut self, bytes: &str) {
        self.writer.write_all(bytes.as_bytes()).unwrap();
    }

    fn append(&mut self, lines: u64, long: bool) {
        self.finish_half();
        for _ in 0..lines {
            let number = self.written.len() as u64;
            let padding = if long { 70_000 } else { number % 300 };
            let padding = "x".repeat(usize::try_from(padding).unwrap());
            self.write(&format!("{number} {padding}\n"));
            self.written.push(number);
        }
    }

    fn append_half(&mut self) {
        self.finish_half();
        self.write(&format!("{} half", self.written.len()));
        self.half = true;
    }

    fn finish_half(&mut self) {
        if std::mem::take(&mut self.half) {
            self.write(" and half\n");
            self.written.push(self.written.len() as u64);
        }
    }

    /// The rotations, youngest first, as logrotate keeps them.
    fn shift(&self) {
        for number in (1..200).rev() {
            for suffix in ["", ".gz"] {
                let name = |n: u32| self.folder.path().join(format!("auth.log.{n}{suffix}"));
                if name(number).exists() {
                    fs::rename(name(number), name(number + 1)).unwrap();
                }
            }
        }
    }

    fn rename(&mut self, late: bool) {
        if !late {
            self.finish_half();
        }
        self.shift();
        fs::rename(self.path(), self.folder.path().join("auth.log.1")).unwrap();
        let new = create(&self.path());
        if late {
            // The daemon has not been told to reopen yet.
            self.append(2, false);
        }
        self.writer = new;
        self.seen = false;
    }

    fn copy_truncate(&mut self) {
        self.finish_half();
        self.shift();
        let bytes = fs::read(self.path()).unwrap();
        fs::write(self.folder.path().join("auth.log.1"), bytes).unwrap();
        self.writer.set_len(0).unwrap();
    }

    /// Only what the follower holds open can be deleted without loss.
    fn delete(&mut self, story: &str) {
        self.finish_half();
        if self.follower.is_some() && self.seen {
            fs::remove_file(self.path()).unwrap();
            self.writer = create(&self.path());
            self.sweep(story);
        }
    }

    fn compress(&mut self) {
        self.finish_half();
        let plain = (1..200)
            .map(|n| self.folder.path().join(format!("auth.log.{n}")))
            .filter(|path| path.exists());
        for path in plain {
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            let packed = File::create(format!("{}.gz", path.display())).unwrap();
            let mut to = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
            to.write_all(&fs::read(&path).unwrap()).unwrap();
            to.finish().unwrap().set_modified(modified).unwrap();
            fs::remove_file(path).unwrap();
        }
    }

    fn act(&mut self, act: Act, dice: &mut Dice, story: &str) {
        match act {
            Act::Append => self.append(1 + dice.roll(40), false),
            Act::AppendHalf => self.append_half(),
            Act::AppendLong => self.append(1, true),
            Act::Rename => self.rename(false),
            Act::RenameAndWriteLate => self.rename(true),
            Act::CopyTruncate => self.copy_truncate(),
            Act::DeleteAndRecreate => self.delete(story),
            Act::Compress => self.compress(),
            Act::Sweep => {
                self.now = self
                    .now
                    .plus(Span::from_secs(i64::try_from(dice.roll(90)).unwrap()));
                self.sweep(story);
            }
            Act::Stop => self.stop(),
        }
    }

    /// Compares the ledgers once everything has come to rest.
    fn settle(&mut self, story: &str) {
        self.finish_half();
        if self.follower.is_none() {
            self.start();
        }
        self.sweep(story);
        self.now = self.now.plus(Span::HOUR);
        self.sweep(story);
        let mut times: BTreeMap<u64, i64> = BTreeMap::new();
        for number in &self.written {
            *times.entry(*number).or_default() -= 1;
        }
        for number in &self.read {
            *times.entry(*number).or_default() += 1;
        }
        times.retain(|_, times| *times != 0);
        assert!(
            times.is_empty(),
            "lost (<0) or doubled (>0): {times:?}\n{story}"
        );
    }
}

fn create(path: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap()
}

/// Reads the numbers off a block's lines.
fn take(block: &mut Block, read: &mut Vec<u64>) {
    assert_eq!(block.lines().count() as u64, block.lines);
    for line in block.lines() {
        let text = str::from_utf8(line.bytes).unwrap();
        let number = text.split(' ').next().unwrap_or_default();
        assert!(!number.is_empty(), "no line is split: {text:.80}");
        read.push(number.parse().unwrap());
    }
}

#[test]
fn no_line_is_lost_or_doubled_whatever_happens_to_the_log() {
    for seed in 1..=40_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut world = World::new();
        let mut story = format!("seed {seed}:");
        for _ in 0..60 {
            let act = ACTS[usize::try_from(dice.roll(ACTS.len() as u64)).unwrap()];
            story = format!("{story} {act:?}");
            world.act(act, &mut dice, &story);
        }
        world.settle(&story);
    }
}
