//! A hint that something may have happened in a folder.
//!
//! Only a hint: events are lost when the kernel's queue overflows, when there
//! are no watches left, and on network file systems. Whoever waits for one
//! sweeps each second all the same, so the worst a lost hint costs is a second.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Watches folders, never files: a file's watch dies with its rotation.
pub struct Watch {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
}

impl Watch {
    /// Calls `wake` when a watched folder stirs, and when hints were lost.
    pub fn new(wake: impl Fn() + Send + 'static) -> Result<Watch, String> {
        let handler = move |event: notify::Result<notify::Event>| {
            let stirs = match event {
                // Our own opening and reading of a file raises Access events:
                // to answer them would be to feed ourselves.
                Ok(event) => event.need_rescan() || !matches!(event.kind, EventKind::Access(_)),
                Err(_) => true,
            };
            if stirs {
                wake();
            }
        };
        let watcher = notify::recommended_watcher(handler).map_err(|e| e.to_string())?;
        Ok(Watch {
            watcher,
            folders: BTreeSet::new(),
        })
    }

    /// Watches these folders and no others; what could not be watched, and why
    /// (no watches left: raise `fs.inotify.max_user_watches`). It is swept all
    /// the same, and tried again at the next call.
    pub fn folders(&mut self, wanted: &[PathBuf]) -> Vec<(PathBuf, String)> {
        let wanted: BTreeSet<&Path> = wanted.iter().map(PathBuf::as_path).collect();
        let watcher = &mut self.watcher;
        self.folders.retain(|folder| {
            let keep = wanted.contains(folder.as_path());
            if !keep {
                // A folder that is gone took its watch with it.
                let _gone = watcher.unwatch(folder);
            }
            keep
        });
        let mut failed = Vec::new();
        for folder in wanted {
            if self.folders.contains(folder) {
                continue;
            }
            let named = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            match watcher.watch(named, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.folders.insert(folder.to_path_buf());
                }
                Err(error) => failed.push((folder.to_path_buf(), error.to_string())),
            }
        }
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn a_new_line_wakes_and_our_own_reading_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.log");
        fs::write(&path, "one\\n").unwrap();
        let (to, hints) = mpsc::channel();
        let mut watch = Watch::new(move || to.send(()).unwrap_or(())).unwrap();
        let failed = watch.folders(&[folder.path().to_path_buf()]);
        assert!(failed.is_empty(), "{failed:?}");
        fs::read(&path).unwrap();
        let quiet = hints.recv_timeout(Duration::from_millis(200));
        assert!(quiet.is_err(), "reading is no news");
        fs::write(folder.path().join("auth.log"), "two\\n").unwrap();
        assert!(hints.recv_timeout(Duration::from_secs(10)).is_ok());
    }

    #[test]
    fn a_folder_that_cannot_be_watched_is_named() {
        let mut watch = Watch::new(|| ()).unwrap();
        let failed = watch.folders(&[PathBuf::from("no-such-folder")]);
        assert_eq!(failed.len(), 1);
    }
}
