//! The columns of flow logs, by their headers' names.

use std::sync::LazyLock;

use crate::format::token::number;

/// Columns beyond this are not read: nfdump's widest output has below 60.
const COLUMNS_MAX: usize = 256;

/// Which log a header or a row is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Log {
    Nfdump,
    Vpc,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Nothing that we look for.
    Other,
    Start,
    End,
    Duration,
    Source,
    Destination,
    SourcePort,
    DestinationPort,
    Protocol,
    Flags,
    SourcePackets,
    SourceBytes,
    DestinationPackets,
    DestinationBytes,
    Action,
    Status,
    Account,
    Interface,
    Direction,
}

/// What a flow log's header says: the columns of its rows.
#[derive(Clone, Debug)]
pub struct Columns {
    pub(super) log: Log,
    /// From left to right, to the last one that is read.
    pub(super) columns: Box<[Column]>,
}

/// nfdump's names: those of 1.6, and those of 1.7 behind them.
const NFDUMP: &[(&str, Column)] = &[
    ("ts", Column::Start),
    ("te", Column::End),
    ("td", Column::Duration),
    ("sa", Column::Source),
    ("da", Column::Destination),
    ("sp", Column::SourcePort),
    ("dp", Column::DestinationPort),
    ("pr", Column::Protocol),
    ("flg", Column::Flags),
    ("ipkt", Column::SourcePackets),
    ("ibyt", Column::SourceBytes),
    ("opkt", Column::DestinationPackets),
    ("obyt", Column::DestinationBytes),
    ("firstSeen", Column::Start),
    ("lastSeen", Column::End),
    ("duration", Column::Duration),
    ("srcAddr", Column::Source),
    ("dstAddr", Column::Destination),
    ("src4Addr", Column::Source),
    ("dst4Addr", Column::Destination),
    ("srcPort", Column::SourcePort),
    ("dstPort", Column::DestinationPort),
    ("proto", Column::Protocol),
    ("flags", Column::Flags),
    ("tcpFlags", Column::Flags),
    ("packets", Column::SourcePackets),
    ("bytes", Column::SourceBytes),
    ("inPackets", Column::SourcePackets),
    ("inBytes", Column::SourceBytes),
    ("outPackets", Column::DestinationPackets),
    ("outBytes", Column::DestinationBytes),
];

/// nfdump's default columns, to the last that is read.
const NFDUMP_DEFAULT: &str = "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt";

/// The names of AWS' fields, of versions 2 to 8.
const VPC: &[(&str, Column)] = &[
    ("version", Column::Other),
    ("account-id", Column::Account),
    ("interface-id", Column::Interface),
    ("srcaddr", Column::Source),
    ("dstaddr", Column::Destination),
    ("srcport", Column::SourcePort),
    ("dstport", Column::DestinationPort),
    ("protocol", Column::Protocol),
    ("packets", Column::SourcePackets),
    ("bytes", Column::SourceBytes),
    ("start", Column::Start),
    ("end", Column::End),
    ("action", Column::Action),
    ("log-status", Column::Status),
    ("flow-direction", Column::Direction),
    ("vpc-id", Column::Other),
    ("subnet-id", Column::Other),
    ("instance-id", Column::Other),
    ("tcp-flags", Column::Other),
    ("type", Column::Other),
    ("pkt-srcaddr", Column::Other),
    ("pkt-dstaddr", Column::Other),
    ("region", Column::Other),
    ("az-id", Column::Other),
    ("sublocation-type", Column::Other),
    ("sublocation-id", Column::Other),
    ("pkt-src-aws-service", Column::Other),
    ("pkt-dst-aws-service", Column::Other),
    ("traffic-path", Column::Other),
    ("reject-reason", Column::Other),
];

/// AWS' default columns.
const VPC_DEFAULT: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

static DEFAULTS: LazyLock<[Option<Columns>; 2]> = LazyLock::new(|| {
    [
        Columns::announced(NFDUMP_DEFAULT.as_bytes()),
        Columns::announced(VPC_DEFAULT.as_bytes()),
    ]
});

