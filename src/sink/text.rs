//! Alerts for people: a header, the sentence, the numbers, the raw lines.
//!
//! It reads the same without colour, and at any width from 40 columns up:
//! prose is wrapped, raw lines are cut to one row each. Everything that comes
//! from a log, a file name or a rule goes through [`crate::escape`].

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Paint};

use super::sentence::{often, plainly, quantity};
use super::{Row, Sink, Style, count, hex, id_text, level_word, number, odds, sentence, trusts};
use crate::alert::{Alert, Evidence, Level};
use crate::escape::{Escaped, shortened};
use crate::field::Trust;

/// The row of this encoding.
pub(super) static ROW: Row = Row {
    name: "text",
    about: "sentences, numbers and raw lines, for people",
    open,
};

/// Columns of prose where there is no terminal to ask.
const PLAIN_WIDTH: usize = 80;

/// Narrower than this nothing is laid out; a terminal then wraps by itself.
const LEAST_WIDTH: usize = 40;

/// Columns of the labels before the numbers.
const LABEL: usize = 10;

fn open(out: Box<dyn Write + Send>, style: Style) -> Box<dyn Sink> {
    Box::new(Text { out, style })
}

struct Text {
    out: Box<dyn Write + Send>,
    style: Style,
}

impl Sink for Text {
    fn deliver(&mut self, alert: &Alert) -> io::Result<()> {
        self.out.write_all(render(alert, self.style).as_bytes())?;
        self.out.flush()
    }
}

/// The whole text of an alert, with an empty line after it.
fn render(alert: &Alert, style: Style) -> String {
    let width = width(style);
    let mut out = String::new();
    let head = paint(style, level_paint(alert.rule.level));
    for line in wrap(&header(alert), width, 2) {
        push(&mut out, &line, head);
    }
    for line in wrap(&sentence(alert), width - 2, 0) {
        push(&mut out, &format!("  {line}"), Paint::new());
    }
    out + &under(alert, &numbers(alert), style) + "\n"
}

