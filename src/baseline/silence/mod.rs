//! `silence`: one entity stopped, while others went on.
//!
//! Of n gaps that began at the same hour of the day the longest was M, so a
//! longer one has a chance of 1/n, and the tail beyond is exponential:
//!
//! ```text
//! P(gap > g) = 1/n · exp(-(g-M)/β),  β = max(0.12 M, 30 s)
//! ```
//!
//! There is no clock: whoever is silent is judged when the others' event time
//! passes the moment of its alarm. Those who would be overdue themselves must
//! have gone on, half of them at least; else it is one outage, told once, and
//! everybody's silence counts from then on. Who has no others is not judged.
//! All entities live in one lane.

mod described;
mod source;
mod unheard;

use serde::{Deserialize, Serialize};

use source::Source;

use super::season::Calendar;
use super::special::real;
use super::table::{Newcomer, Nursery, Saved, Table};
use super::watch::Watch;
use super::{
    Census, Crowd, Description, Deviation, Kept, Row, Sample, Settings, Statistic, Want, snapshot,
};
use crate::time::{SECS_PER_DAY, Span, Time};

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "silence",
    about: "no event for longer than ever, while others go on",
    field: Want::No,
    number: false,
    many: false,
    sparse: false,
    prevalence: Want::No,
    // Seconds: a restart takes minutes.
    floor: Some(600.0),
    counts: false,
    peers: false,
    only: &[],
    members: 1,
    build: |settings| Box::new(Silence::new(settings)),
};

/// Gaps before an entity is judged, unless the rule says how many.
const GAPS_LEAST: u32 = 500;

/// Who was silent for longer is gone, and not counted among those who should speak.
const GONE: Span = Span::from_secs(7 * SECS_PER_DAY);

/// While the rule warms up, how often is looked whether it is warm.
const LOOK: Span = Span::from_secs(600);

/// All entities of one rule.
pub(super) struct Silence {
    settings: Settings,
    calendar: Calendar,
    table: Table<Source>,
    nursery: Nursery,
    /// Nobody's alarm is before this.
    next: Time,
    watch: Watch,
}

#[derive(Serialize, Deserialize)]
struct State {
    table: Saved<Source>,
    nursery: Saved<Newcomer>,
    next: Time,
    watch: Watch,
}

impl Silence {
    fn new(settings: &Settings) -> Silence {
        Silence {
            calendar: Calendar::new(&Settings {
                timespan: Span::HOUR,
                ..settings.clone()
            }),
            table: Table::new(settings.max_entities),
            nursery: Nursery::new(settings.max_entities),
            next: Time::MAX,
            watch: Watch::new(settings),
            settings: settings.clone(),
        }
    }

    fn least(&self) -> u32 {
        match self.settings.min_buckets {
            0 => GAPS_LEAST,
            gaps => gaps,
        }
    }

    fn known(&mut self, at: usize, sample: &Sample) -> Option<Deviation> {
        let found = self.unheard(at, sample.time);
        let time = sample.time;
        let (threshold, floor) = (self.watch.threshold(), self.settings.floor);
        let least = self.least();
        let source = self.table.get_mut(at)?;
        let bits = source.bits(time, &self.calendar);
        source.peak.raise(0.0);
        if source.gaps >= least && source.is_long(time, floor, &self.calendar) {
            source.peak.raise(bits);
        }
        source.take(time, !sample.lesson.is_none(), &self.calendar);
        let bucket = self.calendar.bucket(source.last);
        if bucket != source.bucket || bits > 0.0 {
            source.renew(bucket, threshold, floor, &self.calendar);
        }
        if source.gaps >= least {
            self.next = self.next.min(source.alarm(&self.calendar));
        }
        found
    }

    /// Who is to be told of at `now`: the one most out of the ordinary.
    fn worst(&mut self, now: Time) -> Option<usize> {
        let least = self.least();
        let mut next = Time::MAX;
        let mut worst: Option<(f64, u64, usize)> = None;
        for (at, source) in self.table.states().enumerate() {
            if source.gaps < least || source.told {
                continue;
            }
            let alarm = source.alarm(&self.calendar);
            if now <= alarm {
                next = next.min(alarm);
                continue;
            }
            let rank = (source.bits(now, &self.calendar), source.key, at);
            let more = |old: &(f64, u64, usize)| rank.0.total_cmp(&old.0).is_gt();
            let same = |old: &(f64, u64, usize)| rank.0 >= old.0 && rank.1 < old.1;
            if worst.as_ref().is_none_or(|old| more(old) || same(old)) {
                worst = Some(rank);
            }
        }
        if worst.is_none() {
            self.next = next;
        }
        worst.map(|(.., at)| at)
    }

    /// Of those who should have spoken since one fell silent: how many did, of how many.
    fn company(&self, silent: &Source, now: Time) -> (u32, u32) {
        let least = self.least();
        let quiet = now.since(silent.base);
        let others = self.table.states().filter(|other| {
            other.key != silent.key && other.gaps >= least && now.since(other.last) < GONE
        });
        let lately = silent.middle(now);
        others.fold((0, 0), |(spoke, all), other| {
            if other.last > lately {
                (spoke + 1, all + 1)
            } else {
                (spoke, all + u32::from(other.patience <= quiet))
            }
        })
    }

