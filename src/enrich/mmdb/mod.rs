//! Networks from a MaxMind DB file (specification 2.0): the binary tree of an
//! address's bits, with a record of data at the end of each path.
//!
//! The tree is walked once, when the file is read, and laid out as the ranges
//! that a CSV gives: a look-up is the same for both, allocates nothing, and the
//! file can go. The reader is ours because files come from elsewhere: a tree
//! that leads back into itself must end after as many steps as it has nodes,
//! which a reader of single addresses has no reason to see to.

mod data;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) mod writer;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::EnrichError;
use super::layout::{Layout, NONE, Ranges};
use super::networks::{Network, Networks, Pool};
use super::rows::Report;
use data::{Data, Found, VALUES_MAX, Wrong};

/// What stands before the metadata, which is the file's end.
pub(super) const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";

/// The metadata is within so many bytes of the end (specification 2.0).
const METADATA_MAX: usize = 128 << 10;

/// Most nodes: GeoIP2 Enterprise has fewer than 20 million.
const NODES_MAX: u32 = 1 << 25;

/// Longest name of an AS; a hundred bytes are long. A million records may
/// point at one text.
const NAME_MAX: usize = 1024;

/// Zeros between the tree and the data.
const SEPARATOR: usize = 16;

/// Bits of the prefix that IPv4 addresses have in a tree of IPv6.
const V4_IN_V6: u8 = 96;

/// Where the metadata of a MaxMind DB begins, if that is one.
fn metadata_at(bytes: &[u8]) -> Option<usize> {
    let from = bytes.len().saturating_sub(METADATA_MAX);
    let end = bytes.get(from..)?;
    let at = memchr::memmem::rfind(end, MARKER)?;
    Some(from + at + MARKER.len())
}

/// Whether a file is a MaxMind DB.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    metadata_at(bytes).is_some()
}

/// Reads a file's bytes; `file` is what it is called.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<(Networks, Report), EnrichError> {
    let unusable = |what: &str| EnrichError {
        what: format!("{file}: {what}"),
        remedy: "a MaxMind DB that is whole is needed; fetch it again",
    };
    let tree = Tree::of(bytes).map_err(unusable)?;
    let mut reading = Reading {
        data: tree.data,
        pool: Pool::default(),
        places: HashMap::default(),
        report: Report::default(),
        file,
    };
    let mut steps = tree.nodes;
    let (mut v4, mut v6) = (Ranges::default(), Ranges::default());
    let four = tree.four().map_err(unusable)?;
    tree.walk(four, 32, None, &mut steps, &mut |first, record| {
        // A path of 32 bits is no more than that.
        v4.go_on(
            u32::try_from(first).unwrap_or(u32::MAX),
            reading.place(record),
        );
    })
    .map_err(unusable)?;
    if tree.six {
        let four = Some(four).filter(|record| matches!(record, Record::Node(_)));
        let root = Record::Node(0);
        tree.walk(root, 128, four, &mut steps, &mut |first, record| {
            v6.go_on(first, reading.place(record));
        })
        .map_err(unusable)?;
    }
    let networks = Networks::of(Layout::of(v4, v6), reading.pool);
    Ok((networks, reading.report))
}

/// Where a bit leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Record {
    /// To another bit.
    Node(u32),
    /// To nothing.
    Nothing,
    /// To a place in the data.
    Data(usize),
}

struct Tree<'a> {
    bytes: &'a [u8],
    nodes: u32,
    /// Bits of half a node.
    record_bits: usize,
    /// Whether the addresses are IPv6's.
    six: bool,
    data: Data<'a>,
}

