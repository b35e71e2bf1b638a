//! The alerts' file: JSON lines, each whole, each once.
//!
//! What could not be written (a full disk) waits here and is tried again; a
//! line that was cut short by it is taken back first. A file that was rotated
//! away is let go of, and its path is opened anew. After a crash the lines of
//! the last seconds are judged again and raise the same alerts: those that
//! stand in the file already are left out.

use std::collections::{BTreeSet, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use memchr::{memchr_iter, memrchr};

/// How much of the file's end is searched for alerts that are there already:
/// some 20,000 of them, far more than a snapshot's interval raises.
const SEARCHED: u64 = 32 << 20;

/// An append-only file of alerts.
pub(super) struct Ledger {
    path: PathBuf,
    file: File,
    /// Bytes in the file, all of them whole lines.
    length: u64,
    waiting: VecDeque<Vec<u8>>,
    /// Keys of the alerts that a crash may have us raise again.
    written: BTreeSet<Vec<u8>>,
}

impl Ledger {
    /// Opens the file, or makes it. What stands after `since` (without it:
    /// anything) will not be written again.
    pub(super) fn open(path: &Path, since: Option<u64>) -> io::Result<Ledger> {
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
        let mut file = append(path).map_err(named)?;
        let length = file.metadata().map_err(named)?.len();
        // A file that is shorter was rotated since; all of it is newer.
        let since = since.filter(|&since| since <= length).unwrap_or(0);
        let from = since.max(length.saturating_sub(SEARCHED));
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(from)).map_err(named)?;
        (&mut file)
            .take(SEARCHED)
            .read_to_end(&mut tail)
            .map_err(named)?;
        let whole = memrchr(b'\n', &tail).map_or(0, |end| end + 1);
        let half = tail.len() - whole;
        tail.truncate(whole);
        let length = length - half as u64;
        if half > 0 {
            // The process was killed in the middle of a line: it comes again.
            file.set_len(length).map_err(named)?;
        }
        let lines = tail.split(|&byte| byte == b'\n');
        Ok(Ledger {
            path: path.to_path_buf(),
            file,
            length,
            waiting: VecDeque::new(),
            written: lines.filter_map(key).map(<[u8]>::to_vec).collect(),
        })
    }

    /// Takes one alert's line, unless the file has it.
    pub(super) fn push(&mut self, line: Vec<u8>) {
        if !self.written.is_empty() && key(&line).is_some_and(|key| self.written.remove(key)) {
            return;
        }
        self.waiting.push_back(line);
    }

    /// Whether everything is in the file.
    pub(super) fn is_written(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many alerts wait to be written.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// Writes what waits. After an error the rest waits on.
    pub(super) fn write(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.follow_rotation()?;
        while let Some(line) = self.waiting.front() {
            if let Err(error) = self.file.write_all(line) {
                // What cannot be taken back now is when the file is opened again.
                let _ = self.file.set_len(self.length);
                return Err(error);
            }
            self.length += line.len() as u64;
            self.waiting.pop_front();
        }
        Ok(())
    }

    /// Writes what waits and has it reach the disk; how long the file is then.
    pub(super) fn sync(&mut self) -> io::Result<u64> {
        self.write()?;
        self.file.sync_data()?;
        Ok(self.length)
    }

    /// Opens the path anew if another file stands there, or none.
    fn follow_rotation(&mut self) -> io::Result<()> {
        let ours = self.file.metadata()?;
        let same = fs::metadata(&self.path)
            .is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino()));
        if !same {
            // Its content is the kernel's to write; that it fails must not keep
            // us at a file that is gone.
            let _ = self.file.sync_data();
            self.file = append(&self.path)?;
        }
        // Shorter than it was (copytruncate) or ours no longer: the length is what is.
        self.length = self.file.metadata()?.len();
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
}

/// What tells an alert's line from all others: its id and revision, which stand
/// first in it.
fn key(line: &[u8]) -> Option<&[u8]> {
    let end = memchr_iter(b',', line).nth(1)?;
    line.get(..end).filter(|key| key.starts_with(b"{\"id\":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: u32, revision: u32) -> Vec<u8> {
        format!("{{\"id\":\"{id:08}\",\"revision\":{revision},\"message\":\"a, b\"}}\n")
            .into_bytes()
    }

    fn content(path: &Path) -> Vec<u8> {
        fs::read(path).unwrap()
    }

    #[test]
    fn after_a_crash_no_line_is_there_twice_and_none_is_half() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.jsonl");
        let (old, seen, half) = (line(1, 0), line(2, 0), line(2, 1));
        fs::write(&path, [&old[..], &seen, &half[..20]].concat()).unwrap();
        let mut ledger = Ledger::open(&path, Some(old.len() as u64)).unwrap();
        ledger.push(seen.clone());
        ledger.push(half.clone());
        // Only what stands after the snapshot can come again.
        ledger.push(old.clone());
        assert_eq!(ledger.sync().unwrap(), content(&path).len() as u64);
        assert_eq!(content(&path), [&old[..], &seen, &half, &old].concat());
    }

    #[test]
    fn a_rotated_file_is_let_go_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.jsonl");
        let mut ledger = Ledger::open(&path, None).unwrap();
        ledger.push(line(1, 0));
        ledger.sync().unwrap();
        fs::rename(&path, folder.path().join("alerts.jsonl.1")).unwrap();
        ledger.push(line(2, 0));
        let length = ledger.sync().unwrap();
        assert_eq!(content(&path), line(2, 0));
        assert_eq!(length, line(2, 0).len() as u64);
    }

    #[test]
    fn a_full_disk_leaves_whole_lines_and_the_rest_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.jsonl");
        let mut ledger = Ledger::open(&path, None).unwrap();
        ledger.push(line(1, 0));
        ledger.sync().unwrap();
        // A device that is always full, in the place of the disk.
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        ledger.push(line(2, 0));
        assert!(ledger.sync().is_err());
        assert!(!ledger.is_written());
        fs::remove_file(&path).unwrap();
        assert!(ledger.sync().is_ok());
        assert_eq!(content(&path), line(2, 0));
    }
}
