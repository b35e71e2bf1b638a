//! `tipstaff replay`: old logs in, alerts out.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use indicatif::ProgressBar;
use jiff::tz::TimeZone;

use super::enrich::Enrich;
use super::exit::{Exit, Failure};
use super::lists::Named;
use super::terminal::Terminal;
use super::{columns, formats, held, progress, rules, summary};
use crate::alert::{Alert, Level};
use crate::config::Config;
use crate::detector::{Marks, Options as Detecting};
use crate::enrich::Tables;
use crate::entity::V6Prefix;
use crate::pipeline::{self, Progress, Reading, Readings, ReplayOptions, Start, Summary};
use crate::rule::{LoadOptions, Loaded};
use crate::sink::{self, SINKS, Sink};
use crate::store::Store;
use crate::sync::Arc;

/// Read old logs and print the alerts they would have raised
///
/// Reads files, folders, globs and `-` (standard input); `.gz .zst .xz .bz2`
/// are opened, rotated files are read oldest first and all files are merged by
/// the time of their events. The journal's export format, JSON arrays, lists
/// such as CloudTrail's `{"Records":[...]}` and objects over several lines are
/// read one event at a time. Alerts go to standard output, the summary to
/// standard error. The same logs and rules give the same alerts with the same
/// ids, whatever the number of threads.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    input: Input,

    /// Also use rules whose status is experimental
    ///
    /// They may be noisy. Deprecated and unsupported rules are never used.
    #[arg(long)]
    experimental: bool,

    /// Also keep what was learnt, in this folder, for `run` to start from
    ///
    /// The service then knows from its first line on what is normal, and goes
    /// on where these logs ended: name them as its configuration does, and the
    /// same rules. The folder must hold no state yet.
    #[arg(long, value_name = "FOLDER")]
    learn: Option<PathBuf>,

    /// Write what was odd and raised no alert to this file, as JSON lines
    ///
    /// What baselines found while their rules were warming up, or of entities
    /// of which too little is known: of each rule the oddest, each entity once,
    /// with the reason and what the alert would have said.
    #[arg(long, value_name = "FILE")]
    held_back: Option<PathBuf>,

    /// How alerts are written
    ///
    /// `text` is for people: a sentence, the numbers behind it and the raw
    /// lines. `json` is for programs: one object per line.
    #[arg(long, short, value_name = "ENCODING", default_value = "text", value_parser = outputs())]
    output: String,

    /// Show only alerts of this level and above
    ///
    /// The summary still counts all of them.
    #[arg(
        long,
        value_enum,
        value_name = "LEVEL",
        default_value = "informational"
    )]
    min_level: MinLevel,
}

/// What to read, how, and with which rules: the same for all commands that
/// read whole logs.
#[derive(Debug, clap::Args)]
pub(super) struct Input {
    /// Logs: files, folders, globs, or `-` for standard input
    #[arg(value_name = "PATH", required_unless_present = "config")]
    paths: Vec<PathBuf>,

