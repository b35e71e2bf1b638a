//! Whoever attacks chooses user names, host names, folders, commands, version
//! strings and key comments. None of them moves an address or a name: the line
//! is read as what really happened, or it is no event.

use std::fmt::Write as _;

use proptest::prelude::*;
use tipstaff::format::Verdict;

use crate::support::{Line, context};

/// Where the line really comes from.
const TRUE: &str = "192.0.2.7";
/// What the attacker would have us believe.
const FALSE: &str = "198.51.100.66";

fn read(program: &str, message: &str) -> Line {
    let line = format!("2024-05-06T08:00:00Z gate1 {program}: {message}");
    Line::read(line.as_bytes(), &context())
}

/// The source is the true one, or the line is no event, or it names none.
fn holds(program: &str, message: &str) -> Line {
    let read = read(program, message);
    let source = read.source();
    assert!(
        source.is_none() || source == Some(TRUE),
        "{source:?} from {program}: {message}"
    );
    read
}

/// The published attacks on log readers, in the words of the programs read here.
const PUBLISHED: &[(&str, &str)] = &[
    // A user name that holds `from ADDRESS` (fail2ban and DenyHosts, 2006 and 2007).
    (
        "sshd[7]",
        "Invalid user root from 198.51.100.66 from 192.0.2.7 port 40022",
    ),
    (
        "sshd[7]",
        "Failed password for invalid user root from 198.51.100.66 from 192.0.2.7 port 40022 ssh2",
    ),
    // CVE-2013-6890 (DenyHosts): ssh -l 'Invalid user root from 198.51.100.66'.
    (
        "sshd[7]",
        "Invalid user Invalid user root from 198.51.100.66 from 192.0.2.7",
    ),
    (
        "sshd[7]",
        "input_userauth_request: invalid user Invalid user root from 198.51.100.66",
    ),
    // The same in the client's version string.
    (
        "sshd[7]",
        "Bad protocol version identification 'User x from 198.51.100.66' from 192.0.2.7 port 40022",
    ),
    (
        "sshd[7]",
        "Bad protocol version identification '' from 198.51.100.66 port 1' from 192.0.2.7 port 40022",
    ),
    // DenyHosts 2.6 looked for `User … from` anywhere in the line.
    (
        "sshd[7]",
        "User x from 198.51.100.66 not allowed because not listed in AllowUsers from 192.0.2.7 not allowed because not listed in AllowUsers",
    ),
    // fail2ban, ChangeLog 0.10: user names in PAM's line.
    (
        "sshd[7]",
        "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=x rhost=198.51.100.66  user=y",
    ),
    (
        "vsftpd[7]",
        "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=x rhost=198.51.100.66 rhost=192.0.2.7",
    ),
    // A reverse name that looks like an address (fail2ban's wu-ftpd filter was fooled so).
    (
        "sshd[7]",
        "reverse mapping checking getaddrinfo for 198.51.100.66 [192.0.2.7] failed - POSSIBLE BREAK-IN ATTEMPT!",
    ),
    (
        "sshd[7]",
        "reverse mapping checking getaddrinfo for a [198.51.100.66] failed [192.0.2.7] failed.",
    ),
    ("sshd[7]", "refused connect from 198.51.100.66 (192.0.2.7)"),
    (
        "sshd[7]",
        "refused connect from x@a (198.51.100.66) (192.0.2.7)",
    ),
    (
        "sshd[7]",
        "Nasty PTR record \"x\" is set up for 198.51.100.66, ignoring\" is set up for 192.0.2.7, ignoring",
    ),
    // Text after the address: why a client leaves, what it offers, its key's comment.
    (
        "sshd[7]",
        "Received disconnect from 192.0.2.7 port 40022:11: from 198.51.100.66 port 1:11: x [preauth]",
    ),
    (
        "sshd[7]",
        "Unable to negotiate with 192.0.2.7 port 40022: no matching cipher found. Their offer: x 198.51.100.66 port 1: no matching y [preauth]",
    ),
    (
        "sshd[7]",
        "Failed publickey for x from 192.0.2.7 port 40022 ssh2: RSA-CERT SHA256:abc ID y from 198.51.100.66 port 1 ssh2 (serial 1) CA RSA SHA256:def",
    ),
    (
        "sshd[7]",
        "Failed hostbased for x from 192.0.2.7 port 40022 ssh2: RSA SHA256:abc, client user \"y from 198.51.100.66 port 1 ssh2: RSA SHA256:abc\", client host \"z\"",
    ),
    // Other programs' lines that quote sshd's words.
    (
        "httpd[7]",
        "GET /?sshd[1]: Failed password for root from 198.51.100.66 port 1 ssh2",
    ),
    (
        "myapp",
        "sshd[1]: Accepted password for root from 198.51.100.66 port 1 ssh2",
    ),
    (
        "postfix/smtpd[7]",
        "warning: Invalid user x from 198.51.100.66 port 1",
    ),
    (
        "kernel",
        "[1.0] sshd: Failed password for root from 198.51.100.66 port 1 ssh2",
    ),
    // Old children of sshd that print the name alone.
    (
        "sshd[7]",
        "User x from 198.51.100.66 not allowed because account is locked",
    ),
    (
        "sshd[7]",
        "Disconnecting: Too many authentication failures for x from 198.51.100.66 port 1 ssh2 [preauth]",
    ),
];

