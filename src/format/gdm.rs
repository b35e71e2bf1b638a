//! Display managers: GDM and its kin, and the keyring that unlocks with the
//! login. Their logins themselves are PAM's lines.

use super::shape::Shape::{Read, Takes};
use super::shape::{self, ANOTHER, Shape, set_user, unquoted, word};
use super::token::{cut, cut_last, say};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "gdm",
    about: "GDM, LightDM and SDDM: logins at the screen (desktop_login), keyring",
    programs: &[
        "gdm",
        "gdm3",
        "gdm-binary",
        "gdm-password",
        // GDM puts its own bracket into the tag: `gdm-password][812]: `.
        "gdm-password]",
        "gdm-fingerprint]",
        "gdm-smartcard]",
        "gdm-autologin]",
        "gdm-launch-environment]",
        "gdm-session-worker",
        "gdm-x-session",
        "gdm-wayland-session",
        "lightdm",
        "sddm",
        "sddm-helper",
        "kdm",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["gdm", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 desk1 gdm-password][812]: gkr-pam: unlocked login keyring",
};

static SHAPES: &[(&[u8], Shape)] = &[
    (b"gkr-pam: ", Read(keyring)),
    (b"Couldn't authenticate user", Takes(not_authenticated)),
    (b"Couldn't authenticate ", Takes(not_authenticated_named)),
    (b"Root login disallowed on display ", Takes(root_refused)),
    (b"User ", Read(user)),
    (b"Authentication error: ", Takes(authentication_error)),
    (b"Authentication failure for user ", Takes(failure_for)),
    (b"[PAM] authenticate: ", Takes(pam_said)),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = message.text;
    let text = text
        .strip_prefix(b"GdmSessionWorker: ")
        .or_else(|| text.strip_prefix(b"WARNING: "))
        .unwrap_or(text);
    shape::read(SHAPES, text, event)
}

fn keyring<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let outcome = match text {
        b"unlocked login keyring"
        | b"gnome-keyring-daemon started properly and unlocked keyring" => "success",
        b"the password for the login keyring was invalid"
        | b"the password for the login keyring was invalid." => "failure",
        _ => return Err(ANOTHER),
    };
    say(event, "keyring_unlock", outcome, "authentication");
    Ok(())
}

fn not_authenticated<'a>(_: &'a [u8], event: &mut Event<'a>) {
    say(event, "desktop_login", "failure", "authentication");
}

fn not_authenticated_named<'a>(user: &'a [u8], event: &mut Event<'a>) {
    say(event, "desktop_login", "failure", "authentication");
    set_user(unquoted(user), event);
}

fn root_refused<'a>(display: &'a [u8], event: &mut Event<'a>) {
    say(event, "desktop_login", "failure", "authentication");
    set_user(b"root", event);
    event.text(Field::EVENT_REASON, b"root login disallowed");
    event.text(Field::PROCESS_TTY, unquoted(display));
}

/// LightDM: `USER authorized`; the account exists.
fn user<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let name = text.strip_suffix(b" authorized").ok_or(ANOTHER)?;
    say(event, "desktop_login", "success", "authentication");
    set_user(word(name).ok_or("not an account's name")?, event);
    Ok(())
}

/// SDDM: `"Authentication failure"` or its process's words.
fn authentication_error<'a>(text: &'a [u8], event: &mut Event<'a>) {
    say(event, "desktop_login", "failure", "authentication");
    let reason = text
        .strip_prefix(b"\"")
        .and_then(|text| text.strip_suffix(b"\""));
    event.text(Field::EVENT_REASON, reason.unwrap_or(text));
}

fn failure_for<'a>(text: &'a [u8], event: &mut Event<'a>) {
    say(event, "desktop_login", "failure", "authentication");
    let user = cut_last(text, b" on display ").map_or(text, |(user, _)| user);
    set_user(unquoted(user), event);
}

/// SDDM's helper, which repeats what its parent says.
fn pam_said<'a>(text: &'a [u8], event: &mut Event<'a>) {
    say(event, "desktop_authentication", "failure", "authentication");
    let reason = cut(text, b": ").map_or(text, |(_, reason)| reason);
    event.text(Field::EVENT_REASON, reason);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_say_how_logins_ended() {
        let fields = [Field::EVENT_ACTION, Field::EVENT_OUTCOME, Field::USER_NAME];
        for (text, expected) in [
            (
                "gkr-pam: unlocked login keyring",
                "keyring_unlock|success|-",
            ),
            ("Couldn't authenticate user", "desktop_login|failure|-"),
            (
                "Root login disallowed on display ':0'",
                "desktop_login|failure|root",
            ),
            ("User alice authorized", "desktop_login|success|alice"),
        ] {
            assert_eq!(
                shape::shown(&FORMAT, "gdm", text, &fields),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
        let other = "gkr-pam: unable to locate daemon control file";
        assert_eq!(shape::shown(&FORMAT, "gdm", other, &[]).0, Verdict::NotMine);
    }
}
