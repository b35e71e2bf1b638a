//! sshd's rarer words, of which each quotes somebody: keys and certificates,
//! forwarding, broken connections.

use crate::injection::{attack, tokens};

/// Shapes with a free text (`{}`), and whether it is the user's name.
const SHAPES: &[(&str, &str, bool)] = &[
    (
        "sshd[7]",
        "Authentication tried for root with correct key but not from a permitted host (host={}, ip=192.0.2.7).",
        false,
    ),
    (
        "sshd[7]",
        "refused local port forward: originator 192.0.2.7 port 1, target {} port 22",
        false,
    ),
    (
        "sshd[7]",
        "Received request from 192.0.2.7 port 40022 to connect to host {} port 25, but the request was denied.",
        false,
    ),
    (
        "sshd[7]",
        "Accepted certificate ID \"{}\" (serial 1) signed by RSA CA SHA256:abc via /x",
        false,
    ),
    (
        "sshd[7]",
        "error: Refusing certificate ID \"{}\" serial=1 signed by RSA CA SHA256:abc via /x",
        false,
    ),
    (
        "sshd[7]",
        "Accepted publickey for alice from 192.0.2.7 port 40022 ssh2: RSA-CERT ID {} (serial 1) CA RSA SHA256:abc",
        false,
    ),
    (
        "sshd[7]",
        "scanned from 192.0.2.7 with {}.  Don't panic.",
        false,
    ),
    (
        "sshd[7]",
        "Bad remote protocol version identification: '{}'",
        false,
    ),
    (
        "sshd[7]",
        "packet_write_wait: Connection from user {} 192.0.2.7 port 40022: Broken pipe",
        true,
    ),
    (
        "sshd[7]",
        "Timeout, client not responding from user {} 192.0.2.7 port 40022",
        true,
    ),
    ("sshd[7]", "error: connect_to {} port 22: failed.", false),
];

#[test]
fn every_pair_of_words_in_every_free_text_moves_nothing() {
    let tokens = tokens();
    for shape in SHAPES {
        for first in &tokens {
            for second in &tokens {
                attack(shape, &format!("{first} {second}"));
                attack(shape, &format!("{first}{second}"));
            }
        }
    }
}
