//! The predicate index of a log class: which rules an event meets.
//!
//! Every rule's condition is over predicates, equal predicates are one, and an
//! event's values are walked once to mark those that hold. A rule is evaluated
//! only if one of its witnesses (predicates without which it cannot hold) was
//! marked, or if it has none. The property test below is the guard against
//! this design's one danger, a rule that the index forgets.

use hashbrown::HashMap;

use super::column::{Column, Work, text_of};
use super::condition::{self, Expr};
use super::modifier::{Asked, Question, Test};
use super::pattern;
use super::regexes::Regexes;
use super::scratch::Scratch;
use crate::event::{Event, Value};
use crate::field::Field;

/// Which predicates hold for the event at hand, and the rules to look at.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    bits: Vec<u64>,
    touched: Vec<u32>,
}

impl Marks {
    pub(crate) fn set(&mut self, predicate: Option<u32>) {
        let Some(predicate) = predicate else { return };
        if let Some(word) = self.bits.get_mut(predicate as usize / 64) {
            let bit = 1 << (predicate % 64);
            if *word & bit == 0 {
                *word |= bit;
                self.touched.push(predicate);
            }
        }
    }

    pub(crate) fn has(&self, predicate: u32) -> bool {
        let word = self.bits.get(predicate as usize / 64).copied();
        word.unwrap_or(0) >> (predicate % 64) & 1 == 1
    }

    /// Makes room for that many predicates.
    pub(crate) fn fit(&mut self, predicates: usize) {
        if self.bits.len() < predicates.div_ceil(64) {
            self.bits.resize(predicates.div_ceil(64), 0);
        }
    }

    fn clear(&mut self) {
        for predicate in self.touched.drain(..) {
            if let Some(word) = self.bits.get_mut(predicate as usize / 64) {
                *word = 0;
            }
        }
    }
}

/// Collects the predicates of a class's rules.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    numbers: HashMap<(Option<Field>, Test), u32, std::hash::RandomState>,
    list: Vec<(Option<Field>, Test)>,
    rules: Vec<(u32, Expr)>,
    others: Vec<Other>,
}

impl Builder {
    /// Whether both ask the same of the same fields for the same rules.
    pub(crate) fn same(&self, other: &Builder) -> bool {
        // The field that a `fieldref` names is resolved in `others`.
        self.rules.len() == other.rules.len()
            && self.list == other.list
            && self.rules == other.rules
            && self.others == other.others
    }

    fn predicate(&mut self, field: Option<Field>, test: &Test) -> Expr {
        let next = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        let number = *self
            .numbers
            .entry((field, test.clone()))
            .or_insert_with(|| next);
        if number == next {
            self.list.push((field, test.clone()));
        }
        Expr::Predicate(number)
    }

    /// An item's condition, its field's names resolved: `named` finds the
    /// field that `fieldref` names.
    pub(crate) fn item(
        &mut self,
        field: Option<Field>,
        question: &Question,
        named: &mut impl FnMut(&str) -> Option<Field>,
    ) -> Expr {
        condition::item(question, |asked| match asked {
            Asked::Tests(tests) => Expr::or(
                tests
                    .iter()
                    .map(|test| {
                        let known = self.list.len();
                        let predicate = self.predicate(field, test);
                        if let (
                            true,
                            Some(left),
                            Test::Other {
                                field: right,
                                start,
                                end,
                                cased,
                            },
                        ) = (known < self.list.len(), field, test)
                            && let Some(right) = named(right)
                            && let Ok(number) = u32::try_from(known)
                        {
                            let (start, end, cased) = (*start, *end, *cased);
                            self.others.push(Other {
                                number,
                                left,
                                right,
                                start,
                                end,
                                cased,
                            });
                        }
                        predicate
                    })
                    .collect::<Vec<_>>(),
            ),
            Asked::Nothing => self.predicate(field, &Test::Present).negate(),
            Asked::Absent => self.predicate(field, &Test::Exists).negate(),
        })
    }

    /// Adds a rule, by its number in the rule set.
    pub(crate) fn rule(&mut self, rule: u32, expr: Expr) {
        self.rules.push((rule, expr));
    }

