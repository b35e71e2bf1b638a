//! CODECS: compressed files, known by their first bytes whatever their name.
//!
//! All members, frames and streams of a file are read, as `zcat` and its like
//! do: logrotate and pigz write several. What comes out is capped, because a
//! log folder may hold files that others can write: 1 TiB a file, and not more
//! than 1000 bytes out for one in beyond the first GiB ([`Limits`]).

use std::io::{self, BufReader, Cursor, Read};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use liblzma::read::XzDecoder;

use super::Limits;
use super::problem::Refused;

/// Memory that an xz file may ask for. `xz -9` needs 65 MiB; a hostile header 4 GiB.
const XZ_MEMORY: u64 = 256 << 20;

/// `LZMA_CONCATENATED` of lzma/container.h: read all streams of the file.
const XZ_CONCATENATED: u32 = 0x08;

/// Bytes that any magic needs.
const MAGIC: usize = 6;

/// A row of the table: a way of compression.
pub struct Codec {
    /// Its name.
    pub name: &'static str,
    /// The suffix that rotated files bear, without the dot.
    pub suffix: &'static str,
    /// Whether a file's first bytes are its own.
    claims: fn(&[u8]) -> bool,
    /// Puts its decoder on top.
    decode: fn(Raw) -> io::Result<Box<dyn Bytes>>,
}

/// Every way of compression that is read.
pub static CODECS: &[Codec] = &[
    Codec {
        name: "gzip",
        suffix: "gz",
        claims: |head| head.starts_with(&[0x1f, 0x8b, 0x08]),
        decode: |raw| Ok(Box::new(MultiGzDecoder::new(raw))),
    },
    Codec {
        name: "zstd",
        suffix: "zst",
        claims: zstd_magic,
        decode: |raw| Ok(Box::new(zstd::Decoder::new(raw)?)),
    },
    Codec {
        name: "xz",
        suffix: "xz",
        claims: |head| head.starts_with(b"\xfd7zXZ\0"),
        decode: |raw| {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, XZ_CONCATENATED)?;
            Ok(Box::new(XzDecoder::new_stream(raw, stream)))
        },
    },
    Codec {
        name: "bzip2",
        suffix: "bz2",
        claims: |head| matches!(head, [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..]),
        decode: |raw| Ok(Box::new(MultiBzDecoder::new(raw))),
    },
];

/// A frame, or the skippable frame with which pzstd and `zstd --content-size`
/// tools begin (RFC 8878, 3.1.2).
fn zstd_magic(head: &[u8]) -> bool {
    matches!(
        head,
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]
    )
}

/// A decoder that knows how much it was given.
trait Bytes: Read + Send {
    /// Stored bytes taken so far.
    fn taken(&self) -> u64;
}

/// Stored bytes: the few that were looked at, then the others.
struct Raw {
    head: Cursor<Vec<u8>>,
    rest: Box<dyn Read + Send>,
    taken: u64,
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut got = self.head.read(buffer)?;
        if got == 0 {
            got = self.rest.read(buffer)?;
        }
        self.taken += got as u64;
        Ok(got)
    }
}

impl Bytes for Raw {
    fn taken(&self) -> u64 {
        self.taken
    }
}

impl Bytes for MultiGzDecoder<Raw> {
    fn taken(&self) -> u64 {
        self.get_ref().taken
    }
}

impl Bytes for zstd::Decoder<'static, BufReader<Raw>> {
    fn taken(&self) -> u64 {
        self.get_ref().get_ref().taken
    }
}

impl Bytes for XzDecoder<Raw> {
    fn taken(&self) -> u64 {
        self.get_ref().taken
    }
}

impl Bytes for MultiBzDecoder<Raw> {
    fn taken(&self) -> u64 {
        self.get_ref().taken
    }
}

/// The log's bytes: decompressed if they were compressed, and capped.
pub(super) struct Decoder {
    bytes: Box<dyn Bytes>,
    codec: Option<&'static Codec>,
    given: u64,
    output: u64,
    ratio: u64,
    ratio_from: u64,
}

impl Decoder {
    /// Looks at the first bytes of `stored` and puts the right decoder on top.
    pub(super) fn new(mut stored: Box<dyn Read + Send>, limits: &Limits) -> io::Result<Decoder> {
        let mut head = Vec::with_capacity(MAGIC);
        (&mut stored).take(MAGIC as u64).read_to_end(&mut head)?;
        let codec = CODECS.iter().find(|codec| (codec.claims)(&head));
        let raw = Raw {
            head: Cursor::new(head),
            rest: stored,
            taken: 0,
        };
        let bytes = match codec {
            Some(codec) => (codec.decode)(raw)?,
            None => Box::new(raw),
        };
        Ok(Decoder {
            bytes,
            codec,
            given: 0,
            output: limits.output,
            ratio: limits.ratio,
            ratio_from: limits.ratio_from,
        })
    }

