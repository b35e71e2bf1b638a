//! OpenSSH's server, in the words of its versions 5 to 10 (since 9.8 its
//! sessions call themselves `sshd-session`, since 10 also `sshd-auth`).
//!
//! The remote side chooses the user name, its version string, its key's
//! comment and why it disconnects. sshd writes the address after the user's
//! name, so it is taken from the end of the line, and the name is what lies
//! between; where remote text also stands at the end (certificates, offers),
//! the address must be the only one that could be meant.

mod certificate;
mod forward;
mod login;
mod network;
mod others;

use super::token::say;
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};
use crate::field::Field;
use Shape::{Read, Says, Takes};

pub(super) static FORMAT: Format = Format {
    name: "sshd",
    about: "OpenSSH server: logins, failures, connections",
    programs: &[
        "sshd",
        "sshd-session",
        "sshd-auth",
        "sftp-server",
        "internal-sftp",
        // Tectia and its forebear.
        "sshd2",
        "ssh-server-g3",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["sshd", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 sshd[812]: Accepted publickey for alice from 192.0.2.7 port 50022 ssh2: ED25519 SHA256:5mKDrAVNJEhuTIoGpCRgqMlPrGRFmHCfUR2fk6MzmKk",
};

/// What is done with a message, by how it begins.
enum Shape {
    /// What follows is read; an error says why it cannot be.
    Read(for<'a> fn(&'a [u8], &mut Event<'a>) -> Result<(), &'static str>),
    /// What follows may be anything.
    Takes(for<'a> fn(&'a [u8], &mut Event<'a>)),
    /// It names nobody: the action, and the message as the reason.
    Says(&'static str),
}

/// A shape's reason for a line that only begins like its own.
const ANOTHER: &str = "another kind of line";

/// How messages begin, the frequent ones first: the first byte
/// alone rules most of them out.
static SHAPES: &[(&[u8], Shape)] = &[
    (b"Failed ", Read(login::failed)),
    (b"Accepted key ", Read(certificate::key_found)),
    (b"Accepted certificate ID ", Read(certificate::accepted)),
    (b"Accepted ", Read(login::accepted)),
    (b"Invalid user ", Read(login::invalid_user)),
    (b"Illegal user ", Read(login::invalid_user)),
    (b"Connection closed by ", Read(network::closed)),
    (b"Connection reset by ", Read(network::reset)),
    (
        b"Received disconnect from ",
        Read(network::received_disconnect),
    ),
    (b"Disconnected from ", Read(network::disconnected)),
    (b"Disconnecting ", Read(network::disconnecting)),
    (
        b"Disconnecting: Too many authentication failures",
        Read(network::too_many),
    ),
    (b"Disconnecting: ", Says("ssh_preauth_close")),
    (b"Closing connection to ", Read(network::closing)),
    (b"Read error from remote host ", Read(network::broken_pipe)),
    (
        b"Timeout, client not responding from ",
        Read(network::broken_pipe),
    ),
    (b"Connection from ", Read(network::connection)),
    (b"Postponed ", Read(login::postponed)),
    (b"Partial ", Read(login::partial)),
    (b"User ", Read(login::not_allowed)),
    (
        b"maximum authentication attempts exceeded for ",
        Read(login::max_attempts),
    ),
    (b"PAM: ", Read(login::pam)),
    (b"ROOT LOGIN REFUSED FROM ", Read(login::root_refused)),
    (
        b"Did not receive identification string from ",
        Read(network::no_identification),
    ),
    (
        b"Bad protocol version identification ",
        Read(network::bad_identification),
    ),
    (b"kex_exchange_identification: ", Says("ssh_bad_protocol")),
    (b"kex_protocol_error: ", Says("ssh_bad_protocol")),
    (b"banner exchange: Connection from ", Read(network::banner)),
    (
        b"ssh_dispatch_run_fatal: Connection from ",
        Read(network::banner),
    ),
    (b"Unable to negotiate with ", Read(network::negotiate)),
    (b"no hostkey alg", Says("ssh_bad_protocol")),
    (b"Unable to negotiate ", Says("ssh_bad_protocol")),
    (b"no matching ", Says("ssh_bad_protocol")),
    (
        b"Protocol major versions differ for ",
        Read(network::versions_differ),
    ),
    (
        b"Timeout before authentication for ",
        Read(network::timeout),
    ),
    (b"Read from socket failed: ", Says("ssh_preauth_close")),
    (b"Write failed: ", Says("ssh_preauth_close")),
    (b"scanned from ", Read(network::scanned)),
    (b"probed from ", Read(network::scanned)),
    (
        b"Protocol major versions differ: ",
        Says("ssh_bad_protocol"),
    ),
    (
        b"Bad remote protocol version identification: ",
        Says("ssh_bad_protocol"),
    ),
    (b"Bad packet length ", Says("ssh_bad_protocol")),
    (b"Corrupted MAC on input", Says("ssh_bad_protocol")),
    (b"Corrupted check bytes on input", Says("ssh_bad_protocol")),
    (b"padding error: ", Says("ssh_bad_protocol")),
    (b"Hm, kex protocol error: ", Says("ssh_bad_protocol")),
    (b"Hm, dispatch protocol error: ", Says("ssh_bad_protocol")),
    (b"dispatch_protocol_error: ", Says("ssh_bad_protocol")),
    (b"Could not write ident string to ", Read(network::no_ident)),
    (b"Address ", Read(network::maps_to)),
    (
        b"reverse mapping checking getaddrinfo for ",
        Read(network::reverse_mapping),
    ),
    (
        b"reverse mapping checking gethostbyname for ",
        Read(network::reverse_mapping),
    ),
    (b"Nasty PTR record ", Read(network::nasty_ptr)),
    (b"refused connect from ", Read(network::refused)),
    (b"Magic value check failed (", Read(network::magic)),
    (b"beginning MaxStartups throttling", Says("ssh_throttling")),
    (b"exited MaxStartups throttling ", Says("ssh_throttling")),
    (b"drop connection #", Read(network::dropped)),
    (b"srclimit_penalise: ", Read(forward::penalty)),
    (
        b"PAM service(sshd) ignoring max retries; ",
        Says("ssh_max_attempts"),
    ),
    (b"Authentication tried for ", Read(certificate::wrong_host)),
    (b"Authentication key ", Read(certificate::revoked)),
    (b"Authentication refused: ", Says("ssh_key_refused")),
    (b"Refusing certificate ID ", Read(certificate::refused)),
    (b"Refusing RSA certificate ", Says("ssh_key_refused")),
    (b"Certificate invalid: ", Says("ssh_key_refused")),
    (b"cert: ", Says("ssh_key_refused")),
    (b"key type ", Read(certificate::algorithm)),
    (b"userauth_pubkey: key type ", Read(certificate::algorithm)),
    (
        b"userauth_pubkey: signature algorithm ",
        Read(certificate::algorithm),
    ),
    (b"Received request from ", Read(forward::request_denied)),
    (
        b"Received request to connect to host ",
        Read(forward::denied),
    ),
    (b"refused local port forward: ", Read(forward::refused)),
    (
        b"refused streamlocal port forward: ",
        Read(forward::refused),
    ),
    (b"Local connections to ", Read(forward::listening)),
    (b"Local forwarding listening on ", Read(forward::listens)),
    (b"connect_to ", Read(forward::failed)),
    (b"Starting session: ", Read(login::starting_session)),
    (b"Close session: ", Read(login::close_session)),
    (b"subsystem request for ", Takes(login::subsystem)),
    (b"Server listening on ", Read(network::listening)),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = without_level(message.text);
    let before = event.values().len();
    let Some((rest, shape)) = SHAPES
        .iter()
        .filter(|(first, _)| first.first() == text.first())
        .find_map(|(first, shape)| Some((text.strip_prefix(*first)?, shape)))
    else {
        return others::read(text, event);
    };
    let read = match shape {
        Read(read) => read(rest, event),
        Takes(take) => {
            take(rest, event);
            Ok(())
        }
        Says(action) => {
            say(event, action, "failure", "network");
            event.text(Field::EVENT_REASON, before_auth(text).0);
            Ok(())
        }
    };
    match read {
        Ok(()) => Verdict::Event,
        Err(ANOTHER) => {
            event.truncate(before);
            others::read(text, event)
        }
        Err(reason) => {
            event.truncate(before);
            if others::read_named(text, event) {
                return Verdict::Event;
            }
            Verdict::Malformed(reason)
        }
    }
}

/// `error:` and `fatal:` tell the level that sshd logged at; some consoles put
/// the kernel's stamp before it.
fn without_level(text: &[u8]) -> &[u8] {
    let text = text
        .strip_prefix(b"kernel:[")
        .and_then(|rest| super::token::cut(rest.get(..40).unwrap_or(rest), b"]: "))
        .and_then(|(stamp, _)| text.get(b"kernel:[".len() + stamp.len() + b"]: ".len()..))
        .unwrap_or(text);
    text.strip_prefix(b"error: ")
        .or_else(|| text.strip_prefix(b"fatal: "))
        .unwrap_or(text)
}

/// The text without the mark of sshd's unprivileged child, and whether it had it.
fn before_auth(text: &[u8]) -> (&[u8], bool) {
    match text.strip_suffix(b"[preauth]") {
        Some(text) => (super::token::trim_end(text), true),
        None => (text, false),
    }
}

/// `invalid user ` and its older spelling, before the name.
fn without_invalid(text: &[u8]) -> (&[u8], bool) {
    match text
        .strip_prefix(b"invalid user ")
        .or_else(|| text.strip_prefix(b"illegal user "))
    {
        Some(user) => (user, true),
        None => (text, false),
    }
}

/// Sets the user; one that does not exist is said so in `event.reason`.
fn set_user<'a>(user: &'a [u8], invalid: bool, event: &mut Event<'a>) {
    // Solaris hides names that do not exist.
    let hidden = user == b"<invalid username>";
    if !hidden {
        event.text(Field::USER_NAME, user);
    }
    if invalid || hidden {
        event.text(Field::EVENT_REASON, b"invalid user");
    }
}

/// `ED25519-CERT` and `SHA256:…` or `8c:e3:…`.
fn is_key(kind: &[u8], fingerprint: &[u8]) -> bool {
    !kind.is_empty()
        && kind
            .iter()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'-')
        && memchr::memchr(b':', fingerprint).is_some()
        && fingerprint
            .iter()
            .all(|b| b.is_ascii_graphic() && !b"\"'(),".contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Verdict, String) {
        let mut event = Event::new();
        let message = Message {
            program: b"sshd",
            text: text.as_bytes(),
        };
        let verdict = parse(message, &mut event);
        let fields = [
            Field::EVENT_ACTION,
            Field::USER_NAME,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
            Field::SOURCE_DOMAIN,
            Field::EVENT_REASON,
        ];
        let shown = fields.map(|field| event.shown(field));
        (verdict, shown.join("|"))
    }

    #[test]
    fn the_address_is_the_one_that_sshd_wrote() {
        for (text, expected) in [
            (
                "Failed password for root from 192.0.2.7 port 22 ssh2",
                "ssh_login|root|192.0.2.7|22|-|-",
            ),
            (
                "Failed password for invalid user x from 198.51.100.1 port 1 ssh2 from 192.0.2.7 port 22 ssh2",
                "ssh_login|x from 198.51.100.1 port 1 ssh2|192.0.2.7|22|-|invalid user",
            ),
            (
                "Failed password for invalid user  from ::ffff:192.0.2.7 port 22 ssh2",
                "ssh_login||192.0.2.7|22|-|invalid user",
            ),
            (
                "Failed publickey for x from 192.0.2.7 port 22 ssh2: RSA SHA256:abc",
                "ssh_login|x|192.0.2.7|22|-|-",
            ),
            (
                "Failed publickey for x from 192.0.2.7 port 22 ssh2: RSA-CERT SHA256:abc ID a b (serial 1) CA RSA SHA256:def",
                "ssh_login|x|192.0.2.7|22|-|-",
            ),
            (
                "Accepted gssapi-with-mic for x from 192.0.2.7 port 22 ssh2: x@EXAMPLE.ORG",
                "ssh_login|x|192.0.2.7|22|-|-",
            ),
            (
                "Invalid user x from 198.51.100.1 from 192.0.2.7",
                "ssh_invalid_user|x from 198.51.100.1|192.0.2.7|-|-|invalid user",
            ),
            (
                "Connection closed by invalid user x 198.51.100.1 port 1 192.0.2.7 port 22 [preauth]",
                "ssh_preauth_close|x 198.51.100.1 port 1|192.0.2.7|22|-|invalid user",
            ),
            (
                "Bad protocol version identification 'a' from 198.51.100.1 port 1' from 192.0.2.7 port 22",
                "ssh_bad_protocol|-|192.0.2.7|22|-|bad protocol version identification",
            ),
            (
                "error: PAM: Authentication failure for illegal user x from mail.example",
                "ssh_login|x|-|-|mail.example|invalid user",
            ),
            (
                "User x from 198.51.100.1 not allowed because account is locked",
                "ssh_not_allowed|x from 198.51.100.1|-|-|-|account is locked",
            ),
            (
                "User x from 192.0.2.7 not allowed because not listed in AllowUsers",
                "ssh_not_allowed|x|192.0.2.7|-|-|not listed in AllowUsers",
            ),
            (
                "Received disconnect from 192.0.2.7 port 22:11: from 198.51.100.1 port 1:11: x",
                "ssh_disconnect|-|192.0.2.7|22|-|from 198.51.100.1 port 1:11: x",
            ),
        ] {
            let (verdict, shown) = read(text);
            assert_eq!(
                (verdict, shown.as_str()),
                (Verdict::Event, expected),
                "{text}"
            );
        }
    }

    #[test]
    fn two_addresses_that_could_both_be_meant_are_none() {
        let fake = "from 198.51.100.1 port 1 ssh2: RSA-CERT SHA256:abc ID";
        let text = format!(
            "Failed publickey for x from 192.0.2.7 port 22 ssh2: RSA-CERT SHA256:abc ID a {fake} b (serial 1) CA RSA SHA256:def"
        );
        assert!(matches!(read(&text).0, Verdict::Malformed(_)));
        let text = "Disconnecting invalid user x 198.51.100.1 port 1: y 192.0.2.7 port 22: Change of username or service not allowed: (a,b) -> (c,d)";
        assert!(matches!(read(text).0, Verdict::Malformed(_)));
    }

    #[test]
    fn a_known_beginning_with_an_unknown_end_is_malformed() {
        for text in [
            "Failed password for x from NOTANIP port y",
            "Failed password for x",
            "Accepted password for x from 192.0.2.7 port 99999 ssh2",
            "Invalid user x",
            "Failed password",
        ] {
            assert!(matches!(read(text).0, Verdict::Malformed(_)), "{text}");
        }
        for text in ["Exiting on signal 15", "User child is on pid 812"] {
            assert_eq!(read(text).0, Verdict::NotMine, "{text}");
        }
    }
}
