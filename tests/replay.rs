//! Every folder in sample-logs/scenarios against its expected.jsonl, with the
//! shipped rules. No code per scenario.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tipstaff::alert::Alert;
use tipstaff::rule::Level;

use crate::support::replay_folder;

#[test]
fn every_scenario_raises_what_it_must_and_nothing_it_must_not() {
    let mut folders: Vec<_> = fs::read_dir("sample-logs/scenarios")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.extend(["sample-logs/court".into(), "sample-logs/quiet-month".into()]);
    folders.sort();
    assert!(folders.len() >= 8, "the scenarios are there");
    let mut wrong = Vec::new();
    for folder in &folders {
        let alerts = replay_folder(folder, 1);
        check(folder, &alerts, &mut wrong);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn check(folder: &Path, alerts: &[Alert], wrong: &mut Vec<String>) {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let text = fs::read_to_string(folder.join("expected.jsonl")).unwrap();
    let expected: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let quiet = name.starts_with("quiet-");
    let only = quiet || expected.iter().any(|e| e["only"] == true);
    let named: Vec<&Value> = expected.iter().filter(|e| e["rule"].is_string()).collect();
    let silent = quiet && folder.starts_with("sample-logs/scenarios");
    assert!(
        quiet && !silent || silent == named.is_empty(),
        "{name}: quiet scenarios expect nothing, and only they"
    );
    for want in named.iter().filter(|e| !e["tolerated"].is_string()) {
        if !alerts.iter().any(|alert| answers(alert, want)) {
            wrong.push(format!("{name}: no alert answers {want}"));
        }
    }
    let least = if quiet { Level::Low } else { Level::Medium };
    for alert in alerts
        .iter()
        .filter(|a| a.revision == 0 && only && a.rule.level >= least)
    {
        if !named.iter().any(|want| answers(alert, want)) {
            wrong.push(format!("{name}: unexpected: {}", said(alert)));
        }
    }
}

fn answers(alert: &Alert, want: &Value) -> bool {
    let rule = want["rule"].as_str().unwrap();
    let entity = want["entity"].as_object();
    let same_entity = entity.into_iter().flatten().all(|(field, value)| {
        let value = value.as_str().unwrap().as_bytes();
        alert
            .entity
            .iter()
            .chain(&alert.context)
            .any(|(f, v)| f == field && v == value)
    });
    (alert.rule.title == rule || alert.rule.id == rule) && same_entity
}

/// One alert in one line, for a failing test's reader.
fn said(alert: &Alert) -> String {
    let entity: Vec<_> = alert
        .entity
        .iter()
        .map(|(field, value)| format!("{field}={}", String::from_utf8_lossy(value)))
        .collect();
    let line = alert
        .samples
        .last()
        .map(|s| String::from_utf8_lossy(&s.bytes).into_owned());
    format!(
        "{} {:?} [{}] {} observed {} bits {:?} | {}",
        alert.time,
        alert.rule.level,
        alert.rule.title,
        entity.join(" "),
        alert.score.observed,
        alert.score.bits,
        line.unwrap_or_default(),
    )
}
