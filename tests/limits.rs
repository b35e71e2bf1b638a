//! What is too long, too many, broken or forged is bounded, counted and told,
//! and hides nothing else.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::support::daemon::{Room, is_root, lines, peak_mb};
use crate::support::skipped;

/// Exit code, standard output and standard error of a replay in a room.
fn replay(room: &Room, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = room
        .command(&["replay", "--output", "json", "--rules", "rules"])
        .args(arguments)
        .output()
        .unwrap();
    told(output)
}

fn told(output: Output) -> (Option<i32>, String, String) {
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Replays what `write` writes to a pipe: the most memory it took in MB, and
/// the summary.
fn piped(room: &Room, write: impl FnOnce(&mut dyn Write)) -> (u64, String) {
    let mut child = room
        .command(&["replay", "--output", "json", "--rules", "rules", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    write(&mut pipe);
    pipe.flush().unwrap();
    // All but the 64 KiB that a pipe holds was taken by now.
    let peak = peak_mb(child.id());
    drop(pipe);
    let (code, _, said) = told(child.wait_with_output().unwrap());
    assert_eq!(code, Some(0), "{said}");
    assert!(peak > 0, "the peak was read while it lived");
    (peak, said)
}

/// The summary in one line, however it was wrapped.
fn flat(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_line_without_end_is_survived_in_constant_memory_and_counted() {
    let room = Room::new();
    let (peak, said) = piped(&room, |pipe| {
        let chunk = vec![b'a'; 1 << 20];
        for _ in 0..256 {
            pipe.write_all(&chunk).unwrap();
        }
        pipe.write_all(b"\n").unwrap();
        pipe.write_all(lines(0, 100).as_bytes()).unwrap();
    });
    let said = flat(&said);
    assert!(said.contains("1 line too long or not ended"), "{said}");
    assert!(said.contains("100 events;"), "what follows is read: {said}");
    assert!(peak < 100, "{peak} MB");
}

#[test]
fn a_line_without_end_in_a_followed_file_stops_nothing() {
    let room = Room::new();
    room.append("logs/auth.log", lines(0, 10));
    let chunk = vec![b'a'; 1 << 20];
    for _ in 0..64 {
        room.append("logs/auth.log", &chunk);
    }
    room.append("logs/auth.log", "\n");
    room.append("logs/auth.log", lines(10, 500));
    let mut daemon = room.start();
    daemon.catch_up();
    let peak = daemon.peak_mb();
    daemon.stop();
    assert!(room.errors().contains("truncated=1"), "{}", room.errors());
    assert!((1..100).contains(&peak), "{peak} MB");
    room.agrees_with_replay(&["logs"]);
}

#[test]
fn odd_bytes_are_survived_and_counted() {
    let room = Room::new();
    let text = lines(0, 40);
    let (before, after) = text.split_at(text.len() / 2);
    let end = before.rfind('\n').unwrap() + 1;
    let mut bytes = before.as_bytes()[..end].to_vec();
    bytes.extend(b"\0\0\0\n2025-06-01T00:02:00+00:00 web1 sshd[1]: Failed password for r\xf6\xf6t from 10.0.0.1 port 1 ssh2\r\n\xff\0\n\r\n");
    bytes.extend(&before.as_bytes()[end..]);
    bytes.extend(after.as_bytes());
    fs::write(room.path("logs/auth.log"), bytes).unwrap();
    let (code, alerts, said) = replay(&room, &["logs"]);
    let said = flat(&said);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("2 lines with NUL, 2 lines not UTF-8"),
        "{said}"
    );
    assert!(said.contains("41 events;"), "a CR is no harm: {said}");
    assert!(!alerts.is_empty());
}

#[test]
fn logs_that_cannot_be_read_are_named_and_hide_no_other() {
    let room = Room::new();
    for (from, name) in [(0, "a"), (200, "b"), (400, "c")] {
        fs::create_dir(room.path(&format!("logs/{name}"))).unwrap();
        room.append(&format!("logs/{name}/auth.log"), lines(from, from + 200));
    }
    fs::create_dir(room.path("logs/empty")).unwrap();
    let (code, alerts, said) = replay(&room, &["logs/empty", "nosuch.log"]);
    assert_eq!((code, &*alerts), (Some(4), ""), "{said}");
    let said = flat(&said);
    assert!(
        said.contains("logs/empty: there are no logs in this folder"),
        "{said}"
    );
    assert!(said.contains("nosuch.log: there is no such file"), "{said}");
    // A gzip file that breaks off inside its data.
    let folder = room.path("logs/b");
    crate::support::daemon::must("gzip", &["auth.log"], &folder);
    let packed = fs::read(folder.join("auth.log.gz")).unwrap();
    fs::write(folder.join("auth.log.gz"), &packed[..packed.len() / 2]).unwrap();
    let (code, alerts, said) = replay(&room, &["logs", "nosuch.log"]);
    let said = flat(&said);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("logs/b/auth.log.gz: damaged after"), "{said}");
    assert!(said.contains("nosuch.log: there is no such file"), "{said}");
    // 40 addresses in each of the two others.
    assert!(alerts.lines().count() >= 80, "{said}");
}

#[test]
fn a_log_that_may_not_be_read_is_told_with_its_remedy() {
    let name = "a_log_that_may_not_be_read_is_told_with_its_remedy";
    if !is_root() {
        skipped(name, "only root can become somebody else");
        return;
    }
    let room = Room::new();
    room.append("logs/auth.log", lines(0, 200));
    room.append("logs/secure", lines(200, 400));
    let all = "chmod -R a+rX . && chmod 600 logs/secure";
    crate::support::daemon::must("sh", &["-c", all], &room.path("."));
    // The program may be where nobody else can go: a copy of it is not.
    fs::copy(env!("CARGO_BIN_EXE_tipstaff"), room.path("tipstaff")).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(room.path("tipstaff"))
        .args([
            "replay",
            "--output",
            "json",
            "--rules",
            "rules",
            "logs/auth.log",
            "logs/secure",
        ])
        .current_dir(room.path("."))
        .output()
        .unwrap();
    let (code, alerts, said) = told(output);
    let said = flat(&said);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("logs/secure: permission denied"), "{said}");
    assert!(alerts.lines().count() >= 40, "{said}");
}

#[test]
fn one_bad_rule_among_ten_thousand_is_found_before_any_log_is_read() {
    let room = Room::new();
    let rules = fs::read_to_string(room.path("rules/test.yml")).unwrap();
    let one = rules.split("---").next().unwrap();
    for n in 0..10_000 {
        let rule = one
            .replace("11111111-1111", &format!("{n:08}-1111"))
            .replace("test_failure", &format!("many_{n}"));
        let rule = if n == 7007 {
            rule.replace("outcome:", "outcome|no:")
        } else {
            rule
        };
        fs::write(room.path(&format!("rules/many{n}.yml")), rule).unwrap();
    }
    let (code, alerts, said) = replay(&room, &["logs"]);
    assert_eq!((code, &*alerts), (Some(3), ""), "{said}");
    assert!(said.contains("rules/many7007.yml:11:23"), "{said}");
    assert!(said.contains("1 mistake in the rules"), "{said}");
    assert!(
        !said.contains("there are no logs"),
        "no log was looked for: {said}"
    );
    let mut run = room.command(&["run", "--config", "tipstaff.toml"]);
    assert_eq!(run.output().unwrap().status.code(), Some(3));
    assert!(!room.path("state").exists(), "nothing was begun");
}

#[test]
fn two_hundred_thousand_addresses_fit() {
    let room = Room::new();
    // The shipped rules, whose state is the largest.
    fs::remove_dir_all(room.path("rules")).unwrap();
    std::os::unix::fs::symlink(fs::canonicalize("rules").unwrap(), room.path("rules")).unwrap();
    let (peak, said) = piped(&room, |pipe| {
        let mut text = String::new();
        for n in 0..200_000_u32 {
            use std::fmt::Write as _;
            let (day, second) = (1 + n / 43_200, n % 43_200 * 2);
            let stamp = format!(
                "2025-06-{day:02}T{:02}:{:02}:{:02}Z",
                second / 3600,
                second / 60 % 60,
                second % 60
            );
            let [a, b, c] = [n / 65_536, n / 256 % 256, n % 256];
            writeln!(text, "{stamp} web1 sshd[{n}]: Failed password for root from 10.{a}.{b}.{c} port 4000 ssh2").unwrap();
            if text.len() > 1 << 18 {
                pipe.write_all(text.as_bytes()).unwrap();
                text.clear();
            }
        }
        pipe.write_all(text.as_bytes()).unwrap();
    });
    let said = flat(&said);
    assert!(said.contains("200,000 events;"), "{said}");
    // 202 MB with 78 baselines, of which nine keep something of each address.
    assert!(peak < 240, "{peak} MB");
}

#[test]
fn a_clock_that_jumps_moves_no_state_and_is_counted() {
    let room = Room::new();
    let forged = "2031-01-01T00:00:00+00:00 web1 sshd[1]: Failed password for root from 10.0.0.1 port 1 ssh2\n";
    room.append("logs/auth.log", lines(0, 300));
    let whole = room.replayed(&["logs"]);
    fs::remove_file(room.path("logs/auth.log")).unwrap();
    room.append("logs/auth.log", lines(0, 100) + forged + &lines(100, 300));
    let (_, _, said) = replay(&room, &["logs"]);
    assert!(
        flat(&said).contains("1 event stamped too far ahead"),
        "{said}"
    );
    assert_eq!(
        room.replayed(&["logs"]),
        whole,
        "a forged stamp changes no alert"
    );
    // The clock is set back an hour: 64 lines later that is the time.
    room.append(
        "logs/auth.log",
        lines(10_000, 10_600) + &lines(9_000, 9_600),
    );
    let (code, alerts, said) = replay(&room, &["logs"]);
    assert_eq!(code, Some(0));
    assert!(flat(&said).contains("64 events too late"), "{said}");
    assert!(
        alerts.lines().count() > whole.len() + 150,
        "it goes on after both: {}",
        alerts.lines().count()
    );
}

#[test]
fn stamps_without_a_year_cross_new_year() {
    let room = Room::new();
    let line = |stamp: &str, n: usize| {
        format!("{stamp} web1 sshd[1]: Failed password for root from 10.0.0.{n} port 1 ssh2\n")
    };
    let mut text = String::new();
    for n in 0..100 {
        text += &line(&format!("Dec 31 23:59:{:02}", n * 60 / 100), n / 4);
    }
    for n in 100..200 {
        text += &line(&format!("Jan  1 00:00:{:02}", (n - 100) * 60 / 100), n / 4);
    }
    room.append("logs/auth.log", text);
    crate::support::daemon::must(
        "touch",
        &["-d", "2026-01-01T00:01:00Z", "auth.log"],
        &room.path("logs"),
    );
    let (code, alerts, said) = replay(&room, &["logs"]);
    assert_eq!(code, Some(0));
    let said = flat(&said);
    assert!(
        said.contains("span 2025-12-31T23:59:00Z to 2026-01-01T00:00:59Z"),
        "{said}"
    );
    for odd in ["too late", "too far ahead", "without a time"] {
        assert!(!said.contains(odd), "none is late, none is early: {said}");
    }
    assert_eq!(alerts.lines().count(), 50);
    let mut daemon = room.start();
    daemon.catch_up();
    daemon.stop();
    room.agrees_with_replay(&["logs"]);
}
