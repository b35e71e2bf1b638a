//! What logs should not hold and do: stamps of another year, lines out of
//! order, twice or in part, numbers that no machine can send, names without
//! end. All of it goes through the whole pipeline with the shipped rules, is
//! counted, and changes nothing of what is found.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use tipstaff::alert::Alert;
use tipstaff::pipeline::{Progress, Readings, ReplayOptions, Start, Summary, replay};

use crate::support::shipped;

/// Monday 2025-09-01T00:00:00Z.
const MONDAY: i64 = 1_756_684_800;

const DAY: i64 = 86_400;

fn stamp(secs: i64) -> String {
    jiff::Timestamp::from_second(secs).unwrap().to_string()
}

fn sshd(secs: i64, host: &str, message: &str) -> String {
    format!("{} {host} sshd[812]: {message}\n", stamp(secs))
}

/// `(when, line)` of four weeks of twenty people, and of the night in which
/// somebody else comes as user3.
fn office() -> Vec<(i64, String)> {
    let mut lines = Vec::new();
    for hour in 0..30 * 24 {
        let when = MONDAY + hour * 3600 + 1020;
        let line = format!(
            "{} web0 CRON[77]: (root) CMD (run-parts /etc/cron.hourly)\n",
            stamp(when)
        );
        lines.push((when, line));
    }
    for day in (0..28).filter(|day| day % 7 < 5) {
        for user in 0..20_i64 {
            for visit in 0..4 {
                let when = MONDAY + day * DAY + (8 + visit * 2) * 3600 + user * 97;
                let message = format!(
                    "Accepted publickey for user{user} from 10.0.0.{} port {} ssh2",
                    10 + user,
                    40_000 + visit,
                );
                lines.push((when, sshd(when, &format!("web{}", user % 4), &message)));
            }
        }
    }
    let night = MONDAY + 29 * DAY + 3 * 3600;
    for n in 0..12 {
        let when = night + n * 20;
        let message = format!(
            "Failed password for user3 from 203.0.113.9 port {} ssh2",
            50_000 + n
        );
        lines.push((when, sshd(when, "db1", &message)));
    }
    let when = night + 300;
    let message = "Accepted password for user3 from 203.0.113.9 port 50100 ssh2";
    lines.push((when, sshd(when, "db1", message)));
    lines
}

/// The lines in order of `when`, which need not be what their stamps say.
fn text(mut lines: Vec<(i64, String)>) -> String {
    lines.sort_by_key(|(when, _)| *when);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// Every alert, and what was counted; the same for one thread and for three.
fn told(folder: &Path) -> (Vec<Alert>, Summary) {
    let run = |threads| {
        let options = ReplayOptions {
            paths: vec![folder.to_owned()],
            threads,
            start: Start::in_year(2025),
            readings: Readings::default(),
            tables: Arc::default(),
        };
        let mut alerts = Vec::new();
        let each = &mut |alert: &Alert| alerts.push(alert.clone());
        let summary = replay(&options, shipped(), &Progress::default(), each);
        (alerts, summary)
    };
    let (one, summary) = run(1);
    let (three, _) = run(3);
    assert_eq!(one, three, "threads change nothing");
    (one, summary)
}

fn of_log(name: &str, text: &str) -> (Vec<Alert>, Summary) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    told(folder.path())
}

/// Whether all that is found in the clean log is found in the other, as odd.
fn same_findings(clean: &[Alert], dirty: &[Alert], most_more: usize) {
    assert!(!clean.is_empty(), "there is something to find");
    for alert in clean {
        let found = dirty
            .iter()
            .find(|other| (other.id, other.revision) == (alert.id, alert.revision));
        let found = found.unwrap_or_else(|| panic!("{} is missed", alert.rule.title));
        let (was, is) = (
            alert.score.bits.unwrap_or(0.0),
            found.score.bits.unwrap_or(0.0),
        );
        // Whoever comes twice is known a little better, and one entity more
        // among a dozen changes what is common.
        let near = (was - is).abs() < 0.25 * was + 0.5;
        assert!(near, "{}: {was} {is}", alert.rule.title);
    }
    let more: Vec<_> = dirty
        .iter()
        .filter(|a| clean.iter().all(|b| a.id != b.id))
        .collect();
    let titles: Vec<_> = more.iter().map(|alert| &alert.rule.title).collect();
    assert!(more.len() <= most_more, "{titles:?}");
}

#[test]
fn stamps_of_other_years_are_counted_and_move_nothing() {
    let (clean, _) = of_log("auth.log", &text(office()));
    let mut lines = office();
    for n in 0..60_i64 {
        // Wherever they stand in the log: years ahead, years ago, the ends of time.
        let far = [
            3 * 365 * DAY,
            -2 * 365 * DAY,
            200 * 365 * DAY,
            -50 * 365 * DAY,
        ];
        let when = MONDAY + DAY / 2 + n * DAY / 4;
        let message = format!("Accepted password for user3 from 198.51.100.{n} port 1 ssh2");
        let other = far[usize::try_from(n).unwrap() % 4];
        lines.push((when, sshd(when + other, "db1", &message)));
    }
    let (dirty, summary) = of_log("auth.log", &text(lines));
    same_findings(&clean, &dirty, 0);
    assert_eq!(
        summary.counts.future + summary.counts.late,
        60,
        "{:?}",
        summary.counts
    );
}

#[test]
fn a_clock_that_is_set_back_for_an_afternoon_makes_no_alert() {
    let (clean, _) = of_log("auth.log", &text(office()));
    let mut lines = office();
    // 300 lines of a host three hours behind all others, in one log with them.
    for n in 0..300_i64 {
        let when = MONDAY + 16 * DAY + 14 * 3600 + n * 10;
        let message = format!(
            "Disconnected from user user{} 10.0.0.{} port 40000",
            n % 20,
            10 + n % 20
        );
        lines.push((when, sshd(when - 3 * 3600, "web9", &message)));
    }
    let (dirty, summary) = of_log("auth.log", &text(lines));
    same_findings(&clean, &dirty, 0);
    assert!(summary.counts.late > 0, "{:?}", summary.counts);
}

