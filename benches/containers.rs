//! MB/s of the containers, as the framer asks for them: a journal's export, a
//! list of events in one line and printed over many, and for comparison the
//! same events a line each: `cargo bench --bench containers`.

#![expect(clippy::unwrap_used, reason = "a broken bench should stop")]

use std::hint::black_box;
use std::io::{Cursor, Read};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use tipstaff::source::{Limits, Reader};

/// Events in each document: some 16 MB.
const EVENTS: usize = 20_000;

/// An entry with the fields that journald gives a message of sshd's.
fn entry(n: usize) -> String {
    format!(
        "__CURSOR=s=5d8f0c2e4b;i={n:x};b=7a1f;m=1b2c3d;t=6375fa;x=91\n__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP=7340{n}\n_BOOT_ID=7a1f0c2e4b5d8f0c2e4b5d8f0c2e4b5d\n_TRANSPORT=syslog\nPRIORITY=6\nSYSLOG_FACILITY=4\nSYSLOG_IDENTIFIER=sshd\nSYSLOG_PID={n}\nSYSLOG_TIMESTAMP=Jun  1 10:00:00 \n_UID=0\n_GID=0\n_COMM=sshd\n_EXE=/usr/sbin/sshd\n_CMDLINE=sshd: root [priv]\n_CAP_EFFECTIVE=1ffffffffff\n_SYSTEMD_CGROUP=/system.slice/ssh.service\n_SYSTEMD_UNIT=ssh.service\n_SYSTEMD_SLICE=system.slice\n_MACHINE_ID=5d8f0c2e4b5d8f0c2e4b5d8f0c2e4b5d\n_HOSTNAME=web1\n_PID={n}\nMESSAGE=Failed password for root from 192.0.2.7 port {} ssh2\n_SOURCE_REALTIME_TIMESTAMP={}\n\n",
        1_748_739_600_000_000 + n,
        n % 60_000,
        1_748_739_600_000_000 + n
    )
}

fn event(n: usize) -> Value {
    json!({
        "eventVersion": "1.08", "eventID": format!("a-{n}"), "awsRegion": "eu-central-1",
        "userIdentity": {"type": "AssumedRole", "principalId": "AROAEXAMPLE:alice", "arn": "arn:aws:sts::111122223333:assumed-role/ops/alice",
            "sessionContext": {"attributes": {"mfaAuthenticated": "false", "creationDate": "2026-01-05T10:00:00Z"}}},
        "eventTime": "2026-01-05T10:00:00Z", "eventSource": "s3.amazonaws.com", "eventName": "GetObject",
        "sourceIPAddress": "192.0.2.7", "userAgent": "[aws-cli/2.15.0 Python/3.11.6 \"x\"]",
        "requestParameters": {"bucketName": "example", "key": format!("in/{n}.json")},
        "resources": [{"type": "AWS::S3::Object", "ARN": format!("arn:aws:s3:::example/in/{n}.json")}],
        "readOnly": true, "managementEvent": false, "recipientAccountId": "111122223333",
    })
}

fn containers(criterion: &mut Criterion) {
    let events: Vec<Value> = (0..EVENTS).map(event).collect();
    let line = |all: String, event: &Value| all + &event.to_string() + "\n";
    let documents = [
        ("journal-export", (0..EVENTS).map(entry).collect()),
        ("one line", json!({ "Records": events }).to_string()),
        ("many lines", serde_json::to_string_pretty(&events).unwrap()),
        ("plain lines", events.iter().fold(String::new(), line)),
    ];
    let mut group = criterion.benchmark_group("container");
    group.sample_size(10);
    for (name, document) in documents {
        let bytes = document.into_bytes();
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            let mut buffer = vec![0; 256 << 10];
            bencher.iter(|| {
                let stored = Box::new(Cursor::new(bytes.clone()));
                let mut reader = Reader::new(stored, &Limits::default()).unwrap();
                let mut total = 0;
                loop {
                    match reader.read(black_box(&mut buffer)).unwrap() {
                        0 => break total,
                        got => total += got,
                    }
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, containers);
criterion_main!(benches);
