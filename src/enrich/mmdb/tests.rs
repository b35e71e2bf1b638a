//! Databases that are whole, and ones that are not.

use super::writer::{Put, database};
use super::*;

fn city(country: &'static str, lat: f64, lon: f64) -> Put {
    let names = Put::Map(vec![
        ("en", Put::Text("A place")),
        ("de", Put::Text("Ein Ort")),
    ]);
    Put::Map(vec![
        ("city", Put::Map(vec![("names", names)])),
        (
            "country",
            Put::Map(vec![
                ("geoname_id", Put::U32(2_750_405)),
                ("is_in_european_union", Put::Bool(true)),
                ("iso_code", Put::Text(country)),
            ]),
        ),
        (
            "location",
            Put::Map(vec![
                ("latitude", Put::Double(lat)),
                ("longitude", Put::Double(lon)),
            ]),
        ),
        (
            "registered_country",
            Put::Map(vec![("iso_code", Put::Text("US"))]),
        ),
        ("subdivisions", Put::Array(vec![Put::Map(Vec::new())])),
    ])
}

fn provider(asn: u32, name: &'static str) -> Put {
    Put::Map(vec![
        ("autonomous_system_number", Put::U32(asn)),
        ("autonomous_system_organization", Put::Text(name)),
    ])
}

fn read_all(bytes: &[u8]) -> (Networks, Report) {
    read("x.mmdb", bytes).unwrap()
}

fn of<'a>(networks: &'a Networks, ip: &str) -> Option<&'a Network> {
    networks.find(ip.parse().unwrap())
}

#[test]
fn an_address_is_of_the_longest_prefix_in_every_size_of_record() {
    for bits in [24, 28, 32] {
        let nets = [
            ("198.51.0.0/16", city("NL", 52.4, 4.9)),
            ("198.51.100.0/24", city("BR", -23.5, -46.6)),
            ("198.51.100.7/32", city("DE", 50.0, 8.0)),
            ("2001:db8::/32", city("PT", 38.7, -9.1)),
        ];
        let (networks, report) = read_all(&database(&nets, bits, 6));
        assert_eq!(report.broken, 0);
        for (ip, country) in [
            ("198.51.0.0", Some("NL")),
            ("198.51.99.255", Some("NL")),
            ("198.51.100.6", Some("BR")),
            ("198.51.100.7", Some("DE")),
            ("198.51.100.8", Some("BR")),
            ("198.51.101.0", Some("NL")),
            ("198.52.0.0", None),
            ("2001:db8::1", Some("PT")),
            ("2001:db9::1", None),
            ("::ffff:198.51.100.7", Some("DE")),
        ] {
            let found = of(&networks, ip).map(|network| &*network.country);
            assert_eq!(found, country, "{ip} {bits}");
        }
        let home = of(&networks, "198.51.7.7").unwrap();
        assert_eq!((&*home.location, home.asn), ("52.4,4.9", None));
        assert!(home.point.is_some() && home.as_name.is_empty());
    }
}

#[test]
fn a_database_of_ipv4_alone_and_one_of_providers_alone_work() {
    let nets = [("192.0.2.0/24", provider(64_500, "Example Net"))];
    let (networks, _) = read_all(&database(&nets, 24, 4));
    let found = of(&networks, "192.0.2.99").unwrap();
    assert_eq!((found.asn, &*found.as_name), (Some(64_500), "Example Net"));
    assert!(found.country.is_empty() && found.point.is_none());
    assert_eq!(of(&networks, "192.0.3.0"), None);
    assert_eq!(of(&networks, "2001:db8::1"), None);
}

#[test]
fn flat_records_and_texts_that_are_pointed_at_are_read() {
    let flat = Put::Map(vec![
        ("asn", Put::Text("AS64501")),
        ("as_name", Put::Text("Flat, Inc.")),
        ("country", Put::Text("nl")),
    ]);
    let pointing = Put::Map(vec![("as_name", Put::Pointer(21)), ("asn", Put::U32(7))]);
    let mut data = Vec::new();
    flat.write(&mut data);
    let text = Data(&data).value(21);
    assert_eq!(text, Ok(Some(Found::Text("Flat, Inc."))));
    let (networks, report) = read_all(&database(
        &[("192.0.2.0/24", flat), ("192.0.2.0/25", pointing)],
        28,
        6,
    ));
    assert_eq!(report.broken, 0, "{:?}", report.shown);
    let flat = of(&networks, "192.0.2.200").unwrap();
    assert_eq!((flat.asn, &*flat.country), (Some(64_501), "NL"));
    let pointing = of(&networks, "192.0.2.1").unwrap();
    assert_eq!((pointing.asn, &*pointing.as_name), (Some(7), "Flat, Inc."));
}

