//! `tipstaff baseline`: what all baselines hold, as it leaves and as it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::enrich::Enrich;
use super::exit::{Exit, Failure};
use super::learnt::{self, Known, Record};
use super::terminal::Terminal;
use super::{held, plural};
use crate::detector::{Detector, Learner};
use crate::enrich::Tables;
use crate::escape::{Escaped, shortened};
use crate::pipeline::State;
use crate::sink::quoted;
use crate::store::Store;

/// Export, compare and forget what was learnt, and show what raised no alert yet
///
/// Works on state folders: that of the service, or one that `replay --learn`
/// made. `export`, `diff` and `held-back` only read, also while a service is running;
/// `forget` needs the folder for itself. Give the rules that it was learnt
/// under.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Export(Export),
    Diff(Diff),
    Forget(Forget),
    HeldBack(held::Options),
}

/// Print every baseline of every entity as JSON lines
///
/// Names are not kept, only hashes of them: `key` is that. Users of the table
/// that `--directory` names are named.
#[derive(Debug, clap::Args)]
struct Export {
    /// The state folder
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,

    #[command(flatten)]
    rules: learnt::Rules,

    #[command(flatten)]
    enrich: Enrich,
}

/// Show which baselines differ between two states
///
/// Counts by rule which entities came, went and changed, and shows those that
/// changed most: whose expectation became 1.4 times as large or small, or that
/// know more or fewer values.
#[derive(Debug, clap::Args)]
struct Diff {
    /// The older state folder
    #[arg(value_name = "OLD")]
    old: PathBuf,

    /// The newer one
    #[arg(value_name = "NEW")]
    new: PathBuf,

    #[command(flatten)]
    rules: learnt::Rules,

    #[command(flatten)]
    enrich: Enrich,

    /// Print a JSON line for each difference instead
    #[arg(long)]
    json: bool,
}

/// Forget an entity, such as a user who left
///
/// Takes it out of every baseline that tells its entities apart by the fields
/// given, with its alerts. Baselines of pairs need both: `user:alice
/// host:web1`. Where it stands as a value in others' baselines it fades with
/// their half-life. The service must be stopped.
#[derive(Debug, clap::Args)]
struct Forget {
    /// Field and value: `user:alice`, `ip:192.0.2.7`, `host:web1`, `FIELD:VALUE`
    #[arg(value_name = "ENTITY", required = true, value_parser = learnt::named)]
    entity: Vec<(String, String)>,

    /// The state folder
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,

    #[command(flatten)]
    rules: learnt::Rules,
}

/// Runs the command.
pub(super) fn run(options: &Options, terminal: Terminal) -> Result<Exit, Failure> {
    match &options.action {
        Action::Export(options) => export(options, terminal),
        Action::Diff(options) => diff(options, terminal),
        Action::Forget(options) => forget(options, terminal),
        Action::HeldBack(options) => held::run(options, terminal),
    }
}

/// Whose keys are known: the directory's users, by rule.
struct Names(BTreeMap<(u16, u64), String>);

impl Names {
    fn of(tables: &Tables, detector: &Detector) -> Names {
        let mut names = BTreeMap::new();
        for learner in detector.learners() {
            for user in tables.users() {
                let user = String::from_utf8_lossy(user).into_owned();
                let entity = [("user.name".to_owned(), user)];
                if let Some(key) = detector.key_of(learner.group, &entity) {
                    let [(_, user)] = entity;
                    names.insert((learner.unit, key), user);
                }
            }
        }
        Names(names)
    }

    fn get(&self, unit: u16, key: u64) -> Option<&str> {
        self.0.get(&(unit, key)).map(String::as_str)
    }
}

/// An entity's baseline under a rule, or how it differs.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'static str>,
    /// What entities are told apart by.
    group: &'a [String],
    key: String,
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<Record<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<Record<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<Record<'a>>,
}

fn write(out: &mut impl Write, line: &Line<'_>) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    quoted::write_line(&mut bytes, line)?;
    bytes.push(b'\n');
    out.write_all(&bytes)?;
    Ok(())
}

/// A rule's entities in a state.
fn keys(state: &State, unit: u16) -> BTreeSet<u64> {
    let lanes = state.lanes().iter();
    lanes.flat_map(|lane| lane.keys(unit)).collect()
}

fn export(options: &Export, terminal: Terminal) -> Result<Exit, Failure> {
    let tables = options.enrich.read()?;
    let detector = options.rules.compile(&tables, terminal)?;
    let state = learnt::stored(&options.state, &detector)?;
    let names = Names::of(&tables, &detector);
    let mut out = BufWriter::new(io::stdout().lock());
    for learner in detector.learners() {
        for key in keys(&state, learner.unit) {
            let Some(known) = learnt::known(&state, learner, key) else {
                continue;
            };
            let line = Line {
                change: None,
                group: learner.group,
                key: format!("{key:016x}"),
                name: names.get(learner.unit, key),
                old: None,
                new: None,
                baseline: Some(Record::of(&known, state.now())),
            };
            write(&mut out, &line)?;
        }
    }
    out.flush()?;
    Ok(Exit::Success)
}

/// How an entity's baseline differs.
struct Change<'d> {
    key: u64,
    old: Option<Known<'d>>,
    new: Option<Known<'d>>,
}

impl<'d> Change<'d> {
    /// Between two states; `None` where the difference is nothing to speak of.
    fn of(old: &State, new: &State, learner: Learner<'d>, key: u64) -> Option<Change<'d>> {
        let change = Change {
            key,
            old: learnt::known(old, learner, key),
            new: learnt::known(new, learner, key),
        };
        (change.size() >= 0.5).then_some(change)
    }

    fn kind(&self) -> &'static str {
        match (&self.old, &self.new) {
            (None, _) => "came",
            (_, None) => "went",
            _ => "changed",
        }
    }

