//! Any bytes, read as the format that their first line names, or any other.

#![no_main]

#[allow(dead_code, reason = "each target uses what it needs")]
mod checks;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tipstaff::format::{Context, FORMATS};

static CONTEXTS: LazyLock<Vec<Context>> = LazyLock::new(checks::contexts);

fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|&b| b == b'\n') else {
        return;
    };
    let (name, line) = (&bytes[..end], &bytes[end + 1..]);
    // Sample files begin with their format's name: one row after "as it is".
    let row = FORMATS
        .iter()
        .position(|format| name.starts_with(format.name.as_bytes()));
    let sum: usize = name.iter().map(|&b| usize::from(b)).sum();
    let row = row.map_or(sum % CONTEXTS.len(), |row| row + 1);
    checks::check(line, &CONTEXTS[row]);
});
