//! Who joins a team is expected to do as the team does: from the directory to the alert.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::support::daemon::Room;

const RULES: &str = "\
title: Login
id: 11111111-1111-4111-8111-111111111111
status: stable
name: login
logsource: {product: linux, service: sshd}
detection:
    selection: {event.action: ssh_login, event.outcome: success}
    condition: selection
level: low
---
title: Many logins
id: 22222222-2222-4222-8222-222222222222
status: stable
baseline:
    type: event_count
    rules: [login]
    group-by: [user.name]
    timespan: 1h
    learn: {season: none, peers: directory.team}
    condition: {surprise: {gte: 10}, value: {gte: 5}}
level: high
";

/// Ten days of ten who log in six times an hour and ten who hardly ever do;
/// then one new member of each team logs in six times.
fn log() -> String {
    let mut log = String::new();
    let mut line = |day: u32, hour: u32, second: u32, user: &str| {
        let (minute, second) = (second / 60, second % 60);
        writeln!(
            log,
            "2025-06-{day:02}T{hour:02}:{minute:02}:{second:02}+00:00 web1 sshd[1]: \
             Accepted password for {user} from 198.51.100.1 port 4000 ssh2"
        )
        .unwrap();
    };
    for day in 2..12 {
        for hour in 0..24 {
            for round in 0..6 {
                for user in 0..10 {
                    line(day, hour, round * 600 + user * 20, &format!("deploy{user}"));
                    if round == 0 && (hour + user) % 8 == 0 {
                        line(day, hour, user * 20 + 10, &format!("clerk{user}"));
                    }
                }
            }
        }
    }
    for hour in 9..12 {
        for round in 0..6 {
            line(12, hour, round * 600, "deploy-new");
            line(12, hour, round * 600 + 5, "clerk-new");
        }
    }
    log
}

fn directory() -> String {
    let mut text = "user,team\ndeploy-new,deploy\nclerk-new,office\n".to_owned();
    for user in 0..10 {
        writeln!(text, "deploy{user},deploy\nclerk{user},office").unwrap();
    }
    text
}

#[test]
fn a_new_deployer_deploys_and_a_new_clerk_who_does_is_told() {
    let room = Room::new();
    fs::write(room.path("rules/test.yml"), RULES).unwrap();
    fs::write(room.path("directory.csv"), directory()).unwrap();
    fs::write(room.path("logs/auth.log"), log()).unwrap();
    let users = |more: &[&str]| {
        let all = ["replay", "--output", "json", "--rules", "rules", "logs"];
        let output = room.command(&all).args(more).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let text = String::from_utf8(output.stdout).unwrap();
        let user = |line: &str| {
            let alert: Value = serde_json::from_str(line).unwrap();
            alert["entity"]["user.name"].as_str().unwrap().to_owned()
        };
        let mut users: Vec<String> = text.lines().map(user).collect();
        users.dedup();
        users
    };
    let tables = ["--directory", "directory.csv"];
    assert_eq!(users(&tables), ["clerk-new"]);
    assert_eq!(
        users(&[&tables[..], &["--threads", "3"]].concat()),
        ["clerk-new"]
    );
    // Without the directory both are new to a fleet of which half does as much.
    assert!(users(&[]).is_empty());
}

#[test]
fn peers_are_named_where_they_mean_something() {
    let room = Room::new();
    let rules = RULES.replace("type: event_count", "type: idle_gap");
    fs::write(room.path("rules/test.yml"), rules).unwrap();
    let output = room.command(&["check", "rules"]).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(
        said.contains("a idle_gap has no use for `peers:`"),
        "{said}"
    );
}
