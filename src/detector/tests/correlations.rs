//! Correlations: windows, groups, chains, episodes.

use super::*;

fn failures(threshold: f64) -> Vec<Rule> {
    vec![
        action("failed", "fail"),
        correlation(
            "event_count",
            &[0],
            &["source.ip"],
            60,
            Some(threshold),
            &[],
        ),
    ]
}

#[test]
fn a_window_slides_and_holds_both_its_ends() {
    let mut bench = Bench::new(failures(3.0));
    for (at, fires) in [(0, false), (30, false), (60, true)] {
        assert_eq!(
            bench.event(at, "fail", "eve", "192.0.2.1").len(),
            usize::from(fires)
        );
    }
    let mut bench = Bench::new(failures(3.0));
    for at in [0, 30, 61, 91, 122] {
        assert!(
            bench.event(at, "fail", "eve", "192.0.2.1").is_empty(),
            "{at}"
        );
    }
}

#[test]
fn an_alert_says_who_when_how_many_and_shows_lines() {
    let mut bench = Bench::new(failures(4.0));
    let mut alerts = Vec::new();
    for at in 0..4 {
        alerts.extend(bench.event(at * 10, "fail", "eve", "192.0.2.1"));
    }
    let [alert] = &alerts[..] else {
        panic!("{alerts:?}")
    };
    assert_eq!(
        alert.entity,
        [("source.ip".to_owned(), b"192.0.2.1".to_vec())]
    );
    assert_eq!(alert.rule.kind, "event_count");
    assert_eq!((alert.events, alert.score.observed), (4, 4.0));
    assert_eq!(alert.score.threshold, ">= 4 in 1m");
    assert_eq!(alert.window, (Time::from_secs(0), Time::from_secs(30)));
    let shown: Vec<u64> = alert.samples.iter().map(|e| e.place.number).collect();
    assert_eq!(shown, [2, 3, 4]);
}

#[test]
fn groups_do_not_mix_and_an_event_without_the_field_has_none() {
    let mut bench = Bench::new(failures(3.0));
    for at in 0..20 {
        let ip = format!("192.0.2.{at}");
        assert!(bench.event(at, "fail", "eve", &ip).is_empty());
        assert!(bench.event(at, "fail", "eve", "").is_empty());
        assert!(bench.event(at, "login", "eve", "192.0.2.1").is_empty());
    }
    let mut bench = Bench::new(vec![
        action("failed", "fail"),
        correlation("event_count", &[0], &[], 60, Some(3.0), &[]),
    ]);
    let fired: Vec<usize> = (0..3)
        .map(|at| {
            bench
                .event(at, "fail", "eve", &format!("192.0.2.{at}"))
                .len()
        })
        .collect();
    assert_eq!(fired, [0, 0, 1]);
}

#[test]
fn a_flood_is_one_alert_with_updates_and_fires_again_after_quiet() {
    let mut bench = Bench::new(failures(10.0));
    let mut revisions = Vec::new();
    for at in 0..3000 {
        for alert in bench.event(at, "fail", "eve", "192.0.2.1") {
            revisions.push((alert.revision, alert.events));
        }
    }
    assert_eq!(revisions, [(0, 10), (1, 40), (2, 160), (3, 640), (4, 2560)]);
    let mut again = Vec::new();
    for at in 10_000..10_020 {
        again.extend(bench.event(at, "fail", "eve", "192.0.2.1"));
    }
    assert_eq!(again.iter().map(|a| a.revision).collect::<Vec<_>>(), [0]);
}

#[test]
fn thresholds_above_256_are_counted_in_buckets_within_a_64th() {
    let mut bench = Bench::new(failures(1000.0));
    let mut event = Event::new();
    event.text(Field::EVENT_ACTION, b"fail");
    event.set(Field::SOURCE_IP, Value::Ip("192.0.2.1".parse().unwrap()));
    // 25 a second for 39 s: 975 within any minute.
    let mut feed = |at: i64, count| {
        event.time = Some(Time::from_secs(at));
        event.count = count;
        bench.feed(&event, false).len()
    };
    for at in 0..39 {
        assert_eq!(feed(at, 25), 0);
    }
    assert_eq!(feed(39, 24), 0);
    assert_eq!(feed(40, 1), 1);
}

