//! Loading rules: everything that can be wrong with them.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use tipstaff::detector::load_options;
use tipstaff::rule::{LoadOptions, load, load_text, render};

use crate::rule_support::{SAMPLE, baseline, codes, good, named, read, rule};

#[test]
fn what_a_detection_may_not_say_has_its_own_code() {
    let cases = [
        ("s: {A: x}", "SIG002"),
        ("condition: s", "SIG011"),
        ("s: {A: []}\ncondition: s", "SIG011"),
        ("s: {}\ncondition: s", "SIG011"),
        ("s:\ncondition: s", "SIG011"),
        ("s: {A: {B: x}}\ncondition: s", "SIG003"),
        ("s: {A: [[x]]}\ncondition: s", "SIG003"),
        ("s: {A|contians: x}\ncondition: s", "SIG008"),
        ("s: {A|contains|base64: x}\ncondition: s", "SIG009"),
        ("s: {A|exists: 'true'}\ncondition: s", "SIG010"),
        ("s: {A|gt: x}\ncondition: s", "SIG010"),
        ("s: {A|cidr: 10.0.0.1/8}\ncondition: s", "SIG010"),
        ("s: {'|cidr': 10.0.0.0/8}\ncondition: s", "SIG010"),
        ("s: {A|re: '(?=x)'}\ncondition: s", "SIG016"),
        ("s: {A|expand: '%nobody%'}\ncondition: s", "SIG015"),
        ("s: {A: x}\ncondition: s | count() > 5", "SIG006"),
        ("s: {A: x}\ntimeframe: 5m\ncondition: s", "SIG006"),
        ("s: {A: x}\ncondition: 2 of them", "SIG012"),
        ("s: {A: x}\ncondition: selection", "SIG013"),
        ("s: {A: x, A: y}\ncondition: s", "YML002"),
        ("s: {A: *x}\ncondition: s", "YML001"),
        ("s: {A: !x y}\ncondition: s", "YML004"),
        ("s: {A: x}\ncondition: []", "SIG011"),
    ];
    for (detection, code) in cases {
        let found = codes(&rule(detection));
        assert_eq!(found, [code], "{detection}");
    }
}

#[test]
fn what_a_header_may_not_say_has_its_own_code() {
    let body = rule("s: {A: x}\ncondition: s");
    let cases = [
        ("id: not-a-uuid\n", "SIG004"),
        ("level: hihg\n", "SIG004"),
        ("status: fine\n", "SIG004"),
        ("date: yesterday\n", "SIG004"),
        ("taxonomy: ecs\n", "SIG007"),
        ("action: global\n", "SIG006"),
        ("tags: {a: b}\n", "SIG003"),
        ("falsepositive: [x]\n", "LNT015"),
        ("correlation: {}\n", "SIG001"),
    ];
    for (header, code) in cases {
        assert_eq!(codes(&format!("{header}{body}")), [code], "{header}");
    }
    assert_eq!(codes(&body.replace("{product: linux}", "{}")), ["SIG005"]);
    assert_eq!(
        codes(&body.replace("logsource", "logsauce")),
        ["SIG002", "LNT015"]
    );
    assert_eq!(codes(&body.replace("title: t\n", "")), ["SIG002"]);
    assert_eq!(codes("- a\n- b\n"), ["SIG003"]);
    assert_eq!(codes("services: {web: {image: x}}\n"), ["SIG001"]);
}

#[test]
fn what_a_correlation_may_not_say_has_its_own_code() {
    let cases = [
        (
            "type: event_cuont, rules: [a], timespan: 1h, condition: {gte: 1}",
            "COR001",
        ),
        ("type: event_count, rules: [a], timespan: 1h", "COR002"),
        (
            "type: event_count, rules: [a], timespan: 1h, condition: {}",
            "COR002",
        ),
        (
            "type: event_count, rules: [a], timespan: 1h, condition: a",
            "COR002",
        ),
        (
            "type: value_count, rules: [a], timespan: 1h, condition: {gte: 1}",
            "COR002",
        ),
        (
            "type: event_count, rules: [a], timespan: 1x, condition: {gte: 1}",
            "COR003",
        ),
        (
            "type: event_count, rules: [a], timespan: 0s, condition: {gte: 1}",
            "COR003",
        ),
        (
            "type: event_count, rules: [a], condition: {gte: 1}",
            "SIG002",
        ),
        (
            "type: event_count, rules: [], timespan: 1h, condition: {gte: 1}",
            "SIG011",
        ),
        (
            "type: event_count, rules: [b], timespan: 1h, condition: {gte: 1}",
            "RUL006",
        ),
        (
            "type: event_count, rules: [a], timespan: 1h, condition: {gte: x}",
            "SIG003",
        ),
        (
            "type: event_count, rules: [a], timespan: 1h, condition: {gte: 1}, goup-by: [x]",
            "SIG017",
        ),
        (
            "type: temporal, rules: [a], timespan: 1h, condition: a and c",
            "SIG013",
        ),
        (
            "type: event_count, rules: [a], timespan: 1h, condition: {gte: 1}, aliases: {x: {}}",
            "COR004",
        ),
    ];
    for (body, code) in cases {
        let text = format!("{}title: c\ncorrelation: {{{body}}}\n", named("a"));
        let found = codes(&text);
        assert!(found.contains(&code), "{body}: {found:?}");
    }
}

