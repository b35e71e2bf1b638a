//! Which format a line is read by, decided from the line's own bytes.
//!
//! Lines in an envelope go to the format of their program; others are offered
//! to the formats of whole lines in the order of the table. What stands inside
//! another line (a container's, a GELF message) is read as if it stood alone,
//! one level deep.

use bumpalo::Bump;

use super::envelope::{self, Read, Tagged, own};
use super::programs::{answering, class_of, of_line, of_program};
use super::{
    Context, FORMATS, Format, Message, Parsed, Parser, SYSLOG, Verdict, access, auditd, cef, cisco,
    declared, flow, gateway, leef, netfilter, pam, tcpdump, token, zeek,
};
use crate::event::{Class, Event};
use crate::field::Field;

/// Most times a line may say that it was repeated; rsyslog counts in 32 bits,
/// and what claims more is not rsyslog.
pub(super) const REPEATED_MAX: i64 = 1_000_000;

/// Reads a line into an empty event: its time, class and fields.
///
/// Lines that no format reads still get their envelope's fields and a class,
/// so that keyword rules can see them.
pub fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Parsed {
    debug_assert!(
        event.values().is_empty(),
        "a line is read into an empty event"
    );
    event.line = line;
    event.class = class_of(&SYSLOG);
    let forced = context
        .format
        .and_then(|row| FORMATS.get(usize::from(row)).copied());
    let verdict = match (forced, &context.program) {
        (Some(format), _) => as_format(format, line, context, arena, event),
        (None, Some(program)) => {
            let text = envelope::container::unwrapped(line, context, arena, event).unwrap_or(line);
            let program = program.as_bytes();
            let tagged = named(program, text, event);
            Some(deliver(tagged, context, arena, event))
        }
        (None, None) => sniffed(line, None, context, arena, event),
    };
    Parsed {
        verdict: verdict.unwrap_or(Verdict::NotMine),
        format: verdict.map(|_| event.class.format),
    }
}

/// Length of the first line of `text`, and of those after it that are read
/// together with it (the audit records of one event), without the last LF;
/// and how many lines that is.
pub fn extent(text: &[u8]) -> (usize, u32) {
    let line = memchr::memchr(b'\n', text).unwrap_or(text.len());
    match text.first() {
        Some(b't' | b'n' | b'A'..=b'Z' | b'0'..=b'9' | b'<') => auditd::extent(text, line),
        _ => (line, 1),
    }
}

/// How much of these whole lines can be handed on although what follows is not
/// there yet: all, or all but lines at the end that more may join.
pub fn whole(text: &[u8]) -> usize {
    auditd::whole(text)
}

/// Whether a line may say what the lines after it mean: [`Context::absorb`]
/// knows for sure.
pub fn announces(line: &[u8]) -> bool {
    line.first() == Some(&b'#') || flow::announces(line)
}

/// What the line's first bytes say that it is; none where no format knows it.
/// Inside an `outer` line no other wrapper is opened: nobody nests them, and a
/// hostile line could do so without end.
fn sniffed<'a>(
    line: &'a [u8],
    outer: Option<&'static Format>,
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Option<Verdict> {
    if context.declared.is_some() && line.first() == Some(&b'{') {
        return as_line(&declared::FORMAT, line, context, arena, event);
    }
    if context.layout.is_some() && outer.is_none() {
        // The rows below a Zeek header are Zeek's, and begin like an ISO stamp.
        let verdict = as_line(&zeek::FORMAT, line, context, arena, event);
        if verdict.is_some() {
            return verdict;
        }
    }
    // rsyslog writes `T` in its ISO stamps; with a blank there, the line is
    // first of all some program's own log.
    let own_stamp =
        line.get(10) == Some(&b' ') && line.get(4) == Some(&b'-') || access::balances(line);
    if own_stamp && let Some(verdict) = as_any_line(line, outer, context, arena, event) {
        return Some(verdict);
    }
    let verdict = enveloped(line, outer, context, arena, event);
    if verdict.is_some() {
        return verdict;
    }
    if let Some(own) = own::read(line, context) {
        return Some(deliver(own.tag(event), context, arena, event));
    }
    if own_stamp {
        return None;
    }
    let verdict = as_any_line(line, outer, context, arena, event);
    if verdict.is_some() {
        return verdict;
    }
    unstamped(line, context, arena, event)
}

