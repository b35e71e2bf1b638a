//! What an analyst has marked: time of an entity that is not its own, because
//! somebody else was at the keyboard. It is judged like any other, and nothing
//! is learnt of it.
//!
//! A file of lines `field,value,from,to`, the value as alerts show it:
//!
//! ```text
//! # the thief of March
//! user.name,alice,2025-03-04T01:00:00Z,2025-03-06T00:00:00Z
//! ```

use crate::entity;
use crate::time::Time;

/// Most marks: each is looked at for each event of a rule that groups by its field.
const MARKS_MAX: usize = 10_000;

/// The marks of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks(Vec<Mark>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    field: String,
    value: Vec<u8>,
    from: Time,
    to: Time,
}

impl Marks {
    /// Reads them; `Err` says which line is wrong, and how.
    pub fn parse(text: &str) -> Result<Marks, String> {
        let mut marks = Vec::new();
        for (line, number) in text.lines().zip(1_u32..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mark = mark(line).map_err(|what| format!("line {number}: {what}"))?;
            marks.push(mark);
        }
        if marks.len() > MARKS_MAX {
            return Err(format!("{} marks are more than {MARKS_MAX}", marks.len()));
        }
        Ok(Marks(marks))
    }

    /// Those that concern a rule that groups by these fields.
    pub(crate) fn of(&self, group: &[String]) -> Marked {
        let place = |mark: &Mark| group.iter().position(|field| *field == mark.field);
        let own = self.0.iter();
        Marked(own.filter_map(|m| Some((place(m)?, m.clone()))).collect())
    }
}

fn mark(line: &str) -> Result<Mark, String> {
    // A value may hold commas; a field's name and times do not.
    let parts = line.split_once(',').and_then(|(field, rest)| {
        let (rest, to) = rest.rsplit_once(',')?;
        let (value, from) = rest.rsplit_once(',')?;
        Some((field.trim(), value.trim(), from.trim(), to.trim()))
    });
    let (field, value, from, to) =
        parts.ok_or("a mark is `field,value,from,to`, as in `user.name,alice,2025-03-04T01:00:00Z,2025-03-06T00:00:00Z`")?;
    let time = |text: &str| {
        let parsed = text.parse::<jiff::Timestamp>();
        let nanos = parsed.map(jiff::Timestamp::as_nanosecond);
        let nanos = nanos.map_err(|_| format!("`{text}` is not a time with its zone"))?;
        i64::try_from(nanos)
            .map(Time::from_nanos)
            .map_err(|_| format!("`{text}` is too far away"))
    };
    let (from, to) = (time(from)?, time(to)?);
    if to <= from {
        return Err("it ends before it begins".to_owned());
    }
    Ok(Mark {
        field: field.to_owned(),
        value: value.as_bytes().to_vec(),
        from,
        to,
    })
}

/// The marks that concern one rule, with the place of the field in its group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marked(Vec<(usize, Mark)>);

impl Marked {
    /// Whether a mark covers the entity of this key at this time.
    pub(crate) fn covers(&self, key: &[u8], time: Time) -> bool {
        self.0.iter().any(|(place, mark)| {
            (mark.from..mark.to).contains(&time)
                && entity::key_values(key)
                    .get(*place)
                    .is_some_and(|value| value.to_bytes() == mark.value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::HashKey;

    #[test]
    fn a_mark_covers_its_entity_for_its_time() {
        let text = "# of March\n\nuser.name, al,ice ,1970-01-01T00:00:10Z,1970-01-01T00:00:20Z\n";
        let marks = Marks::parse(text).unwrap();
        let marked = marks.of(&["host.name".to_owned(), "user.name".to_owned()]);
        let key = |user: &[u8]| {
            let mut key = Vec::new();
            entity::push_text(&mut key, b"web1", HashKey::default());
            entity::push_text(&mut key, user, HashKey::default());
            key
        };
        let covers = |user, secs| marked.covers(&key(user), Time::from_secs(secs));
        assert!(covers(b"al,ice", 10) && covers(b"al,ice", 19));
        assert!(!covers(b"al,ice", 9) && !covers(b"al,ice", 20) && !covers(b"bob", 15));
        assert!(marks.of(&["source.ip".to_owned()]).0.is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line() {
        for (text, what) in [
            ("user.name,alice", "line 1: a mark is"),
            (
                "\nuser.name,a,today,2025-01-01T00:00:00Z",
                "line 2: `today`",
            ),
            (
                "user.name,a,2025-01-02T00:00:00Z,2025-01-01T00:00:00Z",
                "ends before",
            ),
        ] {
            let told = Marks::parse(text).unwrap_err();
            assert!(told.contains(what), "{told}");
        }
    }
}
