//! References by name become places in the rule set; filters are merged in.

use std::collections::BTreeMap;

use super::catalogue as codes;
use super::diagnostic::{Diagnostic, Severity, visible};
use super::document::version;
use super::load::LoadOptions;
use super::model::{
    Body, Condition, Detection, Filter, Location, Logsource, Member, Rule, RuleSet, Status,
};
use super::reference::{Draft, Reference};

/// The rules that are on, and the titles of those that are off. What is wrong
/// is added to `found`; the rules are of no use then.
pub(super) fn link(
    drafts: Vec<Draft>,
    options: &LoadOptions,
    found: &mut Vec<Diagnostic>,
) -> (RuleSet, Vec<String>) {
    let mut linker = Linker {
        by_name: BTreeMap::new(),
        drafts,
        found,
    };
    linker.index();
    let targets = linker.resolve();
    linker.cycles(&targets);
    linker.members(&targets);
    linker.filters(&targets, options);
    let drafts = linker.drafts;
    finish(drafts, &targets, options)
}

struct Linker<'f> {
    /// Ids and names, in order for the same messages each time.
    by_name: BTreeMap<String, usize>,
    drafts: Vec<Draft>,
    found: &'f mut Vec<Diagnostic>,
}

fn mistake(code: &'static str, at: &Location, message: &str, remedy: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code,
        message: visible(message),
        at: Some(at.clone()),
        remedy: visible(remedy),
    }
}

