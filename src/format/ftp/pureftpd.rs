//! `Pure-FTPd`: `(USER@HOST) [LEVEL] TEXT`. The user is `?` until the login,
//! and an account after it.

use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::format::endpoint::{Outcome, cut_only, verdict};
use crate::format::token::{Host, cut_last, say};
use crate::format::{Format, Message, Parser, Verdict};

pub(in crate::format) static FORMAT: Format = Format {
    name: "pure-ftpd",
    about: "Pure-FTPd: ftp_login, ftp_connection, ftp_disconnect, ftp_transfer",
    programs: &["pure-ftpd"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["pure-ftpd", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 ftp1 pure-ftpd: (?@192.0.2.7) [WARNING] Authentication failed for user [alice]",
};

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let Some(rest) = message.text.strip_prefix(b"(") else {
        return Verdict::NotMine;
    };
    verdict(read(rest, event))
}

fn read<'a>(rest: &'a [u8], event: &mut Event<'a>) -> Outcome {
    // A name with `) [` in it makes a second place, and the line is not read.
    let (who, rest) = cut_only(rest, b") [").ok_or("no single end of the client")?;
    let (account, host) = cut_last(who, b"@").ok_or("no client")?;
    let host = Host::read(host).ok_or("neither address nor host name")?;
    let (level, text) = crate::format::token::cut(rest, b"] ").ok_or("no level")?;
    if !level.iter().all(u8::is_ascii_uppercase) {
        return Err("no level");
    }
    let account = (account != b"?").then_some(account);
    let user = said(text, event)?.or(account);
    if let Some(user) = user {
        event.text(Field::USER_NAME, user);
    }
    host.set(event);
    Ok(())
}

/// Says what happened; the user that the text names.
fn said<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<Option<&'a [u8]>, &'static str> {
    if let Some(rest) = text.strip_prefix(b"Authentication failed for user [") {
        let user = rest.strip_suffix(b"]").ok_or("no end of the user's name")?;
        say(event, "ftp_login", "failure", "authentication");
        return Ok(Some(user));
    }
    if let Some(user) = text.strip_suffix(b" is now logged in") {
        say(event, "ftp_login", "success", "authentication");
        return Ok(Some(user));
    }
    if text.starts_with(b"Anonymous user logged in") {
        say(event, "ftp_login", "success", "authentication");
        return Ok(Some(b"anonymous"));
    }
    if text.starts_with(b"Too many authentication failures") {
        say(event, "ftp_max_attempts", "failure", "authentication");
    } else if text.starts_with(b"New connection from ") {
        say(event, "ftp_connection", "unknown", "network");
    } else if text.starts_with(b"Logout.") {
        say(event, "ftp_disconnect", "unknown", "session");
    } else if let Some((file, _)) =
        cut_last(text, b" uploaded ").or_else(|| cut_last(text, b" downloaded "))
    {
        say(event, "ftp_transfer", "success", "file");
        event.text(Field::FILE_NAME, file);
    } else if text.starts_with(b"Too many connections (") {
        say(event, "ftp_connection", "failure", "network");
    } else {
        say(event, "ftp_message", "unknown", "network");
    }
    Ok(None)
}
