//! The sentence: what happened, in one line for somebody woken at 3 a.m.
//!
//! It is made of the alert's own numbers and works for any rule: who, did
//! what, how often, against what was expected, how unlikely that is, and what
//! it took. Values from logs are escaped, and quoted where they could be
//! mistaken for words of ours.

use super::statement::{
    beat, crowd, dropped, guessed, idle, level, of_its_own, off_hours, rare, session, silent,
    single, span, sum, travel,
};
use crate::alert::{Alert, Score, bytes, is_bytes, is_seconds};
use crate::escape::{Escaped, shortened};

/// Longest value shown in a sentence, in characters; the whole is elsewhere in the alert.
pub(super) const VALUE_MAX: usize = 64;

/// Most context values told in a sentence.
const CONTEXT_MAX: usize = 3;

/// How an entity's field is told: first in the sentence, and further on.
const NOUNS: &[(&str, &str, &str)] = &[
    ("user.name", "User", "with user"),
    ("source.ip", "Address", "from"),
    ("host.name", "Host", "on host"),
    ("destination.ip", "Destination", "to"),
    ("destination.port", "Port", "port"),
    ("user.effective.name", "Account", "as"),
    ("process.name", "Program", "by program"),
    ("process.command_line", "Command", "with command"),
    ("log.format", "Format", "in format"),
    ("source.network", "Network", "from network"),
    ("source.private.ip", "Address", "from"),
    ("destination.network", "Network", "to network"),
    ("source.as.number", "Network", "from AS"),
    ("dns.question.registered_domain", "Domain", "under domain"),
    ("source.geo.country_iso_code", "Country", "from country"),
    ("rule.name", "Rule", "by rule"),
];

/// Fields whose owner does things; of a host or a port it is said what was seen there.
const ACTORS: &[&str] = &["user.name", "source.ip"];

/// `(event.action, event.outcome, what the actor did)`; an empty outcome is any.
const DEEDS: &[(&str, &str, &str)] = &[
    ("ssh_login", "success", "logged in over SSH"),
    ("ssh_login", "failure", "failed to log in over SSH"),
    (
        "ssh_invalid_user",
        "",
        "tried a user name that does not exist",
    ),
    ("ssh_preauth_close", "", "left SSH before authenticating"),
    (
        "ssh_bad_protocol",
        "",
        "spoke something else than SSH to sshd",
    ),
    (
        "ssh_max_attempts",
        "",
        "used up the attempts of an SSH login",
    ),
    (
        "ssh_not_allowed",
        "",
        "was refused an SSH login by configuration",
    ),
    ("ssh_disconnect", "", "disconnected from SSH"),
    ("ssh_connection", "", "made an SSH connection"),
    ("pam_authentication", "failure", "failed to authenticate"),
    ("session_opened", "", "opened a session"),
    ("session_closed", "", "closed a session"),
    ("logind_session_opened", "", "opened a login session"),
    ("logind_session_closed", "", "closed a login session"),
    ("sudo", "success", "ran a command with sudo"),
    ("sudo", "failure", "was refused by sudo"),
    ("su", "success", "changed user with su"),
    ("su", "failure", "failed to change user with su"),
    ("cron_command", "", "ran a command from cron"),
    ("connection", "success", "opened a connection"),
    ("connection", "failure", "failed to open a connection"),
    ("connection", "unknown", "tried a connection"),
];

/// One plain sentence that explains an alert. It begins with who did what where
/// that is known, else with what the rule is called.
pub fn sentence(alert: &Alert) -> String {
    let deed = deed(alert);
    let statement = match kind(alert) {
        "first_seen" => first_seen(alert, deed),
        "session_novelty" => session(alert, deed),
        "off_hours" => off_hours(alert, deed),
        "idle_gap" => idle(alert, deed),
        "failures_then_success" => guessed(alert),
        "value_count" => values(alert, deed),
        "periodicity" => beat(alert, deed),
        "silence" => silent(alert),
        "value_sum" if !alert.score.field.is_empty() => sum(alert),
        "drift" => level(alert),
        "travel" => travel(alert, deed),
        "cardinality" => crowd(alert),
        "event_drop" => dropped(alert, deed),
        "value_quantile" => single(alert, deed),
        "rare" => rare(alert, deed),
        _ => times(alert, deed),
    };
    let subject = subject(alert);
    let mut parts = vec![match deed {
        Some(_) => format!("{subject} {statement}"),
        None => format!(
            "{}: {subject} {statement}",
            Escaped(alert.rule.title.as_bytes())
        ),
    }];
    parts.extend(comparison(alert));
    parts.extend(history(alert));
    let rule = match deed {
        Some(_) => value(alert.rule.title.as_bytes()),
        None => "the rule".to_owned(),
    };
    parts.push(format!("{rule}{}", threshold(alert)));
    format!("{}.", parts.join("; "))
}

