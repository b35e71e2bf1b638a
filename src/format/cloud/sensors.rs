//! Events of agents on machines (Falco, osquery, Tetragon, Tracee, Wazuh,
//! CrowdStrike), and any object whose fields have ECS names.

use super::Shape;
use crate::event::Value;
use crate::field::Field;
use crate::format::Verdict;

/// Falco's alerts.
pub(super) static FALCO: Shape = Shape {
    marks: &[b"\"output_fields\"", b"\"priority\"", b"\"rule\""],
    time: &["time"],
    fields: &[
        ("rule", Field::RULE_NAME),
        ("output", Field::MESSAGE),
        ("priority", Field::LOG_LEVEL),
        ("hostname", Field::HOST_NAME),
        ("output_fields.evt.type", Field::EVENT_ACTION),
        ("output_fields.user.name", Field::USER_NAME),
        ("output_fields.proc.name", Field::PROCESS_NAME),
        ("output_fields.proc.pid", Field::PROCESS_PID),
        ("output_fields.proc.exepath", Field::PROCESS_EXECUTABLE),
        ("output_fields.proc.cmdline", Field::PROCESS_COMMAND_LINE),
        ("output_fields.fd.cip", Field::SOURCE_IP),
        ("output_fields.fd.cport", Field::SOURCE_PORT),
        ("output_fields.fd.sip", Field::DESTINATION_IP),
        ("output_fields.fd.sport", Field::DESTINATION_PORT),
    ],
    asked: &[],
    finish: |found, event| {
        found.say("unknown", "process", event);
        Verdict::Event
    },
};

/// osquery's results: a row that a scheduled query added or removed.
pub(super) static OSQUERY: Shape = Shape {
    marks: &[b"\"hostIdentifier\"", b"\"unixTime\""],
    time: &["unixTime"],
    fields: &[
        ("name", Field::RULE_NAME),
        ("action", Field::EVENT_ACTION),
        ("hostIdentifier", Field::HOST_NAME),
        ("columns.username", Field::USER_NAME),
        ("columns.user", Field::USER_NAME),
        ("columns.uid", Field::USER_ID),
        ("columns.pid", Field::PROCESS_PID),
        ("columns.name", Field::PROCESS_NAME),
        ("columns.path", Field::PROCESS_EXECUTABLE),
        ("columns.cmdline", Field::PROCESS_COMMAND_LINE),
        ("columns.local_address", Field::SOURCE_IP),
        ("columns.local_port", Field::SOURCE_PORT),
        ("columns.remote_address", Field::DESTINATION_IP),
        ("columns.remote_port", Field::DESTINATION_PORT),
    ],
    asked: &[],
    finish: |found, event| {
        found.say("unknown", "process", event);
        Verdict::Event
    },
};

/// Tetragon's executions.
pub(super) static TETRAGON: Shape = Shape {
    marks: &[b"\"process_exec\"", b"\"node_name\""],
    time: &["time", "process_exec.process.start_time"],
    fields: &[
        ("node_name", Field::HOST_NAME),
        ("process_exec.process.pid", Field::PROCESS_PID),
        ("process_exec.process.uid", Field::USER_ID),
        ("process_exec.process.binary", Field::PROCESS_EXECUTABLE),
        (
            "process_exec.process.arguments",
            Field::PROCESS_COMMAND_LINE,
        ),
        ("process_exec.process.cwd", Field::PROCESS_WORKING_DIRECTORY),
        (
            "process_exec.parent.binary",
            Field::PROCESS_PARENT_EXECUTABLE,
        ),
    ],
    asked: &[],
    finish: |found, event| {
        found.put(Field::EVENT_ACTION, Value::Text(b"process_started"), event);
        found.say("success", "process", event);
        Verdict::Event
    },
};

/// Wazuh's alerts about what no format of ours has read.
pub(super) static WAZUH: Shape = Shape {
    marks: &[b"\"decoder\"", b"\"agent\"", b"\"rule\""],
    time: &["timestamp"],
    fields: &[
        ("rule.description", Field::RULE_NAME),
        ("rule.id", Field::RULE_ID),
        ("id", Field::EVENT_ID),
        ("predecoder.hostname", Field::HOST_NAME),
        ("agent.name", Field::HOST_NAME),
        ("predecoder.program_name", Field::PROCESS_NAME),
        ("data.srcip", Field::SOURCE_IP),
        ("data.srcport", Field::SOURCE_PORT),
        ("data.dstip", Field::DESTINATION_IP),
        ("data.dstport", Field::DESTINATION_PORT),
        ("data.srcuser", Field::USER_NAME),
        ("data.dstuser", Field::USER_NAME),
        ("data.url", Field::URL_ORIGINAL),
        ("full_log", Field::MESSAGE),
    ],
    asked: &["rule.groups"],
    finish: |found, event| {
        let groups = found.raw("rule.groups").map_or("", |raw| raw.text());
        let ended = match (
            groups.contains("authentication_success"),
            groups.contains("authentication_fail"),
        ) {
            (true, false) => "success",
            (false, true) => "failure",
            _ => "unknown",
        };
        found.say(ended, "intrusion_detection", event);
        Verdict::Event
    },
};

