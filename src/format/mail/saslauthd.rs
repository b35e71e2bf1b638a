//! saslauthd: `do_auth : auth failure: [user=U] [service=S] [realm=R] [mech=M]
//! [reason=…]`. It never knows the address.

use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::format::endpoint::{Outcome, cut_only, verdict};
use crate::format::token::{cut, say};
use crate::format::{Format, Message, Parser, Verdict};

pub(in crate::format) static FORMAT: Format = Format {
    name: "saslauthd",
    about: "saslauthd: mail_auth",
    programs: &["saslauthd"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["saslauthd", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 mail1 saslauthd[812]: do_auth         : auth failure: [user=alice] [service=smtp] [realm=] [mech=pam] [reason=PAM auth error]",
};

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = match cut(message.text, b": ") {
        Some((function, rest)) if function.starts_with(b"do_auth") => rest,
        _ => message.text,
    };
    if let Some(rest) = text.strip_prefix(b"auth failure: [user=") {
        return verdict(read(rest, "failure", event));
    }
    if let Some(rest) = text.strip_prefix(b"auth success: [user=") {
        return verdict(read(rest, "success", event));
    }
    Verdict::NotMine
}

fn read<'a>(rest: &'a [u8], outcome: &'static str, event: &mut Event<'a>) -> Outcome {
    // The user and the realm are both the client's.
    let (user, rest) = cut_only(rest, b"] [service=").ok_or("no single service")?;
    let (service, rest) = cut(rest, b"] [realm=").ok_or("no realm")?;
    let (realm, rest) = cut_only(rest, b"] [mech=").ok_or("no single mechanism")?;
    let method = cut(rest, b"]").map_or(rest, |(method, _)| method);
    say(event, "mail_auth", outcome, "authentication");
    event.text(Field::USER_NAME, user);
    event.text(Field::SERVICE_NAME, service);
    if !realm.is_empty() {
        event.text(Field::USER_DOMAIN, realm);
    }
    event.text(Field::AUTH_METHOD, method);
    if let Some((_, reason)) = cut(rest, b" [reason=") {
        event.text(
            Field::EVENT_REASON,
            reason.strip_suffix(b"]").unwrap_or(reason),
        );
    }
    Ok(())
}
