//! What the site knows of addresses and users, added to events.
//!
//! Optional tables, read from files; nothing is ever asked of the network.
//! `networks` gives the autonomous system, the country and the
//! position of an address (of the longest prefix it is in); `directory` gives
//! what the site knows of a user, every column of it as `directory.NAME`, and
//! `hosts` the same of the event's host and of a connection's two ends. Only
//! fields that some rule asks for are looked up, and a look-up allocates
//! nothing. What a table says goes before what a log claims under the same
//! name: whoever writes a log does not get to choose his team.

mod calendar;
mod changes;
mod directory;
mod domain;
mod hosts;
mod layout;
mod mmdb;
mod networks;
mod rows;

use bumpalo::Bump;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::event::{Event, Net, Value, is_private};
use crate::field::{Field, Projection};
use crate::holidays::Holidays;
use directory::{Directory, PREFIX};
use hosts::Hosts;
use networks::{Network, Networks};

pub use changes::Changes;
pub use rows::Report;

/// Which files to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Networks: cidr, asn, as_name, country, lat, lon; or MaxMind DBs. The
    /// first that knows something of an address is believed. At most
    /// [`NETWORKS_MAX`].
    pub networks: Vec<PathBuf>,
    /// Users: user, uid, role, team, site, start_day, end_day, and more.
    pub directory: Option<PathBuf>,
    /// Hosts: host (a name or a pattern), address, and more.
    pub hosts: Option<PathBuf>,
    /// Holidays: iCalendar.
    pub holidays: Option<PathBuf>,
}

impl Files {
    /// All of them.
    pub fn all(&self) -> Vec<PathBuf> {
        let single = [&self.directory, &self.hosts, &self.holidays];
        let single = single.into_iter().flatten();
        self.networks.iter().chain(single).cloned().collect()
    }
}

/// Most files of networks: a city, a country and an AS one of two providers.
pub const NETWORKS_MAX: usize = 8;

/// A file cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[error("{what}; {remedy}")]
pub struct EnrichError {
    what: String,
    remedy: &'static str,
}

/// What the files say.
#[derive(Debug, Default)]
pub struct Tables {
    networks: Vec<Networks>,
    directory: Option<Directory>,
    hosts: Option<Hosts>,
    holidays: Holidays,
}

impl Tables {
    /// Reads the files; rows that cannot be used are left out and told.
    pub fn read(files: &Files) -> Result<(Tables, Report), EnrichError> {
        let mut tables = Tables::default();
        let mut report = Report::default();
        if files.networks.len() > NETWORKS_MAX {
            return Err(EnrichError {
                what: format!("{} files of networks", files.networks.len()),
                remedy: "name 8 at most",
            });
        }
        for path in &files.networks {
            let (networks, read) = Networks::read(path)?;
            tables.networks.push(networks);
            report.add(read);
        }
        if let Some(path) = &files.directory {
            let (directory, read) = Directory::read(path)?;
            tables.directory = Some(directory);
            report.add(read);
        }
        if let Some(path) = &files.hosts {
            let (hosts, read) = Hosts::read(path)?;
            tables.hosts = Some(hosts);
            report.add(read);
        }
        if let Some(path) = &files.holidays {
            let (holidays, read) = calendar::read(path)?;
            tables.holidays = holidays;
            report.add(read);
        }
        Ok((tables, report))
    }

    /// The days that are like a weekend; what judges by the season asks them.
    pub fn holidays(&self) -> &Holidays {
        &self.holidays
    }

    /// Every user's name, in the order of the alphabet.
    pub fn users(&self) -> Vec<&[u8]> {
        let directory = self.directory.as_ref();
        directory.map_or(Vec::new(), Directory::users)
    }

    /// The names of all fields that tables of users and hosts can set.
    pub fn fields(&self) -> Vec<String> {
        let mut fields = Vec::new();
        if let Some(directory) = &self.directory {
            let columns = directory.columns().iter();
            fields.extend(columns.map(|column| format!("{PREFIX}{column}")));
            fields.push(format!("{PREFIX}status"));
        }
        if let Some(hosts) = &self.hosts {
            for (_, prefix) in HOSTS {
                let columns = hosts.columns().iter();
                fields.extend(columns.map(|column| format!("{prefix}{column}")));
            }
        }
        fields
    }
}

/// Whose row of the hosts: which field tells, and what stands before the
/// columns' names.
const HOSTS: [(Field, &str); 3] = [
    (Field::HOST_NAME, "hosts."),
    (Field::SOURCE_IP, "source.hosts."),
    (Field::DESTINATION_IP, "destination.hosts."),
];

/// One end of a connection: its address and what is known of that.
struct End {
    ip: Field,
    asn: Field,
    as_name: Field,
    country: Field,
    location: Field,
    point: Field,
    network: Field,
    private: Option<Field>,
}

