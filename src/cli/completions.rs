//! `tipstaff completions`: made from the command line itself.

use std::io::{self, Write};

use clap_complete::Shell;

use super::exit::{Exit, Failure};

/// Print completions for a shell
///
/// Put what it prints where the shell looks for completions, for example:
/// `tipstaff completions bash > /etc/bash_completion.d/tipstaff`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the command.
pub(super) fn run(options: &Options) -> Result<Exit, Failure> {
    // Into memory first: the generator panics when it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(
        options.shell,
        &mut super::command(),
        "tipstaff",
        &mut script,
    );
    let mut out = io::stdout().lock();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Exit::Success)
}
