//! Requests, host names, user names, referrers and DHCP names are chosen by
//! whoever connects. None of them moves an address, a user or a verdict in the
//! logs of web servers, proxies, name servers and DHCP servers.

use std::fmt::Write as _;

use proptest::prelude::*;
use tipstaff::format::Verdict;

use crate::support::{Line, context};

/// Where the line really comes from.
const TRUE: &str = "192.0.2.7";
/// What the attacker would have us believe.
const FALSE: &str = "198.51.100.66";

/// How a server writes what the client sent.
#[derive(Clone, Copy, Debug)]
enum Escaped {
    /// As it is.
    Not,
    /// Quotes and backslashes behind a backslash (Apache, CoreDNS).
    Backslash,
    /// Quotes, backslashes and bytes that are no text as `\xHH` (nginx).
    Hex,
    /// Quotes as `#22` (`HAProxy`).
    Hash,
    /// Blanks and quotes in percent (squid), so that it stays one word.
    Percent,
}
use Escaped::{Backslash, Hash, Hex, Not, Percent};

/// A line with a free text (`{}`), how its server escapes it, and the field
/// that must then be that text, if it is a user's name.
const SHAPES: &[(&str, Escaped, Option<&str>)] = &[
    (
        r#"192.0.2.7 - {} [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 401 381 "-" "-""#,
        Backslash,
        Some("user.name"),
    ),
    (
        r#"192.0.2.7 - {} [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 401 381"#,
        Hex,
        Some("user.name"),
    ),
    (
        r#"www.example.net:80 192.0.2.7 - {} [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 401 381"#,
        Hex,
        Some("user.name"),
    ),
    (
        r#"192.0.2.7 - bob [06/May/2024:08:00:00 +0000] "GET /{} HTTP/1.1" 404 381 "-" "-""#,
        Backslash,
        None,
    ),
    (
        r#"192.0.2.7 - bob [06/May/2024:08:00:00 +0000] "{}" 400 381 "-" "-""#,
        Hex,
        None,
    ),
    (
        r#"192.0.2.7 - bob [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 404 381 "{}" "-""#,
        Backslash,
        None,
    ),
    (
        r#"192.0.2.7 - bob [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 404 381 "-" "{}" "-""#,
        Hex,
        None,
    ),
    (
        r#"192.0.2.7 - bob [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 404 381 "-" "-" "{}""#,
        Hex,
        None,
    ),
    (
        r#"{} 192.0.2.7 - - [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 404 381"#,
        Percent,
        None,
    ),
    (
        r#""{}" 192.0.2.7 - bob [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 404 381"#,
        Hex,
        None,
    ),
    (
        r#"{}, 10.0.0.1 192.0.2.7 - bob [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 404 381"#,
        Percent,
        None,
    ),
    (
        r#"[06/May/2024:08:00:00 +0000] 404 - GET https {} "/x" [Client 192.0.2.7] [Length 1] [Gzip -] "-" "-""#,
        Percent,
        None,
    ),
    (
        r#"[06/May/2024:08:00:00 +0000] 404 - GET https www.example.net "/{}" [Client 192.0.2.7] [Length 1] [Gzip -] "-" "-""#,
        Hex,
        None,
    ),
    (
        r#"[06/May/2024:08:00:00 +0000] 404 - GET https www.example.net "/x" [Client 192.0.2.7] [Length 1] [Gzip -] "{}" "-""#,
        Hex,
        None,
    ),
    (
        r#"[06/May/2024:08:00:00 +0000] {} 192.0.2.7 0.1 "GET / HTTP/1.1" 200 5 10 - -"#,
        Percent,
        None,
    ),
    (
        r#"2024/05/06 08:00:00 [error] 12#12: *3 user "{}": password mismatch, client: 192.0.2.7, server: www.example.net, request: "GET / HTTP/1.1", host: "www.example.net""#,
        Not,
        Some("user.name"),
    ),
    (
        r#"2024/05/06 08:00:00 [error] 12#12: *3 user "{}" was not found in "/etc/htpasswd", client: 192.0.2.7, server: www.example.net, request: "GET / HTTP/1.1""#,
        Not,
        Some("user.name"),
    ),
    (
        r#"2024/05/06 08:00:00 [error] 12#12: *3 open() "/srv/{}" failed (2: No such file or directory), client: 192.0.2.7, server: www.example.net, request: "GET / HTTP/1.1", host: "www.example.net""#,
        Not,
        None,
    ),
    (
        r#"2024/05/06 08:00:00 [error] 12#12: *3 open() "/srv/x" failed (2: No such file or directory), client: 192.0.2.7, server: www.example.net, request: "GET /{} HTTP/1.1", host: "www.example.net""#,
        Not,
        None,
    ),
    (
        r#"2024/05/06 08:00:00 [error] 12#12: *3 open() "/srv/x" failed (2: No such file or directory), client: 192.0.2.7, server: www.example.net, request: "GET / HTTP/1.1", host: "www.example.net", referrer: "{}""#,
        Not,
        None,
    ),
    (
        r#"2024/05/06 08:00:00 [info] 12#12: *3 client sent invalid request while reading client request line, client: 192.0.2.7, server: www.example.net, request: "{}""#,
        Not,
        None,
    ),
    (
        r#"May  6 08:00:00 web1 nginx: 2024/05/06 08:00:00 [error] 12#12: *3 PAM: user '{}' - not authenticated: Authentication failure, client: 192.0.2.7, server: , request: "GET / HTTP/1.1", host: "{}""#,
        Not,
        None,
    ),
    (
        r#"May  6 08:00:00 web1 httpd[7]: 192.0.2.7 - {} [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 401 381 "-" "-""#,
        Backslash,
        Some("user.name"),
    ),
    (
        "May  6 08:00:00 web1 httpd[7]: [error] [client 192.0.2.7] File does not exist: /{}",
        Backslash,
        None,
    ),
    (
        r#"2024/05/06 08:00:00 [info] 12#12: *3 client login failed: "x" while in http auth state, client: 192.0.2.7, server: 0.0.0.0:587, login: "{}""#,
        Not,
        None,
    ),
    (
        "[Mon May 06 08:00:00 2024] [error] [client 192.0.2.7] user {} not found: /admin",
        Backslash,
        Some("user.name"),
    ),
    (
        "[Mon May 06 08:00:00.5 2024] [auth_basic:error] [pid 1:tid 2] [client 192.0.2.7:50022] AH01617: user {}: authentication failure for \"/admin\": Password Mismatch",
        Backslash,
        Some("user.name"),
    ),
    (
        "[Mon May 06 08:00:00.5 2024] [auth_basic:error] [pid 1:tid 2] [client 192.0.2.7:50022] AH01618: user bob not found: /{}",
        Backslash,
        None,
    ),
    (
        "[Mon May 06 08:00:00.5 2024] [core:error] [pid 1:tid 2] [client 192.0.2.7:50022] AH00126: Invalid URI in request {}",
        Backslash,
        None,
    ),
    (
        "[Mon May 06 08:00:00 2024] [error] [client 192.0.2.7] File does not exist: /x, referer: {}",
        Backslash,
        None,
    ),
    (
        "[Mon May 06 08:00:00.5 2024] [cgi:error] [pid 1] AH01215: {}",
        Backslash,
        None,
    ),
    (
        r#"192.0.2.7:50022 [06/May/2024:08:00:00.123] web~ app/app1 0/0/1/5/6 200 612 - - ---- 1/1/0/0/0 0/0 {{}|x} "GET / HTTP/1.1""#,
        Hash,
        None,
    ),
    (
        r#"192.0.2.7:50022 [06/May/2024:08:00:00.123] web~ app/app1 0/0/1/5/6 200 612 - - ---- 1/1/0/0/0 0/0 "GET /{} HTTP/1.1""#,
        Hash,
        None,
    ),
    (
        "1714982400.123 45 192.0.2.7 TCP_MISS/200 2014 GET http://www.example.net/{} bob HIER_DIRECT/203.0.113.5 text/html",
        Percent,
        None,
    ),
    (
        "1714982400.123 45 192.0.2.7 TCP_MISS/200 2014 GET http://www.example.net/{} bob HIER_DIRECT/203.0.113.5 text/html",
        Not,
        None,
    ),
    (
        "1714982400.123 45 192.0.2.7 TCP_MISS/200 2014 GET http://www.example.net/ {} HIER_DIRECT/203.0.113.5 text/html",
        Percent,
        None,
    ),
    (
        "06-May-2024 08:00:00.123 queries: info: client @0x7f 192.0.2.7#50022 ({}): query: {} IN A + (192.0.2.53)",
        Percent,
        None,
    ),
    (
        "May  6 08:00:00 ns1 named[7]: client 192.0.2.7#50022: query (cache) '{}/A/IN' denied",
        Percent,
        None,
    ),
    (
        "[1714982400] unbound[812:0] info: 192.0.2.7 {}. A IN NOERROR 0.012000 0 61",
        Percent,
        None,
    ),
    (
        r#"2024-05-06T08:00:00.123Z [INFO] 192.0.2.7:50022 - 21583 "A IN {}. udp 43 false 512" NOERROR qr,rd,ra 61 0.000102078s"#,
        Backslash,
        None,
    ),
    (
        "May  6 08:00:00 gate1 dnsmasq[7]: query[A] {} from 192.0.2.7",
        Not,
        None,
    ),
    (
        "May  6 08:00:00 gate1 dnsmasq[7]: 12 192.0.2.7/50022 query[A] {} from 192.0.2.7",
        Not,
        None,
    ),
    (
        "May  6 08:00:00 gate1 dnsmasq[7]: reply {} is 203.0.113.5",
        Not,
        None,
    ),
    (
        "May  6 08:00:00 gate1 dnsmasq-dhcp[7]: DHCPACK(eth0) 192.0.2.7 52:54:00:12:34:56 {}",
        Not,
        None,
    ),
    (
        "May  6 08:00:00 gate1 dhcpd[7]: DHCPACK on 192.0.2.7 to 52:54:00:12:34:56 ({}) via eth0",
        Not,
        None,
    ),
    (
        "May  6 08:00:00 gate1 dhcpd[7]: DHCPREQUEST for 203.0.113.5 from 52:54:00:12:34:56 ({}) via eth0",
        Not,
        None,
    ),
];

