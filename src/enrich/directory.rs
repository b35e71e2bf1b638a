//! What the site knows of its users: role, team, place, first and last day.

use std::path::Path;

use hashbrown::HashMap;

use super::EnrichError;
use super::rows::{self, Report};
use crate::time::{SECS_PER_DAY, Time};

/// What stands before a column's name in the names of fields.
pub(super) const PREFIX: &str = "directory.";

/// Most columns; a table of people has some ten.
const COLUMNS_MAX: usize = 64;

/// The users of a file.
#[derive(Debug)]
pub(super) struct Directory {
    /// The columns' names, lowercase.
    columns: Vec<String>,
    /// All users' values, a row of them each.
    values: Vec<Box<str>>,
    /// First and last day by user, since the epoch.
    days: Vec<(Option<i64>, Option<i64>)>,
    by_name: HashMap<Box<[u8]>, u32, std::hash::RandomState>,
    by_uid: HashMap<Box<[u8]>, u32, std::hash::RandomState>,
}

/// A user of the directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person<'a> {
    values: &'a [Box<str>],
    days: (Option<i64>, Option<i64>),
}

impl<'a> Person<'a> {
    /// What stands in a column; nothing where that is empty.
    pub(super) fn value(&self, column: usize) -> Option<&'a str> {
        let value = self.values.get(column)?;
        (!value.is_empty()).then_some(value)
    }

    /// Whether the user is one at that time: `active`, `not-started` before
    /// the first day, `left` after the last one; nothing where neither day is
    /// known.
    pub(super) fn status(&self, time: Time) -> Option<&'static str> {
        let today = time.secs().div_euclid(SECS_PER_DAY);
        match self.days {
            (None, None) => None,
            (Some(first), _) if today < first => Some("not-started"),
            (_, Some(last)) if today > last => Some("left"),
            _ => Some("active"),
        }
    }
}

impl Directory {
    /// Reads a CSV file with a column `user`.
    pub(super) fn read(path: &Path) -> Result<(Directory, Report), EnrichError> {
        rows::read(
            path,
            |header| {
                header.column("user").ok_or("there is no column `user`")?;
                if header.names().len() > COLUMNS_MAX {
                    return Err(format!("more than {COLUMNS_MAX} columns"));
                }
                Ok(Directory {
                    columns: header.names().to_vec(),
                    values: Vec::new(),
                    days: Vec::new(),
                    by_name: HashMap::default(),
                    by_uid: HashMap::default(),
                })
            },
            Directory::row,
        )
    }

    fn row(&mut self, row: &[&str]) -> Result<(), String> {
        let of = |name: &str| {
            let column = self.columns.iter().position(|other| other == name);
            let value = column.and_then(|at| row.get(at)).copied();
            value.unwrap_or_default()
        };
        let (name, uid) = (of("user"), of("uid"));
        if name.is_empty() {
            return Err("the row names no user".to_owned());
        }
        let days = (day(of("start_day"))?, day(of("end_day"))?);
        let place = u32::try_from(self.days.len()).unwrap_or(u32::MAX);
        if self.by_name.contains_key(name.as_bytes()) {
            return Err(format!("user {name:?} stands in an earlier row"));
        }
        self.by_name.insert(name.as_bytes().into(), place);
        if !uid.is_empty() {
            // Of two users with one number neither can be told from it.
            let known = self.by_uid.entry(uid.as_bytes().into());
            known.and_modify(|other| *other = u32::MAX).or_insert(place);
        }
        self.values
            .extend(row.iter().map(|value| Box::from(*value)));
        self.days.push(days);
        Ok(())
    }

    /// The columns' names.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Every user's name, in the order of the alphabet.
    pub(super) fn users(&self) -> Vec<&[u8]> {
        let mut users: Vec<&[u8]> = self.by_name.keys().map(|name| &**name).collect();
        users.sort_unstable();
        users
    }

    /// The user of that name, else of that number.
    pub(super) fn find(&self, name: Option<&[u8]>, uid: Option<&[u8]>) -> Option<Person<'_>> {
        let by_name = name.and_then(|name| self.by_name.get(name));
        let by_uid = || uid.and_then(|uid| self.by_uid.get(uid));
        let place = *by_name.or_else(by_uid)? as usize;
        let width = self.columns.len();
        Some(Person {
            values: self.values.get(place.checked_mul(width)?..)?.get(..width)?,
            days: *self.days.get(place)?,
        })
    }
}

/// A day such as 2025-03-01, since the epoch; nothing where it is empty.
fn day(text: &str) -> Result<Option<i64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let date: Result<jiff::civil::Date, _> = text.parse();
    let date = date.map_err(|_| format!("{text:?} is no day such as 2025-03-01"))?;
    let days = date.since(jiff::civil::date(1970, 1, 1));
    days.map(|span| Some(i64::from(span.get_days())))
        .map_err(|_| format!("{text:?} is too far away"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(text: &str) -> (Directory, Report) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.csv");
        std::fs::write(&path, text).unwrap();
        Directory::read(&path).unwrap()
    }

    const TEXT: &str = "user,uid,team,start_day,end_day,Badge\n\
        alice,1001,ops,2025-01-06,,17\nbob,1002,,2025-01-06,2025-02-28,\n\
        carol,1002,lab,,,19\nalice,1,again,,,\n,5,x,,,\ndan,6,x,someday,,\n";

    #[test]
    fn users_are_found_by_name_and_by_a_number_that_is_theirs_alone() {
        let (directory, report) = directory(TEXT);
        assert_eq!((report.rows, report.broken), (3, 3));
        let alice = directory.find(Some(b"alice"), None).unwrap();
        assert_eq!((alice.value(2), alice.value(5)), (Some("ops"), Some("17")));
        let by_uid = directory.find(None, Some(b"1001")).unwrap();
        assert_eq!(by_uid.value(0), Some("alice"));
        assert!(directory.find(None, Some(b"1002")).is_none());
        let bob = directory.find(Some(b"bob"), None).unwrap();
        assert_eq!(bob.value(2), None);
        assert!(directory.find(Some(b"Alice"), Some(b"1")).is_none());
        assert_eq!(directory.columns()[5], "badge");
    }

    #[test]
    fn who_has_left_is_told_from_the_day_after_on() {
        let (directory, _) = directory(TEXT);
        let bob = directory.find(Some(b"bob"), None).unwrap();
        let status = |stamp: &str| {
            let stamp: jiff::Timestamp = stamp.parse().unwrap();
            bob.status(Time::from_secs(stamp.as_second()))
        };
        assert_eq!(status("2025-01-05T23:59:59Z"), Some("not-started"));
        assert_eq!(status("2025-01-06T00:00:00Z"), Some("active"));
        assert_eq!(status("2025-02-28T23:59:59Z"), Some("active"));
        assert_eq!(status("2025-03-01T00:00:00Z"), Some("left"));
        let carol = directory.find(Some(b"carol"), None).unwrap();
        assert_eq!(carol.status(Time::from_secs(0)), None);
    }
}
