//! Stopped, killed, reloaded and started again: no line is lost, none counts
//! twice, and what is damaged is said aloud.

use std::fs;
use std::io::Write;
use std::time::Duration;

use tipstaff::durable;

use crate::support::daemon::{Room, lines, must, now};

const MAGIC: [u8; 8] = *b"tipstate";

#[test]
fn a_stop_and_a_start_lose_nothing_and_count_nothing_twice() {
    let room = Room::new();
    room.append("logs/auth.log", lines(0, 1001));
    for (from, to) in [(1001, 1502), (1502, 2002), (2002, 2502)] {
        let mut daemon = room.start();
        daemon.catch_up();
        daemon.stop();
        room.append("logs/auth.log", lines(from, to));
    }
    let mut daemon = room.start();
    daemon.catch_up();
    daemon.stop();
    room.agrees_with_replay(&["logs"]);
    assert!(room.errors().contains("going on from the saved state"));
}

#[test]
fn rotation_while_it_is_down_loses_nothing() {
    let room = Room::new();
    let logs = room.path("logs");
    let sh = |script: &str| must("sh", &["-c", script], &logs);
    room.append("logs/auth.log", lines(0, 503));
    let visit = || {
        let mut daemon = room.start();
        daemon.catch_up();
        daemon.stop();
    };
    visit();
    // Renamed, with lines that were never seen; and a new file.
    room.append("logs/auth.log", lines(503, 777));
    sh("mv auth.log auth.log.1");
    room.append("logs/auth.log", lines(777, 1111));
    visit();
    // Copied and truncated.
    room.append("logs/auth.log", lines(1111, 1333));
    sh("mv auth.log.1 auth.log.2; cp auth.log auth.log.1; : > auth.log");
    room.append("logs/auth.log", lines(1333, 1400));
    visit();
    // Renamed and compressed at once, twice over.
    room.append("logs/auth.log", lines(1400, 1600));
    sh(
        "mv auth.log.2 auth.log.3; mv auth.log.1 auth.log.2; gzip -c auth.log > auth.log.1.gz; rm auth.log",
    );
    room.append("logs/auth.log", lines(1600, 1810));
    sh(
        "mv auth.log.3 auth.log.4; mv auth.log.2 auth.log.3; mv auth.log.1.gz auth.log.2.gz; gzip -c auth.log > auth.log.1.gz; rm auth.log",
    );
    room.append("logs/auth.log", lines(1810, 2222));
    visit();
    room.agrees_with_replay(&["logs"]);
}

/// A small generator of fixed numbers (Marsaglia's xorshift64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[test]
fn killed_a_dozen_times_every_alert_is_written_once() {
    let room = Room::new();
    let mut dice = Dice(0x5eed_0001);
    let mut written = 0;
    let mut rotations = 0;
    room.append("logs/auth.log", "");
    let mut first = room.start();
    first.hear("READY=1");
    first.kill();
    for round in 0..12 {
        let daemon = room.start();
        let (start, life) = (now(), Duration::from_millis(30 + dice.roll(1400)));
        while start.elapsed() < life {
            let next = written + 1 + usize::try_from(dice.roll(30)).unwrap();
            room.append("logs/auth.log", lines(written, next));
            written = next;
            std::thread::sleep(Duration::from_millis(10));
        }
        daemon.kill();
        if round % 4 == 3 {
            rotations += 1;
            let to = format!("logs/auth.log-202506{rotations:02}");
            fs::rename(room.path("logs/auth.log"), room.path(&to)).unwrap();
        }
    }
    room.append("logs/auth.log", lines(written, written + 100));
    let mut daemon = room.start();
    daemon.catch_up();
    daemon.stop();
    room.agrees_with_replay(&["logs"]);
}

#[test]
fn the_second_service_on_a_state_folder_is_refused() {
    let room = Room::new();
    let mut first = room.start();
    first.hear("READY=1");
    let second = room
        .command(&["run", "--config", "tipstaff.toml"])
        .output()
        .unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(8), "{said}");
    assert!(said.contains("another tipstaff is using"), "{said}");
    first.stop();
}

