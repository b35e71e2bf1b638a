use super::*;

fn read(text: &str) -> (Verdict, String) {
    let mut event = Event::new();
    let message = Message {
        program: b"kernel",
        text: text.as_bytes(),
    };
    let verdict = parse(message, &mut event);
    let fields = [
        Field::EVENT_OUTCOME,
        Field::FIREWALL_ACTION,
        Field::SOURCE_IP,
        Field::SOURCE_PORT,
        Field::DESTINATION_IP,
        Field::DESTINATION_PORT,
        Field::NETWORK_TRANSPORT,
        Field::TCP_FLAGS,
    ];
    let shown = fields.map(|field| event.shown(field));
    (verdict, shown.join(" "))
}

#[test]
fn the_prefix_decides_and_the_packet_says_who() {
    let tcp = "IN=eth0 OUT= MAC= SRC=192.0.2.7 DST=198.51.100.5 LEN=40 TTL=49 ID=1 DF PROTO=TCP SPT=40000 DPT=22 WINDOW=2048 RES=0x00 ACK PSH URGP=0";
    let ends = "192.0.2.7 40000 198.51.100.5 22 tcp ACK PSH";
    for (prefix, said) in [
        ("[1234.567890] [UFW BLOCK] ", "failure block"),
        ("[   12.345678] [UFW ALLOW] ", "success allow"),
        ("[UFW LIMIT BLOCK] ", "failure block"),
        ("[UFW AUDIT] ", "unknown -"),
        ("DROP INVALID ", "failure drop"),
        ("iptables DROP_INPUT: ", "failure drop"),
        ("IPTABLES-DENIED:", "failure deny"),
        ("Shorewall:FORWARD:REJECT:", "failure reject"),
        ("SFW2-INext-DROP-DEFLT ", "failure drop"),
        ("SFW2-INext-ACC-TCP ", "success accept"),
        ("filter_IN_public_REJECT: ", "failure reject"),
        ("[WAN_LOCAL-default-D]", "failure drop"),
        ("[WAN_OUT-2000-A]", "success accept"),
        ("", "unknown -"),
    ] {
        let expected = (Verdict::Event, format!("{said} {ends}"));
        assert_eq!(read(&format!("{prefix}{tcp}")), expected, "{prefix}");
    }
}

#[test]
fn a_packet_quoted_by_an_icmp_error_is_not_the_packet() {
    let line = "DROP IN=eth0 OUT= SRC=192.0.2.7 DST=198.51.100.5 LEN=88 PROTO=ICMP TYPE=3 CODE=3 [SRC=203.0.113.66 DST=203.0.113.67 LEN=60 PROTO=UDP SPT=1 DPT=2 LEN=40 ]";
    let expected = "failure drop 192.0.2.7 - 198.51.100.5 - icmp -".to_owned();
    assert_eq!(read(line), (Verdict::Event, expected));
}

#[test]
fn an_interface_or_a_device_named_like_a_packet_moves_nothing() {
    let line = "DROP IN=SRC=203.0.113.6 OUT= SRC=192.0.2.7 DST=198.51.100.5 LEN=40 PROTO=2";
    let expected = "failure drop 192.0.2.7 - 198.51.100.5 - igmp -".to_owned();
    assert_eq!(read(line), (Verdict::Event, expected));
    for line in [
        "usb 1-1: Product: IN= OUT= SRC=203.0.113.66 DST=198.51.100.5 PROTO=TCP SPT=1 DPT=22",
        "[1.5] usb 1-1: Product: IN= OUT= SRC=203.0.113.66 DST=198.51.100.5 PROTO=TCP",
        "eth0: link up",
        "device veth0 entered promiscuous mode",
    ] {
        assert_eq!(read(line).0, Verdict::NotMine, "{line}");
    }
}

#[test]
fn a_value_that_stands_twice_or_is_missing_is_malformed() {
    for line in [
        "IN=a OUT= SRC=192.0.2.7 DST=198.51.100.5 LEN=40 PROTO=TCP SRC=203.0.113.66 SPT=1 DPT=2",
        "IN=a OUT= SRC=192.0.2.7 DST=198.51.100.5 LEN=40 PROTO=TCP SPT=1 DPT=2 DPT=3",
        "IN=a OUT= SRC=192.0.2.7 DST=198.51.100.5 LEN=40",
        "IN=a OUT= SRC=192.0.2.7 LEN=40 PROTO=TCP",
        "IN=a OUT= SRC=192.0.2.7 DST=198.51.100.5 LEN=40 PROTO=TCP SPT=99999 DPT=2",
    ] {
        assert!(matches!(read(line).0, Verdict::Malformed(_)), "{line}");
    }
}
