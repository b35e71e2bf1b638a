//! What the site knows of its hosts: role, site, group, how much hangs on them.

use std::net::IpAddr;
use std::path::Path;

use hashbrown::HashMap;

use super::EnrichError;
use super::layout::{Layout, NONE, Prefixes, network};
use super::rows::{self, Report};

/// Most columns; a table of hosts has some ten.
const COLUMNS_MAX: usize = 64;

/// Most rows whose name is a pattern: each host that no row names is held
/// against all of them, some 30 ns each.
const PATTERNS_MAX: usize = 256;

/// Longest name of a host (RFC 1035); a longer one is held against no pattern.
const NAME_MAX: usize = 255;

/// The hosts of a file.
#[derive(Debug)]
pub(super) struct Hosts {
    /// The columns' names, lowercase.
    columns: Vec<String>,
    /// All hosts' values, a row of them each.
    values: Vec<Box<str>>,
    by_name: HashMap<Box<[u8]>, u32, std::hash::RandomState>,
    /// In the file's order: the first that fits counts.
    patterns: Vec<(Box<[u8]>, u32)>,
    by_address: Layout,
}

/// A file while it is read.
struct Reading {
    hosts: Hosts,
    prefixes: Prefixes,
    name: usize,
    address: Option<usize>,
}

impl Hosts {
    /// Reads a CSV file with a column `host`.
    pub(super) fn read(path: &Path) -> Result<(Hosts, Report), EnrichError> {
        let (reading, report) = rows::read(
            path,
            |header| {
                let name = header.column("host").ok_or("there is no column `host`")?;
                if header.names().len() > COLUMNS_MAX {
                    return Err(format!("more than {COLUMNS_MAX} columns"));
                }
                Ok(Reading {
                    hosts: Hosts {
                        columns: header.names().to_vec(),
                        values: Vec::new(),
                        by_name: HashMap::default(),
                        patterns: Vec::new(),
                        by_address: Prefixes::default().done(),
                    },
                    prefixes: Prefixes::default(),
                    name,
                    address: header.column("address"),
                })
            },
            Reading::row,
        )?;
        let mut hosts = reading.hosts;
        hosts.by_address = reading.prefixes.done();
        Ok((hosts, report))
    }

    /// The columns' names.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The row of the host of that name: its own, else the first pattern's.
    pub(super) fn named(&self, name: &[u8]) -> Option<u32> {
        if name.len() > NAME_MAX {
            return None;
        }
        let mut small = [0; NAME_MAX];
        let lower = small.get_mut(..name.len())?;
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        let own = self.by_name.get(&*lower).copied();
        own.or_else(|| {
            let mut patterns = self.patterns.iter();
            let fits = patterns.find(|(pattern, _)| fits(pattern, lower));
            fits.map(|(_, row)| *row)
        })
    }

    /// The row of the host or network with that address, by the longest prefix.
    pub(super) fn at(&self, ip: IpAddr) -> Option<u32> {
        Some(self.by_address.find(ip)).filter(|row| *row != NONE)
    }

    /// What stands in a row's column; nothing where that is empty.
    pub(super) fn value(&self, row: u32, column: usize) -> Option<&str> {
        let at = (row as usize).checked_mul(self.columns.len())?;
        let value = self.values.get(at.checked_add(column)?)?;
        (!value.is_empty()).then_some(value)
    }
}

impl Reading {
    fn row(&mut self, row: &[&str]) -> Result<(), String> {
        let name = row.get(self.name).copied().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        let addresses = self.address.and_then(|at| row.get(at)).copied();
        let mut nets = Vec::new();
        // A host may have several.
        for text in addresses.unwrap_or_default().split([' ', ';']) {
            if text.is_empty() {
                continue;
            }
            let net = network(text).ok_or_else(|| format!("{text:?} is no address"))?;
            if self.prefixes.has(net) {
                return Err(format!("{net} stands in an earlier row"));
            }
            nets.push(net);
        }
        if name.is_empty() && nets.is_empty() {
            return Err("the row names no host".to_owned());
        }
        if name.len() > NAME_MAX {
            return Err("a host's name of more than 255 bytes".to_owned());
        }
        let hosts = &mut self.hosts;
        let place = hosts.values.len() / hosts.columns.len().max(1);
        let place = u32::try_from(place).unwrap_or(NONE);
        if name.contains(['*', '?']) {
            if hosts.patterns.len() >= PATTERNS_MAX {
                return Err(format!("more than {PATTERNS_MAX} patterns"));
            }
            hosts.patterns.push((name.as_bytes().into(), place));
        } else if !name.is_empty() {
            if hosts.by_name.contains_key(name.as_bytes()) {
                return Err(format!("host {name:?} stands in an earlier row"));
            }
            hosts.by_name.insert(name.as_bytes().into(), place);
        }
        for net in nets {
            self.prefixes.add(net, place);
        }
        hosts
            .values
            .extend(row.iter().map(|value| Box::from(*value)));
        Ok(())
    }
}

