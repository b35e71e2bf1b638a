//! Envelopes around remote text: appliances' pairs, containers' lines, Graylog's
//! JSON. What the sender escapes as its format asks moves nothing; what a
//! careless sender does not is no event rather than another one.

use tipstaff::format::Verdict;

use crate::support::{Line, context};

const TRUE: &str = "192.0.2.7";

/// Free texts that imitate each format's own words.
const FREE: &[&str] = &[
    "x src=198.51.100.66",
    "src=198.51.100.66",
    "x suser=root",
    "x\tsrc=198.51.100.66",
    "x^src=198.51.100.66",
    "x|src=198.51.100.66",
    "x\\ src=198.51.100.66",
    "x\\",
    "|",
    "CEF:0|a|b|c|d|e|f|src=198.51.100.66",
    "LEEF:1.0|a|b|c|d|src=198.51.100.66",
    "x\",\"time\":\"2024-05-06T00:00:00Z\",\"log\":\"y",
    "x\" from 198.51.100.66 port 1",
    "x from 198.51.100.66 port 1 ssh2",
    "x\\n2024-05-06T08:00:00Z stdout F y",
    "[x y=\"198.51.100.66\"]",
    "\u{202e}x",
];

fn read(line: &str) -> Line {
    Line::read(line.as_bytes(), &context())
}

fn holds(line: &str) -> Line {
    let read = read(line);
    let source = read.source();
    assert!(
        source.is_none() || source == Some(TRUE),
        "{source:?} from {line}"
    );
    read
}

#[test]
fn a_value_of_cef_or_leef_gives_no_other_source() {
    for free in FREE {
        let escaped = free.replace('\\', "\\\\").replace('=', "\\=");
        for (first, text) in [(false, free.to_string()), (true, escaped.clone())] {
            for line in [
                format!("CEF:0|V|P|1|9|n|1|src={TRUE} suser=a msg={text}"),
                format!("CEF:0|V|P|1|9|n|1|suser=a msg={text} src={TRUE}"),
                format!("May  6 08:00:00 fw1 CEF:0|V|P|1|9|n|1|src={TRUE} suser=a request={text}"),
            ] {
                let read = holds(&line);
                if first {
                    assert_eq!(read.verdict, Verdict::Event, "{line}");
                    assert_eq!(read.source(), Some(TRUE), "{line}");
                    assert_eq!(read.get("user.name"), Some("a"), "{line}");
                }
            }
        }
        let header = free.replace('\\', "\\\\").replace('|', "\\|");
        holds(&format!("CEF:0|V|P|1|9|{header}|1|src={TRUE}"));
        // LEEF has no escapes: whoever writes a separator into a value breaks it.
        holds(&format!("LEEF:1.0|V|P|1|9|src={TRUE}\tusrName={free}"));
        holds(&format!("LEEF:2.0|V|P|1|9|^|usrName={free}^src={TRUE}"));
    }
}

#[test]
fn text_inside_a_wrapper_is_only_text() {
    for free in FREE {
        let json = serde_json::to_string(free).unwrap();
        let inside = json.trim_matches('"');
        for line in [
            format!(
                "{{\"log\":\"Invalid user {inside} from {TRUE} port 22\\n\",\"stream\":\"stderr\",\"attrs\":{{\"tag\":\"sshd\"}},\"time\":\"2024-05-06T08:00:00Z\"}}"
            ),
            format!(
                "{{\"host\":\"h\",\"short_message\":\"Invalid user {inside} from {TRUE} port 22\",\"_application_name\":\"sshd\",\"_user\":{json},\"timestamp\":1714982400}}"
            ),
            format!(
                "2024-05-06T08:00:00Z stderr F May  6 08:00:00 h sshd[7]: Invalid user {free} from {TRUE} port 22"
            ),
        ] {
            let read = holds(&line);
            assert_eq!(read.source(), Some(TRUE), "{line}");
            assert_eq!(read.get("user.name"), Some(*free), "{line}");
            assert!(read.get("@timestamp").unwrap().starts_with("2024-05-06T08"));
        }
    }
}

