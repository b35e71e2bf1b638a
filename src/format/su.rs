//! su, in the words of shadow, util-linux, and the BSDs.
//!
//! Whoever runs su chooses the target's name, so it is what lies between the
//! fixed words; the terminal and the caller are taken from the end.

use super::template::Table;
use super::token::{cut, cut_last, last_word, say};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "su",
    about: "su: switched to another user, or failed to",
    programs: &["su", "su-l"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["su", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 su[812]: (to root) alice on pts/0",
};

const FAILED: [&str; 3] = ["su", "failure", "authentication"];

/// Refusals before anything was asked.
static REFUSALS: Table = Table::new(&[(
    FAILED,
    &[
        "No passwd entry for user '{target}'",
        "user {target} does not exist",
        "You are not authorized to su {target}",
        "Cannot determine your user name.",
        "kerberos: not in {target}'s ACL.",
    ],
)]);

/// Who became whom, where, and whether it worked.
struct Switch<'a> {
    from: &'a [u8],
    to: &'a [u8],
    tty: Option<&'a [u8]>,
    success: bool,
}

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = message.text;
    let read = if text.starts_with(b"(to ") || text.starts_with(b"FAILED SU (to ") {
        util_linux(text)
    } else if text.starts_with(b"Successful su for ") || text.starts_with(b"FAILED su for ") {
        shadow(text)
    } else if let [b'+' | b'-', b' ', ..] = text {
        shadow_short(text)
    } else if text.starts_with(b"'su ") {
        quoted(text)
    } else if text.starts_with(b"BAD SU ") || cut_last(text, b" on ").is_some() {
        match bsd(text) {
            None if !text.starts_with(b"BAD SU ") => return Verdict::NotMine,
            read => read,
        }
    } else {
        return REFUSALS.read(text, event);
    };
    let Some(switch) = read else {
        return Verdict::Malformed("not su's words to the end");
    };
    let outcome = if switch.success { "success" } else { "failure" };
    say(event, "su", outcome, "authentication");
    event.text(Field::USER_NAME, switch.from);
    event.text(Field::USER_EFFECTIVE_NAME, switch.to);
    if let Some(tty) = switch.tty {
        event.text(Field::PROCESS_TTY, tty);
    }
    Verdict::Event
}

/// An account's name: one word, not empty.
fn account(name: &[u8]) -> Option<&[u8]> {
    (!name.is_empty() && !name.contains(&b' ')).then_some(name)
}

/// `[FAILED SU ](to TARGET) CALLER on TTY`.
fn util_linux(text: &[u8]) -> Option<Switch<'_>> {
    let (rest, success) = match text.strip_prefix(b"FAILED SU ") {
        Some(rest) => (rest, false),
        None => (text, true),
    };
    let (rest, tty) = cut_last(rest, b" on ")?;
    let (rest, from) = cut_last(rest, b") ")?;
    Some(Switch {
        from: account(from)?,
        to: rest.strip_prefix(b"(to ")?,
        tty: Some(tty),
        success,
    })
}

/// `Successful su for TARGET by CALLER`.
fn shadow(text: &[u8]) -> Option<Switch<'_>> {
    let success = text.starts_with(b"Successful");
    let (_, rest) = cut(text, b" su for ")?;
    let (to, from) = cut_last(rest, b" by ")?;
    Some(Switch {
        from: account(from)?,
        to,
        tty: None,
        success,
    })
}

/// `+ TTY CALLER:TARGET`, `-` where it failed.
fn shadow_short(text: &[u8]) -> Option<Switch<'_>> {
    let success = text.starts_with(b"+");
    let (tty, names) = cut(text.get(2..)?, b" ")?;
    let (from, to) = cut(names, b":").or_else(|| cut(names, b"-"))?;
    Some(Switch {
        from: account(from)?,
        to,
        tty: Some(tty),
        success,
    })
}

/// `'su TARGET' failed for CALLER on TTY`, `'su TARGET' succeeded for …`.
fn quoted(text: &[u8]) -> Option<Switch<'_>> {
    let (rest, tty) = cut_last(text, b" on ")?;
    let (rest, from) = cut_last(rest, b" for ")?;
    let (to, success) = match rest.strip_suffix(b"' failed") {
        Some(to) => (to, false),
        None => (rest.strip_suffix(b"' succeeded")?, true),
    };
    Some(Switch {
        from: account(from)?,
        to: to.strip_prefix(b"'su ")?,
        tty: Some(tty),
        success,
    })
}

/// `[BAD SU ]CALLER to TARGET on TTY`.
fn bsd(text: &[u8]) -> Option<Switch<'_>> {
    let (rest, success) = match text.strip_prefix(b"BAD SU ") {
        Some(rest) => (rest, false),
        None => (text, true),
    };
    let (rest, tty) = last_word(rest);
    let (from, to) = cut(rest.strip_suffix(b" on")?, b" to ")?;
    Some(Switch {
        from: account(from)?,
        to,
        tty: Some(tty),
        success,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wording_says_who_became_whom() {
        for (text, expected) in [
            ("(to root) alice on pts/0", "success alice root"),
            (
                "FAILED SU (to x) bob on pts/9) alice on pts/0",
                "failure alice x) bob on pts/9",
            ),
            ("Successful su for root by alice", "success alice root"),
            ("FAILED su for x by bob by alice", "failure alice x by bob"),
            ("+ /dev/pts/0 alice:root", "success alice root"),
            ("- pts/1 alice:root", "failure alice root"),
            (
                "'su root' failed for alice on /dev/pts/8",
                "failure alice root",
            ),
            ("BAD SU alice to root on /dev/ttyp0", "failure alice root"),
            ("alice to root on /dev/ttyp0", "success alice root"),
        ] {
            let mut event = Event::new();
            let message = Message {
                program: b"su",
                text: text.as_bytes(),
            };
            assert_eq!(parse(message, &mut event), Verdict::Event, "{text}");
            let shown = [
                Field::EVENT_OUTCOME,
                Field::USER_NAME,
                Field::USER_EFFECTIVE_NAME,
            ]
            .map(|field| event.shown(field));
            assert_eq!(shown.join(" "), expected, "{text}");
        }
    }
}
