//! The daemon's TOML file → checked settings.

mod lists;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};

use crate::entity::V6Prefix;
use crate::pipeline::{self, Reading, Readings};
use crate::source;

pub use lists::{List, lists_of};

/// Where the daemon looks when it is told nothing.
pub const DEFAULT_PATH: &str = "/etc/tipstaff/tipstaff.toml";

/// What to follow, by which rules, and where alerts go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The logs.
    pub input: Input,
    /// The rules.
    #[serde(default)]
    pub rules: Rules,
    /// What the site knows of addresses and users.
    #[serde(default)]
    pub enrich: Enrich,
    /// What outlives the process.
    #[serde(default)]
    pub state: State,
    /// Where alerts go.
    #[serde(default)]
    pub alerts: Alerts,
    /// What `%name%` stands for in rules with `expand`.
    #[serde(default)]
    pub lists: BTreeMap<String, List>,
}

/// `[input]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Input {
    /// Files and globs to follow.
    #[serde(default)]
    pub paths: Vec<PathBuf>,
    /// Zone of stamps that name none; default UTC.
    #[serde(default = "utc", deserialize_with = "timezone")]
    pub timezone: TimeZone,
    /// Logs that are read in a way of their own.
    #[serde(default, rename = "log")]
    pub logs: Vec<Log>,
    /// Whether a log that was never seen is read from its start; default true,
    /// since what was learnt from history is what tells the odd from the usual.
    #[serde(default = "yes")]
    pub from_start: bool,
    /// Bits of the IPv6 network that counts as one address, 48 to 128.
    #[serde(default = "subscriber")]
    pub ipv6_prefix: u8,
}

/// `[[input.log]]`: the first that names a file is how it is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Log {
    /// Files and globs to follow.
    pub paths: Vec<PathBuf>,
    /// Zone of stamps that name none; that of `[input]` when left out.
    #[serde(default, deserialize_with = "own_timezone")]
    pub timezone: Option<TimeZone>,
    /// Row of FORMATS for every line, by its name.
    #[serde(default, deserialize_with = "format")]
    pub format: Option<u8>,
    /// Program of lines without a header.
    #[serde(default)]
    pub program: Option<Box<str>>,
    /// What log JSON objects are: `product=github,service=audit`.
    #[serde(default, deserialize_with = "logsource")]
    pub logsource: Option<u8>,
}

impl Input {
    /// Every file and glob to follow, each once.
    pub fn followed(&self) -> Vec<PathBuf> {
        let own = self.logs.iter().flat_map(|log| &log.paths);
        let mut all: Vec<PathBuf> = Vec::new();
        for path in self.paths.iter().chain(own) {
            if !all.contains(path) {
                all.push(path.clone());
            }
        }
        all
    }

    /// How the lines of each log are read.
    pub fn readings(&self) -> Readings {
        let others = Reading {
            zone: self.timezone.clone(),
            ..Reading::default()
        };
        let own = |log: &Log| Reading {
            zone: log.timezone.as_ref().unwrap_or(&others.zone).clone(),
            format: log.format,
            program: log.program.clone(),
            logsource: log.logsource,
        };
        Readings {
            logs: self
                .logs
                .iter()
                .map(|log| (log.paths.clone(), own(log)))
                .collect(),
            others,
        }
    }

    /// The prefix at which IPv6 addresses are one entity.
    pub fn v6_prefix(&self) -> Option<V6Prefix> {
        V6Prefix::new(self.ipv6_prefix)
    }
}

/// `[rules]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Rules {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
}

/// `[enrich]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Enrich {
    /// CSV or MaxMind DB of networks, or several; none when left out.
    #[serde(deserialize_with = "one_or_more")]
    pub networks: Vec<PathBuf>,
    /// CSV of users; none when left out.
    pub directory: Option<PathBuf>,
    /// CSV of hosts; none when left out.
    pub hosts: Option<PathBuf>,
    /// iCalendar of the days that are like a weekend; none when left out.
    pub holidays: Option<PathBuf>,
}

/// `[state]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct State {
    /// Folder for offsets and baselines.
    pub folder: PathBuf,
    /// Seconds between snapshots; what a crash re-reads.
    pub snapshot_seconds: u32,
    /// A file of entities' times that nothing is to be learnt of.
    pub marks: Option<PathBuf>,
}