/// Whether a name is as a pattern has it, with `*` for any text and `?` for
/// any byte. Only the last `*` is ever tried again: a name of 255 bytes takes
/// at most 65,025 steps, whatever the pattern.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&byte) if byte == b'?' || name.get(n) == Some(&byte) => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, from)) = star else {
                    return false;
                };
                star = Some((at, from + 1));
                (p, n) = (at + 1, from + 1);
            }
        }
    }
    let rest = pattern.get(p..).unwrap_or_default();
    rest.iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(bytes: &[u8]) -> (Hosts, Report) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.csv");
        std::fs::write(&path, bytes).unwrap();
        Hosts::read(&path).unwrap()
    }

    const TEXT: &str = "host,address,role,site\r\n\
        web1,192.0.2.7 2001:db8::7,web,ams\r\nweb*,,web,\r\n*.lab.example,,lab,lis\r\n\
        ,10.1.0.0/16,desktop,ams\r\ndb1,10.1.0.5;10.1.0.6,database,ams\r\n";

    #[test]
    fn a_host_is_found_by_its_name_by_a_pattern_and_by_its_address() {
        let (hosts, report) = hosts(TEXT.as_bytes());
        assert_eq!((report.rows, report.broken), (5, 0));
        let named = |name: &str, column| {
            let row = hosts.named(name.as_bytes())?;
            hosts.value(row, column)
        };
        assert_eq!(named("WEB1", 3), Some("ams"));
        assert_eq!((named("web22", 2), named("web22", 3)), (Some("web"), None));
        assert_eq!(named("a.lab.example", 2), Some("lab"));
        assert_eq!((named("mail", 2), named("", 2)), (None, None));
        let at = |ip: &str| hosts.at(ip.parse().unwrap());
        let role = |ip| at(ip).and_then(|row| hosts.value(row, 2));
        assert_eq!(role("10.1.9.9"), Some("desktop"));
        assert_eq!(role("10.1.0.6"), Some("database"));
        assert_eq!(role("2001:db8::7"), Some("web"));
        assert_eq!(role("10.2.0.1"), None);
    }

    #[test]
    fn what_a_row_cannot_mean_is_told_by_its_line() {
        let long = "x".repeat(300);
        let mut text = TEXT.replace("\r\n", "\n");
        text.push_str("web1,,again,\n,,nothing,\nx,192.0.2.256,a,\ny,10.1.0.5,a,\n");
        text.push_str(&[&long, ",,a,\nz,a\n"].concat());
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(b"caf\xe9,,latin,1\nnul\0,,a,b\n");
        bytes.extend_from_slice(format!("w,,{},\n", "y".repeat(70_000)).as_bytes());
        let (hosts, report) = hosts(&bytes);
        assert_eq!((report.rows, report.broken), (5, 9));
        for (shown, what) in report.shown.iter().zip([
            "h.csv:7: host \"web1\" stands in an earlier row",
            "h.csv:8: the row names no host",
            "h.csv:9: \"192.0.2.256\" is no address",
            "h.csv:10: 10.1.0.5/32 stands in an earlier row",
            "h.csv:11: a host's name of more than 255 bytes",
            "h.csv:12: 2 values for 4 columns",
            "h.csv:13: not UTF-8",
            "h.csv:14: a NUL byte",
            "h.csv:15: longer than 64 KiB",
        ]) {
            assert!(shown.contains(what), "{shown}");
        }
        assert!(hosts.named(&b"x".repeat(70_000)).is_none());
    }

    #[test]
    fn too_many_patterns_are_told_and_the_first_ones_are_used() {
        let mut text = "host,role\n".to_owned();
        for n in 0..PATTERNS_MAX + 3 {
            text.push_str(&["p", &n.to_string(), "-*,r\n"].concat());
        }
        let (hosts, report) = hosts(text.as_bytes());
        assert_eq!((report.rows, report.broken), (PATTERNS_MAX, 3));
        assert!(hosts.named(b"p255-a").is_some() && hosts.named(b"p256-a").is_none());
    }

    #[test]
    fn a_pattern_full_of_stars_ends() {
        let pattern = b"*a".repeat(120);
        assert!(!fits(&pattern, &[b'b'; NAME_MAX]));
        assert!(fits(b"*a*b?", b"xxaxxbc") && !fits(b"*a*b?", b"xxaxxb"));
        assert!(fits(b"**", b"") && !fits(b"?", b""));
    }
}