#[test]
fn a_damaged_snapshot_is_said_aloud_and_the_one_before_is_used() {
    let room = Room::new();
    room.append("logs/auth.log", lines(0, 600));
    for to in [900, 1200] {
        let mut daemon = room.start();
        daemon.catch_up();
        daemon.stop();
        room.append("logs/auth.log", lines(to - 300, to));
    }
    let newest = room.path("state/state.snapshot");
    let whole = fs::read(&newest).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0x10;
    for damaged in [&flipped[..], &whole[..whole.len() / 3], b""] {
        fs::write(&newest, damaged).unwrap();
        fs::copy(room.path("state/state.previous"), room.path("kept")).unwrap();
        let before = room.errors().len();
        let mut daemon = room.start();
        daemon.catch_up();
        daemon.kill();
        let said = &room.errors()[before..];
        assert!(
            said.contains("state.snapshot: its checksum does not match"),
            "{said}"
        );
        assert!(said.contains("going on from the saved state"), "{said}");
        fs::copy(room.path("kept"), room.path("state/state.previous")).unwrap();
    }
    let mut daemon = room.start();
    daemon.catch_up();
    daemon.stop();
    room.agrees_with_replay(&["logs"]);
}

#[test]
fn a_newer_snapshot_is_refused_and_left_as_it_is() {
    let room = Room::new();
    fs::create_dir(room.path("state")).unwrap();
    let path = room.path("state/state.snapshot");
    durable::write(&path, MAGIC, 99, b"from the future").unwrap();
    let before = fs::read(&path).unwrap();
    let output = room
        .command(&["run", "--config", "tipstaff.toml"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(8), "{said}");
    assert!(
        said.contains("format version 99") && said.contains("use the newer tipstaff"),
        "{said}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_stop_far_behind_is_prompt_and_goes_on_later() {
    let room = Room::new();
    room.append("logs/auth.log", "");
    let mut log = fs::OpenOptions::new()
        .append(true)
        .open(room.path("logs/auth.log"))
        .unwrap();
    // 60 MB of lines that say nothing, and in the end some that do.
    let noise =
        "2025-05-31T00:00:00+00:00 web1 app[1]: nothing to see here, and so on, and so on\n";
    let noise = noise.repeat(12_500);
    for _ in 0..60 {
        log.write_all(noise.as_bytes()).unwrap();
    }
    room.append("logs/auth.log", lines(0, 1000));
    let mut daemon = room.start();
    daemon.hear("READY=1");
    let status = daemon.hear("STATUS=");
    assert!(
        status.contains("catching up"),
        "ready before all is read: {status}"
    );
    let asked = now();
    daemon.signal("TERM");
    assert!(daemon.ended().success());
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    assert!(room.path("state/state.snapshot").exists());
    assert_eq!(
        room.alerts(),
        Vec::<String>::new(),
        "it was stopped before its alerts"
    );
    let mut daemon = room.start();
    daemon.catch_up();
    daemon.stop();
    room.agrees_with_replay(&["logs"]);
}

/// Two logs of three days: one of a busy host and one with a line an hour,
/// whose users fail at both within the same minute.
fn two_hosts(room: &Room) {
    let stamp = |second: u32| {
        let (day, s) = (1 + second / 86_400, second % 86_400);
        format!(
            "2025-06-{day:02}T{:02}:{:02}:{:02}+00:00",
            s / 3600,
            s / 60 % 60,
            s % 60
        )
    };
    let fail = |second: u32, host: &str| {
        let address = format!("10.7.{}.{}", second / 900 / 250, second / 900 % 250);
        format!(
            "{} {host} sshd[1]: Failed password for root from {address} port 1 ssh2\n",
            stamp(second)
        )
    };
    let (mut busy, mut slow) = (String::new(), String::new());
    for second in 0..3 * 86_400 {
        if second % 900 < 50 && second % 25 == 0 {
            busy += &fail(second, "busy");
        } else {
            busy += &[&stamp(second), " busy app[1]: nothing to see here\n"].concat();
        }
        // The third failure within the minute is the other host's.
        if second % 900 == 55 {
            slow += &fail(second, "slow");
        }
    }
    room.append("logs/busy.log", busy);
    room.append("logs/slow.log", slow);
    let paths = "['logs/busy.log', 'logs/slow.log']";
    room.configure(paths, "alerts.jsonl", 1);
}

#[test]
fn a_small_log_does_not_run_ahead_of_a_large_one() {
    let room = Room::new();
    two_hosts(&room);
    assert!(room.replayed(&["logs"]).len() >= 280);
    // Stopped on the way, at any point.
    for n in 0..3 {
        let mut daemon = room.start();
        daemon.hear("READY=1");
        std::thread::sleep(Duration::from_millis(50 * n));
        daemon.stop();
    }
    let mut daemon = room.start();
    daemon.catch_up();
    daemon.stop();
    room.agrees_with_replay(&["logs"]);
    let said = room.errors();
    assert!(
        !said.contains("late=1") && said.contains("late=0"),
        "{said}"
    );
}
