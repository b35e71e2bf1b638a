//! The site's own tables of networks and users, in every command that takes them.

use std::fs;
use std::process::Output;

use serde_json::Value;

use crate::support::daemon::{Room, wait_until};

/// An alert for logins from outside of NL, and one for whom the directory does
/// not hold to be active; for three networks of one user within a day, too.
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
title: Abroad
id: 22222222-2222-4222-8222-222222222222
status: stable
logsource: {product: linux, service: sshd}
detection:
    selection: {event.outcome: success, source.geo.country_iso_code|exists: true}
    home: {source.geo.country_iso_code: NL}
    condition: selection and not home
level: high
---
title: Gone
id: 33333333-3333-4333-8333-333333333333
status: stable
logsource: {product: linux, service: sshd}
detection:
    selection: {directory.badge: '17', directory.status: left}
    condition: selection
level: high
---
title: Networks
id: 44444444-4444-4444-8444-444444444444
status: stable
correlation:
    type: value_count
    rules: [login]
    group-by: [user.name]
    timespan: 1d
    condition: {field: source.as.number, gte: 2}
level: high
";

const NETWORKS: &str = "\
cidr,asn,as_name,country,lat,lon
198.51.0.0/16,64500,\"Example, North\",NL,52.4,4.9
nonsense,1,x,NL,,
198.51.100.0/24,AS64501,Example South,BR,-23.5,-46.6
198.51.101.0/24,x,Broken,BR,,
";

const DIRECTORY: &str = "\
user,team,badge,end_day
alice,ops,17,2025-05-31
,ops,18,
bob,lab,17,2025-06-30
";

const LOG: &str = "\
2025-06-01T10:00:00+00:00 web1 sshd[1]: Accepted password for alice from 198.51.7.1 port 4000 ssh2
2025-06-01T10:01:00+00:00 web1 sshd[2]: Accepted password for bob from 198.51.100.9 port 4000 ssh2
2025-06-01T10:02:00+00:00 web1 sshd[3]: Accepted password for bob from 198.51.7.2 port 4000 ssh2
2025-06-01T10:03:00+00:00 web1 sshd[4]: Accepted password for mallory from 203.0.113.9 port 4000 ssh2
";

fn room() -> Room {
    let room = Room::new();
    for (name, text) in [
        ("rules/test.yml", RULES),
        ("networks.csv", NETWORKS),
        ("directory.csv", DIRECTORY),
        ("logs/auth.log", LOG),
    ] {
        fs::write(room.path(name), text).unwrap();
    }
    room
}

const TABLES: [&str; 4] = ["--networks", "networks.csv", "--directory", "directory.csv"];

fn run(room: &Room, arguments: &[&str], tables: &[&str]) -> Output {
    let output = room.command(arguments).args(tables).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    output
}

/// Title and entity of each alert, in order.
fn alerts(output: &Output) -> Vec<String> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let told = |line: &str| {
        let alert: Value = serde_json::from_str(line).unwrap();
        let title = alert["rule"]["title"].as_str().unwrap();
        format!("{title} {}", alert["entity"]["user.name"].as_str().unwrap())
    };
    text.lines().map(told).collect()
}

