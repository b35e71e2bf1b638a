//! Rotation: which files are one log, and which of them is older.
//!
//! What a name may carry after (or before the extension of) the log's own:
//!
//! | written by | example |
//! |---|---|
//! | logrotate | `auth.log.2.gz`, `auth.log-20250101`, `auth.log-2025010113.zst`, `auth-20250101.log` |
//! | newsyslog, by hand | `auth.log.0`, `auth.log.old` |
//! | Zeek | `2025-01-01/conn.13:00:00-14:00:00.log.gz`, `conn.2025-01-01.log` |
//! | rsyslog templates | `2025/01/01/auth.log` |

use std::cmp::Reverse;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use super::CODECS;
use crate::time::{Civil, Span, Time};

/// How old a file is among the files of its log; oldest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Age {
    /// A date, perhaps with a time, as its digits.
    Dated(Vec<u8>),
    /// So many rotations ago.
    Numbered(Reverse<u32>),
    /// Being written to.
    Live,
}

impl Age {
    /// The end of the day that a dated name says, in UTC: nothing in the file
    /// is younger. A copy's time of modification is only that of the copying.
    pub(super) fn until(&self) -> Option<Time> {
        let Age::Dated(digits) = self else {
            return None;
        };
        let number = |range: Range<usize>| -> Option<u16> {
            let text = std::str::from_utf8(digits.get(range)?).ok()?;
            text.parse().ok()
        };
        let day = Civil {
            year: number(0..4)?.into(),
            month: number(4..6)?.try_into().ok()?,
            day: number(6..8)?.try_into().ok()?,
            hour: 0,
            minute: 0,
            second: 0,
            nanos: 0,
        };
        Some(day.time()?.plus(Span::DAY))
    }
}

/// A file name taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// The name the log has while it is written to.
    pub(super) log: Vec<u8>,
    /// How old this file is.
    pub(super) age: Age,
    /// The number stands before the extension (`auth.1.log`): a rotation only
    /// if the log itself is there too, because `web.1.log` may be a host's.
    pub(super) weak: bool,
}

/// The name without the suffix of a compression.
pub(super) fn uncompressed(name: &[u8]) -> &[u8] {
    CODECS
        .iter()
        .find_map(|codec| {
            name.strip_suffix(codec.suffix.as_bytes())?
                .strip_suffix(b".")
        })
        .unwrap_or(name)
}

/// Takes a file name apart.
pub(super) fn parse(name: &[u8]) -> Name {
    let name = uncompressed(name);
    if let Some((log, age)) = stamped(name) {
        return Name {
            log: log.to_vec(),
            age,
            weak: false,
        };
    }
    let dot = memchr::memrchr(b'.', name).filter(|&at| at > 0);
    let (stem, extension) = name
        .split_at_checked(dot.unwrap_or(name.len()))
        .unwrap_or((name, b""));
    match stamped(stem) {
        Some((log, age)) if !extension.is_empty() => Name {
            log: [log, extension].concat(),
            weak: matches!(age, Age::Numbered(_)),
            age,
        },
        _ => Name {
            log: name.to_vec(),
            age: Age::Live,
            weak: false,
        },
    }
}

