//! One source after another, or several merged by event time, into batches.
//!
//! A stream is one log: a file, or a rotated set read oldest first. A single
//! stream's blocks become batches as they are. Several streams are merged line
//! by line on their stamps, so that what happened first is judged first.

use memchr::{memchr, memmem};

use super::batch::{Batch, Segment};
use super::reading::clocks_are_set;
use crate::format::{self, Context};
use crate::source::Block;
use crate::sync::Arc;
use crate::time::{Span, Time};

/// A merged batch is handed on when it is this large, as a single stream's is.
const BATCH: usize = 256 * 1024;

/// Where the streams' blocks come from: archives, files, rotated sets.
pub(super) trait Feed {
    /// Reads a stream's next block into the buffer; the name of its source, or
    /// `None` when there is none (live: none now). Problems are kept by the
    /// implementation.
    fn next(&mut self, stream: u32, block: &mut Block) -> Option<Arc<str>>;
}

/// What a line's stamp says.
enum Stamp {
    /// An instant.
    Whole(Time),
    /// A time of day: an instant where the day is known.
    OfDay(Option<Time>),
}

/// One stream with the lines it has ready.
pub(super) struct Stream {
    number: u32,
    context: Arc<Context>,
    block: Block,
    path: Arc<str>,
    /// First byte not yet taken of the block.
    at: usize,
    /// Number of the line there.
    line: u64,
    /// Its stamp, or the one before it where it has none: never falling.
    head: Time,
    /// The last stamp there was, wherever it lies.
    last: Option<Time>,
    /// Whether what the block's stamps are depends on the lines before each:
    /// clocks were set back near it, or it has times of day only.
    careful: bool,
    /// Whether it had times of day, and no day was known.
    undated: bool,
}

impl Stream {
    /// A stream whose lines are to be read in a context. No stamp of it counts
    /// as earlier than `head`.
    pub(super) fn new(number: u32, context: Context, head: Time) -> Stream {
        Stream {
            number,
            context: Arc::new(context),
            block: Block::default(),
            path: Arc::from(""),
            at: 0,
            line: 0,
            head,
            last: None,
            careful: false,
            undated: false,
        }
    }

    /// Its number.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// The last stamp there was, or what gives the next its year.
    pub(super) fn reference(&self) -> Time {
        self.last.unwrap_or(self.context.reference)
    }

    /// Its newest stamp.
    pub(super) fn head(&self) -> Time {
        self.head
    }

    /// What was read of it and not yet taken, as a block of its own.
    pub(super) fn rest(&self) -> Option<Block> {
        let bytes = self.block.bytes.get(self.at..).filter(|b| !b.is_empty())?;
        Some(Block {
            bytes: bytes.to_vec(),
            source: self.block.source,
            offset: self.block.offset + self.at as u64,
            first_line: self.line,
            truncated_last: self.block.truncated_last,
            ..Block::default()
        })
    }

    /// Stamp of the first line that has one, in the block at hand.
    pub(super) fn first_time(&self) -> Option<Time> {
        let mut lines = self.lines();
        lines.find_map(|line| format::peek_time(line, &self.context))
    }

    /// Whether its stamps name their year, so that no reference changes them.
    pub(super) fn is_absolute(&self) -> bool {
        if let Some(Stamp::OfDay(_)) = self.first_stamp() {
            return false;
        }
        let mut moved = Context::clone(&self.context);
        moved.reference = moved.reference.plus(Span::DAY.times(800));
        let first = self.lines().find_map(|line| {
            let here = format::peek_time(line, &self.context)?;
            Some(format::peek_time(line, &moved) == Some(here))
        });
        first.unwrap_or(true)
    }

    /// What the first stamp there is says: a time, or one of no day.
    fn first_stamp(&self) -> Option<Stamp> {
        self.lines().find_map(|line| {
            let time = format::peek_time(line, &self.context);
            if format::names_no_day(line, &self.context) {
                return Some(Stamp::OfDay(time));
            }
            time.map(Stamp::Whole)
        })
    }

    /// Brings stamps without a year or a day near this time.
    pub(super) fn refer_to(&mut self, reference: Time) {
        let context = Arc::make_mut(&mut self.context);
        context.reference = reference;
        context.floor = Some(reference.minus(Span::HOUR.times(12)));
        self.head = Time::MIN;
        self.last = None;
        self.undated = false;
        self.begin();
    }

