//! Framing: bytes become blocks of whole lines.
//!
//! LF is the only separator: CR, NUL and invalid UTF-8 are data. Blocks are
//! filled by large reads straight into their buffer and cut at their last LF;
//! nothing is done per line but a vectorised count. A line beyond the cap
//! leaves its head, and the rest of it is skipped in constant memory.
//!
//! Where a block is cut depends on the bytes alone, never on how many of them
//! a read returned: the same file gives the same blocks in every run.

use std::io::{ErrorKind, Read};

use memchr::{memchr, memrchr};

use super::checkpoint::slide;
use super::{Block, Limits, Problem, Reader};
use crate::line::SourceId;

/// Where whole lines end in a buffer that begins with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// After the LF of the last whole line that no over-long one precedes.
    pub(super) end: usize,
    /// Whether an over-long line begins there.
    pub(super) long: bool,
}

/// Finds the cut. A line over the cap has no LF in its first `cap + 1` bytes,
/// so looking backwards from each such distance finds it without looking at
/// the lines between: some four short looks for a block of 256 KiB.
pub(super) fn cut(bytes: &[u8], cap: usize) -> Cut {
    let mut end = 0;
    loop {
        let rest = bytes.get(end..).unwrap_or_default();
        let window = rest.get(..=cap).unwrap_or(rest);
        let Some(at) = memrchr(b'\n', window) else {
            let long = window.len() > cap;
            return Cut { end, long };
        };
        end += at + 1;
    }
}

/// Cuts one stream into blocks.
pub struct Framer {
    reader: Reader,
    name: String,
    source: SourceId,
    limits: Limits,
    /// Bytes read beyond the last block.
    carry: Vec<u8>,
    offset: u64,
    line: u64,
    /// The last bytes that were skipped.
    skipped_end: Vec<u8>,
    /// Where the NULs at the start of the stream end.
    hole: u64,
    /// The stream is at its end, or broke.
    ended: bool,
    broke: Option<std::io::Error>,
}

impl Framer {
    /// Frames what `reader` gives; `name` is for its problems.
    ///
    /// # Panics
    /// If a block could not hold a longest line and one byte.
    pub fn new(reader: Reader, name: &str, source: SourceId, limits: Limits) -> Framer {
        Framer::resume(reader, name, source, limits, (0, 1))
    }

    /// The same, where `reader` already stands at an offset and line number.
    pub(super) fn resume(
        reader: Reader,
        name: &str,
        source: SourceId,
        limits: Limits,
        (offset, line): (u64, u64),
    ) -> Framer {
        assert!(
            limits.block > limits.line + 1 && limits.kept <= limits.line,
            "a block holds a longest line, and a head is no longer than its line"
        );
        Framer {
            reader,
            name: name.to_owned(),
            source,
            limits,
            carry: Vec::new(),
            offset,
            line,
            skipped_end: Vec::new(),
            hole: 0,
            ended: false,
            broke: None,
        }
    }

    /// Fills `block` with the next lines; `false` when there are none left. A
    /// stream that breaks off gives what came before, then its problem once.
    ///
    /// # Panics
    /// Never: it asserts that every block moves on.
    pub fn next(&mut self, block: &mut Block) -> Result<bool, Problem> {
        let mut filled = self.fill(&mut block.bytes);
        while self.offset == self.hole && block.bytes.first() == Some(&0) {
            filled = self.skip_hole(&mut block.bytes);
        }
        if filled == 0 {
            block.bytes.clear();
            return match self.broke.take() {
                Some(error) => Err(Problem::broke_off(&self.name, self.offset, error)),
                None => Ok(false),
            };
        }
        let cut = cut(&block.bytes, self.limits.line);
        let end = if cut.long {
            cut.end + self.limits.kept
        } else if self.ended {
            filled
        } else {
            let whole = block.bytes.get(..cut.end).map_or(0, self.limits.whole);
            // A block that is one event is larger than any event is let be.
            if whole > 0 { whole } else { cut.end }
        };
        assert!(
            end > 0,
            "a full block holds a whole line or an over-long one"
        );
        self.carry.clear();
        self.carry
            .extend_from_slice(block.bytes.get(end..).unwrap_or_default());
        block.bytes.truncate(end);
        let open = block.bytes.last() != Some(&b'\n');
        block.source = self.source;
        block.offset = self.offset;
        block.first_line = self.line;
        block.skipped = if cut.long { self.skip_line() } else { 0 };
        block.truncated_last = cut.long || (open && self.broke.is_some());
        block.unterminated_last = open && !block.truncated_last;
        block.taken = self.reader.taken();
        block.count();
        self.offset = block.end();
        self.line += block.lines;
        Ok(true)
    }

