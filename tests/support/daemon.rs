//! `tipstaff run` in a folder of its own, told what systemd would tell it, and
//! heard as systemd would hear it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// An alert for every address that fails to log in thrice within a minute,
/// and one for a user's first address once usual ones are known.
const RULES: &str = "\
title: Test guessing
id: 11111111-1111-4111-8111-111111111111
status: stable
name: test_failure
logsource:
    product: linux
    service: sshd
detection:
    selection:
        event.action: ssh_login
        event.outcome: failure
    condition: selection
level: low
---
title: Test guessing often
id: 22222222-2222-4222-8222-222222222222
status: stable
correlation:
    type: event_count
    rules: [test_failure]
    group-by: [source.ip]
    timespan: 1m
    condition:
        gte: 3
level: high
";

/// Longest wait for anything: a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Time since some point, for tests that wait.
#[expect(clippy::disallowed_methods, reason = "a test waits for a process")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits until something is so.
pub(crate) fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let start = now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A machine's logs, rules, state and alerts.
pub(crate) struct Room {
    folder: TempDir,
    notify: UnixDatagram,
}

impl Room {
    pub(crate) fn new() -> Room {
        let folder = tempfile::tempdir().unwrap();
        for name in ["logs", "rules"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let notify = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        let room = Room { folder, notify };
        fs::write(room.path("rules/test.yml"), RULES).unwrap();
        room.configure("['logs/auth.log']", "alerts.jsonl", 1);
        room
    }

    /// Writes the configuration: TOML of the paths, the alerts' file, seconds
    /// between snapshots. All names are below the room.
    pub(crate) fn configure(&self, paths: &str, alerts: &str, seconds: u32) {
        let config = format!(
            "[input]\npaths = {paths}\n[rules]\npaths = ['rules']\n\
             [state]\nfolder = 'state'\nsnapshot-seconds = {seconds}\n\
             [alerts]\nstdout = false\nfile = '{alerts}'\n"
        );
        fs::write(self.path("tipstaff.toml"), config).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program, run here, without the caller's settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tipstaff"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("TIPSTAFF_RULES")
            .env_remove("TIPSTAFF_LOG")
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null());
        command
    }

    /// Starts the service, with more in its environment.
    pub(crate) fn start_with(&self, environment: &[(&str, &str)]) -> Daemon<'_> {
        self.launch(environment, Stdio::null())
    }

    /// Starts the service with its standard output somewhere.
    pub(crate) fn start_to(&self, out: Stdio) -> Daemon<'_> {
        self.launch(&[], out)
    }

    fn launch(&self, environment: &[(&str, &str)], out: Stdio) -> Daemon<'_> {
        let errors = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("errors"))
            .unwrap();
        // What an earlier daemon said last is not this one's.
        self.notify.set_nonblocking(true).unwrap();
        while self.notify.recv(&mut [0; 4096]).is_ok() {}
        self.notify.set_nonblocking(false).unwrap();
        let child = self
            .command(&["run", "--config", "tipstaff.toml"])
            .env("NOTIFY_SOCKET", self.path("notify"))
            .envs(environment.iter().copied())
            .stdout(out)
            .stderr(errors)
            .spawn()
            .unwrap();
        Daemon {
            room: self,
            child,
            heard: Vec::new(),
        }
    }

    pub(crate) fn start(&self) -> Daemon<'_> {
        self.start_with(&[])
    }

    /// What daemons said on standard error so far.
    pub(crate) fn errors(&self) -> String {
        fs::read_to_string(self.path("errors")).unwrap_or_default()
    }

    pub(crate) fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path(name))
            .unwrap();
        file.write_all(text.as_ref()).unwrap();
    }

    /// Alerts in the file: id and revision, in order.
    pub(crate) fn alerts(&self) -> Vec<String> {
        let read = || fs::read_to_string(self.path("alerts.jsonl")).unwrap_or_default();
        // It may be written to at this moment; a half line that stays is none of that.
        let whole = |text: &String| text.is_empty() || text.ends_with('\n');
        let mut text = read();
        for _ in 0..50 {
            if whole(&text) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
            text = read();
        }
        keys(&text)
    }

    /// Alerts of a replay of these.
    pub(crate) fn replayed(&self, paths: &[&str]) -> Vec<String> {
        let output = self
            .command(&["replay", "--output", "json", "--rules", "rules"])
            .args(paths)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        keys(&String::from_utf8(output.stdout).unwrap())
    }

    /// What was raised live is what a replay of these raises, each once.
    pub(crate) fn agrees_with_replay(&self, paths: &[&str]) {
        let (live, replayed) = (self.alerts(), self.replayed(paths));
        assert!(replayed.len() > 10, "the logs raise alerts");
        let set = |keys: &[String]| keys.iter().cloned().collect::<BTreeSet<_>>();
        let (one, other) = (set(&live), set(&replayed));
        let lost: Vec<_> = other.difference(&one).collect();
        let made_up: Vec<_> = one.difference(&other).collect();
        assert!(
            lost.is_empty() && made_up.is_empty(),
            "of {} alerts {} lost, {} made up, such as {:?}\n{}",
            other.len(),
            lost.len(),
            made_up.len(),
            lost.iter().chain(&made_up).next(),
            self.errors()
        );
        assert_eq!(live.len(), one.len(), "an alert was written twice");
    }
}

