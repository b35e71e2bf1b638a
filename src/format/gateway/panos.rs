//! PAN-OS: a line of comma-separated values for each event of the firewall.
//!
//! The places are fixed; what a remote side chose (a URL, a user's name)
//! stands in quotes where it has a comma, and a quote inside is doubled.

use super::decided;
use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::format::template::Table;
use crate::format::token::{Host, ip, number, once, port, say, some};
use crate::format::transport::{say_filtered, set_protocol};
use crate::format::{Context, Format, Parser, Verdict, ends, timestamp};
use crate::time::Time;

pub(in crate::format) static FORMAT: Format = Format {
    name: "panos",
    about: "Palo Alto's PAN-OS: `connection` and `alert`, failure when denied; `login`, `config_change`",
    programs: &[],
    logsources: &[LogSource {
        product: "paloalto",
        categories: &["firewall", "network_connection"],
        services: &["globalprotect"],
    }],
    parse: Parser::Text(parse),
    example: "May  1 10:00:00 pa1 1,2024/05/01 10:00:00,007000001,TRAFFIC,deny,2305,2024/05/01 10:00:00,192.0.2.7,198.51.100.5,0.0.0.0,0.0.0.0,out,example\\bob,,ssh,vsys1,trust,untrust,ethernet1/1,ethernet1/2,fwd,2024/05/01 10:00:00,1234,1,4711,22,0,0,0x19,tcp,deny,1000,600,400,10",
};

/// Columns that are read; the widest log has some 120.
const COLUMNS: usize = 48;

/// Whether a text begins like one: a number, and a stamp with slashes.
pub(super) fn speaks(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let stamp = text.get(digits..).and_then(|rest| rest.strip_prefix(b","));
    digits <= 4
        && stamp.is_some_and(|stamp| {
            stamp.get(4) == Some(&b'/')
                && stamp.get(7) == Some(&b'/')
                && stamp.get(19) == Some(&b',')
        })
}

/// Only the stamp.
pub(in crate::format) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    let text = super::without_pri(line);
    let columns = speaks(text).then(|| Columns::split(text))?;
    columns.time(context)
}

/// A line's values.
struct Columns<'a>([&'a [u8]; COLUMNS]);

impl<'a> Columns<'a> {
    fn split(text: &'a [u8]) -> Columns<'a> {
        let mut columns = [&b""[..]; COLUMNS];
        let mut rest = text;
        for slot in &mut columns {
            let (value, after) = cell(rest);
            *slot = value;
            match after {
                Some(after) => rest = after,
                None => break,
            }
        }
        Columns(columns)
    }

    fn get(&self, at: usize) -> &'a [u8] {
        self.0.get(at).copied().unwrap_or_default()
    }

    /// When it happened; when it was received, where that is not told.
    fn time(&self, context: &Context) -> Option<Time> {
        [6, 1].into_iter().find_map(|at| {
            let (time, rest) = timestamp::slashed(self.get(at), context)?;
            rest.is_empty().then_some(time)
        })
    }
}

/// A value and what follows its comma.
fn cell(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(inside) = text.strip_prefix(b"\"") else {
        return match memchr::memchr(b',', text) {
            Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
            None => (text, None),
        };
    };
    let mut from = 0;
    while let Some(at) = inside
        .get(from..)
        .and_then(|rest| memchr::memchr(b'"', rest))
    {
        let after = inside.get(from + at + 1..).unwrap_or_default();
        if after.first() == Some(&b'"') {
            from += at + 2;
            continue;
        }
        let value = inside.get(..from + at).unwrap_or_default();
        return (value, after.strip_prefix(b","));
    }
    (inside, None)
}

