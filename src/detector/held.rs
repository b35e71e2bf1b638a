//! What was odd enough for an alert and raised none, and why: a rule that is
//! young, an entity of which little is known, a budget that asks for more.
//!
//! One entry is one entity under one rule for one reason, with its oddest
//! moment, to within half a bit. Of a rule and lane the [`KEPT`] oddest are kept, for [`DAYS`] days.

use serde::{Deserialize, Serialize};

use super::Detector;
use super::evidence::Seen;
use super::kind::Firing;
use super::lane::{Lane, Told, entity_of};
use super::unit::Unit;
use crate::alert::{Alert, Evidence, Id, Score, Subject};
use crate::baseline::Held;
use crate::time::{Span, Time};

/// Entries of a rule in a lane: 1,024 of a rule in all, of some 2 kB at most.
const KEPT: usize = 16;

/// Bits that a moment must be odder by to take another's place: what grows event
/// by event is not written down each time.
const ODDER: f64 = 0.5;

/// Event time after which nobody comes back to it.
const DAYS: i64 = 30;

/// A result that raised no alert.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldBack {
    /// The alert that it would have been, at its oddest moment.
    pub alert: Alert,
    /// Why it was none.
    pub held: Held,
    /// When it was first held back, and last.
    pub first: Time,
    /// See `first`.
    pub last: Time,
    /// On how many days.
    pub days: u32,
}

impl HeldBack {
    /// The oddest first; then by time, rule and entity, so that where it was
    /// kept makes no difference.
    pub fn sort(all: &mut [HeldBack]) {
        let bits = |held: &HeldBack| held.alert.score.bits.unwrap_or(0.0);
        let place = |held: &HeldBack| (held.alert.time, held.alert.id);
        all.sort_by(|a, b| {
            let order = bits(b).total_cmp(&bits(a)).then(place(a).cmp(&place(b)));
            order.then_with(|| a.alert.entity.cmp(&b.alert.entity))
        });
    }
}

/// The same as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    hash: u64,
    key: Vec<u8>,
    held: Held,
    time: Time,
    since: Time,
    context: Vec<(String, Vec<u8>)>,
    score: Score,
    events: u64,
    line: Evidence,
    first: Time,
    last: Time,
    days: u32,
}

impl Entry {
    fn bits(&self) -> f64 {
        self.score.bits.unwrap_or(0.0)
    }

    fn is_of(&self, hash: u64, held: &Held) -> bool {
        self.hash == hash && self.held.reason.kind() == held.reason.kind()
    }

    /// Takes note of another moment.
    fn again(&mut self, time: Time) {
        let day = |time: Time| time.bucket(Span::DAY);
        self.days += u32::from(day(time) > day(self.last));
        self.last = self.last.max(time);
    }

    fn bytes(&self) -> usize {
        let text = |pairs: &[(String, Vec<u8>)]| -> usize {
            let each = pairs.iter().map(|(name, value)| name.len() + value.len());
            each.sum()
        };
        let texts = self.key.len() + self.line.bytes.len() + self.line.path.len();
        // The score's terms are a few short words.
        size_of::<Entry>() + texts + text(&self.context) + 256
    }
}

/// One rule's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct OfRule {
    kept: Vec<Entry>,
    /// Whether there were more than are kept.
    more: bool,
}

impl OfRule {
    /// Whether it would keep a result, whose entry, if there is one, takes note of it.
    fn wants(&mut self, hash: u64, held: &Held, bits: f64, time: Time) -> bool {
        if let Some(known) = self.kept.iter_mut().find(|entry| entry.is_of(hash, held)) {
            known.again(time);
            return bits > known.bits() + ODDER;
        }
        let full = self.kept.len() >= KEPT;
        self.more |= full;
        !full || self.kept.iter().any(|entry| entry.bits() + ODDER < bits)
    }

