//! Correlations: what several events within a timespan say together.
//!
//! Windows slide on event time and hold both their ends. Groups are bounded
//! per lane and given up when their window is over.

mod distinct;
mod event_count;
mod temporal;
mod temporal_ordered;
mod value_count;
mod value_percentile;
mod value_sum;
mod window;

use super::condition::{self, Expr};
use super::kind::{Kind, KindRow, Limits, Plan, Refusal};
use super::modifier::bound_holds;
use super::selection::QUIET;
use crate::rule::{Body, Bound, Condition, Correlation, Operator};
use crate::time::Span;

pub(crate) static ROW: KindRow = KindRow {
    name: "correlation",
    about: "Sigma correlations: several events within a timespan",
    stateless: false,
    plan: |rule, limits| match &rule.body {
        Body::Correlation(correlation) => Some(plan(correlation, limits)),
        _ => None,
    },
};

/// A row of [`CORRELATIONS`].
pub struct Row {
    /// The correlation's `type:`.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Whether `condition: field:` is required.
    needs_field: bool,
    /// Whether a condition is required.
    needs_bounds: bool,
    /// The greatest number its condition may compare with.
    pub bound_max: f64,
    every_echo: bool,
    build: fn(&Task) -> Box<dyn Kind>,
}

/// Every type of correlation.
pub static CORRELATIONS: &[&Row] = &[
    &event_count::ROW,
    &value_count::ROW,
    &value_sum::SUM,
    &value_sum::AVERAGE,
    &value_percentile::PERCENTILE,
    &value_percentile::MEDIAN,
    &temporal::ROW,
    &temporal_ordered::ROW,
];

/// What a correlation is to do, checked.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    span: Span,
    /// Silence after which a group cannot matter any more.
    keep: Span,
    bounds: Vec<Bound>,
    members: usize,
    /// Over the members' numbers: the temporal types' extended condition.
    condition: Option<Expr>,
    /// `temporal_ordered`: which step each member is.
    steps: Vec<usize>,
    percentile: f64,
    groups: usize,
}

impl Task {
    /// Whether every bound holds.
    fn holds(&self, value: f64) -> bool {
        self.bounds
            .iter()
            .all(|bound| bound_holds(bound.operator, value, bound.value))
    }

    /// The least count that all greater ones are like.
    fn enough(&self) -> u64 {
        let enough = self.bounds.iter().map(|bound| match bound.operator {
            Operator::Gte | Operator::Lt => bound.value.ceil(),
            Operator::Gt | Operator::Lte | Operator::Eq | Operator::Neq => {
                bound.value.floor() + 1.0
            }
        });
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be small and not negative when the rule is compiled"
        )]
        let enough = enough.fold(1.0, f64::max) as u64;
        enough
    }
}

fn plan(correlation: &Correlation, limits: &Limits) -> Result<Plan, Refusal> {
    let row = row(&correlation.kind)?;
    check(row, correlation)?;
    let task = Task {
        span: correlation.timespan,
        keep: Span::from_nanos(
            correlation
                .timespan
                .nanos()
                .saturating_add(limits.lateness.nanos()),
        ),
        bounds: correlation.bounds.clone(),
        members: correlation.members.len(),
        condition: correlation.condition.as_ref().map(|tree| {
            let members = (0..).zip(&correlation.members);
            let members: Vec<Expr> = members.map(|(at, _)| Expr::Predicate(at)).collect();
            condition::build(tree, &members)
        }),
        steps: steps(correlation).unwrap_or_default(),
        // The loader sees to it that a percentile says which.
        percentile: correlation.percentile.unwrap_or(50.0),
        groups: limits.groups,
    };
    let bounds: Vec<String> = correlation.bounds.iter().map(shown).collect();
    let condition = if bounds.is_empty() {
        row.name.to_owned()
    } else {
        bounds.join(" and ")
    };
    Ok(Plan {
        name: row.name.to_owned(),
        threshold: format!("{condition} in {}", correlation.timespan),
        span: correlation.timespan,
        // Fires once, and again after its condition was false and all was
        // quiet for the timespan, at least for an hour.
        quiet: correlation.timespan.max(QUIET),
        longest: Span::from_nanos(i64::MAX),
        every_echo: row.every_echo,
        values: if row.needs_field {
            correlation.fields.clone()
        } else {
            Vec::new()
        },
        sparse: false,
        amount: None,
        peers: None,
        by_length: false,
        measure: None,
        build: Box::new(move || (row.build)(&task)),
    })
}

