//! Where keys, values and elements stand: serde_json's streaming reader.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

const NOT_JSON: &str = "not one JSON object";

/// Calls back with each key (as it stands, quoted) and value of an object.
pub(super) fn entries<'a>(
    raw: &'a str,
    each: &mut dyn FnMut(&'a str, &'a str),
) -> Result<(), &'static str> {
    let mut reader = serde_json::Deserializer::from_str(raw);
    Entries(each)
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|_| NOT_JSON)
}

/// Calls back with each element of an array.
pub(super) fn elements<'a>(
    raw: &'a str,
    each: &mut dyn FnMut(&'a str),
) -> Result<(), &'static str> {
    let mut reader = serde_json::Deserializer::from_str(raw);
    Elements(each)
        .deserialize(&mut reader)
        .map_err(|_| NOT_JSON)
}

struct Entries<'e, 'a>(&'e mut dyn FnMut(&'a str, &'a str));

impl<'a> DeserializeSeed<'a> for Entries<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Entries<'_, 'a> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            (self.0)(key.get(), value.get());
        }
        Ok(())
    }
}

struct Elements<'e, 'a>(&'e mut dyn FnMut(&'a str));

impl<'a> DeserializeSeed<'a> for Elements<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for Elements<'_, 'a> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }
    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(value) = seq.next_element::<&RawValue>()? {
            (self.0)(value.get());
        }
        Ok(())
    }
}
