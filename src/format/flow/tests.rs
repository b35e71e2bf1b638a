use bumpalo::Bump;

use super::*;

const NFDUMP_SAMPLE: &str = include_str!("../../../sample-logs/formats/nfdump-header.log");
const VPC_SAMPLE: &str = include_str!("../../../sample-logs/formats/vpcflow-header.log");

fn context() -> Context {
    Context::utc(Time::from_secs(1_718_409_600))
}

fn shown(line: &str, context: &Context) -> (Verdict, String) {
    let fields = [
        Field::EVENT_OUTCOME,
        Field::NETWORK_TRANSPORT,
        Field::SOURCE_IP,
        Field::SOURCE_PORT,
        Field::DESTINATION_IP,
        Field::DESTINATION_PORT,
        Field::SOURCE_BYTES,
        Field::SOURCE_PACKETS,
        Field::EVENT_DURATION,
    ];
    let seen = crate::format::shape::seen(line, context, &fields);
    let peeked = crate::format::peek_time(line.as_bytes(), context);
    let peeked = peeked.map_or("-".to_owned(), |time| time.to_string());
    assert_eq!(peeked, seen.time, "{line}");
    let fields = seen.fields.replace('|', " ");
    (seen.verdict, format!("{} {fields}", seen.time))
}

#[test]
fn rows_without_a_header_have_the_default_columns() {
    for (line, expected) in [
        (
            NFDUMP.example,
            "2024-06-15T10:00:00Z unknown tcp 192.0.2.7 40022 198.51.100.5 443 3400 12 4096000000",
        ),
        (
            VPC.example,
            "2024-06-15T10:01:00Z success tcp 192.0.2.7 40022 198.51.100.5 443 4249 20 60000000000",
        ),
        (
            "2 123456789010 eni-0123456789abcdef0 2001:db8::7 2001:db8::5 0 0 58 2 84 1718445600 1718445660 REJECT OK",
            "2024-06-15T10:01:00Z failure ipv6-icmp 2001:db8::7 - 2001:db8::5 - 84 2 60000000000",
        ),
        (
            "2024-06-15 10:00:00.125,2024-06-15 10:00:00.125,0.000,192.0.2.7,198.51.100.5,0,8.0,ICMP,......,0,0,1,84,0,0",
            "2024-06-15T10:00:00.125Z unknown icmp 192.0.2.7 - 198.51.100.5 - 84 1 0",
        ),
    ] {
        assert_eq!(
            shown(line, &context()),
            (Verdict::Event, expected.to_owned()),
            "{line}"
        );
    }
}

#[test]
fn every_row_below_a_header_is_read_by_it() {
    for (sample, rows, expected) in [
        (
            NFDUMP_SAMPLE,
            3,
            "2024-06-15T10:00:00.125Z unknown tcp 192.0.2.7 40022 198.51.100.5 443 3400 12 4096000000",
        ),
        (
            VPC_SAMPLE,
            3,
            "2024-06-15T10:01:00Z success tcp 192.0.2.7 40022 198.51.100.5 443 4249 20 60000000000",
        ),
    ] {
        let mut context = context();
        let mut read = Vec::new();
        for line in sample.lines() {
            assert_eq!(
                crate::format::announces(line.as_bytes()),
                context.absorb(line.as_bytes())
            );
            if !crate::format::announces(line.as_bytes()) {
                read.push(shown(line, &context));
            }
        }
        assert_eq!(read.len(), rows);
        assert!(read.iter().all(|(verdict, _)| *verdict == Verdict::Event));
        assert_eq!(read.first().map(|row| row.1.as_str()), Some(expected));
    }
}

#[test]
fn rows_that_are_cut_or_say_nothing_are_no_events() {
    let nothing =
        "2 123456789010 eni-0123456789abcdef0 - - - - - - - 1718445600 1718445660 - NODATA";
    assert_eq!(shown(nothing, &context()).0, Verdict::NotMine);
    for line in [
        "2 123456789010 eni-0123456789abcdef0 192.0.2.7 198.51.100.5 40022 443 6 20 4249 1718445600",
        "2 123456789010 eni-0123456789abcdef0 192.0.2 198.51.100.5 40022 443 6 20 4249 1718445600 1718445660 ACCEPT OK",
        "2024-06-15 10:00:00,2024-06-15 10:00:04,4.096,192.0.2.7,198.51.100.5,40022,443,TCP",
    ] {
        assert!(
            matches!(shown_verdict(line), Verdict::Malformed(_)),
            "{line}"
        );
    }
}

fn shown_verdict(line: &str) -> Verdict {
    let arena = Bump::new();
    let mut event = Event::new();
    crate::format::parse(line.as_bytes(), &context(), &arena, &mut event).verdict
}

#[test]
fn a_sentence_is_no_header() {
    for line in [
        "bytes are counted from the start",
        "start end",
        "ts,te,td",
        "version of the program",
        "duration,proto,packets,bytes",
    ] {
        assert!(!context().absorb(line.as_bytes()), "{line}");
    }
}
