//! Any bytes, read as whatever they are.

#![no_main]

#[allow(dead_code, reason = "each target uses what it needs")]
mod checks;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tipstaff::format::Context;

static CONTEXT: LazyLock<Context> = LazyLock::new(checks::context);

fuzz_target!(|line: &[u8]| checks::check(line, &CONTEXT));