/// `[alerts]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Alerts {
    /// Whether alerts are printed, for the journal to keep.
    pub stdout: bool,
    /// A file that gets one JSON object a line.
    pub file: Option<PathBuf>,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            paths: vec!["/etc/tipstaff/rules".into()],
        }
    }
}

impl Default for State {
    fn default() -> State {
        State {
            folder: "/var/lib/tipstaff".into(),
            snapshot_seconds: 60,
            marks: None,
        }
    }
}

impl Default for Alerts {
    fn default() -> Alerts {
        Alerts {
            stdout: true,
            file: None,
        }
    }
}

fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a path or a list of paths is needed")]
    enum Paths {
        One(PathBuf),
        More(Vec<PathBuf>),
    }
    Ok(match Paths::deserialize(from)? {
        Paths::One(path) => vec![path],
        Paths::More(paths) => paths,
    })
}

fn utc() -> TimeZone {
    TimeZone::UTC
}

/// A value that is one of ours by its words: what is wrong with them is told
/// at their place.
fn words<'de, D: Deserializer<'de>, T>(
    from: D,
    read: fn(&str) -> Result<T, String>,
) -> Result<T, D::Error> {
    let words = String::deserialize(from)?;
    read(&words).map_err(serde::de::Error::custom)
}

fn timezone<'de, D: Deserializer<'de>>(from: D) -> Result<TimeZone, D::Error> {
    words(from, pipeline::zone)
}

fn own_timezone<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TimeZone>, D::Error> {
    words(from, pipeline::zone).map(Some)
}

fn format<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u8>, D::Error> {
    words(from, pipeline::format).map(Some)
}

fn logsource<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u8>, D::Error> {
    words(from, pipeline::logsource).map(Some)
}

const fn yes() -> bool {
    true
}

/// What a provider gives one subscriber.
const fn subscriber() -> u8 {
    64
}

/// Why a configuration was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error(
        "{path}: {error}; create it (`tipstaff run --help` shows one) or name another with --config"
    )]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// A list's file could not be read.
    #[error("{path}: {error}; a list's file holds one value per line")]
    NoList {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// It is not TOML, or has a key or value we do not know.
    #[error("{path}: {error}")]
    Invalid {
        /// The file.
        path: String,
        /// With line, column and the source shown.
        error: Box<toml::de::Error>,
    },
    /// A value does not make sense.
    #[error("{path}: {what}")]
    Senseless {
        /// The file.
        path: String,
        /// Which, why and what to write.
        what: String,
    },
}

