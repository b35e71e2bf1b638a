//! What amounts tell about the population: how much is usual, when, and which
//! destinations entities share.

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::Census;
use super::amount::AmountState;
use super::rarity::{self, Rarity};
use super::special::{exp2, from_fixed, to_fixed};
use super::sums::Model;
use crate::time::Span;

/// Four hours by weekday or weekend.
pub(super) const PARTS_OF_WEEK: usize = 12;

/// Until the population says otherwise, a median of 16 KiB and a spread of
/// 3.2 bits, between entities a bit less; worth eight entities.
const MEAN: f64 = 14.0;
const WITHIN: f64 = 10.24;
const BETWEEN: f64 = 5.12;
const WEIGHT: f64 = 8.0;

/// Active buckets that an entity needs to count in the population.
const EVIDENCE_LEAST: f64 = 3.0;

/// Destinations remembered as shared.
const SHARED: usize = 1 << 15;

/// Destinations of a lane told to the population.
const HOLDINGS: usize = 1 << 16;

/// Bits of a destination that as good as everybody uses: below zero, as the
/// same amount to the common storage is less of a worry.
const COMMON: f64 = -4.0;
const RARE_MAX: f64 = 8.0;

/// Fewer users than this tell nothing about rarity.
const USERS_LEAST: f64 = 20.0;

/// Places of the census's sums.
const ENTITIES: usize = 0;
const MEANS: usize = 1;
const SQUARES: usize = 2;
const WITHINS: usize = 3;
const INVERSES: usize = 4;
const VOTES: usize = 5;
const BUCKETS: usize = VOTES + PARTS_OF_WEEK;
const DAYS: usize = BUCKETS + 1;
const RARE: usize = DAYS + BINS;
const FIRSTS: usize = RARE + rarity::CLASSES;
const KNOWN: usize = FIRSTS + BINS;
const SUMS: usize = KNOWN + 1;

/// Half bits of a day's largest y.
const BINS: usize = 128;

/// Days after which a day's largest sums count half.
const HALF_LIFE: f64 = 14.0;

/// The share of all buckets of a width that lie in a part of the week.
pub(super) fn part_share(part: usize, width: Span) -> f64 {
    let days = if part < 6 { 5.0 / 7.0 } else { 2.0 / 7.0 };
    let parts = Span::DAY.as_secs_f64() / width.as_secs_f64();
    days / parts.clamp(1.0, 6.0)
}

/// What is known of all entities together, in force since the last barrier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Population {
    /// Of entities' means of log2(1 + sum).
    pub(super) mean: f64,
    pub(super) between: f64,
    /// Variance of an entity's buckets about its own mean.
    pub(super) within: f64,
    /// How active entities are by part of the week; the busiest is 1.
    pub(super) parts: Vec<f64>,
    pub(super) shared: Shared,
    pub(super) tail: Tail,
    pub(super) rarity: Rarity,
}

impl Population {
    pub(super) fn new() -> Population {
        Population {
            mean: MEAN,
            between: BETWEEN,
            within: WITHIN,
            parts: vec![1.0; PARTS_OF_WEEK],
            shared: Shared::default(),
            tail: Tail::default(),
            rarity: Rarity::default(),
        }
    }

    /// Takes the sum of all lanes in force.
    pub(super) fn adopt(&mut self, census: &Census, width: Span) {
        let at = |place: usize| from_fixed(census.sums.get(place).copied().unwrap_or(0));
        let entities = at(ENTITIES);
        let blend = |sum: f64, assumed: f64| (WEIGHT * assumed + sum) / (WEIGHT + entities);
        self.within = blend(at(WITHINS), WITHIN).clamp(0.5, 64.0);
        if entities > 0.0 {
            let mean = at(MEANS) / entities;
            let scatter = self.within * at(INVERSES) / entities;
            let spread = (at(SQUARES) / entities - mean * mean - scatter).max(0.0);
            self.mean = blend(at(MEANS), MEAN);
            self.between = blend(spread * entities, BETWEEN).clamp(0.5, 64.0);
        }
        // Two votes for no season at all.
        let mut parts: Vec<f64> = (0..PARTS_OF_WEEK)
            .map(|part| at(VOTES + part) / part_share(part, width) + 2.0)
            .collect();
        let most = parts.iter().copied().fold(1.0, f64::max);
        for part in &mut parts {
            *part = (*part / most).max(1.0 / 64.0);
        }
        self.parts = parts;
        self.shared = Shared::new(census);
        let votes = |places: std::ops::Range<usize>| places.map(at).collect::<Vec<f64>>();
        self.tail.fold(&votes(DAYS..RARE), &votes(FIRSTS..KNOWN));
        self.tail.buckets = self.tail.buckets * tail_keep() + at(BUCKETS);
        self.tail.known = at(KNOWN) / entities.max(1.0);
        let rare = votes(RARE..FIRSTS);
        self.rarity.fold(&rare);
    }
}

