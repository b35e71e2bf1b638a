//! All that a run has come to, as it outlives the process.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::logs::Kept;
use super::sequencer::Sequencer;
use crate::detector::{Detector, HeldBack, LANES, Lane};
use crate::source::Saved;
use crate::store::{Store, StoreError};
use crate::time::Time;

/// What is in a state folder.
#[derive(Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) positions: Vec<Saved>,
    /// By stream number.
    pub(super) logs: Vec<Kept>,
    pub(super) sequencer: Sequencer,
    /// By lane number.
    pub(super) lanes: Vec<Vec<u8>>,
    /// Length of the alerts' file: what stands after it was raised by lines
    /// that a start from here reads again.
    pub(super) delivered: u64,
}

/// What a run or a replay has learnt, at rest.
pub struct State {
    positions: Vec<Saved>,
    logs: Vec<Kept>,
    sequencer: Sequencer,
    /// All lanes, by number.
    lanes: Vec<Lane>,
    delivered: u64,
    /// Lanes that were saved and could not be read.
    lost: Vec<String>,
    /// Rules whose state was saved and that are not among the detector's.
    foreign: usize,
}

impl State {
    /// Of a replay that is done: its lanes by number, the logs' time, and how
    /// far each log was read.
    pub(super) fn new(
        lanes: BTreeMap<usize, Lane>,
        sequencer: Sequencer,
        logs: Vec<Kept>,
        positions: Vec<Saved>,
    ) -> State {
        State {
            positions,
            logs,
            sequencer,
            lanes: lanes.into_values().collect(),
            delivered: 0,
            lost: Vec::new(),
            foreign: 0,
        }
    }

    /// Reads a state folder, which may be in use. `None` when there is no state
    /// in it. Rules that were changed since start empty.
    pub fn read(folder: &Path, detector: &Detector) -> Result<Option<State>, StoreError> {
        Ok(State::taken(Store::peek(folder)?.state, detector))
    }

    /// Reads the state of a folder that is ours.
    pub fn restore(store: &Store, detector: &Detector) -> Result<Option<State>, StoreError> {
        Ok(State::taken(store.restore()?.state, detector))
    }

    fn taken(snapshot: Option<Snapshot>, detector: &Detector) -> Option<State> {
        let snapshot = snapshot?;
        let mut lost = Vec::new();
        let lanes = (0..LANES).map(|number| {
            let bytes = snapshot.lanes.get(number).map_or(&[][..], Vec::as_slice);
            Lane::load(detector, bytes).unwrap_or_else(|what| {
                lost.push(format!("lane {number} cannot be read: {what}"));
                Lane::new(detector)
            })
        });
        let lanes = lanes.collect();
        let first = snapshot.lanes.first().map_or(&[][..], Vec::as_slice);
        Some(State {
            foreign: Lane::foreign(detector, first).unwrap_or(0),
            lanes,
            positions: snapshot.positions,
            logs: snapshot.logs,
            sequencer: snapshot.sequencer,
            delivered: snapshot.delivered,
            lost,
        })
    }

    /// The lanes, which hold what was learnt.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// The same to change.
    pub fn lanes_mut(&mut self) -> &mut [Lane] {
        &mut self.lanes
    }

    /// What was odd and raised no alert, the oddest first, as far as it is
    /// kept; and whether there was more of it.
    pub fn held_back(&self, detector: &Detector) -> (Vec<HeldBack>, bool) {
        let lanes = self.lanes.iter().map(|lane| lane.held_back(detector));
        let (mut all, mut more) = (Vec::new(), false);
        for (held, other) in lanes {
            all.extend(held);
            more |= other;
        }
        HeldBack::sort(&mut all);
        (all, more)
    }

    /// What could not be read of it, to be said aloud.
    pub fn lost(&self) -> &[String] {
        &self.lost
    }

    /// Rules whose state is there, but that the detector does not have: theirs
    /// is lost when this is saved.
    pub fn foreign(&self) -> usize {
        self.foreign
    }

    /// The newest time of the logs.
    pub fn now(&self) -> Time {
        self.sequencer.now()
    }

    /// Writes it for a service to start from.
    pub fn save(self, store: &Store, detector: &Detector) -> io::Result<()> {
        store.save(&Snapshot {
            lanes: self.lanes.iter().map(|lane| lane.save(detector)).collect(),
            positions: self.positions,
            logs: self.logs,
            sequencer: self.sequencer,
            delivered: self.delivered,
        })
    }
}
