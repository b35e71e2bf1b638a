//! Dropbear, the small SSH server of routers and embedded systems.
//!
//! The user name is the remote side's; the address stands at the end of the
//! line, or in `<>` right after fixed words.

use bumpalo::Bump;

use super::shape::Shape::Read;
use super::shape::{self, ANOTHER, Shape, pid_and_stamp, set_user, unquoted};
use super::template::Table;
use super::token::{Host, cut, cut_last, joined_peer, last_word, port, say};
use super::{Context, Format, Message, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

const LOGSOURCES: &[LogSource] = &[LogSource {
    product: "linux",
    categories: &[],
    services: &["dropbear", "sshd", "auth", "syslog"],
}];

pub(super) static FORMAT: Format = Format {
    name: "dropbear",
    about: "Dropbear SSH server: logins, failures, connections, in sshd's actions",
    programs: &["dropbear"],
    logsources: LOGSOURCES,
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 router1 dropbear[812]: Bad password attempt for 'root' from 192.0.2.7:50022",
};

pub(super) static STDERR: Format = Format {
    name: "dropbear-stderr",
    about: "Dropbear's own output (dropbear -F -E), with its stamp or without",
    programs: &[],
    logsources: LOGSOURCES,
    parse: Parser::Line(parse_line),
    example: "[812] May  1 10:00:00 Bad password attempt for 'root' from 192.0.2.7:50022",
};

static SHAPES: &[(&[u8], Shape)] = &[
    (b"Bad password attempt for ", Read(failed)),
    (b"bad password attempt for ", Read(failed)),
    (b"Bad PAM password attempt for ", Read(failed)),
    (b"Pubkey auth bad signature for ", Read(failed)),
    (b"Pubkey auth attempt with unknown algo for ", Read(failed)),
    (b"Password auth succeeded for ", Read(accepted)),
    (b"password auth succeeded for ", Read(accepted)),
    (b"PAM password auth succeeded for ", Read(accepted)),
    (b"Pubkey auth succeeded for ", Read(accepted_key)),
    (b"pubkey auth succeeded for ", Read(accepted_key)),
    (b"Auth succeeded with blank password for ", Read(accepted)),
    (b"Login attempt for nonexistent user", Read(invalid_user)),
    (b"login attempt for nonexistent user", Read(invalid_user)),
    (b"Login attempt with wrong user ", Read(wrong_user)),
    (b"Child connection from ", Read(connection)),
    (b"Exit before auth", Read(exit_before)),
    (b"exit before auth", Read(exit_before)),
    (b"Exit (", Read(exit)),
    (b"exit after auth (", Read(exit)),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = pid_and_stamp(message.text).map_or(message.text, |(_, _, text)| text);
    match shape::read(SHAPES, text, event) {
        Verdict::NotMine => REFUSALS.read(text, event),
        verdict => verdict,
    }
}

const REFUSED: [&str; 3] = ["ssh_not_allowed", "failure", "authentication"];

/// Without an address: the connection's other messages have it.
static REFUSALS: Table = Table::new(&[(
    REFUSED,
    &[
        "User '{user}' has invalid shell, rejected",
        "User account '{user}' is locked",
        "user '{user}' has blank password, rejected",
        "User '{user}' has blank password, rejected",
        "{user} login rejected",
    ],
)]);

fn parse_line<'a>(
    line: &'a [u8],
    context: &'a Context,
    _arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let line = super::token::trim_end(line);
    let (pid, text) = match pid_and_stamp(line) {
        Some((pid, stamp, text)) => match timestamp::rfc3164(stamp, context) {
            Some((time, _)) => {
                event.time = Some(time);
                (Some(pid), text)
            }
            None => return Verdict::NotMine,
        },
        None => (None, line),
    };
    if shape::read(SHAPES, text, event) != Verdict::Event {
        event.truncate(0);
        return Verdict::NotMine;
    }
    event.text(Field::MESSAGE, text);
    event.text(Field::PROCESS_NAME, b"dropbear");
    if let Some(pid) = pid {
        event.set(Field::PROCESS_PID, Value::Int(pid));
    }
    Verdict::Event
}

/// `… from HOST:PORT` at the end: what stands before it.
fn from_at_end<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<&'a [u8], &'static str> {
    let (head, peer) = last_word(text);
    set_peer(peer, event)?;
    if head.is_empty() && text.starts_with(b"from ") {
        return Ok(head);
    }
    head.strip_suffix(b" from")
        .or_else(|| (head == b"from").then_some(&[][..]))
        .ok_or("no from before the address")
}

/// `HOST:PORT`, an address, or a name where Dropbear was built to look it up.
fn set_peer<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    if let Some(peer) = joined_peer(text) {
        peer.set(event);
        return Ok(());
    }
    let (host, number) = cut_last(text, b":").ok_or("no port after the address")?;
    let number = port(number).ok_or("not a port")?;
    Host::read(host).ok_or("not an address")?.set(event);
    event.set(Field::SOURCE_PORT, Value::Int(i64::from(number)));
    Ok(())
}

/// `'USER' from HOST:PORT`.
fn quoted_user<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let head = from_at_end(text, event)?;
    let user = match head.strip_suffix(b"'") {
        Some(user) => user,
        None => cut_last(head, b"' with ").ok_or("no user")?.0,
    };
    set_user(user.strip_prefix(b"'").ok_or("no user in quotes")?, event);
    Ok(())
}

fn failed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "ssh_login", "failure", "authentication");
    quoted_user(text, event)
}

fn accepted<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "ssh_login", "success", "authentication");
    event.text(Field::SSH_METHOD, b"password");
    quoted_user(text, event)
}

