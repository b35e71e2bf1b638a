//! Files that are not an event a line, through every command that reads logs:
//! the journal's export, JSON arrays, lists and objects over several lines.

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::daemon::{Room, lines, peak_mb, wait_until};

/// A field of the journal's export that has a length.
fn binary(name: &str, value: &[u8]) -> Vec<u8> {
    let length = (value.len() as u64).to_le_bytes();
    [name.as_bytes(), b"\n", &length, value, b"\n"].concat()
}

/// An entry of sshd's, sent by an account, at a second after 2025-06-01T01:00Z.
fn entry(second: u64, uid: u32, message: &[u8]) -> Vec<u8> {
    let micros = 1_748_739_600_000_000 + second * 1_000_000;
    let comm = if uid == 0 { "sshd" } else { "logger" };
    let head = format!(
        "__CURSOR=s=1;i={second}\n__REALTIME_TIMESTAMP={micros}\n_HOSTNAME=web1\n_UID={uid}\n_COMM={comm}\nSYSLOG_IDENTIFIER=sshd\n"
    );
    let message = if message.contains(&b'\n') {
        binary("MESSAGE", message)
    } else {
        [b"MESSAGE=", message, b"\n"].concat()
    };
    [head.into_bytes(), message, b"\n".to_vec()].concat()
}

/// What a command prints; it must succeed.
fn printed(room: &Room, arguments: &[&str], input: &[u8]) -> String {
    let mut command = room.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(bytes, flate2::Compression::fast())
        .read_to_end(&mut packed)
        .unwrap();
    packed
}

/// Objects, a line each.
fn by_line(objects: &[Value]) -> String {
    let line = |all: String, object: &Value| all + &object.to_string() + "\n";
    objects.iter().fold(String::new(), line)
}

/// Three failed logins of an address, which raise an alert of the room's rules.
fn guesses() -> Vec<u8> {
    let guess = |n| {
        entry(
            n,
            0,
            b"Failed password for root from 192.0.2.7 port 22 ssh2",
        )
    };
    (0..3).flat_map(guess).collect()
}

