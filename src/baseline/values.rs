//! The values that one entity comes with (the addresses of a user), and the
//! values that everybody comes with.
//!
//! An entity's sequence of values is taken as a Pitman-Yor process over its
//! *active buckets*: bursts must not buy confidence. With n buckets and K
//! distinct values, the next is new with probability (θ + δK)/(θ + n) (Pitman
//! and Yor 1997). A new value is then a draw from what the peers hold, and q is
//! the chance that such a draw is at most as popular as this one.

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::base::Base;
use super::calibrate::Peak;
use super::season::Calendar;
use super::special::{bits, real};
use crate::time::{SECS_PER_DAY, Time};

/// θ: how readily a young entity takes a new value.
pub(super) const THETA: f64 = 0.25;

/// δ: how much having many values means having more.
const DISCOUNT: f64 = 0.1;

/// Values kept per entity: people have a few networks and a few hosts.
const SLOTS: usize = 12;

/// Values that may push others out within one bucket, so that a scan through
/// one account does not wipe what the account is used to.
const DISPLACE: u8 = 4;

/// Buckets before what an entity does is a habit.
const HABIT: f64 = 1.5;

/// A value less popular than this among the peers is odd.
const ODD: f64 = 0.125;

/// Novelties' worth of weight that the peers have in how odd a new value is.
const PEERS_WEIGHT: f64 = 8.0;

const TOUCHED: u8 = 1;
const FRESH: u8 = 2;
/// Came in an earlier bucket and is not known yet.
const WAITING: u8 = 4;
/// Not known yet, for either reason.
const NEW: u8 = FRESH | WAITING;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    /// Hash; 0 = empty.
    value: u32,
    /// Last seen, in days since the epoch.
    day: u16,
    /// Active buckets, saturating.
    weight: u8,
    /// What happened in the current bucket.
    flags: u8,
}

/// What is kept of one entity: 160 bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Values {
    /// When the entity was first seen.
    pub(super) first: Time,
    /// When the current bucket's first new value came.
    pub(super) since: Time,
    /// The bucket being watched.
    pub(super) bucket: i64,
    /// The last bucket learnt.
    learnt: i64,
    /// n: decayed active buckets.
    buckets: f32,
    /// K: decayed distinct values.
    distinct: f32,
    /// Decayed new values since there is a habit, how many were odd, and how
    /// many the model expected.
    novel: f32,
    odd: f32,
    expected: f32,
    /// The highest score since the last barrier.
    pub(super) peak: Peak,
    /// Active buckets learnt.
    pub(super) active: u32,
    /// In this bucket: new values, and odd ones among them.
    fresh: u8,
    fresh_odd: u8,
    slots: [Slot; SLOTS],
}

/// How surprising a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Novelty {
    /// The chance that the entity takes any new value.
    pub(super) own: f64,
    /// The chance that a peer's value is at most as popular.
    pub(super) peers: f64,
    /// 1 for a new value; less for one that has not been seen for long.
    pub(super) weight: f64,
    /// How common the value is among the peers, from 0 to 1.
    pub(super) common: f64,
}

impl Novelty {
    /// Both chances one by one, in bits.
    pub(super) fn apart(&self) -> (f64, f64) {
        let own = self.weight * bits(self.own.log_e());
        (own, self.weight * bits(self.peers.log_e()))
    }

    /// Both chances together, in bits.
    pub(super) fn bits(&self) -> f64 {
        let own = (1.0 - self.common) * bits(self.own.log_e());
        self.weight * (own + bits(self.peers.log_e()))
    }
}

/// How new a value is again after so many days without it; `None` for not at all.
fn staleness(idle: u16, calendar: &Calendar) -> Option<f64> {
    let buckets = real(i64::from(idle)) * calendar.buckets_per_day();
    (idle > 1).then(|| 1.0 - super::special::exp2(-buckets / calendar.half_life))
}

/// The hash as it is kept: 32 bits of a keyed hash tell 12 values apart.
pub(super) fn short(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or(1).max(1)
}

fn day(time: Time) -> u16 {
    u16::try_from(time.secs().div_euclid(SECS_PER_DAY).max(0)).unwrap_or(u16::MAX)
}

