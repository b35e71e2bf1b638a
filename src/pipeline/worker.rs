//! The stateless part: a batch of bytes becomes events, and events become
//! observations. Every worker has its own buffers; nothing is shared.

use bumpalo::Bump;
use memchr::memchr;

use super::batch::{Parsed, Row};
use crate::detector::{Detector, Scratch};
use crate::enrich::Enricher;
use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::{self, FORMATS, Verdict};
use crate::metrics::Counts;
use crate::sync::Arc;
use crate::time::{Span, Time};

/// What a worker keeps between batches.
pub(super) struct Worker {
    detector: Arc<Detector>,
    enricher: Arc<Enricher>,
    scratch: Scratch,
    arena: Bump,
}

impl Worker {
    pub(super) fn new(detector: Arc<Detector>, enricher: Arc<Enricher>) -> Worker {
        let scratch = detector.scratch();
        Worker {
            detector,
            enricher,
            scratch,
            arena: Bump::new(),
        }
    }

    /// Puts other tables in force.
    pub(super) fn enrich(&mut self, enricher: Arc<Enricher>) {
        self.enricher = enricher;
    }

    /// Parses and matches the batch in `parsed`; what was made of an earlier
    /// one leaves only its buffers.
    pub(super) fn work(&mut self, parsed: &mut Parsed) {
        parsed.renew();
        self.arena.reset();
        let Parsed {
            batch,
            rows,
            first_rows,
            observations,
            counts,
            by_format,
            ..
        } = parsed;
        counts.bytes += batch.bytes.len() as u64;
        count_odd(&batch.bytes, counts);
        let mut event = Event::new();
        for (number, segment) in (0_u32..).zip(&batch.segments) {
            first_rows.push(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            let mut start = segment.start;
            let mut before: &[u8] = &[];
            while let Some(rest) = batch
                .bytes
                .get(start..segment.end)
                .filter(|r| !r.is_empty())
            {
                let (end, lines) = format::extent(rest);
                let line = rest.get(..end).unwrap_or_default();
                let parsed = format::parse(line, &segment.context, &self.arena, &mut event);
                counts.lines += u64::from(lines);
                counts.repeated += u64::from(line == before && !line.is_empty());
                before = line;
                tally(parsed, counts, by_format);
                let time = event.time.unwrap_or(Time::MIN);
                if event.time.is_some() {
                    self.enricher.enrich(&mut event, &self.arena);
                    let row = u32::try_from(rows.len()).unwrap_or(u32::MAX);
                    self.detector
                        .detect(&event, row, &mut self.scratch, observations);
                }
                let row = Row {
                    start: u32::try_from(start).unwrap_or(u32::MAX),
                    len: u32::try_from(end).unwrap_or(u32::MAX),
                    segment: number,
                    time,
                    written: written(&event, time),
                    format: parsed.format.unwrap_or(u8::MAX),
                    unmatched: parsed.verdict != Verdict::Event,
                };
                // A row for each line, so that rows count lines.
                rows.extend((0..lines).map(|_| row));
                event = event.recycle();
                start += end + 1;
            }
            counts.truncated += u64::from(segment.truncated);
        }
        observations.seal();
    }
}

/// Counts lines with NUL and lines that are not UTF-8: two looks at the whole
/// batch (0.1 ns a byte), and at its lines only when it has any.
fn count_odd(bytes: &[u8], counts: &mut Counts) {
    if memchr(0, bytes).is_some() {
        let odd = lines(bytes).filter(|line| memchr(0, line).is_some());
        counts.nul += odd.count() as u64;
    }
    if std::str::from_utf8(bytes).is_err() {
        let odd = lines(bytes).filter(|line| std::str::from_utf8(line).is_err());
        counts.not_utf8 += odd.count() as u64;
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&byte| byte == b'\n')
}

/// When the line was written: at the end of what it describes. Zeek stamps a
/// connection with its start and writes it when it is over, perhaps hours later.
fn written(event: &Event<'_>, time: Time) -> Time {
    match event.get(Field::EVENT_DURATION) {
        Some(Value::Int(nanos)) if nanos > 0 => time.plus(Span::from_nanos(nanos)),
        _ => time,
    }
}

fn tally(parsed: format::Parsed, counts: &mut Counts, by_format: &mut [super::batch::Tally]) {
    let row = parsed.format.map_or(FORMATS.len(), usize::from);
    let Some(tally) = by_format.get_mut(row) else {
        debug_assert!(false, "a tally for every format");
        return;
    };
    match parsed.verdict {
        Verdict::Event => {
            counts.events += 1;
            tally.events += 1;
        }
        Verdict::NotMine => {
            counts.not_mine += 1;
            tally.not_mine += 1;
        }
        Verdict::Malformed(_) => {
            counts.malformed += 1;
            tally.malformed += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_lines_are_counted_and_even_ones_are_not() {
        let mut counts = Counts::default();
        count_odd("ä\nb\n".as_bytes(), &mut counts);
        assert_eq!((counts.nul, counts.not_utf8), (0, 0));
        count_odd(b"a\0\0\n\xffb\0\nc\n\xe4\nd", &mut counts);
        assert_eq!((counts.nul, counts.not_utf8), (2, 2));
    }
}