    /// The index of everything added.
    pub(crate) fn build(self, fields: usize, regexes: &Regexes) -> Result<Index, String> {
        let mut by_field: HashMap<Option<Field>, Vec<(u32, &Test)>, std::hash::RandomState> =
            HashMap::default();
        for ((field, test), number) in self.list.iter().zip(0..) {
            by_field.entry(*field).or_default().push((number, test));
        }
        let mut index = Index {
            column_of: vec![NONE; fields],
            predicates: self.list.len(),
            others: self.others,
            ..Index::default()
        };
        for (field, tests) in by_field {
            let column = Column::build(&tests, regexes)?;
            let Some(field) = field else {
                index.keywords = Some(column);
                continue;
            };
            if let Some(slot) = index.column_of.get_mut(usize::from(field.0)) {
                *slot = u16::try_from(index.columns.len()).unwrap_or(NONE);
                index.columns.push(column);
            }
        }
        index.watch(&self.list, self.rules);
        Ok(index)
    }
}

const NONE: u16 = u16::MAX;

/// A `fieldref`: compared after the walk, when both values are known.
#[derive(Debug, PartialEq, Eq)]
struct Other {
    number: u32,
    left: Field,
    right: Field,
    start: bool,
    end: bool,
    cased: bool,
}

/// The rules of a log class, ready to match.
#[derive(Debug, Default)]
pub(crate) struct Index {
    column_of: Vec<u16>,
    columns: Vec<Column>,
    keywords: Option<Column>,
    others: Vec<Other>,
    predicates: usize,
    rules: Vec<(u32, Expr)>,
    /// Rules per witness, as stretches of `watched`.
    watch_starts: Vec<u32>,
    watched: Vec<u32>,
    /// Rules without a witness.
    always: Vec<u32>,
}

/// How common a predicate's hits are, roughly: long texts are rare, ranges are
/// not. What many rules ask (`event.action: ssh_login`) describes the log and
/// not a find, and its hits make all of them candidates: see [`Index::watch`].
fn cost(test: &Test) -> f64 {
    match test {
        Test::Text { tokens, .. } => {
            let len = pattern::required(tokens).map_or(0, <[u8]>::len);
            let bytes = 1.0 + f64::from(u16::try_from(len).unwrap_or(u16::MAX));
            1.0 / (bytes * bytes)
        }
        Test::Int(_) => 0.05,
        Test::Cidr(_) => 0.1,
        Test::Regex(_) | Test::Other { .. } => 0.2,
        Test::Number(..) | Test::Part(..) => 0.5,
        Test::Exists | Test::Present => 1.0,
    }
}

impl Index {
    fn watch(&mut self, tests: &[(Option<Field>, Test)], rules: Vec<(u32, Expr)>) {
        let mut uses = vec![0_u32; tests.len()];
        for (_, expr) in &rules {
            expr.each(&mut |p| {
                if let Some(uses) = uses.get_mut(p as usize) {
                    *uses += 1;
                }
            });
        }
        let costs = tests.iter().zip(&uses);
        let costs: Vec<f64> = costs
            .map(|((_, test), uses)| cost(test) * f64::from(*uses))
            .collect();
        let mut watchers = vec![Vec::new(); tests.len()];
        for ((_, expr), number) in rules.iter().zip(0..) {
            let cost = |p: u32| costs.get(p as usize).copied().unwrap_or(1.0);
            match expr.witnesses(&cost) {
                None => self.always.push(number),
                Some((_, witnesses)) => {
                    for witness in witnesses {
                        if let Some(list) = watchers.get_mut(witness as usize)
                            && list.last() != Some(&number)
                        {
                            list.push(number);
                        }
                    }
                }
            }
        }
        for list in watchers {
            self.watch_starts
                .push(u32::try_from(self.watched.len()).unwrap_or(0));
            self.watched.extend(list);
        }
        self.watch_starts
            .push(u32::try_from(self.watched.len()).unwrap_or(0));
        self.rules = rules;
    }

