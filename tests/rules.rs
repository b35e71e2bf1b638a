//! The shipped rules: sound, tested, and found by what they are for.

use std::process::Command;

use serde_json::Value;
use tipstaff::pipeline::{Progress, ReplayOptions, replay};

use crate::support::{folder, shipped, skipped};

fn run(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tipstaff"))
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), text)
}

#[test]
fn every_rule_passes_the_strict_check() {
    let (sound, said) = run(&["check", "--strict", "rules"]);
    assert!(sound, "{said}");
}

#[test]
fn every_log_beside_a_rule_has_the_effect_that_its_name_says() {
    let (sound, said) = run(&["test", "rules"]);
    assert!(sound, "{said}");
    let passed: usize = said
        .lines()
        .last()
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(passed >= 32, "{said}");
}

/// Other projects' attack logs on which the pack must raise an alert; the
/// others are of programs or signatures that it has no rules for.
const IN_SCOPE: &[&str] = &[
    "CVE-2017-9841",
    "apache-cve-2021-41773",
    "aws-bf",
    "bind9-refused",
    "iptables/fin_scan_1000_1150",
    "iptables/syn_scan_1000_1500",
    "iptables/syn_sweep",
    "nginx-http-sensitive-files",
    "nginx-http-sqli-probing",
    "proftpd-bf",
    "pureftpd-bf",
    "ssh-bf",
    "suricata-eve-detect",
];

#[test]
fn attacks_that_others_find_are_found() {
    let path = folder("../shared/conformance/scenarios/known.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        skipped(
            "attacks_that_others_find_are_found",
            "there is no data beside the crate",
        );
        return;
    };
    let temporary = tempfile::tempdir().unwrap();
    let mut silent = IN_SCOPE.to_vec();
    for (number, row) in text.lines().enumerate() {
        let row: Value = serde_json::from_str(row).unwrap();
        let lines: Vec<&str> = row["lines"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let log = temporary.path().join(format!("{number}.log"));
        std::fs::write(&log, lines.join("\n") + "\n").unwrap();
        let options = ReplayOptions {
            paths: vec![log],
            threads: 1,
            zone: jiff::tz::TimeZone::UTC,
            year: Some(2025),
            format: None,
            program: None,
            logsource: None,
        };
        let mut alerts = 0;
        let summary = replay(&options, shipped(), &Progress::default(), &mut |_| {
            alerts += 1;
        });
        assert!(
            summary.counts.lines >= lines.len() as u64,
            "{}",
            row["group"]
        );
        if alerts > 0 {
            silent.retain(|group| row["group"] != **group);
        }
    }
    assert!(silent.is_empty(), "no alert on {silent:?}");
}
