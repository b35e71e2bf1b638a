//! auditd: what the kernel and daemons write into the audit log.
//!
//! An event of a system call is several records with one stamp and serial,
//! one a line; handed over together, joined by LF, they become one event. A
//! record alone is an event too, of what it says.

mod facts;
mod group;
mod kinds;
mod record;
mod summary;
mod syscalls;
mod value;

use bumpalo::Bump;

use super::{Context, Format, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::time::Time;
use record::{Pairs, Record, Token, halves};

pub(super) use facts::Facts;
pub(super) use group::{extent, whole};
pub(super) use kinds::kind;

pub(super) static FORMAT: Format = Format {
    name: "auditd",
    about: "the Linux audit log, also in syslog; the records of one event become one; event.action is process_started, connection, connection_accepted, file_created, file_deleted, or the record's type in lower case",
    programs: &[
        "audit",
        "audispd",
        "audisp-syslog",
        "auditd",
        "tag_audit_log",
        "audit_log",
    ],
    logsources: LOGSOURCES,
    parse: Parser::Line(parse),
    example: r#"type=USER_LOGIN msg=audit(1767607200.250:4077): pid=812 uid=0 auid=4294967295 ses=4294967295 msg='op=login acct="alice" exe="/usr/sbin/sshd" hostname=? addr=192.0.2.7 terminal=ssh res=failed'"#,
};

/// What Sigma calls them; [`facts`] says which event is which.
pub(super) const LOGSOURCES: &[LogSource] = &[
    source(&[]),
    source(&["process_creation"]),
    source(&["file_event"]),
    source(&["file_delete"]),
    source(&["network_connection"]),
];

const fn source(categories: &'static [&'static str]) -> LogSource {
    LogSource {
        product: "linux",
        categories,
        services: &["auditd"],
    }
}

/// Facts that a daemon says once. A second one is somebody's text that was not
/// encoded, and nobody can tell which is true.
const ONCE: [&[u8]; 8] = [
    b"acct",
    b"addr",
    b"hostname",
    b"exe",
    b"terminal",
    b"res",
    b"id",
    b"cmd",
];

/// Whether the kernel's message is an audit record; syslog gets those where no
/// audit daemon runs.
pub(super) fn speaks(text: &[u8]) -> bool {
    let text = kernels(text);
    match text.first() {
        Some(b'a') => text.starts_with(b"audit: type=") || text.starts_with(b"audit("),
        Some(b't') => text.starts_with(b"type=1") && Record::read(text).is_some(),
        _ => false,
    }
}

/// A kernel message without its `[ 12.345678] `.
fn kernels(text: &[u8]) -> &[u8] {
    let stamped = text
        .strip_prefix(b"[")
        .and_then(|rest| super::token::cut(rest, b"] "));
    match stamped {
        Some((stamp, rest)) if stamp.len() < 20 => rest,
        _ => text,
    }
}

fn parse<'a>(
    text: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let kernels = kernels(text);
    let text = kernels.strip_prefix(b"audit: ").unwrap_or(kernels);
    let Some(first) = Record::read(text.split(|&b| b == b'\n').next().unwrap_or(text)) else {
        return without_stamp(text, context, arena, event);
    };
    let (Some(time), Some(serial)) = (first.time(context), first.serial()) else {
        return Verdict::Malformed("not an audit stamp");
    };
    // The envelope's stamp is as good, and of one clock with its neighbours.
    event.time = event.time.or(Some(time));
    let mut facts = Facts::new(&context.projection, arena);
    facts.interpreted = first.is_interpreted();
    for line in text.split(|&b| b == b'\n') {
        let record = group::record_in(line).filter(|(header, record)| {
            let host = header.and_then(|header| header.host);
            let same = host.is_none() || event.get(Field::HOST_NAME) == host.map(Value::Text);
            same && record.joins(&first)
        });
        let Some((_, record)) = record else {
            if line.is_empty() {
                continue;
            }
            return Verdict::Malformed("records of more than one event");
        };
        facts.begin(record.kind);
        if let Err(reason) = body(record.body, &mut facts) {
            return Verdict::Malformed(reason);
        }
    }
    if let Some(node) = first.node {
        event.replace(Field::HOST_NAME, Value::Text(node));
    }
    event.replace(Field::AUDITD_SEQUENCE, Value::Int(serial));
    facts.finish(event)
}

