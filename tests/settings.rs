//! Logs that are each read in their own way: live, and replayed with the same
//! configuration.

use std::fs;

use crate::support::daemon::{Room, wait_until};

/// Failed logins of an address at seconds of an hour, by a machine's own clock.
fn failures(day: &str, hour: u32, seconds: &[u32], address: &str) -> String {
    let line = |text: String, at: &u32| {
        let (minute, second) = (at / 60, at % 60);
        let stamp = format!("{day}T{hour:02}:{minute:02}:{second:02}");
        text + &format!(
            "{stamp} web1 sshd[{at}]: Failed password for root from {address} port 4000 ssh2\n"
        )
    };
    seconds.iter().fold(String::new(), line)
}

/// A room with logs of two machines in two zones, and a third of bare messages.
fn two_zones() -> Room {
    let room = Room::new();
    let config = "[input]\npaths = ['logs/*.log']\n[rules]\npaths = ['rules']\n\
         [[input.log]]\npaths = ['logs/berlin.log']\ntimezone = 'Europe/Berlin'\n\
         [[input.log]]\npaths = ['logs/b*.log', 'york/*.log']\ntimezone = 'America/New_York'\n\
         [state]\nfolder = 'state'\nsnapshot-seconds = 1\n\
         [alerts]\nstdout = false\nfile = 'alerts.jsonl'\n";
    fs::write(room.path("tipstaff.toml"), config).unwrap();
    fs::create_dir(room.path("york")).unwrap();
    // Three within a minute, of which no log has more than two.
    let day = "2025-06-02";
    for (n, start) in (0..20_u32).map(|n| (n, n * 120)) {
        let address = format!("10.0.0.{n}");
        room.append(
            "logs/berlin.log",
            failures(day, 14, &[start, start + 20], &address),
        );
        room.append("york/auth.log", failures(day, 8, &[start + 40], &address));
    }
    room
}

/// A replay's alerts: id and revision of each.
fn replayed(room: &Room, arguments: &[&str]) -> Vec<String> {
    let output = room
        .command(&["replay", "--quiet", "--output", "json"])
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    let key = |line: &str| {
        let alert: serde_json::Value = serde_json::from_str(line).unwrap();
        format!("{} {}", alert["id"], alert["revision"])
    };
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(key)
        .collect()
}

#[test]
fn logs_of_two_zones_raise_live_what_a_replay_with_the_same_configuration_raises() {
    let room = two_zones();
    let expected = replayed(&room, &["--config", "tipstaff.toml"]);
    assert!(expected.len() >= 20, "{}", expected.len());
    let named = ["--config", "tipstaff.toml", "york", "logs/berlin.log"];
    assert_eq!(replayed(&room, &named), expected, "whatever their order");
    let one_zone = [
        "--rules",
        "rules",
        "--timezone",
        "Europe/Berlin",
        "logs",
        "york",
    ];
    assert!(
        replayed(&room, &one_zone).is_empty(),
        "read in one zone they are hours apart"
    );
    let mut daemon = room.start();
    daemon.catch_up();
    wait_until("all alerts", || room.alerts().len() >= expected.len());
    // A restart keeps each log's own way.
    daemon.stop();
    let address = "10.0.1.1";
    room.append(
        "logs/berlin.log",
        failures("2025-06-02", 15, &[0, 20], address),
    );
    room.append("york/auth.log", failures("2025-06-02", 9, &[40], address));
    let mut daemon = room.start();
    daemon.catch_up();
    daemon.stop();
    let mut live = room.alerts();
    let mut again = replayed(&room, &["--config", "tipstaff.toml"]);
    live.sort();
    again.sort();
    assert!(again.len() > expected.len());
    assert_eq!(live, again, "{}", room.errors());
}

#[test]
fn a_log_is_read_as_the_format_program_and_logsource_that_it_is_given() {
    let room = Room::new();
    fs::write(
        room.path("bare.log"),
        "Failed password for root from 192.0.2.7 port 22 ssh2\n",
    )
    .unwrap();
    fs::write(
        room.path("github.json"),
        "{\"@timestamp\":\"2025-06-02T10:00:00Z\",\"action\":\"repo.destroy\"}\n",
    )
    .unwrap();
    let summary = |config: &str| {
        let config =
            format!("[input]\npaths = ['*.log', '*.json']\n[rules]\npaths = ['rules']\n{config}");
        fs::write(room.path("tipstaff.toml"), config).unwrap();
        let replay = ["replay", "--config", "tipstaff.toml"];
        let output = room.command(&replay).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(summary("").contains("0 events; 2 lines not mine"));
    let own = "[[input.log]]\npaths = ['*.json']\nlogsource = 'product=github,service=audit'\n\
               [[input.log]]\npaths = ['bare.log']\nprogram = 'sshd'\n";
    let said = summary(own);
    assert!(said.contains("2 events; 0 lines not mine"), "{said}");
    let said = summary(&own.replace("program = 'sshd'", "format = 'sudo'"));
    assert!(said.contains("1 event;"), "{said}");
}

#[test]
fn a_configuration_and_options_that_say_the_same_are_not_taken_together() {
    let room = two_zones();
    for option in [
        ["--timezone", "UTC"],
        ["--program", "sshd"],
        ["--format", "sshd"],
        ["--ipv6-prefix", "64"],
        ["--logsource", "product=github,service=audit"],
    ] {
        let replay = ["replay", "--config", "tipstaff.toml"];
        let output = room.command(&replay).args(option).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{option:?}");
    }
    let replay = ["replay", "--config", "none.toml"];
    assert_eq!(
        room.command(&replay).output().unwrap().status.code(),
        Some(7)
    );
}
