//! Tail: one generation of a followed file, read as it grows.
//!
//! Each read begins at the mark before the offset, so that every single one
//! proves that what stands before is still what was read: a file that was
//! truncated and grew past us is noticed before a byte of it is taken.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use memchr::memchr;

use super::checkpoint::{Opened, Saved, Stored, before, fill_at, read_at, slide};
use super::framing::cut;
use super::generations::Generation;
use super::identity::{HEAD, Identity, Print};
use super::{Block, Framer, Limits, Problem, clock_of, container};
use crate::line::SourceId;
use crate::time::Time;

/// What a look at a tail gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pull {
    /// The block holds its next lines.
    Lines,
    /// There are no whole lines now.
    Idle,
    /// The content is another: it was truncated or written over.
    Changed,
}

/// A generation that is open.
pub(super) struct Tail {
    /// The path that is followed.
    pub(super) path: Arc<PathBuf>,
    pub(super) source: SourceId,
    pub(super) identity: Identity,
    bytes: Bytes,
    head: Print,
    mark: Vec<u8>,
    pub(super) offset: u64,
    line: u64,
    /// Size and time of the last look.
    pub(super) size: u64,
    pub(super) modified: Time,
    /// What is beside the log and not younger than this is history.
    pub(super) floor: Time,
    /// Whether that look ended with nothing more to take.
    pub(super) idle: bool,
    /// Up to here an over-long line that is being written has no LF.
    scanned: u64,
    /// Where an event ended that more lines may belong to.
    held: Option<u64>,
    /// Since when nothing was written, by the clock of whoever sweeps.
    pub(super) quiet: Option<Time>,
}

enum Bytes {
    Plain(File),
    /// With its first bytes, which cannot be read again.
    Packed(Box<Framer>, Vec<u8>),
    /// Closed for want of descriptors; it stands at the followed path.
    Shelved,
}

impl Tail {
    /// From its first byte, or from where `saved` stood.
    pub(super) fn new(
        path: Arc<PathBuf>,
        source: SourceId,
        generation: &Generation,
        opened: Opened,
        saved: Option<&Saved>,
        limits: &Limits,
    ) -> Tail {
        let (offset, line) = saved.map_or((0, 1), |saved| (saved.offset, saved.line));
        let name = generation.path.display().to_string();
        let bytes = match opened.stored {
            Stored::Plain(file) => Bytes::Plain(file),
            Stored::Packed(reader) => {
                let framer = Framer::resume(*reader, &name, source, *limits, (offset, line));
                Bytes::Packed(Box::new(framer), opened.head.clone())
            }
        };
        Tail {
            path,
            source,
            identity: generation.identity,
            bytes,
            // What was seen, not what is there: see `untouched`.
            head: saved.map_or_else(|| Print::of(&opened.head), |saved| saved.head),
            mark: opened.mark,
            offset,
            line,
            size: generation.size,
            modified: saved.map_or(generation.modified, |saved| saved.modified),
            floor: saved.map_or(Time::MIN, |saved| saved.modified),
            idle: false,
            scanned: 0,
            held: None,
            quiet: None,
        }
    }

    /// Whether it can only be read, and will not grow.
    pub(super) fn packed(&self) -> bool {
        matches!(self.bytes, Bytes::Packed(..))
    }

    /// Begins again at the start, as another generation.
    pub(super) fn restart(&mut self, source: SourceId) {
        self.source = source;
        self.head = Print::default();
        self.mark.clear();
        (self.offset, self.line, self.scanned) = (0, 1, 0);
        self.idle = false;
    }

    /// Whether it holds a descriptor of its own.
    pub(super) fn holds_file(&self) -> bool {
        matches!(self.bytes, Bytes::Plain(_))
    }

    /// Closes the file; [`Tail::reopen`] takes it up again.
    pub(super) fn shelve(&mut self) {
        debug_assert!(!self.packed(), "an archive cannot be taken up again");
        self.bytes = Bytes::Shelved;
    }

    /// Takes up a shelved file at the followed path, if it is still there and
    /// was written to; `false` if another stands there now.
    pub(super) fn reopen(&mut self, live: Option<&Generation>) -> io::Result<bool> {
        let Bytes::Shelved = self.bytes else {
            return Ok(true);
        };
        let Some(live) = live.filter(|live| live.identity == self.identity) else {
            return Ok(false);
        };
        if (live.size, live.modified) != (self.size, self.modified) {
            let file = File::open(live.path.as_path())?;
            if Identity::of(&file.metadata()?) != self.identity {
                return Ok(false);
            }
            self.bytes = Bytes::Plain(file);
        }
        Ok(true)
    }

