//! One entity's counts: a Gamma-Poisson rate with forgetting, season and
//! overdispersion, in 72 bytes (and 100 for the season).
//!
//! The next bucket's count is NB with mean μ = s·(a₀+A)/(b₀+B), where A and B
//! are the decayed sums of events and of buckets, s the season's factor, and
//! 1/size = α + 1/(a₀+A): what entities scatter by themselves plus what is not
//! known yet about this one's rate.

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::Settings;
use super::calibrate::{Peak, single};
use super::season::{Calendar, Peers, Profile};
use super::special::{NegBin, exp2};
use super::sums::{code, log, log_of};
use crate::time::Time;

/// Shape and rate of the prior until there is a better one: 0.1 events a bucket,
/// worth one bucket of evidence.
const PRIOR: (f64, f64) = (0.1, 1.0);

/// Overdispersion assumed of an entity of which nothing is known; users' logins.
pub(super) const ALPHA: f64 = 0.5;

/// Buckets' worth of weight that the assumed overdispersion has.
const ALPHA_WEIGHT: f64 = 4.0;

/// No entity is as regular as Poisson for long.
pub(super) const ALPHA_LEAST: f64 = 0.05;

/// How the cap follows surprises above and below it: 1.25 = 0.99546^-49.
const CAP_UP: f64 = 1.25;
const CAP_DOWN: f64 = 0.995_456;

/// What is known of all entities together, in force since the last barrier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Population {
    pub(super) shape: f64,
    pub(super) rate: f64,
    pub(super) alpha: f64,
    pub(super) peers: Peers,
}

impl Population {
    pub(super) fn new(settings: &Settings) -> Population {
        let (shape, rate) = settings.prior.unwrap_or(PRIOR);
        Population {
            shape: shape.clamp(1e-6, 1e9),
            rate: rate.clamp(1e-6, 1e9),
            alpha: ALPHA,
            peers: Peers::default(),
        }
    }
}

/// What turns a state into a prediction.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) calendar: Calendar,
    pub(super) population: Population,
    pub(super) winsor_bits: f64,
    /// The least count worth a look.
    pub(super) floor: u32,
    /// Buckets that wait before they are learnt.
    pub(super) delay: i64,
    /// Whether what was alerted on is not learnt.
    pub(super) hold: bool,
}

/// What is kept of one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CountState {
    /// When the entity was first seen.
    pub(super) first: Time,
    /// First event time of what is counted.
    pub(super) since: Time,
    /// The bucket being counted.
    pub(super) bucket: i64,
    /// The bucket up to which everything is learnt.
    learnt: i64,
    /// A: decayed events.
    events: f32,
    /// B: decayed buckets.
    exposure: f32,
    /// Q: decayed squares of Pearson residuals of active buckets.
    squares: f32,
    /// The surprise that 98 % of the entity's own active buckets stay under.
    cap: f32,
    /// The highest surprise of the buckets closed since the last barrier.
    pub(super) peak: Peak,
    /// Decayed active buckets.
    pub(super) evidence: f32,
    /// Active buckets learnt.
    pub(super) active: u32,
    /// Events in the bucket so far.
    pub(super) count: u32,
    /// Nothing below this count can be worth reporting in this bucket.
    pub(super) alarm: u32,
    /// Whether `alarm` is the count that alarms, or still only the floor.
    pub(super) resolved: bool,
    /// The largest count so far that nobody was alerted about, in 1/1024
    /// doublings, forgotten by one in a half-life.
    high: u16,
    /// Whether nothing of the bucket may be learnt.
    pub(super) barred: bool,
}

impl CountState {
    /// An entity that was first seen at this time.
    pub(super) fn new(first: Time, count: u32, model: &Model) -> CountState {
        let bucket = model.calendar.bucket(first);
        CountState {
            first,
            since: first,
            bucket,
            learnt: bucket.saturating_sub(1),
            events: 0.0,
            exposure: 0.0,
            squares: 0.0,
            cap: 0.0,
            peak: Peak::default(),
            evidence: 0.0,
            active: 0,
            count,
            alarm: model.floor,
            resolved: false,
            high: 0,
            barred: false,
        }
    }

