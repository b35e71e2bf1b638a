//! What web servers and proxies share: the request line, the address asked
//! for, and the status that says how it went.
//!
//! Every word here was chosen by the client, so nothing in it is believed: a
//! request that is none is kept whole in `url.original`.

use super::token::{cut, cut_last, first_word, last_word, number, once, port, say, some};
use crate::event::{Event, Value};
use crate::field::Field;

/// Longest method that is believed to be one (`BASELINE-CONTROL` has 16 letters).
const METHOD_MAX: usize = 20;

const NO_STATUS: &str = "no status where it belongs";

/// Sets method, address and version of `GET /path HTTP/1.1`; what is no
/// request is the address as it stands.
pub(super) fn request<'a>(text: &'a [u8], event: &mut Event<'a>) {
    let (verb, rest) = first_word(text);
    if !is_method(verb) {
        some(event, Field::URL_ORIGINAL, text);
        return;
    }
    let (address, version) = match last_word(rest) {
        (address, last) if !address.is_empty() => match last.strip_prefix(b"HTTP/") {
            Some(version) => (address, Some(version)),
            None => (rest, None),
        },
        _ => (rest, None),
    };
    let names_something = address.starts_with(b"/")
        || address == b"*"
        || verb == b"CONNECT"
        || cut(address, b"://").is_some();
    if version.is_none() && !names_something {
        some(event, Field::URL_ORIGINAL, text);
        return;
    }
    event.text(Field::HTTP_METHOD, verb);
    if let Some(version) = version {
        event.text(Field::HTTP_VERSION, version);
    }
    target(address, verb == b"CONNECT", event);
}

fn is_method(verb: &[u8]) -> bool {
    (1..=METHOD_MAX).contains(&verb.len())
        && verb
            .iter()
            .all(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_'))
}

/// Sets an address and its parts; a tunnel's is only `host:port`.
pub(super) fn target<'a>(address: &'a [u8], tunnel: bool, event: &mut Event<'a>) {
    some(event, Field::URL_ORIGINAL, address);
    if tunnel {
        authority(address, event);
        return;
    }
    let local = match cut(address, b"://") {
        Some((scheme, rest))
            if !scheme.is_empty() && scheme.iter().all(u8::is_ascii_alphanumeric) =>
        {
            once(event, Field::URL_SCHEME, Value::Text(scheme));
            let end = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
            authority(rest.get(..end).unwrap_or_default(), event);
            rest.get(end..).unwrap_or_default()
        }
        _ => address,
    };
    match cut(local, b"?") {
        Some((path, query)) => {
            some(event, Field::URL_PATH, path);
            some(event, Field::URL_QUERY, query);
        }
        None => some(event, Field::URL_PATH, local),
    }
}

/// `host`, `host:port`, `[address]:port`, with or without `user@`.
pub(super) fn authority<'a>(text: &'a [u8], event: &mut Event<'a>) {
    let text = cut_last(text, b"@").map_or(text, |(_, host)| host);
    let (host, number) = match cut_last(text, b":") {
        Some((host, number)) if port(number).is_some() && !host.is_empty() => (host, port(number)),
        _ => (text, None),
    };
    some(event, Field::URL_DOMAIN, host);
    if let Some(number) = number {
        once(event, Field::URL_PORT, Value::Int(i64::from(number)));
    }
}

/// Sets what an access log says happened, from the answer's status.
pub(super) fn answered(status: Option<i64>, event: &mut Event<'_>) {
    let outcome = match status {
        Some(100..=399) => "success",
        Some(_) => "failure",
        None => "unknown",
    };
    say(event, "http_request", outcome, "web");
    if let Some(status) = status {
        event.set(Field::HTTP_STATUS, Value::Int(status));
    }
}

/// Three digits from 100, or the `-` and zeros of no status.
pub(super) fn status(word: &[u8]) -> Result<Option<i64>, &'static str> {
    match word {
        b"-" | b"0" | b"000" | b"-1" => Ok(None),
        [b'1'..=b'9', _, _] => number(word).map(Some).ok_or(NO_STATUS),
        _ => Err(NO_STATUS),
    }
}

/// A count, or the `-` of none.
pub(super) fn count(word: &[u8]) -> Result<Option<i64>, &'static str> {
    match word {
        b"-" => Ok(None),
        _ => number(word)
            .map(Some)
            .ok_or("no number where a length belongs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut event = Event::new();
        request(text.as_bytes(), &mut event);
        let fields = [
            Field::HTTP_METHOD,
            Field::URL_ORIGINAL,
            Field::URL_DOMAIN,
            Field::URL_PORT,
            Field::URL_PATH,
            Field::URL_QUERY,
            Field::HTTP_VERSION,
        ];
        let shown = fields.map(|field| event.shown(field));
        shown.join("|")
    }

    #[test]
    fn a_request_is_taken_apart_and_what_is_none_is_kept_whole() {
        for (text, expected) in [
            ("GET / HTTP/1.1", "GET|/|-|-|/|-|1.1"),
            ("GET /a?b=/c?d HTTP/2.0", "GET|/a?b=/c?d|-|-|/a|b=/c?d|2.0"),
            ("GET /a b HTTP/1.1", "GET|/a b|-|-|/a b|-|1.1"),
            ("GET /a", "GET|/a|-|-|/a|-|-"),
            (
                "GET http://u@h.example:81/a?q HTTP/1.1",
                "GET|http://u@h.example:81/a?q|h.example|81|/a|q|1.1",
            ),
            (
                "CONNECT h.example:443 HTTP/1.1",
                "CONNECT|h.example:443|h.example|443|-|-|1.1",
            ),
            ("OPTIONS * HTTP/1.0", "OPTIONS|*|-|-|*|-|1.0"),
            (r"\x16\x03\x01", r"-|\x16\x03\x01|-|-|-|-|-"),
            ("HELP", "-|HELP|-|-|-|-|-"),
            ("HELP me", "-|HELP me|-|-|-|-|-"),
            ("-", "-|-|-|-|-|-|-"),
            ("", "-|-|-|-|-|-|-"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
