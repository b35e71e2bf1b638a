//! From `field|modifier: values` to tests: Sigma's modifiers, in order.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::encode;
use super::pattern::{self, Token};
use super::stamp::Part;
use crate::rule::{Item, Literal, Modifier, Operator};

/// One thing to ask of a field's value. Equal tests are asked once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Test {
    /// The text meets a pattern; folded unless case counts.
    Text { tokens: Vec<Token>, cased: bool },
    /// The text holds a match of a regular expression.
    Regex(String),
    /// The number compares so; the bits are an `f64`'s.
    Number(Compare, u64),
    /// It is this whole number, as a number or as text.
    Int(i64),
    /// The field is there, be it empty or null.
    Exists,
    /// The field is there and not null.
    Present,
    /// The address lies in a network.
    Cidr(IpNet),
    /// A part of the timestamp compares so.
    Part(Part, Compare, i64),
    /// It equals, or holds at that place, another field's text.
    Other {
        field: String,
        start: bool,
        end: bool,
        cased: bool,
    },
}

/// [`Operator`], with `Hash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Compare {
    Equal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Compare {
    /// Whether `left` compares so with `right`.
    pub(crate) fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Compare::Equal => left == right,
            Compare::Less => left < right,
            Compare::LessEqual => left <= right,
            Compare::Greater => left > right,
            Compare::GreaterEqual => left >= right,
        }
    }
}

/// Whether a bound of a correlation holds.
pub(crate) fn bound_holds(operator: Operator, left: f64, right: f64) -> bool {
    match operator {
        Operator::Gt => left > right,
        Operator::Gte => left >= right,
        Operator::Lt => left < right,
        Operator::Lte => left <= right,
        Operator::Eq => (left - right).abs() < f64::EPSILON,
        Operator::Neq => (left - right).abs() >= f64::EPSILON,
    }
}

/// One value of an item: any of these tests, or the field has no value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    /// Any of them.
    Tests(Vec<Test>),
    /// `null`: absent, or there and null.
    Nothing,
    /// `exists: false`.
    Absent,
}

/// What an item asks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    /// One per value.
    pub(crate) values: Vec<Asked>,
    /// Whether each value must hold, not just one.
    pub(crate) all: bool,
    /// `neq`: the negation of the whole.
    pub(crate) negated: bool,
}

/// Reads an item; `Err` says what its author must mend.
pub(crate) fn question(
    item: &Item,
    lists: &BTreeMap<String, Vec<String>>,
) -> Result<Question, String> {
    let mut values = Vec::new();
    if item.values.is_empty() {
        return Err("an item without values can never match".to_owned());
    }
    for value in &item.values {
        match value {
            Literal::Text(text) if has(item, Modifier::Expand) => {
                for expanded in expand(text, lists)? {
                    values.push(asked(item, &Literal::Text(expanded))?);
                }
            }
            _ => values.push(asked(item, value)?),
        }
    }
    Ok(Question {
        values,
        all: has(item, Modifier::All),
        negated: has(item, Modifier::Neq),
    })
}

fn has(item: &Item, modifier: Modifier) -> bool {
    item.modifiers.contains(&modifier)
}

fn compare(item: &Item) -> Option<Compare> {
    item.modifiers.iter().find_map(|modifier| match modifier {
        Modifier::Lt => Some(Compare::Less),
        Modifier::Lte => Some(Compare::LessEqual),
        Modifier::Gt => Some(Compare::Greater),
        Modifier::Gte => Some(Compare::GreaterEqual),
        _ => None,
    })
}

fn asked(item: &Item, value: &Literal) -> Result<Asked, String> {
    let field_needed = [Modifier::Exists, Modifier::Cidr, Modifier::FieldRef];
    if item.field.is_none()
        && (item.modifiers.iter().any(|m| field_needed.contains(m)) || compare(item).is_some())
    {
        return Err("keywords have no field to compare".to_owned());
    }
    if has(item, Modifier::Exists) {
        return match value {
            Literal::Bool(true) => Ok(Asked::Tests(vec![Test::Exists])),
            Literal::Bool(false) => Ok(Asked::Absent),
            _ => Err("`exists` takes true or false".to_owned()),
        };
    }
    if *value == Literal::Null {
        return Ok(Asked::Nothing);
    }
    let tests = if let Some(part) = item.modifiers.iter().find_map(|m| Part::of(*m)) {
        vec![part_test(part, compare(item), value)?]
    } else if let Some(compare) = compare(item) {
        vec![Test::Number(compare, number(value)?.to_bits())]
    } else if has(item, Modifier::Cidr) {
        vec![Test::Cidr(network(&text_of(value))?)]
    } else if has(item, Modifier::Re) {
        vec![Test::Regex(regex(item, &text_of(value)))]
    } else if has(item, Modifier::FieldRef) {
        vec![other_field(item, value)]
    } else {
        text_tests(item, value)?
    };
    Ok(Asked::Tests(tests))
}

