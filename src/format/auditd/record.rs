//! One audit record: its head, and the `key=value` pairs of its body.
//!
//! The kernel and libaudit write text that somebody chose in quotes, or in
//! hexadecimal where it holds a quote, a blank or a control character. What a
//! daemon says itself stands in `msg='…'`; a name in it may hold a `'`, so
//! that text ends at the last one.

use memchr::{memchr, memchr2, memrchr};

use crate::format::Context;
use crate::format::timestamp::{decimals, local, two};
use crate::format::token::{cut, cut_last, number, trim_end, trim_start};
use crate::time::{Civil, Time};

/// Longest `SECONDS.MILLIS:SERIAL`: 20 + 1 + 3 + 1 + 20 digits.
const STAMP_MAX: usize = 45;

/// What separates auditd's own readings of numbers from the kernel's words,
/// and what rsyslog makes of it.
const ENRICHED: u8 = 0x1d;
const ENRICHED_ESCAPED: &[u8] = b"#035";

/// A record in its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    /// The machine, where auditd writes it.
    pub(super) node: Option<&'a [u8]>,
    /// The type's name or number.
    pub(super) kind: &'a [u8],
    /// `SECONDS.MILLIS:SERIAL`: the same in all records of an event.
    pub(super) stamp: &'a [u8],
    /// What follows.
    pub(super) body: &'a [u8],
}

impl<'a> Record<'a> {
    /// `[node=N ]type=T [msg=]audit(STAMP): BODY`.
    pub(super) fn read(line: &'a [u8]) -> Option<Record<'a>> {
        let (node, rest) = match line.strip_prefix(b"node=") {
            Some(rest) => cut(rest, b" ").map(|(node, rest)| (Some(node), rest))?,
            None => (None, line),
        };
        let (kind, rest) = match rest.strip_prefix(b"type=") {
            Some(rest) => cut(rest, b" ")?,
            // Kernels before 2.6.16 wrote no type; what they denied is named.
            None if rest.starts_with(b"audit(") => (&b"1400"[..], rest),
            None => return None,
        };
        let named = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'[' | b']' | b'-');
        if kind.is_empty() || !kind.iter().all(named) {
            return None;
        }
        let rest = rest.strip_prefix(b"msg=").unwrap_or(rest);
        let rest = rest.strip_prefix(b"audit(")?;
        let end = memchr(b')', rest.get(..=STAMP_MAX).unwrap_or(rest))?;
        let (stamp, rest) = rest.split_at_checked(end)?;
        let rest = rest.strip_prefix(b")")?;
        let rest = rest.strip_prefix(b" ").unwrap_or(rest);
        let body = trim_end(trim_start(rest.strip_prefix(b":")?));
        Some(Record {
            node,
            kind,
            stamp,
            body,
        })
    }

    /// When it happened.
    pub(super) fn time(&self, context: &Context) -> Option<Time> {
        if self.is_interpreted() {
            return interpreted(self.stamp, context);
        }
        crate::format::epoch(self.stamp)
    }

    /// The event's number since the machine was started.
    pub(super) fn serial(&self) -> Option<i64> {
        number(cut_last(self.stamp, b":")?.1)
    }

    /// Whether it is as `ausearch -i` shows it: names for numbers, no quotes.
    pub(super) fn is_interpreted(&self) -> bool {
        self.stamp.get(2) == Some(&b'/')
    }

    /// Whether both are of one event.
    pub(super) fn joins(&self, other: &Record<'_>) -> bool {
        self.stamp == other.stamp && self.node == other.node
    }
}

/// `01/05/2026 10:00:00.250:4079`, the date as the C and American locales have it.
fn interpreted(stamp: &[u8], context: &Context) -> Option<Time> {
    let (date, clock) = cut(stamp, b" ")?;
    let [m0, m1, b'/', d0, d1, b'/', year @ ..] = date else {
        return None;
    };
    let year = match year {
        [_, _] => 2000 + number(year)?,
        [_, _, _, _] => number(year)?,
        _ => return None,
    };
    let ([h0, h1, b':', n0, n1, b':', s0, s1], rest) = clock.split_first_chunk::<8>()? else {
        return None;
    };
    let (nanos, _) = decimals(rest)?;
    let civil = Civil {
        year,
        month: two(*m0, *m1),
        day: two(*d0, *d1),
        hour: two(*h0, *h1),
        minute: two(*n0, *n1),
        second: two(*s0, *s1),
        nanos,
    };
    local(civil, context)
}

