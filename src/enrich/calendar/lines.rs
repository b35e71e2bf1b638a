//! The lines of an iCalendar file (RFC 5545, 3.1): unfolded, and taken apart
//! into name, parameters and value.

/// Longest line, unfolded; a longer one says no day.
const LINE_MAX: usize = 64 << 10;

/// A line, as far as it can be read.
pub(super) struct Line {
    /// Of the file, where it begins.
    pub(super) number: usize,
    /// In upper case.
    pub(super) name: String,
    /// Names in upper case.
    pub(super) parameters: Vec<(String, String)>,
    pub(super) value: String,
}

impl Line {
    /// A parameter's value.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut all = self.parameters.iter();
        let found = all.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Hands each line, or what is wrong with it and its number, to `each`.
pub(super) fn lines(bytes: &[u8], mut each: impl FnMut(Result<Line, (usize, &'static str)>)) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut whole: Vec<u8> = Vec::new();
    let mut begun = 0;
    let mut end = |whole: &mut Vec<u8>, begun: usize| {
        if !whole.trim_ascii().is_empty() {
            each(line(whole, begun).map_err(|what| (begun, what)));
        }
        whole.clear();
    };
    for (number, physical) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        let physical = physical.strip_suffix(b"\r").unwrap_or(physical);
        let rest = match physical.split_first() {
            // Folded: the blank belongs to the fold.
            Some((b' ' | b'\t', rest)) if begun > 0 => rest,
            _ => {
                end(&mut whole, begun);
                begun = number;
                physical
            }
        };
        // One byte more than a line may have tells that it has more.
        let room = (LINE_MAX + 1).saturating_sub(whole.len()).min(rest.len());
        whole.extend_from_slice(rest.get(..room).unwrap_or_default());
    }
    end(&mut whole, begun);
}

fn line(whole: &[u8], number: usize) -> Result<Line, &'static str> {
    if whole.len() > LINE_MAX {
        return Err("longer than 64 KiB");
    }
    if whole.contains(&0) {
        return Err("a NUL byte");
    }
    let text = std::str::from_utf8(whole).map_err(|_| "not UTF-8")?;
    // A quoted parameter may hold what parts the others.
    let mut quoted = false;
    let colon = text.find(|letter| {
        quoted ^= letter == '"';
        letter == ':' && !quoted
    });
    let (head, value) = text.split_at(colon.ok_or("no colon after the name")?);
    let mut quoted = false;
    let mut parts = head.split(|letter| {
        quoted ^= letter == '"';
        letter == ';' && !quoted
    });
    let name = parts.next().unwrap_or_default();
    let parameters = parts.filter_map(|part| part.split_once('='));
    let parameters =
        parameters.map(|(name, value)| (name.to_ascii_uppercase(), value.trim_matches('"').into()));
    Ok(Line {
        number,
        name: name.trim().to_ascii_uppercase(),
        parameters: parameters.collect(),
        value: value.get(1..).unwrap_or_default().trim().to_owned(),
    })
}
