//! Cloud and identity logs: JSON, one event a line, each known by keys that
//! only it has. A table says which path is which field; all other paths stay
//! reachable for rules under their dotted names (`userIdentity.type`).

mod sensors;
mod services;
mod shapes;
mod web;

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::json::{Raw, any, walk};
use super::token::Host;
use super::{Context, Format, Parser, Verdict, declared};
use crate::event::{Event, LogSource, Value};
use crate::field::{Field, Kind, Projection};
use crate::time::Time;
use shapes::{API_SERVER, AWS, SIGN_INS, SYSTEM_LOG};

/// AWS CloudTrail.
pub(super) static CLOUDTRAIL: Format = Format {
    name: "cloudtrail",
    about: "AWS CloudTrail, one event a line; event.action is its eventName",
    programs: &[],
    logsources: &[LogSource {
        product: "aws",
        categories: &[],
        services: &["cloudtrail"],
    }],
    parse: Parser::Line(|line, context, arena, event| parse(&AWS, line, context, arena, event)),
    example: r#"{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","userName":"alice"},"eventTime":"2026-01-05T10:00:00Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.7","responseElements":{"ConsoleLogin":"Success"}}"#,
};

/// Okta's system log.
pub(super) static OKTA: Format = Format {
    name: "okta",
    about: "Okta's system log, one event a line; event.action is its eventType",
    programs: &[],
    logsources: &[LogSource {
        product: "okta",
        categories: &[],
        services: &["okta"],
    }],
    parse: Parser::Line(|line, context, arena, event| {
        parse(&SYSTEM_LOG, line, context, arena, event)
    }),
    example: r#"{"uuid":"a1","published":"2026-01-05T10:00:00.000Z","eventType":"user.session.start","displayMessage":"User login to Okta","actor":{"alternateId":"alice@example.com"},"client":{"ipAddress":"192.0.2.7"},"outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"}}"#,
};

/// Sign-ins to Microsoft Entra.
pub(super) static ENTRA: Format = Format {
    name: "entra",
    about: "Microsoft Entra (Azure AD) sign-ins, as exported or from Graph; event.action is entra_login",
    programs: &[],
    logsources: &[LogSource {
        product: "azure",
        categories: &[],
        services: &["signinlogs"],
    }],
    parse: Parser::Line(|line, context, arena, event| {
        parse(&SIGN_INS, line, context, arena, event)
    }),
    example: r#"{"time":"2026-01-05T10:00:00Z","category":"SignInLogs","operationName":"Sign-in activity","resultType":"50126","properties":{"userPrincipalName":"alice@example.com","ipAddress":"192.0.2.7","appDisplayName":"Office 365"}}"#,
};

/// The audit log of Kubernetes' API server.
pub(super) static KUBERNETES: Format = Format {
    name: "kubernetes",
    about: "Kubernetes' audit log, one event a line; event.action is its verb",
    programs: &[],
    logsources: &[LogSource {
        product: "kubernetes",
        categories: &["application"],
        services: &["audit"],
    }],
    parse: Parser::Line(|line, context, arena, event| {
        parse(&API_SERVER, line, context, arena, event)
    }),
    example: r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a1","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/secrets","verb":"list","user":{"username":"alice"},"sourceIPs":["192.0.2.7"],"objectRef":{"resource":"secrets","namespace":"shop"},"responseStatus":{"code":403},"stageTimestamp":"2026-01-05T10:00:00.000000Z"}"#,
};

/// The services whose logs are one format, each with its class.
static SERVICES: [&Shape; 11] = [
    &services::GUARDDUTY,
    &services::ENTRA_AUDIT,
    &services::OFFICE,
    &services::GOOGLE_CLOUD,
    &services::GOOGLE_WORKSPACE,
    &services::GITHUB,
    &services::AUTH0,
    &services::DUO,
    &services::ONELOGIN,
    &services::PING,
    &services::JUMPCLOUD,
];

