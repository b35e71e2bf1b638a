//! Any text, loaded as rules; what loads is compiled and sees an event.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tipstaff::detector::{Detector, Options};
use tipstaff::pipeline::classes;
use tipstaff::rule::{LoadOptions, load_text};

fuzz_target!(|text: &str| {
    let Ok(loaded) = load_text("fuzz.yml", text, &LoadOptions::default()) else {
        return;
    };
    let _ = Detector::compile(&loaded.rules, &classes(), Options::default());
});
