//! What many rules cost: an event's share, loading them, and their room.
//!
//! Rules are generated for the classes that tipstaff reads (auth, Zeek's conn,
//! dns and http): names, beginnings, ends, parts, networks, numbers, regular
//! expressions, keywords, filters, and one correlation for each ten rules.
//!
//! `cargo bench --bench rules` takes about a minute. On two cores of an AMD
//! EPYC, shared with other work, 2026-11-22:
//!
//! | bench | one |
//! |---|---|
//! | auth event, 1, 50, 500, 3,000 rules | 24, 70, 74, 76 ns |
//! | Zeek event, 1, 50, 500, 3,000 rules | 6, 64, 66, 64 ns |
//! | reading the text of 3,000 rules | 42 to 60 ms |
//! | compiling them | 55 ms |
//! | room of 3,000 rules and a worker's buffers | 56 MB |
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::missing_docs_in_private_items,
    reason = "a broken bench should stop where it broke; criterion makes items of its own"
)]

#[allow(dead_code, reason = "each bench uses a part of it")]
mod support;

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bumpalo::Bump;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tipstaff::detector::{Detector, Observations};
use tipstaff::event::Event;
use tipstaff::format::{Context, parse};
use tipstaff::rule::{LoadOptions, load_text};
use tipstaff::time::Time;

use support::{Numbers, compiled, write_auth_log};

/// Events at hand: more than the branch predictor learns by heart.
const EVENTS: u64 = 3000;

/// How many rules.
const SIZES: [usize; 4] = [1, 50, 500, 3000];

/// A rule's logsource and what it asks, by its number.
fn asked(n: usize) -> (&'static str, String) {
    let (auth, sudo) = (
        "product: linux, service: auth",
        "product: linux, service: sudo",
    );
    let conn = "product: zeek, service: conn";
    let (dns, http) = (
        "product: zeek, service: dns",
        "product: zeek, service: http",
    );
    match n % 12 {
        0 => (auth, format!("user.name: nobody{n}")),
        1 => (auth, format!("user.name|startswith: ['svc{n}', 'app{n}']")),
        2 => (
            auth,
            format!("source.ip|cidr: 100.{}.{}.0/24", 64 + n / 256 % 64, n % 256),
        ),
        3 => (auth, format!("user.name|re: '^adm[0-9]+-{n}[a-z]$'")),
        4 => (
            sudo,
            format!("process.command_line|contains|all: ['/tool{n}', ' --up{n}']"),
        ),
        5 => (
            sudo,
            format!("process.command_line|endswith: ['/bin/run{n}', '.x{n}']"),
        ),
        6 => (conn, format!("destination.port: {}", 20_000 + n)),
        7 => (
            conn,
            format!(
                "destination.ip|cidr: 198.{}.{}.0/25",
                18 + n / 256 % 2,
                n % 256
            ),
        ),
        8 => (
            dns,
            format!("query|endswith: ['.bad{n}.example', '.worse{n}.test']"),
        ),
        9 => (dns, format!("query|re: '^[a-z0-9]{{20,60}}\\.t{n}\\.'")),
        10 => (
            http,
            format!("c-uri|contains: ['/shell{n}.php', 'cmd{n}=', '..%2f{n}']"),
        ),
        _ => (http, format!("c-useragent|startswith: 'Bot{n}/'")),
    }
}

/// So many rules, every tenth with a correlation over it.
fn generated(rules: usize) -> String {
    let mut text = String::new();
    for n in 0..rules {
        let (logsource, asked) = asked(n);
        let id = format!("00000000-0000-4000-8000-{n:012}");
        writeln!(
            text,
            "---\ntitle: Rule {n}\nid: {id}\nname: rule{n}\nstatus: test\n\
             description: What rule {n} is for, in some words.\nauthor: nobody\ndate: 2025-01-01\n\
             tags: [attack.initial_access, attack.t1078]\nlogsource: {{{logsource}}}\ndetection:\n  \
             selection:\n    {asked}\n  filter_main_own:\n    user.name: monitor{}\n  \
             condition: selection and not 1 of filter_main_*\nfalsepositives: [An audit]\nlevel: low",
            n % 7
        )
        .unwrap();
        if n % 10 == 9 {
            writeln!(
                text,
                "---\ntitle: Count {n}\nid: 00000000-0000-4000-9000-{n:012}\ncorrelation:\n  type: event_count\n  \
                 rules: [rule{n}]\n  group-by: [source.ip]\n  timespan: 10m\n  condition: {{gte: 10}}\nlevel: low"
            )
            .unwrap();
        }
    }
    text
}