    /// Read the logs as the configuration of `tipstaff run` says
    ///
    /// What its `[input]` says of each log's time zone, format, program and
    /// logsource, and of IPv6 networks, holds for the logs named here; without
    /// a PATH, all logs that it follows are read. Its `[lists]` hold, and its
    /// rules are used where --rules names none. So the alerts are those that the service raises.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["timezone", "format", "program", "logsource", "ipv6_prefix"]
    )]
    config: Option<PathBuf>,

    /// Files or folders of rules; can be given more than once
    ///
    /// Without it, the paths in the environment variable TIPSTAFF_RULES
    /// (separated by colons), else the first folder that exists of ./rules,
    /// /etc/tipstaff/rules and /usr/share/tipstaff/rules. A rule that cannot
    /// load ends the command before any log is read.
    #[arg(long, short, value_name = "PATH")]
    rules: Vec<PathBuf>,

    #[command(flatten)]
    named: Named,

    /// Time zone of stamps that name none: `Europe/Berlin`, `+02:00`
    ///
    /// Classic syslog stamps (`Mar  1 02:06:00`) are in the local time of the
    /// machine that wrote them and do not say which. The default is UTC and
    /// not this machine's zone, so that the answer is the same everywhere.
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = crate::pipeline::zone)]
    timezone: TimeZone,

    #[command(flatten)]
    first: First,

    /// Read every line as this format instead of recognising it
    ///
    /// `tipstaff formats` lists them.
    #[arg(long, value_name = "FORMAT", value_parser = formats::names(), hide_possible_values = true)]
    format: Option<String>,

    /// Read lines as bare messages of this program, without date and host
    #[arg(long, value_name = "NAME")]
    program: Option<Box<str>>,

    /// Bits of the IPv6 network that counts as one address: 48 to 128
    ///
    /// A subscriber has at least a /64 and may use any address in it. IPv4
    /// addresses always count by themselves.
    #[arg(long, value_name = "BITS", default_value = "64", value_parser = v6_prefix)]
    ipv6_prefix: V6Prefix,

    /// Learn nothing of what this file marks: lines of `field,value,from,to`
    ///
    /// For times at which somebody else acted under an entity's name, as
    /// `user.name,alice,2025-03-04T01:00:00Z,2025-03-06T00:00:00Z`. What
    /// happened then is judged like anything else and teaches no baseline.
    #[arg(long, value_name = "FILE")]
    marks: Option<PathBuf>,

    /// What the log's JSON objects are: `product=github,service=audit`
    ///
    /// In the words of Sigma's logsource; `tipstaff formats json` lists them.
    /// Needed for JSON logs that tipstaff does not know by themselves.
    #[arg(long, value_name = "LOGSOURCE", value_parser = crate::format::declared)]
    logsource: Option<u8>,

    #[command(flatten)]
    pub(super) enrich: Enrich,

    /// Worker threads [default: one per processor]
    ///
    /// More threads change the speed and nothing else.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Print no progress and no summary
    ///
    /// Errors, and input that could not be read, are still told.
    #[arg(long, short)]
    quiet: bool,

    /// Print no progress bar
    ///
    /// There is none anyway when standard error is not a terminal.
    #[arg(long)]
    no_progress: bool,
}

/// When a log begins, as far as its stamps do not say.
#[derive(Debug, clap::Args)]
pub(super) struct First {
    /// Year of the first stamp that names none
    ///
    /// Classic syslog stamps do not say their year. Without this option it is
    /// the one nearest to what the other logs say or to when the file was last
    /// written to, and it is counted on over New Year.
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i16).range(1970..=2261))]
    year: Option<i16>,

    /// Day of the first stamp that names none: `2025-06-02`
    ///
    /// tcpdump's stamps are only a time of day unless it was told -tttt. Without
    /// this option their day is told from the other logs, or is the last before
    /// the file was last written to; it is counted on at midnight.
    #[arg(long, value_name = "DATE", value_parser = pipeline::date, conflicts_with = "year")]
    date: Option<jiff::civil::Date>,
}

impl First {
    /// The same for the pipeline.
    pub(super) fn start(&self) -> Start {
        let First { year, date } = *self;
        Start { year, date }
    }
}

/// The marks of a file, where there is one.
pub(super) fn marks_of(file: Option<&Path>) -> Result<Arc<Marks>, Failure> {
    let Some(file) = file else {
        return Ok(Arc::default());
    };
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string());
    let marks = text.and_then(|text| Marks::parse(&text)).map_err(|what| {
        let what = format!("{} cannot be used: {what}", file.display());
        Failure::new(Exit::Usage, what, "a line is `field,value,from,to`")
    })?;
    Ok(Arc::new(marks))
}