impl Linker<'_> {
    /// Who is called what; nobody may be called like another.
    fn index(&mut self) {
        for (at, draft) in self.drafts.iter().enumerate() {
            let header = &draft.rule.header;
            for (what, name) in [("id", &header.id), ("name", &header.name)] {
                let Some(name) = name else {
                    continue;
                };
                let first = *self.by_name.entry(name.clone()).or_insert(at);
                if let Some(other) = self.drafts.get(first).filter(|_| first != at) {
                    let place = &other.rule.at;
                    let path = place.path.display();
                    let message = format!(
                        "the {what} `{name}` is already that of \"{}\" ({path}:{})",
                        other.title(),
                        place.line
                    );
                    let remedy = match what {
                        "id" => "give one of them a new id (`uuidgen`), or remove the copy",
                        _ => "rename one of them, and what refers to it",
                    };
                    let at = &draft.rule.at;
                    self.found
                        .push(mistake(codes::DUPLICATE, at, &message, remedy));
                }
            }
        }
    }

    fn lookup(&self, reference: &Reference) -> Option<usize> {
        let by_name = self.by_name.get(&reference.name);
        let by_id = || self.by_name.get(&reference.name.to_ascii_lowercase());
        by_name.or_else(by_id).copied()
    }

    /// Each draft's references as places; dangling ones are mistakes.
    fn resolve(&mut self) -> Vec<Vec<usize>> {
        let mut all = Vec::with_capacity(self.drafts.len());
        for draft in &self.drafts {
            let mut targets = Vec::new();
            for reference in &draft.rules {
                let Some(at) = self.lookup(reference) else {
                    let wrong = self.dangling(reference);
                    self.found.push(wrong);
                    continue;
                };
                self.found.extend(self.misfit(draft, at, reference));
                targets.push(at);
            }
            all.push(targets);
        }
        all
    }

    fn dangling(&self, reference: &Reference) -> Diagnostic {
        // Names are compared for the first mistakes only: ten thousand dangling
        // references times ten thousand rules would take minutes.
        let few = self.found.len() < 100;
        let names = self.by_name.keys().filter(|_| few);
        let known: Vec<&str> = names.map(String::as_str).collect();
        let message = format!("no rule has the id or name `{}`", reference.name);
        let titled = self.drafts.iter().any(|d| d.title() == reference.name);
        let remedy = match super::keys::nearest(&reference.name, &known) {
            Some(best) => format!("did you mean `{best}`?"),
            None if titled => "that is a title: give the rule a `name:` and refer to it".to_owned(),
            None => "load the file that has it too, or give the rule that `name:`".to_owned(),
        };
        mistake(codes::UNKNOWN_RULE, &reference.at, &message, &remedy)
    }

    /// What kinds of rules cannot be referred to by this kind.
    fn misfit(&self, draft: &Draft, target: usize, reference: &Reference) -> Option<Diagnostic> {
        let target = self.drafts.get(target)?;
        let (code, message, remedy) = match (&draft.rule.body, &target.rule.body) {
            (_, Body::Filter(_)) => (
                codes::UNKNOWN_RULE,
                "this is a filter, which finds nothing by itself",
                "refer to the rule that it narrows",
            ),
            (Body::Filter(_), Body::Correlation(_) | Body::Baseline(_)) => (
                codes::FILTER_TARGET,
                "a filter narrows detections only",
                "name the detections that this rule refers to",
            ),
            (Body::Baseline(_), Body::Baseline(_)) => (
                codes::UNKNOWN_RULE,
                "a baseline cannot learn from another baseline",
                "refer to detections, or join the two with a correlation",
            ),
            (Body::Filter(filter), Body::Detection(detection))
                if !includes(&filter.detection.logsource, &detection.logsource) =>
            {
                (
                    codes::FILTER_TARGET,
                    "the filter's logsource does not include this rule's",
                    "remove from the filter's logsource what the rule's does not say",
                )
            }
            _ => return None,
        };
        Some(mistake(code, &reference.at, message, remedy))
    }

    /// Takes away what depends on nothing that is left; a circle remains.
    fn cycles(&mut self, targets: &[Vec<usize>]) {
        let mut gone: Vec<bool> = vec![false; self.drafts.len()];
        let is_gone = |gone: &[bool], at: usize| gone.get(at).copied().unwrap_or(true);
        loop {
            settle(targets, &mut gone);
            let Some(start) = gone.iter().position(|g| !g) else {
                return;
            };
            let mut walk = vec![start];
            let circle = loop {
                let last = walk.last().copied().unwrap_or(start);
                let next = targets
                    .get(last)
                    .and_then(|list| list.iter().copied().find(|&t| !is_gone(&gone, t)));
                let Some(next) = next else {
                    return; // cannot be: what depends on nothing has been settled
                };
                if let Some(at) = walk.iter().position(|&w| w == next) {
                    break walk.split_off(at);
                }
                walk.push(next);
            };
            self.report_circle(&circle);
            for at in circle {
                if let Some(slot) = gone.get_mut(at) {
                    *slot = true;
                }
            }
        }
    }

    fn report_circle(&mut self, circle: &[usize]) {
        let drafts = circle.iter().filter_map(|&at| self.drafts.get(at));
        let mut titles: Vec<String> = drafts.map(|d| format!("\"{}\"", d.title())).collect();
        let first = circle.first().and_then(|&at| self.drafts.get(at));
        let Some(first) = first else {
            return;
        };
        titles.truncate(8);
        titles.push(format!("\"{}\"", first.title()));
        let message = format!(
            "rules refer to each other in a circle: {}",
            titles.join(" → ")
        );
        let at = first.rules.first().map_or(&first.rule.at, |r| &r.at);
        let remedy = "remove one of these references";
        self.found.push(mistake(codes::CYCLE, at, &message, remedy));
    }

    /// Members with their group-by fields, aliases resolved.
    fn members(&mut self, targets: &[Vec<usize>]) {
        let mut wrong = Vec::new();
        let mut all = Vec::with_capacity(self.drafts.len());
        for (draft, targets) in self.drafts.iter().zip(targets) {
            let group_by = match &draft.rule.body {
                Body::Correlation(c) => c.group_by.as_slice(),
                Body::Baseline(b) => b.group_by.as_slice(),
                _ => &[],
            };
            let complete = targets.len() == draft.rules.len();
            let aliases = self.aliases(draft, targets, complete, &mut wrong);
            let member = |&rule: &usize| Member {
                rule,
                group_by: group_by
                    .iter()
                    .map(|name| aliases.get(&(name.as_str(), rule)).unwrap_or(name).clone())
                    .collect(),
            };
            all.push(targets.iter().map(member).collect::<Vec<_>>());
        }
        self.found.append(&mut wrong);
        for (draft, found) in self.drafts.iter_mut().zip(all) {
            match &mut draft.rule.body {
                Body::Correlation(c) => c.members = found,
                Body::Baseline(b) => b.members = found,
                _ => {}
            }
        }
    }

    /// `(alias, member) → field`, with a mistake for what is missing or too much.
    fn aliases<'d>(
        &self,
        draft: &'d Draft,
        targets: &[usize],
        complete: bool,
        wrong: &mut Vec<Diagnostic>,
    ) -> BTreeMap<(&'d str, usize), String> {
        let mut map = BTreeMap::new();
        for alias in &draft.aliases {
            for (rule, field) in &alias.fields {
                match self.lookup(rule).filter(|at| targets.contains(at)) {
                    Some(at) => {
                        map.insert((alias.name.as_str(), at), field.clone());
                    }
                    None if complete => {
                        let message =
                            format!("`{}` is not one of this document's rules", rule.name);
                        let remedy = "use the ids or names of `rules:`";
                        wrong.push(mistake(codes::ALIAS, &rule.at, &message, remedy));
                    }
                    None => {}
                }
            }
            for &target in targets {
                if !map.contains_key(&(alias.name.as_str(), target)) {
                    let title = self.drafts.get(target).map_or("", |d| d.title());
                    let message =
                        format!("the alias `{}` names no field of \"{title}\"", alias.name);
                    let remedy = "add the rule and its field to the alias";
                    wrong.push(mistake(codes::ALIAS, &alias.at, &message, remedy));
                }
            }
        }
        map
    }

    /// Adds each filter's condition to the detections that it narrows.
    fn filters(&mut self, targets: &[Vec<usize>], options: &LoadOptions) {
        let mut work = Vec::new();
        for (draft, targets) in self.drafts.iter().zip(targets) {
            let Body::Filter(filter) = &draft.rule.body else {
                continue;
            };
            if !is_on(&draft.rule, options) {
                continue;
            }
            let filter = Filter {
                rules: targets.clone(),
                ..filter.clone()
            };
            work.push((filter, draft.title().to_owned(), draft.rule.hash));
        }
        for (filter, title, hash) in work {
            for (at, draft) in self.drafts.iter_mut().enumerate() {
                if let Body::Detection(detection) = &mut draft.rule.body {
                    let named = filter.any || filter.rules.contains(&at);
                    if named && includes(&filter.detection.logsource, &detection.logsource) {
                        merge(detection, &filter.detection, &title);
                        draft.rule.hash = version(&[&draft.rule.hash, &hash]);
                    }
                }
            }
        }
    }
}