/// Only the time of a line that is a record.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    Record::read(line)?.time(context)
}

/// The journal's way to syslog: `USER_LOGIN pid=…`, where the stamp is the envelope's.
fn without_stamp<'a>(
    text: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    if text.starts_with(b"type=") && super::token::cut(text, b" msg=audit(").is_some() {
        return Verdict::Malformed("not an audit record's head");
    }
    let Some((word, rest)) = super::token::cut(text, b" ") else {
        return Verdict::NotMine;
    };
    if event.time.is_none() || kind(word).is_none() || !word.iter().all(|b| !b.is_ascii_digit()) {
        return Verdict::NotMine;
    }
    let mut facts = Facts::new(&context.projection, arena);
    facts.begin(word);
    match body(rest, &mut facts) {
        Ok(()) => facts.finish(event),
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// A record's body: the kernel's words, a daemon's in `msg='…'`, and auditd's
/// readings of the numbers.
fn body<'a>(text: &'a [u8], facts: &mut Facts<'a, '_>) -> Result<(), &'static str> {
    let (said, readings) = halves(text);
    let mut before: &[u8] = &[];
    let mut pairs = Pairs::outer(said);
    while let Some(token) = pairs.next() {
        match token {
            Token::Pair {
                key: b"msg",
                value,
                quoted: true,
            } => {
                if !matches!(pairs.rest.first(), None | Some(b' ')) {
                    return Err("a daemon's words are cut off");
                }
                daemon(value, facts)?;
            }
            // `old auid=1 new auid=2`, before the kernel wrote `old-auid`.
            Token::Pair { .. } if before == b"old" => {}
            Token::Pair { key, value, quoted } => facts.take(key, value, quoted),
            Token::Word(b"denied") => facts.take(b"res", b"no", false),
            Token::Word(_) => {}
        }
        before = match token {
            Token::Word(word) => word,
            Token::Pair { .. } => &[],
        };
    }
    for token in Pairs::outer(readings) {
        if let Token::Pair { key, value, quoted } = token {
            if key.iter().any(u8::is_ascii_lowercase) {
                return Err("what is not auditd's stands among its readings");
            }
            facts.take(key, value, quoted);
        }
    }
    Ok(())
}

/// What a daemon says. Old ones did not encode the account, and wrote `acct=root : exe=`.
fn daemon<'a>(text: &'a [u8], facts: &mut Facts<'a, '_>) -> Result<(), &'static str> {
    let mut seen = [false; ONCE.len()];
    let mut bare: Option<u8> = None;
    let mut tokens = Pairs::inner(text);
    while let Some(token) = tokens.next() {
        match token {
            Token::Pair { key, value, quoted } => {
                bare = None;
                if let Some(at) = ONCE.iter().position(|once| *once == key)
                    && let Some(seen) = seen.get_mut(at)
                    && std::mem::replace(seen, true)
                {
                    return Err("a daemon's word stands twice");
                }
                let old = key == b"acct" && !quoted && tokens.rest.starts_with(b" : ");
                if key == b"acct" && !quoted {
                    bare = Some(0);
                }
                facts.take(key, value, quoted || old);
            }
            Token::Word(word) => match &mut bare {
                Some(colons) if word == b":" && *colons == 0 => *colons = 1,
                Some(_) => return Err("a name with blanks that is not encoded"),
                None => {}
            },
        }
    }
    if tokens.broken {
        return Err("a daemon's quotes do not end");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
