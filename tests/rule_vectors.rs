//! Rules written from the text of the Sigma specification: what must load
//! loads, what must be refused is refused.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use tipstaff::rule::{LoadOptions, load_text};

/// Refused because the text says so, where the vector asks what a lenient
/// tool would match: a placeholder without its list, and selectors that match
/// no search (pySigma refuses both, too).
const REFUSED: &[&str] = &["expand-must-reject-or-nomatch-literal"];

fn folder() -> PathBuf {
    let named = std::env::var_os("TIPSTAFF_CONFORMANCE").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"))
}

#[test]
fn rules_of_the_vectors_load_or_are_refused_as_they_should() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for name in ["probes.jsonl", "p2.jsonl"] {
        let path = folder().join("sigma").join(name);
        let Ok(text) = fs::read_to_string(&path) else {
            // Not eprintln, which the test harness would keep to itself.
            writeln!(std::io::stderr(), "SKIPPED: no {}", path.display()).unwrap();
            continue;
        };
        for line in text.lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let id = row["id"].as_str().unwrap();
            let rule = row["rule"].as_str().unwrap();
            let refuse = row["expect_error"] == true || REFUSED.contains(&id);
            let loaded = load_text(format!("{id}.yml"), rule, &LoadOptions::default());
            match loaded {
                Ok(_) if refuse => wrong.push(format!("{id}: loaded")),
                Err(found) if !refuse => wrong.push(format!("{id}: {}", found[0])),
                _ => seen += 1,
            }
        }
    }
    assert!(wrong.is_empty(), "{seen} right, these not: {wrong:#?}");
}
