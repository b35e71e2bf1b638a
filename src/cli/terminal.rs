//! What we print to: whether it is a terminal, how wide, and with colours or not.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};

use clap::ValueEnum;

use crate::sink::Style;

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Also into files and pipes.
    Always,
    /// Not at all.
    Never,
}

/// The two streams that people may be looking at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Terminal {
    /// Standard output.
    pub(super) out: Style,
    /// Standard error.
    pub(super) err: Style,
}

impl Terminal {
    /// Asks the system about both streams.
    pub(super) fn new(color: Color) -> Terminal {
        let columns = std::env::var("COLUMNS").ok().and_then(|n| n.parse().ok());
        let style = |width: Option<usize>| Style {
            color: colored(color, width.is_some(), |name| std::env::var_os(name)),
            width: width.map(|width| columns.unwrap_or(width)),
        };
        Terminal {
            out: style(width(io::stdout())),
            err: style(width(io::stderr())),
        }
    }
}

/// Columns of a terminal; `None` when it is not one.
fn width(stream: impl IsTerminal + std::os::fd::AsFd) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(stream).ok();
    // A terminal that does not know its size says 0.
    let columns = size.map_or(80, |size| usize::from(size.ws_col));
    Some(if columns == 0 { 80 } else { columns })
}

/// <https://no-color.org>: set and not empty means no colour, unless asked for.
fn colored<T: AsRef<OsStr>>(
    color: Color,
    terminal: bool,
    variable: impl Fn(&str) -> Option<T>,
) -> bool {
    let set = |name| variable(name).is_some_and(|value| !value.as_ref().is_empty());
    let dumb = variable("TERM").is_some_and(|term| term.as_ref() == "dumb");
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && !dumb && !set("NO_COLOR"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_is_obeyed_unless_colour_was_asked_for() {
        let no_color = |name: &str| (name == "NO_COLOR").then_some("1");
        let nothing = |_: &str| None::<&str>;
        assert!(colored(Color::Auto, true, nothing));
        assert!(!colored(Color::Auto, false, nothing));
        assert!(!colored(Color::Auto, true, no_color));
        assert!(colored(Color::Always, false, no_color));
        assert!(!colored(Color::Never, true, nothing));
    }
}
