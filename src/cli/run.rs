//! `tipstaff run`: the service.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::enrich::{Enrich, Watched};
use super::exit::{Exit, Failure};
use super::rules;
use super::terminal::Terminal;
use crate::config::{Config, DEFAULT_PATH};
use crate::detector::{Detector, Options as Detecting};
use crate::enrich::{Changes, Tables};
use crate::pipeline::{Live, LiveOptions, Outlet, Outlets};
use crate::service::{Calls, Signals, serve};
use crate::store::Store;
use crate::sync::Arc;

/// How long alerts may take to be written before a snapshot is put off. A stop
/// waits as long, so it must be well below what an administrator waits.
const PATIENCE: Duration = Duration::from_secs(3);

/// Shown by `--help`; a test reads it.
const EXAMPLE: &str = "\
A configuration, with what each key is when it is left out:

  [input]
  paths = [\"/var/log/auth.log\", \"/var/log/zeek/*/conn.log\"]  # required
  timezone = \"UTC\"           # of stamps that name no zone
  from-start = true          # read what a new log already holds
  ipv6-prefix = 64           # bits of the IPv6 network that counts as one address
  [[input.log]]              # none when left out; the first that names a file counts
  paths = [\"/srv/logs/lisbon/*.log\"]  # followed too
  timezone = \"Europe/Lisbon\"           # that of [input] when left out
  # format, program, logsource: as the options of `tipstaff replay`
  [rules]
  paths = [\"/etc/tipstaff/rules\"]
  [enrich]                   # what rules may ask about; see `replay --help`
  # networks = \"/etc/tipstaff/networks.csv\"    # none when left out; or [\"city.mmdb\", \"asn.mmdb\"]
  # directory = \"/etc/tipstaff/directory.csv\"  # none when left out
  # hosts = \"/etc/tipstaff/hosts.csv\"          # none when left out
  # holidays = \"/etc/tipstaff/holidays.ics\"   # none when left out
  [state]
  folder = \"/var/lib/tipstaff\"
  snapshot-seconds = 60      # what a crash reads again
  [alerts]
  stdout = true
  file = \"/var/lib/tipstaff/alerts.jsonl\"  # none when left out
  [lists]                    # what %name% stands for in rules with `expand`; none
  admins = [\"root\"]
  bad_hosts = { file = \"bad_hosts.txt\" }  # one value per line";

/// Watch logs as they are written and raise alerts: the service
///
/// Follows the files and globs of the configuration through rotation, keeps
/// what it learns and how far it has read in the state folder, and prints
/// alerts. A file that is no event a line (the journal's export, a JSON array)
/// is told of and not followed: `tipstaff replay` reads it. SIGHUP reads the
/// rules again (a broken set leaves the old one in force); the tables of
/// `[enrich]` are read again whenever they change, and so are the files of
/// `[lists]`, with the rules that name them; SIGTERM and SIGINT save the
/// state and stop. Under systemd it reports
/// readiness, reloads and a watchdog; `tipstaff unit` prints the unit.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLE)]
pub(super) struct Options {
    /// The configuration file
    #[arg(long, short, value_name = "FILE", default_value = DEFAULT_PATH)]
    config: PathBuf,
}

/// Runs the command.
pub(super) fn run(options: &Options, terminal: Terminal) -> Result<Exit, Failure> {
    log();
    let signals = Signals::listen()?;
    let inputs = Inputs::read(&options.config)?;
    let detector = inputs.load(terminal)?;
    let config = inputs.config.clone();
    let store = Store::open(&config.state.folder).map_err(|e| Failure::plain(Exit::State, &e))?;
    let live = LiveOptions {
        paths: config.input.followed(),
        readings: config.input.readings(),
        from_start: config.input.from_start,
        tables: Arc::clone(&inputs.tables),
    };
    let inputs = std::cell::RefCell::new(inputs);
    let started = Live::start(live, &detector, &store);
    let (mut live, said) = started.map_err(|e| Failure::plain(Exit::State, &e))?;
    for line in said {
        tracing::info!("{line}");
    }
    let mut outlets = Vec::new();
    if config.alerts.stdout {
        let encoding = if terminal.out.width.is_some() {
            "text"
        } else {
            "json"
        };
        outlets.push(Outlet::Stdout(encoding));
    }
    outlets.extend(config.alerts.file.clone().map(Outlet::JsonFile));
    let outlets = Outlets::open(&outlets, terminal.out, live.delivered());
    let outlets = outlets.map_err(|e| unopened(&e))?;
    let outlets = std::cell::RefCell::new(outlets);
    let every = Duration::from_secs(config.state.snapshot_seconds.into());
    let mut calls = Calls {
        reload: &mut |live| {
            let again = Inputs::read(&options.config).map_err(|e| e.to_string())?;
            let detector = again.load(terminal).map_err(unchanged)?;
            live.reload(&detector)?;
            live.enrich(Arc::clone(&again.tables));
            inputs.replace(again);
            let alerting = detector.alerting().count();
            Ok(format!("{alerting} rules that raise alerts are in force"))
        },
        sweep: &mut |live| {
            if outlets.borrow().behind() {
                return Ok(false); // the lines stay where they are; see `trouble`
            }
            inputs.borrow_mut().renew(live, terminal);
            let (more, said) = live.sweep(&mut |alert| outlets.borrow_mut().deliver(alert))?;
            for notice in said {
                // Debug escapes what a file's name may hold.
                tracing::warn!(?notice);
            }
            Ok(more)
        },
        snapshot: &mut |live| {
            let delivered = outlets.borrow().sync(PATIENCE)?;
            live.snapshot(&store, delivered)
        },
        trouble: &mut || outlets.borrow_mut().trouble(),
    };
    serve(&mut live, &signals, every, &mut calls).map_err(|e| stopped(&e))?;
    Ok(Exit::Success)
}

/// Where a configuration's rules are.
pub(super) fn configured(config: &Config) -> rules::Found {
    rules::Found {
        paths: config.rules.paths.clone(),
        because: "named by the configuration",
    }
}

/// What a reload has to say: what is wrong has been shown, and its last words
/// are of a start's.
fn unchanged(_: Failure) -> String {
    "mend what is shown above, then reload again".to_owned()
}

/// What the rules in force were compiled with.
struct Inputs {
    path: PathBuf,
    config: Config,
    watched: Watched,
    tables: Arc<Tables>,
    /// The files of value lists.
    lists: Changes,
}

impl Inputs {
    fn read(path: &Path) -> Result<Inputs, Failure> {
        let config = Config::read(path).map_err(wrong_config)?;
        let lists = Changes::of(config.list_files(path));
        let (watched, tables) = Watched::open(&Enrich::from(&config.enrich))?;
        Ok(Inputs {
            path: path.to_owned(),
            config,
            watched,
            tables,
            lists,
        })
    }

    /// Reads the rules and compiles them.
    fn load(&self, terminal: Terminal) -> Result<Arc<Detector>, Failure> {
        let config = &self.config;
        let found = configured(config);
        let lists = config.lists(&self.path).map_err(wrong_config)?;
        let loaded = rules::load_or_tell(&found, lists, terminal)?;
        let detecting = Detecting {
            v6_prefix: config.input.v6_prefix().unwrap_or_default(),
            marks: super::replay::marks_of(config.state.marks.as_deref())?,
            holidays: self.tables.holidays().clone(),
            ..Detecting::default()
        };
        rules::compile_or_tell(&loaded.rules, detecting, terminal)
    }

    /// Puts what changed in force: tables as they are, lists and holidays by
    /// compiling the rules again, which keeps what they learnt. What is broken
    /// is told once and leaves all as it was.
    fn renew(&mut self, live: &mut Live, terminal: Terminal) {
        let mut compile = self.lists.any();
        if let Some(tables) = self.watched.again() {
            compile |= tables.holidays() != self.tables.holidays();
            live.enrich(Arc::clone(&tables));
            self.tables = tables;
        }
        if !compile {
            return;
        }
        let loaded = self.load(terminal).map_err(|failure| failure.to_string());
        match loaded.and_then(|detector| live.reload(&detector)) {
            Ok(()) => tracing::info!("lists and holidays were read again; the rules go by them"),
            Err(what) => tracing::error!("{what}; lists and holidays stay as they were"),
        }
    }
}

/// The alerts' file cannot be opened.
fn unopened(error: &std::io::Error) -> Failure {
    let what = format!("alerts cannot be written: {error}");
    let remedy = "make its folder writable for tipstaff's user, or set alerts.file";
    Failure::new(Exit::Failed, what, remedy)
}

/// The service's own end: its last words could not be kept.
fn stopped(error: &std::io::Error) -> Failure {
    let what = format!("the state could not be saved: {error}");
    let remedy = "the next start goes on from the last state that was saved";
    Failure::new(Exit::Failed, what, remedy)
}

/// The configuration cannot be used.
pub(super) fn wrong_config(error: impl std::fmt::Display) -> Failure {
    Failure::plain(Exit::Config, &error)
}

/// What the service says of itself goes to standard error; systemd's journal
/// stamps it. Log text only ever enters through Debug, which escapes it.
fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TIPSTAFF_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .with_ansi(false)
        .try_init(); // a second call, in one process, keeps the first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_in_the_help_is_one_and_says_the_defaults() {
        let toml = EXAMPLE.split_once("\n\n").unwrap().1;
        let config = Config::parse(toml, "help").unwrap();
        let least = Config::parse("[input]\npaths = ['a']", "least").unwrap();
        assert_eq!(config.input.timezone, least.input.timezone);
        assert_eq!(config.rules.paths, least.rules.paths);
        assert_eq!(config.state.folder, least.state.folder);
        assert_eq!(config.state.snapshot_seconds, least.state.snapshot_seconds);
        assert_eq!(config.input.from_start, least.input.from_start);
        assert_eq!(config.input.ipv6_prefix, least.input.ipv6_prefix);
    }
}
