//! `Jan  2 03:04:05 host prog[pid]: message` and its relatives.

use super::{Read, container, dialect, rfc5424, tagged};
use crate::event::Event;
use crate::field::Field;
use crate::format::token::{cut, cut_last, ip, number, trim_end, trim_start};
use crate::format::{Context, cef, gateway, leef, timestamp};
use crate::time::Time;

/// Longest tag of several words: `com.apple.xpc.launchd[1] (com.apple.quicklook[21498])`
/// is 56; what is longer is a message without a tag.
const LONG_TAG_MAX: usize = 80;

/// What a tag says, and the message after it.
pub(super) struct Tag<'a> {
    pub(super) name: &'a [u8],
    pub(super) pid: Option<i64>,
    pub(super) text: &'a [u8],
}

/// Reads the envelope; the stamp decides whether there is one.
pub(super) fn read<'a>(line: &'a [u8], context: &Context, event: &mut Event<'a>) -> Read<'a> {
    let Some((time, rest)) = stamp(line, context) else {
        return Read::Nothing;
    };
    let Some(rest) = rest.strip_prefix(b" ") else {
        return Read::Nothing;
    };
    if dialect::goes_on(rest)
        && let Read::Message(tagged) = dialect::read(line, context, event)
    {
        return Read::Message(tagged);
    }
    event.time = Some(time);
    if let Some(inner) = container::cri(rest) {
        return Read::Inner(inner);
    }
    let (_, rest) = after_level(trim_start(rest), context);
    let (host, text) = host(rest);
    if let Some(host) = host {
        event.text(Field::HOST_NAME, host);
    }
    let (_, text) = without_level(text);
    let tag = tag(without_counter(text, context));
    let mut text = rfc5424::without_elements(tag.text);
    // `log show --style syslog` alone has a blank in an ISO stamp with decimals.
    if line.get(10) == Some(&b' ') && line.get(19) == Some(&b'.') {
        text = dialect::without_sender(text);
    }
    Read::Message(tagged(tag.name, tag.pid, text, event))
}

/// Only the stamp's instant.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    let (time, rest) = stamp(line, context)?;
    let unusual = rest.strip_prefix(b" ").is_some_and(dialect::goes_on);
    let more = || unusual.then(|| dialect::peek_time(line, context)).flatten();
    more().or(Some(time))
}

/// The stamp that begins a line, and what follows it from its blank on.
pub(super) fn stamp<'a>(line: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    match timestamp::any(line, context) {
        // `Jul 10 2023 10:11:12: %ASA-6-302013: …`
        Some((time, [b':', rest @ ..])) if rest.starts_with(b" %") => Some((time, rest)),
        Some(found) => Some(found),
        None => cisco_stamp(line, context)
            .or_else(|| logread(line, context))
            .or_else(|| timestamp::colons(line, context)),
    }
}

/// OpenWrt's logread: `Wed May  1 10:00:00 2024 kern.warn kernel: …`. Facility
/// and severity must be there, which no other log has after such a stamp.
fn logread<'a>(line: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    if !matches!(line.get(3), Some(b' ')) {
        return None;
    }
    let (time, rest) = timestamp::ctime(line, context)?;
    let end = memchr::memchr(b' ', rest.get(1..24).or_else(|| rest.get(1..))?)?;
    let (facility, severity) = cut(rest.get(1..=end)?, b".")?;
    let word = |text: &[u8]| {
        (2..=8).contains(&text.len())
            && text
                .iter()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    (word(facility) && word(severity)).then_some((time, rest.get(end + 1..)?))
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

/// The text without the facility and severity that some daemons write before
/// or after the host, and whether they did: FreeBSD's `syslogd -v` `<auth.info>`
/// or `<4.6>`, BusyBox's and OpenWrt's `auth.info`, AIX's `auth|security:info`,
/// ESXi's `In(38)`.
pub(super) fn without_level(text: &[u8]) -> (bool, &[u8]) {
    // No host or tag is longer than this up to its first sign: a short look.
    let end = text
        .iter()
        .position(|b| !b.is_ascii_lowercase() && !b.is_ascii_digit())
        .unwrap_or(text.len());
    let found = match text.get(end..) {
        Some([b'<', rest @ ..]) if end == 0 => {
            let level = rest.get(..20).unwrap_or(rest);
            memchr::memchr(b'>', level)
                .and_then(|end| rest.split_at_checked(end + 1))
                .filter(|(level, _)| !level.contains(&b' '))
                .map(|(_, rest)| rest)
        }
        Some([b'.' | b'|', ..]) => facility_and_severity(text),
        Some([b'A'..=b'Z', b'a'..=b'z', b'(', ..] | [b'D', b'b', b'(', ..]) if end == 0 => {
            cut(text.get(3..).unwrap_or_default(), b") ")
                .filter(|(pri, _)| number(pri).is_some_and(|pri| pri < 192))
                .map(|(_, rest)| rest)
        }
        _ => None,
    };
    match found {
        Some(rest) => (true, trim_start(rest)),
        None => (false, text),
    }
}

/// The same before the host, where socklog has a second stamp behind the level.
pub(super) fn after_level<'a>(text: &'a [u8], context: &Context) -> (bool, &'a [u8]) {
    let (levelled, rest) = without_level(text);
    let second = levelled
        .then(|| timestamp::rfc3164(rest, context))
        .flatten();
    (levelled, second.map_or(rest, |(_, rest)| trim_start(rest)))
}

