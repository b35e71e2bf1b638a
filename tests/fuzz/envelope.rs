//! Any bytes, in the envelope that the first of them chooses.

#![no_main]

#[allow(dead_code, reason = "each target uses what it needs")]
mod checks;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tipstaff::format::Context;

static CONTEXT: LazyLock<Context> = LazyLock::new(checks::context);

fuzz_target!(|bytes: &[u8]| {
    if let Some((&row, message)) = bytes.split_first() {
        let envelope = checks::ENVELOPES[usize::from(row) % checks::ENVELOPES.len()];
        checks::check(&[envelope.as_bytes(), message].concat(), &CONTEXT);
    }
});
