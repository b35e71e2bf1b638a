//! The service as systemd and an administrator meet it: reloads, what it says
//! of itself, full disks, the unit.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::support::daemon::{Room, is_root, lines, must, now, wait_until};
use crate::support::skipped;

#[test]
fn reload_takes_new_rules_and_a_broken_set_changes_nothing() {
    let room = Room::new();
    room.append("logs/auth.log", lines(0, 500));
    let mut daemon = room.start();
    daemon.catch_up();
    // Two of the three guesses that raise an alert come before the reloads.
    room.append("logs/auth.log", lines(500, 502));
    let added = "title: Test good login\nid: 33333333-3333-4333-8333-333333333333\nstatus: stable\n\
                 logsource:\n    product: linux\n    service: sshd\ndetection:\n    selection:\n        \
                 event.outcome: success\n    condition: selection\nlevel: low\n";
    fs::write(
        room.path("rules/broken.yml"),
        added.replace("outcome", "outcome|no"),
    )
    .unwrap();
    daemon.signal("HUP");
    let usec = daemon.hear("MONOTONIC_USEC=");
    assert!(usec["MONOTONIC_USEC=".len()..].parse::<u64>().unwrap() > 0);
    assert!(daemon.heard.contains(&"RELOADING=1".to_owned()));
    daemon.hear("READY=1");
    daemon.hear("STATUS=watching; reload failed");
    let said = room.errors();
    assert!(said.contains("broken.yml:9:23"), "{said}");
    assert!(said.contains("the old ones stay in force"), "{said}");
    fs::remove_file(room.path("rules/broken.yml")).unwrap();
    fs::write(room.path("rules/added.yml"), added).unwrap();
    daemon.signal("HUP");
    daemon.hear("STATUS=watching; 2 rules that raise alerts are in force");
    room.append("logs/auth.log", lines(502, 600));
    let text = || fs::read_to_string(room.path("alerts.jsonl")).unwrap_or_default();
    crate::support::daemon::wait_until("an alert of the new rule", || {
        text().contains("Test good login")
    });
    daemon.stop();
    // The old rule's alerts are those of a replay: it forgot nothing.
    let old = |name: &str| -> Vec<String> {
        let output = room
            .command(&["replay", "--output", "json", "--rules", name, "logs"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .filter(|l| l.contains("Test guessing often"))
            .map(|l| l[..80].to_owned())
            .collect()
    };
    let live: Vec<String> = text()
        .lines()
        .filter(|l| l.contains("Test guessing often"))
        .map(|l| l[..80].to_owned())
        .collect();
    assert_eq!(live, old("rules/test.yml"));
}

#[test]
fn a_storm_of_reloads_is_a_few() {
    let room = Room::new();
    room.append("logs/auth.log", lines(0, 500));
    let mut daemon = room.start();
    // The first comes while it starts: nobody listens for it yet, or it is heeded.
    daemon.catch_up();
    for _ in 0..100 {
        daemon.signal("HUP");
        std::thread::sleep(Duration::from_millis(5));
    }
    room.append("logs/auth.log", lines(500, 600));
    daemon.hear("RELOADING=1");
    daemon.signal("TERM");
    daemon.hear("STOPPING=1");
    let reloads = daemon
        .heard
        .iter()
        .filter(|word| *word == "RELOADING=1")
        .count();
    assert!((1..=20).contains(&reloads), "{reloads} reloads");
    assert!(daemon.ended().success());
}

#[test]
fn a_reload_that_comes_while_it_starts_is_no_end() {
    let room = Room::new();
    // So many rules that a start takes a while.
    let rule = fs::read_to_string(room.path("rules/test.yml")).unwrap();
    let one = rule.split("---").next().unwrap();
    for n in 0..1500 {
        let rule = one
            .replace("11111111-1111", &format!("{n:08}-1111"))
            .replace("test_failure", &format!("many_{n}"));
        fs::write(room.path(&format!("rules/many{n}.yml")), rule).unwrap();
    }
    let mut daemon = room.start();
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(10));
        daemon.signal("HUP");
    }
    daemon.hear("READY=1");
    daemon.hear("RELOADING=1");
    daemon.hear("READY=1");
    daemon.stop();
}

#[test]
fn systemd_hears_of_each_state_and_the_watchdog_is_fed() {
    let room = Room::new();
    room.append("logs/auth.log", lines(0, 500));
    let mut daemon = room.start_with(&[("WATCHDOG_USEC", "300000")]);
    daemon.catch_up();
    let (start, fed) = (now(), daemon.heard.len());
    while start.elapsed() < Duration::from_secs(1) {
        daemon.hear("WATCHDOG=1");
    }
    let feeds = daemon.heard[fed..]
        .iter()
        .filter(|w| *w == "WATCHDOG=1")
        .count();
    assert!(feeds >= 6, "{feeds} feeds in a second, 3 in 300 ms are due");
    daemon.signal("TERM");
    daemon.hear("STOPPING=1");
    assert_eq!(
        daemon
            .heard
            .iter()
            .filter(|word| *word == "READY=1")
            .count(),
        1
    );
    assert!(daemon.ended().success());
}

/// A small disk of its own, unmounted at the end.
struct Disk<'a>(&'a Room, &'static str);

