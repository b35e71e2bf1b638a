//! FORMATS: lines become events. One file per program or log.
//!
//! A format is pure: no state, no clock, no I/O, and it cannot fail. It says
//! [`Verdict::Event`], [`Verdict::NotMine`] or [`Verdict::Malformed`]; the last
//! two are counted and rules still see them. What a line needs to know from the
//! lines before it (a Zeek header, the year) stands in the [`Context`] that the
//! reader carries for it.

mod access;
mod accounts;
mod apache;
mod appliance;
mod auditd;
mod bsd;
mod cef;
mod charon;
mod cisco;
mod cloud;
mod cockpit;
mod coredns;
mod cron;
mod db;
mod declared;
mod dhcpd;
mod dispatch;
mod dnsmasq;
mod doas;
mod dropbear;
mod endpoint;
mod ends;
mod envelope;
mod eve;
mod fast;
mod filterlog;
pub mod flow;
mod ftp;
mod gateway;
mod gdm;
mod guacamole;
mod guards;
mod haproxy;
mod http;
pub mod json;
mod kerberos;
mod laurel;
mod leef;
mod logfmt;
mod login;
mod logind;
mod mail;
mod named;
mod netfilter;
mod nginx;
mod openvpn;
mod pam;
mod pdns;
mod peek;
mod pfsense;
mod polkit;
mod programs;
mod radiusd;
mod remote;
mod samba;
mod screensharingd;
mod services;
mod shape;
mod slapd;
mod softether;
mod squid;
mod sshd;
mod su;
mod sudo;
mod tcpdump;
mod telephony;
mod template;
mod timestamp;
mod token;
mod transport;
mod tunnels;
mod unbound;
pub mod w3c;
mod webjson;
mod weblog;
mod weblogin;
mod webmin;
mod windns;
mod windows;
mod wireguard;
mod xinetd;
mod xrdp;
pub mod zeek;

pub use declared::{declared, peek_time as json_time};
pub use dispatch::{announces, extent, parse, whole};
pub use peek::{names_no_day, peek_time};

use std::sync::Arc;

use bumpalo::Bump;
use jiff::tz::TimeZone;

use crate::event::{Event, LogSource};
use crate::field::Projection;
use crate::time::{Span, Time};
use dispatch::{REPEATED_MAX, deliver, format_of, inner};
use peek::epoch;
use programs::{class_of, of_program};

/// Brings a time of day to the day that is nearest.
const HALF_DAY: Span = Span::from_secs(12 * 3600);

/// A row of the table: a program or a log that tipstaff can read.
pub struct Format {
    /// Its name, as `--format` takes it.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// The program names it answers to inside an envelope (`name`, `name*`,
    /// `*name*`); a parser of whole lines is given the message then.
    pub programs: &'static [&'static str],
    /// What Sigma calls the logs it reads; [`crate::event::Class::kind`] counts here.
    pub logsources: &'static [LogSource],
    /// The parser.
    pub parse: Parser,
    /// A line it reads, for `tipstaff formats`.
    pub example: &'static str,
}

/// A program's message with what its envelope said.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The program that wrote it, without path, pid and PAM suffix.
    pub program: &'a [u8],
    /// Its text, with trailing CR and blanks removed.
    pub text: &'a [u8],
}