/// CrowdStrike's stream: who did what in the console.
pub(super) static CROWDSTRIKE: Shape = Shape {
    marks: &[b"\"metadata\"", b"\"eventCreationTime\"", b"\"event\""],
    time: &["metadata.eventCreationTime"],
    fields: &[
        ("event.OperationName", Field::EVENT_ACTION),
        ("metadata.eventType", Field::EVENT_ACTION),
        ("event.ServiceName", Field::EVENT_PROVIDER),
        ("event.UserId", Field::USER_NAME),
        ("event.UserName", Field::USER_NAME),
        ("event.UserIp", Field::SOURCE_IP),
        ("event.ComputerName", Field::HOST_NAME),
        ("event.Hostname", Field::HOST_NAME),
        ("event.DetectName", Field::RULE_NAME),
        ("event.FileName", Field::PROCESS_NAME),
        ("event.CommandLine", Field::PROCESS_COMMAND_LINE),
        ("event.LocalIP", Field::SOURCE_IP),
    ],
    asked: &["event.Success"],
    finish: |found, event| {
        let ended = match found.text("event.Success") {
            Some(b"true") => "success",
            Some(b"false") => "failure",
            _ => "unknown",
        };
        found.say(ended, "authentication", event);
        Verdict::Event
    },
};

/// Any object whose fields have ECS names, nested or flat.
pub(super) static ECS: Shape = Shape {
    marks: &[b"\"@timestamp\""],
    time: &["@timestamp"],
    fields: &[
        ("event.action", Field::EVENT_ACTION),
        ("event.outcome", Field::EVENT_OUTCOME),
        ("event.category", Field::EVENT_CATEGORY),
        ("event.reason", Field::EVENT_REASON),
        ("event.code", Field::EVENT_CODE),
        ("event.provider", Field::EVENT_PROVIDER),
        ("event.id", Field::EVENT_ID),
        ("host.name", Field::HOST_NAME),
        ("host.hostname", Field::HOST_NAME),
        ("user.name", Field::USER_NAME),
        ("user.id", Field::USER_ID),
        ("user.domain", Field::USER_DOMAIN),
        ("user.effective.name", Field::USER_EFFECTIVE_NAME),
        ("user.target.name", Field::USER_TARGET_NAME),
        ("source.ip", Field::SOURCE_IP),
        ("source.port", Field::SOURCE_PORT),
        ("source.domain", Field::SOURCE_DOMAIN),
        ("source.bytes", Field::SOURCE_BYTES),
        ("client.ip", Field::SOURCE_IP),
        ("destination.ip", Field::DESTINATION_IP),
        ("destination.port", Field::DESTINATION_PORT),
        ("destination.domain", Field::DESTINATION_DOMAIN),
        ("destination.bytes", Field::DESTINATION_BYTES),
        ("network.transport", Field::NETWORK_TRANSPORT),
        ("network.protocol", Field::NETWORK_PROTOCOL),
        ("process.name", Field::PROCESS_NAME),
        ("process.pid", Field::PROCESS_PID),
        ("process.executable", Field::PROCESS_EXECUTABLE),
        ("process.command_line", Field::PROCESS_COMMAND_LINE),
        ("http.request.method", Field::HTTP_METHOD),
        ("http.response.status_code", Field::HTTP_STATUS),
        ("http.response.body.bytes", Field::HTTP_RESPONSE_BYTES),
        ("http.version", Field::HTTP_VERSION),
        ("url.original", Field::URL_ORIGINAL),
        ("url.domain", Field::URL_DOMAIN),
        ("url.path", Field::URL_PATH),
        ("url.query", Field::URL_QUERY),
        ("user_agent.original", Field::USER_AGENT),
        ("dns.question.name", Field::DNS_QUESTION_NAME),
        ("dns.question.type", Field::DNS_QUESTION_TYPE),
        ("dns.response_code", Field::DNS_RESPONSE_CODE),
        ("rule.name", Field::RULE_NAME),
        ("file.path", Field::FILE_PATH),
        ("service.name", Field::SERVICE_NAME),
        ("log.level", Field::LOG_LEVEL),
        ("message", Field::MESSAGE),
    ],
    asked: &[
        "event.action",
        "event.outcome",
        "source.ip",
        "client.ip",
        "destination.ip",
        "user.name",
        "dns.question.name",
    ],
    finish: |found, event| {
        // An object with a stamp alone may be anything.
        if !ECS.asked.iter().any(|path| found.has(path)) {
            return Verdict::NotMine;
        }
        found.say("unknown", "configuration", event);
        Verdict::Event
    },
};