impl<'a> Tree<'a> {
    fn of(bytes: &'a [u8]) -> Result<Tree<'a>, Wrong> {
        let at = metadata_at(bytes).ok_or("it has no metadata")?;
        let metadata = Data(bytes.get(at..).unwrap_or_default());
        let (mut nodes, mut record_bits, mut version, mut format) = (0, 0, 0, 0);
        metadata.members(0, &mut { VALUES_MAX }, |key, value| {
            let Some(Found::Number(number)) = value else {
                return Ok(());
            };
            match key {
                "node_count" => nodes = number,
                "record_size" => record_bits = number,
                "ip_version" => version = number,
                "binary_format_major_version" => format = number,
                _ => {}
            }
            Ok(())
        })?;
        if format != 2 {
            return Err("it is of another version of the format than 2");
        }
        let six = match version {
            4 => false,
            6 => true,
            _ => return Err("its addresses are neither IPv4 nor IPv6"),
        };
        let record_bits = match record_bits {
            24 => 24,
            28 => 28,
            32 => 32,
            _ => return Err("its records have neither 24, 28 nor 32 bits"),
        };
        let nodes = u32::try_from(nodes)
            .ok()
            .filter(|nodes| *nodes <= NODES_MAX);
        let nodes = nodes.ok_or("it has more than 33,554,432 nodes")?;
        if nodes == 0 {
            return Err("its tree is empty");
        }
        let data_at = nodes as usize * record_bits / 4 + SEPARATOR;
        let end = at - MARKER.len();
        let data = bytes.get(data_at..end);
        Ok(Tree {
            bytes,
            nodes,
            record_bits,
            six,
            data: Data(data.ok_or("its tree goes beyond its end")?),
        })
    }

    /// Where a node leads by the bit 0 and by the bit 1.
    fn node(&self, number: u32) -> Result<[Record; 2], Wrong> {
        let width = self.record_bits / 4;
        let at = number as usize * width;
        let node = self
            .bytes
            .get(at..at + width)
            .ok_or("a node beyond the tree")?;
        let big = |bytes: &[u8]| bytes.iter().fold(0_u32, |n, &b| n << 8 | u32::from(b));
        let half = width / 2;
        let (left, right) = if self.record_bits == 28 {
            let middle = u32::from(node.get(3).copied().unwrap_or_default());
            let left = big(node.get(..3).unwrap_or_default());
            let right = big(node.get(4..).unwrap_or_default());
            (middle >> 4 << 24 | left, (middle & 15) << 24 | right)
        } else {
            (
                big(node.get(..half).unwrap_or_default()),
                big(node.get(half..).unwrap_or_default()),
            )
        };
        Ok([self.record(left)?, self.record(right)?])
    }

    fn record(&self, value: u32) -> Result<Record, Wrong> {
        if value < self.nodes {
            return Ok(Record::Node(value));
        }
        let beyond = (value - self.nodes) as usize;
        if beyond == 0 {
            return Ok(Record::Nothing);
        }
        let at = beyond.checked_sub(SEPARATOR);
        at.map(Record::Data)
            .ok_or("a record that points between tree and data")
    }

    /// Where the addresses of IPv4 begin.
    fn four(&self) -> Result<Record, Wrong> {
        let mut record = Record::Node(0);
        for _ in 0..if self.six { V4_IN_V6 } else { 0 } {
            match record {
                Record::Node(node) => [record, _] = self.node(node)?,
                _ => break,
            }
        }
        Ok(record)
    }

    /// Hands each path's first address, in order, to `each` with where it leads.
    /// What is below `apart` is left out: other paths lead to it too, which are
    /// IPv4 in IPv6's clothes.
    fn walk(
        &self,
        from: Record,
        bits: u8,
        apart: Option<Record>,
        steps: &mut u32,
        each: &mut impl FnMut(u128, Record),
    ) -> Result<(), Wrong> {
        let mut open = vec![(from, 0_u8, 0_u128)];
        while let Some((record, depth, first)) = open.pop() {
            let node = match record {
                Record::Node(node) if apart != Some(record) => node,
                Record::Node(_) => {
                    each(first, Record::Nothing);
                    continue;
                }
                _ => {
                    each(first, record);
                    continue;
                }
            };
            if depth >= bits {
                return Err("its tree is deeper than an address has bits");
            }
            *steps = steps
                .checked_sub(1)
                .ok_or("its tree leads back into itself")?;
            let [left, right] = self.node(node)?;
            let upper = first | 1 << (bits - depth - 1);
            open.push((right, depth + 1, upper));
            open.push((left, depth + 1, first));
        }
        Ok(())
    }
}

/// The records, each read once.
struct Reading<'a> {
    data: Data<'a>,
    pool: Pool,
    places: HashMap<usize, u32, std::hash::RandomState>,
    report: Report,
    file: &'a str,
}

impl Reading<'_> {
    /// Where the network of a record is kept.
    fn place(&mut self, record: Record) -> u32 {
        let Record::Data(at) = record else {
            return NONE;
        };
        let place = match self.places.entry(at) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let place = match network(self.data, at) {
                    Ok(network) => self.pool.place(network),
                    Err(what) => {
                        let told = format!("{}: data at {at}: {what}; left out", self.file);
                        self.report.tell(told);
                        NONE
                    }
                };
                *new.insert(place)
            }
        };
        self.report.rows += usize::from(place != NONE);
        place
    }
}

/// What a record tells of its network: GeoIP2's names, and those of
/// databases that are flat (`asn`, `as_name`, `country` as text).
fn network(data: Data<'_>, at: usize) -> Result<Network, Wrong> {
    let left = &mut { VALUES_MAX };
    let mut told = Told::default();
    let mut maps = [None; 3];
    data.members(at, left, |key, value| {
        match (key, value) {
            ("country", Some(Found::Map(at))) => maps[0] = Some(at),
            ("location", Some(Found::Map(at))) => maps[1] = Some(at),
            ("traits", Some(Found::Map(at))) => maps[2] = Some(at),
            ("country" | "country_code", Some(Found::Text(text))) => told.country(text),
            (key, value) => told.flat(key, value),
        }
        Ok(())
    })?;
    for at in maps.into_iter().flatten() {
        data.members(at, left, |key, value| {
            match (key, value) {
                ("iso_code", Some(Found::Text(text))) => told.country(text),
                (key, value) => told.flat(key, value),
            }
            Ok(())
        })?;
    }
    Ok(told.network())
}

/// A record while it is read.
#[derive(Default)]
struct Told {
    network: Network,
    lat: Option<f64>,
    lon: Option<f64>,
}

impl Told {
    fn country(&mut self, text: &str) {
        if let Ok(country) = super::networks::country(text) {
            self.network.country = country.into();
        }
    }

    fn flat(&mut self, key: &str, value: Option<Found<'_>>) {
        let within = |real: f64, most: f64| (real.abs() <= most).then_some(real);
        match (key, value) {
            ("autonomous_system_number" | "asn", Some(Found::Number(number))) => {
                self.network.asn = u32::try_from(number).ok();
            }
            ("asn", Some(Found::Text(text))) => {
                self.network.asn = super::networks::number(text).unwrap_or(None);
            }
            ("autonomous_system_organization" | "as_name", Some(Found::Text(text)))
                if text.len() <= NAME_MAX =>
            {
                self.network.as_name = text.into();
            }
            ("latitude", Some(Found::Real(real))) => self.lat = within(real, 90.0),
            ("longitude", Some(Found::Real(real))) => self.lon = within(real, 180.0),
            _ => {}
        }
    }

    fn network(mut self) -> Network {
        if let Some(position) = self.lat.zip(self.lon) {
            self.network.stand_at(position);
        }
        self.network
    }
}
