//! Access logs in JSON, and firewalls' and sensors' objects: nginx, Caddy,
//! Traefik, Envoy, Cloudflare, Google's load balancer, its firewall and flows,
//! Snort 3.
//!
//! The address is the socket's, or what the provider itself saw; a list of
//! proxies that the client's header begins is nobody's word.

use super::{Found, Shape};
use crate::event::{Event, Value};
use crate::field::Field;
use crate::format::http::{answered, request, target};
use crate::format::token::{cut, number, say, some};
use crate::format::transport::{say_filtered, set_protocol, verdict};
use crate::format::{Verdict, ends};

/// What all these logs say at other paths.
struct Paths {
    /// `ADDRESS` or `ADDRESS:PORT`; the first that is there.
    client: &'static [&'static str],
    status: &'static str,
    method: &'static str,
    address: &'static str,
    version: &'static str,
    user: &'static str,
    size: &'static str,
}

/// Reads a request.
fn web<'a>(paths: &Paths, found: &Found<'a>, event: &mut Event<'a>) -> Verdict {
    let client = paths.client.iter().find_map(|path| found.text(path));
    let (Some(client), Some(status)) = (client, found.text(paths.status)) else {
        return Verdict::NotMine;
    };
    let status = number(status).filter(|status| (100..1000).contains(status));
    answered(status, event);
    if let Some(end) = ends::end(client) {
        ends::source(end, true, event);
    }
    if let Some(method) = found.text(paths.method) {
        some(event, Field::HTTP_METHOD, method);
        let address = found.text(paths.address).unwrap_or_default();
        target(address, method == b"CONNECT", event);
    } else if let Some(line) = found.text("request") {
        request(line, event);
    }
    if let Some(version) = found.text(paths.version) {
        let version = version.strip_prefix(b"HTTP/").unwrap_or(version);
        some(event, Field::HTTP_VERSION, version);
    }
    if let Some(user) = found.text(paths.user) {
        some(event, Field::USER_NAME, user);
    }
    if let Some(size) = found.text(paths.size).and_then(number) {
        crate::format::token::once(event, Field::HTTP_RESPONSE_BYTES, Value::Int(size));
    }
    Verdict::Event
}

/// nginx, as most write its `log_format … escape=json`.
pub(super) static NGINX: Shape = Shape {
    marks: &[b"\"remote_addr\"", b"\"status\""],
    time: &[
        "time_iso8601",
        "time_local",
        "time",
        "@timestamp",
        "timestamp",
        "ts",
        "msec",
    ],
    fields: &[
        ("http_referer", Field::HTTP_REFERRER),
        ("http_referrer", Field::HTTP_REFERRER),
        ("referer", Field::HTTP_REFERRER),
        ("http_user_agent", Field::USER_AGENT),
        ("user_agent", Field::USER_AGENT),
        ("agent", Field::USER_AGENT),
        ("http_host", Field::URL_DOMAIN),
        ("host", Field::URL_DOMAIN),
        ("server_name", Field::URL_DOMAIN),
        ("remote_port", Field::SOURCE_PORT),
    ],
    asked: &[
        "remote_addr",
        "status",
        "request",
        "request_method",
        "request_uri",
        "server_protocol",
        "remote_user",
        "body_bytes_sent",
    ],
    finish: |found, event| {
        let paths = Paths {
            client: &["remote_addr"],
            status: "status",
            method: "request_method",
            address: "request_uri",
            version: "server_protocol",
            user: "remote_user",
            size: "body_bytes_sent",
        };
        web(&paths, found, event)
    },
};

