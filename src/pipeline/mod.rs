//! Wires source to sink, and alone starts threads.
//!
//! The same code runs over files and live: batches of lines are parsed and
//! matched by workers, their times judged in sequence order, and their
//! observations taken by lanes that own all state. Only where batches come
//! from and where alerts go differs.

mod batch;
mod drift;
mod engine;
mod ledger;
mod live;
mod logs;
mod outlet;
mod reader;
mod reading;
mod replay;
mod sequencer;
mod shard;
mod state;
mod worker;

pub use live::{Live, LiveOptions};
pub use outlet::{Outlet, Outlets};
pub use reading::{Reading, Readings, Start, date, format, logsource, zone};
pub use replay::{
    FormatCount, Progress, ReplayOptions, RuleCount, Summary, replay, replay_to_state,
};
pub use state::State;

/// What Sigma calls the logs that each format reads, for the detector.
pub fn classes() -> Vec<&'static [crate::event::LogSource]> {
    crate::format::FORMATS
        .iter()
        .map(|f| f.logsources)
        .collect()
}
