//! An alert's id: a name for what it is about, the same wherever it is found.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{Id, RuleInfo};
use crate::time::Time;

impl Id {
    /// The id of the alert that `rule` raises about the entity `key` at `line`.
    /// UUID version 8 (RFC 9562): the head of a SHA-256 over all of them. Each
    /// part is preceded by its length, so that no two lists of parts agree.
    pub fn new(rule: &RuleInfo, key: &[u8], time: Time, line: &[u8]) -> Id {
        let mut digest = Sha256::new();
        let stamp = time.nanos().to_be_bytes();
        for part in [
            b"tipstaff/1".as_slice(),
            rule.id.as_bytes(),
            &rule.hash,
            key,
            &stamp,
            line,
        ] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(digest.finalize()) {
            *to = from;
        }
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut id;
        *version = *version & 0x0f | 0x80;
        *variant = *variant & 0x3f | 0x80;
        Id(id)
    }
}

/// Hyphenated lower-case hexadecimal.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_version_8_uuid_and_depends_on_every_part() {
        let rule = RuleInfo::default();
        let other = RuleInfo {
            hash: [1; 16],
            ..RuleInfo::default()
        };
        let (t, u) = (Time::from_secs(1), Time::from_secs(2));
        let ids = [
            Id::new(&rule, b"k", t, b"line"),
            Id::new(&other, b"k", t, b"line"),
            Id::new(&rule, b"", t, b"kline"),
            Id::new(&rule, b"k", u, b"line"),
            Id::new(&rule, b"k", t, b"lines"),
        ];
        for (at, id) in ids.iter().enumerate() {
            assert!(!ids[..at].contains(id));
        }
        let text = ids[0].to_string();
        assert_eq!(text.len(), 36);
        assert_eq!(text.as_bytes()[14], b'8');
        assert!(b"89ab".contains(&text.as_bytes()[19]));
        assert_eq!(ids[0], Id::new(&rule, b"k", t, b"line"));
    }
}
