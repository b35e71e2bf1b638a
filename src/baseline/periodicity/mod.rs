//! `periodicity`: one entity's events come too evenly to be chance, and few
//! others share what they go to. A beacon calls its master so.
//!
//! ```text
//! bits = min(LLR/2, 14)                            evenness, see `beat`
//!      + min(8, -log2(MAD/median of sizes) - 1)    each time as much
//!      + 2 log2(base/holders) + log2(fleet/20)     few others go there
//!      - 2 · days of it so far - 8
//! ```
//!
//! LLR counts half: programs' gaps are less alike than those of one gamma law,
//! and the rest does not get louder than the other evidence. An implant is on
//! few machines and a program on many, so each halving of the holders counts
//! twice up to 20. Who has done it for days is known for it. The 8 bits are
//! for the many programs that call home. A rule's `timespan` is how long a
//! beat must last; a test is done at 20 gaps and at every eighth.

mod described;

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};
use std::f64::consts::LOG2_E;

use super::beat::{Beat, Rhythm, Sizes};
use super::held::Ripeness;
use super::holders::{Holders, RECENT};
use super::special::BITS_MAX;
use super::table::{Newcomer, Nursery, Saved, Table};
use super::values::short;
use super::watch::Watch;
use super::{
    Census, Description, Deviation, Kept, Row, Sample, Settings, Statistic, Want, snapshot,
};
use crate::time::{Span, Time};

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "periodicity",
    about: "events at an even beat, going where few others go",
    field: Want::May,
    number: true,
    many: false,
    sparse: false,
    prevalence: Want::Must,
    // Regularity, where chance is 1: gaps that vary by more than all of
    // themselves to either side are no beat.
    floor: Some(REGULARITY),
    peers: false,
    only: &[],
    members: 1,
    counts: false,
    build: |settings| Box::new(Periodicity::new(settings)),
};

const REGULARITY: f64 = 2.5;

/// What comes but twice a day is a timetable's: a backup, a report.
const PERIOD_MAX: f64 = 12.0 * 3600.0;

/// A newcomer is known once it comes back ten minutes later.
const SLOT: i64 = 600_000_000_000;

/// Gaps before the first test, and from one to the next.
const GAPS_LEAST: u32 = 20;
const EVERY: u32 = 8;

const EVENNESS_MAX: f64 = 14.0;
const SIZES_MAX: f64 = 8.0;
const FLEET_MAX: f64 = 4.0;
const HABIT_MAX: f64 = 12.0;
const OFFSET: f64 = 8.0;

/// Holders that make something common, until the fleet is known to be smaller.
const COMMON: f64 = 20.0;

/// All entities of one rule in one lane.
pub(super) struct Periodicity {
    settings: Settings,
    slot: Span,
    table: Table<Beat>,
    nursery: Nursery,
    /// How many entities go to each value. Those who share one are in one lane.
    holders: Holders,
    /// Holders of what most go to, at the last barrier; 0 = not known.
    fleet: u32,
    watch: Watch,
}

#[derive(Serialize, Deserialize)]
struct State {
    table: Saved<Beat>,
    nursery: Saved<Newcomer>,
    holders: Saved<u32>,
    fleet: u32,
    watch: Watch,
}

