//! Who teaches a baseline something on purpose, line by line: each guard has
//! logs here that go wrong without it. Rules are made for the purpose, one
//! statistic each; the logs are a made-up office's.
//!
//! | guard | story |
//! |---|---|
//! | scored before it is learnt | a burst does not raise what is expected of it |
//! | winsorised | an enormous hour does not hide the next |
//! | the limit follows the entity | a new habit is alerted on for days, not for weeks |
//! | growth of the anchor | a frog's level stays odd |
//! | learnt late, held on alert | a thief's address; nights of guessing |
//! | slow anchor | growth that no day shows |
//! | one vote an entity | a job at night; an address that one user always has |
//! | failures are not identity | an address that guessed for weeks |
//! | marked by an analyst | a thief's week, given to `--marks` |

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tipstaff::alert::Alert;
use tipstaff::detector::{Detector, Options, load_options};
use tipstaff::pipeline::{Progress, Readings, ReplayOptions, Start, classes, replay};
use tipstaff::rule::load_text;

use crate::support::world::conn::{Flow, State};
use crate::support::world::site::{Machine, Site};
use crate::support::world::stamp::{At, MINUTE, SECOND, at};

const TITLE: &str = "The Baseline";

/// What the baselines here are over.
const MEMBERS: &str = "
title: Login
id: 00000000-0000-4000-8000-000000000001
name: login
logsource: {product: linux, service: sshd}
detection:
    selection: {event.action: ssh_login, event.outcome: success}
    condition: selection
level: informational
---
title: Attempt
id: 00000000-0000-4000-8000-000000000002
name: attempt
logsource: {product: linux, service: sshd}
detection:
    selection: {event.action: ssh_login}
    condition: selection
level: informational
---
title: Upload
id: 00000000-0000-4000-8000-000000000003
name: upload
logsource: {product: zeek, service: conn}
detection:
    selection: {event.action: connection}
    condition: selection
level: informational
---
title: The Baseline
id: 00000000-0000-4000-8000-000000000009
level: medium
";

/// A rule set of one baseline: what follows `baseline:`.
fn rules(baseline: &str) -> String {
    let lines = baseline.trim().lines();
    let body: Vec<_> = lines.map(|line| format!("    {}", line.trim())).collect();
    format!("{MEMBERS}baseline:\n{}\n", body.join("\n"))
}

/// Everything that a rule set says of a site's logs.
fn alerts(rules: &str, folder: &Path) -> Vec<Alert> {
    let loaded = load_text("rules.yml", rules, &load_options()).unwrap();
    let detector = Detector::compile(&loaded.rules, &classes(), Options::default()).unwrap();
    let options = ReplayOptions {
        paths: vec![folder.to_owned()],
        threads: 1,
        start: Start::in_year(2025),
        readings: Readings::default(),
        tables: Arc::default(),
    };
    let mut alerts = Vec::new();
    // Not those of the members that this baseline does not use.
    let each = &mut |alert: &Alert| {
        if alert.rule.title == TITLE {
            alerts.push(alert.clone());
        }
    };
    let summary = replay(&options, &Arc::new(detector), &Progress::default(), each);
    assert!(summary.counts.events > 100, "the logs are read");
    alerts
}

/// A folder with the rules of one baseline.
fn beside(baseline: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.yml"), rules(baseline)).unwrap();
    folder
}

/// What the program prints, run there.
fn tipstaff(folder: &tempfile::TempDir, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tipstaff"))
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// One machine and a sensor.
fn office() -> Site {
    Site::new("poisoning", vec![Machine::new("gate01", "10.20.0.10")])
}

const DESK: &str = "10.20.30.7";

/// An address of a stranger.
const AWAY: &str = "203.0.113.9";

fn said(site: &mut Site, now: At, words: &str, user: &str, from: &str) {
    let line = format_args!("sshd[77]: {words} password for {user} from {from} port 4000 ssh2");
    site.machine("gate01").log.say(now, line);
}

fn login(site: &mut Site, now: At, user: &str, from: &str) {
    said(site, now, "Accepted", user, from);
}

/// So many logins in an hour.
fn hour(site: &mut Site, start: At, user: &str, many: i64) {
    for n in 0..many {
        login(site, start + n * 59 * MINUTE / many, user, DESK);
    }
}

/// Four logins in each hour of the day shift.
fn shift(site: &mut Site, days: std::ops::Range<i64>, user: &str) {
    for day in days {
        for start in 9..17 {
            hour(site, at(day, start, 0), user, 4);
        }
    }
}

/// Twenty colleagues, twice a day each.
fn colleagues(site: &mut Site, days: std::ops::Range<i64>) {
    for day in days.filter(|day| day % 7 < 5) {
        for number in 0..20 {
            let (user, from) = (
                format!("u{number:02}"),
                format!("10.20.30.{}", 100 + number),
            );
            for start in [9, 14] {
                login(site, at(day, start, number), &user, &from);
            }
        }
    }
}

fn written(site: &mut Site) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let auth = site.machine("gate01").log.all();
    if !auth.is_empty() {
        fs::write(folder.path().join("auth.log"), auth).unwrap();
    }
    let conn = site.zeek.render(&(at(0, 0, 0)..at(200, 0, 0)));
    if conn.len() > 2_000 {
        fs::write(folder.path().join("conn.log"), conn).unwrap();
    }
    folder
}