/// What follows `auth.info `, `auth.info: ` or `auth|security:info `.
fn facility_and_severity(text: &[u8]) -> Option<&[u8]> {
    let (word, rest) = cut(text.get(..32).unwrap_or(text), b" ")?;
    let rest_at = text.len().min(32) - rest.len();
    let word = word.strip_suffix(b":").unwrap_or(word);
    let (facility, severity) = cut(word, b".").or_else(|| cut_last(word, b":"))?;
    let first = facility.split(|&b| b == b'|').next()?;
    let known = super::FACILITIES
        .iter()
        .any(|name| name.as_bytes() == first);
    let graded = super::SEVERITIES
        .iter()
        .any(|name| name.as_bytes() == severity)
        || matches!(severity, b"warn" | b"error" | b"panic");
    (known && graded).then(|| text.get(rest_at..))?
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
pub(super) fn host(text: &[u8]) -> (Option<&[u8]>, &[u8]) {
    if let Some(relayed) = forwarded(text) {
        return relayed;
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
    if let [b'[', address @ .., b']'] = word
        && ip(address).is_some()
    {
        return (Some(address), trim_start(rest));
    }
    if let [name @ .., b':'] = word
        && names_a_machine(name)
        && let Tag { pid: Some(_), .. } = tag(rest)
    {
        return (Some(name), trim_start(rest));
    }
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
    if let Some(relayed) = forwarded(rest) {
        return relayed;
    }
    let relayed = word.strip_suffix(b":").filter(|_| rest.starts_with(b"%"));
    // Ubiquiti's gateways write their name twice.
    let again = rest
        .strip_prefix(word)
        .and_then(|rest| rest.strip_prefix(b" "));
    (
        Some(relayed.unwrap_or(word)),
        trim_start(again.unwrap_or(rest)),
    )
}

/// AIX, of what it relays: `[relay ]Message forwarded from HOST: `.
fn forwarded(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let rest = text.strip_prefix(b"Message forwarded from ")?;
    let (host, rest) = cut(rest, b": ")?;
    Some((Some(host), rest))
}

/// Whether a word before a colon is a machine and no program: an address, or a
/// name with two dots, which no program but Apple's has.
fn names_a_machine(word: &[u8]) -> bool {
    let dots = memchr::memchr_iter(b'.', word).count();
    (dots >= 2 && !word.starts_with(b"com.apple.")) || (dots == 0 && ip(word).is_some())
}

/// CEF, LEEF and appliances' pairs stand where a tag would, and have blanks in
/// them.
fn speaks_for_itself(text: &[u8]) -> bool {
    cef::speaks(text) || leef::speaks(text) || gateway::speaks(text)
}

pub(super) fn tag(text: &[u8]) -> Tag<'_> {
    // syslogd speaks of the line before, without a tag.
    if speaks_for_itself(text) || text.starts_with(b"last message repeated ") {
        return untagged(text);
    }
    if let Some(rest) = text.strip_prefix(b"MSWinEventLog")
        && rest.starts_with(b"\t") | rest.starts_with(b"#011")
    {
        return Tag {
            name: b"MSWinEventLog",
            pid: None,
            text: rest,
        };
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
        rest => several_words(text)
            .or_else(|| after_model(rest))
            .unwrap_or(Tag {
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

/// Ubiquiti's gateways put their model where the tag belongs: `USG-3P kernel: [`.
fn after_model(rest: &[u8]) -> Option<Tag<'_>> {
    let text = rest.strip_prefix(b" kernel: [")?;
    let length = text.len().checked_add(1)?;
    Some(Tag {
        name: b"kernel",
        pid: None,
        text: rest.get(rest.len().checked_sub(length)?..)?,
    })
}

fn pid(text: &[u8]) -> Option<(i64, &[u8])> {
    // A pid has at most 7 digits (PID_MAX_LIMIT is 4,194,304); tolerate 10.
    let end = memchr::memchr(b']', text.get(..11).unwrap_or(text))?;
    Some((number(text.get(..end)?)?, text.get(end + 1..)?))
}
