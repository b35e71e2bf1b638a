//! What is added to events, and what is not.

use std::path::PathBuf;

use bumpalo::Bump;

use super::*;
use crate::field::Names;
use crate::time::Time;

fn tables() -> Arc<Tables> {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let files = Files {
        networks: vec![put(
            "networks.csv",
            "cidr,asn,as_name,country,lat,lon\n198.51.100.0/24,64500,Example Net,NL,52.4,4.9\n",
        )],
        directory: Some(put(
            "users.csv",
            "user,uid,team,badge,end_day\nalice,1001,ops,17,\nbob,1002,lab,,2025-01-31\n",
        )),
        ..Files::default()
    };
    let (tables, report) = Tables::read(&files).unwrap();
    assert_eq!((report.rows, report.broken), (3, 0));
    Arc::new(tables)
}

/// A projection for rules that name these fields.
fn asking(names: &[&str]) -> Arc<Projection> {
    let mut all = Names::default();
    let fields: Vec<Field> = names.iter().map(|name| all.intern(name).unwrap()).collect();
    let mut projection = Projection::over(all);
    for field in fields {
        projection.want(field);
    }
    Arc::new(projection)
}

fn login() -> Event<'static> {
    let mut event = Event::new();
    event.time = Some(Time::from_secs(1_740_000_000)); // 2025-02-19
    event.set(Field::SOURCE_IP, Value::Ip("198.51.100.9".parse().unwrap()));
    event.text(Field::USER_NAME, b"alice");
    event
}

#[test]
fn an_event_gets_what_rules_ask_for_and_nothing_else() {
    let arena = Bump::new();
    let projection = asking(&["source.as.number", "directory.badge"]);
    let badge = projection.names.get("directory.badge").unwrap();
    let enricher = Enricher::new(tables(), &projection);
    let mut event = login();
    enricher.enrich(&mut event, &arena);
    assert_eq!(event.get(Field::SOURCE_AS_NUMBER), Some(Value::Int(64_500)));
    assert_eq!(event.get(badge), Some(Value::Text(b"17")));
    assert_eq!(event.values().len(), 4);
    assert!(Enricher::new(tables(), &asking(&["user.name"])).is_idle());
}

#[test]
fn what_a_look_up_needs_is_decoded_although_no_rule_names_it() {
    let projection = asking(&["destination.geo.country_iso_code", "directory.team"]);
    assert!(!projection.wants(Field::DESTINATION_IP));
    let enricher = Enricher::new(tables(), &projection);
    let wider = enricher.project(&projection);
    for field in [Field::DESTINATION_IP, Field::USER_NAME, Field::USER_ID] {
        assert!(wider.wants(field));
    }
    assert!(!wider.wants(Field::SOURCE_IP));
    assert!(Arc::ptr_eq(
        &Enricher::idle().project(&projection),
        &projection
    ));
}

#[test]
fn whoever_writes_a_log_does_not_choose_his_team() {
    let arena = Bump::new();
    let enricher = Enricher::new(tables(), &asking(&["directory.team"]));
    for (user, wanted) in [
        (&b"alice"[..], Value::Text(b"ops")),
        (b"mallory", Value::Null),
    ] {
        let mut event = Event::new();
        event.text(Field::DIRECTORY_TEAM, b"admins");
        event.text(Field::USER_NAME, user);
        // The number is in the log too, and names somebody else.
        event.text(Field::USER_ID, b"1002");
        enricher.enrich(&mut event, &arena);
        assert_eq!(event.get(Field::DIRECTORY_TEAM), Some(wanted));
    }
}

#[test]
fn a_user_that_only_his_number_tells_is_found_and_has_left() {
    let arena = Bump::new();
    let enricher = Enricher::new(tables(), &asking(&["directory.user", "directory.status"]));
    let mut event = Event::new();
    event.time = login().time;
    event.text(Field::USER_ID, b"1002");
    enricher.enrich(&mut event, &arena);
    assert_eq!(event.get(Field::DIRECTORY_USER), Some(Value::Text(b"bob")));
    assert_eq!(
        event.get(Field::DIRECTORY_STATUS),
        Some(Value::Text(b"left"))
    );
}

