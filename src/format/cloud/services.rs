//! Audit logs of services that people sign in to: Entra's changes, Microsoft
//! 365, Google Cloud and Workspace, GitHub, Auth0, Duo, OneLogin, PingOne,
//! JumpCloud, and GuardDuty's findings.

use super::{Found, Shape};
use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::Verdict;
use crate::format::token::{cut, cut_last, ip, number};

/// What a service's word for how it ended means.
fn outcome(word: Option<&[u8]>) -> &'static str {
    const GOOD: [&str; 6] = [
        "success",
        "succeeded",
        "partiallysucceeded",
        "true",
        "allow",
        "ok",
    ];
    const BAD: [&str; 7] = [
        "failure", "failed", "false", "deny", "denied", "fraud", "error",
    ];
    let is = |words: &[&str]| {
        let among = |word: &[u8]| {
            words
                .iter()
                .any(|one| word.eq_ignore_ascii_case(one.as_bytes()))
        };
        word.is_some_and(among)
    };
    match (is(&GOOD), is(&BAD)) {
        (true, _) => "success",
        (_, true) => "failure",
        _ => "unknown",
    }
}

/// The first of these paths that says something.
fn first<'a>(found: &Found<'a>, paths: &[&str]) -> Option<&'a [u8]> {
    let mut texts = paths.iter().filter_map(|path| found.text(path));
    texts.find(|text| !text.is_empty())
}

/// The client's address, with a port where the service writes one behind it.
fn client<'a>(found: &Found<'a>, paths: &[&str], event: &mut Event<'a>) {
    let Some(text) = first(found, paths) else {
        return;
    };
    let bare = text
        .strip_prefix(b"[")
        .and_then(|rest| cut(rest, b"]"))
        .map(|(address, _)| address)
        .or_else(|| cut_last(text, b":").map(|(address, _)| address));
    if let Some(ip) = ip(text).or_else(|| bare.and_then(ip)) {
        found.put(Field::SOURCE_IP, Value::Ip(ip), event);
    }
}

/// AWS GuardDuty's findings: who came from outside, and to what.
pub(super) static GUARDDUTY: Shape = Shape {
    marks: &[b"\"schemaVersion\"", b"\"service\"", b"guardduty"],
    time: &["service.eventLastSeen", "updatedAt", "createdAt"],
    fields: &[
        ("type", Field::RULE_NAME),
        ("id", Field::EVENT_ID),
        ("title", Field::EVENT_REASON),
        ("region", Field::CLOUD_REGION),
        ("accountId", Field::CLOUD_ACCOUNT_ID),
        ("resource.accessKeyDetails.userName", Field::USER_NAME),
        ("service.action.awsApiCallAction.api", Field::EVENT_ACTION),
        ("service.action.actionType", Field::EVENT_ACTION),
        (
            "service.action.dnsRequestAction.domain",
            Field::DNS_QUESTION_NAME,
        ),
        (
            "service.action.awsApiCallAction.remoteIpDetails.ipAddressV4",
            Field::SOURCE_IP,
        ),
    ],
    asked: &[
        "service.action.networkConnectionAction.connectionDirection",
        "service.action.networkConnectionAction.remoteIpDetails.ipAddressV4",
        "service.action.networkConnectionAction.remotePortDetails.port",
        "service.action.networkConnectionAction.localIpDetails.ipAddressV4",
        "service.action.networkConnectionAction.localPortDetails.port",
    ],
    finish: |found, event| {
        let [direction, remote @ .., local, local_port] = GUARDDUTY.asked else {
            return Verdict::NotMine;
        };
        let [remote, remote_port] = remote else {
            return Verdict::NotMine;
        };
        let source = [Field::SOURCE_IP, Field::SOURCE_PORT];
        let destination = [Field::DESTINATION_IP, Field::DESTINATION_PORT];
        let (far, near) = if found.is(direction, "OUTBOUND") {
            (destination, source)
        } else {
            (source, destination)
        };
        for (address, port, fields) in [(remote, remote_port, far), (local, local_port, near)] {
            let [of_address, of_port] = fields;
            if let Some(ip) = found.text(address).and_then(ip) {
                found.put(of_address, Value::Ip(ip), event);
            }
            if let Some(port) = found.text(port).and_then(number) {
                found.put(of_port, Value::Int(port), event);
            }
        }
        found.say("unknown", "network", event);
        Verdict::Event
    },
};

