//! Made-up months: the same seed is the same bytes, the twin differs by the
//! attacks alone, and what is found in them is counted right. The measurement
//! itself is `cargo bench --bench worlds`.

use std::collections::BTreeSet;

use crate::support::score::{Seen, Whose, judge, watch};
use crate::support::shipped;
use crate::support::world::Sample;
use crate::support::world::month::{Attack, Month, Oddity, Plan, TECHNIQUES, month};
use crate::support::world::stamp::{DAY, HOUR, MINUTE, at};

fn some_days(only: &str) -> Plan {
    Plan {
        seed: 7,
        days: 4,
        people: 60,
        each: 2,
        only: Some(only.to_owned()),
    }
}

fn lines(logs: &[Sample]) -> Vec<&[u8]> {
    logs.iter()
        .flat_map(|log| log.text.split(|&byte| byte == b'\n'))
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let plan = some_days("brute_force");
    let (one, two) = (month(&plan, true), month(&plan, true));
    assert!(lines(&one.logs) == lines(&two.logs));
    assert_eq!(one.attacks, two.attacks);
    let other = month(&Plan { seed: 8, ..plan }, true);
    assert!(lines(&one.logs) != lines(&other.logs));
}

#[test]
fn the_twin_is_the_month_without_its_attacks_line_for_line() {
    for only in ["brute_force", "beacon", "new_account"] {
        let plan = some_days(only);
        let (attacked, twin) = (month(&plan, true), month(&plan, false));
        assert!(twin.attacks.is_empty() && attacked.oddities == twin.oddities);
        let all = lines(&attacked.logs);
        let mut rest = all.iter();
        for line in lines(&twin.logs) {
            assert!(
                rest.any(|other| *other == line),
                "{only}: a line is missing"
            );
        }
        let more = all.len() - lines(&twin.logs).len();
        assert!(more > 8, "{only}: {more} lines of attacks");
    }
}

#[test]
fn every_technique_can_be_played_and_is_over_within_the_month() {
    let mut plan = Plan::full(3);
    plan.people = 100;
    let attacked = month(&plan, true);
    assert_eq!(attacked.attacks.len(), 2 * TECHNIQUES.len());
    assert!(TECHNIQUES.iter().any(|t| t.burst) && !TECHNIQUES.iter().all(|t| t.burst));
    for attack in &attacked.attacks {
        let Attack {
            technique,
            entities,
            span,
            payload,
        } = attack;
        assert!(
            span.start < span.end && plan.span().contains(&span.start),
            "{technique}"
        );
        assert!(
            span.end <= plan.span().end,
            "{technique} outlasts the month"
        );
        assert!((span.start..=span.end).contains(payload), "{technique}");
        assert!(!entities.is_empty(), "{technique}");
        // Somebody could name it: the logs do.
        let named = |name: &String| {
            let here = |log: &Sample| memchr::memmem::find(&log.text, name.as_bytes()).is_some();
            attacked.logs.iter().any(here)
        };
        assert!(entities.iter().any(named), "{technique}: {entities:?}");
    }
}

#[test]
fn a_short_month_with_two_attacks_is_scored() {
    let plan = some_days("brute_force");
    let (attacked, twin) = (month(&plan, true), month(&plan, false));
    let folder = tempfile::tempdir().unwrap();
    let seen = watch(shipped(), &attacked, &folder.path().join("attacked"));
    let quiet = watch(shipped(), &twin, &folder.path().join("twin"));
    let score = judge(&attacked, &seen, &quiet);
    assert_eq!(score.outcomes.len(), 2);
    for outcome in &score.outcomes {
        let delay = outcome.delay.expect("brute force is found by a plain rule");
        assert!((0..10 * MINUTE).contains(&delay), "{delay}");
        assert!(outcome.technique == "brute_force" && outcome.in_time && !outcome.rules.is_empty());
    }
    let first = score.incidents.iter().find(|i| i.whose == Whose::Attack);
    let starts = attacked.attacks.iter().map(|a| a.span.start);
    assert!(first.is_some_and(|i| i.at >= starts.min().unwrap()));
    assert!(score.twin.iter().all(|i| i.whose != Whose::Attack));
    // The same said of the twin: nothing is found.
    let nothing = judge(&attacked, &seen, &seen);
    assert!(nothing.outcomes.iter().all(|o| o.delay.is_none()));
}

