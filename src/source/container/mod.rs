//! CONTAINERS: files that are whole where their lines are not, known by their
//! first bytes, on top of whatever compressed them.
//!
//! Each is unpacked into one JSON object a line while it is read: nothing is
//! kept but the state of its grammar and, at most, one entry. What a field
//! holds stays in its field, so a line feed in it ends no line. A file that is
//! none is handed on as it is.

mod export;
mod json;

use std::io::{self, Cursor, ErrorKind, Read};

use super::Limits;
use super::archive::{Codec, Decoder};

/// Bytes in which a container shows itself: Microsoft Graph's list comes after
/// two addresses.
const HEAD: usize = 4 << 10;

/// Bytes taken from below in one read.
const GULP: usize = 64 << 10;

/// A row of the table: a kind of container.
pub struct Container {
    /// Its name.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Whether a file's first bytes are its own.
    claims: fn(&[u8]) -> bool,
    /// Begins to read one; told how long a line may be.
    unpack: fn(&[u8], usize) -> Box<dyn Unpack>,
}

/// Every container, in the order in which they are asked.
pub static CONTAINERS: &[&Container] = &[&export::CONTAINER, &json::CONTAINER];

/// A grammar that is read in pieces of any size.
trait Unpack: Send {
    /// Takes the next bytes, all of them, and appends the lines they complete.
    fn take(&mut self, bytes: &[u8], lines: &mut Vec<u8>) -> io::Result<()>;

    /// There is no more.
    fn end(&mut self, lines: &mut Vec<u8>) -> io::Result<()>;
}

/// The container that these first bytes, decompressed, are of.
fn of(head: &[u8]) -> Option<&'static Container> {
    let all = CONTAINERS.iter().copied();
    all.into_iter().find(|row| (row.claims)(head))
}

/// Raised where a container stands at a followed path: it may be half written,
/// and a position in what it is unpacked into is none in the file.
#[derive(Debug, thiserror::Error)]
#[error(
    "it is {0}, which is read by `tipstaff replay` and not as it grows; follow a log of one event a line (`journalctl -o json`, `jq -c`)"
)]
pub struct Unfollowed(&'static str);

/// The error for it, if these first bytes are one's.
pub(super) fn refuse(head: &[u8]) -> io::Result<()> {
    match of(head) {
        Some(container) => Err(io::Error::other(Unfollowed(container.about))),
        None => Ok(()),
    }
}

/// The log's lines: decompressed, unpacked and capped.
pub struct Reader {
    stream: Stream,
    unpacked: Option<Unpacked>,
}

impl Reader {
    /// Looks at the first bytes of `stored` and puts what they need on top.
    pub fn new(stored: Box<dyn Read + Send>, limits: &Limits) -> io::Result<Reader> {
        let mut decoder = Decoder::new(stored, limits)?;
        let mut head = Vec::new();
        // What came before an error is in `head`, and is handed on before it.
        let broke = (&mut decoder).take(HEAD as u64).read_to_end(&mut head);
        let unpacked = of(&head).map(|container| Unpacked {
            grammar: (container.unpack)(&head, limits.line),
            taken: Vec::new(),
            lines: Cursor::default(),
            ended: false,
            broke: None,
        });
        let stream = Stream {
            head: Cursor::new(head),
            broke: broke.err(),
            decoder,
        };
        Ok(Reader { stream, unpacked })
    }

    /// How it is compressed, if it is.
    pub fn codec(&self) -> Option<&'static Codec> {
        self.stream.decoder.codec()
    }

    /// The first bytes, decompressed.
    pub(super) fn head(&self) -> &[u8] {
        self.stream.head.get_ref()
    }

    /// Stored bytes taken so far, for progress: compare with [`super::Input::bytes`].
    pub fn taken(&self) -> u64 {
        self.stream.decoder.taken()
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.unpacked {
            None => self.stream.read(buffer),
            Some(unpacked) => unpacked.read(&mut self.stream, buffer),
        }
    }
}

