//! `MongoDB`'s log: authentication that failed or succeeded, of its text also
//! connections.

use bumpalo::Bump;

use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::format::endpoint::whole;
use crate::format::json::{Raw, walk};
use crate::format::template::Table;
use crate::format::token::{cut, say, trim_start};
use crate::format::{Context, Format, Parser, Verdict, timestamp};

pub(in crate::format) static FORMAT: Format = Format {
    name: "mongodb",
    about: "MongoDB's log, JSON and text: db_login, db_connection, db_disconnect",
    programs: &["mongod", "mongodb", "mongos"],
    logsources: &[LogSource {
        product: "mongodb",
        categories: &["database"],
        services: &["mongodb", "syslog"],
    }],
    parse: Parser::Line(parse),
    example: r#"{"t":{"$date":"2024-05-01T10:00:00.123+00:00"},"s":"I","c":"ACCESS","id":20249,"ctx":"conn1","msg":"Authentication failed","attr":{"mechanism":"SCRAM-SHA-256","principalName":"alice","authenticationDatabase":"admin","remote":"192.0.2.7:50022","error":"AuthenticationFailed: storedKey mismatch"}}"#,
};

static LINES: Table = Table::new(&[
    (
        ["db_login", "failure", "authentication"],
        &[
            "{method} authentication failed for {user} on {w} from client {src} ; {reason}",
            "{method} authentication failed for {user} on {w} from client {src}; {reason}",
            "Supported SASL mechanisms requested for unknown user '{user}'",
            "Failed to authenticate {user}@{w} from client {src} with mechanism {method}: {reason}",
            "Failed to authenticate {user}@{w} with mechanism {method}: {reason}",
        ],
    ),
    (
        ["db_login", "success", "authentication"],
        &[
            "Successfully authenticated as principal {user} on {w} from client {src}",
            "Successfully authenticated as principal {user} on {w}",
        ],
    ),
    (
        ["db_connection", "unknown", "network"],
        &["connection accepted from {src} #{n} ({*}"],
    ),
    (
        ["db_disconnect", "unknown", "session"],
        &["end connection {src} ({*}"],
    ),
    (
        ["db_connection", "unknown", "network"],
        &["received client metadata from {src} {w}: {*}"],
    ),
    (
        ["db_query", "failure", "database"],
        &["Unauthorized: not authorized on {*}"],
    ),
]);

/// The keys that are read, and their values.
#[derive(Default)]
struct Keys<'a> {
    time: Option<Raw<'a>>,
    said: Option<Raw<'a>>,
    user: Option<Raw<'a>>,
    remote: Option<Raw<'a>>,
    name: Option<Raw<'a>>,
    method: Option<Raw<'a>>,
    error: Option<Raw<'a>>,
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    if !line.starts_with(b"{\"t\":{\"$date\":") {
        // Before 4.4: `[conn7] `, and `I ACCESS   [conn7] ` since 3.0.
        return match cut(line, b"] ").filter(|_| !line.starts_with(b"{")) {
            Some((_, text)) => LINES.read(trim_start(text), event),
            None => Verdict::NotMine,
        };
    }
    let mut keys = Keys::default();
    let walked = walk(line, arena, &mut |path, raw| {
        let slot = match path {
            "t.$date" => &mut keys.time,
            "msg" => &mut keys.said,
            "attr.principalName" | "attr.user" => &mut keys.user,
            "attr.remote" | "attr.client" => &mut keys.remote,
            "attr.authenticationDatabase" | "attr.db" => &mut keys.name,
            "attr.mechanism" => &mut keys.method,
            "attr.error" => &mut keys.error,
            _ => return,
        };
        *slot = slot.or(Some(raw));
    });
    if let Err(why) = walked {
        return Verdict::Malformed(why);
    }
    let text = |raw: Option<Raw<'a>>| match raw?.value(arena) {
        Value::Text(text) => Some(text),
        _ => None,
    };
    let outcome = match text(keys.said) {
        Some(b"Authentication failed") => "failure",
        Some(b"Authentication succeeded" | b"Successfully authenticated") => "success",
        _ => return Verdict::NotMine,
    };
    event.time = text(keys.time)
        .and_then(|stamp| timestamp::iso(stamp, context))
        .map(|(time, _)| time);
    say(event, "db_login", outcome, "authentication");
    for (field, raw) in [
        (Field::USER_NAME, keys.user),
        (Field::DB_NAME, keys.name),
        (Field::AUTH_METHOD, keys.method),
        (Field::EVENT_REASON, keys.error),
    ] {
        if let Some(text) = text(raw).filter(|text| !text.is_empty()) {
            event.text(field, text);
        }
    }
    match text(keys.remote).map(whole) {
        Some(Some(peer)) => peer.set(event),
        Some(None) => {
            event.truncate(0);
            return Verdict::Malformed("attr.remote is no address");
        }
        None => {}
    }
    Verdict::Event
}
