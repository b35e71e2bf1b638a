//! The table of a rule's entities in one lane: of a fixed size whatever an
//! attacker writes into logs.
//!
//! A slab of states with an index from key to place. When it is full, a hand
//! goes round it as in CLOCK and looks at the next few places; the state that
//! is worth least there makes room, unless all of them are established. What
//! happens depends on the sequence of operations alone: no randomness, no
//! order of a hash map, so replays evict the same entities.
//!
//! Newcomers wait in a [`Nursery`] of 32 bytes each until they are seen in a
//! second slot of time. A flood of addresses that come once ends there.

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use super::flow::{Crowd, Flow};
use crate::time::Time;

/// Places looked at for a victim: enough to find a poor one, few enough to be quick.
const LOOK: usize = 16;

/// Newcomers kept in a lane: 64 lanes' nurseries then take 20 MB at most.
pub(super) const NURSERY: usize = 8192;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place<S> {
    key: u64,
    state: S,
}

/// States by key, at most so many.
#[derive(Debug)]
pub(super) struct Table<S> {
    index: HashTable<u32>,
    slab: Vec<Place<S>>,
    hand: usize,
    capacity: usize,
}

/// What [`Table::save`] writes.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved<S> {
    slab: Vec<Place<S>>,
    hand: usize,
    /// Of a nursery.
    flow: Option<Flow>,
}

