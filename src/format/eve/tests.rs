use super::*;
use crate::field::Names;
use std::sync::Arc;

const SAMPLE: &str = include_str!("../../../sample-logs/formats/eve.log");

fn shown(line: &str, fields: &[Field], context: &Context) -> (Verdict, String) {
    let arena = Bump::new();
    let mut event = Event::new();
    let verdict = parse(line.as_bytes(), context, &arena, &mut event);
    let one = |value: Value<'_>| match value {
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Ip(ip) => ip.to_string(),
        Value::Int(n) => n.to_string(),
        other => format!("{other:?}"),
    };
    let shown: Vec<_> = fields
        .iter()
        .map(|&field| match event.get(field) {
            Some(Value::List(list)) => list.iter().map(|&v| one(v)).collect::<Vec<_>>().join(","),
            Some(value) => one(value),
            None => "-".to_owned(),
        })
        .collect();
    (verdict, shown.join("|"))
}

fn utc() -> Context {
    Context::utc(Time::from_secs(1_718_409_600))
}

/// An event with those keys behind the addresses.
fn line(kind: &str, more: &str) -> String {
    format!(
        r#"{{"timestamp":"2024-06-15T10:00:00.123456+0000","flow_id":1,"event_type":"{kind}","src_ip":"192.0.2.7","src_port":40022,"dest_ip":"198.51.100.5","dest_port":53,"proto":"UDP",{more}}}"#
    )
}

