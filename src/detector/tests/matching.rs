//! The index against an evaluator that asks each rule by itself.

use proptest::prelude::*;

use super::*;
use crate::rule::Selector;

/// What an item means, said as simply as possible.
fn naive_item(item: &Item, event: &[(&str, Value<'_>)]) -> bool {
    let has = |m| item.modifiers.contains(&m);
    let mut found: Vec<Value<'_>> = Vec::new();
    let mut there = false;
    for (name, value) in event {
        if item.field.as_deref().is_some_and(|field| field != *name) {
            continue;
        }
        there = true;
        match value {
            Value::List(members) => found.extend(*members),
            one => found.push(*one),
        }
    }
    let one = |literal: &Literal| match literal {
        Literal::Null => found.iter().all(|v| *v == Value::Null),
        Literal::Bool(wanted) if has(Modifier::Exists) => there == *wanted,
        _ => found
            .iter()
            .any(|value| naive_value(item, literal, value, event)),
    };
    let whole = if has(Modifier::All) {
        item.values.iter().all(one)
    } else {
        item.values.iter().any(one)
    };
    whole != has(Modifier::Neq)
}

fn naive_value(
    item: &Item,
    literal: &Literal,
    value: &Value<'_>,
    event: &[(&str, Value<'_>)],
) -> bool {
    let has = |m| item.modifiers.contains(&m);
    let shown = match value {
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Int(number) => number.to_string(),
        _ => return false,
    };
    let wanted = match literal {
        Literal::Text(text) => text.clone(),
        Literal::Int(number) => number.to_string(),
        _ => return false,
    };
    if has(Modifier::Gt) {
        return matches!((shown.parse::<f64>(), literal), (Ok(n), Literal::Int(w)) if n > *w as f64);
    }
    if has(Modifier::Re) {
        let flags = if has(Modifier::IgnoreCase) {
            "(?i)"
        } else {
            ""
        };
        let regex = regex::Regex::new(&format!("{flags}{wanted}")).unwrap();
        return regex.is_match(&shown);
    }
    if has(Modifier::Cidr) {
        let net: ipnet::IpNet = wanted.parse().unwrap();
        return shown
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| net.contains(&ip));
    }
    if has(Modifier::FieldRef) {
        let other = event.iter().find(|(name, _)| *name == wanted);
        let texts: Vec<String> = match other.map(|(_, value)| value) {
            Some(Value::List(members)) => members.iter().filter_map(naive_text).collect(),
            Some(one) => naive_text(one).into_iter().collect(),
            None => Vec::new(),
        };
        let shown = shown.to_lowercase();
        return texts.iter().any(|text| {
            if has(Modifier::EndsWith) {
                shown.ends_with(&text.to_lowercase())
            } else {
                shown == text.to_lowercase()
            }
        });
    }
    let (shown, wanted) = if has(Modifier::Cased) {
        (shown, wanted)
    } else {
        (shown.to_lowercase(), wanted.to_lowercase())
    };
    let forms = if has(Modifier::WinDash) {
        naive_dashes(&wanted)
    } else {
        vec![wanted]
    };
    forms
        .iter()
        .any(|wanted| naive_text_value(item, wanted, &shown))
}

fn naive_text(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Every text that a value with `windash` stands for, written out.
fn naive_dashes(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut forms = vec![String::new()];
    for (at, c) in chars.iter().enumerate() {
        let begins = at == 0 || !chars[at - 1].is_alphanumeric();
        let word = chars.get(at + 1).is_some_and(|next| next.is_alphanumeric());
        let any = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];
        let instead = if matches!(c, '-' | '/') && begins && word {
            &any[..]
        } else {
            std::slice::from_ref(c)
        };
        let longer = |form: &String| {
            let each = instead.iter();
            each.map(|c| format!("{form}{c}")).collect::<Vec<_>>()
        };
        forms = forms.iter().flat_map(longer).collect();
    }
    forms
}

/// `*` and `?` as characters that no text of the test has, unless escaped.
fn naive_wildcards(text: &str) -> Vec<char> {
    let (mut out, mut chars) = (Vec::new(), text.chars().peekable());
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' => ANY,
            '?' => ONE,
            '\\' => chars
                .next_if(|next| matches!(next, '*' | '?' | '\\'))
                .unwrap_or('\\'),
            c => c,
        });
    }
    out
}

