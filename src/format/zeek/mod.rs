//! Zeek's logs, as tab-separated values under their own header or as JSON.
//!
//! A header says which columns follow, of which types, in which log; it is
//! compiled once into the steps that the wanted fields need ([`Header`]), so
//! that a row costs what is asked of it. JSON logs name their log in `_path`,
//! or are told by a column that only one log has.

mod columns;
mod document;
mod header;
mod row;

use bumpalo::Bump;

use super::{Context, Format, Parser, Verdict};
use crate::event::{Event, Value};
use crate::field::{Field, Projection};
use columns::{LOGSOURCES, PATHS, Role};

pub(super) use columns::spread;
pub use header::Header;
pub(super) use header::absorb;

/// Zeek's row of the table.
pub static FORMAT: Format = Format {
    name: "zeek",
    about: "Zeek's logs (conn, ssh, dns, http, ssl, ...), TSV with their header or JSON",
    programs: &[],
    logsources: LOGSOURCES,
    parse: Parser::Line(parse),
    example: r#"{"_path":"conn","ts":1767607200.25,"uid":"CmES5u32sYpV7JYN","id.orig_h":"192.0.2.10","id.orig_p":49152,"id.resp_h":"198.51.100.5","id.resp_p":443,"proto":"tcp","conn_state":"SF"}"#,
};

const WRONG_TYPE: &str = "a value is not of its column's type";

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let before = event.values().len();
    let verdict = match (line.first(), &context.layout) {
        (Some(b'{'), _) => document::parse(line, &context.projection, arena, event),
        (None | Some(b'#'), _) | (_, None) => Verdict::NotMine,
        (_, Some(header)) => row::parse(line, header, &context.projection, arena, event),
    };
    if verdict != Verdict::Event {
        event.truncate(before);
    }
    verdict
}

/// What a line's columns say together.
#[derive(Clone, Copy, Default)]
struct Summary<'a> {
    outcome: Option<&'static str>,
    local_orig: Option<bool>,
    local_resp: Option<bool>,
    action: Option<&'a [u8]>,
}

impl<'a> Summary<'a> {
    /// Takes what a column says beyond its own fields.
    fn take(&mut self, role: Role, text: &'a [u8]) {
        let yes = || match text {
            b"T" | b"true" => Some(true),
            b"F" | b"false" => Some(false),
            _ => None,
        };
        match role {
            Role::None | Role::Time => {}
            Role::State => self.outcome = Some(established(text)),
            Role::Success => {
                self.outcome = yes().map(|yes| if yes { "success" } else { "failure" });
            }
            Role::LocalOrig => self.local_orig = yes(),
            Role::LocalResp => self.local_resp = yes(),
            Role::Action => self.action = Some(text),
        }
    }

    /// Sets what every event of a log has.
    fn finish(self, path_row: u8, projection: &Projection, event: &mut Event<'a>) {
        let (path, action) = PATHS
            .get(usize::from(path_row))
            .copied()
            .unwrap_or_default();
        event.class.kind = path_row;
        let mut set = |field, text: Option<&'a [u8]>| match text {
            Some(text) if projection.wants(field) => event.set(field, Value::Text(text)),
            _ => {}
        };
        let action = self
            .action
            .or((!action.is_empty()).then_some(action.as_bytes()));
        set(Field::EVENT_ACTION, action);
        let has_outcome = matches!(path, "conn" | "ssh" | "kerberos" | "ntlm" | "mysql");
        let outcome = self.outcome.or(has_outcome.then_some("unknown"));
        set(Field::EVENT_OUTCOME, outcome.map(str::as_bytes));
        set(Field::EVENT_CATEGORY, Some(b"network"));
        let direction = match (self.local_orig, self.local_resp) {
            (Some(true), Some(true)) => Some(&b"internal"[..]),
            (Some(true), Some(false)) => Some(&b"outbound"[..]),
            (Some(false), Some(true)) => Some(&b"inbound"[..]),
            (Some(false), Some(false)) => Some(&b"external"[..]),
            _ => None,
        };
        set(Field::NETWORK_DIRECTION, direction);
    }
}

/// Whether a connection came to be, by Zeek's `conn_state`: SHR, RSTRH and OTH
/// are half seen, so that nobody knows.
fn established(state: &[u8]) -> &'static str {
    match state {
        b"SF" | b"S1" | b"S2" | b"S3" | b"RSTO" | b"RSTR" => "success",
        b"S0" | b"REJ" | b"RSTOS0" | b"SH" => "failure",
        _ => "unknown",
    }
}

/// Seconds with a decimal fraction as nanoseconds; digits after the ninth are dropped.
fn decimal_nanos(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text {
        [b'-', text @ ..] => (true, text),
        text => (false, text),
    };
    let (mut nanos, mut scale, mut fraction, mut digits) = (0_i64, 1_000_000_000_i64, false, 0);
    for byte in text {
        match byte {
            b'0'..=b'9' if fraction => {
                scale /= 10;
                nanos += i64::from(byte - b'0') * scale;
            }
            b'0'..=b'9' => {
                digits += 1;
                nanos = nanos
                    .checked_mul(10)?
                    .checked_add(i64::from(byte - b'0') * scale)?;
            }
            b'.' if !fraction && digits > 0 => fraction = true,
            _ => return None,
        }
    }
    (digits > 0).then_some(if negative { -nanos } else { nanos })
}

#[cfg(test)]
mod tests;
