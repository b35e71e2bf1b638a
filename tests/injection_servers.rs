//! Attacks on the readers of mail, FTP, directory and database servers' lines:
//! whatever a client sends as name, greeting, command, file or password, the
//! address is the true one, or the line is no event.

use std::fmt::Write as _;

use proptest::prelude::*;
use tipstaff::format::Verdict;

use crate::support::{Line, context};

/// Where the line really comes from.
const TRUE: &str = "192.0.2.7";
/// What the attacker would have us believe.
const FALSE: &str = "198.51.100.66";

/// Every shape with a free text (`{}`), and whether that text is the user's
/// name, which must then be read back whole.
const SHAPES: &[(&str, bool)] = &[
    (
        "H dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<{}>, method=PLAIN, rip=192.0.2.7, lip=203.0.113.2, TLS, session=<abc>",
        true,
    ),
    (
        "H dovecot: imap-login: Login: user=<{}>, method=PLAIN, rip=192.0.2.7, lip=203.0.113.2, mpid=7, TLS",
        true,
    ),
    (
        "H dovecot: auth: passwd-file({},192.0.2.7): unknown user",
        true,
    ),
    (
        "H dovecot: auth-worker(7): sql(bob,192.0.2.7,<abc>): unknown user (given password: {})",
        false,
    ),
    (
        "H dovecot: imap-login: ID sent: name={}: user=<>, rip=192.0.2.7, lip=203.0.113.2",
        false,
    ),
    (
        "H auth({},192.0.2.7,sasl:login)<abc>: Info: sql: Password mismatch (given password: x)",
        true,
    ),
    (
        "H postfix/smtpd[7]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: (reason unavailable), sasl_username={}",
        true,
    ),
    (
        "H postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 550 5.1.1 <{}>: Recipient address rejected: User unknown; from=<a@b> to=<{}> proto=ESMTP helo=<h>",
        false,
    ),
    (
        "H postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 550 5.1.1 <x>: Recipient address rejected; from=<{}> to=<x> proto=ESMTP helo=<{}>",
        false,
    ),
    (
        "H postfix/smtpd[7]: warning: non-SMTP command from unknown[192.0.2.7]: {}",
        false,
    ),
    (
        "H postfix/smtpd[7]: improper command pipelining after AUTH from unknown[192.0.2.7]: {}",
        false,
    ),
    (
        "H postfix/smtpd[7]: warning: Illegal address syntax from unknown[192.0.2.7] in RCPT command: {}",
        false,
    ),
    (
        "H postfix/postscreen[7]: PREGREET 14 after 0.08 from [192.0.2.7]:59415: {}",
        false,
    ),
    (
        "S login authenticator failed for ({}) [192.0.2.7]:7: 535 Incorrect authentication data (set_id=bob)",
        false,
    ),
    (
        "S login authenticator failed for mail.example (h) [192.0.2.7]:7: 535 Incorrect authentication data (set_id={})",
        true,
    ),
    (
        "S H=mail.example ({}) [192.0.2.7]:7 F=<a@b> rejected RCPT <c@d>: Unrouteable address",
        false,
    ),
    (
        "S H=mail.example (h) [192.0.2.7]:7 F=<{}> rejected RCPT <{}>: Unrouteable address",
        false,
    ),
    (
        "S SMTP protocol error in \"{}\" H=(h) [192.0.2.7]:7 AUTH command used when not advertised",
        false,
    ),
    (
        "S SMTP protocol error in \"AUTH\" H=({}) [192.0.2.7]:7 AUTH command used when not advertised",
        false,
    ),
    (
        "S SMTP protocol synchronization error (x): rejected \"{}\" H=(h) [192.0.2.7]:7 I=[203.0.113.2]:25 next input=\"{}\"",
        false,
    ),
    (
        "S SMTP call from [192.0.2.7] dropped: too many unrecognized commands (last was \"{}\")",
        false,
    ),
    (
        "S 1ahr79-0006jK-G9 <= a@b H=({}) [192.0.2.7]:7 P=esmtp S=1 T=\"{}\" for c@d",
        false,
    ),
    (
        "S 1ahr79-0006jK-G9 <= {} H=(h) [192.0.2.7]:7 P=esmtp S=1",
        false,
    ),
    (
        "S no IP address found for host {} (during SMTP connection from [192.0.2.7])",
        false,
    ),
    (
        "H sm-mta[7]: 14NNwaRl065696: AUTH failure (LOGIN): authentication failure (-13) SASL(-13): authentication failure: checkpass failed, user={}, relay=mail.example [192.0.2.7]",
        false,
    ),
    (
        "H sm-mta[7]: 14NNwaRl065696: ruleset=check_rcpt, arg1=<{}>, relay=mail.example [192.0.2.7], reject=550 5.1.1 <{}>... User unknown",
        false,
    ),
    (
        "H sm-mta[7]: 14NNwaRl065696: from=<{}>, size=1, class=0, nrcpts=0, proto=ESMTP, relay=mail.example [192.0.2.7]",
        false,
    ),
    (
        "H sm-mta[7]: AUTH=server, relay=mail.example [192.0.2.7], authid={}, mech=PLAIN, bits=0",
        true,
    ),
    (
        "H imapd: LOGIN FAILED, user={}, ip=[192.0.2.7], port=[7]",
        true,
    ),
    (
        "H courieresmtpd: error,relay=192.0.2.7,port=7,msg=\"535 Authentication failed.\",cmd: {}",
        false,
    ),
    (
        "H courieresmtpd: error,relay=192.0.2.7,from=<{}>,to=<{}>: 550 User unknown.",
        false,
    ),
    (
        "H cyrus/imap[7]: badlogin: mail.example [192.0.2.7] plaintext {} SASL(-13): authentication failure: checkpass failed",
        false,
    ),
    (
        "H imapd[7]: Login failed user={} auth={} host=mail.example [192.0.2.7]",
        false,
    ),
    (
        "H solid-pop3d[7]: authentication failed for user {} - 192.0.2.7",
        true,
    ),
    (
        "H perdition.imaps[7]: Auth: 192.0.2.7:7->203.0.113.2:993 client-secure=ssl authorisation_id=NONE authentication_id=\"{}\" server=\"s:993\" protocol=IMAP4S server-secure=ssl status=\"failed: Re-Authentication Failure\"",
        false,
    ),
    ("H vsftpd[7]: [{}] FAIL LOGIN: Client \"192.0.2.7\"", true),
    ("W [pid 7] [{}] FAIL LOGIN: Client \"192.0.2.7\"", true),
    (
        "W [pid 7] [bob] OK UPLOAD: Client \"192.0.2.7\", \"/{}\", 812 bytes, 20.10Kbyte/sec",
        false,
    ),
    (
        "W [pid 7] [ftp] OK LOGIN: Client \"192.0.2.7\", anon password \"{}\"",
        false,
    ),
    (
        "H proftpd[7]: ftp1 (mail.example[192.0.2.7]) - USER {}: no such user found from mail.example [192.0.2.7] to 203.0.113.2:21",
        true,
    ),
    (
        "H proftpd[7]: ftp1 (mail.example[192.0.2.7]) - USER {} (Login failed): Incorrect password",
        true,
    ),
    (
        "H pure-ftpd: (?@192.0.2.7) [WARNING] Authentication failed for user [{}]",
        true,
    ),
    (
        "H wu-ftpd[7]: failed login from mail.example [192.0.2.7], {}",
        true,
    ),
    (
        "H radiusd[7]: (7) Login incorrect: [{}] (from client vpn1 port 3 cli 192.0.2.7)",
        false,
    ),
    ("H slapd[7]: conn=1022 op=1 BIND dn=\"{}\" method=128", true),
    (
        "H smbd[7]:   Auth: [SMB2,(null)] user [D]\\[{}] at [Thu, 14 Oct 2021 15:24:12.023984 UTC] with [NTLMv2] status [NT_STATUS_NO_SUCH_USER] workstation [{}] remote host [ipv4:192.0.2.7:44890] mapped to [D]\\[{}]. local host [ipv4:203.0.113.2:445]",
        false,
    ),
    ("H smbd_audit: bob|192.0.2.7|mkdir|ok|{}", false),
    (
        "H mysqld[7]: 7 [Warning] Access denied for user '{}'@'192.0.2.7' (using password: YES)",
        true,
    ),
    (
        "H mysqld[7]: 7 [Warning] Access denied for user '{}'@'192.0.2.7' to database '{}'",
        false,
    ),
    (
        "H postgres[7]: [5-1] 2024-05-06 08:00:00.123 UTC [7] {}@shop FATAL:  password authentication failed for user \"{}\"",
        true,
    ),
    (
        "H postgres[7]: [5-1] 2024-05-06 08:00:00.123 UTC [7] 192.0.2.7 {}@shop FATAL:  password authentication failed for user \"{}\"",
        true,
    ),
    (
        "D [7] {}@shop FATAL:  password authentication failed for user \"{}\"",
        true,
    ),
    (
        "D [7] 192.0.2.7 {}@shop FATAL:  password authentication failed for user \"{}\"",
        true,
    ),
    (
        "D [7] bob@shop ERROR:  syntax error at or near \"{}\"",
        false,
    ),
    (
        "D [7] bob@shop LOG:  connection authorized: user=bob database={}",
        false,
    ),
];

