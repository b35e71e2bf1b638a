//! `sample-logs/` is exactly what `support/world` writes, and each folder tells
//! its story.
//!
//! `TIPSTAFF_WRITE_SAMPLES=1 cargo test samples` writes the logs anew.
//! Compressed files are compared by what they hold: another version of the
//! compressor may choose other bytes.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use memchr::memmem;
use serde_json::Value;

use crate::support::world::{FOLDERS, Folder, Sample};

/// Sigma's levels.
const LEVELS: [&str; 5] = ["informational", "low", "medium", "high", "critical"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs")
}

fn packed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

/// What a file holds.
fn content(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_default();
    if !packed(path) {
        return bytes;
    }
    let mut text = Vec::new();
    MultiGzDecoder::new(bytes.as_slice())
        .read_to_end(&mut text)
        .unwrap_or_default();
    text
}

fn store(path: &Path, sample: &Sample) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if !packed(path) {
        return fs::write(path, &sample.text).unwrap();
    }
    let seconds = u32::try_from(sample.written / 1_000_000).unwrap();
    let mut packer = GzBuilder::new()
        .mtime(seconds)
        .write(Vec::new(), Compression::best());
    packer.write_all(&sample.text).unwrap();
    fs::write(path, packer.finish().unwrap()).unwrap();
}

/// All files below a folder, by their paths in `sample-logs/`.
fn files(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else {
            let below = path.strip_prefix(root()).unwrap();
            into.insert(below.to_str().unwrap().to_owned());
        }
    }
}

/// What is wrong with a folder.
fn faults(folder: &Folder) -> Vec<String> {
    let write = std::env::var_os("TIPSTAFF_WRITE_SAMPLES").is_some();
    let samples = (folder.make)();
    let mut faults = Vec::new();
    for sample in &samples {
        let path = root().join(&sample.path);
        if content(&path) == sample.text {
            continue;
        }
        if write {
            store(&path, sample);
        } else {
            faults.push(format!("{}: not what the world writes", sample.path));
        }
    }
    let here = root().join(folder.path);
    let mut found = BTreeSet::new();
    files(&here, &mut found);
    for sample in &samples {
        found.remove(&sample.path);
    }
    for name in ["README.md", "expected.jsonl"] {
        if !found.remove(&format!("{}/{name}", folder.path)) {
            faults.push(format!("{}: has no {name}", folder.path));
        }
    }
    faults.extend(found.iter().map(|path| format!("{path}: nothing makes it")));
    faults.extend(unexpected(
        &here.join("expected.jsonl"),
        folder.path,
        &samples,
    ));
    faults
}

/// What is wrong with an `expected.jsonl`: its shape, or an entity that the
/// logs do not know.
fn unexpected(path: &Path, folder: &str, samples: &[Sample]) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut faults = Vec::new();
    let only = serde_json::json!({"only": true});
    let quiet = folder.contains("/quiet-");
    if quiet != text.is_empty() {
        faults.push(format!("{folder}: only a quiet scenario expects nothing"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        let Ok(Value::Object(expectation)) = serde_json::from_str(line) else {
            faults.push(format!(
                "{folder}/expected.jsonl:{number}: not a JSON object"
            ));
            continue;
        };
        if number == 1 && expectation == *only.as_object().unwrap() {
            continue;
        }
        let known = |key: &String| {
            ["rule", "entity", "at_least_level", "tolerated"].contains(&key.as_str())
        };
        let level = expectation
            .get("at_least_level")
            .map_or(Some("low"), Value::as_str);
        let rule = expectation.get("rule").and_then(Value::as_str);
        let entity = expectation.get("entity").and_then(Value::as_object);
        let (Some(_), Some(entity), true) = (rule, entity, expectation.keys().all(known)) else {
            faults.push(format!(
                "{folder}/expected.jsonl:{number}: needs a rule and an entity, and only keys of scenarios/README.md"
            ));
            continue;
        };
        if !level.is_some_and(|level| LEVELS.contains(&level)) {
            faults.push(format!("{folder}/expected.jsonl:{number}: no such level"));
        }
        for value in entity.values().filter_map(Value::as_str) {
            let known = |sample: &Sample| memmem::find(&sample.text, value.as_bytes()).is_some();
            if !samples.iter().any(known) {
                faults.push(format!(
                    "{folder}/expected.jsonl:{number}: no log names {value}"
                ));
            }
        }
    }
    faults
}

#[test]
fn sample_logs_are_what_the_world_writes() {
    let faults: Vec<String> = std::thread::scope(|scope| {
        let (court, rest) = FOLDERS.split_at(1);
        let court = scope.spawn(|| court.iter().flat_map(faults).collect::<Vec<_>>());
        let mut all: Vec<_> = rest.iter().flat_map(faults).collect();
        all.extend(court.join().unwrap());
        all
    });
    assert!(
        faults.is_empty(),
        "{}\n(TIPSTAFF_WRITE_SAMPLES=1 cargo test samples writes the logs anew)",
        faults.join("\n")
    );
}

#[test]
fn every_scenario_has_its_row() {
    let rows: BTreeSet<_> = FOLDERS
        .iter()
        .map(|folder| root().join(folder.path))
        .collect();
    let mut count = 0;
    for entry in fs::read_dir(root().join("scenarios")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            count += 1;
            assert!(
                rows.contains(&path),
                "{} has no row in FOLDERS",
                path.display()
            );
        }
    }
    assert!(count >= 10, "only {count} scenarios found");
}