    /// Whether nothing of it was ever seen.
    pub(super) fn untouched(&self) -> bool {
        self.offset == 0 && self.head.len() == 0
    }

    /// Its position.
    pub(super) fn saved(&self, done: bool) -> Saved {
        Saved {
            path: self.path.as_ref().clone(),
            source: self.source,
            identity: self.identity,
            head: self.head,
            mark: Print::of(&self.mark),
            offset: self.offset,
            line: self.line,
            size: self.size,
            modified: if self.untouched() {
                self.modified.max(self.floor)
            } else {
                self.modified
            },
            done,
        }
    }

    /// Its position with the head that it has now: what was written since the
    /// last look may by now be found only in a compressed copy.
    pub(super) fn sought(&self) -> io::Result<Saved> {
        let mut saved = self.saved(false);
        if self.head.len() < HEAD && !self.packed() {
            saved.head = Print::of(&self.opening(HEAD)?);
        }
        Ok(saved)
    }

    /// Whether what stands before the offset is no longer what was read.
    pub(super) fn replaced(&self) -> io::Result<bool> {
        let Bytes::Plain(file) = &self.bytes else {
            return Ok(false);
        };
        let from = self.offset - self.mark.len() as u64;
        let mark = read_at(file, from, self.mark.len())?;
        // The mark alone misses a file that was filled to the same size again
        // and ends alike; the head alone one that only begins alike.
        Ok(mark != self.mark || !self.head.fits(&self.opening(HEAD)?))
    }

    /// Looks at size and time; whether there may be something new, which stays
    /// so until a pull has found that there is not.
    pub(super) fn stirred(&mut self) -> io::Result<bool> {
        let Bytes::Plain(file) = &self.bytes else {
            return Ok(!self.idle);
        };
        let meta = file.metadata()?;
        let (size, modified) = (meta.len(), clock_of(&meta));
        if (size, modified) != (self.size, self.modified) {
            self.idle = false;
            self.quiet = None;
        }
        (self.size, self.modified) = (size, modified);
        Ok(!self.idle || self.held.is_some())
    }

    /// Takes the next whole lines.
    pub(super) fn pull(
        &mut self,
        buffer: &mut Vec<u8>,
        block: &mut Block,
        limits: &Limits,
    ) -> Result<Pull, Problem> {
        let pulled = match &mut self.bytes {
            Bytes::Packed(framer, _) => framer.next(block).map(|any| {
                if any {
                    self.offset = block.end();
                    self.line = block.first_line + block.lines;
                    slide(&mut self.mark, &block.bytes);
                    if block.skipped > 0 {
                        slide(&mut self.mark, framer.skipped_end());
                    }
                }
                if any { Pull::Lines } else { Pull::Idle }
            }),
            Bytes::Plain(_) | Bytes::Shelved => {
                self.pull_plain(buffer, block, limits).map_err(|error| {
                    Problem::broke_off(&self.path.display().to_string(), self.offset, error)
                })
            }
        };
        // A disk that failed once is asked again; a damaged archive is not.
        self.idle = match &pulled {
            Ok(pull) => *pull != Pull::Lines,
            Err(_) => self.packed(),
        };
        pulled
    }

    fn pull_plain(
        &mut self,
        buffer: &mut Vec<u8>,
        block: &mut Block,
        limits: &Limits,
    ) -> io::Result<Pull> {
        let Bytes::Plain(file) = &self.bytes else {
            return Ok(Pull::Idle);
        };
        let lead = self.mark.len();
        buffer.resize(lead + limits.block, 0);
        let got = fill_at(file, self.offset - lead as u64, buffer)?;
        buffer.truncate(got);
        let Some(data) = buffer.strip_prefix(self.mark.as_slice()) else {
            return Ok(Pull::Changed);
        };
        // Without a mark (nothing but half a line was seen) the head tells.
        if self.offset == 0 && !self.head.fits(data) {
            return Ok(Pull::Changed);
        }
        if self.offset == 0 {
            container::refuse(data)?;
        }
        if self.head.len() < HEAD && !data.is_empty() {
            self.head = Print::of(&read_at(file, 0, HEAD)?);
        }
        if self.offset == 0 && data.first() == Some(&0) {
            return if self.skip_hole(buffer)? {
                // No longer at 0: this happens once.
                self.pull_plain(buffer, block, limits)
            } else {
                Ok(Pull::Idle)
            };
        }
        let cut = cut(data, limits.line);
        if cut.end == 0 && cut.long {
            return self.pull_long(buffer, block, limits);
        }
        if cut.end == 0 {
            return Ok(Pull::Idle);
        }
        let mut end = data.get(..cut.end).map_or(0, limits.whole);
        if end == 0 {
            // An event's lines are written at once: what has not grown from
            // one look to the next is all of it.
            let reach = self.offset + cut.end as u64;
            if self.held.replace(reach) != Some(reach) {
                return Ok(Pull::Idle);
            }
            end = cut.end;
        }
        self.held = None;
        self.fill(block, data.get(..end).unwrap_or_default());
        self.commit(block)?;
        Ok(Pull::Lines)
    }