    /// Starts counting a later bucket; the one before must be closed.
    pub(super) fn open(&mut self, bucket: i64, model: &Model) {
        debug_assert!(
            bucket > self.bucket && self.count == 0,
            "closed, then opened"
        );
        self.bucket = bucket;
        self.forget_alarm(model);
    }

    /// What would alarm has to be found anew.
    pub(super) fn forget_alarm(&mut self, model: &Model) {
        self.alarm = model.floor;
        self.resolved = false;
    }

    /// A, B and what is left of the rest, after the bucket before `bucket`.
    pub(super) fn aged(&self, model: &Model, bucket: i64) -> (f64, f64, f64) {
        let left = model
            .calendar
            .decay(bucket.saturating_sub(1).saturating_sub(self.learnt));
        let exposure = f64::from(self.exposure) * left
            + (1.0 - left) * model.calendar.half_life / std::f64::consts::LN_2;
        (f64::from(self.events) * left, exposure, left)
    }

    /// The entity's overdispersion, shrunk to the population's.
    pub(super) fn alpha(&self, model: &Model, left: f64) -> f64 {
        let squares = f64::from(self.squares) * left;
        let weight = f64::from(self.evidence) * left / 2.0 + ALPHA_WEIGHT;
        ((squares + ALPHA_WEIGHT * model.population.alpha) / weight).max(ALPHA_LEAST)
    }

    /// The law of the bucket's count without season.
    pub(super) fn flat_law(&self, model: &Model, bucket: i64) -> NegBin {
        // What waits is neither activity nor silence yet.
        let known = bucket.saturating_sub(model.delay);
        let known = known.max(self.learnt.saturating_add(1));
        let (events, exposure, left) = self.aged(model, known);
        let shape = model.population.shape + events;
        let mean = (shape / (model.population.rate + exposure)).max(1e-9);
        let spread = self.alpha(model, left) + 1.0 / shape;
        NegBin {
            mean,
            size: 1.0 / spread.max(1e-3),
        }
    }

    /// The law of the bucket's count, from what was learnt before it.
    pub(super) fn law(&self, model: &Model, profile: Option<&Profile>, bucket: i64) -> NegBin {
        let mut law = self.flat_law(model, bucket);
        if let Some(profile) = profile {
            law.mean *= profile.factor(&model.calendar, &model.population.peers, bucket);
        }
        law
    }

