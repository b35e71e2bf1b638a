use super::*;
use crate::format::shape::shown;

const FIELDS: [Field; 6] = [
    Field::EVENT_OUTCOME,
    Field::SOURCE_IP,
    Field::SOURCE_PORT,
    Field::DESTINATION_IP,
    Field::DESTINATION_PORT,
    Field::USER_NAME,
];

const ROWS: &[(&str, &str, &str)] = &[
    (
        "%ASA-4-106023",
        r#"Deny tcp src outside:192.0.2.7/4711 dst inside:198.51.100.5/22 by access-group "a" [0x0, 0x0]"#,
        "failure|192.0.2.7|4711|198.51.100.5|22|-",
    ),
    (
        "%ASA-4-106023",
        r#"Deny icmp src outside:192.0.2.7 dst inside:198.51.100.5 (type 8, code 0) by access-group "a""#,
        "failure|192.0.2.7|-|198.51.100.5|-|-",
    ),
    (
        "%ASA-4-106023",
        r#"Deny protocol 47 src outside:192.0.2.7 dst inside:198.51.100.5 by access-group "a""#,
        "failure|192.0.2.7|-|198.51.100.5|-|-",
    ),
    (
        "%ASA-2-106001",
        "Inbound TCP connection denied from 192.0.2.7/4711 to 198.51.100.5/22 flags SYN  on interface outside",
        "failure|192.0.2.7|4711|198.51.100.5|22|-",
    ),
    (
        "%ASA-6-106100",
        "access-list in denied udp outside/192.0.2.7(4711) -> inside/198.51.100.5(53) hit-cnt 1 first hit [0x0, 0x0]",
        "failure|192.0.2.7|4711|198.51.100.5|53|-",
    ),
    (
        "%ASA-6-302013",
        "Built inbound TCP connection 5 for outside:192.0.2.7/4711 (192.0.2.7/4711) to inside:198.51.100.5/443 (203.0.113.5/443)",
        "success|192.0.2.7|4711|198.51.100.5|443|-",
    ),
    (
        "%ASA-6-302014",
        "Teardown TCP connection 5 for outside:192.0.2.7/4711(LOCAL\\bob) to inside:198.51.100.5/443 duration 0:00:10 bytes 1234 TCP FINs",
        "unknown|192.0.2.7|4711|198.51.100.5|443|bob",
    ),
    (
        "%ASA-6-302020",
        "Built inbound ICMP connection for faddr 192.0.2.7/5 gaddr 203.0.113.5/0 laddr 198.51.100.5/0",
        "success|192.0.2.7|-|198.51.100.5|-|-",
    ),
    (
        "%ASA-3-313001",
        "Denied ICMP type=3, code=3 from 192.0.2.7 on interface outside",
        "failure|192.0.2.7|-|-|-|-",
    ),
    (
        "%ASA-5-304001",
        "192.0.2.7 Accessed URL 198.51.100.5:/app",
        "success|192.0.2.7|-|198.51.100.5|-|-",
    ),
    (
        "%ASA-6-605004",
        "Login denied from 192.0.2.7/4711 to inside:198.51.100.1/ssh for user \"bob\"",
        "failure|192.0.2.7|4711|198.51.100.1|-|bob",
    ),
    (
        "%ASA-6-113005",
        "AAA user authentication Rejected : reason = AAA failure : server = 198.51.100.9 : user = bob : user IP = 192.0.2.7",
        "failure|192.0.2.7|-|-|-|bob",
    ),
    (
        "%ASA-4-113019",
        "Group = g, Username = bob, IP = 192.0.2.7, Session disconnected. Session Type: SSL",
        "unknown|192.0.2.7|-|-|-|bob",
    ),
    (
        "%SEC-6-IPACCESSLOGP",
        "list 101 denied tcp 192.0.2.7(4711) -> 198.51.100.5(22), 1 packet",
        "failure|192.0.2.7|4711|198.51.100.5|22|-",
    ),
    (
        "%SEC-6-IPACCESSLOGP",
        "list 101 permitted tcp 192.0.2.7(4711) (Gi0/1 0000.5e00.5301) -> 198.51.100.5(22), 1 packet",
        "success|192.0.2.7|4711|198.51.100.5|22|-",
    ),
    (
        "%SEC-6-IPACCESSLOGDP",
        "list 101 denied icmp 192.0.2.7 -> 198.51.100.5 (8/0), 1 packet",
        "failure|192.0.2.7|-|198.51.100.5|-|-",
    ),
    (
        "%IPV6-6-ACCESSLOGP",
        "list a/10 permitted tcp 2001:db8::7(4711) -> 2001:db8::5(22), 9 packets",
        "success|2001:db8::7|4711|2001:db8::5|22|-",
    ),
    (
        "%SEC_LOGIN-4-LOGIN_FAILED",
        "Login failed [user: bob] [Source: 192.0.2.7] [localport: 22] [Reason: x] at y",
        "failure|192.0.2.7|-|-|-|bob",
    ),
    (
        "%SSH-5-SSH2_USERAUTH",
        "User 'bob' authentication for SSH2 Session from 192.0.2.7 (tty = 0) using crypto cipher 'a', hmac 'b' Succeeded",
        "success|192.0.2.7|-|-|-|bob",
    ),
    (
        "CiscoASA",
        "%ASA-7-710003: TCP access denied by ACL from 192.0.2.7/4711 to outside:198.51.100.1/22",
        "failure|192.0.2.7|4711|198.51.100.1|22|-",
    ),
];

#[test]
fn sentences_say_who_went_where() {
    for (program, text, expected) in ROWS {
        let read = shown(&FORMAT, program, text, &FIELDS);
        assert_eq!(read, (Verdict::Event, (*expected).to_owned()), "{text}");
    }
}

#[test]
fn a_name_that_holds_a_sentence_is_malformed() {
    for (program, text) in [
        (
            "%ASA-6-113005",
            "AAA user authentication Rejected : reason = AAA failure : server = 198.51.100.9 : user = x : user IP = 203.0.113.66 : user IP = 192.0.2.7",
        ),
        (
            "%SEC_LOGIN-4-LOGIN_FAILED",
            "Login failed [user: x] [Source: 203.0.113.66] [localport: 22]] [Source: 192.0.2.7] [localport: 22]",
        ),
        ("%ASA-4-106023", "Deny tcp src outside:192.0.2.7/4711"),
    ] {
        let (verdict, read) = shown(&FORMAT, program, text, &FIELDS);
        assert!(matches!(verdict, Verdict::Malformed(_)), "{text}: {read}");
    }
    assert_eq!(
        shown(&FORMAT, "%SYS-5-RESTART", "System restarted", &[]).0,
        Verdict::NotMine
    );
    assert_eq!(shown(&FORMAT, "asa", "hello", &[]).0, Verdict::NotMine);
}
