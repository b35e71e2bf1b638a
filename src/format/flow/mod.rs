//! Flow logs in columns: NetFlow and IPFIX as `nfdump -o csv` writes them, and
//! AWS VPC flow logs.
//!
//! A header names the columns, in any order; it is read once and kept in the
//! [`Context`]. Without one, the columns are those that nfdump 1.6 and AWS'
//! version 2 have by default.

mod columns;
pub(super) mod lines;

use super::timestamp;
use super::token::{Host, number, port, say};
use super::transport::{set_hosts, set_ports, set_protocol, verdict};
use super::{Context, Format, Parser, Verdict, epoch};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::time::{Span, Time};
use columns::{Column, Log};

pub use columns::Columns;

/// NetFlow and IPFIX.
pub(super) static NFDUMP: Format = Format {
    name: "nfdump",
    about: "NetFlow and IPFIX as `nfdump -o csv` writes them, by its header: `connection`",
    programs: &[],
    logsources: &[LogSource {
        product: "netflow",
        categories: &["netflow", "network_connection"],
        services: &["netflow"],
    }],
    parse: Parser::Line(|line, context, _, event| parse(Log::Nfdump, line, context, event)),
    example: "2024-06-15 10:00:00,2024-06-15 10:00:04,4.096,192.0.2.7,198.51.100.5,40022,443,TCP,...AP.SF,0,0,12,3400,9,12000,1,2,64512,64513,24,24,0,0,0.0.0.0,0.0.0.0,0,0,00:00:00:00:00:00,00:00:00:00:00:00",
};

/// AWS VPC flow logs.
pub(super) static VPC: Format = Format {
    name: "vpcflow",
    about: "AWS VPC flow logs, version 2 or by their header: `connection`, failure when rejected",
    programs: &[],
    logsources: &[LogSource {
        product: "aws",
        categories: &["firewall", "netflow"],
        services: &["vpcflow"],
    }],
    parse: Parser::Line(|line, context, _, event| parse(Log::Vpc, line, context, event)),
    example: "2 123456789010 eni-0123456789abcdef0 192.0.2.7 198.51.100.5 40022 443 6 20 4249 1718445600 1718445660 ACCEPT OK",
};

/// Whether a line may be the header of a flow log.
pub(super) fn announces(line: &[u8]) -> bool {
    columns::announces(line)
}

/// Only the stamp.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    [Log::Nfdump, Log::Vpc].into_iter().find_map(|log| {
        let columns = in_force(log, line, context)?;
        let cells = line.split(|&b| b == log.separator());
        let mut times = Times::default();
        for (column, cell) in columns.columns.iter().zip(cells) {
            times.take(*column, cell, context);
        }
        times.of(log)
    })
}

/// When a flow began and ended.
#[derive(Default)]
struct Times {
    start: Option<Time>,
    end: Option<Time>,
}

impl Times {
    fn take(&mut self, column: Column, cell: &[u8], context: &Context) {
        let slot = match column {
            Column::Start => &mut self.start,
            Column::End => &mut self.end,
            _ => return,
        };
        *slot = slot.or_else(|| instant(cell, context));
    }

    /// nfdump's rows are in the order in which flows began; AWS writes a flow
    /// when its interval has ended.
    fn of(&self, log: Log) -> Option<Time> {
        match log {
            Log::Nfdump => self.start.or(self.end),
            Log::Vpc => self.end.or(self.start),
        }
    }
}

/// A date, or seconds since 1970, to the cell's end.
fn instant(cell: &[u8], context: &Context) -> Option<Time> {
    if let Some(seconds) = number(cell) {
        // As seconds, 10^11 is the year 5138: milliseconds.
        return Some(match seconds {
            100_000_000_000.. => Time::from_nanos(seconds.checked_mul(1_000_000)?),
            _ => Time::from_secs(seconds),
        });
    }
    match timestamp::iso(cell, context) {
        Some((time, [])) => Some(time),
        _ => epoch(cell),
    }
}

/// The columns of a row of that log: the header's, or the default ones where
/// the row looks like theirs.
fn in_force<'c>(log: Log, line: &[u8], context: &'c Context) -> Option<&'c Columns> {
    match &context.columns {
        Some(columns) => (columns.log == log).then_some(columns),
        None => log.default_columns(line),
    }
}

fn parse<'a>(log: Log, line: &'a [u8], context: &'a Context, event: &mut Event<'a>) -> Verdict {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let Some(columns) = in_force(log, line, context) else {
        return Verdict::NotMine;
    };
    // nfdump closes with a summary, and AWS opens each file with the header.
    let opens = line.first().is_some_and(|b| !b.is_ascii_lowercase());
    let is_row = memchr::memchr(log.separator(), line).is_some();
    if !is_row || (!opens && columns::announces(line)) || columns::closes(line) {
        return Verdict::NotMine;
    }
    let mut row = Row::default();
    let mut times = Times::default();
    let mut cells = line.split(|&b| b == log.separator());
    for &column in &columns.columns {
        let Some(cell) = cells.next() else {
            return Verdict::Malformed("fewer values than columns");
        };
        let cell = super::token::trim_end(super::token::trim_start(cell));
        times.take(column, cell, context);
        if let Err(reason) = row.take(column, cell) {
            return Verdict::Malformed(reason);
        }
    }
    if cells.next().is_some() && log == Log::Vpc {
        return Verdict::Malformed("more values than columns");
    }
    event.time = times.of(log);
    if event.time.is_none() {
        return Verdict::Malformed("no time");
    }
    row.set(&times, event)
}