const ANY: char = '\u{1}';
const ONE: char = '\u{2}';

fn naive_text_value(item: &Item, wanted: &str, shown: &str) -> bool {
    let has = |m| item.modifiers.contains(&m);
    let placed = has(Modifier::StartsWith) || has(Modifier::EndsWith);
    let anywhere = has(Modifier::Contains) || (item.field.is_none() && !placed);
    let mut pattern: Vec<char> = Vec::new();
    if anywhere || has(Modifier::EndsWith) {
        pattern.push(ANY);
    }
    pattern.extend(naive_wildcards(wanted));
    if anywhere || has(Modifier::StartsWith) {
        pattern.push(ANY);
    }
    naive_glob(&pattern, &shown.chars().collect::<Vec<_>>())
}

fn naive_glob(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((&ANY, rest)), None) => naive_glob(rest, text),
        (Some((&ANY, rest)), Some((_, tail))) => {
            naive_glob(rest, text) || naive_glob(pattern, tail)
        }
        (Some((&ONE, rest)), Some((_, tail))) => naive_glob(rest, tail),
        (Some((c, rest)), Some((d, tail))) => c == d && naive_glob(rest, tail),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn naive_search(search: &Search, event: &[(&str, Value<'_>)]) -> bool {
    match search {
        Search::All(parts) => parts.iter().all(|part| naive_search(part, event)),
        Search::Any(parts) => parts.iter().any(|part| naive_search(part, event)),
        Search::Item(item) => naive_item(item, event),
    }
}

fn naive_condition(condition: &Condition, holds: &[bool]) -> bool {
    match condition {
        Condition::Not(inner) => !naive_condition(inner, holds),
        Condition::And(parts) => parts.iter().all(|part| naive_condition(part, holds)),
        Condition::Or(parts) => parts.iter().any(|part| naive_condition(part, holds)),
        Condition::Search(at) => holds[*at],
        Condition::Of(Selector::Any, places) => places.iter().any(|at| holds[*at]),
        Condition::Of(Selector::All, places) => places.iter().all(|at| holds[*at]),
    }
}

const FIELDS: [&str; 3] = ["A", "B", "C"];

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        6 => r"[abAÄ1*?\\-]{0,4}".prop_map(Literal::Text),
        2 => (-2_i64..13).prop_map(Literal::Int),
        1 => Just(Literal::Null),
    ]
}

fn any_item() -> impl Strategy<Value = Item> {
    let modifiers = prop_oneof![
        Just(vec![]),
        Just(vec![Modifier::Contains]),
        Just(vec![Modifier::StartsWith]),
        Just(vec![Modifier::EndsWith]),
        Just(vec![Modifier::Contains, Modifier::All]),
        Just(vec![Modifier::Contains, Modifier::Cased]),
        Just(vec![Modifier::Cased]),
        Just(vec![Modifier::Neq]),
        Just(vec![Modifier::Gt]),
        Just(vec![Modifier::Exists]),
        Just(vec![Modifier::Re]),
        Just(vec![Modifier::Re, Modifier::IgnoreCase]),
        Just(vec![Modifier::Cidr]),
        Just(vec![Modifier::WinDash, Modifier::Contains]),
        Just(vec![Modifier::FieldRef]),
        Just(vec![Modifier::FieldRef, Modifier::EndsWith]),
    ];
    let values = proptest::collection::vec(literal(), 1..4);
    let special = proptest::collection::vec(0..6_usize, 1..3);
    (
        0..4_usize,
        modifiers,
        values,
        -2_i64..13,
        any::<bool>(),
        special,
    )
        .prop_map(|(field, modifiers, mut values, number, yes, special)| {
            let mut field = FIELDS.get(field).copied();
            let chosen = |all: [&str; 6]| -> Vec<Literal> {
                special.iter().map(|at| text(all[*at])).collect()
            };
            if modifiers.contains(&Modifier::Re) {
                values = chosen(["^ab", "aab+", "(abB|ba1).", "[bB]a", "Ää|-a", "b$"]);
            } else if modifiers.contains(&Modifier::Cidr) {
                field = field.or(Some("A"));
                values = chosen([
                    "10.0.0.0/8",
                    "10.1.2.3/32",
                    "0.0.0.0/0",
                    "10.1.0.0/16",
                    "::/0",
                    "10.1.2.2/31",
                ]);
            } else if modifiers.contains(&Modifier::WinDash) {
                values = chosen(["-a", "/b", " -a", "a-b", "-", "-a/b"]);
            } else if modifiers.contains(&Modifier::FieldRef) {
                field = field.or(Some("A"));
                values = chosen(["A", "B", "C", "D", "B", "C"]);
            } else if modifiers.contains(&Modifier::Gt) {
                values = vec![Literal::Int(number)];
                field = field.or(Some("A"));
            } else if modifiers.contains(&Modifier::Exists) {
                values = vec![Literal::Bool(yes)];
                field = field.or(Some("B"));
            } else if field.is_none() {
                values.retain(|value| *value != Literal::Null);
                values.push(text("a"));
            }
            item(field, &modifiers, values)
        })
}

