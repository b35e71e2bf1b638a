//! tipstaff watches auth and network logs, learns what is normal for each
//! user, address and host, and says in one sentence what is not.
//!
//! # The flow
//!
//! ```text
//! source → line → event → detector → alert → sink
//! bytes    framed   parsed   rules +     explained,   delivered
//!          located  typed    baselines   deduplicated
//! ```
//!
//! A **source** cuts files, archives and rotated sets into blocks of whole
//! [lines](mod@line). A **format** makes an [`event`] of a line: when, what
//! class of log, and typed fields borrowed from the line; where rules ask for
//! it, the site's own tables [add](mod@enrich) network, country and team. The **detector**
//! matches the [rules](mod@rule) of that class in one walk over the event, and
//! turns matches into observations; lanes own all state, take observations in
//! sequence order, count, correlate and compare with [baselines](mod@baseline),
//! and raise [alerts](mod@alert) that carry the numbers and the lines behind them.
//! **Sinks** write those for people or programs. The same code runs live
//! (`run`), over files (`replay`) and under candidate settings (`tune`).
//!
//! # Map
//!
//! | folder | what it is | adding one |
//! |---|---|---|
//! | [`source`] | where bytes come from | a file and its row in `SOURCES`; compression in `CODECS`, what holds several events in `CONTAINERS` |
//! | [`format`](mod@format) | one file per program or log; sentences are written as the program prints them (`format/template`) | a file and its row in `FORMATS` |
//! | [`enrich`](mod@enrich) | the site's tables of networks, users, hosts and holidays | |
//! | [`rule`] | YAML to checked rules | |
//! | [`baseline`] | one file per statistic | a file and its row in `STATISTICS` |
//! | [`detector`] | one file per kind of rule | a file and its row in `KINDS` |
//! | [`sink`] | one file per destination or encoding | a file and its row in `SINKS` |
//! | [`pipeline`] | wires them; alone starts threads | |
//!
//! # What always holds, and the test that says so
//!
//! - A format never fails and never panics; malformed lines are counted and
//!   rules can match them (`tests/formats.rs`).
//! - A field that an attacker can write never moves one that he cannot
//!   (`tests/injection.rs`).
//! - Nothing in format, baseline or detector asks the time or does I/O
//!   (`tests/tidy.rs`, clippy).
//! - The hot path allocates nothing per line after warm-up and takes no lock
//!   (`tests/hot_path.rs`).
//! - Every queue, table, line and window has a size (`tests/limits.rs`).
//! - One thread, N threads, one file, two halves, replay and live raise the
//!   same alerts with the same ids (`tests/agree.rs`, `tests/servers.rs`).
//! - No stage names its neighbour; [`pipeline`] alone knows them
//!   (`tests/tidy.rs`).
//! - What is on disk has a magic, a version and a checksum ([`durable`]).
//! - Log text reaches a terminal only through [`escape`].

// words every stage shares
pub mod clock;
pub mod durable;
pub mod entity;
pub mod escape;
pub mod event;
pub mod field;
pub mod holidays;
pub mod line;
pub mod metrics;
pub mod sync;
pub mod time;

// bytes in
pub mod source;

// lines become events
pub mod format;

// what the site knows of whom events name
pub mod enrich;

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