/// A result that is no alert, with what is to be said of it: a header without a
/// level, the sentence, the rows, the raw lines.
pub fn told(alert: &Alert, rows: &[(&'static str, String)], style: Style) -> String {
    let width = width(style);
    let mut out = String::new();
    let title = Escaped(alert.rule.title.as_bytes());
    let head = format!("{} {title}", alert.time);
    for line in wrap(&head, width, 2) {
        push(&mut out, &line, paint(style, Paint::new().bold()));
    }
    for line in wrap(&sentence(alert), width - 2, 0) {
        push(&mut out, &format!("  {line}"), Paint::new());
    }
    out + &under(alert, rows, style)
}

fn width(style: Style) -> usize {
    style.width.unwrap_or(PLAIN_WIDTH).max(LEAST_WIDTH)
}

/// The rows and the raw lines.
fn under(alert: &Alert, rows: &[(&'static str, String)], style: Style) -> String {
    let width = width(style);
    let mut out = String::new();
    for (label, text) in rows {
        for row in labelled(label, text, width) {
            push(&mut out, &row, Paint::new());
        }
    }
    let dim = paint(style, Paint::new().dimmed());
    for sample in &alert.samples {
        for row in wrap(&place(sample), width - 2, 2) {
            push(&mut out, &format!("  {row}"), dim);
        }
        push(&mut out, &raw_line(sample, style.width), Paint::new());
    }
    out
}

/// When, how urgent, what, about whom: `... HIGH Guessed passwords source.ip=203.0.113.9`.
fn header(alert: &Alert) -> String {
    let level = level_word(alert.rule.level).to_uppercase();
    let title = Escaped(alert.rule.title.as_bytes());
    let mut text = format!("{} {level} {title}", alert.time);
    for (name, value) in &alert.entity {
        let _ = write!(text, " {}", pair(name, value, 64));
    }
    if alert.revision > 0 {
        let _ = write!(text, " (update {})", alert.revision);
    }
    text
}

/// `source.ip=203.0.113.9`.
fn pair(name: &str, value: &[u8], max: usize) -> String {
    format!("{}={}", Escaped(name.as_bytes()), shortened(value, max))
}

/// A label with its text beside it; below it, when a word such as an id would
/// otherwise be cut in two and could not be copied.
fn labelled(label: &str, text: &str, width: usize) -> Vec<String> {
    let beside = width - 2 - LABEL;
    let longest = text.split(' ').map(|word| word.chars().count()).max();
    if longest.is_some_and(|longest| longest > beside) {
        let rows = wrap(text, width - 4, 0).into_iter();
        let rows = rows.map(|row| format!("    {row}"));
        return std::iter::once(format!("  {label}")).chain(rows).collect();
    }
    let rows = wrap(text, beside, 0).into_iter().enumerate();
    rows.map(|(at, row)| {
        let label = if at == 0 { label } else { "" };
        format!("  {label:<LABEL$}{row}")
    })
    .collect()
}

/// On which side of its number a rule is silent.
fn silent_side(kind: &str) -> &'static str {
    if kind.ends_with(" event_drop") {
        "from"
    } else {
        "up to"
    }
}

/// The numbers block: label and text, only what the alert has.
fn numbers(alert: &Alert) -> Vec<(&'static str, String)> {
    let score = &alert.score;
    let number = |n: f64| quantity(n, score);
    let margin = score.margin.map_or_else(String::new, |margin| {
        format!(", give or take {} (sampled)", number(margin))
    });
    let mut rows = vec![("observed", format!("{}{margin}", number(score.observed)))];
    if let Some(expected) = score.expected {
        let interval = score.interval.map_or_else(String::new, |(low, high)| {
            format!(" (99 % between {} and {})", number(low), number(high))
        });
        rows.push(("expected", format!("{}{interval}", number(expected))));
    }
    if let Some(bits) = score.bits {
        let often = score.return_days.map(|days| format!("; {}", often(days)));
        let often = often.unwrap_or_default();
        rows.push(("surprise", format!("{bits:.1} bits, {}{often}", odds(bits))));
    }
    if !score.terms.is_empty() {
        let terms = score.terms.iter();
        let terms = terms.map(|(name, bits)| format!("{} {bits:.1}", Escaped(name.as_bytes())));
        rows.push(("of which", terms.collect::<Vec<_>>().join(", ")));
    }
    if !score.facts.is_empty() {
        let facts = score.facts.iter();
        let facts = facts.map(|(name, n)| format!("{} {}", Escaped(name.as_bytes()), number(*n)));
        rows.push(("facts", facts.collect::<Vec<_>>().join(", ")));
    }
    if !score.threshold.is_empty() {
        let quiet = score.quiet.filter(|quiet| *quiet > 0.0);
        let side = silent_side(&alert.rule.kind);
        let quiet = quiet.map(|q| format!("; silent {side} {}", number(q)));
        let text = plainly(&score.threshold);
        rows.push(("needs", format!("{text}{}", quiet.unwrap_or_default())));
    }
    rows.extend(learnt(alert).map(|text| ("learnt", text)));
    let (start, end) = alert.window;
    let events = count(alert.events);
    let events = match alert.events {
        0 | 1 => "1 event".to_owned(),
        _ => format!("{events} events"),
    };
    let window = if start == end {
        start.to_string()
    } else {
        format!("{start} to {end} ({})", end.since(start))
    };
    rows.push(("window", format!("{window}, {events}")));
    // The sentence has said what was done.
    let context = alert.context.iter();
    let context = context.filter(|(name, _)| !name.starts_with("event."));
    let context = context.map(|(name, value)| pair(name, value, 200));
    let context = context.collect::<Vec<_>>().join(" ");
    if !context.is_empty() {
        rows.push(("context", context));
    }
    let chosen = trusts(alert).into_iter();
    let chosen = chosen.filter(|(_, trust)| *trust == Trust::User);
    let chosen: Vec<_> = chosen.map(|(name, _)| name).collect();
    if !chosen.is_empty() {
        let text = format!("{} (whoever acted chose the text)", chosen.join(", "));
        rows.push(("unproven", text));
    }
    if !alert.rule.falsepositives.is_empty() {
        let text = alert.rule.falsepositives.join("; ");
        rows.push(("harmless", Escaped(text.as_bytes()).to_string()));
    }
    rows.push(("rule", rule(alert)));
    rows.push(("alert", id_text(alert.id)));
    rows
}

/// From how much the baseline was learnt; `None` for rules that do not learn.
fn learnt(alert: &Alert) -> Option<String> {
    let score = &alert.score;
    let periods = score
        .evidence
        .map(|n| format!("{} active periods", number(n)));
    let age = score.age.map(|age| format!("{age} of history"));
    let model = Some(&score.model).filter(|model| !model.is_empty());
    let model = model.map(|model| format!("model {}", Escaped(model.as_bytes())));
    if periods.is_none() && age.is_none() {
        return None;
    }
    let told: Vec<_> = [periods, age, model].into_iter().flatten().collect();
    Some(told.join(", "))
}

/// Which rule in which version, and what it stands for.
fn rule(alert: &Alert) -> String {
    let rule = &alert.rule;
    let (id, kind) = (Escaped(rule.id.as_bytes()), Escaped(rule.kind.as_bytes()));
    let version = hex(&rule.hash);
    let version = version.get(..8).unwrap_or("");
    let tags: Vec<_> = rule
        .tags
        .iter()
        .map(|tag| Escaped(tag.as_bytes()).to_string())
        .collect();
    format!("{id} ({kind}, version {version}) {}", tags.join(" "))
        .trim_end()
        .to_owned()
}

/// Where a raw line stands.
fn place(sample: &Evidence) -> String {
    let path = Escaped(sample.path.as_bytes());
    let place = &sample.place;
    format!("{path}:{} (byte {})", place.number, place.offset)
}

/// A raw line on one row of the terminal.
fn raw_line(sample: &Evidence, width: Option<usize>) -> String {
    let room = width.map_or(usize::MAX, |width| width.max(LEAST_WIDTH) - 4);
    let whole = Escaped(&sample.bytes).to_string();
    if whole.chars().count() > room {
        format!("    {}", shortened(&sample.bytes, room - "...".len()))
    } else {
        format!("    {whole}")
    }
}

/// Text cut into rows of at most `width` characters, between words where
/// there are any; rows after the first start with `indent` blanks.
pub fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    let width = width.max(indent + 8);
    let mut rows = Vec::new();
    let mut row = String::new();
    let mut used = 0; // characters in `row`
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        let gap = usize::from(used > indent || (rows.is_empty() && used > 0));
        if used + gap + word.len() > width && gap > 0 {
            rows.push(std::mem::replace(&mut row, " ".repeat(indent)));
            used = indent;
        } else if gap > 0 {
            row.push(' ');
            used += 1;
        }
        while used + word.len() > width {
            let rest = word.split_off(width - used);
            row.extend(word);
            rows.push(std::mem::replace(&mut row, " ".repeat(indent)));
            used = indent;
            word = rest;
        }
        used += word.len();
        row.extend(word);
    }
    rows.push(row);
    rows
}

/// One row, painted where the paint is not plain.
fn push(out: &mut String, row: &str, paint: Paint) {
    let _ = writeln!(out, "{paint}{row}{paint:#}"); // writing to a String cannot fail
}

fn paint(style: Style, paint: Paint) -> Paint {
    if style.color { paint } else { Paint::new() }
}

fn level_paint(level: Level) -> Paint {
    match level {
        Level::Informational => Paint::new().dimmed(),
        Level::Low => AnsiColor::Cyan.on_default(),
        Level::Medium => AnsiColor::Yellow.on_default().bold(),
        Level::High => AnsiColor::Red.on_default().bold(),
        Level::Critical => AnsiColor::Red.on_default().bold().invert(),
    }
}
