//! A host's auth.log: lines may be said in any order and come out by time.

use std::fmt::{Arguments, Write as _};
use std::ops::Range;

use super::stamp::{self, At, Style};

/// The lines of one host.
pub(crate) struct Syslog {
    host: &'static str,
    style: Style,
    text: String,
    lines: Vec<(At, Range<usize>)>,
    sorted: bool,
}

impl Syslog {
    /// An empty log of a host.
    pub(crate) fn new(host: &'static str, style: Style) -> Syslog {
        Syslog {
            host,
            style,
            text: String::new(),
            lines: Vec::new(),
            sorted: true,
        }
    }

    /// Adds a line: `program[pid]: text`.
    pub(crate) fn say(&mut self, at: At, line: Arguments<'_>) {
        let start = self.text.len();
        self.text.write_fmt(line).unwrap();
        self.lines.push((at, start..self.text.len()));
        self.sorted = false;
    }

    /// Loses what was said in a stretch of time.
    pub(crate) fn lose(&mut self, span: &Range<At>) {
        self.lines.retain(|(at, _)| !span.contains(at));
    }

    /// The file that holds a stretch of time.
    pub(crate) fn render(&mut self, span: &Range<At>) -> Vec<u8> {
        if !self.sorted {
            // Stable: what was said first of two at one time stays first.
            self.lines.sort_by_key(|(at, _)| *at);
            self.sorted = true;
        }
        let mut out = String::new();
        for (at, text) in &self.lines {
            if span.contains(at) {
                stamp::write(&mut out, *at, self.style);
                out.push(' ');
                out.push_str(self.host);
                out.push(' ');
                out.push_str(self.text.get(text.clone()).unwrap());
                out.push('\n');
            }
        }
        out.into_bytes()
    }

    /// All of it.
    pub(crate) fn all(&mut self) -> Vec<u8> {
        self.render(&(At::MIN..At::MAX))
    }
}