/// The bits of a network, with or without a slash.
pub(super) fn v6_prefix(text: &str) -> Result<V6Prefix, String> {
    let bits = text.strip_prefix('/').unwrap_or(text).parse().ok();
    bits.and_then(V6Prefix::new)
        .ok_or_else(|| format!("give {} to {}", V6Prefix::MIN, V6Prefix::MAX))
}

impl Input {
    /// The configuration that it names, if it does.
    pub(super) fn config(&self) -> Result<Option<Config>, Failure> {
        let read = self.config.as_deref().map(Config::read);
        read.transpose().map_err(super::run::wrong_config)
    }

    /// What `%name%` stands for in rules.
    pub(super) fn lists(&self) -> Result<BTreeMap<String, Vec<String>>, Failure> {
        self.named.read(self.config.as_deref())
    }

    /// Where the rules are.
    pub(super) fn rules(&self, config: Option<&Config>) -> Result<rules::Found, Failure> {
        match config {
            Some(config) if self.rules.is_empty() => Ok(super::run::configured(config)),
            _ => rules::find(&self.rules),
        }
    }

    /// What it says of how rules are applied.
    pub(super) fn detecting(
        &self,
        config: Option<&Config>,
        tables: &Tables,
    ) -> Result<Detecting, Failure> {
        let configured = config.and_then(|config| config.input.v6_prefix());
        let marks = config.and_then(|config| config.state.marks.as_deref());
        Ok(Detecting {
            v6_prefix: configured.unwrap_or(self.ipv6_prefix),
            marks: marks_of(self.marks.as_deref().or(marks))?,
            holidays: tables.holidays().clone(),
            ..Detecting::default()
        })
    }

    /// The same for the pipeline; reads the site's tables.
    pub(super) fn replay(&self, config: Option<&Config>) -> Result<ReplayOptions, Failure> {
        let own = Reading {
            zone: self.timezone.clone(),
            format: formats::row(self.format.as_deref()),
            program: self.program.clone(),
            logsource: self.logsource,
        };
        let readings = config.map_or_else(|| Readings::all(own), |c| c.input.readings());
        let followed = config.filter(|_| self.paths.is_empty());
        let paths = followed.map_or_else(|| self.paths.clone(), |c| c.input.followed());
        let configured = config.map(|config| Enrich::from(&config.enrich));
        let enrich = self.enrich.or(&configured.unwrap_or_default());
        let threads = self.threads.map_or_else(
            || std::thread::available_parallelism().map_or(1, usize::from),
            usize::from,
        );
        Ok(ReplayOptions {
            paths,
            threads,
            start: self.first.start(),
            readings,
            tables: enrich.read()?,
        })
    }

    /// A progress bar over these counters, where one is wanted.
    pub(super) fn bar(&self, progress: &Arc<Progress>, terminal: Terminal) -> ProgressBar {
        let shown = !self.quiet && !self.no_progress;
        progress::bar(progress, terminal.err, shown)
    }
}

/// Sigma's levels.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum MinLevel {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl From<MinLevel> for Level {
    fn from(level: MinLevel) -> Level {
        match level {
            MinLevel::Informational => Level::Informational,
            MinLevel::Low => Level::Low,
            MinLevel::Medium => Level::Medium,
            MinLevel::High => Level::High,
            MinLevel::Critical => Level::Critical,
        }
    }
}

/// The values that `--output` takes: the sinks' names.
fn outputs() -> clap::builder::PossibleValuesParser {
    let name = |row: &&sink::Row| clap::builder::PossibleValue::new(row.name).help(row.about);
    clap::builder::PossibleValuesParser::new(SINKS.iter().map(name))
}

