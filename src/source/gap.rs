//! Gaps: what was lost, or may have been, and why. Never silent.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::Unfollowed;

/// Input that was or may have been lost, or cannot be got at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The followed path.
    pub path: PathBuf,
    /// Bytes known to be lost; there may be more that were never seen.
    pub bytes: u64,
    /// What happened.
    pub why: Why,
}

/// Why there is a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The file that was being read is neither at its path nor among its rotations.
    Vanished,
    /// It was truncated or written over, and no copy of it is beside it.
    Rewritten,
    /// It cannot be read; it is tried again in every sweep.
    Unreadable(String),
    /// It is no log of lines, and what it is is not read as it grows.
    Unfollowed(String),
    /// A compressed rotation of it breaks off.
    Damaged(String),
}

impl Why {
    /// Why a followed file cannot be read.
    pub(super) fn of(error: &io::Error) -> Why {
        let said = error.to_string();
        match error.get_ref() {
            Some(why) if why.is::<Unfollowed>() => Why::Unfollowed(said),
            _ => Why::Unreadable(said),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        let bytes = match self.bytes {
            0 => "whatever was written to it after our last look".to_owned(),
            bytes => format!("at least {bytes} bytes of it"),
        };
        match &self.why {
            Why::Vanished => write!(
                f,
                "{path}: the file that was being read is gone, and so is {bytes}; keep a rotation, compressed or not, beside the log"
            ),
            Why::Rewritten => write!(
                f,
                "{path}: truncated or written over, and {bytes} may be unread; reading the new content from its start; rotate by renaming to lose nothing"
            ),
            Why::Unreadable(error) => write!(
                f,
                "{path}: cannot be read ({error}); it is tried again each second and nothing is skipped"
            ),
            Why::Unfollowed(why) => write!(f, "{path}: not followed: {why}"),
            Why::Damaged(error) => f.write_str(error),
        }
    }
}
