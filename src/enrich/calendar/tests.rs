//! Calendars as people have them, and as they break.

use super::*;

fn calendar(events: &str) -> (Holidays, Report) {
    let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n");
    parse("h.ics", text.as_bytes()).unwrap()
}

fn event(lines: &str) -> String {
    format!(
        "BEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\n",
        lines.replace('\n', "\r\n")
    )
}

/// Which days of a year are holidays at noon.
fn of_year(holidays: &Holidays, year: i16) -> Vec<String> {
    let mut day = Date::new(year, 1, 1).unwrap();
    let mut found = Vec::new();
    while day.year() == year {
        if holidays.cover(days(day) * SECS_PER_DAY + 43_200, 0) {
            found.push(day.strftime("%m-%d").to_string());
        }
        day = day.tomorrow().unwrap();
    }
    found
}

fn found(lines: &str, year: i16) -> Vec<String> {
    let (holidays, report) = calendar(&event(lines));
    assert_eq!((report.rows, report.broken), (1, 0), "{:?}", report.shown);
    of_year(&holidays, year)
}

#[test]
fn a_day_ends_at_midnight_and_several_end_before_the_last_named() {
    let one = "DTSTART;VALUE=DATE:20250101\nSUMMARY:New Year";
    assert_eq!(found(one, 2025), ["01-01"]);
    assert!(found(one, 2026).is_empty());
    let until = "DTSTART;VALUE=DATE:20251225\nDTEND;VALUE=DATE:20251227";
    assert_eq!(found(until, 2025), ["12-25", "12-26"]);
    let long = "DTSTART;VALUE=DATE:20251225\nDURATION:P1W";
    assert_eq!(found(long, 2025).len(), 7);
    assert_eq!(duration("P1DT2H30M"), Some(95_400));
    for wrong in [
        "",
        "P",
        "1D",
        "P1",
        "PD",
        "P1H",
        "-P1D",
        "P99999999999999999999D",
    ] {
        assert!(duration(wrong).unwrap_or(0) <= 0, "{wrong}");
    }
}

#[test]
fn hours_are_those_of_their_zone() {
    let (holidays, _) = calendar(
        &[
            event("DTSTART;TZID=Europe/Amsterdam:20250704T120000\nDTEND;TZID=Europe/Amsterdam:20250704T180000"),
            event("DTSTART:20250808T080000Z\nDURATION:PT2H"),
            event("DTSTART:20250909T080000\nDURATION:PT2H"),
        ]
        .concat(),
    );
    let at = |month, day, hour: i64| {
        days(Date::new(2025, month, day).unwrap()) * SECS_PER_DAY + hour * 3600
    };
    // Amsterdam is two hours ahead in July; a wall in UTC shows ten.
    assert!(holidays.cover(at(7, 4, 10), 0) && !holidays.cover(at(7, 4, 9), 0));
    assert!(holidays.cover(at(7, 4, 15), 0) && !holidays.cover(at(7, 4, 16), 0));
    assert!(holidays.cover(at(8, 8, 11), 3 * 3600) && !holidays.cover(at(8, 8, 8), 3 * 3600));
    assert!(holidays.cover(at(9, 9, 8), 0) && holidays.cover(at(9, 9, 8), 3 * 3600));
}

#[test]
fn what_comes_every_year_comes_by_date_by_weekday_and_as_often_as_said() {
    let yearly = "DTSTART;VALUE=DATE:20200427\nRRULE:FREQ=YEARLY";
    assert_eq!(found(yearly, 2031), ["04-27"]);
    let thanks = "DTSTART;VALUE=DATE:20201126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH";
    assert_eq!(found(thanks, 2025), ["11-27"]);
    let may = "DTSTART;VALUE=DATE:20200525\nRRULE:FREQ=YEARLY;BYDAY=-1MO;BYMONTH=5";
    assert_eq!(found(may, 2025), ["05-26"]);
    let last = "DTSTART;VALUE=DATE:20201231\nRRULE:FREQ=YEARLY;BYMONTHDAY=-1;BYMONTH=2,12";
    assert_eq!(found(last, 2024), ["02-29", "12-31"]);
    let first = "DTSTART;VALUE=DATE:20200106\nRRULE:FREQ=YEARLY;BYDAY=1MO,-1FR";
    assert_eq!(found(first, 2025), ["01-06", "12-26"]);
    // Election day: the Tuesday after the first Monday.
    let vote = "DTSTART;VALUE=DATE:20201103\nRRULE:FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8";
    assert_eq!(found(vote, 2024), ["11-05"]);
    assert!(found(vote, 2025).is_empty());
    let thrice = "DTSTART;VALUE=DATE:20230101\nRRULE:FREQ=YEARLY;COUNT=3";
    assert_eq!(
        (found(thrice, 2025).len(), found(thrice, 2026).len()),
        (1, 0)
    );
    let until = "DTSTART;VALUE=DATE:20230101\nRRULE:FREQ=YEARLY;UNTIL=20250101T000000Z";
    assert_eq!((found(until, 2025).len(), found(until, 2026).len()), (1, 0));
    let leap = "DTSTART;VALUE=DATE:20200229\nRRULE:FREQ=YEARLY";
    assert_eq!(found(leap, 2024), ["02-29"]);
    assert!(found(leap, 2025).is_empty());
}

