//! What a Windows event says, however it was written.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use crate::event::{Event, Value};
use crate::field::{Field, Projection};
use crate::format::Verdict;
use crate::format::token::{cut_last, ip, number, port};

/// Which class of log an event is of: rows of the format's log classes.
pub(super) const SECURITY: u8 = 0;
const SYSTEM: u8 = 1;
const APPLICATION: u8 = 2;
const POWERSHELL: u8 = 3;
const SYSMON: u8 = 4;
const LINUX_SYSMON: u8 = 8;
const OTHER: u8 = 12;

/// Most values of one event; Windows' longest has some forty.
const DATA_MAX: usize = 96;

/// What Winlogbeat calls the events that are most looked for, and what each is.
const ACTIONS: &[(i64, &str, &str)] = &[
    (4624, "logged-in", "authentication"),
    (4625, "logon-failed", "authentication"),
    (4634, "logged-out", "session"),
    (4647, "logged-out", "session"),
    (4648, "logged-in-explicit", "authentication"),
    (4672, "logged-in-special", "iam"),
    (4688, "created-process", "process"),
    (4689, "exited-process", "process"),
    (4720, "added-user-account", "iam"),
    (4722, "enabled-user-account", "iam"),
    (4723, "changed-password", "iam"),
    (4724, "reset-password", "iam"),
    (4725, "disabled-user-account", "iam"),
    (4726, "deleted-user-account", "iam"),
    (4728, "added-member-to-group", "iam"),
    (4732, "added-member-to-group", "iam"),
    (4738, "modified-user-account", "iam"),
    (4740, "locked-out-user-account", "iam"),
    (4756, "added-member-to-group", "iam"),
    (4767, "unlocked-user-account", "iam"),
    (
        4768,
        "kerberos-authentication-ticket-requested",
        "authentication",
    ),
    (4769, "kerberos-service-ticket-requested", "authentication"),
    (4771, "kerberos-preauth-failed", "authentication"),
    (4776, "credential-validated", "authentication"),
];

/// Values and the fields that they are, whichever event has them.
const DATA: &[(&[u8], Field)] = &[
    (b"IpAddress", Field::SOURCE_IP),
    (b"ClientAddress", Field::SOURCE_IP),
    (b"SourceIp", Field::SOURCE_IP),
    (b"IpPort", Field::SOURCE_PORT),
    (b"SourcePort", Field::SOURCE_PORT),
    (b"WorkstationName", Field::SOURCE_DOMAIN),
    (b"Workstation", Field::SOURCE_DOMAIN),
    (b"SourceHostname", Field::SOURCE_DOMAIN),
    (b"DestinationIp", Field::DESTINATION_IP),
    (b"DestinationPort", Field::DESTINATION_PORT),
    (b"DestinationHostname", Field::DESTINATION_DOMAIN),
    (b"TargetServerName", Field::DESTINATION_DOMAIN),
    (b"Protocol", Field::NETWORK_TRANSPORT),
    (b"QueryName", Field::DNS_QUESTION_NAME),
    (b"NewProcessName", Field::PROCESS_EXECUTABLE),
    (b"Image", Field::PROCESS_EXECUTABLE),
    (b"ProcessName", Field::PROCESS_EXECUTABLE),
    (b"CommandLine", Field::PROCESS_COMMAND_LINE),
    (b"CurrentDirectory", Field::PROCESS_WORKING_DIRECTORY),
    (b"ParentImage", Field::PROCESS_PARENT_EXECUTABLE),
    (b"ParentProcessName", Field::PROCESS_PARENT_EXECUTABLE),
    (b"TargetFilename", Field::FILE_PATH),
    (b"AuthenticationPackageName", Field::AUTH_METHOD),
    (b"FailureReason", Field::EVENT_REASON),
];

/// An event in the making.
pub(super) struct Facts<'a> {
    pub(super) id: Option<i64>,
    pub(super) host: Option<&'a [u8]>,
    pub(super) channel: Option<&'a [u8]>,
    pub(super) provider: Option<&'a [u8]>,
    /// Whether the log itself says that the audit succeeded.
    pub(super) audit: Option<bool>,
    data: BumpVec<'a, (&'a [u8], &'a [u8])>,
    twice: bool,
}

impl<'a> Facts<'a> {
    pub(super) fn new(arena: &'a Bump) -> Facts<'a> {
        Facts {
            id: None,
            host: None,
            channel: None,
            provider: None,
            audit: None,
            data: BumpVec::with_capacity_in(32, arena),
            twice: false,
        }
    }

    /// A value of the event's own data.
    pub(super) fn take(&mut self, name: &'a [u8], value: &'a [u8]) {
        if self.get(name).is_some() {
            self.twice |= !name.is_empty();
        } else if self.data.len() < DATA_MAX && !matches!(value, b"" | b"-") {
            self.data.push((name, value));
        }
    }

    fn get(&self, name: &[u8]) -> Option<&'a [u8]> {
        let found = self.data.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    }

