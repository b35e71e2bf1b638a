//! Whole replays with the shipped rules: the showcase, a syslog file of a
//! million lines, and the memory that a million addresses take.
//!
//! `cargo bench --bench replay` takes about a minute and 230 MB in the
//! temporary folder. On two cores of an AMD EPYC, 2026-11-21 (with two threads
//! by the program itself on the court's logs and on a log like this one, when
//! nothing else ran):
//!
//! | bench | measured |
//! |---|---|
//! | court, 1 thread | 2.4 million lines/s |
//! | court, 2 threads | 4.1 million lines/s |
//! | auth.log, 1 thread | 2.55 million lines/s |
//! | auth.log, 2 threads | 4.6 million lines/s |
//! | a million addresses in 28 hours, 1 thread | 82 MB at most |
//! | a million addresses in an hour, 1 thread | 221 MB at most |
//! | a million addresses in an hour, 2 threads | 252 MB at most |
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a broken bench should stop where it broke, and memory is printed"
)]

mod support;

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use tipstaff::detector::Detector;
use tipstaff::pipeline::{Progress, Readings, ReplayOptions, Start, Summary, replay};
use tipstaff::sync::Arc;

use support::{failed_login, shipped, write_auth_log};

/// Lines of the long logs.
const LINES: u64 = 1_000_000;

/// Set in the processes whose memory is measured: seconds and threads.
const FLOOD: &str = "TIPSTAFF_BENCH_FLOOD";

fn replayed(detector: &Arc<Detector>, path: &Path, threads: usize) -> Summary {
    let options = ReplayOptions {
        paths: vec![path.to_owned()],
        threads,
        start: Start::in_year(2025),
        readings: Readings::default(),
        tables: Arc::default(),
    };
    let summary = replay(&options, detector, &Progress::default(), &mut |_| {});
    assert!(summary.problems.is_empty(), "{:?}", summary.problems);
    summary
}

fn throughput(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("auth.log");
    write_auth_log(&long, LINES);
    let court = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sample-logs/court");
    let detector = shipped();
    let mut group = c.benchmark_group("replay");
    for (name, path) in [("court", &court), ("auth.log", &long)] {
        let lines = replayed(&detector, path, 1).counts.lines;
        group.throughput(Throughput::Elements(lines));
        for threads in [1, 2] {
            group.bench_with_input(BenchmarkId::new(name, threads), &threads, |b, threads| {
                b.iter(|| replayed(&detector, path, *threads));
            });
        }
    }
    group.finish();
}

/// Peak resident memory of this process, as Linux tells it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("unknown", str::trim).to_owned()
}

/// One failed login of each of a million addresses within so many seconds. In
/// a process of its own, for the peak is the process's.
fn flood(asked: &str) {
    let (seconds, threads) = asked.split_once(' ').unwrap();
    let (seconds, threads): (u64, usize) = (seconds.parse().unwrap(), threads.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth.log");
    let mut to = BufWriter::new(std::fs::File::create(&path).unwrap());
    for n in 0..LINES {
        let line = failed_login(n * seconds / LINES, n);
        to.write_all(line.as_bytes()).unwrap();
    }
    to.flush().unwrap();
    let summary = replayed(&shipped(), &path, threads);
    assert_eq!(summary.counts.events, LINES);
    println!(
        "flood of {LINES} addresses in {seconds} s, {threads} threads: {} resident at most, {} MB of it state",
        peak(),
        summary.state_bytes >> 20
    );
}

fn main() {
    if let Ok(asked) = std::env::var(FLOOD) {
        return flood(&asked);
    }
    for asked in ["100000 1", "3600 1", "3600 2"] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        assert!(child.env(FLOOD, asked).status().unwrap().success());
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(6))
        .configure_from_args();
    throughput(&mut criterion);
    criterion.final_summary();
}
