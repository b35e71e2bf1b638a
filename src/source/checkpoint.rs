//! Checkpoints: where following stopped, so that it can go on exactly there.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::container::{Unfollowed, refuse};
use super::identity::{HEAD, Identity, MARK, Print};
use super::{Limits, Problem, Reader};
use crate::line::SourceId;
use crate::time::Time;

/// A position in one generation of a followed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The path that was followed (not where a rotation has since put it).
    #[serde(serialize_with = "write_path", deserialize_with = "read_path")]
    pub path: PathBuf,
    /// The generation's number; kept over a restart.
    pub source: SourceId,
    /// Which file it was.
    pub identity: Identity,
    /// Print of its first bytes.
    pub head: Print,
    /// Print of the bytes before `offset`.
    pub mark: Print,
    /// Everything before was emitted.
    pub offset: u64,
    /// Number of the line that begins there.
    pub line: u64,
    /// Size when last looked at.
    pub size: u64,
    /// Last written to, when last looked at.
    pub modified: Time,
    /// Read to its end and let go of.
    pub done: bool,
}

impl Saved {
    /// A position in a file that was read up to an offset and a line, for a log
    /// to be followed from there; `None` in one that is not followed, since it
    /// holds several events. `done` where it is an older file of that log.
    pub fn at(
        file: &Path,
        log: &Path,
        source: SourceId,
        end: (u64, u64),
        done: bool,
    ) -> Result<Option<Saved>, Problem> {
        match Saved::read(file, log, source, end, done) {
            Ok(saved) => Ok(Some(saved)),
            Err(error) => match error.downcast::<Unfollowed>() {
                Ok(_) => Ok(None),
                Err(error) => Err(Problem::cannot_read(&file.display().to_string(), error)),
            },
        }
    }

    fn read(
        file: &Path,
        log: &Path,
        source: SourceId,
        (offset, line): (u64, u64),
        done: bool,
    ) -> io::Result<Saved> {
        let open = File::open(file)?;
        let meta = open.metadata()?;
        let opened = Opened::at(open, offset, &Limits::default())?;
        let opened = opened.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(Saved {
            path: log.to_path_buf(),
            source,
            identity: Identity::of(&meta),
            head: Print::of(&opened.head),
            mark: Print::of(&opened.mark),
            offset,
            line,
            size: meta.len(),
            modified: super::clock_of(&meta),
            done,
        })
    }
}

/// A file as the prints of a position see it.
pub(super) struct Opened {
    /// Its content from the position's offset on.
    pub(super) stored: Stored,
    /// Its first bytes.
    pub(super) head: Vec<u8>,
    /// The bytes before the offset.
    pub(super) mark: Vec<u8>,
}

/// How a generation's bytes are kept.
pub(super) enum Stored {
    /// As they were written; more may come.
    Plain(File),
    /// Compressed, which is done once and at the end.
    Packed(Box<Reader>),
}

impl Opened {
    /// Opens a file at an offset; `None` if it is not that long.
    pub(super) fn at(file: File, offset: u64, limits: &Limits) -> io::Result<Option<Opened>> {
        let reader = Reader::new(Box::new(file.try_clone()?), limits)?;
        if reader.codec().is_some() {
            return Opened::packed(file, reader, offset, limits);
        }
        refuse(reader.head())?;
        if file.metadata()?.len() < offset {
            return Ok(None);
        }
        let head = read_at(&file, 0, HEAD)?;
        let mark = before(&file, offset)?;
        let stored = Stored::Plain(file);
        Ok(Some(Opened { stored, head, mark }))
    }

    fn packed(
        mut file: File,
        first: Reader,
        offset: u64,
        limits: &Limits,
    ) -> io::Result<Option<Opened>> {
        let mut head = Vec::with_capacity(HEAD);
        first.take(HEAD as u64).read_to_end(&mut head)?;
        // Both readers share the file's cursor, so one ends before the next begins.
        file.rewind()?;
        let mut reader = Reader::new(Box::new(file), limits)?;
        let mut mark = Vec::with_capacity(MARK);
        let mut chunk = Vec::new();
        let mut at = 0;
        while at < offset {
            let most = (offset - at).min(64 << 10);
            chunk.clear();
            let got = (&mut reader).take(most).read_to_end(&mut chunk)?;
            if got == 0 {
                return Ok(None);
            }
            slide(&mut mark, &chunk);
            at += got as u64;
        }
        let stored = Stored::Packed(Box::new(reader));
        Ok(Some(Opened { stored, head, mark }))
    }

    /// Whether this is the content that `saved` is a position in.
    pub(super) fn fits(&self, saved: &Saved) -> bool {
        let from = self.mark.len().saturating_sub(saved.mark.len());
        let mark = self.mark.get(from..).unwrap_or_default();
        let known = saved.head.len() > 0 && (saved.offset == 0 || saved.mark.len() > 0);
        known && saved.head.fits(&self.head) && saved.mark.fits(mark)
    }
}

/// Moves a window of the last [`MARK`] bytes over `bytes`.
pub(super) fn slide(mark: &mut Vec<u8>, bytes: &[u8]) {
    let fresh = bytes
        .get(bytes.len().saturating_sub(MARK)..)
        .unwrap_or_default();
    let excess = (mark.len() + fresh.len()).saturating_sub(MARK);
    mark.drain(..excess.min(mark.len()));
    mark.extend_from_slice(fresh);
    debug_assert!(mark.len() <= MARK, "a mark has a size");
}

/// The bytes before an offset, at most [`MARK`].
pub(super) fn before(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let from = offset.saturating_sub(MARK as u64);
    read_at(file, from, usize::try_from(offset - from).unwrap_or(MARK))
}

/// Up to `length` bytes from an offset; fewer at the end of the file.
pub(super) fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let got = fill_at(file, offset, &mut bytes)?;
    bytes.truncate(got);
    Ok(bytes)
}

/// Fills a buffer from an offset; how much of it.
pub(super) fn fill_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(space) = buffer.get_mut(filled..)
        && !space.is_empty()
    {
        match file.read_at(space, offset + filled as u64) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// As bytes: a path need not be UTF-8, and serde's own way refuses it then.
#[expect(clippy::ptr_arg, reason = "serde gives the field's own type")]
fn write_path<S: Serializer>(path: &PathBuf, to: S) -> Result<S::Ok, S::Error> {
    path.as_os_str().as_bytes().serialize(to)
}

fn read_path<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    let bytes = Vec::<u8>::deserialize(from)?;
    Ok(OsString::from_vec(bytes).into())
}
