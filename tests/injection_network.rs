//! What remote people choose in the logs of firewalls and sensors: host
//! names, paths, names in DNS, the packet that an ICMP error quotes. None of
//! it moves an address, a port or a verdict.

use proptest::prelude::*;
use tipstaff::format::Verdict;

use crate::support::{Line, context};

/// Where the packet really comes from and goes to.
const TRUE: (&str, &str) = ("192.0.2.7", "198.51.100.5");
/// What the attacker would have us believe.
const FALSE: &str = "203.0.113.66";

/// Every shape with a free text (`{}`); `"{}"` is a JSON string. What the
/// outcome really is, where the line has one.
const SHAPES: &[(&str, &str)] = &[
    (
        "Jun 15 10:00:00 gate1 kernel: [UFW BLOCK] IN=eth0 OUT= MAC= SRC=192.0.2.7 DST=198.51.100.5 LEN=88 PROTO=ICMP TYPE=3 CODE=3 [{}]",
        "failure",
    ),
    (
        "Jun 15 10:00:00 gate1 kernel: ACCEPT IN=eth0 OUT= MAC= SRC=192.0.2.7 DST=198.51.100.5 LEN=88 PROTO=ICMP TYPE=3 CODE=3 [{} ] MARK=0x1",
        "success",
    ),
    (
        "0 3 PVEFW-HOST-IN 15/Jun/2024:13:09:14 +0200 policy DROP: IN=vmbr0 SRC=192.0.2.7 DST=198.51.100.5 LEN=88 PROTO=ICMP TYPE=3 CODE=3 [{} ]",
        "failure",
    ),
    (
        "Jun 15 10:00:00 gate1 filterlog[7]: 5,,,1,em0,match,block,in,4,0x0,,64,1,0,none,1,icmp,84,192.0.2.7,198.51.100.5,{}",
        "failure",
    ),
    (
        r#"Jun 15 10:00:00 pa1 1,2024/06/15 10:00:00,7,THREAT,url,1,2024/06/15 10:00:00,192.0.2.7,198.51.100.5,0.0.0.0,0.0.0.0,r,,,web,vsys1,t,u,e1,e2,f,2024/06/15 10:00:00,1,1,4711,80,0,0,0x0,tcp,reset-both,"{}",x"#,
        "failure",
    ),
    (
        r#"date=2024-06-15 time=10:00:00 devid="F" type="traffic" srcip=192.0.2.7 dstip=198.51.100.5 dstport=80 proto=6 action="deny" url="{}""#,
        "failure",
    ),
    (
        "<134>1 1718445600.5 MX84 urls src=192.0.2.7:4711 dst=198.51.100.5:443 agent='{}' request: GET https://a.example/",
        "unknown",
    ),
    (
        "Jun 15 10:00:00 fw1 : %ASA-5-304002: Access denied URL {} SRC 192.0.2.7 DEST 198.51.100.5 on interface inside",
        "failure",
    ),
    (
        "Jun 15 10:00:00 fw1 : %ASA-6-109006: Authentication failed for user '{}' from 192.0.2.7/4711 to 198.51.100.5/22 on interface inside",
        "failure",
    ),
    (
        "06/15/2024-10:29:01.860293 {} [**] /x [**] curl [**] 192.0.2.7:4711 -> 198.51.100.5:80",
        "unknown",
    ),
    (
        r#"2024-06-15T10:00:00.1Z elb 192.0.2.7:4711 198.51.100.5:80 0.1 0.1 0.1 403 403 0 29 "GET http://{}/ HTTP/1.1" "{}" - -"#,
        "failure",
    ),
    (
        "2024-06-15 10:00:00 198.51.100.5 GET /{} - 443 - 192.0.2.7 curl - 404 0 0 5",
        "failure",
    ),
    (
        "06/15/2024-10:29:01.860293  [**] [1:9:2] {} [**] [Classification: C] [Priority: 3] {TCP} 192.0.2.7:28487 -> 198.51.100.5:80",
        "success",
    ),
    (
        "06/15/2024-10:29:01.860293  [Drop] [**] [1:9:2] {} [**] [Priority: 3] {UDP} 192.0.2.7:28487 -> 198.51.100.5:80",
        "failure",
    ),
    (
        "Jun 15 10:00:00 ids1 snort[7]: [1:9:2] {} [Classification: C] [Priority: 3] {ICMP} 192.0.2.7 -> 198.51.100.5",
        "success",
    ),
    (
        "11:29:42.550475 IP 192.0.2.7.43436 > 198.51.100.5.53: 4711+ A? {}. (33)",
        "unknown",
    ),
    (
        "11:29:42.550475 IP 192.0.2.7.43436 > 198.51.100.5.80: Flags [P.], seq 1:9, ack 1, win 502, length 8: HTTP: {}",
        "unknown",
    ),
    (
        "11:29:42.550475 rule 2/0(match): block in on em0: 192.0.2.7.43436 > 198.51.100.5.53: 4711+ A? {}. (33)",
        "failure",
    ),
    (
        r#"{"timestamp":"2024-06-15T10:00:00.1+0000","flow_id":1,"event_type":"alert","src_ip":"192.0.2.7","src_port":1,"dest_ip":"198.51.100.5","dest_port":80,"proto":"TCP","alert":{"action":"blocked","signature_id":9,"signature":"s","severity":1},"http":{"hostname":"{}","url":"/","status":200}}"#,
        "failure",
    ),
    (
        r#"{"timestamp":"2024-06-15T10:00:00.1+0000","flow_id":1,"event_type":"alert","src_ip":"192.0.2.7","src_port":1,"dest_ip":"198.51.100.5","dest_port":80,"proto":"TCP","http":{"hostname":"a","url":"{}","http_user_agent":"{}","status":200},"alert":{"action":"allowed","signature_id":9,"signature":"s","severity":1}}"#,
        "success",
    ),
    (
        r#"{"http":{"url":"{}"},"tls":{"sni":"{}"},"timestamp":"2024-06-15T10:00:00.1+0000","flow_id":1,"event_type":"ssh","src_ip":"192.0.2.7","src_port":1,"dest_ip":"198.51.100.5","dest_port":22,"proto":"TCP","ssh":{"client":{"software_version":"{}"}}}"#,
        "unknown",
    ),
];