/// How high entities' days reach: one vote an entity and day, its largest y.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tail {
    /// Decayed votes by half bits, summed up from the top.
    above: Vec<f64>,
    /// The same of those who never reached so far before.
    firsts: Vec<f64>,
    /// Decayed active buckets.
    buckets: f64,
    /// How many sums are known of an entity, on average.
    known: f64,
}

/// What a day leaves of the votes before it.
fn tail_keep() -> f64 {
    exp2(-1.0 / HALF_LIFE)
}

/// Sums a day's votes up from the top, onto those before it.
fn fold(above: &mut Vec<f64>, votes: &[f64]) {
    above.resize(BINS, 0.0);
    let mut sum = 0.0;
    for (above, more) in above.iter_mut().zip(votes).rev() {
        sum += more;
        *above = *above * tail_keep() + sum;
    }
}

impl Tail {
    fn fold(&mut self, days: &[f64], firsts: &[f64]) {
        fold(&mut self.above, days);
        fold(&mut self.firsts, firsts);
    }

    /// The chance that an active bucket reaches y, of somebody who did not in
    /// `known` so far. How often entities do differs at least as an exponential
    /// law has it, with the mean G of all of them: G/(1 + known G). Where few of
    /// those who reach y do it for the first time, it is always the same ones: a
    /// gamma law with that share of firsts at an entity as known as the average
    /// says how much less it is for others.
    pub(super) fn reached(&self, y: f64, known: f64) -> f64 {
        let days = self.above.first().copied().unwrap_or(0.0);
        let above = self.above.get(bin(y)).copied().unwrap_or(0.0);
        // Who has first reached more was there before, and more is never less odd.
        let firsts = self.firsts.iter().skip(bin(y)).copied().fold(0.0, f64::max);
        // Half a day for what nobody reached so far; of a day's buckets one is its largest.
        let all = (above + 0.5) / (days + 1.0) / (self.buckets / days.max(1.0)).max(1.0);
        let again = ((above + 0.5) / (firsts + 0.5) - 1.0).max(0.0);
        let share = (known / self.known.max(1.0)).min(1.0);
        all / (1.0 + f64::max(known * all, share * again))
    }

    /// Votes by bin, one bucket a day, and which of them are firsts.
    #[cfg(test)]
    pub(super) fn of(votes: &[(usize, f64, f64)], known: f64) -> Tail {
        let (mut days, mut firsts) = (vec![0.0; BINS], vec![0.0; BINS]);
        for &(bin, votes, first) in votes {
            days[bin] += votes;
            firsts[bin] += first;
        }
        let mut tail = Tail::default();
        tail.fold(&days, &firsts);
        (tail.buckets, tail.known) = (days.iter().sum(), known);
        tail
    }
}

fn bin(y: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the bins"
    )]
    let bin = (2.0 * y.clamp(0.0, 63.5)) as usize;
    bin
}

/// Which destinations entities share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Shared {
    /// Those of at least two entities, by hash.
    users: Vec<(u32, u32)>,
    /// Users of the one that most entities use.
    most: u32,
}

impl Shared {
    fn new(census: &Census) -> Shared {
        let pairs = census.holders.iter().map(|(&value, &users)| {
            let short = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
            (short(value), short(users))
        });
        let mut users: Vec<(u32, u32)> = pairs.collect();
        // Most used first; the hash decides between equals.
        users.sort_unstable_by_key(|&(value, users)| (std::cmp::Reverse(users), value));
        let most = users.first().map_or(0, |&(_, users)| users);
        users.truncate(SHARED);
        users.retain(|&(_, users)| users > 1);
        users.sort_unstable();
        Shared { users, most }
    }

    /// Bits of a destination: from -4 where everybody's goes to 4 where
    /// nobody else's does. The one that most use stands for everybody, so that
    /// it does not matter how many of an entity's destinations are remembered.
    pub(super) fn term(&self, to: u32) -> f64 {
        if to == 0 || self.most == 0 {
            return 0.0;
        }
        let found = self.users.binary_search_by_key(&to, |&(value, _)| value);
        let found = found.ok().and_then(|at| self.users.get(at));
        let users = found.map_or(1.0, |&(_, users)| f64::from(users));
        let all = f64::from(self.most).max(USERS_LEAST);
        (all / users).log_two().clamp(0.0, RARE_MAX) + COMMON
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.users.capacity() * size_of::<(u32, u32)>()
    }
}

/// The sums of a lane's entities.
#[derive(Default)]
pub(super) struct Tally(Census);

impl Tally {
    fn add(&mut self, place: usize, more: f64) {
        self.0.sums.resize(SUMS, 0);
        if let Some(sum) = self.0.sums.get_mut(place) {
            *sum += to_fixed(more);
        }
    }

