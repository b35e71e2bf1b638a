//! Nanoseconds per line for every format, over its sample lines, decoding only
//! what the shipped rules ask for: `cargo bench --bench parse`.
//!
//! Each format's lines are read round and round with one arena and one event,
//! as a worker does. What is not measured: reading files, and matching rules.

#![expect(clippy::unwrap_used, reason = "a broken bench should stop")]

use std::hint::black_box;
use std::path::Path;

use bumpalo::Bump;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tipstaff::detector::{Detector, Options};
use tipstaff::event::Event;
use tipstaff::format::{Context, FORMATS, parse};
use tipstaff::pipeline::classes;
use tipstaff::time::Time;

/// A batch's worth: the arena is reset after so many lines.
const LINES: usize = 1024;

/// 2024-06-15T00:00:00Z.
const REFERENCE: i64 = 1_718_409_600;

/// What the shipped rules need of each line.
fn context() -> Context {
    let loaded = tipstaff::rule::load(&["rules".into()], &tipstaff::detector::load_options());
    let rules = loaded.unwrap().rules;
    let detector = Detector::compile(&rules, &classes(), Options::default()).unwrap();
    Context {
        projection: detector.projection(),
        ..Context::utc(Time::from_secs(REFERENCE))
    }
}

/// A log's lines, and the context in which the first one stands.
fn sample(path: &Path, context: &Context) -> (Vec<Vec<u8>>, Context) {
    let mut context = context.clone();
    let text = std::fs::read(path).unwrap();
    let lines = text.split(|&b| b == b'\n').filter(|line| !line.is_empty());
    let lines = lines.filter(|line| !context.absorb(line));
    let lines: Vec<_> = lines.map(<[u8]>::to_vec).collect();
    (lines, context)
}

fn every_format(criterion: &mut Criterion) {
    let context = context();
    let mut paths: Vec<_> = std::fs::read_dir("sample-logs/formats")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut group = criterion.benchmark_group("parse");
    for path in paths {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let ours = FORMATS.iter().any(|format| name.starts_with(format.name));
        let (lines, context) = sample(&path, &context);
        if !ours || lines.is_empty() {
            continue;
        }
        group.throughput(Throughput::Elements(LINES as u64));
        group.bench_function(name, |bencher| {
            let mut arena = Bump::new();
            bencher.iter(|| {
                let mut event = Event::new();
                for line in lines.iter().cycle().take(LINES) {
                    black_box(parse(black_box(line), &context, &arena, &mut event));
                    event = event.recycle();
                }
                drop(event);
                arena.reset();
            });
        });
    }
    group.finish();
}

criterion_group!(benches, every_format);
criterion_main!(benches);