impl<S: Clone> Table<S> {
    pub(super) fn new(capacity: usize) -> Table<S> {
        Table {
            index: HashTable::new(),
            slab: Vec::new(),
            hand: 0,
            capacity: capacity.clamp(1, u32::MAX as usize),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    /// Most that it takes in.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn bytes(&self) -> usize {
        self.index.allocation_size() + self.slab.capacity() * size_of::<Place<S>>()
    }

    /// Where the key's state is; places change only in [`Table::insert`] and [`Table::remove`].
    pub(super) fn find(&self, key: u64) -> Option<usize> {
        let same = |&at: &u32| {
            self.slab
                .get(at as usize)
                .is_some_and(|place| place.key == key)
        };
        self.index.find(key, same).map(|&at| at as usize)
    }

    pub(super) fn get(&self, at: usize) -> Option<&S> {
        self.slab.get(at).map(|place| &place.state)
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut S> {
        self.slab.get_mut(at).map(|place| &mut place.state)
    }

    /// Every key, in the slab's order.
    pub(super) fn keys(&self) -> impl Iterator<Item = u64> {
        self.slab.iter().map(|place| place.key)
    }

    /// Whose the state at a place is.
    pub(super) fn key(&self, at: usize) -> Option<u64> {
        self.slab.get(at).map(|place| place.key)
    }

    /// Every state, in the slab's order.
    pub(super) fn states(&self) -> impl Iterator<Item = &S> {
        self.slab.iter().map(|place| &place.state)
    }

    /// Every state, in the slab's order.
    pub(super) fn states_mut(&mut self) -> impl Iterator<Item = &mut S> {
        self.slab.iter_mut().map(|place| &mut place.state)
    }

    /// Takes in a state, in place of the one worth least of those the hand
    /// passes when full; `worth` is `None` for what may not be displaced.
    /// `None` when nothing could make room. The key must not be in already.
    pub(super) fn insert(
        &mut self,
        key: u64,
        state: S,
        worth: impl Fn(&S) -> Option<i64>,
    ) -> Option<usize> {
        debug_assert!(self.find(key).is_none(), "a key has one place");
        let at = if self.slab.len() < self.capacity {
            grow(&mut self.slab);
            self.slab.push(Place { key, state });
            self.slab.len() - 1
        } else {
            let victim = self.victim(worth)?;
            self.unlink(victim);
            if let Some(place) = self.slab.get_mut(victim) {
                *place = Place { key, state };
            }
            victim
        };
        self.link(key, at);
        Some(at)
    }

    fn victim(&mut self, worth: impl Fn(&S) -> Option<i64>) -> Option<usize> {
        let mut best: Option<(i64, usize)> = None;
        for step in 0..LOOK.min(self.slab.len()) {
            let at = (self.hand + step) % self.slab.len();
            let Some(worth) = self.slab.get(at).and_then(|place| worth(&place.state)) else {
                continue;
            };
            if best.is_none_or(|(least, _)| worth < least) {
                best = Some((worth, at));
            }
        }
        let next = best.map_or(self.hand + LOOK, |(_, at)| at + 1);
        self.hand = next % self.slab.len().max(1);
        best.map(|(_, at)| at)
    }

    /// Takes a state out; the last one moves into its place.
    pub(super) fn remove(&mut self, at: usize) -> Option<S> {
        let last = self.slab.len().checked_sub(1)?;
        if at > last {
            return None;
        }
        self.unlink(at);
        if at != last {
            self.unlink(last);
        }
        let gone = self.slab.swap_remove(at);
        if let Some(key) = self.slab.get(at).map(|place| place.key) {
            self.link(key, at);
        }
        Some(gone.state)
    }

    fn link(&mut self, key: u64, at: usize) {
        let slab = &self.slab;
        let rehash = |&at: &u32| slab.get(at as usize).map_or(0, |place| place.key);
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        self.index.insert_unique(key, at, rehash);
    }

    fn unlink(&mut self, at: usize) {
        let key = self.slab.get(at).map_or(0, |place| place.key);
        if let Ok(entry) = self.index.find_entry(key, |&other| other as usize == at) {
            entry.remove();
        }
    }

    pub(super) fn save(&self) -> Saved<S> {
        Saved {
            slab: self.slab.clone(),
            hand: self.hand,
            flow: None,
        }
    }

    /// Restores what was saved; `Err` when it holds more than fits, or a key twice.
    pub(super) fn load(&mut self, saved: Saved<S>) -> Result<(), String> {
        let held = saved.slab.len();
        if held > self.capacity {
            return Err(format!(
                "{held} entities were saved and {} fit; raise the rule's limit or start afresh",
                self.capacity
            ));
        }
        let mut table = Table::new(self.capacity);
        table.hand = saved.hand;
        table.slab = saved.slab;
        for at in 0..held {
            let key = table.slab.get(at).map_or(0, |place| place.key);
            if table.find(key).is_some() {
                return Err(format!("entity {key:016x} was saved twice"));
            }
            table.link(key, at);
        }
        *self = table;
        Ok(())
    }
}

/// Takes out what stands beside a table's place, `each` of a kind; the last
/// ones move there, as in [`Table::remove`].
pub(super) fn swap_out<T>(beside: &mut Vec<T>, at: usize, each: usize) {
    let Some(last) = beside.len().checked_sub(each) else {
        return;
    };
    if at * each <= last {
        for n in 0..each {
            beside.swap(at * each + n, last + n);
        }
        beside.truncate(last);
    }
}

/// Makes room for one more, by quarters: at a million entities, doubling would
/// hold up to as much again idle.
pub(super) fn grow<T>(slab: &mut Vec<T>) {
    if slab.len() == slab.capacity() {
        slab.reserve_exact((slab.len() / 4).max(64));
    }
}

/// What is kept of an entity that was seen in one slot of time only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Newcomer {
    /// When it was first seen.
    pub(super) first: Time,
    /// How often since.
    pub(super) count: u32,
    /// The hash of the value it came with.
    pub(super) value: u32,
}

/// Entities not yet worth a baseline.
#[derive(Debug)]
pub(super) struct Nursery(Table<Newcomer>, Flow);

impl Nursery {
    pub(super) fn new(entities: usize) -> Nursery {
        Nursery(Table::new(entities.min(NURSERY)), Flow::default())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.bytes()
    }

    pub(super) fn find(&mut self, key: u64) -> Option<&mut Newcomer> {
        let at = self.0.find(key)?;
        self.0.get_mut(at)
    }

    /// The same to look at.
    pub(super) fn get(&self, key: u64) -> Option<&Newcomer> {
        self.0.get(self.0.find(key)?)
    }

    /// Every newcomer's key.
    pub(super) fn keys(&self) -> impl Iterator<Item = u64> {
        self.0.keys()
    }

    /// Takes in a newcomer; of those already there, the one seen least and longest ago goes.
    pub(super) fn insert(&mut self, key: u64, newcomer: Newcomer) {
        self.1.take(newcomer.first);
        self.0.insert(key, newcomer, |old| {
            let age = newcomer.first.since(old.first).secs() / 600;
            // A doubling of the count is worth an hour of staying.
            Some(i64::from(old.count.max(1).ilog2()) * 6 - age)
        });
    }