const fn class(product: &'static str, services: &'static [&'static str]) -> LogSource {
    LogSource {
        product,
        categories: &[],
        services,
    }
}

/// Audit logs of other services.
pub(super) static SERVICE: Format = Format {
    name: "service-audit",
    about: "audit logs of GuardDuty, Entra (changes), Microsoft 365, Google Cloud and Workspace, GitHub, Auth0, Duo, OneLogin, PingOne, JumpCloud, one event a line; event.action is the service's own word",
    programs: &[],
    logsources: &[
        class("aws", &["guardduty"]),
        class("azure", &["auditlogs"]),
        class("m365", &["audit", "exchange", "threat_management"]),
        class("gcp", &["gcp.audit"]),
        class("gcp", &["google_workspace.admin", "google_workspace.login"]),
        class("github", &["audit"]),
        class("auth0", &["auth0"]),
        class("cisco", &["duo"]),
        class("onelogin", &["onelogin.events"]),
        class("ping", &["pingone"]),
        class("jumpcloud", &["jumpcloud"]),
    ],
    parse: Parser::Line(|line, context, arena, event| {
        among(&SERVICES, line, context, arena, event)
    }),
    example: r#"{"CreationTime":"2026-01-05T10:00:00","Id":"a1","Operation":"UserLoginFailed","RecordType":15,"Workload":"AzureActiveDirectory","ClientIP":"192.0.2.7","UserId":"alice@example.com"}"#,
};

/// The line as the first of these shapes that it has.
fn among<'a>(
    shapes: &'static [&'static Shape],
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    for (kind, shape) in (0..).zip(shapes) {
        let verdict = parse(shape, line, context, arena, event);
        if verdict != Verdict::NotMine {
            event.class.kind = kind;
            return verdict;
        }
    }
    Verdict::NotMine
}

/// What agents on machines write, and objects with ECS names.
static SENSORS: [&Shape; 6] = [
    &sensors::FALCO,
    &sensors::OSQUERY,
    &sensors::TETRAGON,
    &sensors::WAZUH,
    &sensors::CROWDSTRIKE,
    &sensors::ECS,
];

/// Events of agents.
pub(super) static SENSOR: Format = Format {
    name: "agent-events",
    about: "events of Falco, osquery, Tetragon, Wazuh and CrowdStrike, and any JSON object whose fields have ECS names, one a line",
    programs: &[],
    logsources: &[
        class("falco", &[]),
        class("osquery", &[]),
        class("tetragon", &[]),
        class("wazuh", &[]),
        class("crowdstrike", &[]),
        class("ecs", &[]),
    ],
    parse: Parser::Line(|line, context, arena, event| among(&SENSORS, line, context, arena, event)),
    example: r#"{"@timestamp":"2026-01-05T10:00:00Z","event":{"action":"login","outcome":"failure"},"user":{"name":"alice"},"source":{"ip":"192.0.2.7"},"host":{"name":"web1"}}"#,
};

/// Access logs in JSON, and other logs of the network.
pub(super) static WEB: Format = Format {
    name: "web-json",
    about: "JSON of nginx, Caddy, Traefik, Envoy, Cloudflare, Google Cloud and Snort 3: http_request, connection, alert",
    programs: &["nginx", "caddy", "traefik"],
    logsources: &[LogSource {
        product: "",
        categories: &["webserver"],
        services: &["access"],
    }],
    parse: Parser::Line(|line, context, arena, event| {
        let marked = |shape: &&&Shape| {
            let mut marks = shape.marks.iter();
            line.first() == Some(&b'{')
                && marks.all(|mark| memchr::memmem::find(line, mark).is_some())
        };
        match web::ALL.iter().find(marked) {
            Some(shape) => parse(shape, line, context, arena, event),
            None => Verdict::NotMine,
        }
    }),
    example: r#"{"time_iso8601":"2026-01-05T10:00:00+00:00","remote_addr":"192.0.2.7","remote_user":"bob","request":"GET /index.html HTTP/1.1","status":"200","body_bytes_sent":"612","http_user_agent":"curl/8.5.0"}"#,
};

/// A log's shape.
struct Shape {
    /// What stands in every line; looked for before anything is read.
    marks: &'static [&'static [u8]],
    /// Where the time is; the first that is there.
    time: &'static [&'static str],
    /// Which path is which field; the first of a field that is there wins.
    fields: &'static [(&'static str, Field)],
    /// Paths that only `finish` asks for.
    asked: &'static [&'static str],
    /// What these say together.
    finish: for<'a> fn(&Found<'a>, &mut Event<'a>) -> Verdict,
}

/// The values that a shape names, as they stand in the line.
struct Found<'a> {
    values: BumpVec<'a, (&'static str, Raw<'a>)>,
    projection: &'a Projection,
    arena: &'a Bump,
}

