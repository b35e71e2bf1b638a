//! polkit: polkitd's decisions, its agent's helper, and pkexec.
//!
//! Command lines stand in brackets in the middle of polkitd's messages and at
//! the end of pkexec's; the local user chooses them. So the owner is taken
//! from the end, and pkexec's folder is only told from its command where one
//! reading fits.

use super::shape::Shape::{Read, Takes};
use super::shape::{self, Shape, only_cut, set_user, word};
use super::token::{cut, cut_last, say};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "polkit",
    about: "polkit: authorizations given and refused (polkit_authorization), commands run with pkexec",
    programs: &[
        "polkitd",
        "polkitd(authority=local)",
        "polkit-agent-helper-1",
        "pkexec",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["polkit", "pkexec", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 pkexec[812]: alice: Executing command [USER=root] [TTY=unknown] [CWD=/home/alice] [COMMAND=/usr/bin/apt update]",
};

static DECISIONS: &[(&[u8], Shape)] = &[
    (b"Operator of ", Read(operator)),
    (b"Registered Authentication Agent for ", Takes(registered)),
    (
        b"Unregistered Authentication Agent for ",
        Takes(unregistered),
    ),
    (b"pam_authenticate failed: ", Takes(helper)),
    (
        b"polkit-agent-helper-1: pam_authenticate failed: ",
        Takes(helper),
    ),
    (b"pam_acct_mgmt failed: ", Takes(helper)),
    (
        b"polkit-agent-helper-1: error response to PolicyKit daemon: ",
        Takes(helper),
    ),
    (b"error response to PolicyKit daemon: ", Takes(helper)),
];

/// What stands in `event.reason` where the command cannot be told from the folder.
const AMBIGUOUS: &[u8] = b"the folder or the command looks like pkexec's own words";

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    if message.program != b"pkexec" {
        return shape::read(DECISIONS, message.text, event);
    }
    match pkexec(message.text, event) {
        None => Verdict::NotMine,
        Some(Ok(())) => Verdict::Event,
        Some(Err(reason)) => Verdict::Malformed(reason),
    }
}

/// `SUBJECT successfully authenticated as unix-user:U to gain KIND authorization for action A for …`,
/// `SUBJECT FAILED to authenticate to gain authorization for action A for …`.
fn operator<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (subject, rest) = cut(text, b" ").ok_or("no subject")?;
    let granted = rest.strip_prefix(b"successfully authenticated as ");
    say(
        event,
        "polkit_authorization",
        if granted.is_some() {
            "success"
        } else {
            "failure"
        },
        "authentication",
    );
    if let Some(session) = subject.strip_prefix(b"unix-session:") {
        event.text(Field::SESSION_ID, session);
    }
    let rest = match granted {
        Some(rest) => {
            let (admin, rest) = cut(rest, b" to gain ").ok_or("no to gain")?;
            let admin = admin.strip_prefix(b"unix-user:").unwrap_or(admin);
            event.text(Field::USER_EFFECTIVE_NAME, word(admin).ok_or("no user")?);
            cut(rest, b"authorization for action ")
                .ok_or("no action")?
                .1
        }
        None => rest
            .strip_prefix(b"FAILED to authenticate to gain authorization for action ")
            .ok_or("neither granted nor refused")?,
    };
    let (action, rest) = cut(rest, b" for ").ok_or("nobody whom it is for")?;
    event.text(Field::POLKIT_ACTION, action);
    owner(rest, event)
}

/// `unix-process:1:2 [command line] (owned by unix-user:U)`; the owner is the
/// end, and the command line what lies between the brackets.
fn owner<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (head, user) = text
        .strip_suffix(b")")
        .and_then(|text| cut_last(text, b" (owned by unix-user:"))
        .ok_or("no owner")?;
    set_user(word(user).ok_or("no owner")?, event);
    if let Some((_, command)) = head
        .strip_suffix(b"]")
        .and_then(|head| cut(head, b" ["))
        .filter(|(_, command)| !command.is_empty())
    {
        event.text(Field::PROCESS_COMMAND_LINE, command);
    }
    Ok(())
}

fn registered<'a>(text: &'a [u8], event: &mut Event<'a>) {
    say(event, "polkit_agent_registered", "success", "session");
    agent(text, event);
}

fn unregistered<'a>(text: &'a [u8], event: &mut Event<'a>) {
    say(event, "polkit_agent_unregistered", "success", "session");
    agent(text, event);
}

