//! Logs whose `#Fields:` header names their columns: IIS, CloudFront, and the
//! firewall of Windows.
//!
//! A value has no blank (IIS writes `+`), so that nothing the client sends
//! moves a column. Without a header, the columns are each log's default ones,
//! where a row looks like theirs.

use std::sync::LazyLock;

use bumpalo::Bump;

use super::http::{answered, status, target};
use super::timestamp;
use super::token::{Host, cut, number, once, port, some, trim_end};
use super::transport::{say_filtered, set_protocol, verdict};
use super::{Context, Format, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::time::Time;

pub(super) static FORMAT: Format = Format {
    name: "w3c",
    about: "IIS and CloudFront (http_request), Windows' firewall (connection), by their #Fields header",
    programs: &[],
    logsources: &[
        LogSource {
            product: "windows",
            categories: &["webserver"],
            services: &["iis"],
        },
        LogSource {
            product: "windows",
            categories: &["firewall"],
            services: &["firewall"],
        },
    ],
    parse: Parser::Line(parse),
    example: "2024-05-06 08:00:00 198.51.100.5 GET /index.html - 443 bob 192.0.2.7 curl/8.5.0 - 200 0 0 5",
};

/// Columns beyond this are not read; IIS has 22, CloudFront 33.
const COLUMNS_MAX: usize = 64;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Other,
    Date,
    Clock,
    Source,
    SourcePort,
    Destination,
    DestinationPort,
    Protocol,
    Action,
    Status,
    Stem,
    Query,
    Version,
    User,
    Text(Field),
    Count(Field),
}

/// The header of a log.
#[derive(Clone, Debug)]
pub struct Fields {
    columns: Box<[Column]>,
    separator: u8,
    /// Windows' firewall, not a web server.
    filters: bool,
}

const NAMES: &[(&str, Column)] = &[
    ("date", Column::Date),
    ("time", Column::Clock),
    ("c-ip", Column::Source),
    ("c-port", Column::SourcePort),
    ("s-ip", Column::Destination),
    ("s-port", Column::DestinationPort),
    ("src-ip", Column::Source),
    ("src-port", Column::SourcePort),
    ("dst-ip", Column::Destination),
    ("dst-port", Column::DestinationPort),
    ("protocol", Column::Protocol),
    ("action", Column::Action),
    ("size", Column::Count(Field::NETWORK_BYTES)),
    ("tcpflags", Column::Text(Field::TCP_FLAGS)),
    ("icmptype", Column::Count(Field::ICMP_TYPE)),
    ("icmpcode", Column::Count(Field::ICMP_CODE)),
    ("cs-method", Column::Text(Field::HTTP_METHOD)),
    ("cs-uri-stem", Column::Stem),
    ("cs-uri-query", Column::Query),
    ("cs-username", Column::User),
    ("cs-version", Column::Version),
    ("cs-protocol-version", Column::Version),
    ("cs-host", Column::Text(Field::URL_DOMAIN)),
    ("x-host-header", Column::Text(Field::URL_DOMAIN)),
    ("cs(Host)", Column::Text(Field::URL_DOMAIN)),
    ("cs(User-Agent)", Column::Text(Field::USER_AGENT)),
    ("cs(Referer)", Column::Text(Field::HTTP_REFERRER)),
    ("s-computername", Column::Text(Field::HOST_NAME)),
    ("sc-status", Column::Status),
    ("sc-bytes", Column::Count(Field::HTTP_RESPONSE_BYTES)),
    ("cs-bytes", Column::Count(Field::HTTP_REQUEST_BYTES)),
];

