//! What users can put into audit records: names and commands, which libaudit
//! and the kernel encode, and a host name, which is written as it came.

use proptest::prelude::*;
use tipstaff::format::Verdict;

use crate::support::{Line, context};

/// Where the login really came from.
const TRUE: &str = "192.0.2.7";

/// Words of the grammar, and of whoever wants to be somebody else.
const WORDS: &[&str] = &[
    "x",
    "root",
    "addr=198.51.100.66",
    "acct=root",
    "acct=\"root\"",
    "acct=726F6F74",
    "hostname=?",
    "exe=\"/bin/x\"",
    "terminal=ssh",
    "res=success",
    "res=success'",
    "msg='",
    "type=USER_LOGIN",
    "msg=audit(1700000000.125:78):",
    "'",
    "\"",
    " ",
    " : ",
    ":",
    "=",
    "(",
    ")",
    ",",
    "{",
    "}",
    "?",
    "(null)",
    "\u{1d}",
    "\u{1d}UID=\"root\"",
    "UID=\"root\"",
    "ID=\"root\"",
    "AUID=\"root\"",
    "id=0",
    "op=login",
    "\0",
    "\r",
    "61",
    "198.51.100.66",
];

/// Text as `audit_encode_nv_string` writes it.
fn encoded(text: &str) -> String {
    let plain = |b: u8| b != b'"' && b > 0x20 && b != 0x7f;
    if text.bytes().all(plain) {
        return format!("\"{text}\"");
    }
    let pairs: Vec<_> = text.bytes().map(|b| format!("{b:02X}")).collect();
    pairs.concat()
}

/// A failed login of an account, in which a name of the client's stands.
fn login(account: &str, host: &str, readings: &str) -> Line {
    let line = format!(
        "type=USER_LOGIN msg=audit(1700000000.125:77): pid=8 uid=0 auid=4294967295 ses=4294967295 msg='op=login acct={account} exe=\"/usr/sbin/sshd\" hostname={host} addr={TRUE} terminal=ssh res=failed'{readings}"
    );
    Line::read(line.as_bytes(), &context())
}

const READINGS: &[&str] = &["", "\u{1d}UID=\"root\" AUID=\"unset\""];

/// A name that was encoded is read back whole, and moves nothing.
fn account(free: &str, readings: &str) {
    let read = login(&encoded(free), "?", readings);
    assert_eq!(read.verdict, Verdict::Event, "{free:?}");
    assert_eq!(read.get("user.name"), (!free.is_empty()).then_some(free));
    assert_eq!(read.source(), Some(TRUE), "{free:?}");
    assert_eq!(read.get("event.outcome"), Some("failure"), "{free:?}");
}

/// A host name that was not: the line says the truth, or nothing.
fn host(free: &str, readings: &str) {
    let read = login("\"alice\"", free, readings);
    if read.verdict == Verdict::Event {
        assert_eq!(read.source(), Some(TRUE), "{free:?}");
        assert_eq!(read.get("user.name"), Some("alice"), "{free:?}");
        assert_eq!(read.get("event.outcome"), Some("failure"), "{free:?}");
    } else {
        assert_eq!(read.get("source.ip"), None, "{free:?}");
        assert_eq!(read.get("user.name"), None, "{free:?}");
    }
}

#[test]
fn every_pair_of_words_moves_nothing() {
    for first in WORDS {
        for second in WORDS {
            for free in [format!("{first}{second}"), format!("{first} {second}")] {
                for readings in READINGS {
                    account(&free, readings);
                    host(&free, readings);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn no_sequence_of_words_moves_anything(
        words in proptest::collection::vec(proptest::sample::select(WORDS), 1..9),
        readings in proptest::sample::select(READINGS),
        blanks in any::<bool>(),
    ) {
        let free = words.join(if blanks { " " } else { "" });
        account(&free, readings);
        host(&free, readings);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for head in ["type=EXECVE", "type=SYSCALL", "type=PATH", "type=SOCKADDR", "node=a type=1112"] {
            let mut line = format!("{head} msg=audit(1.0:1): ").into_bytes();
            line.extend_from_slice(&bytes);
            Line::read(&line, &context());
        }
    }
}

/// A command is what the kernel says, whatever its words are.
#[test]
fn an_argument_is_an_argument() {
    for free in WORDS {
        let line = format!(
            "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=59 success=yes pid=8 uid=1000 comm=\"x\" exe=\"/bin/x\"\ntype=EXECVE msg=audit(1.0:1): argc=2 a0=\"x\" a1={}",
            encoded(free)
        );
        let read = Line::read(line.as_bytes(), &context());
        assert_eq!(read.verdict, Verdict::Event, "{free:?}");
        let command = format!("x {free}");
        assert_eq!(read.get("process.command_line"), Some(command.as_str()));
        assert_eq!(read.get("process.executable"), Some("/bin/x"));
        assert_eq!(read.get("user.name"), None, "{free:?}");
        assert_eq!(read.source(), None, "{free:?}");
    }
}