#[test]
fn a_late_event_is_ordered_in_and_a_stale_one_is_not_counted() {
    let mut bench = Bench::new(failures(3.0));
    assert!(bench.event(100, "fail", "eve", "192.0.2.1").is_empty());
    assert!(
        bench
            .seen(1_000_000, "fail", "eve", "192.0.2.1", true)
            .is_empty()
    );
    assert!(bench.event(103, "fail", "eve", "192.0.2.1").is_empty());
    assert_eq!(bench.event(99, "fail", "eve", "192.0.2.1").len(), 1);
}

#[test]
fn distinct_values_are_counted_and_shown() {
    let mut bench = Bench::new(vec![
        action("failed", "fail"),
        correlation(
            "value_count",
            &[0],
            &["source.ip"],
            60,
            Some(3.0),
            &["user.name"],
        ),
    ]);
    let mut fired = Vec::new();
    for (at, user) in [
        (0, "a"),
        (1, "a"),
        (2, "b"),
        (3, "b"),
        (70, "c"),
        (71, "d"),
        (72, "a"),
    ] {
        fired.extend(bench.event(at, "fail", user, "192.0.2.1"));
    }
    let [alert] = &fired[..] else {
        panic!("{fired:?}")
    };
    assert_eq!(alert.time, Time::from_secs(72));
    assert_eq!(alert.score.observed, 3.0);
    let shown: Vec<&[u8]> = alert.context.iter().map(|(_, v)| v.as_slice()).collect();
    assert!(
        shown.contains(&&b"a"[..]) && shown.contains(&&b"d"[..]),
        "{shown:?}"
    );
}

#[test]
fn temporal_wants_every_rule_and_ordered_wants_their_order() {
    let rules = |kind| {
        vec![
            action("a", "a"),
            action("b", "b"),
            correlation(kind, &[0, 1], &["user.name"], 60, None, &[]),
        ]
    };
    let fires = |kind, events: &[(i64, &str)]| {
        let mut bench = Bench::new(rules(kind));
        let mut count = 0;
        for (at, action) in events {
            count += bench.event(*at, action, "eve", "").len();
        }
        count > 0
    };
    assert!(!fires("temporal", &[(0, "a"), (1, "a")]));
    assert!(fires("temporal", &[(0, "b"), (60, "a")]));
    assert!(!fires("temporal", &[(0, "b"), (61, "a")]));
    assert!(!fires("temporal_ordered", &[(0, "b"), (1, "a")]));
    assert!(fires("temporal_ordered", &[(0, "b"), (1, "a"), (2, "b")]));
    assert!(fires("temporal_ordered", &[(0, "a"), (60, "b")]));
    assert!(!fires("temporal_ordered", &[(0, "a"), (61, "b")]));
    // The second `a` begins a chain that the first one could not finish.
    assert!(fires(
        "temporal_ordered",
        &[(0, "a"), (50, "a"), (100, "b")]
    ));
    // Within one second the order of lines decides.
    assert!(!fires("temporal_ordered", &[(5, "b"), (5, "a")]));
    assert!(fires("temporal_ordered", &[(5, "a"), (5, "b")]));
    // What came late is put where it belongs.
    assert!(fires("temporal_ordered", &[(0, "b"), (10, "b"), (7, "a")]));
}

#[test]
fn temporal_takes_a_condition_over_its_rules() {
    let fires = |events: &[(i64, &str)]| {
        let mut rule = correlation("temporal", &[0, 1], &["user.name"], 60, None, &[]);
        if let Body::Correlation(correlation) = &mut rule.body {
            let not = Condition::Not(Box::new(Condition::Search(1)));
            correlation.condition = Some(Condition::And(vec![Condition::Search(0), not]));
        }
        let mut bench = Bench::new(vec![action("a", "a"), action("b", "b"), rule]);
        let all = events.iter();
        all.map(|(at, action)| bench.event(*at, action, "eve", "").len())
            .collect::<Vec<_>>()
    };
    assert_eq!(fires(&[(0, "a")]), [1]);
    assert_eq!(fires(&[(0, "b"), (1, "a"), (70, "a")]), [0, 0, 1]);
}

