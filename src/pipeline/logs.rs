//! The followed logs as the reader's streams: each has a number that it keeps
//! over a restart, and a queue of blocks that were read and not yet judged.
//!
//! The reader asks for a log's next block when it has judged the one before,
//! so no log is read ahead of the others by more than a block, and what is
//! judged is in the order that a replay of the same files would give.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::reader::{Feed, Stream};
use crate::line::SourceId;
use crate::source::{Block, Follower};
use crate::sync::Arc;
use crate::time::Time;

/// How much of a resumed file's beginning is searched for a Zeek header.
const OPENING: usize = 64 << 10;

/// One followed log.
struct Log {
    path: PathBuf,
    name: Arc<str>,
    /// Read and not yet taken: one block, and the last lines of files that
    /// were let go of meanwhile.
    waiting: VecDeque<Block>,
    /// Whether its stream knows what the lines before its first one say.
    primed: bool,
    /// Whether the last reading stopped before the log's end.
    more: bool,
}

/// All followed logs, by stream number.
pub(super) struct Logs {
    pub(super) follower: Follower,
    logs: Vec<Log>,
}

/// A log in a snapshot.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    path: Vec<u8>,
    /// Gives the next stamp without a year its year.
    pub(super) reference: Time,
    /// The newest stamp, by which it is merged with the others.
    pub(super) head: Time,
    waiting: Vec<KeptBlock>,
}

/// Lines that the follower's position is past and that were not judged yet.
#[derive(Serialize, Deserialize)]
struct KeptBlock {
    source: SourceId,
    offset: u64,
    first_line: u64,
    truncated: bool,
    bytes: Vec<u8>,
}

impl Logs {
    /// Goes on with the logs of a snapshot.
    pub(super) fn new(follower: Follower, kept: &[Kept]) -> Logs {
        let mut logs = Logs {
            follower,
            logs: Vec::new(),
        };
        for kept in kept {
            let path = PathBuf::from(OsString::from_vec(kept.path.clone()));
            let waiting = kept.waiting.iter().map(KeptBlock::block).collect();
            logs.logs.push(Log {
                waiting,
                ..Log::new(path)
            });
        }
        logs
    }

    /// Looks which files there are. The numbers of logs that are new since the
    /// last look; one that is followed no more and of which nothing waits
    /// (`idle` says so of its stream) gives its number to another.
    pub(super) fn look(&mut self, now: Time, idle: impl Fn(u32) -> bool) -> Vec<u32> {
        self.follower.look(now);
        let followed: BTreeSet<&Path> = self.follower.logs().collect();
        let known: BTreeSet<&Path> = self.logs.iter().map(|log| &*log.path).collect();
        let new: Vec<PathBuf> = followed
            .difference(&known)
            .map(|path| path.to_path_buf())
            .collect();
        if new.is_empty() {
            return Vec::new();
        }
        let over: Vec<u32> = (0..)
            .zip(&self.logs)
            .filter(|(number, log)| {
                !followed.contains(&*log.path) && log.waiting.is_empty() && idle(*number)
            })
            .map(|(number, _)| number)
            .collect();
        let mut over = over.into_iter();
        let mut numbers = Vec::new();
        for path in new {
            let number = over.next().unwrap_or_else(|| self.len());
            match self.logs.get_mut(number as usize) {
                Some(log) => *log = Log::new(path),
                None => self.logs.push(Log::new(path)),
            }
            numbers.push(number);
        }
        numbers
    }

    /// The path of a log.
    pub(super) fn path(&self, number: u32) -> Option<&Path> {
        self.logs.get(number as usize).map(|log| &*log.path)
    }

    /// How many numbers are in use.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.logs.len()).unwrap_or(u32::MAX)
    }

    /// Gives `learn` the stored beginning of each log whose first lines since
    /// the start come from its middle: a Zeek header stands there.
    pub(super) fn prime(&mut self, learn: &mut dyn FnMut(u32, &[u8])) {
        for (number, log) in (0..).zip(&mut self.logs).filter(|(_, log)| !log.primed) {
            log.read(&mut self.follower);
            let Some(first) = log.waiting.front() else {
                continue;
            };
            log.primed = true;
            if first.offset > 0
                && let Some(Ok(opening)) = self.follower.opening(first.source, OPENING)
            {
                learn(number, &opening);
            }
        }
    }

    /// Whether some log has more to read at once.
    pub(super) fn more(&self) -> bool {
        let waits = |log: &Log| log.more || !log.waiting.is_empty();
        self.logs.iter().any(waits)
    }

    /// All logs in the order of their numbers, with the reader's part of each.
    pub(super) fn keep<'a>(&self, streams: impl Iterator<Item = &'a Stream>) -> Vec<Kept> {
        let mut kept: Vec<Kept> = self.logs.iter().map(Log::keep).collect();
        for stream in streams {
            let Some(kept) = kept.get_mut(stream.number() as usize) else {
                debug_assert!(false, "a stream is a log's");
                continue;
            };
            (kept.reference, kept.head) = (stream.reference(), stream.head());
            let rest = stream.rest();
            kept.waiting
                .splice(0..0, rest.iter().map(KeptBlock::of))
                .for_each(drop);
        }
        kept
    }
}

impl Feed for Logs {
    fn next(&mut self, stream: u32, block: &mut Block) -> Option<Arc<str>> {
        let log = self.logs.get_mut(stream as usize)?;
        if log.waiting.is_empty() {
            log.read(&mut self.follower);
        }
        *block = log.waiting.pop_front()?;
        Some(Arc::clone(&log.name))
    }
}

impl Log {
    fn new(path: PathBuf) -> Log {
        Log {
            name: path.display().to_string().into(),
            path,
            waiting: VecDeque::new(),
            primed: false,
            more: false,
        }
    }

    fn read(&mut self, follower: &mut Follower) {
        let Log { path, waiting, .. } = self;
        self.more = follower.read(path, &mut |block| waiting.push_back(std::mem::take(block)));
    }

    fn keep(&self) -> Kept {
        Kept {
            path: self.path.as_os_str().as_bytes().to_vec(),
            reference: Time::MIN,
            head: Time::MIN,
            waiting: self.waiting.iter().map(KeptBlock::of).collect(),
        }
    }
}

impl Kept {
    /// A log of which nothing waits.
    pub(super) fn read(path: &Path, reference: Time, head: Time) -> Kept {
        Kept {
            path: path.as_os_str().as_bytes().to_vec(),
            reference,
            head,
            waiting: Vec::new(),
        }
    }
}

impl KeptBlock {
    fn of(block: &Block) -> KeptBlock {
        KeptBlock {
            source: block.source,
            offset: block.offset,
            first_line: block.first_line,
            truncated: block.truncated_last,
            bytes: block.bytes.clone(),
        }
    }

    fn block(&self) -> Block {
        Block {
            bytes: self.bytes.clone(),
            source: self.source,
            offset: self.offset,
            first_line: self.first_line,
            truncated_last: self.truncated,
            ..Block::default()
        }
    }
}
