//! What was learnt, carried over from old logs to the service, shown, compared
//! and forgotten.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::daemon::{Room, lines};

/// Baselines beside the room's own rules: of counts, of distinct values, of new ones.
const BASELINES: &str = "\
title: Test success
id: 33333333-3333-4333-8333-333333333333
status: stable
name: test_success
logsource: {product: linux, service: sshd}
detection:
    selection: {event.action: ssh_login, event.outcome: success}
    condition: selection
level: low
---
title: Test rate
id: 44444444-4444-4444-8444-444444444444
status: stable
baseline:
    type: event_count
    rules: [test_failure]
    group-by: [host.name]
    timespan: 10m
    condition: {value: {gte: 5}, surprise: {gte: 1}}
level: low
---
title: Test sources
id: 55555555-5555-4555-8555-555555555555
status: stable
baseline:
    type: value_count
    rules: [test_failure]
    group-by: [user.name]
    field: source.ip
    timespan: 10m
    condition: {value: {gte: 2}, surprise: {gte: 1}}
level: low
---
title: Test address
id: 66666666-6666-4666-8666-666666666666
status: stable
baseline:
    type: first_seen
    rules: [test_success]
    group-by: [user.name]
    field: source.ip
    timespan: 10m
    condition: {surprise: {gte: 1}}
level: low
---
title: Test pair
id: 77777777-7777-4777-8777-777777777777
status: stable
baseline:
    type: event_count
    rules: [test_success]
    group-by: [user.name, host.name]
    timespan: 10m
    condition: {value: {gte: 5}, surprise: {gte: 30}}
level: low
---
title: Test fleet
id: 88888888-8888-4888-8888-888888888888
status: stable
baseline:
    type: event_count
    rules: [test_success]
    group-by: []
    timespan: 10m
    condition: {value: {gte: 5}, surprise: {gte: 30}}
level: low
";

fn room() -> Room {
    let room = Room::new();
    fs::write(room.path("rules/baselines.yml"), BASELINES).unwrap();
    room
}

/// Standard output of a command that ends well.
fn run(room: &Room, arguments: &[&str]) -> String {
    let output = room.command(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn learn(room: &Room, state: &str, threads: &str, logs: &[&str]) -> Vec<String> {
    let command = [
        "replay",
        "-q",
        "-o",
        "json",
        "-r",
        "rules",
        "--threads",
        threads,
        "--learn",
        state,
    ];
    let text = run(room, &[&command[..], logs].concat());
    let id = |line: &str| {
        let alert: Value = serde_json::from_str(line).unwrap();
        format!("{} {}", alert["id"], alert["revision"])
    };
    text.lines().map(id).collect()
}

fn exported(room: &Room, state: &str) -> String {
    run(
        room,
        &["baseline", "export", "-r", "rules", "--state", state],
    )
}

#[test]
fn a_service_that_starts_from_old_logs_raises_what_a_replay_of_everything_does() {
    for threads in ["1", "3"] {
        let room = room();
        // A rotated log, and the one that is written to.
        room.append("logs/auth.log.1", lines(0, 1203));
        room.append("logs/auth.log", lines(1203, 1801));
        let before = learn(&room, "state", threads, &["logs"]);
        room.append("logs/auth.log", lines(1801, 3003));
        let mut daemon = room.start();
        daemon.catch_up();
        daemon.stop();
        let everything: Vec<String> = room.replayed(&["logs"]);
        let (before, after) = (
            BTreeSet::from_iter(before),
            BTreeSet::from_iter(room.alerts()),
        );
        assert!(before.len() > 50 && after.len() > 50, "both have alerts");
        let all: BTreeSet<String> = everything.into_iter().collect();
        assert_eq!(before.union(&after).cloned().collect::<BTreeSet<_>>(), all);
        assert!(before.is_disjoint(&after), "nothing is counted twice");
        assert!(room.errors().contains("going on from the saved state"));
        // And it has learnt the same, to the last bit.
        learn(&room, "whole", "2", &["logs"]);
        let (one, other) = (exported(&room, "state"), exported(&room, "whole"));
        assert!(one.lines().count() >= 4, "{one}");
        assert_eq!(one, other);
    }
}

#[test]
fn a_folder_that_holds_a_state_is_not_written_over() {
    let room = room();
    room.append("logs/auth.log", lines(0, 50));
    learn(&room, "state", "1", &["logs"]);
    let before = fs::read(room.path("state/state.snapshot")).unwrap();
    let mut command = room.command(&["replay", "-r", "rules", "--learn", "state", "logs"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(8));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("holds a state already"), "{said}");
    assert_eq!(fs::read(room.path("state/state.snapshot")).unwrap(), before);
}

/// Who logs in well in the room's logs.
const USER: &str = "alice";

#[test]
fn an_entity_is_described_from_a_state_as_from_the_logs() {
    let room = room();
    room.append("logs/auth.log", lines(0, 2002));
    learn(&room, "state", "2", &["logs"]);
    let entity = format!("user:{USER}");
    let ask = |more: &[&str]| {
        let command = ["entity", "-r", "rules", &entity];
        run(&room, &[&command[..], more].concat())
    };
    let text = ask(&["--state", "state"]);
    for wanted in [
        "Test address (first_seen, 10m)",
        "since 2025-06-01",
        "name all of user.name, host.name",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains("Test fleet"), "everybody's: {text}");
    let json = ask(&["--state", "state", "--json"]);
    assert_eq!(json, ask(&["--replay", "logs", "--json"]));
    let object: Value = serde_json::from_str(&json).unwrap();
    let baselines = object["baselines"].as_array().unwrap();
    let address = baselines
        .iter()
        .find(|b| b["rule"]["title"] == "Test address")
        .unwrap();
    assert!(address["evidence"].as_f64().unwrap() > 5.0, "{address}");
    assert!(address["values"].as_u64().unwrap() >= 1, "{address}");
    let pair = ask(&["host:web1", "--state", "state", "--json"]);
    let nobody = run(
        &room,
        &["entity", "-r", "rules", "user:nobody", "--state", "state"],
    );
    assert!(nobody.contains("nothing is learnt of it"), "{nobody}");
    assert!(pair.contains("host.name"), "{pair}");
}

#[test]
fn who_is_forgotten_is_gone_and_nobody_else_is() {
    let room = room();
    room.append("logs/auth.log", lines(0, 2002));
    learn(&room, "state", "1", &["logs"]);
    let before = exported(&room, "state");
    learn(&room, "old", "1", &["logs"]);
    let entity = format!("user:{USER}");
    let forget = [
        "baseline", "forget", &entity, "--state", "state", "-r", "rules",
    ];
    let said = run(&room, &forget);
    assert!(said.contains("forgotten: Test address"), "{said}");
    assert!(
        said.contains("kept: Test pair: name all of user.name, host.name"),
        "{said}"
    );
    assert!(!said.contains("Test fleet"), "everybody's: {said}");
    let forgotten = said
        .lines()
        .filter(|line| line.starts_with("forgotten"))
        .count();
    let after = exported(&room, "state");
    assert_eq!(before.lines().count(), after.lines().count() + forgotten);
    let rest: BTreeSet<&str> = before.lines().collect();
    assert!(
        after.lines().all(|line| rest.contains(line)),
        "others changed"
    );
    assert!(run(&room, &forget).contains("nothing was learnt of it"));
    // The difference says so, and names whom the directory has.
    fs::write(room.path("users.csv"), format!("user\n{USER}\n")).unwrap();
    let compare = [
        "baseline",
        "diff",
        "old",
        "state",
        "-r",
        "rules",
        "--directory",
        "users.csv",
    ];
    let text = run(&room, &compare);
    assert!(text.contains("0 came, 1 went, 0 changed"), "{text}");
    let lines = run(&room, &[&compare[..], &["--json"]].concat());
    assert_eq!(lines.lines().count(), forgotten);
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            (&line["change"], &line["name"]),
            (&"went".into(), &USER.into())
        );
    }
}

