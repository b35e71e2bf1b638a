//! Sigma's text patterns: wildcards, escapes, case folding and matching.
//!
//! A pattern is bytes, because log text need not be UTF-8 and because
//! `utf16le` makes values that are not. Case is folded character by character
//! (Unicode, without context), on the rule's side once and on the log's side
//! into a reused buffer, so that both sides always fold alike.

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    /// These bytes.
    Text(Vec<u8>),
    /// `*`: any bytes, also none, also line feeds.
    Any,
    /// `?`: exactly one character (or one byte that is no character).
    One,
    /// Any of the five characters that Windows programs take for a dash.
    Dash,
}

/// What `windash` lets a dash be: `-`, `/`, en dash, em dash, horizontal bar.
const DASHES: [&str; 5] = ["-", "/", "\u{2013}", "\u{2014}", "\u{2015}"];

/// Most steps of one glob match. A pattern with several `*` can be made to
/// backtrack by a line written for it; no line is worth more than this.
const STEPS_MAX: usize = 1 << 20;

/// Reads Sigma's wildcards and escapes: `\*`, `\?` and `\\` are the character,
/// a backslash before anything else is itself.
pub(crate) fn parse(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => push_any(&mut tokens),
            '?' => tokens.push(Token::One),
            '\\' => match chars.next_if(|next| matches!(next, '*' | '?' | '\\')) {
                Some(escaped) => push_char(&mut tokens, escaped),
                None => push_char(&mut tokens, '\\'),
            },
            other => push_char(&mut tokens, other),
        }
    }
    tokens
}

fn push_char(tokens: &mut Vec<Token>, c: char) {
    let mut buffer = [0; 4];
    let bytes = c.encode_utf8(&mut buffer).as_bytes();
    match tokens.last_mut() {
        Some(Token::Text(text)) => text.extend_from_slice(bytes),
        _ => tokens.push(Token::Text(bytes.to_vec())),
    }
}

fn push_any(tokens: &mut Vec<Token>) {
    if tokens.last() != Some(&Token::Any) {
        tokens.push(Token::Any);
    }
}

/// The pattern of these very bytes.
pub(crate) fn literal(bytes: &[u8]) -> Vec<Token> {
    if bytes.is_empty() {
        Vec::new()
    } else {
        vec![Token::Text(bytes.to_vec())]
    }
}

/// Opens a pattern at its start, its end or both, unless it is open there.
pub(crate) fn open(tokens: &mut Vec<Token>, start: bool, end: bool) {
    if start && tokens.first() != Some(&Token::Any) {
        tokens.insert(0, Token::Any);
    }
    if end {
        push_any(tokens);
    }
}

/// `windash`: every `-` or `/` that starts a word becomes any dash. Follows
/// pySigma's `\B[-/]\b`, which leaves dashes inside words alone.
pub(crate) fn any_dash(tokens: &[Token]) -> Vec<Token> {
    let mut out = Vec::new();
    for token in tokens {
        let Token::Text(bytes) = token else {
            out.push(token.clone());
            continue;
        };
        let text = String::from_utf8_lossy(bytes);
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let mut before = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let starts = !before.is_some_and(word) && chars.peek().copied().is_some_and(word);
            if matches!(c, '-' | '/') && starts {
                out.push(Token::Dash);
            } else {
                push_char(&mut out, c);
            }
            before = Some(c);
        }
    }
    out
}

/// Folds a pattern's case.
pub(crate) fn fold_tokens(tokens: &mut [Token]) {
    let mut folded = Vec::new();
    for token in tokens {
        if let Token::Text(text) = token {
            folded.clear();
            fold(text, &mut folded);
            text.clone_from(&folded);
        }
    }
}

/// Appends the case-folded form of some bytes.
pub(crate) fn fold(bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.is_ascii() {
        let start = out.len();
        out.extend_from_slice(bytes);
        if let Some(new) = out.get_mut(start..) {
            new.make_ascii_lowercase();
        }
        return;
    }
    for chunk in bytes.utf8_chunks() {
        for lower in chunk.valid().chars().flat_map(char::to_lowercase) {
            out.extend_from_slice(lower.encode_utf8(&mut [0; 4]).as_bytes());
        }
        out.extend_from_slice(chunk.invalid());
    }
}

/// The case-folded form of some bytes: themselves where nothing is to fold, as
/// in nearly all values that formats set, else what `room` is filled with.
pub(crate) fn folded<'t>(bytes: &'t [u8], room: &'t mut Vec<u8>) -> &'t [u8] {
    if !has_upper_or_wide(bytes) {
        return bytes;
    }
    room.clear();
    fold(bytes, room);
    room
}

/// Whether any byte is one of A to Z or beyond ASCII; eight at a time, since
/// the loop over single bytes took a third of the time that a short text took.
fn has_upper_or_wide(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = 0x80 * ONES;
    // The high bit of each byte that is one: nothing carries to the next byte.
    let marked = |word: u64| {
        let low = word & !HIGH;
        let from_a = low + (0x80 - u64::from(b'A')) * ONES;
        let after_z = low + (0x7f - u64::from(b'Z')) * ONES;
        ((from_a & !after_z) | word) & HIGH
    };
    let Some(last) = bytes.last_chunk() else {
        let short = bytes.iter().fold(0, |word, b| word << 8 | u64::from(*b));
        return marked(short) != 0;
    };
    // The last eight cover what is left over, and some bytes twice.
    let (words, _) = bytes.as_chunks();
    let words = words.iter().chain([last]);
    words.fold(0, |any, word| any | marked(u64::from_le_bytes(*word))) != 0
}

