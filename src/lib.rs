//! tipstaff watches auth and network logs, learns what is normal for each
//! user, address and host, and says in one sentence what is not.

// words every stage shares
pub mod clock;
pub mod durable;
pub mod entity;
pub mod escape;
pub mod event;
pub mod field;
pub mod line;
pub mod metrics;
pub mod sync;
pub mod time;

// bytes in
pub mod source;

// lines become events
pub mod format;

// what to look for
pub mod rule;

// what is normal
pub mod baseline;

// events become alerts
pub mod alert;
pub mod detector;

// what outlives the process
pub mod store;

// alerts out
pub mod sink;

// the whole
pub mod cli;
pub mod config;
pub mod pipeline;
pub mod service;
pub mod tune;
