//! What outlives the process: one snapshot of all state.
//!
//! The snapshot holds what was learnt and how far each log was read, together,
//! so that a restart neither loses a line nor counts one twice. It is written
//! whole ([`crate::durable`]); the previous one is kept until the next is in
//! place, and is used when the newest is damaged.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Serialize, de::DeserializeOwned};

use crate::durable::{self, Damage};

const MAGIC: [u8; 8] = *b"tipstate";
/// Of the layout; 2: the ledger of what was held back, censored votes, peers.
const VERSION: u32 = 2;

/// zstd's level.
const FAST: i32 = 1;

/// The state folder, held by one process at a time.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    /// Its lock goes with the descriptor.
    _lock: fs::File,
}

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be made or locked.
    #[error("{folder}: {error}; make it writable for tipstaff's user, or set state.folder")]
    Folder {
        /// The folder.
        folder: String,
        /// Why.
        error: io::Error,
    },
    /// Another tipstaff uses it.
    #[error("{folder}: another tipstaff is using this state folder; stop it, or set state.folder")]
    Busy {
        /// The folder.
        folder: String,
    },
    /// A newer tipstaff wrote it.
    #[error("{path}: {damage}")]
    Newer {
        /// The file.
        path: String,
        /// What was found.
        damage: Damage,
    },
}

/// What a snapshot gave.
#[derive(Debug)]
pub struct Restored<T> {
    /// The state, if any file had it.
    pub state: Option<T>,
    /// What was wrong with files that were passed over, to be said aloud.
    pub passed_over: Vec<String>,
}

impl Store {
    /// Makes and locks the folder.
    pub fn open(folder: &Path) -> Result<Store, StoreError> {
        let failed = |error| StoreError::Folder {
            folder: folder.display().to_string(),
            error,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = fs::File::create(folder.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Store {
                folder: folder.to_owned(),
                _lock: lock,
            }),
            Err(fs::TryLockError::WouldBlock) => Err(StoreError::Busy {
                folder: folder.display().to_string(),
            }),
            Err(fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    fn newest(&self) -> PathBuf {
        newest(&self.folder)
    }

    fn previous(&self) -> PathBuf {
        previous(&self.folder)
    }

    /// Whether no state was ever written here, not even a damaged one.
    pub fn is_empty(&self) -> bool {
        !self.newest().exists() && !self.previous().exists()
    }

    /// Reads a folder that somebody else may hold: what he last wrote.
    pub fn peek<T: DeserializeOwned>(folder: &Path) -> Result<Restored<T>, StoreError> {
        restore(folder)
    }

    /// Writes a snapshot; on failure the old one stands.
    pub fn save<T: Serialize>(&self, state: &T) -> io::Result<()> {
        let bytes = postcard::to_stdvec(state).map_err(io::Error::other)?;
        // Rings of evidence are mostly empty: 7 MB of a small site become 50 KB
        // in a few milliseconds.
        let bytes = zstd::encode_all(&*bytes, FAST)?;
        // Whole and on disk before the others are touched: a full disk costs
        // neither of them, and a crash in between leaves one at least.
        let fresh = self.folder.join("state.fresh");
        durable::write(&fresh, MAGIC, VERSION, &bytes)?;
        match fs::rename(self.newest(), self.previous()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(&fresh, self.newest())?;
        fs::File::open(&self.folder)?.sync_all()
    }

    /// Reads the newest snapshot that is whole. One that a newer tipstaff wrote
    /// is an error: starting afresh would silently forget what was learnt.
    pub fn restore<T: DeserializeOwned>(&self) -> Result<Restored<T>, StoreError> {
        restore(&self.folder)
    }
}

fn newest(folder: &Path) -> PathBuf {
    folder.join("state.snapshot")
}

fn previous(folder: &Path) -> PathBuf {
    folder.join("state.previous")
}

fn restore<T: DeserializeOwned>(folder: &Path) -> Result<Restored<T>, StoreError> {
    let mut passed_over = Vec::new();
    for path in [newest(folder), previous(folder)] {
        let shown = path.display().to_string();
        match durable::read(&path, MAGIC, VERSION) {
            Ok((version, _)) if version < VERSION => passed_over.push(format!(
                "{shown}: an earlier tipstaff's (layout {version}, not {VERSION}); learn it anew \
                 from the logs with `replay --learn`"
            )),
            Ok((_, bytes)) => match unpack(&bytes) {
                Ok(state) => {
                    return Ok(Restored {
                        state: Some(state),
                        passed_over,
                    });
                }
                Err(error) => passed_over.push(format!("{shown}: {error}")),
            },
            Err(Damage::Missing) => {}
            Err(damage @ Damage::Newer { .. }) => {
                return Err(StoreError::Newer {
                    path: shown,
                    damage,
                });
            }
            Err(damage) => passed_over.push(format!("{shown}: {damage}")),
        }
    }
    Ok(Restored {
        state: None,
        passed_over,
    })
}

fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    let bytes = zstd::decode_all(bytes)?;
    postcard::from_bytes(&bytes).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_snapshot_falls_back_to_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.save(&"first".to_owned()).unwrap();
        store.save(&"second".to_owned()).unwrap();
        let newest = folder.path().join("state.snapshot");
        let mut bytes = fs::read(&newest).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&newest, bytes).unwrap();
        let restored = store.restore::<String>().unwrap();
        assert_eq!(restored.state.as_deref(), Some("first"));
        assert_eq!(restored.passed_over.len(), 1);
    }

    #[test]
    fn no_flipped_byte_and_no_cut_is_taken_for_state() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.save(&vec!["older".to_owned(); 9]).unwrap();
        store.save(&vec!["newest".to_owned(); 9]).unwrap();
        let newest = folder.path().join("state.snapshot");
        let whole = fs::read(&newest).unwrap();
        let expect_older = |bytes: &[u8], what: &str| {
            fs::write(&newest, bytes).unwrap();
            let restored = store.restore::<Vec<String>>().unwrap();
            assert_eq!(restored.state.unwrap()[0], "older", "{what}");
            assert_eq!(restored.passed_over.len(), 1, "{what}");
        };
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x20;
            expect_older(&bytes, &format!("flip at {at}"));
            expect_older(&whole[..at], &format!("cut at {at}"));
        }
    }

    #[test]
    fn what_another_program_wrote_is_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let newest = folder.path().join("state.snapshot");
        let whole = zstd::encode_all(&[200; 40][..], FAST).unwrap();
        for at in 0..whole.len() {
            // With a right checksum.
            durable::write(&newest, MAGIC, VERSION, &whole[at..]).unwrap();
            let restored = store.restore::<Vec<String>>().unwrap();
            assert!(restored.state.is_none() && restored.passed_over.len() == 1);
        }
    }

    #[test]
    fn an_earlier_layout_is_not_read_as_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.save(&"learnt".to_owned()).unwrap();
        let newest = folder.path().join("state.snapshot");
        let (_, bytes) = durable::read(&newest, MAGIC, VERSION).unwrap();
        durable::write(&newest, MAGIC, VERSION - 1, &bytes).unwrap();
        let restored = store.restore::<String>().unwrap();
        assert!(restored.state.is_none());
        assert!(
            restored.passed_over[0].contains("replay --learn"),
            "{:?}",
            restored.passed_over
        );
    }

    #[test]
    fn two_processes_cannot_share_a_state_folder() {
        let folder = tempfile::tempdir().unwrap();
        let _held = Store::open(folder.path()).unwrap();
        assert!(matches!(
            Store::open(folder.path()),
            Err(StoreError::Busy { .. })
        ));
    }
}