    /// Looks at a new block: what its first line needs to know, and whether
    /// that holds for the others.
    fn begin(&mut self) {
        let (first, daily) = match self.first_stamp() {
            None => (None, false),
            Some(Stamp::Whole(time)) => (Some(time), false),
            Some(Stamp::OfDay(time)) => (time, true),
        };
        self.undated |= daily && self.context.floor.is_none();
        if let Some(time) = first.filter(|_| !daily) {
            // The year goes with the lines: over New Year in a block at most.
            Arc::make_mut(&mut self.context).reference = time;
        }
        let last = first.and_then(|_| self.last_time());
        let zone = &self.context.zone;
        let set = first
            .zip(last)
            .is_some_and(|(first, last)| clocks_are_set(zone, first, last));
        self.careful = daily || set;
        self.peek();
    }

    /// Stamp of the last line that has one, in the block at hand.
    fn last_time(&self) -> Option<Time> {
        let rest = self.block.bytes.get(self.at..).unwrap_or_default();
        let mut lines = rest.rsplit(|&b| b == b'\n').take(1000);
        lines.find_map(|line| format::peek_time(line, &self.context))
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let rest = self.block.bytes.get(self.at..).unwrap_or_default();
        rest.split(|&b| b == b'\n').take(1000)
    }

    /// Reads the next block that has lines; `false` when there is none.
    fn refill(&mut self, feed: &mut dyn Feed) -> bool {
        loop {
            self.at = 0;
            let Some(path) = feed.next(self.number, &mut self.block) else {
                self.block = Block::default();
                return false;
            };
            if self.block.bytes.is_empty() {
                continue;
            }
            self.path = path;
            self.line = self.block.first_line;
            if let Some(last) = self.last {
                Arc::make_mut(&mut self.context).follow(last);
            }
            self.begin();
            return true;
        }
    }

    /// Looks at the line that is next: takes a header in, and its stamp.
    fn peek(&mut self) {
        let rest = self.block.bytes.get(self.at..).unwrap_or_default();
        let line = rest
            .get(..memchr(b'\n', rest).unwrap_or(rest.len()))
            .unwrap_or_default();
        if format::announces(line) {
            let mut context = Context::clone(&self.context);
            if context.absorb(line) {
                self.context = Arc::new(context);
            }
        } else if let Some(mut time) = format::peek_time(line, &self.context) {
            if self.careful
                && let Some(last) = self.last
            {
                let mut context = Context::clone(&self.context);
                context.follow(last);
                if let Some(after) = format::peek_time(line, &context).filter(|&t| t != time) {
                    self.context = Arc::new(context);
                    time = after;
                }
            }
            self.last = Some(time);
            self.head = self.head.max(time);
        }
    }

    /// Moves lines into the batch while `keep` says so of the next one's stamp.
    fn take_while(&mut self, batch: &mut Batch, mut keep: impl FnMut(Time) -> bool) {
        let from = self.at;
        let first_line = self.line;
        let context = Arc::clone(&self.context);
        while self.at < self.block.bytes.len() && keep(self.head) {
            let rest = self.block.bytes.get(self.at..).unwrap_or_default();
            let (end, lines) = format::extent(rest);
            self.at += (end + 1).min(rest.len());
            self.line += u64::from(lines);
            self.peek();
            if !Arc::ptr_eq(&context, &self.context) {
                break; // a header or another day: the lines after it are another segment
            }
        }
        self.push(batch, from, self.at, first_line, context);
    }

    /// Moves the rest of the block into the batch without looking at lines,
    /// but where a header may stand in it.
    fn take_block(&mut self, batch: &mut Batch) {
        let rest = self.block.bytes.get(self.at..).unwrap_or_default();
        let has_header = format::announces(rest) || memmem::find(rest, b"\n#").is_some();
        if has_header || self.careful {
            while self.at < self.block.bytes.len() {
                self.take_while(batch, |_| true);
            }
            return;
        }
        self.last = self.last_time().or(self.last);
        let (from, line, context) = (self.at, self.line, Arc::clone(&self.context));
        if from == 0 && batch.bytes.is_empty() {
            std::mem::swap(&mut batch.bytes, &mut self.block.bytes);
            let end = batch.bytes.len();
            let segment = self.segment(0, end, 0, line, context);
            batch.segments.push(segment);
            self.block.bytes.clear();
            return;
        }
        self.at = self.block.bytes.len();
        self.push(batch, from, self.at, line, context);
    }

    fn push(&self, batch: &mut Batch, from: usize, to: usize, line: u64, context: Arc<Context>) {
        let Some(bytes) = self.block.bytes.get(from..to).filter(|b| !b.is_empty()) else {
            return;
        };
        let start = batch.bytes.len();
        batch.bytes.extend_from_slice(bytes);
        let end = batch.bytes.len();
        if batch.bytes.last() != Some(&b'\n') {
            batch.bytes.push(b'\n'); // keeps the next segment's line apart
        }
        let mut segment = self.segment(start, end, from, line, context);
        segment.truncated = self.block.truncated_last && to == self.block.bytes.len();
        batch.segments.push(segment);
    }