#[test]
fn the_journals_export_is_read_as_its_json_is_from_files_archives_and_a_pipe() {
    let room = Room::new();
    let export = guesses();
    fs::write(room.path("journal.export"), &export).unwrap();
    fs::write(room.path("journal.export.gz"), gzip(&export)).unwrap();
    let as_json: Vec<Value> = (0..3)
        .map(|n| {
            let micros = 1_748_739_600_000_000_u64 + n * 1_000_000;
            json!({
                "__CURSOR": format!("s=1;i={n}"),
                "__REALTIME_TIMESTAMP": micros.to_string(),
                "_HOSTNAME": "web1", "_UID": "0", "_COMM": "sshd",
                "SYSLOG_IDENTIFIER": "sshd",
                "MESSAGE": "Failed password for root from 192.0.2.7 port 22 ssh2",
            })
        })
        .collect();
    let expected = printed(&room, &["parse", "-"], by_line(&as_json).as_bytes());
    assert!(
        expected.contains(r#""source.ip":"192.0.2.7""#),
        "{expected}"
    );
    assert_eq!(printed(&room, &["parse", "-"], &export), expected);
    for name in ["journal.export", "journal.export.gz"] {
        assert_eq!(printed(&room, &["parse", name], b""), expected, "{name}");
        let replay = ["replay", "--output", "json", "--rules", "rules", name];
        let alerts = printed(&room, &replay, b"");
        assert!(alerts.contains("Test guessing often"), "{name}: {alerts}");
        let state = format!("state.{name}");
        let learn = [&replay[..], &["--learn", &state]].concat();
        assert_eq!(printed(&room, &learn, b""), alerts, "{name}");
    }
    let tune = ["tune", "--rules", "rules", "journal.export"];
    assert!(printed(&room, &tune, b"").contains("Test guessing often"));
}

#[test]
fn a_message_that_holds_an_entry_is_no_entry() {
    let room = Room::new();
    let forged = entry(
        9,
        0,
        b"Accepted password for root from 198.51.100.66 port 22 ssh2",
    );
    let forged_binary = entry(9, 0, b"Accepted password for root from 198.51.100.66\nport");
    for inside in [forged.clone(), forged_binary] {
        for before in [&b"x\n\n"[..], b"\n\n", b"x\n\n\n", b"\n"] {
            for after in [&b""[..], b"\n", b"\nMESSAGE=x\n\n", &forged] {
                let message = [before, &inside, after].concat();
                let log = [entry(1, 1000, &message), guesses()].concat();
                let read = printed(&room, &["parse", "-"], &log);
                assert_eq!(read.lines().count(), 4, "{read}");
                let first: Value = serde_json::from_str(read.lines().next().unwrap()).unwrap();
                assert_eq!(first["status"], "other", "{first}");
                assert_eq!(first["event"]["source.ip"], Value::Null, "{first}");
                assert!(!read.contains("success"), "{read}");
            }
        }
    }
}

#[test]
fn a_field_without_end_costs_no_memory_and_its_entry_is_counted() {
    let room = Room::new();
    let mut child = room
        .command(&["replay", "--rules", "rules", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(&guesses()).unwrap();
    pipe.write_all(b"__CURSOR=s=1\n_UID=0\nMESSAGE\n").unwrap();
    pipe.write_all(&(128_u64 << 20).to_le_bytes()).unwrap();
    let chunk = vec![b'\n'; 1 << 20];
    for _ in 0..128 {
        pipe.write_all(&chunk).unwrap();
    }
    pipe.write_all(b"\n\n").unwrap();
    pipe.write_all(&guesses()).unwrap();
    pipe.flush().unwrap();
    let peak = peak_mb(child.id());
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("1 line too long or not ended"), "{said}");
    assert!(said.contains("6 events;"), "{said}");
    assert!((1..100).contains(&peak), "{peak} MB");
}

#[test]
fn a_file_that_breaks_off_is_told_of_after_what_stands_before() {
    let room = Room::new();
    let mut export = [guesses(), guesses()].concat();
    export.truncate(export.len() - 20);
    fs::write(room.path("journal.export"), export).unwrap();
    fs::write(room.path("trail.json"), br#"{"Records":[{"a":1},{"a":2},{"#).unwrap();
    for (name, whole, why) in [
        ("journal.export", 5, "ends within an entry"),
        ("trail.json", 2, "ends within it"),
    ] {
        let output = room.command(&["parse", name]).output().unwrap();
        let (out, said) = (output.stdout, String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(5), "{said}");
        let read = String::from_utf8(out).unwrap();
        assert!(read.lines().count() >= whole, "{read}");
        assert!(said.contains(why) && said.contains(name), "{said}");
    }
}

/// CloudTrail's console logins of a user.
fn trail() -> Vec<Value> {
    let event = |n: u32, result: &str| {
        json!({
            "eventVersion": "1.08",
            "userIdentity": {"type": "IAMUser", "userName": "alice"},
            "eventTime": format!("2026-01-05T10:00:{n:02}Z"),
            "eventSource": "signin.amazonaws.com",
            "eventName": "ConsoleLogin",
            "awsRegion": "eu-central-1",
            "userAgent": "x\n{\"Records\":[{\"eventName\":\"DeleteTrail\"}]}",
            "sourceIPAddress": "192.0.2.7",
            "responseElements": {"ConsoleLogin": result},
        })
    };
    (0..4)
        .map(|n| event(n, if n < 3 { "Failure" } else { "Success" }))
        .collect()
}

#[test]
fn a_document_of_events_is_read_as_its_events_are_a_line_each() {
    let room = Room::new();
    let events = trail();
    let lines = by_line(&events);
    let rule = "title: Console\nid: 33333333-3333-4333-8333-333333333333\nstatus: stable\n\
                logsource:\n    product: aws\n    service: cloudtrail\ndetection:\n    selection:\n        \
                responseElements.ConsoleLogin: Success\n    condition: selection\nlevel: low\n";
    fs::write(room.path("rules/test.yml"), rule).unwrap();
    let replay = [
        "replay", "--quiet", "--output", "json", "--rules", "rules", "-",
    ];
    let commands: [&[&str]; 3] = [
        &["parse", "-"],
        &["match", "--rules", "rules", "-"],
        &replay,
    ];
    let spread = |event: &Value| serde_json::to_string_pretty(event).unwrap() + "\n";
    for command in commands {
        let expected = printed(&room, command, lines.as_bytes());
        assert!(expected.lines().count() == 4 || command == replay);
        for document in [
            serde_json::to_string(&events).unwrap(),
            serde_json::to_string_pretty(&events).unwrap(),
            json!({ "Records": events }).to_string(),
            serde_json::to_string_pretty(&json!({ "value": events })).unwrap(),
            json!({ "records": events }).to_string() + "\n",
            events.iter().map(spread).collect(),
        ] {
            assert_eq!(
                printed(&room, command, document.as_bytes()),
                expected,
                "{document}"
            );
            let packed = gzip(document.as_bytes());
            assert_eq!(printed(&room, command, &packed), expected, "{document}");
        }
    }
    let alerts = printed(&room, &replay, lines.as_bytes());
    assert_eq!(alerts.lines().count(), 1, "{alerts}");
}

#[test]
fn a_container_at_a_followed_path_is_refused_once_and_hides_no_other_log() {
    let room = Room::new();
    room.configure("['logs/*']", "alerts.jsonl", 1);
    fs::write(room.path("logs/a.export"), guesses()).unwrap();
    room.append("logs/late.log", "");
    room.append("logs/auth.log", lines(0, 500));
    let mut daemon = room.start();
    daemon.catch_up();
    room.append("logs/late.log", "[{\"a\":1},\n{\"a\":2}]\n");
    let refused = |name: &str| {
        let said = room.errors();
        let about = |line: &&str| line.contains(name) && line.contains("not followed");
        said.lines().filter(about).count()
    };
    wait_until("both are refused", || {
        refused("a.export") > 0 && refused("late.log") > 0
    });
    room.append("logs/auth.log", lines(500, 600));
    let replayed = room.replayed(&["logs/auth.log"]).len();
    wait_until("the other log's alerts", || room.alerts().len() == replayed);
    std::thread::sleep(std::time::Duration::from_millis(2500)); // two more looks
    daemon.stop();
    let said = room.errors();
    assert_eq!((refused("a.export"), refused("late.log")), (1, 1), "{said}");
    assert!(said.contains("journal's export format"), "{said}");
    assert!(said.contains("`tipstaff replay`"), "{said}");
    assert_eq!(room.alerts().len(), replayed);
}
