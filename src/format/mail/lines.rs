//! The lines of mail servers that are fixed words around an address or a name.

use crate::format::template::Table;

/// What Postfix's daemons say beyond logins, connections and rejections: who
/// they deliver to, TLS, postscreen's verdicts, anvil's counts.
pub(super) static POSTFIX: Table = Table::new(&[
    (
        ["mail_delivery", "success", "email"],
        &["to=<{rcpt}>, {*}relay={server}, {*}status=sent ({*}"],
    ),
    (
        ["mail_delivery", "failure", "email"],
        &[
            "to=<{rcpt}>, {*}relay={server}, {*}status=deferred ({reason}",
            "to=<{rcpt}>, {*}relay={server}, {*}status=bounced ({reason}",
            "to=<{rcpt}>, {*}relay={server}, {*}status=undeliverable ({reason}",
        ],
    ),
    (
        ["mail_delivery", "success", "email"],
        &[
            "to=<{rcpt}>, {*}relay={server}, {*}status=deliverable ({*}",
            "to=<{rcpt}>, {*}relay={w}, {*}status=sent ({*}",
        ],
    ),
    (
        ["mail_delivery", "failure", "email"],
        &[
            "to=<{rcpt}>, {*}relay={w}, {*}status=deferred ({reason}",
            "to=<{rcpt}>, {*}relay={w}, {*}status=bounced ({reason}",
            "to=<{rcpt}>, {*}relay={w}, {*}status=expired{*}",
        ],
    ),
    (
        ["mail_delivery", "failure", "network"],
        &["connect to {server}: {reason}"],
    ),
    (
        ["mail_delivery", "failure", "email"],
        &[
            "host {server} said: {reason}",
            "host {server} refused to talk to me: {reason}",
        ],
    ),
    (
        ["mail_delivery", "failure", "network"],
        &[
            "lost connection with {server} while {reason}",
            "conversation with {server} timed out while {reason}",
        ],
    ),
    (
        ["mail_delivery", "unknown", "network"],
        &["enabling PIX workarounds: {*} for {server}"],
    ),
    (
        ["mail_delivery", "failure", "network"],
        &[
            "SSL_connect error to {server}: {reason}",
            "Cannot start TLS: {*}",
        ],
    ),
    (
        ["smtp_tls", "unknown", "network"],
        &[
            "setting up TLS connection from {client}",
            "setting up TLS connection to {server}",
        ],
    ),
    (
        ["smtp_tls", "success", "network"],
        &[
            "{w} TLS connection established from {client}: {*}",
            "{w} TLS connection established to {server}: {*}",
            "{w} TLS connection reused to {server}: {*}",
        ],
    ),
    (
        ["mail_received", "success", "email"],
        &[
            "client={client}",
            "client={client}, orig_queue_id={w}, orig_client={*}",
            "client={client}, orig_client={*}",
            "client={client}, sasl_sender={*}",
            "uid={n} from=<{from}>",
        ],
    ),
    (
        ["smtp_connection", "success", "network"],
        &[
            "PASS NEW {client}",
            "PASS OLD {client}",
            "WHITELISTED {client}",
            "ALLOWLISTED {client}",
        ],
    ),
    (
        ["smtp_reject", "failure", "network"],
        &["BLACKLISTED {client}", "DENYLISTED {client}"],
    ),
    (
        ["smtp_connection", "unknown", "network"],
        &["WHITELIST VETO {client}", "ALLOWLIST VETO {client}"],
    ),
    (["smtp_tls", "unknown", "network"], &["CONNECT TO {server}"]),
    (
        ["smtp_reject", "unknown", "network"],
        &[
            "addr {src} listed by domain {w} as {w}",
            "addr {src} blocked by domain {w} as {w}",
        ],
    ),
    (
        ["smtp_rate", "unknown", "network"],
        &[
            "statistics: max connection rate {w} for ({service}:{src}) at {*}",
            "statistics: max connection rate {w} for ({w}.{n}:{service}:{src}) at {*}",
            "statistics: max connection rate {w} for ([{w}]:{service}:{src}) at {*}",
            "statistics: max connection count {w} for ({service}:{src}) at {*}",
            "statistics: max connection count {w} for ({w}.{n}:{service}:{src}) at {*}",
            "statistics: max connection count {w} for ([{w}]:{service}:{src}) at {*}",
            "statistics: max message rate {w} for ({service}:{src}) at {*}",
            "statistics: max message rate {w} for ({w}.{n}:{service}:{src}) at {*}",
            "statistics: max message rate {w} for ([{w}]:{service}:{src}) at {*}",
            "statistics: max recipient rate {w} for ({service}:{src}) at {*}",
            "statistics: max recipient rate {w} for ({w}.{n}:{service}:{src}) at {*}",
            "statistics: max recipient rate {w} for ([{w}]:{service}:{src}) at {*}",
            "statistics: max newtls rate {w} for ({service}:{src}) at {*}",
            "statistics: max newtls rate {w} for ({w}.{n}:{service}:{src}) at {*}",
            "statistics: max newtls rate {w} for ([{w}]:{service}:{src}) at {*}",
            "statistics: max auth rate {w} for ({service}:{src}) at {*}",
            "statistics: max auth rate {w} for ({w}.{n}:{service}:{src}) at {*}",
            "statistics: max auth rate {w} for ([{w}]:{service}:{src}) at {*}",
        ],
    ),
    (
        ["smtp_name_mismatch", "failure", "network"],
        &[
            "{src}: hostname {w} verification failed: {*}",
            "{src}: address not listed for hostname {w}",
            "numeric hostname: {src}",
        ],
    ),
    (
        ["smtp_login", "failure", "authentication"],
        &[
            "{client}: SASL {method} authentication aborted{*}",
            "{client}: SASL authentication failure: {reason}",
        ],
    ),
    (
        ["smtp_protocol_error", "failure", "network"],
        &[
            "{client} sent non-SMTP command: {*}",
            "{client}: request longer than {*}",
        ],
    ),
    (
        ["smtp_tls", "unknown", "network"],
        &["TLS SNI {w} from {client} not matched, using default chain"],
    ),
    (
        ["smtp_tls", "failure", "network"],
        &["abort all TLS sessions from {client}"],
    ),
]);

