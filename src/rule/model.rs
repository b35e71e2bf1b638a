//! What a rule is once it is read: the tree that the detector compiles.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::time::Span;

/// A place in a rules file, for messages: byte range of the value and its line and column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// Path as it was given.
    pub path: Arc<PathBuf>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// First byte of the value in the file.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
}

/// Sigma's levels; how urgent an alert is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For context only.
    #[default]
    Informational,
    /// Worth a look some day.
    Low,
    /// Worth a look today.
    Medium,
    /// Worth a look now.
    High,
    /// Wake somebody.
    Critical,
}

/// Sigma's statuses. Only stable and test rules are on unless asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Proven.
    Stable,
    /// Tried. Sigma's default when nothing is said.
    #[default]
    Test,
    /// May be noisy.
    Experimental,
    /// Replaced by another.
    Deprecated,
    /// Cannot be used as it is.
    Unsupported,
}

/// The part that every rule has.
#[derive(Clone, Debug, Default)]
pub struct Header {
    /// What it says it finds.
    pub title: String,
    /// UUID.
    pub id: Option<String>,
    /// Name by which correlations refer to it.
    pub name: Option<String>,
    /// How far it is trusted.
    pub status: Status,
    /// Why it matters.
    pub description: String,
    /// Who wrote it.
    pub author: String,
    /// Where to read more.
    pub references: Vec<String>,
    /// Tags such as `attack.t1078`.
    pub tags: Vec<String>,
    /// What ordinary things make it fire.
    pub falsepositives: Vec<String>,
    /// What it cannot see (baseline rules).
    pub blindspots: Vec<String>,
    /// Which number to move, and what that costs (baseline rules).
    pub tuning: Vec<String>,
    /// How urgent.
    pub level: Level,
    /// Whether the document says the level; if not, it is informational.
    pub level_stated: bool,
    /// Fields worth showing.
    pub fields: Vec<String>,
    /// Its licence, as an SPDX identifier.
    pub license: Option<String>,
    /// When it was made, `YYYY-MM-DD`.
    pub date: Option<String>,
    /// When it was last changed, `YYYY-MM-DD`.
    pub modified: Option<String>,
    /// Whom it is meant for.
    pub scope: Vec<String>,
    /// Ids of other rules and how they relate: `derived`, `obsolete`, ...
    pub related: Vec<(String, String)>,
    /// Keys of the author's own that hold a single value.
    pub custom: BTreeMap<String, String>,
}

/// Which logs a rule is for; absent parts mean any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logsource {
    /// Such as `linux`.
    pub product: Option<String>,
    /// Such as `firewall`.
    pub category: Option<String>,
    /// Such as `sshd`.
    pub service: Option<String>,
}

/// A rule of any kind.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The common header.
    pub header: Header,
    /// What it does.
    pub body: Body,
    /// Where its document starts.
    pub at: Location,
    /// First 16 bytes of the SHA-256 of the document's text: its version.
    pub hash: [u8; 16],
}

/// A rule's own part.
#[derive(Clone, Debug)]
pub enum Body {
    /// Looks at one event.
    Detection(Detection),
    /// Counts or orders what other rules found.
    Correlation(Correlation),
    /// Learns what is normal of what other rules found.
    Baseline(Baseline),
    /// Narrows other rules; merged into them at load.
    Filter(Filter),
}

/// A Sigma detection.
#[derive(Clone, Debug)]
pub struct Detection {
    /// Which logs.
    pub logsource: Logsource,
    /// Named searches in the order of the file.
    pub searches: Vec<(String, Search)>,
    /// Any of these must hold (a list of conditions is an OR).
    pub conditions: Vec<Condition>,
}

/// What one search asks.
#[derive(Clone, Debug)]
pub enum Search {
    /// Each of them (a YAML map).
    All(Vec<Search>),
    /// Any of them (a YAML list).
    Any(Vec<Search>),
    /// One field, or the whole line when [`Item::field`] is `None`.
    Item(Item),
}

/// `field|modifier|modifier: values`.
#[derive(Clone, Debug)]
pub struct Item {
    /// The field's name as written; `None` for keywords.
    pub field: Option<String>,
    /// Modifiers in the order written.
    pub modifiers: Vec<Modifier>,
    /// One or more values. Keywords, and values of modifiers that can only
    /// use text (`contains: 5`), are [`Literal::Text`] as they are spelled.
    pub values: Vec<Literal>,
    /// Where the item's values stand.
    pub at: Location,
}

/// A value in a rule, before modifiers. Text still has its wildcards and escapes.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Text with Sigma's `*`, `?` and `\`.
    Text(String),
    /// Whole number, as written without quotes.
    Int(i64),
    /// Number with a fraction.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `null`: absent, or present and null.
    Null,
}

/// Sigma 2.1's value modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "named as in the Sigma specification, which says what each does"
)]
pub enum Modifier {
    Contains,
    StartsWith,
    EndsWith,
    All,
    Cased,
    Re,
    IgnoreCase,
    MultiLine,
    DotAll,
    Cidr,
    Exists,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    FieldRef,
    Base64,
    Base64Offset,
    Utf16Le,
    Utf16Be,
    Utf16,
    WinDash,
    Expand,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// A condition's tree; names are already known to exist.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// The negation.
    Not(Box<Condition>),
    /// Each of them.
    And(Vec<Condition>),
    /// Any of them.
    Or(Vec<Condition>),
    /// The search at this place in [`Detection::searches`].
    Search(usize),
    /// `1 of x*` / `all of x*`, resolved to places in [`Detection::searches`].
    Of(Selector, Vec<usize>),
}

