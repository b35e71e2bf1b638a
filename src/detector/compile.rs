//! From a rule set to a detector: which rules each log class has, what its
//! fields are called there, and what each rule's observations are made of.

use super::condition::{self, Expr};
use super::index::{Builder, Index};
use super::kind::{Limits, Refusal};
use super::modifier::{self, Question, Test};
use super::regexes::Regexes;
use super::unit::{self, Unit};
use super::{KINDS, LANES, Options, Route};
use crate::event::LogSource;
use crate::field::{FIELDS, Field, Names, Projection};
use crate::rule::{Body, Detection, Diagnostic, Logsource, RuleSet};

/// Who a detection that alerts by itself is about: those of these that the
/// event has. Who did it, from where, on which machine.
pub(crate) const ACTOR: [Field; 3] = [Field::USER_NAME, Field::SOURCE_IP, Field::HOST_NAME];

/// What says whether what an event names is only claimed.
const PROOF: [Field; 2] = [Field::EVENT_OUTCOME, Field::EVENT_CATEGORY];

/// What a log class's events are asked and what becomes of the answers.
#[derive(Default)]
pub(crate) struct ClassPlan {
    pub(crate) index: Index,
    /// Per rule of the rule set, what its matches are observed for.
    pub(crate) uses: Vec<Vec<Use>>,
    pub(crate) keys: Vec<KeySpec>,
}

impl ClassPlan {
    /// Whether two plans do the same; their indexes are not built yet.
    fn same(&self, other: &ClassPlan) -> bool {
        self.keys == other.keys && self.uses == other.uses
    }
}

/// One observation that a match makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) unit: u16,
    pub(crate) member: u16,
    pub(crate) key: usize,
    /// The values that the rule looks at: a key as well, and the first's field.
    pub(crate) value: Option<(usize, Field)>,
    /// The field it looks at as a number.
    pub(crate) amount: Option<Field>,
    /// Whether the number is how long that field's text is.
    pub(crate) by_length: bool,
    /// The value that the entity's peers share: a key as well.
    pub(crate) peers: Option<usize>,
}

impl KeySpec {
    /// One field's value.
    fn of(field: Field) -> KeySpec {
        KeySpec {
            fields: vec![field],
            some: false,
            route: None,
        }
    }
}

/// A distinct `group-by` in a class's fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeySpec {
    pub(crate) fields: Vec<Field>,
    /// Whether fields may be missing; which ones are there is part of the key.
    pub(crate) some: bool,
    pub(crate) route: Option<Vec<usize>>,
}

/// The parts of a detector that compiling makes.
pub(crate) struct Compiled {
    pub(crate) units: Vec<Unit>,
    /// The distinct plans; most classes share theirs with others.
    pub(crate) plans: Vec<ClassPlan>,
    /// Per log class, its plan.
    pub(crate) plan_of: Vec<usize>,
    pub(crate) regexes: Regexes,
    pub(crate) projection: Projection,
    /// Rules that no log class has.
    pub(crate) unrouted: Vec<usize>,
}

struct Compiler<'r> {
    rules: &'r RuleSet,
    options: &'r Options,
    names: Names,
    wanted: Vec<Field>,
    regexes: Regexes,
    diagnostics: Vec<Diagnostic>,
    units: Vec<Unit>,
    /// Per rule, the units that it is a member of: unit and member.
    serves: Vec<Vec<(u16, u16)>>,
}

/// Compiles; `classes` are all log classes in order.
pub(crate) fn compile(
    rules: &RuleSet,
    classes: &[LogSource],
    options: &Options,
) -> Result<Compiled, Vec<Diagnostic>> {
    let mut compiler = Compiler {
        rules,
        options,
        names: Names::default(),
        wanted: Vec::new(),
        regexes: Regexes::default(),
        diagnostics: Vec::new(),
        units: Vec::new(),
        serves: vec![Vec::new(); rules.rules.len()],
    };
    compiler.check_items();
    compiler.make_units();
    compiler.finish(classes)
}

