//! As XML, the form that Windows itself keeps. Text in it is escaped, so that
//! a `<` is always markup's.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::Facts;
use crate::format::token::{cut, number};
use crate::format::{Context, timestamp};
use crate::time::Time;

pub(super) fn read<'a>(
    line: &'a [u8],
    context: &Context,
    arena: &'a Bump,
    facts: &mut Facts<'a>,
) -> Result<Option<Time>, &'static str> {
    if memchr::memmem::find(line, b"</Event>").is_none() {
        return Err("an event without end");
    }
    let mut time = None;
    let mut rest = line;
    while let Some((_, after)) = cut(rest, b"<") {
        let Some((tag, after)) = cut(after, b">") else {
            return Err("a tag without end");
        };
        rest = after;
        let (name, attributes) = match tag.iter().position(u8::is_ascii_whitespace) {
            Some(at) => tag.split_at_checked(at).unwrap_or((tag, &[])),
            None => (tag, &[][..]),
        };
        let inside = match memchr::memchr(b'<', after) {
            Some(end) if !tag.ends_with(b"/") => after.get(..end).unwrap_or_default(),
            _ => &[],
        };
        match name {
            b"EventID" => facts.id = facts.id.or(number(inside)),
            b"Channel" => facts.channel = facts.channel.or(Some(inside)),
            b"Computer" => facts.host = facts.host.or(Some(inside)),
            b"Provider" => facts.provider = facts.provider.or(attribute(attributes, b"Name")),
            b"TimeCreated" => {
                let stamp = attribute(attributes, b"SystemTime");
                time = time.or(stamp.and_then(|text| timestamp::iso(text, context)));
            }
            b"Keywords" => {
                let audit = match inside {
                    b"0x8020000000000000" | b"Audit Success" => Some(true),
                    b"0x8010000000000000" | b"Audit Failure" => Some(false),
                    _ => None,
                };
                facts.audit = facts.audit.or(audit);
            }
            b"Data" => {
                if let Some(name) = attribute(attributes, b"Name") {
                    facts.take(name, unescaped(inside, arena));
                }
            }
            _ => {}
        }
    }
    Ok(time.map(|(time, _)| time))
}

/// The value of ` name="…"` or ` name='…'`.
fn attribute<'a>(mut text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    loop {
        let (key, rest) = cut(text, b"=")?;
        let (quote, rest) = rest.split_first()?;
        let end = memchr::memchr(*quote, rest).filter(|_| matches!(quote, b'"' | b'\''))?;
        if key.trim_ascii() == name {
            return rest.get(..end);
        }
        text = rest.get(end + 1..)?;
    }
}

/// The text that XML's five names and its numbers stand for.
fn unescaped<'a>(text: &'a [u8], arena: &'a Bump) -> &'a [u8] {
    const NAMES: [(&[u8], u8); 5] = [
        (b"lt;", b'<'),
        (b"gt;", b'>'),
        (b"amp;", b'&'),
        (b"quot;", b'"'),
        (b"apos;", b'\''),
    ];
    if memchr::memchr(b'&', text).is_none() {
        return text;
    }
    let mut plain = BumpVec::with_capacity_in(text.len(), arena);
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let name = NAMES
            .iter()
            .find(|(name, _)| byte == b'&' && after.starts_with(name));
        match name {
            Some((name, meant)) => {
                plain.push(*meant);
                rest = after.get(name.len()..).unwrap_or_default();
            }
            None => plain.push(byte),
        }
    }
    plain.into_bump_slice()
}
