//! The tail of Student's t in bits, and back: what a mean and a spread that
//! are themselves estimates predict.
//!
//! P(T ≥ z) = ½ I_{ν/(ν+z²)}(ν/2, ½) for z ≥ 0 (Abramowitz and Stegun 26.7.1).

use super::special::{bits, ln_beta_inc};
use crate::baseline::Elementary as _;

/// `-log2 P(T ≥ z)` for ν degrees of freedom.
pub(super) fn surprise(z: f64, freedom: f64) -> f64 {
    let square = z * z;
    let sum = freedom + square;
    let both = ln_beta_inc(freedom / 2.0, 0.5, freedom / sum, square / sum);
    if z > 0.0 {
        bits(both - std::f64::consts::LN_2)
    } else {
        bits((1.0 - 0.5 * both.exp_e()).log_e())
    }
}

/// The least z whose surprise reaches `wanted`, to a millionth: bracketed by
/// doubling, then halved.
pub(super) fn reaching(wanted: f64, freedom: f64) -> f64 {
    let mut high = 1.0;
    while surprise(high, freedom) < wanted && high < 1e9 {
        high *= 2.0;
    }
    let mut low = if high > 1.0 { high / 2.0 } else { -1.0 };
    while surprise(low, freedom) > wanted && low > -1e9 {
        low *= 2.0;
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if surprise(middle, freedom) < wanted {
            low = middle;
        } else {
            high = middle;
        }
        if high - low < 1e-6 {
            break;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_agree_with_the_closed_forms() {
        // One degree of freedom is Cauchy: ½ - atan(z)/π; two: ½ (1 - z/√(2+z²)).
        for z in [-3.0_f64, -0.5, 0.0, 0.7, 2.0, 40.0] {
            let cauchy = -(0.5 - z.atan() / std::f64::consts::PI).log_two();
            assert!((surprise(z, 1.0) - cauchy).abs() < 1e-9, "{z}");
            let two = -(0.5 * (1.0 - z / (2.0 + z * z).sqrt())).log_two();
            assert!((surprise(z, 2.0) - two).abs() < 1e-9, "{z}");
        }
    }

    #[test]
    fn many_degrees_of_freedom_are_nearly_normal() {
        // P(Z ≥ 3) = 0.001349898.
        let normal = -0.001_349_898_f64.log_two();
        assert!((surprise(3.0, 1e6) - normal).abs() < 1e-3);
    }

    #[test]
    fn the_way_back_ends_where_it_began() {
        for freedom in [3.0, 8.0, 30.0] {
            for wanted in [0.2, 1.0, 5.0, 12.0, 24.0, 60.0] {
                let z = reaching(wanted, freedom);
                assert!(
                    (surprise(z, freedom) - wanted).abs() < 1e-3,
                    "{freedom} {wanted} {z}"
                );
            }
        }
    }
}