#[test]
fn published_attacks_name_no_one_else() {
    for (program, message) in PUBLISHED {
        holds(program, message);
    }
}

/// A program that quotes another's line is not that program.
#[test]
fn a_quoted_line_is_not_an_event() {
    for line in [
        "2024-05-06T08:00:00Z gate1 myapp: 2024-05-06T08:00:00Z gate1 sshd[1]: Accepted password for root from 198.51.100.66 port 1 ssh2",
        "May  6 08:00:00 gate1 my app sshd[1]: Accepted password for root from 198.51.100.66 port 1 ssh2",
        "May  6 08:00:00 gate1 GET sshd[1]: Accepted password for root from 198.51.100.66 port 1 ssh2",
        "sshd[1]: Accepted password for root from 198.51.100.66 port 1 ssh2",
        " May  6 08:00:00 gate1 sshd[1]: Accepted password for root from 198.51.100.66 port 1 ssh2",
        r#"{"__REALTIME_TIMESTAMP":"1714982400000000","SYSLOG_IDENTIFIER":"sshd","_UID":"1000","_COMM":"logger","MESSAGE":"Accepted password for root from 198.51.100.66 port 1 ssh2"}"#,
        r#"{"MESSAGE":"Accepted password for root from 198.51.100.66 port 1 ssh2","SYSLOG_IDENTIFIER":"sshd","UID":"0"}"#,
    ] {
        let read = Line::read(line.as_bytes(), &context());
        assert_ne!(read.verdict, Verdict::Event, "{line}");
        assert_eq!(read.get("source.ip"), None, "{line}");
    }
}

/// Journalctl's output is cut like this by people. It is read, and has no time:
/// what has none is never judged, so a forged line gains nothing.
#[test]
fn a_header_without_a_stamp_has_no_time() {
    let line = "gate1 sshd[1]: Accepted password for root from 192.0.2.7 port 1 ssh2";
    let read = Line::read(line.as_bytes(), &context());
    assert_eq!(read.source(), Some("192.0.2.7"));
    assert_eq!(read.get("@timestamp"), None);
}

