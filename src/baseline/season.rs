//! When in the week an entity is active: 48 cells, hour of the day by weekday
//! or weekend; a holiday is a weekend.
//!
//! A profile of all 168 hours of the week needs over 20 weeks of a typical
//! user (2 to 6 logins a day); 48 cells, smoothed over their neighbours and
//! shrunk to the peers' profile, are useful after days. A cell is an unsigned
//! float of 16 bits (8 of exponent, 8 of mantissa), 96 bytes in all. Forgetting
//! costs nothing: instead of shrinking what is old, what is new is added larger,
//! by 2^(half-lives since a reference), and the reference moves by whole
//! half-lives, which is exact in binary.

use serde::{Deserialize, Serialize};

use super::Settings;
use super::special::{exp2, real};
use crate::holidays::Holidays;
use crate::time::{Span, Time};

/// Hours of a day by {weekday, weekend}.
pub(super) const CELLS: usize = 48;

/// Events' worth of weight that the peers' profile has in an entity's own.
const KAPPA: f64 = 24.0;

/// The same where the question is whether an hour is odd for the entity.
const KAPPA_TAIL: f64 = 6.0;

/// No hour is ever held to be quieter than this part of the average.
const LEAST: f64 = 0.02;

/// The reference moves when what is new counts 2^32 times what is old.
pub(super) const SHIFT_AT: f64 = 32.0;

/// The part of the week's hours that one cell stands for.
fn share(cell: usize) -> f64 {
    if cell < 24 {
        5.0 / 7.0 / 24.0
    } else {
        2.0 / 7.0 / 24.0
    }
}

/// Which cells a bucket covers, and how long things are remembered.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    width: Span,
    zone: Span,
    /// Half-life in buckets.
    pub(super) half_life: f64,
    hours: i64,
    holidays: Holidays,
}

impl Calendar {
    pub(super) fn new(settings: &Settings) -> Calendar {
        let width = settings.timespan.max(Span::SECOND);
        Calendar {
            width,
            zone: settings.zone_offset,
            half_life: (settings.half_life.as_secs_f64() / width.as_secs_f64()).max(1.0),
            // A bucket of a day covers 24 cells, else all its events would look
            // like midnight's; a week covers every cell and so has no season.
            hours: (width.secs() / 3600).clamp(1, 168),
            holidays: settings.holidays.clone(),
        }
    }

    pub(super) fn bucket(&self, time: Time) -> i64 {
        time.bucket(self.width)
    }

    /// When a bucket starts.
    pub(super) fn start(&self, bucket: i64) -> Time {
        Time::from_nanos(bucket.saturating_mul(self.width.nanos()))
    }

    pub(super) fn buckets_per_day(&self) -> f64 {
        Span::DAY.as_secs_f64() / self.width.as_secs_f64()
    }

    /// Whether the bucket has ended at `now`.
    pub(super) fn is_over(&self, bucket: i64, now: Time) -> bool {
        bucket < self.bucket(now)
    }

    /// What is left of a weight after this many buckets.
    pub(super) fn decay(&self, buckets: i64) -> f64 {
        exp2(-real(buckets.max(0)) / self.half_life)
    }

    /// The cells of a bucket, one for each hour it covers.
    pub(super) fn cells(&self, bucket: i64) -> impl Iterator<Item = usize> {
        let start = self.start(bucket).plus(self.zone);
        (0..self.hours).map(move |hour| {
            let at = start.plus(Span::HOUR.times(hour));
            let weekend = at.weekday() >= 5 || self.holidays.cover(at.secs(), self.zone.secs());
            usize::try_from(at.hour() + if weekend { 24 } else { 0 }).unwrap_or(0)
        })
    }

    /// How much of the time between two moments was holidays and no weekend:
    /// who is away over them is away for so much longer without it being odd.
    pub(super) fn holidays(&self, from: Time, to: Time) -> Span {
        let (from, to) = (from.plus(self.zone), to.plus(self.zone));
        let off = self
            .holidays
            .within(from.secs(), to.secs(), self.zone.secs());
        Span::from_secs(off)
    }