/// Words of the grammars.
const WORDS: &[&str] = &[
    "",
    " ",
    "x",
    "-",
    "- -",
    "\"",
    "'",
    "\\",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ",",
    ";",
    ":",
    "#",
    "|",
    "?",
    "GET",
    "/",
    " HTTP/1.1",
    "\" 200 5 \"",
    "\" \"",
    "[06/May/2024:08:00:00 +0000]",
    "[06/May/2024:08:00:00 +0000] \"GET / HTTP/1.1\" 200 1",
    "[client",
    "[Client",
    "[remote",
    "[error]",
    "AH01618:",
    "user ",
    "user \"",
    "\": password mismatch",
    "\" was not found in \"/x\"",
    " not found: /",
    ": authentication failure for \"",
    ", client: ",
    ", server: x",
    ", request: \"",
    ", host: \"",
    ", referrer: \"",
    ", login: \"",
    "\", ",
    ", referer: ",
    "from",
    "to",
    "via",
    ") via eth1",
    " is ",
    "query[A]",
    "query:",
    "client @0x1",
    "denied",
    "IN",
    "A",
    "udp",
    "43",
    "false",
    "512",
    "HIER_DIRECT/",
    "root DIRECT/",
    "TCP_MISS/200",
    "] [Length 1]",
    "\r",
    "\0",
    "\u{e9}",
];

