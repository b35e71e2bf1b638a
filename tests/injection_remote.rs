//! What a remote side can put into the lines of small SSH servers, terminals,
//! desktops, web consoles and VPNs moves no address and no name.

use std::fmt::Write as _;

use proptest::prelude::*;
use tipstaff::format::Verdict;

use crate::support::{Line, context};

/// Where the line really comes from.
const TRUE: &str = "192.0.2.7";

/// Whole lines with a free text (`{}`), and whether that text is the user's
/// name, which must then be read back whole.
const LINES: &[(&str, bool)] = &[
    (
        "dropbear[7]: Exit before auth (user '{}', 1 fails): Max auth tries reached - user '{}' from 192.0.2.7:40022",
        false,
    ),
    (
        "dropbear[7]: Bad password attempt for '{}' from 192.0.2.7:40022",
        true,
    ),
    (
        "dropbear[7]: Bad PAM password attempt for '{}' from 192.0.2.7:40022",
        true,
    ),
    (
        "dropbear[7]: Pubkey auth bad signature for '{}' with key SHA256:k from 192.0.2.7:40022",
        true,
    ),
    (
        "dropbear[7]: Password auth succeeded for '{}' from 192.0.2.7:40022",
        true,
    ),
    (
        "dropbear[7]: Login attempt with wrong user {} from 192.0.2.7:40022",
        false,
    ),
    (
        "dropbear[7]: Exit before auth from <192.0.2.7:40022>: {}",
        false,
    ),
    (
        "login[7]: FAILED LOGIN 1 FROM 192.0.2.7 FOR {}, Authentication failure",
        true,
    ),
    (
        "login[7]: FAILED LOGIN (1) on '/dev/pts/0' from '192.0.2.7' FOR '{}', Authentication failure",
        true,
    ),
    (
        "login[7]: invalid password for '{}'  on '/dev/pts/0' from '192.0.2.7'",
        false,
    ),
    (
        "xrdp-sesman[7]: [INFO ] AUTHFAIL: user={} ip=192.0.2.7 time=1714557600",
        true,
    ),
    (
        "xrdp-sesman[7]: [ERROR] Username or password error for user: {}",
        false,
    ),
    (
        "xrdp[7]: [INFO ] xrdp_wm_log_msg: login failed for user {}",
        false,
    ),
    (
        "screensharingd[7]: Authentication: FAILED :: User Name: {} :: Viewer Address: 192.0.2.7 :: Type: DH",
        true,
    ),
    ("webmin[7]: Invalid login as {} from 192.0.2.7", true),
    ("webmin[7]: Non-existent login as {} from 192.0.2.7", true),
    (
        "ovpn-server[7]: 192.0.2.7:40022 TLS: Username/Password authentication succeeded for username '{}'",
        true,
    ),
    (
        "ovpn-server[7]: 192.0.2.7:40022 TLS: Username/Password authentication deferred for username '{}'",
        true,
    ),
    (
        "ovpn-server[7]: 192.0.2.7:40022 VERIFY ERROR: depth=0, error=certificate has expired: CN={}",
        false,
    ),
    (
        "ovpn-server[7]: 192.0.2.7:40022 [{}] Peer Connection Initiated with [AF_INET]192.0.2.7:40022",
        false,
    ),
    (
        "ovpn-server[7]: {}/192.0.2.7:40022 TLS Error: TLS handshake failed",
        false,
    ),
    (
        "ovpn-server[7]: AUTH-PAM: BACKGROUND: user '{}' failed to authenticate: Authentication failure",
        true,
    ),
    ("ovpn-server[7]: user '{}' could not authenticate.", true),
    (
        "ovpn-server[7]: 192.0.2.7:40022 SENT CONTROL [{}]: 'AUTH_FAILED' (status=1)",
        false,
    ),
    (
        "ovpn-server[7]: 192.0.2.7:40022 peer info: IV_VER={}",
        false,
    ),
    (
        "charon[7]: 06[IKE] <con1|62> XAuth authentication of '{}' failed",
        true,
    ),
    (
        "charon[7]: 06[IKE] <con1|62> XAuth pam_authenticate for '{}' failed: System error",
        false,
    ),
    (
        "charon[7]: 06[IKE] <con1|62> EAP-MS-CHAPv2 username: '{}'",
        true,
    ),
    (
        "charon[7]: 06[IKE] <con1|62> received EAP identity '{}'",
        true,
    ),
    (
        "charon[7]: 06[IKE] <con1|62> authentication of '{}' with EAP successful",
        true,
    ),
    (
        "charon[7]: 06[IKE] <con1|62> no EAP key found for hosts 'vpn.example' - '{}'",
        true,
    ),
    (
        "charon[7]: 06[IKE] <con1|62> IKE_SA con1[62] established between 203.0.113.1[vpn.example]...192.0.2.7[{}]",
        true,
    ),
    (
        "charon[7]: 06[IKE] <con1|62> assigning virtual IP 10.8.0.2 to peer '{}'",
        true,
    ),
    (
        "charon[7]: 06[CFG] <62> looking for peer configs matching 203.0.113.1[vpn.example]...192.0.2.7[{}]",
        false,
    ),
    (
        "polkitd[7]: Operator of unix-session:2 FAILED to authenticate to gain authorization for action org.example.run for unix-process:1:2 [{}] (owned by unix-user:alice)",
        false,
    ),
    (
        "pkexec[7]: alice: Executing command [USER=root] [TTY=pts/0] [CWD={}] [COMMAND=/bin/ls]",
        false,
    ),
    ("doas: alice ran command {} as root from /home/alice", false),
    (
        "sshd[7]: pam_google_authenticator(sshd:auth): Invalid verification code for {}",
        true,
    ),
    (
        "sshd[7]: pam_sss(sshd:auth): received for user {}: 7 (Authentication failure)",
        true,
    ),
    (
        "sshd[7]: pam_access(sshd:account): access denied for user `{}' from `192.0.2.7'",
        true,
    ),
    (
        "sshd[7]: pam_abl(sshd:auth): Blocking access from 192.0.2.7 to service sshd, user {}",
        false,
    ),
    (
        "sshd[7]: pam_krb5[7]: authentication fails for '{}' (x@EXAMPLE.ORG): Authentication failure",
        false,
    ),
    ("pam_duo[7]: Failed Duo login for '{}' from 192.0.2.7", true),
    (
        "php-fpm[7]: /index.php: webConfigurator authentication error for user '{}' from: 192.0.2.7",
        true,
    ),
    (
        "php-fpm[7]: /index.php: Successful login for user '{}' from: 192.0.2.7[{}] (Local Database)",
        false,
    ),
    (
        "php-fpm[7]: /index.php: Successful login for user 'alice' from: 192.0.2.7[{}] (Local Database)",
        false,
    ),
    (
        "tomcat9[7]: 08:00:00.123 [a-1] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from 192.0.2.7 for user \"{}\" failed.",
        true,
    ),
    (
        "tomcat9[7]: [a-1] INFO  o.a.g.r.auth.AuthenticationService - User \"{}\" successfully authenticated from [198.51.100.1, 192.0.2.7, 127.0.0.1].",
        true,
    ),
    (
        "krb5kdc[7]: AS_REQ (1 etypes {18}) 192.0.2.7: CLIENT_NOT_FOUND: {} for krbtgt/R@R, x",
        false,
    ),
    (
        "kadmind[7]: Request: kadm5_init, {}, success, client={}, service=kadmin/admin@R, addr=192.0.2.7",
        false,
    ),
    (
        "kdc[7]: AS-REQ {} from IPv4:192.0.2.7 for krbtgt/R@R",
        false,
    ),
    (
        "wordpress(www.example)[7]: Authentication failure for {} from 192.0.2.7",
        true,
    ),
    (
        "phpMyAdmin[7]: user denied: {} (mysql-denied) from 192.0.2.7",
        false,
    ),
    (
        "roundcube[7]: <a1> Failed login for {} from 192.0.2.7 in session b2 (error: 0)",
        false,
    ),
    (
        "gitea[7]: Failed authentication attempt for {} from 192.0.2.7:40022",
        false,
    ),
    (
        "drupal[7]: http://www.example|1|user|192.0.2.7|{}|0|{}|Login attempt failed for {}.",
        false,
    ),
    (
        "system,error,critical login failure for user {} from 192.0.2.7 via ssh",
        false,
    ),
    (
        "pvedaemon[7]: authentication failure; rhost=192.0.2.7 user={} msg=no such user",
        false,
    ),
    (
        "Hostd[7]: Rejected password for user {} from 192.0.2.7",
        true,
    ),
    (
        "Connection[7]: User [{}] from [192.0.2.7] failed to log in via [DSM] due to authorization failure.",
        false,
    ),
    (
        "tac_plus[7]: login failure: {} 192.0.2.7 (192.0.2.7) tty1",
        false,
    ),
    (
        "sftp-server[7]: session opened for local user {} from [192.0.2.7]",
        true,
    ),
    ("ftpd[7]: FTP LOGIN FAILED FROM 192.0.2.7, {}", false),
    (
        "proftpd[7]: ftp1 (192.0.2.7[192.0.2.7]) - error: no such user '{}'",
        true,
    ),
];

