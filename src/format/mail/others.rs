//! Mail servers and web mail with few lines: OpenSMTPD, vpopmail, popa3d,
//! Roundcube, SOGo, Kerio Connect.

use crate::event::{Event, LogSource};
use crate::format::template::Table;
use crate::format::token::cut;
use crate::format::{Format, Message, Parser, Verdict};

const LOGSOURCES: &[LogSource] = &[LogSource {
    product: "linux",
    categories: &[],
    services: &["mail", "auth", "syslog"],
}];

pub(in crate::format) static OPENSMTPD: Format = Format {
    name: "opensmtpd",
    about: "OpenSMTPD: smtp_login, smtp_connection, smtp_reject, mail_received, mail_delivery",
    programs: &["smtpd", "opensmtpd"],
    logsources: LOGSOURCES,
    parse: Parser::Message(opensmtpd),
    example: "May  1 10:00:00 mail1 smtpd[812]: 5f1a2b3c4d5e6f70 smtp failed-command address=192.0.2.7 host=mail.example.com command=\"AUTH LOGIN\" result=\"535 Authentication failed\"",
};

pub(in crate::format) static FILTERS: Format = Format {
    name: "mail-filter",
    about: "postgrey, policyd-spf, amavis, spamd, rblsmtpd: smtp_check",
    programs: &[
        "postgrey",
        "policyd-spf",
        "postfix/policyd-spf",
        "amavis",
        "spamd",
        "rblsmtpd",
        "opendkim",
    ],
    logsources: LOGSOURCES,
    parse: Parser::Message(|message, event| FILTER_LINES.read(message.text, event)),
    example: "May  1 10:00:00 mail1 postgrey[812]: action=greylist, reason=new, client_name=mail.example.com, client_address=192.0.2.7, sender=a@example.com, recipient=b@example.org",
};

/// Sender and recipient are the client's, and come after his address.
static FILTER_LINES: Table = Table::new(&[
    (
        ["smtp_check", "unknown", "email"],
        &[
            "action=greylist, {*}client_address={net}, sender={*}",
            "action=greylist, {*}client_address={net}, recipient={*}",
            "None; identity={w} client-ip={src}; {*}",
            "Neutral; identity={w} client-ip={src}; {*}",
            "Softfail; identity={w} client-ip={src}; {*}",
            "Temperror; identity={w} client-ip={src}; {*}",
            "Permerror; identity={w} client-ip={src}; {*}",
            "spamd: connection from {client} to port {n}, fd {n}",
            "spamd: connection from {client} at port {n}",
            "{w} {client} not internal",
        ],
    ),
    (
        ["smtp_check", "success", "email"],
        &[
            "action=pass, {*}client_address={net}, sender={*}",
            "action=pass, {*}client_address={net}, recipient={*}",
            "Pass; identity={w} client-ip={src}; {*}",
            "({w}) Passed {w} {w} [{src}]:{port} {*}",
            "({w}) Passed {w} {w} [{src}] {*}",
            "({w}) Passed {w} [{src}] {*}",
        ],
    ),
    (
        ["smtp_check", "failure", "email"],
        &[
            "Fail; identity={w} client-ip={src}; {*}",
            "({w}) Blocked {w} {w} [{src}]:{port} {*}",
            "({w}) Blocked {w} {w} [{src}] {*}",
            "({w}) Blocked {w} [{src}] {*}",
            "{w} blocked {src} {*}",
            "{src} pid {n} {*}",
        ],
    ),
]);

pub(in crate::format) static VPOPMAIL: Format = Format {
    name: "vpopmail",
    about: "vpopmail (vchkpw), popa3d: mail_login",
    programs: &["vpopmail", "vchkpw*", "popa3d"],
    logsources: LOGSOURCES,
    parse: Parser::Message(|message, event| VPOPMAIL_LINES.read(message.text, event)),
    example: "May  1 10:00:00 mail1 vpopmail[812]: vchkpw-pop3: vpopmail user not found alice@example.com:192.0.2.7",
};