/// Id and revision of each alert: whole lines of JSON, all of them.
fn keys(text: &str) -> Vec<String> {
    assert!(text.is_empty() || text.ends_with('\n'), "a half line");
    let key = |line: &str| {
        let alert: serde_json::Value = serde_json::from_str(line).unwrap();
        format!("{} {}", alert["id"], alert["revision"])
    };
    text.lines().map(key).collect()
}

/// A running service. It does not outlive the test.
pub(crate) struct Daemon<'a> {
    room: &'a Room,
    child: Child,
    /// Every word that systemd was told, in order.
    pub(crate) heard: Vec<String>,
}

impl Daemon<'_> {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Listens until systemd was told a word that begins so; the word.
    pub(crate) fn hear(&mut self, beginning: &str) -> String {
        let start = now();
        let short = Some(Duration::from_millis(200));
        self.room.notify.set_read_timeout(short).unwrap();
        while start.elapsed() < PATIENCE {
            let mut buffer = [0; 4096];
            let Ok(length) = self.room.notify.recv(&mut buffer) else {
                let ended = self.child.try_wait().unwrap();
                assert!(ended.is_none(), "{ended:?}: {}", self.room.errors());
                continue;
            };
            let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
            let words: Vec<String> = text.lines().map(str::to_owned).collect();
            self.heard.extend(words.iter().cloned());
            if let Some(word) = words.iter().find(|word| word.starts_with(beginning)) {
                return word.clone();
            }
        }
        panic!(
            "never heard {beginning}: {:?}\n{}",
            self.heard,
            self.room.errors()
        );
    }

    /// Waits until all that is in the logs has been read.
    pub(crate) fn catch_up(&mut self) {
        self.hear("STATUS=watching");
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the end of the process", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// SIGTERM: it must end well.
    pub(crate) fn stop(self) {
        self.signal("TERM");
        let room = self.room;
        let status = self.ended();
        assert!(status.success(), "{status:?}: {}", room.errors());
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The most memory it ever held, in MB, and what else `/proc` says.
    pub(crate) fn peak_mb(&self) -> u64 {
        peak_mb(self.id())
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The most memory that a running process ever held, in MB (`VmHWM`).
pub(crate) fn peak_mb(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mut words: BTreeMap<&str, &str> =
        status.lines().filter_map(|l| l.split_once(':')).collect();
    let peak = words.remove("VmHWM").unwrap_or("0");
    let kib = peak.split_whitespace().next().unwrap_or("0");
    kib.parse::<u64>().unwrap() / 1024
}

/// Lines `from..to` of an endless log of sshd: one every 7 s from the first of
/// June 2025, each address failing four times in a row and a good login between.
pub(crate) fn lines(from: usize, to: usize) -> String {
    (from..to).map(line).collect()
}

fn line(n: usize) -> String {
    let (day, second) = (n * 7 / 86_400, n * 7 % 86_400);
    let stamp = format!(
        "2025-{:02}-{:02}T{:02}:{:02}:{:02}+00:00",
        6 + day / 28,
        1 + day % 28,
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    let guesser = n / 5;
    let address = format!(
        "10.{}.{}.{}",
        guesser / 65_536,
        guesser / 256 % 256,
        guesser % 256
    );
    if n % 5 == 4 {
        format!(
            "{stamp} web1 sshd[{n}]: Accepted publickey for alice from 10.9.9.9 port 4000 ssh2: ED25519 SHA256:abc\n"
        )
    } else {
        format!("{stamp} web1 sshd[{n}]: Failed password for root from {address} port 4000 ssh2\n")
    }
}

/// Whether the tests run as root, who may mount and become somebody else.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

/// Runs a command of the system that must work.
pub(crate) fn must(program: &str, arguments: &[&str], folder: &Path) {
    let status = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success(), "{program} {arguments:?}");
}
