//! Sinks on whole alerts, hostile ones included.

use std::sync::mpsc;

use super::*;
use crate::alert::{Evidence, RuleInfo, Score};
use crate::escape::is_unsafe;
use crate::line::Place;
use crate::time::{Span, Time};

/// A writer whose bytes can be read after the sink has taken it.
struct Channel(mpsc::Sender<Vec<u8>>);

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).unwrap();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn shown(sink: &str, style: Style, alert: &Alert) -> String {
    let (sender, receiver) = mpsc::channel();
    let row = SINKS.iter().find(|row| row.name == sink).unwrap();
    let mut sink = (row.open)(Box::new(Channel(sender)), style);
    sink.deliver(alert).unwrap();
    drop(sink);
    String::from_utf8(receiver.into_iter().flatten().collect()).unwrap()
}

fn pair(name: &str, value: &[u8]) -> (String, Vec<u8>) {
    (name.to_owned(), value.to_vec())
}

fn brute_force() -> Alert {
    let start = Time::from_secs(1_709_258_760);
    Alert {
        id: Id([0x12; 16]),
        revision: 0,
        time: start.plus(Span::from_secs(250)),
        window: (start, start.plus(Span::from_secs(250))),
        rule: RuleInfo {
            id: "5d1f2b1e-0000-4000-8000-000000000001".to_owned(),
            title: "Many failed SSH logins from one address".to_owned(),
            level: Level::High,
            tags: vec!["attack.t1110".to_owned()],
            kind: "event_count".to_owned(),
            hash: [0xab; 16],
            falsepositives: vec!["A script with an old password".to_owned()],
        },
        entity: vec![pair("source.ip", b"203.0.113.9")],
        context: vec![
            pair("event.action", b"ssh_login"),
            pair("event.outcome", b"failure"),
        ],
        score: Score {
            observed: 57.0,
            threshold: ">= 10 in 10m".to_owned(),
            model: "sliding".to_owned(),
            ..Score::default()
        },
        events: 57,
        samples: vec![Evidence {
            place: Place {
                offset: 4567,
                number: 123,
                ..Place::default()
            },
            path: "auth.log".to_owned(),
            bytes: b"Mar  1 02:06:00 web1 sshd[77]: Failed password for root from 203.0.113.9 port 4242 ssh2".to_vec(),
            time: start,
        }],
    }
}

pub(super) fn rate() -> Alert {
    let mut alert = brute_force();
    alert.rule.kind = "baseline event_count".to_owned();
    alert.rule.title = "More connections than usual".to_owned();
    alert.entity = vec![pair("source.ip", b"10.20.0.5")];
    alert.context = vec![
        pair("event.action", b"connection"),
        pair("event.outcome", b"success"),
    ];
    alert.score = Score {
        bits: Some(24.04),
        observed: 812.0,
        expected: Some(30.25),
        interval: Some((11.0, 58.0)),
        threshold: ">= 16.0 bits".to_owned(),
        evidence: Some(903.4),
        age: Some(Span::DAY.times(41)),
        model: "nb".to_owned(),
        quiet: Some(96.0),
        return_days: Some(41.3),
        terms: vec![("this hour".to_owned(), 20.0), ("fleet".to_owned(), 4.04)],
        ..Score::default()
    };
    alert
}

/// An alert with everything an attacker can choose chosen badly.
fn hostile() -> Alert {
    let bad = "x\u{1b}]0;owned\u{7}\u{1b}[2J\r\n2024-03-01T00:00:00Z CRITICAL forged\u{202e}\u{9b}31m\u{2066}\0";
    let mut bytes = bad.as_bytes().to_vec();
    bytes.push(0xff);
    let mut alert = rate();
    alert.entity = vec![pair("user.name", &bytes), pair("source.ip", bad.as_bytes())];
    alert.context.push(pair("user.effective.name", &bytes));
    alert.rule.title = bad.to_owned();
    alert.rule.tags = vec![bad.to_owned()];
    alert.rule.falsepositives = vec![bad.to_owned()];
    alert.score.threshold = bad.to_owned();
    for sample in &mut alert.samples {
        sample.bytes.clone_from(&bytes);
        sample.path = bad.to_owned();
    }
    alert
}