    /// How it is compressed, if it is.
    pub(super) fn codec(&self) -> Option<&'static Codec> {
        self.codec
    }

    /// Stored bytes taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.bytes.taken()
    }

    fn check(&self) -> io::Result<()> {
        let why = if self.codec.is_none() {
            return Ok(());
        } else if self.given > self.output {
            format!("it holds more than {} bytes", self.output)
        } else if self.given > self.ratio_from && self.given / self.ratio > self.taken() {
            format!("it is compressed more than {}:1", self.ratio)
        } else {
            return Ok(());
        };
        Err(io::Error::other(Refused(why)))
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        let got = self.bytes.read(buffer)?;
        self.given += got as u64;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Block, Framer, Problem, Reader};
    use super::*;
    use crate::line::SourceId;
    use std::io::Write;

    fn packed(codec: &str, bytes: &[u8]) -> Vec<u8> {
        match codec {
            "gzip" => {
                let level = flate2::Compression::fast();
                let mut to = flate2::write::GzEncoder::new(Vec::new(), level);
                to.write_all(bytes).unwrap();
                to.finish().unwrap()
            }
            "zstd" => zstd::encode_all(bytes, 1).unwrap(),
            "xz" => {
                let mut to = liblzma::write::XzEncoder::new(Vec::new(), 0);
                to.write_all(bytes).unwrap();
                to.finish().unwrap()
            }
            _ => {
                let level = bzip2::Compression::fast();
                let mut to = bzip2::write::BzEncoder::new(Vec::new(), level);
                to.write_all(bytes).unwrap();
                to.finish().unwrap()
            }
        }
    }

    /// Everything that comes out in blocks, and the problem at its end.
    fn read(stored: Vec<u8>, limits: Limits) -> (Vec<u8>, Option<Problem>) {
        let reader = Reader::new(Box::new(Cursor::new(stored)), &limits).unwrap();
        let mut framer = Framer::new(reader, "auth.log.gz", SourceId(0), limits);
        let (mut out, mut block) = (Vec::new(), Block::default());
        loop {
            match framer.next(&mut block) {
                Ok(true) => out.extend_from_slice(&block.bytes),
                Ok(false) => return (out, None),
                Err(problem) => return (out, Some(problem)),
            }
        }
    }

    /// Lines that do not compress to nothing.
    fn log(lines: u32) -> Vec<u8> {
        let line = |n: u32| format!("line {n} of {:08x}\n", n.wrapping_mul(2_654_435_761));
        (0..lines).flat_map(|n| line(n).into_bytes()).collect()
    }

    #[test]
    fn every_member_of_every_codec_is_read() {
        let (first, second) = (log(30_000), b"the second member\n".to_vec());
        for codec in CODECS {
            let stored = [packed(codec.name, &first), packed(codec.name, &second)].concat();
            let (out, problem) = read(stored, Limits::default());
            assert!(problem.is_none(), "{}: {problem:?}", codec.name);
            assert!(out == [&first[..], &second[..]].concat(), "{}", codec.name);
        }
    }

    #[test]
    fn a_damaged_archive_gives_what_stands_before_and_then_says_so() {
        let whole = log(100_000);
        for codec in CODECS {
            let mut stored = packed(codec.name, &whole);
            stored.truncate(stored.len() * 3 / 4);
            let (out, problem) = read(stored, Limits::default());
            assert!(whole.starts_with(&out), "{}", codec.name);
            assert!(out.len() > whole.len() / 4, "{}: {}", codec.name, out.len());
            let said = problem.unwrap().to_string();
            assert!(said.starts_with("auth.log.gz: damaged after"), "{said}");
        }
    }

    #[test]
    fn a_bomb_is_refused_by_its_ratio_and_by_its_size() {
        let zeros = vec![b'\n'; 8 << 20];
        let tight = Limits {
            ratio: 100,
            ratio_from: 1 << 20,
            ..Limits::default()
        };
        let small = Limits {
            output: 1 << 20,
            ..Limits::default()
        };
        for codec in CODECS {
            for (limits, why) in [
                (tight, "more than 100:1"),
                (small, "more than 1048576 bytes"),
            ] {
                let (out, problem) = read(packed(codec.name, &zeros), limits);
                // A decoder takes its input in gulps of 32 KiB: the check is no finer.
                assert!(out.len() < 5 << 20, "{}: {}", codec.name, out.len());
                let said = problem.unwrap().to_string();
                assert!(said.contains("refused") && said.contains(why), "{said}");
            }
        }
    }

    #[test]
    fn bytes_that_only_begin_like_an_archive_are_a_damaged_one_and_no_panic() {
        for head in [
            &b"\x1f\x8b\x08"[..],
            b"\x28\xb5\x2f\xfd",
            b"\xfd7zXZ\0",
            b"BZh91",
        ] {
            let stored = [head, &[0x55; 300]].concat();
            let (_, problem) = read(stored, Limits::default());
            assert!(matches!(problem, Some(Problem::Damaged { .. })), "{head:?}");
        }
        let (out, problem) = read(b"BZh".to_vec(), Limits::default());
        assert!(out == b"BZh" && problem.is_none());
    }
}
