//! What is wrong with a rules file, said so that its author can mend it.

use std::fmt;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::model::Location;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The rule loads, but probably does not do what its author wants.
    Warning,
    /// The rule cannot load.
    Error,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// A stable code such as `SIG012`, for `check --explain`.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where; `None` when it is about the set as a whole.
    pub at: Option<Location>,
    /// What to do about it, in one sentence.
    pub remedy: String,
}

/// One line: `file:line:col: error[CODE]: message; remedy`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            let path = visible(&at.path.to_string_lossy());
            write!(f, "{path}:{}:{}: ", at.line, at.column)?;
        }
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let Diagnostic {
            code,
            message,
            remedy,
            ..
        } = self;
        write!(f, "{severity}[{code}]: {message}; {remedy}")
    }
}

/// The diagnostic with its source line, carets under the value and the remedy,
/// for people. `source` is the text of the file it is about, or empty when
/// that cannot be read: the place is then given without its line.
pub fn render(diagnostic: &Diagnostic, source: &str, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let title = level
        .primary_title(visible(&diagnostic.message))
        .id(diagnostic.code);
    let help = Level::HELP.message(visible(&diagnostic.remedy));
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let Some(at) = &diagnostic.at else {
        let group = annotate_snippets::Group::with_title(title).element(help);
        return renderer.render(&[group]);
    };
    let path = visible(&at.path.to_string_lossy());
    let Some((line_start, text, span)) = excerpt(source, at) else {
        let origin = annotate_snippets::Origin::path(path);
        let group = annotate_snippets::Group::with_title(title)
            .element(origin)
            .element(help);
        return renderer.render(&[group]);
    };
    let snippet = Snippet::source(text)
        .path(path)
        .line_start(line_start)
        .annotation(AnnotationKind::Primary.span(span));
    let group = annotate_snippets::Group::with_title(title)
        .element(snippet)
        .element(help);
    renderer.render(&[group])
}

/// The line that the value starts on, its number, and the value's range in it.
/// One line is enough to find it, and a value may be a list of thousands.
fn excerpt<'a>(source: &'a str, at: &Location) -> Option<(usize, &'a str, std::ops::Range<usize>)> {
    let before = source.get(..at.start)?;
    if source.is_empty() {
        return None;
    }
    let from = before.rfind('\n').map_or(0, |i| i + 1);
    let rest = source.get(from..)?;
    let line = rest.split('\n').next()?.trim_end_matches('\r');
    let start = (at.start - from).min(line.len());
    let end = (at.end - from).clamp(start, line.len());
    source.get(from + start..from + end)?;
    Some((at.line, line, start..end))
}

/// Text with its control and direction-changing characters spelled out, so
/// that a rules file cannot move the cursor of who checks it.
pub(super) fn visible(text: &str) -> String {
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            c if odd(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::sync::Arc;

    fn mistake(start: usize, end: usize) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: "SIG008",
            message: "unknown modifier `contians`".into(),
            at: Some(Location {
                path: Arc::new(PathBuf::from("rules/a.yml")),
                line: 2,
                column: 3,
                start,
                end,
            }),
            remedy: "did you mean `contains`?".into(),
        }
    }

    #[test]
    fn the_source_line_is_shown_with_carets_and_the_remedy() {
        let text = render(&mistake(8, 18), "first\n  A|contians: x\nlast\n", false);
        assert_eq!(
            text,
            "error[SIG008]: unknown modifier `contians`\n \
             --> rules/a.yml:2:3\n  |\n\
             2 |   A|contians: x\n  |   ^^^^^^^^^^\n  |\n  \
             = help: did you mean `contains`?"
        );
    }

    #[test]
    fn without_its_source_the_place_and_the_remedy_remain() {
        let text = render(&mistake(8, 18), "", false);
        assert!(
            text.contains("rules/a.yml") && text.contains("did you mean"),
            "{text}"
        );
        assert!(render(&mistake(900, 990), "short\n", true).contains("rules/a.yml"));
    }

    #[test]
    fn a_rule_cannot_move_the_cursor_of_who_checks_it() {
        let mut wrong = mistake(0, 4);
        wrong.message = "unknown \u{1b}[2J \u{202e}".into();
        let text = render(&wrong, "a\u{1b}[2J: x\n", false);
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{202e}'),
            "{text:?}"
        );
    }
}
