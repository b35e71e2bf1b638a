//! What happened, by the baselines that look at when and in which order
//! things come rather than at how many.

use super::sentence::{VALUE_MAX, addition, additions, context, number, quantity, value, within};
use crate::alert::{Alert, Score, bytes};
use crate::escape::shortened;
use crate::time::Span;

/// `logged in over SSH on host web1, unusual in 3 ways: from 198.51.100.7 (7.2
/// bits), hour 03 of weekdays (8.9 bits), idle gap 21d (5.0 bits)`.
pub(super) fn session(alert: &Alert, deed: Option<&str>) -> String {
    let terms = &alert.score.terms;
    let odd = |name: &String| terms.iter().any(|(term, _)| term == name);
    let more = additions(context(alert).filter(|(name, _)| !odd(name)));
    let told = terms.iter().map(|(name, bits)| {
        let value = alert.context.iter().find(|(field, _)| field == name);
        let what = match value {
            Some((name, value)) => addition(name, value),
            None => shortened(name.as_bytes(), VALUE_MAX),
        };
        format!("{what} ({bits:.1} bits)")
    });
    let ways = match terms.len() {
        1 => "one way".to_owned(),
        n => format!("{n} ways"),
    };
    let told = told.collect::<Vec<_>>().join(", ");
    let deed = deed.unwrap_or("had an event");
    format!("{deed}{more}, unusual in {ways}: {told}")
}

/// `logged in over SSH in hour 03 of weekdays, when it hardly ever is active`.
pub(super) fn off_hours(alert: &Alert, deed: Option<&str>) -> String {
    let hour = alert.score.terms.first();
    let hour = hour.map_or_else(
        || "an hour".to_owned(),
        |(name, _)| shortened(name.as_bytes(), VALUE_MAX),
    );
    let deed = deed.unwrap_or("had an event");
    let more = additions(context(alert));
    format!("{deed}{more} in {hour}, when it hardly ever is active")
}

/// `logged in over SSH after 30.2 days away`.
pub(super) fn idle(alert: &Alert, deed: Option<&str>) -> String {
    let days = format!("{:.1}", alert.score.observed);
    let deed = deed.unwrap_or("had an event");
    format!("{deed}{} after {days} days away", additions(context(alert)))
}

/// `succeeded from 198.51.100.7 after 14 failures in 16m`.
pub(super) fn guessed(alert: &Alert) -> String {
    let failures = number(alert.score.observed);
    let more = additions(context(alert));
    format!("succeeded{more} after {failures} failures{}", within(alert))
}

/// A number of seconds.
pub(super) fn span(seconds: f64) -> Span {
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
    let span = Span::from_secs(seconds.round() as i64);
    span
}

/// `has been silent for 45m, as have 8 others`.
pub(super) fn silent(alert: &Alert) -> String {
    let text = format!("has been silent for {}", span(alert.score.observed));
    match alert.score.fact("silent.too") {
        Some(others) if others >= 2.0 => format!("{text}, as have {} others", number(others)),
        Some(1.0) => format!("{text}, as has another"),
        _ => format!("{text}, while others went on"),
    }
}

/// `logged in over SSH from AS 64501 so soon after another place
/// that it takes 9,300 km/h to get there`.
pub(super) fn travel(alert: &Alert, deed: Option<&str>) -> String {
    let deed = deed.unwrap_or("had an event");
    let more = additions(context(alert));
    let speed = number(alert.score.observed.round());
    format!("{deed}{more} so soon after another place that it takes {speed} km/h to get there")
}

/// `opened a connection every 5m, give or take 3 %, each of about 633 bytes,
/// where no other of the fleet goes`.
pub(super) fn beat(alert: &Alert, deed: Option<&str>) -> String {
    let fact = |name: &str| alert.score.fact(name);
    let mut text = deed.unwrap_or("had an event").to_owned();
    if let Some(seconds) = fact("interval.seconds") {
        text = format!("{text} every {}", span(seconds));
    }
    if let Some(part) = fact("interval.spread") {
        text = format!("{text}, give or take {} %", number((part * 100.0).ceil()));
    }
    if let Some(size) = fact("size.bytes") {
        text = format!("{text}, each of about {}", bytes(size));
    }
    match fact("shared.by") {
        Some(others) if others >= 2.0 => {
            format!("{text}, where {} others go", number(others - 1.0))
        }
        Some(_) => format!("{text}, where nobody else goes"),
        None => text,
    }
}

/// What a sum of a field is, as the deed of whoever it is about.
const SUMS: &[(&str, &str)] = &[("source.bytes", "sent"), ("destination.bytes", "received")];

