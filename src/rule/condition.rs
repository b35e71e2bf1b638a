//! Conditions: `or` < `and` < `not` < `N of` < brackets, over names.
//!
//! The same grammar serves detections, where names are searches, and temporal
//! correlations, where they are rules; who calls says what the names are.

use super::catalogue as codes;
use super::model::{Condition, Selector};
use super::report::Report;
use super::yaml::Place;

/// Brackets and `not`s within each other; people stop at four.
const DEPTH_MAX: usize = 40;

/// What a condition's names are.
pub(super) struct Names<'n> {
    /// The names in order; a condition counts in them.
    pub(super) all: &'n [String],
    /// What one is called in messages: `search` or `rule`.
    pub(super) what: &'n str,
    /// Sigma 1's `timeframe:`, if there is one.
    pub(super) timeframe: Option<&'n str>,
}

impl Names<'_> {
    fn listed(&self) -> String {
        let names: Vec<&str> = self.all.iter().map(String::as_str).collect();
        super::keys::listed(&names)
    }
}

/// Reads one condition. `None` when it is wrong, which the report then says.
pub(super) fn condition(
    text: &str,
    at: Place,
    names: &Names<'_>,
    report: &mut Report<'_>,
) -> Option<Condition> {
    let tokens = match tokens(text, names.timeframe) {
        Ok(tokens) => tokens,
        Err(wrong) => return wrong.report(text, at, report),
    };
    let mut parser = Parser {
        tokens: &tokens,
        next: 0,
        names,
        end: text.len(),
        empty: Vec::new(),
    };
    let tree = parser.or(0).and_then(|tree| match parser.peek() {
        None => Ok(tree),
        Some(token) => Err(after_operand(token)),
    });
    // Such a selector is false, as the published vectors have it: `not 1 of
    // filter*` stays sound when its last filter goes. Mostly it is a slip.
    for empty in std::mem::take(&mut parser.empty) {
        let place = report.within(at, text, empty.from, empty.to);
        report.warn(empty.code, place, empty.message, empty.remedy);
    }
    match tree {
        Ok(tree) => Some(tree),
        Err(wrong) => wrong.report(text, at, report),
    }
}

#[derive(Clone, Copy, Debug)]
struct Token<'t> {
    text: &'t str,
    from: usize,
}

struct Wrong {
    code: &'static str,
    from: usize,
    to: usize,
    message: String,
    remedy: String,
}

impl Wrong {
    fn at(
        token: Token<'_>,
        code: &'static str,
        message: String,
        remedy: impl Into<String>,
    ) -> Wrong {
        Wrong {
            code,
            from: token.from,
            to: token.from + token.text.len(),
            message,
            remedy: remedy.into(),
        }
    }

    fn report(self, text: &str, at: Place, report: &mut Report<'_>) -> Option<Condition> {
        let at = report.within(at, text, self.from, self.to);
        report.error(self.code, at, self.message, self.remedy);
        None
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '*')
}

fn tokens<'t>(text: &'t str, timeframe: Option<&str>) -> Result<Vec<Token<'t>>, Wrong> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let from = text.len() - rest.len();
        let Some(c) = rest.chars().next() else {
            return Ok(tokens);
        };
        let len = match c {
            '(' | ')' => 1,
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => {
                let token = Token {
                    text: rest.get(..c.len_utf8()).unwrap_or(""),
                    from,
                };
                let after = rest.get(c.len_utf8()..).unwrap_or_default();
                return Err(match c {
                    '|' => aggregation(token, after, timeframe),
                    _ => odd_character(c, token),
                });
            }
        };
        let (word, after) = rest.split_at_checked(len).unwrap_or((rest, ""));
        tokens.push(Token { text: word, from });
        rest = after;
    }
}

/// Sigma 1's aggregation, with the correlation to write in its place.
fn aggregation(token: Token<'_>, after: &str, timeframe: Option<&str>) -> Wrong {
    let example = "{type: event_count, rules: [NAME], group-by: [FIELD], timespan: 5m, \
                   condition: {gte: 10}}";
    let correlation = super::legacy::correlation(after, timeframe);
    let remedy = format!(
        "end the condition here, give the rule `name: NAME`, and add a document with `title:` and \
         `correlation: {}`",
        correlation.as_deref().unwrap_or(example)
    );
    Wrong::at(
        token,
        codes::LEGACY,
        "aggregations in conditions left Sigma with version 2".into(),
        remedy,
    )
}

fn odd_character(c: char, token: Token<'_>) -> Wrong {
    Wrong::at(
        token,
        codes::CONDITION,
        format!("`{c}` has no place in a condition"),
        "names in conditions have letters, digits, `_` and `-`; rename the search",
    )
}

fn is_operator(word: &str) -> bool {
    matches!(word, "and" | "or" | "not" | "of")
}

