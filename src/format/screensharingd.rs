//! macOS's screen sharing server. The viewer chooses the user name; its
//! address stands between it and the end.

use super::token::{cut_last, ip, say};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "screensharingd",
    about: "macOS screen sharing: logins (screen_sharing_login)",
    programs: &["screensharingd"],
    logsources: &[LogSource {
        product: "macos",
        categories: &[],
        services: &["screensharingd", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 mac1 screensharingd[812]: Authentication: FAILED :: User Name: alice :: Viewer Address: 192.0.2.7 :: Type: DH",
};

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let Some(rest) = message.text.strip_prefix(b"Authentication: ") else {
        return Verdict::NotMine;
    };
    match read(rest, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `FAILED :: User Name: U :: Viewer Address: A :: Type: DH`.
fn read<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    const USER: &[u8] = b" :: User Name: ";
    let (outcome, rest) = if let Some(rest) = text.strip_prefix(b"SUCCEEDED") {
        ("success", rest)
    } else {
        (
            "failure",
            text.strip_prefix(b"FAILED")
                .ok_or("neither succeeded nor failed")?,
        )
    };
    say(event, "screen_sharing_login", outcome, "authentication");
    let rest = rest.strip_prefix(USER).ok_or("no user name")?;
    let (rest, _) = cut_last(rest, b" :: Type: ").ok_or("no type")?;
    let (user, address) = cut_last(rest, b" :: Viewer Address: ").ok_or("no viewer address")?;
    if !user.is_empty() {
        event.text(Field::USER_NAME, user);
    }
    let address = ip(address).ok_or("not an address")?;
    event.set(Field::SOURCE_IP, Value::Ip(address));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::shape::shown;

    #[test]
    fn the_viewer_cannot_name_another_address() {
        let fields = [Field::EVENT_OUTCOME, Field::USER_NAME, Field::SOURCE_IP];
        let text = "Authentication: FAILED :: User Name: x :: Viewer Address: 198.51.100.1 :: Type: DH :: Viewer Address: 192.0.2.7 :: Type: DH";
        let expected = "failure|x :: Viewer Address: 198.51.100.1 :: Type: DH|192.0.2.7";
        assert_eq!(
            shown(&FORMAT, "screensharingd", text, &fields),
            (Verdict::Event, expected.to_owned())
        );
        let half = "Authentication: FAILED :: User Name: x :: Viewer Address: ";
        let verdict = shown(&FORMAT, "screensharingd", half, &fields).0;
        assert!(matches!(verdict, Verdict::Malformed(_)));
    }
}
