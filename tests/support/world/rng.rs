//! Random numbers that are the same everywhere, for ever.
//!
//! xoshiro256** seeded by `SplitMix64` (Blackman and Vigna), in whole numbers
//! only: floating point would tie the files to a platform's libm.

/// A stream of numbers that belongs to one concern.
pub(crate) struct Rng([u64; 4]);

impl Rng {
    /// The stream of a concern in a world. Streams with other names are
    /// unrelated, so a new concern shifts nobody else's numbers.
    pub(crate) fn of(world: &str, concern: &str) -> Rng {
        // FNV-1a; the separator keeps ("a", "bc") and ("ab", "c") apart.
        let mut seed = 0xcbf2_9ce4_8422_2325_u64;
        for byte in world.bytes().chain([0]).chain(concern.bytes()) {
            seed = (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Rng([(); 4].map(|()| {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }))
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// Less than `n`, and 0 for `n` below 1.
    pub(crate) fn below(&mut self, n: i64) -> i64 {
        let n = u128::try_from(n).unwrap_or(0);
        i64::try_from((u128::from(self.next()) * n) >> 64).unwrap_or(0)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high - low + 1)
    }

    /// Near `middle`, at most `spread` away, the nearer the likelier.
    pub(crate) fn around(&mut self, middle: i64, spread: i64) -> i64 {
        let (a, b) = (self.between(-spread, spread), self.between(-spread, spread));
        middle + i64::midpoint(a, b)
    }

    /// True in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let count = i64::try_from(from.len()).unwrap_or(0);
        let at = usize::try_from(self.below(count)).unwrap_or(0);
        from.get(at).unwrap()
    }

    /// A port that a client's kernel would choose.
    pub(crate) fn port(&mut self) -> i64 {
        self.between(32_768, 60_999)
    }

    /// So many letters and digits.
    pub(crate) fn letters(&mut self, count: usize) -> String {
        const ALPHABET: &[u8; 62] =
            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut text = String::with_capacity(count);
        let mut bits = 0;
        for i in 0..count {
            // Ten draws of 62 fit in 64 bits.
            if i % 10 == 0 {
                bits = self.next();
            }
            let at = usize::try_from(bits % 62).unwrap_or(0);
            bits /= 62;
            text.push(char::from(*ALPHABET.get(at).unwrap()));
        }
        text
    }
}

#[test]
fn streams_differ_by_name_and_repeat_by_name() {
    let draw = |world, concern| {
        let mut rng = Rng::of(world, concern);
        [rng.below(1 << 40), rng.below(1 << 40)]
    };
    assert_eq!(draw("a", "bc"), draw("a", "bc"));
    assert_ne!(draw("a", "bc"), draw("ab", "c"));
    assert_ne!(draw("a", "bc"), draw("a", "bd"));
}