    fn segment(
        &self,
        start: usize,
        end: usize,
        from: usize,
        line: u64,
        context: Arc<Context>,
    ) -> Segment {
        Segment {
            stream: self.number,
            source: self.block.source,
            path: Arc::clone(&self.path),
            offset: self.block.offset + from as u64,
            first_line: line,
            start,
            end,
            context,
            truncated: self.block.truncated_last,
        }
    }
}

/// All streams.
#[derive(Default)]
pub(super) struct Reader {
    /// Those with lines at hand.
    streams: Vec<Stream>,
    /// Those that had none when they were last asked.
    dry: Vec<Stream>,
}

impl Reader {
    /// Takes a stream in; [`Reader::wake`] gets its first lines.
    pub(super) fn add(&mut self, stream: Stream) {
        self.dry.push(stream);
    }

    /// Asks every stream that had no lines again. How many have some now.
    pub(super) fn wake(&mut self, feed: &mut dyn Feed) -> usize {
        for mut stream in std::mem::take(&mut self.dry) {
            let any = stream.refill(feed);
            let side = if any {
                &mut self.streams
            } else {
                &mut self.dry
            };
            side.push(stream);
        }
        self.streams.len()
    }

    /// Whether a stream has no lines at hand.
    pub(super) fn is_dry(&self, number: u32) -> bool {
        !self.streams.iter().any(|stream| stream.number == number)
    }

    /// Lets go of a stream that is over.
    pub(super) fn remove(&mut self, number: u32) {
        debug_assert!(self.is_dry(number), "nothing of it may be lost");
        self.dry.retain(|stream| stream.number != number);
    }

    /// Every stream there is.
    pub(super) fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.streams.iter().chain(&self.dry)
    }

    /// Changes what the streams' next lines need to know.
    pub(super) fn change(&mut self, mut how: impl FnMut(u32, &mut Context)) {
        for stream in self.streams.iter_mut().chain(&mut self.dry) {
            how(stream.number, Arc::make_mut(&mut stream.context));
        }
    }

    /// Names of logs whose stamps are of no known day.
    pub(super) fn undated(&self) -> impl Iterator<Item = &str> {
        let streams = self.streams().filter(|stream| stream.undated);
        streams.map(|stream| &*stream.path)
    }

    /// Places streams whose stamps have no year near those that have one: logs
    /// that are replayed together are of the same time.
    pub(super) fn infer_years(&mut self) {
        let absolute = self
            .streams
            .iter()
            .filter(|s| s.is_absolute())
            .filter_map(Stream::first_time)
            .min();
        if let Some(reference) = absolute {
            for stream in self.streams.iter_mut().filter(|s| !s.is_absolute()) {
                stream.refer_to(reference);
            }
        }
    }

    /// Fills the batch with the lines that come next; `false` when there are none.
    pub(super) fn fill(&mut self, feed: &mut dyn Feed, batch: &mut Batch) -> bool {
        debug_assert!(batch.bytes.is_empty(), "batches are handed over empty");
        if let [stream] = self.streams.as_mut_slice() {
            if stream.at >= stream.block.bytes.len() && !stream.refill(feed) {
                self.dry.append(&mut self.streams);
                return false;
            }
            stream.take_block(batch);
            return true;
        }
        while batch.bytes.len() < BATCH && !self.streams.is_empty() {
            self.merge_step(feed, batch);
        }
        !batch.bytes.is_empty()
    }

    /// Takes lines of the stream that is furthest behind until it is not.
    fn merge_step(&mut self, feed: &mut dyn Feed, batch: &mut Batch) {
        let order = |s: &Stream| (s.head, s.number);
        let Some(first) = (0..self.streams.len()).min_by_key(|&i| self.streams.get(i).map(order))
        else {
            return;
        };
        let others = (0..self.streams.len()).filter(|&i| i != first);
        let next = others
            .filter_map(|i| self.streams.get(i).map(order))
            .min()
            .unwrap_or((Time::MAX, u32::MAX));
        let Some(stream) = self.streams.get_mut(first) else {
            return;
        };
        let number = stream.number;
        let mut moved = false;
        stream.take_while(batch, |head| {
            // One line at least, or a step would move nothing.
            !std::mem::replace(&mut moved, true) || (head, number) <= next
        });
        if stream.at >= stream.block.bytes.len() && !stream.refill(feed) {
            self.dry.push(self.streams.swap_remove(first));
        }
    }
}
