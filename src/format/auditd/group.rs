//! Which lines are records of one event. Decided by their bytes alone, so that
//! whoever cuts a log into lines and blocks gets the same groups.

use memchr::{memchr, memrchr};

use super::kinds::{goes_on, kind};
use super::record::Record;
use crate::format::token;

/// Most records that are joined. A system call has some eight; one with a
/// thousand arguments has one for every 7,500 bytes of them.
const RECORDS_MAX: u32 = 64;

/// Most bytes that are joined: no more than of the longest line that is taken
/// whole (64 KiB), so that a group at the end of a file still is.
const BYTES_MAX: usize = 60 << 10;

/// Length of the record that `text` begins with and of those after it that
/// belong to the same event, without the last LF; `line` is the length of the
/// first line. Also how many records that is.
pub(in crate::format) fn extent(text: &[u8], line: usize) -> (usize, u32) {
    let Some((header, first)) = text.get(..line).and_then(record_in) else {
        return (line, 1);
    };
    let (mut end, mut last, mut count) = (line, first, 1);
    while goes_on_after(&last) && count < RECORDS_MAX {
        let Some(rest) = text.get(end + 1..).filter(|rest| !rest.is_empty()) else {
            break;
        };
        let next = memchr(b'\n', rest).unwrap_or(rest.len());
        let record = rest.get(..next).and_then(record_in);
        match record.filter(|record| record.0 == header && record.1.joins(&first)) {
            Some((_, record)) if end + 1 + next <= BYTES_MAX => last = record,
            _ => break,
        }
        end += 1 + next;
        count += 1;
    }
    (end, count)
}

/// How much of `text`, whole lines, can be handed on although what follows is
/// not known yet: all but an event at its end that may go on.
pub(in crate::format) fn whole(text: &[u8]) -> usize {
    let lines = text.strip_suffix(b"\n").unwrap_or(text);
    let (mut start, mut line) = last_line(lines);
    let Some((header, last)) = record_in(line).filter(|(_, record)| goes_on_after(record)) else {
        return text.len();
    };
    // The event's first record is wanted, as far back as one could reach.
    let oldest = text.len().saturating_sub(BYTES_MAX);
    for _ in 1..RECORDS_MAX {
        let Some(before) = start.checked_sub(1).and_then(|end| lines.get(..end)) else {
            break;
        };
        let earlier;
        (earlier, line) = last_line(before);
        let same = record_in(line).is_some_and(|(of, record)| of == header && record.joins(&last));
        if !same || earlier < oldest {
            break;
        }
        start = earlier;
    }
    start
}

/// Who a line of syslog says that wrote the record in it: the records of one
/// event have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) host: Option<&'a [u8]>,
    program: &'a [u8],
}

/// The record that a line is, or that stands in a line of syslog. Asked of
/// every line, so that others must be told by a look or two: at the byte that
/// ends the stamp, the blank behind the host, and the tag's first letters.
pub(super) fn record_in(line: &[u8]) -> Option<(Option<Header<'_>>, Record<'_>)> {
    if let [b't' | b'n' | b'a', ..] = line {
        return Record::read(line).map(|record| (None, record));
    }
    let stamped = match line {
        [b'<', a, b'>', ..] | [b'<', a, _, b'>', ..] | [b'<', a, _, _, b'>', ..]
            if a.is_ascii_digit() =>
        {
            let end = memchr(b'>', line)?;
            line.get(end + 1..)?
        }
        _ => line,
    };
    let rest = match *stamped {
        [
            b'A'..=b'Z',
            _,
            _,
            b' ',
            _,
            _,
            b' ',
            _,
            _,
            b':',
            _,
            _,
            b':',
            _,
            _,
            b' ',
            ref rest @ ..,
        ] => rest,
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', ref rest @ ..] => {
            rest.get(memchr(b' ', rest)? + 1..)?
        }
        _ => return None,
    };
    let blank = memchr(b' ', rest)?;
    let (first, after) = rest.split_at_checked(blank)?;
    let (host, tagged) = match after {
        [b' ', b'a', b'u', b'd', ..] | [b' ', b'k', b'e', b'r', ..] => {
            (Some(first), after.get(1..)?)
        }
        _ if first.starts_with(b"aud") && first.ends_with(b":") => (None, rest),
        _ => return None,
    };
    let (tag, text) = token::cut(tagged, b": ")?;
    let program = token::cut(tag, b"[").map_or(tag, |(program, _)| program);
    let text = match program {
        b"kernel" => {
            let text = super::kernels(text);
            text.strip_prefix(b"audit: ").unwrap_or(text)
        }
        b"audit" | b"audispd" | b"audisp-syslog" | b"auditd" => text,
        _ => return None,
    };
    Some((Some(Header { host, program }), Record::read(text)?))
}