/// How many of a selector's searches must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// `1 of` or `any of`.
    Any,
    /// `all of`.
    All,
}

/// A rule that another one refers to, with its aliases' fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Place in [`RuleSet::rules`].
    pub rule: usize,
    /// The field to use for each of `group-by`, aliases resolved for this member.
    pub group_by: Vec<String>,
}

/// Sigma's comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in the Sigma specification")]
pub enum Operator {
    Gt,
    Gte,
    Lt,
    Lte,
    Eq,
    Neq,
}

/// One comparison; a condition with two is a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The comparison.
    pub operator: Operator,
    /// With what.
    pub value: f64,
}

/// A Sigma correlation.
#[derive(Clone, Debug)]
pub struct Correlation {
    /// `event_count`, `value_count`, ...: a row of the detector's table.
    pub kind: String,
    /// What it counts.
    pub members: Vec<Member>,
    /// `group-by` as written.
    pub group_by: Vec<String>,
    /// The window.
    pub timespan: Span,
    /// Comparisons, all of which must hold.
    pub bounds: Vec<Bound>,
    /// The fields of `condition: field:`.
    pub fields: Vec<String>,
    /// Which percentile `value_percentile` compares, 0 to 100; always there for that type.
    pub percentile: Option<f64>,
    /// The temporal types' extended condition; [`Condition::Search`] and
    /// [`Condition::Of`] count in [`Correlation::members`]. `None`: all of them.
    pub condition: Option<Condition>,
    /// Whether the members raise alerts of their own as well.
    pub generate: bool,
}

/// A baseline: what is unusual for an entity.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// `event_count` (rate), `first_seen`, ...: a row of STATISTICS.
    pub kind: String,
    /// What it learns from.
    pub members: Vec<Member>,
    /// `group-by` as written; empty means the whole fleet.
    pub group_by: Vec<String>,
    /// Bucket length.
    pub timespan: Span,
    /// The field whose values are learnt (`first_seen`) or added up (`value_sum`);
    /// several where the type looks at several.
    pub fields: Vec<String>,
    /// The field whose value weighs the more the fewer entities share it.
    pub prevalence: Option<String>,
    /// Which of the values alone are counted: `count-only:`, one of the type's words.
    pub count_only: Option<String>,
    /// Floor on what was observed: `value:`; a rate's is at least 5 when none is said.
    pub value: Vec<Bound>,
    /// Least surprise in bits: `surprise: {gte: N}`.
    pub surprise: f64,
    /// Most entities a day: `budget: {alerts-per-day: N}`.
    pub budget: Option<f64>,
    /// Whether nothing is reported where more than the budget would be:
    /// `budget: {alerts-per-day: N, only-if-rare: true}`.
    pub rare_only: bool,
    /// How it learns.
    pub learn: Learn,
    /// Whether the members raise alerts of their own as well.
    pub generate: bool,
}

/// Learning settings; the defaults are DETECTION's.
#[derive(Clone, Debug, PartialEq)]
pub struct Learn {
    /// Half-life of what was learnt.
    pub half_life: Span,
    /// Whether hours of the day and weekends have their own expectation.
    pub season: bool,
    /// Shape and rate (in buckets) of the rate's prior, until the population gives one.
    pub prior: Option<(f64, f64)>,
    /// Least buckets with activity before an entity's own history may raise an alert.
    pub min_buckets: u32,
    /// Event time a rule watches before its first alert: cold start.
    pub warm_up: Span,
    /// Surprise in bits above which a bucket is learnt winsorised.
    pub winsor_bits: f64,
    /// How long a bucket waits before it is learnt; `None` is up to the type.
    pub delay: Option<Span>,
    /// Whether what was alerted on while it waited is not learnt.
    pub hold: bool,
    /// Most that a day may raise what a slow anchor expects, as a part of it.
    pub growth: f64,
    /// Most entities kept.
    pub max_entities: usize,
    /// The field whose value an entity shares with its peers.
    pub peers: Option<String>,
}

impl Default for Learn {
    fn default() -> Self {
        Learn {
            half_life: Span::DAY.times(14),
            season: true,
            prior: None,
            min_buckets: 0,
            warm_up: Span::DAY.times(7),
            winsor_bits: 10.0,
            delay: None,
            hold: true,
            growth: 0.05,
            max_entities: 1_000_000,
            peers: None,
        }
    }
}

/// A Sigma filter before it is merged into its rules.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Places of the rules it narrows; empty with `any` set means all of its logsource.
    pub rules: Vec<usize>,
    /// `rules: any`.
    pub any: bool,
    /// Its searches and condition.
    pub detection: Detection,
}

/// All rules that were loaded, in the order of paths and documents. Filters
/// have been merged into the detections that they narrow and are gone.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// The rules; [`Member::rule`] counts here.
    pub rules: Vec<Rule>,
    /// Value lists for `expand`, from the configuration.
    pub lists: BTreeMap<String, Vec<String>>,
}
