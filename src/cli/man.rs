//! `tipstaff man`: made from the command line itself.

use std::io::{self, Write};

use super::exit::{Exit, Failure};

/// Print the manual page
///
/// Prints the page of tipstaff, or of one of its commands, as troff:
/// `tipstaff man > tipstaff.1`, or read it with
/// `tipstaff man replay | man -l -`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// A command whose page to print instead
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

/// Runs the command.
pub(super) fn run(options: &Options) -> Result<Exit, Failure> {
    let page = page(options.command.as_deref())?;
    let mut out = io::stdout().lock();
    clap_mangen::Man::new(page).render(&mut out)?;
    out.flush()?;
    Ok(Exit::Success)
}

fn page(name: Option<&str>) -> Result<clap::Command, Failure> {
    let mut whole = super::command();
    whole.build();
    let Some(name) = name else {
        return Ok(whole);
    };
    let found = whole.find_subcommand(name);
    let page = found.ok_or_else(|| {
        let what = format!("there is no command `{name}`");
        Failure::new(Exit::Usage, what, "`tipstaff --help` lists them")
    })?;
    Ok(page.clone())
}
