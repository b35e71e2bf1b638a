//! A flood of entities that come once: told once a rule and day, by every
//! number of threads alike, and what is established stays.

use std::fmt::Write as _;
use std::sync::Arc;

use tipstaff::alert::{Alert, CARDINALITY};
use tipstaff::detector::{Detector, Options, load_options};
use tipstaff::pipeline::{Progress, Readings, ReplayOptions, Start, classes, replay};
use tipstaff::rule::load_text;
use tipstaff::sink::sentence;

const RULES: &str = "
title: Failed
name: failed
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
title: Failures Of An Address
id: 00000000-0000-4000-8000-000000000001
baseline:
    type: event_count
    rules: [failed]
    group-by: [source.ip]
    learn: {max-entities: 6400, warm-up: 1d}
    condition: {value: {gte: 5}, surprise: {gte: 20}}
level: low
---
title: Names That An Address Tries
id: 00000000-0000-4000-8000-000000000002
baseline:
    type: first_seen
    rules: [failed]
    group-by: [source.ip]
    field: host.name
    learn: {max-entities: 6400, warm-up: 1d}
    condition: {surprise: {gte: 20}}
level: low
";

/// Friday 2025-08-29T00:00:00Z.
const START: i64 = 1_756_425_600;

fn failed(text: &mut String, secs: i64, from: &str) {
    let stamp = jiff::Timestamp::from_second(START + secs).unwrap();
    writeln!(
        text,
        "{stamp} bastion sshd[9]: Failed password for alice from {from} port 50000 ssh2"
    )
    .unwrap();
}

/// Ten days of thirty addresses that fail now and then, then two days with a
/// flood of others, then the same thirty, one of them in earnest.
fn log() -> String {
    let mut text = String::new();
    for day in 0..13 {
        for minute in 0..1440 {
            let secs = day * 86_400 + minute * 60;
            if minute % 20 == 0 {
                failed(
                    &mut text,
                    secs,
                    &format!("10.0.0.{}", 10 + minute / 20 % 30),
                );
            }
            if day == 10 || day == 11 {
                for n in 0..8 {
                    let n = day * 100_000 + minute * 8 + n;
                    let from = format!("203.{}.{}.{}", n >> 16 & 255, n >> 8 & 255, n & 255);
                    failed(&mut text, secs + 1, &from);
                }
            }
        }
    }
    for n in 0..300 {
        failed(&mut text, 13 * 86_400 + n * 5, "10.0.0.17");
    }
    text
}

#[test]
fn a_flood_is_told_once_a_rule_and_day_and_who_was_known_still_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("auth.log"), log()).unwrap();
    let rules = load_text("flood.yml", RULES, &load_options())
        .unwrap()
        .rules;
    let run = |threads| {
        let detector = Detector::compile(&rules, &classes(), Options::default()).unwrap();
        let options = ReplayOptions {
            paths: vec![folder.path().to_owned()],
            threads,
            start: Start::in_year(2025),
            readings: Readings::default(),
            tables: Arc::default(),
        };
        let mut alerts: Vec<Alert> = Vec::new();
        let each = &mut |alert: &Alert| alerts.push(alert.clone());
        replay(&options, &Arc::new(detector), &Progress::default(), each);
        alerts
    };
    let one = run(1);
    assert_eq!(one, run(3));
    let (floods, others): (Vec<_>, Vec<_>) =
        one.iter().partition(|alert| alert.rule.id == CARDINALITY);
    let of = |title: &str| {
        let of = floods.iter().filter(|a| a.entity[0].1 == title.as_bytes());
        of.map(|a| a.time.since(tipstaff::time::Time::from_secs(START)).secs() / 86_400)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("Failures Of An Address"), [10, 11]);
    // Attempts that failed do not even get into a table of who is who.
    assert_eq!(of("Names That An Address Tries"), [0_i64; 0]);
    let said = sentence(floods[0]);
    assert!(
        said.contains("entities that it did not know in a day"),
        "{said}"
    );
    let known = others
        .iter()
        .find(|a| a.entity[0].1 == b"10.0.0.17")
        .unwrap();
    assert!(known.score.evidence > Some(10.0), "{:?}", known.score);
}
