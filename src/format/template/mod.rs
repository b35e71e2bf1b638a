//! Messages written down as the program writes them: `CTRL: Client {ip}
//! control connection {*}`, fixed words with holes between.
//!
//! Most programs have a dozen such lines and nothing else. A hole that holds
//! an address or a word takes nothing else; one for free text (a user's name,
//! a reason) may end wherever the words after it stand. Whoever is remote
//! chooses what stands in some of the holes, also words of the line itself. So
//! all ways to read a line are tried, as every template that it can be: where
//! two of them would tell another address or name, somebody made it so, and
//! the line is malformed, whoever may be meant.
//!
//! The work is bounded for the line, over all its templates, and a line that
//! begins with no template's words costs one look into a table.

mod hole;
#[cfg(test)]
pub(super) mod tests;

use std::sync::OnceLock;

use memchr::memmem::Finder;

use super::Verdict;
use super::token::say;
use crate::event::Event;
use crate::field::Field;
use hole::{Hole, Told};

/// Holes of one template whose text is kept; WatchGuard's packets have eight.
const KEPT_MAX: usize = 8;

/// Places that are tried for the holes of one line, over all its templates,
/// where 64 bytes that are looked through count as one more. The longest real
/// message needs fewer than forty.
const TRIES_MAX: usize = 4096;

/// Longest text of a hole that is one word or one address with its name.
const WORD_MAX: usize = 320;

const AMBIGUOUS: &str = "more than one way to read it";

/// `event.action`, `event.outcome`, `event.category`.
pub(super) type Says = [&'static str; 3];

/// What lines say, and the lines as they are written.
pub(super) type Row<T = Says> = (T, &'static [&'static str]);

/// The lines of a program.
pub(super) struct Table<T: 'static = Says> {
    rows: &'static [Row<T>],
    compiled: OnceLock<Compiled<T>>,
}

struct Compiled<T> {
    templates: Vec<Template<T>>,
    /// By a text's first byte, which of the groups it belongs to; the first
    /// group has the templates that begin with a hole, as all others have.
    of: [u8; 256],
    groups: Vec<Vec<u16>>,
}

struct Template<T> {
    says: T,
    /// The words before the first hole, and those after the last.
    begin: &'static [u8],
    end: &'static [u8],
    parts: Vec<Part>,
    /// Whether it tells an end of the connection.
    tells: bool,
}

/// A hole and the words behind it.
struct Part {
    hole: Hole,
    words: &'static [u8],
    finder: Finder<'static>,
}

/// A line that was read in one way.
pub(super) struct Reading<'a, T> {
    /// What the row says.
    pub(super) says: T,
    kept: Kept<'a>,
}

impl<'a, T> Reading<'a, T> {
    /// Sets what the holes hold.
    pub(super) fn set(&self, event: &mut Event<'a>) {
        for (hole, text) in self.kept.iter().flatten() {
            hole.set(text, event);
        }
    }

    /// What it tells of the connection's ends, in the line's order.
    fn told(&self) -> impl Iterator<Item = Told<'a>> + use<'_, 'a, T> {
        let told = |(hole, text): &(Hole, &'a [u8])| hole.told(text);
        self.kept
            .iter()
            .flatten()
            .filter_map(told)
            .flatten()
            .flatten()
    }
}

impl Table {
    /// Reads a message as the first line that it can be.
    pub(super) fn read<'a>(&self, text: &'a [u8], event: &mut Event<'a>) -> Verdict {
        match self.find(text, |_| true) {
            Ok(Some(reading)) => {
                let [action, outcome, category] = reading.says;
                say(event, action, outcome, category);
                reading.set(event);
                Verdict::Event
            }
            Ok(None) => Verdict::NotMine,
            Err(reason) => Verdict::Malformed(reason),
        }
    }
}

impl<T: Copy> Table<T> {
    pub(super) const fn new(rows: &'static [Row<T>]) -> Table<T> {
        Table {
            rows,
            compiled: OnceLock::new(),
        }
    }