    /// Keeps what it wants.
    fn take(&mut self, new: Entry) {
        let same = |entry: &&mut Entry| entry.is_of(new.hash, &new.held);
        if let Some(known) = self.kept.iter_mut().find(same) {
            *known = Entry {
                first: known.first.min(new.first),
                last: known.last,
                days: known.days,
                ..new
            };
            return;
        }
        if self.kept.len() < KEPT {
            self.kept.push(new);
            return;
        }
        // Of the least odd the last to have come goes.
        let least = self.kept.iter_mut().rev();
        let least = least.min_by(|a, b| a.bits().total_cmp(&b.bits()));
        if let Some(least) = least {
            *least = new;
        }
    }
}

/// A lane's, by rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ledger(Vec<OfRule>);

impl Ledger {
    /// Of so many rules.
    pub(super) fn new(rules: usize) -> Ledger {
        Ledger(vec![OfRule::default(); rules])
    }

    fn of(&mut self, rule: u16) -> Option<&mut OfRule> {
        let rule = usize::from(rule);
        if self.0.len() <= rule {
            self.0.resize_with(rule + 1, OfRule::default);
        }
        self.0.get_mut(rule)
    }

    /// An alert was raised after all: what came just before it is no news.
    pub(super) fn raised(&mut self, of: Subject, since: Time) {
        if let Some(rule) = self.0.get_mut(usize::from(of.rule)) {
            rule.kept.retain(|e| e.hash != of.key || e.last < since);
        }
    }

    /// Forgets an entity under a rule.
    pub(super) fn forget(&mut self, rule: u16, key: u64) {
        self.raised(Subject { rule, key }, Time::MIN);
    }

    /// Forgets what was long ago.
    pub(super) fn expire(&mut self, now: Time) {
        let recent = |last: Time| now.since(last) <= Span::DAY.times(DAYS);
        for rule in &mut self.0 {
            rule.kept.retain(|entry| recent(entry.last));
            rule.more &= !rule.kept.is_empty();
        }
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let rules = self.0.iter().flat_map(|rule| &rule.kept);
        rules.map(Entry::bytes).sum()
    }

    /// Moves rules to their new numbers; `place` has the old number of each
    /// rule that there was before.
    pub(super) fn renumber(&mut self, place: &[Option<usize>]) {
        let mut old = std::mem::take(&mut self.0);
        let moved = place.iter().map(|from| {
            let from = from.and_then(|from| old.get_mut(from));
            from.map(std::mem::take).unwrap_or_default()
        });
        self.0 = moved.collect();
    }
}

impl Lane {
    /// Keeps a result that raises no alert, unless the entity's alert is told.
    pub(super) fn hold_back(
        &mut self,
        unit: &Unit,
        told: &Told<'_>,
        firing: &Firing,
        held: Held,
        seen: &Seen<'_>,
    ) {
        let s = &told.sighting;
        let subject = Subject {
            rule: told.unit,
            key: s.key,
        };
        let going_on = self.episodes.get(subject);
        if !unit.alerts || going_on.is_some_and(|e| s.time.since(e.last) <= unit.plan.quiet) {
            return;
        }
        let bits = firing.deviation.as_ref().map_or(0.0, |d| d.bits);
        let Some(rule) = self.ledger.of(told.unit) else {
            return;
        };
        if !rule.wants(s.key, &held, bits, s.time) {
            return;
        }
        let entry = Entry {
            hash: s.key,
            key: told.key.to_vec(),
            held,
            time: s.time,
            since: firing.since,
            context: self.context(unit, told),
            score: self.score(unit, told, firing, firing.events),
            events: firing.events,
            line: seen.evidence(s.time),
            first: s.time,
            last: s.time,
            days: 1,
        };
        if let Some(rule) = self.ledger.of(told.unit) {
            rule.take(entry);
        }
    }

