//! Over files, from their first line to their last.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::batch::{Parsed, Tally};
use super::engine::{self, run_inline, run_threads};
use super::logs::Kept;
use super::reader::{Feed, Reader, Stream};
use super::reading::{Readings, Start};
use super::state::State;
use crate::alert::Alert;
use crate::clock::Stopwatch;
use crate::detector::{Detector, HeldBack};
use crate::enrich::{Enricher, Tables};
use crate::field::Projection;
use crate::format::{self, Context, FORMATS};
use crate::line::SourceId;
use crate::metrics::Counts;
use crate::rule::Level;
use crate::source::{Block, Framer, Input, Limits, Problem, Saved, Set, discover};
use crate::sync::{Arc, AtomicU64, Ordering};
use crate::time::Time;

/// What to replay and how.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// Files, folders, globs, `-`.
    pub paths: Vec<PathBuf>,
    /// Threads that parse, and as many that keep state; 1 is all on the caller's.
    pub threads: usize,
    /// Year and day of the first stamps that name none; else from the other
    /// logs or the file's time.
    pub start: Start,
    /// How the lines of each log are read.
    pub readings: Readings,
    /// What the site knows of addresses and users.
    pub tables: Arc<Tables>,
}

/// How far a replay is, for whoever watches from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    /// Stored bytes read.
    pub bytes_done: AtomicU64,
    /// Stored bytes there are, as far as known.
    pub bytes_total: AtomicU64,
    /// Lines done.
    pub lines: AtomicU64,
}

/// How many lines a format took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatCount {
    /// The format, or `unknown`.
    pub name: &'static str,
    /// Lines that became events.
    pub events: u64,
    /// Lines that say nothing we look for.
    pub not_mine: u64,
    /// Lines that break the grammar.
    pub malformed: u64,
}

/// How often a rule spoke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCount {
    /// Title.
    pub title: String,
    /// Level.
    pub level: Level,
    /// Alerts.
    pub alerts: u64,
    /// Updates of alerts.
    pub updates: u64,
}

/// What a replay read and found.
#[derive(Debug, Default)]
pub struct Summary {
    /// Counts of lines and what became of them.
    pub counts: Counts,
    /// By format, those that took any line.
    pub by_format: Vec<FormatCount>,
    /// Entities with state at the end.
    pub entities: u64,
    /// About how many bytes their state takes.
    pub state_bytes: u64,
    /// Entities whose state was given up for others' since memory is bounded.
    pub evicted: u64,
    /// What was odd and raised no alert, the oddest first, as far as it is kept.
    pub held_back: Vec<HeldBack>,
    /// Whether there was more of it.
    pub held_more: bool,
    /// By rule, the most urgent first, then by title.
    pub alerts: Vec<RuleCount>,
    /// Earliest event time.
    pub first: Option<Time>,
    /// Latest event time that was believed.
    pub last: Option<Time>,
    /// Sources that could not be read, or not whole.
    pub problems: Vec<Problem>,
    /// Sources that were read, at least in part.
    pub sources: u64,
    /// Wall time it took.
    pub elapsed: Duration,
}

/// Reads all that the options name, in order of event time, and hands over
/// each alert as it is raised. Problems with single sources are in the summary.
pub fn replay(
    options: &ReplayOptions,
    detector: &Arc<Detector>,
    progress: &Progress,
    deliver: &mut dyn FnMut(&Alert),
) -> Summary {
    replayed(options, detector, progress, deliver).0
}

/// The same, and what was learnt with it: a service that starts from there goes
/// on where the logs ended. Logs that can no longer be read are told in the
/// summary; such a service would read them from their start.
pub fn replay_to_state(
    options: &ReplayOptions,
    detector: &Arc<Detector>,
    progress: &Progress,
    deliver: &mut dyn FnMut(&Alert),
) -> (Summary, State) {
    let (mut summary, (shards, sequencer), logs) = replayed(options, detector, progress, deliver);
    let lanes = shards.into_iter().flat_map(|shard| shard.lanes).collect();
    let mut positions = Vec::new();
    for read in logs
        .iter()
        .flat_map(|(log, files)| files.iter().map(move |f| (log, f)))
    {
        let (log, file) = read;
        let log = Path::new(&log.name);
        let done = file.path != log;
        match Saved::at(&file.path, log, file.source, file.end, done) {
            Ok(saved) => positions.extend(saved),
            Err(problem) => summary.problems.push(problem),
        }
    }
    let kept = logs.iter().map(|(log, _)| {
        let name = Path::new(&log.name);
        Kept::read(name, log.reference, log.head)
    });
    let kept = kept.collect();
    (summary, State::new(lanes, sequencer, kept, positions))
}

