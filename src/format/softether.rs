//! SoftEther VPN's security log, its own and through syslog, where the tag
//! names server, product and hub (`vpn.example/VPN/DEFAULT`).

use bumpalo::Bump;

use super::shape::set_user;
use super::token::{Host, cut, cut_last, say, trim_end};
use super::{Context, Format, Message, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource};
use crate::field::Field;

const LOGSOURCES: &[LogSource] = &[LogSource {
    product: "linux",
    categories: &[],
    services: &["softether", "vpn", "syslog"],
}];

pub(super) static FORMAT: Format = Format {
    name: "softether",
    about: "SoftEther VPN through syslog: logins refused (vpn_login)",
    programs: &["*/VPN/*", "vpnserver"],
    logsources: LOGSOURCES,
    parse: Parser::Message(parse),
    example: "2024-05-01T10:00:00Z vpn1 [vpn.example/VPN/DEFAULT] (2024-05-01 10:00:00.591) <SECURITY_LOG>: Connection \"CID-594\": User authentication failed. The user name that has been provided was \"alice\", from 192.0.2.7.",
};

pub(super) static LOG: Format = Format {
    name: "softether-log",
    about: "SoftEther VPN's own security log",
    programs: &[],
    logsources: LOGSOURCES,
    parse: Parser::Line(parse_line),
    example: "2024-05-01 10:00:00.591 Connection \"CID-594\": User authentication failed. The user name that has been provided was \"alice\", from 192.0.2.7.",
};

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = match message.text {
        text @ [b'(', ..] => match cut(text, b"<SECURITY_LOG>: ") {
            Some((_, text)) => text,
            None => return Verdict::NotMine,
        },
        text => text,
    };
    read(text, event)
}

fn parse_line<'a>(
    line: &'a [u8],
    context: &'a Context,
    _arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let stamp = timestamp::iso(line, context).filter(|_| line.get(10) == Some(&b' '));
    let Some((time, text)) = stamp.and_then(|(time, rest)| Some((time, rest.strip_prefix(b" ")?)))
    else {
        return Verdict::NotMine;
    };
    let text = trim_end(text);
    let verdict = read(text, event);
    match verdict {
        Verdict::NotMine => {}
        Verdict::Malformed(_) => event.truncate(0),
        Verdict::Event => event.text(Field::MESSAGE, text),
    }
    event.time = Some(time);
    verdict
}

/// `Connection "CID-72": User authentication failed. The user name that has
/// been provided was "U", from A.`
fn read<'a>(text: &'a [u8], event: &mut Event<'a>) -> Verdict {
    let Some((_, rest)) = text
        .strip_prefix(b"Connection \"CID-")
        .and_then(|rest| cut(rest, b"\": User authentication failed. "))
    else {
        return Verdict::NotMine;
    };
    say(event, "vpn_login", "failure", "authentication");
    let user_and_host = rest
        .strip_prefix(b"The user name that has been provided was \"")
        .and_then(|rest| rest.strip_suffix(b"."))
        .and_then(|rest| cut_last(rest, b"\", from "));
    let Some((user, host)) = user_and_host else {
        return Verdict::Malformed("no user and address");
    };
    set_user(user, event);
    let Some(host) = Host::read(host) else {
        return Verdict::Malformed("not an address");
    };
    host.set(event);
    Verdict::Event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::shape::shown;

    #[test]
    fn the_address_is_the_last_one() {
        let text = "Connection \"CID-7\": User authentication failed. The user name that has been provided was \"x\", from 198.51.100.1.\", from 192.0.2.7.";
        let fields = [Field::USER_NAME, Field::SOURCE_IP];
        assert_eq!(
            shown(&FORMAT, "vpnserver", text, &fields),
            (
                Verdict::Event,
                "x\", from 198.51.100.1.|192.0.2.7".to_owned()
            )
        );
        let half = "Connection \"CID-7\": User authentication failed. The user";
        let verdict = shown(&FORMAT, "vpnserver", half, &fields).0;
        assert!(matches!(verdict, Verdict::Malformed(_)));
    }
}
