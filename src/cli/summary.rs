//! What a replay ends with: what was read, what became of it, what went wrong.

use std::fmt::Write as _;

use super::fields::{aligned, plain_table};
use super::held;
use super::progress::{bytes, rate};
use crate::escape::Escaped;
use crate::pipeline::{RuleCount, Summary};
use crate::sink::{count, level_word, wrap};

/// Columns of the labels.
const LABEL: usize = 10;

/// The whole summary, for a terminal of that width.
pub(super) fn render(summary: &Summary, width: usize) -> String {
    let mut text = String::new();
    for (label, words) in facts(summary) {
        let mut label = label;
        for row in wrap(&words, width - LABEL, 0) {
            let _ = writeln!(text, "{label:<LABEL$}{row}");
            label = "";
        }
    }
    let tables = [formats(summary, width), alerts(summary, width)];
    for table in tables.iter().flatten() {
        let _ = writeln!(text, "\n{table}");
    }
    let problems = problems(summary, width);
    if !problems.is_empty() {
        let _ = write!(text, "\n{problems}");
    }
    text
}

/// One line for each thing worth knowing.
fn facts(summary: &Summary) -> Vec<(&'static str, String)> {
    let counts = &summary.counts;
    let seconds = summary.elapsed.as_secs_f64();
    let speed = count(rate(counts.lines, summary.elapsed));
    let read = format!(
        "{}, {} in {seconds:.1} s ({speed} lines/s)",
        several(counts.lines, "line"),
        bytes(counts.bytes),
    );
    let parsed = format!(
        "{}; {} not mine, {} malformed",
        several(counts.events, "event"),
        several(counts.not_mine, "line"),
        count(counts.malformed),
    );
    let mut facts = vec![("read", read), ("parsed", parsed)];
    if let (Some(first), Some(last)) = (summary.first, summary.last) {
        facts.push(("span", format!("{first} to {last} ({})", last.since(first))));
    }
    let size = bytes(summary.state_bytes);
    facts.push((
        "entities",
        format!("{} in {size} of state", count(summary.entities)),
    ));
    let odd = [
        (counts.late, "event", "too late for the window"),
        (counts.future, "event", "stamped too far ahead"),
        (counts.timeless, "event", "without a time"),
        (counts.repeated, "line", "twice in a row"),
        (counts.truncated, "line", "too long or not ended"),
        (counts.nul, "line", "with NUL"),
        (counts.not_utf8, "line", "not UTF-8"),
    ];
    let odd = odd.iter().filter(|(n, ..)| *n > 0);
    let mut odd: Vec<_> = odd
        .map(|(n, what, how)| format!("{} {how}", several(*n, what)))
        .collect();
    if summary.evicted > 0 {
        let evicted = count(summary.evicted);
        odd.push(format!(
            "{evicted} of the entities given up for lack of room"
        ));
    }
    if !odd.is_empty() {
        facts.push(("odd", odd.join(", ")));
    }
    let (raised, updates) = totals(summary);
    let alerts = format!(
        "{} raised, updated {}",
        count(raised),
        several(updates, "time")
    );
    facts.push(("alerts", alerts));
    if let Some(total) = held::total(&summary.held_back, summary.held_more) {
        facts.push((
            "",
            format!("{total} (`replay --held-back FILE` lists them)"),
        ));
    }
    facts
}

fn totals(summary: &Summary) -> (u64, u64) {
    let add = |sum: (u64, u64), row: &RuleCount| (sum.0 + row.alerts, sum.1 + row.updates);
    summary.alerts.iter().fold((0, 0), add)
}

/// What each format made of its lines.
fn formats(summary: &Summary, width: usize) -> Option<String> {
    summary.by_format.first()?;
    let mut table = plain_table(width);
    table.set_header(["format", "events", "not mine", "malformed"]);
    for format in &summary.by_format {
        table.add_row([
            format.name.to_owned(),
            count(format.events),
            count(format.not_mine),
            count(format.malformed),
        ]);
    }
    Some(aligned(&mut table))
}

/// Alerts by rule, in the order of the summary: the most urgent first.
fn alerts(summary: &Summary, width: usize) -> Option<String> {
    summary.alerts.first()?;
    let mut table = plain_table(width);
    table.set_header(["level", "alerts", "updates", "rule"]);
    for rule in &summary.alerts {
        table.add_row([
            level_word(rule.level).to_owned(),
            count(rule.alerts),
            count(rule.updates),
            Escaped(rule.title.as_bytes()).to_string(),
        ]);
    }
    Some(aligned(&mut table))
}

/// What could not be read, and what to do about it.
pub(super) fn problems(summary: &Summary, width: usize) -> String {
    let mut text = String::new();
    for problem in &summary.problems {
        let words = Escaped(problem.to_string().as_bytes()).to_string();
        let rows = wrap(&words, width - 2, 0);
        let _ = writeln!(text, "! {}", rows.join("\n  "));
    }
    text
}

/// `1 line`, `1,584 lines`.
fn several(n: u64, what: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {what}{s}", count(n))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::alert::Level;
    use crate::metrics::Counts;
    use crate::pipeline::FormatCount;
    use crate::source::Problem;
    use crate::time::{Span, Time};

    fn summary() -> Summary {
        let format = |name, events, not_mine, malformed| FormatCount {
            name,
            events,
            not_mine,
            malformed,
        };
        let rule = |title: &str, level, alerts, updates| RuleCount {
            title: title.to_owned(),
            level,
            alerts,
            updates,
        };
        let first = Time::from_secs(1_709_258_760);
        Summary {
            counts: Counts {
                bytes: 98_123_456,
                lines: 1_000_000,
                events: 998_000,
                not_mine: 1_900,
                malformed: 100,
                late: 3,
                ..Counts::default()
            },
            by_format: vec![format("sshd", 998_000, 1_900, 100)],
            entities: 12_034,
            state_bytes: 21_000_000,
            alerts: vec![
                rule("Guessing\u{1b}[2J that worked", Level::High, 2, 1),
                rule("First sudo", Level::Medium, 7, 0),
            ],
            first: Some(first),
            last: Some(first.plus(Span::DAY.times(28))),
            problems: vec![Problem::Damaged {
                name: "auth.log.3.gz".to_owned(),
                after: 1234,
                error: std::io::Error::other("corrupt deflate stream"),
            }],
            sources: 4,
            elapsed: Duration::from_millis(1_900),
            ..Summary::default()
        }
    }

    #[test]
    fn a_replay_ends_with_what_was_read_raised_and_not_readable() {
        assert_eq!(
            render(&summary(), 80),
            "\
read      1,000,000 lines, 98.1 MB in 1.9 s (526,315 lines/s)
parsed    998,000 events; 1,900 lines not mine, 100 malformed
span      2024-03-01T02:06:00Z to 2024-03-29T02:06:00Z (28d)
entities  12,034 in 21.0 MB of state
odd       3 events too late for the window
alerts    9 raised, updated 1 time

format  events   not mine  malformed
sshd    998,000  1,900     100

level   alerts  updates  rule
high    2       1        Guessing\\x1b[2J that worked
medium  7       0        First sudo

! auth.log.3.gz: damaged after 1234 bytes of log (corrupt deflate stream); what
  stands before was read; fetch the file again or repair it
"
        );
    }

    #[test]
    fn it_fits_a_narrow_terminal() {
        for width in 40..=80 {
            let text = render(&summary(), width);
            for row in text.lines() {
                assert!(row.chars().count() <= width, "{width}: {row}");
            }
        }
    }
}
