//! Block: what readers give to workers, whole lines in one buffer.

use memchr::{Memchr, memchr_iter};

use crate::line::{Line, Place, SourceId};

/// A stretch of whole lines of one source.
///
/// Give it back to [`super::Framer::next`] when done: its buffer is used again.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The lines, each with its LF but perhaps the last.
    pub bytes: Vec<u8>,
    /// Whose they are.
    pub source: SourceId,
    /// Offset of the first byte in the decompressed stream.
    pub offset: u64,
    /// Number of the first line, counted from 1.
    pub first_line: u64,
    /// How many lines.
    pub lines: u64,
    /// Whether only the head of the last line is here: it was longer than the
    /// cap, or reading broke off inside it.
    pub truncated_last: bool,
    /// Whether the last line is whole but has no LF: the stream ends there.
    pub unterminated_last: bool,
    /// Bytes of an over-long last line that were left out after this block.
    pub skipped: u64,
    /// Stored bytes read from the source so far, for progress.
    pub taken: u64,
}

impl Block {
    /// Its lines, without their LF.
    pub fn lines(&self) -> Lines<'_> {
        Lines {
            block: self,
            ends: memchr_iter(b'\n', &self.bytes),
            start: 0,
            number: self.first_line,
        }
    }

    /// Offset of the first byte that is neither in it nor skipped with it.
    pub fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64 + self.skipped
    }

    /// Counts its lines, once its bytes are final.
    pub(super) fn count(&mut self) {
        let ends = memchr_iter(b'\n', &self.bytes).count() as u64;
        let open = self.bytes.last().is_some_and(|&byte| byte != b'\n');
        self.lines = ends + u64::from(open);
    }
}

/// The lines of a block.
#[derive(Debug)]
pub struct Lines<'a> {
    block: &'a Block,
    ends: Memchr<'a>,
    start: usize,
    number: u64,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let start = self.start;
        let (end, truncated) = match self.ends.next() {
            Some(end) => (end, false),
            None => (self.block.bytes.len(), self.block.truncated_last),
        };
        // After the last LF there is a line only if there are bytes.
        let bytes = self.block.bytes.get(start..end)?;
        if bytes.is_empty() && end == self.block.bytes.len() {
            return None;
        }
        let number = self.number;
        self.start = end + 1;
        self.number += 1;
        Some(Line {
            bytes,
            place: Place {
                source: self.block.source,
                offset: self.block.offset + start as u64,
                number,
            },
            truncated,
        })
    }
}