fn any_search() -> impl Strategy<Value = Search> {
    any_item()
        .prop_map(Search::Item)
        .prop_recursive(2, 6, 3, |inner| {
            let parts = proptest::collection::vec(inner, 1..3);
            prop_oneof![
                parts.clone().prop_map(Search::All),
                parts.prop_map(Search::Any)
            ]
        })
}

fn any_condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        (0..3_usize).prop_map(Condition::Search),
        Just(Condition::Of(Selector::Any, vec![0, 2])),
        Just(Condition::Of(Selector::All, vec![1, 2])),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        let parts = proptest::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            parts.clone().prop_map(Condition::And),
            parts.prop_map(Condition::Or),
            inner.prop_map(|c| Condition::Not(Box::new(c))),
        ]
    })
}

fn any_detection() -> impl Strategy<Value = Detection> {
    let searches = proptest::collection::vec(any_search(), 3);
    let conditions = proptest::collection::vec(any_condition(), 1..3);
    (searches, conditions).prop_map(|(searches, conditions)| Detection {
        logsource: Logsource::default(),
        searches: searches.into_iter().map(|s| ("s".to_owned(), s)).collect(),
        conditions,
    })
}

#[derive(Clone, Debug)]
enum Made {
    Absent,
    Null,
    Text(String),
    Int(i64),
    List(Vec<String>),
}

