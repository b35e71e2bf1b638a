//! Any bytes, in any format and any envelope: reading ends, soon, in memory of
//! the order of the line's length, and with values of the fields' kinds.
//!
//! Lines are samples that were cut, joined, repeated and sprinkled with the
//! formats' own words, since random bytes seldom get past the first of them.

mod checks;

use proptest::prelude::*;

use self::checks::{ENVELOPES, WORDS, check, context, contexts};
use crate::support::folder;

/// The longest line that a source hands over whole is of this order.
const LONG: usize = 64 << 10;

/// All sample lines, headers included.
fn samples() -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut paths: Vec<_> = std::fs::read_dir(folder("sample-logs/formats"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        let text = std::fs::read(path).unwrap();
        lines.extend(text.split(|&b| b == b'\n').map(<[u8]>::to_vec));
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// Sample lines that were cut and joined, with words between.
fn mutants() -> impl Strategy<Value = Vec<u8>> {
    let sample = || proptest::sample::select(samples());
    let piece = prop_oneof![
        3 => (sample(), any::<prop::sample::Index>(), any::<bool>()).prop_map(|(line, at, head)| {
            let (a, b) = line.split_at(at.index(line.len()));
            if head { a.to_vec() } else { b.to_vec() }
        }),
        3 => proptest::sample::select(WORDS).prop_map(|word| word.as_bytes().to_vec()),
        1 => proptest::sample::select(ENVELOPES).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn a_mutant_of_a_line_is_read_to_its_end(line in mutants()) {
        check(&line, &context());
    }

    #[test]
    fn a_mutant_is_read_as_any_format(
        line in mutants(),
        context in proptest::sample::select(contexts()),
    ) {
        check(&line, &context);
    }

    #[test]
    fn any_bytes_are_read_in_any_envelope(
        envelope in proptest::sample::select(ENVELOPES),
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        context in proptest::sample::select(contexts()),
    ) {
        check(&[envelope.as_bytes(), &bytes].concat(), &context);
    }
}

#[test]
fn a_line_of_64_kib_of_one_word_is_read_soon() {
    for envelope in ENVELOPES {
        for word in WORDS {
            let mut line = envelope.as_bytes().to_vec();
            line.extend(word.bytes().cycle().take(LONG));
            check(&line, &context());
        }
    }
}

#[test]
fn a_line_of_64_kib_is_read_soon_by_every_format() {
    let contexts = contexts();
    for (n, word) in WORDS.iter().enumerate() {
        let other = WORDS[(n + 7) % WORDS.len()];
        let pair = format!("{word}x{other}");
        let line: Vec<u8> = pair.bytes().cycle().take(LONG).collect();
        for context in &contexts {
            check(&line, context);
        }
    }
}

#[test]
fn a_sample_with_64_kib_in_its_middle_is_read_soon() {
    for (n, sample) in samples().into_iter().enumerate() {
        let (head, tail) = sample.split_at(sample.len() * 2 / 3);
        let word = WORDS[n % WORDS.len()];
        let mut line = head.to_vec();
        line.extend(word.bytes().cycle().take(LONG));
        line.extend_from_slice(tail);
        check(&line, &context());
    }
}
