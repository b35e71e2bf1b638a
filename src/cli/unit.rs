//! `tipstaff unit`: the systemd unit.

use std::io::{self, Write};

use super::exit::{Exit, Failure};

/// Kept as a file of its own, so that systemd's own tools can check it.
const UNIT: &str = include_str!("tipstaff.service");

/// Print the systemd unit of the service
///
/// The unit runs `tipstaff run` as the user tipstaff without any privilege and
/// without network (`systemd-analyze security` gives it 0.2). Its first lines
/// say how to install it.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

/// Runs the command.
pub(super) fn run(_options: &Options) -> Result<Exit, Failure> {
    io::stdout().write_all(UNIT.as_bytes())?;
    Ok(Exit::Success)
}