/// The columns of logs without a header, by how many values a row has.
const DEFAULTS: [&str; 5] = [
    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken",
    "#Fields: date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs-version cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken",
    "#Fields: date time action protocol src-ip dst-ip src-port dst-port size tcpflags tcpsyn tcpack tcpwin icmptype icmpcode info path",
    "#Fields: date\ttime\tx-edge-location\tsc-bytes\tc-ip\tcs-method\tcs(Host)\tcs-uri-stem\tsc-status\tcs(Referer)\tcs(User-Agent)\tcs-uri-query\tcs(Cookie)\tx-edge-result-type\tx-edge-request-id\tx-host-header\tcs-protocol\tcs-bytes\ttime-taken\tx-forwarded-for\tssl-protocol\tssl-cipher\tx-edge-response-result-type\tcs-protocol-version\tfle-status\tfle-encrypted-fields\tc-port",
];

static DEFAULT: LazyLock<[Option<Fields>; 5]> =
    LazyLock::new(|| DEFAULTS.map(|header| Fields::announced(header.as_bytes())));

impl Fields {
    /// The columns that a header names; none where it is no such header.
    pub fn announced(line: &[u8]) -> Option<Fields> {
        let names = trim_end(line.strip_prefix(b"#Fields:")?);
        let names = names.strip_prefix(b" ").unwrap_or(names);
        let separator = if names.contains(&b'\t') { b'\t' } else { b' ' };
        let columns: Box<[Column]> = names
            .split(|&b| b == separator)
            .take(COLUMNS_MAX)
            .map(|name| {
                let row = NAMES.iter().find(|(known, _)| known.as_bytes() == name);
                row.map_or(Column::Other, |row| row.1)
            })
            .collect();
        let has = |column| columns.contains(&column);
        let (dated, filters) = (has(Column::Date) && has(Column::Clock), has(Column::Action));
        // CloudFront's header has blanks, its rows have tabs.
        let edge = memchr::memmem::find(names, b"x-edge-location").is_some();
        dated.then_some(Fields {
            columns,
            separator: if edge { b'\t' } else { separator },
            filters,
        })
    }
}

/// The columns of a row: the header's, or the default ones of the log that the
/// row looks like.
fn in_force<'c>(line: &[u8], context: &'c Context) -> Option<&'c Fields> {
    if let Some(fields) = &context.w3c {
        return Some(fields);
    }
    let [full, short, wide, firewall, edge] = &*DEFAULT;
    if line.get(10) == Some(&b'\t') {
        return edge.as_ref();
    }
    let words = memchr::memchr_iter(b' ', line).count() + 1;
    let third = line.get(20..)?;
    let fits = match words {
        15 => full,
        14 => short,
        22 => wide,
        16..=18 => firewall,
        _ => return None,
    };
    let (word, rest) = cut(third, b" ")?;
    let sound = match words {
        16..=18 => matches!(
            word,
            b"DROP" | b"ALLOW" | b"OPEN" | b"CLOSE" | b"INFO-EVENTS-LOST"
        ),
        22 => word.starts_with(b"W3SVC"),
        _ => super::token::ip(word).is_some() && rest.first().is_some_and(u8::is_ascii_uppercase),
    };
    fits.as_ref().filter(|_| sound)
}

/// The row, if it begins with a date and the line is in this log's columns.
fn row<'c>(line: &[u8], context: &'c Context) -> Option<&'c Fields> {
    let dated = line.get(4) == Some(&b'-') && line.get(7) == Some(&b'-');
    let ends = matches!(line.get(10), Some(b' ' | b'\t'));
    if !dated || !ends {
        return None;
    }
    let separated = |fields: &&Fields| {
        let clock = fields.columns.get(1) == Some(&Column::Clock);
        line.get(10) == Some(&fields.separator)
            && (!clock || line.get(19) == Some(&fields.separator))
    };
    in_force(line, context).filter(separated)
}

/// Only the stamp.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    let fields = row(line, context)?;
    let cells = line.split(|&b| b == fields.separator);
    let mut stamp = Stamp::default();
    for (column, cell) in fields.columns.iter().zip(cells) {
        stamp.take(*column, cell);
    }
    stamp.time(fields, context)
}

