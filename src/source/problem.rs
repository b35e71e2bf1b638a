//! What went wrong with a source, said to whoever can mend it.

use std::io;

use super::container::Unfollowed;

/// A source that could not be read, or not to its end. Each names the file and
/// the remedy; none of them stops the others. Names are as the file system has
/// them: whoever prints one escapes it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Nothing has that name.
    #[error("{name}: there is no such file or folder; check the path")]
    Missing {
        /// The file.
        name: String,
    },
    /// It is there, and we may not read it.
    #[error(
        "{name}: permission denied; run as a user who may read it (on Debian and Ubuntu, one in the group adm)"
    )]
    Denied {
        /// The file.
        name: String,
    },
    /// It cannot be opened for another reason.
    #[error("{name}: cannot be opened ({error}); check the disk and the path")]
    Unreadable {
        /// The file.
        name: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// A folder in which nothing looks like a log.
    #[error(
        "{name}: there are no logs in this folder; name another, or name the file itself if its name made it look like something else"
    )]
    NoLogs {
        /// The folder.
        name: String,
    },
    /// A glob that no file answers to.
    #[error("{pattern}: no file matches this pattern; check it with ls")]
    NoMatch {
        /// The glob.
        pattern: String,
    },
    /// A glob that is none.
    #[error("{pattern}: this is not a pattern ({why}); write [[] for a bracket that is meant")]
    BadPattern {
        /// The glob.
        pattern: String,
        /// Where and why.
        why: String,
    },
    /// Reading broke off.
    #[error(
        "{name}: damaged after {after} bytes of log ({error}); what stands before was read; fetch the file again or repair it"
    )]
    Damaged {
        /// The file.
        name: String,
        /// Decompressed bytes that came before.
        after: u64,
        /// What the decoder or the operating system says.
        error: io::Error,
    },
    /// A container where a log is followed.
    #[error("{name}: {why}")]
    Unfollowed {
        /// The file.
        name: String,
        /// What it is, and what to do.
        why: Unfollowed,
    },
    /// A log whose stamps are only a time of day, of a day that nothing tells.
    #[error(
        "{name}: its stamps name no day, so nothing was judged by them; give the first one with --date YYYY-MM-DD, or write them with it (tcpdump -tttt)"
    )]
    Undated {
        /// The file.
        name: String,
    },
    /// More came out of a compressed file than its limits allow.
    #[error(
        "{name}: refused after {after} bytes of log: {why}; what stands before was read; if this is a real log, decompress it first"
    )]
    Bomb {
        /// The file.
        name: String,
        /// Decompressed bytes that came before.
        after: u64,
        /// Which limit.
        why: String,
    },
}

/// Raised inside a reader when a limit of decompression is reached.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(pub(super) String);

impl Problem {
    /// For a file that could not be opened or looked at.
    pub(super) fn cannot_read(name: &str, error: io::Error) -> Problem {
        let name = name.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => Problem::Missing { name },
            io::ErrorKind::PermissionDenied => Problem::Denied { name },
            _ => Problem::Unreadable { name, error },
        }
    }

    /// For a log whose day is not known.
    pub fn undated(name: &str) -> Problem {
        let name = name.to_owned();
        Problem::Undated { name }
    }

    /// For a file that could be read up to `after`.
    pub(super) fn broke_off(name: &str, after: u64, error: io::Error) -> Problem {
        let name = name.to_owned();
        match error.get_ref().and_then(|e| e.downcast_ref::<Refused>()) {
            Some(Refused(why)) => Problem::Bomb {
                name,
                after,
                why: why.clone(),
            },
            None => match error.downcast::<Unfollowed>() {
                Ok(why) => Problem::Unfollowed { name, why },
                Err(error) => Problem::Damaged { name, after, error },
            },
        }
    }
}