#[test]
fn what_a_baseline_may_not_say_has_its_own_code() {
    let cases = [
        ("first_seen", "first_sen", "BAS001"),
        (
            "condition: {surprise: {gte: 10}}",
            "condition: {}",
            "BAS002",
        ),
        ("condition: {surprise: {gte: 10}}", "x: y", "SIG002"),
        ("{gte: 10}", "{gte: 0}", "SIG004"),
        ("{gte: 10}", "{gt: 10}", "SIG017"),
        ("  field: source.ip\n", "", "SIG002"),
        ("  group-by: [user.name]\n", "", "SIG002"),
        ("half-life: 45d", "half-live: 45d", "SIG017"),
        ("half-life: 45d", "half-life: 45", "COR003"),
        ("half-life: 45d", "season: lunar", "BAS003"),
        ("half-life: 45d", "prior: 5", "BAS003"),
        ("half-life: 45d", "prior: {shape: 0, rate: 1}", "SIG004"),
        ("active-buckets: 3", "active-buckets: 2.5", "SIG004"),
        (
            "[ssh_login_ok]",
            "[Login from a network this user never used]",
            "RUL006",
        ),
    ];
    for (from, to, code) in cases {
        let text = format!("{}{}", named("ssh_login_ok"), SAMPLE.replace(from, to));
        let found = codes(&text);
        assert!(found.contains(&code), "{to}: {found:?}");
    }
    let fleet = SAMPLE
        .replace("[user.name]", "[]")
        .replace("  field: source.ip\n", "");
    let rate = format!(
        "{}{}",
        named("ssh_login_ok"),
        fleet.replace("first_seen", "event_count")
    );
    let rules = good(&rate);
    assert_eq!(
        baseline(&rules[1]).value.len(),
        1,
        "the documented floor of a rate"
    );
}

#[test]
fn what_is_counted_alone_is_one_of_the_types_words() {
    let rules = |kind: &str, only: &str| {
        let body = format!(
            "baseline:\n  type: {kind}\n  rules: [x]\n  group-by: [user.name]\n  \
             field: host.name\n  count-only: {only}\n  condition: \
             {{value: {{gte: 3}}, surprise: {{gte: 9}}}}\n"
        );
        format!("{}title: counted\n{body}", named("x"))
    };
    let codes = |kind: &str, only: &str| {
        let found = load_text("a.yml", &rules(kind, only), &load_options());
        found
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|d| d.code)
            .collect::<Vec<_>>()
    };
    for only in ["first_seen", "never_succeeded"] {
        let loaded = load_text("a.yml", &rules("value_count", only), &load_options()).unwrap();
        assert_eq!(
            baseline(&loaded.rules.rules[1]).count_only.as_deref(),
            Some(only)
        );
    }
    assert_eq!(codes("value_count", "frist_seen"), ["SIG004"]);
    assert!(codes("event_count", "first_seen").contains(&"SIG004"));
    assert_eq!(codes("first_seen", "first_seen"), ["SIG017"]);
}

#[test]
fn all_mistakes_of_all_files_come_back_at_once_and_nothing_is_half_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write("a/good.yml", named("a").as_bytes());
    write("a/tests/broken.yml", b"not a rule");
    write("a/.hidden/broken.yml", b"not a rule");
    write("a/notes.txt", b"not a rule");
    let paths = [folder.path().join("a"), folder.path().join("a/good.yml")];
    assert_eq!(
        load(&paths, &LoadOptions::default())
            .unwrap()
            .rules
            .rules
            .len(),
        1
    );

    write("b/1-nul.yml", b"title: a\0\n");
    write("b/2-latin.yaml", b"title: caf\xe9\n");
    write("b/3-utf16.yml", b"\xff\xfet\0");
    write("b/4-yaml.yml", b"title: [\n");
    write("b/5-large.yml", &vec![b' '; (1 << 20) + 1]);
    write("b/6-twice.yml", named("a").as_bytes());
    write("b/7-empty.yml", b"# nothing\n");
    let mut paths = paths.to_vec();
    paths.push(folder.path().join("b"));
    paths.push(folder.path().join("missing"));
    fs::create_dir(folder.path().join("empty")).unwrap();
    paths.push(folder.path().join("empty"));
    let found = load(&paths, &LoadOptions::default()).unwrap_err();
    let codes: Vec<_> = found.iter().map(|d| d.code).collect();
    assert_eq!(
        codes,
        [
            "RUL004", "RUL004", "RUL004", "YML001", "RUL003", "RUL008", "RUL001", "RUL002",
            "RUL005"
        ]
    );
    assert!(found.iter().all(|d| d.at.is_some()));
}