/// Decompressed bytes: those that were looked at, then the others.
struct Stream {
    head: Cursor<Vec<u8>>,
    /// What ended the look.
    broke: Option<io::Error>,
    decoder: Decoder,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.head.read(buffer)?;
        if got > 0 {
            return Ok(got);
        }
        match self.broke.take() {
            Some(error) => Err(error),
            None => self.decoder.read(buffer),
        }
    }
}

struct Unpacked {
    grammar: Box<dyn Unpack>,
    taken: Vec<u8>,
    lines: Cursor<Vec<u8>>,
    ended: bool,
    /// Handed on once the lines before it are.
    broke: Option<io::Error>,
}

impl Unpacked {
    fn read(&mut self, stream: &mut Stream, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let got = self.lines.read(buffer)?;
            if got > 0 || buffer.is_empty() {
                return Ok(got);
            }
            if self.ended {
                return self.broke.take().map_or(Ok(0), Err);
            }
            self.lines.get_mut().clear();
            self.lines.set_position(0);
            if let Err(error) = self.step(stream) {
                self.ended = true;
                self.broke = Some(error);
            }
        }
    }

    /// Unpacks one gulp.
    fn step(&mut self, stream: &mut Stream) -> io::Result<()> {
        self.taken.resize(GULP, 0);
        let got = loop {
            match stream.read(&mut self.taken) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        let lines = self.lines.get_mut();
        if got == 0 {
            self.ended = true;
            return self.grammar.end(lines);
        }
        let bytes = self.taken.get(..got).unwrap_or_default();
        self.grammar.take(bytes, lines)
    }
}

/// A file that does not go on as it began.
fn broken(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// A file that ends too early.
fn cut_off(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file's bytes are unpacked into, given in pieces of a size.
    pub(super) fn unpack(bytes: &[u8], piece: usize) -> (String, Option<String>) {
        unpack_within(bytes, piece, Limits::default().line)
    }

    pub(super) fn unpack_within(
        bytes: &[u8],
        piece: usize,
        line: usize,
    ) -> (String, Option<String>) {
        let container = of(bytes).expect("it is a container");
        let mut grammar = (container.unpack)(bytes, line);
        let mut lines = Vec::new();
        let mut pieces = bytes.chunks(piece);
        let taken = pieces.try_for_each(|piece| grammar.take(piece, &mut lines));
        let ended = taken.and_then(|()| grammar.end(&mut lines));
        let lines = String::from_utf8(lines).unwrap();
        (lines, ended.err().map(|error| error.to_string()))
    }

    #[test]
    fn what_is_no_container_is_handed_on_as_it_is() {
        for text in [
            &b""[..],
            b"{",
            b"[",
            b"{}\n",
            b"{\"a\":1}\n{\"a\":2}\n",
            b"{\"Recorder\":[{}]}\n",
            b"{\"a\":{\"Records\":[{}]}}\n",
            b"{ \"value\": 3 }\n",
            b"[2026-01-05T10:00:00Z] {\"a\":1}\n",
            b"[{main}] started\n",
            b"[1,2]\n",
            b"{\n}\n",
            b"__CURSOR\n",
            b"Jan  5 10:00:00 web1 app: [{\n",
        ] {
            let stored = Box::new(Cursor::new(text.to_vec()));
            let mut reader = Reader::new(stored, &Limits::default()).unwrap();
            let mut out = Vec::new();
            reader.read_to_end(&mut out).unwrap();
            assert_eq!(out, text);
        }
    }

    #[test]
    fn a_problem_below_comes_after_the_lines_before_it() {
        let whole = b"[{\"a\":1},{\"a\":2}]";
        let mut stored = zstd::encode_all(&whole[..], 1).unwrap();
        stored.truncate(stored.len() - 1);
        stored.extend_from_slice(b"\x28\xb5\x2f\xfd");
        let mut reader = Reader::new(Box::new(Cursor::new(stored)), &Limits::default()).unwrap();
        let mut out = Vec::new();
        assert!(reader.read_to_end(&mut out).is_err());
        assert!(b"{\"a\":1}\n{\"a\":2}\n".starts_with(&out[..]));
    }
}
