//! From batches to alerts: on this thread, or on many with the same result.
//!
//! ```text
//! reader → workers (any order) → sequencer (in order) → shards (in order) → here (in order)
//! ```
//!
//! A fixed number of buffers goes round: the reader waits for one that is
//! free, so a slow stage holds it back and memory stays flat.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::batch::{Batch, Parsed};
use super::sequencer::Sequencer;
use super::shard::{Raised, Shard, add, order};
use super::worker::Worker;
use crate::alert::{Alert, CARDINALITY, Id};
use crate::baseline::Census;
use crate::detector::Detector;
use crate::enrich::Enricher;
use crate::sync::Arc;

/// How many buffers go round: each worker has one and one that waits for the
/// sequencer, the reader fills one and the shards, all at about the same place,
/// work through one. A buffer is of 256 KiB of lines and up to 2 MiB of what
/// was made of them; twice as many take no less time.
fn buffers(threads: usize) -> usize {
    2 * threads + 2
}

/// What the engine calls with each parsed batch and its alerts, in order.
pub(super) type Deliver<'a> = dyn FnMut(&Parsed, Vec<Alert>) + 'a;

/// What is left when all batches are done: all lanes, and the logs' time.
pub(super) type Ended = (Vec<Shard>, Sequencer);

/// The whole engine on one thread.
pub(super) struct Inline {
    worker: Worker,
    pub(super) sequencer: Sequencer,
    pub(super) shard: Shard,
    parsed: Parsed,
    raised: Vec<Raised>,
    floods: Floods,
}

impl Inline {
    pub(super) fn new(detector: &Arc<Detector>, enricher: &Arc<Enricher>) -> Inline {
        Inline {
            worker: Worker::new(Arc::clone(detector), Arc::clone(enricher)),
            sequencer: Sequencer::new(),
            shard: Shard::new(detector, 0, 1),
            parsed: Parsed::default(),
            raised: Vec::new(),
            floods: Floods::default(),
        }
    }

    /// Puts other tables in force.
    pub(super) fn enrich(&mut self, enricher: &Arc<Enricher>) {
        self.worker.enrich(Arc::clone(enricher));
    }

    /// Takes one batch; its buffers come back in `batch`.
    pub(super) fn take(&mut self, batch: &mut Batch, deliver: &mut Deliver<'_>) {
        std::mem::swap(batch, &mut self.parsed.batch);
        self.worker.work(&mut self.parsed);
        self.sequencer.stamp(&mut self.parsed);
        let alone = &mut |census| census;
        self.shard.settle(&self.parsed, &mut self.raised, alone);
        internal(&self.parsed, &mut self.raised);
        order(&mut self.raised);
        let raised = self.raised.drain(..).map(|r| r.alert);
        let alerts = raised.filter(|alert| self.floods.is_news(alert)).collect();
        deliver(&self.parsed, alerts);
        std::mem::swap(batch, &mut self.parsed.batch);
    }
}

/// Floods of entities that were told of: each lane tells of its own, and one
/// alert a rule and day is enough. All of them have the same id.
#[derive(Default)]
struct Floods(BTreeSet<Id>);

/// Floods remembered; at their end all are forgotten, and may be told again.
const FLOODS_MAX: usize = 65_536;

impl Floods {
    /// Whether an alert is of no flood, or of one that was not told of.
    fn is_news(&mut self, alert: &Alert) -> bool {
        if alert.rule.id != CARDINALITY {
            return true;
        }
        if self.0.len() >= FLOODS_MAX {
            self.0.clear();
        }
        self.0.insert(alert.id)
    }
}

/// Adds what tipstaff tells of the logs themselves, after the lanes' alerts.
fn internal(parsed: &Parsed, raised: &mut Vec<Raised>) {
    raised.extend(parsed.internal.iter().map(|(row, alert)| Raised {
        row: *row,
        lane: u32::MAX,
        alert: alert.clone(),
    }));
}

/// Runs all batches that `fill` makes on one thread.
pub(super) fn run_inline(
    detector: &Arc<Detector>,
    enricher: &Arc<Enricher>,
    fill: &mut (dyn FnMut(&mut Batch) -> bool + Send),
    deliver: &mut Deliver<'_>,
) -> Ended {
    let mut engine = Inline::new(detector, enricher);
    let mut batch = Batch::default();
    while fill(&mut batch) {
        engine.take(&mut batch, deliver);
        batch.clear();
    }
    (vec![engine.shard], engine.sequencer)
}