/// Caddy.
pub(super) static CADDY: Shape = Shape {
    marks: &[b"\"http.log.access", b"\"request\""],
    time: &["ts"],
    fields: &[
        ("request.remote_port", Field::SOURCE_PORT),
        ("request.host", Field::URL_DOMAIN),
        ("request.tls.server_name", Field::TLS_SERVER_NAME),
    ],
    asked: &[
        "request.remote_ip",
        "request.remote_addr",
        "status",
        "request.method",
        "request.uri",
        "request.proto",
        "user_id",
        "size",
    ],
    finish: |found, event| {
        let paths = Paths {
            client: &["request.remote_ip", "request.remote_addr"],
            status: "status",
            method: "request.method",
            address: "request.uri",
            version: "request.proto",
            user: "user_id",
            size: "size",
        };
        web(&paths, found, event)
    },
};

/// Traefik.
pub(super) static TRAEFIK: Shape = Shape {
    marks: &[b"\"DownstreamStatus\"", b"\"Client"],
    time: &["StartUTC", "time"],
    fields: &[
        ("RequestHost", Field::URL_DOMAIN),
        ("request_User-Agent", Field::USER_AGENT),
        ("request_Referer", Field::HTTP_REFERRER),
        ("RequestScheme", Field::URL_SCHEME),
        ("Duration", Field::EVENT_DURATION),
    ],
    asked: &[
        "ClientAddr",
        "ClientHost",
        "DownstreamStatus",
        "RequestMethod",
        "RequestPath",
        "RequestProtocol",
        "ClientUsername",
        "DownstreamContentSize",
    ],
    finish: |found, event| {
        let paths = Paths {
            client: &["ClientAddr", "ClientHost"],
            status: "DownstreamStatus",
            method: "RequestMethod",
            address: "RequestPath",
            version: "RequestProtocol",
            user: "ClientUsername",
            size: "DownstreamContentSize",
        };
        web(&paths, found, event)
    },
};

/// Envoy and Istio.
pub(super) static ENVOY: Shape = Shape {
    marks: &[b"\"downstream_remote_address\"", b"\"response_code\""],
    time: &["start_time"],
    fields: &[
        ("authority", Field::URL_DOMAIN),
        ("user_agent", Field::USER_AGENT),
        ("bytes_received", Field::HTTP_REQUEST_BYTES),
    ],
    asked: &[
        "downstream_remote_address",
        "response_code",
        "method",
        "path",
        "protocol",
        "bytes_sent",
    ],
    finish: |found, event| {
        let paths = Paths {
            client: &["downstream_remote_address"],
            status: "response_code",
            method: "method",
            address: "path",
            version: "protocol",
            user: "",
            size: "bytes_sent",
        };
        web(&paths, found, event)
    },
};

/// Cloudflare's Logpush.
pub(super) static CLOUDFLARE: Shape = Shape {
    marks: &[b"\"ClientIP\"", b"\"EdgeResponseStatus\""],
    time: &["EdgeStartTimestamp", "EdgeEndTimestamp", "Datetime"],
    fields: &[
        ("ClientRequestHost", Field::URL_DOMAIN),
        ("ClientRequestUserAgent", Field::USER_AGENT),
        ("ClientRequestReferer", Field::HTTP_REFERRER),
        ("ClientSrcPort", Field::SOURCE_PORT),
        ("RayID", Field::EVENT_ID),
    ],
    asked: &[
        "ClientIP",
        "EdgeResponseStatus",
        "ClientRequestMethod",
        "ClientRequestURI",
        "ClientRequestProtocol",
        "EdgeResponseBytes",
    ],
    finish: |found, event| {
        let paths = Paths {
            client: &["ClientIP"],
            status: "EdgeResponseStatus",
            method: "ClientRequestMethod",
            address: "ClientRequestURI",
            version: "ClientRequestProtocol",
            user: "",
            size: "EdgeResponseBytes",
        };
        web(&paths, found, event)
    },
};