/// A shape's line: `H` is syslog's header, `S`, `W`, `D` and `Z` are stamps of
/// programs' own logs.
fn line(shape: &str, free: &str) -> String {
    let (header, rest) = shape.split_once(' ').unwrap();
    let header = match header {
        "H" => "2024-05-06T08:00:00Z gate1",
        "S" => "2024-05-06 08:00:00",
        "W" => "Mon May  6 08:00:00 2024",
        "D" => "2024-05-06 08:00:00.123 UTC",
        "Z" => "2024-05-06 08:00:00.123 +0530",
        _ => unreachable!("a shape begins with its header"),
    };
    format!("{header} {}", rest.replace("{}", free))
}

fn attack(&(shape, is_user): &(&str, bool), free: &str) {
    let line = line(shape, free);
    let read = Line::read(line.as_bytes(), &context());
    let source = read.source();
    assert!(
        source.is_none() || source == Some(TRUE),
        "{source:?} from {line}"
    );
    if read.verdict != Verdict::Event {
        return;
    }
    assert_ne!(read.get("destination.ip"), Some(FALSE), "{line}");
    let sound = free.trim() == free && !free.is_empty();
    if is_user
        && sound
        && let Some(user) = read.get("user.name")
    {
        assert_eq!(user, free, "{line}");
    }
    let failed = shape.contains("ailed") || shape.contains("denied");
    if failed && read.get("event.category") == Some("authentication") {
        assert_ne!(read.get("event.outcome"), Some("success"), "{line}");
    }
}

