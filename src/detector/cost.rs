//! What a rule costs before it is enabled: its state is built and filled with
//! made-up entities until it takes no more, and measured.

use super::Detector;
use super::kind::{Kind, Sighting};
use super::observation::LANES;
use super::unit::Unit;
use crate::alert::RuleInfo;
use crate::entity::{self, HashKey};
use crate::line::Place;
use crate::time::{Span, Time};

/// Entities that are added before it is looked again whether there is room for more.
const STEP: u64 = 512;

/// Entities with so many values each that sets overflow into what is pooled;
/// not the first ones, from which it is told what any one takes.
const BUSY: std::ops::Range<u64> = STEP..STEP + 1024;

/// Sightings of an entity, each with another value; of a busy one.
const SEEN: i64 = 6;
const SEEN_BUSY: i64 = 24;

/// The memory that a rule's state takes.
#[derive(Clone, Copy, Debug)]
pub struct Cost<'d> {
    /// The rule.
    pub info: &'d RuleInfo,
    /// About how many bytes an entity takes.
    pub each: usize,
    /// Most entities kept, newcomers included.
    pub entities: usize,
    /// About how many bytes they take then.
    pub most: usize,
}

impl Detector {
    /// The cost of each rule that keeps state, in the rule set's order.
    pub fn costs(&self) -> impl Iterator<Item = Cost<'_>> {
        let keeping = self.units.iter().filter(|unit| !unit.stateless);
        keeping.map(|unit| cost(unit, self.options.hash))
    }
}

fn cost(unit: &Unit, hash: HashKey) -> Cost<'_> {
    let mut state = (unit.plan.build)();
    let (_, empty) = state.size();
    let mut cost = Cost {
        info: &unit.info,
        each: 0,
        entities: 0,
        most: empty,
    };
    let mut added = 0;
    // Entities that stay, and then some that come once.
    for stays in [true, false] {
        loop {
            for n in added..added + STEP {
                fill(&mut *state, unit, hash, n, stays);
            }
            added += STEP;
            let (now, bytes) = state.size();
            if added == STEP {
                cost.each = bytes.saturating_sub(empty) / now.max(1);
            }
            // Full once most of those added leave no trace.
            let grown = now.saturating_sub(cost.entities) as u64;
            cost.entities = cost.entities.max(now);
            cost.most = cost.most.max(bytes);
            if grown < STEP / 2 {
                break;
            }
        }
    }
    // Of a rule that judges each by all others, all entities live in one lane.
    let lanes = if unit.waits { 1 } else { LANES };
    cost.entities *= lanes;
    cost.most *= lanes;
    cost
}

/// Shows a state one more entity, within one window; in several stretches of it
/// if it is to be no newcomer. A silence has no window: an hour tells who stays.
fn fill(state: &mut dyn Kind, unit: &Unit, hash: HashKey, n: u64, stays: bool) {
    let key = hash.hash(&n.to_le_bytes());
    let seen = match (stays, BUSY.contains(&n)) {
        (false, _) => 1,
        (true, true) => SEEN_BUSY,
        (true, false) => SEEN,
    };
    let mut name = Vec::new();
    for _ in &unit.group {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        entity::push_int(&mut name, n);
    }
    let start = Time::from_secs(1_735_689_600); // 2025-01-01
    for at in 0..seen {
        let mut text = Vec::new();
        for _ in &unit.values {
            entity::push_int(&mut text, at);
        }
        let part = if unit.waits {
            Span::HOUR.times(at)
        } else {
            Span::from_nanos(unit.plan.span.nanos() / seen).times(at)
        };
        state.observe(&Sighting {
            key,
            key_text: &name,
            value: hash.hash(&text),
            value_text: &text,
            number: Some(1.0),
            peers: hash.hash(&text),
            time: start.plus(part),
            count: 1,
            // Some rules keep only who takes their last step.
            member: if at % 2 == 1 { unit.last } else { 0 },
            unproven: false,
            place: &Place::default(),
        });
    }
}
