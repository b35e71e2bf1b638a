//! How the lines of each log are read, as far as they do not say it themselves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::field::Projection;
use crate::format::{self, Context};
use crate::source;
use crate::time::Time;

/// How a log's lines are read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Zone of stamps that name none.
    pub zone: TimeZone,
    /// Row of FORMATS to use for every line.
    pub format: Option<u8>,
    /// Program of lines without a header.
    pub program: Option<Box<str>>,
    /// What log JSON objects are, as [`format::declared`] says.
    pub logsource: Option<u8>,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading {
            zone: TimeZone::UTC,
            format: None,
            program: None,
            logsource: None,
        }
    }
}

impl Reading {
    /// What the first line needs to know, near a time.
    pub fn context(&self, reference: Time, projection: Arc<Projection>) -> Context {
        Context {
            format: self.format,
            program: self.program.clone(),
            declared: self.logsource,
            ..Context::new(self.zone.clone(), reference, projection)
        }
    }
}

/// How every log is read.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// For those that these files and globs name; the first that does counts.
    pub logs: Vec<(Vec<PathBuf>, Reading)>,
    /// For all others.
    pub others: Reading,
}

impl Readings {
    /// All logs are read alike.
    pub fn all(others: Reading) -> Readings {
        let logs = Vec::new();
        Readings { logs, others }
    }

    /// How a log is read that is known under any of these paths.
    pub fn of(&self, paths: &[&Path]) -> &Reading {
        let named = self.logs.iter().find(|(specs, _)| {
            let names = |path: &&Path| specs.iter().any(|spec| source::names(spec, path));
            paths.iter().any(names)
        });
        named.map_or(&self.others, |(_, reading)| reading)
    }
}

/// An IANA name or a fixed offset.
pub fn zone(text: &str) -> Result<TimeZone, String> {
    let parser = jiff::fmt::temporal::DateTimeParser::new();
    let help = "give an IANA name such as Europe/Berlin or an offset such as +02:00";
    parser
        .parse_time_zone(text)
        .map_err(|error| format!("{error}; {help}"))
}

/// The row of a format's name.
pub fn format(name: &str) -> Result<u8, String> {
    let row = format::by_name(name);
    row.ok_or_else(|| format!("there is no format `{name}`; `tipstaff formats` lists them"))
}

/// The log that Sigma's words name, as the command line takes them.
pub fn logsource(words: &str) -> Result<u8, String> {
    format::declared(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_names_a_log_says_how_it_is_read() {
        let berlin = Reading {
            zone: zone("Europe/Berlin").unwrap(),
            ..Reading::default()
        };
        let east = Reading {
            zone: zone("+02:00").unwrap(),
            ..Reading::default()
        };
        let readings = Readings {
            logs: vec![
                (vec!["/logs/a.log".into()], berlin.clone()),
                (vec!["/none".into(), "/logs/*.log".into()], east.clone()),
            ],
            others: Reading::default(),
        };
        for (paths, expected) in [
            (&["/logs/a.log"][..], &berlin),
            (&["/logs/./a.log"], &berlin),
            (&["/logs/b.log"], &east),
            (&["/other", "/logs/b.log"], &east),
            (&["/logs/.b.log"], &readings.others),
            (&["/logs/sub/b.log"], &readings.others),
            (&["logs/a.log"], &readings.others),
        ] {
            let paths: Vec<&Path> = paths.iter().map(Path::new).collect();
            let found = readings.of(&paths);
            assert_eq!(found.zone, expected.zone, "{paths:?}");
        }
    }
}
