//! `tipstaff formats`: what can be read, printed from the table.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::columns;
use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::event::LogSource;
use crate::format::{FORMATS, Format};
use crate::sink::wrap;

/// List the log formats that tipstaff reads
///
/// Prints each format with the programs it answers to, what Sigma's
/// `logsource` calls its logs, and a line that it reads. The names are those
/// that `--format` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Only this format
    #[arg(value_name = "FORMAT", value_parser = names())]
    format: Option<String>,
}

/// The values that `--format` takes.
pub(super) fn names() -> clap::builder::PossibleValuesParser {
    let name = |format: &&Format| clap::builder::PossibleValue::new(format.name).help(format.about);
    clap::builder::PossibleValuesParser::new(FORMATS.iter().map(name))
}

/// The row in [`FORMATS`] of a name that [`names`] let through.
pub(super) fn row(name: Option<&str>) -> Option<u8> {
    let name = name?;
    let at = FORMATS.iter().position(|format| format.name == name)?;
    u8::try_from(at).ok()
}

/// Runs the command.
pub(super) fn run(options: &Options, terminal: Terminal) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    let width = columns(terminal.out);
    let wanted = |format: &&&Format| {
        let name = options.format.as_deref();
        name.is_none_or(|name| name == format.name)
    };
    for format in FORMATS.iter().filter(wanted) {
        out.write_all(describe(format, width).as_bytes())?;
    }
    out.flush()?;
    Ok(Exit::Success)
}

/// A format's paragraph.
fn describe(format: &Format, width: usize) -> String {
    let mut text = format!("{}\n", format.name);
    let mut say = |label: &str, words: &str| {
        let mut label = label;
        for row in wrap(words, width - 14, 0) {
            let _ = writeln!(text, "  {label:<12}{row}");
            label = "";
        }
    };
    say("what", format.about);
    if !format.programs.is_empty() {
        say("programs", &format.programs.join(", "));
    }
    for source in format.logsources {
        say("logsource", &logsource(source));
    }
    say("example", format.example);
    text.push('\n');
    text
}

/// `product linux, service sshd auth syslog`.
fn logsource(source: &LogSource) -> String {
    let product = (!source.product.is_empty()).then(|| format!("product {}", source.product));
    let words = |what: &str, names: &[&str]| {
        (!names.is_empty()).then(|| format!("{what} {}", names.join("|")))
    };
    let parts = [
        product,
        words("category", source.categories),
        words("service", source.services),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