impl<'a> Found<'a> {
    fn raw(&self, path: &str) -> Option<Raw<'a>> {
        let found = self.values.iter().find(|(known, _)| *known == path);
        found.map(|(_, raw)| *raw)
    }

    fn text(&self, path: &str) -> Option<&'a [u8]> {
        match self.raw(path)?.typed(Kind::Text, self.arena)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it says something: `null` and `""` do not.
    fn has(&self, path: &str) -> bool {
        self.text(path).is_some_and(|text| !text.is_empty())
    }

    fn is(&self, path: &str, text: &str) -> bool {
        self.text(path) == Some(text.as_bytes())
    }

    fn put(&self, field: Field, value: Value<'a>, event: &mut Event<'a>) {
        if self.projection.wants(field) && event.get(field).is_none() {
            event.set(field, value);
        }
    }

    /// The client's address; where AWS itself acts, the name of its service.
    fn address(&self, path: &str, event: &mut Event<'a>) {
        let text = match self.raw(path).map(|raw| raw.value(self.arena)) {
            Some(Value::Text(text)) => text,
            Some(Value::List(&[.., Value::Text(last)])) => last,
            _ => return,
        };
        match Host::read(text) {
            Some(Host::Ip(ip)) => self.put(Field::SOURCE_IP, Value::Ip(ip), event),
            Some(Host::Name(name)) => self.put(Field::SOURCE_DOMAIN, Value::Text(name), event),
            None => {}
        }
    }

    fn say(&self, outcome: &'static str, category: &'static str, event: &mut Event<'a>) {
        self.put(Field::EVENT_OUTCOME, Value::Text(outcome.as_bytes()), event);
        self.put(
            Field::EVENT_CATEGORY,
            Value::Text(category.as_bytes()),
            event,
        );
    }
}

fn parse<'a>(
    shape: &'static Shape,
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let marked = |mark: &&[u8]| memchr::memmem::find(line, mark).is_some();
    if line.first() != Some(&b'{') || !shape.marks.iter().all(marked) {
        return Verdict::NotMine;
    }
    let projection = &*context.projection;
    let before = event.values().len();
    let mut found = Found {
        values: BumpVec::with_capacity_in(32, arena),
        projection,
        arena,
    };
    let walked = walk(line, arena, &mut |path, raw| {
        let fields = shape.fields.iter().map(|(path, _)| path);
        let mut known = fields.chain(shape.time).chain(shape.asked);
        // Of two equal keys the first is kept, as everywhere.
        if let Some(&known) = known.find(|known| **known == path)
            && found.raw(known).is_none()
        {
            found.values.push((known, raw));
        }
    });
    if let Err(reason) = walked {
        return Verdict::Malformed(reason);
    }
    event.time = shape
        .time
        .iter()
        .find_map(|path| {
            declared::time(found.raw(path)?, context, arena)
                .or_else(|| instant(found.text(path)?, context))
        })
        .or(event.time);
    for &(path, field) in shape.fields {
        let kind = field.info().map_or(Kind::Text, |info| info.kind);
        let value = found.raw(path).and_then(|raw| raw.typed(kind, arena));
        if let Some(value) = value.filter(|value| !matches!(value, Value::Text(b"" | b"-"))) {
            found.put(field, value, event);
        }
    }
    let verdict = (shape.finish)(&found, event);
    if verdict != Verdict::Event || event.time.is_none() {
        event.truncate(before);
        return match verdict {
            Verdict::Event => Verdict::Malformed("no time"),
            other => other,
        };
    }
    if !projection.all && any(line, arena, &projection.names, None, event).is_err() {
        return Verdict::Malformed("not one JSON object");
    }
    verdict
}

/// Only the time, of a line that one of these logs has.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    let marked = |mark: &&[u8]| memchr::memmem::find(line, mark).is_some();
    let shape = [&AWS, &SYSTEM_LOG, &API_SERVER, &SIGN_INS]
        .into_iter()
        .chain(SERVICES)
        .chain(SENSORS)
        .chain(web::ALL)
        .find(|shape| shape.marks.iter().all(marked))?;
    shape.time.iter().find_map(|path| {
        let key = path.rsplit('.').next()?.as_bytes();
        memchr::memmem::find_iter(line, key).find_map(|at| {
            let rest = line.get(at + key.len()..)?.strip_prefix(b"\"")?;
            let rest = super::token::trim_start(rest).strip_prefix(b":")?;
            let rest = super::token::trim_start(rest);
            line.get(..at)?.strip_suffix(b"\"")?;
            declared::time_at(rest, context).or_else(|| {
                let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
                let end = memchr::memchr3(b'"', b',', b'}', rest).unwrap_or(rest.len());
                instant(rest.get(..end)?, context)
            })
        })
    })
}

