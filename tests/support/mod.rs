//! What several tests need: the shipped rules over a folder of logs.

pub(crate) mod daemon;
mod reading;
pub(crate) mod score;
pub(crate) mod world;

pub(crate) use reading::{Line, context, folder};

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tipstaff::alert::Alert;
use tipstaff::detector::{Detector, Options, load_options};
use tipstaff::enrich::{Files, Tables};
use tipstaff::pipeline::{Progress, Readings, ReplayOptions, Start, classes, replay};

/// The shipped rules, compiled once.
pub(crate) fn shipped() -> &'static Arc<Detector> {
    static DETECTOR: OnceLock<Arc<Detector>> = OnceLock::new();
    DETECTOR.get_or_init(|| {
        let loaded = tipstaff::rule::load(&["rules".into()], &load_options()).unwrap();
        let detector = Detector::compile(&loaded.rules, &classes(), Options::default()).unwrap();
        Arc::new(detector)
    })
}

/// Every alert that the shipped rules raise over a folder, in order.
pub(crate) fn replay_folder(folder: &Path, threads: usize) -> Vec<Alert> {
    let options = ReplayOptions {
        paths: vec![folder.to_owned()],
        threads,
        start: Start::in_year(2025),
        readings: Readings::default(),
        tables: tables(folder),
    };
    let mut alerts = Vec::new();
    let progress = Progress::default();
    let summary = replay(&options, shipped(), &progress, &mut |alert| {
        alerts.push(alert.clone());
    });
    assert!(summary.problems.is_empty(), "{:?}", summary.problems);
    assert!(
        summary.counts.events > 0,
        "{} has no events",
        folder.display()
    );
    alerts
}

/// What a folder's own tables say of networks and users.
fn tables(folder: &Path) -> Arc<Tables> {
    let own = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
    let files = Files {
        networks: own("networks.csv").into_iter().collect(),
        directory: own("directory.csv"),
        hosts: own("hosts.csv"),
        holidays: own("holidays.ics"),
    };
    let (tables, report) = Tables::read(&files).unwrap();
    assert_eq!(report.broken, 0, "{:?}", report.shown);
    Arc::new(tables)
}

/// A file of other projects' data, which stays outside the project: beside the
/// crate, or where TIPSTAFF_CONFORMANCE says. Without it the test is skipped.
pub(crate) fn conformance(test: &str, file: &str) -> Option<String> {
    let base = std::env::var_os("TIPSTAFF_CONFORMANCE")
        .map_or_else(|| folder("../shared/conformance"), Into::into);
    let read = std::fs::read_to_string(base.join(file)).ok();
    if read.is_none() {
        skipped(test, "there is no conformance data beside the crate");
    }
    read
}

/// Says loudly, past the test runner's capture, that a test was not run. In
/// CI everything is there, so a skip is a failure.
pub(crate) fn skipped(test: &str, why: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "{test} must not be skipped in CI: {why}"
    );
    let said = format!("\nSKIPPED {test}: {why}\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
}