#[test]
fn a_program_that_we_know_does_not_speak_for_an_appliance() {
    let cef = "CEF:0|V|P|1|9|n|1|src=198.51.100.66";
    for program in ["sshd[7]", "sudo", "su", "CRON[7]", "systemd-logind[7]"] {
        let read = holds(&format!("May  6 08:00:00 gate1 {program}: {cef}"));
        assert_ne!(read.format, Some("cef"));
    }
    let said_by_user = format!(
        "{{\"__REALTIME_TIMESTAMP\":\"1714982400000000\",\"SYSLOG_IDENTIFIER\":\"fw\",\"_UID\":\"1000\",\"_COMM\":\"logger\",\"MESSAGE\":\"{cef}\"}}"
    );
    assert_ne!(read(&said_by_user).verdict, Verdict::Event);
}

#[test]
fn a_stamp_inside_a_message_is_not_a_header() {
    for line in [
        "May  6 08:00:00 gate1 myapp: 57 <38>May  1 10:00:00 h sshd[7]: Invalid user x from 198.51.100.66 port 1",
        "May  6 08:00:00 gate1 myapp: 2024-05-06T08:00:00Z stdout F May  6 08:00:00 h sshd[7]: Invalid user x from 198.51.100.66 port 1",
        "May  6 08:00:00 gate1: sshd[7]: Invalid user x from 198.51.100.66 port 1",
        "<189>237: *May  1 10:00:00: sshd[7]: Invalid user x from 198.51.100.66 port 1",
        "57 57 <38>May  1 10:00:00 h sshd[7]: Invalid user x from 198.51.100.66 port 1",
    ] {
        assert_ne!(read(line).verdict, Verdict::Event, "{line}");
    }
}

#[test]
fn no_header_is_found_in_what_a_program_says() {
    let said = "sshd[7]: Accepted password for root from 198.51.100.66 port 1 ssh2";
    let record = "type=USER_LOGIN msg=audit(1714557600.250:7): pid=1 uid=0 msg='op=login acct=\"root\" addr=198.51.100.66 res=success'";
    for quoted in [
        said.to_owned(),
        format!("h {said}"),
        format!("auth.info {said}"),
        record.to_owned(),
    ] {
        for header in [
            "May  6 08:00:00 web1 myapp:",
            "May  6 08:00:00 web1 myapp[7]:",
            "May  6 08:00:00 myapp:",
            "May  6 08:00:00 CEST web1 myapp:",
            "Mon May  6 08:00:00 2024 web1 myapp:",
            "Mon May  6 08:00:00 2024 user.info myapp:",
            "2024/05/06 08:00:00 web1 myapp:",
            "1714982400 web1 myapp:",
            "2024-05-06T08:00:00Z web1 myapp:",
            "2024-05-06 08:00:00.123456+0200 0x1f3 Info 0x0 7 0 myapp: (libx)",
            "[   12.345678] web1 myapp:",
            "2024-05-06T08:00:00Z In(38) myapp[7]:",
        ] {
            let line = format!("{header} {quoted}");
            let read = read(&line);
            assert_eq!(read.source(), None, "{line}");
            assert_ne!(read.verdict, Verdict::Event, "{line}");
        }
    }
}

#[test]
fn what_a_client_writes_beside_a_shipped_line_moves_nothing() {
    let line = "May  6 08:00:00 web1 sshd[7]: Failed password for invalid user FREE from 192.0.2.7 port 1 ssh2";
    for free in FREE {
        let text = line
            .replace("FREE", free)
            .replace('\\', "\\\\")
            .replace('"', "\\\"");
        for wrapped in [
            format!(
                r#"{{"@timestamp":"2024-05-06T08:00:00Z","@version":"1","message":"{text}","host":"web1"}}"#
            ),
            format!(r#"{{"log":"{text}"}}"#),
            format!(r#"{{"streams":[{{"stream":{{"host":"web1"}},"values":[["1","{text}"]]}}]}}"#),
        ] {
            holds(&wrapped);
        }
    }
}