#[test]
fn the_three_versions_of_dns_say_the_same() {
    let fields = [
        Field::EVENT_ACTION,
        Field::DNS_TYPE,
        Field::DNS_QUESTION_NAME,
        Field::DNS_QUESTION_TYPE,
        Field::DNS_ANSWERS_DATA,
        Field::DNS_RESPONSE_CODE,
        Field::DNS_RESOLVED_IP,
        Field::DNS_HEADER_FLAGS,
    ];
    for (dns, expected) in [
        (
            r#"{"type":"query","id":7,"rrname":"www.example.com","rrtype":"A","tx_id":0}"#,
            "dns_query|query|www.example.com|A|-|-|-|-",
        ),
        (
            r#"{"version":3,"type":"request","id":7,"queries":[{"rrname":"www.example.com","rrtype":"A"}]}"#,
            "dns_query|query|www.example.com|A|-|-|-|-",
        ),
        (
            r#"{"type":"answer","id":7,"rcode":"NOERROR","rrname":"www.example.com","rrtype":"A","ttl":5,"rdata":"192.0.2.80"}"#,
            "dns_answer|answer|www.example.com|A|192.0.2.80|NOERROR|-|-",
        ),
        (
            r#"{"version":2,"type":"answer","id":7,"rd":true,"ra":true,"rcode":"NOERROR","rrname":"www.example.com","rrtype":"A","answers":[{"rrname":"www.example.com","rrtype":"CNAME","rdata":"web.example.com"},{"rrname":"web.example.com","rrtype":"A","rdata":"192.0.2.80"}],"grouped":{"CNAME":["web.example.com"],"A":["192.0.2.80"]}}"#,
            "dns_answer|answer|www.example.com|A|web.example.com,192.0.2.80|NOERROR|192.0.2.80|RD,RA",
        ),
        (
            r#"{"version":3,"type":"response","id":7,"rcode":"NXDOMAIN","queries":[{"rrname":"www.example.com","rrtype":"A"}]}"#,
            "dns_answer|answer|www.example.com|A|-|NXDOMAIN|-|-",
        ),
    ] {
        let line = line("dns", &format!(r#""dns":{dns}"#));
        let read = shown(&line, &fields, &utc());
        assert_eq!(read, (Verdict::Event, expected.to_owned()), "{line}");
    }
}

#[test]
fn a_flow_says_whether_it_came_to_be() {
    let fields = [
        Field::EVENT_OUTCOME,
        Field::NETWORK_BYTES,
        Field::EVENT_DURATION,
    ];
    for (flow, expected) in [
        (
            r#""flow":{"pkts_toserver":2,"pkts_toclient":1,"bytes_toserver":108,"bytes_toclient":54,"start":"2024-06-15T09:59:00.000000+0000","end":"2024-06-15T09:59:01.500000+0000","age":1,"state":"closed"},"tcp":{"tcp_flags_tc":"14"}"#,
            "failure|162|1500000000",
        ),
        (
            r#""flow":{"pkts_toserver":2,"pkts_toclient":1,"bytes_toserver":108,"bytes_toclient":54,"age":1,"state":"closed"},"tcp":{"tcp_flags_tc":"1b"}"#,
            "success|162|1000000000",
        ),
        (
            r#""flow":{"pkts_toserver":1,"pkts_toclient":0,"bytes_toserver":60,"bytes_toclient":0,"state":"new"}"#,
            "failure|60|-",
        ),
        (
            r#""flow":{"pkts_toserver":1,"pkts_toclient":1,"bytes_toserver":60,"bytes_toclient":60,"state":"established"}"#,
            "success|120|-",
        ),
    ] {
        let read = shown(&line("flow", flow), &fields, &utc());
        assert_eq!(read, (Verdict::Event, expected.to_owned()), "{flow}");
    }
}

#[test]
fn text_of_the_remote_side_that_looks_like_keys_is_text() {
    let fields = [Field::SOURCE_IP, Field::USER_AGENT, Field::EVENT_ACTION];
    let evil = r#"x\",\"src_ip\":\"203.0.113.66\",\"event_type\":\"alert\",\"y\":\""#;
    let line = line("http", &format!(r#""http":{{"http_user_agent":"{evil}"}}"#));
    let (verdict, shown) = shown(&line, &fields, &utc());
    assert_eq!(verdict, Verdict::Event);
    assert!(shown.starts_with("192.0.2.7|x\",\"src_ip\""), "{shown}");
    assert!(shown.ends_with("|http_request"), "{shown}");
}

#[test]
fn a_second_address_of_the_same_name_moves_nothing() {
    let line = line("http", r#""src_ip":"203.0.113.66","event_type":"alert""#);
    let read = shown(&line, &[Field::SOURCE_IP, Field::EVENT_ACTION], &utc());
    assert_eq!(read, (Verdict::Event, "192.0.2.7|http_request".to_owned()));
}

#[test]
fn other_documents_are_not_ours_and_broken_ones_malformed() {
    for line in [
        r#"{"event_type":"login","timestamp":"2024-06-15T10:00:00Z","user":"x"}"#,
        r#"{"timestamp":"2024-06-15T10:00:00Z","src_ip":"192.0.2.7"}"#,
        r#"{"msg":"x \"event_type\": y"}"#,
        r#"{"a":{"event_type":"alert"},"timestamp":"x","flow_id":1}"#,
        "[]",
        "",
    ] {
        assert_eq!(shown(line, &[], &utc()).0, Verdict::NotMine, "{line}");
    }
    let cut = line("http", r#""http":{"hostname":"a"}"#);
    let cut = &cut[..cut.len() - 3];
    assert!(matches!(shown(cut, &[], &utc()).0, Verdict::Malformed(_)));
    let wrong = r#"{"timestamp":"2024-06-15T10:00:00Z","event_type":"http","src_ip":"gate1","dest_ip":"192.0.2.7"}"#;
    assert!(matches!(shown(wrong, &[], &utc()).0, Verdict::Malformed(_)));
}

#[test]
fn only_what_is_wanted_is_set_and_a_rules_own_names_are_found() {
    let mut names = Names::default();
    let own = names.intern("tls.ja3.string").unwrap();
    let mut projection = Projection::over(names);
    projection.want(own);
    projection.want(Field::SOURCE_IP);
    let context = Context {
        projection: Arc::new(projection),
        ..utc()
    };
    let line = line(
        "tls",
        r#""tls":{"sni":"a.example","ja3":{"hash":"x","string":"771,49196"}}"#,
    );
    let fields = [
        Field::SOURCE_IP,
        own,
        Field::TLS_SERVER_NAME,
        Field::EVENT_ACTION,
    ];
    let read = shown(&line, &fields, &context);
    assert_eq!(read, (Verdict::Event, "192.0.2.7|771,49196|-|-".to_owned()));
}

#[test]
fn every_sample_has_its_own_class() {
    let mut kinds = Vec::new();
    for line in SAMPLE.lines() {
        let arena = Bump::new();
        let context = utc();
        let mut event = Event::new();
        let verdict = crate::format::parse(line.as_bytes(), &context, &arena, &mut event).verdict;
        assert_eq!(verdict, Verdict::Event, "{line}");
        kinds.push(event.class.kind);
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert!(kinds.len() > 12, "{kinds:?}");
}
