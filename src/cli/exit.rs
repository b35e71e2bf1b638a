//! Exit codes, and errors that say what to do.

use std::fmt;
use std::io;
use std::process::ExitCode;

/// How the program ends. Scripts rely on the numbers: they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; whether there were alerts makes no difference.
    Success = 0,
    /// `check --strict` found something to mend that is not an error, or a
    /// rule's own test did not hold.
    Findings = 1,
    /// The command line was not understood.
    Usage = 2,
    /// The rules cannot be loaded; no log was read.
    Rules = 3,
    /// Nothing could be read: no such file, no permission, no logs in a folder.
    NoInput = 4,
    /// Some input could not be read or was damaged; the rest was processed.
    PartInput = 5,
    /// The output could not be written, or something else outside of tipstaff failed.
    Failed = 6,
    /// The service's configuration cannot be used.
    Config = 7,
    /// The state folder cannot be used: not writable, in use, or a newer version's.
    State = 8,
}

/// The same, for `--help`.
pub(super) const HELP: &str = "\
Exit codes:
  0  done (with or without alerts)
  1  `check --strict` found warnings, or a rule did not pass `test`
  2  the command line was not understood
  3  the rules cannot be loaded; no log was read
  4  no input could be read
  5  some input could not be read or was damaged; the rest was processed
  6  the output could not be written, or another failure outside tipstaff
  7  the configuration of the service cannot be used
  8  the state folder cannot be used";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command stopped.
#[derive(Debug)]
pub(super) enum Failure {
    /// Who read our output has left (`| head`): nobody is missing anything.
    ReaderLeft,
    /// Something to be told.
    Told {
        /// The exit code.
        exit: Exit,
        /// What went wrong, with its causes, in one line.
        what: String,
        /// What to do about it.
        remedy: String,
    },
}

impl Failure {
    /// A failure with its remedy.
    pub(super) fn new(exit: Exit, what: impl Into<String>, remedy: impl Into<String>) -> Failure {
        Failure::Told {
            exit,
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// A failure whose own words say what to do.
    pub(super) fn plain(exit: Exit, what: &dyn fmt::Display) -> Failure {
        // `{:#}`: an error of several causes shows them all, in one line.
        Failure::new(exit, format!("{what:#}"), "")
    }
}

/// Errors of writing our own output; errors of reading have their path and remedy.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::ReaderLeft;
        }
        let what = format!("cannot write the output: {error}");
        Failure::new(Exit::Failed, what, "see whether the disk is full")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::ReaderLeft => f.write_str("the reader of the output left"),
            Failure::Told { what, remedy, .. } if remedy.is_empty() => f.write_str(what),
            Failure::Told { what, remedy, .. } => write!(f, "{what}; {remedy}"),
        }
    }
}
