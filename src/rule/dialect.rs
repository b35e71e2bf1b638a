//! Regular expressions as rule authors write them (PCRE's and Python's common
//! subset) in the words of the regex crate: the few places where a character
//! that is plain there means something here. Look-around and back-references,
//! which the crate has not, stay errors.

/// A rule's regular expression as the regex crate understands it: rewrites
/// what differs.
pub fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    let mut class = false;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '\\' => rest = escape(rest, class, &mut out),
            '(' if !class && rest.starts_with("?#") => {
                let end = rest.find(')').map_or(rest.len(), |at| at + 1);
                rest = rest.get(end..).unwrap_or_default();
            }
            '[' if !class => {
                class = true;
                rest = open_class(rest, &mut out);
            }
            // `[[:alpha:]]` is the same here; any other `[` would nest.
            '[' if !rest.starts_with(':') => out.push_str("\\["),
            '[' => {
                let end = rest.find(":]").map_or(0, |at| at + 2);
                out.push('[');
                out.push_str(rest.get(..end).unwrap_or_default());
                rest = rest.get(end..).unwrap_or_default();
            }
            ']' => {
                class = false;
                out.push(']');
            }
            // Doubled, these are set operations here.
            '&' | '~' | '-' if class && rest.starts_with(c) => {
                out.push('\\');
                out.push(c);
            }
            // A brace that does not count anything is itself.
            '{' if !class && !counts(rest) => out.push_str("\\{"),
            other => out.push(other),
        }
    }
    out
}

/// After a backslash: what follows it, and what is left.
fn escape<'p>(rest: &'p str, class: bool, out: &mut String) -> &'p str {
    let Some(c) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    let after = rest.get(c.len_utf8()..).unwrap_or_default();
    match c {
        // Word boundaries here, plain characters there.
        '<' | '>' => out.push(c),
        'Z' => out.push_str("\\z"),
        'e' => out.push_str("\\x1b"),
        'b' if class => out.push_str("\\x08"),
        // Blank space within a line.
        'h' if class => out.push_str(" \\t"),
        'h' => out.push_str("[ \\t]"),
        'R' if !class => out.push_str("(?:\\r\\n|\\n|\\r)"),
        'Q' if !class => return quoted(after, out),
        // What is no letter of a script that escapes are made of is itself.
        c if !c.is_ascii() => out.push(c),
        'p' | 'P' | 'x' | 'u' | 'U' => {
            out.push('\\');
            out.push(c);
            return braced(after, out);
        }
        _ => {
            out.push('\\');
            out.push(c);
        }
    }
    after
}

/// `\Q...\E`: everything in it is itself.
fn quoted<'p>(rest: &'p str, out: &mut String) -> &'p str {
    let (plain, after) = rest.split_once("\\E").unwrap_or((rest, ""));
    out.push_str(&regex::escape(plain));
    after
}

/// The braces of `\p{Greek}` and `\x{263a}` count nothing.
fn braced<'p>(rest: &'p str, out: &mut String) -> &'p str {
    match rest.find('}') {
        Some(end) if rest.starts_with('{') => {
            out.push_str(rest.get(..=end).unwrap_or_default());
            rest.get(end + 1..).unwrap_or_default()
        }
        _ => rest,
    }
}

/// After the `[` of a class: a `]` that comes first is a member.
fn open_class<'p>(mut rest: &'p str, out: &mut String) -> &'p str {
    out.push('[');
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    if let Some(after) = rest.strip_prefix(']') {
        out.push_str("\\]");
        rest = after;
    }
    rest
}

/// Whether what follows a `{` makes it a counted repetition.
fn counts(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else {
        return false;
    };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    !least.is_empty() && number(least) && number(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    #[test]
    fn plain_characters_stay_plain() {
        for (pattern, text, expected) in [
            (r"\${jndi:", "x${jndi:ldap", true),
            ("a{2}", "xaax", true),
            ("a{2,}b", "aab", true),
            ("^a{,3}$", "a{,3}", true),
            ("[^[]x", "yx", true),
            ("[^[]x", "[x", false),
            ("^[]a]+$", "]a]", true),
            ("^[^]]$", "]", false),
            ("[a&&b]", "&", true),
            ("[[:digit:]]x", "7x", true),
            (r"\<script\>", "<script>", true),
            (r"a\Z", "ba", true),
            (r"\{\d\}\/\-\.", "{1}/-.", true),
            (r"^\p{Cyrillic}+$", "Дом", true),
            (r"\x{263a}\x41", "\u{263a}A", true),
            (r"a\hb[\h]c", "a\tb c", true),
            (r"^\Qa.b{\E$", "a.b{", true),
            (r"^\Qa.b{\E$", "aXb{", false),
            (r"a(?#a note)b", "ab", true),
            (r"\é\e", "é\u{1b}", true),
            (r"a\Rb", "a\r\nb", true),
        ] {
            let regex = Regex::new(&translate(pattern)).unwrap();
            assert_eq!(regex.is_match(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn no_pattern_panics_and_unfinished_ones_stay_errors() {
        for pattern in ["\\", "[", "[^", "[[:", "(", "{", "a{1", "(?=a)", "[\\"] {
            let translated = translate(pattern);
            let braces = pattern == "{" || pattern == "a{1";
            assert_eq!(Regex::new(&translated).is_ok(), braces, "{pattern}");
        }
    }
}