    /// The cell in the middle of a bucket.
    pub(super) fn middle(&self, bucket: i64) -> usize {
        let half = usize::try_from(self.hours / 2).unwrap_or(0);
        self.cells(bucket).nth(half).unwrap_or(0)
    }

    /// The first cell of a bucket.
    pub(super) fn cell(&self, bucket: i64) -> usize {
        self.cells(bucket).next().unwrap_or(0)
    }

    /// Half-lives from the epoch to a bucket.
    pub(super) fn age(&self, bucket: i64) -> f64 {
        real(bucket) / self.half_life
    }
}

/// One entity's weights by cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Profile {
    /// Half-lives since the epoch at which a weight of 1 is 1.
    reference: i32,
    /// Weekday and weekend.
    cells: [[u16; 24]; 2],
}

impl Profile {
    /// Adds a bucket's events, spread evenly over the hours it covers.
    pub(super) fn add(&mut self, calendar: &Calendar, bucket: i64, events: f64) {
        let mut ahead = calendar.age(bucket) - f64::from(self.reference);
        if !(0.0..=SHIFT_AT).contains(&ahead) {
            let whole = ahead.floor();
            self.forget(whole);
            ahead -= whole;
        }
        let each = exp2(ahead) * events / real(calendar.hours);
        for cell in calendar.cells(bucket) {
            if let Some(code) = self.cells.as_flattened_mut().get_mut(cell) {
                *code = encode(decode(*code) + each);
            }
        }
    }

    fn forget(&mut self, half_lives: f64) {
        let factor = exp2(-half_lives.clamp(-120.0, 120.0));
        for code in self.cells.as_flattened_mut() {
            *code = encode(decode(*code) * factor);
        }
        let moved = f64::from(self.reference) + half_lives;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "`as` saturates, and a reference at the ends of time only forgets"
        )]
        let moved = moved as i32;
        self.reference = moved;
    }

    /// The weights as they count at `bucket`.
    fn weights(&self, calendar: &Calendar, bucket: i64) -> impl Iterator<Item = f64> {
        let ahead = calendar.age(bucket) - f64::from(self.reference);
        let factor = exp2(-ahead.clamp(-120.0, 120.0));
        let cells = self.cells.as_flattened().iter();
        cells.map(move |&code| decode(code) * factor)
    }

    /// The entity's vote on when its peers are active: its shares of the week
    /// by cell, corrected for weekdays being more, adding up to one vote at
    /// most however busy the entity is.
    pub(super) fn vote(&self, calendar: &Calendar, bucket: i64) -> Vec<f64> {
        let total: f64 = self.weights(calendar, bucket).sum();
        // Under 8 events' worth, the vote is as much smaller.
        let scale = 1.0 / total.max(8.0);
        let weights = self.weights(calendar, bucket);
        weights
            .enumerate()
            .map(|(cell, weight)| weight * scale / (24.0 * share(cell)))
            .collect()
    }

    /// How busy the bucket is for the entity against its own average (1).
    pub(super) fn factor(&self, calendar: &Calendar, peers: &Peers, bucket: i64) -> f64 {
        let week = self.week(calendar, peers, bucket, KAPPA);
        let cells = calendar.cells(bucket);
        let sum: f64 = cells.map(|cell| smooth(&week, cell)).sum();
        (sum / real(calendar.hours)).max(LEAST)
    }

    /// How busy each hour is for the entity against its own average (1), as
    /// things stand at `bucket`.
    pub(super) fn shape(&self, calendar: &Calendar, peers: &Peers, bucket: i64) -> Vec<f64> {
        let week = self.week(calendar, peers, bucket, KAPPA);
        let cells = 0..CELLS;
        cells.map(|cell| smooth(&week, cell).max(LEAST)).collect()
    }

    /// The chance that the entity is active at an hour as quiet for it as the
    /// bucket's busiest, or quieter: the tail of its week outside the region of
    /// highest density.
    pub(super) fn tail(&self, calendar: &Calendar, peers: &Peers, bucket: i64) -> f64 {
        let week = self.week(calendar, peers, bucket, KAPPA_TAIL);
        let now = calendar.cells(bucket).map(|cell| smooth(&week, cell));
        let now = now.fold(0.0, f64::max);
        let (mut quieter, mut all) = (0.0, 0.0);
        for cell in 0..CELLS {
            let density = smooth(&week, cell);
            all += density * share(cell);
            // Hours that are alike are equally odd, however their cells were rounded.
            if density <= now * 1.01 {
                quieter += density * share(cell);
            }
        }
        (quieter / all.max(1e-300)).min(1.0)
    }

    /// How dense each cell is against the average (1), shrunk to the peers'.
    fn week(&self, calendar: &Calendar, peers: &Peers, bucket: i64, kappa: f64) -> [f64; CELLS] {
        let mut week = [0.0; CELLS];
        let mut total = 0.0;
        for (place, weight) in week.iter_mut().zip(self.weights(calendar, bucket)) {
            *place = weight;
            total += weight;
        }
        for (cell, place) in week.iter_mut().enumerate() {
            *place = (*place / share(cell) + kappa * peers.at(cell)) / (total + kappa);
        }
        week
    }
}

