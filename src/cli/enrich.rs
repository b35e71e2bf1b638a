//! The site's own tables: how commands name them, and what is said of them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use super::plural;
use crate::config;
use crate::enrich::{Changes, Files, Report, Tables};
use crate::escape::Escaped;
use crate::sync::Arc;

/// Tables that rules may ask about addresses, users, hosts and days.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Enrich {
    /// What is known of networks: CSV (cidr, asn, as_name, country, lat, lon) or MaxMind DB
    ///
    /// Can be given more than once, as for a file of cities and one of AS: of
    /// what an address is asked for, the first that knows it counts. A CSV's
    /// first line names the columns, in any order; only `cidr` is needed. An
    /// address is of the longest prefix it is in. Rules may then name
    /// `source.as.number`, `source.as.organization.name`,
    /// `source.geo.country_iso_code` and `source.geo.location`, and the same of
    /// `destination`. Rows that cannot be used are told and left out.
    #[arg(long, value_name = "FILE")]
    networks: Vec<PathBuf>,

    /// What is known of users, as CSV: user, uid, role, team, site, start_day, end_day
    ///
    /// The first line names the columns, in any order; only `user` is needed.
    /// Rules may then name every column, also those not listed here, as
    /// `directory.NAME`, and `directory.status`: active, not-started before
    /// the first day (2025-03-01), left after the last one.
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,

    /// What is known of hosts, as CSV: host, address, and any others (role, site, group)
    ///
    /// The first line names the columns, in any order; only `host` is needed: a
    /// name, or a pattern with `*` and `?`, of which the first that fits counts.
    /// `address` holds addresses or networks, parted by blanks. Rules may then
    /// name every column as `hosts.NAME` (of `host.name`),
    /// `source.hosts.NAME` (of `source.ip`) and `destination.hosts.NAME`.
    #[arg(long, value_name = "FILE")]
    hosts: Option<PathBuf>,

    /// Days that are like a weekend, as iCalendar
    ///
    /// Baselines expect of them what they expect of a weekend, whatever day of
    /// the week they are. Every event of the file is one, for as long as it
    /// takes; of what comes again, what comes every year is understood.
    #[arg(long, value_name = "FILE")]
    holidays: Option<PathBuf>,
}

impl From<&config::Enrich> for Enrich {
    fn from(config: &config::Enrich) -> Enrich {
        Enrich {
            networks: config.networks.clone(),
            directory: config.directory.clone(),
            hosts: config.hosts.clone(),
            holidays: config.holidays.clone(),
        }
    }
}

impl Enrich {
    fn files(&self) -> Files {
        Files {
            networks: self.networks.clone(),
            directory: self.directory.clone(),
            hosts: self.hosts.clone(),
            holidays: self.holidays.clone(),
        }
    }

    /// These, and others where one is not named.
    pub(super) fn or(&self, others: &Enrich) -> Enrich {
        let either = |own: &Option<PathBuf>, other: &Option<PathBuf>| own.clone().or(other.clone());
        let networks = if self.networks.is_empty() {
            &others.networks
        } else {
            &self.networks
        };
        Enrich {
            networks: networks.clone(),
            directory: either(&self.directory, &others.directory),
            hosts: either(&self.hosts, &others.hosts),
            holidays: either(&self.holidays, &others.holidays),
        }
    }

    /// The tables of a folder, where it has its own by the names `networks.csv`
    /// (or `networks.mmdb`), `directory.csv`, `hosts.csv` and `holidays.ics`.
    pub(super) fn or_of(&self, folder: &Path) -> Enrich {
        let own = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
        let networks = ["networks.csv", "networks.mmdb"];
        let own = Enrich {
            networks: networks.into_iter().filter_map(own).collect(),
            directory: own("directory.csv"),
            hosts: own("hosts.csv"),
            holidays: own("holidays.ics"),
        };
        own.or(self)
    }

    /// Reads them; rows that are left out are told on standard error.
    pub(super) fn read(&self) -> Result<Arc<Tables>, Failure> {
        let read = Tables::read(&self.files());
        let (tables, report) = read.map_err(|e| Failure::plain(Exit::NoInput, &e))?;
        for line in told(&report) {
            // When standard error is gone, nobody is left to be told.
            let _ = writeln!(io::stderr(), "tipstaff: {line}");
        }
        Ok(Arc::new(tables))
    }
}

/// What is to be said of files that were read: their broken rows.
pub(super) fn told(report: &Report) -> Vec<String> {
    let escaped = |line: &String| Escaped(line.as_bytes()).to_string();
    let mut lines: Vec<String> = report.shown.iter().map(escaped).collect();
    let more = report.broken - report.shown.len();
    if more > 0 {
        lines.push(format!("and {} left out", plural(more, "more row")));
    }
    lines
}

/// The service's tables, read again when their files change.
pub(super) struct Watched {
    files: Files,
    changes: Changes,
}

impl Watched {
    /// Reads them; broken rows go to the log, a file that cannot be used is an error.
    pub(super) fn open(enrich: &Enrich) -> Result<(Watched, Arc<Tables>), Failure> {
        let files = enrich.files();
        let mut watched = Watched {
            changes: Changes::of(files.all()),
            files,
        };
        let tables = watched.read();
        let tables = tables.map_err(|what| Failure::plain(Exit::Config, &what))?;
        Ok((watched, tables))
    }

    fn read(&mut self) -> Result<Arc<Tables>, String> {
        let (tables, report) = Tables::read(&self.files).map_err(|e| e.to_string())?;
        for line in told(&report) {
            tracing::warn!("{line}");
        }
        Ok(Arc::new(tables))
    }

    /// The tables, if their files were changed since they were last read and
    /// can be used; else the old ones are to stay.
    pub(super) fn again(&mut self) -> Option<Arc<Tables>> {
        if !self.changes.any() {
            return None;
        }
        match self.read() {
            Ok(tables) => {
                tracing::info!("the tables of networks, users and hosts were read again");
                Some(tables)
            }
            Err(what) => {
                tracing::error!("{what}; the tables stay as they were");
                None
            }
        }
    }
}