#[test]
fn days_are_left_out_and_added_one_by_one() {
    let lines = "DTSTART;VALUE=DATE:20240501\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20250501,20270501\nRDATE;VALUE=DATE:20250502";
    assert_eq!(found(lines, 2024), ["05-01"]);
    assert_eq!(found(lines, 2025), ["05-02"]);
    assert!(found(lines, 2027).is_empty());
    let (holidays, report) = calendar(&event("DTSTART;VALUE=DATE:20250101\nSTATUS:CANCELLED"));
    assert!(holidays.is_empty() && report.broken == 0);
}

#[test]
fn lines_are_unfolded_and_alarms_and_zones_are_not_days() {
    let text = "BEGIN:VTIMEZONE\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=MONTHLY\r\n\
        END:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DA\r\n TE;X-A=\"a;b:c\":2025\r\n\t0606\r\n\
        BEGIN:VALARM\r\nDURATION:nonsense\r\nEND:VALARM\r\nEND:VEVENT\r\n";
    let (holidays, report) = calendar(text);
    assert_eq!((report.rows, report.broken), (1, 0), "{:?}", report.shown);
    assert_eq!(of_year(&holidays, 2025), ["06-06"]);
    assert_eq!(holidays, calendar(&text.replace("\r\n", "\n")).0);
}

#[test]
fn what_is_not_understood_is_told_by_its_line_and_the_rest_is_used() {
    let events = [
        event("DTSTART;VALUE=DATE:20250102\nRRULE:FREQ=YEARLY;BYSETPOS=1"),
        event("DTSTART;VALUE=DATE:20251399"),
        event("DTSTART;VALUE=DATE:20250103\nDTEND;VALUE=DATE:20250103"),
        event("DTSTART;VALUE=DATE:20250104\nRRULE:FREQ=YEARLY;INTERVAL=9223372036854775808"),
        event("DTSTART;TZID=Mars/Olympus:20250105T000000\nDURATION:P1D"),
        event("DTSTART;VALUE=DATE:20250107\nDURATION:P9223372036854775808D"),
        event("DTSTART;VALUE=DATE:20250108\nDURATION:P500D"),
        event("SUMMARY:never\nno colon"),
        "END:VTODO\r\n".to_owned(),
        event("DTSTART;VALUE=DATE:20250109"),
        "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20250110\r\n".to_owned(),
    ];
    let (holidays, report) = calendar(&events.concat());
    assert_eq!(
        of_year(&holidays, 2025),
        ["01-02", "01-04", "01-05", "01-07", "01-09"]
    );
    for (shown, what) in report.shown.iter().zip([
        "h.ics:5: \"BYSETPOS=1\" is not understood; only the event's first day is used",
        "h.ics:8: \"20251399\" is no day",
        "h.ics:7: no DTSTART that can be read; the event is left out",
        "h.ics:10: it ends when it begins, or before; the event is left out",
        "h.ics:16: \"INTERVAL=9223372036854775808\"",
        "h.ics:19: \"Mars/Olympus\" is no zone",
        "h.ics:24: \"P9223372036854775808D\" is no length",
        "h.ics:26: it is longer than a year",
        "h.ics:32: no colon",
        "h.ics:30: no DTSTART",
        "h.ics:34: the end of \"VTODO\"",
        "h.ics:38: an event without its end",
    ]) {
        assert!(shown.starts_with(what), "{what}: {shown}");
    }
    assert_eq!(report.broken, 12);
}

#[test]
fn bytes_that_are_no_text_cost_their_line_only() {
    let mut text =
        b"\xef\xbb\xbfBEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Caf\xe9\nDESCRIPTION:a\0b\nX-LONG:"
            .to_vec();
    text.extend(b"x".repeat(70_000));
    text.extend(b"\nDTSTART;VALUE=DATE:20250101\nEND:VEVENT\nEND:VCALENDAR\n");
    let (holidays, report) = parse("h.ics", &text).unwrap();
    assert_eq!(of_year(&holidays, 2025), ["01-01"]);
    let told = [
        "h.ics:3: not UTF-8",
        "h.ics:4: a NUL byte",
        "h.ics:5: longer than 64 KiB",
    ];
    for (shown, what) in report.shown.iter().zip(told) {
        assert!(shown.starts_with(what), "{shown}");
    }
    for other in ["", "cidr,asn\n", "BEGIN:VCARD\nEND:VCARD\n", "\0\0\0"] {
        let error = parse("h.ics", other.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("h.ics: it does not begin"), "{error}");
    }
}

#[test]
fn any_byte_may_be_wrong() {
    let good = event(
        "DTSTART;VALUE=DATE:20201126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\nEXDATE:20211125",
    ) + &event(
        "DTSTART;TZID=Europe/Lisbon:20250704T120000\nDURATION:PT6H\nRRULE:FREQ=YEARLY;COUNT=4",
    );
    let good = format!("BEGIN:VCALENDAR\r\n{good}END:VCALENDAR\r\n").into_bytes();
    for at in 0..good.len() {
        for flip in [0xff, 0x01, 0x10, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            if let Ok((holidays, report)) = parse("h.ics", &bad) {
                assert!(report.shown.iter().all(|line| line.starts_with("h.ics:")));
                let _ = holidays.within(0, 4_000_000_000, 3600);
            }
        }
        let _ = parse("h.ics", &good[..at]);
    }
}

#[test]
fn a_file_full_of_rules_ends_and_says_that_it_was_too_many() {
    let every = event("DTSTART;VALUE=DATE:00010101\nRRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU");
    let (_, report) = calendar(&every.repeat(3));
    assert!(
        report
            .shown
            .iter()
            .all(|line| line.contains("more than 500000 days")),
        "{:?}",
        report.shown
    );
    assert!(report.broken > 0);
}