fn detector(rules: usize) -> Arc<Detector> {
    let loaded = load_text("generated.yml", &generated(rules), &LoadOptions::default());
    compiled(&loaded.unwrap().rules)
}

/// Lines of an auth.log, and of Zeek's logs as JSON.
fn logs() -> [(&'static str, Vec<String>); 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth.log");
    write_auth_log(&path, EVENTS);
    let auth = std::fs::read_to_string(&path).unwrap();
    let auth = auth.lines().map(str::to_owned).collect();
    let mut numbers = Numbers(11);
    let zeek = (0..EVENTS).map(|n| {
        let (a, b, port) = (numbers.below(40), numbers.below(200), numbers.below(60_000));
        let head = format!(
            "\"ts\":{}.25,\"uid\":\"C{n}\",\"id.orig_h\":\"10.20.0.{a}\",\"id.orig_p\":{port},\
             \"id.resp_h\":\"203.0.113.{b}\"",
            1_757_000_000 + n
        );
        match n % 3 {
            0 => format!(
                "{{\"_path\":\"conn\",{head},\"id.resp_p\":443,\"proto\":\"tcp\",\"duration\":0.125,\
                 \"orig_bytes\":2000,\"resp_bytes\":{b}00,\"conn_state\":\"SF\",\"history\":\"ShADadFf\"}}"
            ),
            1 => format!(
                "{{\"_path\":\"dns\",{head},\"id.resp_p\":53,\"proto\":\"udp\",\"query\":\"host{b}.example.com\",\
                 \"qtype_name\":\"A\",\"rcode_name\":\"NOERROR\",\"answers\":[\"203.0.113.{a}\"]}}"
            ),
            _ => format!(
                "{{\"_path\":\"http\",{head},\"id.resp_p\":80,\"method\":\"GET\",\"host\":\"www{a}.example.com\",\
                 \"uri\":\"/shop/item.php?id={b}&page={a}\",\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64) Gecko/2010\",\
                 \"status_code\":200}}"
            ),
        }
    });
    [("auth", auth), ("zeek", zeek.collect())]
}

fn detect(c: &mut Criterion) {
    let logs = logs();
    let mut group = c.benchmark_group("rules");
    for (log, lines) in &logs {
        group.throughput(Throughput::Elements(lines.len() as u64));
        for rules in SIZES {
            let detector = detector(rules);
            let zone = jiff::tz::TimeZone::UTC;
            let reference = Time::from_secs(1_757_000_000);
            let (context, arena) = (
                Context::new(zone, reference, detector.projection()),
                Bump::new(),
            );
            let events: Vec<Event<'_>> = lines
                .iter()
                .map(|line| {
                    let mut event = Event::new();
                    parse(line.as_bytes(), &context, &arena, &mut event);
                    event
                })
                .collect();
            let (mut scratch, mut out) = (detector.scratch(), Observations::default());
            group.bench_function(BenchmarkId::new(*log, rules), |b| {
                b.iter(|| {
                    out.clear();
                    for event in &events {
                        detector.detect(black_box(event), 0, &mut scratch, &mut out);
                    }
                    out.seal();
                });
            });
        }
    }
    group.finish();
}

/// From the text of 3,000 rules to a detector, and how much room it takes.
fn loading(c: &mut Criterion) {
    let text = generated(3000);
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        line.unwrap_or("VmRSS unknown").to_owned()
    };
    let before = resident();
    let kept = compiled(
        &load_text("g.yml", &text, &LoadOptions::default())
            .unwrap()
            .rules,
    );
    let scratch = kept.scratch();
    eprintln!(
        "3,000 rules and one worker's buffers: {before}, then {}",
        resident()
    );
    drop((kept, scratch));
    let mut group = c.benchmark_group("load");
    group.bench_function("3000 rules, read", |b| {
        b.iter(|| load_text("g.yml", &text, &LoadOptions::default()).unwrap());
    });
    let rules = load_text("g.yml", &text, &LoadOptions::default())
        .unwrap()
        .rules;
    group.bench_function("3000 rules, compiled", |b| b.iter(|| compiled(&rules)));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    targets = loading, detect
}
criterion_main!(benches);
