//! `value_count`: more distinct values than the entity's own habit explains.
//!
//! The same model as for events, on the number of distinct values in a bucket.
//! Up to 16 are counted exactly; beyond, by HyperLogLog with 256 registers
//! (Flajolet et al. 2007), within 6.5 %. The hashes are keyed, else an
//! attacker could pick values that fall into one register. Registers are
//! pooled and given back when the bucket closes.

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::rate::Rate;
use super::{Row, Want};

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "value_count",
    about: "more distinct values in a bucket than the entity's own habit and its peers' explain",
    field: Want::Must,
    number: false,
    many: true,
    sparse: false,
    prevalence: Want::No,
    peers: true,
    only: &["first_seen", "never_succeeded"],
    members: 1,
    floor: None,
    counts: false,
    build: |settings| Box::new(Rate::new(ROW.name, settings, Some(Sets::default()))),
};

/// Values counted exactly.
const EXACT: usize = 16;

/// Registers of a sketch.
const REGISTERS: usize = 256;

/// Sketches of a lane: 256 KiB. An entity that finds none left stays at 16.
const SKETCHES: usize = 1024;

/// The set of one entity's values in one bucket: 72 bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Set {
    values: [u32; EXACT],
    /// How many there are, by the sketch once there is one.
    count: u32,
    /// The sketch's number, from 1; 0 = none.
    sketch: u32,
}

/// The sets of a lane's entities, place by place of their table.
#[derive(Clone, Debug, Default)]
pub(super) struct Sets {
    places: Vec<Set>,
    sketches: Vec<Vec<u8>>,
    free: Vec<u32>,
}

/// What [`Sets::save`] writes.
pub(super) type SavedSets = (Vec<SavedSet>, Vec<Vec<u8>>, Vec<u32>);

/// One entity's set as saved.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedSet(Set);

impl Sets {
    /// Takes in a value and says how many there are now; never fewer than before.
    pub(super) fn add(&mut self, at: usize, value: u32) -> u32 {
        if at >= self.places.len() {
            self.places.resize(at + 1, Set::default());
        }
        let Some(set) = self.places.get_mut(at) else {
            return 0;
        };
        if set.sketch == 0 {
            let count = usize::try_from(set.count).unwrap_or(EXACT);
            let known = set.values.iter().take(count).any(|&old| old == value);
            if known {
                return set.count;
            }
            if let Some(place) = set.values.get_mut(count) {
                *place = value;
                set.count += 1;
                return set.count;
            }
            let Some(sketch) = take_sketch(&mut self.sketches, &mut self.free) else {
                return set.count;
            };
            set.sketch = sketch;
            if let Some(registers) = sketch_mut(&mut self.sketches, sketch) {
                for &value in &set.values {
                    note(registers, value);
                }
            }
        }
        if let Some(registers) = sketch_mut(&mut self.sketches, set.sketch)
            && note(registers, value)
        {
            set.count = set.count.max(estimate(registers));
        }
        set.count
    }

    /// Empties an entity's set.
    pub(super) fn clear(&mut self, at: usize) {
        let Some(set) = self.places.get_mut(at) else {
            return;
        };
        set.count = 0;
        if set.sketch > 0 {
            if let Some(registers) = sketch_mut(&mut self.sketches, set.sketch) {
                registers.fill(0);
            }
            self.free.push(set.sketch);
            set.sketch = 0;
        }
    }

    /// Takes an entity's set out of a table of so many; the last one moves into
    /// its place, as there.
    pub(super) fn remove(&mut self, at: usize, entities: usize) {
        self.clear(at);
        // Entities without a value yet have no set at the end of the list.
        if self.places.len() == entities && at < entities {
            self.places.swap_remove(at);
        }
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<Set>()
            + self.sketches.len() * (REGISTERS + size_of::<Vec<u8>>())
            + self.free.capacity() * size_of::<u32>()
    }

    pub(super) fn save(&self) -> SavedSets {
        let sets = self.places.iter().cloned().map(SavedSet).collect();
        (sets, self.sketches.clone(), self.free.clone())
    }

