//! Database servers with few lines: Microsoft SQL Server, MongoDB's log of
//! before 4.4, Redis, CouchDB.

use crate::event::{Event, LogSource, Value};
use crate::field::Field;
use crate::format::template::Table;
use crate::format::token::{Peer, ip, number, say, some, trim_start};
use crate::format::{Format, Message, Parser, Verdict};

pub(in crate::format) static MSSQL: Format = Format {
    name: "mssql",
    about: "Microsoft SQL Server's ERRORLOG: db_login",
    programs: &["sqlservr", "mssql", "mssqlserver", "MSSQLSERVER"],
    logsources: &[LogSource {
        product: "mssql",
        categories: &["database"],
        services: &["mssql"],
    }],
    parse: Parser::Message(|message, event| {
        let text = message.text.strip_prefix(b"Logon ").unwrap_or(message.text);
        MSSQL_LINES.read(trim_start(text), event)
    }),
    example: "2024-05-01 10:00:00.12 Logon       Login failed for user 'alice'. Reason: Could not find a login matching the name provided. [CLIENT: 192.0.2.7]",
};

pub(in crate::format) static REDIS: Format = Format {
    name: "redis",
    about: "Redis, Valkey: db_connection, refused ones among them",
    programs: &["redis", "redis-server", "valkey-server"],
    logsources: &[LogSource {
        product: "redis",
        categories: &["database"],
        services: &["redis", "syslog"],
    }],
    parse: Parser::Message(|message, event| REDIS_LINES.read(message.text, event)),
    example: "812:M 01 May 2024 10:00:00.123 # Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis instance. Connection from 192.0.2.7:50022 aborted.",
};

pub(in crate::format) static COUCHDB: Format = Format {
    name: "couchdb",
    about: "CouchDB's log of requests: http_request",
    programs: &["couchdb"],
    logsources: &[LogSource {
        product: "couchdb",
        categories: &["database", "webserver"],
        services: &["couchdb"],
    }],
    parse: Parser::Message(couchdb),
    example: "[notice] 2024-05-01T10:00:00.123456Z nonode@nohost <0.17607.12> e1fed412f8 db.example.com 192.0.2.7 alice GET /_all_dbs 401 ok 1",
};

/// `<PID> REQUEST HOST ADDRESS USER METHOD PATH STATUS REASON MS`: the host is
/// the client's header, which cannot hold a blank, and the path is escaped.
fn couchdb<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let mut words = message.text.split(|&b| b == b' ');
    let mut next = || words.next().filter(|word| !word.is_empty());
    let mut read = || {
        let (_, _, _) = (next()?, next()?, next()?);
        Some([next()?, next()?, next()?, next()?, next()?])
    };
    let Some([address, user, method, _, status]) = read() else {
        return Verdict::NotMine;
    };
    let (Some(address), Some(status)) = (ip(address), number(status)) else {
        return Verdict::NotMine;
    };
    let outcome = if status < 400 { "success" } else { "failure" };
    say(event, "http_request", outcome, "web");
    Peer {
        ip: Some(address),
        port: None,
    }
    .set(event);
    if user != b"undefined" {
        some(event, Field::USER_NAME, user);
    }
    event.text(Field::HTTP_METHOD, method);
    event.set(Field::HTTP_STATUS, Value::Int(status));
    Verdict::Event
}

static MSSQL_LINES: Table = Table::new(&[
    (
        ["db_login", "failure", "authentication"],
        &[
            "Login failed for user '{user}'. Reason: {reason} [CLIENT: {src}]",
            "Login failed for user '{user}'. Reason: {reason} [CLIENT: <{*}>]",
            "Login failed for user '{user}'. [CLIENT: {src}]",
            "Login failed for user '{user}'. [CLIENT: <{*}>]",
            "Login failed for user '{user}'.",
            "Login failed. {reason} [CLIENT: {src}]",
        ],
    ),
    (
        ["db_login", "success", "authentication"],
        &[
            "Login succeeded for user '{user}'. Connection made using {*}. [CLIENT: {src}]",
            "Login succeeded for user '{user}'. Connection made using {*}. [CLIENT: <{*}>]",
            "Login succeeded for user '{user}'. Connection: {*} [CLIENT: {src}]",
        ],
    ),
    (
        ["db_login", "failure", "authentication"],
        &["SSPI handshake failed with error code {reason} [CLIENT: {src}]"],
    ),
    (
        ["db_protocol_error", "failure", "network"],
        &[
            "Length specified in network packet payload did not match {*} [CLIENT: {src}]",
            "The login packet used to open the connection is structurally invalid; {*} [CLIENT: {src}]",
        ],
    ),
    (
        ["db_connection", "failure", "network"],
        &["Could not connect because the maximum number of {*} [CLIENT: {src}]"],
    ),
]);

static REDIS_LINES: Table = Table::new(&[
    (["db_connection", "unknown", "network"], &["Accepted {src}"]),
    (
        ["db_disconnect", "unknown", "session"],
        &["Client closed connection{*}addr={src} laddr={*}"],
    ),
    (
        ["db_connection", "failure", "network"],
        &[
            "Error accepting a client connection: {reason} (addr={src} laddr={dst})",
            "Possible SECURITY ATTACK detected. {*} Connection from {src} aborted.",
        ],
    ),
    (
        ["db_protocol_error", "failure", "network"],
        &["Protocol error ({reason}) from client: id={n} addr={src} {*}"],
    ),
]);
