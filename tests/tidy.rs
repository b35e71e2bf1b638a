//! The shape of the code itself: which stage may name which, that every table
//! lists every file beside it, and that log text has one way out.

use std::fs;
use std::path::{Path, PathBuf};

/// Which of our modules a place may name. Everything not listed is a mistake.
/// `lib` and `main` only declare.
const MAY_USE: &[(&str, &[&str])] = &[
    ("line", &["time"]),
    ("event", &["entity", "field", "time"]),
    ("field", &[]),
    ("entity", &[]),
    ("time", &[]),
    ("clock", &["time"]),
    ("sync", &[]),
    ("metrics", &["sync"]),
    ("escape", &[]),
    ("durable", &[]),
    (
        "source",
        &["clock", "durable", "line", "metrics", "sync", "time"],
    ),
    ("format", &["entity", "event", "field", "line", "time"]),
    ("holidays", &["time"]),
    ("enrich", &["entity", "event", "field", "holidays", "time"]),
    ("rule", &["field", "time"]),
    (
        "baseline",
        &["durable", "entity", "holidays", "metrics", "sync", "time"],
    ),
    (
        "detector",
        &[
            "alert", "baseline", "entity", "event", "field", "holidays", "line", "metrics", "rule",
            "sync", "time",
        ],
    ),
    ("alert", &["entity", "event", "line", "rule", "time"]),
    ("store", &["alert", "durable", "entity", "sync", "time"]),
    (
        "sink",
        &["alert", "escape", "field", "metrics", "rule", "time"],
    ),
    (
        "pipeline",
        &[
            "alert", "baseline", "clock", "detector", "enrich", "entity", "event", "field",
            "format", "line", "metrics", "rule", "sink", "source", "store", "sync", "time",
        ],
    ),
    (
        "tune",
        &["alert", "detector", "pipeline", "rule", "sync", "time"],
    ),
    (
        "config",
        &[
            "entity", "pipeline", "rule", "sink", "source", "store", "time",
        ],
    ),
    ("service", &["clock", "config", "pipeline", "sync", "time"]),
    ("main", &["cli"]),
];

#[test]
fn stages_name_only_the_modules_they_may() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (path, text) in sources("src") {
        let module = module_of(&path);
        // Tests may show what they find in any way.
        if matches!(module.as_str(), "lib" | "cli") || path.ends_with("tests.rs") {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!(
                "{}: {module} is in no row of MAY_USE",
                path.display()
            ));
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            for prefix in ["crate::", "tipstaff::"] {
                for rest in code.split(prefix).skip(1) {
                    seen += 1;
                    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                    let name = &rest[..end.unwrap_or(rest.len())];
                    let ours = MAY_USE.iter().any(|(known, _)| *known == name) || name == "cli";
                    if ours && name != module && !allowed.contains(&name) {
                        let at = format!("{}:{}", path.display(), number + 1);
                        wrong.push(format!("{at}: {module} may not use {name}"));
                    }
                }
            }
        }
    }
    assert!(seen > 100, "the test found the code it is about");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Folders with a table, and the files in them that are shared pieces.
const TABLES: &[(&str, &[&str])] = &[
    (
        "format",
        &[
            "mod",
            "token",
            "timestamp",
            "peek",
            "programs",
            "envelope",
            "json",
            "shape",
            "dispatch",
            "http",
            "transport",
            "endpoint",
            "template",
            "ends",
        ],
    ),
    (
        "baseline",
        &[
            "mod",
            "base",
            "beat",
            "amount",
            "anchor",
            "behaviour",
            "calibrate",
            "combine",
            "count",
            "elementary",
            "description",
            "evidence",
            "flow",
            "gap",
            "held",
            "holders",
            "kept",
            "only",
            "peers",
            "population",
            "rarity",
            "season",
            "session",
            "shared",
            "snapshot",
            "special",
            "student",
            "sums",
            "table",
            "trend",
            "values",
            "waiting",
            "watch",
        ],
    ),
    ("sink", &["mod", "sentence", "statement", "quoted", "tests"]),
    ("source/container", &["mod"]),
];

#[test]
fn every_file_beside_a_table_has_its_row() {
    for (folder, shared) in TABLES {
        let table = fs::read_to_string(format!("src/{folder}/mod.rs")).unwrap();
        let (before, rows) = table.split_once("pub static ").unwrap();
        let mut members = 0;
        for entry in fs::read_dir(format!("src/{folder}")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if shared.contains(&name) {
                continue;
            }
            members += 1;
            let declared = before.contains(&format!("mod {name};"));
            assert!(declared, "{folder}/{name} is not declared");
            let listed = rows.contains(&format!("{name}::"));
            assert!(
                listed,
                "{folder}/{name} has no row in the table of {folder}"
            );
        }
        assert!(members > 1, "{folder} has members");
    }
}

#[test]
fn every_format_has_its_sample() {
    for format in tipstaff::format::FORMATS {
        let has = fs::read_dir("sample-logs/formats").unwrap().any(|entry| {
            let name = entry.unwrap().file_name();
            name.to_str().unwrap().starts_with(format.name)
        });
        assert!(has, "sample-logs/formats has no log for {}", format.name);
    }
}

#[test]
fn files_stay_readable() {
    let mut long = Vec::new();
    for folder in ["src", "tests", "benches"] {
        for (path, text) in sources(folder) {
            let lines = text.lines().count();
            if lines > 500 {
                long.push(format!("{}: {lines} lines", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "over 500 lines:\n{}", long.join("\n"));
}

#[test]
fn only_clock_sync_and_pipeline_name_what_is_theirs() {
    let owners = [
        ("std::sync::atomic", "sync"),
        ("Instant::now", "clock"),
        ("SystemTime::now", "clock"),
        ("thread::spawn", "pipeline"),
        ("thread::scope", "pipeline"),
    ];
    for (path, text) in sources("src") {
        let module = module_of(&path);
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (what, owner) in owners {
            let named = code
                .lines()
                .any(|line| line.split("//").next().unwrap().contains(what));
            let theirs = module == owner || (module == "service" && owner == "pipeline");
            assert!(
                !named || theirs || module == "cli",
                "{} names {what}",
                path.display()
            );
        }
    }
}

fn module_of(path: &Path) -> String {
    let first = path.strip_prefix("src").unwrap().iter().next().unwrap();
    first.to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// All Rust files below a folder, with their text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}