/// The days on which an alert is raised, not updated, about somebody.
fn days(alerts: &[Alert], who: &str) -> Vec<i64> {
    let new = alerts.iter().filter(|alert| {
        let about = |(_, value): &(String, Vec<u8>)| value == who.as_bytes();
        alert.revision == 0 && alert.entity.iter().any(about)
    });
    new.map(|alert| (alert.time.nanos() / 1_000 - at(0, 0, 0)).div_euclid(24 * 60 * MINUTE))
        .collect()
}

const COUNT: &str = "
type: event_count
rules: [login]
group-by: [user.name]
timespan: 1h
condition: {value: {gte: 10}, surprise: {gte: 14}}
";

#[test]
fn a_burst_does_not_raise_what_is_expected_of_it() {
    let mut site = office();
    shift(&mut site, 0..20, "alice");
    hour(&mut site, at(20, 11, 0), "alice", 400);
    let found = alerts(&rules(COUNT), written(&mut site).path());
    let expected: Vec<f64> = found.iter().filter_map(|a| a.score.expected).collect();
    assert!(expected.len() > 2, "an alert and its updates: {expected:?}");
    for one in &expected {
        assert!((one / expected[0] - 1.0).abs() < 1e-9, "{expected:?}");
    }
    assert!((3.0..6.0).contains(&expected[0]), "{expected:?}");
    let updated: Vec<f64> = found.iter().map(|alert| alert.score.observed).collect();
    assert!(updated.last() > Some(&300.0), "{updated:?}");
}

#[test]
fn an_enormous_hour_does_not_hide_the_next() {
    let mut site = office();
    shift(&mut site, 0..28, "alice");
    hour(&mut site, at(20, 11, 0), "alice", 3000);
    hour(&mut site, at(24, 11, 0), "alice", 40);
    let folder = written(&mut site);
    let rule = format!("{COUNT}learn: {{on-alert: learn}}");
    assert_eq!(
        days(&alerts(&rules(&rule), folder.path()), "alice"),
        [20, 24]
    );
    let without = format!("{COUNT}learn: {{on-alert: learn, winsor-bits: 300}}");
    assert_eq!(
        days(&alerts(&rules(&without), folder.path()), "alice"),
        [20]
    );
}

#[test]
fn a_new_habit_is_alerted_on_for_days_and_not_for_weeks() {
    let mut site = office();
    shift(&mut site, 0..60, "alice");
    for day in 25..60 {
        for start in 9..17 {
            hour(&mut site, at(day, start, 0), "alice", 60);
        }
    }
    let rule = format!("{COUNT}learn: {{on-alert: learn}}");
    let found = days(&alerts(&rules(&rule), written(&mut site).path()), "alice");
    assert_eq!(found.first(), Some(&25));
    assert!(found.iter().all(|day| *day < 40), "{found:?}");
}

fn upload(site: &mut Site, now: At, from: &str, sent: i64) {
    site.zeek.saw(Flow {
        at: now,
        from: (from.to_owned(), 50_000),
        to: (String::from("203.0.113.20"), 443),
        service: "ssl",
        length: SECOND,
        sent,
        got: 9_000,
        state: State::Done,
    });
}

/// Twenty-five machines that send 10 MB each day, and one that grows from a
/// day on by so many percent a day.
fn frog(days: i64, from: i64, percent: i64) -> Site {
    let mut site = office();
    let mut daily = 10_000_000;
    for day in 0..days {
        for number in 0..25 {
            // Nobody sends the same each day.
            let sent = 10_000_000 + (day * 37 + number * 59) % 41 * 100_000;
            upload(
                &mut site,
                at(day, 10, number),
                &format!("10.20.1.{number}"),
                sent,
            );
        }
        if day >= from {
            daily += daily * percent / 100;
        }
        let sent = daily + daily / 100 * (day * 17 % 29);
        upload(&mut site, at(day, 15, 0), "10.20.1.99", sent);
    }
    site
}

