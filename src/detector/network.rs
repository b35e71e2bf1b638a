//! Networks that rules name, found by looking up an address's prefixes: one
//! look for each prefix length in use, however many networks there are.

use std::net::IpAddr;

use ipnet::IpNet;

/// Predicates by network.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    lengths: Vec<Length>,
}

/// The networks of one family and prefix length.
#[derive(Debug)]
struct Length {
    six: bool,
    /// Bits after the prefix.
    rest: u32,
    /// By prefix, rising. Rules name a handful: a search takes a few compares,
    /// where hashing an address took a quarter of a connection's instructions.
    nets: Vec<(u128, Vec<u32>)>,
}

impl Networks {
    pub(crate) fn add(&mut self, net: IpNet, predicate: u32) {
        let (six, address) = bits(net.network());
        let rest = u32::from(net.max_prefix_len() - net.prefix_len());
        let same = |length: &Length| length.six == six && length.rest == rest;
        let at = self.lengths.iter().position(same).unwrap_or_else(|| {
            let nets = Vec::new();
            self.lengths.push(Length { six, rest, nets });
            self.lengths.len() - 1
        });
        let Some(length) = self.lengths.get_mut(at) else {
            return;
        };
        let prefix = prefix(address, rest);
        match length.nets.binary_search_by_key(&prefix, |net| net.0) {
            Ok(at) => {
                if let Some(net) = length.nets.get_mut(at) {
                    net.1.push(predicate);
                }
            }
            Err(at) => length.nets.insert(at, (prefix, vec![predicate])),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Tells the predicates of every network that holds the address.
    pub(crate) fn holding(&self, ip: IpAddr, mut tell: impl FnMut(u32)) {
        let (six, address) = bits(ip);
        for length in self.lengths.iter().filter(|length| length.six == six) {
            let prefix = prefix(address, length.rest);
            let found = length.nets.binary_search_by_key(&prefix, |net| net.0);
            let found = found.ok().and_then(|at| length.nets.get(at));
            for predicate in found.iter().flat_map(|net| &net.1) {
                tell(*predicate);
            }
        }
    }
}

/// What is left of an address without its last `rest` bits; of a prefix of
/// nothing, which holds all, nothing.
fn prefix(address: u128, rest: u32) -> u128 {
    address.checked_shr(rest).unwrap_or(0)
}

/// Whether it is of version 6, and the address as a number.
fn bits(ip: IpAddr) -> (bool, u128) {
    match ip {
        IpAddr::V4(four) => (false, u128::from(four.to_bits())),
        IpAddr::V6(six) => (true, six.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn net(six: bool, address: u128, length: u8) -> IpNet {
        let net = if six {
            ipnet::Ipv6Net::new(address.into(), length % 129).map(IpNet::V6)
        } else {
            let four = u32::try_from(address & 0xffff_ffff).unwrap();
            ipnet::Ipv4Net::new(four.into(), length % 33).map(IpNet::V4)
        };
        net.unwrap().trunc()
    }

    proptest! {
        #[test]
        fn the_same_networks_hold_an_address_as_when_each_is_asked(
            // Few bits, so that addresses and networks meet.
            nets in proptest::collection::vec((any::<bool>(), 0..8_u128, 0..8_u32, any::<u8>()), 1..20),
            (six, low, at) in (any::<bool>(), 0..8_u128, 0..8_u32),
        ) {
            let nets: Vec<IpNet> = nets.iter().map(|(six, low, at, len)| net(*six, low << (at * 4), *len)).collect();
            let mut networks = Networks::default();
            for (net, number) in nets.iter().zip(0..) {
                networks.add(*net, number);
            }
            let ip = net(six, low << (at * 4), if six { 128 } else { 32 }).addr();
            let mut found = Vec::new();
            networks.holding(ip, |predicate| found.push(predicate));
            found.sort_unstable();
            let expected: Vec<u32> = nets.iter().zip(0..).filter(|(net, _)| net.contains(&ip)).map(|(_, n)| n).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
