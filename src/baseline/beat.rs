//! How evenly one entity's events come: the times between them, and how
//! unlikely so even a beat is by chance.
//!
//! Events that come at random have exponential gaps, the gamma law of shape 1;
//! what people do is burstier still, below 1. The shape k̂ that fits the gaps
//! best (Minka 2002) is therefore a measure of evenness: 12 for gaps that vary
//! by half to either side, 33 by 30 %, 300 by 10 %. Against chance stands
//!
//! ```text
//! s = ln mean - mean ln,  k̂ = (3-s+√((s-3)²+24s)) / 12s
//! LLR = n [k̂ ln k̂ - ln Γ(k̂) - (k̂-1)s - k̂ + 1] / ln 2 - ½ log2 n  bits
//! ```
//!
//! Who adds an event of no meaning to each of his beats breaks the gaps, not
//! their sums: two and three gaps in a row are looked at as well, against the
//! shapes 2 and 3 that chance gives them.
//!
//! Events closer than ten seconds belong together and are one. Where they go
//! on like that for a minute they are a beat of their own or a hum: one gap
//! of each further minute is kept as it is, the one after that which spans
//! the minute, since a gap is the likelier to span it the longer it is.

use crate::baseline::Elementary as _;
use std::f64::consts::{LN_2, LOG2_E};

use serde::{Deserialize, Serialize};

use super::calibrate::Peak;
use super::special::{exp2, ln_gamma, real};
use super::table::Newcomer;
use crate::time::{Span, Time};

/// Gaps kept: enough for 14 bits of evidence where they vary by half, few
/// enough that what was before a beat is forgotten within 32 beats.
pub(super) const RING: usize = 32;

/// What comes within this of the event before belongs to it: parallel
/// connections, retries, one event in several logs. Chance's gaps are
/// counted from here, so that busy traffic does not look even for it.
const TOGETHER: Span = Span::from_secs(10);

/// What belongs together for longer is looked at gap by gap.
const TRAIN: Span = Span::MINUTE;

/// So many events in a row from before the last one: the clock was set back.
const SET_BACK: u8 = 8;

/// The longest gaps are set aside: a machine asleep, a packet lost.
const SET_ASIDE: f64 = 0.08;

/// Beyond, evenness is the clock's and says no more.
pub(super) const SHAPE_MAX: f64 = 400.0;

/// 1365 steps an octave, 0.05 %: 48 octaves of milliseconds or bytes in 16 bits.
const STEPS: f64 = 1365.0;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to u16"
)]
fn code(value: f64) -> u16 {
    (value.max(1.0).log_e() * LOG2_E * STEPS)
        .round()
        .clamp(0.0, f64::from(u16::MAX)) as u16
}

fn value(code: u16) -> f64 {
    exp2(f64::from(code) / STEPS)
}

/// What is kept of one entity: 184 bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Beat {
    /// When the entity was first seen.
    pub(super) first: Time,
    /// The latest event, and the latest that began a gap.
    pub(super) last: Time,
    start: Time,
    /// Since when every test found an even beat; [`Time::MAX`] when the last did not.
    steady: Time,
    /// The hash of what others may share.
    pub(super) value: u32,
    /// Gaps in all.
    pub(super) gaps: u32,
    /// The highest score since the last barrier.
    pub(super) peak: Peak,
    /// Gaps in milliseconds, and the sizes of what ended them; 0 = unknown.
    times: [u16; RING],
    sizes: [u16; RING],
    /// Where the next gap goes.
    next: u8,
    /// Events in a row that came from the past.
    past: u8,
    /// Days on which the beat was even, less those on which it was not.
    pub(super) days: u8,
    /// Since the last barrier: whether gaps came, and whether a test found a beat.
    pub(super) came: bool,
    pub(super) even: bool,
}

/// An even beat, in numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rhythm {
    /// k̂ over chance's: 1 is chance.
    pub(super) regularity: f64,
    /// How many gaps in a row make one beat.
    pub(super) lag: f64,
    /// How many beats were looked at.
    pub(super) beats: f64,
    /// The middle beat, in seconds.
    pub(super) period: f64,
    /// The middle deviation from it, as a part of it.
    pub(super) jitter: f64,
}

/// How large what came at each beat was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sizes {
    /// The middle one, in bytes.
    pub(super) middle: f64,
    /// The middle deviation from it, as a part of it.
    pub(super) spread: f64,
}

