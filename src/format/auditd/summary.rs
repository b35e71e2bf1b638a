//! What the facts of an event come to: who, what, how it ended.

use bumpalo::collections::Vec as BumpVec;

use super::facts::Facts;
use super::kinds::Kind;
use super::syscalls;
use super::value::{Socket, argument};
use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::Verdict;

/// `O_CREAT` or `O_TRUNC`: the call makes the file or writes it anew.
const MAKES: u64 = 0o100 | 0o1000;

/// What an event is.
#[derive(Clone, Copy)]
struct What {
    /// None where its main record's type says it best.
    action: Option<&'static str>,
    category: &'static str,
    class: u8,
}

/// Places in [`super::LOGSOURCES`].
const OTHERS: u8 = 0;
const PROCESS: u8 = 1;
const CREATED: u8 = 2;
const DELETED: u8 = 3;
const CONNECTION: u8 = 4;

impl What {
    fn new(action: &'static str, category: &'static str, class: u8) -> What {
        What {
            action: Some(action),
            category,
            class,
        }
    }

    fn plain(main: &Kind) -> What {
        What {
            action: None,
            category: main.category,
            class: OTHERS,
        }
    }
}

impl<'a> Facts<'a, '_> {
    /// Puts all into the event.
    pub(in crate::format) fn finish(mut self, event: &mut Event<'a>) -> Verdict {
        self.end();
        let Some((main, name)) = self.main.filter(|(main, _)| main.name != "eoe") else {
            return Verdict::NotMine;
        };
        self.users(main);
        self.process();
        if let (Some(ip), Some(port)) = self.peer {
            self.socket = self.socket.or(Some(Socket::Inet(ip, port)));
        }
        let succeeded = self.success.or(self.result);
        let what = self.what(main, succeeded);
        let action = what.action.map_or(name, str::as_bytes);
        event.class.kind = what.class;
        self.words(Field::EVENT_ACTION, action);
        self.words(Field::EVENT_CATEGORY, what.category.as_bytes());
        if let Some(yes) = succeeded {
            let outcome = if yes { "success" } else { "failure" };
            self.words(Field::EVENT_OUTCOME, outcome.as_bytes());
        }
        let kinds = std::mem::replace(&mut self.kinds, BumpVec::new_in(self.arena));
        match *kinds.as_slice() {
            [one] => self.set(Field::AUDITD_TYPE, one),
            _ => self.set(Field::AUDITD_TYPE, Value::List(kinds.into_bump_slice())),
        }
        for &(field, value) in &self.values {
            event.replace(field, value);
        }
        self.answer_more(event);
        Verdict::Event
    }

    /// The fields that rules ask for by the records' names; what several
    /// records say is a list.
    fn answer_more(&self, event: &mut Event<'a>) {
        for (at, &(field, value)) in self.more.iter().enumerate() {
            if event.get(field).is_some() || !self.projection.wants(field) {
                continue;
            }
            let all = self
                .more
                .iter()
                .skip(at)
                .filter(|(other, _)| *other == field);
            let mut list = BumpVec::new_in(self.arena);
            list.extend(all.map(|(_, value)| *value));
            match list.len() {
                1 => event.set(field, value),
                _ => event.set(field, Value::List(list.into_bump_slice())),
            }
        }
    }

    /// Who: the account that a daemon names; else whose the process is. A
    /// daemon's own user is not who logs in through it.
    fn users(&mut self, main: &Kind) {
        let names = self.names;
        let login = names.login.filter(|name| *name != b"unset");
        let own = matches!(main.name, "user_cmd" | "user_tty" | "tty") || self.success.is_some();
        let user = if own { names.user } else { names.id.or(login) };
        if let Some(user) = names.account.or(user) {
            self.words(Field::USER_NAME, user);
        }
        if let Some(login) = login {
            self.words(Field::USER_AUDIT_NAME, login);
        }
        if main.category == "iam"
            && let Some(target) = names.account.or(names.id)
        {
            self.words(Field::USER_TARGET_NAME, target);
        }
    }

    /// What ran: arguments, or the title that a program may have given itself.
    fn process(&mut self) {
        if let Some(Value::Text(exe)) = self.has(Field::PROCESS_EXECUTABLE) {
            let name = exe.rsplit(|&b| b == b'/').next().unwrap_or(exe);
            self.words(Field::PROCESS_NAME, name);
        }
        if let Some(architecture) = self.call.architecture {
            self.words(Field::HOST_ARCHITECTURE, architecture.as_bytes());
        }
        self.call.name = self.call.name.or_else(|| {
            let name = syscalls::name(self.call.architecture?, self.call.number?)?;
            Some(name.as_bytes())
        });
        if let Some(name) = self.call.name {
            self.words(Field::AUDITD_SYSCALL, name);
        }
        let none = BumpVec::new_in(self.arena);
        let arguments = std::mem::replace(&mut self.arguments, none);
        if arguments.is_empty() {
            let none = BumpVec::new_in(self.arena);
            let words = std::mem::replace(&mut self.title_words, none);
            let words = match self.title {
                Some(title) => {
                    let title = title.strip_suffix(b"\0").unwrap_or(title);
                    self.joined(title.split(|&b| b == 0))
                }
                None => self.joined(words.iter().copied()),
            };
            if !words.is_empty() {
                self.words(Field::PROCESS_COMMAND_LINE, words);
            }
            return;
        }
        let line = self.joined(arguments.iter().copied());
        self.words(Field::PROCESS_COMMAND_LINE, line);
        let mut list = BumpVec::with_capacity_in(arguments.len(), self.arena);
        list.extend(arguments.iter().map(|word| Value::Text(word)));
        self.set(Field::PROCESS_ARGS, Value::List(list.into_bump_slice()));
    }

    /// Words with a blank between them.
    fn joined<'w>(&self, words: impl Iterator<Item = &'w [u8]>) -> &'a [u8] {
        let mut line = BumpVec::new_in(self.arena);
        for (at, word) in words.enumerate() {
            if at > 0 {
                line.push(b' ');
            }
            line.extend_from_slice_copy(word);
        }
        line.into_bump_slice()
    }

    /// What happened, by the most telling of the records.
    fn what(&mut self, main: &'static Kind, succeeded: Option<bool>) -> What {
        let call = self.call.name.unwrap_or_default();
        let done = succeeded != Some(false);
        if let Some(name) = self.target.name {
            let path = self.absolute(name);
            self.words(Field::FILE_PATH, path);
        }
        if main.name == "execve" {
            return What::new("process_started", "process", PROCESS);
        }
        if let Some(socket) = self.socket {
            let (ip_field, port_field, what) = match call {
                b"accept" | b"accept4" | b"recvfrom" | b"recvmsg" => (
                    Field::SOURCE_IP,
                    Field::SOURCE_PORT,
                    What::new("connection_accepted", "network", OTHERS),
                ),
                b"connect" | b"sendto" | b"sendmsg" | b"sendmmsg" => (
                    Field::DESTINATION_IP,
                    Field::DESTINATION_PORT,
                    What::new("connection", "network", CONNECTION),
                ),
                _ => return What::plain(main),
            };
            return match socket {
                Socket::Inet(ip, port) => {
                    self.set(ip_field, Value::Ip(ip));
                    self.set(port_field, Value::Int(i64::from(port)));
                    what
                }
                Socket::Local(path) => {
                    self.words(Field::FILE_PATH, path);
                    What::plain(main)
                }
            };
        }
        let flags = match call {
            b"open" => self.call.arguments[1],
            b"openat" => self.call.arguments[2],
            _ => None,
        };
        let anew = flags.and_then(argument).is_some_and(|f| f & MAKES != 0) || call == b"creat";
        match self.target.role {
            b"CREATE" if done => What::new("file_created", "file", CREATED),
            b"NORMAL" if done && anew => What::new("file_created", "file", CREATED),
            b"DELETE" if done => What::new("file_deleted", "file", DELETED),
            _ => What::plain(main),
        }
    }

    /// The path from the root, where the record has it from the folder at hand.
    fn absolute(&self, name: &'a [u8]) -> &'a [u8] {
        let folder = match self.has(Field::PROCESS_WORKING_DIRECTORY) {
            Some(Value::Text(folder)) if !name.starts_with(b"/") => folder,
            _ => return name,
        };
        let name = name.strip_prefix(b"./").unwrap_or(name);
        let mut path = BumpVec::with_capacity_in(folder.len() + 1 + name.len(), self.arena);
        path.extend_from_slice_copy(folder.strip_suffix(b"/").unwrap_or(folder));
        path.push(b'/');
        path.extend_from_slice_copy(name);
        path.into_bump_slice()
    }
}
