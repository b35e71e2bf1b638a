//! Correlations over events that are given one by one: for `match`.

use crate::alert::Alert;
use crate::detector::{Detector, LANES, Lane, Observations, Options, Scratch, Seen};
use crate::event::Event;
use crate::format::{Context, json_time};
use crate::line::Line;
use crate::rule::{Body, Rule};
use crate::time::Time;

/// The state of a rule set's correlations.
pub(super) struct Sequence {
    lanes: Vec<Lane>,
    made: Observations,
    alerts: Vec<Alert>,
    context: Context,
    newest: Time,
}

impl Sequence {
    /// `None` when the rules hold no correlation.
    pub(super) fn of(detector: &Detector, rules: &[Rule]) -> Option<Sequence> {
        let correlates = |rule: &Rule| matches!(rule.body, Body::Correlation(_));
        rules.iter().any(correlates).then(|| Sequence {
            lanes: (0..LANES).map(|_| Lane::new(detector)).collect(),
            made: Observations::default(),
            alerts: Vec::new(),
            context: Context::utc(Time::from_secs(0)),
            newest: Time::MIN,
        })
    }

    /// Takes the next event in, if it has a time that is understood, and tells
    /// the rules (by id, else title) that it makes fire.
    pub(super) fn take(
        &mut self,
        detector: &Detector,
        event: &mut Event<'_>,
        line: &Line<'_>,
        scratch: &mut Scratch,
    ) -> impl Iterator<Item = &str> {
        self.alerts.clear();
        self.made.clear();
        event.time = json_time(line.bytes, &self.context);
        if let Some(time) = event.time {
            self.newest = self.newest.max(time);
            detector.detect(event, 0, scratch, &mut self.made);
        }
        self.made.seal();
        let seen = Seen {
            place: line.place,
            path: "",
            bytes: line.bytes,
            stale: event.time < Some(self.newest.minus(Options::default().lateness)),
        };
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            for observation in self.made.lane(number) {
                let text = self.made.text();
                lane.observe(detector, observation, text, &seen, &mut self.alerts);
            }
        }
        // A detection is said to match at each event, and a baseline has not
        // learnt anything.
        let counts = |alert: &&Alert| {
            alert.revision == 0
                && alert.rule.kind != "selection"
                && !alert.rule.kind.starts_with("baseline")
        };
        let alerts = self.alerts.iter().filter(counts);
        alerts.map(|alert| alert.rule.id.as_str())
    }
}
