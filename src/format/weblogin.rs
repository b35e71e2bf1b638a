//! Logins to web applications that report through syslog: `WordPress`,
//! `phpMyAdmin`, Roundcube, Drupal, Gitea and their like.
//!
//! `WordPress`' plugin names the site in brackets after its own name.

use super::phrase::{self, Phrase, phrase};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};

pub(super) static FORMAT: Format = Format {
    name: "weblogin",
    about: "WordPress, phpMyAdmin, Roundcube, Drupal, Gitea and other web applications: web_login",
    programs: &[
        "wordpress*",
        "wp",
        "phpMyAdmin",
        "phpmyadmin",
        "roundcube",
        "roundcubemail",
        "drupal",
        "gitea",
        "forgejo",
        "gogs",
        "openhab",
        "squirrelmail",
        "horde",
        "HORDE",
        "groupoffice",
        "froxlor",
        "Froxlor",
        "sogod",
        "monit",
        "znc",
        "directadmin",
        "openwebmail",
        "zmc_m1",
        "web_php",
        "web_js",
        "vaultwarden",
        "bitwarden",
    ],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["weblogin", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 www1 wordpress(www.example.org)[812]: Authentication failure for admin from 192.0.2.7",
};

const LOGIN: [&str; 3] = ["web_login", "success", "authentication"];
const FAILED: [&str; 3] = ["web_login", "failure", "authentication"];
const LOGOUT: [&str; 3] = ["web_logout", "success", "session"];
const BLOCKED: [&str; 3] = ["web_blocked", "failure", "network"];
const RECOVERY: [&str; 3] = ["web_password_reset", "unknown", "iam"];

static PHRASES: &[Phrase] = &[
    // `WordPress`.
    phrase("Authentication failure for {user} from {ip}", FAILED),
    phrase(
        "Authentication attempt for unknown user {user} from {ip}",
        FAILED,
    ),
    phrase(
        "Authentication failure on {any} for {user} from {ip}",
        FAILED,
    ),
    phrase(
        "Blocked authentication attempt for {user} from {ip}",
        BLOCKED,
    ),
    phrase("Blocked user enumeration attempt from {ip}", BLOCKED),
    phrase(
        "Blocked username authentication attempt for {user} from {ip}",
        BLOCKED,
    ),
    phrase(
        "XML-RPC authentication failure for {user} from {ip}",
        FAILED,
    ),
    phrase(
        "XML-RPC authentication attempt for unknown user {user} from {ip}",
        FAILED,
    ),
    phrase("XML-RPC authentication failure from {ip}", FAILED),
    phrase("XML-RPC multicall authentication failure from {ip}", FAILED),
    phrase("REST authentication failure for {user} from {ip}", FAILED),
    phrase(
        "REST authentication attempt for unknown user {user} from {ip}",
        FAILED,
    ),
    phrase("Accepted password for {user} from {ip}", LOGIN),
    phrase("Empty username from {ip}", FAILED),
    phrase("Password reset requested for {user} from {ip}", RECOVERY),
    phrase("Pingback requested from {ip}", BLOCKED),
    phrase("Pingback error {any} generated from {ip}", BLOCKED),
    phrase("Spam comment {any} from {ip}", BLOCKED),
    phrase("Comment {any} from {ip}", BLOCKED),
    // `phpMyAdmin`.
    phrase("user denied: {user} ({reason}) from {ip}", FAILED),
    phrase("user authenticated: {user} from {ip}", LOGIN),
    // Roundcube.
    phrase(
        "<{word}> Failed login for {user} from {ip} in session {word} (error: {number})",
        FAILED,
    ),
    phrase(
        "Failed login for {user} from {ip} in session {word} (error: {number})",
        FAILED,
    ),
    phrase(
        "<{word}> Successful login for {user} (ID: {number}) from {ip} in session {word}",
        LOGIN,
    ),
    phrase(
        "Successful login for {user} (ID: {number}) from {ip} in session {word}",
        LOGIN,
    ),
    phrase(
        "<{word}> IMAP Error: Login failed for {user} against {any} from {ip}. {reason}",
        FAILED,
    ),
    phrase(
        "<{word}> IMAP Error: Login failed for {user} from {ip}. {reason}",
        FAILED,
    ),
    phrase(
        "IMAP Error: Login failed for {user} against {any} from {ip}. {reason}",
        FAILED,
    ),
    phrase(
        "IMAP Error: Login failed for {user} from {ip}. {reason}",
        FAILED,
    ),
    phrase("IMAP Error: Login failed for {user} from {ip}", FAILED),
    // Drupal: site, time, kind, address, page, referer, account, link; the message is last.
    phrase(
        "{word}|{number}|user|{ip}|{any}|{number}|{any}|Login attempt failed for {user}.",
        FAILED,
    ),
    phrase(
        "{word}|{number}|user|{ip}|{any}|{number}|{any}|Login attempt failed from {ip}.",
        FAILED,
    ),
    phrase(
        "{word}|{number}|user|{ip}|{any}|{number}|{any}|Session opened for {user}.",
        LOGIN,
    ),
    phrase(
        "{word}|{number}|user|{ip}|{any}|{number}|{any}|Session closed for {user}.",
        LOGOUT,
    ),
    // Gitea, Forgejo, Gogs.
    phrase(
        "Failed authentication attempt for {user} from {peer}",
        FAILED,
    ),
    phrase(
        "Failed authentication attempt for {user} from {peer}: {reason}",
        FAILED,
    ),
    // Horde, SOGo, Froxlor, Monit.
    phrase("[horde] FAILED LOGIN for {user} [{ip}] to {any}", FAILED),
    phrase("[imp] FAILED LOGIN for {user} [{ip}] to {any}", FAILED),
    phrase("[horde] Login success for {user} [{ip}] to {any}", LOGIN),
    phrase("[imp] Login success for {user} [{ip}] to {any}", LOGIN),
    phrase(
        "SOGoRootPage Login from '{ip}' for user '{user}' might not have worked - {reason}",
        FAILED,
    ),
    phrase(
        "SOGoRootPage successful login from '{ip}' for user '{user}' - {any}",
        LOGIN,
    ),
    phrase(
        "[Login Action {ip}] Unknown user '{user}' tried to login.",
        FAILED,
    ),
    phrase(
        "[Login Action {ip}] User '{user}' tried to login with wrong password.",
        FAILED,
    ),
    phrase(
        "HttpRequest: access denied -- client [{ip}]: wrong password for user '{user}'",
        FAILED,
    ),
    phrase(
        "HttpRequest: access denied -- client [{ip}]: unknown user '{user}'",
        FAILED,
    ),
    phrase(
        "HttpRequest: access denied -- client [{ip}]: {reason}",
        FAILED,
    ),
    // ZoneMinder, ZNC, `DirectAdmin`.
    phrase("WAR [Login denied for user \"{user}\"]", FAILED),
    phrase("ERR [Could not retrieve user {user} details]", FAILED),
    phrase("[{user}] failed to login from {ip}", FAILED),
    phrase("[{user}] connected to ZNC from {ip}", LOGIN),
    phrase("[{user}] disconnected from ZNC from {ip}", LOGOUT),
    phrase(
        "'{ip}' {number} failed login attempt. Account '{user}'",
        FAILED,
    ),
    phrase(
        "'{ip}' {number} failed login attempts. Account '{user}'",
        FAILED,
    ),
    // Vaultwarden.
    phrase(
        "Username or password is incorrect. Try again. IP: {ip}. Username: {user}.",
        FAILED,
    ),
];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    phrase::read(PHRASES, message.text, event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_moves_nothing() {
        phrase::assert_hostile_text_moves_nothing(PHRASES);
    }
}
