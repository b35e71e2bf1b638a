//! What was odd and raised no alert: kept with the reason, the same for every
//! number of threads, over a restart, and in a state as in a replay.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::support::daemon::Room;

const RULES: &str = "\
title: Test login
id: 33333333-3333-4333-8333-333333333333
status: stable
name: test_login
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
    rules: [test_login]
    group-by: [user.name]
    timespan: 1h
    learn: {warm-up: 5d, min-evidence: {active-buckets: 12}}
    condition: {value: {gte: 10}, surprise: {gte: 20}}
level: low
";

/// Midnight of 2025-06-02, a Monday.
const START: i64 = 1_748_822_400;

fn login(log: &mut String, minute: i64, user: &str) {
    let stamp = jiff::Timestamp::from_second(START + 60 * minute).unwrap();
    let from = "192.0.2.7 port 4000 ssh2: ED25519 SHA256:abc";
    writeln!(
        log,
        "{stamp} web1 sshd[7]: Accepted publickey for {user} from {from}"
    )
    .unwrap();
}

/// Minutes of a day that a user logs in at, once an hour from nine to four.
fn ordinary(day: i64) -> impl Iterator<Item = i64> {
    (9..17).map(move |hour| (day * 24 + hour) * 60)
}

/// Forty logins in an hour of bob's on day 3, while the rule is young; of a
/// newcomer on day 8, of whom little is known; of bob again on day 9. Alice
/// does nothing odd.
fn log(days: std::ops::Range<i64>) -> String {
    let mut all: Vec<(i64, &str)> = Vec::new();
    for day in days {
        for minute in ordinary(day) {
            all.extend([(minute, "alice"), (minute + 1, "bob")]);
            if day >= 7 {
                all.push((minute + 2, "carol"));
            }
        }
        let burst = match day {
            3 | 9 => "bob",
            8 => "carol",
            _ => continue,
        };
        all.extend((0..40).map(|n| ((day * 24 + 12) * 60 + 10 + n, burst)));
    }
    all.sort_unstable();
    let mut text = String::new();
    for (minute, user) in all {
        login(&mut text, minute, user);
    }
    text
}

fn room() -> Room {
    let room = Room::new();
    fs::write(room.path("rules/test.yml"), RULES).unwrap();
    room
}

/// Standard output and error of a command that ends well.
fn run(room: &Room, arguments: &[&str]) -> (String, String) {
    let output = room.command(arguments).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    (String::from_utf8(output.stdout).unwrap(), errors)
}

fn replayed(room: &Room, threads: &str, state: &str) -> (String, String, String) {
    let ledger = format!("held-{threads}.jsonl");
    let command = [
        "replay",
        "-o",
        "json",
        "-r",
        "rules",
        "--threads",
        threads,
        "--held-back",
        &ledger,
        "--learn",
        state,
        "logs",
    ];
    let (alerts, told) = run(room, &command);
    (
        alerts,
        told,
        fs::read_to_string(room.path(&ledger)).unwrap(),
    )
}

fn shown(room: &Room, more: &[&str]) -> String {
    let command = [
        "baseline",
        "held-back",
        "-r",
        "rules",
        "--state",
        "state",
        "--json",
    ];
    run(room, &[&command[..command.len() - 1], more].concat()).0
}

#[test]
fn what_a_young_rule_or_entity_holds_back_is_told_with_the_reason_and_the_sentence() {
    let room = room();
    room.append("logs/auth.log", log(0..10));
    let (alerts, told, ledger) = replayed(&room, "1", "state");
    // One alert, when the rule is warm and bob well known.
    let alert: Value = serde_json::from_str(alerts.lines().next().unwrap()).unwrap();
    assert_eq!(alert["entity"]["user.name"], "bob");
    assert!(
        alert["@timestamp"]
            .as_str()
            .unwrap()
            .starts_with("2025-06-11")
    );
    let lines: Vec<Value> = ledger
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{ledger}");
    let of = |user: &str| {
        let found = lines
            .iter()
            .find(|line| line["entity"]["user.name"] == user);
        found.unwrap_or_else(|| panic!("{user}: {ledger}"))
    };
    let (bob, carol) = (of("bob"), of("carol"));
    assert_eq!(bob["held_back"]["reason"], "warm-up");
    let ripe = bob["held_back"]["mature"].as_str().unwrap();
    assert!(ripe.starts_with("2025-06-07T09:0"), "{ripe}");
    assert_eq!(carol["held_back"]["reason"], "too little evidence");
    let words = carol["held_back"]["words"].as_str().unwrap();
    assert!(words.contains("11 of 12 active periods"), "{words}");
    for line in [bob, carol] {
        assert!(line["score"]["observed"].as_f64() >= Some(36.0), "{line}");
        assert!(line["score"]["bits"].as_f64() >= line["held_back"]["threshold_bits"].as_f64());
        let message = line["message"].as_str().unwrap();
        assert!(message.contains("logged in over SSH"), "{message}");
        let text = line["samples"][0]["text"].as_str().unwrap();
        assert!(text.contains("Accepted publickey"), "{text}");
    }
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let total = "2 held back: 1 since the baseline of 1 rule is younger than its warm-up, \
                 1 since too little is known of the entity";
    assert!(told.contains(total), "{told}");
    assert!(told.contains("--held-back"), "{told}");
    // The state has the same, for people too.
    assert_eq!(shown(&room, &["--json"]), ledger);
    let text = shown(&room, &[]);
    for wanted in [
        total,
        "User bob logged in over SSH",
        "the rule warms up until 2025-06-07",
        "11 of 12 active periods",
        "Accepted publickey for carol",
    ] {
        assert!(
            text.replace("\n  ", " ").contains(wanted),
            "{wanted}: {text}"
        );
    }
}

#[test]
fn it_is_the_same_for_any_number_of_threads_and_over_a_restart() {
    let room = room();
    room.append("logs/auth.log.1", log(0..4));
    room.append("logs/auth.log", log(4..6));
    let (.., first) = replayed(&room, "2", "state");
    assert_eq!(first.lines().count(), 1, "bob's burst: {first}");
    room.append("logs/auth.log", log(6..10));
    let mut daemon = room.start();
    daemon.catch_up();
    daemon.stop();
    let halves = shown(&room, &["--json"]);
    assert_eq!(halves.lines().count(), 2, "{halves}");
    let known = |ledger: &str| -> Vec<Value> {
        let lines = ledger.lines().map(serde_json::from_str::<Value>);
        let mut lines: Vec<Value> = lines.map(Result::unwrap).collect();
        for line in &mut lines {
            // The service names a log by where it is, and by where it was.
            line["samples"][0]["file"].take();
        }
        lines
    };
    for threads in ["1", "3"] {
        let state = format!("whole-{threads}");
        let (.., whole) = replayed(&room, threads, &state);
        assert_eq!(known(&whole), known(&halves), "{threads} threads");
    }
}

#[test]
fn who_is_forgotten_is_forgotten_here_too() {
    let room = room();
    room.append("logs/auth.log", log(0..10));
    replayed(&room, "1", "state");
    let forget = [
        "baseline", "forget", "user:bob", "--state", "state", "-r", "rules",
    ];
    run(&room, &forget);
    let left = shown(&room, &["--json"]);
    assert_eq!(left.lines().count(), 1, "{left}");
    assert!(left.contains("carol") && !left.contains("bob"), "{left}");
}
