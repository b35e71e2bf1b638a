//! The stamps that daemons put before the lines of their own logs.

use super::{civil, ctime, iso, local, rfc3164, two, year_of};
use crate::format::Context;
use crate::time::Time;

/// Only the time of stamps that programs put before their own logs' lines.
pub(in crate::format) fn of_daemons(text: &[u8], context: &Context) -> Option<Time> {
    match text.first()? {
        b'[' => compact(text, context).map(|(time, _)| time).or_else(|| {
            let (_, stamp, _) = crate::format::shape::pid_and_stamp(text)?;
            rfc3164(stamp, context).map(|(time, _)| time)
        }),
        b'A'..=b'Z' => ctime(text, context).map(|(time, _)| time),
        _ => None,
    }
}

/// `[20240501-10:00:00]`, and `[2024-05-01T10:00:00.123+0200]`.
pub(in crate::format) fn compact<'a>(
    text: &'a [u8],
    context: &Context,
) -> Option<(Time, &'a [u8])> {
    let text = text.strip_prefix(b"[")?;
    let (time, rest) = if text.get(4) == Some(&b'-') {
        iso(text, context)?
    } else {
        let (stamp, rest) = text.split_first_chunk::<17>()?;
        let [
            y0,
            y1,
            y2,
            y3,
            m0,
            m1,
            d0,
            d1,
            b'-',
            h0,
            h1,
            b':',
            n0,
            n1,
            b':',
            s0,
            s1,
        ] = *stamp
        else {
            return None;
        };
        let date = (year_of([y0, y1, y2, y3])?, two(m0, m1), two(d0, d1));
        let civil = civil(date, [two(h0, h1), two(n0, n1), two(s0, s1)], 0);
        (local(civil, context)?, rest)
    };
    Some((time, rest.strip_prefix(b"]")?))
}

#[cfg(test)]
mod tests {
    use super::super::tests::at;
    use super::*;

    #[test]
    fn stamps_of_programs_own_logs() {
        let utc = at("2024-05-01T00:00:00Z", "UTC");
        for text in [
            "[20240501-10:00:00] [INFO ] x",
            "[2024-05-01T12:00:00.000+0200] [INFO ] x",
            "[812] May  1 10:00:00 x",
            "Wed May  1 10:00:00 2024 x",
            "Wed May 01 10:00:00 2024 x",
        ] {
            let time = of_daemons(text.as_bytes(), &utc).map(|time| time.to_string());
            assert_eq!(time.as_deref(), Some("2024-05-01T10:00:00Z"), "{text}");
        }
        for text in [
            "[20240501-10:00:00 x",
            "[20240532-10:00:00] x",
            "[x] May  1 10:00:00 x",
            "Wen May  1 10:00:00 2024 x",
            "Wed May  1 10:00:00 x",
        ] {
            assert_eq!(of_daemons(text.as_bytes(), &utc), None, "{text}");
        }
    }
}
