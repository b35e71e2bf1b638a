//! Logins that applications log as JSON: Nextcloud and ownCloud, Vault,
//! Teleport, Authelia, authentik, Grafana; and sudo's `log_format=json`.

use bumpalo::Bump;

use super::endpoint::whole;
use super::json::{Raw, walk};
use super::template::Table;
use super::token::{once, port, say};
use super::{Context, Format, Parser, Verdict, epoch, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::time::Time;

pub(super) static FORMAT: Format = Format {
    name: "weblogin-json",
    about: "logins that Nextcloud, ownCloud, Vault, Teleport, Authelia, authentik, Grafana and sudo log as JSON: web_login, sudo",
    programs: &[],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["weblogin", "auth", "syslog"],
    }],
    parse: Parser::Line(parse),
    example: r#"{"reqId":"a1","level":2,"time":"2024-05-01T10:00:00+00:00","remoteAddr":"192.0.2.7","user":"--","app":"core","method":"POST","url":"/login","message":"Login failed: bob (Remote IP: 192.0.2.7)"}"#,
};

const FAILED: [&str; 3] = ["web_login", "failure", "authentication"];
const REQUEST: [&str; 3] = ["web_request", "unknown", "network"];

/// What the applications write into their message.
static PHRASES: Table = Table::new(&[(
    FAILED,
    &[
        "Login failed: '{user}' (Remote IP: '{ip}')",
        "Login failed: '{user}' (Remote IP: '{ip}', {*})",
        "Login failed: {user} (Remote IP: {ip})",
        "Login failed: {user}",
        "Trusted domain error. \"{ip}\" tried to access using {*}",
        "Failed Login: username={user} ip={ip}",
        "Unsuccessful {w} authentication attempt by user '{user}'",
        "Unsuccessful {w} authentication attempt by user '{user}' and they are banned until {*}",
        "Invalid username or password",
    ],
)]);

/// A key that only lines of these applications have, and one more of theirs.
const SIGNS: [[&[u8]; 2]; 8] = [
    [b"\"remoteAddr\":", b"\"app\":"],
    [b"\"remote_address\":", b"\"auth\":"],
    [b"\"addr.remote\":", b"\"event\":"],
    [b"\"remote_ip\":", b"Unsuccessful "],
    [b"\"submituser\":", b"\"runuser\":"],
    [b"\"client_ip\":", b"\"action\":"],
    [b"Failed Login: username=", b"\"message\":"],
    [b"\"remote_addr\":", b"Invalid username or password"],
];

/// The keys that are read, and their values.
#[derive(Default)]
struct Keys<'a> {
    time: Option<Raw<'a>>,
    ip: Option<Raw<'a>>,
    port: Option<Raw<'a>>,
    user: Option<Raw<'a>>,
    target: Option<Raw<'a>>,
    command: Option<Raw<'a>>,
    host: Option<Raw<'a>>,
    said: Option<Raw<'a>>,
    action: Option<Raw<'a>>,
    good: Option<Raw<'a>>,
    error: Option<Raw<'a>>,
    /// sudo's verdict is a key's name.
    sudo: Option<&'static str>,
}

