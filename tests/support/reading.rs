//! Reading a line, and showing what was read.

use std::path::PathBuf;

use bumpalo::Bump;
use tipstaff::event::{Event, Value};
use tipstaff::field::Field;
use tipstaff::format::{Context, FORMATS, Verdict, parse};
use tipstaff::time::Time;

/// 2024-06-15T00:00:00Z: stamps without a year are of 2024.
pub(crate) fn context() -> Context {
    Context::utc(Time::from_secs(1_718_409_600))
}

/// A line as it was read: verdict, format, count, and fields by name.
pub(crate) struct Line {
    /// What the format said.
    pub(crate) verdict: Verdict,
    /// The name of the format that took it.
    pub(crate) format: Option<&'static str>,
    /// `name=value` of each field.
    pub(crate) fields: Vec<(&'static str, String)>,
}

impl Line {
    /// Reads a line in a context.
    pub(crate) fn read(line: &[u8], context: &Context) -> Line {
        let arena = Bump::new();
        let mut event = Event::new();
        let parsed = parse(line, context, &arena, &mut event);
        let mut fields = Vec::new();
        if let Some(time) = event.time {
            fields.push(("@timestamp", time.to_string()));
        }
        if event.count > 1 {
            fields.push(("count", event.count.to_string()));
        }
        for &(field, value) in event.values() {
            fields.push((field.info().unwrap().name, shown(value)));
        }
        Line {
            verdict: parsed.verdict,
            format: parsed
                .format
                .map(|row| FORMATS.get(usize::from(row)).unwrap().name),
            fields,
        }
    }

    /// A field's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| *field == name)?;
        Some(&found.1)
    }

    /// `source.ip` of an event; none of a line that is not one.
    pub(crate) fn source(&self) -> Option<&str> {
        (self.verdict == Verdict::Event)
            .then(|| self.get(Field::SOURCE_IP.info().unwrap().name))
            .flatten()
    }
}

fn shown(value: Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Ip(ip) => ip.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Float(x) => x.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Net(net) => net.to_string(),
        Value::List(list) => {
            let list: Vec<_> = list.iter().map(|&value| shown(value)).collect();
            list.join(",")
        }
    }
}

/// A folder of the crate, or beside it.
pub(crate) fn folder(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(relative)
}
