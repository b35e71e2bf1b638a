//! Whose pairs a line has, told by how it begins, and what its keys mean.

use crate::field::Field;
use crate::format::token::{cut, number};
use crate::format::{Context, timestamp};
use crate::time::Time;

/// What a key's value is.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Source,
    Destination,
    Port(Field),
    /// A destination's port where it is a number, else a service's name.
    Service,
    Protocol,
    Count(Field),
    Text(Field),
    User,
    Action,
    Status,
    Kind,
}

use Role::{Action, Count, Destination, Kind, Port, Protocol, Service, Source, Status, Text, User};

/// Who writes such pairs, and which of them are read.
pub(super) struct Vendor {
    /// How a line begins, or what stands near its beginning.
    begins: &'static [&'static [u8]],
    /// What else it has to have.
    has: &'static [u8],
    /// Between key and value stands a colon.
    pub(super) colon: bool,
    /// At most 64, one bit for each.
    pub(super) keys: &'static [(&'static str, Role)],
}

const FROM: Role = Port(Field::SOURCE_PORT);
const TO: Role = Port(Field::DESTINATION_PORT);

#[rustfmt::skip]
static FORTINET: Vendor = Vendor {
    begins: &[b"date=", b"logver=", b"itime="],
    has: b"id=",
    colon: false,
    keys: &[
        ("srcip", Source), ("remip", Source), ("src", Source), ("srcport", FROM), ("src_port", FROM),
        ("dstip", Destination), ("dst", Destination), ("dstport", TO), ("dst_port", TO),
        ("proto", Protocol), ("action", Action), ("status", Status), ("user", User), ("type", Kind), ("subtype", Kind),
        ("devname", Text(Field::HOST_NAME)), ("srcintf", Text(Field::OBSERVER_INGRESS)), ("dstintf", Text(Field::OBSERVER_EGRESS)),
        ("sentbyte", Count(Field::SOURCE_BYTES)), ("rcvdbyte", Count(Field::DESTINATION_BYTES)),
        ("sentpkt", Count(Field::SOURCE_PACKETS)), ("rcvdpkt", Count(Field::DESTINATION_PACKETS)),
        ("policyid", Text(Field::RULE_ID)), ("hostname", Text(Field::URL_DOMAIN)), ("url", Text(Field::URL_ORIGINAL)),
        ("attack", Text(Field::RULE_NAME)), ("logid", Text(Field::EVENT_CODE)), ("reason", Text(Field::EVENT_REASON)),
        ("qname", Text(Field::DNS_QUESTION_NAME)), ("qtype", Text(Field::DNS_QUESTION_TYPE)),
    ],
};

#[rustfmt::skip]
static SOPHOS: Vendor = Vendor {
    begins: &[b"id=\"", b"device=\"SFW\"", b"device_name=\""],
    has: b"sub",
    colon: false,
    keys: &[
        ("srcip", Source), ("src_ip", Source), ("srcport", FROM), ("src_port", FROM),
        ("dstip", Destination), ("dst_ip", Destination), ("dstport", TO), ("dst_port", TO),
        ("proto", Protocol), ("protocol", Protocol), ("action", Action), ("log_subtype", Action), ("status", Status),
        ("user", User), ("user_name", User), ("fwrule", Text(Field::RULE_ID)), ("fw_rule_id", Text(Field::RULE_ID)),
        ("initf", Text(Field::OBSERVER_INGRESS)), ("outitf", Text(Field::OBSERVER_EGRESS)), ("device_name", Text(Field::HOST_NAME)),
        ("method", Text(Field::HTTP_METHOD)), ("url", Text(Field::URL_ORIGINAL)), ("statuscode", Count(Field::HTTP_STATUS)),
        ("sent_bytes", Count(Field::SOURCE_BYTES)), ("recv_bytes", Count(Field::DESTINATION_BYTES)), ("log_type", Kind),
    ],
};

#[rustfmt::skip]
static SONICWALL: Vendor = Vendor {
    begins: &[b"id=firewall ", b"id=sslvpn ", b"sn="],
    has: b" fw=",
    colon: false,
    keys: &[
        ("src", Source), ("dst", Destination), ("proto", Protocol), ("usr", User), ("user", User), ("fw_action", Action),
        ("sent", Count(Field::SOURCE_BYTES)), ("rcvd", Count(Field::DESTINATION_BYTES)), ("m", Text(Field::EVENT_CODE)),
        ("dstname", Text(Field::URL_DOMAIN)), ("arg", Text(Field::URL_PATH)), ("rule", Text(Field::RULE_NAME)),
    ],
};

#[rustfmt::skip]
static CHECK_POINT: Vendor = Vendor {
    begins: &[b"Action=\"", b"action=\"", b"UUid=\"", b"product=\""],
    has: b"src=",
    colon: false,
    keys: CHECK_POINT_KEYS,
};

