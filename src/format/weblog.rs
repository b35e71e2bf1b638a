//! Logins in web applications' own files: a stamp of the application's, then
//! what [`super::weblogin`]'s applications send to syslog.
//!
//! A line is one of these only by its whole shape: the same stamps stand before
//! web servers' lines, which quote what anybody asked for.

use bumpalo::Bump;

use super::template::Table;
use super::{Context, Format, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource};
use crate::field::Field;
use crate::time::Time;

pub(super) static FORMAT: Format = Format {
    name: "weblogin-log",
    about: "logins in the own files of Gitea, Vaultwarden, Jellyfin, Emby, Home Assistant, Keycloak, Grafana, Authelia and others: web_login",
    programs: &[],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["weblogin", "auth", "syslog"],
    }],
    parse: Parser::Line(parse),
    example: "2024/05/01 10:00:00 [I] Failed authentication attempt for alice from 192.0.2.7:50022",
};

const FAILED: [&str; 3] = ["web_login", "failure", "authentication"];
const LOGIN: [&str; 3] = ["web_login", "success", "authentication"];
const LOGOUT: [&str; 3] = ["web_logout", "success", "session"];

/// After the stamp, with the blank before it where there is one.
static PHRASES: Table = Table::new(&[
    // Gitea, Forgejo, Gogs.
    (
        FAILED,
        &[
            " [{w}] Failed authentication attempt for {user} from {peer}",
            " [{w}] Failed authentication attempt for {user} from {peer}: {reason}",
            " {w} [{w}] Failed authentication attempt for {user} from {peer}",
            " {w} [{w}] Failed authentication attempt for {user} from {peer}: {reason}",
        ],
    ),
    // Vaultwarden.
    (
        FAILED,
        &[
            "[{w}][ERROR] Username or password is incorrect. Try again. IP: {ip}. Username: {user}.",
            "[{w}][ERROR] Invalid admin token. IP: {ip}",
            "[{w}][ERROR] Invalid TOTP code! Server time: {*} IP: {ip}",
        ],
    ),
    // Jellyfin and Emby.
    (
        FAILED,
        &[
            " [{w}] [{w}] {w}: Authentication request for \"{user}\" has been denied (IP: \"{ip}\").",
            " [{w}] [{w}] {w}: Authentication request for {user} has been denied (IP: {ip}).",
        ],
    ),
    (
        LOGIN,
        &[" [{w}] [{w}] {w}: Authentication request for \"{user}\" has succeeded."],
    ),
    (
        FAILED,
        &[
            " {w} App: AUTH-ERROR: {ip} - {reason}",
            " {w} HttpServer: AUTH-ERROR: {ip} - {reason}",
        ],
    ),
    // Home Assistant.
    (
        FAILED,
        &[
            " WARNING ({w}) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from {host} ({ip}). {*}",
            " WARNING ({w}) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from {host} ({ip}).",
            " WARNING ({w}) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from {ip}. {*}",
            " WARNING ({w}) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from {ip}",
            " WARNING ({w}) [homeassistant.components.http.ban] Banned IP {ip} for too many login attempts",
        ],
    ),
    // Keycloak: with quotes since 22.
    (
        FAILED,
        &[
            " WARN  [org.keycloak.events] ({*}) type=\"LOGIN_ERROR\", {*}, ipAddress=\"{ip}\", error=\"{reason}\", {*}, username=\"{user}\"",
            " WARN  [org.keycloak.events] ({*}) type=\"LOGIN_ERROR\", {*}, ipAddress=\"{ip}\", error=\"{reason}\", {*}, username=\"{user}\", {*}",
            " WARN  [org.keycloak.events] ({*}) type=LOGIN_ERROR, {*}, ipAddress={ip}, error={reason}, {*}, username={user}, {*}",
            " WARN  [org.keycloak.events] ({*}) type=LOGIN_ERROR, {*}, ipAddress={ip}, error={reason}, {*}, username={user}",
        ],
    ),
    // Group-Office, ZNC, SquirrelMail.
    (
        FAILED,
        &[" LOGIN FAILED for user: \"{user}\" from IP: {ip}"],
    ),
    (
        LOGIN,
        &[" LOGIN SUCCESS for user: \"{user}\" from IP: {ip}"],
    ),
    (FAILED, &[" [{user}] failed to login from {ip}"]),
    (LOGIN, &[" [{user}] connected to ZNC from {ip}"]),
    (LOGOUT, &[" [{user}] disconnected from ZNC from {ip}"]),
    (
        FAILED,
        &[" [LOGIN_ERROR] {user} ({realm}) from {ip}: {reason}"],
    ),
    (LOGIN, &[" [LOGIN] {user} ({realm}) from {ip}"]),
    // Authelia and Grafana, behind the stamp's key.
    (
        FAILED,
        &[
            "\" level=error msg=\"Unsuccessful {w} authentication attempt by user '{user}'\" {*} remote_ip={ip}",
            "\" level=error msg=\"Unsuccessful {w} authentication attempt by user '{user}'\" {*} remote_ip={ip} {*}",
            "\" level=error msg=\"Unsuccessful {w} authentication attempt by user '{user}' and they are banned until {*}\" {*} remote_ip={ip}",
            " lvl=eror msg=\"Invalid username or password\" {*} remote_addr={ip} {*}",
            " lvl=eror msg=\"Invalid username or password\" {*} remote_addr={ip}",
            " level=error msg=\"Invalid username or password\" {*} remote_addr={ip} {*}",
            " level=error msg=\"Invalid username or password\" {*} remote_addr={ip}",
        ],
    ),
]);

/// The stamp that stands after a key, and what follows it.
fn keyed<'a>(line: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    let rest = line
        .strip_prefix(b"time=\"")
        .or_else(|| line.strip_prefix(b"t="))
        .or_else(|| line.strip_prefix(b"logger=context t="))?;
    timestamp::iso(rest, context)
}

/// Only the stamp, where no other kind of line has one: after a key.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    Some(keyed(line, context)?.0)
}

/// The stamp, and what follows it.
fn stamped<'a>(line: &'a [u8], context: &Context) -> Option<(Time, &'a [u8])> {
    match line.first()? {
        b'[' => {
            let (time, rest) = timestamp::bracketed(line.get(1..)?, context)?;
            // A zone may follow, behind a blank.
            let end = memchr::memchr(b']', rest.get(..8).unwrap_or(rest))?;
            Some((time, rest.get(end + 1..)?))
        }
        b'0'..=b'9' => timestamp::slashed(line, context).or_else(|| timestamp::iso(line, context)),
        b't' | b'l' => keyed(line, context),
        _ => None,
    }
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    _arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let Some((time, text)) = stamped(line, context) else {
        return Verdict::NotMine;
    };
    let verdict = PHRASES.read(text, event);
    if verdict == Verdict::Event {
        event.time = Some(time);
        event.text(Field::MESSAGE, text);
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_moves_nothing() {
        crate::format::template::tests::assert_hostile_text_moves_nothing(&PHRASES);
    }
}
