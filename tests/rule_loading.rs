//! Loading rules: what each kind of document becomes.

use tipstaff::rule::{Condition, Diagnostic, Literal, LoadOptions, Search, load_text};
use tipstaff::time::Span;

use crate::rule_support::{
    SAMPLE, baseline, codes, correlation, detection, good, named, read, rule,
};

#[test]
fn values_keep_the_type_they_are_written_with() {
    let rules = good(&rule(
        "s:\n  A: [5, '5', 5.5, true, 'true', yes, 1e5, a*b, '\\*']\n  B:\ncondition: s",
    ));
    let (_, Search::All(items)) = &detection(&rules[0]).searches[0] else {
        panic!()
    };
    let (Search::Item(a), Search::Item(b)) = (&items[0], &items[1]) else {
        panic!()
    };
    let text = |t: &str| Literal::Text(t.into());
    assert_eq!(
        a.values,
        [
            Literal::Int(5),
            text("5"),
            Literal::Float(5.5),
            Literal::Bool(true),
            text("true"),
            text("yes"),
            text("1e5"),
            text("a*b"),
            text("\\*"),
        ]
    );
    assert_eq!(b.values, [Literal::Null]);
    assert_eq!((a.at.line, a.at.column), (5, 8));
}

#[test]
fn lists_maps_and_keywords_nest() {
    let text = rule(
        "kw: [error, 4711]\nall:\n  '|all': [a, b]\nmaps:\n  - A: x\n    B: y\n  - [C, {D: z}]\n\
         condition: 1 of them",
    );
    let rules = good(&text);
    let searches = &detection(&rules[0]).searches;
    let Search::Item(kw) = &searches[0].1 else {
        panic!()
    };
    assert_eq!(kw.field, None);
    assert_eq!(kw.values[1], Literal::Text("4711".into()));
    let Search::All(all) = &searches[1].1 else {
        panic!()
    };
    assert!(matches!(&all[0], Search::Item(item) if item.field.is_none()));
    let Search::Any(maps) = &searches[2].1 else {
        panic!()
    };
    assert!(matches!(&maps[0], Search::All(both) if both.len() == 2));
    assert!(matches!(&maps[1], Search::Any(either) if either.len() == 2));
}

#[test]
fn a_custom_attribute_is_kept_and_a_known_one_is_read() {
    let body = rule("s: {A: x}\ncondition: s");
    let rules = good(&format!(
        "owner: blue team\nlevel: high\nauthor: [a, b]\ndate: 2024/01/31\n\
         related: [{{id: 5d0f0f3e-6a5f-4d55-9a5d-0a4f6c6b1d11, type: similar}}]\n{body}"
    ));
    let header = &rules[0].header;
    assert_eq!(header.custom["owner"], "blue team");
    assert_eq!(header.author, "a, b");
    assert_eq!(header.date.as_deref(), Some("2024-01-31"));
    assert_eq!(header.related[0].1, "similar");
    assert!(header.level_stated);
}

#[test]
fn correlations_find_their_rules_in_any_order_by_name_or_id() {
    let text = "title: c\nname: c\ncorrelation:\n  type: event_count\n  rules: [late, 5D0F0F3E-6a5f-4d55-9a5d-0a4f6c6b1d11]\n  \
                group-by: [user, host]\n  timespan: 5m\n  condition: {gte: 5, lt: 100}\n  \
                aliases: {user: {late: user.name, 5d0f0f3e-6a5f-4d55-9a5d-0a4f6c6b1d11: user.target.name}}\n---\n\
                id: 5d0f0f3e-6a5f-4d55-9a5d-0a4f6c6b1d11\n";
    let rules = good(&format!(
        "{text}{}---\n{}",
        rule("s: {A: x}\ncondition: s"),
        named("late")
    ));
    let found = correlation(&rules[0]);
    assert_eq!(found.kind, "event_count");
    assert_eq!(found.timespan, Span::from_secs(300));
    assert_eq!(found.bounds.len(), 2);
    let members: Vec<_> = found
        .members
        .iter()
        .map(|m| (m.rule, m.group_by.join(" ")))
        .collect();
    assert_eq!(
        members,
        [
            (2, "user.name host".to_owned()),
            (1, "user.target.name host".to_owned())
        ]
    );
}

#[test]
fn every_type_of_correlation_loads() {
    for (kind, condition) in [
        ("event_count", "{gte: 5}"),
        ("value_count", "{field: [a, b], gt: 5}"),
        ("temporal", "a and not b"),
        ("temporal_ordered", ""),
        ("value_sum", "{field: a, gt: 5.5}"),
        ("value_avg", "{field: a, neq: 5}"),
        ("value_percentile", "{field: a, percentile: 95, eq: 5}"),
        ("value_median", "{field: a, lte: 5}"),
    ] {
        let text = format!(
            "{}{}title: c\ncorrelation: {{type: {kind}, rules: [a, b], timespan: 1h, condition: {condition}}}\n",
            named("a"),
            named("b")
        );
        let rules = good(&text);
        let found = correlation(&rules[2]);
        assert_eq!(found.kind, kind);
        assert_eq!(found.percentile.is_some(), kind == "value_percentile");
        let both = Condition::And(vec![
            Condition::Search(0),
            Condition::Not(Box::new(Condition::Search(1))),
        ]);
        assert_eq!(found.condition, (kind == "temporal").then_some(both));
    }
}

