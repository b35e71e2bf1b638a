//! One value of a search: its type, and whether its modifiers can use it.

use std::collections::BTreeMap;

use super::catalogue as codes;
use super::model::{Literal, Modifier};
use super::modifier::Stage;
use super::report::Report;
use super::scalar::Scalar;
use super::yaml::{Node, Value};

/// Longest regular expression. The corpus' longest has 1,100 characters.
const REGEX_MAX: usize = 8192;

/// Most bytes that an expression compiles to.
pub const REGEX_SIZE_MAX: usize = 10 << 20;

/// What a value is for.
pub(super) struct Wanted<'w> {
    pub(super) stage: Stage,
    pub(super) modifiers: &'w [Modifier],
    /// Looked for in the whole line, not in a field.
    pub(super) keyword: bool,
    /// The only value of its key.
    pub(super) single: bool,
    /// Value lists for `expand`.
    pub(super) lists: &'w BTreeMap<String, Vec<String>>,
}

/// Reads one value. `None` when it is wrong, which the report then says.
pub(super) fn literal(
    node: &Node,
    wanted: &Wanted<'_>,
    report: &mut Report<'_>,
) -> Option<Literal> {
    let Value::Scalar(scalar) = &node.value else {
        let message = format!("{} within a list of values", node.kind());
        let remedy = "make one flat list of single values";
        report.error(codes::WRONG_TYPE, node.at, message, remedy);
        return None;
    };
    match of_stage(scalar, wanted) {
        Ok(value) => {
            if value == Literal::Null && !wanted.single {
                let message = "null within a list is not defined by Sigma";
                let remedy = "make it an OR of two searches, one of them `field: null`";
                report.warn(codes::NULL_IN_LIST, node.at, message, remedy);
            }
            Some(value)
        }
        Err(wrong) => {
            report.error(wrong.code, node.at, wrong.message, wrong.remedy);
            None
        }
    }
}

struct Wrong {
    code: &'static str,
    message: String,
    remedy: String,
}

fn wrong(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Wrong {
    Wrong {
        code,
        message: message.into(),
        remedy: remedy.into(),
    }
}

fn of_stage(scalar: &Scalar, wanted: &Wanted<'_>) -> Result<Literal, Wrong> {
    let needs_field = matches!(
        wanted.stage,
        Stage::Number | Stage::Network | Stage::Presence | Stage::Part | Stage::Reference
    );
    if wanted.keyword && needs_field {
        let remedy = "write the field's name before the first `|`";
        return Err(wrong(
            codes::MODIFIER_VALUE,
            "this modifier needs a field",
            remedy,
        ));
    }
    match wanted.stage {
        Stage::Presence => presence(scalar, wanted),
        Stage::Part if wanted.modifiers.len() == 1 => part(scalar),
        Stage::Number | Stage::Part => numeric(scalar),
        Stage::Network => network(scalar),
        Stage::Regex => regex(scalar, wanted),
        Stage::Reference | Stage::Altered => textual(scalar, wanted),
        Stage::Wide | Stage::Encoded => encoded(scalar, wanted),
        Stage::Plain => plain(scalar, wanted),
    }
}

fn plain(scalar: &Scalar, wanted: &Wanted<'_>) -> Result<Literal, Wrong> {
    let textual_only = wanted
        .modifiers
        .iter()
        .any(|m| matches!(m, Modifier::Cased | Modifier::Expand | Modifier::WinDash));
    if wanted.keyword || textual_only {
        return textual(scalar, wanted);
    }
    Ok(if scalar.is_null() {
        Literal::Null
    } else if let Some(value) = scalar.boolean() {
        Literal::Bool(value)
    } else if let Some(value) = scalar.int() {
        Literal::Int(value)
    } else if let Some(value) = scalar.float() {
        Literal::Float(value)
    } else {
        Literal::Text(scalar.text.clone())
    })
}

/// Text as it is spelled, numbers included.
fn textual(scalar: &Scalar, wanted: &Wanted<'_>) -> Result<Literal, Wrong> {
    if scalar.is_null() {
        let remedy = "write the text to look for; an empty one is `''`";
        return Err(wrong(codes::MODIFIER_VALUE, "null is no text", remedy));
    }
    if wanted.modifiers.contains(&Modifier::Expand) {
        placeholders(&scalar.text, wanted.lists)?;
    }
    Ok(Literal::Text(scalar.text.clone()))
}

fn presence(scalar: &Scalar, wanted: &Wanted<'_>) -> Result<Literal, Wrong> {
    match scalar.boolean().filter(|_| wanted.single) {
        Some(value) => Ok(Literal::Bool(value)),
        None => Err(wrong(
            codes::MODIFIER_VALUE,
            "exists takes one of `true` and `false`",
            "write it without quotes",
        )),
    }
}

fn numeric(scalar: &Scalar) -> Result<Literal, Wrong> {
    let float = scalar
        .float()
        .or_else(|| scalar.number())
        .map(Literal::Float);
    scalar.int().map(Literal::Int).or(float).ok_or_else(|| {
        let message = format!("`{}` is not a number", scalar.text);
        let remedy = "lt, lte, gt and gte compare numbers: write one, without quotes";
        wrong(codes::MODIFIER_VALUE, message, remedy)
    })
}

fn part(scalar: &Scalar) -> Result<Literal, Wrong> {
    scalar.int().map(Literal::Int).ok_or_else(|| {
        let message = format!("`{}` is not a whole number", scalar.text);
        let remedy = "parts of a time are whole numbers: write one, without quotes";
        wrong(codes::MODIFIER_VALUE, message, remedy)
    })
}

fn network(scalar: &Scalar) -> Result<Literal, Wrong> {
    let text = &scalar.text;
    let parsed = text
        .parse::<ipnet::IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from));
    match parsed {
        Ok(net) if net.addr() == net.network() => Ok(Literal::Text(text.clone())),
        Ok(net) => Err(wrong(
            codes::MODIFIER_VALUE,
            format!("`{text}` has bits set behind its prefix length"),
            format!("did you mean `{}`?", net.trunc()),
        )),
        Err(_) => Err(wrong(
            codes::MODIFIER_VALUE,
            format!("`{text}` is not a network"),
            "write it like `192.168.0.0/16` or `fe80::/10`",
        )),
    }
}

