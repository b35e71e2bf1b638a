//! Which path of each log is which field, and what they say together.

use super::Shape;
use crate::event::Value;
use crate::field::Field;
use crate::format::Verdict;

/// AWS CloudTrail.
pub(super) static AWS: Shape = Shape {
    marks: &[b"\"eventSource\"", b"\"awsRegion\""],
    time: &["eventTime"],
    fields: &[
        ("eventName", Field::EVENT_ACTION),
        ("eventSource", Field::EVENT_PROVIDER),
        ("eventID", Field::EVENT_ID),
        ("errorMessage", Field::EVENT_REASON),
        ("errorCode", Field::EVENT_REASON),
        ("awsRegion", Field::CLOUD_REGION),
        ("recipientAccountId", Field::CLOUD_ACCOUNT_ID),
        ("userIdentity.accountId", Field::CLOUD_ACCOUNT_ID),
        ("userIdentity.userName", Field::USER_NAME),
        (
            "userIdentity.sessionContext.sessionIssuer.userName",
            Field::USER_NAME,
        ),
        ("userIdentity.principalId", Field::USER_ID),
        ("userAgent", Field::USER_AGENT),
    ],
    asked: &[
        "errorCode",
        "errorMessage",
        "responseElements.ConsoleLogin",
        "sourceIPAddress",
    ],
    finish: |found, event| {
        if !found.has("eventName") {
            return Verdict::Malformed(
                "no event of CloudTrail; give one a line (jq -c '.Records[]')",
            );
        }
        let failed = found.has("errorCode")
            || found.has("errorMessage")
            || found.is("responseElements.ConsoleLogin", "Failure");
        let category = match found.text("eventSource") {
            Some(b"signin.amazonaws.com" | b"sts.amazonaws.com") => "authentication",
            Some(b"iam.amazonaws.com") => "iam",
            _ => "configuration",
        };
        found.address("sourceIPAddress", event);
        found.say(if failed { "failure" } else { "success" }, category, event);
        Verdict::Event
    },
};

/// Okta's system log.
pub(super) static SYSTEM_LOG: Shape = Shape {
    marks: &[b"\"eventType\"", b"\"published\"", b"\"alternateId\""],
    time: &["published"],
    fields: &[
        ("eventType", Field::EVENT_ACTION),
        ("displayMessage", Field::MESSAGE),
        ("uuid", Field::EVENT_ID),
        ("outcome.reason", Field::EVENT_REASON),
        ("actor.alternateId", Field::USER_NAME),
        ("actor.id", Field::USER_ID),
        ("client.userAgent.rawUserAgent", Field::USER_AGENT),
    ],
    asked: &["outcome.result", "client.ipAddress"],
    finish: |found, event| {
        let outcome = match found.text("outcome.result") {
            Some(b"SUCCESS" | b"ALLOW") => "success",
            Some(b"FAILURE" | b"DENY") => "failure",
            _ => "unknown",
        };
        let kind = found.text("eventType").unwrap_or_default();
        let logs_in = [&b"user.session."[..], b"user.authentication.", b"user.mfa."]
            .iter()
            .any(|begin| kind.starts_with(begin));
        let changes = [&b"user."[..], b"group.", b"policy."]
            .iter()
            .any(|begin| kind.starts_with(begin));
        let category = match (logs_in, changes) {
            (true, _) => "authentication",
            (false, true) => "iam",
            _ => "configuration",
        };
        found.address("client.ipAddress", event);
        found.say(outcome, category, event);
        Verdict::Event
    },
};

