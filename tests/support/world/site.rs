//! The machines of a world and the sensor at its border.

use std::ops::Range;

use super::Sample;
use super::conn::{Conn, Flow, State};
use super::stamp::{At, DAY, Style, at, date};
use super::syslog::Syslog;

/// Longest log kept as plain text: what people still scroll through.
const PLAIN_MAX: usize = 300_000;

/// A machine that keeps an auth.log.
pub(crate) struct Machine {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its address inside.
    pub(crate) ip: &'static str,
    /// `sshd`, or `sshd-session` since OpenSSH 9.8.
    pub(crate) sshd: &'static str,
    /// How its daemon stamps, which also tells its age: PAM before 1.5 wrote no uids.
    pub(crate) style: Style,
    /// Whether sshd runs with `LogLevel VERBOSE`.
    pub(crate) verbose: bool,
    /// What it logged.
    pub(crate) log: Syslog,
    /// The SSH connections that it took.
    pub(crate) visits: Vec<Visit>,
}

/// An SSH connection, as the network sees it.
pub(crate) struct Visit {
    /// From when to when.
    pub(crate) span: Range<At>,
    /// The client's address and port.
    pub(crate) from: (String, i64),
}

impl Machine {
    /// A machine of today.
    pub(crate) fn new(name: &'static str, ip: &'static str) -> Machine {
        Machine {
            name,
            ip,
            sshd: "sshd",
            style: Style::Iso,
            verbose: false,
            log: Syslog::new(name, Style::Iso),
            visits: Vec::new(),
        }
    }

    /// The same with an old syslog daemon and an old PAM.
    pub(crate) fn old(self) -> Machine {
        Machine {
            style: Style::Old,
            log: Syslog::new(self.name, Style::Old),
            ..self
        }
    }

    /// The same with OpenSSH 9.8 or later.
    pub(crate) fn split_sshd(self) -> Machine {
        Machine {
            sshd: "sshd-session",
            ..self
        }
    }

    /// The same with `LogLevel VERBOSE`.
    pub(crate) fn verbose(self) -> Machine {
        Machine {
            verbose: true,
            ..self
        }
    }

    /// The pid of a process that starts then. A function of the time, because
    /// people are played one after the other and pids must still grow.
    pub(crate) fn pid(&self, at: At) -> i64 {
        match self.style {
            Style::Old => 300 + at / 2_000_000 % 32_000,
            Style::Iso => 1_000 + at / 250_000 % 4_190_000,
        }
    }
}

/// All of it.
pub(crate) struct Site {
    /// Its name: the seed of its random streams.
    pub(crate) world: &'static str,
    /// The host through which people come in from outside, if there is one.
    pub(crate) bastion: Option<&'static str>,
    /// Its machines.
    pub(crate) machines: Vec<Machine>,
    /// The sensor.
    pub(crate) zeek: Conn,
}

impl Site {
    /// A site with these machines.
    pub(crate) fn new(world: &'static str, machines: Vec<Machine>) -> Site {
        Site {
            world,
            bastion: None,
            machines,
            zeek: Conn::new(world),
        }
    }

    /// The machine of that name.
    pub(crate) fn machine(&mut self, name: &str) -> &mut Machine {
        self.machines.iter_mut().find(|m| m.name == name).unwrap()
    }

    /// Shows the sensor the SSH connections that came from outside.
    pub(crate) fn show_visits(&mut self) {
        for machine in &mut self.machines {
            for visit in machine.visits.drain(..) {
                if visit.from.0.starts_with("10.") {
                    continue;
                }
                let length = visit.span.end - visit.span.start;
                self.zeek.saw(Flow {
                    at: visit.span.start,
                    from: visit.from,
                    to: (machine.ip.to_owned(), 22),
                    service: "ssh",
                    length,
                    // Key exchange, then about 40 bytes a second of typing.
                    sent: 2_100 + length / 25_000,
                    got: 2_900 + length / 9_000,
                    state: State::Done,
                });
            }
        }
    }

    /// The auth.log of each machine in one file: `<machine>/auth.log`, or
    /// `auth.log` when there is one machine. Large ones are compressed.
    pub(crate) fn single(&mut self, folder: &str, until: At) -> Vec<Sample> {
        let alone = self.machines.len() == 1;
        let mut samples = Vec::new();
        for machine in &mut self.machines {
            let text = machine.log.all();
            let below = if alone {
                String::new()
            } else {
                format!("{}/", machine.name)
            };
            let packed = if text.len() > PLAIN_MAX { ".gz" } else { "" };
            samples.push(Sample::new(
                format!("{folder}/{below}auth.log{packed}"),
                until,
                text,
            ));
        }
        samples
    }

    /// The auth.log of each machine after some weeks of weekly turns, all of it
    /// compressed; of the machine `live` as logrotate's `delaycompress` leaves it.
    pub(crate) fn rotated(&mut self, folder: &str, weeks: i64, live: &str) -> Vec<Sample> {
        let mut samples = Vec::new();
        for machine in &mut self.machines {
            for week in 0..weeks {
                let span = at(7 * week, 0, 0)..at(7 * week + 7, 0, 0);
                let name = match (machine.name == live, weeks - 1 - week) {
                    // With logrotate's `dateext`: the only year that these logs have.
                    _ if machine.style == Style::Old => {
                        format!("auth.log-{}.gz", date(span.end).replace('-', ""))
                    }
                    (true, 0) => String::from("auth.log"),
                    (true, 1) => String::from("auth.log.1"),
                    (true, age) => format!("auth.log.{age}.gz"),
                    (false, age) => format!("auth.log.{}.gz", age + 1),
                };
                let path = format!("{folder}/{}/{name}", machine.name);
                samples.push(Sample::new(path, span.end, machine.log.render(&span)));
            }
        }
        samples
    }

    /// The sensor's log, one compressed file for each stretch of days.
    pub(crate) fn conn_logs(&mut self, folder: &str, days: Range<i64>, step: i64) -> Vec<Sample> {
        let mut samples = Vec::new();
        let mut day = days.start;
        while day < days.end {
            let start = at(day, 0, 0);
            let span = start..start + step.min(days.end - day) * DAY;
            let path = format!("{folder}/conn.{}.log.gz", date(start));
            samples.push(Sample::new(path, span.end, self.zeek.render(&span)));
            day += step;
        }
        samples
    }
}
