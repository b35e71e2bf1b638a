//! Alerts leave the process: each outlet has a queue and a task of its own, so
//! that a slow reader of one does not hold the others, and detection goes on
//! while bytes are written.
//!
//! Encoding happens on the detecting thread (alerts are rare); what travels is
//! whole encoded alerts. Delivering never waits and never loses: an outlet that
//! falls behind (a full disk, a terminal that nobody reads) makes
//! [`Outlets::behind`] say so, and whoever reads logs pauses, for the lines
//! stay where they are. [`Outlets::sync`] returns when everything sent before
//! it is written and, for files, on disk: a snapshot is only taken after that,
//! so no alert can be lost between its lines being counted as read and itself.

use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use tokio::io::{AsyncWriteExt, Stdout};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::ledger::Ledger;
use crate::alert::Alert;
use crate::sink::{SINKS, Sink, Style};
use crate::sync::{Arc, AtomicU64, Ordering};

/// Encoded alerts that may wait for one outlet before reading pauses: at some
/// 3 KB each, 12 MB.
const QUEUE: u64 = 4096;

/// How often an outlet that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// How long an outlet has for its last bytes when the process ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where alerts go.
#[derive(Clone, Debug)]
pub enum Outlet {
    /// Standard output, in one of the sinks' encodings, for the journal or a terminal.
    Stdout(&'static str),
    /// A file that gets one JSON object a line, appended.
    JsonFile(PathBuf),
}

enum Message {
    Bytes(Vec<u8>),
    /// Answered with how long the file is.
    Sync(Sender<io::Result<u64>>),
}

/// What a task says of itself when it changes: its trouble, or none.
type Word = (usize, Option<String>);

/// One outlet as the detecting thread sees it.
struct Line {
    sink: Box<dyn Sink>,
    to: mpsc::UnboundedSender<Message>,
    /// Alerts sent and not yet written.
    waiting: Arc<AtomicU64>,
    trouble: Option<String>,
}

/// All outlets of a service.
pub struct Outlets {
    lines: Vec<Line>,
    words: Receiver<Word>,
    ended: Receiver<()>,
}

impl Outlets {
    /// Opens all of them; fails if a file cannot be appended to. What a file
    /// holds after `since` (see [`super::Live::delivered`]) is not written again.
    pub fn open(outlets: &[Outlet], style: Style, since: Option<u64>) -> io::Result<Outlets> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let (say, words) = unbounded();
        let mut lines = Vec::new();
        let mut tasks = Vec::new();
        for (number, outlet) in outlets.iter().enumerate() {
            let (to, from) = mpsc::unbounded_channel();
            let waiting = Arc::new(AtomicU64::new(0));
            let task = Task {
                number,
                name: match outlet {
                    Outlet::Stdout(_) => "standard output".to_owned(),
                    Outlet::JsonFile(path) => path.display().to_string(),
                },
                from,
                waiting: Arc::clone(&waiting),
                say: say.clone(),
                trouble: None,
            };
            let encoding = match outlet {
                Outlet::Stdout(encoding) => {
                    let alone = outlets.len() == 1;
                    tasks.push(runtime.spawn(task.print(tokio::io::stdout(), alone)));
                    *encoding
                }
                Outlet::JsonFile(path) => {
                    let ledger = Ledger::open(path, since)?;
                    tasks.push(runtime.spawn(task.keep(ledger)));
                    "json"
                }
            };
            let row = SINKS.iter().find(|row| row.name == encoding);
            let row = row.ok_or_else(|| io::Error::other(format!("no sink named {encoding}")))?;
            let pipe = Pipe(to.clone(), Arc::clone(&waiting));
            lines.push(Line {
                sink: (row.open)(Box::new(pipe), style),
                to,
                waiting,
                trouble: None,
            });
        }
        let (end, ended) = bounded(1);
        #[expect(clippy::disallowed_methods, reason = "pipeline starts threads")]
        thread::spawn(move || {
            runtime.block_on(async {
                for task in tasks {
                    let _ = task.await; // a task's panic has been reported by then
                }
            });
            let _ = end.send(()); // nobody may be waiting any more
        });
        Ok(Outlets {
            lines,
            words,
            ended,
        })
    }

    /// Sends an alert to every outlet.
    pub fn deliver(&mut self, alert: &Alert) -> io::Result<()> {
        self.lines
            .iter_mut()
            .try_for_each(|line| line.sink.deliver(alert))
    }

    /// Whether so many alerts wait that no more should be made.
    pub fn behind(&self) -> bool {
        let full = |line: &Line| line.waiting.load(Ordering::Relaxed) >= QUEUE;
        self.lines.iter().any(full)
    }