/// A row's values.
#[derive(Default)]
struct Row<'a> {
    source: Option<Host<'a>>,
    destination: Option<Host<'a>>,
    source_port: Option<u16>,
    destination_port: Option<u16>,
    icmp: Option<(i64, i64)>,
    protocol: Option<&'a [u8]>,
    flags: Option<&'a [u8]>,
    action: Option<&'a [u8]>,
    account: Option<&'a [u8]>,
    interface: Option<&'a [u8]>,
    direction: Option<&'a [u8]>,
    counts: [Option<i64>; 4],
    duration: Option<i64>,
    /// AWS saw nothing in the interval, or could not tell.
    no_data: bool,
}

/// [`Row::counts`]' fields.
const COUNTS: [Field; 4] = [
    Field::SOURCE_PACKETS,
    Field::SOURCE_BYTES,
    Field::DESTINATION_PACKETS,
    Field::DESTINATION_BYTES,
];

impl<'a> Row<'a> {
    fn take(&mut self, column: Column, cell: &'a [u8]) -> Result<(), &'static str> {
        if matches!(cell, b"-" | b"") {
            return Ok(());
        }
        let count = |at: usize| {
            let n = number(cell).ok_or("a count is no number")?;
            Ok::<_, &'static str>((at, n))
        };
        let counted = match column {
            Column::SourcePackets => Some(count(0)?),
            Column::SourceBytes => Some(count(1)?),
            Column::DestinationPackets => Some(count(2)?),
            Column::DestinationBytes => Some(count(3)?),
            _ => None,
        };
        if let Some((at, n)) = counted
            && let Some(slot) = self.counts.get_mut(at)
        {
            *slot = Some(n);
        }
        match column {
            Column::Source => self.source = Some(address(cell)?),
            Column::Destination => self.destination = Some(address(cell)?),
            Column::SourcePort => self.source_port = Some(port(cell).ok_or("no port")?),
            Column::DestinationPort => self.destination(cell)?,
            Column::Protocol => self.protocol = Some(cell),
            Column::Flags => self.flags = Some(cell),
            Column::Action => self.action = Some(cell),
            Column::Account => self.account = Some(cell),
            Column::Interface => self.interface = Some(cell),
            Column::Direction => self.direction = Some(cell),
            Column::Duration => self.duration = seconds(cell),
            Column::Status => self.no_data = cell != b"OK",
            _ => {}
        }
        Ok(())
    }

    /// A port; nfdump writes ICMP's type and code there: `8.0`.
    fn destination(&mut self, cell: &[u8]) -> Result<(), &'static str> {
        if let Some((kind, code)) = super::token::cut(cell, b".") {
            self.icmp = number(kind).zip(number(code));
            return self.icmp.map(|_| ()).ok_or("no type and code");
        }
        self.destination_port = Some(port(cell).ok_or("no port")?);
        Ok(())
    }

    fn set(self, times: &Times, event: &mut Event<'a>) -> Verdict {
        if self.no_data {
            if let Some(interface) = self.interface {
                event.text(Field::AWS_VPCFLOW_INTERFACE, interface);
            }
            return Verdict::NotMine;
        }
        let (Some(source), Some(destination)) = (self.source, self.destination) else {
            return Verdict::Malformed("no addresses");
        };
        let verdict = self.action.and_then(verdict);
        say(
            event,
            "connection",
            verdict.map_or("unknown", |v| v.1),
            "network",
        );
        if let Some((action, _)) = verdict {
            event.text(Field::FIREWALL_ACTION, action.as_bytes());
        }
        set_hosts(source, destination, event);
        if let Some(protocol) = self.protocol {
            set_protocol(protocol, event);
        }
        if matches!(
            event.get(Field::NETWORK_TRANSPORT),
            Some(Value::Text(b"tcp" | b"udp" | b"sctp"))
        ) {
            set_ports(self.source_port, self.destination_port, event);
        }
        let between = times
            .end
            .zip(times.start)
            .map(|(end, start)| end.since(start));
        let duration = self.duration.or(between.map(Span::nanos));
        let icmp = self.icmp.unzip();
        let numbers = COUNTS.into_iter().zip(self.counts).chain([
            (Field::EVENT_DURATION, duration),
            (Field::ICMP_TYPE, icmp.0),
            (Field::ICMP_CODE, icmp.1),
        ]);
        for (field, value) in numbers {
            if let Some(value) = value {
                event.set(field, Value::Int(value));
            }
        }
        let direction = self.direction.and_then(|d| match d {
            b"ingress" => Some(&b"inbound"[..]),
            b"egress" => Some(b"outbound"),
            _ => None,
        });
        let texts = [
            (Field::TCP_FLAGS, self.flags),
            (Field::AWS_VPCFLOW_ACCOUNT, self.account),
            (Field::AWS_VPCFLOW_INTERFACE, self.interface),
            (Field::NETWORK_DIRECTION, direction),
        ];
        for (field, value) in texts {
            if let Some(value) = value {
                event.text(field, value);
            }
        }
        Verdict::Event
    }
}

fn address(cell: &[u8]) -> Result<Host<'_>, &'static str> {
    super::token::ip(cell).map(Host::Ip).ok_or("no address")
}

/// Seconds with decimals, as nanoseconds.
fn seconds(cell: &[u8]) -> Option<i64> {
    let whole = number(cell).and_then(|n| n.checked_mul(1_000_000_000));
    whole.or_else(|| epoch(cell).map(Time::nanos))
}

#[cfg(test)]
mod tests;
