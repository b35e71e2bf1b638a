//! Prefixes of addresses laid out for look-ups by the longest one.
//!
//! Prefixes are either apart or one within the other, so they are laid out
//! once as ranges that do not overlap; a look-up is then a binary search for
//! the last range that begins at or before the address. IPv4 has an index by
//! the first 16 bits, which leaves a handful of ranges to search.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::entity::canonical_ip;

/// Nothing is known here.
pub(super) const NONE: u32 = u32::MAX;

/// Ranges of addresses, by where they begin.
#[derive(Debug, Default)]
pub(super) struct Ranges<A> {
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

    /// Begins the next range, which comes after all others.
    pub(super) fn go_on(&mut self, start: A, network: u32) {
        debug_assert!(
            self.starts.last().is_none_or(|last| *last < start),
            "in order"
        );
        if self.networks.last().copied().unwrap_or(NONE) != network {
            self.starts.push(start);
            self.networks.push(network);
        }
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

/// So few ranges are searched as fast without an index.
const FEW: usize = 64;

/// Prefixes while they are read, each with a number.
#[derive(Default)]
pub(super) struct Prefixes {
    v4: Vec<(u32, u32, u32)>,
    v6: Vec<(u128, u128, u32)>,
    /// To tell of one that is there twice.
    seen: hashbrown::HashSet<IpNet, std::hash::RandomState>,
}

impl Prefixes {
    /// Whether a prefix was added already.
    pub(super) fn has(&self, net: IpNet) -> bool {
        self.seen.contains(&net)
    }

    /// Adds one.
    pub(super) fn add(&mut self, net: IpNet, number: u32) {
        self.seen.insert(net);
        match net {
            IpNet::V4(net) => {
                let (first, last) = (net.network(), net.broadcast());
                self.v4.push((first.to_bits(), last.to_bits(), number));
            }
            IpNet::V6(net) => {
                let (first, last) = (net.network(), net.broadcast());
                self.v6.push((first.to_bits(), last.to_bits(), number));
            }
        }
    }

    /// Lays them out.
    pub(super) fn done(self) -> Layout {
        let v4 = Ranges::lay_out(self.v4, |last| last.checked_add(1));
        let v6 = Ranges::lay_out(self.v6, |last| last.checked_add(1));
        Layout::of(v4, v6)
    }
}

/// Ranges of both kinds of addresses.
#[derive(Debug)]
pub(super) struct Layout {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
    /// For each value of an IPv4 address's first 16 bits, how many ranges begin
    /// before it; and how many there are. None where there are few ranges.
    index: Vec<u32>,
}

impl Layout {
    /// From ranges that are in order.
    pub(super) fn of(v4: Ranges<u32>, v6: Ranges<u128>) -> Layout {
        if v4.starts.len() <= FEW {
            let index = Vec::new();
            return Layout { v4, v6, index };
        }
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
        Layout { v4, v6, index }
    }

    /// The number of the longest prefix that an address is in, or [`NONE`].
    pub(super) fn find(&self, ip: IpAddr) -> u32 {
        match canonical_ip(ip) {
            IpAddr::V4(ip) => {
                let address = ip.to_bits();
                if self.index.is_empty() {
                    return self.v4.find(address, 0, self.v4.starts.len());
                }
                let block = (address >> 16) as usize;
                let bound = |at: usize| self.index.get(at).map_or(0, |n| *n as usize);
                // The range that the block begins in began before it.
                let from = bound(block).saturating_sub(1);
                self.v4.find(address, from, bound(block + 1))
            }
            IpAddr::V6(ip) => self.v6.find(ip.to_bits(), 0, self.v6.starts.len()),
        }
    }
}

/// A network or a single address; bits after the prefix are cut off.
pub(super) fn network(text: &str) -> Option<IpNet> {
    let net = text
        .parse()
        .or_else(|_| text.parse().map(|ip: IpAddr| IpNet::from(ip)));
    net.ok().map(|net| net.trunc())
}