/// Google's HTTP load balancer.
pub(super) static GOOGLE: Shape = Shape {
    marks: &[b"\"httpRequest\"", b"\"remoteIp\""],
    time: &["timestamp", "receiveTimestamp"],
    fields: &[
        ("httpRequest.userAgent", Field::USER_AGENT),
        ("httpRequest.referer", Field::HTTP_REFERRER),
        ("httpRequest.serverIp", Field::DESTINATION_IP),
        ("insertId", Field::EVENT_ID),
    ],
    asked: &[
        "httpRequest.remoteIp",
        "httpRequest.status",
        "httpRequest.requestMethod",
        "httpRequest.requestUrl",
        "httpRequest.protocol",
        "httpRequest.responseSize",
    ],
    finish: |found, event| {
        let paths = Paths {
            client: &["httpRequest.remoteIp"],
            status: "httpRequest.status",
            method: "httpRequest.requestMethod",
            address: "httpRequest.requestUrl",
            version: "httpRequest.protocol",
            user: "",
            size: "httpRequest.responseSize",
        };
        web(&paths, found, event)
    },
};

/// Google's VPC flows and firewall.
pub(super) static GOOGLE_FLOW: Shape = Shape {
    marks: &[b"\"jsonPayload\"", b"\"src_ip\"", b"\"dest_ip\""],
    time: &["timestamp", "receiveTimestamp"],
    fields: &[
        ("jsonPayload.connection.src_ip", Field::SOURCE_IP),
        ("jsonPayload.connection.dest_ip", Field::DESTINATION_IP),
        ("jsonPayload.connection.src_port", Field::SOURCE_PORT),
        ("jsonPayload.connection.dest_port", Field::DESTINATION_PORT),
        ("jsonPayload.bytes_sent", Field::SOURCE_BYTES),
        ("jsonPayload.packets_sent", Field::SOURCE_PACKETS),
        ("jsonPayload.rule_details.reference", Field::RULE_NAME),
    ],
    asked: &["jsonPayload.connection.protocol", "jsonPayload.disposition"],
    finish: |found, event| {
        let disposition = found.text("jsonPayload.disposition").unwrap_or_default();
        say_filtered(verdict(disposition), event);
        if let Some(protocol) = found.text("jsonPayload.connection.protocol") {
            set_protocol(protocol, event);
        }
        Verdict::Event
    },
};

/// Snort 3's `alert_json`.
pub(super) static SNORT: Shape = Shape {
    marks: &[b"\"src_ap\"", b"\"dst_ap\""],
    time: &["timestamp"],
    fields: &[
        ("msg", Field::RULE_NAME),
        ("class", Field::RULE_CATEGORY),
        ("priority", Field::EVENT_SEVERITY),
    ],
    asked: &["src_ap", "dst_ap", "proto", "rule", "action"],
    finish: |found, event| {
        let ends = found.text("src_ap").zip(found.text("dst_ap"));
        let Some((source, destination)) =
            ends.and_then(|(a, b)| Some((ends::end(snort(a))?, ends::end(snort(b))?)))
        else {
            return Verdict::Malformed("no addresses");
        };
        let outcome = match found.text("action") {
            Some(b"drop" | b"block" | b"reject") => "failure",
            _ => "success",
        };
        say(event, "alert", outcome, "intrusion_detection");
        let protocol = found.text("proto").unwrap_or_default();
        let has_ports = matches!(protocol, b"TCP" | b"UDP");
        ends::source(source, has_ports, event);
        ends::destination(destination, has_ports, event);
        set_protocol(protocol, event);
        if let Some((_, rest)) = found.text("rule").and_then(|rule| cut(rule, b":")) {
            let (id, version) = cut(rest, b":").unwrap_or((rest, &[]));
            some(event, Field::RULE_ID, id);
            some(event, Field::RULE_VERSION, version);
        }
        Verdict::Event
    },
};

/// Snort joins an IPv6 address and its port without brackets; `:0` is none.
fn snort(text: &[u8]) -> &[u8] {
    text.strip_suffix(b":0").unwrap_or(text)
}

/// All of them, tried by their marks.
pub(super) static ALL: [&Shape; 8] = [
    &CADDY,
    &NGINX,
    &TRAEFIK,
    &ENVOY,
    &CLOUDFLARE,
    &GOOGLE,
    &GOOGLE_FLOW,
    &SNORT,
];
