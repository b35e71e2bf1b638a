//! Real Zeek rows, as TSV and JSON, against what Zeek, Logstash and Filebeat
//! say is in them. The data has its own licences and is not part of the
//! project: without it the test says so and is skipped.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use bumpalo::Bump;
use jiff::tz::TimeZone;
use serde_json::Value as Json;
use tipstaff::event::{Event, Value};
use tipstaff::field::{FIELDS, Field, Projection};
use tipstaff::format::{Context, Parser, Verdict, zeek};
use tipstaff::time::Time;

use crate::support::conformance;

/// Met and not met, by `source name`.
type Table = BTreeMap<String, (u32, u32)>;

#[test]
fn zeek_rows_mean_what_their_owners_say() {
    let mut table = Table::new();
    let mut wrong = Vec::new();
    for source in ["zeek", "logstash", "beats"] {
        let Some(text) = conformance("zeek conformance", &format!("parse/{source}.jsonl")) else {
            return;
        };
        for row in text.lines() {
            let row: Json = serde_json::from_str(row).unwrap();
            let format = row["format"].as_str().unwrap();
            // Logstash's rows come without the header that says what they are.
            let headed = format == "zeek-json" || row.get("header").is_some();
            if format.starts_with("zeek") && headed && row["core"] == true {
                score(source, &row, &mut table, &mut wrong);
            }
        }
    }
    report(&table, &wrong);
    let sum = |names: &[&str]| {
        let mine = |name: &&String| names.iter().any(|n| name.contains(n));
        let rows = table.iter().filter(|(name, _)| mine(name));
        rows.fold((0, 0), |sum, (_, n)| (sum.0 + n.0, sum.1 + n.1))
    };
    // The floors are what was reached when this was written.
    let (met, missed) = sum(&[
        "zeek source.",
        "zeek destination.",
        "zeek dns.",
        "zeek http.",
    ]);
    assert!(met >= 21_000 && missed == 0, "{met} met, {missed} not");
    let (met, missed) = sum(&[""]);
    assert!(
        met >= 44_000 && missed * 100 < met,
        "{met} met, {missed} not"
    );
}

fn score(source: &str, row: &Json, table: &mut Table, wrong: &mut Vec<String>) {
    let everything = Arc::new(Projection::everything());
    let mut context = Context::new(TimeZone::UTC, Time::MIN, everything);
    for line in row["header"].as_array().into_iter().flatten() {
        assert!(context.absorb(line.as_str().unwrap().as_bytes()), "{line}");
    }
    let line = row["line"].as_str().unwrap();
    let Parser::Line(parse) = zeek::FORMAT.parse else {
        panic!("zeek reads lines");
    };
    let arena = Bump::new();
    let mut event = Event::new();
    let verdict = parse(line.as_bytes(), &context, &arena, &mut event);
    for (name, expected) in row["expect"].as_object().unwrap() {
        let actual = match name.as_str() {
            "match" => Json::Bool(verdict == Verdict::Event),
            "@timestamp" => event.time.map_or(Json::Null, |t| t.to_string().into()),
            name => Field::named(name).map_or(Json::Null, |f| shown(event.get(f))),
        };
        let tally = table.entry(format!("{source} {name}")).or_default();
        if same(name, expected, &actual) {
            tally.0 += 1;
        } else {
            tally.1 += 1;
            if tally.1 <= 2 {
                wrong.push(format!("{source} {name}: {expected} is {actual} in {line}"));
            }
        }
    }
}

fn shown(value: Option<Value<'_>>) -> Json {
    match value {
        None | Some(Value::Null) => Json::Null,
        Some(Value::Text(text)) => String::from_utf8_lossy(text).into(),
        Some(Value::Ip(ip)) => ip.to_string().into(),
        Some(Value::Int(n)) => n.into(),
        Some(Value::Float(n)) => n.into(),
        Some(Value::Bool(b)) => b.into(),
        Some(Value::Net(net)) => net.to_string().into(),
        Some(Value::List(all)) => all.iter().map(|v| shown(Some(*v))).collect(),
    }
}

fn same(name: &str, expected: &Json, actual: &Json) -> bool {
    let number = |json: &Json| match json {
        Json::String(text) => text.parse().ok(),
        json => json.as_f64(),
    };
    if name == "@timestamp" {
        let instant = |json: &Json| json.as_str()?.parse::<jiff::Timestamp>().ok();
        return match (instant(expected), instant(actual)) {
            // Some owners keep milliseconds only.
            (Some(a), Some(b)) => a.as_microsecond().abs_diff(b.as_microsecond()) < 1000,
            _ => false,
        };
    }
    let closely = |(a, b): (f64, f64)| (a - b).abs() <= a.abs() * 1e-9;
    expected == actual
        || number(expected).zip(number(actual)).is_some_and(closely)
        || actual.as_array().is_some_and(|all| all.contains(expected))
}

fn report(table: &Table, wrong: &[String]) {
    let mut text = String::from("source name: met, not met\n");
    for (name, (met, missed)) in table {
        let known = name.split(' ').next_back().and_then(Field::named).is_some();
        let known = if known || name.ends_with("match") {
            ""
        } else {
            " (no such field)"
        };
        let _ = writeln!(text, "{name}: {met}, {missed}{known}");
    }
    for miss in wrong {
        let _ = writeln!(text, "{miss}");
    }
    let _ = writeln!(text, "{} fields in the table", FIELDS.len());
    // Captured by the test runner unless --nocapture asks for it.
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("zeek_conformance.txt");
    std::fs::write(path, text).unwrap();
}
