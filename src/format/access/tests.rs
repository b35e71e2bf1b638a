use super::*;

fn read(text: &str) -> (Verdict, String) {
    let context = Context::utc(Time::from_secs(1_714_982_400));
    let mut event = Event::new();
    let verdict = parse(text.as_bytes(), &context, &mut event);
    let fields = [
        Field::SOURCE_IP,
        Field::SOURCE_DOMAIN,
        Field::USER_NAME,
        Field::HTTP_METHOD,
        Field::URL_ORIGINAL,
        Field::HTTP_STATUS,
        Field::HTTP_RESPONSE_BYTES,
        Field::DESTINATION_DOMAIN,
        Field::HTTP_REFERRER,
        Field::USER_AGENT,
    ];
    let shown = fields.map(|field| event.shown(field));
    (verdict, shown.join("|"))
}

/// A line with a client part and a request.
fn with(client: &str, asked: &str) -> String {
    format!(r#"{client} [06/May/2024:08:00:00 +0000] "{asked}" 200 5 "-" "-""#)
}

#[test]
fn lines_of_every_shape_say_who_asked_for_what() {
    for (text, expected) in [
        (
            r#"192.0.2.7 - - [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 200 612"#,
            "192.0.2.7|-|-|GET|/|200|612|-|-|-",
        ),
        (
            r#"2001:db8::7 - bob [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 401 - "https://a.example/" "curl" "198.51.100.1" 0.1"#,
            "2001:db8::7|-|bob|GET|/|401|-|-|https://a.example/|curl",
        ),
        (
            r#"www.example.net:443 192.0.2.7 - - [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 200 1 - -"#,
            "192.0.2.7|-|-|GET|/|200|1|www.example.net|-|-",
        ),
        (
            r#"192.0.2.7 - "" [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 401 1"#,
            "192.0.2.7|-|-|GET|/|401|1|-|-|-",
        ),
        (
            r#"192.0.2.7 - [06/May/2024:08:00:00 +0000] "-" 408 -"#,
            "192.0.2.7|-|-|-|-|408|-|-|-|-",
        ),
        (
            r#"host.example - - [06/May/2024:08:00:00 ] www.example.net "GET /\"x HTTP/1.1" 200 1 "-" "a\"b""#,
            r#"-|host.example|-|GET|/\"x|200|1|www.example.net|-|a\"b"#,
        ),
        (
            r#"198.51.100.1, 198.51.100.2 192.0.2.7 - bob [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 200 1"#,
            "192.0.2.7|-|bob|GET|/|200|1|-|-|-",
        ),
        (
            r#""198.51.100.1, x" 192.0.2.7 - - [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1" 200 1"#,
            "192.0.2.7|-|-|GET|/|200|1|-|-|-",
        ),
        (
            r#"[06/May/2024:08:00:00 +0000] - 404 404 - GET http www.example.net "/x" [Client 192.0.2.7] [Length 9] [Gzip -] [Sent-to b] "curl" "-""#,
            "192.0.2.7|-|-|GET|/x|404|9|www.example.net|-|curl",
        ),
        (
            r#"[06/May/2024:08:00:00 +0000] 192.0.2.7 TLSv1.3 TLS_AES_256_GCM_SHA384 "GET / HTTP/1.1" 1375"#,
            "192.0.2.7|-|-|GET|/|-|1375|-|-|-",
        ),
    ] {
        assert_eq!(read(text), (Verdict::Event, expected.to_owned()), "{text}");
    }
}

#[test]
fn a_user_name_of_a_refused_login_moves_nothing() {
    for user in [
        "198.51.100.66 - -",
        "x [06/May/2024:08:00:00 +0000]",
        "[06/May/2024:08:00:00 +0000] 198.51.100.66",
        r#"\"x\""#,
    ] {
        let (verdict, shown) = read(&with(&format!("192.0.2.7 - {user}"), "GET / HTTP/1.1"));
        assert_ne!(verdict, Verdict::NotMine, "{user}");
        if verdict == Verdict::Event {
            assert!(
                shown.starts_with(&format!("192.0.2.7|-|{user}|GET")),
                "{shown}"
            );
        }
    }
}

#[test]
fn two_addresses_that_could_both_be_the_clients_are_none() {
    for client in ["198.51.100.66 192.0.2.7 - -", "a.example 192.0.2.7 -"] {
        let (verdict, _) = read(&with(client, "GET / HTTP/1.1"));
        assert!(matches!(verdict, Verdict::Malformed(_)), "{client}");
    }
}

#[test]
fn what_is_no_access_log_is_left_alone() {
    for text in [
        "- - - - - - - - - - - - - - - - - - - - - - - - - -",
        r#"192.0.2.7 - - [x] "GET / HTTP/1.1" 200 612 and more of it"#,
        r#"{"log":"192.0.2.7 - - [06/May/2024:08:00:00 +0000] \"GET / HTTP/1.1\" 200 612"}"#,
        "[Mon May 06 08:00:00 2024] [error] [client 192.0.2.7] \"x\"",
    ] {
        assert_eq!(read(text).0, Verdict::NotMine, "{text}");
    }
}

#[test]
fn a_request_that_does_not_end_is_malformed() {
    for text in [
        r#"192.0.2.7 - - [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1"#,
        r#"192.0.2.7 - - [06/May/2024:08:00:00 +0000] "GET / HTTP/1.1\" 200 1"#,
        r#"192.0.2.7 - - [06/May/2024:08:00:00 +0000] "GET /" x" 200 1 "-" "-""#,
    ] {
        assert!(matches!(read(text).0, Verdict::Malformed(_)), "{text}");
    }
}
