//! Who comes from where he never came from.

use super::{Watch, addresses, at, settings, workdays};

#[test]
fn a_fourth_address_of_who_always_used_three_is_a_surprise() {
    let mut watch = Watch::new("first_seen", 1, &settings());
    addresses(&mut watch, 4);
    let found = watch.see(5, at(28, 10, 0), 1, 777).unwrap();
    assert!(found.bits >= 10.0, "{found:?}");
    assert_eq!(found.model, "pyp");
    let known = watch.bits(5, at(28, 10, 1), 1, 5);
    assert!(known < 2.0, "a known address is none: {known}");
    assert_eq!(
        watch.see(5, at(28, 10, 2), 1, 777).map(|d| d.bits),
        Some(found.bits)
    );
    let next = watch.bits(5, at(28, 11, 5), 1, 777);
    assert!(next < 0.1, "known from the next hour on: {next}");
}

#[test]
fn a_new_address_every_day_is_none() {
    let mut watch = Watch::new("first_seen", 1, &settings());
    let mut bits = 0.0;
    for day in workdays(4) {
        for user in 0..40_u64 {
            for hour in 0..6 {
                let nth = u64::try_from(hour).unwrap() % 3;
                watch.see(user, at(day, 9 + hour, 3), 1, (user + nth * 3) % 10);
            }
        }
        bits = watch.bits(
            500,
            at(day, 15, 20),
            1,
            10_000 + u64::try_from(day).unwrap(),
        );
    }
    assert!(bits < 6.0, "{bits}");
}

#[test]
fn what_most_peers_use_surprises_much_less_than_what_nobody_uses() {
    let mut watch = Watch::new("first_seen", 1, &settings());
    for day in workdays(4) {
        for user in 0..40_u64 {
            for hour in 0..6 {
                watch.see(user, at(day, 9 + hour, 3), 1, 100 + user / 8);
            }
            if user % 5 > 0 {
                watch.see(user, at(day, 18, 3), 1, 99);
            }
        }
    }
    let shared = watch.bits(5, at(28, 18, 0), 1, 99);
    let nobodys = watch.bits(10, at(28, 18, 0), 1, 4242);
    assert!(nobodys > shared + 4.0, "{nobodys} {shared}");
}

#[test]
fn the_first_values_of_a_new_entity_are_no_surprise() {
    let mut watch = Watch::new("first_seen", 1, &settings());
    addresses(&mut watch, 2);
    for (minute, value) in [(0, 1), (1, 2), (15, 3), (30, 4), (75, 5)] {
        assert_eq!(watch.see(4000, at(14, 9, minute), 1, 4000 + value), None);
    }
}

#[test]
fn an_address_that_comes_back_after_months_is_partly_new() {
    let mut watch = Watch::new("first_seen", 1, &settings());
    for day in 0..120 {
        watch.see(1, at(day, 9, 0), 1, if day < 10 { 50 } else { 51 });
        watch.see(1, at(day, 10, 0), 1, 51);
    }
    let back = watch.bits(1, at(120, 9, 0), 1, 50);
    let new = watch.bits(1, at(120, 9, 1), 1, 52);
    assert!(back > 0.8 * new && back < new, "{back} {new}");
}

#[test]
fn a_scan_through_one_account_does_not_wipe_its_habits() {
    let mut watch = Watch::new("first_seen", 1, &settings());
    for day in 0..20 {
        for hour in 0..12 {
            let value = u64::try_from(hour).unwrap();
            watch.see(1, at(day, 8 + hour, 0), 1, value);
        }
    }
    for n in 0..1000 {
        watch.see(1, at(20, 3, 0) + n, 1, 9000 + u64::try_from(n).unwrap());
    }
    let still = (0..12).filter(|&v| watch.bits(1, at(20, 10, 1), 1, v) < 0.01);
    assert_eq!(still.count(), 8);
}