fn parse<'a>(text: &'a [u8], context: &Context, event: &mut Event<'a>) -> Verdict {
    let text = super::without_pri(text);
    if !speaks(text) {
        return Verdict::NotMine;
    }
    let columns = Columns::split(text);
    if event.time.is_none() {
        event.time = columns.time(context);
    }
    some(event, Field::EVENT_CODE, columns.get(3));
    let read = match columns.get(3) {
        b"TRAFFIC" => traffic(&columns, event),
        b"THREAT" => threat(&columns, event),
        b"SYSTEM" => return system(&columns, event),
        b"CONFIG" => config(&columns, event),
        b"GLOBALPROTECT" => globalprotect(&columns, event),
        b"USERID" => mapped(&columns, event),
        _ => return Verdict::NotMine,
    };
    match read {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// What both logs of sessions have.
fn session<'a>(columns: &Columns<'a>, event: &mut Event<'a>) -> Result<(), &'static str> {
    let host = |at| Host::read(columns.get(at)).ok_or("no address");
    let (source, destination) = (host(7)?, host(8)?);
    crate::format::transport::set_hosts(source, destination, event);
    some(event, Field::RULE_NAME, columns.get(11));
    ends::user(columns.get(12), event);
    some(event, Field::NETWORK_PROTOCOL, columns.get(14));
    some(event, Field::OBSERVER_INGRESS, columns.get(18));
    some(event, Field::OBSERVER_EGRESS, columns.get(19));
    for (at, field) in [(24, Field::SOURCE_PORT), (25, Field::DESTINATION_PORT)] {
        let port = port(columns.get(at)).ok_or("a port is no port")?;
        event.set(field, Value::Int(i64::from(port)));
    }
    set_protocol(columns.get(29), event);
    Ok(())
}

fn count(columns: &Columns<'_>, at: usize, field: Field, event: &mut Event<'_>) {
    if let Some(n) = number(columns.get(at)) {
        once(event, field, Value::Int(n));
    }
}

fn traffic<'a>(columns: &Columns<'a>, event: &mut Event<'a>) -> Result<(), &'static str> {
    say_filtered(decided(columns.get(30)), event);
    session(columns, event)?;
    count(columns, 32, Field::SOURCE_BYTES, event);
    count(columns, 33, Field::DESTINATION_BYTES, event);
    count(columns, 44, Field::SOURCE_PACKETS, event);
    count(columns, 45, Field::DESTINATION_PACKETS, event);
    Ok(())
}

fn threat<'a>(columns: &Columns<'a>, event: &mut Event<'a>) -> Result<(), &'static str> {
    let verdict = decided(columns.get(30));
    let outcome = verdict.map_or("unknown", |verdict| verdict.1);
    say(event, "alert", outcome, "intrusion_detection");
    if let Some((action, _)) = verdict {
        event.text(Field::FIREWALL_ACTION, action.as_bytes());
    }
    session(columns, event)?;
    some(event, Field::URL_ORIGINAL, columns.get(31));
    some(event, Field::RULE_CATEGORY, columns.get(33));
    // The threat's own severity, not the envelope's, which is always `info`.
    let severity = columns.get(34);
    if !severity.is_empty() {
        event.replace(Field::LOG_LEVEL, Value::Text(severity));
    }
    Ok(())
}

/// Sentences of the system log, and whether they tell of success.
static SYSTEM: Table<&str> = Table::new(&[
    (
        "failure",
        &["failed authentication for user '{identity}'. Reason: {*} From: {from-end}{...}"],
    ),
    (
        "failure",
        &["User '{identity}' failed authentication.  Reason: {*} From: {from-end}{...}"],
    ),
    (
        "success",
        &["authenticated for user '{identity}'.  From: {from-end}{...}"],
    ),
    (
        "success",
        &["authenticated for user '{identity}'. From: {from-end}{...}"],
    ),
    (
        "success",
        &["User '{identity}' authenticated.  From: {from-end}{...}"],
    ),
    (
        "success",
        &["User {identity} logged in via {w} from {from-end} {*}"],
    ),
    (
        "unknown",
        &["User {identity} logged out via {w} from {from-end}{...}"],
    ),
]);

fn system<'a>(columns: &Columns<'a>, event: &mut Event<'a>) -> Verdict {
    let text = columns.get(14);
    match SYSTEM.find(text, |_| true) {
        Ok(Some(reading)) => {
            reading.set(event);
            say(event, "login", reading.says, "authentication");
            some(event, Field::EVENT_REASON, text);
            return Verdict::Event;
        }
        Ok(None) => {}
        Err(reason) => return Verdict::Malformed(reason),
    }
    match columns.get(8) {
        b"auth-fail" | b"auth-success" => Verdict::Malformed("a login without its sentence"),
        _ => Verdict::NotMine,
    }
}

fn config<'a>(columns: &Columns<'a>, event: &mut Event<'a>) -> Result<(), &'static str> {
    let outcome = match columns.get(12) {
        b"Succeeded" => "success",
        b"Failed" | b"Unauthorized" => "failure",
        _ => "unknown",
    };
    say(event, "config_change", outcome, "configuration");
    Host::read(columns.get(7)).ok_or("no address")?.set(event);
    ends::user(columns.get(10), event);
    some(event, Field::PROCESS_COMMAND_LINE, columns.get(9));
    Ok(())
}