fn regex(scalar: &Scalar, wanted: &Wanted<'_>) -> Result<Literal, Wrong> {
    let text = textual(scalar, wanted)?;
    let pattern = &scalar.text;
    if pattern.len() > REGEX_MAX {
        let message = format!("a regular expression of {} characters", pattern.len());
        return Err(wrong(
            codes::REGEX,
            message,
            format!("use at most {REGEX_MAX}"),
        ));
    }
    let has = |m| wanted.modifiers.contains(&m);
    let built = regex::RegexBuilder::new(&super::dialect::translate(pattern))
        .case_insensitive(has(Modifier::IgnoreCase))
        .multi_line(has(Modifier::MultiLine))
        .dot_matches_new_line(has(Modifier::DotAll))
        .size_limit(REGEX_SIZE_MAX)
        .build();
    let Err(error) = built else {
        return Ok(text);
    };
    // The crate draws the expression with a marker; its last line is the sentence.
    let words = error.to_string();
    let reason = words
        .lines()
        .last()
        .unwrap_or("")
        .trim_start_matches("error: ");
    let remedy = if reason.contains("size limit") {
        "count less: repetitions within repetitions multiply"
    } else if pattern.contains("(?=") || pattern.contains("(?!") || pattern.contains("(?<") {
        "say what must not be there in a second search: `selection and not filter`"
    } else {
        "write special characters that stand for themselves with `\\` before them"
    };
    Err(wrong(
        codes::REGEX,
        format!("this expression does not work: {reason}"),
        remedy,
    ))
}

fn encoded(scalar: &Scalar, wanted: &Wanted<'_>) -> Result<Literal, Wrong> {
    if has_wildcard(&scalar.text) {
        return Err(wrong(
            codes::MODIFIER_VALUE,
            "a wildcard cannot be encoded",
            "write `\\*` or `\\?` for the character itself, or use contains after base64offset",
        ));
    }
    textual(scalar, wanted)
}

/// An unescaped `*` or `?`.
fn has_wildcard(text: &str) -> bool {
    let mut escaped = false;
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '*' | '?' => return true,
            _ => {}
        }
    }
    false
}

