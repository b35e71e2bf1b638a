//! What the records of one event say together.
//!
//! Records are put in key by key; of a fact that several records tell, the
//! first is kept. auditd's text and laurel's JSON both end here.

use std::net::IpAddr;

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::kinds::{Kind, OTHER, kind};
use super::syscalls;
use super::value::{Socket, hex, socket, text};
use crate::event::Value;
use crate::field::{Field, Projection};
use crate::format::json::integer;
use crate::format::token::{self, Host, ip, number, port};

/// An id that was never set: -1 as 32 bits.
const UNSET: &[u8] = b"4294967295";

/// Keys of text that somebody chose, which the kernel or libaudit encodes.
const ENCODED: [&[u8]; 12] = [
    b"comm",
    b"exe",
    b"name",
    b"cwd",
    b"proctitle",
    b"cmd",
    b"acct",
    b"key",
    b"path",
    b"data",
    b"ocomm",
    b"grp",
];

/// A file that an event is about, and as what.
#[derive(Clone, Copy, Default)]
pub(super) struct Path<'a> {
    pub(super) name: Option<&'a [u8]>,
    pub(super) role: &'a [u8],
}

/// Facts in the making.
pub(in crate::format) struct Facts<'a, 'p> {
    pub(super) arena: &'a Bump,
    pub(super) projection: &'p Projection,
    pub(super) asks_more: bool,
    pub(super) values: BumpVec<'a, (Field, Value<'a>)>,
    /// What rules ask by the record's own names.
    pub(super) more: BumpVec<'a, (Field, Value<'a>)>,
    pub(super) kinds: BumpVec<'a, Value<'a>>,
    /// Whether the values are as `ausearch -i` shows them, none in hexadecimal.
    pub(super) interpreted: bool,
    pub(super) now: &'static Kind,
    pub(super) main: Option<(&'static Kind, &'a [u8])>,
    pub(super) arguments: BumpVec<'a, &'a [u8]>,
    pub(super) path: Path<'a>,
    pub(super) target: Path<'a>,
    pub(super) call: Call<'a>,
    pub(super) names: People<'a>,
    pub(super) success: Option<bool>,
    pub(super) result: Option<bool>,
    pub(super) title: Option<&'a [u8]>,
    pub(super) title_words: BumpVec<'a, &'a [u8]>,
    pub(super) socket: Option<Socket<'a>>,
    pub(super) peer: (Option<IpAddr>, Option<u16>),
}

/// The system call.
#[derive(Clone, Copy, Default)]
pub(super) struct Call<'a> {
    pub(super) architecture: Option<&'static str>,
    pub(super) number: Option<usize>,
    pub(super) name: Option<&'a [u8]>,
    pub(super) arguments: [Option<&'a [u8]>; 4],
}

/// Names of the accounts in an event.
#[derive(Clone, Copy, Default)]
pub(super) struct People<'a> {
    pub(super) account: Option<&'a [u8]>,
    pub(super) id: Option<&'a [u8]>,
    pub(super) user: Option<&'a [u8]>,
    pub(super) login: Option<&'a [u8]>,
}

impl<'a, 'p> Facts<'a, 'p> {
    pub(in crate::format) fn new(projection: &'p Projection, arena: &'a Bump) -> Facts<'a, 'p> {
        Facts {
            arena,
            projection,
            asks_more: projection.names.extra().next().is_some(),
            values: BumpVec::with_capacity_in(24, arena),
            more: BumpVec::new_in(arena),
            kinds: BumpVec::new_in(arena),
            interpreted: false,
            now: &OTHER,
            main: None,
            arguments: BumpVec::new_in(arena),
            path: Path::default(),
            target: Path::default(),
            call: Call::default(),
            names: People::default(),
            success: None,
            result: None,
            title: None,
            title_words: BumpVec::new_in(arena),
            socket: None,
            peer: (None, None),
        }
    }

    /// Another record begins; `word` is its type.
    pub(in crate::format) fn begin(&mut self, word: &'a [u8]) {
        self.end();
        let known = kind(word);
        self.now = known.unwrap_or(&OTHER);
        let name = match known {
            Some(kind) if kind.name == "eoe" && !self.kinds.is_empty() => return,
            Some(kind) => kind.name.as_bytes(),
            None => self
                .arena
                .alloc_slice_fill_iter(word.iter().map(u8::to_ascii_lowercase)),
        };
        if !self.kinds.contains(&Value::Text(name)) {
            self.kinds.push(Value::Text(name));
        }
        // What happened stands beside the call in which it did.
        let weight = |kind: &Kind| match kind.name {
            "path" | "cwd" | "proctitle" | "sockaddr" | "eoe" => 0,
            "syscall" => 1,
            "execve" => 3,
            _ => 2,
        };
        if self
            .main
            .is_none_or(|(main, _)| weight(self.now) > weight(main))
        {
            self.main = Some((self.now, name));
        }
    }