/// The rule's kind, whether it counts or learns, and which values it counts.
fn kinds(alert: &Alert) -> (&str, Option<&str>) {
    let kind = alert.rule.kind.as_str();
    let kind = kind.strip_prefix("baseline ").unwrap_or(kind);
    match kind.split_once(' ') {
        Some((kind, only)) => (kind, Some(only)),
        None => (kind, None),
    }
}

fn kind(alert: &Alert) -> &str {
    kinds(alert).0
}

/// `User alice from 198.51.100.7`.
fn subject(alert: &Alert) -> String {
    let Some(((name, first), more)) = alert.entity.split_first() else {
        return "The whole fleet".to_owned();
    };
    let noun = NOUNS.iter().find(|(field, ..)| field == name);
    let noun = noun.map_or_else(|| value(name.as_bytes()), |(_, noun, _)| (*noun).to_owned());
    more.iter()
        .fold(format!("{noun} {}", value(first)), |text, (name, bytes)| {
            format!("{text} {}", addition(name, bytes))
        })
}

/// `from 198.51.100.7`, `with session.id 12`.
pub(super) fn addition(name: &str, bytes: &[u8]) -> String {
    match NOUNS.iter().find(|(field, ..)| *field == name) {
        Some((.., phrase)) => format!("{phrase} {}", value(bytes)),
        None => format!("with {} {}", value(name.as_bytes()), value(bytes)),
    }
}

/// A value from a log or a rule: as it is when it is one plain word, else in quotes.
pub(super) fn value(bytes: &[u8]) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"._-:/@+$%".contains(b);
    let shown = shortened(bytes, VALUE_MAX);
    if bytes.iter().all(plain) && !bytes.is_empty() {
        shown
    } else {
        format!("\"{}\"", shown.replace('"', "\\\""))
    }
}

/// What was done, in words where they are known and the first of the entity can do things.
fn deed(alert: &Alert) -> Option<&'static str> {
    let (actor, _) = alert.entity.first()?;
    if !ACTORS.contains(&actor.as_str()) {
        return None;
    }
    let context = |name: &str| {
        let entry = alert.context.iter().find(|(field, _)| field == name);
        entry.map_or(&[][..], |(_, bytes)| bytes.as_slice())
    };
    let (action, outcome) = (context("event.action"), context("event.outcome"));
    // An action that was learnt comes without its outcome: what was done, was done.
    let matches = |row: &&(&str, &str, &str)| {
        let same = row.1.as_bytes() == outcome || outcome.is_empty() && row.1 == "success";
        row.0.as_bytes() == action && (row.1.is_empty() || same)
    };
    DEEDS.iter().find(matches).map(|&(.., words)| words)
}

/// What else the alert says of the events, without what the deed already tells.
pub(super) fn context(alert: &Alert) -> impl Iterator<Item = &(String, Vec<u8>)> {
    let told = |name: &str| {
        name.starts_with("event.") || alert.entity.iter().any(|(field, _)| field == name)
    };
    alert.context.iter().filter(move |(name, _)| !told(name))
}

/// ` from 198.51.100.7 as root`, leading blank included; empty when there is nothing more to say.
pub(super) fn additions<'a>(context: impl Iterator<Item = &'a (String, Vec<u8>)>) -> String {
    let mut text = String::new();
    for (name, bytes) in context.take(CONTEXT_MAX) {
        text.push(' ');
        text.push_str(&addition(name, bytes));
    }
    text
}

/// ` in 4m 10s`, or nothing when all of it happened in one instant.
pub(super) fn within(alert: &Alert) -> String {
    let span = alert.window.1.since(alert.window.0);
    if span.nanos() > 0 {
        format!(" in {span}")
    } else {
        String::new()
    }
}