impl Compiler<'_> {
    /// Checks every item of every detection once, whatever classes there are.
    fn check_items(&mut self) {
        for rule in &self.rules.rules {
            let Body::Detection(detection) = &rule.body else {
                continue;
            };
            let mut refusals = Vec::new();
            for (_, search) in &detection.searches {
                condition::search(search, &mut |item| {
                    let checked = modifier::question(item, &self.rules.lists);
                    if let Err(message) = checked.and_then(|q| self.add_regexes(&q)) {
                        let remedy = "see the Sigma specification's modifiers";
                        refusals.push(Refusal {
                            at: Some(item.at.clone()),
                            ..Refusal::new("DET030", message, remedy)
                        });
                    }
                    Expr::False
                });
            }
            let refused = refusals.into_iter().map(|r| unit::refused(rule, r));
            self.diagnostics.extend(refused);
        }
    }

    fn add_regexes(&mut self, question: &Question) -> Result<(), String> {
        for asked in &question.values {
            let modifier::Asked::Tests(tests) = asked else {
                continue;
            };
            for test in tests {
                if let Test::Regex(pattern) = test {
                    self.regexes.add(pattern)?;
                }
            }
        }
        Ok(())
    }

    fn make_units(&mut self) {
        let limits = Limits {
            groups: self.options.groups_max.div_ceil(LANES),
            lateness: self.options.lateness,
            zone_offset: self.options.zone_offset,
            holidays: self.options.holidays.clone(),
            hash: self.options.hash,
            marks: std::sync::Arc::clone(&self.options.marks),
        };
        self.units = unit::units(self.rules, &limits, KINDS, &mut self.diagnostics);
        for (unit, number) in self.units.iter().zip(0..) {
            let Some(rule) = self.rules.rules.get(unit.rule) else {
                continue;
            };
            for (member, at) in unit::members(rule).iter().zip(0..) {
                if let Some(serves) = self.serves.get_mut(member.rule) {
                    serves.push((number, at));
                }
            }
        }
    }

    fn finish(mut self, classes: &[LogSource]) -> Result<Compiled, Vec<Diagnostic>> {
        let mut made: Vec<(Builder, ClassPlan)> = Vec::new();
        let mut plan_of = Vec::new();
        // A rule for `linux` is in some fifty classes, most of which ask the
        // same in the same fields: each such plan is built and kept once.
        let mut add = |new: (Builder, ClassPlan)| {
            let same = |old: &(Builder, ClassPlan)| old.0.same(&new.0) && old.1.same(&new.1);
            let at = made.iter().position(same).unwrap_or(made.len());
            if at == made.len() {
                made.push(new);
            }
            plan_of.push(at);
        };
        let mut routed = vec![false; self.rules.rules.len()];
        match self.options.route {
            Route::ByClass => {
                for class in classes {
                    add(self.class(Some(class), &mut routed));
                }
            }
            Route::All => add(self.class(None, &mut routed)),
        }
        self.name_values();
        self.wanted.extend(ACTOR);
        self.wanted.extend(PROOF);
        let mut plans = Vec::new();
        for (builder, mut plan) in made {
            match builder.build(self.names.len(), &self.regexes) {
                Ok(index) => plan.index = index,
                Err(message) => self.diagnostics.push(Diagnostic {
                    severity: crate::rule::Severity::Error,
                    code: "DET004",
                    message,
                    at: None,
                    remedy: "load fewer rules or use fewer values".to_owned(),
                }),
            }
            plans.push(plan);
        }
        if !self.diagnostics.is_empty() {
            return Err(self.diagnostics);
        }
        let mut projection = Projection::over(self.names);
        self.wanted.iter().for_each(|field| projection.want(*field));
        let detections = self.rules.rules.iter().zip(&routed).enumerate();
        let unrouted = detections
            .filter(|(_, (rule, routed))| !**routed && matches!(rule.body, Body::Detection(_)))
            .map(|(at, _)| at)
            .collect();
        Ok(Compiled {
            units: self.units,
            plans,
            plan_of,
            regexes: self.regexes,
            projection,
            unrouted,
        })
    }

    /// The rules of a log class (all, if none is given), not built yet.
    fn class(&mut self, class: Option<&LogSource>, routed: &mut [bool]) -> (Builder, ClassPlan) {
        let mut builder = Builder::default();
        let rules = self.rules;
        let mut plan = ClassPlan {
            uses: vec![Vec::new(); rules.rules.len()],
            ..ClassPlan::default()
        };
        for ((rule, number), routed) in rules.rules.iter().zip(0_u32..).zip(routed) {
            let Body::Detection(detection) = &rule.body else {
                continue;
            };
            if class.is_some_and(|class| !applies(&detection.logsource, class)) {
                continue;
            }
            *routed = true;
            let uses = self.uses(number, class, &mut plan.keys);
            if uses.is_empty() && self.options.route == Route::ByClass {
                continue;
            }
            let expr = self.detection(detection, class, &mut builder);
            for name in &rule.header.fields {
                self.want(name, class);
            }
            builder.rule(number, expr);
            if let Some(slot) = plan.uses.get_mut(number as usize) {
                *slot = uses;
            }
        }
        (builder, plan)
    }

    fn detection(
        &mut self,
        detection: &Detection,
        class: Option<&LogSource>,
        builder: &mut Builder,
    ) -> Expr {
        let lists = &self.rules.lists;
        let mut searches = Vec::new();
        for (_, search) in &detection.searches {
            searches.push(condition::search(search, &mut |item| {
                let field = item.field.as_ref().and_then(|name| self.want(name, class));
                match (&item.field, field) {
                    // Too many names; compiling fails.
                    (Some(_), None) => return Expr::False,
                    (None, _) => self.wanted.push(Field::MESSAGE),
                    _ => {}
                }
                // Checked before; what was refused there ends the compilation.
                modifier::question(item, lists).map_or(Expr::False, |question| {
                    builder.item(field, &question, &mut |name| self.want(name, class))
                })
            }));
        }
        let conditions = detection.conditions.iter();
        Expr::or(conditions.map(|condition| condition::build(condition, &searches)))
    }

    /// What a rule's matches are observed for in a class.
    fn uses(&mut self, rule: u32, class: Option<&LogSource>, keys: &mut Vec<KeySpec>) -> Vec<Use> {
        let mut uses = Vec::new();
        // Units are in the order of their rules.
        let own = self
            .units
            .binary_search_by_key(&(rule as usize), |unit| unit.rule);
        if let Some(unit) = own.ok().and_then(|at| u16::try_from(at).ok()) {
            let key = KeySpec {
                fields: ACTOR.to_vec(),
                some: true,
                route: None,
            };
            uses.push(Use {
                unit,
                member: 0,
                key: place(keys, key),
                value: None,
                amount: None,
                by_length: false,
                peers: None,
            });
        }
        for (unit, member) in self.serves.get(rule as usize).cloned().unwrap_or_default() {
            let Some(served) = self.units.get(usize::from(unit)) else {
                continue;
            };
            let of = self.rules.rules.get(served.rule).map(unit::members);
            let group = of.and_then(|members| members.get(usize::from(member)));
            let group = group
                .map(|member| member.group_by.clone())
                .unwrap_or_default();
            let (route, values) = (served.route.clone(), served.plan.values.clone());
            let plan = &served.plan;
            let (amount, by_length) = (plan.amount.clone(), plan.by_length);
            let (sparse, peers) = (plan.sparse, plan.peers.clone());
            let fields: Option<Vec<Field>> = group.iter().map(|n| self.want(n, class)).collect();
            let values: Option<Vec<Field>> = values.iter().map(|n| self.want(n, class)).collect();
            let amount = amount.and_then(|name| self.want(&name, class));
            let peers = peers.and_then(|name| self.want(&name, class));
            if let (Some(fields), Some(values)) = (fields, values) {
                self.name_group(unit, &fields);
                let value = values.first().copied().map(|first| {
                    let values = KeySpec {
                        fields: values,
                        some: sparse,
                        route: None,
                    };
                    (place(keys, values), first)
                });
                let key = KeySpec {
                    fields,
                    some: false,
                    route,
                };
                uses.push(Use {
                    unit,
                    member,
                    key: place(keys, key),
                    value,
                    amount,
                    by_length,
                    peers: peers.map(|field| place(keys, KeySpec::of(field))),
                });
            }
        }
        uses
    }

    /// Has alerts call a unit's group by the fields' ECS names, where they
    /// have some, and not by what one log class's rules call them.
    fn name_group(&mut self, unit: u16, fields: &[Field]) {
        let names = &self.names;
        if let Some(unit) = self.units.get_mut(usize::from(unit)) {
            for (name, field) in unit.group.iter_mut().zip(fields) {
                if field.info().is_some() && Field::named(name).is_none() {
                    names.name(*field).clone_into(name);
                }
            }
        }
    }

    /// The same for the values that units look at.
    fn name_values(&mut self) {
        for unit in &mut self.units {
            for name in &mut unit.values {
                let alias = FIELDS
                    .iter()
                    .find(|info| info.aliases.iter().any(|(_, alias)| alias == name));
                if let (Some(info), None) = (alias, Field::named(name)) {
                    info.name.clone_into(name);
                }
            }
        }
    }

    /// The field that rules of a class call `name`; events will have it.
    fn want(&mut self, name: &str, class: Option<&LogSource>) -> Option<Field> {
        let alias = class.and_then(|class| {
            let mut names = FIELDS.iter().zip(0..);
            names.find_map(|(info, at)| {
                let own = |(of, alias): &(&str, &str)| *alias == name && has(class, of);
                info.aliases.iter().any(own).then_some(Field(at))
            })
        });
        let field = alias.or_else(|| self.names.intern(name));
        match field {
            Some(field) => self.wanted.push(field),
            None if self.diagnostics.iter().all(|d| d.code != "DET005") => {
                self.diagnostics.push(Diagnostic {
                    severity: crate::rule::Severity::Error,
                    code: "DET005",
                    message: format!("rules name more than {} fields", Names::EXTRA_MAX),
                    at: None,
                    remedy: "load fewer rules".to_owned(),
                });
            }
            None => {}
        }
        field
    }
}

fn place(keys: &mut Vec<KeySpec>, key: KeySpec) -> usize {
    keys.iter()
        .position(|known| *known == key)
        .unwrap_or_else(|| {
            keys.push(key);
            keys.len() - 1
        })
}

/// Whether a class's product, a category or a service has that name.
fn has(class: &LogSource, name: &str) -> bool {
    class.product == name || class.categories.contains(&name) || class.services.contains(&name)
}

/// Whether a rule's logsource is among a class's.
fn applies(wanted: &Logsource, class: &LogSource) -> bool {
    let among = |wanted: &Option<String>, names: &[&str]| {
        wanted.as_deref().is_none_or(|name| names.contains(&name))
    };
    among(&wanted.product, &[class.product])
        && among(&wanted.category, class.categories)
        && among(&wanted.service, class.services)
}

/// Whether a rule's logsource is among the one given by hand.
pub(crate) fn within(wanted: &Logsource, given: &Logsource) -> bool {
    let among =
        |wanted: &Option<String>, given: &Option<String>| wanted.is_none() || wanted == given;
    among(&wanted.product, &given.product)
        && among(&wanted.category, &given.category)
        && among(&wanted.service, &given.service)
}
