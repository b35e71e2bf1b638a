//! Snare's and NXLog's text in syslog: fields between tabs, then the message
//! as Windows shows it. What a client calls itself stands in that message, so
//! that what is looked for must stand there once.

use bumpalo::Bump;

use super::Facts;
use crate::format::Context;
use crate::format::timestamp;
use crate::format::token::{cut, number, trim_end, trim_start};
use crate::time::Time;

/// What stands before a value of the message, what the value is called, and
/// what stands behind it.
const SAID: [(&[u8], &[u8], &[u8]); 4] = [
    (b"Logon Type:", b"LogonType", b" "),
    (
        b"Workstation Name:",
        b"WorkstationName",
        b"Source Network Address:",
    ),
    (b"Source Network Address:", b"IpAddress", b" "),
    (b"Source Port:", b"IpPort", b" "),
];

/// The parts of a message that are about the account itself.
const ACCOUNTS: [&[u8]; 2] = [b"Account For Which Logon Failed:", b"New Logon:"];

type Read = Result<Option<Time>, &'static str>;

/// `1⇥Security⇥123⇥Mon Jan 05 10:00:00 2026⇥4625⇥SOURCE⇥USER⇥SID⇥TYPE⇥COMPUTER⇥CATEGORY⇥DATA⇥TEXT`;
/// none where it is no such line. rsyslog writes `#011` for a tab.
pub(super) fn read<'a>(
    text: &'a [u8],
    context: &Context,
    arena: &'a Bump,
    facts: &mut Facts<'a>,
) -> Option<Read> {
    let text = text.strip_prefix(b"MSWinEventLog").unwrap_or(text);
    let text = match memchr::memmem::find(text, b"#011") {
        Some(_) => tabbed(text, arena),
        None => text,
    };
    let text = text.strip_prefix(b"\t").unwrap_or(text);
    let mut parts = text.splitn(14, |&b| b == b'\t');
    let [_severity, channel, _counter, stamp, id, provider] = [(); 6].map(|()| parts.next());
    let [_user, _sid, audit, host, _category, _data, message] = [(); 7].map(|()| parts.next());
    let id = number(id?).filter(|id| (1..65_536).contains(id))?;
    facts.id = Some(id);
    facts.channel = channel;
    facts.provider = provider;
    facts.host = host;
    facts.audit = match audit {
        Some(b"Success Audit") => Some(true),
        Some(b"Failure Audit") => Some(false),
        _ => None,
    };
    let time = stamp.and_then(|stamp| timestamp::ctime(stamp, context));
    Some(said(message.unwrap_or_default(), facts).map(|()| time.map(|(time, _)| time)))
}

fn tabbed<'a>(text: &'a [u8], arena: &'a Bump) -> &'a [u8] {
    let mut plain = bumpalo::collections::Vec::with_capacity_in(text.len(), arena);
    let mut rest = text;
    while let Some((before, after)) = cut(rest, b"#011") {
        plain.extend_from_slice_copy(before);
        plain.push(b'\t');
        rest = after;
    }
    plain.extend_from_slice_copy(rest);
    plain.into_bump_slice()
}

fn said<'a>(message: &'a [u8], facts: &mut Facts<'a>) -> Result<(), &'static str> {
    for (before, name, behind) in SAID {
        let Some((_, rest)) = cut(message, before) else {
            continue;
        };
        if cut(rest, before).is_some() {
            return Err("a value stands twice in the message");
        }
        let rest = trim_start(rest);
        let value = cut(rest, behind).map_or(rest, |(value, _)| value);
        let value = value.split(|&b| b == b'\t').next().unwrap_or(value);
        facts.take(name, trim_end(value));
    }
    let account = ACCOUNTS.iter().find_map(|part| cut(message, part));
    if let Some((_, part)) = account
        && let Some((_, rest)) = cut(part, b"Account Name:")
        && let Some((user, rest)) = cut(rest, b"Account Domain:")
    {
        facts.take(b"TargetUserName", trim_end(trim_start(user)));
        let domain = trim_start(rest).split(|&b| b == b' ' || b == b'\t').next();
        facts.take(b"TargetDomainName", domain.unwrap_or_default());
    }
    Ok(())
}