/// Both ends of a queue.
type Queue<T> = (Sender<T>, Receiver<T>);

/// A shard's alerts of one batch.
type Done = (u64, Vec<Raised>);

/// The queues between the stages. Each has room for all buffers: it is their
/// number that bounds memory.
struct Queues {
    spare: Queue<Parsed>,
    raw: Queue<Parsed>,
    parsed: Queue<Parsed>,
    /// To each shard.
    shards: Vec<Queue<Arc<Parsed>>>,
    /// From shards at a barrier, and the sum back to each.
    census: Queue<Vec<Census>>,
    population: Vec<Queue<Vec<Census>>>,
    done: Queue<Done>,
    sequenced: Queue<Arc<Parsed>>,
}

impl Queues {
    fn new(threads: usize) -> Queues {
        let many = buffers(threads);
        Queues {
            spare: bounded(many),
            raw: bounded(many),
            parsed: bounded(many + threads), // and each worker's last word
            shards: (0..threads).map(|_| bounded(many)).collect(),
            census: bounded(threads),
            population: (0..threads).map(|_| bounded(1)).collect(),
            done: bounded(many * threads),
            sequenced: bounded(many),
        }
    }
}

/// Runs all batches that `fill` makes on `threads` workers and as many shards.
pub(super) fn run_threads(
    detector: &Arc<Detector>,
    enricher: &Arc<Enricher>,
    threads: usize,
    fill: &mut (dyn FnMut(&mut Batch) -> bool + Send),
    deliver: &mut Deliver<'_>,
) -> Ended {
    assert!(threads > 1, "one thread is run_inline's");
    let Queues {
        spare,
        raw,
        parsed,
        shards,
        census,
        population,
        done,
        sequenced,
    } = Queues::new(threads);
    for _ in 0..buffers(threads) {
        let _ = spare.0.send(Parsed::default()); // there is room for all of them
    }
    thread::scope(|scope| {
        let (to_workers, from_spare) = (raw.0, spare.1);
        scope.spawn(move || read(fill, &from_spare, &to_workers));
        for _ in 0..threads {
            let (from, to) = (raw.1.clone(), parsed.0.clone());
            let worker = Worker::new(Arc::clone(detector), Arc::clone(enricher));
            scope.spawn(move || work(worker, &from, &to));
        }
        drop((raw.1, parsed.0));
        let (to_shards, from_sequencer): (Vec<_>, Vec<_>) = shards.into_iter().unzip();
        let (to_population, from_census): (Vec<_>, Vec<_>) = population.into_iter().unzip();
        let barrier = Barrier {
            shards: threads,
            census: census.1,
            population: to_population,
        };
        let sequencer =
            scope.spawn(move || sequence(&parsed.1, &to_shards, &sequenced.0, &barrier));
        let handles: Vec<_> = from_sequencer
            .into_iter()
            .zip(from_census)
            .enumerate()
            .map(|(part, (batches, sums))| {
                let shard = Shard::new(detector, part, threads);
                let (to_census, to_done) = (census.0.clone(), done.0.clone());
                scope.spawn(move || settle(shard, &batches, &to_census, &sums, &to_done))
            })
            .collect();
        drop((done.0, census.0));
        let ends = (sequenced.1, done.1, spare.0);
        gather(threads, &ends.0, &ends.1, &ends.2, deliver);
        // A reader that waits for a buffer would wait for ever after another
        // thread's panic.
        drop(ends);
        let shards = handles.into_iter().filter_map(|h| h.join().ok()).collect();
        // After a panic there is nothing to go on from.
        let sequencer = sequencer.join().unwrap_or_else(|_| Sequencer::new());
        (shards, sequencer)
    })
}

fn read(
    fill: &mut (dyn FnMut(&mut Batch) -> bool + Send),
    spare: &Receiver<Parsed>,
    to: &Sender<Parsed>,
) {
    for (mut parsed, sequence) in spare.iter().zip(0..) {
        parsed.batch.clear();
        if !fill(&mut parsed.batch) {
            break;
        }
        parsed.batch.sequence = sequence;
        if to.send(parsed).is_err() {
            break; // the stages after are gone: a panic there is being unwound
        }
    }
}