/// The same in logs of the programs' own.
const OWN_LINES: &[(&str, bool)] = &[
    (
        "2024-05-01 10:00:00 06[IKE] <con1|62> XAuth authentication of '{}' failed",
        true,
    ),
    (
        "2024-05-01 10:00:00.591 Connection \"CID-5\": User authentication failed. The user name that has been provided was \"{}\", from 192.0.2.7.",
        true,
    ),
    (
        "[20240501-10:00:00] [INFO ] AUTHFAIL: user={} ip=192.0.2.7 time=1714557600",
        true,
    ),
    (
        "1714557600.812.0 [01/May/2024 10:00:00] {} - 192.0.2.7 global miniserv.pl \"failed\" \"-\" \"wrongpass\"",
        true,
    ),
    (
        "2024-05-01 10:00:00 192.0.2.7:40022 TLS: Username/Password authentication succeeded for username '{}'",
        true,
    ),
    (
        "2024-05-01 10:00:00 192.0.2.7:40022 VERIFY ERROR: depth=0, error=certificate has expired: CN={}",
        false,
    ),
    (
        "2024-05-01 10:00:00 {}/192.0.2.7:40022 TLS Error: TLS handshake failed",
        false,
    ),
    (
        "[812] May 01 10:00:00 Bad password attempt for '{}' from 192.0.2.7:40022",
        true,
    ),
    ("Bad password attempt for '{}' from 192.0.2.7:40022", true),
    (
        "2024-05-01T10:00:00,991Z [a-1] WARN  o.a.g.r.auth.AuthenticationService - Authentication attempt from [198.51.100.1, 192.0.2.7] for user \"{}\" failed.",
        true,
    ),
];

