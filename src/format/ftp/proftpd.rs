//! `ProFTPD`: `SERVER (NAME[ADDRESS]) - TEXT`, or with `):` in its older log.
//!
//! Server, name and address come first and are its own; the user's name in the
//! text cannot move them.

use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::format::endpoint::{
    ANOTHER, Outcome, named, set_destination, set_source, verdict, whole,
};
use crate::format::template::Table;
use crate::format::token::{cut, cut_last, say, trim_end, trim_start};
use crate::format::{Format, Message, Parser, Verdict};

pub(in crate::format) static FORMAT: Format = Format {
    name: "proftpd",
    about: "ProFTPD: ftp_login, ftp_connection, ftp_max_attempts",
    programs: &["proftpd"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["proftpd", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 ftp1 proftpd[812]: ftp1 (192.0.2.7[192.0.2.7]) - USER alice (Login failed): Incorrect password",
};

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let Some((server, rest)) = cut(message.text, b" (") else {
        return Verdict::NotMine;
    };
    if server.is_empty() || server.contains(&b' ') {
        return Verdict::NotMine;
    }
    let Some((name, peer, rest)) = named(rest) else {
        return Verdict::Malformed("no name and address of the client");
    };
    let Some(text) = rest
        .strip_prefix(b") - ")
        .or_else(|| rest.strip_prefix(b"): "))
    else {
        return Verdict::Malformed("nothing after the client");
    };
    verdict(read(trim_end(trim_start(text)), event).map(|()| set_source(name, peer, event)))
}

const FAILED: [&str; 3] = ["ftp_login", "failure", "authentication"];
const MESSAGE: [&str; 3] = ["ftp_message", "unknown", "network"];

static PHRASES: Table = Table::new(&[
    (
        FAILED,
        &[
            "no such user '{user}'",
            "error: no such user '{user}'",
            "PAM({user}): {reason}",
        ],
    ),
    (
        MESSAGE,
        &[
            "notice: user {user}: aborting transfer: {reason}",
            "user '{user}' authenticated via '{*}' method",
        ],
    ),
    (
        FAILED,
        &[
            "Refused user {user} for service {*}",
            "Refused PASS for user {user}",
            "mod_sftp/{w}: error authenticating '{user}': {reason}",
        ],
    ),
]);

fn read<'a>(text: &'a [u8], event: &mut Event<'a>) -> Outcome {
    if let Some(rest) = text.strip_prefix(b"USER ") {
        return user(rest, event);
    }
    if let Some(rest) = text.strip_prefix(b"ANON ") {
        let name = rest
            .strip_suffix(b": Login successful.")
            .or_else(|| rest.strip_suffix(b": Login successful"))
            .ok_or(ANOTHER)?;
        say(event, "ftp_login", "success", "authentication");
        event.text(Field::USER_NAME, name);
        return Ok(());
    }
    if let Some(rest) = text.strip_prefix(b"SECURITY VIOLATION: ") {
        // The word is the server's: `root`, or `Root` since 1.3.4.
        let (who, _) = cut(rest, b" login attempted").ok_or("another violation")?;
        say(event, "ftp_login", "failure", "authentication");
        event.text(Field::USER_NAME, who);
        event.text(Field::EVENT_REASON, text);
        return Ok(());
    }
    if text.starts_with(b"Maximum login attempts (") {
        say(event, "ftp_max_attempts", "failure", "authentication");
        event.text(Field::EVENT_REASON, text);
        return Ok(());
    }
    let (action, outcome, category) = match text.strip_suffix(b".").unwrap_or(text) {
        b"FTP session opened" | b"SSH2 session opened" => ("ftp_connection", "unknown", "network"),
        b"FTP session closed" | b"SSH2 session closed" => ("ftp_disconnect", "unknown", "session"),
        b"Login timeout exceeded, disconnected" | b"FTP login timed out, disconnected" => {
            ("ftp_login", "failure", "authentication")
        }
        _ => return other(text, event),
    };
    say(event, action, outcome, category);
    Ok(())
}

/// What says less: modules' words, of which some name the user.
fn other<'a>(text: &'a [u8], event: &mut Event<'a>) -> Outcome {
    match PHRASES.read(text, event) {
        Verdict::Event => Ok(()),
        Verdict::Malformed(reason) => Err(reason),
        Verdict::NotMine => {
            say(event, "ftp_message", "unknown", "network");
            Ok(())
        }
    }
}

/// `NAME: no such user found from HOST [ADDRESS] to ADDRESS:PORT`,
/// `NAME (Login failed): REASON`, `NAME: Login successful.`: the reason is the
/// server's words, so the last place that fits ends the name.
fn user<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    if let Some(name) = rest
        .strip_suffix(b": Login successful.")
        .or_else(|| rest.strip_suffix(b": Login successful"))
    {
        say(event, "ftp_login", "success", "authentication");
        event.text(Field::USER_NAME, name);
        return Ok(());
    }
    let unknown = cut_last(rest, b": no such user found from ")
        .and_then(|(name, from)| Some((name, whole(cut_last(from, b"] to ")?.1)?)));
    if let Some((name, to)) = unknown {
        say(event, "ftp_login", "failure", "authentication");
        event.text(Field::USER_NAME, name);
        event.text(Field::EVENT_REASON, b"no such user found");
        set_destination(to, event);
        return Ok(());
    }
    let (name, reason) =
        cut_last(rest, b" (Login failed): ").ok_or("neither a login nor its failure")?;
    say(event, "ftp_login", "failure", "authentication");
    event.text(Field::USER_NAME, name);
    event.text(Field::EVENT_REASON, reason);
    Ok(())
}