/// `unix-session:2 (system bus name :1.35 …`.
fn agent<'a>(text: &'a [u8], event: &mut Event<'a>) {
    let session = cut(text, b" ")
        .and_then(|(subject, _)| subject.strip_prefix(b"unix-session:"))
        .filter(|session| !session.is_empty());
    if let Some(session) = session {
        event.text(Field::SESSION_ID, session);
    }
}

fn helper<'a>(reason: &'a [u8], event: &mut Event<'a>) {
    say(event, "polkit_authentication", "failure", "authentication");
    event.text(Field::EVENT_REASON, reason);
}

/// `USER: what [USER=root] [TTY=…] [CWD=…] [COMMAND=…]`.
fn pkexec<'a>(text: &'a [u8], event: &mut Event<'a>) -> Option<Result<(), &'static str>> {
    let (user, rest) = cut(text, b": ")?;
    let user = word(user)?;
    let (what, rest) = cut(rest, b" [USER=")?;
    let run = what == b"Executing command";
    let outcome = if run { "success" } else { "failure" };
    say(event, "pkexec", outcome, "process");
    set_user(user, event);
    let ambiguous = match bracketed(rest, event) {
        Ok(ambiguous) => ambiguous,
        Err(reason) => return Some(Err(reason)),
    };
    if !run {
        event.text(Field::EVENT_REASON, what);
    } else if ambiguous {
        event.text(Field::EVENT_REASON, AMBIGUOUS);
    }
    Some(Ok(()))
}

fn bracketed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<bool, &'static str> {
    let (target, rest) = cut(text, b"] [TTY=").ok_or("no TTY=")?;
    event.text(Field::USER_EFFECTIVE_NAME, word(target).ok_or("no USER=")?);
    let (tty, rest) = cut(rest, b"] [CWD=").ok_or("no CWD=")?;
    event.text(Field::PROCESS_TTY, tty);
    let rest = rest.strip_suffix(b"]").ok_or("no end")?;
    if memchr::memmem::find(rest, b"] [COMMAND=").is_none() {
        return Err("no COMMAND=");
    }
    let Some((folder, command)) = only_cut(rest, b"] [COMMAND=", |_, _| true) else {
        return Ok(true);
    };
    event.text(Field::PROCESS_WORKING_DIRECTORY, folder);
    event.text(Field::PROCESS_COMMAND_LINE, command);
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [Field; 6] = [
        Field::EVENT_ACTION,
        Field::EVENT_OUTCOME,
        Field::USER_NAME,
        Field::USER_EFFECTIVE_NAME,
        Field::PROCESS_WORKING_DIRECTORY,
        Field::PROCESS_COMMAND_LINE,
    ];

    #[test]
    fn decisions_say_who_asked_and_who_vouched() {
        for (program, text, expected) in [
            (
                "polkitd",
                "Operator of unix-session:2 successfully authenticated as unix-user:root to gain ONE-SHOT authorization for action org.example.run for unix-process:12:34 [/bin/sh -c a (owned by unix-user:bob)] (owned by unix-user:alice)",
                "polkit_authorization|success|alice|root|-|/bin/sh -c a (owned by unix-user:bob)",
            ),
            (
                "polkitd",
                "Operator of unix-session:c1 FAILED to authenticate to gain authorization for action org.example.run for system-bus-name::1.35 [gnome-shell] (owned by unix-user:alice)",
                "polkit_authorization|failure|alice|-|-|gnome-shell",
            ),
            (
                "pkexec",
                "alice: Executing command [USER=root] [TTY=/dev/pts/0] [CWD=/home/alice] [COMMAND=/usr/bin/id -u]",
                "pkexec|success|alice|root|/home/alice|/usr/bin/id -u",
            ),
            (
                "pkexec",
                "alice: Error executing command as another user: Not authorized [USER=root] [TTY=unknown] [CWD=/x] [COMMAND=/y] [COMMAND=/usr/bin/id]",
                "pkexec|failure|alice|root|-|-",
            ),
        ] {
            assert_eq!(
                shape::shown(&FORMAT, program, text, &FIELDS),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_decision_without_owner_is_malformed() {
        let text = "Operator of unix-session:c1 FAILED to authenticate to gain authorization for action org.example.run for x";
        let verdict = shape::shown(&FORMAT, "polkitd", text, &[]).0;
        assert!(matches!(verdict, Verdict::Malformed(_)));
        let verdict = shape::shown(&FORMAT, "polkitd", "Loading rules from directory /etc", &[]).0;
        assert_eq!(verdict, Verdict::NotMine);
    }
}
