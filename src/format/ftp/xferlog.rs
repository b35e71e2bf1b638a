//! The transfer log that wu-ftpd, `ProFTPD` and vsftpd share (xferlog(5)).
//!
//! `STAMP SECONDS HOST SIZE FILE TYPE FLAG DIRECTION ACCESS USER SERVICE METHOD
//! ID STATUS`: the file's name is the client's, and may hold blanks; what stands
//! around it has a fixed number of words.

use bumpalo::Bump;

use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::format::token::{Host, first_word, last_word, number, say, trim_end, trim_start};
use crate::format::{Context, Format, Parser, Verdict, timestamp};

pub(in crate::format) static FORMAT: Format = Format {
    name: "xferlog",
    about: "FTP servers' transfer log (xferlog): ftp_transfer",
    programs: &[],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["ftpd", "auth", "syslog"],
    }],
    parse: Parser::Line(parse),
    example: "Mon Jun  3 10:00:00 2024 1 192.0.2.7 1024 /srv/ftp/a.txt b _ o r alice ftp 0 * c",
};

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    _arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let Some((time, rest)) = timestamp::ctime(line, context) else {
        return Verdict::NotMine;
    };
    let Some(transfer) = Transfer::read(trim_start(trim_end(rest))) else {
        return Verdict::NotMine;
    };
    event.time = Some(time);
    let outcome = if transfer.complete {
        "success"
    } else {
        "failure"
    };
    say(event, "ftp_transfer", outcome, "file");
    event.text(Field::USER_NAME, transfer.user);
    event.text(Field::FILE_NAME, transfer.file);
    transfer.host.set(event);
    event.text(Field::MESSAGE, rest);
    Verdict::Event
}

struct Transfer<'a> {
    host: Host<'a>,
    file: &'a [u8],
    user: &'a [u8],
    complete: bool,
}

impl<'a> Transfer<'a> {
    fn read(text: &'a [u8]) -> Option<Transfer<'a>> {
        let (seconds, rest) = first_word(text);
        number(seconds)?;
        let (host, rest) = first_word(rest);
        let (size, rest) = first_word(rest);
        number(size)?;
        let mut last = [&b""[..]; 9];
        let mut head = rest;
        for slot in last.iter_mut().rev() {
            (head, *slot) = last_word(head);
        }
        let [kind, flag, direction, access, user, _, method, _, status] = last;
        let known = matches!(kind, b"a" | b"b")
            && matches!(flag, b"C" | b"U" | b"T" | b"_")
            && matches!(direction, b"o" | b"i" | b"d")
            && matches!(access, b"a" | b"g" | b"r")
            && matches!(method, b"0" | b"1")
            && matches!(status, b"c" | b"i")
            && !user.is_empty()
            && !head.is_empty();
        known.then_some(Transfer {
            host: Host::read(host)?,
            file: head,
            user,
            complete: status == b"c",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_moves_neither_host_nor_user() {
        let line = b"1 192.0.2.7 1024 /a b _ o r eve ftp 0 * c b _ i r alice ftp 0 * i";
        let transfer = Transfer::read(line).unwrap();
        assert_eq!(transfer.user, b"alice");
        assert_eq!(transfer.file, b"/a b _ o r eve ftp 0 * c");
        assert!(!transfer.complete);
        assert_eq!(Some(transfer.host), Host::read(b"192.0.2.7"));
        assert!(Transfer::read(b"1 192.0.2.7 1024 /a b _ o r alice ftp 0 c").is_none());
    }
}