/// A cell's density with a quarter of each of its neighbours'.
fn smooth(week: &[f64; CELLS], cell: usize) -> f64 {
    let at = |cell: usize| week.get(cell).copied().unwrap_or(0.0);
    let day = cell / 24 * 24;
    let (before, after) = (day + (cell + 23) % 24, day + (cell + 1) % 24);
    0.5 * at(cell) + 0.25 * (at(before) + at(after))
}

/// When the population is active; the average over a week's hours is 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Peers(Vec<f64>);

impl Default for Peers {
    fn default() -> Self {
        Peers(vec![1.0; CELLS])
    }
}

impl Peers {
    /// From the sum of the entities' votes, with two votes for no season at all.
    pub(super) fn from_votes(votes: impl Iterator<Item = f64>) -> Peers {
        let mut cells = vec![2.0 / real(48); CELLS];
        for (cell, vote) in cells.iter_mut().zip(votes) {
            *cell += vote.max(0.0);
        }
        let mean: f64 = cells
            .iter()
            .enumerate()
            .map(|(cell, g)| g * share(cell))
            .sum();
        for cell in &mut cells {
            *cell /= mean;
        }
        Peers(cells)
    }

    /// Some of them, by their own votes (an average of sessions a day by cell)
    /// and so many sessions' worth of everybody's.
    pub(super) fn with(&self, votes: impl Iterator<Item = f64>, weight: f64) -> Peers {
        let votes = votes
            .zip(0..)
            .map(|(votes, cell)| votes / (24.0 * share(cell)) + weight / real(48) * self.at(cell));
        Peers::from_votes(votes)
    }

    fn at(&self, cell: usize) -> f64 {
        self.0.get(cell).copied().unwrap_or(1.0)
    }
}

/// A weight from its code.
pub(super) fn decode(code: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(code) << 15))
}