impl Values {
    pub(super) fn new(first: Time, calendar: &Calendar) -> Values {
        let bucket = calendar.bucket(first);
        Values {
            first,
            since: first,
            bucket,
            learnt: bucket.saturating_sub(1),
            buckets: 0.0,
            distinct: 0.0,
            novel: 0.0,
            odd: 0.0,
            expected: 0.0,
            peak: Peak::default(),
            active: 0,
            fresh: 0,
            fresh_odd: 0,
            slots: [Slot::default(); SLOTS],
        }
    }

    /// What is left of the weights when a later bucket is scored.
    fn left(&self, calendar: &Calendar) -> f64 {
        let gap = self.bucket.saturating_sub(1).saturating_sub(self.learnt);
        calendar.decay(gap)
    }

    /// n, decayed.
    pub(super) fn evidence(&self, calendar: &Calendar) -> f64 {
        f64::from(self.buckets) * self.left(calendar)
    }

    /// New values in the current bucket.
    pub(super) fn fresh(&self) -> u8 {
        self.fresh
    }

    /// p(new) before the population's correction.
    fn p_new(&self, calendar: &Calendar) -> f64 {
        let left = self.left(calendar);
        let held = self
            .slots
            .iter()
            .filter(|slot| slot.value != 0 && slot.flags & NEW == 0);
        let held = real(i64::try_from(held.count()).unwrap_or(0));
        let distinct = (f64::from(self.distinct) * left).max(held);
        let buckets = f64::from(self.buckets) * left;
        ((THETA + DISCOUNT * distinct) / (THETA + buckets)).min(1.0)
    }

    /// The chance that the next active bucket brings any new value.
    pub(super) fn chance(&self, calendar: &Calendar, base: &Base) -> f64 {
        (self.p_new(calendar) * base.correction).min(1.0)
    }

    /// Values known, of those that are kept.
    pub(super) fn known(&self) -> u32 {
        let held = self
            .slots
            .iter()
            .filter(|slot| slot.value != 0 && slot.flags & WAITING == 0);
        u32::try_from(held.count()).unwrap_or(0)
    }

    /// How new a value is that is not taken in: `None` for a familiar one.
    pub(super) fn judge(
        &self,
        value: u32,
        time: Time,
        calendar: &Calendar,
        base: &Base,
    ) -> Option<Novelty> {
        let known = |slot: &&Slot| slot.value == value && slot.flags & NEW == 0;
        let Some(slot) = self.slots.iter().find(known) else {
            return Some(self.novelty(value, 1.0, calendar, base));
        };
        let weight = staleness(day(time).saturating_sub(slot.day), calendar)?;
        Some(self.novelty(value, weight, calendar, base))
    }

