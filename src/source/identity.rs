//! Identity: which file this is, told by three things that fail differently.
//!
//! A device and inode number alone are reused (on ext4 in 200 of 200 deletes
//! and creates), a first line alone is shared by files with a header, and
//! neither notices a file that was truncated and grew past where we were. So a
//! file is known by its numbers and its birth, by the print of its first KiB
//! (the head), and by the print of the bytes before our offset (the mark).

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock;
use crate::time::Time;

/// Bytes of a head. Zeek's header with its opening time fits.
pub(super) const HEAD: usize = 1024;

/// Bytes of a mark; some two lines.
pub(super) const MARK: usize = 256;

/// What the file system says a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    device: u64,
    inode: u64,
    /// Differs where an inode number was used again.
    born: Option<Time>,
}

impl Identity {
    /// Of an open or named file.
    pub(super) fn of(meta: &Metadata) -> Identity {
        Identity {
            device: meta.dev(),
            inode: meta.ino(),
            born: meta.created().ok().map(clock::from_system),
        }
    }
}

/// The print of a stretch of bytes: 128 bits of its SHA-256, because who
/// writes to a log must not be able to make two stretches look the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Print {
    length: u16,
    hash: [u8; 16],
}

impl Print {
    /// Of these bytes, at most 65,535.
    pub(super) fn of(bytes: &[u8]) -> Print {
        debug_assert!(bytes.len() <= HEAD, "prints are of heads and marks");
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        let digest = Sha256::digest(bytes);
        let mut hash = [0; 16];
        for (to, from) in hash.iter_mut().zip(digest) {
            *to = from;
        }
        Print { length, hash }
    }

    /// How many bytes it is of.
    pub(super) fn len(&self) -> usize {
        usize::from(self.length)
    }

    /// Whether it is of the first bytes of these.
    pub(super) fn fits(&self, bytes: &[u8]) -> bool {
        bytes
            .get(..self.len())
            .is_some_and(|bytes| Print::of(bytes) == *self || self.length == 0)
    }
}
