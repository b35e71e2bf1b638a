//! What one event costs after it is parsed: `detect` is the stateless part
//! (which rules, which keys), `observe` the stateful one.
//!
//! `cargo bench --bench observe` takes about a minute. On two cores of an AMD
//! EPYC, shared with other work, 2026-11-22, with the 663 shipped rules that are
//! on: of a failed login ten of them take note.
//!
//! | bench | one |
//! |---|---|
//! | detect, 1 rule | 35 ns an event |
//! | detect, shipped rules | 660 ns an event |
//! | detect, 50 rules, 10 of them counting | 126 ns an event |
//! | detect, 500 rules, 100 of them counting each failed login | 560 ns an event |
//! | observe, 1,000 addresses | 59 ns an observation |
//! | observe, 100,000 addresses | 72 ns an observation |
//! | observe, 1,000,000 addresses | 84 ns an observation |
#![expect(
    clippy::unwrap_used,
    clippy::missing_docs_in_private_items,
    reason = "a broken bench should stop where it broke; criterion makes items of its own"
)]

mod support;

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bumpalo::Bump;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tipstaff::alert::Alert;
use tipstaff::detector::{Detector, LANES, Lane, Observations, Seen};
use tipstaff::event::Event;
use tipstaff::format::{Context, parse};
use tipstaff::line::Place;
use tipstaff::rule::{LoadOptions, load_text};
use tipstaff::time::{Span, Time};

use support::{compiled, failed_login, shipped, write_auth_log};

/// Events at hand: more than the branch predictor learns by heart.
const EVENTS: u64 = 3000;

fn context(detector: &Detector) -> Context {
    let reference = Time::from_secs(1_757_000_000);
    Context::new(jiff::tz::TimeZone::UTC, reference, detector.projection())
}

fn detect(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth.log");
    write_auth_log(&path, EVENTS);
    let text = std::fs::read(&path).unwrap();
    let mut group = c.benchmark_group("detect");
    group.throughput(Throughput::Elements(EVENTS));
    let rules: [(&str, Arc<Detector>); 4] = [
        ("1 rule", generated(1)),
        ("shipped rules", shipped()),
        ("50 rules", generated(50)),
        ("500 rules", generated(500)),
    ];
    for (name, detector) in &rules {
        let (context, arena) = (context(detector), Bump::new());
        let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        let events: Vec<Event<'_>> = lines
            .map(|line| {
                let mut event = Event::new();
                parse(line, &context, &arena, &mut event);
                event
            })
            .collect();
        assert_eq!(events.len() as u64, EVENTS);
        let (mut scratch, mut out) = (detector.scratch(), Observations::default());
        group.bench_function(*name, |b| {
            b.iter(|| {
                out.clear();
                for event in &events {
                    detector.detect(black_box(event), 0, &mut scratch, &mut out);
                }
                out.seal();
            });
        });
    }
    group.finish();
}

/// That many rules of the auth class. Of five, one asks for a user's name, one
/// for its beginning, one for a part of it, one for a network, and one counts.
fn generated(rules: usize) -> Arc<Detector> {
    let mut text = String::new();
    for n in 0..rules {
        let asked = match n % 5 {
            0 => format!("user.name: nobody{n}"),
            1 => format!("user.name|startswith: svc{n}"),
            2 => format!("user.name|contains: dmin{n}"),
            3 => format!("source.ip|cidr: 100.{}.{}.0/24", 64 + n / 256, n % 256),
            _ => "event.outcome: failure".to_owned(),
        };
        let id = format!("00000000-0000-4000-8000-{n:012}");
        writeln!(
            text,
            "---\ntitle: Rule {n}\nid: {id}\nname: rule{n}\nlogsource:\n  product: linux\n  service: auth\n\
             detection:\n  selection:\n    event.action: ssh_login\n    {asked}\n  condition: selection\nlevel: low"
        )
        .unwrap();
        if n % 5 == 4 {
            writeln!(
                text,
                "---\ntitle: Count {n}\nid: 00000000-0000-4000-9000-{n:012}\ncorrelation:\n  type: event_count\n  \
                 rules:\n    - rule{n}\n  group-by:\n    - source.ip\n  timespan: {}m\n  condition:\n    gte: 1000000\nlevel: low",
                n + 1
            )
            .unwrap();
        }
    }
    compiled(
        &load_text("generated.yml", &text, &LoadOptions::default())
            .unwrap()
            .rules,
    )
}

/// Gives every observation to its lane, `later` than it was made.
fn observe_all(detector: &Detector, lanes: &mut [Lane], all: &Observations, later: Span) -> usize {
    let mut alerts: Vec<Alert> = Vec::new();
    for (number, lane) in lanes.iter_mut().enumerate() {
        for observation in all.lane(number) {
            let mut observation = *observation;
            observation.time = observation.time.plus(later);
            let seen = Seen {
                place: Place::default(),
                path: "auth.log",
                bytes: b"a line",
                stale: false,
            };
            lane.observe(detector, &observation, all.text(), &seen, &mut alerts);
        }
    }
    alerts.len()
}

/// A failed login of each of so many addresses, hour after hour.
fn observe(c: &mut Criterion) {
    let mut group = c.benchmark_group("observe");
    let detector = shipped();
    let context = context(&detector);
    for addresses in [1_000_u64, 100_000, 1_000_000, 10_000_000] {
        let mut lanes: Vec<Lane> = (0..LANES).map(|_| Lane::new(&detector)).collect();
        let mut scratch = detector.scratch();
        // All of them once, then the same thousand of them again and again:
        // the tables are large, and what is looked up is spread over them.
        let (mut all, mut some) = (Observations::default(), Observations::default());
        for n in 0..addresses {
            let (line, arena) = (failed_login(n * 3600 / addresses, n), Bump::new());
            let mut event = Event::new();
            parse(line.trim_end().as_bytes(), &context, &arena, &mut event);
            detector.detect(&event, 0, &mut scratch, &mut all);
            if n % (addresses / 1000) == 0 {
                detector.detect(&event, 0, &mut scratch, &mut some);
            }
            // By batches, as the pipeline does.
            if n % 10_000 == 9_999 || n + 1 == addresses {
                all.seal();
                observe_all(&detector, &mut lanes, &all, Span::ZERO);
                all.clear();
            }
        }
        some.seal();
        group.throughput(Throughput::Elements(some.len() as u64));
        let mut hours = 0;
        group.bench_function(BenchmarkId::new("entities", addresses), |b| {
            b.iter(|| {
                hours += 1;
                observe_all(&detector, &mut lanes, &some, Span::HOUR.times(hours))
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = detect, observe
}
criterion_main!(benches);
