//! Which network an address is of, by the longest prefix.
//!
//! Prefixes are either apart or one within the other, so they are laid out
//! once as ranges that do not overlap; a look-up is then a binary search for
//! the last range that begins at or before the address. IPv4 has an index by
//! the first 16 bits, which leaves a handful of ranges to search.

use std::net::IpAddr;
use std::path::Path;

use hashbrown::HashMap;
use ipnet::IpNet;

use super::EnrichError;
use super::rows::{self, Report};
use crate::entity::canonical_ip;

/// No network is known here.
const NONE: u32 = u32::MAX;

/// What is known of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Network {
    pub(super) asn: Option<u32>,
    pub(super) as_name: Box<str>,
    pub(super) country: Box<str>,
    /// `latitude,longitude` in degrees, as ECS has it.
    pub(super) location: Box<str>,
    /// The same in hundredths of degrees, as one number.
    pub(super) point: Option<u32>,
}

/// Ranges of addresses, by where they begin.
#[derive(Debug)]
struct Ranges<A> {
    starts: Vec<A>,
    networks: Vec<u32>,
}

impl<A: Ord + Copy> Ranges<A> {
    /// The network of the range with that address, looked for among some.
    fn find(&self, address: A, from: usize, to: usize) -> u32 {
        let starts = self.starts.get(from..to).unwrap_or_default();
        let after = from + starts.partition_point(|start| *start <= address);
        let at = after.checked_sub(1);
        at.and_then(|at| self.networks.get(at))
            .copied()
            .unwrap_or(NONE)
    }

    /// Lays prefixes out, given as first and last address; of two that are the
    /// same the first one counts.
    fn lay_out(mut prefixes: Vec<(A, A, u32)>, next: impl Fn(A) -> Option<A>) -> Ranges<A> {
        // Wider ones first, so that those within come on top of them.
        prefixes.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2)));
        prefixes.dedup_by_key(|prefix| (prefix.0, prefix.1));
        let mut ranges = Ranges {
            starts: Vec::with_capacity(2 * prefixes.len()),
            networks: Vec::with_capacity(2 * prefixes.len()),
        };
        let mut around: Vec<(A, u32)> = Vec::new();
        for (first, last, network) in prefixes {
            ranges.leave(&mut around, Some(first), &next);
            ranges.begin(first, network);
            around.push((last, network));
        }
        ranges.leave(&mut around, None, &next);
        ranges.starts.shrink_to_fit();
        ranges.networks.shrink_to_fit();
        ranges
    }

    /// Ends the prefixes that end before an address, the innermost first.
    fn leave(
        &mut self,
        around: &mut Vec<(A, u32)>,
        before: Option<A>,
        next: &impl Fn(A) -> Option<A>,
    ) {
        while let Some(&(last, _)) = around.last() {
            if before.is_some_and(|first| last >= first) {
                return;
            }
            around.pop();
            let outer = around.last().map_or(NONE, |(_, network)| *network);
            if let Some(start) = next(last) {
                self.begin(start, outer);
            }
        }
    }

    fn begin(&mut self, start: A, network: u32) {
        if self.starts.last() == Some(&start) {
            if let Some(last) = self.networks.last_mut() {
                *last = network;
            }
            return;
        }
        self.starts.push(start);
        self.networks.push(network);
    }
}

/// All networks of a file.
#[derive(Debug)]
pub(super) struct Networks {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
    /// For each value of an IPv4 address's first 16 bits, how many ranges begin
    /// before it; and how many there are.
    index: Vec<u32>,
    known: Vec<Network>,
}

/// Where the columns are.
struct Columns {
    cidr: usize,
    asn: Option<usize>,
    as_name: Option<usize>,
    country: Option<usize>,
    position: Option<(usize, usize)>,
}

/// A file while it is read.
struct Reading {
    columns: Columns,
    v4: Vec<(u32, u32, u32)>,
    v6: Vec<(u128, u128, u32)>,
    known: Vec<Network>,
    /// Many networks are of one provider.
    places: HashMap<Network, u32, std::hash::RandomState>,
    /// The networks so far, to tell of one that is there twice.
    seen: hashbrown::HashSet<IpNet, std::hash::RandomState>,
}

impl Networks {
    /// Reads a CSV file with the columns cidr, and any of asn, as_name,
    /// country, lat and lon.
    pub(super) fn read(path: &Path) -> Result<(Networks, Report), EnrichError> {
        let (reading, report) = rows::read(
            path,
            |header| {
                let column = |name| header.column(name);
                let cidr = column("cidr").ok_or("there is no column `cidr`")?;
                Ok(Reading {
                    columns: Columns {
                        cidr,
                        asn: column("asn"),
                        as_name: column("as_name"),
                        country: column("country"),
                        position: column("lat").zip(column("lon")),
                    },
                    v4: Vec::new(),
                    v6: Vec::new(),
                    known: Vec::new(),
                    places: HashMap::default(),
                    seen: hashbrown::HashSet::default(),
                })
            },
            Reading::row,
        )?;
        Ok((reading.done(), report))
    }