    /// Whether somebody's silence is worth telling, or part of an outage that was told.
    fn judge(&mut self, at: usize, now: Time) -> Option<(u64, Deviation)> {
        let silent = self.table.get(at)?;
        let (spoke, all) = self.company(silent, now);
        let alone = spoke > 0 && 2 * spoke >= all;
        let first = silent.base == silent.last;
        let deviation = self.deviation(silent, now);
        let (key, lately) = (silent.key, silent.middle(now));
        if !alone {
            // From here on everybody is judged afresh.
            for other in self.table.states_mut() {
                if other.last <= lately {
                    other.base = now;
                }
            }
        }
        let silent = self.table.get_mut(at)?;
        silent.told = alone;
        silent.base = if alone { silent.base } else { now };
        silent.others = all - spoke;
        // With nobody to go by, time itself may have stopped: a lone machine at night.
        (alone || first && all > 0).then_some((key, deviation))
    }

    fn deviation(&self, source: &Source, now: Time) -> Deviation {
        let bits = source.bits(now, &self.calendar);
        let (_, longest) = source.about(self.calendar.cell(self.calendar.bucket(source.last)));
        let gaps = f64::from(source.gaps.max(1));
        Deviation {
            bits,
            observed: now.since(source.last).as_secs_f64(),
            expected: source.last.since(source.first).as_secs_f64() / gaps,
            // The longest of hundreds is beyond 99 % of them.
            interval: (0.0, longest),
            evidence: f64::from(source.gaps),
            age: now.since(source.first).max(Span::ZERO),
            model: "gap",
            quiet: source.patience.as_secs_f64(),
            return_days: self.watch.return_days(bits),
            terms: vec![("gap", bits)],
            since: source.last,
            held: None,
        }
    }
}

impl Statistic for Silence {
    fn observe(&mut self, sample: &Sample) -> Option<Deviation> {
        self.watch.see(sample.time);
        if let Some(at) = self.table.find(sample.key) {
            return self.known(at, sample);
        }
        let Some(seen) = self.nursery.find(sample.key) else {
            let newcomer = Newcomer {
                first: sample.time,
                count: 1,
                value: 0,
            };
            self.nursery.insert(sample.key, newcomer);
            return None;
        };
        if self.calendar.bucket(sample.time) <= self.calendar.bucket(seen.first) {
            seen.count = seen.count.saturating_add(1);
            return None;
        }
        let source = Source::new(sample.key, sample.time);
        let (now, half_life) = (sample.time, self.calendar.half_life);
        let worth = |old: &Source| {
            let hours = now.since(old.last).secs() / 3600;
            let established = old.gaps >= GAPS_LEAST && real(hours) < half_life;
            let doublings = i64::from(old.gaps.saturating_add(1).ilog2());
            // A doubling of what is known is worth a day of staying.
            (!established).then(|| doublings * 24 - hours)
        };
        if self.table.insert(sample.key, source, worth).is_some() {
            self.nursery.remove(sample.key);
        }
        None
    }

    fn overdue(&mut self, now: Time) -> Option<(u64, Deviation)> {
        if now <= self.next {
            return None;
        }
        if !self.watch.is_warm(&self.settings, now) {
            self.next = now.plus(LOOK);
            return None;
        }
        for _ in 0..=self.table.len() {
            let at = self.worst(now)?;
            let found = self.judge(at, now);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn keeps(&self, key: u64) -> bool {
        self.table.find(key).is_some() || self.nursery.holds(key)
    }

    fn facts(&self, key: u64) -> Vec<(&'static str, f64)> {
        let source = self.table.find(key).and_then(|at| self.table.get(at));
        source.map_or(Vec::new(), |source| {
            vec![("silent.too", f64::from(source.others))]
        })
    }

    fn census(&mut self, now: Time) -> Census {
        let mut votes = Vec::new();
        for source in self.table.states_mut() {
            self.watch.vote(&mut votes, &mut source.peak);
        }
        self.next = self.next.min(now);
        Census {
            sums: vec![i128::try_from(self.table.len()).unwrap_or(0)],
            ..self.watch.census(votes)
        }
    }

    fn adopt(&mut self, population: &Census, _now: Time) {
        self.watch.adopt(population, &self.settings);
        let (threshold, floor) = (self.watch.threshold(), self.settings.floor);
        for source in self.table.states_mut() {
            let bucket = source.bucket.max(self.calendar.bucket(source.last));
            source.renew(bucket, threshold, floor, &self.calendar);
        }
    }

    fn describe(&self, key: u64, now: Time) -> Option<Description> {
        self.described(key, now)
    }

    fn forget(&mut self, key: u64) -> bool {
        self.forgotten(key)
    }

    fn kept(&self) -> Kept<'_> {
        Kept::new(&self.table, &self.nursery, size_of::<Silence>())
    }

    fn crowd(&self) -> Crowd {
        Crowd::default() // hosts, in one lane: no nursery of strangers
    }

    fn save(&self) -> Vec<u8> {
        let state = State {
            table: self.table.save(),
            nursery: self.nursery.save(),
            next: self.next,
            watch: self.watch.clone(),
        };
        snapshot::pack(ROW.name, &self.settings, &state)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let state: State = snapshot::unpack(ROW.name, &self.settings, bytes)?;
        let mut fresh = Silence::new(&self.settings);
        fresh.table.load(state.table)?;
        fresh.nursery.load(state.nursery)?;
        fresh.next = state.next;
        fresh.watch = state.watch;
        *self = fresh;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_takes_four_hundred_and_eighty_bytes() {
        assert!(size_of::<Source>() <= 480, "{}", size_of::<Source>());
    }
}
