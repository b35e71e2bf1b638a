//! `tipstaff tune`: what other thresholds would have raised.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use super::exit::{Exit, Failure};
use super::replay;
use super::rules;
use super::terminal::Terminal;
use crate::escape::shortened;
use crate::pipeline::Progress;
use crate::sync::Arc;
use crate::tune::{Report, RuleReport, Step, Unit, tune};

/// Show what other thresholds would have raised on old logs
///
/// Replays the logs once under a dozen thresholds for each rule that has one,
/// and prints what each raises: alerts in all, and on the median, the 95th
/// percentile and the worst day; and who has most of them now. With
/// `--budget N` also the lowest threshold that raises at most N alerts a day on
/// average over these logs. Takes some five times the time and memory of a
/// replay.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    input: replay::Input,

    /// Alerts a day that each rule may raise on average, such as 0.2
    #[arg(long, value_name = "ALERTS", value_parser = budget)]
    budget: Option<f64>,
}

fn budget(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/day").unwrap_or(text);
    match number.parse() {
        Ok(n) if n >= 0.0 && f64::is_finite(n) => Ok(n),
        _ => Err("give a number of alerts a day, such as 0.2 or 3/day".into()),
    }
}

/// Runs the command.
pub(super) fn run(options: &Options, terminal: Terminal) -> Result<Exit, Failure> {
    let config = options.input.config()?;
    let config = config.as_ref();
    let found = options.input.rules(config)?;
    let lists = options.input.lists()?;
    let loaded = rules::load_or_tell(&found, lists, terminal)?;
    let replay = options.input.replay(config)?;
    let progress = Arc::new(Progress::default());
    let bar = options.input.bar(&progress, terminal);
    let asked = options.budget;
    let base = options.input.detecting(config, &replay.tables)?;
    let tuned = tune(&replay, &loaded.rules, &base, asked, &progress);
    bar.finish_and_clear();
    let (report, summary) = tuned.map_err(|wrong| rules::told(&wrong, terminal))?;
    if summary.counts.lines == 0 {
        return replay::conclude(&summary, true, terminal);
    }
    io::stdout().write_all(render(&report).as_bytes())?;
    replay::conclude(&summary, true, terminal)
}

/// The report as text of at most 80 columns.
fn render(report: &Report) -> String {
    let mut out = String::new();
    let (loud, silent): (Vec<_>, Vec<_>) = report
        .rules
        .iter()
        .partition(|rule| rule.steps.iter().any(|step| step.total > 0));
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{}, {} with a threshold\n",
        many(report.days, "day"),
        many(report.rules.len() as u64, "rule")
    );
    for rule in loud {
        render_rule(&mut out, rule, report);
    }
    if !silent.is_empty() {
        let _ = writeln!(
            out,
            "{:<52} {:>10} {:>12}",
            "Silent under every threshold tried", "now", "tried from"
        );
        for rule in silent {
            let lowest = rule.steps.first().map_or(rule.now, |step| *step);
            let title = shortened(rule.title.as_bytes(), 50);
            let (now, lowest) = (shown(&rule.now, rule.unit), shown(&lowest, rule.unit));
            let _ = writeln!(out, "  {title:<50} {now:>10} {lowest:>12}");
        }
    }
    out
}

fn render_rule(out: &mut String, rule: &RuleReport, report: &Report) {
    let _ = writeln!(out, "{}", shortened(rule.title.as_bytes(), 78));
    let _ = writeln!(
        out,
        "  {:>12} {:>8}   a day: {:>6} {:>6} {:>6}",
        "threshold", "alerts", "median", "p95", "worst"
    );
    let mut before: Option<&Step> = None;
    for step in &rule.steps {
        #[expect(clippy::float_cmp, reason = "both are the number in the rule")]
        let own = step.threshold == rule.now.threshold;
        let news = before.is_none_or(|before| before.counts() != step.counts());
        before = Some(step);
        let last = rule.steps.last() == Some(step);
        if !(news || own || last) {
            continue; // as in the row above
        }
        let _ = writeln!(
            out,
            "  {:>12} {:>8}          {:>6} {:>6} {:>6}{}",
            shown(step, rule.unit),
            step.total,
            step.median,
            step.p95,
            step.max,
            if own { "  <- now" } else { "" }
        );
    }
    if rule.top.is_empty() {
        let _ = writeln!(out, "  now silent");
    } else {
        let _ = writeln!(out, "  now {}, most about", many(rule.now.total, "alert"));
    }
    for (entity, count) in &rule.top {
        let _ = writeln!(out, "  {count:>12} {}", shortened(entity, 60));
    }
    if let Some(budget) = report.budget {
        let _ = writeln!(out, "  {}", advice(rule, budget, report.days));
    }
    out.push('\n');
}

/// What to write into the rule for the budget.
fn advice(rule: &RuleReport, budget: f64, days: u64) -> String {
    let budget = format!("budget {budget} a day, {}", many(days, "day"));
    let Some(step) = rule.meets else {
        return format!("{budget}: none of these meets it; narrow what the rule matches");
    };
    let key = match rule.unit {
        Unit::Bits => "surprise gte",
        Unit::AtLeast => "gte",
        Unit::MoreThan => "gt",
    };
    let what = match step.threshold.total_cmp(&rule.now.threshold) {
        std::cmp::Ordering::Less => "met down to",
        std::cmp::Ordering::Equal => "met as it is,",
        std::cmp::Ordering::Greater => "needs",
    };
    let alerts = many(step.total, "alert");
    let threshold = step.threshold;
    format!("{budget}: {what} `{key}: {threshold}`, {alerts}")
}

fn many(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn shown(step: &Step, unit: Unit) -> String {
    match unit {
        Unit::Bits => format!("{:.1} bits", step.threshold),
        Unit::AtLeast => format!(">= {}", step.threshold),
        Unit::MoreThan => format!("> {}", step.threshold),
    }
}
