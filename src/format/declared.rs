//! Any JSON log, one object a line, where the user says what log it is. Its
//! fields have the names that stand there, flat or as dotted paths; those that
//! are ECS's are of their types.

use bumpalo::Bump;

use super::json::{Raw, any, walk};
use super::{Context, Format, Parser, Verdict, epoch, timestamp};
use crate::event::{Event, LogSource, Value};
use crate::time::{Span, Time};

pub(super) static FORMAT: Format = Format {
    name: "json",
    about: "any JSON object a line, of the log that --logsource names; rules reach its fields by flat name or dotted path",
    programs: &[],
    logsources: LOGSOURCES,
    parse: Parser::Line(parse),
    example: r#"{"@timestamp":"2026-01-05T10:00:00Z","event":{"action":"login","outcome":"failure"},"user":{"name":"alice"},"source":{"ip":"192.0.2.7"}}"#,
};

/// Keys of the time, at the top of the object.
const TIMES: [&str; 20] = [
    "@timestamp",
    "timestamp",
    "time",
    "ts",
    "eventTime",
    "EventTime",
    "event_time",
    "TimeCreated",
    "TimeGenerated",
    "UtcTime",
    "CreationTime",
    "createdDateTime",
    "activityDateTime",
    "published",
    "date",
    "timereported",
    "ISODATE",
    "isotimestamp",
    "_time",
    "result._time",
];

macro_rules! logsources {
    ($($product:literal [$($category:literal),*] [$($service:literal),*];)*) => {
        /// What Sigma's rules name; a log that is none of these has no rules.
        static LOGSOURCES: &[LogSource] = &[
            $(LogSource { product: $product, categories: &[$($category),*], services: &[$($service),*] }),*
        ];
    };
}

logsources! {
    "" [] [];
    "aws" [] ["cloudtrail"];
    "azure" [] ["activitylogs"]; "azure" [] ["auditlogs"]; "azure" [] ["signinlogs"];
    "azure" [] ["riskdetection"]; "azure" [] ["pim"];
    "gcp" [] ["gcp.audit"]; "gcp" [] ["google_workspace.admin"]; "gcp" [] ["google_workspace.login"];
    "m365" [] ["audit"]; "m365" [] ["exchange"]; "m365" [] ["threat_management"];
    "m365" [] ["threat_detection"];
    "github" [] ["audit"]; "bitbucket" [] ["audit"]; "onelogin" [] ["onelogin.events"];
    "okta" [] ["okta"]; "cisco" [] ["duo"]; "cisco" [] ["aaa"]; "cisco" [] ["bgp"]; "cisco" [] ["ldp"];
    "kubernetes" ["application"] ["audit"]; "opencanary" ["application"] [];
    "django" ["application"] []; "jvm" ["application"] []; "nodejs" ["application"] [];
    "python" ["application"] []; "rpc_firewall" ["application"] []; "ruby_on_rails" ["application"] [];
    "spring" ["application"] []; "sql" ["application"] []; "velocity" ["application"] [];
    "huawei" [] ["bgp"]; "juniper" [] ["bgp"]; "fortios" [] ["fortinet"]; "qualys" [] [];
    "" ["antivirus"] []; "" ["database"] []; "" ["dns"] []; "" ["firewall"] []; "" ["proxy"] [];
    "" ["webserver"] [];
    "linux" [] ["auditd"]; "linux" [] ["auth"]; "linux" [] ["syslog"]; "linux" [] ["sshd"];
    "linux" ["process_creation"] []; "linux" ["file_event"] []; "linux" ["network_connection"] [];
    "macos" ["process_creation"] []; "macos" ["file_event"] []; "macos" ["network_connection"] [];
    "windows" [] ["application"]; "windows" [] ["security"]; "windows" [] ["system"];
    "windows" [] ["sysmon"]; "windows" [] ["powershell"]; "windows" [] ["powershell-classic"];
    "windows" [] ["taskscheduler"]; "windows" [] ["windefend"]; "windows" [] ["wmi"];
    "windows" [] ["dns-server"]; "windows" [] ["ntlm"]; "windows" [] ["bits-client"];
    "windows" [] ["firewall-as"]; "windows" [] ["terminalservices-localsessionmanager"];
    "windows" ["process_creation"] []; "windows" ["process_access"] [];
    "windows" ["network_connection"] []; "windows" ["dns_query"] []; "windows" ["file_event"] [];
    "windows" ["file_delete"] []; "windows" ["image_load"] []; "windows" ["driver_load"] [];
    "windows" ["registry_set"] []; "windows" ["registry_add"] []; "windows" ["registry_event"] [];
    "windows" ["ps_script"] []; "windows" ["ps_module"] []; "windows" ["pipe_created"] [];
    "windows" ["create_remote_thread"] []; "windows" ["create_stream_hash"] [];
}

