//! The stamps that programs write in their own logs: Exim's, PostgreSQL's,
//! mysqld's and RFC 2822's.

use crate::format::Context;
use crate::format::timestamp::{NOT_DIGITS, decimals, iso, iso_civil, local, month, two, zone};
use crate::format::token::{cut, number, trim_start};
use crate::time::{Civil, Span, Time};

/// How a program names the zone after a stamp and a blank.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum Zones {
    /// By its offset, `+0200`, or not at all.
    Offset,
    /// By its name, or by its offset where it has none.
    Name,
}

/// `2024-05-01 10:00:00[.678][ +0200| UTC| CEST] `: the zone after a blank, as
/// Exim and PostgreSQL write it. A name other than UTC's is not looked up.
pub(in crate::format) fn spaced<'a>(
    text: &'a [u8],
    zones: Zones,
    context: &Context,
) -> Option<(Time, &'a [u8])> {
    let (civil, rest) = iso_civil(text)?;
    let end = rest.iter().position(|b| !b.is_ascii_whitespace())?;
    let (blank, word) = rest.split_at_checked(end)?;
    let length = word.iter().position(|&b| matches!(b, b' ' | b':'))?;
    let (name, after) = word.split_at_checked(length)?;
    let after = after.get(1..)?;
    if blank.is_empty() {
        return None;
    }
    // PostgreSQL shortens `+0200` to `+02`.
    let east = match name {
        [sign @ (b'+' | b'-'), h0, h1] if zones == Zones::Name => {
            zone(&[*sign, *h0, *h1, b'0', b'0']).and_then(|(east, _)| east)
        }
        [b'+' | b'-', _, _, _, _] => zone(name).and_then(|(east, _)| east),
        b"UTC" | b"GMT" if zones == Zones::Name => Some(Span::ZERO),
        _ => None,
    };
    let named = zones == Zones::Name
        && (3..=5).contains(&length)
        && name.iter().all(u8::is_ascii_uppercase);
    match east {
        Some(east) => Some((civil.time()?.minus(east), after)),
        None if named => Some((local(civil, context)?, after)),
        None => Some((local(civil, context)?, word)),
    }
}

/// `130324  8:24:09 `, `2021-11-09  5:13:12 ` and ISO stamps: mysqld's.
pub(in crate::format) fn mysqld<'a>(text: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    if let Some((time, rest)) = iso(text, context) {
        let rest = rest
            .strip_prefix(b" ")
            .or_else(|| rest.strip_prefix(b"\t"))?;
        return Some((time, trim_start(rest)));
    }
    let (date, rest) = cut(text, b" ")?;
    let (year, month, day) = match *date {
        [y0, y1, m0, m1, d0, d1] | [b'2', b'0', y0, y1, b'-', m0, m1, b'-', d0, d1] => {
            (two(y0, y1), two(m0, m1), two(d0, d1))
        }
        _ => return None,
    };
    let (hour, rest) = match *rest {
        [b' ', h1, b':', ref rest @ ..] => (two(b'0', h1), rest),
        [h0, h1, b':', ref rest @ ..] => (two(h0, h1), rest),
        _ => return None,
    };
    let [n0, n1, b':', s0, s1, b' ', rest @ ..] = rest else {
        return None;
    };
    if year == NOT_DIGITS {
        return None;
    }
    let civil = Civil {
        year: 2000 + i64::from(year),
        month,
        day,
        hour,
        minute: two(*n0, *n1),
        second: two(*s0, *s1),
        nanos: 0,
    };
    Some((local(civil, context)?, trim_start(rest)))
}

/// `Thu, 14 Oct 2021 15:24:12.023984 UTC`, all of the text.
pub(in crate::format) fn rfc2822(text: &[u8], context: &Context) -> Option<Time> {
    let (_, rest) = cut(text, b", ")?;
    let [d0, d1, b' ', m0, m1, m2, b' ', rest @ ..] = rest else {
        return None;
    };
    let (year, rest) = rest.split_first_chunk::<4>()?;
    let [b' ', h0, h1, b':', n0, n1, b':', s0, s1, rest @ ..] = rest else {
        return None;
    };
    let (nanos, rest) = decimals(rest)?;
    let civil = Civil {
        year: number(year)?,
        month: month([*m0, *m1, *m2])?,
        day: two(*d0, *d1),
        hour: two(*h0, *h1),
        minute: two(*n0, *n1),
        second: two(*s0, *s1),
        nanos,
    };
    match rest {
        b" UTC" | b" GMT" => civil.time(),
        _ => local(civil, context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_programs_spelling_of_one_instant_is_that_instant() {
        let context = Context::utc(Time::from_secs(1_714_521_600));
        let shown = |read: Option<(Time, &[u8])>| read.map(|(time, _)| time.to_string());
        let expected = Some("2024-05-01T08:00:00Z".to_owned());
        for (text, zones) in [
            ("2024-05-01 08:00:00 x ", Zones::Offset),
            ("2024-05-01 10:00:00 +0200 x", Zones::Offset),
            ("2024-05-01 10:00:00 +02 [7]", Zones::Name),
            ("2024-05-01 08:00:00 UTC:x", Zones::Name),
        ] {
            let read = spaced(text.as_bytes(), zones, &context);
            assert_eq!(shown(read), expected, "{text}");
        }
        for text in [
            "240501  8:00:00 [x]",
            "2024-05-01  8:00:00 7 [x]",
            "2024-05-01T08:00:00Z 7",
        ] {
            assert_eq!(shown(mysqld(text.as_bytes(), &context)), expected, "{text}");
        }
        let time = rfc2822(b"Wed, 01 May 2024 08:00:00 UTC", &context);
        assert_eq!(time.map(|time| time.to_string()), expected);
    }

    #[test]
    fn a_zone_by_name_is_not_read_where_exim_writes() {
        let context = Context::utc(Time::from_secs(1_714_521_600));
        let (_, rest) =
            spaced(b"2024-05-01 08:00:00 UTC [7] H=x", Zones::Offset, &context).unwrap();
        assert_eq!(rest, b"UTC [7] H=x");
    }
}
