//! Tests of the detector as a whole, over rules built by hand.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "small whole numbers"
)]

mod correlations;
mod matching;
mod probes;
mod state;

use super::{Detector, Lane, Observations, Options, Route, Scratch, Seen};
use crate::alert::Alert;
use crate::baseline::Census;
use crate::entity::HashKey;
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::line::{Place, SourceId};
use crate::rule::{
    Body, Bound, Condition, Correlation, Detection, Header, Item, Level, Literal, Location,
    Logsource, Member, Modifier, Operator, Rule, RuleSet, Search,
};
use crate::time::{Span, Time};

pub(super) static SSHD: &[LogSource] = &[LogSource {
    product: "linux",
    categories: &[],
    services: &["sshd", "auth", "syslog"],
}];

/// A rule with a title and a body; its hash is its title's.
pub(super) fn rule(title: &str, body: Body) -> Rule {
    let mut hash = [0; 16];
    for (to, from) in hash.iter_mut().zip(title.bytes()) {
        *to = from;
    }
    Rule {
        header: Header {
            title: title.to_owned(),
            level: Level::Medium,
            ..Header::default()
        },
        body,
        at: Location::default(),
        hash,
    }
}

pub(super) fn item(field: Option<&str>, modifiers: &[Modifier], values: Vec<Literal>) -> Item {
    Item {
        field: field.map(str::to_owned),
        modifiers: modifiers.to_vec(),
        values,
        at: Location::default(),
    }
}

pub(super) fn text(value: &str) -> Literal {
    Literal::Text(value.to_owned())
}

/// A detection of one item.
pub(super) fn detects(item: Item) -> Detection {
    Detection {
        logsource: Logsource::default(),
        searches: vec![("selection".to_owned(), Search::Item(item))],
        conditions: vec![Condition::Search(0)],
    }
}

/// A detection of `event.action: action`.
pub(super) fn action(title: &str, action: &str) -> Rule {
    let item = item(Some("event.action"), &[], vec![text(action)]);
    rule(title, Body::Detection(detects(item)))
}

/// A correlation over some rules of the set, grouped by some fields.
pub(super) fn correlation(
    kind: &str,
    of: &[usize],
    by: &[&str],
    secs: i64,
    gte: Option<f64>,
    fields: &[&str],
) -> Rule {
    let names = |list: &[&str]| {
        list.iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let body = Body::Correlation(Correlation {
        kind: kind.to_owned(),
        members: of
            .iter()
            .map(|rule| Member {
                rule: *rule,
                group_by: names(by),
            })
            .collect(),
        group_by: names(by),
        timespan: Span::from_secs(secs),
        bounds: gte
            .map(|value| Bound {
                operator: Operator::Gte,
                value,
            })
            .into_iter()
            .collect(),
        fields: names(fields),
        percentile: None,
        condition: None,
        generate: false,
    });
    rule(&format!("{kind} {of:?} {by:?}"), body)
}

/// A detector with all its lanes, fed one event at a time.
pub(super) struct Bench {
    pub(super) detector: Detector,
    pub(super) lanes: Vec<Lane>,
    pub(super) scratch: Scratch,
    pub(super) observations: Observations,
    line: u64,
}

impl Bench {
    pub(super) fn new(rules: Vec<Rule>) -> Bench {
        Bench::with(rules, Options::default())
    }

    pub(super) fn with(rules: Vec<Rule>, options: Options) -> Bench {
        let rules = RuleSet {
            rules,
            ..RuleSet::default()
        };
        let detector = Detector::compile(&rules, &[SSHD], options).unwrap();
        Bench {
            lanes: (0..super::LANES).map(|_| Lane::new(&detector)).collect(),
            scratch: detector.scratch(),
            detector,
            observations: Observations::default(),
            line: 0,
        }
    }

    /// An event of an action at a time, by a user from an address.
    pub(super) fn event(&mut self, at: i64, action: &str, user: &str, ip: &str) -> Vec<Alert> {
        self.seen(at, action, user, ip, false)
    }

    pub(super) fn seen(
        &mut self,
        at: i64,
        action: &str,
        user: &str,
        ip: &str,
        stale: bool,
    ) -> Vec<Alert> {
        let event = made(at, action, user, ip);
        self.feed(&event, stale)
    }

    pub(super) fn feed(&mut self, event: &Event<'_>, stale: bool) -> Vec<Alert> {
        self.line += 1;
        let line = format!("line {}", self.line);
        let seen = line_seen(self.line, &line, stale);
        self.observations.clear();
        self.detector
            .detect(event, 0, &mut self.scratch, &mut self.observations);
        self.observations.seal();
        let mut alerts = Vec::new();
        for (at, lane) in self.lanes.iter_mut().enumerate() {
            for o in self.observations.lane(at) {
                lane.observe(
                    &self.detector,
                    o,
                    self.observations.text(),
                    &seen,
                    &mut alerts,
                );
            }
        }
        alerts
    }

    /// An epoch barrier: what all lanes know of the population comes in force.
    pub(super) fn epoch(&mut self, now: Time) {
        let mut population: Vec<Census> = Vec::new();
        for lane in &mut self.lanes {
            let census = lane.census(now);
            population.resize(census.len(), Census::default());
            for (sum, more) in population.iter_mut().zip(&census) {
                sum.add(more);
            }
        }
        for lane in &mut self.lanes {
            lane.adopt(&population, now);
        }
    }

    /// Saves all lanes and takes them up again, as a restart does.
    pub(super) fn restart(&mut self) {
        for lane in &mut self.lanes {
            let saved = lane.save(&self.detector);
            *lane = Lane::load(&self.detector, &saved).unwrap();
        }
    }

    pub(super) fn entities(&self) -> usize {
        self.lanes.iter().map(|lane| lane.size().entities).sum()
    }

    pub(super) fn bytes(&self) -> usize {
        self.lanes.iter().map(|lane| lane.size().bytes).sum()
    }
}

/// An event of an action at a time, by a user from an address, if given.
pub(super) fn made<'a>(at: i64, action: &'a str, user: &'a str, ip: &str) -> Event<'a> {
    let mut event = Event::new();
    event.time = Some(Time::from_secs(at));
    event.text(Field::EVENT_ACTION, action.as_bytes());
    if !user.is_empty() {
        event.text(Field::USER_NAME, user.as_bytes());
    }
    if !ip.is_empty() {
        event.set(Field::SOURCE_IP, Value::Ip(ip.parse().unwrap()));
    }
    event
}

/// The line of that number.
pub(super) fn line_seen(number: u64, line: &str, stale: bool) -> Seen<'_> {
    Seen {
        place: Place {
            source: SourceId(0),
            offset: number * 80,
            number,
        },
        path: "auth.log",
        bytes: line.as_bytes(),
        stale,
    }
}

/// A detector that asks every rule, and the rules that an event meets.
pub(super) fn matched(rules: Vec<Rule>, values: &[(&str, Value<'_>)], line: &[u8]) -> Vec<u32> {
    let rules = RuleSet {
        rules,
        ..RuleSet::default()
    };
    let options = Options {
        hash: HashKey::default(),
        route: Route::All,
        ..Options::default()
    };
    let detector = Detector::compile(&rules, &[], options).unwrap();
    // Values that no rule names get numbers above the rules' own: keywords
    // look at them all the same.
    let mut names = detector.projection().names.clone();
    let mut event = Event::new();
    event.line = line;
    for (name, value) in values {
        event.set(names.intern(name).unwrap(), *value);
    }
    let mut scratch = detector.scratch();
    detector.matches(&event, &mut scratch, None).to_vec()
}