/// Marks all that depends on nothing unmarked, however long the chain.
fn settle(targets: &[Vec<usize>], gone: &mut [bool]) {
    let mut waits: Vec<usize> = Vec::with_capacity(targets.len());
    let mut used_by: Vec<Vec<usize>> = vec![Vec::new(); targets.len()];
    let mut ready = Vec::new();
    for (at, list) in targets.iter().enumerate() {
        let open = list.iter().filter(|&&t| gone.get(t) == Some(&false));
        for &target in open.clone() {
            if let Some(users) = used_by.get_mut(target) {
                users.push(at);
            }
        }
        waits.push(open.count());
        if gone.get(at) == Some(&false) && waits.last() == Some(&0) {
            ready.push(at);
        }
    }
    while let Some(at) = ready.pop() {
        if let Some(slot) = gone.get_mut(at) {
            *slot = true;
        }
        for &user in used_by.get(at).into_iter().flatten() {
            if let Some(left) = waits.get_mut(user) {
                *left -= 1;
                if *left == 0 && gone.get(user) == Some(&false) {
                    ready.push(user);
                }
            }
        }
    }
}

/// Whether everything of `inner` is of `outer` too.
fn includes(outer: &Logsource, inner: &Logsource) -> bool {
    let part = |outer: &Option<String>, inner: &Option<String>| outer.is_none() || outer == inner;
    part(&outer.product, &inner.product)
        && part(&outer.category, &inner.category)
        && part(&outer.service, &inner.service)
}

