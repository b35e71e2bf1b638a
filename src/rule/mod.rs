//! Rules: what to look for. Sees no event.
//!
//! A rules file is one or more YAML documents, each a Sigma detection,
//! correlation or filter, or a baseline (Sigma's header with `baseline:` where
//! Sigma has `detection:`). Loading gives a [`RuleSet`] or every mistake found,
//! each with its place; nothing is half-loaded.

mod catalogue;
mod diagnostic;
mod dialect;
mod lint;
mod load;
mod model;
mod reach;

// text to tree
mod keys;
mod report;
mod scalar;
mod yaml;

// tree to rule
mod baseline;
mod condition;
mod correlation;
mod detection;
mod document;
mod header;
mod legacy;
mod modifier;
mod value;

// rules to rule set
mod link;
mod reference;

pub use catalogue::{CATALOGUE, Entry, explain};
pub use diagnostic::{Diagnostic, Severity, render};
pub use dialect::translate as regex_dialect;
pub use lint::lint;
pub use value::REGEX_SIZE_MAX;

pub use load::{LoadOptions, Loaded, Need, Statistic, load, load_text};

pub use model::{
    Baseline, Body, Bound, Condition, Correlation, Detection, Filter, Header, Item, Learn, Level,
    Literal, Location, Logsource, Member, Modifier, Operator, Rule, RuleSet, Search, Selector,
    Status,
};
