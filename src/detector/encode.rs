//! The encodings behind Sigma's `base64`, `base64offset` and `utf16` modifiers.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let sextet = group >> (18 - 6 * digit) & 63;
            let letter = ALPHABET.get(sextet as usize).copied().unwrap_or(b'=');
            out.push(if digit <= chunk.len() { letter } else { b'=' });
        }
    }
    out
}

/// The three forms that some bytes take inside a longer base64 text, each cut
/// to the characters that do not depend on what stands before and after.
pub(crate) fn base64_offsets(bytes: &[u8]) -> [Vec<u8>; 3] {
    [0, 1, 2].map(|offset| {
        let mut padded = vec![b' '; offset];
        padded.extend_from_slice(bytes);
        // Characters touched by what stands before and by what follows
        // (pySigma's start_offsets and end_offsets).
        let start = [0, 2, 3].get(offset).copied().unwrap_or(0);
        let cut = [0, 3, 2].get(padded.len() % 3).copied().unwrap_or(0);
        let encoded = base64(&padded);
        let end = encoded.len().saturating_sub(cut);
        encoded.get(start..end).unwrap_or_default().to_vec()
    })
}

/// UTF-16 of UTF-8 text, in the byte order asked for; a byte that is no text
/// becomes U+FFFD.
pub(crate) fn utf16(bytes: &[u8], big_endian: bool) -> Vec<u8> {
    String::from_utf8_lossy(bytes)
        .encode_utf16()
        .flat_map(|unit| {
            if big_endian {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_agrees_with_rfc_4648() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded.as_bytes());
        }
    }

    #[test]
    fn an_offset_form_is_found_wherever_the_text_stands() {
        for before in 0..6 {
            for after in 0..4 {
                for plain in ["http://", "ping", "ab", "/bin/sh -i"] {
                    let text =
                        [&vec![b'~'; before][..], plain.as_bytes(), &vec![7; after]].concat();
                    let found = base64_offsets(plain.as_bytes())
                        .iter()
                        .any(|form| memchr::memmem::find(&base64(&text), form).is_some());
                    assert!(found, "{plain} after {before} before {after}");
                }
            }
        }
    }
}