/// `'USER' with [TYPE ]key FINGERPRINT from HOST:PORT`.
fn accepted_key<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "ssh_login", "success", "authentication");
    event.text(Field::SSH_METHOD, b"publickey");
    let (head, _) = cut_last(text, b" from ").ok_or("no address")?;
    if let Some((_, key)) = cut_last(head, b"' with ") {
        let (kind, fingerprint) = cut(key, b"key ").ok_or("no key")?;
        if let Some(kind) = kind.strip_suffix(b" ") {
            event.text(Field::SSH_KEY_TYPE, kind);
        }
        event.text(Field::SSH_KEY_FINGERPRINT, fingerprint);
    }
    quoted_user(text, event)
}

/// ` from HOST:PORT`, ` 'USER' from HOST:PORT`.
fn invalid_user<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "ssh_invalid_user", "failure", "authentication");
    event.text(Field::EVENT_REASON, b"invalid user");
    let head = from_at_end(text, event)?;
    set_user(unquoted(super::token::trim_start(head)), event);
    Ok(())
}

fn wrong_user<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "ssh_not_allowed", "failure", "authentication");
    event.text(Field::EVENT_REASON, b"not the one allowed user");
    let head = from_at_end(text, event)?;
    set_user(unquoted(head), event);
    Ok(())
}

fn connection<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "connection", "success", "network");
    set_peer(text, event)
}

/// Since 2020.79 ` from <HOST:PORT>: [(user 'U', N fails): ]REASON`; before,
/// without the address, unless the reason ends with it.
fn exit_before<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    const TOO_MANY: &[u8] = b"Max auth tries reached - user ";
    let (peer, rest) = match text.strip_prefix(b" from <") {
        Some(rest) => {
            let (peer, rest) = cut(rest, b">: ").ok_or("no end of the address")?;
            (Some(peer), rest)
        }
        None => match text {
            [b':', b' ', rest @ ..] | [b' ', rest @ ..] => (None, rest),
            _ => return Err(ANOTHER),
        },
    };
    let (user, reason) = match rest.strip_prefix(b"(user '") {
        Some(rest) => {
            let (user, rest) = cut(rest, b"', ").ok_or("no end of the user")?;
            let (_, reason) = cut(rest, b" fails): ").ok_or("no reason")?;
            (user, reason)
        }
        None => (&[][..], rest),
    };
    let too_many = reason.strip_prefix(TOO_MANY);
    if too_many.is_some() {
        say(event, "ssh_max_attempts", "failure", "authentication");
    } else {
        say(event, "ssh_preauth_close", "failure", "network");
    }
    set_user(user, event);
    match (peer, too_many) {
        (Some(peer), _) => set_peer(peer, event)?,
        (None, Some(rest)) if !rest.ends_with(b"'") => {
            from_at_end(rest, event)?;
        }
        _ => {}
    }
    event.text(
        Field::EVENT_REASON,
        if too_many.is_some() {
            b"max auth tries reached"
        } else {
            reason
        },
    );
    Ok(())
}

/// `USER)[ from <HOST:PORT>]: REASON`; the user has logged in.
fn exit<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let (user, rest) = cut(text, b")").ok_or("no end of the user")?;
    say(event, "ssh_disconnect", "unknown", "session");
    set_user(user, event);
    let rest = match rest.strip_prefix(b" from <") {
        Some(rest) => {
            let (peer, rest) = cut(rest, b">").ok_or("no end of the address")?;
            set_peer(peer, event)?;
            rest
        }
        None => rest,
    };
    event.text(
        Field::EVENT_REASON,
        rest.strip_prefix(b": ").ok_or("no reason")?,
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_at_the_end_or_in_its_brackets() {
        let fields = [
            Field::EVENT_ACTION,
            Field::USER_NAME,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
        ];
        for (text, expected) in [
            (
                "Bad password attempt for 'x' from 198.51.100.1:1' from 192.0.2.7:22",
                "ssh_login|x' from 198.51.100.1:1|192.0.2.7|22",
            ),
            (
                "[825] Jul 10 23:53:52 Bad password attempt for 'root' from 2001:db8::5:22",
                "ssh_login|root|2001:db8::5|22",
            ),
            (
                "Pubkey auth succeeded for 'alice' with ssh-ed25519 key SHA256:abc from 192.0.2.7:22",
                "ssh_login|alice|192.0.2.7|22",
            ),
            (
                "login attempt for nonexistent user from ::ffff:192.0.2.7:60495",
                "ssh_invalid_user|-|192.0.2.7|60495",
            ),
            (
                "Exit before auth (user 'root', 10 fails): Max auth tries reached - user 'root' from 192.0.2.7:22",
                "ssh_max_attempts|root|192.0.2.7|22",
            ),
            (
                "Exit before auth from <192.0.2.7:22>: (user 'root', 10 fails): Max auth tries reached - user 'root'",
                "ssh_max_attempts|root|192.0.2.7|22",
            ),
            (
                "Exit before auth: Exited normally",
                "ssh_preauth_close|-|-|-",
            ),
            (
                "Exit (alice) from <192.0.2.7:22>: Disconnect received",
                "ssh_disconnect|alice|192.0.2.7|22",
            ),
        ] {
            assert_eq!(
                shape::shown(&FORMAT, "dropbear", text, &fields),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn halves_are_malformed_and_the_rest_is_not_ours() {
        let verdict = |text| shape::shown(&FORMAT, "dropbear", text, &[]).0;
        assert!(matches!(
            verdict("Bad password attempt for 'x' from nowhere"),
            Verdict::Malformed(_)
        ));
        assert_eq!(verdict("Running in background"), Verdict::NotMine);
    }
}
