//! The stamps of programs that have their own way to write one: web servers,
//! proxies and name servers, and those inside Zeek's rows and JSON.

use super::{civil, decimals, iso, local, month, two, year_of, zone};
use crate::format::token::{digit, number};
use crate::format::{Context, access, haproxy};
use crate::time::{Civil, Span, Time};

/// `10/Oct/2000:13:55:36 -0700`, as web servers and proxies write it; the zone
/// and decimals may be missing.
pub(in crate::format) fn clf<'a>(text: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    let (civil, rest) = day_first(text, b'/', b':')?;
    let blank = rest.strip_prefix(b" ").unwrap_or(rest);
    match zone(blank)? {
        (Some(east), rest) => Some((civil.time()?.minus(east), rest)),
        (None, rest) => Some((local(civil, context)?, rest)),
    }
}

/// `2024/01/31 13:55:36`, as nginx writes it.
pub(in crate::format) fn slashed<'a>(
    text: &'a [u8],
    context: &Context,
) -> Option<(Time, &'a [u8])> {
    year_first(text, b'/', b' ', context)
}

/// `2024:01:31-13:55:36 `, as Sophos' UTM writes it.
pub(in crate::format) fn colons<'a>(text: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    year_first(text, b':', b'-', context)
}

/// Year, month and day with one byte between them and another before the time.
fn year_first<'a>(
    text: &'a [u8],
    within: u8,
    before: u8,
    context: &Context,
) -> Option<(Time, &'a [u8])> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let [
        y0,
        y1,
        y2,
        y3,
        a,
        m0,
        m1,
        b,
        d0,
        d1,
        c,
        h0,
        h1,
        b':',
        n0,
        n1,
        b':',
        s0,
        s1,
    ] = *head
    else {
        return None;
    };
    if [a, b, c] != [within, within, before] {
        return None;
    }
    let date = (year_of([y0, y1, y2, y3])?, two(m0, m1), two(d0, d1));
    let civil = civil(date, [two(h0, h1), two(n0, n1), two(s0, s1)], 0);
    Some((local(civil, context)?, rest))
}

/// `31-Jan-2024 13:55:36.123`, as BIND writes it.
pub(in crate::format) fn dashed<'a>(text: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    let (civil, rest) = day_first(text, b'-', b' ')?;
    Some((local(civil, context)?, rest))
}

/// Day, month's name and year with `dash` between them, `blank`, and a clock
/// that may have decimals: `10/Oct/2000:13:55:36`.
pub(in crate::format) fn day_first(text: &[u8], dash: u8, blank: u8) -> Option<(Civil, &[u8])> {
    let (head, rest) = text.split_first_chunk::<20>()?;
    let [
        d0,
        d1,
        dash0,
        a,
        b,
        c,
        dash1,
        y0,
        y1,
        y2,
        y3,
        gap,
        h0,
        h1,
        b':',
        n0,
        n1,
        b':',
        s0,
        s1,
    ] = *head
    else {
        return None;
    };
    if [dash0, dash1, gap] != [dash, dash, blank] {
        return None;
    }
    let date = (year_of([y0, y1, y2, y3])?, month([a, b, c])?, two(d0, d1));
    let (nanos, rest) = decimals(rest)?;
    let clock = [two(h0, h1), two(n0, n1), two(s0, s1)];
    Some((civil(date, clock, nanos), rest))
}

/// `Wed Oct 11 14:32:52.123456 2023`, as ctime(3) and Apache write it; the day
/// may be padded with a blank or a zero, or not at all.
pub(in crate::format) fn ctime<'a>(text: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    const DAYS: [&[u8; 4]; 7] = [
        b"Mon ", b"Tue ", b"Wed ", b"Thu ", b"Fri ", b"Sat ", b"Sun ",
    ];
    let (weekday, rest) = text.split_first_chunk::<4>()?;
    if !DAYS.contains(&weekday) {
        return None;
    }
    let (name, rest) = rest.split_first_chunk::<3>()?;
    let (day, rest) = match *rest.strip_prefix(b" ")? {
        [b' ', d0, b' ', ref rest @ ..] | [d0, b' ', ref rest @ ..] => (digit(d0)?, rest),
        [d0, d1, b' ', ref rest @ ..] => (two(d0, d1), rest),
        _ => return None,
    };
    let ([h0, h1, b':', n0, n1, b':', s0, s1], rest) = rest.split_first_chunk::<8>()? else {
        return None;
    };
    let (nanos, rest) = decimals(rest)?;
    let ([b' ', year @ ..], rest) = rest.split_first_chunk::<5>()? else {
        return None;
    };
    let date = (year_of(*year)?, month(*name)?, day);
    let clock = [two(*h0, *h1), two(*n0, *n1), two(*s0, *s1)];
    Some((local(civil(date, clock, nanos), context)?, rest))
}