    /// Restores what was saved; `Err` when sketches are not what sets say.
    pub(super) fn load((sets, sketches, free): SavedSets) -> Result<Sets, String> {
        let sets: Vec<Set> = sets.into_iter().map(|set| set.0).collect();
        let mut named: Vec<u32> = sets
            .iter()
            .map(|set| set.sketch)
            .filter(|&n| n > 0)
            .collect();
        named.extend(&free);
        named.sort_unstable();
        let each_once = named.iter().copied().eq((1..).take(sketches.len()));
        if !each_once || sketches.iter().any(|sketch| sketch.len() != REGISTERS) {
            return Err("sets and sketches do not match".to_owned());
        }
        Ok(Sets {
            places: sets,
            sketches,
            free,
        })
    }
}

fn take_sketch(sketches: &mut Vec<Vec<u8>>, free: &mut Vec<u32>) -> Option<u32> {
    if let Some(sketch) = free.pop() {
        return Some(sketch);
    }
    if sketches.len() >= SKETCHES {
        return None;
    }
    sketches.push(vec![0; REGISTERS]);
    u32::try_from(sketches.len()).ok()
}

fn sketch_mut(sketches: &mut [Vec<u8>], sketch: u32) -> Option<&mut Vec<u8>> {
    sketches.get_mut(usize::try_from(sketch).ok()?.checked_sub(1)?)
}

/// Notes a value; whether it changed anything.
fn note(registers: &mut [u8], value: u32) -> bool {
    let at = value as usize % REGISTERS;
    // 24 bits are left to rank by; the guard bit keeps the rank within 25.
    let rank = ((value >> 8) | 1 << 24).trailing_zeros() + 1;
    let rank = u8::try_from(rank).unwrap_or(u8::MAX);
    match registers.get_mut(at) {
        Some(register) if *register < rank => {
            *register = rank;
            true
        }
        _ => false,
    }
}

/// How many distinct values the registers have seen: linear counting while it
/// is the better of the two, then the harmonic mean.
fn estimate(registers: &[u8]) -> u32 {
    const M: f64 = 256.0;
    let (mut sum, mut empty) = (0.0, 0);
    for &register in registers {
        sum += 1.0 / f64::from(1_u32 << register.min(31));
        empty += u32::from(register == 0);
    }
    let raw = 0.7213 / (1.0 + 1.079 / M) * M * M / sum;
    let value = if raw <= 2.5 * M && empty > 0 {
        M * (M / f64::from(empty)).log_e()
    } else {
        raw
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and `as` saturates"
    )]
    let count = value.round() as u32;
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spread as a keyed hash is.
    fn value(n: u32) -> u32 {
        let n = (n ^ (n >> 16)).wrapping_mul(0x7feb_352d);
        (n ^ (n >> 15)).wrapping_mul(0x846c_a68b) ^ (n >> 16)
    }

    #[test]
    fn up_to_sixteen_values_are_counted_exactly_and_repeats_are_not() {
        let mut sets = Sets::default();
        for n in 0..16 {
            assert_eq!(sets.add(3, value(n)), n + 1);
            assert_eq!(sets.add(3, value(n / 2)), n + 1);
        }
        assert!(sets.sketches.is_empty());
    }

    #[test]
    fn many_values_are_counted_within_a_fifth() {
        let mut sets = Sets::default();
        let mut before = 0;
        for n in 0..100_000 {
            let count = sets.add(0, value(n));
            assert!(count >= before, "never fewer");
            before = count;
            if [17, 50, 300, 700, 2000, 20_000, 99_999].contains(&n) {
                let off = f64::from(count) / f64::from(n + 1);
                // Three standard errors of 6.5 %.
                assert!((0.8..1.2).contains(&off), "{n}: {count}");
            }
        }
    }

    #[test]
    fn sketches_are_given_back_and_their_number_is_bounded() {
        let mut sets = Sets::default();
        for at in 0..2000 {
            for n in 0..40 {
                sets.add(at, value(n));
            }
        }
        assert_eq!(sets.sketches.len(), SKETCHES);
        assert_eq!(sets.add(1999, value(99)), 16);
        sets.clear(0);
        assert_eq!(sets.add(0, value(5)), 1);
        assert!(sets.add(1999, value(99)) > 16);
        assert_eq!(sets.sketches.len(), SKETCHES);
    }

    #[test]
    fn saved_sets_that_share_a_sketch_are_refused() {
        let mut sets = Sets::default();
        for n in 0..40 {
            sets.add(0, value(n));
            sets.add(1, value(n));
        }
        assert!(Sets::load(sets.save()).is_ok());
        sets.places[1].sketch = 1;
        assert!(Sets::load(sets.save()).is_err());
    }
}
