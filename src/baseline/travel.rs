//! `travel`: further from the last place, and sooner, than anybody travels, in
//! a network that the entity never came from.
//!
//! The speed between two places, after 300 km that positions of networks may be
//! off, has a Pareto tail: half of what is over 225 km/h is over 283, and an
//! airliner's 900 is left behind by one in 64:
//!
//! ```text
//! P(speed ≥ v) = (225/v)³, bits = 3 log₂(v/225), at most 20
//! ```
//!
//! Alone that says little: exits of VPNs and telephones lie anywhere. So the
//! network must be new for the entity as well, and how new it is adds to the
//! bits, as `first_seen` has it. Positions come as one number: hundredths of
//! degrees, (latitude + 90) times 36,001 plus (longitude + 180).

use crate::baseline::Elementary as _;
use serde::{Deserialize, Serialize};

use super::first_seen::{FirstSeen, NEW};
use super::table::{Saved, Table};
use super::{
    Census, Description, Deviation, Kept, Row, Sample, Settings, Statistic, Want, snapshot,
};
use crate::time::{Span, Time};

/// The row of the table.
pub(super) static ROW: Row = Row {
    name: "travel",
    about: "a new network, further away than the time since the last event allows",
    field: Want::Must,
    number: true,
    // Where, and by which network.
    many: true,
    sparse: false,
    prevalence: Want::No,
    peers: false,
    only: &[],
    members: 1,
    // In km/h: airliners reach it.
    floor: Some(900.0),
    counts: false,
    build: |settings| Box::new(Travel::new(settings)),
};

/// 99 % of journeys are slower than so many times the scale.
const CUBE_ROOT_OF_HUNDRED: f64 = 4.641_588_833_612_779;

/// The tail's scale in km/h and its exponent.
const SCALE: f64 = 225.0;
const EXPONENT: f64 = 3.0;

/// No speed says more: beyond some 20,000 km/h it is all the same.
const SPEED_BITS_MAX: f64 = 20.0;

/// What positions of networks may be off, in km.
const BLUR: f64 = 300.0;

/// The earth's mean radius in km.
const EARTH: f64 = 6371.0;

/// Numbers of longitude in one hundredth of a degree of latitude.
const ROW_LENGTH: u32 = 36_001;

/// A position of 0.01 degrees, 1.1 km.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Point(u32);

impl Point {
    fn of(number: f64) -> Option<Point> {
        let most = f64::from(18_000 * ROW_LENGTH + 36_000);
        if !(0.0..=most).contains(&number) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "just checked"
        )]
        let point = number as u32;
        Some(Point(point))
    }

    /// Latitude and longitude in radians.
    fn radians(self) -> (f64, f64) {
        let lat = f64::from(self.0 / ROW_LENGTH) / 100.0 - 90.0;
        let lon = f64::from(self.0 % ROW_LENGTH) / 100.0 - 180.0;
        (lat.to_radians(), lon.to_radians())
    }

    /// The great circle between two, in km (haversine).
    fn distance(self, other: Point) -> f64 {
        let ((lat1, lon1), (lat2, lon2)) = (self.radians(), other.radians());
        let half = |angle: f64| (angle / 2.0).sine() * (angle / 2.0).sine();
        let h = half(lat2 - lat1) + lat1.cosine() * lat2.cosine() * half(lon2 - lon1);
        2.0 * EARTH * h.clamp(0.0, 1.0).sqrt().arc_sine()
    }
}

/// Where an entity was last: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    time: Time,
    point: Point,
}

impl Place {
    /// The speed that it takes to be elsewhere at a time, in km/h.
    fn speed(self, point: Point, time: Time) -> f64 {
        // Clocks differ and lines come late: a minute at least, either way.
        let gap = time.since(self.time).as_secs_f64().abs().max(60.0);
        (self.point.distance(point) - BLUR).max(0.0) / (gap / 3600.0)
    }
}

fn speed_bits(speed: f64) -> f64 {
    let bits = EXPONENT * (speed / SCALE).max(1.0).log_two();
    bits.min(SPEED_BITS_MAX)
}

/// All entities of one rule in one lane.
pub(super) struct Travel {
    /// The networks that each comes from.
    networks: FirstSeen,
    /// Where those that are no newcomers were last.
    places: Table<Place>,
}

#[derive(Serialize, Deserialize)]
struct State {
    networks: Vec<u8>,
    places: Saved<Place>,
}

