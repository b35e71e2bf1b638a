//! What the site knows of addresses and users, added to events.
//!
//! Two optional tables, read from CSV files; nothing is ever asked of the
//! network. `networks` gives the autonomous system, the country and the
//! position of an address (of the longest prefix it is in); `directory` gives
//! what the site knows of a user, every column of it as `directory.NAME`. Only
//! fields that some rule asks for are looked up, and a look-up allocates
//! nothing. What a table says goes before what a log claims under the same
//! name: whoever writes a log does not get to choose his team.

mod directory;
mod domain;
mod networks;
mod rows;

use bumpalo::Bump;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::event::{Event, Net, Value, is_private};
use crate::field::{Field, Projection};
use directory::{Directory, PREFIX};
use networks::{Network, Networks};

pub use rows::Report;

/// Which files to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Networks: cidr, asn, as_name, country, lat, lon.
    pub networks: Option<PathBuf>,
    /// Users: user, uid, role, team, site, start_day, end_day, and more.
    pub directory: Option<PathBuf>,
}

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
    networks: Option<Networks>,
    directory: Option<Directory>,
}

impl Tables {
    /// Reads the files; rows that cannot be used are left out and told.
    pub fn read(files: &Files) -> Result<(Tables, Report), EnrichError> {
        let mut tables = Tables::default();
        let mut report = Report::default();
        if let Some(path) = &files.networks {
            let (networks, read) = Networks::read(path)?;
            tables.networks = Some(networks);
            report.add(read);
        }
        if let Some(path) = &files.directory {
            let (directory, read) = Directory::read(path)?;
            tables.directory = Some(directory);
            report.add(read);
        }
        Ok((tables, report))
    }

    /// Every user's name, in the order of the alphabet.
    pub fn users(&self) -> Vec<&[u8]> {
        let directory = self.directory.as_ref();
        directory.map_or(Vec::new(), Directory::users)
    }

    /// The names of all fields that the directory can set.
    pub fn user_fields(&self) -> Vec<String> {
        let Some(directory) = &self.directory else {
            return Vec::new();
        };
        let columns = directory.columns().iter();
        columns
            .map(|column| format!("{PREFIX}{column}"))
            .chain([format!("{PREFIX}status")])
            .collect()
    }
}

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
    fn derive(&self, ip: Option<IpAddr>, network: Option<&Network>, event: &mut Event<'_>) {
        let net = ip.map(|ip| {
            let system = network.and_then(|network| network.asn);
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
}

impl Enricher {
    /// What of the tables a projection asks for.
    pub fn new(tables: Arc<Tables>, projection: &Projection) -> Enricher {
        let wanted = |field: &Field| projection.wants(*field);
        let networks = tables.networks.is_some();
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
        Enricher {
            tables,
            ends,
            derived,
            user,
            domain: projection.wants(Field::DNS_REGISTERED_DOMAIN),
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
            let networks = self.tables.networks.as_ref();
            let network = ip.and_then(|ip| networks?.find(ip));
            if derived {
                end.derive(ip, network, event);
            }
            for field in fields {
                if let Some(value) = network.and_then(|network| end.value(*field, network)) {
                    event.replace(*field, value);
                }
            }
        }
        if self.domain {
            let found = match event.get(Field::DNS_QUESTION_NAME) {
                Some(Value::Text(name)) => domain::registered(name, arena),
                _ => None,
            };
            // What follows from the name, and never what a log says of it.
            match found {
                Some(domain) => event.replace(Field::DNS_REGISTERED_DOMAIN, Value::Text(domain)),
                None if event.get(Field::DNS_REGISTERED_DOMAIN).is_some() => {
                    event.replace(Field::DNS_REGISTERED_DOMAIN, Value::Null);
                }
                None => {}
            }
        }
        if let (Some(directory), false) = (&self.tables.directory, self.user.is_empty()) {
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
                match value {
                    Some(value) => event.replace(*field, Value::Text(value.as_bytes())),
                    // Nobody makes himself somebody by writing it into a log.
                    None if event.get(*field).is_some() => event.replace(*field, Value::Null),
                    None => {}
                }
            }
        }
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

/// When a file was last written to and how long it is, to see that it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen(Option<(std::time::SystemTime, u64)>);

impl Seen {
    fn of(path: Option<&Path>) -> Seen {
        let meta = path.and_then(|path| std::fs::metadata(path).ok());
        Seen(meta.and_then(|meta| Some((meta.modified().ok()?, meta.len()))))
    }
}

/// Looks whether the files were changed.
#[derive(Clone, Debug)]
pub struct Changes {
    files: Files,
    seen: [Seen; 2],
}

impl Changes {
    /// From now on. Call it before the files are read.
    pub fn of(files: &Files) -> Changes {
        Changes {
            seen: Changes::look(files),
            files: files.clone(),
        }
    }

    fn look(files: &Files) -> [Seen; 2] {
        [&files.networks, &files.directory].map(|path| Seen::of(path.as_deref()))
    }

    /// Whether they were since this was last asked.
    pub fn any(&mut self) -> bool {
        let now = Changes::look(&self.files);
        std::mem::replace(&mut self.seen, now) != now
    }
}

#[cfg(test)]
mod tests;
