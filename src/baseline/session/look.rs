//! What is odd about one session.

use super::super::calibrate::single;
use super::super::evidence::{Found, KINDS, LEAST};
use super::super::special::bits;
use super::super::{FIELD_TERMS, PARTS, Sample};
use super::{HOUR, HOURS_HABIT, IDLE, Sessions, gap, values};
use crate::baseline::Elementary as _;

impl Sessions {
    /// Takes the sample's values in and says what is odd about it.
    pub(super) fn evidence(&mut self, at: usize, sample: &Sample) -> Option<Found> {
        let mut terms = [("", 0.0); KINDS];
        let (fields_terms, other_terms) = terms.split_at_mut(PARTS);
        let bucket = self.calendar.bucket(sample.time);
        let fields = self.fields(at);
        let groups = self.groups.as_ref();
        let alike = groups.and_then(|groups| groups.get(groups.of(at)));
        let bases = alike.map_or(&self.bases, |alike| &alike.bases);
        let each = self.values.get_mut(fields).into_iter().flatten();
        let each = each.zip(bases).zip(sample.parts);
        for ((((values, base), part), name), term) in each.zip(FIELD_TERMS).zip(fields_terms) {
            if part == 0 {
                continue; // the event has no such field
            }
            values.bucket = values.bucket.max(bucket);
            let (value, time) = (values::short(part), sample.time);
            let novelty = if sample.lesson.is_whole() {
                values.take(value, time, &self.calendar, base)
            } else {
                values.judge(value, time, &self.calendar, base)
            };
            *term = (name, novelty.map_or(0.0, |novelty| novelty.bits()));
        }
        let [hour, gap] = other_terms else {
            return None;
        };
        let class = class(sample);
        let there = sample.parts.iter().filter(|part| **part != 0).count();
        let kinds = self.kinds(there);
        let state = self.table.get_mut(at)?;
        if self.looks.hours && state.active >= HOURS_HABIT {
            if state.tail < 0.0 || state.class != class {
                let profile = self.profiles.get(at)?;
                let peers = if self.looks.fields > 0 {
                    self.fleet.hours(class, &self.peers)
                } else {
                    alike.map_or(&self.peers, |alike| &alike.hours)
                };
                state.tail = single(profile.tail(&self.calendar, peers, state.bucket));
            }
            state.class = class;
            *hour = (HOUR, bits(f64::from(state.tail).max(1e-30).log_e()));
        }
        let law = state.gaps.law(self.typical);
        let away = state.gaps.away(state.since);
        let holidays = self.calendar.holidays(state.since.minus(away), state.since);
        let away = gap::days(away);
        if self.looks.gaps {
            *gap = (IDLE, law.surprise(away - gap::days(holidays)));
        }
        let raw = terms.map(|(_, bits)| bits);
        // One kind alone is weighed by its rule; of several each must be worth the same.
        if self.looks.fields > 0 {
            for (kind, (_, bits)) in terms.iter_mut().enumerate() {
                *bits = self.fleet.honest(kind, *bits);
            }
            halve_further(&mut terms);
        }
        let odd = terms.iter().filter(|&&(_, bits)| bits >= LEAST).count();
        Some(Found {
            terms,
            raw,
            kinds,
            odd: u32::try_from(odd).unwrap_or(0),
            tail: f64::from(state.tail.max(0.0)),
            away,
            law,
            count: state.count,
            threshold: self.watch.threshold(),
            floor: self.settings.floor,
        })
    }
}

/// Who comes from elsewhere comes by another way in as well: of the values that
/// are new in one session the strongest counts in full, each further one half
/// as much as the one before.
fn halve_further(terms: &mut [(&'static str, f64); KINDS]) {
    let (values, _) = terms.split_at_mut(PARTS);
    values.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut weight = 1.0;
    for (_, bits) in values.iter_mut().filter(|(_, bits)| *bits > 0.0) {
        *bits *= weight;
        weight *= 0.5;
    }
}

/// Which fields the sample's event has, a bit each.
fn class(sample: &Sample) -> u8 {
    let there = sample.parts.iter().zip(0_u8..);
    there.fold(0, |class, (part, bit)| class | u8::from(*part != 0) << bit)
}
