//! State: bounded, saved, taken up again, the same however it is shared out.

use super::*;
use crate::rule::{Baseline, Learn};

fn everything() -> Vec<Rule> {
    vec![
        action("failed", "fail"),
        correlation("event_count", &[0], &["source.ip"], 60, Some(5.0), &[]),
        action("login", "login"),
        correlation("temporal_ordered", &[1, 2], &["source.ip"], 60, None, &[]),
        correlation(
            "value_count",
            &[0],
            &["source.ip"],
            300,
            Some(4.0),
            &["user.name"],
        ),
        correlation("temporal", &[0, 2], &["user.name"], 30, None, &[]),
        action("root", "sudo"),
    ]
}

fn person(at: i64) -> (&'static str, &'static str, String) {
    let user = ["ann", "bob", "cid", "dan", "eve", "fay"][(at * 7 % 11 % 6) as usize];
    let action = ["fail", "fail", "login", "fail", "sudo"][(at * 3 % 5) as usize];
    (action, user, format!("192.0.2.{}", at * at % 9))
}

/// A few hundred events of a small, deterministic world.
fn world(bench: &mut Bench, from: i64, to: i64) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for at in from..to {
        let (action, user, ip) = person(at);
        alerts.extend(bench.event(at * 5, action, user, &ip));
    }
    alerts
}

/// The same world, its lines detected in blocks and its lanes fed one after
/// the other, as threads that share the lanes out do.
fn in_blocks(block: i64) -> Vec<Alert> {
    let mut bench = Bench::new(everything());
    let mut alerts = Vec::new();
    for from in (0..600).step_by(block as usize) {
        let lines: Vec<(i64, String)> = (from..600.min(from + block))
            .map(|at| (at, format!("line {}", at + 1)))
            .collect();
        bench.observations.clear();
        for ((at, _), number) in lines.iter().zip(0..) {
            let (action, user, ip) = person(*at);
            let event = made(at * 5, action, user, &ip);
            let (scratch, out) = (&mut bench.scratch, &mut bench.observations);
            bench.detector.detect(&event, number, scratch, out);
        }
        bench.observations.seal();
        for (number, lane) in bench.lanes.iter_mut().enumerate() {
            for o in bench.observations.lane(number) {
                let (at, line) = &lines[o.line as usize];
                let seen = line_seen((*at + 1) as u64, line, false);
                let text = bench.observations.text();
                lane.observe(&bench.detector, o, text, &seen, &mut alerts);
            }
        }
    }
    sorted(alerts)
}

fn sorted(mut alerts: Vec<Alert>) -> Vec<Alert> {
    alerts.sort_by_key(|alert| (alert.time, alert.id, alert.revision));
    alerts
}

#[test]
fn alerts_do_not_depend_on_how_lines_are_cut_into_blocks() {
    let one_by_one = sorted(world(&mut Bench::new(everything()), 0, 600));
    for block in [1, 7, 600] {
        assert_eq!(in_blocks(block), one_by_one, "{block}");
    }
}

#[test]
fn a_restart_changes_no_alert() {
    let mut one = Bench::new(everything());
    let whole = world(&mut one, 0, 600);
    assert!(whole.len() > 10, "{}", whole.len());
    let mut two = Bench::new(everything());
    let mut halves = Vec::new();
    for at in (0..600).step_by(40) {
        halves.extend(world(&mut two, at, at + 40));
        two.restart();
    }
    assert_eq!(whole, halves);
}

#[test]
fn a_damaged_snapshot_is_refused_or_read_but_never_a_panic() {
    let mut bench = Bench::new(everything());
    world(&mut bench, 0, 200);
    let saved = bench.lanes.iter().map(|l| l.save(&bench.detector));
    let saved = saved.max_by_key(Vec::len).unwrap();
    for at in (0..saved.len()).step_by(saved.len() / 400) {
        let mut damaged = saved.clone();
        damaged[at] ^= 0x55;
        let _ = Lane::load(&bench.detector, damaged.get(..at).unwrap());
        if let Ok(mut lane) = Lane::load(&bench.detector, &damaged) {
            std::mem::swap(&mut lane, &mut bench.lanes[0]);
            world(&mut bench, 300, 320);
        }
    }
}

#[test]
fn a_changed_rule_starts_empty_and_the_others_go_on() {
    let mut bench = Bench::new(everything());
    world(&mut bench, 0, 600);
    let saved: Vec<Vec<u8>> = bench
        .lanes
        .iter()
        .map(|l| l.save(&bench.detector))
        .collect();
    let mut rules = everything();
    rules[4].hash = [9; 16];
    rules.swap_remove(6);
    let other = Bench::new(rules);
    let lanes: Vec<Lane> = saved
        .iter()
        .map(|s| Lane::load(&other.detector, s).unwrap())
        .collect();
    let entities: usize = lanes.iter().map(|l| l.size().entities).sum();
    assert!(0 < entities && entities < bench.entities());
    assert!(Lane::load(&other.detector, b"\xff\xff\xff\xff").is_err());
}