impl<'a> Disk<'a> {
    /// Mounts it on a folder of the room; `None` where that is not allowed.
    fn mount(room: &'a Room, name: &'static str) -> Option<Disk<'a>> {
        fs::create_dir_all(room.path(name)).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "none"])
            .arg(room.path(name))
            .stderr(std::process::Stdio::null())
            .status();
        mounted
            .is_ok_and(|s| s.success())
            .then_some(Disk(room, name))
    }

    /// Leaves no byte free.
    fn fill(&self) {
        let filler = self.0.path(self.1).join("filler");
        let _full = fs::write(filler, vec![0; 8 << 20]);
    }

    fn free(&self) {
        fs::remove_file(self.0.path(self.1).join("filler")).unwrap();
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("-l")
            .arg(self.0.path(self.1))
            .status();
    }
}

#[test]
fn a_full_state_folder_stops_no_detection() {
    let name = "a_full_state_folder_stops_no_detection";
    let room = Room::new();
    let Some(disk) = Disk::mount(&room, "state").filter(|_| is_root()) else {
        skipped(name, "mounting a small disk is not allowed here");
        return;
    };
    room.append("logs/auth.log", lines(0, 500));
    let mut daemon = room.start();
    daemon.catch_up();
    disk.fill();
    room.append("logs/auth.log", lines(500, 1000));
    daemon.hear("STATUS=watching; the state cannot be saved: No space left");
    wait_until("alerts while the disk is full", || {
        room.alerts().len() >= 200
    });
    assert!(
        room.errors()
            .contains("the state could not be saved; still watching")
    );
    let saved = || {
        fs::metadata(room.path("state/state.snapshot"))
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = saved();
    disk.free();
    let status = daemon.hear("STATUS=watching");
    assert_eq!(status, "STATUS=watching");
    assert!(saved() > before);
    daemon.stop();
    room.agrees_with_replay(&["logs"]);
}

#[test]
fn a_full_disk_under_the_alerts_file_loses_none_of_them() {
    let name = "a_full_disk_under_the_alerts_file_loses_none_of_them";
    let room = Room::new();
    let Some(disk) = Disk::mount(&room, "out.d").filter(|_| is_root()) else {
        skipped(name, "mounting a small disk is not allowed here");
        return;
    };
    room.configure("['logs/auth.log']", "out.d/alerts.jsonl", 1);
    std::os::unix::fs::symlink("out.d/alerts.jsonl", room.path("alerts.jsonl")).unwrap();
    room.append("logs/auth.log", lines(0, 100));
    let mut daemon = room.start();
    daemon.catch_up();
    disk.fill();
    room.append("logs/auth.log", lines(100, 250));
    daemon.hear("STATUS=watching; alerts cannot be written to out.d/alerts.jsonl");
    assert!(room.alerts().len() < 50, "the rest waits");
    disk.free();
    wait_until("the alerts that waited", || room.alerts().len() == 50);
    daemon.stop();
    room.agrees_with_replay(&["logs"]);
}

#[test]
fn an_alerts_file_that_is_rotated_away_is_opened_anew() {
    let room = Room::new();
    room.append("logs/auth.log", lines(0, 100));
    let mut daemon = room.start();
    daemon.catch_up();
    wait_until("the first alerts", || room.alerts().len() == 20);
    fs::rename(room.path("alerts.jsonl"), room.path("alerts.jsonl.1")).unwrap();
    room.append("logs/auth.log", lines(100, 200));
    wait_until("alerts in the new file", || room.alerts().len() == 20);
    daemon.stop();
}

#[test]
fn standard_output_that_nobody_reads_delays_no_stop() {
    let room = Room::new();
    let text = fs::read_to_string(room.path("tipstaff.toml")).unwrap();
    fs::write(
        room.path("tipstaff.toml"),
        text.replace("stdout = false", "stdout = true"),
    )
    .unwrap();
    // The only snapshot is the last.
    let text = fs::read_to_string(room.path("tipstaff.toml")).unwrap();
    let text = text.replace("seconds = 1", "seconds = 60");
    fs::write(room.path("tipstaff.toml"), text).unwrap();
    room.append("logs/auth.log", lines(0, 5000));
    // A pipe that is full after 64 KiB, and never read.
    let mut daemon = room.start_to(std::process::Stdio::piped());
    daemon.hear("READY=1");
    wait_until("the alerts in the file", || room.alerts().len() == 1000);
    let asked = now();
    daemon.signal("TERM");
    let status = daemon.ended();
    assert_eq!(
        status.code(),
        Some(6),
        "what was not taken comes again, and that is said"
    );
    assert!(
        asked.elapsed() < Duration::from_secs(8),
        "{:?}",
        asked.elapsed()
    );
    assert!(room.errors().contains("the state could not be saved"));
}

#[test]
fn the_unit_is_sound_and_safe() {
    let name = "the_unit_is_sound_and_safe";
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        skipped(name, "systemd-analyze is not installed");
        return;
    }
    let room = Room::new();
    let output = room.command(&["unit"]).output().unwrap();
    let unit = String::from_utf8(output.stdout).unwrap();
    fs::write(room.path("tipstaff.service"), &unit).unwrap();
    must(
        "systemd-analyze",
        &[
            "security",
            "--offline=true",
            "--threshold=15",
            "tipstaff.service",
        ],
        &room.path("."),
    );
    // It is not installed here: the program stands elsewhere.
    let here = unit.replace("/usr/bin/tipstaff", env!("CARGO_BIN_EXE_tipstaff"));
    fs::write(room.path("tipstaff.service"), here).unwrap();
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(room.path("tipstaff.service"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && !said.contains("tipstaff.service"),
        "{said}"
    );
}
