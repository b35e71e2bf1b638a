//! Whether files were changed since they were read.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// When a file was last written to and how long it is, to see that it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen(Option<(SystemTime, u64)>);

impl Seen {
    fn of(path: &Path) -> Seen {
        let meta = std::fs::metadata(path).ok();
        Seen(meta.and_then(|meta| Some((meta.modified().ok()?, meta.len()))))
    }
}

/// Looks whether files were changed.
#[derive(Clone, Debug)]
pub struct Changes {
    files: Vec<PathBuf>,
    seen: Vec<Seen>,
}

impl Changes {
    /// From now on. Call it before the files are read.
    pub fn of(files: Vec<PathBuf>) -> Changes {
        Changes {
            seen: Changes::look(&files),
            files,
        }
    }

    fn look(files: &[PathBuf]) -> Vec<Seen> {
        files.iter().map(|path| Seen::of(path)).collect()
    }

    /// Whether they were since this was last asked.
    pub fn any(&mut self) -> bool {
        let now = Changes::look(&self.files);
        std::mem::replace(&mut self.seen, now.clone()) != now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_written_again_is_seen_to_have_changed_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.csv");
        std::fs::write(&path, "user\n").unwrap();
        let mut changes = Changes::of(vec![path.clone()]);
        assert!(!changes.any());
        std::fs::write(&path, "user\nalice\n").unwrap();
        assert!(changes.any() && !changes.any());
        std::fs::remove_file(&path).unwrap();
        assert!(changes.any() && !changes.any());
    }
}
