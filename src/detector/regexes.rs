//! The regular expressions of a rule set, each compiled once, and the texts
//! without which one cannot match, so that it is rarely run.

use hashbrown::HashMap;
use regex_automata::meta::{Config, Regex};
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::syntax;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::pattern;
use crate::rule;

/// Shortest text that is worth looking for: a single letter is in every line.
const SHORTEST: usize = 3;

/// Most texts of which one expression may need any.
const TEXTS_MAX: usize = 16;

/// The regular expressions of a detector, each once.
#[derive(Debug, Default)]
pub(crate) struct Regexes {
    pub(crate) list: Vec<Regex>,
    by_pattern: HashMap<String, usize, std::hash::RandomState>,
    /// Per expression, texts of which every match holds one, folded.
    needed: Vec<Option<Vec<Vec<u8>>>>,
}

impl Regexes {
    /// The place of an expression, compiled within limits: a rule must not be
    /// able to take all memory. `\w{200}` needs 3 MiB, since words have letters
    /// of every script; the loader's check has this limit as well.
    pub(crate) fn add(&mut self, pattern: &str) -> Result<usize, String> {
        if let Some(place) = self.by_pattern.get(pattern) {
            return Ok(*place);
        }
        let config = Config::new()
            .nfa_size_limit(Some(rule::REGEX_SIZE_MAX))
            // Only whether it matches is asked, and rarely: the lazy automaton
            // is as fast as the whole one, without its 100 KiB per expression.
            .which_captures(WhichCaptures::Implicit)
            .onepass(false)
            .dfa(false)
            .hybrid_cache_capacity(1 << 18)
            .utf8_empty(false);
        let translated = rule::regex_dialect(pattern);
        let hir = syntax::parse_with(&translated, &syntax::Config::new().utf8(false))
            .map_err(|e| e.to_string())?;
        let regex = Regex::builder()
            .configure(config)
            .build_from_hir(&hir)
            .map_err(|e| e.to_string())?;
        let place = self.list.len();
        self.list.push(regex);
        self.needed.push(needed(&hir));
        self.by_pattern.insert(pattern.to_owned(), place);
        Ok(place)
    }

    pub(crate) fn place(&self, pattern: &str) -> Option<usize> {
        self.by_pattern.get(pattern).copied()
    }

    /// Texts of which a folded text must hold one for the expression to match.
    pub(crate) fn needed(&self, place: usize) -> Option<&[Vec<u8>]> {
        self.needed.get(place)?.as_deref()
    }
}

/// Texts of which every match holds at least one, folded and long enough to
/// be worth it.
fn needed(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let texts = texts(hir)?;
    texts
        .iter()
        .all(|text| text.len() >= SHORTEST)
        .then_some(texts)
}

/// The same of any length.
fn texts(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => Some(vec![fixed(hir)?]),
        HirKind::Capture(capture) => texts(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => texts(&repetition.sub),
        HirKind::Concat(parts) => of_sequence(parts),
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(texts(part)?);
            }
            (all.len() <= TEXTS_MAX).then_some(all)
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// Of a sequence the part with the longest texts; neighbours that are fixed
/// are one text.
fn of_sequence(parts: &[Hir]) -> Option<Vec<Vec<u8>>> {
    let shortest = |texts: &Vec<Vec<u8>>| texts.iter().map(Vec::len).min().unwrap_or(0);
    let mut best: Option<Vec<Vec<u8>>> = None;
    let mut offer = |texts: Vec<Vec<u8>>| {
        if best.as_ref().is_none_or(|b| shortest(&texts) > shortest(b)) {
            best = Some(texts);
        }
    };
    let mut run: Vec<u8> = Vec::new();
    for part in parts {
        if let Some(text) = fixed(part) {
            run.extend(text);
            continue;
        }
        if !run.is_empty() {
            offer(vec![std::mem::take(&mut run)]);
        }
        if let Some(texts) = texts(part) {
            offer(texts);
        }
    }
    if !run.is_empty() {
        offer(vec![run]);
    }
    best
}

/// What a part always is once it is folded: a text, or a letter in any case.
fn fixed(hir: &Hir) -> Option<Vec<u8>> {
    let mut folded = Vec::new();
    match hir.kind() {
        // A part of a character folds differently than the whole.
        HirKind::Literal(literal) => {
            pattern::fold(
                std::str::from_utf8(&literal.0).ok()?.as_bytes(),
                &mut folded,
            );
            Some(folded)
        }
        HirKind::Class(Class::Unicode(class)) => {
            let few = class.ranges().len() <= 3;
            let ranges = class.ranges().iter().take(if few { 3 } else { 0 });
            let mut all = ranges.flat_map(|range| {
                let several = range.start() != range.end();
                [Some(range.start()), several.then_some(range.end())]
            });
            let small = class.ranges().iter().all(|r| r.len() <= 2);
            let mut letters = all.by_ref().flatten().map(|c| {
                let mut folded = Vec::new();
                pattern::fold(c.encode_utf8(&mut [0; 4]).as_bytes(), &mut folded);
                folded
            });
            let first = letters.next()?;
            (few && small && letters.all(|other| other == first)).then_some(first)
        }
        HirKind::Capture(capture) => fixed(&capture.sub),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex_automata::Input;

    fn of(pattern: &str) -> Option<Vec<String>> {
        let mut regexes = Regexes::default();
        let place = regexes.add(pattern).unwrap();
        let texts = regexes.needed(place)?.iter();
        Some(
            texts
                .map(|t| String::from_utf8(t.clone()).unwrap())
                .collect(),
        )
    }

    #[test]
    fn the_longest_text_that_must_be_there_is_found() {
        let some = |texts: &[&str]| Some(texts.iter().map(|t| (*t).to_owned()).collect());
        for (pattern, texts) in [
            (r"^/tmp/[a-z]{8}\.SH$", some(&["/tmp/"])),
            (r"(?i)WGET\s+http", some(&["wget"])),
            (r"\$\{jndi:(ldap|rmi)", some(&["${jndi:"])),
            (r"(curl|wget|nc -e)", some(&["curl", "wget", "nc -e"])),
            (r"(?:abc)+[0-9]", some(&["abc"])),
            (r"(abc)?[0-9]+", None),
            (r"[a-z]{8}", None),
            (r"a.b", None),
            ("ÄÖÜx", some(&["äöüx"])),
            // The long s is no s once it is folded.
            ("(?i)assess", None),
        ] {
            assert_eq!(of(pattern), texts, "{pattern}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn whatever_matches_holds_a_needed_text(
            pattern in "((a|b|A|k|ä|\\.|[ab]|[kK]|(abc|abd)|(?i:Ak)|x{2}|b?|c*|(ab)+){1,6}\\|?){1,2}",
            text in "[abAkKäxcdÄ.\u{212a}]{0,12}",
        ) {
            let mut regexes = Regexes::default();
            let Ok(place) = regexes.add(&pattern) else { return Ok(()) };
            let matches = regexes.list[place].is_match(Input::new(&text));
            let mut folded = Vec::new();
            pattern::fold(text.as_bytes(), &mut folded);
            if let Some(texts) = regexes.needed(place) {
                let holds = texts.iter().any(|t| memchr::memmem::find(&folded, t).is_some());
                prop_assert!(!matches || holds, "{pattern} on {text}");
            }
        }
    }
}
