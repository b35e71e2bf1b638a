//! Black box: `match` with lists, correlations and explanations.

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn tipstaff(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tipstaff"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("TIPSTAFF_RULES")
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn said(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

const EXPAND: &str = "\
title: Admin
logsource:
  product: windows
detection:
  selection:
    User|expand: '%admins%'
  condition: selection
";

#[test]
fn a_list_comes_from_a_file_or_the_configuration_or_the_rule_does_not_load() {
    let folder = folder(&[
        ("rule.yml", EXPAND),
        ("event.jsonl", "{\"User\":\"ALICE\"}\n"),
        ("admins.txt", "# ours\nroot\nalice\n"),
        ("tipstaff.toml", "[lists]\nadmins = ['al*']\n"),
    ]);
    let matched = |more: &[&str]| {
        let arguments = [&["match", "-r", "rule.yml"], more, &["event.jsonl"]].concat();
        said(tipstaff(folder.path(), &arguments))
    };
    let one = "{\"n\":1,\"rules\":[\"Admin\"]}\n";
    assert_eq!(matched(&["--list", "admins=admins.txt"]).1, one);
    assert_eq!(matched(&["--config", "tipstaff.toml"]).1, one);
    let (code, out, errors) = matched(&[]);
    assert_eq!((code, out.as_str()), (Some(3), ""));
    assert!(errors.contains("rule.yml:6:18"), "{errors}");
    assert!(errors.contains("--list admins=FILE"), "{errors}");
    let (code, _, errors) = matched(&["--list", "admins=gone.txt"]);
    assert!(
        code != Some(0) && errors.contains("gone.txt"),
        "{code:?} {errors}"
    );
}

const CORRELATED: &str = "\
title: Failure
name: failure
logsource:
  product: windows
detection:
  selection:
    EventID: 4625
  condition: selection
---
title: Success
name: success
logsource:
  product: windows
detection:
  selection:
    EventID: 4624
  condition: selection
---
title: Three
correlation:
  type: event_count
  rules: [failure]
  group-by: [User]
  timespan: 1m
  condition:
    gte: 3
---
title: Then In
correlation:
  type: temporal_ordered
  group-by: [User]
  timespan: 1m
  condition: failure and success
";

#[test]
fn correlations_take_in_the_events_that_have_a_time() {
    let event = |second: u32, id: u32, user: &str| {
        format!(
            "{{\"time\":\"2026-01-01T00:00:{second:02}Z\",\"EventID\":{id},\"User\":\"{user}\"}}\n"
        )
    };
    let events = [
        event(1, 4625, "eve"),
        event(2, 4625, "bob"),
        event(3, 4625, "eve"),
        "{\"EventID\":4625,\"User\":\"eve\"}\n".to_owned(),
        event(4, 4625, "eve"),
        event(5, 4624, "bob"),
        event(6, 4624, "zoe"),
    ];
    let folder = folder(&[("r.yml", CORRELATED), ("e.jsonl", &events.concat())]);
    let (code, out, _) = said(tipstaff(
        folder.path(),
        &["match", "-r", "r.yml", "e.jsonl"],
    ));
    assert_eq!(code, Some(0));
    assert_eq!(
        out,
        "\
{\"n\":1,\"rules\":[\"Failure\"]}
{\"n\":2,\"rules\":[\"Failure\"]}
{\"n\":3,\"rules\":[\"Failure\"]}
{\"n\":4,\"rules\":[\"Failure\"]}
{\"n\":5,\"rules\":[\"Failure\",\"Three\"]}
{\"n\":6,\"rules\":[\"Success\",\"Then In\"]}
{\"n\":7,\"rules\":[\"Success\"]}
"
    );
}

#[test]
fn an_explanation_shows_the_bytes_that_each_value_is_met_by() {
    let rule = "\
title: Shadow
logsource: {product: linux}
detection:
  selection:
    CommandLine|contains: ['/etc/SHADOW', 'nothing']
    Image|re: 'c[aou]t$'
  filter:
    User: root
  condition: selection and not filter
";
    let event =
        "{\"CommandLine\":\"cat /etc/shadow\",\"Image\":\"/usr/bin/cat\",\"User\":\"eve\"}\n";
    let folder = folder(&[("r.yml", rule), ("e.jsonl", event)]);
    let arguments = ["match", "--explain", "-r", "r.yml", "e.jsonl"];
    let (code, out, _) = said(tipstaff(folder.path(), &arguments));
    assert_eq!(code, Some(0));
    assert_eq!(
        out,
        "\
event 1: \"Shadow\" matches
true    and
true      selection
true        CommandLine|contains on \"cat /etc/shadow\"
true          \"/etc/SHADOW\" at bytes 4..15: \"/etc/shadow\"
false         \"nothing\"
true        Image|re on \"/usr/bin/cat\"
true          \"c[aou]t$\" at bytes 9..12: \"cat\"
true      not
false       filter
false         User on \"eve\"
false           \"root\"

"
    );
}