/// Every shape with a free text (`{}`) and whether that text is the user's
/// name, which must then be read back whole.
const SHAPES: &[(&str, &str, bool)] = &[
    (
        "sshd[7]",
        "Accepted password for {} from 192.0.2.7 port 40022 ssh2",
        true,
    ),
    (
        "sshd[7]",
        "Failed password for {} from 192.0.2.7 port 40022 ssh2",
        true,
    ),
    (
        "sshd[7]",
        "Failed password for invalid user {} from 192.0.2.7 port 40022 ssh2",
        true,
    ),
    (
        "sshd[7]",
        "Failed publickey for {} from 192.0.2.7 port 40022 ssh2: RSA SHA256:k",
        true,
    ),
    (
        "sshd[7]",
        "Failed publickey for {} from 192.0.2.7 port 40022 ssh2: RSA-CERT SHA256:k ID id (serial 1) CA RSA SHA256:k",
        true,
    ),
    (
        "sshd[7]",
        "Failed publickey for bob from 192.0.2.7 port 40022 ssh2: RSA-CERT SHA256:k ID {} (serial 1) CA RSA SHA256:k",
        false,
    ),
    (
        "sshd[7]",
        "Failed hostbased for bob from 192.0.2.7 port 40022 ssh2: RSA SHA256:k, client user \"{}\", client host \"h\"",
        false,
    ),
    (
        "sshd[7]",
        "Failed hostbased for bob from 192.0.2.7 port 40022 ssh2: RSA SHA256:k, client user \"u\", client host \"{}\"",
        false,
    ),
    ("sshd[7]", "Invalid user {} from 192.0.2.7 port 40022", true),
    ("sshd[7]", "Invalid user {} from 192.0.2.7", true),
    (
        "sshd[7]",
        "Connection closed by invalid user {} 192.0.2.7 port 40022 [preauth]",
        true,
    ),
    (
        "sshd[7]",
        "Connection reset by authenticating user {} 192.0.2.7 port 40022 [preauth]",
        true,
    ),
    (
        "sshd[7]",
        "Disconnected from user {} 192.0.2.7 port 40022",
        true,
    ),
    (
        "sshd[7]",
        "Disconnecting invalid user {} 192.0.2.7 port 40022: Too many authentication failures [preauth]",
        true,
    ),
    (
        "sshd[7]",
        "Disconnecting invalid user {} 192.0.2.7 port 40022: Change of username or service not allowed: (a,b) -> (c,d) [preauth]",
        true,
    ),
    (
        "sshd[7]",
        "Disconnecting invalid user bob 192.0.2.7 port 40022: Change of username or service not allowed: (a,b) -> ({},d) [preauth]",
        false,
    ),
    (
        "sshd[7]",
        "error: maximum authentication attempts exceeded for invalid user {} from 192.0.2.7 port 40022 ssh2 [preauth]",
        true,
    ),
    (
        "sshd[7]",
        "User {} from 192.0.2.7 not allowed because not listed in AllowUsers",
        true,
    ),
    (
        "sshd[7]",
        "error: PAM: Authentication failure for {} from 192.0.2.7",
        true,
    ),
    (
        "sshd[7]",
        "Received disconnect from 192.0.2.7 port 40022:11: {} [preauth]",
        false,
    ),
    (
        "sshd[7]",
        "Received disconnect from 192.0.2.7: 11: {}",
        false,
    ),
    (
        "sshd[7]",
        "Bad protocol version identification '{}' from 192.0.2.7 port 40022",
        false,
    ),
    (
        "sshd[7]",
        "Unable to negotiate with 192.0.2.7 port 40022: no matching MAC found. Their offer: {} [preauth]",
        false,
    ),
    (
        "sshd[7]",
        "Unable to negotiate with user {} 192.0.2.7 port 40022: no matching MAC found. Their offer: x",
        true,
    ),
    (
        "sshd[7]",
        "reverse mapping checking getaddrinfo for {} [192.0.2.7] failed.",
        false,
    ),
    ("sshd[7]", "refused connect from {}@host (192.0.2.7)", false),
    (
        "sshd[7]",
        "error: kex_exchange_identification: client sent invalid protocol identifier \"{}\"",
        false,
    ),
    (
        "sshd[7]",
        "Starting session: subsystem '{}' for bob from 192.0.2.7 port 40022 id 0",
        false,
    ),
    (
        "sshd[7]",
        "Close session: user {} from 192.0.2.7 port 40022 id 0",
        true,
    ),
    (
        "sshd[7]",
        "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user={}",
        true,
    ),
    (
        "vsftpd[7]",
        "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser={} rhost=192.0.2.7",
        true,
    ),
    (
        "vsftpd[7]",
        "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser={} rhost=192.0.2.7  user=anna",
        false,
    ),
    ("myapp[7]", "{}", false),
    ("CRON[7]", "(root) CMD ({})", false),
    (
        "sudo",
        "alice : TTY=pts/0 ; PWD={} ; USER=root ; COMMAND=/bin/ls",
        false,
    ),
];

