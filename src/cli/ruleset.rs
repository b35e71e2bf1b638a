//! `tipstaff rules`: the rules that are on, and what they cost.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use super::exit::{Exit, Failure};
use super::lists::Lists;
use super::terminal::Terminal;
use super::{plural, rules};
use crate::detector::{Detector, Options as Detecting};
use crate::escape::shortened;
use crate::rule::LoadOptions;
use crate::sink::level_word;

/// List the rules that are on, and what memory they may take
///
/// With `--cost` each rule that keeps state is filled with made-up entities
/// until it takes no more, and what that takes is shown: what one entity costs,
/// how many are kept at most, and the memory of all of them. No log can make a
/// rule take more; `max-entities` under `learn:` makes a baseline take less.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Files and folders of rules [default: as `replay --rules`]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Also rules whose status is experimental
    #[arg(long)]
    experimental: bool,

    #[command(flatten)]
    lists: Lists,

    /// Show what memory each may take instead of what it is
    #[arg(long)]
    cost: bool,
}

/// Runs the command.
pub(super) fn run(options: &Options, terminal: Terminal) -> Result<Exit, Failure> {
    let found = rules::find(&options.paths)?;
    let load_options = LoadOptions {
        experimental: options.experimental,
        ..rules::load_options_with(&options.lists)?
    };
    let loaded = rules::load_with(&found, &load_options, terminal)?;
    let detector = rules::compile_or_tell(&loaded.rules, Detecting::default(), terminal)?;
    let text = if options.cost {
        costs(&detector)
    } else {
        list(&detector)
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Success)
}

/// The rules that alert, the most urgent first.
fn list(detector: &Detector) -> String {
    let mut all: Vec<_> = detector.alerting().collect();
    all.sort_by(|a, b| b.level.cmp(&a.level).then(a.title.cmp(&b.title)));
    let mut out = String::new();
    for info in &all {
        let title = shortened(info.title.as_bytes(), 46);
        let level = level_word(info.level);
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{title:<46} {level:<13} {}", info.kind);
    }
    let _ = writeln!(out, "\n{} that raise alerts", plural(all.len(), "rule"));
    out
}

/// The rules that keep state, the most expensive first.
fn costs(detector: &Detector) -> String {
    let mut all: Vec<_> = detector.costs().collect();
    all.sort_by(|a, b| b.most.cmp(&a.most).then(a.info.title.cmp(&b.info.title)));
    let mut out = format!(
        "{:<46} {:>8} {:>12} {:>10}\n",
        "", "B each", "entities", "at most"
    );
    for cost in &all {
        let title = shortened(cost.info.title.as_bytes(), 46);
        let _ = writeln!(
            out,
            "{title:<46} {:>8} {:>12} {:>10}",
            cost.each,
            cost.entities,
            size(cost.most)
        );
    }
    let sum = all.iter().map(|cost| cost.most).sum();
    let rules = plural(all.len(), "rule");
    let _ = writeln!(
        out,
        "\n{rules} that keep state, {} at most in all",
        size(sum)
    );
    out
}

/// `512 kB`, `1.2 GB`.
fn size(bytes: usize) -> String {
    let kilobytes = bytes.div_ceil(1000);
    match kilobytes {
        0..10_000 => format!("{kilobytes} kB"),
        10_000..10_000_000 => format!("{} MB", kilobytes.div_ceil(1000)),
        _ => {
            let tenths = kilobytes.div_ceil(100_000);
            format!("{}.{} GB", tenths / 10, tenths % 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short_and_never_too_small() {
        for (bytes, shown) in [
            (0, "0 kB"),
            (1001, "2 kB"),
            (9_999_000, "9999 kB"),
            (10_000_001, "11 MB"),
            (12_345_678_900, "12.4 GB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }
}