/// Runs the command.
pub(super) fn run(options: &Options, terminal: Terminal) -> Result<Exit, Failure> {
    let input = &options.input;
    let config = input.config()?;
    let config = config.as_ref();
    let found = input.rules(config)?;
    let load_options = LoadOptions {
        experimental: options.experimental,
        lists: input.lists()?,
        ..rules::load_options()
    };
    let loaded = rules::load_with(&found, &load_options, terminal)?;
    let replay = input.replay(config)?;
    let detecting = input.detecting(config, &replay.tables)?;
    let detector = rules::compile_or_tell(&loaded.rules, detecting, terminal)?;
    if !input.quiet {
        tell_rules(&found, &loaded)?;
    }
    let store = options.learn.as_deref().map(empty_store).transpose()?;
    let progress = Arc::new(Progress::default());
    let bar = input.bar(&progress, terminal);
    let mut delivery = Delivery {
        sink: open(&options.output, terminal)?,
        least: options.min_level.into(),
        bar: bar.clone(),
        stopped: None,
    };
    let take = &mut |alert: &Alert| delivery.take(alert);
    let summary = match store {
        None => pipeline::replay(&replay, &detector, &progress, take),
        Some(store) => {
            let (summary, state) = pipeline::replay_to_state(&replay, &detector, &progress, take);
            state.save(&store, &detector)?;
            summary
        }
    };
    bar.finish_and_clear();
    if let Some(file) = &options.held_back {
        held::write_file(file, &summary.held_back)?;
    }
    match delivery.stopped {
        Some(error) => Err(error.into()),
        None => conclude(&summary, input.quiet, terminal),
    }
}

/// A folder for what is learnt; one that holds something stays as it is.
fn empty_store(folder: &Path) -> Result<Store, Failure> {
    let store = Store::open(folder).map_err(|e| Failure::plain(Exit::State, &e))?;
    if !store.is_empty() {
        let what = format!("{} holds a state already", folder.display());
        let remedy = "move it away, or name another folder with --learn";
        return Err(Failure::new(Exit::State, what, remedy));
    }
    Ok(store)
}

/// Which rules are used, and how many are not.
fn tell_rules(found: &rules::Found, loaded: &Loaded) -> Result<(), Failure> {
    let (on, off) = (loaded.rules.rules.len(), loaded.off.len());
    let paths = rules::list(&found.paths);
    let off = match off {
        0 => String::new(),
        off => format!("; {off} off by their status (see --experimental)"),
    };
    writeln!(
        io::stderr(),
        "rules: {on} from {paths}, {}{off}",
        found.because
    )?;
    Ok(())
}

fn open(output: &str, terminal: Terminal) -> Result<Box<dyn Sink>, Failure> {
    let row = SINKS.iter().find(|row| row.name == output);
    let row = row.ok_or_else(|| {
        let what = format!("there is no output `{output}`");
        Failure::new(Exit::Usage, what, "`tipstaff replay --help` lists them")
    })?;
    // Whole alerts are written and flushed; a buffer makes that one system call each.
    let out = io::BufWriter::new(io::stdout());
    Ok((row.open)(Box::new(out), terminal.out))
}

/// Alerts on their way to standard output.
struct Delivery {
    sink: Box<dyn Sink>,
    least: Level,
    bar: ProgressBar,
    stopped: Option<io::Error>,
}

impl Delivery {
    /// Writes an alert above the progress bar; after the first error nothing more.
    fn take(&mut self, alert: &Alert) {
        if alert.rule.level < self.least || self.stopped.is_some() {
            return;
        }
        let sink = &mut self.sink;
        self.stopped = self.bar.suspend(|| sink.deliver(alert)).err();
    }
}

/// Tells how it went, problems in any case, and turns that into an exit code.
pub(super) fn conclude(
    summary: &Summary,
    quiet: bool,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let width = columns(terminal.err);
    let nothing = summary.counts.lines == 0 && !summary.problems.is_empty();
    let text = if quiet || nothing {
        summary::problems(summary, width)
    } else {
        summary::render(summary, width)
    };
    io::stderr().lock().write_all(text.as_bytes())?;
    Ok(match (summary.problems.is_empty(), summary.counts.lines) {
        (true, _) => Exit::Success,
        (false, 0) => Exit::NoInput,
        (false, _) => Exit::PartInput,
    })
}
