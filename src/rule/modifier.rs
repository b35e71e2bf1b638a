//! Modifiers: their names, and which may follow which.
//!
//! They are applied from left to right, and each changes what kind of value
//! the next one gets; a table of kinds says what combines.

use super::catalogue as codes;
use super::keys::suggest;
use super::model::Modifier;
use super::report::Report;
use super::yaml::Place;

/// Every name, synonyms included.
const NAMES: &[(&str, Modifier)] = &[
    ("contains", Modifier::Contains),
    ("startswith", Modifier::StartsWith),
    ("endswith", Modifier::EndsWith),
    ("all", Modifier::All),
    ("cased", Modifier::Cased),
    ("re", Modifier::Re),
    ("i", Modifier::IgnoreCase),
    ("ignorecase", Modifier::IgnoreCase),
    ("m", Modifier::MultiLine),
    ("multiline", Modifier::MultiLine),
    ("s", Modifier::DotAll),
    ("dotall", Modifier::DotAll),
    ("cidr", Modifier::Cidr),
    ("exists", Modifier::Exists),
    ("neq", Modifier::Neq),
    ("lt", Modifier::Lt),
    ("lte", Modifier::Lte),
    ("gt", Modifier::Gt),
    ("gte", Modifier::Gte),
    ("fieldref", Modifier::FieldRef),
    ("base64", Modifier::Base64),
    ("base64offset", Modifier::Base64Offset),
    ("utf16le", Modifier::Utf16Le),
    ("wide", Modifier::Utf16Le),
    ("utf16be", Modifier::Utf16Be),
    ("utf16", Modifier::Utf16),
    ("windash", Modifier::WinDash),
    ("expand", Modifier::Expand),
    ("minute", Modifier::Minute),
    ("hour", Modifier::Hour),
    ("day", Modifier::Day),
    ("week", Modifier::Week),
    ("month", Modifier::Month),
    ("year", Modifier::Year),
];

/// What the values are after the modifiers so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// As written.
    Plain,
    /// Text with wildcards or dashes added.
    Altered,
    /// UTF-16, which only base64 can use.
    Wide,
    /// Base64.
    Encoded,
    /// A regular expression.
    Regex,
    /// A number to compare with.
    Number,
    /// A network.
    Network,
    /// Whether the field is there.
    Presence,
    /// A part of a time.
    Part,
    /// Another field's name.
    Reference,
}

/// The modifiers of a key (its text after the first `|`) and what their
/// values must be. `None` when something is wrong with them.
pub(super) fn modifiers(
    key: &str,
    at: Place,
    report: &mut Report<'_>,
) -> Option<(Vec<Modifier>, Stage)> {
    let mut found = Vec::new();
    let mut stage = Stage::Plain;
    let mut from = 0;
    let mut sound = true;
    for (nth, name) in key.split('|').enumerate() {
        let to = from + name.len();
        let place = report.within(at, key, from, to);
        let previous = key.get(..from.saturating_sub(1)).unwrap_or("");
        from = to + 1;
        if nth == 0 {
            continue;
        }
        let Some(&(_, modifier)) = NAMES.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            let message = format!("unknown modifier `{name}`");
            report.error(
                codes::UNKNOWN_MODIFIER,
                place,
                message,
                suggest(name, &known),
            );
            sound = false;
            continue;
        };
        match after(stage, modifier, &found) {
            Ok(next) => stage = next,
            Err(remedy) => {
                let message = format!("`{name}` cannot follow `{previous}`");
                report.error(codes::MODIFIER_ORDER, place, message, remedy);
                sound = false;
            }
        }
        found.push(modifier);
    }
    sound.then_some((found, stage))
}