    /// Puts bytes that begin at the offset into a block.
    fn fill(&self, block: &mut Block, bytes: &[u8]) {
        block.bytes.clear();
        block.bytes.extend_from_slice(bytes);
        block.source = self.source;
        block.offset = self.offset;
        block.first_line = self.line;
        block.truncated_last = false;
        block.unterminated_last = false;
        block.skipped = 0;
        block.count();
    }

    /// Moves on past a block.
    fn commit(&mut self, block: &mut Block) -> io::Result<()> {
        self.offset = block.end();
        self.line += block.lines;
        block.taken = self.offset;
        if block.skipped == 0 {
            slide(&mut self.mark, &block.bytes);
        } else if let Bytes::Plain(file) = &self.bytes {
            self.mark = before(file, self.offset)?;
        }
        Ok(())
    }

    /// Takes the head of an over-long line once its LF is there. Until then it
    /// is looked at once and never kept, so a line that never ends costs
    /// nothing; the offset stays at its start.
    fn pull_long(
        &mut self,
        buffer: &mut Vec<u8>,
        block: &mut Block,
        limits: &Limits,
    ) -> io::Result<Pull> {
        let Bytes::Plain(file) = &self.bytes else {
            return Ok(Pull::Idle);
        };
        let mut at = self.scanned.max(self.offset);
        loop {
            buffer.resize(limits.block, 0);
            let got = fill_at(file, at, buffer)?;
            buffer.truncate(got);
            if let Some(end) = memchr(b'\n', buffer) {
                let end = at + end as u64 + 1;
                let head = read_at(file, self.offset, limits.kept)?;
                self.fill(block, &head);
                block.truncated_last = true;
                block.skipped = end.saturating_sub(block.end());
                self.commit(block)?;
                return Ok(Pull::Lines);
            }
            at += got as u64;
            self.scanned = at;
            if got == 0 {
                return Ok(Pull::Idle);
            }
        }
    }

    /// Steps over the NULs that a writer without O_APPEND leaves at the start
    /// of a file that was truncated under it; not before the first byte that
    /// is none is there.
    fn skip_hole(&mut self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        let Bytes::Plain(file) = &self.bytes else {
            return Ok(false);
        };
        let mut at = self.scanned;
        let room = buffer.len();
        loop {
            buffer.resize(room, 0);
            let got = fill_at(file, at, buffer)?;
            buffer.truncate(got);
            let hole = buffer.iter().take_while(|&&byte| byte == 0).count();
            at += hole as u64;
            self.scanned = at;
            if hole < got {
                self.mark = before(file, at)?;
                self.offset = at;
                return Ok(true);
            }
            if got == 0 {
                return Ok(false);
            }
        }
    }

    /// Takes a last line that has no LF, from a file that nobody writes to any
    /// more; `false` if there is none.
    pub(super) fn flush(&mut self, block: &mut Block, limits: &Limits) -> io::Result<bool> {
        let Bytes::Plain(file) = &self.bytes else {
            return Ok(false);
        };
        let size = file.metadata()?.len();
        let rest = read_at(file, self.offset, limits.line + 1)?;
        if rest.is_empty() {
            return Ok(false);
        }
        if rest.len() > limits.line {
            self.fill(block, rest.get(..limits.kept).unwrap_or_default());
            block.truncated_last = true;
            block.skipped = size.saturating_sub(block.end());
        } else {
            self.fill(block, &rest);
            block.unterminated_last = true;
        }
        self.commit(block)?;
        Ok(true)
    }

    /// Its first bytes as stored, for a reader that must know a header.
    pub(super) fn opening(&self, length: usize) -> io::Result<Vec<u8>> {
        match &self.bytes {
            Bytes::Plain(file) => read_at(file, 0, length),
            Bytes::Packed(_, head) => Ok(head.get(..length).unwrap_or(head).to_vec()),
            Bytes::Shelved => Ok(Vec::new()),
        }
    }
}
