//! Text as numbers, addresses and words, and JSON strings as text.

use std::net::IpAddr;

use bumpalo::Bump;
use bumpalo::collections::{String as BumpString, Vec as BumpVec};

use crate::entity::canonical_ip;
use crate::event::Value;
use crate::field::Kind;

/// Text as a value of that kind, if it is one.
pub(in crate::format) fn parsed(text: &[u8], kind: Kind) -> Option<Value<'_>> {
    match kind {
        Kind::Text => Some(Value::Text(text)),
        Kind::Ip => address(text).map(Value::Ip),
        Kind::Int => integer(text).map(Value::Int),
        Kind::Float => {
            let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            number.is_finite().then_some(Value::Float(number))
        }
        Kind::Bool => match text {
            b"T" | b"true" => Some(Value::Bool(true)),
            b"F" | b"false" => Some(Value::Bool(false)),
            _ => None,
        },
    }
}

/// A whole decimal number of at most 18 digits, perhaps negative.
pub(in crate::format) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut number = 0_i64;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(byte - b'0');
    }
    Some(if negative { -number } else { number })
}

/// An address in its canonical form. Dotted quads, nine of ten in most logs,
/// take a third of the time of std's parser.
fn address(text: &[u8]) -> Option<IpAddr> {
    dotted_quad(text).or_else(|| {
        let ip: IpAddr = std::str::from_utf8(text).ok()?.parse().ok()?;
        Some(canonical_ip(ip))
    })
}

fn dotted_quad(text: &[u8]) -> Option<IpAddr> {
    if text.len() > 15 {
        return None;
    }
    let (mut bits, mut octet, mut digits, mut dots) = (0_u32, 0_u32, 0_u8, 0_u8);
    for byte in text {
        match byte {
            // Padded octets are decimal, as everywhere in logs.
            b'0'..=b'9' if digits < 3 => {
                octet = octet * 10 + u32::from(byte - b'0');
                digits += 1;
                if octet > 255 {
                    return None;
                }
            }
            b'.' if digits > 0 && dots < 3 => {
                bits = bits << 8 | octet;
                (octet, digits) = (0, 0);
                dots += 1;
            }
            _ => return None,
        }
    }
    (dots == 3 && digits > 0).then(|| IpAddr::V4((bits << 8 | octet).into()))
}

/// A JSON number.
pub(super) fn number(raw: &str) -> Value<'_> {
    match integer(raw.as_bytes()).or_else(|| raw.parse().ok()) {
        Some(whole) => Value::Int(whole),
        // serde_json has checked the grammar; 1e999 becomes infinity, which no rule can name.
        None => Value::Float(raw.parse().unwrap_or(f64::INFINITY)),
    }
}

/// The line if it is UTF-8, else a copy with U+FFFD for what is not: one bad
/// byte must not hide a whole line.
pub(super) fn valid_text<'a>(line: &'a [u8], arena: &'a Bump) -> &'a str {
    if let Ok(text) = std::str::from_utf8(line) {
        return text;
    }
    let mut text = BumpString::with_capacity_in(line.len(), arena);
    for chunk in line.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text.into_bump_str()
}

/// A JSON string's content; borrowed unless it has escapes. Half a surrogate
/// pair becomes U+FFFD.
pub(super) fn unescaped<'a>(raw: &'a str, arena: &'a Bump) -> &'a str {
    let inner = raw
        .strip_prefix('"')
        .and_then(|r| r.strip_suffix('"'))
        .unwrap_or(raw);
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return inner;
    }
    let mut out = BumpString::with_capacity_in(inner.len(), arena);
    let mut rest = inner;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = escape.chars();
        rest = match chars.next() {
            Some('u') => push_unicode(&mut out, chars.as_str()),
            Some(c) => {
                out.push(match c {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\x08',
                    'f' => '\x0c',
                    other => other,
                });
                chars.as_str()
            }
            None => "",
        };
    }
    out.push_str(rest);
    out.into_bump_str()
}

/// Adds what follows `\u`; gives what comes after it.
fn push_unicode<'s>(out: &mut BumpString<'_>, text: &'s str) -> &'s str {
    let unit = |text: &str| u32::from_str_radix(text.get(..4)?, 16).ok();
    let after = text.get(4..).unwrap_or("");
    let first = unit(text).unwrap_or(0xfffd);
    if let 0xd800..=0xdbff = first
        && let Some(second @ 0xdc00..=0xdfff) = after.strip_prefix("\\u").and_then(unit)
    {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        return after.get(6..).unwrap_or("");
    }
    out.push(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
    after
}

/// JSON text without blanks between its parts.
pub(super) fn compact<'a>(raw: &'a str, arena: &'a Bump) -> &'a [u8] {
    let (mut quoted, mut escaped) = (false, false);
    let mut inside = move |byte: u8| {
        let was = quoted;
        if !escaped && byte == b'"' {
            quoted = !quoted;
        }
        escaped = quoted && !escaped && byte == b'\\';
        was
    };
    let mut out = BumpVec::with_capacity_in(raw.len(), arena);
    out.extend(
        raw.bytes()
            .filter(|&b| inside(b) || !b.is_ascii_whitespace()),
    );
    out.into_bump_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_std_reads_them() {
        for text in [
            "1.2.3.4",
            "255.255.255.255",
            "0.0.0.0",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "0001.2.3.4",
            "1..2.3",
            "1.2.3.4 ",
            "",
            ".1.2.3",
            "1.2.3.",
            "::1",
        ] {
            let std: Option<IpAddr> = text.parse().ok();
            assert_eq!(address(text.as_bytes()), std, "{text:?}");
        }
        assert_eq!(address(b"010.002.000.01"), "10.2.0.1".parse().ok());
    }
}
