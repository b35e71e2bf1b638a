//! Attacks on the lines that are written down as fixed words with holes:
//! whatever stands in a hole for free text, the address is the true one and
//! the name is read back whole, or the line is no event.

use proptest::prelude::*;
use tipstaff::format::Verdict;

use crate::support::{Line, context};

/// Where the line really comes from.
const TRUE: &str = "192.0.2.7";
/// What the attacker would have us believe.
const FALSE: &str = "198.51.100.66";

/// Lines with a free text (`{}`), and whether that text is the user's name,
/// which must then be read back whole.
const SHAPES: &[(&str, bool)] = &[
    (
        "H asterisk[7]: NOTICE[8] chan_sip.c: Registration from '{}' failed for '192.0.2.7:5060' - Wrong password",
        false,
    ),
    (
        "H asterisk[7]: NOTICE[8]: res_pjsip/pjsip_distributor.c:659 log_failed_request: Request 'REGISTER' from '{}' failed for '192.0.2.7:5060' (callid: {}) - No matching endpoint found",
        false,
    ),
    (
        "H asterisk[7]: NOTICE[8][C-00000fa9] chan_sip.c: Call from '{}' (192.0.2.7:5060) to extension '{}' rejected because extension not found in context 'default'.",
        false,
    ),
    (
        "H asterisk[7]: SECURITY[8] res_security_log.c: SecurityEvent=\"InvalidAccountID\",EventTV=\"1\",Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\",AccountID=\"bob\",SessionID=\"{}\",LocalAddress=\"IPV4/UDP/203.0.113.2/5060\",RemoteAddress=\"IPV4/UDP/192.0.2.7/5061\"",
        false,
    ),
    (
        "H asterisk[7]: NOTICE[8] manager.c: 192.0.2.7 failed to authenticate as '{}'",
        true,
    ),
    (
        "H freeswitch[7]: [WARNING] sofia_reg.c:1720 SIP auth failure (INVITE) on sofia profile 'internal' for [{}@203.0.113.2] from ip 192.0.2.7",
        true,
    ),
    ("H roundcube: FAILED login for {} from 192.0.2.7", true),
    (
        "H roundcube: <abc> Failed login for {} from 192.0.2.7 in session abc (error: 0)",
        true,
    ),
    (
        "H roundcube: IMAP Error: Login failed for {} from 192.0.2.7. AUTHENTICATE PLAIN: x in /y on line 7 (POST /z)",
        false,
    ),
    (
        "H sogod[7]: SOGoRootPage Login from '192.0.2.7' for user '{}' might not have worked - x",
        true,
    ),
    (
        "H smtpd[7]: 5f1a2b3c4d5e6f70 smtp failed-command address=192.0.2.7 host=h command=\"{}\" result=\"550 {}\"",
        false,
    ),
    (
        "H smtpd[7]: 5f1a2b3c4d5e6f70 smtp authentication user={} address=192.0.2.7 host=h result=permfail",
        true,
    ),
    (
        "H vpopmail[7]: vchkpw-pop3: password fail (pass: '{}') bob@example.com:192.0.2.7",
        false,
    ),
    (
        "H mongod[7]: [conn7] SCRAM-SHA-1 authentication failed for {} on admin from client 192.0.2.7:50022 ; AuthenticationFailed: x",
        true,
    ),
    (
        "H sqlservr[7]: Logon Login failed for user '{}'. Reason: x [CLIENT: 192.0.2.7]",
        true,
    ),
    (
        "H ocserv[7]: worker: 192.0.2.7:7 failed authentication for '{}'",
        true,
    ),
    (
        "H pluto[7]: \"a\"[1] 192.0.2.7 #1: XAUTH: User {}: Authentication Failed: x",
        true,
    ),
    (
        "H ejabberd[7]: Failed c2s PLAIN authentication for {} from 192.0.2.7: Invalid username or password",
        true,
    ),
    ("H znc[7]: [{}] failed to login from 192.0.2.7:7", true),
    (
        "H postfix/smtpd[7]: NOQUEUE: hold: RCPT from unknown[192.0.2.7]: <{}>: x; from=<{}> to=<{}> proto=ESMTP helo=<{}>",
        false,
    ),
    (
        "H postfix/smtpd[7]: warning: unknown[192.0.2.7] sent non-SMTP command: {}",
        false,
    ),
    (
        "H postgrey[7]: action=greylist, reason=new, client_name=x, client_address=192.0.2.7, sender={}, recipient={}",
        false,
    ),
    (
        "H smbd[7]: check_ntlm_password:  Authentication for user [{}] -> [x] FAILED with error NT_STATUS_WRONG_PASSWORD",
        true,
    ),
    ("H imap-login: Login: {} [192.0.2.7]", true),
    (
        "H imap-login: proxy({}): Login failed to 203.0.113.9:143: x: user=<{}>, method=PLAIN, rip=192.0.2.7, lip=203.0.113.2",
        false,
    ),
    (
        "H exim[7]: fixed_login authenticator failed for (h) [192.0.2.7]: 435 Unable to authenticate at present (set_id={}): lookup failed",
        false,
    ),
    ("H exim[7]: VRFY failed for {} H=(h) [192.0.2.7]", false),
    (
        "H exim[7]: SMTP syntax error in \"{}\" H=(h) [192.0.2.7]:7 unrecognized command",
        false,
    ),
];

