//! Only a line's time, as cheaply as it can be had: merges files by time.

use super::envelope::{self, own};
use super::{
    Context, access, auditd, bsd, cef, cloud, declared, fast, flow, gateway, laurel, leef, logfmt,
    netfilter, tcpdump, timestamp, token, w3c, weblog, windns, windows,
};
use crate::time::{Span, Time};

/// Only a line's time: the one that reading the whole line would give.
pub fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    match line.first()? {
        b'{' if context.declared.is_some() => return declared::peek_time(line, context),
        b'{' => {
            return envelope::journal::peek_time(line)
                .or_else(|| laurel::peek_time(line))
                .or_else(|| cloud::peek_time(line, context))
                .or_else(|| json_time(line, context))
                .or_else(|| declared::peek_time(line, context))
                .or_else(|| windows::peek_time(line, context))
                .or_else(|| envelope::shipped::peek_time(line));
        }
        b't' | b'n' | b'l' => {
            return auditd::peek_time(line, context)
                .or_else(|| logfmt::peek_time(line, context))
                .or_else(|| weblog::peek_time(line, context));
        }
        b'<' if line.starts_with(b"<Event") => return windows::peek_time(line, context),
        _ => {}
    }
    if tcpdump::dated(line) {
        return tcpdump::peek_time(line, context);
    }
    // An own stamp may have a zone where syslog has its host.
    let own = || own::peek_time(line, context);
    let first = (line.get(10) == Some(&b' ')).then(own).flatten();
    first
        .or_else(|| envelope::peek_time(line, context))
        .or_else(own)
        .or_else(|| timestamp::of_daemons(line, context))
        .or_else(|| timestamp::own(line, context))
        .or_else(|| fast::peek_time(line, context))
        .or_else(|| netfilter::peek_time(line))
        .or_else(|| bsd::peek_time(line, context))
        .or_else(|| tcpdump::peek_time(line, context))
        .or_else(|| flow::peek_time(line, context))
        .or_else(|| access::balancer_time(line, context))
        .or_else(|| w3c::peek_time(line, context))
        .or_else(|| flow::lines::peek_time(line, context))
        .or_else(|| windns::peek_time(line, context))
        .or_else(|| epoch(line))
        .or_else(|| cef::peek_time(line, context))
        .or_else(|| envelope::dialect::peek_time(line, context))
        .or_else(|| leef::peek_time(line, context))
        .or_else(|| gateway::panos::peek_time(line, context))
        .or_else(|| gateway::pairs::peek_time(line, context))
}

/// Whether a line's stamp is only a time of day.
pub fn names_no_day(line: &[u8], context: &Context) -> bool {
    tcpdump::names_no_day(line, context)
}

/// Seconds since the epoch at the line's beginning, as Zeek writes them.
pub(super) fn epoch(text: &[u8]) -> Option<Time> {
    let seconds = text.iter().position(|b| !b.is_ascii_digit())?;
    let (whole, rest) = text.split_at_checked(seconds)?;
    let decimals = rest.strip_prefix(b".")?;
    let end = decimals
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(decimals.len());
    if decimals.get(end) == Some(&b'.') {
        // Webmin's `1714557600.812.0`: time, pid and counter.
        return Some(Time::from_secs(token::number(whole)?));
    }
    let decimals = decimals.get(..end.min(9))?;
    let scale = 10_i64.pow(9 - u32::try_from(decimals.len()).ok()?);
    let nanos = token::number(decimals)?.checked_mul(scale)?;
    Some(Time::from_secs(token::number(whole)?).plus(Span::from_nanos(nanos)))
}

/// Whole seconds since the epoch, which JSON writes without a point.
fn whole_seconds(text: &[u8]) -> Option<Time> {
    let end = text.iter().position(|b| !b.is_ascii_digit())?;
    let ends = matches!(text.get(end), Some(b',' | b'}' | b' '));
    let seconds = token::number(text.get(..end.min(10)).filter(|_| ends && end <= 10)?)?;
    Some(Time::from_secs(seconds))
}

/// The stamp of a JSON line, at the keys that logs use for it.
fn json_time(line: &[u8], context: &Context) -> Option<Time> {
    // MongoDB begins with `{"t":{"$date":`.
    let keys = [
        &b"\"ts\":"[..],
        b"\"@timestamp\":",
        b"\"timestamp\":",
        b"\"time\":",
        b"\"$date\":",
        // sudo's, before which stands no other.
        b"\"seconds\":",
    ];
    keys.iter().find_map(|key| {
        let (_, value) = token::cut(line, key)?;
        let value = token::trim_start(value);
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        timestamp::iso(value, context)
            .map(|(time, _)| time)
            .or_else(|| epoch(value))
            .or_else(|| whole_seconds(value))
    })
}
