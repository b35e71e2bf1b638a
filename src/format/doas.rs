//! doas: OpenBSD's small sudo, and its port to Linux.
//!
//! The command and the folder are the local user's, and stand around the name
//! of the user it was run as: where more than one reading fits, only the
//! caller, who stands before all that, is told.

use super::shape::Shape::Read;
use super::shape::{self, Shape, only_cut, set_user, word};
use super::token::{cut, say};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "doas",
    about: "doas: commands run as another user, and refusals",
    programs: &["doas"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["doas", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 doas: alice ran command pkg_add -u as root from /home/alice",
};

static REFUSALS: &[(&[u8], Shape)] = &[
    (b"failed auth for ", Read(failed_auth)),
    (b"failed password for ", Read(failed_auth)),
    (b"failed command for ", Read(failed_command)),
    (b"command not permitted for ", Read(failed_command)),
];

const AMBIGUOUS: &[u8] = b"the command or the folder looks like doas's own words";

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = message.text;
    let refused = shape::read(REFUSALS, text, event);
    if refused != Verdict::NotMine {
        return refused;
    }
    let Some((user, rest)) = cut(text, b" ran command ") else {
        return Verdict::NotMine;
    };
    let Some(user) = word(user) else {
        return Verdict::NotMine;
    };
    say(event, "doas", "success", "process");
    set_user(user, event);
    match ran(rest, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `COMMAND as TARGET from FOLDER`; older: `as TARGET: COMMAND`.
fn ran<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    if let Some(rest) = text.strip_prefix(b"as ") {
        let (target, command) = cut(rest, b": ").ok_or("no command")?;
        event.text(Field::USER_EFFECTIVE_NAME, word(target).ok_or("no user")?);
        event.text(Field::PROCESS_COMMAND_LINE, command);
        return Ok(());
    }
    let target_and_folder = |rest: &'a [u8]| {
        let (target, folder) = cut(rest, b" from ")?;
        let is_folder = folder.starts_with(b"/") || folder == b"(failed)";
        Some((word(target)?, folder)).filter(|_| is_folder)
    };
    let sound = |_: &[u8], rest: &'a [u8]| target_and_folder(rest).is_some();
    let places = memchr::memmem::find_iter(text, b" as ")
        .filter_map(|at| text.get(at + b" as ".len()..))
        .filter(|rest| target_and_folder(rest).is_some())
        .count();
    if places == 0 {
        return Err("no as and from");
    }
    let Some((command, rest)) = only_cut(text, b" as ", sound) else {
        event.text(Field::EVENT_REASON, AMBIGUOUS);
        return Ok(());
    };
    let (target, folder) = target_and_folder(rest).ok_or("no as and from")?;
    event.text(Field::PROCESS_COMMAND_LINE, command);
    event.text(Field::USER_EFFECTIVE_NAME, target);
    event.text(Field::PROCESS_WORKING_DIRECTORY, folder);
    Ok(())
}

fn failed_auth<'a>(user: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "doas", "failure", "authentication");
    event.text(Field::EVENT_REASON, b"failed auth");
    set_user(word(user).ok_or("not an account's name")?, event);
    Ok(())
}

/// `USER: COMMAND`.
fn failed_command<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, command) = cut(text, b": ").ok_or("no command")?;
    say(event, "doas", "failure", "process");
    event.text(Field::EVENT_REASON, b"command not permitted");
    set_user(word(user).ok_or("not an account's name")?, event);
    event.text(Field::PROCESS_COMMAND_LINE, command);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_moves_neither_caller_nor_target() {
        let fields = [
            Field::EVENT_OUTCOME,
            Field::USER_NAME,
            Field::USER_EFFECTIVE_NAME,
            Field::PROCESS_COMMAND_LINE,
        ];
        for (text, expected) in [
            (
                "alice ran command ls -l as root from /home/alice",
                "success|alice|root|ls -l",
            ),
            (
                "alice ran command as root: /bin/ls",
                "success|alice|root|/bin/ls",
            ),
            (
                "alice ran command echo as bob from /x as root from /",
                "success|alice|-|-",
            ),
            ("failed auth for alice", "failure|alice|-|-"),
            ("failed command for alice: reboot", "failure|alice|-|reboot"),
        ] {
            assert_eq!(
                shape::shown(&FORMAT, "doas", text, &fields),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
    }
}
