//! How many entities that nobody knows come to a rule, day by day: a flood of
//! them costs no memory, and is worth a word by itself.

use serde::{Deserialize, Serialize};

use super::calibrate::single;
use super::special::real;
use crate::time::{Span, Time};

/// Days that the habit is taken over.
const DAYS: f64 = 8.0;

/// Days without any that are looked at: after a month nothing else is left.
const IDLE_MAX: i64 = 30;

/// Days before there is a habit.
const KNOWN: u32 = 2;

/// A day's newcomers against those of other days, and against the nursery's room.
const TIMES: f64 = 8.0;
const ROOMS: f64 = 0.25;
/// The same where there is no habit yet: a large site's first day fills it too.
const ROOMS_AT_FIRST: f64 = 2.0;

/// A table is nearly full when nine tenths of it are.
const NEARLY: f64 = 0.9;

/// Newcomers of a day, and of the days before it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Flow {
    day: i64,
    today: u32,
    days: u32,
    /// Mean of the days before.
    habit: f32,
}

impl Flow {
    /// Counts a newcomer.
    pub(super) fn take(&mut self, time: Time) {
        let day = time.bucket(Span::DAY);
        if day > self.day {
            if self.today > 0 {
                self.end(self.today);
                // Nobody came on the days between.
                for _ in 1..day.saturating_sub(self.day).min(IDLE_MAX) {
                    self.end(0);
                }
            }
            self.day = day;
            self.today = 0;
        }
        self.today = self.today.saturating_add(1);
    }

    /// Learns a day.
    fn end(&mut self, newcomers: u32) {
        self.days = self.days.saturating_add(1);
        let weight = real(i64::from(self.days)).min(DAYS);
        let habit = f64::from(self.habit);
        self.habit = single(habit + (f64::from(newcomers) - habit) / weight);
    }
}

/// How full one lane of a rule is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Crowd {
    /// Entities with a baseline, and how many there may be.
    pub entities: usize,
    /// Room for them.
    pub room: usize,
    /// Newcomers today.
    pub newcomers: u32,
    /// Newcomers of a day, as far as there is a habit.
    pub habit: Option<f64>,
    /// Room for newcomers.
    pub nursery: usize,
}

impl Crowd {
    pub(super) fn new(entities: usize, room: usize, flow: &Flow, nursery: usize) -> Crowd {
        Crowd {
            entities,
            room,
            newcomers: flow.today,
            habit: (flow.days >= KNOWN).then_some(f64::from(flow.habit)),
            nursery,
        }
    }

    /// Whether so many newcomers are a flood.
    pub fn is_flooded(&self) -> bool {
        let newcomers = f64::from(self.newcomers);
        let room = real(i64::try_from(self.nursery).unwrap_or(i64::MAX));
        match self.habit {
            Some(habit) => newcomers > (TIMES * habit).max(ROOMS * room),
            None => newcomers > ROOMS_AT_FIRST * room,
        }
    }

    /// Whether there is hardly room for another baseline.
    pub fn is_full(&self) -> bool {
        let real = |n: usize| real(i64::try_from(n).unwrap_or(i64::MAX));
        // A rule for one entity is full of it.
        self.room > 1 && real(self.entities) > NEARLY * real(self.room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(days: &[u32]) -> Crowd {
        let mut flow = Flow::default();
        for (day, &newcomers) in (1..).zip(days) {
            for _ in 0..newcomers {
                flow.take(Time::from_secs(day * 86_400));
            }
        }
        Crowd::new(0, 100, &flow, 1000)
    }

    #[test]
    fn a_flood_is_far_above_habit_and_not_just_many() {
        assert!(crowd(&[20, 20, 20, 251]).is_flooded());
        assert!(!crowd(&[20, 20, 20, 249]).is_flooded(), "few");
        assert!(!crowd(&[900, 900, 900, 2000]).is_flooded(), "as usual");
        assert!(!crowd(&[1999]).is_flooded() && crowd(&[2001]).is_flooded());
    }

    #[test]
    fn yesterdays_flood_is_not_todays() {
        assert!(!crowd(&[20, 20, 9000, 1]).is_flooded());
        assert!(crowd(&[20, 20, 20, 20, 20, 20, 20, 20, 9000, 12_000]).is_flooded());
    }

    #[test]
    fn a_table_is_full_at_nine_tenths() {
        let full = |entities, room| {
            Crowd {
                entities,
                room,
                ..Crowd::default()
            }
            .is_full()
        };
        assert!(full(91, 100) && !full(90, 100) && !full(1, 1));
    }
}