impl Travel {
    fn new(settings: &Settings) -> Travel {
        Travel {
            networks: FirstSeen::new(&NEW, settings),
            places: Table::new(settings.max_entities),
        }
    }

    /// Where the entity was before; it is at `place` from now on, unless it is
    /// only claimed to be there.
    fn arrive(&mut self, sample: &Sample, place: Place) -> Option<Place> {
        let (key, whole) = (sample.key, sample.lesson.is_whole());
        if let Some(at) = self.places.find(key) {
            let last = self.places.get_mut(at)?;
            let before = *last;
            if whole && place.time >= before.time {
                *last = place;
            }
            return Some(before);
        }
        if !whole {
            return None;
        }
        // Of those that were somewhere, the one that was longest ago makes room.
        self.places.insert(key, place, |old| Some(old.time.secs()));
        None
    }
}

impl Statistic for Travel {
    fn observe(&mut self, sample: &Sample) -> Option<Deviation> {
        let point = Point::of(sample.amount?)?;
        let taken = self.networks.take(sample);
        let place = Place {
            time: sample.time,
            point,
        };
        let known = self.networks.has(sample.key);
        let before = known.then(|| self.arrive(sample, place)).flatten();
        let ((at, novelty), before) = (taken?, before?);
        let speed = before.speed(point, sample.time);
        let (fast, new) = (speed_bits(speed), novelty.bits());
        // Who moves as people do has not travelled, however new the network is.
        let bits = if speed > 0.0 { fast + new } else { 0.0 };
        if speed >= self.networks.rule().0.floor {
            self.networks.vote(at, sample, bits);
        }
        let (settings, calendar, watch) = self.networks.rule();
        let (state, held) = self.networks.judged(at, bits, sample.time)?;
        let least = watch.threshold();
        if bits <= 0.0 || speed < settings.floor {
            return None;
        }
        let mut terms = vec![("speed", fast), ("network", new)];
        terms.sort_by(|a, b| b.1.total_cmp(&a.1));
        let slowest = SCALE * super::special::exp2((least - new).max(0.0) / EXPONENT);
        Some(Deviation {
            bits,
            observed: speed,
            expected: SCALE * EXPONENT / (EXPONENT - 1.0),
            interval: (0.0, SCALE * CUBE_ROOT_OF_HUNDRED),
            evidence: state.evidence(calendar),
            age: sample.time.since(state.first).max(Span::ZERO),
            model: "pareto",
            quiet: slowest.max(settings.floor),
            return_days: watch.return_days(bits),
            terms,
            since: before.time.min(sample.time),
            held,
        })
    }

    fn census(&mut self, now: Time) -> Census {
        self.networks.census(now)
    }

    fn adopt(&mut self, population: &Census, now: Time) {
        self.networks.adopt(population, now);
    }

    fn describe(&self, key: u64, now: Time) -> Option<Description> {
        self.networks.describe(key, now)
    }

    fn forget(&mut self, key: u64) -> bool {
        if let Some(at) = self.places.find(key) {
            self.places.remove(at);
        }
        self.networks.forget(key)
    }

