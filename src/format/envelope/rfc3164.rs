//! `Jan  2 03:04:05 host prog[pid]: message` and its relatives.

use super::{Read, container, rfc5424, tagged};
use crate::event::Event;
use crate::field::Field;
use crate::format::token::{cut, cut_last, ip, number, trim_end, trim_start};
use crate::format::{Context, cef, leef, timestamp};
use crate::time::Time;

/// Longest tag of several words: `com.apple.xpc.launchd[1] (com.apple.quicklook[21498])`
/// is 56; what is longer is a message without a tag.
const LONG_TAG_MAX: usize = 80;

/// What a tag says, and the message after it.
struct Tag<'a> {
    name: &'a [u8],
    pid: Option<i64>,
    text: &'a [u8],
}

/// Reads the envelope; the stamp decides whether there is one.
pub(super) fn read<'a>(line: &'a [u8], context: &Context, event: &mut Event<'a>) -> Read<'a> {
    let Some((time, rest)) = stamp(line, context) else {
        return Read::Nothing;
    };
    let Some(rest) = rest.strip_prefix(b" ") else {
        return Read::Nothing;
    };
    event.time = Some(time);
    if let Some(inner) = container::cri(rest) {
        return Read::Inner(inner);
    }
    let (host, text) = host(without_level(trim_start(rest)));
    if let Some(host) = host {
        event.text(Field::HOST_NAME, host);
    }
    let tag = tag(without_counter(text, context));
    let text = rfc5424::without_elements(tag.text);
    Read::Message(tagged(tag.name, tag.pid, text, event))
}

/// The stamp that begins a line, and what follows it from its blank on.
pub(super) fn stamp<'a>(line: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    match timestamp::any(line, context) {
        // `Jul 10 2023 10:11:12: %ASA-6-302013: …`
        Some((time, [b':', rest @ ..])) if rest.starts_with(b" %") => Some((time, rest)),
        Some(found) => Some(found),
        None => cisco_stamp(line, context),
    }
}

/// IOS counts its messages and marks stamps of a clock that it does not trust:
/// `237: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: …`. The mnemonic must
/// follow, or any text with a stamp in it would do.
fn cisco_stamp<'a>(text: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let rest = match text.split_at_checked(digits) {
        Some(([], rest)) => rest,
        Some((_, rest)) if digits <= 10 => trim_start(rest.strip_prefix(b":")?),
        _ => return None,
    };
    let rest = rest.strip_prefix(b"*").unwrap_or(rest);
    let rest = rest.strip_prefix(b".").unwrap_or(rest);
    let (time, rest) = timestamp::rfc3164(rest, context)?;
    let letters = rest.iter().skip(1).take_while(|b| b.is_ascii_uppercase());
    let zone = match (rest.first(), letters.count()) {
        (Some(b' '), letters @ 1..=5) => letters + 1,
        _ => 0,
    };
    let rest = rest.get(zone..)?.strip_prefix(b":")?;
    rest.starts_with(b" %").then_some((time, rest))
}

/// The text without Cisco's own counter and stamp after a collector's header.
fn without_counter<'a>(text: &'a [u8], context: &Context) -> &'a [u8] {
    let text = text
        .strip_prefix(b": ")
        .filter(|t| t.starts_with(b"%"))
        .unwrap_or(text);
    match text.first() {
        Some(b'0'..=b'9' | b'*' | b'.') => {
            cisco_stamp(text, context).map_or(text, |(_, rest)| trim_start(rest))
        }
        _ => text,
    }
}

/// FreeBSD's `syslogd -v` writes `<auth.info>` or `<4.6>` after the stamp.
fn without_level(text: &[u8]) -> &[u8] {
    let Some(rest) = text.strip_prefix(b"<") else {
        return text;
    };
    let level = rest.get(..20).unwrap_or(rest);
    match memchr::memchr(b'>', level).and_then(|end| rest.split_at_checked(end + 1)) {
        Some((level, rest)) if !level.contains(&b' ') => trim_start(rest),
        _ => text,
    }
}

/// A header without a stamp, as journalctl users cut it: `host prog[pid]: message`.
pub(in crate::format) fn read_unstamped<'a>(
    line: &'a [u8],
    event: &mut Event<'a>,
) -> Option<super::Tagged<'a>> {
    let (host, text) = host(line);
    let tag = tag(text);
    tag.pid?;
    if let Some(host) = host {
        event.text(Field::HOST_NAME, host);
    }
    Some(tagged(tag.name, tag.pid, tag.text, event))
}

/// The host, unless the first word is already the tag.
fn host(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    // AIX, of what it relays.
    if let Some(rest) = text.strip_prefix(b"Message forwarded from ")
        && let Some((host, rest)) = cut(rest, b": ")
    {
        return (Some(host), rest);
    }
    if speaks_for_itself(text) {
        return (None, text);
    }
    let (word, rest) = match memchr::memchr(b' ', text) {
        Some(at) => (
            text.get(..at).unwrap_or_default(),
            text.get(at + 1..).unwrap_or_default(),
        ),
        None => (text, &[][..]),
    };
    let is_tag = match word {
        [b'[', .., b']' | b':'] | [.., b']', b':'] => true,
        // `2001:db8::` is a host that ends with a colon; before Cisco's
        // mnemonic any host has one.
        [first, .., b':'] => ip(word).is_none() && (*first == b'%' || !rest.starts_with(b"%")),
        // unbound's own file: `unbound[812:0] info: `.
        [.., b']'] => has_thread(word),
        _ => rest.is_empty(),
    };
    if is_tag {
        return (None, text);
    }
    let relayed = word.strip_suffix(b":").filter(|_| rest.starts_with(b"%"));
    (Some(relayed.unwrap_or(word)), trim_start(rest))
}

