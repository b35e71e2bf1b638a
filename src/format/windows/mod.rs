//! Windows events as collectors write them: JSON (Winlogbeat, NXLog, Wazuh, dumps of EVTX
//! files), XML (also of Sysmon for Linux, in syslog), Snare's tabs in syslog.

mod facts;
mod json;
mod snare;
mod xml;

use bumpalo::Bump;

use super::token::cut;
use super::{Context, Format, Parser, Verdict, timestamp};
use crate::event::{Event, LogSource};
use crate::time::Time;
use facts::Facts;

pub(super) static FORMAT: Format = Format {
    name: "windows",
    about: "Windows events as JSON (Winlogbeat, NXLog, EVTX dumps), XML or Snare's syslog, and Sysmon for Linux; rules reach their values by Sigma's names; event.action as Winlogbeat's, or windows_event",
    programs: &["MSWinEventLog", "sysmon"],
    logsources: &[
        source("windows", &[], &["security"]),
        source("windows", &[], &["system"]),
        source("windows", &[], &["application"]),
        source("windows", &["ps_script"], &["powershell"]),
        source("windows", &["process_creation"], &["sysmon"]),
        source("windows", &["network_connection"], &["sysmon"]),
        source("windows", &["file_event"], &["sysmon"]),
        source("windows", &[], &["sysmon"]),
        source("linux", &["process_creation"], &["sysmon"]),
        source("linux", &["network_connection"], &["sysmon"]),
        source("linux", &["file_event"], &["sysmon"]),
        source("linux", &[], &["sysmon"]),
        source("windows", &[], &[]),
    ],
    parse: Parser::Line(parse),
    example: r#"{"EventTime":"2026-01-05T10:00:00Z","Hostname":"dc1.example.com","EventID":4625,"Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing","TargetUserName":"alice","LogonType":"3","IpAddress":"192.0.2.7","IpPort":"50022"}"#,
};

const fn source(
    product: &'static str,
    categories: &'static [&'static str],
    services: &'static [&'static str],
) -> LogSource {
    LogSource {
        product,
        categories,
        services,
    }
}

fn parse<'a>(
    line: &'a [u8],
    context: &'a Context,
    arena: &'a Bump,
    event: &mut Event<'a>,
) -> Verdict {
    let mut facts = Facts::new(arena);
    let read = match line {
        [b'{', ..] => json::read(line, context, arena, &mut facts),
        [b'<', b'E', b'v', b'e', b'n', b't', ..] => xml::read(line, context, arena, &mut facts),
        _ => match snare::read(line, context, arena, &mut facts) {
            Some(Ok(time)) => Ok(time),
            Some(Err(reason)) => Err(reason),
            None => return Verdict::NotMine,
        },
    };
    let time = match read {
        Ok(time) => time,
        Err(reason) => return Verdict::Malformed(reason),
    };
    if facts.id.is_none() {
        return Verdict::NotMine;
    }
    event.time = event.time.or(time);
    facts.finish(&context.projection, event)
}

/// Only the time that the event's own header has, as XML or as JSON.
pub(super) fn peek_time(line: &[u8], context: &Context) -> Option<Time> {
    let (_, rest) = cut(line, b"SystemTime")?;
    let (_, rest) = rest.split_first_chunk::<2>()?;
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    timestamp::iso(rest, context).map(|(time, _)| time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Field;

    fn read(line: &str) -> String {
        let context = Context::utc(Time::from_secs(1_767_600_000));
        let fields = [
            Field::EVENT_ACTION,
            Field::EVENT_OUTCOME,
            Field::HOST_NAME,
            Field::USER_NAME,
            Field::SOURCE_IP,
            Field::SOURCE_PORT,
        ];
        let seen = crate::format::shape::seen(line, &context, &fields);
        match seen.verdict {
            Verdict::Event => seen.fields.replace('|', " "),
            other => format!("{other:?}"),
        }
    }

    const SAMPLES: &str = include_str!("../../../sample-logs/formats/windows.log");

    #[test]
    fn one_failed_logon_in_every_spelling() {
        let failed: Vec<&str> = SAMPLES
            .lines()
            .filter(|line| line.contains("4625"))
            .collect();
        assert!(failed.len() >= 5, "{} lines", failed.len());
        for line in failed {
            let expected = "logon-failed failure dc1.example.com alice 192.0.2.7 50022";
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn a_value_that_comes_twice_is_no_event() {
        let line = FORMAT
            .example
            .replacen('{', r#"{"IpAddress":"198.51.100.66","#, 1);
        assert!(read(&line).starts_with("Malformed"), "{line}");
        let line = "<Event><System><EventID>4625</EventID></System><EventData><Data Name='IpAddress'>192.0.2.7</Data><Data Name='IpAddress'>198.51.100.66</Data></EventData></Event>";
        assert!(read(line).starts_with("Malformed"), "{line}");
    }

    #[test]
    fn what_a_client_calls_itself_gives_no_address() {
        for line in SAMPLES
            .lines()
            .filter(|line| line.contains("MSWinEventLog"))
        {
            let forged = line.replace(
                "PC1",
                "x Source Network Address: 198.51.100.66 Source Port: 1",
            );
            assert!(!read(&forged).contains("198.51.100.66"), "{forged}");
        }
    }
}