pub(in crate::format) static ROUNDCUBE: Format = Format {
    name: "roundcube",
    about: "Roundcube: imap_login, in syslog and its own logs",
    programs: &["roundcube", "roundcubemail"],
    logsources: LOGSOURCES,
    parse: Parser::Message(roundcube),
    example: "[01-May-2024 10:00:00 +0200]: <3z506z6r> Failed login for alice from 192.0.2.7 in session 3z506z6rvddstv6k (error: 0)",
};

pub(in crate::format) static SOGO: Format = Format {
    name: "sogo",
    about: "SOGo: imap_login",
    programs: &["sogod", "sogo"],
    logsources: LOGSOURCES,
    parse: Parser::Message(|message, event| SOGO_LINES.read(message.text, event)),
    example: "May 01 10:00:00 sogod [812]: SOGoRootPage Login from '192.0.2.7' for user 'alice' might not have worked - password policy: 65535  grace: -1  expire: -1  bound: 0",
};

pub(in crate::format) static KERIO: Format = Format {
    name: "kerio",
    about: "Kerio Connect: smtp_login, smtp_reject",
    programs: &["kerio"],
    logsources: LOGSOURCES,
    parse: Parser::Message(|message, event| KERIO_LINES.read(message.text, event)),
    example: "[01/May/2024 10:00:00] Failed SMTP login from 192.0.2.7 with SASL method CRAM-MD5.",
};

/// `ID smtp …` since 6.0, `ID smtp event=…` in 5.4 to 5.9, `smtp-in: …` before.
fn opensmtpd<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = match cut(message.text, b" ") {
        Some((id, rest)) if id.len() == 16 && id.iter().all(u8::is_ascii_hexdigit) => rest,
        _ => message.text,
    };
    OPENSMTPD_LINES.read(text, event)
}

/// `[<SESSION> ]WORDS`.
fn roundcube<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    let text = match message
        .text
        .strip_prefix(b"<")
        .and_then(|rest| cut(rest, b"> "))
    {
        Some((id, rest)) if id.iter().all(u8::is_ascii_alphanumeric) => rest,
        _ => message.text,
    };
    ROUNDCUBE_LINES.read(text, event)
}

