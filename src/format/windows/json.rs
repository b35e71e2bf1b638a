//! As JSON: each collector nests the same names in its own way.

use bumpalo::Bump;

use super::Facts;
use crate::event::Value;
use crate::format::json::{Raw, integer, walk};
use crate::format::{Context, declared};
use crate::time::Time;

/// Under what collectors nest the event's own values.
const NESTS: [&str; 7] = [
    "winlog.event_data.",
    "winlog.user_data.",
    "event_data.",
    "Event.EventData.",
    "EventData.",
    "data.win.eventdata.",
    "win.eventdata.",
];

const TIMES: [&str; 8] = [
    "Event.System.TimeCreated.#attributes.SystemTime",
    "Event.System.TimeCreated.@SystemTime",
    "System.TimeCreated.SystemTime",
    "data.win.system.systemTime",
    "EventTime",
    "TimeCreated",
    "@timestamp",
    "timestamp",
];

/// What is looked for before anything is read.
const MARKS: [&[u8]; 3] = [b"\"EventID\"", b"\"event_id\"", b"\"eventID\""];

pub(super) fn read<'a>(
    line: &'a [u8],
    context: &Context,
    arena: &'a Bump,
    facts: &mut Facts<'a>,
) -> Result<Option<Time>, &'static str> {
    let marked = |mark: &&[u8]| memchr::memmem::find(line, mark).is_some();
    if !MARKS.iter().any(marked) {
        return Ok(None);
    }
    // NXLog's objects are flat, and name the log beside the event.
    let flat = marked(&&b"\"Channel\""[..]) || marked(&&b"\"SourceName\""[..]);
    let mut stamp: Option<(usize, Time)> = None;
    let walked = walk(line, arena, &mut |path, raw| {
        if let Some(rank) = TIMES.iter().position(|known| *known == path)
            && stamp.is_none_or(|(best, _)| rank < best)
            && let Some(time) = declared::time(raw, context, arena)
        {
            stamp = Some((rank, time));
        }
        if header(path, raw, arena, facts) {
            return;
        }
        let nested = NESTS.iter().find_map(|nest| path.strip_prefix(nest));
        let name = match nested {
            Some(name) => name,
            None if flat && !path.contains('.') => path,
            None => return,
        };
        let value: &'a [u8] = match raw.value(arena) {
            Value::Text(text) if raw.text().starts_with('"') => text,
            Value::Int(_) => raw.text().as_bytes(),
            _ => return,
        };
        let name = arena.alloc_str(name);
        // Wazuh writes the first letter small.
        if path.starts_with("data.win.")
            && let Some(first) = name.get_mut(..1)
        {
            first.make_ascii_uppercase();
        }
        facts.take(name.as_bytes(), value);
    });
    walked?;
    if facts.channel.is_none() && facts.provider.is_none() {
        facts.id = None;
    }
    Ok(stamp.map(|(_, time)| time))
}

/// Takes what the event's header says; `false` for other keys.
fn header<'a>(path: &str, raw: Raw<'a>, arena: &'a Bump, facts: &mut Facts<'a>) -> bool {
    let value = raw.value(arena);
    let slot = match path {
        "winlog.event_id"
        | "event_id"
        | "Event.System.EventID"
        | "Event.System.EventID.#text"
        | "System.EventID"
        | "EventID"
        | "data.win.system.eventID" => {
            let id = match value {
                Value::Int(id) => Some(id),
                Value::Text(text) => integer(text),
                _ => None,
            };
            facts.id = facts.id.or(id);
            return true;
        }
        "EventType" | "Keywords" | "data.win.system.severityValue" | "winlog.keywords" => {
            let text = raw.text();
            let good = ["AUDIT_SUCCESS", "Audit Success"]
                .iter()
                .any(|word| text.contains(word));
            let bad = ["AUDIT_FAILURE", "Audit Failure"]
                .iter()
                .any(|word| text.contains(word));
            if good != bad {
                facts.audit = facts.audit.or(Some(good));
            }
            return true;
        }
        "winlog.channel"
        | "log_name"
        | "Event.System.Channel"
        | "System.Channel"
        | "Channel"
        | "data.win.system.channel" => &mut facts.channel,
        "winlog.computer_name"
        | "computer_name"
        | "Event.System.Computer"
        | "System.Computer"
        | "Computer"
        | "Hostname"
        | "data.win.system.computer" => &mut facts.host,
        "winlog.provider_name"
        | "source_name"
        | "Event.System.Provider.#attributes.Name"
        | "Event.System.Provider.@Name"
        | "System.Provider.Name"
        | "SourceName"
        | "ProviderName"
        | "Provider_Name"
        | "data.win.system.providerName" => &mut facts.provider,
        _ => return false,
    };
    if let (None, Value::Text(text)) = (&slot, value) {
        *slot = Some(text);
    }
    true
}