#[test]
fn a_host_is_known_by_the_events_host_and_by_either_end_of_a_connection() {
    let arena = Bump::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hosts.csv");
    let text = "host,address,role\nweb*,,web\ndb1,192.0.2.5,database\nlab,198.51.100.0/24,lab\n";
    std::fs::write(&path, text).unwrap();
    let files = Files {
        hosts: Some(path),
        ..Files::default()
    };
    let (tables, _) = Tables::read(&files).unwrap();
    let names = ["hosts.role", "source.hosts.role", "destination.hosts.role"];
    assert!(
        names
            .iter()
            .all(|name| tables.fields().contains(&(*name).to_owned()))
    );
    let projection = asking(&names);
    let enricher = Enricher::new(Arc::new(tables), &projection);
    let wider = enricher.project(&projection);
    assert!(wider.wants(Field::HOST_NAME) && wider.wants(Field::DESTINATION_IP));
    let mut event = login();
    event.text(Field::HOST_NAME, b"Web7");
    let destination = Value::Text(b"192.0.2.5");
    event.set(Field::DESTINATION_IP, destination);
    let [host, source, target] = names.map(|name| projection.names.get(name).unwrap());
    // What the log says of it does not count.
    event.text(source, b"trusted");
    enricher.enrich(&mut event, &arena);
    assert_eq!(event.get(host), Some(Value::Text(b"web")));
    assert_eq!(event.get(source), Some(Value::Text(b"lab")));
    assert_eq!(event.get(target), Some(Value::Text(b"database")));
}

#[test]
fn of_two_files_of_networks_the_first_that_knows_something_is_believed() {
    use mmdb::writer::{Put, database};
    let arena = Bump::new();
    let folder = tempfile::tempdir().unwrap();
    let city = Put::Map(vec![(
        "country",
        Put::Map(vec![("iso_code", Put::Text("NL"))]),
    )]);
    let other = Put::Map(vec![
        ("country_code", Put::Text("BR")),
        ("asn", Put::U32(64_501)),
    ]);
    let mut networks = Vec::new();
    // Neither's name says what it is.
    for (name, nets) in [
        ("a.csv", vec![("198.51.100.0/24", city)]),
        ("b", vec![("198.51.0.0/16", other)]),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, database(&nets, 24, 6)).unwrap();
        networks.push(path);
    }
    let files = |networks| Files {
        networks,
        ..Files::default()
    };
    let (tables, report) = Tables::read(&files(networks.clone())).unwrap();
    assert_eq!(report.broken, 0);
    let asked = [
        "source.as.number",
        "source.geo.country_iso_code",
        "source.network",
    ];
    let enricher = Enricher::new(Arc::new(tables), &asking(&asked));
    for (ip, country) in [("198.51.100.9", &b"NL"[..]), ("198.51.9.9", b"BR")] {
        let mut event = Event::new();
        event.set(Field::SOURCE_IP, Value::Ip(ip.parse().unwrap()));
        enricher.enrich(&mut event, &arena);
        assert_eq!(event.get(Field::SOURCE_AS_NUMBER), Some(Value::Int(64_501)));
        assert_eq!(
            event.get(Field::SOURCE_GEO_COUNTRY),
            Some(Value::Text(country))
        );
        assert_eq!(
            event.get(Field::SOURCE_NETWORK),
            Some(Value::Net(Net::As(64_501)))
        );
    }
    let many = vec![networks[0].clone(); NETWORKS_MAX + 1];
    let error = Tables::read(&files(many)).unwrap_err().to_string();
    assert!(error.contains("name 8 at most"), "{error}");
}

#[test]
fn the_domain_of_a_name_is_told_and_not_what_a_log_says_it_is() {
    let arena = Bump::new();
    let projection = asking(&["dns.question.registered_domain"]);
    let enricher = Enricher::new(Arc::default(), &projection);
    assert!(
        enricher
            .project(&projection)
            .wants(Field::DNS_QUESTION_NAME)
    );
    for (name, claimed, wanted) in [
        (
            &b"a1.T.example.com."[..],
            None,
            Some(Value::Text(b"example.com")),
        ),
        (
            b"x.example.com",
            Some(&b"bank.example"[..]),
            Some(Value::Text(b"example.com")),
        ),
        (b"localhost", Some(b"bank.example"), Some(Value::Null)),
        (b"localhost", None, None),
    ] {
        let mut event = Event::new();
        event.text(Field::DNS_QUESTION_NAME, name);
        if let Some(claimed) = claimed {
            event.text(Field::DNS_REGISTERED_DOMAIN, claimed);
        }
        enricher.enrich(&mut event, &arena);
        assert_eq!(event.get(Field::DNS_REGISTERED_DOMAIN), wanted);
    }
}