impl Config {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let shown = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: shown.clone(),
            error,
        })?;
        Config::parse(&text, &shown)
    }

    /// Checks a file's text.
    pub fn parse(text: &str, path: &str) -> Result<Config, ConfigError> {
        let config: Config = toml::from_str(text).map_err(|error| ConfigError::Invalid {
            path: path.to_owned(),
            error: Box::new(error),
        })?;
        let senseless = |what: &str| {
            Err(ConfigError::Senseless {
                path: path.to_owned(),
                what: what.to_owned(),
            })
        };
        let followed = config.input.followed();
        if followed.is_empty() {
            return senseless(
                "input.paths is empty; name at least one log, such as \"/var/log/auth.log\"",
            );
        }
        if let Some(at) = config
            .input
            .logs
            .iter()
            .position(|log| log.paths.is_empty())
        {
            let which = at + 1;
            return senseless(&format!(
                "paths of [[input.log]] number {which} is empty; name the logs that it is about"
            ));
        }
        for path in &followed {
            if let Some(why) = source::pattern_mistake(path) {
                let path = path.display();
                return senseless(&format!(
                    "{path} in the paths of [input] is no pattern ({why}); write [[] for a bracket that is meant"
                ));
            }
        }
        if config.rules.paths.is_empty() {
            return senseless("rules.paths is empty; name at least one folder of rules");
        }
        if config.state.snapshot_seconds == 0 {
            return senseless("state.snapshot-seconds is 0; write 1 or more");
        }
        if config.input.v6_prefix().is_none() {
            return senseless("input.ipv6-prefix is not 48 to 128; write 64");
        }
        Ok(config)
    }

    /// What `%name%` stands for in rules; `path` is the configuration's own.
    pub fn lists(&self, path: &Path) -> Result<BTreeMap<String, Vec<String>>, ConfigError> {
        lists::read(&self.lists, path)
    }

    /// The files among them.
    pub fn list_files(&self, path: &Path) -> Vec<PathBuf> {
        lists::files(&self.lists, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_file_gets_the_defaults() {
        let config = Config::parse("[input]\npaths = ['/var/log/auth.log']", "t").unwrap();
        assert!(config.input.from_start && config.alerts.stdout);
        assert_eq!(config.input.v6_prefix(), Some(V6Prefix::default()));
        assert_eq!(config.state.snapshot_seconds, 60);
    }

    #[test]
    fn networks_are_one_file_or_several() {
        let read = |networks: &str| {
            let text = format!("[input]\npaths = ['a']\n[enrich]\nnetworks = {networks}");
            Config::parse(&text, "t").map(|config| config.enrich.networks)
        };
        assert_eq!(read("'n.csv'").unwrap(), [PathBuf::from("n.csv")]);
        assert_eq!(read("['city.mmdb', 'asn.mmdb']").unwrap().len(), 2);
        let error = read("5").unwrap_err().to_string();
        assert!(error.contains("a path or a list of paths"), "{error}");
    }

    #[test]
    fn a_misspelt_key_is_shown_in_its_line() {
        let text = "[input]\npaths = ['/var/log/auth.log']\ntime-zone = 'UTC'";
        let error = Config::parse(text, "tipstaff.toml")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("tipstaff.toml") && error.contains("line 3"),
            "{error}"
        );
    }

    #[test]
    fn a_prefix_that_is_none_is_refused() {
        for bits in [0, 47, 129] {
            let text = format!("[input]\npaths = ['a']\nipv6-prefix = {bits}");
            let error = Config::parse(&text, "t").unwrap_err().to_string();
            assert!(error.contains("48 to 128"), "{error}");
        }
    }

    #[test]
    fn a_zone_that_does_not_exist_is_refused() {
        let text = "[input]\npaths = ['a']\ntimezone = 'Mars/Olympus'";
        let error = Config::parse(text, "t").unwrap_err().to_string();
        assert!(
            error.contains("IANA") && error.contains("line 3"),
            "{error}"
        );
    }

    #[test]
    fn what_is_wrong_with_a_log_is_told_at_its_place() {
        for (line, what) in [
            ("timezone = 'Mars/Olympus'", "IANA"),
            ("format = 'ssh'", "`tipstaff formats` lists them"),
            ("logsource = 'product=nothing'", "no such log"),
            ("logsource = 'windows/security'", "is no product="),
            ("zone = 'UTC'", "unknown field `zone`"),
        ] {
            let text = format!("[input]\npaths = ['a']\n[[input.log]]\npaths = ['b']\n{line}");
            let error = Config::parse(&text, "t").unwrap_err().to_string();
            assert!(error.contains(what) && error.contains("line 5"), "{error}");
        }
        for (text, what) in [
            (
                "[input]\npaths = ['a']\n[[input.log]]\npaths = []",
                "number 1 is empty",
            ),
            ("[[input.log]]\npaths = ['b[.log']", "b[.log"),
            ("[input]\ntimezone = 'UTC'", "input.paths is empty"),
        ] {
            let error = Config::parse(text, "t").unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn a_log_has_its_own_settings_and_the_others_what_input_says() {
        let text = "[input]\ntimezone = 'Europe/Amsterdam'\n[[input.log]]\npaths = ['a', 'b*']\n\
                    logsource = 'product=github,service=audit'\n[[input.log]]\npaths = ['b1', 'c']\n\
                    timezone = '+02:00'\nprogram = 'sshd'";
        let config = Config::parse(text, "t").unwrap();
        let shown: Vec<PathBuf> = ["a", "b*", "b1", "c"].map(PathBuf::from).into();
        assert_eq!(config.input.followed(), shown);
        let readings = config.input.readings();
        let of = |path: &str| readings.of(&[Path::new(path)]).clone();
        let amsterdam = TimeZone::get("Europe/Amsterdam").unwrap();
        assert!(of("b1").logsource.is_some() && of("b1").program.is_none());
        assert_eq!(
            (of("b1").zone, of("d").zone),
            (amsterdam.clone(), amsterdam.clone())
        );
        assert_eq!(of("c").program.as_deref(), Some("sshd"));
        assert!(of("c").zone != amsterdam && of("c").logsource.is_none());
    }
}