/// `sent 64.2 MB in 2h (last to 203.0.113.214)`.
pub(super) fn sum(alert: &Alert) -> String {
    let n = quantity(alert.score.observed, &alert.score);
    let field = alert.score.field.as_str();
    let what = match SUMS.iter().find(|(name, _)| *name == field) {
        Some((_, verb)) => format!("{verb} {n}"),
        None => format!("had {n} of {}", value(field.as_bytes())),
    };
    let more = additions(context(alert).take(1));
    let last = if more.is_empty() {
        String::new()
    } else {
        format!(" (last{more})")
    };
    format!("{what}{}{last}", within(alert))
}

/// `lately sent 812 MB in a typical period`.
pub(super) fn level(alert: &Alert) -> String {
    let n = quantity(alert.score.observed, &alert.score);
    let field = alert.score.field.as_str();
    let what = match SUMS.iter().find(|(name, _)| *name == field) {
        Some((_, verb)) => format!("{verb} {n}"),
        None if field.is_empty() => format!("had {n} events"),
        None => format!("had {n} of {}", value(field.as_bytes())),
    };
    format!("lately {what} in a typical period")
}

/// `met about 640,000 entities in a day that it did not know; ...`: a rule.
pub(super) fn crowd(alert: &Alert) -> String {
    let n = number(alert.score.observed);
    if alert.score.model == "table" {
        return format!(
            "keeps about {n} entities and has hardly room for more; of those it knows little the least makes room"
        );
    }
    format!(
        "met about {n} entities that it did not know in a day; who comes once is forgotten, and nobody who is established makes room"
    )
}

/// `had only 13 events in 1h, where 140 are expected`.
pub(super) fn dropped(alert: &Alert, deed: Option<&str>) -> String {
    let score = &alert.score;
    let (n, more) = (number(score.observed), additions(context(alert)));
    let had = match (deed, n.as_str()) {
        (Some(deed), "0") => format!("never {deed}{more}"),
        (Some(deed), _) => format!("{deed}{more} only {n} times"),
        (None, "0") => format!("had no event at all{more}"),
        (None, "1") => format!("had only 1 event{more}"),
        (None, _) => format!("had only {n} events{more}"),
    };
    let within = score
        .fact("bucket.seconds")
        .map_or_else(|| within(alert), |seconds| format!(" in {}", span(seconds)));
    let expected = number(score.expected.unwrap_or_default().round());
    format!("{had}{within}, where {expected} are expected")
}

/// What one value of a field is, in words.
const VALUES: &[(&str, &str)] = &[
    ("zeek.duration", "that lasted"),
    ("source.bytes", "that sent"),
    ("destination.bytes", "that received"),
];

/// `opened a connection that lasted 10h`.
pub(super) fn single(alert: &Alert, deed: Option<&str>) -> String {
    let n = quantity(alert.score.observed, &alert.score);
    let field = alert.score.field.as_str();
    let deed = deed.unwrap_or("had an event");
    let text = alert.context.iter().any(|(name, _)| name == field);
    let what = match VALUES.iter().find(|(name, _)| *name == field) {
        Some((_, words)) => format!("{words} {n}"),
        // Of a text it is the length.
        None if text => format!("with {n} characters in"),
        None => format!("with {n} of {}", value(field.as_bytes())),
    };
    let more = additions(context(alert));
    let more = more.strip_prefix(" with").filter(|_| text).unwrap_or(&more);
    format!("{deed} {what}{more}")
}

/// `ran a command with sudo as postgres, which it hardly ever does`.
pub(super) fn rare(alert: &Alert, deed: Option<&str>) -> String {
    let more = additions(context(alert));
    match deed {
        Some(deed) => format!("{deed}{more}, which it hardly ever does"),
        None => format!("had an event{more}, which it hardly ever has"),
    }
}

