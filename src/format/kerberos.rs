//! Kerberos: MIT's and Heimdal's KDC and kadmind.
//!
//! The client's name and the service's are the remote's; MIT writes the address
//! before them, so it is taken from the beginning.

use super::shape::word;
use super::template::Table;
use super::token::{cut, cut_last, ip, say};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "kerberos",
    about: "krb5kdc, kadmind and Heimdal's kdc: kerberos_as, kerberos_tgs, kerberos_admin",
    programs: &["krb5kdc", "kadmind", "kdc", "kpasswdd"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["kerberos", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 kdc1 krb5kdc[812]: AS_REQ (4 etypes {18 17 16 23}) 192.0.2.7: ISSUE: authtime 1714557600, etypes {rep=18 tkt=18 ses=18}, alice@EXAMPLE.ORG for krbtgt/EXAMPLE.ORG@EXAMPLE.ORG",
};

const ASKED: [&str; 3] = ["kerberos_as", "unknown", "authentication"];
const GRANTED: [&str; 3] = ["kerberos_as", "success", "authentication"];
const FAILED: [&str; 3] = ["kerberos_as", "failure", "authentication"];
const TICKET: [&str; 3] = ["kerberos_tgs", "unknown", "authentication"];
const ADMIN: [&str; 3] = ["kerberos_admin", "success", "iam"];
const ADMIN_REFUSED: [&str; 3] = ["kerberos_admin", "failure", "iam"];

static PHRASES: Table = Table::new(&[
    (
        ADMIN,
        &[
            "Request: {w}, {*}, success, client={user}, service={*}, addr={ip}",
            "Request: {w}, {*}, success, client={user}, service={*}, addr={ip}, vers={*}",
        ],
    ),
    (
        ADMIN_REFUSED,
        &[
            "Request: {w}, {*}, {reason}, client={user}, service={*}, addr={ip}",
            "Unauthorized request: {w}, {*}, client={user}, service={*}, addr={ip}",
            "Authentication attempt failed: {ip}, GSS-API error strings are:",
        ],
    ),
    (ADMIN, &["chpw request from {ip} for {user}: success"]),
    (
        ADMIN_REFUSED,
        &["chpw request from {ip} for {user}: {reason}"],
    ),
    (
        ADMIN,
        &["setpw request from {ip} by {user} for {target}: success"],
    ),
    (
        ADMIN_REFUSED,
        &["setpw request from {ip} by {user} for {target}: {reason}"],
    ),
    (
        ASKED,
        &["DISPATCH: repeated (retransmitted?) request from {ip}, resending previous response"],
    ),
    // Heimdal.
    (
        ASKED,
        &[
            "AS-REQ {user} from IPv4:{ip} for {*}",
            "AS-REQ {user} from IPv6:{ip} for {*}",
        ],
    ),
    (
        TICKET,
        &[
            "TGS-REQ {user} from IPv4:{ip} for {*}",
            "TGS-REQ {user} from IPv6:{ip} for {*}",
        ],
    ),
    (
        FAILED,
        &[
            "UNKNOWN -- {user}: no such entry found in hdb",
            "Failed to decrypt PA-DATA -- {user} (enctype {*}",
            "Failed to decrypt PA-DATA -- {user}",
        ],
    ),
    (
        GRANTED,
        &[
            "ENC-TS Pre-authentication succeeded -- {user} using {w}",
            "Pre-authentication succeeded -- {user} using {w}",
        ],
    ),
    (
        FAILED,
        &["Client expired -- {user}", "Client ({user}) is locked out"],
    ),
]);

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    // In its own file `krb5kdc[812](info): `: the tag ends before the level.
    let text = match message.text.strip_prefix(b"(") {
        Some(rest) => cut(rest, b"): ").map_or(message.text, |(_, rest)| rest),
        None => message.text,
    };
    let (action, rest) = if let Some(rest) = text.strip_prefix(b"AS_REQ ") {
        ("kerberos_as", rest)
    } else if let Some(rest) = text.strip_prefix(b"TGS_REQ ") {
        ("kerberos_tgs", rest)
    } else {
        return PHRASES.read(text, event);
    };
    match request(action, rest, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// `[(N etypes {…}) ]ADDRESS: STATUS: [authtime N, ][etypes {…}, ]CLIENT for
/// SERVICE[, ERROR]`.
fn request<'a>(
    action: &'static str,
    text: &'a [u8],
    event: &mut Event<'a>,
) -> Result<(), &'static str> {
    let rest = match text.strip_prefix(b"(") {
        Some(rest) => cut(rest, b"}) ").ok_or("no end of the encryption types")?.1,
        None => text,
    };
    let (address, rest) = cut(rest, b": ").ok_or("no address")?;
    let address = ip(address).ok_or("no address")?;
    let (status, rest) = cut(rest, b": ").ok_or("no status")?;
    let outcome = match status {
        b"ISSUE" => "success",
        // The first of two rounds.
        b"NEEDED_PREAUTH" | b"MORE_PREAUTH_DATA_REQUIRED" => "unknown",
        _ => "failure",
    };
    let rest = match rest.strip_prefix(b"authtime ") {
        Some(rest) => cut(rest, b", ").ok_or("nothing after the time")?.1,
        None => rest,
    };
    let rest = match rest.strip_prefix(b"etypes {") {
        Some(rest) => cut(rest, b"}, ").ok_or("no end of the ticket's types")?.1,
        None => rest,
    };
    say(event, action, outcome, "authentication");
    event.set(Field::SOURCE_IP, Value::Ip(address));
    if outcome == "failure" {
        event.text(Field::EVENT_REASON, status);
    }
    let (client, _) = cut(rest, b" for ").ok_or("no service")?;
    // One that could not be told stands in `<>`.
    let client = client.trim_ascii();
    if !client.starts_with(b"<") {
        let client = word(client).ok_or("a client's name of several words")?;
        event.text(Field::USER_NAME, client);
        if let Some((_, realm)) = cut_last(client, b"@") {
            event.text(Field::USER_DOMAIN, realm);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::shape::shown;

    #[test]
    fn requests_say_who_from_where_and_what_came_of_it() {
        for (text, expected) in [
            (
                "AS_REQ (2 etypes {aes256-cts-hmac-sha1-96(18), aes128-cts-hmac-sha1-96(17)}) 192.0.2.7: ISSUE: authtime 1714557600, etypes {rep=aes256-cts-hmac-sha1-96(18), tkt=aes256-cts-hmac-sha1-96(18), ses=aes256-cts-hmac-sha1-96(18)}, alice@EXAMPLE.ORG for krbtgt/EXAMPLE.ORG@EXAMPLE.ORG",
                "success|alice@EXAMPLE.ORG|192.0.2.7",
            ),
            (
                "AS_REQ (4 etypes {18 17 16 23}) 2001:db8::7: CLIENT_NOT_FOUND: bob@EXAMPLE.ORG for krbtgt/EXAMPLE.ORG@EXAMPLE.ORG, Client not found in Kerberos database",
                "failure|bob@EXAMPLE.ORG|2001:db8::7",
            ),
            (
                "AS_REQ (4 etypes {18 17 16 23}) 192.0.2.7: NEEDED_PREAUTH: alice@EXAMPLE.ORG for krbtgt/EXAMPLE.ORG@EXAMPLE.ORG, Additional pre-authentication required",
                "unknown|alice@EXAMPLE.ORG|192.0.2.7",
            ),
            (
                "TGS_REQ (4 etypes {18 17 16 23}) 192.0.2.7: PROCESS_TGS: authtime 0,  <unknown client> for host/files1.example.org@EXAMPLE.ORG, Ticket expired",
                "failure|-|192.0.2.7",
            ),
            (
                "Request: kadm5_get_principal, x, success, client=alice/admin@EXAMPLE.ORG, service=kadmin/admin@EXAMPLE.ORG, addr=192.0.2.7",
                "success|alice/admin@EXAMPLE.ORG|192.0.2.7",
            ),
            (
                "AS-REQ alice@EXAMPLE.ORG from IPv4:192.0.2.7 for krbtgt/EXAMPLE.ORG@EXAMPLE.ORG",
                "unknown|alice@EXAMPLE.ORG|192.0.2.7",
            ),
        ] {
            let fields = [Field::EVENT_OUTCOME, Field::USER_NAME, Field::SOURCE_IP];
            assert_eq!(
                shown(&FORMAT, "krb5kdc", text, &fields),
                (Verdict::Event, expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_principal_made_of_the_kdcs_words_moves_nothing() {
        let text = "AS_REQ (1 etypes {18}) 192.0.2.7: CLIENT_NOT_FOUND: a}) 198.51.100.1: ISSUE: x@R for krbtgt/R@R, x";
        let (verdict, _) = shown(&FORMAT, "krb5kdc", text, &[]);
        assert!(matches!(verdict, Verdict::Malformed(_)));
    }

    #[test]
    fn hostile_text_moves_nothing() {
        crate::format::template::tests::assert_hostile_text_moves_nothing(&PHRASES);
    }
}
