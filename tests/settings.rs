//! Logs that are each read in their own way: live, and replayed with the same
//! configuration.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use crate::support::daemon::{Room, lines, must, wait_until};

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

/// A clock's minutes over the night in which Berlin sets its clocks back, from
/// 23:30 UTC: seconds since then, and what the clock shows.
fn night(minute: u32) -> (String, u32) {
    let shown = 90 + minute - if minute >= 90 { 60 } else { 0 };
    (format!("{:02}:{:02}", shown / 60, shown % 60), minute * 60)
}

#[test]
fn an_hour_that_comes_twice_is_two_hours_live_and_replayed() {
    let room = Room::new();
    let config = fs::read_to_string(room.path("tipstaff.toml")).unwrap();
    let config = config.replace("[rules]", "timezone = 'Europe/Berlin'\n[rules]");
    fs::write(room.path("tipstaff.toml"), config).unwrap();
    // Every ten minutes an address of its own guesses thrice.
    let chunk = |minute: u32| {
        let (shown, _) = night(minute);
        let line = |second: u32| {
            let guess = format!("Failed password for root from 10.0.0.{minute} port 22 ssh2");
            format!("2025-10-26T{shown}:{second:02} web1 sshd[1]: {guess}\n")
        };
        [line(0), line(10), line(20)].concat()
    };
    let minutes: Vec<u32> = (0..18).map(|n| n * 10).collect();
    let whole: String = minutes.iter().map(|&minute| chunk(minute)).collect();
    fs::write(room.path("whole.log"), &whole).unwrap();
    let replay = ["replay", "--output", "json", "--config", "tipstaff.toml"];
    let read = |path: &str| {
        let output = room.command(&replay).arg(path).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("late"), "{said}");
        String::from_utf8(output.stdout).unwrap()
    };
    let alerts = read("whole.log");
    for minute in &minutes {
        let at = 23 * 3600 + 30 * 60 + minute * 60 + 20;
        let day = 25 + at / 86_400;
        let (hour, minutes) = (at / 3600 % 24, at / 60 % 60);
        let stamp = format!("2025-10-{day}T{hour:02}:{minutes:02}:20Z");
        assert!(
            alerts.contains(&stamp),
            "10.0.0.{minute} at {stamp}\n{alerts}"
        );
    }
    // Live, each time as much as there is.
    room.append("logs/auth.log", "");
    let mut daemon = room.start();
    daemon.catch_up();
    for (n, minute) in minutes.iter().enumerate() {
        room.append("logs/auth.log", chunk(*minute));
        wait_until("its alert", || room.alerts().len() > n);
    }
    daemon.stop();
    assert_eq!(
        room.alerts(),
        replayed(&room, &["--config", "tipstaff.toml", "logs"])
    );
}

/// Packets of a capture, some a day, over several midnights.
fn packets(count: u32) -> String {
    let line = |text: String, n: u32| {
        let at = 43_200 + n * 60;
        let (hour, minute) = (at / 3600 % 24, at / 60 % 60);
        text + &format!(
            "{hour:02}:{minute:02}:00.000000 IP 192.0.2.7.43436 > 198.51.100.5.22: Flags [S], seq 1, length 0\n"
        )
    };
    (0..count).fold(String::new(), line)
}

#[test]
fn packets_with_times_of_day_have_the_day_that_is_known_and_go_on_at_midnight() {
    let room = Room::new();
    fs::write(room.path("short.txt"), packets(780)).unwrap();
    fs::write(room.path("long.txt"), packets(6 * 1440)).unwrap();
    let touch = ["-d", "2025-03-02T01:00:00Z", "short.txt"];
    must("touch", &touch, &room.path(""));
    let span = |arguments: &[&str]| {
        let replay = ["replay", "--rules", "rules"];
        let output = room.command(&replay).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let span = said.lines().find(|line| line.starts_with("span"));
        let span = span.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        (output.status.code(), span.unwrap_or_default(), said)
    };
    let (code, day, said) = span(&["short.txt"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        day.starts_with("span 2025-03-01T12:00:00Z to 2025-03-02T00:59:00Z"),
        "{day}"
    );
    let (code, days, said) = span(&["--date", "2024-12-29", "long.txt"]);
    assert_eq!((code, said.contains("late")), (Some(0), false), "{said}");
    assert!(
        days.starts_with("span 2024-12-29T12:00:00Z to 2025-01-04T11:59:00Z"),
        "{days}"
    );
    // With a log that names its days.
    room.append("logs/auth.log", lines(2000, 2100));
    let (_, both, _) = span(&["logs/auth.log", "short.txt"]);
    assert!(
        both.starts_with("span 2025-06-01T03:53:20Z to 2025-06-02T00:59:00Z"),
        "{both}"
    );
    // Of no day that is known.
    let input = packets(10);
    for (command, code) in [("replay", 5), ("parse", 0)] {
        let mut arguments = vec![command, "-"];
        if command == "replay" {
            arguments.extend(["--rules", "rules"]);
        }
        let mut child = room
            .command(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(said.matches("--date YYYY-MM-DD").count(), 1, "{said}");
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(!out.contains("@timestamp"), "{out}");
    }
}

#[test]
fn parse_takes_the_year_of_stamps_that_name_none() {
    let room = Room::new();
    fs::write(
        room.path("a.log"),
        "Dec 31 23:59:58 web1 app: x\nJan  1 00:00:01 web1 app: y\n",
    )
    .unwrap();
    let output = room
        .command(&["parse", "--year", "2021", "a.log"])
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(
        out.contains("2021-12-31T23:59:58Z") && out.contains("2022-01-01T00:00:01Z"),
        "{out}"
    );
}