#[test]
fn forgetting_under_other_rules_would_lose_what_they_do_not_know_and_is_refused() {
    let room = room();
    room.append("logs/auth.log", lines(0, 500));
    learn(&room, "state", "1", &["logs"]);
    let before = exported(&room, "state");
    let mut command = room.command(&[
        "baseline",
        "forget",
        "user:x",
        "--state",
        "state",
        "-r",
        "rules/test.yml",
    ]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(8));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("nothing was changed"), "{said}");
    assert_eq!(exported(&room, "state"), before);
}

#[test]
fn what_a_rule_may_cost_is_known_before_it_is_enabled() {
    let room = room();
    let costs = |room: &Room| -> Vec<(String, Vec<String>)> {
        let text = run(room, &["rules", "--cost", "rules"]);
        let rows = text.lines().filter(|line| line.starts_with("Test "));
        rows.map(|row| {
            let words: Vec<String> = row.split_whitespace().map(str::to_owned).collect();
            (words[..2].join(" "), words[2..].to_vec())
        })
        .collect()
    };
    let number = |word: &String| word.parse::<u64>().unwrap();
    let of = |all: &[(String, Vec<String>)], title: &str| {
        let found = all.iter().find(|(name, _)| name == title);
        found
            .unwrap_or_else(|| panic!("{title}: {all:?}"))
            .1
            .clone()
    };
    let all = costs(&room);
    for title in ["Test rate", "Test sources", "Test address", "Test pair"] {
        let row = of(&all, title);
        assert!((72..500).contains(&number(&row[0])), "{title}: {row:?}");
        // A million that stay, and who waits to.
        assert!(
            (1_000_000..1_600_000).contains(&number(&row[1])),
            "{title}: {row:?}"
        );
        assert_eq!(row[3], "MB");
    }
    let fewer = BASELINES.replace(
        "timespan: 10m",
        "timespan: 10m\n    learn: {max-entities: 6400}",
    );
    fs::write(room.path("rules/baselines.yml"), fewer).unwrap();
    let row = of(&costs(&room), "Test address");
    assert!((6400..20_000).contains(&number(&row[1])), "{row:?}");
    assert_eq!(row[3], "kB", "{row:?}");
}
