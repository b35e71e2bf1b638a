//! Special functions: the tail of the negative binomial in bits, down to 2^-300.
//!
//! Own code, because decisions hang on the last digit: `+ - * /` are exact by
//! IEEE 754, no multiplication is fused with an addition, and logarithms are the
//! same on every platform ([`super::Elementary`]).
//!
//! - ln Γ: Stirling's series after shifting to x ≥ 10 (Abramowitz and Stegun 6.1.41).
//! - Regularised incomplete beta: continued fraction 26.5.8 of the same, by
//!   Lentz's method, kept as a logarithm so that small tails do not underflow.
//! - X ~ NB(r, mean μ): P(X ≥ x) = I_q(x, r) with q = μ/(r+μ).

use crate::baseline::Elementary as _;
use std::f64::consts::{LN_2, LOG2_E};

/// Largest surprise that is told apart.
pub(super) const BITS_MAX: f64 = 300.0;

/// Terms of the continued fraction. Near the mean of a huge count it needs about
/// the root of the count; cut there, the surprise is close to 1 bit anyway.
const TERMS_MAX: u32 = 3000;

const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;

/// A whole number as a float; exact below 2^53, which counts and buckets are.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact below 2^53, and only rounded above"
)]
pub(super) fn real(n: i64) -> f64 {
    n as f64
}

/// A whole number in fixed point of 2^-32, so that sums do not depend on order.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
pub(super) fn to_fixed(x: f64) -> i128 {
    (x.clamp(-1e12, 1e12) * 4_294_967_296.0) as i128
}

/// Back from fixed point.
#[expect(
    clippy::cast_precision_loss,
    reason = "a sum of many entities needs no more than 53 bits"
)]
pub(super) fn from_fixed(sum: i128) -> f64 {
    sum as f64 / 4_294_967_296.0
}

/// 2^x; exact for whole x.
pub(super) fn exp2(x: f64) -> f64 {
    let x = x.clamp(-1000.0, 1000.0);
    let whole = x.floor();
    #[expect(clippy::cast_possible_truncation, reason = "clamped to a thousand")]
    let exponent = u64::try_from(1023 + whole as i64).unwrap_or(0);
    f64::from_bits(exponent << 52) * ((x - whole) * LN_2).exp_e()
}

/// ln Γ(x) for x > 0.
pub(super) fn ln_gamma(x: f64) -> f64 {
    debug_assert!(x > 0.0, "only positive arguments occur");
    let (mut x, mut product) = (x.max(1e-300), 1.0);
    while x < 10.0 {
        product *= x;
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let terms = [
        1.0 / 156.0,
        -691.0 / 360_360.0,
        1.0 / 1188.0,
        -1.0 / 1680.0,
        1.0 / 1260.0,
        -1.0 / 360.0,
        1.0 / 12.0,
    ];
    let series = terms.iter().fold(0.0, |sum, term| sum * square + term) * inverse;
    (x - 0.5) * x.log_e() - x + HALF_LN_TAU + series - product.log_e()
}

/// ln I_x(a, b), given x and 1 - x so that neither loses digits.
pub(super) fn ln_beta_inc(a: f64, b: f64, x: f64, rest: f64) -> f64 {
    if x <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if rest <= 0.0 {
        return 0.0;
    }
    let ln_beta = ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    let front = a * x.log_e() + b * rest.log_e() - ln_beta;
    if x < (a + 1.0) / (a + b + 2.0) {
        return front - a.log_e() + continued(a, b, x).log_e();
    }
    // The fraction converges fast only below the mean: use I_x(a,b) = 1 - I_{1-x}(b,a).
    let other = (front - b.log_e() + continued(b, a, rest).log_e()).exp_e();
    (1.0 - other.min(1.0)).max(1e-300).log_e()
}

/// The continued fraction of the incomplete beta, by Lentz's method.
fn continued(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut upper = 1.0;
    let mut lower = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = lower;
    for term in 1..=TERMS_MAX {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for part in [even, odd] {
            lower = 1.0 / away(1.0 + part * lower);
            upper = away(1.0 + part / upper);
            step = lower * upper;
            value *= step;
        }
        if (step - 1.0).abs() < 1e-14 {
            break;
        }
    }
    value.max(TINY)
}

/// `-log2` of a probability given by its logarithm, clamped to 0..=300.
pub(super) fn bits(ln_p: f64) -> f64 {
    (-ln_p * LOG2_E).clamp(0.0, BITS_MAX)
}

/// A negative binomial: how many events one bucket will have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NegBin {
    /// Its mean.
    pub(super) mean: f64,
    /// 1 / overdispersion.
    pub(super) size: f64,
}

impl NegBin {
    /// `-log2 P(X ≥ x)`.
    pub(super) fn surprise(self, x: u32) -> f64 {
        if x == 0 {
            return 0.0;
        }
        let sum = self.size + self.mean;
        bits(ln_beta_inc(
            f64::from(x),
            self.size,
            self.mean / sum,
            self.size / sum,
        ))
    }

    /// `-log2 P(X ≤ x)`.
    pub(super) fn shortfall(self, x: u32) -> f64 {
        let sum = self.size + self.mean;
        bits(ln_beta_inc(
            self.size,
            f64::from(x) + 1.0,
            self.size / sum,
            self.mean / sum,
        ))
    }