#[test]
fn chains_of_correlations_load_and_circles_do_not() {
    let link = |name: &str, of: &str| {
        format!(
            "title: {name}\nname: {name}\ncorrelation: {{type: event_count, rules: [{of}], timespan: 1h, \
             condition: {{gte: 2}}}}\n---\n"
        )
    };
    good(&format!(
        "{}{}{}",
        link("c", "b"),
        link("b", "a"),
        named("a")
    ));
    let circle = format!(
        "{}{}{}{}",
        link("d", "c"),
        link("c", "b"),
        link("b", "c"),
        link("e", "e")
    );
    let found = read(&circle).unwrap_err();
    let messages: Vec<_> = found.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "rules refer to each other in a circle: \"c\" → \"b\" → \"c\"",
            "rules refer to each other in a circle: \"e\" → \"e\"",
        ]
    );
    let mut long: String = (1..5000)
        .map(|i| link(&format!("n{i}"), &format!("n{}", i - 1)))
        .collect();
    long.push_str(&named("n0"));
    assert_eq!(good(&long).len(), 5000);
}

#[test]
fn a_filter_is_merged_into_its_rule_and_gone() {
    let filter = "title: f\nlogsource: {product: linux}\nfilter:\n  rules: [b]\n  s: {host: lab}\n  condition: not s\n---\n";
    let plain = good(&format!("{}{}", named("a"), named("b")));
    let rules = good(&format!("{}{filter}{}", named("a"), named("b")));
    assert_eq!(rules.len(), 2);
    let (a, b) = (detection(&rules[0]), detection(&rules[1]));
    assert_eq!(a.conditions, [Condition::Search(0)]);
    let not = Condition::Not(Box::new(Condition::Search(1)));
    assert_eq!(
        b.conditions,
        [Condition::And(vec![Condition::Search(0), not])]
    );
    assert_eq!(b.searches[1].0, "filter \"f\": s");
    assert_eq!(plain[0].hash, rules[0].hash);
    assert_ne!(plain[1].hash, rules[1].hash);

    let any = filter.replace("[b]", "any");
    let rules = good(&format!("{}{any}{}", named("a"), named("b")));
    assert_eq!(detection(&rules[0]).searches.len(), 2);
    let other = filter.replace("product: linux", "product: zeek");
    assert_eq!(codes(&format!("{}{other}", named("b"))), ["FLT001"]);
    let keeps = filter.replace("not s", "s");
    assert_eq!(codes(&format!("{}{keeps}", named("b"))), ["LNT014"]);
}

#[test]
fn the_sample_baseline_loads_with_all_it_says() {
    let text = format!("{}{SAMPLE}", named("ssh_login_ok"));
    let rules = good(&text);
    let found = baseline(&rules[1]);
    assert_eq!(found.kind, "first_seen");
    assert_eq!(found.members[0].rule, 0);
    assert_eq!(found.members[0].group_by, ["user.name"]);
    assert_eq!(found.fields, ["source.ip"]);
    assert!((found.surprise - 10.0).abs() < f64::EPSILON);
    assert_eq!(found.learn.half_life, Span::DAY.times(45));
    assert_eq!(found.learn.warm_up, Span::DAY.times(7));
    assert_eq!(found.learn.min_buckets, 3);
    assert_eq!(rules[1].header.blindspots.len(), 1);
    let options = LoadOptions {
        lint: true,
        ..LoadOptions::default()
    };
    let loaded = load_text("a.yml", &text, &options).unwrap();
    let about_sample = |d: &&Diagnostic| d.message.contains("never used");
    assert_eq!(loaded.warnings.iter().find(about_sample), None);
}

#[test]
fn a_rule_that_is_off_stays_when_one_that_is_on_needs_it() {
    let text = format!(
        "status: experimental\n{}{}title: c\ncorrelation: {{type: event_count, rules: [b], timespan: 1h, \
         condition: {{gte: 2}}}}\n---\nstatus: experimental\n{}",
        named("a"),
        named("z"),
        named("b")
    );
    let loaded = read(&text).unwrap();
    let names: Vec<_> = loaded
        .rules
        .rules
        .iter()
        .map(|r| r.header.name.clone())
        .collect();
    assert_eq!(names, [Some("z".into()), None, Some("b".into())]);
    assert_eq!(correlation(&loaded.rules.rules[1]).members[0].rule, 2);
    assert_eq!(loaded.off, ["t"]);
}