    /// What is wrong with outlets now.
    pub fn trouble(&mut self) -> Option<String> {
        for (number, word) in self.words.try_iter() {
            if let Some(line) = self.lines.get_mut(number) {
                line.trouble = word;
            }
        }
        let full = || {
            let why = "alerts are not taken as fast as they are raised; reading pauses";
            self.behind().then(|| why.to_owned())
        };
        let told = self.lines.iter().find_map(|line| line.trouble.clone());
        told.or_else(full)
    }

    /// Waits until all that was delivered is out, at most this long; how long
    /// the alerts' file is then.
    pub fn sync(&self, most: Duration) -> io::Result<u64> {
        let mut length = 0;
        for line in &self.lines {
            let (to, from) = bounded(1);
            line.to.send(Message::Sync(to)).map_err(|_| gone())?;
            let slow =
                |_| io::Error::new(io::ErrorKind::TimedOut, "alerts are still being written");
            length += from.recv_timeout(most).map_err(slow)??;
        }
        Ok(length)
    }
}

impl Drop for Outlets {
    fn drop(&mut self) {
        self.lines.clear();
        // An outlet that nobody reads must not keep the process alive.
        let _ = self.ended.recv_timeout(FAREWELL);
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "an alert outlet has closed")
}

/// A sink's writer: every write is a message.
struct Pipe(mpsc::UnboundedSender<Message>, Arc<AtomicU64>);

impl io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let message = Message::Bytes(bytes.to_vec());
        self.0.send(message).map_err(|_| gone())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The side of an outlet that writes.
struct Task {
    number: usize,
    name: String,
    from: mpsc::UnboundedReceiver<Message>,
    waiting: Arc<AtomicU64>,
    say: Sender<Word>,
    trouble: Option<String>,
}

impl Task {
    /// Tells of trouble, or of its end, once.
    fn tell(&mut self, result: &io::Result<()>) {
        let now = result.as_ref().err().map(ToString::to_string);
        if now == self.trouble {
            return;
        }
        self.trouble.clone_from(&now);
        let now = now.map(|error| format!("alerts cannot be written to {}: {error}", self.name));
        if let Some(words) = &now {
            tracing::error!("{words}");
        } else {
            tracing::info!("alerts are written to {} again", self.name);
        }
        let _ = self.say.send((self.number, now)); // nobody may be listening any more
    }

    /// Appends to a file what comes until the queue is closed.
    async fn keep(mut self, mut ledger: Ledger) {
        loop {
            let message = if ledger.is_written() {
                self.from.recv().await
            } else {
                match tokio::time::timeout(RETRY, self.from.recv()).await {
                    Ok(message) => message,
                    Err(_elapsed) => Some(Message::Bytes(Vec::new())),
                }
            };
            let mut before = ledger.waiting();
            let mut asked = None;
            match message {
                None => break,
                Some(Message::Bytes(bytes)) if bytes.is_empty() => {}
                Some(Message::Bytes(bytes)) => {
                    before += 1;
                    ledger.push(bytes);
                }
                Some(Message::Sync(done)) => asked = Some(done),
            }
            // Others write meanwhile, and the disk may be slow.
            let work = spawn_blocking(move || {
                let result = match &asked {
                    Some(_) => ledger.sync(),
                    None => ledger.write().map(|()| 0),
                };
                (ledger, asked, result)
            });
            let Ok((back, asked, result)) = work.await else {
                return; // its panic has been reported
            };
            ledger = back;
            let written = before - ledger.waiting();
            self.waiting.fetch_sub(written, Ordering::Relaxed);
            let (result, length) = match result {
                Ok(length) => (Ok(()), length),
                Err(error) => (Err(error), 0),
            };
            self.tell(&result);
            if let Some(done) = asked {
                let _ = done.send(result.map(|()| length)); // whoever asked may have left
            }
        }
    }

    /// Prints what comes until the queue is closed. When the reader of standard
    /// output has left, nobody misses what goes there, unless it goes nowhere else.
    async fn print(mut self, mut to: Stdout, alone: bool) {
        let mut result = Ok(());
        while let Some(message) = self.from.recv().await {
            match message {
                Message::Bytes(bytes) => {
                    let written = to.write_all(&bytes).await;
                    result = result.and(written).and(to.flush().await);
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                    self.tell(&result);
                }
                Message::Sync(done) => {
                    let left = matches!(&result, Err(e) if e.kind() == io::ErrorKind::BrokenPipe);
                    if left && !alone {
                        result = Ok(());
                    }
                    let said = std::mem::replace(&mut result, Ok(()));
                    let _ = done.send(said.map(|()| 0)); // whoever asked may have left
                }
            }
        }
    }
}