/// A log that was read, as a follower would go on with it.
struct Ended {
    /// Its name: the path of the file that is written to.
    name: String,
    reference: Time,
    head: Time,
}

/// A file that was read, and up to where: offset and line.
struct Finished {
    path: PathBuf,
    source: SourceId,
    end: (u64, u64),
}

type Logs = Vec<(Ended, Vec<Finished>)>;

fn replayed(
    options: &ReplayOptions,
    detector: &Arc<Detector>,
    progress: &Progress,
    deliver: &mut dyn FnMut(&Alert),
) -> (Summary, engine::Ended, Logs) {
    let watch = Stopwatch::start();
    let projection = detector.projection();
    let enricher = Enricher::new(Arc::clone(&options.tables), &projection);
    let (projection, enricher) = (enricher.project(&projection), Arc::new(enricher));
    let specs: Vec<_> = options.paths.iter().map(|p| p.clone().into()).collect();
    let found = discover(&specs);
    let (tell, told) = unbounded();
    let mut summary = Summary::default();
    let mut reader = Reader::default();
    let mut archives = Archives::default();
    let mut source = 0;
    let mut names = Vec::new();
    for (number, set) in (0_u32..).zip(found.sets) {
        let total: u64 = set.inputs.iter().filter_map(|i| i.bytes).sum();
        progress.bytes_total.fetch_add(total, Ordering::Relaxed);
        let context = context(options, &projection, &set);
        let files = Files::new(set.inputs, source, tell.clone(), progress);
        source += u32::try_from(files.waiting.len()).unwrap_or(0);
        names.push(set.name);
        archives.0.push(files);
        reader.add(Stream::new(number, context, Time::MIN));
    }
    drop(tell);
    summary.sources = reader.wake(&mut archives) as u64;
    if !options.start.is_known() {
        reader.infer_years();
    }
    let mut tallies = Tallies::default();
    let each = &mut |parsed: &Parsed, alerts: Vec<Alert>| {
        tallies.add(parsed, &mut summary);
        progress
            .lines
            .fetch_add(parsed.counts.lines, Ordering::Relaxed);
        for alert in &alerts {
            tallies.alert(alert);
            deliver(alert);
        }
    };
    let fill = &mut |batch: &mut _| reader.fill(&mut archives, batch);
    let ended = if options.threads > 1 {
        run_threads(detector, &enricher, options.threads, fill, each)
    } else {
        run_inline(detector, &enricher, fill, each)
    };
    for (_, lane) in ended.0.iter().flat_map(|shard| &shard.lanes) {
        let size = lane.size();
        summary.entities += size.entities as u64;
        summary.state_bytes += size.bytes as u64;
        summary.evicted += size.evicted;
        let (held, more) = lane.held_back(detector);
        summary.held_back.extend(held);
        summary.held_more |= more;
    }
    HeldBack::sort(&mut summary.held_back);
    tallies.finish(&mut summary);
    let logs = logs(&reader, &mut archives, names);
    summary.problems = found.problems;
    summary
        .problems
        .extend(reader.undated().map(Problem::undated));
    drop((reader, archives));
    summary.problems.extend(problems(&told));
    summary.elapsed = watch.elapsed();
    (summary, ended, logs)
}

/// The logs in the order of their streams, and how far their files were read.
fn logs(reader: &Reader, archives: &mut Archives<'_>, names: Vec<String>) -> Logs {
    let logs = names.into_iter().zip(&mut archives.0).zip(0_u32..);
    logs.map(|((name, files), number)| {
        let stream = reader.streams().find(|s| s.number() == number);
        let ended = Ended {
            name,
            reference: stream.map_or(Time::MIN, Stream::reference),
            head: stream.map_or(Time::MIN, Stream::head),
        };
        (ended, std::mem::take(&mut files.finished))
    })
    .collect()
}

fn problems(told: &Receiver<Problem>) -> Vec<Problem> {
    told.try_iter().collect()
}

/// What the first line of a set needs to know.
fn context(options: &ReplayOptions, projection: &Arc<Projection>, set: &Set) -> Context {
    let files = set.inputs.iter().map(|input| &*input.path);
    let paths: Vec<&Path> = std::iter::once(Path::new(&set.name)).chain(files).collect();
    let written = set.inputs.first().and_then(|input| input.modified);
    let reading = options.readings.of(&paths);
    reading.begin(options.start, written, Arc::clone(projection))
}

