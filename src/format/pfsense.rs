//! The web consoles of pfSense and OPNsense, which log through PHP.
//!
//! The user name is the remote side's and stands before the address. Behind
//! the address pfSense may quote a header of the browser's in brackets, so
//! where there is a bracket, only one place may be the separator.

use super::shape::{only_cut, set_user};
use super::token::{cut, ip, say};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "pfsense",
    about: "pfSense and OPNsense web consoles: logins (pfsense_login), pfsense_logout",
    programs: &["php-fpm", "php", "opnsense", "audit"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["pfsense", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 fw1 php-fpm[812]: /index.php: webConfigurator authentication error for user 'alice' from: 192.0.2.7",
};

/// What the console says before the quoted name: action, outcome, category.
static SHAPES: &[(&[u8], &str, &str, &str)] = &[
    (
        b"webConfigurator authentication error for ",
        "pfsense_login",
        "failure",
        "authentication",
    ),
    (
        b"Web GUI authentication error for ",
        "pfsense_login",
        "failure",
        "authentication",
    ),
    (
        b"Successful login for ",
        "pfsense_login",
        "success",
        "authentication",
    ),
    (
        b"Successful webConfigurator login for ",
        "pfsense_login",
        "success",
        "authentication",
    ),
    (
        b"User logged out for ",
        "pfsense_logout",
        "success",
        "session",
    ),
    (
        b"Session timed out for ",
        "pfsense_logout",
        "success",
        "session",
    ),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let script = cut(message.text, b": ").filter(|(script, _)| is_script(script));
    let Some((_, text)) = script else {
        return Verdict::NotMine;
    };
    let found = SHAPES
        .iter()
        .find_map(|shape| Some((text.strip_prefix(shape.0)?, shape)));
    let Some((rest, &(_, action, outcome, category))) = found else {
        return Verdict::NotMine;
    };
    say(event, action, outcome, category);
    match who(rest, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `/index.php`: the page that the console served.
fn is_script(script: &[u8]) -> bool {
    script.starts_with(b"/") && script.ends_with(b".php") && !script.contains(&b' ')
}

/// `user 'NAME' from: ADDRESS`, in older versions `'NAME' from ADDRESS`.
fn who<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let text = text.strip_prefix(b"user ").unwrap_or(text);
    let text = text.strip_prefix(b"'").ok_or("no quoted user")?;
    let is_last = |_: &[u8], tail: &[u8]| address(tail).is_some();
    let ends = |tail: &[u8]| address(tail).is_some_and(|(_, rest)| rest.is_empty());
    let last = memchr::memmem::rfind(text, SEPARATOR)
        .and_then(|at| Some((text.get(..at)?, text.get(at + SEPARATOR.len()..)?)));
    let (user, tail) = match last {
        // Without brackets nothing of the remote side's follows the address.
        Some((user, tail)) if ends(tail) && !text.contains(&b'[') => (user, tail),
        _ => only_cut(text, SEPARATOR, is_last).ok_or("no one place names the address")?,
    };
    let (address, _) = address(tail).ok_or("no address")?;
    set_user(user, event);
    event.set(Field::SOURCE_IP, Value::Ip(address));
    Ok(())
}

const SEPARATOR: &[u8] = b"' from";

/// `: ADDRESS` or ` ADDRESS`, and what follows: nothing, the header in
/// brackets, or where the account is kept, ` (Local Database)`.
fn address(tail: &[u8]) -> Option<(std::net::IpAddr, &[u8])> {
    let text = tail.strip_prefix(b":").unwrap_or(tail).strip_prefix(b" ")?;
    let end = text.iter().position(|b| matches!(b, b' ' | b'['));
    let (address, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
    let sound = rest.is_empty() || rest.starts_with(b"[") || rest.starts_with(b" (");
    Some((ip(address).filter(|_| sound)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::shape::shown;

    #[test]
    fn logins_and_their_ends() {
        let fields = [
            Field::EVENT_ACTION,
            Field::EVENT_OUTCOME,
            Field::USER_NAME,
            Field::SOURCE_IP,
        ];
        for (text, expected) in [
            (
                "/index.php: webConfigurator authentication error for user 'alice' from: 192.0.2.7",
                "pfsense_login|failure|alice|192.0.2.7",
            ),
            (
                "/index.php: webConfigurator authentication error for 'alice' from 192.0.2.7",
                "pfsense_login|failure|alice|192.0.2.7",
            ),
            (
                "/index.php: Successful login for user 'admin' from: 2001:db8::7 (Local Database)",
                "pfsense_login|success|admin|2001:db8::7",
            ),
            (
                "/index.php: Successful login for user 'admin' from: 192.0.2.7[198.51.100.1] (Local Database)",
                "pfsense_login|success|admin|192.0.2.7",
            ),
            (
                "/interfaces.php: Session timed out for user 'admin' from: 192.0.2.7",
                "pfsense_logout|success|admin|192.0.2.7",
            ),
            (
                "/index.php: Web GUI authentication error for 'x' from: 198.51.100.1' from: 192.0.2.7",
                "pfsense_login|failure|x' from: 198.51.100.1|192.0.2.7",
            ),
        ] {
            assert_eq!(
                shown(&FORMAT, "php-fpm", text, &fields),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn two_readings_are_none() {
        for text in [
            "/index.php: Successful login for user 'x' from: 198.51.100.1[' from: 192.0.2.7",
            "/index.php: Successful login for user 'x' from: 192.0.2.7[' from: 198.51.100.1[",
            "/index.php: Successful login for user 'x' from: nowhere",
            "/index.php: Successful login for user 'x",
        ] {
            let verdict = shown(&FORMAT, "php-fpm", text, &[]).0;
            assert!(matches!(verdict, Verdict::Malformed(_)), "{text}");
        }
        for text in [
            "/index.php: Configuration changed",
            "a.php: Successful login for user 'x' from: 192.0.2.7",
        ] {
            assert_eq!(shown(&FORMAT, "php-fpm", text, &[]).0, Verdict::NotMine);
        }
    }
}