#[test]
fn an_ordered_condition_gives_the_order_and_nothing_else() {
    let search = Condition::Search;
    let compiled = |condition| {
        let mut rule = correlation("temporal_ordered", &[0, 1], &["user.name"], 60, None, &[]);
        if let Body::Correlation(correlation) = &mut rule.body {
            correlation.condition = Some(condition);
        }
        vec![action("a", "a"), action("b", "b"), rule]
    };
    let mut bench = Bench::new(compiled(Condition::And(vec![search(1), search(0)])));
    let order = [(0, "a"), (1, "b"), (2, "a")];
    let fired = order.map(|(at, action)| bench.event(at, action, "eve", "").len());
    assert_eq!(fired, [0, 0, 1]);
    for other in [
        Condition::Or(vec![search(0), search(1)]),
        Condition::And(vec![search(0), Condition::Not(Box::new(search(1)))]),
        Condition::And(vec![search(0), search(0)]),
        search(0),
    ] {
        let rules = RuleSet {
            rules: compiled(other),
            ..RuleSet::default()
        };
        let refused = Detector::compile(&rules, &[SSHD], Options::default());
        assert_eq!(refused.map(|_| ()).unwrap_err()[0].code, "DET021");
    }
}

#[test]
fn one_line_does_not_stand_for_two_steps() {
    let mut bench = Bench::new(vec![
        action("a", "a"),
        action("also a", "a"),
        correlation("temporal_ordered", &[0, 1], &["user.name"], 60, None, &[]),
    ]);
    assert!(bench.event(0, "a", "eve", "").is_empty());
    assert_eq!(bench.event(1, "a", "eve", "").len(), 1);
}

#[test]
fn a_line_that_ends_one_sequence_and_begins_the_next_ends_it_first() {
    let mut bench = Bench::new(vec![
        action("a", "a"),
        rule(
            "any",
            Body::Detection(detects(item(Some("event.action"), &[], vec![text("?")]))),
        ),
        correlation("event_count", &[0], &["user.name"], 60, Some(1.0), &[]),
        correlation("temporal_ordered", &[2, 1], &["user.name"], 60, None, &[]),
    ]);
    assert!(bench.event(0, "a", "eve", "").is_empty());
    assert_eq!(bench.event(1, "a", "eve", "").len(), 1);
}

/// Ten failures from an address, then a success from it.
fn guess_then_success() -> Vec<Rule> {
    let mut rules = failures(5.0);
    rules.push(action("success", "login"));
    rules.push(correlation(
        "temporal_ordered",
        &[1, 2],
        &["source.ip"],
        60,
        None,
        &[],
    ));
    rules
}

#[test]
fn a_burst_of_failures_and_then_a_success_is_found_however_long_the_burst() {
    let mut bench = Bench::new(guess_then_success());
    for at in 0..600 {
        // The burst serves another rule, so it says nothing itself.
        assert!(bench.event(at, "fail", "eve", "192.0.2.1").is_empty());
    }
    let alerts = bench.event(640, "login", "eve", "192.0.2.1");
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].rule.kind, "temporal_ordered");
    assert!(bench.event(650, "login", "eve", "192.0.2.9").is_empty());
}

#[test]
fn a_chain_may_group_by_less_than_its_members() {
    let inner = correlation(
        "event_count",
        &[0],
        &["user.name", "source.ip"],
        60,
        Some(3.0),
        &[],
    );
    let mut outer = correlation(
        "value_count",
        &[1],
        &["source.ip"],
        600,
        Some(3.0),
        &["user.name"],
    );
    outer.header.level = Level::High;
    let mut bench = Bench::new(vec![action("failed", "fail"), inner, outer]);
    let mut alerts = Vec::new();
    for at in 0..90 {
        let user = ["ann", "bob", "cid"][at as usize % 3];
        alerts.extend(bench.event(at, "fail", user, "192.0.2.1"));
    }
    let [alert] = &alerts[..] else {
        panic!("{alerts:?}")
    };
    assert_eq!(
        alert.entity,
        [("source.ip".to_owned(), b"192.0.2.1".to_vec())]
    );
    assert_eq!(alert.score.observed, 3.0);
}