/// What stands where an operator or the end should.
fn after_operand(token: Token<'_>) -> Wrong {
    let lower = token.text.to_ascii_lowercase();
    let (message, remedy) = match token.text {
        ")" => ("this bracket was not opened".into(), "remove it".into()),
        "near" => (
            "`near` left Sigma with version 2".into(),
            "write two rules and a `correlation:` of type temporal".into(),
        ),
        word if is_operator(&lower) && word != lower => (
            format!("`{word}` is not an operator"),
            format!("write `{lower}` in lower case"),
        ),
        word => (
            format!("an operator is missing before `{word}`"),
            "put `and` or `or` between them".into(),
        ),
    };
    let code = if token.text == "near" {
        codes::LEGACY
    } else {
        codes::CONDITION
    };
    Wrong::at(token, code, message, remedy)
}

struct Parser<'t> {
    tokens: &'t [Token<'t>],
    next: usize,
    names: &'t Names<'t>,
    end: usize,
    /// Selectors that match no search.
    empty: Vec<Wrong>,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.next).copied()
    }

    fn accept(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|t| t.text == word);
        self.next += usize::from(found);
        found
    }

    fn or(&mut self, depth: usize) -> Result<Condition, Wrong> {
        let mut parts = vec![self.and(depth)?];
        while self.accept("or") {
            parts.push(self.and(depth)?);
        }
        Ok(joined(parts, Condition::Or))
    }

    fn and(&mut self, depth: usize) -> Result<Condition, Wrong> {
        let mut parts = vec![self.not(depth)?];
        while self.accept("and") {
            parts.push(self.not(depth)?);
        }
        Ok(joined(parts, Condition::And))
    }

    fn not(&mut self, depth: usize) -> Result<Condition, Wrong> {
        let Some(token) = self.peek() else {
            return Err(Wrong {
                code: codes::CONDITION,
                from: self.end,
                to: self.end,
                message: "the condition ends where a name should stand".into(),
                remedy: format!("name one of: {}", self.names.listed()),
            });
        };
        if depth > DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} brackets within each other");
            return Err(Wrong::at(
                token,
                codes::TOO_DEEP,
                message,
                "split the condition",
            ));
        }
        if self.accept("not") {
            return Ok(Condition::Not(Box::new(self.not(depth + 1)?)));
        }
        if !self.accept("(") {
            return self.operand(token);
        }
        let inner = self.or(depth + 1)?;
        if self.accept(")") {
            return Ok(inner);
        }
        Err(match self.peek() {
            Some(other) => after_operand(other),
            None => Wrong::at(
                token,
                codes::CONDITION,
                "this bracket is not closed".into(),
                "add `)`",
            ),
        })
    }

    /// A name, or `N of pattern`.
    fn operand(&mut self, token: Token<'t>) -> Result<Condition, Wrong> {
        self.next += 1;
        if self.accept("of") {
            return self.selector(token);
        }
        let lower = token.text.to_ascii_lowercase();
        if is_operator(&lower) || token.text == ")" {
            let message = format!("a name should stand here, not `{}`", token.text);
            let remedy = "remove it, or name the search that is missing (operators are lower case)";
            return Err(Wrong::at(token, codes::CONDITION, message, remedy));
        }
        let names = self.names;
        if let Some(at) = names.all.iter().position(|name| name == token.text) {
            return Ok(Condition::Search(at));
        }
        let known: Vec<&str> = names.all.iter().map(String::as_str).collect();
        let message = format!("there is no {} `{}`", names.what, token.text);
        let remedy = super::keys::suggest(token.text, &known);
        Err(Wrong::at(token, codes::UNKNOWN_SEARCH, message, remedy))
    }

    fn selector(&mut self, number: Token<'t>) -> Result<Condition, Wrong> {
        let selector = match number.text {
            "1" | "any" => Selector::Any,
            "all" => Selector::All,
            other => {
                let message = format!("`{other} of` is not in Sigma 2.1");
                let remedy = "use `1 of`, `any of` or `all of`, or name the searches with and / or";
                return Err(Wrong::at(number, codes::CONDITION, message, remedy));
            }
        };
        let Some(pattern) = self.peek() else {
            let message = format!("`{} of` lacks what it is of", number.text);
            return Err(Wrong::at(
                number,
                codes::CONDITION,
                message,
                "add `them` or a pattern such as `sel_*`",
            ));
        };
        self.next += 1;
        let names = self.names.all.iter().enumerate();
        let chosen: Vec<usize> = names
            .filter(|(_, name)| selects(pattern.text, name))
            .map(|(at, _)| at)
            .collect();
        if chosen.is_empty() {
            let message = format!("`{}` matches no {}", pattern.text, self.names.what);
            let remedy = format!("there are: {}", self.names.listed());
            let empty = Wrong::at(pattern, codes::EMPTY_SELECTOR, message, remedy);
            self.empty.push(empty);
        }
        Ok(Condition::Of(selector, chosen))
    }
}