/// The longest bytes that every match holds; what the index searches for.
pub(crate) fn required(tokens: &[Token]) -> Option<&[u8]> {
    tokens
        .iter()
        .filter_map(|token| match token {
            Token::Text(text) => Some(text.as_slice()),
            _ => None,
        })
        .max_by_key(|text| text.len())
}

/// Whether the whole text meets the pattern. Both must be folded, or neither.
pub(crate) fn matches(tokens: &[Token], text: &[u8]) -> bool {
    let (mut rest, mut at) = (tokens, text);
    // Where to go on from when a match after the last `*` fails: a later `*`
    // makes earlier ones irrelevant, so one place is enough.
    let mut retry: Option<(&[Token], &[u8])> = None;
    for _ in 0..STEPS_MAX {
        let step = match rest.split_first() {
            None if at.is_empty() => return true,
            None => None,
            Some((Token::Any, after)) => {
                if after.is_empty() {
                    return true;
                }
                retry = Some((after, at));
                Some((after, at))
            }
            Some((token, after)) => take(token, at).map(|left| (after, left)),
        };
        if let Some((tokens, text)) = step {
            (rest, at) = (tokens, text);
            continue;
        }
        let Some((after, from)) = retry else {
            return false;
        };
        let Some(next) = advance(after, from) else {
            return false;
        };
        retry = Some((after, next));
        (rest, at) = (after, next);
    }
    false
}

/// The next place after `from` where `tokens` may begin.
fn advance<'t>(tokens: &[Token], from: &'t [u8]) -> Option<&'t [u8]> {
    match tokens.first() {
        // Skips to the next occurrence instead of trying each byte.
        Some(Token::Text(text)) => {
            let tail = from.get(1..)?;
            tail.get(memchr::memmem::find(tail, text)?..)
        }
        _ => take(&Token::One, from),
    }
}

/// What is left of a text after a token at its start.
pub(crate) fn take<'t>(token: &Token, text: &'t [u8]) -> Option<&'t [u8]> {
    match token {
        Token::Text(expected) => text.strip_prefix(expected.as_slice()),
        Token::One => {
            let head = text.get(..text.len().min(4))?;
            let chunk = head.utf8_chunks().next()?;
            let len = chunk.valid().chars().next().map_or(1, char::len_utf8);
            text.get(len..)
        }
        Token::Dash => DASHES.iter().find_map(|d| text.strip_prefix(d.as_bytes())),
        Token::Any => Some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meets(pattern: &str, text: &str) -> bool {
        matches(&parse(pattern), text.as_bytes())
    }

    proptest::proptest! {
        #[test]
        fn folding_looks_at_every_byte(mut text in proptest::collection::vec(b' '..=b'~', 0..40), at in 0_usize..40, byte: u8) {
            text.make_ascii_lowercase();
            if let Some(one) = text.get_mut(at) {
                *one = byte;
            }
            let (mut room, mut expected) = (Vec::new(), Vec::new());
            fold(&text, &mut expected);
            proptest::prop_assert_eq!(folded(&text, &mut room), &expected[..]);
            let plain = text.iter().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
            proptest::prop_assert_eq!(has_upper_or_wide(&text), !plain);
        }
    }

    #[test]
    fn escapes_follow_the_specification() {
        for (pattern, text, expected) in [
            (r"a\*c", "a*c", true),
            (r"a\*c", "abc", false),
            (r"C:\Win", r"C:\Win", true),
            (r"C:\\Win", r"C:\Win", true),
            (r"C:\\*", r"C:\abc", true),
            (r"C:\\*", "C:abc", false),
            (r"C:\\\*", r"C:\*", true),
            (r"\\\\srv", r"\\srv", true),
            (r"\\\srv", r"\\srv", true),
            (r"\\srv", r"\srv", true),
            ("a?c", "ac", false),
            ("a?c", "a\u{e4}c", true),
            ("a*c", "a\nc", true),
            ("*a*b*ab", "aabbab", true),
            ("*a*b*ab", "aabba", false),
        ] {
            assert_eq!(meets(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_dash_inside_a_word_is_only_itself() {
        let tokens = any_dash(&parse(" -a-b "));
        assert!(matches(&tokens, b" /a-b "));
        assert!(!matches(&tokens, b" -a/b "));
        assert!(matches(&tokens, " \u{2014}a-b ".as_bytes()));
    }

    #[test]
    fn folding_keeps_bytes_that_are_no_text() {
        let mut out = Vec::new();
        fold(b"\xffSTRASSE-\xc3\x84", &mut out);
        assert_eq!(out, b"\xffstrasse-\xc3\xa4");
    }

    #[test]
    fn a_line_made_to_backtrack_ends() {
        let pattern = format!("{}b", "a*?".repeat(30));
        assert!(!meets(&pattern, &"a".repeat(20_000)));
    }
}
