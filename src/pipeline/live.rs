//! Over logs that are being written: the same stages, fed by a follower.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::batch::Batch;
use super::engine::Inline;
use super::logs::Logs;
use super::reader::{Reader, Stream};
use super::reading::{Readings, Start};
use super::state::Snapshot;
use crate::alert::Alert;
use crate::clock;
use crate::detector::{Detector, Lane};
use crate::enrich::{Enricher, Tables};
use crate::format::{self, Context};
use crate::metrics::Counts;
use crate::source::{Follower, Watch};
use crate::store::{Store, StoreError};
use crate::sync::Arc;
use crate::time::Time;

/// Bytes judged in a turn, so that a log that is far behind keeps neither a stop
/// nor the watchdog waiting: some 50 ms.
const TURN: u64 = 4 << 20;

/// What to follow and how.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// Files and globs.
    pub paths: Vec<PathBuf>,
    /// How the lines of each log are read.
    pub readings: Readings,
    /// Whether a log that was never seen is read from its start.
    pub from_start: bool,
    /// What the site knows of addresses and users.
    pub tables: Arc<Tables>,
}

/// A running detector over followed logs.
pub struct Live {
    options: LiveOptions,
    detector: Arc<Detector>,
    enricher: Arc<Enricher>,
    engine: Inline,
    logs: Logs,
    reader: Reader,
    batch: Batch,
    watch: Option<Watch>,
    hints: Receiver<()>,
    /// Keeps the hints' queue open when there is no watch.
    _wake: Sender<()>,
    counts: Counts,
    delivered: Option<u64>,
}

impl Live {
    /// Starts from what the store remembers; the strings are what should be
    /// said aloud about it.
    pub fn start(
        options: LiveOptions,
        detector: &Arc<Detector>,
        store: &Store,
    ) -> Result<(Live, Vec<String>), StoreError> {
        let restored = store.restore::<Snapshot>()?;
        let mut said = restored.passed_over;
        let tables = Arc::clone(&options.tables);
        let enricher = Arc::new(Enricher::new(tables, &detector.projection()));
        let mut engine = Inline::new(detector, &enricher);
        let (mut positions, mut kept, mut delivered) = (Vec::new(), Vec::new(), None);
        if let Some(snapshot) = restored.state {
            engine.sequencer = snapshot.sequencer;
            let lanes = engine.shard.lanes.iter_mut().zip(&snapshot.lanes);
            for ((number, lane), bytes) in lanes {
                match Lane::load(detector, bytes) {
                    Ok(loaded) => *lane = loaded,
                    Err(what) => said.push(format!("lane {number} starts empty: {what}")),
                }
            }
            said.push("going on from the saved state".into());
            (positions, kept) = (snapshot.positions, snapshot.logs);
            delivered = Some(snapshot.delivered);
        } else {
            said.push("no saved state: starting afresh".into());
        }
        let (wake, hints) = bounded(1);
        let waker = wake.clone();
        let watch = Watch::new(move || {
            let _ = waker.try_send(()); // a full queue has a hint in it already
        });
        let watch = watch.map_err(|why| {
            let remedy = "each file is looked at every second all the same";
            said.push(format!("no hints from the kernel ({why}): {remedy}"));
        });
        let follower = Follower::new(options.paths.clone(), positions, options.from_start)
            .keeping_together(format::whole);
        let mut live = Live {
            options,
            detector: Arc::clone(detector),
            enricher,
            engine,
            logs: Logs::new(follower, &kept),
            reader: Reader::default(),
            batch: Batch::default(),
            watch: watch.ok(),
            hints,
            _wake: wake,
            counts: Counts::default(),
            delivered,
        };
        for (number, kept) in (0..).zip(&kept) {
            let mut context = live.context(number);
            if kept.head > Time::MIN {
                context.follow(kept.head);
            }
            context.reference = kept.reference;
            live.reader.add(Stream::new(number, context, kept.head));
        }
        Ok((live, said))
    }

    fn context(&self, number: u32) -> Context {
        let path = self.logs.path(number);
        let reading = self.options.readings.of(path.as_slice());
        let written = path.map(written);
        let projection = self.enricher.project(&self.detector.projection());
        reading.begin(Start::default(), written, projection)
    }

    /// The kernel's hints that something was written; they may be lost.
    pub fn hints(&self) -> &Receiver<()> {
        &self.hints
    }

    /// What was read since the start.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Length of the alerts' file when the state that this started from was
    /// saved; `None` if there was none.
    pub fn delivered(&self) -> Option<u64> {
        self.delivered
    }