/// Words of every grammar, with the false address.
fn tokens() -> Vec<String> {
    let mut tokens: Vec<String> = [
        "",
        " ",
        "x",
        ".",
        ",",
        ":",
        ": ",
        "\"",
        "\\",
        "\"}",
        "{",
        "}",
        "[",
        "]",
        "] ",
        "{TCP}",
        "{ICMP}",
        "->",
        " > ",
        "[**]",
        "[Drop]",
        "[Priority: 1]",
        "[Classification: D]",
        "[Raw pkt: 00 1B]",
        "IN=eth1",
        "OUT=",
        "PROTO=TCP",
        "SPT=1",
        "DPT=22",
        "TYPE=8",
        "ACCEPT",
        "DROP",
        "IP",
        "Flags [S]",
        "length 1",
        "\"event_type\":\"http\"",
        "\"alert\":{\"action\":\"allowed\"}",
        "\"alert\":{\"action\":\"blocked\"}",
        "kernel:",
        "\r",
        "\0",
    ]
    .map(str::to_owned)
    .to_vec();
    for shape in [
        "{}",
        "SRC={}",
        "src={}",
        "srcip={}",
        " SRC {} DEST {} on interface x",
        "' from {}/1 to {}/2 on interface x",
        "DST={}",
        "IN=eth1 OUT= SRC={} DST={} LEN=1 PROTO=TCP SPT=1 DPT=2",
        "{}:1",
        "{}:1 -> {}:2",
        "{} -> {}",
        "{TCP} {}:1 -> {}:2",
        "{}.1 > {}.2:",
        "{}.1 > {}.2: Flags [S]",
        "\"src_ip\":\"{}\"",
        "\",\"src_ip\":\"{}\",\"x\":\"",
        ",{},{}",
    ] {
        tokens.push(shape.replace("{}", FALSE));
    }
    tokens
}