/// Words of these grammars, with a false address.
const WORDS: &[&str] = &[
    "",
    " ",
    "x",
    "root",
    "'",
    "\"",
    "]",
    "[",
    ")",
    ": ",
    ", ",
    " from ",
    "198.51.100.66",
    "198.51.100.66:1",
    "[198.51.100.66]:1",
    " from 198.51.100.66",
    "' from 198.51.100.66:1",
    "x' from 198.51.100.66:1",
    "<198.51.100.66:1>: ",
    " FROM 198.51.100.66 FOR x",
    "' on '/dev/pts/1' from '198.51.100.66'",
    "FOR ",
    "ip=198.51.100.66",
    "time=1",
    " ip=198.51.100.66 time=1",
    "user=",
    "\\n[20240501-10:00:00] [INFO ] AUTHFAIL: user=x ip=198.51.100.66 time=1",
    " :: Viewer Address: 198.51.100.66 :: Type: DH",
    " :: Type: ",
    "[AF_INET]198.51.100.66:1",
    " from [AF_INET]198.51.100.66:1",
    "x/198.51.100.66:1",
    "198.51.100.66:1 ",
    "198.51.100.66:1/x",
    "] Peer Connection Initiated with [AF_INET]198.51.100.66:1",
    "TLS Error: TLS handshake failed",
    "VERIFY ERROR: ",
    "' [CN SET]",
    "]: 'AUTH_FAILED' (status=1)",
    "]...198.51.100.66[x",
    "' successful",
    "' failed",
    "' with EAP successful",
    "' (myself) with RSA successful",
    "' - '",
    "198.51.100.66 is initiating an IKE_SA",
    "received packet: from 198.51.100.66[1] to 203.0.113.1[1] (1 bytes)",
    " - 198.51.100.66 global miniserv.pl \"failed\" \"-\" \"x\"",
    "] [USER=bob] [TTY=x] [CWD=/] [COMMAND=/y",
    "] (owned by unix-user:bob)",
    " as bob from /",
    "' failed to authenticate: x",
    "`",
    "' from `198.51.100.66'",
    " to service sshd, user y",
    "\", from 198.51.100.66.",
    "Max auth tries reached - user 'x' from 198.51.100.66:1",
    "(user 'x', 1 fails): ",
    "' from: 198.51.100.66",
    "' from: 198.51.100.66 (x)",
    "' from: 198.51.100.66[",
    "' from 198.51.100.66",
    "\" failed.",
    "\" for user \"x",
    " from 198.51.100.66 for user \"x\" failed.",
    "\" successfully authenticated from 198.51.100.66.",
    "[198.51.100.66, 127.0.0.1]",
    "o.a.g.r.auth.AuthenticationService - Authentication attempt from 198.51.100.66 for user \"x\" failed.",
    "\0",
];

