//! Templates in general, and hostile text in every hole of a table's.

use super::*;
use crate::format::template::hole::Hole;

const TRUE: &str = "192.0.2.7";
const FALSE: &str = "198.51.100.9";

/// Fills each line's holes, its free ones with hostile text, and checks that
/// no address or port but the true one is ever read.
pub(in crate::format) fn assert_hostile_text_moves_nothing<T: Copy>(table: &Table<T>) {
    for line in table.lines() {
        let plain = filled(line, "alice");
        let read = table.find(plain.as_bytes(), |_| true);
        assert!(matches!(read, Ok(Some(_))), "{plain}");
        let mut attacks = vec![
            FALSE.to_owned(),
            format!(" from {FALSE}"),
            format!("x from {FALSE} port 9"),
            format!("x' from '{FALSE}"),
            format!("x\" ip=\"{FALSE}"),
        ];
        // The line's own words, with another address.
        let other = filled(line, "bob").replace(TRUE, FALSE);
        attacks.extend((0..=other.len()).map(|at| other[at..].to_owned()));
        attacks.extend((0..=other.len()).map(|at| other[..at].to_owned()));
        for attack in attacks {
            let hostile = filled(line, &attack);
            assert_nothing_moved(table, &hostile);
        }
    }
}

fn assert_nothing_moved<T: Copy>(table: &Table<T>, line: &str) {
    let Ok(Some(reading)) = table.find(line.as_bytes(), |_| true) else {
        return;
    };
    let mut event = Event::new();
    reading.set(&mut event);
    let seen = |field, expected: &str| {
        let shown = event.shown(field);
        assert!([expected, "-"].contains(&shown.as_str()), "{line}: {shown}");
    };
    seen(Field::SOURCE_IP, TRUE);
    seen(Field::DESTINATION_IP, TRUE);
    seen(Field::SOURCE_PORT, "40022");
    seen(Field::DESTINATION_PORT, "40022");
}

/// A line with text in its holes.
fn filled(line: &str, free: &str) -> String {
    let mut pieces = line.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, words) = piece.split_once('}').unwrap();
        text.push_str(match (name, Hole::read(name).unwrap()) {
            ("host?", _) => TRUE,
            ("protocol", _) => "tcp",
            ("direction", _) => "inbound",
            (_, Hole::Own | Hole::Rest) => "",
            (_, hole) if hole.is_free() => free,
            (_, hole) => ONES
                .iter()
                .find(|one| hole.takes(one.as_bytes()))
                .unwrap_or_else(|| panic!("nothing for {{{name}}}")),
        });
        text.push_str(words);
    }
    text
}

/// One of these is taken by any hole that is not free.
const ONES: [&str; 9] = [
    "40022",
    "192.0.2.7:40022",
    "192.0.2.7",
    "mx.example[192.0.2.7]",
    "IPV4/UDP/192.0.2.7/40022",
    "192.0.2.7[40022]",
    "a.example",
    "a",
    "",
];

static TABLE: Table = Table::new(&[
    (["login", "failure", "x"], &["login of {user} from {src}"]),
    (
        ["late", "failure", "x"],
        &["login of {user} from {src} failed: {reason}"],
    ),
    (["ban", "success", "x"], &["ban {net} for {n} secs{*}"]),
    (["both", "success", "x"], &["to {server} by {client}"]),
    (
        ["who", "unknown", "x"],
        &["who {host} port {port}, {account}"],
    ),
]);

fn shown(text: &str) -> (Verdict, String) {
    let mut event = Event::new();
    let verdict = TABLE.read(text.as_bytes(), &mut event);
    let fields = [
        Field::EVENT_ACTION,
        Field::USER_NAME,
        Field::SOURCE_IP,
        Field::SOURCE_PORT,
        Field::DESTINATION_IP,
        Field::EVENT_REASON,
    ];
    let values: Vec<String> = fields.iter().map(|&field| event.shown(field)).collect();
    (verdict, values.join("|"))
}

#[test]
fn holes_take_what_they_are_for() {
    for (text, expected) in [
        (
            "login of a b from 192.0.2.7:50022",
            "login|a b|192.0.2.7|50022|-|-",
        ),
        (
            "login of alice from [2001:db8::1]:7 failed: no: such",
            "late|alice|2001:db8::1|7|-|no: such",
        ),
        ("ban 192.0.2.7/32 for 7 secs (x)", "ban|-|192.0.2.7|-|-|-"),
        (
            "to mx[198.51.100.2]:25 by unknown[192.0.2.7]",
            "both|-|192.0.2.7|-|198.51.100.2|-",
        ),
        ("who 192.0.2.7 port 7, bob", "who|bob|192.0.2.7|7|-|-"),
    ] {
        assert_eq!(shown(text), (Verdict::Event, expected.to_owned()), "{text}");
    }
    for text in [
        "login of alice from host.example",
        "ban 192.0.2.7/x for 7 secs",
        "who 192.0.2.7 port 70000, bob",
        "who 192.0.2.7 port 7, b b",
        "a login of alice from 192.0.2.7",
    ] {
        assert_eq!(shown(text).0, Verdict::NotMine, "{text}");
    }
}