impl Log {
    /// What stands between values.
    pub(super) fn separator(self) -> u8 {
        match self {
            Log::Nfdump => b',',
            Log::Vpc => b' ',
        }
    }

    fn names(self) -> &'static [(&'static str, Column)] {
        match self {
            Log::Nfdump => NFDUMP,
            Log::Vpc => VPC,
        }
    }

    /// The default columns, for a row that begins like theirs: two dates, or
    /// a version and an account of twelve digits.
    pub(super) fn default_columns(self, line: &[u8]) -> Option<&'static Columns> {
        let [nfdump, vpc] = &*DEFAULTS;
        let begins = match (self, line) {
            (Log::Nfdump, [b'1' | b'2', _, _, _, b'-', ..]) => {
                let mut cells = line.split(|&b| b == b',');
                let dated = |cell: Option<&[u8]>| {
                    cell.is_some_and(|cell| cell.get(4) == Some(&b'-') && cell.len() >= 19)
                };
                dated(cells.next()) && dated(cells.next())
            }
            (Log::Vpc, [b'2'..=b'9', b' ', rest @ ..]) => {
                let account = rest.get(..12).and_then(number);
                // An account that is not one's own is `unknown`.
                let known = account.is_some() && rest.get(12) == Some(&b' ');
                known || rest.starts_with(b"unknown ")
            }
            _ => false,
        };
        match self {
            Log::Nfdump => nfdump.as_ref(),
            Log::Vpc => vpc.as_ref(),
        }
        .filter(|_| begins)
    }
}

impl Columns {
    /// The columns that a line announces, if it is a flow log's header: every
    /// log has addresses and a time, and AWS' has no name that we do not know.
    pub(in crate::format) fn announced(line: &[u8]) -> Option<Columns> {
        let log = log_of(line)?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut columns = Vec::new();
        for name in line.split(|&b| b == log.separator()).take(COLUMNS_MAX) {
            let name = super::super::token::trim_end(super::super::token::trim_start(name));
            let row = log.names().iter().find(|row| row.0.as_bytes() == name);
            if row.is_none() && log == Log::Vpc && !name.is_empty() {
                // Newer versions have further names, all of small letters.
                let sound = name.iter().all(|b| b.is_ascii_lowercase() || *b == b'-');
                sound.then_some(())?;
            }
            let column = row.map_or(Column::Other, |row| row.1);
            // A header may name a column twice; its first one counts.
            let known = column != Column::Other && columns.contains(&column);
            columns.push(if known { Column::Other } else { column });
        }
        let has = |column| columns.contains(&column);
        let timed = has(Column::Start) || has(Column::End);
        let sound = timed && has(Column::Source) && has(Column::Destination);
        sound.then(|| Columns {
            log,
            columns: columns.into(),
        })
    }
}

/// Whether a line may be a header: cheap, because every line is asked.
pub(super) fn announces(line: &[u8]) -> bool {
    line.first().is_some_and(u8::is_ascii_lowercase) && log_of(line).is_some()
}

/// The log whose header begins with this line's first word.
fn log_of(line: &[u8]) -> Option<Log> {
    let end = line
        .iter()
        .take(24)
        .position(|b| matches!(b, b',' | b' '))?;
    let (word, rest) = line.split_at_checked(end)?;
    let log = match rest.first()? {
        b',' => Log::Nfdump,
        _ => Log::Vpc,
    };
    let known = log.names().iter().any(|row| row.0.as_bytes() == word);
    // A second word that is known tells a header from a sentence.
    let second = rest.get(1..)?;
    let end = second.iter().take(24).position(|&b| b == log.separator())?;
    let second = second.get(..end)?;
    let both = known && log.names().iter().any(|row| row.0.as_bytes() == second);
    both.then_some(log)
}

/// nfdump's last lines: `Summary`, its header, and its sums.
pub(super) fn closes(line: &[u8]) -> bool {
    line.starts_with(b"flows,") || line.starts_with(b"Summary") || line.starts_with(b"No matching")
}