const LEVEL: &str = "
type: drift
rules: [upload]
group-by: [source.ip]
field: source.bytes
timespan: 1d
condition: {value: {gte: 1000000}, surprise: {gte: 10}}
";

const SUM: &str = "
type: value_sum
rules: [upload]
group-by: [source.ip]
field: source.bytes
timespan: 1d
condition: {value: {gte: 1000000}, surprise: {gte: 10}}
learn: {season: none, on-alert: hold}
";

#[test]
fn the_anchor_does_not_grow_as_fast_as_a_frog() {
    let mut site = frog(75, 30, 15);
    let folder = written(&mut site);
    let level = |growth: &str| {
        // A memory so short that only the limit on growth holds it.
        let learn = format!(
            "learn: {{season: none, half-life: 6d, delay: 1d, on-alert: learn, max-growth: {growth}}}"
        );
        let beside = beside(&format!("{LEVEL}{learn}"));
        let logs = folder.path().to_str().unwrap();
        tipstaff(
            &beside,
            &["replay", "-q", "-r", "rules.yml", "--learn", "state", logs],
        );
        let ask = [
            "entity",
            "ip:10.20.1.99",
            "-r",
            "rules.yml",
            "--state",
            "state",
            "--json",
        ];
        let known: serde_json::Value = serde_json::from_str(&tipstaff(&beside, &ask)).unwrap();
        known["baselines"][0]["expected"].as_f64().unwrap() / 1e7
    };
    // 1.15^44 is 468 times, 1.05^44 8.6 times.
    let (bound, free) = (level("5%/d"), level("100%/d"));
    assert!(
        (4.0..10.0).contains(&bound) && free > 60.0,
        "{bound} {free}"
    );
}

#[test]
fn a_growth_that_no_day_shows_is_seen_against_the_slow_anchor() {
    let mut site = frog(60, 30, 12);
    let folder = written(&mut site);
    let slow = "learn: {season: none, half-life: 56d, delay: 7d, warm-up: 14d}";
    let found = alerts(&rules(&format!("{LEVEL}{slow}")), folder.path());
    let found = days(&found, "10.20.1.99");
    assert!(found.first().is_some_and(|day| *day < 55), "{found:?}");
    // No day is odd after those before it; an anchor that is as fast sees nothing.
    let sums = alerts(&rules(SUM), folder.path());
    assert_eq!(days(&sums, "10.20.1.99"), [0; 0]);
    let fast = "learn: {season: none, half-life: 3d, delay: 1d, max-growth: 100%/d, warm-up: 14d}";
    let found = alerts(&rules(&format!("{LEVEL}{fast}")), folder.path());
    assert_eq!(days(&found, "10.20.1.99"), [0; 0]);
}

const VALUE: &str = "
type: first_seen
rules: [login]
group-by: [user.name]
field: source.ip
timespan: 1h
condition: {surprise: {gte: 7}}
";

#[test]
fn a_thiefs_address_is_told_for_a_week_where_values_wait_as_long() {
    let mut site = office();
    shift(&mut site, 0..45, "alice");
    colleagues(&mut site, 0..45);
    for day in 30..42 {
        // Each day an hour later: more than a day after the last alert.
        login(&mut site, at(day, 1 + day - 30, 30), "alice", AWAY);
    }
    let folder = written(&mut site);
    let late = format!("{VALUE}learn: {{delay: 7d, warm-up: 14d}}");
    let found = days(&alerts(&rules(&late), folder.path()), "alice");
    assert_eq!(found, (30..38).collect::<Vec<_>>());
    assert_eq!(days(&alerts(&rules(VALUE), folder.path()), "alice"), [30]);
}

#[test]
fn nights_of_guessing_do_not_make_guessing_usual_where_alerts_hold_them_back() {
    let mut site = office();
    shift(&mut site, 0..40, "alice");
    for night in 20..26 {
        // An hour later each night, as above.
        hour(&mut site, at(night, 18 + night - 20, 0), "alice", 60);
    }
    let folder = written(&mut site);
    let rule = |learn: &str| rules(&format!("{COUNT}learn: {{season: none, {learn}}}"));
    let found = |learn: &str| days(&alerts(&rule(learn), folder.path()), "alice");
    let held = found("delay: 24h, on-alert: hold");
    assert_eq!(held, (20..26).collect::<Vec<_>>());
    let learnt = found("on-alert: learn, winsor-bits: 300");
    assert!(learnt.len() < 4, "{learnt:?}");
}