#[test]
fn rules_see_country_network_and_status_and_broken_rows_are_told() {
    let room = room();
    let replay = ["replay", "--output", "json", "--rules", "rules", "logs"];
    let output = run(&room, &replay, &TABLES);
    let found = alerts(&output);
    assert_eq!(found, ["Gone alice", "Abroad bob", "Networks bob"]);
    let said = String::from_utf8_lossy(&output.stderr);
    for wanted in [
        "networks.csv:3: \"nonsense\" is no network",
        "networks.csv:5: \"x\" is no number of an AS",
        "directory.csv:3: the row names no user",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let many = [&replay[..], &["--threads", "3"]].concat();
    assert_eq!(run(&room, &many, &TABLES).stdout, output.stdout);
    // Without tables nothing of it is known, and the rules are silent.
    assert!(alerts(&run(&room, &replay, &[])).is_empty());
}

#[test]
fn parse_shows_what_the_tables_say() {
    let room = room();
    let output = run(&room, &["parse", "logs/auth.log"], &TABLES);
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let second = &rows[1]["event"];
    assert_eq!(second["source.as.number"], 64_501);
    assert_eq!(second["source.as.organization.name"], "Example South");
    assert_eq!(second["source.geo.location"], "-23.5,-46.6");
    assert_eq!(second["directory.badge"], "17");
    assert_eq!(second["directory.status"], "active");
    assert_eq!(rows[3]["event"].get("directory.badge"), None);
    assert_eq!(rows[3]["event"].get("source.as.number"), None);
}

/// Fires for whom enters a database from a desktop.
const BY_HOST: &str = "\
title: Desktop to database
id: 55555555-5555-4555-8555-555555555555
status: stable
logsource: {product: linux, service: sshd}
detection:
    selection: {event.outcome: success, hosts.role: database, source.hosts.role: desktop}
    condition: selection
level: high
";

#[test]
fn rules_see_what_a_host_is_for_and_a_broken_row_is_told() {
    let room = room();
    fs::write(room.path("rules/test.yml"), BY_HOST).unwrap();
    let hosts = "host,address,role\ndb*,,database\n,198.51.100.0/25,desktop\nx,nowhere,y\n";
    fs::write(room.path("hosts.csv"), hosts).unwrap();
    let log = LOG.replace("web1 sshd[2]", "db7 sshd[2]");
    fs::write(
        room.path("logs/auth.log"),
        log.replace("web1 sshd[3]", "db7 sshd[3]"),
    )
    .unwrap();
    let replay = ["replay", "--output", "json", "--rules", "rules", "logs"];
    let output = run(&room, &replay, &["--hosts", "hosts.csv"]);
    assert_eq!(alerts(&output), ["Desktop to database bob"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("hosts.csv:4: \"nowhere\" is no address"),
        "{said}"
    );
}

#[test]
fn several_files_of_networks_are_asked_one_after_another() {
    let room = room();
    fs::write(
        room.path("asn.csv"),
        "cidr,asn,country\n0.0.0.0/0,64999,US\n",
    )
    .unwrap();
    fs::write(room.path("city.csv"), "cidr,country\n198.51.0.0/16,NL\n").unwrap();
    let tables = ["--networks", "city.csv", "--networks", "asn.csv"];
    let output = run(&room, &["parse", "logs/auth.log"], &tables);
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let known = |row: usize| {
        let event = &rows[row]["event"];
        let country = event["source.geo.country_iso_code"].as_str().unwrap();
        (
            event["source.as.number"].as_i64().unwrap(),
            country.to_owned(),
        )
    };
    assert_eq!(known(0), (64_999, "NL".to_owned()));
    assert_eq!(known(3), (64_999, "US".to_owned()));
    // What is cut short is no table, and says which file it is.
    fs::write(room.path("city.mmdb"), b"\0\0\0\xab\xcd\xefMaxMind.com").unwrap();
    let mut command = room.command(&["parse", "logs/auth.log"]);
    let output = command.args(["--networks", "city.mmdb"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("city.mmdb: a value goes beyond"), "{said}");
}

#[test]
fn match_looks_events_up_too() {
    let room = room();
    let event = r#"{"event.outcome":"success","source.ip":"198.51.100.3","user.name":"carol"}"#;
    fs::write(room.path("events.json"), event).unwrap();
    let output = run(
        &room,
        &["match", "--rules", "rules", "events.json"],
        &TABLES,
    );
    let record: Value = serde_json::from_slice(&output.stdout).unwrap();
    let abroad = "22222222-2222-4222-8222-222222222222";
    assert_eq!(record["rules"], serde_json::json!([abroad]));
}

#[test]
fn a_file_that_is_no_table_ends_the_command_before_any_log_is_read() {
    let room = room();
    fs::write(room.path("networks.csv"), "network,asn\n").unwrap();
    let mut command = room.command(&["replay", "--rules", "rules", "logs"]);
    let output = command.args(TABLES).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no column `cidr`"), "{said}");
}

#[test]
fn the_service_reads_a_table_again_when_it_changes() {
    let room = room();
    let config = fs::read_to_string(room.path("tipstaff.toml")).unwrap();
    let config = config + "[enrich]\nnetworks = 'networks.csv'\ndirectory = 'directory.csv'\n";
    fs::write(room.path("tipstaff.toml"), config).unwrap();
    let mut daemon = room.start();
    daemon.catch_up();
    wait_until("the first alerts", || room.alerts().len() == 3);
    // A broken table changes nothing.
    fs::write(room.path("directory.csv"), "").unwrap();
    wait_until("its refusal", || {
        room.errors().contains("stay as they were")
    });
    room.append(
        "logs/auth.log",
        "2025-06-01T10:04:00+00:00 web1 sshd[5]: Accepted password for alice from 198.51.7.1 port 1 ssh2\n",
    );
    let with_mallory = format!("{DIRECTORY}mallory,,17,2020-01-01\n");
    fs::write(room.path("directory.csv"), with_mallory).unwrap();
    wait_until("the new table", || room.errors().contains("read again"));
    room.append(
        "logs/auth.log",
        "2025-06-01T10:05:00+00:00 web1 sshd[6]: Accepted password for mallory from 198.51.7.9 port 1 ssh2\n",
    );
    wait_until("mallory's alert", || {
        let text = fs::read_to_string(room.path("alerts.jsonl")).unwrap();
        text.contains("mallory")
    });
    daemon.stop();
}
