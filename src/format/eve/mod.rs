//! Suricata's EVE: a JSON object a line, of many kinds of event.
//!
//! What remote people choose (host names, paths, user agents, names in DNS)
//! stands in JSON strings, where it cannot pass for a key; of two equal keys
//! the first counts, and Suricata writes the addresses before all that.

mod keys;

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::json::{Raw, elements_of, walk};
use super::transport::protocol;
use super::{Context, Format, Parser, Verdict, timestamp};
use crate::event::{Event, Value};
use crate::field::{Field, Kind, Projection};
use crate::time::Time;
use keys::{Key, LOGSOURCES, Role, TYPES};

pub(super) static FORMAT: Format = Format {
    name: "eve",
    about: "Suricata's EVE JSON: `alert`, `connection`, `http_request`, `dns_query`, `dns_answer`, `tls_connection`, ...",
    programs: &["suricata"],
    logsources: LOGSOURCES,
    parse: Parser::Line(parse),
    example: r#"{"timestamp":"2024-06-15T10:29:32.251216+0000","flow_id":1258832998001901,"in_iface":"eth0","event_type":"alert","src_ip":"192.0.2.7","src_port":5116,"dest_ip":"198.51.100.5","dest_port":5060,"proto":"UDP","alert":{"action":"allowed","gid":1,"signature_id":2008578,"rev":4,"signature":"ET SCAN Sipvicious Scan","category":"Attempted Information Leak","severity":2}}"#,
};

/// A key that only EVE has at the top. In valid JSON no string can hold it:
/// its quotes would be escaped.
const MARK: &[u8] = b"\"event_type\":";

/// A key that is wanted; what it means depends on the event's type.
struct Found<'a> {
    key: Option<&'static Key>,
    extra: Option<Field>,
    raw: Raw<'a>,
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    // In syslog, Suricata marks it as a structured message, or writes an alert
    // as in its fast.log.
    let line = line
        .strip_prefix(b"@cee:")
        .map_or(line, super::token::trim_start);
    // Only below an envelope: many a program's own log begins with a bracket.
    if line.first() == Some(&b'[') && event.get(Field::MESSAGE).is_some() {
        return super::fast::message(line, event);
    }
    if line.first() != Some(&b'{') || memchr::memmem::find(line, MARK).is_none() {
        return Verdict::NotMine;
    }
    let projection = &*context.projection;
    let mut found = BumpVec::with_capacity_in(48, arena);
    let walked = walk(line, arena, &mut |path, raw| {
        let key = keys::key(path);
        let extra = projection
            .names
            .extra_named(path)
            .filter(|&field| projection.wants(field));
        if key.is_some() || extra.is_some() {
            found.push(Found { key, extra, raw });
        }
    });
    let first = |role: Role| {
        let has = |f: &&Found<'a>| f.key.is_some_and(|key| key.role == role);
        found.iter().find(has).map(|f| f.raw.value(arena))
    };
    let (Some(Value::Text(kind)), Some(Value::Text(stamp))) =
        (first(Role::Type), first(Role::Time))
    else {
        return Verdict::NotMine;
    };
    // Other programs have these two keys as well.
    if first(Role::Flow).is_none() && first(Role::Source).is_none() && kind != b"stats" {
        return Verdict::NotMine;
    }
    if let Err(why) = walked {
        return Verdict::Malformed(why);
    }
    let Some((time, [])) = timestamp::iso(stamp, context) else {
        return Verdict::Malformed("no time in timestamp");
    };
    let before = event.values().len();
    let mut reader = Reader {
        projection,
        arena,
        event,
        summary: Summary::default(),
    };
    for one in &found {
        if let Err(why) = reader.take(one, context) {
            reader.event.truncate(before);
            return Verdict::Malformed(why);
        }
    }
    reader.finish(kind);
    // The envelope's stamp comes first, where there is one.
    event.time = event.time.or(Some(time));
    Verdict::Event
}

/// What keys say together.
#[derive(Default)]
struct Summary<'a> {
    blocked: bool,
    state: Option<&'a [u8]>,
    /// TCP flags that the server sent.
    server_flags: Option<i64>,
    answered: bool,
    dns_answer: bool,
    start: Option<Time>,
    end: Option<Time>,
    age: Option<i64>,
    packets: Option<i64>,
    bytes: Option<i64>,
    /// The addresses among the answers, and those that are listed apart.
    resolved: Option<BumpVec<'a, Value<'a>>>,
    grouped: Option<BumpVec<'a, Value<'a>>>,
    header_flags: Option<BumpVec<'a, Value<'a>>>,
}