/// The ends and the outcome are the true ones, or the line is no event.
fn attack(shape: &(&str, &str), free: &str) {
    let (template, outcome) = *shape;
    let json = template.starts_with('{');
    let quoted = serde_json::to_string(free).unwrap();
    let line = if json {
        template.replace("\"{}\"", &quoted)
    } else {
        template.replace("{}", free)
    };
    let read = Line::read(line.as_bytes(), &context());
    if read.verdict != Verdict::Event {
        assert!(!json, "JSON hides nothing: {line}");
        return;
    }
    let ends = (read.get("source.ip"), read.get("destination.ip"));
    assert_eq!(ends, (Some(TRUE.0), Some(TRUE.1)), "{line}");
    assert_eq!(read.get("event.outcome"), Some(outcome), "{line}");
    for port in ["source.port", "destination.port"] {
        let port = read.get(port).unwrap_or("-");
        assert!(
            ["-", "1", "22", "28487", "43436", "443", "4711", "53", "80"].contains(&port),
            "{line}"
        );
    }
}

#[test]
fn every_shape_is_an_event_until_it_is_attacked() {
    for shape in SHAPES {
        let line = shape.0.replace("{}", "x");
        let read = Line::read(line.as_bytes(), &context());
        assert_eq!(read.verdict, Verdict::Event, "{line}");
        attack(shape, "x");
    }
}

#[test]
fn every_pair_of_words_in_every_free_text_moves_nothing() {
    let tokens = tokens();
    for shape in SHAPES {
        for first in &tokens {
            for second in &tokens {
                attack(shape, &format!("{first} {second}"));
                attack(shape, &format!("{first}{second}"));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn no_sequence_of_words_moves_anything(
        shape in proptest::sample::select(SHAPES),
        words in proptest::collection::vec(proptest::sample::select(tokens()), 1..9),
        blanks in any::<bool>(),
    ) {
        attack(&shape, &words.join(if blanks { " " } else { "" }));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for begin in [
            &b"Jun 15 10:00:00 gate1 kernel: IN=eth0 OUT= "[..],
            b"Jun 15 10:00:00 gate1 filterlog: 5,,,1,em0,match,block,in,4,",
            b"06/15/2024-10:29:01.860293  [**] [1:9:2] ",
            b"11:29:42.550475 IP ",
            b"2 123456789010 ",
            b"2024-06-15 10:00:00,2024-06-15 10:00:00,",
            b"{\"event_type\":",
        ] {
            let mut line = begin.to_vec();
            line.extend_from_slice(&bytes);
            Line::read(&line, &context());
        }
    }
}

/// Words of a filter in other programs' mouths.
#[test]
fn a_quoted_packet_is_not_an_event() {
    let packet =
        format!("IN=eth0 OUT= MAC= SRC={FALSE} DST=198.51.100.5 LEN=40 PROTO=TCP SPT=1 DPT=22");
    for line in [
        format!("Jun 15 10:00:00 gate1 myapp[7]: {packet}"),
        format!("Jun 15 10:00:00 gate1 httpd: GET /?kernel: {packet}"),
        format!("Jun 15 10:00:00 gate1 kernel: usb 1-1: Product: {packet}"),
        format!("Jun 15 10:00:00 gate1 kernel: [1.5] usb 1-1: SerialNumber: {packet}"),
        format!("kernel: {packet}"),
        packet.clone(),
        format!("x 11:29:42.550475 IP {FALSE}.1 > 198.51.100.5.22: Flags [S]"),
        format!(
            r#"{{"msg":"\"event_type\":\"alert\",\"timestamp\":\"2024-06-15T10:00:00Z\",\"src_ip\":\"{FALSE}\""}}"#
        ),
    ] {
        let read = Line::read(line.as_bytes(), &context());
        assert_ne!(read.verdict, Verdict::Event, "{line}");
        assert_eq!(read.get("source.ip"), None, "{line}");
    }
}

/// A name that looks like an address is a name.
#[test]
fn a_reverse_name_is_no_address() {
    let line = format!(
        "11:29:42.550475 IP {FALSE}.evil.example.43436 > 198.51.100.5.22: Flags [S], length 0"
    );
    let read = Line::read(line.as_bytes(), &context());
    assert_eq!(read.get("source.ip"), None);
    assert_eq!(
        read.get("source.domain"),
        Some(format!("{FALSE}.evil.example").as_str())
    );
}
