//! What is on disk: written whole or not at all, and checked when read.
//!
//! A file is `magic (8 bytes) | version u32 LE | length u64 LE | CRC-32 u32 LE
//! | payload`; the checksum is of the version, the length and the payload. It is written beside its place, synced, renamed over it, and
//! the folder is synced, so that a crash leaves the old file or the new one.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

/// Bytes before the payload.
const HEADER: usize = 24;

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// There is none: a first start.
    #[error("there is no such file")]
    Missing,
    /// It could not be read at all.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Its first bytes are another program's.
    #[error("it is not a tipstaff file of this kind")]
    Foreign,
    /// A newer tipstaff wrote it.
    #[error(
        "it has format version {found}, and this tipstaff knows up to {known}; use the newer tipstaff, or move the file away to start afresh"
    )]
    Newer {
        /// The version found.
        found: u32,
        /// The newest version known.
        known: u32,
    },
    /// It was cut short or changed since.
    #[error("its checksum does not match: it was cut short or changed")]
    Corrupt,
}

/// Writes `payload` as the whole content of `path`, atomically.
pub fn write(path: &Path, magic: [u8; 8], version: u32, payload: &[u8]) -> io::Result<()> {
    let temp = path.with_extension("new");
    let length = payload.len() as u64;
    let written = File::create(&temp).and_then(|mut file| {
        file.write_all(&magic)?;
        file.write_all(&version.to_le_bytes())?;
        file.write_all(&length.to_le_bytes())?;
        file.write_all(&checksum(version, length, payload).to_le_bytes())?;
        file.write_all(payload)?;
        file.sync_all()
    });
    if let Err(error) = written {
        // On a full disk the half of it would be in the way of the next try.
        let _ = fs::remove_file(&temp);
        return Err(error);
    }
    fs::rename(&temp, path)?;
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn checksum(version: u32, length: u64, payload: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&version.to_le_bytes());
    sum.update(&length.to_le_bytes());
    sum.update(payload);
    sum.finalize()
}

/// Reads a file that [`write()`] wrote: its version and its payload.
pub fn read(path: &Path, magic: [u8; 8], known: u32) -> Result<(u32, Vec<u8>), Damage> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(mut file) => file.read_to_end(&mut bytes)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(Damage::Missing),
        Err(e) => return Err(e.into()),
    };
    let (Some(found), Some(version), Some(length), Some(sum)) = (
        bytes.first_chunk::<8>(),
        bytes.get(8..12).and_then(|b| b.first_chunk::<4>()),
        bytes.get(12..20).and_then(|b| b.first_chunk::<8>()),
        bytes.get(20..24).and_then(|b| b.first_chunk::<4>()),
    ) else {
        return Err(Damage::Corrupt);
    };
    if *found != magic {
        return Err(Damage::Foreign);
    }
    let version = u32::from_le_bytes(*version);
    let length = u64::from_le_bytes(*length);
    let sum = u32::from_le_bytes(*sum);
    let payload = bytes.split_off(HEADER);
    if payload.len() as u64 != length || checksum(version, length, &payload) != sum {
        return Err(Damage::Corrupt);
    }
    if version > known {
        return Err(Damage::Newer {
            found: version,
            known,
        });
    }
    Ok((version, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: [u8; 8] = *b"tipstest";

    #[test]
    fn every_cut_and_every_flipped_byte_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        write(&path, MAGIC, 2, b"what was learned").unwrap();
        let whole = fs::read(&path).unwrap();
        assert_eq!(read(&path, MAGIC, 2).unwrap().1, b"what was learned");
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(read(&path, MAGIC, 2).is_err(), "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            fs::write(&path, &bytes).unwrap();
            match read(&path, MAGIC, 2) {
                Ok(_) => panic!("flip at {at} went unnoticed"),
                Err(Damage::Foreign) => assert!(at < MAGIC.len()),
                Err(damage) => assert!(matches!(damage, Damage::Corrupt), "flip at {at}"),
            }
        }
    }

    #[test]
    fn a_newer_version_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        write(&path, MAGIC, 3, b"").unwrap();
        let error = read(&path, MAGIC, 2).unwrap_err().to_string();
        assert!(error.contains("use the newer tipstaff"), "{error}");
    }
}
