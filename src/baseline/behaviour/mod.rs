//! What the statistics do, seen from outside: stories of users and hosts,
//! lanes, snapshots, floods and poisoners.

mod amount_state;
mod amounts;
mod beats;
mod counts;
mod drops;
mod holidays;
mod levels;
mod marks;
mod peers;
mod poison;
mod promises;
mod quantiles;
mod rarities;
mod sessions;
mod silences;
mod values;
mod voters;
mod votes;

use super::{
    Census, Deviation, Lesson, Only, PARTS, STATISTICS, Sample, Settings, Statistic, Want,
    in_one_lane,
};
use crate::holidays::Holidays;
use crate::time::{Span, Time};

/// Monday 2024-01-01T00:00:00Z.
const MONDAY: i64 = 1_704_067_200;

pub(super) fn settings() -> Settings {
    Settings {
        timespan: Span::HOUR,
        half_life: Span::DAY.times(14),
        season: true,
        zone_offset: Span::ZERO,
        holidays: Holidays::default(),
        prior: None,
        min_buckets: 0,
        warm_up: Span::ZERO,
        winsor_bits: 10.0,
        delay: None,
        hold: true,
        growth: 0.05,
        max_entities: 100_000,
        surprise: 0.01,
        budget: None,
        rare_only: false,
        floor: 1.0,
        paired: false,
        peers: false,
        fields: 1,
        only: Only::All,
        heavy: false,
    }
}

fn build(name: &str, settings: &Settings) -> Box<dyn Statistic> {
    let row = STATISTICS.iter().find(|row| row.name == name).unwrap();
    (row.build)(settings)
}