/// Which step of a sequence each member is: the order of the rules, or that of
/// a condition that joins them by `and`. `None` when it does anything else.
fn steps(correlation: &Correlation) -> Option<Vec<usize>> {
    let members = 0..correlation.members.len();
    let named = match &correlation.condition {
        None => return Some(members.collect()),
        Some(Condition::Search(only)) => vec![*only],
        Some(Condition::And(parts)) => {
            let named = parts.iter().map(|part| match part {
                Condition::Search(at) => Some(*at),
                _ => None,
            });
            named.collect::<Option<Vec<usize>>>()?
        }
        Some(_) => return None,
    };
    let step = |member: usize| named.iter().position(|at| *at == member);
    let steps = members.map(step).collect::<Option<Vec<usize>>>()?;
    (steps.len() == named.len()).then_some(steps)
}

fn row(kind: &str) -> Result<&'static Row, Refusal> {
    let names: Vec<&str> = CORRELATIONS.iter().map(|row| row.name).collect();
    let remedy = format!("use one of: {}", names.join(", "));
    let found = CORRELATIONS.iter().find(|row| row.name == kind).copied();
    found.ok_or_else(|| {
        let message = format!("there is no correlation of type `{kind}`");
        Refusal::new("DET020", message, &remedy)
    })
}

fn check(row: &Row, correlation: &Correlation) -> Result<(), Refusal> {
    let refuse = |message: String, remedy: &str| Err(Refusal::new("DET021", message, remedy));
    if correlation.timespan <= Span::ZERO {
        return refuse(
            "a correlation's timespan must be longer than nothing".to_owned(),
            "write `timespan: 10m`",
        );
    }
    if correlation.members.is_empty() || correlation.members.len() > usize::from(u8::MAX) {
        return refuse(
            "a correlation is over 1 to 255 rules".to_owned(),
            "name them under `rules:`",
        );
    }
    if row.needs_field && correlation.fields.is_empty() {
        return refuse(
            format!("`{}` counts a field's values", row.name),
            "name the field in `condition: field:`",
        );
    }
    if row.needs_bounds && correlation.bounds.is_empty() {
        return refuse(
            format!("`{}` compares a number", row.name),
            "write `condition: {gte: 10}`",
        );
    }
    let ordered = row.name == temporal_ordered::ROW.name;
    if correlation.condition.is_some() && !ordered && row.name != temporal::ROW.name {
        return refuse(
            format!("`{}` does not take a condition over its rules", row.name),
            "use `temporal`, or list the rules without a condition",
        );
    }
    if ordered && steps(correlation).is_none() {
        return refuse(
            "the condition of a `temporal_ordered` names each of its rules once, joined by `and`"
                .to_owned(),
            "use `temporal` for `or` and `not`, which have no order",
        );
    }
    for bound in &correlation.bounds {
        if !(0.0..=row.bound_max).contains(&bound.value) {
            return refuse(
                format!(
                    "`{}` compares with numbers from 0 to {}, not {}",
                    row.name, row.bound_max, bound.value
                ),
                "choose a smaller number or a shorter timespan",
            );
        }
    }
    Ok(())
}

fn shown(bound: &Bound) -> String {
    let sign = match bound.operator {
        Operator::Gt => ">",
        Operator::Gte => ">=",
        Operator::Lt => "<",
        Operator::Lte => "<=",
        Operator::Eq => "=",
        Operator::Neq => "!=",
    };
    format!("{sign} {}", bound.value)
}
