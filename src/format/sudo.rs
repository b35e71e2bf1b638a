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

/// Where the fields begin; sudo writes them all or none.
const TTY: &[u8] = b"TTY=";

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
    let (error, rest) = if rest.starts_with(TTY) {
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
    match fields(rest, event) {
        Ok(ambiguous) => {
            if let Some(reason) = error.or(ambiguous.then_some(AMBIGUOUS)) {
                event.text(Field::EVENT_REASON, reason);
            }
            Verdict::Event
        }
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `3 incorrect password attempts ; TTY=…`: sudo's words, of which some quote
/// nothing; so the first `; TTY=` ends them.
fn fields_after_error(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memmem::find(text, b" ; TTY=")?;
    Some((text.get(..at)?, text.get(at + BETWEEN.len()..)?))
}

/// `TTY=T ; PWD=D ; [CHROOT=… ; ]USER=U ; [GROUP=G ; ][TSID=… ; ][ENV=… ; ]COMMAND=C`.
/// True where the folder and what follows cannot be told apart.
fn fields<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<bool, &'static str> {
    let text = text.strip_prefix(TTY).ok_or("no TTY=")?;
    let (tty, rest) = cut(text, BETWEEN).ok_or("nothing after TTY=")?;
    event.text(Field::PROCESS_TTY, tty);
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
    let folder = folder.strip_prefix(b"PWD=").ok_or("no PWD=")?;
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
        assert!(matches!(
            read("alice : TTY=pts/0 ; PWD=/").0,
            Verdict::Malformed(_)
        ));
    }
}
