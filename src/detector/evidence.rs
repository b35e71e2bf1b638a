//! Raw lines kept for alerts that may come: a few per group, from its second
//! event on, in a ring of fixed size per lane. What is overwritten is missing
//! from an alert's samples and from nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::alert::{EVIDENCE_MAX, Evidence};
use crate::line::{Place, SourceId};
use crate::time::{Span, Time};

/// Bytes of lines per lane; with 64 lanes 8 MiB.
const RING: usize = 128 << 10;
/// Groups remembered per rule and lane, by the low bits of their hash.
const RECENT: usize = 128;
/// Earlier lines per alert; with the line that raised it at most five.
const EARLIER_MAX: usize = 3;
/// Bytes before a line in the ring.
const HEADER: usize = 4 + 4 + 8 + 8 + 8 + 2;

/// A line as the stateful part sees it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Where it stands.
    pub place: Place,
    /// Its source's name.
    pub path: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its time is too late or too far ahead to be counted: only rules that
    /// look at single events may judge it.
    pub stale: bool,
}

impl Seen<'_> {
    /// The line as an alert carries it.
    pub(crate) fn evidence(&self, time: Time) -> Evidence {
        let len = self.bytes.len().min(EVIDENCE_MAX);
        Evidence {
            place: self.place,
            path: self.path.to_owned(),
            bytes: self.bytes.get(..len).unwrap_or_default().to_vec(),
            time,
        }
    }
}

/// What a group has in the ring.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Recent {
    key: u64,
    last: Time,
    lines: [u64; EARLIER_MAX],
    count: u8,
}

/// A lane's kept lines.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    ring: Vec<u8>,
    /// Bytes ever written; a line at `at` is whole while `head - at <= RING`.
    head: u64,
    /// Per rule, a table of groups.
    recent: Vec<Vec<Recent>>,
    paths: Vec<String>,
    #[serde(skip)]
    path_of: BTreeMap<SourceId, u32>,
}

fn slot(key: u64) -> usize {
    usize::try_from(key % RECENT as u64).unwrap_or(0)
}

impl Kept {
    /// Remembers that a group had an event, and the line unless it is the
    /// first within `span` (`first` asks for that one as well).
    pub(crate) fn remember(
        &mut self,
        unit: u16,
        key: u64,
        seen: &Seen<'_>,
        time: Time,
        span: Span,
        first: bool,
    ) {
        let unit = usize::from(unit);
        if self.recent.len() <= unit {
            self.recent.resize_with(unit + 1, Vec::new);
        }
        let Some(table) = self.recent.get_mut(unit) else {
            return;
        };
        if table.is_empty() {
            table.resize(RECENT, Recent::default());
        }
        let Some(recent) = table.get_mut(slot(key)) else {
            return;
        };
        let known = recent.key == key && time.since(recent.last) <= span;
        if !known {
            *recent = Recent {
                key,
                ..Recent::default()
            };
        }
        recent.last = time;
        let count = usize::from(recent.count);
        if (known || first) && count < EARLIER_MAX {
            recent.count += 1;
            let at = self.write(seen, time);
            let table = self.recent.get_mut(unit);
            if let Some(line) = table
                .and_then(|table| table.get_mut(slot(key)))
                .and_then(|recent| recent.lines.get_mut(count))
            {
                *line = at;
            }
        }
    }

    /// Forgets which lines are a group's; the ring overwrites them in time.
    pub(crate) fn forget(&mut self, unit: u16, key: u64) {
        let table = self.recent.get_mut(usize::from(unit));
        if let Some(recent) = table.and_then(|table| table.get_mut(slot(key)))
            && recent.key == key
        {
            *recent = Recent::default();
        }
    }

    /// A group's earlier lines, oldest first.
    pub(crate) fn earlier(&self, unit: u16, key: u64) -> impl Iterator<Item = Evidence> {
        let recent = self.recent.get(usize::from(unit));
        let recent = recent
            .and_then(|table| table.get(slot(key)))
            .filter(|recent| recent.key == key);
        let lines = recent.and_then(|r| r.lines.get(..usize::from(r.count)));
        lines.into_iter().flatten().filter_map(|at| self.read(*at))
    }