    /// Fills the buffer to the block's size, or to the end of the stream.
    fn fill(&mut self, buffer: &mut Vec<u8>) -> usize {
        // Not cleared before: what is overwritten anyway need not be zeroed.
        buffer.resize(self.limits.block, 0);
        let mut filled = self.carry.len();
        assert!(filled <= buffer.len(), "what is carried over fits a block");
        if let Some(front) = buffer.get_mut(..filled) {
            front.copy_from_slice(&self.carry);
        }
        while let Some(space) = buffer.get_mut(filled..)
            && !space.is_empty()
        {
            match self.read(space) {
                0 => break,
                got => filled += got,
            }
        }
        buffer.truncate(filled);
        filled
    }

    /// Steps over NULs at the start of the stream: a writer without O_APPEND
    /// leaves them, up to gigabytes, in a file that was truncated under it,
    /// and the line after them would be lost as an over-long one.
    fn skip_hole(&mut self, buffer: &mut Vec<u8>) -> usize {
        let hole = buffer.iter().take_while(|&&byte| byte == 0).count();
        self.offset += hole as u64;
        self.hole = self.offset;
        self.carry.clear();
        self.carry
            .extend_from_slice(buffer.get(hole..).unwrap_or_default());
        self.fill(buffer)
    }

    /// One read; 0 at the end of the stream and when it breaks.
    fn read(&mut self, space: &mut [u8]) -> usize {
        while !self.ended {
            match self.reader.read(space) {
                Ok(0) => self.ended = true,
                Ok(got) => return got,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.broke = Some(error);
                }
            }
        }
        0
    }

    /// Drops bytes up to and with the next LF; how many.
    fn skip_line(&mut self) -> u64 {
        let mut carry = std::mem::take(&mut self.carry);
        let mut skipped = 0;
        self.skipped_end.clear();
        loop {
            let end = memchr(b'\n', &carry).map_or(carry.len(), |at| at + 1);
            let ended = end > 0 && carry.get(end - 1) == Some(&b'\n');
            slide(&mut self.skipped_end, carry.get(..end).unwrap_or_default());
            skipped += end as u64;
            if ended {
                carry.drain(..end);
                break;
            }
            carry.resize(self.limits.line, 0);
            let got = self.read(&mut carry);
            carry.truncate(got);
            if got == 0 {
                break;
            }
        }
        self.carry = carry;
        skipped
    }

    /// The last bytes of what the last block skipped, for a mark.
    pub(super) fn skipped_end(&self) -> &[u8] {
        &self.skipped_end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io;

    /// A block and its line cap small enough that every case is met often.
    const SMALL: Limits = Limits {
        block: 64,
        line: 24,
        kept: 10,
        output: 1 << 40,
        ratio: 1000,
        ratio_from: 1 << 30,
        whole: <[u8]>::len,
    };

    /// Returns as many bytes at a time as it is told to, over and over.
    struct Dribble {
        bytes: io::Cursor<Vec<u8>>,
        sizes: Vec<usize>,
        turn: usize,
    }

    impl Read for Dribble {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.sizes[self.turn % self.sizes.len()];
            self.turn += 1;
            if size == 0 {
                return Err(ErrorKind::Interrupted.into());
            }
            let most = size.min(buffer.len());
            self.bytes.read(&mut buffer[..most])
        }
    }

    fn framer(read: impl Read + Send + 'static, limits: Limits) -> Framer {
        let reader = Reader::new(Box::new(read), &limits).unwrap();
        Framer::new(reader, "test.log", SourceId(3), limits)
    }

    fn blocks(read: impl Read + Send + 'static, limits: Limits) -> Vec<Block> {
        let mut framer = framer(read, limits);
        let mut blocks = Vec::new();
        let mut block = Block::default();
        while framer.next(&mut block).unwrap() {
            blocks.push(block.clone());
        }
        blocks
    }

    fn hole(bytes: &[u8]) -> usize {
        bytes.iter().take_while(|&&byte| byte == 0).count()
    }

    /// What the lines must be, found the slow way: offset, bytes, cut short.
    fn model(bytes: &[u8], limits: Limits) -> Vec<(u64, Vec<u8>, bool)> {
        let mut lines = Vec::new();
        let mut offset = hole(bytes) as u64;
        let (_, bytes) = bytes.split_at(hole(bytes));
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let long = text.len() > limits.line;
            let kept = if long { &text[..limits.kept] } else { text };
            lines.push((offset, kept.to_vec(), long));
            offset += line.len() as u64;
        }
        lines
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            6 => proptest::collection::vec(b'a'..b'e', 0..20),
            2 => proptest::collection::vec(b'a'..b'e', 20..30),
            1 => proptest::collection::vec(b'a'..b'e', 60..200),
            1 => Just(b"\0\r\xff\x85\xe2\x80\xa8".to_vec()),
        ];
        (proptest::collection::vec(line, 0..40), any::<bool>()).prop_map(|(lines, end)| {
            let mut bytes = lines.join(&b'\n');
            if end {
                bytes.push(b'\n');
            }
            bytes
        })
    }

    proptest! {
        #[test]
        fn the_same_bytes_give_the_same_blocks_however_they_arrive(
            bytes in stream(),
            mut sizes in proptest::collection::vec(0_usize..9, 1..12),
        ) {
            sizes.push(1);
            let whole = blocks(io::Cursor::new(bytes.clone()), SMALL);
            let dribble = Dribble { bytes: io::Cursor::new(bytes.clone()), sizes, turn: 0 };
            let slow = blocks(dribble, SMALL);
            prop_assert_eq!(whole.len(), slow.len());
            let mut end = hole(&bytes) as u64;
            let mut number = 1;
            let mut lines = Vec::new();
            for (a, b) in whole.iter().zip(&slow) {
                prop_assert_eq!((&a.bytes, a.offset, a.first_line), (&b.bytes, b.offset, b.first_line));
                prop_assert_eq!((a.truncated_last, a.skipped), (b.truncated_last, b.skipped));
                prop_assert_eq!((a.offset, a.first_line), (end, number));
                end = a.end();
                number += a.lines;
                prop_assert_eq!(a.lines().count() as u64, a.lines);
                lines.extend(a.lines().map(|line| {
                    (line.place.offset, line.bytes.to_vec(), line.truncated)
                }));
            }
            prop_assert_eq!(end, bytes.len() as u64);
            prop_assert_eq!(lines, model(&bytes, SMALL));
        }
    }

    /// A run of one byte that is nowhere in memory, and what stands after it.
    struct Endless {
        byte: u8,
        left: u64,
        after: &'static [u8],
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.left == 0 {
                return self.after.read(buffer);
            }
            let size = buffer
                .len()
                .min(usize::try_from(self.left).unwrap_or(usize::MAX));
            buffer[..size].fill(self.byte);
            self.left -= size as u64;
            Ok(size)
        }
    }

    #[test]
    fn a_line_of_a_gigabyte_costs_its_head_and_the_next_line_is_read() {
        let long = Endless {
            byte: b'A',
            left: 1 << 30,
            after: b"\nnext\n",
        };
        let mut framer = framer(long, Limits::default());
        let mut block = Block::default();
        assert!(framer.next(&mut block).unwrap());
        assert!(block.truncated_last && !block.unterminated_last);
        assert_eq!(block.bytes.len(), 8 << 10);
        assert_eq!(block.end(), (1 << 30) + 1);
        assert!(block.bytes.capacity() <= 256 << 10 && framer.carry.capacity() <= 256 << 10);
        assert!(framer.next(&mut block).unwrap());
        let line = block.lines().next().unwrap();
        assert_eq!((line.bytes, line.place.number), (&b"next"[..], 2));
        assert_eq!(line.place.offset, (1 << 30) + 1);
    }

    #[test]
    fn a_last_line_without_lf_is_a_line_and_is_known_as_such() {
        let blocks = blocks(&b"one\n\ntwo"[..], Limits::default());
        let [block] = blocks.as_slice() else {
            panic!("one block, not {}", blocks.len());
        };
        let lines: Vec<&[u8]> = block.lines().map(|line| line.bytes).collect();
        assert_eq!(lines, [&b"one"[..], b"", b"two"]);
        assert!(block.unterminated_last && !block.truncated_last);
    }

    #[test]
    fn the_hole_that_a_truncation_leaves_is_stepped_over() {
        let hole = Endless {
            byte: 0,
            left: 1 << 20,
            after: b"one\n\0two\n",
        };
        let blocks = blocks(hole, Limits::default());
        let lines: Vec<_> = blocks.iter().flat_map(Block::lines).collect();
        assert_eq!(lines[0].bytes, b"one");
        assert_eq!((lines[0].place.offset, lines[0].place.number), (1 << 20, 1));
        assert_eq!(lines[1].bytes, b"\0two", "a NUL elsewhere is data");
    }

    #[test]
    fn an_empty_stream_has_no_block() {
        assert!(blocks(io::empty(), Limits::default()).is_empty());
    }

    #[test]
    fn a_cap_is_a_length_that_still_fits() {
        let at = |length: usize| cut(&[vec![b'x'; length], vec![b'\n']].concat(), 24);
        assert_eq!(
            at(24),
            Cut {
                end: 25,
                long: false
            }
        );
        assert_eq!(at(25), Cut { end: 0, long: true });
    }
}