/// Entra's audit log: changes to users, groups, applications.
pub(super) static ENTRA_AUDIT: Shape = Shape {
    marks: &[b"ctivityDisplayName\"", b"nitiatedBy\""],
    time: &[
        "properties.activityDateTime",
        "activityDateTime",
        "ActivityDateTime",
        "time",
        "TimeGenerated",
    ],
    fields: &[
        ("properties.activityDisplayName", Field::EVENT_ACTION),
        ("activityDisplayName", Field::EVENT_ACTION),
        ("ActivityDisplayName", Field::EVENT_ACTION),
        ("properties.id", Field::EVENT_ID),
        ("id", Field::EVENT_ID),
        ("properties.resultReason", Field::EVENT_REASON),
        ("resultReason", Field::EVENT_REASON),
        (
            "properties.initiatedBy.user.userPrincipalName",
            Field::USER_NAME,
        ),
        ("initiatedBy.user.userPrincipalName", Field::USER_NAME),
        ("InitiatedBy.user.userPrincipalName", Field::USER_NAME),
        ("properties.initiatedBy.app.displayName", Field::USER_NAME),
        ("initiatedBy.app.displayName", Field::USER_NAME),
        ("properties.initiatedBy.user.id", Field::USER_ID),
        ("initiatedBy.user.id", Field::USER_ID),
    ],
    asked: &[
        "properties.result",
        "result",
        "Result",
        "properties.initiatedBy.user.ipAddress",
        "initiatedBy.user.ipAddress",
        "InitiatedBy.user.ipAddress",
        "callerIpAddress",
    ],
    finish: |found, event| {
        let (results, addresses) = ENTRA_AUDIT.asked.split_at(3);
        client(found, addresses, event);
        found.say(outcome(first(found, results)), "iam", event);
        Verdict::Event
    },
};

/// Microsoft 365's unified audit log.
pub(super) static OFFICE: Shape = Shape {
    marks: &[b"\"CreationTime\"", b"\"Workload\"", b"\"Operation\""],
    time: &["CreationTime"],
    fields: &[
        ("Operation", Field::EVENT_ACTION),
        ("Workload", Field::EVENT_PROVIDER),
        ("Id", Field::EVENT_ID),
        ("LogonError", Field::EVENT_REASON),
        ("UserId", Field::USER_NAME),
        ("UserKey", Field::USER_ID),
        ("UserAgent", Field::USER_AGENT),
        ("SourceFileName", Field::FILE_NAME),
    ],
    asked: &[
        "ClientIP",
        "ClientIPAddress",
        "ActorIpAddress",
        "ResultStatus",
        "Operation",
    ],
    finish: |found, event| {
        let kind = found.text("Operation").unwrap_or_default();
        let logs_in = kind.starts_with(b"UserLog") || kind == b"MailboxLogin";
        // A login that failed has `ResultStatus` `Success`: the request was served.
        let ended = match kind {
            b"UserLoginFailed" => "failure",
            b"UserLoggedIn" => "success",
            _ => outcome(found.text("ResultStatus")),
        };
        client(
            found,
            &["ClientIP", "ClientIPAddress", "ActorIpAddress"],
            event,
        );
        found.say(
            ended,
            if logs_in {
                "authentication"
            } else {
                "configuration"
            },
            event,
        );
        Verdict::Event
    },
};

