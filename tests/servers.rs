//! With real parts: OpenSSH's sshd and rsyslog on loopback, a real client's
//! failed and successful logins, logrotate in between, and `tipstaff run`
//! watching. Its alerts are those of a replay of the same files.
//!
//! Needs root and Debian's openssh-server, openssh-client, rsyslog, logrotate
//! and sshpass; without them it says so and is skipped (in CI that fails).

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

const NEEDED: &[&str] = &[
    "/usr/sbin/sshd",
    "/usr/sbin/rsyslogd",
    "/usr/sbin/logrotate",
    "/usr/bin/sshpass",
    "/usr/bin/ssh",
    "/usr/bin/ssh-keygen",
];

/// Why the parts cannot be used here, if they cannot.
fn missing() -> Option<String> {
    let absent: Vec<_> = NEEDED.iter().filter(|p| !Path::new(p).exists()).collect();
    if !absent.is_empty() {
        return Some(format!("{absent:?} are not installed"));
    }
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout != b"0\n" {
        return Some("sshd and rsyslogd need root to be started for real".into());
    }
    // Its socket is taken: a real syslog daemon serves this machine.
    let busy = std::os::unix::net::UnixDatagram::unbound()
        .unwrap()
        .connect("/dev/log")
        .is_ok();
    busy.then(|| "another syslog daemon owns /dev/log".into())
}

/// A process that does not outlive the test.
struct Running(Child);

