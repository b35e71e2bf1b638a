//! `tipstaff new`: a commented skeleton to start a rule from.

use std::io::{self, Write};

use clap::ValueEnum;
use sha2::{Digest, Sha256};

use super::exit::{Exit, Failure};

/// Print a commented skeleton of a rule
///
/// The skeleton passes `tipstaff check` as it is; every line that is to be
/// changed says so.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A rule of one of three kinds
    ///
    /// Printed to standard output: redirect it into a file of your rules folder.
    Rule {
        /// What the rule finds, in a few words: its title
        #[arg(value_name = "TITLE")]
        title: String,

        /// What kind of rule
        #[arg(long, value_enum, value_name = "KIND", default_value = "detection")]
        kind: Kind,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Looks at one event
    Detection,
    /// Counts what another rule finds
    Correlation,
    /// Learns what is normal of what another rule finds
    Baseline,
}

const HEADER: &str = "\
title: 'TITLE'
id: UUID
status: experimental        # then test, then stable; experimental rules are off
description: |
    What it finds, and why that matters. (Say it for whoever is woken by it.)
references: []
author: you
tags:
    - attack.t1110          # the technique at attack.mitre.org
";

const DETECTION: &str = "\
logsource:                  # `tipstaff formats` lists these
    product: linux
    service: sshd
detection:
    selection:
        event.action: ssh_login       # `tipstaff parse LOG` shows fields and values
        event.outcome: failure
    filter_monitoring:
        source.ip|cidr: 192.0.2.0/24  # leave out what is known to be harmless
    condition: selection and not 1 of filter_*
";

const BASE: &str = "\
---
title: 'TITLE (base events)'
id: BASE
name: NAME                  # by this name the rule above refers to it
status: experimental
description: What is counted above; raises no alerts of its own.
logsource:
    product: linux
    service: sshd
detection:
    selection:
        event.action: ssh_login
        event.outcome: failure
    condition: selection
falsepositives:
    - It only counts
level: informational
";

const CORRELATION: &str = "\
correlation:
    type: event_count       # or value_count, temporal, temporal_ordered, ...
    rules:
        - NAME
    group-by:
        - source.ip
    timespan: 10m
    condition:
        gte: 10
";

const BASELINE: &str = "\
baseline:
    type: event_count       # a rate; or first_seen with `field:`
    rules:
        - NAME
    group-by:
        - user.name
    timespan: 1h
    learn:
        half-life: 14d
        warm-up: 7d         # no alerts in the first week
    condition:
        value: {gte: 5}     # never fewer than this
        surprise: {gte: 20} # bits; `tipstaff tune` shows what others would raise
blindspots:
    - What it cannot see
tuning:
    - 'surprise: 20 to 16 finds more and raises more; say what it costs'
";

const FOOTER: &str = "\
falsepositives:
    - An ordinary thing that looks the same
level: medium               # informational, low, medium, high, critical
";

/// Runs the command.
pub(super) fn run(options: &Options) -> Result<Exit, Failure> {
    let What::Rule { title, kind } = &options.what;
    io::stdout().write_all(skeleton(title, *kind).as_bytes())?;
    Ok(Exit::Success)
}

fn skeleton(title: &str, kind: Kind) -> String {
    let (body, base) = match kind {
        Kind::Detection => (DETECTION, ""),
        Kind::Correlation => (CORRELATION, BASE),
        Kind::Baseline => (BASELINE, BASE),
    };
    // One line of plain text: whatever else was typed cannot break the YAML.
    let plain: String = title
        .chars()
        .map(|c| if c.is_control() || c == '\'' { ' ' } else { c })
        .collect();
    [HEADER, body, FOOTER, base]
        .concat()
        .replace("UUID", &uuid(&plain, "rule"))
        .replace("BASE", &uuid(&plain, "base"))
        .replace("NAME", &name(&plain))
        // Last: a title may hold any of the words above.
        .replace("TITLE", plain.trim())
}

/// What the rule calls the events that it counts: of its title, for two rules
/// of one folder cannot have the same name for theirs.
fn name(title: &str) -> String {
    let word = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            ' '
        }
    };
    let words: String = title.chars().map(word).collect();
    let words: Vec<&str> = words.split_whitespace().chain(["events"]).collect();
    words.join("_")
}

/// A UUID (version 8) of the title: the same title gives the same rule.
fn uuid(title: &str, what: &str) -> String {
    let digest = Sha256::new()
        .chain_update(b"tipstaff new")
        .chain_update(title)
        .chain_update([0])
        .chain_update(what)
        .finalize();
    let mut bytes = [0_u8; 16];
    bytes
        .iter_mut()
        .zip(digest)
        .for_each(|(to, from)| *to = from);
    let mut number = u128::from_be_bytes(bytes);
    number = number & !(0xf << 76) | 0x8 << 76;
    number = number & !(0x3 << 62) | 0x2 << 62;
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{LoadOptions, load_text};

    #[test]
    fn skeletons_of_several_titles_go_into_one_folder() {
        let names = ["Odd logins", "UUID and NAME", "It's: \u{e9}"].map(|title| {
            let text = skeleton(title, Kind::Baseline);
            let title = title.replace('\'', " ");
            assert!(text.starts_with(&format!("title: '{title}'\n")), "{text}");
            let name = text.lines().find_map(|line| line.strip_prefix("name: "));
            let name = name.and_then(|rest| rest.split(' ').next());
            assert!(text.contains(&format!("- {}\n", name.unwrap())), "{text}");
            name.unwrap().to_owned()
        });
        assert_eq!(
            names,
            ["odd_logins_events", "uuid_and_name_events", "it_s_events"]
        );
    }

    #[test]
    fn every_skeleton_passes_check_whatever_its_title() {
        let options = LoadOptions {
            experimental: true,
            lint: true,
            ..LoadOptions::default()
        };
        for kind in [Kind::Detection, Kind::Correlation, Kind::Baseline] {
            for title in ["Odd logins", "it's: a #title\n- x", "- \"x\" {}"] {
                let text = skeleton(title, kind);
                let loaded = load_text("new.yml", &text, &options);
                let loaded = loaded.unwrap_or_else(|wrong| panic!("{}\n{text}", wrong[0]));
                assert!(loaded.warnings.is_empty(), "{}\n{text}", loaded.warnings[0]);
            }
        }
    }
}
