//! The groups of a correlation in one lane: small, bounded, forgotten in time.
//!
//! A group with one event in its window is a slot of about 40 bytes; only the
//! second event takes a record from the pool. A flood of addresses that are
//! seen once therefore costs little, and nothing once their window is over.

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};

/// Slots looked at per observation, so that sweeping keeps up with arrivals.
const SWEEP: usize = 2;
/// Slots looked at for the one to evict.
const CANDIDATES: usize = 8;

/// "No record": a group with a single event.
pub(crate) const NONE: u32 = u32::MAX;

/// What a group keeps in its slot.
pub(crate) trait Body: Default {
    /// The record it holds in the pool, or [`NONE`].
    fn record(&self) -> u32;
}

/// What a group keeps from its second event on.
pub(crate) trait Record: Default {
    /// Empties it for another group, keeping modest memory.
    fn reset(&mut self);
    /// Bytes it takes outside of itself.
    fn heap(&self) -> usize;
}

#[derive(Debug, Serialize, Deserialize)]
struct Slot<B> {
    hash: u64,
    last: Time,
    body: B,
}

/// A bounded table of groups.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Groups<B, R> {
    #[serde(skip)]
    table: HashTable<u32>,
    slots: Vec<Slot<B>>,
    free: Vec<u32>,
    records: Vec<R>,
    spare: Vec<u32>,
    hand: u32,
    newest: Time,
    max: usize,
    evicted: u64,
}

impl<B: Body, R: Record> Groups<B, R> {
    /// Room for that many groups.
    pub(crate) fn new(max: usize) -> Groups<B, R> {
        Groups {
            table: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            records: Vec::new(),
            spare: Vec::new(),
            hand: 0,
            newest: Time::MIN,
            max: max.max(CANDIDATES),
            evicted: 0,
        }
    }

    /// The group's slot, new or old, and the pool; groups that were silent for
    /// longer than `keep` are given up on the way.
    pub(crate) fn enter(&mut self, hash: u64, time: Time, keep: Span) -> (&mut B, Pool<'_, R>) {
        // Only events in time come here: one that is older than all that is kept
        // says that the clock was set back. To go on by the time before that
        // would give up each group as soon as it is made.
        self.newest = if time < self.newest.minus(keep) {
            time
        } else {
            self.newest.max(time)
        };
        self.sweep(keep);
        let slots = &self.slots;
        let same = |at: &u32| slots.get(*at as usize).is_some_and(|s| s.hash == hash);
        let at = match self.table.find(hash, same) {
            Some(at) => *at,
            None => self.insert(hash),
        };
        #[expect(clippy::indexing_slicing, reason = "the table holds places of slots")]
        let slot = &mut self.slots[at as usize];
        slot.last = slot.last.max(time);
        let pool = Pool {
            records: &mut self.records,
            spare: &mut self.spare,
        };
        (&mut slot.body, pool)
    }

    /// A group's record, if it has one.
    pub(crate) fn record(&self, hash: u64) -> Option<&R> {
        let same = |at: &u32| self.slots.get(*at as usize).is_some_and(|s| s.hash == hash);
        let at = *self.table.find(hash, same)?;
        let record = self.slots.get(at as usize)?.body.record();
        self.records.get(record as usize)
    }

    fn insert(&mut self, hash: u64) -> u32 {
        if self.table.len() >= self.max {
            self.evict();
        }
        let slot = Slot {
            hash,
            last: Time::MIN,
            body: B::default(),
        };
        let at = if let Some(at) = self.free.pop() {
            if let Some(old) = self.slots.get_mut(at as usize) {
                *old = slot;
            }
            at
        } else {
            self.slots.push(slot);
            u32::try_from(self.slots.len() - 1).unwrap_or(NONE)
        };
        let slots = &self.slots;
        self.table.insert_unique(hash, at, |at| {
            slots.get(*at as usize).map_or(0, |slot| slot.hash)
        });
        at
    }

    fn sweep(&mut self, keep: Span) {
        let before = self.newest.minus(keep);
        for _ in 0..SWEEP {
            let at = self.turn();
            if self
                .slots
                .get(at as usize)
                .is_some_and(|s| s.last < before && s.last > Time::MIN)
            {
                self.release(at);
            }
        }
    }