impl Beat {
    /// From what the nursery knows, before the event that admits it.
    pub(super) fn new(seen: &Newcomer) -> Beat {
        Beat {
            first: seen.first,
            last: seen.first,
            start: seen.first,
            steady: Time::MAX,
            value: seen.value,
            gaps: 0,
            peak: Peak::default(),
            times: [0; RING],
            sizes: [0; RING],
            next: 0,
            past: 0,
            days: 0,
            came: false,
            even: false,
        }
    }

    /// Starts the gap at `time`: what was before is not known one by one.
    pub(super) fn restart(&mut self, time: Time) {
        (self.last, self.start) = (time, time);
    }

    /// Takes an event in; whether it ended a gap.
    pub(super) fn take(&mut self, time: Time, size: Option<f64>) -> bool {
        if time < self.last {
            self.past += 1;
            if self.past >= SET_BACK {
                self.past = 0;
                self.restart(time);
            }
            return false;
        }
        self.past = 0;
        let gap = time.since(self.last);
        let train = self.last.since(self.start) >= TRAIN;
        self.last = time;
        let gap = match (gap < TOGETHER, train) {
            (true, false) => return false,
            (true, true) => gap,
            (false, _) => time.since(self.start),
        };
        let gap = gap.as_secs_f64();
        let at = usize::from(self.next);
        if let (Some(to), Some(bytes)) = (self.times.get_mut(at), self.sizes.get_mut(at)) {
            *to = code(gap * 1000.0);
            *bytes = code(size.unwrap_or(0.0));
        }
        self.next = u8::try_from((at + 1) % RING).unwrap_or(0);
        self.gaps = self.gaps.saturating_add(1);
        self.start = time;
        self.came = true;
        true
    }

    fn held(&self) -> usize {
        usize::try_from(self.gaps).map_or(RING, |gaps| gaps.min(RING))
    }

    /// Notes what a test found, and says since when there is an even beat.
    pub(super) fn note(&mut self, even: bool) -> Time {
        if !even {
            self.steady = Time::MAX;
        } else if self.steady == Time::MAX {
            self.steady = self.since();
        }
        self.steady
    }

    /// When the oldest gap that is kept began.
    pub(super) fn since(&self) -> Time {
        let all: f64 = self.seconds().sum();
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
        let nanos = (all * 1e9) as i64;
        self.start.minus(Span::from_nanos(nanos)).max(self.first)
    }

    /// The gaps in seconds, oldest first.
    fn seconds(&self) -> impl Iterator<Item = f64> {
        let held = self.held();
        let oldest = usize::from(self.next) + RING - held;
        (oldest..oldest + held)
            .filter_map(|at| self.times.get(at % RING))
            .map(|&code| value(code) / 1000.0)
    }

    /// The most even of the beats of one, two and three gaps.
    pub(super) fn rhythm(&self) -> Option<(Rhythm, f64)> {
        let mut gaps = [0.0; RING];
        let held = gaps.iter_mut().zip(self.seconds());
        let held = held.map(|(to, gap)| *to = gap).count();
        let gaps = gaps.get(..held).unwrap_or_default();
        let mut best: Option<(Rhythm, f64)> = None;
        for lag in 1..=3_u8 {
            let Some(rhythm) = rhythm(gaps, lag) else {
                continue;
            };
            let bits = rhythm.bits(rhythm.regularity);
            if best.is_none_or(|(_, most)| bits > most) {
                best = Some((rhythm, bits));
            }
        }
        best
    }

    /// The sizes, where nearly all are known.
    pub(super) fn sizes(&self) -> Option<Sizes> {
        let held = self.held();
        let mut known = [0.0; RING];
        let codes = self.sizes.iter().take(held).filter(|&&code| code > 0);
        let count = known
            .iter_mut()
            .zip(codes)
            .map(|(to, &code)| *to = value(code));
        let count = count.count();
        if count == 0 || count * 10 < held * 9 {
            return None;
        }
        let known = known.get_mut(..count)?;
        let (middle, spread) = spread(known);
        Some(Sizes { middle, spread })
    }
}

