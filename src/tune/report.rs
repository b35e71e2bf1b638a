//! What `tune` found, in numbers.

/// Over all rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Days that the logs cover.
    pub days: u64,
    /// By rule, in the order of the rule set.
    pub rules: Vec<RuleReport>,
    /// Alerts a day that were asked for.
    pub budget: Option<f64>,
}

/// What a threshold is compared with, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bits of surprise, of which there must be as many (`surprise: gte:`).
    Bits,
    /// What a correlation counts, of which there must be as many (`gte:`).
    AtLeast,
    /// What a correlation counts, of which there must be more (`gt:`).
    MoreThan,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleReport {
    /// Its title.
    pub title: String,
    /// What its threshold is compared with.
    pub unit: Unit,
    /// Under its own threshold, exactly as a replay has it.
    pub now: Step,
    /// Under all that were tried, thresholds rising and alerts not.
    pub steps: Vec<Step>,
    /// The entities with most alerts, and how many.
    pub top: Vec<(Vec<u8>, u64)>,
    /// The lowest that meets the budget, if any of them does.
    pub meets: Option<Step>,
}

/// Alerts a day under one threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// The threshold.
    pub threshold: f64,
    /// Alerts over all days.
    pub total: u64,
    /// Median day.
    pub median: u64,
    /// 95th percentile of days.
    pub p95: u64,
    /// Worst day.
    pub max: u64,
}

impl Step {
    /// Everything but the threshold.
    pub fn counts(&self) -> (u64, u64, u64, u64) {
        (self.total, self.median, self.p95, self.max)
    }
}