/// OpenSMTPD's; the commands and answers are in quotes at the end.
static OPENSMTPD_LINES: Table = Table::new(&[
    (
        ["smtp_connection", "unknown", "network"],
        &[
            "smtp connected address={src} host={w}",
            "smtp event=connected address={src} host={w}",
        ],
    ),
    (
        ["smtp_disconnect", "unknown", "session"],
        &[
            "smtp disconnected address={src} host={w} reason={*}",
            "smtp event=closed address={src} host={w} reason={*}",
            "smtp event=disconnect address={src} host={w} reason={*}",
        ],
    ),
    (
        ["smtp_login", "failure", "authentication"],
        &[
            "smtp failed-command address={src} host={w} command=\"AUTH {*}\" result=\"{reason}\"",
            "smtp event=failed-command address={src} host={w} command=\"AUTH {*}\" result=\"{reason}\"",
            "smtp failed-command address={src} host={w} command=\"{*}\" result=\"535 {reason}\"",
            "smtp event=failed-command address={src} host={w} command=\"{*}\" result=\"535 {reason}\"",
        ],
    ),
    (
        ["smtp_reject", "failure", "email"],
        &[
            "smtp failed-command address={src} host={w} command=\"{*}\" result=\"{reason}\"",
            "smtp event=failed-command address={src} host={w} command=\"{*}\" result=\"{reason}\"",
        ],
    ),
    (
        ["smtp_protocol_error", "failure", "network"],
        &[
            "smtp bad-input address={src} host={w} {*}",
            "smtp event=bad-input address={src} host={w} {*}",
        ],
    ),
    (
        ["smtp_login", "success", "authentication"],
        &["smtp authentication user={user} address={src} host={w} result=ok"],
    ),
    (
        ["smtp_login", "failure", "authentication"],
        &["smtp authentication user={user} address={src} host={w} result={w}"],
    ),
    (
        ["smtp_login", "success", "authentication"],
        &["smtp event=authentication user={user} address={src} host={w} result=ok"],
    ),
    (
        ["smtp_login", "failure", "authentication"],
        &["smtp event=authentication user={user} address={src} host={w} result={w}"],
    ),
    (
        ["smtp_login", "success", "authentication"],
        &["smtp event=authentication address={src} host={w} user={user} result=ok"],
    ),
    (
        ["smtp_login", "failure", "authentication"],
        &["smtp event=authentication address={src} host={w} user={user} result={w}"],
    ),
    (
        ["smtp_login", "success", "authentication"],
        &["smtp authentication user={user} result=ok"],
    ),
    (
        ["smtp_login", "failure", "authentication"],
        &["smtp authentication user={user} result={w}"],
    ),
    (
        ["smtp_tls", "success", "network"],
        &[
            "smtp starttls address={src} host={w} {*}",
            "smtp event=starttls address={src} host={w} {*}",
        ],
    ),
    (
        ["mail_received", "success", "email"],
        &[
            "smtp message address={src} host={w} msgid={w} from=<{*}",
            "smtp event=message address={src} host={w} msgid={w} from=<{*}",
        ],
    ),
    (
        ["smtp_connection", "unknown", "network"],
        &["smtp-in: New session {w} from host {w} [{src}]"],
    ),
    (
        ["mail_delivery", "unknown", "network"],
        &[
            "mta connecting address={w}://{dst} host={w}",
            "mta event=connecting address={w}://{dst} host={w}",
        ],
    ),
    (
        ["mail_delivery", "success", "email"],
        &["mta delivery {*} relay=\"{dst} ({w})\" {*}result=\"Ok\" stat={*}"],
    ),
    (
        ["mail_delivery", "failure", "email"],
        &["mta delivery {*} relay=\"{dst} ({w})\" {*}result=\"{w}\" stat={*}"],
    ),
]);

/// vchkpw's, where the address ends the line, and popa3d's.
static VPOPMAIL_LINES: Table = Table::new(&[
    (
        ["mail_login", "failure", "authentication"],
        &[
            "vchkpw-{w}: password fail (pass: '{*}') {account}:{src}",
            "vchkpw-{w}: password fail {account}:{src}",
            "vchkpw-{w}: system password fail {account}:{src}",
            "vchkpw-{w}: vpopmail user not found {account}:{src}",
            "vchkpw-{w}: system user not found {account}:{src}",
            "vchkpw-{w}: null password given {account}:{src}",
            "vchkpw-{w}: null user name given {account}:{src}",
            "vchkpw-{w}: null user name given :{src}",
            "vchkpw-{w}: invalid user/domain characters {account}:{src}",
            "vchkpw-{w}: user not found {account}:{src}",
            "vchkpw-{w}: {w} access denied {account}:{src}",
        ],
    ),
    (
        ["mail_login", "success", "authentication"],
        &[
            "vchkpw-{w}: ({method}) login success {account}:{src}",
            "vchkpw-{w}: login success {account}:{src}",
        ],
    ),
    (
        ["mail_connection", "unknown", "network"],
        &["Session from {src}"],
    ),
    (
        ["mail_login", "success", "authentication"],
        &["Authentication passed for {user}"],
    ),
    (
        ["mail_login", "failure", "authentication"],
        &[
            "Authentication failed for {user}",
            "Authentication attempt for unknown user{*}",
        ],
    ),
]);