/// A score and what it is made of.
struct Score {
    bits: f64,
    rhythm: Rhythm,
    terms: [(&'static str, f64); 4],
}

impl Periodicity {
    fn new(settings: &Settings) -> Periodicity {
        Periodicity {
            slot: Span::from_nanos((settings.timespan.nanos() / 6).clamp(1, SLOT)),
            table: Table::new(settings.max_entities),
            nursery: Nursery::new(settings.max_entities),
            holders: Holders::new(settings.max_entities),
            fleet: 0,
            watch: Watch::new(settings),
            settings: settings.clone(),
        }
    }

    fn known(&mut self, at: usize, sample: &Sample) -> Option<Deviation> {
        let beat = self.table.get_mut(at)?;
        if !beat.take(sample.time, sample.amount) {
            return None;
        }
        beat.peak.raise(0.0);
        if beat.gaps < GAPS_LEAST || (beat.gaps > GAPS_LEAST && beat.gaps % EVERY != 0) {
            return None;
        }
        let (rhythm, evidence) = beat.rhythm()?;
        let even = rhythm.regularity >= self.settings.floor.max(REGULARITY)
            && evidence > 0.0
            && rhythm.period < PERIOD_MAX;
        let steady = beat.note(even);
        if !even || sample.time.since(steady) < self.settings.timespan {
            return None;
        }
        let score = self.score(self.table.get(at)?, rhythm, evidence);
        let beat = self.table.get_mut(at)?;
        if !sample.lesson.is_none() {
            beat.even = true;
            if beat.gaps >= self.settings.min_buckets {
                beat.peak.raise(score.bits);
            }
        }
        self.deviation(at, &score, sample.time)
    }

    fn score(&self, beat: &Beat, rhythm: Rhythm, evidence: f64) -> Score {
        let terms = [
            ("evenness", (evidence / 2.0).min(EVENNESS_MAX)),
            ("size", beat.sizes().as_ref().map_or(0.0, likeness)),
            ("peers", self.rarity(beat.value) - OFFSET),
            ("habit", -(2.0 * f64::from(beat.days)).min(HABIT_MAX)),
        ];
        let bits: f64 = terms.iter().map(|(_, bits)| bits).sum();
        Score {
            bits: bits.clamp(0.0, BITS_MAX),
            rhythm,
            terms,
        }
    }

    /// How few others go there, in bits.
    fn rarity(&self, value: u32) -> f64 {
        let holders = f64::from(self.holders.of(value));
        let fleet = f64::from(self.fleet);
        let base = if self.fleet > 0 {
            fleet.clamp(4.0, COMMON)
        } else {
            COMMON
        };
        let large = ((fleet / COMMON).max(1.0).log_e() * LOG2_E).min(FLEET_MAX);
        2.0 * (base / holders).log_e() * LOG2_E + large
    }

    fn deviation(&self, at: usize, score: &Score, now: Time) -> Option<Deviation> {
        let beat = self.table.get(at)?;
        let least = self.watch.threshold();
        let of = Ripeness {
            known: beat.gaps,
            least: self.settings.min_buckets,
        };
        let held = self.watch.verdict(&self.settings, score.bits, of, now)?;
        let mut terms: Vec<_> = score.terms.iter().copied().filter(|t| t.1 != 0.0).collect();
        terms.sort_by(|a, b| b.1.total_cmp(&a.1));
        let rhythm = &score.rhythm;
        Some(Deviation {
            bits: score.bits,
            observed: rhythm.regularity,
            expected: 1.0,
            interval: rhythm.by_chance(),
            evidence: f64::from(beat.gaps),
            age: now.since(beat.first).max(Span::ZERO),
            model: "gamma",
            quiet: quiet(
                score,
                least,
                self.settings.floor.max(REGULARITY),
                rhythm.regularity,
            )
            .unwrap_or(rhythm.regularity),
            return_days: self.watch.return_days(score.bits),
            terms,
            since: beat.since(),
            held,
        })
    }

    /// A newcomer waits until it is seen in a second slot.
    fn newcomer(&mut self, sample: &Sample) -> Option<Deviation> {
        let (slot, time) = (self.slot, sample.time);
        let Some(seen) = self.nursery.find(sample.key) else {
            let newcomer = Newcomer {
                first: time,
                count: 1,
                value: short(sample.value),
            };
            self.nursery.insert(sample.key, newcomer);
            self.holders.count(newcomer.value);
            return None;
        };
        if time.bucket(slot) <= seen.first.bucket(slot) {
            seen.count = seen.count.saturating_add(1);
            return None;
        }
        let seen = *seen;
        let beat = Beat::new(&seen);
        let worth = |old: &Beat| worth(old, time);
        let at = self.table.insert(sample.key, beat, worth)?;
        self.nursery.remove(sample.key);
        if seen.count > 1 {
            // What came between is not known one by one.
            self.table.get_mut(at)?.restart(time);
            return None;
        }
        self.known(at, sample)
    }

    /// Counts afresh who goes where.
    fn recount(&mut self, now: Time) {
        let recent = |last: Time| now.since(last) <= RECENT;
        let new = self.nursery.newcomers().filter(|new| recent(new.first));
        let known = self.table.states().filter(|beat| recent(beat.last));
        let values = new.map(|new| new.value).chain(known.map(|beat| beat.value));
        self.holders.recount(values);
    }
}

/// How much alike the sizes are, in bits.
fn likeness(sizes: &Sizes) -> f64 {
    (-sizes.spread.max(1e-3).log_e() * LOG2_E - 1.0).clamp(0.0, SIZES_MAX)
}

/// The largest regularity that would not have been reported, up to one that
/// would be; `None` where not even that would.
fn quiet(score: &Score, least: f64, floor: f64, most: f64) -> Option<f64> {
    let rhythm = &score.rhythm;
    let others: f64 = score.terms.iter().skip(1).map(|(_, bits)| bits).sum();
    let reported = |regularity: f64| {
        (rhythm.bits(regularity) / 2.0).min(EVENNESS_MAX) + others >= least && regularity >= floor
    };
    if !reported(most) {
        return None;
    }
    let (mut low, mut high) = (1.0, most);
    for _ in 0..40 {
        let middle = low + (high - low) / 2.0;
        if reported(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(low)
}

/// What an entity is worth keeping for; `None` while it has a history.
fn worth(beat: &Beat, now: Time) -> Option<i64> {
    let idle = now.since(beat.last);
    if beat.gaps >= GAPS_LEAST && idle <= RECENT {
        return None;
    }
    let doublings = i64::from(beat.gaps.saturating_add(1).ilog2());
    // A doubling of what is known is worth a day of staying.
    Some(doublings * 24 - idle.secs() / 3600)
}

impl Statistic for Periodicity {
    fn observe(&mut self, sample: &Sample) -> Option<Deviation> {
        self.watch.see(sample.time);
        match self.table.find(sample.key) {
            Some(at) => self.known(at, sample),
            None => self.newcomer(sample),
        }
    }

    fn facts(&self, key: u64) -> Vec<(&'static str, f64)> {
        let Some(beat) = self.table.find(key).and_then(|at| self.table.get(at)) else {
            return Vec::new();
        };
        let mut facts = Vec::new();
        if let Some((rhythm, _)) = beat.rhythm() {
            facts.push(("interval.seconds", rhythm.period));
            facts.push(("interval.spread", rhythm.jitter));
        }
        if let Some(sizes) = beat.sizes() {
            facts.push(("size.bytes", sizes.middle));
            facts.push(("size.spread", sizes.spread));
        }
        facts.push(("shared.by", f64::from(self.holders.of(beat.value))));
        facts
    }

    fn census(&mut self, now: Time) -> Census {
        let mut votes = Vec::new();
        for beat in self.table.states_mut() {
            self.watch.vote(&mut votes, &mut beat.peak);
            if beat.even {
                beat.days = beat.days.saturating_add(1);
            } else if beat.came {
                beat.days = beat.days.saturating_sub(1);
            }
            (beat.even, beat.came) = (false, false);
        }
        self.recount(now);
        let mut census = self.watch.census(votes);
        let most = self.holders.largest();
        // What most go to says how large the fleet is.
        census.holders.extend(most.map(|most| (u64::from(most), 1)));
        census
    }

    fn adopt(&mut self, population: &Census, _now: Time) {
        let most = population.holders.last_key_value();
        self.fleet = most.map_or(0, |(&most, _)| u32::try_from(most).unwrap_or(u32::MAX));
        self.watch.adopt(population, &self.settings);
    }

    fn describe(&self, key: u64, now: Time) -> Option<Description> {
        self.described(key, now)
    }

    fn forget(&mut self, key: u64) -> bool {
        self.forgotten(key)
    }

    fn kept(&self) -> Kept<'_> {
        Kept::new(
            &self.table,
            &self.nursery,
            self.holders.bytes() + size_of::<Periodicity>(),
        )
    }

    fn save(&self) -> Vec<u8> {
        let state = State {
            table: self.table.save(),
            nursery: self.nursery.save(),
            holders: self.holders.save(),
            fleet: self.fleet,
            watch: self.watch.clone(),
        };
        snapshot::pack(ROW.name, &self.settings, &state)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let state: State = snapshot::unpack(ROW.name, &self.settings, bytes)?;
        let mut fresh = Periodicity::new(&self.settings);
        fresh.table.load(state.table)?;
        fresh.nursery.load(state.nursery)?;
        fresh.holders.load(state.holders)?;
        fresh.fleet = state.fleet;
        fresh.watch = state.watch;
        *self = fresh;
        Ok(())
    }
}