    /// How much room it needs: predicates and rules.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.predicates, self.rules.len())
    }

    /// Leaves the rules that the event meets in `scratch.matched`, in the rule
    /// set's order. Keywords search the event's line; where it has none (or
    /// it is JSON, which escapes text), they search every value.
    pub(crate) fn matched(&self, event: &Event<'_>, regexes: &Regexes, scratch: &mut Scratch) {
        scratch.matched.clear();
        let mut work = Work {
            marks: &mut scratch.marks,
            folded: &mut scratch.folded,
            regexes: &regexes.list,
            caches: &mut scratch.caches,
            failed: &mut scratch.failed,
        };
        for (field, value) in event.values() {
            let place = self.column_of.get(usize::from(field.0)).copied();
            if let Some(column) = self.columns.get(usize::from(place.unwrap_or(NONE))) {
                column.test(*value, &mut work);
            }
        }
        if let Some(keywords) = &self.keywords {
            if !event.line.is_empty() {
                keywords.test(Value::Text(event.line), &mut work);
            }
            if matches!(event.line.first(), None | Some(b'{')) {
                for (_, value) in event.values() {
                    keywords.test(*value, &mut work);
                }
            }
        }
        for other in &self.others {
            if other.holds(event) {
                work.marks.set(Some(other.number));
            }
        }
        self.evaluate(scratch);
    }

    fn evaluate(&self, scratch: &mut Scratch) {
        scratch.epoch = scratch.epoch.wrapping_add(1);
        if scratch.epoch == 0 {
            scratch.stamps.fill(0);
            scratch.epoch = 1;
        }
        let marks = &scratch.marks;
        let holds = |rule: u32| {
            let (number, expr) = self.rules.get(rule as usize)?;
            expr.holds(&|p| marks.has(p)).then_some(*number)
        };
        for rule in &self.always {
            scratch.matched.extend(holds(*rule));
        }
        for predicate in &marks.touched {
            let at = *predicate as usize;
            let (Some(from), Some(to)) = (self.watch_starts.get(at), self.watch_starts.get(at + 1))
            else {
                continue;
            };
            let watched = self.watched.get(*from as usize..*to as usize);
            for rule in watched.unwrap_or_default() {
                if let Some(stamp) = scratch.stamps.get_mut(*rule as usize)
                    && *stamp != scratch.epoch
                {
                    *stamp = scratch.epoch;
                    scratch.matched.extend(holds(*rule));
                }
            }
        }
        scratch.matched.sort_unstable();
        scratch.marks.clear();
    }
}

impl Other {
    fn holds(&self, event: &Event<'_>) -> bool {
        let (Some(left), Some(right)) = (event.get(self.left), event.get(self.right)) else {
            return false;
        };
        members(&left).iter().any(|left| {
            members(&right)
                .iter()
                .any(|right| self.compare(left, right))
        })
    }

    fn compare(&self, left: &Value<'_>, right: &Value<'_>) -> bool {
        if matches!(left, Value::Null) || matches!(right, Value::Null) {
            return false;
        }
        let (mut a, mut b) = ([0; 64], [0; 64]);
        let (left, right) = (text_of(left, &mut a), text_of(right, &mut b));
        // Tries each place where `right` may begin; allocates nothing.
        let starts = if self.start { left.len() } else { 0 };
        (0..=starts).any(|from| {
            left.get(from..)
                .is_some_and(|left| self.begins(left, right))
        })
    }

    /// Whether `left` is `right`, or only begins with it if the end is open.
    fn begins(&self, left: &[u8], right: &[u8]) -> bool {
        if self.cased {
            return left.starts_with(right) && (self.end || left.len() == right.len());
        }
        let mut left = folded(left);
        folded(right).all(|c| left.next() == Some(c)) && (self.end || left.next().is_none())
    }
}

fn members<'v>(value: &'v Value<'v>) -> &'v [Value<'v>] {
    match value {
        Value::List(members) => members,
        one => std::slice::from_ref(one),
    }
}

/// Folded characters, with bytes that are no text kept apart from them.
fn folded(text: &[u8]) -> impl Iterator<Item = (char, u8)> {
    text.utf8_chunks().flat_map(|chunk| {
        let chars = chunk.valid().chars().flat_map(char::to_lowercase);
        chars
            .map(|c| (c, 0))
            .chain(chunk.invalid().iter().map(|byte| ('\0', *byte)))
    })
}