    /// The first line, of the rows that are wanted, that a text can be.
    pub(super) fn find<'a>(
        &self,
        text: &'a [u8],
        wanted: impl Fn(T) -> bool,
    ) -> Result<Option<Reading<'a, T>>, &'static str> {
        let compiled = self.compiled.get_or_init(|| Compiled::new(self.rows));
        let mut first: Option<Reading<'a, T>> = None;
        let mut search = Search::default();
        for template in compiled.beginning(text) {
            // What tells of nobody cannot contradict.
            if first.is_some() && !template.tells {
                continue;
            }
            let Some(rest) = text.strip_prefix(template.begin) else {
                continue;
            };
            if !rest.ends_with(template.end) || !wanted(template.says) {
                continue;
            }
            search.step(&template.parts, rest);
            let found = search.found.take();
            if search.twice || (found.is_some() && search.tries > TRIES_MAX) {
                return Err(AMBIGUOUS);
            }
            let Some(kept) = found else {
                continue;
            };
            let reading = Reading {
                says: template.says,
                kept,
            };
            match &first {
                None => first = Some(reading),
                Some(before) => {
                    if reading.told().next().is_some() && !before.told().eq(reading.told()) {
                        return Err(AMBIGUOUS);
                    }
                }
            }
        }
        if search.tries > TRIES_MAX {
            return Err("too many ways to read it");
        }
        Ok(first)
    }

    /// What the rows say.
    pub(super) fn says(&self) -> impl Iterator<Item = T> + use<'_, T> {
        self.rows.iter().map(|(says, _)| *says)
    }

    /// The rows as they are written.
    #[cfg(test)]
    pub(super) fn lines(&self) -> impl Iterator<Item = &'static str> + use<'_, T> {
        self.rows
            .iter()
            .flat_map(|(_, lines)| lines.iter().copied())
    }
}

impl<T: Copy> Compiled<T> {
    fn new(rows: &'static [Row<T>]) -> Compiled<T> {
        let lines = rows
            .iter()
            .flat_map(|(says, lines)| lines.iter().map(|line| compile(*says, line)));
        let templates: Vec<Template<T>> = lines.collect();
        debug_assert!(u16::try_from(templates.len()).is_ok());
        let mut of = [0; 256];
        let mut groups = vec![members(&templates, None)];
        for (byte, of) in (0..=u8::MAX).zip(&mut of) {
            if templates.iter().any(|t| t.begin.first() == Some(&byte)) {
                *of = u8::try_from(groups.len()).unwrap_or(0);
                groups.push(members(&templates, Some(byte)));
            }
        }
        Compiled {
            templates,
            of,
            groups,
        }
    }

    /// The templates that may begin as a text does, in their order.
    fn beginning(&self, text: &[u8]) -> impl Iterator<Item = &Template<T>> {
        let of = text
            .first()
            .and_then(|&byte| self.of.get(usize::from(byte)));
        let group = self.groups.get(usize::from(of.copied().unwrap_or(0)));
        let at = group.map(Vec::as_slice).unwrap_or_default();
        at.iter()
            .filter_map(|&at| self.templates.get(usize::from(at)))
    }
}

/// The templates that begin with a byte or with a hole.
fn members<T>(templates: &[Template<T>], byte: Option<u8>) -> Vec<u16> {
    let begins = |template: &Template<T>| {
        template.begin.is_empty() || (byte.is_some() && template.begin.first() == byte.as_ref())
    };
    (0..u16::MAX)
        .zip(templates)
        .filter_map(|(at, template)| begins(template).then_some(at))
        .collect()
}

/// The holes that were kept on the way, in order.
type Kept<'a> = [Option<(Hole, &'a [u8])>; KEPT_MAX];

#[derive(Default)]
struct Search<'a> {
    kept: Kept<'a>,
    length: usize,
    found: Option<Kept<'a>>,
    twice: bool,
    tries: usize,
}

impl<'a> Search<'a> {
    fn step(&mut self, parts: &[Part], text: &'a [u8]) {
        self.tries += 1;
        if self.twice || self.tries > TRIES_MAX {
            return;
        }
        match parts {
            [] => {
                if text.is_empty() {
                    self.end();
                }
            }
            [last] => {
                // The last words end the text: nothing else needs to be tried.
                if let Some(inside) = text.strip_suffix(last.words) {
                    self.fill(last.hole, inside, &[], &[]);
                }
            }
            [part, rest @ ..] => self.places(part, rest, text),
        }
    }

