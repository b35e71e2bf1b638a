//! Where an attack takes place: who it is about, when, and by whom.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::people::{Person, Team};
use super::super::rng::Rng;
use super::super::site::Site;
use super::super::ssh::{Caller, Proof};
use super::super::stamp::{At, DAY, MINUTE, at, weekend};
use super::staff::{SERVERS, Staff};
use super::{Attack, entities};

/// One attack's view of the month.
pub(super) struct Stage<'a> {
    /// Where its lines go.
    pub(super) site: &'a mut Site,
    /// Everybody.
    pub(super) staff: &'a Staff,
    /// Its own numbers.
    pub(super) rng: Rng,
    /// The attacker's address.
    pub(super) from: String,
    /// Where the attacker listens.
    pub(super) drop: String,
    /// Its name and its place among all attacks.
    pub(super) name: &'static str,
    pub(super) place: i64,
    /// Accounts and hosts that other attacks are about.
    taken: &'a mut BTreeSet<&'static str>,
    days: i64,
}

impl<'a> Stage<'a> {
    /// The stage of an attack: its technique, that one's row, and which of it.
    pub(super) fn new(
        site: &'a mut Site,
        staff: &'a Staff,
        taken: &'a mut BTreeSet<&'static str>,
        days: i64,
        which: (&'static str, i64, i64),
    ) -> Stage<'a> {
        let (name, row, instance) = which;
        let mut rng = Rng::of(site.world, &format!("attack {name} {instance}"));
        let place = row * 5 + instance;
        Stage {
            from: format!("198.19.{}.{}", 128 + place, rng.between(2, 250)),
            drop: format!("198.19.{}.{}", 128 + place, rng.between(2, 250)),
            site,
            staff,
            rng,
            name,
            place,
            taken,
            days,
        }
    }

    /// A day in the second half, with so many more days to come.
    pub(super) fn day(&mut self, length: i64) -> i64 {
        let first = (self.days * 3 / 7).min(self.days - 1 - length).max(0);
        self.rng.between(first, (self.days - 1 - length).max(first))
    }

    /// The same, and a working day.
    pub(super) fn workday(&mut self) -> i64 {
        let day = self.day(0);
        if weekend(day) { day - 2 } else { day }
    }

    /// Any time of it that leaves so many hours of the month.
    pub(super) fn moment(&mut self, hours: i64) -> At {
        let day = self.day(hours / 24 + 1);
        at(day, 0, 0) + self.rng.below(DAY)
    }

    /// Somebody whom no other attack is about, with enough of a history.
    pub(super) fn victim(&mut self, fits: impl Fn(&Person) -> bool) -> Person {
        let free = |person: &&Person| {
            fits(person) && !self.taken.contains(person.name) && person.joins == 0
        };
        let all: Vec<_> = self.staff.inside.iter().filter(free).collect();
        let person = (*self.rng.pick(&all)).clone();
        self.taken.insert(person.name);
        person
    }

    /// A server whom no other attack is about, and never the bastion.
    pub(super) fn server(&mut self) -> (&'static str, &'static str) {
        let (_, others) = SERVERS.split_first().unwrap();
        let free: Vec<_> = others
            .iter()
            .filter(|(name, _)| !self.taken.contains(name))
            .collect();
        let server = if free.is_empty() {
            *self.rng.pick(others)
        } else {
            **self.rng.pick(&free)
        };
        self.taken.insert(server.0);
        server
    }

    /// Somebody logs in as somebody, for so many minutes. Returns the end.
    pub(super) fn session(
        &mut self,
        host: &str,
        who: (&str, i64),
        ip: &str,
        proof: &Proof,
        start: At,
        minutes: i64,
    ) -> At {
        let caller = Caller {
            user: who.0,
            uid: Some(who.1),
            ip,
            port: self.rng.port(),
        };
        let machine = self.site.machine(host);
        let session = machine.enter(&mut self.rng, start, &caller, proof, 0);
        let end = start + minutes * MINUTE + self.rng.below(MINUTE);
        machine.leave(end, session);
        end
    }

    /// A working hour of a day, as the person keeps them.
    pub(super) fn hours_of(&mut self, person: &Person, day: i64) -> At {
        let minute = person.begins + 40 + self.rng.below(6 * 60);
        at(day, 0, 0) + minute * MINUTE + self.rng.below(MINUTE)
    }

    /// What there is to know.
    pub(super) fn attack<'n>(
        &self,
        about: impl IntoIterator<Item = &'n str>,
        span: Range<At>,
        payload: At,
    ) -> Attack {
        Attack {
            technique: self.name,
            entities: entities(about),
            span,
            payload,
        }
    }
}

/// Whether somebody has no business with sudo or with most machines.
pub(super) fn ordinary(person: &Person) -> bool {
    !matches!(person.team, Team::Admins | Team::Builders) && person.away.is_empty()
}

/// How long people leave a stolen session open, in minutes.
pub(super) const STAYS: (i64, i64) = (6, 40);