impl<'a> Keys<'a> {
    fn take(&mut self, path: &str, raw: Raw<'a>) {
        let inner = path.strip_prefix("sudo.").unwrap_or(path);
        let path = match inner.split_once('.') {
            Some(("accept", rest)) => {
                self.sudo = Some("success");
                rest
            }
            Some(("reject", rest)) => {
                self.sudo = Some("failure");
                rest
            }
            _ => path,
        };
        let slot = match path {
            "time" | "timestamp" | "submit_time.seconds" => &mut self.time,
            "remoteAddr"
            | "request.remote_address"
            | "addr.remote"
            | "remote_ip"
            | "client_ip"
            | "remote_addr" => &mut self.ip,
            "request.remote_port" => &mut self.port,
            "user" | "auth.display_name" | "submituser" | "context.username" => &mut self.user,
            "runuser" => &mut self.target,
            "command" => &mut self.command,
            "submithost" => &mut self.host,
            "message" | "msg" => &mut self.said,
            "action" | "event" | "request.operation" => &mut self.action,
            "success" => &mut self.good,
            "error" | "reason" => &mut self.error,
            _ => return,
        };
        *slot = slot.or(Some(raw));
    }
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let has = |sign: &[u8]| memchr::memmem::find(line, sign).is_some();
    if line.first() != Some(&b'{') || !SIGNS.iter().any(|[one, two]| has(one) && has(two)) {
        return Verdict::NotMine;
    }
    let mut keys = Keys::default();
    if let Err(why) = walk(line, arena, &mut |path, raw| keys.take(path, raw)) {
        return Verdict::Malformed(why);
    }
    let Some(time) = keys.time.and_then(|raw| time(raw, context, arena)) else {
        return Verdict::NotMine;
    };
    event.time = Some(time);
    let text = |raw: Option<Raw<'a>>| match raw?.value(arena) {
        Value::Text(text) if !text.is_empty() => Some(text),
        _ => None,
    };
    // The address is a key's value; what the message says of one is not needed.
    let from = text(keys.ip).and_then(whole);
    if let Some(peer) = from {
        peer.set(event);
    }
    if let Some(number) = keys.port.and_then(|raw| port(raw.text().as_bytes())) {
        once(event, Field::SOURCE_PORT, Value::Int(i64::from(number)));
    }
    let said = text(keys.said);
    if let Some(said) = said {
        event.text(Field::MESSAGE, said);
    }
    if let Some(outcome) = keys.sudo {
        say(event, "sudo", outcome, "process");
        event.text(Field::PROCESS_NAME, b"sudo");
        for (field, raw) in [
            (Field::USER_EFFECTIVE_NAME, keys.target),
            (Field::PROCESS_COMMAND_LINE, keys.command),
            (Field::HOST_NAME, keys.host),
        ] {
            if let Some(value) = text(raw) {
                event.text(field, value);
            }
        }
    } else if let Some(action) = text(keys.action) {
        say(event, "web_login", outcome(action, &keys), "authentication");
    } else if let Some(said) = said {
        match PHRASES.read(said, event) {
            Verdict::NotMine => {
                let [action, outcome, category] = REQUEST;
                say(event, action, outcome, category);
            }
            Verdict::Malformed(reason) => return Verdict::Malformed(reason),
            Verdict::Event => {}
        }
    } else {
        return Verdict::NotMine;
    }
    // `--` is Nextcloud's word for nobody.
    if let Some(user) = text(keys.user).filter(|user| *user != b"--") {
        once(event, Field::USER_NAME, Value::Text(user));
    }
    if let Some(error) = text(keys.error) {
        once(event, Field::EVENT_REASON, Value::Text(error));
    }
    Verdict::Event
}

/// Teleport says whether; authentik by the action's name; Vault by an error.
fn outcome(action: &[u8], keys: &Keys<'_>) -> &'static str {
    match (keys.good.map(Raw::text), action) {
        (Some("true"), _) | (None, b"login") => "success",
        (Some("false"), _) | (None, b"login_failed") => "failure",
        _ if keys.error.is_some() => "failure",
        _ => "unknown",
    }
}

/// ISO 8601, or seconds since the epoch.
fn time(raw: Raw<'_>, context: &Context, arena: &Bump) -> Option<Time> {
    match raw.value(arena) {
        Value::Text(text) => timestamp::iso(text, context).map(|(time, _)| time),
        Value::Int(seconds) => Some(Time::from_secs(seconds)),
        Value::Float(_) => epoch(raw.text().as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::token::ip;

    #[test]
    fn hostile_text_moves_nothing() {
        crate::format::template::tests::assert_hostile_text_moves_nothing(&PHRASES);
    }

    #[test]
    fn the_address_is_the_keys_whatever_the_message_says() {
        let context = Context::utc(Time::from_secs(1_714_521_600));
        let arena = Bump::new();
        let line = br#"{"reqId":"a","time":"2024-05-01T10:00:00+00:00","remoteAddr":"192.0.2.7","app":"core","message":"Login failed: x (Remote IP: 198.51.100.9)"}"#;
        let mut event = Event::new();
        assert_eq!(parse(line, &context, &arena, &mut event), Verdict::Event);
        assert_eq!(event.get(Field::SOURCE_IP), ip(b"192.0.2.7").map(Value::Ip));
        assert_eq!(event.shown(Field::USER_NAME), "x");
    }
}
