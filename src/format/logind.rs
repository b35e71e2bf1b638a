//! systemd-logind: login sessions on seats and terminals.

use nom::bytes::complete::{tag, take_while1};
use nom::combinator::opt;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser as _};

use super::token::{cut_last, say};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "systemd-logind",
    about: "systemd-logind: sessions opened and closed",
    programs: &["systemd-logind"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["systemd-logind", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 systemd-logind[612]: New session 42 of user alice.",
};

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = message.text;
    if text.starts_with(b"New session ") {
        let Some((id, user)) = opened(text) else {
            return Verdict::Malformed("a new session without number or user");
        };
        say(event, "logind_session_opened", "success", "session");
        event.text(Field::SESSION_ID, id);
        event.text(Field::USER_NAME, user);
        return Verdict::Event;
    }
    let ended = |first: &'static [u8], last: &'static [u8]| {
        let mut id = delimited(tag(first), session, tag(last));
        id.parse(text).ok().map(|(_, id)| id)
    };
    if let Some(id) = ended(b"Removed session ", b".") {
        say(event, "logind_session_closed", "success", "session");
        event.text(Field::SESSION_ID, id);
        return Verdict::Event;
    }
    if let Some(id) = ended(b"Session ", b" logged out.") {
        say(event, "logind_session_ending", "success", "session");
        event.text(Field::SESSION_ID, id);
        return Verdict::Event;
    }
    Verdict::NotMine
}

/// `New session 42 of user alice.`; since 256 with quotes and, after the name,
/// ` with class 'user' and type 'tty'.`
fn opened(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (rest, id) = preceded(tag(&b"New session "[..]), session)
        .parse(text)
        .ok()?;
    let user = rest.strip_prefix(b" of user ")?.strip_suffix(b".")?;
    let user = cut_last(user, b" with class ").map_or(user, |(user, _)| user);
    let bare = user
        .strip_prefix(b"'")
        .and_then(|user| user.strip_suffix(b"'"));
    Some((id, bare.unwrap_or(user)))
}

/// `42`, `c1`, `'42'`.
fn session(text: &[u8]) -> IResult<&[u8], &[u8]> {
    let quote = || opt(tag(&b"'"[..]));
    delimited(
        quote(),
        take_while1(|b: u8| b.is_ascii_alphanumeric()),
        quote(),
    )
    .parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Value;

    #[test]
    fn sessions_of_old_and_new_wording() {
        for (text, expected) in [
            (
                "New session 42 of user alice.",
                "logind_session_opened 42 alice",
            ),
            (
                "New session 'c1' of user 'alice' with class 'user' and type 'tty'.",
                "logind_session_opened c1 alice",
            ),
            ("Removed session 42.", "logind_session_closed 42 -"),
            (
                "Session 42 logged out. Waiting for processes to exit.",
                "logind_session_ending 42 -",
            ),
        ] {
            let mut event = Event::new();
            let message = Message {
                program: b"systemd-logind",
                text: text.as_bytes(),
            };
            assert_eq!(parse(message, &mut event), Verdict::Event, "{text}");
            let shown =
                [Field::EVENT_ACTION, Field::SESSION_ID, Field::USER_NAME].map(|field| match event
                    .get(field)
                {
                    Some(Value::Text(text)) => String::from_utf8_lossy(text).into_owned(),
                    _ => "-".to_owned(),
                });
            assert_eq!(shown.join(" "), expected, "{text}");
        }
    }
}