#[test]
fn an_address_within_a_name_moves_nothing() {
    assert_eq!(
        shown("login of x from 198.51.100.66 from 192.0.2.7").1,
        "login|x from 198.51.100.66|192.0.2.7|-|-|-"
    );
    // Here the reason could be the name's end: nobody knows.
    let two = "login of x from 198.51.100.66 failed: y from 192.0.2.7 failed: z";
    assert!(matches!(shown(two).0, Verdict::Malformed(_)));
}

#[test]
fn a_line_of_separators_is_given_up() {
    let text = format!("login of {}", " from 192.0.2.7 failed: ".repeat(20_000));
    assert!(matches!(shown(&text).0, Verdict::Malformed(_)));
    let text = format!("login of {}", " from ".repeat(50_000));
    assert!(matches!(shown(&text).0, Verdict::Malformed(_)));
}

static SAMPLES: Table = Table::new(&[
    (
        ["login", "failure", "authentication"],
        &[
            "failed for {user} from {ip} port {port}",
            "denied {user} from {host?} ({*})",
            "refused {socket}: {reason}",
        ],
    ),
    (
        ["connection", "failure", "network"],
        &[
            "Denied {protocol} type={w}, code={w} from {from-end} on {ingress}{...}",
            "for user '{identity}' from {from-end} to {to-end}{...}",
            "{own} dropped {from-end}{...}",
        ],
    ),
]);

fn sampled(text: &str) -> String {
    let mut event = Event::new();
    let verdict = SAMPLES.read(text.as_bytes(), &mut event);
    let fields = [
        Field::USER_NAME,
        Field::SOURCE_IP,
        Field::SOURCE_PORT,
        Field::DESTINATION_IP,
        Field::EVENT_REASON,
    ];
    let values = fields.map(|field| event.shown(field));
    format!("{verdict:?} {}", values.join("|"))
}

#[test]
fn a_line_is_read_where_there_is_one_way_to() {
    for (text, expected) in [
        (
            "failed for alice from 192.0.2.7 port 22",
            "Event alice|192.0.2.7|22|-|-",
        ),
        (
            "failed for x from 198.51.100.1 port 1 from 192.0.2.7 port 22",
            "Event x from 198.51.100.1 port 1|192.0.2.7|22|-|-",
        ),
        ("denied alice from ? (a)", "Event alice|-|-|-|-"),
        (
            "denied x from 198.51.100.1 (b from 192.0.2.7 (a)",
            "Malformed(\"more than one way to read it\") -|-|-|-|-",
        ),
        (
            "refused 2001:db8::1:22: a: b",
            "Event -|2001:db8::1|22|-|a: b",
        ),
        ("failed for alice", "NotMine -|-|-|-|-"),
        (
            "Denied ICMP type=3, code=3 from 192.0.2.7 on outside at once",
            "Event -|192.0.2.7|-|-|-",
        ),
        ("Denied ICMP type=3 from 192.0.2.7", "NotMine -|-|-|-|-"),
        (
            "for user 'bob' from 192.0.2.7/1 to 198.51.100.5/2",
            "Event bob|192.0.2.7|1|198.51.100.5|-",
        ),
        (
            "rule 7 dropped 192.0.2.7:22 dropped 198.51.100.1",
            "Event -|192.0.2.7|22|-|-",
        ),
    ] {
        assert_eq!(sampled(text), expected, "{text}");
    }
}

#[test]
fn what_a_user_calls_himself_moves_no_address() {
    let attack =
        "for user 'x' from 203.0.113.66/1 to 203.0.113.67 y' from 192.0.2.7/1 to 198.51.100.5/2";
    assert!(sampled(attack).starts_with("Malformed"));
    assert_hostile_text_moves_nothing(&SAMPLES);
}

#[test]
fn a_text_made_to_cost_time_is_given_up() {
    let text = format!("denied {} (", " from a (".repeat(200));
    assert!(sampled(&text).starts_with("NotMine"));
    assert!(sampled(&format!("{text})")).starts_with("Malformed"));
}