/// The body and auditd's readings where the separator was lost on the way, or
/// is written as rsyslog does: behind the quote that ends a daemon's words,
/// which end with its result.
fn halves_without_separator(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memrchr(b'\'', body)?;
    let (before, after) = body.split_at_checked(at + 1)?;
    let said = before.strip_suffix(b"'")?;
    let last = cut_last(said, b" ").map_or(said, |(_, word)| word);
    let after = after.strip_prefix(ENRICHED_ESCAPED).unwrap_or(after);
    let reads = after.first().is_some_and(u8::is_ascii_uppercase);
    (last.starts_with(b"res=") && reads).then_some((before, after))
}

/// The body and auditd's readings, each to be read as [`Pairs`]. The last
/// separator is auditd's; one before it is somebody's text, and so is one
/// inside `msg='…'`: what auditd adds stands behind the closing quote and has
/// none itself.
pub(super) fn halves(body: &[u8]) -> (&[u8], &[u8]) {
    let Some(at) = memrchr(ENRICHED, body) else {
        let quoted = body.ends_with(b"\"") && memchr::memmem::find(body, b"msg='").is_some();
        if quoted && let Some(halves) = halves_without_separator(body) {
            return halves;
        }
        return match memchr::memmem::rfind(body, ENRICHED_ESCAPED) {
            Some(at) if memchr(b'\'', body).is_none() => (
                body.get(..at).unwrap_or_default(),
                body.get(at + ENRICHED_ESCAPED.len()..).unwrap_or_default(),
            ),
            _ => (body, &[]),
        };
    };
    let before = body.get(..at).unwrap_or_default();
    let after = body.get(at + 1..).unwrap_or_default();
    let quoted = memchr::memmem::find(body, b"msg='").is_some();
    if quoted && (!before.ends_with(b"'") || after.contains(&b'\'')) {
        return (body, &[]);
    }
    (before, after)
}

/// A word of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// One without `=`.
    Word(&'a [u8]),
    /// `key=value`.
    Pair {
        key: &'a [u8],
        value: &'a [u8],
        /// Whether it stood in quotes: then it is no hexadecimal.
        quoted: bool,
    },
}

/// The words of a body.
#[derive(Clone, Debug)]
pub(super) struct Pairs<'a> {
    /// What was not read yet.
    pub(super) rest: &'a [u8],
    /// Whether `msg='…'` may come.
    outer: bool,
    /// Whether quotes had no end, or something after it.
    pub(super) broken: bool,
}