fn globalprotect<'a>(columns: &Columns<'a>, event: &mut Event<'a>) -> Result<(), &'static str> {
    let outcome = (7..COLUMNS).find_map(|at| match columns.get(at) {
        b"success" => Some("success"),
        b"failure" => Some("failure"),
        _ => None,
    });
    say(
        event,
        "vpn_session",
        outcome.unwrap_or("unknown"),
        "session",
    );
    ends::user(columns.get(12), event);
    let address = [15, 16]
        .into_iter()
        .filter_map(|at| ip(columns.get(at)))
        .find(|ip| !ip.is_unspecified());
    event.set(
        Field::SOURCE_IP,
        Value::Ip(address.ok_or("no public address")?),
    );
    Ok(())
}

/// A user was found behind an address.
fn mapped<'a>(columns: &Columns<'a>, event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "user_mapped", "unknown", "session");
    event.set(
        Field::SOURCE_IP,
        Value::Ip(ip(columns.get(8)).ok_or("no address")?),
    );
    ends::user(columns.get(9), event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Verdict, String) {
        let context = Context::utc(Time::from_secs(1_714_521_600));
        let mut event = Event::new();
        let verdict = parse(text.as_bytes(), &context, &mut event);
        let fields = [
            Field::EVENT_ACTION,
            Field::EVENT_OUTCOME,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::DESTINATION_IP,
            Field::DESTINATION_PORT,
            Field::USER_NAME,
        ];
        (verdict, fields.map(|field| event.shown(field)).join("|"))
    }

    const HEAD: &str = "1,2024/05/01 10:00:00,007000001";

    #[test]
    fn every_log_has_its_columns() {
        for (tail, expected) in [
            (
                r#"TRAFFIC,deny,1,2024/05/01 10:00:00,192.0.2.7,198.51.100.5,0.0.0.0,0.0.0.0,"a,b",example\bob,,ssh,vsys1,t,u,e1,e2,f,2024/05/01 10:00:00,1,1,4711,22,0,0,0x19,tcp,deny,1,2,3,4"#,
                "connection|failure|192.0.2.7|4711|198.51.100.5|22|bob",
            ),
            (
                r#"THREAT,url,1,2024/05/01 10:00:00,192.0.2.7,198.51.100.5,0.0.0.0,0.0.0.0,r,,,web,vsys1,t,u,e1,e2,f,2024/05/01 10:00:00,1,1,4711,80,0,0,0x0,tcp,reset-both,"a.example/,""x",(9999),cat,high"#,
                "alert|failure|192.0.2.7|4711|198.51.100.5|80|-",
            ),
            (
                r#"SYSTEM,auth,0,2024/05/01 10:00:00,,auth-fail,,0,0,general,medium,"failed authentication for user 'bob'. Reason: Invalid username/password. From: 192.0.2.7.",1"#,
                "login|failure|192.0.2.7|-|-|-|bob",
            ),
            (
                "CONFIG,0,0,2024/05/01 10:00:00,192.0.2.7,,set,admin,Web,Succeeded, config",
                "config_change|success|192.0.2.7|-|-|-|admin",
            ),
        ] {
            let read = read(&format!("{HEAD},{tail}"));
            assert_eq!(read, (Verdict::Event, expected.to_owned()), "{tail}");
        }
    }

    #[test]
    fn a_name_with_commas_and_quotes_moves_nothing() {
        let tail = r#"TRAFFIC,end,1,2024/05/01 10:00:00,192.0.2.7,198.51.100.5,0.0.0.0,0.0.0.0,r,"a"",203.0.113.66,b",,ssh,vsys1,t,u,e1,e2,f,2024/05/01 10:00:00,1,1,4711,22,0,0,0x19,tcp,allow"#;
        let (verdict, shown) = read(&format!("{HEAD},{tail}"));
        assert_eq!(verdict, Verdict::Event);
        assert!(
            shown.starts_with("connection|success|192.0.2.7|4711|198.51.100.5|22|"),
            "{shown}"
        );
        assert!(matches!(
            read(&format!("{HEAD},TRAFFIC,end,1,x,y,z")).0,
            Verdict::Malformed(_)
        ));
        assert_eq!(
            read("1,2024/05/01 10:00:00,7,HIPMATCH,x").0,
            Verdict::NotMine
        );
        assert_eq!(read("1,2,3").0, Verdict::NotMine);
    }
}