/// How the entity's own habit is told where it is not a number that is expected.
pub(super) fn of_its_own(kind: &str, score: &Score) -> Option<String> {
    let (low, high) = score.interval?;
    let (low, high) = (quantity(low, score), quantity(high, score));
    let usual = score.expected?;
    match kind {
        "event_drop" => Some(format!("99 % of such periods have {low} to {high}")),
        "value_quantile" => {
            let usual = quantity(usual, score);
            Some(format!(
                "half of its own are up to {usual}, and 99 % within {low} and {high}"
            ))
        }
        "rare" => Some(format!(
            "{} % of its active periods have anything as rare",
            number(usual * 100.0)
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{sentence, tests::rate};
    use crate::alert::Alert;

    fn of_host(kind: &str) -> Alert {
        let mut alert = rate();
        alert.rule.kind = format!("baseline {kind}");
        alert.rule.title = "Log Of Host Far Below Habit".to_owned();
        alert.entity = vec![("host.name".to_owned(), b"web1".to_vec())];
        alert
    }

    #[test]
    fn a_drop_says_how_few_came_where_how_many_are_expected() {
        let mut alert = of_host("event_drop");
        alert.score.observed = 13.0;
        alert.score.expected = Some(139.7);
        alert.score.interval = Some((96.0, 190.0));
        alert.score.quiet = Some(58.0);
        alert.score.facts = vec![("bucket.seconds".to_owned(), 3600.0)];
        assert_eq!(
            sentence(&alert),
            "Log Of Host Far Below Habit: Host web1 had only 13 events in 1h, where 140 are \
             expected; 99 % of such periods have 96 to 190, a 1 in 17 million chance (24.0 \
             bits), here about once in 41 days; learnt from 903 active periods over 41d; the \
             rule needs at least 16.0 bits, 58 or more is silent."
        );
        alert.score.observed = 0.0;
        let said = sentence(&alert);
        assert!(
            said.contains("Host web1 had no event at all in 1h, where"),
            "{said}"
        );
    }

    #[test]
    fn a_value_beyond_the_quantile_is_told_in_its_unit_beside_what_is_usual() {
        let mut alert = rate();
        alert.rule.kind = "baseline value_quantile".to_owned();
        alert.score.field = "zeek.duration".to_owned();
        alert.score.observed = 36_000.0;
        alert.score.expected = Some(208.0);
        alert.score.interval = Some((0.4, 1590.0));
        alert.score.quiet = Some(7200.0);
        let said = sentence(&alert);
        assert!(
            said.starts_with(
                "Address 10.20.0.5 opened a connection that lasted 10h; half of its own are up \
                 to 3m 28s, and 99 % within 0.4 and 26m 30s, a 1 in 17 million chance"
            ),
            "{said}"
        );
        assert!(said.contains("up to 2h is silent"), "{said}");
        alert.score.field = "source.bytes".to_owned();
        alert.score.observed = 64_213_000.0;
        let said = sentence(&alert);
        assert!(
            said.contains("opened a connection that sent 64.2 MB; half"),
            "{said}"
        );
        alert.score.field = "dns.question.name".to_owned();
        alert.score.observed = 14.0;
        alert.context = vec![("dns.question.name".to_owned(), b"a1b2c3.example".to_vec())];
        let said = sentence(&alert);
        let expected = "had an event with 14 characters in dns.question.name a1b2c3.example; half";
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn what_is_rare_is_told_as_what_hardly_ever_is_done() {
        let mut alert = rate();
        alert.rule.kind = "baseline rare".to_owned();
        alert.entity = vec![("user.name".to_owned(), b"alice".to_vec())];
        let pair = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        alert.context = vec![
            pair("user.effective.name", "postgres"),
            pair("event.action", "sudo"),
            pair("event.outcome", "success"),
        ];
        alert.score.expected = Some(0.012);
        let said = sentence(&alert);
        assert!(
            said.starts_with(
                "User alice ran a command with sudo as postgres, which it hardly ever does; 1.2 \
                 % of its active periods have anything as rare, a 1 in 17 million chance"
            ),
            "{said}"
        );
    }

    #[test]
    fn sums_of_bytes_are_told_in_the_units_that_people_use() {
        let mut alert = rate();
        alert.rule.kind = "baseline value_sum".to_owned();
        alert
            .context
            .push(("destination.ip".to_owned(), b"203.0.113.214".to_vec()));
        alert.score.field = "source.bytes".to_owned();
        alert.score.observed = 64_213_000.0;
        alert.score.expected = Some(16_400.0);
        alert.score.interval = Some((812.0, 999_960.0));
        alert.score.quiet = Some(2_499_999_999.0);
        let said = sentence(&alert);
        assert!(said.contains("Address 10.20.0.5 sent 64.2 MB"), "{said}");
        assert!(said.contains("(last to 203.0.113.214)"), "{said}");
        let expected = "expected 16.4 kB where there is any (99 % between 812 bytes and 1 MB)";
        assert!(said.contains(expected), "{said}");
        assert!(said.contains("up to 2.5 GB is silent"), "{said}");
        alert.rule.kind = "baseline drift".to_owned();
        let said = sentence(&alert);
        assert!(
            said.contains("lately sent 64.2 MB in a typical period"),
            "{said}"
        );
        assert!(
            said.contains("expected 16.4 kB by its slow anchor"),
            "{said}"
        );
    }
}