fn part_test(part: Part, compare: Option<Compare>, value: &Literal) -> Result<Test, String> {
    let wanted = match value {
        Literal::Int(number) => *number,
        Literal::Text(text) => text
            .trim()
            .parse()
            .map_err(|_| format!("`{text}` is no whole number"))?,
        _ => return Err("a part of a timestamp is compared with a whole number".to_owned()),
    };
    Ok(Test::Part(part, compare.unwrap_or(Compare::Equal), wanted))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "thresholds above 2^53 are rounded alike on both sides"
)]
fn number(value: &Literal) -> Result<f64, String> {
    match value {
        Literal::Int(number) => Ok(*number as f64),
        Literal::Float(number) => Ok(*number),
        _ => Err("lt, lte, gt and gte compare with a number".to_owned()),
    }
}

fn text_of(value: &Literal) -> String {
    match value {
        Literal::Text(text) => text.clone(),
        Literal::Int(number) => number.to_string(),
        Literal::Float(number) => format!("{number:?}"),
        Literal::Bool(yes) => yes.to_string(),
        Literal::Null => String::new(),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let net = match text.parse::<IpNet>() {
        Ok(net) => net,
        Err(_) => IpNet::from(
            text.parse::<std::net::IpAddr>()
                .map_err(|_| format!("`{text}` is no network such as 10.0.0.0/8"))?,
        ),
    };
    if net == net.trunc() {
        Ok(net)
    } else {
        Err(format!(
            "`{text}` has host bits set; the network is {}",
            net.trunc()
        ))
    }
}

fn regex(item: &Item, pattern: &str) -> String {
    let mut flags = String::new();
    for (modifier, flag) in [
        (Modifier::IgnoreCase, 'i'),
        (Modifier::MultiLine, 'm'),
        (Modifier::DotAll, 's'),
    ] {
        if has(item, modifier) {
            flags.push(flag);
        }
    }
    if flags.is_empty() {
        pattern.to_owned()
    } else {
        format!("(?{flags}){pattern}")
    }
}

fn other_field(item: &Item, value: &Literal) -> Test {
    let contains = has(item, Modifier::Contains);
    Test::Other {
        field: text_of(value),
        start: contains || has(item, Modifier::EndsWith),
        end: contains || has(item, Modifier::StartsWith),
        cased: has(item, Modifier::Cased),
    }
}

fn text_tests(item: &Item, value: &Literal) -> Result<Vec<Test>, String> {
    let opens = [Modifier::Contains, Modifier::StartsWith, Modifier::EndsWith];
    let plain = item.field.is_some() && !item.modifiers.iter().any(|m| opens.contains(m));
    match value {
        Literal::Int(number) if plain => return Ok(vec![Test::Int(*number)]),
        Literal::Float(number) if plain => {
            return Ok(vec![Test::Number(Compare::Equal, number.to_bits())]);
        }
        _ => {}
    }
    let mut forms = vec![pattern::parse(&text_of(value))];
    for modifier in &item.modifiers {
        apply(*modifier, &mut forms)?;
    }
    let cased = has(item, Modifier::Cased);
    // Keywords are looked for anywhere, unless a modifier says where.
    let anywhere = item.field.is_none() && !item.modifiers.iter().any(|m| opens.contains(m));
    Ok(forms
        .into_iter()
        .map(|mut tokens| {
            pattern::open(&mut tokens, anywhere, anywhere);
            if !cased {
                pattern::fold_tokens(&mut tokens);
            }
            if tokens == [Token::Any] {
                Test::Present
            } else {
                Test::Text { tokens, cased }
            }
        })
        .collect())
}

fn apply(modifier: Modifier, forms: &mut Vec<Vec<Token>>) -> Result<(), String> {
    let encoded: fn(&[u8]) -> Vec<Vec<u8>> = match modifier {
        Modifier::Contains | Modifier::StartsWith | Modifier::EndsWith => {
            for tokens in forms {
                pattern::open(
                    tokens,
                    modifier != Modifier::StartsWith,
                    modifier != Modifier::EndsWith,
                );
            }
            return Ok(());
        }
        Modifier::WinDash => {
            for tokens in forms {
                *tokens = pattern::any_dash(tokens);
            }
            return Ok(());
        }
        Modifier::Base64 => |bytes| vec![encode::base64(bytes)],
        Modifier::Base64Offset => |bytes| encode::base64_offsets(bytes).to_vec(),
        Modifier::Utf16Le => |bytes| vec![encode::utf16(bytes, false)],
        Modifier::Utf16Be => |bytes| vec![encode::utf16(bytes, true)],
        Modifier::Utf16 => |bytes| vec![[&[0xff, 0xfe], &encode::utf16(bytes, false)[..]].concat()],
        _ => return Ok(()),
    };
    let mut out = Vec::new();
    for tokens in forms.iter() {
        let bytes = match tokens.as_slice() {
            [] => &[][..],
            [Token::Text(bytes)] => bytes,
            _ => return Err("a value with wildcards or dashes cannot be encoded".to_owned()),
        };
        out.extend(encoded(bytes).iter().map(|form| pattern::literal(form)));
    }
    *forms = out;
    Ok(())
}

fn push_all(forms: &mut [String], c: char) {
    for form in forms {
        form.push(c);
    }
}

/// Replaces `%name%` by each value of the list of that name; `\%` is a percent sign.
fn expand(text: &str, lists: &BTreeMap<String, Vec<String>>) -> Result<Vec<String>, String> {
    let mut forms = vec![String::new()];
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("\\%") {
            push_all(&mut forms, '%');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('%').and_then(|r| r.split_once('%')) {
            let list = lists
                .get(name)
                .ok_or_else(|| format!("there is no list of values named `{name}`"))?;
            forms = forms
                .iter()
                .flat_map(|form| list.iter().map(move |value| format!("{form}{value}")))
                .collect();
            // 10,000 values are more than any rule names; the product of
            // several long lists would not end.
            if forms.len() > 10_000 {
                return Err(format!("`{text}` expands to more than 10,000 values"));
            }
            rest = after;
        } else {
            push_all(&mut forms, c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    if forms.is_empty() {
        return Err(format!("the list of values in `{text}` is empty"));
    }
    Ok(forms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(modifiers: &[Modifier], value: Literal) -> Item {
        Item {
            field: Some("A".to_owned()),
            modifiers: modifiers.to_vec(),
            values: vec![value],
            at: crate::rule::Location::default(),
        }
    }

    #[test]
    fn a_placeholder_without_a_list_is_refused() {
        let item = item(&[Modifier::Expand], Literal::Text("%admins%".to_owned()));
        let error = question(&item, &BTreeMap::new()).unwrap_err();
        assert!(error.contains("admins"), "{error}");
        let lists = BTreeMap::from([(
            "admins".to_owned(),
            vec!["eve".to_owned(), "bob".to_owned()],
        )]);
        assert_eq!(question(&item, &lists).unwrap().values.len(), 2);
    }

    #[test]
    fn a_network_with_host_bits_is_refused_with_the_one_meant() {
        let item = item(
            &[Modifier::Cidr],
            Literal::Text("192.168.1.5/24".to_owned()),
        );
        let error = question(&item, &BTreeMap::new()).unwrap_err();
        assert!(error.contains("192.168.1.0/24"), "{error}");
    }

    #[test]
    fn what_cannot_be_encoded_or_compared_is_refused() {
        for (modifiers, value) in [
            (&[Modifier::Base64][..], Literal::Text("a*".to_owned())),
            (&[Modifier::Gt], Literal::Text("many".to_owned())),
            (&[Modifier::Exists], Literal::Text("yes".to_owned())),
            (&[Modifier::Hour], Literal::Text("noon".to_owned())),
        ] {
            assert!(question(&item(modifiers, value), &BTreeMap::new()).is_err());
        }
    }
}