/// The log that `product=…,category=…,service=…` names, for
/// [`Context::declared`](super::Context::declared).
pub fn declared(words: &str) -> Result<u8, String> {
    let (mut product, mut category, mut service) = ("", "", "");
    for word in words.split(',') {
        match word.split_once('=') {
            Some(("product", value)) => product = value,
            Some(("category", value)) => category = value,
            Some(("service", value)) => service = value,
            _ => return Err(format!("`{word}` is no product=, category= or service=")),
        }
    }
    let among = |word: &str, all: &[&str]| word.is_empty() || all.contains(&word);
    let named = |source: &&LogSource| {
        !(product.is_empty() && category.is_empty())
            && source.product == product
            && among(category, source.categories)
            && among(service, source.services)
    };
    let at = LOGSOURCES.iter().skip(1).position(|source| named(&source));
    at.and_then(|at| u8::try_from(at + 1).ok()).ok_or_else(|| {
        "no such log; `tipstaff formats json` lists those that Sigma's rules know".to_owned()
    })
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let forced = context.format.is_some();
    if line.first() != Some(&b'{') || (context.declared.is_none() && !forced) {
        return Verdict::NotMine;
    }
    let mut stamp: Option<(usize, Raw<'a>)> = None;
    let walked = walk(line, arena, &mut |path, raw| {
        if let Some(rank) = rank(path)
            && stamp.is_none_or(|(best, _)| rank < best)
        {
            stamp = Some((rank, raw));
        }
    });
    if let Err(reason) = walked {
        return Verdict::Malformed(reason);
    }
    event.class.kind = context.declared.unwrap_or(0);
    event.time = stamp.and_then(|(_, raw)| time(raw, context, arena));
    if event.time.is_none() {
        return Verdict::Malformed("no time that is understood");
    }
    match any(line, arena, &context.projection.names, None, event) {
        Ok(()) => Verdict::Event,
        Err(reason) => Verdict::Malformed(reason),
    }
}

/// Only the time: at the first of the keys that stands anywhere in the line.
pub fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    TIMES.iter().find_map(|key| {
        memchr::memmem::find_iter(line, key.as_bytes()).find_map(|at| {
            line.get(..at)?.strip_suffix(b"\"")?;
            let rest = line.get(at + key.len()..)?.strip_prefix(b"\":")?;
            time_at(super::token::trim_start(rest), context)
        })
    })
}

/// The time that stands here, as JSON.
pub(super) fn time_at(rest: &[u8], context: &Context) -> Option<Time> {
    if let Some(text) = rest.strip_prefix(b"\"") {
        return timestamp::iso(text, context)
            .map(|(time, _)| time)
            .or_else(|| epoch(text));
    }
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    epoch(rest).or_else(|| whole(super::token::number(rest.get(..digits)?)?))
}

/// Seconds, or milliseconds: as seconds, 10^11 is the year 5138.
fn whole(number: i64) -> Option<Time> {
    if number < 100_000_000_000 {
        return Some(Time::from_secs(number));
    }
    let nanos = number.checked_mul(1_000_000)?;
    Some(Time::from_nanos(0).plus(Span::from_nanos(nanos)))
}

/// How sure a key is that of the time, 0 the surest; none where it is another.
pub(super) fn rank(path: &str) -> Option<usize> {
    TIMES.iter().position(|key| *key == path)
}

/// ISO 8601, or seconds or milliseconds since the epoch.
pub(super) fn time(raw: Raw<'_>, context: &Context, arena: &Bump) -> Option<Time> {
    match raw.value(arena) {
        Value::Text(text) => timestamp::iso(text, context)
            .map(|(time, _)| time)
            .or_else(|| epoch(text)),
        Value::Int(n) => whole(n),
        Value::Float(_) => epoch(raw.text().as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Field, Names, Projection};
    use crate::format::{by_name, parse};

    fn context(logsource: &str, names: Names) -> Context {
        let mut context = Context::utc(Time::from_secs(0));
        context.declared = Some(declared(logsource).unwrap());
        let mut projection = Projection::over(names);
        projection.all = true;
        context.project(projection.into());
        context
    }

    #[test]
    fn a_declared_log_is_its_class_and_its_fields_have_their_own_names() {
        let mut names = Names::default();
        let id = names.intern("EventData.LogonType").unwrap();
        let context = context("product=windows,service=security", names);
        let line =
            br#"{"time":1767607200,"EventData":{"LogonType":3},"source":{"ip":"192.0.2.7"}}"#;
        let arena = Bump::new();
        let mut event = Event::new();
        let parsed = parse(line, &context, &arena, &mut event);
        assert_eq!(
            (parsed.verdict, parsed.format),
            (Verdict::Event, by_name("json"))
        );
        let class = LOGSOURCES[usize::from(event.class.kind)];
        assert_eq!(
            (class.product, class.services),
            ("windows", &["security"][..])
        );
        assert_eq!(event.get(id), Some(Value::Int(3)));
        let address = Value::Ip("192.0.2.7".parse().unwrap());
        assert_eq!(event.get(Field::SOURCE_IP), Some(address));
        assert_eq!(event.time.unwrap().to_string(), "2026-01-05T10:00:00Z");
    }

    #[test]
    fn a_log_is_named_as_sigma_does() {
        assert!(declared("category=proxy").is_ok());
        assert!(declared("product=github,service=audit").is_ok());
        for words in [
            "",
            "product=",
            "product=nothing",
            "services=x",
            "product=linux,service=cloudtrail",
        ] {
            assert!(declared(words).is_err(), "{words}");
        }
    }
}