    /// What raised no alert though it was odd, as far as it is kept, and
    /// whether there was more.
    pub fn held_back(&self, detector: &Detector) -> (Vec<HeldBack>, bool) {
        let (mut all, mut more) = (Vec::new(), false);
        for (unit, rule) in detector.units.iter().zip(&self.ledger.0) {
            more |= rule.more;
            all.extend(rule.kept.iter().map(|entry| HeldBack {
                alert: would_be(unit, entry),
                held: entry.held,
                first: entry.first,
                last: entry.last,
                days: entry.days,
            }));
        }
        (all, more)
    }
}

fn would_be(unit: &Unit, entry: &Entry) -> Alert {
    Alert {
        id: Id::new(&unit.info, &entry.key, entry.time, &entry.line.bytes),
        revision: 0,
        time: entry.time,
        window: (entry.since.min(entry.time), entry.time),
        rule: unit.info.clone(),
        entity: entity_of(unit, &entry.key),
        context: entry.context.clone(),
        score: entry.score.clone(),
        events: entry.events,
        samples: vec![entry.line.clone()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Reason;

    fn entry(hash: u64, bits: f64, second: i64) -> Entry {
        let time = Time::from_secs(second);
        Entry {
            hash,
            key: hash.to_be_bytes().to_vec(),
            held: Held {
                reason: Reason::Evidence(1, 5),
                threshold: 16.0,
            },
            time,
            since: time,
            context: Vec::new(),
            score: Score {
                bits: Some(bits),
                ..Score::default()
            },
            events: 1,
            line: Evidence::default(),
            first: time,
            last: time,
            days: 1,
        }
    }

    fn offer(ledger: &mut Ledger, new: Entry) {
        let rule = ledger.of(2).unwrap();
        if rule.wants(new.hash, &new.held, new.bits(), new.time) {
            rule.take(new);
        }
    }

    #[test]
    fn the_oddest_of_a_rule_are_kept_each_entity_once_with_its_oddest_moment() {
        let mut ledger = Ledger::default();
        for n in 0..100_u32 {
            let bits = f64::from(n * 37 % 100);
            offer(&mut ledger, entry(u64::from(n), bits, i64::from(n)));
        }
        let kept = &ledger.0[2].kept;
        assert!(kept.len() == KEPT && kept.iter().all(|e| e.bits() >= 84.0));
        assert!(ledger.0[2].more);
        let known = kept[3].clone();
        let day = 86_400;
        for (bits, second) in [(1.0, day), (200.0, 3 * day), (199.0, 3 * day + 60)] {
            offer(&mut ledger, entry(known.hash, bits, second));
        }
        let again = &ledger.0[2].kept[3];
        assert_eq!((again.bits(), again.days), (200.0, 3));
        assert_eq!(again.first, known.first);
        assert_eq!(again.last, Time::from_secs(3 * day + 60));
    }

    #[test]
    fn what_is_a_month_old_and_what_was_alerted_on_after_all_is_gone() {
        let mut ledger = Ledger::default();
        for (hash, day) in [(1, 0), (2, 20), (3, 20)] {
            offer(&mut ledger, entry(hash, 30.0, day * 86_400));
        }
        ledger.expire(Time::from_secs(31 * 86_400));
        let left = |ledger: &Ledger| -> Vec<u64> {
            let kept = ledger.0.iter().flat_map(|rule| &rule.kept);
            kept.map(|entry| entry.hash).collect()
        };
        assert_eq!(left(&ledger), [2, 3]);
        let subject = Subject { rule: 2, key: 3 };
        ledger.raised(subject, Time::from_secs(21 * 86_400));
        assert_eq!(left(&ledger), [2, 3], "a day before is another matter");
        ledger.raised(subject, Time::from_secs(20 * 86_400));
        assert_eq!(left(&ledger), [2]);
        ledger.renumber(&[Some(2), None]);
        assert_eq!((ledger.0.len(), ledger.0[0].kept.len()), (2, 1));
    }
}