/// `failed to log in over SSH from web1 57 times in 4m 10s`.
fn times(alert: &Alert, deed: Option<&str>) -> String {
    let seen = if alert.rule.kind == "selection" {
        count(alert.events.max(1))
    } else {
        number(alert.score.observed)
    };
    let (more, within) = (additions(context(alert)), within(alert));
    match kind(alert) {
        "temporal" => return format!("had {seen} kinds of events{more}{within}"),
        "temporal_ordered" => {
            return format!("had {seen} kinds of events{more}, one after the other{within}");
        }
        _ => {}
    }
    let proof = match kinds(alert).1 {
        Some("never_succeeded") => " and never succeeded",
        _ => "",
    };
    match (deed, seen.as_str()) {
        (Some(deed), "1") => format!("{deed}{more}"),
        (Some(deed), n) => format!("{deed}{more} {n} times{within}{proof}"),
        (None, "1") => format!("had 1 event{more}"),
        (None, n) => format!("had {n} events{more}{within}{proof}"),
    }
}

/// `opened a connection with 84 different values of destination.ip in 1h`.
fn values(alert: &Alert, deed: Option<&str>) -> String {
    let deed = deed.unwrap_or("had events");
    let about = if alert.score.margin.is_some() {
        "about "
    } else {
        ""
    };
    let n = format!("{about}{}", number(alert.score.observed));
    let of = match context(alert).next() {
        Some((name, last)) => format!(" of {} (last {})", value(name.as_bytes()), value(last)),
        None => String::new(),
    };
    let (before, after) = match kinds(alert).1 {
        Some("first_seen") => ("new", ""),
        Some("never_succeeded") => ("different", " that never succeeded"),
        _ => ("different", ""),
    };
    format!(
        "{deed} with {n} {before} values{of}{after}{}",
        within(alert)
    )
}

/// `logged in over SSH from 198.51.100.7, never seen before for it`.
fn first_seen(alert: &Alert, deed: Option<&str>) -> String {
    let mut context = context(alert);
    let Some((name, new)) = context.next() else {
        return match deed {
            Some(deed) => format!("{deed} for the first time"),
            None => "had an event with a value never seen before".to_owned(),
        };
    };
    let deed = deed.unwrap_or("had an event");
    let new = addition(name, new);
    let more = additions(context);
    format!("{deed} {new} for the first time{more}")
}

/// What is expected, in the unit of the kind.
fn unit(alert: &Alert) -> &'static str {
    match kind(alert) {
        "first_seen" => " new values",
        "idle_gap" => " days",
        "failures_then_success" => " failures",
        "value_sum" => " where there is any",
        "drift" => " by its slow anchor",
        "travel" => " km/h",
        _ => "",
    }
}

/// `expected 30 (99 % between 11 and 58), a 1 in 17 million chance (24.0 bits)`.
fn comparison(alert: &Alert) -> Option<String> {
    let score = &alert.score;
    let chance = score.bits.map(|bits| {
        let odds = odds(bits);
        let often = score.return_days.map(|days| format!(", {}", often(days)));
        let often = often.unwrap_or_default();
        format!("a {odds} chance ({bits:.1} bits){often}")
    });
    if kind(alert) == "silence" {
        let longest = score.interval.map_or(0.0, |(_, longest)| longest);
        return Some(format!(
            "its gaps were {} at most, {}",
            span(longest),
            chance.unwrap_or_default()
        ));
    }
    if kind(alert) == "periodicity" {
        let (low, high) = score.interval.unwrap_or_default();
        return Some(format!(
            "a regularity of {}, where chance has 1 (99 % between {} and {}), {}",
            number(score.observed),
            number(low),
            number(high),
            chance.unwrap_or_default()
        ));
    }
    if let Some(own) = of_its_own(kind(alert), score) {
        return Some(format!("{own}, {}", chance.unwrap_or_default()));
    }
    let expected = score.expected.map(|mean| {
        let interval = score.interval.map_or_else(String::new, |(low, high)| {
            format!(
                " (99 % between {} and {})",
                quantity(low, score),
                quantity(high, score)
            )
        });
        if kind(alert) == "off_hours" {
            let percent = number(mean * 100.0);
            return format!("{percent} % of its active hours are as odd");
        }
        // How many things are odd is not how odd they are.
        if kind(alert) == "session_novelty" {
            return String::new();
        }
        let what = unit(alert);
        format!("expected {}{what}{interval}", quantity(mean, score))
    });
    let expected = expected.filter(|text| !text.is_empty());
    match (expected, chance) {
        (Some(expected), Some(chance)) => Some(format!("{expected}, {chance}")),
        (expected, chance) => expected.or(chance),
    }
}

/// `here about once in 41 days`: of all entities under one rule.
pub(super) fn often(days: f64) -> String {
    match days {
        // The tail is fitted to weeks of votes: further out it says nothing.
        365.0.. => "here less than once a year".to_owned(),
        1.5.. => format!("here about once in {days:.0} days"),
        0.7.. => "here about once a day".to_owned(),
        _ => format!("here about {:.0} times a day", 1.0 / days.max(1e-6)),
    }
}