    /// Moves the clock's hand on and gives the slot it pointed at.
    fn turn(&mut self) -> u32 {
        let at = self.hand;
        self.hand = if (at as usize) + 1 >= self.slots.len() {
            0
        } else {
            at + 1
        };
        at
    }

    /// Gives up the group that was silent for longest among some.
    fn evict(&mut self) {
        let mut oldest: Option<(Time, u32)> = None;
        for looked in 0..self.slots.len() {
            if looked >= CANDIDATES && oldest.is_some() {
                break;
            }
            let at = self.turn();
            if let Some(slot) = self.slots.get(at as usize)
                && slot.last > Time::MIN
                && oldest.is_none_or(|(last, _)| slot.last < last)
            {
                oldest = Some((slot.last, at));
            }
        }
        if let Some((_, at)) = oldest {
            self.release(at);
            self.evicted += 1;
        }
    }

    fn release(&mut self, at: u32) {
        let Some(slot) = self.slots.get_mut(at as usize) else {
            return;
        };
        // An empty slot is one that was never seen: no event has this time.
        slot.last = Time::MIN;
        let record = std::mem::take(&mut slot.body).record();
        if let Some(freed) = self.records.get_mut(record as usize) {
            freed.reset();
            self.spare.push(record);
        }
        let hash = slot.hash;
        if let Ok(entry) = self.table.find_entry(hash, |other| *other == at) {
            entry.remove();
        }
        self.free.push(at);
    }

    /// Groups kept, and about how many bytes they take.
    pub(crate) fn size(&self) -> (usize, usize) {
        let heap: usize = self.records.iter().map(Record::heap).sum();
        let bytes = self.slots.capacity() * size_of::<Slot<B>>()
            + self.table.capacity() * 5
            + self.records.capacity() * size_of::<R>()
            + (self.free.capacity() + self.spare.capacity()) * 4
            + heap;
        (self.table.len(), bytes)
    }

    /// Groups given up for lack of room.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }
}

impl<B: Body, R: Record> Groups<B, R>
where
    B: Serialize + for<'de> Deserialize<'de>,
    R: Serialize + for<'de> Deserialize<'de>,
{
    /// That numbers name what is there: the rest of this file relies on it.
    fn check(&self) -> Result<(), String> {
        let (slots, records) = (self.slots.len(), self.records.len());
        let within = |numbers: &[u32], len: usize| numbers.iter().all(|n| (*n as usize) < len);
        let links = self.slots.iter().map(|slot| slot.body.record());
        let sound = within(&self.free, slots)
            && within(&self.spare, records)
            && links
                .filter(|link| *link != NONE)
                .all(|link| (link as usize) < records);
        if sound {
            Ok(())
        } else {
            Err("its groups name records that are not there".to_owned())
        }
    }

    pub(crate) fn save(&self) -> Vec<u8> {
        // Writing to memory cannot fail, and all parts have a length.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    pub(crate) fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut saved: Groups<B, R> = postcard::from_bytes(bytes).map_err(|e| e.to_string())?;
        saved.check()?;
        let slots = &saved.slots;
        for (at, slot) in (0_u32..).zip(slots) {
            if slot.last > Time::MIN {
                saved.table.insert_unique(slot.hash, at, |at| {
                    slots.get(*at as usize).map_or(0, |slot| slot.hash)
                });
            }
        }
        saved.max = self.max;
        *self = saved;
        Ok(())
    }
}

/// The records that groups can take.
pub(crate) struct Pool<'g, R> {
    records: &'g mut Vec<R>,
    spare: &'g mut Vec<u32>,
}

impl<'g, R: Record> Pool<'g, R> {
    /// The record that `link` names, or a fresh one, which `link` then names.
    pub(crate) fn take(self, link: &mut u32) -> &'g mut R {
        if *link == NONE {
            *link = self.spare.pop().unwrap_or_else(|| {
                self.records.push(R::default());
                u32::try_from(self.records.len() - 1).unwrap_or(NONE)
            });
        }
        #[expect(clippy::indexing_slicing, reason = "a link names a record")]
        let record = &mut self.records[*link as usize];
        record
    }
}