    fn kept(&self) -> Kept<'_> {
        self.networks.kept().and(self.places.bytes())
    }

    fn save(&self) -> Vec<u8> {
        let state = State {
            networks: self.networks.save(),
            places: self.places.save(),
        };
        snapshot::pack(ROW.name, self.networks.rule().0, &state)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let settings = self.networks.rule().0.clone();
        let state: State = snapshot::unpack(ROW.name, &settings, bytes)?;
        let mut fresh = Travel::new(&settings);
        fresh.networks.load(&state.networks)?;
        fresh.places.load(state.places)?;
        *self = fresh;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Lesson;
    use super::super::behaviour::settings;
    use super::*;

    fn number(lat: f64, lon: f64) -> f64 {
        ((lat + 90.0) * 100.0).round() * f64::from(ROW_LENGTH) + ((lon + 180.0) * 100.0).round()
    }

    fn amsterdam() -> f64 {
        number(52.37, 4.9)
    }

    fn sao_paulo() -> f64 {
        number(-23.55, -46.63)
    }

    #[test]
    fn distances_are_those_of_an_atlas() {
        let between = |one, other| Point::of(one).unwrap().distance(Point::of(other).unwrap());
        let km = between(amsterdam(), sao_paulo());
        assert!((9_700.0..9_850.0).contains(&km), "{km}");
        let around = between(number(0.0, 179.9), number(0.0, -179.9));
        assert!((20.0..25.0).contains(&around), "{around}");
        let poles = between(number(90.0, 0.0), number(-90.0, 180.0));
        assert!((poles - 20_015.0).abs() < 10.0, "{poles}");
        assert_eq!(
            Point::of(-1.0).or(Point::of(7e8)).or(Point::of(f64::NAN)),
            None
        );
    }

    #[test]
    fn where_somebody_was_takes_sixteen_bytes() {
        assert_eq!(size_of::<Place>(), 16);
    }

    /// Three weeks of logins at home, twice a day, from two networks.
    fn at_home() -> Travel {
        let mut travel = Travel::new(&Settings {
            surprise: 12.0,
            floor: 900.0,
            ..settings()
        });
        for day in 0..21 {
            for (hour, network) in [(9, 1_u64), (20, 2)] {
                let found = see(&mut travel, day * 24 + hour, 0, network, amsterdam());
                assert_eq!(found, None);
            }
        }
        travel
    }

    fn see(
        travel: &mut Travel,
        hour: i64,
        minute: i64,
        network: u64,
        amount: f64,
    ) -> Option<Deviation> {
        see_as(Lesson::Whole, travel, hour, minute, network, amount)
    }

    fn see_as(
        lesson: Lesson,
        travel: &mut Travel,
        hour: i64,
        minute: i64,
        network: u64,
        amount: f64,
    ) -> Option<Deviation> {
        travel.observe(&Sample {
            key: 7,
            time: Time::from_secs(1_704_067_200 + hour * 3600 + minute * 60),
            count: 1,
            value: network << 40,
            parts: [0; super::super::PARTS],
            peers: 0,
            amount: Some(amount),
            last: true,
            lesson,
        })
    }

    #[test]
    fn who_logs_in_from_another_continent_ten_minutes_later_is_found() {
        let found = see(&mut at_home(), 20 * 24 + 20, 10, 9, sao_paulo()).unwrap();
        assert!(found.observed > 50_000.0 && found.bits > 25.0, "{found:?}");
        assert!((900.0..1000.0).contains(&found.quiet), "{found:?}");
        assert_eq!(
            found.since,
            Time::from_secs(1_704_067_200 + (20 * 24 + 20) * 3600)
        );
    }

    #[test]
    fn a_flight_a_neighbouring_town_and_a_vpn_one_is_used_to_are_silent() {
        // Landed after 12 hours.
        assert_eq!(see(&mut at_home(), 20 * 24 + 32, 0, 9, sao_paulo()), None);
        // 200 km away within a minute: positions are not that exact.
        let brussels = number(50.85, 4.35);
        assert_eq!(see(&mut at_home(), 20 * 24 + 20, 1, 9, brussels), None);
        // A network known for weeks, said to be elsewhere from now on.
        assert_eq!(see(&mut at_home(), 20 * 24 + 20, 1, 1, sao_paulo()), None);
    }

    #[test]
    fn whoever_comes_from_afar_for_the_first_time_does_not_make_the_owner_the_stranger() {
        let mut travel = at_home();
        assert!(see(&mut travel, 20 * 24 + 20, 10, 9, sao_paulo()).is_some());
        assert_eq!(see(&mut travel, 20 * 24 + 20, 20, 2, amsterdam()), None);
    }

    #[test]
    fn who_fails_to_log_in_from_afar_moves_nobody_and_makes_no_network_known() {
        for lesson in [Lesson::Unproven, Lesson::None] {
            let mut travel = at_home();
            let hour = 20 * 24 + 20;
            for minute in 10..20 {
                let failed = see_as(lesson, &mut travel, hour, minute, 9, sao_paulo());
                assert!(failed.is_some(), "it is judged");
            }
            let place = travel.places.get(travel.places.find(7).unwrap()).unwrap();
            assert_eq!(Some(place.point), Point::of(amsterdam()));
            // A day later, and after a look at home, the network is as new as ever.
            assert_eq!(see(&mut travel, hour + 24, 0, 2, amsterdam()), None);
            let found = see(&mut travel, hour + 24, 10, 9, sao_paulo());
            assert!(found.is_some_and(|found| found.bits > 25.0));
        }
    }

    #[test]
    fn a_line_that_comes_late_does_not_move_anybody_back() {
        let mut travel = at_home();
        see(&mut travel, 20 * 24 + 19, 59, 1, amsterdam());
        let place = travel.places.get(travel.places.find(7).unwrap()).unwrap();
        assert_eq!(place.time.hour(), 20);
    }
}
