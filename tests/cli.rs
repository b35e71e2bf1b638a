//! Black box: help, exit codes, output. Literal expected text.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program in a folder of its own, without the caller's settings.
fn tipstaff(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tipstaff"));
    command
        .current_dir(folder)
        .env_remove("TIPSTAFF_RULES")
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS")
        .stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    tipstaff(folder).args(arguments).output().unwrap()
}

/// Standard output of a run that must succeed and say nothing else.
fn printed(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), &*errors),
        (Some(0), ""),
        "{arguments:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Exit code and standard error of a run that must print nothing else.
fn refused(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(folder, arguments);
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(out, "", "{arguments:?} printed results");
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn commands() -> Vec<String> {
    let help = printed(&["-h"]);
    let list = help.split("Commands:\n").nth(1).unwrap();
    let list = list.split("\n\n").next().unwrap();
    let names = list
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn help_lists_the_exit_codes() {
    let help = printed(&["--help"]);
    let codes = "\
Exit codes:
  0  done (with or without alerts)
  1  `check --strict` found warnings, or a rule did not pass `test`
  2  the command line was not understood
  3  the rules cannot be loaded; no log was read
  4  no input could be read
  5  some input could not be read or was damaged; the rest was processed
  6  the output could not be written, or another failure outside tipstaff
  7  the configuration of the service cannot be used
  8  the state folder cannot be used
";
    assert!(help.ends_with(codes), "{help}");
}

#[test]
fn every_command_explains_itself_and_has_a_manual_page() {
    let names = commands();
    assert!(names.iter().any(|name| name == "replay"), "{names:?}");
    for name in &names {
        let long = printed(&[name, "--help"]);
        let short = printed(&[name, "-h"]);
        assert!(
            long.len() > short.len(),
            "{name}: --help says no more than -h"
        );
        let page = printed(&["man", name]);
        assert!(page.contains(&format!(".TH tipstaff-{name} 1")), "{page}");
    }
}

#[test]
fn completions_of_every_shell_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(&["completions", shell]);
        for name in commands() {
            assert!(script.contains(&name), "{shell} does not know {name}");
        }
    }
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["replya", "x"][..],
        &["replay"],
        &["replay", "--threads", "0", "x"],
        &["replay", "--timezone", "Mars/Base", "x"],
        &["replay", "--output", "xml", "x"],
        &["man", "replya"],
        &["fields", "no-such-field"],
        &[],
    ] {
        let (code, errors) = refused(folder.path(), arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {errors}");
        assert!(!errors.is_empty(), "{arguments:?}");
    }
}

#[test]
fn without_rules_no_log_is_read_and_the_remedy_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("auth.log"), "x\n").unwrap();
    if Path::new("/etc/tipstaff/rules").exists() || Path::new("/usr/share/tipstaff/rules").exists()
    {
        let test = "without_rules_no_log_is_read";
        crate::support::skipped(test, "this machine has rules in a default place");
        return;
    }
    let (code, errors) = refused(folder.path(), &["replay", "auth.log"]);
    assert_eq!(code, Some(3));
    assert_eq!(
        errors,
        "tipstaff: no rules: none of rules, /etc/tipstaff/rules, /usr/share/tipstaff/rules is a \
         folder; name some with --rules PATH or in TIPSTAFF_RULES\n"
    );
}

const RULE: &str = "\
title: Root logs in
id: 5d1f2b1e-0000-4000-8000-000000000001
description: Nobody should.
falsepositives:
  - An emergency
logsource:
  product: linux
  service: sshd
detection:
  sel:
    user.name: root
    event.action: ssh_login
  condition: sel
level: high
";

/// A folder with a sound rule in `rules/` and a broken one in `broken.yml`.
fn with_rules() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let broken = RULE.replace("user.name:", "user.name|contians:");
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    std::fs::write(folder.path().join("rules/root.yml"), RULE).unwrap();
    std::fs::write(folder.path().join("broken.yml"), broken).unwrap();
    folder
}

