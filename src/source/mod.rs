//! SOURCES: where bytes come from, found, opened and cut into whole lines.
//!
//! ```text
//! discover(specs) → Set (one log, oldest file first) → Input::open → Reader → Framer → Block
//! what people name   rotation                          decompressed,  capped   whole lines
//!                                                      unpacked
//! ```
//!
//! Live, a [`Follower`] stands in the place of discovery and framing.
//!
//! Nothing here knows what a line says. A source that cannot be read is a
//! [`Problem`] in one sentence, and never hides the others.

mod archive;
mod block;
mod checkpoint;
mod container;
mod discover;
mod file;
mod follow;
mod followed;
mod framing;
mod gap;
mod generations;
mod identity;
mod problem;
mod rotation;
mod stdin;
mod tail;
mod watch;

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::PathBuf;

use crate::clock;
use crate::line::SourceId;
use crate::time::Time;

pub use archive::{CODECS, Codec};
pub use block::{Block, Lines};
pub use checkpoint::Saved;
pub use container::{CONTAINERS, Container, Reader, Unfollowed};
pub use discover::{Discovery, Set, Skipped, discover};
pub use file::{names, pattern_mistake};
pub use follow::Follower;
pub use framing::Framer;
pub use gap::{Gap, Why};
pub use identity::{Identity, Print};
pub use problem::Problem;
pub use watch::Watch;

/// A row of the table: a kind of place that logs are read from.
pub struct Source {
    /// Its name.
    pub name: &'static str,
    /// How it is named on the command line.
    pub spec: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Whether a spec is this source's; the first row that says so has it.
    claims: fn(&OsStr) -> bool,
    /// Finds the inputs that a spec names.
    find: fn(&OsStr, &mut Discovery),
    /// Opens an input's bytes as they are stored.
    open: fn(&Input) -> io::Result<Box<dyn Read + Send>>,
}

/// Every source, in the order in which they are asked; the last takes the rest.
pub static SOURCES: &[&Source] = &[&stdin::SOURCE, &file::SOURCE];

/// One stored stream of bytes: a file, or standard input.
#[derive(Clone)]
pub struct Input {
    /// As people know it: the path as they gave it, or `-`.
    pub name: String,
    /// The same, for the operating system.
    pub path: PathBuf,
    /// Size as stored, where it is known beforehand.
    pub bytes: Option<u64>,
    /// When it was last written to, where that is known.
    pub modified: Option<Time>,
    /// Row of the table that opens it.
    source: &'static Source,
}

impl Input {
    /// Opens it, decompressed, unpacked and capped, at its first byte.
    pub fn open(&self, limits: &Limits) -> Result<Reader, Problem> {
        (self.source.open)(self)
            .and_then(|raw| Reader::new(raw, limits))
            .map_err(|error| Problem::cannot_read(&self.name, error))
    }

    /// Opens it as blocks of whole lines, which carry `source`.
    pub fn frame(&self, source: SourceId, limits: &Limits) -> Result<Framer, Problem> {
        let reader = self.open(limits)?;
        Ok(Framer::new(reader, &self.name, source, *limits))
    }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input")
            .field("name", &self.name)
            .field("bytes", &self.bytes)
            .field("source", &self.source.name)
            .finish_non_exhaustive()
    }
}

/// How much of anything is taken from a source that others can write to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes in a block. Larger than `line`, or a block could not move on.
    pub block: usize,
    /// Longest line taken whole, without its LF. A syslog line is at most
    /// 8 KiB in rsyslog's default; JSON with a payload gets some ten times that.
    pub line: usize,
    /// How much is kept of a longer one.
    pub kept: usize,
    /// Most bytes that come out of one compressed file.
    pub output: u64,
    /// Most bytes that may come out for one that went in, once `ratio_from`
    /// are out. Real logs reach some 100:1 under zstd and xz; a bomb of zeros
    /// reaches 7,000:1 and more.
    pub ratio: u64,
    /// Output below this is never held against a file.
    pub ratio_from: u64,
    /// How much of some whole lines may be handed on although what follows is
    /// not there yet: less than all where events take several lines.
    pub whole: fn(&[u8]) -> usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            block: 256 << 10,
            line: 64 << 10,
            kept: 8 << 10,
            output: 1 << 40,
            ratio: 1000,
            ratio_from: 1 << 30,
            whole: <[u8]>::len,
        }
    }
}

/// When a file was last written to.
fn clock_of(meta: &std::fs::Metadata) -> Time {
    // Every file system that Linux knows has this stamp.
    meta.modified().map(clock::from_system).unwrap_or_default()
}
