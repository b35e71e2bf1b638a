//! Units: the rules that keep state or raise alerts, and how they hang together.
//!
//! A correlation or baseline may have other correlations and baselines as
//! members. Such a chain lives in one lane: each of its units is routed by the
//! values that all of them group by, so that what one unit finds is told to
//! the next at once, in the order of events.

use sha2::{Digest, Sha256};

use super::deed::deed;
use super::kind::{Limits, Plan, Refusal};
use crate::alert::RuleInfo;
use crate::baseline::in_one_lane;
use crate::rule::{Body, Diagnostic, Level, Member, Rule, RuleSet, Severity};

/// A rule at work.
pub(crate) struct Unit {
    /// Place in the rule set.
    pub(crate) rule: usize,
    pub(crate) info: RuleInfo,
    /// Names this rule in this version, in what is saved.
    pub(crate) identity: [u8; 16],
    /// Whether it raises alerts, or only serves others.
    pub(crate) alerts: bool,
    pub(crate) stateless: bool,
    /// Whether it is asked at each event who is overdue.
    pub(crate) waits: bool,
    /// The last of its members; 0 where it has none.
    pub(crate) last: u16,
    pub(crate) plan: Plan,
    /// Names of its group's values, as alerts show them.
    pub(crate) group: Vec<String>,
    /// Names of the values it looks at, as alerts show them.
    pub(crate) values: Vec<String>,
    /// Action and outcome that all events it counts have, by ECS name.
    pub(crate) deed: Vec<(String, Vec<u8>)>,
    pub(crate) outers: Vec<Outer>,
    /// Which of its group's values decide the lane, if not the whole key.
    pub(crate) route: Option<Vec<usize>>,
    /// Units that hang together and in which the order of events matters have
    /// a bit in common.
    pub(crate) chain: u64,
}

/// A unit that a unit's firings are told to.
#[derive(Clone, Debug)]
pub(crate) struct Outer {
    pub(crate) unit: u16,
    pub(crate) member: u16,
    /// For each value of the outer's group, its place in the inner's.
    pub(crate) group: Vec<usize>,
    /// Whether that is the inner's whole key as it is.
    pub(crate) same_key: bool,
    /// For each value that the outer looks at, its place in the inner's group.
    pub(crate) values: Vec<usize>,
}

/// The members of a rule that has some.
pub(crate) fn members(rule: &Rule) -> &[Member] {
    match &rule.body {
        Body::Correlation(correlation) => &correlation.members,
        Body::Baseline(baseline) => &baseline.members,
        Body::Detection(_) | Body::Filter(_) => &[],
    }
}

/// What a rule groups by.
pub(crate) fn group_by(rule: &Rule) -> &[String] {
    match &rule.body {
        Body::Correlation(correlation) => &correlation.group_by,
        Body::Baseline(baseline) => &baseline.group_by,
        Body::Detection(_) | Body::Filter(_) => &[],
    }
}

/// Whether each rule raises alerts of its own: one that serves others does
/// only if they all let it (`generate`) and it says more than information.
fn alerting(rules: &RuleSet) -> Vec<bool> {
    let mut alerting = vec![true; rules.rules.len()];
    for rule in &rules.rules {
        let generate = match &rule.body {
            Body::Correlation(correlation) => correlation.generate,
            Body::Baseline(baseline) => baseline.generate,
            Body::Detection(_) | Body::Filter(_) => continue,
        };
        for member in members(rule) {
            let level = rules.rules.get(member.rule).map(|rule| rule.header.level);
            if let Some(alerts) = alerting.get_mut(member.rule) {
                *alerts &= generate && level > Some(Level::Informational);
            }
        }
    }
    alerting
}

