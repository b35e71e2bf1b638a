//! Zeek's conn.log, as the sensor at the border writes it.

use std::fmt::Write as _;
use std::ops::Range;

use super::rng::Rng;
use super::stamp::{self, At, SECOND};

/// Columns and their types as Zeek 6 has them.
const COLUMNS: &[(&str, &str)] = &[
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("proto", "enum"),
    ("service", "string"),
    ("duration", "interval"),
    ("orig_bytes", "count"),
    ("resp_bytes", "count"),
    ("conn_state", "string"),
    ("local_orig", "bool"),
    ("local_resp", "bool"),
    ("missed_bytes", "count"),
    ("history", "string"),
    ("orig_pkts", "count"),
    ("orig_ip_bytes", "count"),
    ("resp_pkts", "count"),
    ("resp_ip_bytes", "count"),
    ("tunnel_parents", "set[string]"),
];

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Opened and closed as it should.
    Done,
    /// No answer.
    Silence,
    /// Refused.
    Refused,
}

/// One connection.
pub(crate) struct Flow {
    /// When it began.
    pub(crate) at: At,
    /// Who opened it, and from which port.
    pub(crate) from: (String, i64),
    /// To whom, and to which port.
    pub(crate) to: (String, i64),
    /// The application protocol, `-` if Zeek would not know.
    pub(crate) service: &'static str,
    /// How long it took.
    pub(crate) length: At,
    /// Bytes that the opener sent.
    pub(crate) sent: i64,
    /// Bytes that came back.
    pub(crate) got: i64,
    /// How it ended.
    pub(crate) state: State,
}

/// All connections that a sensor saw.
pub(crate) struct Conn {
    world: &'static str,
    /// Whether a connection's uid is its own, whatever else the sensor saw.
    pub(crate) own_uids: bool,
    flows: Vec<Flow>,
}

impl Conn {
    /// A sensor that has seen nothing yet.
    pub(crate) fn new(world: &'static str) -> Conn {
        Conn {
            world,
            own_uids: false,
            flows: Vec::new(),
        }
    }

    /// Adds a connection.
    pub(crate) fn saw(&mut self, flow: Flow) {
        self.flows.push(flow);
    }

    /// The file that holds a stretch of time.
    pub(crate) fn render(&mut self, span: &Range<At>) -> Vec<u8> {
        self.flows.sort_by_key(|flow| flow.at);
        let mut out = header(span.start);
        // By file, so that a week's uids do not depend on the weeks before.
        let mut uids = Rng::of(self.world, &format!("zeek uid {}", span.start));
        for flow in &self.flows {
            if span.contains(&flow.at) {
                if self.own_uids {
                    let ends = format!("zeek uid {} {}", flow.at, flow.from.0);
                    uids = Rng::of(self.world, &ends);
                }
                row(&mut out, flow, &uids.letters(17));
            }
        }
        writeln!(out, "#close\t{}", stamp::zeek_open(span.end)).unwrap();
        out.into_bytes()
    }
}

fn header(open: At) -> String {
    let mut out = String::from(
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n",
    );
    writeln!(out, "#open\t{}", stamp::zeek_open(open)).unwrap();
    out.push_str("#fields");
    for (name, _) in COLUMNS {
        out.push('\t');
        out.push_str(name);
    }
    out.push_str("\n#types");
    for (_, kind) in COLUMNS {
        out.push('\t');
        out.push_str(kind);
    }
    out.push('\n');
    out
}

fn row(out: &mut String, flow: &Flow, uid: &str) {
    let inside = |address: &str| if address.starts_with("10.") { 'T' } else { 'F' };
    let (from, to) = (&flow.from, &flow.to);
    let proto = if flow.to.1 == 123 || flow.to.1 == 53 {
        "udp"
    } else {
        "tcp"
    };
    write!(
        out,
        "{}.{:06}\tC{uid}\t{}\t{}\t{}\t{}\t{proto}\t{}\t",
        flow.at / SECOND,
        flow.at % SECOND,
        from.0,
        from.1,
        to.0,
        to.1,
        flow.service,
    )
    .unwrap();
    let (state, history) = match flow.state {
        State::Done if proto == "udp" => ("SF", "Dd"),
        State::Done => ("SF", "ShADadFf"),
        State::Silence => ("S0", "S"),
        State::Refused => ("REJ", "Sr"),
    };
    // A full segment carries 1,448 bytes; open, close and headers come on top.
    let (out_pkts, in_pkts) = match (flow.state, proto) {
        (State::Done, "udp") | (State::Refused, _) => (1, 1),
        (State::Done, _) => (
            flow.sent / 1_448 + flow.got / 2_896 + 5,
            flow.got / 1_448 + flow.sent / 2_896 + 4,
        ),
        (State::Silence, _) => (1, 0),
    };
    let head = if proto == "udp" { 28 } else { 52 };
    if flow.state == State::Silence {
        out.push_str("-\t-\t-\t");
    } else {
        let (whole, part) = (flow.length / SECOND, flow.length % SECOND);
        write!(out, "{whole}.{part:06}\t{}\t{}\t", flow.sent, flow.got).unwrap();
    }
    let (t, u) = (inside(&from.0), inside(&to.0));
    let (sent, got) = (flow.sent + head * out_pkts, flow.got + head * in_pkts);
    writeln!(
        out,
        "{state}\t{t}\t{u}\t0\t{history}\t{out_pkts}\t{sent}\t{in_pkts}\t{got}\t-"
    )
    .unwrap();
}