    /// Takes in an entity as it stands when `bucket` begins: one vote, and a
    /// mean within three spreads of what is known of the others.
    pub(super) fn count(&mut self, state: &mut AmountState, model: &Model, bucket: i64) {
        for top in state.tops() {
            *self.0.holders.entry(u64::from(top)).or_default() += 1;
        }
        if let Some((y, record, buckets)) = state.day() {
            self.add(DAYS + bin(y), 1.0);
            self.add(BUCKETS, f64::from(buckets.min(24)));
            if y > record {
                // Summed up from the top, a first of what lies above the record.
                self.add(FIRSTS + bin(y), 1.0);
                self.add(FIRSTS + bin(record), -1.0);
            }
        }
        if let (Some(holders), Some(to)) = (&model.holders, state.first_upload()) {
            let others = holders.of(to).saturating_sub(1);
            self.add(RARE + rarity::class(others), 1.0);
        }
        let (n, mean, within) = state.pooled(model, bucket);
        if n < EVIDENCE_LEAST {
            return;
        }
        let population = &model.population;
        let room = 3.0 * (population.between + population.within / n).sqrt();
        let mean = mean.clamp(population.mean - room, population.mean + room);
        self.add(ENTITIES, 1.0);
        self.add(KNOWN, n);
        self.add(MEANS, mean);
        self.add(SQUARES, mean * mean);
        self.add(WITHINS, within.min(64.0));
        self.add(INVERSES, 1.0 / n);
        for (part, vote) in state.vote(model, bucket).enumerate() {
            self.add(VOTES + part, vote);
        }
    }

    /// The lane's sums and its most used destinations.
    pub(super) fn done(mut self) -> (Vec<i128>, std::collections::BTreeMap<u64, u64>) {
        self.0.sums.resize(SUMS, 0);
        if self.0.holders.len() > HOLDINGS {
            let mut most: Vec<_> = self.0.holders.into_iter().collect();
            most.sort_unstable_by_key(|&(value, users)| (std::cmp::Reverse(users), value));
            most.truncate(HOLDINGS);
            self.0.holders = most.into_iter().collect();
        }
        (self.0.sums, self.0.holders)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_of_many_counts_against_an_alert_and_one_of_nobody_for_it() {
        let census = Census {
            holders: [(1, 64), (2, 8), (3, 1)].into(),
            ..Census::default()
        };
        let shared = Shared::new(&census);
        let near = |to, expected: f64| (shared.term(to) - expected).abs() < 1e-9;
        assert!(near(1, -4.0) && near(2, -1.0) && near(3, 2.0) && near(99, 2.0));
        assert!(near(0, 0.0), "nowhere in particular");
        assert!(
            Shared::default().term(1).abs() < 1e-9,
            "nothing is known yet"
        );
    }

    #[test]
    fn the_parts_of_a_week_are_the_whole_week() {
        for width in [Span::MINUTE, Span::HOUR, Span::HOUR.times(4)] {
            let sum: f64 = (0..PARTS_OF_WEEK).map(|part| part_share(part, width)).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        }
        let days = part_share(3, Span::DAY) + part_share(9, Span::DAY);
        assert!((days - 1.0).abs() < 1e-9);
    }

    #[test]
    fn an_entity_has_one_vote_a_day_however_often_and_however_much_it_sends() {
        let settings = super::super::Settings {
            // What alerts has no vote.
            surprise: 300.0,
            ..super::super::behaviour::settings()
        };
        let census = |each: i64, size: f64| {
            let mut rule = (super::super::volume::ROW.build)(&settings);
            let midnight = |day: i64| crate::time::Time::from_secs(day * 86_400);
            let mut census = Census::default();
            for day in 0..9 {
                for entity in 0..20_u64 {
                    let busy = entity == 0;
                    for hour in 0..if busy { each } else { 1 } {
                        rule.observe(&super::super::Sample {
                            key: entity + 1,
                            time: midnight(day).plus(Span::HOUR.times(hour)),
                            count: 1,
                            value: 0,
                            parts: [0; super::super::PARTS],
                            amount: Some(if busy { size } else { 1e6 }),
                            last: true,
                            peers: 0,
                            lesson: super::super::Lesson::Whole,
                        });
                    }
                }
                census = rule.census(midnight(day + 1));
                rule.adopt(&census, midnight(day + 1));
            }
            census
        };
        let sum = |census: &Census, places: std::ops::Range<usize>| {
            let sums = census.sums.get(places).unwrap_or(&[]);
            from_fixed(sums.iter().sum())
        };
        let (once, always) = (census(1, 5e8), census(24, 5e8));
        for one in [&once, &always] {
            assert!((sum(one, DAYS..DAYS + BINS) - 20.0).abs() < 1e-6);
            assert!((sum(one, ENTITIES..MEANS) - 20.0).abs() < 1e-6);
        }
        let mean = |census: &Census| sum(census, MEANS..SQUARES) / 20.0;
        assert!((mean(&once) - mean(&always)).abs() < 0.1);
        // Seven doublings above the others are believed, twenty are not.
        let absurd = mean(&census(1, 9e14));
        assert!(absurd < mean(&once) + 0.5, "{absurd} {}", mean(&once));
    }
}