/// `host sshd[812]: message`, as people cut journalctl's output. Without a
/// stamp it is shown by `parse` and never judged: what has no time moves no
/// state, so nothing is gained by forging one.
fn unstamped<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Option<Verdict> {
    let before = event.values().len();
    if let Some(tagged) = envelope::rfc3164::read_unstamped(line, event)
        && event.get(Field::HOST_NAME).is_some()
        && known(&tagged)
    {
        return Some(deliver(tagged, context, arena, event));
    }
    event.truncate(before);
    None
}

/// The line as what stands in its envelope, if it has one.
fn enveloped<'a>(
    line: &'a [u8],
    outer: Option<&'static Format>,
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Option<Verdict> {
    let stamped = matches!(
        line.first(),
        Some(b'0'..=b'9' | b'<' | b'@' | b'A'..=b'Z' | b'*' | b'.' | b'[')
    );
    if !stamped || tcpdump::dated(line) {
        return None;
    }
    if let Some(own) = own::sudo(line, context) {
        return Some(deliver(own.tag(event), context, arena, event));
    }
    let before = event.values().len();
    let read = match envelope::read(line, context, event) {
        Read::Nothing => envelope::dialect::read(line, context, event),
        read => read,
    };
    match read {
        Read::Message(tagged) => {
            if !known(&tagged)
                && let Some(own) = own::read(line, context)
            {
                // What looked like host and tag was the message.
                event.truncate(before);
                return Some(deliver(own.tag(event), context, arena, event));
            }
            Some(deliver(tagged, context, arena, event))
        }
        Read::Malformed(reason) => Some(Verdict::Malformed(reason)),
        Read::Inner(text) if outer.is_none() => {
            let cri = &envelope::container::CRI;
            Some(inner(text, cri, context, arena, event))
        }
        Read::Inner(_) | Read::Nothing => None,
    }
}

/// The line as the first format of whole lines that takes it.
fn as_any_line<'a>(
    line: &'a [u8],
    outer: Option<&'static Format>,
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Option<Verdict> {
    let wraps = |format: &Format| envelope::WRAPPERS.iter().any(|w| std::ptr::eq(*w, format));
    let taken = of_line(line)
        .iter()
        .filter(|(format, _)| outer.is_none() || !wraps(format))
        .find_map(|&row| as_row(row, line, context, arena, event));
    untaken(taken, event)
}

/// The line as a format of whole lines reads it. One that says
/// [`Verdict::NotMine`] and leaves no value behind has not taken the line.
fn as_line<'a>(
    format: &'static Format,
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Option<Verdict> {
    let taken = as_row((format, class_of(format)), line, context, arena, event);
    untaken(taken, event)
}

/// A line that no format took is nobody's.
fn untaken(taken: Option<Verdict>, event: &mut Event<'_>) -> Option<Verdict> {
    if taken.is_none() {
        event.class = class_of(&SYSLOG);
    }
    taken
}