    /// The smallest count whose shortfall stays below `bits`, by halving:
    /// shortfall only falls with the count.
    pub(super) fn enough(self, bits: f64) -> u32 {
        let (mut low, mut high) = (0, 1);
        while self.shortfall(high) >= bits && high < u32::MAX {
            low = high;
            high = high.saturating_mul(2);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.shortfall(middle) < bits {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        high
    }

    /// The smallest count, at least `from`, whose surprise reaches `bits`;
    /// the largest u32 when none does. Bracketed by doubling, then narrowed by
    /// halving: surprise only grows with the count.
    pub(super) fn reaching(self, bits: f64, from: u32) -> u32 {
        let mut low = from.max(1);
        if self.surprise(low) >= bits {
            return low;
        }
        let mut high = low.saturating_mul(2).max(low.saturating_add(4));
        while self.surprise(high) < bits {
            if high == u32::MAX {
                return high;
            }
            low = high;
            high = high.saturating_mul(4);
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.surprise(middle) < bits {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    /// The interval that holds 99 % of its counts.
    pub(super) fn interval(self) -> (f64, f64) {
        // P(X ≥ x+1) ≤ p is a surprise of at least -log2 p at x+1.
        let quantile = |p: f64| f64::from(self.reaching(bits(p.log_e()), 1) - 1);
        (quantile(0.995), quantile(0.005))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The expected numbers are mpmath 1.3's, to 40 digits.

    #[test]
    fn ln_gamma_agrees_with_forty_digits() {
        for (x, expected) in [
            (0.001, 6.907_178_885_383_853),
            (0.05, 2.968_879_201_051_730_6),
            (0.5, 0.572_364_942_924_700_1),
            (1.0, 0.0),
            (1.5, -0.120_782_237_635_245_22),
            (2.0, 0.0),
            (3.7, 1.428_072_326_665_387_9),
            (7.9, 8.324_265_868_008_808),
            (8.0, 8.525_161_361_065_415),
            (20.25, 40.084_110_597_917_35),
            (171.5, 709.143_163_030_928_2),
            (1e5, 1_051_287.708_973_656_9),
            (4e9, 84_438_240_782.129_36),
        ] {
            let error = (ln_gamma(x) - expected).abs();
            assert!(error < 5e-15 * (1.0 + expected.abs()), "{x}: {error:e}");
        }
    }

    #[test]
    fn the_tail_in_bits_agrees_with_forty_digits_down_to_the_clamp() {
        for (x, mean, size, expected) in [
            (1, 0.2, 0.05, 3.693_030_124_732_06),
            (5, 0.2, 0.05, 6.471_635_765_135_8),
            (20, 0.05, 0.05, 27.502_153_124_368_6),
            (60, 0.5, 1.2, 104.723_204_661_438),
            (60, 60.0, 15.0, 1.068_183_562_373_67),
            (90, 60.0, 15.0, 4.148_505_676_538_62),
            (600, 60.0, 15.0, 132.413_160_520_862),
            (3, 8.0, 2.5, 0.235_487_150_672_916),
            (200, 0.3, 2.0, 300.0),
            (1, 0.001, 1000.0, 9.966_506_293_056_85),
            (1000, 500.0, 1000.0, 175.154_568_077_483),
            (100_000, 90_000.0, 3.0, 1.503_157_029_349_36),
            (40, 1.0, 0.0198, 7.255_395_564_416_3),
        ] {
            let found = NegBin { mean, size }.surprise(x);
            assert!(
                (found - expected).abs() < 1e-8,
                "{x} {mean} {size}: {found}"
            );
        }
    }

    #[test]
    fn the_alarm_count_is_the_first_that_reaches_the_bits() {
        for (mean, size) in [
            (0.05, 0.05),
            (0.6, 1.0),
            (60.0, 15.0),
            (1e5, 3.0),
            (1e-6, 1e3),
        ] {
            for asked in [0.5, 8.0, 20.0, 60.0] {
                let law = NegBin { mean, size };
                let first = law.reaching(asked, 1);
                assert!(
                    law.surprise(first) >= asked,
                    "{mean} {size} {asked}: {first}"
                );
                assert!(
                    first == 1 || law.surprise(first - 1) < asked,
                    "{mean} {size} {asked}"
                );
                assert_eq!(law.reaching(asked, first + 7), first + 7);
            }
        }
    }

    #[test]
    fn a_count_that_no_number_reaches_is_the_largest() {
        let law = NegBin {
            mean: 1e9,
            size: 1e-3,
        };
        assert_eq!(law.reaching(250.0, 1), u32::MAX);
    }

    #[test]
    fn the_interval_holds_ninety_nine_hundredths() {
        let (low, high) = NegBin {
            mean: 60.0,
            size: 1e6,
        }
        .interval();
        // Poisson(60): 0.5 % and 99.5 % quantiles.
        assert_eq!((low, high), (41.0, 81.0));
    }

    #[test]
    fn powers_of_two_are_exact() {
        for k in -40..40 {
            assert_eq!(
                exp2(f64::from(k)).to_bits(),
                libm::exp2(f64::from(k)).to_bits()
            );
        }
        assert!((exp2(0.5) - std::f64::consts::SQRT_2).abs() < 1e-15);
    }
}