/// Entra's sign-ins, as exported, from Graph, and from Log Analytics.
pub(super) static SIGN_INS: Shape = Shape {
    marks: &[b"serPrincipalName\"", b"Address\""],
    time: &[
        "properties.createdDateTime",
        "createdDateTime",
        "time",
        "TimeGenerated",
    ],
    fields: &[
        ("properties.userPrincipalName", Field::USER_NAME),
        ("userPrincipalName", Field::USER_NAME),
        ("UserPrincipalName", Field::USER_NAME),
        ("properties.userId", Field::USER_ID),
        ("userId", Field::USER_ID),
        ("UserId", Field::USER_ID),
        ("properties.id", Field::EVENT_ID),
        ("id", Field::EVENT_ID),
        ("Id", Field::EVENT_ID),
        ("properties.appDisplayName", Field::SERVICE_NAME),
        ("appDisplayName", Field::SERVICE_NAME),
        ("AppDisplayName", Field::SERVICE_NAME),
        ("properties.status.failureReason", Field::EVENT_REASON),
        ("status.failureReason", Field::EVENT_REASON),
        ("resultDescription", Field::EVENT_REASON),
        ("ResultDescription", Field::EVENT_REASON),
        ("properties.userAgent", Field::USER_AGENT),
        ("userAgent", Field::USER_AGENT),
        ("UserAgent", Field::USER_AGENT),
    ],
    asked: &[
        "properties.status.errorCode",
        "status.errorCode",
        "resultType",
        "ResultType",
        "category",
        "Category",
        "properties.ipAddress",
        "ipAddress",
        "IPAddress",
        "callerIpAddress",
        "CallerIpAddress",
    ],
    finish: |found, event| {
        let codes = [
            "properties.status.errorCode",
            "status.errorCode",
            "resultType",
            "ResultType",
        ];
        let logs = ["category", "Category"];
        let signs_in = found.has("createdDateTime") || found.has("properties.createdDateTime");
        let named = logs.iter().find_map(|key| found.text(key));
        // Audit logs and risk events of the same service have other fields.
        if named.map_or(!signs_in, |name| !name.ends_with(b"SignInLogs")) {
            return Verdict::NotMine;
        }
        let outcome = match codes.iter().find_map(|key| found.text(key)) {
            Some(b"0") => "success",
            Some(_) => "failure",
            None => "unknown",
        };
        for key in [
            "properties.ipAddress",
            "ipAddress",
            "IPAddress",
            "callerIpAddress",
            "CallerIpAddress",
        ] {
            found.address(key, event);
        }
        found.put(Field::EVENT_ACTION, Value::Text(b"entra_login"), event);
        found.say(outcome, "authentication", event);
        Verdict::Event
    },
};

/// The audit log of Kubernetes' API server.
pub(super) static API_SERVER: Shape = Shape {
    marks: &[b"\"audit.k8s.io/", b"\"auditID\""],
    time: &["stageTimestamp", "requestReceivedTimestamp"],
    fields: &[
        ("verb", Field::EVENT_ACTION),
        ("auditID", Field::EVENT_ID),
        ("user.username", Field::USER_NAME),
        ("user.uid", Field::USER_ID),
        ("impersonatedUser.username", Field::USER_EFFECTIVE_NAME),
        ("userAgent", Field::USER_AGENT),
        ("requestURI", Field::URL_ORIGINAL),
        ("responseStatus.code", Field::HTTP_STATUS),
        ("responseStatus.reason", Field::EVENT_REASON),
        ("objectRef.resource", Field::ORCHESTRATOR_RESOURCE_TYPE),
        ("objectRef.name", Field::ORCHESTRATOR_RESOURCE_NAME),
        ("objectRef.namespace", Field::ORCHESTRATOR_NAMESPACE),
    ],
    asked: &["sourceIPs"],
    finish: |found, event| {
        let outcome = match found.text("responseStatus.code") {
            Some([b'1'..=b'3', _, _]) => "success",
            Some(_) => "failure",
            None => "unknown",
        };
        let category = match found.text("objectRef.resource") {
            Some(
                b"serviceaccounts"
                | b"roles"
                | b"rolebindings"
                | b"clusterroles"
                | b"clusterrolebindings",
            ) => "iam",
            _ => "configuration",
        };
        // All but the last are what the client's own headers say.
        found.address("sourceIPs", event);
        found.say(outcome, category, event);
        Verdict::Event
    },
};
