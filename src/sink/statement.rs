//! What happened, by the baselines that look at when and in which order
//! things come rather than at how many.

use super::sentence::{VALUE_MAX, addition, additions, context, number, quantity, value, within};
use crate::alert::{Alert, bytes};
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

#[cfg(test)]
mod tests {
    use super::super::{sentence, tests::rate};

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