    fn path(&mut self, seen: &Seen<'_>) -> u32 {
        let source = seen.place.source;
        if let Some(number) = self.path_of.get(&source) {
            return *number;
        }
        let known = self.paths.iter().position(|path| path == seen.path);
        let number = known.unwrap_or_else(|| {
            self.paths.push(seen.path.to_owned());
            self.paths.len() - 1
        });
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.path_of.insert(source, number);
        number
    }

    fn write(&mut self, seen: &Seen<'_>, time: Time) -> u64 {
        let path = self.path(seen);
        if self.ring.is_empty() {
            self.ring.resize(RING, 0);
        }
        let line = seen.bytes.get(..seen.bytes.len().min(EVIDENCE_MAX));
        let line = line.unwrap_or_default();
        let len = HEADER + line.len();
        let ring = RING as u64;
        if usize::try_from(self.head % ring).unwrap_or(0) + len > RING {
            self.head = self.head.next_multiple_of(ring);
        }
        let at = self.head;
        let start = usize::try_from(at % ring).unwrap_or(0);
        let length = u16::try_from(line.len()).unwrap_or(u16::MAX);
        let parts: [&[u8]; 7] = [
            &path.to_le_bytes(),
            &seen.place.source.0.to_le_bytes(),
            &seen.place.offset.to_le_bytes(),
            &seen.place.number.to_le_bytes(),
            &time.nanos().to_le_bytes(),
            &length.to_le_bytes(),
            line,
        ];
        let mut room = self.ring.get_mut(start..start + len).unwrap_or_default();
        for part in parts {
            let Some((to, rest)) = room.split_at_mut_checked(part.len()) else {
                debug_assert!(false, "the ring has room for a line");
                break;
            };
            to.copy_from_slice(part);
            room = rest;
        }
        self.head += len as u64;
        at
    }

    fn read(&self, at: u64) -> Option<Evidence> {
        if self.head.checked_sub(at)? > RING as u64 {
            return None;
        }
        let rest = self.ring.get(usize::try_from(at % RING as u64).ok()?..)?;
        let (path, rest) = rest.split_first_chunk()?;
        let (source, rest) = rest.split_first_chunk()?;
        let (offset, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (time, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        Some(Evidence {
            place: Place {
                source: SourceId(u32::from_le_bytes(*source)),
                offset: u64::from_le_bytes(*offset),
                number: u64::from_le_bytes(*number),
            },
            path: self.paths.get(u32::from_le_bytes(*path) as usize)?.clone(),
            bytes: rest
                .get(..usize::from(u16::from_le_bytes(*length)))?
                .to_vec(),
            time: Time::from_nanos(i64::from_le_bytes(*time)),
        })
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let tables = self.recent.iter().filter(|table| !table.is_empty()).count();
        self.ring.len() + tables * RECENT * size_of::<Recent>()
    }

    /// Moves the tables of rules to their new numbers; `place` has the old
    /// number of each rule that there was before.
    pub(crate) fn renumber(&mut self, place: &[Option<usize>]) {
        let mut old = std::mem::take(&mut self.recent);
        self.recent = place
            .iter()
            .map(|from| from.and_then(|from| old.get_mut(from)).map(std::mem::take))
            .map(Option::unwrap_or_default)
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_until_the_ring_has_gone_round() {
        let mut kept = Kept::default();
        let at = |n: u64| Seen {
            place: Place {
                source: SourceId(1),
                offset: n * 10,
                number: n,
            },
            path: "auth.log",
            bytes: b"a line",
            stale: false,
        };
        for n in 0..10 {
            kept.remember(
                3,
                77,
                &at(n),
                Time::from_secs(n.cast_signed()),
                Span::HOUR,
                false,
            );
        }
        let lines: Vec<_> = kept.earlier(3, 77).collect();
        let numbers: Vec<_> = lines.iter().map(|line| line.place.number).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(
            (lines[0].path.as_str(), &lines[0].bytes[..]),
            ("auth.log", &b"a line"[..])
        );
        assert_eq!(kept.earlier(3, 77 + RECENT as u64).count(), 0);
        for n in 0..10_000 {
            kept.remember(4, n / 3, &at(n), Time::from_secs(20), Span::HOUR, false);
        }
        assert_eq!(kept.earlier(3, 77).count(), 0);
        assert_eq!(kept.ring.len(), RING);
    }
}