/// Postfix's verdicts on mail that is neither refused nor taken as it is,
/// after `STAGE from CLIENT: `: what they are called, and how it went.
pub(super) const POSTFIX_VERDICTS: &[(&[u8], &str)] = &[
    (b"warn: ", "unknown"),
    (b"hold: ", "unknown"),
    (b"filter: ", "unknown"),
    (b"redirect: ", "unknown"),
    (b"prepend: ", "unknown"),
    (b"info: ", "unknown"),
    (b"bcc: ", "unknown"),
    (b"replace: ", "unknown"),
    (b"strip: ", "unknown"),
    (b"permit: ", "success"),
    (b"discard: ", "failure"),
    (b"milter-hold: ", "unknown"),
    (b"milter-discard: ", "failure"),
];

/// Dovecot's mail processes, its proxy and its oldest login lines.
pub(super) static DOVECOT: Table = Table::new(&[
    (
        ["lmtp_connection", "unknown", "network"],
        &["lmtp({n}): Connect from {src}"],
    ),
    (
        ["lmtp_disconnect", "unknown", "session"],
        &[
            "lmtp({n}): Disconnect from {src}",
            "lmtp({n}): Disconnect from {src}: {*}",
        ],
    ),
    (
        ["lmtp_connection", "unknown", "network"],
        &["lmtp: Connect from {src}"],
    ),
    (
        ["lmtp_disconnect", "unknown", "session"],
        &[
            "lmtp: Disconnect from {src}",
            "lmtp: Disconnect from {src}: {*}",
        ],
    ),
]);

/// What exim says of connections, beyond what begins with a host.
pub(super) static EXIM: Table = Table::new(&[
    (
        ["smtp_ident", "failure", "network"],
        &["ident connection to {src} timed out"],
    ),
    (
        ["mail_spam", "unknown", "email"],
        &["SA: Action: {*} From <{from}> (host={client}) for {*}"],
    ),
    (
        ["smtp_ident", "failure", "network"],
        &["ident connection to {src} failed: {reason}"],
    ),
]);

/// Courier's lines without a login.
pub(super) static COURIER: Table = Table::new(&[
    (
        ["mail_connection", "unknown", "network"],
        &[
            "Connection, ip=[{src}]",
            "Connection, ip=[{src}], port=[{port}]",
        ],
    ),
    (
        ["mail_disconnect", "unknown", "session"],
        &["Disconnected, ip=[{src}]{*}"],
    ),
    (
        ["smtp_connection", "unknown", "network"],
        &["started,ip=[{src}]", "started,ip=[{src}],port=[{port}]"],
    ),
    (
        ["mail_connection", "failure", "network"],
        &[
            "ip=[{src}], {reason}",
            "Maximum connection limit reached for {src}",
        ],
    ),
    (
        ["mail_login", "failure", "authentication"],
        &["authentication error: {reason}, ip=[{src}]"],
    ),
    (
        ["mail_connection", "failure", "network"],
        &["chdir {*}, ip=[{src}]: {reason}"],
    ),
]);

/// Sendmail's lines without a verdict of its rules.
pub(super) static SENDMAIL: Table = Table::new(&[
    (
        ["smtp_connection", "unknown", "network"],
        &["connect from {client}"],
    ),
    (
        ["smtp_tls", "success", "network"],
        &[
            "STARTTLS=server, relay={client}, version={*}",
            "STARTTLS=server, relay={client} (may be forged), version={*}",
        ],
    ),
    (
        ["smtp_tls", "failure", "network"],
        &[
            "STARTTLS=server, error: {reason}, relay={client}",
            "STARTTLS=server, error: {reason}, relay={client} (may be forged)",
        ],
    ),
    (
        ["smtp_protocol_error", "failure", "network"],
        &[
            "{client}: Possible SMTP RCPT flood, throttling.",
            "{client} (may be forged): Possible SMTP RCPT flood, throttling.",
        ],
    ),
    (
        ["mail_delivery", "success", "email"],
        &["to={rcpt}, {*}delay={w} {*}relay={w} [{dst}], dsn={w} stat=Sent{*}"],
    ),
    (
        ["mail_delivery", "failure", "email"],
        &["to={rcpt}, {*}delay={w} {*}relay={w} [{dst}], dsn={w} stat={reason}"],
    ),
]);
