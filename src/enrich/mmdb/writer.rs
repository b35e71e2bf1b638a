//! A small MaxMind DB, written for tests.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::{MARKER, SEPARATOR};

/// A value of the data section.
#[derive(Clone)]
pub(in crate::enrich) enum Put {
    Text(&'static str),
    U16(u16),
    U32(u32),
    Double(f64),
    Bool(bool),
    Map(Vec<(&'static str, Put)>),
    Array(Vec<Put>),
    /// To a place of the data section.
    Pointer(usize),
}

impl Put {
    pub(in crate::enrich) fn write(&self, out: &mut Vec<u8>) {
        let control = |kind: u8, size: usize, out: &mut Vec<u8>| {
            let more = match size {
                0..=28 => size,
                29..=284 => 29,
                _ => 30,
            };
            let first = u8::try_from(more).unwrap();
            if kind > 7 {
                out.extend([first, kind - 7]);
            } else {
                out.push(kind << 5 | first);
            }
            match more {
                29 => out.push(u8::try_from(size - 29).unwrap()),
                30 => out.extend(u16::try_from(size - 285).unwrap().to_be_bytes()),
                _ => {}
            }
        };
        match self {
            Put::Text(text) => {
                control(2, text.len(), out);
                out.extend(text.as_bytes());
            }
            Put::U16(n) => {
                // Leading zeros are left out.
                let bytes = n.to_be_bytes();
                let from = usize::from(*n < 256);
                control(5, 2 - from, out);
                out.extend(&bytes[from..]);
            }
            Put::U32(n) => {
                control(6, 4, out);
                out.extend(n.to_be_bytes());
            }
            Put::Double(x) => {
                control(3, 8, out);
                out.extend(x.to_be_bytes());
            }
            Put::Bool(yes) => control(14, usize::from(*yes), out),
            Put::Map(members) => {
                control(7, members.len(), out);
                for (key, value) in members {
                    Put::Text(key).write(out);
                    value.write(out);
                }
            }
            Put::Array(members) => {
                control(11, members.len(), out);
                for member in members {
                    member.write(out);
                }
            }
            Put::Pointer(at) => {
                let at = u32::try_from(*at).unwrap();
                out.push(1 << 5 | 3 << 3);
                out.extend(at.to_be_bytes());
            }
        }
    }
}

/// Half of a node while the tree grows.
#[derive(Clone, Copy)]
enum Half {
    Empty,
    Node(usize),
    Data(usize),
}

/// A file of networks with their records, by bits of a record and version of IP.
pub(in crate::enrich) fn database(nets: &[(&str, Put)], bits: usize, version: u16) -> Vec<u8> {
    let mut tree = vec![[Half::Empty; 2]];
    let mut data = Vec::new();
    // The longest prefix comes last and on top.
    let mut ordered: BTreeMap<(u8, usize), (u128, Put)> = BTreeMap::new();
    for (at, (net, put)) in nets.iter().enumerate() {
        let (address, length) = match net.parse().unwrap() {
            IpNet::V4(net) if version == 4 => {
                (u128::from(net.addr().to_bits()) << 96, net.prefix_len())
            }
            IpNet::V4(net) => (u128::from(net.addr().to_bits()), net.prefix_len() + 96),
            IpNet::V6(net) => (net.addr().to_bits(), net.prefix_len()),
        };
        ordered.insert((length, at), (address, put.clone()));
    }
    for ((length, _), (address, put)) in ordered {
        let at = data.len();
        put.write(&mut data);
        let mut node = 0;
        for bit in 0..length {
            let side = usize::from(address >> (127 - bit) & 1 == 1);
            if bit + 1 == length {
                tree[node][side] = Half::Data(at);
                break;
            }
            node = match tree[node][side] {
                Half::Node(next) => next,
                other => {
                    tree.push([other; 2]);
                    let next = tree.len() - 1;
                    tree[node][side] = Half::Node(next);
                    next
                }
            };
        }
    }
    whole(&tree, &data, bits, version)
}

fn whole(tree: &[[Half; 2]], data: &[u8], bits: usize, version: u16) -> Vec<u8> {
    let count = tree.len();
    let mut out = Vec::new();
    for node in tree {
        let [left, right] = node.map(|half| {
            let value = match half {
                Half::Empty => count,
                Half::Node(at) => at,
                Half::Data(at) => count + SEPARATOR + at,
            };
            u32::try_from(value).unwrap()
        });
        let (l, r) = (left.to_be_bytes(), right.to_be_bytes());
        match bits {
            24 => [&l[1..], &r[1..]].iter().for_each(|half| out.extend(*half)),
            28 => {
                out.extend(&l[1..]);
                out.push(l[0] << 4 | r[0]);
                out.extend(&r[1..]);
            }
            _ => [l, r].iter().for_each(|half| out.extend(half)),
        }
    }
    out.extend([0; SEPARATOR]);
    out.extend(data);
    out.extend(MARKER);
    Put::Map(vec![
        ("node_count", Put::U32(u32::try_from(count).unwrap())),
        ("record_size", Put::U16(u16::try_from(bits).unwrap())),
        ("ip_version", Put::U16(version)),
        ("database_type", Put::Text("Test")),
        ("languages", Put::Array(vec![Put::Text("en")])),
        ("binary_format_major_version", Put::U16(2)),
        ("binary_format_minor_version", Put::U16(0)),
    ])
    .write(&mut out);
    out
}