    /// What is known of an address's network.
    pub(super) fn find(&self, ip: IpAddr) -> Option<&Network> {
        let network = match canonical_ip(ip) {
            IpAddr::V4(ip) => {
                let address = ip.to_bits();
                let block = (address >> 16) as usize;
                let bound = |at: usize| self.index.get(at).map_or(0, |n| *n as usize);
                // The range that the block begins in began before it.
                let from = bound(block).saturating_sub(1);
                self.v4.find(address, from, bound(block + 1))
            }
            IpAddr::V6(ip) => self.v6.find(ip.to_bits(), 0, self.v6.starts.len()),
        };
        self.known.get(network as usize)
    }
}

impl Reading {
    fn row(&mut self, row: &[&str]) -> Result<(), String> {
        let of = |column: Option<usize>| column.and_then(|at| row.get(at)).copied();
        let cidr = of(Some(self.columns.cidr)).unwrap_or_default();
        let net = network(cidr).ok_or_else(|| format!("{cidr:?} is no network"))?;
        let position = match self.columns.position {
            Some((lat, lon)) => location(
                of(Some(lat)).unwrap_or_default(),
                of(Some(lon)).unwrap_or_default(),
            )?,
            None => None,
        };
        let network = Network {
            asn: of(self.columns.asn).map_or(Ok(None), number)?,
            as_name: of(self.columns.as_name).unwrap_or_default().into(),
            country: of(self.columns.country)
                .map_or(Ok(String::new()), country)?
                .into(),
            location: position
                .map_or_else(String::new, |(lat, lon)| format!("{lat},{lon}"))
                .into(),
            point: position.map(point),
        };
        if !self.seen.insert(net) {
            return Err(format!("{net} stands in an earlier row"));
        }
        let fresh = u32::try_from(self.known.len()).unwrap_or(NONE);
        let place = *self.places.entry(network.clone()).or_insert(fresh);
        if place == fresh {
            self.known.push(network);
        }
        match net {
            IpNet::V4(net) => {
                let (first, last) = (net.network(), net.broadcast());
                self.v4.push((first.to_bits(), last.to_bits(), place));
            }
            IpNet::V6(net) => {
                let (first, last) = (net.network(), net.broadcast());
                self.v6.push((first.to_bits(), last.to_bits(), place));
            }
        }
        Ok(())
    }

    fn done(self) -> Networks {
        let v4 = Ranges::lay_out(self.v4, |last| last.checked_add(1));
        let v6 = Ranges::lay_out(self.v6, |last| last.checked_add(1));
        let mut index = Vec::with_capacity((1 << 16) + 1);
        let mut at = 0;
        for block in 0..=1_u64 << 16 {
            let starts = v4.starts.get(at..).unwrap_or_default();
            at += starts
                .iter()
                .take_while(|start| u64::from(**start) < block << 16)
                .count();
            index.push(u32::try_from(at).unwrap_or(NONE));
        }
        Networks {
            v4,
            v6,
            index,
            known: self.known,
        }
    }
}

/// A network or a single address; bits after the prefix are cut off.
fn network(text: &str) -> Option<IpNet> {
    let net = text
        .parse()
        .or_else(|_| text.parse().map(|ip: IpAddr| IpNet::from(ip)));
    net.ok().map(|net| net.trunc())
}

/// `64500` or `AS64500`; nothing where it is empty.
fn number(text: &str) -> Result<Option<u32>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix("AS").unwrap_or(text);
    let number = digits.parse();
    number
        .map(Some)
        .map_err(|_| format!("{text:?} is no number of an AS"))
}

/// Two letters of ISO 3166, in upper case; nothing where it is empty.
fn country(text: &str) -> Result<String, String> {
    let two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if text.is_empty() || two {
        Ok(text.to_ascii_uppercase())
    } else {
        Err(format!("{text:?} is no country of two letters"))
    }
}

/// Latitude and longitude in degrees; nothing where they are empty.
fn location(lat: &str, lon: &str) -> Result<Option<(f64, f64)>, String> {
    if lat.is_empty() && lon.is_empty() {
        return Ok(None);
    }
    let within = |text: &str, most: f64| {
        let degrees = text.parse::<f64>().ok();
        degrees.filter(|degrees| degrees.abs() <= most)
    };
    match (within(lat, 90.0), within(lon, 180.0)) {
        (Some(lat), Some(lon)) => Ok(Some((lat, lon))),
        _ => Err(format!("{lat:?}, {lon:?} is no latitude and longitude")),
    }
}

