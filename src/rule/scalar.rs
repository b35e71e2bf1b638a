//! What a single value of YAML is: null, a truth value, a number or text.
//!
//! YAML 1.2's core schema, except where spelling matters more in logs: a
//! number with leading zeros and one with an exponent only are text.

/// A scalar as it is spelled; `plain` when without quotes or block indicator.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) plain: bool,
}

impl Scalar {
    /// `null`, `~` or nothing at all (YAML 1.2 core schema).
    pub(super) fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// `true` or `false`. YAML 1.1's `yes`, `on`, `n` stay text: in a rule
    /// they are words of a log far more often than truth values.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self.text.as_str() {
            "true" | "True" | "TRUE" if self.plain => Some(true),
            "false" | "False" | "FALSE" if self.plain => Some(false),
            _ => None,
        }
    }

    /// A whole number: decimal without leading zeros (`0777` is a mode, a
    /// PIN or an id, and its spelling counts), or hexadecimal.
    pub(super) fn int(&self) -> Option<i64> {
        if !self.plain {
            return None;
        }
        if let Some(hex) = self.text.strip_prefix("0x") {
            return i64::from_str_radix(hex, 16).ok().filter(|&n| n >= 0);
        }
        let digits = self.text.trim_start_matches(['-', '+']);
        let padded = digits.len() > 1 && digits.starts_with('0');
        if padded || self.text.len() - digits.len() > 1 {
            return None;
        }
        self.text.parse().ok()
    }

    /// A number with a fraction. Without a point (`1e5`) it is text, as for
    /// PyYAML and so pySigma: the start of a hash looks just like it.
    pub(super) fn float(&self) -> Option<f64> {
        let digit = self.text.bytes().any(|b| b.is_ascii_digit());
        let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
        if !self.plain || !digit || !self.text.contains('.') || !self.text.chars().all(numeric) {
            return None;
        }
        self.text.parse().ok().filter(|f: &f64| f.is_finite())
    }

    /// Any spelling of a number, where only a number can be meant.
    pub(super) fn number(&self) -> Option<f64> {
        if !self.plain || !self.text.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        self.text.parse().ok().filter(|f: &f64| f.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Scalar {
        Scalar {
            text: text.into(),
            plain: true,
        }
    }

    #[test]
    fn a_number_is_told_from_the_same_digits_in_quotes() {
        assert_eq!(plain("5").int(), Some(5));
        assert_eq!(plain("-5").int(), Some(-5));
        assert_eq!(plain("0x10").int(), Some(16));
        let quoted = Scalar {
            plain: false,
            ..plain("5")
        };
        assert_eq!(quoted.int(), None);
        assert_eq!(quoted.number(), None);
        assert_eq!(plain("0777").int(), None);
        assert_eq!(plain("1.5").float(), Some(1.5));
        assert_eq!(plain("1e5").float(), None);
        assert_eq!(plain("1e5").number(), Some(100_000.0));
        assert_eq!(plain("10.0.0.1").float(), None);
        assert_eq!(plain("yes").boolean(), None);
        assert_eq!(plain("true").boolean(), Some(true));
        assert!(plain("~").is_null());
        assert!(plain("").is_null());
    }
}
