//! What the tests of rules share.

use tipstaff::rule::{
    Baseline, Body, Correlation, Detection, Diagnostic, LoadOptions, Loaded, Rule, explain,
    load_text, render,
};

pub(crate) fn read(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    load_text("rules/a.yml", text, &LoadOptions::default())
}

pub(crate) fn good(text: &str) -> Vec<Rule> {
    match read(text) {
        Ok(loaded) => loaded.rules.rules,
        Err(found) => panic!("{found:#?}"),
    }
}

/// The codes of what is wrong, in order.
pub(crate) fn codes(text: &str) -> Vec<&'static str> {
    let found = read(text).map(|loaded| loaded.warnings);
    let found = found.unwrap_or_else(|found| found);
    for diagnostic in &found {
        assert!(explain(diagnostic.code).is_some(), "{diagnostic}");
        assert!(!diagnostic.remedy.is_empty(), "{diagnostic}");
        render(diagnostic, text, true);
    }
    found.iter().map(|d| d.code).collect()
}

/// A detection with these lines under `detection:`.
pub(crate) fn rule(detection: &str) -> String {
    let lines: Vec<String> = detection.lines().map(|l| format!("  {l}")).collect();
    format!(
        "title: t\nlogsource: {{product: linux}}\ndetection:\n{}\n",
        lines.join("\n")
    )
}

pub(crate) fn detection(rule: &Rule) -> &Detection {
    let Body::Detection(detection) = &rule.body else {
        panic!("{rule:?}")
    };
    detection
}

pub(crate) fn correlation(rule: &Rule) -> &Correlation {
    let Body::Correlation(correlation) = &rule.body else {
        panic!("{rule:?}")
    };
    correlation
}

pub(crate) fn baseline(rule: &Rule) -> &Baseline {
    let Body::Baseline(baseline) = &rule.body else {
        panic!("{rule:?}")
    };
    baseline
}

pub(crate) fn named(name: &str) -> String {
    format!("name: {name}\n{}---\n", rule("s: {A: x}\ncondition: s"))
}

pub(crate) const SAMPLE: &str = r#"title: Login from a network this user never used
id: 5d0f0f3e-6a5f-4d55-9a5d-0a4f6c6b1d11
status: stable
description: >-
  Why it matters.
falsepositives: [Travel]
blindspots: [An intruder behind the user's own NAT]
tuning: ["surprise: 10 → 12 halves ..."]
tags: [attack.initial_access, attack.t1078]
level: medium
baseline:
  type: first_seen
  rules: [ssh_login_ok]
  group-by: [user.name]
  field: source.ip
  timespan: 1h
  learn: {half-life: 45d, warm-up: 7d, min-evidence: {active-buckets: 3}}
  condition: {surprise: {gte: 10}}
"#;
