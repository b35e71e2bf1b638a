//! Days that are like a weekend, whatever day of the week they are.
//!
//! A calendar is an argument like time is: the same for all lanes, put in
//! before anything is judged. What it says is kept as stretches of seconds,
//! apart and in order, so that a question is a binary search.

use std::sync::Arc;

use crate::time::SECS_PER_DAY;

const SECS_PER_WEEK: i64 = 7 * SECS_PER_DAY;

/// 1970-01-01 was a Thursday.
const MONDAY: i64 = -3 * SECS_PER_DAY;

/// Stretches from a second to before another one, apart and in order.
type Stretches = Arc<[(i64, i64)]>;

/// Stretches of time that nobody works in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    /// By the clock on whoever's wall.
    local: Stretches,
    /// By UTC: the same moment for all.
    instants: Stretches,
}

impl Holidays {
    /// From stretches of seconds since the epoch, each from its first to
    /// before its last: such as the clocks on the walls have it, and such as
    /// are the same moment everywhere.
    pub fn new(local: Vec<(i64, i64)>, instants: Vec<(i64, i64)>) -> Holidays {
        Holidays {
            local: merged(local),
            instants: merged(instants),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.local.is_empty() && self.instants.is_empty()
    }

    /// Whether a second is in one of them, by the clock on a wall that is
    /// `zone` seconds ahead of UTC.
    pub fn cover(&self, local: i64, zone: i64) -> bool {
        covers(&self.local, local) || covers(&self.instants, local.saturating_sub(zone))
    }

    /// How many seconds from one to before another one, by that clock, are in
    /// them and not in a weekend.
    pub fn within(&self, from: i64, to: i64, zone: i64) -> i64 {
        if self.is_empty() || from >= to {
            return 0;
        }
        let local = overlap(&self.local, from, to, 0);
        let instants = overlap(&self.instants, from, to, zone);
        local.saturating_add(instants).min(to.saturating_sub(from))
    }
}

fn merged(mut stretches: Vec<(i64, i64)>) -> Stretches {
    stretches.retain(|(from, to)| from < to);
    stretches.sort_unstable();
    let mut apart: Vec<(i64, i64)> = Vec::with_capacity(stretches.len());
    for (from, to) in stretches {
        match apart.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => apart.push((from, to)),
        }
    }
    apart.into()
}

fn covers(stretches: &[(i64, i64)], at: i64) -> bool {
    let after = stretches.partition_point(|(from, _)| *from <= at);
    let last = after.checked_sub(1).and_then(|last| stretches.get(last));
    last.is_some_and(|(_, to)| at < *to)
}

/// The seconds of weekdays that stretches, moved by `zone`, share with one.
fn overlap(stretches: &[(i64, i64)], from: i64, to: i64, zone: i64) -> i64 {
    let moved = |at: i64| at.saturating_add(zone);
    let first = stretches.partition_point(|(_, end)| moved(*end) <= from);
    let rest = stretches.get(first..).unwrap_or_default().iter();
    let shared = rest.take_while(|(start, _)| moved(*start) < to);
    shared.fold(0_i64, |sum, (start, end)| {
        let seconds = weekdays(moved(*end).min(to)) - weekdays(moved(*start).max(from));
        sum.saturating_add(seconds)
    })
}

/// Seconds of weekdays from some Monday to a moment.
fn weekdays(at: i64) -> i64 {
    let since = at.saturating_sub(MONDAY);
    let (weeks, rest) = (
        since.div_euclid(SECS_PER_WEEK),
        since.rem_euclid(SECS_PER_WEEK),
    );
    weeks * 5 * SECS_PER_DAY + rest.min(5 * SECS_PER_DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday 2024-01-01.
    const DAY: i64 = 19_723;

    fn day(n: i64) -> (i64, i64) {
        ((DAY + n) * SECS_PER_DAY, (DAY + n + 1) * SECS_PER_DAY)
    }

    #[test]
    fn a_day_is_one_from_its_first_second_to_its_last() {
        let days = Holidays::new(vec![day(2), day(0), day(1), day(0)], Vec::new());
        assert_eq!(days.local.len(), 1, "days in a row are one stretch");
        let (from, to) = (day(0).0, day(2).1);
        for (at, wanted) in [(from - 1, false), (from, true), (to - 1, true), (to, false)] {
            assert_eq!(days.cover(at, 0), wanted, "{at}");
        }
        assert!(!Holidays::default().cover(from, 0));
    }

    #[test]
    fn a_moment_is_the_same_one_in_every_zone() {
        let noon = day(0).0 + 12 * 3600;
        let days = Holidays::new(Vec::new(), vec![(noon, noon + 3600)]);
        assert!(days.cover(noon + 7200, 7200) && !days.cover(noon, 7200));
        assert_eq!(days.within(day(0).0, day(1).0, 7200), 3600);
    }

    #[test]
    fn what_is_a_weekend_anyway_is_not_taken_off_twice() {
        // Friday to Monday.
        let days = Holidays::new((4..8).map(day).collect(), Vec::new());
        let off = |from, to| days.within(day(from).0, day(to).0, 0);
        assert_eq!(off(0, 14), 2 * SECS_PER_DAY);
        assert_eq!(off(5, 7), 0);
        assert_eq!(off(8, 14), 0);
        assert_eq!(days.within(day(4).0 + 3600, day(4).0 + 7200, 0), 3600);
        assert_eq!(days.within(i64::MIN, i64::MAX, 0), 2 * SECS_PER_DAY);
    }
}