impl<'a> Pairs<'a> {
    /// Of a body.
    pub(super) fn outer(rest: &'a [u8]) -> Pairs<'a> {
        Pairs {
            rest,
            outer: true,
            broken: false,
        }
    }

    /// Of what stands in a body's `msg='…'`.
    pub(super) fn inner(rest: &'a [u8]) -> Pairs<'a> {
        Pairs {
            rest,
            outer: false,
            broken: false,
        }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while let Some((b' ' | b',' | b'(' | b')', rest)) = self.rest.split_first() {
            self.rest = rest;
        }
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr2(b' ', b'=', self.rest).unwrap_or(self.rest.len());
        let (key, rest) = self.rest.split_at_checked(end)?;
        let Some(rest) = rest.strip_prefix(b"=") else {
            self.rest = rest;
            return Some(Token::Word(key));
        };
        let said = self.outer && key == b"msg";
        let (value, quoted, after) = match rest.first() {
            Some(b'{') if !self.outer => word(rest),
            _ => value(said, rest),
        };
        self.broken |= rest.first() == Some(&b'"')
            && (value.len() + 1 == rest.len()
                || !matches!(after.first(), None | Some(b' ' | b',' | b')')));
        self.rest = after;
        Some(Token::Pair { key, value, quoted })
    }
}

/// A value, whether it was quoted, and what follows; `said` where it may be a
/// daemon's words in `'…'`.
fn value(said: bool, text: &[u8]) -> (&[u8], bool, &[u8]) {
    let upto = |at: usize, from: usize, skip: usize| {
        (
            text.get(from..at).unwrap_or_default(),
            true,
            text.get(at + skip..).unwrap_or_default(),
        )
    };
    match text.first() {
        Some(b'"') => {
            let inside = text.get(1..).unwrap_or_default();
            let end = memchr(b'"', inside).map_or(text.len(), |at| at + 1);
            upto(end, 1, 1)
        }
        Some(b'\'') if said => {
            let end = memrchr(b'\'', text).filter(|at| *at > 0);
            upto(end.unwrap_or(text.len()), 1, 1)
        }
        Some(b'{') => {
            let end = memchr(b'}', text).unwrap_or(text.len());
            upto(end, 1, 1)
        }
        _ => word(text),
    }
}

/// A value without quotes. Old PAM writes `(hostname=h, addr=a, terminal=t res=success)`.
fn word(text: &[u8]) -> (&[u8], bool, &[u8]) {
    let end = memchr(b' ', text).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    let word = word.strip_suffix(b",").unwrap_or(word);
    let word = match word {
        [inner @ .., b')'] if !inner.contains(&b'(') => inner,
        word => word,
    };
    (word, false, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &str) -> Vec<String> {
        Pairs::outer(body.as_bytes())
            .map(|token| match token {
                Token::Word(word) => String::from_utf8_lossy(word).into_owned(),
                Token::Pair { key, value, quoted } => format!(
                    "{}{}{}",
                    String::from_utf8_lossy(key),
                    if quoted { ":" } else { "=" },
                    String::from_utf8_lossy(value)
                ),
            })
            .collect()
    }

    #[test]
    fn a_head_is_read_with_and_without_a_machine_and_msg() {
        let record = Record::read(b"node=web1 type=CWD msg=audit(1700000000.125:77):  cwd=\"/\"");
        let record = record.unwrap();
        assert_eq!(record.node, Some(&b"web1"[..]));
        assert_eq!((record.kind, record.body), (&b"CWD"[..], &b"cwd=\"/\""[..]));
        assert_eq!(record.serial(), Some(77));
        let context = Context::utc(Time::from_secs(0));
        let time = record.time(&context).unwrap().to_string();
        assert_eq!(time, "2023-11-14T22:13:20.125Z");
        for shown in ["11/14/2023 22:13:20.125:77", "11/14/23 22:13:20.125:77"] {
            let line = format!("type=CWD msg=audit({shown}) : cwd=/");
            let record = Record::read(line.as_bytes()).unwrap();
            let again = record.time(&context).unwrap().to_string();
            assert_eq!((again, record.serial()), (time.clone(), Some(77)), "{line}");
        }
        assert!(Record::read(b"type=1400 audit(1700000000.125:77): x").is_some());
        assert!(Record::read(b"audit(1700000000.125:77): avc:  denied").is_some());
        for line in [
            "type=",
            "type=A",
            "type=A B",
            "type= msg=audit(1.0:1):",
            "type=A msg=audit(1.0:1)",
            "node=x",
        ] {
            assert!(Record::read(line.as_bytes()).is_none(), "{line}");
        }
    }

    #[test]
    fn readings_are_found_without_their_separator() {
        let said = "pid=1 msg='op=x acct=\"a\" res=failed'";
        for between in ["\u{1d}", "#035", ""] {
            let body = format!("{said}{between}UID=\"root\"");
            let halves = halves(body.as_bytes());
            assert_eq!(halves, (said.as_bytes(), &b"UID=\"root\""[..]), "{body}");
        }
        // A name that ends the words itself is no end.
        let forged = br#"pid=1 msg='op=x acct="a'UID="root" exe="/x" res=failed'"#;
        assert_eq!(halves(forged), (&forged[..], &b""[..]));
        let cut_off = br#"pid=1 msg='op=x acct="a'UID="root""#;
        assert_eq!(halves(cut_off), (&cut_off[..], &b""[..]));
    }

    #[test]
    fn words_and_quotes_and_braces() {
        assert_eq!(
            shown(r#"pid=1 comm="a b" key=(null) SADDR={ fam=inet port=1 } x"#),
            [
                "pid=1",
                "comm:a b",
                "key=(null)",
                "SADDR: fam=inet port=1 ",
                "x"
            ]
        );
        assert_eq!(
            shown(r#"msg='op=x acct="o'neil" res=success'"#),
            [r#"msg:op=x acct="o'neil" res=success"#]
        );
        assert_eq!(
            shown(r#"acct=root : exe="/x" (hostname=?, addr=?, res=success)"#),
            [
                "acct=root",
                ":",
                "exe:/x",
                "hostname=?",
                "addr=?",
                "res=success"
            ]
        );
        assert_eq!(shown("a=\"open"), ["a:open"]);
        assert_eq!(shown("msg='"), ["msg:"]);
    }
}