#[test]
fn check_shows_the_place_the_line_and_the_remedy() {
    let folder = with_rules();
    let output = run(folder.path(), &["check", "broken.yml"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "\
error[SIG008]: unknown modifier `contians`
  --> broken.yml:11:15
   |
11 |     user.name|contians: root
   |               ^^^^^^^^
   |
   = help: did you mean `contains`?

broken.yml: not loaded; 1 error, 0 warnings
"
    );
}

#[test]
fn check_counts_what_is_sound_and_strict_fails_on_warnings() {
    let folder = with_rules();
    let sound = run(folder.path(), &["check"]);
    let out = String::from_utf8(sound.stdout).unwrap();
    let count = "rules: 1 rule (1 detection, 0 correlations, 0 baselines); 0 errors, ";
    assert!(out.contains(count), "{out}");
    assert_eq!(sound.status.code(), Some(0));

    let vague = RULE.replace("description: Nobody should.\n", "");
    std::fs::write(folder.path().join("vague.yml"), vague).unwrap();
    let code = |arguments: &[&str]| run(folder.path(), arguments).status.code();
    assert_eq!(code(&["check", "vague.yml"]), Some(0));
    assert_eq!(code(&["check", "--strict", "vague.yml"]), Some(1));
}

#[test]
fn a_broken_rule_ends_replay_and_match_before_any_input_is_read() {
    let folder = with_rules();
    for command in ["replay", "match"] {
        let arguments = [command, "--rules", "broken.yml", "no-such-input"];
        let (code, errors) = refused(folder.path(), &arguments);
        assert_eq!(code, Some(3), "{errors}");
        assert!(errors.contains("broken.yml:11:15"), "{errors}");
        let last = "tipstaff: 1 mistake in the rules; mend what is shown above; no log was read\n";
        assert!(errors.ends_with(last), "{errors}");
    }
}

#[test]
fn replay_tells_some_input_from_none_by_its_exit_code() {
    let folder = with_rules();
    let (code, errors) = refused(folder.path(), &["replay", "--quiet", "missing.log"]);
    assert_eq!(code, Some(4));
    assert_eq!(
        errors,
        "! missing.log: there is no such file or folder; check the path\n"
    );
    let line = "2024-03-01T02:06:00+01:00 web1 sshd[77]: Accepted password for root from \
                203.0.113.9 port 4242 ssh2\n";
    std::fs::write(folder.path().join("auth.log"), line).unwrap();
    let arguments = [
        "replay",
        "--quiet",
        "--output",
        "json",
        "missing.log",
        "auth.log",
    ];
    let output = run(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(5), "one of two was read");
    let alert: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(alert["rule"]["title"], "Root logs in");
    assert_eq!(alert["samples"][0]["line"], 1);
    assert_eq!(alert["samples"][0]["text"], line.trim_end());
    let high = run(
        folder.path(),
        &["replay", "-q", "--min-level", "critical", "auth.log"],
    );
    assert_eq!((high.status.code(), high.stdout), (Some(0), Vec::new()));
}

#[test]
fn match_names_the_rules_of_each_event() {
    let folder = with_rules();
    let events = "\
{\"user\":{\"name\":\"root\"},\"event.action\":\"ssh_login\"}

not json
{\"user.name\":\"bob\",\"event.action\":\"ssh_login\"}
";
    std::fs::write(folder.path().join("events.jsonl"), events).unwrap();
    let matched = |logsource: &str| {
        let output = run(
            folder.path(),
            &["match", "--logsource", logsource, "events.jsonl"],
        );
        assert_eq!(output.status.code(), Some(5), "a line was not JSON");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(
        matched("product=linux,service=sshd"),
        "\
{\"n\":1,\"rules\":[\"5d1f2b1e-0000-4000-8000-000000000001\"]}
{\"n\":2,\"error\":\"not one JSON object\",\"rules\":[]}
{\"n\":3,\"rules\":[]}
"
    );
    assert!(!matched("product=windows").contains("5d1f2b1e"));
}

#[test]
fn parse_prints_each_line_in_order_and_a_missing_file_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let log = b"2024-03-01T02:06:00+01:00 web1 sshd[77]: Failed password for root from \
        203.0.113.9 port 4242 ssh2\nhello \xff\n";
    std::fs::write(folder.path().join("auth.log"), log).unwrap();
    let output = run(folder.path(), &["parse", "missing.log", "auth.log"]);
    assert_eq!(output.status.code(), Some(5));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.starts_with("tipstaff: missing.log: "), "{errors}");
    let out = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["status"], "event");
    assert_eq!(lines[0]["format"], "sshd");
    assert_eq!(lines[0]["event"]["@timestamp"], "2024-03-01T01:06:00Z");
    assert_eq!(lines[0]["event"]["source.ip"], "203.0.113.9");
    assert_eq!(lines[1]["n"], 2);
    assert_eq!(lines[1]["status"], "other");
    let nothing = run(folder.path(), &["parse", "missing.log"]);
    assert_eq!(nothing.status.code(), Some(4));
}

#[test]
fn fields_shows_type_trust_and_other_names() {
    assert_eq!(
        printed(&["fields", "source.ip"]),
        "\
field      type     chosen by    meaning and other names
source.ip  address  application  the address it came from
                                 also id.orig_h (zeek), src_ip (firewall),
                                 SourceIp (network_connection), c-ip
                                 (webserver), c-ip (proxy), src_ip (dns)
"
    );
}

#[test]
fn a_reader_that_has_left_is_no_failure() {
    let folder = with_rules();
    let line = "2024-03-01T02:06:00Z web1 sshd[7]: Accepted password for root from 192.0.2.1 \
                port 42 ssh2\n";
    std::fs::write(folder.path().join("auth.log"), line).unwrap();
    for arguments in [
        &["fields"][..],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["parse", "auth.log"],
        &["replay", "-q", "auth.log"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = tipstaff(folder.path());
        let child = command
            .args(arguments)
            .stdout(writer)
            .stderr(Stdio::piped());
        let output = child.spawn().unwrap().wait_with_output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), &*errors),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}