static CHECK_POINT_NEW: Vendor = Vendor {
    begins: &[b"[action:\"", b"[flags:\""],
    has: b"src:",
    colon: true,
    keys: CHECK_POINT_KEYS,
};

#[rustfmt::skip]
const CHECK_POINT_KEYS: &[(&str, Role)] = &[
    ("src", Source), ("s_port", FROM), ("dst", Destination), ("service", Service), ("proto", Protocol),
    ("Action", Action), ("action", Action), ("user", User), ("src_user_name", User), ("rule_name", Text(Field::RULE_NAME)),
    ("rule", Text(Field::RULE_ID)), ("auth_status", Status), ("i/f_name", Text(Field::OBSERVER_INGRESS)),
];

#[rustfmt::skip]
static JUNOS: Vendor = Vendor {
    begins: &[b"source-address=", b"logical-system-name=", b"reason=\"", b"epoch-time=", b"tag=\""],
    has: b"source-address=",
    colon: false,
    keys: &[
        ("source-address", Source), ("source-port", FROM), ("destination-address", Destination), ("destination-port", TO),
        ("protocol-id", Protocol), ("username", User), ("policy-name", Text(Field::RULE_NAME)), ("reason", Text(Field::EVENT_REASON)),
        ("bytes-from-client", Count(Field::SOURCE_BYTES)), ("bytes-from-server", Count(Field::DESTINATION_BYTES)),
        ("packets-from-client", Count(Field::SOURCE_PACKETS)), ("packets-from-server", Count(Field::DESTINATION_PACKETS)),
        ("action", Action), ("url", Text(Field::URL_ORIGINAL)), ("attack-name", Text(Field::RULE_NAME)),
    ],
};

#[rustfmt::skip]
static NETSCREEN: Vendor = Vendor {
    begins: &[b"NetScreen device_id="],
    has: b"src=",
    colon: false,
    keys: &[
        ("src", Source), ("src_port", FROM), ("dst", Destination), ("dst_port", TO), ("proto", Protocol), ("action", Action),
        ("sent", Count(Field::SOURCE_BYTES)), ("rcvd", Count(Field::DESTINATION_BYTES)), ("policy_id", Text(Field::RULE_ID)),
    ],
};

#[rustfmt::skip]
static MERAKI: Vendor = Vendor {
    begins: &[b"flows ", b"urls ", b"ip_flow_start ", b"ip_flow_end ", b"firewall ", b"security_event "],
    has: b"src=",
    colon: false,
    keys: &[
        ("src", Source), ("sport", FROM), ("dst", Destination), ("dport", TO), ("protocol", Protocol), ("identity", User),
    ],
};

static VENDORS: [&Vendor; 8] = [
    &FORTINET,
    &SOPHOS,
    &SONICWALL,
    &CHECK_POINT,
    &CHECK_POINT_NEW,
    &JUNOS,
    &NETSCREEN,
    &MERAKI,
];

/// Whose line it is.
pub(super) fn of(text: &[u8]) -> Option<&'static Vendor> {
    let begins = |vendor: &&&Vendor| vendor.begins.iter().any(|begin| text.starts_with(begin));
    let has = |vendor: &&&Vendor| memchr::memmem::find(text, vendor.has).is_some();
    VENDORS.iter().filter(begins).find(has).copied()
}

/// The stamp of a line that has one among its pairs: `date=… time=…` at the
/// beginning, or `time="…"`.
pub(super) fn time(text: &[u8], context: &Context) -> Option<Time> {
    if let Some((_, rest)) = cut(text, b" time=\"") {
        return timestamp::iso(rest, context).map(|(time, _)| time);
    }
    let (_, rest) = cut(text, b"date=")?;
    let (date, rest) = rest.split_at_checked(10)?;
    let clock = rest.strip_prefix(b" time=")?.get(..8)?;
    let mut stamp = [b' '; 19];
    stamp.get_mut(..10)?.copy_from_slice(date);
    stamp.get_mut(11..)?.copy_from_slice(clock);
    let (time, _) = timestamp::iso(&stamp, context)?;
    let east = cut(text, b" tz=\"").and_then(|(_, zone)| offset(zone));
    Some(east.map_or(time, |east| {
        crate::format::timestamp::iso_civil(&stamp)
            .and_then(|(civil, _)| civil.time())
            .map_or(time, |utc| utc.minus(east))
    }))
}

/// `+0200"`.
fn offset(zone: &[u8]) -> Option<crate::time::Span> {
    let (&[sign, h0, h1, m0, m1], _) = zone.split_first_chunk::<5>()?;
    let minutes = number(&[h0, h1])? * 60 + number(&[m0, m1])?;
    let seconds = match sign {
        b'+' => minutes * 60,
        b'-' => -minutes * 60,
        _ => return None,
    };
    Some(crate::time::Span::from_secs(seconds))
}