    /// Every place where a hole could end.
    fn places(&mut self, part: &Part, rest: &[Part], line: &'a [u8]) {
        let (hole, words) = (part.hole, part.words);
        let mut text = line;
        if !hole.is_free() {
            let near = line.get(..WORD_MAX).unwrap_or(line);
            let end = match memchr::memchr(b' ', near) {
                Some(blank) if hole.is_word() => blank,
                _ => near.len(),
            };
            if words.is_empty() {
                let (inside, after) = line.split_at_checked(end).unwrap_or_default();
                return self.fill(hole, inside, rest, after);
            }
            text = line.get(..end + words.len()).unwrap_or(line);
        }
        let mut from = 0;
        loop {
            let ahead = text.get(from..).unwrap_or_default();
            let found = part.finder.find(ahead);
            self.tries += 1 + found.unwrap_or(ahead.len()) / 64;
            let Some(at) = found else {
                return;
            };
            let Some((inside, after)) = line.split_at_checked(from + at) else {
                return;
            };
            if self.twice || self.tries > TRIES_MAX {
                return;
            }
            let after = after.get(words.len()..).unwrap_or_default();
            self.fill(hole, inside, rest, after);
            if hole == Hole::Own {
                return;
            }
            from += at + 1;
        }
    }

    /// Takes a text into a hole, goes on with what follows, and gives it back.
    fn fill(&mut self, hole: Hole, inside: &'a [u8], rest: &[Part], after: &'a [u8]) {
        if (!hole.is_free() && inside.len() > WORD_MAX) || !hole.takes(inside) {
            return;
        }
        if hole.is_idle() {
            self.step(rest, after);
            return;
        }
        let Some(slot) = self.kept.get_mut(self.length) else {
            debug_assert!(false, "a template keeps at most {KEPT_MAX} texts");
            return;
        };
        *slot = Some((hole, inside));
        self.length += 1;
        self.step(rest, after);
        self.length -= 1;
        if let Some(slot) = self.kept.get_mut(self.length) {
            *slot = None;
        }
    }

    fn end(&mut self) {
        match &self.found {
            None => self.found = Some(self.kept),
            // A reason tells nothing of who did it: the shorter one will do.
            Some(found) => {
                let same = found.iter().zip(&self.kept).all(|pair| match pair {
                    (Some((Hole::Text(Field::EVENT_REASON), _)), Some((other, _))) => {
                        *other == Hole::Text(Field::EVENT_REASON)
                    }
                    (one, other) => one == other,
                });
                self.twice = !same;
            }
        }
    }
}

/// `words {hole} words`.
fn compile<T>(says: T, text: &'static str) -> Template<T> {
    let (begin, mut rest) = words(text);
    let mut parts: Vec<Part> = Vec::new();
    while let Some((name, tail)) = rest.split_once('}') {
        let hole = Hole::read(name);
        debug_assert!(hole.is_some(), "{{{name}}} is a hole");
        let (words, tail) = words(tail);
        let hole = match hole.unwrap_or(Hole::Any) {
            Hole::Identity if words.is_empty() => Hole::LastIdentity,
            hole => hole,
        };
        let sound = !words.is_empty() || tail.is_empty() || (tail == "...}" && hole.is_word());
        debug_assert!(sound, "words stand between two holes");
        parts.push(Part {
            hole,
            words: words.as_bytes(),
            finder: Finder::new(words.as_bytes()),
        });
        rest = tail;
    }
    Template {
        says,
        begin: begin.as_bytes(),
        end: parts.last().map(|part| part.words).unwrap_or_default(),
        tells: parts.iter().any(|part| part.hole.is_end()),
        parts,
    }
}

/// The words before the next hole, and the hole's name with what follows.
fn words(text: &'static str) -> (&'static str, &'static str) {
    text.split_once('{').unwrap_or((text, ""))
}