/// The middle value, and the middle deviation from it as a part of it.
fn spread(values: &mut [f64]) -> (f64, f64) {
    let middle = median(values);
    for value in values.iter_mut() {
        *value = (*value - middle).abs();
    }
    (middle, median(values) / middle.max(1e-9))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn rhythm(gaps: &[f64], lag: u8) -> Option<Rhythm> {
    let mut beats = [0.0; RING];
    let sums = gaps.windows(usize::from(lag)).map(|some| some.iter().sum());
    let count = beats.iter_mut().zip(sums);
    let count = count.map(|(to, sum): (_, f64)| *to = sum).count();
    let beats = beats.get_mut(..count)?;
    beats.sort_unstable_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of at most RING"
    )]
    let aside = (real(i64::try_from(count).unwrap_or(0)) * SET_ASIDE).ceil() as usize;
    let beats = beats.get_mut(..count.checked_sub(aside)?)?;
    if beats.len() < 4 {
        return None;
    }
    let lag = f64::from(lag);
    let n = real(i64::try_from(beats.len()).unwrap_or(0));
    let together = lag * TOGETHER.as_secs_f64();
    let hums = beats.get(beats.len() / 2).is_some_and(|m| *m < together);
    // A gap of less than a second after what belongs together is as good as one.
    let (from, least) = if hums { (0.0, 1e-3) } else { (together, lag) };
    let free = beats.iter().map(|beat| (beat - from).max(least));
    let (mut sum, mut logs) = (0.0, 0.0);
    for beat in free {
        sum += beat;
        logs += beat.log_e();
    }
    let s = ((sum / n).log_e() - logs / n).max(1e-6);
    let shape = (3.0 - s + ((s - 3.0) * (s - 3.0) + 24.0 * s).sqrt()) / (12.0 * s);
    let (period, jitter) = spread(beats);
    Some(Rhythm {
        regularity: shape.min(SHAPE_MAX * lag) / lag,
        lag,
        beats: n,
        period,
        jitter,
    })
}

impl Rhythm {
    /// The evidence that beats of this regularity are no chance, in bits.
    pub(super) fn bits(&self, regularity: f64) -> f64 {
        let (n, lag) = (self.beats / self.lag, self.lag);
        let shape = regularity * lag;
        // Minka's estimate, turned round: what is left of s in the shape.
        let turned = 12.0 * shape + 1.0;
        let s = (6.0 * turned + 18.0) / (turned * turned - 1.0);
        let law = |k: f64| k * k.log_e() - ln_gamma(k) - k;
        let gain = law(shape) - law(lag) - (shape - lag) * s;
        // Three ways of looking at it cost log2 3, where it is not the first.
        let ways = if lag > 1.0 {
            3_f64.log_e() * LOG2_E
        } else {
            0.0
        };
        n * gain / LN_2 - 0.5 * n.log_e() * LOG2_E - ways
    }

    /// The regularity that 99 % of chance's beats stay between, by the
    /// estimate's own scatter at shape 1.
    pub(super) fn by_chance(&self) -> (f64, f64) {
        let scatter = 2.576 * 1.245 / (self.beats / self.lag).sqrt();
        ((-scatter).exp_e(), scatter.exp_e())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_takes_a_hundred_and_ninety_two_bytes() {
        assert!(size_of::<Beat>() <= 192, "{}", size_of::<Beat>());
    }

    #[test]
    fn regularity_is_one_by_chance_and_grows_as_jitter_shrinks() {
        let regularity = |gaps: &[f64]| rhythm(gaps, 1).unwrap().regularity;
        // Quantiles of the exponential and of uniform jitter.
        let part = |n: u32| (f64::from(n) + 0.5) / 32.0;
        let chance: Vec<f64> = (0..32).map(|n| 10.0 - 600.0 * part(n).log_e()).collect();
        let jitter = |most: f64| -> Vec<f64> {
            let gap = |n| 10.0 + 600.0 * (1.0 + most * (2.0 * part(n) - 1.0));
            (0..32).map(gap).collect()
        };
        assert!(
            (0.8..1.7).contains(&regularity(&chance)),
            "{}",
            regularity(&chance)
        );
        for (most, least, largest) in [(0.5, 9.0, 20.0), (0.3, 28.0, 50.0), (0.1, 280.0, 400.0)] {
            let found = regularity(&jitter(most));
            assert!((least..=largest).contains(&found), "{most}: {found}");
        }
        assert!(rhythm(&chance, 1).unwrap().bits(regularity(&chance)) < 8.0);
        assert!(rhythm(&jitter(0.3), 1).unwrap().bits(33.0) > 28.0);
    }

    #[test]
    fn codes_are_within_a_thousandth() {
        for x in [1.0, 31.7, 633.0, 300_000.0, 2.1e7, 4.3e9] {
            assert!((value(code(x)) / x - 1.0).abs() < 1e-3, "{x}");
        }
        assert_eq!(
            (code(f64::NAN), code(f64::INFINITY), code(-5.0)),
            (0, u16::MAX, 0)
        );
    }
}