fn value() -> impl Strategy<Value = Made> {
    let text = "[abBÄä1]{0,5}|[ab/\u{2013} -]{1,4}|10\\.1\\.2\\.[2-4]|aabb|[\\\\*?a]{1,3}";
    prop_oneof![
        1 => Just(Made::Absent),
        1 => Just(Made::Null),
        4 => text.prop_map(Made::Text),
        2 => (-2_i64..13).prop_map(Made::Int),
        1 => proptest::collection::vec(text, 1..3).prop_map(Made::List),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_index_forgets_no_rule_and_invents_none(
        detections in proptest::collection::vec(any_detection(), 1..5),
        made in proptest::collection::vec(value(), 3),
    ) {
        let lists: Vec<Vec<Value<'_>>> = made
            .iter()
            .map(|made| match made {
                Made::List(texts) => texts.iter().map(|t| Value::Text(t.as_bytes())).collect(),
                _ => Vec::new(),
            })
            .collect();
        let mut event = Vec::new();
        for ((name, made), list) in FIELDS.into_iter().zip(&made).zip(&lists) {
            match made {
                Made::Absent => {}
                Made::Null => event.push((name, Value::Null)),
                Made::Text(text) => event.push((name, Value::Text(text.as_bytes()))),
                Made::Int(number) => event.push((name, Value::Int(*number))),
                Made::List(_) => event.push((name, Value::List(list))),
            }
        }
        let mut expected = Vec::new();
        for (detection, number) in detections.iter().zip(0_u32..) {
            let holds: Vec<bool> =
                detection.searches.iter().map(|(_, s)| naive_search(s, &event)).collect();
            if detection.conditions.iter().any(|c| naive_condition(c, &holds)) {
                expected.push(number);
            }
        }
        let rules: Vec<Rule> = detections
            .into_iter()
            .map(|d| rule("r", Body::Detection(d)))
            .collect();
        prop_assert_eq!(matched(rules, &event, b""), expected);
    }
}

#[test]
fn keywords_search_the_line_and_not_the_names_of_json_fields() {
    let keyword = |word| {
        rule(
            "k",
            Body::Detection(detects(item(None, &[], vec![text(word)]))),
        )
    };
    let rules = vec![keyword("EVIL"), keyword("re*ss"), keyword("nothing")];
    assert_eq!(matched(rules.clone(), &[], b"an evil REdneSS"), [0, 1]);
    let fields = [("evil", Value::Text(b"press")), ("x", Value::Int(4711))];
    let named = rule(
        "n",
        Body::Detection(detects(item(Some("evil"), &[], vec![text("?")]))),
    );
    let rules = [rules, vec![named, keyword("471")]].concat();
    assert_eq!(matched(rules, &fields, b""), [1, 4]);
}

#[test]
fn an_address_meets_networks_and_texts() {
    let with = |modifiers: &[Modifier], value| {
        rule(
            "r",
            Body::Detection(detects(item(Some("A"), modifiers, vec![text(value)]))),
        )
    };
    let rules = vec![
        with(&[Modifier::Cidr], "10.0.0.0/8"),
        with(&[Modifier::StartsWith], "10.1."),
        with(&[], "10.1.2.3"),
        with(&[Modifier::Re], r"^10\.(1|2)\."),
        with(&[Modifier::Cidr], "fe80::/10"),
        with(&[Modifier::EndsWith], ".4"),
    ];
    let ip = Value::Ip("10.1.2.3".parse().unwrap());
    assert_eq!(matched(rules.clone(), &[("A", ip)], b""), [0, 1, 2, 3]);
    assert_eq!(
        matched(rules, &[("A", Value::Text(b"10.1.2.3"))], b""),
        [0, 1, 2, 3]
    );
}

#[test]
fn a_field_is_compared_with_another() {
    let with = |modifiers: &[Modifier]| {
        let modifiers = [&[Modifier::FieldRef], modifiers].concat();
        rule(
            "r",
            Body::Detection(detects(item(Some("A"), &modifiers, vec![text("B")]))),
        )
    };
    let rules = vec![
        with(&[]),
        with(&[Modifier::StartsWith]),
        with(&[Modifier::EndsWith]),
        with(&[Modifier::Contains]),
        with(&[Modifier::Neq]),
    ];
    let pair = |a, b| [("A", Value::Text(a)), ("B", Value::Text(b))];
    assert_eq!(
        matched(rules.clone(), &pair(b"Eve", b"eVE"), b""),
        [0, 1, 2, 3]
    );
    assert_eq!(
        matched(rules.clone(), &pair(b"eve@x", b"EVE"), b""),
        [1, 3, 4]
    );
    assert_eq!(
        matched(rules.clone(), &pair(b"an eve@x", b"EVE"), b""),
        [3, 4]
    );
    assert_eq!(
        matched(rules, &[("A", Value::Null), ("B", Value::Null)], b""),
        [4]
    );
}

#[test]
fn a_rule_that_cannot_work_is_refused_with_its_place() {
    let broken = |modifiers: &[Modifier], value: Literal| {
        let rules = RuleSet {
            rules: vec![rule(
                "r",
                Body::Detection(detects(item(Some("A"), modifiers, vec![value]))),
            )],
            ..RuleSet::default()
        };
        let refused = Detector::compile(&rules, &[SSHD], Options::default());
        refused.map(|_| ()).unwrap_err()
    };
    for (modifiers, value) in [
        (&[Modifier::Re][..], text("a(?!b)")),
        (&[Modifier::Re], text("(a{1,1000}){1,1000}")),
        (&[Modifier::Cidr], text("10.0.0.1/8")),
        (&[Modifier::Expand], text("%admins%")),
    ] {
        let diagnostics = broken(modifiers, value);
        assert_eq!(diagnostics.len(), 1);
        assert!(diagnostics[0].at.is_some());
    }
}