    /// Bytes that are in the logs and were not read yet.
    pub fn behind(&self) -> u64 {
        self.logs.follower.behind()
    }

    /// Reads what is new, a turn's worth at most, in order of time, and hands
    /// over the alerts; what should be said aloud about the logs comes back,
    /// and whether there is more to read at once.
    pub fn sweep(
        &mut self,
        deliver: &mut dyn FnMut(&Alert) -> io::Result<()>,
    ) -> io::Result<(bool, Vec<String>)> {
        let reader = &mut self.reader;
        let new = self.logs.look(clock::now(), |number| reader.is_dry(number));
        for number in new {
            self.engine.sequencer.forget(number);
            self.reader.remove(number);
            let context = self.context(number);
            self.reader.add(Stream::new(number, context, Time::MIN));
        }
        let reader = &mut self.reader;
        self.logs.prime(&mut |number, opening| {
            reader.change(|other, context| {
                if other == number {
                    let lines = opening.split(|&b| b == b'\n');
                    for line in lines.take_while(|line| format::announces(line)) {
                        context.absorb(line);
                    }
                }
            });
        });
        let mut said = self.hint();
        let result = self.judge(deliver);
        let gaps = self.logs.follower.take_gaps();
        said.extend(gaps.iter().map(ToString::to_string));
        result.map(|more| (more, said))
    }

    /// Watches the logs' folders; what should be said aloud about it.
    fn hint(&mut self) -> Vec<String> {
        let Some(watch) = &mut self.watch else {
            return Vec::new();
        };
        let unwatched = watch.folders(&self.logs.follower.folders());
        let say = |(folder, why): &(PathBuf, String)| {
            format!(
                "{}: no hints ({why}); looked at every second",
                folder.display()
            )
        };
        unwatched.iter().map(say).collect()
    }

    /// Puts a turn's lines through the engine, merged by time; whether there are more.
    fn judge(&mut self, deliver: &mut dyn FnMut(&Alert) -> io::Result<()>) -> io::Result<bool> {
        self.reader.wake(&mut self.logs);
        let mut result = Ok(());
        let mut taken = 0;
        while taken < TURN {
            if !self.reader.fill(&mut self.logs, &mut self.batch) {
                return result.map(|()| self.logs.more());
            }
            let Live {
                engine,
                batch,
                counts,
                ..
            } = self;
            engine.take(batch, &mut |parsed, alerts| {
                taken += parsed.counts.bytes;
                counts.add(&parsed.counts);
                for alert in &alerts {
                    result = std::mem::replace(&mut result, Ok(())).and(deliver(alert));
                }
            });
            self.batch.clear();
        }
        result.map(|()| true)
    }

    /// Puts other rules in force; what rules that did not change have learnt stays.
    pub fn reload(&mut self, detector: &Arc<Detector>) -> Result<(), String> {
        let enricher = Arc::new(self.enricher.with(&detector.projection()));
        let mut engine = Inline::new(detector, &enricher);
        engine.sequencer = self.engine.sequencer.clone();
        let old = &self.engine.shard.lanes;
        for ((_, new), (_, old)) in engine.shard.lanes.iter_mut().zip(old) {
            *new = Lane::load(detector, &old.save(&self.detector))?;
        }
        self.engine = engine;
        self.detector = Arc::clone(detector);
        self.enricher = enricher;
        self.project();
        Ok(())
    }

    /// Puts other tables of networks and users in force.
    pub fn enrich(&mut self, tables: Arc<Tables>) {
        let enricher = Arc::new(Enricher::new(tables, &self.detector.projection()));
        self.engine.enrich(&enricher);
        self.enricher = enricher;
        self.project();
    }

    fn project(&mut self) {
        let projection = self.enricher.project(&self.detector.projection());
        self.reader
            .change(|_, context| context.project(Arc::clone(&projection)));
    }

    /// Writes all state. Alerts delivered before must be out by now;
    /// `delivered` is how long their file has become.
    pub fn snapshot(&mut self, store: &Store, delivered: u64) -> io::Result<()> {
        let lanes = &self.engine.shard.lanes;
        store.save(&Snapshot {
            positions: self.logs.follower.positions(),
            logs: self.logs.keep(self.reader.streams()),
            sequencer: self.engine.sequencer.clone(),
            lanes: lanes
                .iter()
                .map(|(_, lane)| lane.save(&self.detector))
                .collect(),
            delivered,
        })
    }
}

/// When a log was last written to.
fn written(path: &Path) -> Time {
    let modified = fs::metadata(path).and_then(|file| file.modified());
    modified.map_or_else(|_| clock::now(), clock::from_system)
}
