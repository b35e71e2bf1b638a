//! What is known of networks, and which one an address is of.

use std::net::IpAddr;
use std::path::Path;

use hashbrown::HashMap;

use super::EnrichError;
use super::layout::{Layout, NONE, Prefixes, network};
use super::mmdb;
use super::rows::{self, Report};

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

impl Network {
    /// Where it is, in degrees.
    pub(super) fn stand_at(&mut self, (lat, lon): (f64, f64)) {
        self.location = format!("{lat},{lon}").into();
        self.point = Some(point((lat, lon)));
    }
}

/// What is known of networks, each once: many are of one provider.
#[derive(Default)]
pub(super) struct Pool {
    known: Vec<Network>,
    places: HashMap<Network, u32, std::hash::RandomState>,
}

impl Pool {
    /// Where a network is kept from here on.
    pub(super) fn place(&mut self, network: Network) -> u32 {
        let fresh = u32::try_from(self.known.len()).unwrap_or(NONE);
        let place = *self.places.entry(network.clone()).or_insert(fresh);
        if place == fresh {
            self.known.push(network);
        }
        place
    }
}

/// All networks of a file.
#[derive(Debug)]
pub(super) struct Networks {
    layout: Layout,
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
    prefixes: Prefixes,
    pool: Pool,
}

impl Networks {
    /// Reads a MaxMind DB, or a CSV file with the columns cidr, and any of
    /// asn, as_name, country, lat and lon.
    pub(super) fn read(path: &Path) -> Result<(Networks, Report), EnrichError> {
        let file = path.display().to_string();
        let bytes = rows::contents(path)?;
        if mmdb::is_one(&bytes) {
            return mmdb::read(&file, &bytes);
        }
        let (reading, report) = rows::parse(
            &file,
            &bytes,
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
                    prefixes: Prefixes::default(),
                    pool: Pool::default(),
                })
            },
            Reading::row,
        )?;
        Ok((Networks::of(reading.prefixes.done(), reading.pool), report))
    }

    /// From prefixes that are laid out, by the places of what is known of them.
    pub(super) fn of(layout: Layout, pool: Pool) -> Networks {
        Networks {
            layout,
            known: pool.known,
        }
    }

    /// What is known of an address's network.
    pub(super) fn find(&self, ip: IpAddr) -> Option<&Network> {
        self.known.get(self.layout.find(ip) as usize)
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
        let mut network = Network {
            asn: of(self.columns.asn).map_or(Ok(None), number)?,
            as_name: of(self.columns.as_name).unwrap_or_default().into(),
            country: of(self.columns.country)
                .map_or(Ok(String::new()), country)?
                .into(),
            ..Network::default()
        };
        if let Some(position) = position {
            network.stand_at(position);
        }
        if self.prefixes.has(net) {
            return Err(format!("{net} stands in an earlier row"));
        }
        let place = self.pool.place(network);
        self.prefixes.add(net, place);
        Ok(())
    }
}

/// `64500` or `AS64500`; nothing where it is empty.
pub(super) fn number(text: &str) -> Result<Option<u32>, String> {
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
pub(super) fn country(text: &str) -> Result<String, String> {
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