    /// The record is over.
    pub(super) fn end(&mut self) {
        let path = std::mem::take(&mut self.path);
        if path.name.is_some() && !path.role.eq_ignore_ascii_case(b"PARENT") {
            // Of several the last is what was made: rename and link name the old first.
            let first = self.target.name.is_none();
            if first || matches!(path.role, b"CREATE" | b"DELETE") {
                self.target = path;
            }
        }
    }

    /// A fact of the record at hand, as the record spells it.
    pub(in crate::format) fn take(&mut self, key: &[u8], value: &'a [u8], quoted: bool) {
        let argument = self.now.name == "execve" && matches!(key, [b'a', b'0'..=b'9', ..]);
        let decoded = if argument || ENCODED.contains(&key) {
            text(value, quoted || self.interpreted, self.arena)
        } else {
            (!matches!(value, b"(null)" | b"(none)" | b"?" | b"")).then_some(value)
        };
        let Some(value) = decoded else { return };
        self.ask_more(key, value);
        match (self.now.name, key) {
            ("execve", _) => self.argument(key, value),
            ("path", b"name") => self.path.name = Some(value),
            ("path", b"nametype" | b"objtype") => self.path.role = value,
            ("proctitle", _) => self.title = self.title.or(Some(value)),
            ("sockaddr", b"saddr") if self.interpreted => {
                for word in value.split(|&b| b == b' ') {
                    match token::cut(word, b"=") {
                        Some((b"laddr", address)) => self.address_of_peer(Some(address)),
                        Some((b"lport", port)) => self.port_of_peer(Some(port)),
                        _ => {}
                    }
                }
            }
            ("sockaddr", b"saddr") => {
                let bytes = hex(value.strip_prefix(b"0x").unwrap_or(value), self.arena);
                self.socket = self.socket.or(bytes.and_then(socket));
            }
            ("syscall", b"a0") => self.call.arguments[0] = Some(value),
            ("syscall", b"a1") => self.call.arguments[1] = Some(value),
            ("syscall", b"a2") => self.call.arguments[2] = Some(value),
            _ => self.common(key, value),
        }
    }

    fn common(&mut self, key: &[u8], value: &'a [u8]) {
        match key {
            b"success" => self.success = self.success.or(yes(value)),
            b"res" | b"result" => self.result = self.result.or(yes(value)),
            b"apparmor" => self.result = self.result.or(Some(value != b"DENIED")),
            b"syscall" => self.call.number = number(value).and_then(|n| usize::try_from(n).ok()),
            b"SYSCALL" => self.call.name = Some(value),
            b"arch" => {
                let code = value.strip_prefix(b"0x").unwrap_or(value);
                self.call.architecture = syscalls::architecture(code);
            }
            b"acct" => self.names.account = self.names.account.or(Some(value)),
            b"uid" if self.interpreted => self.names.user = self.names.user.or(Some(value)),
            b"auid" if self.interpreted => {
                let named = Some(value).filter(|name| *name != b"unset");
                self.names.login = self.names.login.or(named);
            }
            b"id" if self.interpreted => self.names.id = self.names.id.or(Some(value)),
            b"euid" if self.interpreted => self.words(Field::USER_EFFECTIVE_NAME, value),
            b"ID" => self.names.id = self.names.id.or(Some(value)),
            b"UID" => self.names.user = self.names.user.or(Some(value)),
            b"AUID" => self.names.login = self.names.login.or(Some(value)),
            b"EUID" => self.words(Field::USER_EFFECTIVE_NAME, value),
            b"pid" => self.int(Field::PROCESS_PID, value),
            b"ppid" => self.int(Field::PROCESS_PARENT_PID, value),
            b"uid" => self.words(Field::USER_ID, value),
            b"auid" => self.words(Field::USER_AUDIT_ID, value),
            b"euid" => self.words(Field::USER_EFFECTIVE_ID, value),
            b"gid" => self.words(Field::GROUP_ID, value),
            b"ses" if value != UNSET => self.words(Field::SESSION_ID, value),
            b"tty" | b"terminal" => self.words(Field::PROCESS_TTY, value),
            b"comm" => self.words(Field::PROCESS_NAME, value),
            b"exe" => self.words(Field::PROCESS_EXECUTABLE, value),
            b"cwd" => self.words(Field::PROCESS_WORKING_DIRECTORY, value),
            b"cmd" => self.command(value),
            b"key" => self.words(Field::AUDITD_KEY, value),
            b"op" => self.words(Field::AUDITD_OPERATION, value),
            b"unit" => self.words(Field::SERVICE_NAME, value),
            b"grp" => self.words(Field::GROUP_NAME, value),
            b"addr" | b"hostname" => self.host(key, value),
            b"src" | b"saddr" => self.address(Field::SOURCE_IP, value),
            b"dst" | b"daddr" | b"laddr" => self.address(Field::DESTINATION_IP, value),
            b"rport" | b"sport" => self.port(Field::SOURCE_PORT, value),
            b"lport" | b"dport" | b"dest" => self.port(Field::DESTINATION_PORT, value),
            _ => {}
        }
    }