/// The words, and the false address as each grammar would have it.
fn tokens() -> Vec<String> {
    let mut tokens: Vec<String> = WORDS.iter().map(|&word| word.to_owned()).collect();
    for tail in [
        "",
        ":80",
        "#53",
        "]",
        ")",
        ",",
        "/5",
        "@53",
        "\"",
        " - -",
        "] [Length 1] \"",
    ] {
        tokens.push(format!("{FALSE}{tail}"));
    }
    tokens.push(format!(", client: {FALSE}, server: x, request: \""));
    tokens.push(format!("[client {FALSE}] user root not found: /"));
    tokens.push(format!("HIER_DIRECT/{FALSE} text/html"));
    tokens.push(format!("{FALSE} TCP_DENIED/403 1 GET http://x/ root"));
    tokens
}

fn escaped(text: &str, how: Escaped) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let odd = matches!(c, '"' | '\\') || c.is_control();
        match how {
            Backslash if c.is_control() => write!(out, "\\x{:02x}", u32::from(c)).unwrap(),
            Backslash if odd => write!(out, "\\{c}").unwrap(),
            Hex if odd || !c.is_ascii() => write!(out, "\\x{:02X}", u32::from(c)).unwrap(),
            Hash if odd || matches!(c, '#' | '{' | '}' | '|') => {
                write!(out, "#{:02X}", u32::from(c)).unwrap();
            }
            Percent if odd || c == ' ' => write!(out, "%{:02x}", u32::from(c)).unwrap(),
            _ => out.push(c),
        }
    }
    out
}

