//! The data section of a MaxMind DB: typed values, one after another, with
//! pointers back to what was said before.
//!
//! Nothing in it is trusted: every read is checked against the section's end,
//! a value is looked at to a fixed depth, and a record to a fixed number of
//! values, so that a file that points into itself ends like any other.

/// Values within values. GeoIP2's records are four deep.
const DEPTH_MAX: u8 = 16;

/// Values of one record that are looked at. GeoIP2 Enterprise's have some 300.
pub(super) const VALUES_MAX: u32 = 8192;

/// Pointers may not point at pointers (specification 2.0); one more is allowed for.
const POINTERS_MAX: u8 = 2;

/// What is wrong with a value, for people.
pub(super) type Wrong = &'static str;

const SHORT: Wrong = "a value goes beyond the end of the file";
const DEEP: Wrong = "values within values, more than 16 deep";
const MANY: Wrong = "a record of more than 8192 values";
const ODD: Wrong = "a value of a type that a record does not have";

/// The section.
#[derive(Clone, Copy)]
pub(super) struct Data<'a>(pub(super) &'a [u8]);

/// A value's type, its size, and where its payload begins.
#[derive(Clone, Copy)]
struct Head {
    kind: Kind,
    size: usize,
    at: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pointer,
    Text,
    Double,
    Float,
    /// Big endian, of at most 16 bytes.
    Unsigned,
    Map,
    Array,
    /// Bytes, signed numbers, booleans: nothing that is asked for. The size is
    /// the payload's.
    Other,
}

/// A value that is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Found<'a> {
    Text(&'a str),
    Number(u64),
    Real(f64),
    /// A map, and where it is.
    Map(usize),
}

impl<'a> Data<'a> {
    fn bytes(&self, at: usize, size: usize) -> Result<&'a [u8], Wrong> {
        let end = at.checked_add(size).ok_or(SHORT)?;
        self.0.get(at..end).ok_or(SHORT)
    }

    fn unsigned(&self, at: usize, size: usize) -> Result<u64, Wrong> {
        let bytes = self.bytes(at, size)?;
        // A number of 128 bits is of no field that is asked for; its low half does.
        let folded = bytes.iter().fold(0_u64, |n, &b| n << 8 | u64::from(b));
        Ok(folded)
    }

    fn offset(&self, at: usize, size: usize) -> Result<usize, Wrong> {
        usize::try_from(self.unsigned(at, size)?).map_err(|_| SHORT)
    }

    fn head(&self, at: usize) -> Result<Head, Wrong> {
        let control = *self.0.get(at).ok_or(SHORT)?;
        let mut at = at + 1;
        let kind = if control >> 5 == 0 {
            let extended = *self.0.get(at).ok_or(SHORT)?;
            at += 1;
            extended.checked_add(7).ok_or(ODD)?
        } else {
            control >> 5
        };
        if kind == 1 {
            let bytes = usize::from(control >> 3 & 3) + 1;
            return Ok(Head {
                kind: Kind::Pointer,
                size: usize::from(control),
                at,
            })
            .and_then(|head| self.bytes(at, bytes).map(|_| head));
        }
        let short = usize::from(control & 0x1f);
        let (size, more) = match short {
            29 => (29 + self.offset(at, 1)?, 1),
            30 => (285 + self.offset(at, 2)?, 2),
            31 => (65_821 + self.offset(at, 3)?, 3),
            _ => (short, 0),
        };
        at += more;
        let (kind, size) = match kind {
            2 => (Kind::Text, size),
            3 if size == 8 => (Kind::Double, size),
            15 if size == 4 => (Kind::Float, size),
            5 | 6 | 9 | 10 if size <= 16 => (Kind::Unsigned, size),
            7 => (Kind::Map, size),
            11 => (Kind::Array, size),
            4 | 8 => (Kind::Other, size),
            // A boolean is its size.
            14 => (Kind::Other, 0),
            _ => return Err(ODD),
        };
        Ok(Head { kind, size, at })
    }

    /// Where a pointer points, and where it ends.
    fn target(&self, head: &Head) -> Result<(usize, usize), Wrong> {
        debug_assert!(head.kind == Kind::Pointer, "only pointers point");
        let bytes = head.size >> 3 & 3;
        let high = head.size & 7;
        let low = self.offset(head.at, bytes + 1)?;
        let target = match bytes {
            0 => high << 8 | low,
            1 => (high << 16 | low) + 2048,
            2 => (high << 24 | low) + 526_336,
            _ => low,
        };
        Ok((target, head.at + bytes + 1))
    }

    /// What is at a place, through pointers.
    fn resolved(&self, at: usize) -> Result<Head, Wrong> {
        let mut head = self.head(at)?;
        for _ in 0..POINTERS_MAX {
            if head.kind != Kind::Pointer {
                return Ok(head);
            }
            head = self.head(self.target(&head)?.0)?;
        }
        Err("a pointer to a pointer")
    }

    /// Where the value ends that begins at a place.
    fn end(&self, at: usize, left: &mut u32, depth: u8) -> Result<usize, Wrong> {
        *left = left.checked_sub(1).ok_or(MANY)?;
        let depth = depth.checked_sub(1).ok_or(DEEP)?;
        let head = self.head(at)?;
        let members = match head.kind {
            Kind::Pointer => return Ok(self.target(&head)?.1),
            Kind::Map => head.size.saturating_mul(2),
            Kind::Array => head.size,
            _ => {
                self.bytes(head.at, head.size)?;
                return Ok(head.at + head.size);
            }
        };
        let mut at = head.at;
        for _ in 0..members {
            at = self.end(at, left, depth)?;
        }
        Ok(at)
    }

    fn text(&self, head: &Head) -> Result<&'a str, Wrong> {
        let bytes = self.bytes(head.at, head.size)?;
        std::str::from_utf8(bytes).map_err(|_| "a text that is not UTF-8")
    }

    /// The value at a place, where it is of a type that is asked for.
    pub(super) fn value(&self, at: usize) -> Result<Option<Found<'a>>, Wrong> {
        let head = self.resolved(at)?;
        Ok(Some(match head.kind {
            Kind::Text => Found::Text(self.text(&head)?),
            Kind::Unsigned => Found::Number(self.unsigned(head.at, head.size)?),
            Kind::Double => Found::Real(f64::from_bits(self.unsigned(head.at, 8)?)),
            Kind::Float => {
                let bits = u32::try_from(self.unsigned(head.at, 4)?).unwrap_or_default();
                Found::Real(f32::from_bits(bits).into())
            }
            // The payload alone does not say how long it is: the place does.
            Kind::Map => Found::Map(at),
            _ => return Ok(None),
        }))
    }

    /// Hands each of a map's keys with its value to `each`.
    pub(super) fn members(
        &self,
        at: usize,
        left: &mut u32,
        mut each: impl FnMut(&'a str, Option<Found<'a>>) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        let head = self.resolved(at)?;
        if head.kind != Kind::Map {
            return Err("a record that is no map");
        }
        let mut at = head.at;
        for _ in 0..head.size {
            let key = self.resolved(at)?;
            if key.kind != Kind::Text {
                return Err("a map's key that is no text");
            }
            let key = self.text(&key)?;
            at = self.end(at, left, DEPTH_MAX)?;
            each(key, self.value(at)?)?;
            at = self.end(at, left, DEPTH_MAX)?;
        }
        Ok(())
    }
}