#[test]
fn what_is_known_beside_the_logs_covers_whom_they_name() {
    let mut plan = Plan::full(4);
    (plan.people, plan.days, plan.each) = (60, 16, 1);
    let attacked = month(&plan, true);
    let [networks, directory] = &attacked.tables[..] else {
        panic!("two tables");
    };
    let text = String::from_utf8(networks.text.clone()).unwrap();
    let known: Vec<ipnet::IpNet> = text
        .lines()
        .skip(1)
        .map(|row| row.split(',').next().unwrap().parse().unwrap())
        .collect();
    let mut outside = 0;
    for name in attacked.attacks.iter().flat_map(|attack| &attack.entities) {
        let Ok(address) = name.parse::<std::net::IpAddr>() else {
            continue;
        };
        let inside = name.starts_with("10.");
        outside += usize::from(!inside);
        assert!(
            inside || known.iter().any(|net| net.contains(&address)),
            "{name}"
        );
    }
    assert!(outside > 10, "attacks come from outside");
    let text = String::from_utf8(directory.text.clone()).unwrap();
    assert_eq!(
        text.lines().count(),
        1 + 60 + 3,
        "everybody and three programs"
    );
}

fn said(rule: &str, entity: &str, at: i64) -> Seen {
    Seen {
        at,
        rule: rule.to_owned(),
        entity: Vec::from([entity.to_owned()])
            .into_iter()
            .filter(|e| e != "everybody")
            .collect(),
        bits: 9.0,
    }
}

#[test]
fn incidents_are_a_rule_an_entity_and_a_day_and_belong_to_somebody() {
    let noon = at(2, 12, 0);
    let set = |name: &str| BTreeSet::from([name.to_owned()]);
    let made_up = Month {
        logs: Vec::new(),
        tables: Vec::new(),
        attacks: vec![Attack {
            technique: "beacon",
            entities: set("10.20.30.9"),
            span: noon..noon + 3 * HOUR,
            payload: noon + HOUR,
        }],
        oddities: vec![Oddity {
            what: "trip",
            entities: set("m.dahl"),
            span: noon..noon + DAY,
        }],
    };
    let seen = [
        said("a", "10.20.30.9", noon + 2 * HOUR),
        // The same incident, and one of another day.
        said("a", "10.20.30.9", noon + 5 * HOUR),
        said("a", "10.20.30.9", noon + 27 * HOUR),
        // Said of the twin as well, soon before and too long before.
        said("b", "10.20.30.9", noon + MINUTE),
        said("c", "10.20.30.9", noon + 170 * MINUTE),
        said("d", "m.dahl", noon + HOUR),
        said("d", "198.51.100.4", noon),
        said("d", "k.lund", noon),
        // A beacon is nothing that everybody takes part in.
        said("e", "everybody", noon + MINUTE),
    ];
    let twin = [
        said("b", "10.20.30.9", noon - 80 * MINUTE),
        said("c", "10.20.30.9", noon + 60 * MINUTE),
        said("d", "k.lund", noon),
    ];
    let score = judge(&made_up, &seen, &twin);
    let [found] = &score.outcomes[..] else {
        panic!("one attack");
    };
    assert_eq!(found.delay, Some(2 * HOUR));
    assert!(!found.in_time, "the payload was an hour earlier");
    let rules: Vec<_> = found.rules.iter().map(|(rule, _)| rule.as_str()).collect();
    assert_eq!(rules, ["a", "c"]);
    assert!(score.incidents.iter().all(|i| (i.bits - 9.0).abs() < 0.1));
    let whose: Vec<_> = score
        .incidents
        .iter()
        .map(|i| (i.rule.as_str(), i.entity.as_str(), i.whose))
        .collect();
    assert_eq!(
        whose,
        [
            ("a", "10.20.30.9", Whose::Attack),
            ("a", "10.20.30.9", Whose::Wake),
            ("b", "10.20.30.9", Whose::Nobody),
            ("c", "10.20.30.9", Whose::Attack),
            ("d", "198.51.100.4", Whose::Background),
            ("d", "k.lund", Whose::Nobody),
            ("d", "m.dahl", Whose::Oddity("trip")),
            ("e", "", Whose::Wake),
        ]
    );
}