    /// Sets what the event says.
    pub(super) fn finish(self, projection: &Projection, event: &mut Event<'a>) -> Verdict {
        let Some(id) = self.id else {
            return Verdict::NotMine;
        };
        if self.twice {
            return Verdict::Malformed("a value comes twice");
        }
        let mut put = |field, value: Value<'a>| {
            if event.get(field).is_none() {
                event.set(field, value);
            }
        };
        let known = ACTIONS.iter().find(|(known, ..)| *known == id);
        let (action, category) = match known {
            Some(&(_, action, category)) if !self.is_sysmon() => (action, category),
            _ => ("windows_event", "configuration"),
        };
        if let Some(host) = self.host {
            put(Field::HOST_NAME, Value::Text(host));
        }
        if let Some(provider) = self.provider {
            put(Field::EVENT_PROVIDER, Value::Text(provider));
        }
        put(Field::EVENT_ACTION, Value::Text(action.as_bytes()));
        put(Field::EVENT_CATEGORY, Value::Text(category.as_bytes()));
        put(
            Field::EVENT_OUTCOME,
            Value::Text(self.outcome(id).as_bytes()),
        );
        let (user, domain) = self.user(id);
        if let Some(user) = user {
            put(Field::USER_NAME, Value::Text(user));
        }
        if let Some(domain) = domain {
            put(Field::USER_DOMAIN, Value::Text(domain));
        }
        if matches!(id, 4720..=4767)
            && let Some(target) = self.get(b"TargetUserName")
        {
            put(Field::USER_TARGET_NAME, Value::Text(target));
        }
        for &(name, field) in DATA {
            let value = self.get(name).and_then(|text| match field {
                Field::SOURCE_IP | Field::DESTINATION_IP => ip(text).map(Value::Ip),
                Field::SOURCE_PORT | Field::DESTINATION_PORT => port(text)
                    .filter(|&port| port > 0)
                    .map(|port| Value::Int(i64::from(port))),
                _ => Some(Value::Text(text)),
            });
            if let Some(value) = value {
                put(field, value);
            }
        }
        if let Some(Value::Text(path)) = event.get(Field::PROCESS_EXECUTABLE) {
            let name = path.rsplit(|b| matches!(b, b'\\' | b'/')).next();
            event.replace(Field::PROCESS_NAME, Value::Text(name.unwrap_or(path)));
        }
        event.class.kind = self.class(id);
        self.names(id, projection, event);
        Verdict::Event
    }

    /// Sigma's names: those of the event's own values, and of its header.
    fn names(&self, id: i64, projection: &Projection, event: &mut Event<'a>) {
        if projection.names.extra().next().is_none() {
            return;
        }
        let header = [
            (&b"Channel"[..], self.channel),
            (b"Provider_Name", self.provider),
            (b"Computer", self.host),
        ];
        let header = header
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?)));
        for (name, text) in self.data.iter().copied().chain(header) {
            let field = std::str::from_utf8(name)
                .ok()
                .and_then(|name| projection.names.extra_named(name));
            if let Some(field) = field.filter(|field| event.get(*field).is_none()) {
                let value = number(text).map_or(Value::Text(text), Value::Int);
                event.set(field, value);
            }
        }
        if let Some(field) = projection.names.extra_named("EventID") {
            event.set(field, Value::Int(id));
        }
    }

    /// Who acted, or tried to log in, and of which domain.
    fn user(&self, id: i64) -> (Option<&'a [u8]>, Option<&'a [u8]>) {
        let [target, subject] = [
            [b"TargetUserName".as_slice(), b"TargetDomainName"],
            [b"SubjectUserName".as_slice(), b"SubjectDomainName"],
        ];
        if self.get(b"User").is_some() && self.is_sysmon() {
            let user = self.get(b"User").unwrap_or_default();
            return match cut_last(user, b"\\") {
                Some((domain, user)) => (Some(user), Some(domain)),
                None => (Some(user), None),
            };
        }
        let order = match id {
            4624 | 4625 | 4634 | 4647 | 4648 | 4768..=4776 => [target, subject],
            _ => [subject, target],
        };
        let named = order.into_iter().find(|[user, _]| self.get(user).is_some());
        let Some([user, domain]) = named else {
            return (None, None);
        };
        (self.get(user), self.get(domain))
    }

    fn outcome(&self, id: i64) -> &'static str {
        if self.is_sysmon() {
            return "unknown";
        }
        let status = self.get(b"Status");
        match id {
            4625 | 4771 => "failure",
            4624 | 4648 | 4672 | 4634 | 4647 => "success",
            4768 | 4769 | 4776 => match status {
                Some(status) if status.iter().skip(2).all(|b| *b == b'0') => "success",
                Some(_) => "failure",
                None => said(self.audit),
            },
            _ => said(self.audit),
        }
    }

    fn is_sysmon(&self) -> bool {
        let of = |text: Option<&[u8]>| {
            text.is_some_and(|text| memchr::memmem::find(text, b"Sysmon").is_some())
        };
        of(self.provider) || of(self.channel)
    }

    fn class(&self, id: i64) -> u8 {
        let linux = self.provider.is_some_and(|name| name.starts_with(b"Linux"));
        if self.is_sysmon() {
            let kind = match id {
                1 => 0,
                3 => 1,
                11 => 2,
                _ => 3,
            };
            return if linux {
                LINUX_SYSMON + kind
            } else {
                SYSMON + kind
            };
        }
        match self.channel {
            Some(b"Security") => SECURITY,
            Some(b"System") => SYSTEM,
            Some(b"Application") => APPLICATION,
            Some(b"Microsoft-Windows-PowerShell/Operational") => POWERSHELL,
            _ => OTHER,
        }
    }
}

fn said(audit: Option<bool>) -> &'static str {
    match audit {
        Some(true) => "success",
        Some(false) => "failure",
        None => "unknown",
    }
}