/// The units of a rule set, in its order.
pub(crate) fn units(
    rules: &RuleSet,
    limits: &Limits,
    kinds: &[&super::KindRow],
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Unit> {
    let mut units = Vec::new();
    for ((number, rule), alerts) in rules.rules.iter().enumerate().zip(alerting(rules)) {
        // A detection that serves others needs no state.
        if matches!(rule.body, Body::Detection(_)) && !alerts {
            continue;
        }
        let planned = kinds
            .iter()
            .find_map(|row| Some((*row, (row.plan)(rule, limits)?)));
        match planned {
            None => {}
            Some((_, Err(refusal))) => diagnostics.push(refused(rule, refusal)),
            Some((row, Ok(mut plan))) => units.push(Unit {
                deed: {
                    name_steps(rules, rule, &mut plan);
                    deed(rules, number)
                },
                ..unit(number, rule, alerts, row, plan)
            }),
        }
    }
    if units.len() > usize::from(u16::MAX) {
        diagnostics.push(Diagnostic {
            severity: Severity::Error,
            code: "DET001",
            message: format!("{} rules are more than 65,535", units.len()),
            at: None,
            remedy: "load fewer rules".to_owned(),
        });
    }
    link(rules, &mut units, diagnostics);
    acyclic(rules, &units, diagnostics);
    route(&mut units);
    chain(&mut units);
    units
}

/// Says of a sequence what its steps are, by their titles.
fn name_steps(rules: &RuleSet, rule: &Rule, plan: &mut Plan) {
    let joint = match plan.name.as_str() {
        "temporal_ordered" => ", then ",
        "temporal" => " and ",
        _ => return,
    };
    let steps = members(rule).iter();
    let titles: Vec<String> = steps
        .filter_map(|member| rules.rules.get(member.rule))
        .map(|rule| format!("\"{}\"", rule.header.title))
        .collect();
    plan.threshold = format!("{} in {}", titles.join(joint), plan.span);
}

/// A refusal as people are told of it.
pub(crate) fn refused(rule: &Rule, refusal: Refusal) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: refusal.code,
        message: refusal.message,
        at: Some(refusal.at.unwrap_or_else(|| rule.at.clone())),
        remedy: refusal.remedy,
    }
}

fn unit(number: usize, rule: &Rule, alerts: bool, row: &super::KindRow, plan: Plan) -> Unit {
    let header = &rule.header;
    let info = RuleInfo {
        id: header.id.clone().unwrap_or_else(|| header.title.clone()),
        title: header.title.clone(),
        level: header.level,
        tags: header.tags.clone(),
        kind: plan.name.clone(),
        hash: rule.hash,
        falsepositives: header.falsepositives.clone(),
    };
    let digest = Sha256::new()
        .chain_update(rule.hash)
        .chain_update(info.id.as_bytes())
        .finalize();
    let mut identity = [0; 16];
    identity
        .iter_mut()
        .zip(digest)
        .for_each(|(to, from)| *to = from);
    Unit {
        rule: number,
        info,
        identity,
        alerts,
        stateless: row.stateless,
        waits: matches!(&rule.body, Body::Baseline(baseline) if in_one_lane(&baseline.kind)),
        last: u16::try_from(members(rule).len().saturating_sub(1)).unwrap_or(u16::MAX),
        group: group_by(rule).to_vec(),
        values: plan.values.clone(),
        deed: Vec::new(),
        plan,
        outers: Vec::new(),
        route: shared(rule),
        chain: 0,
    }
}

/// Where a baseline weighs a value by how many share it, those who do live in
/// one lane, which can then count them; where it judges each by all, all do.
fn shared(rule: &Rule) -> Option<Vec<usize>> {
    let Body::Baseline(baseline) = &rule.body else {
        return None;
    };
    if in_one_lane(&baseline.kind) {
        return Some(Vec::new());
    }
    let value = baseline.prevalence.as_ref()?;
    let at = baseline.group_by.iter().position(|name| name == value)?;
    Some(vec![at])
}

/// Tells each unit the units that it is a member of.
fn link(rules: &RuleSet, units: &mut [Unit], diagnostics: &mut Vec<Diagnostic>) {
    let place = |rule: usize, units: &[Unit]| units.iter().position(|unit| unit.rule == rule);
    for outer in 0..units.len() {
        let Some((rule, values)) = units
            .get(outer)
            .and_then(|unit| Some((rules.rules.get(unit.rule)?, unit.plan.values.clone())))
        else {
            continue;
        };
        for (at, member) in members(rule).iter().enumerate() {
            let inner = rules.rules.get(member.rule);
            if inner.is_none_or(|inner| members(inner).is_empty()) {
                continue;
            }
            let Some(inner) = place(member.rule, units).and_then(|at| units.get_mut(at)) else {
                continue;
            };
            let find = |name: &String| {
                inner
                    .group
                    .iter()
                    .position(|own| own == name)
                    .ok_or_else(|| name.clone())
            };
            let group: Result<Vec<usize>, String> = member.group_by.iter().map(find).collect();
            let values: Result<Vec<usize>, String> = values.iter().map(find).collect();
            match (group, values, u16::try_from(outer), u16::try_from(at)) {
                (Ok(group), Ok(values), Ok(unit), Ok(member)) => {
                    let same_key = group.iter().copied().eq(0..inner.group.len());
                    inner.outers.push(Outer {
                        unit,
                        member,
                        group,
                        same_key,
                        values,
                    });
                }
                (Err(name), ..) | (_, Err(name), ..) => diagnostics.push(refused(
                    rule,
                    Refusal::new(
                        "DET002",
                        format!(
                            "`{}` needs `{name}`, but its member `{}` does not group by it",
                            rule.header.title, inner.info.title
                        ),
                        "add the field to the member's group-by, or give it an alias",
                    ),
                )),
                // More than 65,535 units were refused above.
                _ => {}
            }
        }
    }
}