/// The stamp of a line whose program has its own way to write one.
pub(in crate::format) fn own(line: &[u8], context: &Context) -> Option<Time> {
    match line.first()? {
        b'[' => bracketed(line.get(1..)?, context),
        b'0'..=b'9' => slashed(line, context).or_else(|| dashed(line, context)),
        _ => None,
    }
    .or_else(|| {
        let (stamp, _) = access::stamp(line, context)?;
        Some(stamp)
    })
    .map(|(time, _)| time)
    .or_else(|| haproxy::peek_time(line, context))
}

/// The stamps that stand in brackets at a line's beginning.
pub(in crate::format) fn bracketed<'a>(
    text: &'a [u8],
    context: &Context,
) -> Option<(Time, &'a [u8])> {
    match *text {
        [_, _, b'/', ..] => clf(text, context),
        [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-', ..] => iso(text, context),
        [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'/', ..] => slashed(text, context),
        [b'0'..=b'9', ..] => {
            let end = memchr::memchr(b']', text.get(..12).unwrap_or(text))?;
            let seconds = number(text.get(..end)?)?;
            Some((Time::from_secs(seconds), text.get(end..)?))
        }
        _ => ctime(text, context),
    }
}

/// Seconds since the epoch at the line's beginning, as Zeek writes them.
pub(in crate::format) fn epoch(text: &[u8]) -> Option<Time> {
    let seconds = text.iter().position(|b| !b.is_ascii_digit())?;
    let (whole, rest) = text.split_at_checked(seconds)?;
    let decimals = rest.strip_prefix(b".")?;
    let end = decimals
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(decimals.len());
    let decimals = decimals.get(..end.min(9))?;
    let scale = 10_i64.pow(9 - u32::try_from(decimals.len()).ok()?);
    let nanos = number(decimals)?.checked_mul(scale)?;
    Some(Time::from_secs(number(whole)?).plus(Span::from_nanos(nanos)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_programs_spelling_of_one_instant_is_that_instant() {
        let context = Context::utc(Time::from_secs(1_714_521_600));
        for line in [
            r#"192.0.2.7 - - [01/May/2024:12:00:00 +0200] "GET / HTTP/1.1" 200 1"#,
            r#"192.0.2.7 - - [01/May/2024:10:00:00] "GET / HTTP/1.1" 200 1"#,
            "192.0.2.7:1 [01/May/2024:10:00:00.000] a b/c 0/0/1 1 -- 1/1/0/0/0 0/0",
            "2024/05/01 10:00:00 [notice] 1#1: x",
            "01-May-2024 10:00:00.000 client",
            "[Wed May 01 10:00:00.000 2024] [error] x",
            "[Wed May  1 10:00:00 2024] [error] x",
            "[Wed May 1 10:00:00 2024] [error] x",
            "[01/May/2024:10:00:00 +0000] x",
            "[1714557600] unbound[1:0] info: x",
        ] {
            let shown = own(line.as_bytes(), &context).map(|time| time.to_string());
            assert_eq!(shown.as_deref(), Some("2024-05-01T10:00:00Z"), "{line}");
        }
    }

    #[test]
    fn what_is_no_instant_is_no_stamp() {
        let context = Context::utc(Time::from_secs(1_714_521_600));
        for line in [
            "32-May-2024 10:00:00.000 client",
            "2024/13/01 10:00:00 [notice]",
            "[Wed Foo 01 10:00:00 2024] [error]",
            "[30/Feb/2024:10:00:00 +0000] x",
            "[17145576000000] unbound[1:0]",
            "[",
            "",
        ] {
            assert_eq!(own(line.as_bytes(), &context), None, "{line}");
        }
    }
}