    /// In doublings of what is expected, or values more or fewer.
    fn size(&self) -> f64 {
        let (Some(old), Some(new)) = (&self.old, &self.new) else {
            return f64::INFINITY;
        };
        let (old, new) = (&old.description, &new.description);
        match (old.values, new.values) {
            (Some(old), Some(new)) => f64::from(old.abs_diff(new)),
            // A tenth of an event more or less is no change.
            _ => libm::log2((new.expected + 0.1) / (old.expected + 0.1)).abs(),
        }
    }
}

/// Changes shown of each rule.
const SHOWN: usize = 5;

fn diff(options: &Diff, terminal: Terminal) -> Result<Exit, Failure> {
    let tables = options.enrich.read()?;
    let detector = options.rules.compile(&tables, terminal)?;
    let old = learnt::stored(&options.old, &detector)?;
    let new = learnt::stored(&options.new, &detector)?;
    let names = Names::of(&tables, &detector);
    let mut out = BufWriter::new(io::stdout().lock());
    for learner in detector.learners() {
        let (before, after) = (keys(&old, learner.unit), keys(&new, learner.unit));
        let all: BTreeSet<u64> = before.union(&after).copied().collect();
        let changes = all.iter();
        let mut changes: Vec<Change<'_>> = changes
            .filter_map(|key| Change::of(&old, &new, learner, *key))
            .collect();
        if options.json {
            for change in &changes {
                write(&mut out, &json(change, &learner, &names, (&old, &new)))?;
            }
            continue;
        }
        let many = |kind| changes.iter().filter(|c| c.kind() == kind).count();
        writeln!(
            out,
            "{}: {}, {} came, {} went, {} changed",
            shortened(learner.info.title.as_bytes(), 60),
            if after.len() == 1 {
                "1 entity".to_owned()
            } else {
                format!("{} entities", after.len())
            },
            many("came"),
            many("went"),
            many("changed"),
        )?;
        changes.retain(|change| change.kind() == "changed");
        changes.sort_by(|a, b| b.size().total_cmp(&a.size()).then(a.key.cmp(&b.key)));
        for change in changes.iter().take(SHOWN) {
            writeln!(out, "{}", shown(change, &learner, &names))?;
        }
    }
    out.flush()?;
    Ok(Exit::Success)
}

fn json<'a>(
    change: &'a Change<'a>,
    learner: &Learner<'a>,
    names: &'a Names,
    (old, new): (&State, &State),
) -> Line<'a> {
    Line {
        change: Some(change.kind()),
        group: learner.group,
        key: format!("{:016x}", change.key),
        name: names.get(learner.unit, change.key),
        old: change.old.as_ref().map(|k| Record::of(k, old.now())),
        new: change.new.as_ref().map(|k| Record::of(k, new.now())),
        baseline: None,
    }
}

fn shown(change: &Change<'_>, learner: &Learner<'_>, names: &Names) -> String {
    let name = names.get(learner.unit, change.key).map_or_else(
        || format!("{:016x}", change.key),
        |name| Escaped(name.as_bytes()).to_string(),
    );
    let (Some(old), Some(new)) = (&change.old, &change.new) else {
        return format!("  {name}");
    };
    let (old, new) = (&old.description, &new.description);
    match (old.values, new.values) {
        (Some(old), Some(new)) => format!("  {name}: knows {new} values, knew {old}"),
        _ => format!(
            "  {name}: {:.2} expected, was {:.2}",
            new.expected, old.expected
        ),
    }
}

fn forget(options: &Forget, terminal: Terminal) -> Result<Exit, Failure> {
    // Nothing is judged here, by whatever calendar.
    let detector = options.rules.compile(&Tables::default(), terminal)?;
    let folder = &options.state;
    if !folder.is_dir() {
        return Err(learnt::nothing(folder));
    }
    let told = |e: crate::store::StoreError| Failure::plain(Exit::State, &e);
    let store = Store::open(folder).map_err(told)?;
    let state = State::restore(&store, &detector).map_err(told)?;
    let mut state = state.ok_or_else(|| learnt::nothing(folder))?;
    // What is not loaded would be gone after a save.
    if state.foreign() > 0 || !state.lost().is_empty() {
        let foreign = plural(state.foreign(), "rule");
        let what = format!("the state holds what {foreign} learnt that are not given here");
        let remedy = "name the rules it was learnt under with --rules; nothing was changed";
        return Err(Failure::new(Exit::State, what, remedy));
    }
    let mut out = io::stdout().lock();
    let mut forgotten = 0;
    for learner in detector.learners() {
        let title = shortened(learner.info.title.as_bytes(), 60);
        let Some(key) = detector.key_of(learner.group, &options.entity) else {
            let named = |field| options.entity.iter().any(|(name, _)| name == field);
            if learner.group.iter().any(named) {
                let group = learner.group.join(", ");
                writeln!(out, "kept: {title}: name all of {group}")?;
            }
            continue;
        };
        let lanes = state.lanes_mut().iter_mut();
        if lanes.fold(false, |any, lane| lane.forget(learner.unit, key) | any) {
            forgotten += 1;
            writeln!(out, "forgotten: {title}")?;
        }
    }
    if forgotten > 0 {
        state.save(&store, &detector)?;
    } else {
        writeln!(out, "nothing was learnt of it")?;
    }
    Ok(Exit::Success)
}
