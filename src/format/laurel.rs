//! laurel: the audit log's events as JSON, one a line, already joined and
//! decoded. What they say is read as auditd's own records are.

use bumpalo::Bump;

use super::auditd::{self, Facts};
use super::json::{Raw, each_object, walk};
use super::token::{cut, number};
use super::{Context, Format, Parser, Verdict, epoch};
use crate::event::{Event, Value};
use crate::field::{Field, Kind};
use crate::time::Time;

pub(super) static FORMAT: Format = Format {
    name: "laurel",
    about: "the Linux audit log as laurel's JSON, one event a line; words as auditd's",
    programs: &["laurel"],
    logsources: auditd::LOGSOURCES,
    parse: Parser::Line(parse),
    example: r#"{"ID":"1767607200.250:4077","SYSCALL":{"arch":"0xc000003e","syscall":59,"success":"yes","exit":0,"ppid":811,"pid":812,"auid":1000,"uid":0,"comm":"id","exe":"/usr/bin/id","key":"rootcmd","ARCH":"x86_64","SYSCALL":"execve","AUID":"alice","UID":"root"},"EXECVE":{"argc":1,"ARGV":["id"]},"CWD":{"cwd":"/root"}}"#,
};

/// How every line begins, with or without the machine's name.
const BEGINNINGS: [&[u8]; 2] = [b"{\"ID\":\"", b"{\"NODE\":\""];

/// The event as it is read.
struct Reading<'a, 'p> {
    facts: Facts<'a, 'p>,
    arena: &'a Bump,
    id: Option<&'a [u8]>,
    node: Option<&'a [u8]>,
    /// The record whose keys come, as laurel calls its type.
    record: &'a [u8],
    /// Its list of arguments is addresses, not text.
    call: bool,
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let head = line.get(..300).unwrap_or(line);
    let ours = BEGINNINGS.iter().any(|begin| line.starts_with(begin))
        && memchr::memmem::find(head, b"\"ID\":\"").is_some();
    if !ours {
        return Verdict::NotMine;
    }
    let mut reading = Reading {
        facts: Facts::new(&context.projection, arena),
        arena,
        id: None,
        node: None,
        record: &[],
        call: false,
    };
    let walked = walk(line, arena, &mut |path, raw| reading.top(path, raw));
    let stamp = reading.id.unwrap_or_default();
    let serial = cut(stamp, b":").and_then(|(_, serial)| number(serial));
    let (Some(time), Some(serial)) = (epoch(stamp), serial) else {
        return Verdict::NotMine;
    };
    if let Err(reason) = walked {
        return Verdict::Malformed(reason);
    }
    event.time = event.time.or(Some(time));
    if let Some(node) = reading.node {
        event.replace(Field::HOST_NAME, Value::Text(node));
    }
    event.replace(Field::AUDITD_SEQUENCE, Value::Int(serial));
    reading.facts.finish(event)
}