/// Google Cloud's audit logs.
pub(super) static GOOGLE_CLOUD: Shape = Shape {
    marks: &[b"\"protoPayload\"", b"\"serviceName\""],
    time: &["timestamp", "receiveTimestamp"],
    fields: &[
        ("protoPayload.methodName", Field::EVENT_ACTION),
        ("protoPayload.serviceName", Field::EVENT_PROVIDER),
        ("insertId", Field::EVENT_ID),
        ("protoPayload.status.message", Field::EVENT_REASON),
        (
            "protoPayload.authenticationInfo.principalEmail",
            Field::USER_NAME,
        ),
        (
            "protoPayload.requestMetadata.callerSuppliedUserAgent",
            Field::USER_AGENT,
        ),
        ("resource.labels.project_id", Field::CLOUD_ACCOUNT_ID),
    ],
    asked: &[
        "protoPayload.status.code",
        "protoPayload.status.message",
        "protoPayload.requestMetadata.callerIp",
    ],
    finish: |found, event| {
        // An empty status is google.rpc's OK.
        let failed = match found.text("protoPayload.status.code") {
            Some(code) => code != b"0",
            None => found.has("protoPayload.status.message"),
        };
        client(found, &["protoPayload.requestMetadata.callerIp"], event);
        let category = match found.text("protoPayload.serviceName") {
            Some(b"iam.googleapis.com") => "iam",
            _ => "configuration",
        };
        found.say(if failed { "failure" } else { "success" }, category, event);
        Verdict::Event
    },
};

/// Google Workspace's reports, of one event each.
pub(super) static GOOGLE_WORKSPACE: Shape = Shape {
    marks: &[b"\"applicationName\"", b"\"uniqueQualifier\""],
    time: &["id.time"],
    fields: &[
        ("events.name", Field::EVENT_ACTION),
        ("event.name", Field::EVENT_ACTION),
        ("id.applicationName", Field::EVENT_PROVIDER),
        ("id.uniqueQualifier", Field::EVENT_ID),
        ("actor.email", Field::USER_NAME),
        ("actor.profileId", Field::USER_ID),
        ("ipAddress", Field::SOURCE_IP),
    ],
    asked: &["events", "id.applicationName"],
    finish: |found, event| {
        let mut name = None;
        if let Some(events) = found.raw("events") {
            crate::format::json::each_object(
                events,
                found.arena,
                &mut name,
                |_| {},
                |name, path, raw| {
                    if path == "name" && name.is_none() {
                        *name = Some(raw);
                    }
                },
            );
        }
        let name = match name.map(|raw| raw.value(found.arena)) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        };
        if let Some(text) = name {
            found.put(Field::EVENT_ACTION, Value::Text(text), event);
        }
        // Not from `event`: it has the action only where a rule asks for it.
        let ended = match name
            .or_else(|| found.text("events.name"))
            .or_else(|| found.text("event.name"))
        {
            Some(b"login_success") => "success",
            Some(b"login_failure") => "failure",
            _ => "unknown",
        };
        let category = match found.text("id.applicationName") {
            Some(b"login") => "authentication",
            Some(b"admin") => "iam",
            _ => "configuration",
        };
        found.say(ended, category, event);
        Verdict::Event
    },
};

/// GitHub's audit log.
pub(super) static GITHUB: Shape = Shape {
    marks: &[
        b"\"action\"",
        b"\"actor\"",
        b"\"@timestamp\"",
        b"\"_document_id\"",
    ],
    time: &["@timestamp", "created_at"],
    fields: &[
        ("action", Field::EVENT_ACTION),
        ("_document_id", Field::EVENT_ID),
        ("actor", Field::USER_NAME),
        ("actor_id", Field::USER_ID),
        ("actor_ip", Field::SOURCE_IP),
        ("user", Field::USER_TARGET_NAME),
        ("user_agent", Field::USER_AGENT),
    ],
    asked: &[],
    finish: |found, event| {
        found.say("unknown", "configuration", event);
        Verdict::Event
    },
};

/// Auth0's tenant log, alone or in the `data` of a stream.
pub(super) static AUTH0: Shape = Shape {
    marks: &[b"\"log_id\"", b"\"date\"", b"\"type\""],
    time: &["data.date", "date"],
    fields: &[
        ("data.type", Field::EVENT_ACTION),
        ("type", Field::EVENT_ACTION),
        ("log_id", Field::EVENT_ID),
        ("data.description", Field::EVENT_REASON),
        ("description", Field::EVENT_REASON),
        ("data.user_name", Field::USER_NAME),
        ("user_name", Field::USER_NAME),
        ("data.user_id", Field::USER_ID),
        ("user_id", Field::USER_ID),
        ("data.user_agent", Field::USER_AGENT),
        ("user_agent", Field::USER_AGENT),
        ("data.ip", Field::SOURCE_IP),
        ("ip", Field::SOURCE_IP),
    ],
    asked: &["data.type", "type"],
    finish: |found, event| {
        // Codes begin with `s` where it went well and with `f` where not.
        let ended = match first(found, AUTH0.asked) {
            Some([b's', ..]) => "success",
            Some([b'f', ..] | b"limit_wc" | b"limit_mu" | b"limit_sul" | b"pwd_leak") => "failure",
            _ => "unknown",
        };
        found.say(ended, "authentication", event);
        Verdict::Event
    },
};

