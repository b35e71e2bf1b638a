//! A rule that is flooded with entities says so, once a day: somebody may try
//! to push out what is known, or hide among many.
//!
//! Keys are keyed hashes, so a flood comes to all lanes alike and each can tell
//! by itself. Their alerts of one rule and day have one id: the first counts.

use super::LANES;
use super::evidence::Seen;
use super::unit::Unit;
use crate::alert::{Alert, CARDINALITY, Id, RuleInfo, Score};
use crate::baseline::Crowd;
use crate::rule::Level;
use crate::time::{Span, Time};

/// The alert, if the crowd is one.
pub(crate) fn alert(unit: &Unit, crowd: Crowd, now: Time, seen: &Seen<'_>) -> Option<Alert> {
    let full = crowd.is_full();
    if !full && !crowd.is_flooded() {
        return None;
    }
    let rule = rule();
    let day = now.bucket(Span::DAY);
    let start = Time::from_nanos(day.saturating_mul(Span::DAY.nanos()));
    let key = [unit.info.id.as_bytes(), &unit.identity[..]].concat();
    Some(Alert {
        id: Id::new(&rule, &key, start, &[u8::from(full)]),
        revision: 0,
        time: now,
        window: (start, now),
        rule,
        entity: vec![("rule.name".to_owned(), unit.info.title.clone().into_bytes())],
        context: Vec::new(),
        score: score(crowd, full),
        events: u64::from(crowd.newcomers),
        samples: vec![seen.evidence(now)],
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts, shown to people")]
fn score(crowd: Crowd, full: bool) -> Score {
    // As this lane has it, so have the others.
    let all = LANES as f64;
    if full {
        return Score {
            observed: crowd.entities as f64 * all,
            threshold: format!("> {} entities", crowd.room * LANES * 9 / 10),
            model: "table".into(),
            ..Score::default()
        };
    }
    Score {
        observed: f64::from(crowd.newcomers) * all,
        expected: crowd.habit.map(|habit| habit * all),
        threshold: "> 8 times as many as on other days".into(),
        model: "newcomers".into(),
        ..Score::default()
    }
}

/// The rule behind the alert; it is in no file, since what it counts no event has.
fn rule() -> RuleInfo {
    RuleInfo {
        id: CARDINALITY.into(),
        title: "More entities than a rule can know".into(),
        level: Level::Medium,
        tags: Vec::new(),
        kind: "cardinality".into(),
        hash: [0; 16],
        falsepositives: vec![
            "a scan of the whole network by its owner, or a rule whose `group-by:` names what is different each time"
                .into(),
        ],
    }
}