/// A weight in 16 bits, within a part in five hundred.
pub(super) fn encode(weight: f64) -> u16 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to the cell's precision is the point"
    )]
    let bits = (weight.clamp(0.0, 1e38) as f32).to_bits();
    u16::try_from((bits + (1 << 14)) >> 15).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> Calendar {
        Calendar {
            width: Span::HOUR,
            zone: Span::ZERO,
            half_life: 336.0,
            hours: 1,
            holidays: Holidays::default(),
        }
    }

    /// Monday 2024-01-01, in hours since the epoch.
    const MONDAY: i64 = 473_352;

    fn office(weeks: i64) -> Profile {
        let mut profile = Profile::default();
        for day in (0..weeks * 7).filter(|day| day % 7 < 5) {
            for hour in 8..17 {
                profile.add(&calendar(), MONDAY + day * 24 + hour, 1.0);
            }
        }
        profile
    }

    #[test]
    fn office_hours_are_busy_and_nights_and_sundays_are_not() {
        let (profile, peers) = (office(4), Peers::default());
        let at = |hour| profile.factor(&calendar(), &peers, MONDAY + 28 * 24 + hour);
        assert!(at(10) > 2.5, "{}", at(10));
        assert!(at(3) < 0.3, "{}", at(3));
        assert!(at(6 * 24 + 10) < 0.3, "{}", at(6 * 24 + 10));
    }

    #[test]
    fn an_hour_lends_to_both_its_neighbours_alike_also_across_midnight() {
        let mut profile = Profile::default();
        for day in 0..5 {
            profile.add(&calendar(), MONDAY + day * 24, 10.0);
        }
        let at = |hour| profile.factor(&calendar(), &Peers::default(), MONDAY + 24 + hour);
        assert!(
            (at(1) / at(23) - 1.0).abs() < 0.05 && at(1) > 2.0 * at(12),
            "{} {}",
            at(1),
            at(23)
        );
        assert!(at(0) > at(1));
    }

    #[test]
    fn the_average_over_a_week_is_one() {
        let peers = Peers::from_votes(office(1).vote(&calendar(), MONDAY + 168).into_iter());
        let profile = office(3);
        let sum: f64 = (0..168)
            .map(|hour| profile.factor(&calendar(), &peers, MONDAY + 28 * 24 + hour))
            .sum();
        assert!((sum / 168.0 - 1.0).abs() < 0.01, "{}", sum / 168.0);
    }

    #[test]
    fn the_tail_of_an_hour_is_what_is_at_most_as_busy() {
        let profile = office(4);
        let peers = Peers::from_votes(
            (0..40)
                .fold(vec![0.0; CELLS], |mut sum, _| {
                    let vote = office(4).vote(&calendar(), MONDAY + 28 * 24);
                    for (sum, vote) in sum.iter_mut().zip(vote) {
                        *sum += vote;
                    }
                    sum
                })
                .into_iter(),
        );
        let at = |hour| profile.tail(&calendar(), &peers, MONDAY + 28 * 24 + hour);
        assert!(at(12) > 0.8, "{}", at(12));
        // Half an hour of the morning's first is lent to the one before.
        assert!((0.005..0.2).contains(&at(7)), "{}", at(7));
        assert!(at(3) < 0.005, "{}", at(3));
        assert!(
            (at(3) / at(2) - 1.0).abs() < 0.01,
            "one night is like another"
        );
    }

    #[test]
    fn what_is_old_is_forgotten_by_half_lives_and_moving_the_reference_changes_nothing() {
        let mut profile = Profile::default();
        profile.add(&calendar(), MONDAY, 100.0);
        let later = MONDAY + 336 * 40;
        let left: f64 = profile.weights(&calendar(), later).sum();
        assert!((left * exp2(40.0) / 100.0 - 1.0).abs() < 0.01, "{left}");
        profile.add(&calendar(), later, 1.0);
        let now: f64 = profile.weights(&calendar(), later).sum();
        assert!((now - 1.0).abs() < 0.01, "{now}");
    }

    #[test]
    fn a_day_long_bucket_knows_weekends_but_not_hours() {
        let days = Calendar {
            width: Span::DAY,
            zone: Span::ZERO,
            half_life: 14.0,
            hours: 24,
            holidays: Holidays::default(),
        };
        let mut profile = Profile::default();
        let monday = MONDAY / 24;
        for day in (0..28).filter(|day| day % 7 < 5) {
            profile.add(&days, monday + day, 20.0);
        }
        let at = |day| profile.factor(&days, &Peers::default(), monday + 28 + day);
        assert!((1.2..1.5).contains(&at(1)), "{}", at(1));
        assert!(at(5) < 0.3, "{}", at(5));
    }

    #[test]
    fn a_busy_entity_has_one_vote_like_any_other() {
        let mut busy = office(4);
        busy.add(&calendar(), MONDAY + 28 * 24 + 3, 1e6);
        let vote: f64 = busy.vote(&calendar(), MONDAY + 29 * 24).iter().sum();
        assert!(vote <= 2.0, "{vote}");
    }

    #[test]
    fn cells_round_to_a_part_in_five_hundred() {
        for weight in [0.0, 1e-6, 0.1, 1.0, 17.3, 1e9] {
            assert!((decode(encode(weight)) - weight).abs() <= weight / 500.0);
        }
    }
}