/// `(condition) and (filter's condition)`.
fn merge(detection: &mut Detection, filter: &Detection, title: &str) {
    let shift = detection.searches.len();
    for (name, search) in &filter.searches {
        let name = format!("filter \"{title}\": {name}");
        detection.searches.push((name, search.clone()));
    }
    let mut added: Vec<Condition> = filter
        .conditions
        .iter()
        .map(|c| shifted(c, shift))
        .collect();
    let added = match added.pop() {
        Some(only) if added.is_empty() => only,
        Some(last) => {
            added.push(last);
            Condition::Or(added)
        }
        None => return,
    };
    for condition in &mut detection.conditions {
        *condition = Condition::And(vec![condition.clone(), added.clone()]);
    }
}

fn shifted(condition: &Condition, by: usize) -> Condition {
    let all = |list: &[Condition]| list.iter().map(|c| shifted(c, by)).collect();
    match condition {
        Condition::Not(inner) => Condition::Not(Box::new(shifted(inner, by))),
        Condition::And(list) => Condition::And(all(list)),
        Condition::Or(list) => Condition::Or(all(list)),
        Condition::Search(at) => Condition::Search(at + by),
        Condition::Of(selector, list) => {
            Condition::Of(*selector, list.iter().map(|at| at + by).collect())
        }
    }
}

/// Whether a rule's status lets it run.
fn is_on(rule: &Rule, options: &LoadOptions) -> bool {
    match rule.header.status {
        Status::Stable | Status::Test => true,
        Status::Experimental => options.experimental,
        Status::Deprecated | Status::Unsupported => options.retired,
    }
}

/// Leaves out filters and what is off, and counts members anew.
fn finish(
    drafts: Vec<Draft>,
    targets: &[Vec<usize>],
    options: &LoadOptions,
) -> (RuleSet, Vec<String>) {
    let is_filter = |draft: &Draft| matches!(draft.rule.body, Body::Filter(_));
    let mut kept = vec![false; drafts.len()];
    let mut reach: Vec<usize> = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        if is_on(&draft.rule, options) && !is_filter(draft) {
            reach.push(at);
        }
    }
    while let Some(at) = reach.pop() {
        if let Some(slot) = kept.get_mut(at).filter(|slot| !**slot) {
            *slot = true;
            reach.extend(targets.get(at).into_iter().flatten());
        }
    }
    let mut places = vec![0; drafts.len()];
    let mut next = 0;
    for (place, kept) in places.iter_mut().zip(&kept) {
        *place = next;
        next += usize::from(*kept);
    }
    let mut set = RuleSet {
        rules: Vec::with_capacity(next),
        lists: options.lists.clone(),
    };
    let mut off = Vec::new();
    for (draft, kept) in drafts.into_iter().zip(kept) {
        if kept {
            set.rules.push(replaced(draft.rule, &places));
        } else if !is_filter(&draft) || !is_on(&draft.rule, options) {
            off.push(draft.rule.header.title);
        }
    }
    (set, off)
}

fn replaced(mut rule: Rule, places: &[usize]) -> Rule {
    let members = match &mut rule.body {
        Body::Correlation(c) => c.members.as_mut_slice(),
        Body::Baseline(b) => b.members.as_mut_slice(),
        _ => &mut [],
    };
    for member in members {
        member.rule = places.get(member.rule).copied().unwrap_or(member.rule);
    }
    rule
}
