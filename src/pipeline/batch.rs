//! A batch: a stretch of lines on their way from the reader to the lanes, and
//! what the worker made of it. Buffers travel with it and are used again.

use crate::alert::Alert;
use crate::detector::Observations;
use crate::format::{Context, FORMATS};
use crate::line::{Place, SourceId};
use crate::metrics::Counts;
use crate::sync::Arc;
use crate::time::Time;

/// A run of whole lines of one source inside a batch's bytes.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Which stream of sources: lateness is judged within it.
    pub(super) stream: u32,
    /// The file.
    pub(super) source: SourceId,
    /// Its name as people know it.
    pub(super) path: Arc<str>,
    /// Offset in the file of the segment's first byte.
    pub(super) offset: u64,
    /// Number in the file of its first line.
    pub(super) first_line: u64,
    /// First byte in the batch.
    pub(super) start: usize,
    /// One past the last byte in the batch.
    pub(super) end: usize,
    /// What its lines need to know.
    pub(super) context: Arc<Context>,
    /// Whether the last line is only the head of a longer one.
    pub(super) truncated: bool,
}

/// Lines to parse.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Place in the one order of all batches.
    pub(super) sequence: u64,
    /// The lines, each ended by LF but perhaps the last of a segment.
    pub(super) bytes: Vec<u8>,
    /// Whose lines they are, in order and without gaps.
    pub(super) segments: Vec<Segment>,
}

impl Batch {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.segments.clear();
    }
}

/// One line of a batch, as the lanes need it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// First byte in the batch.
    pub(super) start: u32,
    /// Length without the line feed.
    pub(super) len: u32,
    /// Its segment.
    pub(super) segment: u32,
    /// Event time; [`Time::MIN`] when the line has none.
    pub(super) time: Time,
    /// When the line was written: event time plus how long it took.
    pub(super) written: Time,
    /// Row of FORMATS that took it; none has the highest number.
    pub(super) format: u8,
    /// Whether no shape of the format matched it.
    pub(super) unmatched: bool,
}

/// What became of a line's time, judged in sequence order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timeliness {
    /// In time.
    Timely,
    /// Too late, too far ahead or without a stamp: moves no state.
    Stale,
}

/// How many lines a format took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) events: u64,
    pub(super) not_mine: u64,
    pub(super) malformed: u64,
}

/// A batch once parsed and matched.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) batch: Batch,
    pub(super) rows: Vec<Row>,
    /// For each segment, the number of its first row.
    pub(super) first_rows: Vec<u32>,
    pub(super) observations: Observations,
    pub(super) counts: Counts,
    /// By row of FORMATS, and one for lines that nothing claimed.
    pub(super) by_format: Vec<Tally>,
    /// Filled in sequence order, one for each row; empty means all timely.
    pub(super) timeliness: Vec<Timeliness>,
    /// `(row, alert)`: what tipstaff tells of the logs themselves.
    pub(super) internal: Vec<(u32, Alert)>,
    /// `(row, epoch start)`: a barrier stands before this row.
    pub(super) barriers: Vec<(u32, Time)>,
}

impl Parsed {
    /// Forgets what was made of the batch before, and keeps the memory.
    pub(super) fn renew(&mut self) {
        self.rows.clear();
        self.first_rows.clear();
        self.observations.clear();
        self.counts = Counts::default();
        self.by_format.clear();
        self.by_format
            .resize_with(FORMATS.len() + 1, Tally::default);
        self.timeliness.clear();
        self.internal.clear();
        self.barriers.clear();
    }

    /// Earliest and latest event time of the lines that are in time.
    pub(super) fn span(&self) -> Option<(Time, Time)> {
        let timely = self.rows.iter().zip(&self.timeliness);
        let mut times = timely
            .filter(|(_, t)| **t == Timeliness::Timely)
            .map(|(row, _)| row.time);
        let first = times.next()?;
        Some(times.fold((first, first), |(a, b), t| (a.min(t), b.max(t))))
    }

    /// A line's bytes.
    pub(super) fn line(&self, row: &Row) -> &[u8] {
        let start = row.start as usize;
        self.batch
            .bytes
            .get(start..start + row.len as usize)
            .unwrap_or_default()
    }

    /// Where a row's line stands, and the name of its file.
    pub(super) fn place(&self, number: u32, row: &Row) -> (Place, &str) {
        let segment = self.batch.segments.get(row.segment as usize);
        let first_row = self.first_rows.get(row.segment as usize);
        let (Some(segment), Some(&first_row)) = (segment, first_row) else {
            debug_assert!(false, "a row belongs to a segment");
            return (Place::default(), "?");
        };
        let place = Place {
            source: segment.source,
            offset: segment.offset + u64::from(row.start) - segment.start as u64,
            number: segment.first_line + u64::from(number - first_row),
        };
        (place, &segment.path)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::pipeline) fn segment() -> Segment {
        Segment {
            stream: 0,
            source: SourceId(0),
            path: "auth.log".into(),
            offset: 0,
            first_line: 1,
            start: 0,
            end: 0,
            context: Arc::new(Context::utc(Time::from_secs(0))),
            truncated: false,
        }
    }
}
