use std::sync::Arc;

use super::*;
use crate::field::Names;
use crate::time::Time;
use jiff::tz::TimeZone;

const CONN: &str = include_str!("../../../sample-logs/formats/zeek-conn.log");
const SAMPLES: [&str; 6] = [
    CONN,
    include_str!("../../../sample-logs/formats/zeek-ssh.log"),
    include_str!("../../../sample-logs/formats/zeek-dns.log"),
    include_str!("../../../sample-logs/formats/zeek-http.log"),
    include_str!("../../../sample-logs/formats/zeek-conn-json.log"),
    include_str!("../../../sample-logs/formats/zeek-json.log"),
];

fn everything() -> Context {
    let all = Arc::new(Projection::everything());
    Context::new(TimeZone::UTC, Time::MIN, all)
}

/// Verdict, and the event as text: time, log, and `name=value` of each field.
fn shown(context: &Context, line: &[u8]) -> (Verdict, String) {
    let arena = Bump::new();
    let mut event = Event::new();
    let verdict = parse(line, context, &arena, &mut event);
    let source = LOGSOURCES[usize::from(event.class.kind)].services;
    let mut text = format!("{} {source:?}", event.time.unwrap_or_default());
    for (field, value) in event.values() {
        let name = context.projection.names.name(*field);
        let value = match value {
            Value::Text(v) => crate::escape::Escaped(v).to_string(),
            Value::Ip(v) => v.to_string(),
            other => format!("{other:?}"),
        };
        text.extend([" ", name, "=", &value]);
    }
    (verdict, text)
}

fn rows(sample: &str) -> Vec<(Verdict, String)> {
    let mut context = everything();
    let rows = sample.lines().filter_map(|line| {
        let line = line.as_bytes();
        (!context.absorb(line)).then(|| shown(&context, line))
    });
    rows.collect()
}

#[test]
fn every_sample_row_is_an_event() {
    let counts: Vec<_> = SAMPLES.iter().map(|s| rows(s)).collect();
    assert_eq!(
        counts.iter().map(Vec::len).collect::<Vec<_>>(),
        [11, 3, 3, 2, 3, 5]
    );
    for (verdict, text) in counts.iter().flatten() {
        assert_eq!(*verdict, Verdict::Event, "{text}");
    }
    assert_eq!(
        shown(&everything(), FORMAT.example.as_bytes()).0,
        Verdict::Event
    );
}

#[test]
fn a_connection_says_who_where_how_much_and_how_it_went() {
    assert_eq!(
        rows(CONN)[0].1,
        "2026-01-05T10:00:00.250Z [\"conn\"] event.id=Ckv1Aa0001 zeek.uid=Ckv1Aa0001 \
         source.ip=10.20.0.11 source.port=Int(49152) destination.ip=198.51.100.5 \
         destination.port=Int(443) network.transport=tcp network.protocol=ssl \
         event.duration=Int(12450113000) zeek.duration=Float(12.450113) \
         source.bytes=Int(2812) zeek.orig_bytes=Int(1840) destination.bytes=Int(54666) \
         zeek.resp_bytes=Int(52310) zeek.conn_state=SF zeek.local_orig=Bool(true) \
         zeek.local_resp=Bool(false) zeek.missed_bytes=Int(0) zeek.history=ShADadFf \
         source.packets=Int(24) destination.packets=Int(45) event.action=connection \
         event.outcome=success event.category=network network.direction=outbound"
    );
}

#[test]
fn json_rows_mean_the_same_as_tsv_rows() {
    let fields = |text: &str| {
        let mut fields: Vec<_> = text.split(' ').map(str::to_owned).collect();
        fields.sort();
        fields
    };
    let json = rows(SAMPLES[4]);
    for (tsv, other) in [(0, 0), (2, 1)] {
        assert_eq!(fields(&rows(CONN)[tsv].1), fields(&json[other].1));
    }
}

#[test]
fn each_way_a_connection_ends_has_its_outcome() {
    let outcome = |text: &str| {
        text.split("event.outcome=")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .to_owned()
    };
    let outcomes: Vec<_> = rows(CONN).iter().map(|(_, text)| outcome(text)).collect();
    let expected =
        "success success failure failure success success failure unknown unknown failure success";
    assert_eq!(outcomes.join(" "), expected);
    let ssh: Vec<_> = rows(SAMPLES[1])
        .iter()
        .map(|(_, text)| outcome(text))
        .collect();
    assert_eq!(ssh, ["success", "failure", "unknown"]);
}

#[test]
fn escapes_are_decoded_after_the_columns_and_sets_are_cut() {
    assert!(
        rows(SAMPLES[1])[1]
            .1
            .contains("zeek.ssh.client=SSH-2.0-odd\\tclient\\name ")
    );
    let dns = &rows(SAMPLES[2])[0].1;
    assert!(dns.contains("dns.answers.data=List([Text("), "{dns}");
}

#[test]
fn logs_without_a_name_are_told_by_their_columns() {
    let json = rows(SAMPLES[5]);
    let log = |at: usize| json[at].1.split(' ').nth(1).unwrap();
    assert_eq!(
        [log(0), log(1), log(2), log(3), log(4)],
        [
            "[\"ssh\"]",
            "[\"dns\"]",
            "[\"notice\"]",
            "[\"files\"]",
            "[]"
        ]
    );
    assert!(json[2].1.contains("source.ip=203.0.113.77"));
}