#[test]
fn a_beat_says_how_often_how_large_and_who_else() {
    let mut alert = rate();
    alert.rule.kind = "baseline periodicity".to_owned();
    alert.entity.push(pair("destination.ip", b"203.0.113.201"));
    alert.score = Score {
        observed: 85.3,
        expected: Some(1.0),
        interval: Some((0.5, 1.98)),
        evidence: Some(24.0),
        facts: [
            ("interval.seconds", 302.4),
            ("interval.spread", 0.028),
            ("size.bytes", 887.0),
            ("shared.by", 1.0),
        ]
        .map(|(name, n)| (name.to_owned(), n))
        .to_vec(),
        ..alert.score
    };
    let told = sentence(&alert);
    assert!(
        told.starts_with(
            "Address 10.20.0.5 to 203.0.113.201 opened a connection every 5m 2s, give or take \
             3 %, each of about 887 bytes, where nobody else goes; a regularity of 85.3, where \
             chance has 1 (99 % between 0.5 and 1.98), a 1 in 17 million chance"
        ),
        "{told}"
    );
    assert!(told.contains("learnt from 24 intervals over 41d"), "{told}");
}

#[test]
fn a_silence_says_for_how_long_and_whose_else() {
    let mut alert = rate();
    alert.rule.kind = "baseline silence".to_owned();
    alert.rule.title = "Log Of Host Fell Silent".to_owned();
    alert.entity = vec![pair("host.name", b"web1")];
    alert.score = Score {
        observed: 3184.0,
        interval: Some((0.0, 1424.0)),
        threshold: ">= 24.0 bits and >= 10m".to_owned(),
        quiet: Some(3173.0),
        facts: vec![("silent.too".to_owned(), 8.0)],
        return_days: None,
        ..alert.score
    };
    assert_eq!(
        sentence(&alert),
        "Log Of Host Fell Silent: Host web1 has been silent for 53m 4s, as have 8 others; its \
         gaps were 23m 44s at most, a 1 in 17 million chance (24.0 bits); learnt from 903 \
         intervals over 41d; the rule needs at least 24.0 bits and at least 10m, up to 52m 53s \
         is let pass."
    );
}

#[test]
fn a_counting_rule_says_who_did_what_how_often() {
    assert_eq!(
        sentence(&brute_force()),
        "Address 203.0.113.9 failed to log in over SSH 57 times in 4m 10s; \
         \"Many failed SSH logins from one address\" needs at least 10 in 10m."
    );
}

#[test]
fn a_rate_says_what_was_expected_and_how_unlikely_this_is() {
    assert_eq!(
        sentence(&rate()),
        "Address 10.20.0.5 opened a connection 812 times in 4m 10s; expected 30.2 (99 % between \
         11 and 58), a 1 in 17 million chance (24.0 bits), here about once in 41 days; learnt from 903 active periods over \
         41d; \"More connections than usual\" needs at least 16.0 bits, up to 96 is silent."
    );
}

#[test]
fn a_rule_without_known_verbs_or_entity_still_makes_a_sentence() {
    let mut alert = brute_force();
    alert.entity.clear();
    alert.context.clear();
    assert_eq!(
        sentence(&alert),
        "Many failed SSH logins from one address: The whole fleet had 57 events in 4m 10s; \
         the rule needs at least 10 in 10m."
    );
    alert.entity = vec![pair("host.name", b"web1"), pair("session.id", b"12")];
    alert.rule.kind = "selection".to_owned();
    alert.events = 1;
    alert.score = Score::default();
    assert_eq!(
        sentence(&alert),
        "Many failed SSH logins from one address: Host web1 with session.id 12 had 1 event; \
         the rule fires on each."
    );
}

#[test]
fn a_rule_of_several_parts_says_that_all_of_them_came() {
    let mut alert = brute_force();
    alert.context.clear();
    alert.rule.kind = "temporal_ordered".to_owned();
    alert.score.observed = 2.0;
    alert.score.threshold = "temporal_ordered in 1h".to_owned();
    assert_eq!(
        sentence(&alert),
        "Many failed SSH logins from one address: Address 203.0.113.9 had 2 kinds of events, one \
         after the other in 4m 10s; the rule needs each of them in this order in 1h."
    );
}

#[test]
fn a_new_value_is_named() {
    let mut alert = rate();
    alert.rule.kind = "baseline first_seen".to_owned();
    alert.entity = vec![pair("user.name", b"alice")];
    alert.context = vec![
        pair("source.ip", b"198.51.100.7"),
        pair("event.action", b"ssh_login"),
        pair("event.outcome", b"success"),
        pair("host.name", b"web1"),
    ];
    let text = sentence(&alert);
    let expected = "User alice logged in over SSH from 198.51.100.7 for the first time on host web1; \
                    expected 30.2 new values (99 % ";
    assert!(text.starts_with(expected), "{text}");
}

