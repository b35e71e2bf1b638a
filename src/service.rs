//! systemd: ready, watchdog, reload, stop. The loop of `tipstaff run`.

use std::io;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded, select};
use sd_notify::NotifyState;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals as Incoming};

use crate::clock::Stopwatch;
use crate::pipeline::Live;

/// The longest time between two looks at all files, whatever the kernel's
/// hints say: lost hints are every tailer's bug list.
const SWEEP: Duration = Duration::from_secs(1);

/// A look for hinted files is not taken more often than this, so that a busy
/// log is read in large pieces.
const REST: Duration = Duration::from_millis(20);

/// A step of the loop feeds the watchdog so many times in its interval.
const FEEDS: u32 = 3;

/// Reloads that are asked for within this time are one.
const STORM: Duration = Duration::from_millis(100);

/// What the service calls.
pub struct Calls<'a> {
    /// Reads the rules again and puts them in force; `Err` says what is wrong
    /// with them, and the old ones stay.
    pub reload: &'a mut dyn FnMut(&mut Live) -> Result<String, String>,
    /// Reads what is new in the logs and delivers alerts: whether there is more.
    pub sweep: &'a mut dyn FnMut(&mut Live) -> io::Result<bool>,
    /// Makes what was learnt outlive the process.
    pub snapshot: &'a mut dyn FnMut(&mut Live) -> io::Result<()>,
    /// What is wrong with where alerts go.
    pub trouble: &'a mut dyn FnMut() -> Option<String>,
}

/// What systemd is told, once for each change.
#[derive(Default)]
struct Status {
    told: String,
    /// What the last reload came to.
    reload: Option<String>,
    /// Why the state could not be saved.
    unsaved: Option<String>,
}

impl Status {
    fn tell(&mut self, live: &Live, more: bool, trouble: Option<String>) {
        let mut words = vec![if more {
            format!(
                "catching up, {} MB to read",
                live.behind().div_ceil(1_000_000)
            )
        } else {
            "watching".to_owned()
        }];
        words.extend(self.reload.clone());
        words.extend(trouble);
        words.extend(self.unsaved.clone());
        let words = words.join("; ");
        if words != self.told {
            tell(&[NotifyState::Status(&words)]);
            self.told = words;
        }
    }
}

/// Runs until SIGTERM or SIGINT; SIGHUP reloads.
pub fn serve(
    live: &mut Live,
    signals: &Signals,
    every: Duration,
    calls: &mut Calls<'_>,
) -> io::Result<()> {
    let watchdog = sd_notify::watchdog_enabled();
    let longest = watchdog.map_or(SWEEP, |interval| SWEEP.min(interval / FEEDS));
    let mut status = Status::default();
    // Ready once it is clear that all is well, not when all of a long history
    // is read: who waits for a start should not wait for that.
    let mut more = (calls.sweep)(live)?;
    // From here on it is known which files were there: a log that is rotated
    // away is no longer taken for history from before our time.
    if live.delivered().is_none() {
        status.unsaved = save(live, calls);
    }
    tell(&[NotifyState::Ready]);
    status.tell(live, more, (calls.trouble)());
    tracing::info!("watching");
    let mut saved = Stopwatch::start();
    loop {
        let patience = if more { Duration::ZERO } else { longest };
        match wait(&signals.from, live.hints(), patience) {
            Wake::Stop => break,
            Wake::Reload => status.reload = Some(reload(live, calls)),
            Wake::Look => {}
        }
        more = (calls.sweep)(live)?;
        if watchdog.is_some() {
            tell(&[NotifyState::Watchdog]);
        }
        if saved.elapsed() >= every {
            status.unsaved = save(live, calls);
            saved = Stopwatch::start();
        }
        status.tell(live, more, (calls.trouble)());
    }
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
    (calls.snapshot)(live)?;
    let counts = live.counts();
    tracing::info!(
        lines = counts.lines,
        events = counts.events,
        malformed = counts.malformed,
        truncated = counts.truncated,
        nul = counts.nul,
        not_utf8 = counts.not_utf8,
        late = counts.late,
        future = counts.future,
        "stopped; what was learnt is kept"
    );
    Ok(())
}

/// A snapshot that fails is said aloud and tried again: detection goes on.
fn save(live: &mut Live, calls: &mut Calls<'_>) -> Option<String> {
    let error = (calls.snapshot)(live).err()?;
    tracing::error!(%error, "the state could not be saved; still watching");
    Some(format!("the state cannot be saved: {error}"))
}

fn reload(live: &mut Live, calls: &mut Calls<'_>) -> String {
    let mut states = vec![NotifyState::Reloading];
    states.extend(NotifyState::monotonic_usec_now().ok());
    tell(&states);
    let said = match (calls.reload)(live) {
        Ok(said) => {
            tracing::info!("{said}");
            said
        }
        Err(wrong) => {
            tracing::error!("the rules were not reloaded; the old ones stay in force\n{wrong}");
            "reload failed, the old rules stay in force".to_owned()
        }
    };
    tell(&[NotifyState::Ready]);
    said
}

enum Wake {
    Look,
    Reload,
    Stop,
}

fn wait(signals: &Receiver<i32>, hints: &Receiver<()>, longest: Duration) -> Wake {
    select! {
        recv(signals) -> signal => match signal {
            Ok(SIGHUP) => {
                // A storm of them is one reload.
                std::thread::sleep(STORM);
                while let Ok(more) = signals.try_recv() {
                    if more != SIGHUP {
                        return Wake::Stop;
                    }
                }
                Wake::Reload
            }
            _ => Wake::Stop,
        },
        recv(hints) -> _ => {
            std::thread::sleep(REST);
            while hints.try_recv().is_ok() {}
            Wake::Look
        },
        default(longest) => Wake::Look,
    }
}

/// Signals as messages.
pub struct Signals {
    from: Receiver<i32>,
    handle: Handle,
}

impl Signals {
    /// Listens from now on. Call it before anything that takes time: a SIGHUP
    /// that nobody listens for ends a process.
    pub fn listen() -> io::Result<Signals> {
        let mut signals = Incoming::new([SIGHUP, SIGTERM, SIGINT])?;
        let handle = signals.handle();
        let (to, from) = bounded(64);
        #[expect(
            clippy::disallowed_methods,
            reason = "signals need a thread that waits for them"
        )]
        std::thread::spawn(move || {
            for signal in signals.forever() {
                if to.send(signal).is_err() {
                    break;
                }
            }
        });
        Ok(Signals { from, handle })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.handle.close();
    }
}

/// Outside systemd there is nobody to tell, and that is fine.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}
