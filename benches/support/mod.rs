//! What the benches share: logs and rules that are the same on every run.

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use tipstaff::detector::load_options;
use tipstaff::detector::{Detector, Options};
use tipstaff::pipeline::classes;
use tipstaff::rule::load;

/// The program's own.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The shipped pack.
pub(crate) fn shipped() -> Arc<Detector> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let loaded = load(&[rules], &load_options()).unwrap();
    compiled(&loaded.rules)
}

/// A rule set, compiled.
pub(crate) fn compiled(rules: &tipstaff::rule::RuleSet) -> Arc<Detector> {
    Arc::new(Detector::compile(rules, &classes(), Options::default()).unwrap())
}

/// A generator of numbers (Knuth's MMIX constants), the same everywhere.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    /// The next number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Writes an auth.log of so many lines over 28 days: guessing from the
/// internet (three lines in four), people who log in and use sudo, cron.
pub(crate) fn write_auth_log(path: &Path, lines: u64) {
    let mut to = BufWriter::new(std::fs::File::create(path).unwrap());
    let mut numbers = Numbers(7);
    let mut line = 0;
    while line < lines {
        let second = line * 28 * 86_400 / lines;
        let head = format!(
            "Sep {:2} {:02}:{:02}:{:02} gate01",
            second / 86_400 + 1,
            second / 3600 % 24,
            second / 60 % 60,
            second % 60
        );
        let pid = 1000 + numbers.below(30_000);
        let port = 1024 + numbers.below(60_000);
        let block = if numbers.below(2) == 0 {
            let (a, b) = (numbers.below(40), numbers.below(100));
            let from = format!("198.51.{a}.{b} port {port}");
            let user = ["admin", "oracle", "test", "ubuntu"]
                .get(usize::try_from(a % 4).unwrap())
                .unwrap();
            format!(
                "{head} sshd[{pid}]: Invalid user {user}{b} from {from}\n\
                 {head} sshd[{pid}]: Failed password for invalid user {user}{b} from {from} ssh2\n\
                 {head} sshd[{pid}]: Connection closed by invalid user {user}{b} {from} [preauth]\n"
            )
        } else if numbers.below(3) > 0 {
            let user = numbers.below(60);
            let from = format!("10.20.0.{} port {port}", user + 1);
            format!(
                "{head} sshd[{pid}]: Accepted publickey for user{user} from {from} ssh2: ED25519 SHA256:abc\n\
                 {head} sshd[{pid}]: pam_unix(sshd:session): session opened for user user{user}(uid=1000) by (uid=0)\n\
                 {head} sshd[{pid}]: Disconnected from user user{user} {from}\n"
            )
        } else {
            format!(
                "{head} sudo:   user{0} : TTY=pts/0 ; PWD=/home/user{0} ; USER=root ; COMMAND=/usr/bin/apt update\n\
                 {head} CRON[{pid}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)\n\
                 {head} CRON[{pid}]: (root) CMD (/usr/lib/sysstat/sa1 1 1)\n",
                numbers.below(5)
            )
        };
        to.write_all(block.as_bytes()).unwrap();
        line += 3;
    }
    to.flush().unwrap();
}

/// Text of a failed login from an address of its own for each number.
pub(crate) fn failed_login(second: u64, n: u64) -> String {
    format!(
        "2025-09-{:02}T{:02}:{:02}:{:02}+00:00 gate01 sshd[{n}]: Failed password for invalid user admin \
         from {}.{}.{}.{} port {} ssh2\n",
        second / 86_400 + 1,
        second / 3600 % 24,
        second / 60 % 60,
        second % 60,
        11 + (n >> 24),
        n >> 16 & 255,
        n >> 8 & 255,
        n & 255,
        1024 + n % 60_000
    )
}