#[test]
fn no_rules_and_no_rule_that_is_on_are_different_mistakes() {
    assert_eq!(codes_of(&[]), ["RUL002"]);
    let body = rule("s: {A: x}\ncondition: s");
    assert_eq!(codes(&format!("status: experimental\n{body}")), ["RUL009"]);
    let options = LoadOptions {
        experimental: true,
        ..LoadOptions::default()
    };
    let text = format!("status: experimental\n{body}---\nstatus: deprecated\n{body}");
    let loaded = load_text("a.yml", &text, &options).unwrap();
    assert_eq!((loaded.rules.rules.len(), loaded.off.len()), (1, 1));
}

fn codes_of(paths: &[PathBuf]) -> Vec<&'static str> {
    let found = load(paths, &LoadOptions::default()).unwrap_err();
    found.iter().map(|d| d.code).collect()
}

#[test]
fn the_place_is_that_of_the_very_value() {
    let text = rule("s: {A: x}\ncondition: s and (t or s)");
    let found = read(&text).unwrap_err();
    let at = found[0].at.clone().unwrap();
    assert_eq!(&text[at.start..at.end], "t");
    assert_eq!((at.line, at.column), (5, 21));
    let shown = render(&found[0], &text, false);
    assert_eq!(
        shown,
        "error[SIG013]: there is no search `t`\n --> rules/a.yml:5:21\n  |\n\
         5 |   condition: s and (t or s)\n  |                     ^\n  |\n  \
         = help: use one of s"
    );
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_move_no_place() {
    let text = rule("s: {A: x}\ncondition: s and t_or_s");
    for text in [text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
        let found = read(&text).unwrap_err();
        let at = found[0].at.clone().unwrap();
        assert_eq!(&text[at.start..at.end], "t_or_s");
        assert_eq!((at.line, at.column), (5, 20));
    }
}

#[test]
fn a_file_that_is_wrong_everywhere_says_how_much_is_left_out() {
    let found = read(&"a: b\n---\n".repeat(500)).unwrap_err();
    assert_eq!(found.len(), 101);
    assert_eq!(found[100].code, "RUL010");
    let unused: Vec<String> = (0..300).map(|i| format!("s{i}: {{A: x}}\n")).collect();
    let body = rule(&format!("{}condition: s0", unused.concat()));
    let codes = codes(&format!("level: hihg\n{body}"));
    let errors = codes.iter().filter(|code| **code == "SIG004").count();
    assert_eq!(
        (errors, codes.len()),
        (1, 102),
        "warnings crowd out no error"
    );
}

/// Everything that the grammar knows, to be cut up and put together wrongly.
fn everything() -> String {
    let filter = "title: f\nlogsource: {product: linux}\nfilter:\n  rules: [a]\n  s: {h|re: '^ü+$'}\n  condition: not s\n---\n";
    let kw = rule(
        "kw: [a, 5, ~]\nn:\n  '|all': &x [é, b]\n  C|cidr: [10.0.0.0/8, *x]\ncondition: >\n  1 of k* or\n  not (n)",
    );
    let c = "title: c\ncorrelation:\n  type: value_count\n  rules: [a, ssh_login_ok]\n  timespan: 5m\n  aliases:\n    u: {a: x}\n  condition: {field: y, gte: 5}\n---\n";
    format!(
        "{}{filter}{kw}---\n{c}{}{SAMPLE}",
        named("a"),
        named("ssh_login_ok")
    )
}

proptest! {
    #[test]
    fn no_text_makes_loading_or_rendering_panic(text in "\\PC{0,200}") {
        codes(&text);
        codes(&rule(&text));
    }

    #[test]
    fn no_damage_to_good_rules_makes_loading_or_rendering_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, "[\\PC\n\t{}\\[\\]:*&|>'\"-]{0,6}"), 1..6),
    ) {
        let mut text: Vec<char> = everything().chars().collect();
        for (at, len, new) in cuts {
            let from = at.index(text.len());
            let to = (from + len).min(text.len());
            text.splice(from..to, new.chars());
        }
        codes(&text.into_iter().collect::<String>());
    }
}