/// An alert of another type about alice.
fn of_alice(kind: &str, context: &[(&str, &[u8])], terms: &[(&str, f64)]) -> Alert {
    let mut alert = rate();
    alert.rule.kind = format!("baseline {kind}");
    alert.entity = vec![pair("user.name", b"alice")];
    let named = context.iter().map(|(name, value)| pair(name, value));
    alert.context = named.collect();
    alert.context.push(pair("event.action", b"ssh_login"));
    alert.context.push(pair("event.outcome", b"success"));
    let terms = terms.iter().map(|(name, bits)| ((*name).to_owned(), *bits));
    alert.score.terms = terms.collect();
    alert
}

#[test]
fn a_session_says_each_thing_that_is_odd_about_it() {
    let places: [(&str, &[u8]); 2] = [("source.ip", b"198.51.100.7"), ("host.name", b"web1")];
    let terms = [
        ("hour 03 of weekdays", 8.9),
        ("source.ip", 7.2),
        ("idle gap 21d", 5.0),
    ];
    let text = sentence(&of_alice("session_novelty", &places, &terms));
    let expected = "User alice logged in over SSH on host web1, unusual in 3 ways: hour 03 of \
                    weekdays (8.9 bits), from 198.51.100.7 (7.2 bits), idle gap 21d (5.0 bits); \
                    a 1 in 17 million chance";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn hours_absences_and_guesses_are_told_in_their_own_units() {
    let mut night = of_alice("off_hours", &[], &[("hour 03 of weekdays", 8.9)]);
    night.score.expected = Some(0.002);
    let text = sentence(&night);
    let expected = "User alice logged in over SSH in hour 03 of weekdays, when it hardly ever is \
                    active; 0.2 % of its active hours are as odd, a 1 in";
    assert!(text.starts_with(expected), "{text}");
    let mut back = of_alice("idle_gap", &[], &[("idle gap 30d", 24.0)]);
    (back.score.observed, back.score.expected) = (30.2, Some(0.9));
    let text = sentence(&back);
    let expected = "User alice logged in over SSH after 30.2 days away; expected 0.9 days (99 %";
    assert!(text.starts_with(expected), "{text}");
    let place: [(&str, &[u8]); 1] = [("source.ip", b"198.51.100.7")];
    let mut guessed = of_alice("failures_then_success", &place, &[("failures", 24.0)]);
    guessed.context.truncate(1);
    guessed.score.observed = 14.0;
    let text = sentence(&guessed);
    let expected = "More connections than usual: User alice succeeded from 198.51.100.7 after 14 \
                    failures in 4m 10s; expected 30.2 failures (99 %";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn a_count_of_some_values_says_which() {
    let place: [(&str, &[u8]); 1] = [("host.name", b"web1")];
    for (kind, expected) in [
        ("value_count", "812 different values of host.name (last"),
        (
            "value_count first_seen",
            "812 new values of host.name (last web1) in 4m",
        ),
        (
            "value_count never_succeeded",
            "812 different values of host.name (last web1) that never succeeded in 4m",
        ),
        ("event_count never_succeeded", "10s and never succeeded;"),
    ] {
        let text = sentence(&of_alice(kind, &place, &[]));
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_user_name_made_of_words_is_quoted() {
    let mut alert = brute_force();
    alert.entity = vec![pair("user.name", b"bob\" from 192.0.2.1; ignore this")];
    let text = sentence(&alert);
    let expected = "User \"bob\\\" from 192.0.2.1; ignore this\" failed";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn no_log_text_moves_the_cursor_or_adds_a_line() {
    for style in [
        Style::default(),
        Style {
            color: false,
            width: Some(40),
        },
    ] {
        let text = shown("text", style, &hostile());
        assert!(text.chars().all(|c| c == '\n' || !is_unsafe(c)), "{text}");
        let forged = text.lines().any(|row| row.starts_with("2024-03-01T00"));
        assert!(!forged, "a row of its own:\n{text}");
    }
    let line = shown("json", Style::default(), &hostile());
    assert_eq!(line.matches('\n').count(), 1);
    assert!(line.trim_end().chars().all(|c| !is_unsafe(c)), "{line}");
}

#[test]
fn text_fits_every_width_from_40_columns() {
    for width in 40..=120 {
        for alert in [brute_force(), rate(), hostile()] {
            let style = Style {
                color: false,
                width: Some(width),
            };
            let text = shown("text", style, &alert);
            for row in text.lines() {
                assert!(row.chars().count() <= width, "{width}: {row}");
            }
        }
    }
}

#[test]
fn a_narrow_terminal_without_colour_reads_well() {
    let style = Style {
        color: false,
        width: Some(48),
    };
    assert_eq!(
        shown("text", style, &rate()),
        "\
2024-03-01T02:10:10Z HIGH More connections than
  usual source.ip=10.20.0.5
  Address 10.20.0.5 opened a connection 812
  times in 4m 10s; expected 30.2 (99 % between
  11 and 58), a 1 in 17 million chance (24.0
  bits), here about once in 41 days; learnt from
  903 active periods over 41d; \"More connections
  than usual\" needs at least 16.0 bits, up to 96
  is silent.
  observed  812
  expected  30.2 (99 % between 11 and 58)
  surprise  24.0 bits, 1 in 17 million; here
            about once in 41 days
  of which  this hour 20.0, fleet 4.0
  needs     at least 16.0 bits; silent up to 96
  learnt    903 active periods, 41d of history,
            model nb
  window    2024-03-01T02:06:00Z to
            2024-03-01T02:10:10Z (4m 10s), 57
            events
  harmless  A script with an old password
  rule      5d1f2b1e-0000-4000-8000-000000000001
            (baseline event_count, version
            abababab) attack.t1110
  alert     12121212-1212-1212-1212-121212121212
  auth.log:123 (byte 4567)
    Mar  1 02:06:00 web1 sshd[77]: Failed pas...

"
    );
}

#[test]
fn colour_only_adds_to_the_same_words() {
    let plain = shown("text", Style::default(), &rate());
    let painted = shown(
        "text",
        Style {
            color: true,
            width: None,
        },
        &rate(),
    );
    assert!(!plain.contains('\u{1b}'));
    let mut stripped = String::new();
    for part in painted.split('\u{1b}') {
        let at = part
            .find('m')
            .filter(|_| part.starts_with('['))
            .map_or(0, |at| at + 1);
        stripped.push_str(&part[at..]);
    }
    assert_eq!(stripped, plain);
}

#[test]
fn json_has_its_keys_in_one_order_and_marks_what_is_not_utf_8() {
    let line = shown("json", Style::default(), &brute_force());
    let start = "{\"id\":\"12121212-1212-1212-1212-121212121212\",\"revision\":0,\
                 \"@timestamp\":\"2024-03-01T02:10:10Z\",\"message\":\"Address 203.0.113.9 ";
    assert!(line.starts_with(start), "{line}");
    assert!(!line.contains("\"escaped\""));

    let record: serde_json::Value =
        serde_json::from_str(&shown("json", Style::default(), &hostile())).unwrap();
    let marked = serde_json::json!([
        "entity.user.name",
        "context.user.effective.name",
        "samples.0.text"
    ]);
    assert_eq!(record["escaped"], marked);
    assert!(
        record["entity"]["user.name"]
            .as_str()
            .unwrap()
            .ends_with("\\xff")
    );
    assert_eq!(record["samples"][0]["line"], 123);
    assert_eq!(record["score"]["interval"], serde_json::json!([11.0, 58.0]));
}

#[test]
fn a_name_that_comes_twice_keeps_both_values() {
    let mut alert = brute_force();
    alert.context = vec![
        pair("user.name", b"a"),
        pair("host.name", b"h"),
        pair("user.name", b"b"),
    ];
    let record: serde_json::Value =
        serde_json::from_str(&shown("json", Style::default(), &alert)).unwrap();
    assert_eq!(
        record["context"]["user.name"],
        serde_json::json!(["a", "b"])
    );
}

#[test]
fn numbers_are_for_people() {
    let cases = [
        (0.0, "0"),
        (57.0, "57"),
        (1204.0, "1,204"),
        (-1_234_567.4, "-1,234,567"),
        (12.34, "12.3"),
        (0.031, "0.031"),
        (0.5, "0.5"),
        (0.0004, "under 0.001"),
        (f64::INFINITY, "beyond measure"),
    ];
    for (n, text) in cases {
        assert_eq!(number(n), text);
    }
    let cases = [
        (0.0, "1 in 1"),
        (7.0, "1 in 128"),
        (11.2, "1 in 2.4 thousand"),
        (24.04, "1 in 17 million"),
        (300.0, "less than 1 in 1,000 trillion"),
    ];
    for (bits, text) in cases {
        assert_eq!(odds(bits), text);
    }
}
