//! One score from several kinds of evidence.
//!
//! Fisher's method: of k independent probabilities, `-2 Σ ln pᵢ` is χ² with 2k
//! degrees of freedom, so in bits
//!
//! ```text
//! S = -log2 Q(k, ln 2 Σ Sᵢ)
//! ```
//!
//! where Q is the regularised upper incomplete gamma (Abramowitz and Stegun
//! 6.5.3). What was looked at and is ordinary counts half. Evidence of one
//! session is not quite independent, which makes S too large; the calibrator
//! takes that out again, since it goes by how often a score is reached.

use crate::baseline::Elementary as _;
use std::f64::consts::LN_2;

use super::special::{bits, ln_gamma};

/// Terms of the series or the fraction: arguments are below 1500.
const TERMS_MAX: u32 = 2000;

const TINY: f64 = 1e-300;

/// The surprise of all these together, of which `absent` more could have been.
pub(super) fn fisher(found: impl Iterator<Item = f64>, absent: u32) -> f64 {
    let (mut sum, mut k) = (0.0, 0.5 * f64::from(absent));
    for more in found {
        sum += more;
        k += 1.0;
    }
    if sum <= 0.0 {
        return 0.0;
    }
    bits(ln_gamma_upper(k, sum * LN_2))
}

/// What several looks at one session say: all of them together, or the
/// strongest alone, which Bonferroni holds against having looked so often. Of
/// one night among ordinary days Fisher makes 6 bits of 10, and this 8.
pub(super) fn together(found: impl Iterator<Item = f64> + Clone, absent: u32) -> f64 {
    let mut looks = f64::from(absent);
    let mut best: f64 = 0.0;
    for bits in found.clone() {
        best = best.max(bits);
        looks += 1.0;
    }
    fisher(found, absent).max(best - looks.max(1.0).log_e() / LN_2)
}

/// ln Q(a, x) for a > 0 and x ≥ 0.
fn ln_gamma_upper(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = a * x.log_e() - x - ln_gamma(a);
    if x < a + 1.0 {
        // P by its series (6.5.29), where Q is not small.
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..TERMS_MAX {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        return (1.0 - (front.exp_e() * sum).min(1.0)).max(1e-300).log_e();
    }
    front + fraction(a, x).log_e()
}

/// The continued fraction of Q (6.5.31), by Lentz's method.
fn fraction(a: f64, x: f64) -> f64 {
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut base = x + 1.0 - a;
    let mut upper = 1.0 / TINY;
    let mut lower = 1.0 / base;
    let mut value = lower;
    for n in 1..TERMS_MAX {
        let step = f64::from(n) * (a - f64::from(n));
        base += 2.0;
        lower = 1.0 / away(step * lower + base);
        upper = away(base + step / upper);
        value *= upper * lower;
        if (upper * lower - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value.max(TINY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_gamma_agrees_with_its_closed_forms() {
        for x in [0.01_f64, 0.3, 1.0, 2.5, 7.0, 40.0, 200.0] {
            // Q(1, x) = e^-x; Q(2, x) = (1+x) e^-x; Q(3, x) = (1+x+x²/2) e^-x.
            for (a, expected) in [
                (1.0, -x),
                (2.0, (1.0 + x).log_e() - x),
                (3.0, (1.0 + x + x * x / 2.0).log_e() - x),
            ] {
                let found = ln_gamma_upper(a, x);
                assert!((found - expected).abs() < 1e-12, "{a} {x}: {found}");
            }
            // Q(a+1, x) = Q(a, x) + x^a e^-x / Γ(a+1), for halves too.
            for a in [0.5, 1.5, 2.5] {
                let more = (a * x.log_e() - x - ln_gamma(a + 1.0)).exp_e();
                let found = ln_gamma_upper(a + 1.0, x).exp_e();
                let expected = ln_gamma_upper(a, x).exp_e() + more;
                assert!((found / expected - 1.0).abs() < 1e-11, "{a} {x}: {found}");
            }
        }
        // erfc(1), to 16 digits.
        let half = ln_gamma_upper(0.5, 1.0).exp_e();
        assert!((half - 0.157_299_207_050_285_13).abs() < 1e-14, "{half}");
    }

    #[test]
    fn one_piece_of_evidence_alone_keeps_its_bits() {
        for only in [0.5, 3.0, 20.0, 250.0] {
            let found = fisher([only].into_iter(), 0);
            assert!((found - only).abs() < 1e-9, "{only}: {found}");
        }
    }

    #[test]
    fn two_pieces_say_more_than_one_and_less_than_their_sum() {
        let one = fisher([9.0].into_iter(), 2);
        let two = fisher([9.0, 9.0].into_iter(), 1);
        let three = fisher([9.0, 9.0, 9.0].into_iter(), 0);
        assert!(one < 9.0 && one + 4.0 < two && two + 4.0 < three && three < 27.0);
        assert!(fisher([].into_iter(), 3) <= 0.0);
    }
}