/// A rotated set's files, one after the other.
struct Files<'a> {
    waiting: VecDeque<(SourceId, Input)>,
    open: Option<(Arc<str>, Framer)>,
    finished: Vec<Finished>,
    taken: u64,
    tell: Sender<Problem>,
    progress: &'a Progress,
}

impl<'a> Files<'a> {
    fn new(
        inputs: Vec<Input>,
        first: u32,
        tell: Sender<Problem>,
        progress: &'a Progress,
    ) -> Files<'a> {
        Files {
            waiting: (first..).map(SourceId).zip(inputs).collect(),
            open: None,
            finished: Vec::new(),
            taken: 0,
            tell,
            progress,
        }
    }

    fn complain(&self, problem: Problem) {
        // The receiver outlives all streams; a failed send has no one to tell.
        let _ = self.tell.send(problem);
    }
}

/// The sets of a replay, by stream.
#[derive(Default)]
struct Archives<'a>(Vec<Files<'a>>);

impl Feed for Archives<'_> {
    fn next(&mut self, stream: u32, block: &mut Block) -> Option<Arc<str>> {
        self.0.get_mut(stream as usize)?.next(block)
    }
}

impl Files<'_> {
    fn next(&mut self, block: &mut Block) -> Option<Arc<str>> {
        loop {
            if self.open.is_none() {
                let (source, input) = self.waiting.pop_front()?;
                self.taken = 0;
                let limits = Limits {
                    whole: format::whole,
                    ..Limits::default()
                };
                match input.frame(source, &limits) {
                    Ok(framer) => {
                        self.open = Some((input.name.as_str().into(), framer));
                        // Standard input is no place to come back to.
                        if input.path.is_file() {
                            self.finished.push(Finished {
                                path: input.path,
                                source,
                                end: (0, 1),
                            });
                        }
                    }
                    Err(problem) => self.complain(problem),
                }
            }
            let Some((name, framer)) = &mut self.open else {
                continue;
            };
            let name = Arc::clone(name);
            match framer.next(block) {
                Ok(true) => {
                    let more = block.taken.saturating_sub(self.taken);
                    self.progress.bytes_done.fetch_add(more, Ordering::Relaxed);
                    self.taken = block.taken;
                    if let Some(last) = self.finished.last_mut() {
                        last.end = (block.end(), block.first_line + block.lines);
                    }
                    return Some(name);
                }
                Ok(false) => self.open = None,
                Err(problem) => {
                    self.complain(problem);
                    self.open = None;
                }
            }
        }
    }
}

/// Sums for the summary, kept in maps with an order.
#[derive(Default)]
struct Tallies {
    formats: Vec<Tally>,
    rules: BTreeMap<(std::cmp::Reverse<Level>, String), (u64, u64)>,
}

impl Tallies {
    fn add(&mut self, parsed: &Parsed, summary: &mut Summary) {
        summary.counts.add(&parsed.counts);
        self.formats.resize_with(FORMATS.len() + 1, Tally::default);
        for (sum, tally) in self.formats.iter_mut().zip(&parsed.by_format) {
            sum.events += tally.events;
            sum.not_mine += tally.not_mine;
            sum.malformed += tally.malformed;
        }
        if let Some((first, last)) = parsed.span() {
            summary.first = Some(summary.first.map_or(first, |t| t.min(first)));
            summary.last = Some(summary.last.map_or(last, |t| t.max(last)));
        }
    }

    fn alert(&mut self, alert: &Alert) {
        let key = (
            std::cmp::Reverse(alert.rule.level),
            alert.rule.title.clone(),
        );
        let count = self.rules.entry(key).or_default();
        if alert.revision == 0 {
            count.0 += 1;
        } else {
            count.1 += 1;
        }
    }

    fn finish(self, summary: &mut Summary) {
        let names = FORMATS.iter().map(|f| f.name).chain(["unknown"]);
        summary.by_format = names
            .zip(self.formats)
            .filter(|(_, t)| t.events + t.not_mine + t.malformed > 0)
            .map(|(name, t)| FormatCount {
                name,
                events: t.events,
                not_mine: t.not_mine,
                malformed: t.malformed,
            })
            .collect();
        summary.alerts = self
            .rules
            .into_iter()
            .map(|((level, title), (alerts, updates))| RuleCount {
                title,
                level: level.0,
                alerts,
                updates,
            })
            .collect();
    }
}