/// Words of every grammar, one a line.
const WORDS: &str = r#"x
root
,
:
;
(
)
[
]
<
>
'
"
|
@
=
/
user=<
rip=
method=PLAIN
session=<x>
Login: 
>, 
unknown user
default): pam(root,198.51.100.66): unknown user
Password mismatch
SASL LOGIN authentication failed:
from=<
> to=<
> proto=ESMTP
helo=<
H=
I=
F=<a@b>
set_id=
rejected RCPT <root>: no
AUTH command used when not advertised
relay=
reject=550
(may be forged)
user=
auth=
host=
ip=[
status="ok"
server="
OK LOGIN: Client "
] FAIL LOGIN: Client "
(Login failed): x
: no such user found from
: Login successful.
(from client x port 0 cli
dn="
method=128
mech=SIMPLE
remote host [ipv4:
status [NT_STATUS_OK]
] at [
] with [
'@'
(using password: YES)
' to database '
FATAL:  
LOG:  
connection authorized: user=root database=x
connection received: host=
ok
is now logged in
[INFO]
authenticator failed for
during SMTP connection from
T="
SASL(
P=esmtp
A=x:root"#;

/// What comes before the false address, and after it, in the grammars.
const AROUND: (&str, &str) = (
    "|from |[|([|rip=|, rip=|x,|ip=[|relay=x [|host=x [|H=(x) [|) [|Client \"|'@'|host [ipv4:|cli |- |host=",
    "|]|]:7|)|):|): unknown user|, lip=|\"|'|:7]|>",
);

/// Words to build free texts of.
fn tokens() -> Vec<String> {
    let mut tokens: Vec<String> = WORDS.lines().map(str::to_owned).collect();
    tokens.extend(["", " ", "\r", "\0"].map(str::to_owned));
    for head in AROUND.0.split('|') {
        for tail in AROUND.1.split('|') {
            tokens.push(format!("{head}{FALSE}{tail}"));
        }
    }
    tokens
}

#[test]
fn every_word_and_pair_of_words_moves_nothing() {
    let tokens = tokens();
    // Every pair would be 8 million lines: each word meets every 37th, and the
    // generator below the others.
    for shape in SHAPES {
        for (at, first) in tokens.iter().enumerate() {
            attack(shape, first);
            for second in tokens.iter().skip(at % 37).step_by(37) {
                let mut free = first.clone();
                write!(free, " {second}").unwrap();
                attack(shape, &free);
                attack(shape, &format!("{first}{second}"));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn no_sequence_of_words_moves_anything(
        shape in proptest::sample::select(SHAPES),
        words in proptest::collection::vec(proptest::sample::select(tokens()), 1..9),
        blanks in any::<bool>(),
    ) {
        attack(&shape, &words.join(if blanks { " " } else { "" }));
    }
}

#[test]
fn the_shapes_themselves_are_read() {
    for (shape, _) in SHAPES {
        let line = line(shape, "x");
        let read = Line::read(line.as_bytes(), &context());
        let silent = shape.contains("ID sent") || shape.contains("syntax error");
        assert_eq!(read.verdict == Verdict::Event, !silent, "{line}");
    }
}

/// fail2ban's published attacks on these servers' filters, in their words.
#[test]
fn published_attacks_name_no_one_else() {
    for line in [
        // A login name that is itself a line of the log (fail2ban, proftpd).
        "2024-05-06T08:00:00Z gate1 proftpd[7] ftp1 (192.0.2.7[192.0.2.7]): USER ftp1 proftpd[9] ftp1 (x[198.51.100.66]): no such user found from 192.0.2.7 [192.0.2.7] to 203.0.113.2:21",
        // A mail command with a host in it (fail2ban, exim).
        "2024-05-06 08:00:00 SMTP protocol error in \"aUtH lOgIn\" H=(test) [198.51.100.66]\" H=(x) [192.0.2.7] AUTH command used when not advertised",
        // A relay in the user's name (fail2ban, sendmail).
        "2024-05-06T08:00:00Z gate1 sendmail[7]: 06I02CNi016765: AUTH failure (LOGIN): authentication failure (-13) SASL(-13): authentication failure: checkpass failed, user=x, relay=[198.51.100.66], relay=[192.0.2.7] (may be forged)",
        // A host in PAM's ruser (fail2ban, dovecot).
        "2024-05-06T08:00:00Z gate1 dovecot-auth: pam_unix(dovecot:auth): authentication failure; logname= uid=0 euid=0 tty=dovecot ruser=rhost=198.51.100.66 rhost=192.0.2.7",
    ] {
        let read = Line::read(line.as_bytes(), &context());
        assert_eq!(read.source(), Some(TRUE), "{line}");
    }
}

#[test]
fn another_programs_line_that_quotes_a_server_is_not_the_servers() {
    for line in [
        "2024-05-06 08:00:00 gate1 myapp: H=(x) [198.51.100.66]:7 rejected RCPT <a@b>: no",
        "2024-05-06 08:00:00 gate1 myapp: login authenticator failed for (x) [198.51.100.66]: 535 Incorrect authentication data",
        "2024-05-06T08:00:00Z gate1 myapp: Mon May  6 08:00:00 2024 [pid 7] [x] FAIL LOGIN: Client \"198.51.100.66\"",
        "2024-05-06T08:00:00Z gate1 myapp: imap-login: Disconnected (auth failed, 1 attempts): user=<x>, rip=198.51.100.66, lip=203.0.113.2",
        "2024-05-06T08:00:00Z gate1 myapp: 7 [Warning] Access denied for user 'x'@'198.51.100.66' (using password: YES)",
    ] {
        let read = Line::read(line.as_bytes(), &context());
        assert_ne!(read.verdict, Verdict::Event, "{line}");
        assert_eq!(read.get("source.ip"), None, "{line}");
    }
}