/// A keyed hash's stand-in.
fn hash(n: u64) -> u64 {
    let n = (n ^ (n >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (n ^ (n >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (n >> 32)
}

/// An alert in five days, whatever that takes.
fn budgeted() -> Settings {
    Settings {
        surprise: 4.0,
        budget: Some(0.2),
        floor: 2.0,
        ..settings()
    }
}

/// A day of eighty people who do three things each.
fn eighty(watch: &mut Watch, day: i64) {
    for user in 0..80_u64 {
        let hour = 8 + i64::try_from(user % 9).unwrap();
        for n in 0..3 {
            watch.see(user, at(day, hour, n * 7), 1, 0);
        }
    }
}

/// A rule's lanes, with a barrier at each midnight.
struct Watch {
    lanes: Vec<Box<dyn Statistic>>,
    midnight: i64,
    /// Entities that share a value are dealt to one lane, and keep theirs.
    together: bool,
    /// All of them are.
    one: bool,
    /// What the samples teach from here on.
    lesson: Lesson,
    /// An entity's group of peers.
    peers: fn(u64) -> u64,
    /// What the last barrier told.
    census: Census,
    /// A value's number, by the value and a draw.
    amount: fn(u64, u64) -> f64,
}

impl Watch {
    fn new(name: &str, lanes: usize, settings: &Settings) -> Watch {
        Watch {
            lanes: (0..lanes).map(|_| build(name, settings)).collect(),
            lesson: Lesson::Whole,
            peers: |_| 0,
            census: Census::default(),
            midnight: MONDAY,
            one: in_one_lane(name),
            amount: match name {
                "travel" => place,
                "value_quantile" => now_and_then,
                _ => |_, _| 1e4,
            },
            together: STATISTICS
                .iter()
                .any(|row| row.name == name && row.prevalence == Want::Must),
        }
    }

    fn barrier(&mut self, now: Time) -> Census {
        let mut all = Census::default();
        for lane in self.lanes.iter_mut().rev() {
            all.add(&lane.census(now));
        }
        for lane in &mut self.lanes {
            lane.adopt(&all, now);
        }
        all
    }

    /// `secs` since [`MONDAY`]. One second in three is of the rule's last member.
    fn see(&mut self, entity: u64, secs: i64, count: u32, value: u64) -> Option<Deviation> {
        let value = if self.together { entity >> 1 } else { value };
        let drawn = hash(entity << 40 ^ u64::try_from(secs).unwrap_or(0));
        let amount = (self.amount)(value, drawn);
        self.see_amount(entity, secs, count, value, Some(amount))
    }

    fn weigh(
        &mut self,
        entity: u64,
        secs: i64,
        count: u32,
        value: u64,
        amount: f64,
    ) -> Option<Deviation> {
        self.see_amount(entity, secs, count, value, Some(amount))
    }

    fn bits_of(&mut self, entity: u64, secs: i64, amount: f64) -> f64 {
        self.weigh(entity, secs, 1, 0, amount)
            .map_or(0.0, |d| d.bits)
    }

    fn see_amount(
        &mut self,
        entity: u64,
        secs: i64,
        count: u32,
        value: u64,
        amount: Option<f64>,
    ) -> Option<Deviation> {
        let last = secs % 3 == 0;
        self.put(entity, secs, (count, last), [value, 0, 0, 0], amount)
    }

    /// The same of several values and of a member.
    fn tell(
        &mut self,
        entity: u64,
        secs: i64,
        told: (u32, bool),
        values: [u64; PARTS],
    ) -> Option<Deviation> {
        self.put(entity, secs, told, values, None)
    }

    fn put(
        &mut self,
        entity: u64,
        secs: i64,
        (count, last): (u32, bool),
        values: [u64; PARTS],
        amount: Option<f64>,
    ) -> Option<Deviation> {
        while secs >= self.midnight - MONDAY + 86_400 {
            self.midnight += 86_400;
            self.census = self.barrier(Time::from_secs(self.midnight));
        }
        let key = hash(entity);
        let dealt = if self.one {
            0
        } else if self.together {
            hash(values[0])
        } else {
            key
        };
        let lane = usize::try_from(dealt >> 7).unwrap() % self.lanes.len();
        let time = Time::from_secs(MONDAY + secs);
        let mut overdue = None;
        while let Some((_, deviation)) = self.lanes[lane].overdue(time) {
            overdue = overdue.or(Some(deviation).filter(|found| found.held.is_none()));
        }
        let own = self.lanes[lane].observe(&Sample {
            key,
            time,
            count,
            value: values
                .iter()
                .fold(0, |all, value| hash(all ^ value ^ 0xABCD_0000)),
            parts: values.map(|value| hash(value ^ 0xABCD_0000)),
            amount,
            last,
            peers: (self.peers)(entity),
            lesson: self.lesson,
        });
        overdue.or(own.filter(|found| found.held.is_none()))
    }

    fn bits(&mut self, entity: u64, secs: i64, count: u32, value: u64) -> f64 {
        self.see(entity, secs, count, value).map_or(0.0, |d| d.bits)
    }
}

/// A place on earth, each value's own.
fn place(value: u64, _drawn: u64) -> f64 {
    u32::try_from(value * 7_654_321 % 648_000_000).map_or(0.0, f64::from)
}

/// Ten kilobytes, and now and then far more.
fn now_and_then(_value: u64, drawn: u64) -> f64 {
    if drawn.is_multiple_of(16) { 2e5 } else { 1e4 }
}

fn at(day: i64, hour: i64, minute: i64) -> i64 {
    (day * 24 + hour) * 3600 + minute * 60
}

fn workdays(weeks: i64) -> impl Iterator<Item = i64> {
    (0..weeks * 7).filter(|day| day % 7 < 5)
}

/// Forty users with three of ten shared addresses each, six hours a working day.
fn addresses(watch: &mut Watch, weeks: i64) {
    for day in workdays(weeks) {
        for hour in 0..6 {
            for user in 0..40_u64 {
                let nth = (u64::try_from(day + hour).unwrap() + user) % 3;
                let minute = i64::try_from(user).unwrap();
                watch.see(user, at(day, 9 + hour, minute), 1, (user + nth * 3) % 10);
            }
        }
    }
}