/// A position as one number: hundredths of degrees, latitude first.
fn point((lat, lon): (f64, f64)) -> u32 {
    let hundredths = |degrees: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "degrees are 0 to 360 by now"
        )]
        let whole = (degrees * 100.0).round() as u32;
        whole
    };
    hundredths(lat + 90.0) * 36_001 + hundredths(lon + 180.0)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn networks(text: &str) -> (Networks, Report) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n.csv");
        std::fs::write(&path, text).unwrap();
        Networks::read(&path).unwrap()
    }

    fn asn(networks: &Networks, ip: &str) -> u32 {
        let network = networks.find(ip.parse().unwrap());
        network.and_then(|network| network.asn).unwrap_or(0)
    }

    #[test]
    fn the_longest_prefix_counts_and_between_them_the_wider_one() {
        let (networks, report) = networks(
            "CIDR,asn\n198.51.0.0/16,1\n198.51.100.0/24,2\n198.51.100.7,3\n\
             198.51.100.128/25,4\n255.255.255.0/24,5\n0.0.0.0/8,6\n\
             2001:db8::/32,AS7\n2001:db8:1::/48,8\nffff::/16,9\n",
        );
        assert_eq!((report.rows, report.broken), (9, 0));
        for (ip, wanted) in [
            ("198.50.255.255", 0),
            ("198.51.0.0", 1),
            ("198.51.99.255", 1),
            ("198.51.100.0", 2),
            ("198.51.100.7", 3),
            ("198.51.100.8", 2),
            ("198.51.100.127", 2),
            ("198.51.100.128", 4),
            ("198.51.101.0", 1),
            ("198.52.0.0", 0),
            ("255.255.255.255", 5),
            ("255.255.254.255", 0),
            ("0.0.0.0", 6),
            ("1.0.0.0", 0),
            ("::ffff:198.51.100.7", 3),
            ("2001:db8::1", 7),
            ("2001:db8:1:2::", 8),
            ("2001:db8:2::", 7),
            ("2001:db9::", 0),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 9),
        ] {
            assert_eq!(asn(&networks, ip), wanted, "{ip}");
        }
    }

    #[test]
    fn any_networks_are_found_as_by_looking_at_each() {
        let mut seed = 7_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed
        };
        let nets: Vec<ipnet::Ipv4Net> = (0..2000)
            .map(|n| {
                let bits = 4 + u8::try_from(n % 29).unwrap();
                let near = (next() >> 4 & 0x0003_ffff) | (0xc633_0000 * u32::from(n % 3 > 0));
                ipnet::Ipv4Net::new(near.into(), bits).unwrap().trunc()
            })
            .collect();
        let mut text = "cidr,asn\n".to_owned();
        for (net, n) in nets.iter().zip(1..) {
            writeln!(text, "{net},{n}").unwrap();
        }
        let (networks, _) = networks(&text);
        let mut found = 0;
        for _ in 0..5000 {
            let ip = std::net::Ipv4Addr::from(next() >> 4 & 0x0003_ffff | 0xc633_0000);
            let within = nets.iter().zip(1..).filter(|(net, _)| net.contains(&ip));
            let best = within.max_by_key(|(net, n)| (net.prefix_len(), -n));
            let best = best.map_or(0, |(_, n)| u32::try_from(n).unwrap());
            assert_eq!(asn(&networks, &ip.to_string()), best, "{ip}");
            found += u32::from(best > 0);
        }
        assert!(found > 1000, "{found}");
    }

    #[test]
    fn rows_that_say_nothing_sensible_are_told_and_left_out() {
        let (networks, report) = networks(
            "lat,lon,cidr,country,as_name\n\
             52.37,4.9,192.0.2.0/24,nl,\"Example, Inc.\"\n\
             1,1,192.0.2.0/33,NL,a\n91,4,203.0.113.0/24,NL,a\n,,203.0.113.0/25,Holland,a\n\
             ,,198.51.100.0/24,,b\n,,192.0.2.0/24,DE,again\n",
        );
        assert_eq!((report.rows, report.broken), (2, 4));
        assert!(report.shown[0].contains(":3:") && report.shown[0].contains("no network"));
        assert!(
            report.shown[3].contains("earlier row"),
            "{:?}",
            report.shown
        );
        let known = networks.find("192.0.2.9".parse().unwrap()).unwrap();
        assert_eq!((&*known.country, &*known.location), ("NL", "52.37,4.9"));
        assert_eq!(&*known.as_name, "Example, Inc.");
        assert_eq!(networks.find("203.0.113.1".parse().unwrap()), None);
    }

    #[test]
    fn a_file_without_networks_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n.csv");
        for text in ["", "asn,country\n1,NL\n"] {
            std::fs::write(&path, text).unwrap();
            let error = Networks::read(&path).unwrap_err().to_string();
            assert!(error.contains("cidr"), "{error}");
        }
    }
}