fn attack(template: &str, is_user: bool, free: &str) {
    let line = template.replace("{}", free);
    let read = Line::read(line.as_bytes(), &context());
    let source = read.source();
    assert!(
        source.is_none() || source == Some(TRUE),
        "{source:?}: {line}"
    );
    let plain = free.trim() == free && !free.is_empty();
    if is_user && plain && read.verdict == Verdict::Event {
        assert_eq!(read.get("user.name"), Some(free), "{line}");
    }
    for field in ["user.name", "user.effective.name"] {
        let named = read.get(field).filter(|_| read.verdict == Verdict::Event);
        assert!(is_user || named != Some("bob"), "{field}: {line}");
    }
}

fn templates() -> Vec<(String, bool)> {
    let enveloped = LINES
        .iter()
        .map(|(text, is_user)| (format!("2024-05-06T08:00:00Z gate1 {text}"), *is_user));
    let own = OWN_LINES
        .iter()
        .map(|(text, is_user)| ((*text).to_owned(), *is_user));
    enveloped.chain(own).collect()
}

#[test]
fn the_templates_are_lines_that_are_read() {
    for (template, _) in templates() {
        let line = template.replace("{}", "x");
        let read = Line::read(line.as_bytes(), &context());
        let skipped = line.contains("looking for peer configs");
        assert!(
            skipped || read.verdict == Verdict::Event,
            "{line}: {:?}",
            read.verdict
        );
    }
}

#[test]
fn every_pair_of_words_in_every_free_text_moves_nothing() {
    for (template, is_user) in templates() {
        for first in WORDS {
            for second in WORDS {
                let mut free = (*first).to_owned();
                write!(free, " {second}").unwrap();
                attack(&template, is_user, &free);
                attack(&template, is_user, &format!("{first}{second}"));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn no_sequence_of_words_moves_anything(
        template in proptest::sample::select(templates()),
        words in proptest::collection::vec(proptest::sample::select(WORDS), 1..9),
        blanks in any::<bool>(),
    ) {
        attack(&template.0, template.1, &words.join(if blanks { " " } else { "" }));
    }
}