#[test]
fn lines_out_of_order_and_lines_twice_change_little() {
    let (clean, _) = of_log("auth.log", &text(office()));
    // Each fifth line four minutes late, each third twice, and a whole day again later.
    let mut lines = Vec::new();
    for (n, (when, line)) in office().into_iter().enumerate() {
        let night = when > MONDAY + 28 * DAY;
        let late = if n % 5 == 0 && !night { 240 } else { 0 };
        if n % 3 == 0 && !night {
            lines.push((when + late, line.clone()));
        }
        if (MONDAY + 8 * DAY..MONDAY + 9 * DAY).contains(&when) {
            lines.push((when + 2 * DAY, line.clone()));
        }
        lines.push((when + late, line));
    }
    let (dirty, summary) = of_log("auth.log", &text(lines));
    same_findings(&clean, &dirty, 0);
    assert!(
        summary.counts.late >= 80,
        "the day again: {:?}",
        summary.counts
    );
    assert!(summary.counts.repeated >= 400, "{:?}", summary.counts);
}

const CONN: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n\
    #fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\torig_ip_bytes\n\
    #types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tcount\n";

fn conn(secs: i64, from: i64, to: &str, bytes: &str) -> (i64, String) {
    let mut line = String::new();
    writeln!(
        line,
        "{secs}.000001\tC{secs}x{from}\t10.20.30.{from}\t50000\t{to}\t443\ttcp\tssl\t1.5\t{bytes}\t4000\tSF\t{bytes}"
    )
    .unwrap();
    (secs, line)
}

/// Four weeks of thirty desks that upload a little, and one bulk upload.
fn desks() -> Vec<(i64, String)> {
    let mut lines = Vec::new();
    for hour in 0..30 * 24 {
        lines.push(conn(MONDAY + hour * 3600 + 1020, 99, "10.20.30.2", "800"));
    }
    for day in (0..28).filter(|day| day % 7 < 5) {
        for hour in 8..17 {
            for desk in 1..31 {
                let when = MONDAY + day * DAY + hour * 3600 + desk * 61;
                let bytes = 20_000 + (desk * 7919 + day * 104_729 + hour * 1299) % 90_000;
                let to = format!("203.0.113.{}", 10 + (desk + hour) % 12);
                lines.push(conn(when, desk, &to, &bytes.to_string()));
            }
        }
    }
    for n in 0..40 {
        let when = MONDAY + 28 * DAY + 10 * 3600 + n * 30;
        lines.push(conn(when, 7, "198.51.100.77", "90000000"));
    }
    lines
}

#[test]
fn bytes_that_cannot_be_are_counted_once_and_taught_to_nobody() {
    let (clean, _) = of_log("conn.log", &(CONN.to_owned() + &text(desks())));
    let mut lines = desks();
    let odd = [
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "99999999999999999999999999",
        "-1",
        "-9223372036854775808",
        "-",
        "1e300",
        "NaN",
        "0x10",
        "",
    ];
    for day in 8..27 {
        for (n, bytes) in (0_i64..).zip(odd) {
            lines.push(conn(
                MONDAY + day * DAY + 5 * 3600 + n * 60,
                7,
                "203.0.113.12",
                bytes,
            ));
        }
    }
    let (dirty, summary) = of_log("conn.log", &(CONN.to_owned() + &text(lines)));
    // An exabyte is worth a look, each day again, by each rule that adds up bytes.
    same_findings(&clean, &dirty, 4 * 19);
    assert!(summary.counts.malformed > 0, "{:?}", summary.counts);
}

#[test]
fn a_name_of_64_kib_is_one_entity_and_takes_no_more_room_than_another() {
    let (clean, before) = of_log("auth.log", &text(office()));
    let mut lines = office();
    for n in 0..200_i64 {
        let name = char::from(b'a' + u8::try_from(n % 26).unwrap())
            .to_string()
            .repeat(65_000);
        let when = MONDAY + 10 * DAY + n * 300;
        let message =
            format!("Failed password for invalid user {name} from 203.0.113.50 port 1 ssh2");
        lines.push((when, sshd(when, "web1", &message)));
        let message = format!("Accepted password for {name} from 10.0.9.9 port 1 ssh2");
        lines.push((when + 1, sshd(when + 1, "web1", &message)));
    }
    let (dirty, summary) = of_log("auth.log", &text(lines));
    same_findings(&clean, &dirty, 60);
    let more = summary.state_bytes - before.state_bytes;
    assert!(more < 8_000_000, "{more} bytes of state");
    let long = dirty
        .iter()
        .flat_map(|alert| &alert.entity)
        .map(|(_, v)| v.len())
        .max();
    assert!(long < Some(4096), "{long:?}");
}

#[test]
fn bytes_of_any_kind_in_a_log_are_survived() {
    let mut noise = Vec::new();
    let mut state = 1_u64;
    for n in 0..60_000_u32 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        noise.push(state.to_le_bytes()[6]);
        if n % 211 == 0 {
            noise.extend_from_slice(b"\n2025-09-01T10:00:00Z web1 sshd[1]: Accepted ");
        }
    }
    let (clean, _) = of_log("auth.log", &text(office()));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("auth.log"), text(office())).unwrap();
    std::fs::write(folder.path().join("noise.log"), noise).unwrap();
    let (dirty, _) = told(folder.path());
    same_findings(&clean, &dirty, 5);
}