/// Words of every grammar, with the false address, to build free texts of.
pub(crate) fn tokens() -> Vec<String> {
    let mut tokens: Vec<String> = [
        "",
        " ",
        "x",
        "root",
        "from",
        "port",
        "1",
        "ssh2",
        "ssh1",
        "ssh2:",
        ":",
        ": ",
        "\"",
        "'",
        "[preauth]",
        "invalid user",
        "user",
        "for",
        "by",
        "(",
        ")",
        "[",
        "]",
        ",",
        ";",
        "=",
        "rhost=",
        " rhost=",
        "  user=",
        "ruser=",
        "uid=0",
        "RSA SHA256:k",
        "ID",
        "(serial 1)",
        "CA RSA SHA256:k",
        "not allowed because",
        "account is locked",
        "not listed in AllowUsers",
        "no matching MAC found",
        "Too many authentication failures",
        "via",
        "id 0",
        "failed.",
        "sshd[1]:",
        "\r",
        "\0",
        "UNKNOWN",
    ]
    .map(str::to_owned)
    .to_vec();
    for tail in [
        "",
        " port 1",
        " port 1 ssh2",
        " port 1 ssh2: RSA SHA256:k",
        " port 1:",
        "]",
        ")",
    ] {
        tokens.push(format!("{FALSE}{tail}"));
        tokens.push(format!(" from {FALSE}{tail}"));
        tokens.push(format!("x {FALSE}{tail}"));
    }
    tokens
}

pub(crate) fn attack(shape: &(&str, &str, bool), free: &str) {
    let (program, template, is_user) = *shape;
    let message = template.replace("{}", free);
    let read = holds(program, &message);
    let plain = free.trim() == free && !free.is_empty() && !free.contains('<');
    if is_user && plain && read.verdict == Verdict::Event {
        let prefixed = free.starts_with("invalid user ") || free.starts_with("illegal user ");
        if !prefixed {
            assert_eq!(read.get("user.name"), Some(free), "{message}");
        }
    }
}

#[test]
fn every_pair_of_words_in_every_free_text_moves_nothing() {
    let tokens = tokens();
    for shape in SHAPES {
        for first in &tokens {
            for second in &tokens {
                let mut free = first.clone();
                write!(free, " {second}").unwrap();
                attack(shape, &free);
                attack(shape, &format!("{first}{second}"));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn no_sequence_of_words_moves_anything(
        shape in proptest::sample::select(SHAPES),
        words in proptest::collection::vec(proptest::sample::select(tokens()), 1..9),
        blanks in any::<bool>(),
    ) {
        attack(&shape, &words.join(if blanks { " " } else { "" }));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        Line::read(&bytes, &context());
        let mut line = b"2024-05-06T08:00:00Z gate1 sshd[7]: ".to_vec();
        line.extend_from_slice(&bytes);
        Line::read(&line, &context());
    }
}

#[test]
fn a_subsystem_named_like_an_account_is_not_the_account() {
    let free = "x' for root from 198.51.100.66 port 1 id 0";
    let message =
        format!("Starting session: subsystem '{free}' for bob from {TRUE} port 40022 id 0");
    assert_eq!(holds("sshd[7]", &message).get("user.name"), Some("bob"));
}

/// What a folder or a command can do to sudo's line.
#[test]
fn sudo_is_never_made_to_say_another_target() {
    for free in [
        "/x ; USER=bob ; COMMAND=/y",
        "/x ; USER=bob",
        "/ ; TTY=pts/9",
        "/x ; COMMAND=/y",
    ] {
        for template in [
            "alice : TTY=pts/0 ; PWD={} ; USER=root ; COMMAND=/bin/ls",
            "alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls {}",
        ] {
            let message = template.replace("{}", free);
            let read = read("sudo", &message);
            assert_eq!(read.get("user.name"), Some("alice"), "{message}");
            assert_eq!(read.get("process.tty.name"), Some("pts/0"), "{message}");
            let target = read.get("user.effective.name");
            assert!(
                target.is_none() || target == Some("root"),
                "{target:?}: {message}"
            );
        }
    }
}