/// Refuses rules that are, through others, members of themselves.
fn acyclic(rules: &RuleSet, units: &[Unit], diagnostics: &mut Vec<Diagnostic>) {
    // A chain without a cycle is no longer than there are units.
    let mut heights = vec![0_usize; units.len()];
    for _ in 0..=units.len() {
        let mut grown = None;
        for inner in 0..units.len() {
            let height = heights.get(inner).copied().unwrap_or(0);
            for outer in units.get(inner).into_iter().flat_map(|unit| &unit.outers) {
                if let Some(above) = heights.get_mut(usize::from(outer.unit))
                    && *above <= height
                {
                    *above = height + 1;
                    grown = Some(inner);
                }
            }
        }
        let Some(at) = grown else { return };
        if heights.iter().all(|height| *height <= units.len()) {
            continue;
        }
        if let Some(rule) = units.get(at).and_then(|unit| rules.rules.get(unit.rule)) {
            let message = format!(
                "`{}` is, through others, a member of itself",
                rule.header.title
            );
            let refusal = Refusal::new("DET003", message, "break the circle of `rules:`");
            diagnostics.push(refused(rule, refusal));
        }
        return;
    }
}

/// Finds, for the units of each chain, the group values that all share.
fn route(units: &mut [Unit]) {
    let links: Vec<(usize, usize, Vec<usize>)> = units
        .iter()
        .enumerate()
        .flat_map(|(inner, unit)| {
            let links = unit.outers.iter();
            links.map(move |outer| (inner, usize::from(outer.unit), outer.group.clone()))
        })
        .collect();
    for &(inner, outer, _) in &links {
        for at in [inner, outer] {
            if let Some(unit) = units.get_mut(at) {
                let whole = || (0..unit.group.len()).collect();
                unit.route = Some(unit.route.take().unwrap_or_else(whole));
            }
        }
    }
    let shared = |units: &[Unit], at: usize| -> Vec<usize> {
        units
            .get(at)
            .and_then(|unit| unit.route.clone())
            .unwrap_or_default()
    };
    // Each round drops a value somewhere or is the last.
    loop {
        let mut dropped = false;
        for (inner, outer, group) in &links {
            let (inside, outside) = (shared(units, *inner), shared(units, *outer));
            let image: Vec<usize> = outside
                .iter()
                .filter_map(|q| group.get(*q).copied())
                .collect();
            let mut retain = |at: usize, keep: &dyn Fn(&usize) -> bool| {
                if let Some(route) = units.get_mut(at).and_then(|unit| unit.route.as_mut()) {
                    let before = route.len();
                    route.retain(keep);
                    dropped |= route.len() < before;
                }
            };
            retain(*inner, &|p| image.contains(p));
            retain(*outer, &|q| {
                group.get(*q).is_some_and(|p| inside.contains(p))
            });
        }
        if !dropped {
            return;
        }
    }
}

/// Gives the units of each chain in which order matters their common bit.
fn chain(units: &mut [Unit]) {
    let links: Vec<(usize, usize)> = units
        .iter()
        .enumerate()
        .flat_map(|(inner, unit)| {
            let outers = unit.outers.iter();
            outers.map(move |outer| (inner, usize::from(outer.unit)))
        })
        .collect();
    let starts: Vec<usize> = (0..units.len())
        .filter(|at| {
            let unit = units.get(*at);
            unit.is_some_and(|unit| unit.plan.every_echo && !unit.stateless)
        })
        .collect();
    // Two chains may share a bit when there are more than 64; that costs a
    // sort of a few observations, nothing else.
    for (bit, start) in starts.iter().enumerate() {
        if let Some(unit) = units.get_mut(*start) {
            unit.chain |= 1 << (bit % 64);
        }
    }
    // Bits flow inwards, one link a round.
    for _ in 0..units.len() {
        let mut grown = false;
        for (inner, outer) in &links {
            let bits = units.get(*outer).map_or(0, |unit| unit.chain);
            if let Some(unit) = units.get_mut(*inner) {
                grown |= unit.chain | bits != unit.chain;
                unit.chain |= bits;
            }
        }
        if !grown {
            return;
        }
    }
}
