//! Generations: the files that a followed log has been, found beside it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::checkpoint::{Opened, Saved};
use super::identity::Identity;
use super::rotation::{self, Age};
use super::{Limits, clock_of, file};
use crate::time::Time;

/// A file of a log, as the folder showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) path: PathBuf,
    pub(super) age: Age,
    /// At the followed path itself.
    pub(super) live: bool,
    pub(super) identity: Identity,
    pub(super) size: u64,
    pub(super) modified: Time,
}

impl Generation {
    /// Opens it at an offset. The error `NotFound` says that a rotation moved
    /// it meanwhile (or that it is shorter), so the folder must be read again.
    pub(super) fn open(&self, offset: u64, limits: &Limits) -> io::Result<Opened> {
        let file = File::open(&self.path)?;
        if Identity::of(&file.metadata()?) != self.identity {
            return Err(io::ErrorKind::NotFound.into());
        }
        Opened::at(file, offset, limits)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Whether its content is what `saved` is a position in.
    pub(super) fn fits(&self, saved: &Saved, limits: &Limits) -> bool {
        self.open(saved.offset, limits)
            .is_ok_and(|opened| opened.fits(saved))
    }
}

/// The file at a path itself, if there is one.
pub(super) fn live(path: &Path) -> io::Result<Option<Generation>> {
    match fs::metadata(path) {
        Ok(meta) => Ok(Some(Generation {
            path: path.to_path_buf(),
            age: Age::Live,
            live: true,
            identity: Identity::of(&meta),
            size: meta.len(),
            modified: clock_of(&meta),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// All files of the log at `path`, oldest first, itself last.
///
/// A rotation renames several files one after another; what is read in the
/// middle of one may show a file twice or not at all. So the folder is read
/// until two readings agree, some times at most: one that agrees with none is
/// read again in the next sweep.
pub(super) fn list(path: &Path) -> io::Result<Vec<Generation>> {
    let mut before = look(path)?;
    for _ in 0..8 {
        let again = look(path)?;
        let same = again.len() == before.len()
            && again
                .iter()
                .zip(&before)
                .all(|(a, b)| (&a.path, a.identity) == (&b.path, b.identity));
        if same {
            return Ok(again);
        }
        before = again;
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

fn look(path: &Path) -> io::Result<Vec<Generation>> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default();
    let mut generations = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(generations),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let file = entry?.file_name();
        let parsed = rotation::parse(file.as_encoded_bytes());
        if file == name || parsed.log != name.as_encoded_bytes() {
            continue;
        }
        // Gone since the folder was read: a rotation at work.
        if let Some(found) = live(&folder.join(&file))? {
            generations.push(Generation {
                age: parsed.age,
                live: false,
                ..found
            });
        }
    }
    // The plain file comes before its compressed twin and wins over it: the
    // twin of a file that is still there is not finished.
    generations.sort_by(|a, b| (&a.age, &a.path).cmp(&(&b.age, &b.path)));
    generations.dedup_by(|b, a| a.age == b.age);
    generations.extend(live(path)?);
    Ok(generations)
}

/// Finds the file that `saved` is a position in: the same file by its numbers
/// and prints if possible, else a copy (copytruncate, gzip) by its prints.
pub(super) fn find(saved: &Saved, among: &[Generation], limits: &Limits) -> Option<usize> {
    let same = |generation: &Generation| generation.identity == saved.identity;
    let empty = saved.head.len() == 0;
    let place = among
        .iter()
        .position(|generation| same(generation) && (empty || generation.fits(saved, limits)));
    if place.is_some() || empty {
        return place;
    }
    among
        .iter()
        .rposition(|generation| !same(generation) && generation.fits(saved, limits))
}

/// The paths to follow that a list of paths and globs names now, each once. A
/// rotation of another of them is none: it is read as that one's past.
pub(super) fn expand(specs: &[PathBuf]) -> Vec<PathBuf> {
    let mut paths = BTreeSet::new();
    for spec in specs {
        let name = spec.display().to_string();
        if file::is_glob(&name) && fs::symlink_metadata(spec).is_err() {
            paths.extend(file::matches(&name));
        } else {
            paths.insert(spec.clone());
        }
    }
    let follow = |path: &&PathBuf| {
        let name = path.file_name().unwrap_or_default();
        let parsed = rotation::parse(name.as_encoded_bytes());
        let packed = rotation::uncompressed(name.as_encoded_bytes()) != name.as_encoded_bytes();
        let log = path.with_file_name(OsStr::from_bytes(&parsed.log));
        let rotated = parsed.age != Age::Live && (paths.contains(&log) || log.exists());
        !packed && !rotated
    };
    paths.iter().filter(follow).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_come_oldest_first_and_a_half_made_twin_is_left() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "auth.log",
            "auth.log.1",
            "auth.log.1.gz",
            "auth.log.2.gz",
            "auth.log-20250101",
            "other.log",
            "auth.logs",
        ] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let names: Vec<String> = list(&folder.path().join("auth.log"))
            .unwrap()
            .iter()
            .map(|g| g.path.file_name().unwrap().display().to_string())
            .collect();
        assert_eq!(
            names,
            [
                "auth.log-20250101",
                "auth.log.2.gz",
                "auth.log.1",
                "auth.log"
            ]
        );
    }
}