/// Tells the sequencer of a worker's panic: it would wait for the worker's
/// batch, and the reader for its buffer.
struct Mourned<'a>(&'a Sender<Parsed>);

/// The sequence number of no batch.
const PANICKED: u64 = u64::MAX;

impl Drop for Mourned<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let mut last = Parsed::default();
            last.batch.sequence = PANICKED;
            let _ = self.0.send(last); // no sequencer: it needs no telling
        }
    }
}

fn work(mut worker: Worker, from: &Receiver<Parsed>, to: &Sender<Parsed>) {
    let _mourned = Mourned(to);
    for mut parsed in from {
        worker.work(&mut parsed);
        if to.send(parsed).is_err() {
            break;
        }
    }
}

/// The sequencer's side of an epoch barrier.
struct Barrier {
    shards: usize,
    census: Receiver<Vec<Census>>,
    population: Vec<Sender<Vec<Census>>>,
}

impl Barrier {
    /// Adds up all shards' words and tells each the sum.
    fn exchange(&self) {
        let mut sum = Vec::new();
        for _ in 0..self.shards {
            let Ok(part) = self.census.recv() else {
                return;
            };
            add(&mut sum, &part);
        }
        for shard in &self.population {
            if shard.send(sum.clone()).is_err() {
                return;
            }
        }
    }
}

/// Puts parsed batches back into order, judges their times, and hands each to
/// all shards.
fn sequence(
    from: &Receiver<Parsed>,
    to: &[Sender<Arc<Parsed>>],
    done: &Sender<Arc<Parsed>>,
    barrier: &Barrier,
) -> Sequencer {
    let mut sequencer = Sequencer::new();
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for parsed in from {
        if parsed.batch.sequence == PANICKED {
            return sequencer;
        }
        waiting.insert(parsed.batch.sequence, parsed);
        while let Some(mut parsed) = waiting.remove(&next) {
            next += 1;
            sequencer.stamp(&mut parsed);
            let parsed = Arc::new(parsed);
            let sent = to
                .iter()
                .all(|shard| shard.send(Arc::clone(&parsed)).is_ok());
            for _ in &parsed.barriers {
                barrier.exchange();
            }
            if !sent || done.send(parsed).is_err() {
                return sequencer;
            }
        }
    }
    debug_assert!(waiting.is_empty(), "sequence numbers are dense");
    sequencer
}

fn settle(
    mut shard: Shard,
    from: &Receiver<Arc<Parsed>>,
    census: &Sender<Vec<Census>>,
    population: &Receiver<Vec<Census>>,
    to: &Sender<Done>,
) -> Shard {
    for parsed in from {
        let mut raised = Vec::new();
        let exchange = &mut |own| {
            let sent = census.send(own);
            sent.ok()
                .and_then(|()| population.recv().ok())
                .unwrap_or_default()
        };
        shard.settle(&parsed, &mut raised, exchange);
        let sequence = parsed.batch.sequence;
        drop(parsed); // so that the last holder can use its buffers again
        if to.send((sequence, raised)).is_err() {
            break;
        }
    }
    shard
}

/// Waits for every shard's word on each batch and delivers in order.
fn gather(
    shards: usize,
    sequenced: &Receiver<Arc<Parsed>>,
    done: &Receiver<Done>,
    spare: &Sender<Parsed>,
    deliver: &mut Deliver<'_>,
) {
    let mut floods = Floods::default();
    let mut early: BTreeMap<u64, (usize, Vec<Raised>)> = BTreeMap::new();
    for parsed in sequenced {
        let number = parsed.batch.sequence;
        while early.get(&number).is_none_or(|(count, _)| *count < shards) {
            let Ok((sequence, raised)) = done.recv() else {
                return;
            };
            let (count, all) = early.entry(sequence).or_default();
            *count += 1;
            all.extend(raised);
        }
        let Some((_, mut raised)) = early.remove(&number) else {
            return;
        };
        internal(&parsed, &mut raised);
        order(&mut raised);
        let raised = raised.into_iter().map(|r| r.alert);
        let alerts = raised.filter(|alert| floods.is_news(alert)).collect();
        deliver(&parsed, alerts);
        if let Some(parsed) = Arc::into_inner(parsed) {
            let _ = spare.send(parsed); // after the last line, nobody reads
        }
    }
}
