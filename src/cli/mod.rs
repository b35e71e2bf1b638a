//! The command line: one file per command. Alone prints to the terminal.
//!
//! Results go to standard output, everything about the run to standard error,
//! so that output can be piped. A command returns its [`Exit`] or a failure
//! that says what to do; a reader that leaves early (`| head`) is no failure.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::{CommandFactory, Parser, Subcommand};

use exit::Failure;
use terminal::{Color, Terminal};

mod baseline;
mod check;
mod completions;
mod enrich;
mod entity;
mod exit;
mod explain;
mod fields;
mod findings;
mod formats;
mod held;
mod input;
mod learnt;
mod lists;
mod man;
mod matches;
mod new;
mod parse;
mod progress;
mod replay;
mod rules;
mod ruleset;
mod run;
mod sequence;
mod summary;
mod terminal;
mod test;
mod tune;
mod unit;
mod unknown;

pub use exit::Exit;

/// Watches auth and network logs, learns what is normal, and says in one sentence what is not
///
/// tipstaff reads logs of logins, services, firewalls, the network, the audit
/// system and the cloud (`tipstaff formats` lists them), keeps a picture of
/// what is normal for each user, address and host, and raises an alert when
/// rules match or when activity is out of the ordinary. Rules are Sigma's, and
/// baselines in the same form.
///
/// Begin with `tipstaff replay FOLDER`: it reads old logs and shows what
/// would have been raised.
#[derive(Debug, Parser)]
#[command(name = "tipstaff", version, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_long_help = exit::HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// When to use colours
    ///
    /// `auto` uses them on a terminal, unless the environment variable
    /// NO_COLOR is set. The words say the same without colours.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto"
    )]
    color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::Options),
    Run(run::Options),
    Tune(tune::Options),
    Entity(entity::Options),
    Baseline(baseline::Options),
    Parse(parse::Options),
    Match(matches::Options),
    Rules(ruleset::Options),
    Check(check::Options),
    Test(test::Options),
    New(new::Options),
    Formats(formats::Options),
    Fields(fields::Options),
    Unit(unit::Options),
    Completions(completions::Options),
    Man(man::Options),
}

/// Runs one command and tells what went wrong, if anything did.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Also --help and --version; a reader that left misses nothing.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Success
            };
        }
    };
    let terminal = Terminal::new(arguments.color);
    match dispatch(arguments.command, terminal) {
        Ok(exit) => exit,
        Err(Failure::ReaderLeft) => Exit::Success,
        Err(failure) => {
            let exit = match &failure {
                Failure::Told { exit, .. } => *exit,
                Failure::ReaderLeft => Exit::Success,
            };
            // Nobody is left to be told when standard error is gone too.
            let _ = writeln!(io::stderr(), "tipstaff: {failure}");
            exit
        }
    }
}

fn dispatch(command: Command, terminal: Terminal) -> Result<Exit, Failure> {
    match command {
        Command::Replay(options) => replay::run(&options, terminal),
        Command::Run(options) => run::run(&options, terminal),
        Command::Tune(options) => tune::run(&options, terminal),
        Command::Entity(options) => entity::run(&options, terminal),
        Command::Baseline(options) => baseline::run(&options, terminal),
        Command::Parse(options) => parse::run(&options),
        Command::Match(options) => matches::run(&options, terminal),
        Command::Rules(options) => ruleset::run(&options, terminal),
        Command::Check(options) => check::run(&options, terminal),
        Command::Test(options) => test::run(&options, terminal),
        Command::New(options) => new::run(&options),
        Command::Formats(options) => formats::run(&options, terminal),
        Command::Fields(options) => fields::run(&options, terminal),
        Command::Unit(options) => unit::run(&options),
        Command::Completions(options) => completions::run(&options),
        Command::Man(options) => man::run(&options),
    }
}

/// The whole command line, for completions and manual pages.
fn command() -> clap::Command {
    Arguments::command()
}

/// `1 rule`, `2 rules`.
fn plural(n: usize, what: &str) -> String {
    let many = if n == 1 { "" } else { "s" };
    format!("{n} {what}{many}")
}

/// Columns for prose on a stream.
fn columns(style: crate::sink::Style) -> usize {
    style.width.unwrap_or(80).clamp(40, 120)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_option_has_a_line_for_h_and_every_command_a_paragraph_for_help() {
        for sub in command().get_subcommands() {
            let name = sub.get_name();
            assert!(sub.get_about().is_some(), "{name} says nothing");
            assert!(sub.get_long_about().is_some(), "{name} has no paragraph");
            for arg in sub.get_arguments() {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.is_empty(), "{name} {arg} says nothing");
                assert!(!help.ends_with('.'), "{name} {arg}: one line, no full stop");
            }
        }
    }
}