#[test]
fn a_job_that_runs_all_night_does_not_make_the_night_usual_for_people() {
    let found = |noise: i64| {
        let mut site = office();
        colleagues(&mut site, 0..29);
        for day in 0..28 {
            for n in 0..noise {
                login(
                    &mut site,
                    at(day, 3, 0) + n * 2 * SECOND,
                    "svc-report",
                    DESK,
                );
            }
        }
        hour(&mut site, at(28, 3, 10), "u07", 8);
        let rule = "
            type: event_count
            rules: [login]
            group-by: [user.name]
            timespan: 1h
            condition: {value: {gte: 3}, surprise: {gte: 3}}
        ";
        let found = alerts(&rules(rule), written(&mut site).path());
        let mine = found.iter().filter(|alert| alert.entity[0].1 == b"u07");
        mine.filter_map(|alert| alert.score.bits)
            .fold(0.0, f64::max)
    };
    let (quiet, loud) = (found(1), found(400));
    assert!(quiet > 10.0 && loud > 0.9 * quiet, "{quiet} {loud}");
}

#[test]
fn an_address_that_one_user_always_has_is_not_popular() {
    let found = |noise: i64| {
        let mut site = office();
        colleagues(&mut site, 0..29);
        for day in 0..28 {
            for n in 0..noise {
                login(
                    &mut site,
                    at(day, 1, 0) + n * 10 * MINUTE,
                    "svc-report",
                    AWAY,
                );
            }
        }
        login(&mut site, at(28, 9, 30), "u07", AWAY);
        let rule = VALUE.replace("gte: 7", "gte: 1");
        let found = alerts(&rules(&rule), written(&mut site).path());
        let mine = found.iter().filter(|alert| alert.entity[0].1 == b"u07");
        mine.filter_map(|alert| alert.score.bits)
            .fold(0.0, f64::max)
    };
    let (rare, busy) = (found(1), found(130));
    assert!(rare > 6.0 && busy > rare - 0.5, "{rare} {busy}");
}

#[test]
fn an_address_that_guessed_for_weeks_is_as_new_when_it_succeeds() {
    let mut site = office();
    shift(&mut site, 0..45, "alice");
    colleagues(&mut site, 0..45);
    for day in 20..40 {
        for n in 0..20 {
            said(&mut site, at(day, 2, n), "Failed", "alice", AWAY);
        }
    }
    login(&mut site, at(42, 2, 30), "alice", AWAY);
    let rule = VALUE.replace("[login]", "[attempt]");
    let found = alerts(&rules(&rule), written(&mut site).path());
    // Each attempt is told as what it is; and so is the one that succeeds.
    assert_eq!(days(&found, "alice").last(), Some(&42));
    let bits = |alert: &&Alert| alert.score.bits.unwrap();
    let mine = || found.iter().filter(|alert| alert.entity[0].1 == b"alice");
    let (first, last) = (mine().next().unwrap(), mine().next_back().unwrap());
    assert!(bits(&last) > bits(&first) - 0.5, "{first:?} {last:?}");
}

#[test]
fn a_thiefs_week_that_is_given_to_marks_teaches_nothing() {
    let mut site = office();
    shift(&mut site, 0..45, "alice");
    colleagues(&mut site, 0..45);
    for day in 20..27 {
        for n in 0..20 {
            login(&mut site, at(day, 2, n), "alice", AWAY);
        }
    }
    login(&mut site, at(42, 2, 30), "alice", AWAY);
    let folder = written(&mut site);
    let beside = beside(VALUE);
    let marks = "user.name,alice,2025-09-21T00:00:00Z,2025-09-28T00:00:00Z\n";
    fs::write(beside.path().join("marks.csv"), marks).unwrap();
    let replayed = |more: &[&str]| {
        let logs = [folder.path().to_str().unwrap()];
        let command = ["replay", "-q", "-o", "json", "-r", "rules.yml"];
        let text = tipstaff(&beside, &[&command[..], more, &logs].concat());
        let mut lines = text.lines().filter(|line| line.contains(TITLE));
        lines.any(|line| line.contains("\"@timestamp\":\"2025-10-13T"))
    };
    assert!(!replayed(&[]), "learnt, it is no news any more");
    assert!(replayed(&["--marks", "marks.csv"]));
}