const ENDS: [End; 2] = [
    End {
        ip: Field::SOURCE_IP,
        asn: Field::SOURCE_AS_NUMBER,
        as_name: Field::SOURCE_AS_NAME,
        country: Field::SOURCE_GEO_COUNTRY,
        location: Field::SOURCE_GEO_LOCATION,
        point: Field::SOURCE_GEO_POINT,
        network: Field::SOURCE_NETWORK,
        private: Some(Field::SOURCE_PRIVATE_IP),
    },
    End {
        ip: Field::DESTINATION_IP,
        asn: Field::DESTINATION_AS_NUMBER,
        as_name: Field::DESTINATION_AS_NAME,
        country: Field::DESTINATION_GEO_COUNTRY,
        location: Field::DESTINATION_GEO_LOCATION,
        point: Field::DESTINATION_GEO_POINT,
        network: Field::DESTINATION_NETWORK,
        private: None,
    },
];

impl End {
    fn fields(&self) -> [Field; 5] {
        [
            self.asn,
            self.as_name,
            self.country,
            self.location,
            self.point,
        ]
    }

    fn derived(&self) -> impl Iterator<Item = Field> {
        [self.network].into_iter().chain(self.private)
    }

    /// What follows from the address, and never from what a log calls it.
    fn derive(&self, ip: Option<IpAddr>, known: &Known<'_>, event: &mut Event<'_>) {
        let net = ip.map(|ip| {
            let system = known.first(|network| network.asn);
            system.map_or_else(|| Net::around(ip), Net::As)
        });
        let private = ip.filter(|ip| is_private(*ip));
        let mut put = |field, value: Option<Value<'static>>| {
            if value.is_some() || event.get(field).is_some() {
                event.replace(field, value.unwrap_or(Value::Null));
            }
        };
        put(self.network, net.map(Value::Net));
        if let Some(field) = self.private {
            put(field, private.map(Value::Ip));
        }
    }

    fn value<'a>(&self, field: Field, network: &'a Network) -> Option<Value<'a>> {
        let text = |text: &'a str| (!text.is_empty()).then_some(Value::Text(text.as_bytes()));
        if field == self.asn {
            network.asn.map(|asn| Value::Int(i64::from(asn)))
        } else if field == self.point {
            network.point.map(|point| Value::Int(i64::from(point)))
        } else if field == self.as_name {
            text(&network.as_name)
        } else if field == self.country {
            text(&network.country)
        } else {
            text(&network.location)
        }
    }
}

/// What each file of networks knows of an address, in their order.
#[derive(Default)]
struct Known<'a>([Option<&'a Network>; NETWORKS_MAX]);

impl<'a> Known<'a> {
    fn of(networks: &'a [Networks], ip: Option<IpAddr>) -> Known<'a> {
        let mut known = Known::default();
        for (place, networks) in known.0.iter_mut().zip(networks) {
            *place = ip.and_then(|ip| networks.find(ip));
        }
        known
    }

    /// What the first of them says who says anything.
    fn first<T>(&self, what: impl Fn(&'a Network) -> Option<T>) -> Option<T> {
        self.0.iter().flatten().copied().find_map(what)
    }
}

/// What of a user is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Column(usize),
    Status,
}

/// The tables for one rule set: only what its rules ask for is looked up.
#[derive(Debug)]
pub struct Enricher {
    tables: Arc<Tables>,
    /// By end, the fields of the table that are asked for.
    ends: [Vec<Field>; 2],
    /// By end, whether what follows from the address alone is asked for.
    derived: [bool; 2],
    user: Vec<(Field, Asked)>,
    /// Whether the domain of a name is asked for.
    domain: bool,
    /// By row of [`HOSTS`], the fields that are asked for and their columns.
    hosts: [Vec<(Field, usize)>; HOSTS.len()],
}

impl Enricher {
    /// What of the tables a projection asks for.
    pub fn new(tables: Arc<Tables>, projection: &Projection) -> Enricher {
        let wanted = |field: &Field| projection.wants(*field);
        let networks = !tables.networks.is_empty();
        let ends = ENDS.each_ref().map(|end| {
            let fields = end.fields().into_iter().filter(wanted);
            fields.filter(|_| networks).collect()
        });
        let derived = ENDS
            .each_ref()
            .map(|end| end.derived().any(|field| wanted(&field)));
        let mut user = Vec::new();
        if let Some(directory) = &tables.directory {
            let names = directory.columns().iter().enumerate();
            let columns = names.map(|(at, name)| (name.as_str(), Asked::Column(at)));
            for (name, asked) in columns.chain([("status", Asked::Status)]) {
                let field = projection.names.get(&format!("{PREFIX}{name}"));
                if let Some(field) = field.filter(wanted)
                    && user.iter().all(|(known, _)| *known != field)
                {
                    user.push((field, asked));
                }
            }
        }
        let columns = tables.hosts.as_ref().map_or(&[][..], Hosts::columns);
        let hosts = HOSTS.map(|(_, prefix)| {
            let mut asked: Vec<(Field, usize)> = Vec::new();
            for (at, name) in columns.iter().enumerate() {
                let field = projection.names.get(&format!("{prefix}{name}"));
                if let Some(field) = field.filter(wanted)
                    && asked.iter().all(|(known, _)| *known != field)
                {
                    asked.push((field, at));
                }
            }
            asked
        });
        Enricher {
            tables,
            ends,
            derived,
            user,
            domain: projection.wants(Field::DNS_REGISTERED_DOMAIN),
            hosts,
        }
    }

