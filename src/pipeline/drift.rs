//! Formats that stop fitting: an update changes a program's wording, and rules
//! go blind without a sound.
//!
//! Counted where lines are in their one order, by days of event time, so that
//! the alert does not depend on threads or batches. A format is compared with
//! itself: some programs say much that nobody looks for.

use serde::{Deserialize, Serialize};

use super::batch::{Parsed, Row, Timeliness};
use crate::alert::{Alert, EVIDENCE_MAX, Evidence, Id, RuleInfo, Score};
use crate::format::{FORMATS, is_watched};
use crate::line::Place;
use crate::rule::Level;
use crate::time::{Span, Time};

/// Fewer lines in a day, or in all days before, say nothing: at 5 % of 200 the
/// 99.9 % bound of a binomial count is 10 %, half of what it takes.
const LINES_MIN: u64 = 200;

/// One line in so many unmatched is what it takes.
const SHARE: u64 = 5;

/// And so many times the usual share, where that is above 5 %.
const TIMES: u64 = 4;

/// At the end of a day its eighth is forgotten: half of what is known is of
/// the last five days.
const FORGET: u64 = 8;

/// How many lines an alert shows.
const SAMPLES: usize = 3;

/// What is known of each format, by its row.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Drift {
    formats: Vec<Known>,
    /// Whose they are: rows have other numbers in other versions.
    names: Vec<String>,
    #[serde(skip)]
    fitted: bool,
}