/// What comes before the false address, and after it, in these grammars.
const AROUND: (&str, &str) = (
    "|x' failed for '|x' (|x\",LocalAddress=\"IPV4/UDP/203.0.113.2/1\",RemoteAddress=\"IPV4/UDP/|x from |x@y] from ip |x' [CLIENT: |'. Reason: y [CLIENT: | from client |' for user 'root|x address=|x') y:|x, client_address=|x [|: User root: |rip=|) [|H=(x) [|\" H=(x) [",
    "|' - Wrong password|' (callid: x) - No matching endpoint found|) to extension '1' rejected because extension not found in context 'x'.|/7\"|. AUTHENTICATE x| in session x (error: 0)|]|]:7|' for user 'root' might not have worked| host=h result=ok|, sender=x|: Authentication Successful| ; x|:7|, lip=|: x",
);

fn line(shape: &str, free: &str) -> String {
    let header = "2024-05-06T08:00:00Z gate1";
    let rest = shape.strip_prefix("H ").unwrap();
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
    if is_user
        && free.trim() == free
        && !free.is_empty()
        && let Some(user) = read.get("user.name")
    {
        assert_eq!(user, free, "{line}");
    }
    let failed = shape.contains("ailed") || shape.contains("fail");
    if failed && read.get("event.category") == Some("authentication") {
        assert_ne!(read.get("event.outcome"), Some("success"), "{line}");
    }
}

fn tokens() -> Vec<String> {
    let words =
        "x|root| |'|\"|]|)|:|,|=|from|user|failed|succeeded|result=ok|Authentication Successful";
    let mut tokens: Vec<String> = words.split('|').map(str::to_owned).collect();
    for head in AROUND.0.split('|') {
        for tail in AROUND.1.split('|') {
            tokens.push(format!("{head}{FALSE}{tail}"));
        }
    }
    tokens
}

#[test]
fn the_shapes_themselves_are_read() {
    for (shape, _) in SHAPES {
        let line = line(shape, "bob");
        let read = Line::read(line.as_bytes(), &context());
        assert_eq!(read.verdict, Verdict::Event, "{line}");
        let tells = read.source() == Some(TRUE) || shape.contains("check_ntlm_password");
        assert!(tells, "{line}");
    }
}

#[test]
fn what_looks_like_the_end_of_a_hole_moves_nothing() {
    let tokens = tokens();
    for shape in SHAPES {
        for (at, first) in tokens.iter().enumerate() {
            attack(shape, first);
            // Each word meets every 17th: all pairs are the generator's.
            for second in tokens.iter().skip(at % 17).step_by(17) {
                attack(shape, &format!("{first}{second}"));
            }
        }
    }
}

proptest! {
    #[test]
    fn no_text_in_a_hole_moves_an_address(
        shape in proptest::sample::select(SHAPES),
        words in proptest::collection::vec(proptest::sample::select(tokens()), 0..5),
    ) {
        attack(&shape, &words.concat());
    }
}