/// CEF and LEEF stand where a tag would, and have blanks in them.
fn speaks_for_itself(text: &[u8]) -> bool {
    cef::speaks(text) || leef::speaks(text)
}

fn tag(text: &[u8]) -> Tag<'_> {
    if speaks_for_itself(text) {
        return untagged(text);
    }
    if let Some(rest) = text.strip_prefix(b"[")
        && let Some(end) = memchr::memchr3(b']', b'=', b' ', rest)
        && rest.get(end) == Some(&b']')
    {
        // `[sshd]:`, from loggers that bracket the program.
        let after = rest.get(end + 1..).unwrap_or_default();
        if matches!(
            rest.get(..end),
            Some(b"INFO" | b"ERROR" | b"WARNING" | b"DEBUG" | b"PANIC")
        ) {
            // CoreDNS: a stamp, the level, and no name.
            return untagged(text);
        }
        return Tag {
            name: rest.get(..end).unwrap_or_default(),
            pid: None,
            text: after.strip_prefix(b":").unwrap_or(after),
        };
    }
    let Some(end) = memchr::memchr3(b':', b'[', b' ', text) else {
        return untagged(text);
    };
    let name = text.get(..end).unwrap_or_default();
    if let Some(tag) = parenthesised(name, text) {
        return tag;
    }
    match text.get(end..).unwrap_or_default() {
        [b':', text @ ..] => Tag {
            name,
            pid: None,
            text,
        },
        [b'[', rest @ ..] => match pid(rest) {
            Some((pid, after)) => on_behalf(text, pid, after).unwrap_or(Tag {
                name,
                pid: Some(pid),
                text: after.strip_prefix(b":").unwrap_or(after),
            }),
            None => Tag {
                name,
                pid: None,
                text: text.get(end..).unwrap_or_default(),
            },
        },
        rest => several_words(text).unwrap_or(Tag {
            name,
            pid: None,
            text: rest,
        }),
    }
}

/// `name[pid:thread]`.
fn has_thread(word: &[u8]) -> bool {
    let inside = word
        .strip_suffix(b"]")
        .and_then(|word| cut_last(word, b"["))
        .and_then(|(_, inside)| cut_last(inside, b":"));
    inside.is_some_and(|(pid, thread)| number(pid).is_some() && number(thread).is_some())
}

/// Dovecot's own log names the pid or the user behind the service:
/// `auth-worker(22401): `, `auth(USER,ADDRESS,sasl:login)<ID>: `. What is in the
/// brackets is the message's then, as far as it is not a pid.
fn parenthesised<'a>(name: &'a [u8], text: &'a [u8]) -> Option<Tag<'a>> {
    let open = memchr::memchr(b'(', name).filter(|&open| open > 0)?;
    let (name, inside) = text.split_at_checked(open)?;
    if inside.starts_with(b"(pam_") || !name.iter().all(|b| b.is_ascii_lowercase() || *b == b'-') {
        return None;
    }
    let end = memchr::memchr(b')', inside)?;
    if let Some(pid) = number(inside.get(1..end)?) {
        let rest = inside.get(end + 1..)?.strip_prefix(b":")?;
        return Some(Tag {
            name,
            pid: Some(pid),
            text: rest,
        });
    }
    // `polkitd(authority=local)[612]: ` is a tag with something said of it.
    if inside.get(end + 1) == Some(&b'[') {
        return None;
    }
    Some(Tag {
        name,
        pid: None,
        text: inside,
    })
}

fn untagged(text: &[u8]) -> Tag<'_> {
    Tag {
        name: &[],
        pid: None,
        text: trim_end(text),
    }
}

/// `com.apple.xpc.launchd[1] (com.apple.quicklook[21498]): `: macOS's launchd
/// names the job that it speaks of as a part of its own name.
fn on_behalf<'a>(text: &'a [u8], pid: i64, after: &'a [u8]) -> Option<Tag<'a>> {
    let job = after.strip_prefix(b" (")?;
    if !text.starts_with(b"com.apple.") {
        return None;
    }
    let (job, message) = cut(job, b"):")?;
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'[' | b']');
    let length = text.len().checked_sub(message.len() + 1)?;
    (job.iter().all(plain) && length <= LONG_TAG_MAX).then_some(Tag {
        name: text.get(..length)?,
        pid: Some(pid),
        text: message,
    })
}

/// `Google Chrome[85294]: `: only where the words end with a pid and a colon.
fn several_words(text: &[u8]) -> Option<Tag<'_>> {
    let head = text.get(..LONG_TAG_MAX).unwrap_or(text);
    let colon = memchr::memmem::find(head, b"]: ")?;
    let open = memchr::memrchr(b'[', head.get(..colon)?)?;
    let name = text.get(..open)?;
    let plain = name
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'.' | b'-' | b'_' | b'/'));
    let pid = number(text.get(open + 1..colon)?)?;
    plain.then_some(Tag {
        name,
        pid: Some(pid),
        text: text.get(colon + 2..)?,
    })
}

fn pid(text: &[u8]) -> Option<(i64, &[u8])> {
    // A pid has at most 7 digits (PID_MAX_LIMIT is 4,194,304); tolerate 10.
    let end = memchr::memchr(b']', text.get(..11).unwrap_or(text))?;
    Some((number(text.get(..end)?)?, text.get(end + 1..)?))
}
