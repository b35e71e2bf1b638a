//! What a worker reuses from event to event, so that nothing is allocated.

use regex_automata::meta::Cache;

use super::index::Marks;
use super::observation::Stretch;

/// A worker's buffers. Make one per worker with `Detector::scratch`.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) marks: Marks,
    pub(crate) folded: Vec<u8>,
    /// Predicates found wanting in the text at hand.
    pub(crate) failed: Vec<u32>,
    pub(crate) caches: Vec<Cache>,
    /// Per rule of the class at hand, the last event that made it a candidate.
    pub(crate) stamps: Vec<u32>,
    pub(crate) epoch: u32,
    /// Rules that the event at hand meets.
    pub(crate) matched: Vec<u32>,
    /// Keys of the event at hand, one per distinct `group-by`.
    pub(crate) keys: Vec<Key>,
}

/// A key once it is built: where its bytes stand, its hash, and its lane.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Key {
    /// The event it was built for; 0 for none.
    pub(crate) epoch: u32,
    /// Whether the event has every field of it.
    pub(crate) present: bool,
    pub(crate) hash: u64,
    pub(crate) lane: u8,
    pub(crate) text: Stretch,
}

impl Key {
    /// What stands for the value of a rule that looks at none.
    pub(crate) const NONE: Key = Key {
        epoch: 0,
        present: true,
        hash: 0,
        lane: 0,
        text: Stretch::EMPTY,
    };
}