    /// The count that an entity with its record has to reach: half as many again
    /// as it ever did. Who sweeps the network once a week does it next week too,
    /// and his mean, of hours of nothing, knows nothing of it. Only where what
    /// was alerted on is not learnt: nobody gets a record by attacking.
    pub(super) fn beyond(&self) -> u32 {
        if self.high == 0 {
            return 0;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and `as` saturates"
        )]
        let count = (1.5 * (exp2(log(self.high)) - 1.0)).ceil() as u32;
        count.saturating_add(1)
    }

    /// The counted bucket is over: its score is the entity's vote, if a count
    /// like that could have been reported at all.
    pub(super) fn vote(&mut self, model: &Model, profile: Option<&Profile>, min_buckets: u32) {
        if self.count == 0 || self.barred {
            return;
        }
        self.peak.raise(0.0);
        if self.active >= min_buckets && self.count >= self.beyond().max(model.floor) {
            let law = self.law(model, profile, self.bucket);
            self.peak.raise(law.surprise(self.count));
        }
    }

    /// Learns the counted bucket, winsorised, and counts from zero again.
    pub(super) fn close(&mut self, model: &Model, profile: Option<&mut Profile>) {
        if self.count == 0 {
            return;
        }
        let bucket = self.bucket;
        if std::mem::take(&mut self.barred) {
            self.skip(bucket, model);
            self.count = 0;
            self.forget_alarm(model);
            return;
        }
        let law = self.law(model, profile.as_deref(), bucket);
        if model.hold {
            let gone = bucket.saturating_sub(self.learnt);
            let gone = -model.calendar.decay(gone).log_two();
            let high = code((log(self.high) - gone).max(0.0));
            self.high = high.max(code(log_of(f64::from(self.count))));
        }
        let learnt = self.winsorised(law, model.winsor_bits);
        let (events, exposure, _) = self.aged(model, bucket.saturating_add(1));
        self.events = single(events + learnt);
        self.exposure = single(exposure);
        // A late event may reopen a bucket that a barrier closed: the bucket
        // counts as one, and its residual was taken the first time.
        if bucket > self.learnt {
            let left = model.calendar.decay(bucket.saturating_sub(self.learnt));
            let off = learnt - law.mean;
            let scale = law.mean.max(0.25);
            let residual = ((off * off - law.mean) / (scale * scale)).clamp(-1.0, 6.0);
            self.squares = single(f64::from(self.squares) * left + residual);
            self.evidence = single(f64::from(self.evidence) * left + 1.0);
            self.active = self.active.saturating_add(1);
        }
        if let Some(profile) = profile {
            // One burst does not make an hour of the week.
            profile.add(&model.calendar, bucket, learnt.min(3.0 * law.mean + 3.0));
        }
        self.learnt = bucket;
        self.count = 0;
        self.forget_alarm(model);
    }

    /// Passes over a bucket of which nothing is to be learnt, not even silence.
    pub(super) fn skip(&mut self, bucket: i64, model: &Model) {
        if bucket <= self.learnt {
            return;
        }
        let (events, exposure, left) = self.aged(model, bucket);
        let one = model.calendar.decay(1);
        self.events = single(events * one);
        self.exposure = single(exposure * one);
        self.squares = single(f64::from(self.squares) * left * one);
        self.evidence = single(f64::from(self.evidence) * left * one);
        self.learnt = bucket;
    }

    /// The count as it is learnt: what is far out of the ordinary pulls like
    /// something at the edge of it. The edge follows the entity's own surprises
    /// (98 % quantile, by steps of 49 to 1): against a frozen one a new regime
    /// would never be learnt, while a single burst moves it by a quarter.
    fn winsorised(&mut self, law: NegBin, least: f64) -> f64 {
        let count = f64::from(self.count);
        let cap = f64::from(self.cap).max(least);
        let surprise = if count > law.mean {
            law.surprise(self.count)
        } else {
            0.0
        };
        if surprise <= cap {
            self.cap = single(cap * CAP_DOWN);
            return count;
        }
        self.cap = single((cap * CAP_UP).min(surprise));
        let part = cap / surprise;
        let pulled = law.mean + (count - law.mean) * part * part;
        pulled.min((4.0 * law.mean + 4.0) * cap / least)
    }

    /// What the entity is worth keeping for, in buckets of patience; `None`
    /// while it is established: 8 active buckets, seen within 30 days.
    pub(super) fn worth(&self, model: &Model, now: Time) -> Option<i64> {
        let idle = model.calendar.bucket(now).saturating_sub(self.bucket);
        let recent = now.since(self.since) < crate::time::Span::DAY.times(30);
        if self.active >= 8 && self.evidence >= 4.0 && recent {
            return None;
        }
        let doublings = (1.0 + f64::from(self.evidence)).log_e() / std::f64::consts::LN_2;
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
        let worth = (doublings * model.calendar.half_life) as i64;
        Some(worth.saturating_sub(idle))
    }
}

/// The rate's bin, by half octaves from 2^-20 to 2^20 events a bucket.
pub(super) fn rate_bin(rate: f64) -> usize {
    let halves = 2.0 * rate.max(1e-9).log_e() / std::f64::consts::LN_2 + 40.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the bins"
    )]
    let bin = halves.clamp(0.0, 79.0) as usize;
    bin
}

/// The middle of a bin.
pub(super) fn bin_rate(bin: usize) -> f64 {
    exp2((f64::from(u32::try_from(bin).unwrap_or(0)) + 0.5 - 40.0) / 2.0)
}

