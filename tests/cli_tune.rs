//! Black box: what `tune` says of a threshold is what a replay with it raises.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

fn rules(count: u32, bits: &str) -> String {
    format!(
        "\
title: Failed Login
id: 5d1f2b1e-0000-4000-8000-00000000000a
name: failed
status: test
logsource:
  product: linux
  service: sshd
detection:
  selection:
    event.action: ssh_login
    event.outcome: failure
  condition: selection
level: informational
---
title: Guessing
id: 5d1f2b1e-0000-4000-8000-00000000000b
status: test
correlation:
  type: event_count
  rules:
    - failed
  group-by:
    - source.ip
  timespan: 10m
  condition:
    gte: {count}
level: high
---
title: More Guesses Than Usual
id: 5d1f2b1e-0000-4000-8000-00000000000c
status: test
baseline:
  type: event_count
  rules:
    - failed
  group-by:
    - source.ip
  timespan: 1h
  learn:
    warm-up: 1d
  condition:
    value:
      gte: 5
    surprise:
      gte: {bits}
level: medium
"
    )
}

/// Ten days in which 30 addresses guess, each in bursts of its own size: twice
/// in six hours with an hour and a half of trickle between them, which a low
/// threshold sees as one burst.
fn log() -> String {
    let mut lines = Vec::new();
    for (day, address) in (1..=10).flat_map(|day| (1..=30).map(move |a| (day, a))) {
        let start = address * 600 % 43_200;
        let bursts = [
            (start, 1 + (address + day) % 29),
            (start + 6300, 1 + address % 17),
        ];
        let guesses = bursts
            .iter()
            .flat_map(|(at, size)| (0..*size).map(move |n| at + n * 10));
        let trickle = (0..12).map(|n| start + 300 + n * 480);
        lines.extend(guesses.chain(trickle).map(|second| (day, second, address)));
    }
    lines.sort_unstable();
    let mut text = String::new();
    for (day, second, address) in lines {
        let (hour, minute) = (second / 3600, second / 60 % 60);
        writeln!(
            text,
            "2025-09-{day:02}T{hour:02}:{minute:02}:{:02}+00:00 web1 sshd[7]: Failed password for root \
             from 203.0.113.{address} port 4242 ssh2",
            second % 60
        )
        .unwrap();
    }
    text
}

fn ran(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tipstaff"))
        .current_dir(folder)
        .env_remove("TIPSTAFF_RULES")
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Alerts of a rule under its thresholds, as a replay raises them.
fn raised(folder: &Path, title: &str, count: u32, bits: &str) -> usize {
    std::fs::write(folder.join("rules/r.yml"), rules(count, bits)).unwrap();
    let out = ran(
        folder,
        &["replay", "--quiet", "--output", "json", "auth.log"],
    );
    let alerts = out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let ids: BTreeSet<String> = alerts
        .filter(|alert| alert["rule"]["title"] == title)
        .map(|alert| alert["id"].to_string())
        .collect();
    ids.len()
}

fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    std::fs::write(folder.path().join("rules/r.yml"), rules(10, "12")).unwrap();
    std::fs::write(folder.path().join("auth.log"), log()).unwrap();
    folder
}

/// What is said of one rule.
fn section<'a>(report: &'a str, title: &str) -> &'a str {
    let start = report.find(&format!("{title}\n")).unwrap();
    report[start..].split("\n\n").next().unwrap()
}

/// `(threshold, alerts)` of each row.
fn table(section: &str) -> Vec<(String, usize)> {
    let rows = section
        .lines()
        .filter(|line| line.contains(">= ") || line.contains(" bits "));
    rows.map(|line| {
        let words = line.replace(">= ", "").replace(" bits", "");
        let mut words = words.split_whitespace();
        let threshold = words.next().unwrap().to_owned();
        (threshold, words.next().unwrap().parse().unwrap())
    })
    .collect()
}

/// The threshold and the alerts of the advice.
fn advice(section: &str) -> (String, usize) {
    let line = section
        .lines()
        .find(|line| line.contains("budget"))
        .unwrap();
    let (_, rest) = line.split_once("gte: ").unwrap();
    let (threshold, rest) = rest.split_once('`').unwrap();
    let alerts = rest.trim_start_matches(", ").split(' ').next().unwrap();
    (threshold.to_owned(), alerts.parse().unwrap())
}

#[test]
fn a_threshold_found_for_a_budget_meets_it_when_it_is_put_into_the_rule() {
    let folder = prepared();
    let folder = folder.path();
    let report = ran(folder, &["tune", "--quiet", "--budget", "3", "auth.log"]);
    let (count, said) = advice(section(&report, "Guessing"));
    assert_ne!(
        count, "10",
        "the rule's own is too low for this budget:\n{report}"
    );
    let alerts = raised(folder, "Guessing", count.parse().unwrap(), "12");
    assert!(alerts <= 30, "{alerts} alerts in ten days at {count}");
    assert!(
        alerts <= said && said <= 30,
        "{said} were announced, {alerts} raised"
    );

    let title = "More Guesses Than Usual";
    let (bits, said) = advice(section(&report, title));
    let alerts = raised(folder, title, 10, &bits);
    assert!(
        alerts <= said && said <= 30,
        "{said} were announced, {alerts} raised at {bits}"
    );
}

#[test]
fn a_higher_threshold_is_never_said_to_raise_more_and_the_one_in_force_is_as_in_a_replay() {
    let folder = prepared();
    let report = ran(folder.path(), &["tune", "--quiet", "auth.log"]);
    assert!(
        report.lines().all(|line| line.chars().count() <= 80),
        "{report}"
    );
    for title in ["Guessing", "More Guesses Than Usual"] {
        let rows = table(section(&report, title));
        assert!(rows.len() > 3, "{report}");
        assert!(
            rows.windows(2).all(|pair| pair[0].1 >= pair[1].1),
            "{rows:?}"
        );
        assert!(
            rows[0].1 > rows[rows.len() - 1].1,
            "thresholds matter: {rows:?}"
        );
        let now = format!("now {} alert", raised(folder.path(), title, 10, "12"));
        assert!(section(&report, title).contains(&now), "{now}: {report}");
    }
}
