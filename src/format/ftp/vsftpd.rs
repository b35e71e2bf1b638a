//! vsftpd, in syslog and in its own `vsftpd.log`.
//!
//! `[USER] WHAT: Client "ADDRESS"[, "…"]`: the user's name, the command and the
//! file are the client's and stand on both sides, so the address must be the
//! only one that could be meant.

use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::format::endpoint::{Outcome, verdict, whole};
use crate::format::token::{Peer, cut, cut_last, say};
use crate::format::{Format, Message, Parser, Verdict};

pub(in crate::format) static FORMAT: Format = Format {
    name: "vsftpd",
    about: "vsftpd: ftp_login, ftp_connection, ftp_response (530), ftp_transfer",
    programs: &["vsftpd"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["vsftpd", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "Mon Jun  3 10:00:00 2024 [pid 812] [alice] FAIL LOGIN: Client \"192.0.2.7\"",
};

/// Between what was done and by whom.
const CLIENT: &[u8] = b": Client \"";

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = message.text;
    if !text.starts_with(b"[") && !text.starts_with(b"CONNECT: ") && !text.starts_with(b"FTP ") {
        return Verdict::NotMine;
    }
    verdict(read(text, event))
}

/// Before the client, its address, and what follows the quote.
type Parts<'a> = (&'a [u8], Peer, &'a [u8]);

fn read<'a>(text: &'a [u8], event: &mut Event<'a>) -> Outcome {
    let (head, peer, tail) = parts(text)?;
    let (user, what) = match head.strip_prefix(b"[") {
        Some(head) => {
            let (user, what) = cut_last(head, b"] ").ok_or("no end of the user's name")?;
            (Some(user), what)
        }
        None => (None, head),
    };
    let (action, outcome, category) = match what {
        b"OK LOGIN" => ("ftp_login", "success", "authentication"),
        b"FAIL LOGIN" => ("ftp_login", "failure", "authentication"),
        b"CONNECT" => ("ftp_connection", "unknown", "network"),
        b"FTP response" if tail.starts_with(b", \"530 ") => {
            ("ftp_response", "failure", "authentication")
        }
        b"FTP response" => ("ftp_response", "unknown", "network"),
        b"FTP command" => ("ftp_command", "unknown", "network"),
        _ => match cut(what, b" ") {
            Some((b"OK", _)) => ("ftp_transfer", "success", "file"),
            Some((b"FAIL", _)) => ("ftp_transfer", "failure", "file"),
            _ => return Err(crate::format::endpoint::ANOTHER),
        },
    };
    say(event, action, outcome, category);
    if let Some(user) = user {
        event.text(Field::USER_NAME, user);
    }
    let said = tail
        .strip_prefix(b", \"")
        .and_then(|tail| cut(tail, b"\""))
        .map(|(said, _)| said);
    match (action, said) {
        ("ftp_transfer", Some(file)) => event.text(Field::FILE_NAME, file),
        (_, Some(said)) if outcome == "failure" => event.text(Field::EVENT_REASON, said),
        _ => {}
    }
    peer.set(event);
    Ok(())
}

/// The only way to read the line.
fn parts(text: &[u8]) -> Result<Parts<'_>, &'static str> {
    let mut found = None;
    for at in memchr::memmem::find_iter(text, CLIENT) {
        let (head, rest) = text.split_at_checked(at).ok_or("no client")?;
        let Some((address, tail)) = rest.get(CLIENT.len()..).and_then(|rest| cut(rest, b"\""))
        else {
            continue;
        };
        if !tail.is_empty() && !tail.starts_with(b", ") {
            continue;
        }
        let Some(peer) = whole(address) else {
            continue;
        };
        if found.is_some() {
            return Err("more than one client that could be meant");
        }
        found = Some((head, peer, tail));
    }
    found.ok_or("no client's address")
}
