//! Atomics and locks. Alone names them, so that they are found in one place.
//!
//! The hot path takes none: its state is owned by one thread each, and blocks
//! travel over channels.

pub use std::sync::Arc;
pub use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