fn joined(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}

/// Whether a selector's pattern takes a name. `them` and patterns leave out
/// names that start with `_` unless the pattern does so too.
fn selects(pattern: &str, name: &str) -> bool {
    if name.starts_with('_') && !pattern.starts_with('_') {
        return false;
    }
    pattern == "them" || glob(pattern, name)
}

/// `*` at any place; the parts between must follow each other.
fn glob(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = left.find(part) else {
            return false;
        };
        left = left.get(at + part.len()..).unwrap_or("");
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Condition, super::super::Diagnostic> {
        let names: Vec<String> = ["sel_a", "sel_b", "filter", "_hidden", "1x"]
            .map(String::from)
            .into();
        let mut report = Report::new("x.yml", text);
        let at = Place {
            line: 1,
            column: 1,
            start: 0,
            end: text.len(),
        };
        let names = Names {
            all: &names,
            what: "search",
            timeframe: Some("7m"),
        };
        let read = condition(text, at, &names, &mut report);
        read.ok_or_else(|| report.found.remove(0))
    }

    fn search(at: usize) -> Condition {
        Condition::Search(at)
    }

    #[test]
    fn not_binds_before_and_and_before_or() {
        let tree = read("sel_a or not sel_b and filter").unwrap();
        let negated = Condition::Not(Box::new(search(1)));
        let both = Condition::And(vec![negated, search(2)]);
        assert_eq!(tree, Condition::Or(vec![search(0), both]));
        let tree = read("not (sel_a or sel_b)").unwrap();
        let either = Condition::Or(vec![search(0), search(1)]);
        assert_eq!(tree, Condition::Not(Box::new(either)));
    }

    #[test]
    fn them_and_patterns_leave_out_names_that_start_with_an_underscore() {
        let of = |s, list: &[usize]| Condition::Of(s, list.to_vec());
        assert_eq!(read("1 of them").unwrap(), of(Selector::Any, &[0, 1, 2, 4]));
        assert_eq!(read("all of *_a").unwrap(), of(Selector::All, &[0]));
        assert_eq!(read("any of _h*").unwrap(), of(Selector::Any, &[3]));
        assert_eq!(read("1x").unwrap(), search(4));
        let tree = read("not 1 of s*l_*").unwrap();
        assert_eq!(tree, Condition::Not(Box::new(of(Selector::Any, &[0, 1]))));
    }

    #[test]
    fn a_selector_of_nothing_loads_and_is_empty() {
        let tree = read("not 1 of nothing*").unwrap();
        let nothing = Condition::Of(Selector::Any, Vec::new());
        assert_eq!(tree, Condition::Not(Box::new(nothing)));
    }

    #[test]
    fn each_mistake_is_pointed_at_and_has_its_code() {
        let cases = [
            ("sel_a AND sel_b", codes::CONDITION, 7),
            ("sel_a or", codes::CONDITION, 9),
            ("sel_a and sel_c", codes::UNKNOWN_SEARCH, 11),
            ("sel_a | count() by x > 5", codes::LEGACY, 7),
            ("sel_a near sel_b", codes::LEGACY, 7),
            ("2 of sel_*", codes::CONDITION, 1),
            ("(sel_a", codes::CONDITION, 1),
            ("sel_a)", codes::CONDITION, 6),
            ("sel.a", codes::CONDITION, 4),
            ("sel_a sel_b", codes::CONDITION, 7),
            ("not", codes::CONDITION, 4),
            ("", codes::CONDITION, 1),
        ];
        for (text, code, column) in cases {
            let wrong = read(text).unwrap_err();
            let at = wrong.at.unwrap().column;
            assert_eq!(
                (wrong.code, at),
                (code, column),
                "{text}: {}",
                wrong.message
            );
        }
    }

    #[test]
    fn an_aggregation_is_told_with_its_correlation() {
        let wrong = read("sel_a | count(user) by ip > 5").unwrap_err();
        let new = "{type: value_count, rules: [NAME], group-by: [ip], timespan: 7m, \
                   condition: {field: user, gt: 5}}";
        assert!(wrong.remedy.contains(new), "{}", wrong.remedy);
    }

    #[test]
    fn ten_thousand_brackets_are_an_error_and_no_overflow() {
        let wrong = read(&"(".repeat(10_000)).unwrap_err();
        assert_eq!(wrong.code, codes::TOO_DEEP);
        let wrong = read(&"not ".repeat(10_000)).unwrap_err();
        assert_eq!(wrong.code, codes::TOO_DEEP);
    }
}