#[test]
fn json_that_is_not_zeeks_is_not_mine() {
    for line in [
        r#"{"MESSAGE":"x","_PID":"1"}"#,
        r#"{"ts":1,"msg":"x"}"#,
        "{",
        "{}",
    ] {
        assert_eq!(
            shown(&everything(), line.as_bytes()).0,
            Verdict::NotMine,
            "{line}"
        );
    }
    let cut = &FORMAT.example.as_bytes()[..150];
    assert!(matches!(shown(&everything(), cut).0, Verdict::Malformed(_)));
    assert_eq!(
        shown(&everything(), b"1767607200.25\tx").0,
        Verdict::NotMine,
        "no header yet"
    );
}

#[test]
fn only_what_is_asked_for_is_decoded() {
    let mut names = Names::default();
    let extra = names.intern("ip_proto").unwrap();
    let mut projection = Projection::over(names);
    projection.want(extra);
    projection.want(Field::DESTINATION_PORT);
    let mut context = Context::new(TimeZone::UTC, Time::MIN, Arc::new(projection));
    let mut lines = CONN.lines().filter(|l| !context.absorb(l.as_bytes()));
    let first = lines.next().unwrap().to_owned();
    drop(lines);
    let asked = "2026-01-05T10:00:00.250Z [\"conn\"] destination.port=Int(443) ip_proto=Int(6)";
    assert_eq!(shown(&context, first.as_bytes()).1, asked);

    let json = SAMPLES[4].lines().next().unwrap();
    let asked = "2026-01-05T10:00:00.250Z [\"conn\"] destination.port=Int(443)";
    assert_eq!(shown(&context, json.as_bytes()).1, asked);

    context.project(Arc::new(Projection::everything()));
    assert!(
        shown(&context, first.as_bytes())
            .1
            .contains("source.ip=10.20.0.11")
    );
}

#[test]
fn the_header_may_change_in_mid_file() {
    let mut context = everything();
    for line in [
        "#separator \\x2c",
        "#path,ssh",
        "#fields,id.orig_h,ts",
        "#types,addr,time",
    ] {
        assert!(context.absorb(line.as_bytes()), "{line}");
    }
    let (verdict, text) = shown(&context, b"192.0.2.1,1767607200\r");
    assert_eq!(verdict, Verdict::Event);
    assert!(text.starts_with("2026-01-05T10:00:00Z [\"ssh\"] source.ip=192.0.2.1 "));
    assert!(context.absorb(b"#separator \\x09") && context.absorb(b"#fields\tts\tid.orig_h"));
    assert!(context.absorb(b"#types\ttime\taddr"));
    assert_eq!(shown(&context, b"1767607200\t192.0.2.1").0, Verdict::Event);
    assert!(!context.absorb(b"# a remark") && !context.absorb(b"#fieldsx\ty"));
    assert_eq!(shown(&context, b"# a remark").0, Verdict::NotMine);
}

#[test]
fn a_hostile_header_is_bounded_and_a_column_counts_once() {
    let mut context = everything();
    let mut header = String::from("#fields\tts\tuid\tuid\tid.orig_h\tid.orig_h");
    header.push_str(&"\tx".repeat(100_000));
    assert!(context.absorb(header.as_bytes()));
    let layout = context.layout.as_ref().unwrap();
    assert_eq!((layout.columns, layout.steps.len()), (100_005, 3));
    let mut row = String::from("1767607200\ta\tb\t192.0.2.1\t192.0.2.2");
    row.push_str(&"\t-".repeat(100_000));
    let (verdict, text) = shown(&context, row.as_bytes());
    assert_eq!(verdict, Verdict::Event);
    assert!(
        text.contains("zeek.uid=a source.ip=192.0.2.1 event"),
        "{text}"
    );
}

#[test]
fn rows_that_do_not_fit_their_header_are_malformed_and_leave_nothing() {
    let mut context = everything();
    for line in [
        "#fields\tts\tid.orig_h\tid.orig_p",
        "#types\ttime\taddr\tport",
    ] {
        assert!(context.absorb(line.as_bytes()));
    }
    let good = b"1.0\t192.0.2.1\t22";
    assert_eq!(shown(&context, good).0, Verdict::Event);
    for bad in [
        "1.0\t192.0.2.1",
        "1.0\t192.0.2.1\t22\tx",
        "1.0\t192.0.2.300\t22",
        "1.0\t192.0.2.1\tx",
        "-\t192.0.2.1\t22",
        "",
        "x",
    ] {
        let arena = Bump::new();
        let mut event = Event::new();
        let verdict = parse(bad.as_bytes(), &context, &arena, &mut event);
        assert!(verdict != Verdict::Event, "{bad:?}");
        assert!(event.values().is_empty(), "{bad:?}");
    }
}

#[test]
fn a_line_cut_or_flipped_at_any_byte_never_panics() {
    for sample in SAMPLES {
        let mut context = everything();
        for line in sample.lines() {
            for at in 0..line.len() {
                shown(&context, &line.as_bytes()[..at]);
                let mut flipped = line.as_bytes().to_vec();
                flipped[at] ^= 0x5b;
                shown(&context, &flipped);
                context.clone().absorb(&flipped);
            }
            context.absorb(line.as_bytes());
        }
    }
}

#[test]
fn decimals_become_nanoseconds_exactly() {
    for (text, nanos) in [
        ("1521911725.396014", Some(1_521_911_725_396_014_000)),
        ("0.000000001", Some(1)),
        ("-1.5", Some(-1_500_000_000)),
        ("7", Some(7_000_000_000)),
        ("1.0000000009", Some(1_000_000_000)),
        ("99999999999999", None),
        (".5", None),
        ("1.5.2", None),
        ("", None),
        ("-", None),
        ("1e3", None),
    ] {
        assert_eq!(decimal_nanos(text.as_bytes()), nanos, "{text:?}");
    }
}
