//! What `check` found, for programs: JSON lines, and SARIF 2.1.0 for CI.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::rule::{CATALOGUE, Diagnostic, Severity};

/// One JSON object per line.
pub(super) fn json_lines(found: &[Diagnostic], out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in found {
        let at = diagnostic.at.as_ref();
        let object = json!({
            "severity": severity(diagnostic),
            "code": diagnostic.code,
            "message": diagnostic.message,
            "help": diagnostic.remedy,
            "file": at.map(|at| at.path.display().to_string()),
            "line": at.map(|at| at.line),
            "column": at.map(|at| at.column),
        });
        writeln!(out, "{object}")?;
    }
    Ok(())
}

/// OASIS SARIF 2.1.0: one run, one result for each diagnostic.
pub(super) fn sarif(found: &[Diagnostic], out: &mut dyn Write) -> io::Result<()> {
    let rules: Vec<Value> = CATALOGUE
        .iter()
        .map(|entry| {
            json!({
                "id": entry.code,
                "shortDescription": {"text": entry.title},
                "fullDescription": {"text": entry.explanation},
            })
        })
        .collect();
    let results: Vec<Value> = found.iter().map(result).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "tipstaff",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn result(diagnostic: &Diagnostic) -> Value {
    let text = format!("{}; {}", diagnostic.message, diagnostic.remedy);
    let mut result = json!({
        "ruleId": diagnostic.code,
        "level": severity(diagnostic),
        "message": {"text": text},
    });
    if let (Some(at), Some(object)) = (&diagnostic.at, result.as_object_mut()) {
        let place = json!([{
            "physicalLocation": {
                "artifactLocation": {"uri": at.path.display().to_string()},
                "region": {"startLine": at.line.max(1), "startColumn": at.column.max(1)},
            },
        }]);
        object.insert("locations".to_owned(), place);
    }
    result
}

fn severity(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sarif_names_code_level_and_place() {
        let loaded =
            crate::rule::load_text("a.yml", "title: x\n", &crate::rule::LoadOptions::default());
        let found = loaded.unwrap_err();
        let mut out = Vec::new();
        sarif(&found, &mut out).unwrap();
        let log: Value = serde_json::from_slice(&out).unwrap();
        let result = &log["runs"][0]["results"][0];
        assert_eq!(result["level"], "error");
        assert_eq!(result["ruleId"], found[0].code);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a.yml");
        assert_eq!(place["region"]["startLine"], 1);
    }
}
