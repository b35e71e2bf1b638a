//! `MySQL` and `MariaDB`: `Access denied for user 'USER'@'HOST' (…)`.
//!
//! Both names are between quotes that a user's name may hold; the host is from
//! the connection and stands at the end.

use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::format::endpoint::{ANOTHER, Outcome, cut_only, verdict};
use crate::format::template::Table;
use crate::format::token::{Host, cut_last, number, say, trim_start};
use crate::format::{Format, Message, Parser, Verdict};

pub(in crate::format) static FORMAT: Format = Format {
    name: "mysqld",
    about: "MySQL and MariaDB: db_login (failures), db_disconnect (aborted), in syslog and error logs",
    programs: &[
        "mysqld",
        "mariadbd",
        "mysql",
        "mariadb",
        "mysqld_safe",
        "mysql-server_auditing",
    ],
    logsources: &[LogSource {
        product: "mysql",
        categories: &["database"],
        services: &["mysql", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "2024-05-01T10:00:00.123456Z 812 [Note] Access denied for user 'alice'@'192.0.2.7' (using password: YES)",
};

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = after_stamp(message.text);
    if let Some(rest) = text.strip_prefix(b"Access denied for user '") {
        return verdict(denied(rest, event));
    }
    if let Some(rest) = text.strip_prefix(b"Aborted connection ") {
        return verdict(aborted(rest, event));
    }
    if let Some(rest) = text.strip_prefix(b"Host '") {
        return verdict(blocked(rest, event));
    }
    LINES.read(text, event)
}

/// Names that are looked up, and the general log's `Connect`, where the name
/// of the database comes last. With the account that the server was asked for.
static LINES: Table = Table::new(&[
    (
        ["db_name_mismatch", "failure", "network"],
        &[
            "IP address '{src}' could not be resolved: {reason}",
            "IP address '{src}' has been resolved to the host name '{w}', which resembles IPv4-address itself.",
            "Hostname '{w}' does not resolve to '{src}'.",
        ],
    ),
    (
        ["db_connection", "unknown", "authentication"],
        &[
            "{user}@{host} on {*} using TCP/IP",
            "{user}@{host} on {*} using SSL/TLS",
            "{user}@{host} on {*} using Socket",
            "{user}@{host} as  on {*}",
            "{user}@{host} as anonymous on {*}",
        ],
    ),
    (
        ["db_login", "failure", "authentication"],
        &["{w},{user},{host},{n},{n},FAILED_CONNECT,{*},,{n}"],
    ),
    (
        ["db_login", "success", "authentication"],
        &["{w},{user},{host},{n},{n},CONNECT,{*},,0"],
    ),
    (
        ["db_disconnect", "unknown", "session"],
        &["{w},{user},{host},{n},{n},DISCONNECT,{*},,{n}"],
    ),
]);

/// The text after the stamp, thread and `[Level] [MY-010926] [Server]`: words
/// of the server's own, of which none begins like a message.
fn after_stamp(text: &[u8]) -> &[u8] {
    let mut rest = text;
    loop {
        rest = trim_start(rest);
        let end = memchr::memchr2(b' ', b'\t', rest).unwrap_or(rest.len());
        let Some((word, after)) = rest.split_at_checked(end) else {
            return rest;
        };
        let own = match word {
            [b'[', .., b']'] | b"Connect" => true,
            _ => {
                !word.is_empty()
                    && word
                        .iter()
                        .all(|b| b.is_ascii_digit() || b"-:.TZ+".contains(b))
            }
        };
        if !own {
            return rest;
        }
        rest = after;
    }
}

/// `USER'@'HOST' (using password: YES)`, `USER'@'HOST' to database 'NAME'`, or
/// nothing after the host.
fn denied<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (user, host) = if let Some(head) = rest
        .strip_suffix(b"' (using password: YES)")
        .or_else(|| rest.strip_suffix(b"' (using password: NO)"))
    {
        cut_last(head, b"'@'").ok_or("no host")?
    } else if memchr::memmem::find(rest, b"' to database '").is_some() {
        // The database's name is the client's too.
        let (head, name) = cut_only(rest, b"' to database '").ok_or("two databases")?;
        let name = name
            .strip_suffix(b"'")
            .ok_or("no end of the database's name")?;
        let (user, host) = cut_last(head, b"'@'").ok_or("no host")?;
        event.text(Field::DB_NAME, name);
        (user, host)
    } else {
        let head = rest.strip_suffix(b"'").ok_or("more after the host")?;
        cut_last(head, b"'@'").ok_or("no host")?
    };
    let host = Host::read(host).ok_or("neither address nor host name")?;
    say(event, "db_login", "failure", "authentication");
    event.text(Field::USER_NAME, user);
    host.set(event);
    Ok(())
}

/// `N to db: 'D' user: 'U' host: 'H' (REASON)`.
fn aborted<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (id, rest) = crate::format::token::cut(rest, b" to db: '").ok_or(ANOTHER)?;
    number(id).ok_or("the connection's id is no number")?;
    let (rest, reason) = cut_last(rest, b"' (").ok_or("no reason")?;
    let (rest, host) = cut_only(rest, b"' host: '").ok_or("no single host")?;
    let (_, user) = cut_only(rest, b"' user: '").ok_or("no single user")?;
    let host = Host::read(host).ok_or("neither address nor host name")?;
    say(event, "db_disconnect", "unknown", "session");
    event.text(Field::USER_NAME, user);
    event.text(
        Field::EVENT_REASON,
        reason.strip_suffix(b")").unwrap_or(reason),
    );
    host.set(event);
    Ok(())
}

/// `HOST' is blocked because of many connection errors…`, `HOST' is not allowed
/// to connect to this MySQL server`.
fn blocked<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (host, reason) = crate::format::token::cut(rest, b"' is ").ok_or(ANOTHER)?;
    let host = Host::read(host).ok_or("neither address nor host name")?;
    say(event, "db_login", "failure", "authentication");
    event.text(Field::EVENT_REASON, reason);
    host.set(event);
    Ok(())
}