/// Duo's authentication log, versions 1 and 2.
pub(super) static DUO: Shape = Shape {
    marks: &[b"\"factor\"", b"\"result\"", b"\"timestamp\"", b"\"txid\""],
    time: &["isotimestamp", "timestamp"],
    fields: &[
        ("event_type", Field::EVENT_ACTION),
        ("txid", Field::EVENT_ID),
        ("reason", Field::EVENT_REASON),
        ("user.name", Field::USER_NAME),
        ("username", Field::USER_NAME),
        ("user.key", Field::USER_ID),
        ("application.name", Field::SERVICE_NAME),
        ("integration", Field::SERVICE_NAME),
        ("factor", Field::AUTH_METHOD),
        ("access_device.ip", Field::SOURCE_IP),
        ("ip", Field::SOURCE_IP),
    ],
    asked: &["result"],
    finish: |found, event| {
        found.say(outcome(found.text("result")), "authentication", event);
        Verdict::Event
    },
};

/// OneLogin's events.
pub(super) static ONELOGIN: Shape = Shape {
    marks: &[b"\"event_type_id\"", b"\"account_id\""],
    time: &["event_timestamp", "created_at"],
    fields: &[
        ("event_type_id", Field::EVENT_CODE),
        ("id", Field::EVENT_ID),
        ("uuid", Field::EVENT_ID),
        ("error_description", Field::EVENT_REASON),
        ("user_name", Field::USER_NAME),
        ("user_id", Field::USER_ID),
        ("app_name", Field::SERVICE_NAME),
        ("ipaddr", Field::SOURCE_IP),
    ],
    asked: &["event_type_id"],
    finish: |found, event| {
        // 5 and 8 are logins, 6 a failed one (OneLogin's event types).
        let ended = match found.text("event_type_id") {
            Some(b"5" | b"8") => "success",
            Some(b"6" | b"9") => "failure",
            _ => "unknown",
        };
        found.say(ended, "authentication", event);
        Verdict::Event
    },
};

/// PingOne's activities.
pub(super) static PING: Shape = Shape {
    marks: &[b"\"recordedAt\"", b"\"actors\""],
    time: &["recordedAt"],
    fields: &[
        ("action.type", Field::EVENT_ACTION),
        ("id", Field::EVENT_ID),
        ("result.description", Field::EVENT_REASON),
        ("actors.user.name", Field::USER_NAME),
        ("actors.user.id", Field::USER_ID),
        ("actors.client.name", Field::USER_NAME),
    ],
    asked: &["result.status", "source.ipAddress"],
    finish: |found, event| {
        client(found, &["source.ipAddress"], event);
        found.say(
            outcome(found.text("result.status")),
            "authentication",
            event,
        );
        Verdict::Event
    },
};

/// JumpCloud's Directory Insights.
pub(super) static JUMPCLOUD: Shape = Shape {
    marks: &[b"\"event_type\"", b"\"initiated_by\"", b"\"client_ip\""],
    time: &["timestamp", "server_timestamp"],
    fields: &[
        ("event_type", Field::EVENT_ACTION),
        ("id", Field::EVENT_ID),
        ("message", Field::EVENT_REASON),
        ("initiated_by.email", Field::USER_NAME),
        ("initiated_by.username", Field::USER_NAME),
        ("username", Field::USER_NAME),
        ("initiated_by.id", Field::USER_ID),
        ("client_ip", Field::SOURCE_IP),
    ],
    asked: &["success"],
    finish: |found, event| {
        found.say(outcome(found.text("success")), "authentication", event);
        Verdict::Event
    },
};
