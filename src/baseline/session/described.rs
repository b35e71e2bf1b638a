//! What is known of an entity's sessions, as people read it, and how it is forgotten.

use super::{HABIT, HOURS_HABIT, Sessions, gap};
use crate::baseline::Elementary as _;
use crate::baseline::combine::together;
use crate::baseline::evidence::{Found, KINDS, LEAST};
use crate::baseline::special::bits;
use crate::baseline::table::swap_out;
use crate::baseline::values::Values;
use crate::baseline::{Description, FIELD_TERMS};
use crate::time::Time;

impl Sessions {
    pub(super) fn described(&self, key: u64, now: Time) -> Option<Description> {
        let Some(at) = self.table.find(key) else {
            let seen = self.nursery.get(key)?;
            return Some(Description::newcomer(seen, self.looks.what));
        };
        // As if its bucket were over, where it is.
        let mut state = self.table.get(at)?.clone();
        let mut profile = self.profiles.get(at).cloned();
        let mut values = self.values.get(self.fields(at))?.to_vec();
        let bucket = self.calendar.bucket(now).max(state.bucket);
        let away = if bucket > state.bucket || state.count == 0 {
            now.since(state.latest)
        } else {
            state.gaps.away(state.since)
        };
        if bucket > state.bucket {
            state.close(&self.calendar, profile.as_mut(), &mut values);
        }
        let habit = state.active >= HOURS_HABIT;
        let week = profile.as_ref().filter(|_| habit);
        let tail = week.map_or(1.0, |own| {
            own.tail(&self.calendar, self.hours_like(at), bucket)
        });
        let found = Found {
            terms: [("", 0.0); KINDS],
            raw: [0.0; KINDS],
            kinds: self.kinds(self.looks.fields),
            odd: 0,
            tail,
            away: gap::days(away).max(0.0),
            law: state.gaps.law(self.typical),
            count: state.count,
            threshold: self.watch.threshold(),
            floor: self.settings.floor,
        };
        let young = state.active < self.settings.min_buckets.max(HABIT)
            || !self.watch.is_warm(&self.settings, now);
        let told = (self.looks.explain)(&found);
        let known = values.iter().map(Values::known);
        let first = self.table.get(at)?.first;
        Some(Description {
            first,
            last: state.latest,
            newcomer: false,
            evidence: f64::from(state.active),
            of_gaps: false,
            what: self.looks.what,
            expected: told.expected,
            interval: told.interval,
            // How many things were odd is not kept.
            observed: (self.looks.fields == 0).then_some(told.observed),
            alarm: self.alarm(&found, told.quiet).filter(|_| !young),
            below: false,
            young,
            values: (self.looks.fields > 0).then(|| known.clone().sum()),
            hours: profile.map_or_else(Vec::new, |own| {
                own.shape(&self.calendar, self.hours_like(at), bucket)
            }),
            more: self.more(&found, habit, known),
        })
    }

    /// How many kinds of evidence it looks at in an event that has so many fields.
    pub(super) fn kinds(&self, there: usize) -> u32 {
        let kinds = there.min(self.looks.fields)
            + usize::from(self.looks.hours)
            + usize::from(self.looks.gaps);
        u32::try_from(kinds).unwrap_or(0)
    }

    /// The least observation that would be reported.
    fn alarm(&self, found: &Found, quiet: f64) -> Option<f64> {
        if self.looks.fields > 0 {
            return Some(quiet + 1.0);
        }
        if self.looks.gaps {
            return Some(quiet);
        }
        let hour = bits(found.tail.max(1e-30).log_e());
        let odd = (hour >= LEAST).then_some(hour);
        (together(odd.into_iter(), 1 - u32::from(odd.is_some())) >= found.threshold)
            .then_some(quiet + 1.0)
    }

    fn more(
        &self,
        found: &Found,
        habit: bool,
        known: impl Iterator<Item = u32>,
    ) -> Vec<(&'static str, f64)> {
        let mut more = Vec::new();
        if self.looks.fields > 1 {
            more.extend(FIELD_TERMS.into_iter().zip(known.map(f64::from)));
        }
        if self.looks.hours && habit {
            more.push((
                "percent of its hours as quiet as this one",
                100.0 * found.tail,
            ));
        }
        if self.looks.gaps {
            more.push(("mean days away", found.law.mean));
            more.push(("days away that are odd", found.law.reaching(LEAST)));
        }
        more
    }

    pub(super) fn forgotten(&mut self, key: u64) -> bool {
        let Some(at) = self.table.find(key) else {
            return self.nursery.remove(key);
        };
        swap_out(&mut self.profiles, at, 1);
        swap_out(&mut self.values, at, self.looks.fields);
        if let Some(groups) = &mut self.groups {
            groups.remove(at, self.table.len());
        }
        self.table.remove(at).is_some()
    }
}
