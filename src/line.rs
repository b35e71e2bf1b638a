//! A line of input: its bytes, where they stand, and what was done to them.

use serde::{Deserialize, Serialize};

/// A source's number in this run; its name is in the pipeline's source table.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct SourceId(pub u32);

/// Where a line stands, so that a person can find it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Which source.
    pub source: SourceId,
    /// Offset of the line's first byte in the (decompressed) source.
    pub offset: u64,
    /// Line number in the source, counted from 1.
    pub number: u64,
}

/// One line without its line feed.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The bytes as they came: any of the 256 values but LF.
    pub bytes: &'a [u8],
    /// Where it stands.
    pub place: Place,
    /// Whether the line was longer than the cap and only its head is here.
    pub truncated: bool,
}