fn as_row<'a>(
    (format, class): (&'static Format, Class),
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Option<Verdict> {
    let (before, time) = (event.values().len(), event.time);
    event.class = class;
    let verdict = match format.parse {
        Parser::Line(read) => read(line, context, arena, event),
        Parser::Text(read) => {
            let verdict = read(token::trim_end(line), context, event);
            if verdict != Verdict::Event {
                event.truncate(before);
            }
            verdict
        }
        Parser::Message(_) => Verdict::NotMine,
    };
    if verdict == Verdict::NotMine && event.values().len() == before {
        event.time = time;
        return None;
    }
    let sound = sound(verdict, event);
    if sound != verdict {
        event.truncate(before);
    }
    Some(sound)
}

/// The line as the format that the user named reads it.
fn as_format<'a>(
    format: &'static Format,
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Option<Verdict> {
    if matches!(format.parse, Parser::Line(_)) && format.programs.is_empty() {
        return as_line(format, line, context, arena, event);
    }
    if let Parser::Message(_) = format.parse
        && let Some(own) = own::read(line, context)
        && format.programs.contains(&own.program)
    {
        let message = own.tag(event).message;
        return Some(deliver_to(format, message, context, arena, event));
    }
    let tagged = match envelope::read(line, context, event) {
        Read::Message(tagged) => tagged,
        Read::Malformed(reason) => return Some(Verdict::Malformed(reason)),
        Read::Inner(text) => bare(format, text, event),
        Read::Nothing => {
            let verdict = as_line(format, line, context, arena, event);
            if verdict.is_some() {
                return verdict;
            }
            bare(format, line, event)
        }
    };
    if std::ptr::eq(format, &raw const SYSLOG) || speaks_pam(&tagged) {
        return Some(deliver(tagged, context, arena, event));
    }
    Some(deliver_to(format, tagged.message, context, arena, event))
}

/// A message without a stamp, of a program that the user named (`--format`).
fn bare<'a>(format: &'static Format, line: &'a [u8], event: &mut Event<'a>) -> Tagged<'a> {
    if let Some(tagged) = envelope::rfc3164::read_unstamped(line, event) {
        return tagged;
    }
    let program = format.programs.first().copied().unwrap_or_default();
    Tagged::by_name(program.as_bytes(), line)
}

/// A message of the program that the user named (`--program`), below what is
/// left of a header that says the same: `host sshd[812]: `.
fn named<'a>(program: &'a [u8], text: &'a [u8], event: &mut Event<'a>) -> Tagged<'a> {
    let before = event.values().len();
    match envelope::rfc3164::read_unstamped(text, event) {
        Some(tagged) if tagged.message.program == program => tagged,
        _ => {
            event.truncate(before);
            Tagged::by_name(program, text)
        }
    }
}

/// A line that stands inside another, read as if it stood alone; the time of
/// the outer one, which whoever collected it wrote, is the event's.
pub(super) fn inner<'a>(
    text: &'a [u8],
    outer: &'static Format,
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let time = event.time;
    let verdict = sniffed(text, Some(outer), context, arena, event);
    event.time = time.or(event.time);
    if let Some(verdict) = verdict {
        return verdict;
    }
    event.class = class_of(outer);
    keep_message(text, event);
    Verdict::NotMine
}

/// Gives a message to the format of its program. PAM's modules speak inside
/// any program, and say so first.
pub(super) fn deliver<'a>(
    tagged: Tagged<'a>,
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let message = match repeated(tagged.message.text) {
        Ok(None) => tagged.message,
        Ok(Some((times, text))) => {
            event.count = times;
            Message {
                text,
                ..tagged.message
            }
        }
        Err(reason) => {
            event.text(Field::MESSAGE, tagged.message.text);
            return Verdict::Malformed(reason);
        }
    };
    if speaks_pam(&Tagged { message, ..tagged }) {
        return deliver_to(&pam::FORMAT, message, context, arena, event);
    }
    if message.program.is_empty()
        && let Some(verdict) = unnamed(message.text, context, event)
    {
        return verdict;
    }
    let first = deliver_to(format_of(message), message, context, arena, event);
    if first != Verdict::NotMine {
        return first;
    }
    // The kernel speaks for several formats; what is nobody's stays a line of
    // the first.
    let class = event.class;
    for format in answering(message.program).skip(1) {
        let verdict = deliver_to(format, message, context, arena, event);
        if verdict != Verdict::NotMine {
            return verdict;
        }
    }
    event.class = class;
    first
}