/// What a modifier makes of a stage, or what to do instead.
fn after(stage: Stage, modifier: Modifier, before: &[Modifier]) -> Result<Stage, &'static str> {
    use Modifier as M;
    use Stage as S;
    match modifier {
        M::All | M::Neq if stage != S::Presence => Ok(stage),
        M::Contains | M::StartsWith | M::EndsWith => match stage {
            S::Plain | S::Altered => Ok(S::Altered),
            S::Encoded | S::Regex | S::Reference => Ok(stage),
            S::Wide => Err("encode first: `wide|base64offset|contains`"),
            _ => Err("use it on text, not on numbers, networks or times"),
        },
        M::Cased => match stage {
            S::Plain | S::Altered | S::Encoded | S::Regex | S::Reference => Ok(stage),
            _ => Err("use it on text, not on numbers, networks or times"),
        },
        M::WinDash | M::Expand => match stage {
            S::Plain | S::Altered => Ok(stage),
            _ => Err("put it before what changes the value"),
        },
        M::Utf16 | M::Utf16Be | M::Utf16Le => match stage {
            S::Plain => Ok(S::Wide),
            _ => Err("put it first: `wide|base64offset|contains`"),
        },
        M::Base64 | M::Base64Offset => match stage {
            S::Plain | S::Wide => Ok(S::Encoded),
            _ => Err("encode before searching: `base64offset|contains`"),
        },
        M::IgnoreCase | M::MultiLine | M::DotAll => match stage {
            S::Regex => Ok(stage),
            _ => Err("put it after `re`"),
        },
        M::Lt | M::Lte | M::Gt | M::Gte => match stage {
            S::Plain => Ok(S::Number),
            S::Part if !before.iter().any(|m| is_comparison(*m)) => Ok(stage),
            _ => Err("compare the plain value, and once; a range is two keys of one map"),
        },
        M::Exists if !before.is_empty() => Err("`exists` stands alone"),
        _ if stage != S::Plain => Err("put it directly after the field's name"),
        M::Re => Ok(S::Regex),
        M::Cidr => Ok(S::Network),
        M::Exists => Ok(S::Presence),
        M::FieldRef => Ok(S::Reference),
        M::Minute | M::Hour | M::Day | M::Week | M::Month | M::Year => Ok(S::Part),
        M::All | M::Neq => Err("`exists` stands alone; use `exists: false`"),
    }
}

fn is_comparison(modifier: Modifier) -> bool {
    use Modifier as M;
    matches!(modifier, M::Lt | M::Lte | M::Gt | M::Gte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str) -> Result<Stage, &'static str> {
        let mut report = Report::new("x.yml", key);
        let at = Place {
            line: 1,
            column: 1,
            start: 0,
            end: key.len(),
        };
        match modifiers(key, at, &mut report) {
            Some((_, stage)) => Ok(stage),
            None => Err(report.found[0].code),
        }
    }

    #[test]
    fn the_combinations_of_the_corpus_are_legal() {
        for key in [
            "A",
            "A|contains|all",
            "A|contains|all|windash",
            "A|windash|contains|all",
            "A|re|i|m|s",
            "A|wide|base64offset|contains",
            "A|utf16|base64",
            "A|base64offset|contains",
            "A|cidr|neq",
            "A|fieldref|endswith|neq",
            "A|hour|gte",
            "A|contains|expand",
            "A|expand|re",
            "|all",
            "|contains|all",
            "A|cased|startswith",
            "A|re|all",
            "A|re|contains",
        ] {
            assert!(read(key).is_ok(), "{key}");
        }
    }

    #[test]
    fn what_cannot_be_applied_in_that_order_is_refused() {
        for key in [
            "A|contains|base64",
            "A|i",
            "A|exists|neq",
            "A|contains|exists",
            "A|lt|gt",
            "A|cidr|contains",
            "A|contains|re",
            "A|wide|contains",
            "A|gte|contains",
            "A|base64|base64",
            "A|hour|lt|gt",
        ] {
            assert_eq!(read(key), Err(codes::MODIFIER_ORDER), "{key}");
        }
        assert_eq!(read("A|contians"), Err(codes::UNKNOWN_MODIFIER));
        assert_eq!(read("A|Contains"), Err(codes::UNKNOWN_MODIFIER));
        assert_eq!(read("A|"), Err(codes::UNKNOWN_MODIFIER));
    }
}