struct Reader<'a, 'r> {
    projection: &'r Projection,
    arena: &'a Bump,
    event: &'r mut Event<'a>,
    summary: Summary<'a>,
}

impl<'a> Reader<'a, '_> {
    /// Sets a field that is wanted and not yet known.
    fn set(&mut self, field: Field, value: Value<'a>) {
        if self.projection.wants(field) && self.event.get(field).is_none() {
            self.event.set(field, value);
        }
    }

    fn text(&mut self, field: Field, text: &'static str) {
        self.set(field, Value::Text(text.as_bytes()));
    }

    fn take(&mut self, found: &Found<'a>, context: &Context) -> Result<(), &'static str> {
        let raw = found.raw;
        if let Some(field) = found.extra
            && self.event.get(field).is_none()
        {
            self.event.set(field, raw.value(self.arena));
        }
        let Some(key) = found.key else {
            return Ok(());
        };
        for &field in key.fields {
            if !self.projection.wants(field) {
                continue;
            }
            let kind = field.info().map_or(Kind::Text, |info| info.kind);
            match raw.typed(kind, self.arena) {
                Some(value) => self.set(field, value),
                None if raw.text() == "null" || !is_end(field) => {}
                None => return Err("an address or port that is none"),
            }
        }
        if key.role != Role::None {
            self.role(key.role, raw, context);
        }
        Ok(())
    }

    fn role(&mut self, role: Role, raw: Raw<'a>, context: &Context) {
        match role {
            Role::Protocol | Role::HttpVersion | Role::Action | Role::State | Role::DnsType => {
                if let Some(Value::Text(text)) = raw.typed(Kind::Text, self.arena) {
                    self.word(role, text);
                }
            }
            Role::Start | Role::End => {
                if let Value::Text(text) = raw.value(self.arena) {
                    let time = timestamp::iso(text, context).map(|(time, _)| time);
                    match role {
                        Role::Start => self.summary.start = time,
                        _ => self.summary.end = time,
                    }
                }
            }
            Role::Age => self.summary.age = self.int(raw),
            Role::Packets | Role::PacketsBack => {
                let n = self.int(raw).unwrap_or(0);
                self.summary.answered |= role == Role::PacketsBack && n > 0;
                self.summary.packets = Some(self.summary.packets.unwrap_or(0).saturating_add(n));
            }
            Role::Bytes => {
                let n = self.int(raw).unwrap_or(0);
                self.summary.bytes = Some(self.summary.bytes.unwrap_or(0).saturating_add(n));
            }
            Role::ServerFlags => {
                let hex = raw.text().trim_matches('"');
                self.summary.server_flags = i64::from_str_radix(hex, 16).ok();
            }
            Role::Queries => self.queries(raw),
            Role::Answers => self.answers(raw),
            Role::Resolved => {
                if let Value::List(list) = raw.value(self.arena) {
                    let ips = list.iter().filter_map(|value| match value {
                        Value::Text(text) => super::json::parsed(text, Kind::Ip),
                        _ => None,
                    });
                    let all = &mut self.summary.grouped;
                    all.get_or_insert_with(|| BumpVec::new_in(self.arena))
                        .extend(ips);
                }
            }
            Role::Flag(name) => {
                if raw.text() == "true" {
                    let all = &mut self.summary.header_flags;
                    all.get_or_insert_with(|| BumpVec::new_in(self.arena))
                        .push(Value::Text(name.as_bytes()));
                }
            }
            Role::None | Role::Time | Role::Type | Role::Flow | Role::Source => {}
        }
    }

    fn int(&self, raw: Raw<'a>) -> Option<i64> {
        match raw.typed(Kind::Int, self.arena) {
            Some(Value::Int(n)) => Some(n),
            _ => None,
        }
    }

    /// A text that stands for something else.
    fn word(&mut self, role: Role, text: &'a [u8]) {
        match role {
            Role::Protocol => {
                let name = protocol(text);
                let value = name.map_or(text, str::as_bytes);
                self.set(Field::NETWORK_TRANSPORT, Value::Text(value));
            }
            Role::HttpVersion => {
                let version = text.strip_prefix(b"HTTP/").unwrap_or(text);
                self.set(Field::HTTP_VERSION, Value::Text(version));
            }
            Role::Action => self.summary.blocked = text == b"blocked",
            Role::State => self.summary.state = Some(text),
            // Version 3 says `request` and `response`.
            _ => {
                self.summary.dns_answer = matches!(text, b"answer" | b"response");
                let kind = if self.summary.dns_answer {
                    "answer"
                } else {
                    "query"
                };
                self.text(Field::DNS_TYPE, kind);
            }
        }
    }

    /// The first of the names that were asked for, as alerts and version 3 list them.
    fn queries(&mut self, raw: Raw<'a>) {
        let mut first = None;
        elements_of(raw, &mut |one| first = first.or(Some(one)));
        let Some(first) = first else { return };
        let _valid = walk(first.text().as_bytes(), self.arena, &mut |key, raw| {
            let field = match key {
                "rrname" => Field::DNS_QUESTION_NAME,
                "rrtype" => Field::DNS_QUESTION_TYPE,
                "id" => Field::DNS_ID,
                _ => return,
            };
            let kind = field.info().map_or(Kind::Text, |info| info.kind);
            if let Some(value) = raw.typed(kind, self.arena) {
                self.set(field, value);
            }
        });
    }

    /// What the name stands for, of each answer, and the addresses among it.
    fn answers(&mut self, raw: Raw<'a>) {
        let arena = self.arena;
        let mut all = BumpVec::new_in(arena);
        let mut resolved = BumpVec::new_in(arena);
        elements_of(raw, &mut |one| {
            let _valid = walk(one.text().as_bytes(), arena, &mut |key, raw| {
                if key == "rdata"
                    && let Some(Value::Text(data)) = raw.typed(Kind::Text, arena)
                {
                    all.push(Value::Text(data));
                    resolved.extend(super::json::parsed(data, Kind::Ip));
                }
            });
        });
        if !all.is_empty() {
            self.set(Field::DNS_ANSWERS_DATA, Value::List(all.into_bump_slice()));
        }
        self.summary.resolved = (!resolved.is_empty()).then_some(resolved);
    }

    /// Sets what every event of a type has.
    fn finish(&mut self, kind: &'a [u8]) {
        let row = keys::type_row(kind);
        self.event.class.kind = row;
        let (name, action) = TYPES.get(usize::from(row)).copied().unwrap_or_default();
        let action = match (name, self.summary.dns_answer) {
            ("dns", true) => "dns_answer",
            _ => action,
        };
        let action = if action.is_empty() {
            kind
        } else {
            action.as_bytes()
        };
        self.set(Field::EVENT_ACTION, Value::Text(action));
        let category = if name == "alert" {
            "intrusion_detection"
        } else {
            "network"
        };
        self.text(Field::EVENT_CATEGORY, category);
        let outcome = match name {
            "alert" | "drop" if self.summary.blocked || name == "drop" => Some("failure"),
            "alert" => Some("success"),
            "flow" => Some(self.summary.connected()),
            "netflow" | "ssh" => Some("unknown"),
            _ => None,
        };
        if let Some(outcome) = outcome {
            self.text(Field::EVENT_OUTCOME, outcome);
        }
        let between = self.summary.end.zip(self.summary.start);
        let duration = between
            .map(|(end, start)| end.since(start).nanos())
            .or_else(|| self.summary.age?.checked_mul(1_000_000_000));
        let numbers = [
            (Field::EVENT_DURATION, duration),
            (Field::NETWORK_PACKETS, self.summary.packets),
            (Field::NETWORK_BYTES, self.summary.bytes),
        ];
        for (field, value) in numbers {
            if let Some(value) = value {
                self.set(field, Value::Int(value));
            }
        }
        let grouped = self.summary.grouped.take();
        let lists = [
            (
                Field::DNS_RESOLVED_IP,
                self.summary.resolved.take().or(grouped),
            ),
            (Field::DNS_HEADER_FLAGS, self.summary.header_flags.take()),
        ];
        for (field, list) in lists {
            if let Some(list) = list.filter(|list| !list.is_empty()) {
                self.set(field, Value::List(list.into_bump_slice()));
            }
        }
    }
}

impl Summary<'_> {
    /// Whether a connection came to be. A flow that is closed without the
    /// server's SYN was refused; one that is new had no answer, or half of one.
    fn connected(&self) -> &'static str {
        /// TCP's SYN.
        const SYN: i64 = 0x02;
        match self.state {
            Some(b"established" | b"bypassed") => "success",
            Some(b"closed") => match self.server_flags {
                Some(flags) if flags & SYN == 0 => "failure",
                _ => "success",
            },
            Some(b"new") if !self.answered => "failure",
            _ => "unknown",
        }
    }
}

/// Whether a field says who: a value that is none must not go by unseen.
fn is_end(field: Field) -> bool {
    [
        Field::SOURCE_IP,
        Field::SOURCE_PORT,
        Field::DESTINATION_IP,
        Field::DESTINATION_PORT,
    ]
    .contains(&field)
}

#[cfg(test)]
mod tests;
