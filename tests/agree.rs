//! The same logs and rules give the same alerts, byte for byte: for any number
//! of threads, and however the input is cut.

use std::process::Command;

fn replayed(threads: &str, paths: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_tipstaff"))
        .args([
            "replay",
            "--output",
            "json",
            "--rules",
            "rules",
            "--threads",
            threads,
        ])
        .args(paths)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[test]
fn alerts_are_byte_identical_for_1_2_and_8_threads() {
    let paths = ["sample-logs/court"];
    let one = replayed("1", &paths);
    assert!(one.len() > 1000, "the showcase raises alerts");
    for threads in ["2", "8"] {
        let many = replayed(threads, &paths);
        assert!(one == many, "{threads} threads give other alerts than one");
    }
}

#[test]
fn a_second_run_gives_the_same_bytes() {
    let paths = ["sample-logs/scenarios/ssh-brute-force"];
    assert_eq!(replayed("1", &paths), replayed("1", &paths));
}

#[test]
fn a_log_cut_in_two_by_rotation_gives_the_same_alerts() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, cut) = (folder.path().join("whole"), folder.path().join("cut"));
    for path in [&whole, &cut] {
        std::fs::create_dir(path).unwrap();
    }
    let text = std::fs::read("sample-logs/scenarios/ssh-guess-then-success/auth.log").unwrap();
    let middle = text.len() / 2;
    let at = middle + text[middle..].iter().position(|&b| b == b'\n').unwrap() + 1;
    std::fs::write(whole.join("auth.log"), &text).unwrap();
    std::fs::write(cut.join("auth.log.1"), &text[..at]).unwrap();
    std::fs::write(cut.join("auth.log"), &text[at..]).unwrap();
    let ids = |path: &std::path::Path| {
        let bytes = replayed("1", &[path.to_str().unwrap()]);
        let text = String::from_utf8(bytes).unwrap();
        let ids = text.lines().map(|line| {
            let alert: serde_json::Value = serde_json::from_str(line).unwrap();
            (alert["id"].to_string(), alert["revision"].to_string())
        });
        ids.collect::<Vec<_>>()
    };
    let found = ids(&whole);
    assert!(!found.is_empty());
    assert_eq!(found, ids(&cut));
}
