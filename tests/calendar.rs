//! Holidays and value lists, from the command line and while the service runs.

use std::fmt::Write as _;
use std::fs;

use jiff::civil::{Date, Weekday, date};

use crate::support::daemon::{Room, wait_until};

/// Told where somebody logs in when he hardly ever does.
const ODD_HOUR: &str = "\
title: Login
id: 11111111-1111-4111-8111-111111111111
status: stable
name: login
logsource: {product: linux, service: sshd}
detection:
    selection: {event.action: ssh_login, event.outcome: success}
    condition: selection
level: low
---
title: Odd hour
id: 22222222-2222-4222-8222-222222222222
status: stable
baseline:
    type: off_hours
    rules: [login]
    group-by: [user.name]
    learn: {warm-up: 7d}
    condition: {surprise: {gte: 3.5}}
level: low
";

/// A Monday after the weeks of [`office`].
const SHUT: Date = date(2025, 7, 7);

/// Two dozen people, from eight to three on every working day of five weeks,
/// and what goes on all the time; then one of them comes in.
fn office() -> String {
    let mut log = String::new();
    let mut day = date(2025, 6, 2);
    while day <= SHUT {
        let open = !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && day < SHUT;
        for hour in 0..24 {
            // A guess each hour: logs go on, and nobody comes in.
            let mut guess = String::new();
            line(&mut guess, &format!("{day}T{hour:02}:00:00"), "root");
            log.push_str(&guess.replace("Accepted", "Failed"));
            for user in (0..24).filter(|_| open && (8..15).contains(&hour)) {
                let stamp = format!("{day}T{hour:02}:{user:02}:30");
                line(&mut log, &stamp, &format!("user{user}"));
            }
            if day == SHUT && hour == 10 {
                line(&mut log, &format!("{day}T10:10:00"), "user3");
            }
        }
        day = day.tomorrow().unwrap();
    }
    log
}

fn line(log: &mut String, stamp: &str, user: &str) {
    writeln!(
        log,
        "{stamp}+00:00 web1 sshd[1]: Accepted password for {user} from 198.51.100.1 port 4000 ssh2"
    )
    .unwrap();
}

const HOLIDAYS: &str = "\
BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20200707\r
RRULE:FREQ=YEARLY\r
SUMMARY:The founder's birthday\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:tomorrow\r
END:VEVENT\r
END:VCALENDAR\r
";

#[test]
fn a_login_on_a_holiday_is_at_an_odd_hour_where_the_calendar_says_so() {
    let room = Room::new();
    fs::write(room.path("rules/test.yml"), ODD_HOUR).unwrap();
    fs::write(room.path("holidays.ics"), HOLIDAYS).unwrap();
    fs::write(room.path("logs/auth.log"), office()).unwrap();
    let replay = |more: &[&str]| {
        let all = ["replay", "--output", "json", "--rules", "rules", "logs"];
        let output = room.command(&all).args(more).output().unwrap();
        assert!(output.status.success());
        output
    };
    let without = replay(&[]);
    let none = String::from_utf8(without.stdout).unwrap();
    assert_eq!(none, "");
    let with = replay(&["--holidays", "holidays.ics"]);
    let alerts = String::from_utf8(with.stdout).unwrap();
    assert_eq!(alerts.lines().count(), 1, "{alerts}");
    assert!(
        alerts.contains("Odd hour") && alerts.contains("user3"),
        "{alerts}"
    );
    let said = String::from_utf8_lossy(&with.stderr);
    let wanted = "holidays.ics:8: \"tomorrow\" is no day such as 20250101";
    assert!(said.contains(wanted), "{said}");
    let many = replay(&["--holidays", "holidays.ics", "--threads", "3"]);
    assert_eq!(String::from_utf8(many.stdout).unwrap(), alerts);
    // What is no calendar ends the command before any log is read.
    let mut command = room.command(&["replay", "--rules", "rules", "logs"]);
    let output = command
        .args(["--holidays", "rules/test.yml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn a_rules_test_has_its_own_holidays_beside_its_logs() {
    let room = Room::new();
    fs::write(room.path("rules/test.yml"), ODD_HOUR).unwrap();
    let tests = room.path("rules/tests/test");
    fs::create_dir_all(&tests).unwrap();
    fs::write(tests.join("fire.log"), office()).unwrap();
    let test = || room.command(&["test", "rules"]).output().unwrap();
    assert_eq!(test().status.code(), Some(1));
    fs::write(tests.join("holidays.ics"), HOLIDAYS).unwrap();
    let output = test();
    assert!(output.status.success(), "{output:?}");
}

/// Told of the third login of somebody on the list within a day.
const LISTED: &str = "\
title: Admin login
id: 33333333-3333-4333-8333-333333333333
status: stable
name: admin
logsource: {product: linux, service: sshd}
detection:
    selection: {event.outcome: success, user.name|expand: '%admins%'}
    condition: selection
level: low
---
title: Third login
id: 44444444-4444-4444-8444-444444444444
status: stable
correlation:
    type: event_count
    rules: [admin]
    group-by: [user.name]
    timespan: 1d
    condition: {gte: 3}
level: high
";

fn login(minute: u32, user: &str) -> String {
    let mut text = String::new();
    line(&mut text, &format!("2025-06-02T10:{minute:02}:00"), user);
    text
}

#[test]
fn the_service_goes_by_a_list_as_it_is_and_keeps_what_it_counted() {
    let room = Room::new();
    let config = fs::read_to_string(room.path("tipstaff.toml")).unwrap();
    let config =
        config + "[lists]\nadmins = { file = 'admins.txt' }\n[enrich]\nholidays = 'h.ics'\n";
    fs::write(room.path("tipstaff.toml"), config).unwrap();
    fs::write(room.path("rules/test.yml"), LISTED).unwrap();
    fs::write(room.path("admins.txt"), "alice\n").unwrap();
    fs::write(room.path("h.ics"), HOLIDAYS).unwrap();
    let log = [
        login(0, "alice"),
        login(1, "alice"),
        login(2, "bob"),
        login(3, "bob"),
    ];
    fs::write(room.path("logs/auth.log"), log.concat()).unwrap();
    let mut daemon = room.start();
    daemon.catch_up();
    // A list that cannot be read changes nothing, and that is said once.
    fs::write(room.path("admins.txt"), b"caf\xe9\n").unwrap();
    let refused = || room.errors().matches("stay as they were").count();
    wait_until("its refusal", || refused() == 1);
    assert!(room.errors().contains("admins.txt"));
    room.append("logs/auth.log", login(4, "carol"));
    fs::write(room.path("admins.txt"), "alice\nbob\n").unwrap();
    let taken = || room.errors().matches("the rules go by them").count();
    wait_until("the new list", || taken() == 1);
    assert_eq!(refused(), 1);
    let more = [
        login(5, "bob"),
        login(6, "alice"),
        login(7, "bob"),
        login(8, "carol"),
    ];
    room.append("logs/auth.log", more.concat());
    let alerts = || fs::read_to_string(room.path("alerts.jsonl")).unwrap_or_default();
    // Two of alice's three were counted before the list changed, none of bob's.
    wait_until("alice's alert", || alerts().contains("alice"));
    assert!(!alerts().contains("bob"), "{}", alerts());
    // A calendar that changes is taken up the same way.
    fs::write(room.path("h.ics"), HOLIDAYS.replace("20200707", "20200708")).unwrap();
    wait_until("the new calendar", || taken() == 2);
    room.append("logs/auth.log", login(9, "bob"));
    wait_until("bob's alert", || alerts().contains("bob"));
    daemon.stop();
}