    /// No tables.
    pub fn idle() -> Enricher {
        Enricher::new(Arc::default(), &Projection::default())
    }

    /// The same tables for other rules.
    #[must_use]
    pub fn with(&self, projection: &Projection) -> Enricher {
        Enricher::new(Arc::clone(&self.tables), projection)
    }

    /// Whether it adds nothing to any event.
    pub fn is_idle(&self) -> bool {
        self.user.is_empty()
            && !self.domain
            && self.ends.iter().all(Vec::is_empty)
            && self.hosts.iter().all(Vec::is_empty)
            && self.derived == [false; 2]
    }

    /// The projection with what is needed to look up what it asks for.
    #[must_use]
    pub fn project(&self, projection: &Arc<Projection>) -> Arc<Projection> {
        let mut needed = Vec::new();
        for ((end, fields), derived) in ENDS.iter().zip(&self.ends).zip(self.derived) {
            needed.extend((derived || !fields.is_empty()).then_some(end.ip));
        }
        if !self.user.is_empty() {
            needed.extend([Field::USER_NAME, Field::USER_ID]);
        }
        needed.extend(self.domain.then_some(Field::DNS_QUESTION_NAME));
        for ((field, _), asked) in HOSTS.iter().zip(&self.hosts) {
            needed.extend((!asked.is_empty()).then_some(*field));
        }
        if needed.iter().all(|field| projection.wants(*field)) {
            return Arc::clone(projection);
        }
        let mut projection = Projection::clone(projection);
        for field in needed {
            projection.want(field);
        }
        Arc::new(projection)
    }

    /// Adds what is known to an event; what is decoded lives in the arena.
    pub fn enrich<'a>(&'a self, event: &mut Event<'a>, arena: &'a Bump) {
        if self.is_idle() {
            return;
        }
        for ((end, fields), derived) in ENDS.iter().zip(&self.ends).zip(self.derived) {
            if fields.is_empty() && !derived {
                continue;
            }
            let ip = event.get(end.ip).and_then(address);
            let known = Known::of(&self.tables.networks, ip);
            if derived {
                end.derive(ip, &known, event);
            }
            for field in fields {
                if let Some(value) = known.first(|network| end.value(*field, network)) {
                    event.replace(*field, value);
                }
            }
        }
        if self.domain {
            add_domain(event, arena);
        }
        if let (Some(directory), false) = (&self.tables.directory, self.user.is_empty()) {
            self.add_user(directory, event);
        }
        if let Some(hosts) = &self.tables.hosts {
            self.add_hosts(hosts, event);
        }
    }

    fn add_user<'a>(&'a self, directory: &'a Directory, event: &mut Event<'a>) {
        let text = |field| match event.get(field) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        };
        let (name, uid) = (text(Field::USER_NAME), text(Field::USER_ID));
        // A name that is not there is not looked up by the number beside it.
        let person = directory.find(name, uid.filter(|_| name.is_none()));
        for (field, asked) in &self.user {
            let value = person.and_then(|person| match asked {
                Asked::Column(column) => person.value(*column),
                Asked::Status => event.time.and_then(|time| person.status(time)),
            });
            put(event, *field, value);
        }
    }

    fn add_hosts<'a>(&'a self, hosts: &'a Hosts, event: &mut Event<'a>) {
        for ((field, _), asked) in HOSTS.iter().zip(&self.hosts) {
            if asked.is_empty() {
                continue;
            }
            let row = match event.get(*field) {
                Some(Value::Text(name)) if *field == Field::HOST_NAME => hosts.named(name),
                value => value.and_then(address).and_then(|ip| hosts.at(ip)),
            };
            for (field, column) in asked {
                put(event, *field, row.and_then(|row| hosts.value(row, *column)));
            }
        }
    }
}

/// What follows from a name, and never what a log says of it.
fn add_domain<'a>(event: &mut Event<'a>, arena: &'a Bump) {
    let found = match event.get(Field::DNS_QUESTION_NAME) {
        Some(Value::Text(name)) => domain::registered(name, arena),
        _ => None,
    };
    match found {
        Some(domain) => event.replace(Field::DNS_REGISTERED_DOMAIN, Value::Text(domain)),
        None if event.get(Field::DNS_REGISTERED_DOMAIN).is_some() => {
            event.replace(Field::DNS_REGISTERED_DOMAIN, Value::Null);
        }
        None => {}
    }
}

/// Sets what a table says; where it says nothing, nobody makes himself somebody
/// by writing it into a log.
fn put<'a>(event: &mut Event<'a>, field: Field, value: Option<&'a str>) {
    match value {
        Some(value) => event.replace(field, Value::Text(value.as_bytes())),
        None if event.get(field).is_some() => event.replace(field, Value::Null),
        None => {}
    }
}

/// An address, also where an event has it as text.
fn address(value: Value<'_>) -> Option<IpAddr> {
    match value {
        Value::Ip(ip) => Some(ip),
        Value::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        Value::List(members) => members.iter().copied().find_map(address),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
