//! The progress bar of a replay: bytes, lines per second, time left.
//!
//! It stands on standard error and only when that is a terminal. The replay
//! adds to three atomics; the bar reads them when it draws, so that the hot
//! path never waits for a terminal.

use std::fmt::Write as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::clock::Stopwatch;
use crate::pipeline::Progress;
use crate::sink::{Style, count};
use crate::sync::{Arc, Ordering};
use crate::time::Span;

/// How often it is drawn; faster flickers and tells nothing more.
const EVERY: Duration = Duration::from_millis(200);

/// Characters of the bar itself.
const CELLS: u64 = 16;

/// A bar over these counters; an invisible one when `shown` is false or
/// standard error is not a terminal.
pub(super) fn bar(progress: &Arc<Progress>, style: Style, shown: bool) -> ProgressBar {
    let Some(width) = style.width.filter(|_| shown) else {
        return ProgressBar::hidden();
    };
    let counters = Arc::clone(progress);
    let watch = Stopwatch::start();
    let draw = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
        let reading = Reading {
            done: counters.bytes_done.load(Ordering::Relaxed),
            total: counters.bytes_total.load(Ordering::Relaxed),
            lines: counters.lines.load(Ordering::Relaxed),
            elapsed: watch.elapsed(),
        };
        // A row that fills the last column makes some terminals wrap.
        let row: String = reading
            .row()
            .chars()
            .take(width.saturating_sub(1))
            .collect();
        let _ = out.write_str(&row); // a bar that cannot be drawn is not missed
    };
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(template) = ProgressStyle::with_template("{replay}") {
        bar.set_style(template.with_key("replay", draw));
    }
    bar.enable_steady_tick(EVERY);
    bar
}

/// What the counters say at one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    done: u64,
    total: u64,
    lines: u64,
    elapsed: Duration,
}

impl Reading {
    /// `[######..........]  38% 1.2 GB of 3.1 GB  480,000 lines/s  12s left`.
    fn row(&self) -> String {
        let mut row = String::new();
        // A growing file can be read beyond the size it had at the start.
        let done = self.done.min(self.total);
        if let Some(percent) = (done * 100).checked_div(self.total) {
            let full = usize::try_from(percent * CELLS / 100).unwrap_or(0);
            let rest = usize::try_from(CELLS).unwrap_or(0).saturating_sub(full);
            let _ = write!(
                row,
                "[{}{}] {percent:>3}% ",
                "#".repeat(full),
                ".".repeat(rest)
            );
            let _ = write!(row, "{} of {}", bytes(self.done), bytes(self.total));
        } else {
            row.push_str(&bytes(self.done));
        }
        let _ = write!(row, "  {} lines/s", count(rate(self.lines, self.elapsed)));
        if let Some(left) = self.left() {
            let _ = write!(row, "  {left} left");
        }
        row
    }

    /// Time left if the rest is read as fast as what was; not said in the first second.
    fn left(&self) -> Option<Span> {
        let rest = self.total.checked_sub(self.done)?;
        if self.elapsed < Duration::from_secs(1) || rest == 0 {
            return None;
        }
        let millis = u128::from(rest) * self.elapsed.as_millis();
        let secs = millis.checked_div(u128::from(self.done))?.div_ceil(1000);
        i64::try_from(secs).ok().map(Span::from_secs)
    }
}

/// How many a second, on average.
pub(super) fn rate(n: u64, elapsed: Duration) -> u64 {
    let millis = elapsed.as_millis().max(1);
    u64::try_from(u128::from(n) * 1000 / millis).unwrap_or(u64::MAX)
}

/// A size for people, in decimal units as disks have: `98.1 MB`.
pub(super) fn bytes(n: u64) -> String {
    const UNITS: &[&str] = &["kB", "MB", "GB", "TB", "PB", "EB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut tenths = u128::from(n) * 10;
    let mut unit = "B";
    for name in UNITS {
        if tenths < 10_000 {
            break;
        }
        tenths /= 1000;
        unit = name;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_says_how_far_how_fast_and_how_long_still() {
        let reading = Reading {
            done: 1_000_000_000,
            total: 4_000_000_000,
            lines: 5_000_000,
            elapsed: Duration::from_secs(10),
        };
        let row = "[####............]  25% 1.0 GB of 4.0 GB  500,000 lines/s  30s left";
        assert_eq!(reading.row(), row);
    }

    #[test]
    fn nothing_is_promised_before_it_is_known() {
        let reading = Reading {
            done: 0,
            total: 0,
            lines: 0,
            elapsed: Duration::ZERO,
        };
        assert_eq!(reading.row(), "0 B  0 lines/s");
    }

    #[test]
    fn sizes_keep_one_decimal_at_every_unit() {
        let cases = [
            (999, "999 B"),
            (1000, "1.0 kB"),
            (98_123_456, "98.1 MB"),
            (u64::MAX, "18.4 EB"),
        ];
        for (n, text) in cases {
            assert_eq!(bytes(n), text);
        }
    }
}