impl Running {
    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The test's own machine room: a folder, an sshd, an rsyslogd.
struct Room {
    folder: tempfile::TempDir,
    port: u16,
    _sshd: Running,
    _rsyslogd: Running,
}

impl Room {
    fn open() -> Room {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let keygen = |name: &str| {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f", &at(name)])
                .status();
            assert!(made.unwrap().success());
        };
        keygen("host_key");
        keygen("user_key");
        fs::create_dir_all("/run/sshd").unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let rsyslog = format!(
            "global(workDirectory=\"{}\")\nmodule(load=\"imuxsock\")\n\
             $FileOwner root\n$FileCreateMode 0640\n\
             template(name=\"iso\" type=\"string\" string=\"%timestamp:::date-rfc3339% %hostname% %syslogtag%%msg:::sp-if-no-1st-sp%%msg:::drop-last-lf%\\n\")\n\
             auth,authpriv.* action(type=\"omfile\" file=\"{}\" template=\"iso\")\n",
            folder.path().display(),
            at("auth.log")
        );
        fs::write(at("rsyslog.conf"), rsyslog).unwrap();
        let rsyslogd = Command::new("/usr/sbin/rsyslogd")
            .args(["-n", "-f", &at("rsyslog.conf"), "-i", &at("rsyslogd.pid")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let rsyslogd = Running(rsyslogd);
        wait_for("rsyslog's socket", || Path::new("/dev/log").exists());
        sleep(Duration::from_millis(300));
        let sshd = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\n\
             PidFile {}\nStrictModes no\nPermitRootLogin yes\nUsePAM no\nMaxStartups 100\nLoginGraceTime 20\n",
            at("host_key"),
            at("user_key.pub"),
            at("sshd.pid")
        );
        fs::write(at("sshd_config"), sshd).unwrap();
        let sshd = Command::new("/usr/sbin/sshd")
            .args(["-D", "-f", &at("sshd_config")])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let room = Room {
            port,
            _sshd: Running(sshd),
            _rsyslogd: rsyslogd,
            folder,
        };
        wait_for("sshd", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ssh(&self) -> Vec<String> {
        let options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
                       -o LogLevel=ERROR -o NumberOfPasswordPrompts=1 -o ConnectTimeout=10 -F none";
        let mut args: Vec<String> = options.split_whitespace().map(str::to_owned).collect();
        args.extend(["-p".to_owned(), self.port.to_string()]);
        args
    }

    /// A client that guesses a password, and is refused.
    fn guess(&self, user: &str) {
        let status = Command::new("sshpass")
            .args(["-p", "wrong", "ssh"])
            .args(self.ssh())
            .args([
                "-o",
                "PubkeyAuthentication=no",
                "-l",
                user,
                "127.0.0.1",
                "true",
            ])
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(!status.success(), "a wrong password is refused");
    }

    /// A client with the right key.
    fn log_in(&self) {
        let status = Command::new("ssh")
            .args(self.ssh())
            .args(["-o", "IdentitiesOnly=yes", "-i"])
            .arg(self.path("user_key"))
            .args(["-l", "root", "127.0.0.1", "true"])
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "the right key is let in");
    }

    fn rotate(&self) {
        let pid = self.path("rsyslogd.pid").display().to_string();
        let config = format!(
            "{} {{\n rotate 3\n create\n missingok\n su root root\n postrotate\n kill -HUP $(cat {pid})\n endscript\n}}\n",
            self.path("auth.log").display()
        );
        fs::write(self.path("logrotate.conf"), config).unwrap();
        let status = Command::new("/usr/sbin/logrotate")
            .arg("-f")
            .arg("-s")
            .arg(self.path("logrotate.state"))
            .arg(self.path("logrotate.conf"))
            .status()
            .unwrap();
        assert!(status.success());
        wait_for("the rotated log", || self.path("auth.log.1").exists());
    }

    fn watch(&self) -> Running {
        let config = format!(
            "[input]\npaths = ['{}']\n[rules]\npaths = ['rules']\n[state]\nfolder = '{}'\n\
             [alerts]\nstdout = false\nfile = '{}'\n",
            self.path("auth.log").display(),
            self.path("state").display(),
            self.path("alerts.jsonl").display()
        );
        fs::write(self.path("tipstaff.toml"), config).unwrap();
        let socket = self.path("notify");
        let _ = fs::remove_file(&socket);
        let hears = UnixDatagram::bind(&socket).unwrap();
        hears
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_tipstaff"))
            .args(["run", "--config"])
            .arg(self.path("tipstaff.toml"))
            .env("NOTIFY_SOCKET", &socket)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // What is rotated away before a log is first opened is not followed.
        let mut said = [0; 512];
        let got = loop {
            match hears.recv(&mut said) {
                // Of another test's child.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                got => break got.unwrap(),
            }
        };
        assert!(
            said[..got].starts_with(b"READY=1"),
            "it says that it follows"
        );
        Running(child)
    }

    /// Ids of all alerts that were written.
    fn alerts(&self) -> BTreeSet<(String, String)> {
        ids(&fs::read_to_string(self.path("alerts.jsonl")).unwrap_or_default())
    }

    /// Ids of all alerts that a replay of what is there raises.
    fn replayed(&self) -> BTreeSet<(String, String)> {
        let output = Command::new(env!("CARGO_BIN_EXE_tipstaff"))
            .args(["replay", "--output", "json", "--rules", "rules"])
            .args([self.path("auth.log.1"), self.path("auth.log")])
            .output()
            .unwrap();
        ids(&String::from_utf8(output.stdout).unwrap())
    }
}

fn ids(text: &str) -> BTreeSet<(String, String)> {
    let of_line = |line: &str| {
        let alert: serde_json::Value = serde_json::from_str(line).unwrap();
        (
            alert["id"].as_str().unwrap().to_owned(),
            alert["rule"]["title"].as_str().unwrap().to_owned(),
        )
    };
    text.lines().map(of_line).collect()
}

fn wait_for(what: &str, mut ready: impl FnMut() -> bool) {
    for _ in 0..300 {
        if ready() {
            return;
        }
        sleep(Duration::from_millis(100));
    }
    panic!("{what} did not come up in 30 s");
}

#[test]
fn run_watches_a_real_sshd_through_rsyslog_and_logrotate() {
    if let Some(why) = missing() {
        assert!(
            std::env::var_os("CI").is_none(),
            "must not be skipped in CI: {why}"
        );
        crate::support::skipped(
            "run_watches_a_real_sshd_through_rsyslog_and_logrotate",
            &why,
        );
        return;
    }
    let room = Room::open();
    let watching = room.watch();
    room.log_in();
    for n in 0..6 {
        room.guess(&format!("oracle{n}"));
    }
    room.rotate();
    for n in 6..14 {
        room.guess(&format!("oracle{n}"));
    }
    room.log_in();
    // On a busy machine the last lines may still be on their way.
    wait_for("the alerts that a replay raises", || {
        !room.alerts().is_empty() && room.alerts() == room.replayed()
    });
    watching.signal("TERM");
    let mut watching = watching;
    assert!(
        watching.0.wait().unwrap().success(),
        "SIGTERM stops cleanly"
    );

    let live = room.alerts();
    assert_eq!(
        live,
        room.replayed(),
        "run and replay raise the same alerts"
    );

    // A restart goes on where it stopped: nothing is read or raised twice.
    let again = room.watch();
    sleep(Duration::from_secs(2));
    again.signal("TERM");
    let text = fs::read_to_string(room.path("alerts.jsonl")).unwrap();
    assert_eq!(
        text.lines().count(),
        text.lines().collect::<BTreeSet<_>>().len()
    );
    assert_eq!(room.alerts(), live);
}