    pub(super) fn holds(&self, key: u64) -> bool {
        self.0.find(key).is_some()
    }

    /// Every newcomer, in an order of their own.
    pub(super) fn newcomers(&self) -> impl Iterator<Item = &Newcomer> {
        self.0.states()
    }

    /// Takes a newcomer out; whether there was one.
    pub(super) fn remove(&mut self, key: u64) -> bool {
        let at = self.0.find(key);
        at.and_then(|at| self.0.remove(at)).is_some()
    }

    /// How full it is, and the table that its newcomers are to grow into.
    pub(super) fn crowd(&self, (known, room): (usize, usize)) -> Crowd {
        Crowd::new(known, room, &self.1, self.0.capacity)
    }

    pub(super) fn save(&self) -> Saved<Newcomer> {
        Saved {
            flow: Some(self.1.clone()),
            ..self.0.save()
        }
    }

    pub(super) fn load(&mut self, mut saved: Saved<Newcomer>) -> Result<(), String> {
        self.1 = saved.flow.take().unwrap_or_default();
        self.0.load(saved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key as spread as a keyed hash.
    fn key(n: u64) -> u64 {
        n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn what_is_established_stays_whatever_comes() {
        let mut table = Table::new(64);
        for n in 0..32 {
            table.insert(key(n), 100, |_| Some(0));
        }
        for n in 32..100_000 {
            table.insert(key(n), 1, |&worth| (worth < 100).then_some(worth));
            assert!(table.len() <= 64);
        }
        for n in 0..32 {
            assert_eq!(table.find(key(n)).and_then(|at| table.get(at)), Some(&100));
        }
    }

    #[test]
    fn when_all_are_established_a_newcomer_waits_outside() {
        let mut table = Table::new(8);
        for n in 0..8 {
            assert!(table.insert(key(n), (), |()| None).is_some());
        }
        assert_eq!(table.insert(key(9), (), |()| None), None);
        assert_eq!(table.find(key(9)), None);
    }

    #[test]
    fn the_one_worth_least_goes() {
        let mut table = Table::new(5);
        for n in 0..5_u64 {
            table.insert(key(n), i64::from(n != 3), |&worth| Some(worth));
        }
        table.insert(key(7), 1, |&worth| Some(worth));
        assert_eq!(table.find(key(3)), None);
        assert!(table.find(key(0)).is_some());
    }

    #[test]
    fn removing_keeps_every_other_key_findable() {
        let mut table = Table::new(1000);
        for n in 0..1000 {
            table.insert(key(n), n, |_| None);
        }
        for n in (0..1000).step_by(3) {
            let at = table.find(key(n)).unwrap();
            assert_eq!(table.remove(at), Some(n));
        }
        for n in 0..1000 {
            let found = table.find(key(n)).and_then(|at| table.get(at)).copied();
            assert_eq!(found, (n % 3 != 0).then_some(n));
        }
        assert_eq!(table.remove(5000), None);
    }

    #[test]
    fn a_saved_table_goes_on_evicting_the_same_entities() {
        let worth = |&worth: &i64| Some(worth);
        let mut table = Table::new(50);
        for n in 0..77_u64 {
            table.insert(key(n), i64::from(n % 7 == 0), worth);
        }
        let mut copy = Table::new(50);
        copy.load(table.save()).unwrap();
        for n in 100..200_u64 {
            assert_eq!(
                table.insert(key(n), 3, worth),
                copy.insert(key(n), 3, worth)
            );
        }
    }

    #[test]
    fn a_snapshot_that_cannot_be_right_is_refused() {
        let mut table = Table::new(50);
        for n in 0..20 {
            table.insert(key(n), n, |_| None);
        }
        assert!(
            Table::new(10)
                .load(table.save())
                .unwrap_err()
                .contains("20 entities")
        );
        let mut saved = table.save();
        saved.slab[4].key = saved.slab[5].key;
        assert!(table.load(saved).unwrap_err().contains("twice"));
    }

    #[test]
    fn a_newcomer_takes_thirty_two_bytes() {
        assert_eq!(size_of::<Place<Newcomer>>(), 24);
    }
}
