//! sudo: who ran what, as whom, and who was refused.
//!
//! The folder and the command are the user's text and stand on both sides of
//! `USER=`. A folder called `x ; USER=bob ; COMMAND=` would pass for sudo's own
//! words; where more than one reading fits, the event names the user and the
//! terminal, which stand before all that, and nothing else.

use super::token::{cut, cut_last, say, trim_start};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "sudo",
    about: "sudo: commands run as another user, and refusals",
    programs: &["sudo"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["sudo", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/apt update",
};

/// The terminal's field.
const TTY: &[u8] = b"TTY=";

/// Fields that may be the first: the host's only where sudoers asks for it.
const FIRST: [&[u8]; 4] = [b"TTY=", b"HOST=", b"CHROOT=", b"PWD="];

/// Between fields.
const BETWEEN: &[u8] = b" ; ";

/// What stands in `event.reason` where the command cannot be told from the folder.
const AMBIGUOUS: &[u8] = b"the folder or the command looks like sudo's own words";

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let Some((user, rest)) = cut(message.text, b" : ") else {
        return Verdict::NotMine;
    };
    let user = trim_start(user);
    if user.is_empty() || user.contains(&b' ') {
        return Verdict::NotMine;
    }
    let (error, rest) = if FIRST.iter().any(|first| rest.starts_with(first)) {
        (None, rest)
    } else if let Some((error, rest)) = fields_after_error(rest) {
        (Some(error), rest)
    } else if let Some(text) = rest.strip_prefix(b"(command continued) ") {
        say(event, "sudo_continued", "unknown", "process");
        event.text(Field::USER_NAME, user);
        event.text(Field::PROCESS_COMMAND_LINE, text);
        return Verdict::Event;
    } else {
        return Verdict::NotMine;
    };
    say(
        event,
        "sudo",
        if error.is_some() {
            "failure"
        } else {
            "success"
        },
        "process",
    );
    event.text(Field::USER_NAME, user);
    let read = match rest.strip_suffix(b" ;") {
        Some(begun) => {
            begun_fields(begun, event);
            Ok(false)
        }
        None => fields(rest, event),
    };
    match read {
        Ok(ambiguous) => {
            if let Some(reason) = error.or(ambiguous.then_some(AMBIGUOUS)) {
                event.text(Field::EVENT_REASON, reason);
            }
            Verdict::Event
        }
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// What follows the stamp in sudo's own log file, `STAMP[ YEAR] : USER : …`;
/// its lines have 80 characters, and further ones are indented.
pub(super) fn own_line(line: &[u8]) -> Option<&[u8]> {
    let rest = line.get(15..)?;
    let rest = match rest {
        [
            b' ',
            b'0'..=b'9',
            b'0'..=b'9',
            b'0'..=b'9',
            b'0'..=b'9',
            rest @ ..,
        ] => rest,
        _ => rest,
    };
    let text = rest.strip_prefix(b" : ")?;
    let (user, rest) = cut(text, b" : ")?;
    (!user.is_empty() && !user.contains(&b' ') && !rest.is_empty()).then_some(text)
}

/// `3 incorrect password attempts ; TTY=…`: sudo's words, of which some quote
/// nothing; so the first of its fields ends them.
fn fields_after_error(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memmem::find_iter(text, BETWEEN).find(|at| {
        let rest = text.get(at + BETWEEN.len()..).unwrap_or_default();
        FIRST.iter().any(|first| rest.starts_with(first))
    })?;
    Some((text.get(..at)?, text.get(at + BETWEEN.len()..)?))
}

/// `[HOST=H ; ]TTY=T ; `, and what follows; without a terminal no `TTY=`.
fn terminal<'a>(text: &'a [u8], event: &mut Event<'a>) -> &'a [u8] {
    let mut rest = text;
    if let Some(after) = rest.strip_prefix(b"HOST=") {
        // With a colon in its own file.
        let end = memchr::memchr(b' ', after).unwrap_or(after.len());
        let after = after.get(end..).unwrap_or_default();
        rest = after
            .strip_prefix(BETWEEN)
            .or_else(|| after.strip_prefix(b" : "))
            .unwrap_or(rest);
    }
    if let Some((tty, after)) = rest.strip_prefix(TTY).and_then(|r| cut(r, BETWEEN)) {
        event.text(Field::PROCESS_TTY, tty);
        rest = after;
    }
    rest
}

/// The fields of a line that ends before the command: it goes on below, or
/// there was none.
fn begun_fields<'a>(text: &'a [u8], event: &mut Event<'a>) {
    let rest = terminal(text, event);
    let user = cut(rest, b" ; USER=").map(|(_, user)| user);
    if let Some(user) = user.filter(|user| !user.contains(&b' ') && !user.is_empty()) {
        event.text(Field::USER_EFFECTIVE_NAME, user);
    }
}

/// `[HOST=H ; ][TTY=T ; ][CHROOT=… ; ]PWD=D ; [CHROOT=… ; ]USER=U ; [GROUP=G ; ]
/// [TSID=… ; ][ENV=… ; ]COMMAND=C`. True where the folder and what follows
/// cannot be told apart.
fn fields<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<bool, &'static str> {
    let rest = terminal(text, event);
    let mut readings = memchr::memmem::find_iter(rest, b" ; USER=").filter_map(|at| {
        let folder = rest.get(..at)?;
        let (user, after) = cut(rest.get(at + b" ; USER=".len()..)?, BETWEEN)?;
        let (group, command) = command(after)?;
        (!user.contains(&b' ')).then_some((folder, user, group, command))
    });
    let Some((folder, user, group, command)) = readings.next() else {
        return Err("no USER= and COMMAND=");
    };
    if readings.next().is_some() {
        return Ok(true);
    }
    let folder = match folder.strip_prefix(b"CHROOT=") {
        Some(rest) => cut(rest, BETWEEN).ok_or("no PWD=")?.1,
        None => folder,
    };
    let folder = folder
        .strip_prefix(b"PWD=")
        .or_else(|| folder.strip_prefix(b"CWD="))
        .ok_or("no PWD=")?;
    let folder = cut_last(folder, b" ; CHROOT=").map_or(folder, |(folder, _)| folder);
    event.text(Field::PROCESS_WORKING_DIRECTORY, folder);
    event.text(Field::USER_EFFECTIVE_NAME, user);
    if let Some(group) = group {
        event.text(Field::GROUP_NAME, group);
    }
    event.text(Field::PROCESS_COMMAND_LINE, command);
    Ok(false)
}

