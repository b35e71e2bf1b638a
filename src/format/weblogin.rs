//! Logins to web applications that report through syslog: `WordPress`,
//! `phpMyAdmin`, Drupal, Gitea and their like.
//!
//! `WordPress`' plugin names the site in brackets after its own name.

use super::template::Table;
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource};

pub(super) static FORMAT: Format = Format {
    name: "weblogin",
    about: "WordPress, phpMyAdmin, Drupal, Gitea and other web applications: web_login",
    programs: &[
        "wordpress*",
        "wp",
        "phpMyAdmin",
        "phpmyadmin",
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

static PHRASES: Table = Table::new(&[
    // `WordPress`.
    (
        FAILED,
        &[
            "Authentication failure for {user} from {ip}",
            "Authentication attempt for unknown user {user} from {ip}",
            "Authentication failure on {*} for {user} from {ip}",
        ],
    ),
    (
        BLOCKED,
        &[
            "Blocked authentication attempt for {user} from {ip}",
            "Blocked user enumeration attempt from {ip}",
            "Blocked username authentication attempt for {user} from {ip}",
        ],
    ),
    (
        FAILED,
        &[
            "XML-RPC authentication failure for {user} from {ip}",
            "XML-RPC authentication attempt for unknown user {user} from {ip}",
            "XML-RPC authentication failure from {ip}",
            "XML-RPC multicall authentication failure from {ip}",
            "REST authentication failure for {user} from {ip}",
            "REST authentication attempt for unknown user {user} from {ip}",
        ],
    ),
    (LOGIN, &["Accepted password for {user} from {ip}"]),
    (FAILED, &["Empty username from {ip}"]),
    (RECOVERY, &["Password reset requested for {user} from {ip}"]),
    (
        BLOCKED,
        &[
            "Pingback requested from {ip}",
            "Pingback error {*} generated from {ip}",
            "Spam comment {*} from {ip}",
            "Comment {*} from {ip}",
        ],
    ),
    // `phpMyAdmin`.
    (FAILED, &["user denied: {user} ({reason}) from {ip}"]),
    (LOGIN, &["user authenticated: {user} from {ip}"]),
    // Drupal: site, time, kind, address, page, referer, account, link; the message is last.
    (
        FAILED,
        &[
            "{w}|{n}|user|{ip}|{*}|{n}|{*}|Login attempt failed for {user}.",
            "{w}|{n}|user|{ip}|{*}|{n}|{*}|Login attempt failed from {ip}.",
        ],
    ),
    (
        LOGIN,
        &["{w}|{n}|user|{ip}|{*}|{n}|{*}|Session opened for {user}."],
    ),
    (
        LOGOUT,
        &["{w}|{n}|user|{ip}|{*}|{n}|{*}|Session closed for {user}."],
    ),
    // Gitea, Forgejo, Gogs.
    (
        FAILED,
        &[
            "Failed authentication attempt for {user} from {peer}",
            "Failed authentication attempt for {user} from {peer}: {reason}",
        ],
    ),
    // Horde, Froxlor, Monit.
    (
        FAILED,
        &[
            "[horde] FAILED LOGIN for {user} [{ip}] to {*}",
            "[imp] FAILED LOGIN for {user} [{ip}] to {*}",
        ],
    ),
    (
        LOGIN,
        &[
            "[horde] Login success for {user} [{ip}] to {*}",
            "[imp] Login success for {user} [{ip}] to {*}",
        ],
    ),
    (
        FAILED,
        &[
            "[Login Action {ip}] Unknown user '{user}' tried to login.",
            "[Login Action {ip}] User '{user}' tried to login with wrong password.",
            "HttpRequest: access denied -- client [{ip}]: wrong password for user '{user}'",
            "HttpRequest: access denied -- client [{ip}]: unknown user '{user}'",
            "HttpRequest: access denied -- client [{ip}]: {reason}",
        ],
    ),
    // ZoneMinder, ZNC, `DirectAdmin`.
    (
        FAILED,
        &[
            "WAR [Login denied for user \"{user}\"]",
            "ERR [Could not retrieve user {user} details]",
            "[{user}] failed to login from {peer}",
        ],
    ),
    (LOGIN, &["[{user}] connected to ZNC from {peer}"]),
    (LOGOUT, &["[{user}] disconnected from ZNC from {peer}"]),
    (
        FAILED,
        &[
            "'{ip}' {n} failed login attempt. Account '{user}'",
            "'{ip}' {n} failed login attempts. Account '{user}'",
        ],
    ),
    // Vaultwarden.
    (
        FAILED,
        &["Username or password is incorrect. Try again. IP: {ip}. Username: {user}."],
    ),
]);

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    PHRASES.read(message.text, event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_moves_nothing() {
        crate::format::template::tests::assert_hostile_text_moves_nothing(&PHRASES);
    }
}