/// A stamp as any of them writes it: ISO, a web server's, Snort's, or seconds
/// (milliseconds, nanoseconds) since 1970.
fn instant(text: &[u8], context: &Context) -> Option<Time> {
    if let Some(n) = super::token::number(text).or_else(|| nanoseconds(text)) {
        // As seconds, 10^11 is the year 5138; as milliseconds, 10^14 is as far.
        return Some(match n {
            ..100_000_000_000 => Time::from_secs(n),
            100_000_000_000..100_000_000_000_000 => Time::from_nanos(n.checked_mul(1_000_000)?),
            _ => Time::from_nanos(n),
        });
    }
    super::timestamp::iso(text, context)
        .or_else(|| super::timestamp::clf(text, context))
        .map(|(time, _)| time)
        .or_else(|| super::fast::peek_time(text, context))
        .or_else(|| super::timestamp::epoch(text))
}

/// Nineteen digits, which are one too many for [`super::token::number`].
fn nanoseconds(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text.get(..19).filter(|_| text.len() == 19)?)
        .ok()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Option<&'static str>, String) {
        let context = Context::utc(Time::from_secs(0));
        let fields = [
            Field::EVENT_ACTION,
            Field::EVENT_OUTCOME,
            Field::USER_NAME,
            Field::SOURCE_IP,
            Field::SOURCE_DOMAIN,
        ];
        let seen = crate::format::shape::seen(line, &context, &fields);
        let taken = seen.verdict == Verdict::Event;
        (taken.then_some(seen.format), seen.fields)
    }

    #[test]
    fn who_did_what_from_where_and_how_it_ended() {
        for (format, line, expected) in [
            (
                "cloudtrail",
                CLOUDTRAIL.example,
                "ConsoleLogin|success|alice|192.0.2.7|-",
            ),
            (
                "cloudtrail",
                r#"{"userIdentity":{"type":"AWSService"},"eventTime":"2026-01-05T10:00:00Z","eventSource":"sts.amazonaws.com","eventName":"AssumeRole","awsRegion":"eu-central-1","sourceIPAddress":"ec2.amazonaws.com","errorCode":"AccessDenied"}"#,
                "AssumeRole|failure|-|-|ec2.amazonaws.com",
            ),
            (
                "okta",
                OKTA.example,
                "user.session.start|failure|alice@example.com|192.0.2.7|-",
            ),
            (
                "entra",
                ENTRA.example,
                "entra_login|failure|alice@example.com|192.0.2.7|-",
            ),
            (
                "entra",
                r#"{"createdDateTime":"2026-01-05T10:00:00Z","userPrincipalName":"bob@example.com","ipAddress":"2001:db8::5","status":{"errorCode":0}}"#,
                "entra_login|success|bob@example.com|2001:db8::5|-",
            ),
            (
                "kubernetes",
                KUBERNETES.example,
                "list|failure|alice|192.0.2.7|-",
            ),
        ] {
            assert_eq!(read(line), (Some(format), expected.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_forwarded_for_header_moves_no_address() {
        let line = KUBERNETES
            .example
            .replace("[\"192.0.2.7\"]", "[\"198.51.100.66\",\"192.0.2.7\"]");
        assert_eq!(read(&line).1, "list|failure|alice|192.0.2.7|-");
    }

    #[test]
    fn what_others_wrote_in_an_event_is_not_the_event() {
        let inner = r#""requestParameters":{"eventName":"x","sourceIPAddress":"198.51.100.66","a":{"userIdentity":{"userName":"eve"}}}"#;
        let line = CLOUDTRAIL.example.replacen('{', &format!("{{{inner},"), 1);
        assert_eq!(read(&line).1, "ConsoleLogin|success|alice|192.0.2.7|-");
    }

    #[test]
    fn other_json_is_left_alone() {
        for line in [
            "{}",
            r#"{"eventSource":"a","awsRegion":"b""#,
            r#"{"Records":[{"eventSource":"a","awsRegion":"b"}]}"#,
            r#"{"category":"AuditLogs","userPrincipalName":"a","ipAddress":"192.0.2.7"}"#,
            "[]",
        ] {
            assert_eq!(read(line).0, None, "{line}");
        }
    }

    #[test]
    fn rules_reach_every_path() {
        let mut names = crate::field::Names::default();
        let kind = names.intern("userIdentity.type").unwrap();
        let mut projection = Projection::over(names);
        projection.want(kind);
        let mut context = Context::utc(Time::from_secs(0));
        context.project(projection.into());
        let arena = Bump::new();
        let mut event = Event::new();
        let line = CLOUDTRAIL.example.as_bytes();
        crate::format::parse(line, &context, &arena, &mut event);
        assert_eq!(event.get(kind), Some(Value::Text(b"IAMUser")));
    }
}
