//! xinetd: connections that it hands to a service, and those that it refuses.
//! It writes the address itself, and nothing that the remote side chose.

use super::shape::Shape::Read;
use super::shape::{self, Shape, word};
use super::token::{cut, ip, say};
use super::{Format, Message, Parser, Verdict};
use crate::event::{Event, LogSource, Value};
use crate::field::Field;

pub(super) static FORMAT: Format = Format {
    name: "xinetd",
    about: "xinetd: connections to its services, served and refused (connection)",
    programs: &["xinetd"],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["xinetd", "auth", "syslog"],
    }],
    parse: Parser::Message(parse),
    example: "May  1 10:00:00 web1 xinetd[812]: FAIL: telnet address from=192.0.2.7",
};

static SHAPES: &[(&[u8], Shape)] = &[(b"START: ", Read(started)), (b"FAIL: ", Read(failed))];

fn parse<'a>(message: Message<'a>, event: &mut Event<'a>) -> Verdict {
    shape::read(SHAPES, message.text, event)
}

/// `SERVICE [pid=812 ]from=ADDRESS`.
fn started<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "connection", "success", "network");
    let (head, address) = cut(text, b" from=").ok_or("no address")?;
    let service = cut(head, b" pid=").map_or(head, |(service, _)| service);
    peer(service, address, event)
}

/// `SERVICE REASON from=ADDRESS`; the reason is the check that said no.
fn failed<'a>(text: &'a [u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    say(event, "connection", "failure", "network");
    let (head, address) = cut(text, b" from=").ok_or("no address")?;
    let (service, reason) = cut(head, b" ").ok_or("no reason")?;
    event.text(Field::EVENT_REASON, reason);
    peer(service, address, event)
}

/// A socket without an address has `<no address>`.
fn peer<'a>(service: &'a [u8], address: &[u8], event: &mut Event<'a>) -> Result<(), &'static str> {
    let service = word(service).ok_or("the service is not one word")?;
    event.text(Field::SERVICE_NAME, service);
    if address != b"<no address>" {
        let address = ip(address).ok_or("not an address")?;
        event.set(Field::SOURCE_IP, Value::Ip(address));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_served_and_refused() {
        let fields = [
            Field::EVENT_OUTCOME,
            Field::SERVICE_NAME,
            Field::EVENT_REASON,
            Field::SOURCE_IP,
        ];
        let shown = |text| shape::shown(&FORMAT, "xinetd", text, &fields);
        for (text, expected) in [
            (
                "START: ftp pid=812 from=192.0.2.7",
                "success|ftp|-|192.0.2.7",
            ),
            (
                "START: time-stream from=::ffff:192.0.2.7",
                "success|time-stream|-|192.0.2.7",
            ),
            ("START: ftp pid=812 from=<no address>", "success|ftp|-|-"),
            (
                "FAIL: telnet address from=192.0.2.7",
                "failure|telnet|address|192.0.2.7",
            ),
            (
                "FAIL: amanda libwrap from=2001:db8::7",
                "failure|amanda|libwrap|2001:db8::7",
            ),
        ] {
            assert_eq!(shown(text), (Verdict::Event, expected.to_owned()), "{text}");
        }
        for text in [
            "FAIL: telnet address",
            "FAIL: telnet from=192.0.2.7",
            "START: ftp from=x",
        ] {
            assert!(matches!(shown(text).0, Verdict::Malformed(_)), "{text}");
        }
        assert_eq!(shown("EXIT: ftp status=0 pid=812").0, Verdict::NotMine);
    }
}
