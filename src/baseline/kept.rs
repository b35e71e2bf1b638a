//! Whom a statistic keeps something of: its table, its nursery, and what
//! stands beside them.

use super::flow::Crowd;
use super::table::{Nursery, Table};

/// A table of any state, as far as it is counted.
trait Known {
    fn keys(&self) -> Vec<u64>;
    fn bytes(&self) -> usize;
    /// How many are known, and how many there is room for.
    fn filled(&self) -> (usize, usize);
}

impl<S: Clone> Known for Table<S> {
    fn keys(&self) -> Vec<u64> {
        Table::keys(self).collect()
    }

    fn bytes(&self) -> usize {
        Table::bytes(self)
    }

    fn filled(&self) -> (usize, usize) {
        (self.len(), self.capacity())
    }
}

/// The entities of one rule in one lane.
pub struct Kept<'a> {
    known: &'a dyn Known,
    newcomers: &'a Nursery,
    beside: usize,
}

impl<'a> Kept<'a> {
    /// Those of a table and of the nursery that they come from, with so many
    /// bytes beside.
    pub(super) fn new<S: Clone>(
        known: &'a Table<S>,
        newcomers: &'a Nursery,
        beside: usize,
    ) -> Kept<'a> {
        Kept {
            known,
            newcomers,
            beside,
        }
    }

    /// The same with more bytes beside.
    pub(super) fn and(self, bytes: usize) -> Kept<'a> {
        Kept {
            beside: self.beside + bytes,
            ..self
        }
    }

    pub(super) fn keys(&self) -> Vec<u64> {
        let mut keys = self.known.keys();
        keys.extend(self.newcomers.keys());
        keys
    }

    pub(super) fn crowd(&self) -> Crowd {
        self.newcomers.crowd(self.known.filled())
    }

    /// How many, and about how many bytes they take.
    pub(super) fn size(&self) -> (usize, usize) {
        let (known, _) = self.known.filled();
        (
            known + self.newcomers.len(),
            self.known.bytes() + self.newcomers.bytes() + self.beside,
        )
    }
}