/// A stamp, then a line of a program that never says its name (CoreDNS).
fn unnamed<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Option<Verdict> {
    let (before, time) = (event.values().len(), event.time);
    for format in FORMATS {
        let Parser::Text(read) = format.parse else {
            continue;
        };
        event.class = class_of(format);
        let verdict = sound(read(token::trim_end(text), context, event), event);
        if verdict != Verdict::Event {
            event.truncate(before);
            event.time = time;
        }
        if verdict != Verdict::NotMine {
            keep_message(text, event);
            return Some(verdict);
        }
    }
    event.class = class_of(&SYSLOG);
    None
}

/// The format of a message. CEF and LEEF only where no program of ours wrote
/// the text, since whoever can make a known one quote him must not make it
/// speak for an appliance.
pub(super) fn format_of(message: Message<'_>) -> &'static Format {
    if pam::speaks(message.text) {
        return &pam::FORMAT;
    }
    if message.program == b"kernel" && auditd::speaks(message.text) {
        return &auditd::FORMAT;
    }
    let known = of_program(message.program);
    if !std::ptr::eq(known, &raw const SYSLOG) {
        known
    } else if cef::speaks(message.text) {
        &cef::FORMAT
    } else if leef::speaks(message.text) {
        &leef::FORMAT
    } else if netfilter::speaks(message.text) {
        &netfilter::FORMAT
    } else if cisco::speaks(message.text) {
        &cisco::FORMAT
    } else if gateway::speaks(message.text) {
        &gateway::pairs::FORMAT
    } else {
        known
    }
}

fn deliver_to<'a>(
    format: &'static Format,
    message: Message<'a>,
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    event.class = class_of(format);
    keep_message(message.text, event);
    let envelope = event.values().len();
    let verdict = match format.parse {
        Parser::Message(read) => read(message, event),
        Parser::Line(read) => read(message.text, context, arena, event),
        Parser::Text(read) => read(message.text, context, event),
    };
    let verdict = sound(verdict, event);
    if verdict != Verdict::Event {
        event.truncate(envelope);
    }
    verdict
}

/// What is said, unless an outer line or the format itself has set it.
fn keep_message<'a>(text: &'a [u8], event: &mut Event<'a>) {
    if !text.is_empty() && event.get(Field::MESSAGE).is_none() {
        event.text(Field::MESSAGE, text);
    }
}

/// A line that tells a field twice can be read in two ways.
pub(super) fn sound(verdict: Verdict, event: &Event<'_>) -> Verdict {
    if verdict == Verdict::Event && event.is_told_twice() {
        return Verdict::Malformed("a field is told twice");
    }
    verdict
}

/// Whether a PAM module wrote the message, in whatever program.
fn speaks_pam(tagged: &Tagged<'_>) -> bool {
    tagged.pam || pam::speaks(tagged.message.text)
}

/// Whether a format waits for the message.
fn known(tagged: &Tagged<'_>) -> bool {
    speaks_pam(tagged) || !std::ptr::eq(of_program(tagged.message.program), &raw const SYSLOG)
}

/// `message repeated 3 times: [ text]`: how often, and the text.
fn repeated(text: &[u8]) -> Result<Option<(u32, &[u8])>, &'static str> {
    let Some((times, rest)) = text
        .strip_prefix(b"message repeated ")
        .and_then(|rest| token::cut(rest, b" times: ["))
    else {
        return Ok(None);
    };
    let times = token::number(times)
        .filter(|n| (1..=REPEATED_MAX).contains(n))
        .and_then(|n| u32::try_from(n).ok())
        .ok_or("repeated more often than could be")?;
    let inner = rest
        .strip_suffix(b"]")
        .ok_or("a repeated message without end")?;
    Ok(Some((times, token::trim_end(token::trim_start(inner)))))
}
