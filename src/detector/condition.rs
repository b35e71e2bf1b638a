//! Conditions over predicates: built, simplified, evaluated, and the choice of
//! the predicates that make a rule worth evaluating at all.

use super::modifier::{Asked, Question};
use crate::rule::{Condition, Search, Selector};

/// A condition over predicate numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    /// Always.
    True,
    /// Never.
    False,
    /// When the predicate holds.
    Predicate(u32),
    /// Each of them; never empty.
    And(Vec<Expr>),
    /// Any of them; never empty.
    Or(Vec<Expr>),
    /// The negation.
    Not(Box<Expr>),
}

impl Expr {
    /// The conjunction, with constants folded and nests flattened.
    pub(crate) fn and(parts: impl IntoIterator<Item = Expr>) -> Expr {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Expr::True => {}
                Expr::False => return Expr::False,
                Expr::And(inner) => all.extend(inner),
                other => all.push(other),
            }
        }
        match (all.pop(), all.is_empty()) {
            (None, _) => Expr::True,
            (Some(only), true) => only,
            (Some(last), false) => {
                all.push(last);
                Expr::And(all)
            }
        }
    }

    /// The disjunction, with constants folded and nests flattened.
    pub(crate) fn or(parts: impl IntoIterator<Item = Expr>) -> Expr {
        let mut any = Vec::new();
        for part in parts {
            match part {
                Expr::False => {}
                Expr::True => return Expr::True,
                Expr::Or(inner) => any.extend(inner),
                other => any.push(other),
            }
        }
        match (any.pop(), any.is_empty()) {
            (None, _) => Expr::False,
            (Some(only), true) => only,
            (Some(last), false) => {
                any.push(last);
                Expr::Or(any)
            }
        }
    }

    /// The negation.
    pub(crate) fn negate(self) -> Expr {
        match self {
            Expr::True => Expr::False,
            Expr::False => Expr::True,
            Expr::Not(inner) => *inner,
            other => Expr::Not(Box::new(other)),
        }
    }

    /// The condition's value when `holds` says which predicates hold.
    pub(crate) fn holds(&self, predicate: &impl Fn(u32) -> bool) -> bool {
        match self {
            Expr::True => true,
            Expr::False => false,
            Expr::Predicate(number) => predicate(*number),
            Expr::And(parts) => parts.iter().all(|part| part.holds(predicate)),
            Expr::Or(parts) => parts.iter().any(|part| part.holds(predicate)),
            Expr::Not(inner) => !inner.holds(predicate),
        }
    }

    /// Tells every predicate, as often as it stands here.
    pub(crate) fn each(&self, tell: &mut impl FnMut(u32)) {
        match self {
            Expr::True | Expr::False => {}
            Expr::Predicate(number) => tell(*number),
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| part.each(tell)),
            Expr::Not(inner) => inner.each(tell),
        }
    }

    /// Predicates of which at least one holds whenever the condition does, and
    /// what they cost together; `None` when it can hold without any (a
    /// negation, say), so that it must always be evaluated. Of a conjunction
    /// the cheapest part speaks for all, of a disjunction each part must.
    pub(crate) fn witnesses(&self, cost: &impl Fn(u32) -> f64) -> Option<(f64, Vec<u32>)> {
        match self {
            Expr::True | Expr::Not(_) => None,
            Expr::False => Some((0.0, Vec::new())),
            Expr::Predicate(number) => Some((cost(*number), vec![*number])),
            Expr::And(parts) => parts
                .iter()
                .filter_map(|part| part.witnesses(cost))
                .min_by(|a, b| a.0.total_cmp(&b.0)),
            Expr::Or(parts) => {
                let mut sum = (0.0, Vec::new());
                for part in parts {
                    let (cost, witnesses) = part.witnesses(cost)?;
                    sum.0 += cost;
                    sum.1.extend(witnesses);
                }
                Some(sum)
            }
        }
    }
}

/// Builds a condition, asking `item` for each item of the searches it names.
pub(crate) fn build(condition: &Condition, searches: &[Expr]) -> Expr {
    let search = |at: &usize| searches.get(*at).cloned().unwrap_or(Expr::False);
    match condition {
        Condition::Not(inner) => build(inner, searches).negate(),
        Condition::And(parts) => Expr::and(parts.iter().map(|part| build(part, searches))),
        Condition::Or(parts) => Expr::or(parts.iter().map(|part| build(part, searches))),
        Condition::Search(at) => search(at),
        Condition::Of(Selector::Any, places) => Expr::or(places.iter().map(search)),
        // Of no searches at all none can hold; "all of nothing" is no match.
        Condition::Of(Selector::All, places) if places.is_empty() => Expr::False,
        Condition::Of(Selector::All, places) => Expr::and(places.iter().map(search)),
    }
}

/// Builds one search, asking `item` for each of its items.
pub(crate) fn search(search_: &Search, item: &mut impl FnMut(&crate::rule::Item) -> Expr) -> Expr {
    match search_ {
        Search::All(parts) => Expr::and(
            parts
                .iter()
                .map(|part| search(part, item))
                .collect::<Vec<_>>(),
        ),
        Search::Any(parts) => Expr::or(
            parts
                .iter()
                .map(|part| search(part, item))
                .collect::<Vec<_>>(),
        ),
        Search::Item(asked) => item(asked),
    }
}

/// An item's condition: `tests` gives each of a value's tests its predicate.
pub(crate) fn item(question: &Question, mut value: impl FnMut(&Asked) -> Expr) -> Expr {
    let values: Vec<Expr> = question.values.iter().map(&mut value).collect();
    let whole = if question.all {
        Expr::and(values)
    } else {
        Expr::or(values)
    };
    if question.negated {
        whole.negate()
    } else {
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn expr() -> impl Strategy<Value = Expr> {
        let leaf = prop_oneof![
            1 => Just(Expr::True),
            1 => Just(Expr::False),
            8 => (0u32..6).prop_map(Expr::Predicate)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Expr::And),
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Expr::Or),
                inner.prop_map(|e| Expr::Not(Box::new(e))),
            ]
        })
    }

    fn simplified(e: &Expr) -> Expr {
        match e {
            Expr::And(parts) => Expr::and(parts.iter().map(simplified)),
            Expr::Or(parts) => Expr::or(parts.iter().map(simplified)),
            Expr::Not(inner) => simplified(inner).negate(),
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn simplifying_changes_no_answer(e in expr(), bits in 0u32..64) {
            let holds = |p: u32| bits >> p & 1 == 1;
            prop_assert_eq!(e.holds(&holds), simplified(&e).holds(&holds));
        }

        #[test]
        fn whenever_a_condition_holds_so_does_a_witness(e in expr(), bits in 0u32..64) {
            let holds = |p: u32| bits >> p & 1 == 1;
            let e = simplified(&e);
            if let Some((_, witnesses)) = e.witnesses(&|p| f64::from(p)) {
                prop_assert!(!e.holds(&holds) || witnesses.iter().any(|w| holds(*w)));
            }
        }
    }
}