fn attack((template, how, field): &(&str, Escaped, Option<&str>), free: &str) {
    let free = escaped(free, *how);
    let line = template.replace("{}", &free);
    let read = Line::read(line.as_bytes(), &context());
    let source = read.source();
    assert!(
        source.is_none() || source == Some(TRUE),
        "{source:?} in {line}"
    );
    if read.verdict != Verdict::Event {
        return;
    }
    let plain = free.trim() == free && !free.is_empty() && free != "-";
    if let (Some(field), true) = (field, plain) {
        let got = read.get(field);
        // An empty user is written as two quotes, and is nobody.
        assert!(got.is_none() || got == Some(&free), "{got:?} in {line}");
    }
    for (field, value) in [("user.name", "bob"), ("destination.ip", "203.0.113.5")] {
        if template.contains(value) && template.contains("TCP_MISS") {
            assert_eq!(read.get(field), Some(value), "{line}");
        }
    }
    // Some shapes quote a bob that is no free text: nobody else may be him.
    if template.contains(" - bob ") {
        assert_eq!(read.get("user.name"), Some("bob"), "{line}");
    }
}

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

#[test]
fn every_shape_is_an_event_when_nobody_attacks() {
    for (template, _, _) in SHAPES {
        let line = template.replace("{}", "x");
        let read = Line::read(line.as_bytes(), &context());
        assert_eq!(read.verdict, Verdict::Event, "{line}");
    }
}

/// What a client can do to lines whose server is told by nothing else.
#[test]
fn two_clients_in_one_line_are_none() {
    for line in [
        // The site that was asked for, or what an identd answered.
        r#"198.51.100.66 192.0.2.7 - - [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 200 5"#,
        // fail2ban's nginx-http-auth takes the last one here; the request could hold it.
        r#"2024/05/06 08:00:00 [error] 12#12: *3 user "x": password mismatch, client: 198.51.100.66, server: x, request: "GET / HTTP/1.1", host: "x"": was not found in "/x", client: 192.0.2.7, server: , request: "GET / HTTP/1.1", host: "x""#,
        // A second word that could be where squid had the answer.
        "1714982400.123 45 192.0.2.7 TCP_MISS/200 2014 GET http://x/ root HIER_DIRECT/198.51.100.66 x bob HIER_DIRECT/203.0.113.5 text/html",
    ] {
        let read = Line::read(line.as_bytes(), &context());
        assert!(matches!(read.verdict, Verdict::Malformed(_)), "{line}");
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

    #[test]
    fn no_bytes_behind_a_known_beginning_panic(
        shape in proptest::sample::select(SHAPES),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        cut in 0_usize..200,
    ) {
        let mut line = shape.0.as_bytes().to_vec();
        line.truncate(cut);
        line.extend_from_slice(&bytes);
        Line::read(&line, &context());
    }
}