impl<'a> Reading<'a, '_> {
    /// A key of the line: an id, or a type of record with one record or several.
    fn top(&mut self, path: &str, raw: Raw<'a>) {
        match path {
            "ID" => self.id = self.id.or(self.text(raw)),
            "NODE" => self.node = self.node.or(self.text(raw)),
            "PARENT_INFO" => {
                each_object(
                    raw,
                    self.arena,
                    self,
                    |_| {},
                    |reading, key, raw| {
                        reading.parent(key, raw);
                    },
                );
            }
            _ if path.contains('.') => {}
            _ => {
                self.record = self.arena.alloc_slice_copy(path.as_bytes());
                self.call = path == "SYSCALL";
                let begin = |reading: &mut Self| reading.facts.begin(reading.record);
                each_object(raw, self.arena, self, begin, Self::key);
            }
        }
    }

    /// A key of a record.
    fn key(&mut self, path: &str, raw: Raw<'a>) {
        match path {
            "ARGV" if self.call => {
                let keys: [&[u8]; 4] = [b"a0", b"a1", b"a2", b"a3"];
                if let Value::List(list) = raw.value(self.arena) {
                    for (key, value) in keys.iter().zip(list) {
                        if let Value::Text(text) = value {
                            let text = text.strip_prefix(b"0x").unwrap_or(text);
                            self.facts.take(key, text, true);
                        }
                    }
                }
            }
            "ARGV" => self.arguments(raw),
            "SADDR.addr" => self.facts.address_of_peer(self.text(raw)),
            "SADDR.port" => self.facts.port_of_peer(self.text(raw)),
            _ => {
                if let Some(key) = path.strip_prefix("PPID.") {
                    self.parent(key, raw);
                } else if !raw.text().starts_with(['{', '['])
                    && !path.contains('.')
                    && let Some(text) = self.text(raw)
                {
                    self.facts
                        .take(path.as_bytes(), text, !matches!(text, b"(null)" | b"?"));
                }
            }
        }
    }

    /// What laurel knows of the program that started this one.
    fn parent(&mut self, key: &str, raw: Raw<'a>) {
        if let ("exe", Some(exe)) = (key, self.text(raw)) {
            self.facts.words(Field::PROCESS_PARENT_EXECUTABLE, exe);
        }
    }

    /// `EXECVE`'s words or those of `PROCTITLE`, of which the latter are the
    /// program's own.
    fn arguments(&mut self, raw: Raw<'a>) {
        let Value::List(list) = raw.value(self.arena) else {
            return;
        };
        for value in list {
            if let Value::Text(text) = value {
                self.facts.word(text);
            }
        }
    }

    fn text(&self, raw: Raw<'a>) -> Option<&'a [u8]> {
        match raw.typed(Kind::Text, self.arena) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// Only the time.
pub(super) fn peek_time(line: &[u8]) -> Option<Time> {
    if !BEGINNINGS.iter().any(|begin| line.starts_with(begin)) {
        return None;
    }
    let head = line.get(..300).unwrap_or(line);
    epoch(cut(head, b"\"ID\":\"")?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Verdict, String) {
        let context = Context::utc(Time::from_secs(0));
        let fields = [
            Field::HOST_NAME,
            Field::EVENT_ACTION,
            Field::EVENT_OUTCOME,
            Field::USER_NAME,
            Field::PROCESS_COMMAND_LINE,
            Field::PROCESS_PARENT_EXECUTABLE,
            Field::FILE_PATH,
            Field::DESTINATION_IP,
        ];
        let seen = crate::format::shape::seen(line, &context, &fields);
        (seen.verdict, seen.fields)
    }

    #[test]
    fn a_started_program_and_a_connection() {
        for (line, expected) in [
            (
                r#"{"ID":"1.5:7","NODE":"web1","SYSCALL":{"success":"yes","pid":8,"exe":"/usr/bin/id","SYSCALL":"execve","UID":"root","AUID":"alice","PPID":{"exe":"/usr/bin/bash"}},"EXECVE":{"ARGV":["id","-a b"]},"PROCTITLE":{"ARGV":["lie"]}}"#,
                "web1|process_started|success|root|id -a b|/usr/bin/bash|-|-",
            ),
            (
                r#"{"ID":"1.5:7","SYSCALL":{"success":"no","SYSCALL":"connect"},"SOCKADDR":[{"saddr":"0x02000050C0000207"}]}"#,
                "-|connection|failure|-|-|-|-|192.0.2.7",
            ),
            (
                r#"{"ID":"1.5:7","SYSCALL":{"success":"yes","SYSCALL":"openat"},"CWD":{"cwd":"/etc"},"PATH":[{"name":"/etc/","nametype":"PARENT"},{"name":"./x y","nametype":"CREATE"}]}"#,
                "-|file_created|success|-|-|-|/etc/x y|-",
            ),
        ] {
            assert_eq!(read(line), (Verdict::Event, expected.to_owned()), "{line}");
        }
    }

    #[test]
    fn other_json_with_an_id_is_left_alone() {
        for line in [
            r#"{"ID":"x"}"#,
            r#"{"ID":"1.5:7"}"#,
            r#"{"NODE":"a"}"#,
            "{}",
        ] {
            assert_eq!(read(line).0, Verdict::NotMine, "{line}");
        }
        assert!(matches!(read(r#"{"ID":"1.5:7","#).0, Verdict::Malformed(_)));
    }
}
