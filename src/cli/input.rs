//! Lines of named logs, one after the other, for commands that look at each
//! line by itself.

use std::ffi::OsString;
use std::io::{self, Write};

use super::exit::{Exit, Failure};
use crate::escape::Escaped;
use crate::format;
use crate::line::{Line, Place, SourceId};
use crate::source::{Block, Input, Limits, Problem, discover};

/// How reading went.
#[derive(Debug, Default)]
pub(super) struct Tally {
    lines: u64,
    problems: u64,
}

impl Tally {
    /// Tells of input that could not be read, on standard error.
    pub(super) fn problem(&mut self, what: &str) {
        self.problems += 1;
        let what = Escaped(what.as_bytes());
        // When standard error is gone, the exit code still tells.
        let _ = writeln!(io::stderr(), "tipstaff: {what}");
    }

    /// The exit code that says whether all, some or nothing could be read.
    pub(super) fn exit(&self) -> Exit {
        match (self.problems, self.lines) {
            (0, _) => Exit::Success,
            (_, 0) => Exit::NoInput,
            _ => Exit::PartInput,
        }
    }
}

/// Calls `each` with every line of every log that `paths` name, the oldest
/// file of a log first; lines that are one event come together. `begin` makes what is kept from line to line in one
/// file. A file that cannot be read is told of and does not hide the others.
pub(super) fn each_line<T>(
    paths: &[OsString],
    tally: &mut Tally,
    begin: &mut dyn FnMut(&Input) -> T,
    each: &mut dyn FnMut(&mut T, &Line<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let found = discover(paths);
    for problem in &found.problems {
        tally.problem(&problem.to_string());
    }
    let limits = Limits {
        whole: format::whole,
        ..Limits::default()
    };
    let inputs = found.sets.iter().flat_map(|set| &set.inputs);
    for (input, number) in inputs.zip(0..) {
        let mut kept = begin(input);
        let lines = &mut tally.lines;
        let mut counted = |line: &Line<'_>| {
            *lines += 1;
            each(&mut kept, line)
        };
        match read(input, SourceId(number), &limits, &mut counted) {
            Ok(()) => {}
            Err(Stop::Problem(problem)) => tally.problem(&problem.to_string()),
            Err(Stop::Failure(failure)) => return Err(failure),
        }
    }
    Ok(())
}

/// Why the lines of one file ended before the file did.
enum Stop {
    Problem(Problem),
    Failure(Failure),
}

fn read(
    input: &Input,
    number: SourceId,
    limits: &Limits,
    each: &mut dyn FnMut(&Line<'_>) -> Result<(), Failure>,
) -> Result<(), Stop> {
    let mut framer = input.frame(number, limits).map_err(Stop::Problem)?;
    let mut block = Block::default();
    while framer.next(&mut block).map_err(Stop::Problem)? {
        let (mut start, mut number) = (0, block.first_line);
        while let Some(rest) = block.bytes.get(start..).filter(|rest| !rest.is_empty()) {
            let (end, lines) = format::extent(rest);
            let line = Line {
                bytes: rest.get(..end).unwrap_or_default(),
                place: Place {
                    source: block.source,
                    offset: block.offset + start as u64,
                    number,
                },
                truncated: block.truncated_last && end == rest.len(),
            };
            each(&line).map_err(Stop::Failure)?;
            start += end + 1;
            number += u64::from(lines);
        }
    }
    Ok(())
}