fn goes_on_after(record: &Record<'_>) -> bool {
    kind(record.kind).is_some_and(goes_on)
}

/// Where the last line begins, and the line.
fn last_line(lines: &[u8]) -> (usize, &[u8]) {
    let start = memrchr(b'\n', lines).map_or(0, |at| at + 1);
    (start, lines.get(start..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "type=SYSCALL msg=audit(1.000:7): a\ntype=CWD msg=audit(1.000:7): b\ntype=PROCTITLE msg=audit(1.000:7): c\n";

    fn first(text: &str) -> &str {
        let line = text.find('\n').unwrap_or(text.len());
        let (end, count) = extent(text.as_bytes(), line);
        assert_eq!(text[..end].split('\n').count(), count as usize);
        &text[..end]
    }

    #[test]
    fn records_with_one_stamp_are_one_event() {
        let two = format!("{EVENT}type=SYSCALL msg=audit(1.000:8): d\n");
        assert_eq!(first(&two), EVENT.trim_end());
        let cut = two
            .strip_prefix("type=SYSCALL msg=audit(1.000:7): a\n")
            .unwrap();
        assert_eq!(first(cut).lines().count(), 2);
        let other = EVENT.replacen("type=CWD", "node=x type=CWD", 1);
        assert_eq!(first(&other).lines().count(), 1);
        assert_eq!(first("plain text\ntype=CWD"), "plain text");
    }

    #[test]
    fn records_in_syslog_lines_are_one_event_of_one_machine() {
        for (header, again) in [
            (
                "Nov 14 22:13:20 web1 audispd: ",
                "Nov 14 22:13:21 web1 audispd: ",
            ),
            (
                "<38>Nov 14 22:13:20 web1 audisp-syslog[7]: ",
                "<38>Nov 14 22:13:20 web1 audisp-syslog[7]: ",
            ),
            (
                "2023-11-14T22:13:20+01:00 web1 audispd: node=web1 ",
                "2023-11-14T22:13:20+01:00 web1 audispd: node=web1 ",
            ),
            (
                "Nov 14 22:13:20 web1 kernel: [ 12.345678] audit: ",
                "Nov 14 22:13:20 web1 kernel: [ 12.345680] audit: ",
            ),
        ] {
            let records: Vec<&str> = EVENT.lines().collect();
            let text = format!("{header}{}\n{again}{}\n", records[0], records[1]);
            assert_eq!(first(&text).lines().count(), 2, "{text}");
            assert_eq!(whole(text.as_bytes()), 0, "{text}");
            let other = text.replacen("web1", "web2", 1);
            assert_eq!(first(&other).lines().count(), 1, "{other}");
            let other = text.replacen(":7)", ":8)", 1);
            assert_eq!(first(&other).lines().count(), 1, "{other}");
        }
        for line in [
            "Nov 14 22:13:20 web1 myapp: type=SYSCALL msg=audit(1.000:7): a",
            "Nov 14 22:13:20 web1 auditor[7]: type=SYSCALL msg=audit(1.000:7): a",
            "Nov 14 22:13:20 web1 kernel: eth0 type=SYSCALL msg=audit(1.000:7): a",
        ] {
            let two = format!("{line}\n{line}\n");
            assert_eq!(first(&two), line);
        }
    }

    #[test]
    fn a_daemons_record_is_alone_and_groups_are_bounded() {
        let two = "type=USER_AUTH msg=audit(1.000:7): a\ntype=USER_AUTH msg=audit(1.000:7): b\n";
        assert_eq!(first(two).lines().count(), 1);
        let many = "type=PATH msg=audit(1.000:7): a\n".repeat(1000);
        assert_eq!(first(&many).lines().count(), RECORDS_MAX as usize);
        let long = format!("type=PATH msg=audit(1.000:7): {}\n", "x".repeat(20_000));
        assert_eq!(first(&long.repeat(10)).lines().count(), 3);
    }

    #[test]
    fn an_event_that_may_go_on_is_held_back() {
        assert_eq!(whole(EVENT.as_bytes()), EVENT.len());
        let open = "type=SYSCALL msg=audit(1.000:8): a\ntype=CWD msg=audit(1.000:8): b\n";
        let both = format!("{EVENT}{open}");
        assert_eq!(whole(both.as_bytes()), EVENT.len());
        assert_eq!(whole(open.as_bytes()), 0);
        assert_eq!(whole(b"plain\nlines\n"), 12);
        assert_eq!(whole(b""), 0);
    }
}