/// Each `%name%` must have a list that is not empty; `\%` is a percent sign.
fn placeholders(text: &str, lists: &BTreeMap<String, Vec<String>>) -> Result<(), Wrong> {
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let escaped = rest.get(..at).is_some_and(|before| before.ends_with('\\'));
        rest = rest.get(at + 1..).unwrap_or("");
        if escaped {
            continue;
        }
        let Some((name, after)) = rest.split_once('%') else {
            return Ok(());
        };
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.is_empty() || !name.chars().all(is_name) {
            continue;
        }
        if lists.get(name).is_none_or(Vec::is_empty) {
            return Err(wrong(
                codes::PLACEHOLDER,
                format!("there is no list `{name}` for this placeholder"),
                format!(
                    "give it with `--list {name}=FILE`, or as `{name} = [\"value\"]` under \
                     `[lists]` of the configuration"
                ),
            ));
        }
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(text: &str, plain: bool) -> Scalar {
        Scalar {
            text: text.into(),
            plain,
        }
    }

    fn read(text: &str, stage: Stage, modifiers: &[Modifier]) -> Result<Literal, &'static str> {
        let lists = BTreeMap::from([("admins".to_owned(), vec!["root".to_owned()])]);
        let wanted = Wanted {
            stage,
            modifiers,
            keyword: false,
            single: true,
            lists: &lists,
        };
        of_stage(&scalar(text, true), &wanted).map_err(|w| w.code)
    }

    #[test]
    fn values_keep_their_types_and_text_its_spelling() {
        assert_eq!(read("5", Stage::Plain, &[]), Ok(Literal::Int(5)));
        assert_eq!(read("5.5", Stage::Plain, &[]), Ok(Literal::Float(5.5)));
        assert_eq!(
            read("1e5", Stage::Plain, &[]),
            Ok(Literal::Text("1e5".into()))
        );
        assert_eq!(read("", Stage::Plain, &[]), Ok(Literal::Null));
        assert_eq!(
            read("yes", Stage::Plain, &[]),
            Ok(Literal::Text("yes".into()))
        );
        let contains = [Modifier::Contains];
        assert_eq!(
            read("0x1F", Stage::Altered, &contains),
            Ok(Literal::Text("0x1F".into()))
        );
        assert_eq!(
            read(r"\*a?", Stage::Plain, &[]),
            Ok(Literal::Text(r"\*a?".into()))
        );
    }

    #[test]
    fn each_modifier_gets_the_kind_of_value_it_needs() {
        let bad = Err(codes::MODIFIER_VALUE);
        assert_eq!(
            read("10.0.0.0/8", Stage::Network, &[]),
            Ok(Literal::Text("10.0.0.0/8".into()))
        );
        assert_eq!(read("192.168.1.5/24", Stage::Network, &[]), bad);
        assert_eq!(read("fe80::1/10", Stage::Network, &[]), bad);
        assert!(read("::1", Stage::Network, &[]).is_ok());
        assert_eq!(read("10.0.0.*", Stage::Network, &[]), bad);
        assert_eq!(read("yes", Stage::Presence, &[Modifier::Exists]), bad);
        assert_eq!(
            read("true", Stage::Presence, &[Modifier::Exists]),
            Ok(Literal::Bool(true))
        );
        assert_eq!(read("five", Stage::Number, &[Modifier::Gt]), bad);
        assert_eq!(
            read("1e5", Stage::Number, &[Modifier::Gt]),
            Ok(Literal::Float(100_000.0))
        );
        assert_eq!(read("a*", Stage::Encoded, &[Modifier::Base64]), bad);
        assert!(read(r"a\*", Stage::Encoded, &[Modifier::Base64]).is_ok());
        assert_eq!(
            read("a(?!b)", Stage::Regex, &[Modifier::Re]),
            Err(codes::REGEX)
        );
        assert_eq!(
            read(r"(a)\1", Stage::Regex, &[Modifier::Re]),
            Err(codes::REGEX)
        );
        assert_eq!(
            read(r"((a{1000}){1000}){1000}", Stage::Regex, &[Modifier::Re]),
            Err(codes::REGEX)
        );
    }

    #[test]
    fn a_placeholder_without_a_list_is_an_error_unless_escaped() {
        let expand = [Modifier::Expand];
        let read = |text| read(text, Stage::Plain, &expand);
        assert!(read("%admins%").is_ok());
        assert!(read(r"100\% of %admins%").is_ok());
        assert!(read("100%").is_ok());
        assert_eq!(read("x %guests%"), Err(codes::PLACEHOLDER));
        assert_eq!(read("100% %guests%"), Err(codes::PLACEHOLDER));
    }
}