/// Splits `auth.log.1` into `auth.log` and its age.
fn stamped(name: &[u8]) -> Option<(&[u8], Age)> {
    if let Some(log) = name.strip_suffix(b".old") {
        return Some((log, Age::Numbered(Reverse(1))));
    }
    let body = name
        .iter()
        .rposition(|byte| !matches!(byte, b'0'..=b'9' | b':' | b'-' | b'_'))?;
    let (log, stamp) = name.split_at_checked(body + 1)?;
    let (log, dot) = match log.strip_suffix(b".") {
        Some(log) => (log, true),
        None => (log, false),
    };
    // 10.0.0.1 is a host's own log, not the first rotation of 10.0.0.
    if !log.iter().any(u8::is_ascii_alphabetic) {
        return None;
    }
    let separated = dot || stamp.first().is_some_and(|byte| !byte.is_ascii_digit());
    if dot
        && stamp.len() <= 4
        && let Some(number) = number(stamp)
    {
        return Some((log, Age::Numbered(Reverse(number))));
    }
    let digits: Vec<u8> = stamp.iter().copied().filter(u8::is_ascii_digit).collect();
    let dated = is_date(&digits) || (stamp.contains(&b':') && is_hour(&digits));
    (separated && dated).then_some((log, Age::Dated(digits)))
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether digits begin with a day of 1970 to 2099.
fn is_date(digits: &[u8]) -> bool {
    let part = |range: std::ops::Range<usize>| digits.get(range).and_then(number);
    part(0..4).is_some_and(|year| (1970..2100).contains(&year))
        && part(4..6).is_some_and(|month| (1..=12).contains(&month))
        && part(6..8).is_some_and(|day| (1..=31).contains(&day))
}

/// Whether digits begin with a time of day, as Zeek's archives do.
fn is_hour(digits: &[u8]) -> bool {
    digits
        .get(0..2)
        .and_then(number)
        .is_some_and(|hour| hour < 24)
        && digits.len() >= 6
}

/// Splits trailing folders that are a date off a folder: `logs/2025/01/02`
/// into `logs` and `20250102`.
pub(super) fn dated_folder(folder: &Path) -> Option<(PathBuf, Vec<u8>)> {
    let mut digits = Vec::new();
    let mut rest = folder;
    while let Some(Component::Normal(last)) = rest.components().next_back() {
        let last = last.as_encoded_bytes();
        if !last
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'-')
        {
            break;
        }
        digits.splice(0..0, last.iter().copied().filter(u8::is_ascii_digit));
        rest = rest.parent()?;
        if is_date(&digits) {
            return Some((rest.to_path_buf(), digits));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dated_name_says_until_when_its_lines_are() {
        let until = |name: &str| parse(name.as_bytes()).age.until().map(|t| t.to_string());
        let rotated = Some("2025-09-09T00:00:00Z".to_owned());
        assert_eq!(until("auth.log-20250908.gz"), rotated);
        assert_eq!(until("conn.2025-09-08.log"), rotated);
        assert_eq!(until("auth.log-20251308"), None);
        assert_eq!(until("auth.log.1"), None);
    }

    fn of(name: &str) -> (String, Age, bool) {
        let name = parse(name.as_bytes());
        (String::from_utf8(name.log).unwrap(), name.age, name.weak)
    }

    fn dated(digits: &str) -> Age {
        Age::Dated(digits.as_bytes().to_vec())
    }

    #[test]
    fn every_way_of_naming_a_rotation_is_taken_apart() {
        let n = |number| Age::Numbered(Reverse(number));
        for (name, log, age, weak) in [
            ("auth.log", "auth.log", Age::Live, false),
            ("auth.log.gz", "auth.log", Age::Live, false),
            ("auth.log.1", "auth.log", n(1), false),
            ("auth.log.12.gz", "auth.log", n(12), false),
            ("auth.log.old", "auth.log", n(1), false),
            ("auth.1.log", "auth.log", n(1), true),
            ("secure-20250101", "secure", dated("20250101"), false),
            (
                "auth.log-2025010113.zst",
                "auth.log",
                dated("2025010113"),
                false,
            ),
            (
                "auth.log-20250101-1735689600",
                "auth.log",
                dated("202501011735689600"),
                false,
            ),
            ("auth-20250101.log.xz", "auth.log", dated("20250101"), false),
            (
                "conn.2025-01-01.log.zst",
                "conn.log",
                dated("20250101"),
                false,
            ),
            (
                "conn.13:00:00-14:00:00.log.gz",
                "conn.log",
                dated("130000140000"),
                false,
            ),
        ] {
            assert_eq!(of(name), (log.to_owned(), age, weak), "{name}");
        }
    }

    #[test]
    fn names_with_numbers_of_their_own_are_no_rotations() {
        for name in [
            "10.0.0.1",
            "10.0.0.1.log",
            "web-01.log",
            "web-2.log",
            "web01",
            "a-99999999",
            "20250101",
            ".log",
        ] {
            assert_eq!(of(name), (name.to_owned(), Age::Live, false), "{name}");
        }
    }

    #[test]
    fn a_folder_that_is_a_date_is_part_of_the_age() {
        let split = |folder: &str| {
            dated_folder(Path::new(folder)).map(|(rest, digits)| {
                (
                    rest.display().to_string(),
                    String::from_utf8(digits).unwrap(),
                )
            })
        };
        let new_year = Some(("logs".to_owned(), "20250101".to_owned()));
        assert_eq!(split("logs/2025-01-01"), new_year);
        assert_eq!(split("logs/2025/01/01"), new_year);
        assert_eq!(split("logs/10"), None);
        assert_eq!(split("2025/13/01"), None);
    }
}
