//! Networks that rules name, found by looking up an address's prefixes: one
//! look for each prefix length in use, however many networks there are.

use std::net::IpAddr;

use hashbrown::HashMap;
use ipnet::IpNet;

/// Predicates by network.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    /// The prefix lengths in use, of which family.
    lengths: Vec<(bool, u8)>,
    /// Rules choose these keys, logs only ask for them.
    predicates: HashMap<(bool, u8, u128), Vec<u32>, std::hash::RandomState>,
}

impl Networks {
    pub(crate) fn add(&mut self, net: IpNet, predicate: u32) {
        let (six, address) = bits(net.network());
        let length = (six, net.prefix_len());
        if !self.lengths.contains(&length) {
            self.lengths.push(length);
        }
        let key = (six, net.prefix_len(), address);
        self.predicates.entry(key).or_default().push(predicate);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Tells the predicates of every network that holds the address.
    pub(crate) fn holding(&self, ip: IpAddr, mut tell: impl FnMut(u32)) {
        let (six, address) = bits(ip);
        for &(of_six, length) in &self.lengths {
            if of_six != six {
                continue;
            }
            let shift = if six { 128 } else { 32 } - u32::from(length);
            // A prefix of nothing holds all.
            let prefix = address
                .checked_shr(shift)
                .and_then(|head| head.checked_shl(shift))
                .unwrap_or(0);
            if let Some(found) = self.predicates.get(&(six, length, prefix)) {
                for predicate in found {
                    tell(*predicate);
                }
            }
        }
    }
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
