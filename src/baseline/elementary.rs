//! Logarithms and their like that are the same to the last bit everywhere.
//!
//! `f64::ln` is the platform's: another C library, or a later version of it, may
//! round the last digit the other way, and a score that lies on a threshold falls
//! on its other side. These are `libm`'s, musl's functions in Rust, of `+ - * /`
//! alone, and the linter knows no others in this crate. The root is exact by
//! IEEE 754.

/// Elementary functions under names that no inherent method hides.
pub(crate) trait Elementary {
    /// The natural logarithm.
    fn log_e(self) -> f64;
    /// The logarithm to base 2.
    fn log_two(self) -> f64;
    /// e to this power.
    fn exp_e(self) -> f64;
    /// The sine, of radians.
    fn sine(self) -> f64;
    /// The cosine, of radians.
    fn cosine(self) -> f64;
    /// The angle of a sine, in radians.
    fn arc_sine(self) -> f64;
}

impl Elementary for f64 {
    fn log_e(self) -> f64 {
        libm::log(self)
    }

    fn log_two(self) -> f64 {
        libm::log2(self)
    }

    fn exp_e(self) -> f64 {
        libm::exp(self)
    }

    fn sine(self) -> f64 {
        libm::sin(self)
    }

    fn cosine(self) -> f64 {
        libm::cos(self)
    }

    fn arc_sine(self) -> f64 {
        libm::asin(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_the_same_bits_on_every_platform() {
        let found = [
            0.1.log_e(),
            7.0.log_two(),
            0.1.exp_e(),
            0.1.sine(),
            0.1.cosine(),
            0.1.arc_sine(),
        ];
        let found = found.map(f64::to_bits);
        let wanted = [
            0xc002_6bb1_bbb5_5515,
            0x4006_7576_7f54_042d,
            0x3ff1_aec7_b35a_00d4,
            0x3fb9_8eae_cb8b_cb2c,
            0x3fef_d712_f9a8_17c1,
            0x3fb9_a492_7603_7884,
        ];
        assert_eq!(found, wanted, "{found:#x?}");
    }
}