    /// Takes in a value, and says how new it is; `None` for a familiar one.
    pub(super) fn take(
        &mut self,
        value: u32,
        time: Time,
        calendar: &Calendar,
        base: &Base,
    ) -> Option<Novelty> {
        let today = day(time);
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.value == value) {
            slot.flags |= TOUCHED;
            if slot.flags & NEW == 0 {
                let weight = staleness(today.saturating_sub(slot.day), calendar)?;
                return Some(self.novelty(value, weight, calendar, base));
            }
            return Some(self.novelty(value, 1.0, calendar, base));
        }
        let novelty = self.novelty(value, 1.0, calendar, base);
        self.keep(value, today);
        if self.fresh == 0 || time < self.since {
            self.since = time;
        }
        self.fresh = self.fresh.saturating_add(1);
        if base.rank(value) < ODD {
            self.fresh_odd = self.fresh_odd.saturating_add(1);
        }
        Some(novelty)
    }

    pub(super) fn novelty(
        &self,
        value: u32,
        weight: f64,
        calendar: &Calendar,
        base: &Base,
    ) -> Novelty {
        let rank = base.rank(value);
        let left = self.left(calendar);
        // Who always comes from where nobody else does is not odd for that.
        let peers = if rank < ODD {
            (PEERS_WEIGHT * rank + f64::from(self.odd) * left)
                / (PEERS_WEIGHT + f64::from(self.novel) * left)
        } else {
            rank
        };
        Novelty {
            own: self.chance(calendar, base),
            peers: peers.min(1.0),
            weight,
            common: base.common(value),
        }
    }

    /// Finds a place for a new value, if need be for the one least in use.
    fn keep(&mut self, value: u32, today: u16) {
        let full = self.slots.iter().all(|slot| slot.value != 0);
        if full && self.fresh >= DISPLACE {
            return;
        }
        // What waits is worth no more than what is known.
        let idle = self.slots.iter_mut();
        let idle = idle.filter(|slot| slot.flags & !WAITING == 0);
        let worth = |slot: &Slot| {
            // Halved for each month away: twelve one-off values do not stay for good.
            let months = u32::from(today.saturating_sub(slot.day) / 30);
            (
                slot.value != 0,
                slot.weight.checked_shr(months).unwrap_or(0),
                slot.day,
            )
        };
        if let Some(slot) = idle.min_by_key(|slot| worth(slot)) {
            *slot = Slot {
                value,
                day: today,
                weight: 0,
                flags: TOUCHED | FRESH,
            };
        }
    }

    /// Learns the watched bucket.
    pub(super) fn close(&mut self, calendar: &Calendar) {
        self.close_late(calendar, 0);
    }

    /// The same where a value becomes known so many days after its first.
    pub(super) fn close_late(&mut self, calendar: &Calendar, wait: u16) {
        if self.slots.iter().all(|slot| slot.flags & !WAITING == 0) {
            return;
        }
        let fresh = f32::from(self.fresh);
        let habit = self.evidence(calendar) >= HABIT;
        let chance = single(self.p_new(calendar));
        // A late value may reopen a bucket that a barrier closed.
        if self.bucket > self.learnt {
            let left = single(calendar.decay(self.bucket.saturating_sub(self.learnt)));
            let sums = [&mut self.buckets, &mut self.distinct];
            for sum in sums
                .into_iter()
                .chain([&mut self.novel, &mut self.odd, &mut self.expected])
            {
                *sum *= left;
            }
            self.buckets += 1.0;
            self.active = self.active.saturating_add(1);
            if habit {
                self.expected += chance;
            }
        }
        self.distinct += fresh;
        if habit {
            self.novel += fresh;
            self.odd += f32::from(self.fresh_odd);
        }
        let today = day(calendar.start(self.bucket));
        for slot in self.slots.iter_mut().filter(|slot| slot.flags != 0) {
            if slot.flags & NEW != 0 && today.saturating_sub(slot.day) < wait {
                // Its day stays the first: however often it comes, it waits no less.
                slot.flags = WAITING;
                continue;
            }
            slot.day = today.max(slot.day);
            slot.weight = slot.weight.saturating_add(1);
            slot.flags = 0;
        }
        (self.fresh, self.fresh_odd) = (0, 0);
        self.learnt = self.bucket;
    }

    /// The values known from before the bucket, with how many active buckets
    /// they came in and how many days ago last.
    pub(super) fn habits(&self, time: Time) -> impl Iterator<Item = (u32, u8, u16)> {
        let today = day(time);
        let slots = self.slots.iter();
        let known = slots.filter(|slot| slot.value != 0 && slot.flags & FRESH == 0);
        known.map(move |slot| (slot.value, slot.weight, today.saturating_sub(slot.day)))
    }

    /// The values held: one vote each, when seen within two half-lives.
    pub(super) fn held(&self, calendar: &Calendar, now: Time) -> impl Iterator<Item = u32> {
        let recent = 2.0 * calendar.half_life / calendar.buckets_per_day();
        let today = day(now);
        let slots = self.slots.iter();
        let held = slots.filter(move |slot| {
            let idle = f64::from(today.saturating_sub(slot.day));
            slot.value != 0 && slot.flags & NEW == 0 && idle <= recent
        });
        held.map(|slot| slot.value)
    }

    /// How many new values came and how many the model expected; one entity's
    /// word is capped.
    pub(super) fn calibration(&self, calendar: &Calendar) -> (f64, f64) {
        let left = self.left(calendar);
        let expected = f64::from(self.expected) * left;
        let novel = f64::from(self.novel) * left;
        (
            novel.min(4.0 * expected + 1.0).min(30.0),
            expected.min(30.0),
        )
    }

    /// What the entity is worth keeping for; `None` while it is established.
    pub(super) fn worth(&self, calendar: &Calendar, now: Time) -> Option<i64> {
        let idle = calendar.bucket(now).saturating_sub(self.bucket);
        let away = real(idle) / calendar.buckets_per_day();
        if self.active >= 8 && away < 30.0 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
        let patience = calendar.half_life as i64;
        let doublings = i64::from(self.active.saturating_add(1).ilog2());
        Some(doublings.saturating_mul(patience).saturating_sub(idle))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "24 bits hold a decayed sum; halves the table"
)]
fn single(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_takes_a_hundred_and_sixty_bytes() {
        assert!(size_of::<Values>() <= 160, "{}", size_of::<Values>());
    }
}