/// A format's parser, by what it is given.
#[derive(Clone, Copy)]
pub enum Parser {
    /// A program's message; the envelope's fields are already set.
    Message(for<'a> fn(Message<'a>, &mut Event<'a>) -> Verdict),
    /// A whole line that has its own structure; what is decoded lives in the arena.
    Line(for<'a> fn(&'a [u8], &'a Context, &'a Bump, &mut Event<'a>) -> Verdict),
    /// A text that is a line of the program's own file, with its own stamp,
    /// and a message where the program logs through syslog.
    Text(for<'a> fn(&'a [u8], &Context, &mut Event<'a>) -> Verdict),
}

/// What a format says of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Read: the event is filled in.
    Event,
    /// A line of another kind, or one that says nothing we look for.
    NotMine,
    /// A line of this kind that does not follow its grammar; why.
    Malformed(&'static str),
}

/// What was made of a line, and by which row of [`FORMATS`] (if any took it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// What the format said.
    pub verdict: Verdict,
    /// Row in [`FORMATS`].
    pub format: Option<u8>,
}

/// What a line needs to know that is not in it. The reader keeps one per
/// source and gives a copy to each stretch of lines it holds for.
#[derive(Clone, Debug)]
pub struct Context {
    /// Time zone of stamps that name none.
    pub zone: TimeZone,
    /// A time near the line's: the one before it, or the file's. Gives RFC 3164
    /// stamps their year (the one that brings them nearest).
    pub reference: Time,
    /// A stamp that is only a time of day is of the first day on which it is
    /// not before this; of no day where this is not known.
    pub floor: Option<Time>,
    /// Row in [`FORMATS`] to use, whatever the line looks like (`--format`).
    pub format: Option<u8>,
    /// The program whose messages these are, where lines have no header (`--program`).
    pub program: Option<Box<str>>,
    /// What log its JSON objects are (`--logsource`), as [`declared()`] says.
    pub declared: Option<u8>,
    /// Fields to decode.
    pub projection: Arc<Projection>,
    /// The Zeek header in force.
    pub layout: Option<Arc<zeek::Header>>,
    /// The header of a flow log in force (nfdump, VPC flow logs).
    pub columns: Option<Arc<flow::Columns>>,
    /// The `#Fields:` header in force (IIS, CloudFront, Windows' firewall).
    pub w3c: Option<Arc<w3c::Fields>>,
}

impl Context {
    /// A context in which no line has been read yet.
    pub fn new(zone: TimeZone, reference: Time, projection: Arc<Projection>) -> Context {
        Context {
            zone,
            reference,
            floor: Some(reference.minus(HALF_DAY)),
            format: None,
            program: None,
            declared: None,
            projection,
            layout: None,
            columns: None,
            w3c: None,
        }
    }

    /// For lines in UTC near a time: every field decoded, every format tried.
    pub fn utc(reference: Time) -> Context {
        Context::new(TimeZone::UTC, reference, Arc::new(Projection::everything()))
    }

    /// Takes a line that says what the lines after it mean (a Zeek header's, or
    /// a flow log's); `false` when it is not such a line.
    pub fn absorb(&mut self, line: &[u8]) -> bool {
        if flow::announces(line)
            && let Some(columns) = flow::Columns::announced(line)
        {
            self.columns = Some(Arc::new(columns));
            return true;
        }
        if let Some(fields) = w3c::Fields::announced(line) {
            self.w3c = Some(Arc::new(fields));
            return true;
        }
        zeek::absorb(&mut self.layout, &self.projection, line)
    }

    /// Goes on after a line of this time.
    pub fn follow(&mut self, time: Time) {
        self.reference = time;
        // Lines may be out of order, and clocks set back, by as much.
        self.floor = Some(time.minus(Span::HOUR));
    }

    /// Changes the fields to decode (rules were reloaded).
    pub fn project(&mut self, projection: Arc<Projection>) {
        if let Some(layout) = &mut self.layout {
            Arc::make_mut(layout).compile(&projection);
        }
        self.projection = projection;
    }
}

/// Every format, in the order in which they are tried and shown.
pub static FORMATS: &[&Format] = &[
    // Messages, by their program.
    &sshd::FORMAT,
    &sudo::FORMAT,
    &su::FORMAT,
    &pam::FORMAT,
    &logind::FORMAT,
    &cron::FORMAT,
    &dropbear::FORMAT,
    &login::FORMAT,
    &polkit::FORMAT,
    &accounts::FORMAT,
    &doas::FORMAT,
    &xrdp::FORMAT,
    &gdm::FORMAT,
    &cockpit::FORMAT,
    &webmin::FORMAT,
    &screensharingd::FORMAT,
    &openvpn::FORMAT,
    &charon::FORMAT,
    &wireguard::FORMAT,
    &softether::FORMAT,
    &tunnels::PPPD,
    &tunnels::PLUTO,
    &tunnels::OCSERV,
    &mail::dovecot::FORMAT,
    &mail::postfix::FORMAT,
    &mail::exim::FORMAT,
    &mail::sendmail::FORMAT,
    &mail::imapd::FORMAT,
    &mail::saslauthd::FORMAT,
    &mail::others::OPENSMTPD,
    &mail::others::FILTERS,
    &mail::others::VPOPMAIL,
    &mail::others::ROUNDCUBE,
    &mail::others::SOGO,
    &mail::others::KERIO,
    &ftp::vsftpd::FORMAT,
    &ftp::proftpd::FORMAT,
    &ftp::pureftpd::FORMAT,
    &ftp::ftpd::FORMAT,
    &radiusd::FORMAT,
    &slapd::FORMAT,
    &samba::FORMAT,
    &db::mysqld::FORMAT,
    &db::postgres::FORMAT,
    &db::others::MSSQL,
    &db::others::REDIS,
    &db::others::COUCHDB,
    &dnsmasq::FORMAT,
    &dhcpd::FORMAT,
    &pdns::KEA,
    &pdns::FORMAT,
    &netfilter::FORMAT,
    &bsd::IPFW,
    &filterlog::FORMAT,
    &pfsense::FORMAT,
    &guacamole::FORMAT,
    &xinetd::FORMAT,
    &kerberos::FORMAT,
    &appliance::FORMAT,
    &weblogin::FORMAT,
    // After the servers whose names it shares.
    &remote::FORMAT,
    &telephony::ASTERISK,
    &telephony::FREESWITCH,
    &services::MOUNTD,
    &services::CHAT,
    &guards::FORMAT,
    &guards::PORTS,
    &tcpdump::PF,
    &cisco::FORMAT,
    &gateway::sentences::JUNOS,
    &gateway::sentences::ROUTEROS,
    &gateway::sentences::WATCHGUARD,
    &fast::SYSLOG,
    &SYSLOG,
    // Whole lines, in the order in which they are tried: first the one that its
    // first bytes tell.
    &envelope::container::DOCKER,
    &envelope::journal::FORMAT,
    // Before Zeek's, which looks at every key of a document to know that it is none.
    &eve::FORMAT,
    &zeek::FORMAT,
    &auditd::FORMAT,
    &laurel::FORMAT,
    &cloud::CLOUDTRAIL,
    &cloud::OKTA,
    &cloud::ENTRA,
    &cloud::KUBERNETES,
    &cloud::SERVICE,
    &windows::FORMAT,
    &cloud::WEB,
    &declared::FORMAT,
    &envelope::container::CRI,
    &envelope::gelf::FORMAT,
    &cef::FORMAT,
    &leef::FORMAT,
    &samba::JSON,
    &db::mongodb::FORMAT,
    &envelope::shipped::FORMAT,
    &cloud::SENSOR,
    &logfmt::FORMAT,
    &webjson::FORMAT,
    &xrdp::LOG,
    &webmin::LOG,
    &openvpn::LOG,
    &softether::LOG,
    &charon::LOG,
    &dropbear::STDERR,
    &fast::FORMAT,
    &netfilter::PROXMOX,
    &bsd::IPMON,
    &tcpdump::FORMAT,
    &flow::NFDUMP,
    &flow::VPC,
    &flow::lines::FORMAT,
    &w3c::FORMAT,
    &haproxy::FORMAT,
    &squid::FORMAT,
    &named::FORMAT,
    &unbound::FORMAT,
    &coredns::FORMAT,
    &windns::FORMAT,
    // After those that a line's first word tells: what it looks for lies deeper.
    &cisco::LINE,
    &gateway::panos::FORMAT,
    &gateway::pairs::FORMAT,
    &access::BALANCER,
    &access::FORMAT,
    &nginx::FORMAT,
    &apache::FORMAT,
    &weblog::FORMAT,
    &ftp::xferlog::FORMAT,
];

/// The row of every program that has no row of its own.
static SYSLOG: Format = Format {
    name: "syslog",
    about: "any program's message; keyword rules see it",
    programs: &[],
    logsources: &[LogSource {
        product: "linux",
        categories: &[],
        services: &["syslog"],
    }],
    parse: Parser::Message(|_, _| Verdict::NotMine),
    example: "May  1 10:00:00 web1 myapp[812]: request took 12 ms",
};

/// The row of a format of that name.
pub fn by_name(name: &str) -> Option<u8> {
    let at = FORMATS.iter().position(|format| format.name == name)?;
    u8::try_from(at).ok()
}

/// Whether a row claims to know its program's words: the one for all other
/// programs does not, nor do those that only hold another line.
pub fn is_watched(row: u8) -> bool {
    let Some(format) = FORMATS.get(usize::from(row)) else {
        return false;
    };
    let hollow = [&SYSLOG, &envelope::journal::FORMAT];
    let is = |other: &&Format| std::ptr::eq(*other, *format);
    !hollow.iter().any(is) && !envelope::WRAPPERS.iter().any(is)
}