/// The date and the time of day, which stand in two columns.
#[derive(Default)]
struct Stamp<'a> {
    date: &'a [u8],
    clock: &'a [u8],
}

impl<'a> Stamp<'a> {
    fn take(&mut self, column: Column, cell: &'a [u8]) {
        match column {
            Column::Date => self.date = cell,
            Column::Clock => self.clock = cell,
            _ => {}
        }
    }

    /// Web servers write UTC, Windows' firewall the local time.
    fn time(&self, fields: &Fields, context: &Context) -> Option<Time> {
        let mut stamp = [b' '; 19];
        stamp.get_mut(..10)?.copy_from_slice(self.date.get(..10)?);
        stamp.get_mut(11..)?.copy_from_slice(self.clock.get(..8)?);
        if fields.filters {
            return timestamp::iso(&stamp, context).map(|(time, _)| time);
        }
        timestamp::iso_civil(&stamp).and_then(|(civil, _)| civil.time())
    }
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    _arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let line = trim_end(line);
    let Some(fields) = row(line, context) else {
        return Verdict::NotMine;
    };
    let before = event.values().len();
    let edge = fields.separator == b'\t' && context.w3c.is_none();
    let mut stamp = Stamp::default();
    let mut found = Found::default();
    let mut cells = line.split(|&b| b == fields.separator);
    for &column in &fields.columns {
        let Some(cell) = cells.next() else {
            // Of CloudFront's columns, the last came over the years.
            if edge {
                break;
            }
            event.truncate(before);
            return Verdict::Malformed("fewer values than columns");
        };
        stamp.take(column, cell);
        if let Err(reason) = found.take(column, cell, event) {
            event.truncate(before);
            return Verdict::Malformed(reason);
        }
    }
    if cells.next().is_some() && !edge {
        event.truncate(before);
        return Verdict::Malformed("more values than columns");
    }
    event.time = stamp.time(fields, context);
    if event.time.is_none() {
        event.truncate(before);
        return Verdict::Malformed("no time");
    }
    if fields.filters {
        event.class.kind = 1;
    }
    found.finish(fields, event);
    Verdict::Event
}

/// What columns say together.
#[derive(Default)]
struct Found<'a> {
    action: &'a [u8],
    stem: &'a [u8],
    query: &'a [u8],
    status: Option<i64>,
}