#[test]
fn a_file_that_is_cut_anywhere_or_wrong_in_any_byte_never_panics_and_is_named() {
    let nets = [
        ("198.51.100.0/30", city("NL", 52.4, 4.9)),
        ("192.0.0.0/8", provider(64_500, "Example Net")),
        ("2000::/6", Put::Map(vec![("as_name", Put::Pointer(3))])),
    ];
    let good = database(&nets, 24, 6);
    assert!(is_one(&good));
    let (mut refused, mut used) = (0, 0);
    let mut attempt = |bytes: &[u8]| match read("bad.mmdb", bytes) {
        Ok((networks, report)) => {
            used += 1;
            assert!(
                report
                    .shown
                    .iter()
                    .all(|line| line.starts_with("bad.mmdb: "))
            );
            for ip in [
                "198.51.100.1",
                "192.0.2.1",
                "2001::1",
                "::",
                "255.255.255.255",
            ] {
                let _ = of(&networks, ip);
            }
        }
        Err(error) => {
            refused += 1;
            let error = error.to_string();
            assert!(error.starts_with("bad.mmdb: "), "{error}");
        }
    };
    for at in 0..good.len() {
        for flip in [0xff, 0x01, 0x20, 0x80, 0x55] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            attempt(&bad);
        }
        for value in [0x00, 0x3f, 0xff] {
            let mut bad = good.clone();
            bad[at] = value;
            attempt(&bad);
        }
        attempt(&good[..at]);
        attempt(&good[at..]);
    }
    assert!(refused > 1000 && used > 1000, "{refused} {used}");
}

#[test]
fn a_tree_that_leads_back_into_itself_ends() {
    let mut bytes = database(&[("192.0.2.0/24", provider(1, "a"))], 24, 6);
    // The second half of the first node leads to the first node.
    bytes[3..6].copy_from_slice(&[0, 0, 0]);
    let error = read("loop.mmdb", &bytes).unwrap_err().to_string();
    assert!(error.contains("loop.mmdb: its tree"), "{error}");
}

#[test]
fn values_within_values_and_pointers_in_a_circle_are_left_out_and_told() {
    let mut deep = Put::U16(1);
    for _ in 0..40 {
        deep = Put::Array(vec![deep]);
    }
    let many = Put::Array(vec![Put::Bool(true); 20_000]);
    let nets = [
        ("192.0.2.0/26", Put::Pointer(0)),
        ("192.0.2.64/27", Put::Map(vec![("x", deep)])),
        ("192.0.2.96/28", Put::Map(vec![("x", many)])),
        ("192.0.2.112/29", provider(5, "fine")),
    ];
    let (networks, report) = read_all(&database(&nets, 24, 6));
    assert_eq!(report.broken, 3, "{:?}", report.shown);
    for (shown, what) in report.shown.iter().zip(["pointer", "deep", "8192"]) {
        assert!(shown.contains(what), "{shown}");
    }
    let fine = of(&networks, "192.0.2.113").unwrap();
    assert_eq!(fine.asn, Some(5));
}

#[test]
fn numbers_that_are_none_of_the_field_are_not_taken() {
    let odd = Put::Map(vec![
        (
            "location",
            Put::Map(vec![
                ("latitude", Put::Double(f64::NAN)),
                ("longitude", Put::Double(1e300)),
            ]),
        ),
        (
            "country",
            Put::Map(vec![("iso_code", Put::Text("Holland"))]),
        ),
        ("autonomous_system_number", Put::Text("many")),
    ]);
    let (networks, _) = read_all(&database(&[("192.0.2.0/24", odd)], 24, 6));
    let found = of(&networks, "192.0.2.1").unwrap();
    assert_eq!(found, &Network::default());
}
