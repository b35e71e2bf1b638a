//! `VMID LEVEL CHAIN DD/Mon/YYYY:HH:MM:SS +ZZZZ VERDICT: IN=… …`, as pvefw-logger writes it.

use bumpalo::Bump;

use super::{divide, packet, set_rule};
use crate::event::Event;
use crate::format::timestamp::{day_first, zone};
use crate::format::token::{cut, number};
use crate::format::{Context, Verdict};
use crate::time::Time;

pub(super) fn parse<'a>(
    line: &'a [u8],
    _context: &'a Context,
    _arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let Some((time, rest)) = head(line) else {
        return Verdict::NotMine;
    };
    // What a virtual machine sends to a host's own chain has no IN=.
    let divided = divide(rest).or_else(|| {
        let at = memchr::memmem::find(rest, b"OUT=")?;
        rest.split_at_checked(at)
    });
    let Some((prefix, words)) = divided else {
        return Verdict::NotMine;
    };
    let before = event.values().len();
    event.time = Some(time);
    set_rule(prefix, event);
    match packet::read(words, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => {
            event.truncate(before);
            Verdict::Malformed(reason)
        }
    }
}

pub(super) fn peek_time(line: &[u8]) -> Option<Time> {
    head(line).map(|(time, _)| time)
}

/// The stamp, and what stands after it.
fn head(line: &[u8]) -> Option<(Time, &[u8])> {
    if !line.first()?.is_ascii_digit() {
        return None;
    }
    let (machine, rest) = cut(line, b" ")?;
    let (level, rest) = cut(rest, b" ")?;
    number(machine)?;
    number(level)?;
    let (_chain, rest) = cut(rest, b" ")?;
    let (civil, rest) = day_first(rest, b'/', b':')?;
    let (east, rest) = zone(rest.strip_prefix(b" ")?)?;
    Some((civil.time()?.minus(east?), rest.strip_prefix(b" ")?))
}