impl<'a> Found<'a> {
    fn take(
        &mut self,
        column: Column,
        cell: &'a [u8],
        event: &mut Event<'a>,
    ) -> Result<(), &'static str> {
        if matches!(cell, b"-" | b"") {
            return Ok(());
        }
        match column {
            Column::Source if event.get(Field::SOURCE_IP).is_none() => {
                Host::read(cell).ok_or("no address")?.set(event);
            }
            Column::Destination => {
                if let Some(address) = super::token::ip(cell) {
                    once(event, Field::DESTINATION_IP, Value::Ip(address));
                }
            }
            Column::SourcePort | Column::DestinationPort => {
                let field = match column {
                    Column::SourcePort => Field::SOURCE_PORT,
                    _ => Field::DESTINATION_PORT,
                };
                let port = port(cell).ok_or("a port is no port")?;
                once(event, field, Value::Int(i64::from(port)));
            }
            Column::Protocol if event.get(Field::NETWORK_TRANSPORT).is_none() => {
                set_protocol(cell, event);
            }
            Column::Action => self.action = cell,
            Column::Status => self.status = status(cell)?,
            Column::Stem => self.stem = cell,
            Column::Query => self.query = cell,
            Column::Version => {
                some(
                    event,
                    Field::HTTP_VERSION,
                    cell.strip_prefix(b"HTTP/").unwrap_or(cell),
                );
            }
            Column::User => super::ends::user(cell, event),
            Column::Text(field) => some(event, field, cell),
            Column::Count(field) => {
                if let Some(n) = number(cell) {
                    once(event, field, Value::Int(n));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self, fields: &Fields, event: &mut Event<'a>) {
        if fields.filters {
            return say_filtered(verdict(self.action), event);
        }
        answered(self.status, event);
        target(self.stem, false, event);
        some(event, Field::URL_QUERY, self.query);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str, line: &str) -> (Verdict, String) {
        let mut context = Context::utc(Time::from_secs(1_714_982_400));
        assert_eq!(context.absorb(header.as_bytes()), !header.is_empty());
        let arena = Bump::new();
        let mut event = Event::new();
        let verdict = parse(line.as_bytes(), &context, &arena, &mut event);
        let fields = [
            Field::EVENT_OUTCOME,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::DESTINATION_IP,
            Field::DESTINATION_PORT,
            Field::USER_NAME,
            Field::HTTP_METHOD,
            Field::URL_PATH,
            Field::HTTP_STATUS,
        ];
        (verdict, fields.map(|field| event.shown(field)).join("|"))
    }

    #[test]
    fn rows_by_their_header_and_without_one() {
        let [full, _, _, firewall, edge] = DEFAULTS;
        for (header, line, expected) in [
            (
                full,
                FORMAT.example,
                "success|192.0.2.7|-|198.51.100.5|443|bob|GET|/index.html|200",
            ),
            (
                "",
                FORMAT.example,
                "success|192.0.2.7|-|198.51.100.5|443|bob|GET|/index.html|200",
            ),
            (
                "#Fields: time date sc-status c-ip cs-method cs-uri-stem",
                "08:00:00 2024-05-06 401 192.0.2.7 GET /x",
                "-|-|-|-|-|-|-|-|-",
            ),
            (
                "#Fields: date time c-ip cs-username cs-method cs-uri-stem sc-status",
                "2024-05-06 08:00:00 192.0.2.7 EXAMPLE\\bob GET /x 401",
                "failure|192.0.2.7|-|-|-|bob|GET|/x|401",
            ),
            (
                firewall,
                "2024-05-06 08:00:00 DROP TCP 192.0.2.7 198.51.100.5 4711 22 52 S 1 0 8192 - - - RECEIVE",
                "failure|192.0.2.7|4711|198.51.100.5|22|-|-|-|-",
            ),
            (
                "",
                "2024-05-06 08:00:00 ALLOW UDP 192.0.2.7 198.51.100.5 4711 53 0 - - - - - - - SEND",
                "success|192.0.2.7|4711|198.51.100.5|53|-|-|-|-",
            ),
            (
                edge,
                "2024-05-06\t08:00:00\tFRA56-C1\t2390\t192.0.2.7\tGET\td1.cloudfront.net\t/x\t200\t-\tcurl\t-\t-\tMiss\tid\ta.example\thttps\t23\t0.001\t-\tTLSv1.3\tTLS\tMiss\tHTTP/2.0\t-\t-\t4711",
                "success|192.0.2.7|4711|-|-|-|GET|/x|200",
            ),
        ] {
            let (verdict, shown) = read(header, line);
            assert_eq!(shown, expected, "{line}");
            assert_eq!(
                verdict == Verdict::Event,
                !expected.starts_with('-'),
                "{line}"
            );
        }
    }

    #[test]
    fn a_row_that_is_short_or_long_is_malformed_and_other_lines_are_not_ours() {
        let [full, ..] = DEFAULTS;
        let long = FORMAT.example.replace("/index.html", "/x 203.0.113.66");
        assert!(matches!(read(full, &long).0, Verdict::Malformed(_)));
        let short = "2024-05-06 08:00:00 198.51.100.5 GET /x";
        assert!(matches!(read(full, short).0, Verdict::Malformed(_)));
        assert_eq!(read("", short).0, Verdict::NotMine);
        assert_eq!(read("", "2024-05-06 08:00:00 a b").0, Verdict::NotMine);
        assert!(Fields::announced(b"#Fields: a b").is_none());
        assert!(Fields::announced(b"#fields\tts").is_none());
    }
}