/// Roundcube's: what the IMAP server answered follows the address.
static ROUNDCUBE_LINES: Table = Table::new(&[
    (
        ["imap_login", "failure", "authentication"],
        &[
            "FAILED login for {user} from {src}",
            "Failed login for {user} from {src} in session {w} (error: {n})",
            "Failed login for {user} from {src}(X-{*}) in session {w} (error: {n})",
        ],
    ),
    (
        ["imap_login", "success", "authentication"],
        &[
            "Successful login for {user} (ID: {n}) from {src} in session {w}",
            "Successful login for {user} (ID: {n}) from {src}(X-{*}) in session {w}",
            "Successful login for {user} (id {n}) from {src}",
        ],
    ),
    (
        ["imap_login", "failure", "authentication"],
        &[
            "IMAP Error: Login failed for {user} against {w} from {src}. AUTHENTICATE {*}",
            "IMAP Error: Login failed for {user} against {w} from {src}. LOGIN: {*}",
            "IMAP Error: Login failed for {user} against {w} from {src}(X-{*}). {*}",
        ],
    ),
    (
        ["imap_login", "unknown", "authentication"],
        &["IMAP Error: Login failed for {user} against {w} from {src}. Could not connect {*}"],
    ),
    (
        ["imap_login", "failure", "authentication"],
        &[
            "IMAP Error: Login failed for {user} from {src}",
            "IMAP Error: Login failed for {user} from {src}. AUTHENTICATE {*}",
            "IMAP Error: Login failed for {user} from {src}. LOGIN: {*}",
        ],
    ),
    (
        ["imap_login", "unknown", "authentication"],
        &["IMAP Error: Login failed for {user} from {src}. Could not connect {*}"],
    ),
    (
        ["imap_login", "failure", "authentication"],
        &[
            "IMAP Error: Login failed for {user} from {src}(X-{*}). AUTHENTICATE {*}",
            "IMAP Error: Login failed for {user} from {src}(X-{*}). {*}",
            "IMAP Error: Login failed for {user} from {src}. {reason}",
            "IMAP Error: Login failed for {user} against {w} from {src}. {reason}",
        ],
    ),
]);

/// SOGo's. Of a list of addresses the client's header wrote the first: none is taken.
static SOGO_LINES: Table = Table::new(&[
    (
        ["imap_login", "failure", "authentication"],
        &[
            "SOGoRootPage Login from '{src}' for user '{user}' might not have worked{*}",
            "SOGoRootPage Login from '{*}' for user '{user}' might not have worked{*}",
        ],
    ),
    (
        ["imap_login", "success", "authentication"],
        &[
            "SOGoRootPage successful login from '{src}' for user '{user}'{*}",
            "SOGoRootPage Successful login from '{src}' for user '{user}'{*}",
        ],
    ),
]);

/// Kerio Connect's security and warning logs.
static KERIO_LINES: Table = Table::new(&[
    (
        ["smtp_reject", "failure", "email"],
        &["Attempt to deliver to unknown recipient <{*}>, from <{*}>, IP address {src}"],
    ),
    (
        ["smtp_protocol_error", "failure", "network"],
        &["SMTP Spam attack detected from {src}, {reason}"],
    ),
    (
        ["smtp_reject", "failure", "email"],
        &[
            "IP address {src} found in DNS blacklist {w}, mail from <{*}> to <{*}",
            "Relay attempt from IP address {src}, mail from <{*}> to <{*}",
        ],
    ),
    (
        ["mail_login", "failure", "authentication"],
        &[
            "{w}: User {account} doesn't exist. Attempt from IP address {src}.",
            "{w}: User {account} doesn't exist. Attempt from IP address {src}",
            "{w}: Invalid password for user {account}. Attempt from IP address {src}.",
        ],
    ),
    (
        ["smtp_reject", "failure", "network"],
        &["Client with IP address {src} has no reverse DNS entry, {reason}"],
    ),
    (
        ["mail_login", "failure", "authentication"],
        &["Administration login into {*} from {src} failed: {reason}"],
    ),
    (
        ["smtp_reject", "failure", "email"],
        &["Message from IP address {src}, sender <{*}> rejected: {reason}"],
    ),
    (
        ["smtp_login", "failure", "authentication"],
        &["Failed {w} login from {src} with SASL method {method}."],
    ),
    (
        ["mail_login", "failure", "authentication"],
        &["Failed {w} login from {src}"],
    ),
]);