    fn ask_more(&mut self, key: &[u8], value: &'a [u8]) {
        if !self.asks_more {
            return;
        }
        let field = std::str::from_utf8(key)
            .ok()
            .and_then(|key| self.projection.names.extra_named(key));
        let pair = |field| (field, Value::Text(value));
        if let Some(field) = field
            && !self.more.contains(&pair(field))
        {
            self.more.push(pair(field));
        }
    }

    /// `a0`, and `a1[0]`, `a1[1]` for one that is longer than a record.
    fn argument(&mut self, key: &[u8], value: &'a [u8]) {
        let Some(rest) = key.strip_prefix(b"a") else {
            return;
        };
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        match rest.get(digits..) {
            _ if digits == 0 => {}
            Some(b"" | b"[0]") => self.arguments.push(value),
            Some([b'[', .., b']']) => {
                if let Some(last) = self.arguments.last_mut() {
                    let mut whole = BumpVec::with_capacity_in(last.len() + value.len(), self.arena);
                    whole.extend_from_slice_copy(last);
                    whole.extend_from_slice_copy(value);
                    *last = whole.into_bump_slice();
                }
            }
            _ => {}
        }
    }

    /// A whole word of a list of arguments, or of a title.
    pub(in crate::format) fn word(&mut self, value: &'a [u8]) {
        match self.now.name {
            "execve" => self.arguments.push(value),
            _ => self.title_words.push(value),
        }
    }

    /// The command that sudo was given: its words, of which nobody knows any
    /// more how the shell had them.
    fn command(&mut self, value: &'a [u8]) {
        self.words(Field::PROCESS_COMMAND_LINE, value);
        let words = value.split(|&b| b == b' ').filter(|word| !word.is_empty());
        let mut list = BumpVec::new_in(self.arena);
        list.extend(words.map(Value::Text));
        self.set(Field::PROCESS_ARGS, Value::List(list.into_bump_slice()));
    }

    /// The other end as a daemon says: `addr` is an address, or the name that
    /// was given to it; `hostname` is a name, and may be this machine's own.
    fn host(&mut self, key: &[u8], value: &'a [u8]) {
        // auditd's own listener writes the port behind the address.
        let value = match token::cut_last(value, b":") {
            Some((address, port)) if number(port).is_some() && ip(address).is_some() => address,
            _ => value,
        };
        match Host::read(value) {
            Some(Host::Ip(ip)) if key == b"addr" => self.set(Field::SOURCE_IP, Value::Ip(ip)),
            Some(Host::Name(name)) if name != b"UNKNOWN" => self.words(Field::SOURCE_DOMAIN, name),
            _ => {}
        }
    }

    fn address(&mut self, field: Field, value: &[u8]) {
        if let Some(ip) = ip(value) {
            self.set(field, Value::Ip(ip));
        }
    }

    fn port(&mut self, field: Field, value: &[u8]) {
        if let Some(port) = port(value) {
            self.set(field, Value::Int(i64::from(port)));
        }
    }

    fn int(&mut self, field: Field, value: &[u8]) {
        if let Some(number) = integer(value) {
            self.set(field, Value::Int(number));
        }
    }

    pub(in crate::format) fn words(&mut self, field: Field, value: &'a [u8]) {
        self.set(field, Value::Text(value));
    }

    /// Sets a field, unless an earlier record did.
    pub(super) fn set(&mut self, field: Field, value: Value<'a>) {
        if self.has(field).is_none() {
            self.values.push((field, value));
        }
    }

    pub(super) fn has(&self, field: Field) -> Option<Value<'a>> {
        let found = self.values.iter().find(|(known, _)| *known == field);
        found.map(|(_, value)| *value)
    }

    /// The other end of a connection where it stands in words.
    pub(in crate::format) fn address_of_peer(&mut self, text: Option<&'a [u8]>) {
        self.peer.0 = self.peer.0.or(text.and_then(ip));
    }

    /// Its port.
    pub(in crate::format) fn port_of_peer(&mut self, text: Option<&'a [u8]>) {
        self.peer.1 = self.peer.1.or(text.and_then(port));
    }
}

fn yes(value: &[u8]) -> Option<bool> {
    match value {
        b"yes" | b"success" | b"1" => Some(true),
        b"no" | b"failed" | b"0" => Some(false),
        _ => None,
    }
}