/// Lines, and those of them that no shape matched.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Count {
    lines: u64,
    unmatched: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Known {
    day: i64,
    today: Count,
    before: Count,
    /// First unmatched line of the day.
    since: Time,
    alerted: bool,
    /// The latest unmatched lines, as a ring.
    samples: Vec<Sample>,
    next: usize,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Sample {
    path: String,
    offset: u64,
    number: u64,
    time: Time,
    bytes: Vec<u8>,
}

impl Drift {
    /// Counts a batch's timely rows, and raises the alerts that belong to them.
    pub(super) fn count(&mut self, parsed: &mut Parsed) {
        self.fit();
        let mut raised = std::mem::take(&mut parsed.internal);
        for (number, row) in (0_u32..).zip(&parsed.rows) {
            let timely = parsed.timeliness.get(number as usize) == Some(&Timeliness::Timely);
            let Some(known) = self.formats.get_mut(usize::from(row.format)) else {
                continue; // no format took it
            };
            if !timely || !is_watched(row.format) {
                continue;
            }
            known.take(number, row, parsed);
            if known.drifts() {
                known.alerted = true;
                raised.push((number, known.alert(row)));
            }
        }
        parsed.internal = raised;
    }
}

impl Drift {
    /// Brings what was saved into the order of this version's table.
    fn fit(&mut self) {
        if std::mem::replace(&mut self.fitted, true) {
            return;
        }
        let mut old: Vec<_> = self.names.drain(..).zip(self.formats.drain(..)).collect();
        for format in FORMATS {
            let at = old.iter().position(|(name, _)| name == format.name);
            let known = at.map_or_else(Known::default, |at| old.swap_remove(at).1);
            self.names.push(format.name.to_owned());
            self.formats.push(known);
        }
    }
}

impl Known {
    fn take(&mut self, number: u32, row: &Row, parsed: &Parsed) {
        let day = row.time.bucket(Span::DAY);
        if day > self.day {
            self.turn(day);
        }
        self.today.lines += 1;
        if row.unmatched {
            if self.today.unmatched == 0 {
                self.since = row.time;
            }
            self.today.unmatched += 1;
            // Copies nothing while the share is an ordinary one.
            let odd = self.today.unmatched * 2 * SHARE >= self.today.lines;
            if !self.alerted && (odd || self.samples.len() < SAMPLES) {
                self.keep(number, row, parsed);
            }
        }
    }

    /// A new day: yesterday is history.
    fn turn(&mut self, day: i64) {
        let Count { lines, unmatched } = self.today;
        let before = &mut self.before;
        before.lines = before.lines - before.lines / FORGET + lines;
        before.unmatched = before.unmatched - before.unmatched / FORGET + unmatched;
        *self = Known {
            day,
            before: *before,
            samples: std::mem::take(&mut self.samples),
            next: self.next,
            ..Known::default()
        };
    }

    fn keep(&mut self, number: u32, row: &Row, parsed: &Parsed) {
        if self.samples.len() < SAMPLES {
            self.samples.push(Sample::default());
            self.next = self.samples.len() - 1;
        }
        let (place, path) = parsed.place(number, row);
        if let Some(sample) = self.samples.get_mut(self.next) {
            sample.path.clear();
            sample.path.push_str(path);
            sample.offset = place.offset;
            sample.number = place.number;
            sample.time = row.time;
            sample.bytes.clear();
            let line = parsed.line(row);
            let kept = line.get(..line.len().min(EVIDENCE_MAX)).unwrap_or(line);
            sample.bytes.extend_from_slice(kept);
        }
        self.next = (self.next + 1) % SAMPLES;
    }

    /// More than one in five unmatched, and more than four times as many as usual.
    fn drifts(&self) -> bool {
        let Known { today, before, .. } = self;
        !self.alerted
            && today.lines >= LINES_MIN
            && before.lines >= LINES_MIN
            && today.unmatched * SHARE > today.lines
            && u128::from(today.unmatched) * u128::from(before.lines)
                > u128::from(TIMES * before.unmatched) * u128::from(today.lines)
    }

    fn alert(&self, row: &Row) -> Alert {
        let rule = rule();
        let name = FORMATS
            .get(usize::from(row.format))
            .map_or("?", |format| format.name);
        let samples = self.samples_in_order();
        let line = samples.last().map_or(&[][..], |sample| &sample.bytes);
        let Count { lines, unmatched } = self.today;
        Alert {
            id: Id::new(&rule, name.as_bytes(), row.time, line),
            revision: 0,
            time: row.time,
            window: (self.since, row.time),
            entity: vec![("log.format".into(), name.into())],
            context: vec![(
                "lines".into(),
                format!("{unmatched} of {lines} unmatched").into_bytes(),
            )],
            score: score(self.today, self.before),
            events: unmatched,
            samples,
            rule,
        }
    }

    fn samples_in_order(&self) -> Vec<Evidence> {
        let at = self.next % self.samples.len().max(1);
        let (newer, older) = self.samples.split_at(at);
        let evidence = |sample: &Sample| Evidence {
            place: Place {
                offset: sample.offset,
                number: sample.number,
                ..Place::default()
            },
            path: sample.path.clone(),
            bytes: sample.bytes.clone(),
            time: sample.time,
        };
        older.iter().chain(newer).map(evidence).collect()
    }
}

/// The rule behind the alert; it is in no file, since what it counts no event has.
fn rule() -> RuleInfo {
    RuleInfo {
        id: "tipstaff.format.drift".into(),
        title: "A log's lines have a wording that is not known".into(),
        level: Level::Medium,
        tags: Vec::new(),
        kind: "internal".into(),
        hash: [0; 16],
        falsepositives: vec![
            "an update or another setting of the program: `tipstaff parse --unknown` shows which lines are new"
                .into(),
        ],
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts, shown to people")]
fn score(today: Count, before: Count) -> Score {
    let usual = before.unmatched as f64 / before.lines.max(1) as f64;
    Score {
        observed: today.unmatched as f64,
        expected: Some(usual * today.lines as f64),
        threshold: format!("> {}", today.lines / SHARE),
        model: "share of unmatched lines".into(),
        ..Score::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::by_name;

    /// A batch of sshd's lines of a day, of which every n-th is unmatched.
    fn batch(day: i64, lines: usize, every: usize) -> Parsed {
        let mut parsed = Parsed::default();
        for n in 0..lines {
            let time = Time::from_secs(day * 86_400 + i64::try_from(n).unwrap());
            parsed.rows.push(Row {
                start: 0,
                len: 0,
                segment: 0,
                time,
                written: time,
                format: by_name("sshd").unwrap(),
                unmatched: n % every == 0,
            });
        }
        parsed.timeliness = vec![Timeliness::Timely; lines];
        parsed.first_rows = vec![0];
        parsed.batch.segments = vec![super::super::batch::tests::segment()];
        parsed
    }

    fn alerts(days: &[(usize, usize)]) -> Vec<(i64, usize)> {
        let mut drift = Drift::default();
        let mut raised = Vec::new();
        for (day, &(lines, every)) in (1..).zip(days) {
            let mut parsed = batch(day, lines, every);
            drift.count(&mut parsed);
            raised.extend(parsed.internal.iter().map(|(_, a)| (day, a.samples.len())));
        }
        raised
    }

    #[test]
    fn a_jump_is_told_once_a_day_with_three_lines() {
        assert_eq!(alerts(&[(1000, 50), (1000, 50), (1000, 2)]), [(3, 3)]);
    }

    #[test]
    fn what_was_always_so_and_what_is_too_little_are_not_told() {
        assert_eq!(alerts(&[(1000, 2), (1000, 2)]), []);
        assert_eq!(alerts(&[(1000, 1)]), []);
        assert_eq!(alerts(&[(1000, 50), (199, 1)]), []);
        assert_eq!(alerts(&[(199, 50), (1000, 1)]), []);
        assert_eq!(alerts(&[(1000, 50), (1000, 6)]), []);
    }

    #[test]
    fn what_is_known_is_found_by_name_after_an_update() {
        let mut drift = Drift::default();
        drift.count(&mut batch(1, 1000, 50));
        let row = usize::from(by_name("sshd").unwrap());
        drift.formats.swap(row, row + 1);
        drift.names.swap(row, row + 1);
        drift.fitted = false;
        drift.count(&mut batch(2, 1, 2));
        assert_eq!(drift.formats[row].before.lines, 1000);
    }

    #[test]
    fn a_new_wording_becomes_the_usual_one() {
        let days = [&[(1000, 50)][..], &[(1000, 2); 9]].concat();
        let told = alerts(&days);
        assert!(!told.is_empty() && told.len() < 3, "{told:?}");
    }
}
