//! Rules and events written from the text of the Sigma specification. The
//! data stays outside the project; without it the test says so and passes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::*;
use crate::rule::{LoadOptions, load_text};

/// Refused when they are loaded, as the reference implementation does: a
/// placeholder without its list.
const REFUSED: [&str; 1] = ["expand-must-reject-or-nomatch-literal"];

fn value(json: &Json) -> Value<'static> {
    match json {
        Json::Bool(yes) => Value::Bool(*yes),
        Json::Number(n) => n
            .as_i64()
            .map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::Int),
        Json::String(text) => Value::Text(Box::leak(text.clone().into_boxed_str()).as_bytes()),
        Json::Array(members) => Value::List(Vec::leak(members.iter().map(value).collect())),
        // Objects are flattened before; inside lists they mean nothing.
        Json::Null | Json::Object(_) => Value::Null,
    }
}

fn flatten(prefix: &str, json: &Json, out: &mut Vec<(String, Value<'static>)>) {
    let Json::Object(members) = json else { return };
    for (name, member) in members {
        let name = format!("{prefix}{name}");
        match member {
            Json::Object(_) => flatten(&format!("{name}."), member, out),
            plain => out.push((name, value(plain))),
        }
    }
}

/// Whether the rule loads, compiles and meets the event.
fn answer(rule: &str, event: &Json) -> Result<bool, String> {
    let options = LoadOptions {
        experimental: true,
        retired: true,
        ..LoadOptions::default()
    };
    let loaded = load_text("rule.yml", rule, &options).map_err(|d| d[0].message.clone())?;
    let route = Options {
        route: Route::All,
        ..Options::default()
    };
    Detector::compile(&loaded.rules, &[], route).map_err(|d| d[0].message.clone())?;
    let mut values = Vec::new();
    flatten("", event, &mut values);
    let values: Vec<_> = values.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    Ok(!matched(loaded.rules.rules, &values, b"").is_empty())
}

#[test]
fn rules_mean_what_the_specification_says() {
    let base = std::env::var("TIPSTAFF_CONFORMANCE").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"),
        PathBuf::from,
    );
    let mut wrong = Vec::new();
    let mut asked = 0;
    for file in ["probes.jsonl", "p2.jsonl"] {
        let Ok(rows) = std::fs::read_to_string(base.join("sigma").join(file)) else {
            let why = "there is no conformance data beside the crate";
            assert!(std::env::var_os("CI").is_none(), "not skipped in CI: {why}");
            let mut out = std::io::stderr().lock();
            writeln!(out, "\nSKIPPED rules' meanings: {why}").unwrap();
            return;
        };
        for row in rows.lines() {
            let row: Json = serde_json::from_str(row).unwrap();
            let got = answer(row["rule"].as_str().unwrap(), &row["event"]);
            let refused = REFUSED.contains(&row["id"].as_str().unwrap());
            let right = match row["match"].as_bool() {
                Some(expected) if !refused => got == Ok(expected),
                _ => got.is_err(),
            };
            asked += 1;
            if !right {
                wrong.push(format!("{}: {got:?}", row["id"]));
            }
        }
    }
    assert_eq!(asked, 171);
    assert_eq!(wrong, [""; 0]);
}
