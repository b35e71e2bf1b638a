//! Rules written from the text of the Sigma specification: what must load
//! loads, what must be refused is refused.

use tipstaff::rule::{LoadOptions, load_text};

use crate::support::conformance;

/// Refused because the text says so, where the vector asks what a lenient
/// tool would match: a placeholder without its list, and selectors that match
/// no search (pySigma refuses both, too).
const REFUSED: &[&str] = &["expand-must-reject-or-nomatch-literal"];

#[test]
fn rules_of_the_vectors_load_or_are_refused_as_they_should() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for name in ["probes.jsonl", "p2.jsonl"] {
        let Some(text) = conformance("rule vectors", &format!("sigma/{name}")) else {
            return;
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
