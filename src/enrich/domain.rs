//! The domain that a name is registered under: `www.example.co.uk` is one of
//! `example.co.uk`, and so is every name that a tunnel through DNS makes up.
//!
//! Where names are registered is told by Mozilla's Public Suffix List, which is
//! compiled in; of a suffix that it does not have (`corp`, `lan`) the last label
//! counts. Letters are small, as DNS does not tell them apart: whoever asks for
//! `eXample.com` and `exaMple.com` has asked for one domain.

use bumpalo::Bump;

/// The longest name that DNS can carry, as text (RFC 1035, section 3.1).
const NAME_MAX: usize = 253;

/// The registered domain of a name; `None` of suffixes, of single labels, of
/// addresses and of what is no name.
pub(super) fn registered<'a>(name: &'a [u8], arena: &'a Bump) -> Option<&'a [u8]> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    if name.len() > NAME_MAX || last.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let name = if name.iter().any(u8::is_ascii_uppercase) {
        let small = arena.alloc_slice_copy(name);
        small.make_ascii_lowercase();
        small
    } else {
        name
    };
    let domain = psl::domain(name)?;
    // Empty labels would make many domains of one.
    let labels = domain.as_bytes().split(|byte| *byte == b'.');
    (labels.filter(|label| label.is_empty()).count() == 0).then_some(domain.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_traced_to_where_they_are_registered() {
        let arena = Bump::new();
        for (name, expected) in [
            ("www.example.com", Some("example.com")),
            ("a.b.Example.CO.UK.", Some("example.co.uk")),
            ("example.com", Some("example.com")),
            ("mira.duckdns.org", Some("mira.duckdns.org")),
            ("tile.host.corp", Some("host.corp")),
            ("7.2.0.192.in-addr.arpa", Some("192.in-addr.arpa")),
            ("co.uk", None),
            ("localhost", None),
            ("192.0.2.7", None),
            ("", None),
            (".", None),
            ("...", None),
            ("a..com", None),
        ] {
            let found = registered(name.as_bytes(), &arena);
            assert_eq!(found, expected.map(str::as_bytes), "{name}");
        }
        let long = format!("{}.example.com", "a".repeat(250));
        assert_eq!(registered(long.as_bytes(), &arena), None);
        assert_eq!(
            registered(b"\xff\0.example.com", &arena),
            Some(&b"example.com"[..])
        );
    }
}