/// `learnt from 900 active periods over 41d`.
fn history(alert: &Alert) -> Option<String> {
    let score = &alert.score;
    let what = match kind(alert) {
        "periodicity" | "silence" => "intervals",
        _ => "active periods",
    };
    let periods = score
        .evidence
        .map(|n| format!(" from {} {what}", number(n)));
    let age = score.age.map(|age| format!(" over {age}"));
    let told = format!("{}{}", periods.unwrap_or_default(), age.unwrap_or_default());
    (!told.is_empty()).then(|| format!("learnt{told}"))
}

/// ` needs at least 16 bits, up to 96 is silent`, leading blank included.
fn threshold(alert: &Alert) -> String {
    let score = &alert.score;
    let fires = match plainly(&score.threshold) {
        text if text.is_empty() || text == "at least 1" => " fires on each".to_owned(),
        text => format!(" needs {text}"),
    };
    match score.quiet.filter(|quiet| *quiet > 0.0) {
        Some(quiet) if kind(alert) == "silence" => {
            format!("{fires}, up to {} is let pass", span(quiet))
        }
        Some(quiet) if kind(alert) == "event_drop" => {
            format!("{fires}, {} or more is silent", number(quiet))
        }
        Some(quiet) => format!("{fires}, up to {} is silent", quantity(quiet, score)),
        None => fires,
    }
}

/// A threshold with its comparisons in words: `>= 10 in 10m` is `at least 10
/// in 10m`. It is rule text: not an attacker's, yet it goes to the same terminal.
pub(super) fn plainly(threshold: &str) -> String {
    const WORDS: &[(&str, &str)] = &[
        (">=", "at least"),
        ("<=", "at most"),
        ("==", "exactly"),
        ("!=", "other than"),
        (">", "more than"),
        ("<", "less than"),
        ("=", "exactly"),
        ("temporal", "each of them"),
        ("temporal_ordered", "each of them in this order"),
    ];
    let word = |part: &str| {
        let found = WORDS.iter().find(|(sign, _)| *sign == part);
        found.map_or_else(|| part.to_owned(), |(_, words)| (*words).to_owned())
    };
    let words: Vec<_> = threshold.split(' ').map(word).collect();
    shortened(words.join(" ").as_bytes(), 2 * VALUE_MAX)
}

/// What the score observed, in the unit of its field.
pub(super) fn quantity(n: f64, score: &Score) -> String {
    if is_bytes(&score.field) {
        bytes(n)
    } else if is_seconds(&score.field) && n >= 1.0 {
        span(n).to_string()
    } else {
        number(n)
    }
}

/// A number for people: `1,204`, `12.5`, `0.03`, `under 0.001`.
pub fn number(n: f64) -> String {
    let size = n.abs();
    if !n.is_finite() {
        return "beyond measure".to_owned();
    }
    if size >= 99.95 || (size - size.round()).abs() < 1e-9 {
        return grouped(&format!("{n:.0}"));
    }
    let text = match size {
        s if s >= 9.995 => format!("{n:.1}"),
        s if s >= 0.1 => format!("{n:.2}"),
        s if s >= 0.001 => format!("{n:.3}"),
        _ => return "under 0.001".to_owned(),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A count for people: `1,204`.
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// Commas between thousands.
fn grouped(digits: &str) -> String {
    let whole = digits.trim_start_matches('-');
    let mut out = String::from(if whole.len() < digits.len() { "-" } else { "" });
    for (at, c) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Bits of surprise as a chance: 24 bits are `1 in 17 million`.
pub fn odds(bits: f64) -> String {
    const NAMES: &[(f64, &str)] = &[
        (1e12, " trillion"),
        (1e9, " billion"),
        (1e6, " million"),
        (1e3, " thousand"),
    ];
    // Beyond 2^50 no model of ours is to be believed to the digit.
    if bits >= 50.0 {
        return "less than 1 in 1,000 trillion".to_owned();
    }
    let one_in = libm::exp2(bits.max(0.0));
    let name = NAMES.iter().find(|(size, _)| one_in >= *size);
    let (size, name) = name.copied().unwrap_or((1.0, ""));
    let count = one_in / size;
    if count < 9.5 && size > 1.0 {
        format!("1 in {count:.1}{name}").replace(".0 ", " ")
    } else {
        format!("1 in {count:.0}{name}")
    }
}
