//! Standard input, once, compressed or not.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::PathBuf;

use super::{Discovery, Input, Source};

pub(super) static SOURCE: Source = Source {
    name: "stdin",
    spec: "-",
    about: "standard input",
    claims: |spec| spec == "-",
    find,
    open,
};

fn find(spec: &OsStr, found: &mut Discovery) {
    found.stream(Input {
        name: "-".to_owned(),
        path: PathBuf::from(spec),
        bytes: None,
        modified: None,
        source: &SOURCE,
    });
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the table's signature: other sources can fail to open"
)]
fn open(_: &Input) -> io::Result<Box<dyn Read + Send>> {
    // Not the lock: a lock is not Send, and blocks are read on another thread.
    Ok(Box::new(io::stdin()))
}