/// Logins are learnt from; what is new for a user fires.
fn first_seen() -> Vec<Rule> {
    let body = Body::Baseline(Baseline {
        kind: "first_seen".to_owned(),
        members: vec![Member {
            rule: 0,
            group_by: vec!["user.name".to_owned()],
        }],
        group_by: vec!["user.name".to_owned()],
        timespan: Span::HOUR,
        fields: vec!["source.ip".to_owned()],
        prevalence: None,
        count_only: None,
        value: Vec::new(),
        budget: None,
        rare_only: false,
        surprise: 6.0,
        learn: Learn::default(),
        generate: false,
    });
    vec![action("login", "login"), rule("new address", body)]
}

#[test]
fn what_comes_before_something_needs_something_to_come_before() {
    let kinds = [
        ("failures_then_success", None),
        ("value_count", Some("never_succeeded")),
    ];
    for (kind, only) in kinds {
        let mut rules = first_seen();
        if let Body::Baseline(baseline) = &mut rules[1].body {
            baseline.kind = kind.to_owned();
            baseline.count_only = only.map(str::to_owned);
        }
        let set = RuleSet {
            rules,
            ..RuleSet::default()
        };
        let refused = Detector::compile(&set, &[], Options::default())
            .err()
            .unwrap();
        assert!(refused.iter().any(|d| d.code == "DET014"), "{refused:?}");
    }
}

/// A month of logins of six users from their own addresses, twice a day, with
/// an epoch each day; then one from elsewhere, and again.
fn month(bench: &mut Bench, restarts: bool) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for day in 0..30 {
        for (n, user) in (1..).zip(["ann", "bob", "cid", "dan", "eve", "fay"]) {
            for hour in [8, 14] {
                let at = day * 86_400 + hour * 3600 + n * 60;
                alerts.extend(bench.event(at, "login", user, &format!("192.0.2.{n}")));
            }
        }
        bench.epoch(Time::from_secs((day + 1) * 86_400));
        if restarts {
            bench.restart();
        }
    }
    for hour in 0..3 {
        let at = 30 * 86_400 + hour * 3600;
        alerts.extend(bench.event(at, "login", "ann", "203.0.113.7"));
    }
    alerts
}

#[test]
fn what_a_baseline_never_saw_is_told_once_with_the_value_and_the_bits() {
    let alerts = month(&mut Bench::new(first_seen()), false);
    let [alert] = &alerts[..] else {
        panic!("{alerts:#?}")
    };
    assert_eq!(alert.rule.kind, "baseline first_seen");
    assert_eq!(alert.entity, [("user.name".to_owned(), b"ann".to_vec())]);
    let new = ("source.ip".to_owned(), b"203.0.113.7".to_vec());
    assert_eq!(alert.context, [new]);
    assert!(alert.score.bits.unwrap() >= 6.0);
    assert_eq!(alert.score.threshold, ">= 6.0 bits");
    assert_eq!(alerts, month(&mut Bench::new(first_seen()), true));
}

#[test]
fn a_million_addresses_cost_little_and_are_forgotten() {
    let mut bench = Bench::new(vec![
        action("failed", "fail"),
        correlation("event_count", &[0], &["source.ip"], 600, Some(5.0), &[]),
    ]);
    let mut event = Event::new();
    event.text(Field::EVENT_ACTION, b"fail");
    // A tenth of a million keeps the test quick; tables double alike above.
    for n in 0..100_000_u32 {
        event.time = Some(Time::from_nanos(i64::from(n) * 1_000_000));
        event.replace(
            Field::SOURCE_IP,
            Value::Ip(std::net::Ipv4Addr::from(n).into()),
        );
        assert!(bench.feed(&event, false).is_empty());
    }
    assert_eq!(bench.entities(), 100_000);
    let fixed = Bench::new(Vec::new()).bytes() + super::super::LANES * (200 << 10);
    let each = bench.bytes().saturating_sub(fixed) / 100_000;
    assert!(each <= 150, "{each} bytes each");
    // Ten minutes later others come, half as many, and the old ones go.
    for n in 0..60_000_u32 {
        event.time = Some(Time::from_nanos(700_000_000_000 + i64::from(n) * 1_000_000));
        event.replace(
            Field::SOURCE_IP,
            Value::Ip(std::net::Ipv4Addr::from(n + 1_000_000).into()),
        );
        bench.feed(&event, false);
    }
    assert!(bench.entities() < 70_000, "{}", bench.entities());
}

#[test]
fn groups_are_bounded_and_the_oldest_go_first() {
    let options = Options {
        groups_max: 64 * 16,
        ..Options::default()
    };
    let mut bench = Bench::with(
        vec![
            action("failed", "fail"),
            correlation("event_count", &[0], &["source.ip"], 6000, Some(5.0), &[]),
        ],
        options,
    );
    for n in 0..5_000_u32 {
        let ip = std::net::Ipv4Addr::from(n).to_string();
        bench.event(i64::from(n) / 100, "fail", "eve", &ip);
    }
    assert!(bench.entities() <= 64 * 16);
    let evicted: u64 = bench.lanes.iter().map(|l| l.size().evicted).sum();
    assert_eq!(evicted as usize + bench.entities(), 5_000);
}