#[test]
fn values_are_added_up_and_averaged_within_the_window() {
    let fires = |kind, gte, values: &[(i64, i64)]| {
        let mut bench = Bench::new(vec![
            action("sent", "sent"),
            correlation(
                kind,
                &[0],
                &["source.ip"],
                640,
                Some(gte),
                &["source.bytes"],
            ),
        ]);
        let mut event = Event::new();
        event.text(Field::EVENT_ACTION, b"sent");
        event.set(Field::SOURCE_IP, Value::Ip("192.0.2.1".parse().unwrap()));
        let mut fired = Vec::new();
        for (at, value) in values {
            event.time = Some(Time::from_secs(*at));
            event.replace(Field::SOURCE_BYTES, Value::Int(*value));
            fired.extend(bench.feed(&event, false).iter().map(|a| a.score.observed));
        }
        fired
    };
    assert_eq!(
        fires("value_sum", 1000.0, &[(0, 400), (300, 400), (640, 200)]),
        [1000.0]
    );
    assert!(fires("value_sum", 1000.0, &[(0, 400), (300, 400), (660, 200)]).is_empty());
    let median = fires("value_median", 250.0, &[(0, 100), (1, 400), (2, 200)]);
    assert_eq!(median, [250.0]);
    assert_eq!(
        fires("value_avg", 300.0, &[(0, 100), (1, 200), (2, 600)]),
        [300.0]
    );
}

#[test]
fn an_outer_rule_counts_each_burst_of_its_member_once() {
    let inner = correlation("event_count", &[0], &["source.ip"], 60, Some(5.0), &[]);
    let outer = correlation("event_count", &[1], &["source.ip"], 7200, Some(3.0), &[]);
    let mut bench = Bench::new(vec![action("failed", "fail"), inner, outer]);
    let mut fired = Vec::new();
    for burst in 0..3 {
        for n in 0..20 {
            fired.extend(bench.event(burst * 600 + n, "fail", "eve", "192.0.2.1"));
        }
    }
    let [alert] = &fired[..] else {
        panic!("{fired:?}")
    };
    assert_eq!((alert.time, alert.events), (Time::from_secs(1204), 3));
}

#[test]
fn what_is_not_supported_is_refused() {
    for kind in ["value_mode", "event_cuont"] {
        let rules = RuleSet {
            rules: vec![
                action("a", "a"),
                correlation(kind, &[0], &[], 60, Some(3.0), &["user.name"]),
            ],
            ..RuleSet::default()
        };
        let refused = Detector::compile(&rules, &[SSHD], Options::default());
        let diagnostics = refused.map(|_| ()).unwrap_err();
        assert!(diagnostics[0].message.contains(kind));
    }
}

#[test]
fn a_rule_that_is_a_member_of_itself_is_refused() {
    let mut rules = vec![action("a", "a")];
    rules.push(correlation("event_count", &[2], &[], 60, Some(3.0), &[]));
    rules.push(correlation("event_count", &[1], &[], 60, Some(3.0), &[]));
    let rules = RuleSet {
        rules,
        ..RuleSet::default()
    };
    let refused = Detector::compile(&rules, &[SSHD], Options::default());
    let diagnostics = refused.map(|_| ()).unwrap_err();
    assert!(diagnostics[0].message.contains("member of itself"));
}

#[test]
fn a_detection_alerts_by_itself_unless_it_serves_another() {
    let mut bench = Bench::new(vec![action("login", "login")]);
    let alerts = bench.event(0, "login", "eve", "192.0.2.1");
    assert_eq!(alerts.len(), 1);
    let names: Vec<&str> = alerts[0]
        .entity
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["user.name", "source.ip"]);
    assert!(bench.event(10, "login", "eve", "192.0.2.1").is_empty());
    assert_eq!(bench.event(10, "login", "bob", "192.0.2.1").len(), 1);
    let mut bench = Bench::new(failures(3.0));
    assert!(bench.event(0, "fail", "eve", "192.0.2.1").is_empty());
}