/// Bins of [`rate_bin`]; its clamp is one less.
pub(super) const BINS: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn model() -> Model {
        let settings = Settings {
            timespan: Span::HOUR,
            half_life: Span::DAY.times(14),
            season: false,
            zone_offset: Span::ZERO,
            holidays: crate::holidays::Holidays::default(),
            prior: Some((0.3, 1.5)),
            min_buckets: 0,
            warm_up: Span::ZERO,
            winsor_bits: 10.0,
            delay: None,
            hold: true,
            growth: 0.05,
            max_entities: 1,
            surprise: 20.0,
            budget: None,
            rare_only: false,
            floor: 1.0,
            paired: false,
            peers: false,
            fields: 0,
            only: crate::baseline::Only::All,
            heavy: false,
        };
        Model {
            calendar: Calendar::new(&settings),
            population: Population::new(&settings),
            winsor_bits: settings.winsor_bits,
            floor: 1,
            delay: 0,
            hold: false,
        }
    }

    fn after(counts: &[u32]) -> CountState {
        let model = model();
        let mut state = CountState::new(Time::from_secs(0), 0, &model);
        for (bucket, &count) in (0..).zip(counts) {
            if bucket > state.bucket {
                state.open(bucket, &model);
            }
            state.count = count;
            state.close(&model, None);
        }
        state
    }

    #[test]
    fn a_state_takes_seventy_two_bytes() {
        assert_eq!(size_of::<CountState>(), 72);
    }

    #[test]
    fn an_entity_that_is_new_is_expected_to_be_like_the_prior() {
        let law = after(&[]).law(&model(), None, 0);
        assert!((law.mean - 0.3 / 1.5).abs() < 1e-12);
        assert!((1.0 / law.size - (ALPHA + 1.0 / 0.3)).abs() < 1e-12);
    }

    #[test]
    fn the_rate_tends_to_what_was_seen_and_forgets_by_half_lives() {
        let state = after(&[6; 2000]);
        let mean = state.law(&model(), None, 2000).mean;
        assert!((mean - 6.0).abs() < 0.2, "{mean}");
        // A half-life of silence: half of the events, and as many buckets as ever.
        let later = state.law(&model(), None, 2000 + 336).mean;
        assert!((later / mean - 0.5).abs() < 0.01, "{later}");
    }

    #[test]
    fn silence_is_learnt_without_being_touched() {
        let mut apart = after(&[4, 4, 4]);
        apart.open(100, &model());
        apart.count = 4;
        apart.close(&model(), None);
        let mut counts = vec![4, 4, 4];
        counts.resize(100, 0);
        counts.push(4);
        let stepped = after(&counts);
        let (one, other) = (apart.aged(&model(), 101), stepped.aged(&model(), 101));
        assert!((one.0 - other.0).abs() < 1e-4 && (one.1 - other.1).abs() < 1e-3);
    }

    #[test]
    fn a_late_event_in_a_closed_bucket_adds_events_and_no_time() {
        let mut state = after(&[5, 5, 5]);
        let (events, exposure, _) = state.aged(&model(), 3);
        let evidence = state.evidence;
        state.count = 1;
        state.close(&model(), None);
        let (more, same, _) = state.aged(&model(), 3);
        assert!((more - events - 1.0).abs() < 1e-4 && (same - exposure).abs() < 1e-4);
        assert!((state.evidence - evidence).abs() < 1e-9);
    }

    #[test]
    fn one_burst_teaches_at_most_fourfold_and_scatter_is_learnt_as_scatter() {
        let mut state = after(&[2; 200]);
        let before = state.aged(&model(), 200).0;
        state.open(200, &model());
        state.count = 1_000_000;
        state.close(&model(), None);
        let learnt = state.aged(&model(), 201).0 - before * model().calendar.decay(1);
        assert!(learnt <= 4.0 * 2.1 + 4.0, "{learnt}");
        let steady = after(&[10; 300]).alpha(&model(), 1.0);
        let wild: Vec<u32> = (0..300).map(|n| if n % 5 == 0 { 50 } else { 1 }).collect();
        let wild = after(&wild).alpha(&model(), 1.0);
        assert!(steady < 0.1 && wild > 1.0, "{steady} {wild}");
    }

    #[test]
    fn an_established_entity_may_not_be_displaced_until_it_is_gone_for_a_month() {
        let state = after(&[3; 10]);
        let now = |days: i64| Time::from_secs(days * 86_400);
        assert_eq!(state.worth(&model(), now(1)), None);
        assert!(state.worth(&model(), now(31)).is_some());
        assert!(after(&[3]).worth(&model(), now(0)).is_some());
    }
}