/// The group, and the command, verbatim to the end of the line.
fn command(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (group, mut rest) = match text.strip_prefix(b"GROUP=") {
        Some(rest) => {
            let (group, rest) = cut(rest, BETWEEN)?;
            (Some(group), rest)
        }
        None => (None, text),
    };
    if let Some(after) = rest.strip_prefix(b"TSID=") {
        rest = cut(after, BETWEEN)?.1;
    }
    if let Some(after) = rest.strip_prefix(b"ENV=") {
        rest = after.get(memchr::memmem::find(after, b" ; COMMAND=")? + BETWEEN.len()..)?;
    }
    let command = rest.strip_prefix(b"COMMAND=")?;
    Some((group, command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Verdict, String) {
        let mut event = Event::new();
        let message = Message {
            program: b"sudo",
            text: text.as_bytes(),
        };
        let verdict = parse(message, &mut event);
        let fields = [
            Field::EVENT_OUTCOME,
            Field::USER_NAME,
            Field::USER_EFFECTIVE_NAME,
            Field::PROCESS_WORKING_DIRECTORY,
            Field::PROCESS_COMMAND_LINE,
            Field::EVENT_REASON,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join("|"))
    }

    #[test]
    fn commands_are_taken_verbatim() {
        for (text, expected) in [
            (
                "alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/sh -c a ; b",
                "success|alice|root|/home/alice|/bin/sh -c a ; b|-",
            ),
            (
                "alice : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
                "failure|alice|root|/|/bin/ls|3 incorrect password attempts",
            ),
            (
                "alice : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; GROUP=adm ; ENV=A=1 ; COMMAND=/bin/ls",
                "failure|alice|root|/|/bin/ls|user NOT in sudoers",
            ),
            (
                "alice : HOST=web1 ; TTY=pts/0 ; CHROOT=/srv ; PWD=/a ; USER=root ; COMMAND=list",
                "success|alice|root|/a|list|-",
            ),
            (
                "alice : PWD=/a ; USER=root ; TSID=000001 ; COMMAND=list",
                "success|alice|root|/a|list|-",
            ),
            (
                "alice : TTY=pts/0 ; PWD=/a ; b ; USER=root ; COMMAND=list",
                "success|alice|root|/a ; b|list|-",
            ),
            (
                "alice : (command continued) x ; USER=root",
                "unknown|alice|-|-|x ; USER=root|-",
            ),
        ] {
            assert_eq!(read(text), (Verdict::Event, expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_folder_or_command_that_looks_like_fields_moves_nothing() {
        let reason = String::from_utf8_lossy(AMBIGUOUS);
        for text in [
            "alice : TTY=pts/0 ; PWD=/x ; USER=bob ; COMMAND=/a ; USER=root ; COMMAND=/bin/sh",
            "alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/echo ; USER=bob ; COMMAND=/bin/ls",
        ] {
            let expected = format!("success|alice|-|-|-|{reason}");
            assert_eq!(read(text), (Verdict::Event, expected), "{text}");
        }
    }

    #[test]
    fn other_lines_are_not_ours_and_halves_are_malformed() {
        assert_eq!(read("unable to resolve host web1").0, Verdict::NotMine);
        let begun = "alice : problem with defaults entries ; TTY=pts/0 ; PWD=/home/alice ;";
        let expected = "failure|alice|-|-|-|problem with defaults entries".to_owned();
        assert_eq!(read(begun), (Verdict::Event, expected));
        assert!(matches!(
            read("alice : TTY=pts/0 ; PWD=/").0,
            Verdict::Malformed(_)
        ));
    }
}
